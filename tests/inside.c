/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Files and directories that a TfTempDir creates in itself. */

#include <tempfile-glib.h>

#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test.h"
#include "tree.h"

static TfTempDir *
make_dir (void)
{
  g_autoptr(GError) error = NULL;
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  return dir;
}

static TfNamedFile *
create_file (TfTempDir *dir)
{
  g_autoptr(GError) error = NULL;
  TfNamedFile *file = tf_temp_dir_create_file (dir, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  return file;
}

static TfTempDir *
create_dir (TfTempDir *dir)
{
  g_autoptr(GError) error = NULL;
  TfTempDir *created = tf_temp_dir_create_dir (dir, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  return created;
}

static void
assert_fails (TfTempDir    *dir,
              const char   *prefix,
              GCancellable *cancellable,
              int           code)
{
  g_autoptr(GError) file_error = NULL;
  g_autoptr(GError) dir_error = NULL;

  g_assert_null (tf_temp_dir_create_file (dir, prefix, NULL, cancellable, &file_error));
  g_assert_error (file_error, G_IO_ERROR, code);
  g_assert_null (tf_temp_dir_create_dir (dir, prefix, NULL, cancellable, &dir_error));
  g_assert_error (dir_error, G_IO_ERROR, code);
}

static void
close_file (TfNamedFile *file)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
}

static void
clean_up (TfTempDir *dir)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);
}

static guint
get_mode (const char *path)
{
  struct stat st;

  g_assert_cmpint (lstat (path, &st), ==, 0);
  return st.st_mode & 07777;
}

static void
assert_is_in (const char *path,
              TfTempDir  *dir)
{
  g_autofree char *parent = g_path_get_dirname (path);

  g_assert_cmpstr (parent, ==, tf_temp_dir_get_path (dir));
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_not_initialized (void)
{
  g_autoptr(TfTempDir) dir = g_object_new (TF_TYPE_TEMP_DIR, NULL);

  assert_fails (dir, NULL, NULL, G_IO_ERROR_NOT_INITIALIZED);
}

static void
test_bad_name (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autofree char *long_prefix = g_strnfill (300, 'x');

  assert_fails (dir, "a/b", NULL, G_IO_ERROR_INVALID_FILENAME);
  assert_fails (dir, long_prefix, NULL, G_IO_ERROR_FILENAME_TOO_LONG);
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (dir)), ==, 0);
}

static void
test_cancelled (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();

  g_cancellable_cancel (cancellable);
  assert_fails (dir, NULL, cancellable, G_IO_ERROR_CANCELLED);
}

static void
test_cleaned_up (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();

  clean_up (dir);
  assert_fails (dir, NULL, NULL, G_IO_ERROR_NOT_FOUND);
  g_clear_object (&dir);

  dir = make_dir ();
  g_object_unref (create_file (dir));
  clean_up (dir);
  assert_fails (dir, NULL, NULL, G_IO_ERROR_NOT_FOUND);
}

static void
test_removed_by_others (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(TfTempDir) created = create_dir (dir);

  g_assert_cmpint (g_rmdir (tf_temp_dir_get_path (created)), ==, 0);
  assert_fails (created, NULL, NULL, G_IO_ERROR_NOT_FOUND);
}

static void
test_while_cleaning (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  tf_temp_dir_cleanup_async (dir, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  assert_fails (dir, NULL, NULL, G_IO_ERROR_PENDING);
  g_assert_true (tf_temp_dir_cleanup_finish (dir, tf_test_wait (&result), &error));
  g_assert_no_error (error);
}

static void
create_without_fds (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(GError) error = NULL;

  tf_test_take_fds ();
  g_assert_null (tf_temp_dir_create_file (dir, NULL, NULL, NULL, &error));
  tf_test_give_all_fds ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (dir)), ==, 0);
}

static void
test_no_fds (void)
{
  tf_test_in_child (create_without_fds);
}

static gboolean
refuse (const char *event,
        const char *path,
        gpointer    data)
{
  g_autofree char *parent = g_path_get_dirname (path);

  g_assert_cmpstr (parent, ==, data);
  return FALSE;
}

