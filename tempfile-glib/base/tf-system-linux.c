/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "tf-system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixmounts.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "tf-fd.h"

/* Since Linux 6.5: a handle that need not be good for opening the file. */
#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif

/* Since Linux 6.3. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* The same numbers everywhere, since Linux 5.3 and 6.6. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

G_STATIC_ASSERT (G_STRUCT_OFFSET (TfSystemEntry, inode) == G_STRUCT_OFFSET (struct dirent64, d_ino));
G_STATIC_ASSERT (G_STRUCT_OFFSET (TfSystemEntry, size) == G_STRUCT_OFFSET (struct dirent64, d_reclen));
G_STATIC_ASSERT (G_STRUCT_OFFSET (TfSystemEntry, type) == G_STRUCT_OFFSET (struct dirent64, d_type));
G_STATIC_ASSERT (G_STRUCT_OFFSET (TfSystemEntry, name) == G_STRUCT_OFFSET (struct dirent64, d_name));
G_STATIC_ASSERT (TF_SYSTEM_ENTRY_UNKNOWN == DT_UNKNOWN);
G_STATIC_ASSERT (TF_SYSTEM_ENTRY_DIR == DT_DIR);

guint tf_system_missing;
int tf_system_missing_errno = ENOSYS;

/* Returns whether a test has taken @part away. If so, sets errno. */
static inline gboolean
lacks (TfSystemPart part)
{
  if (G_LIKELY (!(tf_system_missing & part)))
    return FALSE;

  errno = tf_system_missing_errno;
  return TRUE;
}

/* The path in proc(5) of the file behind a descriptor, which may be O_PATH. */
typedef char FdLink[64];

static const char *
make_fd_link (FdLink link,
              int    fd)
{
  snprintf (link, sizeof (FdLink), "%s/self/fd/%d", lacks (TF_SYSTEM_PROC) ? "" : "/proc", fd);
  return link;
}

/* If EPERM or EACCES concern the file or the directory, the second way fails alike. */
static gboolean
is_missing (int saved_errno)
{
  return saved_errno == ENOSYS || saved_errno == EPERM || saved_errno == EACCES || saved_errno == EOPNOTSUPP;
}

/* Turns the errno of a call that can be replaced. */
static int
optional (int result)
{
  if (result < 0 && is_missing (errno))
    errno = ENOTSUP;

  return result;
}

static gint64
to_nanoseconds (const struct statx_timestamp *time)
{
  return time->tv_sec * G_GINT64_CONSTANT (1000000000) + time->tv_nsec;
}

