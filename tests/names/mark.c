/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "names/tf-mark.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "tf-test.h"
#include "tree.h"

static int
open_new (const char *name,
          TfIdentity *identity)
{
  int fd = open (name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (tf_identity_read (identity, fd, ""));
  return fd;
}

static gboolean
skip_without_attributes (int fd)
{
  if (tf_test_skip_if_portable ("extended attributes"))
    return TRUE;

  if (fsetxattr (fd, "user.probe", "x", 1, 0) == 0)
    return FALSE;

  g_test_skip ("no extended attributes in this file system");
  return TRUE;
}

static void
test_set_and_clear (void)
{
  TfIdentity identity;
  tf_autofd int fd = open_new ("file", &identity);

  g_assert_cmpint (unlink ("file"), ==, 0);
  if (skip_without_attributes (fd))
    return;

  g_assert_false (tf_mark_is_set (fd, &identity));
  g_assert_true (tf_mark_set (fd, &identity));
  g_assert_true (tf_mark_is_set (fd, &identity));
  g_assert_true (tf_mark_clear (fd));
  g_assert_false (tf_mark_is_set (fd, &identity));
  g_assert_true (tf_mark_clear (fd));
}

/* As a copy has it that takes the attributes along. */
static void
test_copied (void)
{
  TfIdentity one_identity;
  TfIdentity two_identity;
  tf_autofd int one = open_new ("one", &one_identity);
  tf_autofd int two = open_new ("two", &two_identity);
  char value[100];
  gssize length;

  g_assert_cmpint (unlink ("one"), ==, 0);
  g_assert_cmpint (unlink ("two"), ==, 0);
  if (skip_without_attributes (one))
    return;

  g_assert_true (tf_mark_set (one, &one_identity));
  length = fgetxattr (one, "user.tempfile-glib", value, sizeof value);
  g_assert_cmpint (length, >, 0);
  g_assert_cmpint (fsetxattr (two, "user.tempfile-glib", value, length, 0), ==, 0);

  g_assert_true (tf_mark_is_set (one, &one_identity));
  g_assert_false (tf_mark_is_set (two, &two_identity));
}

static void
clear_without_permission (void)
{
  TfIdentity identity;
  tf_autofd int fd = open_new ("file", &identity);
  struct stat st;

  g_assert_cmpint (unlink ("file"), ==, 0);
  if (!tf_mark_set (fd, &identity))
    return;

  g_assert_cmpint (fchmod (fd, 0400), ==, 0);
  g_assert_true (tf_mark_clear (fd));
  g_assert_false (tf_mark_is_set (fd, &identity));
  g_assert_cmpint (fstat (fd, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0400);
}

static void
test_read_only (void)
{
  tf_test_as_unprivileged (clear_without_permission);
}

static void
test_early (void)
{
  TfIdentity identity;
  tf_autofd int file = open_new ("file", &identity);
  tf_autofd int dir = -1;

  g_assert_false (tf_mark_is_early (file));
  g_assert_cmpint (fchmod (file, 0600 | TF_MARK_MODE), ==, 0);
  g_assert_true (tf_mark_is_early (file));
  g_assert_cmpint (write (file, "x", 1), ==, 1);
  g_assert_false (tf_mark_is_early (file));
  g_assert_cmpint (unlink ("file"), ==, 0);

  tree_make_dir ("dir");
  dir = tree_open ("dir");
  g_assert_false (tf_mark_is_early (dir));
  g_assert_cmpint (fchmod (dir, 0700 | TF_MARK_MODE), ==, 0);
  g_assert_true (tf_mark_is_early (dir));
  tree_make_file ("dir/file");
  g_assert_false (tf_mark_is_early (dir));
  g_assert_cmpint (unlink ("dir/file"), ==, 0);
  g_assert_cmpint (rmdir ("dir"), ==, 0);
}

static void
test_lock (void)
{
  tf_autofd int one = -1;
  tf_autofd int two = -1;
  tf_autofd int three = -1;

  tree_make_dir ("dir");
  one = tree_open ("dir");
  two = tree_open ("dir");
  three = tree_open ("dir");
  g_assert_cmpint (rmdir ("dir"), ==, 0);
  if (tf_test_skip_if_portable ("locks that outlive a fork"))
    return;

  g_assert_true (tf_mark_lock (one));
  g_assert_true (tf_mark_lock (two));
  g_assert_cmpint (flock (three, LOCK_EX | LOCK_NB), !=, 0);
  tf_fd_clear (&one);
  tf_fd_clear (&two);
  g_assert_cmpint (flock (three, LOCK_EX | LOCK_NB), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/mark/set-and-clear", test_set_and_clear);
  g_test_add_func ("/mark/copied", test_copied);
  g_test_add_func ("/mark/read-only", test_read_only);
  g_test_add_func ("/mark/early", test_early);
  g_test_add_func ("/mark/lock", test_lock);

  return tf_test_run ();
}
