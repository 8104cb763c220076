/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-backing.h"

#include <errno.h>
#include <unistd.h>

#include "tf-disk.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"

void
tf_stage_clear (TfStage *self)
{
  tf_buffer_clear (&self->buffer);
  self->room = 0;
  tf_clear_fd (&self->fd);
  g_clear_pointer (&self->where, g_free);
  g_clear_pointer (&self->window, tf_window_free);
}

/* As tf_stage_clear(), but tells when the disk refuses at last what it had taken before. */
gboolean
tf_stage_close (TfStage  *self,
                GError  **error)
{
  gboolean flushed, closed;
  int fd;

  if (self->window != NULL)
    tf_window_disown (self->window);
  flushed = tf_stage_flush (self, NULL, error);

  fd = tf_steal_fd (&self->fd);
  closed = fd < 0 || close (fd) == 0 || errno == EINTR;
  if (flushed && !closed)
    tf_set_errno (error, errno, "close", self->where);

  tf_stage_clear (self);
  return flushed && closed;
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

  if ((guint64) size > limit || !tf_buffer_reserve (&self->buffer, size, limit))
    return FALSE;

  self->room = MIN (self->buffer.capacity, limit);
  return TRUE;
}

/* From now on reads and writes go through a window. For a file that nobody else can see or change. */
void
tf_stage_buffer (TfStage *self)
{
  self->buffered = TRUE;
}

/* Whether @count bytes are to go through the window, which is then there. */
static gboolean
prepare_window (TfStage *self,
                gsize    count)
{
  if (!self->buffered)
    return FALSE;

  if (self->window == NULL)
    self->window = tf_window_new ();

  return tf_window_prepare (self->window, count);
}

/* There is a window no more; for good, when someone else gets a way to the file. */
gboolean
tf_stage_unbuffer (TfStage  *self,
                   GError  **error)
{
  if (!tf_stage_flush (self, NULL, error))
    return FALSE;

  self->buffered = FALSE;
  g_clear_pointer (&self->window, tf_window_free);
  return TRUE;
}

/* Writes what the window holds back. On failure it still holds what was not written. */
gboolean
tf_stage_flush (TfStage       *self,
                GCancellable  *cancellable,
                GError       **error)
{
  return self->window == NULL || tf_window_flush (self->window, self->fd, self->where, cancellable, error);
}

/* As tf_stage_flush(); then forgets what was read, so that the descriptor can be used directly. */
gboolean
tf_stage_settle (TfStage       *self,
                 GCancellable  *cancellable,
                 GError       **error)
{
  return self->window == NULL || tf_window_settle (self->window, self->fd, self->where, cancellable, error);
}

static gboolean
read_stage (TfStage       *self,
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

  if (tf_stage_is_in_memory (self))
    {
      *n_read = tf_buffer_read (&self->buffer, MIN (offset, G_MAXSSIZE), data, count);
      return TRUE;
    }

  /* pread(2) refuses what would end beyond the largest offset, instead of finding the end of the file. */
  count = MIN (count, (guint64) (G_MAXINT64 - offset));
  if (prepare_window (self, count))
    return tf_window_read (self->window, self->fd, self->where, offset, data, count, n_read, cancellable, error);

  return tf_disk_read (self->fd, self->where, disk_offset, data, count, n_read, cancellable, error);
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
  return read_stage (self, offset, self->shared ? TF_DISK_OWN_OFFSET : offset, data, count, n_read, cancellable, error);
}

/* The same, without moving a descriptor that was handed out. */
gboolean
tf_stage_read_aside (TfStage       *self,
                     goffset        offset,
                     gpointer       data,
                     gsize          count,
                     gsize         *n_read,
                     GCancellable  *cancellable,
                     GError       **error)
{
  return read_stage (self, offset, offset, data, count, n_read, cancellable, error);
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
  *n_written = 0;
  if (count == 0)
    return TRUE;

  if (tf_stage_is_in_memory (self))
    {
      tf_buffer_write (&self->buffer, offset, data, count);
      *n_written = count;
      return TRUE;
    }

  if (prepare_window (self, count))
    return tf_window_write (self->window, self->fd, self->where, offset, data, count, n_written, cancellable, error);

  return tf_disk_write (self->fd, self->where, self->shared ? TF_DISK_OWN_OFFSET : offset, data, count, n_written,
                        cancellable, error);
}

goffset
tf_stage_get_size (TfStage *self)
{
  goffset size;

  if (tf_stage_is_in_memory (self))
    return self->buffer.size;

  size = tf_disk_get_size (self->fd);
  return self->window != NULL ? MAX (size, tf_window_get_end (self->window)) : size;
}

/* Cuts off or extends with zeros, for which there must be room in memory. */
gboolean
tf_stage_set_size (TfStage  *self,
                   goffset   size,
                   GError  **error)
{
  if (tf_stage_is_in_memory (self))
    {
      tf_buffer_set_size (&self->buffer, size);
      self->room = MIN (self->room, self->buffer.capacity);
      return TRUE;
    }

  if (TEMP_FAILURE_RETRY (ftruncate (self->fd, size)) != 0)
    return tf_set_errno (error, errno, "ftruncate", self->where);

  if (self->window != NULL)
    tf_window_clip (self->window, size);

  return TRUE;
}

/* From now on the descriptor's own offset counts; it is put to @offset. */
gboolean
tf_stage_share (TfStage  *self,
                goffset   offset,
                GError  **error)
{
  if (!tf_stage_unbuffer (self, error))
    return FALSE;

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
