/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-signals.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "base/tf-fork.h"
#include "base/tf-task.h"
#include "names/tf-journal.h"
#include "names/tf-registry.h"

/* The handler only posts a semaphore and returns: removing directories needs locks and memory, and the code that was
 * interrupted may hold these. A program that closes all descriptors, as daemons do, does not close a semaphore.
 *
 * A thread that waits for the semaphore removes everything that is registered, restores the previous handlers and
 * raises the signal. The previous handler runs in this thread; if it returns, the process dies of the signal.
 *
 * A second signal kills the process at once. So does a signal to a process that shares the handlers but not the
 * thread, as after a bare clone(2). A child of fork(2) gets the previous handlers back. */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static GMutex lock;
static gboolean installed;
static struct sigaction previous[G_N_ELEMENTS (signals)];
static sem_t wakeup;
static pid_t owner;
static volatile sig_atomic_t caught;

static void
die_at_once (int sig)
{
  signal (sig, SIG_DFL);
  raise (sig);
}

static void
on_signal (int sig)
{
  int saved_errno = errno;

  if (getpid () != owner || caught != 0)
    {
      die_at_once (sig);
      return;
    }

  caught = sig;
  sem_post (&wakeup);
  errno = saved_errno;
}

/* Leaves handlers alone that the program has replaced since. */
static void
restore_handlers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      struct sigaction current;

      if (sigaction (signals[i], NULL, &current) == 0 && current.sa_handler == on_signal)
        sigaction (signals[i], &previous[i], NULL);
    }
}

static gpointer
remove_all_and_die (gpointer data)
{
  sigset_t all;

  while (sem_wait (&wakeup) != 0)
    ;

  tf_registry_remove_all ();
  tf_journal_close ();

  restore_handlers ();
  sigfillset (&all);
  pthread_sigmask (SIG_UNBLOCK, &all, NULL);
  raise (caught);
  die_at_once (caught);
  _exit (128 + caught);
}

/* A forked child has neither the thread nor anything to remove. */
static void
on_fork (void)
{
  if (!installed)
    return;

  restore_handlers ();
  installed = FALSE;
}

static TfForkHandler fork_handler = { .level = TF_FORK_CLASSES, .lock = &lock, .child = on_fork };

static gboolean
start_thread (GError **error)
{
  g_autoptr(GThread) thread = NULL;

  if (sem_init (&wakeup, FALSE, 0) != 0)
    return tf_errno_set (error, errno, "sem_init", NULL);

  thread = tf_task_start_thread ("tf-signals", remove_all_and_die, NULL, error);
  if (thread == NULL)
    sem_destroy (&wakeup);

  return thread != NULL;
}

static void
install_handlers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

      sigfillset (&action.sa_mask);
      if (sigaction (signals[i], NULL, &previous[i]) == 0 && previous[i].sa_handler != SIG_IGN)
        sigaction (signals[i], &action, NULL);
    }
}

/**
 * tf_cleanup_on_signals:
 * @error: return location for an error
 *
 * Removes the temporary files and directories of the process when SIGINT, SIGTERM or SIGHUP ends it.
 *
 * When one of these signals arrives, everything that a normal exit removes is removed. Then the previous handler of
 * the signal is called. If that returns, the process dies of the signal, so that its parent sees this. A second
 * signal ends the process at once. A signal that was ignored when this function was called stays ignored.
 *
 * The signal handler only wakes a thread that this function starts. The thread removes the files and directories and
 * calls the previous handler. In the meantime, the other threads of the program continue, but the creation of
 * further temporary names blocks.
 *
 * Call it after installing other handlers; `g_unix_signal_add()` and similar functions replace its handler. It may be
 * called from any thread. Calling this again does nothing and succeeds. A forked child has the previous handlers and
 * may call this function for itself.
 *
 * Errors are of %G_IO_ERROR: %G_IO_ERROR_FAILED if no thread can be started; otherwise an error mapped from
 * sem_init(3)'s errno.
 *
 * Returns: %TRUE if the signals are handled
 *
 * Since: 1.0
 */
gboolean
tf_cleanup_on_signals (GError **error)
{
  gboolean success;

  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  tf_fork_lock (&fork_handler);
  success = installed || start_thread (error);
  if (success && !installed)
    {
      installed = TRUE;
      owner = getpid ();
      install_handlers ();
    }
  g_mutex_unlock (&lock);

  return success;
}
