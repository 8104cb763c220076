/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/tf-file.h"
#include "tf-test-disk.h"
#include "tf-test-files.h"
#include "tf-test.h"

#define N_WRITES 4000
#define MIB (1024 * 1024)

/* What fallocate() fails with, how often, and what it has taken from the disk by then. The linker puts this
 * function in place of the C library's. */
static int failure;
static guint n_failures;
static goffset taken;
static guint n_calls;
static GCancellable *cancelled_meanwhile;
static int failed_fd;
static const char *appended_to; /* (nullable): a path */

int __real_fallocate64 (int fd, int mode, off64_t offset, off64_t length);
int __wrap_fallocate64 (int fd, int mode, off64_t offset, off64_t length);

static void
append (const char *path)
{
  int fd = open (path, O_WRONLY | O_APPEND | O_CLOEXEC);

  g_assert_cmpint (write (fd, " World", 6), ==, 6);
  close (fd);
}

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
  failed_fd = fd;
  if (taken > 0)
    g_assert_cmpint (__real_fallocate64 (fd, mode, offset, taken), ==, 0);
  if (appended_to != NULL)
    append (appended_to);
  g_cancellable_cancel (cancelled_meanwhile);
  errno = failure;
  return -1;
}

static TfTempFile *
make (gboolean on_disk)
{
  g_autoptr(GError) error = NULL;
  TfTempFile *file;

  if (!on_disk)
    return TF_TEMP_FILE (tf_spooled_file_new (-1));

  file = tf_temp_file_new (NULL, NULL, &error);
  g_assert_no_error (error);
  return file;
}

static void
write_text (TfTempFile *file,
            const char *text)
{
  g_autoptr(GError) error = NULL;

  tf_temp_file_write (file, text, strlen (text), NULL, &error);
  g_assert_no_error (error);
}

static void
on_finished (GObject      *source,
             GAsyncResult *result,
             gpointer      user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static GAsyncResult *
wait_for (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);

  return *result;
}

static void
test_write_read (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, &error);
  g_autoptr(GBytes) bytes = NULL;

  g_assert_no_error (error);
  g_assert_true (tf_temp_file_write (file, "Hello world!", 12, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 12);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 6, G_SEEK_SET, NULL, &error));
  bytes = tf_temp_file_read_bytes (file, G_MAXSIZE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "world!", 6);

  g_assert_finalize_object (g_steal_pointer (&file));
}

static void
assert_tries_to_write (TfTempFile *file,
                       gsize       size,
                       gboolean    expected)
{
  g_autofree char *data = g_malloc0 (size);
  goffset position = g_seekable_tell (G_SEEKABLE (file));

  g_assert_cmpint (tf_temp_file_try_write (file, data, size), ==, expected);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, expected ? position + (goffset) size : position);
}

static void
test_try_write (void)
{
  g_autoptr(TfTempFile) bounded = TF_TEMP_FILE (tf_spooled_file_new (10));
  g_autoptr(TfTempFile) fresh = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(TfTempFile) on_disk = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(TfTempFile) named = TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, NULL));
  g_autoptr(TfTempFile) in_memory = TF_TEMP_FILE (tf_spooled_file_new (-1));

  assert_tries_to_write (in_memory, 6, TRUE);
  g_assert_false (tf_temp_file_try_write (in_memory, NULL, 0));
  g_assert_cmpint (tf_temp_file_get_size (in_memory), ==, 6);
  assert_tries_to_write (in_memory, 1 << 20, TRUE);
  assert_tries_to_write (in_memory, (1 << 20) + 1, FALSE);
  tf_test_seek (in_memory, 2 << 20, G_SEEK_SET);
  assert_tries_to_write (in_memory, 1, FALSE);

  assert_tries_to_write (bounded, 11, FALSE);
  assert_tries_to_write (bounded, 10, TRUE);
  assert_tries_to_write (bounded, 1, FALSE);
  g_assert_false (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (bounded)));

  tf_set_memory_budget (1);
  assert_tries_to_write (fresh, 100 * 1024, FALSE);
  tf_set_memory_budget (0);
  assert_tries_to_write (fresh, 100 * 1024, TRUE);

  write_text (on_disk, "Hello");
  assert_tries_to_write (on_disk, 1, TRUE);
  assert_tries_to_write (on_disk, 1 << 20, FALSE);

  write_text (named, "Hello");
  assert_tries_to_write (named, 1, FALSE);

  g_io_stream_close (G_IO_STREAM (in_memory), NULL, NULL);
  g_assert_false (tf_temp_file_try_write (in_memory, "x", 1));
}

