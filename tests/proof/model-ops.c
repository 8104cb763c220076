/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Operations on the bytes of a file that return when they are done. */

#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static GInputStream *
input_of (Model *self)
{
  return g_io_stream_get_input_stream (G_IO_STREAM (self->file));
}

static GOutputStream *
output_of (Model *self)
{
  return g_io_stream_get_output_stream (G_IO_STREAM (self->file));
}

/* Whether there would be more than programs have. */
static gboolean
is_too_far (Model *self,
            gsize  length)
{
  return self->position + (goffset) length > MODEL_MAX_SIZE;
}

gboolean
model_check_written (Model        *self,
                     gboolean      success,
                     GBytes       *bytes,
                     const GError *error,
                     gboolean      cancelled)
{
  model_settle (self);
  if (success)
    {
      model_put (self, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
      return TRUE;
    }

  return model_is_excused (self, error, cancelled) && model_put_some (self, bytes);
}

MODEL_OP (model_write)
{
  g_autoptr(GBytes) bytes = model_make_bytes (self, step_get_length (step));
  g_autoptr(GError) error = NULL;
  gboolean success;

  if (is_too_far (self, g_bytes_get_size (bytes)))
    return TRUE;

  if (step->c % 2)
    success = tf_temp_file_write_bytes (self->file, bytes, NULL, &error);
  else
    success = tf_temp_file_write (self->file, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), NULL, &error);

  return model_check_written (self, success, bytes, error, FALSE);
}

MODEL_OP (model_try_write)
{
  g_autoptr(GBytes) bytes = model_make_bytes (self, step_get_length (step));

  if (is_too_far (self, g_bytes_get_size (bytes)))
    return TRUE;

  if (tf_temp_file_try_write (self->file, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes)))
    model_put (self, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  return TRUE;
}

static gboolean
write_vectors (Model   *self,
               GBytes  *bytes,
               gsize    first,
               GError **error)
{
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  gsize size = g_bytes_get_size (bytes);
  GOutputVector vectors[] = {
    { data, MIN (first, size) },
    { data, 0 },
    { data + MIN (first, size), size - MIN (first, size) },
  };

  return g_output_stream_writev_all (output_of (self), vectors, G_N_ELEMENTS (vectors), NULL, NULL, error);
}

/* A single write may be a short one. */
static gboolean
write_once (Model   *self,
            GBytes **bytes,
            GError **error)
{
  gssize n = g_output_stream_write (output_of (self), g_bytes_get_data (*bytes, NULL), g_bytes_get_size (*bytes), NULL,
                                    error);
  GBytes *written;

  if (n < 0)
    return FALSE;

  if (n == 0 && g_bytes_get_size (*bytes) > 0)
    return model_fail (self, "nothing was written");

  written = g_bytes_new_from_bytes (*bytes, 0, n);
  g_bytes_unref (*bytes);
  *bytes = written;
  return TRUE;
}

MODEL_OP (model_stream_write)
{
  g_autoptr(GBytes) bytes = model_make_bytes (self, step_get_length (step));
  g_autoptr(GError) error = NULL;
  gboolean success;

  if (is_too_far (self, g_bytes_get_size (bytes)))
    return TRUE;

  switch (step->c % 3)
    {
    case 0:
      success = g_output_stream_write_all (output_of (self), g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                                           NULL, NULL, &error);
      break;

    case 1:
      success = write_vectors (self, bytes, step->b, &error);
      break;

    default:
      success = write_once (self, &bytes, &error);
      break;
    }

  return model_check_written (self, success, bytes, error, FALSE);
}

/* All that was asked for, or what there is. */
gboolean
model_check_read (Model         *self,
                  gconstpointer  data,
                  gssize         n_read,
                  gsize          count,
                  const GError  *error,
                  gboolean       cancelled)
{
  gsize rest = model_get_rest (self, count);

  model_settle (self);
  if (n_read < 0)
    return model_is_excused (self, error, cancelled) && model_skip_some (self, count);

  if ((gsize) n_read != rest)
    return model_fail (self, "%zd bytes were read instead of %zu", n_read, rest);
  if (!model_is_at (self, data, n_read))
    return model_fail (self, "other bytes were read");

  self->position += n_read;
  return TRUE;
}

static gsize
get_count (const Step *step)
{
  return step->b == 255 ? G_MAXSIZE : step_get_length (step);
}

