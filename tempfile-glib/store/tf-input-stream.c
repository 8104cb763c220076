/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-input-stream.h"

#include "base/tf-errno.h"
#include "base/tf-task.h"

struct _TfInputStream
{
  GInputStream parent_instance;

  TfStore *store; /* (owned) */
};

typedef struct
{
  void *buffer; /* (unowned) */
  gsize count;
} Request;

static void tf_input_stream_seekable_init (GSeekableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TfInputStream, tf_input_stream, G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_SEEKABLE, tf_input_stream_seekable_init))

/* A stream reports the bytes that were read before an error; the next call gets the error again. */
static gssize
bytes_or_error (gboolean   success,
                gsize      n_bytes,
                GError   **error)
{
  if (!success && n_bytes == 0)
    return -1;

  if (!success)
    g_clear_error (error);

  return n_bytes;
}

/* GIO checks the stream before it reads, but not before it seeks. */
static gboolean
check_usable (TfInputStream  *self,
              GError        **error)
{
  if (g_input_stream_is_closed (G_INPUT_STREAM (self)))
    return tf_errno_set_code (error, G_IO_ERROR_CLOSED, "The stream is closed");

  if (g_input_stream_has_pending (G_INPUT_STREAM (self)))
    return tf_errno_set_code (error, G_IO_ERROR_PENDING, "The stream has an outstanding operation");

  return tf_store_check_stream_idle (self->store, error);
}

static gssize
tf_input_stream_read (GInputStream  *stream,
                      void          *buffer,
                      gsize          count,
                      GCancellable  *cancellable,
                      GError       **error)
{
  TfStore *store = TF_INPUT_STREAM (stream)->store;
  gboolean success;
  gsize n_read;

  if (tf_store_read_at_once (store, buffer, count, cancellable))
    return count;

  if (!tf_store_check_stream_idle (store, error))
    return -1;

  success = tf_store_read_locking (store, buffer, count, &n_read, cancellable, error);
  return bytes_or_error (success, n_read, error);
}

static gssize
tf_input_stream_skip (GInputStream  *stream,
                      gsize          count,
                      GCancellable  *cancellable,
                      GError       **error)
{
  TfStore *store = TF_INPUT_STREAM (stream)->store;
  gsize n_skipped;

  if (!tf_store_check_stream_idle (store, error) || !tf_store_skip (store, count, &n_skipped, cancellable, error))
    return -1;

  return n_skipped;
}

static gssize
read_func (gpointer       source_object,
           gpointer       task_data,
           GCancellable  *cancellable,
           GError       **error)
{
  TfInputStream *self = source_object;
  Request *request = task_data;
  gsize n_read;
  gboolean success = tf_store_read_in_pieces (self->store, request->buffer, request->count, &n_read,
                                              cancellable, error);

  return bytes_or_error (success, n_read, error);
}

static void
tf_input_stream_read_async (GInputStream        *stream,
                            void                *buffer,
                            gsize                count,
                            int                  io_priority,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (stream, tf_input_stream_read_async,
                                       io_priority, cancellable, callback, user_data);
  Request *request = g_new (Request, 1);

  *request = (Request) { buffer, count };
  tf_store_run_for_stream (TF_INPUT_STREAM (stream)->store, task, read_func, request);
}

static gssize
tf_input_stream_read_finish (GInputStream  *stream,
                             GAsyncResult  *result,
                             GError       **error)
{
  return tf_task_finish (stream, result, tf_input_stream_read_async, error);
}

static gssize
skip_func (gpointer       source_object,
           gpointer       task_data,
           GCancellable  *cancellable,
           GError       **error)
{
  TfInputStream *self = source_object;
  Request *request = task_data;
  gsize n_skipped;

  return tf_store_skip (self->store, request->count, &n_skipped, cancellable, error) ? (gssize) n_skipped : -1;
}

