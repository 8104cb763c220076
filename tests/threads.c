/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The streams of one file in different threads at once, across its rollover. For ThreadSanitizer as well. */

#include <tempfile-glib.h>

#include <string.h>

#include "tf-test-async.h"
#include "tf-test.h"

#define ROUNDS 2000

/* All bytes of a piece are the same, so that a piece that is torn shows. */
#define PIECE 64

static gpointer
write_pieces (gpointer data)
{
  GOutputStream *output = g_io_stream_get_output_stream (data);
  guint8 piece[PIECE];

  for (int i = 0; i < ROUNDS; i++)
    {
      g_autoptr(GError) error = NULL;

      memset (piece, i % 255 + 1, PIECE);
      g_assert_true (g_output_stream_write_all (output, piece, PIECE, NULL, NULL, &error));
      g_assert_no_error (error);
    }

  return NULL;
}

static gpointer
read_pieces (gpointer data)
{
  GInputStream *input = g_io_stream_get_input_stream (data);
  guint8 piece[PIECE];

  for (int i = 0; i < ROUNDS; i++)
    {
      gssize n = g_input_stream_read (input, piece, PIECE, NULL, NULL);

      g_assert_cmpint (n, >=, 0);
      g_assert_cmpint (n % PIECE, ==, 0);
      for (gssize j = 1; j < n; j++)
        g_assert_cmpuint (piece[j], ==, piece[0]);
      g_assert_true (g_seekable_seek (G_SEEKABLE (input), -n, G_SEEK_CUR, NULL, NULL));
    }

  return NULL;
}

static void
on_rolled_over (TfSpooledFile *file,
                gpointer       n_emitted)
{
  g_atomic_int_inc ((gint *) n_emitted);
}

static void
test_streams (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (ROUNDS * PIECE / 2);
  g_autoptr(GThread) writer = NULL;
  g_autoptr(GThread) reader = NULL;
  gint n_emitted = 0;

  g_signal_connect (file, "rolled-over", G_CALLBACK (on_rolled_over), &n_emitted);
  writer = g_thread_new ("writer", write_pieces, file);
  reader = g_thread_new ("reader", read_pieces, file);
  g_thread_join (g_steal_pointer (&writer));
  g_thread_join (g_steal_pointer (&reader));
  g_assert_true (tf_spooled_file_rollover (file, NULL, NULL));
  g_assert_cmpint (n_emitted, ==, 1);
}

typedef struct
{
  TfSpooledFile *target;
  TfSpooledFile *source;
} Ends;

static gpointer
run_splice (gpointer data)
{
  Ends *ends = data;
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (ends->target));
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (ends->source));

  for (int i = 0; i < 50; i++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_cmpint (g_output_stream_splice (output, input, 0, NULL, &error), >=, 0);
      g_assert_no_error (error);
    }

  return NULL;
}

/* To and fro, which needs both locks at a time. */
static void
test_splice_to_and_fro (void)
{
  g_autoptr(TfSpooledFile) one = tf_spooled_file_new (100000);
  g_autoptr(TfSpooledFile) other = tf_spooled_file_new (100000);
  Ends to = { one, other };
  Ends fro = { other, one };
  g_autoptr(GBytes) bytes = tf_test_make_bytes (5000);
  g_autoptr(GThread) first = NULL;
  g_autoptr(GThread) second = NULL;

  g_assert_true (tf_temp_file_write_bytes (TF_TEMP_FILE (one), bytes, NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (one), 0, G_SEEK_SET, NULL, NULL));
  first = g_thread_new ("to", run_splice, &to);
  second = g_thread_new ("fro", run_splice, &fro);
  g_thread_join (g_steal_pointer (&first));
  g_thread_join (g_steal_pointer (&second));
}

/* The input stream in this thread, while a worker writes. */
static void
test_async (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (1000);
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (file));
  g_autoptr(GBytes) bytes = tf_test_make_bytes (100000);

  for (int i = 0; i < 100; i++)
    {
      g_autoptr(GAsyncResult) written = NULL;
      g_autoptr(GAsyncResult) read = NULL;
      guint8 buffer[100];

      g_output_stream_write_async (output, g_bytes_get_data (bytes, NULL), 100000, 0, NULL, tf_test_take_result, &written);
      g_input_stream_read_async (input, buffer, sizeof buffer, 0, NULL, tf_test_take_result, &read);
      g_assert_cmpint (g_input_stream_read_finish (input, tf_test_wait (&read), NULL), >=, 0);
      g_assert_cmpint (g_output_stream_write_finish (output, tf_test_wait (&written), NULL), ==, 100000);
    }
}

static gpointer
write_piece (gpointer output)
{
  g_output_stream_write (output, "piece", 5, NULL, NULL);
  return NULL;
}

static gpointer
drop (gpointer file)
{
  g_object_unref (file);
  return NULL;
}

static void
on_finalized (gpointer  n_finalized,
              GObject  *former_object)
{
  ++*(guint *) n_finalized;
}

/* A file that rolls over in one thread is dropped in another one: it is finalized once, and not before the signal is
 * over. */
static void
test_dropped_while_rolling_over (void)
{
  guint n_finalized = 0;
  gint n_emitted = 0;

  for (int i = 0; i < ROUNDS / 4; i++)
    {
      TfTempFile *file = TF_TEMP_FILE (tf_spooled_file_new (0));
      g_autoptr(GOutputStream) output = g_object_ref (g_io_stream_get_output_stream (G_IO_STREAM (file)));
      g_autoptr(GThread) writer = NULL;
      g_autoptr(GThread) dropper = NULL;

      g_signal_connect (file, "rolled-over", G_CALLBACK (on_rolled_over), &n_emitted);
      g_object_weak_ref (G_OBJECT (file), on_finalized, &n_finalized);
      writer = g_thread_new ("writer", write_piece, output);
      dropper = g_thread_new ("dropper", drop, file);
      g_thread_join (g_steal_pointer (&writer));
      g_thread_join (g_steal_pointer (&dropper));
      g_assert_cmpuint (n_finalized, ==, i + 1);
    }

  g_assert_cmpint (n_emitted, <=, ROUNDS / 4);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  g_test_add_func ("/threads/streams", test_streams);
  g_test_add_func ("/threads/dropped-while-rolling-over", test_dropped_while_rolling_over);
  g_test_add_func ("/threads/splice-to-and-fro", test_splice_to_and_fro);
  tf_test_add_async ("/threads/async", test_async);

  return tf_test_run ();
}
