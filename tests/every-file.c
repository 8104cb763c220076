/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-test-async.h"
#include "tf-test-disk.h"
#include "tf-test-files.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tf-test.h"

/* What all classes of files have in common. */

static void
test_write_read (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GBytes) none = NULL;
  char buffer[16];

  tf_test_assert_file (file, 0, "", 0);
  tf_test_write (file, "Hello world!");
  tf_test_assert_file (file, 12, "Hello world!", 12);

  tf_test_seek (file, 6, G_SEEK_SET);
  g_assert_cmpint (tf_temp_file_read (file, buffer, 3, NULL, &error), ==, 3);
  g_assert_cmpmem (buffer, 3, "wor", 3);
  bytes = tf_temp_file_read_bytes (file, 2, NULL, &error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "ld", 2);
  g_assert_cmpint (tf_temp_file_read (file, buffer, sizeof buffer, NULL, &error), ==, 1);
  g_assert_cmpint (tf_temp_file_read (file, buffer, sizeof buffer, NULL, &error), ==, 0);
  none = tf_temp_file_read_bytes (file, G_MAXSIZE, NULL, &error);
  g_assert_cmpuint (g_bytes_get_size (none), ==, 0);
  g_assert_no_error (error);

  /* Nothing is nothing. */
  g_assert_true (tf_temp_file_write (file, NULL, 0, NULL, &error));
  g_assert_cmpint (tf_temp_file_read (file, NULL, 0, NULL, &error), ==, 0);
  tf_test_assert_file (file, 12, "Hello world!", 12);

  tf_test_seek (file, -6, G_SEEK_CUR);
  tf_test_write (file, "there");
  tf_test_seek (file, 2, G_SEEK_END);
  tf_test_write (file, "gap");
  tf_test_assert_file (file, 17, "Hello there!\0\0gap", 17);
  g_assert_finalize_object (g_steal_pointer (&file));
}

static void
assert_data (TfTempFile *file,
             gsize       count,
             const char *expected)
{
  g_autoptr(GError) error = NULL;
  gsize length = 77;
  g_autofree guint8 *read = tf_temp_file_read_data (file, count, &length, NULL, &error);

  g_assert_no_error (error);
  g_assert_true ((read == NULL) == (expected[0] == '\0'));
  g_assert_cmpmem (read, length, expected, strlen (expected));
}

static guint8 *
read_data_waiting (TfTempFile    *file,
                   gsize          count,
                   gsize         *length,
                   GCancellable  *cancellable,
                   GError       **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  tf_temp_file_read_data_async (file, count, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, &result);
  return tf_temp_file_read_data_finish (file, tf_test_wait (&result), length, error);
}

static void
test_read_data (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GError) error = NULL;
  g_autofree guint8 *waited = NULL;
  gsize length = 77;

  assert_data (file, 1, "");
  tf_test_write (file, "Hello world!");
  assert_data (file, G_MAXSIZE, "");
  tf_test_seek (file, 0, G_SEEK_SET);
  assert_data (file, 5, "Hello");
  assert_data (file, 0, "");
  waited = read_data_waiting (file, 3, &length, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (waited, length, " wo", 3);
  assert_data (file, G_MAXSIZE, "rld!");
  g_assert_null (read_data_waiting (file, 3, &length, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (length, ==, 0);
  tf_test_assert_file (file, 12, "Hello world!", 12);
}

static void
assert_no_data (TfTempFile   *file,
                GCancellable *cancellable,
                GIOErrorEnum  code)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) later_error = NULL;
  gsize length = 77;

  g_assert_null (tf_temp_file_read_data (file, 1, &length, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, (gint) code);
  g_assert_cmpuint (length, ==, 0);

  length = 77;
  g_assert_null (read_data_waiting (file, 1, &length, cancellable, &later_error));
  g_assert_error (later_error, G_IO_ERROR, (gint) code);
  g_assert_cmpuint (length, ==, 0);
}

static void
test_read_no_data (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();

  tf_test_write (file, "Hello");
  tf_test_seek (file, 0, G_SEEK_SET);
  g_cancellable_cancel (cancellable);
  assert_no_data (file, cancellable, G_IO_ERROR_CANCELLED);
  tf_test_assert_file (file, 0, "Hello", 5);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  assert_no_data (file, NULL, G_IO_ERROR_CLOSED);
}

static void
test_truncate (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GError) error = NULL;

  g_assert_true (g_seekable_can_seek (G_SEEKABLE (file)));
  g_assert_true (g_seekable_can_truncate (G_SEEKABLE (file)));
  tf_test_write (file, "Hello world!");
  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 5, NULL, &error));
  tf_test_assert_file (file, 12, "Hello", 5);
  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 7, NULL, &error));
  tf_test_assert_file (file, 12, "Hello\0\0", 7);
  tf_test_write (file, "!");
  tf_test_assert_file (file, 13, "Hello\0\0\0\0\0\0\0!", 13);
  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 0, NULL, &error));
  tf_test_assert_file (file, 13, "", 0);
  g_assert_no_error (error);
}

