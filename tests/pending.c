/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is refused and what is answered while an asynchronous operation is pending. */

#include <tempfile-glib.h>

#include <string.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test-files.h"
#include "tf-test.h"

typedef enum
{
  ALLOWED,
  REFUSED,
} Verdict;

static const char text[] = "abcdefghij";

static GInputStream *
input_of (TfTempFile *file)
{
  return g_io_stream_get_input_stream (G_IO_STREAM (file));
}

static GOutputStream *
output_of (TfTempFile *file)
{
  return g_io_stream_get_output_stream (G_IO_STREAM (file));
}

static void
check (Verdict    verdict,
       gboolean   success,
       GError   **error)
{
  g_autoptr(GError) owned = g_steal_pointer (error);

  if (verdict == ALLOWED)
    g_assert_no_error (owned);
  else
    g_assert_error (owned, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_assert_true (success == (verdict == ALLOWED));
}

#define TRY(call) (success = (call), check (verdict, success, &error))

static void
use_file (TfTempFile *file,
          Verdict     verdict)
{
  g_autoptr(GBytes) bytes = g_bytes_new_static ("w", 1);
  GError *error = NULL;
  gboolean success;
  gsize count;
  char byte;
  int fd;

  TRY (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error));
  TRY (tf_temp_file_read (file, &byte, 1, NULL, &error) == 1);
  TRY (tf_temp_file_write (file, "w", 1, NULL, &error));
  TRY (tf_temp_file_write_bytes (file, bytes, NULL, &error));
  TRY (tf_temp_file_fill (file, 1, NULL, &error) >= 0);
  TRY (tf_temp_file_consume (file, 0, &error));
  TRY (g_seekable_truncate (G_SEEKABLE (file), 20, NULL, &error));
  TRY (tf_temp_file_flush (file, NULL, &error));
  if (!tf_test_is_portable ())
    {
      TRY ((fd = tf_temp_file_seal (file, NULL, &error)) >= 0);
      if (fd >= 0)
        close (fd);
    }
  g_assert_true (tf_temp_file_peek (file, &count) == NULL || verdict == ALLOWED);
}

static void
use_results (TfTempFile *file,
             Verdict     verdict)
{
  g_autoptr(GBytes) loaded = NULL;
  g_autoptr(GBytes) read = NULL;
  g_autofree char *line = NULL;
  g_autofree char *piece = NULL;
  g_autofree guint8 *data = NULL;
  GError *error = NULL;
  gboolean success;
  gsize length;

  TRY ((loaded = tf_temp_file_load_bytes (file, NULL, &error)) != NULL);
  TRY ((read = tf_temp_file_read_bytes (file, 1, NULL, &error)) != NULL);
  TRY ((line = tf_temp_file_read_line (file, NULL, NULL, &error)) != NULL);
  TRY (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error));
  TRY ((data = tf_temp_file_read_data (file, 1, &length, NULL, &error)) != NULL);
  TRY (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error));
  TRY ((piece = tf_temp_file_read_upto (file, "x", 1, NULL, NULL, &error)) != NULL);
}

/* Only on a file that is on disk in any case. */
static void
use_disk (TfTempFile *file,
          Verdict     verdict)
{
  g_autofree char *path = NULL;
  GError *error = NULL;
  gboolean success;
  int fd;

  TRY (tf_temp_file_get_fd (file, NULL, &error) >= 0);
  if (!tf_test_is_portable ())
    {
      TRY (tf_temp_file_reserve (file, 1, NULL, &error));
      TRY ((path = tf_temp_file_get_fd_path (file, NULL, &error)) != NULL);
    }
  TRY ((fd = tf_temp_file_dup_fd (file, NULL, &error)) >= 0);
  if (fd >= 0)
    close (fd);
}

static void
use_input (TfTempFile *file,
           Verdict     verdict)
{
  GError *error = NULL;
  gboolean success;
  char byte;

  TRY (g_seekable_seek (G_SEEKABLE (input_of (file)), 0, G_SEEK_SET, NULL, &error));
  TRY (g_input_stream_read (input_of (file), &byte, 1, NULL, &error) == 1);
  TRY (g_input_stream_skip (input_of (file), 1, NULL, &error) == 1);
}

