/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test-disk.h"
#include "tf-test-files.h"
#include "tf-test.h"
#include "tree.h"

static void
leave_both (void)
{
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *file = tf_named_file_new (NULL, ".txt", NULL, NULL, NULL);

  g_assert_nonnull (dir);
  tree_make_wide (tf_temp_dir_get_path (dir), 3, 3);
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "x", 1, NULL, NULL));
}

static void
test_dead (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_run_and_kill (leave_both);
  g_assert_cmpuint (tf_test_sweep (3600), ==, 0);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 2);
  g_assert_cmpuint (tf_test_sweep (0), ==, 2);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
leave_file_in_dir (void)
{
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfTempDir *inner = tf_temp_dir_create_dir (dir, NULL, NULL, NULL, NULL);
  TfNamedFile *file = tf_temp_dir_create_file (inner, NULL, NULL, NULL, NULL);

  tf_named_file_set_delete_policy (file, TF_DELETE_ON_CLOSE);
}

/* Of this process there may be one. Returns -1 if their directory does not exist. */
static int
count_journals (void)
{
  g_autofree char *place = g_build_filename (g_getenv ("XDG_RUNTIME_DIR"), "tempfile-glib", NULL);

  return g_file_test (place, G_FILE_TEST_EXISTS) ? (int) tf_test_count_entries (place) : -1;
}

/* What is recorded in a directory goes with it, and no journal waits for it. None is left of the sweep either. */
static void
test_inside (void)
{
  int n_journals = count_journals ();

  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_run_and_kill (leave_file_in_dir);
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
  g_assert_cmpint (count_journals (), ==, n_journals);
}

static void
leave_file_at (TfTempDir  *dir,
               const char *path)
{
  g_autofree char *where = g_build_filename (tf_temp_dir_get_path (dir), path, NULL);
  TfNamedFile *file = tf_named_file_new (NULL, NULL, where, NULL, NULL);

  tf_named_file_set_delete_policy (file, TF_DELETE_ON_CLOSE);
}

static TfTempDir *
leave_dir_with_link (void)
{
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  g_autofree char *link = tf_temp_dir_build_filename (dir, NULL, "link", NULL);

  if (symlink ("../elsewhere", link) != 0)
    abort ();
  return dir;
}

static void
leave_outside_of_dir (void)
{
  TfTempDir *dir = leave_dir_with_link ();
  g_autofree char *sub = tf_temp_dir_build_filename (dir, NULL, "link", "sub", NULL);
  TfTempDir *inner = tf_temp_dir_new (NULL, NULL, sub, NULL, NULL);

  leave_file_at (inner, "..");
  leave_file_at (dir, "link/sub");
  leave_file_at (dir, "link");
  leave_file_at (dir, "..");
}

/* What only has a path in a directory is removed, too, although nothing has that path once the directory is removed. */
static void
test_outside (void)
{
  if (tf_test_skip_if_portable ("journals") || !tf_test_disk_has_links ())
    return;

  g_assert_cmpint (mkdir ("elsewhere", 0700) + mkdir ("elsewhere/sub", 0700), ==, 0);
  tf_test_run_and_kill (leave_outside_of_dir);
  g_assert_cmpuint (tf_test_sweep (0), ==, 6);
  g_assert_cmpint (rmdir ("elsewhere/sub") + rmdir ("elsewhere"), ==, 0);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
leave_dir_alone (void)
{
  leave_dir_with_link ();
}

/* The first segment of a journal has room for fewer. */
#define N_OF_SEGMENTS 200

static void
leave_many_and_one_outside (void)
{
  TfTempDir *dir = leave_dir_with_link ();

  for (int i = 0; i < N_OF_SEGMENTS; i++)
    leave_file_at (dir, "..");
  leave_file_at (dir, "link");
}

/* Another process has made the directory. */
static void
leave_file_by_link (void)
{
  g_autoptr(GDir) names = g_dir_open (".", 0, NULL);
  const char *name = g_dir_read_name (names);
  g_autofree char *where = NULL;
  TfNamedFile *file;

  if (g_str_equal (name, "elsewhere"))
    name = g_dir_read_name (names);
  where = g_build_filename (tf_test_get_sandbox (), name, "link", NULL);
  file = tf_named_file_new (NULL, NULL, where, NULL, NULL);
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_CLOSE);
}

