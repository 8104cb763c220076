/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* --- What is to fail ------------------------------------------------------------------------ */

#define MAX_CALLS 4096

static gint is_on;    /* (atomic) */
static gint n_calls;  /* (atomic) */
static guint fail_at;
static guint first_hit;
static FaultMode fail_mode;
static int fail_errno;
static const char *expected_call; /* (nullable) */
static const char *fail_call;     /* what has failed first */
static const char *calls[MAX_CALLS + 1];
static const char *complaint;

void
faults_begin (guint       at,
              FaultMode   mode,
              int         with_errno)
{
  fail_at = at;
  fail_mode = mode;
  fail_errno = with_errno;
  fail_call = NULL;
  first_hit = 0;
  n_calls = 0;
  g_atomic_int_set (&is_on, TRUE);
}

void
faults_expect (const char *call)
{
  expected_call = call;
}

void
faults_end (void)
{
  g_atomic_int_set (&is_on, FALSE);
}

guint
faults_get_n_calls (void)
{
  return MIN (n_calls, MAX_CALLS);
}

const char *
faults_get_call (guint number)
{
  return calls[number];
}

/* Returns what has failed first, or NULL. */
const char *
faults_get_failed (void)
{
  return fail_call;
}

const char *
faults_get_mode (FaultMode mode)
{
  const char *const names[N_FAULT_MODES] = { "once", "always", "all", "short", "short-always", "interrupted" };

  return names[mode];
}

const char *
faults_take_complaint (void)
{
  return g_steal_pointer (&complaint);
}

/* Returns TRUE for every other such call of a thread. */
static gboolean
is_interrupted (const char *call)
{
  const char *const interruptible[] = {
    "dup3", "flock", "fstatfs", "fsync", "ftruncate", "linkat", "mknodat", "open", "openat", "posix_fallocate", "pread",
    "pwrite", "pwritev", "read", "renameat", "statfs", "sync_file_range", "write", "writev", NULL
  };
  static __thread gboolean was_interrupted;

  if (!g_strv_contains (interruptible, call))
    return FALSE;

  was_interrupted = !was_interrupted;
  return was_interrupted;
}

/* Returns whether the call is one that the fault is for. */
static gboolean
is_hit (const char *call)
{
  guint number;

  if (!g_atomic_int_get (&is_on))
    return FALSE;

  number = g_atomic_int_add (&n_calls, 1) + 1;
  if (number <= MAX_CALLS)
    calls[number] = call;
  if (fail_at == 0 || number < fail_at)
    return FALSE;

  /* Threads make their calls in any order. */
  if (fail_call == NULL && fail_mode != FAULT_INTERRUPTED && (expected_call == NULL || g_str_equal (call, expected_call)))
    {
      fail_call = call;
      first_hit = number;
    }

  switch (fail_mode)
    {
    case FAULT_ONCE:
    case FAULT_SHORT:
      return number == first_hit;

    case FAULT_ALL:
      return fail_call != NULL;

    case FAULT_INTERRUPTED:
      return is_interrupted (call);

    default:
      return g_strcmp0 (call, fail_call) == 0;
    }
}

static gboolean
is_short (void)
{
  return fail_mode == FAULT_SHORT || fail_mode == FAULT_SHORT_ALWAYS;
}

static gboolean
fails (const char *call)
{
  if (!is_hit (call) || is_short ())
    return FALSE;

  errno = fail_errno;
  return TRUE;
}

/* The same for a call that can do less than it is asked for. */
static gboolean
fails_or_shortens (const char *call,
                   size_t     *count)
{
  if (!is_hit (call))
    return FALSE;

  if (!is_short ())
    {
      errno = fail_errno;
      return TRUE;
    }

  if (*count > 1)
    *count = fail_mode == FAULT_SHORT ? *count / 2 : 1;
  return FALSE;
}

/* --- What calls fail with ------------------------------------------------------------------- */

