/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-signals.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-fork.h"
#include "base/tf-task.h"
#include "names/tf-registry.h"

/* The handler only wakes a thread, and returns: removing directories takes locks and memory, which whoever was
 * interrupted may hold. The thread removes all, and then has the process die. */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static GMutex lock;
static gboolean installed;
static struct sigaction previous[G_N_ELEMENTS (signals)];
static int wakeup[2] = { -1, -1 }; /* of a pipe: to read from, to write to */
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
  const char byte = 0;
  int saved_errno = errno;

  /* In a child that shares the handlers, or when the user insists. */
  if (getpid () != owner || caught != 0)
    {
      die_at_once (sig);
      return;
    }

  caught = sig;
  while (write (wakeup[1], &byte, sizeof byte) < 0 && errno == EINTR)
    ;
  errno = saved_errno;
}

/* Ours only where nobody replaced or ignores them. */
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

static void
close_wakeup (void)
{
  tf_fd_clear (&wakeup[0]);
  tf_fd_clear (&wakeup[1]);
}

static gpointer
remove_all_and_die (gpointer data)
{
  char byte;
  sigset_t all;

  while (read (wakeup[0], &byte, sizeof byte) < 0 && errno == EINTR)
    ;

  tf_registry_remove_all ();

  /* What was there before gets its turn, in this thread; if it returns, the process dies of the signal. */
  restore_handlers ();
  sigfillset (&all);
  pthread_sigmask (SIG_UNBLOCK, &all, NULL);
  raise (caught);
  die_at_once (caught);
  _exit (128 + caught);
}

/* A forked child has no such thread, and nothing to remove. */
static void
on_fork (void)
{
  if (!installed)
    return;

  restore_handlers ();
  close_wakeup ();
  installed = FALSE;
  g_mutex_init (&lock);
}

static TfForkHandler fork_handler = { .child = on_fork };

static gboolean
start_thread (GError **error)
{
  g_autoptr(GThread) thread = NULL;

  if (!g_unix_open_pipe (wakeup, FD_CLOEXEC, NULL))
    return tf_errno_set (error, errno, "pipe", NULL);

  thread = tf_task_start_thread ("tf-signals", remove_all_and_die, NULL, error);
  if (thread == NULL)
    close_wakeup ();

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
 * Makes the process remove its temporary files and directories when it is ended by SIGINT, SIGTERM or SIGHUP.
 *
 * What normal exit removes is removed, then the handler that was there before gets the signal, and then,
 * if that returned, the process dies of the signal, so that a shell sees it. A second signal ends the
 * process at once. A signal that was ignored stays ignored.
 *
 * The handler itself does no more than to wake a thread that this call starts; that thread removes, large
 * trees as well, and calls the handler that was there before. While it does so the rest of the program
 * runs on, except that the creation of further temporary names waits.
 *
 * Call it after other handlers were installed; `g_unix_signal_add()` and the like replace this one. May be
 * called from any thread; again does nothing. A forked child has the handlers of before, and may call it for itself.
 *
 * Errors are of %G_IO_ERROR or of `G_THREAD_ERROR`: no descriptor or no thread is to be had.
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

  g_mutex_lock (&lock);
  success = installed || start_thread (error);
  if (success && !installed)
    {
      installed = TRUE;
      owner = getpid ();
      tf_fork_watch (&fork_handler);
      install_handlers ();
    }
  g_mutex_unlock (&lock);

  return success;
}
