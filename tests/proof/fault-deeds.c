/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* All that makes and removes names, and texts, while each of its system calls fails. Each fault is in a process of its own,
 * so that it also meets what the library does only once. */

#include "fault-files.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "fault-runs.h"
#include "model.h"
#include "programs.h"
#include "proof.h"
#include "tf-test-async.h"

typedef struct
{
  const char *name;
  void (*begin) (void);               /* (nullable) */
  gboolean (*call) (GError **error);  /* what fails, and can be repeated then */
  gboolean (*is_good) (void);         /* (nullable): after a success */
} Deed;

static const Deed *deed;
static TfTempFile *file;
static TfTempDir *dir;
static TfTextStream *text;
static char *path;          /* of what was made and is not in @file or @dir */
static const char *where;   /* a directory that was found */

static gboolean
exists (const char *name)
{
  return g_file_test (name, G_FILE_TEST_EXISTS);
}

/* --- Files ---------------------------------------------------------------------------------- */

static gboolean
is_file_usable (void)
{
  g_autoptr(GBytes) bytes = NULL;

  if (!tf_temp_file_write (file, "abc", 3, NULL, NULL))
    return FALSE;

  bytes = tf_temp_file_load_bytes (file, NULL, NULL);
  return bytes != NULL && g_bytes_get_size (bytes) == 3;
}

static gboolean
make_unnamed (GError **error)
{
  file = tf_temp_file_new (NULL, NULL, error);
  return file != NULL;
}

static gboolean
make_named (GError **error)
{
  file = TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, error));
  return file != NULL;
}

static gboolean
make_named_async (GError **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  tf_named_file_create_async (NULL, NULL, NULL, 0, NULL, tf_test_take_result, &result);
  file = TF_TEMP_FILE (tf_named_file_create_finish (tf_test_wait (&result), error));
  return file != NULL;
}

static gboolean
make_from_bytes (GError **error)
{
  g_autoptr(GBytes) bytes = g_bytes_new_static ("abc", 3);

  file = TF_TEMP_FILE (tf_named_file_new_from_bytes (bytes, NULL, NULL, NULL, NULL, error));
  return file != NULL;
}

static gboolean
has_bytes (void)
{
  g_autofree char *content = NULL;

  return g_file_get_contents (tf_named_file_get_path (TF_NAMED_FILE (file)), &content, NULL, NULL) &&
         g_str_equal (content, "abc");
}

static gboolean
mkstemp_once (GError **error)
{
  int fd = tf_mkstemp (NULL, NULL, NULL, &path, NULL, error);

  if (fd < 0)
    return FALSE;

  close (fd);
  return TRUE;
}

static gboolean
remove_path (void)
{
  return exists (path) && g_remove (path) == 0;
}

static gboolean
mkdtemp_once (GError **error)
{
  path = tf_mkdtemp (NULL, NULL, NULL, NULL, error);
  return path != NULL;
}

static void
begin_named (void)
{
  make_named (NULL);
  tf_temp_file_write (file, "abc", 3, NULL, NULL);
  path = g_strdup (tf_named_file_get_path (TF_NAMED_FILE (file)));
}

static gboolean
unlink_named (GError **error)
{
  return tf_named_file_unlink (TF_NAMED_FILE (file), NULL, error);
}

static gboolean
unlink_named_async (GError **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  tf_named_file_unlink_async (TF_NAMED_FILE (file), 0, NULL, tf_test_take_result, &result);
  return tf_named_file_unlink_finish (TF_NAMED_FILE (file), tf_test_wait (&result), error);
}

static gboolean
is_path_gone (void)
{
  return !exists (path);
}

static gboolean
keep_named (GError **error)
{
  g_autofree char *kept = tf_named_file_keep (TF_NAMED_FILE (file));

  g_clear_object (&file);
  return kept != NULL;
}

static gboolean
drop_file (GError **error)
{
  g_clear_object (&file);
  return TRUE;
}

static gboolean
hand_over_named (GError **error)
{
  tf_named_file_hand_over (TF_NAMED_FILE (file), 3600);
  return TRUE;
}

/* Nobody sweeps it in the next hour. */
static gboolean
is_handed_over (void)
{
  gboolean handed_over = tf_named_file_is_handed_over (TF_NAMED_FILE (file));
  g_autofree char *kept = tf_named_file_keep (TF_NAMED_FILE (file));

  return handed_over && remove_path ();
}

