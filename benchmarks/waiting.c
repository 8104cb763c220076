/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How long a main loop stands still that asks a file for its size, its position and a piece of it while a worker
 * copies all bytes, and how long a cancelled operation goes on.
 *
 * waiting [MIB [DIR [OTHER-DIR]]]: OTHER-DIR is on another file system, so that persisting copies. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* for RUSAGE_THREAD */
#endif

#include <tempfile-glib.h>

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define PIECE (8 * 1024 * 1024)
#define MAX_CALLS 10000

typedef struct
{
  const char *name;
  gint64 worst; /* in microseconds */
} Call;

static Call calls[] = { { "get_size" }, { "tell" }, { "is_rolled_over" }, { "open_reader" }, { "read 4 KiB" } };

static const char *dir;
static const char *other_dir;
static gboolean is_done;
static gboolean has_failed;

static void
on_done (GObject      *object,
         GAsyncResult *result,
         gpointer      user_data)
{
  is_done = TRUE;
  has_failed = g_task_had_error (G_TASK (result));
}

static gint64 began;
static long n_preempted;

static long
count_preemptions (void)
{
  struct rusage usage;

  getrusage (RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

static void
begin (void)
{
  n_preempted = count_preemptions ();
  began = g_get_monotonic_time ();
}

/* A call during which another program took the processor says nothing. */
static void
end (guint i)
{
  gint64 took = g_get_monotonic_time () - began;

  if (count_preemptions () == n_preempted)
    calls[i].worst = MAX (calls[i].worst, took);
}

static void
call_each (TfTempFile *file)
{
  g_autoptr(GInputStream) reader = NULL;
  char buffer[4096];

  begin ();
  tf_temp_file_get_size (file);
  end (0);
  begin ();
  g_seekable_tell (G_SEEKABLE (file));
  end (1);
  begin ();
  if (TF_IS_SPOOLED_FILE (file))
    tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file));
  end (2);
  begin ();
  reader = tf_temp_file_open_reader (file, NULL);
  end (3);
  begin ();
  if (g_input_stream_read (reader, buffer, sizeof buffer, NULL, NULL) != sizeof buffer)
    g_error ("A reader cannot read");
  end (4);
}

static TfTempFile *
make_file (gboolean in_memory,
           guint    n_mib)
{
  g_autofree char *piece = g_strnfill (PIECE, 'x');
  g_autoptr(GError) error = NULL;
  TfTempFile *file = in_memory ? TF_TEMP_FILE (tf_spooled_file_new_full (-1, NULL, NULL, dir))
                               : tf_temp_file_new (dir, NULL, &error);

  for (guint i = 0; file != NULL && i < n_mib / 8; i++)
    if (!tf_temp_file_write (file, piece, PIECE, NULL, &error))
      break;
  if (error != NULL)
    g_error ("%s", error->message);
  return file;
}

static void
start (TfTempFile   *file,
       const char   *what,
       GCancellable *cancellable)
{
  g_autofree char *path = g_build_filename (other_dir, "waiting-persisted", NULL);
  g_autoptr(GFile) place = g_file_new_for_path (path);

  is_done = FALSE;
  if (g_str_equal (what, "rollover"))
    tf_spooled_file_rollover_async (TF_SPOOLED_FILE (file), 0, cancellable, on_done, NULL);
  else if (g_str_equal (what, "seal"))
    tf_temp_file_seal_async (file, 0, cancellable, on_done, NULL);
  else
    tf_temp_file_persist_async (file, place, TF_PERSIST_REPLACE | (g_str_equal (what, "durable") ? TF_PERSIST_DURABLE : 0),
                                0, cancellable, NULL, NULL, NULL, on_done, NULL);
}

static void
measure (const char *what,
         guint       n_mib)
{
  gboolean in_memory = g_str_equal (what, "rollover");
  g_autoptr(TfTempFile) file = make_file (in_memory, n_mib);
  g_autoptr(TfTempFile) again = make_file (in_memory, n_mib);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  gint64 started = g_get_monotonic_time ();
  gint64 took;
  guint n_calls = 0;

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    calls[i].worst = 0;

  start (file, what, NULL);
  while (!is_done)
    {
      if (n_calls < MAX_CALLS)
        call_each (file);
      n_calls++;
      g_main_context_iteration (NULL, n_calls >= MAX_CALLS);
    }
  took = g_get_monotonic_time () - started;
  if (has_failed)
    g_error ("The operation failed");

  g_print ("%-9s %u MiB in %" G_GINT64_FORMAT " ms, %u rounds; worst in us:", what, n_mib, took / 1000, n_calls);
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    g_print (" %s %" G_GINT64_FORMAT, calls[i].name, calls[i].worst);

  start (again, what, cancellable);
  g_usleep (50 * 1000);
  started = g_get_monotonic_time ();
  g_cancellable_cancel (cancellable);
  while (!is_done)
    g_main_context_iteration (NULL, TRUE);
  if (has_failed)
    g_print ("; cancelled in %" G_GINT64_FORMAT " ms\n", (g_get_monotonic_time () - started) / 1000);
  else
    g_print ("; done before it was cancelled\n");
}

int
main (int    argc,
      char **argv)
{
  const char *operations[] = { "rollover", "seal", "persist", "durable" };
  guint n_mib = argc > 1 ? atoi (argv[1]) : 512;
  g_autofree char *path = NULL;

  dir = argc > 2 ? argv[2] : tf_get_temp_dir (NULL);
  other_dir = argc > 3 ? argv[3] : "/var/tmp";
  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    measure (operations[i], n_mib);

  path = g_build_filename (other_dir, "waiting-persisted", NULL);
  unlink (path);
  return 0;
}
