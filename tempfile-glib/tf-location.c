/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-location.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-fork.h"
#include "base/tf-system.h"
#include "base/tf-task.h"
#include "names/tf-open.h"
#include "base/tf-disk.h"

typedef const char *(*GetDirFunc) (GCancellable  *cancellable,
                                   GError       **error);

/* An asynchronous call. */
typedef struct
{
  GetDirFunc get_dir;
  const char *dir; /* (nullable) (interned) */
} Finding;

/* Protects the variables below. It is held during a search, for which other threads and a fork wait. */
static GMutex lock;
static TfForkHandler fork_handler = { .level = TF_FORK_CLASSES, .lock = &lock };
static const char *temp_dir;  /* (nullable) (interned): not known yet */
static const char *spool_dir; /* (nullable) (interned): not known yet */
static gboolean is_chosen;    /* tf_set_temp_dir() has set the temp dir */

/* Checks that a file can be created in @dir and written. */
static gboolean
probe (const char    *dir,
       GCancellable  *cancellable,
       GError       **error)
{
  const char bytes[] = "probe";
  const TfTemplate template = { .dir = (char *) dir, .mode = 0600, .is_probe = TRUE };
  tf_autofd int fd = tf_open_unnamed (&template, cancellable, error);
  gsize n_written = 0;

  return fd >= 0 && tf_disk_write (fd, dir, 0, bytes, sizeof bytes, &n_written, NULL, error);
}

/* Returns the absolute path of @candidate if it can be used, otherwise adds the reason to @tried. */
static const char *
try_dir (const char   *candidate,
         GString      *tried,
         GCancellable *cancellable)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *dir = tf_template_resolve (candidate, &error);

  if (dir != NULL && probe (dir, cancellable, &error))
    return g_intern_string (dir);

  g_string_append_printf (tried, "%s%s", tried->len > 0 ? "; " : "", error->message);
  return NULL;
}

static const char *
search_temp_dir (GCancellable  *cancellable,
                 GError       **error)
{
  const char *candidates[] = {
    tf_system_getenv ("TMPDIR"), tf_system_getenv ("TEMP"), tf_system_getenv ("TMP"),
    "/tmp", "/var/tmp", "/usr/tmp", ".",
  };
  g_autoptr(GString) tried = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++)
    {
      const char *dir = NULL;

      if (candidates[i] != NULL && *candidates[i] != '\0')
        dir = try_dir (candidates[i], tried, cancellable);
      if (dir != NULL)
        return dir;
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    }

  tf_errno_set_code (error, G_IO_ERROR_NOT_FOUND,
                     "No usable directory for temporary files: %s", tried->str);
  return NULL;
}

/* A thread that must not block does not wait for another thread's search. */
static gboolean
take_lock (GError **error)
{
  if (tf_task_may_block (NULL))
    {
      tf_fork_lock (&fork_handler);
      return TRUE;
    }

  tf_fork_watch (&fork_handler);
  return g_mutex_trylock (&lock) || tf_task_may_block (error);
}

static const char *
get_temp_dir (GCancellable  *cancellable,
              GError       **error)
{
  const char *dir;

  if (!take_lock (error))
    return NULL;

  if (temp_dir == NULL && tf_task_may_block (error))
    temp_dir = search_temp_dir (cancellable, error);
  dir = temp_dir;
  g_mutex_unlock (&lock);

  return dir;
}

static gssize
find_dir_func (gpointer       no_object,
               gpointer       task_data,
               GCancellable  *cancellable,
               GError       **error)
{
  Finding *finding = task_data;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return -1;

  finding->dir = finding->get_dir (cancellable, error);
  return finding->dir != NULL ? 0 : -1;
}

