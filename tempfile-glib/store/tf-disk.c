/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "base/tf-fd.h"

/* Bytes moved between two looks at the cancellable. */
#define PIECE (8 * 1024 * 1024)

/* The page cache takes pieces of this size in large units. */
#define COPY_BUFFER (512 * 1024)

/* Reads on until @n_read is @count, or to the end of the file. */
gboolean
tf_disk_read (int            fd,
              const char    *where,
              goffset        offset,
              gpointer       data,
              gsize          count,
              gsize         *n_read,
              GCancellable  *cancellable,
              GError       **error)
{
  guint8 *bytes = data;

  while (*n_read < count)
    {
      gsize piece = MIN (count - *n_read, PIECE);
      gssize n;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      n = offset == TF_DISK_OWN_OFFSET ? read (fd, bytes + *n_read, piece)
                                       : pread (fd, bytes + *n_read, piece, offset + *n_read);
      if (n < 0 && errno != EINTR)
        return tf_errno_set (error, errno, "read", where);
      if (n == 0)
        break;
      if (n > 0)
        *n_read += n;
    }

  return TRUE;
}

/* Writes on until @n_written is @count. */
gboolean
tf_disk_write (int             fd,
               const char     *where,
               goffset         offset,
               gconstpointer   data,
               gsize           count,
               gsize          *n_written,
               GCancellable   *cancellable,
               GError        **error)
{
  const guint8 *bytes = data;

  while (*n_written < count)
    {
      gsize piece = MIN (count - *n_written, PIECE);
      gssize n;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      n = offset == TF_DISK_OWN_OFFSET ? write (fd, bytes + *n_written, piece)
                                       : pwrite (fd, bytes + *n_written, piece, offset + *n_written);
      if (n < 0 && errno != EINTR)
        return tf_errno_set (error, errno, "write", where);
      if (n > 0)
        *n_written += n;
    }

  return TRUE;
}

/* Whether copy_file_range(2) does no more there than to read and write in the kernel, one page after the other. */
static gboolean
copies_by_page (int fd)
{
  struct statfs fs;

  return fstatfs (fd, &fs) == 0 && (fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == TMPFS_MAGIC);
}

/* Lets the file system copy up to @count bytes where that beats reading and writing: because it shares the
 * blocks, or is on another machine. Returns how many it took, often 0. File systems that cannot, or not with
 * each other, say so by half a dozen errors: what is really wrong shows when the bytes are read and written. */
static gsize
clone_some (int     from,
            goffset from_offset,
            int     to,
            goffset to_offset,
            gsize   count)
{
  off64_t in = from_offset;
  off64_t out = to_offset;
  gssize n;

  if (copies_by_page (to))
    return 0;

  n = copy_file_range (from, &in, to, to_offset == TF_DISK_OWN_OFFSET ? NULL : &out, MIN (count, PIECE), 0);
  return MAX (n, 0);
}

/* Some of the bytes; none at the end. @buffer is made when it is needed. */
static gboolean
copy_some (int            from,
           goffset        from_offset,
           int            to,
           goffset        to_offset,
           const char    *where,
           guint8       **buffer,
           gsize          count,
           gsize         *n_copied,
           GCancellable  *cancellable,
           GError       **error)
{
  gssize n_read;

  *n_copied = clone_some (from, from_offset, to, to_offset, count);
  if (*n_copied > 0)
    return TRUE;

  if (*buffer == NULL)
    *buffer = g_try_malloc (COPY_BUFFER);
  if (*buffer == NULL)
    return tf_errno_set (error, ENOMEM, "write", where);

  n_read = TEMP_FAILURE_RETRY (pread (from, *buffer, MIN (count, COPY_BUFFER), from_offset));
  if (n_read < 0)
    return tf_errno_set (error, errno, "read", NULL);

  return tf_disk_write (to, where, to_offset, *buffer, n_read, n_copied, cancellable, error);
}

