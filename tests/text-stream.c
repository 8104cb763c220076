/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <string.h>
#include <sys/stat.h>

#include "tf-test-async.h"
#include "tf-test.h"

/* That text is read and written as by Python is the affair of bindings/test_text.py. */

#define ON_DISK G_MININT64

/* Over a spooled file, or over a file on disk. */
static TfTextStream *
open_text_full (gint64        max_size,
                const char   *encoding,
                TfNewline     newline,
                TfTextErrors  errors)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = max_size == ON_DISK ? tf_temp_file_new (NULL, NULL, &error)
                                                   : TF_TEMP_FILE (tf_spooled_file_new (max_size));
  TfTextStream *stream;

  g_assert_no_error (error);
  stream = tf_text_stream_new (file, encoding, newline, errors, &error);
  g_assert_no_error (error);
  return stream;
}

static TfTextStream *
open_text (gint64      max_size,
           const char *encoding)
{
  return open_text_full (max_size, encoding, TF_NEWLINE_UNIVERSAL, TF_TEXT_ERRORS_STRICT);
}

static TfTempFile *
file_of (TfTextStream *stream)
{
  return tf_text_stream_get_base_file (stream);
}

static void
close_file_of (TfTextStream *stream)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (g_io_stream_close (G_IO_STREAM (file_of (stream)), NULL, &error));
  g_assert_no_error (error);
}

typedef enum
{
  OP_READ,
  OP_READ_LINE,
  OP_READ_ALL,
  OP_WRITE,
  OP_SEEK,
  OP_TELL,
  OP_TRUNCATE,
  OP_FLUSH,
  N_OPS,
} OpKind;

/* One call, and what it is given. */
typedef struct
{
  OpKind kind;
  const char *text;
  gsize n_chars;
  goffset offset;
  GSeekType type;
} Op;

static Op
seek_to (goffset offset)
{
  return (Op) { OP_SEEK, .offset = offset, .type = G_SEEK_SET };
}

static char *
describe (char   *text,
          GError *error)
{
  g_autofree char *owned = text;

  if (error != NULL)
    return g_strdup_printf ("%s: %s", g_quark_to_string (error->domain), error->message);

  return g_strdup_printf ("“%s”", owned);
}

/* Makes the call; returns what came of it. */
static char *
call (TfTextStream  *stream,
      const Op      *op,
      GCancellable  *cancellable,
      GError       **error)
{
  switch (op->kind)
    {
    case OP_READ:
      return tf_text_stream_read (stream, op->n_chars, cancellable, error);
    case OP_READ_LINE:
      return tf_text_stream_read_line (stream, cancellable, error);
    case OP_READ_ALL:
      return tf_text_stream_read_all (stream, cancellable, error);
    case OP_WRITE:
      return g_strdup_printf ("%d", tf_text_stream_write (stream, op->text, -1, cancellable, error));
    case OP_SEEK:
      return g_strdup_printf ("%d", tf_text_stream_seek (stream, op->offset, op->type, cancellable, error));
    case OP_TELL:
      return g_strdup_printf ("%" G_GOFFSET_FORMAT, tf_text_stream_tell (stream, cancellable, error));
    case OP_TRUNCATE:
      return g_strdup_printf ("%d", tf_text_stream_truncate (stream, op->offset, cancellable, error));
    case OP_FLUSH:
    case N_OPS:
    default:
      return g_strdup_printf ("%d", tf_text_stream_flush (stream, cancellable, error));
    }
}

static void
call_async (TfTextStream        *stream,
            const Op            *op,
            GCancellable        *cancellable,
            GAsyncReadyCallback  callback,
            gpointer             data)
{
  switch (op->kind)
    {
    case OP_READ:
      tf_text_stream_read_async (stream, op->n_chars, G_PRIORITY_DEFAULT, cancellable, callback, data);
      break;
    case OP_READ_LINE:
      tf_text_stream_read_line_async (stream, G_PRIORITY_DEFAULT, cancellable, callback, data);
      break;
    case OP_READ_ALL:
      tf_text_stream_read_all_async (stream, G_PRIORITY_DEFAULT, cancellable, callback, data);
      break;
    case OP_WRITE:
      tf_text_stream_write_async (stream, op->text, -1, G_PRIORITY_DEFAULT, cancellable, callback, data);
      break;
    case OP_SEEK:
      tf_text_stream_seek_async (stream, op->offset, op->type, G_PRIORITY_DEFAULT, cancellable, callback, data);
      break;
    case OP_TELL:
      tf_text_stream_tell_async (stream, G_PRIORITY_DEFAULT, cancellable, callback, data);
      break;
    case OP_TRUNCATE:
      tf_text_stream_truncate_async (stream, op->offset, G_PRIORITY_DEFAULT, cancellable, callback, data);
      break;
    case OP_FLUSH:
    case N_OPS:
    default:
      tf_text_stream_flush_async (stream, G_PRIORITY_DEFAULT, cancellable, callback, data);
      break;
    }
}

static char *
call_finish (TfTextStream  *stream,
             const Op      *op,
             GAsyncResult  *result,
             GError       **error)
{
  switch (op->kind)
    {
    case OP_READ:
      return tf_text_stream_read_finish (stream, result, error);
    case OP_READ_LINE:
      return tf_text_stream_read_line_finish (stream, result, error);
    case OP_READ_ALL:
      return tf_text_stream_read_all_finish (stream, result, error);
    case OP_WRITE:
      return g_strdup_printf ("%d", tf_text_stream_write_finish (stream, result, error));
    case OP_SEEK:
      return g_strdup_printf ("%d", tf_text_stream_seek_finish (stream, result, error));
    case OP_TELL:
      return g_strdup_printf ("%" G_GOFFSET_FORMAT, tf_text_stream_tell_finish (stream, result, error));
    case OP_TRUNCATE:
      return g_strdup_printf ("%d", tf_text_stream_truncate_finish (stream, result, error));
    case OP_FLUSH:
    case N_OPS:
    default:
      return g_strdup_printf ("%d", tf_text_stream_flush_finish (stream, result, error));
    }
}

static char *
call_and_wait (TfTextStream  *stream,
               const Op      *op,
               GCancellable  *cancellable,
               GError       **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  call_async (stream, op, cancellable, tf_test_take_result, &result);
  return call_finish (stream, op, tf_test_wait (&result), error);
}

