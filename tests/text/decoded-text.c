/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "text/tf-decoded-text.h"

#include <string.h>

#include "tf-test.h"

typedef struct
{
  TfCodec codec;
  TfDecodedText text;
} Fixture;

static void
set_up (Fixture       *fixture,
        gconstpointer  encoding)
{
  g_assert_true (tf_codec_init (&fixture->codec, encoding, TF_TEXT_ERRORS_STRICT, NULL));
}

static void
tear_down (Fixture       *fixture,
           gconstpointer  encoding)
{
  tf_decoded_text_clear (&fixture->text);
  tf_codec_clear (&fixture->codec);
}

static gboolean
append (Fixture     *fixture,
        const char  *bytes,
        GError     **error)
{
  g_autoptr(GBytes) added = g_bytes_new (bytes, strlen (bytes));

  return tf_decoded_text_append (&fixture->text, &fixture->codec, added, "/file", NULL, error);
}

static void
append_legal (Fixture    *fixture,
              const char *bytes)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (append (fixture, bytes, &error));
  g_assert_no_error (error);
}

static void
assert_text (Fixture    *fixture,
             const char *expected)
{
  gsize length;
  const char *text = tf_decoded_text_peek (&fixture->text, &length);

  g_assert_cmpmem (text, length, expected, strlen (expected));
}

static void
assert_located (Fixture *fixture,
                goffset  expected)
{
  g_autoptr(GError) error = NULL;
  goffset offset;

  g_assert_true (tf_codec_restart (&fixture->codec, NULL));
  g_assert_true (tf_decoded_text_locate (&fixture->text, &fixture->codec, &offset, "/file", NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (offset, ==, expected);
}

static void
test_take (Fixture       *fixture,
           gconstpointer  encoding)
{
  assert_text (fixture, "");
  g_assert_true (tf_decoded_text_is_aligned (&fixture->text, &fixture->codec));

  /* What is incomplete is there when the rest is. */
  append_legal (fixture, "a\xe2\x82");
  assert_text (fixture, "a");
  append_legal (fixture, "\xac" "bc");
  assert_text (fixture, "a€bc");
  g_assert_cmpint (tf_decoded_text_get_end (&fixture->text), ==, 6);

  tf_decoded_text_take (&fixture->text, strlen ("a€"));
  assert_text (fixture, "bc");
  g_assert_cmpint (tf_decoded_text_is_aligned (&fixture->text, &fixture->codec), ==, fixture->codec.is_utf8);
  tf_decoded_text_take (&fixture->text, 2);
  assert_text (fixture, "");
  g_assert_true (tf_decoded_text_is_aligned (&fixture->text, &fixture->codec));
}

static void
test_reset (Fixture       *fixture,
            gconstpointer  encoding)
{
  append_legal (fixture, "abc\xe2");
  tf_decoded_text_reset (&fixture->text, 1000);
  assert_text (fixture, "");
  append_legal (fixture, "def");
  assert_text (fixture, "def");
  g_assert_cmpint (tf_decoded_text_get_end (&fixture->text), ==, 1003);
}

/* Whatever is taken and let go of meanwhile. */
static void
test_locate (Fixture       *fixture,
             gconstpointer  encoding)
{
  goffset n_taken = 0;

  tf_decoded_text_reset (&fixture->text, 100);
  for (int i = 0; i < 10; i++)
    {
      append_legal (fixture, "\xc3\xa4" "bc");
      assert_located (fixture, 100 + n_taken);
      tf_decoded_text_take (&fixture->text, strlen ("ä"));
      n_taken += 2;
      assert_located (fixture, 100 + n_taken);
      if (i % 3 > 0)
        {
          gsize length;

          tf_decoded_text_peek (&fixture->text, &length);
          tf_decoded_text_take (&fixture->text, length);
          n_taken += length;
          assert_located (fixture, 100 + n_taken);
          g_assert_cmpint (100 + n_taken, ==, tf_decoded_text_get_end (&fixture->text));
        }
    }

  /* Of what was taken, no more than the last piece is kept. */
  g_assert_cmpuint (fixture->text.bytes.size, <, 20);
}

/* One byte of the file is more in the text, or less. */
static void
test_locate_encoded (Fixture       *fixture,
                     gconstpointer  encoding)
{
  append_legal (fixture, "a\xe4\xdf" "b");
  assert_text (fixture, "aäßb");
  tf_decoded_text_take (&fixture->text, strlen ("aä"));
  assert_located (fixture, 2);
  tf_decoded_text_take (&fixture->text, strlen ("ßb"));
  assert_located (fixture, 4);
}

/* The text before it is had first. */
static void
test_illegal (Fixture       *fixture,
              gconstpointer  encoding)
{
  g_autoptr(GError) error = NULL;

  append_legal (fixture, "ab\xff" "cd");
  g_assert_true (fixture->text.failed);
  assert_text (fixture, "ab");
  tf_decoded_text_take (&fixture->text, 2);

  g_assert_false (append (fixture, "", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  assert_text (fixture, "");
}

static void
test_incomplete_at_end (Fixture       *fixture,
                        gconstpointer  encoding)
{
  g_autoptr(GError) error = NULL;

  append_legal (fixture, "\xe2\x82");
  assert_text (fixture, "");
  g_assert_false (fixture->text.failed);
  g_assert_false (append (fixture, "", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add ("/decoded-text/take", Fixture, "UTF-8", set_up, test_take, tear_down);
  g_test_add ("/decoded-text/reset", Fixture, "UTF-8", set_up, test_reset, tear_down);
  g_test_add ("/decoded-text/locate", Fixture, "UTF-8", set_up, test_locate, tear_down);
  g_test_add ("/decoded-text/locate/encoded", Fixture, "ISO-8859-1", set_up, test_locate_encoded, tear_down);
  g_test_add ("/decoded-text/illegal", Fixture, "UTF-8", set_up, test_illegal, tear_down);
  g_test_add ("/decoded-text/incomplete-at-end", Fixture, "UTF-8", set_up, test_incomplete_at_end, tear_down);

  return tf_test_run ();
}