/* What is in memory, what was read ahead and what is held back; not what others can change. */
static void
test_try_read (void)
{
  g_autoptr(TfTempFile) on_disk = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(TfTempFile) named = TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, NULL));
  g_autoptr(TfTempFile) in_memory = TF_TEMP_FILE (tf_spooled_file_new (-1));
  TfTempFile *files[] = { in_memory, on_disk, named };
  char buffer[8];
  gsize n;

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      gboolean is_there = files[i] != named;

      write_text (files[i], "Hello");
      tf_test_seek (files[i], 0, G_SEEK_SET);
      g_assert_false (tf_temp_file_try_read (files[i], buffer, 0, &n));
      g_assert_false (tf_temp_file_try_read (files[i], NULL, 0, &n));
      g_assert_cmpint (tf_temp_file_try_read (files[i], buffer, 4, &n), ==, is_there);
      g_assert_cmpuint (n, ==, is_there ? 4 : 0);
      if (is_there)
        g_assert_cmpmem (buffer, 4, "Hell", 4);
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (files[i])), ==, is_there ? 4 : 0);
      g_assert_cmpint (tf_temp_file_try_read (files[i], buffer, 6, &n), ==, files[i] == in_memory);
      g_assert_cmpuint (n, ==, files[i] == in_memory ? 1 : 0);
    }

  /* At the end, and behind it */
  g_assert_true (tf_temp_file_try_read (in_memory, buffer, 1, &n));
  g_assert_cmpuint (n, ==, 0);
  tf_test_seek (in_memory, 10, G_SEEK_SET);
  g_assert_true (tf_temp_file_try_read (in_memory, buffer, 1, &n));
  g_assert_cmpuint (n, ==, 0);

  /* What line reading has read ahead of a file that others can open is old when it is read. */
  g_assert_cmpint (tf_temp_file_fill (named, 5, NULL, NULL), ==, 5);
  g_assert_false (tf_temp_file_try_read (named, buffer, 1, &n));

  g_io_stream_close (G_IO_STREAM (in_memory), NULL, NULL);
  g_assert_false (tf_temp_file_try_read (in_memory, buffer, 1, &n));
}

static void
assert_reads_line (TfTempFile *file,
                   gsize       size,
                   const char *expected)
{
  goffset position = g_seekable_tell (G_SEEKABLE (file));
  char buffer[8];
  gsize n;

  g_assert_cmpint (tf_temp_file_try_read_line (file, buffer, size, &n), ==, expected != NULL);
  g_assert_cmpuint (n, ==, expected != NULL ? strlen (expected) : 0);
  if (expected != NULL)
    g_assert_cmpmem (buffer, n, expected, n);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, position + (goffset) n);
}

/* Whole lines that fit, of what is in memory or read ahead */
static void
assert_reads_lines (TfTempFile *file,
                    gboolean    is_there)
{
  write_text (file, "one\n\ntwo");
  tf_test_seek (file, 0, G_SEEK_SET);
  if (!is_there)
    {
      assert_reads_line (file, 8, NULL);
      g_assert_cmpint (tf_temp_file_fill (file, 8, NULL, NULL), ==, 8);
    }
  assert_reads_line (file, 0, NULL);
  assert_reads_line (file, 3, NULL);
  assert_reads_line (file, 4, "one\n");
  assert_reads_line (file, 8, "\n");
  assert_reads_line (file, 8, NULL);

  tf_test_seek (file, 0, G_SEEK_END);
  assert_reads_line (file, 8, NULL);
  g_io_stream_close (G_IO_STREAM (file), NULL, NULL);
  assert_reads_line (file, 8, NULL);
}

static void
assert_reads_lines_of_each (void)
{
  g_autoptr(TfTempFile) on_disk = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(TfTempFile) named = TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, NULL));
  g_autoptr(TfTempFile) in_memory = TF_TEMP_FILE (tf_spooled_file_new (-1));

  assert_reads_lines (in_memory, TRUE);
  assert_reads_lines (on_disk, TRUE);
  assert_reads_lines (named, FALSE);
}

