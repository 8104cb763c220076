/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tool.h"

#include <dirent.h>
#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "names/tf-journal.h"
#include "tempfile-glib.h"

/* Three processes take part.
 *
 * The tool creates the directory, starts the command, passes signals on to it, and removes the directory when the
 * command has ended. It takes signals from a queue: they are blocked, so that none is lost between two steps.
 *
 * The command is started as a child of the tool, in the same process group.
 *
 * The guard is a forked child of the tool that does nothing. As long as it lives, no sweep takes the directory, because
 * a forked child keeps the journal of its parent locked. If the tool is killed, the command can go on in its
 * directory; when it has ended, the guard sweeps what the tool has left. If the guard is killed, the tool removes
 * the directory as usual; if both are, another sweep does. The guard is killed by the tool when it is not needed any
 * more. A pipe tells it that the tool is dead.
 *
 * The command waits until there is a guard. */

#define PREFIX "run-"

typedef struct
{
  char             **argv;
  const char        *temp_dir;
  sigset_t           mask;       /* what the command is started with, like @on_child */
  struct sigaction   on_child;
  int                go[2];      /* a byte, when the command may begin */
  int                failure[2]; /* the errno of a failing exec */
  int                life[2];    /* the tool has the only end for writing */
  pid_t              pid;
  pid_t              guard_pid;  /* -1 without a guard */
} Command;

/* --- Signals -------------------------------------------------------------------------------- */

/* Those of the kernel about what the tool itself does are not the command's. */
static gboolean
is_passed_on (int sig)
{
  static const int others[] = {
    SIGABRT, SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGKILL, SIGPIPE, SIGSEGV, SIGSTOP, SIGSYS, SIGTRAP, SIGTTIN, SIGTTOU,
  };

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    if (sig == others[i])
      return FALSE;

  return TRUE;
}

static gboolean
is_ignored (int sig)
{
  struct sigaction action;

  return sigaction (sig, NULL, &action) != 0 || action.sa_handler == SIG_IGN;
}

/* Those that are ignored, as below nohup(1), the command ignores as well. */
static void
block_signals (Command  *self,
               sigset_t *blocked)
{
  const struct sigaction by_default = { .sa_handler = SIG_DFL };

  sigaction (SIGCHLD, &by_default, &self->on_child);
  sigemptyset (blocked);
  sigaddset (blocked, SIGCHLD);
  for (int sig = 1; sig <= SIGRTMAX; sig++)
    if (is_passed_on (sig) && !is_ignored (sig))
      sigaddset (blocked, sig);

  sigprocmask (SIG_BLOCK, blocked, &self->mask);
}

/* Returns whether the command has got the signal as well, because it is in the foreground of the terminal, too. */
static gboolean
is_from_terminal (const Command   *self,
                  const siginfo_t *info)
{
#ifdef SI_KERNEL
  return info->si_code == SI_KERNEL && getpgid (self->pid) == getpgrp ();
#else
  return FALSE;
#endif
}

/* Has the default effect of the signal, which may be none. */
static void
take_signal (int sig)
{
  sigset_t one;

  signal (sig, SIG_DFL);
  sigemptyset (&one);
  sigaddset (&one, sig);
  raise (sig);
  sigprocmask (SIG_UNBLOCK, &one, NULL);
}

static void
pass_on (const Command   *self,
         const siginfo_t *info)
{
  sigset_t stop;

  if (!is_from_terminal (self, info))
    kill (self->pid, info->si_signo);

  if (info->si_signo != SIGTSTP)
    return;

  take_signal (SIGTSTP);
  sigemptyset (&stop);
  sigaddset (&stop, SIGTSTP);
  sigprocmask (SIG_BLOCK, &stop, NULL);
}

/* Returns the status of wait(2). */
static int
wait_for_command (const Command  *self,
                  const sigset_t *blocked)
{
  siginfo_t info;
  int status;

  while (waitpid (self->pid, &status, WNOHANG) != self->pid)
    if (sigwaitinfo (blocked, &info) > 0 && info.si_signo != SIGCHLD)
      pass_on (self, &info);

  return status;
}

/* Ends as the command has ended. The core dump is the command's. A signal ends a process without what happens at exit: the
 * journal would stay until the next sweep. */
static int
end_like (int status)
{
  const struct rlimit none = { 0 };

  if (!WIFSIGNALED (status))
    return WEXITSTATUS (status);

  tf_journal_close ();
  setrlimit (RLIMIT_CORE, &none);
  take_signal (WTERMSIG (status));
  return 128 + WTERMSIG (status);
}

/* --- The command ---------------------------------------------------------------------------- */

/* Without a directory that lasts longer, the journals of the command would go with its temporary files, and no sweep
 * would find what it has created elsewhere. */
static gboolean
set_environment (const Command *self)
{
  const char *outer = g_getenv ("TMPDIR");
  const char *lasting = outer != NULL && g_path_is_absolute (outer) ? outer : "/tmp";

  return setenv ("TF_JOURNAL_DIR", lasting, FALSE) == 0 && setenv ("TMPDIR", self->temp_dir, TRUE) == 0;
}

static void G_GNUC_NORETURN
begin_command (Command *self)
{
  int saved_errno;
  char byte;

  tf_fd_clear (&self->go[1]);
  if (TF_RETRY_EINTR (read (self->go[0], &byte, 1)) != 1)
    _exit (TOOL_FAILED);

  sigaction (SIGCHLD, &self->on_child, NULL);
  sigprocmask (SIG_SETMASK, &self->mask, NULL);
  if (set_environment (self))
    execvp (self->argv[0], self->argv);

  saved_errno = errno;
  if (write (self->failure[1], &saved_errno, sizeof saved_errno) < 0)
    _exit (TOOL_NOT_FOUND);
  _exit (TOOL_FAILED);
}