static gboolean
hold_named (GError **error)
{
  tf_named_file_hold_until_exit (TF_NAMED_FILE (file));
  g_clear_object (&file);
  return TRUE;
}

static gboolean
is_path_there (void)
{
  return exists (path);
}

/* --- Directories ---------------------------------------------------------------------------- */

static gboolean
make_dir (GError **error)
{
  dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, error);
  return dir != NULL;
}

static gboolean
make_dir_async (GError **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  tf_temp_dir_create_async (NULL, NULL, NULL, 0, NULL, tf_test_take_result, &result);
  dir = tf_temp_dir_create_finish (tf_test_wait (&result), error);
  return dir != NULL;
}

static gboolean
is_dir_there (void)
{
  return exists (tf_temp_dir_get_path (dir));
}

static void
begin_dir (void)
{
  make_dir (NULL);
  path = g_strdup (tf_temp_dir_get_path (dir));
}

static gboolean
make_inside (GError **error)
{
  file = TF_TEMP_FILE (tf_temp_dir_create_file (dir, NULL, NULL, NULL, error));
  return file != NULL;
}

static gboolean
make_dir_inside (GError **error)
{
  g_autoptr(TfTempDir) inner = tf_temp_dir_create_dir (dir, NULL, NULL, NULL, error);

  return inner != NULL && exists (tf_temp_dir_get_path (inner));
}

static void
put_tree (const char *at,
          guint       n_dirs,
          guint       n_files)
{
  for (guint i = 0; i < n_dirs; i++)
    {
      g_autofree char *inner = g_strdup_printf ("%s/d%u", at, i);

      g_assert_cmpint (g_mkdir (inner, 0700), ==, 0);
      put_tree (inner, i == 0 ? n_dirs / 2 : 0, n_files);
    }
  for (guint i = 0; i < n_files; i++)
    {
      g_autofree char *name = g_strdup_printf ("%s/f%u", at, i);

      g_assert_true (g_file_set_contents (name, "", 0, NULL));
    }
}

static void
begin_tree (void)
{
  begin_dir ();
  put_tree (path, 2, 2);
}

/* Enough for a second thread */
static void
begin_large_tree (void)
{
  begin_dir ();
  put_tree (path, 40, 20);
}

static void
begin_locked_tree (void)
{
  g_autofree char *inner = NULL;

  begin_tree ();
  inner = g_build_filename (path, "d1", NULL);
  g_assert_cmpint (g_chmod (inner, 0), ==, 0);
}

static gboolean
clean_up (GError **error)
{
  return tf_temp_dir_cleanup (dir, NULL, error);
}

static gboolean
clean_up_async (GError **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  tf_temp_dir_cleanup_async (dir, 0, NULL, tf_test_take_result, &result);
  return tf_temp_dir_cleanup_finish (dir, tf_test_wait (&result), error);
}

static gboolean
drop_dir (GError **error)
{
  g_clear_object (&dir);
  return TRUE;
}

static gboolean
hand_over_dir (GError **error)
{
  tf_temp_dir_hand_over (dir, 3600);
  return TRUE;
}

static gboolean
is_dir_handed_over (void)
{
  gboolean handed_over = tf_temp_dir_is_handed_over (dir);
  g_autofree char *kept = tf_temp_dir_keep (dir);

  return handed_over && remove_path ();
}

static gboolean
keep_dir (GError **error)
{
  g_autofree char *kept = tf_temp_dir_keep (dir);

  g_clear_object (&dir);
  return kept != NULL;
}

static void
begin_kept_tree (void)
{
  begin_tree ();
  keep_dir (NULL);
}

static gboolean
remove_tree (GError **error)
{
  g_autoptr(GFile) place = g_file_new_for_path (path);

  return tf_remove_tree (place, NULL, error);
}

/* --- Places --------------------------------------------------------------------------------- */

static void
begin_search (void)
{
  tf_set_temp_dir (NULL);
}

static gboolean
find_temp_dir (GError **error)
{
  where = tf_get_temp_dir (error);
  return where != NULL;
}

static gboolean
find_spool_dir (GError **error)
{
  where = tf_get_spool_dir (error);
  return where != NULL;
}

static gboolean
find_shareable_dir (GError **error)
{
  where = tf_get_shareable_dir (error);
  return where != NULL;
}

static gboolean
is_place_there (void)
{
  return g_file_test (where, G_FILE_TEST_IS_DIR);
}

