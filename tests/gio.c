/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The file among GIO's own streams. Everything is done in memory, across rollover, and on disk. */

#include <tempfile-glib.h>

#include <string.h>

#include "tf-test-async.h"
#include "tf-test.h"

static const gint64 max_sizes[] = { -1, 1000, 0 };

static GOutputStream *
output_of (TfTempFile *file)
{
  return g_io_stream_get_output_stream (G_IO_STREAM (file));
}

static GInputStream *
input_of (TfTempFile *file)
{
  return g_io_stream_get_input_stream (G_IO_STREAM (file));
}

static void
rewind_file (TfTempFile *file)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error));
  g_assert_no_error (error);
}

static TfTempFile *
new_filled (gint64  max_size,
            GBytes *bytes)
{
  TfTempFile *file = TF_TEMP_FILE (tf_spooled_file_new (max_size));

  g_assert_true (tf_temp_file_write_bytes (file, bytes, NULL, NULL));
  rewind_file (file);
  return file;
}

static void
assert_content (TfTempFile *file,
                GBytes     *expected)
{
  g_autoptr(GBytes) found = NULL;

  rewind_file (file);
  found = tf_temp_file_read_bytes (file, G_MAXSIZE, NULL, NULL);
  g_assert_true (g_bytes_equal (found, expected));
}

static void
test_buffered (void)
{
  g_autoptr(GBytes) bytes = tf_test_make_bytes (50000);

  for (gsize i = 0; i < G_N_ELEMENTS (max_sizes); i++)
    {
      g_autoptr(TfTempFile) file = new_filled (max_sizes[i], bytes);
      g_autoptr(GInputStream) buffered = g_buffered_input_stream_new_sized (input_of (file), 100);
      g_autoptr(GAsyncResult) filled = NULL;
      g_autofree guint8 *found = g_malloc (50001);
      gsize n_read;

      g_buffered_input_stream_fill_async (G_BUFFERED_INPUT_STREAM (buffered), -1, 0, NULL, tf_test_take_result, &filled);
      g_assert_cmpint (g_buffered_input_stream_fill_finish (G_BUFFERED_INPUT_STREAM (buffered), tf_test_wait (&filled), NULL), ==, 100);
      g_assert_true (g_input_stream_read_all (buffered, found, 20000, &n_read, NULL, NULL));
      g_assert_true (g_seekable_seek (G_SEEKABLE (buffered), 20000, G_SEEK_SET, NULL, NULL));
      g_assert_true (g_input_stream_read_all (buffered, found + 20000, 30001, &n_read, NULL, NULL));
      g_assert_cmpuint (n_read, ==, 30000);
      g_assert_cmpmem (found, 50000, g_bytes_get_data (bytes, NULL), 50000);
    }
}

static void
test_data (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (max_sizes); i++)
    {
      g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (max_sizes[i]));
      g_autoptr(GDataOutputStream) output = g_data_output_stream_new (output_of (file));
      g_autoptr(GDataInputStream) input = g_data_input_stream_new (input_of (file));

      g_filter_output_stream_set_close_base_stream (G_FILTER_OUTPUT_STREAM (output), FALSE);
      for (int n = 0; n < 500; n++)
        {
          g_assert_true (g_data_output_stream_put_uint32 (output, n, NULL, NULL));
          g_assert_true (g_data_output_stream_put_string (output, "line\n", NULL, NULL));
        }

      rewind_file (file);
      for (int n = 0; n < 500; n++)
        {
          g_autoptr(GAsyncResult) read = NULL;
          g_autofree char *line = NULL;

          g_assert_cmpuint (g_data_input_stream_read_uint32 (input, NULL, NULL), ==, n);
          g_data_input_stream_read_line_async (input, 0, NULL, tf_test_take_result, &read);
          line = g_data_input_stream_read_line_finish (input, tf_test_wait (&read), NULL, NULL);
          g_assert_cmpstr (line, ==, "line");
        }
    }
}

static void
test_gzip (void)
{
  g_autoptr(GBytes) bytes = tf_test_make_bytes (300000);

  for (gsize i = 0; i < G_N_ELEMENTS (max_sizes); i++)
    {
      g_autoptr(TfTempFile) packed = TF_TEMP_FILE (tf_spooled_file_new (max_sizes[i]));
      g_autoptr(TfTempFile) unpacked = TF_TEMP_FILE (tf_spooled_file_new (max_sizes[i]));
      g_autoptr(GInputStream) source = g_memory_input_stream_new_from_bytes (bytes);
      g_autoptr(GConverter) compressor = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6));
      g_autoptr(GConverter) decompressor = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
      g_autoptr(GOutputStream) into = g_converter_output_stream_new (output_of (packed), compressor);
      g_autoptr(GInputStream) back = g_converter_input_stream_new (input_of (packed), decompressor);
      g_autoptr(GAsyncResult) in = NULL;
      g_autoptr(GAsyncResult) out = NULL;
      g_autoptr(GError) error = NULL;

      g_output_stream_splice_async (into, source, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, 0, NULL, tf_test_take_result, &in);
      g_assert_cmpint (g_output_stream_splice_finish (into, tf_test_wait (&in), &error), ==, 300000);
      g_assert_no_error (error);

      rewind_file (packed);
      g_output_stream_splice_async (output_of (unpacked), back, G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE, 0, NULL,
                                    tf_test_take_result, &out);
      g_assert_cmpint (g_output_stream_splice_finish (output_of (unpacked), tf_test_wait (&out), &error), ==, 300000);
      g_assert_no_error (error);
      assert_content (unpacked, bytes);
    }
}

