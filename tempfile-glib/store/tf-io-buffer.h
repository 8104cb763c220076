/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define TF_IO_BUFFER_SIZE (64 * 1024)

/* A piece of a file in memory: bytes that were read ahead, and bytes that were written and are held back. It is for a
 * file that nobody else can open. */
typedef struct
{
  guint8  *data;       /* (owned) (nullable): NULL until it is used */
  goffset  start;      /* the offset of @data in the file */
  gsize    filled;     /* the number of valid bytes in @data */
  gsize    dirty_from; /* the start of the bytes that are held back, in @data */
  gsize    dirty_to;   /* their end; if it is not larger, nothing is held back */
  gsize    ahead;      /* the number of bytes read at once last time */
  goffset  written_to; /* the end of what was written last, if the file was not cut off since */
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
                                  goffset            size,
                                  gconstpointer      data,
                                  gsize              count,
                                  gsize             *n_written,
                                  GCancellable      *cancellable,
                                  GError           **error);
void        tf_io_buffer_overlay (const TfIoBuffer  *self,
                                  goffset            offset,
                                  guint8            *data,
                                  gsize              count,
                                  gsize             *n_read);
void        tf_io_buffer_drop    (TfIoBuffer        *self);
void        tf_io_buffer_clip    (TfIoBuffer        *self,
                                  goffset            size);

static inline gboolean
tf_io_buffer_is_dirty (const TfIoBuffer *self)
{
  return self->dirty_to > self->dirty_from;
}

/* Returns the minimum size of the file, given what is held back. */
static inline goffset
tf_io_buffer_get_end (const TfIoBuffer *self)
{
  return tf_io_buffer_is_dirty (self) ? self->start + (goffset) self->dirty_to : 0;
}

/* Like tf_backing_claim(), if bytes are held back already. All bytes that are held back are contiguous. */
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

/* Like tf_backing_peek(). */
static inline const guint8 *
tf_io_buffer_peek (const TfIoBuffer *self,
                goffset         offset,
                gsize           count)
{
  guint64 at = offset - self->start;

  return at <= self->filled && count <= self->filled - at ? self->data + at : NULL;
}

/* Returns the bytes that the buffer has at @offset, and their number; NULL if there are none. */
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
