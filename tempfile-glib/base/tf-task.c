/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-task.h"

#include "store/tf-store.h"

/* What a worker thread does for a task. */
typedef struct
{
  GTask *task;          /* (owned) (nullable): completed */
  TfTaskFunc func;
  TfStore *rolled_over; /* (owned) (nullable): by the work, and not told yet */
} Work;

static void
work_free (gpointer data)
{
  Work *work = data;

  g_clear_pointer (&work->rolled_over, tf_store_unref);
  g_clear_object (&work->task);
  g_free (work);
}

/* The operation itself looks at the cancellable. When it is too late, the result counts: it says what was done. */
GTask *
tf_task_new (gpointer             source_object,
             gpointer             source_tag,
             int                  io_priority,
             GCancellable        *cancellable,
             GAsyncReadyCallback  callback,
             gpointer             user_data)
{
  GTask *task = g_task_new (source_object, cancellable, callback, user_data);

  g_task_set_source_tag (task, source_tag);
  g_task_set_priority (task, io_priority);
  g_task_set_check_cancellable (task, FALSE);
  return task;
}

/* What a TfTaskFunc returns that needs a worker. */
gssize
tf_task_would_block (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "Cannot be done without blocking");
  return -1;
}

/* Takes @error. */
void
tf_task_return (GTask  *task,
                gssize  result,
                GError *error)
{
  if (result < 0)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, result);
}

/* Called in a worker thread. */
static void
work_in_thread (GTask        *thread_task,
                gpointer      no_object,
                gpointer      task_data,
                GCancellable *cancellable)
{
  Work *work = task_data;
  GError *error = NULL;
  gssize result;

  tf_store_notify_later (&work->rolled_over);
  result = work->func (g_task_get_source_object (work->task), g_task_get_task_data (work->task), TRUE,
                       cancellable, &error);
  tf_store_notify_later (NULL);

  tf_task_return (thread_task, result, error);
}

/* Called in the main context of the task: the place to tell that the file rolled over, before the callback
 * and whether or not anybody asks for the result. */
static void
on_worked (GObject      *no_object,
           GAsyncResult *thread_task,
           gpointer      user_data)
{
  Work *work = g_task_get_task_data (G_TASK (thread_task));
  g_autoptr(GTask) task = g_steal_pointer (&work->task);
  GError *error = NULL;
  gssize result = g_task_propagate_int (G_TASK (thread_task), &error);

  if (work->rolled_over != NULL)
    tf_store_notify (work->rolled_over);

  tf_task_return (task, result, error);
}

/* The thread has a task of its own, without a source object: it lets go of it at its leisure, and must not be
 * the one that drops the last reference to what the caller has. */
static void
run_in_thread (GTask      *task,
               TfTaskFunc  func)
{
  g_autoptr(GTask) thread_task = tf_task_new (NULL, run_in_thread, g_task_get_priority (task),
                                              g_task_get_cancellable (task), on_worked, NULL);
  Work *work = g_new0 (Work, 1);

  work->task = g_object_ref (task);
  work->func = func;
  g_task_set_task_data (thread_task, work, work_free);
  g_task_run_in_thread (thread_task, work_in_thread);
}

/* Completes @task with what @func does, without a thread where it can be done without blocking. */
void
tf_task_run (GTask      *task,
             TfTaskFunc  func)
{
  GError *error = NULL;
  gssize result = func (g_task_get_source_object (task), g_task_get_task_data (task), FALSE,
                        g_task_get_cancellable (task), &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      g_error_free (error);
      run_in_thread (task, func);
      return;
    }

  tf_task_return (task, result, error);
}

gssize
tf_task_finish (gpointer       source_object,
                GAsyncResult  *result,
                gpointer       source_tag,
                GError       **error)
{
  g_return_val_if_fail (g_task_is_valid (result, source_object), -1);
  g_return_val_if_fail (g_async_result_is_tagged (result, source_tag), -1);

  return g_task_propagate_int (G_TASK (result), error);
}
