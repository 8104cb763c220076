/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <string.h>

#include "text/tf-codec.h"
#include "tf-test.h"

/* An iconv that substitutes on its own, as that of musl does: what is decoded is what the system's refuses. */
static enum
{
  AS_IT_IS,
  SUBSTITUTES_BYTES,
  SUBSTITUTES_CHARACTERS,
  GIVES_NO_REASON,
} behaviour;

gsize __real_g_iconv (GIConv   converter,
                      char   **in,
                      gsize   *n_in,
                      char   **out,
                      gsize   *n_out);
gsize __wrap_g_iconv (GIConv   converter,
                      char   **in,
                      gsize   *n_in,
                      char   **out,
                      gsize   *n_out);

gsize
__wrap_g_iconv (GIConv   converter,
                char   **in,
                gsize   *n_in,
                char   **out,
                gsize   *n_out)
{
  gsize n_substituted = 0;
  gsize result;

  while ((result = __real_g_iconv (converter, in, n_in, out, n_out)) == (gsize) -1 &&
         errno == EILSEQ && (behaviour == SUBSTITUTES_BYTES || behaviour == SUBSTITUTES_CHARACTERS))
    {
      gsize n = behaviour == SUBSTITUTES_BYTES ? 1 : g_utf8_next_char (*in) - *in;
      char *star = (char *) "*";
      gsize one = 1;

      if (__real_g_iconv (converter, &star, &one, out, n_out) != 0)
        {
          errno = E2BIG;
          return -1;
        }
      *in += n;
      *n_in -= n;
      n_substituted++;
    }

  if (behaviour == GIVES_NO_REASON)
    errno = 0;
  return result == 0 ? n_substituted : result;
}

static gboolean
encode (const char    *encoding,
        TfTextErrors   errors,
        const char    *text,
        TfString      *bytes,
        GError       **error)
{
  g_auto(TfCodec) codec = { NULL, };

  return tf_codec_init (&codec, encoding, errors, error) &&
         tf_codec_encode (&codec, text, strlen (text), TRUE, bytes, NULL, error);
}

static char *
decode (const char     *encoding,
        TfTextErrors    errors,
        gconstpointer   bytes,
        gsize           n_bytes,
        gsize           limit,
        gsize          *n_used,
        GError        **error)
{
  g_auto(TfCodec) codec = { NULL, };
  g_auto(TfString) text = { NULL, };

  if (!tf_codec_init (&codec, encoding, errors, error) ||
      !tf_codec_decode (&codec, bytes, n_bytes, TRUE, limit, &text, n_used, NULL, error))
    return NULL;

  return g_strdup (tf_string_get (&text));
}

/* The same comes out, or the same error, whatever iconv does with what it cannot convert. */
static void
assert_encoded_alike (const char   *encoding,
                      TfTextErrors  errors,
                      const char   *text)
{
  g_autoptr(GError) expected_error = NULL;
  g_auto(TfString) expected = { NULL, };
  gboolean is_expected = encode (encoding, errors, text, &expected, &expected_error);
  g_autoptr(GError) error = NULL;
  g_auto(TfString) bytes = { NULL, };

  behaviour = SUBSTITUTES_CHARACTERS;
  g_assert_cmpint (encode (encoding, errors, text, &bytes, &error), ==, is_expected);
  behaviour = AS_IT_IS;

  g_assert_cmpstr (error != NULL ? error->message : NULL, ==, expected_error != NULL ? expected_error->message : NULL);
  if (is_expected)
    g_assert_cmpmem (bytes.data, bytes.size, expected.data, expected.size);
}

static void
assert_decoded_alike (const char    *encoding,
                      TfTextErrors   errors,
                      gconstpointer  data,
                      gsize          size,
                      gsize          limit)
{
  g_autoptr(GError) expected_error = NULL;
  g_autoptr(GError) error = NULL;
  gsize n_expected = 0;
  gsize n_used = 0;
  g_autofree char *expected = decode (encoding, errors, data, size, limit, &n_expected, &expected_error);
  g_autofree char *text = NULL;

  behaviour = SUBSTITUTES_BYTES;
  text = decode (encoding, errors, data, size, limit, &n_used, &error);
  behaviour = AS_IT_IS;

  g_assert_cmpstr (error != NULL ? error->message : NULL, ==, expected_error != NULL ? expected_error->message : NULL);
  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpint (n_used, ==, n_expected);
}

static const TfTextErrors all_errors[] = {
  TF_TEXT_ERRORS_STRICT, TF_TEXT_ERRORS_IGNORE, TF_TEXT_ERRORS_REPLACE, TF_TEXT_ERRORS_BACKSLASH_REPLACE,
};

static const char *characters[] = { "a", "b", "ä", "\343\201\213", "\343\202\232", "日", "€", "😀", "\n", "~" };