static const Op one_of_each[] = {
  { .kind = OP_READ, .n_chars = 1 },
  { .kind = OP_READ_LINE },
  { .kind = OP_READ_ALL },
  { .kind = OP_WRITE, .text = "x" },
  { .kind = OP_SEEK, .type = G_SEEK_SET },
  { .kind = OP_TELL },
  { .kind = OP_TRUNCATE },
  { .kind = OP_FLUSH },
};

/* What a call returns that fails */
static const char *
get_failure (const Op *op)
{
  return op->kind <= OP_READ_ALL ? NULL : op->kind == OP_TELL ? "-1" : "0";
}

static void
assert_fails (TfTextStream *stream,
              const Op     *op,
              int           code)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *result = call (stream, op, NULL, &error);

  g_assert_error (error, G_IO_ERROR, code);
  g_assert_cmpstr (result, ==, get_failure (op));
}

static void
assert_all_fail (TfTextStream *stream,
                 GCancellable *cancellable,
                 int           code)
{
  for (gsize i = 0; i < G_N_ELEMENTS (one_of_each); i++)
    {
      const Op *op = &one_of_each[i];
      g_autoptr(GError) error = NULL;
      g_autoptr(GError) async_error = NULL;
      g_autofree char *result = call (stream, op, cancellable, &error);
      g_autofree char *async_result = call_and_wait (stream, op, cancellable, &async_error);

      g_assert_error (error, G_IO_ERROR, code);
      g_assert_error (async_error, G_IO_ERROR, code);
      g_assert_cmpstr (result, ==, get_failure (op));
      g_assert_cmpstr (async_result, ==, get_failure (op));
    }
}

static void
assert_call (TfTextStream *stream,
             Op            op,
             const char   *expected)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *result = call (stream, &op, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (result, ==, expected);
}

static void
assert_async (TfTextStream *stream,
              Op            op,
              const char   *expected)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *result = call_and_wait (stream, &op, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (result, ==, expected);
}

static void
test_lines (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTextStream) stream = open_text (10, "UTF-16");
  goffset told;

  assert_call (stream, (Op) { OP_WRITE, .text = "Grüße\r" }, "1");
  told = tf_text_stream_tell (stream, NULL, &error);
  g_assert_no_error (error);
  assert_call (stream, (Op) { OP_WRITE, .text = "two\n" }, "1");
  g_assert_true (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file_of (stream))));

  assert_call (stream, seek_to (0), "1");
  assert_call (stream, (Op) { OP_READ_LINE }, "Grüße\n");
  assert_call (stream, (Op) { OP_READ_LINE }, "two\n");
  assert_call (stream, (Op) { OP_READ_LINE }, NULL);

  assert_call (stream, seek_to (told), "1");
  assert_call (stream, (Op) { OP_READ_LINE }, "two\n");
}

/* Returns what the encoding has of some letters. */
static char *
get_sample (const char *encoding)
{
  const char *letters = "a\u01021\u0436\u03a9\u05d0\nß日本éd\u6a2f\u5edb\u75e0\u8a9e\ud55c\n\uad6dz日";
  g_autoptr(TfTextStream) stream = open_text (-1, encoding);
  GString *sample = g_string_new (NULL);

  for (const char *c = letters; *c != '\0'; c = g_utf8_next_char (c))
    {
      g_autofree char *letter = g_strndup (c, g_utf8_next_char (c) - c);

      if (tf_text_stream_write (stream, letter, -1, NULL, NULL))
        g_string_append (sample, letter);
    }

  return g_string_free (sample, FALSE);
}

static void
assert_read_by_pieces (const char *encoding)
{
  g_autofree char *sample = get_sample (encoding);
  g_autofree char *expected = g_strconcat (sample, sample, NULL);
  g_autoptr(TfTextStream) stream = open_text (-1, encoding);
  g_autoptr(GString) pieces = g_string_new (NULL);
  g_autoptr(GError) error = NULL;

  g_test_message ("%s", encoding);
  assert_call (stream, (Op) { OP_WRITE, .text = sample }, "1");
  assert_call (stream, (Op) { OP_WRITE, .text = sample }, "1");
  assert_call (stream, seek_to (0), "1");
  assert_call (stream, (Op) { OP_READ_ALL }, expected);
  assert_call (stream, seek_to (0), "1");

  while (pieces->len < strlen (expected))
    {
      g_autofree char *piece = tf_text_stream_read (stream, 1, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (piece, !=, "");
      g_string_append (pieces, piece);
      assert_call (stream, seek_to (tf_text_stream_tell (stream, NULL, NULL)), "1");
    }
  g_assert_cmpstr (pieces->str, ==, expected);
}

/* Every encoding that iconv lists, or those below if there is no list. */
static void
test_every_encoding (void)
{
  const char *some = "UTF-8 UTF-16 UTF-32 UTF-7 UCS-2 UCS-4 ISO-8859-1 KOI8-R CP1255 CP1258 EUC-JP EUC-KR GB18030 "
                     "BIG5-HKSCS SHIFT_JIS ISO-2022-JP ISO-2022-KR ISO-2022-CN HZ IBM930 IBM1364 IBM1371 IBM1388 IBM1390 "
                     "IBM1399";
  g_autofree char *list = NULL;
  g_auto(GStrv) names = NULL;

  if (!g_spawn_command_line_sync ("iconv -l", &list, NULL, NULL, NULL) || *list == '\0')
    list = g_strdup (some);

  names = g_strsplit_set (list, " \n,", -1);
  for (gsize i = 0; names[i] != NULL; i++)
    {
      g_autofree char *name = g_str_has_suffix (names[i], "//") ? g_strndup (names[i], strlen (names[i]) - 2)
                                                                : g_strdup (names[i]);
      GIConv converter = *name != '\0' ? g_iconv_open ("UTF-8", name) : (GIConv) -1;

      if (converter == (GIConv) -1)
        continue;

      g_iconv_close (converter);
      assert_read_by_pieces (name);
    }
}

static void
assert_bytes (TfTextStream *stream,
              const char   *expected,
              gsize         size)
{
  g_autoptr(GBytes) bytes = NULL;

  g_assert_true (g_seekable_seek (G_SEEKABLE (file_of (stream)), 0, G_SEEK_SET, NULL, NULL));
  bytes = tf_temp_file_read_bytes (file_of (stream), G_MAXSIZE, NULL, NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), expected, size);
}