/* The path is in another segment, or in the journal of another process. */
static void
test_outside_of_others (void)
{
  if (tf_test_skip_if_portable ("journals") || !tf_test_disk_has_links ())
    return;

  for (int i = 0; i < 5; i++)
    {
      g_assert_cmpint (mkdir ("elsewhere", 0700), ==, 0);
      tf_test_run_and_kill (i < 3 ? leave_many_and_one_outside : leave_dir_alone);
      if (i >= 3)
        tf_test_run_and_kill (leave_file_by_link);
      g_assert_cmpuint (tf_test_sweep (0), ==, i < 3 ? N_OF_SEGMENTS + 2 : 2);
      g_assert_cmpint (rmdir ("elsewhere"), ==, 0);
      g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
    }
}

static void
leave_journal (void)
{
  g_assert_finalize_object (tf_named_file_new (NULL, NULL, NULL, NULL, NULL));
}

/* The sweep has nothing to move, and so no journal of its own with which the directory of journals goes. */
static void
test_journal_alone (void)
{
  int n_journals = count_journals ();

  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_run_and_kill (leave_journal);
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  g_assert_cmpint (count_journals (), ==, n_journals);
}

/* Where others can rename, a directory of private files can take the place of that of the journals. */
static void
test_no_journals (void)
{
  g_autofree char *place = g_build_filename (g_getenv ("XDG_RUNTIME_DIR"), "tempfile-glib", NULL);
  g_autofree char *large = g_malloc0 (2 * 1024 * 1024);
  const struct { const char *name; const char *content; gssize size; gboolean stays; int mode; } files[] = {
    { "document", "a few words", 11, TRUE, 01600 },
    { "pictures", large, 5000, TRUE, 01600 },
    { "archive1", large, 2 * 1024 * 1024, TRUE, 01600 },
    { "lockfile", "", 0, TRUE, 0600 },
    { "unbegun1", "", 0, FALSE, 01600 },
    { "unbegun2", large, 4096, FALSE, 01600 },
  };

  if (tf_test_skip_if_portable ("journals"))
    return;

  g_assert_cmpint (g_mkdir_with_parents (place, 0700), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (place, files[i].name, NULL);

      large[0] = files[i].stays ? 'x' : 0;
      g_assert_true (g_file_set_contents_full (path, files[i].content, files[i].size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
      g_assert_cmpint (chmod (path, files[i].mode), ==, 0);
    }

  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (place, files[i].name, NULL);

      g_assert_cmpint (g_file_test (path, G_FILE_TEST_EXISTS), ==, files[i].stays);
      unlink (path);
    }
}

/* The result of another call is refused before it is looked into. */
static void
test_other_result (void)
{
  g_autoptr(GAsyncResult) result = NULL;
  guint n_removed = 7;

  tf_get_temp_dir_async (0, NULL, tf_test_take_result, &result);
  g_test_expect_message ("Tf", G_LOG_LEVEL_CRITICAL, "*tf_sweep_async*");
  g_assert_false (tf_sweep_finish (tf_test_wait (&result), &n_removed, NULL));
  g_test_assert_expected_messages ();
  g_assert_cmpuint (n_removed, ==, 7);
}

static void
sweep_without_stdin (void)
{
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (close (STDIN_FILENO), ==, 0);
  g_assert_true (tf_sweep (NULL, tf_test_get_sandbox (), 0, NULL, NULL, &error));
  g_assert_no_error (error);
}

/* Its number is as good as another one. */
static void
test_without_stdin (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_in_child (sweep_without_stdin);
}

static void
sweep_with_small_files (void)
{
  const struct rlimit none = { 0, RLIM_INFINITY };

  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &none), ==, 0);
  g_assert_cmpuint (tf_test_sweep (0), ==, 2);
}

