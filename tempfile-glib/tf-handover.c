/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-handover.h"

#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "store/tf-store-transfer.h"
#include "store/tf-reader.h"
#include "tf-temp-file-private.h"

/**
 * tf_temp_file_seal:
 * @self: a temporary file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Copies the content into a new memory file that nobody can change any more, for another process.
 *
 * It is what memfd_create(2) makes, with the seals `F_SEAL_WRITE`, `F_SEAL_GROW`, `F_SEAL_SHRINK` and
 * `F_SEAL_SEAL` of fcntl(2), and from Linux 6.3 on never executable (`MFD_NOEXEC_SEAL`). It stands at
 * position 0 and is closed on execve(2). This file stays as it is, and open.
 *
 * Blocks on the disk if the bytes are there. Errors are of %G_IO_ERROR: %G_IO_ERROR_NO_SPACE when there
 * is no memory; %G_IO_ERROR_TOO_MANY_OPEN_FILES; %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED;
 * %G_IO_ERROR_NOT_INITIALIZED; else what the call named in the message reported.
 *
 * Returns: a file descriptor, which the caller closes, or -1 with @error set
 *
 * Since: 1.0
 */
int
tf_temp_file_seal (TfTempFile    *self,
                   GCancellable  *cancellable,
                   GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return tf_store_seal (tf_temp_file_get_store (self), cancellable, error);
}

/* Closes a result that nobody asked for. */
static void
seal_request_free (gpointer data)
{
  int *fd = data;

  tf_clear_fd (fd);
  g_free (fd);
}

static gssize
seal_func (gpointer       source_object,
           gpointer       data,
           gboolean       blocking,
           GCancellable  *cancellable,
           GError       **error)
{
  int *fd = data;

  if (!blocking)
    return tf_task_would_block (error);

  *fd = tf_temp_file_seal (source_object, cancellable, error);
  return *fd >= 0 ? 0 : -1;
}

/**
 * tf_temp_file_seal_async:
 * @self: a temporary file
 * @io_priority: the priority of the request, as %G_PRIORITY_DEFAULT
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when it is done
 * @user_data: user data for @callback
 *
 * Copies the content into a sealed memory file, as [method@TempFile.seal], without blocking.
 *
 * A worker thread does it. @callback is called in the thread-default main context of the caller.
 *
 * A file has one asynchronous operation at a time; another one fails with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_seal_async (TfTempFile          *self,
                         int                  io_priority,
                         GCancellable        *cancellable,
                         GAsyncReadyCallback  callback,
                         gpointer             user_data)
{
  int *fd;

  g_return_if_fail (TF_IS_TEMP_FILE (self));

  fd = g_new (int, 1);
  *fd = -1;
  tf_temp_file_run_async (self, tf_temp_file_seal_async, seal_func, fd, seal_request_free,
                          io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_seal_finish:
 * @self: a temporary file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@TempFile.seal_async], with the errors of [method@TempFile.seal].
 *
 * Returns: a file descriptor, which the caller closes, or -1 with @error set
 *
 * Since: 1.0
 */
int
tf_temp_file_seal_finish (TfTempFile    *self,
                          GAsyncResult  *result,
                          GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), -1);

  if (tf_task_finish (self, result, tf_temp_file_seal_async, error) < 0)
    return -1;

  return tf_steal_fd (tf_temp_file_get_async_data (result));
}

/* Closes the file of which @bytes are the content, and takes them over. */
static GBytes *
close_for_bytes (TfTempFile  *self,
                 GBytes      *bytes,
                 GError     **error)
{
  g_autoptr(GError) close_error = NULL;

  if (g_io_stream_close (G_IO_STREAM (self), NULL, &close_error))
    return bytes;

  if (!g_io_stream_is_closed (G_IO_STREAM (self)))
    {
      g_bytes_unref (bytes);
      g_propagate_error (error, g_steal_pointer (&close_error));
      return NULL;
    }

  tf_log_lost_error ("Closing a temporary file", close_error);
  return bytes;
}