MODEL_OP (model_read)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autofree guint8 *data = NULL;
  gsize count = get_count (step);
  gsize length = 0;
  gssize n_read;

  switch (step->c % 3)
    {
    case 0:
      count = step_get_length (step);
      data = g_malloc (count + 1);
      n_read = tf_temp_file_read (self->file, data, count, NULL, &error);
      return model_check_read (self, data, n_read, count, error, FALSE);

    case 1:
      bytes = tf_temp_file_read_bytes (self->file, count, NULL, &error);
      return model_check_read (self, bytes ? g_bytes_get_data (bytes, NULL) : NULL,
                               bytes ? (gssize) g_bytes_get_size (bytes) : -1, count, error, FALSE);

    default:
      data = tf_temp_file_read_data (self->file, count, &length, NULL, &error);
      return model_check_read (self, data, error == NULL ? (gssize) length : -1, count, error, FALSE);
    }
}

MODEL_OP (model_stream_read)
{
  g_autoptr(GError) error = NULL;
  gsize count = step_get_length (step);
  g_autofree guint8 *data = g_malloc (count + 1);
  gsize length = 0;
  gssize n;

  if (step->c % 2)
    {
      n = g_input_stream_read_all (input_of (self), data, count, &length, NULL, &error) ? (gssize) length : -1;
      return model_check_read (self, data, n, count, error, FALSE);
    }

  n = g_input_stream_read (input_of (self), data, count, NULL, &error);
  if (n > 0)
    count = n;
  MODEL_CHECK (self, n != 0 || model_get_rest (self, count) == 0);
  return model_check_read (self, data, n, count, error, FALSE);
}

MODEL_OP (model_skip)
{
  g_autoptr(GError) error = NULL;
  gsize count = step_get_length (step);
  gssize n = g_input_stream_skip (input_of (self), count, NULL, &error);

  if (n < 0)
    return model_is_excused (self, error, FALSE) && model_skip_some (self, count);

  MODEL_CHECK (self, (gsize) n <= model_get_rest (self, count));
  MODEL_CHECK (self, n > 0 || model_get_rest (self, count) == 0);
  self->position += n;
  return TRUE;
}

/* Up to the first of the bytes of @stop, which is part of a line that ends with "\n". */
static gsize
find_stop (Model      *self,
           const char *stop)
{
  gsize rest = model_get_rest (self, G_MAXSIZE);
  const guint8 *start = self->bytes->data + self->position;

  for (gsize i = 0; i < rest; i++)
    if (memchr (stop, start[i], strlen (stop)) != NULL)
      return stop[0] == '\n' ? i + 1 : i;

  return rest;
}

gboolean
model_check_line (Model        *self,
                  const char   *line,
                  gsize         length,
                  const char   *stop,
                  const GError *error,
                  gboolean      cancelled)
{
  gsize expected;

  model_settle (self);
  if (error != NULL)
    return model_is_excused (self, error, cancelled);

  if (line == NULL)
    {
      MODEL_CHECK (self, model_get_rest (self, 1) == 0);
      return TRUE;
    }

  expected = find_stop (self, stop);
  if (length != expected)
    return model_fail (self, "a line has %zu bytes instead of %zu", length, expected);
  MODEL_CHECK (self, model_is_at (self, line, length));
  MODEL_CHECK (self, line[length] == '\0');
  self->position += length;
  return TRUE;
}

MODEL_OP (model_read_line)
{
  g_autoptr(GError) error = NULL;
  gsize length = 0;
  g_autofree char *line = tf_temp_file_read_line (self->file, &length, NULL, &error);

  return model_check_line (self, line, length, "\n", error, FALSE);
}

MODEL_OP (model_read_upto)
{
  const char stop[] = { step->b | 1, step->c | 1, '\0' };
  g_autoptr(GError) error = NULL;
  gsize length = 0;
  g_autofree char *piece = NULL;

  if (stop[0] == '\n')
    return TRUE;

  piece = tf_temp_file_read_upto (self->file, stop, 2, &length, NULL, &error);
  return model_check_line (self, piece, length, stop, error, FALSE);
}

static gboolean
peek (Model *self,
      gsize *count)
{
  const void *data = tf_temp_file_peek (self->file, count);

  model_settle (self);
  MODEL_CHECK (self, *count <= model_get_rest (self, G_MAXSIZE));
  MODEL_CHECK (self, (data == NULL) == (*count == 0));
  MODEL_CHECK (self, model_is_at (self, data, *count));
  if (!model_is_on_disk (self))
    MODEL_CHECK (self, *count == model_get_rest (self, G_MAXSIZE));
  return TRUE;
}

MODEL_OP (model_peek)
{
  gsize count = 77;

  return peek (self, &count);
}

