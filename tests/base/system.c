/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "base/tf-system.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "tf-test.h"
#include "tree.h"

#define MIB ((gsize) 1024 * 1024)

static int
interrupted_twice (int *n_calls)
{
  errno = ++*n_calls <= 2 ? EINTR : EIO;
  return -1;
}

static void
test_retry (void)
{
  int n_calls = 0;

  g_assert_cmpint (TF_RETRY_EINTR (interrupted_twice (&n_calls)), ==, -1);
  g_assert_cmpint (errno, ==, EIO);
  g_assert_cmpint (n_calls, ==, 3);
}

static void
test_stat (void)
{
  TfSystemStat by_name, by_fd;
  tf_autofd int fd = -1;

  tree_make_dir ("dir");
  g_assert_cmpint (chmod ("dir", 0710), ==, 0);
  fd = tree_open ("dir");
  g_assert_true (tf_system_stat (&by_name, AT_FDCWD, "dir"));
  g_assert_true (tf_system_stat (&by_fd, fd, ""));
  g_assert_cmpmem (&by_name, G_STRUCT_OFFSET (TfSystemStat, is_mounted), &by_fd, G_STRUCT_OFFSET (TfSystemStat, is_mounted));
  g_assert_false (by_name.is_mounted);
  g_assert_cmphex (by_fd.mode, ==, S_IFDIR | 0710);
  g_assert_cmpuint (by_fd.uid, ==, geteuid ());

  g_assert_cmpint (rmdir ("dir"), ==, 0);
  g_assert_false (tf_system_stat (&by_name, AT_FDCWD, "dir"));
  g_assert_cmpint (errno, ==, ENOENT);
  g_assert_true (tf_system_stat (&by_fd, fd, ""));
  g_assert_cmpuint (by_fd.inode, ==, by_name.inode);
}

static void
test_chmod_dir (void)
{
  TfSystemStat st, other;

  tree_make_dir ("dir");
  tree_make_dir ("other");
  g_assert_cmpint (symlink ("other", "link"), ==, 0);
  g_assert_cmpint (chmod ("dir", 0), ==, 0);
  g_assert_true (tf_system_stat (&st, AT_FDCWD, "dir"));
  g_assert_true (tf_system_stat (&other, AT_FDCWD, "other"));

  g_assert_cmpint (tf_system_chmod_dir (AT_FDCWD, "dir", &other, 0700), ==, -1);
  g_assert_cmpint (errno, ==, ESTALE);
  g_assert_cmpint (tf_system_chmod_dir (AT_FDCWD, "link", &other, 0700), ==, -1);
  g_assert_cmpint (tf_system_chmod_dir (AT_FDCWD, "dir", &st, 0750), ==, 0);
  g_assert_true (tf_system_stat (&st, AT_FDCWD, "dir"));
  g_assert_cmphex (st.mode, ==, S_IFDIR | 0750);

  g_assert_cmpint (rmdir ("dir"), ==, 0);
  g_assert_cmpint (rmdir ("other"), ==, 0);
  g_assert_cmpint (unlink ("link"), ==, 0);
}

