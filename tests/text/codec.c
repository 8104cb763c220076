/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "text/tf-codec.h"

#include <string.h>

#include "tf-test.h"

#define SAMPLE "aß€日本😀z"

static void
open_codec (TfCodec      *codec,
            const char   *encoding,
            TfTextErrors  errors)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_codec_init (codec, encoding, errors, &error));
  g_assert_no_error (error);
}

static TfString
encode (TfCodec    *codec,
        const char *text)
{
  TfString bytes = { NULL, };
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_codec_encode (codec, text, strlen (text), TRUE, &bytes, NULL, &error));
  g_assert_no_error (error);
  return bytes;
}

/* Decodes all of it, or up to what is incomplete. Returns how many bytes that were. */
static gsize
decode (TfCodec       *codec,
        gconstpointer  bytes,
        gsize          n_bytes,
        gboolean       is_end,
        TfString      *text)
{
  g_autoptr(GError) error = NULL;
  gsize n_used;

  g_assert_true (tf_codec_decode (codec, bytes, n_bytes, is_end, G_MAXSIZE, text, &n_used, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_used, <=, n_bytes);
  return n_used;
}

static void
assert_decoded (TfCodec       *codec,
                gconstpointer  bytes,
                gsize          n_bytes,
                const char    *expected)
{
  g_auto(TfString) text = { NULL, };

  g_assert_true (tf_codec_restart (codec, NULL));
  g_assert_cmpuint (decode (codec, bytes, n_bytes, TRUE, &text), ==, n_bytes);
  g_assert_cmpstr (tf_string_get (&text), ==, expected);
}

/* Wherever the bytes are cut in two, the text is the same. */
static void
test_split (gconstpointer encoding)
{
  g_auto(TfCodec) codec = { NULL, };
  g_auto(TfString) bytes = { NULL, };

  open_codec (&codec, encoding, TF_TEXT_ERRORS_STRICT);
  bytes = encode (&codec, SAMPLE);
  for (gsize cut = 0; cut <= bytes.size; cut++)
    {
      g_auto(TfString) text = { NULL, };
      gsize n_used;

      g_assert_true (tf_codec_restart (&codec, NULL));
      n_used = decode (&codec, bytes.data, cut, FALSE, &text);
      g_assert_true (g_utf8_validate (tf_string_get (&text), text.size, NULL));
      g_assert_true (g_str_has_prefix (SAMPLE, tf_string_get (&text)));
      g_assert_cmpuint (decode (&codec, bytes.data + n_used, bytes.size - n_used, TRUE, &text), ==, bytes.size - n_used);
      g_assert_cmpstr (tf_string_get (&text), ==, SAMPLE);
    }
}

/* The first byte of a character says nothing yet, also where characters are decoded one after the other. */
static void
test_split_carefully (void)
{
  g_auto(TfCodec) codec = { NULL, };
  g_auto(TfString) text = { NULL, };

  open_codec (&codec, "BIG5-HKSCS", TF_TEXT_ERRORS_STRICT);
  g_assert_cmpuint (decode (&codec, "a\x88", 2, FALSE, &text), ==, 1);
  g_assert_cmpstr (tf_string_get (&text), ==, "a");
  g_assert_cmpuint (decode (&codec, "\x88\x62", 2, TRUE, &text), ==, 2);
  g_assert_cmpstr (tf_string_get (&text), ==, "a\303\212\314\204");
}

/* A character that is kept back, and for which there is no room, is decoded once more later. */
static void
test_limit_carefully (void)
{
  g_auto(TfCodec) codec = { NULL, };
  g_auto(TfString) text = { NULL, };
  gsize n_used;

  open_codec (&codec, "CP1255", TF_TEXT_ERRORS_STRICT);
  g_assert_true (tf_codec_decode (&codec, "ab\xe9", 3, TRUE, 3, &text, &n_used, NULL, NULL));
  g_assert_cmpuint (n_used, ==, 2);
  g_assert_cmpstr (tf_string_get (&text), ==, "ab");
  g_assert_cmpuint (decode (&codec, "\xe9", 1, TRUE, &text), ==, 1);
  g_assert_cmpstr (tf_string_get (&text), ==, "ab\327\231");
}

static void
test_byte_order_mark (void)
{
  g_auto(TfCodec) codec = { NULL, };
  g_auto(TfString) start = { NULL, };
  g_auto(TfString) more = { NULL, };
  g_auto(TfString) text = { NULL, };
  g_autoptr(GError) error = NULL;
  gsize n_used = 9;

  open_codec (&codec, "UTF-16", TF_TEXT_ERRORS_STRICT);
  assert_decoded (&codec, "\xff\xfe" "a\0", 4, "a");
  assert_decoded (&codec, "\xfe\xff" "\0a", 4, "a");
  assert_decoded (&codec, "", 0, "");

  /* It is at the start of a text only, and is the one that was read. */
  g_assert_true (tf_codec_knows_order (&codec));
  start = encode (&codec, "a");
  g_assert_cmpmem (start.data, start.size, "\xfe\xff" "\0a", 4);
  g_assert_true (tf_codec_encode (&codec, "a", 1, FALSE, &more, NULL, NULL));
  g_assert_cmpmem (more.data, more.size, "\0a", 2);
  tf_codec_forget_order (&codec);
  g_assert_false (tf_codec_knows_order (&codec));

  /* Half a mark says nothing yet. */
  g_assert_true (tf_codec_restart (&codec, NULL));
  g_assert_cmpuint (decode (&codec, "\xff", 1, FALSE, &text), ==, 0);

  /* At the end it is an incomplete character, and no byte at all is none. */
  g_assert_false (tf_codec_decode (&codec, "\xff", 1, TRUE, G_MAXSIZE, &text, &n_used, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_clear_error (&error);
  tf_codec_forget_order (&codec);
  g_assert_true (tf_codec_restart (&codec, NULL));
  g_assert_cmpuint (decode (&codec, "", 0, TRUE, &text), ==, 0);
  g_assert_cmpstr (tf_string_get (&text), ==, "");

  g_assert_false (tf_codec_decode (&codec, "a\0", 2, FALSE, G_MAXSIZE, &text, &n_used, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_cmpuint (n_used, ==, 0);
  g_assert_true (tf_codec_assume_order (&codec, NULL));
  tf_string_truncate (&more, 0);
  g_assert_true (tf_codec_encode (&codec, "a", 1, FALSE, &more, NULL, NULL));
  g_assert_cmpuint (decode (&codec, more.data, more.size, TRUE, &text), ==, 2);
  g_assert_cmpstr (tf_string_get (&text), ==, "a");
}

static void
test_byte_order_mark_of_four (void)
{
  g_auto(TfCodec) codec = { NULL, };

  open_codec (&codec, "utf-32", TF_TEXT_ERRORS_STRICT);
  assert_decoded (&codec, "\xff\xfe\0\0" "a\0\0\0", 8, "a");
  assert_decoded (&codec, "\0\0\xfe\xff" "\0\0\0a", 8, "a");
}

/* Whatever iconv is asked to do behind the name. */
static void
test_byte_order_mark_of_names (void)
{
  const char *names[] = { "UTF-16//TRANSLIT", "utf-16//ignore", "UTF-32//TRANSLIT", "UNICODE", "csUnicode" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_auto(TfCodec) codec = { NULL, };
      g_auto(TfString) bytes = { NULL, };

      open_codec (&codec, names[i], TF_TEXT_ERRORS_STRICT);
      bytes = encode (&codec, "a");
      g_assert_true (tf_codec_encode (&codec, "b", 1, FALSE, &bytes, NULL, NULL));
      g_assert_cmpuint (bytes.size, ==, g_str_has_prefix (names[i], "UTF-32") ? 12 : 6);
      assert_decoded (&codec, bytes.data, bytes.size, "ab");
    }
}

static void
test_stateful (void)
{
  g_auto(TfCodec) codec = { NULL, };
  g_auto(TfString) bytes = { NULL, };

  open_codec (&codec, "ISO-2022-JP", TF_TEXT_ERRORS_STRICT);
  bytes = encode (&codec, "a日本");
  g_assert_cmpmem (bytes.data, bytes.size, "a\033$BF|K\\\033(B", 11);
  assert_decoded (&codec, bytes.data, bytes.size, "a日本");

  /* The same bytes in another state are another text. */
  assert_decoded (&codec, "F|", 2, "F|");
}

/* Every text ends in the initial state, and no shift is left out. */
static void
test_shifts (void)
{
  const char *encodings[] = { "ISO-2022-CN", "ISO-2022-CN-EXT", "ISO-2022-KR", "IBM930", "UTF-7" };

  for (gsize i = 0; i < G_N_ELEMENTS (encodings); i++)
    {
      const char *text = i < 2 ? "\u8951\u6a2f\u5edb\n\u75e0\u7fa6z" : "日\n本";
      g_autofree char *expected = g_strconcat (text, text, NULL);
      g_auto(TfCodec) codec = { NULL, };
      g_auto(TfString) bytes = { NULL, };
      g_auto(TfString) more = { NULL, };

      if (!tf_codec_init (&codec, encodings[i], TF_TEXT_ERRORS_STRICT, NULL))
        continue;

      bytes = encode (&codec, text);
      more = encode (&codec, text);
      tf_string_append (&bytes, more.data, more.size);
      assert_decoded (&codec, bytes.data, bytes.size, expected);
    }
}

static void
test_context_size (void)
{
  const struct
  {
    const char *encoding;
    gsize expected;
  } contexts[] = { { "UTF-8", 0 }, { "ISO-8859-1", 0 }, { "UTF-16LE", 0 }, { "UTF-16", 2 }, { "UTF-32", 4 },
                   { "GB18030", 0 }, { "SHIFT_JIS", 0 }, { "BIG5-HKSCS", 0 }, { "ISO-2022-JP", 100 }, { "UTF-7", 100 },
                   { "IBM-930", 100 }, { "IBM1399", 100 }, { "CP1364", 100 } };

  for (gsize i = 0; i < G_N_ELEMENTS (contexts); i++)
    {
      g_auto(TfCodec) codec = { NULL, };

      if (!tf_codec_init (&codec, contexts[i].encoding, TF_TEXT_ERRORS_STRICT, NULL))
        continue;

      g_assert_cmpuint (tf_codec_get_context_size (&codec, 0), ==, 0);
      g_assert_cmpuint (tf_codec_get_context_size (&codec, 100), ==, contexts[i].expected);
    }
}

/* What came before the illegal byte is there, and says where it is. */
static void
test_illegal_strict (gconstpointer encoding)
{
  g_auto(TfCodec) codec = { NULL, };
  g_auto(TfString) text = { NULL, };
  g_autoptr(GError) error = NULL;
  gsize n_used;

  open_codec (&codec, encoding, TF_TEXT_ERRORS_STRICT);
  g_assert_false (tf_codec_decode (&codec, "ab\xff" "c", 4, TRUE, G_MAXSIZE, &text, &n_used, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, "0xff"));
  g_assert_nonnull (strstr (error->message, encoding));
  g_assert_cmpstr (tf_string_get (&text), ==, "ab");
  g_assert_cmpuint (n_used, ==, 2);
}

static void
test_illegal_utf8 (void)
{
  const struct
  {
    const char *bytes;
    const char *replaced;
    const char *escaped;
  } cases[] = {
    { "a\xff" "b", "a\357\277\275b", "a\\xffb" },
    { "a\x80", "a\357\277\275", "a\\x80" },
    { "\xc3\xa4\x80", "\xc3\xa4\357\277\275", "\xc3\xa4\\x80" },
    /* As much of a character as is right counts as one. */
    { "\xf0\x9f\x98" "b", "\357\277\275b", "\\xf0\\x9f\\x98b" },
    { "\xe2\x82", "\357\277\275", "\\xe2\\x82" },
    /* Too long forms, a surrogate, beyond U+10FFFF. */
    { "\xc0\x80", "\357\277\275\357\277\275", "\\xc0\\x80" },
    { "\xe0\x80", "\357\277\275\357\277\275", "\\xe0\\x80" },
    { "\xf0\x80", "\357\277\275\357\277\275", "\\xf0\\x80" },
    { "\xed\xa0\x80", "\357\277\275\357\277\275\357\277\275", "\\xed\\xa0\\x80" },
    { "\xf4\x90", "\357\277\275\357\277\275", "\\xf4\\x90" },
  };
  g_auto(TfCodec) replacing = { NULL, };
  g_auto(TfCodec) escaping = { NULL, };
  g_auto(TfCodec) ignoring = { NULL, };

  open_codec (&replacing, "UTF-8", TF_TEXT_ERRORS_REPLACE);
  open_codec (&escaping, "UTF-8", TF_TEXT_ERRORS_BACKSLASH_REPLACE);
  open_codec (&ignoring, "UTF-8", TF_TEXT_ERRORS_IGNORE);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      assert_decoded (&replacing, cases[i].bytes, strlen (cases[i].bytes), cases[i].replaced);
      assert_decoded (&escaping, cases[i].bytes, strlen (cases[i].bytes), cases[i].escaped);
    }
  assert_decoded (&ignoring, "a\xff" "b\xe2\x82", 5, "ab");
}

/* What is illegal in them is as long as a letter. */
static void
test_illegal_wide (void)
{
  const struct
  {
    const char *encoding;
    const char *bytes;
    gsize n_bytes;
  } cases[] = {
    { "UCS-4BE", "\x80\0\0\0\0\0\0b", 8 },
    { "UCS-4BE", "\0\x11\0\0\0\0\0b", 8 },
    { "UCS-4BE", "\0\0\xd8\x01\0\0\0b", 8 },
    { "UCS-2BE", "\xd8\x01\0b", 4 },
    { "UTF-16BE", "\xdc\x01\0b", 4 },
    { "UTF-32BE", "\0\x11\0\0\0\0\0b", 8 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(TfCodec) codec = { NULL, };

      open_codec (&codec, cases[i].encoding, TF_TEXT_ERRORS_REPLACE);
      assert_decoded (&codec, cases[i].bytes, cases[i].n_bytes, "\357\277\275b");
    }
}

/* Incomplete is not illegal before the end. */
static void
test_incomplete (void)
{
  g_auto(TfCodec) codec = { NULL, };
  g_auto(TfString) text = { NULL, };

  open_codec (&codec, "UTF-8", TF_TEXT_ERRORS_REPLACE);
  g_assert_cmpuint (decode (&codec, "a\xe2\x82", 3, FALSE, &text), ==, 1);
  g_assert_cmpuint (decode (&codec, "\xe2\x82", 2, TRUE, &text), ==, 2);
  g_assert_cmpstr (tf_string_get (&text), ==, "a\357\277\275");
}

static void
test_limit (gconstpointer encoding)
{
  g_auto(TfCodec) codec = { NULL, };
  g_auto(TfString) bytes = { NULL, };

  open_codec (&codec, encoding, TF_TEXT_ERRORS_STRICT);
  bytes = encode (&codec, SAMPLE);
  for (gsize limit = 0; limit <= strlen (SAMPLE); limit++)
    {
      g_auto(TfString) text = { NULL, };
      g_autoptr(GError) error = NULL;
      gsize n_used;

      g_assert_true (tf_codec_restart (&codec, NULL));
      g_assert_true (tf_codec_decode (&codec, bytes.data, bytes.size, TRUE, limit, &text, &n_used, NULL, &error));
      g_assert_cmpuint (text.size, <=, limit);
      decode (&codec, bytes.data + n_used, bytes.size - n_used, TRUE, &text);
      g_assert_cmpstr (tf_string_get (&text), ==, SAMPLE);
    }
}

static void
test_encode_errors (void)
{
  const struct
  {
    TfTextErrors errors;
    const char *expected;
  } cases[] = {
    { TF_TEXT_ERRORS_IGNORE, "ab" },
    { TF_TEXT_ERRORS_REPLACE, "a??b" },
    { TF_TEXT_ERRORS_BACKSLASH_REPLACE, "a\\u20ac\\U0001f600b" },
  };
  g_auto(TfCodec) strict = { NULL, };
  g_auto(TfString) before = { NULL, };
  g_autoptr(GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(TfCodec) codec = { NULL, };
      g_auto(TfString) bytes = { NULL, };

      open_codec (&codec, "ISO-8859-1", cases[i].errors);
      bytes = encode (&codec, "a€😀b");
      g_assert_cmpmem (bytes.data, bytes.size, cases[i].expected, strlen (cases[i].expected));
    }

  open_codec (&strict, "ISO-8859-1", TF_TEXT_ERRORS_STRICT);
  g_assert_false (tf_codec_encode (&strict, "ß€", strlen ("ß€"), TRUE, &before, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, "U+20AC"));
  g_assert_cmpmem (before.data, before.size, "\xdf", 1);
}

/* What iconv converts to something else without a report. */
static void
test_encode_silently_substituted (void)
{
  const struct
  {
    const char *encoding;
    const char *text;
    const char *expected;
    gsize size;
  } cases[] = {
    { "IBM930", "日é1", "\x0e\x45\x62\x0f\x6f\xf1", 6 },
    { "IBM943", "日ä1", "\x93\xfa?1", 4 },
    { "IBM1364", "a\x0f" "1", "\x81\x6f\xf1", 3 },
    { "ISO-2022-JP", "日\033" "1", "\033$BF|\033(B?1", 10 },
    { "IBM930", "\x1a", "\x3f", 1 },
    { "SHIFT_JIS", "\\", "\x5c", 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(TfCodec) codec = { NULL, };
      g_auto(TfString) bytes = { NULL, };

      if (!tf_codec_init (&codec, cases[i].encoding, TF_TEXT_ERRORS_REPLACE, NULL))
        continue;

      bytes = encode (&codec, cases[i].text);
      g_assert_cmpmem (bytes.data, bytes.size, cases[i].expected, cases[i].size);
    }
}

static void
test_unknown (void)
{
  g_auto(TfCodec) codec = { NULL, };
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_codec_init (&codec, "no-such-encoding", TF_TEXT_ERRORS_STRICT, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "no-such-encoding"));
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/codec/split/carefully", test_split_carefully);
  g_test_add_data_func ("/codec/split/utf-8", "UTF-8", test_split);
  g_test_add_data_func ("/codec/split/utf-16", "UTF-16", test_split);
  g_test_add_data_func ("/codec/split/utf-32", "UTF-32", test_split);
  g_test_add_data_func ("/codec/split/utf-16be", "UTF-16BE", test_split);
  g_test_add_data_func ("/codec/split/gb18030", "GB18030", test_split);
  g_test_add_func ("/codec/byte-order-mark", test_byte_order_mark);
  g_test_add_func ("/codec/byte-order-mark/of-four", test_byte_order_mark_of_four);
  g_test_add_func ("/codec/byte-order-mark/of-names", test_byte_order_mark_of_names);
  g_test_add_func ("/codec/stateful", test_stateful);
  g_test_add_func ("/codec/stateful/shifts", test_shifts);
  g_test_add_func ("/codec/context-size", test_context_size);
  g_test_add_data_func ("/codec/illegal/strict/utf-8", "UTF-8", test_illegal_strict);
  g_test_add_data_func ("/codec/illegal/strict/ascii", "US-ASCII", test_illegal_strict);
  g_test_add_func ("/codec/illegal/utf-8", test_illegal_utf8);
  g_test_add_func ("/codec/illegal/wide", test_illegal_wide);
  g_test_add_func ("/codec/incomplete", test_incomplete);
  g_test_add_data_func ("/codec/limit/utf-8", "UTF-8", test_limit);
  g_test_add_data_func ("/codec/limit/utf-16", "UTF-16", test_limit);
  g_test_add_func ("/codec/limit/carefully", test_limit_carefully);
  g_test_add_func ("/codec/encode-errors", test_encode_errors);
  g_test_add_func ("/codec/encode-errors/silently-substituted", test_encode_silently_substituted);
  g_test_add_func ("/codec/unknown", test_unknown);

  return tf_test_run ();
}
