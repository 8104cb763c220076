/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "store/tf-memory-buffer.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/tf-system.h"
#include "store/tf-memory-pool.h"
#include "tf-test.h"

#define KIB ((gsize) 1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* No machine has so much, whatever it promises. */
#define TOO_MUCH ((gsize) (GLIB_SIZEOF_SIZE_T > 4 ? G_MAXSSIZE / 8 : G_MAXSSIZE))

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfMemoryBuffer, tf_memory_buffer_clear)

int __real_madvise (void *data, size_t size, int advice);
int __wrap_madvise (void *data, size_t size, int advice);

static const TfMemoryBuffer *cut_off; /* (nullable): whose pages alone may be freed */
static guint n_freed;
static gboolean keeps_pages; /* the system */

int
__wrap_madvise (void   *data,
                size_t  size,
                int     advice)
{
  if (cut_off != NULL)
    {
      gsize offset = (guint8 *) data - cut_off->data;

      g_assert_cmpuint (offset, >=, cut_off->size);
      g_assert_cmpuint (offset, <=, cut_off->capacity);
      g_assert_cmpuint (size, <=, cut_off->capacity - offset);
      n_freed++;
    }

  if (keeps_pages && advice == MADV_DONTNEED)
    {
      errno = EINVAL;
      return -1;
    }

  return __real_madvise (data, size, advice);
}

static void
reserve (TfMemoryBuffer *buffer,
         gsize           size)
{
  g_assert_true (tf_memory_buffer_grow (buffer, size, G_MAXSSIZE, FALSE));
  g_assert_cmpuint (buffer->capacity, >=, size);
}

static void
write_at (TfMemoryBuffer *buffer,
          gsize           offset,
          const char     *text)
{
  reserve (buffer, offset + strlen (text));
  tf_memory_buffer_write (buffer, offset, text, strlen (text));
}

static void
set_size (TfMemoryBuffer *buffer,
          gsize           size)
{
  reserve (buffer, size);
  tf_memory_buffer_set_size (buffer, size);
  g_assert_cmpuint (buffer->size, ==, size);
}

static void
fill (TfMemoryBuffer *buffer,
      gsize           size)
{
  reserve (buffer, size);
  g_assert_nonnull (buffer->data);
  memset (buffer->data, 'x', size);
  buffer->size = size;
  buffer->touched = MAX (buffer->touched, size);
}

static void
assert_all (TfMemoryBuffer *buffer,
            gsize           start,
            gsize           end,
            guint8          byte)
{
  g_assert_cmpuint (end, <=, buffer->size);
  for (gsize i = start; i < end; i++)
    if (buffer->data[i] != byte)
      g_error ("byte %" G_GSIZE_FORMAT " is 0x%02x, not 0x%02x", i, buffer->data[i], byte);
}

/* A huge page is begun once, and asked for before that. */
static void
test_huge_page_begins (void)
{
  const gsize page = TF_SYSTEM_HUGE_PAGE;
  g_auto(TfMemoryBuffer) buffer = { NULL, };

  g_assert_false (tf_memory_buffer_begins_huge_page (&buffer, 1, G_MAXSSIZE));
  fill (&buffer, page + 1);
  g_assert_true (buffer.mapped);
  g_assert_false (tf_memory_buffer_begins_huge_page (&buffer, page + 2, G_MAXSSIZE));
  g_assert_false (tf_memory_buffer_begins_huge_page (&buffer, 2 * page, G_MAXSSIZE));
  g_assert_true (tf_memory_buffer_begins_huge_page (&buffer, 2 * page + 1, G_MAXSSIZE));
  g_assert_cmpuint (buffer.room, <=, 2 * page);
}

static void
test_write_read (void)
{
  /* Optimised, gcc would warn of what is never reached. */
  volatile gsize far_away = G_MAXSSIZE;
  g_auto(TfMemoryBuffer) buffer = { NULL, };
  char bytes[32];

  g_assert_cmpuint (tf_memory_buffer_read (&buffer, 0, bytes, sizeof bytes), ==, 0);
  g_assert_cmpuint (tf_memory_buffer_read (&buffer, 100, bytes, sizeof bytes), ==, 0);

  write_at (&buffer, 0, "Hello world!");
  write_at (&buffer, 6, "there");
  g_assert_cmpuint (buffer.size, ==, 12);
  g_assert_cmpuint (tf_memory_buffer_read (&buffer, 0, bytes, sizeof bytes), ==, 12);
  g_assert_cmpmem (bytes, 12, "Hello there!", 12);
  g_assert_cmpuint (tf_memory_buffer_read (&buffer, 6, bytes, 3), ==, 3);
  g_assert_cmpmem (bytes, 3, "the", 3);
  g_assert_cmpuint (tf_memory_buffer_read (&buffer, 11, bytes, sizeof bytes), ==, 1);
  g_assert_cmpuint (tf_memory_buffer_read (&buffer, 12, bytes, sizeof bytes), ==, 0);
  g_assert_cmpuint (tf_memory_buffer_read (&buffer, far_away, bytes, sizeof bytes), ==, 0);
}

