/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Asynchronous operations, some of which are cancelled: before, after they have begun, or by another thread. */

#include "model.h"

#include <string.h>

#include "tf-test-async.h"

/* What is under way */
typedef struct
{
  GCancellable *cancellable;
  GAsyncResult *result;
  GThread *thread;
  gboolean cancelled;
} Call;

static gpointer
cancel (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
call_begin (Call       *self,
            const Step *step)
{
  *self = (Call) { .cancellable = g_cancellable_new () };
  switch (step->c / 4 % 12)
    {
    case 0:
      self->cancelled = TRUE;
      g_cancellable_cancel (self->cancellable);
      break;

    case 1:
      self->cancelled = TRUE;
      self->thread = g_thread_new ("cancel", cancel, self->cancellable);
      break;

    case 2:
    case 3:
    case 4:
      self->cancelled = TRUE;
      break;

    default:
      break;
    }
}

/* Returns what to finish it with. */
static GAsyncResult *
call_wait (Call       *self,
           const Step *step)
{
  if (step->c / 4 % 12 == 3)
    g_thread_yield ();
  if (step->c / 4 % 12 == 4)
    g_main_context_iteration (NULL, FALSE);
  if (self->cancelled)
    g_cancellable_cancel (self->cancellable);

  return tf_test_wait (&self->result);
}

static void
call_clear (Call *self)
{
  if (self->thread != NULL)
    g_thread_join (self->thread);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->result);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Call, call_clear)

/* What asks does not wait, and what would use the bytes is refused. */
static gboolean
check_pending (Model *self,
               Call  *call)
{
  g_autoptr(GInputStream) reader = NULL;
  g_autoptr(GError) error = NULL;

  if (call->result != NULL)
    return TRUE;

  MODEL_CHECK (self, !tf_temp_file_write (self->file, "x", 1, NULL, &error));
  MODEL_CHECK (self, g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PENDING));
  tf_temp_file_get_size (self->file);
  g_seekable_tell (G_SEEKABLE (self->file));
  if (TF_IS_SPOOLED_FILE (self->file))
    tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (self->file));
  reader = tf_temp_file_open_reader (self->file, NULL);
  return TRUE;
}

#define BEGIN_CALL \
  g_auto(Call) call = { NULL, }; \
  g_autoptr(GError) error = NULL; \
  call_begin (&call, step)

#define CANCELLABLE 0, call.cancellable, tf_test_take_result, &call.result

static GBytes *
make_bytes (Model      *self,
            const Step *step)
{
  gsize length = step_get_length (step);

  return self->position + (goffset) length > MODEL_MAX_SIZE ? NULL : model_make_bytes (self, length);
}

MODEL_OP (model_write_async)
{
  g_autoptr(GBytes) bytes = make_bytes (self, step);
  gboolean success;
  BEGIN_CALL;

  if (bytes == NULL)
    return TRUE;

  tf_temp_file_write_bytes_async (self->file, bytes, CANCELLABLE);
  if (!check_pending (self, &call))
    return FALSE;

  success = tf_temp_file_write_bytes_finish (self->file, call_wait (&call, step), &error);
  return model_check_written (self, success, bytes, error, call.cancelled);
}

MODEL_OP (model_read_async)
{
  gsize count = step_get_length (step);
  g_autofree guint8 *data = NULL;
  g_autoptr(GBytes) bytes = NULL;
  gsize length = 0;
  BEGIN_CALL;

  if (step->c % 2)
    {
      tf_temp_file_read_bytes_async (self->file, count, CANCELLABLE);
      bytes = tf_temp_file_read_bytes_finish (self->file, call_wait (&call, step), &error);
      return model_check_read (self, bytes ? g_bytes_get_data (bytes, NULL) : NULL,
                               bytes ? (gssize) g_bytes_get_size (bytes) : -1, count, error, call.cancelled);
    }

  tf_temp_file_read_data_async (self->file, count, CANCELLABLE);
  data = tf_temp_file_read_data_finish (self->file, call_wait (&call, step), &length, &error);
  return model_check_read (self, data, error == NULL ? (gssize) length : -1, count, error, call.cancelled);
}

MODEL_OP (model_line_async)
{
  g_autofree char *line = NULL;
  gsize length = 0;
  BEGIN_CALL;

  if (step->c % 2)
    {
      tf_temp_file_read_line_async (self->file, CANCELLABLE);
      line = tf_temp_file_read_line_finish (self->file, call_wait (&call, step), &length, &error);
      return model_check_line (self, line, length, "\n", error, call.cancelled);
    }

  tf_temp_file_read_upto_async (self->file, "ab", 2, CANCELLABLE);
  line = tf_temp_file_read_upto_finish (self->file, call_wait (&call, step), &length, &error);
  return model_check_line (self, line, length, "ab", error, call.cancelled);
}