/* That a file is not there would be a lie when it is opened, removed or looked at. A call that the kernel does not have is
 * missing from the start, see the test "second-ways". */

static const int of_opening[] = { EACCES, EMFILE, ENFILE, ENOSPC, EIO, EROFS, EINTR, EPERM, ENOMEM, ELOOP, EDQUOT,
                                  EOPNOTSUPP, ENOSYS, ESTALE, 0 };
static const int of_writing[] = { ENOSPC, EIO, EDQUOT, EFBIG, EINTR, ENOMEM, 0 };
static const int of_reading[] = { EIO, EINTR, ENOMEM, ESTALE, 0 };
static const int of_asking[] = { EIO, EACCES, ESTALE, ENOSYS, EPERM, 0 };
static const int of_describing[] = { EIO, ESTALE, ENOMEM, 0 };
static const int of_syncing[] = { EIO, ENOSPC, EDQUOT, EROFS, 0 };
static const int of_naming[] = { EEXIST, EACCES, EPERM, ENOSPC, EIO, EROFS, ENOENT, EXDEV, EMLINK, EINVAL, ENOSYS, EINTR, 0 };
static const int of_removing[] = { EACCES, EPERM, EIO, EROFS, EBUSY, 0 };
static const int of_features[] = { EOPNOTSUPP, ENOSYS, EPERM, EINVAL, EIO, ENOSPC, EINTR, 0 };
static const int of_attributes[] = { EOPNOTSUPP, ENOSPC, EPERM, EIO, ENODATA, ENOSYS, ESTALE, 0 };
static const int of_statx[] = { EIO, ESTALE, ENOMEM, 0 }; /* others mean that another way is taken */
static const int of_memory[] = { ENOMEM, EAGAIN, 0 };
static const int of_closing[] = { EIO, EINTR, ENOSPC, 0 };
static const int of_duplicating[] = { EMFILE, 0 };

static const struct
{
  const char *call;
  const int *errnos;
} all_errnos[] = {
  { "access", of_asking },
  { "close", of_closing },
  { "copy_file_range", of_features },
  { "dup3", of_duplicating },
  { "fallocate", of_features },
  { "fchmod", of_naming + 1 },
  { "fchown", of_naming + 1 },
  { "fcntl", of_duplicating },
  { "fgetxattr", of_attributes },
  { "flistxattr", of_attributes },
  { "flock", of_features },
  { "fremovexattr", of_attributes },
  { "fsetxattr", of_attributes },
  { "fstat", of_describing },
  { "fstatfs", of_describing },
  { "fsync", of_syncing },
  { "ftruncate", of_writing },
  { "getdents64", of_reading },
  { "getentropy", of_features },
  { "getxattr", of_attributes },
  { "ioctl", of_features },
  { "listxattr", of_attributes },
  { "lseek", of_features },
  { "mmap", of_memory },
  { "mremap", of_memory },
  { "madvise", of_features },
  { "memfd_create", of_opening },
  { "mkdirat", of_naming },
  { "mknodat", of_naming },
  { "linkat", of_naming },
  { "renameat", of_naming + 1 },
  { "renameat2", of_naming },
  { "open", of_opening },
  { "openat", of_opening },
  { "posix_fallocate", of_features },
  { "pread", of_reading },
  { "pwrite", of_writing },
  { "pwritev", of_writing },
  { "read", of_reading },
  { "statx", of_statx },
  { "sync_file_range", of_features },
  { "syscall", of_opening },
  { "unlink", of_removing },
  { "unlinkat", of_removing },
  { "rmdir", of_removing },
  { "write", of_writing },
  { "writev", of_writing },
  { "malloc", of_memory },
  { "realloc", of_memory },
  { "g_try_malloc", of_memory },
  { "g_try_realloc", of_memory },
  { "g_thread_try_new", of_memory + 1 },
};

const int *
faults_get_errnos (const char *call)
{
  for (gsize i = 0; i < G_N_ELEMENTS (all_errnos); i++)
    if (g_str_equal (call, all_errnos[i].call))
      return all_errnos[i].errnos;

  return of_asking;
}

