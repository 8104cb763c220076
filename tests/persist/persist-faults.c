/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Each system call of a persist fails once, with each of several errors. The linker puts the functions
 * below in place of the C library's, see the list of them in meson.build. With the first of the errors that is on
 * the file system of TMPDIR, with the others where thousands of files cost little. Where something is missing, each of
 * them fails with one of the errors, with "-m slow" with all of them. And each call that changes a name does so and fails
 * all the same.
 *
 * In further tests, another process changes something before each of the system calls. */

#include <tempfile-glib.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "base/tf-disk.h"
#include "tf-test.h"

/* Which call is to fail, counted from 1; 0: none. */
static guint fail_at;
static int fail_errno;
static guint n_calls;
static const char *failed_call;
static gboolean is_done_nevertheless; /* only calls that change a name count, and are done */

/* Before which call another process does something, counted from 1; 0: none. */
static const char *fails_once; /* (nullable): a call by its name */
static guint meddle_at;
static void (*meddle) (void);

/* Which call fails each time, the first time after another process has done something. */
static const char *broken_call;

/* Every call of that kind fails. */
static gboolean no_empty_path;
static gboolean no_proc;
static gboolean no_hard_links;
static int no_links_errno = EPERM;
static gboolean no_rename_flags;

/* Nobody knows where holes are, and what is copied is counted instead. */
static gboolean pretends_to_copy;
static goffset n_pretended;

static gboolean
changes_name (const char *call)
{
  const char *const calls[] = { "linkat", "mknodat", "openat", "renameat", "renameat2", "unlinkat", NULL };

  return g_strv_contains (calls, call);
}

/* Returns whether a server that does not know what it has done already would say this. */
static gboolean
is_said_of (int         error,
            const char *call)
{
  return error != EEXIST || g_str_equal (call, "linkat") || g_str_equal (call, "renameat2");
}

static gboolean
fails (const char *call)
{
  if (is_done_nevertheless && !(changes_name (call) && is_said_of (fail_errno, call)))
    return FALSE;

  n_calls++;
  if (n_calls == meddle_at)
    {
      meddle ();
      n_calls = meddle_at;
    }

  if (n_calls != fail_at && g_strcmp0 (call, fails_once) != 0)
    return FALSE;

  fails_once = NULL;
  failed_call = call;
  errno = fail_errno;
  return TRUE;
}

/* Called for a call that fails, with the result of it when it is done nevertheless. */
static int
fail_after (int result)
{
  errno = fail_errno;
  return -1;
}

#define FAIL(call) (is_done_nevertheless ? fail_after (call) : -1)

static gboolean
is_broken (const char *call)
{
  void (*func) (void) = meddle;

  if (g_strcmp0 (call, broken_call) != 0)
    return FALSE;

  meddle = NULL;
  if (func != NULL)
    func ();

  errno = EIO;
  return TRUE;
}

