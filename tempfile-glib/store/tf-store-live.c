/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-store-live.h"

#include "tf-memory-pool.h"
#include "base/tf-context.h"
#include "base/tf-errno.h"
#include "tf-store-internal.h"

/* Taken while a store's lock is held, never the other way round. Whoever is in the list is open, and so
 * has a reference. */
static GMutex live_lock;
static GQueue live = G_QUEUE_INIT;

void
tf_store_enter_memory (TfStore *self)
{
  self->live.data = self;

  g_mutex_lock (&live_lock);
  g_queue_push_tail_link (&live, &self->live);
  g_mutex_unlock (&live_lock);
}

/* The bytes are not in memory any more, or not this store's. Again is fine. */
void
tf_store_leave_memory (TfStore *self)
{
  if (self->live.data != NULL)
    {
      g_mutex_lock (&live_lock);
      g_queue_unlink (&live, &self->live);
      g_mutex_unlock (&live_lock);
    }

  self->live.data = NULL;
  tf_budget_return (self->charge);
  self->charge = 0;
}

/* Whether the budget allows for @size bytes in memory; then they are counted. */
gboolean
tf_store_charge (TfStore *self,
                 gsize    size)
{
  if (!tf_budget_is_limited () || size <= self->charge)
    return TRUE;

  if (!tf_budget_take (size - self->charge))
    return FALSE;

  self->charge = size;
  return TRUE;
}

/* What was not counted is not written without asking again. */
void
tf_store_bound_room (TfStore *self)
{
  if (tf_budget_is_limited ())
    self->stage.room = MIN (self->stage.room, self->charge);
}

/* Counts what is really there. */
void
tf_store_recount (TfStore *self)
{
  gsize size = tf_stage_is_in_memory (&self->stage) ? tf_stage_get_size (&self->stage) : 0;

  if (!tf_budget_is_limited () && self->charge == 0)
    return;

  if (size > self->charge)
    tf_budget_force (size - self->charge);
  else
    tf_budget_return (self->charge - size);

  self->charge = size;
  tf_store_bound_room (self);
}

static GPtrArray *
dup_live (void)
{
  GPtrArray *stores = g_ptr_array_new_with_free_func ((GDestroyNotify) tf_store_unref);

  g_mutex_lock (&live_lock);
  for (GList *link = live.head; link != NULL; link = link->next)
    g_ptr_array_add (stores, tf_store_ref (link->data));
  g_mutex_unlock (&live_lock);

  return stores;
}

/* For a limit that was set when there were stores already. */
void
tf_store_recount_all (void)
{
  g_autoptr(GPtrArray) stores = dup_live ();

  for (guint i = 0; i < stores->len; i++)
    {
      TfStore *self = g_ptr_array_index (stores, i);

      g_mutex_lock (&self->lock);
      if (self->state == TF_STORE_OPEN)
        tf_store_recount (self);
      g_mutex_unlock (&self->lock);
    }
}

static void
roll_over_if_idle (TfStore *self)
{
  g_autoptr(GError) error = NULL;

  /* One that is being used is not idle. */
  if (!g_mutex_trylock (&self->lock))
    return;

  if (self->state == TF_STORE_OPEN &&
      tf_stage_is_in_memory (&self->stage) &&
      tf_stage_get_size (&self->stage) > 0 &&
      !tf_store_move_to_disk (self, NULL, &error))
    tf_log_lost_error ("Rolling a temporary file over", error);

  tf_store_leave (self);
}

static gboolean
notify (gpointer self)
{
  tf_store_notify (self);
  return G_SOURCE_REMOVE;
}

/* Takes over a reference. */
static void
notify_in_context (TfStore *self)
{
  tf_context_begin (self->context, G_PRIORITY_DEFAULT);
  tf_context_invoke (notify, self, (GDestroyNotify) tf_store_unref);
  tf_context_end ();
}

/* Moves what is in memory and not being used to disk; the owners are told in their own main contexts. */
void
tf_store_roll_over_all (void)
{
  g_autoptr(GPtrArray) stores = dup_live ();

  for (guint i = 0; i < stores->len; i++)
    {
      TfStore *self = g_ptr_array_index (stores, i);

      TfStore *rolled_over = NULL;

      tf_store_notify_later (&rolled_over);
      roll_over_if_idle (self);
      tf_store_notify_later (NULL);

      if (rolled_over != NULL)
        notify_in_context (rolled_over);
    }
}
