/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is copied, held back and read ahead has to be what plain reading and writing would give. */

#include <tempfile-glib.h>

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tf-test.h"

#define BLOCK 64

typedef struct
{
  TfTempFile *file;
  GByteArray *model;
  gsize position;
  GRand *rand;
  gsize most;      /* bytes that the file may get */
} Program;

typedef TfTempFile *(*CreateFunc) (void);

static TfTempFile *
create_unnamed (void)
{
  g_autoptr(GError) error = NULL;
  TfTempFile *file = tf_temp_file_new (NULL, NULL, &error);

  g_assert_no_error (error);
  return file;
}

static TfTempFile *
create_named (void)
{
  g_autoptr(GError) error = NULL;
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  return TF_TEMP_FILE (file);
}

static TfTempFile *
create_in_memory (void)
{
  return TF_TEMP_FILE (tf_spooled_file_new (-1));
}

/* Goes to disk somewhere in the middle of most programs. */
static TfTempFile *
create_spooled (void)
{
  return TF_TEMP_FILE (tf_spooled_file_new (100 * 1000));
}

static gsize
random_count (Program *self)
{
  static const gsize limits[] = { 2, 100, 100, 100, 5000, 70 * 1000, 300 * 1000 };

  return g_rand_int_range (self->rand, 0, limits[g_rand_int_range (self->rand, 0, G_N_ELEMENTS (limits))]);
}

static void
model_resize (GByteArray *model,
              gsize       size)
{
  gsize old_size = model->len;

  g_byte_array_set_size (model, size);
  if (size > old_size)
    memset (model->data + old_size, 0, size - old_size);
}

static void
do_write (Program *self)
{
  gsize count = MIN (random_count (self), self->most - MIN (self->most, self->position));
  g_autofree guint8 *data = g_malloc (count + 1);
  g_autoptr(GError) error = NULL;
  gsize n_written;

  memset (data, g_rand_int_range (self->rand, 1, 256), count);
  if (g_rand_boolean (self->rand))
    g_assert_true (tf_temp_file_write (self->file, data, count, NULL, &error));
  else
    g_assert_true (g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (self->file)),
                                              data, count, &n_written, NULL, &error));
  g_assert_no_error (error);

  if (count == 0)
    return;
  if (self->position + count > self->model->len)
    model_resize (self->model, self->position + count);
  memcpy (self->model->data + self->position, data, count);
  self->position += count;
}

static void
do_read (Program *self)
{
  gsize count = random_count (self);
  gsize expected = self->position < self->model->len ? MIN (count, self->model->len - self->position) : 0;
  g_autofree guint8 *data = g_malloc (count + 1);
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;
  gsize n_read;

  switch (g_rand_int_range (self->rand, 0, 3))
    {
    case 0:
      n_read = tf_temp_file_read (self->file, data, count, NULL, &error);
      break;

    case 1:
      g_input_stream_read_all (g_io_stream_get_input_stream (G_IO_STREAM (self->file)),
                               data, count, &n_read, NULL, &error);
      break;

    default:
      bytes = tf_temp_file_read_bytes (self->file, count, NULL, &error);
      g_assert_no_error (error);
      n_read = g_bytes_get_size (bytes);
      if (n_read > 0)
        memcpy (data, g_bytes_get_data (bytes, NULL), n_read);
    }

  g_assert_no_error (error);
  g_assert_cmpuint (n_read, ==, expected);
  if (expected > 0)
    g_assert_cmpmem (data, n_read, self->model->data + self->position, expected);
  self->position += expected;
}

static void
do_seek (Program *self)
{
  g_autoptr(GError) error = NULL;
  gsize position = g_rand_int_range (self->rand, 0, MIN (self->model->len + 1000, self->most) + 1);

  g_assert_true (g_seekable_seek (G_SEEKABLE (self->file), position, G_SEEK_SET, NULL, &error));
  g_assert_no_error (error);
  self->position = position;
}

static void
do_truncate (Program *self)
{
  g_autoptr(GError) error = NULL;
  gsize size = g_rand_int_range (self->rand, 0, MIN (self->model->len * 5 / 4 + 100, self->most) + 1);

  g_assert_true (g_seekable_truncate (G_SEEKABLE (self->file), size, NULL, &error));
  g_assert_no_error (error);
  model_resize (self->model, size);
}

static void
do_flush (Program *self)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (g_output_stream_flush (g_io_stream_get_output_stream (G_IO_STREAM (self->file)), NULL, &error));
  g_assert_no_error (error);
}

static void
do_step (Program *self)
{
  int step = g_rand_int_range (self->rand, 0, 100);

  if (step < 45)
    do_write (self);
  else if (step < 80)
    do_read (self);
  else if (step < 93)
    do_seek (self);
  else if (step < 97)
    do_truncate (self);
  else
    do_flush (self);

  g_assert_cmpint (tf_temp_file_get_size (self->file), ==, self->model->len);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (self->file)), ==, self->position);
}

