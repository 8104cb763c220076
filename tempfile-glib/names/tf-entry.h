/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-identity.h"
#include "tf-registry.h"
#include "tf-template.h"

G_BEGIN_DECLS

/* A file or directory with a name that this process has created.
 *
 * Only this process removes it: a forked child does nothing with its copy of the entry. While the entry is in the
 * registry, the process removes it at exit. */
typedef struct
{
  TfRegistryNode node;

  char          *path;     /* (owned) (nullable): NULL before the creation */
  TfIdentity     identity;
  gboolean       is_dir;
  gboolean       is_gone;  /* was removed, or does not exist any more */
  gboolean       is_kept;  /* not to be removed */
  int            fd;       /* holds the lock; -1 for a file while a descriptor of its user holds it */
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
