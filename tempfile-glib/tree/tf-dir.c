/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/tf-fd.h"
#include "base/tf-system.h"

TfConfinement tf_dir_confinement = TF_CONFINE_BY_OPENAT2;

static void
set_stat (TfDir              *self,
          const TfSystemStat *st)
{
  *self = (TfDir) {
    .device = st->device,
    .inode = st->inode,
    .mount_id = tf_dir_confinement <= TF_CONFINE_BY_MOUNT_ID ? st->mount_id : 0,
    .mode = st->mode,
  };
}

/* Reads the status of the directory behind @fd. Returns FALSE with errno set on failure. */
gboolean
tf_dir_read (TfDir *self,
             int    fd)
{
  TfSystemStat st;

  if (!tf_system_stat (&st, fd, ""))
    return FALSE;

  set_stat (self, &st);
  return TRUE;
}

static gboolean
is_same_mount (const TfDir *a,
               const TfDir *b)
{
  return a->device == b->device && a->mount_id == b->mount_id;
}

gboolean
tf_dir_equal (const TfDir *a,
              const TfDir *b)
{
  return is_same_mount (a, b) && a->inode == b->inode;
}

static int
open_confined (int         parent_fd,
               const char *name)
{
  if (tf_dir_confinement == TF_CONFINE_BY_OPENAT2)
    {
      int fd = tf_system_open_beneath (parent_fd, name);

      if (fd >= 0 || errno != ENOTSUP)
        return fd;
    }

  return TF_RETRY_EINTR (openat (parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

static guint
open_up (guint mode)
{
  return (mode | S_IRWXU) & 07777;
}

/* Grants the owner all permissions, so that an unreadable directory can be opened. */
static gboolean
open_up_at (int          parent_fd,
            const TfDir *parent,
            const char  *name)
{
  TfSystemStat st;
  TfDir place;

  if (!tf_system_stat (&st, parent_fd, name))
    return FALSE;

  if (!S_ISDIR (st.mode))
    {
      errno = ENOTDIR;
      return FALSE;
    }

  set_stat (&place, &st);
  return is_same_mount (&place, parent) &&
         tf_system_chmod_dir (parent_fd, name, &st, open_up (st.mode)) == 0;
}

/* Opens the directory @name in @parent_fd for reading, without following a symlink or crossing a mount point, and
 * tries to make its entries removable. Returns -1 with errno set on failure; to EXDEV for a mount point. */
int
tf_dir_open (TfDir       *self,
             int          parent_fd,
             const TfDir *parent,
             const char  *name)
{
  tf_autofd int fd = open_confined (parent_fd, name);

  if (fd < 0 && errno == EACCES && open_up_at (parent_fd, parent, name))
    fd = open_confined (parent_fd, name);

  if (fd < 0 || !tf_dir_read (self, fd))
    return -1;

  if (!is_same_mount (self, parent))
    {
      errno = EXDEV;
      return -1;
    }

  if ((self->mode & S_IRWXU) != S_IRWXU)
    fchmod (fd, open_up (self->mode));

  return tf_fd_steal (&fd);
}
