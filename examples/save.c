/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: CC0-1.0
 */

/* Saves what FILE holds as DESTINATION, as an editor would: nobody ever sees half a document, and an
 * older one keeps its permissions. */

#include <tempfile-glib.h>

#define PIECE_SIZE (64 * 1024)

typedef void (*ProgressFunc) (goffset  n_written,
                              goffset  size,
                              gpointer user_data);

static gboolean
save (const guint8  *document,
      gsize          size,
      GFile         *destination,
      ProgressFunc   progress,
      gpointer       user_data,
      GCancellable  *cancellable,
      GError       **error)
{
  g_autoptr(GFile) folder = g_file_get_parent (destination);
  g_autoptr(TfTempFile) file = NULL;

  /* In the folder of the document, so that the file itself can be given the name. */
  file = tf_temp_file_new (g_file_peek_path (folder), cancellable, error);
  if (file == NULL)
    return FALSE;

  for (gsize n = 0; n < size; n += MIN (PIECE_SIZE, size - n))
    {
      progress (n, size, user_data);
      if (!tf_temp_file_write (file, document + n, MIN (PIECE_SIZE, size - n), cancellable, error))
        return FALSE;
    }
  progress (size, size, user_data);

  /* Until here the document is as it was, whatever goes wrong. */
  return tf_temp_file_persist (file, destination,
                               TF_PERSIST_REPLACE | TF_PERSIST_FOLLOW_SYMLINK | TF_PERSIST_DURABLE,
                               cancellable, NULL, NULL, NULL, error);
}

static void
show_progress (goffset  n_written,
               goffset  size,
               gpointer user_data)
{
  int *shown = user_data;
  int percent = size > 0 ? n_written * 100 / size : 100;

  if (percent / 25 > *shown / 25)
    g_print ("%d %%\n", percent / 25 * 25);

  *shown = percent;
}

int
main (int   argc,
      char *argv[])
{
  g_autoptr(GFile) source = NULL;
  g_autoptr(GFile) destination = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *document = NULL;
  gsize size;
  int shown = 0;

  if (argc != 3)
    {
      g_printerr ("Usage: %s FILE DESTINATION\n", argv[0]);
      return 1;
    }

  source = g_file_new_for_commandline_arg (argv[1]);
  destination = g_file_new_for_commandline_arg (argv[2]);
  if (!g_file_load_contents (source, NULL, &document, &size, NULL, &error) ||
      !save ((const guint8 *) document, size, destination, show_progress, &shown, NULL, &error))
    {
      g_printerr ("%s: %s\n", argv[0], error->message);
      return 1;
    }

  return 0;
}