static void
use_output (TfTempFile *file,
            Verdict     verdict)
{
  g_autoptr(GInputStream) bytes = g_memory_input_stream_new_from_data ("s", 1, NULL);
  const GOutputVector vector = { "v", 1 };
  gsize n_written;
  GError *error = NULL;
  gboolean success;

  TRY (g_seekable_seek (G_SEEKABLE (output_of (file)), 0, G_SEEK_SET, NULL, &error));
  TRY (g_output_stream_write (output_of (file), "w", 1, NULL, &error) == 1);
  TRY (g_output_stream_writev (output_of (file), &vector, 1, &n_written, NULL, &error));
  TRY (g_output_stream_splice (output_of (file), bytes, 0, NULL, &error) == 1);
  TRY (g_seekable_truncate (G_SEEKABLE (output_of (file)), 20, NULL, &error));
  TRY (g_output_stream_flush (output_of (file), NULL, &error));
}

/* What would change the file for good, were it not refused. */
static void
try_to_end (TfTempFile *file)
{
  const Verdict verdict = REFUSED;
  g_autoptr(GFile) place = g_file_new_for_path ("place");
  GError *error = NULL;
  gboolean success;

  TRY (tf_temp_file_persist (file, place, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error));
  g_assert_false (g_file_query_exists (place, NULL));
  TRY (tf_temp_file_steal_bytes (file, NULL, &error) != NULL);
  g_assert_false (g_io_stream_is_closed (G_IO_STREAM (file)));
  if (TF_IS_SPOOLED_FILE (file))
    TRY (tf_spooled_file_rollover (TF_SPOOLED_FILE (file), NULL, &error));
}

static void
ask (TfTempFile *file)
{
  g_autoptr(GInputStream) reader = NULL;
  g_autoptr(GError) error = NULL;
  char byte;

  g_assert_cmpint (tf_temp_file_get_size (file), >=, strlen (text));
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), >=, 0);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (input_of (file))), >=, 0);
  reader = tf_temp_file_open_reader (file, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_input_stream_read (reader, &byte, 1, NULL, &error), ==, 1);
  g_assert_no_error (error);
}

