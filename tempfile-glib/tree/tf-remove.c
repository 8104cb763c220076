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
#include "tf-walk.h"

/* How often a directory is emptied again because something new was in it. */
#define TRIES 16

typedef enum
{
  OURS,
  GONE,
  UNSURE,
} Found;

/* Nothing that is created here has such a path. */
static gboolean
refuse (const char  *path,
        GError     **error)
{
  if (g_path_is_absolute (path) && path[strspn (path, "/")] != '\0')
    return FALSE;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "“%s” is not removed", path);
  return TRUE;
}

/* Looks who is at @path. A stranger there is an error, and left alone. */
static Found
find (const char        *path,
      const TfIdentity  *identity,
      GError           **error)
{
  g_autofree char *display = NULL;
  TfIdentity found;

  if (!tf_identity_read (&found, AT_FDCWD, path))
    {
      if (errno == ENOENT || errno == ENOTDIR)
        return GONE;

      tf_errno_set (error, errno, "stat", path);
      return UNSURE;
    }

  if (tf_identity_equal (&found, identity))
    return OURS;

  display = g_filename_display_name (path);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
               "“%s” is not what was created there; it is left alone", display);
  return UNSURE;
}

/* Removes the file @identity at @path, if it is there. */
gboolean
tf_remove_file (const char        *path,
                const TfIdentity  *identity,
                GError           **error)
{
  Found found = refuse (path, error) ? UNSURE : find (path, identity, error);

  if (found == OURS && unlink (path) != 0 && errno != ENOENT)
    return tf_errno_set (error, errno, "unlink", path);

  return found != UNSURE;
}

/* Removes the directory @identity, which is behind @dir_fd, at @path, if it is there, with all it holds. Symlinks are removed,
 * not followed; mount points stay. Goes on after an error; reports the first with the number of all. */
gboolean
tf_remove_dir (const char        *path,
               int                dir_fd,
               const TfIdentity  *identity,
               GCancellable      *cancellable,
               GError           **error)
{
  if (refuse (path, error))
    return FALSE;

  for (int i = 0; i < TRIES; i++)
    {
      Found found = find (path, identity, error);

      if (found != OURS)
        return found == GONE;

      if (rmdir (path) == 0 || errno == ENOENT)
        return TRUE;

      if (errno != ENOTEMPTY && errno != EEXIST)
        return tf_errno_set (error, errno, "rmdir", path);

      if (!tf_walk_empty (path, dir_fd, cancellable, error))
        return FALSE;
    }

  return tf_errno_set (error, ENOTEMPTY, "rmdir", path);
}
