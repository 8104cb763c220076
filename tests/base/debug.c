/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test.h"

/* $TF_DEBUG is read once: each test runs itself again with its own value. */

static void
create_all (void)
{
  g_autoptr(TfNamedFile) file = tf_named_file_new ("debug-", NULL, NULL, NULL, NULL);
  g_autoptr(TfTempDir) dir = tf_temp_dir_new ("debug-", NULL, NULL, NULL, NULL);
  g_autoptr(TfSpooledFile) spooled = tf_spooled_file_new (0);

  g_assert_nonnull (file);
  g_assert_nonnull (dir);
  g_assert_true (tf_spooled_file_rollover (spooled, NULL, NULL));
}

static void
persist_one (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(GFile) destination = g_file_new_for_path ("lasting");

  g_assert_true (tf_temp_file_persist (file, destination, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, NULL));
  g_assert_cmpint (unlink ("lasting"), ==, 0);
}

static void
run_with (const char *debug)
{
  g_assert_true (g_setenv ("TF_DEBUG", debug, TRUE));
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

static void
test_keep (void)
{
  g_autoptr(GDir) names = NULL;
  const char *name;
  guint n = 0;

  if (g_test_subprocess ())
    {
      /* Where the sandbox of the outer process is: the inner one removes its own. */
      tf_set_temp_dir (g_getenv ("OUTER"));
      create_all ();
      return;
    }

  g_assert_true (g_setenv ("OUTER", tf_test_get_sandbox (), TRUE));
  run_with ("keep");
  g_test_trap_assert_stderr ("*kept*debug-*kept*debug-*");

  names = g_dir_open (".", 0, NULL);
  while ((name = g_dir_read_name (names)) != NULL)
    {
      g_assert_true (g_str_has_prefix (name, "debug-"));
      g_assert_cmpint (g_file_test (name, G_FILE_TEST_IS_DIR) ? rmdir (name) : unlink (name), ==, 0);
      n++;
    }
  g_assert_cmpuint (n, ==, 2);
}

static void
hand_over_one (void)
{
  g_autoptr(TfNamedFile) file = tf_named_file_new ("debug-", NULL, NULL, NULL, NULL);

  tf_named_file_hand_over (file, 0);
  while (tf_named_file_is_handed_over (file))
    g_main_context_iteration (NULL, TRUE);
}

/* Its time is over, and it stays. */
static void
test_keep_when_handed_over (void)
{
  g_autoptr(GDir) names = NULL;
  const char *name;

  if (g_test_subprocess ())
    {
      tf_set_temp_dir (g_getenv ("OUTER"));
      hand_over_one ();
      return;
    }

  g_assert_true (g_setenv ("OUTER", tf_test_get_sandbox (), TRUE));
  run_with ("keep");
  g_test_trap_assert_stderr ("*kept*debug-*");
  names = g_dir_open (".", 0, NULL);
  name = g_dir_read_name (names);
  g_assert_true (g_str_has_prefix (name, "debug-"));
  g_assert_cmpint (unlink (name), ==, 0);
  g_assert_null (g_dir_read_name (names));
}

static void
name_without_journal (void)
{
  g_autoptr(TfNamedFile) file = NULL;

  tf_test_limit_file_size (1024);
  file = tf_named_file_new ("debug-", NULL, NULL, NULL, NULL);
  g_assert_nonnull (file);
  tf_test_unlimit_file_size ();
}

/* What no sweep finds is named. */
static void
test_trace_without_journal (void)
{
  if (g_test_subprocess ())
    {
      name_without_journal ();
      return;
    }

  run_with ("trace");
  g_test_trap_assert_stderr ("*could not be written down*debug-*");
}

static void
assert_swept (guint n)
{
  g_autoptr(GError) error = NULL;
  guint n_removed;

  g_assert_true (tf_sweep ("debug-", NULL, 0, &n_removed, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_removed, ==, n);
}

static void
test_keep_when_sweeping (void)
{
  pid_t pid;
  int status;

  if (tf_test_skip_if_portable ("journals"))
    return;

  if (g_test_subprocess ())
    {
      assert_swept (0);
      return;
    }

  pid = fork ();
  if (pid == 0)
    {
      g_assert_nonnull (tf_named_file_new ("debug-", NULL, NULL, NULL, NULL));
      raise (SIGKILL);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  run_with ("keep");
  g_test_trap_assert_stderr ("*kept*debug-*");
  g_unsetenv ("TF_DEBUG");
  assert_swept (1);
}

static void
test_trace (void)
{
  if (g_test_subprocess ())
    {
      create_all ();
      persist_one ();
      return;
    }

  run_with ("trace");
  g_test_trap_assert_stderr ("*created*debug-*created*debug-*rolled over*removed*debug-*removed*debug-*persisted*lasting*");
}

/* In each way in which something is removed. */
static void
remove_all (void)
{
  g_autoptr(TfNamedFile) closed = tf_named_file_new ("debug-", NULL, NULL, NULL, NULL);
  g_autoptr(TfNamedFile) unlinked = tf_named_file_new ("debug-", NULL, NULL, NULL, NULL);
  g_autoptr(TfNamedFile) persisted = tf_named_file_new ("debug-", NULL, NULL, NULL, NULL);
  g_autoptr(TfTempDir) dir = tf_temp_dir_new ("debug-", NULL, NULL, NULL, NULL);
  g_autoptr(TfNamedFile) inside = tf_temp_dir_create_file (dir, "debug-", NULL, NULL, NULL);
  g_autoptr(GFile) destination = g_file_new_for_path ("lasting");

  g_assert_true (g_io_stream_close (G_IO_STREAM (closed), NULL, NULL));
  g_assert_true (tf_named_file_unlink (unlinked, NULL, NULL));
  g_assert_true (tf_named_file_unlink (inside, NULL, NULL));
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, NULL));
  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (persisted), destination, TF_PERSIST_NONE,
                                       NULL, NULL, NULL, NULL, NULL));
  g_assert_cmpint (unlink ("lasting"), ==, 0);
}

