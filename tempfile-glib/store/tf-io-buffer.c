/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-io-buffer.h"

#include <stdlib.h>
#include <string.h>

#include "base/tf-disk.h"
#include "tf-memory-pool.h"

/* The number of bytes that are read ahead at first. It is multiplied by four with each read that continues the one
 * before. */
#define AHEAD_MIN 4096

static void
set_clean (TfIoBuffer *self)
{
  self->dirty_from = G_MAXSIZE;
  self->dirty_to = 0;
}

TfIoBuffer *
tf_io_buffer_new (void)
{
  TfIoBuffer *self = g_new0 (TfIoBuffer, 1);

  set_clean (self);
  return self;
}

void
tf_io_buffer_free (TfIoBuffer *self)
{
  if (self->data != NULL)
    tf_memory_pool_free_buffer (TF_IO_BUFFER_SIZE);
  tf_memory_pool_free (self->data, TF_IO_BUFFER_SIZE);
  g_free (self);
}

static guint8 *
allocate (gboolean force)
{
  guint8 *data;

  if (!tf_memory_pool_take_buffer (TF_IO_BUFFER_SIZE, force))
    return NULL;

  data = tf_memory_pool_allocate (TF_IO_BUFFER_SIZE);
  if (data == NULL)
    tf_memory_pool_free_buffer (TF_IO_BUFFER_SIZE);
  return data;
}

/* Returns whether @count bytes go through the buffer. A larger transfer does not; nor does any transfer if there is no
 * memory for the buffer. A @count of 0 needs it. */
gboolean
tf_io_buffer_prepare (TfIoBuffer *self,
                      gsize       count)
{
  if (self->data == NULL && count < TF_IO_BUFFER_SIZE)
    self->data = allocate (count == 0);

  return self->data != NULL;
}

/* Writes what is held back. On failure, the bytes that were not written are still held back. */
gboolean
tf_io_buffer_flush (TfIoBuffer    *self,
                    int            fd,
                    const char    *where,
                    GCancellable  *cancellable,
                    GError       **error)
{
  gsize n_written = 0;
  gboolean success;

  if (!tf_io_buffer_is_dirty (self))
    return TRUE;

  success = tf_disk_write (fd, where, self->start + self->dirty_from, self->data + self->dirty_from,
                           self->dirty_to - self->dirty_from, &n_written, cancellable, error);
  self->dirty_from += n_written;
  if (success)
    {
      self->written_to = self->start + (goffset) self->dirty_to;
      set_clean (self);
    }

  return success;
}

/* Like tf_io_buffer_flush(); then drops what was read ahead, so that the descriptor can be used directly. */
gboolean
tf_io_buffer_settle (TfIoBuffer    *self,
                     int            fd,
                     const char    *where,
                     GCancellable  *cancellable,
                     GError       **error)
{
  if (!tf_io_buffer_flush (self, fd, where, cancellable, error))
    return FALSE;

  self->filled = 0;
  return TRUE;
}

/* Drops what is held back and what was read ahead. */
void
tf_io_buffer_drop (TfIoBuffer *self)
{
  set_clean (self);
  self->filled = 0;
}

/* Like tf_io_buffer_claim(), but also if nothing is held back yet. */
static guint8 *
begin_or_claim (TfIoBuffer *self,
                goffset     offset,
                gsize       count)
{
  guint64 at = offset - self->start;

  if (!tf_io_buffer_is_dirty (self) && at <= self->filled && count <= TF_IO_BUFFER_SIZE - at)
    self->dirty_from = self->dirty_to = at;

  return tf_io_buffer_claim (self, offset, count);
}

/* Moves the start of the buffer to @start, where it has @kept bytes already, and reads until it has at least @count
 * bytes; more if the read continues the one before. */
