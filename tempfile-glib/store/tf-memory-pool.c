/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-memory-pool.h"

#include "base/tf-fork.h"

static gsize limit; /* (atomic): in bytes; 0 for none */
static gsize held;  /* (atomic): in bytes */

/* A thread that holds the lock of a node may take this lock, but not the other way round. A node in the pool is alive,
 * so that it can be referenced. */
static GMutex lock;
static TfForkHandler fork_handler = { .level = TF_FORK_LEAVES, .lock = &lock };
static GQueue pool = G_QUEUE_INIT;

void
tf_memory_pool_add (TfMemoryPoolNode        *node,
                    const TfMemoryPoolFuncs *funcs)
{
  node->funcs = funcs;
  node->link.data = node;

  tf_fork_lock (&fork_handler);
  g_queue_push_tail_link (&pool, &node->link);
  g_mutex_unlock (&lock);
}

/* Adds @bytes to what is held, unless that would exceed the limit. */
static gboolean
take (gsize bytes)
{
  gsize before;
  gsize bound;

  do
    {
      bound = (gsize) g_atomic_pointer_get (&limit);
      before = (gsize) g_atomic_pointer_get (&held);
      if (bound != 0 && (before > bound || bytes > bound - before))
        return FALSE;
    }
  while (!g_atomic_pointer_compare_and_exchange (&held, before, before + bytes));

  return TRUE;
}

static void
add_to_held (gssize bytes)
{
  if (bytes != 0)
    g_atomic_pointer_add (&held, bytes);
}

/* Removes a node that holds nothing in memory any more. Calling this again does nothing. */
void
tf_memory_pool_remove (TfMemoryPoolNode *node)
{
  if (node->link.data != NULL)
    {
      tf_fork_lock (&fork_handler);
      g_queue_unlink (&pool, &node->link);
      g_mutex_unlock (&lock);
    }

  node->link.data = NULL;
  add_to_held (-(gssize) node->charge);
  node->charge = 0;
}

/* Counts @size bytes for the node if the limit allows that. Returns whether it does. */
gboolean
tf_memory_pool_charge (TfMemoryPoolNode *node,
                       gsize             size)
{
  if (!tf_memory_pool_is_limited () || size <= node->charge)
    return TRUE;

  if (!take (size - node->charge))
    return FALSE;

  node->charge = size;
  return TRUE;
}

/* Counts @size bytes for the node, even if that exceeds the limit. */
void
tf_memory_pool_recount (TfMemoryPoolNode *node,
                        gsize             size)
{
  if (!tf_memory_pool_is_limited () && node->charge == 0)
    return;

  add_to_held ((gssize) size - (gssize) node->charge);
  node->charge = size;
}

static GPtrArray *
dup_nodes (void)
{
  GPtrArray *nodes = g_ptr_array_new ();

  tf_fork_lock (&fork_handler);
  for (GList *link = pool.head; link != NULL; link = link->next)
    {
      TfMemoryPoolNode *node = link->data;

      node->funcs->ref (node);
      g_ptr_array_add (nodes, node);
    }
  g_mutex_unlock (&lock);

  return nodes;
}

/* Sets the limit in bytes; 0 for none. Memory that is held already stays and is counted. */
void
tf_memory_pool_set_limit (gsize bytes)
{
  g_autoptr(GPtrArray) nodes = NULL;

  g_atomic_pointer_set (&limit, bytes);
  if (bytes == 0)
    return;

  nodes = dup_nodes ();
  for (guint i = 0; i < nodes->len; i++)
    {
      TfMemoryPoolNode *node = g_ptr_array_index (nodes, i);

      node->funcs->recount (node);
      node->funcs->unref (node);
    }
}

gboolean
tf_memory_pool_is_limited (void)
{
  return (gsize) g_atomic_pointer_get (&limit) != 0;
}

gsize
tf_memory_pool_get_held (void)
{
  return (gsize) g_atomic_pointer_get (&held);
}

/* Makes all nodes that are not in use give up their memory. */
void
tf_memory_pool_move_all_out (void)
{
  g_autoptr(GPtrArray) nodes = dup_nodes ();

  for (guint i = 0; i < nodes->len; i++)
    {
      TfMemoryPoolNode *node = g_ptr_array_index (nodes, i);

      node->funcs->move_out (node);
      node->funcs->unref (node);
    }
}
