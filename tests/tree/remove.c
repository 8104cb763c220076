/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tree/tf-remove.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "tf-test.h"
#include "tree.h"

/* Set to have another process remove the directory after it was found not to be empty. */
static const char *vanishes;

int __real_unlinkat (int fd, const char *name, int flags);
int __wrap_unlinkat (int fd, const char *name, int flags);

int
__wrap_unlinkat (int         fd,
                 const char *name,
                 int         flags)
{
  int result = __real_unlinkat (fd, name, flags);
  const char *path = g_steal_pointer (&vanishes);
  g_autofree char *file = path != NULL ? g_build_filename (path, "file", NULL) : NULL;

  if (path == NULL)
    return result;

  g_assert_cmpint (result, ==, -1);
  g_assert_cmpint (errno, ==, ENOTEMPTY);
  g_assert_cmpint (unlink (file), ==, 0);
  g_assert_cmpint (rmdir (path), ==, 0);
  errno = ENOTEMPTY;
  return result;
}

/* Removes @name if it is what is behind @fd. */
static gboolean
remove_tree (const char  *path,
             int          fd,
             GError     **error)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  tf_autofd int parent_fd = tree_open (parent);
  TfIdentity identity;

  g_assert_true (tf_identity_read (&identity, fd, ""));
  return tf_remove_dir_at (parent_fd, name, path, &identity, NULL, error);
}

static TfIdentity
identify (const char *path)
{
  TfIdentity identity = { 0 };

  g_assert_true (tf_identity_read (&identity, AT_FDCWD, path));
  return identity;
}

static void
test_file (void)
{
  g_autofree char *path = tf_test_path ("file");
  g_autoptr(GError) error = NULL;
  TfIdentity identity;

  tree_make_file (path);
  identity = identify (path);
  g_assert_true (tf_remove_file (path, &identity, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));

  /* Already gone. */
  g_assert_true (tf_remove_file (path, &identity, &error));
  g_assert_no_error (error);
}

static void
test_stranger (void)
{
  g_autofree char *path = tf_test_path ("file");
  g_autoptr(GError) error = NULL;
  TfIdentity identity;

  tree_make_file (path);
  identity = identify (path);
  tree_make_file ("other");
  g_assert_cmpint (rename ("other", path), ==, 0);

  g_assert_false (tf_remove_file (path, &identity, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpint (unlink (path), ==, 0);
}

/* The file system may give the inode number of a file to the next one; the birth time tells them apart, as
 * soon as its clock has ticked. */
static void
test_reused_inode (void)
{
  g_autofree char *path = tf_test_path ("file");
  TfIdentity first;
  TfIdentity next;

  tree_make_file (path);
  first = next = identify (path);
  while (first.birth_seconds != 0 &&
         first.birth_seconds == next.birth_seconds &&
         first.birth_nanoseconds == next.birth_nanoseconds)
    {
      g_assert_cmpint (unlink (path), ==, 0);
      tree_make_file (path);
      next = identify (path);
    }

  next.inode = first.inode;
  g_assert_true (first.birth_seconds == 0 || !tf_identity_equal (&first, &next));
  g_assert_cmpint (unlink (path), ==, 0);
}

static void
test_tree (void)
{
  g_autofree char *path = tf_test_path ("tree");
  g_autoptr(GError) error = NULL;
  tf_autofd int fd = -1;

  tree_make_dir (path);
  tree_make_wide (path, 3, 3);
  fd = tree_open (path);
  g_assert_true (remove_tree (path, fd, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));

  g_assert_true (remove_tree (path, fd, &error));
  g_assert_no_error (error);
}

/* A directory that was moved away keeps what it holds, and so does the one that has its name now. */
static void
test_moved_tree (void)
{
  g_autofree char *path = tf_test_path ("tree");
  g_autoptr(GError) error = NULL;
  tf_autofd int fd = -1;

  tree_make_dir (path);
  tree_make_file ("tree/file");
  fd = tree_open (path);
  g_assert_cmpint (rename ("tree", "moved"), ==, 0);

  g_assert_true (remove_tree (path, fd, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_test ("moved/file", G_FILE_TEST_EXISTS));

  tree_make_dir (path);
  tree_make_file ("tree/stranger");
  g_assert_false (remove_tree (path, fd, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_true (g_file_test ("tree/stranger", G_FILE_TEST_EXISTS));

  g_assert_cmpint (unlink ("tree/stranger"), ==, 0);
  g_assert_cmpint (rmdir ("tree"), ==, 0);
  tree_make_link ("moved", path);
  g_clear_error (&error);
  g_assert_false (remove_tree (path, fd, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY);
  g_assert_true (g_file_test ("moved/file", G_FILE_TEST_EXISTS));

  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (rename ("moved", "tree"), ==, 0);
  g_clear_error (&error);
  g_assert_true (remove_tree (path, fd, &error));
  g_assert_no_error (error);
}

static void
test_refused (void)
{
  const char *paths[] = { "", "/", "//", ".", "relative" };
  tf_autofd int fd = tree_open ("/");
  TfIdentity identity = identify ("/");

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_false (tf_remove_dir_at (fd, "tree", paths[i], &identity, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
      g_clear_error (&error);
      g_assert_false (tf_remove_file (paths[i], &identity, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    }
}

static void
test_vanished (void)
{
  g_autofree char *path = tf_test_path ("dir");
  g_autofree char *file = g_build_filename (path, "file", NULL);
  g_autoptr(GError) error = NULL;
  tf_autofd int fd = -1;

  tree_make_dir (path);
  tree_make_file (file);
  fd = tree_open (path);
  vanishes = path;
  g_assert_true (remove_tree (path, fd, &error));
  g_assert_no_error (error);
  g_assert_null (vanishes);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/remove/file", test_file);
  g_test_add_func ("/remove/stranger", test_stranger);
  g_test_add_func ("/remove/reused-inode", test_reused_inode);
  g_test_add_func ("/remove/tree", test_tree);
  g_test_add_func ("/remove/moved-tree", test_moved_tree);
  g_test_add_func ("/remove/refused", test_refused);
  g_test_add_func ("/remove/vanished", test_vanished);

  return tf_test_run ();
}