/* Goes on where it stopped, from the beginning after a seek to it, and leaves nothing out. */
static void
test_read_dir (void)
{
  g_autofree char *buffer = NULL;
  gsize capacity = 0;
  tf_autofd int fd = -1;
  g_autofree char *cheap = tf_test_make_cheap_dir ();

  g_assert_cmpint (chdir (cheap), ==, 0);
  tree_make_dir ("dir");
  for (int i = 0; i < 3000; i++)
    {
      g_autofree char *name = g_strdup_printf ("dir/a-name-of-some-length-%d", i);

      tree_make_file (name);
    }

  fd = tree_open ("dir");
  for (int pass = 0; pass < 2; pass++)
    {
      g_autoptr(GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      gssize n;

      g_assert_cmpint (lseek (fd, 0, SEEK_SET), ==, 0);
      while ((n = tf_system_read_dir (fd, &buffer, &capacity)) > 0)
        for (gssize i = 0; i < n; i += ((TfSystemEntry *) (gpointer) (buffer + i))->size)
          g_hash_table_add (names, g_strdup (((TfSystemEntry *) (gpointer) (buffer + i))->name));
      g_assert_cmpint (n, ==, 0);
      g_assert_cmpuint (g_hash_table_size (names), ==, 3000 + 2);
      g_assert_true (g_hash_table_contains (names, "a-name-of-some-length-2999"));
      g_assert_cmpuint (capacity, >=, TF_SYSTEM_DIR_BUFFER);
    }

  for (int i = 0; i < 3000; i++)
    {
      g_autofree char *name = g_strdup_printf ("dir/a-name-of-some-length-%d", i);

      g_assert_cmpint (unlink (name), ==, 0);
    }
  g_assert_cmpint (rmdir ("dir"), ==, 0);
  g_assert_cmpint (chdir (tf_test_get_sandbox ()), ==, 0);
  g_assert_cmpint (rmdir (cheap), ==, 0);
  g_assert_cmpint (tf_system_read_dir (-1, &buffer, &capacity), ==, -1);
  g_assert_cmpint (errno, ==, EBADF);
}

/* A file that cannot be read, and a symlink that leads nowhere. */
static void
test_open_to_describe (void)
{
  tf_autofd int file = -1;
  tf_autofd int link = -1;
  struct stat st;
  char value[8];

  if (tf_test_skip_if_portable ("descriptors that are for describing a file"))
    return;

  tree_make_file ("file");
  g_assert_cmpint (setxattr ("file", "user.mark", "blue", 4, 0) == 0 || errno == EOPNOTSUPP, ==, TRUE);
  g_assert_cmpint (chmod ("file", 0), ==, 0);
  g_assert_cmpint (symlink ("nowhere", "link"), ==, 0);

  file = tf_system_open_to_describe (AT_FDCWD, "file");
  g_assert_cmpint (fstat (file, &st), ==, 0);
  g_assert_cmphex (st.st_mode, ==, S_IFREG);
  if (tf_system_get_xattr (file, "user.mark", value, sizeof value) >= 0)
    g_assert_cmpmem (value, 4, "blue", 4);
  g_assert_cmpint (tf_system_list_xattrs (file, NULL, 0) >= 0 || errno == ENOTSUP, ==, TRUE);

  link = tf_system_open_to_describe (AT_FDCWD, "link");
  g_assert_cmpint (fstat (link, &st), ==, 0);
  g_assert_true (S_ISLNK (st.st_mode));

  g_assert_cmpint (unlink ("file"), ==, 0);
  g_assert_cmpint (unlink ("link"), ==, 0);
  g_assert_cmpint (fstat (file, &st), ==, 0);
  g_assert_cmpint (tf_system_list_xattrs (file, NULL, 0) >= 0 || errno == ENOTSUP, ==, TRUE);
  g_assert_cmpint (tf_system_open_to_describe (AT_FDCWD, "file"), ==, -1);
  g_assert_cmpint (errno, ==, ENOENT);
}

static void
test_dup_to (void)
{
  tf_autofd int one = open (".", O_RDONLY | O_CLOEXEC);
  tf_autofd int two = open ("/", O_RDONLY | O_CLOEXEC);
  TfSystemStat st_one, st_two;

  g_assert_cmpint (tf_system_dup_to (one, two), ==, two);
  g_assert_cmpint (fcntl (two, F_GETFD), ==, FD_CLOEXEC);
  g_assert_true (tf_system_stat (&st_one, one, ""));
  g_assert_true (tf_system_stat (&st_two, two, ""));
  g_assert_cmpuint (st_one.inode, ==, st_two.inode);
}

static void
test_pid (void)
{
  struct pollfd poll_fd = { .events = POLLIN };
  pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      pause ();
      _exit (0);
    }

  poll_fd.fd = tf_system_open_pid (pid);
  if (poll_fd.fd < 0)
    g_assert_cmpint (errno, ==, ENOTSUP);
  else
    g_assert_cmpint (poll (&poll_fd, 1, 0), ==, 0);

  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  if (poll_fd.fd >= 0)
    g_assert_cmpint (poll (&poll_fd, 1, -1), ==, 1);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  tf_fd_clear (&poll_fd.fd);

  if (!tf_test_skip_if_portable ("descriptors of processes") && tf_system_open_pid (pid) < 0)
    g_assert_true (errno == ESRCH || errno == ENOTSUP);
}

