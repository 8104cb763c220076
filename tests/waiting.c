/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What must not wait while a worker is in a system call that does not end. The calls are wrapped, so that they end when
 * the test says so. */

#include <tempfile-glib.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "store/tf-file.h"
#include "tf-test-async.h"
#include "tf-test.h"

/* Much longer than a call takes, in seconds. */
#define PATIENCE 60

#define SIZE (3 * 1024 * 1024)

/* There are no more of them at once. */
#define N_WORKERS 10

ssize_t __real_pwrite64 (int fd, const void *data, size_t count, off_t offset);
ssize_t __wrap_pwrite64 (int fd, const void *data, size_t count, off_t offset);
ssize_t __real_pwritev64 (int fd, const struct iovec *iov, int n_iov, off_t offset);
ssize_t __wrap_pwritev64 (int fd, const struct iovec *iov, int n_iov, off_t offset);
ssize_t __real_pread64  (int fd, void *data, size_t count, off_t offset);
ssize_t __wrap_pread64  (int fd, void *data, size_t count, off_t offset);
int     __real_fsync    (int fd);
int     __wrap_fsync    (int fd);
int     __real_sync_file_range (int fd, off_t start, off_t length, unsigned int flags);
int     __wrap_sync_file_range (int fd, off_t start, off_t length, unsigned int flags);
int     __real_close    (int fd);
int     __wrap_close    (int fd);
gsize   __real_g_iconv  (GIConv converter, char **in, gsize *in_left, char **out, gsize *out_left);
gsize   __wrap_g_iconv  (GIConv converter, char **in, gsize *in_left, char **out, gsize *out_left);
GThread *__real_g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error);
GThread *__wrap_g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error);
int     __real_munmap   (void *data, size_t size);
int     __wrap_munmap   (void *data, size_t size);

static GMutex lock;
static GCond changed;
static gboolean is_stopping; /* the next call stops */
static gint is_release;     /* it is the next one that releases the bytes */
static guint n_stopped;
static GCancellable *cancelled_by_write;
static gint n_writes;
static GCancellable *cancelled_by_sync;
static gint n_syncs;
static gint n_fsyncs;

static void
stop (gboolean releases)
{
  if (g_atomic_int_get (&is_release) != releases)
    return;

  g_mutex_lock (&lock);
  n_stopped += is_stopping;
  g_cond_broadcast (&changed);
  while (is_stopping)
    g_cond_wait (&changed, &lock);
  n_stopped = 0;
  g_mutex_unlock (&lock);
}

static goffset looked_at;     /* the offset from which on each write to a disk looks, or 0 */
static gboolean had_room;     /* whether 20 MiB were within the budget then */
static guint n_looked;

static void
look_at_budget (goffset offset)
{
  TfMemoryPoolNode node = { 0, };

  if (looked_at == 0 || offset < looked_at)
    return;

  n_looked++;
  had_room |= tf_memory_pool_charge (&node, 20 * 1024 * 1024);
  tf_memory_pool_remove (&node);
}

ssize_t
__wrap_pwrite64 (int         fd,
                 const void *data,
                 size_t      count,
                 off_t       offset)
{
  look_at_budget (offset);
  stop (FALSE);
  g_atomic_int_inc (&n_writes);
  if (cancelled_by_write != NULL)
    g_cancellable_cancel (cancelled_by_write);
  return __real_pwrite64 (fd, data, count, offset);
}

ssize_t
__wrap_pwritev64 (int                 fd,
                  const struct iovec *iov,
                  int                 n_iov,
                  off_t               offset)
{
  stop (FALSE);
  return __real_pwritev64 (fd, iov, n_iov, offset);
}

static gboolean stops_reads;
static gint n_reads;

ssize_t
__wrap_pread64 (int     fd,
                void   *data,
                size_t  count,
                off_t   offset)
{
  if (stops_reads && g_atomic_int_add (&n_reads, 1) == 0)
    stop (FALSE);
  return __real_pread64 (fd, data, count, offset);
}

int
__wrap_fsync (int fd)
{
  stop (FALSE);
  g_atomic_int_inc (&n_fsyncs);
  return __real_fsync (fd);
}

int
__wrap_sync_file_range (int          fd,
                        off_t        start,
                        off_t        length,
                        unsigned int flags)
{
  if (flags & SYNC_FILE_RANGE_WAIT_AFTER)
    g_atomic_int_inc (&n_syncs);
  if (cancelled_by_sync != NULL)
    g_cancellable_cancel (cancelled_by_sync);
  return __real_sync_file_range (fd, start, length, flags);
}

int
__wrap_close (int fd)
{
  struct stat st;

  if (fstat (fd, &st) == 0 && st.st_size == SIZE && access ("copy", F_OK) == 0)
    stop (TRUE);
  return __real_close (fd);
}

int
__wrap_munmap (void  *data,
               size_t size)
{
  if (size >= SIZE)
    stop (TRUE);
  return __real_munmap (data, size);
}

static gboolean has_no_threads;

GThread *
__wrap_g_thread_try_new (const char   *name,
                         GThreadFunc   func,
                         gpointer      data,
                         GError      **error)
{
  if (!has_no_threads)
    return __real_g_thread_try_new (name, func, data, error);

  g_set_error_literal (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "No thread");
  return NULL;
}

static GThread *watched;
static guint n_conversions; /* in the thread that is watched */

