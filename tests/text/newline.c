/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "text/tf-newline.h"

#include <string.h>

#include "tf-test.h"

static const TfNewline all[] = { TF_NEWLINE_UNIVERSAL, TF_NEWLINE_UNTRANSLATED, TF_NEWLINE_LF, TF_NEWLINE_CR, TF_NEWLINE_CRLF };

static gsize
find_end (TfNewline   newline,
          const char *text,
          gboolean    is_end)
{
  return tf_newline_find_end (newline, text, strlen (text), is_end);
}

static void
test_find_end (void)
{
  const struct
  {
    const char *text;
    gsize expected[G_N_ELEMENTS (all)];
  } lines[] = {
    { "one\ntwo\n", { 4, 4, 4, 0, 0 } },
    { "one\rtwo\r", { 4, 4, 0, 4, 0 } },
    { "one\r\ntwo\r\n", { 5, 5, 5, 4, 5 } },
    { "\n", { 1, 1, 1, 0, 0 } },
    { "one\n\rtwo", { 4, 4, 4, 5, 0 } },
    { "one", { 0, 0, 0, 0, 0 } },
    { "", { 0, 0, 0, 0, 0 } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (all); j++)
      {
        gsize expected = lines[i].expected[j];
        gsize at_end = expected > 0 ? expected : strlen (lines[i].text);

        g_assert_cmpuint (find_end (all[j], lines[i].text, FALSE), ==, expected);
        g_assert_cmpuint (find_end (all[j], lines[i].text, TRUE), ==, at_end);
      }
}

/* A carriage return may be half of a newline. */
static void
test_half_newline (void)
{
  g_assert_cmpuint (find_end (TF_NEWLINE_UNIVERSAL, "one\r", FALSE), ==, 0);
  g_assert_cmpuint (find_end (TF_NEWLINE_UNIVERSAL, "one\r", TRUE), ==, 4);
  g_assert_cmpuint (find_end (TF_NEWLINE_CRLF, "one\r", FALSE), ==, 0);
  g_assert_cmpuint (find_end (TF_NEWLINE_CR, "one\r", FALSE), ==, 4);
}

static void
assert_measure (TfNewline   newline,
                const char *text,
                gsize       n_chars,
                gsize       expected,
                gsize       expected_at_end)
{
  g_assert_cmpuint (tf_newline_measure (newline, text, strlen (text), n_chars, FALSE), ==, expected);
  g_assert_cmpuint (tf_newline_measure (newline, text, strlen (text), n_chars, TRUE), ==, expected_at_end);
}

static void
test_measure (void)
{
  assert_measure (TF_NEWLINE_UNIVERSAL, "aß€😀", 0, 0, 0);
  assert_measure (TF_NEWLINE_UNIVERSAL, "aß€😀", 1, 1, 1);
  assert_measure (TF_NEWLINE_UNIVERSAL, "aß€😀", 2, 3, 3);
  assert_measure (TF_NEWLINE_UNIVERSAL, "aß€😀", 3, 6, 6);
  assert_measure (TF_NEWLINE_UNIVERSAL, "aß€😀", 4, 10, 10);
  assert_measure (TF_NEWLINE_UNIVERSAL, "aß€😀", 5, 0, 10);

  /* A newline of the file is one character where it is read as one. */
  assert_measure (TF_NEWLINE_UNIVERSAL, "a\r\nb", 2, 3, 3);
  assert_measure (TF_NEWLINE_UNIVERSAL, "a\r\nb", 3, 4, 4);
  assert_measure (TF_NEWLINE_CRLF, "a\r\nb", 2, 2, 2);
  assert_measure (TF_NEWLINE_UNIVERSAL, "a\r", 2, 0, 2);
  assert_measure (TF_NEWLINE_CR, "a\r", 2, 2, 2);
}

static void
test_from_file (void)
{
  const char *text = "one\r\ntwo\rthree\n\r\r\n";

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_autofree char *result = tf_newline_from_file (all[i], text, strlen (text));

      g_assert_cmpstr (result, ==, all[i] == TF_NEWLINE_UNIVERSAL ? "one\ntwo\nthree\n\n\n" : text);
    }
}

static void
test_to_file (void)
{
  const char *expected[] = { "one\ntwo\n\n", "one\ntwo\n\n", "one\ntwo\n\n", "one\rtwo\r\r", "one\r\ntwo\r\n\r\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_auto(TfString) result = { NULL, };
      tf_newline_to_file (all[i], "one\ntwo\n\n", 9, &result);
      g_auto(TfString) with_nul = { NULL, };
      tf_newline_to_file (all[i], "one\0two", 7, &with_nul);

      g_assert_cmpstr (tf_string_get (&result), ==, expected[i]);
      g_assert_cmpmem (tf_string_get (&with_nul), with_nul.size, "one\0two", 7);
    }
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/newline/find-end", test_find_end);
  g_test_add_func ("/newline/half", test_half_newline);
  g_test_add_func ("/newline/measure", test_measure);
  g_test_add_func ("/newline/from-file", test_from_file);
  g_test_add_func ("/newline/to-file", test_to_file);

  return tf_test_run ();
}
