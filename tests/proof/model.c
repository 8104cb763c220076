/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "model.h"

#include <string.h>
#include <unistd.h>

#include "tf-test.h"

#define MESSAGE_SIZE 1024

/* --- The operations ------------------------------------------------------------------------- */

/* Programs on disk store the number of an operation: new ones come at the end. */
static const struct
{
  const char *name;
  guint weight;
  ModelFunc func;
} ops[] = {
  { "write", 30, model_write },
  { "try-write", 8, model_try_write },
  { "stream-write", 20, model_stream_write },
  { "read", 20, model_read },
  { "stream-read", 15, model_stream_read },
  { "skip", 5, model_skip },
  { "read-line", 10, model_read_line },
  { "read-upto", 5, model_read_upto },
  { "peek", 8, model_peek },
  { "fill", 8, model_fill },
  { "consume", 10, model_consume },
  { "load", 3, model_load },
  { "seek", 30, model_seek },
  { "truncate", 15, model_truncate },
  { "flush", 6, model_flush },
  { "reserve", 3, model_reserve },
  { "rollover", 2, model_rollover },
  { "get-fd", 2, model_get_fd },
  { "dup-fd", 2, model_dup_fd },
  { "outside", 6, model_outside },
  { "by-name", 6, model_by_name },
  { "cancelled", 3, model_cancelled },
  { "small-disk", 4, model_small_disk },
  { "budget", 4, model_budget },
  { "open-reader", 8, model_open_reader },
  { "use-reader", 15, model_use_reader },
  { "seek-reader", 6, model_seek_reader },
  { "close-reader", 5, model_close_reader },
  { "splice-from", 6, model_splice_from },
  { "splice-to", 6, model_splice_to },
  { "seal", 2, model_seal },
  { "steal", 3, model_steal },
  { "persist", 5, model_persist },
  { "close", 3, model_close },
  { "fork", 2, model_fork },
  { "write-async", 6, model_write_async },
  { "read-async", 6, model_read_async },
  { "line-async", 3, model_line_async },
  { "stream-write-async", 6, model_stream_write_async },
  { "stream-read-async", 6, model_stream_read_async },
  { "both-async", 6, model_both_async },
  { "fill-async", 3, model_fill_async },
  { "load-async", 2, model_load_async },
  { "flush-async", 3, model_flush_async },
  { "get-fd-async", 1, model_get_fd_async },
  { "seal-async", 1, model_seal_async },
  { "steal-async", 2, model_steal_async },
  { "persist-async", 2, model_persist_async },
  { "rollover-async", 2, model_rollover_async },
  { "splice-async", 3, model_splice_async },
  { "close-async", 2, model_close_async },
  { "drop-async", 1, model_drop_async },
};

guint8
model_choose_op (double chance)
{
  guint all = 0;
  guint chosen;

  for (gsize i = 0; i < G_N_ELEMENTS (ops); i++)
    all += ops[i].weight;

  chosen = chance * all;
  for (gsize i = 0; i < G_N_ELEMENTS (ops); i++)
    {
      if (chosen < ops[i].weight)
        return i;
      chosen -= ops[i].weight;
    }

  return 0;
}

const char *
model_get_op_name (const Step *step)
{
  return ops[step->op % G_N_ELEMENTS (ops)].name;
}

/* --- The file ------------------------------------------------------------------------------- */

guint
model_find_op (const char *name)
{
  guint i = 0;

  while (!g_str_equal (ops[i].name, name))
    g_assert (++i < G_N_ELEMENTS (ops));

  return i;
}

gboolean
model_step (Model      *self,
            const Step *step)
{
  return ops[step->op % G_N_ELEMENTS (ops)].func (self, step);
}

static const char *const kinds[] = { "temp", "named", "buffered", "spooled" };
static const gint64 max_sizes[] = { -1, 0, 1, 100, 1000, 4096, 65536, 100000 };

static guint
get_kind (const Program *program)
{
  /* Half of them are spooled. */
  return MIN (program->kind % 6, G_N_ELEMENTS (kinds) - 1);
}

static gint64
get_max_size (const Program *program)
{
  return max_sizes[program->max_size % G_N_ELEMENTS (max_sizes)];
}

void
model_describe_file (const Program *program,
                     GString       *text)
{
  g_string_append_printf (text, "%s", kinds[get_kind (program)]);
  if (get_kind (program) == 3)
    g_string_append_printf (text, ", max-size %" G_GINT64_FORMAT, get_max_size (program));
  g_string_append_printf (text, ", watched %u, room %u", program->watch % 4, program->room);
}