MODEL_OP (model_fill)
{
  g_autoptr(GError) error = NULL;
  gsize count = step_get_length (step);
  gssize n = tf_temp_file_fill (self->file, count, NULL, &error);
  gsize peeked;

  if (n < 0)
    return model_is_excused (self, error, FALSE);

  if (!peek (self, &peeked))
    return FALSE;
  if (peeked < model_get_rest (self, MIN (count, 65536)))
    return model_fail (self, "%zu bytes can be peeked at instead of %zu", peeked, model_get_rest (self, count));
  MODEL_CHECK (self, (gsize) n == peeked);
  return TRUE;
}

MODEL_OP (model_consume)
{
  g_autoptr(GError) error = NULL;
  gsize count = step_get_length (step);
  gsize peeked = 0;

  if (!peek (self, &peeked))
    return FALSE;

  if (step->c % 4)
    count = MIN (count, peeked);
  if (tf_temp_file_consume (self->file, count, &error))
    {
      MODEL_CHECK (self, count <= peeked);
      self->position += count;
      return TRUE;
    }

  MODEL_CHECK (self, count > peeked);
  MODEL_CHECK (self, g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT));
  return TRUE;
}

MODEL_OP (model_load)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = tf_temp_file_load_bytes (self->file, NULL, &error);

  if (bytes == NULL)
    return model_is_excused (self, error, FALSE);

  MODEL_CHECK (self, g_bytes_get_size (bytes) == self->bytes->len);
  MODEL_CHECK (self, self->bytes->len == 0 || memcmp (g_bytes_get_data (bytes, NULL), self->bytes->data, self->bytes->len) == 0);
  return TRUE;
}

static GSeekable *
get_seekable (Model      *self,
              const Step *step)
{
  GSeekable *const seekables[] = { G_SEEKABLE (self->file), G_SEEKABLE (output_of (self)), G_SEEKABLE (input_of (self)) };

  return seekables[step->c / 4 % 3];
}

MODEL_OP (model_seek)
{
  const GSeekType types[] = { G_SEEK_SET, G_SEEK_CUR, G_SEEK_END };
  const goffset bases[] = { 0, self->position, self->bytes->len };
  guint type = step->c / 12 % 3;
  goffset target = step_get_offset (step, self->position, self->bytes->len);
  g_autoptr(GError) error = NULL;

  if (g_seekable_seek (get_seekable (self, step), target - bases[type], types[type], NULL, &error))
    {
      MODEL_CHECK (self, target >= 0);
      self->position = target;
      return TRUE;
    }

  if (target < 0 && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT))
    return TRUE;

  return model_is_excused (self, error, FALSE);
}

MODEL_OP (model_truncate)
{
  goffset size = MIN (step_get_offset (step, self->position, self->bytes->len), MODEL_MAX_SIZE);
  GSeekable *seekable = step->c % 2 ? G_SEEKABLE (self->file) : G_SEEKABLE (output_of (self));
  g_autoptr(GError) error = NULL;

  if (g_seekable_truncate (seekable, size, NULL, &error))
    {
      MODEL_CHECK (self, size >= 0);
      model_resize (self, size);
      return TRUE;
    }

  if (size < 0 && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT))
    return TRUE;

  return model_is_excused (self, error, FALSE);
}

MODEL_OP (model_flush)
{
  g_autoptr(GError) error = NULL;
  gboolean success = step->c % 2 ? tf_temp_file_flush (self->file, NULL, &error)
                                 : g_output_stream_flush (output_of (self), NULL, &error);

  return success || model_is_excused (self, error, FALSE);
}

MODEL_OP (model_reserve)
{
  g_autoptr(GError) error = NULL;

  return tf_temp_file_reserve (self->file, step_get_length (step), NULL, &error) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED) ||
         model_is_excused (self, error, FALSE);
}

MODEL_OP (model_rollover)
{
  g_autoptr(GError) error = NULL;

  if (!TF_IS_SPOOLED_FILE (self->file))
    return TRUE;

  if (!tf_spooled_file_rollover (TF_SPOOLED_FILE (self->file), NULL, &error))
    return model_is_excused (self, error, FALSE);

  MODEL_CHECK (self, model_is_on_disk (self));
  return TRUE;
}

/* Whoever has a descriptor sees all bytes, and the position is its offset. */
static gboolean
check_fd (Model *self,
          int    fd)
{
  g_autofree guint8 *data = g_malloc (self->bytes->len + 1);
  gssize n;

  model_settle (self);
  n = pread (fd, data, self->bytes->len + 1, 0);
  if (n != (gssize) self->bytes->len)
    return model_fail (self, "descriptor %d has %zd bytes instead of %u: %s", fd, n, self->bytes->len, g_strerror (errno));
  MODEL_CHECK (self, n == 0 || memcmp (data, self->bytes->data, n) == 0);
  MODEL_CHECK (self, lseek (fd, 0, SEEK_CUR) == self->position);
  MODEL_CHECK (self, fcntl (fd, F_GETFD) == FD_CLOEXEC);
  return TRUE;
}

