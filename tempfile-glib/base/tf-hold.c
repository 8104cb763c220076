/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-hold.h"

/* Called in a worker thread. */
static void
unref_in_worker (GTask        *task,
                 gpointer      no_object,
                 gpointer      object,
                 GCancellable *cancellable)
{
  g_object_unref (object);
}

/* In a worker: it may be the last reference, and the tree large. */
static void
release (gpointer object)
{
  g_autoptr(GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_task_set_source_tag (task, release);
  g_task_set_task_data (task, object, NULL);
  g_task_run_in_thread (task, unref_in_worker);
}

static void
on_exited (GObject      *subprocess,
           GAsyncResult *result,
           gpointer      object)
{
  /* However it ended, and also if nobody can tell any more. */
  g_subprocess_wait_finish (G_SUBPROCESS (subprocess), result, NULL);
  release (object);
}

void
tf_hold_until_exit (gpointer object)
{
  g_object_ref (object);
}

void
tf_hold_for_subprocess (gpointer     object,
                        GSubprocess *subprocess)
{
  g_subprocess_wait_async (subprocess, NULL, on_exited, g_object_ref (object));
}