static void
test_streams (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (file));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  g_autoptr(GError) error = NULL;
  char buffer[16];
  gsize n;

  g_assert_true (g_io_stream_get_input_stream (G_IO_STREAM (file)) == input);
  g_assert_true (g_io_stream_get_output_stream (G_IO_STREAM (file)) == output);

  g_assert_true (g_output_stream_write_all (output, "Hello world!", 12, NULL, NULL, &error));
  tf_test_assert_file (file, 12, "Hello world!", 12);
  tf_test_seek (file, 0, G_SEEK_SET);
  g_assert_true (g_input_stream_read_all (input, buffer, 5, &n, NULL, &error));
  g_assert_cmpmem (buffer, n, "Hello", 5);
  tf_test_write (file, "-");
  g_assert_true (g_seekable_seek (G_SEEKABLE (output), 2, G_SEEK_CUR, NULL, &error));
  tf_test_assert_file (file, 8, "Hello-world!", 12);
  g_assert_true (g_seekable_truncate (G_SEEKABLE (output), 9, NULL, &error));
  g_assert_true (g_input_stream_read_all (input, buffer, sizeof buffer, &n, NULL, &error));
  g_assert_cmpmem (buffer, n, "r", 1);
  g_assert_no_error (error);
  tf_test_assert_file (file, 9, "Hello-wor", 9);
}

static void
test_splice (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autofree char *content = g_strnfill (100000, 'x');
  g_autoptr(GInputStream) source = g_memory_input_stream_new_from_data (content, 100000, NULL);
  g_autoptr(GOutputStream) sink = g_memory_output_stream_new_resizable ();
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (g_output_stream_splice (g_io_stream_get_output_stream (G_IO_STREAM (file)), source,
                                           G_OUTPUT_STREAM_SPLICE_NONE, NULL, &error), ==, 100000);
  tf_test_seek (file, 0, G_SEEK_SET);
  g_assert_cmpint (g_output_stream_splice (sink, g_io_stream_get_input_stream (G_IO_STREAM (file)),
                                           G_OUTPUT_STREAM_SPLICE_NONE, NULL, &error), ==, 100000);
  g_assert_no_error (error);
  g_assert_cmpmem (g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (sink)),
                   g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (sink)),
                   content, 100000);
}

static void
test_close_input_use_output (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (file));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  g_autoptr(GError) error = NULL;
  char byte;

  g_assert_true (g_input_stream_close (input, NULL, &error));
  g_assert_true (g_output_stream_write_all (output, "Hello", 5, NULL, NULL, &error));
  g_assert_true (g_seekable_seek (G_SEEKABLE (output), 0, G_SEEK_SET, NULL, &error));
  g_assert_cmpint (tf_temp_file_read (file, &byte, 1, NULL, &error), ==, 1);
  g_assert_no_error (error);
  g_assert_cmpint (g_input_stream_read (input, &byte, 1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);

  g_assert_false (g_io_stream_is_closed (G_IO_STREAM (file)));
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
}