static gpointer
do_nothing (gpointer data)
{
  return data;
}

/* The process takes another way as soon as it has a second thread. */
static void
test_try_read_line (void)
{
  assert_reads_lines_of_each ();
  g_thread_join (g_thread_new ("second", do_nothing, NULL));
  assert_reads_lines_of_each ();
}

/* Who has the descriptor as well may move the position. */
static void
test_try_seek (void)
{
  g_autoptr(TfTempFile) on_disk = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(TfTempFile) named = TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, NULL));
  g_autoptr(TfTempFile) in_memory = TF_TEMP_FILE (tf_spooled_file_new (-1));
  TfTempFile *files[] = { in_memory, on_disk, named };
  gsize available;
  int fd;

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      write_text (files[i], "Hello");
      g_assert_true (tf_temp_file_try_seek (files[i], 1, G_SEEK_SET));
      g_assert_true (tf_temp_file_try_seek (files[i], 2, G_SEEK_CUR));
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (files[i])), ==, 3);
      g_assert_false (tf_temp_file_try_seek (files[i], -4, G_SEEK_CUR));
      g_assert_false (tf_temp_file_try_seek (files[i], -1, G_SEEK_SET));
      g_assert_false (tf_temp_file_try_seek (files[i], 0, G_SEEK_END));
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (files[i])), ==, 3);
    }

  /* What was read ahead is old afterwards. */
  g_assert_true (tf_temp_file_try_seek (named, 0, G_SEEK_SET));
  g_assert_cmpint (tf_temp_file_fill (named, 5, NULL, NULL), ==, 5);
  fd = open (tf_named_file_get_path (TF_NAMED_FILE (named)), O_WRONLY | O_CLOEXEC);
  g_assert_cmpint (pwrite (fd, "World", 5, 0), ==, 5);
  g_assert_cmpint (close (fd), ==, 0);
  g_assert_true (tf_temp_file_try_seek (named, 1, G_SEEK_SET));
  g_assert_null (tf_temp_file_peek (named, &available));
  g_assert_cmpint (tf_temp_file_fill (named, 4, NULL, NULL), ==, 4);
  g_assert_cmpmem (tf_temp_file_peek (named, &available), 4, "orld", 4);

  /* The descriptor has the position. */
  g_assert_cmpint (tf_temp_file_get_fd (on_disk, NULL, NULL), >=, 0);
  g_assert_false (tf_temp_file_try_seek (on_disk, 0, G_SEEK_SET));
  g_io_stream_close (G_IO_STREAM (in_memory), NULL, NULL);
  g_assert_false (tf_temp_file_try_seek (in_memory, 0, G_SEEK_SET));
}

/* Of what is not closed without waiting, nothing is changed. */
static void
test_try_close (void)
{
  g_autoptr(TfTempFile) in_memory = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(TfTempFile) on_disk = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(TfTempFile) rolled_over = TF_TEMP_FILE (tf_spooled_file_new (1));
  g_autoptr(TfTempFile) large = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(TfTempFile) with_stream = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(TfTempFile) pending = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(TfTempFile) named = TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, NULL));
  TfTempFile *files[] = { on_disk, rolled_over, large, with_stream, pending, named };

  write_text (in_memory, "Hello");
  g_assert_true (tf_temp_file_try_close (in_memory));
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (in_memory)));
  g_assert_false (tf_temp_file_try_close (in_memory));
  g_assert_true (g_io_stream_close (G_IO_STREAM (in_memory), NULL, NULL));

  g_assert_true (g_seekable_truncate (G_SEEKABLE (large), 1024 * 1024 + 1, NULL, NULL));
  tf_test_seek (large, 0, G_SEEK_SET);
  g_assert_nonnull (g_io_stream_get_output_stream (G_IO_STREAM (with_stream)));
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    write_text (files[i], "Hello");
  g_assert_true (g_io_stream_set_pending (G_IO_STREAM (pending), NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_assert_false (tf_temp_file_try_close (files[i]));
      g_assert_false (g_io_stream_is_closed (G_IO_STREAM (files[i])));
      g_assert_cmpint (tf_temp_file_get_size (files[i]), ==, files[i] == large ? 1024 * 1024 + 1 : 5);
    }
  g_io_stream_clear_pending (G_IO_STREAM (pending));
  g_assert_true (tf_temp_file_try_close (pending));
}