gsize
__wrap_g_iconv (GIConv   converter,
                char   **in,
                gsize   *in_left,
                char   **out,
                gsize   *out_left)
{
  n_conversions += g_thread_self () == watched;
  return __real_g_iconv (converter, in, in_left, out, out_left);
}

static void
stop_next_call (gboolean releases)
{
  g_atomic_int_set (&is_release, releases);
  g_mutex_lock (&lock);
  is_stopping = TRUE;
  g_mutex_unlock (&lock);
}

static void
wait_for_stopped (guint n)
{
  alarm (PATIENCE);
  g_mutex_lock (&lock);
  while (n_stopped < n)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
}

static void
wait_until_stopped (void)
{
  wait_for_stopped (1);
}

static void
go_on (void)
{
  g_mutex_lock (&lock);
  is_stopping = FALSE;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  g_atomic_int_set (&is_release, FALSE);
  alarm (0);
}

static TfTempFile *
make_file (TfTempFile *file)
{
  g_autofree char *content = g_strnfill (SIZE, 'x');

  g_assert_true (tf_temp_file_write (file, content, SIZE, NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 7, G_SEEK_SET, NULL, NULL));
  return file;
}

/* What returns at once in any case. */
static void
ask (TfTempFile *file)
{
  g_autoptr(GInputStream) reader = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (tf_temp_file_get_size (file), ==, SIZE);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 7);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (g_io_stream_get_input_stream (G_IO_STREAM (file)))), ==, 7);
  g_assert_false (g_io_stream_is_closed (G_IO_STREAM (file)));
  if (TF_IS_SPOOLED_FILE (file))
    g_assert_false (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));

  reader = tf_temp_file_open_reader (file, &error);
  g_assert_no_error (error);
  g_clear_object (&reader);
}

/* Readers read while the bytes are copied. */
static void
read_some (TfTempFile *file)
{
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (file, NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  char buffer[4096];

  g_assert_cmpint (g_input_stream_skip (reader, 4096, NULL, &error), ==, 4096);
  g_assert_cmpint (g_input_stream_read (reader, buffer, sizeof buffer, NULL, &error), ==, sizeof buffer);
  g_assert_no_error (error);
  g_assert_cmpint (buffer[4095], ==, 'x');
  g_input_stream_read_async (reader, buffer, sizeof buffer, 0, NULL, tf_test_take_result, &result);
  g_assert_cmpint (g_input_stream_read_finish (reader, tf_test_wait (&result), NULL), ==, sizeof buffer);
}

static void
test_rollover (void)
{
  g_autoptr(TfTempFile) file = make_file (TF_TEMP_FILE (tf_spooled_file_new (-1)));
  g_autoptr(GAsyncResult) result = NULL;

  stop_next_call (FALSE);
  tf_spooled_file_rollover_async (TF_SPOOLED_FILE (file), 0, NULL, tf_test_take_result, &result);
  wait_until_stopped ();
  ask (file);
  read_some (file);
  go_on ();
  g_assert_true (tf_spooled_file_rollover_finish (TF_SPOOLED_FILE (file), tf_test_wait (&result), NULL));
}

static void
test_seal (void)
{
  g_autoptr(TfTempFile) file = make_file (TF_TEMP_FILE (tf_spooled_file_new (-1)));
  g_autoptr(GAsyncResult) result = NULL;
  int fd;

  if (tf_test_skip_if_portable ("memfd_create()"))
    return;

  stop_next_call (FALSE);
  tf_temp_file_seal_async (file, 0, NULL, tf_test_take_result, &result);
  wait_until_stopped ();
  ask (file);
  read_some (file);
  go_on ();
  fd = tf_temp_file_seal_finish (file, tf_test_wait (&result), NULL);
  g_assert_cmpint (fd, >=, 0);
  close (fd);
}

static void
test_persist (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data == NULL ? tf_temp_file_new (NULL, NULL, NULL)
                                                       : TF_TEMP_FILE (tf_spooled_file_new (-1)));
  g_autoptr(GFile) place = g_file_new_for_path ("persisted");
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  stop_next_call (FALSE);
  tf_temp_file_persist_async (file, place, TF_PERSIST_DURABLE, 0, NULL, NULL, NULL, NULL, tf_test_take_result, &result);
  wait_until_stopped ();
  ask (file);
  read_some (file);
  go_on ();
  g_assert_true (tf_temp_file_persist_finish (file, tf_test_wait (&result), NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (unlink ("persisted"), ==, 0);
}

/* To give back what was in memory takes long as well. */
static void
test_rolled_over (void)
{
  g_autoptr(TfTempFile) file = make_file (TF_TEMP_FILE (tf_spooled_file_new (-1)));
  g_autoptr(GAsyncResult) result = NULL;

  stop_next_call (TRUE);
  tf_spooled_file_rollover_async (TF_SPOOLED_FILE (file), 0, NULL, tf_test_take_result, &result);
  wait_until_stopped ();
  g_assert_true (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));
  g_assert_cmpint (tf_temp_file_get_size (file), ==, SIZE);
  read_some (file);
  go_on ();
  g_assert_true (tf_spooled_file_rollover_finish (TF_SPOOLED_FILE (file), tf_test_wait (&result), NULL));
}

static void
persist (TfTempFile *file,
         const char *name)
{
  g_autoptr(GFile) place = g_file_new_for_path (name);
  g_autoptr(GError) error = NULL;

  tf_temp_file_persist (file, place, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
}

/* So does closing a file that has been copied: the second name is that of a copy. */
static void
test_persisted (void)
{
  g_autoptr(TfTempFile) file = make_file (tf_temp_file_new (NULL, NULL, NULL));
  g_autoptr(GFile) place = g_file_new_for_path ("copy");
  g_autoptr(GAsyncResult) result = NULL;

  persist (file, "persisted");
  stop_next_call (TRUE);
  tf_temp_file_persist_async (file, place, TF_PERSIST_NONE, 0, NULL, NULL, NULL, NULL, tf_test_take_result, &result);
  wait_until_stopped ();
  g_assert_true (g_file_test ("copy", G_FILE_TEST_EXISTS));
  ask (file);
  read_some (file);
  go_on ();
  g_assert_true (tf_temp_file_persist_finish (file, tf_test_wait (&result), NULL, NULL));
  g_assert_cmpint (unlink ("copy"), ==, 0);
  g_assert_cmpint (unlink ("persisted"), ==, 0);
}

/* A call that changes the bytes: only what asks does not wait. */
static void
test_write (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_file (data == NULL ? tf_temp_file_new (NULL, NULL, NULL)
                                                       : TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, NULL)));
  g_autofree char *content = g_strnfill (SIZE, 'y');
  g_autoptr(GBytes) bytes = g_bytes_new_static (content, SIZE);
  g_autoptr(GAsyncResult) result = NULL;

  stop_next_call (FALSE);
  tf_temp_file_write_bytes_async (file, bytes, 0, NULL, tf_test_take_result, &result);
  wait_until_stopped ();
  ask (file);
  go_on ();
  g_assert_true (tf_temp_file_write_bytes_finish (file, tf_test_wait (&result), NULL));
  g_assert_cmpint (tf_temp_file_get_size (file), ==, SIZE + 7);
}

