/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What splicing gives has to be what GIO's own splicing gives, from each kind of source to each kind of target. */

#include <tempfile-glib.h>

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <glib-unix.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test-files.h"
#include "tf-test.h"

#define BOTH (G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE | G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET)

/* The linker puts these in the place of the system calls. */
int __real_fstatfs64 (int fd, struct statfs *fs);
int __wrap_fstatfs64 (int fd, struct statfs *fs);
ssize_t __real_copy_file_range (int from, off_t *from_offset, int to, off_t *to_offset, size_t count, unsigned int flags);
ssize_t __wrap_copy_file_range (int from, off_t *from_offset, int to, off_t *to_offset, size_t count, unsigned int flags);

off_t __real_lseek64 (int fd, off_t offset, int whence);
off_t __wrap_lseek64 (int fd, off_t offset, int whence);

static gboolean is_unknown;
static int fixed_fd = -1; /* its offset cannot be set */
static gint n_copies;

/* The type of the file system decides whether the kernel is asked to copy. */
int
__wrap_fstatfs64 (int            fd,
                  struct statfs *fs)
{
  int result = __real_fstatfs64 (fd, fs);

  if (is_unknown)
    fs->f_type = 0;
  return result;
}

off_t
__wrap_lseek64 (int   fd,
                off_t offset,
                int   whence)
{
  if (fd != fixed_fd || whence != SEEK_SET)
    return __real_lseek64 (fd, offset, whence);

  errno = EIO;
  return -1;
}

ssize_t
__wrap_copy_file_range (int           from,
                        off_t        *from_offset,
                        int           to,
                        off_t        *to_offset,
                        size_t        count,
                        unsigned int  flags)
{
  g_atomic_int_inc (&n_copies);
  return __real_copy_file_range (from, from_offset, to, to_offset, count, flags);
}

typedef GInputStream *(*SourceFunc) (GBytes *bytes);

static GFile *
write_file (GBytes *bytes)
{
  g_autofree char *path = tf_test_path ("source");
  g_autoptr(GError) error = NULL;

  g_file_set_contents (path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), &error);
  g_assert_no_error (error);
  return g_file_new_for_path (path);
}

static GInputStream *
from_file (GBytes *bytes)
{
  g_autoptr(GFile) file = write_file (bytes);
  GInputStream *stream = G_INPUT_STREAM (g_file_read (file, NULL, NULL));

  g_assert_true (g_file_delete (file, NULL, NULL));
  return stream;
}

static GInputStream *
from_unix_file (GBytes *bytes)
{
  g_autoptr(GFile) file = write_file (bytes);
  int fd = open (g_file_peek_path (file), O_RDONLY | O_CLOEXEC);

  g_assert_true (g_file_delete (file, NULL, NULL));
  return g_unix_input_stream_new (fd, TRUE);
}

static gpointer
fill_pipe (gpointer data)
{
  g_autoptr(GBytes) bytes = g_object_steal_data (data, "bytes");
  int fd = GPOINTER_TO_INT (g_object_get_data (data, "fd"));
  gsize size;
  const char *next = g_bytes_get_data (bytes, &size);

  while (size > 0)
    {
      gssize n = write (fd, next, size);

      g_assert_cmpint (n, >, 0);
      next += n;
      size -= n;
    }
  close (fd);
  g_object_unref (data);
  return NULL;
}

static GInputStream *
from_pipe (GBytes *bytes)
{
  GInputStream *stream;
  int fds[2];

  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  stream = g_unix_input_stream_new (fds[0], TRUE);
  g_object_set_data (G_OBJECT (stream), "bytes", g_bytes_ref (bytes));
  g_object_set_data (G_OBJECT (stream), "fd", GINT_TO_POINTER (fds[1]));
  g_thread_unref (g_thread_new ("pipe", fill_pipe, g_object_ref (stream)));
  return stream;
}

static GInputStream *
from_memory (GBytes *bytes)
{
  return g_memory_input_stream_new_from_bytes (bytes);
}

static GInputStream *
from_converter (GBytes *bytes)
{
  g_autoptr(GConverter) charset = G_CONVERTER (g_charset_converter_new ("ISO-8859-1", "ISO-8859-1", NULL));
  g_autoptr(GInputStream) base = from_file (bytes);

  return g_converter_input_stream_new (base, charset);
}