static void
test_try_read_line_shared (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);

  write_text (file, "one\ntwo\n");
  tf_test_seek (file, 0, G_SEEK_SET);
  g_assert_cmpint (tf_temp_file_get_fd (file, NULL, NULL), >=, 0);
  g_assert_cmpint (tf_temp_file_fill (file, 8, NULL, NULL), ==, 8);
  assert_reads_line (file, 8, NULL);
}

static void
test_not_initialized (void)
{
  g_autoptr(TfTempFile) file = g_object_new (TF_TYPE_TEMP_FILE, NULL);
  g_autoptr(GError) error = NULL;
  gsize n_read;
  char byte;

  g_assert_false (tf_temp_file_try_write (file, "x", 1));
  g_assert_false (tf_temp_file_try_read (file, &byte, 1, &n_read));
  g_assert_false (tf_temp_file_try_read_line (file, &byte, 1, &n_read));
  g_assert_false (tf_temp_file_write (file, "x", 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
}

static void
assert_sealed (int         fd,
               const char *expected)
{
  const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  g_autofree char *content = g_malloc0 (strlen (expected) + 2);
  int no_exec = memfd_create ("probe", 0x0008U);
  struct stat st;

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 0);
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (fcntl (fd, F_GET_SEALS) & seals, ==, seals);
  g_assert_cmpint (fstat (fd, &st), ==, 0);
  g_assert_cmpint (st.st_size, ==, strlen (expected));
  g_assert_cmpint (read (fd, content, strlen (expected) + 1), ==, strlen (expected));
  g_assert_cmpstr (content, ==, expected);
  g_assert_cmpint (pwrite (fd, "x", 1, 0), ==, -1);
  g_assert_cmpint (errno, ==, EPERM);
  g_assert_cmpint (ftruncate (fd, st.st_size + 1), ==, -1);
  if (no_exec >= 0)
    {
      g_assert_cmpint (st.st_mode & 0111, ==, 0);
      close (no_exec);
    }
  close (fd);
}

static void
test_seal (gconstpointer on_disk)
{
  g_autoptr(TfTempFile) file = make (on_disk != NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) dropped = NULL;
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("sealed files"))
    {
      g_assert_cmpint (tf_temp_file_seal (file, NULL, &error), ==, -1);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
      return;
    }

  assert_sealed (tf_temp_file_seal (file, NULL, &error), "");
  g_assert_no_error (error);
  write_text (file, "Hello");
  assert_sealed (tf_temp_file_seal (file, NULL, &error), "Hello");
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 5);
  write_text (file, "!");

  tf_temp_file_seal_async (file, 0, NULL, on_finished, &result);
  assert_sealed (tf_temp_file_seal_finish (file, wait_for (&result), &error), "Hello!");
  g_assert_no_error (error);

  /* A descriptor nobody asks for is closed: the count of descriptors at the end shows it. */
  tf_temp_file_seal_async (file, 0, NULL, on_finished, &dropped);
  wait_for (&dropped);

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_assert_cmpint (tf_temp_file_seal (file, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
assert_bytes (GBytes     *bytes,
              const char *expected)
{
  g_assert_nonnull (bytes);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), expected, strlen (expected));
}

/* Where there are no files without a name, its name has the parts that were asked for, for a moment. */
static void
test_new_full (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = tf_temp_file_new_full ("p-", ".s", NULL, 0640, NULL, &error);
  g_autoptr(TfTempFile) none = NULL;
  struct stat st;

  g_assert_no_error (error);
  g_assert_cmpint (fstat (tf_temp_file_get_fd (file, NULL, NULL), &st), ==, 0);
  g_assert_cmphex (st.st_mode & 0777 & ~0640, ==, 0);
  g_assert_cmphex (st.st_mode & 0600, ==, 0600);

  none = tf_temp_file_new_full ("a/b", NULL, NULL, 0600, NULL, &error);
  g_assert_null (none);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME);
}

