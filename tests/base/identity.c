/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "base/tf-identity.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "tf-test.h"

static TfIdentity
read_identity (const char *path)
{
  TfIdentity identity;

  g_assert_true (tf_identity_read (&identity, AT_FDCWD, path));
  return identity;
}

static void
make_file (const char *name)
{
  g_autoptr(GError) error = NULL;

  g_file_set_contents_full (name, "", 0, G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error (error);
}

static void
test_same (void)
{
  TfIdentity by_path = { 0, }, by_name = { 0, }, by_fd = { 0, }, by_link = { 0, };
  tf_autofd int dir_fd = open (".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  tf_autofd int fd = -1;

  make_file ("one");
  fd = open ("one", O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (link ("one", "other-name"), ==, 0);

  by_path = read_identity ("one");
  by_link = read_identity ("other-name");
  g_assert_true (tf_identity_read (&by_name, dir_fd, "one"));
  g_assert_true (tf_identity_read (&by_fd, fd, ""));
  g_assert_true (tf_identity_equal (&by_path, &by_name));
  g_assert_true (tf_identity_equal (&by_path, &by_fd));
  g_assert_true (tf_identity_equal (&by_path, &by_link));

  g_assert_cmpint (g_unlink ("one"), ==, 0);
  g_assert_cmpint (g_unlink ("other-name"), ==, 0);
}

static void
test_different (void)
{
  TfIdentity one, other, link;

  make_file ("one");
  make_file ("other");
  g_assert_cmpint (symlink ("one", "link"), ==, 0);

  one = read_identity ("one");
  other = read_identity ("other");
  link = read_identity ("link");
  g_assert_false (tf_identity_equal (&one, &other));
  g_assert_false (tf_identity_equal (&one, &link));

  g_assert_cmpint (g_unlink ("one"), ==, 0);
  g_assert_cmpint (g_unlink ("other"), ==, 0);
  g_assert_cmpint (g_unlink ("link"), ==, 0);
}

static void
test_every_part_counts (void)
{
  const TfIdentity one = { .device = 1, .inode = 2, .birth_seconds = 3, .birth_nanoseconds = 4 };
  const TfIdentity others[] = {
    { .device = 9, .inode = 2, .birth_seconds = 3, .birth_nanoseconds = 4 },
    { .device = 1, .inode = 9, .birth_seconds = 3, .birth_nanoseconds = 4 },
    { .device = 1, .inode = 2, .birth_seconds = 9, .birth_nanoseconds = 4 },
    { .device = 1, .inode = 2, .birth_seconds = 3, .birth_nanoseconds = 9 },
  };

  g_assert_true (tf_identity_equal (&one, &one));
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (tf_identity_equal (&one, &others[i]));
}

static void
test_missing (void)
{
  TfIdentity identity;

  g_assert_false (tf_identity_read (&identity, AT_FDCWD, "missing"));
  g_assert_cmpint (errno, ==, ENOENT);
  g_assert_false (tf_identity_read (&identity, -1, ""));
  g_assert_cmpint (errno, ==, EBADF);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/identity/same", test_same);
  g_test_add_func ("/identity/different", test_different);
  g_test_add_func ("/identity/every-part-counts", test_every_part_counts);
  g_test_add_func ("/identity/missing", test_missing);

  return tf_test_run ();
}