static void
test_close_output_use_input (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (file));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  g_autoptr(GError) error = NULL;
  char buffer[16];
  gsize n;

  g_assert_true (g_output_stream_write_all (output, "Hello", 5, NULL, NULL, &error));
  g_assert_true (g_output_stream_close (output, NULL, &error));
  g_assert_true (g_seekable_seek (G_SEEKABLE (input), 0, G_SEEK_SET, NULL, &error));
  g_assert_true (g_input_stream_read_all (input, buffer, sizeof buffer, &n, NULL, &error));
  g_assert_cmpmem (buffer, n, "Hello", 5);
  tf_test_write (file, " world!");
  g_assert_no_error (error);
  g_assert_cmpint (g_output_stream_write (output, "x", 1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 12);

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
}

static void
assert_all_calls_fail (TfTempFile   *file,
                       GIOErrorEnum  code)
{
  GError *errors[7] = { NULL, };
  char byte = 0;

  g_assert_false (tf_temp_file_write (file, "x", 1, NULL, &errors[0]));
  g_assert_cmpint (tf_temp_file_read (file, &byte, 1, NULL, &errors[1]), ==, -1);
  g_assert_null (tf_temp_file_read_bytes (file, 1, NULL, &errors[2]));
  g_assert_false (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &errors[3]));
  g_assert_false (g_seekable_truncate (G_SEEKABLE (file), 0, NULL, &errors[4]));
  g_assert_cmpint (tf_temp_file_get_fd (file, NULL, &errors[5]), ==, -1);
  g_assert_null (tf_temp_file_get_fd_path (file, NULL, &errors[6]));
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 0);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 0);

  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_assert_error (errors[i], G_IO_ERROR, (gint) code);
      g_clear_error (&errors[i]);
    }
}

static void
assert_streams_fail (GInputStream  *input,
                     GOutputStream *output,
                     GIOErrorEnum   code)
{
  GError *errors[5] = { NULL, };
  char byte = 0;

  g_assert_cmpint (g_input_stream_read (input, &byte, 1, NULL, &errors[0]), ==, -1);
  g_assert_cmpint (g_output_stream_write (output, "x", 1, NULL, &errors[1]), ==, -1);
  g_assert_false (g_seekable_seek (G_SEEKABLE (input), 0, G_SEEK_SET, NULL, &errors[2]));
  g_assert_false (g_seekable_truncate (G_SEEKABLE (output), 0, NULL, &errors[3]));
  g_assert_false (g_output_stream_flush (output, NULL, &errors[4]));

  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_assert_error (errors[i], G_IO_ERROR, (gint) code);
      g_clear_error (&errors[i]);
    }
}

static void
test_closed (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (file));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  g_autoptr(GError) error = NULL;

  tf_test_write (file, "Hello");
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
  assert_all_calls_fail (file, G_IO_ERROR_CLOSED);
  assert_streams_fail (input, output, G_IO_ERROR_CLOSED);
}

static void
test_invalid_values (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GFile) place = g_file_new_for_path ("place");
  g_autoptr(GInputStream) reader = NULL;
  const int types[] = { -1, 3, 99 };

  tf_test_write (file, "Hello");
  reader = tf_temp_file_open_reader (file, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_false (g_seekable_seek (G_SEEKABLE (file), 1, (GSeekType) types[i], NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 5);
      g_assert_false (g_seekable_seek (G_SEEKABLE (reader), 1, (GSeekType) types[i], NULL, NULL));
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (reader)), ==, 0);
    }

  g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*flags*");
  g_assert_false (tf_temp_file_persist (file, place, (TfPersistFlags) (1 << 20), NULL, NULL, NULL, NULL, NULL));
  g_test_assert_expected_messages ();
}

/* The streams were not asked for before it was closed. */
static void
test_closed_without_streams (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  assert_streams_fail (g_io_stream_get_input_stream (G_IO_STREAM (file)),
                       g_io_stream_get_output_stream (G_IO_STREAM (file)),
                       G_IO_ERROR_CLOSED);
}