static GInputStream *
from_ours (GBytes *bytes,
           gint64  max_size)
{
  TfSpooledFile *file = tf_spooled_file_new (max_size);
  GInputStream *stream = g_object_ref (g_io_stream_get_input_stream (G_IO_STREAM (file)));

  g_assert_true (tf_temp_file_write_bytes (TF_TEMP_FILE (file), bytes, NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  g_object_set_data_full (G_OBJECT (stream), "file", file, g_object_unref);
  return stream;
}

static GInputStream *
from_ours_in_memory (GBytes *bytes)
{
  return from_ours (bytes, -1);
}

static GInputStream *
from_ours_on_disk (GBytes *bytes)
{
  return from_ours (bytes, 0);
}

static GInputStream *
from_ours_shared (GBytes *bytes)
{
  GInputStream *stream = from_ours (bytes, 0);

  g_assert_cmpint (tf_temp_file_get_fd (g_object_get_data (G_OBJECT (stream), "file"), NULL, NULL), >=, 0);
  return stream;
}

static const SourceFunc sources[] = {
  from_file, from_unix_file, from_pipe, from_memory, from_converter,
  from_ours_in_memory, from_ours_on_disk, from_ours_shared,
};

static gssize
run_splice (GOutputStream             *target,
            GInputStream              *source,
            GOutputStreamSpliceFlags   flags,
            gboolean                   async,
            GCancellable              *cancellable,
            GError                   **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  if (!async)
    return g_output_stream_splice (target, source, flags, cancellable, error);

  g_output_stream_splice_async (target, source, flags, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, &result);
  return g_output_stream_splice_finish (target, tf_test_wait (&result), error);
}

static GBytes *
read_all (TfTempFile *file)
{
  GBytes *bytes;

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  bytes = tf_temp_file_read_bytes (file, G_MAXSIZE, NULL, NULL);
  g_assert_nonnull (bytes);
  return bytes;
}

static void
assert_is_start_of (TfTempFile *file,
                    GBytes     *bytes)
{
  g_autoptr(GBytes) expected = g_bytes_new_from_bytes (bytes, 0, tf_temp_file_get_size (file));
  g_autoptr(GBytes) found = NULL;

  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, tf_temp_file_get_size (file));
  found = read_all (file);
  g_assert_true (g_bytes_equal (found, expected));
}

/* Splices behind a few bytes and a gap, from the middle of the source. */
static void
check (SourceFunc  source_func,
       GBytes     *bytes,
       gint64      max_size,
       gboolean    shared,
       gboolean    async)
{
  g_autoptr(GInputStream) source = source_func (bytes);
  g_autoptr(GInputStream) reference_source = g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr(GOutputStream) reference = g_memory_output_stream_new_resizable ();
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (max_size));
  g_autoptr(GBytes) expected = NULL;
  g_autoptr(GBytes) found = NULL;
  g_autoptr(GError) error = NULL;
  GOutputStream *targets[] = { g_io_stream_get_output_stream (G_IO_STREAM (file)), reference };
  gssize n;

  for (gsize i = 0; i < G_N_ELEMENTS (targets); i++)
    {
      g_assert_true (g_output_stream_write_all (targets[i], "behind", 6, NULL, NULL, NULL));
      g_assert_true (g_seekable_seek (G_SEEKABLE (targets[i]), 5, G_SEEK_CUR, NULL, NULL));
    }
  if (shared)
    g_assert_cmpint (tf_temp_file_get_fd (file, NULL, NULL), >=, 0);

  g_assert_cmpint (g_input_stream_skip (source, 3, NULL, NULL), ==, g_input_stream_skip (reference_source, 3, NULL, NULL));

  n = run_splice (targets[0], source, BOTH, async, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (n, ==, g_output_stream_splice (reference, reference_source, BOTH, NULL, NULL));
  g_assert_true (g_input_stream_is_closed (source));
  g_assert_true (g_output_stream_is_closed (targets[0]));
  g_assert_false (g_io_stream_is_closed (G_IO_STREAM (file)));

  expected = g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (reference));
  g_assert_cmpint (tf_temp_file_get_size (file), ==, g_bytes_get_size (expected));
  if (n > 0)
    g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, g_bytes_get_size (expected));
  if (!shared)
    g_assert_cmpint (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)), ==,
                     max_size >= 0 && tf_temp_file_get_size (file) > max_size);
  found = read_all (file);
  g_assert_true (g_bytes_equal (found, expected));

  /* The file has its stream, and the stream was given its file. */
  g_object_set_data (G_OBJECT (source), "file", NULL);
}

