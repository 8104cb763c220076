/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Uses POSIX.1-2008, and three things that Linux, macOS and the BSDs have in addition: MAP_ANONYMOUS, /dev/urandom,
 * and the entry types of readdir(3). */

#include "tf-system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tf-fd.h"

#ifdef DT_DIR
G_STATIC_ASSERT (TF_SYSTEM_ENTRY_UNKNOWN == DT_UNKNOWN);
G_STATIC_ASSERT (TF_SYSTEM_ENTRY_DIR == DT_DIR);
#endif

guint tf_system_missing;
int tf_system_missing_errno = ENOSYS;

static int
fail_with_not_supported (void)
{
  errno = ENOTSUP;
  return -1;
}

gboolean
tf_system_stat (TfSystemStat *self,
                int           dir_fd,
                const char   *name)
{
  return tf_system_stat_basic (self, dir_fd, name);
}

gboolean
tf_system_has_server (const char *mount_path)
{
  return FALSE;
}

gboolean
tf_system_stat_known (TfSystemStat *self,
                      int           dir_fd,
                      const char   *name)
{
  return tf_system_stat_basic (self, dir_fd, name);
}

guint64
tf_system_get_mount (int         dir_fd,
                     const char *name)
{
  return 0;
}

gboolean
tf_system_is_in_memory (const char *dir)
{
  return FALSE;
}

gboolean
tf_system_hash_handle (int         dir_fd,
                       const char *name,
                       guint64    *hash)
{
  errno = ENOTSUP;
  return FALSE;
}

TfSystemFs
tf_system_get_fs (int fd)
{
  return TF_SYSTEM_FS_OTHER;
}

int
tf_system_forbid_cow (int fd)
{
  return fail_with_not_supported ();
}

int
tf_system_open_unnamed (int         dir_fd,
                        const char *dir,
                        guint       mode)
{
  return fail_with_not_supported ();
}

gboolean
tf_system_may_lose (int fd)
{
  return FALSE;
}

gboolean
tf_system_may_hide (int fd)
{
  return TRUE;
}

