/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-stage-private.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tf-errno-private.h"
#include "tf-fd-private.h"

/* Bytes moved between two looks at the cancellable. */
#define PIECE (8 * 1024 * 1024)

void
tf_stage_clear (TfStage *self)
{
  tf_buffer_clear (&self->buffer);
  tf_clear_fd (&self->fd);
  g_clear_pointer (&self->where, g_free);
}

/* As tf_stage_clear(), but tells when the disk refuses at last what it had taken before. */
gboolean
tf_stage_close (TfStage  *self,
                GError  **error)
{
  int fd = tf_steal_fd (&self->fd);
  gboolean success = fd < 0 || close (fd) == 0 || errno == EINTR;

  if (!success)
    tf_set_errno (error, errno, "close", self->where);

  tf_stage_clear (self);
  return success;
}

gboolean
tf_stage_is_in_memory (const TfStage *self)
{
  return self->fd < 0;
}

/* Whether a file of @size bytes can be held here. In memory, it then has its room. */
gboolean
tf_stage_reserve (TfStage *self,
                  goffset  size,
                  gsize    limit)
{
  if (!tf_stage_is_in_memory (self))
    return TRUE;

  return (guint64) size <= limit && tf_buffer_reserve (&self->buffer, size, limit);
}

/* Reads until @count bytes or the end. On failure @n_read says how many bytes arrived before it. */
gboolean
tf_stage_read (TfStage       *self,
               goffset        offset,
               gpointer       data,
               gsize          count,
               gsize         *n_read,
               GCancellable  *cancellable,
               GError       **error)
{
  guint8 *bytes = data;

  *n_read = 0;
  if (tf_stage_is_in_memory (self))
    {
      *n_read = tf_buffer_read (&self->buffer, MIN (offset, G_MAXSSIZE), data, count);
      return TRUE;
    }

  /* pread(2) refuses what would end beyond the largest offset, instead of finding the end of the file. */
  count = MIN (count, (guint64) (G_MAXINT64 - offset));
  while (*n_read < count)
    {
      gsize piece = MIN (count - *n_read, PIECE);
      gssize n;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      n = self->shared ? read (self->fd, bytes + *n_read, piece)
                       : pread (self->fd, bytes + *n_read, piece, offset + *n_read);
      if (n < 0 && errno != EINTR)
        return tf_set_errno (error, errno, "read", self->where);
      if (n == 0)
        break;
      if (n > 0)
        *n_read += n;
    }

  return TRUE;
}

/* Writes all @count bytes, for which there must be room in memory; a gap before them reads as zeros. On
 * failure @n_written says how many bytes were taken before it. */
gboolean
tf_stage_write (TfStage        *self,
                goffset         offset,
                gconstpointer   data,
                gsize           count,
                gsize          *n_written,
                GCancellable   *cancellable,
                GError        **error)
{
  const guint8 *bytes = data;

  *n_written = 0;
  if (count > 0 && tf_stage_is_in_memory (self))
    {
      tf_buffer_write (&self->buffer, offset, data, count);
      *n_written = count;
    }

  while (*n_written < count)
    {
      gsize piece = MIN (count - *n_written, PIECE);
      gssize n;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      n = self->shared ? write (self->fd, bytes + *n_written, piece)
                       : pwrite (self->fd, bytes + *n_written, piece, offset + *n_written);
      if (n < 0 && errno != EINTR)
        return tf_set_errno (error, errno, "write", self->where);
      if (n > 0)
        *n_written += n;
    }

  return TRUE;
}

goffset
tf_stage_get_size (TfStage *self)
{
  struct stat st;

  if (tf_stage_is_in_memory (self))
    return self->buffer.size;

  return fstat (self->fd, &st) == 0 ? st.st_size : 0;
}

/* Cuts off or extends with zeros, for which there must be room in memory. */
gboolean
tf_stage_set_size (TfStage  *self,
                   goffset   size,
                   GError  **error)
{
  if (tf_stage_is_in_memory (self))
    tf_buffer_set_size (&self->buffer, size);
  else if (TEMP_FAILURE_RETRY (ftruncate (self->fd, size)) != 0)
    return tf_set_errno (error, errno, "ftruncate", self->where);

  return TRUE;
}

/* From now on the descriptor's own offset counts; it is put to @offset. */
gboolean
tf_stage_share (TfStage  *self,
                goffset   offset,
                GError  **error)
{
  if (lseek (self->fd, offset, SEEK_SET) < 0)
    return tf_set_errno (error, errno, "lseek", self->where);

  self->shared = TRUE;
  return TRUE;
}

/* Where a shared descriptor stands; else @offset is left as it is. */
void
tf_stage_get_offset (TfStage *self,
                     goffset *offset)
{
  goffset shared_offset = self->shared ? lseek (self->fd, 0, SEEK_CUR) : -1;

  if (shared_offset >= 0)
    *offset = shared_offset;
}