MODEL_OP (model_get_fd)
{
  g_autoptr(GError) error = NULL;
  int fd = tf_temp_file_get_fd (self->file, NULL, &error);

  if (fd < 0)
    return model_is_excused (self, error, FALSE);

  MODEL_CHECK (self, self->fd < 0 || self->fd == fd);
  self->fd = fd;
  return check_fd (self, fd);
}

MODEL_OP (model_dup_fd)
{
  g_autoptr(GError) error = NULL;
  int fd = tf_temp_file_dup_fd (self->file, NULL, &error);
  gboolean good;

  if (fd < 0)
    return model_is_excused (self, error, FALSE);

  good = check_fd (self, fd);
  close (fd);
  return good;
}

/* What is done with the descriptor is done to the file. */
MODEL_OP (model_outside)
{
  g_autoptr(GBytes) bytes = model_make_bytes (self, step->a);
  goffset target = step_get_offset (step, self->position, self->bytes->len);

  if (self->fd < 0 || small_disk_is_small () || is_too_far (self, step->a))
    return TRUE;

  if (step->c % 4 == 0)
    {
      MODEL_CHECK (self, lseek (self->fd, MAX (target, 0), SEEK_SET) >= 0);
      self->position = MAX (target, 0);
    }
  else
    {
      MODEL_CHECK (self, write (self->fd, g_bytes_get_data (bytes, NULL), step->a) == step->a);
      model_put (self, g_bytes_get_data (bytes, NULL), step->a);
    }

  return TRUE;
}

/* Another program writes to the file by its name, between two calls that bring out and forget what this one has. */
MODEL_OP (model_by_name)
{
  g_autoptr(GBytes) bytes = model_make_bytes (self, step->b);
  goffset position = self->position;
  int fd;

  if (!TF_IS_NAMED_FILE (self->file) || small_disk_is_small ())
    return TRUE;

  self->position = CLAMP (step_get_offset (step, position, self->bytes->len), 0, MODEL_MAX_SIZE - 256);
  MODEL_CHECK (self, tf_temp_file_flush (self->file, NULL, NULL));
  fd = open (tf_named_file_get_path (TF_NAMED_FILE (self->file)), O_RDWR | O_CLOEXEC);
  MODEL_CHECK (self, fd >= 0);
  MODEL_CHECK (self, pwrite (fd, g_bytes_get_data (bytes, NULL), step->b, self->position) == step->b);
  close (fd);
  model_put (self, g_bytes_get_data (bytes, NULL), step->b);
  self->position = position;
  MODEL_CHECK (self, tf_temp_file_flush (self->file, NULL, NULL));
  return TRUE;
}

static gboolean
call_cancelled (Model         *self,
                const Step    *step,
                GCancellable  *cancellable,
                GError       **error)
{
  g_autoptr(GFile) destination = g_file_new_build_filename (self->dir, "cancelled", NULL);
  char byte = 'x';

  switch (step->c % 10)
    {
    case 0:
      return tf_temp_file_write (self->file, &byte, 1, cancellable, error);
    case 1:
      return tf_temp_file_read (self->file, &byte, 1, cancellable, error) >= 0;
    case 2:
      return g_seekable_seek (get_seekable (self, step), 0, G_SEEK_SET, cancellable, error);
    case 3:
      return g_seekable_truncate (G_SEEKABLE (self->file), 0, cancellable, error);
    case 4:
      return tf_temp_file_flush (self->file, cancellable, error);
    case 5:
      return tf_temp_file_get_fd (self->file, cancellable, error) >= 0;
    case 6:
      return tf_temp_file_persist (self->file, destination, TF_PERSIST_NONE, cancellable, NULL, NULL, NULL, error);
    case 7:
      return tf_temp_file_steal_bytes (self->file, cancellable, error) != NULL;
    case 8:
      return tf_temp_file_seal (self->file, cancellable, error) >= 0;
    default:
      return tf_temp_file_reserve (self->file, step_get_length (step), cancellable, error);
    }
}

MODEL_OP (model_cancelled)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  g_cancellable_cancel (cancellable);
  MODEL_CHECK (self, !call_cancelled (self, step, cancellable, &error));
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return model_fail (self, "cancelled: %s", error->message);
  return TRUE;
}

MODEL_OP (model_small_disk)
{
  small_disk_set (step->c % 2 ? G_MAXUINT64 : step_get_length (step));
  return TRUE;
}

MODEL_OP (model_budget)
{
  tf_set_memory_budget (step->c % 3 == 0 ? 0 : step_get_length (step));
  return TRUE;
}
