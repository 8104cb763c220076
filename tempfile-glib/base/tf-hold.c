/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-hold.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/wait.h>

#include "tf-fd.h"
#include "tf-system.h"
#include "tf-task.h"

gboolean tf_hold_avoid_pidfd = FALSE;
guint tf_hold_poll_interval = 1000;

/* An object that is held for another program. */
typedef struct
{
  gpointer object; /* (owned) (nullable): until the program has ended */
  GPid pid;
  int fd;          /* a pidfd, or -1 */
} Hold;

/* What is held until exit, so that it does not count as leaked. Without a lock, for the sake of forked children. */
static GSList *held_until_exit; /* (atomic) (element-type GObject) (owned) */

/* Drops the reference in a worker thread, because it may be the last one to a large tree. */
static gssize
unref_func (gpointer       no_object,
            gpointer       object,
            GCancellable  *cancellable,
            GError       **error)
{
  if (!tf_task_may_block (error))
    return -1;

  g_object_unref (object);
  return 0;
}

static void
release (gpointer object)
{
  g_autoptr(GTask) task = tf_task_new (NULL, release, G_PRIORITY_DEFAULT, NULL, NULL, NULL);

  g_task_set_task_data (task, object, NULL);
  tf_task_run (task, unref_func);
}

static void
on_exited (GObject      *subprocess,
           GAsyncResult *result,
           gpointer      object)
{
  /* The result does not matter, and neither does an error. */
  g_subprocess_wait_finish (G_SUBPROCESS (subprocess), result, NULL);
  release (object);
}

static void
take_until_exit (gpointer object)
{
  GSList *node = g_slist_prepend (NULL, object);

  do
    node->next = g_atomic_pointer_get (&held_until_exit);
  while (!g_atomic_pointer_compare_and_exchange (&held_until_exit, node->next, node));
}

void
tf_hold_until_exit (gpointer object)
{
  take_until_exit (g_object_ref (object));
}

void
tf_hold_for_subprocess (gpointer     object,
                        GSubprocess *subprocess)
{
  g_subprocess_wait_async (subprocess, NULL, on_exited, g_object_ref (object));
}

/* Returns -1 with errno set; to ESRCH if there is no such process. */
static int
open_pidfd (GPid pid)
{
  if (tf_hold_avoid_pidfd)
    {
      errno = ENOSYS;
      return -1;
    }

  return tf_system_open_pid (pid);
}

/* A child that has ended but was not waited for counts as gone, as it does for a pidfd. */
static gboolean
is_running (GPid pid)
{
  siginfo_t info = { 0 };

  if (waitid (P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
    return info.si_pid == 0;

  return kill (pid, 0) == 0 || errno != ESRCH;
}

/* If the source is destroyed because its main context is, the object is held until exit. */
static void
hold_free (gpointer data)
{
  Hold *self = data;

  if (self->object != NULL)
    take_until_exit (self->object);
  tf_fd_clear (&self->fd);
  g_free (self);
}

static gboolean
on_pidfd_readable (int          fd,
                   GIOCondition condition,
                   gpointer     data)
{
  Hold *self = data;

  release (g_steal_pointer (&self->object));
  return G_SOURCE_REMOVE;
}

static gboolean
on_poll (gpointer data)
{
  Hold *self = data;

  if (is_running (self->pid))
    return G_SOURCE_CONTINUE;

  release (g_steal_pointer (&self->object));
  return G_SOURCE_REMOVE;
}

static GSource *
create_source (Hold *self)
{
  GSource *source;

  if (self->fd < 0)
    {
      source = g_timeout_source_new (tf_hold_poll_interval);
      g_source_set_callback (source, on_poll, self, hold_free);
      return source;
    }

  source = g_unix_fd_source_new (self->fd, G_IO_IN);
  g_source_set_callback (source, G_SOURCE_FUNC (on_pidfd_readable), self, hold_free);
  return source;
}

/* Watches the process by a pidfd, because its number may be reused. If no pidfd can be had, polls for the process. */
gboolean
tf_hold_for_pid (gpointer object,
                 GPid     pid)
{
  g_autoptr(GMainContext) context = NULL;
  g_autoptr(GSource) source = NULL;
  tf_autofd int fd = open_pidfd (pid);
  Hold *self;

  if (!is_running (pid))
    return FALSE;

  self = g_new (Hold, 1);
  *self = (Hold) { .object = g_object_ref (object), .pid = pid, .fd = tf_fd_steal (&fd) };

  context = g_main_context_ref_thread_default ();
  source = create_source (self);
  g_source_set_static_name (source, "[tempfile-glib] hold for process");
  tf_task_attach (source, context);
  return TRUE;
}
