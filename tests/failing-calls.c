/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A system call that fails is an error, and not a size of 0, an end or a success. The calls are wrapped. */

#include <tempfile-glib.h>

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tf-test-files.h"
#include "tf-test.h"

int     __real_fstat64     (int fd, struct stat *st);
int     __wrap_fstat64     (int fd, struct stat *st);
int     __real_fallocate64 (int fd, int mode, off_t offset, off_t size);
int     __wrap_fallocate64 (int fd, int mode, off_t offset, off_t size);
ssize_t __real_pwrite64    (int fd, const void *data, size_t count, off_t offset);
ssize_t __wrap_pwrite64    (int fd, const void *data, size_t count, off_t offset);
ssize_t __real_pwritev64   (int fd, const struct iovec *iov, int n_iov, off_t offset);
ssize_t __wrap_pwritev64   (int fd, const struct iovec *iov, int n_iov, off_t offset);
ssize_t __real_pread64     (int fd, void *data, size_t count, off_t offset);
ssize_t __wrap_pread64     (int fd, void *data, size_t count, off_t offset);
off_t   __real_lseek64     (int fd, off_t offset, int whence);
off_t   __wrap_lseek64     (int fd, off_t offset, int whence);
int     __real_sem_init    (sem_t *semaphore, int is_shared, unsigned int value);
int     __wrap_sem_init    (sem_t *semaphore, int is_shared, unsigned int value);
GThread *__real_g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error);
GThread *__wrap_g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error);

int     __real_fcntl64     (int fd, int command, ...);
int     __wrap_fcntl64     (int fd, int command, ...);
int     __real_getentropy  (void *buffer, size_t size);
int     __wrap_getentropy  (void *buffer, size_t size);
void *  __real_mmap64      (void *data, size_t size, int protection, int flags, int fd, off_t offset);
void *  __wrap_mmap64      (void *data, size_t size, int protection, int flags, int fd, off_t offset);

static gboolean fstat_fails;
static gboolean seal_fails;
static gboolean getentropy_fails;
static int mmap_errno; /* of files, or 0 */
static gboolean fallocate_fails;
static gboolean pread_fails; /* the next one */
static gboolean pwrite_fails;
static gboolean pwrite_takes_nothing;
static int pwrite_tells = -1; /* a descriptor to which a byte is written before pwrite(), or -1 */
static int pwrite_waits;      /* a descriptor from which a byte is read then */
static gboolean is_truncated; /* by somebody else, since the size was asked for */
static gint n_lseeks = G_MAXINT; /* those that move an offset before they fail */
static gboolean sem_init_fails;
static gboolean has_no_threads;

int
__wrap_fstat64 (int          fd,
                struct stat *st)
{
  if (!fstat_fails)
    return __real_fstat64 (fd, st);

  errno = ESTALE;
  return -1;
}

int
__wrap_fallocate64 (int   fd,
                    int   mode,
                    off_t offset,
                    off_t size)
{
  if (!fallocate_fails)
    return __real_fallocate64 (fd, mode, offset, size);

  fstat_fails = TRUE;
  errno = EIO;
  return -1;
}

ssize_t
__wrap_pwrite64 (int         fd,
                 const void *data,
                 size_t      count,
                 off_t       offset)
{
  if (pwrite_tells >= 0)
    {
      char byte = 0;

      g_assert_cmpint (write (pwrite_tells, &byte, 1), ==, 1);
      g_assert_cmpint (read (pwrite_waits, &byte, 1), ==, 1);
    }
  if (pwrite_takes_nothing)
    return 0;
  if (!pwrite_fails)
    return __real_pwrite64 (fd, data, count, offset);

  errno = ENOSPC;
  return -1;
}

ssize_t
__wrap_pwritev64 (int                 fd,
                  const struct iovec *iov,
                  int                 n_iov,
                  off_t               offset)
{
  return pwrite_takes_nothing ? 0 : __real_pwritev64 (fd, iov, n_iov, offset);
}

ssize_t
__wrap_pread64 (int     fd,
                void   *data,
                size_t  count,
                off_t   offset)
{
  if (pread_fails)
    {
      pread_fails = FALSE;
      errno = EIO;
      return -1;
    }

  return is_truncated ? 0 : __real_pread64 (fd, data, count, offset);
}

off_t
__wrap_lseek64 (int   fd,
                off_t offset,
                int   whence)
{
  if (whence != SEEK_SET || n_lseeks-- > 0)
    return __real_lseek64 (fd, offset, whence);

  errno = EIO;
  return -1;
}

