/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-memory-buffer.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/tf-system.h"
#include "tf-memory-pool.h"

/* The size, in bytes, from which on page faults of the heap cost more than the system calls of a mapping. With a limit for
 * all memory, mappings begin to be used earlier, and some are kept for the next buffer: what threads free at the end of
 * their parts of the heap stays resident, and malloc_trim(3) does not give it back. */
#define MAPPED_MIN TF_SYSTEM_HUGE_PAGE
#define MAPPED_MIN_LIMITED ((gsize) 64 * 1024)

/* The smallest piece of the heap, and the size, in bytes, below which the next piece is four times as large. */
#define HEAP_MIN 256
#define HEAP_STEPS_MIN 4096

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
    tf_memory_pool_unmap (self->data, self->capacity, tf_memory_buffer_get_resident (self));
  else
    tf_memory_pool_free (self->data, self->capacity);
}

/* Moves the content to other storage, of which bytes behind the first @touched are zero. */
static void
replace_storage (TfMemoryBuffer *self,
                 guint8         *data,
                 gsize           capacity,
                 gsize           touched,
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
    .touched = MAX (touched, self->size),
    .mapped = mapped,
    .huge = self->huge,
    .has_gaps = self->has_gaps,
  };
}

/* Has an effect on pages that are touched later. */
static void
use_huge_pages (TfMemoryBuffer *self,
                gboolean        huge)
{
  if (self->mapped && self->huge != !!huge)
    {
      tf_system_use_huge_pages (self->data, self->capacity, huge);
      self->huge = huge;
    }
}

static gboolean
move_to_heap (TfMemoryBuffer *self,
              gsize           capacity)
{
  guint8 *data = self->mapped ? tf_memory_pool_allocate (capacity)
                              : tf_memory_pool_reallocate (self->data, self->capacity, capacity);

  if (data == NULL)
    return FALSE;

  if (self->mapped)
    replace_storage (self, data, capacity, capacity, FALSE);

  self->data = data;
  self->capacity = self->touched = capacity;
  self->huge = FALSE;
  return TRUE;
}

/* The bytes are copied to a new mapping after its pages were chosen, also from a mapping without huge pages to one that may
 * have them: somebody else can use the former one then. */
static gboolean
move_to_mapping (TfMemoryBuffer *self,
                 gsize           capacity,
                 gboolean        huge)
{
  gsize size = round_to_pages (capacity);
  gboolean stays = self->mapped && (self->capacity >= MAPPED_MIN || size < MAPPED_MIN);
  gsize touched = 0;
  guint8 *data = NULL;

  if (size > 0)
    data = stays ? tf_system_remap (self->data, self->capacity, size) : tf_memory_pool_map (&size, &touched);
  if (data == NULL)
    return FALSE;

  if (!stays)
    {
      tf_system_use_huge_pages (data, size, huge);
      replace_storage (self, data, size, touched, TRUE);
      self->huge = huge;
    }

  self->data = data;
  self->capacity = size;
  self->touched = MIN (self->touched, size);
  return TRUE;
}

static gboolean
move_to_capacity (TfMemoryBuffer *self,
                  gsize           capacity,
                  gboolean        huge)
{
  gsize min = tf_memory_pool_is_limited () ? MAPPED_MIN_LIMITED : MAPPED_MIN;

  /* There may be too many mappings. */
  return (capacity >= min && move_to_mapping (self, capacity, huge)) ||
         (capacity < MAPPED_MIN && move_to_heap (self, capacity));
}

static gsize
get_next_capacity (const TfMemoryBuffer *self,
                   gsize                 limit)
{
  gsize factor = self->capacity < HEAP_STEPS_MIN ? 4 : 2;
  gsize capacity = MIN (MAX (self->capacity, HEAP_MIN / factor), G_MAXSIZE / factor) * factor;

  return MIN (capacity, limit);
}

static gsize
round_down_to_huge_page (gsize size)
{
  return size & ~(TF_SYSTEM_HUGE_PAGE - 1);
}

/* Returns whether the content enters a page that it has not touched yet, and that could be a huge one, if it grows to
 * @size bytes. */
