/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test-files.h"
#include "tf-test.h"

#define BUFFER (64 * 1024)

/* In the place of GLib's, so that memory can be short. */
static gboolean memory_is_short;

gpointer __real_g_try_realloc (gpointer data, gsize size);
gpointer __wrap_g_try_realloc (gpointer data, gsize size);

gpointer
__wrap_g_try_realloc (gpointer data,
                      gsize    size)
{
  return memory_is_short ? NULL : __real_g_try_realloc (data, size);
}

static TfTempFile *
make_file (const TfTestKind *kind,
           gconstpointer     content,
           gsize             size)
{
  TfTempFile *file = tf_test_kind_make (kind);

  g_assert_true (tf_temp_file_write (file, content, size, NULL, NULL));
  tf_test_seek (file, 0, G_SEEK_SET);
  return file;
}

static void
assert_line (TfTempFile    *file,
             gconstpointer  expected,
             gsize          size)
{
  g_autoptr(GError) error = NULL;
  goffset position = g_seekable_tell (G_SEEKABLE (file));
  gsize length = 77;
  g_autofree char *line = tf_temp_file_read_line (file, &length, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (length, ==, size);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, position + size);
  if (expected == NULL)
    {
      g_assert_null (line);
      return;
    }

  g_assert_cmpmem (line, length, expected, size);
  g_assert_cmpint (line[length], ==, '\0');
}

static void
test_lines (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data, "one\n\nth\0ree\n\xff\nlast", 17);

  assert_line (file, "one\n", 4);
  assert_line (file, "\n", 1);
  assert_line (file, "th\0ree\n", 7);
  assert_line (file, "\xff\n", 2);
  assert_line (file, "las", 3);
  assert_line (file, NULL, 0);
  assert_line (file, NULL, 0);

  /* What is written behind the end is the next line. */
  tf_test_write (file, "more\n");
  tf_test_seek (file, -5, G_SEEK_CUR);
  assert_line (file, "more\n", 5);
  tf_test_seek (file, 100, G_SEEK_END);
  assert_line (file, NULL, 0);
}

static void
test_without_length (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data, "a\nb:c", 5);
  g_autofree char *line = tf_temp_file_read_line (file, NULL, NULL, NULL);
  g_autofree char *piece = tf_temp_file_read_upto (file, ":", 1, NULL, NULL, NULL);

  g_assert_cmpstr (line, ==, "a\n");
  g_assert_cmpstr (piece, ==, "b");
}

static void
test_long_lines (gconstpointer data)
{
  const gsize sizes[] = { 1, 255, 4095, 4096, 4097, BUFFER - 1, BUFFER, BUFFER + 1, 3 * BUFFER + 7 };
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autofree char *line = g_malloc (4 * BUFFER);

  memset (line, 'x', 4 * BUFFER);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_assert_true (tf_temp_file_write (file, line, sizes[i], NULL, NULL));
      tf_test_write (file, "\n");
    }

  tf_test_seek (file, 0, G_SEEK_SET);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      line[sizes[i]] = '\n';
      assert_line (file, line, sizes[i] + 1);
      line[sizes[i]] = 'x';
    }
  assert_line (file, NULL, 0);
}

/* Reading otherwise, writing, seeking and truncating between the lines: what was read ahead is not in the way. */
static void
test_mixed (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data, "one\ntwo\nthree\nfour\n", 19);
  char buffer[8];

  assert_line (file, "one\n", 4);
  g_assert_cmpint (tf_temp_file_read (file, buffer, 2, NULL, NULL), ==, 2);
  g_assert_cmpmem (buffer, 2, "tw", 2);
  assert_line (file, "o\n", 2);
  tf_test_write (file, "THREE");
  assert_line (file, "\n", 1);
  tf_test_seek (file, 8, G_SEEK_SET);
  assert_line (file, "THREE\n", 6);
  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 16, NULL, NULL));
  assert_line (file, "fo", 2);
  tf_test_assert_file (file, 16, "one\ntwo\nTHREE\nfo", 16);
}

static void
test_shared_descriptor (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data, "one\ntwo\nthree\n", 14);
  int fd = tf_temp_file_get_fd (file, NULL, NULL);

  assert_line (file, "one\n", 4);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 4);
  g_assert_cmpint (lseek (fd, 8, SEEK_SET), ==, 8);
  assert_line (file, "three\n", 6);
  g_assert_cmpint (pwrite (fd, "TWO", 3, 4), ==, 3);
  tf_test_seek (file, 4, G_SEEK_SET);
  assert_line (file, "TWO\n", 4);
}

