/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What another program does to a name in the middle of its removal. The linker puts functions in place of renameat(),
 * renameat2() and unlinkat(), see meson.build. */

#include "names/tf-entry.h"
#include "names/tf-aside.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tempfile-glib.h"
#include "tf-test-async.h"
#include "tf-test-files.h"
#include "tf-test.h"
#include "tree.h"

/* Called once, before the next call of each. (nullable) */
static void (*before_rename) (void); /* (atomic) */
static void (*before_next_rename) (void);
static void (*before_unlink) (void);
static gboolean has_renameat2 = TRUE;
static gboolean is_name_taken; /* the next one is */
static int rename_errno;       /* of each call, or 0 */
static gboolean has_links = TRUE;
static gboolean is_append_only; /* nothing can be renamed or removed, but linked */

/* What is to be removed, and what another process has open in it. */
static char *path;
static int open_fd = -1;

int __real_renameat (int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat (int from_fd, const char *from, int to_fd, const char *to);
int __real_renameat2 (int from_fd, const char *from, int to_fd, const char *to, unsigned int flags);
int __wrap_renameat2 (int from_fd, const char *from, int to_fd, const char *to, unsigned int flags);
int __real_unlinkat (int dir_fd, const char *name, int flags);
int __wrap_unlinkat (int dir_fd, const char *name, int flags);

static int
refuse (int number)
{
  errno = number;
  return -1;
}

int
__wrap_renameat (int         from_fd,
                 const char *from,
                 int         to_fd,
                 const char *to)
{
  return is_append_only ? refuse (EPERM) : __real_renameat (from_fd, from, to_fd, to);
}

int
__wrap_renameat2 (int           from_fd,
                  const char   *from,
                  int           to_fd,
                  const char   *to,
                  unsigned int  flags)
{
  void (*func) (void) = g_atomic_pointer_get (&before_rename);

  if (func != NULL)
    func ();
  g_atomic_pointer_set (&before_rename, g_steal_pointer (&before_next_rename));
  if (is_name_taken)
    g_assert_cmpint (mkdirat (to_fd, to, 0700), ==, 0);
  is_name_taken = FALSE;
  if (rename_errno != 0 || is_append_only)
    return refuse (is_append_only ? EPERM : rename_errno);

  return has_renameat2 ? __real_renameat2 (from_fd, from, to_fd, to, flags) : refuse (ENOSYS);
}

int
__wrap_unlinkat (int         dir_fd,
                 const char *name,
                 int         flags)
{
  void (*func) (void) = g_steal_pointer (&before_unlink);

  if (func != NULL)
    func ();
  return is_append_only ? refuse (EPERM) : __real_unlinkat (dir_fd, name, flags);
}

int __real_linkat (int from_fd, const char *from, int to_fd, const char *to, int flags);
int __wrap_linkat (int from_fd, const char *from, int to_fd, const char *to, int flags);

int
__wrap_linkat (int         from_fd,
               const char *from,
               int         to_fd,
               const char *to,
               int         flags)
{
  return has_links ? __real_linkat (from_fd, from, to_fd, to, flags) : refuse (EPERM);
}

/* --- What others do --- */

/* As an editor does. */
static void
save (const char *text)
{
  g_assert_true (g_file_set_contents ("saving", text, -1, NULL));
  g_assert_cmpint (rename ("saving", path), ==, 0);
}

static void
save_once (void)
{
  save ("saved");
}

static void
save_again (void)
{
  save ("newer");
}

static void
save_dir (void)
{
  g_autofree char *moved = g_strconcat (path, ".old", NULL);

  g_assert_cmpint (rename (path, moved), ==, 0);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
}

static void
open_document (void)
{
  g_autofree char *document = g_build_filename (path, "document", NULL);

  open_fd = open (document, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (open_fd, >=, 0);
}

static void
make_dir_there (void)
{
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
}

static void
die (void)
{
  raise (SIGKILL);
}

/* --- What is removed --- */

static guint
count (void)
{
  return tf_test_count_entries (".");
}

static void
assert_saved (const char *text)
{
  g_autofree char *content = NULL;

  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, text);
  g_assert_cmpint (unlink (path), ==, 0);
}

static TfNamedFile *
make_file (void)
{
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  return file;
}

static TfTempDir *
make_dir (void)
{
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);

  tree_make_wide (tf_temp_dir_get_path (dir), 1, 1);
  return dir;
}

static void
leave_file (void)
{
  make_file ();
}

static void
leave_dir (void)
{
  make_dir ();
}

