/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Readers, each with a position of its own, and streams that are spliced. */

#include "model.h"

#include <string.h>

static ModelReader *
get_reader (Model      *self,
            const Step *step)
{
  return &self->readers[step->c / 16 % MODEL_N_READERS];
}

static void
close_reader (ModelReader *reader)
{
  g_clear_object (&reader->stream);
  g_clear_pointer (&reader->bytes, g_byte_array_unref);
}

MODEL_OP (model_open_reader)
{
  ModelReader *reader = get_reader (self, step);
  g_autoptr(GError) error = NULL;

  close_reader (reader);
  reader->stream = tf_temp_file_open_reader (self->file, &error);
  if (reader->stream == NULL)
    return model_fail (self, "a reader could not be opened: %s", error->message);

  reader->bytes = g_byte_array_ref (self->bytes);
  reader->position = 0;
  return TRUE;
}

static gsize
get_rest (ModelReader *reader,
          gsize        count)
{
  return reader->position < reader->bytes->len ? MIN (count, (gsize) (reader->bytes->len - reader->position)) : 0;
}

MODEL_OP (model_use_reader)
{
  ModelReader *reader = get_reader (self, step);
  gsize count = step_get_length (step);
  g_autofree guint8 *data = g_malloc (count + 1);
  g_autoptr(GError) error = NULL;
  gsize n_read = 0;

  if (reader->stream == NULL)
    return TRUE;

  if (!g_input_stream_read_all (reader->stream, data, count, &n_read, NULL, &error))
    {
      reader->position += n_read;
      return model_is_excused (self, error, FALSE);
    }

  if (n_read != get_rest (reader, count))
    return model_fail (self, "a reader has read %zu bytes instead of %zu", n_read, get_rest (reader, count));
  MODEL_CHECK (self, n_read == 0 || memcmp (data, reader->bytes->data + reader->position, n_read) == 0);
  reader->position += n_read;
  return TRUE;
}

MODEL_OP (model_seek_reader)
{
  const GSeekType types[] = { G_SEEK_SET, G_SEEK_CUR, G_SEEK_END };
  ModelReader *reader = get_reader (self, step);
  g_autoptr(GError) error = NULL;
  goffset bases[] = { 0, reader->position, 0 };
  goffset target;
  guint type = step->c % 3;

  if (reader->stream == NULL)
    return TRUE;

  bases[2] = reader->bytes->len;
  target = step_get_offset (step, reader->position, reader->bytes->len);
  if (g_seekable_seek (G_SEEKABLE (reader->stream), target - bases[type], types[type], NULL, &error))
    {
      MODEL_CHECK (self, target >= 0);
      reader->position = target;
      return TRUE;
    }

  if (target < 0 && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT))
    return TRUE;

  return model_is_excused (self, error, FALSE);
}

MODEL_OP (model_close_reader)
{
  ModelReader *reader = get_reader (self, step);
  g_autoptr(GError) error = NULL;

  if (reader->stream != NULL && step->a % 2 && !g_input_stream_close (reader->stream, NULL, &error))
    return model_fail (self, "a reader could not be closed: %s", error->message);

  close_reader (reader);
  return TRUE;
}

/* A stream of something else with these bytes: in memory, on disk, or in memory and one of the library's. */
static GInputStream *
make_source (GBytes *bytes,
             guint   kind)
{
  g_autoptr(TfTempFile) file = NULL;
  GInputStream *reader;

  if (kind == 0)
    return g_memory_input_stream_new_from_bytes (bytes);

  file = TF_TEMP_FILE (tf_spooled_file_new (kind == 1 ? -1 : 0));
  if (!tf_temp_file_write_bytes (file, bytes, NULL, NULL))
    return NULL;

  reader = tf_temp_file_open_reader (file, NULL);
  g_io_stream_close (G_IO_STREAM (file), NULL, NULL);
  return reader;
}

MODEL_OP (model_splice_from)
{
  g_autoptr(GBytes) bytes = model_make_bytes (self, step_get_length (step));
  g_autoptr(GInputStream) source = NULL;
  g_autoptr(GError) error = NULL;
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (self->file));
  gssize n;

  if (self->position + g_bytes_get_size (bytes) > MODEL_MAX_SIZE || small_disk_is_small ())
    return TRUE;

  source = make_source (bytes, step->c % 3);
  n = g_output_stream_splice (output, source, G_OUTPUT_STREAM_SPLICE_NONE, NULL, &error);
  MODEL_CHECK (self, n < 0 || (gsize) n == g_bytes_get_size (bytes));
  return model_check_written (self, n >= 0, bytes, error, FALSE);
}

static gboolean
check_target (Model         *self,
              gconstpointer  data,
              gsize          size)
{
  gsize rest = model_get_rest (self, G_MAXSIZE);

  if (size != rest)
    return model_fail (self, "%zu bytes arrived instead of %zu", size, rest);
  MODEL_CHECK (self, model_is_at (self, data, size));
  self->position += size;
  return TRUE;
}

static gboolean
splice_to_file (Model  *self,
                gint64  max_size)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (max_size));
  g_autoptr(GBytes) arrived = NULL;
  g_autoptr(GError) error = NULL;
  gssize n = g_output_stream_splice (g_io_stream_get_output_stream (G_IO_STREAM (file)),
                                     g_io_stream_get_input_stream (G_IO_STREAM (self->file)),
                                     G_OUTPUT_STREAM_SPLICE_NONE, NULL, &error);

  if (n < 0)
    return model_is_excused (self, error, FALSE) && model_skip_some (self, G_MAXSIZE);

  model_settle (self);
  arrived = tf_temp_file_load_bytes (file, NULL, &error);
  if (arrived == NULL)
    return model_is_excused (self, error, FALSE) && model_skip_some (self, G_MAXSIZE);

  MODEL_CHECK (self, (gsize) n == g_bytes_get_size (arrived));
  return check_target (self, g_bytes_get_data (arrived, NULL), n);
}

static gboolean
splice_to_memory (Model *self)
{
  g_autoptr(GOutputStream) target = g_memory_output_stream_new_resizable ();
  g_autoptr(GError) error = NULL;
  GMemoryOutputStream *memory = G_MEMORY_OUTPUT_STREAM (target);
  gssize n = g_output_stream_splice (target, g_io_stream_get_input_stream (G_IO_STREAM (self->file)),
                                     G_OUTPUT_STREAM_SPLICE_NONE, NULL, &error);

  if (n < 0)
    return model_is_excused (self, error, FALSE) && model_skip_some (self, G_MAXSIZE);

  MODEL_CHECK (self, (gsize) n == g_memory_output_stream_get_data_size (memory));
  return check_target (self, g_memory_output_stream_get_data (memory), n);
}

MODEL_OP (model_splice_to)
{
  switch (step->c % 3)
    {
    case 0:
      return splice_to_memory (self);

    case 1:
      return splice_to_file (self, -1);

    default:
      return splice_to_file (self, step->b * 100);
    }
}