static void
test_steal (gconstpointer on_disk)
{
  g_autoptr(TfTempFile) file = make (on_disk != NULL);
  g_autoptr(GInputStream) reader = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GBytes) again = NULL;
  g_autoptr(GError) error = NULL;
  char buffer[8] = "";

  write_text (file, "Hello");
  reader = tf_temp_file_open_reader (file, &error);
  bytes = tf_temp_file_steal_bytes (file, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (file)));

  again = tf_temp_file_steal_bytes (file, NULL, &error);
  g_assert_null (again);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);

  g_assert_finalize_object (g_steal_pointer (&file));
  assert_bytes (bytes, "Hello");
  g_assert_cmpint (g_input_stream_read (reader, buffer, 8, NULL, NULL), ==, 5);
  g_assert_cmpstr (buffer, ==, "Hello");
  g_clear_object (&reader);
  assert_bytes (bytes, "Hello");
}

static void
test_steal_same_pointer (void)
{
  const gsize sizes[] = { 1, 1000, 3 * MIB };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr(TfTempFile) file = make (FALSE);
      g_autofree char *content = g_malloc0 (sizes[i]);
      g_autoptr(GBytes) bytes = NULL;
      gconstpointer before;

      g_assert_true (tf_temp_file_write (file, content, sizes[i], NULL, NULL));
      before = tf_file_get_store (file)->backing.memory.data;
      bytes = tf_temp_file_steal_bytes (file, NULL, NULL);
      g_assert_true (g_bytes_get_data (bytes, NULL) == before);
      g_assert_cmpuint (g_bytes_get_size (bytes), ==, sizes[i]);
      g_assert_finalize_object (g_steal_pointer (&file));
    }
}

static void
test_steal_empty (gconstpointer on_disk)
{
  g_autoptr(TfTempFile) file = make (on_disk != NULL);
  g_autoptr(GBytes) bytes = tf_temp_file_steal_bytes (file, NULL, NULL);

  assert_bytes (bytes, "");
}

static void
test_steal_named (void)
{
  g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  g_autoptr(GBytes) bytes = NULL;

  write_text (TF_TEMP_FILE (file), "Hello");
  bytes = tf_temp_file_steal_bytes (TF_TEMP_FILE (file), NULL, NULL);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
  g_assert_finalize_object (g_steal_pointer (&file));
  assert_bytes (bytes, "Hello");
}

static void
test_steal_async (void)
{
  g_autoptr(TfTempFile) file = make (FALSE);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GError) error = NULL;

  write_text (file, "Hello");
  tf_temp_file_steal_bytes_async (file, 0, NULL, on_finished, &result);
  bytes = tf_temp_file_steal_bytes_finish (file, wait_for (&result), &error);
  g_assert_no_error (error);
  assert_bytes (bytes, "Hello");
}

static void
read_expecting (GInputStream *reader,
                const char   *expected)
{
  g_autoptr(GError) error = NULL;
  char buffer[64] = "";
  gsize n_read;

  g_input_stream_read_all (reader, buffer, sizeof buffer - 1, &n_read, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (buffer, ==, expected);
}

static void
test_reader (gconstpointer on_disk)
{
  g_autoptr(TfTempFile) file = make (on_disk != NULL);
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (file, NULL);
  char byte[1];
  g_autoptr(GInputStream) other = NULL;
  g_autoptr(GInputStream) none = NULL;
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  read_expecting (reader, "");
  write_text (file, "Hello");
  read_expecting (reader, "Hello");
  read_expecting (reader, "");
  write_text (file, " world");
  other = tf_temp_file_open_reader (file, NULL);
  read_expecting (reader, " world");
  read_expecting (other, "Hello world");
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 11);

  g_assert_true (g_seekable_seek (G_SEEKABLE (reader), -5, G_SEEK_END, NULL, NULL));
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (reader)), ==, 6);
  read_expecting (reader, "world");
  g_assert_false (g_seekable_seek (G_SEEKABLE (reader), -1, G_SEEK_SET, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_false (g_seekable_can_truncate (G_SEEKABLE (reader)));

  /* Cancelled, it does not move. */
  g_assert_true (g_seekable_seek (G_SEEKABLE (reader), 5, G_SEEK_SET, NULL, NULL));
  g_cancellable_cancel (cancellable);
  g_assert_cmpint (g_input_stream_read (reader, byte, 1, cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (reader)), ==, 5);

  /* Behind the end there is nothing to read or skip. */
  g_assert_cmpint (g_input_stream_skip (reader, 4, NULL, NULL), ==, 4);
  g_assert_cmpint (g_input_stream_skip (reader, 4, NULL, NULL), ==, 2);
  g_assert_true (g_seekable_seek (G_SEEKABLE (reader), 100, G_SEEK_SET, NULL, NULL));
  g_assert_cmpint (g_input_stream_skip (reader, 1, NULL, NULL), ==, 0);
  g_assert_cmpint (g_input_stream_read (reader, byte, 1, NULL, NULL), ==, 0);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (reader)), ==, 100);

  /* A descriptor that was handed out has its offset; readers do not move it. On disk from now on. */
  g_assert_cmpint (tf_temp_file_get_fd (file, NULL, NULL), >=, 0);
  g_assert_true (g_seekable_seek (G_SEEKABLE (other), 0, G_SEEK_SET, NULL, NULL));
  read_expecting (other, "Hello world");
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 11);

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  none = tf_temp_file_open_reader (file, &error);
  g_assert_null (none);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_true (g_seekable_seek (G_SEEKABLE (other), 6, G_SEEK_SET, NULL, NULL));
  read_expecting (other, "world");
}