/* Returns: (transfer none): a file that lives as long as @file */
static TfTempFile *
make_target_for (TfTempFile *file)
{
  TfTempFile *target = TF_TEMP_FILE (tf_spooled_file_new (-1));

  g_object_set_data_full (G_OBJECT (file), "target", target, g_object_unref);
  return target;
}

static void
start (TfTempFile    *file,
       const char    *call,
       GBytes        *bytes,
       GAsyncResult **result)
{
  static char buffer[SIZE];

  if (g_str_equal (call, "write"))
    tf_temp_file_write_bytes_async (file, bytes, 0, NULL, tf_test_take_result, result);
  else if (g_str_equal (call, "load"))
    tf_temp_file_load_bytes_async (file, 0, NULL, tf_test_take_result, result);
  else if (g_str_equal (call, "read-data"))
    tf_temp_file_read_data_async (file, G_MAXSIZE, 0, NULL, tf_test_take_result, result);
  else if (g_str_equal (call, "read-upto"))
    tf_temp_file_read_upto_async (file, "z", 1, 0, NULL, tf_test_take_result, result);
  else if (g_str_equal (call, "read-line"))
    tf_temp_file_read_line_async (file, 0, NULL, tf_test_take_result, result);
  else if (g_str_equal (call, "read-stream"))
    g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (file)), buffer, sizeof buffer, 0, NULL,
                               tf_test_take_result, result);
  else if (g_str_equal (call, "splice"))
    g_output_stream_splice_async (g_io_stream_get_output_stream (G_IO_STREAM (make_target_for (file))),
                                  g_io_stream_get_input_stream (G_IO_STREAM (file)), 0, 0, NULL,
                                  tf_test_take_result, result);
  else
    g_output_stream_write_bytes_async (g_io_stream_get_output_stream (G_IO_STREAM (file)), bytes, 0, NULL,
                                       tf_test_take_result, result);
}

/* Splices in all workers wait for reads, which wait for a worker. */
static void
test_splices (void)
{
  g_autofree char *content = g_strnfill (SIZE, 'y');
  TfTempFile *sources[N_WORKERS];
  TfTempFile *targets[N_WORKERS];
  GAsyncResult *spliced[N_WORKERS] = { NULL, };
  GAsyncResult *read[N_WORKERS] = { NULL, };
  char buffers[N_WORKERS];

  for (gsize i = 0; i < N_WORKERS; i++)
    {
      sources[i] = TF_TEMP_FILE (tf_spooled_file_new (-1));
      g_assert_true (tf_temp_file_write (sources[i], content, SIZE, NULL, NULL));
      g_assert_true (g_seekable_seek (G_SEEKABLE (sources[i]), 0, G_SEEK_SET, NULL, NULL));
      targets[i] = tf_temp_file_new (NULL, NULL, NULL);
    }

  stop_next_call (FALSE);
  for (gsize i = 0; i < N_WORKERS; i++)
    g_output_stream_splice_async (g_io_stream_get_output_stream (G_IO_STREAM (targets[i])),
                                  g_io_stream_get_input_stream (G_IO_STREAM (sources[i])), 0, 0, NULL,
                                  tf_test_take_result, &spliced[i]);
  wait_for_stopped (N_WORKERS);
  for (gsize i = 0; i < N_WORKERS; i++)
    g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (targets[i])), &buffers[i], 1, 0, NULL,
                               tf_test_take_result, &read[i]);
  go_on ();

  for (gsize i = 0; i < N_WORKERS; i++)
    {
      tf_test_wait (&spliced[i]);
      tf_test_wait (&read[i]);
      g_assert_cmpint (tf_temp_file_get_size (targets[i]), ==, SIZE);
      g_object_unref (spliced[i]);
      g_object_unref (read[i]);
      g_object_unref (sources[i]);
      g_object_unref (targets[i]);
    }
}

