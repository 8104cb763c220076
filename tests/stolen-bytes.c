/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whose the bytes are: those of a file that was closed by stealing them, and those that readers have. */

#include <tempfile-glib.h>

#include <string.h>

#include "store/tf-memory-pool.h"
#include "tf-test-async.h"
#include "tf-test-files.h"
#include "tf-test.h"

static const char text[] = "what somebody still looks at";

static void
assert_bytes (GBytes *bytes)
{
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), text, strlen (text));
}

static TfTempFile *
make_file (const TfTestKind *kind)
{
  TfTempFile *file = tf_test_kind_make (kind);

  tf_test_write (file, text);
  tf_test_seek (file, 5, G_SEEK_SET);
  return file;
}

/* Tries all that could change or free the bytes. */
static void
assert_closed (TfTempFile *file)
{
  g_autoptr(GError) write_error = NULL;
  g_autoptr(GError) truncate_error = NULL;
  g_autoptr(GError) fd_error = NULL;
  g_autoptr(GError) reader_error = NULL;

  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (file)));
  g_assert_false (tf_temp_file_write (file, "changed", 7, NULL, &write_error));
  g_assert_error (write_error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_false (g_seekable_truncate (G_SEEKABLE (file), 0, NULL, &truncate_error));
  g_assert_error (truncate_error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_cmpint (tf_temp_file_get_fd (file, NULL, &fd_error), ==, -1);
  g_assert_error (fd_error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_null (tf_temp_file_open_reader (file, &reader_error));
  g_assert_error (reader_error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  tf_memory_pool_move_out (NULL);
}

static void
test_before_finish (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GError) error = NULL;

  tf_temp_file_steal_bytes_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  tf_test_wait (&result);
  assert_closed (file);

  bytes = tf_temp_file_steal_bytes_finish (file, result, &error);
  g_assert_no_error (error);
  g_clear_object (&result);
  g_assert_finalize_object (g_steal_pointer (&file));
  assert_bytes (bytes);
}

/* The bytes go with the result. */
static void
test_without_finish (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(GAsyncResult) result = NULL;

  tf_temp_file_steal_bytes_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  tf_test_wait (&result);
  assert_closed (file);
}

static void
test_from_the_call_on (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GError) error = NULL;

  tf_test_write (file, text);
  tf_temp_file_steal_bytes_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  g_assert_false (tf_temp_file_write (file, "changed", 7, NULL, &error));
  tf_memory_pool_move_out (NULL);

  bytes = tf_temp_file_steal_bytes_finish (file, tf_test_wait (&result), NULL);
  assert_bytes (bytes);
}

static void
test_failure (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_cancellable_cancel (cancellable);
  tf_temp_file_steal_bytes_async (file, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, &result);
  g_assert_null (tf_temp_file_steal_bytes_finish (file, tf_test_wait (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (g_io_stream_is_closed (G_IO_STREAM (file)));
  tf_test_assert_file (file, 5, text, strlen (text));
}

static gint stop; /* (atomic) */

static gpointer
be_low_on_memory (gpointer data)
{
  while (!g_atomic_int_get (&stop))
    tf_memory_pool_move_out (NULL);

  return NULL;
}

/* Whoever comes first: the bytes are in memory, or on disk. */
static void
test_low_memory (void)
{
  GThread *thread = g_thread_new ("low-memory", be_low_on_memory, NULL);

  for (int i = 0; i < 500; i++)
    {
      g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
      g_autoptr(GBytes) bytes = NULL;

      tf_test_write (file, text);
      bytes = tf_temp_file_steal_bytes (file, NULL, NULL);
      g_thread_yield ();
      assert_bytes (bytes);
    }

  g_atomic_int_set (&stop, TRUE);
  g_thread_join (thread);
}

static void
assert_read (GInputStream *reader)
{
  char buffer[64];

  g_assert_cmpint (g_input_stream_read (reader, buffer, sizeof buffer, NULL, NULL), ==, strlen (text));
  g_assert_cmpmem (buffer, strlen (text), text, strlen (text));
}

/* The last reader of an open file takes nothing from it; that of a closed one releases the bytes. */
static void
test_last_reader (gconstpointer data)
{
  guint n_fds = tf_test_count_fds ();
  TfTempFile *file = make_file (data);
  g_autoptr(GInputStream) first = tf_temp_file_open_reader (file, NULL);
  g_autoptr(GInputStream) second = NULL;
  g_autoptr(GInputStream) third = NULL;

  g_assert_true (g_input_stream_close (first, NULL, NULL));
  tf_test_assert_file (file, 5, text, strlen (text));

  second = tf_temp_file_open_reader (file, NULL);
  third = tf_temp_file_open_reader (file, NULL);
  g_assert_finalize_object (file);
  assert_read (second);
  g_assert_true (g_input_stream_close (second, NULL, NULL));
  assert_read (third);
  g_assert_true (g_input_stream_close (third, NULL, NULL));
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
}

/* The file is closed, but still referenced. */
static void
test_last_reader_of_closed (gconstpointer data)
{
  guint n_fds = tf_test_count_fds ();
  gsize n_held = tf_memory_pool_get_held ();
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (file, NULL);

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  assert_read (reader);
  g_assert_true (g_input_stream_close (reader, NULL, NULL));
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, n_held);
}

/* They have the same memory. */
static void
test_reader_and_bytes (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (file, NULL);
  g_autoptr(GBytes) bytes = tf_temp_file_steal_bytes (file, NULL, NULL);

  assert_read (reader);
  g_clear_object (&reader);
  assert_bytes (bytes);
}

/* Where not one byte can be written, what is held back is read nevertheless. */
static void
test_reader_writes_nothing (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(GInputStream) reader = NULL;
  g_autoptr(GError) error = NULL;
  char buffer[16];

  tf_test_write (file, "abcdef");
  g_assert_true (tf_temp_file_flush (file, NULL, &error));
  tf_test_seek (file, 3, G_SEEK_SET);
  tf_test_write (file, "DEFGHI");

  tf_test_limit_file_size (6);
  reader = tf_temp_file_open_reader (file, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_input_stream_read (reader, buffer, sizeof buffer, NULL, &error), ==, 9);
  g_assert_no_error (error);
  g_assert_cmpmem (buffer, 9, "abcDEFGHI", 9);

  g_assert_true (g_seekable_seek (G_SEEKABLE (reader), 4, G_SEEK_SET, NULL, NULL));
  g_assert_cmpint (g_input_stream_read (reader, buffer, 2, NULL, &error), ==, 2);
  g_assert_cmpmem (buffer, 2, "EF", 2);
  g_assert_true (g_seekable_seek (G_SEEKABLE (reader), -1, G_SEEK_END, NULL, NULL));
  g_assert_cmpint (g_input_stream_read (reader, buffer, 2, NULL, &error), ==, 1);
  g_assert_cmpmem (buffer, 1, "I", 1);
  g_assert_false (tf_temp_file_flush (file, NULL, NULL));
  tf_test_unlimit_file_size ();
}

int
main (int   argc,
      char *argv[])
{
  tf_test_init_async (&argc, &argv);

  tf_test_add_for_kinds ("stolen-bytes", "before-finish", test_before_finish);
  tf_test_add_for_kinds ("stolen-bytes", "without-finish", test_without_finish);
  g_test_add_func ("/stolen-bytes/from-the-call-on", test_from_the_call_on);
  tf_test_add_for_kinds ("stolen-bytes", "failure", test_failure);
  g_test_add_func ("/stolen-bytes/low-memory", test_low_memory);
  tf_test_add_for_kinds ("stolen-bytes", "last-reader", test_last_reader);
  tf_test_add_for_kinds ("stolen-bytes", "last-reader-of-closed", test_last_reader_of_closed);
  tf_test_add_for_kinds ("stolen-bytes", "reader-and-bytes", test_reader_and_bytes);
  g_test_add_func ("/stolen-bytes/reader-writes-nothing", test_reader_writes_nothing);

  return tf_test_run ();
}