static void
test_audit (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();

  tf_set_audit_func (refuse, (gpointer) tf_temp_dir_get_path (dir), NULL);
  assert_fails (dir, NULL, NULL, G_IO_ERROR_PERMISSION_DENIED);
  tf_set_audit_func (NULL, NULL, NULL);
}

static void
test_new (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(GError) error = NULL;
  g_autoptr(TfNamedFile) file = tf_temp_dir_create_file (dir, "pre-", ".txt", NULL, &error);
  g_autoptr(TfTempDir) created = tf_temp_dir_create_dir (dir, "sub-", ".d", NULL, &error);
  g_autoptr(TfNamedFile) deeper = create_file (created);
  g_autofree char *name = g_path_get_basename (tf_named_file_get_path (file));
  const char *path = tf_temp_dir_get_path (created);

  g_assert_no_error (error);
  assert_is_in (tf_named_file_get_path (file), dir);
  assert_is_in (path, dir);
  assert_is_in (tf_named_file_get_path (deeper), created);
  g_assert_true (g_str_has_prefix (name, "pre-"));
  g_assert_true (g_str_has_suffix (name, ".txt"));
  g_assert_true (g_str_has_suffix (path, ".d"));
  g_assert_cmphex (get_mode (tf_named_file_get_path (file)), ==, 0600);
  g_assert_cmphex (get_mode (path), ==, 0700);
  g_assert_cmpint (tf_named_file_get_delete_policy (file), ==, TF_DELETE_NEVER);
  g_assert_false (tf_temp_dir_get_auto_cleanup (created));

  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "Hello", 5, NULL, &error));
  close_file (file);
  assert_is_in (tf_named_file_get_path (file), dir);
  g_assert_finalize_object (g_steal_pointer (&created));
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (dir)), ==, 2);

  clean_up (dir);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

/* Those that are still alive when the directory is removed. */
static void
test_alive (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(TfTempDir) created = create_dir (dir);
  g_autoptr(TfTempDir) automatic = create_dir (dir);
  g_autoptr(TfNamedFile) file = create_file (created);
  g_autoptr(TfNamedFile) on_close = create_file (dir);
  g_autoptr(GError) error = NULL;

  tf_temp_dir_set_auto_cleanup (automatic, TRUE);
  tf_named_file_set_delete_policy (on_close, TF_DELETE_ON_CLOSE);
  clean_up (dir);
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "Hello", 5, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (tf_named_file_unlink (file, NULL, &error));
  g_assert_no_error (error);
  close_file (file);
  close_file (on_close);
  clean_up (created);
  g_assert_finalize_object (g_steal_pointer (&automatic));
}

/* With another policy, it is a file as any other. */
static void
test_own_policy (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(TfTempDir) created = create_dir (dir);
  g_autoptr(TfNamedFile) file = create_file (dir);

  tf_named_file_set_delete_policy (file, TF_DELETE_ON_CLOSE);
  tf_temp_dir_set_auto_cleanup (created, TRUE);
  close_file (file);
  g_assert_finalize_object (g_steal_pointer (&created));
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (dir)), ==, 0);
}

static void
test_kept (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autofree char *path = tf_temp_dir_keep (dir);
  g_autoptr(GFile) tree = tf_temp_dir_get_file (dir);
  g_autoptr(TfNamedFile) file = create_file (dir);
  g_autoptr(TfTempDir) created = create_dir (dir);

  close_file (file);
  g_assert_finalize_object (g_steal_pointer (&created));
  g_assert_finalize_object (g_steal_pointer (&dir));
  g_assert_cmpuint (tf_test_count_entries (path), ==, 2);
  g_assert_true (tf_remove_tree (tree, NULL, NULL));
}

static void
test_persisted (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(TfNamedFile) file = create_file (dir);
  g_autoptr(GFile) destination = g_file_new_for_path ("lasting");
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), destination, TF_PERSIST_NONE,
                                       NULL, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (dir)), ==, 0);
  clean_up (dir);
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_cmpint (unlink ("lasting"), ==, 0);
}

