/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the kernel can answer, but does not here. The linker puts functions in place of the calls, see meson.build. */

#include "base/tf-system.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "tf-test.h"
#include "tree.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* How many of the next calls succeed before one fails; -1: all. */
static int mmap_succeeds = -1;
static int madvise_succeeds = -1;
static int ioctl_succeeds = -1;
/* How many of the next calls fail */
static int handle_fails;
static int mremap_fails;

/* What was reserved for a mapping that could not be moved, and whether another thread has mapped something there then. */
static void *reserved;
static gboolean is_taken;
static int tmpfile_errno; /* or 0 */

static guint32 fs_type;   /* 0: the true one */
static int fs_errno;
static int new_flags;
static gboolean knows_noexec = TRUE;
static const char *proc_path; /* (nullable): this file is another one */
static const char *proc_file;
static const char *cgroups;   /* (nullable) */
static const char *mounts;    /* (nullable) */

/* The next call of that name fails with that. */
static const char *failing_call; /* (nullable) */
static int failing_errno;
static guint n_statx;

static void
let_fail (const char *call,
          int         with_errno)
{
  failing_call = call;
  failing_errno = with_errno;
}

static gboolean
is_failing (const char *call)
{
  if (g_strcmp0 (call, failing_call) != 0)
    return FALSE;

  failing_call = NULL;
  errno = failing_errno;
  return TRUE;
}