static void
tf_input_stream_skip_async (GInputStream        *stream,
                            gsize                count,
                            int                  io_priority,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (stream, tf_input_stream_skip_async,
                                       io_priority, cancellable, callback, user_data);
  Request *request = g_new (Request, 1);

  *request = (Request) { NULL, count };
  tf_store_run_for_stream (TF_INPUT_STREAM (stream)->store, task, skip_func, request);
}

static gssize
tf_input_stream_skip_finish (GInputStream  *stream,
                             GAsyncResult  *result,
                             GError       **error)
{
  return tf_task_finish (stream, result, tf_input_stream_skip_async, error);
}

/* Closing a stream releases nothing, because the file owns everything. */
static void
tf_input_stream_close_async (GInputStream        *stream,
                             int                  io_priority,
                             GCancellable        *cancellable,
                             GAsyncReadyCallback  callback,
                             gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (stream, tf_input_stream_close_async,
                                       io_priority, cancellable, callback, user_data);

  tf_store_close_gate (TF_INPUT_STREAM (stream)->store);
  g_task_return_int (task, TRUE);
}

static gboolean
tf_input_stream_close_finish (GInputStream  *stream,
                              GAsyncResult  *result,
                              GError       **error)
{
  return tf_task_finish (stream, result, tf_input_stream_close_async, error) >= 0;
}

static void
tf_input_stream_finalize (GObject *object)
{
  tf_store_unref (TF_INPUT_STREAM (object)->store);

  G_OBJECT_CLASS (tf_input_stream_parent_class)->finalize (object);
}

static void
tf_input_stream_class_init (TfInputStreamClass *klass)
{
  GInputStreamClass *stream_class = G_INPUT_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = tf_input_stream_finalize;

  stream_class->read_fn = tf_input_stream_read;
  stream_class->skip = tf_input_stream_skip;
  stream_class->read_async = tf_input_stream_read_async;
  stream_class->read_finish = tf_input_stream_read_finish;
  stream_class->skip_async = tf_input_stream_skip_async;
  stream_class->skip_finish = tf_input_stream_skip_finish;
  stream_class->close_async = tf_input_stream_close_async;
  stream_class->close_finish = tf_input_stream_close_finish;
}

static void
tf_input_stream_init (TfInputStream *self)
{
}

static goffset
tf_input_stream_tell (GSeekable *seekable)
{
  return tf_store_tell (TF_INPUT_STREAM (seekable)->store);
}

static gboolean
tf_input_stream_can_seek (GSeekable *seekable)
{
  return TRUE;
}

static gboolean
tf_input_stream_seek (GSeekable     *seekable,
                      goffset        offset,
                      GSeekType      type,
                      GCancellable  *cancellable,
                      GError       **error)
{
  return check_usable (TF_INPUT_STREAM (seekable), error) &&
         tf_store_seek (TF_INPUT_STREAM (seekable)->store, offset, type, cancellable, error);
}

static gboolean
tf_input_stream_can_truncate (GSeekable *seekable)
{
  return FALSE;
}

static gboolean
tf_input_stream_truncate (GSeekable     *seekable,
                          goffset        size,
                          GCancellable  *cancellable,
                          GError       **error)
{
  return tf_errno_set_code (error, G_IO_ERROR_NOT_SUPPORTED, "Cannot truncate an input stream");
}

static void
tf_input_stream_seekable_init (GSeekableIface *iface)
{
  iface->tell = tf_input_stream_tell;
  iface->can_seek = tf_input_stream_can_seek;
  iface->seek = tf_input_stream_seek;
  iface->can_truncate = tf_input_stream_can_truncate;
  iface->truncate_fn = tf_input_stream_truncate;
}

GInputStream *
tf_input_stream_new (TfStore *store)
{
  TfInputStream *self = g_object_new (TF_TYPE_INPUT_STREAM, NULL);

  self->store = tf_store_ref (store);
  return G_INPUT_STREAM (self);
}

TfStore *
tf_input_stream_get_store (TfInputStream *self)
{
  return self->store;
}
