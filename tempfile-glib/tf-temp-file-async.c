/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-temp-file-private.h"

/* One operation of the file itself, which is pending as long as it runs. */
typedef struct
{
  TfTaskFunc func;
  gpointer data;
  GDestroyNotify free_data;
} Operation;

static void
operation_free (gpointer data)
{
  Operation *operation = data;

  if (operation->free_data != NULL)
    operation->free_data (operation->data);
  g_free (operation);
}

static gssize
operation_func (gpointer       source_object,
                gpointer       task_data,
                gboolean       blocking,
                GCancellable  *cancellable,
                GError       **error)
{
  Operation *operation = g_task_get_task_data (task_data);

  return operation->func (source_object, operation->data, blocking, cancellable, error);
}

static void
on_done (GObject      *object,
         GAsyncResult *result,
         gpointer      user_data)
{
  GTask *task = g_task_get_task_data (G_TASK (result));
  GError *error = NULL;
  gssize n = g_task_propagate_int (G_TASK (result), &error);

  g_io_stream_clear_pending (G_IO_STREAM (object));
  tf_task_return (task, n, error);
}

/* Runs @func with @data as the only operation of the file: while it is pending, another one fails with
 * G_IO_ERROR_PENDING, and so does closing the file. */
void
tf_temp_file_run_async (TfTempFile          *self,
                        gpointer             source_tag,
                        TfTaskFunc           func,
                        gpointer             data,
                        GDestroyNotify       free_data,
                        int                  io_priority,
                        GCancellable        *cancellable,
                        GAsyncReadyCallback  callback,
                        gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (self, source_tag, io_priority, cancellable, callback, user_data);
  g_autoptr(GTask) pending = NULL;
  Operation *operation = g_new (Operation, 1);
  GError *error = NULL;

  *operation = (Operation) { func, data, free_data };
  g_task_set_task_data (task, operation, operation_free);

  if (!g_io_stream_set_pending (G_IO_STREAM (self), &error))
    {
      g_task_return_error (task, error);
      return;
    }

  pending = tf_task_new (self, tf_temp_file_run_async, io_priority, cancellable, on_done, NULL);
  g_task_set_task_data (pending, g_object_ref (task), g_object_unref);
  tf_task_run (pending, operation_func);
}

/* The data that was given to tf_temp_file_run_async(). */
gpointer
tf_temp_file_get_async_data (GAsyncResult *result)
{
  Operation *operation = g_task_get_task_data (G_TASK (result));

  return operation->data;
}

typedef struct
{
  gsize count;
  GBytes *bytes; /* (owned) (nullable): not read yet */
} ReadRequest;

static void
read_request_free (gpointer data)
{
  ReadRequest *request = data;

  g_clear_pointer (&request->bytes, g_bytes_unref);
  g_free (request);
}

static gssize
read_bytes_func (gpointer       source_object,
                 gpointer       data,
                 gboolean       blocking,
                 GCancellable  *cancellable,
                 GError       **error)
{
  TfStore *store = tf_temp_file_get_store (source_object);
  ReadRequest *request = data;

  if (blocking)
    request->bytes = tf_store_read_bytes (store, request->count, cancellable, error);
  else
    request->bytes = tf_store_read_bytes_nonblocking (store, request->count, cancellable, error);

  return request->bytes != NULL ? 0 : -1;
}

/**
 * tf_temp_file_read_bytes_async:
 * @self: a temporary file
 * @count: how many bytes to read; %G_MAXSIZE for all that are left
 * @io_priority: the priority of the request, [const@GLib.PRIORITY_DEFAULT] for example
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the bytes are there
 * @user_data: what to pass to @callback
 *
 * Reads @count bytes from the position on, as [method@TempFile.read_bytes] does.
 *
 * Does not block: what is in memory is read at once, what is on disk in a thread. @callback is called in
 * the thread-default main context of the caller; it has to call [method@TempFile.read_bytes_finish].
 *
 * A file has one asynchronous operation at a time; another one fails with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_read_bytes_async (TfTempFile          *self,
                               gsize                count,
                               int                  io_priority,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data)
{
  ReadRequest *request;

  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  request = g_new0 (ReadRequest, 1);
  request->count = count;
  tf_temp_file_run_async (self, tf_temp_file_read_bytes_async, read_bytes_func, request, read_request_free,
                          io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_read_bytes_finish:
 * @self: a temporary file
 * @result: what @callback got
 * @error: return location for an error
 *
 * Ends what [method@TempFile.read_bytes_async] began.
 *
 * The errors are those of [method@TempFile.read_bytes], and %G_IO_ERROR_PENDING.
 *
 * Returns: (transfer full): the bytes, none at the end of the file
 *
 * Since: 1.0
 */