/* What another user of the descriptor sees, and that from then on both see the same. */
static void
check_descriptor (Program *self)
{
  g_autofree guint8 *data = g_malloc (self->model->len + 1);
  g_autoptr(GError) error = NULL;
  int fd = tf_temp_file_get_fd (self->file, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, self->position);
  g_assert_cmpint (pread (fd, data, self->model->len + 1, 0), ==, self->model->len);
  g_assert_cmpmem (data, self->model->len, self->model->data, self->model->len);

  g_assert_true (g_seekable_seek (G_SEEKABLE (self->file), 0, G_SEEK_SET, NULL, &error));
  g_assert_true (tf_temp_file_write (self->file, "!", 1, NULL, &error));
  g_assert_cmpint (pread (fd, data, 1, 0), ==, 1);
  g_assert_cmpint (data[0], ==, '!');
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 1);
  g_assert_cmpint (pwrite (fd, "?", 1, 1), ==, 1);
  g_assert_cmpint (tf_temp_file_read (self->file, data, 1, NULL, &error), ==, 1);
  g_assert_cmpint (data[0], ==, '?');
}

static void
run_program (CreateFunc create,
             guint      seed,
             gsize      most,
             guint      n_steps)
{
  g_autoptr(TfTempFile) file = create ();
  g_autoptr(GByteArray) model = g_byte_array_new ();
  g_autoptr(GRand) rand = g_rand_new_with_seed (seed);
  g_autoptr(GError) error = NULL;
  Program program = { .file = file, .model = model, .rand = rand, .most = most };

  for (guint i = 0; i < n_steps; i++)
    do_step (&program);
  check_descriptor (&program);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
}

static const CreateFunc kinds[] = { create_unnamed, create_named, create_in_memory, create_spooled };

static void
test_random (void)
{
  for (guint kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
    for (guint seed = 0; seed < 40; seed++)
      run_program (kinds[kind], seed, 400 * 1000, 200);
}

/* Across the sizes at which memory comes from elsewhere. */
static void
test_random_large (void)
{
  for (guint kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
    for (guint seed = 100; seed < 104; seed++)
      run_program (kinds[kind], seed, 9 * 1000 * 1000, 400);
}

static gpointer
random_thread (gpointer data)
{
  test_random ();
  return NULL;
}

/* With another thread in the process, which makes the calls take their lock. */
static void
test_random_threads (void)
{
  g_autoptr(GThread) other = g_thread_new ("other", random_thread, NULL);

  test_random ();
  g_thread_join (g_steal_pointer (&other));
}

static gpointer
write_blocks (gpointer data)
{
  GOutputStream *stream = data;
  g_autoptr(GError) error = NULL;
  char block[BLOCK];

  for (guint i = 0; i < 20000; i++)
    {
      memset (block, 'a' + i % 26, sizeof block);
      g_assert_true (g_output_stream_write_all (stream, block, sizeof block, NULL, NULL, &error));
      g_assert_no_error (error);
    }

  return NULL;
}

/* One position: what is read is always a whole block, and position and number of calls agree. */
static void
test_two_threads (void)
{
  for (guint kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
    {
      g_autoptr(TfTempFile) file = kinds[kind] ();
      GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (file));
      g_autoptr(GError) error = NULL;
      GThread *writer;
      gsize n_blocks_read = 0;

      g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 3000 * BLOCK, NULL, &error));
      writer = g_thread_new ("writer", write_blocks, g_io_stream_get_output_stream (G_IO_STREAM (file)));
      for (guint i = 0; i < 20000; i++)
        {
          char block[BLOCK];
          gsize n_read;

          g_assert_true (g_input_stream_read_all (input, block, sizeof block, &n_read, NULL, &error));
          g_assert_no_error (error);
          g_assert_true (n_read == 0 || n_read == BLOCK);
          if (n_read > 0)
            g_assert_cmpmem (block, BLOCK - 1, block + 1, BLOCK - 1);
          n_blocks_read += n_read / BLOCK;
        }
      g_thread_join (writer);

      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, (20000 + n_blocks_read) * BLOCK);
    }
}

