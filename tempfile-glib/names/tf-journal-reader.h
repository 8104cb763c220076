/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-failures.h"
#include "base/tf-system.h"
#include "tf-journal.h"
#include "tf-template.h"

G_BEGIN_DECLS

/* Something that a journal names, and that is there. */
typedef struct
{
  const char    *path;
  TfJournalKind  kind;
  guint          pid;      /* of its process; 0 if that has ended, or is in another PID namespace */
  gint64         created;  /* in seconds since 1970; the last change where the file system does not tell */
  guint32        deadline; /* handed over until then, in seconds since the boot; 0 if not handed over */
  gboolean       is_left;  /* a sweep would remove it */
} TfJournalFound;

typedef void (*TfJournalFunc) (const TfJournalFound *found,
                               gpointer              user_data);

/* Removes what the journals of dead processes name, or lists what all journals name. */
typedef struct
{
  const TfTemplate   *template;        /* (nullable): whose prefix the names have; NULL for any */
  const TfSystemStat *dir;             /* (nullable): where they are; NULL for anywhere */
  guint               min_age_seconds;
  TfJournalFunc       func;            /* (nullable): called for what was removed, or is listed */
  gpointer            user_data;       /* of @func */
  guint               n_removed;
  TfFailures         *failures;
  guint8              boot_id[TF_SYSTEM_BOOT_ID_SIZE]; /* set by the sweep */
  guint               n_waits; /* for others that read the same journals; set by the sweep */
  GHashTable         *removed_dirs; /* (element-type filename): paths; set by the sweep */
} TfJournalReader;

gboolean tf_journal_reader_sweep (TfJournalReader  *self,
                                  GCancellable     *cancellable,
                                  GError          **error);
gboolean tf_journal_reader_list  (TfJournalReader  *self,
                                  GCancellable     *cancellable,
                                  GError          **error);

G_END_DECLS