static gboolean
describe (TfSystemStat *self,
          int           dir_fd,
          const char   *name,
          int           sync_flag)
{
  struct statx stx;

  if (lacks (TF_SYSTEM_STATX) ||
      statx (dir_fd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | sync_flag,
             STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID, &stx) != 0)
    /* Where the kernel has no statx(), glibc does without, and does not know all flags. */
    return (is_missing (errno) || errno == EINVAL) && tf_system_stat_basic (self, dir_fd, name);

  /* Fields that the kernel does not fill are 0, see statx(2). */
  *self = (TfSystemStat) {
    .device = makedev (stx.stx_dev_major, stx.stx_dev_minor),
    .inode = stx.stx_ino,
    .birth_seconds = stx.stx_btime.tv_sec,
    .birth_nanoseconds = stx.stx_btime.tv_nsec,
    .mode = stx.stx_mode,
    .uid = stx.stx_uid,
    .n_links = stx.stx_nlink,
    .size = stx.stx_size,
    .modified = to_nanoseconds (&stx.stx_mtime),
    .changed = to_nanoseconds (&stx.stx_ctime),
    .mount_id = stx.stx_mnt_id,
    .is_mounted = *name != '\0' && (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0,
  };
  return TRUE;
}

gboolean
tf_system_stat (TfSystemStat *self,
                int           dir_fd,
                const char   *name)
{
  return describe (self, dir_fd, name, AT_STATX_SYNC_AS_STAT);
}

gboolean
tf_system_stat_known (TfSystemStat *self,
                      int           dir_fd,
                      const char   *name)
{
  return describe (self, dir_fd, name, AT_STATX_DONT_SYNC);
}

/* Reads the beginning of a file in proc(5), which has no size. Returns the length, or -1. */
static gssize
read_proc (const char *path,
           char       *buffer,
           gsize       size)
{
  tf_autofd int fd = lacks (TF_SYSTEM_PROC) ? -1 : TF_RETRY_EINTR (open (path, O_RDONLY | O_CLOEXEC));
  gssize n = fd >= 0 ? TF_RETRY_EINTR (read (fd, buffer, size - 1)) : -1;

  buffer[MAX (n, 0)] = '\0';
  return n;
}

/* See proc_pid_fdinfo(5). */
static guint64
get_mount_of_fd (int fd)
{
  char path[64];
  char text[512];
  const char *field;

  snprintf (path, sizeof path, "/proc/self/fdinfo/%d", fd);
  if (read_proc (path, text, sizeof text) < 0)
    return 0;

  field = strstr (text, "mnt_id:");
  return field != NULL ? g_ascii_strtoull (field + strlen ("mnt_id:"), NULL, 10) : 0;
}

guint64
tf_system_get_mount (int         dir_fd,
                     const char *name)
{
  int saved_errno = errno;
  tf_autofd int fd = -1;
  guint64 mount_id = 0;

  if (*name != '\0')
    fd = TF_RETRY_EINTR (openat (dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (*name == '\0' || fd >= 0)
    mount_id = get_mount_of_fd (*name == '\0' ? dir_fd : fd);

  errno = saved_errno;
  return mount_id;
}

gboolean
tf_system_hash_handle (int         dir_fd,
                       const char *name,
                       guint64    *hash)
{
  const int flags[] = { AT_EMPTY_PATH, AT_EMPTY_PATH | AT_HANDLE_FID };
  struct
  {
    struct file_handle head;
    guint8 bytes[MAX_HANDLE_SZ];
  } handle;
  int mount_id;

  for (gsize i = 0; i < G_N_ELEMENTS (flags) && !lacks (TF_SYSTEM_HANDLE); i++)
    {
      handle.head.handle_bytes = MAX_HANDLE_SZ;
      if (name_to_handle_at (dir_fd, name, &handle.head, &mount_id, flags[i]) != 0)
        continue;

      /* FNV-1a */
      *hash = G_GUINT64_CONSTANT (14695981039346656037);
      for (guint j = 0; j < handle.head.handle_bytes; j++)
        *hash = (*hash ^ handle.bytes[j]) * G_GUINT64_CONSTANT (1099511628211);
      return TRUE;
    }

  return FALSE;
}

/* f_type has different types on different architectures, and is signed on some. */
gboolean
tf_system_is_in_memory (const char *dir)
{
  struct statfs fs;

  return TF_RETRY_EINTR (statfs (dir, &fs)) == 0 &&
         ((guint32) fs.f_type == TMPFS_MAGIC || (guint32) fs.f_type == RAMFS_MAGIC);
}

TfSystemFs
tf_system_get_fs (int fd)
{
  struct statfs fs;

  if (TF_RETRY_EINTR (fstatfs (fd, &fs)) != 0)
    return TF_SYSTEM_FS_OTHER;

  switch ((guint32) fs.f_type)
    {
    case TMPFS_MAGIC:
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
      return TF_SYSTEM_FS_LOCAL;

    case BTRFS_SUPER_MAGIC:
      return TF_SYSTEM_FS_COW;

    case OVERLAYFS_SUPER_MAGIC:
      return TF_SYSTEM_FS_OVERLAY;

    default:
      return TF_SYSTEM_FS_OTHER;
    }
}

int
tf_system_forbid_cow (int fd)
{
  int flags;

  if (ioctl (fd, FS_IOC_GETFLAGS, &flags) != 0)
    return optional (-1);

  flags |= FS_NOCOW_FL;
  return optional (ioctl (fd, FS_IOC_SETFLAGS, &flags));
}

/* If O_TMPFILE is not supported, a file system returns EOPNOTSUPP, an old kernel or a network file system EISDIR,
 * ENOENT or EINVAL, and FUSE ENOSYS, see open(2). O_EXCL is not used, because it prevents linking the file later. */
int
tf_system_open_unnamed (int         dir_fd,
                        const char *dir,
                        guint       mode)
{
  int fd = lacks (TF_SYSTEM_TMPFILE) ? -1
                                     : TF_RETRY_EINTR (openat (dir_fd, dir, O_TMPFILE | O_RDWR | O_CLOEXEC, mode));

  fd = optional (tf_fd_lift (fd));
  if (fd < 0 && (errno == EISDIR || errno == ENOENT || errno == EINVAL))
    errno = ENOTSUP;

  return fd;
}

static gboolean
may_be_fuse (int fd)
{
  struct statfs fs;

  return TF_RETRY_EINTR (fstatfs (fd, &fs)) != 0 || (guint32) fs.f_type == FUSE_SUPER_MAGIC;
}

gboolean
tf_system_may_hide (int fd)
{
  return (fcntl (fd, F_GETFL) & O_TMPFILE) != O_TMPFILE && may_be_fuse (fd);
}

/* What linux/magic.h does not have */
#define BEEGFS_MAGIC 0x19830326
#define GPFS_MAGIC 0x47504653
#define LUSTRE_MAGIC 0x0bd00bd0

gboolean
tf_system_may_lose (int fd)
{
  struct statfs fs;

  if (TF_RETRY_EINTR (fstatfs (fd, &fs)) != 0)
    return TRUE;

  switch ((guint32) fs.f_type)
    {
    case AFS_FS_MAGIC:
    case AFS_SUPER_MAGIC:
    case BEEGFS_MAGIC:
    case CEPH_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case CODA_SUPER_MAGIC:
    case FUSE_SUPER_MAGIC:
    case GPFS_MAGIC:
    case LUSTRE_MAGIC:
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
    case V9FS_MAGIC:
      return TRUE;

    default:
      return FALSE;
    }
}

void
tf_system_refresh (int fd)
{
  struct statx ignored;

  if (!lacks (TF_SYSTEM_STATX))
    statx (fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &ignored);
}

void
tf_system_refresh_content (int fd)
{
  int flags = fcntl (fd, F_GETFL);
  char byte;

  tf_system_refresh (fd);

  /* Otherwise the kernel reads no more than it knows of. Others than FUSE read only blocks then. */
  if (may_be_fuse (fd) && fcntl (fd, F_SETFL, flags | O_DIRECT) == 0 && pread (fd, &byte, 1, 0) < 0 && errno == EINVAL)
    fcntl (fd, F_SETFL, flags);
}

int
tf_system_open_dir (const char *path)
{
  return TF_RETRY_EINTR (open (path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

gboolean
tf_system_has_server (const char *mount_path)
{
  static const char *const types[] = {
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "fuse", "gpfs", "lustre", "ncpfs", "nfs", "smb", "virtiofs"
  };
  GUnixMountEntry *mount = lacks (TF_SYSTEM_PROC) ? NULL : g_unix_mount_at (mount_path, NULL);
  gboolean result = FALSE;

  /* Some have numbers or the name of the server behind them. */
  for (gsize i = 0; mount != NULL && i < G_N_ELEMENTS (types); i++)
    result |= g_str_has_prefix (g_unix_mount_get_fs_type (mount), types[i]);

  g_clear_pointer (&mount, g_unix_mount_free);
  return result;
}

/* How often a directory can be renamed while one is opened */
#define MAX_RENAMED 1000

int
tf_system_open_beneath (int         parent_fd,
                        const char *name)
{
  struct open_how how = {
    .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    .resolve = RESOLVE_NO_XDEV | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
  };
  int n_tries = 0;
  int fd;

  /* EAGAIN means that a directory was renamed in the meantime, see openat2(2); or a file system says so each time. */
  do
    fd = lacks (TF_SYSTEM_OPENAT2) ? -1 : syscall (SYS_openat2, parent_fd, name, &how, sizeof how);
  while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++n_tries < MAX_RENAMED)));

  return optional (fd);
}

static gboolean
is_same (const TfSystemStat *a,
         const TfSystemStat *b)
{
  return a->device == b->device && a->inode == b->inode && a->mount_id == b->mount_id;
}

/* Opens a regular file for reading, if it is the one behind @fd. */
static int
open_same (int         fd,
           int         dir_fd,
           const char *name)
{
  tf_autofd int opened = -1;
  TfSystemStat expected;
  TfSystemStat found;

  if (!tf_system_stat (&expected, fd, "") || !S_ISREG (expected.mode))
    return -1;

  opened = tf_fd_open_at (dir_fd, name);
  if (opened < 0 || !tf_system_stat (&found, opened, "") || !is_same (&expected, &found))
    return -1;

  return tf_fd_steal (&opened);
}

/* The attributes of an O_PATH descriptor are found through /proc. Without it, the file has to be readable. */
int
tf_system_open_to_describe (int         dir_fd,
                            const char *name)
{
  tf_autofd int fd = TF_RETRY_EINTR (openat (dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  FdLink link;
  int readable;

  if (fd >= 0)
    tf_system_refresh (fd);
  if (fd < 0 || access (make_fd_link (link, fd), F_OK) == 0)
    return tf_fd_steal (&fd);

  readable = open_same (fd, dir_fd, name);
  return readable >= 0 ? readable : tf_fd_steal (&fd);
}

int
tf_system_open_again (int fd)
{
  FdLink link;

  return TF_RETRY_EINTR (open (make_fd_link (link, fd), O_RDONLY | O_CLOEXEC));
}

int
tf_system_open_pid (pid_t pid)
{
  return optional (lacks (TF_SYSTEM_PIDFD) ? -1 : tf_fd_lift (syscall (SYS_pidfd_open, pid, 0)));
}

int
tf_system_open_memory (void)
{
  const guint flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = lacks (TF_SYSTEM_MEMFD) ? -1 : memfd_create ("tempfile", flags | MFD_NOEXEC_SEAL);

  if (fd < 0 && errno == EINVAL)
    fd = memfd_create ("tempfile", flags);

  return optional (tf_fd_lift (fd));
}

int
tf_system_seal (int fd)
{
  return fcntl (fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
}

int
tf_system_dup_to (int fd,
                  int target)
{
  return TF_RETRY_EINTR (dup3 (fd, target, O_CLOEXEC));
}

char *
tf_system_make_fd_path (int fd)
{
  return g_strdup_printf ("/proc/%d/fd/%d", (int) getpid (), fd);
}

char *
tf_system_find_path (int fd)
{
  FdLink link;

  return g_file_read_link (make_fd_link (link, fd), NULL);
}

int
tf_system_lock (int      fd,
                gboolean exclusive)
{
  return lacks (TF_SYSTEM_FLOCK) ? -1 : TF_RETRY_EINTR (flock (fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB));
}

void
tf_system_unlock (int fd)
{
  flock (fd, LOCK_UN);
}

/* The lock belongs to the open file, not to the process. */
static int
set_range_lock (int   fd,
                short type)
{
  struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

  return TF_RETRY_EINTR (fcntl (fd, F_OFD_SETLK, &lock));
}

int
tf_system_claim (int fd)
{
  return set_range_lock (fd, F_WRLCK);
}

void
tf_system_unclaim (int fd)
{
  set_range_lock (fd, F_UNLCK);
}

guint
tf_system_get_file_uid (void)
{
  int uid = setfsuid (-1);

  return uid != -1 ? (guint) uid : geteuid ();
}

/* Through FUSE, overlayfs and network file systems, others can come by another inode, and the kernel grants a lease all
 * the same. */
gboolean
tf_system_keeps_identities (int fd)
{
  struct statfs fs;

  if (TF_RETRY_EINTR (fstatfs (fd, &fs)) != 0)
    return FALSE;

  switch ((guint32) fs.f_type)
    {
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
      return TRUE;

    default:
      return FALSE;
    }
}

/* The kernel sends a signal when somebody else opens the file. By default that is SIGIO, which kills the process. */
int
tf_system_lease (int fd)
{
  if (!tf_system_keeps_identities (fd))
    {
      errno = ENOTSUP;
      return -1;
    }

  if (lacks (TF_SYSTEM_LEASE) || fcntl (fd, F_SETSIG, SIGURG) != 0)
    return -1;

  return TF_RETRY_EINTR (fcntl (fd, F_SETLEASE, F_WRLCK));
}

void
tf_system_unlease (int fd)
{
  fcntl (fd, F_SETLEASE, F_UNLCK);
}

int
tf_system_link_fd (int         fd,
                   int         dir_fd,
                   const char *name)
{
  FdLink link;
  int result;

  if (lacks (TF_SYSTEM_LINK_FD))
    return -1;

  result = lacks (TF_SYSTEM_EMPTY_PATH) ? -1 : TF_RETRY_EINTR (linkat (fd, "", dir_fd, name, AT_EMPTY_PATH));

  /* Before Linux 6.10, AT_EMPTY_PATH needs a capability, see linkat(2). */
  if (result < 0 && (errno == ENOENT || errno == EINVAL || is_missing (errno)))
    result = TF_RETRY_EINTR (linkat (AT_FDCWD, make_fd_link (link, fd), dir_fd, name, AT_SYMLINK_FOLLOW));

  return result;
}

static int
rename_once (int         dir_fd,
             const char *from,
             const char *to,
             guint       flags)
{
  return lacks (TF_SYSTEM_RENAMEAT2) ? -1 : renameat2 (dir_fd, from, dir_fd, to, flags);
}

/* EINVAL means that the file system does not know the flag, see rename(2). */
int
tf_system_rename (int             dir_fd,
                  const char     *from,
                  const char     *to,
                  TfSystemRename  how)
{
  int result = how == TF_SYSTEM_RENAME_EXCHANGE ? rename_once (dir_fd, from, to, RENAME_EXCHANGE)
                                                : TF_RETRY_EINTR (rename_once (dir_fd, from, to, RENAME_NOREPLACE));

  result = optional (result);

  if (result < 0 && errno == EINVAL)
    errno = ENOTSUP;

  return result;
}

/* Returns whether nobody else can rename in the directory. */
static gboolean
is_private (int dir_fd)
{
  struct stat st;

  return fstat (dir_fd, &st) == 0 && st.st_uid == geteuid () && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* fchmod() does not take O_PATH descriptors. fchmodat2() does, since Linux 6.6, and chmod() takes their paths in
 * /proc. */
static int
chmod_path_fd (int         fd,
               int         parent_fd,
               const char *name,
               guint       mode)
{
  FdLink link;
  int result = optional (lacks (TF_SYSTEM_FCHMODAT2) ? -1 : syscall (SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH));

  if (result != 0 && errno == ENOTSUP)
    result = chmod (make_fd_link (link, fd), mode);
  if (result == 0 || errno != ENOENT)
    return result;

  if (is_private (parent_fd))
    return fchmodat (parent_fd, name, mode, 0);

  errno = ENOTSUP;
  return -1;
}

int
tf_system_chmod_dir (int                 parent_fd,
                     const char         *name,
                     const TfSystemStat *expected,
                     guint               mode)
{
  tf_autofd int fd = TF_RETRY_EINTR (openat (parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  TfSystemStat found;

  if (fd < 0 || !tf_system_stat (&found, fd, ""))
    return -1;

  if (!is_same (&found, expected))
    {
      errno = ESTALE;
      return -1;
    }

  return chmod_path_fd (fd, parent_fd, name, mode);
}

gssize
tf_system_read_dir (int     fd,
                    char  **buffer,
                    gsize  *capacity)
{
  if (*buffer == NULL)
    {
      *buffer = g_malloc (TF_SYSTEM_DIR_BUFFER);
      *capacity = TF_SYSTEM_DIR_BUFFER;
    }

  return getdents64 (fd, *buffer, *capacity);
}

/* Does not treat EPERM and EACCES as a missing call, because they concern the file here. */
static gssize
check_xattr (gssize result)
{
  if (result < 0 && errno == ENOSYS)
    errno = ENOTSUP;

  return result;
}

/* EBADF is how the calls for descriptors refuse one that is O_PATH, see open(2). */
gssize
tf_system_list_xattrs (int    fd,
                       char  *names,
                       gsize  size)
{
  gssize result = lacks (TF_SYSTEM_XATTR) ? -1 : flistxattr (fd, names, size);
  FdLink link;

  if (result < 0 && errno == EBADF)
    result = listxattr (make_fd_link (link, fd), names, size);

  return check_xattr (result);
}

/* ENOSYS comes from a sandbox here, which hides an attribute that the file may have: a file system that has none says
 * ENOTSUP. */
gssize
tf_system_get_xattr (int         fd,
                     const char *name,
                     gpointer    value,
                     gsize       size)
{
  gssize result = lacks (TF_SYSTEM_XATTR) ? -1 : fgetxattr (fd, name, value, size);
  FdLink link;

  if (result < 0 && errno == EBADF)
    result = getxattr (make_fd_link (link, fd), name, value, size);

  return result;
}

int
tf_system_set_xattr (int            fd,
                     const char    *name,
                     gconstpointer  value,
                     gsize          size)
{
  return check_xattr (lacks (TF_SYSTEM_XATTR) ? -1 : fsetxattr (fd, name, value, size, 0));
}

int
tf_system_remove_xattr (int         fd,
                        const char *name)
{
  return check_xattr (lacks (TF_SYSTEM_XATTR) ? -1 : fremovexattr (fd, name));
}

gssize
tf_system_pwritev (int                 fd,
                   const struct iovec *iov,
                   int                 n_iov,
                   goffset             offset)
{
  return pwritev (fd, iov, n_iov, offset);
}

int
tf_system_clone (int from,
                 int to)
{
  return optional (lacks (TF_SYSTEM_CLONE) ? -1 : ioctl (to, FICLONE, from));
}

/* Returns whether copy_file_range(2) on this file system only copies page by page in the kernel. */
static gboolean
copies_by_page (int fd)
{
  struct statfs fs;

  return fstatfs (fd, &fs) == 0 &&
         ((guint32) fs.f_type == EXT4_SUPER_MAGIC || (guint32) fs.f_type == TMPFS_MAGIC);
}

gsize
tf_system_copy_range (int     from,
                      goffset from_offset,
                      int     to,
                      goffset to_offset,
                      gsize   count)
{
  off_t in = from_offset;
  off_t out = to_offset;
  gssize n;

  if (copies_by_page (to) || lacks (TF_SYSTEM_COPY_FILE_RANGE))
    return 0;

  n = copy_file_range (from, &in, to, to_offset < 0 ? NULL : &out, count, 0);
  return MAX (n, 0);
}

void
tf_system_find_data (int      fd,
                     goffset  size,
                     goffset *start,
                     goffset *end)
{
  goffset data = lacks (TF_SYSTEM_SEEK_DATA) ? -1 : lseek (fd, *start, SEEK_DATA);
  goffset hole;

  if (data < 0)
    {
      /* ENXIO means that only a hole is left. */
      *start = errno == ENXIO ? size : *start;
      *end = size;
      return;
    }

  hole = lseek (fd, data, SEEK_HOLE);
  *start = MIN (data, size);
  *end = hole > data ? MIN (hole, size) : size;
}

/* Of overlayfs it is not known what lies below. */
gboolean
tf_system_hole_takes_room (int fd)
{
  struct statfs fs;

  return TF_RETRY_EINTR (fstatfs (fd, &fs)) != 0 ||
         (guint32) fs.f_type == TMPFS_MAGIC ||
         (guint32) fs.f_type == OVERLAYFS_SUPER_MAGIC;
}

int
tf_system_allocate (int     fd,
                    goffset size)
{
  return optional (lacks (TF_SYSTEM_FALLOCATE) ? -1 : fallocate (fd, FALLOC_FL_KEEP_SIZE, 0, size));
}

static int
write_zeros (int   fd,
             gsize size)
{
  static const char zeros[4096];

  for (gsize offset = 0; offset < size;)
    {
      gssize n = TF_RETRY_EINTR (pwrite (fd, zeros, MIN (size - offset, sizeof zeros), offset));

      if (n == 0)
        errno = EIO;
      if (n <= 0)
        return -1;
      offset += n;
    }

  return 0;
}

int
tf_system_extend (int   fd,
                  gsize size)
{
  int result;

  do
    result = lacks (TF_SYSTEM_FALLOCATE) ? errno : posix_fallocate (fd, 0, size);
  while (result == EINTR);

  if (is_missing (result))
    return write_zeros (fd, size);

  errno = result;
  return result == 0 ? 0 : -1;
}

int
tf_system_sync_range (int     fd,
                      goffset start,
                      goffset length)
{
  if (lacks (TF_SYSTEM_SYNC_FILE_RANGE))
    return optional (-1);

  sync_file_range (fd, start + length, 2 * length, SYNC_FILE_RANGE_WRITE);
  return optional (sync_file_range (fd, start, length, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                                       SYNC_FILE_RANGE_WAIT_AFTER));
}

int
tf_system_check_written (int fd)
{
  if (lacks (TF_SYSTEM_SYNC_FILE_RANGE) || TF_RETRY_EINTR (sync_file_range (fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE)) == 0)
    return 0;

  return errno == EINVAL || errno == ESPIPE || is_missing (errno) ? 0 : -1;
}

/* Linux 6.2 tells it as the size of the directory, which is 0 before. */
guint
tf_system_count_descriptors (void)
{
  struct stat st;

  return !lacks (TF_SYSTEM_PROC) && stat ("/proc/self/fd", &st) == 0 ? st.st_size : 0;
}

static guint8 *
map (gsize size)
{
  guint8 *data = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  return data != MAP_FAILED ? data : NULL;
}

/* Maps @size bytes that begin at the boundary of a huge page. Older kernels do not align mappings. */
static guint8 *
map_aligned (gsize size,
             int   protection)
{
  guint8 *start = mmap (NULL, size + TF_SYSTEM_HUGE_PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  gsize before;

  if (start == MAP_FAILED)
    return NULL;

  before = -GPOINTER_TO_SIZE (start) & (TF_SYSTEM_HUGE_PAGE - 1);
  if (before > 0)
    munmap (start, before);
  munmap (start + before + size, TF_SYSTEM_HUGE_PAGE - before);
  return start + before;
}

#define TAG_SIZE 16

static gboolean
put_tag (guint8 *data,
         guint8 *tag)
{
  if (!tf_system_fill_random (tag, TAG_SIZE) || mprotect (data, TAG_SIZE, PROT_READ | PROT_WRITE) != 0)
    return FALSE;

  memcpy (data, tag, TAG_SIZE);
  return TRUE;
}

/* Nothing need be mapped at @data. */
static gboolean
has_tag (guint8       *data,
         const guint8 *tag)
{
  guint8 found[TAG_SIZE];
  const struct iovec to = { found, TAG_SIZE };
  const struct iovec from = { data, TAG_SIZE };

  return process_vm_readv (getpid (), &to, 1, &from, 1, 0) == TAG_SIZE && memcmp (found, tag, TAG_SIZE) == 0;
}

/* Moves the pages to @target. The kernel may unmap that before it fails, and another thread may map something there. So
 * the target has a tag, without which it is left alone. If the tag cannot be read, the addresses and one page are lost. */
static guint8 *
move_to (guint8 *target,
         guint8 *data,
         gsize   old_size,
         gsize   new_size)
{
  guint8 tag[TAG_SIZE];
  guint8 *moved;

  if (!put_tag (target, tag))
    {
      munmap (target, new_size);
      return NULL;
    }

  moved = mremap (data, old_size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED, target);
  if (moved != MAP_FAILED)
    return moved;

  if (has_tag (target, tag))
    munmap (target, new_size);
  return NULL;
}

/* Smaller mappings have no huge pages: side by side, the kernel joins them to one. */
static gboolean
needs_alignment (gsize size)
{
  return size >= TF_SYSTEM_HUGE_PAGE;
}

/* Moves the pages without copying bytes. */
static guint8 *
move_mapping (guint8 *data,
              gsize   old_size,
              gsize   new_size)
{
  guint8 *moved = mremap (data, old_size, new_size, needs_alignment (new_size) ? 0 : MREMAP_MAYMOVE);
  guint8 *target;

  if (moved != MAP_FAILED)
    return moved;

  target = map_aligned (new_size, PROT_NONE);
  return target != NULL ? move_to (target, data, old_size, new_size) : NULL;
}

guint8 *
tf_system_remap (guint8 *data,
                 gsize   old_size,
                 gsize   new_size)
{
  if (data != NULL)
    return move_mapping (data, old_size, new_size);

  return needs_alignment (new_size) ? map_aligned (new_size, PROT_READ | PROT_WRITE) : map (new_size);
}

void
tf_system_use_huge_pages (guint8   *data,
                          gsize     size,
                          gboolean  huge)
{
  madvise (data, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

gboolean
tf_system_free_pages (guint8 *data,
                      gsize   size)
{
  gsize page_size = sysconf (_SC_PAGESIZE);
  gsize before = -GPOINTER_TO_SIZE (data) & (page_size - 1);
  gsize in_huge_page = -GPOINTER_TO_SIZE (data + before) & (TF_SYSTEM_HUGE_PAGE - 1);

  if (size < before + page_size)
    return TRUE;

  data += before;
  size = (size - before) & ~(page_size - 1);

  /* MADV_DONTNEED alone only unmaps a part of a huge page: the page is freed when all of it is unmapped, or when memory
   * runs low. MADV_FREE splits it. */
  if (in_huge_page > 0)
    madvise (data, MIN (size, in_huge_page), MADV_FREE);
  return madvise (data, size, MADV_DONTNEED) == 0;
}

/* How many pages mincore() is asked for at once. */
#define PAGES_AT_ONCE 256

gboolean
tf_system_count_resident (guint8 *data,
                          gsize   size,
                          gsize  *resident)
{
  gsize page_size = sysconf (_SC_PAGESIZE);
  gsize before = -GPOINTER_TO_SIZE (data) & (page_size - 1);
  gsize n_pages = (size - MIN (size, before)) / page_size;
  guint8 states[PAGES_AT_ONCE];

  *resident = 0;
  for (gsize done = 0; done < n_pages; done += PAGES_AT_ONCE)
    {
      gsize n = MIN (n_pages - done, PAGES_AT_ONCE);

      if (mincore (data + before + done * page_size, n * page_size, states) != 0)
        return FALSE;

      for (gsize i = 0; i < n; i++)
        *resident += states[i] & 1 ? page_size : 0;
    }

  return TRUE;
}

void
tf_system_trim_heap (void)
{
#ifdef __GLIBC__
  malloc_trim (0);
#endif
}

gboolean
tf_system_hide_from_children (gpointer data,
                              gsize    size)
{
  return madvise (data, size, MADV_DONTFORK) == 0;
}

void
tf_system_occupy (gpointer data,
                  gsize    size)
{
  (void) mmap (data, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

guint8 *
tf_system_map_wiped_on_fork (void)
{
  gsize size = sysconf (_SC_PAGESIZE);
  guint8 *page = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (page == MAP_FAILED)
    return NULL;

  if (madvise (page, size, MADV_WIPEONFORK) != 0)
    {
      munmap (page, size);
      return NULL;
    }

  return page;
}

gboolean
tf_system_read_boot_id (guint8 id[TF_SYSTEM_BOOT_ID_SIZE])
{
  char text[64];
  guint n_digits = 0;

  if (read_proc ("/proc/sys/kernel/random/boot_id", text, sizeof text) < 0)
    return FALSE;

  for (const char *c = text; *c != '\0' && n_digits < 2 * TF_SYSTEM_BOOT_ID_SIZE; c++)
    {
      int digit = g_ascii_xdigit_value (*c);

      if (digit >= 0)
        {
          id[n_digits / 2] = id[n_digits / 2] << 4 | digit;
          n_digits++;
        }
    }

  errno = EIO;
  return n_digits == 2 * TF_SYSTEM_BOOT_ID_SIZE;
}

gint64
tf_system_get_uptime (void)
{
  struct timespec now;

  return clock_gettime (CLOCK_BOOTTIME, &now) == 0 ? now.tv_sec : 0;
}

/* Returns whether /proc numbers processes as this one does: it may be that of an outer namespace. */
static gboolean
is_own_proc (void)
{
  char target[32] = "";

  return !lacks (TF_SYSTEM_PROC) && readlink ("/proc/self", target, sizeof target - 1) > 0 &&
         strtol (target, NULL, 10) == getpid ();
}

guint64
tf_system_get_pid_namespace (void)
{
  struct stat st;

  return is_own_proc () && stat ("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

guint64
tf_system_get_time_namespace (void)
{
  struct stat st;

  return stat ("/proc/self/ns/time", &st) == 0 ? st.st_ino : 0;
}

/* Returns a number that stands @n fields behind the name of the program, or 0. */
static guint64
read_field (const char *name_end,
            guint       n)
{
  const char *field = name_end;

  for (guint i = 0; i < n && field != NULL; i++)
    field = strchr (field + 1, ' ');

  return field != NULL ? g_ascii_strtoull (field, NULL, 10) : 0;
}

/* Sets @start_time; to 0 if the process has ended. Returns FALSE if /proc does not tell.
 *
 * The name of the program, in parentheses, may have any characters in it, see proc_pid_stat(5). If its first thread has
 * ended, the process is a zombie, but goes on as long as it has others. */
static gboolean
read_start_time (pid_t    pid,
                 guint64 *start_time)
{
  char path[64];
  char text[1024];
  const char *name_end;
  gboolean has_ended;

  snprintf (path, sizeof path, "/proc/%d/stat", (int) pid);
  if (read_proc (path, text, sizeof text) < 0)
    return FALSE;

  name_end = strrchr (text, ')');
  if (name_end == NULL || strlen (name_end) < 3)
    return FALSE;

  has_ended = name_end[2] == 'X' || (name_end[2] == 'Z' && read_field (name_end, 18) <= 1);
  *start_time = has_ended ? 0 : read_field (name_end, 20);
  return has_ended || *start_time != 0;
}

guint64
tf_system_get_start_time (pid_t pid)
{
  guint64 start_time;

  return read_start_time (pid, &start_time) ? start_time : 0;
}

gboolean
tf_system_may_run (pid_t   pid,
                   guint64 start_time)
{
  guint64 found;

  /* It may be mounted with “hidepid”, or there is no descriptor left. */
  if (!read_start_time (pid, &found))
    return kill (pid, 0) == 0 || errno == EPERM;

  return found != 0 && (start_time == 0 || found == start_time);
}

/* Returns the path of this process in the hierarchy of version 2, or NULL. */
static char *
read_cgroup (void)
{
  g_autofree char *groups = NULL;
  g_auto(GStrv) lines = NULL;

  if (!g_file_get_contents ("/proc/self/cgroup", &groups, NULL, NULL))
    return NULL;

  lines = g_strsplit (groups, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (g_str_has_prefix (*line, "0::/"))
      return g_strdup (*line + strlen ("0::"));

  return NULL;
}

/* Returns the folder of @cgroup if the file system that a line of proc_pid_mountinfo(5) tells of has it, otherwise
 * NULL. What is mounted there can be a part of the hierarchy. */
static char *
find_in_mount (const char *line,
               const char *cgroup)
{
  g_auto(GStrv) fields = g_strsplit (line, " ", 6);
  const char *root;

  if (g_strv_length (fields) < 6 || strstr (fields[5], " - cgroup2 ") == NULL)
    return NULL;

  root = strcmp (fields[3], "/") == 0 ? "" : fields[3];
  if (!g_str_has_prefix (cgroup, root) || cgroup[strlen (root)] == '.')
    return NULL;

  return g_build_filename (fields[4], cgroup + strlen (root), NULL);
}

static char *
find_cgroup (void)
{
  g_autofree char *cgroup = read_cgroup ();
  g_autofree char *mounts = NULL;
  g_auto(GStrv) lines = NULL;
  char *folder = NULL;

  if (cgroup == NULL || !g_file_get_contents ("/proc/self/mountinfo", &mounts, NULL, NULL))
    return NULL;

  lines = g_strsplit (mounts, "\n", -1);
  for (char **line = lines; *line != NULL && folder == NULL; line++)
    folder = find_in_mount (*line, cgroup);

  return folder;
}

/* A tenth of the time in two seconds. Users without privileges may choose multiples of two seconds only. */
#define PRESSURE "some 200000 2000000"

int
tf_system_open_memory_pressure (void)
{
  g_autofree char *folder = find_cgroup ();
  g_autofree char *path = folder != NULL ? g_build_filename (folder, "memory.pressure", NULL) : NULL;
  tf_autofd int fd = -1;

  if (path == NULL)
    return -1;

  fd = tf_fd_lift (TF_RETRY_EINTR (open (path, O_RDWR | O_NONBLOCK | O_CLOEXEC)));
  if (fd < 0 || write (fd, PRESSURE, sizeof PRESSURE) < 0)
    return -1;

  return tf_fd_steal (&fd);
}

gboolean
tf_system_fill_random (guint8 *bytes,
                       gsize   n_bytes)
{
  if (!lacks (TF_SYSTEM_GETRANDOM) && getentropy (bytes, n_bytes) == 0)
    return TRUE;

  return is_missing (errno) && tf_fd_read_random (bytes, n_bytes);
}

const char *
tf_system_getenv (const char *name)
{
  return secure_getenv (name);
}