/* --- The guard ------------------------------------------------------------------------------ */

/* Closes what the tool was started with: the reader of a pipe does not wait for the guard. */
static void
close_inherited (void)
{
  DIR *names = opendir ("/proc/self/fd");
  const struct dirent *entry;
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);

  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    dup2 (null, fd);

  while (names != NULL && (entry = readdir (names)) != NULL)
    {
      int fd = atoi (entry->d_name);
      int flags = fcntl (fd, F_GETFD);

      if (fd > STDERR_FILENO && flags >= 0 && !(flags & FD_CLOEXEC))
        close (fd);
    }
}

static void
wait_for_end (int pid_fd)
{
  struct pollfd poll_fd = { .fd = pid_fd, .events = POLLIN };

  TF_RETRY_EINTR (poll (&poll_fd, 1, -1));
}

static void G_GNUC_NORETURN
guard (Command *self,
       int      pid_fd)
{
  g_autofree char *parent = g_path_get_dirname (self->temp_dir);
  sigset_t all;
  char byte;

  sigfillset (&all);
  sigprocmask (SIG_SETMASK, &all, NULL);
  tf_fd_clear (&self->go[1]);
  tf_fd_clear (&self->failure[1]);
  tf_fd_clear (&self->life[1]);
  setsid ();
  close_inherited ();
  if (chdir ("/") != 0)
    _exit (TOOL_FAILED);

  wait_for_end (pid_fd);
  if (TF_RETRY_EINTR (read (self->life[0], &byte, 1)) == 0)
    execl ("/proc/self/exe", "tempfile-glib", "sweep", "--dir", parent, "--prefix", PREFIX, NULL);
  _exit (TOOL_FAILED);
}

/* Without pidfd_open(2) there is none. */
static void
start_guard (Command *self)
{
  tf_autofd int pid_fd = tf_system_open_pid (self->pid);

  self->guard_pid = pid_fd >= 0 ? fork () : -1;
  if (self->guard_pid == 0)
    guard (self, pid_fd);
}

static void
stop_guard (const Command *self)
{
  if (self->guard_pid < 0)
    return;

  kill (self->guard_pid, SIGKILL);
  TF_RETRY_EINTR (waitpid (self->guard_pid, NULL, 0));
}

/* --- The tool ------------------------------------------------------------------------------- */

static gboolean
open_pipe (int      *ends,
           GError  **error)
{
  if (!g_unix_open_pipe (ends, FD_CLOEXEC, error))
    return FALSE;

  ends[0] = tf_fd_lift (ends[0]);
  ends[1] = tf_fd_lift (ends[1]);
  return TRUE;
}

static gboolean
start (Command  *self,
       GError  **error)
{
  if (!open_pipe (self->go, error) || !open_pipe (self->failure, error) || !open_pipe (self->life, error))
    return FALSE;

  self->pid = fork ();
  if (self->pid == 0)
    begin_command (self);
  if (self->pid < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "fork: %s", g_strerror (errno));
      return FALSE;
    }

  start_guard (self);
  tf_fd_clear (&self->failure[1]);
  if (write (self->go[1], "", 1) < 0)
    kill (self->pid, SIGKILL);
  return TRUE;
}

/* Returns the errno of the failing exec, or 0. */
static int
get_failure (const Command *self)
{
  int failure = 0;

  return TF_RETRY_EINTR (read (self->failure[0], &failure, sizeof failure)) == sizeof failure ? failure : 0;
}

static int
run_command (Command        *self,
             const sigset_t *blocked)
{
  g_autoptr(GError) error = NULL;
  int failure;
  int status;

  if (!start (self, &error))
    return tool_fail ("%s", error->message) << 8;

  failure = get_failure (self);
  status = wait_for_command (self, blocked);
  if (failure == 0)
    return status;

  tool_fail ("cannot run “%s”: %s", self->argv[0], g_strerror (failure));
  return (failure == ENOENT ? TOOL_NOT_FOUND : TOOL_NOT_EXECUTABLE) << 8;
}

static int
run_in_dir (char       **argv,
            const char  *dir)
{
  Command command = { .argv = argv, .guard_pid = -1 };
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempDir) temp_dir = NULL;
  sigset_t blocked;
  int status;

  block_signals (&command, &blocked);
  temp_dir = tf_temp_dir_new (PREFIX, NULL, dir, NULL, &error);
  if (temp_dir == NULL)
    return tool_fail ("%s", error->message);

  command.temp_dir = tf_temp_dir_get_path (temp_dir);
  status = run_command (&command, &blocked);
  if (!tf_temp_dir_cleanup (temp_dir, NULL, &error))
    {
      tool_fail ("%s", error->message);
      status = status == 0 ? TOOL_FAILED << 8 : status;
    }
  stop_guard (&command);

  return end_like (status);
}

int
tool_run (int    argc,
          char **argv)
{
  g_autofree char *dir = NULL;
  g_auto(GStrv) command = NULL;
  const GOptionEntry entries[] = {
    { "dir", 'd', 0, G_OPTION_ARG_FILENAME, &dir, "Create the directory in DIR", "DIR" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &command, NULL, NULL },
    { NULL }
  };
  g_autoptr(GOptionContext) context = g_option_context_new ("[--] COMMAND [ARGUMENT…]");
  g_autoptr(GError) error = NULL;

  g_set_prgname ("tempfile-glib run");
  g_option_context_set_summary (context, "Runs a command with TMPDIR in a directory of its own, and removes that.");
  g_option_context_set_strict_posix (context, TRUE);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return tool_fail ("%s", error->message);
  if (command == NULL)
    return tool_fail ("which command? See “tempfile-glib run --help”");

  return run_in_dir (command, dir);
}
