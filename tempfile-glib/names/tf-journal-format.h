/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>
#include <limits.h>

#include "base/tf-system.h"

G_BEGIN_DECLS

/* A segment of a journal: a file that consists of a head, which takes the first two slots, and of slots of 64 bytes.
 *
 * All numbers are in the byte order of the machine, because a journal is never read on another one. */

#define TF_JOURNAL_MAGIC G_GUINT64_CONSTANT (0x316c726e6a667405)
#define TF_JOURNAL_MIN_SIZE 4096
#define TF_JOURNAL_MAX_SIZE (1024 * 1024)
#define TF_JOURNAL_N_HEAD_SLOTS 2
#define TF_JOURNAL_MAX_NAME (2 * NAME_MAX + 1) /* two names and a slash */

/* With the sticky bit, systemd-tmpfiles leaves the file alone. */
#define TF_JOURNAL_MODE 01600

typedef enum
{
  TF_JOURNAL_FREE = 0,
  TF_JOURNAL_INTENT = 0x746e7449, /* the name may exist */
  TF_JOURNAL_DONE = 0x656e6f44,   /* the name exists; the file behind it is known */
  TF_JOURNAL_KEPT = 0x7470654b,   /* as DONE, but a forked child has kept it */
  TF_JOURNAL_PARENT = 0x65726150, /* a directory that records name */
  TF_JOURNAL_TEXT = 0x74786554,   /* more of the text in the slot before */
} TfJournalState;

/* For a directory, @inode is its inode, @birth_seconds is its device, and @birth_nanoseconds is made of its birth time. */
typedef struct
{
  guint32 state;             /* (atomic): a TfJournalState; written last, cleared first */
  guint16 kind;              /* a TfJournalKind */
  guint16 length;            /* of the text: a name, or the path of a directory */
  guint32 parent;            /* the slot of the directory */
  guint32 birth_nanoseconds; /* TF_JOURNAL_HANDLE if @birth_seconds is the hash of a file handle */
  guint64 inode;
  gint64  birth_seconds;
  guint32 deadline;          /* (atomic): handed over until then, in seconds since the boot; 0 if not handed over */
  char    text[28];
} TfJournalSlot;

typedef struct
{
  guint32 state;
  char    text[60];
} TfJournalText;

#define TF_JOURNAL_HANDLE G_MAXUINT32

typedef struct
{
  guint64 magic;             /* (atomic): written last */
  guint64 device;            /* of the segment itself, so that a copy is recognized */
  guint64 inode;
  gint64  birth_seconds;
  guint32 birth_nanoseconds;
  guint32 uid;
  guint64 pid_namespace;
  guint64 time_namespace;    /* in which @start_time counts */
  guint64 start_time;        /* of the process */
  guint32 pid;
  guint32 n_slots;           /* those of the head included */
  guint8  boot_id[TF_SYSTEM_BOOT_ID_SIZE];
  guint8  reserved[40];
} TfJournalHead;

G_STATIC_ASSERT (sizeof (TfJournalSlot) == 64);
G_STATIC_ASSERT (sizeof (TfJournalText) == sizeof (TfJournalSlot));
G_STATIC_ASSERT (sizeof (TfJournalHead) == TF_JOURNAL_N_HEAD_SLOTS * sizeof (TfJournalSlot));

/* The number of slots that a text of @length bytes takes. */
static inline guint
tf_journal_count_slots (gsize length)
{
  const gsize first = sizeof ((TfJournalSlot *) NULL)->text;
  const gsize more = sizeof ((TfJournalText *) NULL)->text;

  return length <= first ? 1 : 1 + (length - first + more - 1) / more;
}

G_END_DECLS
