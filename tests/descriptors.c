/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test-disk.h"
#include "tf-test-files.h"
#include "tf-test.h"

/* What another process sees by this path. */
static void
assert_seen (const char *path,
             const char *expected)
{
  g_autofree char *content = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_true (g_file_get_contents (path, &content, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (content, ==, expected);
}

/* What is in the file, seen without asking the object, which would write what is held back. */
static void
assert_written (int         fd,
                const char *expected)
{
  char content[100];
  gssize n = pread (fd, content, sizeof content, 0);

  g_assert_cmpint (n, >=, 0);
  g_assert_cmpmem (content, n, expected, strlen (expected));
}

static int
next_fd (void)
{
  int fd = dup (STDIN_FILENO);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (close (fd), ==, 0);
  return fd;
}

static void
test_flush_unnamed (void)
{
  int fd = next_fd ();
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = tf_temp_file_new (tf_test_get_sandbox (), NULL, &error);

  g_assert_no_error (error);
  tf_test_write (file, "Hello");
  assert_written (fd, "");
  g_assert_true (tf_temp_file_flush (file, NULL, &error));
  g_assert_no_error (error);
  assert_written (fd, "Hello");

  /* It goes on holding back. */
  tf_test_write (file, " world");
  assert_written (fd, "Hello");
  g_assert_true (tf_temp_file_flush (file, NULL, NULL));
  assert_written (fd, "Hello world");
}

static void
test_flush_refused (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = tf_temp_file_new (tf_test_get_sandbox (), NULL, &error);

  tf_test_write (file, "Hello");
  tf_test_limit_file_size (3);
  g_assert_false (tf_temp_file_flush (file, NULL, &error));
  tf_test_unlimit_file_size ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);

  g_assert_true (tf_temp_file_flush (file, NULL, &error));
  g_assert_no_error (error);
  tf_test_assert_file (file, 5, "Hello", 5);
}

static void
test_flush (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_flush (file, NULL, &error));
  tf_test_write (file, "Hello");
  g_assert_true (tf_temp_file_flush (file, NULL, &error));
  g_assert_no_error (error);
  tf_test_assert_file (file, 5, "Hello", 5);

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_assert_false (tf_temp_file_flush (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
test_dup (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GError) error = NULL;
  char buffer[8];
  int fd;

  tf_test_write (file, "Hello");
  fd = tf_temp_file_dup_fd (file, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (fd, >, STDERR_FILENO);
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (fd, !=, tf_temp_file_get_fd (file, NULL, NULL));

  /* One position. */
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 5);
  tf_test_seek (file, 1, G_SEEK_SET);
  g_assert_cmpint (read (fd, buffer, 2), ==, 2);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 3);

  /* It is the caller's. */
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_assert_cmpint (pread (fd, buffer, sizeof buffer, 0), ==, 5);
  g_assert_cmpmem (buffer, 5, "Hello", 5);
  g_assert_cmpint (close (fd), ==, 0);

  g_assert_cmpint (tf_temp_file_dup_fd (file, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
test_dup_full_table (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GError) error = NULL;
  int fd;

  g_assert_cmpint (tf_temp_file_get_fd (file, NULL, NULL), >=, 0);
  tf_test_take_fds ();
  g_assert_cmpint (tf_temp_file_dup_fd (file, NULL, &error), ==, -1);
  tf_test_give_all_fds ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_clear_error (&error);

  fd = tf_temp_file_dup_fd (file, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (close (fd), ==, 0);
}

static void
test_cancelled (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  GError *errors[3] = { NULL, };

  g_cancellable_cancel (cancellable);
  g_assert_cmpint (tf_temp_file_get_fd (file, cancellable, &errors[0]), ==, -1);
  g_assert_cmpint (tf_temp_file_dup_fd (file, cancellable, &errors[1]), ==, -1);
  g_assert_null (tf_temp_file_get_fd_path (file, cancellable, &errors[2]));
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_assert_error (errors[i], G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&errors[i]);
    }

  if (TF_IS_SPOOLED_FILE (file) && ((const TfTestKind *) data)->max_size != 0)
    g_assert_false (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));
}

/* The kind of the file that the asynchronous tests use. */
static const TfTestKind *async_kind;

static void
async_calls (void)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (async_kind);
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;
  g_autoptr(GAsyncResult) place = NULL;
  int fd;
  int duplicate;

  tf_test_write (file, "Hello");
  tf_temp_file_flush_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &place);
  g_assert_true (tf_temp_file_flush_finish (file, tf_test_wait (&place), &error));
  g_assert_no_error (error);

  g_clear_object (&place);
  tf_temp_file_get_fd_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &place);
  fd = tf_temp_file_get_fd_finish (file, tf_test_wait (&place), &error);
  g_assert_no_error (error);
  g_assert_cmpint (fd, ==, tf_temp_file_get_fd (file, NULL, NULL));

  g_clear_object (&place);
  tf_temp_file_get_fd_path_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &place);
  path = tf_temp_file_get_fd_path_finish (file, tf_test_wait (&place), &error);
  if (tf_test_is_portable ())
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
      g_clear_error (&error);
    }
  else
    {
      g_assert_no_error (error);
      if (tf_test_disk_reopens ())
        assert_seen (path, "Hello");
    }

  g_clear_object (&place);
  tf_temp_file_dup_fd_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &place);
  duplicate = tf_temp_file_dup_fd_finish (file, tf_test_wait (&place), &error);
  g_assert_no_error (error);
  g_assert_cmpint (duplicate, >, STDERR_FILENO);
  g_assert_cmpint (close (duplicate), ==, 0);

  /* A descriptor that nobody asks for is closed. */
  duplicate = next_fd ();
  g_clear_object (&place);
  tf_temp_file_dup_fd_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &place);
  tf_test_wait (&place);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
}

static void
test_async (void)
{
  for (async_kind = tf_test_kinds; async_kind->name != NULL; async_kind++)
    async_calls ();
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  g_test_add_func ("/descriptors/flush/unnamed", test_flush_unnamed);
  g_test_add_func ("/descriptors/flush/refused", test_flush_refused);
  tf_test_add_for_kinds ("descriptors", "flush", test_flush);
  tf_test_add_for_kinds ("descriptors", "dup", test_dup);
  tf_test_add_for_kinds ("descriptors", "dup-full-table", test_dup_full_table);
  tf_test_add_for_kinds ("descriptors", "cancelled", test_cancelled);
  tf_test_add_async ("/descriptors/async", test_async);

  return tf_test_run ();
}
