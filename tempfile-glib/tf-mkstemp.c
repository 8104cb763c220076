/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-mkstemp.h"

#include "base/tf-fd.h"
#include "base/tf-task.h"
#include "names/tf-entry.h"
#include "names/tf-open.h"
#include "tf-location.h"

/* The result of an asynchronous call. It belongs to the task until the caller takes it. If nobody does, it is removed
 * with the task, at the end of the process, or by a sweep. */
typedef struct
{
  TfTemplate template; /* absolute dir, or none */
  TfEntry entry;
  int fd;              /* -1 for a directory */
} Creation;

/* The result borrows the arguments. */
static TfTemplate
make_template (const char *prefix,
               const char *suffix,
               const char *dir,
               guint       mode)
{
  return (TfTemplate) {
    .dir = (char *) dir,
    .prefix = (char *) prefix,
    .suffix = (char *) suffix,
    .mode = mode,
  };
}

static int
create_file (const TfTemplate  *template,
             char             **path,
             GCancellable      *cancellable,
             GError           **error)
{
  TfTemplate complete = *template;

  if (!tf_template_complete (&complete, tf_get_temp_dir, error))
    return -1;

  return tf_open_named (&complete, NULL, path, cancellable, error);
}

static char *
create_dir (const TfTemplate  *template,
            GCancellable      *cancellable,
            GError           **error)
{
  TfTemplate complete = *template;

  if (!tf_template_complete (&complete, tf_get_temp_dir, error))
    return NULL;

  return tf_open_make_dir (&complete, NULL, cancellable, error);
}

static Creation *
creation_new (const char *prefix,
              const char *suffix,
              const char *dir,
              guint       mode)
{
  Creation *self = g_new0 (Creation, 1);

  tf_template_set (&self->template, prefix, suffix, dir);
  self->template.mode = mode;
  tf_entry_init (&self->entry);
  self->fd = -1;
  return self;
}

/* Removes a result that the caller has not taken. */
static void
creation_undo (Creation *self)
{
  tf_entry_drop (&self->entry, FALSE, NULL, NULL);
  tf_fd_clear (&self->fd);
}

static void
creation_free (gpointer data)
{
  Creation *self = data;

  creation_undo (self);
  tf_entry_clear (&self->entry);
  tf_template_clear (&self->template);
  g_free (self);
}

static gssize
creation_settle (Creation      *self,
                 GCancellable  *cancellable,
                 GError       **error)
{
  if (!g_cancellable_set_error_if_cancelled (cancellable, error))
    return 0;

  creation_undo (self);
  return -1;
}

static gssize
mkstemp_func (gpointer       no_object,
              gpointer       task_data,
              GCancellable  *cancellable,
              GError       **error)
{
  Creation *self = task_data;
  TfTemplate complete = self->template;

  if (!tf_task_may_block (error) || !tf_template_complete (&complete, tf_get_temp_dir, error))
    return -1;

  self->fd = tf_entry_create_file (&self->entry, &complete, cancellable, error);
  return self->fd >= 0 ? creation_settle (self, cancellable, error) : -1;
}

static gssize
mkdtemp_func (gpointer       no_object,
              gpointer       task_data,
              GCancellable  *cancellable,
              GError       **error)
{
  Creation *self = task_data;
  TfTemplate complete = self->template;

  if (!tf_task_may_block (error) || !tf_template_complete (&complete, tf_get_temp_dir, error) ||
      !tf_entry_create_dir (&self->entry, &complete, cancellable, error))
    return -1;

  return creation_settle (self, cancellable, error);
}

static void
creation_start (Creation            *self,
                gpointer             source_tag,
                TfTaskFunc           func,
                int                  io_priority,
                GCancellable        *cancellable,
                GAsyncReadyCallback  callback,
                gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (NULL, source_tag, io_priority, cancellable, callback, user_data);

  /* A creation can be undone as long as the caller has not taken the result. */
  g_task_set_check_cancellable (task, TRUE);
  g_task_set_task_data (task, self, creation_free);
  tf_task_run (task, func);
}

/* Returns the path, and the descriptor of a file. */
static char *
creation_finish (GAsyncResult  *result,
                 gpointer       source_tag,
                 int           *fd,
                 GError       **error)
{
  Creation *self;

  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, source_tag), NULL);

  self = g_task_get_task_data (G_TASK (result));
  if (tf_task_finish (NULL, result, source_tag, error) < 0)
    {
      creation_undo (self);
      return NULL;
    }

  if (fd != NULL)
    *fd = tf_fd_steal (&self->fd);

  tf_entry_keep (&self->entry);
  return g_steal_pointer (&self->entry.path);
}

/**
 * tf_mkstemp:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @path: (out) (type filename) (transfer full): the absolute path of the file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a file with a new name that no other user can open.
 *
 * The name has eight random characters out of `[a-z0-9_]` between prefix and suffix. They come from the kernel's
 * random source. The file has mode 0600 and is opened with `O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW`,
 * see open(2). The descriptor is never 0, 1 or 2, even if the program has closed its standard streams. The caller
 * closes the descriptor and removes the file; [class@NamedFile] does both by itself. This is `mkstemp()` of
 * Python's `tempfile`.
 *
 * It may be called from any thread. It blocks on the disk.
 *
 * Errors are of %G_IO_ERROR: %G_IO_ERROR_INVALID_FILENAME if @prefix or @suffix holds a `/`;
 * %G_IO_ERROR_FILENAME_TOO_LONG if they make the name too long; %G_IO_ERROR_EXISTS if 10 000 names in a row
 * were taken; %G_IO_ERROR_NOT_FOUND if @dir does not exist; %G_IO_ERROR_PERMISSION_DENIED if the audit function
 * refuses it, see [func@Tf.set_audit_func]; %G_IO_ERROR_CANCELLED; otherwise an error mapped from open(2)'s errno.
 *
 * Returns: a file descriptor, which the caller closes, or -1 with @error set
 *
 * Since: 1.0
 */
