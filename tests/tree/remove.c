/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tree/tf-remove.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "tf-test.h"
#include "tree.h"

/* Set to have another process remove the directory after it was found not to be empty. */
static const char *vanishes;

/* What the next calls for a directory fail with; the last one is for all that follow. */
static const int *rmdir_errnos; /* (nullable) */

/* A directory that another process removes as soon as a file was removed from it. */
static const char *vanishes_when_empty; /* (nullable) */

/* A directory that another process moves to "moved", and replaces by one of its own, as soon as a file was removed. */
static const char *replaced_when_empty; /* (nullable) */

int __real_unlinkat (int fd, const char *name, int flags);
int __wrap_unlinkat (int fd, const char *name, int flags);

int
__wrap_unlinkat (int         fd,
                 const char *name,
                 int         flags)
{
  gboolean fails = flags == AT_REMOVEDIR && rmdir_errnos != NULL;
  int result = fails ? -1 : __real_unlinkat (fd, name, flags);
  const char *path = g_steal_pointer (&vanishes);
  g_autofree char *file = path != NULL ? g_build_filename (path, "file", NULL) : NULL;

  if (fails)
    {
      errno = *rmdir_errnos;
      if (rmdir_errnos[1] != 0)
        rmdir_errnos++;
    }
  if (flags == 0 && vanishes_when_empty != NULL)
    g_assert_cmpint (rmdir (g_steal_pointer (&vanishes_when_empty)), ==, 0);
  if (flags == 0 && replaced_when_empty != NULL)
    {
      g_assert_cmpint (rename (replaced_when_empty, "moved"), ==, 0);
      tree_make_dir (g_steal_pointer (&replaced_when_empty));
    }
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

static void
assert_rmdir_fails (const int  *errnos,
                    int         code,
                    const char *in_message,
                    gboolean    is_emptied)
{
  g_autofree char *path = tf_test_path ("dir");
  g_autofree char *file = g_build_filename (path, "file", NULL);
  g_autoptr(GError) error = NULL;
  tf_autofd int fd = -1;

  tree_make_dir (path);
  tree_make_file (file);
  fd = tree_open (path);
  rmdir_errnos = errnos;
  g_assert_false (remove_tree (path, fd, &error));
  rmdir_errnos = NULL;
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_nonnull (strstr (error->message, in_message));
  g_assert_cmpint (g_file_test (file, G_FILE_TEST_EXISTS), !=, is_emptied);
  g_assert_true (remove_tree (path, fd, NULL));
}

/* What is in it goes, also where it has to stay itself. */
static void
test_errors (void)
{
  const int at_once[] = { EACCES, 0 };
  const int mount_point[] = { EBUSY, 0 };
  const int when_empty[] = { ENOTEMPTY, EACCES, 0 };
  const int never_empty[] = { EEXIST, EEXIST, ENOTEMPTY, 0 };

  assert_rmdir_fails (at_once, G_IO_ERROR_PERMISSION_DENIED, "rmdir", TRUE);
  assert_rmdir_fails (mount_point, G_IO_ERROR_BUSY, "mount point", FALSE);
  assert_rmdir_fails (when_empty, G_IO_ERROR_PERMISSION_DENIED, "rmdir", TRUE);
  assert_rmdir_fails (never_empty, G_IO_ERROR_NOT_EMPTY, "rmdir", TRUE);
}

/* Another process removes it right before this one does. */
static void
test_vanished_before_rmdir (void)
{
  const int errnos[] = { ENOTEMPTY, ENOENT, 0 };
  g_autofree char *path = tf_test_path ("dir");
  g_autofree char *file = g_build_filename (path, "file", NULL);
  g_autoptr(GError) error = NULL;
  tf_autofd int fd = -1;

  tree_make_dir (path);
  tree_make_file (file);
  fd = tree_open (path);
  rmdir_errnos = errnos;
  g_assert_true (remove_tree (path, fd, &error));
  rmdir_errnos = NULL;
  g_assert_no_error (error);
  g_assert_cmpint (rmdir (path), ==, 0);
}

/* That of another process stays. */
static void
test_replaced_when_empty (void)
{
  g_autofree char *path = tf_test_path ("dir");
  g_autofree char *file = g_build_filename (path, "file", NULL);
  g_autoptr(GError) error = NULL;
  tf_autofd int fd = -1;

  tree_make_dir (path);
  tree_make_file (file);
  fd = tree_open (path);
  replaced_when_empty = path;
  g_assert_false (remove_tree (path, fd, &error));
  g_assert_null (replaced_when_empty);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_cmpint (rmdir (path), ==, 0);
  g_assert_cmpint (rmdir ("moved"), ==, 0);
}

static void
test_vanished_when_empty (void)
{
  g_autofree char *path = tf_test_path ("dir");
  g_autofree char *file = g_build_filename (path, "file", NULL);
  g_autoptr(GError) error = NULL;
  tf_autofd int fd = -1;

  tree_make_dir (path);
  tree_make_file (file);
  fd = tree_open (path);
  vanishes_when_empty = path;
  g_assert_true (remove_tree (path, fd, &error));
  g_assert_no_error (error);
  g_assert_null (vanishes_when_empty);
}

static void
test_cancelled (void)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *path = tf_test_path ("dir");
  g_autofree char *file = g_build_filename (path, "file", NULL);
  TfIdentity identity;
  g_autoptr(GError) error = NULL;
  tf_autofd int fd = tree_open (".");

  tree_make_dir (path);
  tree_make_file (file);
  identity = identify (path);
  g_cancellable_cancel (cancellable);
  g_assert_false (tf_remove_dir_at (fd, "dir", path, &identity, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (g_file_test (file, G_FILE_TEST_EXISTS));
  g_assert_true (tf_remove_dir_at (fd, "dir", path, &identity, NULL, NULL));
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/remove/reused-inode", test_reused_inode);
  g_test_add_func ("/remove/tree", test_tree);
  g_test_add_func ("/remove/moved-tree", test_moved_tree);
  g_test_add_func ("/remove/refused", test_refused);
  g_test_add_func ("/remove/vanished", test_vanished);
  g_test_add_func ("/remove/vanished/when-empty", test_vanished_when_empty);
  g_test_add_func ("/remove/replaced-when-empty", test_replaced_when_empty);
  g_test_add_func ("/remove/vanished/before-rmdir", test_vanished_before_rmdir);
  g_test_add_func ("/remove/errors", test_errors);
  g_test_add_func ("/remove/cancelled", test_cancelled);

  return tf_test_run ();
}
