/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "store/tf-backing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "names/tf-open.h"
#include "tf-test.h"

static void
assert_size (TfBacking *backing,
             goffset    expected)
{
  g_autoptr(GError) error = NULL;
  goffset size;

  g_assert_true (tf_backing_get_size (backing, &size, &error));
  g_assert_no_error (error);
  g_assert_cmpint (size, ==, expected);
}

static gboolean may_lose;
static guint n_asked;

gboolean __wrap_tf_system_may_lose (int fd);
int __wrap_tf_system_check_written (int fd);

int
__wrap_tf_system_check_written (int fd)
{
  n_asked++;
  return 0;
}

gboolean
__wrap_tf_system_may_lose (int fd)
{
  return may_lose;
}

static void
open_on_disk (TfBacking *backing)
{
  const TfTemplate here = { .dir = (char *) ".", .mode = 0600 };
  g_autoptr(GError) error = NULL;

  backing->fd = tf_open_unnamed (&here, NULL, &error);
  g_assert_no_error (error);
  backing->where = g_strdup ("/where");
}

static void
write_text (TfBacking  *backing,
            goffset     offset,
            const char *text)
{
  g_autoptr(GError) error = NULL;
  gsize n_written;

  if (tf_backing_is_in_memory (backing))
    g_assert_true (tf_memory_buffer_grow (&backing->memory, offset + strlen (text), G_MAXSSIZE, FALSE));
  g_assert_true (tf_backing_write (backing, offset, text, strlen (text), &n_written, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_written, ==, strlen (text));
}

static void
assert_content (TfBacking  *backing,
                goffset     offset,
                const char *content,
                gsize       size)
{
  g_autoptr(GError) error = NULL;
  char bytes[64];
  gsize n_read;

  g_assert_true (tf_backing_read (backing, offset, bytes, sizeof bytes, &n_read, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (bytes, n_read, content, size);
}

/* The same calls have the same results in memory and on disk. */
static void
test_same (gconstpointer data)
{
  g_auto(TfBacking) backing = TF_BACKING_INIT_IN_MEMORY;
  gboolean on_disk = GPOINTER_TO_INT (data);
  g_autoptr(GError) error = NULL;

  if (on_disk)
    open_on_disk (&backing);
  g_assert_true (tf_backing_is_in_memory (&backing) == !on_disk);
  assert_size (&backing, 0);
  assert_content (&backing, 0, "", 0);

  write_text (&backing, 0, "Hello world!");
  write_text (&backing, 14, "gap");
  assert_size (&backing, 17);
  assert_content (&backing, 0, "Hello world!\0\0gap", 17);
  assert_content (&backing, 14, "gap", 3);
  assert_content (&backing, 17, "", 0);
  assert_content (&backing, 1000, "", 0);

  g_assert_true (tf_backing_set_size (&backing, 5, &error));
  assert_size (&backing, 5);
  g_assert_true (tf_memory_buffer_grow (&backing.memory, 8, G_MAXSSIZE, FALSE));
  g_assert_true (tf_backing_set_size (&backing, 8, &error));
  assert_content (&backing, 0, "Hello\0\0\0", 8);
  g_assert_true (tf_backing_set_size (&backing, 0, &error));
  assert_content (&backing, 0, "", 0);
  g_assert_no_error (error);
}

static void
test_end_of_the_world (gconstpointer data)
{
  g_auto(TfBacking) backing = TF_BACKING_INIT_IN_MEMORY;

  if (GPOINTER_TO_INT (data))
    open_on_disk (&backing);

  write_text (&backing, 0, "Hello world!");
  assert_content (&backing, G_MAXINT64 - 1, "", 0);
  assert_content (&backing, G_MAXINT64, "", 0);
}

static void
test_full_disk (void)
{
  g_auto(TfBacking) backing = TF_BACKING_INIT_IN_MEMORY;
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) again = NULL;
  g_autoptr(GError) set_size_error = NULL;
  g_autofree char *text = g_strnfill (100, 'x');
  gsize n_written;

  open_on_disk (&backing);
  tf_test_limit_file_size (60);
  g_assert_false (tf_backing_write (&backing, 0, text, 100, &n_written, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, "write “/where”"));
  g_assert_cmpuint (n_written, ==, 60);
  assert_size (&backing, 60);

  g_assert_false (tf_backing_write (&backing, 60, text, 40, &n_written, NULL, &again));
  g_assert_error (again, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpuint (n_written, ==, 0);

  g_assert_false (tf_backing_set_size (&backing, 100, &set_size_error));
  g_assert_error (set_size_error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (set_size_error->message, "ftruncate “/where”"));
  assert_size (&backing, 60);

  tf_test_unlimit_file_size ();
  write_text (&backing, 60, text);
  assert_size (&backing, 160);
}

static void
test_refused (void)
{
  g_auto(TfBacking) unreadable = TF_BACKING_INIT_IN_MEMORY;
  g_auto(TfBacking) unwritable = TF_BACKING_INIT_IN_MEMORY;
  g_autoptr(GError) read_error = NULL;
  g_autoptr(GError) write_error = NULL;
  char byte = 'x';
  gsize n = 9;

  unreadable.fd = open ("/dev/null", O_WRONLY | O_CLOEXEC);
  g_assert_false (tf_backing_read (&unreadable, 0, &byte, 1, &n, NULL, &read_error));
  g_assert_error (read_error, G_IO_ERROR, (gint) g_io_error_from_errno (EBADF));
  g_assert_cmpuint (n, ==, 0);

  unwritable.fd = open ("/dev/full", O_WRONLY | O_CLOEXEC);
  n = 9;
  g_assert_false (tf_backing_write (&unwritable, 0, &byte, 1, &n, NULL, &write_error));
  g_assert_error (write_error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpuint (n, ==, 0);
}

static void
test_cancelled (void)
{
  g_auto(TfBacking) backing = TF_BACKING_INIT_IN_MEMORY;
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) read_error = NULL;
  g_autoptr(GError) write_error = NULL;
  char byte = 'x';
  gsize n = 9;

  open_on_disk (&backing);
  g_cancellable_cancel (cancellable);
  g_assert_false (tf_backing_read (&backing, 0, &byte, 1, &n, cancellable, &read_error));
  g_assert_error (read_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (n, ==, 0);
  g_assert_false (tf_backing_write (&backing, 0, &byte, 1, &n, cancellable, &write_error));
  g_assert_error (write_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (n, ==, 0);
  assert_size (&backing, 0);
}

static void
test_shared (void)
{
  g_auto(TfBacking) backing = TF_BACKING_INIT_IN_MEMORY;
  g_autoptr(GError) error = NULL;
  goffset offset = 99;

  open_on_disk (&backing);
  write_text (&backing, 0, "0123456789");
  tf_backing_get_offset (&backing, &offset);
  g_assert_cmpint (offset, ==, 99);

  g_assert_true (tf_backing_share (&backing, 4, &error));
  g_assert_no_error (error);
  tf_backing_get_offset (&backing, &offset);
  g_assert_cmpint (offset, ==, 4);

  /* The descriptor's own offset counts. */
  g_assert_cmpint (lseek (backing.fd, 7, SEEK_SET), ==, 7);
  assert_content (&backing, 7, "789", 3);
  tf_backing_get_offset (&backing, &offset);
  g_assert_cmpint (offset, ==, 10);
  write_text (&backing, 10, "!");
  tf_backing_get_offset (&backing, &offset);
  g_assert_cmpint (offset, ==, 11);

  g_assert_false (tf_backing_share (&backing, -1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

static void
test_close (void)
{
  g_auto(TfBacking) memory = TF_BACKING_INIT_IN_MEMORY;
  g_auto(TfBacking) disk = TF_BACKING_INIT_IN_MEMORY;
  g_auto(TfBacking) lost = TF_BACKING_INIT_IN_MEMORY;
  g_autoptr(GError) error = NULL;

  write_text (&memory, 0, "Hello");
  g_assert_true (tf_backing_close (&memory, &error));
  g_assert_null (memory.memory.data);

  open_on_disk (&disk);
  g_assert_true (tf_backing_close (&disk, &error));
  g_assert_no_error (error);
  g_assert_cmpint (disk.fd, ==, -1);
  g_assert_null (disk.where);

  open_on_disk (&lost);
  g_assert_cmpint (close (lost.fd), ==, 0);
  g_assert_false (tf_backing_close (&lost, &error));
  g_assert_error (error, G_IO_ERROR, (gint) g_io_error_from_errno (EBADF));
  g_assert_nonnull (strstr (error->message, "close “/where”"));
  g_assert_cmpint (lost.fd, ==, -1);
}

/* A file that is shorter than it should be, on a file system that says an error once, and not to who asks last */
static void
test_lost (void)
{
  const struct { goffset known_size; goffset left; gboolean may_lose; gboolean is_lost; } cases[] = {
    { 10, 10, TRUE, FALSE },
    { 10, 5, FALSE, FALSE },
    { 10, 5, TRUE, TRUE },
    { -1, 5, TRUE, FALSE },
    { -1, 0, TRUE, TRUE },
    { -1, 0, FALSE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(TfBacking) backing = TF_BACKING_INIT_IN_MEMORY;
      g_autoptr(GError) error = NULL;
      gsize n_written;

      open_on_disk (&backing);
      backing.disk_size = MIN (cases[i].known_size, 0);
      g_assert_true (tf_backing_write (&backing, 0, "0123456789", 10, &n_written, NULL, NULL));
      g_assert_cmpint (ftruncate (backing.fd, cases[i].left), ==, 0);
      may_lose = cases[i].may_lose;
      g_assert_cmpint (tf_backing_confirm (&backing, &error), ==, !cases[i].is_lost);
      if (cases[i].is_lost)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);

      n_asked = 0;
      g_assert_true (tf_backing_set_size (&backing, 0, NULL));
      g_assert_cmpuint (n_asked, ==, cases[i].may_lose ? 1 : 0);
      g_assert_true (tf_backing_confirm (&backing, NULL));
      may_lose = FALSE;
    }
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_data_func ("/backing/same/memory", GINT_TO_POINTER (FALSE), test_same);
  g_test_add_data_func ("/backing/same/disk", GINT_TO_POINTER (TRUE), test_same);
  g_test_add_data_func ("/backing/end-of-the-world/memory", GINT_TO_POINTER (FALSE), test_end_of_the_world);
  g_test_add_data_func ("/backing/end-of-the-world/disk", GINT_TO_POINTER (TRUE), test_end_of_the_world);
  g_test_add_func ("/backing/full-disk", test_full_disk);
  g_test_add_func ("/backing/refused", test_refused);
  g_test_add_func ("/backing/cancelled", test_cancelled);
  g_test_add_func ("/backing/shared", test_shared);
  g_test_add_func ("/backing/close", test_close);
  g_test_add_func ("/backing/lost", test_lost);

  return tf_test_run ();
}
