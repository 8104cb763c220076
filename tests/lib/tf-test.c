/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#if __has_include (<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif

#define NOBODY 65534
#define RUNTIME_SUFFIX "-tf-test-run"

static char *sandbox;
static char *runtime_dir; /* (nullable): made here */
static guint n_fds;
static GArray *taken_fds; /* of int */
static struct rlimit fd_limit;
static pid_t test_pid;

guint
tf_test_count_entries (const char *dir)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GDir) entries = g_dir_open (dir, 0, &error);
  const char *name;
  guint n = 0;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (entries)) != NULL)
    {
      /* What libfuse calls a file that was removed while it is open. */
      if (!g_str_has_prefix (name, ".fuse_hidden"))
        n++;
    }

  return n;
}

static gboolean
is_removed_dir (int fd)
{
  struct stat st;

  return fstat (fd, &st) == 0 && S_ISDIR (st.st_mode) && st.st_nlink == 0;
}

/* The library keeps the descriptor of one directory that it does not use, a test may hold something in another one until
 * exit; and, on overlayfs, that of its journal. */
static guint
count_fds_of_library (void)
{
  g_autoptr(GDir) fds = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n_dirs = 0;
  guint n_journals = 0;
  const char *name;

  while ((name = g_dir_read_name (fds)) != NULL)
    {
      g_autofree char *link = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *path = g_file_read_link (link, NULL);
      int flags = fcntl (atoi (name), F_GETFL);

      /* Where there is no O_PATH, it is opened for reading, and may have been removed. */
      if (flags >= 0 && ((flags & O_PATH) || g_strcmp0 (path, sandbox) == 0 || is_removed_dir (atoi (name))))
        n_dirs = MIN (n_dirs + 1, 2);
      else if (path != NULL && strstr (path, RUNTIME_SUFFIX "/tempfile-glib/") != NULL)
        n_journals++;
    }

  return n_dirs + n_journals;
}

/* The descriptor of the counting itself is among them each time. */
guint
tf_test_count_fds (void)
{
  return tf_test_count_entries ("/proc/self/fd") - count_fds_of_library ();
}

static void
do_nothing (GTask        *task,
            gpointer      source_object,
            gpointer      task_data,
            GCancellable *cancellable)
{
  g_task_return_boolean (task, TRUE);
}

#ifdef __SANITIZE_ADDRESS__
static gboolean checks_no_leaks;

G_MODULE_EXPORT int __lsan_is_turned_off (void);

/* Called by the sanitizer. */
int
__lsan_is_turned_off (void)
{
  return checks_no_leaks;
}
#endif

static void
check_no_leaks (void)
{
#ifdef __SANITIZE_ADDRESS__
  checks_no_leaks = TRUE;
#endif
#ifdef VALGRIND_CLO_CHANGE
  VALGRIND_CLO_CHANGE ("--leak-check=no");
#endif
}

/* A forked child has the memory of other threads, but not the stacks that point to it. */
void
tf_test_fork_beside_threads (void)
{
  g_assert_cmpint (pthread_atfork (NULL, NULL, check_no_leaks), ==, 0);
}

/* Also if the thread has ended. */
gboolean
tf_test_is_asleep (pid_t thread)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/stat", (int) thread);
  g_autofree char *status = NULL;
  const char *end;

  if (!g_file_get_contents (path, &status, NULL, NULL))
    return TRUE;

  end = strrchr (status, ')');
  return end != NULL && g_str_has_prefix (end, ") S");
}

static gboolean
are_others_asleep (void)
{
  g_autoptr(GDir) threads = g_dir_open ("/proc/self/task", 0, NULL);
  const char *thread;
  gboolean result = TRUE;

  while (threads != NULL && result && (thread = g_dir_read_name (threads)) != NULL)
    result = atoi (thread) == getpid () || tf_test_is_asleep (atoi (thread));

  return result;
}

/* A thread of GLib that has just begun has a lock of GLib now and then, which a child of fork() would wait for. */
static void
let_others_begin (void)
{
  while (!are_others_asleep () || !are_others_asleep ())
    sched_yield ();
}