static TfTextStream *
open_bytes (gint64      max_size,
            const char *encoding,
            const char *bytes,
            gsize       size)
{
  TfTextStream *stream = open_text (max_size, encoding);

  g_assert_true (tf_temp_file_write (file_of (stream), bytes, size, NULL, NULL));
  assert_call (stream, seek_to (0), "1");
  return stream;
}

/* The mark of the file decides in which byte order text is written, wherever that is. */
static void
test_byte_order (void)
{
  const gint64 max_sizes[] = { -1, 2, ON_DISK };
  const Op write = { OP_WRITE, .text = "B" };
  const Op seek_to_end = { OP_SEEK, .type = G_SEEK_END };

  for (gsize i = 0; i < 2 * G_N_ELEMENTS (max_sizes); i++)
    {
      void (*check) (TfTextStream *, Op, const char *) = i % 2 == 0 ? assert_call : assert_async;
      gint64 max_size = max_sizes[i / 2];
      g_autoptr(TfTextStream) after_reading = open_bytes (max_size, "UTF-16", "\xfe\xff\0A", 4);
      g_autoptr(TfTextStream) after_seeking = open_bytes (max_size, "UTF-16", "\xfe\xff\0A", 4);
      g_autoptr(TfTextStream) little = open_bytes (max_size, "UTF-32", "\xff\xfe\0\0", 4);
      g_autoptr(TfTextStream) over_mark = open_bytes (max_size, "UTF-32", "\0\0\xfe\xff\0\0\0A\0\0\0C", 12);
      g_autoptr(TfTextStream) without = open_bytes (max_size, "UTF-16", "abc", 3);
      g_autoptr(TfTextStream) emptied = open_bytes (max_size, "UTF-16", "\xfe\xff\0A", 4);

      check (after_reading, (Op) { OP_READ_ALL }, "A");
      check (after_reading, write, "1");
      check (after_reading, write, "1");
      assert_bytes (after_reading, "\xfe\xff\0A\0B\0B", 8);

      check (after_seeking, seek_to_end, "1");
      check (after_seeking, write, "1");
      check (after_seeking, (Op) { OP_TELL }, "6");
      check (after_seeking, (Op) { OP_READ_ALL }, "");
      assert_bytes (after_seeking, "\xfe\xff\0A\0B", 6);

      check (little, seek_to_end, "1");
      check (little, write, "1");
      assert_bytes (little, "\xff\xfe\0\0B\0\0\0", 8);

      check (over_mark, write, "1");
      check (over_mark, (Op) { OP_READ_ALL }, "C");
      assert_bytes (over_mark, "\0\0\xfe\xff\0\0\0B\0\0\0C", 12);

      check (without, seek_to (2), "1");
      check (without, write, "1");
      assert_bytes (without, G_BYTE_ORDER == G_LITTLE_ENDIAN ? "abB\0" : "ab\0B", 4);

      check (emptied, (Op) { OP_READ_ALL }, "A");
      check (emptied, (Op) { OP_TRUNCATE, .offset = 0 }, "1");
      check (emptied, seek_to (0), "1");
      check (emptied, write, "1");
      assert_bytes (emptied, G_BYTE_ORDER == G_LITTLE_ENDIAN ? "\xff\xfe" "B\0" : "\xfe\xff\0B", 4);
    }
}

/* Behind 4 GiB. */
static void
test_far (void)
{
  const goffset far = (goffset) 1 << 32;
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTextStream) stream = open_text (0, "UTF-16");
  TfTempFile *file = file_of (stream);

  g_assert_true (tf_temp_file_write (file, "\xfe\xff", 2, NULL, &error));
  if (!g_seekable_truncate (G_SEEKABLE (file), far, NULL, NULL))
    {
      g_test_skip ("the file system has no files of 4 GiB");
      return;
    }

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), far, G_SEEK_SET, NULL, &error));
  g_assert_true (tf_temp_file_write (file, "\0A\0\n", 4, NULL, &error));
  assert_call (stream, seek_to (far), "1");
  assert_call (stream, (Op) { OP_READ_LINE }, "A\n");
  g_assert_cmpint (tf_text_stream_tell (stream, NULL, &error), ==, far + 4);
  g_assert_no_error (error);
}

