/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tf-errno.h"
#include "tf-fd.h"
#include "tf-string.h"
#include "tf-system.h"

/* The number of bytes moved between two checks of the cancellable. */
#define PIECE (1024 * 1024)

/* In bytes. The page cache handles pieces of this size in large units. */
#define COPY_BUFFER (512 * 1024)

/* Continues reading until @n_read is @count, or to the end of the file. */
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

/* Continues writing until @n_written is @count. */
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
      /* Nothing would be written the next time either. */
      if (n == 0)
        return tf_errno_set (error, EIO, "write", where);
      if (n > 0)
        *n_written += n;
    }

  return TRUE;
}

/* Copies some of the bytes, none at the end. @buffer is allocated when it is needed. */
static gboolean
copy_some (int            from,
           const char    *from_where,
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

  *n_copied = tf_system_copy_range (from, from_offset, to, to_offset, MIN (count, PIECE));
  if (*n_copied > 0)
    return TRUE;

  if (*buffer == NULL)
    *buffer = g_try_malloc (COPY_BUFFER);
  if (*buffer == NULL)
    return tf_errno_set (error, ENOMEM, "write", where);

  n_read = TF_RETRY_EINTR (pread (from, *buffer, MIN (count, COPY_BUFFER), from_offset));
  if (n_read < 0)
    return tf_errno_set (error, errno, "read", from_where);

  return tf_disk_write (to, where, to_offset, *buffer, n_read, n_copied, cancellable, error);
}

/* Continues copying until @n_copied is @count, or to the end of @from, whose offset is neither used nor moved. */
gboolean
tf_disk_copy (int            from,
              const char    *from_where,
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

      success = copy_some (from, from_where, from_offset + *n_copied,
                           to, to_offset == TF_DISK_OWN_OFFSET ? to_offset : to_offset + (goffset) *n_copied,
                           where, &buffer, count - *n_copied, &n, cancellable, error);
      *n_copied += n;
    }

  return success;
}

/* Returns whether both files can be read and have the same bytes. No offset is used. */
gboolean
tf_disk_equals (int fd,
                int other)
{
  g_autofree guint8 *buffer = g_try_malloc (2 * COPY_BUFFER);
  goffset offset = 0;
  gsize n;

  if (buffer == NULL)
    return FALSE;

  do
    {
      gsize n_other = 0;

      n = 0;
      if (!tf_disk_read (fd, NULL, offset, buffer, COPY_BUFFER, &n, NULL, NULL) ||
          !tf_disk_read (other, NULL, offset, buffer + COPY_BUFFER, COPY_BUFFER, &n_other, NULL, NULL) ||
          n != n_other || memcmp (buffer, buffer + COPY_BUFFER, n) != 0)
        return FALSE;
      offset += n;
    }
  while (n == COPY_BUFFER);

  return TRUE;
}

/* Returns whether what has one name has the same bytes as what has the other one. Sets errno to what forbids to open one of
 * them, or to 0. */
gboolean
tf_disk_equals_at (int         dir_fd,
                   const char *name,
                   int         other_dir_fd,
                   const char *other)
{
  tf_autofd int fd = tf_fd_open_at (dir_fd, name);
  tf_autofd int other_fd = fd >= 0 ? tf_fd_open_at (other_dir_fd, other) : -1;
  gboolean result;

  if (other_fd < 0)
    return FALSE;

  result = tf_disk_equals (fd, other_fd);
  errno = 0;
  return result;
}

gboolean
tf_disk_get_size (int          fd,
                  const char  *where,
                  goffset     *size,
                  GError     **error)
{
  struct stat st;

  if (fstat (fd, &st) != 0)
    return tf_errno_set (error, errno, "fstat", where);

  *size = st.st_size;
  return TRUE;
}

/* A sandbox can refuse to change the size. */
static gboolean
has_size (int     fd,
          goffset size)
{
  struct stat st;

  return fstat (fd, &st) == 0 && st.st_size == size;
}

/* Copies up to @size bytes, without the holes that @map shows. @size becomes less if the file ends before. The size is only
 * set if there is a hole at the end: it would hide that bytes are lost. */