/* The descriptor goes with the last reader. */
static void
test_reader_lets_go (void)
{
  guint n_fds = tf_test_count_fds ();
  g_autoptr(TfTempFile) file = make (TRUE);
  g_autoptr(GInputStream) first = tf_temp_file_open_reader (file, NULL);
  g_autoptr(GInputStream) last = tf_temp_file_open_reader (file, NULL);

  g_clear_object (&file);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds + 1);
  g_clear_object (&first);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds + 1);
  g_assert_true (g_input_stream_close (last, NULL, NULL));
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
}

/* Every byte tells its place, so that a torn or stale read shows. */
static gpointer
read_in_thread (gpointer data)
{
  g_autoptr(GInputStream) reader = data;
  guint32 expected = 0;
  guint32 word;
  gsize n_read;

  while (expected < N_WRITES)
    {
      g_assert_true (g_input_stream_read_all (reader, &word, sizeof word, &n_read, NULL, NULL));
      g_assert_true (n_read == 0 || n_read == sizeof word);
      if (n_read == 0)
        continue;

      g_assert_cmpuint (word, ==, expected);
      expected++;
    }

  return NULL;
}

static void
test_reader_in_thread (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (N_WRITES * 2);
  GThread *threads[2];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, read_in_thread, tf_temp_file_open_reader (TF_TEMP_FILE (file), NULL));

  for (guint32 i = 0; i < N_WRITES; i++)
    g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), &i, sizeof i, NULL, NULL));

  g_assert_true (tf_spooled_file_is_rolled_over (file));
  g_clear_object (&file);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

static void
test_reserve (void)
{
  g_autoptr(TfTempFile) file = make (TRUE);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  gboolean reserved;
  struct stat st;

  write_text (file, "Hello");
  reserved = tf_temp_file_reserve (file, MIB, NULL, &error);
  if (!reserved)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 5);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 5);
  g_assert_cmpint (fstat (tf_temp_file_get_fd (file, NULL, NULL), &st), ==, 0);
  if (reserved && tf_test_disk_tells_room ())
    g_assert_cmpint (st.st_blocks * 512, >=, MIB);

  /* No disk has room for that, and nothing of it stays taken. */
  g_assert_false (tf_temp_file_reserve (file, G_GINT64_CONSTANT (1) << 60, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);
  g_assert_cmpint (fstat (tf_temp_file_get_fd (file, NULL, NULL), &st), ==, 0);
  g_assert_cmpint (st.st_blocks * 512, <=, 2 * MIB);

  g_assert_false (tf_temp_file_reserve (file, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);

  tf_temp_file_reserve_async (file, 0, 0, NULL, on_finished, &result);
  g_assert_true (tf_temp_file_reserve_finish (file, wait_for (&result), &error));
  g_assert_no_error (error);
}

static void
test_reserve_in_memory (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (1000);
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_reserve (TF_TEMP_FILE (file), 1000, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (tf_spooled_file_is_rolled_over (file));
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (file)), ==, 0);
  if (!tf_temp_file_reserve (TF_TEMP_FILE (file), 1001, NULL, &error))
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_assert_true (tf_spooled_file_is_rolled_over (file));
}

