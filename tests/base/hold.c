/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "base/tf-hold.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <tempfile-glib.h>
#include <unistd.h>

#include "base/tf-hold.h"
#include "tf-test.h"

static gboolean
exists (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* A program that runs until its standard input is closed. */
static GSubprocess *
spawn (void)
{
  g_autoptr(GError) error = NULL;
  GSubprocess *subprocess = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE, &error, "cat", NULL);

  g_assert_no_error (error);
  return subprocess;
}

static void
wait_until_gone (const char *path)
{
  while (exists (path))
    g_main_context_iteration (NULL, FALSE);
}

static void
test_for_subprocess (void)
{
  g_autoptr(GSubprocess) subprocess = spawn ();
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  g_autofree char *dir_path = g_strdup (tf_temp_dir_get_path (dir));
  g_autofree char *file_path = g_strdup (tf_named_file_get_path (file));

  tf_temp_dir_hold_for_subprocess (dir, subprocess);
  tf_named_file_hold_for_subprocess (file, subprocess);
  g_assert_cmpint (tf_named_file_get_delete_policy (file), ==, TF_DELETE_ON_DISPOSE);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_object_unref (dir);
  g_object_unref (file);
  g_assert_true (exists (dir_path));
  g_assert_true (exists (file_path));

  g_assert_true (g_output_stream_close (g_subprocess_get_stdin_pipe (subprocess), NULL, NULL));
  wait_until_gone (dir_path);
  wait_until_gone (file_path);
}

static void
note_finalizer (gpointer  thread,
                GObject  *where_the_object_was)
{
  g_atomic_pointer_set ((GThread **) thread, g_thread_self ());
}

static void
wait_for_finalizer (GThread **thread)
{
  while (g_atomic_pointer_get (thread) == NULL)
    g_main_context_iteration (NULL, FALSE);
}

/* What takes long to remove does not stop the main loop. */
static void
test_released_in_worker (void)
{
  g_autoptr(GSubprocess) subprocess = spawn ();
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  GThread *finalizer = NULL;

  g_object_weak_ref (object, note_finalizer, &finalizer);
  tf_hold_for_subprocess (object, subprocess);
  g_object_unref (object);
  g_assert_null (g_atomic_pointer_get (&finalizer));

  g_assert_true (g_output_stream_close (g_subprocess_get_stdin_pipe (subprocess), NULL, NULL));
  wait_for_finalizer (&finalizer);
  g_assert_true (finalizer != g_thread_self ());
}

static void
test_ended_before (void)
{
  g_autoptr(GSubprocess) subprocess = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, NULL, "false", NULL);
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  GThread *finalizer = NULL;

  g_assert_true (g_subprocess_wait (subprocess, NULL, NULL));
  g_object_weak_ref (object, note_finalizer, &finalizer);
  tf_hold_for_subprocess (object, subprocess);
  g_object_unref (object);
  wait_for_finalizer (&finalizer);
}

static void
hold_and_exit (void)
{
  g_autofree char *dir_path = NULL;
  g_autofree char *file_path = NULL;
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  dir_path = g_strdup (tf_temp_dir_get_path (dir));
  file_path = g_strdup (tf_named_file_get_path (file));
  tf_temp_dir_hold_until_exit (dir);
  tf_named_file_hold_until_exit (file);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_object_unref (dir);
  g_object_unref (file);
  g_assert_true (exists (dir_path));
  g_assert_true (exists (file_path));
  exit (0);
}

static void
exit_in_child (void (*func) (void))
{
  pid_t pid;
  int status;

  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    func ();

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

static void
test_until_exit (void)
{
  exit_in_child (hold_and_exit);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
just_exit (void)
{
  exit (0);
}

/* The child of one who holds removes nothing when it exits. */
static void
hold_fork_and_exit (void)
{
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  tf_named_file_hold_until_exit (file);
  exit_in_child (just_exit);
  g_assert_true (exists (tf_named_file_get_path (file)));
  exit (0);
}

static void
test_until_exit_with_child (void)
{
  exit_in_child (hold_fork_and_exit);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static TfNamedFile *
make_persisted (const char *name)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GFile) destination = g_file_new_for_path (name);
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), destination, TF_PERSIST_NONE,
                                       NULL, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  return file;
}