MODEL_OP (model_stream_write_async)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (self->file));
  g_autoptr(GBytes) bytes = make_bytes (self, step);
  gboolean success;
  BEGIN_CALL;

  if (bytes == NULL)
    return TRUE;

  g_output_stream_write_all_async (output, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), CANCELLABLE);
  success = g_output_stream_write_all_finish (output, call_wait (&call, step), NULL, &error);
  return model_check_written (self, success, bytes, error, call.cancelled);
}

MODEL_OP (model_stream_read_async)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (self->file));
  gsize count = step_get_length (step);
  g_autofree guint8 *data = g_malloc (count + 1);
  gsize n_read = 0;
  gboolean success;
  gssize n;
  BEGIN_CALL;

  if (step->c % 2)
    {
      g_input_stream_read_all_async (input, data, count, CANCELLABLE);
      success = g_input_stream_read_all_finish (input, call_wait (&call, step), &n_read, &error);
      return model_check_read (self, data, success ? (gssize) n_read : -1, count, error, call.cancelled);
    }

  g_input_stream_skip_async (input, count, CANCELLABLE);
  n = g_input_stream_skip_finish (input, call_wait (&call, step), &error);
  if (n < 0)
    return model_is_excused (self, error, call.cancelled) && model_skip_some (self, count);

  MODEL_CHECK (self, (gsize) n <= model_get_rest (self, count));
  MODEL_CHECK (self, n > 0 || model_get_rest (self, count) == 0);
  self->position += n;
  return TRUE;
}

/* Both streams at once: the one that was called first has its turn first. */
MODEL_OP (model_both_async)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (self->file));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (self->file));
  g_autoptr(GBytes) bytes = make_bytes (self, step);
  g_autofree guint8 *data = g_malloc (step->b + 1);
  g_autoptr(GAsyncResult) written = NULL;
  g_autoptr(GAsyncResult) read = NULL;
  g_autoptr(GError) error = NULL;
  gboolean reads_first = step->c % 2;
  gssize n_written;
  gssize n_read;

  if (bytes == NULL || small_disk_is_small ())
    return TRUE;

  if (reads_first)
    g_input_stream_read_async (input, data, step->b, 0, NULL, tf_test_take_result, &read);
  g_output_stream_write_async (output, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), 0, NULL,
                               tf_test_take_result, &written);
  if (!reads_first)
    g_input_stream_read_async (input, data, step->b, 0, NULL, tf_test_take_result, &read);

  n_written = g_output_stream_write_finish (output, tf_test_wait (&written), &error);
  n_read = g_input_stream_read_finish (input, tf_test_wait (&read), error == NULL ? &error : NULL);
  MODEL_CHECK (self, error == NULL);
  MODEL_CHECK (self, (gsize) n_written == g_bytes_get_size (bytes));
  if (!reads_first)
    model_put (self, g_bytes_get_data (bytes, NULL), n_written);
  if (!model_check_read (self, data, n_read, step->b, NULL, FALSE))
    return FALSE;
  if (reads_first)
    model_put (self, g_bytes_get_data (bytes, NULL), n_written);
  return TRUE;
}

MODEL_OP (model_fill_async)
{
  gsize count = step_get_length (step);
  gssize n;
  BEGIN_CALL;

  tf_temp_file_fill_async (self->file, count, CANCELLABLE);
  n = tf_temp_file_fill_finish (self->file, call_wait (&call, step), &error);
  if (n < 0)
    return model_is_excused (self, error, call.cancelled);

  model_settle (self);
  MODEL_CHECK (self, (gsize) n <= model_get_rest (self, G_MAXSIZE));
  MODEL_CHECK (self, (gsize) n >= model_get_rest (self, MIN (count, 65536)));
  return model_peek (self, step);
}

MODEL_OP (model_load_async)
{
  g_autoptr(GBytes) bytes = NULL;
  BEGIN_CALL;

  tf_temp_file_load_bytes_async (self->file, CANCELLABLE);
  bytes = tf_temp_file_load_bytes_finish (self->file, call_wait (&call, step), &error);
  if (bytes == NULL)
    return model_is_excused (self, error, call.cancelled);

  MODEL_CHECK (self, g_bytes_get_size (bytes) == self->bytes->len);
  MODEL_CHECK (self, self->bytes->len == 0 || memcmp (g_bytes_get_data (bytes, NULL), self->bytes->data, self->bytes->len) == 0);
  return TRUE;
}

MODEL_OP (model_flush_async)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (self->file));
  gboolean success;
  BEGIN_CALL;

  if (step->c % 2)
    {
      tf_temp_file_flush_async (self->file, CANCELLABLE);
      success = tf_temp_file_flush_finish (self->file, call_wait (&call, step), &error);
    }
  else
    {
      g_output_stream_flush_async (output, CANCELLABLE);
      success = g_output_stream_flush_finish (output, call_wait (&call, step), &error);
    }

  return success || model_is_excused (self, error, call.cancelled);
}

