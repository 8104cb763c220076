/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-output-stream.h"

#include "base/tf-errno.h"
#include "base/tf-task.h"
#include "tf-input-stream.h"
#include "tf-splice.h"
#include "tf-stream-call.h"

struct _TfOutputStream
{
  GOutputStream parent_instance;

  TfStore *store; /* (owned) */
};

typedef struct
{
  GOutputVector only;
  const GOutputVector *vectors; /* (unowned) */
  gsize n_vectors;
} Request;

static void tf_output_stream_seekable_init (GSeekableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TfOutputStream, tf_output_stream, G_TYPE_OUTPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_SEEKABLE, tf_output_stream_seekable_init))

/* A stream reports the bytes that were written before an error; the next call gets the error again. */
static gboolean
took_some (gboolean   success,
           gsize      n_bytes,
           GError   **error)
{
  if (success || n_bytes == 0)
    return success;

  g_clear_error (error);
  return TRUE;
}

/* GIO checks the stream before it writes, but not before it seeks and truncates. */
static gboolean
check_usable (TfOutputStream  *self,
              GError         **error)
{
  if (g_output_stream_is_closed (G_OUTPUT_STREAM (self)))
    return tf_errno_set_code (error, G_IO_ERROR_CLOSED, "The stream is closed");

  if (g_output_stream_has_pending (G_OUTPUT_STREAM (self)))
    return tf_errno_set_code (error, G_IO_ERROR_PENDING, "The stream has an outstanding operation");

  return tf_stream_call_check_idle (self->store, error);
}

static gssize
tf_output_stream_write (GOutputStream  *stream,
                        const void     *buffer,
                        gsize           count,
                        GCancellable   *cancellable,
                        GError        **error)
{
  TfStore *store = TF_OUTPUT_STREAM (stream)->store;
  gsize n_written;
  gboolean success;

  if (tf_store_write_at_once (store, buffer, count, cancellable))
    return count;

  if (!tf_stream_call_check_idle (store, error))
    return -1;

  success = tf_store_write_locking (store, buffer, count, &n_written, cancellable, error);
  return took_some (success, n_written, error) ? (gssize) n_written : -1;
}

static gboolean
tf_output_stream_writev (GOutputStream        *stream,
                         const GOutputVector  *vectors,
                         gsize                 n_vectors,
                         gsize                *n_written,
                         GCancellable         *cancellable,
                         GError              **error)
{
  TfStore *store = TF_OUTPUT_STREAM (stream)->store;
  gboolean success;

  *n_written = 0;
  success = tf_stream_call_check_idle (store, error) &&
            tf_store_writev (store, vectors, n_vectors, n_written, cancellable, error);

  return took_some (success, *n_written, error);
}

static gssize
write_func (gpointer       source_object,
            gpointer       task_data,
            GCancellable  *cancellable,
            GError       **error)
{
  TfOutputStream *self = source_object;
  Request *request = task_data;
  gsize n_written;
  gboolean success = tf_store_writev (self->store, request->vectors, request->n_vectors,
                                      &n_written, cancellable, error);

  return took_some (success, n_written, error) ? (gssize) n_written : -1;
}

static void
tf_output_stream_write_async (GOutputStream       *stream,
                              const void          *buffer,
                              gsize                count,
                              int                  io_priority,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (stream, tf_output_stream_write_async,
                                       io_priority, cancellable, callback, user_data);
  Request *request = g_new (Request, 1);

  *request = (Request) { { buffer, count }, &request->only, 1 };
  tf_stream_call_run (task, TF_OUTPUT_STREAM (stream)->store, write_func, request);
}

static gssize
tf_output_stream_write_finish (GOutputStream  *stream,
                               GAsyncResult   *result,
                               GError        **error)
{
  return tf_task_finish (stream, result, tf_output_stream_write_async, error);
}

static void
tf_output_stream_writev_async (GOutputStream       *stream,
                               const GOutputVector *vectors,
                               gsize                n_vectors,
                               int                  io_priority,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (stream, tf_output_stream_writev_async,
                                       io_priority, cancellable, callback, user_data);
  Request *request = g_new0 (Request, 1);

  request->vectors = vectors;
  request->n_vectors = n_vectors;
  tf_stream_call_run (task, TF_OUTPUT_STREAM (stream)->store, write_func, request);
}

static gboolean
tf_output_stream_writev_finish (GOutputStream  *stream,
                                GAsyncResult   *result,
                                gsize          *n_written,
                                GError        **error)
{
  gssize n = tf_task_finish (stream, result, tf_output_stream_writev_async, error);

  *n_written = MAX (n, 0);
  return n >= 0;
}

/* Not refused while the file has an operation: closing the file flushes the stream. */
static gboolean
tf_output_stream_flush (GOutputStream  *stream,
                        GCancellable   *cancellable,
                        GError        **error)
{
  return tf_store_flush (TF_OUTPUT_STREAM (stream)->store, cancellable, error);
}

static gssize
flush_func (gpointer       source_object,
            gpointer       task_data,
            GCancellable  *cancellable,
            GError       **error)
{
  return tf_store_flush (TF_OUTPUT_STREAM (source_object)->store, cancellable, error) ? 0 : -1;
}

static void
tf_output_stream_flush_async (GOutputStream       *stream,
                              int                  io_priority,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (stream, tf_output_stream_flush_async,
                                       io_priority, cancellable, callback, user_data);

  tf_stream_call_run (task, TF_OUTPUT_STREAM (stream)->store, flush_func, NULL);
}

static gboolean
tf_output_stream_flush_finish (GOutputStream  *stream,
                               GAsyncResult   *result,
                               GError        **error)
{
  return tf_task_finish (stream, result, tf_output_stream_flush_async, error) >= 0;
}