static void
leave_dir_handed_over (void)
{
  tf_temp_dir_hand_over (make_dir (), 0);
}

/* Leaves something in a process that is killed, and finds its path. */
static void
leave (void (*func) (void))
{
  g_autoptr(GDir) names = NULL;

  tf_test_run_and_kill (func);
  names = g_dir_open (".", 0, NULL);
  g_free (path);
  path = tf_test_path (g_dir_read_name (names));
  g_assert_null (g_dir_read_name (names));
}

static void
settle_file (TfNamedFile *file)
{
  while (tf_named_file_is_handed_over (file))
    g_main_context_iteration (NULL, TRUE);
}

static void
hand_over_file (TfNamedFile *file)
{
  g_free (path);
  path = g_strdup (tf_named_file_get_path (file));
  tf_named_file_hand_over (file, 0);
}

/* --- The tests --- */

static gboolean
skip (void)
{
  return tf_test_skip_without_leases ();
}

static void
test_saved_before_move (gconstpointer in_steps)
{
  g_autoptr(TfNamedFile) file = NULL;

  if (skip ())
    return;

  has_renameat2 = in_steps == NULL;
  has_links = g_strcmp0 (in_steps, "without links") != 0;
  file = make_file ();
  before_rename = save_once;
  hand_over_file (file);
  settle_file (file);
  g_assert_null (before_rename);
  assert_saved ("saved");
  g_assert_cmpuint (count (), ==, 0);
  has_renameat2 = has_links = TRUE;
}

static void
test_saved_before_unlink (gconstpointer in_steps)
{
  g_autoptr(TfNamedFile) file = NULL;

  if (skip ())
    return;

  has_renameat2 = in_steps == NULL;
  file = make_file ();
  before_unlink = save_once;
  hand_over_file (file);
  settle_file (file);
  g_assert_null (before_unlink);
  assert_saved ("saved");
  g_assert_cmpuint (count (), ==, 0);
  has_renameat2 = TRUE;
}

/* Neither of the two is removed. */
static void
saved_twice (void)
{
  g_autoptr(TfNamedFile) file = make_file ();

  before_rename = save_once;
  before_next_rename = save_again;
  g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Giving a name back: What another program had put there is now *");
  hand_over_file (file);
  settle_file (file);
  g_test_assert_expected_messages ();
  assert_saved ("newer");
}

static void
test_saved_twice (void)
{
  g_autoptr(GDir) names = NULL;

  if (skip ())
    return;

  saved_twice ();
  names = g_dir_open (".", 0, NULL);
  g_free (path);
  path = g_strdup (g_dir_read_name (names));
  assert_saved ("saved");
}

static void
test_swept (gconstpointer in_steps)
{
  if (skip ())
    return;

  has_renameat2 = in_steps == NULL;
  leave (leave_file);
  before_unlink = save_once;
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  assert_saved ("saved");

  leave (leave_file);
  before_rename = save_once;
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  assert_saved ("saved");
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  g_assert_cmpuint (count (), ==, 0);
  has_renameat2 = TRUE;
}

/* A directory cannot be linked. */
static void
test_swept_in_steps (gconstpointer data)
{
  void (*func) (void) = data;

  if (skip ())
    return;

  leave (func);
  has_renameat2 = FALSE;
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  has_renameat2 = TRUE;
  g_assert_cmpuint (count (), ==, 0);
}

/* The name that it is to have meanwhile exists already, and another one is found. */
static void
sweep_with_taken_name (void (*func) (void))
{
  g_autoptr(GDir) names = NULL;

  leave (func);
  is_name_taken = TRUE;
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  g_assert_false (is_name_taken);
  g_assert_cmpuint (count (), ==, 1);
  names = g_dir_open (".", 0, NULL);
  g_assert_cmpint (rmdir (g_dir_read_name (names)), ==, 0);
}

static void
test_name_taken (gconstpointer data)
{
  void (*func) (void) = data;

  if (skip ())
    return;

  sweep_with_taken_name (func);
  has_renameat2 = FALSE;
  sweep_with_taken_name (func);
  has_renameat2 = TRUE;
}

static void
remove_it (void)
{
  g_assert_cmpint (g_unlink (path), ==, 0);
}

/* Somebody else was faster. */
static void
test_swept_when_gone (void)
{
  if (skip ())
    return;

  leave (leave_file);
  before_rename = remove_it;
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  g_assert_cmpuint (count (), ==, 0);
}

