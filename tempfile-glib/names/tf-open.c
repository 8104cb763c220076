/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-open.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"

gboolean tf_open_avoid_tmpfile = FALSE;

static TfOpenGuard guard; /* (atomic) (nullable) */

/* Creates a file or directory at a path that does not exist. Returns a non-negative number, or -1 with errno set. */
typedef int (*CreateFunc) (const char *path,
                           guint       mode);

/* Sets the function that is asked before each creation. */
void
tf_open_set_guard (TfOpenGuard func)
{
  g_atomic_pointer_set (&guard, func);
}

/* Asks the guard, except about a probe. */
static gboolean
may_create (const TfTemplate  *template,
            const char        *event,
            const char        *path,
            GError           **error)
{
  TfOpenGuard func = g_atomic_pointer_get (&guard);

  return func == NULL || event == NULL || template->is_probe || func (event, path, error);
}

/* Tries fresh names in the directory of the template until one is free. The guard is asked about each, with @event. */
static int
create_at_new_name (const TfTemplate  *template,
                    const char        *event,
                    CreateFunc         create,
                    const char        *call,
                    char             **path,
                    GCancellable      *cancellable,
                    GError           **error)
{
  g_autofree char *dir = tf_template_resolve (template->dir, error);

  if (dir == NULL)
    return -1;

  for (int i = 0; i < TF_OPEN_TRIES; i++)
    {
      g_autofree char *candidate = NULL;
      int result;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return -1;

      candidate = tf_template_make_path (template, dir, error);
      if (candidate == NULL || !may_create (template, event, candidate, error))
        return -1;

      result = TF_RETRY_EINTR (create (candidate, template->mode));
      if (result >= 0)
        {
          *path = g_steal_pointer (&candidate);
          return result;
        }

      if (errno != EEXIST)
        {
          tf_errno_set (error, errno, call, candidate);
          return -1;
        }
    }

  tf_errno_set (error, EEXIST, call, dir);
  return -1;
}

static int
create_file (const char *path,
             guint       mode)
{
  int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  int lifted = tf_fd_lift (fd);
  int saved_errno = errno;

  if (fd >= 0 && lifted < 0)
    unlink (path);

  errno = saved_errno;
  return lifted;
}

static int
create_dir (const char *path,
            guint       mode)
{
  return mkdir (path, mode);
}

static int
create_nothing (const char *path,
                guint       mode)
{
  struct stat st;

  if (lstat (path, &st) == 0)
    {
      errno = EEXIST;
      return -1;
    }

  return errno == ENOENT ? 0 : -1;
}

/* Creates a file with a name in the directory of @template. Returns its descriptor and its absolute path. */
int
tf_open_named (const TfTemplate  *template,
               char             **path,
               GCancellable      *cancellable,
               GError           **error)
{
  return create_at_new_name (template, "tempfile.mkstemp", create_file, "open", path, cancellable, error);
}

/* Returns an absolute path in the directory of @template at which nothing exists. */
char *
tf_open_free_name (const TfTemplate  *template,
                   GError           **error)
{
  char *path = NULL;

  create_at_new_name (template, NULL, create_nothing, "lstat", &path, NULL, error);
  return path;
}

/* Opens a file without a name in the directory @dir, relative to @dir_fd. Returns -1 with errno set on failure; to
 * ENOTSUP if the file has to be created with a name. */
int
tf_open_tmpfile (int         dir_fd,
                 const char *dir,
                 guint       mode)
{
  if (tf_open_avoid_tmpfile)
    {
      errno = ENOTSUP;
      return -1;
    }

  return tf_system_open_unnamed (dir_fd, dir, mode);
}

static int
create_and_unlink (const TfTemplate  *template,
                   GCancellable      *cancellable,
                   GError           **error)
{
  g_autofree char *path = NULL;
  tf_autofd int fd = create_at_new_name (template, NULL, create_file, "open", &path, cancellable, error);

  if (fd < 0)
    return -1;

  if (unlink (path) != 0 && errno != ENOENT)
    {
      tf_errno_set (error, errno, "unlink", path);
      return -1;
    }

  return tf_fd_steal (&fd);
}

/* Opens a file without a name in the directory of @template. If the file system cannot do that, the file is created
 * and unlinked. The result is not remembered, because another file system may be mounted on the directory later. */
int
tf_open_unnamed (const TfTemplate  *template,
                 GCancellable      *cancellable,
                 GError           **error)
{
  int fd;

  if (!tf_template_check (template, error) ||
      g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !may_create (template, "tempfile.mkstemp", template->dir, error))
    return -1;

  fd = tf_open_tmpfile (AT_FDCWD, template->dir, template->mode);
  if (fd >= 0)
    return fd;

  if (errno != ENOTSUP)
    {
      tf_errno_set (error, errno, "open", template->dir);
      return -1;
    }

  return create_and_unlink (template, cancellable, error);
}

static int
open_made_dir (const char *path)
{
  return tf_fd_lift (TF_RETRY_EINTR (open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)));
}

/* Creates a directory. Returns its absolute path and, if @fd is not NULL, a descriptor of what is at the path after
 * that; this needs a mode in the template that lets the owner read the directory. */
char *
tf_open_make_dir (const TfTemplate  *template,
                  int               *fd,
                  GCancellable      *cancellable,
                  GError           **error)
{
  for (int i = 0; i < TF_OPEN_TRIES; i++)
    {
      g_autofree char *path = NULL;

      if (create_at_new_name (template, "tempfile.mkdtemp", create_dir, "mkdir", &path, cancellable, error) < 0)
        return NULL;

      if (fd == NULL || (*fd = open_made_dir (path)) >= 0)
        return g_steal_pointer (&path);

      /* A sweep may have removed it before it could be locked. */
      if (errno != ENOENT)
        {
          tf_errno_set (error, errno, "open", path);
          rmdir (path);
          return NULL;
        }
    }

  tf_errno_set (error, ENOENT, "open", template->dir);
  return NULL;
}
