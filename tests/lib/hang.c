/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A test that hangs is named when it is ended. */

#include <glib.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test.h"

static void
test_named (void)
{
  if (g_test_subprocess ())
    {
      g_assert_cmpint (rmdir (tf_test_get_sandbox ()), ==, 0);
      kill (getpid (), SIGTERM);
      return;
    }

  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stdout ("*\n# ended in /hang/named\n*");
}

/* Signals to children mean what they mean without tests. */
static void
test_children (void)
{
  pid_t pid = fork ();
  int status;

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      raise (SIGTERM);
      _exit (0);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGTERM);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);
  g_test_add_func ("/hang/named", test_named);
  g_test_add_func ("/hang/children", test_children);
  return tf_test_run ();
}