gboolean
faults_is_moving (const char *call)
{
  const char *const moving[] = { "pread", "pwrite", "pwritev", "read", "write", "writev", "copy_file_range", NULL };

  return g_strv_contains (moving, call);
}

/* --- The calls ------------------------------------------------------------------------------ */

#define WRAP_TO(type, symbol, name, parameters, arguments, failure) \
  type __real_ ## symbol parameters; \
  type __wrap_ ## symbol parameters; \
  type \
  __wrap_ ## symbol parameters \
  { \
    return fails (name) ? (failure) : __real_ ## symbol arguments; \
  }

#define WRAP(type, symbol, name, parameters, arguments) WRAP_TO (type, symbol, name, parameters, arguments, -1)

WRAP (int, access, "access", (const char *path, int mode), (path, mode))
WRAP (int, dup3, "dup3", (int from, int to, int flags), (from, to, flags))
WRAP (int, fallocate64, "fallocate", (int fd, int mode, off_t offset, off_t size), (fd, mode, offset, size))
WRAP (int, fchmod, "fchmod", (int fd, mode_t mode), (fd, mode))
WRAP (int, fchmodat, "fchmodat", (int fd, const char *path, mode_t mode, int flags), (fd, path, mode, flags))
WRAP (int, fchown, "fchown", (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP (ssize_t, fgetxattr, "fgetxattr", (int fd, const char *name, void *value, size_t size), (fd, name, value, size))
WRAP (ssize_t, flistxattr, "flistxattr", (int fd, char *list, size_t size), (fd, list, size))
WRAP (int, flock, "flock", (int fd, int how), (fd, how))
WRAP (int, fremovexattr, "fremovexattr", (int fd, const char *name), (fd, name))
WRAP (int, fsetxattr, "fsetxattr", (int fd, const char *name, const void *value, size_t size, int flags),
      (fd, name, value, size, flags))
WRAP (int, fstat64, "fstat", (int fd, struct stat *st), (fd, st))
WRAP (int, fstatat64, "fstatat", (int fd, const char *name, struct stat *st, int flags), (fd, name, st, flags))
WRAP (int, fstatfs64, "fstatfs", (int fd, struct statfs *fs), (fd, fs))
WRAP (int, fstatvfs64, "fstatvfs", (int fd, struct statvfs *fs), (fd, fs))
WRAP (ssize_t, getdents64, "getdents64", (int fd, void *buffer, size_t size), (fd, buffer, size))
WRAP (int, getentropy, "getentropy", (void *buffer, size_t size), (buffer, size))
WRAP (ssize_t, getxattr, "getxattr", (const char *path, const char *name, void *value, size_t size),
      (path, name, value, size))
WRAP (ssize_t, listxattr, "listxattr", (const char *path, char *list, size_t size), (path, list, size))
WRAP (off_t, lseek64, "lseek", (int fd, off_t offset, int whence), (fd, offset, whence))
WRAP (int, lstat64, "lstat", (const char *path, struct stat *st), (path, st))
WRAP (int, stat64, "stat", (const char *path, struct stat *st), (path, st))
WRAP (int, statfs64, "statfs", (const char *path, struct statfs *fs), (path, fs))
WRAP (int, madvise, "madvise", (void *data, size_t size, int advice), (data, size, advice))
WRAP (int, memfd_create, "memfd_create", (const char *name, unsigned int flags), (name, flags))
WRAP (int, mkdirat, "mkdirat", (int fd, const char *name, mode_t mode), (fd, name, mode))
WRAP (int, mknodat, "mknodat", (int fd, const char *name, mode_t mode, dev_t device), (fd, name, mode, device))
WRAP (int, name_to_handle_at, "name_to_handle_at",
      (int fd, const char *name, struct file_handle *handle, int *mount, int flags), (fd, name, handle, mount, flags))
WRAP (ssize_t, readlinkat, "readlinkat", (int fd, const char *name, char *content, size_t size), (fd, name, content, size))
WRAP (int, rmdir, "rmdir", (const char *path), (path))
WRAP (int, statx, "statx", (int fd, const char *path, int flags, unsigned int mask, struct statx *stx),
      (fd, path, flags, mask, stx))
WRAP (int, unlink, "unlink", (const char *path), (path))
WRAP (int, unlinkat, "unlinkat", (int fd, const char *name, int flags), (fd, name, flags))
WRAP_TO (int, posix_fallocate64, "posix_fallocate", (int fd, off_t offset, off_t size), (fd, offset, size), errno)
WRAP_TO (char *, realpath, "realpath", (const char *path, char *resolved), (path, resolved), NULL)
WRAP_TO (char *, getcwd, "getcwd", (char *path, size_t size), (path, size), NULL)
WRAP_TO (void *, mmap64, "mmap", (void *data, size_t size, int protection, int flags, int fd, off_t offset),
         (data, size, protection, flags, fd, offset), MAP_FAILED)
WRAP_TO (void *, malloc, "malloc", (size_t size), (size), NULL)
WRAP_TO (void *, realloc, "realloc", (void *data, size_t size), (data, size), NULL)
WRAP_TO (gpointer, g_try_malloc, "g_try_malloc", (gsize size), (size), NULL)
WRAP_TO (gpointer, g_try_realloc, "g_try_realloc", (gpointer data, gsize size), (data, size), NULL)

int __real_close (int fd);
int __wrap_close (int fd);

/* The descriptor is closed in any case. */
int
__wrap_close (int fd)
{
  int result = __real_close (fd);

  return fails ("close") ? -1 : result;
}

GThread *__real_g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error);
GThread *__wrap_g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error);