void
tf_test_start_worker (void)
{
  g_autoptr(GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  tf_test_fork_beside_threads ();
  g_task_run_in_thread (task, do_nothing);
  while (!g_task_get_completed (task))
    g_main_context_iteration (NULL, TRUE);
  let_others_begin ();

  n_fds = tf_test_count_fds ();
}

/* For the journals. A subprocess of a test uses that of the test. */
static void
make_runtime_dir (void)
{
  const char *outer = g_getenv ("XDG_RUNTIME_DIR");

  if (outer != NULL && g_str_has_suffix (outer, RUNTIME_SUFFIX))
    return;

  runtime_dir = g_strconcat (sandbox, RUNTIME_SUFFIX, NULL);
  g_assert_cmpint (mkdir (runtime_dir, 0700), ==, 0);
  g_assert_true (g_setenv ("XDG_RUNTIME_DIR", runtime_dir, TRUE));
}

/* Some file systems have an umask of their own, and some do not let the mode be changed afterwards. */
static char *
make_open_dir (char *template)
{
  mode_t mask = umask (0);
  char *path = g_mkdtemp_full (template, 0777);

  umask (mask);
  g_assert_nonnull (path);
  if (chmod (path, 0777) != 0)
    g_assert_cmpint (errno, ==, EPERM);
  return path;
}

/* Meson sends this signal to a test that takes too long: its log then says which case hangs. */
static void
say_where (int sig)
{
  const char *path = g_test_get_path ();

  if (getpid () == test_pid &&
      write (STDOUT_FILENO, "\n# ended in ", 12) > 0 && write (STDOUT_FILENO, path, strlen (path)) > 0)
    (void) !write (STDOUT_FILENO, "\n", 1);
  signal (sig, SIG_DFL);
  raise (sig);
}

void
tf_test_init (int    *argc,
              char ***argv)
{
  g_autofree char *name = g_path_get_basename ((*argv)[0]);
  g_autofree char *template = g_strdup_printf ("%s/%s-XXXXXX", g_get_tmp_dir (), name);

  /* GLib runs it again for g_test_trap_subprocess(), from the sandbox. */
  (*argv)[0] = g_canonicalize_filename ((*argv)[0], NULL);

  sandbox = g_canonicalize_filename (make_open_dir (template), NULL);
  make_runtime_dir ();
  g_assert_true (g_setenv ("TMPDIR", sandbox, TRUE));
  g_unsetenv ("TEMP");
  g_unsetenv ("TMP");
  g_assert_cmpint (chdir (sandbox), ==, 0);

  g_test_init (argc, argv, NULL);
  test_pid = getpid ();
  signal (SIGTERM, say_where);
  n_fds = tf_test_count_fds ();
}

static gboolean
try_remove_sandbox (void)
{
  g_autoptr(GDir) entries = g_dir_open (sandbox, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (entries)) != NULL)
    {
      g_autofree char *path = tf_test_path (name);

      unlink (path);
    }

  return rmdir (sandbox) == 0;
}

/* What libfuse hid it may remove later, in the middle of this as well, or not at all. */
static void
remove_sandbox (void)
{
  guint n_tries = 0;

  while (!try_remove_sandbox () && (errno == ENOTEMPTY || errno == EEXIST) && n_tries < 1000)
    n_tries++;
  g_assert_cmpuint (n_tries, <, 1000);
  g_assert_false (g_file_test (sandbox, G_FILE_TEST_EXISTS));
}

/* Journals of this process and of its children, which may have been killed */
static void
remove_runtime_dir (const char *path)
{
  g_autofree char *journals = g_build_filename (path, "tempfile-glib", NULL);
  g_autoptr(GDir) entries = g_dir_open (journals, 0, NULL);
  const char *name;

  while (entries != NULL && (name = g_dir_read_name (entries)) != NULL)
    {
      g_autofree char *journal = g_build_filename (journals, name, NULL);

      g_assert_cmpint (unlink (journal), ==, 0);
    }

  rmdir (journals);
  g_assert_cmpint (rmdir (path), ==, 0);
}

int
tf_test_run (void)
{
  int result = g_test_run ();

  if (n_fds > 0)
    g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
  g_assert_cmpuint (tf_test_count_entries (sandbox), ==, 0);
  g_assert_cmpint (chdir ("/"), ==, 0);
  remove_sandbox ();
  if (runtime_dir != NULL)
    remove_runtime_dir (runtime_dir);
  g_clear_pointer (&runtime_dir, g_free);
  g_free (sandbox);
  return result;
}

void
tf_test_ignore_fds (void)
{
  n_fds = 0;
}

const char *
tf_test_get_sandbox (void)
{
  return sandbox;
}

char *
tf_test_path (const char *name)
{
  return g_build_filename (sandbox, name, NULL);
}

char *
tf_test_make_cheap_dir (void)
{
  g_autofree char *template = g_build_filename ("/dev/shm", "tf-test-XXXXXX", NULL);

  if (g_mkdtemp (template) == NULL)
    {
      g_free (template);
      template = tf_test_path ("cheap-XXXXXX");
      g_assert_nonnull (g_mkdtemp (template));
    }

  return g_steal_pointer (&template);
}

static void
become_nobody (const char *dir)
{
  g_assert_cmpint (mkdir (dir, 0700), ==, 0);
  g_assert_cmpint (chown (dir, NOBODY, NOBODY), ==, 0);
  g_assert_true (g_setenv ("XDG_RUNTIME_DIR", dir, TRUE));
  g_assert_cmpint (setresgid (NOBODY, NOBODY, NOBODY), ==, 0);
  g_assert_cmpint (setresuid (NOBODY, NOBODY, NOBODY), ==, 0);
  /* Without it /proc/self belongs to root after the change of user. */
  g_assert_cmpint (prctl (PR_SET_DUMPABLE, 1), ==, 0);
}

