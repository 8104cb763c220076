/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "base/tf-async-initable.h"
#include "tf-named-file.h"
#include "tf-temp-dir.h"
#include "tf-temp-file.h"

/**
 * tf_temp_file_create_async:
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @io_priority: the priority of the request, [const@GLib.PRIORITY_DEFAULT] for example
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the file is there
 * @user_data: what to pass to @callback
 *
 * Creates a file without a name, as [ctor@TempFile.new] does.
 *
 * Does not block: the work is done in a thread. @callback is called in the thread-default main context of
 * the caller; it has to call [func@TempFile.create_finish]. When @cancellable is cancelled before that, and
 * when that is never called, nothing stays on the disk.
 *
 * Since: 1.0
 */
void
tf_temp_file_create_async (const char          *dir,
                           int                  io_priority,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  g_async_initable_new_async (TF_TYPE_TEMP_FILE, io_priority, cancellable, callback, user_data,
                              "dir", dir,
                              NULL);
}

/**
 * tf_temp_file_create_finish:
 * @result: what @callback got
 * @error: return location for an error
 *
 * Ends what [func@TempFile.create_async] began.
 *
 * The errors are those of [ctor@TempFile.new].
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfTempFile *
tf_temp_file_create_finish (GAsyncResult  *result,
                            GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_creation_finish (result, TF_TYPE_TEMP_FILE, error);
}

/**
 * tf_named_file_create_async:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @io_priority: the priority of the request, [const@GLib.PRIORITY_DEFAULT] for example
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the file is there
 * @user_data: what to pass to @callback
 *
 * Creates a file with a name, as [ctor@NamedFile.new] does.
 *
 * Does not block: the work is done in a thread. @callback is called in the thread-default main context of
 * the caller; it has to call [func@NamedFile.create_finish]. When @cancellable is cancelled before that, and
 * when that is never called, nothing stays on the disk.
 *
 * Since: 1.0
 */
void
tf_named_file_create_async (const char          *prefix,
                            const char          *suffix,
                            const char          *dir,
                            int                  io_priority,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  g_async_initable_new_async (TF_TYPE_NAMED_FILE, io_priority, cancellable, callback, user_data,
                              "prefix", prefix,
                              "suffix", suffix,
                              "dir", dir,
                              NULL);
}

/**
 * tf_named_file_create_finish:
 * @result: what @callback got
 * @error: return location for an error
 *
 * Ends what [func@NamedFile.create_async] began.
 *
 * The errors are those of [ctor@NamedFile.new].
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfNamedFile *
tf_named_file_create_finish (GAsyncResult  *result,
                             GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_creation_finish (result, TF_TYPE_NAMED_FILE, error);
}

/**
 * tf_temp_dir_create_async:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to make the directory, or %NULL for [func@Tf.get_temp_dir]
 * @io_priority: the priority of the request, [const@GLib.PRIORITY_DEFAULT] for example
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the directory is there
 * @user_data: what to pass to @callback
 *
 * Makes a directory, as [ctor@TempDir.new] does.
 *
 * Does not block: the work is done in a thread. @callback is called in the thread-default main context of
 * the caller; it has to call [func@TempDir.create_finish]. When @cancellable is cancelled before that, and
 * when that is never called, nothing stays on the disk.
 *
 * Since: 1.0
 */
void
tf_temp_dir_create_async (const char          *prefix,
                          const char          *suffix,
                          const char          *dir,
                          int                  io_priority,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  g_async_initable_new_async (TF_TYPE_TEMP_DIR, io_priority, cancellable, callback, user_data,
                              "prefix", prefix,
                              "suffix", suffix,
                              "dir", dir,
                              NULL);
}

/**
 * tf_temp_dir_create_finish:
 * @result: what @callback got
 * @error: return location for an error
 *
 * Ends what [func@TempDir.create_async] began.
 *
 * The errors are those of [ctor@TempDir.new].
 *
 * Returns: (transfer full): a new directory
 *
 * Since: 1.0
 */
TfTempDir *
tf_temp_dir_create_finish (GAsyncResult  *result,
                           GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_creation_finish (result, TF_TYPE_TEMP_DIR, error);
}