GBytes *
tf_temp_file_read_bytes_finish (TfTempFile    *self,
                                GAsyncResult  *result,
                                GError       **error)
{
  ReadRequest *request;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (tf_task_finish (self, result, tf_temp_file_read_bytes_async, error) < 0)
    return NULL;

  request = tf_temp_file_get_async_data (result);
  return g_bytes_ref (request->bytes);
}

static gboolean
write_bytes (TfTempFile    *self,
             GBytes        *bytes,
             gboolean       blocking,
             GCancellable  *cancellable,
             GError       **error)
{
  GOutputVector vector;
  gsize n_written;

  vector.buffer = g_bytes_get_data (bytes, &vector.size);
  return tf_store_writev (tf_temp_file_get_store (self), &vector, 1, blocking, &n_written, cancellable, error);
}

static gssize
write_bytes_func (gpointer       source_object,
                  gpointer       data,
                  gboolean       blocking,
                  GCancellable  *cancellable,
                  GError       **error)
{
  return write_bytes (source_object, data, blocking, cancellable, error) ? 0 : -1;
}

/**
 * tf_temp_file_write_bytes:
 * @self: a temporary file
 * @bytes: the bytes
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes all of @bytes at the position, as [method@TempFile.write] does, and with the errors that it has.
 *
 * Returns: %TRUE if all of @bytes was written
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_write_bytes (TfTempFile    *self,
                          GBytes        *bytes,
                          GCancellable  *cancellable,
                          GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (bytes != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return write_bytes (self, bytes, TRUE, cancellable, error);
}

/**
 * tf_temp_file_write_bytes_async:
 * @self: a temporary file
 * @bytes: the bytes
 * @io_priority: the priority of the request, [const@GLib.PRIORITY_DEFAULT] for example
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the bytes are written
 * @user_data: what to pass to @callback
 *
 * Writes all of @bytes at the position, as [method@TempFile.write] does.
 *
 * Does not block: what stays in memory is written at once, what goes to disk in a thread. @callback is
 * called in the thread-default main context of the caller; it has to call
 * [method@TempFile.write_bytes_finish].
 *
 * A file has one asynchronous operation at a time; another one fails with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_write_bytes_async (TfTempFile          *self,
                                GBytes              *bytes,
                                int                  io_priority,
                                GCancellable        *cancellable,
                                GAsyncReadyCallback  callback,
                                gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (bytes != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_temp_file_run_async (self, tf_temp_file_write_bytes_async,
                          write_bytes_func, g_bytes_ref (bytes), (GDestroyNotify) g_bytes_unref,
                          io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_write_bytes_finish:
 * @self: a temporary file
 * @result: what @callback got
 * @error: return location for an error
 *
 * Ends what [method@TempFile.write_bytes_async] began.
 *
 * The errors are those of [method@TempFile.write], and %G_IO_ERROR_PENDING.
 *
 * Returns: %TRUE if all of the bytes were written
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_write_bytes_finish (TfTempFile    *self,
                                 GAsyncResult  *result,
                                 GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_task_finish (self, result, tf_temp_file_write_bytes_async, error) >= 0;
}

static gssize
close_func (gpointer       source_object,
            gpointer       data,
            gboolean       blocking,
            GCancellable  *cancellable,
            GError       **error)
{
  GIOStream *stream = source_object;

  if (!blocking && tf_store_would_block (tf_temp_file_get_store (source_object)))
    return tf_task_would_block (error);

  return G_IO_STREAM_GET_CLASS (stream)->close_fn (stream, cancellable, error) ? 0 : -1;
}

/* GIOStream's own closes the streams when they can do that without a thread, but then not the file. */
void
tf_temp_file_close_async (GIOStream           *stream,
                          int                  io_priority,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (stream, tf_temp_file_close_async,
                                       io_priority, cancellable, callback, user_data);

  tf_task_run (task, close_func);
}

gboolean
tf_temp_file_close_finish (GIOStream     *stream,
                           GAsyncResult  *result,
                           GError       **error)
{
  return tf_task_finish (stream, result, tf_temp_file_close_async, error) >= 0;
}