static gboolean
copy_data (int            from,
           const char    *from_where,
           int            map,
           int            to,
           goffset       *size,
           const char    *where,
           TfProgress    *progress,
           GCancellable  *cancellable,
           GError       **error)
{
  gboolean ends_with_hole = FALSE;
  goffset start = 0;
  goffset end;

  while (start < *size)
    {
      gsize n_copied = 0;

      tf_system_find_data (map, *size, &start, &end);
      end = MIN (end, start + TF_PROGRESS_PIECE);
      if (!tf_disk_copy (from, from_where, start, to, where, start, end - start, &n_copied, cancellable, error))
        return FALSE;

      if (start + (goffset) n_copied < end)
        *size = end = start + n_copied;
      start = end;
      ends_with_hole = n_copied == 0;
      tf_progress_report (progress, MIN (end, *size));
    }

  return !ends_with_hole || has_size (to, *size) || TF_RETRY_EINTR (ftruncate (to, *size)) == 0 ||
         tf_errno_set (error, errno, "ftruncate", where);
}

/* Copies what is behind @size, if there is something. */
static gboolean
copy_rest (int            from,
           const char    *from_where,
           int            to,
           goffset       *size,
           const char    *where,
           GCancellable  *cancellable,
           GError       **error)
{
  gsize n_copied = 1;
  guint8 byte;
  gssize n;

  /* What a network file system tells of the size may be old until the end is reached. */
  while (n_copied > 0 && (n = TF_RETRY_EINTR (pread (from, &byte, 1, *size))) != 0)
    {
      if (n < 0)
        return tf_errno_set (error, errno, "read", from_where);

      n_copied = 0;
      if (!tf_disk_copy (from, from_where, *size, to, where, *size, G_MAXSSIZE, &n_copied, cancellable, error))
        return FALSE;

      *size += n_copied;
    }

  return TRUE;
}

/* Returns whether other bytes than zeros are there. If not, errno is set, to EIO if they could be read. */
static gboolean
has_data (int     fd,
          goffset start,
          goffset end)
{
  guint8 bytes[32 * 1024];
  gssize n = 1;

  for (; start < end && n > 0; start += n)
    {
      n = TF_RETRY_EINTR (pread (fd, bytes, MIN (end - start, (goffset) sizeof bytes), start));
      if (n > 0 && !tf_string_is_zero (bytes, n))
        return TRUE;
    }

  if (n >= 0)
    errno = EIO;
  return FALSE;
}

/* Makes the kernel read up to @size what ends at @end for it. Where a file system confuses a file that has lost its name
 * with another one, the kernel reads no more of it than the other one has. A file that does end there has zeros behind. */
static gboolean
read_up_to (int          fd,
            const char  *where,
            goffset      end,
            goffset      size,
            GError     **error)
{
  int saved_errno;

  if (TF_RETRY_EINTR (ftruncate (fd, size)) != 0)
    return tf_errno_set (error, errno, "ftruncate", where);

  if (has_data (fd, end, size))
    return TRUE;

  saved_errno = errno;
  (void) !ftruncate (fd, end);
  return tf_errno_set (error, saved_errno, "read", where);
}

/* Reports errors of earlier writes that some file systems of FUSE and networks report only when a descriptor is closed, and
 * only once: @lost_errno, which may be NULL, keeps the error. @fd stays open. */
