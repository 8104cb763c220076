/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: CC0-1.0
 */

/* Streams a file through a TfSpooledFile, reads it back, copies it into a TfTempDir. */

#include <tempfile-glib.h>

#define MAX_SIZE (1024 * 1024)
#define PIECE_SIZE (64 * 1024)

static void
on_rolled_over (TfSpooledFile *spool,
                gpointer       user_data)
{
  goffset *rolled_over_at = user_data;

  *rolled_over_at = tf_temp_file_get_size (TF_TEMP_FILE (spool));
}

static gboolean
spool_file (GFile   *source,
            GError **error)
{
  g_autoptr(TfSpooledFile) spool = tf_spooled_file_new (MAX_SIZE);
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(GFileInputStream) from = NULL;
  g_autoptr(GFileOutputStream) to = NULL;
  g_autoptr(GFile) dir_file = NULL;
  g_autoptr(GFile) copy = NULL;
  g_autoptr(GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *piece = g_malloc (PIECE_SIZE);
  g_autofree char *rolled_over = NULL;
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (spool));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (spool));
  goffset rolled_over_at = -1;
  goffset size = 0;
  gssize n;

  g_signal_connect (spool, "rolled-over", G_CALLBACK (on_rolled_over), &rolled_over_at);

  /* In: from the file to the spool, which goes to disk once it outgrows MAX_SIZE. */
  from = g_file_read (source, NULL, error);
  if (from == NULL)
    return FALSE;

  while ((n = g_input_stream_read (G_INPUT_STREAM (from), piece, PIECE_SIZE, NULL, error)) > 0)
    {
      if (!g_output_stream_write_all (output, piece, n, NULL, NULL, error))
        return FALSE;
    }
  if (n < 0)
    return FALSE;

  /* Out: from the spool to a copy in a temporary directory. */
  dir = tf_temp_dir_new ("spool-", NULL, NULL, NULL, error);
  if (dir == NULL)
    return FALSE;

  copy = tf_temp_dir_get_child (dir, "copy", error);
  if (copy == NULL)
    return FALSE;

  to = g_file_create (copy, G_FILE_CREATE_PRIVATE, NULL, error);
  if (to == NULL)
    return FALSE;

  if (!g_seekable_seek (G_SEEKABLE (spool), 0, G_SEEK_SET, NULL, error))
    return FALSE;

  while ((n = g_input_stream_read (input, piece, PIECE_SIZE, NULL, error)) > 0)
    {
      g_checksum_update (checksum, piece, n);
      size += n;
      if (!g_output_stream_write_all (G_OUTPUT_STREAM (to), piece, n, NULL, NULL, error))
        return FALSE;
    }
  if (n < 0)
    return FALSE;

  if (!g_output_stream_close (G_OUTPUT_STREAM (to), NULL, error) ||
      !g_io_stream_close (G_IO_STREAM (spool), NULL, error))
    return FALSE;

  /* The directory goes with its last reference, and takes the copy with it. */
  dir_file = tf_temp_dir_get_file (dir);
  g_clear_object (&dir);
  if (g_file_query_exists (dir_file, NULL))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                   "%s is still there", g_file_peek_path (dir_file));
      return FALSE;
    }

  if (rolled_over_at < 0)
    rolled_over = g_strdup ("never");
  else
    rolled_over = g_strdup_printf ("%" G_GOFFSET_FORMAT, rolled_over_at);

  g_print ("C %" G_GOFFSET_FORMAT " bytes, rolled over at %s, sha256 %s, cleaned up\n",
           size, rolled_over, g_checksum_get_string (checksum));

  return TRUE;
}

int
main (int   argc,
      char *argv[])
{
  g_autoptr(GFile) source = NULL;
  g_autoptr(GError) error = NULL;

  if (argc != 2)
    {
      g_printerr ("Usage: %s FILE\n", argv[0]);
      return 1;
    }

  source = g_file_new_for_commandline_arg (argv[1]);
  if (!spool_file (source, &error))
    {
      g_printerr ("%s: %s\n", argv[0], error->message);
      return 1;
    }

  return 0;
}