static TfTempFile *
make_file (const Program  *program,
           GError        **error)
{
  switch (get_kind (program))
    {
    case 0:
      return tf_temp_file_new (NULL, NULL, error);

    case 1:
      return TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, error));

    case 2:
      return g_initable_new (TF_TYPE_NAMED_FILE, NULL, error, "buffered", TRUE, NULL);

    default:
      return TF_TEMP_FILE (tf_spooled_file_new (get_max_size (program)));
    }
}

static void
on_rolled_over (TfSpooledFile *file,
                Model         *self)
{
  self->n_rolled_over++;
}

gboolean
model_open (Model *self)
{
  g_autoptr(GError) error = NULL;

  self->file = make_file (self->program, &error);
  if (self->file == NULL)
    return model_fail (self, "a file could not be made: %s", error->message);

  self->bytes = g_byte_array_new ();
  self->position = 0;
  self->fd = -1;
  self->n_rolled_over = 0;
  if (TF_IS_SPOOLED_FILE (self->file))
    g_signal_connect (self->file, "rolled-over", G_CALLBACK (on_rolled_over), self);
  return TRUE;
}

static void
let_go (Model *self)
{
  if (TF_IS_SPOOLED_FILE (self->file))
    g_signal_handlers_disconnect_by_data (self->file, self);
  g_clear_object (&self->file);
  g_clear_pointer (&self->bytes, g_byte_array_unref);
  g_clear_pointer (&self->lasting, g_free);
}

gboolean
model_reopen (Model    *self,
              gboolean  complete)
{
  model_settle (self);
  MODEL_CHECK (self, g_io_stream_is_closed (G_IO_STREAM (self->file)));
  MODEL_CHECK (self, tf_temp_file_get_size (self->file) == 0);
  MODEL_CHECK (self, g_seekable_tell (G_SEEKABLE (self->file)) == 0);
  if (complete && self->lasting != NULL)
    {
      g_ptr_array_add (self->kept, g_strdup (self->lasting));
      g_ptr_array_add (self->kept, g_bytes_new (self->bytes->data, self->bytes->len));
    }

  /* What was not written before it was closed cannot be read afterwards. */
  for (guint i = 0; i < MODEL_N_READERS && !complete; i++)
    if (self->readers[i].bytes == self->bytes)
      g_clear_object (&self->readers[i].stream);

  let_go (self);
  return model_open (self);
}

/* --- What is the same ----------------------------------------------------------------------- */

gboolean
model_fail (Model      *self,
            const char *format,
            ...)
{
  va_list args;

  va_start (args, format);
  g_vsnprintf (self->message, MESSAGE_SIZE, format, args);
  va_end (args);
  return FALSE;
}

void
model_settle (Model *self)
{
  if (self->settle != NULL)
    self->settle ();
}