/* A NUL is a character like any other for who says how long the text is. */
static void
test_write_length (void)
{
  const gint64 max_sizes[] = { -1, ON_DISK };

  for (gsize i = 0; i < G_N_ELEMENTS (max_sizes); i++)
    {
      g_autoptr(TfTextStream) stream = open_text_full (max_sizes[i], "UTF-16LE", TF_NEWLINE_CRLF,
                                                       TF_TEXT_ERRORS_STRICT);
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GAsyncResult) none = NULL;
      g_autoptr(GError) error = NULL;
      g_autofree char *text = NULL;

      g_assert_true (tf_text_stream_write (stream, "a\0\nbc", 4, NULL, &error));
      g_assert_true (tf_text_stream_write (stream, NULL, 0, NULL, &error));
      tf_text_stream_write_async (stream, "\0dx", 2, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
      g_assert_true (tf_text_stream_write_finish (stream, tf_test_wait (&result), &error));
      tf_text_stream_write_async (stream, NULL, 0, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &none);
      g_assert_true (tf_text_stream_write_finish (stream, tf_test_wait (&none), &error));
      g_assert_no_error (error);
      g_assert_false (tf_text_stream_write (stream, "ä", 1, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
      g_clear_error (&error);
      assert_bytes (stream, "a\0\0\0\r\0\n\0b\0\0\0d\0", 14);

      assert_call (stream, seek_to (0), "1");
      text = tf_text_stream_read_all (stream, NULL, &error);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
      g_assert_null (text);
    }
}

static void
test_properties (void)
{
  TfTextStream *stream = open_text (-1, NULL);
  g_autoptr(TfTextStream) other = open_text_full (-1, "UTF-16", TF_NEWLINE_CRLF, TF_TEXT_ERRORS_REPLACE);
  g_autoptr(TfTempFile) file = NULL;
  g_autofree char *encoding = NULL;
  TfNewline newline;
  TfTextErrors errors;

  g_object_get (stream, "base-file", &file, "encoding", &encoding, "newline", &newline, "errors", &errors, NULL);
  g_assert_true (file == file_of (stream));
  g_assert_cmpstr (encoding, ==, "UTF-8");
  g_assert_cmpint (newline, ==, TF_NEWLINE_UNIVERSAL);
  g_assert_cmpint (errors, ==, TF_TEXT_ERRORS_STRICT);
  g_assert_cmpstr (tf_text_stream_get_encoding (stream), ==, "UTF-8");
  g_assert_cmpstr (tf_text_stream_get_encoding (other), ==, "UTF-16");
  g_assert_cmpint (tf_text_stream_get_newline (other), ==, TF_NEWLINE_CRLF);
  g_assert_cmpint (tf_text_stream_get_errors (other), ==, TF_TEXT_ERRORS_REPLACE);
  g_object_get (other, "newline", &newline, "errors", &errors, NULL);
  g_assert_cmpint (newline, ==, TF_NEWLINE_CRLF);
  g_assert_cmpint (errors, ==, TF_TEXT_ERRORS_REPLACE);
  g_assert_finalize_object (stream);
}

static void
test_derivable (void)
{
  static const GTypeInfo info = { .class_size = sizeof (TfTextStreamClass), .instance_size = sizeof (TfTextStream) };
  GType type = g_type_register_static (TF_TYPE_TEXT_STREAM, "TestTextStream", &info, 0);
  g_autoptr(GError) error = NULL;
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  g_autoptr(TfTextStream) stream = g_initable_new (type, NULL, &error, "base-file", file, NULL);

  g_assert_no_error (error);
  g_assert_true (g_initable_init (G_INITABLE (stream), NULL, &error));
  assert_call (stream, (Op) { OP_WRITE, .text = "x" }, "1");
}

static void
test_not_initialized (void)
{
  g_autoptr(TfTextStream) stream = g_object_new (TF_TYPE_TEXT_STREAM, NULL);
  g_autoptr(TfTempFile) file = g_object_new (TF_TYPE_TEMP_FILE, NULL);
  g_autoptr(GError) error = NULL;

  assert_all_fail (stream, NULL, G_IO_ERROR_NOT_INITIALIZED);
  g_assert_null (tf_text_stream_get_base_file (stream));
  g_assert_cmpstr (tf_text_stream_get_encoding (stream), ==, "UTF-8");
  g_assert_false (g_initable_init (G_INITABLE (stream), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);

  g_assert_null (tf_text_stream_new (file, NULL, TF_NEWLINE_LF, TF_TEXT_ERRORS_STRICT, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);

  g_assert_true (g_initable_init (G_INITABLE (file), NULL, &error));
  g_assert_null (tf_text_stream_new (file, "no-such-encoding", TF_NEWLINE_LF, TF_TEXT_ERRORS_STRICT, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
}

static void
test_closed (void)
{
  const gint64 max_sizes[] = { -1, 2, ON_DISK };

  for (gsize i = 0; i < G_N_ELEMENTS (max_sizes); i++)
    {
      g_autoptr(TfTextStream) stream = open_text (max_sizes[i], NULL);
      g_autoptr(GError) error = NULL;

      assert_async (stream, (Op) { OP_WRITE, .text = "one\ntwo\n" }, "1");
      assert_async (stream, seek_to (0), "1");
      assert_async (stream, (Op) { OP_READ_LINE }, "one\n");
      close_file_of (stream);
      assert_all_fail (stream, NULL, G_IO_ERROR_CLOSED);
      g_assert_null (tf_text_stream_new (file_of (stream), NULL, TF_NEWLINE_LF, TF_TEXT_ERRORS_STRICT, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
    }
}

static void
test_write_failures (void)
{
  g_autoptr(TfTextStream) stream = open_text (-1, "ISO-8859-1");
  g_autoptr(GError) error = NULL;
  const Op unencodable = { OP_WRITE, .text = "a€" };
  const Op invalid = { OP_WRITE, .text = "a\xff" };

  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *first = NULL;
      g_autofree char *second = NULL;

      first = (i == 0 ? call : call_and_wait) (stream, &unencodable, NULL, &error);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
      g_clear_error (&error);
      second = (i == 0 ? call : call_and_wait) (stream, &invalid, NULL, &error);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
      g_clear_error (&error);
    }

  g_assert_cmpint (tf_temp_file_get_size (file_of (stream)), ==, 0);
}

static void
test_invalid_data (void)
{
  const gint64 max_sizes[] = { -1, ON_DISK };
  const Op read_line = { OP_READ_LINE };
  const Op read_all = { OP_READ_ALL };

  for (gsize i = 0; i < G_N_ELEMENTS (max_sizes); i++)
    {
      g_autoptr(TfTextStream) stream = open_text (max_sizes[i], NULL);
      g_autoptr(GError) error = NULL;

      g_assert_true (tf_temp_file_write (file_of (stream), "good\nb\xff" "d\n", 9, NULL, NULL));
      assert_async (stream, seek_to (0), "1");
      g_assert_null (call_and_wait (stream, &read_all, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
      g_clear_error (&error);
      assert_async (stream, (Op) { OP_TELL }, "0");
      assert_async (stream, (Op) { OP_READ_LINE }, "good\n");
      g_assert_null (call_and_wait (stream, &read_line, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
      g_clear_error (&error);
      assert_async (stream, (Op) { OP_TELL }, "5");

      assert_async (stream, (Op) { OP_TRUNCATE, .offset = -1 }, "1");
      g_assert_cmpint (tf_temp_file_get_size (file_of (stream)), ==, 5);
    }
}

static void
test_invalid_arguments (void)
{
  g_autoptr(TfTextStream) stream = open_text (-1, NULL);
  const Op ops[] = {
    { OP_SEEK, .offset = -1, .type = G_SEEK_SET },
    { OP_SEEK, .offset = 1, .type = G_SEEK_CUR },
    { OP_SEEK, .offset = 1, .type = G_SEEK_END },
    { OP_TRUNCATE, .offset = -2 },
    { OP_TRUNCATE, .offset = G_MININT64 },
  };

  assert_call (stream, (Op) { OP_WRITE, .text = "two words" }, "1");
  assert_call (stream, seek_to (0), "1");
  assert_call (stream, (Op) { OP_READ, .n_chars = 3 }, "two");
  for (gsize i = 0; i < G_N_ELEMENTS (ops); i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(GError) async_error = NULL;
      g_autofree char *result = call (stream, &ops[i], NULL, &error);
      g_autofree char *async_result = call_and_wait (stream, &ops[i], NULL, &async_error);

      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
      g_assert_error (async_error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
      g_assert_cmpstr (result, ==, get_failure (&ops[i]));
      g_assert_cmpstr (async_result, ==, get_failure (&ops[i]));
      assert_call (stream, (Op) { OP_TELL }, "3");
    }
  assert_call (stream, (Op) { OP_READ_ALL }, " words");
}

/* What another process sees of a file without a name: its size in the kernel. */
static goffset
get_kernel_size (void)
{
  g_autoptr(GDir) fds = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;
  goffset size = -1;

  while ((name = g_dir_read_name (fds)) != NULL)
    {
      g_autofree char *link = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *target = g_file_read_link (link, NULL);
      struct stat info;

      if (target != NULL && g_str_has_prefix (target, tf_test_get_sandbox ()) && stat (link, &info) == 0)
        size = info.st_size;
    }

  return size;
}

static void
test_flush (void)
{
  g_autoptr(TfTextStream) stream = open_text (ON_DISK, NULL);

  assert_call (stream, (Op) { OP_WRITE, .text = "held back" }, "1");
  g_assert_cmpint (get_kernel_size (), ==, 0);
  assert_call (stream, (Op) { OP_FLUSH }, "1");
  g_assert_cmpint (get_kernel_size (), ==, 9);

  assert_async (stream, (Op) { OP_WRITE, .text = " again" }, "1");
  assert_async (stream, seek_to (0), "1");
  assert_async (stream, (Op) { OP_READ, .n_chars = 4 }, "held");
  assert_async (stream, (Op) { OP_FLUSH }, "1");
  g_assert_cmpint (get_kernel_size (), ==, 15);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file_of (stream))), ==, 4);
}

/* The file below may be anywhere while text is read ahead. */
static void
test_base_file_moves (void)
{
  g_autoptr(TfTextStream) stream = open_text (-1, "UTF-16");
  g_autofree char *filler = g_strnfill (20000, 'x');

  assert_call (stream, (Op) { OP_WRITE, .text = "first\n" }, "1");
  assert_call (stream, (Op) { OP_WRITE, .text = filler }, "1");
  assert_call (stream, seek_to (0), "1");
  assert_call (stream, (Op) { OP_READ_LINE }, "first\n");
  g_assert_true (g_seekable_seek (G_SEEKABLE (file_of (stream)), 1, G_SEEK_SET, NULL, NULL));
  assert_call (stream, (Op) { OP_READ_ALL }, filler);
  assert_call (stream, (Op) { OP_TELL }, "40014");
}

/* What is in memory, or was read ahead, needs no thread. */
static void
test_without_thread (void)
{
  g_autoptr(TfTextStream) stream = open_text (-1, "ISO-2022-JP");
  guint n_threads = tf_test_count_threads ();

  assert_async (stream, (Op) { OP_WRITE, .text = "日本\ntwo\n" }, "1");
  assert_async (stream, (Op) { OP_TELL }, "15");
  assert_async (stream, seek_to (0), "1");
  assert_async (stream, (Op) { OP_READ, .n_chars = 1 }, "日");
  assert_async (stream, (Op) { OP_TELL }, "5");
  assert_async (stream, (Op) { OP_READ_LINE }, "本\n");
  assert_async (stream, (Op) { OP_READ_ALL }, "two\n");
  assert_async (stream, (Op) { OP_TRUNCATE, .offset = 11 }, "1");
  assert_async (stream, (Op) { OP_FLUSH }, "1");
  g_assert_cmpint (tf_test_count_threads (), ==, n_threads);
}

static void
test_every_call (void)
{
  const gint64 max_sizes[] = { -1, 8, ON_DISK };

  for (gsize i = 0; i < G_N_ELEMENTS (max_sizes); i++)
    {
      g_autoptr(TfTextStream) stream = open_text (max_sizes[i], NULL);

      assert_async (stream, (Op) { OP_WRITE, .text = "Grüße\r\ntwo\nthree" }, "1");
      assert_async (stream, (Op) { OP_TELL }, "18");
      assert_async (stream, seek_to (0), "1");
      assert_async (stream, (Op) { OP_READ, .n_chars = 3 }, "Grü");
      assert_async (stream, (Op) { OP_TELL }, "4");
      assert_async (stream, (Op) { OP_READ_LINE }, "ße\n");
      assert_async (stream, (Op) { OP_SEEK, .type = G_SEEK_CUR }, "1");
      assert_async (stream, (Op) { OP_WRITE, .text = "TWO" }, "1");
      assert_async (stream, (Op) { OP_READ_ALL }, "\nthree");
      assert_async (stream, (Op) { OP_READ, .n_chars = 1 }, "");
      assert_async (stream, (Op) { OP_READ_LINE }, NULL);
      assert_async (stream, (Op) { OP_TRUNCATE, .offset = 13 }, "1");
      assert_async (stream, seek_to (9), "1");
      assert_async (stream, (Op) { OP_READ_ALL }, "TWO\n");
      assert_async (stream, (Op) { OP_SEEK, .type = G_SEEK_END }, "1");
      assert_async (stream, (Op) { OP_FLUSH }, "1");
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file_of (stream))), ==, 13);
      g_assert_cmpint (tf_temp_file_get_size (file_of (stream)), ==, 13);
    }
}

/* While one call is under way, another one is refused, and so are those of the base file and of its other streams. */
static void
test_pending (void)
{
  const gint64 max_sizes[] = { -1, 8, ON_DISK };

  for (gsize i = 0; i < G_N_ELEMENTS (max_sizes); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (one_of_each); j++)
      {
        g_autoptr(TfTextStream) stream = open_text (max_sizes[i], NULL);
        g_autoptr(TfTextStream) other = NULL;
        g_autoptr(GAsyncResult) result = NULL;
        g_autoptr(GAsyncResult) second = NULL;
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;
        g_autofree char *refused = NULL;

        assert_call (stream, (Op) { OP_WRITE, .text = "one\ntwo\n" }, "1");
        other = tf_text_stream_new (file_of (stream), NULL, TF_NEWLINE_LF, TF_TEXT_ERRORS_STRICT, &error);
        g_assert_no_error (error);

        call_async (stream, &one_of_each[j], NULL, tf_test_take_result, &result);
        for (gsize k = 0; k < G_N_ELEMENTS (one_of_each); k++)
          {
            assert_fails (stream, &one_of_each[k], G_IO_ERROR_PENDING);
            assert_fails (other, &one_of_each[k], G_IO_ERROR_PENDING);
          }
        g_assert_false (g_io_stream_close (G_IO_STREAM (file_of (stream)), NULL, &error));
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
        g_clear_error (&error);

        call_async (stream, &one_of_each[(j + 1) % N_OPS], NULL, tf_test_take_result, &second);
        refused = call_finish (stream, &one_of_each[(j + 1) % N_OPS], tf_test_wait (&second), &error);
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
        g_clear_error (&error);

        text = call_finish (stream, &one_of_each[j], tf_test_wait (&result), &error);
        g_assert_no_error (error);
        assert_call (other, seek_to (0), "1");
        close_file_of (stream);
      }
}

static void
test_pending_base_file (void)
{
  g_autoptr(TfTextStream) stream = open_text (-1, NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;

  tf_temp_file_read_bytes_async (file_of (stream), 1, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  for (gsize i = 0; i < G_N_ELEMENTS (one_of_each); i++)
    assert_fails (stream, &one_of_each[i], G_IO_ERROR_PENDING);
  bytes = tf_temp_file_read_bytes_finish (file_of (stream), tf_test_wait (&result), &error);
  g_assert_no_error (error);
}

/* It was the last who had the text stream, and the file. */
static void
test_dropped (void)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  TfTextStream *stream = open_text (ON_DISK, NULL);
  gpointer source;

  tf_text_stream_write_async (stream, "x", -1, G_PRIORITY_DEFAULT, NULL, NULL, NULL);
  g_object_add_weak_pointer (G_OBJECT (stream), (gpointer *) &stream);
  g_object_unref (stream);
  while (stream != NULL)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);

  stream = open_text (ON_DISK, NULL);
  tf_text_stream_write_async (stream, "x", -1, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  g_object_run_dispose (G_OBJECT (stream));
  source = stream;
  g_object_unref (stream);
  g_assert_true (tf_text_stream_write_finish (source, tf_test_wait (&result), &error));
  g_assert_no_error (error);
}

static void
on_rolled_over (TfSpooledFile *file,
                gpointer       data)
{
  TfTextStream *stream = data;
  g_autoptr(GError) error = NULL;
  gboolean is_pending = g_io_stream_has_pending (G_IO_STREAM (file));
  goffset told = tf_text_stream_tell (stream, NULL, &error);

  if (is_pending)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  else
    g_assert_cmpint (told, ==, 12);
}

/* Whoever is told of the rolling over finds the text stream in order. */
static void
test_rolled_over (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr(TfTextStream) stream = open_text (4, NULL);

      g_signal_connect (file_of (stream), "rolled-over", G_CALLBACK (on_rolled_over), stream);
      assert_call (stream, (Op) { OP_WRITE, .text = "1\n2\n" }, "1");
      assert_call (stream, seek_to (0), "1");
      assert_call (stream, (Op) { OP_READ_LINE }, "1\n");
      (i == 0 ? assert_call : assert_async) (stream, (Op) { OP_WRITE, .text = "0123456789" }, "1");
      g_assert_true (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file_of (stream))));
    }
}

static void
test_cancelled_before (void)
{
  const gint64 max_sizes[] = { -1, 8, ON_DISK };
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();

  g_cancellable_cancel (cancellable);
  for (gsize i = 0; i < G_N_ELEMENTS (max_sizes); i++)
    {
      g_autoptr(TfTextStream) stream = open_text (max_sizes[i], "UTF-16");

      assert_all_fail (stream, cancellable, G_IO_ERROR_CANCELLED);
      g_assert_cmpint (tf_temp_file_get_size (file_of (stream)), ==, 0);
      assert_call (stream, (Op) { OP_WRITE, .text = "one\ntwo\n" }, "1");
      assert_all_fail (stream, cancellable, G_IO_ERROR_CANCELLED);
      assert_call (stream, seek_to (0), "1");
      assert_call (stream, (Op) { OP_READ, .n_chars = 2 }, "on");
      assert_all_fail (stream, cancellable, G_IO_ERROR_CANCELLED);
      assert_call (stream, (Op) { OP_TELL }, "6");
      assert_call (stream, (Op) { OP_READ_ALL }, "e\ntwo\n");
    }
}

/* A call that is cancelled while it is under way, in any of its steps, can be made again. */
static void
test_cancelled_meanwhile (void)
{
  const char *encodings[] = { "UTF-8", "UTF-16", "ISO-2022-JP" };
  g_autofree char *filler = g_strnfill (200000, 'x');
  const Op ops[] = {
    { OP_READ_ALL },
    { OP_READ_LINE },
    { OP_READ, .n_chars = 100000 },
    { OP_TELL },
    { OP_WRITE, .text = filler },
    { OP_FLUSH },
  };

  for (guint i = 0; i < 20 * G_N_ELEMENTS (ops); i++)
    {
      const Op *op = &ops[i % G_N_ELEMENTS (ops)];
      g_autoptr(TfTextStream) stream = open_text (ON_DISK, encodings[i % G_N_ELEMENTS (encodings)]);
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;
      g_autofree char *text = NULL;
      goffset told;

      assert_call (stream, (Op) { OP_WRITE, .text = "first\n" }, "1");
      assert_call (stream, (Op) { OP_WRITE, .text = filler }, "1");
      assert_call (stream, seek_to (0), "1");
      assert_call (stream, (Op) { OP_READ_LINE }, "first\n");
      told = tf_text_stream_tell (stream, NULL, &error);
      g_assert_no_error (error);

      call_async (stream, op, cancellable, tf_test_take_result, &result);
      for (guint n = g_test_rand_int_range (0, 2000); n > 0; n--)
        g_thread_yield ();
      g_cancellable_cancel (cancellable);
      text = call_finish (stream, op, tf_test_wait (&result), &error);
      if (error == NULL)
        continue;

      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&error);
      g_assert_cmpint (tf_text_stream_tell (stream, NULL, &error), ==, told);
      assert_call (stream, (Op) { OP_READ_ALL }, filler);
    }
}

/* The disk takes a part of the text: the position stays, and the call can be made again. */
static void
test_full_disk (void)
{
  g_autofree char *long_text = g_strnfill (50000, 'x');
  const Op op = { OP_WRITE, .text = long_text };

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, NULL, NULL, &error);
      g_autoptr(TfTextStream) stream = tf_text_stream_new (TF_TEMP_FILE (file), NULL, TF_NEWLINE_LF,
                                                           TF_TEXT_ERRORS_STRICT, &error);
      g_autofree char *result = NULL;

      g_assert_no_error (error);
      assert_call (stream, (Op) { OP_WRITE, .text = "first\nsecond\n" }, "1");
      assert_call (stream, seek_to (0), "1");
      assert_call (stream, (Op) { OP_READ_LINE }, "first\n");

      tf_test_limit_file_size (4096);
      result = (i == 0 ? call : call_and_wait) (stream, &op, NULL, &error);
      tf_test_unlimit_file_size ();
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
      g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (file)), ==, 4096);
      assert_call (stream, (Op) { OP_TELL }, "6");
      (i == 0 ? assert_call : assert_async) (stream, op, "1");
      assert_call (stream, (Op) { OP_TELL }, "50006");
      assert_call (stream, seek_to (6), "1");
      assert_call (stream, (Op) { OP_READ_ALL }, long_text);
    }
}

