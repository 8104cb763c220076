/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A file that two processes use after fork(), compared with a FILE of stdio in the same program. */

#include <tempfile-glib.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test-files.h"
#include "tf-test.h"

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
}

/* The child can use a file whose lock another thread of the parent takes all the time. */
static void
test_threads (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);
  GThread *thread = g_thread_new ("writer", write_on, file);

  for (int i = 0; i < 50; i++)
    fork_and_run (file, use, NULL);

  g_atomic_int_set (&stop, TRUE);
  g_thread_join (thread);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  tf_test_add_for_kinds ("fork-files", "reading-child", test_reading_child);
  tf_test_add_for_kinds ("fork-files", "writing-both", test_writing_both);
  tf_test_add_for_kinds ("fork-files", "reading-parent", test_reading_parent);
  g_test_add_func ("/fork-files/full-disk", test_full_disk);
  g_test_add_func ("/fork-files/threads", test_threads);

  return tf_test_run ();
}