/* What is kept, in whatever way, before it is held or afterwards. */
static void
hold_kept_and_exit (void)
{
  TfNamedFile *never = tf_named_file_new ("never-", NULL, NULL, NULL, NULL);
  TfNamedFile *kept = tf_named_file_new ("kept-", NULL, NULL, NULL, NULL);
  TfNamedFile *kept_later = tf_named_file_new ("kept-later-", NULL, NULL, NULL, NULL);
  TfNamedFile *persisted = make_persisted ("persisted");
  TfTempDir *uncleaned_dir = tf_temp_dir_new ("uncleaned-", NULL, NULL, NULL, NULL);
  TfTempDir *kept_dir = tf_temp_dir_new ("kept-", NULL, NULL, NULL, NULL);
  TfTempDir *kept_later_dir = tf_temp_dir_new ("kept-later-", NULL, NULL, NULL, NULL);

  tf_named_file_set_delete_policy (never, TF_DELETE_NEVER);
  g_free (tf_named_file_keep (kept));
  tf_temp_dir_set_auto_cleanup (uncleaned_dir, FALSE);
  g_free (tf_temp_dir_keep (kept_dir));

  tf_named_file_hold_until_exit (never);
  tf_named_file_hold_for_pid (kept, getppid ());
  tf_named_file_hold_until_exit (kept_later);
  tf_named_file_hold_until_exit (persisted);
  tf_temp_dir_hold_until_exit (uncleaned_dir);
  tf_temp_dir_hold_for_pid (kept_dir, getppid ());
  tf_temp_dir_hold_until_exit (kept_later_dir);

  g_assert_cmpint (tf_named_file_get_delete_policy (persisted), ==, TF_DELETE_NEVER);
  g_assert_false (tf_temp_dir_get_auto_cleanup (uncleaned_dir));
  g_free (tf_named_file_keep (kept_later));
  g_free (tf_temp_dir_keep (kept_later_dir));
  exit (0);
}

static void
remove_all_entries (void)
{
  g_autoptr(GDir) dir = g_dir_open (".", 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    g_assert_cmpint (remove (name), ==, 0);
}

static void
test_kept (void)
{
  exit_in_child (hold_kept_and_exit);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 7);
  g_assert_true (exists ("persisted"));
  remove_all_entries ();
}

/* Persisted while it is held. */
static void
persist_held_and_exit (void)
{
  g_autoptr(GFile) destination = g_file_new_for_path ("persisted");
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  tf_named_file_hold_until_exit (file);
  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), destination, TF_PERSIST_NONE,
                                       NULL, NULL, NULL, NULL, NULL));
  exit (0);
}

static void
test_persisted_later (void)
{
  exit_in_child (persist_held_and_exit);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 1);
  g_assert_cmpint (unlink ("persisted"), ==, 0);
}

/* What is asked for by name is done, held or not. */
static void
test_removed_by_hand (void)
{
  g_autoptr(GSubprocess) subprocess = spawn ();
  g_autoptr(GError) error = NULL;
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  tf_temp_dir_hold_for_subprocess (dir, subprocess);
  tf_named_file_hold_for_subprocess (file, subprocess);
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (tf_named_file_unlink (file, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);

  g_object_add_weak_pointer (G_OBJECT (dir), (gpointer *) &dir);
  g_object_add_weak_pointer (G_OBJECT (file), (gpointer *) &file);
  g_object_unref (dir);
  g_object_unref (file);
  g_assert_true (g_output_stream_close (g_subprocess_get_stdin_pipe (subprocess), NULL, NULL));
  while (g_atomic_pointer_get (&dir) != NULL || g_atomic_pointer_get (&file) != NULL)
    g_main_context_iteration (NULL, FALSE);
}

/* A child that waits for the end of what it reads. */
static pid_t
fork_reader (int *end)
{
  int ends[2];
  char byte;
  pid_t pid;

  g_assert_cmpint (pipe (ends), ==, 0);
  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      close (ends[1]);
      while (read (ends[0], &byte, 1) > 0)
        ;
      _exit (0);
    }

  close (ends[0]);
  *end = ends[1];
  return pid;
}

static void
hold_both_for (pid_t   pid,
               char  **dir_path,
               char  **file_path)
{
  g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  *dir_path = g_strdup (tf_temp_dir_get_path (dir));
  *file_path = g_strdup (tf_named_file_get_path (file));
  tf_temp_dir_hold_for_pid (dir, pid);
  tf_named_file_hold_for_pid (file, pid);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
}

/* The child is waited for only when what was held is gone: the end of a process counts, not the wait. */
static void
test_for_pid (void)
{
  g_autofree char *dir_path = NULL;
  g_autofree char *file_path = NULL;
  int end;
  pid_t pid = fork_reader (&end);

  hold_both_for (pid, &dir_path, &file_path);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  if (tf_hold_avoid_pidfd)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (exists (dir_path));
  g_assert_true (exists (file_path));

  close (end);
  wait_until_gone (dir_path);
  wait_until_gone (file_path);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
}