/* A random call; what it writes and where it goes does not depend on anything but the random numbers. */
static Op
make_op (const goffset *told,
         guint          n_told)
{
  static const char *texts[] = { "", "a", "日本", "Grüße\n", "x\r\n", "\r", "longer than all the others together" };
  static char *long_text;

  if (long_text == NULL)
    long_text = g_strnfill (9000, 'y');

  return (Op) {
    .kind = g_test_rand_int_range (0, N_OPS),
    .text = g_test_rand_int_range (0, 20) == 0 ? long_text : texts[g_test_rand_int_range (0, G_N_ELEMENTS (texts))],
    .n_chars = g_test_rand_int_range (0, 6),
    .offset = told[g_test_rand_int_range (0, n_told)],
    .type = G_SEEK_SET,
  };
}

/* As call_and_wait(), after some calls that were cancelled somewhere on the way. */
static char *
call_after_cancelled (TfTextStream  *stream,
                      const Op      *op,
                      GError       **error)
{
  for (guint i = g_test_rand_int_range (0, 3); i > 0; i--)
    {
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) local_error = NULL;
      g_autofree char *text = NULL;

      call_async (stream, op, cancellable, tf_test_take_result, &result);
      g_cancellable_cancel (cancellable);
      text = call_finish (stream, op, tf_test_wait (&result), &local_error);
      if (!g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          if (local_error != NULL)
            g_propagate_error (error, g_steal_pointer (&local_error));
          return g_steal_pointer (&text);
        }
    }

  return call_and_wait (stream, op, NULL, error);
}

