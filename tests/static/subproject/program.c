/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#if !TEMPFILE_GLIB_CHECK_VERSION (1, 0, 0)
# error "The version is not known."
#endif

int
main (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (5);

  if (!tf_temp_file_write (TF_TEMP_FILE (file), "Hello world!", 12, NULL, &error))
    g_error ("%s", error->message);

  return tf_spooled_file_is_rolled_over (file) && tf_check_version (1, 0, 0) ? 0 : 1;
}
