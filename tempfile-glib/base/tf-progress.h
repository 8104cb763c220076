/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The bytes that are copied at most between two reports. */
#define TF_PROGRESS_PIECE (16 * 1024 * 1024)

/* Somebody who wants to know how many bytes of how many were copied. */
typedef struct
{
  GFileProgressCallback func; /* (nullable) */
  gpointer              data;
  goffset               total;
  goffset               reported; /* -1 if nothing was */
} TfProgress;

#define TF_PROGRESS_INIT(func_, data_) { .func = (func_), .data = (data_), .reported = -1 }

/* Never goes back, when something is copied again. There are no fewer bytes than were copied, if it was not known how many
 * there are. Calls code of the user's. */
static inline void
tf_progress_report (TfProgress *self,
                    goffset     n_copied)
{
  if (self == NULL || self->func == NULL || n_copied <= self->reported)
    return;

  self->reported = n_copied;
  self->total = MAX (self->total, n_copied);
  self->func (n_copied, self->total, self->data);
}

G_END_DECLS
