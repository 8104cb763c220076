/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/tf-debug.h"
#include "base/tf-errno.h"
#include "base/tf-failures.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "base/tf-task.h"
#include "names/tf-mark.h"
#include "names/tf-open.h"
#include "tree/tf-remove.h"
#include "tf-location.h"

typedef struct
{
  int fd;
  gboolean is_dir;
  TfIdentity identity;
} Candidate;

/* An asynchronous call. */
typedef struct
{
  TfTemplate template; /* absolute dir, or none */
  guint min_age_seconds;
  guint n_removed;
} Sweep;

static gboolean
is_old (const struct stat *st,
        guint              min_age_seconds)
{
  /* Time stamps may lie in the future: time(2) lags some milliseconds behind the time stamps of Linux 6.13 and later,
   * and a clock can be set back. */
  return min_age_seconds == 0 ||
         time (NULL) - MAX (st->st_mtime, st->st_ctime) >= (gint64) min_age_seconds;
}

/* Opens the file or directory at @path if it belongs to this user and carries the mark, and if its creator is dead.
 * The exclusive lock keeps other sweeps away. */
static gboolean
open_candidate (Candidate  *self,
                const char *path,
                guint       min_age_seconds)
{
  tf_autofd int fd = -1;
  struct stat st;

  /* Checked before opening, which has side effects on a device or a pipe. */
  if (lstat (path, &st) != 0 || st.st_uid != geteuid () || !(S_ISDIR (st.st_mode) || S_ISREG (st.st_mode)))
    return FALSE;

  fd = open (path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &st) != 0 || st.st_uid != geteuid () || !is_old (&st, min_age_seconds) ||
      tf_system_lock (fd, TRUE) != 0 || !tf_identity_read (&self->identity, fd, ""))
    return FALSE;

  if (!tf_mark_is_set (fd, &self->identity) && !tf_mark_is_early (fd))
    return FALSE;

  self->is_dir = S_ISDIR (st.st_mode);
  self->fd = tf_fd_steal (&fd);
  return TRUE;
}

static gboolean
sweep_path (const char    *path,
            guint          min_age_seconds,
            GCancellable  *cancellable,
            GError       **error)
{
  Candidate candidate = { .fd = -1 };
  gboolean success;

  if (!open_candidate (&candidate, path, min_age_seconds))
    return FALSE;

  if (candidate.is_dir)
    success = tf_remove_dir (path, candidate.fd, &candidate.identity, cancellable, error);
  else
    success = tf_remove_file (path, &candidate.identity, error);

  if (success)
    tf_debug_trace ("swept", path);

  tf_fd_clear (&candidate.fd);
  return success;
}

static gboolean
sweep_names (DIR               *names,
             const TfTemplate  *template,
             guint              min_age_seconds,
             guint             *n_removed,
             GCancellable      *cancellable,
             GError           **error)
{
  g_auto(TfFailures) failures;
  const struct dirent *entry;

  tf_failures_init (&failures);
  while ((entry = readdir (names)) != NULL)
    {
      GError *local_error = NULL;
      g_autofree char *path = NULL;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      if (!tf_template_matches (template, entry->d_name))
        continue;

      path = g_build_filename (template->dir, entry->d_name, NULL);
      if (sweep_path (path, min_age_seconds, cancellable, &local_error))
        (*n_removed)++;
      else if (local_error != NULL)
        tf_failures_take (&failures, local_error);
    }

  return tf_failures_report (&failures, error);
}

static gboolean
sweep_dir (const TfTemplate  *template,
           guint              min_age_seconds,
           guint             *n_removed,
           GCancellable      *cancellable,
           GError           **error)
{
  TfTemplate complete = *template;
  g_autofree char *absolute = NULL;
  gboolean success;
  DIR *names;

  if (!tf_template_complete (&complete, tf_get_temp_dir, error) || !tf_template_check (&complete, error))
    return FALSE;

  absolute = tf_template_resolve (complete.dir, error);
  if (absolute == NULL)
    return FALSE;

  complete.dir = absolute;
  names = opendir (absolute);
  if (names == NULL)
    return tf_errno_set (error, errno, "opendir", absolute);

  success = sweep_names (names, &complete, min_age_seconds, n_removed, cancellable, error);
  closedir (names);
  return success;
}

/**
 * tf_sweep:
 * @prefix: (type filename) (nullable): the prefix of the names, or %NULL for [func@Tf.get_temp_prefix]
 * @dir: (type filename) (nullable): the directory to look in, or %NULL for [func@Tf.get_temp_dir]
 * @min_age_seconds: the minimum time since the last change of a file that is removed, in seconds
 * @n_removed: (out) (optional): the number of files and directories removed, also if the call fails
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Removes files of [class@NamedFile] and directories of [class@TempDir] that killed processes have left behind.
 *
 * A file or directory is removed if all of this is true: it lies directly in @dir; it belongs to the user of this
 * process; its name begins with @prefix and eight characters out of `[a-z0-9_]`; it carries the mark that these
 * classes set; and neither a living process nor a forked child with the descriptors of a dead one holds it.
 *
 * The mark is the extended attribute `user.tempfile-glib`. It names the inode that it is on, so that it is not valid
 * on a copy. [method@NamedFile.keep] and [method@TempDir.keep] remove it. Only the owner of a file and root can set
 * it. On a file system without such attributes, only empty files and directories whose process was killed while it
 * created them are removed. On a file system without flock(2), nothing is removed.
 *
 * If something cannot be removed, the call continues with the rest and reports the first error, with its path and
 * the number of errors. It may be called from any thread. It blocks on the disk.
 *
 * Errors are of %G_IO_ERROR: %G_IO_ERROR_NOT_FOUND if @dir does not exist; %G_IO_ERROR_INVALID_FILENAME if
 * @prefix holds a `/`; those of [method@TempDir.cleanup]; %G_IO_ERROR_CANCELLED.
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

  success = sweep_dir (&template, min_age_seconds, &n, cancellable, error);
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

  return sweep_dir (&self->template, self->min_age_seconds, &self->n_removed, cancellable, error) ? 0 : -1;
}

/**
 * tf_sweep_async:
 * @prefix: (type filename) (nullable): the prefix of the names, or %NULL for [func@Tf.get_temp_prefix]
 * @dir: (type filename) (nullable): the directory to look in, or %NULL for [func@Tf.get_temp_dir]
 * @min_age_seconds: the minimum time since the last change of a file that is removed, in seconds
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [func@Tf.sweep].
 *
 * Everything is done in a worker thread.
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
