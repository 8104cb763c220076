/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Trees that are large enough to be emptied by two threads. For ThreadSanitizer as well. */

#include "tree/tf-walk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "base/tf-fork.h"
#include "tree/tf-dir-share.h"
#include "tf-test.h"
#include "tree.h"
#include "walk-calls.h"

/* More subdirectories than one thread takes. */
#define N_DIRS 70
#define N_FILES 5
/* Of these names, more than half a buffer. */
#define N_FLAT 3000

/* The linker puts these in the place of the functions. */
guint    __wrap_g_get_num_processors (void);
GThread *__real_g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error);
GThread *__wrap_g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error);

static guint n_processors = 2;
static gboolean fail_threads;
static guint n_threads;

/* The two threads are held at their first removals until both of them are there, so that both have a part. */
static GMutex lock;
static GCond changed;
static guint n_met;
static GPrivate has_met;
static GPrivate is_helper;

static void
meet (void)
{
  if (g_private_get (&has_met) != NULL)
    return;

  g_private_set (&has_met, GINT_TO_POINTER (TRUE));
  g_mutex_lock (&lock);
  n_met++;
  g_cond_broadcast (&changed);
  while (n_met < 2)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
}

guint
__wrap_g_get_num_processors (void)
{
  return n_processors;
}

typedef struct
{
  GThreadFunc func;
  gpointer data;
} Call;

static gpointer
run_helper (gpointer data)
{
  g_autofree Call *call = data;
  sigset_t blocked;

  g_assert_cmpint (pthread_sigmask (SIG_SETMASK, NULL, &blocked), ==, 0);
  g_assert_true (sigismember (&blocked, SIGTERM));
  g_assert_true (sigismember (&blocked, SIGUSR1));
  g_private_set (&is_helper, GINT_TO_POINTER (TRUE));
  return call->func (call->data);
}

GThread *
__wrap_g_thread_try_new (const char   *name,
                         GThreadFunc   func,
                         gpointer      data,
                         GError      **error)
{
  Call *call;

  n_threads++;
  if (fail_threads)
    {
      g_set_error_literal (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "No more threads");
      return NULL;
    }

  call = g_new (Call, 1);
  *call = (Call) { func, data };
  return __real_g_thread_try_new (name, run_helper, call, error);
}

static gboolean
empty (GCancellable  *cancellable,
       GError       **error)
{
  tf_autofd int fd = tree_open ("root");

  n_threads = n_met = 0;
  g_private_set (&has_met, NULL);
  return tf_walk_empty ("root", fd, cancellable, error);
}

static void
assert_emptied (void)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (empty (NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (rmdir ("root"), ==, 0);
}

/* For the largest trees */
static char *
enter_cheap_dir (void)
{
  g_autofree char *dir = tf_test_make_cheap_dir ();

  g_assert_cmpint (chdir (dir), ==, 0);
  return g_steal_pointer (&dir);
}

static void
leave_cheap_dir (const char *dir)
{
  g_assert_cmpint (chdir (tf_test_get_sandbox ()), ==, 0);
  g_assert_cmpint (rmdir (dir), ==, 0);
}

static void
make_wide (void)
{
  tree_make_dir ("root");
  tree_make_wide ("root", N_DIRS, N_FILES);
}

static void
make_files (const char *dir,
            guint       n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *file = g_strdup_printf ("%s/file-%u", dir, i);

      tree_make_file (file);
    }
}

static int
meet_and_unlink (int         dir_fd,
                 const char *name,
                 int         flags)
{
  meet ();
  return __real_unlinkat (dir_fd, name, flags);
}

static void
test_wide (void)
{
  make_wide ();
  unlinkat_func = meet_and_unlink;
  assert_emptied ();
  unlinkat_func = NULL;
  g_assert_cmpuint (n_threads, ==, 1);
}

static void
test_flat (void)
{
  tree_make_dir ("root");
  make_files ("root", N_FLAT);
  unlinkat_func = meet_and_unlink;
  assert_emptied ();
  unlinkat_func = NULL;
  g_assert_cmpuint (n_threads, ==, 1);
}

