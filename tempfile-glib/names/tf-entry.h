/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-identity.h"
#include "tf-open.h"
#include "tf-registry.h"
#include "tf-template.h"

G_BEGIN_DECLS

/* A file or directory with a name that this process has created.
 *
 * Only this process removes it: a forked child does nothing with its copy of the entry. While the entry is in the
 * registry, the process removes it at exit; while it has a record in the journal, a sweep removes it after the
 * process was killed. */
typedef struct
{
  TfRegistryNode node;

  char          *path;     /* (owned) (nullable): NULL before the creation */
  TfOpenName     name;     /* its directory and its record */
  TfIdentity     identity;
  int            lock_fd;  /* shows systemd-tmpfiles that a directory is in use; -1 for most */
  guint          is_dir : 1;
  guint          is_gone : 1;  /* was removed, does not exist any more, or was given up */
  guint          is_kept : 1;  /* not to be removed */
  guint          is_final : 1; /* kept for good */
  guint          is_gone_at_exit : 1; /* the end of the process has removed it */
} TfEntry;

void     tf_entry_init          (TfEntry           *self);
int      tf_entry_create_file   (TfEntry           *self,
                                 const TfTemplate  *template,
                                 GCancellable      *cancellable,
                                 GError           **error);
gboolean tf_entry_create_dir    (TfEntry           *self,
                                 const TfTemplate  *template,
                                 GCancellable      *cancellable,
                                 GError           **error);
gboolean tf_entry_remove        (TfEntry           *self,
                                 GCancellable      *cancellable,
                                 GError           **error);
gboolean tf_entry_remove_former (TfEntry           *self,
                                 GError           **error);
gboolean tf_entry_drop          (TfEntry           *self,
                                 GCancellable      *cancellable,
                                 GError           **error);
void     tf_entry_set_kept      (TfEntry           *self,
                                 gboolean           kept);
void     tf_entry_keep          (TfEntry           *self);
void     tf_entry_move          (TfEntry           *self,
                                 const char        *path,
                                 const TfIdentity  *identity);
void     tf_entry_clear         (TfEntry           *self);

G_END_DECLS