/* Does not use O_SEARCH: Linux does not have it, and on macOS a directory that is opened with it cannot be synced. */
int
tf_system_open_dir (const char *path)
{
  return TF_RETRY_EINTR (open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

int
tf_system_open_beneath (int         parent_fd,
                        const char *name)
{
  return fail_with_not_supported ();
}

void
tf_system_refresh (int fd)
{
}

void
tf_system_refresh_content (int fd)
{
}

int
tf_system_open_to_describe (int         dir_fd,
                            const char *name)
{
  return fail_with_not_supported ();
}

int
tf_system_open_again (int fd)
{
  return fail_with_not_supported ();
}

int
tf_system_open_pid (pid_t pid)
{
  return fail_with_not_supported ();
}

int
tf_system_open_memory (void)
{
  return fail_with_not_supported ();
}

int
tf_system_seal (int fd)
{
  return fail_with_not_supported ();
}

/* Not atomic: a child that another thread starts between the two calls inherits the descriptor. */
int
tf_system_dup_to (int fd,
                  int target)
{
  int result = TF_RETRY_EINTR (dup2 (fd, target));

  if (result >= 0)
    fcntl (result, F_SETFD, FD_CLOEXEC);

  return result;
}

char *
tf_system_make_fd_path (int fd)
{
  errno = ENOTSUP;
  return NULL;
}

char *
tf_system_find_path (int fd)
{
  return NULL;
}

/* Not supported: a lock of fcntl(2) ends when the first of several descriptors is closed, and children do not share
 * it. */
int
tf_system_lock (int      fd,
                gboolean exclusive)
{
  return fail_with_not_supported ();
}

void
tf_system_unlock (int fd)
{
}

int
tf_system_claim (int fd)
{
  return fail_with_not_supported ();
}

void
tf_system_unclaim (int fd)
{
}

guint
tf_system_get_file_uid (void)
{
  return geteuid ();
}

gboolean
tf_system_keeps_identities (int fd)
{
  return TRUE;
}

int
tf_system_lease (int fd)
{
  return fail_with_not_supported ();
}

void
tf_system_unlease (int fd)
{
}

int
tf_system_link_fd (int         fd,
                   int         dir_fd,
                   const char *name)
{
  return fail_with_not_supported ();
}

int
tf_system_rename (int             dir_fd,
                  const char     *from,
                  const char     *to,
                  TfSystemRename  how)
{
  return fail_with_not_supported ();
}

int
tf_system_chmod_dir (int                 parent_fd,
                     const char         *name,
                     const TfSystemStat *expected,
                     guint               mode)
{
  TfSystemStat found;

  if (!tf_system_stat (&found, parent_fd, name))
    return -1;

  if (found.device != expected->device || found.inode != expected->inode)
    {
      errno = ESTALE;
      return -1;
    }

  return fchmodat (parent_fd, name, mode, AT_SYMLINK_NOFOLLOW);
}

static gsize
append_entry (char                *end,
              const struct dirent *entry)
{
  TfSystemEntry *to = (gpointer) end;
  gsize length = strlen (entry->d_name) + 1;
  gsize alignment = G_ALIGNOF (TfSystemEntry);

  *to = (TfSystemEntry) {
    .inode = entry->d_ino,
    .size = (G_STRUCT_OFFSET (TfSystemEntry, name) + length + alignment - 1) / alignment * alignment,
#ifdef DT_DIR
    .type = entry->d_type,
#endif
  };
  memcpy (to->name, entry->d_name, length);
  return to->size;
}

/* Reads the whole directory at once: to continue later, a DIR would have to be kept open, with one more descriptor. */
gssize
tf_system_read_dir (int     fd,
                    char  **buffer,
                    gsize  *capacity)
{
  const gsize max_size = sizeof (TfSystemEntry) + sizeof (struct dirent) + 4096;
  tf_autofd int own_fd = fcntl (fd, F_DUPFD_CLOEXEC, 0);
  const struct dirent *entry;
  gsize size = 0;
  int saved_errno;
  DIR *dir;

  dir = own_fd >= 0 ? fdopendir (own_fd) : NULL;
  if (dir == NULL)
    return -1;

  tf_fd_steal (&own_fd);
  errno = 0;
  while ((entry = readdir (dir)) != NULL)
    {
      if (size + max_size > *capacity)
        {
          *capacity = MAX (TF_SYSTEM_DIR_BUFFER, 2 * *capacity);
          *buffer = g_realloc (*buffer, *capacity);
        }
      size += append_entry (*buffer + size, entry);
    }

  saved_errno = errno;
  closedir (dir);
  errno = saved_errno;
  return size > 0 || saved_errno == 0 ? (gssize) size : -1;
}

gssize
tf_system_list_xattrs (int    fd,
                       char  *names,
                       gsize  size)
{
  return fail_with_not_supported ();
}

gssize
tf_system_get_xattr (int         fd,
                     const char *name,
                     gpointer    value,
                     gsize       size)
{
  return fail_with_not_supported ();
}

int
tf_system_set_xattr (int            fd,
                     const char    *name,
                     gconstpointer  value,
                     gsize          size)
{
  return fail_with_not_supported ();
}

int
tf_system_remove_xattr (int         fd,
                        const char *name)
{
  return fail_with_not_supported ();
}

gssize
tf_system_pwritev (int                 fd,
                   const struct iovec *iov,
                   int                 n_iov,
                   goffset             offset)
{
  return pwrite (fd, iov[0].iov_base, iov[0].iov_len, offset);
}

int
tf_system_clone (int from,
                 int to)
{
  return fail_with_not_supported ();
}

gsize
tf_system_copy_range (int     from,
                      goffset from_offset,
                      int     to,
                      goffset to_offset,
                      gsize   count)
{
  return 0;
}

void
tf_system_find_data (int      fd,
                     goffset  size,
                     goffset *start,
                     goffset *end)
{
  *end = size;
}

/* Not supported: posix_fallocate() changes the size, and writes zeros on file systems that cannot allocate. */
gboolean
tf_system_hole_takes_room (int fd)
{
  return TRUE;
}

int
tf_system_allocate (int     fd,
                    goffset size)
{
  return fail_with_not_supported ();
}

int
tf_system_extend (int   fd,
                  gsize size)
{
  int result;

  do
    result = posix_fallocate (fd, 0, size);
  while (result == EINTR);

  errno = result;
  return result == 0 ? 0 : -1;
}

int
tf_system_check_written (int fd)
{
  return 0;
}

int
tf_system_sync_range (int     fd,
                      goffset start,
                      goffset length)
{
  return fail_with_not_supported ();
}

int
tf_system_open_memory_pressure (void)
{
  return -1;
}

guint
tf_system_count_descriptors (void)
{
  return 0;
}

static guint8 *
map (gsize size)
{
  gpointer data = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  return data != MAP_FAILED ? data : NULL;
}

guint8 *
tf_system_remap (guint8 *data,
                 gsize   old_size,
                 gsize   new_size)
{
  guint8 *mapping;

  if (data != NULL && new_size <= old_size)
    {
      if (new_size < old_size)
        munmap (data + new_size, old_size - new_size);
      return data;
    }

  mapping = map (new_size);
  if (mapping != NULL && data != NULL)
    {
      memcpy (mapping, data, old_size);
      munmap (data, old_size);
    }

  return mapping;
}

gboolean
tf_system_hide_from_children (gpointer data,
                              gsize    size)
{
  errno = ENOTSUP;
  return FALSE;
}

void
tf_system_occupy (gpointer data,
                  gsize    size)
{
}

void
tf_system_use_huge_pages (guint8   *data,
                          gsize     size,
                          gboolean  huge)
{
}

gboolean
tf_system_free_pages (guint8 *data,
                      gsize   size)
{
  return FALSE;
}

gboolean
tf_system_count_resident (guint8 *data,
                          gsize   size,
                          gsize  *resident)
{
  return FALSE;
}

void
tf_system_trim_heap (void)
{
}

guint8 *
tf_system_map_wiped_on_fork (void)
{
  errno = ENOTSUP;
  return NULL;
}

gboolean
tf_system_read_boot_id (guint8 id[TF_SYSTEM_BOOT_ID_SIZE])
{
  errno = ENOTSUP;
  return FALSE;
}

gint64
tf_system_get_uptime (void)
{
  return g_get_monotonic_time () / G_USEC_PER_SEC;
}

guint64
tf_system_get_pid_namespace (void)
{
  return 0;
}

guint64
tf_system_get_time_namespace (void)
{
  return 0;
}

guint64
tf_system_get_start_time (pid_t pid)
{
  return 0;
}

gboolean
tf_system_may_run (pid_t   pid,
                   guint64 start_time)
{
  return TRUE;
}

gboolean
tf_system_fill_random (guint8 *bytes,
                       gsize   n_bytes)
{
  return tf_fd_read_random (bytes, n_bytes);
}

const char *
tf_system_getenv (const char *name)
{
  return geteuid () == getuid () && getegid () == getgid () ? g_getenv (name) : NULL;
}