static void
test_streams_outlive_file (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GInputStream) input = g_object_ref (g_io_stream_get_input_stream (G_IO_STREAM (file)));
  g_autoptr(GOutputStream) output = g_object_ref (g_io_stream_get_output_stream (G_IO_STREAM (file)));

  tf_test_write (file, "Hello");
  g_assert_finalize_object (g_steal_pointer (&file));
  assert_streams_fail (input, output, G_IO_ERROR_CLOSED);
}

static void
test_not_initialized (gconstpointer data)
{
  const TfTestKind *kind = data;
  g_autoptr(TfTempFile) file = g_object_new (kind->get_type (), NULL);
  guint n_entries = tf_test_count_entries (tf_test_get_sandbox ());
  g_autoptr(GError) error = NULL;

  /* A spooled file has nothing that could fail. */
  if (tf_test_kind_is_spooled (kind))
    {
      tf_test_write (file, "Hello");
      return;
    }

  assert_all_calls_fail (file, G_IO_ERROR_NOT_INITIALIZED);
  assert_streams_fail (g_io_stream_get_input_stream (G_IO_STREAM (file)),
                       g_io_stream_get_output_stream (G_IO_STREAM (file)),
                       G_IO_ERROR_NOT_INITIALIZED);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, n_entries);

  /* It is never too late. */
  g_assert_true (g_initable_init (G_INITABLE (file), NULL, &error));
  g_assert_no_error (error);
  tf_test_write (file, "Hello");
}

static void
test_init_twice (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GError) error = NULL;
  guint n_entries, n_fds;

  tf_test_write (file, "Hello");
  n_entries = tf_test_count_entries (tf_test_get_sandbox ());
  n_fds = tf_test_count_fds ();
  g_assert_true (g_initable_init (G_INITABLE (file), NULL, &error));
  g_assert_no_error (error);
  tf_test_assert_file (file, 5, "Hello", 5);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, n_entries);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
}

