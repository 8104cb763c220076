/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <sys/types.h>

#include "base/tf-identity.h"
#include "tf-template.h"

G_BEGIN_DECLS

/* A name on disk that is ours: of a file or of a directory.
 *
 * It is removed by the process that created it, by nobody else: a copy of it in a forked child is left
 * alone. As long as it is in the registry, that process removes it when it exits. */
typedef struct _TfEntry TfEntry;

struct _TfEntry
{
  TfEntry    *previous;   /* in the registry */
  TfEntry    *next;
  gboolean    registered;
  gboolean    claimed;    /* a thread is at work on it */

  char       *path;       /* (owned) (nullable): not created */
  TfIdentity  identity;
  gboolean    is_dir;
  gboolean    is_gone;    /* removed, or not there any more */
  gboolean    is_kept;    /* not to be removed */
  int         fd;         /* holds the lock; -1 for a file while its user has a descriptor that does */
  pid_t       pid;
  guint       generation;
};

#define TF_ENTRY_INIT { .fd = -1 }

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
gboolean tf_entry_drop_claimed (TfEntry           *self,
                                GCancellable      *cancellable,
                                GError           **error);
void     tf_entry_set_kept    (TfEntry           *self,
                               int                fd,
                               gboolean           kept);
void     tf_entry_move        (TfEntry           *self,
                               const char        *path,
                               const TfIdentity  *identity);
void     tf_entry_hold        (TfEntry           *self);
void     tf_entry_clear       (TfEntry           *self);

G_END_DECLS