#define WRAP(type, name, parameters, arguments) \
  type __real_ ## name parameters; \
  type __wrap_ ## name parameters; \
  type \
  __wrap_ ## name parameters \
  { \
    return fails (#name) ? -1 : __real_ ## name arguments; \
  }

WRAP (int, dup2, (int from, int to), (from, to))
WRAP (int, dup3, (int from, int to, int flags), (from, to, flags))
WRAP (int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP (int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP (int, fremovexattr, (int fd, const char *name), (fd, name))
WRAP (int, fsetxattr, (int fd, const char *name, const void *value, size_t size, int flags), (fd, name, value, size, flags))

/* What the kernel knows of a name, until it is asked for the name. */
static gboolean is_stale;

/* Another machine has removed the document, and the kernel remembers it still. */
static gboolean is_gone;
static guint n_opened;

/* A server carries out what is asked for, and is not heard; it exchanges nothing. */
static gboolean is_never_heard;

/* All files have the same inode number, or the same time as well. */
static gboolean are_alike;
static gboolean are_times_alike;
/* Each name has an inode number of its own, which it keeps whatever it names. */
static gboolean are_numbered_by_name;

/* Each file has one link. */
static gboolean counts_no_links;

static void
make_alike (struct stat *st)
{
  if (are_alike)
    st->st_ino = 1;
  if (are_times_alike)
    st->st_mtim = (struct timespec) { 0, };
}

int __real_fstat64 (int fd, struct stat *st);
int __wrap_fstat64 (int fd, struct stat *st);

int
__wrap_fstat64 (int          fd,
                struct stat *st)
{
  int result = fails ("fstat64") ? -1 : __real_fstat64 (fd, st);

  if (result == 0)
    make_alike (st);
  if (!is_stale || result != 0 || !S_ISREG (st->st_mode) || !(fcntl (fd, F_GETFL) & O_PATH))
    return result;

  errno = ESTALE;
  return -1;
}

static gboolean is_doc_out_of_sight; /* it cannot be looked at */
static gboolean is_backup_stale;     /* when it is looked at once */

int __real_fstatat64 (int fd, const char *name, struct stat *st, int flags);
int __wrap_fstatat64 (int fd, const char *name, struct stat *st, int flags);

int
__wrap_fstatat64 (int          fd,
                  const char  *name,
                  struct stat *st,
                  int          flags)
{
  int result;

  if (fails ("fstatat64"))
    return -1;

  if (is_doc_out_of_sight && g_str_equal (name, "doc"))
    {
      errno = EIO;
      return -1;
    }

  if (is_backup_stale && g_str_equal (name, "doc~"))
    {
      is_backup_stale = FALSE;
      errno = ESTALE;
      return -1;
    }

  is_stale &= !g_str_equal (name, "doc");
  result = __real_fstatat64 (fd, name, st, flags);
  if (result == 0)
    make_alike (st);
  if (counts_no_links && result == 0)
    st->st_nlink = 1;
  return result;
}

/* What the kernel remembers of the document when it is replaced by a server that is not heard. */
static int unheard_errno; /* or 0 */
static const char *unheard_name = "doc";
static gboolean forbids_doc; /* nobody may open it */
static gboolean forbids_backup;
static gboolean is_stale_once; /* the document, when it is opened */
static gboolean is_unreadable; /* the document, once it was renamed over */
static gboolean is_name_lost; /* and the server has lost the temporary name instead of renaming it */
static const char *vanishing; /* (nullable): a directory that is removed with all it holds instead */
static gboolean is_remembered;
static struct statx remembered;

static gboolean hides_backup; /* once */
static void (*before_backup_look) (void); /* (nullable): called once */
static gboolean hides_replaced; /* what is known by a descriptor with O_PATH */

int __real_statx (int fd, const char *path, int flags, unsigned int mask, struct statx *stx);
int __wrap_statx (int fd, const char *path, int flags, unsigned int mask, struct statx *stx);

int
__wrap_statx (int           fd,
              const char   *path,
              int           flags,
              unsigned int  mask,
              struct statx *stx)
{
  int result;

  if (hides_replaced && *path == '\0' && (fcntl (fd, F_GETFL) & (O_PATH | O_DIRECTORY)) == O_PATH)
    {
      errno = ENOENT;
      return -1;
    }

  if (before_backup_look != NULL && g_str_equal (path, "doc~"))
    g_steal_pointer (&before_backup_look) ();

  if (hides_backup && g_str_equal (path, "doc~"))
    {
      hides_backup = FALSE;
      errno = EIO;
      return -1;
    }

  result = fails ("statx") ? -1 : __real_statx (fd, path, flags, mask, stx);
  if (result == 0 && is_remembered && g_str_equal (path, unheard_name))
    *stx = remembered;
  if (result == 0 && (are_alike || are_numbered_by_name))
    {
      if (are_alike || *path != '\0')
        stx->stx_ino = are_alike ? 1 : g_str_hash (path);
      stx->stx_btime = (struct statx_timestamp) { 0, };
    }
  if (result == 0 && are_times_alike)
    stx->stx_mtime = (struct statx_timestamp) { 0, };
  return result;
}

int __real_ftruncate64 (int fd, off_t size);
int __wrap_ftruncate64 (int fd, off_t size);

int
__wrap_ftruncate64 (int   fd,
                    off_t size)
{
  return fails ("ftruncate64") || is_broken ("ftruncate64") ? -1 : __real_ftruncate64 (fd, size);
}

WRAP (int, lstat64, (const char *path, struct stat *st), (path, st))
WRAP (int, unlink, (const char *path), (path))
WRAP (ssize_t, fgetxattr, (int fd, const char *name, void *value, size_t size), (fd, name, value, size))
WRAP (ssize_t, flistxattr, (int fd, char *list, size_t size), (fd, list, size))
WRAP (ssize_t, pread64, (int fd, void *data, size_t count, off_t offset), (fd, data, count, offset))
WRAP (ssize_t, pwrite64, (int fd, const void *data, size_t count, off_t offset), (fd, data, count, offset))

/* As if nothing were mounted at /proc. */
#define WRAP_PROC(type, name, parameters, arguments) \
  type __real_ ## name parameters; \
  type __wrap_ ## name parameters; \
  type \
  __wrap_ ## name parameters \
  { \
    if (fails (#name)) \
      return -1; \
    if (!no_proc || !g_str_has_prefix (path, "/proc/")) \
      return __real_ ## name arguments; \
    errno = ENOENT; \
    return -1; \
  }

WRAP_PROC (int, access, (const char *path, int mode), (path, mode))
WRAP_PROC (ssize_t, getxattr, (const char *path, const char *name, void *value, size_t size), (path, name, value, size))
WRAP_PROC (ssize_t, listxattr, (const char *path, char *list, size_t size), (path, list, size))

off_t __real_lseek64 (int fd, off_t offset, int whence);
off_t __wrap_lseek64 (int fd, off_t offset, int whence);
ssize_t __real_copy_file_range (int from, off_t *from_offset, int to, off_t *to_offset, size_t count, unsigned int flags);
ssize_t __wrap_copy_file_range (int from, off_t *from_offset, int to, off_t *to_offset, size_t count, unsigned int flags);

off_t
__wrap_lseek64 (int   fd,
                off_t offset,
                int   whence)
{
  if (fails ("lseek"))
    return -1;

  if (pretends_to_copy && (whence == SEEK_DATA || whence == SEEK_HOLE))
    {
      errno = EINVAL;
      return -1;
    }

  return __real_lseek64 (fd, offset, whence);
}

ssize_t
__wrap_copy_file_range (int           from,
                        off_t        *from_offset,
                        int           to,
                        off_t        *to_offset,
                        size_t        count,
                        unsigned int  flags)
{
  if (fails ("copy_file_range"))
    return -1;

  if (!pretends_to_copy)
    return __real_copy_file_range (from, from_offset, to, to_offset, count, flags);

  g_assert_cmpint (*from_offset, ==, n_pretended);
  g_assert_cmpint (*to_offset, ==, n_pretended);
  n_pretended += count;
  return count;
}

/* They may fail, but nothing here is to outlive a loss of power. */
int __wrap_fsync (int fd);
int __wrap_sync_file_range (int fd, off_t start, off_t length, unsigned int flags);

int
__wrap_sync_file_range (int          fd,
                        off_t        start,
                        off_t        length,
                        unsigned int flags)
{
  /* What is only begun reports nothing. */
  return flags & SYNC_FILE_RANGE_WAIT_AFTER && fails ("sync_file_range") ? -1 : 0;
}

int
__wrap_fsync (int fd)
{
  struct stat st;

  if (fails ("fsync"))
    return -1;

  return __real_fstat64 (fd, &st) == 0 && S_ISDIR (st.st_mode) && is_broken ("fsync") ? -1 : 0;
}

int __real_mknodat (int fd, const char *name, mode_t mode, dev_t device);
int __wrap_mknodat (int fd, const char *name, mode_t mode, dev_t device);
static gboolean does_not_replace; /* a file system */
static guint n_refused;           /* how often it was asked to */
static guint n_missing; /* how often the document is said not to be there when it is renamed over */
static gboolean renames_nothing; /* and says that it has */
static void (*before_backup_rename) (void); /* (nullable): called once, before something is renamed over the backup */
static gboolean links_instead;   /* and says that it has failed */
static void (*before_failing_rename) (void); /* (nullable): called once, before the document is not renamed over */

int __real_linkat (int from_fd, const char *from, int to_fd, const char *to, int flags);
int __wrap_linkat (int from_fd, const char *from, int to_fd, const char *to, int flags);
int __real_renameat (int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat (int from_fd, const char *from, int to_fd, const char *to);
int __real_unlinkat (int fd, const char *name, int flags);
int __wrap_unlinkat (int fd, const char *name, int flags);

int
__wrap_mknodat (int         fd,
                const char *name,
                mode_t      mode,
                dev_t       device)
{
  if (fails ("mknodat"))
    return FAIL (__real_mknodat (fd, name, mode, device));

  return __real_mknodat (fd, name, mode, device);
}

int
__wrap_renameat (int         from_fd,
                 const char *from,
                 int         to_fd,
                 const char *to)
{
  if (fails ("renameat"))
    return FAIL (__real_renameat (from_fd, from, to_fd, to));

  if (renames_nothing)
    return 0;

  if (before_backup_rename != NULL && g_str_equal (to, "doc~"))
    g_steal_pointer (&before_backup_rename) ();

  if (links_instead)
    {
      g_assert_cmpint (__real_unlinkat (to_fd, to, 0), ==, 0);
      g_assert_cmpint (__real_linkat (from_fd, from, to_fd, to, 0), ==, 0);
      errno = EIO;
      return -1;
    }

  if (before_failing_rename != NULL && g_str_equal (to, "doc"))
    {
      g_steal_pointer (&before_failing_rename) ();
      errno = EIO;
      return -1;
    }

  if (unheard_errno != 0 && g_str_equal (to, unheard_name) && is_name_lost)
    {
      g_assert_cmpint (__real_unlinkat (from_fd, from, 0), ==, 0);
      errno = unheard_errno;
      return -1;
    }

  if (unheard_errno != 0 && g_str_equal (to, unheard_name))
    {
      g_assert_cmpint (__real_statx (to_fd, to, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &remembered), ==, 0);
      g_assert_cmpint (__real_renameat (from_fd, from, to_fd, to), ==, 0);
      is_remembered = TRUE;
      errno = unheard_errno;
      return -1;
    }

  if (vanishing != NULL && g_str_equal (to, "doc"))
    {
      g_assert_cmpint (__real_unlinkat (from_fd, from, 0), ==, 0);
      g_assert_cmpint (__real_unlinkat (to_fd, to, 0), ==, 0);
      g_assert_cmpint (rmdir (vanishing), ==, 0);
      errno = EIO;
      return -1;
    }

  if (does_not_replace && g_str_equal (to, "doc"))
    {
      n_refused++;
      errno = EEXIST;
      return -1;
    }

  if (n_missing > 0 && g_str_equal (to, "doc"))
    {
      n_missing--;
      errno = ENOENT;
      return -1;
    }

  return is_broken ("renameat") ? -1 : __real_renameat (from_fd, from, to_fd, to);
}

static void (*before_backup_goes) (void); /* (nullable): called once */

/* Called before @name goes. */
static void
take_backup (const char *name)
{
  if (before_backup_goes != NULL && g_str_has_suffix (name, "~"))
    g_steal_pointer (&before_backup_goes) ();
}

/* Only the removal of temporary names can be broken. */
int
__wrap_unlinkat (int         fd,
                 const char *name,
                 int         flags)
{
  take_backup (name);
  if (fails ("unlinkat"))
    return FAIL (__real_unlinkat (fd, name, flags));

  if ((g_str_has_prefix (name, ".tmp-") && is_broken ("unlinkat")) ||
      (g_str_has_suffix (name, "~") && is_broken ("unlinkat of a backup")))
    return -1;

  return __real_unlinkat (fd, name, flags);
}

ssize_t __real_readlinkat (int fd, const char *name, char *content, size_t size);
ssize_t __wrap_readlinkat (int fd, const char *name, char *content, size_t size);

ssize_t
__wrap_readlinkat (int         fd,
                   const char *name,
                   char       *content,
                   size_t      size)
{
  return fails ("readlink") || is_broken ("readlink") ? -1 : __real_readlinkat (fd, name, content, size);
}

int __real_fstatfs64 (int fd, struct statfs *fs);
int __wrap_fstatfs64 (int fd, struct statfs *fs);

/* Of a type that nobody knows, so that the kernel is always asked to copy, and on which there are no journals; or of
 * another type. */
static gboolean is_known_fs;
static guint32 shown_type;

#define FUSE 0x65735546
#define F2FS 0xf2f52010

int
__wrap_fstatfs64 (int            fd,
                  struct statfs *fs)
{
  int result = fails ("fstatfs") ? -1 : __real_fstatfs64 (fd, fs);

  if (!is_known_fs)
    fs->f_type = shown_type;
  return result;
}

int __real_fcntl64 (int fd, int command, ...);
int __wrap_fcntl64 (int fd, int command, ...);
int __real_ioctl (int fd, unsigned long request, ...);
int __wrap_ioctl (int fd, unsigned long request, ...);
int __real_open64 (const char *path, int flags, ...);
int __wrap_open64 (const char *path, int flags, ...);
int __real_openat64 (int fd, const char *path, int flags, ...);
int __wrap_openat64 (int fd, const char *path, int flags, ...);
int __real_renameat2 (int from_fd, const char *from, int to_fd, const char *to, unsigned int flags);
int __wrap_renameat2 (int from_fd, const char *from, int to_fd, const char *to, unsigned int flags);

/* What was written is lost in the moment in which the file system is asked whether it is there. */
static gboolean loses_when_settled;

static guintptr
get_last_argument (va_list arguments)
{
  return va_arg (arguments, guintptr);
}

int
__wrap_fcntl64 (int fd,
                int command,
                ...)
{
  va_list arguments;
  guintptr argument;

  va_start (arguments, command);
  argument = get_last_argument (arguments);
  va_end (arguments);

  if (command == F_DUPFD_CLOEXEC && loses_when_settled)
    g_assert_cmpint (__real_ftruncate64 (fd, 3), ==, 0);

  /* What the other commands do cannot fail. */
  return command == F_DUPFD_CLOEXEC && fails ("fcntl") ? -1 : __real_fcntl64 (fd, command, argument);
}

int
__wrap_ioctl (int           fd,
              unsigned long request,
              ...)
{
  va_list arguments;
  guintptr argument;

  va_start (arguments, request);
  argument = get_last_argument (arguments);
  va_end (arguments);

  return fails ("ioctl") ? -1 : __real_ioctl (fd, request, argument);
}

int
__wrap_open64 (const char *path,
               int         flags,
               ...)
{
  va_list arguments;
  guintptr mode;

  va_start (arguments, flags);
  mode = get_last_argument (arguments);
  va_end (arguments);

  if (hides_replaced && g_str_has_prefix (path, "/proc/"))
    {
      errno = ENOENT;
      return -1;
    }

  return fails ("open") ? -1 : __real_open64 (path, flags, (mode_t) mode);
}

/* Whether a link of what is at @from, a path in proc(5) or nothing, would be one of the document. */
static gboolean
is_of_doc (int         fd,
           const char *from)
{
  g_autofree char *link = *from == '\0' ? g_strdup_printf ("/proc/self/fd/%d", fd) : g_strdup (from);
  g_autofree char *target = g_file_read_link (link, NULL);

  return target != NULL && g_str_has_suffix (target, "/doc");
}

int
__wrap_openat64 (int         fd,
                 const char *path,
                 int         flags,
                 ...)
{
  va_list arguments;
  guintptr mode;

  va_start (arguments, flags);
  mode = get_last_argument (arguments);
  va_end (arguments);

  /* A program that another thread starts meanwhile does not get it. */
  g_assert_true (flags & O_CLOEXEC);
  /* Others do not change a name. */
  if (is_done_nevertheless && !(flags & O_CREAT))
    return __real_openat64 (fd, path, flags, (mode_t) mode);

  if (is_gone && g_str_equal (path, "doc") && !(flags & O_PATH))
    {
      n_opened++;
      errno = ENOENT;
      return -1;
    }

  /* The kernel has asked again. */
  if (is_never_heard && (flags & O_EXCL) && g_str_has_prefix (path, ".tmp-"))
    {
      n_opened++;
      close (__real_openat64 (fd, path, flags, (mode_t) mode));
      errno = EEXIST;
      return -1;
    }

  if ((forbids_doc || (is_unreadable && unheard_errno != 0)) && g_str_equal (path, "doc") && !(flags & O_PATH))
    {
      errno = EACCES;
      return -1;
    }

  if (is_stale_once && g_str_equal (path, "doc") && !(flags & O_PATH))
    {
      is_stale_once = FALSE;
      errno = ESTALE;
      return -1;
    }

  if (forbids_backup && g_str_equal (path, "doc~"))
    {
      errno = EACCES;
      return -1;
    }

  if (fails ("openat"))
    return FAIL (close (__real_openat64 (fd, path, flags, (mode_t) mode)));

  return __real_openat64 (fd, path, flags, (mode_t) mode);
}

static void (*before_link) (void); /* (nullable): called once, before the document is to be linked */

int
__wrap_linkat (int         from_fd,
               const char *from,
               int         to_fd,
               const char *to,
               int         flags)
{
  if (before_link != NULL && g_str_equal (to, "doc"))
    g_steal_pointer (&before_link) ();

  if (fails ("linkat"))
    return no_hard_links || no_empty_path ? -1 : FAIL (__real_linkat (from_fd, from, to_fd, to, flags));

  if (no_hard_links)
    errno = no_links_errno;
  else if (is_gone && is_of_doc (from_fd, from))
    errno = ENOENT;
  else if ((no_empty_path && (flags & AT_EMPTY_PATH)) ||
           (no_proc && g_str_has_prefix (from, "/proc/")))
    errno = ENOENT;
  else
    return __real_linkat (from_fd, from, to_fd, to, flags);

  return -1;
}

static gboolean is_exchanged_twice;
static guint n_exchanges;
static guint failing_exchange; /* which one, counted from 1; 0: none */
static void (*before_second_exchange) (void); /* (nullable): called once */
static void (*before_third_exchange) (void); /* (nullable): called once */
static void (*before_exchange) (void); /* (nullable): called once */

int
__wrap_renameat2 (int           from_fd,
                  const char   *from,
                  int           to_fd,
                  const char   *to,
                  unsigned int  flags)
{
  if ((flags & RENAME_EXCHANGE) && before_exchange != NULL)
    g_steal_pointer (&before_exchange) ();
  if (flags & RENAME_EXCHANGE)
    n_exchanges++;
  if ((flags & RENAME_EXCHANGE) && n_exchanges == 2 && before_second_exchange != NULL)
    g_steal_pointer (&before_second_exchange) ();
  if ((flags & RENAME_EXCHANGE) && n_exchanges == 3 && before_third_exchange != NULL)
    g_steal_pointer (&before_third_exchange) ();
  if (renames_nothing && !(flags & RENAME_EXCHANGE))
    return 0;
  if (!(flags & RENAME_EXCHANGE))
    take_backup (from);
  if ((flags & RENAME_EXCHANGE) && n_exchanges == failing_exchange)
    {
      errno = EIO;
      return -1;
    }
  if (is_never_heard && (flags & RENAME_EXCHANGE))
    {
      errno = ESTALE;
      return -1;
    }

  if (fails ("renameat2"))
    return no_rename_flags ? -1 : FAIL (__real_renameat2 (from_fd, from, to_fd, to, flags));

  if (no_rename_flags)
    {
      errno = EINVAL;
      return -1;
    }

  if (is_exchanged_twice && (flags & RENAME_EXCHANGE) && __real_renameat2 (from_fd, from, to_fd, to, flags) == 0)
    is_exchanged_twice = FALSE;
  return __real_renameat2 (from_fd, from, to_fd, to, flags);
}

typedef enum
{
  UNNAMED,
  NAMED,
  IN_MEMORY,
  ELSEWHERE,
  N_SOURCES,
} Source;

typedef enum
{
  ALL_THERE,
  NO_TMPFILE,
  NO_EMPTY_PATH,
  NO_EMPTY_PATH_NO_PROC,
  NO_HARD_LINKS,
  NOTHING,
  N_SYSTEMS,
  ONLY_HARD_LINKS = N_SYSTEMS,
} System;

/* Where files are made and persisted to, and what is on another file system, if there is one. */
static const char *dir;
static const char *elsewhere;

static void
set_system (System system)
{
  tf_system_missing = system == NO_TMPFILE || system == NOTHING || system == ONLY_HARD_LINKS ? TF_SYSTEM_TMPFILE : 0;
  no_empty_path = system == NO_EMPTY_PATH || system == NO_EMPTY_PATH_NO_PROC;
  no_proc = system == NO_EMPTY_PATH_NO_PROC;
  no_hard_links = system == NO_HARD_LINKS || system == NOTHING;
  no_rename_flags = system == NOTHING || system == ONLY_HARD_LINKS || tf_test_is_portable ();
}

static TfTempFile *
make (Source source)
{
  TfTempFile *file = NULL;

  if (source == UNNAMED)
    file = tf_temp_file_new (NULL, NULL, NULL);
  else if (source == NAMED)
    file = TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, NULL));
  else if (source == IN_MEMORY)
    file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  else
    file = tf_temp_file_new (elsewhere, NULL, NULL);

  if (file != NULL)
    g_assert_true (tf_temp_file_write (file, "new content", 11, NULL, NULL));

  return file;
}

/* As acl(5) has it on disk: the owner rw, the user 65534 and the mask r, the group and the others nothing. */
static const guint8 acl[] = {
  0x02, 0, 0, 0,
  0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,
  0x02, 0, 4, 0, 0xfe, 0xff, 0x00, 0x00,
  0x04, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
  0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
  0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
};

static gboolean has_acl;

/* The mode is the same with and without the ACL, but the group is granted something only without it. */
static void
put_old (const char *path)
{
  g_assert_true (g_file_set_contents (path, "old", 3, NULL));
  g_assert_cmpint (chmod (path, 0640), ==, 0);
  setxattr (path, "user.mark", "blue", 4, 0);
  has_acl = !tf_test_is_portable () && setxattr (path, "system.posix_acl_access", acl, sizeof acl, 0) == 0;
}

/* What replaces the old file grants nobody more than that did. */
static void
assert_no_more_permissive (const char *path)
{
  struct stat st;

  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmphex (st.st_mode & 07777 & ~0640, ==, 0);
  if (has_acl && (st.st_mode & 0077) != 0)
    g_assert_cmpint (getxattr (path, "system.posix_acl_access", NULL, 0), ==, sizeof acl);
}

static gboolean
has_content (const char *path,
             const char *expected)
{
  g_autofree char *content = NULL;

  return g_file_get_contents (path, &content, NULL, NULL) && g_str_equal (content, expected);
}

/* Nobody but the file, before or after, and the name that a named file has until it is persisted. */
static void
assert_no_litter (TfTempFile *file,
                  const char *path)
{
  guint expected = 0;

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    expected++;
  if (TF_IS_NAMED_FILE (file) && g_strcmp0 (tf_named_file_get_path (TF_NAMED_FILE (file)), path) != 0)
    expected++;

  g_assert_cmpuint (tf_test_count_entries (dir), ==, expected);
}

static void
assert_usable (TfTempFile *file,
               const char *expected)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;

  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 11);
  tf_temp_file_write (file, "!", 1, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error));
  bytes = tf_temp_file_read_bytes (file, G_MAXSIZE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), expected, strlen (expected));
}

