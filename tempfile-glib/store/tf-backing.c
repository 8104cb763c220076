/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-backing.h"

#include <errno.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/tf-disk.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-string.h"
#include "base/tf-system.h"

/* The number of bytes moved between two checks of the cancellable. */
#define PIECE ((gsize) 1024 * 1024)
#define MAX_VECTORS 64

void
tf_backing_clear (TfBacking *self)
{
  tf_memory_buffer_clear (&self->memory);
  tf_fd_clear (&self->fd);
  g_clear_pointer (&self->where, g_free);
  g_clear_pointer (&self->io_buffer, tf_io_buffer_free);
}

/* In a forked child, drops what the parent holds back, which the parent will write itself. */
void
tf_backing_disown (TfBacking *self)
{
  if (self->io_buffer == NULL)
    return;

  if (tf_io_buffer_is_dirty (self->io_buffer))
    tf_io_buffer_drop (self->io_buffer);
  self->disk_size = -1;
}

/* Like tf_backing_clear(), but reports the error of close(2). */
gboolean
tf_backing_close (TfBacking  *self,
                  GError    **error)
{
  int fd = tf_fd_steal (&self->fd);
  gboolean success = fd < 0 || close (fd) == 0 || errno == EINTR || tf_errno_set (error, errno, "close", self->where);

  tf_backing_clear (self);
  return success;
}

gboolean
tf_backing_is_in_memory (const TfBacking *self)
{
  return self->fd < 0;
}

/* See tf_system_may_hide(). */
gboolean
tf_backing_may_be_hidden (const TfBacking *self)
{
  return self->unnamed && tf_system_may_hide (self->fd);
}

/* From now on, small writes are held back, and reads read ahead. @known_size is the size of a file that nobody else can
 * open, or -1. */
void
tf_backing_hold_back (TfBacking *self,
                      goffset    known_size)
{
  self->may_hold_back = TRUE;
  self->unnamed = known_size >= 0;
  self->disk_size = known_size;
}

/* Remembers the size before the I/O buffer can forget about it. */
static void
note_held_back (TfBacking *self)
{
  self->disk_size = tf_backing_get_known_size (self);
}

static void
note_written (TfBacking *self,
              goffset    end)
{
  self->has_bytes = TRUE;
  if (self->disk_size >= 0)
    self->disk_size = MAX (self->disk_size, end);
}

/* Returns whether @count bytes go through the I/O buffer. In that case, the buffer exists. */
static gboolean
prepare_io_buffer (TfBacking *self,
                   gsize      count)
{
  if (!self->may_hold_back)
    return FALSE;

  if (self->io_buffer == NULL)
    self->io_buffer = tf_io_buffer_new ();

  note_held_back (self);
  return tf_io_buffer_prepare (self->io_buffer, count);
}

/* From now on, nothing is held back or read ahead, because others can open the file. What was read ahead stays where it is
 * until tf_backing_forget(): somebody may be looking at it. */
gboolean
tf_backing_hold_back_no_more (TfBacking  *self,
                              GError    **error)
{
  if (!tf_backing_flush (self, NULL, error))
    return FALSE;

  self->may_hold_back = FALSE;
  self->disk_size = -1;
  if (self->io_buffer != NULL && self->io_buffer->filled == 0)
    g_clear_pointer (&self->io_buffer, tf_io_buffer_free);
  return TRUE;
}

/* Writes what is held back. On failure what was not written is still held back. */
gboolean
tf_backing_flush (TfBacking     *self,
                  GCancellable  *cancellable,
                  GError       **error)
{
  if (self->io_buffer == NULL)
    return TRUE;

  note_held_back (self);
  return tf_io_buffer_flush (self->io_buffer, self->fd, self->where, cancellable, error);
}

/* Like tf_backing_flush(); then drops what was read ahead, so that the descriptor can be used directly. */
gboolean
tf_backing_settle (TfBacking     *self,
                   GCancellable  *cancellable,
                   GError       **error)
{
  if (self->io_buffer == NULL)
    return TRUE;

  note_held_back (self);
  return tf_io_buffer_settle (self->io_buffer, self->fd, self->where, cancellable, error);
}

/* A child process that was started meanwhile may have been told the error of a write, as it closed the descriptors that it
 * got. Then, only the size shows that something is missing. */
static gboolean
may_lose_silently (const TfBacking *self)
{
  return self->has_bytes && tf_system_may_lose (self->fd);
}

