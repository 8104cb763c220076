/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>
#include <string.h>

G_BEGIN_DECLS

/* A contiguous buffer that grows: the memory of a store. Small buffers are on the heap, large ones in an anonymous
 * mapping.
 *
 * Huge pages make a mapping several times faster to fill, but the last one is resident as a whole. From
 * TF_MEMORY_BUFFER_HUGE_MIN on, that is a small part of the content. Before that, a mapping has small pages, unless
 * tf_memory_buffer_grow() is told to begin a huge one. tf_memory_buffer_trim() gives back what it has too much then. */
typedef struct
{
  guint8  *data;     /* (owned) (nullable) */
  gsize    size;     /* of the content, in bytes */
  gsize    capacity; /* of @data, in bytes */
  gsize    room;     /* the part of the capacity that may be used, in bytes */
  gsize    touched;  /* bytes of @data behind both this and the content are zero */
  guint    mapped : 1;
  guint    huge : 1;     /* pages that are touched from now on are huge */
  guint    has_gaps : 1; /* the content may have long ranges that were never written */
} TfMemoryBuffer;

/* The size of the content, in bytes, from which on a part of a huge page is at most a tenth of it. */
#define TF_MEMORY_BUFFER_HUGE_MIN ((gsize) 20 * 1024 * 1024)

gboolean tf_memory_buffer_begins_huge_page (const TfMemoryBuffer *self,
                                            gsize                 size,
                                            gsize                 limit);
gboolean tf_memory_buffer_grow             (TfMemoryBuffer       *self,
                                            gsize                 size,
                                            gsize                 limit,
                                            gboolean              begin_huge_page);
void     tf_memory_buffer_trim             (TfMemoryBuffer       *self);
void     tf_memory_buffer_fill_gap         (TfMemoryBuffer       *self,
                                            gsize                 end);
void     tf_memory_buffer_set_size         (TfMemoryBuffer       *self,
                                            gsize                 size);
void     tf_memory_buffer_clear            (TfMemoryBuffer       *self);
void     tf_memory_buffer_free_unused      (TfMemoryBuffer       *self);
gsize    tf_memory_buffer_get_resident     (const TfMemoryBuffer *self);

/* Extends the content for @count bytes at @offset if there is room, and returns where to copy them. Otherwise, and for
 * a @count of 0, returns NULL without a change. */
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

/* Returns the @count bytes at @offset, or NULL if there are fewer. */
static inline const guint8 *
tf_memory_buffer_peek (const TfMemoryBuffer *self,
                       goffset               offset,
                       gsize                 count)
{
  if ((guint64) offset > self->size || count > self->size - offset)
    return NULL;

  return self->data + offset;
}

/* Returns where the caller may put up to @count bytes at @offset, for which there must be room. A gap before them reads
 * as zeros. tf_memory_buffer_commit() makes them content. */
static inline guint8 *
tf_memory_buffer_prepare (TfMemoryBuffer *self,
                   gsize     offset,
                   gsize     count)
{
  tf_memory_buffer_fill_gap (self, offset);
  self->touched = MAX (self->touched, offset + count);
  return self->data + offset;
}

/* Makes everything up to @end content. */
static inline void
tf_memory_buffer_commit (TfMemoryBuffer *self,
                  gsize     end)
{
  self->size = MAX (self->size, end);
}

/* Writes @count bytes at @offset, for which there must be room. A gap before them reads as zeros. */
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

/* Copies @count bytes at @offset, or fewer at the end. Returns their number. */
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
