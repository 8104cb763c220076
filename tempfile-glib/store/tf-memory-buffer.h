/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* Contiguous bytes that grow: the memory stage of a store. On the heap while small, in an anonymous
 * mapping when large. */
typedef struct
{
  guint8  *data;     /* (nullable) */
  gsize    size;     /* bytes of content */
  gsize    capacity; /* bytes that fit into @data */
  gsize    touched;  /* every byte of @data that is behind both this and the content is zero */
  gboolean mapped;
} TfBuffer;

gboolean tf_buffer_reserve  (TfBuffer      *self,
                             gsize          size,
                             gsize          limit);
void     tf_buffer_fill_gap (TfBuffer      *self,
                             gsize          end);
void     tf_buffer_set_size (TfBuffer      *self,
                             gsize          size);
void     tf_buffer_clear    (TfBuffer      *self);

/* Where someone else is to put up to @count bytes at @offset, for which there must be room; a gap before
 * them reads as zeros. They become content by tf_buffer_commit(). */
static inline guint8 *
tf_buffer_prepare (TfBuffer *self,
                   gsize     offset,
                   gsize     count)
{
  tf_buffer_fill_gap (self, offset);
  self->touched = MAX (self->touched, offset + count);
  return self->data + offset;
}

/* What ends at @end is content now, and all before it. */
static inline void
tf_buffer_commit (TfBuffer *self,
                  gsize     end)
{
  self->size = MAX (self->size, end);
}

/* Puts @count bytes at @offset, for which there must be room; a gap before them reads as zeros. */
static inline void
tf_buffer_write (TfBuffer      *self,
                 gsize          offset,
                 gconstpointer  data,
                 gsize          count)
{
  tf_buffer_fill_gap (self, offset);
  tf_buffer_commit (self, offset + count);
  memcpy (self->data + offset, data, count);
}

/* Copies @count bytes from @offset on, fewer at the end, and returns how many. */
static inline gsize
tf_buffer_read (const TfBuffer *self,
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
