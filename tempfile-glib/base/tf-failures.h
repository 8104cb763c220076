/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The errors of removing a tree: the first one, their number, and the names of the entries that could not be
 * removed, with the inodes of their directories. Several threads may add errors at the same time. */
typedef struct
{
  GMutex      lock;
  GError     *first;  /* (nullable) */
  guint       count;
  GHashTable *names;  /* (nullable) (atomic): also read without the lock */
} TfFailures;

void     tf_failures_init     (TfFailures  *self);
void     tf_failures_clear    (TfFailures  *self);
void     tf_failures_add      (TfFailures  *self,
                               int          saved_errno,
                               const char  *call,
                               const char  *path);
void     tf_failures_take     (TfFailures  *self,
                               GError      *error);
void     tf_failures_remember (TfFailures  *self,
                               guint64      device,
                               guint64      inode,
                               const char  *name);
gboolean tf_failures_contain  (TfFailures  *self,
                               guint64      device,
                               guint64      inode,
                               const char  *name);
gboolean tf_failures_report   (TfFailures  *self,
                               GError     **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfFailures, tf_failures_clear)

G_END_DECLS
