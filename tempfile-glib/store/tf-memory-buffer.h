/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>
#include <string.h>

G_BEGIN_DECLS

/* Contiguous bytes that grow: the memory stage of a store. On the heap while small, in an anonymous
 * mapping when large. */
typedef struct
{
  guint8  *data;     /* (nullable) */
  gsize    size;     /* bytes of content */
  gsize    capacity; /* bytes that fit into @data */
  gsize    room;     /* bytes of them that may be used */
  gsize    touched;  /* every byte of @data that is behind both this and the content is zero */
  gboolean mapped;
} TfMemoryBuffer;

gboolean tf_memory_buffer_grow     (TfMemoryBuffer *self,
                                    gsize           size,
                                    gsize           limit);
void     tf_memory_buffer_fill_gap (TfMemoryBuffer *self,
                                    gsize           end);
void     tf_memory_buffer_set_size (TfMemoryBuffer *self,
                                    gsize           size);
void     tf_memory_buffer_clear    (TfMemoryBuffer *self);

/* Where bytes that are written at @offset need only be copied to, as the content that they are from now on;
 * else, and for none, NULL, with nothing done. */
static inline guint8 *
tf_memory_buffer_claim (TfMemoryBuffer *self,
                        goffset         offset,
                        gsize           count)
{
  gsize end = offset + count;

  if ((guint64) offset > self->size || end > self->room || end <= (gsize) offset)
    return NULL;

  self->size = MAX (self->size, end);
  return self->data + offset;
}

/* Where @count bytes at @offset are; NULL when there are not so many. */
static inline const guint8 *
tf_memory_buffer_peek (const TfMemoryBuffer *self,
                       goffset               offset,
                       gsize                 count)
{
  if ((guint64) offset > self->size || count > self->size - offset)
    return NULL;

  return self->data + offset;
}

/* Where someone else is to put up to @count bytes at @offset, for which there must be room; a gap before
 * them reads as zeros. They become content by tf_memory_buffer_commit(). */
static inline guint8 *
tf_memory_buffer_prepare (TfMemoryBuffer *self,
                   gsize     offset,
                   gsize     count)
{
  tf_memory_buffer_fill_gap (self, offset);
  self->touched = MAX (self->touched, offset + count);
  return self->data + offset;
}

/* What ends at @end is content now, and all before it. */
static inline void
tf_memory_buffer_commit (TfMemoryBuffer *self,
                  gsize     end)
{
  self->size = MAX (self->size, end);
}

/* Puts @count bytes at @offset, for which there must be room; a gap before them reads as zeros. */
static inline void
tf_memory_buffer_write (TfMemoryBuffer      *self,
                 gsize          offset,
                 gconstpointer  data,
                 gsize          count)
{
  tf_memory_buffer_fill_gap (self, offset);
  tf_memory_buffer_commit (self, offset + count);
  memcpy (self->data + offset, data, count);
}

/* Copies @count bytes from @offset on, fewer at the end, and returns how many. */
static inline gsize
tf_memory_buffer_read (const TfMemoryBuffer *self,
                gsize           offset,
                gpointer        data,
                gsize           count)
{
  gsize n_bytes = offset < self->size ? MIN (count, self->size - offset) : 0;

  if (G_LIKELY (n_bytes > 0))
    memcpy (data, self->data + offset, n_bytes);

  return n_bytes;
}

G_END_DECLS
