/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>
#include <sys/stat.h>

G_BEGIN_DECLS

/* The metadata of a file that a new version of it keeps: owner, group, mode, POSIX ACL and user attributes. */
typedef struct
{
  uid_t       uid;
  gid_t       gid;
  mode_t      mode;      /* permission bits only */
  GHashTable *xattrs;    /* (owned) (nullable) (element-type utf8 GBytes) */
  gboolean    lacks_acl; /* there may be an ACL that cannot be read; @mode grants nothing to others then */
} TfMetadata;

#define TF_METADATA_INIT { .mode = 0 }

void     tf_metadata_read             (TfMetadata        *self,
                                       const struct stat *st,
                                       int                fd);
gboolean tf_metadata_read_fd          (TfMetadata        *self,
                                       int                fd);
gboolean tf_metadata_set_mode         (int                fd,
                                       mode_t             mode);
gboolean tf_metadata_apply            (const TfMetadata  *self,
                                       int                fd);
void     tf_metadata_restore          (const TfMetadata  *self,
                                       int                fd);
guint    tf_metadata_get_initial_mode (const TfMetadata  *self);
void     tf_metadata_clear            (TfMetadata        *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfMetadata, tf_metadata_clear)

G_END_DECLS