static gint reading_thread; /* (atomic): its ID, once it reads */

static gpointer
read_meanwhile (gpointer file)
{
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (file, NULL);
  char buffer[16];

  g_atomic_int_set (&reading_thread, gettid ());
  g_assert_cmpint (g_input_stream_read (reader, buffer, sizeof buffer, NULL, NULL), ==, sizeof buffer);
  return GINT_TO_POINTER (g_atomic_int_get (&n_reads));
}

/* A reader does not wait until a long line has been read. */
static void
test_long_line (void)
{
  g_autoptr(TfTempFile) file = make_file (tf_temp_file_new (NULL, NULL, NULL));
  g_autoptr(GAsyncResult) result = NULL;
  g_autofree char *line = NULL;
  GThread *thread;
  gsize length;
  int n_before;

  g_assert_true (tf_temp_file_flush (file, NULL, NULL));
  n_reads = 0;
  stops_reads = TRUE;
  stop_next_call (FALSE);
  tf_temp_file_read_line_async (file, 0, NULL, tf_test_take_result, &result);
  wait_until_stopped ();
  thread = g_thread_new ("reader", read_meanwhile, file);
  while (g_atomic_int_get (&reading_thread) == 0 || !tf_test_is_asleep (g_atomic_int_get (&reading_thread)))
    g_thread_yield ();
  go_on ();

  n_before = GPOINTER_TO_INT (g_thread_join (thread));
  line = tf_temp_file_read_line_finish (file, tf_test_wait (&result), &length, NULL);
  stops_reads = FALSE;
  g_assert_cmpuint (length, ==, SIZE - 7);
  g_assert_cmpint (n_before, <, n_reads);
}

/* A reader that skips does not wait for one that reads from a disk which does not answer. */
static void
test_skipping_beside_reading (void)
{
  g_autoptr(TfTempFile) file = make_file (tf_temp_file_new (NULL, NULL, NULL));
  g_autoptr(GInputStream) reading = NULL;
  g_autoptr(GInputStream) skipping = NULL;
  g_autoptr(GAsyncResult) read = NULL;
  g_autoptr(GAsyncResult) skipped = NULL;
  static char buffer[SIZE];

  g_assert_true (tf_temp_file_flush (file, NULL, NULL));
  reading = tf_temp_file_open_reader (file, NULL);
  skipping = tf_temp_file_open_reader (file, NULL);
  n_reads = 0;
  stops_reads = TRUE;
  stop_next_call (FALSE);
  g_input_stream_read_async (reading, buffer, sizeof buffer, 0, NULL, tf_test_take_result, &read);
  wait_until_stopped ();

  alarm (60);
  g_input_stream_skip_async (skipping, 7, 0, NULL, tf_test_take_result, &skipped);
  alarm (0);
  go_on ();
  g_assert_cmpint (g_input_stream_skip_finish (skipping, tf_test_wait (&skipped), NULL), ==, 7);
  g_assert_cmpint (g_input_stream_read_finish (reading, tf_test_wait (&read), NULL), >, 0);
  stops_reads = FALSE;
}

static gint ends_reading; /* (atomic): a boolean */

static gpointer
read_on (gpointer file)
{
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (file, NULL);
  char buffer[4096];

  while (!g_atomic_int_get (&ends_reading))
    if (g_input_stream_read (reader, buffer, sizeof buffer, NULL, NULL) == 0)
      g_assert_true (g_seekable_seek (G_SEEKABLE (reader), 0, G_SEEK_SET, NULL, NULL));

  return NULL;
}

/* A line is whole that is begun in the caller's thread, and read by a worker because a reader has the lock. */
static void
test_line_beside_readers (void)
{
  g_autoptr(TfTempFile) file = make_file (TF_TEMP_FILE (tf_spooled_file_new (-1)));
  GThread *thread = g_thread_new ("reader", read_on, file);

  for (int i = 0; i < 30; i++)
    {
      g_autoptr(GAsyncResult) result = NULL;
      g_autofree char *line = NULL;
      gsize length;

      g_assert_true (g_seekable_seek (G_SEEKABLE (file), 7, G_SEEK_SET, NULL, NULL));
      tf_temp_file_read_line_async (file, 0, NULL, tf_test_take_result, &result);
      line = tf_temp_file_read_line_finish (file, tf_test_wait (&result), &length, NULL);
      g_assert_cmpuint (length, ==, SIZE - 7);
    }

  g_atomic_int_set (&ends_reading, TRUE);
  g_thread_join (thread);
}

