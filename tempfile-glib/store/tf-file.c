/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-file.h"

#include "base/tf-errno.h"
#include "base/tf-task.h"

static gboolean
has_pending (gpointer object)
{
  TfFile *file = tf_file_of (object);

  return g_io_stream_has_pending (object) ||
         (file->input != NULL && g_input_stream_has_pending (file->input)) ||
         (file->output != NULL && g_output_stream_has_pending (file->output));
}

/* The part of tf_file_check_idle() for when an asynchronous operation was started. */
gboolean
tf_file_check_gate (gpointer   object,
                    GError   **error)
{
  if (has_pending (object))
    return tf_errno_set_code (error, G_IO_ERROR_PENDING, "The temporary file has an outstanding operation");

  tf_store_open_gate (tf_file_get_store (object));
  return TRUE;
}

/* Like tf_file_check_idle() for the owner of @store. A store that is not open fails later. */
gboolean
tf_file_check_store_idle (TfStore  *store,
                          GError  **error)
{
  return g_atomic_int_get (&store->state) != TF_STORE_OPEN || tf_file_check_idle (store->owner, error);
}

/* Like tf_task_run_over_stream(), for an operation of the file @object, or of @source_object over it. Fails with
 * G_IO_ERROR_PENDING also while one of the streams of the file has an operation under way. */
void
tf_file_run (gpointer             source_object,
             gpointer             object,
             gpointer             source_tag,
             TfTaskFunc           func,
             gpointer             data,
             GDestroyNotify       free_data,
             int                  io_priority,
             GCancellable        *cancellable,
             GAsyncReadyCallback  callback,
             gpointer             user_data)
{
  GError *error = NULL;

  if (!tf_file_check_idle (object, &error))
    {
      if (free_data != NULL)
        free_data (data);
      tf_errno_set_last (0);
      g_task_report_error (source_object, callback, user_data, source_tag, error);
      return;
    }

  tf_store_close_gate (tf_file_get_store (object));
  tf_task_run_over_stream (source_object, object, source_tag, func, data, free_data,
                           io_priority, cancellable, callback, user_data);
}

/* --- Streams -------------------------------------------------------------------------------- */

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
tf_file_stream_check_idle (TfStore  *store,
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
tf_file_stream_run (GTask      *task,
                    TfStore    *store,
                    TfTaskFunc  func,
                    gpointer    data)
{
  Call *self = g_new (Call, 1);
  GError *error = NULL;

  *self = (Call) { .store = store, .func = func, .data = data };
  g_task_set_task_data (task, self, call_free);
  if (!tf_file_stream_check_idle (store, &error))
    {
      tf_errno_set_last (0);
      tf_task_return (task, -1, error);
      return;
    }

  tf_store_close_gate (store);
  tf_task_run_step (task, run_call, on_called);
}