static void
start_finding (GetDirFunc           get_dir,
               gpointer             source_tag,
               int                  io_priority,
               GCancellable        *cancellable,
               GAsyncReadyCallback  callback,
               gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (NULL, source_tag, io_priority, cancellable, callback, user_data);
  Finding *finding = g_new0 (Finding, 1);

  finding->get_dir = get_dir;
  g_task_set_task_data (task, finding, g_free);
  tf_task_run (task, find_dir_func);
}

static const char *
finish_finding (GAsyncResult  *result,
                gpointer       source_tag,
                GError       **error)
{
  if (tf_task_finish (NULL, result, source_tag, error) < 0)
    return NULL;

  return ((Finding *) g_task_get_task_data (G_TASK (result)))->dir;
}

/**
 * tf_get_temp_dir:
 * @error: return location for an error
 *
 * Returns the directory in which temporary files and directories are created by default.
 *
 * It is the first one of `$TMPDIR`, `$TEMP`, `$TMP`, `/tmp`, `/var/tmp`, `/usr/tmp` and the current
 * directory in which a file can be created and written. Each is tried by creating and writing a file. The answer is
 * kept until [func@Tf.set_temp_dir] is called. The variables are ignored in a program with raised privileges, see
 * secure_getenv(3). This is `gettempdir()` of Python's `tempfile`.
 *
 * It may be called from any thread. The first call blocks on the disk; [func@Tf.get_temp_dir_async] does not.
 *
 * If there is no usable directory, the error is %G_IO_ERROR_NOT_FOUND. Its message lists all that were tried, and
 * why each failed.
 *
 * Returns: (type filename) (transfer none): an absolute path; valid as long as the process lives
 *
 * Since: 1.0
 */
const char *
tf_get_temp_dir (GError **error)
{
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return get_temp_dir (NULL, error);
}

/**
 * tf_get_temp_dir_async:
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [func@Tf.get_temp_dir].
 *
 * A directory that is known already is returned at once. The search is done in a worker thread.
 * @cancellable ends the search before the next candidate.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [func@Tf.get_temp_dir_finish].
 *
 * Since: 1.0
 */
void
tf_get_temp_dir_async (int                  io_priority,
                       GCancellable        *cancellable,
                       GAsyncReadyCallback  callback,
                       gpointer             user_data)
{
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  start_finding (get_temp_dir, tf_get_temp_dir_async, io_priority, cancellable, callback, user_data);
}

/**
 * tf_get_temp_dir_finish:
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [func@Tf.get_temp_dir_async].
 *
 * The errors are those of [func@Tf.get_temp_dir], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: (type filename) (transfer none): an absolute path; valid as long as the process lives
 *
 * Since: 1.0
 */
const char *
tf_get_temp_dir_finish (GAsyncResult  *result,
                        GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return finish_finding (result, tf_get_temp_dir_async, error);
}

/**
 * tf_set_temp_dir:
 * @dir: (type filename) (nullable): a directory, or %NULL
 *
 * Sets what [func@Tf.get_temp_dir] returns, for the whole process.
 *
 * With %NULL, the next call of [func@Tf.get_temp_dir] searches again. The directory is not checked. A
 * relative path is resolved against the current directory at the time of the call; if the current directory no longer
 * exists, the path stays relative, and using it fails. This is the variable `tempdir` of Python's `tempfile`. If only
 * a part of the program needs another directory, pass it to the calls instead.
 *
 * It may be called from any thread. If another thread is searching for the directory, the call waits for it.
 *
 * Since: 1.0
 */
void
tf_set_temp_dir (const char *dir)
{
  g_autofree char *absolute = dir != NULL ? tf_template_resolve (dir, NULL) : NULL;

  tf_fork_lock (&fork_handler);
  temp_dir = g_intern_string (absolute != NULL ? absolute : dir);
  is_chosen = dir != NULL;
  spool_dir = NULL;
  g_mutex_unlock (&lock);
}