/* Asks the file system whether it has what was written. What it says once stays true until the file is empty again. */
gboolean
tf_backing_confirm (TfBacking  *self,
                    GError    **error)
{
  int lost_errno = 0;
  gboolean is_settled;
  goffset size;

  if (tf_backing_is_in_memory (self))
    return TRUE;

  if (self->lost_errno != 0)
    return tf_errno_set (error, self->lost_errno, "write", self->where);

  is_settled = tf_disk_settle (self->fd, self->where, &lost_errno, error);
  self->lost_errno = lost_errno;
  if (!is_settled)
    return FALSE;

  /* Of a hidden file, the file system can tell the size of another one. */
  if (!may_lose_silently (self) || tf_backing_may_be_hidden (self))
    return TRUE;

  tf_system_refresh (self->fd);
  return tf_disk_get_size (self->fd, self->where, &size, error) && tf_backing_confirm_size (self, size, error);
}

/* Returns FALSE if @size, that of the file or of a copy, shows that what was written is lost. Where it is not known how much that
 * is, others can have cut it off, but hardly leave nothing. */
gboolean
tf_backing_confirm_size (const TfBacking  *self,
                         goffset           size,
                         GError          **error)
{
  return size >= MAX (tf_backing_get_known_size (self), 1) || !may_lose_silently (self) ||
         tf_errno_set (error, EIO, "read", self->where);
}

static gboolean
read_memory (const TfBacking  *self,
             goffset           offset,
             gpointer          data,
             gsize             count,
             gsize            *n_read,
             GCancellable     *cancellable,
             GError          **error)
{
  gsize start = MIN (offset, G_MAXSSIZE);
  gsize n = 1;

  for (; *n_read < count && n > 0; *n_read += n)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      n = tf_memory_buffer_read (&self->memory, start + *n_read, (guint8 *) data + *n_read,
                                 MIN (count - *n_read, PIECE));
    }

  return TRUE;
}

/* Fails if a file that nobody else can open, and of which less was read than wanted, ends before what was written. */
static gboolean
check_end (const TfBacking  *self,
           goffset           end,
           GError          **error)
{
  return end >= tf_backing_get_known_size (self) || tf_errno_set (error, EIO, "read", self->where);
}

static gboolean
read_from (TfBacking     *self,
           goffset        offset,
           goffset        disk_offset,
           gpointer       data,
           gsize          count,
           gsize         *n_read,
           GCancellable  *cancellable,
           GError       **error)
{
  *n_read = 0;
  if (count == 0)
    return TRUE;

  if (tf_backing_is_in_memory (self))
    return read_memory (self, offset, data, count, n_read, cancellable, error);

  /* pread(2) fails for a range that ends beyond the largest offset, instead of finding the end of the file. */
  count = MIN (count, (guint64) (G_MAXINT64 - offset));
  if (prepare_io_buffer (self, count))
    return tf_io_buffer_read (self->io_buffer, self->fd, self->where, offset, data, count, n_read, cancellable, error);

  return tf_disk_read (self->fd, self->where, disk_offset, data, count, n_read, cancellable, error);
}

/* Reads @count bytes, or fewer at the end. On failure, @n_read is the number of bytes read before. */
gboolean
tf_backing_read (TfBacking     *self,
                 goffset        offset,
                 gpointer       data,
                 gsize          count,
                 gsize         *n_read,
                 GCancellable  *cancellable,
                 GError       **error)
{
  return read_from (self, offset, self->shared ? TF_DISK_OWN_OFFSET : offset, data, count, n_read, cancellable, error) &&
         (*n_read == count || tf_backing_is_in_memory (self) || check_end (self, offset + *n_read, error));
}

/* The same, without moving the offset of a descriptor that was handed out. What is held back is read, but not written
 * to the disk. */
gboolean
tf_backing_read_aside (TfBacking     *self,
                       goffset        offset,
                       gpointer       data,
                       gsize          count,
                       gsize         *n_read,
                       GCancellable  *cancellable,
                       GError       **error)
{
  const guint8 *buffered = NULL;
  gboolean success;

  if (tf_backing_is_in_memory (self) || count == 0)
    return read_from (self, offset, offset, data, count, n_read, cancellable, error);

  /* The I/O buffer is where whoever reads at the position has it: it is looked at, and not moved. */
  *n_read = 0;
  if (self->io_buffer != NULL && self->may_hold_back)
    buffered = tf_io_buffer_peek (self->io_buffer, offset, count);
  if (buffered != NULL)
    {
      memcpy (data, buffered, count);
      *n_read = count;
      return TRUE;
    }

  count = MIN (count, (guint64) (G_MAXINT64 - offset));
  success = tf_disk_read (self->fd, self->where, offset, data, count, n_read, cancellable, error);
  if (self->io_buffer != NULL)
    tf_io_buffer_overlay (self->io_buffer, offset, data, success ? count : *n_read, n_read);

  return success && (*n_read == count || check_end (self, offset + *n_read, error));
}