static void
limit_file_size (rlim_t size)
{
  struct rlimit limit = { size, RLIM_INFINITY };

  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

/* The disk takes ten bytes of what was held back, then the rest. */
static void
flush_twice (void)
{
  g_autoptr(TfTempFile) file = create_unnamed ();
  GOutputStream *stream = g_io_stream_get_output_stream (G_IO_STREAM (file));
  g_autoptr(GError) error = NULL;
  g_autofree char *data = g_strnfill (100, 'x');
  char found[101];

  signal (SIGXFSZ, SIG_IGN);
  limit_file_size (10);
  g_assert_true (tf_temp_file_write (file, data, 100, NULL, &error));
  for (int i = 0; i < 2; i++)
    {
      g_assert_false (g_output_stream_flush (stream, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
      g_clear_error (&error);
      g_assert_cmpint (tf_temp_file_get_fd (file, NULL, &error), ==, -1);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
      g_clear_error (&error);
      g_assert_cmpint (tf_temp_file_get_size (file), ==, 100);
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 100);
    }

  limit_file_size (RLIM_INFINITY);
  g_assert_true (g_output_stream_flush (stream, NULL, &error));
  g_assert_cmpint (pread (tf_temp_file_get_fd (file, NULL, &error), found, sizeof found, 0), ==, 100);
  g_assert_no_error (error);
  g_assert_cmpmem (found, 100, data, 100);
}

/* A write that has to make room for itself, and a close, tell what happened to those before. */
static void
write_and_close (void)
{
  g_autoptr(TfTempFile) file = create_unnamed ();
  g_autoptr(GError) error = NULL;
  g_autofree char *data = g_malloc0 (40000);

  signal (SIGXFSZ, SIG_IGN);
  limit_file_size (10);
  g_assert_true (tf_temp_file_write (file, data, 40000, NULL, &error));
  g_assert_false (tf_temp_file_write (file, data, 40000, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 40000);

  g_assert_false (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
}

/* Who does not close a file, or cannot, learns from the log what was lost. */
static void
write_and_forget (void)
{
  g_autofree char *data = g_malloc0 (100);

  signal (SIGXFSZ, SIG_IGN);
  limit_file_size (10);
  for (int i = 0; i < 2; i++)
    {
      TfTempFile *file = create_unnamed ();

      g_assert_true (tf_temp_file_write (file, data, 100, NULL, NULL));
      if (i == 1)
        {
          g_assert_true (g_io_stream_set_pending (G_IO_STREAM (file), NULL));
          g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Closing a temporary file: *outstanding operation*");
        }
      g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Closing a temporary file: The last 90 bytes * lost: write*");
      g_object_unref (file);
      g_test_assert_expected_messages ();
    }
}

/* What was held back and is cut off need not be written. */
static void
truncate_instead (void)
{
  g_autoptr(TfTempFile) file = create_unnamed ();
  g_autoptr(GError) error = NULL;

  signal (SIGXFSZ, SIG_IGN);
  limit_file_size (10);
  g_assert_true (tf_temp_file_write (file, "0123456789abc", 13, NULL, &error));
  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 8, NULL, &error));
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 8);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
}

static void
test_refused (void)
{
  tf_test_in_child (flush_twice);
  tf_test_in_child (write_and_close);
  tf_test_in_child (write_and_forget);
  tf_test_in_child (truncate_instead);
}

/* A file that others see by its name has at once what was written, and is read anew. */
static void
test_named_at_once (void)
{
  g_autoptr(TfTempFile) file = create_named ();
  const char *path = tf_named_file_get_path (TF_NAMED_FILE (file));
  g_autofree char *content = NULL;
  g_autoptr(GError) error = NULL;
  char found[2];

  g_assert_true (tf_temp_file_write (file, "Hello", 5, NULL, &error));
  g_assert_true (g_file_get_contents (path, &content, NULL, &error));
  g_assert_cmpstr (content, ==, "Hello");

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error));
  g_assert_cmpint (tf_temp_file_read (file, found, 1, NULL, &error), ==, 1);
  g_assert_cmpint (truncate (path, 1), ==, 0);
  g_assert_cmpint (tf_temp_file_read (file, found, 1, NULL, &error), ==, 0);
  g_assert_no_error (error);
}

static void
expect_critical (const char *pattern)
{
  g_test_assert_expected_messages ();
  g_test_expect_message ("Tf", G_LOG_LEVEL_CRITICAL, pattern);
}

