/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define TF_IO_BUFFER_SIZE (64 * 1024)

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
} TfIoBuffer;

TfIoBuffer *tf_io_buffer_new     (void);
void        tf_io_buffer_free    (TfIoBuffer        *self);
gboolean    tf_io_buffer_prepare (TfIoBuffer        *self,
                                  gsize              count);
gboolean    tf_io_buffer_flush   (TfIoBuffer        *self,
                                  int                fd,
                                  const char        *where,
                                  GCancellable      *cancellable,
                                  GError           **error);
gboolean    tf_io_buffer_settle  (TfIoBuffer        *self,
                                  int                fd,
                                  const char        *where,
                                  GCancellable      *cancellable,
                                  GError           **error);
gboolean    tf_io_buffer_fill    (TfIoBuffer        *self,
                                  int                fd,
                                  const char        *where,
                                  goffset            offset,
                                  gsize              count,
                                  GCancellable      *cancellable,
                                  GError           **error);
gboolean    tf_io_buffer_read    (TfIoBuffer        *self,
                                  int                fd,
                                  const char        *where,
                                  goffset            offset,
                                  gpointer           data,
                                  gsize              count,
                                  gsize             *n_read,
                                  GCancellable      *cancellable,
                                  GError           **error);
gboolean    tf_io_buffer_write   (TfIoBuffer        *self,
                                  int                fd,
                                  const char        *where,
                                  goffset            offset,
                                  gconstpointer      data,
                                  gsize              count,
                                  gsize             *n_written,
                                  GCancellable      *cancellable,
                                  GError           **error);
void        tf_io_buffer_disown  (TfIoBuffer        *self);
goffset     tf_io_buffer_get_end (const TfIoBuffer  *self);
void        tf_io_buffer_clip    (TfIoBuffer        *self,
                                  goffset            size);

static inline gboolean
tf_io_buffer_is_dirty (const TfIoBuffer *self)
{
  return self->dirty_to > self->dirty_from;
}

/* As tf_backing_claim(), when some bytes are held back already: all of them are one run. */
static inline guint8 *
tf_io_buffer_claim (TfIoBuffer *self,
                 goffset   offset,
                 gsize     count)
{
  guint64 at = offset - self->start;

  if (at < self->dirty_from || at > self->dirty_to || count > TF_IO_BUFFER_SIZE - at)
    return NULL;

  self->filled = MAX (self->filled, at + count);
  self->dirty_to = MAX (self->dirty_to, at + count);
  return self->data + at;
}

/* As tf_backing_peek(). */
static inline const guint8 *
tf_io_buffer_peek (const TfIoBuffer *self,
                goffset         offset,
                gsize           count)
{
  guint64 at = offset - self->start;

  return at <= self->filled && count <= self->filled - at ? self->data + at : NULL;
}

/* Where the bytes are that the buffer has at @offset, and how many; NULL for none. */
static inline const guint8 *
tf_io_buffer_peek_some (const TfIoBuffer *self,
                        goffset           offset,
                        gsize            *count)
{
  guint64 at = offset - self->start;

  *count = at < self->filled ? self->filled - at : 0;
  return *count > 0 ? self->data + at : NULL;
}

G_END_DECLS