static void
test_encode_what_is_substituted (void)
{
  const char *encodings[] = {
    "ASCII", "ISO-8859-1", "SHIFT_JIS", "EUC-JP", "ISO-2022-JP", "CP1258", "SHIFT_JISX0213", "UTF-16", "UTF-7",
  };

  for (gsize e = 0; e < G_N_ELEMENTS (encodings); e++)
    for (gsize i = 0; i < G_N_ELEMENTS (all_errors); i++)
      for (guint n = 0; n < 10; n++)
        {
          g_autoptr(GString) text = g_string_new (NULL);
          guint n_known = g_test_rand_int_range (1, G_N_ELEMENTS (characters) + 1);

          for (guint length = g_test_rand_int_range (0, n < 8 ? 10 : 2000); length > 0; length--)
            g_string_append (text, characters[g_test_rand_int_range (0, n_known)]);
          assert_encoded_alike (encodings[e], all_errors[i], text->str);
        }
}

static void
test_decode_what_is_substituted (void)
{
  const char *encodings[] = { "ASCII", "SHIFT_JIS", "EUC-JP", "CP1258", "SHIFT_JISX0213", "BIG5" };
  const char letters[] = "aaaab\n\033$B(~\x81\x93\xfa\xc6\xfc\xff";

  for (gsize e = 0; e < G_N_ELEMENTS (encodings); e++)
    for (gsize i = 0; i < G_N_ELEMENTS (all_errors); i++)
      for (guint n = 0; n < 10; n++)
        {
          g_autofree char *bytes = g_malloc (2001);
          gsize size = g_test_rand_int_range (0, n < 8 ? 10 : 2000);
          guint n_letters = g_test_rand_int_range (6, sizeof letters);

          for (gsize b = 0; b < size; b++)
            bytes[b] = letters[g_test_rand_int_range (0, n_letters)];
          assert_decoded_alike (encodings[e], all_errors[i], bytes, size, G_MAXSIZE);
          assert_decoded_alike (encodings[e], all_errors[i], bytes, size, g_test_rand_int_range (0, 2000));
        }
}

static void
test_strict (void)
{
  g_auto(TfString) encoded = { NULL, };
  g_autoptr(GError) error = NULL;
  gsize n_used;

  behaviour = SUBSTITUTES_CHARACTERS;
  g_assert_false (encode ("ISO-8859-1", TF_TEXT_ERRORS_STRICT, "good, €", &encoded, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, "U+20AC"));
  g_clear_error (&error);

  behaviour = SUBSTITUTES_BYTES;
  g_assert_null (decode ("ASCII", TF_TEXT_ERRORS_STRICT, "good, \xff", 7, G_MAXSIZE, &n_used, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, "0xff"));
  g_assert_cmpint (n_used, ==, 6);
  g_clear_error (&error);

  g_assert_null (decode ("ISO-2022-JP", TF_TEXT_ERRORS_STRICT, "\033$BF|\033(B\xff", 9, G_MAXSIZE, &n_used, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  behaviour = AS_IT_IS;
}

/* A failure is one, even if iconv does not say why. */
static void
test_no_reason (void)
{
  g_autoptr(GError) error = NULL;
  gsize n_used;

  behaviour = GIVES_NO_REASON;
  g_assert_null (decode ("ASCII", TF_TEXT_ERRORS_STRICT, "good, \xff", 7, G_MAXSIZE, &n_used, &error));
  behaviour = AS_IT_IS;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_cmpint (n_used, ==, 6);
}

/* iconv keeps a character back that may combine with the next one; there is none at the end. */
static void
test_last_character (void)
{
  const struct
  {
    const char *encoding;
    const char *bytes;
    const char *text;
  } cases[] = {
    { "CP1255", "ab\xe9", "ab\327\231" },
    { "CP1258", "abe", "abe" },
    { "TCVN", "abe", "abe" },
    { "BIG5-HKSCS", "a\x88\x62", "a\303\212\314\204" },
    { "SHIFT_JISX0213", "a\x82\xf5", "a\343\201\213\343\202\232" },
    { "EUC-JISX0213", "a\xa4\xf7", "a\343\201\213\343\202\232" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(GError) error = NULL;
      gsize n_used;
      g_autofree char *text = decode (cases[i].encoding, TF_TEXT_ERRORS_STRICT, cases[i].bytes,
                                      strlen (cases[i].bytes), G_MAXSIZE, &n_used, &error);
      g_auto(TfString) bytes = { NULL, };

      g_assert_no_error (error);
      g_assert_true (encode (cases[i].encoding, TF_TEXT_ERRORS_STRICT, cases[i].text, &bytes, &error));
      g_assert_no_error (error);
      g_assert_cmpstr (text, ==, cases[i].text);
      g_assert_cmpmem (bytes.data, bytes.size, cases[i].bytes, strlen (cases[i].bytes));
    }
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);
  tf_test_ignore_fds ();

  g_test_add_func ("/codec-substitution/encode-what-is-substituted", test_encode_what_is_substituted);
  g_test_add_func ("/codec-substitution/decode-what-is-substituted", test_decode_what_is_substituted);
  g_test_add_func ("/codec-substitution/strict", test_strict);
  g_test_add_func ("/codec-substitution/no-reason", test_no_reason);
  g_test_add_func ("/codec-substitution/last-character", test_last_character);

  return tf_test_run ();
}
