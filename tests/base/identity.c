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
  const TfIdentity one = { .device = 1, .inode = 2, .type = S_IFREG, .birth_seconds = 3, .birth_nanoseconds = 4 };
  const TfIdentity others[] = {
    { .device = 9, .inode = 2, .type = S_IFREG, .birth_seconds = 3, .birth_nanoseconds = 4 },
    { .device = 1, .inode = 2, .type = S_IFDIR, .birth_seconds = 3, .birth_nanoseconds = 4 },
    { .device = 1, .inode = 9, .type = S_IFREG, .birth_seconds = 3, .birth_nanoseconds = 4 },
    { .device = 1, .inode = 2, .type = S_IFREG, .birth_seconds = 9, .birth_nanoseconds = 4 },
    { .device = 1, .inode = 2, .type = S_IFREG, .birth_seconds = 3, .birth_nanoseconds = 9 },
  };

  g_assert_true (tf_identity_equal (&one, &one));
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (tf_identity_equal (&one, &others[i]));
}

/* A birth time that has no nanoseconds, or is in the first second, is one. */
static void
test_birth (void)
{
  const TfIdentity births[] = { { .birth_seconds = 3 }, { .birth_nanoseconds = 4 } };
  const TfIdentity none = { .device = 1, .inode = 2 };

  for (gsize i = 0; i < G_N_ELEMENTS (births); i++)
    g_assert_true (tf_identity_has_birth (&births[i]));
  g_assert_false (tf_identity_has_birth (&none));
}

/* What looks in any way as if somebody had used it is not new. */
static void
test_new (void)
{
  const gint64 second = G_GINT64_CONSTANT (1000000000);
  const TfSystemStat file = { .mode = S_IFREG | 0600, .n_links = 1, .birth_seconds = 7, .modified = 7 * second, .changed = 7 * second };
  const TfSystemStat dir = { .mode = S_IFDIR | 0700, .n_links = 2, .birth_seconds = 7, .modified = 7 * second, .changed = 7 * second };
  TfSystemStat used[] = { file, file, file, file, file };

  g_assert_true (tf_identity_is_new (&file, FALSE));
  g_assert_true (tf_identity_is_new (&dir, TRUE));
  g_assert_false (tf_identity_is_new (&file, TRUE));
  g_assert_false (tf_identity_is_new (&dir, FALSE));

  used[0].size = 1;
  used[1].n_links = 2;
  used[2].modified += second;
  used[3].changed += second;
  used[4].birth_seconds -= 1;
  for (gsize i = 0; i < G_N_ELEMENTS (used); i++)
    g_assert_false (tf_identity_is_new (&used[i], FALSE));
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
  g_test_add_func ("/identity/birth", test_birth);
  g_test_add_func ("/identity/new", test_new);
  g_test_add_func ("/identity/missing", test_missing);

  return tf_test_run ();
}
