/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-output-stream.h"

#include <gio/gfiledescriptorbased.h>
#include <gio/gunixinputstream.h>

#include "base/tf-errno.h"
#include "base/tf-task.h"
#include "tf-input-stream.h"
#include "tf-reader.h"
#include "tf-splice.h"

#define BUFFER_SIZE (256 * 1024)

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

  return tf_store_check_stream_idle (self->store, error);
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

  if (!tf_store_check_stream_idle (store, error))
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
  success = tf_store_check_stream_idle (store, error) &&
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
  gboolean success = tf_store_write_in_pieces (self->store, request->vectors, request->n_vectors,
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
  tf_store_run_for_stream (TF_OUTPUT_STREAM (stream)->store, task, write_func, request);
}

static gssize
tf_output_stream_write_finish (GOutputStream  *stream,
                               GAsyncResult   *result,
                               GError        **error)
{
  return tf_task_finish (stream, result, tf_output_stream_write_async, error);
}

typedef struct
{
  GAsyncReadyCallback callback; /* (nullable) */
  gpointer user_data;
} Caller;

static void
on_vectors_written (GObject      *source_object,
                    GAsyncResult *result,
                    gpointer      user_data)
{
  g_autofree Caller *caller = user_data;

  g_output_stream_clear_pending (G_OUTPUT_STREAM (source_object));
  if (caller->callback != NULL)
    caller->callback (source_object, result, caller->user_data);
}

