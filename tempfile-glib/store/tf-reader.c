/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-reader.h"

#include "base/tf-errno.h"
#include "base/tf-task.h"

struct _TfReader
{
  GInputStream parent_instance;

  TfStore *store;    /* (owned) (nullable): pinned, until the reader is closed */
  goffset  position;
};

static void tf_reader_seekable_init (GSeekableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TfReader, tf_reader, G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_SEEKABLE, tf_reader_seekable_init))

static gssize
tf_reader_read (GInputStream  *stream,
                void          *buffer,
                gsize          count,
                GCancellable  *cancellable,
                GError       **error)
{
  TfReader *self = TF_READER (stream);
  g_autoptr(GError) read_error = NULL;
  gsize n_read;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return -1;

  if (!tf_store_pinned_read (self->store, self->position, buffer, count, &n_read, cancellable, &read_error) &&
      n_read == 0)
    {
      g_propagate_error (error, g_steal_pointer (&read_error));
      return -1;
    }

  self->position += n_read;
  return n_read;
}

/* The default implementation seeks, and aborts if the position is behind the end. */
static gssize
tf_reader_skip (GInputStream  *stream,
                gsize          count,
                GCancellable  *cancellable,
                GError       **error)
{
  TfReader *self = TF_READER (stream);
  goffset size;

  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !tf_store_pinned_get_size (self->store, &size, error))
    return -1;

  count = MIN (count, (guint64) MAX (size - self->position, 0));
  self->position += count;
  return count;
}

static gboolean
tf_reader_close (GInputStream  *stream,
                 GCancellable  *cancellable,
                 GError       **error)
{
  g_clear_pointer (&TF_READER (stream)->store, tf_store_unpin);
  return TRUE;
}

typedef struct
{
  void *buffer; /* (unowned) (nullable): the bytes are skipped */
  gsize count;
} Request;

static gssize
read_func (gpointer       source_object,
           gpointer       task_data,
           GCancellable  *cancellable,
           GError       **error)
{
  Request *request = task_data;

  return tf_reader_read (source_object, request->buffer, request->count, cancellable, error);
}

static gssize
skip_func (gpointer       source_object,
           gpointer       task_data,
           GCancellable  *cancellable,
           GError       **error)
{
  Request *request = task_data;

  return tf_reader_skip (source_object, request->count, cancellable, error);
}

/* Whoever drops the last pin of a large file waits until it is freed. */
static gssize
close_func (gpointer       source_object,
            gpointer       no_data,
            GCancellable  *cancellable,
            GError       **error)
{
  TfReader *self = source_object;

  if (g_atomic_int_get (&self->store->n_pins) == 1 && !tf_task_may_block (error))
    return -1;

  return tf_reader_close (source_object, cancellable, error) ? 0 : -1;
}

static void
start (GInputStream        *stream,
       gpointer             source_tag,
       TfTaskFunc           func,
       Request              request,
       int                  io_priority,
       GCancellable        *cancellable,
       GAsyncReadyCallback  callback,
       gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (stream, source_tag, io_priority, cancellable, callback, user_data);

  g_task_set_task_data (task, g_memdup2 (&request, sizeof request), g_free);
  tf_task_run (task, func);
}

static void
tf_reader_read_async (GInputStream        *stream,
                      void                *buffer,
                      gsize                count,
                      int                  io_priority,
                      GCancellable        *cancellable,
                      GAsyncReadyCallback  callback,
                      gpointer             user_data)
{
  start (stream, tf_reader_read_async, read_func, (Request) { buffer, count },
         io_priority, cancellable, callback, user_data);
}

static gssize
tf_reader_read_finish (GInputStream  *stream,
                       GAsyncResult  *result,
                       GError       **error)
{
  return tf_task_finish (stream, result, tf_reader_read_async, error);
}

static void
tf_reader_skip_async (GInputStream        *stream,
                      gsize                count,
                      int                  io_priority,
                      GCancellable        *cancellable,
                      GAsyncReadyCallback  callback,
                      gpointer             user_data)
{
  start (stream, tf_reader_skip_async, skip_func, (Request) { NULL, count },
         io_priority, cancellable, callback, user_data);
}