/* Adds what was written to @n_written. */
static gboolean
write_memory (TfBacking      *self,
              goffset         offset,
              gconstpointer   data,
              gsize           count,
              gsize          *n_written,
              GCancellable   *cancellable,
              GError        **error)
{
  gsize n;

  for (gsize done = 0; done < count; done += n)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      n = MIN (count - done, PIECE);
      tf_memory_buffer_write (&self->memory, offset + done, (const guint8 *) data + done, n);
      *n_written += n;
    }

  return TRUE;
}

/* Writes all @count bytes, for which there must be room in memory. A gap before them reads as zeros. On failure,
 * @n_written is the number of bytes written before. */
gboolean
tf_backing_write (TfBacking      *self,
                  goffset         offset,
                  gconstpointer   data,
                  gsize           count,
                  gsize          *n_written,
                  GCancellable   *cancellable,
                  GError        **error)
{
  gboolean success;

  *n_written = 0;
  if (tf_backing_is_in_memory (self))
    return write_memory (self, offset, data, count, n_written, cancellable, error);

  if (prepare_io_buffer (self, count))
    success = tf_io_buffer_write (self->io_buffer, self->fd, self->where, offset, self->disk_size,
                                  data, count, n_written, cancellable, error);
  else
    success = tf_disk_write (self->fd, self->where, self->shared ? TF_DISK_OWN_OFFSET : offset,
                             data, count, n_written, cancellable, error);

  if (*n_written > 0)
    note_written (self, offset + *n_written);
  return success;
}

/* Reads ahead until tf_backing_peek_some() returns @count bytes at @offset, or fewer at the end, and of a file on disk
 * TF_IO_BUFFER_SIZE at most. Does not move the offset of a descriptor that was handed out. */
gboolean
tf_backing_fill (TfBacking     *self,
                 goffset        offset,
                 gsize          count,
                 GCancellable  *cancellable,
                 GError       **error)
{
  gsize available;

  if (tf_backing_is_in_memory (self))
    return TRUE;

  if (self->io_buffer == NULL)
    self->io_buffer = tf_io_buffer_new ();
  if (!tf_io_buffer_prepare (self->io_buffer, 0))
    return tf_errno_set (error, ENOMEM, "read", self->where);

  note_held_back (self);
  count = MIN (count, TF_IO_BUFFER_SIZE);
  if (!tf_io_buffer_fill (self->io_buffer, self->fd, self->where, offset, count, cancellable, error))
    return FALSE;

  tf_io_buffer_peek_some (self->io_buffer, offset, &available);
  return available >= count || check_end (self, offset + available, error);
}

gboolean
tf_backing_get_size (TfBacking  *self,
                     goffset    *size,
                     GError    **error)
{
  *size = tf_backing_get_known_size (self);
  if (*size >= 0)
    return TRUE;

  if (!tf_disk_get_size (self->fd, self->where, size, error))
    return FALSE;

  *size = MAX (*size, tf_backing_get_held_back_end (self));
  return TRUE;
}

/* What was written is gone on purpose. What was not told of it yet is not to be told of what is written now. Others who can
 * open the file may have written to it. */
static void
forget_lost (TfBacking *self)
{
  if ((self->has_bytes || !self->may_hold_back) && tf_system_may_lose (self->fd))
    tf_disk_settle (self->fd, self->where, NULL, NULL);
  self->lost_errno = 0;
}

/* Sets the size. Extends with zeros, for which there must be room in memory. */
gboolean
tf_backing_set_size (TfBacking  *self,
                     goffset     size,
                     GError    **error)
{
  if (tf_backing_is_in_memory (self))
    {
      tf_memory_buffer_set_size (&self->memory, size);
      return TRUE;
    }

  if (TF_RETRY_EINTR (ftruncate (self->fd, size)) != 0)
    return tf_errno_set (error, errno, "ftruncate", self->where);

  if (self->io_buffer != NULL)
    tf_io_buffer_clip (self->io_buffer, size);
  if (self->disk_size >= 0)
    self->disk_size = size;
  if (size == 0)
    forget_lost (self);
  self->has_bytes = size > 0;

  return TRUE;
}

