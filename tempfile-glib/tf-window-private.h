/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>
#include <string.h>

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
  gsize    dirty_to;   /* … up to here have to be written; none if this is 0 */
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
void      tf_window_begin   (TfWindow       *self,
                             gsize           at);
goffset   tf_window_get_end (const TfWindow *self);
void      tf_window_clip    (TfWindow       *self,
                             goffset         size);

/* Whether it was enough to copy; if not, nothing was done. */
static inline gboolean
tf_window_try_write (TfWindow      *self,
                     goffset        offset,
                     gconstpointer  data,
                     gsize          count)
{
  guint64 at = offset - self->start;

  if (self->data == NULL || at > self->filled || count > TF_WINDOW_SIZE - at)
    return FALSE;

  /* What has to be written is one run of bytes. */
  if (self->dirty_to == 0)
    tf_window_begin (self, at);
  else if (at < self->dirty_from || at > self->dirty_to)
    return FALSE;

  memcpy (self->data + at, data, count);
  self->filled = MAX (self->filled, at + count);
  self->dirty_to = MAX (self->dirty_to, at + count);
  return TRUE;
}

static inline gboolean
tf_window_try_read (const TfWindow *self,
                    goffset         offset,
                    gpointer        data,
                    gsize           count)
{
  guint64 at = offset - self->start;

  if (at > self->filled || count > self->filled - at)
    return FALSE;

  memcpy (data, self->data + at, count);
  return TRUE;
}

G_END_DECLS
