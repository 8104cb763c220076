/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "proof.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test.h"

static char *work_dir;
static char *dest_dir;
static char *run_dir;
static char *other_dir;
static guint n_files;

/* The process that sweeps: one for each test, as it is the start of a process that costs most */
static pid_t sweeper_pid;
static int sweeper_fd = -1;

const char *
proof_get_work_dir (void)
{
  return work_dir;
}

const char *
proof_get_dest_dir (void)
{
  return dest_dir;
}

const char *
proof_get_run_dir (void)
{
  return run_dir;
}

const char *
proof_get_other_dir (void)
{
  return other_dir;
}

/* What GLib makes on first use is not made again in each child. */
static void
warm_up (void)
{
  g_object_unref (g_file_new_for_path ("/"));
  g_type_ensure (TF_TYPE_NAMED_FILE);
  g_type_ensure (TF_TYPE_SPOOLED_FILE);
  g_type_ensure (TF_TYPE_TEMP_DIR);
}

void
proof_init (int    *argc,
            char ***argv)
{
  tf_test_init (argc, argv);
  warm_up ();

  work_dir = tf_test_path ("work");
  dest_dir = tf_test_path ("work/dest");
  run_dir = tf_test_path ("run");
  g_assert_true (g_setenv ("TMPDIR", work_dir, TRUE));
  g_assert_true (g_setenv ("XDG_RUNTIME_DIR", run_dir, TRUE));
}

static int
count_file (const char        *path,
            const struct stat *st,
            int                type,
            struct FTW        *position)
{
  if (type != FTW_D && type != FTW_DP)
    n_files++;

  return 0;
}

guint
proof_count_files (const char *dir)
{
  n_files = 0;
  g_assert_cmpint (nftw (dir, count_file, 16, FTW_PHYS), ==, 0);
  return n_files;
}

static int
remove_entry (const char        *path,
              const struct stat *st,
              int                type,
              struct FTW        *position)
{
  if (position->level > 0)
    g_assert_cmpint (remove (path), ==, 0);

  return 0;
}

void
proof_empty (const char *dir)
{
  g_assert_cmpint (nftw (dir, remove_entry, 16, FTW_PHYS | FTW_DEPTH | FTW_MOUNT), ==, 0);
}

static void
make_dir (const char *path,
          mode_t      mode)
{
  g_assert_cmpint (mkdir (path, 0700), ==, 0);
  g_assert_cmpint (chmod (path, mode), ==, 0);
}

static void
remove_dir (const char *path)
{
  proof_empty (path);
  g_assert_cmpint (rmdir (path), ==, 0);
}

guint
proof_get_number (const char *variable,
                  guint       number)
{
  const char *value = g_getenv (variable);

  return value != NULL ? (guint) g_ascii_strtoull (value, NULL, 10) : number;
}

gpointer
proof_share (gsize size)
{
  gpointer memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  g_assert_true (memory != MAP_FAILED);
  return memory;
}

gboolean
proof_is_on_overlay (void)
{
  struct statfs st;

  g_assert_cmpint (statfs (run_dir, &st), ==, 0);
  return st.f_type == OVERLAYFS_SUPER_MAGIC;
}

gboolean
proof_needs_root (void)
{
  if (geteuid () != 0)
    g_test_skip ("needs root");

  return geteuid () == 0;
}

static void
begin_child (void)
{
  const struct rlimit no_core = { 0, 0 };

  setrlimit (RLIMIT_CORE, &no_core);
}

pid_t
proof_fork (ProofFunc func,
            gpointer  data)
{
  pid_t pid;

  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      begin_child ();
      func (data);
      exit (EXIT_SUCCESS);
    }

  return pid;
}

int
proof_wait (pid_t pid)
{
  int status;
  pid_t ended;

  do
    ended = waitpid (pid, &status, __WALL);
  while (ended < 0 && errno == EINTR);
  g_assert_cmpint (ended, ==, pid);
  return status;
}