gboolean
model_is_excused (Model        *self,
                  const GError *error,
                  gboolean      cancelled)
{
  const char *reason = "a call failed";

  model_settle (self);
  self->n_excused++;
  if (error != NULL && self->excuses != NULL && self->excuses (error, &reason))
    return TRUE;

  if (cancelled && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return TRUE;

  if (small_disk_is_small () && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
    return TRUE;

  return model_fail (self, "%s: %s", reason, error != NULL ? error->message : "without an error");
}

gboolean
model_is_on_disk (Model *self)
{
  return !TF_IS_SPOOLED_FILE (self->file) || tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (self->file));
}

/* How many of @count bytes there are at the position. */
gsize
model_get_rest (Model *self,
                gsize  count)
{
  return self->position < self->bytes->len ? MIN (count, (gsize) (self->bytes->len - self->position)) : 0;
}

gboolean
model_is_at (Model         *self,
             gconstpointer  data,
             gsize          length)
{
  return length == 0 || memcmp (data, self->bytes->data + self->position, length) == 0;
}

/* One of 32 bytes ends a line. */
GBytes *
model_make_bytes (Model *self,
                  gsize  length)
{
  guint8 *data = g_malloc (length + 1);
  guint32 x = ++self->n_writes * 2654435761u;

  for (gsize i = 0; i < length; i++)
    {
      x = x * 1664525 + 1013904223;
      data[i] = x >> 27 == 0 ? '\n' : x >> 16;
    }

  return g_bytes_new_take (data, length);
}

void
model_resize (Model   *self,
              goffset  size)
{
  guint old_size = self->bytes->len;

  g_byte_array_set_size (self->bytes, size);
  if (size > old_size)
    memset (self->bytes->data + old_size, 0, size - old_size);
}

void
model_put (Model         *self,
           gconstpointer  data,
           gsize          length)
{
  if (length == 0)
    return;

  if ((gsize) self->position + length > self->bytes->len)
    model_resize (self, self->position + length);
  memcpy (self->bytes->data + self->position, data, length);
  self->position += length;
}

gboolean
model_put_some (Model  *self,
                GBytes *bytes)
{
  goffset n = g_seekable_tell (G_SEEKABLE (self->file)) - self->position;

  MODEL_CHECK (self, n >= 0);
  MODEL_CHECK (self, (gsize) n <= g_bytes_get_size (bytes));
  model_put (self, g_bytes_get_data (bytes, NULL), n);
  return TRUE;
}

gboolean
model_skip_some (Model *self,
                 gsize  count)
{
  goffset position = g_seekable_tell (G_SEEKABLE (self->file));

  MODEL_CHECK (self, position >= self->position);
  MODEL_CHECK (self, (gsize) (position - self->position) <= model_get_rest (self, count));
  self->position = position;
  return TRUE;
}

static gboolean
check_numbers (Model *self)
{
  GSeekable *input = G_SEEKABLE (g_io_stream_get_input_stream (G_IO_STREAM (self->file)));
  GSeekable *output = G_SEEKABLE (g_io_stream_get_output_stream (G_IO_STREAM (self->file)));
  goffset size = tf_temp_file_get_size (self->file);

  if (size != self->bytes->len)
    return model_fail (self, "the size is %" G_GOFFSET_FORMAT " instead of %u", size, self->bytes->len);
  if (g_seekable_tell (G_SEEKABLE (self->file)) != self->position)
    return model_fail (self, "the position is %" G_GOFFSET_FORMAT " instead of %" G_GOFFSET_FORMAT,
                       g_seekable_tell (G_SEEKABLE (self->file)), self->position);
  MODEL_CHECK (self, g_seekable_tell (input) == self->position);
  MODEL_CHECK (self, g_seekable_tell (output) == self->position);
  for (guint i = 0; i < MODEL_N_READERS; i++)
    if (self->readers[i].stream != NULL)
      MODEL_CHECK (self, g_seekable_tell (G_SEEKABLE (self->readers[i].stream)) == self->readers[i].position);

  return TRUE;
}

/* A file that has not rolled over is no larger than it may be, and who does is told once. */
static gboolean
check_stage (Model *self)
{
  gint64 max_size;

  if (!TF_IS_SPOOLED_FILE (self->file))
    return TRUE;

  max_size = tf_spooled_file_get_max_size (TF_SPOOLED_FILE (self->file));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  MODEL_CHECK (self, self->n_rolled_over == (model_is_on_disk (self) ? 1 : 0));
  if (!model_is_on_disk (self) && max_size >= 0)
    MODEL_CHECK (self, self->bytes->len <= max_size);

  return TRUE;
}

static gboolean
is_all (Model         *self,
        gconstpointer  data,
        gsize          length)
{
  const guint8 *bytes = data;
  gsize i = 0;

  while (i < length && i < self->bytes->len && bytes[i] == self->bytes->data[i])
    i++;
  if (i == length && i == self->bytes->len)
    return TRUE;

  return model_fail (self, "the content differs at %zu of %zu and %u bytes", i, length, self->bytes->len);
}

static gboolean
check_loaded (Model *self)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = tf_temp_file_load_bytes (self->file, NULL, &error);

  return bytes != NULL ? is_all (self, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes))
                       : model_is_excused (self, error, FALSE);
}

static gboolean
check_by_reader (Model *self)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (self->file, &error);
  g_autofree char *data = g_malloc (MODEL_MAX_SIZE + 1);
  gsize n_read;

  if (reader == NULL || !g_input_stream_read_all (reader, data, MODEL_MAX_SIZE + 1, &n_read, NULL, &error))
    return model_is_excused (self, error, FALSE);

  return is_all (self, data, n_read);
}

/* Most ways to look at the bytes change what is held back or read ahead: the program says which is taken. */
gboolean
model_check (Model *self)
{
  if (!check_numbers (self) || !check_stage (self))
    return FALSE;

  switch (self->program->watch % 4)
    {
    case 1:
      return check_loaded (self) && check_numbers (self);

    case 2:
      return check_by_reader (self) && check_numbers (self);

    default:
      return TRUE;
    }
}