static void
assert_sweep_fails (int code)
{
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_sweep (NULL, NULL, 0, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* It stays where it is, for the next sweep. */
static void
test_unmoved (void)
{
  if (skip ())
    return;

  leave (leave_file);
  rename_errno = EROFS;
  assert_sweep_fails (G_IO_ERROR_READ_ONLY);
  rename_errno = ENOENT;
  assert_sweep_fails (G_IO_ERROR_NOT_FOUND);
  rename_errno = 0;
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);

  /* As a mount point cannot be moved, and this is none. */
  leave (leave_dir);
  rename_errno = EBUSY;
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  rename_errno = 0;
  g_assert_cmpuint (count (), ==, 0);
}

/* In a directory with the attribute, or with the sticky bit if the file belongs to another user by now. No other name of
 * the file is left. */
static void
test_append_only (void)
{
  if (skip ())
    return;

  leave (leave_file);
  is_append_only = TRUE;
  assert_sweep_fails (G_IO_ERROR_PERMISSION_DENIED);
  assert_sweep_fails (G_IO_ERROR_PERMISSION_DENIED);
  is_append_only = FALSE;
  g_assert_cmpuint (count (), ==, 1);
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  g_assert_cmpuint (count (), ==, 0);
}

static void
test_swept_dir (void)
{
  g_autofree char *moved = NULL;
  g_autoptr(GFile) tree = NULL;

  if (skip ())
    return;

  leave (leave_dir);
  before_rename = save_dir;
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  g_assert_cmpint (rmdir (path), ==, 0);
  moved = g_strconcat (path, ".old", NULL);
  tree = g_file_new_for_path (moved);
  g_assert_true (tf_remove_tree (tree, NULL, NULL));
}

static void
sweep_and_die (void)
{
  before_unlink = die;
  tf_test_sweep (0);
}

/* A sweep that may not go on where another one was killed leaves that to the next one. */
static void
sweep_in_vain (void)
{
  g_autoptr(GError) error = NULL;
  guint n_removed;

  rename_errno = EROFS;
  g_assert_false (tf_sweep (NULL, NULL, 0, &n_removed, NULL, &error));
  rename_errno = 0;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_READ_ONLY);
  g_assert_cmpuint (n_removed, ==, 0);
}

static pid_t child;

static void
fork_child (void)
{
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  while (child == 0)
    pause ();
}

