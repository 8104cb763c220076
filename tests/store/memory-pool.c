/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "store/tf-memory-pool.h"

#include "tf-test.h"

#define N_THREADS 4
#define N_ROUNDS 2000

typedef struct
{
  TfMemoryPoolNode node; /* first */
  gint n_refs;           /* (atomic): of the pool */
  gsize size;            /* that it tells when it is asked */
  gboolean is_in_use;
  gboolean was_moved_out;
} Node;

static void
node_ref (TfMemoryPoolNode *node)
{
  g_atomic_int_inc (&((Node *) node)->n_refs);
}

static void
node_unref (TfMemoryPoolNode *node)
{
  g_atomic_int_add (&((Node *) node)->n_refs, -1);
}

static void
node_recount (TfMemoryPoolNode *node)
{
  tf_memory_pool_recount (node, ((Node *) node)->size);
}

static void
node_move_out (TfMemoryPoolNode *node)
{
  Node *self = (Node *) node;

  if (self->is_in_use)
    return;

  self->was_moved_out = TRUE;
  tf_memory_pool_remove (node);
}

static const TfMemoryPoolFuncs funcs = {
  .ref = node_ref,
  .unref = node_unref,
  .recount = node_recount,
  .move_out = node_move_out,
};

static void
test_charge (void)
{
  Node first = { 0, };
  Node second = { 0, };

  tf_memory_pool_set_limit (100);
  g_assert_true (tf_memory_pool_is_limited ());
  tf_memory_pool_add (&first.node, &funcs);
  tf_memory_pool_add (&second.node, &funcs);

  g_assert_true (tf_memory_pool_charge (&first.node, 60));
  g_assert_true (tf_memory_pool_charge (&second.node, 40));
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 100);

  /* What is refused is not counted, and less than what is counted is not asked about. */
  g_assert_false (tf_memory_pool_charge (&first.node, 61));
  g_assert_false (tf_memory_pool_charge (&first.node, G_MAXSIZE));
  g_assert_true (tf_memory_pool_charge (&first.node, 1));
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 100);

  tf_memory_pool_recount (&second.node, 39);
  g_assert_true (tf_memory_pool_charge (&first.node, 61));
  tf_memory_pool_remove (&first.node);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 39);
  tf_memory_pool_remove (&first.node);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 39);
  tf_memory_pool_remove (&second.node);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_memory_pool_set_limit (0);
}

static void
test_unlimited (void)
{
  Node node = { 0, };

  tf_memory_pool_add (&node.node, &funcs);
  g_assert_false (tf_memory_pool_is_limited ());
  g_assert_true (tf_memory_pool_charge (&node.node, G_MAXSIZE));
  tf_memory_pool_recount (&node.node, 1000);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_memory_pool_remove (&node.node);
}

/* Those that were there before the limit are asked, and may hold more than it. */
static void
test_limit_comes_later (void)
{
  Node large = { .size = 150 };
  Node small = { .size = 30 };
  Node gone = { .size = 1000 };

  tf_memory_pool_add (&large.node, &funcs);
  tf_memory_pool_add (&gone.node, &funcs);
  tf_memory_pool_add (&small.node, &funcs);
  tf_memory_pool_remove (&gone.node);
  tf_memory_pool_set_limit (100);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 180);
  g_assert_false (tf_memory_pool_charge (&small.node, 31));

  tf_memory_pool_remove (&large.node);
  g_assert_true (tf_memory_pool_charge (&small.node, 100));
  g_assert_cmpint (large.n_refs, ==, 0);
  g_assert_cmpint (small.n_refs, ==, 0);

  /* Without a limit what was counted is still given back. */
  tf_memory_pool_set_limit (0);
  tf_memory_pool_recount (&small.node, 10);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 10);
  tf_memory_pool_remove (&small.node);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
}

static void
test_move_all_out (void)
{
  Node idle = { .size = 10 };
  Node busy = { .size = 20, .is_in_use = TRUE };

  tf_memory_pool_set_limit (100);
  tf_memory_pool_add (&idle.node, &funcs);
  tf_memory_pool_add (&busy.node, &funcs);
  g_assert_true (tf_memory_pool_charge (&idle.node, idle.size));
  g_assert_true (tf_memory_pool_charge (&busy.node, busy.size));

  tf_memory_pool_move_all_out ();
  g_assert_true (idle.was_moved_out);
  g_assert_false (busy.was_moved_out);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 20);

  /* Who has left is not asked again. */
  idle.was_moved_out = busy.is_in_use = FALSE;
  tf_memory_pool_move_all_out ();
  g_assert_false (idle.was_moved_out);
  g_assert_true (busy.was_moved_out);
  g_assert_cmpint (idle.n_refs, ==, 0);
  g_assert_cmpint (busy.n_refs, ==, 0);
  tf_memory_pool_set_limit (0);
}

static gpointer
come_and_go (gpointer data)
{
  for (gsize i = 0; i < N_ROUNDS; i++)
    {
      Node node = { .is_in_use = TRUE };

      tf_memory_pool_add (&node.node, &funcs);
      for (gsize size = 1; size < 64; size *= 2)
        if (!tf_memory_pool_charge (&node.node, size))
          break;
      g_assert_cmpuint (tf_memory_pool_get_held (), <=, 100);
      tf_memory_pool_remove (&node.node);
    }

  return NULL;
}

static void
test_threads (void)
{
  GThread *threads[N_THREADS];

  tf_memory_pool_set_limit (100);
  for (gsize i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("come-and-go", come_and_go, NULL);
  for (gsize i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_memory_pool_set_limit (0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/memory-pool/charge", test_charge);
  g_test_add_func ("/memory-pool/unlimited", test_unlimited);
  g_test_add_func ("/memory-pool/limit-comes-later", test_limit_comes_later);
  g_test_add_func ("/memory-pool/move-all-out", test_move_all_out);
  g_test_add_func ("/memory-pool/threads", test_threads);

  return tf_test_run ();
}