/* Each asynchronous call of the file, of which those at the end need not be tried one by one. */
static void
try_async (TfTempFile *file)
{
  g_autoptr(GBytes) bytes = g_bytes_new_static ("a", 1);
  g_autoptr(GAsyncResult) written = NULL;
  g_autoptr(GAsyncResult) loaded = NULL;
  g_autoptr(GError) error = NULL;

  tf_temp_file_write_bytes_async (file, bytes, 0, NULL, tf_test_take_result, &written);
  tf_temp_file_load_bytes_async (file, 0, NULL, tf_test_take_result, &loaded);
  g_assert_false (tf_temp_file_write_bytes_finish (file, tf_test_wait (&written), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);
  g_assert_null (tf_temp_file_load_bytes_finish (file, tf_test_wait (&loaded), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
}

static void
use_all (TfTempFile *file,
         Verdict     of_file,
         Verdict     of_input,
         Verdict     of_output)
{
  use_input (file, of_input);
  use_output (file, of_output);
  ask (file);
  use_file (file, of_file);
  use_results (file, of_file);
  if (!TF_IS_SPOOLED_FILE (file))
    use_disk (file, of_file);
}

static TfTempFile *
make_file (const TfTestKind *kind)
{
  TfTempFile *file = tf_test_kind_make (kind);

  tf_test_write (file, text);
  tf_test_seek (file, 0, G_SEEK_SET);
  return file;
}

static void
test_file (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(GBytes) bytes = g_bytes_new_static ("A", 1);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) refused = NULL;
  g_autoptr(GError) error = NULL;
  char byte;

  tf_temp_file_write_bytes_async (file, bytes, 0, NULL, tf_test_take_result, &result);
  use_all (file, REFUSED, REFUSED, REFUSED);
  try_to_end (file);
  g_input_stream_read_async (input_of (file), &byte, 1, 0, NULL, tf_test_take_result, &refused);
  g_assert_true (tf_temp_file_write_bytes_finish (file, tf_test_wait (&result), NULL));
  g_assert_cmpint (g_input_stream_read_finish (input_of (file), tf_test_wait (&refused), &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);

  tf_test_assert_file (file, 1, "Abcdefghij", 10);
  use_all (file, ALLOWED, ALLOWED, ALLOWED);
}

static void
test_input (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(GAsyncResult) result = NULL;
  char byte;

  g_input_stream_read_async (input_of (file), &byte, 1, 0, NULL, tf_test_take_result, &result);
  use_all (file, REFUSED, REFUSED, ALLOWED);
  g_assert_cmpint (g_input_stream_read_finish (input_of (file), tf_test_wait (&result), NULL), ==, 1);
  g_assert_cmpint (byte, ==, 'a');
  g_clear_object (&result);

  g_input_stream_skip_async (input_of (file), 1, 0, NULL, tf_test_take_result, &result);
  try_async (file);
  tf_test_wait (&result);
  use_all (file, ALLOWED, ALLOWED, ALLOWED);
}

static void
test_output (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(GInputStream) source = g_memory_input_stream_new_from_data ("S", 1, NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) refused = NULL;
  g_autoptr(GError) error = NULL;
  GOutputVector vector = { "v", 1 };

  g_output_stream_write_async (output_of (file), "A", 1, 0, NULL, tf_test_take_result, &result);
  use_all (file, REFUSED, ALLOWED, REFUSED);
  g_assert_cmpint (g_output_stream_write_finish (output_of (file), tf_test_wait (&result), NULL), ==, 1);
  g_clear_object (&result);

  g_output_stream_writev_async (output_of (file), &vector, 1, 0, NULL, tf_test_take_result, &result);
  use_all (file, REFUSED, ALLOWED, REFUSED);
  g_output_stream_writev_async (output_of (file), &vector, 1, 0, NULL, tf_test_take_result, &refused);
  g_assert_false (g_output_stream_writev_finish (output_of (file), tf_test_wait (&refused), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_assert_true (g_output_stream_writev_finish (output_of (file), tf_test_wait (&result), NULL, NULL));
  g_clear_object (&result);

  g_output_stream_splice_async (output_of (file), source, 0, 0, NULL, tf_test_take_result, &result);
  use_all (file, REFUSED, ALLOWED, REFUSED);
  g_assert_cmpint (g_output_stream_splice_finish (output_of (file), tf_test_wait (&result), NULL), ==, 1);
  use_all (file, ALLOWED, ALLOWED, ALLOWED);
}

/* Splicing into a file that is in use takes nothing from the source. */
static void
test_splice (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(GInputStream) source = g_memory_input_stream_new_from_data ("S", 1, NULL);
  g_autoptr(GBytes) bytes = g_bytes_new_static ("b", 1);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) refused = NULL;
  g_autoptr(GError) error = NULL;

  tf_temp_file_write_bytes_async (file, bytes, 0, NULL, tf_test_take_result, &result);
  g_output_stream_splice_async (output_of (file), source, 0, 0, NULL, tf_test_take_result, &refused);
  g_assert_cmpint (g_output_stream_splice_finish (output_of (file), tf_test_wait (&refused), &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (source)), ==, 0);
  g_assert_true (tf_temp_file_write_bytes_finish (file, tf_test_wait (&result), NULL));
}

/* The source is read by one operation, which the file of the source has under way. */
static void
test_splice_source (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(TfTempFile) target = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GBytes) bytes = g_bytes_new_static ("b", 1);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  goffset size;

  g_output_stream_splice_async (output_of (target), input_of (file), 0, 0, NULL, tf_test_take_result, &result);
  use_all (file, REFUSED, REFUSED, ALLOWED);
  g_output_stream_splice_finish (output_of (target), tf_test_wait (&result), &error);
  g_assert_no_error (error);
  g_clear_object (&result);
  use_all (file, ALLOWED, ALLOWED, ALLOWED);

  size = tf_temp_file_get_size (target);
  tf_temp_file_write_bytes_async (file, bytes, 0, NULL, tf_test_take_result, &result);
  g_assert_cmpint (g_output_stream_splice (output_of (target), input_of (file), 0, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_assert_true (tf_temp_file_write_bytes_finish (file, tf_test_wait (&result), NULL));
  g_assert_cmpint (tf_temp_file_get_size (target), ==, size);
}

/* Also when everything was moved at once */
static void
test_splice_and_close (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(TfTempFile) source = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_output_stream_splice_async (output_of (file), input_of (source), G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, 0, NULL,
                                tf_test_take_result, &result);
  while (result == NULL)
    {
      use_file (file, REFUSED);
      g_main_context_iteration (NULL, TRUE);
    }
  g_assert_cmpint (g_output_stream_splice_finish (output_of (file), result, &error), ==, 0);
  g_assert_no_error (error);
  g_assert_true (g_output_stream_is_closed (output_of (file)));
  use_file (file, ALLOWED);
}

/* Closing is an operation as well, if the file is not closed at once. */
static void
test_closing (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(GAsyncResult) input_closed = NULL;
  g_autoptr(GAsyncResult) closed = NULL;
  g_autoptr(GError) error = NULL;

  g_input_stream_close_async (input_of (file), 0, NULL, tf_test_take_result, &input_closed);
  use_file (file, REFUSED);
  use_output (file, ALLOWED);
  g_assert_true (g_input_stream_close_finish (input_of (file), tf_test_wait (&input_closed), NULL));
  use_file (file, ALLOWED);

  g_io_stream_close_async (G_IO_STREAM (file), 0, NULL, tf_test_take_result, &closed);
  g_assert_false (tf_temp_file_write (file, "w", 1, NULL, &error));
  g_assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PENDING) ||
                 g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED));
  g_assert_true (g_io_stream_close_finish (G_IO_STREAM (file), tf_test_wait (&closed), NULL));
}

static void
test_text (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(TfTextStream) stream = tf_text_stream_new (file, "UTF-8", TF_NEWLINE_LF, TF_TEXT_ERRORS_STRICT, NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  tf_text_stream_write_async (stream, "T", -1, 0, NULL, tf_test_take_result, &result);
  use_all (file, REFUSED, REFUSED, REFUSED);
  g_assert_true (tf_text_stream_write_finish (stream, tf_test_wait (&result), NULL));
  g_clear_object (&result);

  g_output_stream_write_async (output_of (file), "A", 1, 0, NULL, tf_test_take_result, &result);
  g_assert_false (tf_text_stream_write (stream, "T", -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  tf_test_wait (&result);
}

#define LARGE (256 * 1024)

/* The large write comes first, whatever has the higher priority and whoever could be quicker. */
static void
test_order (gconstpointer data)
{
  g_autofree char *large = g_strnfill (LARGE, 'A');

  for (int i = 0; i < 60; i++)
    {
      g_autoptr(TfTempFile) file = make_file (data);
      g_autoptr(GAsyncResult) written = NULL;
      g_autoptr(GAsyncResult) read = NULL;
      gssize n_read;
      char byte;

      g_assert_true (g_seekable_truncate (G_SEEKABLE (file), LARGE + 1, NULL, NULL));
      g_output_stream_write_async (output_of (file), large, LARGE, G_PRIORITY_LOW, NULL, tf_test_take_result, &written);
      if (i % 2 == 0)
        {
          g_input_stream_read_async (input_of (file), &byte, 1, G_PRIORITY_HIGH, NULL, tf_test_take_result, &read);
          n_read = g_input_stream_read_finish (input_of (file), tf_test_wait (&read), NULL);
        }
      else
        n_read = g_input_stream_read (input_of (file), &byte, 1, NULL, NULL);

      g_assert_cmpint (n_read, ==, 1);
      g_assert_cmpint (byte, ==, 0);
      g_assert_cmpint (g_output_stream_write_finish (output_of (file), tf_test_wait (&written), NULL), ==, LARGE);
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, LARGE + 1);
    }
}

/* More files than there are workers, each with a read that comes second and is more urgent. */
static void
test_many (void)
{
  enum { N_FILES = 40 };
  g_autofree char *large = g_strnfill (LARGE, 'A');
  TfTempFile *files[N_FILES];
  GAsyncResult *written[N_FILES] = { NULL, };
  GAsyncResult *read[N_FILES] = { NULL, };
  char bytes[N_FILES];

  for (int i = 0; i < N_FILES; i++)
    {
      files[i] = tf_temp_file_new (NULL, NULL, NULL);
      g_output_stream_write_async (output_of (files[i]), large, LARGE, G_PRIORITY_LOW, NULL,
                                   tf_test_take_result, &written[i]);
      g_input_stream_read_async (input_of (files[i]), &bytes[i], 1, G_PRIORITY_HIGH, NULL,
                                 tf_test_take_result, &read[i]);
    }

  for (int i = 0; i < N_FILES; i++)
    {
      tf_test_wait (&written[i]);
      g_assert_cmpint (g_input_stream_read_finish (input_of (files[i]), tf_test_wait (&read[i]), NULL), ==, 0);
      g_clear_object (&written[i]);
      g_clear_object (&read[i]);
      g_object_unref (files[i]);
    }
}

static void
test_closed_streams (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(GError) error = NULL;
  char byte;

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_assert_true (g_input_stream_is_closed (input_of (file)));
  g_assert_true (g_output_stream_is_closed (output_of (file)));
  g_assert_cmpint (g_input_stream_read (input_of (file), &byte, 1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
close_while_busy (TfTempFile *file)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (file)));
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 0);
}

/* An operation of a stream is whole, or fails. */
static void
assert_whole (gssize  n,
              gssize  expected,
              GError *error)
{
  if (n < 0)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  else
    g_assert_cmpint (n, ==, expected);
}

static void
test_close_while_busy (gconstpointer data)
{
  const gsize size = 1024 * 1024;
  g_autofree char *bytes = g_malloc0 (size);
  g_autoptr(TfTempFile) read_file = tf_test_kind_make (data);
  g_autoptr(TfTempFile) written_file = tf_test_kind_make (data);
  g_autoptr(GAsyncResult) read = NULL;
  g_autoptr(GAsyncResult) written = NULL;
  g_autoptr(GError) error = NULL;
  gssize n;

  g_output_stream_write_async (output_of (written_file), bytes, size, 0, NULL, tf_test_take_result, &written);
  close_while_busy (written_file);
  n = g_output_stream_write_finish (output_of (written_file), tf_test_wait (&written), &error);
  assert_whole (n, size, error);
  g_clear_error (&error);

  g_assert_true (tf_temp_file_write (read_file, bytes, size, NULL, NULL));
  tf_test_seek (read_file, 0, G_SEEK_SET);
  g_input_stream_read_async (input_of (read_file), bytes, size, 0, NULL, tf_test_take_result, &read);
  close_while_busy (read_file);
  n = g_input_stream_read_finish (input_of (read_file), tf_test_wait (&read), &error);
  assert_whole (n, size, error);
}

/* That of the file itself keeps it open. */
static void
test_close_during_own (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GError) error = NULL;

  tf_temp_file_load_bytes_async (file, 0, NULL, tf_test_take_result, &result);
  g_assert_false (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_assert_false (g_io_stream_is_closed (G_IO_STREAM (file)));
  bytes = tf_temp_file_load_bytes_finish (file, tf_test_wait (&result), NULL);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, strlen (text));
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
}

/* A reader's position is moved by its pending read. */
static void
test_reader (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GInputStream) reader = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  char buffer[3];

  g_assert_true (tf_temp_file_write (file, text, strlen (text), NULL, &error));
  g_assert_no_error (error);
  reader = tf_temp_file_open_reader (file, &error);
  g_assert_no_error (error);

  g_input_stream_read_async (reader, buffer, sizeof buffer, 0, NULL, tf_test_take_result, &result);
  g_assert_false (g_seekable_seek (G_SEEKABLE (reader), 5, G_SEEK_SET, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);
  g_assert_cmpint (g_input_stream_read_finish (reader, tf_test_wait (&result), &error), ==, sizeof buffer);
  g_assert_no_error (error);
  g_assert_cmpmem (buffer, sizeof buffer, text, sizeof buffer);

  g_assert_true (g_seekable_seek (G_SEEKABLE (reader), 0, G_SEEK_SET, NULL, &error));
  g_assert_no_error (error);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  tf_test_add_for_kinds ("pending", "file", test_file);
  tf_test_add_for_kinds ("pending", "input", test_input);
  tf_test_add_for_kinds ("pending", "output", test_output);
  tf_test_add_for_kinds ("pending", "splice", test_splice);
  tf_test_add_for_kinds ("pending", "splice-source", test_splice_source);
  tf_test_add_for_kinds ("pending", "splice-and-close", test_splice_and_close);
  tf_test_add_for_kinds ("pending", "closing", test_closing);
  tf_test_add_for_kinds ("pending", "text", test_text);
  tf_test_add_for_kinds ("pending", "order", test_order);
  g_test_add_func ("/pending/many", test_many);
  tf_test_add_for_kinds ("pending", "reader", test_reader);
  tf_test_add_for_kinds ("pending", "closed-streams", test_closed_streams);
  tf_test_add_for_kinds ("pending", "close-while-busy", test_close_while_busy);
  tf_test_add_for_kinds ("pending", "close-during-own", test_close_during_own);

  return tf_test_run ();
}
