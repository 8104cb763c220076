/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-sweep.h"

#include <errno.h>

#include "base/tf-errno.h"
#include "base/tf-failures.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "base/tf-task.h"
#include "names/tf-journal-reader.h"

/* An asynchronous call. */
typedef struct
{
  TfTemplate template; /* absolute dir, or none */
  guint min_age_seconds;
  guint n_removed;
} Sweep;

static gboolean
stat_dir (const char    *dir,
          TfSystemStat  *st,
          GError       **error)
{
  tf_autofd int fd = tf_system_open_dir (dir);

  if (fd < 0)
    return tf_errno_set (error, errno, "open", dir);

  return tf_system_stat (st, fd, "") || tf_errno_set (error, errno, "stat", dir);
}

static gboolean
sweep (const TfTemplate  *template,
       guint              min_age_seconds,
       guint             *n_removed,
       GCancellable      *cancellable,
       GError           **error)
{
  g_auto(TfFailures) failures;
  TfJournalReader reader = { .min_age_seconds = min_age_seconds, .failures = &failures };
  TfSystemStat dir;
  gboolean success;

  tf_failures_init (&failures);
  if (template->prefix != NULL)
    {
      if (!tf_template_check (template, error))
        return FALSE;
      reader.template = template;
    }
  if (template->dir != NULL)
    {
      if (!stat_dir (template->dir, &dir, error))
        return FALSE;
      reader.dir = &dir;
    }

  success = tf_journal_reader_sweep (&reader, cancellable, error) && tf_failures_report (&failures, error);
  *n_removed = reader.n_removed;
  return success;
}

/**
 * tf_sweep:
 * @prefix: (type filename) (nullable): the prefix of the names, or %NULL for any
 * @dir: (type filename) (nullable): the directory in which they are, or %NULL for any
 * @min_age_seconds: the minimum time since the last change of what is removed, in seconds
 * @n_removed: (out) (optional): the number of files and directories removed, also if the call fails
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Removes what killed processes have left behind: the files of [class@NamedFile], the directories of [class@TempDir],
 * and the hidden names that [method@TempFile.persist] uses for a moment.
 *
 * A program can call this when it starts, with %NULL, %NULL and 0. If there is nothing to remove, it takes some
 * microseconds: no directory of temporary files is searched.
 *
 * A process that uses these classes writes a journal of the names that it creates. A sweep reads the journals of the
 * user's processes that are certainly dead. It removes what such a journal names, if it still is the same file at the
 * same place, and its process did not keep it. A directory goes with all it holds. Files that were moved, renamed or
 * replaced, and everything else of living processes and of their forked children, stay.
 * [What is removed, and when](lifetime.html) describes the details.
 *
 * The arguments only restrict what is removed. With a @prefix, the names begin with it and eight characters out of
 * `[a-z0-9_]`; with a @dir, they lie directly in it.
 *
 * If something cannot be removed, the call continues with the rest and reports the first error, with its path and
 * the number of errors. It may be called from any thread. It blocks on the disk, and waits, for five seconds at most,
 * for another sweep that is about the same process.
 *
 * Errors are of %G_IO_ERROR: %G_IO_ERROR_NOT_FOUND if @dir does not exist; %G_IO_ERROR_INVALID_FILENAME if
 * @prefix holds a `/`; %G_IO_ERROR_NOT_SUPPORTED if the system has no journals: without `/proc`, or if the library
 * uses POSIX alone; %G_IO_ERROR_TOO_MANY_OPEN_FILES if there are no descriptors to look at all journals;
 * %G_IO_ERROR_BUSY if another sweep takes longer; those of [method@TempDir.cleanup]; %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE on success, also if there was nothing to remove
 *
 * Since: 1.0
 */
gboolean
tf_sweep (const char    *prefix,
          const char    *dir,
          guint          min_age_seconds,
          guint         *n_removed,
          GCancellable  *cancellable,
          GError       **error)
{
  const TfTemplate template = { .dir = (char *) dir, .prefix = (char *) prefix };
  guint n = 0;
  gboolean success;

  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  success = sweep (&template, min_age_seconds, &n, cancellable, error);
  if (n_removed != NULL)
    *n_removed = n;

  return success;
}

static void
sweep_free (gpointer data)
{
  Sweep *self = data;

  tf_template_clear (&self->template);
  g_free (self);
}

static gssize
sweep_func (gpointer       no_object,
            gpointer       task_data,
            GCancellable  *cancellable,
            GError       **error)
{
  Sweep *self = task_data;

  if (!tf_task_may_block (error))
    return -1;

  return sweep (&self->template, self->min_age_seconds, &self->n_removed, cancellable, error) ? 0 : -1;
}

/**
 * tf_sweep_async:
 * @prefix: (type filename) (nullable): the prefix of the names, or %NULL for any
 * @dir: (type filename) (nullable): the directory in which they are, or %NULL for any
 * @min_age_seconds: the minimum time since the last change of what is removed, in seconds
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [func@Tf.sweep].
 *
 * A worker thread does the work.
 *
 * @callback is called in the thread-default main context of the caller. It calls [func@Tf.sweep_finish].
 *
 * Since: 1.0
 */
void
tf_sweep_async (const char          *prefix,
                const char          *dir,
                guint                min_age_seconds,
                int                  io_priority,
                GCancellable        *cancellable,
                GAsyncReadyCallback  callback,
                gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  Sweep *data;

  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  data = g_new0 (Sweep, 1);
  tf_template_set (&data->template, prefix, NULL, dir);
  data->min_age_seconds = min_age_seconds;

  task = tf_task_new (NULL, tf_sweep_async, io_priority, cancellable, callback, user_data);
  g_task_set_task_data (task, data, sweep_free);
  tf_task_run (task, sweep_func);
}

/**
 * tf_sweep_finish:
 * @result: the result passed to the callback
 * @n_removed: (out) (optional): the number of files and directories removed, also if the call fails
 * @error: return location for an error
 *
 * Finishes an operation started with [func@Tf.sweep_async].
 *
 * The errors are those of [func@Tf.sweep].
 *
 * Returns: %TRUE on success, also if there was nothing to remove
 *
 * Since: 1.0
 */
gboolean
tf_sweep_finish (GAsyncResult  *result,
                 guint         *n_removed,
                 GError       **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, tf_sweep_async), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (n_removed != NULL)
    *n_removed = ((Sweep *) g_task_get_task_data (G_TASK (result)))->n_removed;

  return tf_task_finish (NULL, result, tf_sweep_async, error) >= 0;
}
