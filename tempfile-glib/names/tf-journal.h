/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-identity.h"

G_BEGIN_DECLS

/* The names that this process has created and will remove, written down where another process finds them should this
 * one be killed. */

typedef enum
{
  TF_JOURNAL_FILE = 1,
  TF_JOURNAL_DIR = 2,
  TF_JOURNAL_ASIDE = 4, /* flag: moved aside, see tf-aside.h; the name is the new one, a slash, and the former one */
} TfJournalKind;

/* Belongs to the journal. NULL stands for a record that could not be made; all functions ignore it. */
typedef struct _TfJournalRecord TfJournalRecord;

TfJournalRecord *tf_journal_begin     (const TfPlace    *parent,
                                       const char       *name,
                                       TfJournalKind     kind);
void             tf_journal_complete  (TfJournalRecord  *self,
                                       int               dir_fd,
                                       const char       *name,
                                       const TfIdentity *identity);
void             tf_journal_renew     (TfJournalRecord  *self,
                                       int               dir_fd,
                                       const char       *name);
TfJournalRecord *tf_journal_add       (const TfPlace    *parent,
                                       const char       *name,
                                       int               dir_fd,
                                       const char       *from);
TfJournalRecord *tf_journal_write     (const TfPlace    *parent,
                                       const char       *name,
                                       TfJournalKind     kind,
                                       int               dir_fd,
                                       const char       *from,
                                       const TfIdentity *identity,
                                       guint32           deadline);
void             tf_journal_clear     (TfJournalRecord  *self);
void             tf_journal_leave     (TfJournalRecord  *self);
void             tf_journal_trim      (void);
void             tf_journal_close     (void);
gboolean         tf_journal_is_closed (void);

gboolean tf_journal_keep_in_child (const TfJournalRecord *self,
                                   const TfIdentity      *identity,
                                   gboolean               kept);

/* A sweep does not take what was handed over before its deadline, a time in seconds since the boot. */

void   tf_journal_set_deadline (TfJournalRecord *self,
                                guint32          deadline);
gint64 tf_journal_get_uptime   (void);

/* Set by tests only: added to the time since the boot, in seconds. */
extern gint64 tf_journal_clock_offset;

/* The directories in which journals may be, best first. Each belongs to the user alone. */

#define TF_JOURNAL_N_PLACES 6

int tf_journal_place_open (guint        index,
                           gboolean     create,
                           char       **path,
                           TfSystemFs  *fs);

guint tf_journal_count_segments (void);

G_END_DECLS
