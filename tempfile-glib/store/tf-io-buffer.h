/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define TF_WINDOW_SIZE (64 * 1024)

/* A piece of a file that is held in memory: read ahead, or written and not on disk yet. It is for a file
 * that nobody else can see or change. */
typedef struct
{
  guint8  *data;       /* (nullable): not used yet */
  goffset  start;      /* where in the file */
  gsize    filled;     /* bytes of @data that are the file's */
  gsize    dirty_from; /* those from here on … */
  gsize    dirty_to;   /* … up to here have to be written; none if this is the smaller one */
  gsize    ahead;      /* bytes that were read at once last time */
  guint    generation; /* of the process that held the first of them back */
} TfWindow;

TfWindow *tf_window_new     (void);
void      tf_window_free    (TfWindow       *self);
gboolean  tf_window_prepare (TfWindow       *self,
                             gsize           count);
gboolean  tf_window_flush   (TfWindow       *self,
                             int             fd,
                             const char     *where,
                             GCancellable   *cancellable,
                             GError        **error);
gboolean  tf_window_settle  (TfWindow       *self,
                             int             fd,
                             const char     *where,
                             GCancellable   *cancellable,
                             GError        **error);
gboolean  tf_window_read    (TfWindow       *self,
                             int             fd,
                             const char     *where,
                             goffset         offset,
                             gpointer        data,
                             gsize           count,
                             gsize          *n_read,
                             GCancellable   *cancellable,
                             GError        **error);
gboolean  tf_window_write   (TfWindow       *self,
                             int             fd,
                             const char     *where,
                             goffset         offset,
                             gconstpointer   data,
                             gsize           count,
                             gsize          *n_written,
                             GCancellable   *cancellable,
                             GError        **error);
void      tf_window_disown  (TfWindow       *self);
goffset   tf_window_get_end (const TfWindow *self);
void      tf_window_clip    (TfWindow       *self,
                             goffset         size);

static inline gboolean
tf_window_is_dirty (const TfWindow *self)
{
  return self->dirty_to > self->dirty_from;
}

/* As tf_stage_claim(), when some bytes are held back already: all of them are one run. */
static inline guint8 *
tf_window_claim (TfWindow *self,
                 goffset   offset,
                 gsize     count)
{
  guint64 at = offset - self->start;

  if (at < self->dirty_from || at > self->dirty_to || count > TF_WINDOW_SIZE - at)
    return NULL;

  self->filled = MAX (self->filled, at + count);
  self->dirty_to = MAX (self->dirty_to, at + count);
  return self->data + at;
}

/* As tf_stage_peek(). */
static inline const guint8 *
tf_window_peek (const TfWindow *self,
                goffset         offset,
                gsize           count)
{
  guint64 at = offset - self->start;

  return at <= self->filled && count <= self->filled - at ? self->data + at : NULL;
}

G_END_DECLS