gboolean
tf_memory_buffer_begins_huge_page (const TfMemoryBuffer *self,
                                   gsize                 size,
                                   gsize                 limit)
{
  gboolean is_large = self->mapped && self->capacity >= MAPPED_MIN;

  return (is_large || MAX (size, get_next_capacity (self, limit)) >= MAPPED_MIN) &&
         size > 0 && size < TF_MEMORY_BUFFER_HUGE_MIN &&
         (!is_large || self->size <= round_down_to_huge_page (size - 1));
}

/* Makes room for content of @size bytes, at most @limit. Doubles the capacity within @limit, so that repeated growing
 * takes linear time. @begin_huge_page is what to do if tf_memory_buffer_begins_huge_page(). Returns FALSE without a
 * change if there is no memory. */
gboolean
tf_memory_buffer_grow (TfMemoryBuffer *self,
                       gsize           size,
                       gsize           limit,
                       gboolean        begin_huge_page)
{
  gsize next = get_next_capacity (self, limit);
  gboolean huge = self->huge;

  if (size >= TF_MEMORY_BUFFER_HUGE_MIN)
    huge = TRUE;
  else if (tf_memory_buffer_begins_huge_page (self, size, limit))
    huge = begin_huge_page;

  if (size > self->capacity &&
      !(next > size && move_to_capacity (self, next, huge)) &&
      !move_to_capacity (self, size, huge))
    return FALSE;

  use_huge_pages (self, huge);
  self->room = MIN (self->capacity, limit);
  if (self->mapped && !self->huge && size > 0)
    self->room = MIN (self->room, round_down_to_huge_page (size - 1) + TF_SYSTEM_HUGE_PAGE);
  return TRUE;
}

/* Frees pages that have no content. Those at the ends of a piece of the heap are shared with others. */
static void
free_pages (TfMemoryBuffer *self)
{
  gsize page_size = sysconf (_SC_PAGESIZE);
  gsize address = GPOINTER_TO_SIZE (self->data);
  gsize start = (address + self->size + page_size - 1) / page_size * page_size;
  gsize end = (address + self->capacity) / page_size * page_size;

  if (start >= end || !tf_system_free_pages (self->data + (start - address), end - start))
    return;

  memset (self->data + (end - address), 0, address + self->capacity - end);
  self->touched = MIN (self->touched, start - address);
}

/* Frees the rest of a huge page that is too large for the content, and continues with small pages until
 * tf_memory_buffer_grow() begins another one. The bytes stay where they are, and can be read meanwhile. */
void
tf_memory_buffer_trim (TfMemoryBuffer *self)
{
  if (!self->huge || self->size >= TF_MEMORY_BUFFER_HUGE_MIN)
    return;

  use_huge_pages (self, FALSE);
  free_pages (self);
  self->room = MIN (self->room, round_down_to_huge_page (self->size) + TF_SYSTEM_HUGE_PAGE);
}

/* Returns how much of the storage may be resident, in bytes. */
gsize
tf_memory_buffer_get_resident (const TfMemoryBuffer *self)
{
  return MAX (self->touched, self->size);
}

/* Frees what is resident of the storage without being content. */
void
tf_memory_buffer_free_unused (TfMemoryBuffer *self)
{
  tf_memory_buffer_trim (self);
  if (tf_memory_buffer_get_resident (self) > self->size)
    free_pages (self);
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
  gboolean shrinks = size < self->size;

  if (size == 0)
    {
      tf_memory_buffer_clear (self);
      return;
    }

  tf_memory_buffer_fill_gap (self, size);
  self->touched = MAX (self->touched, self->size);
  self->size = size;
  if (shrinks && self->capacity > HEAP_MIN && size <= self->capacity / 2)
    move_to_capacity (self, MAX (size + size / 8, HEAP_MIN), size >= TF_MEMORY_BUFFER_HUGE_MIN);
  if (shrinks && (self->mapped || tf_memory_buffer_get_resident (self) - size > size / 8))
    free_pages (self);
  self->room = MIN (self->room, self->capacity);
}

void
tf_memory_buffer_clear (TfMemoryBuffer *self)
{
  free_storage (self);
  *self = (TfMemoryBuffer) { NULL, };
}