static void
open_without_stdin (void)
{
  int fds[3];

  g_assert_cmpint (close (STDIN_FILENO), ==, 0);
  fds[0] = tf_system_open_unnamed (AT_FDCWD, ".", 0600);
  fds[1] = tf_system_open_pid (getpid ());
  fds[2] = tf_system_open_memory ();
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    if (fds[i] >= 0)
      g_assert_cmpint (fds[i], >, STDERR_FILENO);
  g_assert_cmpint (fcntl (STDIN_FILENO, F_GETFD), ==, -1);
}

/* What lasts is not taken for a standard stream. */
static void
test_standard_streams (void)
{
  tf_test_in_child (open_without_stdin);
}

/* The content stays, what is added is zero, and what is cut off is gone. */
static void
test_remap (void)
{
  guint8 *data = tf_system_remap (NULL, 0, 4 * MIB);

  g_assert_nonnull (data);
  g_assert_cmpuint (data[4 * MIB - 1], ==, 0);
  memset (data, 'x', 4 * MIB);

  data = tf_system_remap (data, 4 * MIB, 64 * MIB);
  g_assert_nonnull (data);
  g_assert_cmpuint (data[0], ==, 'x');
  g_assert_cmpuint (data[4 * MIB - 1], ==, 'x');
  g_assert_cmpuint (data[4 * MIB], ==, 0);
  g_assert_cmpuint (data[64 * MIB - 1], ==, 0);

  data = tf_system_remap (data, 64 * MIB, MIB);
  g_assert_nonnull (data);
  g_assert_cmpuint (data[MIB - 1], ==, 'x');
  g_assert_cmpint (munmap (data, MIB), ==, 0);
  g_assert_null (tf_system_remap (NULL, 0, G_MAXSIZE / 16 * 15 / 4096 * 4096));
}

static void
check_random (void)
{
  guint8 one[256] = { 0, };
  guint8 two[256] = { 0, };

  g_assert_true (tf_system_fill_random (one, sizeof one));
  g_assert_true (tf_system_fill_random (two, sizeof two));
  g_assert_cmpint (memcmp (one, two, sizeof one), !=, 0);
  g_assert_cmpint (memcmp (one + 128, two + 128, 128), !=, 0);
}

