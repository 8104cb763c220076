/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test-disk.h"
#include "tf-test.h"
#include "tree.h"

/* How trees are removed in bad conditions is tested with the unit that removes them, mount points with mounts. */

static gboolean
exists (const char *path)
{
  GStatBuf st;

  return g_lstat (path, &st) == 0;
}

static gboolean
remove_path (const char    *path,
             GCancellable  *cancellable,
             GError       **error)
{
  g_autoptr(GFile) file = g_file_new_for_path (path);

  return tf_remove_tree (file, cancellable, error);
}

static gboolean
remove_async (const char    *path,
              GCancellable  *cancellable,
              GError       **error)
{
  g_autoptr(GFile) file = g_file_new_for_path (path);
  g_autoptr(GAsyncResult) result = NULL;

  tf_remove_tree_async (file, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, &result);
  return tf_remove_tree_finish (tf_test_wait (&result), error);
}

typedef gboolean (*RemoveFunc) (const char    *path,
                                GCancellable  *cancellable,
                                GError       **error);

static const RemoveFunc ways[] = { remove_path, remove_async };

static void
assert_removed (const char *path)
{
  g_autoptr(GError) error = NULL;

  remove_path (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (exists (path));
}

static void
assert_fails (const char *path,
              int         code)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_false (ways[i] (path, NULL, &error));
      g_assert_error (error, G_IO_ERROR, code);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
}

static void
test_tree (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autoptr(GError) error = NULL;

      tree_make_dir ("tree");
      tree_make_wide ("tree", 3, 3);
      tree_make_deep ("tree", 50);
      g_assert_true (ways[i] ("tree", NULL, &error));
      g_assert_no_error (error);
      g_assert_false (exists ("tree"));
    }
}

static void
test_file (void)
{
  tree_make_file ("\xff");
  assert_removed ("\xff");
  tree_make_dir ("empty");
  assert_removed ("empty/");
  if (!tf_test_disk_has_fifos ())
    return;

  g_assert_cmpint (mkfifo ("fifo", 0600), ==, 0);
  assert_removed ("fifo");
}

static void
test_symlink (void)
{
  tree_make_dir ("target");
  tree_make_file ("target/precious");
  tree_make_link ("target", "link");
  tree_make_link ("missing", "dangling");
  assert_removed ("link");
  assert_removed ("dangling");

  /* In the tree, and on the way to it. */
  tree_make_dir ("tree");
  tree_make_link ("../target", "tree/link");
  tree_make_link (".", "way");
  assert_removed ("way/tree");
  assert_removed ("way");

  g_assert_true (exists ("target/precious"));
  assert_removed ("target");
}

static void
test_not_found (void)
{
  tree_make_file ("file");
  assert_fails ("missing", G_IO_ERROR_NOT_FOUND);
  assert_fails ("missing/dir", G_IO_ERROR_NOT_FOUND);
  assert_fails ("file/dir", G_IO_ERROR_NOT_DIRECTORY);
  assert_removed ("file");
}

