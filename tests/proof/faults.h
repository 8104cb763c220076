/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>
#include <sys/stat.h>

G_BEGIN_DECLS

/* Stands between the library and the C library: the linker puts functions in the place of all that can fail, see the list
 * of them in meson.build. One call of them fails as it is told, and what may not be is noted in any case. */

typedef enum
{
  FAULT_ONCE,
  FAULT_ALWAYS,       /* each call of the same function from there on */
  FAULT_ALL,          /* each call from there on */
  FAULT_SHORT,        /* does half of what it is asked for */
  FAULT_SHORT_ALWAYS, /* does one byte at a time */
  FAULT_INTERRUPTED,  /* each call from there on that a signal can interrupt, until it is repeated */
  N_FAULT_MODES,
} FaultMode;

/* Which call the next fault is for; NULL: any. */
void faults_expect (const char *call);

/* Call number @at, counted from 1, is the first that fails. 0: none does, all are counted. */
void  faults_begin       (guint     at,
                          FaultMode mode,
                          int       with_errno);
void  faults_end         (void);
guint faults_get_n_calls (void);
/* Of the last time */
const char *faults_get_call (guint number);
const char *faults_get_failed (void);

/* What this call fails with, and a zero. */
const int  *faults_get_errnos (const char *call);
gboolean    faults_is_moving  (const char *call);
const char *faults_get_mode   (FaultMode   mode);

/* Returns what was done that may not be, or NULL, and forgets it. */
const char *faults_take_complaint (void);

/* Notes what happens to files, in order. */
void ledger_begin (void);
/* Whether the file was on the medium before it got its name, and after that the directory: NULL, or what happened
 * instead. */
char *ledger_find_gap (const char *path,
                       const char *dir);
void     ledger_note_write (int         fd);
void     ledger_note_sync  (int         fd);
void     ledger_note_name  (void);

G_END_DECLS
