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

DEFINE_HANDLER (outer)
DEFINE_HANDLER (inner)

static void
assert_levels_in_child (void)
{
  g_assert_cmpstr (calls->str, ==, "prepare-outer prepare-inner child-inner child-outer ");
}

/* The level counts, not the age. */
static void
test_levels_alone (void)
{
  outer.level = TF_FORK_STORES;
  inner.level = TF_FORK_LEAVES;
  tf_fork_watch (&inner);
  tf_fork_watch (&outer);

  tf_test_in_child (assert_levels_in_child);
  g_assert_cmpstr (calls->str, ==, "prepare-outer prepare-inner parent-inner parent-outer ");
}

/* In a process of its own, as handlers are never removed. */
static void
test_levels (void)
{
  if (g_test_subprocess ())
    {
      test_levels_alone ();
      return;
    }

  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
}

static GMutex locks[2];
static TfForkHandler lock_handlers[] = {
  { .level = TF_FORK_NAMES, .lock = &locks[0] },
  { .level = TF_FORK_LEAVES, .lock = &locks[1] },
};
static gint stop; /* (atomic) */

static gpointer
lock_on (gpointer data)
{
  while (!g_atomic_int_get (&stop))
    {
      tf_fork_lock (&lock_handlers[0]);
      tf_fork_lock (&lock_handlers[1]);
      g_mutex_unlock (&locks[1]);
      g_mutex_unlock (&locks[0]);
    }

  return NULL;
}

static void
take_locks (void)
{
  g_assert_true (g_mutex_trylock (&locks[0]));
  g_assert_true (g_mutex_trylock (&locks[1]));
}

/* A child finds no lock that a thread of the parent has taken. */
static void
test_locks (void)
{
  GThread *threads[2];

  tf_test_fork_beside_threads ();
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("lock", lock_on, NULL);
  for (int i = 0; i < 100; i++)
    {
      tf_fork_lock (&lock_handlers[0]);
      g_mutex_unlock (&locks[0]);
      tf_test_in_child (take_locks);
    }
  g_atomic_int_set (&stop, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

static TfForkHandler registered;

static void
watch_registered (void)
{
  tf_fork_watch (&registered);
}

/* A thread that holds the lock of one handler may register another one. */
static TfForkHandler registering = { .prepare = watch_registered };

static void
test_registered_meanwhile_alone (void)
{
  registered.prepare = count_shared;
  tf_fork_watch (&registering);

  n_calls_of_shared = 0;
  tf_test_in_child (do_nothing);
  g_assert_cmpint (n_calls_of_shared, ==, 1);
}

static void
test_registered_meanwhile (void)
{
  if (g_test_subprocess ())
    {
      test_registered_meanwhile_alone ();
      return;
    }

  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
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
  /* Without pidfd_open(2), GLib keeps one to watch children with. */
  if (g_getenv ("TF_TEST_VALGRIND") != NULL)
    tf_test_ignore_fds ();
  calls = g_string_new (NULL);

  g_test_add_func ("/fork/order", test_order);
  g_test_add_func ("/fork/watched-twice", test_watched_twice);
  g_test_add_func ("/fork/in-child", test_in_child);
  g_test_add_func ("/fork/watched-by-threads", test_watched_by_threads);
  g_test_add_func ("/fork/watched-during-fork", test_watched_during_fork);
  g_test_add_func ("/fork/levels", test_levels);
  g_test_add_func ("/fork/locks", test_locks);
  g_test_add_func ("/fork/registered-meanwhile", test_registered_meanwhile);
  g_test_add_func ("/fork/generation", test_generation);

  result = tf_test_run ();
  g_string_free (calls, TRUE);
  return result;
}
