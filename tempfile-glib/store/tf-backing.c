/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-backing.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "tf-disk.h"

/* Bytes moved between two looks at the cancellable. */
#define PIECE (8 * 1024 * 1024)
#define MAX_VECTORS 64

void
tf_backing_clear (TfBacking *self)
{
  tf_memory_buffer_clear (&self->memory);
  tf_fd_clear (&self->fd);
  g_clear_pointer (&self->where, g_free);
  g_clear_pointer (&self->io_buffer, tf_io_buffer_free);
}

/* As tf_backing_clear(), but tells when the disk refuses at last what it had taken before. */
gboolean
tf_backing_close (TfBacking  *self,
                  GError    **error)
{
  gboolean flushed, closed;
  int fd;

  if (self->io_buffer != NULL)
    tf_io_buffer_disown (self->io_buffer);
  flushed = tf_backing_flush (self, NULL, error);

  fd = tf_fd_steal (&self->fd);
  closed = fd < 0 || close (fd) == 0 || errno == EINTR;
  if (flushed && !closed)
    tf_errno_set (error, errno, "close", self->where);

  tf_backing_clear (self);
  return flushed && closed;
}

gboolean
tf_backing_is_in_memory (const TfBacking *self)
{
  return self->fd < 0;
}

/* From now on small writes are held back, and reads read ahead. For a file that nobody else can see or change. */
void
tf_backing_hold_back (TfBacking *self)
{
  self->may_hold_back = TRUE;
}

/* Whether @count bytes are to go through the I/O buffer, which is then there. */
static gboolean
prepare_io_buffer (TfBacking *self,
                   gsize      count)
{
  if (!self->may_hold_back)
    return FALSE;

  if (self->io_buffer == NULL)
    self->io_buffer = tf_io_buffer_new ();

  return tf_io_buffer_prepare (self->io_buffer, count);
}

/* Nothing is held back or read ahead any more, because someone else gets a way to the file. */
gboolean
tf_backing_hold_back_no_more (TfBacking  *self,
                              GError    **error)
{
  if (!tf_backing_flush (self, NULL, error))
    return FALSE;

  self->may_hold_back = FALSE;
  g_clear_pointer (&self->io_buffer, tf_io_buffer_free);
  return TRUE;
}

/* Writes what is held back. On failure what was not written is still held back. */
gboolean
tf_backing_flush (TfBacking     *self,
                  GCancellable  *cancellable,
                  GError       **error)
{
  return self->io_buffer == NULL || tf_io_buffer_flush (self->io_buffer, self->fd, self->where, cancellable, error);
}

/* As tf_backing_flush(); then forgets what was read, so that the descriptor can be used directly. */
gboolean
tf_backing_settle (TfBacking     *self,
                   GCancellable  *cancellable,
                   GError       **error)
{
  return self->io_buffer == NULL || tf_io_buffer_settle (self->io_buffer, self->fd, self->where, cancellable, error);
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
    {
      *n_read = tf_memory_buffer_read (&self->memory, MIN (offset, G_MAXSSIZE), data, count);
      return TRUE;
    }

  /* pread(2) refuses what would end beyond the largest offset, instead of finding the end of the file. */
  count = MIN (count, (guint64) (G_MAXINT64 - offset));
  if (prepare_io_buffer (self, count))
    return tf_io_buffer_read (self->io_buffer, self->fd, self->where, offset, data, count, n_read, cancellable, error);

  return tf_disk_read (self->fd, self->where, disk_offset, data, count, n_read, cancellable, error);
}

/* Reads until @count bytes or the end. On failure @n_read says how many bytes arrived before it. */
gboolean
tf_backing_read (TfBacking     *self,
                 goffset        offset,
                 gpointer       data,
                 gsize          count,
                 gsize         *n_read,
                 GCancellable  *cancellable,
                 GError       **error)
{
  return read_from (self, offset, self->shared ? TF_DISK_OWN_OFFSET : offset, data, count, n_read, cancellable, error);
}

/* The same, without moving a descriptor that was handed out. */
gboolean
tf_backing_read_aside (TfBacking     *self,
                       goffset        offset,
                       gpointer       data,
                       gsize          count,
                       gsize         *n_read,
                       GCancellable  *cancellable,
                       GError       **error)
{
  return read_from (self, offset, offset, data, count, n_read, cancellable, error);
}

/* Writes all @count bytes, for which there must be room in memory; a gap before them reads as zeros. On
 * failure @n_written says how many bytes were taken before it. */
gboolean
tf_backing_write (TfBacking      *self,
                  goffset         offset,
                  gconstpointer   data,
                  gsize           count,
                  gsize          *n_written,
                  GCancellable   *cancellable,
                  GError        **error)
{
  *n_written = 0;
  if (count == 0)
    return TRUE;

  if (tf_backing_is_in_memory (self))
    {
      tf_memory_buffer_write (&self->memory, offset, data, count);
      *n_written = count;
      return TRUE;
    }

  if (prepare_io_buffer (self, count))
    return tf_io_buffer_write (self->io_buffer, self->fd, self->where, offset, data, count, n_written, cancellable, error);

  return tf_disk_write (self->fd, self->where, self->shared ? TF_DISK_OWN_OFFSET : offset, data, count, n_written,
                        cancellable, error);
}

