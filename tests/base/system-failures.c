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
#include <sys/vfs.h>
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
static int tmpfile_errno; /* or 0 */

static guint32 fs_type;   /* 0: the true one */
static int fs_errno;
static int new_flags;
static gboolean knows_noexec = TRUE;
static const char *proc_path; /* (nullable): this file is another one */
static const char *proc_file;
static const char *cgroups;   /* (nullable) */
static const char *mounts;    /* (nullable) */

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
  target = va_arg (arguments, void *);
  va_end (arguments);
  if (mremap_fails == 0)
    return __real_mremap (data, old_size, new_size, flags, target);

  mremap_fails--;
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
  const int errnos[] = { EISDIR, ENOENT, EINVAL, EOPNOTSUPP, ENOSYS, EACCES, ENOSPC };

  if (skip ())
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (errnos); i++)
    {
      tmpfile_errno = errnos[i];
      g_assert_cmpint (tf_system_open_unnamed (AT_FDCWD, ".", 0600), ==, -1);
      g_assert_cmpint (errno, ==, errnos[i] == EACCES || errnos[i] == ENOSPC ? errnos[i] : ENOTSUP);
    }
  tmpfile_errno = 0;
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
  mremap_fails = 2;
  g_assert_null (tf_system_remap (data, size, 2 * size));
  g_assert_cmpint (data[size - 1], ==, 'x');
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

static void
test_mount (void)
{
  tf_autofd int fd = open (".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  guint64 mount_id;

  if (skip ())
    return;

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

  tree_make_file ("group/memory.pressure");
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
  g_test_add_func ("/system-failures/mount", test_mount);
  g_test_add_func ("/system-failures/handle", test_handle);
  g_test_add_func ("/system-failures/random", test_random);
  g_test_add_func ("/system-failures/memory-pressure", test_memory_pressure);

  return tf_test_run ();
}
