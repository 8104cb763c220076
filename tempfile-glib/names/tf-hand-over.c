/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-hand-over.h"

#include "base/tf-task.h"

/* GLib's timers stand still while the system is suspended, the deadline does not. */
#define MAX_SECONDS 600
/* When no worker could be started. */
#define RETRY_SECONDS 10

guint tf_hand_over_second = 1000;

static void wait_for_time (TfHeir       *heir,
                           guint         seconds,
                           GMainContext *context);

static void
heir_unref (gpointer data)
{
  tf_entry_unref (data);
}

static gssize
settle_func (gpointer       no_object,
             gpointer       heir,
             GCancellable  *cancellable,
             GError       **error)
{
  return tf_task_may_block (error) ? (gssize) tf_entry_settle (heir) : -1;
}

static void
on_settled (GObject      *no_object,
            GAsyncResult *result,
            gpointer      no_data)
{
  TfHeir *heir = g_task_get_task_data (G_TASK (result));
  gssize seconds = tf_task_finish (NULL, result, settle_func, NULL);

  /* Without a worker, it is tried again. */
  if (seconds != 0)
    wait_for_time (heir, seconds > 0 ? (guint) seconds : RETRY_SECONDS,
                   g_task_get_context (G_TASK (result)));
}

static gboolean
on_time (gpointer heir)
{
  g_autoptr(GTask) task = tf_task_new (NULL, settle_func, G_PRIORITY_DEFAULT, NULL, on_settled, NULL);

  g_task_set_task_data (task, tf_entry_ref (heir), heir_unref);
  tf_task_run (task, settle_func);
  return G_SOURCE_REMOVE;
}

static void
on_timer_destroyed (gpointer data)
{
  TfHeir *heir = data;

  g_atomic_int_set (&heir->is_timed, FALSE);
  tf_entry_unref (heir);
}

static void
wait_for_time (TfHeir       *heir,
               guint         seconds,
               GMainContext *context)
{
  g_autoptr(GSource) source = NULL;

  if (!g_atomic_int_compare_and_exchange (&heir->is_timed, FALSE, TRUE))
    return;

  source = g_timeout_source_new (MIN (seconds, MAX_SECONDS) * tf_hand_over_second);
  g_source_set_callback (source, on_time, tf_entry_ref (heir), on_timer_destroyed);
  g_source_set_static_name (source, "[tempfile-glib] hand over");
  tf_task_attach (source, context);
}

void
tf_hand_over_begin (TfEntry *entry,
                    guint    grace_seconds)
{
  g_autoptr(GMainContext) context = tf_task_ref_context ();
  TfHeir *heir = tf_entry_hand_over (entry, grace_seconds);

  if (heir == NULL)
    return;

  if (context != NULL)
    wait_for_time (heir, grace_seconds, context);
  tf_entry_unref (heir);
}