static void
make_and_die (gpointer data)
{
  begin_named ();
}

static void
begin_sweep (void)
{
  proof_and_kill (make_and_die, NULL);
}

static void
make_tree_and_die (gpointer data)
{
  begin_tree ();
}

static void
begin_sweep_of_tree (void)
{
  proof_and_kill (make_tree_and_die, NULL);
}

static void
hand_over_and_die (gpointer data)
{
  begin_named ();
  tf_named_file_hand_over (TF_NAMED_FILE (file), 0);
  g_clear_object (&file);
}

static void
begin_handed_over (void)
{
  proof_and_kill (hand_over_and_die, NULL);
}

static void
hand_over_tree_and_die (gpointer data)
{
  begin_tree ();
  tf_temp_dir_hand_over (dir, 0);
}

static void
begin_handed_over_tree (void)
{
  proof_and_kill (hand_over_tree_and_die, NULL);
}

static gboolean
sweep (GError **error)
{
  return tf_sweep (NULL, NULL, 0, NULL, NULL, error);
}

/* What cannot be looked at is left to the next sweep, and is no error. */
static gboolean
is_all_swept (void)
{
  return faults_get_failed () != NULL || !programs_have_name ();
}

/* --- Texts ---------------------------------------------------------------------------------- */

#define WORDS "first line\nsecond \303\244 line\n"

static void
begin_text_in (gint64      max_size,
               const char *encoding)
{
  file = TF_TEMP_FILE (tf_spooled_file_new (max_size));
  text = tf_text_stream_new (file, encoding, TF_NEWLINE_UNIVERSAL, TF_TEXT_ERRORS_STRICT, NULL);
}

static void
begin_text (void)
{
  begin_text_in (0, "UTF-16");
}

static void
begin_words (void)
{
  begin_text ();
  tf_text_stream_write (text, WORDS, -1, NULL, NULL);
  tf_text_stream_flush (text, NULL, NULL);
  tf_text_stream_seek (text, 0, G_SEEK_SET, NULL, NULL);
}

static gboolean
write_words (GError **error)
{
  return tf_text_stream_write (text, WORDS, -1, NULL, error);
}

static gboolean
write_words_async (GError **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  tf_text_stream_write_async (text, WORDS, -1, 0, NULL, tf_test_take_result, &result);
  return tf_text_stream_write_finish (text, tf_test_wait (&result), error);
}

static gboolean
has_words (void)
{
  g_autofree char *all = NULL;

  if (!tf_text_stream_seek (text, 0, G_SEEK_SET, NULL, NULL))
    return FALSE;

  all = tf_text_stream_read_all (text, NULL, NULL);
  return g_strcmp0 (all, WORDS) == 0;
}

static gboolean
read_words (GError **error)
{
  g_autofree char *all = tf_text_stream_read_all (text, NULL, error);

  return all != NULL && g_str_equal (all, WORDS);
}

static gboolean
read_line (GError **error)
{
  g_autofree char *line = tf_text_stream_read_line (text, NULL, error);

  return line != NULL && g_str_equal (line, "first line\n");
}

/* Behind the first line, in an encoding whose decoder has to know how the text begins. */
static gint64 cookie;

static void
begin_seek (void)
{
  g_autofree char *line = NULL;

  begin_words ();
  line = tf_text_stream_read_line (text, NULL, NULL);
  cookie = tf_text_stream_tell (text, NULL, NULL);
  tf_text_stream_seek (text, 0, G_SEEK_SET, NULL, NULL);
}

static gboolean
seek_words (GError **error)
{
  return tf_text_stream_seek (text, cookie, G_SEEK_SET, NULL, error);
}

static gboolean
has_second_line (void)
{
  g_autofree char *line = tf_text_stream_read_line (text, NULL, NULL);

  return g_strcmp0 (line, "second \303\244 line\n") == 0;
}

static gboolean
truncate_words (GError **error)
{
  return tf_text_stream_truncate (text, 0, NULL, error);
}

static gboolean
has_no_words (void)
{
  return tf_temp_file_get_size (file) == 0;
}

static gboolean
flush_words (GError **error)
{
  return tf_text_stream_flush (text, NULL, error);
}

static void
begin_unflushed_words (void)
{
  begin_text ();
  tf_text_stream_write (text, WORDS, -1, NULL, NULL);
}