/* For small ones on the heap and large ones in a mapping. */
static void
test_gap (gconstpointer data)
{
  gsize unit = GPOINTER_TO_SIZE (data);
  g_auto(TfMemoryBuffer) buffer = { NULL, };

  /* Fresh memory. */
  write_at (&buffer, 0, "start");
  write_at (&buffer, unit, "end");
  assert_all (&buffer, 5, unit, 0);

  /* Stale bytes after the content was cut off, and then something is written behind. */
  fill (&buffer, 4 * unit);
  set_size (&buffer, unit);
  write_at (&buffer, 3 * unit, "end");
  g_assert_cmpuint (buffer.size, ==, 3 * unit + 3);
  assert_all (&buffer, 0, unit, 'x');
  assert_all (&buffer, unit, 3 * unit, 0);

  /* The same when it is extended; also a second time, and beyond what it was before. */
  fill (&buffer, 4 * unit);
  set_size (&buffer, unit + 1);
  set_size (&buffer, 2 * unit);
  set_size (&buffer, 5 * unit);
  assert_all (&buffer, 0, unit + 1, 'x');
  assert_all (&buffer, unit + 1, 5 * unit, 0);

  /* Shrunk so far that memory is given back. */
  fill (&buffer, 8 * unit);
  set_size (&buffer, 1);
  set_size (&buffer, 8 * unit);
  assert_all (&buffer, 0, 1, 'x');
  assert_all (&buffer, 1, 8 * unit, 0);

  set_size (&buffer, 0);
  g_assert_null (buffer.data);
  g_assert_cmpuint (buffer.capacity, ==, 0);
  set_size (&buffer, unit);
  assert_all (&buffer, 0, unit, 0);
}

static void
test_from_heap_to_mapping (void)
{
  g_auto(TfMemoryBuffer) buffer = { NULL, };

  fill (&buffer, MIB);
  g_assert_false (buffer.mapped);
  set_size (&buffer, MIB / 2);
  reserve (&buffer, 2 * MIB);
  g_assert_true (buffer.mapped);
  g_assert_cmpuint (buffer.size, ==, MIB / 2);
  assert_all (&buffer, 0, MIB / 2, 'x');

  set_size (&buffer, 5 * MIB);
  assert_all (&buffer, 0, MIB / 2, 'x');
  assert_all (&buffer, MIB / 2, 5 * MIB, 0);
}

static void
test_straight_to_mapping (void)
{
  g_auto(TfMemoryBuffer) buffer = { NULL, };

  fill (&buffer, 3 * MIB);
  g_assert_true (buffer.mapped);
  assert_all (&buffer, 0, 3 * MIB, 'x');
}

static void
test_memory_comes_back (void)
{
  g_auto(TfMemoryBuffer) buffer = { NULL, };

  fill (&buffer, 64 * MIB);
  set_size (&buffer, 5 * KIB);
  g_assert_cmpuint (buffer.capacity, <=, 8 * KIB);
  assert_all (&buffer, 0, 5 * KIB, 'x');
}

static gsize
count_resident (TfMemoryBuffer *buffer)
{
  gsize page_size = sysconf (_SC_PAGESIZE);
  gsize n_pages = buffer->capacity / page_size;
  g_autofree guint8 *pages = g_malloc (n_pages);
  gsize n_resident = 0;

  g_assert_true (buffer->mapped);
  g_assert_cmpint (mincore (buffer->data, n_pages * page_size, pages), ==, 0);
  for (gsize i = 0; i < n_pages; i++)
    n_resident += pages[i] & 1;

  return n_resident * page_size;
}

/* A byte at the end of a large gap costs a few pages, not all. */
static void
test_gap_is_not_touched (void)
{
  g_auto(TfMemoryBuffer) buffer = { NULL, };

  write_at (&buffer, GIB, "end");
  g_assert_cmpuint (count_resident (&buffer), >, 0);
  g_assert_cmpuint (count_resident (&buffer), <=, 4 * MIB);
}

