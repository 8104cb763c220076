/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-replacement.h"

G_BEGIN_DECLS

/* A second name of the file that is replaced: its own with “~” at the end. */
typedef struct
{
  TfReplacement entry;
  TfDestination at;      /* (owned) path, name */
  int           copy_fd; /* (owned): where the file cannot have two names; otherwise -1 */
  TfPlaced      placed;
} TfBackup;

/* What becomes of it and of the former backup */
typedef enum
{
  TF_BACKUP_KEEP,      /* the former one is removed */
  TF_BACKUP_TAKE_BACK, /* the former one gets its name again */
  TF_BACKUP_KEEP_BOTH, /* the former one stays under a temporary name */
} TfBackupEnd;

#define TF_BACKUP_INIT { .entry = TF_REPLACEMENT_INIT (-1), .at = TF_DESTINATION_INIT, .copy_fd = -1 }

gboolean tf_backup_make (TfBackup       *self,
                         TfDestination  *target,
                         GCancellable   *cancellable,
                         GError        **error);
void     tf_backup_end  (TfBackup            *self,
                         const TfDestination *target,
                         TfBackupEnd          end);

G_END_DECLS
