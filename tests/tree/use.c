/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tree/tf-remove.h"
#include "tree/tf-use.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "tf-test.h"
#include "tree.h"

/* The type of file system that the next file is on. The linker puts a function in place of fstatfs(), see
 * meson.build. */
static guint32 other_fs;

int __real_fstatfs64 (int fd, struct statfs *fs);
int __wrap_fstatfs64 (int fd, struct statfs *fs);

static void (*while_open) (void); /* (nullable): called once, when the next file is open */
static guint n_before_open;        /* how many times fstatfs() is called before that */

int
__wrap_fstatfs64 (int            fd,
                  struct statfs *fs)
{
  int result = __real_fstatfs64 (fd, fs);
  void (*func) (void) = while_open;

  if (func != NULL && n_before_open-- == 0)
    {
      while_open = NULL;
      func ();
    }

  if (other_fs != 0)
    fs->f_type = other_fs;
  return result;
}

/* How many times a file was opened so that programs started meanwhile inherit it. */
static guint n_inherited;

int __real_openat64 (int dir_fd, const char *name, int flags, ...);
int __wrap_openat64 (int dir_fd, const char *name, int flags, ...);

int
__wrap_openat64 (int         dir_fd,
                 const char *name,
                 int         flags,
                 ...)
{
  if (!(flags & O_CLOEXEC))
    n_inherited++;
  return __real_openat64 (dir_fd, name, flags, 0600);
}

static TfIdentity
identify (const char *path)
{
  TfIdentity identity = { 0, };

  g_assert_true (tf_identity_read (&identity, AT_FDCWD, path));
  return identity;
}

static gboolean
is_file_idle (const char *path)
{
  TfIdentity identity = identify (path);
  guint n_before = n_inherited;
  int fd = tf_use_lease_file (AT_FDCWD, path, &identity);

  g_assert_cmpuint (n_inherited, ==, n_before);
  if (fd < 0)
    return FALSE;

  g_assert_cmpint (close (fd), ==, 0);
  return TRUE;
}

static gboolean
is_dir_idle (const char *path)
{
  TfIdentity identity = identify (path);
  guint n_before = n_inherited;
  gboolean is_idle = tf_use_is_dir_idle (AT_FDCWD, path, &identity);

  g_assert_cmpuint (n_inherited, ==, n_before);
  return is_idle;
}

static void
make_file (const char *path)
{
  tree_make_file (path);
  g_assert_cmpint (truncate (path, 1), ==, 0);
}

static void
remove_dir (void)
{
  g_autofree char *path = tf_test_path ("dir");
  TfIdentity identity = identify ("dir");
  int fd = tf_system_open_dir (".");

  g_assert_true (tf_remove_dir_at (fd, "dir", path, &identity, NULL, NULL));
  g_assert_cmpint (close (fd), ==, 0);
}

/* Not even this process may have it open. */
static void
test_open (void)
{
  const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR };

  if (!tf_test_is_portable () && tf_test_skip_without_leases ())
    return;

  make_file ("file");
  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      int fd = open ("file", flags[i] | O_CLOEXEC);

      g_assert_cmpint (fd, >=, 0);
      g_assert_false (is_file_idle ("file"));
      g_assert_cmpint (errno, ==, tf_test_is_portable () ? ENOTSUP : EAGAIN);
      g_assert_cmpint (close (fd), ==, 0);
      g_assert_true (is_file_idle ("file") != tf_test_is_portable ());
    }
  g_assert_cmpint (unlink ("file"), ==, 0);
}

static void
test_open_in_other_process (void)
{
  int ends[2];
  pid_t pid;
  char byte;
  int fd;

  if (tf_test_skip_without_leases ())
    return;

  make_file ("file");
  fd = open ("file", O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (pipe (ends), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      close (ends[1]);
      _exit (read (ends[0], &byte, 1));
    }
  g_assert_cmpint (close (ends[0]), ==, 0);
  g_assert_cmpint (close (fd), ==, 0);
  g_assert_false (is_file_idle ("file"));
  g_assert_cmpint (close (ends[1]), ==, 0);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  g_assert_true (is_file_idle ("file"));
  g_assert_cmpint (unlink ("file"), ==, 0);
}

/* A lease is granted, but the file may be open by another way. */
static void
test_other_fs (void)
{
  const guint32 types[] = { FUSE_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, NFS_SUPER_MAGIC, 1 };
  TfIdentity identity;

  tree_make_dir ("dir");
  make_file ("dir/file");
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      other_fs = types[i];
      g_assert_false (is_file_idle ("dir/file"));
      g_assert_cmpint (errno, ==, ENOTSUP);
      g_assert_false (is_dir_idle ("dir"));
      g_assert_true (tf_identity_read (&identity, AT_FDCWD, "dir/file"));
      g_assert_false (tf_use_is_file_idle (AT_FDCWD, "dir/file", &identity));
    }

  other_fs = 0;
  remove_dir ();
}

