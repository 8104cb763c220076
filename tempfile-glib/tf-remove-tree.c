/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-remove-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-debug.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "base/tf-task.h"
#include "tree/tf-remove.h"

/* The number of symlinks that Linux follows in a path. */
#define MAX_LINKS 40

static gboolean
is_same (const TfSystemStat *a,
         const TfSystemStat *b)
{
  return a->device == b->device && a->inode == b->inode;
}

/* Whether @dir is the directory at @path, or one above it. */
static gboolean
is_above (const TfSystemStat *dir,
          const char         *path)
{
  g_autoptr(GString) up = g_string_new (path);
  TfSystemStat above;
  TfSystemStat here = { 0 };

  /* Follows a symlink at the end of the path. */
  g_string_append (up, "/.");
  while (tf_system_stat (&above, AT_FDCWD, up->str) && !is_same (&above, &here))
    {
      if (is_same (dir, &above))
        return TRUE;

      here = above;
      g_string_append (up, "/..");
    }

  return FALSE;
}

/* Whether @path leads through @dir by name. */
static gboolean
is_named_by (const TfSystemStat *dir,
             const char         *path)
{
  g_autofree char *name = g_canonicalize_filename (path, NULL);
  struct stat st;

  for (char *end = name + strlen (name); end > name; end = strrchr (name, '/'))
    {
      *end = '\0';
      if (stat (*name != '\0' ? name : "/", &st) == 0 && st.st_dev == dir->device && st.st_ino == dir->inode)
        return TRUE;
    }

  return FALSE;
}

/* As is_named_by(), for a path that cannot be resolved, by each of the symlinks that it is. */
static gboolean
is_named_by_links (const TfSystemStat *dir,
                   const char         *path)
{
  g_autofree char *name = g_strdup (path);

  for (guint i = 0; i < MAX_LINKS && name != NULL; i++)
    {
      g_autofree char *target = g_file_read_link (name, NULL);
      g_autofree char *parent = g_path_get_dirname (name);

      if (is_named_by (dir, name))
        return TRUE;

      g_free (name);
      name = target != NULL ? g_canonicalize_filename (target, parent) : NULL;
    }

  return FALSE;
}

/* Whether @dir is the directory at @path or holds it. The way up by ".." does not lead out of a directory that may not
 * be entered, but its owner could open it; the name of such a directory is enough to look at it. */
static gboolean
holds (const TfSystemStat *dir,
       const char         *path)
{
  g_autofree char *real = realpath (path, NULL);

  if (real != NULL)
    return is_above (dir, path) || is_named_by (dir, real);

  return errno == EACCES && is_named_by_links (dir, path);
}

static gboolean
is_precious (const TfSystemStat *dir)
{
  g_autofree struct passwd *user = g_unix_get_passwd_entry (g_get_user_name (), NULL);

  return holds (dir, "/") ||
         holds (dir, g_get_home_dir ()) ||
         (user != NULL && user->pw_dir != NULL && holds (dir, user->pw_dir));
}

/* Whether @found is the symlink by which users know their home directory. */
static gboolean
is_link_to_home (const TfSystemStat *found)
{
  struct stat st;

  return S_ISLNK (found->mode) && lstat (g_get_home_dir (), &st) == 0 &&
         st.st_dev == found->device && st.st_ino == found->inode;
}

static gboolean
refuse (const char  *path,
        GError     **error)
{
  g_autofree char *display = g_filename_display_name (path);

  tf_errno_set_code (error, G_IO_ERROR_INVALID_ARGUMENT,
                     "“%s” is the root directory, or is or holds the home directory; it is not removed", display);
  return FALSE;
}

static gboolean
remove_found (int            parent_fd,
              const char    *name,
              const char    *path,
              GCancellable  *cancellable,
              GError       **error)
{
  TfIdentity identity;
  TfSystemStat found;

  if (!tf_system_stat_in (&found, parent_fd, name, FALSE))
    return tf_errno_set (error, errno, "stat", path);

  if (is_link_to_home (&found))
    return refuse (path, error);

  /* If it has become a directory in the meantime, this fails. */
  if (!S_ISDIR (found.mode))
    return unlinkat (parent_fd, name, 0) == 0 || tf_errno_set (error, errno, "unlink", path);

  if (is_precious (&found))
    return refuse (path, error);

  if (found.is_mounted)
    return tf_errno_set_mounted (error, path);

  tf_identity_set (&identity, &found);
  return tf_remove_dir_at (parent_fd, name, path, &identity, cancellable, error);
}

