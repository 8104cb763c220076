/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test-disk.h"
#include "tf-test.h"

/* How trees are removed in bad conditions is tested with the unit that removes them. */

static TfTempDir *
make (void)
{
  g_autoptr(GError) error = NULL;
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  return dir;
}

static gboolean
exists (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
put_file (const char *dir,
          const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
}

static void
remove_with_file (const char *dir,
                  const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);

  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

static void
test_new (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempDir) dir = tf_temp_dir_new ("pre-", ".d", NULL, NULL, &error);
  const char *path = tf_temp_dir_get_path (dir);
  g_autoptr(GFile) file = tf_temp_dir_get_file (dir);
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *parent = g_path_get_dirname (path);
  struct stat st;

  g_assert_no_error (error);
  g_assert_cmpstr (parent, ==, tf_test_get_sandbox ());
  g_assert_true (g_str_has_prefix (name, "pre-"));
  g_assert_true (g_str_has_suffix (name, ".d"));
  g_assert_cmpuint (strlen (name), ==, strlen ("pre-") + 8 + strlen (".d"));
  g_assert_cmpstr (g_file_peek_path (file), ==, path);
  g_assert_cmpint (lstat (path, &st), ==, 0);
  g_assert_cmphex (st.st_mode & 0777, ==, 0700);
  g_assert_finalize_object (g_steal_pointer (&dir));
}

static void
test_auto_cleanup (void)
{
  g_autoptr(TfTempDir) dir = make ();
  g_autofree char *path = g_strdup (tf_temp_dir_get_path (dir));

  put_file (path, "file");
  g_assert_finalize_object (g_steal_pointer (&dir));
  g_assert_false (exists (path));

  dir = make ();
  g_free (path);
  path = g_strdup (tf_temp_dir_get_path (dir));
  put_file (path, "file");
  tf_temp_dir_set_auto_cleanup (dir, FALSE);
  g_assert_finalize_object (g_steal_pointer (&dir));
  remove_with_file (path, "file");
}

/* The descriptors of a directory: the lock for systemd-tmpfiles. */
static guint
count_locks (void)
{
  return tf_test_is_portable () ? 0 : 1;
}

static void
test_cleanup (void)
{
  g_autoptr(TfTempDir) dir = make ();
  g_autofree char *path = g_strdup (tf_temp_dir_get_path (dir));
  g_autoptr(GError) error = NULL;
  guint n_fds = tf_test_count_fds ();

  put_file (path, "file");
  /* Whatever is to happen at the end, this is now. */
  tf_temp_dir_set_auto_cleanup (dir, FALSE);
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_false (exists (path));
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds - count_locks ());
  g_assert_cmpstr (tf_temp_dir_get_path (dir), ==, path);

  /* Again is fine, and leaves alone what came to the name meanwhile. */
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (exists (path));
  g_assert_cmpint (g_rmdir (path), ==, 0);
}

