/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include "tf-test.h"

/* That text is read and written as by Python is the affair of bindings/test_text.py. */

static TfTextStream *
open_text (gint64      max_size,
           const char *encoding)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (max_size);
  TfTextStream *stream = tf_text_stream_new (TF_TEMP_FILE (file), encoding, TF_NEWLINE_UNIVERSAL,
                                             TF_TEXT_ERRORS_STRICT, &error);

  g_assert_no_error (error);
  return stream;
}

static void
assert_line (TfTextStream *stream,
             const char   *expected)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *line = tf_text_stream_read_line (stream, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (line, ==, expected);
}

static void
test_lines (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTextStream) stream = open_text (10, "UTF-16");
  goffset told;

  g_assert_true (tf_text_stream_write (stream, "Grüße\r", NULL, &error));
  told = tf_text_stream_tell (stream, &error);
  g_assert_true (tf_text_stream_write (stream, "two\n", NULL, &error));
  g_assert_no_error (error);
  g_assert_true (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (tf_text_stream_get_base_file (stream))));

  g_assert_true (tf_text_stream_seek (stream, 0, G_SEEK_SET, NULL, &error));
  assert_line (stream, "Grüße\n");
  assert_line (stream, "two\n");
  assert_line (stream, NULL);

  g_assert_true (tf_text_stream_seek (stream, told, G_SEEK_SET, NULL, &error));
  assert_line (stream, "two\n");
}

/* Behind 4 GiB. */
static void
test_far (void)
{
  const goffset far = (goffset) 1 << 32;
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTextStream) stream = open_text (0, "UTF-16");
  TfTempFile *file = tf_text_stream_get_file (stream);

  g_assert_true (tf_temp_file_write (file, "\xfe\xff", 2, NULL, &error));
  if (!g_seekable_truncate (G_SEEKABLE (file), far, NULL, NULL))
    {
      g_test_skip ("the file system has no files of 4 GiB");
      return;
    }

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), far, G_SEEK_SET, NULL, &error));
  g_assert_true (tf_temp_file_write (file, "\0A\0\n", 4, NULL, &error));
  g_assert_true (tf_text_stream_seek (stream, far, G_SEEK_SET, NULL, &error));
  assert_line (stream, "A\n");
  g_assert_cmpint (tf_text_stream_tell (stream, &error), ==, far + 4);
  g_assert_no_error (error);
}

static void
test_properties (void)
{
  g_autoptr(TfTextStream) stream = open_text (-1, NULL);
  g_autoptr(TfTempFile) file = NULL;
  g_autofree char *encoding = NULL;
  TfNewline newline;
  TfTextErrors errors;

  g_object_get (stream, "base-file", &file, "encoding", &encoding, "newline", &newline, "errors", &errors, NULL);
  g_assert_true (file == tf_text_stream_get_base_file (stream));
  g_assert_cmpstr (encoding, ==, "UTF-8");
  g_assert_cmpint (newline, ==, TF_NEWLINE_UNIVERSAL);
  g_assert_cmpint (errors, ==, TF_TEXT_ERRORS_STRICT);
}

static void
test_not_initialized (void)
{
  g_autoptr(TfTextStream) stream = g_object_new (TF_TYPE_TEXT_STREAM, NULL);
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_text_stream_write (stream, "x", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);
  g_assert_null (tf_text_stream_read (stream, 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);
  g_assert_null (tf_text_stream_read_line (stream, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);
  g_assert_null (tf_text_stream_read_all (stream, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);
  g_assert_cmpint (tf_text_stream_tell (stream, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);

  g_assert_false (g_initable_init (G_INITABLE (stream), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

static void
test_write_failures (void)
{
  g_autoptr(TfTextStream) stream = open_text (-1, "ISO-8859-1");
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_text_stream_write (stream, "a€", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_clear_error (&error);
  g_assert_false (tf_text_stream_write (stream, "a\xff", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_clear_error (&error);

  g_cancellable_cancel (cancellable);
  g_assert_false (tf_text_stream_write (stream, "a", cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (tf_temp_file_get_size (tf_text_stream_get_base_file (stream)), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/text-stream/lines", test_lines);
  g_test_add_func ("/text-stream/far", test_far);
  g_test_add_func ("/text-stream/properties", test_properties);
  g_test_add_func ("/text-stream/not-initialized", test_not_initialized);
  g_test_add_func ("/text-stream/write-failures", test_write_failures);

  return tf_test_run ();
}