static gboolean
remove_path (const char    *path,
             GCancellable  *cancellable,
             GError       **error)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  const char * const not_names[] = { "/", ".", "..", NULL };
  tf_autofd int parent_fd = -1;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  /* These are not names of entries. */
  if (g_strv_contains (not_names, name))
    return refuse (path, error);

  parent_fd = tf_system_open_dir (parent);
  if (parent_fd < 0)
    return tf_errno_set (error, errno, "open", parent);

  if (!remove_found (parent_fd, name, path, cancellable, error))
    return FALSE;

  tf_debug_trace ("removed", path);
  return TRUE;
}

static gboolean
remove_tree (GFile         *file,
             GCancellable  *cancellable,
             GError       **error)
{
  g_autofree char *path = g_file_is_native (file) ? g_file_get_path (file) : NULL;
  g_autofree char *name = NULL;

  if (path != NULL)
    return remove_path (path, cancellable, error);

  name = g_file_get_parse_name (file);
  tf_errno_set_code (error, G_IO_ERROR_NOT_SUPPORTED, "“%s” is not a local file", name);
  return FALSE;
}

/**
 * tf_remove_tree:
 * @file: a local directory or file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Removes a directory together with its contents, or a file, as a [class@TempDir] is removed.
 *
 * A symbolic link is removed, never followed: @file itself may be one. Directories that the owner cannot read or enter
 * are made accessible first. Mount points in the tree, and everything below them, are left in place; everything else
 * is removed, subvolumes of btrfs included. See [class@TempDir] for details.
 *
 * The root directory, the home directory, and a directory that holds the home directory are refused, by whatever
 * path they are reached, with %G_IO_ERROR_INVALID_ARGUMENT, and so is a symbolic link that is the path of the home
 * directory; a mount point with %G_IO_ERROR_BUSY. Of these, nothing is removed.
 *
 * When something cannot be removed, the call goes on with the rest, and reports the first error, with its path and
 * the number of errors. The function may be called from any thread. It blocks on the disk.
 *
 * Other errors are of %G_IO_ERROR: %G_IO_ERROR_NOT_FOUND if @file does not exist, but an entry that disappears
 * during the call does not cause an error; %G_IO_ERROR_NOT_SUPPORTED if @file is not local; %G_IO_ERROR_BUSY if
 * there is a mount point in the tree; %G_IO_ERROR_NOT_EMPTY if someone keeps filling the directory;
 * %G_IO_ERROR_EXISTS if someone put another one in its place; %G_IO_ERROR_CANCELLED; otherwise an error mapped from
 * the errno of the call that failed.
 *
 * Returns: %TRUE if it was removed
 *
 * Since: 1.0
 */
gboolean
tf_remove_tree (GFile         *file,
                GCancellable  *cancellable,
                GError       **error)
{
  g_return_val_if_fail (G_IS_FILE (file), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return remove_tree (file, cancellable, error);
}

static gssize
remove_tree_func (gpointer       no_object,
                  gpointer       task_data,
                  GCancellable  *cancellable,
                  GError       **error)
{
  if (!tf_task_may_block (error))
    return -1;

  return remove_tree (task_data, cancellable, error) ? 0 : -1;
}

/**
 * tf_remove_tree_async:
 * @file: a local directory or file
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [func@Tf.remove_tree].
 *
 * A worker thread does the work.
 *
 * @callback is called in the thread-default main context of the caller. It calls [func@Tf.remove_tree_finish].
 *
 * Since: 1.0
 */
void
tf_remove_tree_async (GFile               *file,
                      int                  io_priority,
                      GCancellable        *cancellable,
                      GAsyncReadyCallback  callback,
                      gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;

  g_return_if_fail (G_IS_FILE (file));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = tf_task_new (NULL, tf_remove_tree_async, io_priority, cancellable, callback, user_data);
  g_task_set_task_data (task, g_object_ref (file), g_object_unref);
  tf_task_run (task, remove_tree_func);
}

/**
 * tf_remove_tree_finish:
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [func@Tf.remove_tree_async].
 *
 * The errors are those of [func@Tf.remove_tree].
 *
 * Returns: %TRUE if it was removed
 *
 * Since: 1.0
 */
gboolean
tf_remove_tree_finish (GAsyncResult  *result,
                       GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_task_finish (NULL, result, tf_remove_tree_async, error) >= 0;
}