static void
test_cancelled (void)
{
  g_autoptr(TfTempDir) dir = make ();
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  put_file (tf_temp_dir_get_path (dir), "file");
  g_cancellable_cancel (cancellable);
  tf_temp_dir_set_ignore_cleanup_errors (dir, TRUE);
  g_assert_false (tf_temp_dir_cleanup (dir, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (exists (tf_temp_dir_get_path (dir)));
  g_clear_error (&error);
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);

  g_assert_null (tf_temp_dir_new (NULL, NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
}

/* An empty directory as well, in which there is nothing to stop at. */
static void
test_cancelled_when_empty (void)
{
  g_autoptr(TfTempDir) dir = make ();
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_false (tf_temp_dir_cleanup (dir, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  tf_temp_dir_cleanup_async (dir, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, &result);
  g_assert_false (tf_temp_dir_cleanup_finish (dir, tf_test_wait (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (exists (tf_temp_dir_get_path (dir)));
}

static void
test_keep (void)
{
  g_autoptr(TfTempDir) dir = make ();
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;
  guint n_fds = tf_test_count_fds ();

  put_file (tf_temp_dir_get_path (dir), "file");
  path = tf_temp_dir_keep (dir);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds - count_locks ());
  g_assert_cmpstr (path, ==, tf_temp_dir_get_path (dir));
  g_assert_false (tf_temp_dir_get_auto_cleanup (dir));

  tf_temp_dir_set_auto_cleanup (dir, TRUE);
  g_assert_false (tf_temp_dir_get_auto_cleanup (dir));
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);
  g_assert_finalize_object (g_steal_pointer (&dir));
  remove_with_file (path, "file");
}

static void
test_keep_async (void)
{
  g_autoptr(TfTempDir) dir = make ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;

  put_file (tf_temp_dir_get_path (dir), "file");
  path = tf_temp_dir_keep (dir);
  tf_temp_dir_cleanup_async (dir, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  g_assert_true (tf_temp_dir_cleanup_finish (dir, tf_test_wait (&result), &error));
  g_assert_no_error (error);
  remove_with_file (path, "file");
}

/* There is nothing to keep yet: what is created afterwards is removed as usual. */
static void
test_keep_before_init (void)
{
  g_autoptr(TfTempDir) dir = g_object_new (TF_TYPE_TEMP_DIR, NULL);
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;

  g_assert_null (tf_temp_dir_keep (dir));
  g_assert_true (tf_temp_dir_get_auto_cleanup (dir));
  g_assert_true (g_initable_init (G_INITABLE (dir), NULL, &error));
  g_assert_no_error (error);

  path = g_strdup (tf_temp_dir_get_path (dir));
  g_assert_finalize_object (g_steal_pointer (&dir));
  g_assert_false (exists (path));
}

static void
test_already_gone (void)
{
  g_autoptr(TfTempDir) dropped = make ();
  g_autoptr(TfTempDir) cleaned = make ();
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (g_rmdir (tf_temp_dir_get_path (dropped)), ==, 0);
  g_assert_cmpint (g_rmdir (tf_temp_dir_get_path (cleaned)), ==, 0);
  g_assert_true (tf_temp_dir_cleanup (cleaned, NULL, &error));
  g_assert_no_error (error);
  g_assert_finalize_object (g_steal_pointer (&dropped));
}

static void
put_stranger (TfTempDir *dir)
{
  g_assert_cmpint (g_rename (tf_temp_dir_get_path (dir), "moved"), ==, 0);
  g_assert_cmpint (g_mkdir (tf_temp_dir_get_path (dir), 0700), ==, 0);
}

static void
remove_stranger (const char *path)
{
  g_assert_cmpint (g_rmdir (path), ==, 0);
  g_assert_cmpint (g_rmdir ("moved"), ==, 0);
}

static void
test_stranger (void)
{
  g_autoptr(TfTempDir) dir = make ();
  g_autofree char *path = g_strdup (tf_temp_dir_get_path (dir));
  g_autoptr(GError) error = NULL;

  put_stranger (dir);
  g_assert_false (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_nonnull (strstr (error->message, path));
  g_clear_error (&error);

  /* It was reported, and is nothing of the object's any more. */
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_finalize_object (g_steal_pointer (&dir));
  remove_stranger (path);
}

static void
test_stranger_on_dispose (void)
{
  g_autoptr(TfTempDir) dir = make ();
  g_autofree char *path = g_strdup (tf_temp_dir_get_path (dir));

  /* Nobody is there to be told of it: a message, not lost, not fatal. */
  put_stranger (dir);
  g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Removing a temporary directory: *left alone*");
  g_assert_finalize_object (g_steal_pointer (&dir));
  g_test_assert_expected_messages ();
  remove_stranger (path);
}

static void
test_ignore_cleanup_errors (void)
{
  g_autoptr(TfTempDir) dir = make ();
  g_autofree char *path = g_strdup (tf_temp_dir_get_path (dir));
  g_autoptr(GError) error = NULL;

  tf_temp_dir_set_ignore_cleanup_errors (dir, TRUE);
  put_stranger (dir);
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);
  g_assert_finalize_object (g_steal_pointer (&dir));
  g_assert_true (exists (path));
  remove_stranger (path);
}

static void
assert_child (TfTempDir  *dir,
              const char *name)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GFile) child = tf_temp_dir_get_child (dir, name, &error);
  g_autofree char *expected = g_build_filename (tf_temp_dir_get_path (dir), name, NULL);

  g_assert_no_error (error);
  g_assert_cmpstr (g_file_peek_path (child), ==, expected);
}

static void
assert_no_child (TfTempDir  *dir,
                 const char *name)
{
  g_autoptr(GError) error = NULL;

  g_assert_null (tf_temp_dir_get_child (dir, name, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
test_get_child (void)
{
  g_autoptr(TfTempDir) dir = make ();

  assert_child (dir, "name");
  assert_child (dir, "a/b/c");
  assert_child (dir, "..name");
  assert_child (dir, "name..");
  assert_child (dir, "...");
  assert_child (dir, "\xff");

  assert_no_child (dir, "");
  assert_no_child (dir, "/");
  assert_no_child (dir, "/etc/passwd");
  assert_no_child (dir, "..");
  assert_no_child (dir, "../name");
  assert_no_child (dir, "a/..");
  assert_no_child (dir, "a/../../name");
  assert_no_child (dir, "a//..//b");
  assert_no_child (dir, "\xff/..");
  assert_no_child (dir, "./");
  assert_no_child (dir, "./.");
  assert_no_child (dir, ".//");
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (dir)), ==, 0);
}

static void
test_not_initialized (void)
{
  g_autoptr(TfTempDir) dir = g_object_new (TF_TYPE_TEMP_DIR, NULL);
  g_autoptr(GError) child_error = NULL;
  g_autoptr(GError) cleanup_error = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_null (tf_temp_dir_get_path (dir));
  g_assert_null (tf_temp_dir_get_file (dir));
  g_assert_null (tf_temp_dir_get_child (dir, "name", &child_error));
  g_assert_error (child_error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_assert_false (tf_temp_dir_cleanup (dir, NULL, &cleanup_error));
  g_assert_error (cleanup_error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);

  g_assert_true (g_initable_init (G_INITABLE (dir), NULL, &error));
  g_assert_true (g_initable_init (G_INITABLE (dir), NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 1);
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);
}

static void
test_dispose_twice (void)
{
  g_autoptr(TfTempDir) dir = make ();

  g_object_run_dispose (G_OBJECT (dir));
  g_assert_false (exists (tf_temp_dir_get_path (dir)));
  g_object_run_dispose (G_OBJECT (dir));
}

static void
assert_refused (const char   *prefix,
                const char   *suffix,
                const char   *dir,
                GIOErrorEnum  code,
                const char   *in_message)
{
  g_autoptr(GError) error = NULL;

  g_assert_null (tf_temp_dir_new (prefix, suffix, dir, NULL, &error));
  g_assert_error (error, G_IO_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, in_message));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
test_bad_place (void)
{
  g_autofree char *too_long = g_strnfill (NAME_MAX, 'x');

  g_assert_true (g_file_set_contents ("file", "", 0, NULL));
  assert_refused ("a/b", NULL, NULL, G_IO_ERROR_INVALID_FILENAME, "a/b");
  assert_refused (NULL, "/b", NULL, G_IO_ERROR_INVALID_FILENAME, "/b");
  assert_refused (too_long, NULL, NULL, G_IO_ERROR_FILENAME_TOO_LONG, "bytes long");
  assert_refused (NULL, NULL, "missing", G_IO_ERROR_NOT_FOUND, "missing");
  assert_refused (NULL, NULL, "missing-\xff", G_IO_ERROR_NOT_FOUND, "missing");
  assert_refused (NULL, NULL, "file", G_IO_ERROR_NOT_DIRECTORY, "file");
  g_assert_cmpint (g_unlink ("file"), ==, 0);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
}

static void
refuse_unwritable_dir (void)
{
  assert_refused (NULL, NULL, "unwritable", G_IO_ERROR_PERMISSION_DENIED, "unwritable");
}

static void
test_unwritable_dir (void)
{
  g_assert_cmpint (g_mkdir ("unwritable", 0555), ==, 0);
  tf_test_as_unprivileged (refuse_unwritable_dir);
  g_assert_cmpint (g_rmdir ("unwritable"), ==, 0);
}

static void
make_with_odd_modes (void)
{
  const guint modes[] = { 0, 0055, 0300, 0500, 0711 };

  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(TfTempDir) dir = g_initable_new (TF_TYPE_TEMP_DIR, NULL, &error, "mode", modes[i], NULL);
      struct stat st;

      g_assert_no_error (error);
      g_assert_cmpint (lstat (tf_temp_dir_get_path (dir), &st), ==, 0);
      g_assert_cmphex (st.st_mode & 0777, ==, modes[i] & ~022);
      g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
      g_assert_no_error (error);
      g_clear_object (&dir);
    }
}

/* Its owner need not be able to open it. */
static void
test_odd_modes (void)
{
  if (tf_test_disk_has_users ())
    tf_test_as_unprivileged (make_with_odd_modes);
  else
    g_test_skip ("nobody owns what it creates");
}

static void
test_no_fds (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempDir) dir = NULL;

  tf_test_take_fds ();
  dir = tf_temp_dir_new (NULL, NULL, tf_test_get_sandbox (), NULL, &error);
  tf_test_give_all_fds ();
  g_assert_null (dir);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
}

static void
test_chdir (void)
{
  g_autoptr(TfTempDir) dir = g_object_new (TF_TYPE_TEMP_DIR, "dir", "sub", NULL);
  g_autofree char *expected = tf_test_path ("sub");
  g_autofree char *parent = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (g_mkdir ("sub", 0700), ==, 0);
  g_assert_cmpint (g_chdir ("/"), ==, 0);
  g_assert_true (g_initable_init (G_INITABLE (dir), NULL, &error));
  parent = g_path_get_dirname (tf_temp_dir_get_path (dir));
  g_assert_cmpstr (parent, ==, expected);
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_chdir (tf_test_get_sandbox ()), ==, 0);
  g_assert_cmpint (g_rmdir ("sub"), ==, 0);
}

static void
test_not_utf8 (void)
{
  g_autofree char *parent = tf_test_path ("\xff");
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempDir) dir = NULL;

  g_assert_cmpint (g_mkdir (parent, 0700), ==, 0);
  dir = tf_temp_dir_new ("\xfe-", "-\xfd", parent, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (tf_temp_dir_get_path (dir), parent));
  g_assert_true (g_str_has_suffix (tf_temp_dir_get_path (dir), "-\xfd"));
  put_file (tf_temp_dir_get_path (dir), "\xfc");
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_rmdir (parent), ==, 0);
}

static void
count (gpointer    object,
       GParamSpec *pspec,
       gpointer    data)
{
  guint *n = data;

  *n += 1;
}

static void
test_auto_cleanup_property (void)
{
  g_autoptr(TfTempDir) dir = g_object_new (TF_TYPE_TEMP_DIR, NULL);
  guint notified = 0;
  gboolean value;

  g_signal_connect (dir, "notify::auto-cleanup", G_CALLBACK (count), &notified);
  g_object_get (dir, "auto-cleanup", &value, NULL);
  g_assert_true (value);

  tf_temp_dir_set_auto_cleanup (dir, TRUE);
  tf_temp_dir_set_auto_cleanup (dir, 2);
  g_assert_cmpuint (notified, ==, 0);

  tf_temp_dir_set_auto_cleanup (dir, FALSE);
  g_assert_false (tf_temp_dir_get_auto_cleanup (dir));
  g_assert_cmpuint (notified, ==, 1);

  g_object_set (dir, "auto-cleanup", TRUE, NULL);
  g_assert_true (tf_temp_dir_get_auto_cleanup (dir));
  g_assert_cmpuint (notified, ==, 2);

  g_assert_finalize_object (g_steal_pointer (&dir));
}

static void
test_ignore_cleanup_errors_property (void)
{
  g_autoptr(TfTempDir) dir = g_object_new (TF_TYPE_TEMP_DIR, NULL);
  guint notified = 0;
  gboolean value;

  g_signal_connect (dir, "notify::ignore-cleanup-errors", G_CALLBACK (count), &notified);
  g_object_get (dir, "ignore-cleanup-errors", &value, NULL);
  g_assert_false (value);

  tf_temp_dir_set_ignore_cleanup_errors (dir, FALSE);
  g_assert_cmpuint (notified, ==, 0);

  tf_temp_dir_set_ignore_cleanup_errors (dir, TRUE);
  g_assert_true (tf_temp_dir_get_ignore_cleanup_errors (dir));
  g_assert_cmpuint (notified, ==, 1);

  g_object_set (dir, "ignore-cleanup-errors", FALSE, NULL);
  g_assert_false (tf_temp_dir_get_ignore_cleanup_errors (dir));
  g_assert_cmpuint (notified, ==, 2);

  g_assert_finalize_object (g_steal_pointer (&dir));
}

static void
test_construct_properties (void)
{
  g_autoptr(TfTempDir) plain = make ();
  g_autoptr(TfTempDir) dir = g_object_new (TF_TYPE_TEMP_DIR,
                                           "dir", tf_test_get_sandbox (), "prefix", "p", "suffix", "s",
                                           "mode", 0750, "auto-cleanup", FALSE, "ignore-cleanup-errors", TRUE,
                                           NULL);
  g_autofree char *dir_name = NULL;
  g_autofree char *prefix = NULL;
  g_autofree char *suffix = NULL;
  g_autofree char *path = NULL;
  g_autoptr(GFile) file = NULL;
  g_autoptr(GError) error = NULL;
  guint mode;
  struct stat st;

  g_object_get (plain, "dir", &dir_name, "prefix", &prefix, "suffix", &suffix, "mode", &mode, NULL);
  g_assert_null (dir_name);
  g_assert_null (prefix);
  g_assert_null (suffix);
  g_assert_cmphex (mode, ==, 0700);

  g_assert_true (g_initable_init (G_INITABLE (dir), NULL, &error));
  g_assert_no_error (error);
  g_object_get (dir, "dir", &dir_name, "prefix", &prefix, "suffix", &suffix, "mode", &mode,
                "path", &path, "file", &file, NULL);
  g_assert_cmpstr (dir_name, ==, tf_test_get_sandbox ());
  g_assert_cmpstr (prefix, ==, "p");
  g_assert_cmpstr (suffix, ==, "s");
  g_assert_cmphex (mode, ==, 0750);
  g_assert_cmpstr (path, ==, tf_temp_dir_get_path (dir));
  g_assert_cmpstr (g_file_peek_path (file), ==, path);
  g_assert_false (tf_temp_dir_get_auto_cleanup (dir));
  g_assert_true (tf_temp_dir_get_ignore_cleanup_errors (dir));
  g_assert_cmpint (lstat (path, &st), ==, 0);
  g_assert_cmphex (st.st_mode & 0777, ==, 0750);
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);
}

/* A child process that is executed does not get the descriptor that holds the directory. */
static void
test_descriptor_is_not_inherited (void)
{
  guint n_fds = tf_test_count_fds ();
  g_autoptr(TfTempDir) dir = make ();
  g_autoptr(GDir) fds = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;

  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds + 1 + count_locks ());
  while ((name = g_dir_read_name (fds)) != NULL)
    {
      g_autofree char *link = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *target = g_file_read_link (link, NULL);

      if (g_strcmp0 (target, tf_temp_dir_get_path (dir)) == 0)
        g_assert_cmpint (fcntl (atoi (name), F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    }
}

static void
assert_dir (TfTempDir  *dir,
            const char *prefix,
            const char *suffix,
            guint       mode)
{
  g_autofree char *parent = g_path_get_dirname (tf_temp_dir_get_path (dir));
  g_autofree char *name = g_path_get_basename (tf_temp_dir_get_path (dir));
  struct stat st;

  g_assert_cmpstr (parent, ==, tf_test_get_sandbox ());
  g_assert_true (g_str_has_prefix (name, prefix));
  g_assert_true (g_str_has_suffix (name, suffix));
  g_assert_cmpint (lstat (tf_temp_dir_get_path (dir), &st), ==, 0);
  g_assert_cmphex (st.st_mode & 0777, ==, mode);
}

static void
test_new_full (void)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempDir) dir = tf_temp_dir_new_full ("p\xff", ".d", ".", 0500, NULL, &error);
  g_autoptr(TfTempDir) created = NULL;

  g_assert_no_error (error);
  assert_dir (dir, "p\xff", ".d", 0500);

  tf_temp_dir_create_full_async ("p\xff", ".d", ".", 0710, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  created = tf_temp_dir_create_full_finish (tf_test_wait (&result), &error);
  g_assert_no_error (error);
  assert_dir (created, "p\xff", ".d", 0710);

  g_assert_null (tf_temp_dir_new_full ("a/b", NULL, NULL, 0700, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME);
  g_clear_error (&error);
  g_clear_object (&result);
  tf_temp_dir_create_full_async (NULL, NULL, "missing", 0700, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  g_assert_null (tf_temp_dir_create_full_finish (tf_test_wait (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

/* Names as bytes, with and without a NUL at the end, beside the other properties. */
static void
test_template_property (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempDir) dir = NULL;
  g_autofree char *prefix = NULL;
  g_autofree char *suffix = NULL;
  GVariant *bytes = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, "p\xff", 2, 1);
  GVariant *names = g_variant_new ("(@may@may@may)",
                                   g_variant_new_maybe (NULL, bytes),
                                   g_variant_new_maybe (G_VARIANT_TYPE_BYTESTRING, NULL),
                                   g_variant_new_maybe (NULL, g_variant_new_bytestring (".")));

  dir = g_initable_new (TF_TYPE_TEMP_DIR, NULL, &error,
                        "suffix", ".d", "prefix", "q", "dir", "/nonexistent", "template", names, NULL);
  g_assert_no_error (error);
  assert_dir (dir, "p\xff", ".d", 0700);
  g_object_get (dir, "prefix", &prefix, "suffix", &suffix, NULL);
  g_assert_cmpstr (prefix, ==, "p\xff");
  g_assert_cmpstr (suffix, ==, ".d");
}

static void
count_notify (guint *n_notified)
{
  (*n_notified)++;
}

/* Once the directory exists, what created it is what the properties tell. */
static void
test_properties_before_and_after_init (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempDir) dir = g_object_new (TF_TYPE_TEMP_DIR, NULL);
  const char *names[] = { "dir", "prefix", "suffix", "mode", "template" };
  guint n_notified = 0;

  g_signal_connect_swapped (dir, "notify", G_CALLBACK (count_notify), &n_notified);
  g_object_set (dir, "dir", NULL, "prefix", NULL, "suffix", NULL, "mode", 0700, "template", NULL, NULL);
  g_assert_cmpuint (n_notified, ==, 0);
  g_object_set (dir, "dir", ".", "prefix", "a-", "suffix", "-z", "mode", 0750, NULL);
  g_assert_cmpuint (n_notified, ==, 4);

  g_assert_true (g_initable_init (G_INITABLE (dir), NULL, &error));
  g_assert_no_error (error);
  assert_dir (dir, "a-", "-z", 0750);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (dir), names[i]);

      g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*path == NULL*");
      g_object_set_property (G_OBJECT (dir), names[i], g_param_spec_get_default_value (pspec));
      g_test_assert_expected_messages ();
    }
  assert_dir (dir, "a-", "-z", 0750);
  g_assert_cmpuint (n_notified, ==, 4);
}

static void
assert_not_built (TfTempDir *dir,
                  const char * const *elements,
                  int        code)
{
  g_autoptr(GError) error = NULL;

  g_assert_null (tf_temp_dir_build_filenamev (dir, elements, &error));
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
test_build_filename (void)
{
  const char * const outside[][3] = {
    { NULL }, { "", NULL }, { ".", NULL }, { "..", NULL }, { "/a", NULL }, { "a/../..", NULL },
    { "a", "..", NULL }, { "a", "/b", NULL }, { "a", "", NULL }, { "\xff/..", NULL },
    { "./", NULL }, { "./.", NULL }, { ".//", NULL }, { "a", "./", NULL },
  };
  const char * const inside[] = { "a", NULL };
  g_autoptr(TfTempDir) blank = g_object_new (TF_TYPE_TEMP_DIR, NULL);
  g_autoptr(TfTempDir) dir = make ();
  g_autoptr(GError) error = NULL;
  g_autofree char *one = tf_temp_dir_build_filename (dir, &error, "\xff", NULL);
  g_autofree char *three = tf_temp_dir_build_filename (dir, &error, "a/", "..b", "c", NULL);
  g_autofree char *dotted = tf_temp_dir_build_filename (dir, &error, "./a", NULL);
  g_autofree char *expected_one = g_strconcat (tf_temp_dir_get_path (dir), "/\xff", NULL);
  g_autofree char *expected_three = g_strconcat (tf_temp_dir_get_path (dir), "/a/..b/c", NULL);

  g_assert_no_error (error);
  g_assert_cmpstr (one, ==, expected_one);
  g_assert_cmpstr (three, ==, expected_three);
  g_assert_true (g_str_has_suffix (dotted, "/a"));

  for (gsize i = 0; i < G_N_ELEMENTS (outside); i++)
    assert_not_built (dir, outside[i], G_IO_ERROR_INVALID_FILENAME);

  assert_not_built (blank, inside, G_IO_ERROR_NOT_INITIALIZED);
  g_assert_null (tf_temp_dir_build_filename (dir, NULL, "a", "..", NULL));
}

/* As those of which the arguments are not a list. */
static void
test_build_filename_refuses (void)
{
  g_autoptr(TfTempDir) dir = make ();
  g_autoptr(GError) set = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "set before");

  g_test_expect_message ("Tf", G_LOG_LEVEL_CRITICAL, "*TF_IS_TEMP_DIR (self)*");
  g_assert_null (tf_temp_dir_build_filename (NULL, NULL, "name", NULL));
  g_test_expect_message ("Tf", G_LOG_LEVEL_CRITICAL, "*error == NULL || *error == NULL*");
  g_assert_null (tf_temp_dir_build_filename (dir, &set, "name", NULL));
  g_test_expect_message ("Tf", G_LOG_LEVEL_CRITICAL, "*first_element*");
  g_assert_null (tf_temp_dir_build_filename (dir, NULL, NULL, NULL));
  g_test_assert_expected_messages ();
}

typedef struct
{
  TfTempDir parent_instance;

  int number;
} Workshop;

typedef struct
{
  TfTempDirClass parent_class;
} WorkshopClass;

GType workshop_get_type (void);

G_DEFINE_TYPE (Workshop, workshop, TF_TYPE_TEMP_DIR)

static void
workshop_class_init (WorkshopClass *klass)
{
}

static void
workshop_init (Workshop *self)
{
  self->number = 7;
}

static void
test_derived (void)
{
  g_autoptr(GError) error = NULL;
  Workshop *workshop = g_initable_new (workshop_get_type (), NULL, &error, "prefix", "shop-", NULL);
  g_autofree char *path = NULL;

  g_assert_no_error (error);
  g_assert_cmpint (workshop->number, ==, 7);
  path = g_strdup (tf_temp_dir_get_path (TF_TEMP_DIR (workshop)));
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_DIR));
  g_assert_finalize_object (G_OBJECT (workshop));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
drop_without_fds_and_exit (void)
{
  TfTempDir *dir;
  TfNamedFile *file;

  tf_test_ignore_leaks ();
  dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  file = tf_named_file_new (NULL, NULL, tf_temp_dir_get_path (dir), NULL, NULL);
  tf_named_file_set_delete_policy (file, TF_DELETE_NEVER);
  g_object_unref (file);
  tf_test_take_fds ();
  g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Removing a temporary directory: *");
  g_object_unref (dir);
  g_test_assert_expected_messages ();
  tf_test_give_all_fds ();
  exit (0);
}

/* What could not be removed when the last reference was dropped is removed when the process exits. */
static void
test_dropped_without_fds (void)
{
  int status;
  pid_t pid;

  fflush (NULL);
  pid = fork ();
  if (pid == 0)
    drop_without_fds_and_exit ();

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
}

static TfTempDir *shared;

static void
use_shared (void)
{
  g_autoptr(TfTempDir) own = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;

  /* The worker may have removed it already. */
  if (!tf_temp_dir_cleanup (shared, NULL, &error))
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  own = make ();
  g_assert_true (tf_temp_dir_is_inherited (shared));
  g_assert_false (tf_temp_dir_is_inherited (own));
  path = tf_temp_dir_keep (shared);
  g_assert_true (tf_temp_dir_cleanup (shared, NULL, NULL));
}

/* It is too late to keep it. */
static void
test_keep_while_cleaning (void)
{
  g_autoptr(TfTempDir) dir = make ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;

  put_file (tf_temp_dir_get_path (dir), "file");
  tf_temp_dir_cleanup_async (dir, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  tf_temp_dir_set_auto_cleanup (dir, FALSE);
  tf_temp_dir_hand_over (dir, 0);
  g_assert_false (tf_temp_dir_is_handed_over (dir));
  path = tf_temp_dir_keep (dir);
  g_assert_true (tf_temp_dir_cleanup_finish (dir, tf_test_wait (&result), &error));
  g_assert_no_error (error);
  g_assert_false (exists (path));
}

/* No worker has it in the child. */
static void
test_fork_while_cleaning (void)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  shared = make ();
  tf_temp_dir_cleanup_async (shared, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  tf_test_in_child (use_shared);
  g_assert_false (tf_temp_dir_is_inherited (shared));
  g_assert_true (tf_temp_dir_cleanup_finish (shared, tf_test_wait (&result), &error));
  g_assert_no_error (error);
  g_clear_object (&shared);
}

int
main (int    argc,
      char **argv)
{
  umask (022);
  tf_test_init_async (&argc, &argv);

  g_test_add_func ("/temp-dir/new", test_new);
  g_test_add_func ("/temp-dir/auto-cleanup", test_auto_cleanup);
  g_test_add_func ("/temp-dir/cleanup", test_cleanup);
  g_test_add_func ("/temp-dir/cancelled", test_cancelled);
  g_test_add_func ("/temp-dir/cancelled-when-empty", test_cancelled_when_empty);
  g_test_add_func ("/temp-dir/keep", test_keep);
  g_test_add_func ("/temp-dir/keep-async", test_keep_async);
  g_test_add_func ("/temp-dir/keep-before-init", test_keep_before_init);
  g_test_add_func ("/temp-dir/already-gone", test_already_gone);
  g_test_add_func ("/temp-dir/stranger", test_stranger);
  g_test_add_func ("/temp-dir/stranger/on-dispose", test_stranger_on_dispose);
  g_test_add_func ("/temp-dir/ignore-cleanup-errors", test_ignore_cleanup_errors);
  g_test_add_func ("/temp-dir/get-child", test_get_child);
  g_test_add_func ("/temp-dir/not-initialized", test_not_initialized);
  g_test_add_func ("/temp-dir/dispose-twice", test_dispose_twice);
  g_test_add_func ("/temp-dir/bad-place", test_bad_place);
  g_test_add_func ("/temp-dir/unwritable-dir", test_unwritable_dir);
  g_test_add_func ("/temp-dir/odd-modes", test_odd_modes);
  g_test_add_func ("/temp-dir/no-fds", test_no_fds);
  g_test_add_func ("/temp-dir/chdir", test_chdir);
  g_test_add_func ("/temp-dir/not-utf8", test_not_utf8);
  g_test_add_func ("/temp-dir/auto-cleanup-property", test_auto_cleanup_property);
  g_test_add_func ("/temp-dir/ignore-cleanup-errors-property", test_ignore_cleanup_errors_property);
  g_test_add_func ("/temp-dir/construct-properties", test_construct_properties);
  g_test_add_func ("/temp-dir/descriptor-is-not-inherited", test_descriptor_is_not_inherited);

  g_test_add_func ("/temp-dir/new-full", test_new_full);
  g_test_add_func ("/temp-dir/template-property", test_template_property);
  g_test_add_func ("/temp-dir/properties-before-and-after-init", test_properties_before_and_after_init);
  g_test_add_func ("/temp-dir/build-filename", test_build_filename);
  g_test_add_func ("/temp-dir/build-filename/refuses", test_build_filename_refuses);
  g_test_add_func ("/temp-dir/derived", test_derived);
  g_test_add_func ("/temp-dir/dropped/without-fds", test_dropped_without_fds);
  g_test_add_func ("/temp-dir/keep-while-cleaning", test_keep_while_cleaning);
  g_test_add_func ("/temp-dir/fork-while-cleaning", test_fork_while_cleaning);

  return tf_test_run ();
}