/* A limit for files kills who goes beyond it. The journal that is read is not written in this way. */
static void
test_small_files (void)
{
  int n_journals = MAX (count_journals (), 0);

  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_run_and_kill (leave_both);
  tf_test_in_child (sweep_with_small_files);
  g_assert_cmpint (count_journals (), <=, n_journals);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

/* As after the clock was set back. */
static void
leave_file_of_the_future (void)
{
  const struct timespec times[] = { { .tv_nsec = UTIME_NOW }, { .tv_sec = time (NULL) + 3600 } };
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  g_assert_cmpint (utimensat (AT_FDCWD, tf_named_file_get_path (file), times, 0), ==, 0);
}

static void
test_future (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_run_and_kill (leave_file_of_the_future);
  g_assert_cmpuint (tf_test_sweep (1), ==, 0);
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
}

static void
leave_closed_file (void)
{
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  g_assert_true (g_file_test (tf_named_file_get_path (file), G_FILE_TEST_EXISTS));
}

static void
leave_kept (void)
{
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfTempDir *undecided_dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  g_free (tf_temp_dir_keep (dir));
  g_free (tf_named_file_keep (file));
  tf_temp_dir_set_auto_cleanup (undecided_dir, FALSE);
  tf_temp_dir_set_auto_cleanup (undecided_dir, TRUE);
}

static void
leave_kept_from_the_start (void)
{
  g_autoptr(TfNamedFile) file = tf_named_file_new_full (NULL, NULL, NULL, 0600, TF_DELETE_NEVER, NULL, NULL);
  g_autoptr(GObject) dir = g_initable_new (TF_TYPE_TEMP_DIR, NULL, NULL, "auto-cleanup", FALSE, NULL);

  g_assert_nonnull (file);
  g_assert_nonnull (dir);
}

static void
leave_kept_without_fds (void)
{
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *never = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  tf_test_take_fds ();
  g_free (tf_temp_dir_keep (dir));
  g_free (tf_named_file_keep (file));
  tf_named_file_set_delete_policy (never, TF_DELETE_NEVER);
}

/* The child says that it could not keep it. */
static void
leave_unkept_by_child (void)
{
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    {
      tf_test_take_fds ();
      g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Keeping what belongs to the parent *: Too many open files");
      g_free (tf_named_file_keep (file));
      g_test_assert_expected_messages ();
      _exit (0);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

/* As with chroot(2), or mounts of its own, the child does not find the journal. */
static void
leave_unkept_by_lost_child (void)
{
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *removed = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  g_autofree char *place = g_build_filename (g_getenv ("XDG_RUNTIME_DIR"), "tempfile-glib", NULL);
  g_autofree char *elsewhere = g_strconcat (place, "-elsewhere", NULL);
  pid_t pid;
  int status;

  g_assert_cmpint (rename (place, elsewhere), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Keeping what belongs to the parent *: No such file *");
      g_free (tf_named_file_keep (file));
      g_test_assert_expected_messages ();
      _exit (0);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpint (rename (elsewhere, place), ==, 0);
  g_assert_nonnull (removed);
}

/* As with daemon(3), the process that has created them ends, and its child keeps them. */
static void
leave_kept_by_child (void)
{
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfTempDir *property = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *never = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *undecided = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    {
      g_free (tf_temp_dir_keep (dir));
      g_free (tf_named_file_keep (file));
      tf_temp_dir_set_auto_cleanup (property, FALSE);
      tf_named_file_set_delete_policy (never, TF_DELETE_NEVER);
      tf_named_file_set_delete_policy (undecided, TF_DELETE_NEVER);
      tf_named_file_set_delete_policy (undecided, TF_DELETE_ON_DISPOSE);
      _exit (0);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

static void
leave_persisted (void)
{
  const TfPersistFlags flags[] = { TF_PERSIST_NONE, TF_PERSIST_REPLACE, TF_PERSIST_REPLACE | TF_PERSIST_DURABLE };

  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
      g_autofree char *name = g_strdup_printf ("lasting-%" G_GSIZE_FORMAT, i);
      g_autoptr(GFile) destination = g_file_new_for_path (name);

      tree_make_file (name);
      if (!(flags[i] & TF_PERSIST_REPLACE))
        g_assert_cmpint (unlink (name), ==, 0);
      g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), destination, flags[i], NULL, NULL, NULL, NULL, NULL));
      tf_named_file_hold_until_exit (file);
    }
}

static void
leave_moved (void)
{
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *moved = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *linked = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  g_assert_cmpint (mkdir ("data", 0700), ==, 0);
  g_assert_cmpint (rename (tf_temp_dir_get_path (dir), "data/dir"), ==, 0);
  g_assert_cmpint (rename (tf_named_file_get_path (moved), "data/moved"), ==, 0);
  if (tf_test_disk_has_hard_links ())
    g_assert_cmpint (link (tf_named_file_get_path (linked), "data/linked"), ==, 0);
}

/* Nothing that @func has left is removed by a sweep or at exit. */
static void
assert_stays (void (*func) (void),
              guint n_swept,
              guint n_left)
{
  tf_test_run_and_kill (func);
  g_assert_cmpuint (tf_test_sweep (0), ==, n_swept);
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, n_left);
}

static void
remove_all (const char *path)
{
  g_autoptr(GDir) names = g_dir_open (path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (names)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      g_assert_cmpint (remove (child), ==, 0);
    }
}

static void
test_let_go (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  assert_stays (leave_kept_from_the_start, 0, 2);
  remove_all (".");
  assert_stays (leave_kept_without_fds, 0, 3);
  remove_all (".");
  assert_stays (leave_persisted, 0, 3);
  remove_all (".");
  assert_stays (leave_kept_by_child, 1, 4);
  remove_all (".");
  assert_stays (leave_unkept_by_child, 1, 0);
  assert_stays (leave_unkept_by_lost_child, 2, 0);
}

static void
test_moved (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  assert_stays (leave_moved, 1, 1);
  g_assert_cmpuint (tf_test_count_entries ("data"), ==, tf_test_disk_has_hard_links () ? 3 : 2);
  remove_all ("data");
  g_assert_cmpint (rmdir ("data"), ==, 0);
}

static void
leave_in_dir (void)
{
  g_assert_cmpint (mkdir ("dir", 0700), ==, 0);
  g_assert_nonnull (tf_named_file_new ("name", NULL, "dir", NULL, NULL));
}

static char *
find_name (const char *dir)
{
  g_autoptr(GDir) names = g_dir_open (dir, 0, NULL);

  return g_build_filename (dir, g_dir_read_name (names), NULL);
}

/* As in a snapshot by hard links, with which another directory then has the path. */
static void
test_linked_elsewhere (void)
{
  g_autofree char *moved = NULL;
  g_autofree char *linked = NULL;

  if (tf_test_skip_if_portable ("journals") || !tf_test_disk_has_hard_links ())
    return;

  tf_test_run_and_kill (leave_in_dir);
  g_assert_cmpint (rename ("dir", "moved"), ==, 0);
  moved = find_name ("moved");
  linked = g_strconcat ("dir", moved + strlen ("moved"), NULL);
  g_assert_cmpint (mkdir ("dir", 0700), ==, 0);
  g_assert_cmpint (link (moved, linked), ==, 0);
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);

  g_assert_cmpint (unlink (linked), ==, 0);
  g_assert_cmpint (rmdir ("dir"), ==, 0);
  g_assert_cmpint (rename ("moved", "dir"), ==, 0);
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  g_assert_cmpint (rmdir ("dir"), ==, 0);
}

