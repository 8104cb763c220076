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
  TfStore *store = tf_file_get_store (object);

  if (tf_store_is_closing_here (store))
    return TRUE;

  if (has_pending (object))
    return tf_errno_set_code (error, G_IO_ERROR_PENDING, "The temporary file has an outstanding operation");

  tf_store_open_gate (store);
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