/* What is peeked at stays there when some of it is consumed, and when a reader reads elsewhere. */
static void
test_peek_stays (gconstpointer data)
{
  for (int shared = 0; shared < 2; shared++)
    {
      g_autoptr(GBytes) bytes = tf_test_make_bytes (3 * BUFFER);
      const guint8 *expected = g_bytes_get_data (bytes, NULL);
      g_autoptr(TfTempFile) file = make_file (data, expected, 3 * BUFFER);
      g_autoptr(GInputStream) reader = NULL;
      const guint8 *peeked;
      guint8 buffer[16];
      gsize count;

      if (shared)
        g_assert_cmpint (tf_temp_file_get_fd (file, NULL, NULL), >=, 0);
      reader = tf_temp_file_open_reader (file, NULL);
      g_assert_cmpint (tf_temp_file_fill (file, 20, NULL, NULL), >=, 20);
      peeked = tf_temp_file_peek (file, &count);
      g_assert_true (tf_temp_file_consume (file, 6, NULL));
      g_assert_cmpmem (peeked + 6, 14, expected + 6, 14);

      g_assert_true (g_seekable_seek (G_SEEKABLE (reader), 2 * BUFFER, G_SEEK_SET, NULL, NULL));
      g_assert_cmpint (g_input_stream_read (reader, buffer, sizeof buffer, NULL, NULL), ==, sizeof buffer);
      g_assert_cmpmem (buffer, sizeof buffer, expected + 2 * BUFFER, sizeof buffer);
      g_assert_cmpmem (peeked + 6, 14, expected + 6, 14);
      peeked = tf_temp_file_peek (file, &count);
      g_assert_cmpuint (count, >=, 14);
      g_assert_cmpmem (peeked, 14, expected + 6, 14);
    }
}

static void
test_upto (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data, "key=value;\0:", 12);
  const char *stops = "=;";
  const struct
  {
    const char *text;
    gsize size;
  } pieces[] = { { "key", 3 }, { "value", 5 }, { "\0:", 2 } };

  for (gsize i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      g_autoptr(GError) error = NULL;
      gsize length;
      g_autofree char *piece = tf_temp_file_read_upto (file, stops, 2, &length, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpmem (piece, length, pieces[i].text, pieces[i].size);

      if (i < 2)
        {
          g_autofree char *empty = tf_temp_file_read_upto (file, stops, 2, &length, NULL, &error);

          g_assert_cmpstr (empty, ==, "");
          g_assert_cmpuint (length, ==, 0);
          tf_test_seek (file, 1, G_SEEK_CUR);
        }
    }

  g_assert_null (tf_temp_file_read_upto (file, stops, 2, NULL, NULL, NULL));
}

static void
test_peek (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data, "0123456789", 10);
  g_autoptr(GError) error = NULL;
  gconstpointer bytes;
  gsize count;

  g_assert_cmpint (tf_temp_file_fill (file, 4, NULL, &error), >=, 4);
  g_assert_no_error (error);
  bytes = tf_temp_file_peek (file, &count);
  g_assert_cmpuint (count, >=, 4);
  g_assert_cmpmem (bytes, 4, "0123", 4);
  g_assert_true (tf_temp_file_consume (file, 4, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 4);

  g_assert_cmpint (tf_temp_file_fill (file, 1000, NULL, &error), ==, 6);
  bytes = tf_temp_file_peek (file, &count);
  g_assert_cmpmem (bytes, count, "456789", 6);
  g_assert_true (tf_temp_file_consume (file, 6, &error));
  g_assert_null (tf_temp_file_peek (file, &count));
  g_assert_cmpuint (count, ==, 0);
  g_assert_cmpint (tf_temp_file_fill (file, 1, NULL, &error), ==, 0);
  g_assert_false (tf_temp_file_consume (file, 1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 10);

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_assert_null (tf_temp_file_peek (file, &count));
  g_assert_cmpint (tf_temp_file_fill (file, 1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_false (tf_temp_file_consume (file, 0, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

/* More than is read ahead at once. */
static void
test_fill_much (gconstpointer data)
{
  g_autoptr(GBytes) bytes = tf_test_make_bytes (3 * BUFFER);
  g_autoptr(TfTempFile) file = make_file (data, g_bytes_get_data (bytes, NULL), 3 * BUFFER);
  const guint8 *expected = g_bytes_get_data (bytes, NULL);
  goffset position = 0;
  gssize available;

  while ((available = tf_temp_file_fill (file, G_MAXSIZE, NULL, NULL)) > 0)
    {
      gsize count;
      gconstpointer found = tf_temp_file_peek (file, &count);

      g_assert_cmpuint (count, ==, available);
      g_assert_cmpuint (count, >=, MIN (BUFFER, 3 * BUFFER - position));
      g_assert_cmpmem (found, count, expected + position, count);
      count = MIN (count, 10007);
      g_assert_true (tf_temp_file_consume (file, count, NULL));
      position += count;
    }

  g_assert_cmpint (position, ==, 3 * BUFFER);
}

static void
test_load (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data, "Hello", 5);
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GBytes) empty = NULL;

  tf_test_seek (file, 3, G_SEEK_SET);
  bytes = tf_temp_file_load_bytes (file, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "Hello", 5);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 3);

  /* The bytes are its own. */
  tf_test_seek (file, 0, G_SEEK_SET);
  tf_test_write (file, "HELLO");
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "Hello", 5);

  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 0, NULL, NULL));
  empty = tf_temp_file_load_bytes (file, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (empty), ==, 0);
}