/* Large directories below each other and beside each other: the second thread turns to the next. */
static void
test_nested (void)
{
  g_autofree char *dir = enter_cheap_dir ();

  tree_make_dir ("root");
  tree_make_deep ("root", 30);
  tree_make_wide ("root/d/d/d", N_DIRS, N_FILES);
  tree_make_wide ("root/d/d", N_DIRS, 1);
  tree_make_dir ("root/d/large");
  make_files ("root/d/large", N_FLAT);
  tree_make_dir ("root/d/d/dir-3/down");
  tree_make_deep ("root/d/d/dir-3/down", 40);
  make_files ("root/d/d/dir-3/down/d/d", N_FLAT);
  assert_emptied ();
  g_assert_cmpuint (n_threads, >=, 1);
  leave_cheap_dir (dir);
}

/* Small trees take no thread; nor does any where there is one processor, or no thread is to be had. */
static void
test_one_thread (void)
{
  g_autofree char *dir = enter_cheap_dir ();

  tree_make_dir ("root");
  tree_make_wide ("root", 20, 20);
  assert_emptied ();
  g_assert_cmpuint (n_threads, ==, 0);

  n_processors = 1;
  make_wide ();
  assert_emptied ();
  g_assert_cmpuint (n_threads, ==, 0);
  n_processors = 2;

  fail_threads = TRUE;
  make_wide ();
  tree_make_dir ("root/large");
  make_files ("root/large", N_FLAT);
  assert_emptied ();
  g_assert_cmpuint (n_threads, ==, 1);
  fail_threads = FALSE;
  leave_cheap_dir (dir);
}

static void
remove_when_forbidden (void)
{
  tf_fork_forbid_helpers ();
  make_wide ();
  assert_emptied ();
  g_assert_cmpuint (n_threads, ==, 0);
}

static void
test_forbidden (void)
{
  tf_test_in_child (remove_when_forbidden);
}

static void
limit_fds (guint n_fds)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  limit.rlim_cur = n_fds;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

/* Chains below a large directory, so that both threads are deep in one at the same time. */
static void
make_comb (void)
{
  tree_make_dir ("root");
  tree_make_wide ("root", N_DIRS, 1);
  for (guint i = 0; i < N_DIRS; i++)
    {
      g_autofree char *dir = g_strdup_printf ("root/dir-%u", i);

      tree_make_deep (dir, 12);
    }
}

/* Without opening one to do so */
static guint
count_fds (void)
{
  guint n_used = 0;

  for (int fd = 0; fd < 64; fd++)
    n_used += fcntl (fd, F_GETFD) >= 0;

  return n_used;
}

static guint max_used;

static int
count_and_unlink (int         dir_fd,
                  const char *name,
                  int         flags)
{
  guint n_used = count_fds ();

  meet ();
  g_mutex_lock (&lock);
  max_used = MAX (max_used, n_used);
  g_mutex_unlock (&lock);
  return __real_unlinkat (dir_fd, name, flags);
}

static void
test_budget (void)
{
  guint n_before = count_fds ();

  make_comb ();
  unlinkat_func = count_and_unlink;
  assert_emptied ();
  unlinkat_func = NULL;
  /* Besides the root */
  g_assert_cmpuint (max_used, <=, n_before + 1 + TF_WALK_MAX_FDS);
  g_assert_cmpuint (n_threads, ==, 1);
}

/* From enough for one thread to enough for both */
static void
remove_with_few_fds (void)
{
  g_autofree char *dir = enter_cheap_dir ();

  for (guint n = 2; n <= TF_WALK_MAX_FDS; n += 2)
    {
      g_autoptr(GError) error = NULL;
      tf_autofd int fd = -1;

      limit_fds (64);
      make_comb ();
      fd = tree_open ("root");
      n_threads = 0;
      limit_fds (fd + 1 + n + TREE_N_READING_FDS);
      g_assert_true (tf_walk_empty ("root", fd, NULL, &error));
      g_assert_no_error (error);
      g_assert_cmpuint (n_threads, ==, 1);
      g_assert_cmpint (rmdir ("root"), ==, 0);
    }

  leave_cheap_dir (dir);
}

