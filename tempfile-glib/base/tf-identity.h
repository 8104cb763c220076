/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-system.h"

G_BEGIN_DECLS

/* Which file it is, whatever its name. The birth time tells a file from a later one that was given
 * the same inode number; it is 0 where the file system does not record it. */
typedef struct
{
  guint64 device;
  guint64 inode;
  gint64  birth_seconds;
  guint32 birth_nanoseconds;
} TfIdentity;

gboolean tf_identity_equal (const TfIdentity *a,
                            const TfIdentity *b);

/* As tf_identity_read(), and gets in the same call all else that @st tells. */
static inline gboolean
tf_identity_stat (TfIdentity   *self,
                  int           dir_fd,
                  const char   *name,
                  TfSystemStat *st)
{
  if (!tf_system_stat (st, dir_fd, name))
    return FALSE;

  self->device = st->device;
  self->inode = st->inode;
  self->birth_seconds = st->birth_seconds;
  self->birth_nanoseconds = st->birth_nanoseconds;
  return TRUE;
}

/* Reads the identity of @name in @dir_fd without following a symlink; of @dir_fd itself when @name is
 * empty. Returns FALSE with errno set. */
static inline gboolean
tf_identity_read (TfIdentity *self,
                  int         dir_fd,
                  const char *name)
{
  TfSystemStat st;

  return tf_identity_stat (self, dir_fd, name, &st);
}

G_END_DECLS
