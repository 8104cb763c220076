/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-identity.h"
#include "tf-registry.h"
#include "tf-template.h"

G_BEGIN_DECLS

/* A name on disk that is ours: of a file or of a directory.
 *
 * It is removed by the process that created it, by nobody else: a copy of it in a forked child is left
 * alone. As long as it is in the registry, that process removes it when it exits. */
typedef struct
{
  TfRegistryNode node;

  char          *path;     /* (owned) (nullable): not created */
  TfIdentity     identity;
  gboolean       is_dir;
  gboolean       is_gone;  /* removed, or not there any more */
  gboolean       is_kept;  /* not to be removed */
  int            fd;       /* has the lock; -1 for a file while its user has a descriptor that does */
} TfEntry;

void     tf_entry_init        (TfEntry           *self);
int      tf_entry_create_file (TfEntry           *self,
                               const TfTemplate  *template,
                               GCancellable      *cancellable,
                               GError           **error);
gboolean tf_entry_create_dir  (TfEntry           *self,
                               const TfTemplate  *template,
                               GCancellable      *cancellable,
                               GError           **error);
gboolean tf_entry_remove      (TfEntry           *self,
                               GCancellable      *cancellable,
                               GError           **error);
gboolean tf_entry_drop        (TfEntry           *self,
                               GCancellable      *cancellable,
                               GError           **error);
void     tf_entry_set_kept    (TfEntry           *self,
                               int                fd,
                               gboolean           kept);
void     tf_entry_move        (TfEntry           *self,
                               const char        *path,
                               const TfIdentity  *identity);
void     tf_entry_keep_lock   (TfEntry           *self);
void     tf_entry_clear       (TfEntry           *self);

G_END_DECLS
