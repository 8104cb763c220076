/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "store/tf-input-stream.h"
#include "store/tf-output-stream.h"

#include <string.h>

#include "names/tf-open.h"
#include "tf-test.h"

typedef struct
{
  TfStore *store;
  GInputStream *input;
  GOutputStream *output;
} Fixture;

static void
set_up (Fixture       *fixture,
        gconstpointer  data)
{
  const TfTemplate here = { .dir = (char *) ".", .mode = 0600 };
  g_autoptr(GError) error = NULL;
  int fd = tf_open_unnamed (&here, NULL, &error);

  g_assert_no_error (error);
  fixture->store = tf_store_new ();
  tf_store_open_on_disk (fixture->store, TF_STORE_VISIBLE, fd, "/where", NULL, NULL);
  fixture->input = tf_input_stream_new (fixture->store);
  fixture->output = tf_output_stream_new (fixture->store);
}

static void
tear_down (Fixture       *fixture,
           gconstpointer  data)
{
  g_assert_finalize_object (fixture->input);
  g_assert_finalize_object (fixture->output);
  tf_store_unref (fixture->store);
}

static void
write_text (Fixture    *fixture,
            const char *text)
{
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (g_output_stream_write (fixture->output, text, strlen (text), NULL, &error), ==, strlen (text));
  g_assert_no_error (error);
}

static void
assert_position (Fixture *fixture,
                 goffset  position)
{
  g_assert_cmpint (tf_store_tell (fixture->store), ==, position);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (fixture->input)), ==, position);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (fixture->output)), ==, position);
}

static void
test_one_position (Fixture       *fixture,
                   gconstpointer  data)
{
  g_autoptr(GError) error = NULL;
  char bytes[8];

  assert_position (fixture, 0);
  write_text (fixture, "Hello world!");
  assert_position (fixture, 12);

  g_assert_true (g_seekable_seek (G_SEEKABLE (fixture->input), 6, G_SEEK_SET, NULL, &error));
  assert_position (fixture, 6);
  g_assert_cmpint (g_input_stream_read (fixture->input, bytes, 3, NULL, &error), ==, 3);
  g_assert_cmpmem (bytes, 3, "wor", 3);
  assert_position (fixture, 9);
  write_text (fixture, "ds");
  assert_position (fixture, 11);

  g_assert_true (g_seekable_seek (G_SEEKABLE (fixture->output), -2, G_SEEK_CUR, NULL, &error));
  assert_position (fixture, 9);
  g_assert_cmpint (g_input_stream_skip (fixture->input, 2, NULL, &error), ==, 2);
  assert_position (fixture, 11);
  g_assert_cmpint (g_input_stream_read (fixture->input, bytes, sizeof bytes, NULL, &error), ==, 1);
  g_assert_cmpint (g_input_stream_read (fixture->input, bytes, sizeof bytes, NULL, &error), ==, 0);
  g_assert_no_error (error);
}