/* What takes the place of the directory gets nothing. */
static void
test_exchanged (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(TfTempDir) used = make_dir ();
  g_autoptr(TfTempDir) other = make_dir ();
  const char *path = tf_temp_dir_get_path (dir);
  const char *used_path = tf_temp_dir_get_path (used);

  if (tf_test_skip_if_portable ("directories that are opened without being read"))
    return;

  g_object_unref (create_file (used));
  g_assert_cmpint (rename (path, "moved"), ==, 0);
  g_assert_cmpint (rename (used_path, "used"), ==, 0);
  tree_make_link (tf_temp_dir_get_path (other), path);
  tree_make_link (tf_temp_dir_get_path (other), used_path);
  assert_fails (dir, NULL, NULL, G_IO_ERROR_NOT_FOUND);
  g_object_unref (create_file (used));
  g_object_unref (create_dir (used));
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (other)), ==, 0);
  g_assert_cmpuint (tf_test_count_entries ("used"), ==, 3);

  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (unlink (used_path), ==, 0);
  g_assert_cmpint (rename ("moved", path), ==, 0);
  g_assert_cmpint (rename ("used", used_path), ==, 0);
}

static TfTempDir *shared;

static void
create_in_child (void)
{
  g_autoptr(TfNamedFile) file = create_file (shared);
  G_GNUC_UNUSED g_autoptr(TfTempDir) dir = create_dir (shared);

  close_file (file);
}

/* A forked child may create something, too. Its parent removes it with the directory. */
static void
test_fork (void)
{
  shared = make_dir ();
  g_object_unref (create_file (shared));
  tf_test_in_child (create_in_child);
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (shared)), ==, 3);
  clean_up (shared);
  g_clear_object (&shared);
}

static void
leave_in_kept (void)
{
  TfTempDir *dir = make_dir ();

  g_free (tf_temp_dir_keep (dir));
  create_file (dir);
  create_dir (dir);
}

/* Nothing is written down that a sweep could take from a directory that is kept. */
static void
test_no_record (void)
{
  g_autoptr(GDir) names = NULL;
  g_autoptr(GFile) tree = NULL;
  const char *name;
  guint n_removed = G_MAXUINT;
  int status;
  pid_t pid;

  if (tf_test_skip_if_portable ("journals"))
    return;

  fflush (NULL);
  pid = fork ();
  if (pid == 0)
    {
      leave_in_kept ();
      raise (SIGKILL);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (tf_sweep (NULL, NULL, 0, &n_removed, NULL, NULL));
  g_assert_cmpuint (n_removed, ==, 0);

  names = g_dir_open (".", 0, NULL);
  name = g_dir_read_name (names);
  g_assert_cmpuint (tf_test_count_entries (name), ==, 2);
  tree = g_file_new_for_path (name);
  g_assert_true (tf_remove_tree (tree, NULL, NULL));
}

static void
make_many (void)
{
  g_autoptr(GPtrArray) dirs = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 200; i++)
    {
      TfTempDir *dir = make_dir ();

      g_ptr_array_add (dirs, dir);
      g_object_unref (create_file (dir));
    }
  g_assert_cmpuint (tf_test_count_fds (), <, 120);
  for (guint i = 0; i < dirs->len; i++)
    g_object_unref (create_file (dirs->pdata[i]));
}

/* No descriptor is kept for each of them. */
static void
test_many (void)
{
  tf_test_in_child (make_many);
}

/* --- Gone with the directory --- */

/* Takes the room of all directories that are kept open. */
static GPtrArray *
crowd_out (void)
{
  GPtrArray *others = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 20; i++)
    {
      TfTempDir *dir = make_dir ();

      g_object_unref (create_file (dir));
      g_ptr_array_add (others, dir);
    }
  return others;
}

static TfNamedFile *
make_file_at (TfTempDir *dir)
{
  g_autoptr(GError) error = NULL;
  TfNamedFile *file = tf_named_file_new (NULL, NULL, tf_temp_dir_get_path (dir), NULL, &error);

  g_assert_no_error (error);
  return file;
}

static void
assert_unlinked (TfNamedFile *file)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_named_file_unlink (file, NULL, &error));
  g_assert_no_error (error);
}

