/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-identity.h"

G_BEGIN_DECLS

/* A directory in which this process has created names.
 *
 * All entries of a directory share it. A few of these directories have an open descriptor, the others are opened
 * again when they are needed, if they are still at their path. So the number of descriptors does not grow with that
 * of entries, and a directory that was moved is usually found.
 *
 * A descriptor can become another file's if the program closes all descriptors. It is therefore compared with the
 * directory before it is relied on or closed. */
typedef struct _TfParent TfParent;

TfParent *tf_parent_get        (const char       *path,
                                gboolean          is_lasting);
TfParent *tf_parent_renew      (TfParent         *self);
TfParent *tf_parent_find_other (TfParent         *self,
                                gboolean         *may_be_same);
TfParent *tf_parent_copy       (const TfParent   *self);
TfParent *tf_parent_ref        (TfParent         *self);
void      tf_parent_unref      (TfParent         *self);
gboolean  tf_parent_enter      (TfParent         *self,
                                int              *fd);
void      tf_parent_leave      (TfParent         *self);
gboolean  tf_parent_check      (TfParent         *self,
                                int               fd);
gboolean  tf_parent_prove      (int               fd,
                                const TfIdentity *identity);
void      tf_parent_close_fd   (int               fd,
                                const TfIdentity *identity);
gboolean  tf_parent_stat       (const TfParent   *self,
                                int               fd,
                                const char       *name,
                                TfSystemStat     *st);
gboolean  tf_parent_check_path (const char       *path,
                                guint64           mount_id,
                                guint64           device);
gboolean  tf_parent_may_have_moved (TfParent     *self);
gboolean  tf_parent_is_path_of (const char         *path,
                                int                 fd,
                                const TfSystemStat *st);
gboolean  tf_parent_may_be_same
                               (const char         *path,
                                int                 fd,
                                const TfSystemStat *st);

GPtrArray *tf_parent_begin_removal (const char         *path,
                                    int                 dir_fd,
                                    const char         *name,
                                    const TfSystemStat *st);
void       tf_parent_end_removal   (GPtrArray          *known,
                                    TfParent           *inside,
                                    const TfSystemStat *st);
void       tf_parent_end_failed_removal
                                   (GPtrArray          *known,
                                    const char         *path,
                                    int                 dir_fd,
                                    const char         *name,
                                    const TfSystemStat *st);
gboolean   tf_parent_is_removed    (const TfParent     *self);

const TfPlace *tf_parent_get_place  (const TfParent     *self);
gboolean       tf_parent_is_guarded (const TfParent     *self);
gboolean       tf_parent_is_private (const TfParent     *self);
gboolean       tf_parent_guards     (const TfSystemStat *dir);
char          *tf_parent_find_path  (const char         *path,
                                     int                 fd,
                                     const TfSystemStat *st);

/* Descriptors that may be used for something that is not necessary: @max, or a small part of the limit. */
guint tf_parent_limit_fds (guint max);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfParent, tf_parent_unref)

G_END_DECLS