static void
leave_and_sweep_within (void)
{
  tf_test_run_and_kill (leave_both);
  g_assert_cmpuint (tf_test_sweep (0), ==, 2);
}

/* /proc numbers processes as the outer namespace does. On overlayfs, whose locks prove nothing, journals would stay. */
static void
enter_pid_namespace (void)
{
  g_autofree char *run = tf_test_make_cheap_dir ();
  gboolean is_inner = unshare (CLONE_NEWPID) == 0;

  g_assert_true (g_setenv ("XDG_RUNTIME_DIR", run, TRUE));
  if (is_inner)
    tf_test_in_child (leave_and_sweep_within);
  g_assert_cmpint (rmdir (run), ==, 0);
  _exit (is_inner ? 0 : 77);
}

static void
test_pid_namespace (void)
{
  int status;

  if (tf_test_skip_if_portable ("journals"))
    return;

  status = tf_test_get_child_status (enter_pid_namespace);
  if (status == 77)
    g_test_skip ("no PID namespace may be made here");
  else
    g_assert_cmpint (status, ==, 0);
}

static void
sweep_nothing (void)
{
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
}

/* What the program, or a child, does with locks on the file says nothing about its life. */
static void
test_unlocked (void)
{
  g_autoptr(TfNamedFile) file = NULL;
  g_autoptr(TfTempDir) dir = NULL;
  int fd;

  if (tf_test_skip_if_portable ("journals"))
    return;

  file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  fd = tf_temp_file_get_fd (TF_TEMP_FILE (file), NULL, NULL);
  g_assert_cmpint (flock (fd, LOCK_EX), ==, 0);
  g_assert_cmpint (flock (fd, LOCK_UN), ==, 0);
  tf_test_in_child (sweep_nothing);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 2);
}

