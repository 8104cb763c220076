/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: CC0-1.0
 */

/* The C example of README.md, made a program. */

#include <tempfile-glib.h>

int
main (void)
{
  g_autoptr(GError) error = NULL;

  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (1024 * 1024));
  char start[6] = "";
  if (tf_temp_file_write (file, "Hello, world", 12, NULL, &error) &&
      g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error) &&
      tf_temp_file_read (file, start, 5, NULL, &error) == 5)
    g_print ("%s, of %d bytes\n", start, (int) tf_temp_file_get_size (file));

  if (error != NULL)
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }

  return 0;
}