static void
test_for_pid_by_polling (void)
{
  tf_hold_avoid_pidfd = TRUE;
  tf_hold_poll_interval = 1;
  test_for_pid ();
  tf_hold_avoid_pidfd = FALSE;
}

/* Without a descriptor for the watch. */
static void
hold_without_fds (void)
{
  g_autofree char *path = NULL;
  g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  int end;
  pid_t pid = fork_reader (&end);

  path = g_strdup (tf_temp_dir_get_path (dir));
  /* It has descriptors of its own. */
  g_main_context_default ();
  tf_test_take_fds ();
  tf_temp_dir_hold_for_pid (dir, pid);
  tf_test_give_all_fds ();
  g_clear_object (&dir);
  g_assert_true (exists (path));
  close (end);
  wait_until_gone (path);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
}

static void
test_for_pid_without_fds (void)
{
  tf_hold_poll_interval = 1;
  tf_test_in_child (hold_without_fds);
}

static void
assert_not_held (pid_t pid)
{
  g_autofree char *dir_path = NULL;
  g_autofree char *file_path = NULL;

  hold_both_for (pid, &dir_path, &file_path);
  g_assert_false (exists (dir_path));
  g_assert_false (exists (file_path));
}

static void
test_for_pid_that_is_gone (void)
{
  int end;
  pid_t pid = fork_reader (&end);

  close (end);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  assert_not_held (pid);
  tf_hold_avoid_pidfd = TRUE;
  assert_not_held (pid);
  tf_hold_avoid_pidfd = FALSE;
}

static void
count (gpointer    object,
       GParamSpec *pspec,
       gpointer    data)
{
  guint *n = data;

  *n += 1;
}

static void
assert_policy_stays (pid_t pid)
{
  g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  guint notified = 0;

  g_signal_connect (file, "notify::delete-policy", G_CALLBACK (count), &notified);
  tf_named_file_hold_for_pid (file, pid);
  g_assert_cmpint (tf_named_file_get_delete_policy (file), ==, TF_DELETE_ON_CLOSE);
  g_assert_cmpuint (notified, ==, 0);
}

/* What is not held is removed by closing, as before. */
static void
test_policy_of_what_is_not_held (void)
{
  int end;
  pid_t pid = fork_reader (&end);
  siginfo_t info;

  close (end);
  g_assert_cmpint (waitid (P_PID, pid, &info, WEXITED | WNOWAIT), ==, 0);
  assert_policy_stays (pid);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  assert_policy_stays (pid);
  tf_hold_avoid_pidfd = TRUE;
  assert_policy_stays (pid);
  tf_hold_avoid_pidfd = FALSE;
}

/* A context that is given up lets go of nothing. */
static void
hold_in_lost_context_and_exit (void)
{
  GMainContext *context = g_main_context_new ();
  g_autofree char *dir_path = NULL;
  g_autofree char *file_path = NULL;

  g_main_context_push_thread_default (context);
  hold_both_for (getppid (), &dir_path, &file_path);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_assert_true (exists (dir_path));
  g_assert_true (exists (file_path));
  exit (0);
}

static void
test_lost_context (void)
{
  exit_in_child (hold_in_lost_context_and_exit);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);
  tf_test_ignore_fds ();

  /* Those with a child that exits come first: it would report the threads of its parent as leaks. */
  g_test_add_func ("/hold/until-exit", test_until_exit);
  g_test_add_func ("/hold/until-exit-with-child", test_until_exit_with_child);
  g_test_add_func ("/hold/kept", test_kept);
  g_test_add_func ("/hold/persisted-later", test_persisted_later);
  g_test_add_func ("/hold/lost-context", test_lost_context);
  g_test_add_func ("/hold/for-pid-that-is-gone", test_for_pid_that_is_gone);
  g_test_add_func ("/hold/policy-of-what-is-not-held", test_policy_of_what_is_not_held);
  g_test_add_func ("/hold/for-pid-without-fds", test_for_pid_without_fds);
  g_test_add_func ("/hold/for-pid-by-polling", test_for_pid_by_polling);
  g_test_add_func ("/hold/for-pid", test_for_pid);
  g_test_add_func ("/hold/removed-by-hand", test_removed_by_hand);
  g_test_add_func ("/hold/for-subprocess", test_for_subprocess);
  g_test_add_func ("/hold/released-in-worker", test_released_in_worker);
  g_test_add_func ("/hold/ended-before", test_ended_before);

  return tf_test_run ();
}
