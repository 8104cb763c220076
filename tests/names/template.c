/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "names/tf-template.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test.h"

#define ALPHABET "abcdefghijklmnopqrstuvwxyz0123456789_"

static const TfTemplate plain = { NULL, };

typedef gboolean (*FillFunc) (guint8 *bytes,
                              gsize   n_bytes);

static guint8 next_byte;
static guint n_fills;

static char *
new_name (const TfTemplate *template)
{
  g_autoptr(GError) error = NULL;
  char *name = tf_template_make_name (template, &error);

  g_assert_no_error (error);
  return name;
}

static void
test_form (void)
{
  const TfTemplate template = { .prefix = (char *) "pre-", .suffix = (char *) ".txt" };
  g_autofree char *by_default = new_name (&plain);
  g_autofree char *name = new_name (&template);

  g_assert_cmpuint (strlen (by_default), ==, strlen ("tmp") + 8);
  g_assert_true (g_str_has_prefix (by_default, "tmp"));
  g_assert_cmpuint (strspn (by_default + strlen ("tmp"), ALPHABET), ==, 8);

  g_assert_cmpuint (strlen (name), ==, strlen ("pre-") + 8 + strlen (".txt"));
  g_assert_true (g_str_has_prefix (name, "pre-"));
  g_assert_true (g_str_has_suffix (name, ".txt"));
  g_assert_cmpuint (strspn (name + strlen ("pre-"), ALPHABET), ==, 8);
}

static void
test_empty_parts (void)
{
  const TfTemplate template = { .prefix = (char *) "", .suffix = (char *) "" };
  g_autofree char *name = new_name (&template);

  g_assert_cmpuint (strlen (name), ==, 8);
  g_assert_cmpuint (strspn (name, ALPHABET), ==, 8);
}

/* Nothing in a name depends on the locale's encoding. */
static void
test_not_utf8 (void)
{
  const TfTemplate template = { .prefix = (char *) "\xff-", .suffix = (char *) "-\xfe" };
  g_autofree char *name = new_name (&template);

  g_assert_true (g_str_has_prefix (name, "\xff-"));
  g_assert_true (g_str_has_suffix (name, "-\xfe"));
}

static void
test_distinct (void)
{
  g_autoptr(GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < 10000; i++)
    g_assert_true (g_hash_table_add (names, new_name (&plain)));
}

static void
test_distinct_after_fork (void)
{
  g_autofree char *ours = NULL;
  char theirs[32] = "";
  int fds[2], status;
  pid_t pid;

  g_assert_cmpint (pipe (fds), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      char *name = new_name (&plain);
      gboolean written = write (fds[1], name, strlen (name)) > 0;

      g_free (name);
      _exit (written ? 0 : 1);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  ours = new_name (&plain);
  g_assert_cmpint (read (fds[0], theirs, sizeof theirs - 1), ==, strlen (ours));
  g_assert_cmpstr (ours, !=, theirs);
  close (fds[0]);
  close (fds[1]);
}

static gboolean
fill_with_next_byte (guint8 *bytes,
                     gsize   n_bytes)
{
  for (gsize i = 0; i < n_bytes; i++)
    bytes[i] = i % 2 == 0 ? next_byte : 0;

  return TRUE;
}

/* Over all values of a random byte, each character comes up equally often: exactly 4 times. */
static void
test_uniform (void)
{
  FillFunc fill_random = tf_template_fill_random;
  guint counts[256] = { 0, };

  tf_template_fill_random = fill_with_next_byte;
  for (guint byte = 0; byte < 256; byte++)
    {
      g_autofree char *name = NULL;
      char first;

      next_byte = byte;
      name = new_name (&plain);
      first = name[strlen ("tmp")];
      /* Was the byte dropped, then what follows it, a 0, made all characters: "aaaaaaaa". */
      if (first != 'a' || (byte & 63) == 0)
        counts[(guint8) first]++;
    }
  tf_template_fill_random = fill_random;

  for (const char *c = ALPHABET; *c != '\0'; c++)
    g_assert_cmpuint (counts[(guint8) *c], ==, 4);
}

/* With the kernel's bytes: 16 000 characters, each 432 times give or take 20 (one sigma). */
static void
test_spread (void)
{
  guint counts[256] = { 0, };

  for (guint i = 0; i < 2000; i++)
    {
      g_autofree char *name = new_name (&plain);

      for (const char *c = name + strlen ("tmp"); *c != '\0'; c++)
        counts[(guint8) *c]++;
    }

  for (const char *c = ALPHABET; *c != '\0'; c++)
    {
      g_assert_cmpuint (counts[(guint8) *c], >, 432 - 8 * 20);
      g_assert_cmpuint (counts[(guint8) *c], <, 432 + 8 * 20);
    }
}

static void
assert_refused (const char   *prefix,
                const char   *suffix,
                GIOErrorEnum  code,
                const char   *in_message)
{
  const TfTemplate template = { .prefix = (char *) prefix, .suffix = (char *) suffix };
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) again = NULL;

  g_assert_false (tf_template_check (&template, &error));
  g_assert_error (error, G_IO_ERROR, (gint) code);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_nonnull (strstr (error->message, in_message));

  g_assert_null (tf_template_make_name (&template, &again));
  g_assert_error (again, G_IO_ERROR, (gint) code);
}