MODEL_OP (model_get_fd_async)
{
  int fd;
  BEGIN_CALL;

  tf_temp_file_get_fd_async (self->file, CANCELLABLE);
  fd = tf_temp_file_get_fd_finish (self->file, call_wait (&call, step), &error);
  if (fd < 0)
    return model_is_excused (self, error, call.cancelled);

  model_settle (self);
  return model_get_fd (self, step);
}

MODEL_OP (model_seal_async)
{
  int fd;
  BEGIN_CALL;

  tf_temp_file_seal_async (self->file, CANCELLABLE);
  fd = tf_temp_file_seal_finish (self->file, call_wait (&call, step), &error);
  return model_check_sealed (self, fd, error, call.cancelled);
}

MODEL_OP (model_steal_async)
{
  g_autoptr(GBytes) bytes = NULL;
  BEGIN_CALL;

  tf_temp_file_steal_bytes_async (self->file, CANCELLABLE);
  bytes = tf_temp_file_steal_bytes_finish (self->file, call_wait (&call, step), &error);
  return model_check_stolen (self, bytes, error, call.cancelled);
}

MODEL_OP (model_persist_async)
{
  TfPersistFlags flags;
  g_autoptr(GFile) destination = model_choose_destination (self, step, &flags);
  g_autoptr(GFile) final = NULL;
  gboolean existed = g_file_query_exists (destination, NULL);
  gboolean success;
  BEGIN_CALL;

  tf_temp_file_persist_async (self->file, destination, flags, 0, call.cancellable, NULL, NULL, NULL, tf_test_take_result,
                              &call.result);
  success = tf_temp_file_persist_finish (self->file, call_wait (&call, step), &final, &error);
  return model_check_persisted (self, success, destination, flags, existed, final, error, call.cancelled);
}

MODEL_OP (model_rollover_async)
{
  BEGIN_CALL;

  if (!TF_IS_SPOOLED_FILE (self->file))
    return TRUE;

  tf_spooled_file_rollover_async (TF_SPOOLED_FILE (self->file), CANCELLABLE);
  if (!tf_spooled_file_rollover_finish (TF_SPOOLED_FILE (self->file), call_wait (&call, step), &error))
    return model_is_excused (self, error, call.cancelled);

  MODEL_CHECK (self, model_is_on_disk (self));
  return TRUE;
}

MODEL_OP (model_splice_async)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (self->file));
  g_autoptr(GBytes) bytes = make_bytes (self, step);
  g_autoptr(GInputStream) source = NULL;
  gssize n;
  BEGIN_CALL;

  if (bytes == NULL)
    return TRUE;

  source = g_memory_input_stream_new_from_bytes (bytes);
  g_output_stream_splice_async (output, source, G_OUTPUT_STREAM_SPLICE_NONE, CANCELLABLE);
  n = g_output_stream_splice_finish (output, call_wait (&call, step), &error);
  MODEL_CHECK (self, n < 0 || (gsize) n == g_bytes_get_size (bytes));
  return model_check_written (self, n >= 0, bytes, error, call.cancelled);
}

/* Even a cancelled one closes. */
MODEL_OP (model_close_async)
{
  gboolean complete;
  BEGIN_CALL;

  g_io_stream_close_async (G_IO_STREAM (self->file), CANCELLABLE);
  complete = g_io_stream_close_finish (G_IO_STREAM (self->file), call_wait (&call, step), &error);
  return (complete || model_is_excused (self, error, call.cancelled)) && model_reopen (self, complete);
}

static void
on_dropped (GObject      *file,
            GAsyncResult *result,
            gpointer      is_done)
{
  *(gint *) is_done = TRUE;
}

/* Nobody has the file any more while an operation is under way, and nobody asks for the result. */
MODEL_OP (model_drop_async)
{
  gint is_done = FALSE;
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  TfTempFile *file = self->file;

  if (self->position + (goffset) step_get_length (step) > MODEL_MAX_SIZE || TF_IS_NAMED_FILE (file) ||
      small_disk_is_small ())
    return TRUE;

  bytes = model_make_bytes (self, step_get_length (step));
  tf_temp_file_write_bytes_async (file, bytes, 0, cancellable, on_dropped, &is_done);
  if (TF_IS_SPOOLED_FILE (file))
    g_signal_handlers_disconnect_by_data (file, self);
  g_object_unref (file);
  if (step->c % 2)
    g_cancellable_cancel (cancellable);
  tf_test_wait_until (&is_done);

  /* What readers have is not known if it was cancelled. */
  self->file = NULL;
  for (guint i = 0; i < MODEL_N_READERS; i++)
    if (self->readers[i].bytes == self->bytes)
      g_clear_object (&self->readers[i].stream);
  g_clear_pointer (&self->bytes, g_byte_array_unref);
  g_clear_pointer (&self->lasting, g_free);
  return model_open (self);
}