gboolean
proof_enter_namespace (int kind)
{
  return unshare (kind) == 0 &&
         (kind != CLONE_NEWNS || mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

static void
try_namespace (gpointer data)
{
  _exit (proof_enter_namespace (GPOINTER_TO_INT (data)) ? EXIT_SUCCESS : EXIT_FAILURE);
}

gboolean
proof_needs_namespace (int kind)
{
  gboolean possible = proof_wait (proof_fork (try_namespace, GINT_TO_POINTER (kind))) == 0;

  if (!possible)
    g_test_skip ("needs the right to make namespaces");

  return possible;
}

void
proof_in_process (ProofFunc func,
                  gpointer  data)
{
  int status = proof_wait (proof_fork (func, data));

  if (status != 0)
    g_test_fail_printf ("a process ended with status %x", status);
}

typedef struct
{
  ProofFunc func;
  gpointer data;
} Call;

static void
call_and_die (gpointer data)
{
  Call *call = data;

  call->func (call->data);
  raise (SIGKILL);
}

void
proof_and_kill (ProofFunc func,
                gpointer  data)
{
  Call call = { func, data };
  int status = proof_wait (proof_fork (call_and_die, &call));

  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

static guint
sweep_all (void)
{
  g_autoptr(GError) error = NULL;
  guint n_removed;

  g_assert_true (tf_sweep (NULL, NULL, 0, &n_removed, NULL, &error));
  g_assert_no_error (error);
  return n_removed;
}

static void
sweep_when_told (int fd)
{
  char byte;

  while (read (fd, &byte, 1) == 1)
    {
      guint n_removed = sweep_all ();

      g_assert_cmpint (write (fd, &n_removed, sizeof n_removed), ==, sizeof n_removed);
    }
}

static pid_t
fork_with_socket (int *fd)
{
  int fds[2];
  pid_t pid;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    begin_child ();

  close (fds[pid == 0 ? 0 : 1]);
  *fd = fds[pid == 0 ? 1 : 0];
  return pid;
}

static void
start_sweeper (void)
{
  sweeper_pid = fork_with_socket (&sweeper_fd);
  if (sweeper_pid != 0)
    return;

  sweep_when_told (sweeper_fd);
  exit (EXIT_SUCCESS);
}

void
proof_end_sweeper (void)
{
  if (sweeper_fd < 0)
    return;

  g_assert_cmpint (shutdown (sweeper_fd, SHUT_RDWR), ==, 0);
  close (sweeper_fd);
  sweeper_fd = -1;
  g_assert_cmpint (proof_wait (sweeper_pid), ==, 0);
}

guint
proof_sweep (void)
{
  guint n_removed;

  if (sweeper_fd < 0)
    start_sweeper ();
  g_assert_cmpint (write (sweeper_fd, "", 1), ==, 1);
  g_assert_cmpint (read (sweeper_fd, &n_removed, sizeof n_removed), ==, sizeof n_removed);
  return n_removed;
}

static void
live (ProofFunc func,
      ProofFunc check,
      gpointer  data,
      int       fd)
{
  char byte = 0;

  func (data);
  g_assert_cmpint (write (fd, &byte, 1), ==, 1);
  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  if (check != NULL)
    check (data);
}

gboolean
proof_living_start (ProofLiving *self,
                    ProofFunc    func,
                    ProofFunc    check,
                    gpointer     data)
{
  char byte;

  self->pid = fork_with_socket (&self->fd);
  if (self->pid == 0)
    {
      live (func, check, data, self->fd);
      exit (EXIT_SUCCESS);
    }

  if (read (self->fd, &byte, 1) == 1)
    return TRUE;

  close (self->fd);
  g_test_fail_printf ("a process ended with status %x", proof_wait (self->pid));
  return FALSE;
}

void
proof_living_end (ProofLiving *self)
{
  g_assert_cmpint (write (self->fd, "", 1), ==, 1);
  g_assert_cmpint (proof_wait (self->pid), ==, 0);
  close (self->fd);
}

static void
call_traced (gpointer data)
{
  Call *call = data;

  if (ptrace (PTRACE_TRACEME, 0, NULL, NULL) != 0)
    _exit (EXIT_FAILURE);
  raise (SIGSTOP);
  call->func (call->data);
}

/* Goes on until the next stop. What else comes is handed on. Returns FALSE if the child has ended. */
static gboolean
go_on (pid_t  pid,
       int    request,
       int   *status)
{
  long sig = 0;

  for (;;)
    {
      g_assert_cmpint (ptrace (request, pid, NULL, (void *) sig), ==, 0);
      *status = proof_wait (pid);
      if (!WIFSTOPPED (*status))
        return FALSE;

      if (WSTOPSIG (*status) == (SIGTRAP | 0x80) || WSTOPSIG (*status) == SIGTRAP)
        return TRUE;

      sig = WSTOPSIG (*status);
    }
}

pid_t
proof_trace (ProofFunc       func,
             gpointer        data,
             ProofCondition  has_begun,
             guint           n_stops,
             int            *status)
{
  Call call = { func, data };
  pid_t pid = proof_fork (call_traced, &call);

  *status = proof_wait (pid);
  g_assert_true (WIFSTOPPED (*status));
  g_assert_cmpint (ptrace (PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD), ==, 0);
  for (guint i = 0; i <= n_stops;)
    {
      if (!go_on (pid, PTRACE_SYSCALL, status))
        return 0;
      if (has_begun != NULL && has_begun ())
        has_begun = NULL;
      if (has_begun == NULL)
        i++;
    }

  return pid;
}

gboolean
proof_step (pid_t pid,
            guint n)
{
  int status;

  for (guint i = 0; i < n; i++)
    if (!go_on (pid, PTRACE_SINGLESTEP, &status))
      return FALSE;

  return TRUE;
}

void
proof_kill (pid_t pid)
{
  int status;

  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  status = proof_wait (pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

int
proof_let_go (pid_t pid,
              int   sig)
{
  if (sig != 0)
    g_assert_cmpint (kill (pid, sig), ==, 0);
  g_assert_cmpint (ptrace (PTRACE_DETACH, pid, NULL, NULL), ==, 0);
  return proof_wait (pid);
}

static void
do_nothing (gpointer data)
{
}

/* There are sandboxes and emulators without. */
gboolean
proof_can_trace (void)
{
  Call call = { do_nothing, NULL };
  pid_t pid = proof_fork (call_traced, &call);
  gboolean stopped = WIFSTOPPED (proof_wait (pid));

  if (stopped)
    proof_kill (pid);
  else
    g_test_skip ("no process may be traced here");

  return stopped;
}

typedef struct
{
  GTestDataFunc func;
  gconstpointer data;
} Test;

static void
run_in_dirs (gconstpointer data)
{
  const Test *test = data;

  make_dir (work_dir, 0700);
  make_dir (dest_dir, 0700);
  make_dir (run_dir, 0700);
  other_dir = tf_test_make_cheap_dir ();

  test->func (test->data);
  proof_end_sweeper ();

  if (proof_count_files (run_dir) > 0)
    g_test_fail_printf ("%u files are left in the directory for run-time files", proof_count_files (run_dir));
  remove_dir (run_dir);
  remove_dir (work_dir);
  remove_dir (other_dir);
  g_clear_pointer (&other_dir, g_free);
}

void
proof_add_data (const char    *path,
                gconstpointer  data,
                GTestDataFunc  func)
{
  Test *test = g_new (Test, 1);

  *test = (Test) { func, data };
  g_test_add_data_func_full (path, test, (GTestDataFunc) run_in_dirs, g_free);
}

static void
call_func (gconstpointer func)
{
  ((void (*) (void)) func) ();
}

void
proof_add (const char *path,
           void (*func) (void))
{
  proof_add_data (path, func, call_func);
}