static void
test_subprocess (void)
{
  g_autofree char *expected = g_strnfill (200000, 'x');
  g_autoptr(GBytes) bytes = g_bytes_new_static (expected, 200000);

  for (gsize i = 0; i < G_N_ELEMENTS (max_sizes); i++)
    {
      g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (max_sizes[i]));
      g_autoptr(GError) error = NULL;
      g_autoptr(GSubprocess) process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                                                         "sh", "-c", "head -c 200000 /dev/zero | tr '\\0' x", NULL);
      g_autoptr(GAsyncResult) spliced = NULL;

      g_assert_no_error (error);
      g_output_stream_splice_async (output_of (file), g_subprocess_get_stdout_pipe (process),
                                    G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE, 0, NULL, tf_test_take_result, &spliced);
      g_assert_cmpint (g_output_stream_splice_finish (output_of (file), tf_test_wait (&spliced), &error), ==, 200000);
      g_assert_no_error (error);
      g_assert_true (g_subprocess_wait_check (process, NULL, &error));
      assert_content (file, bytes);
    }
}

static void
take_splice_result (GObject      *no_object,
                    GAsyncResult *result,
                    gpointer      place)
{
  tf_test_take_result (no_object, result, place);
}

/* Two pairs, so that what goes to and what comes fro can be told apart. */
static void
test_splice_streams (void)
{
  g_autoptr(GBytes) to = tf_test_make_bytes (100000);
  g_autoptr(GBytes) fro = g_bytes_new_static ("an answer", 9);

  for (gsize i = 0; i < G_N_ELEMENTS (max_sizes); i++)
    {
      g_autoptr(TfTempFile) sent = new_filled (max_sizes[i], to);
      g_autoptr(TfTempFile) received = TF_TEMP_FILE (tf_spooled_file_new (max_sizes[i]));
      g_autoptr(TfTempFile) answer = new_filled (max_sizes[i], fro);
      g_autoptr(TfTempFile) answered = TF_TEMP_FILE (tf_spooled_file_new (max_sizes[i]));
      g_autoptr(GIOStream) here = g_simple_io_stream_new (input_of (sent), output_of (answered));
      g_autoptr(GIOStream) there = g_simple_io_stream_new (input_of (answer), output_of (received));
      g_autoptr(GAsyncResult) spliced = NULL;
      g_autoptr(GError) error = NULL;

      g_io_stream_splice_async (here, there, G_IO_STREAM_SPLICE_WAIT_FOR_BOTH, 0, NULL, take_splice_result, &spliced);
      g_assert_true (g_io_stream_splice_finish (tf_test_wait (&spliced), &error));
      g_assert_no_error (error);
      assert_content (received, to);
      assert_content (answered, fro);
    }
}

/* The files themselves are the streams: each is read to its end, and gets behind it what the other one has. */
static void
test_splice_files (void)
{
  g_autoptr(TfTempFile) full = TF_TEMP_FILE (tf_spooled_file_new (4));
  g_autoptr(TfTempFile) empty = TF_TEMP_FILE (tf_spooled_file_new (4));
  g_autoptr(GAsyncResult) spliced = NULL;
  g_autoptr(GBytes) bytes = g_bytes_new_static ("0123456789", 10);
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_write_bytes (full, bytes, NULL, NULL));
  rewind_file (full);
  g_assert_true (g_seekable_seek (G_SEEKABLE (empty), 0, G_SEEK_END, NULL, NULL));

  g_io_stream_splice_async (G_IO_STREAM (full), G_IO_STREAM (empty),
                            G_IO_STREAM_SPLICE_WAIT_FOR_BOTH | G_IO_STREAM_SPLICE_CLOSE_STREAM1 | G_IO_STREAM_SPLICE_CLOSE_STREAM2,
                            0, NULL, take_splice_result, &spliced);
  g_assert_true (g_io_stream_splice_finish (tf_test_wait (&spliced), &error));
  g_assert_no_error (error);
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (full)));
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (empty)));
}

/* As much as a file that g_file_copy() copies: into it, out of it, with what GIO has for each. */
static void
test_file_sized (void)
{
  g_autoptr(GBytes) bytes = tf_test_make_bytes ((48 << 20) + 1);
  g_autofree char *path = tf_test_path ("copy");
  g_autoptr(GFile) copy = g_file_new_for_path (path);
  g_autoptr(GFileInputStream) from = NULL;
  g_autoptr(GFileOutputStream) to = NULL;
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (1 << 20));
  g_autoptr(GError) error = NULL;
  g_autoptr(GAsyncResult) spliced = NULL;
  gssize size = g_bytes_get_size (bytes);

  g_assert_true (tf_temp_file_write_bytes (file, bytes, NULL, NULL));
  rewind_file (file);
  to = g_file_create (copy, G_FILE_CREATE_NONE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_output_stream_splice (G_OUTPUT_STREAM (to), input_of (file),
                                           G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, &error), ==, size);
  g_assert_no_error (error);

  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 0, NULL, NULL));
  rewind_file (file);
  from = g_file_read (copy, NULL, &error);
  g_output_stream_splice_async (output_of (file), G_INPUT_STREAM (from), G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE, 0, NULL,
                                tf_test_take_result, &spliced);
  g_assert_cmpint (g_output_stream_splice_finish (output_of (file), tf_test_wait (&spliced), &error), ==, size);
  assert_content (file, bytes);
  g_assert_true (g_file_delete (copy, NULL, &error));
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  tf_test_add_async ("/gio/buffered", test_buffered);
  tf_test_add_async ("/gio/data", test_data);
  tf_test_add_async ("/gio/gzip", test_gzip);
  tf_test_add_async ("/gio/child-process", test_subprocess);
  tf_test_add_async ("/gio/splice-streams", test_splice_streams);
  tf_test_add_async ("/gio/splice-files", test_splice_files);
  tf_test_add_async ("/gio/file-sized", test_file_sized);

  return tf_test_run ();
}
