/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <glib/gstdio.h>
#include <string.h>

#include "tf-test-async.h"
#include "tf-test.h"

static TfTempFile *
new_spooled (gint64 max_size)
{
  return TF_TEMP_FILE (tf_spooled_file_new (max_size));
}

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

static gssize
write_async (TfTempFile    *file,
             const char    *text,
             GCancellable  *cancellable,
             GError       **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  g_output_stream_write_async (output_of (file), text, strlen (text), G_PRIORITY_DEFAULT, cancellable,
                               tf_test_take_result, &result);
  return g_output_stream_write_finish (output_of (file), tf_test_wait (&result), error);
}

static void
assert_content (TfTempFile *file,
                const char *expected)
{
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error));
  bytes = tf_temp_file_read_bytes (file, G_MAXSIZE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), expected, strlen (expected));
}

typedef struct
{
  GThread *thread;
  GMainContext *context;
  guint n_emitted;
  guint n_called_back;
  gboolean callback_was_first;
  gint done;
} Emission;

static void
on_rolled_over (TfSpooledFile *file,
                gpointer       user_data)
{
  Emission *emission = user_data;

  g_assert_true (g_thread_self () == emission->thread);
  g_assert_true (g_main_context_is_owner (emission->context));
  g_assert_true (tf_spooled_file_is_rolled_over (file));
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (file)), >=, 0);
  emission->n_emitted++;
  emission->callback_was_first |= emission->n_called_back > 0;
}

/* Does not finish: whether the signal comes must not depend on that. */
static void
on_called_back (GObject      *object,
                GAsyncResult *result,
                gpointer      user_data)
{
  Emission *emission = user_data;

  emission->n_called_back++;
  emission->done = TRUE;
}

typedef void (*RollOverFunc) (TfTempFile *file,
                              Emission   *emission);

static const char text[] = "longer than eight";
static const GOutputVector vectors[] = { { "longer ", 7 }, { "", 0 }, { "than eight", 10 } };

static void
by_write (TfTempFile *file,
          Emission   *emission)
{
  g_output_stream_write_async (output_of (file), text, strlen (text), 0, NULL, on_called_back, emission);
}

static void
by_writev (TfTempFile *file,
           Emission   *emission)
{
  g_output_stream_writev_async (output_of (file), vectors, G_N_ELEMENTS (vectors), 0, NULL, on_called_back, emission);
}

static void
by_write_bytes (TfTempFile *file,
                Emission   *emission)
{
  g_autoptr(GBytes) bytes = g_bytes_new_static (text, strlen (text));

  tf_temp_file_write_bytes_async (file, bytes, 0, NULL, on_called_back, emission);
}

static void
by_splice (TfTempFile *file,
           Emission   *emission)
{
  g_autoptr(GInputStream) source = g_memory_input_stream_new_from_data (text, strlen (text), NULL);

  g_output_stream_splice_async (output_of (file), source, 0, 0, NULL, on_called_back, emission);
}

static void
by_splice_of_ours (TfTempFile *file,
                   Emission   *emission)
{
  g_autoptr(TfTempFile) other = new_spooled (-1);
  GInputStream *source = input_of (other);

  g_assert_true (tf_temp_file_write (other, text, strlen (text), NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (other), 0, G_SEEK_SET, NULL, NULL));
  g_output_stream_splice_async (output_of (file), source, 0, 0, NULL, on_called_back, emission);
  g_object_set_data_full (G_OBJECT (file), "other", g_steal_pointer (&other), g_object_unref);
}

static void
by_rollover (TfTempFile *file,
             Emission   *emission)
{
  g_assert_true (tf_temp_file_write (file, "8 bytes.", 8, NULL, NULL));
  tf_spooled_file_rollover_async (TF_SPOOLED_FILE (file), 0, NULL, on_called_back, emission);
}