static void
test_few_fds (void)
{
  struct rlimit limit;

  /* Not in a forked child, which removes with one thread. */
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  remove_with_few_fds ();
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

static int
fail_stuck (int         dir_fd,
            const char *name,
            int         flags)
{
  meet ();
  if (g_str_has_prefix (name, "stuck"))
    {
      errno = EIO;
      return -1;
    }

  return __real_unlinkat (dir_fd, name, flags);
}

/* Each error is counted once, whoever met it; all else is gone. */
static void
test_failures (void)
{
  g_autoptr(GError) error = NULL;

  make_wide ();
  for (guint i = 0; i < N_DIRS; i += 10)
    {
      g_autofree char *file = g_strdup_printf ("root/dir-%u/stuck", i);

      tree_make_file (file);
    }
  tree_make_file ("root/stuck");

  unlinkat_func = fail_stuck;
  g_assert_false (empty (NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "/stuck”"));
  g_assert_nonnull (strstr (error->message, "the first of 8 errors"));
  g_assert_cmpuint (n_threads, ==, 1);
  g_assert_cmpuint (tf_test_count_entries ("root"), ==, 8);
  for (guint i = 0; i < N_DIRS; i += 10)
    {
      g_autofree char *dir = g_strdup_printf ("root/dir-%u", i);

      g_assert_cmpuint (tf_test_count_entries (dir), ==, 1);
    }

  unlinkat_func = NULL;
  assert_emptied ();
}

/* Of a directory that someone else owns, nothing can be removed. */
static void
remove_locked (void)
{
  g_autoptr(GError) error = NULL;

  g_assert_false (empty (NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (error->message, "the first of 7 errors"));
}

static void
test_undeletable (void)
{
  if (geteuid () != 0)
    {
      g_test_skip ("needs root, to make directories of another owner");
      return;
    }

  make_wide ();
  g_assert_cmpint (chmod ("root", 0777), ==, 0);
  for (guint i = 0; i < N_DIRS; i++)
    {
      g_autofree char *dir = g_strdup_printf ("root/dir-%u", i);

      if (i % 10 != 0)
        g_assert_cmpint (chmod (dir, 0777), ==, 0);
      else
        {
          for (guint j = 1; j < N_FILES; j++)
            {
              g_autofree char *file = g_strdup_printf ("%s/file-%u", dir, j);

              g_assert_cmpint (unlink (file), ==, 0);
            }
          g_assert_cmpint (chmod (dir, 0755), ==, 0);
        }
    }

  tf_test_as_unprivileged (remove_locked);
  g_assert_cmpuint (tf_test_count_entries ("root"), ==, N_DIRS / 10);
  assert_emptied ();
}

static GCancellable *cancellable;
static gint n_calls;
static gint n_late_calls;

static int
cancel_in_the_middle (int         dir_fd,
                      const char *name,
                      int         flags)
{
  meet ();
  if (g_cancellable_is_cancelled (cancellable))
    g_atomic_int_inc (&n_late_calls);
  if (g_atomic_int_add (&n_calls, 1) == 99)
    g_cancellable_cancel (cancellable);

  return __real_unlinkat (dir_fd, name, flags);
}

/* Each thread ends with the call that it is in, or is just about to make. */
static void
test_cancel (void)
{
  g_autoptr(GError) error = NULL;

  make_wide ();
  cancellable = g_cancellable_new ();
  unlinkat_func = cancel_in_the_middle;
  g_assert_false (empty (cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (n_calls, >=, 100);
  g_assert_cmpint (n_late_calls, <=, 1);
  unlinkat_func = NULL;
  g_clear_object (&cancellable);

  assert_emptied ();
}

static gint swapping;

static void
swap (guint i)
{
  g_autofree char *dir = g_strdup_printf ("root/dir-%u", i);

  if (rename (dir, "aside") != 0)
    return;

  symlink ("../outside", dir);
  unlink (dir);
  rename ("aside", dir);
}

static gpointer
swap_in_thread (gpointer data)
{
  for (guint i = 0; g_atomic_int_get (&swapping); i++)
    swap (i % N_DIRS);

  return NULL;
}

/* All the time some directory becomes a symlink to one outside, and comes back. */
static void
test_swapped (void)
{
  g_autofree char *dir = enter_cheap_dir ();
  struct stat st;

  tree_make_dir ("outside");
  tree_make_file ("outside/file");
  g_assert_cmpint (chmod ("outside", 0500), ==, 0);

  for (int i = 0; i < 10; i++)
    {
      GThread *swapper;

      make_wide ();
      g_atomic_int_set (&swapping, TRUE);
      swapper = g_thread_new ("swapper", swap_in_thread, NULL);
      empty (NULL, NULL);
      g_assert_cmpuint (n_threads, ==, 1);
      g_atomic_int_set (&swapping, FALSE);
      g_thread_join (swapper);
      assert_emptied ();
    }

  g_assert_cmpint (stat ("outside", &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 0777, ==, 0500);
  g_assert_cmpint (chmod ("outside", 0700), ==, 0);
  g_assert_cmpint (unlink ("outside/file"), ==, 0);
  g_assert_cmpint (rmdir ("outside"), ==, 0);
  leave_cheap_dir (dir);
}

static int wrong_fd = -1;
static gint n_wrong;

static int
lead_helper_astray (int dir_fd)
{
  if (g_private_get (&is_helper) == NULL)
    return __real_openat64 (dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  g_atomic_int_inc (&n_wrong);
  return fcntl (wrong_fd, F_DUPFD_CLOEXEC, 0);
}

/* To the second thread the tree is not what it was: it leaves the rest to the first. */
static void
test_moved (void)
{
  tree_make_dir ("elsewhere");
  tree_make_file ("elsewhere/file");
  wrong_fd = tree_open ("elsewhere");

  make_comb ();
  parent_func = lead_helper_astray;
  unlinkat_func = meet_and_unlink;
  assert_emptied ();
  unlinkat_func = NULL;
  parent_func = NULL;
  g_assert_cmpuint (n_threads, ==, 1);
  g_assert_cmpint (n_wrong, ==, 1);

  tf_fd_clear (&wrong_fd);
  g_assert_cmpint (unlink ("elsewhere/file"), ==, 0);
  g_assert_cmpint (rmdir ("elsewhere"), ==, 0);
}

/* One of the threads reports that a directory cannot be read; for the other one, it ends. */
static void
test_unreadable (void)
{
  TfDirListing listing = { NULL, };
  TfDirListing taken = { NULL, };
  TfDirShare *share;
  tf_autofd int fd = -1;

  tree_make_file ("file");
  fd = open ("file", O_RDONLY | O_CLOEXEC);
  share = tf_dir_share_try_new (fd, &listing);
  g_assert_cmpint (tf_dir_share_take (share, &taken), ==, -1);
  g_assert_cmpint (errno, ==, ENOTDIR);
  g_assert_cmpint (tf_dir_share_take (share, &taken), ==, 0);

  tf_dir_listing_clear (&taken);
  tf_dir_share_free (share);
  g_assert_cmpint (unlink ("file"), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/dir-share/wide", test_wide);
  g_test_add_func ("/dir-share/flat", test_flat);
  g_test_add_func ("/dir-share/nested", test_nested);
  g_test_add_func ("/dir-share/one-thread", test_one_thread);
  g_test_add_func ("/dir-share/forbidden", test_forbidden);
  g_test_add_func ("/dir-share/budget", test_budget);
  g_test_add_func ("/dir-share/few-fds", test_few_fds);
  g_test_add_func ("/dir-share/failures", test_failures);
  g_test_add_func ("/dir-share/undeletable", test_undeletable);
  g_test_add_func ("/dir-share/cancel", test_cancel);
  g_test_add_func ("/dir-share/swapped", test_swapped);
  g_test_add_func ("/dir-share/moved", test_moved);
  g_test_add_func ("/dir-share/unreadable", test_unreadable);

  return tf_test_run ();
}
