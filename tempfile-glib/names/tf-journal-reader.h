/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-failures.h"
#include "base/tf-system.h"
#include "tf-template.h"

G_BEGIN_DECLS

/* Removes what the journals of dead processes name. */
typedef struct
{
  const TfTemplate   *template;        /* (nullable): whose prefix the names have; NULL for any */
  const TfSystemStat *dir;             /* (nullable): where they are; NULL for anywhere */
  guint               min_age_seconds;
  guint               n_removed;
  TfFailures         *failures;
  guint8              boot_id[TF_SYSTEM_BOOT_ID_SIZE]; /* set by the sweep */
  GHashTable         *removed_dirs; /* (element-type filename): paths; set by the sweep */
} TfJournalReader;

gboolean tf_journal_reader_sweep (TfJournalReader  *self,
                                  GCancellable     *cancellable,
                                  GError          **error);

G_END_DECLS