GThread *
__wrap_g_thread_try_new (const char   *name,
                         GThreadFunc   func,
                         gpointer      data,
                         GError      **error)
{
  if (!fails ("g_thread_try_new"))
    return __real_g_thread_try_new (name, func, data, error);

  g_set_error_literal (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "there are too many");
  return NULL;
}

/* --- Those that take part of what they are given -------------------------------------------- */

ssize_t __real_pread64 (int fd, void *data, size_t count, off_t offset);
ssize_t __wrap_pread64 (int fd, void *data, size_t count, off_t offset);
ssize_t __real_pwrite64 (int fd, const void *data, size_t count, off_t offset);
ssize_t __wrap_pwrite64 (int fd, const void *data, size_t count, off_t offset);
ssize_t __real_read (int fd, void *data, size_t count);
ssize_t __wrap_read (int fd, void *data, size_t count);
ssize_t __real_write (int fd, const void *data, size_t count);
ssize_t __wrap_write (int fd, const void *data, size_t count);
ssize_t __real_pwritev64 (int fd, const struct iovec *iov, int n_iov, off_t offset);
ssize_t __wrap_pwritev64 (int fd, const struct iovec *iov, int n_iov, off_t offset);
ssize_t __real_writev (int fd, const struct iovec *iov, int n_iov);
ssize_t __wrap_writev (int fd, const struct iovec *iov, int n_iov);
ssize_t __real_copy_file_range (int from, off_t *in, int to, off_t *out, size_t count, unsigned int flags);
ssize_t __wrap_copy_file_range (int from, off_t *in, int to, off_t *out, size_t count, unsigned int flags);

ssize_t
__wrap_pread64 (int     fd,
                void   *data,
                size_t  count,
                off_t   offset)
{
  return fails_or_shortens ("pread", &count) ? -1 : __real_pread64 (fd, data, count, offset);
}

ssize_t
__wrap_pwrite64 (int         fd,
                 const void *data,
                 size_t      count,
                 off_t       offset)
{
  if (fails_or_shortens ("pwrite", &count))
    return -1;

  ledger_note_write (fd);
  return __real_pwrite64 (fd, data, count, offset);
}

