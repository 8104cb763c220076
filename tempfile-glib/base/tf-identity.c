/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-identity.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

static gboolean
read_identity (TfIdentity   *self,
               int           dir_fd,
               const char   *name,
               guint         mask,
               struct statx *stx)
{
  if (statx (dir_fd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
             mask | STATX_INO | STATX_BTIME, stx) != 0)
    return FALSE;

  *self = (TfIdentity) {
    .device = makedev (stx->stx_dev_major, stx->stx_dev_minor),
    .inode = stx->stx_ino,
  };

  if (stx->stx_mask & STATX_BTIME)
    {
      self->birth_seconds = stx->stx_btime.tv_sec;
      self->birth_nanoseconds = stx->stx_btime.tv_nsec;
    }

  return TRUE;
}

/* Reads the identity of @name in @dir_fd without following a symlink; of @dir_fd itself when @name is
 * empty. Returns FALSE with errno set. */
gboolean
tf_identity_read (TfIdentity *self,
                  int         dir_fd,
                  const char *name)
{
  struct statx stx;

  return read_identity (self, dir_fd, name, 0, &stx);
}

/* Reads the identity of what is behind @fd, and in the same call its mode, its owner and how many names it
 * has. Returns FALSE with errno set. */
gboolean
tf_identity_stat (TfIdentity   *self,
                  int           fd,
                  struct statx *stx)
{
  return read_identity (self, fd, "", STATX_MODE | STATX_UID | STATX_NLINK, stx);
}

gboolean
tf_identity_equal (const TfIdentity *a,
                   const TfIdentity *b)
{
  return a->device == b->device &&
         a->inode == b->inode &&
         a->birth_seconds == b->birth_seconds &&
         a->birth_nanoseconds == b->birth_nanoseconds;
}
