/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-store-transfer.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/tf-errno.h"
#include "tf-store-internal.h"

typedef struct
{
  gpointer data;
  gsize    size;
} Mapping;

gboolean
tf_store_hold (TfStore  *self,
               GError  **error)
{
  if (!tf_store_enter (self, NULL, error))
    return FALSE;

  self->n_holds++;
  tf_store_ref (self);
  tf_store_leave (self);
  return TRUE;
}

void
tf_store_release (TfStore *self)
{
  g_mutex_lock (&self->lock);
  self->n_holds--;
  if (self->n_holds == 0 && self->state == TF_STORE_CLOSED)
    tf_stage_clear (&self->stage);
  g_mutex_unlock (&self->lock);

  tf_store_unref (self);
}

/* Reads @count bytes at @offset, or those up to the end; the position has no part in it. */
gboolean
tf_store_held_read (TfStore       *self,
                    goffset        offset,
                    gpointer       data,
                    gsize          count,
                    gsize         *n_read,
                    GCancellable  *cancellable,
                    GError       **error)
{
  gboolean success;

  g_mutex_lock (&self->lock);
  success = tf_stage_read_aside (&self->stage, offset, data, count, n_read, cancellable, error);
  g_mutex_unlock (&self->lock);

  return success;
}

goffset
tf_store_held_get_size (TfStore *self)
{
  goffset size;

  g_mutex_lock (&self->lock);
  size = tf_stage_get_size (&self->stage);
  g_mutex_unlock (&self->lock);

  return size;
}

static void
unmap (gpointer user_data)
{
  Mapping *mapping = user_data;

  munmap (mapping->data, mapping->size);
  g_free (mapping);
}

/* A file system that cannot map gets its bytes read. */
static GBytes *
read_all (TfStage       *stage,
          gsize          size,
          GCancellable  *cancellable,
          GError       **error)
{
  g_autofree guint8 *data = g_try_malloc (size);
  gsize n_read;

  if (data == NULL)
    {
      tf_set_errno (error, ENOMEM, "read", stage->where);
      return NULL;
    }

  if (!tf_stage_read_aside (stage, 0, data, size, &n_read, cancellable, error))
    return NULL;

  return g_bytes_new_take (g_steal_pointer (&data), n_read);
}

static GBytes *
map_disk (TfStage       *stage,
          GCancellable  *cancellable,
          GError       **error)
{
  goffset size = tf_stage_get_size (stage);
  Mapping *mapping;
  gpointer data;

  if (size == 0)
    return g_bytes_new (NULL, 0);

  if ((guint64) size > G_MAXSSIZE)
    {
      tf_set_errno (error, EFBIG, "mmap", stage->where);
      return NULL;
    }

  data = mmap (NULL, size, PROT_READ, MAP_PRIVATE, stage->fd, 0);
  if (data == MAP_FAILED && errno == ENODEV)
    return read_all (stage, size, cancellable, error);

  if (data == MAP_FAILED)
    {
      tf_set_errno (error, errno, "mmap", stage->where);
      return NULL;
    }

  mapping = g_new (Mapping, 1);
  *mapping = (Mapping) { .data = data, .size = size };
  return g_bytes_new_with_free_func (data, size, unmap, mapping);
}

/* The content as it is, without copying it, for a store that is closed next: bytes in memory are the
 * store's own, which they hold; a file is mapped. */
GBytes *
tf_store_map (TfStore       *self,
              GCancellable  *cancellable,
              GError       **error)
{
  GBytes *bytes;

  if (!tf_store_enter (self, cancellable, error))
    return NULL;

  if (tf_stage_is_in_memory (&self->stage))
    {
      self->n_holds++;
      bytes = g_bytes_new_with_free_func (self->stage.buffer.data, self->stage.buffer.size,
                                          (GDestroyNotify) tf_store_release, tf_store_ref (self));
    }
  else
    bytes = map_disk (&self->stage, cancellable, error);

  tf_store_leave (self);
  return bytes;
}
