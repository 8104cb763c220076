/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test.h"

static TfTempDir *dir;
static TfNamedFile *file;
static int ready_fds[2];

static void
create_both (void)
{
  g_autoptr(GError) error = NULL;

  dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  file = tf_named_file_new (NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);

  for (int i = 0; i < 100; i++)
    {
      g_autofree char *child = g_strdup_printf ("%s/%d", tf_temp_dir_get_path (dir), i);

      g_assert_true (g_file_set_contents (child, "x", 1, &error));
      g_assert_no_error (error);
    }
}

static void
handle_signals (void)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_cleanup_on_signals (&error));
  g_assert_no_error (error);
  g_assert_true (tf_cleanup_on_signals (&error));
  g_assert_no_error (error);
}

static void
say_ready (void)
{
  g_assert_cmpint (write (ready_fds[1], "!", 1), ==, 1);
}

/* Runs @func in a fork until it says that it is ready, and sends it @sig. Returns its wait status. */
static int
interrupt (void (*func) (void),
           int    sig)
{
  pid_t pid;
  int status;
  char byte;

  fflush (NULL);
  g_assert_cmpint (pipe (ready_fds), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      const struct rlimit no_core = { 0, 0 };

      setrlimit (RLIMIT_CORE, &no_core);
      func ();
      /* Again and again, because ThreadSanitizer may call a handler only at the next call. */
      for (;;)
        poll (NULL, 0, 10);
    }

  close (ready_fds[1]);
  g_assert_cmpint (read (ready_fds[0], &byte, 1), ==, 1);
  close (ready_fds[0]);
  g_assert_cmpint (kill (pid, sig), ==, 0);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  return status;
}

/* A journal without records does not stay behind. */
static void
assert_no_journal (void)
{
  g_autofree char *place = g_build_filename (g_getenv ("XDG_RUNTIME_DIR"), "tempfile-glib", NULL);

  if (g_file_test (place, G_FILE_TEST_EXISTS))
    g_assert_cmpuint (tf_test_count_entries (place), ==, 0);
}

static void
assert_dies_clean (void (*func) (void),
                   int    sig)
{
  int status = interrupt (func, sig);

  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, sig);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
  assert_no_journal ();
}

static void
wait_for_signal (void)
{
  handle_signals ();
  create_both ();
  say_ready ();
}

static void
test_dies_of_it (void)
{
  const int signals[] = { SIGINT, SIGTERM, SIGHUP };

  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    assert_dies_clean (wait_for_signal, signals[i]);
}

/* Where be_busy() does it */
static char *busy_dir;

/* In the middle of allocations, and of the creation and removal of more. */
static void
be_busy (void)
{
  handle_signals ();
  create_both ();
  say_ready ();
  for (;;)
    {
      TfTempDir *one = tf_temp_dir_new (NULL, NULL, busy_dir, NULL, NULL);
      TfNamedFile *two = tf_named_file_new (NULL, NULL, busy_dir, NULL, NULL);
      char *child = g_build_filename (tf_temp_dir_get_path (one), "child", NULL);

      g_file_set_contents (child, "x", 1, NULL);
      g_free (child);
      g_object_unref (one);
      g_object_unref (two);
    }
}

static void
test_busy (void)
{
  busy_dir = tf_test_make_cheap_dir ();
  for (int i = 0; i < 50; i++)
    {
      assert_dies_clean (be_busy, SIGTERM);
      g_assert_cmpuint (tf_test_count_entries (busy_dir), ==, 0);
    }
  g_assert_cmpint (rmdir (busy_dir), ==, 0);
  g_clear_pointer (&busy_dir, g_free);
}

static void
handler_that_returns (int sig)
{
  if (write (STDERR_FILENO, "", 0) < 0)
    abort ();
}

static void
handler_that_exits (int sig)
{
  _exit (42);
}

static G_GNUC_UNUSED void
handler_that_exits_well (int sig)
{
  exit (43);
}

static void
wait_after_handler_that_returns (void)
{
  signal (SIGTERM, handler_that_returns);
  wait_for_signal ();
}

static void
wait_after_handler_that_exits (void)
{
  signal (SIGTERM, handler_that_exits);
  wait_for_signal ();
}

static G_GNUC_UNUSED void
wait_after_handler_that_exits_well (void)
{
  signal (SIGTERM, handler_that_exits_well);
  wait_for_signal ();
}

