/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-fork-guard.h"

#include "tf-fork.h"

/* A thread that holds the lock of an object may take this lock, but not the other way round. */
static GMutex lock;
static TfForkGuard *newest; /* (nullable) */
static guint n_added; /* in the life of the process */

/* Those whose locks are held during a fork. */
static GPtrArray *held; /* (owned) (nullable) */

static GPtrArray *
dup_guards (guint *serial)
{
  GPtrArray *copies = g_ptr_array_new ();

  g_mutex_lock (&lock);
  *serial = n_added;
  for (TfForkGuard *guard = newest; guard != NULL; guard = guard->older)
    {
      guard->funcs->ref (guard);
      g_ptr_array_add (copies, guard);
    }
  g_mutex_unlock (&lock);

  return copies;
}

static void
unref_all (GPtrArray *array)
{
  for (guint i = 0; i < array->len; i++)
    {
      TfForkGuard *guard = g_ptr_array_index (array, i);

      guard->funcs->unref (guard);
    }
  g_ptr_array_unref (array);
}

static void
unlock_some (GPtrArray *array,
             guint      count)
{
  for (guint i = 0; i < count; i++)
    {
      TfForkGuard *guard = g_ptr_array_index (array, i);

      guard->funcs->unlock (guard);
    }
}

/* Waits for a lock only while no other one is held, because other threads may take several in any order. */
static void
lock_all (GPtrArray *array)
{
  guint i = 0;

  while (i < array->len)
    {
      TfForkGuard *guard = g_ptr_array_index (array, i);

      if (guard->funcs->try_lock (guard))
        {
          i++;
          continue;
        }

      unlock_some (array, i);
      guard->funcs->lock (guard);
      guard->funcs->unlock (guard);
      i = 0;
    }
}

/* Returns with the lock of the list and with those of all guarded objects. */
static void
before_fork (void)
{
  guint serial;

  held = dup_guards (&serial);
  lock_all (held);
  g_mutex_lock (&lock);
  while (serial != n_added)
    {
      g_mutex_unlock (&lock);
      unlock_some (held, held->len);
      unref_all (held);

      held = dup_guards (&serial);
      lock_all (held);
      g_mutex_lock (&lock);
    }

  for (guint i = 0; i < held->len; i++)
    {
      TfForkGuard *guard = g_ptr_array_index (held, i);

      guard->funcs->prepare (guard);
    }
}

static void
after_fork (void)
{
  g_mutex_unlock (&lock);
  unlock_some (held, held->len);
  unref_all (g_steal_pointer (&held));
}

static void
after_fork_in_child (void)
{
  for (guint i = 0; i < held->len; i++)
    {
      TfForkGuard *guard = g_ptr_array_index (held, i);

      guard->funcs->child (guard);
    }

  after_fork ();
}

static TfForkHandler handler = {
  .prepare = before_fork,
  .parent = after_fork,
  .child = after_fork_in_child,
};

void
tf_fork_guard_add (TfForkGuard            *self,
                   const TfForkGuardFuncs *funcs)
{
  if (G_UNLIKELY (g_atomic_pointer_get (&handler.watched) == 0))
    tf_fork_watch (&handler);

  self->funcs = funcs;
  self->is_guarded = TRUE;
  self->newer = NULL;

  g_mutex_lock (&lock);
  n_added++;
  self->older = newest;
  if (newest != NULL)
    newest->newer = self;
  newest = self;
  g_mutex_unlock (&lock);
}

/* Calling this again does nothing. */
void
tf_fork_guard_remove (TfForkGuard *self)
{
  if (!self->is_guarded)
    return;

  g_mutex_lock (&lock);
  if (self->newer != NULL)
    self->newer->older = self->older;
  else
    newest = self->older;
  if (self->older != NULL)
    self->older->newer = self->newer;
  g_mutex_unlock (&lock);
  self->is_guarded = FALSE;
}