static void
check_extend (void)
{
  tf_autofd int fd = open ("file", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  struct stat st;

  g_assert_cmpint (tf_system_extend (fd, 10000), ==, 0);
  g_assert_cmpint (fstat (fd, &st), ==, 0);
  g_assert_cmpint (st.st_size, ==, 10000);
  g_assert_cmpint (unlink ("file"), ==, 0);
}

static void
test_extend (void)
{
  check_extend ();
  tf_system_missing = TF_SYSTEM_FALLOCATE;
  check_extend ();
  g_assert_cmpint (tf_system_extend (-1, 10000), ==, -1);
  g_assert_cmpint (errno, ==, EBADF);
  tf_system_missing = 0;

  g_assert_cmpint (tf_system_extend (-1, 10000), ==, -1);
  g_assert_cmpint (errno, ==, EBADF);
}

/* Also where the call for it is missing. */
static void
test_random (void)
{
  const int errnos[] = { ENOSYS, EPERM, EACCES, EIO };

  check_random ();
  if (tf_test_is_portable ())
    return;

  tf_system_missing = TF_SYSTEM_GETRANDOM;
  for (gsize i = 0; i < G_N_ELEMENTS (errnos); i++)
    {
      tf_system_missing_errno = errnos[i];
      if (errnos[i] != EIO)
        check_random ();
      else
        g_assert_false (tf_system_fill_random ((guint8[1]) { 0 }, 1));
    }
  tf_system_missing = 0;
  tf_system_missing_errno = ENOSYS;
}

/* Each does what it is for, or says that it cannot. */
static void
test_refusals (void)
{
  tf_autofd int dir_fd = open (".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  tf_autofd int unnamed = tf_system_open_unnamed (dir_fd, ".", 0600);
  tf_autofd int memory = -1;

  if (unnamed < 0)
    g_assert_cmpint (errno, ==, ENOTSUP);
  else
    g_assert_cmpint (write (unnamed, "x", 1), ==, 1);

  memory = tf_system_open_memory ();
  if (memory < 0)
    g_assert_cmpint (errno, ==, ENOTSUP);
  else
    g_assert_cmpint (tf_system_seal (memory), ==, 0);
  g_assert_true (memory < 0 || write (memory, "x", 1) < 0);

  tree_make_file ("one");
  tree_make_file ("two");
  g_assert_cmpint (tf_system_rename (dir_fd, "one", "two", TF_SYSTEM_RENAME_NOREPLACE), ==, -1);
  g_assert_true (errno == EEXIST || errno == ENOTSUP);
  if (tf_system_rename (dir_fd, "one", "two", TF_SYSTEM_RENAME_EXCHANGE) != 0)
    g_assert_cmpint (errno, ==, ENOTSUP);
  g_assert_cmpint (unlink ("one"), ==, 0);
  g_assert_cmpint (unlink ("two"), ==, 0);
}

static int
sync_range (int fd)
{
  return tf_system_sync_range (fd, 0, 1);
}

static int
allocate (int fd)
{
  return tf_system_allocate (fd, 1);
}

static int
open_memory (int fd)
{
  return tf_system_open_memory ();
}

static int
open_pid (int fd)
{
  return tf_system_open_pid (getpid ());
}

static int
set_xattr (int fd)
{
  return tf_system_set_xattr (fd, "user.mark", "blue", 4);
}

static int
remove_xattr (int fd)
{
  return tf_system_remove_xattr (fd, "user.mark");
}

static int
lease (int fd)
{
  return tf_system_lease (fd);
}

/* Each of the errors that mean that the kernel or a sandbox does not have a call is the same one here; others are not. */
static void
test_missing (void)
{
  const struct { TfSystemPart part; int (*call) (int fd); } calls[] = {
    { TF_SYSTEM_SYNC_FILE_RANGE, sync_range },
    { TF_SYSTEM_FALLOCATE, allocate },
    { TF_SYSTEM_MEMFD, open_memory },
    { TF_SYSTEM_PIDFD, open_pid },
    { TF_SYSTEM_XATTR, set_xattr },
    { TF_SYSTEM_XATTR, remove_xattr },
    { TF_SYSTEM_LEASE, lease },
  };
  const int errnos[] = { ENOSYS, EPERM, EACCES, EOPNOTSUPP, EIO };
  tf_autofd int fd = open ("file", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  if (tf_test_skip_if_portable ("calls that can be missing"))
    {
      g_assert_cmpint (unlink ("file"), ==, 0);
      return;
    }

  for (gsize i = 0; i < G_N_ELEMENTS (calls) * G_N_ELEMENTS (errnos); i++)
    {
      tf_system_missing = calls[i / 5].part;
      tf_system_missing_errno = errnos[i % 5];
      g_assert_cmpint (calls[i / 5].call (fd), ==, -1);
      if (calls[i / 5].part == TF_SYSTEM_XATTR || calls[i / 5].part == TF_SYSTEM_LEASE)
        g_assert_true (errno == ENOTSUP || errno == errnos[i % 5]);
      else
        g_assert_cmpint (errno, ==, errnos[i % 5] == EIO ? EIO : ENOTSUP);
    }
  tf_system_missing = 0;
  tf_system_missing_errno = ENOSYS;
  g_assert_cmpint (unlink ("file"), ==, 0);
}

/* Where the system tells it, nothing has happened yet. Tests in a control group of their own let it happen. */
static void
test_memory_pressure (void)
{
  int fd = tf_system_open_memory_pressure ();
  struct pollfd pollfd = { .fd = fd, .events = POLLPRI };

  if (fd < 0)
    {
      g_test_skip ("memory.pressure cannot be opened");
      return;
    }

  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (poll (&pollfd, 1, 0), >=, 0);
  g_assert_cmpint (pollfd.revents & POLLNVAL, ==, 0);
  close (fd);
}

static void
test_count_descriptors (void)
{
  guint before = tf_system_count_descriptors ();
  int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);

  if (before == 0)
    g_test_skip ("the kernel does not tell it");
  else
    g_assert_cmpuint (tf_system_count_descriptors (), ==, before + 1);
  close (fd);
}

static void
assert_resident (guint8 *data,
                 gsize   size,
                 gsize   expected)
{
  gsize resident;

  g_assert_true (tf_system_count_resident (data, size, &resident));
  g_assert_cmpuint (resident, ==, expected);
}

/* Freed pages read as zeros, and those that stay as they were. */
static void
test_free_pages (void)
{
  gsize size = 2 * TF_SYSTEM_HUGE_PAGE;
  guint8 *data = tf_system_remap (NULL, 0, size);
  gboolean is_freed;

  g_assert_nonnull (data);
  if (!tf_test_is_portable ())
    assert_resident (data, size, 0);
  tf_system_use_huge_pages (data, size, TRUE);
  memset (data, 'x', size);
  tf_system_use_huge_pages (data, size, FALSE);

  /* There is no whole page in these. */
  g_assert_true (tf_system_free_pages (data + 1, 100) || tf_test_is_portable ());
  g_assert_cmpint (data[1], ==, 'x');

  is_freed = tf_system_free_pages (data + 4096 * 16, size - 4096 * 16);
  g_assert_true (is_freed || tf_test_is_portable ());
  if (is_freed)
    {
      g_assert_cmpint (data[4096 * 16], ==, 0);
      g_assert_cmpint (data[size - 1], ==, 0);
    }
  g_assert_cmpint (data[0], ==, 'x');
  g_assert_cmpint (data[4096 * 16 - 1], ==, 'x');
  if (!tf_test_is_portable ())
    {
      assert_resident (data, 4096 * 16, 4096 * 16);
      assert_resident (data + 1, 4096 * 16, 4096 * 15);
      assert_resident (data + 1, 4094, 0);
      assert_resident (data + size / 2, size / 4, 0);
    }
  munmap (data, size);
}

static gsize
count_mapped_pages (void)
{
  g_autofree char *sizes = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &sizes, NULL, NULL));
  return g_ascii_strtoull (sizes, NULL, 10);
}

