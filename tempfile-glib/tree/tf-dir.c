/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/tf-fd.h"

TfConfinement tf_dir_confinement = TF_CONFINE_BY_OPENAT2;

/* Reads what is behind @fd. Returns FALSE with errno set. */
gboolean
tf_dir_read (TfDir *self,
             int    fd)
{
  struct statx stx;

  if (statx (fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MODE | STATX_MNT_ID, &stx) != 0)
    return FALSE;

  *self = (TfDir) {
    .device = makedev (stx.stx_dev_major, stx.stx_dev_minor),
    .inode = stx.stx_ino,
    .mode = stx.stx_mode,
  };

  if ((stx.stx_mask & STATX_MNT_ID) && tf_dir_confinement <= TF_CONFINE_BY_MOUNT_ID)
    self->mount_id = stx.stx_mnt_id;

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
               const char *name,
               int         flags)
{
  struct open_how how = {
    .flags = flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    .resolve = RESOLVE_NO_XDEV | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
  };
  int fd = -1;

  errno = ENOSYS;
  if (tf_dir_confinement == TF_CONFINE_BY_OPENAT2)
    do
      fd = syscall (SYS_openat2, parent_fd, name, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || errno == EAGAIN));

  /* Older kernels do not know openat2(); sandboxes refuse it with EPERM. */
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
    return fd;

  return TEMP_FAILURE_RETRY (openat (parent_fd, name, how.flags));
}

/* Grants the owner all permissions on the very directory behind @fd, which may be O_PATH. */
static gboolean
open_up (int   fd,
         guint mode)
{
  char path[64];

  mode = (mode | S_IRWXU) & 07777;
  if (fchmod (fd, mode) == 0)
    return TRUE;

  /* fchmod() does not take O_PATH descriptors; this link of proc(5) leads to the same inode. */
  snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  return errno == EBADF && chmod (path, mode) == 0;
}

/* A directory that may not be read cannot be opened, except as a mere place in the tree. */
static gboolean
open_up_at (int          parent_fd,
            const TfDir *parent,
            const char  *name)
{
  tf_autofd int fd = open_confined (parent_fd, name, O_PATH);
  TfDir place;

  return fd >= 0 &&
         tf_dir_read (&place, fd) &&
         is_same_mount (&place, parent) &&
         open_up (fd, place.mode);
}

/* Opens the directory @name in @parent_fd for reading, entered by no symlink and over no mount point,
 * and makes its entries removable where it can. Returns -1 with errno; EXDEV for a mount point. */
int
tf_dir_open (TfDir       *self,
             int          parent_fd,
             const TfDir *parent,
             const char  *name)
{
  tf_autofd int fd = open_confined (parent_fd, name, O_RDONLY);

  if (fd < 0 && errno == EACCES && open_up_at (parent_fd, parent, name))
    fd = open_confined (parent_fd, name, O_RDONLY);

  if (fd < 0 || !tf_dir_read (self, fd))
    return -1;

  if (!is_same_mount (self, parent))
    {
      errno = EXDEV;
      return -1;
    }

  if ((self->mode & S_IRWXU) != S_IRWXU)
    open_up (fd, self->mode);

  return tf_fd_steal (&fd);
}
