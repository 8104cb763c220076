/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "base/tf-progress.h"
#include "tf-memory-buffer.h"
#include "tf-io-buffer.h"

G_BEGIN_DECLS

/* The bytes of a store: in memory while @fd is -1, otherwise behind @fd. Has no position and no lock. */
typedef struct
{
  TfMemoryBuffer memory;
  int            fd;
  guint          shared : 1;    /* the descriptor was handed out: its offset is the position, and others may move it */
  guint          may_hold_back : 1; /* small writes are held back, and reads read ahead */
  guint          unnamed : 1;   /* the file has had no name since it was opened */
  guint          has_bytes : 1; /* something was written to the file on disk, which was not emptied since */
  gint16         lost_errno;    /* why bytes that were written are lost, or 0 */
  char          *where;         /* (owned) (nullable): path for messages */
  goffset        disk_size;     /* of a file that nobody else can open; otherwise -1, and fstat(2) tells */
  TfIoBuffer    *io_buffer;     /* (owned) (nullable): created when first needed. If nothing may be held back, it has
                                 * only what tf_backing_fill() has read ahead */
} TfBacking;

#define TF_BACKING_INIT_IN_MEMORY { .fd = -1, .disk_size = -1 }

void     tf_backing_clear             (TfBacking            *self);
gboolean tf_backing_close             (TfBacking            *self,
                                       GError              **error);
void     tf_backing_disown            (TfBacking            *self);
gboolean tf_backing_is_in_memory      (const TfBacking      *self);
gboolean tf_backing_may_be_hidden     (const TfBacking      *self);
gboolean tf_backing_read              (TfBacking            *self,
                                       goffset               offset,
                                       gpointer              data,
                                       gsize                 count,
                                       gsize                *n_read,
                                       GCancellable         *cancellable,
                                       GError              **error);
gboolean tf_backing_read_aside        (TfBacking            *self,
                                       goffset               offset,
                                       gpointer              data,
                                       gsize                 count,
                                       gsize                *n_read,
                                       GCancellable         *cancellable,
                                       GError              **error);
gboolean tf_backing_write             (TfBacking            *self,
                                       goffset               offset,
                                       gconstpointer         data,
                                       gsize                 count,
                                       gsize                *n_written,
                                       GCancellable         *cancellable,
                                       GError              **error);
gboolean tf_backing_get_size          (TfBacking            *self,
                                       goffset              *size,
                                       GError              **error);
gboolean tf_backing_set_size          (TfBacking            *self,
                                       goffset               size,
                                       GError              **error);
void     tf_backing_hold_back         (TfBacking            *self,
                                       goffset               known_size);
gboolean tf_backing_hold_back_no_more (TfBacking            *self,
                                       GError              **error);
gboolean tf_backing_flush             (TfBacking            *self,
                                       GCancellable         *cancellable,
                                       GError              **error);
gboolean tf_backing_settle            (TfBacking            *self,
                                       GCancellable         *cancellable,
                                       GError              **error);
gboolean tf_backing_confirm           (TfBacking            *self,
                                       GError              **error);
gboolean tf_backing_confirm_size      (const TfBacking      *self,
                                       goffset               size,
                                       GError              **error);
gboolean tf_backing_seek              (TfBacking            *self,
                                       goffset               offset,
                                       GError              **error);
gboolean tf_backing_share             (TfBacking            *self,
                                       goffset               offset,
                                       GError              **error);
void     tf_backing_get_offset        (TfBacking            *self,
                                       goffset              *offset);
gboolean tf_backing_redirect          (TfBacking            *self,
                                       int                   fd,
                                       goffset               position,
                                       GError              **error);
void     tf_backing_exchange          (TfBacking            *self,
                                       TfBacking            *other);
gboolean tf_backing_reserve           (TfBacking            *self,
                                       goffset               size,
                                       GCancellable         *cancellable,
                                       GError              **error);
gboolean tf_backing_writev            (TfBacking            *self,
                                       goffset               offset,
                                       const GOutputVector  *vectors,
                                       gsize                 n_vectors,
                                       gsize                *n_written,
                                       GCancellable         *cancellable,
                                       GError              **error);
gboolean tf_backing_copy              (TfBacking            *self,
                                       goffset               offset,
                                       int                   source_fd,
                                       goffset               source_offset,
                                       gsize                 count,
                                       gsize                *n_copied,
                                       GCancellable         *cancellable,
                                       GError              **error);

gboolean tf_backing_fill (TfBacking     *self,
                          goffset        offset,
                          gsize          count,
                          GCancellable  *cancellable,
                          GError       **error);

/* Returns the size if it is known without a system call, otherwise -1. */
static inline goffset
tf_backing_get_known_size (const TfBacking *self)
{
  if (self->fd < 0)
    return self->memory.size;

  if (self->disk_size < 0 || self->io_buffer == NULL)
    return self->disk_size;

  return MAX (self->disk_size, tf_io_buffer_get_end (self->io_buffer));
}

/* Drops what was read ahead of a file that others can change. */
static inline void
tf_backing_forget (TfBacking *self)
{
  if (G_UNLIKELY (self->io_buffer != NULL && !self->may_hold_back))
    self->io_buffer->filled = 0;
}

/* Drops what was read ahead of a file that others can open, if nothing is held back. */
static inline void
tf_backing_refresh (TfBacking *self)
{
  if (self->io_buffer != NULL && self->disk_size < 0)
    self->io_buffer->filled = 0;
}

/* Returns whether bytes are held back. */
static inline gboolean
tf_backing_is_dirty (const TfBacking *self)
{
  return self->io_buffer != NULL && tf_io_buffer_is_dirty (self->io_buffer);
}

/* Returns where in the file ends what is held back; 0 if nothing is. */
static inline goffset
tf_backing_get_held_back_end (const TfBacking *self)
{
  return self->io_buffer != NULL ? tf_io_buffer_get_end (self->io_buffer) : 0;
}

static inline gsize
tf_backing_count_held_back (const TfBacking *self)
{
  return tf_backing_is_dirty (self) ? self->io_buffer->dirty_to - self->io_buffer->dirty_from : 0;
}

/* Returns the @count bytes at @offset, at least one, if they are in memory; otherwise NULL. */
static inline const guint8 *
tf_backing_peek (const TfBacking *self,
                 goffset          offset,
                 gsize            count)
{
  if (G_UNLIKELY (self->fd >= 0))
    return self->io_buffer != NULL && self->may_hold_back ? tf_io_buffer_peek (self->io_buffer, offset, count) : NULL;

  return tf_memory_buffer_peek (&self->memory, offset, count);
}

/* Returns the bytes that can be read at @offset without the disk, and their number; NULL if there are none. They are
 * valid until the backing is used again. */
static inline const guint8 *
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

/* Returns the bytes at @offset up to a newline, which is included, if that is one of the first @size of those that
 * tf_backing_peek_some() returns. Otherwise, returns NULL. */
static inline const guint8 *
tf_backing_peek_line (const TfBacking *self,
                      goffset          offset,
                      gsize            size,
                      gsize           *length)
{
  gsize available;
  const guint8 *data = tf_backing_peek_some (self, offset, &available);
  const guint8 *newline = data != NULL ? memchr (data, '\n', MIN (available, size)) : NULL;

  *length = newline != NULL ? newline + 1 - data : 0;
  return newline != NULL ? data : NULL;
}

gboolean tf_backing_write_memory (TfBacking             *self,
                                  const TfMemoryBuffer  *bytes,
                                  TfProgress            *progress,
                                  GCancellable          *cancellable,
                                  GError               **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfBacking, tf_backing_clear)

G_END_DECLS