static void
assert_same_content (TfTextStream *a,
                     TfTextStream *b)
{
  g_autoptr(GBytes) bytes_of_a = NULL;
  g_autoptr(GBytes) bytes_of_b = NULL;

  g_assert_true (g_seekable_seek (G_SEEKABLE (file_of (a)), 0, G_SEEK_SET, NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (file_of (b)), 0, G_SEEK_SET, NULL, NULL));
  bytes_of_a = tf_temp_file_read_bytes (file_of (a), G_MAXSIZE, NULL, NULL);
  bytes_of_b = tf_temp_file_read_bytes (file_of (b), G_MAXSIZE, NULL, NULL);
  g_assert_true (g_bytes_equal (bytes_of_a, bytes_of_b));
}

static void
run_program (const char   *encoding,
             TfNewline     newline,
             TfTextErrors  errors)
{
  const gint64 max_sizes[] = { -1, -1, 20, 300, ON_DISK, ON_DISK };
  g_autoptr(GPtrArray) streams = g_ptr_array_new_with_free_func (g_object_unref);
  goffset told[64] = { 0, };
  guint n_told = 1;

  for (gsize i = 0; i < G_N_ELEMENTS (max_sizes); i++)
    g_ptr_array_add (streams, open_text_full (max_sizes[i], encoding, newline, errors));

  for (guint n = 0; n < 60; n++)
    {
      Op op = make_op (told, n_told);
      g_autoptr(GError) expected_error = NULL;
      char *expected_text = call (streams->pdata[0], &op, NULL, &expected_error);
      g_autofree char *expected = describe (expected_text, expected_error);

      for (guint i = 1; i < streams->len; i++)
        {
          g_autoptr(GError) error = NULL;
          char *text = i == streams->len - 1 ? call_after_cancelled (streams->pdata[i], &op, &error)
                                             : call_and_wait (streams->pdata[i], &op, NULL, &error);
          g_autofree char *result = describe (text, error);

          g_assert_cmpstr (result, ==, expected);
        }
      if (op.kind == OP_TELL && expected_error == NULL && n_told < G_N_ELEMENTS (told))
        told[n_told++] = tf_text_stream_tell (streams->pdata[0], NULL, NULL);
    }

  for (guint i = 1; i < streams->len; i++)
    assert_same_content (streams->pdata[0], streams->pdata[i]);
}

