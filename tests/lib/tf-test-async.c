/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-test-async.h"

#include "tf-test.h"

typedef void (*TestFunc) (void);

void
tf_test_init_async (int    *argc,
                    char ***argv)
{
  g_main_context_default ();
  g_type_ensure (G_TYPE_TASK);
  tf_test_init (argc, argv);
}

static gpointer
run_with_own_context (gpointer data)
{
  TestFunc func = *(TestFunc *) data;
  guint n_fds = tf_test_count_fds ();
  GMainContext *context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  func ();
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);

  /* A worker can still be letting go of its task, and with it of the context. */
  while (tf_test_count_fds () > n_fds)
    g_thread_yield ();

  return NULL;
}

static void
test_in_default_context (gconstpointer data)
{
  (*(const TestFunc *) data) ();
}

static void
test_in_own_context (gconstpointer data)
{
  g_thread_join (g_thread_new ("own-context", run_with_own_context, (gpointer) data));
}

void
tf_test_add_async (const char *path,
                   void      (*func) (void))
{
  g_autofree char *in_thread = g_strconcat (path, "/thread-default-context", NULL);

  g_test_add_data_func_full (path, g_memdup2 (&func, sizeof func), test_in_default_context, g_free);
  g_test_add_data_func_full (in_thread, g_memdup2 (&func, sizeof func), test_in_own_context, g_free);
}

void
tf_test_take_result (GObject      *source_object,
                     GAsyncResult *result,
                     gpointer      place)
{
  GAsyncResult **taken = place;

  g_assert_null (*taken);
  *taken = g_object_ref (result);
}

GAsyncResult *
tf_test_wait (GAsyncResult **place)
{
  while (*place == NULL)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);

  return *place;
}

void
tf_test_wait_until (gint *condition)
{
  while (*condition == 0)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
}

guint
tf_test_count_threads (void)
{
  return tf_test_count_entries ("/proc/self/task");
}

GBytes *
tf_test_make_bytes (gsize size)
{
  guint32 *words = g_malloc (size + sizeof (guint32));

  for (gsize i = 0; i <= size / sizeof (guint32); i++)
    words[i] = (guint32) i * 2654435761u;

  return g_bytes_new_take (words, size);
}