/* Closing a stream releases nothing, because the file owns everything. */
static void
tf_output_stream_close_async (GOutputStream       *stream,
                              int                  io_priority,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (stream, tf_output_stream_close_async,
                                       io_priority, cancellable, callback, user_data);

  g_task_return_int (task, TRUE);
}

static gboolean
tf_output_stream_close_finish (GOutputStream  *stream,
                               GAsyncResult   *result,
                               GError        **error)
{
  return tf_task_finish (stream, result, tf_output_stream_close_async, error) >= 0;
}

/* Splices a file into itself. What is read depends on what was written, so the pieces are those of GIO. */
static gboolean
is_own_source (GOutputStream *stream,
               GInputStream  *source)
{
  return TF_IS_INPUT_STREAM (source) &&
         tf_input_stream_get_store (TF_INPUT_STREAM (source)) == TF_OUTPUT_STREAM (stream)->store;
}

static gssize
tf_output_stream_splice (GOutputStream             *stream,
                         GInputStream              *source,
                         GOutputStreamSpliceFlags   flags,
                         GCancellable              *cancellable,
                         GError                   **error)
{
  if (!tf_stream_call_check_idle (TF_OUTPUT_STREAM (stream)->store, error))
    return -1;

  if (is_own_source (stream, source))
    return G_OUTPUT_STREAM_CLASS (tf_output_stream_parent_class)->splice (stream, source, flags, cancellable, error);

  return tf_splice (stream, TF_OUTPUT_STREAM (stream)->store, source, flags, cancellable, error);
}

static void
tf_output_stream_splice_async (GOutputStream            *stream,
                               GInputStream             *source,
                               GOutputStreamSpliceFlags  flags,
                               int                       io_priority,
                               GCancellable             *cancellable,
                               GAsyncReadyCallback       callback,
                               gpointer                  user_data)
{
  if (is_own_source (stream, source))
    G_OUTPUT_STREAM_CLASS (tf_output_stream_parent_class)->splice_async (stream, source, flags, io_priority,
                                                                               cancellable, callback, user_data);
  else
    tf_splice_async (stream, TF_OUTPUT_STREAM (stream)->store, source, flags, io_priority,
                     cancellable, callback, user_data);
}

static gssize
tf_output_stream_splice_finish (GOutputStream  *stream,
                                GAsyncResult   *result,
                                GError        **error)
{
  if (g_async_result_is_tagged (result, tf_splice_async))
    return tf_task_finish (stream, result, tf_splice_async, error);

  return G_OUTPUT_STREAM_CLASS (tf_output_stream_parent_class)->splice_finish (stream, result, error);
}

static void
tf_output_stream_finalize (GObject *object)
{
  tf_store_unref (TF_OUTPUT_STREAM (object)->store);

  G_OBJECT_CLASS (tf_output_stream_parent_class)->finalize (object);
}

static void
tf_output_stream_class_init (TfOutputStreamClass *klass)
{
  GOutputStreamClass *stream_class = G_OUTPUT_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = tf_output_stream_finalize;

  stream_class->write_fn = tf_output_stream_write;
  stream_class->writev_fn = tf_output_stream_writev;
  stream_class->splice = tf_output_stream_splice;
  stream_class->write_async = tf_output_stream_write_async;
  stream_class->write_finish = tf_output_stream_write_finish;
  stream_class->writev_async = tf_output_stream_writev_async;
  stream_class->writev_finish = tf_output_stream_writev_finish;
  stream_class->flush = tf_output_stream_flush;
  stream_class->flush_async = tf_output_stream_flush_async;
  stream_class->flush_finish = tf_output_stream_flush_finish;
  stream_class->close_async = tf_output_stream_close_async;
  stream_class->close_finish = tf_output_stream_close_finish;
  stream_class->splice_async = tf_output_stream_splice_async;
  stream_class->splice_finish = tf_output_stream_splice_finish;
}

static void
tf_output_stream_init (TfOutputStream *self)
{
}

static goffset
tf_output_stream_tell (GSeekable *seekable)
{
  return tf_store_tell (TF_OUTPUT_STREAM (seekable)->store);
}

static gboolean
can_always (GSeekable *seekable)
{
  return TRUE;
}

static gboolean
tf_output_stream_seek (GSeekable     *seekable,
                       goffset        offset,
                       GSeekType      type,
                       GCancellable  *cancellable,
                       GError       **error)
{
  return check_usable (TF_OUTPUT_STREAM (seekable), error) &&
         tf_store_seek (TF_OUTPUT_STREAM (seekable)->store, offset, type, cancellable, error);
}

static gboolean
tf_output_stream_truncate (GSeekable     *seekable,
                           goffset        size,
                           GCancellable  *cancellable,
                           GError       **error)
{
  return check_usable (TF_OUTPUT_STREAM (seekable), error) &&
         tf_store_truncate (TF_OUTPUT_STREAM (seekable)->store, size, cancellable, error);
}

static void
tf_output_stream_seekable_init (GSeekableIface *iface)
{
  iface->tell = tf_output_stream_tell;
  iface->can_seek = can_always;
  iface->seek = tf_output_stream_seek;
  iface->can_truncate = can_always;
  iface->truncate_fn = tf_output_stream_truncate;
}

GOutputStream *
tf_output_stream_new (TfStore *store)
{
  TfOutputStream *self = g_object_new (TF_TYPE_OUTPUT_STREAM, NULL);

  self->store = tf_store_ref (store);
  return G_OUTPUT_STREAM (self);
}

TfStore *
tf_output_stream_get_store (TfOutputStream *self)
{
  return self->store;
}