ssize_t
__wrap_read (int     fd,
             void   *data,
             size_t  count)
{
  return fails_or_shortens ("read", &count) ? -1 : __real_read (fd, data, count);
}

ssize_t
__wrap_write (int         fd,
              const void *data,
              size_t      count)
{
  if (fails_or_shortens ("write", &count))
    return -1;

  ledger_note_write (fd);
  return __real_write (fd, data, count);
}

static const struct iovec *
find_first (const struct iovec *iov,
            int                 n_iov)
{
  while (n_iov > 1 && iov->iov_len == 0)
    iov++, n_iov--;
  return iov;
}

/* Done in part, it is only the first piece, or the beginning of that. */
ssize_t
__wrap_pwritev64 (int                 fd,
                  const struct iovec *iov,
                  int                 n_iov,
                  off_t               offset)
{
  const struct iovec *first = find_first (iov, n_iov);
  size_t count = first->iov_len;

  if (fails_or_shortens ("pwritev", &count))
    return -1;

  ledger_note_write (fd);
  return count < first->iov_len ? __real_pwrite64 (fd, first->iov_base, count, offset)
                                : __real_pwritev64 (fd, iov, n_iov, offset);
}

ssize_t
__wrap_writev (int                 fd,
               const struct iovec *iov,
               int                 n_iov)
{
  const struct iovec *first = find_first (iov, n_iov);
  size_t count = first->iov_len;

  if (fails_or_shortens ("writev", &count))
    return -1;

  ledger_note_write (fd);
  return count < first->iov_len ? __real_write (fd, first->iov_base, count) : __real_writev (fd, iov, n_iov);
}

ssize_t
__wrap_copy_file_range (int           from,
                        off_t        *in,
                        int           to,
                        off_t        *out,
                        size_t        count,
                        unsigned int  flags)
{
  if (fails_or_shortens ("copy_file_range", &count))
    return -1;

  ledger_note_write (to);
  return __real_copy_file_range (from, in, to, out, count, flags);
}

/* --- Those that are noted ------------------------------------------------------------------- */