static void
persist (TfNamedFile *file)
{
  g_autoptr(GFile) destination = g_file_new_for_path ("lasting");
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), destination, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (unlink ("lasting"), ==, 0);
}

static void
use_and_drop (TfTempDir *outer)
{
  g_autoptr(TfTempDir) dir = create_dir (outer);
  g_autoptr(TfTempDir) other = create_dir (outer);

  g_object_unref (create_file (dir));
  g_object_unref (create_file (other));
}

/* There is nothing to remove any more. */
static void
clean_up_crowded (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(TfNamedFile) file = create_file (dir);
  g_autoptr(TfNamedFile) unlinked = create_file (dir);
  g_autoptr(TfNamedFile) persisted = create_file (dir);
  g_autoptr(TfTempDir) other_dir = make_dir ();
  g_autoptr(TfNamedFile) at_path = make_file_at (other_dir);
  g_autoptr(TfTempDir) created = create_dir (dir);
  g_autoptr(TfNamedFile) inner = create_file (created);
  g_autoptr(TfTempDir) other = create_dir (created);
  g_autoptr(TfNamedFile) innermost = create_file (other);
  g_autoptr(TfTempDir) unused = create_dir (dir);
  g_autoptr(TfNamedFile) below = make_file_at (unused);
  g_autofree char *deep = g_build_filename (tf_temp_dir_get_path (dir), "of", "the", "user", NULL);
  g_autoptr(TfNamedFile) deepest = NULL;
  g_autoptr(GPtrArray) others = NULL;

  g_assert_cmpint (g_mkdir_with_parents (deep, 0700), ==, 0);
  deepest = tf_named_file_new (NULL, NULL, deep, NULL, NULL);
  others = crowd_out ();
  use_and_drop (dir);
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_CLOSE);
  tf_named_file_set_delete_policy (inner, TF_DELETE_ON_CLOSE);
  tf_named_file_set_delete_policy (innermost, TF_DELETE_ON_CLOSE);
  tf_temp_dir_set_auto_cleanup (other, TRUE);
  clean_up (dir);
  clean_up (other_dir);

  close_file (file);
  assert_unlinked (unlinked);
  persist (persisted);
  close_file (at_path);
  close_file (below);
  close_file (deepest);
  close_file (inner);
  clean_up (created);
  g_assert_finalize_object (g_steal_pointer (&other));
  close_file (innermost);
}

static guint
sweep_and_count_journals (void)
{
  g_autofree char *journals = g_build_filename (g_getenv ("XDG_RUNTIME_DIR"), "tempfile-glib", NULL);

  g_assert_true (tf_sweep (NULL, NULL, 0, NULL, NULL, NULL));
  return tf_test_count_entries (journals);
}

/* A journal that names any of it would stay. */
static void
test_gone_from_journal (void)
{
  guint n_journals;

  if (tf_test_skip_if_portable ("journals"))
    return;

  g_object_unref (make_dir ());
  n_journals = sweep_and_count_journals ();
  tf_test_in_child (clean_up_crowded);
  g_assert_cmpuint (sweep_and_count_journals (), ==, n_journals);
}

/* What was moved out of the directory is not gone, but cannot be found. */
static void
test_moved_out (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(TfTempDir) created = create_dir (dir);
  g_autoptr(TfNamedFile) file = create_file (created);
  g_autoptr(GPtrArray) others = crowd_out ();
  g_autoptr(GFile) tree = g_file_new_for_path ("moved");
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (rename (tf_temp_dir_get_path (created), "moved"), ==, 0);
  clean_up (dir);
  g_assert_false (tf_named_file_unlink (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_true (tf_remove_tree (tree, NULL, NULL));
}

/* What could not be removed is not gone either. */
static void
test_not_removed (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(TfNamedFile) file = create_file (dir);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();

  g_cancellable_cancel (cancellable);
  g_assert_false (tf_temp_dir_cleanup (dir, cancellable, NULL));
  assert_unlinked (file);
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (dir)), ==, 0);
}

