/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A file that two processes use after fork(), compared with a FILE of stdio in the same program. */

#include <tempfile-glib.h>

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test-files.h"
#include "tf-test.h"

/* How often something is tried that fails by chance: with "-m slow" more often. */
static int
get_rounds (int n)
{
  return g_test_slow () ? 4 * n : n;
}

static void
write_text (TfTempFile *file,
            const char *text)
{
  if (!tf_temp_file_write (file, text, strlen (text), NULL, NULL))
    abort ();
}

static void
flush (TfTempFile *file)
{
  if (!tf_temp_file_flush (file, NULL, NULL))
    abort ();
}

/* Runs @func in a child, after the parent has run @meanwhile. */
static void
fork_and_run (TfTempFile *file,
              void (*func) (TfTempFile *file),
              void (*meanwhile) (TfTempFile *file))
{
  char token = 0;
  int status;
  int ready[2];
  pid_t pid;

  g_assert_cmpint (pipe (ready), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      close (ready[1]);
      if (read (ready[0], &token, 1) != 1)
        _exit (1);
      func (file);
      g_object_run_dispose (G_OBJECT (file));
      _exit (0);
    }

  if (meanwhile != NULL)
    meanwhile (file);
  g_assert_cmpint (write (ready[1], &token, 1), ==, 1);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  close (ready[0]);
  close (ready[1]);
}

static void
assert_content (TfTempFile *file,
                const char *expected)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = tf_temp_file_load_bytes (file, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), expected, strlen (expected));
}

static void
do_read (TfTempFile *file)
{
  char buffer[8];

  tf_temp_file_read (file, buffer, sizeof buffer, NULL, NULL);
}

static void
do_open_reader (TfTempFile *file)
{
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (file, NULL);
  char buffer[8];

  if (g_input_stream_read (reader, buffer, sizeof buffer, NULL, NULL) < 0)
    abort ();
}

static void
do_get_fd (TfTempFile *file)
{
  if (tf_temp_file_get_fd (file, NULL, NULL) < 0)
    abort ();
}

static void
do_steal (TfTempFile *file)
{
  g_bytes_unref (tf_temp_file_steal_bytes (file, NULL, NULL));
}

static void
do_close_output (TfTempFile *file)
{
  if (!g_output_stream_close (g_io_stream_get_output_stream (G_IO_STREAM (file)), NULL, NULL))
    abort ();
}

static const struct
{
  const char *name;
  void (*func) (TfTempFile *file);
} readings[] = {
  { "read", do_read },
  { "open-reader", do_open_reader },
  { "get-fd", do_get_fd },
  { "steal", do_steal },
  { "flush", flush },
  { "close-output", do_close_output },
};

static void
overwrite (TfTempFile *file)
{
  if (!g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL))
    abort ();
  write_text (file, "BBBB");
  flush (file);
}

/* A child that only reads writes nothing. */
static void
test_reading_child (gconstpointer data)
{
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (readings); i++)
    {
      g_autoptr(TfTempFile) file = tf_test_kind_make (data);

      write_text (file, "AAAA");
      if (i % 2 == 1)
        flush (file);
      g_test_message ("%s", readings[i / 2].name);
      fork_and_run (file, readings[i / 2].func, overwrite);
      assert_content (file, "BBBB");
    }
}

static void
write_in_child (TfTempFile *file)
{
  write_text (file, "C1");
  flush (file);
}

static char *
run_stdio (void)
{
  FILE *file = tmpfile ();
  char content[16] = "";
  int status;
  pid_t pid;

  fputs ("P1", file);
  fflush (file);
  pid = fork ();
  if (pid == 0)
    {
      fputs ("C1", file);
      fflush (file);
      _exit (0);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  fputs ("P2", file);
  fflush (file);
  rewind (file);
  g_assert_cmpint (fread (content, 1, sizeof content - 1, file), >, 0);
  fclose (file);
  return g_strdup (content);
}

/* Bytes on disk have one position, as those of a FILE; those in memory are each process's own. */
static void
test_writing_both (gconstpointer data)
{
  const TfTestKind *kind = data;
  g_autofree char *expected = run_stdio ();
  gboolean in_memory = tf_test_kind_is_spooled (kind) && kind->max_size != 0;

  g_assert_cmpstr (expected, ==, "P1C1P2");
  for (int is_flushed = 0; is_flushed < 2; is_flushed++)
    {
      g_autoptr(TfTempFile) file = tf_test_kind_make (kind);

      write_text (file, "P1");
      if (is_flushed)
        flush (file);
      fork_and_run (file, write_in_child, NULL);
      assert_content (file, in_memory ? "P1" : "P1C1");
      write_text (file, "P2");
      flush (file);
      assert_content (file, in_memory ? "P1P2" : expected);
    }
}

static void
write_by_stream (TfTempFile *file)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));

  if (g_output_stream_write (output, "C1", 2, NULL, NULL) != 2 || !g_output_stream_flush (output, NULL, NULL))
    abort ();
}