gboolean
tf_disk_settle (int          fd,
                const char  *where,
                int         *lost_errno,
                GError     **error)
{
  gboolean is_written;
  int close_errno;

  do
    {
      int copy = fcntl (fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

      if (copy < 0)
        return tf_errno_set (error, errno, "dup", where);

      close_errno = close (copy) == 0 ? 0 : errno;
    }
  while (close_errno == EINTR);

  /* Both are asked, so that neither tells it later. */
  is_written = !tf_system_may_lose (fd) || tf_system_check_written (fd) == 0;
  if (close_errno != 0)
    return tf_disk_set_lost (lost_errno, close_errno, "close", where, error);

  return is_written || tf_disk_set_lost (lost_errno, errno, "sync_file_range", where, error);
}

/* Does the same for a file of @size bytes that nobody else changes. A child process that was started meanwhile may have been
 * told the error, as it closed the descriptors that it got; then the size shows it, unless the file system does not know
 * files without a name. */
gboolean
tf_disk_settle_copy (int          fd,
                     const char  *where,
                     goffset      size,
                     GError     **error)
{
  struct stat st;

  if (!tf_disk_settle (fd, where, NULL, error))
    return FALSE;

  tf_system_refresh (fd);
  if (fstat (fd, &st) != 0)
    return errno == ENOENT || errno == ESTALE || tf_errno_set (error, errno, "fstat", where);

  return st.st_size >= size || read_up_to (fd, where, st.st_size, size, error);
}

/* Sets the error of a call that says that bytes which were written are lost. */
gboolean
tf_disk_set_lost (int         *lost_errno,
                  int          saved_errno,
                  const char  *call,
                  const char  *where,
                  GError     **error)
{
  if (lost_errno != NULL)
    *lost_errno = saved_errno;

  return tf_errno_set (error, saved_errno, call, where);
}

/* Copies a file that nobody else can change. */
static gboolean
copy_own (int            from,
          const char    *from_where,
          goffset        size,
          int            to,
          const char    *where,
          TfProgress    *progress,
          GCancellable  *cancellable,
          GError       **error)
{
  /* Looking for the end and for holes moves the offset, which a forked child may be using. */
  tf_autofd int again = tf_system_open_again (from);
  int map = again >= 0 ? again : from;
  goffset end = lseek (map, 0, SEEK_END);
  goffset copied = size;

  if (end >= 0 && end < size && !read_up_to (from, from_where, end, size, error))
    return FALSE;

  if (!copy_data (from, from_where, map, to, &copied, where, progress, cancellable, error))
    return FALSE;

  /* The file system has lost some. */
  return copied == size || tf_errno_set (error, EIO, "read", from_where);
}

/* Copies up to where the file ends when it is read there. */
static gboolean
copy_shared (int            from,
             const char    *from_where,
             goffset       *size,
             int            to,
             const char    *where,
             TfProgress    *progress,
             GCancellable  *cancellable,
             GError       **error)
{
  /* Looking for holes moves the offset. If the file cannot be opened again, holes are copied as zeros. */
  tf_autofd int map = *size == TF_DISK_UNTOLD_SIZE ? -1 : tf_system_open_again (from);

  if (*size == TF_DISK_UNTOLD_SIZE)
    *size = 0;
  else if (!tf_disk_get_size (from, from_where, size, error))
    return FALSE;

  return copy_data (from, from_where, map, to, size, where, progress, cancellable, error) &&
         copy_rest (from, from_where, to, size, where, cancellable, error);
}

/* Makes the empty file @to, which is @where in messages, a copy of @from, which is @from_where there. @size is that of
 * @from if nobody else can change it, and its offset is not used; otherwise -1, or TF_DISK_UNTOLD_SIZE if the file system
 * may tell a wrong one. It becomes the size of the copy. @progress may be NULL. Shares the blocks if the file system can,
 * otherwise copies them without the holes. */
gboolean
tf_disk_copy_file (int            from,
                   const char    *from_where,
                   goffset       *size,
                   int            to,
                   const char    *where,
                   TfProgress    *progress,
                   GCancellable  *cancellable,
                   GError       **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  if (tf_system_clone (from, to) == 0)
    return tf_disk_get_size (to, where, size, error);

  return *size >= 0 ? copy_own (from, from_where, *size, to, where, progress, cancellable, error)
                    : copy_shared (from, from_where, size, to, where, progress, cancellable, error);
}

/* Checked first, because a file system allocates all free blocks before it fails, so that other programs have none in
 * the meantime. A file system without a size reports no blocks. */
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

/* Returns whether the file system of @fd can allocate ahead. */
gboolean
tf_disk_can_reserve (int fd)
{
  return tf_system_allocate (fd, 1) == 0 || errno != ENOTSUP;
}

/* Makes room for a file of @size bytes, and changes nothing else. @is_own says that nobody else can write to it. */
gboolean
tf_disk_reserve (int            fd,
                 const char    *where,
                 goffset        size,
                 gboolean       is_own,
                 GCancellable  *cancellable,
                 GError       **error)
{
  goffset end = 0;
  int saved_errno;

  if (!tf_disk_get_size (fd, where, &end, error))
    return FALSE;

  if (!has_free_space (fd, size))
    return tf_errno_set (error, ENOSPC, "fallocate", where);

  /* Signals can interrupt the call again and again, so that it needs a check of the cancellable. */
  while (tf_system_allocate (fd, size) != 0)
    {
      saved_errno = errno;
      if (saved_errno == EINTR && !g_cancellable_set_error_if_cancelled (cancellable, error))
        continue;

      /* Frees the blocks that were allocated before the failure. What others append meanwhile would be cut off. */
      if (is_own && saved_errno != ENOTSUP)
        (void) !ftruncate (fd, end);
      return saved_errno != EINTR && tf_errno_set (error, saved_errno, "fallocate", where);
    }

  return TRUE;
}
