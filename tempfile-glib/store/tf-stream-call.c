/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-stream-call.h"

#include "base/tf-errno.h"

typedef struct
{
  TfStore *store; /* (unowned): the stream has it */
  TfTaskFunc func;
  gpointer data;  /* (owned) */
  guint ticket;
  gboolean waits; /* has a ticket, and has not had its turn */
} Call;

static void
call_free (gpointer data)
{
  Call *self = data;

  g_free (self->data);
  g_free (self);
}

/* Fails while the file has an asynchronous operation under way. */
gboolean
tf_stream_call_check_idle (TfStore  *store,
                           GError  **error)
{
  GIOStream *owner = store->owner;

  if (G_LIKELY (!g_atomic_int_get (&store->gate_closed)) || g_atomic_int_get (&store->state) != TF_STORE_OPEN)
    return TRUE;

  return owner == NULL ||
         !g_io_stream_has_pending (owner) ||
         tf_errno_set_code (error, G_IO_ERROR_PENDING, "The temporary file has an outstanding operation");
}

/* Runs in the caller's thread, and again in a worker if it would block. From the first moment on it has its place in
 * the order. */
static gssize
run_call (gpointer       source_object,
          gpointer       task_data,
          GCancellable  *cancellable,
          GError       **error)
{
  Call *self = task_data;
  gboolean is_worker = tf_task_may_block (NULL);
  gssize result;

  if (is_worker)
    tf_store_begin_turn (self->store, self->ticket);

  result = self->func (source_object, self->data, cancellable, error);

  if (is_worker)
    {
      tf_store_end_turn (self->store);
      self->waits = FALSE;
    }
  else if (result < 0 && g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      self->ticket = tf_store_take_ticket (self->store);
      self->waits = TRUE;
    }

  return result;
}

static void
on_called (GTask  *task,
           gssize  result,
           GError *error)
{
  Call *self = g_task_get_task_data (task);

  /* No worker could be started. */
  if (self->waits)
    {
      tf_store_begin_turn (self->store, self->ticket);
      tf_store_end_turn (self->store);
    }

  tf_task_return (task, result, error);
}

/* Completes @task, whose source object is a stream of @store, with what @func returns for @data, which is taken over. */
void
tf_stream_call_run (GTask      *task,
                    TfStore    *store,
                    TfTaskFunc  func,
                    gpointer    data)
{
  Call *self = g_new (Call, 1);
  GError *error = NULL;

  *self = (Call) { .store = store, .func = func, .data = data };
  g_task_set_task_data (task, self, call_free);
  if (!tf_stream_call_check_idle (store, &error))
    {
      tf_errno_set_last (0);
      tf_task_return (task, -1, error);
      return;
    }

  tf_store_close_gate (store);
  tf_task_run_step (task, run_call, on_called);
}
