/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "tf-progress.h"

G_BEGIN_DECLS

/* A value for offsets: use and move the offset of the descriptor. */
#define TF_DISK_OWN_OFFSET ((goffset) -1)

/* A value for sizes: only reading can tell. */
#define TF_DISK_UNTOLD_SIZE ((goffset) -2)

gboolean tf_disk_read      (int             fd,
                            const char     *where,
                            goffset         offset,
                            gpointer        data,
                            gsize           count,
                            gsize          *n_read,
                            GCancellable   *cancellable,
                            GError        **error);
gboolean tf_disk_write     (int             fd,
                            const char     *where,
                            goffset         offset,
                            gconstpointer   data,
                            gsize           count,
                            gsize          *n_written,
                            GCancellable   *cancellable,
                            GError        **error);
gboolean tf_disk_copy      (int             from,
                            const char     *from_where,
                            goffset         from_offset,
                            int             to,
                            const char     *where,
                            goffset         to_offset,
                            gsize           count,
                            gsize          *n_copied,
                            GCancellable   *cancellable,
                            GError        **error);
gboolean tf_disk_copy_file (int             from,
                            const char     *from_where,
                            goffset        *size,
                            int             to,
                            const char     *where,
                            TfProgress     *progress,
                            GCancellable   *cancellable,
                            GError        **error);
gboolean tf_disk_can_reserve (int            fd);
gboolean tf_disk_reserve   (int             fd,
                            const char     *where,
                            goffset         size,
                            gboolean        is_own,
                            GCancellable   *cancellable,
                            GError        **error);
gboolean tf_disk_settle_copy
                           (int             fd,
                            const char     *where,
                            goffset         size,
                            GError        **error);
gboolean tf_disk_settle    (int             fd,
                            const char     *where,
                            int            *lost_errno,
                            GError        **error);
gboolean tf_disk_set_lost  (int            *lost_errno,
                            int             saved_errno,
                            const char     *call,
                            const char     *where,
                            GError        **error);
gboolean tf_disk_equals    (int             fd,
                            int             other);
gboolean tf_disk_equals_at (int             dir_fd,
                            const char     *name,
                            int             other_dir_fd,
                            const char     *other);
gboolean tf_disk_get_size  (int             fd,
                            const char     *where,
                            goffset        *size,
                            GError        **error);

G_END_DECLS
