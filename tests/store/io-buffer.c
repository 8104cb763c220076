/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is held back reaches whoever gets a way to the bytes. */

#include "store/tf-io-buffer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "tempfile-glib.h"
#include "tf-test.h"

static GCancellable *cancelled_by_read; /* (unowned) (nullable) */

ssize_t __real_pread64 (int fd, void *data, size_t count, off64_t offset);
ssize_t __wrap_pread64 (int fd, void *data, size_t count, off64_t offset);

/* A short read, and the operation is cancelled during it. */
ssize_t
__wrap_pread64 (int     fd,
                void   *data,
                size_t  count,
                off64_t offset)
{
  if (cancelled_by_read == NULL)
    return __real_pread64 (fd, data, count, offset);

  g_cancellable_cancel (cancelled_by_read);
  return __real_pread64 (fd, data, MIN (count, 3), offset);
}

static TfTempFile *
create_with (const char *text)
{
  g_autoptr(GError) error = NULL;
  TfTempFile *file = tf_temp_file_new (NULL, NULL, &error);

  g_assert_no_error (error);
  tf_temp_file_write (file, text, strlen (text), NULL, &error);
  g_assert_no_error (error);
  return file;
}

static void
test_persist (void)
{
  g_autoptr(TfTempFile) file = create_with ("Hello");
  g_autofree char *path = g_build_filename (tf_test_get_sandbox (), "lasting", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GError) error = NULL;
  g_autofree char *content = NULL;
  char found;

  tf_temp_file_persist (file, destination, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);

  /* It has a name now: others see at once what is written, and what they do is seen. */
  g_assert_true (tf_temp_file_write (file, " there", 6, NULL, &error));
  g_assert_true (g_file_get_contents (path, &content, NULL, &error));
  g_assert_cmpstr (content, ==, "Hello there");

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error));
  g_assert_cmpint (tf_temp_file_read (file, &found, 1, NULL, &error), ==, 1);
  g_assert_cmpint (truncate (path, 1), ==, 0);
  g_assert_cmpint (tf_temp_file_read (file, &found, 1, NULL, &error), ==, 0);
  g_assert_no_error (error);
  g_assert_cmpint (unlink (path), ==, 0);
}

