/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-store-internal.h"

#include <errno.h>
#include <string.h>

#include "base/tf-errno.h"

/* What needs no more than copying. Nothing is left to do after it, so that nothing has to be saved over it. */
static inline gboolean
try_read (TfStore  *self,
          gpointer  data,
          gsize     count)
{
  const guint8 *source = count > 0 ? tf_stage_peek (&self->stage, self->position, count) : NULL;

  if (source == NULL)
    return FALSE;

  self->position += count;
  memcpy (data, source, count);
  return TRUE;
}

static gboolean
read_locked (TfStore       *self,
             gpointer       data,
             gsize          count,
             gsize         *n_read,
             GCancellable  *cancellable,
             GError       **error)
{
  gboolean success;

  if (try_read (self, data, count))
    {
      *n_read = count;
      return TRUE;
    }

  success = tf_stage_read (&self->stage, self->position, data, count, n_read, cancellable, error);
  self->position += *n_read;
  return success;
}

G_GNUC_NO_INLINE static gboolean
read_slowly (TfStore       *self,
             gpointer       data,
             gsize          count,
             gsize         *n_read,
             GCancellable  *cancellable,
             GError       **error)
{
  gboolean success;

  *n_read = 0;
  if (!tf_store_enter_buffered (self, cancellable, error))
    return FALSE;

  success = read_locked (self, data, count, n_read, cancellable, error);
  tf_store_leave (self);
  return success;
}

/* Reads @count bytes, or those up to the end. On failure @n_read says by how much the position moved. */
gboolean
tf_store_read (TfStore       *self,
               gpointer       data,
               gsize          count,
               gsize         *n_read,
               GCancellable  *cancellable,
               GError       **error)
{
  *n_read = count;
  if (cancellable == NULL && tf_store_is_alone (self) && try_read (self, data, count))
    return TRUE;

  return read_slowly (self, data, count, n_read, cancellable, error);
}

gboolean
tf_store_read_nonblocking (TfStore       *self,
                           gpointer       data,
                           gsize          count,
                           gsize         *n_read,
                           GCancellable  *cancellable,
                           GError       **error)
{
  gboolean success;

  *n_read = 0;
  if (!tf_store_try_enter (self, cancellable, error))
    return FALSE;

  success = read_locked (self, data, count, n_read, cancellable, error);
  tf_store_leave (self);
  return success;
}

/* Takes the lock, which the caller has entered, with it. */
static GBytes *
read_bytes_and_leave (TfStore       *self,
                      gsize          count,
                      GCancellable  *cancellable,
                      GError       **error)
{
  g_autofree guint8 *data = NULL;
  gsize n_read = 0;
  goffset available;
  gboolean success;

  available = MAX (tf_stage_get_size (&self->stage) - self->position, 0);
  count = MIN (count, MIN ((guint64) available, G_MAXSSIZE));
  data = g_try_malloc (count);
  success = data != NULL || count == 0;
  if (success)
    success = read_locked (self, data, count, &n_read, cancellable, error);
  else
    tf_set_errno (error, ENOMEM, "read", self->stage.where);

  tf_store_leave (self);
  return success ? g_bytes_new_take (g_steal_pointer (&data), n_read) : NULL;
}

/* As tf_store_read(), into memory of its own that is no larger than what is there to read. */
GBytes *
tf_store_read_bytes (TfStore       *self,
                     gsize          count,
                     GCancellable  *cancellable,
                     GError       **error)
{
  return tf_store_enter_buffered (self, cancellable, error) ? read_bytes_and_leave (self, count, cancellable, error) : NULL;
}

GBytes *
tf_store_read_bytes_nonblocking (TfStore       *self,
                                 gsize          count,
                                 GCancellable  *cancellable,
                                 GError       **error)
{
  return tf_store_try_enter (self, cancellable, error) ? read_bytes_and_leave (self, count, cancellable, error) : NULL;
}

/* Moves the position by @count bytes, or to the end, as reading would; behind the end it stays. */
gboolean
tf_store_skip (TfStore       *self,
               gsize          count,
               gboolean       blocking,
               gsize         *n_skipped,
               GCancellable  *cancellable,
               GError       **error)
{
  goffset available;
  gboolean success;

  *n_skipped = 0;
  if (!tf_store_enter_blocking (self, blocking, cancellable, error))
    return FALSE;

  available = MAX (tf_stage_get_size (&self->stage) - self->position, 0);
  count = MIN (count, (guint64) available);
  success = count == 0 || tf_store_move_to (self, self->position + count, error);
  if (success)
    *n_skipped = count;

  tf_store_leave (self);
  return success;
}

/* As try_read(); NULL is no place to copy to. */
static inline gboolean
write_to (TfStore        *self,
          guint8         *target,
          gconstpointer   data,
          gsize           count)
{
  if (target == NULL)
    return FALSE;

  self->position += count;
  memcpy (target, data, count);
  return TRUE;
}

static gboolean
try_write (TfStore        *self,
           gconstpointer   data,
           gsize           count)
{
  return write_to (self, tf_stage_claim (&self->stage, self->position, count), data, count);
}