static void
create_with_few_fds (void)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  limit.rlim_cur = 64;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  for (int i = 0; i < 100; i++)
    {
      TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

      tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
      g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
    }
  tf_test_in_child (sweep_nothing);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 100);
}

static void
test_few_fds (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_run_and_kill (create_with_few_fds);
  g_assert_cmpuint (tf_test_sweep (0), ==, 100);
}

static void
leave_one (void)
{
  g_assert_nonnull (tf_named_file_new (NULL, NULL, NULL, NULL, NULL));
}

/* That is not as if there were nothing to sweep. With a few descriptors, some steps are possible. */
static void
test_no_fds (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  for (guint n_fds = 0; n_fds < 5; n_fds++)
    {
      g_autoptr(GError) error = NULL;
      guint n_removed = G_MAXUINT;
      gboolean success;

      tf_test_run_and_kill (leave_one);
      tf_test_take_fds ();
      tf_test_give_fds (n_fds);
      success = tf_sweep (NULL, NULL, 0, &n_removed, NULL, &error);
      tf_test_give_all_fds ();

      g_test_message ("%u descriptors: %u removed, %s", n_fds, n_removed, success ? "no error" : error->message);
      if (success)
        g_assert_no_error (error);
      else
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
      g_assert_true (success == (n_removed == 1));
      g_assert_cmpuint (tf_test_sweep (0), ==, success ? 0 : 1);
    }
}

static gboolean
sweep_only (const char *prefix,
            const char *dir,
            guint       expected)
{
  guint n_removed = G_MAXUINT;

  g_assert_true (tf_sweep (prefix, dir, 0, &n_removed, NULL, NULL));
  return n_removed == expected;
}

static void
leave_in_places (void)
{
  g_assert_nonnull (tf_named_file_new ("one-", NULL, "a", NULL, NULL));
  g_assert_nonnull (tf_named_file_new ("one-", NULL, "b", NULL, NULL));
  g_assert_nonnull (tf_temp_dir_new ("two-", NULL, "b", NULL, NULL));
  g_assert_nonnull (tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL));
}

/* NULL means any prefix, and anywhere. */
static void
test_filters (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tree_make_dir ("a");
  tree_make_dir ("b");
  tree_make_link ("b", "link");
  tf_test_run_and_kill (leave_in_places);
  g_assert_true (sweep_only ("three-", NULL, 0));
  g_assert_true (sweep_only ("two-", "a", 0));
  g_assert_true (sweep_only ("two-", "link", 1));
  g_assert_true (sweep_only (NULL, "b", 1));
  g_assert_true (sweep_only ("one-", NULL, 1));
  g_assert_true (sweep_only (NULL, NULL, 1));
  g_assert_cmpint (unlink ("link"), ==, 0);
  g_assert_cmpint (rmdir ("a"), ==, 0);
  g_assert_cmpint (rmdir ("b"), ==, 0);
}

static void
test_portable (void)
{
  g_autoptr(GError) error = NULL;

  if (!tf_test_is_portable ())
    {
      g_test_skip ("the library has journals");
      return;
    }

  g_assert_false (tf_sweep (NULL, NULL, 0, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
}

static void
test_living (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(TfNamedFile) file = NULL;

  if (tf_test_skip_if_portable ("journals"))
    return;

  dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  tf_test_run_and_kill (leave_both);
  g_assert_cmpuint (tf_test_sweep (0), ==, 2);
  g_assert_true (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (tf_named_file_get_path (file), G_FILE_TEST_EXISTS));
}

static void
leave_unclaimed (void)
{
  GAsyncResult *file_result = NULL;
  GAsyncResult *dir_result = NULL;

  tf_mkstemp_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &file_result);
  tf_mkdtemp_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &dir_result);
  tf_test_wait (&file_result);
  tf_test_wait (&dir_result);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 2);
}