/* What was read ahead before the fork does not hide what the child writes. */
static void
test_reading_parent (gconstpointer data)
{
  const TfTestKind *kind = data;
  g_autoptr(TfTempFile) file = tf_test_kind_make (kind);
  char buffer[8];

  write_text (file, "P1..");
  tf_test_seek (file, 0, G_SEEK_SET);
  g_assert_cmpint (tf_temp_file_read (file, buffer, 2, NULL, NULL), ==, 2);
  fork_and_run (file, write_by_stream, NULL);
  if (!tf_test_kind_is_spooled (kind) || kind->max_size == 0)
    {
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 4);
      tf_test_seek (file, 2, G_SEEK_SET);
      g_assert_cmpint (tf_temp_file_read (file, buffer, 2, NULL, NULL), ==, 2);
      g_assert_cmpmem (buffer, 2, "C1", 2);
    }
}

#define N_LOOKED_AT 5000

/* What tf_temp_file_peek() returned */
static const guint8 *looked_at;

static void
compare (TfTempFile *file)
{
  for (gsize i = 0; i < N_LOOKED_AT; i++)
    if (looked_at[i] != i % 251)
      abort ();
}

/* What one thread looks at is not freed because another one forks, and can be consumed. */
static void
test_peeked (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autofree guint8 *bytes = g_malloc (3 * N_LOOKED_AT);
  g_autoptr(GError) error = NULL;
  gsize available;

  for (gsize i = 0; i < 3 * N_LOOKED_AT; i++)
    bytes[i] = i % 251;
  g_assert_true (tf_temp_file_write (file, bytes, 3 * N_LOOKED_AT, NULL, NULL));
  tf_test_seek (file, 0, G_SEEK_SET);
  g_assert_cmpint (tf_temp_file_fill (file, N_LOOKED_AT, NULL, NULL), >=, N_LOOKED_AT);
  looked_at = tf_temp_file_peek (file, &available);
  g_assert_cmpuint (available, >=, N_LOOKED_AT);

  fork_and_run (file, compare, compare);
  compare (file);
  g_assert_true (tf_temp_file_consume (file, N_LOOKED_AT, &error));
  g_assert_no_error (error);

  g_assert_cmpint (tf_temp_file_read (file, bytes, N_LOOKED_AT, NULL, NULL), ==, N_LOOKED_AT);
  for (gsize i = 0; i < N_LOOKED_AT; i++)
    g_assert_cmpuint (bytes[i], ==, (N_LOOKED_AT + i) % 251);
}

static void
do_nothing (TfTempFile *file)
{
}

/* What the disk refuses before the fork is still the parent's, and only the parent's. */
static void
test_full_disk (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);

  write_text (file, "held back");
  tf_test_limit_file_size (0);
  fork_and_run (file, do_nothing, NULL);
  tf_test_unlimit_file_size ();
  flush (file);
  assert_content (file, "held back");
}

static gint stop; /* (atomic) */

static gpointer
write_on (gpointer data)
{
  while (!g_atomic_int_get (&stop))
    {
      g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);

      for (int i = 0; i < 1000; i++)
        {
          write_text (data, "x");
          write_text (file, "x");
        }
    }

  return NULL;
}

static void
use (TfTempFile *file)
{
  alarm (60);
  write_text (file, "C");
  flush (file);
  /* The other thread may have been in a lock of GObject, which disposing of the file would wait for. */
  _exit (0);
}

/* The child can use a file whose lock another thread of the parent takes all the time. */
static void
test_threads (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);
  GThread *thread;

  tf_test_fork_beside_threads ();
  thread = g_thread_new ("writer", write_on, file);
  for (int i = 0; i < 50; i++)
    fork_and_run (file, use, NULL);

  g_atomic_int_set (&stop, TRUE);
  g_thread_join (thread);
}

typedef struct
{
  GMutex lock;
  GCond changed;
  gboolean is_inside;
  gboolean may_leave;
} Gate;

/* Stays inside of the rollover. */
static gboolean
stay_at_gate (const char *event,
              const char *path,
              gpointer    user_data)
{
  Gate *gate = user_data;

  g_mutex_lock (&gate->lock);
  gate->is_inside = TRUE;
  g_cond_broadcast (&gate->changed);
  while (!gate->may_leave)
    g_cond_wait (&gate->changed, &gate->lock);
  g_mutex_unlock (&gate->lock);

  return TRUE;
}

static void
wait_at_gate (Gate *gate)
{
  g_mutex_lock (&gate->lock);
  while (!gate->is_inside)
    g_cond_wait (&gate->changed, &gate->lock);
  g_mutex_unlock (&gate->lock);
}

static void
open_gate (Gate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->may_leave = TRUE;
  g_cond_broadcast (&gate->changed);
  g_mutex_unlock (&gate->lock);
}

