/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-reserve.h"

#include "store/tf-store-transfer.h"
#include "tf-temp-file-private.h"

/**
 * tf_temp_file_reserve:
 * @self: a temporary file
 * @size: how many bytes the file shall have room for, in all
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Sets room aside for a file of @size bytes, so that a full disk shows now and not half-way through.
 *
 * Size, content and position stay as they are. On disk, it is fallocate(2) with `FALLOC_FL_KEEP_SIZE`.
 * In memory, the memory is asked for; a [class@SpooledFile] that may not or cannot be so large there
 * rolls over first. Writing up to @size bytes then fails for no lack of room, at least on a file system
 * that overwrites in place.
 *
 * On a file system that cannot set room aside, the free space is compared instead: with
 * %G_IO_ERROR_NO_SPACE there is not enough of it, with %G_IO_ERROR_NOT_SUPPORTED there is now, but
 * nothing keeps it free; who can live with that goes on.
 *
 * Blocks on the disk. Errors are of %G_IO_ERROR: besides those two, %G_IO_ERROR_INVALID_ARGUMENT for a
 * negative @size; %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED; %G_IO_ERROR_NOT_INITIALIZED; those of
 * [method@SpooledFile.rollover]; else what fallocate(2) reported.
 *
 * Returns: %TRUE if the room is set aside
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_reserve (TfTempFile    *self,
                      goffset        size,
                      GCancellable  *cancellable,
                      GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (size < 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                           "Cannot reserve room for a negative number of bytes");
      return FALSE;
    }

  return tf_store_set_aside (tf_temp_file_get_store (self), size, cancellable, error);
}

static gssize
reserve_func (gpointer       source_object,
              gpointer       data,
              gboolean       blocking,
              GCancellable  *cancellable,
              GError       **error)
{
  const goffset *size = data;

  if (!blocking)
    return tf_task_would_block (error);

  return tf_temp_file_reserve (source_object, *size, cancellable, error) ? 0 : -1;
}

/**
 * tf_temp_file_reserve_async:
 * @self: a temporary file
 * @size: how many bytes the file shall have room for, in all
 * @io_priority: the priority of the request, as %G_PRIORITY_DEFAULT
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when it is done
 * @user_data: user data for @callback
 *
 * Sets room aside for a file of @size bytes, as [method@TempFile.reserve], without blocking.
 *
 * A worker thread does it. @callback, and before it [signal@SpooledFile::rolled-over], is called in the
 * thread-default main context of the caller.
 *
 * A file has one asynchronous operation at a time; another one fails with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_reserve_async (TfTempFile          *self,
                            goffset              size,
                            int                  io_priority,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));

  tf_temp_file_run_async (self, tf_temp_file_reserve_async, reserve_func, g_memdup2 (&size, sizeof size), g_free,
                          io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_reserve_finish:
 * @self: a temporary file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@TempFile.reserve_async], with the errors of [method@TempFile.reserve].
 *
 * Returns: %TRUE if the room is set aside
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_reserve_finish (TfTempFile    *self,
                             GAsyncResult  *result,
                             GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);

  return tf_task_finish (self, result, tf_temp_file_reserve_async, error) >= 0;
}