/* While it was away, another directory was at its path. */
static void
test_moved_back (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(TfNamedFile) file = create_file (dir);
  g_autoptr(TfNamedFile) other = NULL;
  g_autoptr(GPtrArray) others = NULL;
  const char *path = tf_temp_dir_get_path (dir);

  g_assert_cmpint (rename (path, "moved"), ==, 0);
  tree_make_dir (path);
  other = make_file_at (dir);
  g_assert_cmpint (rename (path, "other"), ==, 0);
  g_assert_cmpint (rename ("moved", path), ==, 0);
  others = crowd_out ();
  clean_up (dir);
  assert_unlinked (file);

  g_assert_cmpint (rename ("other", path), ==, 0);
  assert_unlinked (other);
  g_assert_cmpint (rmdir (path), ==, 0);
}

/* Another directory at the path is another one; what was moved there stays. */
static void
test_path_taken (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(TfNamedFile) file = create_file (dir);
  g_autoptr(TfNamedFile) moved = create_file (dir);
  g_autoptr(GPtrArray) others = crowd_out ();
  const char *path = tf_temp_dir_get_path (dir);
  g_autofree char *moved_path = g_strdup (tf_named_file_get_path (moved));
  g_autoptr(TfNamedFile) new_file = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (rename (moved_path, "moved"), ==, 0);
  clean_up (dir);
  tree_make_dir (path);
  tree_make_file (tf_named_file_get_path (file));
  g_assert_cmpint (rename ("moved", moved_path), ==, 0);
  assert_unlinked (file);
  g_assert_false (tf_named_file_unlink (moved, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpuint (tf_test_count_entries (path), ==, 2);

  new_file = make_file_at (dir);
  assert_unlinked (new_file);
  g_assert_cmpint (unlink (tf_named_file_get_path (file)), ==, 0);
  g_assert_cmpint (unlink (moved_path), ==, 0);
  g_assert_cmpint (rmdir (path), ==, 0);
}

/* --- Asynchronous --- */

static void
test_async (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(TfNamedFile) file = NULL;
  g_autoptr(TfTempDir) created = NULL;
  g_autoptr(GAsyncResult) file_result = NULL;
  g_autoptr(GAsyncResult) dir_result = NULL;
  g_autoptr(GError) error = NULL;

  tf_temp_dir_create_file_async (dir, "p", ".s", G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &file_result);
  tf_temp_dir_create_dir_async (dir, "p", ".s", G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &dir_result);
  file = tf_temp_dir_create_file_finish (dir, tf_test_wait (&file_result), &error);
  g_assert_no_error (error);
  created = tf_temp_dir_create_dir_finish (dir, tf_test_wait (&dir_result), &error);
  g_assert_no_error (error);
  assert_is_in (tf_named_file_get_path (file), dir);
  assert_is_in (tf_temp_dir_get_path (created), dir);
  g_assert_true (g_str_has_suffix (tf_named_file_get_path (file), ".s"));
}

typedef enum
{
  BEFORE_START,
  AFTER_COMPLETION,
  NEVER_FINISHED,
} Moment;

/* If it is cancelled, or never picked up, nothing is left. */
static void
test_undone (gconstpointer data)
{
  const Moment moment = GPOINTER_TO_INT (data);
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) file_result = NULL;
  g_autoptr(GAsyncResult) dir_result = NULL;
  g_autoptr(GError) file_error = NULL;
  g_autoptr(GError) dir_error = NULL;

  if (moment == BEFORE_START)
    g_cancellable_cancel (cancellable);
  tf_temp_dir_create_file_async (dir, NULL, NULL, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, &file_result);
  tf_temp_dir_create_dir_async (dir, NULL, NULL, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, &dir_result);
  tf_test_wait (&file_result);
  tf_test_wait (&dir_result);
  g_cancellable_cancel (cancellable);

  if (moment != NEVER_FINISHED)
    {
      g_assert_null (tf_temp_dir_create_file_finish (dir, file_result, &file_error));
      g_assert_error (file_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_null (tf_temp_dir_create_dir_finish (dir, dir_result, &dir_error));
      g_assert_error (dir_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  g_clear_object (&file_result);
  g_clear_object (&dir_result);
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (dir)), ==, 0);
}

static void
test_async_fails (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(GAsyncResult) file_result = NULL;
  g_autoptr(GAsyncResult) dir_result = NULL;
  g_autoptr(GError) file_error = NULL;
  g_autoptr(GError) dir_error = NULL;

  clean_up (dir);
  tf_temp_dir_create_file_async (dir, NULL, NULL, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &file_result);
  tf_temp_dir_create_dir_async (dir, NULL, NULL, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &dir_result);
  g_assert_null (tf_temp_dir_create_file_finish (dir, tf_test_wait (&file_result), &file_error));
  g_assert_error (file_error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_null (tf_temp_dir_create_dir_finish (dir, tf_test_wait (&dir_result), &dir_error));
  g_assert_error (dir_error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

/* They can put something else there then. */
static void
test_opened_to_others (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(TfNamedFile) file = tf_temp_dir_create_file (dir, NULL, NULL, NULL, NULL);
  g_autoptr(TfTempDir) child = tf_temp_dir_create_dir (dir, NULL, NULL, NULL, NULL);
  g_autofree char *file_path = g_strdup (tf_named_file_get_path (file));
  g_autofree char *child_path = g_strdup (tf_temp_dir_get_path (child));
  g_autofree char *moved = g_build_filename (tf_temp_dir_get_path (dir), "moved", NULL);
  g_autofree char *precious = g_build_filename (child_path, "precious", NULL);
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (chmod (tf_temp_dir_get_path (dir), 0777), ==, 0);
  g_assert_cmpint (rename (child_path, moved), ==, 0);
  tree_make_dir (child_path);
  tree_make_file (precious);
  g_assert_cmpint (unlink (file_path), ==, 0);
  tree_make_file (file_path);

  g_assert_false (tf_temp_dir_cleanup (child, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_false (tf_named_file_unlink (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_true (g_file_test (precious, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (file_path, G_FILE_TEST_EXISTS));
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  g_test_add_func ("/inside/not-initialized", test_not_initialized);
  g_test_add_func ("/inside/bad-name", test_bad_name);
  g_test_add_func ("/inside/cancelled", test_cancelled);
  g_test_add_func ("/inside/cleaned-up", test_cleaned_up);
  g_test_add_func ("/inside/removed-by-others", test_removed_by_others);
  g_test_add_func ("/inside/while-cleaning", test_while_cleaning);
  g_test_add_func ("/inside/no-fds", test_no_fds);
  g_test_add_func ("/inside/audit", test_audit);
  g_test_add_func ("/inside/new", test_new);
  g_test_add_func ("/inside/alive", test_alive);
  g_test_add_func ("/inside/own-policy", test_own_policy);
  g_test_add_func ("/inside/kept", test_kept);
  g_test_add_func ("/inside/persisted", test_persisted);
  g_test_add_func ("/inside/exchanged", test_exchanged);
  g_test_add_func ("/inside/opened-to-others", test_opened_to_others);
  g_test_add_func ("/inside/fork", test_fork);
  g_test_add_func ("/inside/no-record", test_no_record);
  g_test_add_func ("/inside/many", test_many);
  g_test_add_func ("/inside/gone", clean_up_crowded);
  g_test_add_func ("/inside/gone-from-journal", test_gone_from_journal);
  g_test_add_func ("/inside/moved-out", test_moved_out);
  g_test_add_func ("/inside/not-removed", test_not_removed);
  g_test_add_func ("/inside/moved-back", test_moved_back);
  g_test_add_func ("/inside/path-taken", test_path_taken);
  tf_test_add_async ("/inside/async", test_async);
  g_test_add_data_func ("/inside/undone/before-start", GINT_TO_POINTER (BEFORE_START), test_undone);
  g_test_add_data_func ("/inside/undone/after-completion", GINT_TO_POINTER (AFTER_COMPLETION), test_undone);
  g_test_add_data_func ("/inside/undone/never-finished", GINT_TO_POINTER (NEVER_FINISHED), test_undone);
  tf_test_add_async ("/inside/async-fails", test_async_fails);

  return tf_test_run ();
}
