/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-remove.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "tf-dir.h"
#include "tf-walk.h"

/* How often a directory is emptied again because it has new entries. */
#define TRIES 16

typedef enum
{
  OURS,
  GONE,
  UNSURE,
} Found;

/* The library never creates a file with such a path. */
static gboolean
refuse (const char  *path,
        GError     **error)
{
  if (g_path_is_absolute (path) && path[strspn (path, "/")] != '\0')
    return FALSE;

  tf_errno_set_code (error, G_IO_ERROR_INVALID_ARGUMENT, "“%s” is not removed", path);
  return TRUE;
}

/* Checks whether @name in @parent_fd, which is at @path, is @identity. Another file there is an error and is left alone. */
static Found
find (int                parent_fd,
      const char        *name,
      const char        *path,
      const TfIdentity  *identity,
      GError           **error)
{
  g_autofree char *display = NULL;
  TfIdentity found;

  if (!tf_identity_read (&found, parent_fd, name))
    {
      if (errno == ENOENT || errno == ENOTDIR)
        return GONE;

      tf_errno_set (error, errno, "stat", path);
      return UNSURE;
    }

  if (tf_identity_equal (&found, identity))
    return OURS;

  display = g_filename_display_name (path);
  tf_errno_set_code (error, G_IO_ERROR_EXISTS,
                     "“%s” is not what was created there; it is left alone", display);
  return UNSURE;
}

/* Removes the file @identity at @path, if it exists. */
gboolean
tf_remove_file (const char        *path,
                const TfIdentity  *identity,
                GError           **error)
{
  Found found = refuse (path, error) ? UNSURE : find (AT_FDCWD, path, path, identity, error);

  if (found == OURS && unlink (path) != 0 && errno != ENOENT)
    return tf_errno_set (error, errno, "unlink", path);

  return found != UNSURE;
}

static gboolean
empty_and_remove (int                parent_fd,
                  const char        *name,
                  const char        *path,
                  int                dir_fd,
                  const TfIdentity  *identity,
                  GCancellable      *cancellable,
                  GError           **error)
{
  for (int i = 0; i < TRIES; i++)
    {
      Found found = find (parent_fd, name, path, identity, error);

      if (found != OURS)
        return found == GONE;

      if (unlinkat (parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return TRUE;

      if (errno != ENOTEMPTY && errno != EEXIST)
        return tf_errno_set (error, errno, "rmdir", path);

      if (!tf_walk_empty (path, dir_fd, cancellable, error))
        return FALSE;
    }

  return tf_errno_set (error, ENOTEMPTY, "rmdir", path);
}

/* Removes the directory @identity, which is behind @dir_fd, at @path, if it is there, with all it holds. Symlinks
 * are removed, not followed; mount points stay. Goes on after an error; reports the first with the number of all. */
gboolean
tf_remove_dir (const char        *path,
               int                dir_fd,
               const TfIdentity  *identity,
               GCancellable      *cancellable,
               GError           **error)
{
  if (refuse (path, error))
    return FALSE;

  return empty_and_remove (AT_FDCWD, path, path, dir_fd, identity, cancellable, error);
}

static gboolean
set_open_error (const char  *path,
                GError     **error)
{
  g_autofree char *display = NULL;

  if (errno != EXDEV)
    return tf_errno_set (error, errno, "open", path);

  display = g_filename_display_name (path);
  tf_errno_set_code (error, G_IO_ERROR_BUSY, "“%s” is a mount point; it is left alone", display);
  return FALSE;
}

/* Removes the directory @place, which is called @name in @parent_fd and has the path @path, as tf_remove_dir() does.
 * A mount point is an error. */
gboolean
tf_remove_dir_at (int                  parent_fd,
                  const char          *name,
                  const char          *path,
                  const TfSystemStat  *place,
                  GCancellable        *cancellable,
                  GError             **error)
{
  tf_autofd int fd = -1;
  TfIdentity identity;
  TfDir parent;
  TfDir dir;

  if (!tf_dir_read (&parent, parent_fd))
    return tf_errno_set (error, errno, "stat", path);

  fd = tf_dir_open (&dir, parent_fd, &parent, name);
  if (fd < 0)
    return errno == ENOENT || set_open_error (path, error);

  if (!tf_identity_read (&identity, fd, ""))
    return tf_errno_set (error, errno, "stat", path);

  if (dir.device != place->device || dir.inode != place->inode)
    return tf_errno_set (error, EEXIST, "open", path);

  return empty_and_remove (parent_fd, name, path, fd, &identity, cancellable, error);
}
