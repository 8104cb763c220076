/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-splice.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-errno.h"

/* The number of bytes moved while the lock of the target is held. */
#define PIECE (1024 * 1024)

/* Returns the number of bytes to move in one call; 0 if the size of the source is not known. */
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

  if (!tf_store_make_room (self, count, cancellable, error))
    return FALSE;

  success = tf_backing_copy (&self->backing, self->position, fd, offset, count, n_moved, cancellable, error);
  tf_store_end_write (self, *n_moved, success && *n_moved == count);
  return success;
}

/* Moves some bytes of a regular file from the offset of @fd to the position. Moves none at the end, and if only reading
 * can tell where that is. @n_moved is set on failure, too. */
gboolean
tf_splice_fd (TfStore       *self,
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

  if (!tf_store_lock_settled (self, cancellable, error))
    return FALSE;

  success = copy_locked (self, fd, offset, count, n_moved, cancellable, error);
  tf_store_unlock (self);
  tf_store_let_readers_in (self);

  if (*n_moved > 0 && lseek (fd, offset + *n_moved, SEEK_SET) < 0 && success)
    success = tf_errno_set (error, errno, "lseek", NULL);

  return success;
}

static gboolean
copy_from (TfStore       *self,
           TfStore       *source,
           gsize          count,
           gsize         *n_moved,
           GCancellable  *cancellable,
           GError       **error)
{
  GOutputVector vector;
  gboolean success;

  if (!tf_backing_is_in_memory (&source->backing))
    return copy_locked (self, source->backing.fd, source->position, count, n_moved, cancellable, error);

  vector = (GOutputVector) { source->backing.memory.data + source->position, count };
  success = tf_store_make_room (self, count, cancellable, error) &&
            tf_backing_writev (&self->backing, self->position, &vector, 1, n_moved, cancellable, error);
  tf_store_end_write (self, *n_moved, success && *n_moved == count);
  return success;
}

/* How many bytes are moved in one piece. Fails in a thread that must not block if there are many pieces. */
static gboolean
measure_piece (TfStore  *source,
               gsize    *count,
               GError  **error)
{
  goffset size;

  if (!tf_backing_get_size (&source->backing, &size, error) ||
      !tf_store_may_copy (CLAMP (size - source->position, 0, G_MAXSSIZE), error))
    return FALSE;

  *count = CLAMP (size - source->position, 0, PIECE);
  return TRUE;
}

/* Called with both locks held, which are given up. That of @source is not held while the bytes are copied, because
 * @self can roll over, which calls code of the user's; and neither lock is waited for with the other one, because a fork
 * waits for both. */
static gboolean
splice_piece (TfStore       *self,
              TfStore       *source,
              gsize          count,
              gsize         *n_moved,
              GCancellable  *cancellable,
              GError       **error)
{
  gboolean success;

  tf_store_begin_copy (source);
  success = copy_from (self, source, count, n_moved, cancellable, error);
  tf_store_pause (self);

  success = tf_store_end_copy (source, success ? error : NULL) &&
            tf_store_move_to (source, source->position + *n_moved, success ? error : NULL) &&
            success;
  tf_store_unlock (source);

  /* Only @self can have rolled over. It notifies its owner when no lock is held any more. */
  tf_store_resume (self);
  tf_store_unlock (self);
  tf_store_let_readers_in (self);
  return success;
}

/* Moves some bytes from the position of @source, which is another store, to that of @self; none at the end. @n_moved is
 * set on failure, too. */
gboolean
tf_splice_store (TfStore       *self,
                 TfStore       *source,
                 gsize         *n_moved,
                 GCancellable  *cancellable,
                 GError       **error)
{
  gboolean success;
  gsize count = 0;

  *n_moved = 0;
  if (!tf_store_lock_two_settled (self, source, cancellable, error))
    return FALSE;

  success = measure_piece (source, &count, error);
  if (count > 0)
    return splice_piece (self, source, count, n_moved, cancellable, error);

  tf_store_unlock (source);
  tf_store_unlock (self);
  return success;
}