/* Moves the offset of a shared descriptor. */
gboolean
tf_backing_seek (TfBacking  *self,
                 goffset     offset,
                 GError    **error)
{
  return lseek (self->fd, offset, SEEK_SET) >= 0 || tf_errno_set (error, errno, "lseek", self->where);
}

/* From now on, the offset of the descriptor is the position. Sets it to @offset. */
gboolean
tf_backing_share (TfBacking  *self,
                  goffset     offset,
                  GError    **error)
{
  if (!tf_backing_hold_back_no_more (self, error))
    return FALSE;

  if (!tf_backing_seek (self, offset, error))
    return FALSE;

  self->shared = TRUE;
  return TRUE;
}

/* Sets @offset to that of a shared descriptor. Does nothing if the descriptor is not shared. */
void
tf_backing_get_offset (TfBacking *self,
                       goffset   *offset)
{
  goffset shared_offset = self->shared ? lseek (self->fd, 0, SEEK_CUR) : -1;

  if (shared_offset >= 0)
    *offset = shared_offset;
}

/* Makes the descriptor that was handed out a duplicate of @fd, a file with the same bytes, and sets the offset to
 * @position. */
gboolean
tf_backing_redirect (TfBacking  *self,
                     int         fd,
                     goffset     position,
                     GError    **error)
{
  if (lseek (fd, position, SEEK_SET) < 0)
    return tf_errno_set (error, errno, "lseek", self->where);

  return tf_system_dup_to (fd, self->fd) >= 0 || tf_errno_set (error, errno, "dup", self->where);
}

/* Exchanges the backing for @other, which has the same bytes. A descriptor that was handed out keeps its number, and
 * must have been redirected to the other file before. */
void
tf_backing_exchange (TfBacking *self,
                     TfBacking *other)
{
  TfBacking before;

  if (self->shared)
    {
      tf_fd_clear (&other->fd);
      other->fd = tf_fd_steal (&self->fd);
    }

  other->shared = self->shared;
  before = *self;
  *self = *other;
  *other = before;
}

/* Makes room on the disk for a file of @size bytes. In memory, does nothing. */
gboolean
tf_backing_reserve (TfBacking     *self,
                    goffset        size,
                    GCancellable  *cancellable,
                    GError       **error)
{
  return size == 0 || tf_backing_is_in_memory (self) ||
         tf_disk_reserve (self->fd, self->where, size, self->disk_size >= 0, cancellable, error);
}

/* The granularity of holes, in bytes. */
#define BLOCK 4096

/* Returns the end of the blocks from @start on that are all zero, or all not. */
static gsize
find_end (const TfMemoryBuffer *bytes,
          gsize                 start,
          gboolean              zero)
{
  gsize end = start;

  while (end < bytes->size && tf_string_is_zero (bytes->data + end, MIN (BLOCK, bytes->size - end)) == zero)
    end += BLOCK;

  return MIN (end, bytes->size);
}

/* Writes the bytes from @start to @end to the same place of a file on disk. */
static gboolean
write_range (TfBacking             *self,
             const TfMemoryBuffer  *bytes,
             gsize                  start,
             gsize                  end,
             TfProgress            *progress,
             GCancellable          *cancellable,
             GError               **error)
{
  while (start < end)
    {
      gsize size = MIN (end - start, TF_PROGRESS_PIECE);
      gsize n_written;

      if (!tf_backing_write (self, start, bytes->data + start, size, &n_written, cancellable, error))
        return FALSE;

      start += size;
      tf_progress_report (progress, start);
    }

  return TRUE;
}

/* Writes @bytes into an empty file on disk. Gaps become holes. @progress may be NULL. */
gboolean
tf_backing_write_memory (TfBacking             *self,
                         const TfMemoryBuffer  *bytes,
                         TfProgress            *progress,
                         GCancellable          *cancellable,
                         GError               **error)
{
  gsize data = 0;
  gsize end = 0;

  if (!bytes->has_gaps)
    return !g_cancellable_set_error_if_cancelled (cancellable, error) &&
           write_range (self, bytes, 0, bytes->size, progress, cancellable, error);

  while (end < bytes->size)
    {
      data = find_end (bytes, end, TRUE);
      end = find_end (bytes, data, FALSE);
      if (!write_range (self, bytes, data, end, progress, cancellable, error))
        return FALSE;
    }

  /* Where there are bytes at the end, this would hide that they are lost. */
  return data < end || tf_backing_set_size (self, bytes->size, error);
}

