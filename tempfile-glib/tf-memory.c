/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-memory.h"

#include <glib-unix.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "base/tf-fork.h"
#include "base/tf-system.h"
#include "base/tf-task.h"
#include "store/tf-memory-pool.h"

static GMutex monitor_lock;
static GMemoryMonitor *monitor; /* (owned) (nullable): not opted in */
static gulong warning_id;
static GSource *pressure;       /* (owned) (nullable) */
static int n_pending;           /* (atomic): warnings that no worker has handled yet */

/* The worker that would handle what is pending is the parent's. */
static void
after_fork_in_child (void)
{
  g_atomic_int_set (&n_pending, 0);
}

static TfForkHandler fork_handler = {
  .level = TF_FORK_LEAVES,
  .lock = &monitor_lock,
  .child = after_fork_in_child,
};

/**
 * tf_set_memory_budget:
 * @bytes: a number of bytes; 0 for no limit
 *
 * Sets the number of bytes that all spooled files of the process together may hold in memory.
 *
 * A write, or another call, that would exceed the budget makes larger files roll over that are in memory and not being
 * used, the largest first. If there are none, the [class@SpooledFile] itself rolls over, even if it is below its own
 * [property@SpooledFile:max-size]. [signal@SpooledFile::rolled-over] of another file is emitted in the main context that
 * was the thread-default one when that file was created; in a forked child, for a file of the parent's, by the next call
 * that reads or writes it.
 *
 * The budget counts the memory that the content takes, also the bytes that readers of closed files and owners of stolen
 * bytes still hold, room that was reserved, and the 64 KiB that a file on disk holds back or reads ahead. Files on disk
 * do without these while they have taken half of the budget, or 4 MiB if that is more: each small read or write is a
 * system call then. Only those that are peeked at or read by lines need them in any case, and keep them until they are
 * closed. Once the disk has refused a file, other files are not asked for a second. If the files already exceed a new
 * budget, they stay in memory until one of them grows. There is no limit by default.
 *
 * The budget does not cause everything to go to disk. The first 64 KiB of a file are not refused, and a file that holds no
 * more does not roll over for the sake of others: many small files can exceed the budget. The last quarter of the
 * descriptors that the process may have is left to the application: a call that would need one of them for the budget
 * fails with %G_IO_ERROR_TOO_MANY_OPEN_FILES, and the file stays as it was.
 *
 * Where there was no budget, what the heap has free is given back to the system, which takes some milliseconds in a
 * program with a large one. It may be called from any thread, at any time.
 *
 * Since: 1.0
 */
void
tf_set_memory_budget (guint64 bytes)
{
  tf_memory_pool_set_limit (MIN (bytes, G_MAXSIZE));
}

static gssize
roll_over_func (gpointer       no_object,
                gpointer       no_data,
                GCancellable  *cancellable,
                GError       **error)
{
  g_autoptr(GError) reason = NULL;
  guint n_failed;

  if (!tf_task_may_block (error))
    return -1;

  g_atomic_int_set (&n_pending, 0);
  n_failed = tf_memory_pool_move_out (&reason);
  if (n_failed > 0)
    {
      g_prefix_error (&reason, "%u files stay in memory, the first because of: ", n_failed);
      tf_errno_log_lost ("Rolling temporary files over", reason);
    }

  return 0;
}

/* If no worker could be started, the next warning tries again. */
static void
on_rolled_over (GObject      *no_object,
                GAsyncResult *result,
                gpointer      user_data)
{
  g_autoptr(GError) error = NULL;

  if (tf_task_finish (NULL, result, on_rolled_over, &error) >= 0)
    return;

  g_atomic_int_set (&n_pending, 0);
  tf_errno_log_lost ("Rolling temporary files over", error);
}

static void
roll_over_in_worker (void)
{
  g_autoptr(GTask) task = NULL;

  /* One worker handles all pending warnings. */
  if (g_atomic_int_add (&n_pending, 1) > 0)
    return;

  task = tf_task_new (NULL, on_rolled_over, G_PRIORITY_DEFAULT, NULL, on_rolled_over, NULL);
  tf_task_run (task, roll_over_func);
}

static void
on_low_memory (GMemoryMonitor             *memory_monitor,
               GMemoryMonitorWarningLevel  level,
               gpointer                    user_data)
{
  roll_over_in_worker ();
}

/* An error means that the control group is gone. */
static gboolean
on_pressure (int          fd,
             GIOCondition condition,
             gpointer     user_data)
{
  if ((condition & G_IO_PRI) == 0)
    return G_SOURCE_REMOVE;

  roll_over_in_worker ();
  return G_SOURCE_CONTINUE;
}

static void
close_fd (gpointer data)
{
  close (GPOINTER_TO_INT (data));
}

/* Returns a source that has the descriptor, or NULL if the system tells nothing about pressure. */
static GSource *
watch_pressure (void)
{
  int fd = tf_system_open_memory_pressure ();
  GSource *source;

  if (fd < 0)
    return NULL;

  source = g_unix_fd_source_new (fd, G_IO_PRI | G_IO_ERR);
  g_source_set_static_name (source, "[tempfile-glib] watch_pressure");
  g_source_set_callback (source, G_SOURCE_FUNC (on_pressure), GINT_TO_POINTER (fd), close_fd);
  tf_task_attach (source, NULL);
  return source;
}

static void
stop_watching_pressure (void)
{
  tf_task_destroy (pressure);
  g_clear_pointer (&pressure, g_source_unref);
}

/**
 * tf_set_roll_over_on_low_memory:
 * @enable: whether to roll over
 *
 * Sets whether spooled files roll over when the system runs low on memory.
 *
 * On each [signal@Gio.MemoryMonitor::low-memory-warning], of any level, a worker thread rolls over the files of more
 * than 64 KiB that are in memory at that moment and are not being read or written, the largest first.
 * [signal@SpooledFile::rolled-over] is then emitted in the main context that was the thread-default one when the file
 * was created; in a forked child, as with [func@Tf.set_memory_budget]. The last quarter of the descriptors that the
 * process may have is left to the application. If files cannot roll over, they stay in memory, and one message with
 * their number and the first error is logged. This is off by default.
 *
 * Memory is low, too, when processes of the own control group have waited for it for a tenth of two seconds. On Linux,
 * this is known without a desktop, in a container for instance, if the process may write to the `memory.pressure` file
 * of its control group of version 2.
 *
 * The warning is delivered by the default main context, which has to be iterated. The function may be called from any
 * thread. The first call may block on the session bus or the system bus.
 *
 * Since: 1.0
 */
void
tf_set_roll_over_on_low_memory (gboolean enable)
{
  /* The lock is not held while the monitor is created and finalized, which may use the bus. */
  g_autoptr(GMemoryMonitor) other = enable ? g_memory_monitor_dup_default () : NULL;

  tf_fork_lock (&fork_handler);
  if (enable && monitor == NULL)
    {
      monitor = g_steal_pointer (&other);
      warning_id = g_signal_connect (monitor, "low-memory-warning", G_CALLBACK (on_low_memory), NULL);
      pressure = watch_pressure ();
    }
  else if (!enable && monitor != NULL)
    {
      g_clear_signal_handler (&warning_id, monitor);
      other = g_steal_pointer (&monitor);
      if (pressure != NULL)
        stop_watching_pressure ();
    }
  g_mutex_unlock (&monitor_lock);
}