/* Unlike for other calls, GOutputStream leaves it to this one to make the stream pending. */
static void
tf_output_stream_writev_async (GOutputStream       *stream,
                               const GOutputVector *vectors,
                               gsize                n_vectors,
                               int                  io_priority,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  GError *error = NULL;
  Request *request;
  Caller *caller;

  if (!g_output_stream_set_pending (stream, &error))
    {
      tf_errno_set_last (0);
      g_task_report_error (stream, callback, user_data, tf_output_stream_writev_async, error);
      return;
    }

  caller = g_new (Caller, 1);
  *caller = (Caller) { callback, user_data };
  task = tf_task_new (stream, tf_output_stream_writev_async, io_priority, cancellable, on_vectors_written, caller);
  request = g_new0 (Request, 1);
  request->vectors = vectors;
  request->n_vectors = n_vectors;
  tf_store_run_for_stream (TF_OUTPUT_STREAM (stream)->store, task, write_func, request);
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

/* A stream that is being closed is flushed as well, whether its file is open or not. */
static gboolean
flush (GOutputStream  *stream,
       GCancellable   *cancellable,
       GError        **error)
{
  TfStore *store = TF_OUTPUT_STREAM (stream)->store;

  return g_output_stream_is_closing (stream) ? tf_store_flush (store, cancellable, error)
                                             : tf_store_flush_open (store, cancellable, error);
}

/* Not refused while the file has an operation if that is closing. */
static gboolean
tf_output_stream_flush (GOutputStream  *stream,
                        GCancellable   *cancellable,
                        GError        **error)
{
  return (g_output_stream_is_closing (stream) ||
          tf_store_check_stream_idle (TF_OUTPUT_STREAM (stream)->store, error)) &&
         flush (stream, cancellable, error);
}

static gssize
flush_func (gpointer       source_object,
            gpointer       task_data,
            GCancellable  *cancellable,
            GError       **error)
{
  return flush (source_object, cancellable, error) ? 0 : -1;
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

  tf_store_run_for_stream (TF_OUTPUT_STREAM (stream)->store, task, flush_func, NULL);
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

/* --- Splice --------------------------------------------------------------------------------- */

typedef struct
{
  GOutputStream *stream;  /* (unowned): the task has it */
  TfStore *target;        /* (unowned): the stream has it */
  GInputStream *source;   /* (owned) */
  TfStore *source_store;  /* (unowned) (nullable): if the source is a TfInputStream */
  gboolean holds_source;  /* it is pending because of this operation */
  int source_fd;          /* or -1 */
  GOutputStreamSpliceFlags flags;

  guint8 *buffer;         /* (owned) (nullable): for sources without a descriptor */
  gsize n_buffered;
  guint64 n_moved;
  GError *error;          /* (owned) (nullable): the first one */

  GAsyncReadyCallback callback; /* (nullable) */
  gpointer user_data;
} Splice;

/* Returns the descriptor of the source if its class only reads from it. Other classes may change the bytes. */
static int
get_source_fd (GInputStream *source)
{
  if (!G_IS_FILE_DESCRIPTOR_BASED (source) ||
      (!G_IS_FILE_INPUT_STREAM (source) && G_OBJECT_TYPE (source) != G_TYPE_UNIX_INPUT_STREAM))
    return -1;

  return g_file_descriptor_based_get_fd (G_FILE_DESCRIPTOR_BASED (source));
}

static Splice *
splice_new (GOutputStream            *stream,
            TfStore                  *target,
            GInputStream             *source,
            GOutputStreamSpliceFlags  flags)
{
  Splice *self = g_new0 (Splice, 1);

  self->stream = stream;
  self->target = target;
  self->source = g_object_ref (source);
  self->source_fd = get_source_fd (source);
  self->flags = flags;
  if (TF_IS_INPUT_STREAM (source))
    self->source_store = tf_input_stream_get_store (TF_INPUT_STREAM (source));
  else
    self->buffer = g_malloc (BUFFER_SIZE);

  return self;
}

/* All pieces of a file are one operation of its stream. */
static gboolean
take_source (Splice  *self,
             GError **error)
{
  if (self->source_store == NULL)
    return TRUE;

  self->holds_source = tf_store_check_stream_idle (self->source_store, error) &&
                     g_input_stream_set_pending (self->source, error);
  return self->holds_source;
}

static void
release_source (Splice *self)
{
  if (self->holds_source)
    g_input_stream_clear_pending (self->source);
  self->holds_source = FALSE;
}

static void
splice_free (Splice *self)
{
  release_source (self);
  g_object_unref (self->source);
  g_free (self->buffer);
  g_clear_error (&self->error);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Splice, splice_free)

static gboolean
move_from_fd (Splice        *self,
              gsize         *n_moved,
              GCancellable  *cancellable,
              GError       **error)
{
  gboolean success = TRUE;

  if (!g_input_stream_set_pending (self->source, error))
    return FALSE;

  if (self->source_fd >= 0)
    success = tf_splice_fd (self->target, self->source_fd, n_moved, cancellable, error);

  g_input_stream_clear_pending (self->source);
  return success;
}

static gboolean
move_piece (Splice        *self,
            gsize         *n_moved,
            GCancellable  *cancellable,
            GError       **error)
{
  gboolean success;

  *n_moved = 0;
  success = self->source_store != NULL
            ? tf_splice_store (self->target, self->source_store, n_moved, cancellable, error)
            : move_from_fd (self, n_moved, cancellable, error);
  self->n_moved += *n_moved;
  return success;
}

/* Cannot be cancelled, because what was read is gone from the source. */
static gboolean
write_buffer (Splice  *self,
              GError **error)
{
  GOutputVector vector = { self->buffer, self->n_buffered };
  gsize n_written;
  gboolean success = tf_store_writev (self->target, &vector, 1, &n_written, NULL, error);

  self->n_moved += n_written;
  return success;
}

static void
ensure_read_error (GError **error)
{
  tf_errno_ensure (error, "Reading from the source");
}

static gssize
read_buffer (Splice        *self,
             GCancellable  *cancellable,
             GError       **error)
{
  gssize n_read;

  /* Not every stream looks at the cancellable. */
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return -1;

  n_read = g_input_stream_read (self->source, self->buffer, BUFFER_SIZE, cancellable, error);
  if (n_read < 0)
    ensure_read_error (error);
  return n_read;
}

/* Moves all bytes. */
static gboolean
move (Splice        *self,
      GCancellable  *cancellable,
      GError       **error)
{
  gsize n_moved;
  gssize n_read;

  do
    {
      if (!move_piece (self, &n_moved, cancellable, error))
        return FALSE;
    }
  while (n_moved > 0);

  if (self->source_store != NULL)
    return TRUE;

  /* Only the stream itself knows where it ends. */
  while ((n_read = read_buffer (self, cancellable, error)) > 0)
    {
      self->n_buffered = n_read;
      if (!write_buffer (self, error))
        return FALSE;
    }

  return n_read == 0;
}

static gssize
get_result (Splice *self)
{
  return self->error == NULL ? (gssize) MIN (self->n_moved, G_MAXSSIZE) : -1;
}

static gssize
splice (GOutputStream             *stream,
        TfStore                   *target,
        GInputStream              *source,
        GOutputStreamSpliceFlags   flags,
        GCancellable              *cancellable,
        GError                   **error)
{
  g_autoptr(Splice) self = splice_new (stream, target, source, flags);
  gssize result;

  if (take_source (self, &self->error))
    move (self, cancellable, &self->error);
  release_source (self);

  /* As in GIO, an error of closing the source is ignored. */
  if ((flags & G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE) != 0)
    g_input_stream_close (source, cancellable, NULL);
  if ((flags & G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET) != 0)
    {
      /* The pending operation is this splice itself. */
      g_output_stream_clear_pending (stream);
      g_output_stream_close (stream, cancellable, self->error == NULL ? &self->error : NULL);
    }

  result = get_result (self);
  if (result < 0)
    g_propagate_error (error, g_steal_pointer (&self->error));

  return result;
}

static void read_into_buffer (GTask *task);

static void
complete (GTask *task)
{
  Splice *self = g_task_get_task_data (task);
  gssize result = get_result (self);

  tf_task_return (task, result, g_steal_pointer (&self->error));
}

static void
on_target_closed (GObject      *stream,
                  GAsyncResult *result,
                  gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  Splice *self = g_task_get_task_data (task);

  g_output_stream_close_finish (G_OUTPUT_STREAM (stream), result, self->error == NULL ? &self->error : NULL);
  complete (task);
}

static void
close_target_and_complete (GTask *task)
{
  Splice *self = g_task_get_task_data (task);

  if ((self->flags & G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET) == 0)
    {
      complete (task);
      return;
    }

  /* Closing it is an operation of its own, which is pending in place of this one. */
  g_output_stream_clear_pending (self->stream);
  g_output_stream_close_async (self->stream, g_task_get_priority (task), g_task_get_cancellable (task),
                               on_target_closed, g_object_ref (task));
}

static void
on_source_closed (GObject      *source,
                  GAsyncResult *result,
                  gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;

  g_input_stream_close_finish (G_INPUT_STREAM (source), result, NULL);
  close_target_and_complete (task);
}

static void
close_and_complete (GTask *task)
{
  Splice *self = g_task_get_task_data (task);

  if ((self->flags & G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE) == 0)
    {
      close_target_and_complete (task);
      return;
    }

  release_source (self);
  g_input_stream_close_async (self->source, g_task_get_priority (task), g_task_get_cancellable (task),
                              on_source_closed, g_object_ref (task));
}

static gssize
move_func (gpointer       source_object,
           gpointer       task_data,
           GCancellable  *cancellable,
           GError       **error)
{
  Splice *self = task_data;
  gboolean success;

  if (self->source_store != NULL)
    return move (self, cancellable, error) ? 0 : -1;

  /* Reading from another class may block, for as long as it likes. */
  if (!tf_task_may_block (error))
    return -1;

  tf_task_leave_pool ();
  success = move (self, cancellable, error);
  tf_task_enter_pool ();

  return success ? 0 : -1;
}

static void
on_moved (GTask  *task,
          gssize  result,
          GError *error)
{
  Splice *self = g_task_get_task_data (task);

  self->error = error;
  close_and_complete (task);
}

static gssize
write_buffer_func (gpointer       source_object,
                   gpointer       task_data,
                   GCancellable  *cancellable,
                   GError       **error)
{
  return write_buffer (task_data, error) ? 0 : -1;
}

static void
on_written (GTask  *task,
            gssize  result,
            GError *error)
{
  Splice *self = g_task_get_task_data (task);

  self->error = error;
  if (self->error == NULL)
    read_into_buffer (task);
  else
    close_and_complete (task);
}

static void
on_read (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  Splice *self = g_task_get_task_data (task);
  gssize n_read = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &self->error);

  if (n_read < 0)
    ensure_read_error (&self->error);
  self->n_buffered = MAX (n_read, 0);
  if (n_read > 0)
    tf_task_run_step (task, write_buffer_func, on_written);
  else
    close_and_complete (task);
}

static void
read_into_buffer (GTask *task)
{
  Splice *self = g_task_get_task_data (task);

  if (g_cancellable_set_error_if_cancelled (g_task_get_cancellable (task), &self->error))
    {
      close_and_complete (task);
      return;
    }

  g_input_stream_read_async (self->source, self->buffer, BUFFER_SIZE, g_task_get_priority (task),
                             g_task_get_cancellable (task), on_read, g_object_ref (task));
}

/* Returns whether the source implements asynchronous reading by reading in a worker, as GIO does. All others are read
 * in the caller's context: they may not be used in another thread, or may wait long for bytes. */
static gboolean
reads_in_thread (GInputStream *source)
{
  GInputStreamClass *base = g_type_class_peek (G_TYPE_INPUT_STREAM);

  if (G_IS_POLLABLE_INPUT_STREAM (source) && g_pollable_input_stream_can_poll (G_POLLABLE_INPUT_STREAM (source)))
    return FALSE;

  return TF_IS_READER (source) || G_INPUT_STREAM_GET_CLASS (source)->read_async == base->read_async;
}

/* As GIO does with the target, the source is pending until the callback is called. */
static void
on_completed (GObject      *stream,
              GAsyncResult *result,
              gpointer      user_data)
{
  Splice *self = user_data;

  release_source (self);
  if (self->callback != NULL)
    self->callback (stream, result, self->user_data);
}

static void
splice_async (GOutputStream            *stream,
              TfStore                  *target,
              GInputStream             *source,
              GOutputStreamSpliceFlags  flags,
              int                       io_priority,
              GCancellable             *cancellable,
              GAsyncReadyCallback       callback,
              gpointer                  user_data)
{
  Splice *self = splice_new (stream, target, source, flags);
  g_autoptr(GTask) task = tf_task_new (stream, splice_async, io_priority, cancellable, on_completed, self);

  self->callback = callback;
  self->user_data = user_data;
  g_task_set_task_data (task, self, (GDestroyNotify) splice_free);
  if (!tf_store_check_stream_idle (target, &self->error))
    {
      complete (task);
      return;
    }

  tf_store_close_gate (target);
  if (!take_source (self, &self->error))
    {
      close_and_complete (task);
      return;
    }

  if (self->source_store != NULL)
    tf_store_close_gate (self->source_store);
  if (self->source_store != NULL || reads_in_thread (source))
    tf_task_run_step (task, move_func, on_moved);
  else
    read_into_buffer (task);
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
  if (!tf_store_check_stream_idle (TF_OUTPUT_STREAM (stream)->store, error))
    return -1;

  if (is_own_source (stream, source))
    return G_OUTPUT_STREAM_CLASS (tf_output_stream_parent_class)->splice (stream, source, flags, cancellable, error);

  return splice (stream, TF_OUTPUT_STREAM (stream)->store, source, flags, cancellable, error);
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
    splice_async (stream, TF_OUTPUT_STREAM (stream)->store, source, flags, io_priority,
                     cancellable, callback, user_data);
}

static gssize
tf_output_stream_splice_finish (GOutputStream  *stream,
                                GAsyncResult   *result,
                                GError        **error)
{
  if (g_async_result_is_tagged (result, splice_async))
    return tf_task_finish (stream, result, splice_async, error);

  return G_OUTPUT_STREAM_CLASS (tf_output_stream_parent_class)->splice_finish (stream, result, error);
}

/* --- The class ------------------------------------------------------------------------------ */

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