/**
 * tf_get_temp_prefix:
 *
 * Returns the default prefix of the names of temporary files and directories.
 *
 * This is `gettempprefix()` of Python's `tempfile`. It may be called from any thread.
 *
 * Returns: (type filename) (transfer none): `tmp`
 *
 * Since: 1.0
 */
const char *
tf_get_temp_prefix (void)
{
  return TF_TEMPLATE_PREFIX;
}

/* Returns the first candidate that can be used and is not in memory; NULL if there is none, or if cancelled. */
static const char *
search_spool_dir (GCancellable *cancellable)
{
  const char *candidates[] = { "/tmp", "/var/tmp", "/usr/tmp", "." };
  g_autoptr(GString) tried = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++)
    {
      const char *dir = tf_system_is_in_memory (candidates[i]) ? NULL : try_dir (candidates[i], tried, cancellable);

      if (dir != NULL)
        return dir;
    }

  return NULL;
}

static gboolean
is_set (const char *variable)
{
  const char *value = tf_system_getenv (variable);

  return value != NULL && *value != '\0';
}

static gboolean
is_asked_for (void)
{
  return is_chosen || is_set ("TMPDIR") || is_set ("TEMP") || is_set ("TMP");
}

static const char *
get_spool_dir (GCancellable  *cancellable,
               GError       **error)
{
  const char *dir = NULL;
  gboolean is_known;

  if (!take_lock (error))
    return NULL;

  is_known = is_asked_for () || spool_dir != NULL;
  if (!is_known && tf_task_may_block (error))
    {
      spool_dir = search_spool_dir (cancellable);
      is_known = !g_cancellable_set_error_if_cancelled (cancellable, error);
    }
  dir = is_asked_for () ? NULL : spool_dir;
  g_mutex_unlock (&lock);

  if (!is_known)
    return NULL;

  return dir != NULL ? dir : get_temp_dir (cancellable, error);
}

/**
 * tf_get_spool_dir:
 * @error: return location for an error
 *
 * Returns the directory in which a [class@SpooledFile] rolls over by default.
 *
 * It is the directory of [func@Tf.get_temp_dir] if [func@Tf.set_temp_dir] named one, or if one of `$TMPDIR`, `$TEMP`
 * and `$TMP` is set. Otherwise it is the first usable one of `/tmp`, `/var/tmp`, `/usr/tmp` and the current
 * directory that is not in memory (tmpfs, ramfs), so that rolling over frees memory. If all are in memory, it is the
 * directory of [func@Tf.get_temp_dir].
 *
 * The three variables are read at each call; the result of the search is kept until [func@Tf.set_temp_dir] is called.
 * It may be called from any thread. The first call blocks on the disk; [func@Tf.get_spool_dir_async] does not. The
 * errors are those of [func@Tf.get_temp_dir].
 *
 * Returns: (type filename) (transfer none): an absolute path; valid as long as the process lives
 *
 * Since: 1.0
 */
const char *
tf_get_spool_dir (GError **error)
{
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return get_spool_dir (NULL, error);
}

/**
 * tf_get_spool_dir_async:
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [func@Tf.get_spool_dir].
 *
 * A directory that is known already is returned at once. The search is done in a worker thread.
 * @cancellable ends the search before the next candidate.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [func@Tf.get_spool_dir_finish].
 *
 * Since: 1.0
 */
void
tf_get_spool_dir_async (int                  io_priority,
                        GCancellable        *cancellable,
                        GAsyncReadyCallback  callback,
                        gpointer             user_data)
{
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  start_finding (get_spool_dir, tf_get_spool_dir_async, io_priority, cancellable, callback, user_data);
}

/**
 * tf_get_spool_dir_finish:
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [func@Tf.get_spool_dir_async].
 *
 * The errors are those of [func@Tf.get_spool_dir], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: (type filename) (transfer none): an absolute path; valid as long as the process lives
 *
 * Since: 1.0
 */
const char *
tf_get_spool_dir_finish (GAsyncResult  *result,
                         GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return finish_finding (result, tf_get_spool_dir_async, error);
}