/**
 * tf_temp_file_steal_bytes:
 * @self: a temporary file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Closes the file and hands over all of its content, whatever the position.
 *
 * Bytes in memory are not copied. A file on disk is mapped, see mmap(2), and takes memory only for what
 * is looked at; its bytes need no descriptor and survive the object, the name and the file's deletion.
 * Such a mapping is of the file: somebody else who has it open, by its name or by a descriptor that was
 * handed out, must not truncate it, or reading the bytes beyond its end ends the process with SIGBUS.
 * What they write may be seen.
 *
 * The file is closed as by [method@Gio.IOStream.close]; what that reports is logged, since the bytes are
 * there. On failure nothing is closed. Errors are of %G_IO_ERROR: %G_IO_ERROR_PENDING when a stream is in
 * use; %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED; %G_IO_ERROR_NOT_INITIALIZED; else what mmap(2) reported.
 *
 * Returns: (transfer full): the content
 *
 * Since: 1.0
 */
GBytes *
tf_temp_file_steal_bytes (TfTempFile    *self,
                          GCancellable  *cancellable,
                          GError       **error)
{
  GBytes *bytes;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  bytes = tf_store_map (tf_temp_file_get_store (self), cancellable, error);
  return bytes != NULL ? close_for_bytes (self, bytes, error) : NULL;
}

static void
steal_request_free (gpointer data)
{
  GBytes **bytes = data;

  g_clear_pointer (bytes, g_bytes_unref);
  g_free (bytes);
}

static gssize
steal_bytes_func (gpointer       source_object,
                  gpointer       data,
                  gboolean       blocking,
                  GCancellable  *cancellable,
                  GError       **error)
{
  GBytes **bytes = data;

  if (!blocking)
    return tf_task_would_block (error);

  *bytes = tf_store_map (tf_temp_file_get_store (source_object), cancellable, error);
  return *bytes != NULL ? 0 : -1;
}

/**
 * tf_temp_file_steal_bytes_async:
 * @self: a temporary file
 * @io_priority: the priority of the request, as %G_PRIORITY_DEFAULT
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when it is done
 * @user_data: user data for @callback
 *
 * Maps the content in a worker thread, so that [method@TempFile.steal_bytes_finish] can hand it over.
 *
 * @callback is called in the thread-default main context of the caller.
 *
 * A file has one asynchronous operation at a time; another one fails with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_steal_bytes_async (TfTempFile          *self,
                                int                  io_priority,
                                GCancellable        *cancellable,
                                GAsyncReadyCallback  callback,
                                gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));

  tf_temp_file_run_async (self, tf_temp_file_steal_bytes_async, steal_bytes_func,
                          g_new0 (GBytes *, 1), steal_request_free,
                          io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_steal_bytes_finish:
 * @self: a temporary file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Closes the file and hands over its content, with the errors of [method@TempFile.steal_bytes].
 *
 * It is this call that closes the file: without it, the file stays open and as it is.
 *
 * Returns: (transfer full): the content
 *
 * Since: 1.0
 */
GBytes *
tf_temp_file_steal_bytes_finish (TfTempFile    *self,
                                 GAsyncResult  *result,
                                 GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);

  if (tf_task_finish (self, result, tf_temp_file_steal_bytes_async, error) < 0)
    return NULL;

  return close_for_bytes (self, g_steal_pointer ((GBytes **) tf_temp_file_get_async_data (result)), error);
}

/**
 * tf_temp_file_open_reader:
 * @self: a temporary file
 * @error: return location for an error
 *
 * Opens one more input stream over the same bytes, with a position of its own.
 *
 * It starts at the beginning, is a [iface@Gio.Seekable], and reads what has been written so far; at the
 * end of that it reports the end of the file, and more once more was written. That the file rolls over or
 * is persisted meanwhile does not matter. Each reader may be used from a thread of its own while
 * another thread uses the file.
 *
 * A reader outlives the file: when that is closed, the bytes, or the descriptor, stay until the last reader is closed.
 *
 * Does not block. Errors are of %G_IO_ERROR: %G_IO_ERROR_CLOSED and %G_IO_ERROR_NOT_INITIALIZED.
 *
 * Returns: (transfer full): a new input stream
 *
 * Since: 1.0
 */
GInputStream *
tf_temp_file_open_reader (TfTempFile  *self,
                          GError     **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_store_reader_new (tf_temp_file_get_store (self), error);
}