static void
leave_unclaimed_and_exit (void)
{
  tf_test_ignore_leaks ();
  leave_unclaimed ();
  exit (EXIT_SUCCESS);
}

/* A result that nobody has picked up goes with the process. */
static void
test_unclaimed (void)
{
  g_assert_cmpint (tf_test_get_child_status (leave_unclaimed_and_exit), ==, EXIT_SUCCESS);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);

  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_run_and_kill (leave_unclaimed);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 2);
  g_assert_cmpuint (tf_test_sweep (0), ==, 2);
}

/* Enough other directories are in use that the one that is moved is not open any more. */
static void
drop_what_was_moved (void)
{
  TfNamedFile *file = tf_named_file_new (NULL, NULL, "moved", NULL, NULL);
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, "moved", NULL, NULL);

  for (guint i = 0; i < 20; i++)
    {
      g_autofree char *other = g_strdup_printf ("other-%u", i);

      g_assert_cmpint (mkdir (other, 0700), ==, 0);
      g_assert_nonnull (tf_named_file_new (NULL, NULL, other, NULL, NULL));
    }

  g_assert_cmpint (rename ("moved", "away"), ==, 0);
  g_object_unref (file);
  g_object_unref (dir);
  tf_test_ignore_leaks ();
  exit (EXIT_SUCCESS);
}

/* What could not be found at the end is left to a sweep. */
static void
test_moved_at_exit (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  g_assert_cmpint (mkdir ("moved", 0700), ==, 0);
  g_assert_cmpint (tf_test_get_child_status (drop_what_was_moved), ==, EXIT_SUCCESS);
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);

  g_assert_cmpint (rename ("away", "moved"), ==, 0);
  g_assert_cmpuint (tf_test_sweep (0), ==, 2);
  remove_all (".");
}

static void
leave_claimed (void)
{
  g_autoptr(GAsyncResult) file_result = NULL;
  g_autoptr(GAsyncResult) dir_result = NULL;
  char *path = NULL;

  tf_mkstemp_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &file_result);
  tf_mkdtemp_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &dir_result);
  g_assert_cmpint (tf_mkstemp_finish (tf_test_wait (&file_result), &path, NULL), >=, 0);
  g_assert_nonnull (tf_mkdtemp_finish (tf_test_wait (&dir_result), NULL));
}

static void
test_claimed (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  assert_stays (leave_claimed, 0, 2);
  remove_all (".");
}

static void
test_closed_file (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_run_and_kill (leave_closed_file);
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
}

static void
test_kept (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_run_and_kill (leave_kept);
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 2);

  remove_all (".");
}

/* Nothing of this was made here, whatever its name. */
static void
test_strangers (void)
{
  const char *const names[] = { "tmpabcdefgh", "tmp_1234567.txt", "tmpaaaaaaaa", "tmppipepipe" };
  gboolean has_fifos = tf_test_disk_has_fifos ();

  if (tf_test_skip_if_portable ("journals"))
    return;

  tree_make_dir (names[0]);
  tree_make_file ("tmpabcdefgh/file");
  tree_make_file (names[1]);
  tree_make_link ("/", names[2]);
  if (has_fifos)
    g_assert_cmpint (mkfifo (names[3], 0600), ==, 0);
  /* With the sticky bit as well: it is not empty. */
  if (tf_test_disk_has_modes ())
    g_assert_cmpint (chmod (names[0], 01700), ==, 0);
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, has_fifos ? 4 : 3);

  g_assert_cmpint (unlink ("tmpabcdefgh/file"), ==, 0);
  remove_all (".");
}

static void
leave_marked (void)
{
  leave_both ();
}

static void
sweep_as_unprivileged (void)
{
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
}

/* What belongs to another user is left alone, marked or not. */
static void
test_other_user (void)
{
  if (geteuid () != 0)
    {
      g_test_skip ("only root has another user at hand");
      return;
    }

  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_run_and_kill (leave_marked);
  tf_test_as_unprivileged (sweep_as_unprivileged);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 2);
  g_assert_cmpuint (tf_test_sweep (0), ==, 2);
}

static void
persist_one (TfPersistFlags   flags,
             GError         **error)
{
  g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  g_autoptr(GFile) document = g_file_new_for_path ("document");

  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "x", 1, NULL, NULL));
  tf_temp_file_persist (TF_TEMP_FILE (file), document, flags, NULL, NULL, NULL, NULL, error);
}

