/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "base/tf-fd.h"

#include <fcntl.h>

#include "tf-test.h"

static int
open_null (void)
{
  int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static void
assert_closed (int fd)
{
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, -1);
  g_assert_cmpint (errno, ==, EBADF);
}

static void
test_clear (void)
{
  int fd = open_null ();
  int copy = fd;

  tf_fd_clear (&fd);
  g_assert_cmpint (fd, ==, -1);
  assert_closed (copy);

  tf_fd_clear (&fd);
  g_assert_cmpint (fd, ==, -1);
}

static void
test_clear_keeps_errno (void)
{
  int fd = G_MAXINT;

  /* close() fails here, with EBADF. */
  errno = ENOSPC;
  tf_fd_clear (&fd);
  g_assert_cmpint (errno, ==, ENOSPC);
  g_assert_cmpint (fd, ==, -1);
}

static void
test_auto (void)
{
  int copy;

  {
    tf_autofd int fd = open_null ();

    copy = fd;
  }

  assert_closed (copy);
}

static void
test_steal (void)
{
  int stolen;

  {
    tf_autofd int fd = open_null ();

    stolen = tf_fd_steal (&fd);
    g_assert_cmpint (fd, ==, -1);
  }

  g_assert_cmpint (fcntl (stolen, F_GETFD), >=, 0);
  tf_fd_clear (&stolen);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/fd/clear", test_clear);
  g_test_add_func ("/fd/clear-keeps-errno", test_clear_keeps_errno);
  g_test_add_func ("/fd/auto", test_auto);
  g_test_add_func ("/fd/steal", test_steal);

  return tf_test_run ();
}
