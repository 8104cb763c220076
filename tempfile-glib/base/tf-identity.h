/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>
#include <sys/stat.h>

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

gboolean tf_identity_read  (TfIdentity       *self,
                            int               dir_fd,
                            const char       *name);
gboolean tf_identity_stat  (TfIdentity       *self,
                            int               fd,
                            struct statx     *stx);
gboolean tf_identity_equal (const TfIdentity *a,
                            const TfIdentity *b);

G_END_DECLS