/* The rest of vectors after some bytes were written. */
typedef struct
{
  const GOutputVector *vectors;
  gsize n_vectors;
  gsize taken; /* written bytes of the first vector */
} Rest;

static void
rest_take (Rest  *self,
           gsize  count)
{
  self->taken += count;
  while (self->n_vectors > 0 && self->taken >= self->vectors->size)
    {
      self->taken -= self->vectors->size;
      self->vectors++;
      self->n_vectors--;
    }
}

/* Fills @iov with at most PIECE bytes. Returns the number of vectors used. */
static int
rest_get_iov (const Rest   *self,
              struct iovec *iov)
{
  gsize room = PIECE;
  gsize taken = self->taken;
  int n = 0;

  for (gsize i = 0; i < self->n_vectors && n < MAX_VECTORS && room > 0; i++)
    {
      gsize size = MIN (self->vectors[i].size - taken, room);

      iov[n].iov_base = (guint8 *) self->vectors[i].buffer + taken;
      iov[n].iov_len = size;
      room -= size;
      taken = 0;
      n++;
    }

  return n;
}

static gboolean
writev_to_disk (TfBacking            *self,
                goffset               offset,
                const GOutputVector  *vectors,
                gsize                 n_vectors,
                gsize                *n_written,
                GCancellable         *cancellable,
                GError              **error)
{
  Rest rest = { vectors, n_vectors, 0 };

  rest_take (&rest, 0);
  while (rest.n_vectors > 0)
    {
      struct iovec iov[MAX_VECTORS];
      int n_iov = rest_get_iov (&rest, iov);
      gssize n;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      n = self->shared ? writev (self->fd, iov, n_iov)
                       : tf_system_pwritev (self->fd, iov, n_iov, offset + *n_written);
      if (n < 0 && errno != EINTR)
        return tf_errno_set (error, errno, "write", self->where);
      /* Nothing would be written the next time either. */
      if (n == 0)
        return tf_errno_set (error, EIO, "write", self->where);
      if (n > 0)
        {
          *n_written += n;
          rest_take (&rest, n);
          note_written (self, offset + *n_written);
        }
    }

  return TRUE;
}

/* Like tf_backing_write(), for several buffers. */
gboolean
tf_backing_writev (TfBacking            *self,
                   goffset               offset,
                   const GOutputVector  *vectors,
                   gsize                 n_vectors,
                   gsize                *n_written,
                   GCancellable         *cancellable,
                   GError              **error)
{
  *n_written = 0;
  if (!tf_backing_is_in_memory (self))
    return writev_to_disk (self, offset, vectors, n_vectors, n_written, cancellable, error);

  for (gsize i = 0; i < n_vectors; i++)
    if (!write_memory (self, offset + *n_written, vectors[i].buffer, vectors[i].size, n_written, cancellable, error))
      return FALSE;

  return TRUE;
}

static gboolean
copy_to_memory (TfBacking     *self,
                goffset        offset,
                int            source_fd,
                goffset        source_offset,
                gsize          count,
                gsize         *n_copied,
                GCancellable  *cancellable,
                GError       **error)
{
  guint8 *data = tf_memory_buffer_prepare (&self->memory, offset, count);
  gboolean success = tf_disk_read (source_fd, NULL, source_offset, data, count, n_copied, cancellable, error);

  if (*n_copied > 0)
    tf_memory_buffer_commit (&self->memory, offset + *n_copied);

  return success;
}

/* Copies @count bytes, for which there must be room in memory, from a seekable file, or fewer at its end. On failure,
 * @n_copied is the number of bytes copied before. The offset of the file is neither used nor moved. */
gboolean
tf_backing_copy (TfBacking     *self,
                 goffset        offset,
                 int            source_fd,
                 goffset        source_offset,
                 gsize          count,
                 gsize         *n_copied,
                 GCancellable  *cancellable,
                 GError       **error)
{
  gboolean success;

  *n_copied = 0;
  if (tf_backing_is_in_memory (self))
    return copy_to_memory (self, offset, source_fd, source_offset, count, n_copied, cancellable, error);

  success = tf_disk_copy (source_fd, NULL, source_offset, self->fd, self->where,
                          self->shared ? TF_DISK_OWN_OFFSET : offset, count, n_copied, cancellable, error);
  if (*n_copied > 0)
    note_written (self, offset + *n_copied);
  return success;
}