/* As try_write(), also for the few writes in between that need more memory. */
static gboolean
try_grow_and_write (TfStore        *self,
                    gconstpointer   data,
                    gsize           count)
{
  return try_write (self, data, count) ||
         (tf_stage_is_in_memory (&self->stage) &&
          count <= (guint64) (G_MAXINT64 - self->position) &&
          tf_store_grow (self, self->position + count) &&
          try_write (self, data, count));
}

static gboolean
write_locked (TfStore        *self,
              gconstpointer   data,
              gsize           count,
              GCancellable   *cancellable,
              GError        **error)
{
  gsize n_written;
  gboolean success;

  if (count == 0 || try_write (self, data, count))
    return TRUE;

  if (count > (guint64) (G_MAXINT64 - self->position))
    return tf_set_errno (error, EFBIG, "write", self->stage.where);

  if (!tf_store_reserve (self, self->position + count, cancellable, error))
    return FALSE;

  success = tf_stage_write (&self->stage, self->position, data, count, &n_written, cancellable, error);
  self->position += n_written;
  return success;
}

G_GNUC_NO_INLINE static gboolean
write_slowly (TfStore        *self,
              gconstpointer   data,
              gsize           count,
              gsize          *n_written,
              GCancellable   *cancellable,
              GError        **error)
{
  gsize ignored;
  goffset position;
  gboolean success;

  if (cancellable == NULL && tf_store_is_alone (self) && try_grow_and_write (self, data, count))
    return TRUE;

  n_written = n_written != NULL ? n_written : &ignored;
  *n_written = 0;
  if (!tf_store_enter_buffered (self, cancellable, error))
    return FALSE;

  position = self->position;
  success = write_locked (self, data, count, cancellable, error);
  *n_written = self->position - position;
  tf_store_leave (self);
  return success;
}

/* Writes all @count bytes, or fails; then @n_written, if it is wanted, says by how much the position moved. */
gboolean
tf_store_write (TfStore        *self,
                gconstpointer   data,
                gsize           count,
                gsize          *n_written,
                GCancellable   *cancellable,
                GError        **error)
{
  if (n_written != NULL)
    *n_written = count;

  /* Without a look at its state: only what is open has room. */
  if (cancellable == NULL && __libc_single_threaded &&
      write_to (self, tf_stage_claim_in_memory (&self->stage, self->position, count), data, count))
    return TRUE;

  return write_slowly (self, data, count, n_written, cancellable, error);
}

goffset
tf_store_get_size (TfStore *self)
{
  goffset size;

  if (!tf_store_enter_buffered (self, NULL, NULL))
    return 0;

  size = tf_stage_get_size (&self->stage);
  tf_store_leave (self);
  return size;
}

goffset
tf_store_tell (TfStore *self)
{
  goffset position;

  if (!tf_store_enter_buffered (self, NULL, NULL))
    return 0;

  position = self->position;
  tf_store_leave (self);
  return position;
}

/* The position and, where it is handed out, the offset of the descriptor. */
gboolean
tf_store_move_to (TfStore  *self,
                  goffset   position,
                  GError  **error)
{
  if (self->stage.shared && !tf_stage_share (&self->stage, position, error))
    return FALSE;

  self->position = position;
  return TRUE;
}

static gboolean
seek_locked (TfStore    *self,
             goffset     offset,
             GSeekType   type,
             GError    **error)
{
  goffset base = 0;

  if (type == G_SEEK_CUR)
    base = self->position;
  else if (type == G_SEEK_END)
    base = tf_stage_get_size (&self->stage);

  if ((offset > 0 && base > G_MAXINT64 - offset) || base + offset < 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                           offset < 0 ? "Cannot seek to before the start of the temporary file"
                                      : "Cannot seek beyond the largest possible file size");
      return FALSE;
    }

  return tf_store_move_to (self, base + offset, error);
}

/* Moves the position, past the end as well; no bytes come to be by that. */
gboolean
tf_store_seek (TfStore       *self,
               goffset        offset,
               GSeekType      type,
               GCancellable  *cancellable,
               GError       **error)
{
  gboolean success;

  if (!tf_store_enter_buffered (self, cancellable, error))
    return FALSE;

  success = seek_locked (self, offset, type, error);
  tf_store_leave (self);
  return success;
}

static gboolean
truncate_locked (TfStore       *self,
                 goffset        size,
                 GCancellable  *cancellable,
                 GError       **error)
{
  if (size < 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                           "Cannot truncate a temporary file to a negative size");
      return FALSE;
    }

  if (!tf_store_reserve (self, size, cancellable, error) ||
      !tf_stage_set_size (&self->stage, size, error))
    return FALSE;

  tf_store_recount (self);
  return TRUE;
}

/* Makes the file @size bytes long, with zeros at its end if it was shorter; the position stays. */
gboolean
tf_store_truncate (TfStore       *self,
                   goffset        size,
                   GCancellable  *cancellable,
                   GError       **error)
{
  gboolean success;

  if (!tf_store_enter_buffered (self, cancellable, error))
    return FALSE;

  success = truncate_locked (self, size, cancellable, error);
  tf_store_leave (self);
  return success;
}