static void
test_slash (void)
{
  assert_refused ("a/b", NULL, G_IO_ERROR_INVALID_FILENAME, "prefix “a/b”");
  assert_refused ("/", NULL, G_IO_ERROR_INVALID_FILENAME, "prefix “/”");
  assert_refused ("../", NULL, G_IO_ERROR_INVALID_FILENAME, "prefix “../”");
  assert_refused (NULL, "a/", G_IO_ERROR_INVALID_FILENAME, "suffix “a/”");
  assert_refused (NULL, "/..", G_IO_ERROR_INVALID_FILENAME, "suffix “/..”");
  assert_refused ("\xff/", NULL, G_IO_ERROR_INVALID_FILENAME, "prefix");
}

static void
test_length (void)
{
  g_autofree char *longest = g_strnfill (NAME_MAX - 8, 'x');
  g_autofree char *too_long = g_strnfill (NAME_MAX - 8 + 1, 'x');
  g_autofree char *with_default_prefix = g_strnfill (NAME_MAX - 8 - strlen ("tmp") + 1, 'x');
  const TfTemplate prefix = { .prefix = longest, .suffix = (char *) "" };
  const TfTemplate suffix = { .prefix = (char *) "", .suffix = longest };
  g_autofree char *with_prefix = new_name (&prefix);
  g_autofree char *with_suffix = new_name (&suffix);

  g_assert_cmpuint (strlen (with_prefix), ==, NAME_MAX);
  g_assert_cmpuint (strlen (with_suffix), ==, NAME_MAX);
  assert_refused (too_long, "", G_IO_ERROR_FILENAME_TOO_LONG, "256 bytes");
  assert_refused ("", too_long, G_IO_ERROR_FILENAME_TOO_LONG, "256 bytes");
  assert_refused (longest, "y", G_IO_ERROR_FILENAME_TOO_LONG, "256 bytes");
  assert_refused (NULL, with_default_prefix, G_IO_ERROR_FILENAME_TOO_LONG, "256 bytes");
}

static gboolean
fill_with_nothing_usable_once (guint8 *bytes,
                               gsize   n_bytes)
{
  n_fills++;
  if (n_fills > 1)
    {
      errno = EIO;
      return FALSE;
    }

  memset (bytes, 0xff, n_bytes);
  return TRUE;
}

static void
test_no_randomness (void)
{
  FillFunc fill_random = tf_template_fill_random;
  g_autoptr(GError) error = NULL;
  g_autofree char *expected = g_strdup_printf ("getrandom: %s", g_strerror (EIO));

  n_fills = 0;
  tf_template_fill_random = fill_with_nothing_usable_once;
  g_assert_null (tf_template_make_name (&plain, &error));
  tf_template_fill_random = fill_random;

  g_assert_cmpuint (n_fills, ==, 2);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpstr (error->message, ==, expected);
}

static void
test_clear (void)
{
  TfTemplate template = { .dir = g_strdup ("d"), .prefix = g_strdup ("p"), .suffix = g_strdup ("s") };

  tf_template_clear (&template);
  g_assert_null (template.dir);
  g_assert_null (template.prefix);
  g_assert_null (template.suffix);
  tf_template_clear (&template);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/template/form", test_form);
  g_test_add_func ("/template/empty-parts", test_empty_parts);
  g_test_add_func ("/template/not-utf8", test_not_utf8);
  g_test_add_func ("/template/distinct", test_distinct);
  g_test_add_func ("/template/distinct-after-fork", test_distinct_after_fork);
  g_test_add_func ("/template/uniform", test_uniform);
  g_test_add_func ("/template/spread", test_spread);
  g_test_add_func ("/template/slash", test_slash);
  g_test_add_func ("/template/length", test_length);
  g_test_add_func ("/template/no-randomness", test_no_randomness);
  g_test_add_func ("/template/clear", test_clear);

  return tf_test_run ();
}
