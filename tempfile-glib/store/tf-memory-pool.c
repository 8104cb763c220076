/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-memory-pool.h"

static gsize limit; /* (atomic): 0: none */
static gsize held;  /* (atomic) */

/* 0 is no limit. What is held already stays. */
void
tf_budget_set_limit (gsize bytes)
{
  g_atomic_pointer_set (&limit, bytes);
}

gboolean
tf_budget_is_limited (void)
{
  return (gsize) g_atomic_pointer_get (&limit) != 0;
}

gsize
tf_budget_get_held (void)
{
  return (gsize) g_atomic_pointer_get (&held);
}

/* Adds @bytes to what is held unless that would be more than the limit. */
gboolean
tf_budget_take (gsize bytes)
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

/* As tf_budget_take(), for bytes that are held already. */
void
tf_budget_force (gsize bytes)
{
  g_atomic_pointer_add (&held, bytes);
}

void
tf_budget_return (gsize bytes)
{
  if (bytes > 0)
    g_atomic_pointer_add (&held, -(gssize) bytes);
}