static void
create_until_killed (void)
{
  g_autoptr(GError) error = NULL;

  for (guint i = 0;; i++)
    {
      TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
      TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

      g_assert_nonnull (dir);
      g_assert_nonnull (file);
      tree_make_wide (tf_temp_dir_get_path (dir), 1, 1);
      g_object_unref (file);
      if (i % 2 == 0)
        g_object_unref (dir);
      persist_one (i % 3 == 0 ? TF_PERSIST_REPLACE | TF_PERSIST_DURABLE : TF_PERSIST_REPLACE, &error);
      g_assert_no_error (error);
      if (i == 200)
        raise (SIGKILL);
    }
}

static void
remove_all_but (const char *first,
                const char *second,
                const char *third)
{
  const char *const kept[] = { first, second, third };
  g_autoptr(GDir) names = g_dir_open (".", 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (names)) != NULL)
    {
      g_autoptr(GFile) file = g_file_new_for_path (name);
      gboolean is_kept = FALSE;

      for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
        is_kept |= g_str_has_suffix (kept[i], name);
      if (!is_kept)
        g_assert_true (tf_remove_tree (file, NULL, NULL));
    }
}

/* Processes that create and remove all the time are killed at random moments, while others sweep. Without an owner, a
 * new file may be anybody's, and stays. And FUSE forgets a file if the process is killed while it asks for its removal:
 * it gets another handle, and stays, too. */
static void
test_killed_at_random (void)
{
  g_autoptr(TfTempDir) living_dir = NULL;
  g_autoptr(TfNamedFile) living_file = NULL;
  g_autofree char *child = NULL;
  const guint n_processes = 200;

  if (tf_test_skip_if_portable ("journals"))
    return;

  living_dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  living_file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  child = g_build_filename (tf_temp_dir_get_path (living_dir), "child", NULL);
  tree_make_file (child);

  fflush (NULL);
  for (guint i = 0; i < n_processes; i++)
    {
      pid_t pid = fork ();
      int status;

      g_assert_cmpint (pid, >=, 0);
      if (pid == 0)
        create_until_killed ();

      g_usleep (g_test_rand_int_range (0, 5000));
      if (i % 10 == 0)
        tf_test_sweep (0);
      /* The last one kills itself, so that something is left however slow the machine is. */
      if (i < n_processes - 1)
        g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
      g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
      g_assert_true (WIFSIGNALED (status));
      g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
    }

  g_assert_cmpuint (tf_test_sweep (0), >, 0);
  if (!tf_test_disk_has_owners () || !tf_test_disk_has_birth_times ())
    remove_all_but (tf_temp_dir_get_path (living_dir), tf_named_file_get_path (living_file), "document");
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 3);
  g_assert_cmpint (unlink ("document"), ==, 0);
  g_assert_true (g_file_test (child, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (tf_named_file_get_path (living_file), G_FILE_TEST_EXISTS));
}

/* Nobody's creation fails because others sweep. */
static void
test_sweeping_while_creating (void)
{
  pid_t pid;
  int status;

  if (tf_test_skip_if_portable ("journals"))
    return;

  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    for (;;)
      tf_test_sweep (0);

  for (int i = 0; i < 2000; i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, &error);
      g_autoptr(TfNamedFile) file = NULL;

      g_assert_no_error (error);
      file = tf_named_file_new (NULL, NULL, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_true (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_EXISTS));
      g_assert_true (g_file_test (tf_named_file_get_path (file), G_FILE_TEST_EXISTS));
    }

  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
}

static gboolean
sweep_async (const char    *prefix,
             const char    *dir,
             guint         *n_removed,
             GCancellable  *cancellable,
             GError       **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  tf_sweep_async (prefix, dir, 0, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, &result);
  return tf_sweep_finish (tf_test_wait (&result), n_removed, error);
}