/* A caller's mistake is found in the fast path, too, and nothing is read or written. */
static void
test_mistakes (void)
{
  g_autoptr(TfTempFile) file = create_unnamed ();
  g_autoptr(GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "An earlier one");
  GCancellable *other = (GCancellable *) file;
  char byte = 'x';

  g_assert_true (tf_temp_file_write (file, &byte, 1, NULL, NULL));
  expect_critical ("*is_temp_file*");
  g_assert_false (tf_temp_file_write (NULL, &byte, 1, NULL, NULL));
  expect_critical ("*data != NULL*");
  g_assert_false (tf_temp_file_write (file, NULL, 1, NULL, NULL));
  expect_critical ("*G_IS_CANCELLABLE*");
  g_assert_false (tf_temp_file_write (file, &byte, 1, other, NULL));
  expect_critical ("*error == NULL*");
  g_assert_false (tf_temp_file_write (file, &byte, 1, NULL, &error));

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  expect_critical ("*is_temp_file*");
  g_assert_cmpint (tf_temp_file_read (NULL, &byte, 1, NULL, NULL), ==, -1);
  expect_critical ("*buffer != NULL*");
  g_assert_cmpint (tf_temp_file_read (file, NULL, 1, NULL, NULL), ==, -1);
  expect_critical ("*G_MAXSSIZE*");
  g_assert_cmpint (tf_temp_file_read (file, &byte, (gsize) G_MAXSSIZE + 1, NULL, NULL), ==, -1);
  expect_critical ("*G_IS_CANCELLABLE*");
  g_assert_cmpint (tf_temp_file_read (file, &byte, 1, other, NULL), ==, -1);
  expect_critical ("*error == NULL*");
  g_assert_cmpint (tf_temp_file_read (file, &byte, 1, NULL, &error), ==, -1);
  g_test_assert_expected_messages ();

  g_assert_cmpint (tf_temp_file_get_size (file), ==, 1);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 0);
}

/* Without copying, and without going beyond what is there. */
static void
test_peek (void)
{
  g_autoptr(TfTempFile) file = create_in_memory ();
  g_autoptr(GError) error = NULL;
  gconstpointer bytes;
  gsize count;

  g_assert_null (tf_temp_file_peek (file, &count));
  g_assert_true (tf_temp_file_write (file, "0123456789", 10, NULL, NULL));
  g_assert_null (tf_temp_file_peek (file, &count));
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 4, G_SEEK_SET, NULL, NULL));
  bytes = tf_temp_file_peek (file, &count);
  g_assert_cmpmem (bytes, count, "456789", 6);
  g_assert_true (tf_temp_file_consume (file, 2, &error));
  g_assert_no_error (error);
  bytes = tf_temp_file_peek (file, &count);
  g_assert_cmpmem (bytes, count, "6789", 4);
  g_assert_true (tf_temp_file_consume (file, 0, NULL));
  g_assert_false (tf_temp_file_consume (file, 5, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 6);
  g_assert_true (tf_temp_file_consume (file, 4, NULL));
  g_assert_null (tf_temp_file_peek (file, &count));
}

/* All that tries does the same with one thread and with several. */
static void
try_all (TfTempFile *file)
{
  g_autoptr(GBytes) bytes = g_bytes_new_static ("third", 5);
  g_autoptr(GError) error = NULL;
  char line[8];
  gsize n;

  /* There is room for more. */
  g_assert_true (tf_temp_file_write (file, "first\n", 6, NULL, &error));
  g_assert_true (tf_temp_file_try_write (file, "second\n", 7));
  g_assert_true (tf_temp_file_write_bytes (file, bytes, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 18);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 18);

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error));
  g_assert_cmpint (tf_temp_file_read (file, line, 1, NULL, &error), ==, 1);
  g_assert_true (tf_temp_file_try_read (file, line, 2, &n));
  g_assert_cmpmem (line, n, "ir", 2);
  g_assert_true (tf_temp_file_try_read_line (file, line, sizeof line, &n));
  g_assert_cmpmem (line, n, "st\n", 3);
  g_assert_false (tf_temp_file_try_read_line (file, line, 6, &n));
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 6);
  g_assert_true (tf_temp_file_try_read_line (file, line, 7, &n));
  g_assert_cmpmem (line, n, "second\n", 7);
  g_assert_false (tf_temp_file_try_read (file, line, 0, &n));
  g_assert_true (tf_temp_file_try_read (file, line, 5, &n));
  g_assert_cmpmem (line, n, "third", 5);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 18);
}

static void
test_try (void)
{
  const CreateFunc funcs[] = { create_unnamed, create_in_memory, create_spooled };

  for (gsize i = 0; i < G_N_ELEMENTS (funcs); i++)
    {
      g_autoptr(TfTempFile) file = funcs[i] ();

      try_all (file);
    }
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  /* First without, then with a second thread. */
  /* The first one, before there is another thread */
  g_test_add_func ("/fast-paths/try", test_try);
  g_test_add_func ("/fast-paths/random", test_random);
  g_test_add_func ("/fast-paths/random-large", test_random_large);
  g_test_add_func ("/fast-paths/refused", test_refused);
  g_test_add_func ("/fast-paths/named-at-once", test_named_at_once);
  g_test_add_func ("/fast-paths/mistakes", test_mistakes);
  g_test_add_func ("/fast-paths/peek", test_peek);
  g_test_add_func ("/fast-paths/random-threads", test_random_threads);
  g_test_add_func ("/fast-paths/two-threads", test_two_threads);
  g_test_add_func ("/fast-paths/try-after-threads", test_try);

  return tf_test_run ();
}
