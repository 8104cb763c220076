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

static gboolean
is_old (const struct stat *st,
        guint              min_age_seconds)
{
  /* Time stamps may be of the future: time(2) lags behind those that Linux 6.13 and later give to files, by
   * some milliseconds, and a clock can be set back. */
  return min_age_seconds == 0 ||
         time (NULL) - MAX (st->st_mtime, st->st_ctime) >= (gint64) min_age_seconds;
}

/* Opens what is at @path if it can be a thing of this user's that was made here and has no living maker.
 * With the exclusive lock, nobody else can take it for that at the same time. */
static gboolean
open_candidate (Candidate  *self,
                const char *path,
                guint       min_age_seconds)
{
  tf_autofd int fd = -1;
  struct stat st;

  /* Before opening, which has effects on a device or a pipe. */
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

static int
sweep_names (DIR               *names,
             const TfTemplate  *template,
             guint              min_age_seconds,
             GCancellable      *cancellable,
             GError           **error)
{
  g_auto(TfFailures) failures;
  const struct dirent *entry;
  int n_removed = 0;

  tf_failures_init (&failures);
  while ((entry = readdir (names)) != NULL)
    {
      GError *local_error = NULL;
      g_autofree char *path = NULL;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return -1;

      if (!tf_template_matches (template, entry->d_name))
        continue;

      path = g_build_filename (template->dir, entry->d_name, NULL);
      if (sweep_path (path, min_age_seconds, cancellable, &local_error))
        n_removed++;
      else if (local_error != NULL)
        tf_failures_take (&failures, local_error);
    }

  return tf_failures_report (&failures, error) ? n_removed : -1;
}

/**
 * tf_sweep:
 * @dir: (type filename) (nullable): the directory to look in, or %NULL for [func@Tf.get_temp_dir]
 * @prefix: (type filename) (nullable): what the names begin with, or %NULL for [func@Tf.get_temp_prefix]
 * @min_age_seconds: leave alone what was changed in so many seconds
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Removes what processes that were killed have left behind of [class@NamedFile] and [class@TempDir].
 *
 * Removed is what lies directly in @dir, belongs to the user of this process, has a name of @prefix and
 * eight characters out of `[a-z0-9_]` and perhaps more, carries the mark that these classes set, and is
 * not held by a living process, or by a forked child that has the descriptors of a dead one.
 *
 * The mark is the extended attribute `user.tempfile-glib`, and names the inode that it is on, so that
 * copies do not carry it. What [method@NamedFile.keep] or [method@TempDir.keep] let go of, does not carry it any more.
 * Nobody but the owner of a file, or root, can set it. On file systems that have no such attributes, and those that
 * have no flock(2), nothing is swept but what was killed in the moment of its creation and is empty.
 *
 * It goes on when something cannot be removed; the error is the first one, with its path and the number
 * of all. May be called from any thread. Blocks on the disk. Errors are of %G_IO_ERROR:
 * %G_IO_ERROR_NOT_FOUND if there is no @dir, %G_IO_ERROR_INVALID_FILENAME if @prefix holds a `/`, those of
 * [method@TempDir.cleanup], %G_IO_ERROR_CANCELLED.
 *
 * Returns: how many files and directories were removed, or -1 with @error set
 *
 * Since: 1.0
 */
int
tf_sweep (const char    *dir,
          const char    *prefix,
          guint          min_age_seconds,
          GCancellable  *cancellable,
          GError       **error)
{
  TfTemplate template = { .dir = (char *) dir, .prefix = (char *) prefix };
  g_autofree char *absolute = NULL;
  int n_removed;
  DIR *names;

  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  if (!tf_template_complete (&template, tf_get_temp_dir, error) || !tf_template_check (&template, error))
    return -1;

  absolute = tf_template_resolve (template.dir, error);
  if (absolute == NULL)
    return -1;

  template.dir = absolute;
  names = opendir (absolute);
  if (names == NULL)
    {
      tf_errno_set (error, errno, "opendir", absolute);
      return -1;
    }

  n_removed = sweep_names (names, &template, min_age_seconds, cancellable, error);
  closedir (names);
  return n_removed;
}