static void
check_size (gsize size)
{
  g_autoptr(GBytes) bytes = tf_test_make_bytes (size);

  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      for (gboolean async = FALSE; async <= TRUE; async++)
        {
          check (sources[i], bytes, -1, FALSE, async);
          check (sources[i], bytes, 8, FALSE, async);
          check (sources[i], bytes, 300000, FALSE, async);
          check (sources[i], bytes, -1, TRUE, async);
        }
    }
}

static void
test_small (void)
{
  check_size (3);
  check_size (4);
  check_size (10007);
}

static void
test_large (void)
{
  check_size ((1 << 20) + 1);
}

/* More than one piece for the kernel. */
static void
test_pieces (void)
{
  g_autoptr(GBytes) bytes = tf_test_make_bytes ((20 << 20) + 5);

  check (from_file, bytes, -1, FALSE, FALSE);
  check (from_file, bytes, 0, FALSE, TRUE);
  check (from_ours_in_memory, bytes, 0, FALSE, TRUE);
  check (from_ours_on_disk, bytes, -1, FALSE, FALSE);
}

/* Files of which nobody knows the size before they are read. */
static void
test_proc (void)
{
  g_autoptr(GFile) proc = g_file_new_for_path ("/proc/self/status");
  g_autoptr(GInputStream) source = G_INPUT_STREAM (g_file_read (proc, NULL, NULL));
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (0));
  GOutputStream *target = g_io_stream_get_output_stream (G_IO_STREAM (file));

  g_assert_nonnull (source);
  g_assert_cmpint (g_output_stream_splice (target, source, 0, NULL, NULL), >, 100);
}

static gssize
splice_to_itself (GIOStream *stream,
                  gboolean   async)
{
  g_autoptr(GBytes) bytes = tf_test_make_bytes ((1 << 20) + 5);
  GOutputStream *target = g_io_stream_get_output_stream (stream);
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  g_assert_true (g_output_stream_write_all (target, data, size, NULL, NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (stream), 0, G_SEEK_SET, NULL, NULL));
  return run_splice (target, g_io_stream_get_input_stream (stream), 0, async, NULL, NULL);
}

/* Where one file is both ends, the pieces show, which are as large as those of a file of GIO. */
static void
check_own (gboolean async)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autofree char *path = tf_test_path ("itself");
  g_autoptr(GFile) model = g_file_new_for_path (path);
  g_autoptr(GFileIOStream) stream = g_file_create_readwrite (model, G_FILE_CREATE_NONE, NULL, NULL);
  g_autoptr(GBytes) found = NULL;
  g_autoptr(GBytes) expected = NULL;

  g_assert_cmpint (splice_to_itself (G_IO_STREAM (file), async), ==, splice_to_itself (G_IO_STREAM (stream), async));
  found = read_all (file);
  expected = g_file_load_bytes (model, NULL, NULL, NULL);
  g_assert_true (g_bytes_equal (found, expected));
  g_assert_true (g_file_delete (model, NULL, NULL));
}

static void
test_own (void)
{
  check_own (FALSE);
  check_own (TRUE);
}

static void
on_rolled_over (TfSpooledFile *file,
                gpointer       cancellable)
{
  g_cancellable_cancel (cancellable);
}

