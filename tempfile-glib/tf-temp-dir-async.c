/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-temp-dir-private.h"

#include "base/tf-fd.h"
#include "base/tf-task.h"

static gssize
cleanup_func (gpointer       source_object,
              gpointer       task_data,
              gboolean       blocking,
              GCancellable  *cancellable,
              GError       **error)
{
  TfTempDir *self = source_object;

  if (!blocking)
    return tf_task_would_block (error);

  return tf_entry_remove (&self->entry, cancellable, error) ? 0 : -1;
}

static void
on_cleaned (GObject      *object,
            GAsyncResult *result,
            gpointer      user_data)
{
  TfTempDir *self = TF_TEMP_DIR (object);
  GTask *task = g_task_get_task_data (G_TASK (result));
  GError *failure = NULL;
  GError *error = NULL;
  gboolean success;

  g_task_propagate_int (G_TASK (result), &failure);

  /* Was it changed meanwhile? */
  self->is_cleaning = FALSE;
  tf_entry_set_kept (&self->entry, self->entry.fd, !self->auto_cleanup);
  if (self->is_kept)
    tf_clear_fd (&self->entry.fd);

  success = tf_temp_dir_report_cleanup (self, failure, &error);
  tf_task_return (task, success ? 0 : -1, error);
}

/**
 * tf_temp_dir_cleanup_async:
 * @self: a temporary directory
 * @io_priority: the priority of the request, [const@GLib.PRIORITY_DEFAULT] for example
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the directory is removed
 * @user_data: what to pass to @callback
 *
 * Removes the directory with all it holds, as [method@TempDir.cleanup] does.
 *
 * Does not block: the work is done in a thread. @callback is called in the thread-default main context of
 * the caller; it has to call [method@TempDir.cleanup_finish]. While it is pending, another cleanup fails
 * with %G_IO_ERROR_PENDING, and for [method@TempDir.keep] it is too late.
 *
 * Since: 1.0
 */
void
tf_temp_dir_cleanup_async (TfTempDir           *self,
                           int                  io_priority,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  g_autoptr(GTask) work = NULL;
  GError *error = NULL;

  g_return_if_fail (TF_IS_TEMP_DIR (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = tf_task_new (self, tf_temp_dir_cleanup_async, io_priority, cancellable, callback, user_data);
  if (!tf_temp_dir_check_ready (self, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  if (self->is_kept)
    {
      g_task_return_int (task, 0);
      return;
    }

  self->is_cleaning = TRUE;
  work = tf_task_new (self, cleanup_func, io_priority, cancellable, on_cleaned, NULL);
  g_task_set_task_data (work, g_object_ref (task), g_object_unref);
  tf_task_run (work, cleanup_func);
}

/**
 * tf_temp_dir_cleanup_finish:
 * @self: a temporary directory
 * @result: what @callback got
 * @error: return location for an error
 *
 * Ends what [method@TempDir.cleanup_async] began.
 *
 * The errors are those of [method@TempDir.cleanup].
 *
 * Returns: %TRUE if the directory is gone
 *
 * Since: 1.0
 */
gboolean
tf_temp_dir_cleanup_finish (TfTempDir     *self,
                            GAsyncResult  *result,
                            GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_DIR (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_task_finish (self, result, tf_temp_dir_cleanup_async, error) >= 0;
}