/* Whatever is mapped in order to find a boundary is unmapped. */
static void
test_map_aligned (void)
{
  const gsize page_size = sysconf (_SC_PAGESIZE);
  guint8 *data[64];
  gsize before;

  if (tf_test_skip_if_portable ("huge pages"))
    return;

  before = count_mapped_pages ();
  for (gsize i = 0; i < G_N_ELEMENTS (data); i++)
    {
      data[i] = tf_system_remap (NULL, 0, page_size);
      g_assert_nonnull (data[i]);
    }
  /* Reading the number may have mapped some, too. */
  g_assert_cmpuint (count_mapped_pages (), <, before + 2 * G_N_ELEMENTS (data));
  for (gsize i = 0; i < G_N_ELEMENTS (data); i++)
    g_assert_cmpint (munmap (data[i], page_size), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/system/retry", test_retry);
  g_test_add_func ("/system/stat", test_stat);
  g_test_add_func ("/system/chmod-dir", test_chmod_dir);
  g_test_add_func ("/system/read-dir", test_read_dir);
  g_test_add_func ("/system/open-to-describe", test_open_to_describe);
  g_test_add_func ("/system/dup-to", test_dup_to);
  g_test_add_func ("/system/pid", test_pid);
  g_test_add_func ("/system/standard-streams", test_standard_streams);
  g_test_add_func ("/system/remap", test_remap);
  g_test_add_func ("/system/free-pages", test_free_pages);
  g_test_add_func ("/system/count-descriptors", test_count_descriptors);
  g_test_add_func ("/system/memory-pressure", test_memory_pressure);
  g_test_add_func ("/system/extend", test_extend);
  g_test_add_func ("/system/map-aligned", test_map_aligned);
  g_test_add_func ("/system/random", test_random);
  g_test_add_func ("/system/missing", test_missing);
  g_test_add_func ("/system/refusals", test_refusals);

  return tf_test_run ();
}