/* Cancelled when it was half done, by the signal that the file went to disk. */
static void
check_cancelled_in_the_middle (gboolean async)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (1 << 20));
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GBytes) bytes = tf_test_make_bytes (4 << 20);
  g_autoptr(GInputStream) source = from_memory (bytes);
  g_autoptr(GError) error = NULL;

  g_signal_connect (file, "rolled-over", G_CALLBACK (on_rolled_over), cancellable);
  g_assert_cmpint (run_splice (g_io_stream_get_output_stream (G_IO_STREAM (file)), source, BOTH, async, cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (g_input_stream_is_closed (source));

  g_assert_cmpint (tf_temp_file_get_size (file), >, 1 << 20);
  g_assert_cmpint (tf_temp_file_get_size (file), <, 4 << 20);
  assert_is_start_of (file, bytes);
}

static void
test_cancelled_in_the_middle (void)
{
  check_cancelled_in_the_middle (FALSE);
  check_cancelled_in_the_middle (TRUE);
}

/* The disk refuses what is beyond @limit; all before it has been moved. */
static void
check_failed (SourceFunc                source_func,
              GBytes                   *bytes,
              gsize                     limit,
              GOutputStreamSpliceFlags  flags,
              gboolean                  async)
{
  g_autoptr(GInputStream) source = source_func (bytes);
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (0));
  g_autoptr(GError) error = NULL;
  GOutputStream *target = g_io_stream_get_output_stream (G_IO_STREAM (file));
  gssize n;

  tf_test_limit_file_size (limit);
  n = run_splice (target, source, flags, async, NULL, &error);
  tf_test_unlimit_file_size ();

  g_assert_cmpint (n, ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpint (g_input_stream_is_closed (source), ==, flags == BOTH);
  g_assert_cmpint (g_output_stream_is_closed (target), ==, flags == BOTH);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, limit);
  assert_is_start_of (file, bytes);

  g_object_set_data (G_OBJECT (source), "file", NULL);
}

static void
test_failed (void)
{
  /* Not the pipe: its writer would be killed with what nobody reads any more. */
  const SourceFunc refused[] = {
    from_file, from_unix_file, from_memory, from_converter, from_ours_in_memory, from_ours_on_disk, from_ours_shared,
  };
  g_autoptr(GBytes) bytes = tf_test_make_bytes (1 << 20);

  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      for (gboolean async = FALSE; async <= TRUE; async++)
        {
          check_failed (refused[i], bytes, 0, 0, async);
          check_failed (refused[i], bytes, 600001, 0, async);
          check_failed (refused[i], bytes, 600001, BOTH, async);
        }
    }
}

/* Where the file system may have a better way than to read and write. */
static void
test_copied_by_kernel (void)
{
  if (tf_test_skip_if_portable ("a call that copies"))
    return;

  is_unknown = TRUE;
  g_atomic_int_set (&n_copies, 0);
  test_large ();
  test_failed ();
  g_assert_cmpint (g_atomic_int_get (&n_copies), >, 0);
  is_unknown = FALSE;
}

/* An asynchronous one that waits for a pipe which stays silent. */
static void
test_cancelled_while_waiting (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GInputStream) source = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  GOutputStream *target = g_io_stream_get_output_stream (G_IO_STREAM (file));
  int fds[2];

  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  source = g_unix_input_stream_new (fds[0], TRUE);
  g_assert_cmpint (write (fds[1], "some", 4), ==, 4);
  g_output_stream_splice_async (target, source, 0, 0, cancellable, tf_test_take_result, &result);
  while (tf_temp_file_get_size (file) < 4)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);

  g_cancellable_cancel (cancellable);
  g_assert_cmpint (g_output_stream_splice_finish (target, tf_test_wait (&result), &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 4);
  g_assert_false (g_output_stream_is_closed (target));
  close (fds[1]);
}