/* --- The end -------------------------------------------------------------------------------- */

static gboolean
check_path (Model         *self,
            const char    *path,
            gconstpointer  data,
            gsize          size)
{
  g_autofree char *content = NULL;
  g_autoptr(GError) error = NULL;
  gsize length;

  if (!g_file_get_contents (path, &content, &length, &error))
    return model_fail (self, "what was persisted: %s", error->message);

  if (length != size || (size > 0 && memcmp (content, data, size) != 0))
    return model_fail (self, "what was persisted as %s is not what it was", path);

  return TRUE;
}

static gboolean
check_kept (Model *self)
{
  for (guint i = 0; i < self->stolen->len; i += 2)
    MODEL_CHECK (self, g_bytes_equal (self->stolen->pdata[i], self->stolen->pdata[i + 1]));

  for (guint i = 0; i < self->kept->len; i += 2)
    if (!check_path (self, self->kept->pdata[i], g_bytes_get_data (self->kept->pdata[i + 1], NULL),
                     g_bytes_get_size (self->kept->pdata[i + 1])))
      return FALSE;

  return TRUE;
}

static gboolean
check_reader (Model       *self,
              ModelReader *reader)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *data = g_malloc (MODEL_MAX_SIZE + 1);
  gsize rest = reader->position < reader->bytes->len ? reader->bytes->len - reader->position : 0;
  gsize n_read;

  if (!g_input_stream_read_all (reader->stream, data, MODEL_MAX_SIZE + 1, &n_read, NULL, &error))
    return model_fail (self, "a reader failed: %s", error->message);

  MODEL_CHECK (self, n_read == rest);
  MODEL_CHECK (self, rest == 0 || memcmp (data, reader->bytes->data + reader->position, rest) == 0);
  return TRUE;
}

/* With a disk as large as it likes, all is there. */
gboolean
model_check_end (Model *self)
{
  g_autoptr(GError) error = NULL;

  small_disk_set (G_MAXUINT64);
  if (!tf_temp_file_flush (self->file, NULL, &error))
    return model_fail (self, "at the end: %s", error->message);

  if (!check_numbers (self) || !check_loaded (self) || !check_by_reader (self) || !check_kept (self))
    return FALSE;

  for (guint i = 0; i < MODEL_N_READERS; i++)
    if (self->readers[i].stream != NULL && !check_reader (self, &self->readers[i]))
      return FALSE;

  return self->lasting == NULL || check_path (self, self->lasting, self->bytes->data, self->bytes->len);
}

void
model_forget (Model *self)
{
  for (guint i = 0; i < MODEL_N_READERS; i++)
    {
      g_clear_object (&self->readers[i].stream);
      g_clear_pointer (&self->readers[i].bytes, g_byte_array_unref);
    }

  let_go (self);
  for (guint i = 0; i < self->kept->len; i += 2)
    {
      g_free (self->kept->pdata[i]);
      g_bytes_unref (self->kept->pdata[i + 1]);
    }
  g_ptr_array_free (self->kept, TRUE);
  g_ptr_array_unref (self->stolen);
}

static gboolean
run_steps (Model *self)
{
  for (guint i = 0; i < self->program->n_steps; i++)
    {
      const Step *step = &self->program->steps[i];

      if (!model_step (self, step) || !model_check (self))
        {
          g_autofree char *message = g_strdup (self->message);

          return model_fail (self, "step %u, %s: %s", i + 1, model_get_op_name (step), message);
        }
    }

  return model_check_end (self);
}

void
model_init (Model         *self,
            const Program *program,
            const char    *dir,
            char          *message)
{
  *message = '\0';
  *self = (Model) {
    .program = program,
    .message = message,
    .dir = dir,
    .stolen = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref),
    .kept = g_ptr_array_new (),
  };
}

gboolean
model_run (const Program *program,
           const char    *dir,
           char          *message)
{
  Model self;
  gboolean success;

  model_init (&self, program, dir, message);
  small_disk_set (program->room > 0 ? program->room * G_GUINT64_CONSTANT (1000) : G_MAXUINT64);
  success = model_open (&self) && run_steps (&self);
  small_disk_set (G_MAXUINT64);
  tf_set_memory_budget (0);
  if (success)
    model_forget (&self);
  return success;
}
