/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A fork at each point at which another thread could fork: whenever the thread that uses a file has given up its last
 * lock. The child ends at once, so that the file must be as if there had been no fork. */

#include <tempfile-glib.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test-files.h"
#include "tf-test.h"

static gboolean is_counting;
static pid_t forking;  /* this process, while it forks */
static guint n_held;   /* locks of this thread */
static guint n_points; /* that were passed */
static guint fork_at;  /* the number of a point */

void     __real_g_mutex_lock    (GMutex *mutex);
void     __wrap_g_mutex_lock    (GMutex *mutex);
gboolean __real_g_mutex_trylock (GMutex *mutex);
gboolean __wrap_g_mutex_trylock (GMutex *mutex);
void     __real_g_mutex_unlock  (GMutex *mutex);
void     __wrap_g_mutex_unlock  (GMutex *mutex);

/* Before fork() returns, a child may not wait for a lock of GLib's allocator, which another thread may have had. */
static void
refuse_in_child (void)
{
  if (forking != 0 && getpid () != forking)
    _exit (2);
}

GThread *__real_g_thread_self (void);
GThread *__wrap_g_thread_self (void);
void     __real_g_array_unref (GArray *array);
void     __wrap_g_array_unref (GArray *array);
void     __real_g_ptr_array_unref (GPtrArray *array);
void     __wrap_g_ptr_array_unref (GPtrArray *array);

GThread *
__wrap_g_thread_self (void)
{
  refuse_in_child ();
  return __real_g_thread_self ();
}

void
__wrap_g_array_unref (GArray *array)
{
  refuse_in_child ();
  __real_g_array_unref (array);
}

void
__wrap_g_ptr_array_unref (GPtrArray *array)
{
  refuse_in_child ();
  __real_g_ptr_array_unref (array);
}

static void
fork_here (void)
{
  pid_t pid;
  int status;

  is_counting = FALSE;
  forking = getpid ();
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    _exit (0);

  forking = 0;
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  is_counting = TRUE;
}

void
__wrap_g_mutex_lock (GMutex *mutex)
{
  __real_g_mutex_lock (mutex);
  n_held += is_counting;
}

gboolean
__wrap_g_mutex_trylock (GMutex *mutex)
{
  gboolean success = __real_g_mutex_trylock (mutex);

  n_held += is_counting && success;
  return success;
}

void
__wrap_g_mutex_unlock (GMutex *mutex)
{
  __real_g_mutex_unlock (mutex);
  if (!is_counting)
    return;

  n_held--;
  if (n_held == 0 && ++n_points == fork_at)
    fork_here ();
}

static TfTempFile *
make_unnamed (void)
{
  return tf_temp_file_new (".", NULL, NULL);
}

static TfTempFile *
make_buffered (void)
{
  return g_initable_new (TF_TYPE_NAMED_FILE, NULL, NULL, "dir", ".", "buffered", TRUE, NULL);
}

static TfTempFile *
make_named (void)
{
  return g_initable_new (TF_TYPE_NAMED_FILE, NULL, NULL, "dir", ".", NULL);
}

static TfTempFile *
make_spooled (void)
{
  return g_object_new (TF_TYPE_SPOOLED_FILE, "dir", ".", "max-size", (gint64) 16, NULL);
}

static gboolean
do_nothing (TfTempFile *file)
{
  return TRUE;
}

static gboolean
do_flush (TfTempFile *file)
{
  return tf_temp_file_flush (file, NULL, NULL);
}

static gboolean
do_persist (TfTempFile *file)
{
  g_autoptr(GFile) place = g_file_new_for_path ("place");

  return tf_temp_file_persist (file, place, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, NULL);
}

static gboolean
do_read (TfTempFile *file)
{
  char buffer[64];

  return g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL) &&
         tf_temp_file_read (file, buffer, sizeof buffer, NULL, NULL) > 0;
}

static gboolean
do_open_reader (TfTempFile *file)
{
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (file, NULL);

  return reader != NULL;
}

static gboolean
do_truncate (TfTempFile *file)
{
  return g_seekable_truncate (G_SEEKABLE (file), 14, NULL, NULL) &&
         (tf_test_is_portable () || tf_temp_file_reserve (file, 100, NULL, NULL));
}

static gboolean
do_get_fd (TfTempFile *file)
{
  return tf_temp_file_get_fd (file, NULL, NULL) >= 0;
}

static TfTempFile *(*const makers[]) (void) = { make_unnamed, make_buffered, make_named, make_spooled };

static const struct
{
  const char *name;
  gboolean (*func) (TfTempFile *file);
} actions[] = {
  { "nothing", do_nothing },
  { "flush", do_flush },
  { "persist", do_persist },
  { "read", do_read },
  { "open-reader", do_open_reader },
  { "truncate", do_truncate },
  { "get-fd", do_get_fd },
};

static void
write_record (TfTempFile *file,
              const char *record)
{
  g_autoptr(GError) error = NULL;

  tf_temp_file_write (file, record, strlen (record), NULL, &error);
  g_assert_no_error (error);
}

static void
use_file (TfTempFile *(*make) (void),
          gboolean    (*func) (TfTempFile *file))
{
  static const char expected[] = "first record, second record, last record";
  g_autoptr(TfTempFile) file = make ();
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_nonnull (file);
  write_record (file, "first record, ");
  g_assert_true (func (file));
  write_record (file, "second record, ");
  write_record (file, "last record");
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, strlen (expected));
  bytes = tf_temp_file_load_bytes (file, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), expected, strlen (expected));
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
}

static void
test_fork_points (gconstpointer data)
{
  gboolean (*func) (TfTempFile *file) = actions[GPOINTER_TO_SIZE (data)].func;

  for (gsize i = 0; i < G_N_ELEMENTS (makers); i++)
    {
      fork_at = 0;
      do
        {
          fork_at++;
          n_points = n_held = 0;
          is_counting = TRUE;
          use_file (makers[i], func);
          is_counting = FALSE;
          g_assert_cmpuint (n_held, ==, 0);
          g_assert_true (unlink ("place") == 0 || func != do_persist);
        }
      while (fork_at <= n_points);
      g_assert_cmpuint (fork_at, >, 5);
    }
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    {
      g_autofree char *path = g_strconcat ("/fork-points/", actions[i].name, NULL);

      g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_fork_points);
    }

  return tf_test_run ();
}
