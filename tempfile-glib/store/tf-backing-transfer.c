/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-backing-transfer.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tf-disk.h"
#include "base/tf-errno.h"

/* Bytes moved between two looks at the cancellable. */
#define PIECE (8 * 1024 * 1024)

#define MAX_VECTORS 64

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
writev_to_disk (TfStage              *self,
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
                       : pwritev (self->fd, iov, n_iov, offset + *n_written);
      if (n < 0 && errno != EINTR)
        return tf_set_errno (error, errno, "write", self->where);
      if (n > 0)
        {
          *n_written += n;
          rest_take (&rest, n);
        }
    }

  return TRUE;
}

/* As tf_stage_write(), from several places. */
gboolean
tf_stage_writev (TfStage              *self,
                 goffset               offset,
                 const GOutputVector  *vectors,
                 gsize                 n_vectors,
                 gsize                *n_written,
                 GCancellable         *cancellable,
                 GError              **error)
{
  *n_written = 0;
  if (!tf_stage_is_in_memory (self))
    return writev_to_disk (self, offset, vectors, n_vectors, n_written, cancellable, error);

  for (gsize i = 0; i < n_vectors; i++)
    {
      if (vectors[i].size > 0)
        tf_buffer_write (&self->buffer, offset + *n_written, vectors[i].buffer, vectors[i].size);
      *n_written += vectors[i].size;
    }

  return TRUE;
}

static gboolean
copy_to_memory (TfStage       *self,
                goffset        offset,
                int            source_fd,
                goffset        source_offset,
                gsize          count,
                gsize         *n_copied,
                GCancellable  *cancellable,
                GError       **error)
{
  guint8 *data = tf_buffer_prepare (&self->buffer, offset, count);
  gboolean success = tf_disk_read (source_fd, NULL, source_offset, data, count, n_copied, cancellable, error);

  if (*n_copied > 0)
    tf_buffer_commit (&self->buffer, offset + *n_copied);

  return success;
}

/* Copies @count bytes, for which there must be room in memory, from a file that can seek; fewer only at its
 * end. On failure @n_copied says how many were taken before it. Its own offset is neither used nor moved. */
gboolean
tf_stage_copy (TfStage       *self,
               goffset        offset,
               int            source_fd,
               goffset        source_offset,
               gsize          count,
               gsize         *n_copied,
               GCancellable  *cancellable,
               GError       **error)
{
  *n_copied = 0;
  if (tf_stage_is_in_memory (self))
    return copy_to_memory (self, offset, source_fd, source_offset, count, n_copied, cancellable, error);

  return tf_disk_copy (source_fd, source_offset, self->fd, self->where,
                       self->shared ? TF_DISK_OWN_OFFSET : offset, count, n_copied, cancellable, error);
}
