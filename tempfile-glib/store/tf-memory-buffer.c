/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-memory-buffer.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/tf-system.h"

/* The size, in bytes, from which on page faults of the heap cost more than the system calls of a mapping. */
#define MAPPED_MIN TF_SYSTEM_HUGE_PAGE
#define HEAP_MIN 256

/* The size, in bytes, from which on a gap is worth a hole in a file. */
#define GAP_MIN 4096

static gsize
round_to_pages (gsize size)
{
  gsize page_size = sysconf (_SC_PAGESIZE);

  return size > G_MAXSSIZE - TF_SYSTEM_HUGE_PAGE ? 0 : (size + page_size - 1) / page_size * page_size;
}

static void
free_storage (TfMemoryBuffer *self)
{
  if (self->mapped)
    munmap (self->data, self->capacity);
  else
    free (self->data);
}

/* Moves the content to other storage. Memory that realloc() adds is undefined; memory that mmap() adds is zero. */
static void
replace_storage (TfMemoryBuffer *self,
                 guint8         *data,
                 gsize           capacity,
                 gboolean        mapped)
{
  if (self->size > 0)
    memcpy (data, self->data, self->size);
  free_storage (self);
  *self = (TfMemoryBuffer) {
    .data = data,
    .size = self->size,
    .capacity = capacity,
    .room = self->room,
    .touched = mapped ? self->size : capacity,
    .mapped = mapped,
    .has_gaps = self->has_gaps,
  };
}

static gboolean
move_to_heap (TfMemoryBuffer *self,
              gsize           capacity)
{
  guint8 *data = self->mapped ? malloc (capacity) : realloc (self->data, capacity);

  if (data == NULL)
    return FALSE;

  if (self->mapped)
    replace_storage (self, data, capacity, FALSE);

  self->data = data;
  self->capacity = self->touched = capacity;
  return TRUE;
}

static gboolean
move_to_mapping (TfMemoryBuffer *self,
                 gsize           capacity)
{
  gsize size = round_to_pages (capacity);
  guint8 *data = NULL;

  if (size > 0)
    data = self->mapped ? tf_system_remap (self->data, self->capacity, size) : tf_system_remap (NULL, 0, size);
  if (data == NULL)
    return FALSE;

  if (!self->mapped)
    replace_storage (self, data, size, TRUE);

  self->data = data;
  self->capacity = size;
  self->touched = MIN (self->touched, size);
  return TRUE;
}

static gboolean
move_to_capacity (TfMemoryBuffer *self,
                  gsize           capacity)
{
  return capacity >= MAPPED_MIN ? move_to_mapping (self, capacity) : move_to_heap (self, capacity);
}

/* Makes room for content of @size bytes, at most @limit. Doubles the capacity within @limit, so that repeated growing
 * takes linear time. Returns FALSE without a change if there is no memory. */
gboolean
tf_memory_buffer_grow (TfMemoryBuffer *self,
                       gsize           size,
                       gsize           limit)
{
  gsize doubled = MIN (MAX (self->capacity, HEAP_MIN / 2), G_MAXSIZE / 2) * 2;

  doubled = MIN (doubled, limit);
  if (size > self->capacity &&
      !(doubled > size && move_to_capacity (self, doubled)) &&
      !move_to_capacity (self, size))
    return FALSE;

  self->room = MIN (self->capacity, limit);
  return TRUE;
}

/* Fills the range from the end of the content to @end with zeros, without touching pages that are zero already. */
void
tf_memory_buffer_fill_gap (TfMemoryBuffer *self,
                           gsize           end)
{
  gsize stale_end = MIN (end, self->touched);

  if (end > self->size && end - self->size >= GAP_MIN)
    self->has_gaps = TRUE;
  if (stale_end > self->size)
    memset (self->data + self->size, 0, stale_end - self->size);
}

/* Sets the size of the content. Extends with zeros, for which there must be room. Frees memory that is not needed any
 * more, if possible. */
void
tf_memory_buffer_set_size (TfMemoryBuffer *self,
                           gsize           size)
{
  if (size == 0)
    {
      tf_memory_buffer_clear (self);
      return;
    }

  tf_memory_buffer_fill_gap (self, size);
  self->touched = MAX (self->touched, self->size);
  self->size = size;
  if (self->capacity > HEAP_MIN && size <= self->capacity / 4)
    move_to_capacity (self, MAX (size, HEAP_MIN));
  self->room = MIN (self->room, self->capacity);
}

void
tf_memory_buffer_clear (TfMemoryBuffer *self)
{
  free_storage (self);
  *self = (TfMemoryBuffer) { NULL, };
}