/* Fills as a store does. */
static void
fill_in_pieces (TfMemoryBuffer *buffer,
                gsize           size,
                gboolean        begin_huge_pages)
{
  static const char piece[16 * KIB] = "x";

  while (buffer->size < size)
    {
      gsize count = MIN (sizeof piece, size - buffer->size);
      guint8 *target = tf_memory_buffer_claim (buffer, buffer->size, count);

      if (target != NULL)
        {
          memcpy (target, piece, count);
          continue;
        }

      g_assert_true (tf_memory_buffer_grow (buffer, buffer->size + count, G_MAXSSIZE, begin_huge_pages));
      tf_memory_buffer_write (buffer, buffer->size, piece, count);
    }
}

static void
assert_resident (TfMemoryBuffer *buffer)
{
  g_assert_cmpuint (count_resident (buffer), <=, buffer->size * 1.15 + 4 * KIB);
}

static const gsize sizes[] = {
  MIB + 1, 2 * MIB, 2 * MIB + 4 * KIB, 3 * MIB, 4 * MIB + 1, 7 * MIB + 5, 12 * MIB + 1, 14 * MIB, 14 * MIB + 1, 17 * MIB,
};

static void
test_resident (void)
{
  if (tf_test_skip_if_portable ("advice on huge pages"))
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_auto(TfMemoryBuffer) buffer = { NULL, };

      fill_in_pieces (&buffer, sizes[i], FALSE);
      assert_resident (&buffer);
    }
}

/* What was begun as a huge page is small again, and has lost nothing. */
static void
test_trim (void)
{
  if (tf_test_skip_if_portable ("advice on huge pages"))
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_auto(TfMemoryBuffer) buffer = { NULL, };
      g_auto(TfMemoryBuffer) model = { NULL, };

      fill_in_pieces (&buffer, sizes[i], TRUE);
      tf_memory_buffer_trim (&buffer);
      assert_resident (&buffer);
      fill_in_pieces (&buffer, sizes[i] + MIB, FALSE);
      assert_resident (&buffer);
      fill_in_pieces (&buffer, sizes[i] + 5 * MIB, TRUE);
      tf_memory_buffer_trim (&buffer);
      assert_resident (&buffer);

      fill_in_pieces (&model, sizes[i], FALSE);
      g_assert_cmpmem (buffer.data, sizes[i], model.data, model.size);
    }
}

/* What is only reserved stays untouched. */
static void
test_reserved_is_not_huge (void)
{
  g_auto(TfMemoryBuffer) buffer = { NULL, };

  reserve (&buffer, 64 * MIB);
  tf_memory_buffer_trim (&buffer);
  tf_memory_buffer_write (&buffer, 0, "x", 1);
  assert_resident (&buffer);
  fill_in_pieces (&buffer, 5 * MIB, FALSE);
  assert_resident (&buffer);
}

static void
test_cut_off_is_not_resident (void)
{
  g_auto(TfMemoryBuffer) buffer = { NULL, };

  if (tf_test_skip_if_portable ("a way to give pages back"))
    return;

  fill_in_pieces (&buffer, 32 * MIB, TRUE);
  set_size (&buffer, 17 * MIB);
  assert_resident (&buffer);
  set_size (&buffer, 20 * MIB);
  assert_all (&buffer, 17 * MIB, 20 * MIB, 0);
}

/* Pieces of the heap begin and end anywhere in a page, which others have a part of. */
static void
test_frees_own_pages_alone (void)
{
  n_freed = 0;
  for (gsize size = 600; size < 200 * KIB; size += 100 + size / 20)
    for (gsize rest = size - size / 50; rest > size / 50; rest -= size / 50)
      {
        g_auto(TfMemoryBuffer) buffer = { NULL, };

        fill (&buffer, size);
        cut_off = &buffer;
        tf_memory_buffer_set_size (&buffer, rest);
        cut_off = NULL;
      }

  if (!tf_test_skip_if_portable ("freeing pages"))
    g_assert_cmpuint (n_freed, >, 0);
}

