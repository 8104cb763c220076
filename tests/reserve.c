/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "tf-test.h"

#define MIB (1024 * 1024)

/* What fallocate() fails with, how often, and what it has taken from the disk by then. The linker puts this
 * function in place of the C library's. */
static int failure;
static guint n_failures;
static goffset taken;
static guint n_calls;
static GCancellable *cancelled_meanwhile;

int __real_fallocate64 (int fd, int mode, off64_t offset, off64_t length);
int __wrap_fallocate64 (int fd, int mode, off64_t offset, off64_t length);

int
__wrap_fallocate64 (int     fd,
                    int     mode,
                    off64_t offset,
                    off64_t length)
{
  n_calls++;
  if (n_failures == 0)
    return __real_fallocate64 (fd, mode, offset, length);

  n_failures--;
  if (taken > 0)
    g_assert_cmpint (__real_fallocate64 (fd, mode, offset, taken), ==, 0);
  g_cancellable_cancel (cancelled_meanwhile);
  errno = failure;
  return -1;
}

static TfTempFile *
make (int     saved_errno,
      guint   how_often,
      goffset how_much)
{
  g_autoptr(GError) error = NULL;
  TfTempFile *file = tf_temp_file_new (NULL, NULL, &error);

  g_assert_no_error (error);
  tf_temp_file_write (file, "Hello", 5, NULL, &error);
  g_assert_no_error (error);

  failure = saved_errno;
  n_failures = how_often;
  taken = how_much;
  n_calls = 0;
  return file;
}

static goffset
get_room (TfTempFile *file)
{
  struct stat st;

  g_assert_cmpint (fstat (tf_temp_file_get_fd (file, NULL, NULL), &st), ==, 0);
  return st.st_blocks * 512;
}

/* Size, content and position are as they were, and writing goes on. */
static void
assert_untouched (TfTempFile *file)
{
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (tf_temp_file_get_size (file), ==, 5);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 5);
  tf_temp_file_write (file, "!", 1, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  bytes = tf_temp_file_read_bytes (file, G_MAXSIZE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "Hello!", 6);
}

/* The file system cannot set room aside: there is room now, and the error says that this is all. */
static void
test_unsupported (void)
{
  const int unsupported[] = { EOPNOTSUPP, ENOSYS };

  for (guint i = 0; i < G_N_ELEMENTS (unsupported); i++)
    {
      g_autoptr(TfTempFile) file = make (unsupported[i], 1, 0);
      g_autoptr(GError) error = NULL;

      g_assert_false (tf_temp_file_reserve (file, MIB, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
      g_assert_nonnull (strstr (error->message, "fallocate"));
      g_assert_nonnull (strstr (error->message, tf_test_get_sandbox ()));
      g_assert_cmpuint (n_calls, ==, 1);
      assert_untouched (file);
    }
}

/* It cannot, and there is no room either: that is the error then, and nothing is tried. */
static void
test_unsupported_without_room (void)
{
  g_autoptr(TfTempFile) file = make (EOPNOTSUPP, 1, 0);
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_temp_file_reserve (file, G_GINT64_CONSTANT (1) << 60, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, tf_test_get_sandbox ()));
  g_assert_cmpuint (n_calls, ==, 0);
  assert_untouched (file);
}

/* Others take the last room meanwhile: what the call got by then is given back. */
static void
test_gives_back (void)
{
  g_autoptr(TfTempFile) file = make (ENOSPC, 0, 4 * MIB);
  goffset before = get_room (file);
  g_autoptr(GError) error = NULL;

  if (fallocate (tf_temp_file_get_fd (file, NULL, NULL), FALLOC_FL_KEEP_SIZE, 0, 1) != 0 && errno == EOPNOTSUPP)
    {
      g_test_skip ("This file system sets no room aside");
      return;
    }

  n_failures = 1;
  g_assert_false (tf_temp_file_reserve (file, 8 * MIB, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpint (get_room (file), <, before + MIB);
  assert_untouched (file);
}

static void
test_interrupted (void)
{
  g_autoptr(TfTempFile) file = make (EINTR, 3, 0);
  g_autoptr(GError) error = NULL;

  if (!tf_temp_file_reserve (file, MIB, NULL, &error))
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  else
    g_assert_cmpint (get_room (file), >=, MIB);
  g_assert_cmpuint (n_calls, ==, 4);
  assert_untouched (file);
}

static void
test_interrupted_and_cancelled (void)
{
  g_autoptr(TfTempFile) file = make (EINTR, G_MAXUINT, 0);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  cancelled_meanwhile = cancellable;
  g_assert_false (tf_temp_file_reserve (file, MIB, cancellable, &error));
  cancelled_meanwhile = NULL;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (n_calls, ==, 1);
  assert_untouched (file);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/reserve/unsupported", test_unsupported);
  g_test_add_func ("/reserve/unsupported/without-room", test_unsupported_without_room);
  g_test_add_func ("/reserve/gives-back", test_gives_back);
  g_test_add_func ("/reserve/interrupted", test_interrupted);
  g_test_add_func ("/reserve/interrupted/cancelled", test_interrupted_and_cancelled);

  return tf_test_run ();
}