/* To find the position in much text that was read is left to a worker. */
static void
test_much_text (void)
{
  g_autoptr(TfTempFile) file = make_file (TF_TEMP_FILE (tf_spooled_file_new (-1)));
  g_autoptr(TfTextStream) stream = tf_text_stream_new (file, "ISO-8859-1", TF_NEWLINE_LF, TF_TEXT_ERRORS_STRICT, NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *text = tf_text_stream_read (stream, SIZE - 10, NULL, &error);

  g_assert_no_error (error);
  n_conversions = 0;
  watched = g_thread_self ();
  tf_text_stream_tell_async (stream, 0, NULL, tf_test_take_result, &result);
  g_assert_cmpint (tf_text_stream_tell_finish (stream, tf_test_wait (&result), &error), ==, SIZE - 3);
  g_assert_no_error (error);
  g_assert_cmpuint (n_conversions, ==, 0);

  g_assert_cmpint (tf_text_stream_tell (stream, NULL, &error), ==, SIZE - 3);
  g_assert_cmpuint (n_conversions, >, 0);
  watched = NULL;
}

#define N_HELD_BACK 50000

/* The size has what is held back, also while it is being written. */
static void
test_held_back (void)
{
  g_autoptr(TfTempFile) file = g_initable_new (TF_TYPE_NAMED_FILE, NULL, NULL, "buffered", TRUE, NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_autofree char *content = g_strnfill (N_HELD_BACK, 'x');
  g_autoptr(GError) error = NULL;

  for (int i = 0; i < N_HELD_BACK; i += 1000)
    g_assert_true (tf_temp_file_write (file, content + i, 1000, NULL, NULL));

  stop_next_call (FALSE);
  tf_temp_file_flush_async (file, 0, NULL, tf_test_take_result, &result);
  wait_until_stopped ();
  g_assert_cmpint (tf_temp_file_get_size (file), ==, N_HELD_BACK);
  go_on ();
  g_assert_true (tf_temp_file_flush_finish (file, tf_test_wait (&result), &error));
  g_assert_no_error (error);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, N_HELD_BACK);
}

/* To copy much in memory takes long, too: a worker does it, of which none is left here. */
static void
test_memory (gconstpointer call)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autofree char *content = g_strnfill (SIZE, 'y');
  g_autoptr(GBytes) bytes = g_bytes_new_static (content, SIZE);
  g_autoptr(GAsyncResult) result = NULL;
  TfTempFile *others[N_WORKERS];
  GAsyncResult *other_results[N_WORKERS] = { NULL, };

  make_file (file);
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  for (gsize i = 0; i < N_WORKERS; i++)
    others[i] = make_file (tf_temp_file_new (NULL, NULL, NULL));

  stop_next_call (FALSE);
  for (gsize i = 0; i < N_WORKERS; i++)
    tf_temp_file_write_bytes_async (others[i], bytes, 0, NULL, tf_test_take_result, &other_results[i]);
  wait_for_stopped (N_WORKERS);
  start (file, call, bytes, &result);
  for (int i = 0; i < 10; i++)
    g_main_context_iteration (NULL, FALSE);
  g_assert_null (result);

  go_on ();
  tf_test_wait (&result);
  for (gsize i = 0; i < N_WORKERS; i++)
    {
      tf_test_wait (&other_results[i]);
      g_object_unref (other_results[i]);
      g_object_unref (others[i]);
    }
}

/* Cancelled after the first piece, it writes no second one. */
static void
test_cancel (void)
{
  g_autoptr(TfTempFile) file = make_file (TF_TEMP_FILE (tf_spooled_file_new (-1)));
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  cancelled_by_write = cancellable;
  g_atomic_int_set (&n_writes, 0);
  tf_spooled_file_rollover_async (TF_SPOOLED_FILE (file), 0, cancellable, tf_test_take_result, &result);
  g_assert_false (tf_spooled_file_rollover_finish (TF_SPOOLED_FILE (file), tf_test_wait (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (g_atomic_int_get (&n_writes), ==, 1);
  cancelled_by_write = NULL;
  ask (file);
}

/* Much is written in pieces, between which others get their turn, and the call can be cancelled. */
static void
test_cancel_write (gconstpointer uses_stream)
{
  g_autoptr(TfTempFile) file = make_file (tf_temp_file_new (NULL, NULL, NULL));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *content = g_strnfill (SIZE, 'y');
  g_autoptr(GBytes) bytes = g_bytes_new_static (content, SIZE);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_flush (file, NULL, NULL));
  g_atomic_int_set (&n_writes, 0);
  cancelled_by_write = cancellable;
  if (uses_stream != NULL)
    {
      g_output_stream_write_bytes_async (output, bytes, 0, cancellable, tf_test_take_result, &result);
      g_output_stream_write_bytes_finish (output, tf_test_wait (&result), NULL);
    }
  else
    {
      tf_temp_file_write_bytes_async (file, bytes, 0, cancellable, tf_test_take_result, &result);
      g_assert_false (tf_temp_file_write_bytes_finish (file, tf_test_wait (&result), &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  cancelled_by_write = NULL;

  g_assert_cmpint (g_atomic_int_get (&n_writes), ==, 1);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), >, 7);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), <, SIZE / 4);
}

static GCancellable *cancelled_waiting;
static gint waiting_thread; /* (atomic): its ID, once it reads */

static gpointer
read_waiting (gpointer stream)
{
  g_autoptr(GError) error = NULL;
  char buffer[16];

  g_atomic_int_set (&waiting_thread, gettid ());
  g_assert_cmpint (g_input_stream_read (stream, buffer, sizeof buffer, cancelled_waiting, &error), ==, -1);
  return g_steal_pointer (&error);
}

/* Cancels a call of another thread that waits for what was stopped. If that @has_lock, it is let in after the piece that is
 * being written. */
static void
cancel_in_thread (GInputStream *input,
                  gboolean      has_lock)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;
  GThread *thread;

  cancelled_waiting = cancellable;
  g_atomic_int_set (&waiting_thread, 0);
  thread = g_thread_new ("reader", read_waiting, input);
  while (g_atomic_int_get (&waiting_thread) == 0 || !tf_test_is_asleep (g_atomic_int_get (&waiting_thread)))
    g_thread_yield ();
  g_cancellable_cancel (cancellable);
  if (has_lock)
    go_on ();
  error = g_thread_join (thread);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* The same with an asynchronous call, of which there are two. */
static void
cancel_in_worker (GInputStream *input)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  char buffer[16];

  for (int i = 0; i < 2; i++)
    {
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;

      g_input_stream_read_async (input, buffer, sizeof buffer, 0, cancellable, tf_test_take_result, &result);
      for (int j = 0; j < 10; j++)
        g_main_context_iteration (NULL, FALSE);
      g_assert_null (result);
      g_cancellable_cancel (cancellable);
      g_assert_cmpint (g_input_stream_read_finish (input, tf_test_wait (&result), &error), ==, -1);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_cancellable_reset (cancellable);
    }
}