int
tf_mkstemp (const char    *prefix,
            const char    *suffix,
            const char    *dir,
            char         **path,
            GCancellable  *cancellable,
            GError       **error)
{
  TfTemplate template = make_template (prefix, suffix, dir, 0600);

  g_return_val_if_fail (path != NULL, -1);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  *path = NULL;
  return create_file (&template, path, cancellable, error);
}

/**
 * tf_mkstemp_async:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [func@Tf.mkstemp].
 *
 * The file is created in a worker thread. If @cancellable is cancelled before [func@Tf.mkstemp_finish], or if that
 * is never called, the file is removed and the descriptor closed.
 *
 * @callback is called in the thread-default main context of the caller. It calls [func@Tf.mkstemp_finish].
 *
 * Since: 1.0
 */
void
tf_mkstemp_async (const char          *prefix,
                  const char          *suffix,
                  const char          *dir,
                  int                  io_priority,
                  GCancellable        *cancellable,
                  GAsyncReadyCallback  callback,
                  gpointer             user_data)
{
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  creation_start (creation_new (prefix, suffix, dir, 0600), tf_mkstemp_async, mkstemp_func,
                  io_priority, cancellable, callback, user_data);
}

/**
 * tf_mkstemp_finish:
 * @result: the result passed to the callback
 * @path: (out) (type filename) (transfer full): the absolute path of the file
 * @error: return location for an error
 *
 * Finishes an operation started with [func@Tf.mkstemp_async].
 *
 * The errors are those of [func@Tf.mkstemp].
 *
 * Returns: a file descriptor, which the caller closes, or -1 with @error set
 *
 * Since: 1.0
 */
int
tf_mkstemp_finish (GAsyncResult  *result,
                   char         **path,
                   GError       **error)
{
  int fd = -1;

  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), -1);
  g_return_val_if_fail (path != NULL, -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  *path = creation_finish (result, tf_mkstemp_async, &fd, error);
  return fd;
}

/**
 * tf_mkdtemp:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the directory, or %NULL for [func@Tf.get_temp_dir]
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a directory with a new name and mode 0700.
 *
 * Names and errors are those of [func@Tf.mkstemp]. The caller removes the directory with all it holds;
 * [class@TempDir] does so by itself. This is `mkdtemp()` of Python's `tempfile`.
 *
 * It may be called from any thread. It blocks on the disk.
 *
 * Returns: (type filename) (transfer full): the absolute path of the directory
 *
 * Since: 1.0
 */
char *
tf_mkdtemp (const char    *prefix,
            const char    *suffix,
            const char    *dir,
            GCancellable  *cancellable,
            GError       **error)
{
  TfTemplate template = make_template (prefix, suffix, dir, 0700);

  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return create_dir (&template, cancellable, error);
}

/**
 * tf_mkdtemp_async:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the directory, or %NULL for [func@Tf.get_temp_dir]
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [func@Tf.mkdtemp].
 *
 * The directory is created in a worker thread. If @cancellable is cancelled before [func@Tf.mkdtemp_finish], or if that
 * is never called, the directory is removed.
 *
 * @callback is called in the thread-default main context of the caller. It calls [func@Tf.mkdtemp_finish].
 *
 * Since: 1.0
 */
void
tf_mkdtemp_async (const char          *prefix,
                  const char          *suffix,
                  const char          *dir,
                  int                  io_priority,
                  GCancellable        *cancellable,
                  GAsyncReadyCallback  callback,
                  gpointer             user_data)
{
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  creation_start (creation_new (prefix, suffix, dir, 0700), tf_mkdtemp_async, mkdtemp_func,
                  io_priority, cancellable, callback, user_data);
}

/**
 * tf_mkdtemp_finish:
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [func@Tf.mkdtemp_async].
 *
 * The errors are those of [func@Tf.mkdtemp].
 *
 * Returns: (type filename) (transfer full): the absolute path of the directory
 *
 * Since: 1.0
 */
char *
tf_mkdtemp_finish (GAsyncResult  *result,
                   GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return creation_finish (result, tf_mkdtemp_async, NULL, error);
}

/**
 * tf_mktemp:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): the directory of the path, or %NULL for [func@Tf.get_temp_dir]
 * @error: return location for an error
 *
 * Returns a path at which nothing existed at the time of the call, and creates nothing.
 *
 * The name has the form of those of [func@Tf.mkstemp]. The errors are those of [func@Tf.mkstemp] for an invalid
 * prefix or suffix and for 10 000 names in a row that were taken. If @dir does not exist, a path in it is returned.
 * This is `mktemp()` of Python's `tempfile`, which is deprecated as well.
 *
 * It may be called from any thread. It blocks on the disk.
 *
 * Returns: (type filename) (transfer full): an absolute path
 *
 * Since: 1.0
 * Deprecated: 1.0: Before the caller creates the file, someone else can put a file there, or a symbolic link to
 *   one of the caller's files. Use [func@Tf.mkstemp] or [class@NamedFile], which choose the name and create the
 *   file in one step.
 */
char *
tf_mktemp (const char  *prefix,
           const char  *suffix,
           const char  *dir,
           GError     **error)
{
  TfTemplate template = make_template (prefix, suffix, dir, 0);

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!tf_template_complete (&template, tf_get_temp_dir, error))
    return NULL;

  return tf_open_free_name (&template, error);
}
