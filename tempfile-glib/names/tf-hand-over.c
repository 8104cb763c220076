/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-hand-over.h"

#include "base/tf-fork.h"
#include "base/tf-task.h"

/* GLib's timers stand still while the system is suspended, the deadline does not. */
#define MAX_SECONDS 600
/* When no worker could be started. */
#define RETRY_SECONDS 10

guint tf_hand_over_second = 1000;

/* What a source looks at an heir with when its time is over. Only the one that the heir has does anything: another one was
 * replaced because the time, or the context, has changed. */
typedef struct
{
  TfHeir       *heir;    /* (owned) */
  GSource      *source;  /* (unowned) */
  GMainContext *context; /* (unowned): only to be compared */
  gint64        due;     /* in seconds since the boot */
} Timer;

/* Protects the timers of all heirs. */
static GMutex lock;

static TfForkHandler fork_handler = {
  .level = TF_FORK_NAMES,
  .lock = &lock,
};

static void wait_for_time (TfHeir       *heir,
                           guint         seconds,
                           GMainContext *context,
                           gboolean      is_new);

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
                   g_task_get_context (G_TASK (result)), FALSE);
}

/* Takes the timer from its heir. Returns FALSE if that has another one. */
static gboolean
take_from_heir (Timer *self)
{
  gboolean is_current;

  tf_fork_lock (&fork_handler);
  is_current = self->heir->timer == self;
  if (is_current)
    self->heir->timer = NULL;
  g_mutex_unlock (&lock);
  return is_current;
}

static gboolean
on_time (gpointer data)
{
  Timer *self = data;
  g_autoptr(GTask) task = NULL;

  if (!take_from_heir (self))
    return G_SOURCE_REMOVE;

  task = tf_task_new (NULL, settle_func, G_PRIORITY_DEFAULT, NULL, on_settled, NULL);
  g_task_set_task_data (task, tf_entry_ref (self->heir), heir_unref);
  tf_task_run (task, settle_func);
  return G_SOURCE_REMOVE;
}

static void
timer_free (gpointer data)
{
  Timer *self = data;

  take_from_heir (self);
  tf_entry_unref (self->heir);
  g_free (self);
}

/* Called with the lock held. Returns whether the heir needs the timer: not if it has one that serves as well; any does,
 * unless the time was set anew. */
static gboolean
is_needed (const Timer *self,
           gboolean     is_new)
{
  const Timer *current = self->heir->timer;

  return current == NULL || (is_new && (current->context != self->context || current->due > self->due));
}

/* Gives the timer to its heir. The source of the former one goes at once. */
static gboolean
give_to_heir (Timer    *self,
              gboolean  is_new)
{
  gboolean success;

  tf_fork_lock (&fork_handler);
  success = is_needed (self, is_new);
  if (success)
    {
      Timer *former = self->heir->timer;

      self->heir->timer = self;
      if (former != NULL)
        tf_task_hurry (former->source);
    }
  g_mutex_unlock (&lock);
  return success;
}

static void
wait_for_time (TfHeir       *heir,
               guint         seconds,
               GMainContext *context,
               gboolean      is_new)
{
  guint delay = MIN (seconds, MAX_SECONDS);
  g_autoptr(GSource) source = g_timeout_source_new (delay * tf_hand_over_second);
  Timer *timer = g_new (Timer, 1);

  *timer = (Timer) { tf_entry_ref (heir), source, context, tf_journal_get_uptime () + delay };
  g_source_set_callback (source, on_time, timer, timer_free);
  g_source_set_static_name (source, "[tempfile-glib] hand over");
  if (give_to_heir (timer, is_new))
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
    wait_for_time (heir, grace_seconds, context, TRUE);
  tf_entry_unref (heir);
}