static void
assert_old (const char *path)
{
  struct stat st;
  char value[8] = "";

  g_assert_true (has_content (path, "old"));
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 07777, ==, 0640);
  g_assert_cmpint (st.st_nlink, ==, 1);
  if (getxattr (path, "user.mark", value, sizeof value) >= 0)
    g_assert_cmpstr (value, ==, "blue");
}

static void
remove_others (const char *name)
{
  g_autoptr(GDir) entries = g_dir_open (dir, 0, NULL);
  const char *other;

  while ((other = g_dir_read_name (entries)) != NULL)
    {
      g_autofree char *path = g_build_filename (dir, other, NULL);

      if (!g_str_equal (other, name))
        g_assert_cmpint (unlink (path), ==, 0);
    }
}

static gboolean
is_same_file (int one,
              int other)
{
  struct stat st_one;
  struct stat st_other;

  g_assert_cmpint (fstat (one, &st_one), ==, 0);
  g_assert_cmpint (fstat (other, &st_other), ==, 0);
  return st_one.st_dev == st_other.st_dev && st_one.st_ino == st_other.st_ino;
}

/* The descriptor that was handed out keeps its number, and is one of the same file as @expected. */
static void
assert_lent (TfTempFile *file,
             int         fd,
             int         expected)
{
  char content[11];

  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (tf_temp_file_get_fd (file, NULL, NULL), ==, fd);
  g_assert_true (is_same_file (fd, expected));
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 11);
  g_assert_cmpint (pread (fd, content, 11, 0), ==, 11);
  g_assert_cmpmem (content, 11, "new content", 11);
}

static void
assert_lent_at (TfTempFile *file,
                int         fd,
                const char *path)
{
  tf_autofd int opened = open (path, O_RDONLY | O_CLOEXEC);

  assert_lent (file, fd, opened);
}

static void
write_again (TfTempFile *file)
{
  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 0, NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  g_assert_true (tf_temp_file_write (file, "new content", 11, NULL, NULL));
}

/* What could not be brought to the disk is lost, until it is written again. */
static void
persist_again (TfTempFile     *file,
               Source          source,
               GFile          *destination,
               TfPersistFlags  flags,
               int             code)
{
  g_autoptr(GError) error = NULL;

  if (tf_temp_file_persist (file, destination, flags, NULL, NULL, NULL, NULL, &error))
    return;

  g_assert_cmpint (error->code, ==, code);
  g_assert_true (source != IN_MEMORY);
  g_assert_true (g_str_equal (failed_call, "fsync") || g_str_equal (failed_call, "sync_file_range"));
  write_again (file);
  g_assert_true (tf_temp_file_persist (file, destination, flags, NULL, NULL, NULL, NULL, NULL));
}

/* Returns whether the call that was to fail was reached. */
static gboolean
persist_with_failure (Source         source,
                      TfPersistFlags flags,
                      gboolean       shared,
                      guint          at,
                      int            with)
{
  g_autoptr(TfTempFile) file = make (source);
  g_autofree char *path = g_build_filename (dir, "doc", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GCancellable) cancellable = g_cancellable_new (); /* which a durable one syncs in pieces for */
  g_autoptr(GError) error = NULL;
  gboolean had_old = (flags & TF_PERSIST_REPLACE) != 0;
  gboolean success;
  gboolean reached;
  int code;
  int lent = -1;
  tf_autofd int duplicate = -1;

  if (file == NULL)
    return FALSE;

  if (had_old)
    put_old (path);
  if (shared)
    {
      lent = tf_temp_file_get_fd (file, NULL, NULL);
      duplicate = dup (lent);
    }

  failed_call = NULL;
  n_calls = 0;
  fail_errno = with;
  fail_at = at;
  success = tf_temp_file_persist (file, destination, flags, cancellable, NULL, NULL, NULL, &error);
  fail_at = 0;
  reached = failed_call != NULL;

  g_test_message ("%s: %s", reached ? failed_call : "none", success ? "done" : error->message);
  if (!success && is_done_nevertheless && no_hard_links && no_rename_flags && has_content (path, ""))
    {
      /* It cannot be told from that of another process which takes the name. */
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
      g_assert_cmpstr (failed_call, ==, "mknodat");
      g_assert_cmpint (unlink (path), ==, 0);
    }

  if (!success)
    {
      g_assert_nonnull (strchr (error->message, '/'));
      if ((flags & TF_PERSIST_DURABLE) && has_content (path, "new content"))
        g_assert_cmpstr (failed_call, ==, "fsync");
      else if (had_old)
        assert_old (path);
      else
        g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));

      assert_no_litter (file, path);
      if (shared)
        assert_lent (file, lent, duplicate);
      code = error->code;
      g_clear_error (&error);
      if (!had_old && g_file_test (path, G_FILE_TEST_EXISTS))
        {
          g_assert_false (tf_temp_file_persist (file, destination, flags, NULL, NULL, NULL, NULL, &error));
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
        }
      else
        persist_again (file, source, destination, flags, code);
    }

  /* A name that could not be removed when the file was persisted is still there. */
  if (TF_IS_NAMED_FILE (file) && reached &&
      (g_str_equal (failed_call, "unlink") || g_str_equal (failed_call, "unlinkat") ||
       g_str_equal (failed_call, "statx") || g_str_equal (failed_call, "fstatat64")))
    remove_others ("doc");

  assert_no_litter (file, path);
  g_assert_true (has_content (path, "new content"));
  if (had_old)
    assert_no_more_permissive (path);
  if (shared)
    assert_lent_at (file, lent, path);
  assert_usable (file, "new content!");
  g_assert_true (has_content (path, "new content!"));
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_cmpint (unlink (path), ==, 0);
  return reached;
}

static char *cheap;

static void
set_dir (gboolean on_disk)
{
  dir = on_disk || cheap == NULL ? tf_test_get_sandbox () : cheap;
  elsewhere = dir == cheap ? tf_test_get_sandbox () : "/dev/shm";
  tf_set_temp_dir (dir);
}

/* Only where there is all that the calls are about. */
static void
make_cheap_dir (void)
{
  cheap = tf_test_make_cheap_dir ();
  if (!g_str_has_prefix (cheap, tf_test_get_sandbox ()) && setxattr (cheap, "user.mark", "blue", 4, 0) == 0)
    return;

  g_assert_cmpint (rmdir (cheap), ==, 0);
  g_clear_pointer (&cheap, g_free);
}

static void
remove_cheap_dir (void)
{
  tf_set_temp_dir (NULL);
  if (cheap != NULL)
    g_assert_cmpint (rmdir (cheap), ==, 0);
  g_clear_pointer (&cheap, g_free);
}

static void
sweep (Source         source,
       System         system,
       TfPersistFlags flags,
       gboolean       shared)
{
  const int errnos[] = { ENOSPC, EIO, EACCES, EMFILE, EXDEV, EINTR };
  guint n_swept = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (errnos); i++)
    {
      guint at = 1;

      if (system != ALL_THERE && !g_test_slow () && i != (source + flags + shared) % G_N_ELEMENTS (errnos))
        continue;

      set_dir (i == 0);
      set_system (system);
      while (persist_with_failure (source, flags, shared, at, errnos[i]))
        at++;

      /* The destination, the fresh file and the step itself at the least. */
      if (source != ELSEWHERE)
        g_assert_cmpuint (at, >, 3);
      n_swept += at - 1;
    }

  set_system (ALL_THERE);
  g_test_message ("%u failures", n_swept);
}

static const TfPersistFlags all_flags[] = {
  TF_PERSIST_NONE,
  TF_PERSIST_DURABLE,
  TF_PERSIST_REPLACE,
  TF_PERSIST_REPLACE | TF_PERSIST_DURABLE,
};

static void
test_sweep (gconstpointer data)
{
  System system = GPOINTER_TO_INT (data);
  const TfPersistFlags *flags = all_flags;

  make_cheap_dir ();
  for (Source source = UNNAMED; source < N_SOURCES; source++)
    for (gsize i = 0; i < G_N_ELEMENTS (all_flags); i++)
      {
        sweep (source, system, flags[i], FALSE);
        if (!(flags[i] & TF_PERSIST_DURABLE))
          sweep (source, system, flags[i], TRUE);
      }
  remove_cheap_dir ();
}

/* Nothing is left of what was done, or it counts as done. */
static void
test_done (gconstpointer data)
{
  const int errnos[] = { EIO, ENOENT, EEXIST, EINTR };

  make_cheap_dir ();
  set_dir (FALSE);
  set_system (GPOINTER_TO_INT (data));
  for (Source source = UNNAMED; source < N_SOURCES; source++)
    for (gsize i = 0; i < G_N_ELEMENTS (all_flags) * G_N_ELEMENTS (errnos); i++)
      {
        is_done_nevertheless = TRUE;
        for (guint at = 1; persist_with_failure (source, all_flags[i % 4], FALSE, at, errnos[i / 4]); at++)
          ;
        is_done_nevertheless = FALSE;
      }
  set_system (ALL_THERE);
  remove_cheap_dir ();
}

/* Returns whether the call before which another process was to do something was reached. */
static gboolean
persist_with_meddling (TfTempFile      *file,
                       const char      *path,
                       TfPersistFlags   flags,
                       void (*func) (void),
                       guint            at,
                       GError         **error)
{
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  gboolean reached;

  n_calls = 0;
  meddle = func;
  meddle_at = at;
  tf_temp_file_persist (file, destination, flags, NULL, NULL, NULL, NULL, error);
  reached = n_calls >= at;
  meddle_at = 0;
  return reached;
}

static void
set_link (const char *target)
{
  g_autofree char *link = g_build_filename (dir, "link", NULL);
  g_autofree char *fresh = g_build_filename (dir, "fresh", NULL);

  g_assert_cmpint (symlink (target, fresh), ==, 0);
  g_assert_cmpint (rename (fresh, link), ==, 0);
}

static void
set_link_to_public (void)
{
  set_link ("public");
}

static char *
put_in_dir (const char *name,
            guint       mode,
            const char *mark)
{
  g_autofree char *parent = g_build_filename (dir, name, NULL);
  char *path = g_build_filename (parent, "doc", NULL);

  g_assert_cmpint (mkdir (parent, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, "old", 3, NULL));
  g_assert_cmpint (chmod (path, mode), ==, 0);
  setxattr (path, "user.mark", mark, strlen (mark), 0);
  return path;
}

/* Returns whether the file at @path was replaced. Whether it was or not, its metadata is what it was. */
static gboolean
check_in_dir (const char *path,
              guint       mode,
              const char *mark)
{
  g_autofree char *parent = g_path_get_dirname (path);
  char value[8] = "";
  gboolean replaced = has_content (path, "new content");
  struct stat st;

  g_assert_true (replaced || has_content (path, "old"));
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmphex (st.st_mode & 07777, ==, mode);
  if (getxattr (path, "user.mark", value, sizeof value) >= 0)
    g_assert_cmpstr (value, ==, mark);

  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (rmdir (parent), ==, 0);
  return replaced;
}