int
__wrap_fcntl64 (int fd,
                int command,
                ...)
{
  va_list arguments;
  guintptr last;

  va_start (arguments, command);
  last = va_arg (arguments, guintptr);
  va_end (arguments);

  if (!seal_fails || command != F_ADD_SEALS)
    return __real_fcntl64 (fd, command, last);

  errno = EBUSY;
  return -1;
}

int
__wrap_getentropy (void   *buffer,
                   size_t  size)
{
  if (!getentropy_fails)
    return __real_getentropy (buffer, size);

  errno = EIO;
  return -1;
}

void *
__wrap_mmap64 (void   *data,
               size_t  size,
               int     protection,
               int     flags,
               int     fd,
               off_t   offset)
{
  if (mmap_errno == 0 || fd < 0)
    return __real_mmap64 (data, size, protection, flags, fd, offset);

  errno = mmap_errno;
  return MAP_FAILED;
}

int
__wrap_sem_init (sem_t        *semaphore,
                 int           is_shared,
                 unsigned int  value)
{
  if (!sem_init_fails)
    return __real_sem_init (semaphore, is_shared, value);

  errno = ENOSPC;
  return -1;
}

GThread *
__wrap_g_thread_try_new (const char   *name,
                         GThreadFunc   func,
                         gpointer      data,
                         GError      **error)
{
  if (!has_no_threads)
    return __real_g_thread_try_new (name, func, data, error);

  g_set_error_literal (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "there are too many");
  return NULL;
}

static TfTempFile *
make_file (void)
{
  TfTempFile *file = TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, NULL));

  tf_test_write (file, "content");
  tf_test_seek (file, 2, G_SEEK_SET);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 7);
  return file;
}

static void
assert_fails (gboolean   success,
              GError   **error)
{
  g_autoptr(GError) owned = g_steal_pointer (error);

  g_assert_nonnull (owned);
  g_assert_nonnull (strstr (owned->message, "fstat"));
  g_assert_false (success);
}

static void
try_all (TfTempFile   *file,
         GInputStream *reader)
{
  g_autoptr(TfTempFile) target = TF_TEMP_FILE (tf_spooled_file_new (-1));
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (file));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (target));
  GError *error = NULL;
  gboolean success;

#define FAILS(call) (success = (call), assert_fails (success, &error))
  FAILS (tf_temp_file_read_bytes (file, G_MAXSIZE, NULL, &error) != NULL);
  FAILS (tf_temp_file_load_bytes (file, NULL, &error) != NULL);
  FAILS (tf_temp_file_steal_bytes (file, NULL, &error) != NULL);
  FAILS (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_END, NULL, &error));
  FAILS (g_seekable_seek (G_SEEKABLE (reader), 0, G_SEEK_END, NULL, &error));
  FAILS (tf_temp_file_reserve (file, 100, NULL, &error));
  FAILS (g_input_stream_skip (input, 1, NULL, &error) >= 0);
  FAILS (g_input_stream_skip (reader, 1, NULL, &error) >= 0);
  FAILS (g_output_stream_splice (output, input, 0, NULL, &error) >= 0);
#undef FAILS
}

static void
test_fstat (void)
{
  g_autoptr(TfTempFile) file = make_file ();
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (file, NULL);

  fstat_fails = TRUE;
  try_all (file, reader);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 7);
  fstat_fails = FALSE;
  tf_test_assert_file (file, 2, "content", 7);
}

/* The size of a file that nobody else can open is known. */
static void
test_known_size (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(GBytes) bytes = NULL;

  tf_test_write (file, "content");
  tf_test_seek (file, 0, G_SEEK_SET);
  fstat_fails = TRUE;
  bytes = tf_temp_file_read_bytes (file, G_MAXSIZE, NULL, NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "content", 7);
  tf_test_seek (file, 0, G_SEEK_END);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 7);
  fstat_fails = FALSE;
}

/* Freeing what was allocated before the failure does not cut off the content. */
static void
test_reserve (void)
{
  g_autoptr(TfTempFile) file = make_file ();
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("fallocate()"))
    return;

  fallocate_fails = TRUE;
  g_assert_false (tf_temp_file_reserve (file, 100, NULL, &error));
  g_assert_nonnull (error);
  fallocate_fails = fstat_fails = FALSE;
  tf_test_assert_file (file, 2, "content", 7);
}

/* The message says how much is lost, whether the output stream was used or not. */
static void
test_close (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(GError) error = NULL;

  tf_test_write (file, "content");
  if (data != NULL)
    g_io_stream_get_output_stream (G_IO_STREAM (file));

  pwrite_fails = TRUE;
  g_assert_false (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  pwrite_fails = FALSE;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, " 7 bytes"));
}