/* Copies on until @n_copied is @count, or to the end of @from, whose own offset is neither used nor moved. */
gboolean
tf_disk_copy (int            from,
              goffset        from_offset,
              int            to,
              const char    *where,
              goffset        to_offset,
              gsize          count,
              gsize         *n_copied,
              GCancellable  *cancellable,
              GError       **error)
{
  g_autofree guint8 *buffer = NULL;
  gboolean success = TRUE;
  gsize n = 1;

  while (success && n > 0 && *n_copied < count)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      success = copy_some (from, from_offset + *n_copied,
                           to, to_offset == TF_DISK_OWN_OFFSET ? to_offset : to_offset + (goffset) *n_copied,
                           where, &buffer, count - *n_copied, &n, cancellable, error);
      *n_copied += n;
    }

  return success;
}

goffset
tf_disk_get_size (int fd)
{
  struct stat st;

  return fstat (fd, &st) == 0 ? st.st_size : 0;
}

/* The same file with an offset of its own, since looking for holes moves it. Returns -1 where there is no
 * /proc, or where it may not be opened: then holes are copied as zeros. */
static int
open_again (int fd)
{
  char path[64];

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  return open (path, O_RDONLY | O_CLOEXEC);
}

/* The next range that is no hole, or an empty one at the end. */
static void
find_data (int      from,
           goffset *start,
           goffset *end,
           goffset  size)
{
  goffset data = lseek (from, *start, SEEK_DATA);
  goffset hole;

  if (data < 0)
    {
      /* ENXIO: only a hole is left. Else the file system does not tell. */
      *start = errno == ENXIO ? size : *start;
      *end = size;
      return;
    }

  hole = lseek (from, data, SEEK_HOLE);
  *start = MIN (data, size);
  *end = hole > data ? MIN (hole, size) : size;
}

static gboolean
copy_data (int            from,
           int            to,
           goffset        size,
           const char    *where,
           GCancellable  *cancellable,
           GError       **error)
{
  tf_autofd int map = open_again (from);
  goffset start = 0;
  goffset end;

  while (start < size)
    {
      gsize n_copied = 0;

      find_data (map, &start, &end, size);
      if (!tf_disk_copy (from, start, to, where, start, end - start, &n_copied, cancellable, error))
        return FALSE;

      start = end;
    }

  if (TEMP_FAILURE_RETRY (ftruncate (to, size)) != 0)
    return tf_errno_set (error, errno, "ftruncate", where);

  return TRUE;
}

/* Makes the empty file @to, at @where, a copy of @from: shares the blocks where the file system can,
 * else copies them, but not the holes. The offsets of both are left as they are. */
gboolean
tf_disk_copy_file (int            from,
                   int            to,
                   const char    *where,
                   GCancellable  *cancellable,
                   GError       **error)
{
  struct stat st;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  if (ioctl (to, FICLONE, from) == 0)
    return TRUE;

  if (fstat (from, &st) != 0)
    return tf_errno_set (error, errno, "fstat", where);

  return copy_data (from, to, st.st_size, where, cancellable, error);
}

/* Asked first, since fallocate() takes all there is before it finds that this is not enough, and others
 * have nothing meanwhile. A file system without a size of its own has no blocks. */
static gboolean
has_free_space (int     fd,
                goffset size)
{
  struct statvfs fs;
  struct stat st;

  if (fstatvfs (fd, &fs) != 0 || fs.f_blocks == 0 || fstat (fd, &st) != 0)
    return TRUE;

  return size / 512 <= st.st_blocks || (guint64) (size / 512 - st.st_blocks) / (MAX (fs.f_frsize, 512) / 512) <= fs.f_bavail;
}

/* Makes sure that there is room for a file of @size bytes, and changes nothing else. */
gboolean
tf_disk_reserve (int            fd,
                 const char    *where,
                 goffset        size,
                 GCancellable  *cancellable,
                 GError       **error)
{
  int saved_errno;

  if (!has_free_space (fd, size))
    return tf_errno_set (error, ENOSPC, "fallocate", where);

  /* A signal can interrupt it each time anew, fallocate(2): not for longer than the caller wants. */
  while (fallocate (fd, FALLOC_FL_KEEP_SIZE, 0, size) != 0)
    {
      saved_errno = errno;
      if (saved_errno == EINTR && !g_cancellable_set_error_if_cancelled (cancellable, error))
        continue;

      /* Gives back what it got before it failed. */
      (void) !ftruncate (fd, tf_disk_get_size (fd));
      return saved_errno != EINTR && tf_errno_set (error, saved_errno, "fallocate", where);
    }

  return TRUE;
}