/* The metadata is that of the file that is replaced, and not of the one that is at the same path later. */
static void
test_swapped_dir (void)
{
  g_autofree char *link = NULL;
  g_autofree char *path = NULL;
  gboolean reached = TRUE;

  set_dir (TRUE);
  link = g_build_filename (dir, "link", NULL);
  path = g_build_filename (link, "doc", NULL);
  for (guint at = 1; reached; at++)
    {
      g_autofree char *private_path = put_in_dir ("private", 0600, "private");
      g_autofree char *public_path = put_in_dir ("public", 0666, "public");
      g_autoptr(TfTempFile) file = make (UNNAMED);
      g_autoptr(GError) error = NULL;
      gboolean in_private;
      gboolean in_public;

      set_link ("private");
      reached = persist_with_meddling (file, path, TF_PERSIST_REPLACE, set_link_to_public, at, &error);
      g_assert_no_error (error);
      in_private = check_in_dir (private_path, 0600, "private");
      in_public = check_in_dir (public_path, 0666, "public");
      g_assert_true (in_private != in_public);
      g_assert_cmpint (unlink (link), ==, 0);
    }
}

static void
remove_doc (void)
{
  g_autofree char *path = g_build_filename (dir, "doc", NULL);

  unlink (path);
}

/* A destination that vanishes is one that did not exist, or the file that has just got the name. */
static void
test_vanished (void)
{
  const TfPersistFlags flags[] = { TF_PERSIST_REPLACE, TF_PERSIST_REPLACE | TF_PERSIST_DURABLE };
  g_autofree char *path = NULL;

  set_dir (TRUE);
  path = g_build_filename (dir, "doc", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      gboolean reached = TRUE;

      for (guint at = 1; reached; at++)
        {
          g_autoptr(TfTempFile) file = make (UNNAMED);
          g_autoptr(GError) error = NULL;

          put_old (path);
          reached = persist_with_meddling (file, path, flags[i], remove_doc, at, &error);
          g_assert_no_error (error);
          assert_no_litter (file, path);
          g_assert_true (has_content (path, "new content") || reached);
          unlink (path);
        }
    }
}

/* Another machine has just replaced the destination, and this one does not know. */
static void
test_stale (void)
{
  g_autofree char *path = NULL;
  g_autoptr(TfTempFile) file = NULL;
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("descriptors that only describe"))
    return;

  set_dir (TRUE);
  path = g_build_filename (dir, "doc", NULL);
  put_old (path);
  file = make (UNNAMED);
  is_stale = TRUE;
  persist_with_meddling (file, path, TF_PERSIST_REPLACE, NULL, 0, &error);
  is_stale = FALSE;
  g_assert_no_error (error);
  g_assert_true (has_content (path, "new content"));
  g_assert_cmpint (unlink (path), ==, 0);
}

static void
replace_doc (void)
{
  g_autofree char *path = g_build_filename (dir, "doc", NULL);
  g_autofree char *other = g_build_filename (dir, "other", NULL);

  g_assert_true (g_file_set_contents (other, "theirs", 6, NULL));
  g_assert_cmpint (rename (other, path), ==, 0);
}

/* With a backup, the last one wins as well. The backup is one of what was there before. */
static void
test_replaced_beside_backup (void)
{
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;
  gboolean reached = TRUE;

  set_dir (TRUE);
  path = g_build_filename (dir, "doc", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  for (guint at = 1; reached; at++)
    {
      g_autoptr(TfTempFile) file = make (UNNAMED);
      g_autoptr(GError) error = NULL;

      put_old (path);
      reached = persist_with_meddling (file, path, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, replace_doc, at, &error);
      g_assert_no_error (error);
      g_assert_true (has_content (path, "new content") || has_content (path, "theirs"));
      g_assert_true (has_content (backup, "old") || has_content (backup, "theirs"));
      g_assert_cmpuint (tf_test_count_entries (dir), ==, 2);
      g_assert_cmpint (unlink (path), ==, 0);
      g_assert_cmpint (unlink (backup), ==, 0);
    }
}

/* Returns whether the call that was to fail was reached. */
static gboolean
back_up_with_failure (const char     *path,
                      const char     *backup,
                      TfPersistFlags  flags,
                      guint           at,
                      int             with)
{
  g_autoptr(TfTempFile) file = make (UNNAMED);
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GError) error = NULL;
  gboolean success;
  gboolean reached;

  if (file == NULL)
    return FALSE;

  put_old (path);
  g_assert_true (g_file_set_contents (backup, "older", 5, NULL));
  failed_call = NULL;
  n_calls = 0;
  fail_errno = with;
  fail_at = at;
  success = tf_temp_file_persist (file, destination, flags, NULL, NULL, NULL, NULL, &error);
  fail_at = 0;
  reached = failed_call != NULL;

  if (success)
    {
      g_assert_no_error (error);
      g_assert_true (has_content (backup, "old"));
      assert_no_more_permissive (backup);
      if (!reached)
        assert_old (backup);
    }
  else
    {
      gboolean is_there = strstr (error->message, "The file is at") != NULL;

      g_assert_nonnull (strchr (error->message, ':'));
      g_assert_true (!is_there || (flags & TF_PERSIST_DURABLE));
      assert_old (is_there ? backup : path);
      g_assert_true (has_content (is_there ? path : backup, is_there ? "new content" : "older"));
    }
  g_assert_cmpuint (tf_test_count_entries (dir), ==, 2);
  persist_again (file, UNNAMED, destination, flags, success ? 0 : error->code);
  g_assert_true (has_content (path, "new content"));
  remove_others ("");
  return reached;
}

/* If it fails, the former backup is the backup. */
static void
test_backup (void)
{
  const int errnos[] = { ENOSPC, EIO, EACCES, EMFILE, EINTR };
  const TfPersistFlags flags[] = { TF_PERSIST_BACKUP | TF_PERSIST_REPLACE,
                                   TF_PERSIST_BACKUP | TF_PERSIST_REPLACE | TF_PERSIST_DURABLE };
  const System systems[] = { ALL_THERE, NO_HARD_LINKS };
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;

  if (tf_test_skip_if_portable ("a call that exchanges names"))
    return;

  make_cheap_dir ();
  set_dir (FALSE);
  path = g_build_filename (dir, "doc", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (systems) * G_N_ELEMENTS (errnos) * G_N_ELEMENTS (flags); i++)
    {
      guint at = 1;

      set_system (systems[i % 2]);
      while (back_up_with_failure (path, backup, flags[i / 2 % 2], at, errnos[i / 4]))
        at++;
      g_assert_cmpuint (at, >, 10);
    }
  set_system (ALL_THERE);
  remove_cheap_dir ();
}

static guint n_told;

static void
tell (const char     *domain,
      GLogLevelFlags  level,
      const char     *message,
      gpointer        no_data)
{
  n_told += strstr (message, "could not be removed again") != NULL;
}

static void
tell_all (const char     *domain,
          GLogLevelFlags  level,
          const char     *message,
          gpointer        no_data)
{
  n_told++;
}

/* A server that another machine has asked to replace the document says once that it is stale. */
static void
test_stale_backup (void)
{
  g_autoptr(TfTempFile) file = NULL;
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;
  g_autoptr(GFile) destination = NULL;
  g_autoptr(GError) error = NULL;
  gboolean success;

  if (tf_test_skip_if_portable ("links of open files"))
    return;

  set_dir (TRUE);
  set_system (ALL_THERE);
  path = g_build_filename (dir, "doc", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  destination = g_file_new_for_path (path);
  file = make (UNNAMED);
  put_old (path);
  failed_call = NULL;
  fail_errno = ESTALE;
  fails_once = "linkat";
  success = tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP,
                                  NULL, NULL, NULL, NULL, &error);

  g_assert_cmpstr (failed_call, ==, "linkat");
  g_assert_no_error (error);
  g_assert_true (success);
  g_assert_true (has_content (path, "new content"));
  g_assert_true (has_content (backup, "old"));
  remove_others ("");
}

static ino_t their_inode;

/* Another program makes a backup of its own, which has the same bytes. */
static void
put_equal_backup (void)
{
  g_autofree char *theirs = g_build_filename (dir, "theirs", NULL);
  g_autofree char *backup = g_build_filename (dir, "doc~", NULL);
  struct stat st;

  put_old (theirs);
  g_assert_cmpint (stat (theirs, &st), ==, 0);
  their_inode = st.st_ino;
  g_assert_cmpint (rename (theirs, backup), ==, 0);
}

static gboolean
is_theirs_there (void)
{
  g_autoptr(GDir) names = g_dir_open (dir, 0, NULL);
  const char *name;
  gboolean is_there = FALSE;

  while (!is_there && (name = g_dir_read_name (names)) != NULL)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);
      struct stat st;

      is_there = stat (path, &st) == 0 && st.st_ino == their_inode;
    }
  return is_there;
}

/* When persisting fails, the backup of another program is not taken for the own one, though it has the same bytes. */
static void
test_equal_backup (void)
{
  const guint32 types[] = { 0, FUSE };
  g_autofree char *path = NULL;

  if (tf_test_skip_if_portable ("links of open files"))
    return;

  set_dir (TRUE);
  set_system (ALL_THERE);
  path = g_build_filename (dir, "doc", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      gboolean reached = TRUE;

      shown_type = types[i];
      for (guint at = 1; reached; at++)
        {
          g_autoptr(TfTempFile) file = make (UNNAMED);
          g_autoptr(GError) error = NULL;

          remove_others ("");
          put_old (path);
          their_inode = 0;
          fail_errno = EACCES;
          fail_at = at;
          reached = persist_with_meddling (file, path, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, put_equal_backup, at, &error);
          fail_at = 0;
          g_assert_true (error == NULL || their_inode == 0 || is_theirs_there ());
        }
    }
  shown_type = 0;
  remove_others ("");
}

/* A backup that nobody asked for any more, and that cannot be removed, is told. */
static void
test_backup_stays (void)
{
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;
  guint n_left = 0;
  guint handler;

  if (tf_test_skip_if_portable ("a call that exchanges names"))
    return;

  set_dir (TRUE);
  set_system (ALL_THERE);
  path = g_build_filename (dir, "doc", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  handler = g_log_set_handler ("Tf", G_LOG_LEVEL_MESSAGE, tell, NULL);
  for (guint at = 1; at == 1 || failed_call != NULL; at++)
    {
      g_autoptr(TfTempFile) file = make (UNNAMED);
      g_autoptr(GFile) destination = g_file_new_for_path (path);
      gboolean success;

      put_old (path);
      failed_call = NULL;
      n_told = n_calls = 0;
      fail_errno = EIO;
      fail_at = at;
      broken_call = "unlinkat of a backup";
      success = tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP,
                                      NULL, NULL, NULL, NULL, NULL);
      broken_call = NULL;
      fail_at = 0;

      if (!success && g_file_test (backup, G_FILE_TEST_EXISTS))
        {
          g_assert_cmpuint (n_told, ==, 1);
          n_left++;
        }
      remove_others ("");
    }

  g_log_remove_handler ("Tf", handler);
  g_assert_cmpuint (n_left, >, 0);
}

/* A symlink that cannot be read is neither followed nor replaced. */
static void
test_unreadable_symlink (void)
{
  g_autoptr(TfTempFile) file = NULL;
  g_autoptr(GFile) destination = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;

  set_dir (TRUE);
  path = g_build_filename (dir, "link", NULL);
  destination = g_file_new_for_path (path);
  file = make (UNNAMED);
  set_link ("doc");
  meddle = remove_doc;
  broken_call = "readlink";
  g_assert_false (tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_FOLLOW_SYMLINK,
                                        NULL, NULL, NULL, NULL, &error));
  broken_call = NULL;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "readlink"));
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_SYMLINK));
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpuint (tf_test_count_entries (dir), ==, 0);
}

static void
put_theirs (void)
{
  g_autofree char *path = g_build_filename (dir, "doc", NULL);
  g_autofree char *fresh = g_build_filename (dir, "theirs", NULL);

  g_assert_true (g_file_set_contents (fresh, "theirs", -1, NULL));
  g_assert_cmpint (rename (fresh, path), ==, 0);
}

/* As FUSE says while another machine replaces the document. If it says so for ever, the document stays. */
static void
test_missing_for_a_moment (void)
{
  const guint times[] = { 3, G_MAXUINT };

  set_dir (TRUE);
  set_system (ALL_THERE);
  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    {
      g_autoptr(TfTempFile) file = make (IN_MEMORY);
      g_autofree char *path = g_build_filename (dir, "doc", NULL);
      g_autoptr(GFile) destination = g_file_new_for_path (path);
      g_autoptr(GError) error = NULL;

      put_old (path);
      n_missing = times[i];
      tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, &error);
      if (i == 0)
        g_assert_no_error (error);
      else
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
      n_missing = 0;
      g_assert_true (has_content (path, i == 0 ? "new content" : "old"));
      g_assert_cmpuint (tf_test_count_entries (dir), ==, 1);
      remove_others ("");
    }
}