/* It is read in pieces. */
static void
test_load_much (gconstpointer data)
{
  g_autoptr(GBytes) content = tf_test_make_bytes (5 * 1024 * 1024 / 2);
  g_autoptr(TfTempFile) file = make_file (data, g_bytes_get_data (content, NULL), g_bytes_get_size (content));
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = tf_temp_file_load_bytes (file, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (bytes, content));
}

static void
test_no_memory (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data, "one\ntwo\n", 8);
  g_autoptr(GError) error = NULL;
  gsize length;

  assert_line (file, "one\n", 4);
  memory_is_short = TRUE;
  g_assert_null (tf_temp_file_read_line (file, &length, NULL, &error));
  memory_is_short = FALSE;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpuint (length, ==, 0);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 4);
  assert_line (file, "two\n", 4);
}

static void
test_cancelled (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data, "one\ntwo\n", 8);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  GError *errors[4] = { NULL, };

  g_cancellable_cancel (cancellable);
  g_assert_null (tf_temp_file_read_line (file, NULL, cancellable, &errors[0]));
  g_assert_null (tf_temp_file_read_upto (file, ":", 1, NULL, cancellable, &errors[1]));
  g_assert_null (tf_temp_file_load_bytes (file, cancellable, &errors[2]));
  g_assert_cmpint (tf_temp_file_fill (file, 1, cancellable, &errors[3]), ==, -1);
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_assert_error (errors[i], G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&errors[i]);
    }

  tf_test_assert_file (file, 0, "one\ntwo\n", 8);
}

/* The kind of the file that the asynchronous tests use. */
static const TfTestKind *async_kind;

static void
async_lines (void)
{
  g_autoptr(TfTempFile) file = make_file (async_kind, "one\nkey=value", 13);
  g_autoptr(GError) error = NULL;
  g_autofree char *line = NULL;
  g_autofree char *piece = NULL;
  g_autofree char *none = NULL;
  g_autoptr(GAsyncResult) place = NULL;
  gsize length;

  tf_temp_file_read_line_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &place);
  line = tf_temp_file_read_line_finish (file, tf_test_wait (&place), &length, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (line, length, "one\n", 4);

  g_clear_object (&place);
  tf_temp_file_read_upto_async (file, "=", 1, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &place);
  piece = tf_temp_file_read_upto_finish (file, tf_test_wait (&place), &length, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (piece, length, "key", 3);

  tf_test_seek (file, 0, G_SEEK_END);
  g_clear_object (&place);
  tf_temp_file_read_line_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &place);
  none = tf_temp_file_read_line_finish (file, tf_test_wait (&place), NULL, &error);
  g_assert_no_error (error);
  g_assert_null (none);
}

static void
async_load (void)
{
  g_autoptr(TfTempFile) file = make_file (async_kind, "Hello", 5);
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GAsyncResult) place = NULL;

  tf_temp_file_load_bytes_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &place);
  bytes = tf_temp_file_load_bytes_finish (file, tf_test_wait (&place), &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "Hello", 5);

  /* A result that nobody asks for is freed with the file. */
  g_clear_object (&place);
  tf_temp_file_load_bytes_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &place);
  tf_test_wait (&place);
}