/* What was reserved in memory is reserved on the disk as well, or the file stays in memory. */
static void
test_reserve_before_rollover (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("reserving"))
    return;

  write_text (TF_TEMP_FILE (file), "Hello");
  g_assert_true (tf_temp_file_reserve (TF_TEMP_FILE (file), MIB, NULL, NULL));
  failure = ENOSPC;
  n_failures = 2;
  g_assert_false (tf_spooled_file_rollover (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpuint (n_failures, ==, 0);
  g_assert_false (tf_spooled_file_is_rolled_over (file));
  g_clear_error (&error);

  /* A disk that cannot do that takes the content all the same. */
  failure = EOPNOTSUPP;
  n_failures = 1;
  tf_spooled_file_rollover (file, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_failures, ==, 0);
  g_assert_true (tf_spooled_file_is_rolled_over (file));
}

/* As on disk, the size is all that truncating leaves. */
static void
test_reserve_and_truncate (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);

  write_text (TF_TEMP_FILE (file), "Hello");
  g_assert_true (tf_temp_file_reserve (TF_TEMP_FILE (file), MIB, NULL, NULL));
  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 3, NULL, NULL));
  n_calls = 0;
  g_assert_true (tf_spooled_file_rollover (file, NULL, NULL));
  g_assert_cmpuint (n_calls, ==, 0);
}

static TfTempFile *
make_failing (int     saved_errno,
              guint   how_often,
              goffset how_much)
{
  TfTempFile *file = make (TRUE);

  write_text (file, "Hello");
  failure = saved_errno;
  n_failures = how_often;
  taken = how_much;
  n_calls = 0;
  return file;
}

/* Of the file for which the last call has failed. */
static goffset
get_room (void)
{
  struct stat st;

  g_assert_cmpint (fstat (failed_fd, &st), ==, 0);
  return st.st_blocks * 512;
}

