/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-named-file.h"
#include "tf-temp-dir.h"

/* For what was handed to another program: the object is held, and the name with it. What is still held when
 * the process exits is removed then, as all that is alive. */

static void
release (GTask        *task,
         gpointer      object,
         gpointer      task_data,
         GCancellable *cancellable)
{
  g_object_unref (task_data);
}

static void
on_exited (GObject      *subprocess,
           GAsyncResult *result,
           gpointer      object)
{
  g_autoptr(GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_subprocess_wait_finish (G_SUBPROCESS (subprocess), result, NULL);

  /* In a worker: it may be the last reference, and the tree large. */
  g_task_set_source_tag (task, on_exited);
  g_task_set_task_data (task, object, NULL);
  g_task_run_in_thread (task, release);
}

static void
hold_until_exit (gpointer object)
{
  g_object_ref (object);
}

static void
hold_until (gpointer     object,
            GSubprocess *subprocess)
{
  g_subprocess_wait_async (subprocess, NULL, on_exited, g_object_ref (object));
}

/**
 * tf_named_file_keep_until_exit:
 * @self: a named temporary file
 *
 * Keeps the file until this process exits, whatever happens to it and to the object here.
 *
 * For a file that is handed to a program that outlives its caller's interest. Closing the file does not
 * remove it any more: the delete policy becomes %TF_DELETE_ON_DISPOSE, and the object is referenced for good.
 *
 * Since: 1.0
 */
void
tf_named_file_keep_until_exit (TfNamedFile *self)
{
  g_return_if_fail (TF_IS_NAMED_FILE (self));

  tf_named_file_set_delete_policy (self, TF_DELETE_ON_DISPOSE);
  hold_until_exit (self);
}

/**
 * tf_named_file_keep_until:
 * @self: a named temporary file
 * @subprocess: who the file was handed to
 *
 * Keeps the file until @subprocess has exited, whatever happens to it and to the object here.
 *
 * Closing the file does not remove it any more: the delete policy becomes %TF_DELETE_ON_DISPOSE, and the
 * object is referenced until then. That takes the thread-default main context of the caller to run; if it
 * does not, the file is removed when this process exits.
 *
 * Since: 1.0
 */
void
tf_named_file_keep_until (TfNamedFile *self,
                          GSubprocess *subprocess)
{
  g_return_if_fail (TF_IS_NAMED_FILE (self));
  g_return_if_fail (G_IS_SUBPROCESS (subprocess));

  tf_named_file_set_delete_policy (self, TF_DELETE_ON_DISPOSE);
  hold_until (self, subprocess);
}

/**
 * tf_temp_dir_keep_until_exit:
 * @self: a temporary directory
 *
 * Keeps the directory until this process exits, whatever happens to the object here.
 *
 * The object is referenced for good, and [property@TempDir:auto-cleanup] set. [method@TempDir.cleanup]
 * still removes the directory at once.
 *
 * Since: 1.0
 */
void
tf_temp_dir_keep_until_exit (TfTempDir *self)
{
  g_return_if_fail (TF_IS_TEMP_DIR (self));

  tf_temp_dir_set_auto_cleanup (self, TRUE);
  hold_until_exit (self);
}

/**
 * tf_temp_dir_keep_until:
 * @self: a temporary directory
 * @subprocess: who the directory was handed to
 *
 * Keeps the directory until @subprocess has exited, whatever happens to the object here.
 *
 * The object is referenced until then, and [property@TempDir:auto-cleanup] set. That takes the
 * thread-default main context of the caller to run; if it does not, the directory is removed when this
 * process exits. The removal itself is done in a worker thread.
 *
 * Since: 1.0
 */
void
tf_temp_dir_keep_until (TfTempDir   *self,
                        GSubprocess *subprocess)
{
  g_return_if_fail (TF_IS_TEMP_DIR (self));
  g_return_if_fail (G_IS_SUBPROCESS (subprocess));

  tf_temp_dir_set_auto_cleanup (self, TRUE);
  hold_until (self, subprocess);
}
