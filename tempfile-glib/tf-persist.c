/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-persist.h"

#include "base/tf-context.h"
#include "base/tf-debug.h"
#include "store/tf-store-transfer.h"
#include "tf-temp-file-private.h"

typedef struct
{
  char           *path;
  TfPersistFlags  flags;
  GMainContext   *context; /* (owned): of the caller */
  int             io_priority;
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_main_context_unref (request->context);
  g_free (request->path);
  g_free (request);
}

static char *
get_local_path (GFile   *destination,
                GError **error)
{
  char *path = g_file_get_path (destination);
  g_autofree char *name = NULL;

  if (path != NULL)
    return path;

  name = g_file_get_parse_name (destination);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "A temporary file can be given a local name only, not “%s”", name);
  return NULL;
}

/* Called in a worker thread as well. */
static gboolean
persist (TfTempFile      *self,
         const char      *path,
         TfPersistFlags   flags,
         GCancellable    *cancellable,
         GError         **error)
{
  g_autofree char *final_path = NULL;
  TfTempFileClass *klass = TF_TEMP_FILE_GET_CLASS (self);

  if (!tf_store_persist (tf_temp_file_get_store (self), path, flags, &final_path, cancellable, error))
    return FALSE;

  tf_debug_trace ("persisted", final_path);
  if (klass->persisted != NULL)
    klass->persisted (self, final_path);

  return TRUE;
}

/**
 * tf_temp_file_persist:
 * @self: a temporary file
 * @destination: where the file shall be from now on; local
 * @flags: how to go about it
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Gives the file a lasting name, in one step that nobody can see half done.
 *
 * Until then there is nothing at @destination, or what was there before; from then on there is the whole
 * file. When the call fails, @destination is as it was, nothing is left beside it, and the file is as it
 * was: the call can be repeated.
 *
 * Without %TF_PERSIST_REPLACE, of all who want a name exactly one gets it, and the others fail. With
 * it, the new file takes the place of a regular file or a symbolic link. Other names of a replaced file (hard
 * links) keep the old content. Directories, devices, pipes and sockets are never replaced.
 *
 * ## Permissions
 *
 * A new file gets those that the process gives to the files it creates there: 0666 less the umask, or what
 * the default ACL of the directory says. A file that replaces another one gets that one's mode, POSIX ACL,
 * `user.` attributes and, where this is permitted, owner and group; what was granted to a group that
 * cannot be kept is not granted to another one. With %TF_PERSIST_PRIVATE, either has mode 0600. In no case
 * does [property@TempFile:mode] play a part, nor is the umask ever set.
 *
 * ## How
 *
 * The file itself is linked, see linkat(2). A file in memory is written straight to the destination's
 * directory, never through the one for temporary files. One on another file system is copied there, with shared
 * blocks or by the kernel where they can; so is one that cannot be linked, and one that has been
 * persisted before, so that the former destination and the new one are two files.
 *
 * On a file system with neither hard links nor the `RENAME_NOREPLACE` of renameat2(2), as some of FUSE,
 * a name that nobody had is first taken by an empty file, which others can see for a moment. On one
 * without `RENAME_EXCHANGE`, the last step of %TF_PERSIST_DURABLE may fail when the file was replaced already.
 *
 * ## Afterwards
 *
 * The object stays open, at the same position, and works on the file at @destination: what is written now
 * changes that file. A [class@SpooledFile] has rolled over to it. The path of a
 * [class@NamedFile] is @destination, its former name is gone, and its delete policy is %TF_DELETE_NEVER.
 *
 * The descriptor of [method@TempFile.get_fd] belongs to the file at @destination as well, but one that
 * another process was given before belongs to the former file if a copy had to be made.
 *
 * Blocks on the disk. Errors are of %G_IO_ERROR: %G_IO_ERROR_EXISTS if something is at
 * @destination and may not be replaced; %G_IO_ERROR_IS_DIRECTORY and %G_IO_ERROR_NOT_REGULAR_FILE if it
 * never may; %G_IO_ERROR_NOT_FOUND if its directory does not exist; %G_IO_ERROR_PERMISSION_DENIED;
 * %G_IO_ERROR_READ_ONLY; %G_IO_ERROR_NO_SPACE; %G_IO_ERROR_NOT_SUPPORTED if it is not local;
 * %G_IO_ERROR_TOO_MANY_LINKS for a circle of symbolic links; %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED;
 * %G_IO_ERROR_NOT_INITIALIZED; else what the call named in the message reported.
 *
 * Returns: %TRUE if the file has the name
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_persist (TfTempFile      *self,
                      GFile           *destination,
                      TfPersistFlags   flags,
                      GCancellable    *cancellable,
                      GError         **error)
{
  g_autofree char *path = NULL;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (G_IS_FILE (destination), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  path = get_local_path (destination, error);
  return path != NULL && persist (self, path, flags, cancellable, error);
}

static gssize
persist_func (gpointer       source_object,
              gpointer       data,
              gboolean       blocking,
              GCancellable  *cancellable,
              GError       **error)
{
  const Request *request = data;
  gboolean success;

  if (!blocking)
    return tf_task_would_block (error);

  tf_context_begin (request->context, request->io_priority);
  success = persist (source_object, request->path, request->flags, cancellable, error);
  tf_context_end ();
  return success ? 0 : -1;
}

/**
 * tf_temp_file_persist_async:
 * @self: a temporary file
 * @destination: where the file shall be from now on; local
 * @flags: how to go about it
 * @io_priority: the priority of the request, as %G_PRIORITY_DEFAULT
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when it is done
 * @user_data: user data for @callback
 *
 * Gives the file a lasting name, as [method@TempFile.persist], without blocking.
 *
 * The disk is waited for in a worker thread. @callback, and before it what there is to notify and to
 * emit, is called in the thread-default main context of the caller. A call that is cancelled too late
 * succeeds.
 *
 * A file has one asynchronous operation at a time; another one fails with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_persist_async (TfTempFile          *self,
                            GFile               *destination,
                            TfPersistFlags       flags,
                            int                  io_priority,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  GError *error = NULL;
  Request *request;
  char *path;

  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (G_IS_FILE (destination));

  path = get_local_path (destination, &error);
  if (path == NULL)
    {
      g_task_report_error (self, callback, user_data, tf_temp_file_persist_async, error);
      return;
    }

  request = g_new (Request, 1);
  *request = (Request) {
    .path = path,
    .flags = flags,
    .context = g_main_context_ref_thread_default (),
    .io_priority = io_priority,
  };
  tf_temp_file_run_async (self, tf_temp_file_persist_async, persist_func, request, request_free,
                          io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_persist_finish:
 * @self: a temporary file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@TempFile.persist_async], with the errors of [method@TempFile.persist].
 *
 * Returns: %TRUE if the file has the name
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_persist_finish (TfTempFile    *self,
                             GAsyncResult  *result,
                             GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);

  return tf_task_finish (self, result, tf_temp_file_persist_async, error) >= 0;
}