static gboolean
begins_with_text (GInputStream *input)
{
  char buffer[4];
  gsize n_read;

  return g_seekable_seek (G_SEEKABLE (input), 0, G_SEEK_SET, NULL, NULL) &&
         g_input_stream_read_all (input, buffer, sizeof buffer, &n_read, NULL, NULL) &&
         n_read == sizeof buffer && memcmp (buffer, "text", sizeof buffer) == 0;
}

/* The operation of the parent never ends here. */
static void
use_beside_operation (TfTempFile *file)
{
  g_autoptr(GError) error = NULL;

  alarm (60);
  tf_set_audit_func (NULL, NULL, NULL);
  _exit (begins_with_text (g_io_stream_get_input_stream (G_IO_STREAM (file))) &&
         !tf_temp_file_write (file, "x", 1, NULL, &error) &&
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PENDING) ? 0 : 1);
}

/* In the parent, a worker has its turn with the file, and rolls it over. */
static void
test_beside_operation (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (4));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  Gate gate = { 0 };

  tf_test_fork_beside_threads ();
  write_text (file, "text");
  tf_set_audit_func (stay_at_gate, &gate, NULL);
  g_output_stream_write_all_async (output, "more", 4, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  wait_at_gate (&gate);
  fork_and_run (file, use_beside_operation, NULL);

  open_gate (&gate);
  g_assert_true (g_output_stream_write_all_finish (output, tf_test_wait (&result), NULL, &error));
  g_assert_no_error (error);
  tf_set_audit_func (NULL, NULL, NULL);
  assert_content (file, "textmore");
}

#define LARGE (256 * 1024)

static gpointer
write_large (gpointer data)
{
  g_autofree char *zeros = g_malloc0 (LARGE);

  if (!tf_temp_file_write (data, zeros, LARGE, NULL, NULL))
    abort ();

  return NULL;
}

static void
use_beside_rollover (TfTempFile *file)
{
  alarm (60);
  tf_set_audit_func (NULL, NULL, NULL);
  if (!begins_with_text (g_io_stream_get_input_stream (G_IO_STREAM (file))))
    _exit (1);
  write_text (file, "TEXT");
  _exit (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)) ? 1 : 0);
}

/* In the parent, a thread that needs memory for another file rolls this one over. */
static void
test_beside_rollover (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(TfTempFile) other = TF_TEMP_FILE (tf_spooled_file_new (-1));
  GThread *thread;
  Gate gate = { 0 };

  tf_test_fork_beside_threads ();
  write_text (file, "text");
  for (int i = 0; i < 4; i++)
    write_large (file);
  tf_set_memory_budget (5 * LARGE);
  tf_set_audit_func (stay_at_gate, &gate, NULL);
  thread = g_thread_new ("writer", write_large, other);
  wait_at_gate (&gate);
  fork_and_run (file, use_beside_rollover, NULL);

  open_gate (&gate);
  g_thread_join (thread);
  tf_set_audit_func (NULL, NULL, NULL);
  tf_set_memory_budget (0);
  g_assert_true (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));
  g_assert_false (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (other)));
  g_assert_true (begins_with_text (g_io_stream_get_input_stream (G_IO_STREAM (file))));
}

/* --- All that parent and child can do, as with a FILE --------------------------------------- */

typedef enum
{
  PARENT_WRITES = 1 << 0,
  CHILD_WRITES = 1 << 1,
  PARENT_FIRST = 1 << 2, /* before the child does anything */
  PARENT_FLUSHES = 1 << 3,
  ALL_ROLES = (1 << 4) - 1,
} Roles;

static void
do_stdio_read (FILE *file)
{
  char buffer[8];

  if (fread (buffer, 1, sizeof buffer, file) > sizeof buffer || fseek (file, 0, SEEK_CUR) != 0)
    abort ();
}

static void
do_stdio_pread (FILE *file)
{
  char buffer[8];

  if (pread (fileno (file), buffer, sizeof buffer, 0) < 0)
    abort ();
}

static void
do_stdio_flush (FILE *file)
{
  if (fflush (file) != 0)
    abort ();
}

static const struct
{
  const char *name;
  void (*func) (TfTempFile *file);
  void (*stdio) (FILE *file);
  gboolean ends_writing;
} operations[] = {
  { "read", do_read, do_stdio_read },
  { "open-reader", do_open_reader, do_stdio_pread },
  { "get-fd", do_get_fd, do_stdio_flush },
  { "steal", do_steal, do_stdio_pread, TRUE },
  { "flush", flush, do_stdio_flush },
  { "close-output", do_close_output, do_stdio_flush, TRUE },
};

/* What the functions of a child are to do */
static guint operation;
static Roles roles;

static gboolean
is_like_another (void)
{
  return roles & PARENT_FIRST && !(roles & PARENT_WRITES);
}

static void
act_in_child (TfTempFile *file)
{
  operations[operation].func (file);
  if (roles & CHILD_WRITES)
    {
      write_text (file, "CC");
      flush (file);
    }
}