/* There is no position in the file for the middle of what stands for one byte. */
static void
test_within_escape (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(TfTextStream) text = tf_text_stream_new (file, "UTF-8", TF_NEWLINE_UNTRANSLATED,
                                                     TF_TEXT_ERRORS_BACKSLASH_REPLACE, NULL);
  g_autoptr(GError) error = NULL;
  g_autofree char *first = NULL;
  g_autofree char *rest = NULL;

  g_assert_true (tf_temp_file_write (file, "a\377b", 3, NULL, NULL));
  g_assert_true (tf_text_stream_seek (text, 0, G_SEEK_SET, NULL, NULL));
  first = tf_text_stream_read (text, 3, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (first, ==, "a\\x");
  g_assert_cmpint (tf_text_stream_tell (text, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_clear_error (&error);

  rest = tf_text_stream_read (text, 2, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (rest, ==, "ff");
  g_assert_cmpint (tf_text_stream_tell (text, NULL, &error), ==, 2);
  g_assert_no_error (error);
}

/* Asynchronous calls do what synchronous ones do, wherever the bytes are. */
static void
test_programs (void)
{
  const char *encodings[] = { "UTF-8", "UTF-16", "ISO-8859-1", "SHIFT_JIS", "ISO-2022-JP", "CP1258" };

  for (gsize i = 0; i < G_N_ELEMENTS (encodings); i++)
    for (guint n = 0; n < 10; n++)
      run_program (encodings[i], g_test_rand_int_range (TF_NEWLINE_UNIVERSAL, TF_NEWLINE_CRLF + 1),
                   g_test_rand_int_range (TF_TEXT_ERRORS_STRICT, TF_TEXT_ERRORS_BACKSLASH_REPLACE + 1));
}

/* However far the file is read, no more than some pieces of it are in memory. */
static void
test_read_ahead (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(TfTextStream) stream = NULL;
  g_autoptr(GString) lines = g_string_new (NULL);

  for (guint i = 0; i < 50000; i++)
    g_string_append_printf (lines, "line %u\n", i);
  g_assert_true (tf_temp_file_write (file, lines->str, lines->len, NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  stream = tf_text_stream_new (file, NULL, TF_NEWLINE_UNIVERSAL, TF_TEXT_ERRORS_STRICT, NULL);

  for (guint i = 0; i < 50000; i++)
    {
      g_autofree char *line = tf_text_stream_read_line (stream, NULL, NULL);
      g_autofree char *expected = g_strdup_printf ("line %u\n", i);

      g_assert_cmpstr (line, ==, expected);
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), <=, tf_text_stream_tell (stream, NULL, NULL) + 32768);
    }
}

/* A worker decodes what is before, if that is much. */
static void
test_far_async (void)
{
  g_autoptr(TfTextStream) stream = open_text (-1, "ISO-2022-JP");
  g_autoptr(GString) text = g_string_new (NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_autofree char *half = NULL;
  g_autofree char *found = NULL;
  g_autoptr(GError) error = NULL;
  goffset offset;

  for (int i = 0; i < 40000; i++)
    g_string_append (text, "日本");
  g_assert_true (tf_text_stream_write (stream, text->str, -1, NULL, &error));
  g_assert_true (tf_text_stream_seek (stream, 0, G_SEEK_SET, NULL, &error));
  half = tf_text_stream_read (stream, 40001, NULL, &error);
  offset = tf_text_stream_tell (stream, NULL, &error);
  g_assert_true (tf_text_stream_seek (stream, 0, G_SEEK_SET, NULL, &error));
  g_assert_true (tf_text_stream_seek (stream, offset, G_SEEK_SET, NULL, &error));
  tf_text_stream_read_async (stream, 3, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  found = tf_text_stream_read_finish (stream, tf_test_wait (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (found, ==, "本日本");
  close_file_of (stream);
}

/* The library looks at so many bytes of a text at once. */
#define PIECE (256 * 1024)

/* A character that lies across the end of a piece is one all the same. */
static void
test_pieces (void)
{
  for (gsize i = 0; i < 5; i++)
    {
      g_autoptr(TfTextStream) stream = open_text (-1, "UTF-8");
      g_autofree char *filler = g_strnfill (PIECE - i, 'a');
      g_autofree char *text = g_strconcat (filler, "😀z", NULL);
      g_autofree char *found = NULL;
      g_autoptr(GError) error = NULL;

      g_assert_true (tf_text_stream_write (stream, text, -1, NULL, &error));
      g_assert_no_error (error);
      g_assert_true (tf_text_stream_seek (stream, 0, G_SEEK_SET, NULL, &error));
      found = tf_text_stream_read (stream, G_MAXSIZE, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (found, ==, text);
      close_file_of (stream);
    }
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);
  tf_test_start_worker ();

  tf_test_add_async ("/text-stream/without-thread", test_without_thread);
  g_test_add_func ("/text-stream/within-escape", test_within_escape);
  g_test_add_func ("/text-stream/lines", test_lines);
  g_test_add_func ("/text-stream/every-encoding", test_every_encoding);
  tf_test_add_async ("/text-stream/byte-order", test_byte_order);
  g_test_add_func ("/text-stream/far", test_far);
  tf_test_add_async ("/text-stream/write-length", test_write_length);
  g_test_add_func ("/text-stream/far-async", test_far_async);
  g_test_add_func ("/text-stream/pieces", test_pieces);
  g_test_add_func ("/text-stream/properties", test_properties);
  g_test_add_func ("/text-stream/derivable", test_derivable);
  g_test_add_func ("/text-stream/not-initialized", test_not_initialized);
  g_test_add_func ("/text-stream/closed", test_closed);
  g_test_add_func ("/text-stream/write-failures", test_write_failures);
  g_test_add_func ("/text-stream/invalid-data", test_invalid_data);
  g_test_add_func ("/text-stream/invalid-arguments", test_invalid_arguments);
  g_test_add_func ("/text-stream/flush", test_flush);
  g_test_add_func ("/text-stream/base-file-moves", test_base_file_moves);
  tf_test_add_async ("/text-stream/every-call", test_every_call);
  tf_test_add_async ("/text-stream/pending", test_pending);
  g_test_add_func ("/text-stream/pending-base-file", test_pending_base_file);
  g_test_add_func ("/text-stream/read-ahead", test_read_ahead);
  tf_test_add_async ("/text-stream/dropped", test_dropped);
  tf_test_add_async ("/text-stream/rolled-over", test_rolled_over);
  tf_test_add_async ("/text-stream/cancelled-before", test_cancelled_before);
  tf_test_add_async ("/text-stream/cancelled-meanwhile", test_cancelled_meanwhile);
  tf_test_add_async ("/text-stream/full-disk", test_full_disk);
  tf_test_add_async ("/text-stream/programs", test_programs);

  return tf_test_run ();
}