static void
async_pending (void)
{
  g_autoptr(TfTempFile) file = make_file (async_kind, "one\ntwo\n", 8);
  g_autoptr(GError) error = NULL;
  g_autofree char *line = NULL;
  g_autoptr(GAsyncResult) first = NULL;
  g_autoptr(GAsyncResult) second = NULL;

  tf_temp_file_read_line_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &first);
  tf_temp_file_read_line_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &second);
  g_assert_null (tf_temp_file_read_line_finish (file, tf_test_wait (&second), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);
  line = tf_temp_file_read_line_finish (file, tf_test_wait (&first), NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (line, ==, "one\n");
}

static void
async_closed (void)
{
  g_autoptr(TfTempFile) file = make_file (async_kind, "one\n", 4);
  g_autoptr(GError) error = NULL;
  g_autoptr(GAsyncResult) place = NULL;

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  tf_temp_file_read_line_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &place);
  g_assert_null (tf_temp_file_read_line_finish (file, tf_test_wait (&place), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_clear_object (&place);
  tf_temp_file_load_bytes_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &place);
  g_assert_null (tf_temp_file_load_bytes_finish (file, tf_test_wait (&place), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

/* What was read ahead is not kept for the next call once somebody else has the descriptor. */
static void
test_written_by_descriptor (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GError) error = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *third = NULL;
  gsize available;
  int fd;

  tf_test_write (file, "one\ntwo\nsix\n");
  tf_test_seek (file, 0, G_SEEK_SET);
  fd = tf_temp_file_get_fd (file, NULL, &error);
  g_assert_no_error (error);

  first = tf_temp_file_read_line (file, NULL, NULL, &error);
  g_assert_cmpstr (first, ==, "one\n");
  g_assert_null (tf_temp_file_peek (file, &available));
  g_assert_cmpint (pwrite (fd, "TWO", 3, 4), ==, 3);
  second = tf_temp_file_read_line (file, NULL, NULL, &error);
  g_assert_cmpstr (second, ==, "TWO\n");
  g_assert_cmpint (pwrite (fd, "SIX", 3, 8), ==, 3);
  third = tf_temp_file_read_upto (file, "\n", 1, NULL, NULL, &error);
  g_assert_cmpstr (third, ==, "SIX");
  g_assert_no_error (error);
}

static gssize
fill_async (TfTempFile  *file,
            gsize        count,
            GError     **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  tf_temp_file_fill_async (file, count, 0, NULL, tf_test_take_result, &result);
  return tf_temp_file_fill_finish (file, tf_test_wait (&result), error);
}

static void
async_fill (void)
{
  g_autoptr(TfTempFile) file = make_file (async_kind, "0123456789", 10);
  g_autoptr(GError) error = NULL;
  gconstpointer bytes;
  gsize count;

  g_assert_cmpint (fill_async (file, 1000, &error), ==, 10);
  g_assert_no_error (error);
  bytes = tf_temp_file_peek (file, &count);
  g_assert_cmpmem (bytes, count, "0123456789", 10);
  g_assert_true (tf_temp_file_consume (file, 10, NULL));
  g_assert_cmpint (fill_async (file, 1, &error), ==, 0);
  g_assert_no_error (error);

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_assert_cmpint (fill_async (file, 1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
for_each_kind (void (*func) (void))
{
  for (async_kind = tf_test_kinds; async_kind->name != NULL; async_kind++)
    func ();
}

static void
test_async_lines (void)
{
  for_each_kind (async_lines);
}

static void
test_async_fill (void)
{
  for_each_kind (async_fill);
}

static void
test_async_load (void)
{
  for_each_kind (async_load);
}

static void
test_async_pending (void)
{
  for_each_kind (async_pending);
}

static void
test_async_closed (void)
{
  for_each_kind (async_closed);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  tf_test_add_for_kinds ("lines", "lines", test_lines);
  tf_test_add_for_kinds ("lines", "without-length", test_without_length);
  tf_test_add_for_kinds ("lines", "long", test_long_lines);
  tf_test_add_for_kinds ("lines", "mixed", test_mixed);
  tf_test_add_for_kinds ("lines", "shared-descriptor", test_shared_descriptor);
  tf_test_add_for_kinds ("lines", "written-by-descriptor", test_written_by_descriptor);
  tf_test_add_for_kinds ("lines", "upto", test_upto);
  tf_test_add_for_kinds ("lines", "peek", test_peek);
  tf_test_add_for_kinds ("lines", "peek-stays", test_peek_stays);
  tf_test_add_for_kinds ("lines", "fill-much", test_fill_much);
  tf_test_add_for_kinds ("lines", "load", test_load);
  tf_test_add_for_kinds ("lines", "load-much", test_load_much);
  tf_test_add_for_kinds ("lines", "no-memory", test_no_memory);
  tf_test_add_for_kinds ("lines", "cancelled", test_cancelled);
  tf_test_add_async ("/lines/async/lines", test_async_lines);
  tf_test_add_async ("/lines/async/fill", test_async_fill);
  tf_test_add_async ("/lines/async/load", test_async_load);
  tf_test_add_async ("/lines/async/pending", test_async_pending);
  tf_test_add_async ("/lines/async/closed", test_async_closed);

  return tf_test_run ();
}
