/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: CC0-1.0
 */

/* Downloads a URI, in memory as long as it is small, and names it only when all of it has arrived. */

#include <tempfile-glib.h>

#define MAX_SIZE (1024 * 1024)

typedef struct
{
  GMainLoop     *loop;
  TfSpooledFile *spool;
  GFile         *destination;
  GError        *error;
} Download;

static void
finish (Download *download,
        GError   *error)
{
  download->error = error;
  g_main_loop_quit (download->loop);
}

static void
on_persisted (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  GError *error = NULL;

  tf_temp_file_persist_finish (TF_TEMP_FILE (source), result, NULL, &error);
  finish (user_data, error);
}

static void
on_spooled (GObject      *source,
            GAsyncResult *result,
            gpointer      user_data)
{
  Download *download = user_data;
  GError *error = NULL;

  if (g_output_stream_splice_finish (G_OUTPUT_STREAM (source), result, &error) < 0)
    {
      finish (download, error);
      return;
    }

  g_print ("%" G_GOFFSET_FORMAT " bytes, %s\n",
           tf_temp_file_get_size (TF_TEMP_FILE (download->spool)),
           tf_spooled_file_is_rolled_over (download->spool) ? "on disk" : "in memory");

  /* Refuses to replace what is there: a download is not the right to lose a file. */
  tf_temp_file_persist_async (TF_TEMP_FILE (download->spool), download->destination, TF_PERSIST_NONE,
                              G_PRIORITY_DEFAULT, NULL, NULL, NULL, NULL, on_persisted, download);
}

static void
on_opened (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  Download *download = user_data;
  g_autoptr(GFileInputStream) from = NULL;
  GError *error = NULL;

  from = g_file_read_finish (G_FILE (source), result, &error);
  if (from == NULL)
    {
      finish (download, error);
      return;
    }

  g_output_stream_splice_async (g_io_stream_get_output_stream (G_IO_STREAM (download->spool)),
                                G_INPUT_STREAM (from),
                                G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE,
                                G_PRIORITY_DEFAULT, NULL, on_spooled, download);
}

int
main (int   argc,
      char *argv[])
{
  g_autoptr(GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr(TfSpooledFile) spool = tf_spooled_file_new (MAX_SIZE);
  g_autoptr(GFile) source = NULL;
  g_autoptr(GFile) destination = NULL;
  Download download = { loop, spool, NULL, NULL };

  if (argc != 3)
    {
      g_printerr ("Usage: %s URI DESTINATION\n", argv[0]);
      return 1;
    }

  source = g_file_new_for_commandline_arg (argv[1]);
  destination = g_file_new_for_commandline_arg (argv[2]);
  download.destination = destination;
  g_file_read_async (source, G_PRIORITY_DEFAULT, NULL, on_opened, &download);
  g_main_loop_run (loop);

  if (download.error != NULL)
    {
      g_printerr ("%s: %s\n", argv[0], download.error->message);
      g_error_free (download.error);
      return 1;
    }

  return 0;
}
