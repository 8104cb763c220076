/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-test-files.h"

#include <string.h>

#include "tf-test.h"

/* One random program, run on a file and on an array of bytes: after each step size and position are the
 * same, seen through the file and through both of its streams, and every now and then the bytes. The seed
 * is printed at the start; --seed repeats it. */

#define N_STEPS 3000
#define MAX_LENGTH 30000

typedef struct
{
  TfTempFile *file;
  GSeekable *seekables[3]; /* the file, its input stream, its output stream */
  GByteArray *bytes;
  gsize position;
} Program;

static void
resize (GByteArray *bytes,
        gsize       size)
{
  gsize old_size = bytes->len;

  g_byte_array_set_size (bytes, size);
  if (size > old_size)
    memset (bytes->data + old_size, 0, size - old_size);
}

static gsize
random_length (void)
{
  const int limits[] = { 2, 20, 300, 9000 };

  return g_test_rand_int_range (0, limits[g_test_rand_int_range (0, G_N_ELEMENTS (limits))]);
}

static void
write_some (Program *self)
{
  gsize length = random_length ();
  g_autofree guint8 *data = g_malloc (length + 1);
  g_autoptr(GError) error = NULL;

  if (self->position + length > MAX_LENGTH)
    return;

  memset (data, g_test_rand_int_range (1, 256), length);
  if (g_test_rand_bit ())
    g_assert_true (tf_temp_file_write (self->file, data, length, NULL, &error));
  else
    g_assert_true (g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (self->file)),
                                              data, length, NULL, NULL, &error));
  g_assert_no_error (error);

  if (length > 0)
    {
      resize (self->bytes, MAX (self->bytes->len, self->position + length));
      memcpy (self->bytes->data + self->position, data, length);
      self->position += length;
    }
}

static GBytes *
read_through (Program  *self,
              gsize     length,
              GError  **error)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (self->file));
  g_autofree guint8 *data = g_malloc (length + 1);
  gssize n_read = -1;
  gsize n;

  switch (g_test_rand_int_range (0, 3))
    {
    case 0:
      return tf_temp_file_read_bytes (self->file, length, NULL, error);

    case 1:
      n_read = tf_temp_file_read (self->file, data, length, NULL, error);
      break;

    default:
      if (g_input_stream_read_all (input, data, length, &n, NULL, error))
        n_read = n;
    }

  return n_read >= 0 ? g_bytes_new_take (g_steal_pointer (&data), n_read) : NULL;
}

static void
read_some (Program *self)
{
  gsize length = random_length ();
  gsize available = self->position < self->bytes->len ? self->bytes->len - self->position : 0;
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = read_through (self, length, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                   self->bytes->data + self->position, MIN (length, available));
  self->position += MIN (length, available);
}

static void
seek_somewhere (Program *self)
{
  const GSeekType types[] = { G_SEEK_SET, G_SEEK_CUR, G_SEEK_END };
  const goffset bases[] = { 0, self->position, self->bytes->len };
  int i = g_test_rand_int_range (0, G_N_ELEMENTS (types));
  goffset target = g_test_rand_int_range (-100, self->bytes->len + 1000);
  GSeekable *seekable = self->seekables[g_test_rand_int_range (0, G_N_ELEMENTS (self->seekables))];
  g_autoptr(GError) error = NULL;

  if (g_seekable_seek (seekable, target - bases[i], types[i], NULL, &error))
    {
      g_assert_cmpint (target, >=, 0);
      self->position = target;
    }
  else
    {
      g_assert_cmpint (target, <, 0);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    }
}

static void
truncate_somewhere (Program *self)
{
  goffset size = g_test_rand_int_range (-10, MIN (self->bytes->len + 1000, MAX_LENGTH));
  GSeekable *seekable = self->seekables[g_test_rand_bit () ? 0 : 2];
  g_autoptr(GError) error = NULL;

  if (g_test_rand_int_range (0, 4) == 0)
    size = 0;

  if (g_seekable_truncate (seekable, size, NULL, &error))
    {
      g_assert_cmpint (size, >=, 0);
      resize (self->bytes, size);
    }
  else
    {
      g_assert_cmpint (size, <, 0);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    }
}

static void
roll_over_or_share (Program *self)
{
  g_autoptr(GError) error = NULL;

  if (TF_IS_SPOOLED_FILE (self->file) && g_test_rand_bit ())
    g_assert_true (tf_spooled_file_rollover (TF_SPOOLED_FILE (self->file), NULL, &error));
  else
    g_assert_cmpint (tf_temp_file_get_fd (self->file, NULL, &error), >=, 0);
  g_assert_no_error (error);
}

static void
step (Program *self)
{
  int n = g_test_rand_int_range (0, 100);

  if (n < 35)
    write_some (self);
  else if (n < 65)
    read_some (self);
  else if (n < 88)
    seek_somewhere (self);
  else
    truncate_somewhere (self);

  for (gsize i = 0; i < G_N_ELEMENTS (self->seekables); i++)
    g_assert_cmpint (g_seekable_tell (self->seekables[i]), ==, self->position);
  g_assert_cmpint (tf_temp_file_get_size (self->file), ==, self->bytes->len);
}

static void
test_program (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GByteArray) bytes = g_byte_array_new ();
  Program program = {
    .file = file,
    .seekables = {
      G_SEEKABLE (file),
      G_SEEKABLE (g_io_stream_get_input_stream (G_IO_STREAM (file))),
      G_SEEKABLE (g_io_stream_get_output_stream (G_IO_STREAM (file))),
    },
    .bytes = bytes,
  };

  for (int i = 0; i < N_STEPS; i++)
    {
      step (&program);
      if (i % 16 == 0)
        tf_test_assert_file (file, program.position, bytes->data, bytes->len);
      /* In the second half the descriptor is handed out, and what is in memory rolls over. */
      if (i > N_STEPS / 2 && i % 100 == 0 && ((const TfTestKind *) data)->max_size >= 0)
        roll_over_or_share (&program);
    }

  if (TF_IS_SPOOLED_FILE (file))
    g_assert_true (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)) ==
                   (((const TfTestKind *) data)->max_size >= 0));
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  tf_test_add_for_kinds ("random", "program", test_program);

  return tf_test_run ();
}