static char *
get_doc (void)
{
  return g_build_filename (dir, "doc", NULL);
}

/* Persists a new file as the document. */
static gboolean
persist_doc (Source           source,
             TfPersistFlags   flags,
             GError         **error)
{
  g_autoptr(TfTempFile) file = make (source);
  g_autofree char *path = get_doc ();
  g_autoptr(GFile) destination = g_file_new_for_path (path);

  return tf_temp_file_persist (file, destination, flags, NULL, NULL, NULL, NULL, error);
}

/* Looks at the document and its backup, and removes them. */
static void
assert_docs (const char *content,
             const char *in_backup) /* (nullable) */
{
  g_autofree char *path = get_doc ();
  g_autofree char *backup = g_strconcat (path, "~", NULL);

  g_assert_true (has_content (path, content));
  g_assert_cmpint (g_file_test (backup, G_FILE_TEST_EXISTS), ==, in_backup != NULL);
  g_assert_true (in_backup == NULL || has_content (backup, in_backup));
  g_assert_cmpuint (tf_test_count_entries (dir), ==, in_backup != NULL ? 2 : 1);
  remove_others ("");
}

static void
begin_with_old_doc (void)
{
  g_autofree char *path = NULL;

  set_dir (TRUE);
  set_system (ALL_THERE);
  path = get_doc ();
  put_old (path);
}

/* One file has a temporary name. */
static void
assert_litter (const char *content)
{
  g_autoptr(GDir) names = g_dir_open (dir, 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (names)) != NULL)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);

      n += g_str_has_prefix (name, ".tmp-") && has_content (path, content);
    }

  g_assert_cmpuint (n, ==, 1);
}

static char *
get_backup (void)
{
  g_autofree char *path = get_doc ();

  return g_strconcat (path, "~", NULL);
}

static void
begin_with_former_backup (void)
{
  g_autofree char *backup = NULL;

  begin_with_old_doc ();
  backup = get_backup ();
  g_assert_true (g_file_set_contents (backup, "older", -1, NULL));
}

/* Looks at the document, its backup and what has a temporary name, and removes them. */
static void
assert_docs_and_litter (const char *content,
                        const char *in_backup,
                        const char *in_litter)
{
  g_autofree char *path = get_doc ();
  g_autofree char *backup = get_backup ();

  g_assert_true (has_content (path, content));
  g_assert_true (has_content (backup, in_backup));
  assert_litter (in_litter);
  g_assert_cmpuint (tf_test_count_entries (dir), ==, 3);
  remove_others ("");
}

/* Which errno means that there are no hard links differs. */
static void
test_no_links (void)
{
  const int errnos[] = { EPERM, EACCES, EINVAL, EIO, EMLINK };

  set_dir (TRUE);
  set_system (NO_HARD_LINKS);
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (errnos); i++)
    {
      g_autoptr(GError) error = NULL;

      no_links_errno = errnos[i / 2];
      persist_doc (i % 2 == 0 ? UNNAMED : NAMED, TF_PERSIST_NONE, &error);
      g_assert_no_error (error);
      assert_docs ("new content", NULL);
    }
  no_links_errno = EPERM;
  set_system (ALL_THERE);
}

/* A file system that replaces nothing is not asked again and again. */
static void
test_not_replacing (void)
{
  g_autoptr(GError) error = NULL;

  begin_with_old_doc ();
  does_not_replace = TRUE;
  n_refused = 0;
  g_assert_false (persist_doc (IN_MEMORY, TF_PERSIST_REPLACE, &error));
  does_not_replace = FALSE;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpuint (n_refused, <=, 2);
  assert_docs ("old", NULL);
}

/* A document is not the new file, and a former backup not the document, because it has its inode number. */
static void
test_alike (void)
{
  g_autofree char *backup = NULL;
  g_autoptr(GError) error = NULL;

  begin_with_old_doc ();
  are_alike = does_not_replace = TRUE;
  g_assert_false (persist_doc (UNNAMED, TF_PERSIST_REPLACE, &error));
  are_alike = does_not_replace = FALSE;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_clear_error (&error);
  assert_docs ("old", NULL);

  begin_with_old_doc ();
  backup = g_build_filename (dir, "doc~", NULL);
  g_assert_true (g_file_set_contents (backup, "former", -1, NULL));
  are_alike = TRUE;
  persist_doc (UNNAMED, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, &error);
  are_alike = FALSE;
  g_assert_no_error (error);
  assert_docs ("new content", "old");
}

/* The same is true if they have the same size and time as well. */
static void
test_alike_at_once (void)
{
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;
  g_autoptr(GError) error = NULL;

  begin_with_old_doc ();
  path = get_doc ();
  backup = get_backup ();
  for (int i = 0; i < 3; i++)
    {
      g_assert_true (g_file_set_contents (path, "old content", -1, NULL));
      are_alike = are_times_alike = TRUE;
      broken_call = "renameat";
      forbids_doc = i == 2;
      g_assert_false (persist_doc (UNNAMED, i == 1 ? TF_PERSIST_REPLACE | TF_PERSIST_BACKUP : TF_PERSIST_REPLACE, &error));
      broken_call = NULL;
      forbids_doc = FALSE;
      are_alike = are_times_alike = FALSE;
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
      g_clear_error (&error);
      g_assert_true (has_content (path, "old content"));
      remove_others ("");
    }

  for (int i = 0; i < 2; i++)
    {
      g_assert_true (g_file_set_contents (path, "old content", -1, NULL));
      g_assert_true (g_file_set_contents (backup, "more former", -1, NULL));
      are_alike = are_times_alike = TRUE;
      forbids_doc = i == 1;
      persist_doc (UNNAMED, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, &error);
      are_alike = are_times_alike = forbids_doc = FALSE;
      g_assert_no_error (error);
      assert_docs ("new content", "old content");
    }
}

static void
put_linked_twin (void)
{
  g_autofree char *path = get_doc ();
  g_autofree char *other = g_build_filename (dir, "other", NULL);

  g_assert_true (g_file_set_contents (path, "new content", -1, NULL));
  g_assert_cmpint (link (path, other), ==, 0);
}

/* A file of the same bytes and time, and with another link, is not this one if this one has none. */
static void
test_linked_twin (void)
{
  g_autofree char *path = NULL;
  g_autoptr(GError) error = NULL;

  begin_with_old_doc ();
  path = get_doc ();
  g_assert_cmpint (unlink (path), ==, 0);
  are_numbered_by_name = are_times_alike = TRUE;
  shown_type = FUSE;
  before_link = put_linked_twin;
  no_rename_flags = TRUE;
  g_assert_false (persist_doc (NAMED, TF_PERSIST_NONE, &error));
  no_rename_flags = are_numbered_by_name = are_times_alike = FALSE;
  shown_type = 0;
  g_assert_null (before_link);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  remove_others ("");
}

/* A server says that it has renamed the file, and has not. */
static void
test_not_renamed (void)
{
  const TfPersistFlags flags[] = { TF_PERSIST_REPLACE, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP };

  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      g_autoptr(GError) error = NULL;

      begin_with_old_doc ();
      renames_nothing = TRUE;
      g_assert_false (persist_doc (UNNAMED, flags[i], &error));
      renames_nothing = FALSE;
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
      assert_docs ("old", NULL);
    }

  for (Source source = 0; source < N_SOURCES; source++)
    {
      g_autoptr(GError) error = NULL;
      g_autofree char *path = NULL;

      begin_with_old_doc ();
      path = get_doc ();
      g_assert_cmpint (unlink (path), ==, 0);
      set_system (NO_HARD_LINKS);
      renames_nothing = TRUE;
      g_assert_false (persist_doc (source, TF_PERSIST_NONE, &error));
      renames_nothing = FALSE;
      set_system (ALL_THERE);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
      g_assert_cmpuint (tf_test_count_entries (dir), ==, 0);
    }
}

/* A server renames in two steps, and fails after the first. */
static void
test_linked_instead (void)
{
  for (Source source = 0; source < N_SOURCES; source++)
    {
      g_autoptr(GError) error = NULL;

      begin_with_old_doc ();
      links_instead = TRUE;
      persist_doc (source, TF_PERSIST_REPLACE, &error);
      links_instead = FALSE;
      g_assert_no_error (error);
      assert_docs ("new content", NULL);
    }
}

/* A backup that is there already is none to make, also where a file never has more than one link. */
static void
test_backup_is_there (void)
{
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;
  g_autoptr(GError) error = NULL;

  begin_with_old_doc ();
  path = get_doc ();
  backup = g_strconcat (path, "~", NULL);
  g_assert_cmpint (link (path, backup), ==, 0);
  counts_no_links = TRUE;
  persist_doc (UNNAMED, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, &error);
  counts_no_links = FALSE;
  g_assert_no_error (error);
  assert_docs ("new content", "old");
}

/* There is nothing to back up. */
static void
test_gone_elsewhere (void)
{
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("descriptors that only describe"))
    return;

  begin_with_old_doc ();
  n_opened = 0;
  is_gone = TRUE;
  persist_doc (UNNAMED, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, &error);
  is_gone = FALSE;
  g_assert_no_error (error);
  g_assert_cmpuint (n_opened, >, 10);
  g_assert_cmpuint (n_opened, <, 1000);
  assert_docs ("new content", NULL);
}

/* Persists once, while the server is not heard. Returns whether that succeeds. */
static gboolean
persist_unheard (const char      *path,
                 TfPersistFlags   flags,
                 int              with_errno)
{
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(TfTempFile) file = make (IN_MEMORY);
  gboolean success;

  put_old (path);
  unheard_errno = with_errno;
  success = tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | flags, NULL, NULL, NULL, NULL, NULL);
  unheard_errno = 0;
  is_remembered = FALSE;
  if (!success)
    g_assert_cmpint (tf_get_last_errno (), ==, with_errno);
  return success;
}

/* The temporary name, which only this process knows, is gone from the server. ENOENT comes if the kernel asks it again. */
static void
test_unheard (void)
{
  const int errnos[] = { EIO, ESTALE, ENOENT, ETIMEDOUT, ENOTCONN, ECONNRESET, EPERM, EACCES, ENOSPC };
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;

  if (tf_test_skip_if_portable ("statx()"))
    return;

  set_dir (TRUE);
  set_system (ALL_THERE);
  path = g_build_filename (dir, "doc", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (errnos); i++)
    {
      is_unreadable = i % 2 == 1;
      g_assert_true (persist_unheard (path, 0, errnos[i / 2]));
      g_assert_true (has_content (path, "new content"));
      g_assert_cmpuint (tf_test_count_entries (dir), ==, 1);
      remove_others ("");
    }
  is_unreadable = FALSE;

  /* The descriptor of what is backed up can only describe it. */
  set_system (ONLY_HARD_LINKS);
  put_old (backup);
  unheard_name = "doc~";
  g_assert_true (persist_unheard (path, TF_PERSIST_BACKUP, EIO));
  unheard_name = "doc";
  g_assert_true (has_content (path, "new content") && has_content (backup, "old"));
  g_assert_cmpuint (tf_test_count_entries (dir), ==, 2);
  remove_others ("");
}

/* The temporary name is gone, and the document still is the old one. */
static void
test_lost_name (void)
{
  const int errnos[] = { EIO, ENOTCONN };
  g_autofree char *path = NULL;

  set_dir (TRUE);
  set_system (ALL_THERE);
  path = g_build_filename (dir, "doc", NULL);
  is_name_lost = TRUE;
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (errnos); i++)
    {
      is_unreadable = i % 2 == 1;
      g_assert_false (persist_unheard (path, 0, errnos[i / 2]));
      g_assert_true (has_content (path, "old"));
      g_assert_cmpuint (tf_test_count_entries (dir), ==, 1);
      remove_others ("");
    }
  is_name_lost = is_unreadable = FALSE;
}

/* It comes to an end, and leaves few files. */
static void
test_never_heard (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) backup_error = NULL;
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;

  set_dir (TRUE);
  set_system (NOTHING);
  path = g_build_filename (dir, "doc", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  put_old (path);
  n_opened = 0;
  is_never_heard = TRUE;
  persist_doc (UNNAMED, TF_PERSIST_REPLACE, &error);
  is_never_heard = FALSE;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpuint (n_opened, <=, 100);
  g_assert_true (has_content (path, "old"));
  remove_others ("");

  set_system (ALL_THERE);
  put_old (path);
  put_old (backup);
  n_exchanges = 0;
  is_never_heard = TRUE;
  persist_doc (UNNAMED, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, &backup_error);
  is_never_heard = FALSE;
  g_assert_nonnull (backup_error);
  g_assert_cmpint (tf_get_last_errno (), ==, ESTALE);
  g_assert_cmpuint (n_exchanges, <, 2500);
  g_assert_true (has_content (path, "old") && has_content (backup, "old"));
  g_assert_cmpuint (tf_test_count_entries (dir), ==, 2);
  remove_others ("");
}