static void
assert_sparse (TfTempFile *file,
               goffset     size)
{
  struct stat st;
  char found[5];
  int fd = tf_temp_file_get_fd (file, NULL, NULL);

  g_assert_cmpint (fstat (fd, &st), ==, 0);
  g_assert_cmpint (st.st_size, ==, size);
  g_assert_cmpint (st.st_blocks, <, 2 * 1024);
  g_assert_cmpint (pread (fd, found, 5, 0), ==, 5);
  g_assert_cmpmem (found, 5, "start", 5);
  g_assert_cmpint (pread (fd, found, 3, 10 * 1024 * 1024), ==, 3);
  g_assert_cmpmem (found, 3, "end", 3);
}

/* A file system of FUSE can answer that it has taken no byte, and is not asked for ever. */
static void
test_nothing_written (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  GOutputVector vectors[] = { { "first", 5 }, { "second", 6 } };
  g_autofree char *large = g_malloc0 (1024 * 1024);
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) second_error = NULL;
  gsize n;

  pwrite_takes_nothing = TRUE;
  g_assert_false (tf_temp_file_write (file, large, 1024 * 1024, NULL, &error));
  g_assert_cmpint (tf_get_last_errno (), ==, EIO);
  g_assert_false (g_output_stream_writev_all (output, vectors, 2, &n, NULL, &second_error));
  pwrite_takes_nothing = FALSE;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_error (second_error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpuint (n, ==, 0);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 0);
}

/* A gap that was made in memory is a hole on disk. */
static void
test_holes (gconstpointer data)
{
  gboolean is_persisted = data != NULL;
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GFile) place = g_file_new_for_path ("sparse");
  goffset size = 10 * 1024 * 1024 + 3;

  tf_test_write (file, "start");
  tf_test_seek (file, 10 * 1024 * 1024, G_SEEK_SET);
  tf_test_write (file, "end");
  if (is_persisted)
    g_assert_true (tf_temp_file_persist (file, place, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, NULL));
  assert_sparse (file, size);

  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 20 * 1024 * 1024, NULL, NULL));
  if (is_persisted)
    g_assert_cmpint (unlink ("sparse"), ==, 0);
}

static void
test_hole_at_end (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));

  tf_test_write (file, "start");
  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 1000001, NULL, NULL));
  g_assert_true (tf_spooled_file_rollover (TF_SPOOLED_FILE (file), NULL, NULL));
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 1000001);
  tf_test_seek (file, 0, G_SEEK_END);
  tf_test_write (file, "more");
  g_assert_cmpint (tf_temp_file_get_size (file), ==, 1000005);
}

/* What was not sealed is not given out. */
static void
test_seal (void)
{
  g_autoptr(TfTempFile) file = make_file ();
  g_autoptr(GError) error = NULL;
  guint n_fds = tf_test_count_fds ();

  if (tf_test_skip_if_portable ("memfd_create()"))
    return;

  seal_fails = TRUE;
  g_assert_cmpint (tf_temp_file_seal (file, NULL, &error), ==, -1);
  seal_fails = FALSE;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, "seal"));
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
  tf_test_assert_file (file, 2, "content", 7);
}

/* What somebody else has taken away meanwhile is not waited for. */
static void
test_truncated (void)
{
  g_autoptr(TfTempFile) file = make_file ();
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;

  g_assert_cmpint (tf_temp_file_get_fd (file, NULL, &error), >=, 0);
  is_truncated = TRUE;
  bytes = tf_temp_file_load_bytes (file, NULL, &error);
  is_truncated = FALSE;
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 0);
}

/* Nobody else can have cut a file off that nobody else can open: what is missing of it is lost. */
static void
test_ends_early (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);
  g_autofree char *large = g_malloc0 (1024 * 1024);
  char byte;

  g_assert_true (tf_temp_file_write (file, large, 1024 * 1024, NULL, NULL));
  tf_test_seek (file, 0, G_SEEK_SET);
  is_truncated = TRUE;
  g_assert_cmpint (tf_temp_file_read (file, &byte, 1, NULL, NULL), ==, -1);
  g_assert_cmpint (tf_get_last_errno (), ==, EIO);
  g_assert_cmpint (tf_temp_file_read (file, large, 1024 * 1024, NULL, NULL), ==, -1);
  g_assert_cmpint (tf_temp_file_fill (file, 1, NULL, NULL), ==, -1);
  g_assert_null (tf_temp_file_load_bytes (file, NULL, NULL));
  g_assert_cmpint (tf_get_last_errno (), ==, EIO);
  is_truncated = FALSE;
  g_assert_cmpint (tf_temp_file_read (file, large, 1024 * 1024, NULL, NULL), ==, 1024 * 1024);
  g_assert_cmpint (tf_temp_file_read (file, &byte, 1, NULL, NULL), ==, 0);
}