/* Returns the application ID in a Flatpak sandbox, and NULL elsewhere. */
static char *
read_flatpak_name (void)
{
  g_autoptr(GKeyFile) info = g_key_file_new ();
  g_autofree char *name = NULL;

  if (!g_key_file_load_from_file (info, "/.flatpak-info", G_KEY_FILE_NONE, NULL))
    return NULL;

  name = g_key_file_get_string (info, "Application", "name", NULL);
  if (name == NULL || *name == '\0' || strchr (name, '/') != NULL)
    return NULL;

  return g_steal_pointer (&name);
}

static const char *
use_flatpak_dir (const char    *name,
                 GCancellable  *cancellable,
                 GError       **error)
{
  g_autofree char *path = g_build_filename (g_get_home_dir (), ".var", "app", name, "cache", "tmp", NULL);
  g_autoptr(GString) tried = g_string_new (NULL);
  const char *dir;

  if (g_mkdir_with_parents (path, 0700) != 0)
    {
      tf_errno_set (error, errno, "mkdir", path);
      return NULL;
    }

  dir = try_dir (path, tried, cancellable);
  if (dir == NULL && !g_cancellable_set_error_if_cancelled (cancellable, error))
    tf_errno_set_code (error, G_IO_ERROR_NOT_FOUND,
                       "No usable directory to share temporary files in: %s", tried->str);

  return dir;
}

static const char *
get_shareable_dir (GCancellable  *cancellable,
                   GError       **error)
{
  g_autofree char *name = NULL;

  if (!tf_task_may_block (error))
    return NULL;

  name = read_flatpak_name ();
  return name != NULL ? use_flatpak_dir (name, cancellable, error) : get_temp_dir (cancellable, error);
}

/**
 * tf_get_shareable_dir:
 * @error: return location for an error
 *
 * Returns a directory for files that another program opens by their path.
 *
 * In a Flatpak sandbox, `/tmp` and `/var/tmp` are not those of the host: programs outside cannot open a path in
 * them, or find another file there, and portals refuse it. In a sandbox, this function returns
 * `~/.var/app/NAME/cache/tmp`, which has the same path inside and outside, and creates it with mode 0700 if it does
 * not exist. Elsewhere, it returns the directory of [func@Tf.get_temp_dir].
 *
 * A sandbox is recognized by the file `/.flatpak-info`, see flatpak-metadata(5). The call may be made from any
 * thread. It blocks on the disk.
 *
 * If the directory cannot be used, the error is %G_IO_ERROR_NOT_FOUND, and the message says why. If it cannot be
 * created, the error is mapped from mkdir(2)'s errno. Outside a sandbox, the errors are those of
 * [func@Tf.get_temp_dir].
 *
 * Returns: (type filename) (transfer none): an absolute path; valid as long as the process lives
 *
 * Since: 1.0
 */
const char *
tf_get_shareable_dir (GError **error)
{
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return get_shareable_dir (NULL, error);
}

/**
 * tf_get_shareable_dir_async:
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [func@Tf.get_shareable_dir].
 *
 * A worker thread does the work. @cancellable ends the search before the next candidate.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [func@Tf.get_shareable_dir_finish].
 *
 * Since: 1.0
 */
void
tf_get_shareable_dir_async (int                  io_priority,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  start_finding (get_shareable_dir, tf_get_shareable_dir_async, io_priority, cancellable, callback, user_data);
}

/**
 * tf_get_shareable_dir_finish:
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [func@Tf.get_shareable_dir_async].
 *
 * The errors are those of [func@Tf.get_shareable_dir], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: (type filename) (transfer none): an absolute path; valid as long as the process lives
 *
 * Since: 1.0
 */
const char *
tf_get_shareable_dir_finish (GAsyncResult  *result,
                             GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return finish_finding (result, tf_get_shareable_dir_async, error);
}
