/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test.h"

static GPtrArray *heard;
static gboolean allowed = TRUE;

static gboolean
hear (const char *event,
      const char *path,
      gpointer    user_data)
{
  g_assert_cmpstr (user_data, ==, "data");
  g_ptr_array_add (heard, g_strdup_printf ("%s %s", event, path));
  return allowed;
}

static void
count_destroyed (gpointer data)
{
  g_ptr_array_add (heard, g_strdup ("destroyed"));
}

static void
assert_heard (const char *event,
              const char *path)
{
  g_autofree char *expected = g_strdup_printf ("%s %s", event, path);

  g_assert_cmpuint (heard->len, ==, 1);
  g_assert_cmpstr (g_ptr_array_index (heard, 0), ==, expected);
  g_ptr_array_set_size (heard, 0);
}

static void
listen (void)
{
  heard = g_ptr_array_new_with_free_func (g_free);
  tf_set_audit_func (hear, (gpointer) "data", count_destroyed);
  /* The search for the directory is not asked about. */
  g_assert_nonnull (tf_get_temp_dir (NULL));
  g_assert_cmpuint (heard->len, ==, 0);
}

static void
stop_listening (void)
{
  g_ptr_array_set_size (heard, 0);
  tf_set_audit_func (NULL, NULL, NULL);
  g_assert_cmpuint (heard->len, ==, 1);
  g_assert_cmpstr (g_ptr_array_index (heard, 0), ==, "destroyed");
  g_clear_pointer (&heard, g_ptr_array_unref);
}

static void
test_hears (void)
{
  g_autoptr(TfTempFile) temp_file = NULL;
  g_autoptr(TfNamedFile) named_file = NULL;
  g_autoptr(TfSpooledFile) spooled_file = NULL;
  g_autoptr(TfTempDir) temp_dir = NULL;
  g_autofree char *file = NULL;
  g_autofree char *dir = NULL;

  listen ();

  close (tf_mkstemp (NULL, NULL, NULL, &file, NULL, NULL));
  assert_heard ("tempfile.mkstemp", file);
  unlink (file);

  dir = tf_mkdtemp (NULL, NULL, NULL, NULL, NULL);
  assert_heard ("tempfile.mkdtemp", dir);
  rmdir (dir);

  temp_file = tf_temp_file_new (NULL, NULL, NULL);
  assert_heard ("tempfile.mkstemp", tf_test_get_sandbox ());

  named_file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  assert_heard ("tempfile.mkstemp", tf_named_file_get_path (named_file));

  temp_dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  assert_heard ("tempfile.mkdtemp", tf_temp_dir_get_path (temp_dir));

  spooled_file = tf_spooled_file_new (10);
  g_assert_cmpuint (heard->len, ==, 0);
  g_assert_true (tf_spooled_file_rollover (spooled_file, NULL, NULL));
  assert_heard ("tempfile.mkstemp", tf_test_get_sandbox ());

  stop_listening ();
}

static void
test_refuses (void)
{
  g_autoptr(TfSpooledFile) spooled_file = tf_spooled_file_new (10);
  g_autoptr(GError) error = NULL;

  listen ();
  allowed = FALSE;

  g_assert_null (tf_temp_file_new (NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_clear_error (&error);
  g_assert_null (tf_named_file_new (NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_clear_error (&error);
  g_assert_null (tf_temp_dir_new (NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_clear_error (&error);

  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (spooled_file), "0123456789", 10, NULL, NULL));
  g_assert_false (tf_temp_file_write (TF_TEMP_FILE (spooled_file), "x", 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (spooled_file)), ==, 10);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);

  allowed = TRUE;
  stop_listening ();
}

static gboolean
replace_itself (const char *event,
                const char *path,
                gpointer    user_data)
{
  tf_set_audit_func (NULL, NULL, NULL);
  return TRUE;
}

static void
set_true (gpointer data)
{
  *(gboolean *) data = TRUE;
}

static void
test_replaces_itself (void)
{
  g_autoptr(TfTempFile) file = NULL;
  gboolean destroyed = FALSE;

  tf_set_audit_func (replace_itself, &destroyed, set_true);
  file = tf_temp_file_new (NULL, NULL, NULL);
  g_assert_nonnull (file);
  g_assert_true (destroyed);
}

static pid_t child;

static gboolean
fork_once (const char *event,
           const char *path,
           gpointer    user_data)
{
  if (child < 0)
    child = fork ();
  return TRUE;
}

static gpointer
create_named (TfTempDir  *dir,
              GError    **error)
{
  return tf_named_file_new (NULL, NULL, NULL, NULL, error);
}

static gpointer
create_unnamed (TfTempDir  *dir,
                GError    **error)
{
  return tf_temp_file_new (NULL, NULL, error);
}

static gpointer
create_dir (TfTempDir  *dir,
            GError    **error)
{
  return tf_temp_dir_new (NULL, NULL, NULL, NULL, error);
}

static gpointer
create_inside (TfTempDir  *dir,
               GError    **error)
{
  return tf_temp_dir_create_file (dir, NULL, NULL, NULL, error);
}

/* Only the parent creates it; the child can go on with something else. */
static void
test_forks (gconstpointer data)
{
  gpointer (*create) (TfTempDir *dir, GError **error) = data;
  g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  g_autoptr(GObject) created = NULL;
  g_autoptr(GError) error = NULL;
  int status;

  child = -1;
  tf_set_audit_func (fork_once, NULL, NULL);
  created = create (dir, &error);
  if (child == 0)
    {
      alarm (60);
      tf_test_ignore_leaks ();
      g_assert_null (created);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
      g_clear_error (&error);
      created = create_dir (NULL, &error);
      g_assert_no_error (error);
      exit (EXIT_SUCCESS);
    }

  g_assert_no_error (error);
  tf_set_audit_func (NULL, NULL, NULL);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  g_assert_finalize_object (g_steal_pointer (&created));
}

static gboolean
cancel (const char *event,
        const char *path,
        gpointer    cancellable)
{
  g_cancellable_cancel (cancellable);
  return TRUE;
}

static void
cancel_creation (void)
{
  g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  tf_set_audit_func (cancel, cancellable, NULL);
  tf_temp_dir_create_file_async (dir, NULL, NULL, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, &result);
  g_assert_null (tf_temp_dir_create_file_finish (dir, tf_test_wait (&result), &error));
  tf_set_audit_func (NULL, NULL, NULL);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (dir)), ==, 0);
}

/* What was created although it was cancelled meanwhile is removed again. */
static void
test_cancels (void)
{
  tf_test_in_child (cancel_creation);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/audit/hears", test_hears);
  g_test_add_func ("/audit/refuses", test_refuses);
  g_test_add_func ("/audit/replaces-itself", test_replaces_itself);
  g_test_add_func ("/audit/cancels", test_cancels);
  g_test_add_data_func ("/audit/forks/named", create_named, test_forks);
  g_test_add_data_func ("/audit/forks/unnamed", create_unnamed, test_forks);
  g_test_add_data_func ("/audit/forks/dir", create_dir, test_forks);
  g_test_add_data_func ("/audit/forks/inside", create_inside, test_forks);

  return tf_test_run ();
}