/* Of a file system that cannot map files, the bytes are read. */
static void
test_mmap (void)
{
  const int errnos[] = { ENODEV, ENOTSUP, EACCES };

  if (tf_test_skip_if_portable ("mapping what may have holes"))
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (errnos); i++)
    {
      g_autoptr(TfTempFile) file = make_file ();
      g_autoptr(GError) error = NULL;
      g_autoptr(GBytes) bytes = NULL;

      mmap_errno = errnos[i];
      bytes = tf_temp_file_steal_bytes (file, NULL, &error);
      mmap_errno = 0;
      if (errnos[i] == EACCES)
        {
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
          g_assert_nonnull (strstr (error->message, "mmap"));
          g_assert_null (bytes);
        }
      else
        {
          g_assert_no_error (error);
          g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "content", 7);
        }
    }
}

/* Names are drawn from a pool, which lasts for some. */
static gboolean
fails_to_name (GError **error)
{
  g_autofree char *path = NULL;

  for (guint i = 0; i < 1000; i++)
    {
      int fd = tf_mkstemp (NULL, NULL, NULL, &path, NULL, error);

      if (fd < 0)
        return TRUE;
      close (fd);
      g_assert_cmpint (unlink (path), ==, 0);
      g_clear_pointer (&path, g_free);
    }

  return FALSE;
}

/* Without random bytes, no name can be guessed, because there is none. */
static void
test_random (void)
{
  g_autoptr(TfTempFile) file = make_file ();
  g_autoptr(TfTempFile) memory = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  g_autoptr(GFile) place = g_file_new_for_path ("doc");
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) second_error = NULL;

  if (tf_test_skip_if_portable ("getentropy()"))
    return;

  tf_test_write (memory, "new content");
  g_assert_true (g_file_set_contents ("doc", "old", 3, NULL));
  getentropy_fails = TRUE;
  g_assert_true (fails_to_name (&error));
  g_assert_null (tf_temp_dir_create_file (dir, NULL, NULL, NULL, &second_error));
  g_clear_error (&second_error);
  g_assert_null (tf_mkdtemp (NULL, NULL, NULL, NULL, &second_error));
  g_clear_error (&second_error);
G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  g_assert_null (tf_mktemp (NULL, NULL, NULL, &second_error));
G_GNUC_END_IGNORE_DEPRECATIONS
  g_clear_error (&second_error);
  g_assert_false (tf_temp_file_persist (memory, place, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, &second_error));
  getentropy_fails = FALSE;

  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_error (second_error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 3);
  g_assert_true (tf_temp_file_persist (memory, place, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, NULL));
  g_assert_cmpint (unlink ("doc"), ==, 0);
}

static gboolean
is_handled (void)
{
  struct sigaction action;

  g_assert_cmpint (sigaction (SIGTERM, NULL, &action), ==, 0);
  return action.sa_handler != SIG_DFL;
}

static void
assert_not_handled (int code)
{
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_cleanup_on_signals (&error));
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_false (is_handled ());
}

static void
look_in_child (void)
{
  g_assert_false (is_handled ());
}

static void
handle_signals_at_last (void)
{
  signal (SIGTERM, SIG_DFL);
  sem_init_fails = TRUE;
  assert_not_handled (G_IO_ERROR_NO_SPACE);
  sem_init_fails = FALSE;
  has_no_threads = TRUE;
  assert_not_handled (G_IO_ERROR_FAILED);
  has_no_threads = FALSE;
  tf_test_in_child (look_in_child);
  g_assert_true (tf_cleanup_on_signals (NULL));
  g_assert_true (is_handled ());
}

/* What could not be had once may be there the next time, and a fork in between has nothing to restore. */
static void
test_signals (void)
{
  tf_test_in_child (handle_signals_at_last);
}

/* A line that was not read whole moves nothing. */
static void
test_line (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);
  g_autofree char *content = g_strnfill (200000, 'x');
  g_autofree char *line = NULL;
  gsize length;

  tf_test_write (file, content);
  g_assert_cmpint (tf_temp_file_get_fd (file, NULL, NULL), >=, 0);
  tf_test_seek (file, 5, G_SEEK_SET);

  for (int n = 0; line == NULL; n++)
    {
      g_autoptr(GError) error = NULL;

      n_lseeks = n;
      line = tf_temp_file_read_line (file, &length, NULL, &error);
      n_lseeks = G_MAXINT;
      g_assert_true (line != NULL || strstr (error->message, "lseek") != NULL);
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, line != NULL ? 200000 : 5);
    }

  g_assert_cmpuint (length, ==, 200000 - 5);
}

