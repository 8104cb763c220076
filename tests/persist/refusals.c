/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Persisting where the file system refuses a kind of call for ever, or reports an error late. The linker puts the
 * functions below in place of the C library's, see the list of them in meson.build. */

#include <tempfile-glib.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tf-test-files.h"
#include "tf-test.h"

/* What fails, and with which errno; 0: nothing. */
static int close_errno;

static gboolean
is_written (int fd)
{
  struct stat st;

  return (fcntl (fd, F_GETFL) & O_ACCMODE) == O_RDWR &&
         fstat (fd, &st) == 0 && S_ISREG (st.st_mode) && st.st_size > 0;
}

int __real_close (int fd);
int __wrap_close (int fd);

/* As where bytes are sent to a server when a descriptor is closed. */
int
__wrap_close (int fd)
{
  gboolean fails = close_errno != 0 && is_written (fd);
  int result = __real_close (fd);

  if (!fails)
    return result;

  errno = close_errno;
  return -1;
}

static GFile *
put_old (void)
{
  GFile *doc = g_file_new_for_path ("doc");

  g_assert_true (g_file_set_contents ("doc", "old", 3, NULL));
  g_assert_cmpint (chmod ("doc", 0640), ==, 0);
  return doc;
}

static void
assert_doc (const char *expected)
{
  g_autofree char *content = NULL;

  g_assert_true (g_file_get_contents ("doc", &content, NULL, NULL));
  g_assert_cmpstr (content, ==, expected);
}

/* Nothing is left beside the document. */
static void
remove_doc (void)
{
  g_assert_cmpint (unlink ("doc"), ==, 0);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

/* A quota that is reported when a descriptor is closed. */
static void
test_late_error (gconstpointer data)
{
  const TfPersistFlags flags[] = { TF_PERSIST_REPLACE, TF_PERSIST_REPLACE | TF_PERSIST_DURABLE };

  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      g_autoptr(TfTempFile) file = tf_test_kind_make (data);
      g_autoptr(GFile) doc = put_old ();
      g_autoptr(GError) error = NULL;

      tf_test_write (file, "new");
      close_errno = EDQUOT;
      g_assert_false (tf_temp_file_persist (file, doc, flags[i], NULL, &error));
      close_errno = 0;
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
      assert_doc ("old");

      g_assert_true (tf_temp_file_persist (file, doc, flags[i], NULL, NULL));
      assert_doc ("new");
      g_clear_object (&file);
      remove_doc ();
    }
}

/* The same where a file in memory goes to disk: it stays in memory. */
static void
test_late_error_of_rollover (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GError) error = NULL;

  tf_test_write (file, "new");
  close_errno = EDQUOT;
  g_assert_false (tf_spooled_file_rollover (TF_SPOOLED_FILE (file), NULL, &error));
  close_errno = 0;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_false (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));
  tf_test_assert_file (file, 3, "new", 3);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  tf_test_add_for_kinds ("refusals", "late-error", test_late_error);
  g_test_add_func ("/refusals/late-error-of-rollover", test_late_error_of_rollover);

  return tf_test_run ();
}