static void
test_not_local (void)
{
  g_autoptr(GFile) file = g_file_new_for_uri ("resource:///org/example");
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_remove_tree (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "resource:///org/example"));
  g_clear_error (&error);

  tf_remove_tree_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  g_assert_false (tf_remove_tree_finish (tf_test_wait (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
}

static void
test_cancelled (void)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();

  tree_make_dir ("tree");
  tree_make_wide ("tree", 1, 1);
  g_cancellable_cancel (cancellable);
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_false (ways[i] ("tree", cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_cmpuint (tf_test_count_entries ("tree"), ==, 1);
    }

  assert_removed ("tree");
}

/* Should any of these not be refused, the loss is that of a user who may do nothing. */
static void
refuse_root (void)
{
  const char * const roots[] = { "/", "//", "///", "/.", "/..", "/tmp/.." };

  for (gsize i = 0; i < G_N_ELEMENTS (roots); i++)
    assert_fails (roots[i], G_IO_ERROR_INVALID_ARGUMENT);
}

static void
test_root (void)
{
  tf_test_as_unprivileged (refuse_root);
}

/* $HOME is a/home. */
static void
test_home (void)
{
  const char * const homes[] = { "a/home", "a/home/.", "a", "way/a/home", "way/a", "a/home/x/.." };

  tree_make_dir ("a");
  tree_make_dir ("a/home");
  tree_make_file ("a/home/precious");
  tree_make_dir ("a/beside");
  tree_make_link (".", "way");

  for (gsize i = 0; i < G_N_ELEMENTS (homes); i++)
    {
      assert_fails (homes[i], G_IO_ERROR_INVALID_ARGUMENT);
      g_assert_true (exists ("a/home/precious"));
    }

  assert_removed ("a/home/precious");
  assert_removed ("a/beside");
  g_assert_cmpint (g_rmdir ("a/home"), ==, 0);
  assert_removed ("a");
  assert_removed ("way");
}

/* Where it is a link, it is the path that users know it by. */
static void
test_known_home (void)
{
  tree_make_dir ("a");
  tree_make_dir ("real");
  tree_make_link ("../real", "a/home");
  assert_fails ("a/home", G_IO_ERROR_INVALID_ARGUMENT);
  if (tf_test_disk_has_links ())
    assert_fails ("real", G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_cmpint (unlink ("a/home"), ==, 0);
  assert_removed ("real");
  assert_removed ("a");
}

/* The home is what the link leads to, not the link. */
static void
test_linked_home (void)
{
  if (!tf_test_disk_has_links ())
    {
      g_test_skip ("the link cannot be followed");
      return;
    }

  tree_make_dir ("a");
  tree_make_dir ("real");
  tree_make_link ("../real", "a/home");
  assert_fails ("real", G_IO_ERROR_INVALID_ARGUMENT);
  assert_removed ("a");
  assert_removed ("real");
}

static void
assert_closed_refused (const char *closed)
{
  const guint modes[] = { 0000, 0300, 0500, 0600 };

  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_assert_cmpint (g_chmod (closed, modes[i]), ==, 0);
      assert_fails (closed, G_IO_ERROR_INVALID_ARGUMENT);
      g_assert_cmpint (g_chmod (closed, 0700), ==, 0);
    }
}

static void
refuse_closed_homes (void)
{
  tree_make_dir ("a");
  tree_make_dir ("a/home");
  assert_closed_refused ("a");
  assert_closed_refused ("a/home");

  /* What is nobody's home is removed meanwhile. */
  tree_make_dir ("other");
  g_assert_cmpint (g_chmod ("a", 0), ==, 0);
  assert_removed ("other");
  g_assert_cmpint (g_chmod ("a", 0700), ==, 0);
  g_assert_cmpint (g_rename ("a", "real"), ==, 0);

  tree_make_link ("real", "a");
  assert_closed_refused ("real");
  assert_closed_refused ("real/home");
  assert_removed ("a");
  assert_removed ("real");
}

static void
refuse_closed_linked_homes (void)
{
  tree_make_dir ("real");
  tree_make_dir ("real/home");
  tree_make_dir ("a");
  tree_make_link ("../real/home", "a/home");
  assert_closed_refused ("real");
  assert_closed_refused ("real/home");
  assert_removed ("a");
  assert_removed ("real");
}

/* The owner of a home may have closed it, or what holds it, and is refused all the same. */
static void
test_closed_home (void)
{
  if (!tf_test_disk_has_users () || !tf_test_disk_has_modes ())
    {
      g_test_skip ("nobody can close a home");
      return;
    }

  tf_test_as_unprivileged (refuse_closed_homes);
  if (tf_test_disk_has_links ())
    tf_test_as_unprivileged (refuse_closed_linked_homes);
}

static void
remove_what_is_closed (void)
{
  assert_fails ("closed/tree", G_IO_ERROR_PERMISSION_DENIED);
}

static void
remove_own (void)
{
  tree_make_dir ("open/tree");
  tree_make_file ("open/tree/file");
  g_assert_cmpint (g_chmod ("open/tree", 0), ==, 0);
  assert_removed ("open/tree");
}

static void
test_permissions (void)
{
  if (!tf_test_disk_has_modes ())
    {
      g_test_skip ("nothing can be closed");
      return;
    }

  tree_make_dir ("closed");
  tree_make_dir ("closed/tree");
  tree_make_dir ("open");
  g_assert_cmpint (g_chmod ("closed", 0555), ==, 0);
  g_assert_cmpint (g_chmod ("open", 0777), ==, 0);
  tf_test_as_unprivileged (remove_what_is_closed);
  g_assert_true (exists ("closed/tree"));
  if (tf_test_disk_has_users ())
    tf_test_as_unprivileged (remove_own);
  g_assert_cmpint (g_chmod ("closed", 0755), ==, 0);
  assert_removed ("closed");
  assert_removed ("open");
}

static void
test_no_fds (void)
{
  g_autoptr(GError) error = NULL;

  tree_make_dir ("tree");
  tree_make_file ("tree/file");
  for (guint n = 0; n < 2; n++)
    {
      tf_test_take_fds ();
      tf_test_give_fds (n);
      g_assert_false (remove_path ("tree", NULL, &error));
      tf_test_give_all_fds ();
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
      g_clear_error (&error);
      g_assert_true (exists ("tree/file"));
    }

  assert_removed ("tree");
}

/* A child has no less to say about a tree than its parent. */
static void
remove_in_child (void)
{
  assert_removed ("tree");
}

static void
test_child (void)
{
  tree_make_dir ("tree");
  tree_make_wide ("tree", 2, 2);
  tf_test_in_child (remove_in_child);
  g_assert_false (exists ("tree"));
}

int
main (int    argc,
      char **argv)
{
  g_autofree char *home = NULL;

  tf_test_init_async (&argc, &argv);

  /* GLib asks once. */
  home = tf_test_path ("a/home");
  g_assert_true (g_setenv ("HOME", home, TRUE));
  g_assert_cmpstr (g_get_home_dir (), ==, home);

  g_test_add_func ("/remove-tree/child", test_child);
  tf_test_add_async ("/remove-tree/tree", test_tree);
  g_test_add_func ("/remove-tree/file", test_file);
  g_test_add_func ("/remove-tree/symlink", test_symlink);
  tf_test_add_async ("/remove-tree/not-found", test_not_found);
  g_test_add_func ("/remove-tree/not-local", test_not_local);
  tf_test_add_async ("/remove-tree/cancelled", test_cancelled);
  g_test_add_func ("/remove-tree/root", test_root);
  g_test_add_func ("/remove-tree/home", test_home);
  g_test_add_func ("/remove-tree/closed-home", test_closed_home);
  g_test_add_func ("/remove-tree/known-home", test_known_home);
  g_test_add_func ("/remove-tree/linked-home", test_linked_home);
  g_test_add_func ("/remove-tree/permissions", test_permissions);
  g_test_add_func ("/remove-tree/no-fds", test_no_fds);

  return tf_test_run ();
}