int __real_fsync (int fd);
int __wrap_fsync (int fd);
int __real_sync_file_range (int fd, off_t start, off_t length, unsigned int flags);
int __wrap_sync_file_range (int fd, off_t start, off_t length, unsigned int flags);
int __real_ftruncate64 (int fd, off_t size);
int __wrap_ftruncate64 (int fd, off_t size);
int __real_linkat (int from_fd, const char *from, int to_fd, const char *to, int flags);
int __wrap_linkat (int from_fd, const char *from, int to_fd, const char *to, int flags);
int __real_renameat (int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat (int from_fd, const char *from, int to_fd, const char *to);
int __real_renameat2 (int from_fd, const char *from, int to_fd, const char *to, unsigned int flags);
int __wrap_renameat2 (int from_fd, const char *from, int to_fd, const char *to, unsigned int flags);

/* Nothing here is to outlive a loss of power. */
int
__wrap_fsync (int fd)
{
  if (fails ("fsync"))
    return -1;

  ledger_note_sync (fd);
  return 0;
}

int
__wrap_sync_file_range (int          fd,
                        off_t        start,
                        off_t        length,
                        unsigned int flags)
{
  return fails ("sync_file_range") ? -1 : 0;
}

int
__wrap_ftruncate64 (int   fd,
                    off_t size)
{
  if (fails ("ftruncate"))
    return -1;

  ledger_note_write (fd);
  return __real_ftruncate64 (fd, size);
}

static int
note_name (int result)
{
  int saved_errno = errno;

  if (result == 0)
    ledger_note_name ();
  errno = saved_errno;
  return result;
}

int
__wrap_linkat (int         from_fd,
               const char *from,
               int         to_fd,
               const char *to,
               int         flags)
{
  return fails ("linkat") ? -1 : note_name (__real_linkat (from_fd, from, to_fd, to, flags));
}

int
__wrap_renameat (int         from_fd,
                 const char *from,
                 int         to_fd,
                 const char *to)
{
  return fails ("renameat") ? -1 : note_name (__real_renameat (from_fd, from, to_fd, to));
}

int
__wrap_renameat2 (int           from_fd,
                  const char   *from,
                  int           to_fd,
                  const char   *to,
                  unsigned int  flags)
{
  return fails ("renameat2") ? -1 : note_name (__real_renameat2 (from_fd, from, to_fd, to, flags));
}

/* --- Those with arguments that vary --------------------------------------------------------- */

int __real_fcntl64 (int fd, int command, ...);
int __wrap_fcntl64 (int fd, int command, ...);
int __real_ioctl (int fd, unsigned long request, ...);
int __wrap_ioctl (int fd, unsigned long request, ...);
int __real_open64 (const char *path, int flags, ...);
int __wrap_open64 (const char *path, int flags, ...);
int __real_openat64 (int fd, const char *path, int flags, ...);
int __wrap_openat64 (int fd, const char *path, int flags, ...);
void *__real_mremap (void *data, size_t old_size, size_t new_size, int flags, ...);
void *__wrap_mremap (void *data, size_t old_size, size_t new_size, int flags, ...);
long __real_syscall (long number, ...);
long __wrap_syscall (long number, ...);

static guintptr
get_last_argument (va_list arguments)
{
  return va_arg (arguments, guintptr);
}

#define LAST_ARGUMENT(before, last) \
  G_STMT_START { \
    va_list arguments; \
    va_start (arguments, before); \
    last = get_last_argument (arguments); \
    va_end (arguments); \
  } G_STMT_END

/* What is created is new, and a program that is executed does not get it. */
static void
check_flags (int flags)
{
  if (!(flags & O_CLOEXEC))
    complaint = "a file is opened without O_CLOEXEC";
  if ((flags & O_CREAT) && !(flags & O_EXCL))
    complaint = "a file is created without O_EXCL";
}

int
__wrap_fcntl64 (int fd,
                int command,
                ...)
{
  guintptr last;

  LAST_ARGUMENT (command, last);
  /* What the other commands do cannot fail. */
  return command == F_DUPFD_CLOEXEC && fails ("fcntl") ? -1 : __real_fcntl64 (fd, command, last);
}

int
__wrap_ioctl (int           fd,
              unsigned long request,
              ...)
{
  guintptr last;

  LAST_ARGUMENT (request, last);
  return fails ("ioctl") ? -1 : __real_ioctl (fd, request, last);
}

int
__wrap_open64 (const char *path,
               int         flags,
               ...)
{
  guintptr last;

  LAST_ARGUMENT (flags, last);
  check_flags (flags);
  return fails ("open") ? -1 : __real_open64 (path, flags, (mode_t) last);
}

int
__wrap_openat64 (int         fd,
                 const char *path,
                 int         flags,
                 ...)
{
  guintptr last;

  LAST_ARGUMENT (flags, last);
  check_flags (flags);
  return fails ("openat") ? -1 : __real_openat64 (fd, path, flags, (mode_t) last);
}

void *
__wrap_mremap (void   *data,
               size_t  old_size,
               size_t  new_size,
               int     flags,
               ...)
{
  guintptr last;

  LAST_ARGUMENT (flags, last);
  return fails ("mremap") ? MAP_FAILED : __real_mremap (data, old_size, new_size, flags, (void *) last);
}

long
__wrap_syscall (long number,
                ...)
{
  guintptr arguments[5];
  va_list list;

  va_start (list, number);
  for (gsize i = 0; i < G_N_ELEMENTS (arguments); i++)
    arguments[i] = get_last_argument (list);
  va_end (list);

  return fails ("syscall") ? -1 : __real_syscall (number, arguments[0], arguments[1], arguments[2], arguments[3],
                                                  arguments[4]);
}