static void
end_at_once (void)
{
}

static gpointer
fork_in_thread (gpointer data)
{
  tf_test_in_child (end_at_once);
  return NULL;
}

static void
on_written (GObject      *object,
            GAsyncResult *result,
            gpointer      data)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_write_bytes_finish (TF_TEMP_FILE (object), result, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (object)), ==, 7);
  *(gboolean *) data = TRUE;
}

/* Beside a thread, and with descriptors that GLib keeps for its main contexts */
static void
write_beside_fork (void)
{
  g_autoptr(TfTempFile) on_disk = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(TfTempFile) other = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GBytes) bytes = g_bytes_new_static ("content", 7);
  gboolean is_written = FALSE;
  int told[2], waited[2];
  GThread *thread;
  char byte = 0;

  tf_test_ignore_fds ();
  tf_test_write (on_disk, "content");
  tf_test_write (other, "some");
  g_assert_cmpint (pipe (told), ==, 0);
  g_assert_cmpint (pipe (waited), ==, 0);
  pwrite_tells = told[1];
  pwrite_waits = waited[0];
  thread = g_thread_new ("fork", fork_in_thread, NULL);
  g_assert_cmpint (read (told[0], &byte, 1), ==, 1);
  pwrite_tells = -1;

  g_assert_cmpint (tf_temp_file_get_size (other), ==, 4);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (other)), ==, 4);
  tf_temp_file_write_bytes_async (file, bytes, G_PRIORITY_DEFAULT, NULL, on_written, &is_written);

  g_assert_cmpint (write (waited[1], &byte, 1), ==, 1);
  while (!is_written)
    g_main_context_iteration (NULL, TRUE);
  g_thread_join (thread);
  for (int i = 0; i < 2; i++)
    {
      close (told[i]);
      close (waited[i]);
    }
}

/* A fork writes what another file holds back, which takes long. What never waits does not wait for that either. */
static void
test_fork (void)
{
  if (g_test_subprocess ())
    {
      write_beside_fork ();
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

/* Text can only be read from somewhere on if what is before it can be. */
static void
test_text_from_within (void)
{
  g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTextStream) stream = tf_text_stream_new (TF_TEMP_FILE (file), "UTF-16", TF_NEWLINE_UNIVERSAL,
                                                       TF_TEXT_ERRORS_STRICT, &error);
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  g_assert_true (tf_text_stream_write (stream, "abc", -1, NULL, &error));
  g_assert_true (tf_text_stream_seek (stream, 4, G_SEEK_SET, NULL, &error));
  pread_fails = TRUE;
  g_assert_null (tf_text_stream_read (stream, 2, NULL, &error));
  g_assert_false (pread_fails);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, tf_named_file_get_path (file)));
  g_clear_error (&error);
  g_assert_true (tf_text_stream_seek (stream, 4, G_SEEK_SET, NULL, &error));
  text = tf_text_stream_read (stream, 2, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "bc");
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/failing-calls/text-from-within", test_text_from_within);
  g_test_add_func ("/failing-calls/fstat", test_fstat);
  g_test_add_func ("/failing-calls/known-size", test_known_size);
  g_test_add_func ("/failing-calls/reserve", test_reserve);
  g_test_add_data_func ("/failing-calls/close/file", NULL, test_close);
  g_test_add_data_func ("/failing-calls/close/with-stream", GINT_TO_POINTER (TRUE), test_close);
  g_test_add_data_func ("/failing-calls/holes/rollover", NULL, test_holes);
  g_test_add_data_func ("/failing-calls/holes/persist", GINT_TO_POINTER (TRUE), test_holes);
  g_test_add_func ("/failing-calls/holes/at-end", test_hole_at_end);
  g_test_add_func ("/failing-calls/seal", test_seal);
  g_test_add_func ("/failing-calls/nothing-written", test_nothing_written);
  g_test_add_func ("/failing-calls/truncated", test_truncated);
  g_test_add_func ("/failing-calls/ends-early", test_ends_early);
  g_test_add_func ("/failing-calls/mmap", test_mmap);
  g_test_add_func ("/failing-calls/random", test_random);
  g_test_add_func ("/failing-calls/signals", test_signals);
  g_test_add_func ("/failing-calls/line", test_line);
  g_test_add_func ("/failing-calls/fork", test_fork);

  return tf_test_run ();
}