/* More sources than there are workers wait for another program, and take nothing from who does not. */
static void
test_many_waiting (void)
{
  enum { N_SOURCES = 12 };
  g_autofree char *path = tf_test_path ("fifo");
  g_autoptr(GFile) fifo = g_file_new_for_path (path);
  g_autoptr(GBytes) bytes = tf_test_make_bytes (100);
  g_autoptr(GInputStream) ready = from_file (bytes);
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  TfTempFile *files[N_SOURCES];
  GAsyncResult *results[N_SOURCES] = { NULL, };
  int fd;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  fd = open (path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  for (guint i = 0; i < N_SOURCES; i++)
    {
      g_autoptr(GInputStream) source = G_INPUT_STREAM (g_file_read (fifo, NULL, NULL));

      files[i] = TF_TEMP_FILE (tf_spooled_file_new (-1));
      g_output_stream_splice_async (g_io_stream_get_output_stream (G_IO_STREAM (files[i])), source, 0, 0, NULL,
                                    tf_test_take_result, &results[i]);
    }
  g_assert_true (g_file_delete (fifo, NULL, NULL));

  g_assert_cmpint (run_splice (g_io_stream_get_output_stream (G_IO_STREAM (file)), ready, 0, TRUE, NULL, NULL), ==, 100);

  close (fd);
  for (guint i = 0; i < N_SOURCES; i++)
    {
      g_autoptr(GError) error = NULL;
      GOutputStream *target = g_io_stream_get_output_stream (G_IO_STREAM (files[i]));

      g_assert_cmpint (g_output_stream_splice_finish (target, tf_test_wait (&results[i]), &error), ==, 0);
      g_assert_no_error (error);
      g_clear_object (&results[i]);
      g_object_unref (files[i]);
    }
}

/* The target refuses: of a source that can seek, nothing is lost. */
static void
test_refused (void)
{
  g_autofree char *dir = tf_test_path ("missing");
  g_autoptr(TfTempFile) file = g_object_new (TF_TYPE_SPOOLED_FILE, "max-size", (gint64) 4, "dir", dir, NULL);
  g_autoptr(GBytes) bytes = tf_test_make_bytes (100);
  g_autoptr(GInputStream) source = from_file (bytes);
  g_autoptr(GError) error = NULL;
  GOutputStream *target = g_io_stream_get_output_stream (G_IO_STREAM (file));

  g_assert_cmpint (run_splice (target, source, 0, FALSE, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (source)), ==, 0);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 0);
}

/* The disk refuses what was written before: of the source, nothing is lost. */
static void
test_held_back_refused (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (0));
  g_autoptr(GBytes) bytes = g_bytes_new_static ("content", 7);
  g_autoptr(GInputStream) source = from_file (bytes);
  g_autoptr(GError) error = NULL;
  GOutputStream *target = g_io_stream_get_output_stream (G_IO_STREAM (file));

  g_assert_true (g_output_stream_write_all (target, "before, ", 8, NULL, NULL, NULL));
  tf_test_limit_file_size (0);
  g_assert_cmpint (run_splice (target, source, 0, FALSE, NULL, &error), ==, -1);
  tf_test_unlimit_file_size ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (source)), ==, 0);
  tf_test_assert_file (file, 8, "before, ", 8);

  g_assert_cmpint (run_splice (target, source, 0, FALSE, NULL, NULL), ==, 7);
  tf_test_assert_file (file, 15, "before, content", 15);
}

/* A cancelled call takes nothing from a source that does not look at the cancellable. */
static void
test_cancelled_before (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GBytes) bytes = tf_test_make_bytes (300000);
  g_autoptr(GInputStream) source = g_memory_input_stream_new_from_bytes (bytes);
  GOutputStream *target = g_io_stream_get_output_stream (G_IO_STREAM (file));

  g_cancellable_cancel (cancellable);
  for (int is_async = 0; is_async < 2; is_async++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_cmpint (run_splice (target, source, 0, is_async, cancellable, &error), ==, -1);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (source)), ==, 0);
      g_assert_cmpint (tf_temp_file_get_size (file), ==, 0);
    }
}

/* A source that gives some bytes and then fails without an error, as a method of a binding does that throws one. The
 * derived class does the same asynchronously. */
typedef struct
{
  GInputStream parent_instance;
  guint n_pieces;
} Silent;

typedef GInputStreamClass SilentClass;
typedef Silent SilentAsync;
typedef GInputStreamClass SilentAsyncClass;

GType silent_get_type (void);
GType silent_async_get_type (void);

G_DEFINE_TYPE (Silent, silent, G_TYPE_INPUT_STREAM)
G_DEFINE_TYPE (SilentAsync, silent_async, silent_get_type ())

static gssize
silent_read (GInputStream  *stream,
             void          *buffer,
             gsize          count,
             GCancellable  *cancellable,
             GError       **error)
{
  Silent *self = (Silent *) stream;

  if (self->n_pieces == 3)
    return -1;

  self->n_pieces++;
  memset (buffer, 'a', 10);
  return 10;
}

static void
silent_read_async (GInputStream        *stream,
                   void                *buffer,
                   gsize                count,
                   int                  io_priority,
                   GCancellable        *cancellable,
                   GAsyncReadyCallback  callback,
                   gpointer             user_data)
{
  g_autoptr(GTask) task = g_task_new (stream, cancellable, callback, user_data);

  g_task_return_int (task, silent_read (stream, buffer, count, NULL, NULL));
}

