/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "base/tf-string.h"

#include <errno.h>

#include "tf-test.h"

/* The largest size that there is memory for. */
static gsize largest = G_MAXSIZE;

gpointer __real_g_try_realloc (gpointer data, gsize size);
gpointer __wrap_g_try_realloc (gpointer data, gsize size);

gpointer
__wrap_g_try_realloc (gpointer data,
                      gsize    size)
{
  return size <= largest ? __real_g_try_realloc (data, size) : NULL;
}

static void
assert_string (TfString   *string,
               const char *expected)
{
  g_assert_cmpstr (tf_string_get (string), ==, expected);
  g_assert_cmpuint (string->size, ==, strlen (expected));
}

static void
test_append (void)
{
  g_auto(TfString) string = { NULL, };

  assert_string (&string, "");
  g_assert_null (string.data);
  tf_string_append (&string, NULL, 0);
  g_assert_nonnull (string.data);
  assert_string (&string, "");

  tf_string_append (&string, "abc", 3);
  tf_string_append (&string, "de", 2);
  assert_string (&string, "abcde");
  tf_string_erase (&string, 2);
  assert_string (&string, "cde");
  tf_string_truncate (&string, 1);
  assert_string (&string, "c");
  tf_string_erase (&string, 1);
  assert_string (&string, "");
  g_assert_true (tf_string_check (&string, "call", NULL, NULL));

  tf_string_clear (&string);
  assert_string (&string, "");
}

static void
test_small (void)
{
  g_auto(TfString) string = tf_string_new_small (4);

  assert_string (&string, "");
  largest = 0;
  tf_string_append (&string, "abc", 3);
  largest = G_MAXSIZE;
  g_assert_true (tf_string_check (&string, "call", NULL, NULL));
  assert_string (&string, "abc");
}

/* There is no gap in it, even if there is room for what comes after what there was no room for. */
static void
test_failure_sticks (void)
{
  g_auto(TfString) string = { NULL, };
  g_autoptr(GError) error = NULL;

  tf_string_append (&string, "abc", 3);
  g_assert_true (tf_string_grow (&string, 5));
  largest = 10;
  tf_string_append (&string, "0123456789", 10);
  tf_string_append (&string, "d", 1);
  assert_string (&string, "abc");
  g_assert_false (tf_string_check (&string, "call", "/path", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_true (g_str_has_prefix (error->message, "call “/path”: "));

  /* Once it was asked for, it is over. */
  tf_string_append (&string, "d", 1);
  g_assert_true (tf_string_check (&string, "call", NULL, NULL));
  assert_string (&string, "abcd");

  largest = G_MAXSIZE;
  g_assert_false (tf_string_grow (&string, G_MAXSIZE));
  g_assert_false (tf_string_check (&string, "call", NULL, NULL));
}

/* What fits is not refused because twice as much would not. */
static void
test_no_room_to_double (void)
{
  g_auto(TfString) string = { NULL, };

  tf_string_append (&string, "01234567", 8);
  largest = 11;
  tf_string_append (&string, "89", 2);
  largest = G_MAXSIZE;
  g_assert_true (tf_string_check (&string, "call", NULL, NULL));
  assert_string (&string, "0123456789");
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/string/append", test_append);
  g_test_add_func ("/string/small", test_small);
  g_test_add_func ("/string/failure-sticks", test_failure_sticks);
  g_test_add_func ("/string/no-room-to-double", test_no_room_to_double);

  return tf_test_run ();
}
