/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "base/tf-fork.h"

#include <unistd.h>

#include "tf-test.h"

#define N_THREADS 8

static GString *calls;
static gint n_calls_of_shared;

#define DEFINE_HANDLER(name) \
  static void prepare_##name (void) { g_string_append (calls, "prepare-" #name " "); } \
  static void parent_##name (void) { g_string_append (calls, "parent-" #name " "); } \
  static void child_##name (void) { g_string_append (calls, "child-" #name " "); } \
  static TfForkHandler name = { .prepare = prepare_##name, .parent = parent_##name, .child = child_##name };

DEFINE_HANDLER (old)
DEFINE_HANDLER (new)

static void
count_shared (void)
{
  n_calls_of_shared++;
}

static TfForkHandler shared = { .prepare = count_shared };

static void
assert_order_in_child (void)
{
  g_assert_cmpstr (calls->str, ==, "prepare-new prepare-old child-old child-new ");
}

static void
assert_order (void)
{
  g_string_truncate (calls, 0);
  tf_test_in_child (assert_order_in_child);
  g_assert_cmpstr (calls->str, ==, "prepare-new prepare-old parent-old parent-new ");
}

static void
test_order (void)
{
  tf_fork_watch (&old);
  tf_fork_watch (&new);
  assert_order ();
}

static void
test_watched_twice (void)
{
  tf_fork_watch (&old);
  tf_fork_watch (&new);
  tf_fork_watch (&old);
  assert_order ();
}

static void
fork_again (void)
{
  tf_fork_watch (&new);
  assert_order ();
}

/* What the parent watches the child watches as well. */
static void
test_in_child (void)
{
  tf_fork_watch (&old);
  tf_fork_watch (&new);
  tf_test_in_child (fork_again);
}

static gpointer
watch_shared (gpointer data)
{
  tf_fork_watch (&shared);
  return NULL;
}

static void
do_nothing (void)
{
}

static void
test_watched_by_threads (void)
{
  GThread *threads[N_THREADS];

  for (gsize i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("watch", watch_shared, NULL);
  for (gsize i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);

  n_calls_of_shared = 0;
  tf_test_in_child (do_nothing);
  g_assert_cmpint (n_calls_of_shared, ==, 1);
}

static gint watching; /* (atomic) */
static TfForkHandler late;
static GThread *late_thread;

static gpointer
watch_late (gpointer data)
{
  g_atomic_int_set (&watching, TRUE);
  tf_fork_watch (&late);
  return NULL;
}

/* Returns when the other thread has most likely come to where it waits for the fork. */
static void
watch_in_thread (void)
{
  if (late_thread != NULL)
    return;

  late_thread = g_thread_new ("late", watch_late, NULL);
  while (!g_atomic_int_get (&watching))
    g_thread_yield ();
  for (guint i = 0; i < 10000; i++)
    g_thread_yield ();
}

static TfForkHandler slow = { .prepare = watch_in_thread };

static void
watch_late_too (void)
{
  alarm (60);
  tf_fork_watch (&late);
}

/* The thread that has begun to watch is not in the child. */
static void
test_watched_during_fork (void)
{
  tf_fork_watch (&slow);
  tf_test_in_child (watch_late_too);
  g_thread_join (late_thread);
}

static void
assert_second_generation (void)
{
  g_assert_cmpuint (tf_fork_get_generation (), ==, 2);
}

static void
assert_first_generation (void)
{
  g_assert_cmpuint (tf_fork_get_generation (), ==, 1);
  tf_test_in_child (assert_second_generation);
  g_assert_cmpuint (tf_fork_get_generation (), ==, 1);
}

static void
test_generation (void)
{
  g_assert_cmpuint (tf_fork_get_generation (), ==, 0);
  tf_test_in_child (assert_first_generation);
  g_assert_cmpuint (tf_fork_get_generation (), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  int result;

  tf_test_init (&argc, &argv);
  calls = g_string_new (NULL);

  g_test_add_func ("/fork/order", test_order);
  g_test_add_func ("/fork/watched-twice", test_watched_twice);
  g_test_add_func ("/fork/in-child", test_in_child);
  g_test_add_func ("/fork/watched-by-threads", test_watched_by_threads);
  g_test_add_func ("/fork/watched-during-fork", test_watched_during_fork);
  g_test_add_func ("/fork/generation", test_generation);

  result = tf_test_run ();
  g_string_free (calls, TRUE);
  return result;
}
