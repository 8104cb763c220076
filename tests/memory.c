/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <string.h>
#include <unistd.h>

#include "store/tf-file.h"
#include "store/tf-memory-pool.h"
#include "tf-test.h"

#define N_THREADS 4
#define N_ROUNDS 300

static void
write_zeros (TfSpooledFile *file,
             gsize          count)
{
  g_autofree char *zeros = g_malloc0 (count);
  g_autoptr(GError) error = NULL;

  tf_temp_file_write (TF_TEMP_FILE (file), zeros, count, NULL, &error);
  g_assert_no_error (error);
}

static void
test_budget_exact (void)
{
  g_autoptr(TfSpooledFile) first = tf_spooled_file_new (-1);
  g_autoptr(TfSpooledFile) second = tf_spooled_file_new (-1);
  g_autoptr(TfSpooledFile) third = tf_spooled_file_new (-1);

  tf_set_memory_budget (1000);
  write_zeros (first, 600);
  write_zeros (second, 400);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 1000);
  g_assert_false (tf_spooled_file_is_rolled_over (second));

  write_zeros (second, 1);
  g_assert_true (tf_spooled_file_is_rolled_over (second));
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 600);

  /* What is overwritten is not counted twice; what is cut off is free again. */
  g_assert_true (g_seekable_seek (G_SEEKABLE (first), 0, G_SEEK_SET, NULL, NULL));
  write_zeros (first, 600);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 600);
  g_assert_true (g_seekable_truncate (G_SEEKABLE (first), 100, NULL, NULL));
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 100);

  write_zeros (third, 900);
  g_assert_false (tf_spooled_file_is_rolled_over (third));
  g_assert_true (g_io_stream_close (G_IO_STREAM (third), NULL, NULL));
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 100);

  g_clear_object (&first);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_set_memory_budget (0);
}

/* Bytes that come one by one are counted as those that come at once. */
static void
test_budget_pieces (void)
{
  g_autoptr(TfSpooledFile) before = tf_spooled_file_new (-1);
  g_autoptr(TfSpooledFile) after = tf_spooled_file_new (-1);

  write_zeros (before, 1);
  tf_set_memory_budget (1000);
  for (int i = 0; i < 299; i++)
    write_zeros (before, 1);
  for (int i = 0; i < 700; i++)
    write_zeros (after, 1);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 1000);
  g_assert_false (tf_spooled_file_is_rolled_over (before));
  g_assert_false (tf_spooled_file_is_rolled_over (after));

  write_zeros (after, 1);
  g_assert_true (tf_spooled_file_is_rolled_over (after));
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 300);
  tf_set_memory_budget (0);
}

/* A budget that comes later counts what is there. */
static void
test_budget_later (void)
{
  g_autoptr(TfSpooledFile) first = tf_spooled_file_new (-1);
  g_autoptr(TfSpooledFile) second = tf_spooled_file_new (-1);

  write_zeros (first, 600);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_set_memory_budget (1000);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 600);
  write_zeros (second, 401);
  g_assert_true (tf_spooled_file_is_rolled_over (second));

  tf_set_memory_budget (500);
  g_assert_false (tf_spooled_file_is_rolled_over (first));
  write_zeros (first, 1);
  g_assert_true (tf_spooled_file_is_rolled_over (first));
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_set_memory_budget (0);
}

/* When the disk refuses, what is counted is what is there. */
static void
test_budget_refused (void)
{
  g_autoptr(TfSpooledFile) file = g_object_new (TF_TYPE_SPOOLED_FILE, "max-size", (gint64) -1, "dir", "/nonexistent", NULL);
  g_autoptr(GError) error = NULL;
  char zeros[200] = "";

  tf_set_memory_budget (100);
  write_zeros (file, 60);
  g_assert_false (tf_temp_file_write (TF_TEMP_FILE (file), zeros, sizeof zeros, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 60);
  tf_set_memory_budget (0);
}

static gpointer
work (gpointer data)
{
  for (int i = 0; i < N_ROUNDS; i++)
    {
      g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);

      for (int j = 0; j < 10; j++)
        {
          write_zeros (file, 97);
          g_assert_cmpuint (tf_memory_pool_get_held (), <=, 3000);
        }

      if (i % 3 == 0)
        g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 11, NULL, NULL));
      if (i % 7 == 0)
        g_assert_true (tf_spooled_file_rollover (file, NULL, NULL));
    }

  return NULL;
}