static int
run_in_child (void (*func) (void),
              gboolean unprivileged)
{
  gboolean is_nobody = unprivileged && geteuid () == 0;
  g_autofree char *dir = g_strdup_printf ("%s-nobody-%d", g_getenv ("XDG_RUNTIME_DIR"), (int) getpid ());
  pid_t pid = fork ();
  int status;

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      if (is_nobody)
        become_nobody (dir);
      g_clear_pointer (&dir, g_free);
      func ();
      _exit (EXIT_SUCCESS);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  if (is_nobody)
    remove_runtime_dir (dir);
  g_assert_true (WIFEXITED (status));
  return WEXITSTATUS (status);
}

void
tf_test_run_and_kill (void (*func) (void))
{
  int status;
  pid_t pid;

  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      check_no_leaks ();
      func ();
      raise (SIGKILL);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

int
tf_test_get_child_status (void (*func) (void))
{
  return run_in_child (func, FALSE);
}

int
tf_test_get_unprivileged_status (void (*func) (void))
{
  return run_in_child (func, TRUE);
}

void
tf_test_in_child (void (*func) (void))
{
  g_assert_cmpint (run_in_child (func, FALSE), ==, EXIT_SUCCESS);
}

void
tf_test_as_unprivileged (void (*func) (void))
{
  g_assert_cmpint (tf_test_get_unprivileged_status (func), ==, EXIT_SUCCESS);
}

/* Writing beyond the limit fails with EFBIG, as it does with ENOSPC on a full disk. */
void
tf_test_limit_file_size (guint64 n_bytes)
{
  struct rlimit limit;

  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = MIN (n_bytes, limit.rlim_max);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

void
tf_test_unlimit_file_size (void)
{
  tf_test_limit_file_size (RLIM_INFINITY);
  signal (SIGXFSZ, SIG_DFL);
}

/* The limit alone would do, but not all that runs a program heeds it (valgrind): so all are really taken. */
void
tf_test_take_fds (void)
{
  struct rlimit limit;
  int fd;

  g_assert_null (taken_fds);
  taken_fds = g_array_new (FALSE, FALSE, sizeof (int));
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &fd_limit), ==, 0);
  limit = fd_limit;
  limit.rlim_cur = MIN (limit.rlim_cur, 64);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);

  while ((fd = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
    g_array_append_val (taken_fds, fd);
  g_assert_cmpint (errno, ==, EMFILE);
}

/* Leaves room for @n more descriptors. */
void
tf_test_give_fds (guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_assert_cmpuint (taken_fds->len, >, 0);
      g_assert_cmpint (close (g_array_index (taken_fds, int, taken_fds->len - 1)), ==, 0);
      g_array_set_size (taken_fds, taken_fds->len - 1);
    }
}

void
tf_test_give_all_fds (void)
{
  tf_test_give_fds (taken_fds->len);
  g_clear_pointer (&taken_fds, g_array_unref);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &fd_limit), ==, 0);
}

/* Under valgrind the kernel knows nothing of the limit: it has created the file before valgrind refuses the
 * descriptor. Nobody can know of that file, so it is removed here. */
void
tf_test_remove_what_valgrind_made (void)
{
  const char *preloaded = g_getenv ("LD_PRELOAD");
  g_autoptr(GDir) entries = NULL;
  const char *name;

  if (preloaded == NULL || strstr (preloaded, "vgpreload") == NULL)
    return;

  entries = g_dir_open (sandbox, 0, NULL);
  while ((name = g_dir_read_name (entries)) != NULL)
    {
      g_autofree char *path = tf_test_path (name);

      g_assert_cmpint (unlink (path), ==, 0);
    }
}

gboolean
tf_test_is_portable (void)
{
#ifdef TF_SYSTEM_PORTABLE
  return TRUE;
#else
  return FALSE;
#endif
}

void
tf_test_ignore_leaks (void)
{
  check_no_leaks ();
}

gboolean
tf_test_skip_if_portable (const char *what)
{
  if (tf_test_is_portable ())
    g_test_skip_printf ("POSIX alone does not have %s", what);

  return tf_test_is_portable ();
}

gboolean
tf_test_skip_without_leases (void)
{
  const guint32 reliable[] = {
    TMPFS_MAGIC, RAMFS_MAGIC, EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
  };
  struct statfs fs;

  if (tf_test_skip_if_portable ("leases"))
    return TRUE;

  g_assert_cmpint (statfs (tf_test_get_sandbox (), &fs), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (reliable); i++)
    if ((guint32) fs.f_type == reliable[i])
      return FALSE;

  g_test_skip ("on this file system, a lease does not tell whether a file is in use");
  return TRUE;
}
