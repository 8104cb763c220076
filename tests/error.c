/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <errno.h>

#include "tf-test-async.h"
#include "tf-test.h"

static void
test_system_call (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = NULL;

  g_assert_null (tf_temp_file_new ("/nonexistent", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_cmpint (tf_get_last_errno (), ==, ENOENT);
  g_clear_error (&error);

  /* Two that have one code, and a caller who does not want the error. */
  file = tf_temp_file_new (tf_test_get_sandbox (), NULL, &error);
  g_assert_no_error (error);
  g_assert_true (tf_temp_file_write (file, "Hello", 5, NULL, NULL));
  tf_test_limit_file_size (3);
  g_assert_false (tf_temp_file_flush (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpint (tf_get_last_errno (), ==, EFBIG);
  g_assert_null (tf_temp_file_new ("/nonexistent", NULL, NULL));
  g_assert_cmpint (tf_get_last_errno (), ==, ENOENT);
  tf_test_unlimit_file_size ();
}

static void
test_no_system_call (void)
{
  g_autoptr(TfTempFile) file = g_object_new (TF_TYPE_TEMP_FILE, NULL);
  g_autoptr(GError) error = NULL;

  g_assert_null (tf_temp_file_new ("/nonexistent", NULL, NULL));
  g_assert_false (tf_temp_file_write (file, "x", 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_assert_cmpint (tf_get_last_errno (), ==, 0);
}

static void
test_refused_name (void)
{
  g_autoptr(GError) error = NULL;

  g_assert_null (tf_temp_file_new ("/nonexistent", NULL, NULL));
  g_assert_null (tf_mkdtemp ("a/b", NULL, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME);
  g_assert_cmpint (tf_get_last_errno (), ==, 0);
}

static void
test_closed (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  g_autoptr(GError) error = NULL;

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_assert_null (tf_temp_file_new ("/nonexistent", NULL, NULL));
  g_assert_false (tf_temp_file_write (TF_TEMP_FILE (file), "x", 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_cmpint (tf_get_last_errno (), ==, 0);
}

static gpointer
ask_in_thread (gpointer no_data)
{
  return GINT_TO_POINTER (tf_get_last_errno ());
}

static void
test_threads (void)
{
  g_assert_null (tf_temp_file_new ("/nonexistent", NULL, NULL));
  g_assert_null (g_thread_join (g_thread_new ("ask", ask_in_thread, NULL)));
  g_assert_cmpint (tf_get_last_errno (), ==, ENOENT);
}

/* The error comes from a worker. */
static void
test_async (void)
{
  g_autoptr(TfSpooledFile) file = g_object_new (TF_TYPE_SPOOLED_FILE, "dir", "/nonexistent", NULL);
  g_autoptr(GAsyncResult) place = NULL;
  g_autoptr(GError) error = NULL;

  tf_spooled_file_rollover_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &place);
  tf_test_wait (&place);
  g_assert_null (tf_temp_file_new ("/dev/null/x", NULL, NULL));
  g_assert_cmpint (tf_get_last_errno (), ==, ENOTDIR);
  g_assert_false (tf_spooled_file_rollover_finish (file, place, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_cmpint (tf_get_last_errno (), ==, ENOENT);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  g_test_add_func ("/error/system-call", test_system_call);
  g_test_add_func ("/error/no-system-call", test_no_system_call);
  g_test_add_func ("/error/refused-name", test_refused_name);
  g_test_add_func ("/error/closed", test_closed);
  g_test_add_func ("/error/threads", test_threads);
  tf_test_add_async ("/error/async", test_async);

  return tf_test_run ();
}