static void
write_in_parent (TfTempFile *file)
{
  write_text (file, "PPP");
  flush (file);
}

static char *
run_file (const TfTestKind *kind)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = tf_test_kind_make (kind);
  g_autoptr(GBytes) bytes = NULL;

  write_text (file, "AAAA");
  if (roles & PARENT_FLUSHES)
    flush (file);
  fork_and_run (file, act_in_child, roles & PARENT_WRITES && roles & PARENT_FIRST ? write_in_parent : NULL);
  if (roles & PARENT_WRITES && !(roles & PARENT_FIRST))
    write_in_parent (file);

  bytes = tf_temp_file_load_bytes (file, NULL, &error);
  g_assert_no_error (error);
  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static void
write_stdio (FILE       *file,
             const char *text)
{
  if (fputs (text, file) < 0 || fflush (file) != 0)
    abort ();
}

/* What the C library promises only after a flush holds for the files of the library without one. */
static char *
run_stdio_file (void)
{
  FILE *file = tmpfile ();
  char content[32] = "";
  int status;
  pid_t pid;

  write_stdio (file, "AAAA");
  /* The buffer of the FILE is empty, so that the child may as well be forked later. */
  if (roles & PARENT_WRITES && roles & PARENT_FIRST)
    write_stdio (file, "PPP");
  pid = fork ();
  if (pid == 0)
    {
      operations[operation].stdio (file);
      if (roles & CHILD_WRITES)
        write_stdio (file, "CC");
      _exit (0);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  if (roles & PARENT_WRITES && !(roles & PARENT_FIRST))
    write_stdio (file, "PPP");

  g_assert_cmpint (pread (fileno (file), content, sizeof content - 1, 0), >, 0);
  fclose (file);
  return g_strdup (content);
}

/* What the child writes is not in the parent's memory. */
static void
test_matrix (gconstpointer data)
{
  const TfTestKind *kind = data;
  gboolean in_memory = tf_test_kind_is_spooled (kind) && kind->max_size != 0;

  for (operation = 0; operation < G_N_ELEMENTS (operations); operation++)
    for (roles = 0; roles <= ALL_ROLES; roles++)
      {
        g_autofree char *content = NULL;
        g_autofree char *expected = NULL;

        if ((operations[operation].ends_writing && roles & CHILD_WRITES) || is_like_another ())
          continue;

        content = run_file (kind);
        if (in_memory)
          expected = g_strdup (roles & PARENT_WRITES ? "AAAAPPP" : "AAAA");
        else
          expected = run_stdio_file ();
        g_test_message ("%s, roles %d: %s", operations[operation].name, roles, expected);
        g_assert_cmpstr (content, ==, expected);
      }
}

/* --- Children that execute a program -------------------------------------------------------- */

static const char *
get_script (void)
{
  return roles & CHILD_WRITES ? "printf CC >&3" : ":";
}

static void
assert_ended_well (pid_t pid)
{
  int status;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

static void
start_by_posix_spawn (int fd)
{
  const char *argv[] = { "sh", "-c", get_script (), NULL };
  posix_spawn_file_actions_t actions;
  pid_t pid;

  g_assert_cmpint (posix_spawn_file_actions_init (&actions), ==, 0);
  g_assert_cmpint (posix_spawn_file_actions_adddup2 (&actions, fd, 3), ==, 0);
  g_assert_cmpint (posix_spawn (&pid, "/bin/sh", &actions, NULL, (char **) argv, environ), ==, 0);
  posix_spawn_file_actions_destroy (&actions);
  assert_ended_well (pid);
}

static void
start_by_g_spawn (int fd)
{
  const char *argv[] = { "sh", "-c", get_script (), NULL };
  g_autoptr(GError) error = NULL;
  int target = 3;
  GPid pid;

  g_spawn_async_with_pipes_and_fds (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, NULL, NULL,
                                    -1, -1, -1, &fd, &target, 1, &pid, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  assert_ended_well (pid);
}

/* A function between fork() and the program, with which GLib forks in any case. */
static void
set_up (gpointer data)
{
}

static void
start_by_g_spawn_with_fork (int fd)
{
  const char *argv[] = { "sh", "-c", get_script (), NULL };
  g_autoptr(GError) error = NULL;
  int target = 3;
  GPid pid;

  g_spawn_async_with_pipes_and_fds (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, set_up, NULL,
                                    -1, -1, -1, &fd, &target, 1, &pid, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  assert_ended_well (pid);
}

static void
start_by_subprocess (int fd)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autoptr(GSubprocess) subprocess = NULL;

  g_subprocess_launcher_take_fd (launcher, dup (fd), 3);
  subprocess = g_subprocess_launcher_spawn (launcher, &error, "sh", "-c", get_script (), NULL);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_wait_check (subprocess, NULL, &error));
  g_assert_no_error (error);
}

static const struct
{
  const char *name;
  void (*func) (int fd);
} starts[] = {
  { "posix_spawn", start_by_posix_spawn },
  { "g_spawn", start_by_g_spawn },
  { "g_spawn-with-fork", start_by_g_spawn_with_fork },
  { "GSubprocess", start_by_subprocess },
};

static char *
run_file_and_start (const TfTestKind *kind,
                    void (*start) (int fd))
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = tf_test_kind_make (kind);
  g_autoptr(GBytes) bytes = NULL;
  int fd;

  write_text (file, "AAAA");
  if (roles & PARENT_FLUSHES)
    flush (file);
  fd = tf_temp_file_dup_fd (file, NULL, &error);
  g_assert_no_error (error);
  if (roles & PARENT_WRITES && roles & PARENT_FIRST)
    write_text (file, "PPP");
  start (fd);
  if (roles & PARENT_WRITES && !(roles & PARENT_FIRST))
    write_text (file, "PPP");
  close (fd);

  bytes = tf_temp_file_load_bytes (file, NULL, &error);
  g_assert_no_error (error);
  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static char *
run_stdio_and_start (void (*start) (int fd))
{
  FILE *file = tmpfile ();
  char content[32] = "";

  write_stdio (file, "AAAA");
  if (roles & PARENT_WRITES && roles & PARENT_FIRST)
    write_stdio (file, "PPP");
  start (fileno (file));
  if (roles & PARENT_WRITES && !(roles & PARENT_FIRST))
    write_stdio (file, "PPP");

  g_assert_cmpint (pread (fileno (file), content, sizeof content - 1, 0), >, 0);
  fclose (file);
  return g_strdup (content);
}

/* A descriptor is on disk, so that all kinds do the same: each tries every other one, and all of them with "-m slow". */
static void
test_programs (gconstpointer data)
{
  const gsize kind = (const TfTestKind *) data - tf_test_kinds;

  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
    for (roles = 0; roles <= ALL_ROLES; roles++)
      {
        g_autofree char *content = NULL;
        g_autofree char *expected = NULL;

        if (is_like_another () || ((kind + i + roles) % 2 != 0 && !g_test_slow ()))
          continue;

        content = run_file_and_start (data, starts[i].func);
        expected = run_stdio_and_start (starts[i].func);
        g_test_message ("%s, roles %d: %s", starts[i].name, roles, expected);
        g_assert_cmpstr (content, ==, expected);
      }
}

/* A program that gets no descriptor changes nothing, whether or not GLib forks for it. */
static void
test_unrelated_programs (gconstpointer data)
{
  int null_fd = open ("/dev/null", O_RDWR | O_CLOEXEC);

  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
    for (roles = CHILD_WRITES; roles <= ALL_ROLES; roles += PARENT_FLUSHES)
      {
        g_autoptr(TfTempFile) file = tf_test_kind_make (data);

        write_text (file, "AAAA");
        if (roles & PARENT_FLUSHES)
          flush (file);
        starts[i].func (null_fd);
        write_text (file, "PPP");
        assert_content (file, "AAAAPPP");
      }

  close (null_fd);
}

/* --- Locks of the library ------------------------------------------------------------------- */

static gboolean
allow (const char *event,
       const char *path,
       gpointer    user_data)
{
  return TRUE;
}

static void
search (void)
{
  tf_set_temp_dir (NULL);
  if (tf_get_temp_dir (NULL) == NULL || tf_get_spool_dir (NULL) == NULL)
    abort ();
}

static void
audit (void)
{
  tf_set_audit_func (allow, NULL, NULL);
  tf_set_audit_func (NULL, NULL, NULL);
}

static void
ignore_low_memory (void)
{
  tf_set_roll_over_on_low_memory (FALSE);
}

static void (*const lockings[]) (void) = { search, audit, ignore_low_memory };

static gpointer
lock_on (gpointer data)
{
  void (*locking) (void) = data;

  while (!g_atomic_int_get (&stop))
    locking ();

  return NULL;
}

static void
lock_in_child (void)
{
  alarm (60);
  for (gsize i = 0; i < G_N_ELEMENTS (lockings); i++)
    lockings[i] ();
}

/* A child does not wait for a thread of the parent that was in a call. */
static void
test_locks (void)
{
  GThread *threads[G_N_ELEMENTS (lockings)];

  g_atomic_int_set (&stop, FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (lockings); i++)
    threads[i] = g_thread_new ("lock", lock_on, lockings[i]);
  for (int i = 0; i < get_rounds (8); i++)
    tf_test_in_child (lock_in_child);

  g_atomic_int_set (&stop, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (lockings); i++)
    g_thread_join (threads[i]);
}

/* A file that a thread uses when others fork. */
typedef struct
{
  TfTempFile   *file;
  GInputStream *reader;
  GInputStream *reader_in_child; /* because a stream that a thread was using stays pending */
  gboolean      is_closed;
  void (*use) (gpointer data);
} Used;

/* So much that the thread has the lock most of the time. */
#define USED_SIZE (256 * 1024)

static void
write_again (gpointer data)
{
  static const char content[USED_SIZE];
  Used *used = data;

  g_seekable_seek (G_SEEKABLE (used->file), 0, G_SEEK_SET, NULL, NULL);
  tf_temp_file_write (used->file, content, sizeof content, NULL, NULL);
}

static void
read_again (gpointer data)
{
  static char buffer[USED_SIZE];
  Used *used = data;

  g_seekable_seek (G_SEEKABLE (used->reader), 0, G_SEEK_SET, NULL, NULL);
  g_input_stream_read (used->reader, buffer, sizeof buffer, NULL, NULL);
}

static gpointer
use_again (gpointer data)
{
  Used *used = data;

  while (!g_atomic_int_get (&stop))
    used->use (used);

  return NULL;
}

static Used used_in_child;

static void
use_in_child (void)
{
  Used *used = &used_in_child;
  char buffer[100];
  g_autoptr(GError) error = NULL;

  alarm (60);
  tf_temp_file_get_size (used->file);
  if (g_input_stream_read (used->reader_in_child, buffer, sizeof buffer, NULL, &error) != sizeof buffer)
    abort ();
  if (!used->is_closed && !tf_temp_file_write (used->file, "x", 1, NULL, &error))
    abort ();
  if (!g_io_stream_close (G_IO_STREAM (used->file), NULL, NULL))
    abort ();
  g_clear_object (&used->reader);
  g_clear_object (&used->reader_in_child);
  g_clear_object (&used->file);
  _exit (0);
}

/* The child closes what a thread of the parent was using. */
static void
test_used (gconstpointer data)
{
  const TfTestKind *kind = data;

  for (int i = 0; i < 3; i++)
    {
      Used *used = &used_in_child;
      GThread *thread;

      *used = (Used) { .file = tf_test_kind_make (kind), .is_closed = i == 0, .use = i == 1 ? write_again : read_again };
      write_again (used);
      used->reader = tf_temp_file_open_reader (used->file, NULL);
      used->reader_in_child = tf_temp_file_open_reader (used->file, NULL);
      if (used->is_closed)
        g_io_stream_close (G_IO_STREAM (used->file), NULL, NULL);

      g_atomic_int_set (&stop, FALSE);
      thread = g_thread_new ("use", use_again, used);
      for (int k = 0; k < get_rounds (5); k++)
        tf_test_in_child (use_in_child);

      g_atomic_int_set (&stop, TRUE);
      g_thread_join (thread);
      g_object_unref (used->reader);
      g_object_unref (used->reader_in_child);
      g_object_unref (used->file);
    }
}

/* A file that was closed while the process had one thread only. */
static void
test_first_thread (void)
{
  g_test_trap_subprocess ("/fork-files/memory/used", 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

static void
end_at_once (void)
{
}

static gpointer
splice_again (gpointer kinds)
{
  while (!g_atomic_int_get (&stop))
    {
      g_autoptr(TfTempFile) from = tf_test_kind_make (((const TfTestKind **) kinds)[0]);
      g_autoptr(TfTempFile) to = tf_test_kind_make (((const TfTestKind **) kinds)[1]);

      g_seekable_truncate (G_SEEKABLE (from), 1024 * 1024, NULL, NULL);
      g_output_stream_splice (g_io_stream_get_output_stream (G_IO_STREAM (to)),
                              g_io_stream_get_input_stream (G_IO_STREAM (from)), 0, NULL, NULL);
    }

  return NULL;
}

/* A thread that has the lock of a file, and waits for that of another one, and a fork that has the other. */
static void
test_beside_splice (void)
{
  alarm (120);
  for (const TfTestKind *from = tf_test_kinds; from->name != NULL; from++)
    for (const TfTestKind *to = tf_test_kinds; to->name != NULL; to++)
      {
        const TfTestKind *kinds[] = { from, to };
        GThread *thread;

        g_atomic_int_set (&stop, FALSE);
        thread = g_thread_new ("splice", splice_again, kinds);
        for (int i = 0; i < get_rounds (3); i++)
          tf_test_in_child (end_at_once);

        g_atomic_int_set (&stop, TRUE);
        g_thread_join (thread);
      }
  alarm (0);
}

static gpointer
grow_again (gpointer no_data)
{
  static const char bytes[400000];

  while (!g_atomic_int_get (&stop))
    {
      g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));

      for (int i = 0; i < 11; i++)
        tf_temp_file_write (file, bytes, sizeof bytes, NULL, NULL);
    }

  return NULL;
}

/* A file that gives back what the one before it does not need, and a fork that has the lock of neither. */
static void
test_beside_growth (void)
{
  GThread *threads[2];

  alarm (120);
  g_atomic_int_set (&stop, FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("grow", grow_again, NULL);
  for (int i = 0; i < get_rounds (700); i++)
    tf_test_in_child (end_at_once);

  g_atomic_int_set (&stop, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  alarm (0);
}

static gpointer
use_own_files (gpointer no_data)
{
  while (!g_atomic_int_get (&stop))
    {
      g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);

      for (int i = 0; i < 1000 && !g_atomic_int_get (&stop); i++)
        {
          tf_temp_file_write (file, "some bytes", 10, NULL, NULL);
          tf_temp_file_flush (file, NULL, NULL);
        }
    }

  return NULL;
}

/* Threads that use their files all the time, and create more, do not keep others from forking. */
static void
test_busy (void)
{
  GThread *threads[6];

  alarm (120);
  g_atomic_int_set (&stop, FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("busy", use_own_files, NULL);
  for (int i = 0; i < get_rounds (12); i++)
    tf_test_in_child (end_at_once);

  g_atomic_int_set (&stop, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  alarm (0);
}

static void
overwrite_and_go_back (TfTempFile *file)
{
  tf_test_seek (file, 0, G_SEEK_SET);
  tf_test_write (file, "child");
  tf_test_seek (file, 0, G_SEEK_SET);
}

/* What was read ahead before is old. */
static void
test_fill (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);
  const char *data;
  gsize size;

  tf_test_write (file, "first");
  tf_test_seek (file, 0, G_SEEK_SET);
  g_assert_cmpint (tf_temp_file_fill (file, 5, NULL, NULL), ==, 5);
  fork_and_run (file, overwrite_and_go_back, NULL);
  g_assert_cmpint (tf_temp_file_fill (file, 5, NULL, NULL), ==, 5);
  data = tf_temp_file_peek (file, &size);
  g_assert_cmpmem (data, size, "child", 5);
}

static TfTempFile *
make_uninitialized (void)
{
  return g_object_new (TF_TYPE_NAMED_FILE,
                       "dir", tf_test_get_sandbox (), "buffered", TRUE, "delete-policy", TF_DELETE_NEVER, NULL);
}

static TfTempFile *
make_buffered (void)
{
  TfTempFile *file = make_uninitialized ();

  g_assert_true (g_initable_init (G_INITABLE (file), NULL, NULL));
  return file;
}

static void
write_and_exit (void)
{
  write_text (make_buffered (), "hello");
  exit (EXIT_SUCCESS);
}

static char *
read_only_file (void)
{
  g_autoptr(GDir) names = g_dir_open (tf_test_get_sandbox (), 0, NULL);
  g_autofree char *path = tf_test_path (g_dir_read_name (names));
  char *content = NULL;

  g_assert_null (g_dir_read_name (names));
  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  g_assert_cmpint (unlink (path), ==, 0);
  return content;
}

static void
assert_exits (pid_t pid)
{
  int status;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == EXIT_SUCCESS);
}

static gpointer
ask_for_ever (gpointer file)
{
  for (;;)
    tf_temp_file_get_size (file);

  return NULL;
}

static void
write_beside_thread_and_exit (void)
{
  TfTempFile *file = make_buffered ();

  g_thread_unref (g_thread_new ("ask", ask_for_ever, file));
  write_text (file, "hello");
  exit (EXIT_SUCCESS);
}

/* Of the parent, not initialized */
static TfTempFile *uninitialized;

static void
initialize_and_exit (void)
{
  g_assert_true (g_initable_init (G_INITABLE (uninitialized), NULL, NULL));
  write_text (uninitialized, "hello");
  exit (EXIT_SUCCESS);
}

/* As of a FILE that is open when the process ends, nothing is lost. */
static void
test_open_at_exit (gconstpointer func)
{
  g_autoptr(TfTempFile) file = make_uninitialized ();

  uninitialized = file;
  for (int i = 0; i < get_rounds (func == (gpointer) write_beside_thread_and_exit ? 50 : 1); i++)
    {
      g_autofree char *content = NULL;
      pid_t pid = fork ();

      g_assert_cmpint (pid, >=, 0);
      if (pid == 0)
        ((void (*) (void)) func) ();

      assert_exits (pid);
      content = read_only_file ();
      g_assert_cmpstr (content, ==, "hello");
    }
}

/* Returns what the process says at its end, which runs @func. */
static char *
exit_and_listen (void          (*func) (gconstpointer data),
                 gconstpointer   data)
{
  char message[1000] = "";
  int messages[2];
  pid_t pid;

  g_assert_cmpint (pipe (messages), ==, 0);
  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      if (dup2 (messages[1], STDOUT_FILENO) < 0 || dup2 (messages[1], STDERR_FILENO) < 0)
        abort ();
      func (data);
    }

  close (messages[1]);
  assert_exits (pid);
  g_assert_cmpint (read (messages[0], message, sizeof message - 1), >=, 0);
  close (messages[0]);
  return g_strdup (message);
}

static void
write_to_full_disk_and_exit (gconstpointer policy)
{
  const struct rlimit full = { 0, RLIM_INFINITY };
  TfTempFile *unnamed = tf_temp_file_new (NULL, NULL, NULL);
  TfTempFile *file = make_buffered ();

  tf_named_file_set_delete_policy (TF_NAMED_FILE (file), GPOINTER_TO_INT (policy));
  write_text (unnamed, "hello");
  write_text (file, "hello");
  signal (SIGXFSZ, SIG_IGN);
  if (setrlimit (RLIMIT_FSIZE, &full) != 0)
    abort ();
  exit (EXIT_SUCCESS);
}

static void
exit_beside_operation (gconstpointer no_data)
{
  TfTempFile *file = TF_TEMP_FILE (tf_spooled_file_new (4));
  Gate gate = { 0 };

  write_text (file, "text");
  tf_set_audit_func (stay_at_gate, &gate, NULL);
  g_output_stream_write_all_async (g_io_stream_get_output_stream (G_IO_STREAM (file)), "more", 4,
                                   G_PRIORITY_DEFAULT, NULL, NULL, NULL);
  wait_at_gate (&gate);
  exit (EXIT_SUCCESS);
}

/* There is nothing to write, and so nothing to wait for. */
static void
test_operation_at_exit (void)
{
  g_autofree char *message = exit_and_listen (exit_beside_operation, NULL);

  g_assert_cmpstr (message, ==, "");
}

/* What nobody can read afterwards is not written, and no word is lost about it. */
static void
test_full_disk_at_exit (void)
{
  g_autofree char *of_removed = exit_and_listen (write_to_full_disk_and_exit, GINT_TO_POINTER (TF_DELETE_ON_CLOSE));
  g_autofree char *of_kept = exit_and_listen (write_to_full_disk_and_exit, GINT_TO_POINTER (TF_DELETE_NEVER));
  g_autofree char *content = read_only_file ();

  g_assert_cmpstr (of_removed, ==, "");
  g_assert_nonnull (strstr (of_kept, "Writing at exit: The last 5 bytes that were written are lost: "));
  g_assert_cmpstr (content, ==, "");
}

/* What it has of its parent, without the library knowing of a fork, is not a child's to write. */
static void
test_inherited_at_exit (void)
{
  g_autoptr(TfTempFile) file = make_buffered ();
  g_autofree char *content = NULL;
  pid_t pid;

  write_text (file, "hello");
  pid = syscall (SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    exit (EXIT_SUCCESS);

  assert_exits (pid);
  g_assert_true (g_file_get_contents (tf_named_file_get_path (TF_NAMED_FILE (file)), &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "");
  g_clear_pointer (&content, g_free);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  content = read_only_file ();
  g_assert_cmpstr (content, ==, "hello");
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);
  /* GLib keeps some to watch children with. */
  tf_test_ignore_fds ();

  tf_test_add_for_kinds ("fork-files", "reading-child", test_reading_child);
  tf_test_add_for_kinds ("fork-files", "writing-both", test_writing_both);
  tf_test_add_for_kinds ("fork-files", "reading-parent", test_reading_parent);
  tf_test_add_for_kinds ("fork-files", "peeked", test_peeked);
  tf_test_add_for_kinds ("fork-files", "matrix", test_matrix);
  tf_test_add_for_kinds ("fork-files", "programs", test_programs);
  tf_test_add_for_kinds ("fork-files", "unrelated-programs", test_unrelated_programs);
  g_test_add_func ("/fork-files/fill", test_fill);
  g_test_add_func ("/fork-files/full-disk", test_full_disk);
  g_test_add_func ("/fork-files/threads", test_threads);
  g_test_add_func ("/fork-files/beside-operation", test_beside_operation);
  g_test_add_func ("/fork-files/beside-rollover", test_beside_rollover);
  g_test_add_func ("/fork-files/locks", test_locks);
  tf_test_add_for_kinds ("fork-files", "used", test_used);
  g_test_add_func ("/fork-files/beside-splice", test_beside_splice);
  g_test_add_func ("/fork-files/beside-growth", test_beside_growth);
  g_test_add_func ("/fork-files/first-thread", test_first_thread);
  g_test_add_func ("/fork-files/busy", test_busy);
  g_test_add_data_func ("/fork-files/open-at-exit/alone", write_and_exit, test_open_at_exit);
  g_test_add_data_func ("/fork-files/open-at-exit/beside-thread", write_beside_thread_and_exit, test_open_at_exit);
  g_test_add_data_func ("/fork-files/open-at-exit/of-parent", initialize_and_exit, test_open_at_exit);
  g_test_add_func ("/fork-files/full-disk-at-exit", test_full_disk_at_exit);
  g_test_add_func ("/fork-files/operation-at-exit", test_operation_at_exit);
  g_test_add_func ("/fork-files/inherited-at-exit", test_inherited_at_exit);

  return tf_test_run ();
}