static void
test_chains (void)
{
  int status;

  assert_dies_clean (wait_after_handler_that_returns, SIGTERM);

  status = interrupt (wait_after_handler_that_exits, SIGTERM);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 42);

#ifndef TF_TEST_TSAN /* which rightly complains of exit() in a handler, but it is not ours */
  status = interrupt (wait_after_handler_that_exits_well, SIGTERM);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 43);
#endif

  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
}

static void
ignore_hangup (void)
{
  signal (SIGHUP, SIG_IGN);
  wait_for_signal ();
  raise (SIGHUP);
  g_assert_true (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_EXISTS));
}

static void
test_ignored_stays_ignored (void)
{
  assert_dies_clean (ignore_hangup, SIGTERM);
}

#define NO_HANDLERS_IN_CHILD "ThreadSanitizer calls no handlers of signals in a child whose parent had several threads"

/* The child has the handlers of before; what dies with it is the parent's, and stays. */
static void
fork_and_kill_child (void)
{
  pid_t pid;
  int status;

  handle_signals ();
  create_both ();
  fflush (NULL);
  pid = fork ();
  if (pid == 0)
    {
      g_assert_true (signal (SIGINT, SIG_DFL) == SIG_DFL);
      g_assert_true (signal (SIGHUP, SIG_DFL) == SIG_DFL);
      raise (SIGTERM);
      _exit (0);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGTERM);
  g_assert_true (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (tf_named_file_get_path (file), G_FILE_TEST_EXISTS));
  say_ready ();
}

static void
test_fork (void)
{
#ifdef TF_TEST_TSAN
  g_test_skip (NO_HANDLERS_IN_CHILD);
  return;
#endif

  assert_dies_clean (fork_and_kill_child, SIGTERM);
}

static void
handle_again_in_child (void)
{
  int status;

  handle_signals ();
  create_both ();
  fflush (NULL);
  if (fork () == 0)
    {
      handle_signals ();
      create_both ();
      raise (SIGINT);
      for (;;)
        pause ();
    }

  g_assert_cmpint (wait (&status), >, 0);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGINT);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 2);
  say_ready ();
}

static void
test_fork_handles_again (void)
{
#ifdef TF_TEST_TSAN
  g_test_skip (NO_HANDLERS_IN_CHILD);
  return;
#endif

  assert_dies_clean (handle_again_in_child, SIGTERM);
}

static void
not_asked (void)
{
  create_both ();
  say_ready ();
}

/* As daemons do. What is written to a standard stream that is closed goes nowhere. */
static void
close_all (void)
{
  int max = sysconf (_SC_OPEN_MAX);

  close (STDOUT_FILENO);
  close (STDERR_FILENO);
  handle_signals ();
  g_printerr ("Not a signal\n");
  for (int fd = 0; fd < max; fd++)
    if (fd != ready_fds[1])
      close (fd);

  create_both ();
  g_assert_true (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_EXISTS));
  say_ready ();
}

static void
test_without_descriptors (void)
{
  assert_dies_clean (close_all, SIGTERM);
}

/* Nobody installs handlers unasked. */
static void
test_not_asked (void)
{
  int status;
  guint n_removed;

  if (tf_test_skip_if_portable ("what a sweep needs"))
    return;

  status = interrupt (not_asked, SIGTERM);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 2);
  g_assert_true (tf_sweep (NULL, tf_test_get_sandbox (), 0, &n_removed, NULL, NULL));
  g_assert_cmpuint (n_removed, ==, 2);
}

/* Whoever started the tests may have had them ignored, as nohup(1) does. */
static void
ignore_no_signal (void)
{
  signal (SIGINT, SIG_DFL);
  signal (SIGTERM, SIG_DFL);
  signal (SIGHUP, SIG_DFL);
}

int
main (int    argc,
      char **argv)
{
  ignore_no_signal ();
  tf_test_init (&argc, &argv);

  g_test_add_func ("/signals/dies-of-it", test_dies_of_it);
  g_test_add_func ("/signals/busy", test_busy);
  g_test_add_func ("/signals/chains", test_chains);
  g_test_add_func ("/signals/ignored-stays-ignored", test_ignored_stays_ignored);
  g_test_add_func ("/signals/fork", test_fork);
  g_test_add_func ("/signals/fork-handles-again", test_fork_handles_again);
  g_test_add_func ("/signals/without-descriptors", test_without_descriptors);
  g_test_add_func ("/signals/not-asked", test_not_asked);

  return tf_test_run ();
}