static void
test_limit (void)
{
  const gsize limits[] = { 100, 1000, 5000, 100 * KIB, 3 * MIB + 1, 9 * MIB };

  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_auto(TfMemoryBuffer) buffer = { NULL, };
      gsize page_size = sysconf (_SC_PAGESIZE);
      gsize allowed = limits[i] < 2 * MIB ? limits[i] : (limits[i] + page_size - 1) / page_size * page_size;

      for (gsize size = 1; size < limits[i]; size = size * 3 / 2 + 1)
        {
          g_assert_true (tf_memory_buffer_grow (&buffer, size, limits[i], FALSE));
          g_assert_cmpuint (buffer.capacity, <=, allowed);
        }

      g_assert_true (tf_memory_buffer_grow (&buffer, limits[i], limits[i], FALSE));
      g_assert_cmpuint (buffer.capacity, <=, allowed);
    }
}

/* Many small writes move the bytes a few times, not each time. */
static void
test_growth_is_geometric (void)
{
  g_auto(TfMemoryBuffer) buffer = { NULL, };
  gsize capacity = 0;
  guint n_moves = 0;

  for (gsize size = 1; size <= 8 * MIB; size += 64)
    {
      reserve (&buffer, size);
      n_moves += buffer.capacity != capacity;
      capacity = buffer.capacity;
    }

  g_assert_cmpuint (n_moves, <=, 20);
}

static void
test_no_memory (gconstpointer data)
{
  gsize size = GPOINTER_TO_SIZE (data);
  g_auto(TfMemoryBuffer) buffer = { NULL, };
  TfMemoryBuffer before;

  g_assert_false (tf_memory_buffer_grow (&buffer, TOO_MUCH, G_MAXSSIZE, FALSE));
  g_assert_false (tf_memory_buffer_grow (&buffer, G_MAXSIZE, G_MAXSIZE, FALSE));
  g_assert_null (buffer.data);

  fill (&buffer, size);
  before = buffer;
  g_assert_false (tf_memory_buffer_grow (&buffer, TOO_MUCH, G_MAXSSIZE, FALSE));
  g_assert_false (tf_memory_buffer_grow (&buffer, G_MAXSIZE, G_MAXSIZE, FALSE));
  g_assert_cmpmem (&buffer, sizeof buffer, &before, sizeof before);
  assert_all (&buffer, 0, size, 'x');
}

static void
random_step (TfMemoryBuffer *buffer,
             GByteArray     *model)
{
  gsize max = 6 * MIB;
  gsize offset = g_test_rand_bit () ? (gsize) g_test_rand_int_range (0, max) : MIN (buffer->size, max - 1);
  gsize count = g_test_rand_int_range (1, g_test_rand_bit () ? 100 : MIB);
  guint8 byte = g_test_rand_int_range (1, 256);
  gsize old_length = model->len;

  if (g_test_rand_int_range (0, 3) == 0)
    {
      set_size (buffer, offset);
      g_byte_array_set_size (model, offset);
      if (offset > old_length)
        memset (model->data + old_length, 0, offset - old_length);
    }
  else
    {
      g_autofree guint8 *bytes = g_malloc (count);

      memset (bytes, byte, count);
      reserve (buffer, offset + count);
      tf_memory_buffer_write (buffer, offset, bytes, count);
      g_byte_array_set_size (model, MAX (old_length, offset + count));
      if (offset > old_length)
        memset (model->data + old_length, 0, offset - old_length);
      memset (model->data + offset, byte, count);
    }
}

/* With a limit, buffers get what others had. */
static void
test_random (gconstpointer limit)
{
  tf_memory_pool_set_limit (GPOINTER_TO_SIZE (limit));
  for (int i = 0; i < 10; i++)
    {
      g_auto(TfMemoryBuffer) buffer = { NULL, };
      g_autoptr(GByteArray) model = g_byte_array_new ();

      for (int j = 0; j < 40; j++)
        {
          random_step (&buffer, model);
          g_assert_cmpmem (buffer.data, buffer.size, model->data, model->len);
        }
    }
  tf_memory_pool_set_limit (0);
}

/* Where pages are locked, what was content stays resident. */
static void
test_kept_pages (void)
{
  const gsize contents[] = { 300 * 1024, 3900 * 1024 };

  if (tf_test_skip_if_portable ("freeing pages"))
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (contents); i++)
    {
      g_auto(TfMemoryBuffer) buffer = { NULL, };

      reserve (&buffer, contents[i]);
      tf_memory_buffer_set_size (&buffer, contents[i]);
      keeps_pages = TRUE;
      tf_memory_buffer_set_size (&buffer, contents[i] / 8 * 5);
      keeps_pages = FALSE;
      g_assert_cmpuint (tf_memory_buffer_get_resident (&buffer), >=, contents[i]);
      tf_memory_buffer_free_unused (&buffer);
      g_assert_cmpuint (tf_memory_buffer_get_resident (&buffer), <=, contents[i] / 8 * 5 + 64 * 1024);
    }
}