static void
test_seal (void)
{
  g_autoptr(TfTempFile) file = create_with ("Hello");
  g_autoptr(GError) error = NULL;
  char found[6] = "";
  int fd;

  if (tf_test_skip_if_portable ("sealed files"))
    return;

  fd = tf_temp_file_seal (file, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (read (fd, found, sizeof found), ==, 5);
  g_assert_cmpstr (found, ==, "Hello");
  close (fd);
}

static void
test_steal (void)
{
  g_autoptr(TfTempFile) file = create_with ("Hello");
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = tf_temp_file_steal_bytes (file, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "Hello", 5);
}

static void
test_reader (void)
{
  g_autoptr(TfTempFile) file = create_with ("Hello");
  g_autoptr(GError) error = NULL;
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (file, &error);
  char found[20];

  g_assert_no_error (error);
  g_assert_cmpint (g_input_stream_read (reader, found, sizeof found, NULL, &error), ==, 5);
  g_assert_cmpmem (found, 5, "Hello", 5);

  /* Written after the reader was opened, and read after the object is gone. */
  g_assert_true (tf_temp_file_write (file, " there", 6, NULL, &error));
  g_clear_object (&file);
  g_assert_cmpint (g_input_stream_read (reader, found, sizeof found, NULL, &error), ==, 6);
  g_assert_cmpmem (found, 6, " there", 6);
  g_assert_no_error (error);
}

static void
test_splice (void)
{
  g_autoptr(TfTempFile) from = create_with ("Hello");
  g_autoptr(TfTempFile) to = create_with ("Well. ");
  g_autoptr(GError) error = NULL;
  char found[20];

  g_assert_true (g_seekable_seek (G_SEEKABLE (from), 0, G_SEEK_SET, NULL, &error));
  g_output_stream_splice (g_io_stream_get_output_stream (G_IO_STREAM (to)),
                          g_io_stream_get_input_stream (G_IO_STREAM (from)),
                          G_OUTPUT_STREAM_SPLICE_NONE, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (tf_temp_file_write (to, "!", 1, NULL, &error));

  g_assert_true (g_seekable_seek (G_SEEKABLE (to), 0, G_SEEK_SET, NULL, &error));
  g_assert_cmpint (tf_temp_file_read (to, found, sizeof found, NULL, &error), ==, 12);
  g_assert_cmpmem (found, 12, "Well. Hello!", 12);
  g_assert_no_error (error);
}

/* Reading ahead fails, and nobody has asked for that. */
static void
test_read_ahead_fails (void)
{
  g_autofree char *text = g_strnfill (100000, 'x');
  g_autoptr(TfTempFile) file = create_with (text);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;
  char found[3];

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  cancelled_by_read = cancellable;
  g_assert_cmpint (tf_temp_file_read (file, found, 3, cancellable, &error), ==, 3);
  cancelled_by_read = NULL;
  g_assert_no_error (error);
  g_assert_cmpmem (found, 3, "xxx", 3);

  g_assert_cmpint (tf_temp_file_read (file, found, 3, cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
assert_child_succeeds (pid_t pid)
{
  int status;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

/* A child that lets go of its copy does not write over what the parent has put there since. */
static void
test_fork_and_close (void)
{
  g_autoptr(TfTempFile) file = create_with ("Hello");
  g_autoptr(GError) error = NULL;
  int ready[2];
  char token;
  pid_t pid;

  g_assert_cmpint (pipe (ready), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      g_assert_cmpint (read (ready[0], &token, 1), ==, 1);
      g_io_stream_close (G_IO_STREAM (file), NULL, &error);
      g_assert_no_error (error);
      _exit (EXIT_SUCCESS);
    }

  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 0, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (write (ready[1], "!", 1), ==, 1);
  assert_child_succeeds (pid);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 0);
  close (ready[0]);
  close (ready[1]);
}

/* One that goes on with it misses nothing that was written before the fork. */
static void
test_fork_and_write (void)
{
  g_autoptr(TfTempFile) file = create_with ("Hello");
  g_autoptr(GError) error = NULL;
  char found[20];
  pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      tf_temp_file_write (file, " there", 6, NULL, &error);
      g_output_stream_flush (g_io_stream_get_output_stream (G_IO_STREAM (file)), NULL, &error);
      g_assert_no_error (error);
      _exit (EXIT_SUCCESS);
    }

  assert_child_succeeds (pid);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 11);
  g_assert_cmpint (pread (tf_temp_file_get_fd (file, NULL, &error), found, sizeof found, 0), ==, 11);
  g_assert_cmpmem (found, 11, "Hello there", 11);
  g_assert_no_error (error);
}

static gboolean
write_at (TfIoBuffer *buffer,
          int         fd,
          goffset     offset)
{
  gsize n_written = 0;

  return tf_io_buffer_write (buffer, fd, NULL, offset, -1, "text", 4, &n_written, NULL, NULL) && n_written == 4;
}

/* A file that others can open is not asked for its size by who continues where it has written. */
static void
test_continued (void)
{
  TfIoBuffer *buffer = tf_io_buffer_new ();
  tf_autofd int fd = open ("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const int none = -1;

  g_assert_cmpint (unlink ("file"), ==, 0);
  g_assert_true (tf_io_buffer_prepare (buffer, 4));
  g_assert_true (write_at (buffer, fd, 0));
  g_assert_true (tf_io_buffer_settle (buffer, fd, NULL, NULL, NULL));

  for (int i = 0; i < 2; i++)
    g_assert_false (write_at (buffer, none, 5));
  g_assert_true (write_at (buffer, none, 4));
  g_assert_true (tf_io_buffer_is_dirty (buffer));
  tf_io_buffer_drop (buffer);

  /* Not if it is cut off in between. */
  tf_io_buffer_clip (buffer, 2);
  g_assert_false (write_at (buffer, none, 3));
  g_assert_true (write_at (buffer, fd, 3));
  g_assert_true (tf_io_buffer_is_dirty (buffer));
  tf_io_buffer_free (buffer);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/io-buffer/persist", test_persist);
  g_test_add_func ("/io-buffer/seal", test_seal);
  g_test_add_func ("/io-buffer/steal", test_steal);
  g_test_add_func ("/io-buffer/reader", test_reader);
  g_test_add_func ("/io-buffer/splice", test_splice);
  g_test_add_func ("/io-buffer/read-ahead-fails", test_read_ahead_fails);
  g_test_add_func ("/io-buffer/continued", test_continued);
  g_test_add_func ("/io-buffer/fork-and-close", test_fork_and_close);
  g_test_add_func ("/io-buffer/fork-and-write", test_fork_and_write);

  return tf_test_run ();
}