static void
test_truncate (Fixture       *fixture,
               gconstpointer  data)
{
  g_autoptr(GError) error = NULL;

  write_text (fixture, "Hello world!");
  g_assert_true (g_seekable_can_seek (G_SEEKABLE (fixture->input)));
  g_assert_true (g_seekable_can_seek (G_SEEKABLE (fixture->output)));
  g_assert_false (g_seekable_can_truncate (G_SEEKABLE (fixture->input)));
  g_assert_true (g_seekable_can_truncate (G_SEEKABLE (fixture->output)));

  g_assert_true (g_seekable_truncate (G_SEEKABLE (fixture->output), 5, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (tf_store_get_size (fixture->store), ==, 5);
  assert_position (fixture, 12);

  g_assert_false (g_seekable_truncate (G_SEEKABLE (fixture->input), 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_assert_cmpint (tf_store_get_size (fixture->store), ==, 5);
}

/* As write(2): first how many bytes were taken, and with the next call why no more were. */
static void
test_partial_write (Fixture       *fixture,
                    gconstpointer  data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *text = g_strnfill (100, 'x');
  gssize first, second;

  tf_test_limit_file_size (60);
  first = g_output_stream_write (fixture->output, text, 100, NULL, NULL);
  second = g_output_stream_write (fixture->output, text, 40, NULL, &error);
  tf_test_unlimit_file_size ();

  g_assert_cmpint (first, ==, 60);
  g_assert_cmpint (second, ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  assert_position (fixture, 60);
}

static void
test_write_all_tells_how_much (Fixture       *fixture,
                               gconstpointer  data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *text = g_strnfill (100, 'x');
  gboolean success;
  gsize n_written;

  tf_test_limit_file_size (60);
  success = g_output_stream_write_all (fixture->output, text, 100, &n_written, NULL, &error);
  tf_test_unlimit_file_size ();

  g_assert_false (success);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpuint (n_written, ==, 60);
}

static void
test_closed_stream (Fixture       *fixture,
                    gconstpointer  data)
{
  GError *errors[5] = { NULL, };
  char byte;

  write_text (fixture, "Hello");
  g_assert_true (g_input_stream_close (fixture->input, NULL, NULL));
  write_text (fixture, " world!");
  g_assert_true (g_output_stream_close (fixture->output, NULL, NULL));

  g_assert_cmpint (g_input_stream_read (fixture->input, &byte, 1, NULL, &errors[0]), ==, -1);
  g_assert_cmpint (g_output_stream_write (fixture->output, "x", 1, NULL, &errors[1]), ==, -1);
  g_assert_false (g_seekable_seek (G_SEEKABLE (fixture->input), 0, G_SEEK_SET, NULL, &errors[2]));
  g_assert_false (g_seekable_seek (G_SEEKABLE (fixture->output), 0, G_SEEK_SET, NULL, &errors[3]));
  g_assert_false (g_seekable_truncate (G_SEEKABLE (fixture->output), 0, NULL, &errors[4]));
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_assert_error (errors[i], G_IO_ERROR, G_IO_ERROR_CLOSED);
      g_clear_error (&errors[i]);
    }

  /* The file is not closed by that. */
  g_assert_cmpint (tf_store_get_size (fixture->store), ==, 12);
  g_assert_cmpint (tf_store_tell (fixture->store), ==, 12);
}

static void
test_closed_store (Fixture       *fixture,
                   gconstpointer  data)
{
  GError *errors[3] = { NULL, };
  char byte;

  write_text (fixture, "Hello");
  g_assert_true (tf_store_close (fixture->store, NULL));
  g_assert_cmpint (g_input_stream_read (fixture->input, &byte, 1, NULL, &errors[0]), ==, -1);
  g_assert_cmpint (g_output_stream_write (fixture->output, "x", 1, NULL, &errors[1]), ==, -1);
  g_assert_false (g_seekable_seek (G_SEEKABLE (fixture->input), 0, G_SEEK_SET, NULL, &errors[2]));
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_assert_error (errors[i], G_IO_ERROR, G_IO_ERROR_CLOSED);
      g_clear_error (&errors[i]);
    }
  assert_position (fixture, 0);
}

static void
test_cancelled (Fixture       *fixture,
                gconstpointer  data)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  GError *errors[4] = { NULL, };
  char byte;

  write_text (fixture, "Hello");
  g_cancellable_cancel (cancellable);
  g_assert_cmpint (g_input_stream_read (fixture->input, &byte, 1, cancellable, &errors[0]), ==, -1);
  g_assert_cmpint (g_output_stream_write (fixture->output, "x", 1, cancellable, &errors[1]), ==, -1);
  g_assert_false (g_seekable_seek (G_SEEKABLE (fixture->input), 0, G_SEEK_SET, cancellable, &errors[2]));
  g_assert_false (g_seekable_truncate (G_SEEKABLE (fixture->output), 0, cancellable, &errors[3]));
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_assert_error (errors[i], G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&errors[i]);
    }
  assert_position (fixture, 5);
  g_assert_cmpint (tf_store_get_size (fixture->store), ==, 5);
}

static void
add (const char *path,
     void      (*func) (Fixture       *fixture,
                        gconstpointer  data))
{
  g_test_add (path, Fixture, NULL, set_up, func, tear_down);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  add ("/streams/one-position", test_one_position);
  add ("/streams/truncate", test_truncate);
  add ("/streams/partial-write", test_partial_write);
  add ("/streams/write-all-tells-how-much", test_write_all_tells_how_much);
  add ("/streams/closed-stream", test_closed_stream);
  add ("/streams/closed-store", test_closed_store);
  add ("/streams/cancelled", test_cancelled);

  return tf_test_run ();
}