/* With a limit, what is freed is to be the system's at once. */
static void
test_mapped_early (void)
{
  const gsize size = 300 * 1024;

  for (int i = 0; i < 2; i++)
    {
      g_auto(TfMemoryBuffer) buffer = { NULL, };

      tf_memory_pool_set_limit (i == 0 ? 0 : 1024 * 1024 * 1024);
      reserve (&buffer, size);
      g_assert_cmpint (buffer.mapped, ==, i);
      g_assert_false (tf_memory_buffer_begins_huge_page (&buffer, size, G_MAXSSIZE));
    }
  tf_memory_pool_set_limit (0);
}

/* What another buffer had is not seen, and counts as resident. */
static void
test_mapped_again (void)
{
  g_auto(TfMemoryBuffer) former = { NULL, };
  g_auto(TfMemoryBuffer) buffer = { NULL, };
  const gsize size = 300 * 1024;
  const guint8 *data;

  tf_memory_pool_set_limit (GIB);
  fill (&former, size);
  data = former.data;
  tf_memory_buffer_clear (&former);

  write_at (&buffer, size - 1, "x");
  g_assert_true (buffer.data == data);
  assert_all (&buffer, 0, size - 1, 0);
  tf_memory_buffer_clear (&buffer);

  write_at (&buffer, 100 * 1024, "x");
  g_assert_true (buffer.data == data);
  g_assert_cmpuint (tf_memory_buffer_get_resident (&buffer), >=, size);
  tf_memory_buffer_free_unused (&buffer);
  g_assert_true (tf_test_is_portable () || tf_memory_buffer_get_resident (&buffer) < size / 2);
  tf_memory_buffer_set_size (&buffer, size);
  assert_all (&buffer, 0, 100 * 1024, 0);
  assert_all (&buffer, 100 * 1024 + 1, size, 0);
  tf_memory_pool_set_limit (0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/memory-buffer/huge-page-begins", test_huge_page_begins);
  g_test_add_func ("/memory-buffer/write-read", test_write_read);
  g_test_add_data_func ("/memory-buffer/gap/heap", GSIZE_TO_POINTER (1000), test_gap);
  g_test_add_data_func ("/memory-buffer/gap/mapping", GSIZE_TO_POINTER (3 * MIB + 5), test_gap);
  g_test_add_data_func ("/memory-buffer/gap/both", GSIZE_TO_POINTER (MIB), test_gap);
  g_test_add_func ("/memory-buffer/from-heap-to-mapping", test_from_heap_to_mapping);
  g_test_add_func ("/memory-buffer/straight-to-mapping", test_straight_to_mapping);
  g_test_add_func ("/memory-buffer/memory-comes-back", test_memory_comes_back);
  g_test_add_func ("/memory-buffer/gap-is-not-touched", test_gap_is_not_touched);
  g_test_add_func ("/memory-buffer/resident", test_resident);
  g_test_add_func ("/memory-buffer/trim", test_trim);
  g_test_add_func ("/memory-buffer/reserved-is-not-huge", test_reserved_is_not_huge);
  g_test_add_func ("/memory-buffer/cut-off-is-not-resident", test_cut_off_is_not_resident);
  g_test_add_func ("/memory-buffer/frees-own-pages-alone", test_frees_own_pages_alone);
  g_test_add_func ("/memory-buffer/limit", test_limit);
  g_test_add_func ("/memory-buffer/growth-is-geometric", test_growth_is_geometric);
  g_test_add_data_func ("/memory-buffer/no-memory/heap", GSIZE_TO_POINTER (1000), test_no_memory);
  g_test_add_data_func ("/memory-buffer/no-memory/mapping", GSIZE_TO_POINTER (3 * MIB), test_no_memory);
  g_test_add_data_func ("/memory-buffer/random/unlimited", NULL, test_random);
  g_test_add_data_func ("/memory-buffer/random/limited", GSIZE_TO_POINTER (GIB), test_random);
  g_test_add_func ("/memory-buffer/kept-pages", test_kept_pages);
  g_test_add_func ("/memory-buffer/mapped-early", test_mapped_early);
  g_test_add_func ("/memory-buffer/mapped-again", test_mapped_again);

  return tf_test_run ();
}