/* The temporary name is gone because its directory is. */
static void
test_vanished_dir (void)
{
  g_autoptr(TfTempFile) file = NULL;
  g_autofree char *own_dir = NULL;
  g_autofree char *path = NULL;
  g_autoptr(GFile) destination = NULL;
  g_autoptr(GFile) final = NULL;
  g_autoptr(GError) error = NULL;

  set_dir (TRUE);
  set_system (ALL_THERE);
  own_dir = g_build_filename (dir, "vanishing", NULL);
  g_assert_cmpint (mkdir (own_dir, 0700), ==, 0);
  path = g_build_filename (own_dir, "doc", NULL);
  destination = g_file_new_for_path (path);
  file = make (IN_MEMORY);
  put_old (path);
  vanishing = own_dir;
  g_assert_false (tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE, NULL, NULL, NULL, &final, &error));
  vanishing = NULL;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_null (final);
}

/* As the kernel does it after a server has done it and says ESTALE */
static void
test_exchanged_twice (void)
{
  g_autoptr(TfTempFile) file = NULL;
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;
  g_autoptr(GFile) destination = NULL;
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("names that are exchanged"))
    return;

  set_dir (TRUE);
  set_system (ALL_THERE);
  path = g_build_filename (dir, "doc", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  destination = g_file_new_for_path (path);
  file = make (IN_MEMORY);
  put_old (path);
  g_assert_true (g_file_set_contents (backup, "older", -1, NULL));
  is_exchanged_twice = TRUE;
  tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (is_exchanged_twice);
  g_assert_true (has_content (path, "new content"));
  g_assert_true (has_content (backup, "old"));
  g_assert_cmpuint (tf_test_count_entries (dir), ==, 2);
  remove_others ("");
}

static void
put_their_secret (void)
{
  g_autofree char *path = g_build_filename (dir, "doc", NULL);
  g_autofree char *fresh = g_build_filename (dir, "theirs", NULL);

  g_assert_true (g_file_set_contents_full (fresh, "theirs", -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  g_assert_cmpint (rename (fresh, path), ==, 0);
}

/* What another process creates before the last step is replaced as well, and the new file is open to no more people. */
static void
test_created_meanwhile (void)
{
  const TfPersistFlags flags[] = { TF_PERSIST_REPLACE, TF_PERSIST_REPLACE | TF_PERSIST_DURABLE,
                                   TF_PERSIST_REPLACE | TF_PERSIST_BACKUP };
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;

  set_dir (TRUE);
  set_system (ALL_THERE);
  path = g_build_filename (dir, "doc", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (flags) * 2; i++)
    {
      guint n_replaced = 0;
      gboolean reached = TRUE;

      set_system (i % 2 == 0 ? ALL_THERE : NO_TMPFILE);
      for (guint at = 1; reached; at++)
        {
          g_autoptr(TfTempFile) file = make (i % 2 == 0 ? UNNAMED : IN_MEMORY);
          g_autoptr(GError) error = NULL;
          struct stat st;

          reached = persist_with_meddling (file, path, flags[i / 2], put_their_secret, at, &error);
          g_assert_no_error (error);
          g_assert_cmpint (stat (path, &st), ==, 0);
          g_assert_true (has_content (path, "new content") || has_content (path, "theirs"));
          if (reached)
            g_assert_cmphex (st.st_mode & 07777, ==, 0600);
          if (reached && has_content (path, "new content"))
            {
              n_replaced++;
              g_assert_true (!(flags[i / 2] & TF_PERSIST_BACKUP) || has_content (backup, "theirs"));
            }
          g_assert_finalize_object (g_steal_pointer (&file));
          g_assert_cmpint (unlink (path), ==, 0);
          remove_others ("");
        }
      g_assert_cmpuint (n_replaced, >, 0);
    }
  set_system (ALL_THERE);
}

/* Without hard links and RENAME_NOREPLACE, an empty file takes the name. What another process puts in its place is replaced
 * in the last moment only. */
static void
test_taken_over (void)
{
  g_autofree char *path = NULL;
  guint n_replaced = 0;
  gboolean reached = TRUE;

  set_dir (TRUE);
  set_system (NOTHING);
  path = g_build_filename (dir, "doc", NULL);
  for (guint at = 1; reached; at++)
    {
      g_autoptr(TfTempFile) file = make (IN_MEMORY);
      g_autoptr(GError) error = NULL;

      reached = persist_with_meddling (file, path, TF_PERSIST_NONE, put_their_secret, at, &error);
      g_assert_true (has_content (path, "theirs") || (error == NULL && has_content (path, "new content")));
      n_replaced += reached && has_content (path, "new content");
      remove_others ("");
    }
  set_system (ALL_THERE);
  g_assert_cmpuint (n_replaced, <=, 1);
}

static void
put_their_dir (void)
{
  g_autofree char *backup = g_build_filename (dir, "doc~", NULL);

  unlink (backup);
  g_assert_cmpint (mkdir (backup, 0700), ==, 0);
}

/* If it cannot be given its name back, it stays under the temporary one. */
static void
test_dir_at_backup_stays (void)
{
  g_autoptr(TfTempFile) file = NULL;
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;
  g_autoptr(GFile) destination = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(GDir) names = NULL;
  const char *name;
  guint n_dirs = 0;

  if (tf_test_skip_if_portable ("names that are exchanged"))
    return;

  set_dir (TRUE);
  set_system (ALL_THERE);
  file = make (IN_MEMORY);
  path = g_build_filename (dir, "doc", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  destination = g_file_new_for_path (path);
  put_old (path);
  g_assert_true (g_file_set_contents (backup, "older", -1, NULL));
  before_exchange = put_their_dir;
  n_exchanges = 0;
  failing_exchange = 2;
  g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Persisting a file: unlink “*/.tmp-*”: *");
  g_assert_true (tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP,
                                       NULL, NULL, NULL, NULL, &error));
  failing_exchange = 0;
  g_test_assert_expected_messages ();
  g_assert_no_error (error);
  g_assert_cmpuint (n_exchanges, >=, 2);
  g_assert_true (has_content (path, "new content"));
  g_assert_true (has_content (backup, "old"));

  names = g_dir_open (dir, 0, NULL);
  while ((name = g_dir_read_name (names)) != NULL)
    {
      g_autofree char *other = g_build_filename (dir, name, NULL);

      n_dirs += rmdir (other) == 0;
    }
  g_assert_cmpuint (n_dirs, ==, 1);
  remove_others ("");
}

/* A directory that another process gives the name of the backup in the moment of the last step keeps it. */
static void
test_dir_at_backup (void)
{
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;
  g_autoptr(GFile) destination = NULL;

  if (tf_test_skip_if_portable ("names that are exchanged"))
    return;

  set_dir (TRUE);
  set_system (ALL_THERE);
  path = g_build_filename (dir, "doc", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  destination = g_file_new_for_path (path);
  for (int has_former = 0; has_former < 2; has_former++)
    {
      g_autoptr(TfTempFile) file = make (IN_MEMORY);
      g_autoptr(GError) error = NULL;

      put_old (path);
      if (has_former)
        g_assert_true (g_file_set_contents (backup, "older", -1, NULL));
      before_exchange = put_their_dir;
      g_assert_false (tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP,
                                            NULL, NULL, NULL, NULL, &error));
      g_assert_null (before_exchange);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY);
      g_assert_true (has_content (path, "old"));
      g_assert_cmpint (rmdir (backup), ==, 0);
      assert_no_litter (file, path);
      remove_others ("");
    }
}

static void
put_dir_in_place (void)
{
  g_autofree char *path = g_build_filename (dir, "doc", NULL);
  g_autofree char *moved = g_build_filename (dir, "moved", NULL);

  g_assert_cmpint (rename (path, moved), ==, 0);
  g_assert_cmpint (mkdir (path, 0700), ==, 0);
}

/* A directory that another process puts in the place of the document stays there. */
static void
test_dir_in_place (void)
{
  g_autofree char *path = NULL;
  g_autofree char *moved = NULL;
  g_autofree char *backup = NULL;
  guint n_failures = 0;

  set_dir (TRUE);
  set_system (NO_HARD_LINKS);
  path = g_build_filename (dir, "doc", NULL);
  moved = g_build_filename (dir, "moved", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  for (guint at = 1; at == 1 || g_file_test (moved, G_FILE_TEST_EXISTS); at++)
    {
      g_autoptr(TfTempFile) file = make (IN_MEMORY);
      g_autoptr(GError) error = NULL;

      remove_others ("");
      put_old (path);
      if (!persist_with_meddling (file, path, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, put_dir_in_place, at, &error))
        continue;

      if (error != NULL)
        {
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY);
          g_assert_true (has_content (backup, "old") || !g_file_test (backup, G_FILE_TEST_EXISTS));
          n_failures++;
        }
      g_assert_true (has_content (moved, error != NULL ? "old" : "new content"));
      g_assert_cmpint (rmdir (path), ==, 0);
    }

  set_system (ALL_THERE);
  g_assert_cmpuint (n_failures, >, 0);
  remove_others ("");
}

static void
persist_by_other (void)
{
  g_autoptr(TfTempFile) file = make (IN_MEMORY);
  g_autofree char *path = g_build_filename (dir, "doc", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (path);

  g_assert_true (tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP,
                                       NULL, NULL, NULL, NULL, NULL));
}

/* A backup that one makes, and another one has found there, stays if the first one fails. */
static void
test_backup_of_two (void)
{
  g_autoptr(TfTempFile) file = NULL;
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;
  g_autoptr(GFile) destination = NULL;

  set_dir (TRUE);
  set_system (ALL_THERE);
  path = g_build_filename (dir, "doc", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  destination = g_file_new_for_path (path);
  for (int has_former = 0; has_former < 2; has_former++)
    {
      put_old (path);
      if (has_former)
        g_assert_true (g_file_set_contents (backup, "older", -1, NULL));
      g_clear_object (&file);
      file = make (IN_MEMORY);
      before_failing_rename = persist_by_other;
      g_assert_false (tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP,
                                            NULL, NULL, NULL, NULL, NULL));
      g_assert_null (before_failing_rename);
      g_assert_true (has_content (path, "new content"));
      g_assert_true (has_content (backup, "old"));
      g_assert_cmpint (unlink (backup), ==, 0);
      assert_no_litter (file, path);
      remove_others ("");
    }
}

static void
put_their_backup (void)
{
  g_autofree char *backup = g_build_filename (dir, "doc~", NULL);
  g_autofree char *fresh = g_build_filename (dir, "theirs", NULL);

  g_assert_true (g_file_set_contents (fresh, "theirs", -1, NULL));
  g_assert_cmpint (rename (fresh, backup), ==, 0);
}

static void
put_their_newer_backup (void)
{
  g_autofree char *backup = g_build_filename (dir, "doc~", NULL);
  g_autofree char *fresh = g_build_filename (dir, "theirs", NULL);

  g_assert_true (g_file_set_contents (fresh, "newer", -1, NULL));
  g_assert_cmpint (rename (fresh, backup), ==, 0);
}

/* The same twice, before the names are exchanged back and before what was found is given back. */
static void
test_backup_replaced_twice (void)
{
  if (tf_test_skip_if_portable ("names that are exchanged"))
    return;

  begin_with_former_backup ();
  n_exchanges = 0;
  before_second_exchange = put_their_backup;
  before_third_exchange = put_their_newer_backup;
  broken_call = "renameat";
  g_assert_false (persist_doc (IN_MEMORY, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, NULL));
  broken_call = NULL;
  g_assert_null (before_third_exchange);
  assert_docs_and_litter ("old", "theirs", "newer");
}

/* Another process makes the same backup, and replaces the document, of which the server tells nothing more then. */
static void
back_up_and_replace (void)
{
  g_autofree char *path = get_doc ();
  g_autofree char *backup = get_backup ();

  g_assert_cmpint (link (path, backup), ==, 0);
  put_theirs ();
  hides_replaced = TRUE;
}

static void
back_up_for_a_moment (void)
{
  back_up_and_replace ();
  before_backup_look = put_their_backup;
}

/* Nobody may read it, and each name has a number of its own. */
static void
back_up_unreadably (void)
{
  back_up_and_replace ();
  are_numbered_by_name = forbids_backup = TRUE;
}

/* The temporary name cannot be looked at once. */
static void
back_up_out_of_sight (void)
{
  back_up_and_replace ();
  fail_errno = ESTALE;
  fails_once = "statx";
}

static void
test_same_backup (void)
{
  void (*const funcs[]) (void) = { back_up_and_replace, back_up_for_a_moment, back_up_unreadably, back_up_out_of_sight };

  for (gsize i = 0; i < G_N_ELEMENTS (funcs); i++)
    {
      g_autoptr(GError) error = NULL;

      begin_with_old_doc ();
      no_rename_flags = TRUE;
      before_backup_rename = funcs[i];
      persist_doc (UNNAMED, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, &error);
      no_rename_flags = hides_replaced = are_numbered_by_name = forbids_backup = FALSE;
      g_assert_no_error (error);
      g_assert_null (before_backup_rename);
      g_assert_null (before_backup_look);
      g_assert_null (fails_once);
      assert_docs ("new content", "old");
    }
}

/* Another machine replaces what may be a symlink while it is looked at. */
static void
test_stale_link (void)
{
  g_autoptr(GError) error = NULL;

  begin_with_old_doc ();
  fail_errno = ESTALE;
  fails_once = "fstatat64";
  persist_doc (IN_MEMORY, TF_PERSIST_REPLACE | TF_PERSIST_FOLLOW_SYMLINK, &error);
  g_assert_no_error (error);
  g_assert_null (fails_once);
  assert_docs ("new content", NULL);
}

/* Others replace the document, or its backup, while it is copied or looked at. */
static void
test_stale_when_backed_up (void)
{
  const System systems[] = { NO_HARD_LINKS, ALL_THERE };

  for (gsize i = 0; i < G_N_ELEMENTS (systems); i++)
    {
      g_autoptr(GError) error = NULL;

      begin_with_old_doc ();
      set_system (systems[i]);
      is_stale_once = i == 0;
      is_backup_stale = i == 1;
      persist_doc (IN_MEMORY, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, &error);
      set_system (ALL_THERE);
      g_assert_no_error (error);
      g_assert_false (is_stale_once || is_backup_stale);
      assert_docs ("new content", "old");
    }
}

static void
lose_sight_of_doc (void)
{
  is_doc_out_of_sight = TRUE;
}

/* Returns whether the call that was to fail was reached; or, without one, refuses to show the document. */
static gboolean
refuse_with_backup (const char *path,
                    const char *backup,
                    const char *former, /* (nullable) */
                    guint       at,
                    int         with)
{
  g_autoptr(TfTempFile) file = make (IN_MEMORY);
  g_autoptr(GFile) destination = g_file_new_for_path (path);

  remove_others ("");
  put_old (path);
  g_assert_true (former == NULL || g_file_set_contents (backup, former, -1, NULL));
  n_calls = 0;
  failed_call = NULL;
  fail_errno = with;
  fail_at = at;
  broken_call = "renameat";
  meddle = at == 0 ? lose_sight_of_doc : NULL;
  g_assert_false (tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, NULL, NULL, NULL, NULL, NULL));
  broken_call = NULL;
  fail_at = 0;
  is_doc_out_of_sight = FALSE;
  g_assert_true (has_content (path, "old"));
  return failed_call != NULL;
}

