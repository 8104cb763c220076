/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#if !TEMPFILE_GLIB_CHECK_VERSION (1, 0, 0)
# error "The version is not known."
#endif

static gboolean
roll_over (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (5);

  if (!tf_temp_file_write (TF_TEMP_FILE (file), "Hello world!", 12, NULL, &error))
    g_error ("%s", error->message);

  return tf_spooled_file_is_rolled_over (file);
}

/* Prints the path of a directory that is there until the process ends. */
static gboolean
leave_directory (void)
{
  static TfTempDir *dir;
  g_autoptr(GError) error = NULL;

  dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, &error);
  if (dir == NULL)
    g_error ("%s", error->message);

  g_print ("%s\n", tf_temp_dir_get_path (dir));
  return g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_IS_DIR);
}

int
main (void)
{
  return roll_over () && leave_directory () && tf_check_version (1, 0, 0) ? 0 : 1;
}