static void
check_emission (RollOverFunc roll_over)
{
  g_autoptr(GMainContext) context = g_main_context_ref_thread_default ();
  g_autoptr(TfTempFile) file = new_spooled (8);
  Emission emission = { .thread = g_thread_self (), .context = context };

  g_signal_connect (file, "rolled-over", G_CALLBACK (on_rolled_over), &emission);
  roll_over (file, &emission);
  g_assert_cmpuint (emission.n_emitted, ==, 0);
  g_assert_cmpuint (emission.n_called_back, ==, 0);

  tf_test_wait_until (&emission.done);
  while (g_main_context_iteration (context, FALSE))
    ;

  g_assert_cmpuint (emission.n_called_back, ==, 1);
  g_assert_cmpuint (emission.n_emitted, ==, 1);
  g_assert_false (emission.callback_was_first);
  assert_content (file, roll_over == by_rollover ? "8 bytes." : text);
}

static void
test_rolled_over (void)
{
  check_emission (by_write);
  check_emission (by_writev);
  check_emission (by_write_bytes);
  check_emission (by_splice);
  check_emission (by_splice_of_ours);
  check_emission (by_rollover);
}

static void
use_memory (TfTempFile *file)
{
  g_autoptr(GAsyncResult) written = NULL;
  g_autoptr(GAsyncResult) read = NULL;
  g_autoptr(GAsyncResult) skipped = NULL;
  g_autoptr(GAsyncResult) flushed = NULL;
  g_autoptr(GAsyncResult) bytes_read = NULL;
  g_autoptr(GAsyncResult) output_closed = NULL;
  g_autoptr(GAsyncResult) input_closed = NULL;
  g_autoptr(GAsyncResult) closed = NULL;
  g_autoptr(GBytes) bytes = NULL;
  gsize n_written;
  char buffer[4];

  g_output_stream_writev_async (output_of (file), vectors, 3, 0, NULL, tf_test_take_result, &written);
  g_assert_true (g_output_stream_writev_finish (output_of (file), tf_test_wait (&written), &n_written, NULL));
  g_assert_cmpuint (n_written, ==, 17);
  g_assert_cmpint (write_async (file, "!", NULL, NULL), ==, 1);
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));

  g_input_stream_read_async (input_of (file), buffer, 4, 0, NULL, tf_test_take_result, &read);
  g_assert_cmpint (g_input_stream_read_finish (input_of (file), tf_test_wait (&read), NULL), ==, 4);
  g_assert_cmpmem (buffer, 4, "long", 4);

  g_input_stream_skip_async (input_of (file), 3, 0, NULL, tf_test_take_result, &skipped);
  g_assert_cmpint (g_input_stream_skip_finish (input_of (file), tf_test_wait (&skipped), NULL), ==, 3);

  g_output_stream_flush_async (output_of (file), 0, NULL, tf_test_take_result, &flushed);
  g_assert_true (g_output_stream_flush_finish (output_of (file), tf_test_wait (&flushed), NULL));

  tf_temp_file_read_bytes_async (file, G_MAXSIZE, 0, NULL, tf_test_take_result, &bytes_read);
  bytes = tf_temp_file_read_bytes_finish (file, tf_test_wait (&bytes_read), NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "than eight!", 11);

  g_output_stream_close_async (output_of (file), 0, NULL, tf_test_take_result, &output_closed);
  g_assert_true (g_output_stream_close_finish (output_of (file), tf_test_wait (&output_closed), NULL));
  g_input_stream_close_async (input_of (file), 0, NULL, tf_test_take_result, &input_closed);
  g_assert_true (g_input_stream_close_finish (input_of (file), tf_test_wait (&input_closed), NULL));
  g_io_stream_close_async (G_IO_STREAM (file), 0, NULL, tf_test_take_result, &closed);
  g_assert_true (g_io_stream_close_finish (G_IO_STREAM (file), tf_test_wait (&closed), NULL));
}