static gboolean
fill (TfIoBuffer    *self,
      int            fd,
      const char    *where,
      goffset        start,
      gsize          kept,
      gsize          count,
      GCancellable  *cancellable,
      GError       **error)
{
  gboolean in_sequence = self->filled > 0 && start + (goffset) kept == self->start + (goffset) self->filled;
  gsize n_read = 0;
  gboolean success;

  self->ahead = in_sequence ? MIN (self->ahead * 4, TF_IO_BUFFER_SIZE) : AHEAD_MIN;
  self->ahead = MIN (MAX (self->ahead, count), (guint64) (G_MAXINT64 - start));
  if (kept > 0)
    /* What has bytes is there. NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
    memmove (self->data, self->data + (start - self->start), kept);
  self->start = start;
  self->filled = kept;
  success = tf_disk_read (fd, where, start + kept, self->data + kept, self->ahead - kept, &n_read, cancellable, error);
  self->filled += n_read;
  return success;
}

/* Reads ahead until the buffer has @count bytes at @offset, which must fit into it, or fewer at the end. */
gboolean
tf_io_buffer_fill (TfIoBuffer    *self,
                   int            fd,
                   const char    *where,
                   goffset        offset,
                   gsize          count,
                   GCancellable  *cancellable,
                   GError       **error)
{
  gsize kept;

  if (tf_io_buffer_peek (self, offset, count) != NULL)
    return TRUE;

  tf_io_buffer_peek_some (self, offset, &kept);
  return tf_io_buffer_flush (self, fd, where, cancellable, error) &&
         fill (self, fd, where, offset, kept, count, cancellable, error);
}

/* Reads @count bytes, or fewer at the end. On failure, @n_read is the number of bytes read before. */
gboolean
tf_io_buffer_read (TfIoBuffer    *self,
                   int            fd,
                   const char    *where,
                   goffset        offset,
                   gpointer       data,
                   gsize          count,
                   gsize         *n_read,
                   GCancellable  *cancellable,
                   GError       **error)
{
  guint64 at = offset - self->start;
  gboolean success;
  gsize rest;

  if (at < self->filled)
    {
      *n_read = MIN (count, self->filled - at);
      memcpy (data, self->data + at, *n_read);
    }

  rest = count - *n_read;
  if (rest == 0)
    return TRUE;

  if (!tf_io_buffer_flush (self, fd, where, cancellable, error))
    return FALSE;

  if (rest >= TF_IO_BUFFER_SIZE)
    return tf_disk_read (fd, where, offset, data, count, n_read, cancellable, error);

  success = fill (self, fd, where, offset + *n_read, 0, rest, cancellable, error);
  rest = MIN (rest, self->filled);
  memcpy ((guint8 *) data + *n_read, self->data, rest);
  *n_read += rest;
  if (success || *n_read < count)
    return success;

  /* It failed behind what was asked for. */
  g_clear_error (error);
  return TRUE;
}

/* Returns whether @offset is behind the end of the file, as far as is known. */
static gboolean
is_behind (const TfIoBuffer *self,
           int               fd,
           const char       *where,
           goffset           offset,
           goffset           size)
{
  if (offset <= MAX (size, self->written_to))
    return FALSE;

  return size >= 0 || !tf_disk_get_size (fd, where, &size, NULL) || offset > size;
}

/* Writes all @count bytes, or holds them back. @size is that of the file, or -1 if it is not known. On failure, nothing
 * was written, or @n_written bytes of a piece that is too large to hold back. */
gboolean
tf_io_buffer_write (TfIoBuffer     *self,
                    int             fd,
                    const char     *where,
                    goffset         offset,
                    goffset         size,
                    gconstpointer   data,
                    gsize           count,
                    gsize          *n_written,
                    GCancellable   *cancellable,
                    GError        **error)
{
  gboolean has_bytes = self->filled > 0 || tf_io_buffer_is_dirty (self);
  guint8 *target = has_bytes ? begin_or_claim (self, offset, count) : NULL;

  if (target == NULL)
    {
      if (!tf_io_buffer_settle (self, fd, where, cancellable, error))
        return FALSE;

      /* Far behind the end of the file, a write may always fail, which is better reported at once. */
      self->start = offset;
      if (!is_behind (self, fd, where, offset, size))
        target = begin_or_claim (self, offset, count);
      if (target == NULL)
        return tf_disk_write (fd, where, offset, data, count, n_written, cancellable, error);
    }

  memcpy (target, data, count);
  *n_written = count;
  return TRUE;
}

/* Puts what is held back over @data, which has @n_read bytes from the disk at @offset and room for @count. If what is
 * held back lies behind the end of the file on disk, there are more bytes then; a gap before it reads as zeros. */
void
tf_io_buffer_overlay (const TfIoBuffer *self,
                      goffset           offset,
                      guint8           *data,
                      gsize             count,
                      gsize            *n_read)
{
  goffset from = MAX (self->start + (goffset) self->dirty_from, offset);
  goffset to = MIN (tf_io_buffer_get_end (self), offset + (goffset) count);

  if (!tf_io_buffer_is_dirty (self) || to <= offset)
    return;

  if (*n_read < (gsize) (to - offset))
    {
      memset (data + *n_read, 0, to - offset - *n_read);
      *n_read = to - offset;
    }

  if (from < to)
    memcpy (data + (from - offset), self->data + (from - self->start), to - from);
}

/* Drops what lies behind the new end of the file. */
void
tf_io_buffer_clip (TfIoBuffer *self,
                   goffset     size)
{
  gsize end = CLAMP (size - self->start, 0, TF_IO_BUFFER_SIZE);

  self->written_to = MIN (self->written_to, size);
  self->filled = MIN (self->filled, end);
  self->dirty_to = MIN (self->dirty_to, end);
  if (!tf_io_buffer_is_dirty (self))
    set_clean (self);
}
