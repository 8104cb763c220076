/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include "tf-test.h"

static void
test_write_read (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, &error);
  g_autoptr(GBytes) bytes = NULL;

  g_assert_no_error (error);
  g_assert_true (tf_temp_file_write (file, "Hello world!", 12, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 12);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 6, G_SEEK_SET, NULL, &error));
  bytes = tf_temp_file_read_bytes (file, G_MAXSIZE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "world!", 6);

  g_assert_finalize_object (g_steal_pointer (&file));
}

static void
test_not_initialized (void)
{
  g_autoptr(TfTempFile) file = g_object_new (TF_TYPE_TEMP_FILE, NULL);
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_temp_file_write (file, "x", 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/temp-file/write-read", test_write_read);
  g_test_add_func ("/temp-file/not-initialized", test_not_initialized);

  return tf_test_run ();
}