static void
test_init_after_failure (gconstpointer data)
{
  const TfTestKind *kind = data;
  g_autoptr(TfTempFile) file = g_object_new (kind->get_type (), "dir", "later", NULL);
  g_autoptr(GError) error = NULL;

  if (tf_test_kind_is_spooled (kind))
    return;

  g_assert_false (g_initable_init (G_INITABLE (file), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);

  g_assert_cmpint (g_mkdir ("later", 0700), ==, 0);
  g_assert_true (g_initable_init (G_INITABLE (file), NULL, &error));
  g_assert_no_error (error);
  tf_test_write (file, "Hello");
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_cmpint (g_rmdir ("later"), ==, 0);
}

static void
test_init_after_close (gconstpointer data)
{
  const TfTestKind *kind = data;
  g_autoptr(TfTempFile) file = g_object_new (kind->get_type (), NULL);
  g_autoptr(GError) error = NULL;

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_false (g_initable_init (G_INITABLE (file), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  assert_all_calls_fail (file, G_IO_ERROR_CLOSED);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
}

static void
test_cancelled (gconstpointer data)
{
  const TfTestKind *kind = data;
  g_autoptr(TfTempFile) file = tf_test_kind_make (kind);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  GError *errors[5] = { NULL, };
  char byte;

  tf_test_write (file, "Hello");
  g_cancellable_cancel (cancellable);
  g_assert_false (tf_temp_file_write (file, "x", 1, cancellable, &errors[0]));
  g_assert_cmpint (tf_temp_file_read (file, &byte, 1, cancellable, &errors[1]), ==, -1);
  g_assert_null (tf_temp_file_read_bytes (file, 1, cancellable, &errors[2]));
  g_assert_false (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, cancellable, &errors[3]));
  g_assert_false (g_seekable_truncate (G_SEEKABLE (file), 0, cancellable, &errors[4]));
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_assert_error (errors[i], G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&errors[i]);
    }
  tf_test_assert_file (file, 5, "Hello", 5);
}

static void
test_cancelled_creation (gconstpointer data)
{
  const TfTestKind *kind = data;
  g_autoptr(TfTempFile) file = NULL;
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;
  guint n_fds = tf_test_count_fds ();

  if (tf_test_kind_is_spooled (kind))
    return;

  g_cancellable_cancel (cancellable);
  file = g_initable_new (kind->get_type (), cancellable, &error, NULL);
  g_assert_null (file);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
}

static void
test_bounds (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  const struct
  {
    goffset offset;
    GSeekType type;
  } refused[] = {
    { -1, G_SEEK_SET }, { -4, G_SEEK_CUR }, { -6, G_SEEK_END }, { G_MININT64, G_SEEK_END },
    { G_MAXINT64, G_SEEK_CUR }, { G_MAXINT64 - 4, G_SEEK_END },
  };
  g_autoptr(GError) error = NULL;
  char byte;

  tf_test_write (file, "Hello");
  tf_test_seek (file, 3, G_SEEK_SET);
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_assert_false (g_seekable_seek (G_SEEKABLE (file), refused[i].offset, refused[i].type, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
      g_clear_error (&error);
    }
  g_assert_false (g_seekable_truncate (G_SEEKABLE (file), -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  tf_test_assert_file (file, 3, "Hello", 5);

  tf_test_seek (file, G_MAXINT64, G_SEEK_SET);
  g_assert_cmpint (tf_temp_file_read (file, &byte, 1, NULL, &error), ==, 0);
  g_assert_no_error (error);
  g_assert_false (tf_temp_file_write (file, "x", 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  tf_test_assert_file (file, G_MAXINT64, "Hello", 5);
}

static void
test_fd (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GError) error = NULL;
  struct stat st;
  char buffer[4];
  int fd;

  tf_test_write (file, "Hello world!");
  tf_test_seek (file, 6, G_SEEK_SET);
  fd = tf_temp_file_get_fd (file, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (tf_temp_file_get_fd (file, NULL, &error), ==, fd);
  g_assert_cmpint (fcntl (fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
  g_assert_cmpint (fstat (fd, &st), ==, 0);
  g_assert_cmpint (st.st_size, ==, 12);
  g_assert_cmphex (st.st_mode & 07777, ==, 0600);
  g_assert_cmpuint (st.st_nlink, ==, TF_IS_NAMED_FILE (file) ? 1 : 0);

  g_assert_cmpint (read (fd, buffer, 3), ==, 3);
  g_assert_cmpmem (buffer, 3, "wor", 3);
  tf_test_assert_file (file, 9, "Hello world!", 12);
  tf_test_write (file, "ds");
  g_assert_cmpint (write (fd, "?!", 2), ==, 2);
  tf_test_assert_file (file, 13, "Hello words?!", 13);

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, -1);
}

static void
test_fd_path (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;
  g_autofree char *content = NULL;
  gsize length;

  tf_test_write (file, "Hello world!");
  tf_test_seek (file, 6, G_SEEK_SET);
  path = tf_temp_file_get_fd_path (file, NULL, &error);
  if (tf_test_skip_if_portable ("paths of descriptors"))
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
      return;
    }

  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (path, "/proc/"));
  if (tf_test_disk_reopens ())
    {
      g_assert_true (g_file_get_contents (path, &content, &length, &error));
      g_assert_no_error (error);
      g_assert_cmpmem (content, length, "Hello world!", 12);
    }
  tf_test_assert_file (file, 6, "Hello world!", 12);
}

static void
test_closes_descriptor (gconstpointer data)
{
  guint n_fds = tf_test_count_fds ();
  g_autoptr(TfTempFile) closed = tf_test_kind_make (data);
  g_autoptr(TfTempFile) dropped = tf_test_kind_make (data);
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (tf_temp_file_get_fd (closed, NULL, &error), >=, 0);
  g_assert_cmpint (tf_temp_file_get_fd (dropped, NULL, &error), >=, 0);
  g_assert_no_error (error);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds + 2);
  g_assert_true (g_io_stream_close (G_IO_STREAM (closed), NULL, &error));
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds + 1);
  g_assert_finalize_object (g_steal_pointer (&dropped));
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
}

static void
test_dispose_twice (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);

  tf_test_write (file, "Hello");
  g_object_run_dispose (G_OBJECT (file));
  assert_all_calls_fail (file, G_IO_ERROR_CLOSED);
  g_object_run_dispose (G_OBJECT (file));
  g_assert_finalize_object (g_steal_pointer (&file));
}

static void
assert_refused (const TfTestKind *kind,
                const char       *dir,
                const char       *prefix,
                const char       *suffix,
                GIOErrorEnum      code,
                const char       *in_message)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = tf_test_kind_new (kind, dir, prefix, suffix, &error);

  g_assert_null (file);
  g_assert_error (error, G_IO_ERROR, (gint) code);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_nonnull (strstr (error->message, in_message));
}

static void
test_bad_place (gconstpointer data)
{
  g_autofree char *long_part = g_strnfill (NAME_MAX, 'x');
  guint n_fds = tf_test_count_fds ();

  g_assert_true (g_file_set_contents ("file", "", 0, NULL));
  assert_refused (data, "missing", NULL, NULL, G_IO_ERROR_NOT_FOUND, "missing");
  assert_refused (data, "missing-\xff", NULL, NULL, G_IO_ERROR_NOT_FOUND, "missing-");
  assert_refused (data, "file", NULL, NULL, G_IO_ERROR_NOT_DIRECTORY, "file");
  assert_refused (data, NULL, "a/b", NULL, G_IO_ERROR_INVALID_FILENAME, "a/b");
  assert_refused (data, NULL, NULL, "/b", G_IO_ERROR_INVALID_FILENAME, "/b");
  assert_refused (data, NULL, long_part, NULL, G_IO_ERROR_FILENAME_TOO_LONG, "bytes long");
  assert_refused (data, NULL, NULL, long_part, G_IO_ERROR_FILENAME_TOO_LONG, "bytes long");
  g_assert_cmpint (g_unlink ("file"), ==, 0);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
}

static void
refuse_unwritable_dir (void)
{
  for (const TfTestKind *kind = tf_test_kinds; kind->name != NULL; kind++)
    assert_refused (kind, "unwritable", NULL, NULL, G_IO_ERROR_PERMISSION_DENIED, "unwritable");
}

static void
test_unwritable_dir (void)
{
  g_assert_cmpint (g_mkdir ("unwritable", 0555), ==, 0);
  tf_test_as_unprivileged (refuse_unwritable_dir);
  g_assert_cmpint (g_rmdir ("unwritable"), ==, 0);
}

static void
test_no_fds (gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = NULL;

  tf_test_take_fds ();
  file = tf_test_kind_new (data, NULL, NULL, NULL, &error);
  tf_test_give_all_fds ();
  tf_test_remove_what_valgrind_made ();
  g_assert_null (file);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
}

static void
test_relative_dir (gconstpointer data)
{
  const TfTestKind *kind = data;
  g_autoptr(TfTempFile) file = g_object_new (kind->get_type (), "dir", "sub", NULL);
  g_autofree char *dir = NULL;
  g_autofree char *expected = tf_test_path ("sub");
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (g_mkdir ("sub", 0700), ==, 0);
  g_assert_cmpint (g_mkdir ("elsewhere", 0700), ==, 0);
  g_assert_cmpint (g_chdir ("elsewhere"), ==, 0);

  g_object_get (file, "dir", &dir, NULL);
  g_assert_cmpstr (dir, ==, expected);
  g_assert_true (g_initable_init (G_INITABLE (file), NULL, &error));
  g_assert_cmpint (tf_temp_file_get_fd (file, NULL, &error), >=, 0);
  g_assert_no_error (error);
  if (TF_IS_NAMED_FILE (file))
    g_assert_true (g_str_has_prefix (tf_named_file_get_path (TF_NAMED_FILE (file)), expected));

  g_assert_cmpint (g_chdir (".."), ==, 0);
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_cmpint (g_rmdir ("sub"), ==, 0);
  g_assert_cmpint (g_rmdir ("elsewhere"), ==, 0);
}

static void
test_not_utf8 (gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = NULL;
  g_autofree char *expected_dir = tf_test_path ("\xff");
  g_autofree char *dir = NULL;
  g_autofree char *prefix = NULL;
  g_autofree char *suffix = NULL;

  g_assert_cmpint (g_mkdir ("\xff", 0700), ==, 0);
  file = tf_test_kind_new (data, "\xff", "\xfe-", "-\xfd", &error);
  g_assert_no_error (error);
  tf_test_write (file, "Hello");
  g_object_get (file, "dir", &dir, "prefix", &prefix, "suffix", &suffix, NULL);
  g_assert_cmpstr (dir, ==, expected_dir);
  g_assert_cmpstr (prefix, ==, "\xfe-");
  g_assert_cmpstr (suffix, ==, "-\xfd");
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_cmpint (g_rmdir ("\xff"), ==, 0);
}

static void
test_properties (gconstpointer data)
{
  const TfTestKind *kind = data;
  g_autoptr(TfTempFile) plain = tf_test_kind_make (kind);
  g_autoptr(TfTempFile) file = NULL;
  g_autofree char *dir = NULL;
  g_autofree char *prefix = NULL;
  g_autofree char *suffix = NULL;
  g_autoptr(GError) error = NULL;
  guint mode;
  struct stat st;

  g_object_get (plain, "dir", &dir, "prefix", &prefix, "suffix", &suffix, "mode", &mode, NULL);
  g_assert_null (dir);
  g_assert_null (prefix);
  g_assert_null (suffix);
  g_assert_cmphex (mode, ==, 0600);

  file = g_object_new (kind->get_type (),
                       "dir", tf_test_get_sandbox (), "prefix", "p", "suffix", "s", "mode", 0640, NULL);
  g_object_get (file, "dir", &dir, "prefix", &prefix, "suffix", &suffix, "mode", &mode, NULL);
  g_assert_cmpstr (dir, ==, tf_test_get_sandbox ());
  g_assert_cmpstr (prefix, ==, "p");
  g_assert_cmpstr (suffix, ==, "s");
  g_assert_cmphex (mode, ==, 0640);
  g_assert_true (g_initable_init (G_INITABLE (file), NULL, &error));
  g_assert_cmpint (fstat (tf_temp_file_get_fd (file, NULL, &error), &st), ==, 0);
  g_assert_cmphex (st.st_mode & 0777, ==, 0640);
  g_assert_no_error (error);
}

int
main (int    argc,
      char **argv)
{
  const struct
  {
    const char *name;
    GTestDataFunc func;
  } tests[] = {
    { "write-read", test_write_read },
    { "read-data", test_read_data },
    { "read-no-data", test_read_no_data },
    { "truncate", test_truncate },
    { "streams", test_streams },
    { "splice", test_splice },
    { "close-input-use-output", test_close_input_use_output },
    { "close-output-use-input", test_close_output_use_input },
    { "closed", test_closed },
    { "closed-without-streams", test_closed_without_streams },
    { "streams-outlive-file", test_streams_outlive_file },
    { "not-initialized", test_not_initialized },
    { "invalid-values", test_invalid_values },
    { "init-twice", test_init_twice },
    { "init-after-failure", test_init_after_failure },
    { "init-after-close", test_init_after_close },
    { "cancelled", test_cancelled },
    { "cancelled-creation", test_cancelled_creation },
    { "bounds", test_bounds },
    { "fd", test_fd },
    { "fd-path", test_fd_path },
    { "closes-descriptor", test_closes_descriptor },
    { "dispose-twice", test_dispose_twice },
    { "bad-place", test_bad_place },
    { "no-fds", test_no_fds },
    { "relative-dir", test_relative_dir },
    { "not-utf8", test_not_utf8 },
    { "properties", test_properties },
  };

  umask (022);
  tf_test_init_async (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    tf_test_add_for_kinds ("every-file", tests[i].name, tests[i].func);
  g_test_add_func ("/every-file/unwritable-dir", test_unwritable_dir);

  return tf_test_run ();
}