/* Who waits for the other stream can be cancelled, and the next one has its turn nevertheless. */
static void
test_cancel_waiting (gconstpointer has_lock)
{
  g_autoptr(TfTempFile) file = make_file (has_lock != NULL ? tf_temp_file_new (NULL, NULL, NULL)
                                                           : TF_TEMP_FILE (tf_spooled_file_new (SIZE)));
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (file));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  g_autofree char *content = g_strnfill (SIZE, 'y');
  g_autoptr(GBytes) bytes = g_bytes_new_static (content, SIZE);
  g_autoptr(GAsyncResult) written = NULL;
  g_autoptr(GAsyncResult) read = NULL;
  char buffer[16];

  stop_next_call (FALSE);
  g_output_stream_write_bytes_async (output, bytes, 0, NULL, tf_test_take_result, &written);
  wait_until_stopped ();
  cancel_in_thread (input, has_lock != NULL);
  if (has_lock == NULL)
    cancel_in_worker (input);
  g_input_stream_read_async (input, buffer, sizeof buffer, 0, NULL, tf_test_take_result, &read);
  if (has_lock == NULL)
    go_on ();

  g_assert_cmpint (g_output_stream_write_bytes_finish (output, tf_test_wait (&written), NULL), ==, SIZE);
  g_assert_cmpint (g_input_stream_read_finish (input, tf_test_wait (&read), NULL), ==, 0);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, SIZE + 7);
}

static GIOStream *forked_file;

/* As if as many calls had been made as there are tickets. */
static void
read_with_former_tickets (void)
{
  TfStore *store = tf_file_get_store (forked_file);
  GInputStream *input = g_io_stream_get_input_stream (forked_file);
  char buffer[16];

  go_on ();
  alarm (PATIENCE);
  g_assert_true (tf_store_roll_over (store, NULL, NULL));
  store->next_ticket = store->turn = 0;
  for (int i = 0; i < 4; i++)
    {
      g_autoptr(GAsyncResult) result = NULL;

      g_input_stream_read_async (input, buffer, sizeof buffer, 0, NULL, tf_test_take_result, &result);
      g_assert_cmpint (g_input_stream_read_finish (input, tf_test_wait (&result), NULL), ==, sizeof buffer);
    }
  g_assert_cmpuint (store->next_ticket, ==, 4);
  alarm (0);
}

/* A forked child has none of the calls that were given up before, and its own ones all have their turns. */
static void
test_fork_after_giving_up (void)
{
  g_autoptr(TfTempFile) file = make_file (TF_TEMP_FILE (tf_spooled_file_new (SIZE)));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  g_autofree char *content = g_strnfill (SIZE, 'y');
  g_autoptr(GBytes) bytes = g_bytes_new_static (content, SIZE);
  g_autoptr(GAsyncResult) written = NULL;

#ifdef TF_TEST_TSAN
  g_test_skip ("ThreadSanitizer takes a thread of the child for one of the parent");
  return;
#endif

  tf_test_fork_beside_threads ();
  stop_next_call (FALSE);
  g_output_stream_write_bytes_async (output, bytes, 0, NULL, tf_test_take_result, &written);
  wait_until_stopped ();
  cancel_in_worker (g_io_stream_get_input_stream (G_IO_STREAM (file)));
  forked_file = G_IO_STREAM (file);
  tf_test_in_child (read_with_former_tickets);
  go_on ();
  g_assert_cmpint (g_output_stream_write_bytes_finish (output, tf_test_wait (&written), NULL), ==, SIZE);
}

static void
persist_durably (TfTempFile   *file,
                 GCancellable *cancellable)
{
  g_autoptr(GFile) place = g_file_new_for_path ("persisted");
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  gboolean success;

  g_atomic_int_set (&n_syncs, 0);
  g_atomic_int_set (&n_fsyncs, 0);
  tf_temp_file_persist_async (file, place, TF_PERSIST_DURABLE,
                              0, cancellable, NULL, NULL, NULL, tf_test_take_result, &result);
  success = tf_temp_file_persist_finish (file, tf_test_wait (&result), NULL, &error);
  g_assert_true (success == (cancellable == NULL));
  if (cancellable != NULL)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* What cannot be interrupted has little to write: a cancelled call ends after the piece that is being written. */
static void
test_cancel_durable (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);
  g_autofree char *content = g_malloc0 (3 * SIZE);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();

  if (tf_test_skip_if_portable ("sync_file_range()"))
    return;

  g_assert_true (tf_temp_file_write (file, content, 3 * SIZE, NULL, NULL));
  cancelled_by_sync = cancellable;
  persist_durably (file, cancellable);
  cancelled_by_sync = NULL;
  g_assert_cmpint (n_syncs, ==, 1);
  g_assert_cmpint (n_fsyncs, ==, 0);
  g_assert_false (g_file_test ("persisted", G_FILE_TEST_EXISTS));

  persist_durably (file, NULL);
  g_assert_cmpint (n_syncs, ==, 0);
  g_assert_cmpint (n_fsyncs, ==, 2);
  g_assert_cmpint (unlink ("persisted"), ==, 0);
}

