/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-splice.h"

#include <gio/gfiledescriptorbased.h>
#include <gio/gunixinputstream.h>

#include "base/tf-task.h"
#include "tf-input-stream.h"
#include "tf-reader.h"
#include "tf-store-transfer.h"
#include "tf-stream-call.h"

#define BUFFER_SIZE (256 * 1024)

typedef struct
{
  GOutputStream *stream;  /* (unowned): the task has it */
  TfStore *target;        /* (unowned): the stream has it */
  GInputStream *source;   /* (owned) */
  TfStore *source_store;  /* (unowned) (nullable): if the source is a TfInputStream */
  int source_fd;          /* or -1 */
  GOutputStreamSpliceFlags flags;

  guint8 *buffer;         /* (owned) (nullable): for sources without a descriptor */
  gsize n_buffered;
  guint64 n_moved;
  GError *error;          /* (owned) (nullable): the first one */
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

static void
splice_free (Splice *self)
{
  g_object_unref (self->source);
  g_free (self->buffer);
  g_clear_error (&self->error);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Splice, splice_free)

static gboolean
move_piece (Splice        *self,
            gsize         *n_moved,
            GCancellable  *cancellable,
            GError       **error)
{
  gboolean success = TRUE;

  *n_moved = 0;
  if (!g_input_stream_set_pending (self->source, error))
    return FALSE;

  if (self->source_store != NULL)
    success = tf_store_splice_store (self->target, self->source_store, n_moved, cancellable, error);
  else if (self->source_fd >= 0)
    success = tf_store_splice_fd (self->target, self->source_fd, n_moved, cancellable, error);

  g_input_stream_clear_pending (self->source);
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

static gssize
read_buffer (Splice        *self,
             GCancellable  *cancellable,
             GError       **error)
{
  /* Not every stream looks at the cancellable. */
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return -1;

  return g_input_stream_read (self->source, self->buffer, BUFFER_SIZE, cancellable, error);
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

static void
close_target (Splice       *self,
              GCancellable *cancellable)
{
  if ((self->flags & G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET) == 0)
    return;

  /* The pending operation is this splice itself. */
  g_output_stream_clear_pending (self->stream);
  g_output_stream_close (self->stream, cancellable, self->error == NULL ? &self->error : NULL);
}

static gssize
get_result (Splice *self)
{
  return self->error == NULL ? (gssize) MIN (self->n_moved, G_MAXSSIZE) : -1;
}

gssize
tf_splice (GOutputStream             *stream,
           TfStore                   *target,
           GInputStream              *source,
           GOutputStreamSpliceFlags   flags,
           GCancellable              *cancellable,
           GError                   **error)
{
  g_autoptr(Splice) self = splice_new (stream, target, source, flags);
  gssize result;

  move (self, cancellable, &self->error);

  /* As in GIO, an error of closing the source is ignored. */
  if ((flags & G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE) != 0)
    g_input_stream_close (source, cancellable, NULL);
  close_target (self, cancellable);

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
  gssize result;

  close_target (self, g_task_get_cancellable (task));
  result = get_result (self);
  tf_task_return (task, result, g_steal_pointer (&self->error));
}

static void
on_source_closed (GObject      *source,
                  GAsyncResult *result,
                  gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;

  g_input_stream_close_finish (G_INPUT_STREAM (source), result, NULL);
  complete (task);
}

static void
close_and_complete (GTask *task)
{
  Splice *self = g_task_get_task_data (task);

  if ((self->flags & G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE) != 0)
    g_input_stream_close_async (self->source, g_task_get_priority (task), g_task_get_cancellable (task),
                                on_source_closed, g_object_ref (task));
  else
    complete (task);
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
write_func (gpointer       source_object,
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

  self->n_buffered = MAX (n_read, 0);
  if (n_read > 0)
    tf_task_run_step (task, write_func, on_written);
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

void
tf_splice_async (GOutputStream            *stream,
                 TfStore                  *target,
                 GInputStream             *source,
                 GOutputStreamSpliceFlags  flags,
                 int                       io_priority,
                 GCancellable             *cancellable,
                 GAsyncReadyCallback       callback,
                 gpointer                  user_data)
{
  g_autoptr(GTask) task = tf_task_new (stream, tf_splice_async, io_priority, cancellable, callback, user_data);
  Splice *self = splice_new (stream, target, source, flags);

  g_task_set_task_data (task, self, (GDestroyNotify) splice_free);
  if (!tf_stream_call_check_idle (target, &self->error))
    {
      tf_task_return (task, -1, g_steal_pointer (&self->error));
      return;
    }

  tf_store_close_gate (target);
  if (self->source_store != NULL || reads_in_thread (source))
    tf_task_run_step (task, move_func, on_moved);
  else
    read_into_buffer (task);
}