static gssize
silent_read_finish (GInputStream  *stream,
                    GAsyncResult  *result,
                    GError       **error)
{
  return g_task_propagate_int (G_TASK (result), NULL);
}

static void
silent_class_init (SilentClass *klass)
{
  klass->read_fn = silent_read;
}

static void
silent_init (Silent *self)
{
}

static void
silent_async_class_init (SilentAsyncClass *klass)
{
  klass->read_async = silent_read_async;
  klass->read_finish = silent_read_finish;
}

static void
silent_async_init (SilentAsync *self)
{
}

/* A failure is not taken for the end, and what was moved before is there. */
static void
check_silent (GType                    source_type,
              GOutputStreamSpliceFlags flags,
              gboolean                 async)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GInputStream) source = g_object_new (source_type, NULL);
  g_autoptr(GError) error = NULL;
  GOutputStream *target = g_io_stream_get_output_stream (G_IO_STREAM (file));

  g_assert_cmpint (run_splice (target, source, flags, async, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 30);
  g_assert_cmpint (g_input_stream_is_closed (source), ==, flags == BOTH);
  g_assert_cmpint (g_output_stream_is_closed (target), ==, flags == BOTH);
}

static void
test_silent (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      check_silent (silent_get_type (), 0, async);
      check_silent (silent_get_type (), BOTH, async);
      check_silent (silent_async_get_type (), 0, async);
      check_silent (silent_async_get_type (), BOTH, async);
    }
}

/* As in GIO, the target is closed all the same. */
static void
check_pending (SourceFunc source_func,
               gboolean   async)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GBytes) bytes = tf_test_make_bytes (100);
  g_autoptr(GInputStream) source = source_func (bytes);
  g_autoptr(GError) error = NULL;
  GOutputStream *target = g_io_stream_get_output_stream (G_IO_STREAM (file));

  g_assert_true (g_input_stream_set_pending (source, NULL));
  g_assert_cmpint (run_splice (target, source, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, async, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_assert_true (g_output_stream_is_closed (target));
  g_input_stream_clear_pending (source);
  g_object_set_data (G_OBJECT (source), "file", NULL);
}

static void
test_pending (void)
{
  check_pending (from_file, FALSE);
  check_pending (from_file, TRUE);
  check_pending (from_ours_in_memory, FALSE);
  check_pending (from_ours_in_memory, TRUE);
}

/* What was moved is in the file, but the source is not behind it. */
static void
test_fixed_source (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GBytes) bytes = g_bytes_new_static ("content", 7);
  g_autoptr(GInputStream) source = from_unix_file (bytes);
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  g_autoptr(GError) error = NULL;

  fixed_fd = g_unix_input_stream_get_fd (G_UNIX_INPUT_STREAM (source));
  g_assert_cmpint (g_output_stream_splice (output, source, 0, NULL, &error), ==, -1);
  fixed_fd = -1;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "lseek"));
  tf_test_assert_file (file, 7, "content", 7);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  tf_test_add_async ("/splice/small", test_small);
  tf_test_add_async ("/splice/large", test_large);
  g_test_add_func ("/splice/pieces", test_pieces);
  g_test_add_func ("/splice/proc", test_proc);
  g_test_add_func ("/splice/fixed-source", test_fixed_source);
  tf_test_add_async ("/splice/own", test_own);
  g_test_add_func ("/splice/cancelled-in-the-middle", test_cancelled_in_the_middle);
  tf_test_add_async ("/splice/cancelled-while-waiting", test_cancelled_while_waiting);
  tf_test_add_async ("/splice/many-waiting", test_many_waiting);
  g_test_add_func ("/splice/failed", test_failed);
  tf_test_add_async ("/splice/copied-by-kernel", test_copied_by_kernel);
  g_test_add_func ("/splice/refused", test_refused);
  g_test_add_func ("/splice/held-back-refused", test_held_back_refused);
  tf_test_add_async ("/splice/cancelled-before", test_cancelled_before);
  tf_test_add_async ("/splice/silent", test_silent);
  g_test_add_func ("/splice/pending", test_pending);

  return tf_test_run ();
}
