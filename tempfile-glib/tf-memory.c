/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-memory.h"

#include "base/tf-errno.h"
#include "base/tf-fork.h"
#include "base/tf-task.h"
#include "store/tf-memory-pool.h"

static GMutex monitor_lock;
static TfForkHandler fork_handler = { .level = TF_FORK_LEAVES, .lock = &monitor_lock };
static GMemoryMonitor *monitor; /* (owned) (nullable): not opted in */
static gulong warning_id;
static int n_pending;           /* (atomic): warnings that no worker has handled yet */

/**
 * tf_set_memory_budget:
 * @bytes: a number of bytes; 0 for no limit
 *
 * Sets the number of bytes that all spooled files of the process together may hold in memory.
 *
 * A write, or another call, that would exceed the budget makes its [class@SpooledFile] roll over,
 * even if the file is below its own [property@SpooledFile:max-size]. The budget counts the content of the files and
 * the memory that was reserved for it. It does not count the bytes that readers of closed files still hold. If the
 * files already exceed a new budget, they stay in memory until they grow. There is no limit by default.
 *
 * It may be called from any thread, at any time.
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
  if (!tf_task_may_block (error))
    return -1;

  g_atomic_int_set (&n_pending, 0);
  tf_memory_pool_move_all_out ();
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
on_low_memory (GMemoryMonitor             *memory_monitor,
               GMemoryMonitorWarningLevel  level,
               gpointer                    user_data)
{
  g_autoptr(GTask) task = NULL;

  /* One worker handles all pending warnings. */
  if (g_atomic_int_add (&n_pending, 1) > 0)
    return;

  task = tf_task_new (NULL, on_rolled_over, G_PRIORITY_DEFAULT, NULL, on_rolled_over, NULL);
  tf_task_run (task, roll_over_func);
}

/**
 * tf_set_roll_over_on_low_memory:
 * @enable: whether to roll over
 *
 * Sets whether spooled files roll over when the system runs low on memory.
 *
 * On each [signal@Gio.MemoryMonitor::low-memory-warning], of any level, a worker thread rolls over every file
 * that is in memory at that moment and is not being read or written. [signal@SpooledFile::rolled-over] is then
 * emitted in the main context that was the thread-default one when the file was created. If a file cannot roll over,
 * it stays in memory, and the error is logged. This is off by default.
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
    }
  else if (!enable && monitor != NULL)
    {
      g_clear_signal_handler (&warning_id, monitor);
      other = g_steal_pointer (&monitor);
    }
  g_mutex_unlock (&monitor_lock);
}