/* Where the bytes are that can be read at @offset without asking the disk, and how many; NULL for none. They
 * stay there until anything else is done with the backing. */
const guint8 *
tf_backing_peek_some (const TfBacking *self,
                      goffset          offset,
                      gsize           *count)
{
  *count = 0;
  if (tf_backing_is_in_memory (self))
    {
      *count = (guint64) offset < self->memory.size ? self->memory.size - offset : 0;
      return *count > 0 ? self->memory.data + offset : NULL;
    }

  return self->io_buffer != NULL ? tf_io_buffer_peek_some (self->io_buffer, offset, count) : NULL;
}

/* Makes sure that tf_backing_peek_some() has @count bytes at @offset, of those on disk TF_IO_BUFFER_SIZE at most;
 * fewer only at the end. A descriptor that was handed out is not moved. */
gboolean
tf_backing_fill (TfBacking     *self,
                 goffset        offset,
                 gsize          count,
                 GCancellable  *cancellable,
                 GError       **error)
{
  if (tf_backing_is_in_memory (self))
    return TRUE;

  if (self->io_buffer == NULL)
    self->io_buffer = tf_io_buffer_new ();
  if (!tf_io_buffer_prepare (self->io_buffer, 0))
    return tf_errno_set (error, ENOMEM, "read", self->where);

  return tf_io_buffer_fill (self->io_buffer, self->fd, self->where, offset, MIN (count, TF_IO_BUFFER_SIZE),
                            cancellable, error);
}

goffset
tf_backing_get_size (TfBacking *self)
{
  goffset size;

  if (tf_backing_is_in_memory (self))
    return self->memory.size;

  size = tf_disk_get_size (self->fd);
  return self->io_buffer != NULL ? MAX (size, tf_io_buffer_get_end (self->io_buffer)) : size;
}

/* Cuts off or extends with zeros, for which there must be room in memory. */
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

  return TRUE;
}

/* From now on the descriptor's own offset counts; it is put to @offset. */
gboolean
tf_backing_share (TfBacking  *self,
                  goffset     offset,
                  GError    **error)
{
  if (!tf_backing_hold_back_no_more (self, error))
    return FALSE;

  if (lseek (self->fd, offset, SEEK_SET) < 0)
    return tf_errno_set (error, errno, "lseek", self->where);

  self->shared = TRUE;
  return TRUE;
}

/* Where a shared descriptor stands; else @offset is left as it is. */
void
tf_backing_get_offset (TfBacking *self,
                       goffset   *offset)
{
  goffset shared_offset = self->shared ? lseek (self->fd, 0, SEEK_CUR) : -1;

  if (shared_offset >= 0)
    *offset = shared_offset;
}

/* Becomes @other, which has the same bytes and is taken over. A descriptor that was handed out keeps its number,
 * stands at @position, and is the other file's from now on. */
void
tf_backing_replace (TfBacking *self,
                    TfBacking *other,
                    goffset    position)
{
  gboolean shared = self->shared && lseek (other->fd, position, SEEK_SET) >= 0;

  if (shared && tf_system_dup_to (other->fd, self->fd) >= 0)
    {
      tf_fd_clear (&other->fd);
      other->fd = tf_fd_steal (&self->fd);
    }

  other->shared = shared;
  tf_backing_clear (self);
  *self = *other;
  *other = (TfBacking) TF_BACKING_INIT_IN_MEMORY;
}

/* Makes sure that the disk has room for a file of @size bytes. In memory there is nothing to do. */
gboolean
tf_backing_reserve (TfBacking     *self,
                    goffset        size,
                    GCancellable  *cancellable,
                    GError       **error)
{
  return size == 0 || tf_backing_is_in_memory (self) ||
         tf_disk_reserve (self->fd, self->where, size, cancellable, error);
}

/* What is left of vectors of which some bytes were taken. */
typedef struct
{
  const GOutputVector *vectors;
  gsize n_vectors;
  gsize taken; /* bytes of the first one */
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

/* Returns how many of @iov are used, for no more than PIECE bytes. */
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
      if (n > 0)
        {
          *n_written += n;
          rest_take (&rest, n);
        }
    }

  return TRUE;
}

/* As tf_backing_write(), from several places. */
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
    {
      if (vectors[i].size > 0)
        tf_memory_buffer_write (&self->memory, offset + *n_written, vectors[i].buffer, vectors[i].size);
      *n_written += vectors[i].size;
    }

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

/* Copies @count bytes, for which there must be room in memory, from a file that can seek; fewer only at its
 * end. On failure @n_copied says how many were taken before it. Its own offset is neither used nor moved. */
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
  *n_copied = 0;
  if (tf_backing_is_in_memory (self))
    return copy_to_memory (self, offset, source_fd, source_offset, count, n_copied, cancellable, error);

  return tf_disk_copy (source_fd, source_offset, self->fd, self->where,
                       self->shared ? TF_DISK_OWN_OFFSET : offset, count, n_copied, cancellable, error);
}