/* If the last step is refused, and a call fails as well, the former backup gets its name back, or has a temporary one.
 * EACCES makes the library look in another way, which does not tell as much. */
static void
test_refused_with_backup (void)
{
  const int errnos[] = { EIO, EACCES };
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;

  if (tf_test_skip_if_portable ("names that are exchanged"))
    return;

  set_dir (TRUE);
  set_system (ALL_THERE);
  shown_type = F2FS; /* inode numbers last there, and there is no journal */
  path = g_build_filename (dir, "doc", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (errnos); i++)
    {
      const char *former = i % 2 == 0 ? "older" : NULL;
      guint at = 0;

      while (refuse_with_backup (path, backup, former, at, errnos[i / 2]) || at == 0)
        {
          /* What cannot be looked at once is looked at again. */
          if (g_strcmp0 (failed_call, "fstatat64") == 0 || g_strcmp0 (failed_call, "statx") == 0)
            g_assert_true (former != NULL ? has_content (backup, former) : !g_file_test (backup, G_FILE_TEST_EXISTS));
          else if (former != NULL && !has_content (backup, former))
            assert_litter (former);
          at++;
        }
      g_assert_cmpuint (at, >, 10);
    }

  shown_type = 0;
  remove_others ("");
}

static void
let_next_openat_fail (void)
{
  fail_errno = EIO;
  fails_once = "openat";
}

/* If a local disk refuses to exchange the names, the inode numbers tell that nothing has changed, and nothing
 * need be opened. */
static void
test_refused_exchange (void)
{
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("names that are exchanged"))
    return;

  begin_with_former_backup ();
  n_exchanges = 0;
  failing_exchange = 1;
  before_exchange = let_next_openat_fail;
  g_assert_false (persist_doc (IN_MEMORY, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, &error));
  failing_exchange = 0;
  fails_once = NULL;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  assert_docs ("old", "older");
}

/* If nothing can be read on a server that has refused to exchange the names, it is not known whether it has. Both backups stay,
 * and the error alone says where. */
static void
test_exchange_not_known (void)
{
  g_autoptr(GError) error = NULL;
  guint handler;

  if (tf_test_skip_if_portable ("names that are exchanged"))
    return;

  begin_with_former_backup ();
  shown_type = FUSE;
  n_exchanges = 0;
  failing_exchange = 1;
  before_exchange = let_next_openat_fail;
  forbids_backup = TRUE;
  n_told = 0;
  handler = g_log_set_handler ("Tf", G_LOG_LEVEL_MESSAGE, tell_all, NULL);
  g_assert_false (persist_doc (IN_MEMORY, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, &error));
  g_log_remove_handler ("Tf", handler);
  forbids_backup = FALSE;
  failing_exchange = 0;
  shown_type = 0;
  g_assert_cmpuint (n_told, ==, 0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_true (g_str_has_prefix (error->message, "The new backup or the former one is at “"));
  assert_docs_and_litter ("old", "older", "old");
}

/* Where all files have one number, or each name has one, an exchange that fails is not taken for one that was done, and what
 * is exchanged back is not taken for the backup. */
static void
test_backup_where_alike (void)
{
  const System systems[] = { ALL_THERE, NO_HARD_LINKS };

  if (tf_test_skip_if_portable ("names that are exchanged"))
    return;

  for (guint i = 0; i < 12 * G_N_ELEMENTS (systems); i++)
    {
      g_autofree char *path = NULL;
      g_autofree char *backup = NULL;
      gboolean success;

      begin_with_former_backup ();
      path = get_doc ();
      backup = get_backup ();
      set_system (systems[i / 12]);
      are_alike = i % 6 < 3;
      are_numbered_by_name = !are_alike;
      hides_backup = i % 12 >= 6;
      shown_type = FUSE;
      n_exchanges = 0;
      failing_exchange = i % 3;
      broken_call = i % 3 == 1 ? NULL : "renameat";
      success = persist_doc (IN_MEMORY, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, NULL);
      broken_call = NULL;
      failing_exchange = 0;
      shown_type = 0;
      are_alike = are_numbered_by_name = hides_backup = FALSE;
      set_system (ALL_THERE);
      g_assert_true (has_content (path, success ? "new content" : "old"));
      if (success)
        g_assert_true (has_content (backup, "old"));
      else if (!has_content (backup, "older"))
        assert_litter ("older");
      remove_others ("");
    }
}

/* Where there was no backup, it is moved aside before it is removed, so that what takes its name right then stays. */
static void
test_new_backup_replaced (void)
{
  if (tf_test_skip_if_portable ("names that are exchanged"))
    return;

  begin_with_old_doc ();
  is_known_fs = TRUE;
  before_backup_goes = put_their_backup;
  broken_call = "renameat";
  g_assert_false (persist_doc (IN_MEMORY, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, NULL));
  broken_call = NULL;
  is_known_fs = FALSE;
  g_assert_null (before_backup_goes);
  assert_docs ("old", "theirs");
}

/* What another process puts there right before the new backup is taken back stays, if only under the temporary name. */
static void
test_replaced_before_taken_back (void)
{
  if (tf_test_skip_if_portable ("names that are exchanged"))
    return;

  set_dir (TRUE);
  set_system (ALL_THERE);
  for (failing_exchange = 0; failing_exchange <= 3; failing_exchange += 3)
    {
      g_autoptr(TfTempFile) file = make (IN_MEMORY);
      g_autofree char *path = g_build_filename (dir, "doc", NULL);
      g_autofree char *backup = g_build_filename (dir, "doc~", NULL);
      g_autoptr(GFile) destination = g_file_new_for_path (path);

      put_old (path);
      g_assert_true (g_file_set_contents (backup, "older", -1, NULL));
      n_exchanges = 0;
      before_second_exchange = put_their_backup;
      broken_call = "renameat";
      g_assert_false (tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP,
                                            NULL, NULL, NULL, NULL, NULL));
      broken_call = NULL;
      g_assert_null (before_second_exchange);
      g_assert_cmpuint (n_exchanges, ==, 3);
      g_assert_true (has_content (path, "old"));
      g_assert_true (has_content (backup, failing_exchange == 0 ? "theirs" : "older"));
      if (failing_exchange != 0)
        assert_litter ("theirs");
      g_assert_cmpuint (tf_test_count_entries (dir), ==, failing_exchange == 0 ? 2 : 3);
      remove_others ("");
    }

  failing_exchange = 0;
}

/* Tries to bring the file to the disk; the call number @at fails. */
static void
sync_with_failure (TfTempFile  *file,
                   GFile       *destination,
                   guint        at,
                   int          with,
                   GError     **error)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();

  failed_call = NULL;
  n_calls = 0;
  fail_errno = with;
  fail_at = at;
  tf_temp_file_persist (file, destination, TF_PERSIST_DURABLE, cancellable, NULL, NULL, NULL, error);
  fail_at = 0;
  g_assert_nonnull (failed_call);
}

/* Returns whether it is @call that has failed. */
static gboolean
lose_with_failure (const char *call,
                   guint       at)
{
  g_autoptr(TfTempFile) file = make (UNNAMED);
  g_autofree char *path = g_build_filename (dir, "doc", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GError) error = NULL;

  sync_with_failure (file, destination, at, ENOSPC, &error);
  if (!g_str_equal (failed_call, call))
    {
      unlink (path);
      return FALSE;
    }

  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);
  g_assert_false (tf_temp_file_persist (file, destination, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  write_again (file);
  g_assert_true (tf_temp_file_persist (file, destination, TF_PERSIST_DURABLE, NULL, NULL, NULL, NULL, NULL));
  g_assert_true (has_content (path, "new content"));
  g_assert_cmpint (unlink (path), ==, 0);
  return TRUE;
}

/* Returns whether it is fsync() that has failed. */
static gboolean
refuse_to_sync (guint at)
{
  g_autoptr(TfTempFile) file = make (UNNAMED);
  g_autofree char *path = g_build_filename (dir, "doc", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GError) error = NULL;
  gboolean is_refused;

  sync_with_failure (file, destination, at, EINVAL, &error);
  is_refused = g_str_equal (failed_call, "fsync");
  if (is_refused)
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
      g_assert_true (tf_temp_file_persist (file, destination, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, NULL));
    }
  unlink (path);
  return is_refused;
}

/* Nothing is lost where the file system does not know the call. */
static void
test_not_synced (void)
{
  if (tf_test_skip_if_portable ("files without a name that can get one"))
    return;

  set_dir (TRUE);
  set_system (ALL_THERE);
  for (guint at = 1; !refuse_to_sync (at); at++)
    ;
}

/* The kernel says once that it could not write to the disk, and takes what it has for written then. */
static void
test_lost (void)
{
  const char *const calls[] = { "fsync", "sync_file_range" };

  if (tf_test_skip_if_portable ("files without a name that can get one"))
    return;

  set_dir (TRUE);
  set_system (ALL_THERE);
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    for (guint at = 1; !lose_with_failure (calls[i], at); at++)
      ;
}

/* The size tells it where another process was told the error. */
static void
test_lost_copy (void)
{
  g_autoptr(TfTempFile) file = NULL;
  g_autofree char *path = NULL;
  g_autoptr(GFile) destination = NULL;
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("a call for what the kernel knows of a file"))
    return;

  set_dir (TRUE);
  set_system (ALL_THERE);
  file = make (IN_MEMORY);
  path = g_build_filename (dir, "doc", NULL);
  destination = g_file_new_for_path (path);
  loses_when_settled = TRUE;
  g_assert_false (tf_temp_file_persist (file, destination, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error));
  loses_when_settled = FALSE;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpuint (tf_test_count_entries (dir), ==, 0);

  g_assert_true (tf_temp_file_persist (file, destination, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, NULL));
  g_assert_true (has_content (path, "new content"));
  g_assert_cmpint (unlink (path), ==, 0);
}

static void
die (void)
{
  raise (SIGKILL);
}

static void
persist_and_die (void)
{
  g_autoptr(TfTempFile) file = make (IN_MEMORY);
  g_autofree char *path = g_build_filename (dir, "doc", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (path);

  before_exchange = put_their_backup;
  broken_call = "fsync";
  meddle = die;
  tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP | TF_PERSIST_DURABLE,
                        NULL, NULL, NULL, NULL, NULL);
}