static void
test_kept_or_removed (void)
{
  g_autofree char *outer = NULL;
  g_autoptr(GFile) tree = NULL;

  if (g_test_subprocess ())
    {
      tf_set_temp_dir (g_getenv ("OUTER"));
      remove_all ();
      return;
    }

  outer = tf_test_path ("outer");
  tree = g_file_new_for_path (outer);
  g_assert_cmpint (mkdir (outer, 0700), ==, 0);
  g_assert_true (g_setenv ("OUTER", outer, TRUE));

  run_with ("keep,trace");
  g_test_trap_assert_stderr ("*kept*debug-*kept*debug-*kept*debug-*kept*debug-*kept*debug-*");
  g_test_trap_assert_stderr_unmatched ("*removed*");
  g_assert_cmpuint (tf_test_count_entries (outer), ==, 4);
  g_unsetenv ("TF_DEBUG");
  g_assert_true (tf_remove_tree (tree, NULL, NULL));

  g_assert_cmpint (mkdir (outer, 0700), ==, 0);
  run_with ("trace");
  g_test_trap_assert_stderr ("*removed*debug-*removed*debug-*removed*debug-*removed*debug-*removed*debug-*");
  g_test_trap_assert_stderr_unmatched ("*kept*");
  g_assert_cmpint (rmdir (outer), ==, 0);
}

static void
persist_from_memory (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  g_autoptr(GFile) destination = g_file_new_for_path ("lasting");

  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), destination, TF_PERSIST_NONE,
                                       NULL, NULL, NULL, NULL, NULL));
  g_assert_cmpint (unlink ("lasting"), ==, 0);
}

/* The place where the bytes are is named, not the one where they would be without persisting. */
static void
test_trace_place (void)
{
  if (g_test_subprocess ())
    {
      persist_from_memory ();
      return;
    }

  run_with ("trace");
  g_test_trap_assert_stderr ("*rolled over to*lasting*persisted*");
}

/* Reachable at exit, for leak checkers: volatile, or the compiler drops what nobody reads. */
static TfTempDir *volatile alive;

static void
test_leaks (void)
{
  if (g_test_subprocess ())
    {
      tf_set_temp_dir (g_getenv ("OUTER"));
      alive = tf_temp_dir_new ("debug-", NULL, NULL, NULL, NULL);
      g_assert_cmpint (rmdir (tf_test_get_sandbox ()), ==, 0);
      exit (0);
    }

  g_assert_true (g_setenv ("OUTER", tf_test_get_sandbox (), TRUE));
  run_with ("leaks");
  g_test_trap_assert_stderr ("*alive at exit*debug-*");
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);
  tf_test_ignore_fds ();

  g_test_add_func ("/debug/keep", test_keep);
  g_test_add_func ("/debug/keep/when-sweeping", test_keep_when_sweeping);
  g_test_add_func ("/debug/kept-when-handed-over", test_keep_when_handed_over);
  g_test_add_func ("/debug/trace", test_trace);
  g_test_add_func ("/debug/unrecorded", test_trace_without_journal);
  g_test_add_func ("/debug/kept-or-removed", test_kept_or_removed);
  g_test_add_func ("/debug/trace-place", test_trace_place);
  g_test_add_func ("/debug/leaks", test_leaks);

  return tf_test_run ();
}
