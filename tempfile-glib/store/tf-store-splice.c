/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-store-internal.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "tf-backing-transfer.h"

/* Bytes for which a lock is held. */
#define PIECE (8 * 1024 * 1024)

static gboolean
reserve_behind (TfStore       *self,
                gsize          count,
                GCancellable  *cancellable,
                GError       **error)
{
  if (count > (guint64) (G_MAXINT64 - self->position))
    return tf_set_errno (error, EFBIG, "write", self->stage.where);

  return tf_store_reserve (self, self->position + count, cancellable, error);
}

/* As tf_store_write(), from several places; whether all of it fits into memory is asked once. */
gboolean
tf_store_writev (TfStore              *self,
                 const GOutputVector  *vectors,
                 gsize                 n_vectors,
                 gboolean              blocking,
                 gsize                *n_written,
                 GCancellable         *cancellable,
                 GError              **error)
{
  gsize count = 0;
  gboolean success;

  *n_written = 0;
  for (gsize i = 0; i < n_vectors; i++)
    count += MIN (vectors[i].size, G_MAXSIZE - count);

  if (!tf_store_enter_blocking (self, blocking, cancellable, error))
    return FALSE;

  success = count == 0 || reserve_behind (self, count, cancellable, error);
  if (success)
    success = tf_stage_writev (&self->stage, self->position, vectors, n_vectors, n_written, cancellable, error);

  self->position += *n_written;
  tf_store_leave (self);
  return success;
}

/* Says how many bytes one call is to move: none when it is not known how many there are. */
static gsize
piece_of (int     fd,
          goffset offset)
{
  struct stat st;

  if (offset < 0 || fstat (fd, &st) != 0 || !S_ISREG (st.st_mode))
    return 0;

  return CLAMP (st.st_size - offset, 0, PIECE);
}

static gboolean
copy_locked (TfStore       *self,
             int            fd,
             goffset        offset,
             gsize          count,
             gsize         *n_moved,
             GCancellable  *cancellable,
             GError       **error)
{
  gboolean success;

  if (!reserve_behind (self, count, cancellable, error))
    return FALSE;

  success = tf_stage_copy (&self->stage, self->position, fd, offset, count, n_moved, cancellable, error);
  self->position += *n_moved;
  return success;
}

/* Moves some bytes of a regular file from where @fd stands to the position, and @fd by as much. Moves none
 * at the end, and where only reading can tell. On failure @n_moved counts, too. */
gboolean
tf_store_splice_fd (TfStore       *self,
                    int            fd,
                    gsize         *n_moved,
                    GCancellable  *cancellable,
                    GError       **error)
{
  goffset offset = lseek (fd, 0, SEEK_CUR);
  gsize count = piece_of (fd, offset);
  gboolean success;

  *n_moved = 0;
  if (count == 0)
    return TRUE;

  if (!tf_store_enter (self, cancellable, error))
    return FALSE;

  success = copy_locked (self, fd, offset, count, n_moved, cancellable, error);
  tf_store_leave (self);

  if (*n_moved > 0 && lseek (fd, offset + *n_moved, SEEK_SET) < 0 && success)
    success = tf_set_errno (error, errno, "lseek", NULL);

  return success;
}

static gboolean
splice_locked (TfStore       *self,
               TfStore       *source,
               gsize         *n_moved,
               GCancellable  *cancellable,
               GError       **error)
{
  goffset available = tf_stage_get_size (&source->stage) - source->position;
  gsize count = CLAMP (available, 0, PIECE);
  gboolean success;
  GOutputVector vector;

  if (count == 0)
    return TRUE;

  if (tf_stage_is_in_memory (&source->stage))
    {
      vector = (GOutputVector) { source->stage.buffer.data + source->position, count };
      success = reserve_behind (self, count, cancellable, error) &&
                tf_stage_writev (&self->stage, self->position, &vector, 1, n_moved, cancellable, error);
      self->position += *n_moved;
    }
  else
    {
      success = copy_locked (self, source->stage.fd, source->position, count, n_moved, cancellable, error);
    }

  return tf_store_move_to (source, source->position + *n_moved, success ? error : NULL) && success;
}

/* Moves some bytes from the position of @source, which is another store, to that of @self; none at the end.
 * On failure @n_moved counts, too. */
gboolean
tf_store_splice_store (TfStore       *self,
                       TfStore       *source,
                       gboolean       blocking,
                       gsize         *n_moved,
                       GCancellable  *cancellable,
                       GError       **error)
{
  /* In one order everywhere, so that two threads that splice to and fro do not wait for each other. */
  TfStore *first = MIN (self, source);
  TfStore *second = MAX (self, source);
  gboolean success;

  *n_moved = 0;
  if (!tf_store_enter_blocking (first, blocking, cancellable, error))
    return FALSE;

  if (!tf_store_enter_blocking (second, blocking, cancellable, error))
    {
      tf_store_leave (first);
      return FALSE;
    }

  success = splice_locked (self, source, n_moved, cancellable, error);

  /* Only @self can have rolled over, and tells that when no lock is held any more. */
  tf_store_leave (source);
  tf_store_leave (self);
  return success;
}