#define WRAP(type, name, parameters, arguments) \
  type __real_ ## name parameters; \
  type __wrap_ ## name parameters; \
  type \
  __wrap_ ## name parameters \
  { \
    return is_failing (#name) ? -1 : __real_ ## name arguments; \
  }

WRAP (int, getentropy, (void *bytes, size_t size), (bytes, size))
WRAP (int, mincore, (void *data, size_t size, unsigned char *states), (data, size, states))
WRAP (ssize_t, pwrite64, (int fd, const void *data, size_t count, off_t offset), (fd, data, count, offset))
WRAP (ssize_t, read, (int fd, void *data, size_t count), (fd, data, count))
WRAP (ssize_t, readlink, (const char *path, char *target, size_t size), (path, target, size))
WRAP (int, stat64, (const char *path, struct stat *st), (path, st))
WRAP (int, statfs64, (const char *path, struct statfs *fs), (path, fs))

int __real_statx (int fd, const char *path, int flags, unsigned int mask, struct statx *stx);
int __wrap_statx (int fd, const char *path, int flags, unsigned int mask, struct statx *stx);

int
__wrap_statx (int           fd,
              const char   *path,
              int           flags,
              unsigned int  mask,
              struct statx *stx)
{
  n_statx++;
  return is_failing ("statx") ? -1 : __real_statx (fd, path, flags, mask, stx);
}

int __real_fcntl64 (int fd, int command, ...);
int __wrap_fcntl64 (int fd, int command, ...);

int
__wrap_fcntl64 (int fd,
                int command,
                ...)
{
  va_list arguments;
  guintptr argument;

  va_start (arguments, command);
  argument = va_arg (arguments, guintptr);
  va_end (arguments);

  if ((command == F_SETSIG && is_failing ("F_SETSIG")) || (command == F_SETLEASE && is_failing ("F_SETLEASE")))
    return -1;
  return __real_fcntl64 (fd, command, argument);
}

long __real_syscall (long number, ...);
long __wrap_syscall (long number, ...);

long
__wrap_syscall (long number,
                ...)
{
  long words[5];
  va_list arguments;

  va_start (arguments, number);
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    words[i] = va_arg (arguments, long);
  va_end (arguments);

  if (number == SYS_openat2 && is_failing ("openat2"))
    return -1;
  return __real_syscall (number, words[0], words[1], words[2], words[3], words[4]);
}

static gboolean
fails (int *succeeds,
       int  error)
{
  if (*succeeds < 0)
    return FALSE;

  if ((*succeeds)-- > 0)
    return FALSE;

  errno = error;
  return TRUE;
}

int __real_fstatfs64 (int fd, struct statfs *fs);
int __wrap_fstatfs64 (int fd, struct statfs *fs);
int __wrap_ioctl (int fd, unsigned long request, ...);
int __real_memfd_create (const char *name, unsigned int flags);
int __wrap_memfd_create (const char *name, unsigned int flags);
void *__real_mmap64 (void *data, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64 (void *data, size_t size, int protection, int flags, int fd, off_t offset);
void *__real_mremap (void *data, size_t old_size, size_t new_size, int flags, ...);
void *__wrap_mremap (void *data, size_t old_size, size_t new_size, int flags, ...);
int __real_madvise (void *data, size_t size, int advice);
int __wrap_madvise (void *data, size_t size, int advice);
int __real_openat64 (int fd, const char *path, int flags, ...);
int __wrap_openat64 (int fd, const char *path, int flags, ...);
int __real_open64 (const char *path, int flags, ...);
int __wrap_open64 (const char *path, int flags, ...);
int __real_name_to_handle_at (int fd, const char *name, struct file_handle *handle, int *mount, int flags);
int __wrap_name_to_handle_at (int fd, const char *name, struct file_handle *handle, int *mount, int flags);
gboolean __real_g_file_get_contents (const char *path, char **content, gsize *length, GError **error);
gboolean __wrap_g_file_get_contents (const char *path, char **content, gsize *length, GError **error);

int
__wrap_fstatfs64 (int            fd,
                  struct statfs *fs)
{
  int result = __real_fstatfs64 (fd, fs);

  if (fs_type != 0)
    fs->f_type = fs_type;
  errno = fs_errno;
  return fs_errno != 0 ? -1 : result;
}

/* A file system that has flags. */
int
__wrap_ioctl (int           fd,
              unsigned long request,
              ...)
{
  va_list arguments;
  int *flags;

  va_start (arguments, request);
  flags = va_arg (arguments, int *);
  va_end (arguments);

  if (fails (&ioctl_succeeds, EOPNOTSUPP))
    return -1;

  if (request == FS_IOC_GETFLAGS)
    *flags = FS_NODUMP_FL;
  else if (request == FS_IOC_SETFLAGS)
    new_flags = *flags;
  return 0;
}

int
__wrap_memfd_create (const char   *name,
                     unsigned int  flags)
{
  if (knows_noexec || !(flags & MFD_NOEXEC_SEAL))
    return __real_memfd_create (name, flags);

  errno = EINVAL;
  return -1;
}

void *
__wrap_mmap64 (void   *data,
               size_t  size,
               int     protection,
               int     flags,
               int     fd,
               off_t   offset)
{
  return fails (&mmap_succeeds, ENOMEM) ? MAP_FAILED : __real_mmap64 (data, size, protection, flags, fd, offset);
}

void *
__wrap_mremap (void   *data,
               size_t  old_size,
               size_t  new_size,
               int     flags,
               ...)
{
  va_list arguments;
  void *target;

  va_start (arguments, flags);
  target = (flags & MREMAP_FIXED) ? va_arg (arguments, void *) : NULL;
  va_end (arguments);
  if (mremap_fails == 0)
    return __real_mremap (data, old_size, new_size, flags, target);

  mremap_fails--;
  reserved = target;
  if (is_taken && target != NULL)
    g_assert_true (__real_mmap64 (target, new_size, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == target);
  errno = ENOMEM;
  return MAP_FAILED;
}

int
__wrap_madvise (void   *data,
                size_t  size,
                int     advice)
{
  return fails (&madvise_succeeds, EINVAL) ? -1 : __real_madvise (data, size, advice);
}

int
__wrap_openat64 (int         fd,
                 const char *path,
                 int         flags,
                 ...)
{
  if (is_failing ("openat64"))
    return -1;
  if (tmpfile_errno == 0 || (flags & O_TMPFILE) != O_TMPFILE)
    return __real_openat64 (fd, path, flags, 0600);

  errno = tmpfile_errno;
  return -1;
}

int
__wrap_open64 (const char *path,
               int         flags,
               ...)
{
  if (is_failing ("open64"))
    return -1;
  return __real_open64 (proc_path != NULL && g_str_has_prefix (path, proc_path) ? proc_file : path, flags, 0600);
}

int
__wrap_name_to_handle_at (int                 fd,
                          const char         *name,
                          struct file_handle *handle,
                          int                *mount,
                          int                 flags)
{
  if (handle_fails == 0)
    return __real_name_to_handle_at (fd, name, handle, mount, 0);

  handle_fails--;
  errno = EOPNOTSUPP;
  return -1;
}

gboolean
__wrap_g_file_get_contents (const char  *path,
                            char       **content,
                            gsize       *length,
                            GError     **error)
{
  const char *text = g_str_equal (path, "/proc/self/cgroup") ? cgroups : mounts;

  if (text == NULL)
    return FALSE;

  *content = g_strdup (text);
  return TRUE;
}

/* --- The tests --- */

static gboolean
skip (void)
{
  return tf_test_skip_if_portable ("calls of Linux");
}

static void
test_fs (void)
{
  const struct
  {
    guint32 type;
    TfSystemFs fs;
    gboolean keeps_identities;
    gboolean hole_takes_room;
  } types[] = {
    { TMPFS_MAGIC, TF_SYSTEM_FS_LOCAL, TRUE, TRUE },
    { EXT4_SUPER_MAGIC, TF_SYSTEM_FS_LOCAL, TRUE, FALSE },
    { XFS_SUPER_MAGIC, TF_SYSTEM_FS_LOCAL, TRUE, FALSE },
    { BTRFS_SUPER_MAGIC, TF_SYSTEM_FS_COW, TRUE, FALSE },
    { OVERLAYFS_SUPER_MAGIC, TF_SYSTEM_FS_OVERLAY, FALSE, TRUE },
    { F2FS_SUPER_MAGIC, TF_SYSTEM_FS_OTHER, TRUE, FALSE },
    { RAMFS_MAGIC, TF_SYSTEM_FS_OTHER, TRUE, FALSE },
    { NFS_SUPER_MAGIC, TF_SYSTEM_FS_OTHER, FALSE, FALSE },
  };
  tf_autofd int fd = open (".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (skip ())
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      fs_type = types[i].type;
      g_assert_cmpint (tf_system_get_fs (fd), ==, types[i].fs);
      g_assert_cmpint (tf_system_keeps_identities (fd), ==, types[i].keeps_identities);
      g_assert_cmpint (tf_system_hole_takes_room (fd), ==, types[i].hole_takes_room);
    }

  fs_type = TMPFS_MAGIC;
  fs_errno = EIO;
  g_assert_cmpint (tf_system_get_fs (fd), ==, TF_SYSTEM_FS_OTHER);
  g_assert_false (tf_system_keeps_identities (fd));
  g_assert_true (tf_system_hole_takes_room (fd));
  g_assert_cmpint (tf_system_lease (fd), ==, -1);
  g_assert_cmpint (errno, ==, ENOTSUP);
  fs_type = fs_errno = 0;
}

static void
test_forbid_cow (void)
{
  tf_autofd int fd = open (".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (skip ())
    return;

  g_assert_cmpint (tf_system_forbid_cow (fd), ==, 0);
  g_assert_cmphex (new_flags, ==, FS_NODUMP_FL | FS_NOCOW_FL);
  for (int i = 0; i < 2; i++)
    {
      ioctl_succeeds = i;
      g_assert_cmpint (tf_system_forbid_cow (fd), ==, -1);
      g_assert_cmpint (errno, ==, ENOTSUP);
    }
  ioctl_succeeds = -1;
}

/* Older kernels do not know all flags. */
static void
test_open_memory (void)
{
  tf_autofd int fd = -1;

  if (skip ())
    return;

  knows_noexec = FALSE;
  fd = tf_system_open_memory ();
  knows_noexec = TRUE;
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (tf_system_seal (fd), ==, 0);
}

/* Which errno means that the file system has no files without a name differs. */
static void
test_open_unnamed (void)
{
  const int errnos[] = { EISDIR, ENOENT, EINVAL, EOPNOTSUPP, ENOSYS, EPERM, EACCES, ENOSPC };

  if (skip ())
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (errnos); i++)
    {
      tmpfile_errno = errnos[i];
      g_assert_cmpint (tf_system_open_unnamed (AT_FDCWD, ".", 0600), ==, -1);
      g_assert_cmpint (errno, ==, errnos[i] == ENOSPC ? ENOSPC : ENOTSUP);
    }
  tmpfile_errno = 0;
}

static gboolean
is_mapped (void *data)
{
  return msync (data, TF_SYSTEM_HUGE_PAGE, MS_ASYNC) == 0;
}

/* Without room, nothing has changed. */
static void
test_remap (void)
{
  const gsize size = TF_SYSTEM_HUGE_PAGE;
  guint8 *data;
  guint8 *moved;

  if (skip ())
    return;

  mmap_succeeds = 0;
  g_assert_null (tf_system_remap (NULL, 0, size));
  data = tf_system_remap (NULL, 0, size);
  g_assert_nonnull (data);
  g_assert_cmpuint (GPOINTER_TO_SIZE (data) % size, ==, 0);
  memset (data, 'x', size);

  mremap_fails = 1;
  mmap_succeeds = 0;
  g_assert_null (tf_system_remap (data, size, 2 * size));
  g_assert_cmpint (data[size - 1], ==, 'x');
  for (is_taken = FALSE; is_taken <= TRUE; is_taken++)
    {
      mremap_fails = 2;
      g_assert_null (tf_system_remap (data, size, 2 * size));
      g_assert_cmpint (data[size - 1], ==, 'x');
      g_assert_cmpint (is_mapped (reserved), ==, is_taken);
    }
  g_assert_cmpint (munmap (reserved, 2 * size), ==, 0);
  is_taken = FALSE;

  /* Without a tag, nothing is moved. */
  mremap_fails = 1;
  let_fail ("getentropy", EIO);
  g_assert_null (tf_system_remap (data, size, 2 * size));
  g_assert_cmpint (data[size - 1], ==, 'x');
  g_assert_cmpint (mremap_fails, ==, 0);
  mremap_fails = 1;
  moved = tf_system_remap (data, size, 2 * size);
  g_assert_nonnull (moved);
  g_assert_cmpuint (GPOINTER_TO_SIZE (moved) % size, ==, 0);
  g_assert_cmpint (moved[size - 1], ==, 'x');
  g_assert_cmpint (moved[size], ==, 0);
  g_assert_cmpint (munmap (moved, 2 * size), ==, 0);
}

static void
test_wiped_on_fork (void)
{
  if (skip ())
    return;

  mmap_succeeds = 0;
  g_assert_null (tf_system_map_wiped_on_fork ());
  madvise_succeeds = 0;
  g_assert_null (tf_system_map_wiped_on_fork ());
}

/* Puts a text in place of a file in /proc. */
static void
write_proc (const char *path,
            const char *text)
{
  proc_path = path;
  proc_file = "proc";
  g_unlink ("proc");
  if (text != NULL)
    g_assert_true (g_file_set_contents ("proc", text, -1, NULL));
}

static void
forget_proc (void)
{
  proc_path = NULL;
  g_unlink ("proc");
}

static void
test_boot_id (void)
{
  const guint8 expected[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                              0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };
  guint8 id[TF_SYSTEM_BOOT_ID_SIZE];

  if (skip ())
    return;

  write_proc ("/proc/sys/kernel/random/boot_id", "01234567-89ab-cdef-fedc-ba9876543210\n");
  g_assert_true (tf_system_read_boot_id (id));
  g_assert_cmpmem (id, sizeof id, expected, sizeof expected);

  write_proc ("/proc/sys/kernel/random/boot_id", "01234567-89ab-cdef-fedc-ba987654321\n");
  g_assert_false (tf_system_read_boot_id (id));
  g_assert_cmpint (errno, ==, EIO);

  write_proc ("/proc/sys/kernel/random/boot_id", NULL);
  g_assert_false (tf_system_read_boot_id (id));
  g_assert_cmpint (errno, ==, ENOENT);
  forget_proc ();
}

static void
test_start_time (void)
{
  const struct
  {
    const char *text;
    guint64 time;
  } cases[] = {
    { "7 (a) b (c) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 4711 23\n", 4711 },
    { "7 (sleep) R 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 1 23\n", 1 },
    { "7 (dead) Z 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 1 21 4711 23\n", 0 },
    { "7 (first thread dead) Z 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 2 21 4711 23\n", 4711 },
    { "7 (dead) X 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 2 21 4711 23\n", 0 },
    { "7 (short) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21\n", 0 },
    { "7 (short) Z 4 5 6", 0 },
    { "7 (short)", 0 },
    { "nothing of the kind", 0 },
    { "", 0 },
    { NULL, 0 },
  };

  if (skip ())
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      write_proc ("/proc/7/stat", cases[i].text);
      g_assert_cmpuint (tf_system_get_start_time (7), ==, cases[i].time);
    }
  forget_proc ();
}

/* The first process is somebody else's, who may not be asked. */
static void
look_for_other (void)
{
  write_proc ("/proc/1/stat", NULL);
  g_assert_true (tf_system_may_run (1, 4711));
}

static pid_t
fork_and_die (void)
{
  siginfo_t info;
  pid_t pid = fork ();

  if (pid == 0)
    _exit (0);
  g_assert_cmpint (waitid (P_PID, pid, &info, WEXITED | WNOWAIT), ==, 0);
  return pid;
}

/* What /proc does not show may run all the same. */
static void
test_may_run (void)
{
  pid_t pid;

  if (skip ())
    return;

  write_proc ("/proc/", "7 (sleep) R 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 4711 23\n");
  g_assert_true (tf_system_may_run (getpid (), 4711));
  g_assert_true (tf_system_may_run (getpid (), 0));
  g_assert_false (tf_system_may_run (getpid (), 4712));
  write_proc ("/proc/", "7 (dead) Z 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 1 21 4711 23\n");
  g_assert_false (tf_system_may_run (getpid (), 4711));
  g_assert_false (tf_system_may_run (getpid (), 0));

  write_proc ("/proc/", "7 (short)");
  g_assert_true (tf_system_may_run (getpid (), 4711));
  write_proc ("/proc/", "7 (short) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21\n");
  g_assert_true (tf_system_may_run (getpid (), 4711));
  write_proc ("/proc/", NULL);
  g_assert_true (tf_system_may_run (getpid (), 4711));
  forget_proc ();
  tf_test_as_unprivileged (look_for_other);

  pid = fork_and_die ();
  g_assert_false (tf_system_may_run (pid, 0));
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  g_assert_false (tf_system_may_run (pid, 0));
}

static void
test_mount (void)
{
  tf_autofd int fd = open (".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  guint64 mount_id;

  if (skip ())
    return;

  tree_make_file ("file");
  let_fail ("openat64", EINTR);
  g_assert_cmpuint (tf_system_get_mount (fd, "file"), ==, tf_system_get_mount (fd, ""));
  g_assert_null (failing_call);
  g_assert_cmpint (unlink ("file"), ==, 0);

  /* Its mount is not that of what it leads to. */
  tree_make_link ("/proc/self", "link");
  mount_id = tf_system_get_mount (fd, "");
  g_assert_cmpuint (mount_id, >, 0);
  errno = EINTR;
  g_assert_cmpuint (tf_system_get_mount (fd, "link"), ==, mount_id);
  g_assert_cmpint (errno, ==, EINTR);
  g_assert_cmpuint (tf_system_get_mount (fd, "nothing"), ==, 0);
  g_assert_cmpint (errno, ==, EINTR);

  write_proc ("/proc/self/fdinfo/", "pos:\t0\nflags:\t02\nmnt_id:\t4711\nino:\t1\n");
  g_assert_cmpuint (tf_system_get_mount (fd, ""), ==, 4711);
  write_proc ("/proc/self/fdinfo/", "pos:\t0\n");
  g_assert_cmpuint (tf_system_get_mount (fd, ""), ==, 0);
  write_proc ("/proc/self/fdinfo/", NULL);
  errno = EINTR;
  g_assert_cmpuint (tf_system_get_mount (fd, ""), ==, 0);
  g_assert_cmpint (errno, ==, EINTR);
  forget_proc ();
  g_assert_cmpint (unlink ("link"), ==, 0);
}

/* Older kernels do not know handles that are only for comparing. */
static void
test_handle (void)
{
  guint64 first, again, other;

  if (skip ())
    return;

  tree_make_file ("file");
  tree_make_file ("other");
  if (!tf_system_hash_handle (AT_FDCWD, "file", &first))
    {
      g_test_skip ("the file system has no handles");
    }
  else
    {
      handle_fails = 1;
      g_assert_true (tf_system_hash_handle (AT_FDCWD, "file", &again));
      g_assert_true (tf_system_hash_handle (AT_FDCWD, "other", &other));
      g_assert_cmpuint (first, ==, again);
      g_assert_cmpuint (first, !=, other);
    }
  handle_fails = 2;
  g_assert_false (tf_system_hash_handle (AT_FDCWD, "file", &first));
  g_assert_cmpint (unlink ("file"), ==, 0);
  g_assert_cmpint (unlink ("other"), ==, 0);
}

static gboolean
is_pressure_asked_for (const char *groups,
                       const char *mountinfo)
{
  tf_autofd int fd = -1;

  cgroups = groups;
  mounts = mountinfo;
  fd = tf_system_open_memory_pressure ();
  cgroups = mounts = NULL;
  if (fd >= 0)
    g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  return fd >= 0;
}

static void
assert_asked_for (const char *groups,
                  const char *mountinfo)
{
  g_autofree char *content = NULL;
  tf_autofd int fd = -1;
  char text[64] = "";

  tree_make_file ("group/memory.pressure");
  g_assert_true (is_pressure_asked_for (groups, mountinfo));
  fd = open ("group/memory.pressure", O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (read (fd, text, sizeof text - 1), >, 0);
  g_assert_cmpstr (text, ==, "some 200000 2000000");
  g_assert_cmpint (unlink ("group/memory.pressure"), ==, 0);
}

/* The folder of the control group, wherever it is mounted. */
static void
test_memory_pressure (void)
{
  const char *sandbox = tf_test_get_sandbox ();
  const char *hidden = "0::/outer.d/group\n";
  const char *other = "22 1 0:5 / /proc rw shared:1 - proc proc rw\n";
  const char *groups = "4:memory:/old\n0::/group\n";
  g_autofree char *whole = g_strdup_printf ("%s30 22 0:26 / %s rw shared:4 - cgroup2 cgroup2 rw\n", other, sandbox);
  g_autofree char *part = g_strdup_printf ("%s30 22 0:26 /outer %s rw - cgroup2 cgroup2 rw\n", other, sandbox);
  g_autofree char *other_part = g_strdup_printf ("%s30 22 0:26 /else %s rw - cgroup2 cgroup2 rw\n", other, sandbox);

  if (skip ())
    return;

  tree_make_dir ("group");
  assert_asked_for (groups, whole);
  assert_asked_for ("0::/outer/group\n", part);

  let_fail ("open64", EINTR);
  assert_asked_for (groups, whole);
  g_assert_null (failing_call);

  tree_make_file ("group/memory.pressure");
  g_assert_false (is_pressure_asked_for (hidden, part));
  g_assert_false (is_pressure_asked_for ("0::/outer/group\n", other_part));
  g_assert_false (is_pressure_asked_for (groups, other));
  g_assert_false (is_pressure_asked_for (groups, NULL));
  g_assert_false (is_pressure_asked_for ("4:memory:/group\n", whole));
  g_assert_false (is_pressure_asked_for (NULL, whole));
  g_assert_cmpint (unlink ("group/memory.pressure"), ==, 0);

  g_assert_false (is_pressure_asked_for (groups, whole));
  g_assert_cmpint (symlink ("/dev/full", "group/memory.pressure"), ==, 0);
  g_assert_false (is_pressure_asked_for (groups, whole));
  g_assert_cmpint (unlink ("group/memory.pressure"), ==, 0);
  g_assert_cmpint (rmdir ("group"), ==, 0);
}

/* A device that gives nothing, or cannot be read, is not one for random bytes. */
static void
test_random (void)
{
  guint8 bytes[8];

  g_assert_true (g_file_set_contents ("empty", "", 0, NULL));
  proc_path = "/dev/urandom";
  proc_file = "empty";
  g_assert_false (tf_fd_read_random (bytes, sizeof bytes));
  g_assert_cmpint (errno, ==, EIO);
  proc_file = ".";
  g_assert_false (tf_fd_read_random (bytes, sizeof bytes));
  g_assert_cmpint (errno, ==, EISDIR);
  proc_file = "missing";
  g_assert_false (tf_fd_read_random (bytes, sizeof bytes));
  g_assert_cmpint (errno, ==, ENOENT);
  proc_path = proc_file = NULL;
  g_assert_cmpint (unlink ("empty"), ==, 0);
}

/* What a signal interrupts is done again, and what fails otherwise fails. */
static void
test_random_calls (void)
{
  const char *const calls[] = { "open64", "read" };
  const guint8 zeros[8] = { 0, };

  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      guint8 bytes[8] = { 0, };

      let_fail (calls[i], EINTR);
      g_assert_true (tf_fd_read_random (bytes, sizeof bytes));
      g_assert_null (failing_call);
      g_assert_cmpint (memcmp (bytes, zeros, sizeof bytes), !=, 0);
    }

  if (!tf_test_is_portable ())
    {
      guint8 bytes[8];

      let_fail ("getentropy", EIO);
      g_assert_false (tf_system_fill_random (bytes, sizeof bytes));
      let_fail ("getentropy", ENOSYS);
      g_assert_true (tf_system_fill_random (bytes, sizeof bytes));
    }
}

static void
test_interrupted (void)
{
  TfSystemStat st;
  tf_autofd int fd = -1;
  tf_autofd int beneath = -1;
  tf_autofd int again = -1;
  gboolean is_in_memory = tf_system_is_in_memory (".");
  struct stat found;

  if (skip ())
    return;

  let_fail ("statfs64", EINTR);
  g_assert_cmpint (tf_system_is_in_memory ("."), ==, is_in_memory);
  g_assert_null (failing_call);

  tree_make_dir ("dir");
  fd = open (".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  let_fail ("openat2", EINTR);
  beneath = tf_system_open_beneath (fd, "dir");
  let_fail ("openat2", EAGAIN);
  again = tf_system_open_beneath (fd, "dir");
  g_assert_true ((beneath >= 0 && again >= 0) || errno == ENOTSUP);

  g_assert_true (tf_system_stat (&st, AT_FDCWD, "dir"));
  let_fail ("openat64", EINTR);
  g_assert_cmpint (tf_system_chmod_dir (AT_FDCWD, "dir", &st, 0710), ==, 0);
  g_assert_cmpint (stat ("dir", &found), ==, 0);
  g_assert_cmphex (found.st_mode & 07777, ==, 0710);
  g_assert_cmpint (rmdir ("dir"), ==, 0);
}

/* What cannot be looked at, or is not the one that was expected, keeps its mode. */
static void
test_chmod_of_other (void)
{
  TfSystemStat st;
  struct stat found;

  if (skip ())
    return;

  tree_make_dir ("dir");
  g_assert_cmpint (chmod ("dir", 0700), ==, 0);
  g_assert_true (tf_system_stat (&st, AT_FDCWD, "dir"));
  let_fail ("statx", EIO);
  g_assert_cmpint (tf_system_chmod_dir (AT_FDCWD, "dir", &st, 0750), ==, -1);
  g_assert_cmpint (errno, ==, EIO);
  for (gsize i = 0; i < 3; i++)
    {
      TfSystemStat other = st;

      other.device += i == 0;
      other.inode += i == 1;
      other.mount_id += i == 2;
      g_assert_cmpint (tf_system_chmod_dir (AT_FDCWD, "dir", &other, 0750), ==, -1);
      g_assert_cmpint (errno, ==, ESTALE);
    }
  g_assert_cmpint (stat ("dir", &found), ==, 0);
  g_assert_cmphex (found.st_mode & 07777, ==, 0700);
  g_assert_cmpint (rmdir ("dir"), ==, 0);
}

/* In a sandbox without statx(), glibc takes fstatat(), but knows no flags of statx() alone. */
static void
test_emulated_stat (void)
{
  g_autofree char *path = tf_test_path ("file");
  TfSystemStat st;

  g_assert_true (g_file_set_contents (path, "content", -1, NULL));
  let_fail ("statx", EINVAL);
  g_assert_true (tf_system_stat_known (&st, AT_FDCWD, path));
  g_assert_cmpuint (st.size, ==, 7);
  g_assert_cmpint (unlink (path), ==, 0);
}

/* What cannot be told from FUSE is read as before, byte by byte. */
static void
test_refresh_unknown (void)
{
  g_autofree char *path = tf_test_path ("file");
  tf_autofd int fd = -1;
  char byte;

  g_assert_true (g_file_set_contents (path, "content", -1, NULL));
  fd = open (path, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  fs_errno = ENOSYS;
  tf_system_refresh_content (fd);
  fs_errno = 0;
  g_assert_cmpint (pread (fd, &byte, 1, 3), ==, 1);
  g_assert_cmpint (byte, ==, 't');
  g_assert_cmpint (unlink (path), ==, 0);
}

/* Without statx(), the size of a file is not asked for. */
static void
test_refresh (void)
{
  tf_autofd int fd = open (".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (skip ())
    return;

  n_statx = 0;
  tf_system_refresh_content (fd);
  g_assert_cmpuint (n_statx, ==, 1);
  tf_system_missing = TF_SYSTEM_STATX;
  tf_system_refresh_content (fd);
  tf_system_missing = 0;
  g_assert_cmpuint (n_statx, ==, 1);
}

/* A lease without the signal that kills nobody is none. */
static void
test_lease (void)
{
  tf_autofd int fd = -1;

  if (skip ())
    return;

  fs_type = EXT4_SUPER_MAGIC;
  tree_make_file ("file");
  fd = open ("file", O_RDWR | O_CLOEXEC);
  let_fail ("F_SETSIG", EINVAL);
  g_assert_cmpint (tf_system_lease (fd), ==, -1);
  g_assert_cmpint (errno, ==, EINVAL);
  g_assert_cmpint (fcntl (fd, F_GETLEASE), ==, F_UNLCK);
  let_fail ("F_SETLEASE", EINTR);
  if (tf_system_lease (fd) == 0)
    {
      g_assert_cmpint (fcntl (fd, F_GETLEASE), ==, F_WRLCK);
      tf_system_unlease (fd);
    }
  g_assert_null (failing_call);
  fs_type = 0;
  g_assert_cmpint (unlink ("file"), ==, 0);
}

/* Where /proc does not tell, nothing is taken for known. */
static void
test_unknown_proc (void)
{
  if (skip ())
    return;

  let_fail ("stat64", ENOENT);
  g_assert_cmpuint (tf_system_count_descriptors (), ==, 0);
  let_fail ("readlink", ENOENT);
  g_assert_cmpuint (tf_system_get_pid_namespace (), ==, 0);
  let_fail ("stat64", ENOENT);
  g_assert_cmpuint (tf_system_get_time_namespace (), ==, 0);
}

/* The kernel may refuse to tell what is resident. */
static void
test_count_resident (void)
{
  gsize page_size = sysconf (_SC_PAGESIZE);
  gsize size = 300 * page_size;
  guint8 *data;
  gsize resident;

  if (skip ())
    return;

  data = tf_system_remap (NULL, 0, size);
  g_assert_nonnull (data);
  memset (data, 1, size);
  let_fail ("mincore", EAGAIN);
  g_assert_false (tf_system_count_resident (data, size, &resident));
  g_assert_true (tf_system_count_resident (data, size, &resident));
  g_assert_cmpuint (resident, ==, size);
  g_assert_cmpint (munmap (data, size), ==, 0);
}

/* Zeros are written where no room can be reserved. */
static void
test_extend_by_zeros (void)
{
  const int errnos[] = { EINTR, ENOSPC };

  if (skip ())
    return;

  tf_system_missing = TF_SYSTEM_FALLOCATE;
  for (gsize i = 0; i < G_N_ELEMENTS (errnos); i++)
    {
      tf_autofd int fd = open ("zeros", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
      struct stat st;

      let_fail ("pwrite64", errnos[i]);
      g_assert_cmpint (tf_system_extend (fd, 10000), ==, i == 0 ? 0 : -1);
      g_assert_cmpint (fstat (fd, &st), ==, 0);
      g_assert_cmpint (st.st_size, ==, i == 0 ? 10000 : 0);
    }
  tf_system_missing = 0;
  g_assert_cmpint (unlink ("zeros"), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/system-failures/fs", test_fs);
  g_test_add_func ("/system-failures/forbid-cow", test_forbid_cow);
  g_test_add_func ("/system-failures/open-memory", test_open_memory);
  g_test_add_func ("/system-failures/open-unnamed", test_open_unnamed);
  g_test_add_func ("/system-failures/remap", test_remap);
  g_test_add_func ("/system-failures/wiped-on-fork", test_wiped_on_fork);
  g_test_add_func ("/system-failures/boot-id", test_boot_id);
  g_test_add_func ("/system-failures/start-time", test_start_time);
  g_test_add_func ("/system-failures/may-run", test_may_run);
  g_test_add_func ("/system-failures/mount", test_mount);
  g_test_add_func ("/system-failures/handle", test_handle);
  g_test_add_func ("/system-failures/random", test_random);
  g_test_add_func ("/system-failures/random-calls", test_random_calls);
  g_test_add_func ("/system-failures/interrupted", test_interrupted);
  g_test_add_func ("/system-failures/chmod-of-other", test_chmod_of_other);
  g_test_add_func ("/system-failures/emulated-stat", test_emulated_stat);
  g_test_add_func ("/system-failures/refresh", test_refresh);
  g_test_add_func ("/system-failures/refresh-unknown", test_refresh_unknown);
  g_test_add_func ("/system-failures/lease", test_lease);
  g_test_add_func ("/system-failures/unknown-proc", test_unknown_proc);
  g_test_add_func ("/system-failures/count-resident", test_count_resident);
  g_test_add_func ("/system-failures/extend-by-zeros", test_extend_by_zeros);
  g_test_add_func ("/system-failures/memory-pressure", test_memory_pressure);

  return tf_test_run ();
}