static const Deed deeds[] = {
  { "new-unnamed", NULL, make_unnamed, is_file_usable },
  { "new-named", NULL, make_named, is_file_usable },
  { "new-named-async", NULL, make_named_async, is_file_usable },
  { "new-from-bytes", NULL, make_from_bytes, has_bytes },
  { "new-dir", NULL, make_dir, is_dir_there },
  { "new-dir-async", NULL, make_dir_async, is_dir_there },
  { "mkstemp", NULL, mkstemp_once, remove_path },
  { "mkdtemp", NULL, mkdtemp_once, remove_path },
  { "unlink", begin_named, unlink_named, is_path_gone },
  { "unlink-async", begin_named, unlink_named_async, is_path_gone },
  { "keep", begin_named, keep_named, remove_path },
  { "drop", begin_named, drop_file, NULL },
  { "hand-over", begin_named, hand_over_named, is_handed_over },
  { "hold", begin_named, hold_named, is_path_there },
  { "file-inside", begin_dir, make_inside, is_file_usable },
  { "dir-inside", begin_dir, make_dir_inside, NULL },
  { "cleanup", begin_tree, clean_up, is_path_gone },
  { "cleanup-async", begin_tree, clean_up_async, is_path_gone },
  { "cleanup-locked", begin_locked_tree, clean_up, is_path_gone },
  { "cleanup-large", begin_large_tree, clean_up, is_path_gone },
  { "drop-dir", begin_tree, drop_dir, NULL },
  { "remove-tree", begin_kept_tree, remove_tree, is_path_gone },
  { "keep-dir", begin_dir, keep_dir, remove_path },
  { "hand-over-dir", begin_dir, hand_over_dir, is_dir_handed_over },
  { "temp-dir", begin_search, find_temp_dir, is_place_there },
  { "spool-dir", begin_search, find_spool_dir, is_place_there },
  { "shareable-dir", begin_search, find_shareable_dir, is_place_there },
  { "sweep", begin_sweep, sweep, is_all_swept },
  { "sweep-tree", begin_sweep_of_tree, sweep, is_all_swept },
  { "sweep-handed-over", begin_handed_over, sweep, is_all_swept },
  { "sweep-handed-over-tree", begin_handed_over_tree, sweep, is_all_swept },
  { "text-write", begin_text, write_words, has_words },
  { "text-write-async", begin_text, write_words_async, has_words },
  { "text-read-all", begin_words, read_words, NULL },
  { "text-read-line", begin_words, read_line, NULL },
  { "text-seek", begin_seek, seek_words, has_second_line },
  { "text-truncate", begin_words, truncate_words, has_no_words },
  { "text-flush", begin_unflushed_words, flush_words, has_words },
};

static gboolean
complain (char       *message,
          const char *what,
          GError     *error)
{
  g_snprintf (message, FAULT_MESSAGE_SIZE, "%s%s%s", what, error != NULL ? ": " : "", error != NULL ? error->message : "");
  return FALSE;
}

static gboolean
call_again (char *message)
{
  g_autoptr(GError) error = NULL;

  return deed->call (&error) || complain (message, "it fails again", error);
}

static void
drop_all (void)
{
  g_clear_object (&text);
  g_clear_object (&file);
  g_clear_object (&dir);
  g_clear_pointer (&path, g_free);
}

static gboolean
try_deed (gconstpointer  data,
          guint          at,
          FaultMode      mode,
          int            with_errno,
          char          *message)
{
  g_autoptr(GError) error = NULL;
  const char *reason;
  const char *complaint;
  gboolean success;

  deed = data;
  if (deed->begin != NULL)
    deed->begin ();

  faults_begin (at, mode, with_errno);
  success = deed->call (&error);
  faults_end ();

  complaint = faults_take_complaint ();
  if (complaint != NULL)
    return complain (message, complaint, NULL);
  if (success != (error == NULL))
    return complain (message, "a result and an error, or neither", error);
  if (!success && !fault_runs_excuse (error, &reason))
    return complain (message, reason, error);
  if (!success && mode == FAULT_INTERRUPTED)
    return complain (message, "it fails because of a signal", error);
  if (!success && !call_again (message))
    return FALSE;
  if (deed->is_good != NULL && !deed->is_good ())
    return complain (message, "it was not done", NULL);

  drop_all ();
  return TRUE;
}

void
fault_deeds_try (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (deeds); i++)
    fault_runs_try (deeds[i].name, try_deed, &deeds[i], FAULT_RUNS_COLD);
}
