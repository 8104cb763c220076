/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What control-group.py runs with little memory. Prints what it found; fails if that is wrong.
 *
 * Usage: in-control-group budget FILE-SIZE BUDGET TOTAL
 *        in-control-group pressure FILE-SIZE N
 */

#include <tempfile-glib.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MIB ((gsize) 1024 * 1024)
#define PIECE ((gsize) 16 * 1024)

static gsize
read_resident (void)
{
  g_autofree char *status = NULL;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    g_error ("no /proc/self/status");

  return strtoull (strstr (status, "VmRSS:") + strlen ("VmRSS:"), NULL, 10) * 1024;
}

static void
allow_many_descriptors (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    g_error ("getrlimit failed");

  limit.rlim_cur = limit.rlim_max;
  if (setrlimit (RLIMIT_NOFILE, &limit) != 0)
    g_error ("setrlimit failed");
}

static void
fill (TfSpooledFile *file,
      gsize          size)
{
  static const char piece[PIECE] = "not only zeros";
  g_autoptr(GError) error = NULL;

  for (gsize i = 0; i < size; i += PIECE)
    if (!tf_temp_file_write (TF_TEMP_FILE (file), piece, MIN (PIECE, size - i), NULL, &error))
      g_error ("%s", error->message);
}

/* Every third file is closed, and its bytes are kept: by a reader, or as stolen ones. */
static void
keep (TfSpooledFile *file,
      GPtrArray     *kept)
{
  guint n = kept->len % 6;

  if (n == 0)
    {
      g_ptr_array_add (kept, tf_temp_file_open_reader (TF_TEMP_FILE (file), NULL));
      g_io_stream_close (G_IO_STREAM (file), NULL, NULL);
      g_object_unref (file);
    }
  else if (n == 3)
    {
      GBytes *bytes = tf_temp_file_steal_bytes (TF_TEMP_FILE (file), NULL, NULL);

      g_object_set_data_full (G_OBJECT (file), "bytes", bytes, (GDestroyNotify) g_bytes_unref);
      g_ptr_array_add (kept, file);
    }
  else
    g_ptr_array_add (kept, file);
}

static void
test_budget (gsize size,
             gsize budget,
             gsize total)
{
  g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func (g_object_unref);
  gsize peak = 0;

  tf_set_memory_budget (budget);
  for (gsize i = 0; i < total; i += size)
    {
      TfSpooledFile *file = tf_spooled_file_new (-1);

      fill (file, size);
      keep (file, kept);
      peak = MAX (peak, read_resident ());
    }

  g_print ("%u files, %.1f MiB resident at most\n", kept->len, (double) peak / MIB);
  if (peak > budget * 1.1 + 16 * MIB)
    g_error ("more than 1.1 times the budget and 16 MiB");
}

static gboolean
give_up (gpointer user_data)
{
  g_error ("nothing has rolled over");
  return G_SOURCE_REMOVE;
}

static void
test_pressure (gsize size,
               guint n)
{
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  TfSpooledFile *small = tf_spooled_file_new (-1);

  g_ptr_array_add (files, small);
  fill (small, 1000);
  for (guint i = 0; i < n; i++)
    {
      g_ptr_array_add (files, tf_spooled_file_new (-1));
      fill (files->pdata[i + 1], size);
    }

  tf_set_roll_over_on_low_memory (TRUE);
  g_print ("waiting\n");
  g_timeout_add_seconds (60, give_up, NULL);
  for (guint i = 0; i < n; i++)
    while (!tf_spooled_file_is_rolled_over (files->pdata[i + 1]))
      g_main_context_iteration (NULL, TRUE);

  if (tf_spooled_file_is_rolled_over (small))
    g_error ("a small file has rolled over");
  g_print ("all large files have rolled over\n");
}

int
main (int    argc,
      char **argv)
{
  setvbuf (stdout, NULL, _IOLBF, 0);
  allow_many_descriptors ();
  if (argc == 5 && strcmp (argv[1], "budget") == 0)
    test_budget (strtoull (argv[2], NULL, 10), strtoull (argv[3], NULL, 10), strtoull (argv[4], NULL, 10));
  else if (argc == 4 && strcmp (argv[1], "pressure") == 0)
    test_pressure (strtoull (argv[2], NULL, 10), strtoull (argv[3], NULL, 10));
  else
    return 2;

  return 0;
}