static void
test_budget_threads (void)
{
  GThread *threads[N_THREADS];

  tf_set_memory_budget (3000);
  for (int i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new (NULL, work, NULL);
  for (int i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);

  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_set_memory_budget (0);
}

/* A file that is in use is counted when the call that uses it is done. */
static void
test_budget_while_in_use (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  TfStore *store = tf_file_get_store (file);

  write_zeros (file, 1000);
  g_assert_true (tf_store_lock (store, NULL, NULL));
  alarm (60);
  tf_set_memory_budget (4000);
  alarm (0);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_store_unlock (store);
  g_assert_cmpuint (tf_memory_pool_get_held (), >=, 1000);

  g_clear_object (&file);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_set_memory_budget (0);
}

static void
note_thread (TfSpooledFile  *file,
             GThread       **thread)
{
  g_assert_null (*thread);
  *thread = g_thread_self ();
}

static void
warn (void)
{
  g_autoptr(GMemoryMonitor) monitor = g_memory_monitor_dup_default ();

  g_signal_emit_by_name (monitor, "low-memory-warning", G_MEMORY_MONITOR_WARNING_LEVEL_LOW);
}

static void
test_low_memory (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  g_autoptr(TfSpooledFile) empty = tf_spooled_file_new (-1);
  GThread *emitted_in = NULL;

  write_zeros (file, 1000);
  g_signal_connect (file, "rolled-over", G_CALLBACK (note_thread), &emitted_in);

  /* Not asked for. */
  warn ();
  g_assert_false (tf_spooled_file_is_rolled_over (file));

  tf_set_roll_over_on_low_memory (TRUE);
  tf_set_roll_over_on_low_memory (TRUE);
  warn ();
  warn ();
  while (emitted_in == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (emitted_in == g_thread_self ());
  g_assert_true (tf_spooled_file_is_rolled_over (file));
  g_assert_false (tf_spooled_file_is_rolled_over (empty));
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (file)), ==, 1000);
  tf_set_roll_over_on_low_memory (FALSE);
}

static void
on_no_bus (GDBusConnection *connection,
           const char      *name,
           gpointer         user_data)
{
  *(gboolean *) user_data = TRUE;
}

/* There is no bus here. The monitor finds that out in a thread, which has a socket open for a moment:
 * whoever asks later has the answer later. */
static void
wait_for_no_bus (void)
{
  for (int i = 0; i < 2; i++)
    {
      gboolean done = FALSE;
      guint id = g_bus_watch_name (G_BUS_TYPE_SYSTEM, "org.example.None", G_BUS_NAME_WATCHER_FLAGS_NONE,
                                   NULL, on_no_bus, &done, NULL);

      while (!done)
        g_main_context_iteration (NULL, TRUE);
      g_bus_unwatch_name (id);
    }
}

int
main (int    argc,
      char **argv)
{
  g_autoptr(GMemoryMonitor) monitor = NULL;

  g_assert_true (g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", TRUE));
  monitor = g_memory_monitor_dup_default ();
  wait_for_no_bus ();
  tf_test_init (&argc, &argv);
  tf_test_start_worker ();

  g_test_add_func ("/memory/budget/exact", test_budget_exact);
  g_test_add_func ("/memory/budget/pieces", test_budget_pieces);
  g_test_add_func ("/memory/budget/later", test_budget_later);
  g_test_add_func ("/memory/budget/refused", test_budget_refused);
  g_test_add_func ("/memory/budget/threads", test_budget_threads);
  g_test_add_func ("/memory/budget/while-in-use", test_budget_while_in_use);
  g_test_add_func ("/memory/low-memory", test_low_memory);

  return tf_test_run ();
}
