/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "base/tf-hold.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <tempfile-glib.h>
#include <unistd.h>

#include "tf-test.h"

static gboolean
exists (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* A program that runs until its standard input is closed. */
static GSubprocess *
spawn (void)
{
  g_autoptr(GError) error = NULL;
  GSubprocess *subprocess = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE, &error, "cat", NULL);

  g_assert_no_error (error);
  return subprocess;
}

static void
wait_until_gone (const char *path)
{
  while (exists (path))
    g_main_context_iteration (NULL, FALSE);
}

static void
test_until_subprocess (void)
{
  g_autoptr(GSubprocess) subprocess = spawn ();
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  g_autofree char *dir_path = g_strdup (tf_temp_dir_get_path (dir));
  g_autofree char *file_path = g_strdup (tf_named_file_get_path (file));

  tf_temp_dir_keep_until (dir, subprocess);
  tf_named_file_keep_until (file, subprocess);
  g_assert_cmpint (tf_named_file_get_delete_policy (file), ==, TF_DELETE_ON_DISPOSE);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_object_unref (dir);
  g_object_unref (file);
  g_assert_true (exists (dir_path));
  g_assert_true (exists (file_path));

  g_assert_true (g_output_stream_close (g_subprocess_get_stdin_pipe (subprocess), NULL, NULL));
  wait_until_gone (dir_path);
  wait_until_gone (file_path);
}

static void
note_finalizer (gpointer  thread,
                GObject  *where_the_object_was)
{
  g_atomic_pointer_set ((GThread **) thread, g_thread_self ());
}

static void
wait_for_finalizer (GThread **thread)
{
  while (g_atomic_pointer_get (thread) == NULL)
    g_main_context_iteration (NULL, FALSE);
}

/* What takes long to remove does not stop the main loop. */
static void
test_released_in_worker (void)
{
  g_autoptr(GSubprocess) subprocess = spawn ();
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  GThread *finalizer = NULL;

  g_object_weak_ref (object, note_finalizer, &finalizer);
  tf_hold_for_subprocess (object, subprocess);
  g_object_unref (object);
  g_assert_null (g_atomic_pointer_get (&finalizer));

  g_assert_true (g_output_stream_close (g_subprocess_get_stdin_pipe (subprocess), NULL, NULL));
  wait_for_finalizer (&finalizer);
  g_assert_true (finalizer != g_thread_self ());
}

static void
test_ended_before (void)
{
  g_autoptr(GSubprocess) subprocess = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, NULL, "false", NULL);
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  GThread *finalizer = NULL;

  g_assert_true (g_subprocess_wait (subprocess, NULL, NULL));
  g_object_weak_ref (object, note_finalizer, &finalizer);
  tf_hold_for_subprocess (object, subprocess);
  g_object_unref (object);
  wait_for_finalizer (&finalizer);
}

static void
hold_and_exit (void)
{
  g_autofree char *dir_path = NULL;
  g_autofree char *file_path = NULL;
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  dir_path = g_strdup (tf_temp_dir_get_path (dir));
  file_path = g_strdup (tf_named_file_get_path (file));
  tf_temp_dir_keep_until_exit (dir);
  tf_named_file_keep_until_exit (file);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_object_unref (dir);
  g_object_unref (file);
  g_assert_true (exists (dir_path));
  g_assert_true (exists (file_path));
  exit (0);
}

static void
test_until_exit (void)
{
  pid_t pid;
  int status;

  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    hold_and_exit ();

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);
  tf_test_ignore_fds ();

  g_test_add_func ("/hold/until-exit", test_until_exit);
  g_test_add_func ("/hold/until-subprocess", test_until_subprocess);
  g_test_add_func ("/hold/released-in-worker", test_released_in_worker);
  g_test_add_func ("/hold/ended-before", test_ended_before);

  return tf_test_run ();
}