static gssize
tf_reader_skip_finish (GInputStream  *stream,
                       GAsyncResult  *result,
                       GError       **error)
{
  return tf_task_finish (stream, result, tf_reader_skip_async, error);
}

static void
tf_reader_close_async (GInputStream        *stream,
                       int                  io_priority,
                       GCancellable        *cancellable,
                       GAsyncReadyCallback  callback,
                       gpointer             user_data)
{
  start (stream, tf_reader_close_async, close_func, (Request) { NULL, 0 },
         io_priority, cancellable, callback, user_data);
}

static gboolean
tf_reader_close_finish (GInputStream  *stream,
                        GAsyncResult  *result,
                        GError       **error)
{
  return tf_task_finish (stream, result, tf_reader_close_async, error) >= 0;
}

static void
tf_reader_class_init (TfReaderClass *klass)
{
  GInputStreamClass *stream_class = G_INPUT_STREAM_CLASS (klass);

  stream_class->read_fn = tf_reader_read;
  stream_class->skip = tf_reader_skip;
  stream_class->close_fn = tf_reader_close;
  stream_class->read_async = tf_reader_read_async;
  stream_class->read_finish = tf_reader_read_finish;
  stream_class->skip_async = tf_reader_skip_async;
  stream_class->skip_finish = tf_reader_skip_finish;
  stream_class->close_async = tf_reader_close_async;
  stream_class->close_finish = tf_reader_close_finish;
}

static void
tf_reader_init (TfReader *self)
{
}

static goffset
tf_reader_tell (GSeekable *seekable)
{
  return TF_READER (seekable)->position;
}

static gboolean
tf_reader_can_seek (GSeekable *seekable)
{
  return TRUE;
}

static gboolean
move (TfReader      *self,
      goffset        offset,
      GSeekType      type,
      GCancellable  *cancellable,
      GError       **error)
{
  goffset base = 0;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  if (type == G_SEEK_CUR)
    base = self->position;
  else if (type == G_SEEK_END && !tf_store_pinned_get_size (self->store, &base, error))
    return FALSE;
  else if (type != G_SEEK_SET && type != G_SEEK_END)
    return tf_errno_set_code (error, G_IO_ERROR_INVALID_ARGUMENT, "Invalid GSeekType");

  if ((offset > 0 && base > G_MAXINT64 - offset) || base + offset < 0)
    return tf_errno_set_code (error, G_IO_ERROR_INVALID_ARGUMENT,
                              "Cannot seek to before the start or beyond the largest possible file size");

  self->position = base + offset;
  return TRUE;
}

static gboolean
tf_reader_seek (GSeekable     *seekable,
                goffset        offset,
                GSeekType      type,
                GCancellable  *cancellable,
                GError       **error)
{
  GInputStream *stream = G_INPUT_STREAM (seekable);
  gboolean success;

  if (TF_READER (stream)->store == NULL)
    return tf_errno_set_code (error, G_IO_ERROR_CLOSED, "The reader is closed");

  if (!g_input_stream_set_pending (stream, error))
    return FALSE;

  success = move (TF_READER (stream), offset, type, cancellable, error);
  g_input_stream_clear_pending (stream);
  return success;
}

static gboolean
tf_reader_can_truncate (GSeekable *seekable)
{
  return FALSE;
}

static gboolean
tf_reader_truncate (GSeekable     *seekable,
                    goffset        size,
                    GCancellable  *cancellable,
                    GError       **error)
{
  return tf_errno_set_code (error, G_IO_ERROR_NOT_SUPPORTED, "Cannot truncate a reader");
}

static void
tf_reader_seekable_init (GSeekableIface *iface)
{
  iface->tell = tf_reader_tell;
  iface->can_seek = tf_reader_can_seek;
  iface->seek = tf_reader_seek;
  iface->can_truncate = tf_reader_can_truncate;
  iface->truncate_fn = tf_reader_truncate;
}

/* Returns a reader at the start of the bytes. Fails if the store is not open. */
GInputStream *
tf_reader_new (TfStore  *store,
               GError  **error)
{
  TfReader *self;

  if (!tf_store_pin (store, error))
    return NULL;

  self = g_object_new (TF_TYPE_READER, NULL);
  self->store = store;
  return G_INPUT_STREAM (self);
}