/* What takes the name of a backup in the moment in which that is made is known to sweeps, also where nothing had it. */
static void
test_killed_after_exchange (void)
{
  g_autofree char *path = NULL;
  int status;
  pid_t pid;

  if (tf_test_skip_if_portable ("names that are exchanged"))
    return;

  set_dir (TRUE);
  set_system (ALL_THERE);
  path = g_build_filename (dir, "doc", NULL);
  put_old (path);
  is_known_fs = TRUE;
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      persist_and_die ();
      _exit (0);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_true (tf_sweep (NULL, dir, 0, NULL, NULL, NULL));
  is_known_fs = FALSE;
  g_assert_true (has_content (path, "new content"));
  g_assert_cmpuint (tf_test_count_entries (dir), ==, 2);
  remove_others ("");
}

/* The same where there was no backup before: that of the other process stays, whether the new one was linked or copied. */
static void
test_backup_replaced_before_taken_back (void)
{
  const System systems[] = { ALL_THERE, NO_HARD_LINKS };
  g_autofree char *path = NULL;
  g_autofree char *backup = NULL;

  if (tf_test_skip_if_portable ("names that are exchanged"))
    return;

  set_dir (TRUE);
  path = g_build_filename (dir, "doc", NULL);
  backup = g_build_filename (dir, "doc~", NULL);
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (systems); i++)
    {
      g_autoptr(TfTempFile) file = make (IN_MEMORY);
      g_autoptr(GFile) destination = g_file_new_for_path (path);

      set_system (systems[i / 2]);
      put_old (path);
      are_alike = i % 2 == 1;
      broken_call = "renameat";
      meddle = put_their_backup;
      g_assert_false (tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP,
                                            NULL, NULL, NULL, NULL, NULL));
      broken_call = NULL;
      are_alike = FALSE;
      set_system (ALL_THERE);
      g_assert_null (meddle);
      g_assert_true (has_content (path, "old"));
      g_assert_true (has_content (backup, "theirs"));
      g_assert_cmpuint (tf_test_count_entries (dir), ==, 2);
      remove_others ("");
    }
}

/* The file of another process has the name when a persist is undone that has failed. */
static void
test_not_taken_back (void)
{
  const struct { System system; TfPersistFlags flags; const char *call; } cases[] = {
    { NOTHING, TF_PERSIST_NONE, "renameat" },
    { ONLY_HARD_LINKS, TF_PERSIST_NONE, "unlinkat" },
  };
  g_autofree char *path = NULL;

  set_dir (TRUE);
  path = g_build_filename (dir, "doc", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(TfTempFile) file = make (IN_MEMORY);
      g_autoptr(GFile) destination = g_file_new_for_path (path);
      g_autoptr(GError) error = NULL;
      gboolean success;

      set_system (cases[i].system);
      broken_call = cases[i].call;
      meddle = put_theirs;
      success = tf_temp_file_persist (file, destination, cases[i].flags, NULL, NULL, NULL, NULL, &error);
      broken_call = NULL;
      set_system (ALL_THERE);

      /* Without a birth time, another inode number after a link is no sign of another file. */
      g_test_message ("%s: %s", cases[i].call, success ? "done" : error->message);
      g_assert_true (success == (cases[i].system == ONLY_HARD_LINKS && tf_test_is_portable ()));
      g_assert_null (meddle);
      g_assert_true (has_content (path, "theirs"));
      if (!g_str_equal (cases[i].call, "unlinkat"))
        assert_no_litter (file, path);
      remove_others ("");
    }
}

static void
end_at_once (void)
{
}

static void
fork_meanwhile (void)
{
  tf_test_in_child (end_at_once);
}

/* A file that was persisted before is copied. Whenever the process forks meanwhile, what is written afterwards belongs to
 * the copy. */
static void
test_fork_meanwhile (void)
{
  g_autofree char *first = NULL;
  g_autofree char *path = NULL;
  gboolean reached = TRUE;

  set_dir (TRUE);
  set_system (ALL_THERE);
  first = g_build_filename (dir, "first", NULL);
  path = g_build_filename (dir, "doc", NULL);
  for (guint at = 1; reached; at++)
    {
      g_autoptr(TfTempFile) file = make (at % 2 == 0 ? UNNAMED : IN_MEMORY);
      g_autoptr(GError) error = NULL;

      persist_with_meddling (file, first, TF_PERSIST_NONE, NULL, 0, &error);
      g_assert_no_error (error);
      reached = persist_with_meddling (file, path, TF_PERSIST_DURABLE, fork_meanwhile, at, &error);
      g_assert_no_error (error);
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 11);
      g_assert_true (tf_temp_file_write (file, "!", 1, NULL, &error));
      g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
      g_assert_no_error (error);
      g_assert_true (has_content (first, "new content"));
      g_assert_true (has_content (path, "new content!"));
      remove_others ("");
    }
}

/* A forked child may be using the offset while a file is copied. */
static void
test_offset_of_copied (void)
{
  g_autoptr(TfTempFile) from = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(TfTempFile) to = tf_temp_file_new (NULL, NULL, NULL);
  int from_fd = tf_temp_file_get_fd (from, NULL, NULL);
  int to_fd = tf_temp_file_get_fd (to, NULL, NULL);
  goffset size = 100000;
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("files that are opened again"))
    return;

  g_assert_cmpint (ftruncate (from_fd, 100000), ==, 0);
  g_assert_cmpint (pwrite (from_fd, "data", 4, 50000), ==, 4);
  g_assert_cmpint (lseek (from_fd, 5, SEEK_SET), ==, 5);
  g_assert_true (tf_disk_copy_file (from_fd, "original", &size, to_fd, "copy", NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (lseek (from_fd, 0, SEEK_CUR), ==, 5);
}

/* A sandbox can refuse to change the size of files. */
static void
test_copy_without_truncation (void)
{
  g_autoptr(TfTempFile) from = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(TfTempFile) to = tf_temp_file_new (NULL, NULL, NULL);
  int from_fd = tf_temp_file_get_fd (from, NULL, NULL);
  int to_fd = tf_temp_file_get_fd (to, NULL, NULL);
  goffset size = -1;
  g_autoptr(GError) error = NULL;
  char buffer[8];

  g_assert_cmpint (write (from_fd, "content", 7), ==, 7);
  broken_call = "ftruncate64";
  tf_disk_copy_file (from_fd, "original", &size, to_fd, "copy", NULL, NULL, &error);
  broken_call = NULL;
  g_assert_no_error (error);
  g_assert_cmpint (pread (to_fd, buffer, sizeof buffer, 0), ==, 7);
}

/* Also where a size has 32 bits. */
static void
test_copy_of_more_than_4_gib (void)
{
  const goffset whole = ((goffset) 1 << 32) + 5;
  goffset size = -1;
  g_autoptr(TfTempFile) from = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(TfTempFile) to = tf_temp_file_new (NULL, NULL, NULL);
  int from_fd = tf_temp_file_get_fd (from, NULL, NULL);
  int to_fd = tf_temp_file_get_fd (to, NULL, NULL);
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("a call that copies"))
    return;

  if (!g_seekable_truncate (G_SEEKABLE (from), whole, NULL, NULL))
    {
      g_test_skip ("the file system has no files of 4 GiB");
      return;
    }

  /* The first call would share the blocks. */
  n_calls = 0;
  fail_errno = EOPNOTSUPP;
  fail_at = 1;
  pretends_to_copy = TRUE;
  g_assert_true (tf_disk_copy_file (from_fd, "original", &size, to_fd, "copy", NULL, NULL, &error));
  pretends_to_copy = FALSE;
  fail_at = 0;

  g_assert_no_error (error);
  g_assert_cmpstr (failed_call, ==, "ioctl");
  g_assert_cmpint (size, ==, whole);
  g_assert_cmpint (n_pretended, ==, whole);
}

int
main (int    argc,
      char **argv)
{
  const char *names[N_SYSTEMS] = {
    "all-there", "no-tmpfile", "no-empty-path", "no-proc", "no-hard-links", "nothing",
  };

  tf_test_init (&argc, &argv);
  tf_test_start_worker ();

  /* The first one, because after a failure it takes a second until another journal is tried. */
  g_test_add_func ("/persist-faults/killed-after-exchange", test_killed_after_exchange);
  g_test_add_func ("/persist-faults/lost", test_lost);
  g_test_add_func ("/persist-faults/lost-copy", test_lost_copy);
  g_test_add_func ("/persist-faults/not-synced", test_not_synced);

  for (System system = ALL_THERE; system < N_SYSTEMS; system++)
    {
      g_autofree char *path = g_strconcat ("/persist-faults/", names[system], NULL);

      g_autofree char *done = g_strconcat ("/persist-faults/done/", names[system], NULL);

      g_test_add_data_func (path, GINT_TO_POINTER (system), test_sweep);
      g_test_add_data_func (done, GINT_TO_POINTER (system), test_done);
    }

  g_test_add_func ("/persist-faults/swapped-dir", test_swapped_dir);
  g_test_add_func ("/persist-faults/vanished", test_vanished);
  g_test_add_func ("/persist-faults/stale", test_stale);
  g_test_add_func ("/persist-faults/replaced-beside-backup", test_replaced_beside_backup);
  g_test_add_func ("/persist-faults/backup", test_backup);
  g_test_add_func ("/persist-faults/equal-backup", test_equal_backup);
  g_test_add_func ("/persist-faults/stale-backup", test_stale_backup);
  g_test_add_func ("/persist-faults/backup-stays", test_backup_stays);
  g_test_add_func ("/persist-faults/unreadable-symlink", test_unreadable_symlink);
  g_test_add_func ("/persist-faults/not-taken-back", test_not_taken_back);
  g_test_add_func ("/persist-faults/backup-of-two", test_backup_of_two);
  g_test_add_func ("/persist-faults/replaced-before-taken-back", test_replaced_before_taken_back);
  g_test_add_func ("/persist-faults/backup-replaced-before-taken-back", test_backup_replaced_before_taken_back);
  g_test_add_func ("/persist-faults/refused-with-backup", test_refused_with_backup);
  g_test_add_func ("/persist-faults/refused-exchange", test_refused_exchange);
  g_test_add_func ("/persist-faults/exchange-not-known", test_exchange_not_known);
  g_test_add_func ("/persist-faults/alike-at-once", test_alike_at_once);
  g_test_add_func ("/persist-faults/linked-twin", test_linked_twin);
  g_test_add_func ("/persist-faults/not-renamed", test_not_renamed);
  g_test_add_func ("/persist-faults/linked-instead", test_linked_instead);
  g_test_add_func ("/persist-faults/same-backup", test_same_backup);
  g_test_add_func ("/persist-faults/stale-link", test_stale_link);
  g_test_add_func ("/persist-faults/stale-when-backed-up", test_stale_when_backed_up);
  g_test_add_func ("/persist-faults/backup-where-alike", test_backup_where_alike);
  g_test_add_func ("/persist-faults/backup-replaced-twice", test_backup_replaced_twice);
  g_test_add_func ("/persist-faults/new-backup-replaced", test_new_backup_replaced);
  g_test_add_func ("/persist-faults/copy-without-truncation", test_copy_without_truncation);
  g_test_add_func ("/persist-faults/vanished-dir", test_vanished_dir);
  g_test_add_func ("/persist-faults/unheard", test_unheard);
  g_test_add_func ("/persist-faults/lost-name", test_lost_name);
  g_test_add_func ("/persist-faults/never-heard", test_never_heard);
  g_test_add_func ("/persist-faults/missing-for-a-moment", test_missing_for_a_moment);
  g_test_add_func ("/persist-faults/no-links", test_no_links);
  g_test_add_func ("/persist-faults/not-replacing", test_not_replacing);
  g_test_add_func ("/persist-faults/alike", test_alike);
  g_test_add_func ("/persist-faults/backup-is-there", test_backup_is_there);
  g_test_add_func ("/persist-faults/gone-elsewhere", test_gone_elsewhere);
  g_test_add_func ("/persist-faults/exchanged-twice", test_exchanged_twice);
  g_test_add_func ("/persist-faults/created-meanwhile", test_created_meanwhile);
  g_test_add_func ("/persist-faults/taken-over", test_taken_over);
  g_test_add_func ("/persist-faults/dir-at-backup", test_dir_at_backup);
  g_test_add_func ("/persist-faults/dir-at-backup-stays", test_dir_at_backup_stays);
  g_test_add_func ("/persist-faults/dir-in-place", test_dir_in_place);
  g_test_add_func ("/persist-faults/fork-meanwhile", test_fork_meanwhile);
  g_test_add_func ("/persist-faults/offset-of-copied", test_offset_of_copied);
  g_test_add_func ("/persist-faults/copy-of-more-than-4-gib", test_copy_of_more_than_4_gib);

  return tf_test_run ();
}