/* A reader has its own position, and one operation at a time. */
static void
test_reader (gconstpointer data)
{
  g_autoptr(TfTempFile) file = new_spooled (data != NULL ? 0 : -1);
  g_autoptr(GInputStream) reader = NULL;
  g_autoptr(GAsyncResult) read = NULL;
  g_autoptr(GAsyncResult) skipped = NULL;
  g_autoptr(GAsyncResult) closed = NULL;
  g_autoptr(GError) error = NULL;
  char buffer[5];

  g_assert_cmpint (write_async (file, "Hello world", NULL, NULL), ==, 11);
  reader = tf_temp_file_open_reader (file, NULL);
  g_assert_true (g_seekable_can_seek (G_SEEKABLE (reader)));
  g_input_stream_read_async (reader, buffer, 5, 0, NULL, tf_test_take_result, &read);
  g_assert_false (g_seekable_seek (G_SEEKABLE (reader), 0, G_SEEK_SET, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);
  g_assert_cmpint (g_input_stream_read_finish (reader, tf_test_wait (&read), NULL), ==, 5);
  g_assert_cmpmem (buffer, 5, "Hello", 5);

  g_input_stream_skip_async (reader, 100, 0, NULL, tf_test_take_result, &skipped);
  g_assert_cmpint (g_input_stream_skip_finish (reader, tf_test_wait (&skipped), NULL), ==, 6);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (reader)), ==, 11);
  g_assert_true (g_seekable_seek (G_SEEKABLE (reader), -1, G_SEEK_CUR, NULL, NULL));
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (reader)), ==, 10);
  g_assert_false (g_seekable_seek (G_SEEKABLE (reader), G_MAXINT64, G_SEEK_CUR, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_false (g_seekable_truncate (G_SEEKABLE (reader), 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);

  g_assert_finalize_object (g_steal_pointer (&file));
  g_input_stream_close_async (reader, 0, NULL, tf_test_take_result, &closed);
  g_assert_true (g_input_stream_close_finish (reader, tf_test_wait (&closed), NULL));
  g_assert_false (g_seekable_seek (G_SEEKABLE (reader), 0, G_SEEK_SET, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
test_reader_cancelled (void)
{
  g_autoptr(TfTempFile) file = new_spooled (-1);
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (file, NULL);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_false (g_seekable_seek (G_SEEKABLE (reader), 0, G_SEEK_SET, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpint (g_input_stream_skip (reader, 1, cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* In a child, where no thread of an earlier test runs. */
static void
in_memory_without_thread (void)
{
  g_autoptr(TfTempFile) file = new_spooled (-1);
  g_autoptr(TfTempFile) source = new_spooled (-1);
  g_autoptr(GAsyncResult) spliced = NULL;
  guint n_threads = tf_test_count_threads ();

  g_assert_true (tf_temp_file_write (source, "from memory", 11, NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (source), 0, G_SEEK_SET, NULL, NULL));
  g_output_stream_splice_async (output_of (file), input_of (source), 0, 0, NULL, tf_test_take_result, &spliced);
  g_assert_cmpint (g_output_stream_splice_finish (output_of (file), tf_test_wait (&spliced), NULL), ==, 11);
  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 0, NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));

  use_memory (file);
  g_assert_false (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));
  g_assert_cmpuint (tf_test_count_threads (), ==, n_threads);
}

static void
test_without_thread (void)
{
  tf_test_in_child (in_memory_without_thread);
}

static void
test_on_disk (void)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(TfTempFile) file = NULL;
  g_autoptr(TfTempFile) spooled = new_spooled (3);

  tf_temp_file_create_async (NULL, 0, NULL, tf_test_take_result, &result);
  file = tf_temp_file_create_finish (tf_test_wait (&result), NULL);
  g_assert_nonnull (file);
  use_memory (file);
  use_memory (spooled);
}

static void
test_pending (void)
{
  g_autoptr(TfTempFile) file = new_spooled (2);
  g_autoptr(GAsyncResult) first = NULL;
  g_autoptr(GAsyncResult) second = NULL;
  g_autoptr(GAsyncResult) third = NULL;
  g_autoptr(GAsyncResult) fourth = NULL;
  g_autoptr(GBytes) bytes = g_bytes_new_static ("bytes", 5);
  g_autoptr(GError) error = NULL;

  g_output_stream_write_async (output_of (file), "one", 3, 0, NULL, tf_test_take_result, &first);
  g_assert_true (g_output_stream_has_pending (output_of (file)));
  g_output_stream_write_async (output_of (file), "two", 3, 0, NULL, tf_test_take_result, &second);
  g_assert_cmpint (g_output_stream_write_finish (output_of (file), tf_test_wait (&second), &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);
  g_assert_cmpint (g_output_stream_write_finish (output_of (file), tf_test_wait (&first), &error), ==, 3);
  g_assert_no_error (error);
  g_assert_false (g_output_stream_has_pending (output_of (file)));

  tf_temp_file_write_bytes_async (file, bytes, 0, NULL, tf_test_take_result, &third);
  tf_temp_file_write_bytes_async (file, bytes, 0, NULL, tf_test_take_result, &fourth);
  g_assert_false (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);
  g_assert_false (tf_temp_file_write_bytes_finish (file, tf_test_wait (&fourth), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);
  g_assert_true (tf_temp_file_write_bytes_finish (file, tf_test_wait (&third), &error));
  g_assert_no_error (error);
  assert_content (file, "onebytes");
}

static void
check_cancelled (gint64 max_size)
{
  g_autoptr(TfTempFile) file = new_spooled (max_size);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) spliced = NULL;
  g_autoptr(GAsyncResult) rolled = NULL;
  g_autoptr(GInputStream) source = g_memory_input_stream_new_from_data (text, strlen (text), NULL);
  g_autoptr(GError) error = NULL;
  char buffer[4];

  g_assert_cmpint (write_async (file, "ok", NULL, NULL), ==, 2);
  g_cancellable_cancel (cancellable);

  g_assert_cmpint (write_async (file, "refused", cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpint (g_output_stream_write (output_of (file), "no", 2, cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpint (g_input_stream_read (input_of (file), buffer, 4, cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  g_output_stream_splice_async (output_of (file), source, 0, 0, cancellable, tf_test_take_result, &spliced);
  g_assert_cmpint (g_output_stream_splice_finish (output_of (file), tf_test_wait (&spliced), &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  tf_spooled_file_rollover_async (TF_SPOOLED_FILE (file), 0, cancellable, tf_test_take_result, &rolled);
  g_assert_false (tf_spooled_file_rollover_finish (TF_SPOOLED_FILE (file), tf_test_wait (&rolled), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_content (file, "ok");
}

static void
test_cancelled (void)
{
  check_cancelled (-1);
  check_cancelled (0);
}

static void
check_edges (gint64 max_size)
{
  g_autoptr(TfTempFile) file = new_spooled (max_size);
  g_autoptr(GError) error = NULL;
  g_autoptr(GAsyncResult) read = NULL;
  g_autoptr(GAsyncResult) skipped = NULL;
  char buffer[4];

  g_assert_cmpint (g_output_stream_write (output_of (file), "abcdef", 6, NULL, NULL), ==, 6);
  g_assert_cmpint (g_output_stream_write (output_of (file), "", 0, NULL, NULL), ==, 0);
  g_assert_cmpint (write_async (file, "", NULL, &error), ==, 0);
  g_assert_cmpint (g_input_stream_read (input_of (file), buffer, 0, NULL, NULL), ==, 0);
  g_assert_cmpint (g_input_stream_read (input_of (file), buffer, 4, NULL, NULL), ==, 0);

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 4, G_SEEK_SET, NULL, NULL));
  g_assert_cmpint (g_input_stream_skip (input_of (file), 0, NULL, NULL), ==, 0);
  g_assert_cmpint (g_input_stream_skip (input_of (file), 10, NULL, NULL), ==, 2);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 6);
  g_assert_cmpint (g_input_stream_skip (input_of (file), 10, NULL, NULL), ==, 0);

  /* Where the position is behind the end, there is nothing to skip, and it stays. */
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 9, G_SEEK_SET, NULL, NULL));
  g_input_stream_skip_async (input_of (file), 10, 0, NULL, tf_test_take_result, &skipped);
  g_assert_cmpint (g_input_stream_skip_finish (input_of (file), tf_test_wait (&skipped), NULL), ==, 0);
  g_input_stream_read_async (input_of (file), buffer, 4, 0, NULL, tf_test_take_result, &read);
  g_assert_cmpint (g_input_stream_read_finish (input_of (file), tf_test_wait (&read), NULL), ==, 0);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 9);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 6);
}

static void
test_edges (void)
{
  check_edges (-1);
  check_edges (0);
}

static void
test_writev (void)
{
  g_autoptr(TfTempFile) file = new_spooled (16);
  g_autofree GOutputVector *many = g_new (GOutputVector, 1000);
  g_autoptr(GString) expected = g_string_new (NULL);
  g_autoptr(GError) error = NULL;
  gsize n_written;

  g_assert_true (g_output_stream_writev (output_of (file), vectors, 2, &n_written, NULL, NULL));
  g_assert_cmpuint (n_written, ==, 7);
  g_assert_true (g_output_stream_writev (output_of (file), vectors, 3, &n_written, NULL, NULL));
  g_assert_cmpuint (n_written, ==, 17);
  g_assert_true (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));
  g_string_append (expected, "longer longer than eight");

  for (gsize i = 0; i < 1000; i++)
    {
      many[i] = (GOutputVector) { &text[i % 8], i % 7 };
      g_string_append_len (expected, &text[i % 8], i % 7);
    }
  g_assert_true (g_output_stream_writev_all (output_of (file), many, 1000, &n_written, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_written, ==, expected->len - 24);
  assert_content (file, expected->str);
}

/* Who needs no result passes no callback. The operation is done all the same, and others can be begun after it. */
static void
check_no_callback (gint64 max_size)
{
  g_autoptr(TfTempFile) file = new_spooled (max_size);
  g_autoptr(TfTempFile) source = new_spooled (max_size);
  const GOutputVector vector = { "one, ", 5 };

  g_assert_true (tf_temp_file_write (source, "two", 3, NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (source), 0, G_SEEK_SET, NULL, NULL));
  g_output_stream_writev_async (output_of (file), &vector, 1, 0, NULL, NULL, NULL);
  while (g_output_stream_has_pending (output_of (file)))
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_output_stream_splice_async (output_of (file), input_of (source), 0, 0, NULL, NULL, NULL);
  while (g_output_stream_has_pending (output_of (file)))
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_false (g_input_stream_has_pending (input_of (source)));
  assert_content (file, "one, two");

  tf_temp_file_steal_bytes_async (file, 0, NULL, NULL, NULL);
  while (!g_io_stream_is_closed (G_IO_STREAM (file)))
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_false (g_io_stream_has_pending (G_IO_STREAM (file)));
}

static void
test_no_callback (void)
{
  check_no_callback (-1);
  check_no_callback (0);
}

/* A disk that refuses: what is in memory stays as before, and the next try has room. */
static void
test_refused (void)
{
  g_autofree char *dir = tf_test_path ("not-there-yet");
  g_autoptr(TfTempFile) file = g_object_new (TF_TYPE_SPOOLED_FILE, "max-size", (gint64) 4, "dir", dir, NULL);
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (write_async (file, "1234", NULL, &error), ==, 4);
  g_assert_cmpint (write_async (file, "5678", NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 4);

  g_assert_cmpint (g_mkdir (dir, 0700), ==, 0);
  g_assert_cmpint (write_async (file, "5678", NULL, &error), ==, 4);
  g_assert_no_error (error);
  assert_content (file, "12345678");
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

static void
test_not_initialized (void)
{
  g_autoptr(TfTempFile) file = g_object_new (TF_TYPE_TEMP_FILE, NULL);
  g_autoptr(TfTempDir) dir = g_object_new (TF_TYPE_TEMP_DIR, NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (write_async (file, "x", NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);

  tf_temp_dir_cleanup_async (dir, 0, NULL, tf_test_take_result, &result);
  g_assert_false (tf_temp_dir_cleanup_finish (dir, tf_test_wait (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
}

static void
test_closed (void)
{
  g_autoptr(TfTempFile) file = new_spooled (-1);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) again = NULL;
  g_autoptr(GError) error = NULL;

  g_io_stream_close_async (G_IO_STREAM (file), 0, NULL, tf_test_take_result, &result);
  g_assert_true (g_io_stream_close_finish (G_IO_STREAM (file), tf_test_wait (&result), &error));
  g_io_stream_close_async (G_IO_STREAM (file), 0, NULL, tf_test_take_result, &again);
  g_assert_true (g_io_stream_close_finish (G_IO_STREAM (file), tf_test_wait (&again), &error));
  g_assert_cmpint (write_async (file, "x", NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

/* Closing asynchronously closes the descriptor and removes the name as well. */
static void
test_close_named (void)
{
  g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  g_autoptr(GAsyncResult) result = NULL;
  guint n_fds = tf_test_count_fds ();

  g_assert_cmpint (write_async (TF_TEMP_FILE (file), "x", NULL, NULL), ==, 1);
  g_io_stream_close_async (G_IO_STREAM (file), 0, NULL, tf_test_take_result, &result);
  g_assert_true (g_io_stream_close_finish (G_IO_STREAM (file), tf_test_wait (&result), NULL));
  g_assert_false (g_file_test (tf_named_file_get_path (file), G_FILE_TEST_EXISTS));
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds - 1);
}

static void
test_cleanup (void)
{
  g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  g_autoptr(GFile) child = tf_temp_dir_get_child (dir, "child", NULL);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) cancelled = NULL;
  g_autoptr(GAsyncResult) first = NULL;
  g_autoptr(GAsyncResult) second = NULL;
  g_autoptr(GAsyncResult) third = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_true (g_file_make_directory (child, NULL, NULL));
  g_cancellable_cancel (cancellable);
  tf_temp_dir_cleanup_async (dir, 0, cancellable, tf_test_take_result, &cancelled);
  g_assert_false (tf_temp_dir_cleanup_finish (dir, tf_test_wait (&cancelled), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  tf_temp_dir_cleanup_async (dir, 0, NULL, tf_test_take_result, &first);
  tf_temp_dir_cleanup_async (dir, 0, NULL, tf_test_take_result, &second);
  g_assert_false (tf_temp_dir_cleanup_finish (dir, tf_test_wait (&second), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);
  g_assert_true (tf_temp_dir_cleanup_finish (dir, tf_test_wait (&first), &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_EXISTS));

  tf_temp_dir_cleanup_async (dir, 0, NULL, tf_test_take_result, &third);
  g_assert_true (tf_temp_dir_cleanup_finish (dir, tf_test_wait (&third), &error));
}

/* The file goes while its stream still writes: the bytes go with it, and whoever writes is told or was done before. */
static void
test_file_dropped (void)
{
  TfTempFile *file = new_spooled (0);
  g_autoptr(GOutputStream) output = g_object_ref (output_of (file));
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GBytes) bytes = tf_test_make_bytes (1 << 20);
  g_autoptr(GError) error = NULL;

  g_output_stream_write_async (output, g_bytes_get_data (bytes, NULL), 1 << 20, 0, NULL,
                               tf_test_take_result, &result);
  g_object_unref (file);
  if (g_output_stream_write_finish (output, tf_test_wait (&result), &error) < 0)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

typedef struct
{
  TfSpooledFile parent_instance;
} Logging;

typedef struct
{
  TfSpooledFileClass parent_class;
} LoggingClass;

GType logging_get_type (void);

G_DEFINE_TYPE (Logging, logging, TF_TYPE_SPOOLED_FILE)

static TfTempFile *log_file;

/* Needs the disk, although the file itself is in memory, and writes the end of the file itself. */
static gboolean
logging_close (GIOStream     *stream,
               GCancellable  *cancellable,
               GError       **error)
{
  GOutputStream *output = g_io_stream_get_output_stream (stream);

  return tf_temp_file_write (log_file, "closed", 6, cancellable, error) &&
         tf_temp_file_write (TF_TEMP_FILE (stream), "the ", 4, cancellable, error) &&
         g_output_stream_write (output, "end", 3, cancellable, error) == 3 &&
         g_output_stream_flush (output, cancellable, error) &&
         tf_temp_file_get_size (TF_TEMP_FILE (stream)) == 7 &&
         G_IO_STREAM_CLASS (logging_parent_class)->close_fn (stream, cancellable, error);
}

static void
logging_class_init (LoggingClass *klass)
{
  G_IO_STREAM_CLASS (klass)->close_fn = logging_close;
}

static void
logging_init (Logging *self)
{
}

static void
test_close_derived (void)
{
  g_autoptr(GIOStream) file = g_object_new (logging_get_type (), NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  log_file = tf_temp_file_new (NULL, NULL, NULL);
  g_io_stream_close_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  g_assert_true (g_io_stream_close_finish (file, tf_test_wait (&result), &error));
  g_assert_no_error (error);
  g_assert_cmpint (tf_temp_file_get_size (log_file), ==, 6);
  g_clear_object (&log_file);
}

/* An input stream that writes what it reads into another file first. */
#define TEST_TYPE_TEE (test_tee_get_type ())
G_DECLARE_FINAL_TYPE (TestTee, test_tee, TEST, TEE, GInputStream)

struct _TestTee
{
  GInputStream parent_instance;

  TfTempFile *copy; /* (unowned) */
  gsize n_left;
};

G_DEFINE_FINAL_TYPE (TestTee, test_tee, G_TYPE_INPUT_STREAM)

static gssize
test_tee_read (GInputStream  *stream,
               void          *buffer,
               gsize          count,
               GCancellable  *cancellable,
               GError       **error)
{
  TestTee *self = TEST_TEE (stream);
  gsize n = MIN (count, self->n_left);

  memset (buffer, 'x', n);
  self->n_left -= n;
  return tf_temp_file_write (self->copy, buffer, n, cancellable, error) ? (gssize) n : -1;
}

static void
test_tee_class_init (TestTeeClass *klass)
{
  G_INPUT_STREAM_CLASS (klass)->read_fn = test_tee_read;
}

static void
test_tee_init (TestTee *self)
{
}

/* Both files roll over in one worker, and both say so. */
static void
test_two_rollovers (void)
{
  g_autoptr(TfTempFile) target = new_spooled (8);
  g_autoptr(TfTempFile) copy = new_spooled (8);
  g_autoptr(TestTee) source = g_object_new (TEST_TYPE_TEE, NULL);
  GMainContext *context = g_main_context_ref_thread_default ();
  Emission emissions[2] = { { g_thread_self (), context, }, { g_thread_self (), context, } };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  source->copy = copy;
  source->n_left = 1000000;
  g_signal_connect (target, "rolled-over", G_CALLBACK (on_rolled_over), &emissions[0]);
  g_signal_connect (copy, "rolled-over", G_CALLBACK (on_rolled_over), &emissions[1]);
  g_output_stream_splice_async (output_of (target), G_INPUT_STREAM (source), 0, 0, NULL, tf_test_take_result, &result);
  g_assert_cmpint (g_output_stream_splice_finish (output_of (target), tf_test_wait (&result), &error), ==, 1000000);
  g_assert_no_error (error);

  g_assert_cmpuint (emissions[0].n_emitted, ==, 1);
  g_assert_cmpuint (emissions[1].n_emitted, ==, 1);
  g_clear_object (&result);
  g_assert_finalize_object (g_steal_pointer (&target));
  g_assert_finalize_object (g_steal_pointer (&copy));
  g_main_context_unref (context);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  g_test_add_func ("/async-streams/without-thread", test_without_thread);
  tf_test_add_async ("/async-streams/rolled-over", test_rolled_over);
  tf_test_add_async ("/async-streams/on-disk", test_on_disk);
  tf_test_add_async ("/async-streams/pending", test_pending);
  tf_test_add_async ("/async-streams/cancelled", test_cancelled);
  tf_test_add_async ("/async-streams/edges", test_edges);
  g_test_add_func ("/async-streams/writev", test_writev);
  tf_test_add_async ("/async-streams/no-callback", test_no_callback);
  tf_test_add_async ("/async-streams/refused", test_refused);
  g_test_add_func ("/async-streams/not-initialized", test_not_initialized);
  tf_test_add_async ("/async-streams/closed", test_closed);
  g_test_add_data_func ("/async-streams/reader/memory", NULL, test_reader);
  g_test_add_data_func ("/async-streams/reader/disk", "disk", test_reader);
  g_test_add_func ("/async-streams/reader/cancelled", test_reader_cancelled);
  tf_test_add_async ("/async-streams/close-named", test_close_named);
  tf_test_add_async ("/async-streams/cleanup", test_cleanup);
  g_test_add_func ("/async-streams/file-dropped", test_file_dropped);
  tf_test_add_async ("/async-streams/two-rollovers", test_two_rollovers);

  tf_test_add_async ("/async-streams/close-derived", test_close_derived);

  return tf_test_run ();
}