static void
test_async (void)
{
  g_autoptr(GError) error = NULL;
  guint n_removed = G_MAXUINT;

  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_run_and_kill (leave_both);
  g_assert_true (sweep_async ("other", NULL, &n_removed, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_removed, ==, 0);
  g_assert_true (sweep_async (NULL, ".", &n_removed, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_removed, ==, 2);
  g_assert_true (sweep_async (NULL, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
}

static void
persist_until_terminated (void)
{
  g_assert_true (tf_cleanup_on_signals (NULL));
  for (guint i = 0;; i++)
    persist_one (i % 2 == 0 ? TF_PERSIST_REPLACE | TF_PERSIST_DURABLE : TF_PERSIST_REPLACE, NULL);
}

/* A signal that removes everything removes the names that a persist uses for a moment as well. This can fail then. */
static void
test_terminated_at_random (void)
{
  fflush (NULL);
  for (guint i = 0; i < 50; i++)
    {
      pid_t pid = fork ();
      int status;

      g_assert_cmpint (pid, >=, 0);
      if (pid == 0)
        persist_until_terminated ();

      g_usleep (g_test_rand_int_range (2000, 10000));
      g_assert_cmpint (kill (pid, SIGTERM), ==, 0);
      g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
      g_assert_true (WIFSIGNALED (status));
    }

  unlink ("document");
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
assert_fails (const char   *prefix,
              const char   *dir,
              GCancellable *cancellable,
              int           code)
{
  g_autoptr(GError) error = NULL;
  guint n_removed = G_MAXUINT;

  g_assert_false (tf_sweep (prefix, dir, 0, &n_removed, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_cmpuint (n_removed, ==, 0);
  g_clear_error (&error);

  n_removed = G_MAXUINT;
  g_assert_false (sweep_async (prefix, dir, &n_removed, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_cmpuint (n_removed, ==, 0);
}

static void
test_errors (void)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();

  assert_fails (NULL, "/nonexistent", NULL, G_IO_ERROR_NOT_FOUND);
  assert_fails ("a/b", NULL, NULL, G_IO_ERROR_INVALID_FILENAME);

  g_cancellable_cancel (cancellable);
  assert_fails (NULL, NULL, cancellable, G_IO_ERROR_CANCELLED);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);
  /* What other programs of this user have left, where there is no directory of the session, is not counted. */
  tf_sweep (NULL, NULL, 0, NULL, NULL, NULL);

  g_test_add_func ("/sweep/other-result", test_other_result);
  g_test_add_func ("/sweep/without-stdin", test_without_stdin);
  g_test_add_func ("/sweep/small-files", test_small_files);
  g_test_add_func ("/sweep/unclaimed", test_unclaimed);
  g_test_add_func ("/sweep/moved-at-exit", test_moved_at_exit);
  g_test_add_func ("/sweep/claimed", test_claimed);
  g_test_add_func ("/sweep/dead", test_dead);
  g_test_add_func ("/sweep/inside", test_inside);
  g_test_add_func ("/sweep/outside", test_outside);
  g_test_add_func ("/sweep/outside-of-others", test_outside_of_others);
  g_test_add_func ("/sweep/journal-alone", test_journal_alone);
  g_test_add_func ("/sweep/no-journals", test_no_journals);
  g_test_add_func ("/sweep/future", test_future);
  g_test_add_func ("/sweep/living", test_living);
  g_test_add_func ("/sweep/closed-file", test_closed_file);
  g_test_add_func ("/sweep/kept", test_kept);
  g_test_add_func ("/sweep/strangers", test_strangers);
  g_test_add_func ("/sweep/other-user", test_other_user);
  g_test_add_func ("/sweep/killed-at-random", test_killed_at_random);
  g_test_add_func ("/sweep/sweeping-while-creating", test_sweeping_while_creating);
  g_test_add_func ("/sweep/async", test_async);
  g_test_add_func ("/sweep/errors", test_errors);
  g_test_add_func ("/sweep/let-go", test_let_go);
  g_test_add_func ("/sweep/moved", test_moved);
  g_test_add_func ("/sweep/linked-elsewhere", test_linked_elsewhere);
  g_test_add_func ("/sweep/pid-namespace", test_pid_namespace);
  g_test_add_func ("/sweep/unlocked", test_unlocked);
  g_test_add_func ("/sweep/few-fds", test_few_fds);
  g_test_add_func ("/sweep/no-fds", test_no_fds);
  g_test_add_func ("/sweep/filters", test_filters);
  g_test_add_func ("/sweep/terminated-at-random", test_terminated_at_random);
  g_test_add_func ("/sweep/portable", test_portable);

  return tf_test_run ();
}
