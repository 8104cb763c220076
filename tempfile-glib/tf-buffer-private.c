/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-buffer-private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* From here on fresh memory costs more in page faults than a mapping costs in system calls. */
#define MAPPING_MIN (2 * 1024 * 1024)
#define HEAP_MIN 256

static gsize
round_to_pages (gsize size)
{
  gsize page_size = sysconf (_SC_PAGESIZE);

  return size > G_MAXSIZE - page_size ? 0 : (size + page_size - 1) / page_size * page_size;
}

static void
free_storage (guint8   *data,
              gsize     capacity,
              gboolean  mapped)
{
  if (mapped)
    munmap (data, capacity);
  else
    free (data);
}

static gboolean
move_to_heap (TfBuffer *self,
              gsize     capacity)
{
  guint8 *data = realloc (self->data, capacity);

  if (data == NULL)
    return FALSE;

  /* What realloc() adds holds anything. */
  self->data = data;
  self->capacity = capacity;
  self->touched = capacity;
  return TRUE;
}

static gboolean
move_to_mapping (TfBuffer *self,
                 gsize     capacity)
{
  guint8 *data;

  capacity = round_to_pages (capacity);
  if (capacity == 0)
    return FALSE;

  if (self->mapped)
    data = mremap (self->data, self->capacity, capacity, MREMAP_MAYMOVE);
  else
    data = mmap (NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (data == MAP_FAILED)
    return FALSE;

  if (!self->mapped)
    {
      if (self->size > 0)
        memcpy (data, self->data, self->size);
      free_storage (self->data, self->capacity, self->mapped);
      self->touched = self->size;
    }

  madvise (data, capacity, MADV_HUGEPAGE);
  self->data = data;
  self->capacity = capacity;
  self->touched = MIN (self->touched, capacity);
  self->mapped = TRUE;
  return TRUE;
}

static gboolean
move_to_capacity (TfBuffer *self,
                  gsize     capacity)
{
  if (self->mapped || capacity >= MAPPING_MIN)
    return move_to_mapping (self, capacity);

  return move_to_heap (self, capacity);
}

/* Makes room for content of @size bytes; doubles within @limit, so that growing is linear over all.
 * Returns FALSE, with nothing changed, when there is no memory. */
gboolean
tf_buffer_reserve (TfBuffer *self,
                   gsize     size,
                   gsize     limit)
{
  gsize doubled = MIN (MAX (self->capacity, HEAP_MIN / 2), G_MAXSIZE / 2) * 2;

  if (size <= self->capacity)
    return TRUE;

  doubled = MIN (doubled, limit);
  return (doubled > size && move_to_capacity (self, doubled)) || move_to_capacity (self, size);
}

/* Zeroes what lies between the end of the content and @end, without touching fresh pages. */
static void
fill_gap (TfBuffer *self,
          gsize     end)
{
  gsize stale_end = MIN (end, self->touched);

  if (stale_end > self->size)
    memset (self->data + self->size, 0, stale_end - self->size);
}

/* Where someone else is to put up to @count bytes at @offset, for which there must be room; a gap before
 * them reads as zeros. They become content by tf_buffer_commit(). */
guint8 *
tf_buffer_prepare (TfBuffer *self,
                   gsize     offset,
                   gsize     count)
{
  fill_gap (self, offset);
  self->touched = MAX (self->touched, offset + count);
  return self->data + offset;
}

void
tf_buffer_commit (TfBuffer *self,
                  gsize     end)
{
  self->size = MAX (self->size, end);
}

/* Puts @count bytes at @offset, for which there must be room; a gap before them reads as zeros. */
void
tf_buffer_write (TfBuffer      *self,
                 gsize          offset,
                 gconstpointer  data,
                 gsize          count)
{
  memcpy (tf_buffer_prepare (self, offset, count), data, count);
  tf_buffer_commit (self, offset + count);
}

gsize
tf_buffer_read (TfBuffer *self,
                gsize     offset,
                gpointer  data,
                gsize     count)
{
  gsize n_bytes = offset < self->size ? MIN (count, self->size - offset) : 0;

  if (n_bytes > 0)
    memcpy (data, self->data + offset, n_bytes);

  return n_bytes;
}

/* Cuts the content off at @size, or extends it with zeros, for which there must be room. */
void
tf_buffer_set_size (TfBuffer *self,
                    gsize     size)
{
  if (size == 0)
    {
      tf_buffer_clear (self);
      return;
    }

  fill_gap (self, size);
  self->size = size;
  if (self->mapped && size <= self->capacity / 4)
    move_to_mapping (self, size);
}

void
tf_buffer_clear (TfBuffer *self)
{
  free_storage (self->data, self->capacity, self->mapped);
  *self = (TfBuffer) { NULL, };
}