static void
test_mapped (void)
{
  gpointer mapped;
  int fd;

  if (tf_test_skip_without_leases ())
    return;

  make_file ("file");
  fd = open ("file", O_RDONLY | O_CLOEXEC);
  mapped = mmap (NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
  g_assert_true (mapped != MAP_FAILED);
  g_assert_cmpint (close (fd), ==, 0);
  g_assert_false (is_file_idle ("file"));
  g_assert_cmpint (munmap (mapped, 1), ==, 0);
  g_assert_true (is_file_idle ("file"));
  g_assert_cmpint (unlink ("file"), ==, 0);
}

/* Whoever opens the file while it is leased does not have the process killed by a signal. */
static gint is_fork_coming; /* (atomic) */
static gint child;          /* (atomic) */
static GThread *forker;

static void
tell_fork (void)
{
  g_atomic_int_set (&is_fork_coming, TRUE);
}

static gboolean
has_open (const char *name)
{
  g_autofree char *path = tf_test_path (name);
  g_autoptr(GDir) fds = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *fd;

  while ((fd = g_dir_read_name (fds)) != NULL)
    {
      g_autofree char *link = g_build_filename ("/proc/self/fd", fd, NULL);
      g_autofree char *target = g_file_read_link (link, NULL);

      if (g_strcmp0 (target, path) == 0)
        return TRUE;
    }

  return FALSE;
}

static gpointer
fork_child (gpointer data)
{
  pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    _exit (has_open ("file") || has_open ("dir/file"));

  g_atomic_int_set (&child, pid);
  return NULL;
}

/* Returns when the thread waits in fork(), or has forked. */
static void
fork_elsewhere (void)
{
  g_assert_true (has_open ("file") || has_open ("dir/file"));

  g_atomic_int_set (&is_fork_coming, FALSE);
  g_atomic_int_set (&child, 0);
  forker = g_thread_new ("forker", fork_child, NULL);
  while (!g_atomic_int_get (&is_fork_coming))
    g_thread_yield ();
  for (guint i = 0; i < 1000 && g_atomic_int_get (&child) == 0; i++)
    g_thread_yield ();
}

static void
assert_not_open_in_child (void)
{
  int status;

  g_thread_join (g_steal_pointer (&forker));
  g_assert_cmpint (waitpid (g_atomic_int_get (&child), &status, 0), ==, g_atomic_int_get (&child));
  g_assert_cmpint (status, ==, 0);
}

/* A child that is forked by another thread does not keep open what was only looked at. */
static void
test_fork (void)
{
  TfIdentity identity;
  tf_autofd int dir_fd = -1;

  if (tf_test_skip_without_leases ())
    return;

  dir_fd = open (".", O_PATH | O_CLOEXEC);
  g_assert_cmpint (dir_fd, >=, 0);
  g_assert_cmpint (pthread_atfork (tell_fork, NULL, NULL), ==, 0);
  make_file ("file");
  identity = identify ("file");
  g_assert_true (tf_use_is_file_idle (dir_fd, "file", &identity));
  while_open = fork_elsewhere;
  n_before_open = 1;
  g_assert_true (tf_use_is_file_idle (dir_fd, "file", &identity));
  assert_not_open_in_child ();
  g_assert_cmpint (unlink ("file"), ==, 0);

  tree_make_dir ("dir");
  make_file ("dir/file");
  identity = identify ("dir");
  while_open = fork_elsewhere;
  n_before_open = 1;
  g_assert_true (tf_use_is_dir_idle (AT_FDCWD, "dir", &identity));
  assert_not_open_in_child ();
  g_assert_cmpint (unlink ("dir/file"), ==, 0);
  g_assert_cmpint (rmdir ("dir"), ==, 0);
}

/* While a file is being removed, a child can be forked. Nobody waits for what it does not know of. */
static void
test_inherited_lease (void)
{
  TfIdentity identity;
  int leased;
  int fd;
  pid_t pid;

  if (tf_test_skip_without_leases ())
    return;

  make_file ("file");
  identity = identify ("file");
  leased = tf_use_lease_file (AT_FDCWD, "file", &identity);
  g_assert_cmpint (leased, >=, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  while (pid == 0)
    pause ();

  tf_use_release (&leased);
  fd = open ("file", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (close (fd), ==, 0);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  g_assert_cmpint (unlink ("file"), ==, 0);
}

static void
test_lease (void)
{
  TfIdentity identity = { 0, };
  int leased;

  if (tf_test_skip_without_leases ())
    return;

  make_file ("file");
  identity = identify ("file");
  leased = tf_use_lease_file (AT_FDCWD, "file", &identity);
  g_assert_cmpint (leased, >=, 0);
  g_assert_cmpint (open ("file", O_RDONLY | O_NONBLOCK | O_CLOEXEC), ==, -1);
  g_assert_cmpint (errno, ==, EWOULDBLOCK);
  g_assert_cmpint (close (leased), ==, 0);
  g_assert_true (is_file_idle ("file"));
  g_assert_cmpint (unlink ("file"), ==, 0);
}

static void
test_not_the_file (void)
{
  TfIdentity other;

  make_file ("file");
  make_file ("other");
  tree_make_dir ("dir");
  tree_make_link ("other", "link");
  other = identify ("other");
  g_assert_cmpint (tf_use_lease_file (AT_FDCWD, "file", &other), ==, -1);
  g_assert_cmpint (errno, ==, ESTALE);
  g_assert_cmpint (tf_use_lease_file (AT_FDCWD, "link", &other), ==, -1);
  g_assert_cmpint (errno, ==, ELOOP);
  g_assert_cmpint (tf_use_lease_file (AT_FDCWD, "missing", &other), ==, -1);
  g_assert_cmpint (errno, ==, ENOENT);
  g_assert_false (tf_use_is_dir_idle (AT_FDCWD, "dir", &other));
  g_assert_false (tf_use_is_dir_idle (AT_FDCWD, "file", &other));
  g_assert_cmpint (unlink ("file"), ==, 0);
  g_assert_cmpint (unlink ("other"), ==, 0);
  g_assert_cmpint (unlink ("link"), ==, 0);
  g_assert_cmpint (rmdir ("dir"), ==, 0);
}

static void
look_at_file_of_another_user (void)
{
  g_assert_false (is_file_idle ("file"));
  g_assert_false (is_dir_idle ("dir"));
}

/* Its owner alone may know. */
static void
test_other_user (void)
{
  if (geteuid () != 0)
    {
      g_test_skip ("only root has another user at hand");
      return;
    }

  make_file ("file");
  tree_make_dir ("dir");
  make_file ("dir/file");
  g_assert_cmpint (chmod ("file", 0644), ==, 0);
  g_assert_cmpint (chmod ("dir", 0755), ==, 0);
  g_assert_cmpint (chmod ("dir/file", 0644), ==, 0);
  tf_test_as_unprivileged (look_at_file_of_another_user);
  g_assert_cmpint (unlink ("file"), ==, 0);
  g_assert_cmpint (unlink ("dir/file"), ==, 0);
  g_assert_cmpint (rmdir ("dir"), ==, 0);
}

static void
test_dir (void)
{
  int fd;

  if (tf_test_skip_without_leases ())
    return;

  tree_make_dir ("dir");
  g_assert_true (is_dir_idle ("dir"));
  tree_make_wide ("dir", 3, 3);
  tree_make_dir ("dir/deep");
  tree_make_dir ("dir/deep/deeper");
  make_file ("dir/deep/deeper/file");
  tree_make_link ("nothing", "dir/link");
  g_assert_cmpint (mkfifo ("dir/fifo", 0600), ==, 0);
  for (int i = 0; i < 2; i++)
    {
      tf_system_missing = i == 0 ? 0 : TF_SYSTEM_OPENAT2;
      g_assert_true (is_dir_idle ("dir"));
      fd = open ("dir/deep/deeper/file", O_RDONLY | O_CLOEXEC);
      g_assert_false (is_dir_idle ("dir"));
      g_assert_cmpint (close (fd), ==, 0);
      g_assert_true (is_dir_idle ("dir"));
    }
  tf_system_missing = 0;
  remove_dir ();
}

static void
look_at_unreadable (void)
{
  tree_make_dir ("mine");
  tree_make_dir ("mine/closed");
  g_assert_true (is_dir_idle ("mine"));
  g_assert_cmpint (chmod ("mine/closed", 0), ==, 0);
  g_assert_false (is_dir_idle ("mine"));
  g_assert_cmpint (rmdir ("mine/closed"), ==, 0);
  g_assert_cmpint (rmdir ("mine"), ==, 0);
}

static void
test_unreadable (void)
{
  if (tf_test_skip_without_leases ())
    return;

  tf_test_as_unprivileged (look_at_unreadable);
}

static void
test_no_fds (void)
{
  if (tf_test_skip_without_leases ())
    return;

  tree_make_dir ("dir");
  tree_make_wide ("dir", 2, 2);
  for (guint n = 0; n < 4; n++)
    {
      tf_test_take_fds ();
      tf_test_give_fds (n);
      g_assert_true (is_dir_idle ("dir") == (n == 3));
      tf_test_give_all_fds ();
    }
  remove_dir ();
}


int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);
  g_test_add_func ("/use/open", test_open);
  g_test_add_func ("/use/open-in-other-process", test_open_in_other_process);
  g_test_add_func ("/use/other-fs", test_other_fs);
  g_test_add_func ("/use/mapped", test_mapped);
  g_test_add_func ("/use/lease", test_lease);
  g_test_add_func ("/use/fork", test_fork);
  g_test_add_func ("/use/inherited-lease", test_inherited_lease);
  g_test_add_func ("/use/not-the-file", test_not_the_file);
  g_test_add_func ("/use/other-user", test_other_user);
  g_test_add_func ("/use/dir", test_dir);
  g_test_add_func ("/use/unreadable", test_unreadable);
  g_test_add_func ("/use/no-fds", test_no_fds);
  return tf_test_run ();
}