/* The child has the descriptors of the sweep that was under way. */
static void
test_forked (void)
{
  if (skip ())
    return;

  leave (leave_file);
  before_rename = fork_child;
  sweep_in_vain ();
  g_assert_cmpint (child, >, 0);
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  g_assert_cmpuint (count (), ==, 0);
  g_assert_cmpint (kill (child, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
}

/* What was killed in the middle is completed. */
static void
test_killed (gconstpointer leave_something)
{
  if (skip ())
    return;

  leave ((void (*) (void)) leave_something);
  tf_test_run_and_kill (sweep_and_die);
  g_assert_cmpuint (count (), ==, 1);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  sweep_in_vain ();
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  g_assert_cmpuint (count (), ==, 0);
}

static void
leave_new_dir (void)
{
  TfSystemStat st;
  TfPlace place = { .path = tf_test_get_sandbox () };

  g_assert_true (tf_system_stat (&st, AT_FDCWD, "."));
  place.device = st.device;
  place.inode = st.inode;
  g_assert_nonnull (tf_journal_begin (&place, "new", TF_JOURNAL_DIR));
  g_assert_cmpint (g_mkdir ("new", 0700), ==, 0);
}

/* What may not be ours keeps its name until it is removed. */
static void
test_killed_with_new_dir (void)
{
  if (skip ())
    return;

  leave (leave_new_dir);
  tf_test_run_and_kill (sweep_and_die);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  g_assert_cmpuint (count (), ==, 0);
}

static void
sweep_saved_and_die (void)
{
  before_rename = save_once;
  before_next_rename = die;
  tf_test_sweep (0);
}

static void
test_killed_with_saved (void)
{
  if (skip ())
    return;

  leave (leave_file);
  tf_test_run_and_kill (sweep_saved_and_die);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  sweep_in_vain ();
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  assert_saved ("saved");
  g_assert_cmpuint (count (), ==, 0);
}

static void
close_document (void)
{
  g_assert_cmpint (close (open_fd), ==, 0);
  open_fd = -1;
}

static void
hand_over_dir_and_open (gboolean by_sweep)
{
  g_autoptr(TfTempDir) dir = NULL;

  if (by_sweep)
    {
      leave (leave_dir_handed_over);
      before_rename = open_document;
      g_assert_cmpuint (tf_test_sweep (0), ==, 0);
      return;
    }

  dir = make_dir ();
  g_free (path);
  path = g_strdup (tf_temp_dir_get_path (dir));
  before_rename = open_document;
  tf_temp_dir_hand_over (dir, 0);
  while (g_atomic_pointer_get (&before_rename) != NULL)
    g_main_context_iteration (NULL, TRUE);
}

/* Somebody opens a file after it was looked at. */
static void
test_opened (gconstpointer by_sweep)
{
  g_autofree char *document = NULL;

  if (skip ())
    return;

  hand_over_dir_and_open (by_sweep != NULL);
  document = g_build_filename (path, "document", NULL);
  while (!g_file_test (document, G_FILE_TEST_EXISTS))
    g_main_context_iteration (NULL, TRUE);
  close_document ();
  if (by_sweep != NULL)
    g_assert_cmpuint (tf_test_sweep (0), ==, 1);

  /* It has another name for a moment. */
  while (count () > 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
sweep_opened_and_replaced (void)
{
  before_rename = open_document;
  before_next_rename = make_dir_there;
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
}

/* It cannot get its name back, and so it is removed by the name that it has. */
static void
test_opened_and_replaced (void)
{
  if (skip ())
    return;

  leave (leave_dir_handed_over);
  tf_test_run_and_kill (sweep_opened_and_replaced);
  g_assert_cmpuint (count (), ==, 2);
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  g_assert_cmpint (rmdir (path), ==, 0);
  g_assert_cmpuint (count (), ==, 0);
}

static void
sweep_while_ending (void)
{
  tf_journal_close ();
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
}

/* When a process ends, another thread of it may be sweeping, and is stopped anywhere. */
static void
test_swept_while_ending (gconstpointer data)
{
  void (*func) (void) = data;

  if (tf_test_skip_if_portable ("journals"))
    return;

  leave (func);
  tf_test_in_child (sweep_while_ending);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  g_assert_cmpuint (count (), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);
  tf_entry_second = 0;
  g_test_add_data_func ("/aside/saved-before-move/at-once", NULL, test_saved_before_move);
  g_test_add_data_func ("/aside/saved-before-move/in-steps", "in steps", test_saved_before_move);
  g_test_add_data_func ("/aside/saved-before-move/without-links", "without links", test_saved_before_move);
  g_test_add_data_func ("/aside/saved-before-unlink/at-once", NULL, test_saved_before_unlink);
  g_test_add_data_func ("/aside/saved-before-unlink/in-steps", "in steps", test_saved_before_unlink);
  g_test_add_func ("/aside/saved-twice", test_saved_twice);
  g_test_add_data_func ("/aside/swept/at-once", NULL, test_swept);
  g_test_add_data_func ("/aside/swept/in-steps", "in steps", test_swept);
  g_test_add_data_func ("/aside/swept-while-ending/file", leave_file, test_swept_while_ending);
  g_test_add_data_func ("/aside/swept-while-ending/dir", leave_dir, test_swept_while_ending);
  g_test_add_func ("/aside/swept-dir", test_swept_dir);
  g_test_add_data_func ("/aside/swept-in-steps/file", leave_file, test_swept_in_steps);
  g_test_add_data_func ("/aside/swept-in-steps/dir", leave_dir, test_swept_in_steps);
  g_test_add_data_func ("/aside/name-taken/file", leave_file, test_name_taken);
  g_test_add_data_func ("/aside/name-taken/dir", leave_dir, test_name_taken);
  g_test_add_func ("/aside/swept-when-gone", test_swept_when_gone);
  g_test_add_func ("/aside/unmoved", test_unmoved);
  g_test_add_func ("/aside/append-only", test_append_only);
  g_test_add_func ("/aside/forked", test_forked);
  g_test_add_data_func ("/aside/killed/file", leave_file, test_killed);
  g_test_add_data_func ("/aside/killed/dir", leave_dir, test_killed);
  g_test_add_data_func ("/aside/killed/dir-handed-over", leave_dir_handed_over, test_killed);
  g_test_add_func ("/aside/killed/new-dir", test_killed_with_new_dir);
  g_test_add_func ("/aside/killed-with-saved", test_killed_with_saved);
  g_test_add_data_func ("/aside/opened/hand-over", NULL, test_opened);
  g_test_add_data_func ("/aside/opened/sweep", "sweep", test_opened);
  g_test_add_func ("/aside/opened-and-replaced", test_opened_and_replaced);
  return tf_test_run ();
}