static gboolean
sets_room_aside (void)
{
  g_autoptr(TfTempFile) file = make (TRUE);

  return fallocate (tf_temp_file_get_fd (file, NULL, NULL), FALLOC_FL_KEEP_SIZE, 0, 1) == 0;
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
test_reserve_unsupported (void)
{
  const int unsupported[] = { EOPNOTSUPP, ENOSYS };

  for (guint i = 0; i < G_N_ELEMENTS (unsupported); i++)
    {
      g_autoptr(TfTempFile) file = make_failing (unsupported[i], 1, 0);
      g_autoptr(GError) error = NULL;

      g_assert_false (tf_temp_file_reserve (file, MIB, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
      g_assert_nonnull (strstr (error->message, "fallocate"));
      g_assert_nonnull (strstr (error->message, tf_test_get_sandbox ()));
      g_assert_cmpuint (n_calls, ==, tf_test_is_portable () ? 0 : 1);
      assert_untouched (file);
    }
}

/* It cannot, and there is no room either: that is the error then, and nothing is tried. */
static void
test_reserve_without_room (void)
{
  gboolean is_told = tf_test_disk_tells_free_room ();
  int code = is_told ? G_IO_ERROR_NO_SPACE : G_IO_ERROR_NOT_SUPPORTED;
  g_autoptr(TfTempFile) file = make_failing (EOPNOTSUPP, 1, 0);
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_temp_file_reserve (file, G_GINT64_CONSTANT (1) << 60, NULL, &error));
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_nonnull (strstr (error->message, tf_test_get_sandbox ()));
  g_assert_cmpuint (n_calls, ==, is_told ? 0 : 1);
  assert_untouched (file);
}

/* Others take the last room meanwhile: what the call got by then is given back. */
static void
test_reserve_gives_back (void)
{
  g_autoptr(TfTempFile) file = NULL;
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("a call that sets room aside"))
    return;

  if (!sets_room_aside ())
    {
      g_test_skip ("This file system sets no room aside");
      return;
    }

  file = make_failing (ENOSPC, 1, 4 * MIB);
  g_assert_false (tf_temp_file_reserve (file, 8 * MIB, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpint (get_room (), <, MIB);
  assert_untouched (file);
}

/* What another program appends meanwhile is not cut off. */
static void
test_reserve_beside_others (void)
{
  g_autoptr(TfNamedFile) file = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("a call that sets room aside"))
    return;

  file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  write_text (TF_TEMP_FILE (file), "Hello");
  failure = ENOSPC;
  n_failures = 1;
  taken = 0;
  appended_to = tf_named_file_get_path (file);
  g_assert_false (tf_temp_file_reserve (TF_TEMP_FILE (file), 8 * MIB, NULL, &error));
  appended_to = NULL;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  bytes = tf_temp_file_load_bytes (TF_TEMP_FILE (file), NULL, NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "Hello World", 11);
}

static void
test_reserve_interrupted (void)
{
  gboolean tells_room = tf_test_disk_tells_room ();
  g_autoptr(TfTempFile) file = make_failing (EINTR, 3, 0);
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("a call that sets room aside"))
    return;

  if (!tf_temp_file_reserve (file, MIB, NULL, &error))
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  else if (tells_room)
    g_assert_cmpint (get_room (), >=, MIB);
  g_assert_cmpuint (n_calls, ==, 4);
  assert_untouched (file);
}

static void
test_reserve_cancelled (void)
{
  g_autoptr(TfTempFile) file = make_failing (EINTR, G_MAXUINT, 0);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("a call that sets room aside"))
    return;

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
  gpointer on_disk = GINT_TO_POINTER (TRUE);

  tf_test_init (&argc, &argv);
  tf_test_start_worker ();

  g_test_add_func ("/temp-file/new-full", test_new_full);
  g_test_add_func ("/temp-file/write-read", test_write_read);
  g_test_add_func ("/temp-file/try-read", test_try_read);
  g_test_add_func ("/temp-file/try-read-line", test_try_read_line);
  g_test_add_func ("/temp-file/try-seek", test_try_seek);
  g_test_add_func ("/temp-file/try-close", test_try_close);
  g_test_add_func ("/temp-file/try-read-line/shared", test_try_read_line_shared);
  g_test_add_func ("/temp-file/try-write", test_try_write);
  g_test_add_func ("/temp-file/not-initialized", test_not_initialized);
  g_test_add_data_func ("/temp-file/seal/memory", NULL, test_seal);
  g_test_add_data_func ("/temp-file/seal/disk", on_disk, test_seal);
  g_test_add_data_func ("/temp-file/steal/memory", NULL, test_steal);
  g_test_add_data_func ("/temp-file/steal/disk", on_disk, test_steal);
  g_test_add_data_func ("/temp-file/steal/empty/memory", NULL, test_steal_empty);
  g_test_add_data_func ("/temp-file/steal/empty/disk", on_disk, test_steal_empty);
  g_test_add_func ("/temp-file/steal/same-pointer", test_steal_same_pointer);
  g_test_add_func ("/temp-file/steal/named", test_steal_named);
  g_test_add_func ("/temp-file/steal/async", test_steal_async);
  g_test_add_data_func ("/temp-file/reader/memory", NULL, test_reader);
  g_test_add_data_func ("/temp-file/reader/disk", on_disk, test_reader);
  g_test_add_func ("/temp-file/reader/lets-go", test_reader_lets_go);
  g_test_add_func ("/temp-file/reader/thread", test_reader_in_thread);
  g_test_add_func ("/temp-file/reserve", test_reserve);
  g_test_add_func ("/temp-file/reserve/memory", test_reserve_in_memory);
  g_test_add_func ("/temp-file/reserve/before-rollover", test_reserve_before_rollover);
  g_test_add_func ("/temp-file/reserve/and-truncate", test_reserve_and_truncate);
  g_test_add_func ("/temp-file/reserve/unsupported", test_reserve_unsupported);
  g_test_add_func ("/temp-file/reserve/unsupported/without-room", test_reserve_without_room);
  g_test_add_func ("/temp-file/reserve/gives-back", test_reserve_gives_back);
  g_test_add_func ("/temp-file/reserve/beside-others", test_reserve_beside_others);
  g_test_add_func ("/temp-file/reserve/interrupted", test_reserve_interrupted);
  g_test_add_func ("/temp-file/reserve/interrupted/cancelled", test_reserve_cancelled);

  return tf_test_run ();
}
