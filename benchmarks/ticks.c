/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How long a main loop stands still, at the longest, while much is written and a large tree is removed: a tick
 * comes every millisecond, and the longest time between two of them is what is reported. Sizes are those of
 * the command line, in MiB and in files: ticks [MIB [FILES]]. */

#include <tempfile-glib.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE_SIZE (1 << 20)
#define MAX_SIZE (32 << 20)
#define FILES_PER_DIR 100

typedef struct
{
  gint64 last;
  gint64 longest;
  guint source_id;
} Ticks;

static gboolean
tick (gpointer data)
{
  Ticks *ticks = data;
  gint64 now = g_get_monotonic_time ();

  ticks->longest = MAX (ticks->longest, now - ticks->last);
  ticks->last = now;
  return G_SOURCE_CONTINUE;
}

static void
ticks_start (Ticks *ticks)
{
  *ticks = (Ticks) { .last = g_get_monotonic_time () };
  ticks->source_id = g_timeout_add_full (G_PRIORITY_HIGH, 1, tick, ticks, NULL);
}

/* Returns the longest gap in milliseconds, the last one included. */
static double
ticks_stop (Ticks *ticks)
{
  tick (ticks);
  g_source_remove (ticks->source_id);
  return ticks->longest / 1000.0;
}

static void
check (gboolean  success,
       GError   *error)
{
  g_assert_no_error (error);
  g_assert_true (success);
}

typedef struct
{
  TfSpooledFile *file;
  GBytes *piece;
  gsize n_left;
  gboolean done;
} Writing;

static void write_next (Writing *writing);

static void
on_written (GObject      *file,
            GAsyncResult *result,
            gpointer      data)
{
  g_autoptr(GError) error = NULL;

  check (tf_temp_file_write_bytes_finish (TF_TEMP_FILE (file), result, &error), error);
  write_next (data);
}

static void
write_next (Writing *writing)
{
  writing->done = writing->n_left == 0;
  if (writing->done)
    return;

  writing->n_left--;
  tf_temp_file_write_bytes_async (TF_TEMP_FILE (writing->file), writing->piece, G_PRIORITY_DEFAULT, NULL,
                                  on_written, writing);
}

static double
write_file (gsize    n_pieces,
            gboolean async)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (MAX_SIZE);
  g_autoptr(GBytes) piece = g_bytes_new_take (g_malloc0 (PIECE_SIZE), PIECE_SIZE);
  g_autoptr(GError) error = NULL;
  Writing writing = { file, piece, n_pieces, FALSE };
  Ticks ticks;
  double longest;

  ticks_start (&ticks);
  if (async)
    {
      write_next (&writing);
      while (!writing.done)
        g_main_context_iteration (NULL, TRUE);
    }
  else
    {
      for (gsize i = 0; i < n_pieces; i++)
        check (tf_temp_file_write_bytes (TF_TEMP_FILE (file), piece, NULL, &error), error);
    }
  longest = ticks_stop (&ticks);

  if (tf_temp_file_get_size (TF_TEMP_FILE (file)) != (goffset) n_pieces * PIECE_SIZE)
    g_error ("The file has %" G_GOFFSET_FORMAT " bytes", tf_temp_file_get_size (TF_TEMP_FILE (file)));

  return longest;
}

static TfTempDir *
make_tree (gsize n_files)
{
  g_autoptr(GError) error = NULL;
  TfTempDir *dir = tf_temp_dir_new ("ticks-", NULL, NULL, NULL, &error);

  check (dir != NULL, error);
  for (gsize i = 0; i < n_files; i++)
    {
      g_autofree char *parent = g_strdup_printf ("%s/%zu", tf_temp_dir_get_path (dir), i / FILES_PER_DIR);
      g_autofree char *path = g_strdup_printf ("%s/%zu", parent, i);
      int fd;

      if (i % FILES_PER_DIR == 0 && g_mkdir_with_parents (parent, 0700) != 0)
        g_error ("Cannot make %s", parent);
      fd = open (path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
      if (fd < 0)
        g_error ("Cannot create %s", path);
      close (fd);
    }

  return dir;
}

static void
on_cleaned (GObject      *dir,
            GAsyncResult *result,
            gpointer      done)
{
  g_autoptr(GError) error = NULL;

  check (tf_temp_dir_cleanup_finish (TF_TEMP_DIR (dir), result, &error), error);
  *(gboolean *) done = TRUE;
}

static double
remove_tree (gsize    n_files,
             gboolean async)
{
  g_autoptr(TfTempDir) dir = make_tree (n_files);
  g_autoptr(GError) error = NULL;
  gboolean done = FALSE;
  Ticks ticks;

  ticks_start (&ticks);
  if (async)
    {
      tf_temp_dir_cleanup_async (dir, G_PRIORITY_DEFAULT, NULL, on_cleaned, &done);
      while (!done)
        g_main_context_iteration (NULL, TRUE);
    }
  else
    {
      check (tf_temp_dir_cleanup (dir, NULL, &error), error);
    }

  return ticks_stop (&ticks);
}

int
main (int    argc,
      char **argv)
{
  gsize n_pieces = argc > 1 ? strtoul (argv[1], NULL, 10) : 512;
  gsize n_files = argc > 2 ? strtoul (argv[2], NULL, 10) : 50000;

  g_print ("Longest time without a tick, in ms   asynchronous   synchronous\n");
  for (gsize i = 8; i > 0; i /= 8)
    {
      gsize mib = n_pieces / i;
      gsize files = n_files / i;

      g_print ("write %8zu MiB, rolling over %17.1f", mib, write_file (mib, TRUE));
      g_print ("%14.1f\n", write_file (mib, FALSE));
      g_print ("remove %7zu files             %17.1f", files, remove_tree (files, TRUE));
      g_print ("%14.1f\n", remove_tree (files, FALSE));
    }

  return 0;
}
