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
  TfSystemStat st;

  if (!tf_system_stat_in (&st, parent_fd, name, FALSE))
    {
      if (errno == ENOENT || errno == ENOTDIR)
        return GONE;

      tf_errno_set (error, errno, "stat", path);
      return UNSURE;
    }

  if (st.is_mounted)
    {
      tf_errno_set_mounted (error, path);
      return UNSURE;
    }

  tf_identity_set (&found, &st);
  if (tf_identity_equal (&found, identity))
    return OURS;

  display = g_filename_display_name (path);
  tf_errno_set_code (error, G_IO_ERROR_EXISTS,
                     "“%s” is not what was created there; it is left alone", display);
  return UNSURE;
}

static gboolean
set_open_error (const char  *path,
                GError     **error)
{
  return errno == EXDEV || errno == EBUSY ? tf_errno_set_mounted (error, path) : tf_errno_set (error, errno, "open", path);
}

/* Opens the directory @name in @parent_fd if it is @identity. Returns -1 with @error set, or without if there is none. */
static int
open_dir (int                parent_fd,
          const char        *name,
          const char        *path,
          const TfIdentity  *identity,
          GError           **error)
{
  tf_autofd int fd = -1;
  TfDir parent;
  TfDir dir;

  if (!tf_dir_read (&parent, parent_fd))
    {
      tf_errno_set (error, errno, "stat", path);
      return -1;
    }

  fd = tf_dir_open (&dir, parent_fd, &parent, name, identity);
  if (fd < 0)
    {
      if (errno != ENOENT)
        set_open_error (path, error);
      return -1;
    }

  return tf_fd_steal (&fd);
}

/* An overlay copies a directory of a lower layer when it is changed, which gives it another birth time. */
static Found
find_emptied (int          parent_fd,
              const char  *name,
              const char  *path,
              int          dir_fd,
              GError     **error)
{
  TfIdentity identity;

  if (tf_identity_read (&identity, dir_fd, ""))
    return find (parent_fd, name, path, &identity, error);

  tf_errno_set (error, errno, "stat", path);
  return UNSURE;
}

static gboolean
empty_and_remove (int            parent_fd,
                  const char    *name,
                  const char    *path,
                  int            dir_fd,
                  GCancellable  *cancellable,
                  GError       **error)
{
  for (int i = 0; i < TRIES; i++)
    {
      Found found;

      if (!tf_walk_empty (path, dir_fd, cancellable, error))
        return FALSE;

      found = find_emptied (parent_fd, name, path, dir_fd, error);
      if (found != OURS)
        return found == GONE;

      if (unlinkat (parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return TRUE;

      if (errno != ENOTEMPTY && errno != EEXIST)
        return tf_errno_set (error, errno, "rmdir", path);
    }

  return tf_errno_set (error, ENOTEMPTY, "rmdir", path);
}

/* Removes the directory @name in @parent_fd, which has the path @path, with all it holds. The caller has just seen that
 * it is @identity; this is checked again on the descriptor that is emptied. Symlinks are removed, not followed; mount
 * points stay. If it is gone, that is no error. Goes on after an error; reports the first with the number of all. */
gboolean
tf_remove_dir_at (int                parent_fd,
                  const char        *name,
                  const char        *path,
                  const TfIdentity  *identity,
                  GCancellable      *cancellable,
                  GError           **error)
{
  tf_autofd int fd = -1;
  GError *open_error = NULL;

  if (refuse (path, error))
    return FALSE;

  if (unlinkat (parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
    return TRUE;

  if (errno == EBUSY)
    return set_open_error (path, error);
  if (errno == ENOTDIR)
    return tf_errno_set (error, errno, "rmdir", path);

  /* What is in it is removed, too, where it has to stay itself. */
  fd = open_dir (parent_fd, name, path, identity, &open_error);
  if (fd < 0 && open_error != NULL)
    g_propagate_error (error, open_error);
  if (fd < 0)
    return open_error == NULL;

  return empty_and_remove (parent_fd, name, path, fd, cancellable, error);
}