/* GLib's own threads do not exist in a forked child. */
static void
read_in_child (void)
{
  g_autoptr(TfTempFile) file = make_file (tf_temp_file_new (NULL, NULL, NULL));

  alarm (PATIENCE);
  read_some (file);
  alarm (0);
}

static void
test_child (void)
{
  g_autoptr(TfTempFile) file = make_file (tf_temp_file_new (NULL, NULL, NULL));

  read_some (file);
  tf_test_in_child (read_in_child);
}

/* The system refuses a second thread, and the only worker takes the call of a stream that waits for an earlier one of
 * the other stream before that one: it fails, and the others go on. */
static void
write_before_read_with_one_thread (void)
{
  g_autoptr(TfTempFile) busy = make_file (tf_temp_file_new (NULL, NULL, NULL));
  g_autoptr(TfTempFile) file = make_file (tf_temp_file_new (NULL, NULL, NULL));
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (file));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  g_autoptr(GFile) place = g_file_new_for_path ("persisted");
  g_autoptr(GAsyncResult) persisted = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) written = NULL;
  g_autoptr(GError) error = NULL;
  static char buffer[100000];

  stop_next_call (FALSE);
  tf_temp_file_persist_async (busy, place, TF_PERSIST_DURABLE, 0, NULL, NULL, NULL, NULL, tf_test_take_result,
                              &persisted);
  wait_until_stopped ();
  has_no_threads = TRUE;
  g_input_stream_read_async (input, buffer, sizeof buffer, G_PRIORITY_LOW, NULL, tf_test_take_result, &result);
  g_output_stream_write_async (output, buffer, sizeof buffer, G_PRIORITY_HIGH, NULL, tf_test_take_result, &written);
  go_on ();

  alarm (PATIENCE);
  g_assert_cmpint (g_output_stream_write_finish (output, tf_test_wait (&written), &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpint (g_input_stream_read_finish (input, tf_test_wait (&result), NULL), ==, sizeof buffer);
  g_assert_true (tf_temp_file_persist_finish (busy, tf_test_wait (&persisted), NULL, NULL));

  g_clear_object (&written);
  g_output_stream_write_async (output, buffer, sizeof buffer, 0, NULL, tf_test_take_result, &written);
  g_assert_cmpint (g_output_stream_write_finish (output, tf_test_wait (&written), NULL), ==, sizeof buffer);
  g_assert_cmpint (unlink ("persisted"), ==, 0);
  alarm (0);
}

/* In a child, which has no worker yet. */
static void
test_one_thread (void)
{
  tf_test_in_child (write_before_read_with_one_thread);
}

/* The system refuses any thread: the call fails, and is not waited for by the next one. */
static void
write_without_thread (void)
{
  g_autoptr(TfTempFile) file = make_file (tf_temp_file_new (NULL, NULL, NULL));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  static char buffer[100000];

  alarm (PATIENCE);
  for (int i = 0; i < 2; i++)
    {
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;

      has_no_threads = i == 0;
      g_output_stream_write_async (output, buffer, sizeof buffer, 0, NULL, tf_test_take_result, &result);
      if (i == 0)
        {
          g_assert_cmpint (g_output_stream_write_finish (output, tf_test_wait (&result), &error), ==, -1);
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
        }
      else
        g_assert_cmpint (g_output_stream_write_finish (output, tf_test_wait (&result), NULL), ==, sizeof buffer);
    }
  alarm (0);
}

static void
test_no_thread (void)
{
  tf_test_in_child (write_without_thread);
}

static GMutex gate;
static gint is_at_gate;

static gboolean
stay_at_gate (const char *event,
              const char *path,
              gpointer    no_data)
{
  g_atomic_int_set (&is_at_gate, TRUE);
  g_mutex_lock (&gate);
  g_mutex_unlock (&gate);
  return TRUE;
}

static gpointer
roll_over (gpointer file)
{
  g_assert_true (tf_spooled_file_rollover (file, NULL, NULL));
  return NULL;
}

/* The only worker does not wait for a file that another thread copies while there is more to do: that may be what the
 * other thread waits for. */
static void
write_beside_rollover_with_one_thread (void)
{
  g_autoptr(TfTempFile) copied = make_file (TF_TEMP_FILE (tf_spooled_file_new (-1)));
  g_autoptr(TfTempFile) busy = make_file (tf_temp_file_new (NULL, NULL, NULL));
  g_autoptr(TfTempFile) other = make_file (tf_temp_file_new (NULL, NULL, NULL));
  g_autoptr(GFile) place = g_file_new_for_path ("persisted");
  g_autoptr(GBytes) bytes = g_bytes_new_take (g_malloc0 (100000), 100000);
  g_autoptr(GAsyncResult) persisted = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) written = NULL;
  g_autoptr(GError) error = NULL;
  GThread *thread;

  alarm (PATIENCE);
  g_mutex_lock (&gate);
  tf_set_audit_func (stay_at_gate, NULL, NULL);
  thread = g_thread_new ("rollover", roll_over, copied);
  while (!g_atomic_int_get (&is_at_gate))
    g_thread_yield ();
  tf_set_audit_func (NULL, NULL, NULL);

  stop_next_call (FALSE);
  tf_temp_file_persist_async (busy, place, TF_PERSIST_DURABLE, 0, NULL, NULL, NULL, NULL, tf_test_take_result,
                              &persisted);
  wait_until_stopped ();
  has_no_threads = TRUE;
  tf_temp_file_write_bytes_async (copied, bytes, 0, NULL, tf_test_take_result, &result);
  tf_temp_file_write_bytes_async (other, bytes, G_PRIORITY_LOW, NULL, tf_test_take_result, &written);
  go_on ();

  alarm (PATIENCE);
  g_assert_false (tf_temp_file_write_bytes_finish (copied, tf_test_wait (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_true (tf_temp_file_write_bytes_finish (other, tf_test_wait (&written), NULL));
  g_assert_true (tf_temp_file_persist_finish (busy, tf_test_wait (&persisted), NULL, NULL));

  g_mutex_unlock (&gate);
  g_thread_join (thread);
  g_assert_true (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (copied)));
  g_assert_true (tf_temp_file_write (copied, "x", 1, NULL, NULL));
  g_assert_cmpint (tf_temp_file_get_size (copied), ==, SIZE);
  g_assert_cmpint (unlink ("persisted"), ==, 0);
  alarm (0);
}

/* In a process that has no worker yet. */
static void
test_one_thread_beside_rollover (void)
{
  if (g_test_subprocess ())
    {
      write_beside_rollover_with_one_thread ();
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

/* What rolls over is counted until it is freed, also while the write that did not fit goes to the disk. */
static void
test_counted_until_freed (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  const gsize size = 24 * 1024 * 1024;
  g_autofree char *data = g_malloc0 (2 * size);
  TfMemoryPoolNode node = { 0, };
  g_autoptr(GError) error = NULL;

  tf_set_memory_budget (32 * 1024 * 1024);
  tf_temp_file_write (file, data, size, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));

  looked_at = size;
  tf_temp_file_write (file, data, 2 * size, NULL, &error);
  looked_at = 0;
  g_assert_no_error (error);
  g_assert_true (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));
  g_assert_cmpuint (n_looked, >, 0);
  g_assert_false (had_room);

  g_assert_true (tf_memory_pool_charge (&node, size));
  tf_memory_pool_remove (&node);
  tf_set_memory_budget (0);
}

int
main (int    argc,
      char **argv)
{
  const char *calls[] = {
    "write", "load", "read-data", "read-upto", "read-line", "read-stream", "write-stream", "splice",
  };

  tf_test_init_async (&argc, &argv);

  g_test_add_func ("/waiting/child", test_child);
  g_test_add_func ("/waiting/one-thread", test_one_thread);
  g_test_add_func ("/waiting/one-thread/beside-rollover", test_one_thread_beside_rollover);
  g_test_add_func ("/waiting/no-thread", test_no_thread);
  g_test_add_func ("/waiting/rollover", test_rollover);
  g_test_add_func ("/waiting/splices", test_splices);
  g_test_add_func ("/waiting/rolled-over", test_rolled_over);
  g_test_add_func ("/waiting/seal", test_seal);
  g_test_add_data_func ("/waiting/persist/disk", NULL, test_persist);
  g_test_add_data_func ("/waiting/persist/memory", GINT_TO_POINTER (TRUE), test_persist);
  g_test_add_func ("/waiting/persisted", test_persisted);
  g_test_add_data_func ("/waiting/write/unnamed", NULL, test_write);
  g_test_add_data_func ("/waiting/write/named", GINT_TO_POINTER (TRUE), test_write);
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_autofree char *path = g_strconcat ("/waiting/memory/", calls[i], NULL);

      g_test_add_data_func (path, calls[i], test_memory);
    }
  g_test_add_func ("/waiting/held-back", test_held_back);
  g_test_add_func ("/waiting/long-line", test_long_line);
  g_test_add_func ("/waiting/skipping-beside-reading", test_skipping_beside_reading);
  g_test_add_func ("/waiting/line-beside-readers", test_line_beside_readers);
  g_test_add_func ("/waiting/much-text", test_much_text);
  g_test_add_func ("/waiting/cancel", test_cancel);
  g_test_add_data_func ("/waiting/cancel-write/file", NULL, test_cancel_write);
  g_test_add_data_func ("/waiting/cancel-write/stream", GINT_TO_POINTER (TRUE), test_cancel_write);
  g_test_add_func ("/waiting/cancel-durable", test_cancel_durable);
  g_test_add_data_func ("/waiting/cancel-waiting/turn", NULL, test_cancel_waiting);
  g_test_add_data_func ("/waiting/cancel-waiting/lock", GINT_TO_POINTER (TRUE), test_cancel_waiting);

  g_test_add_func ("/waiting/fork-after-giving-up", test_fork_after_giving_up);
  g_test_add_func ("/waiting/counted-until-freed", test_counted_until_freed);

  return tf_test_run ();
}
