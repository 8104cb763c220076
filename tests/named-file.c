/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test-disk.h"
#include "tf-test.h"

static TfNamedFile *
make (TfDeletePolicy policy)
{
  g_autoptr(GError) error = NULL;
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  tf_named_file_set_delete_policy (file, policy);
  return file;
}

static gboolean
exists (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
close_file (TfNamedFile *file)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
}

static void
test_new (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfNamedFile) file = tf_named_file_new ("pre-", ".txt", NULL, NULL, &error);
  const char *path = tf_named_file_get_path (file);
  g_autoptr(GFile) g_file = tf_named_file_get_file (file);
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *dir = g_path_get_dirname (path);
  g_autofree char *content = NULL;
  struct stat st;

  g_assert_no_error (error);
  g_assert_cmpstr (dir, ==, tf_test_get_sandbox ());
  g_assert_true (g_str_has_prefix (name, "pre-"));
  g_assert_true (g_str_has_suffix (name, ".txt"));
  g_assert_cmpstr (g_file_peek_path (g_file), ==, path);
  g_assert_cmpint (lstat (path, &st), ==, 0);
  g_assert_cmphex (st.st_mode & 07777, ==, 0600);

  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "Hello", 5, NULL, &error));
  g_assert_true (g_file_get_contents (path, &content, NULL, &error));
  g_assert_cmpstr (content, ==, "Hello");
  g_assert_no_error (error);
}

static void
test_before_init (void)
{
  g_autoptr(TfNamedFile) file = g_object_new (TF_TYPE_NAMED_FILE, NULL);
  g_autoptr(GFile) g_file = NULL;
  g_autofree char *path = NULL;
  g_autoptr(GError) error = NULL;

  g_object_get (file, "file", &g_file, "path", &path, NULL);
  g_assert_null (g_file);
  g_assert_null (path);
  g_assert_null (tf_named_file_get_path (file));
  g_assert_null (tf_named_file_get_file (file));
  g_assert_false (tf_named_file_unlink (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_assert_null (tf_named_file_keep (file));
}

static void
test_path_and_file (void)
{
  g_autoptr(TfNamedFile) file = make (TF_DELETE_ON_CLOSE);
  g_autoptr(GFile) g_file = NULL;
  g_autofree char *path = NULL;

  g_object_get (file, "file", &g_file, "path", &path, NULL);
  g_assert_cmpstr (path, ==, tf_named_file_get_path (file));
  g_assert_cmpstr (g_file_peek_path (g_file), ==, path);

  close_file (file);
  g_assert_cmpstr (tf_named_file_get_path (file), ==, path);
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
test_delete_policy (void)
{
  g_autoptr(TfNamedFile) file = g_object_new (TF_TYPE_NAMED_FILE, NULL);
  TfDeletePolicy policy;
  guint notified = 0;

  g_signal_connect (file, "notify::delete-policy", G_CALLBACK (count), &notified);

  g_object_get (file, "delete-policy", &policy, NULL);
  g_assert_cmpint (policy, ==, TF_DELETE_ON_CLOSE);
  g_assert_cmpint (tf_named_file_get_delete_policy (file), ==, TF_DELETE_ON_CLOSE);

  tf_named_file_set_delete_policy (file, TF_DELETE_ON_CLOSE);
  g_assert_cmpuint (notified, ==, 0);

  tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
  g_assert_cmpint (tf_named_file_get_delete_policy (file), ==, TF_DELETE_ON_DISPOSE);
  g_assert_cmpuint (notified, ==, 1);

  g_object_set (file, "delete-policy", TF_DELETE_ON_DISPOSE, NULL);
  g_assert_cmpuint (notified, ==, 1);

  g_object_set (file, "delete-policy", TF_DELETE_NEVER, NULL);
  g_object_get (file, "delete-policy", &policy, NULL);
  g_assert_cmpint (policy, ==, TF_DELETE_NEVER);
  g_assert_cmpuint (notified, ==, 2);

  g_assert_finalize_object (g_steal_pointer (&file));
}

static void
test_enum (void)
{
  g_autoptr(GEnumClass) klass = g_type_class_ref (TF_TYPE_DELETE_POLICY);

  g_assert_cmpuint (klass->n_values, ==, 3);
  g_assert_cmpint (g_enum_get_value_by_nick (klass, "on-close")->value, ==, TF_DELETE_ON_CLOSE);
  g_assert_cmpint (g_enum_get_value_by_nick (klass, "on-dispose")->value, ==, TF_DELETE_ON_DISPOSE);
  g_assert_cmpint (g_enum_get_value_by_nick (klass, "never")->value, ==, TF_DELETE_NEVER);
}

static void
test_on_close (void)
{
  g_autoptr(TfNamedFile) closed = make (TF_DELETE_ON_CLOSE);
  g_autoptr(TfNamedFile) dropped = make (TF_DELETE_ON_CLOSE);
  g_autofree char *path = g_strdup (tf_named_file_get_path (dropped));

  g_assert_true (exists (tf_named_file_get_path (closed)));
  close_file (closed);
  g_assert_false (exists (tf_named_file_get_path (closed)));
  close_file (closed);

  g_assert_true (exists (path));
  g_assert_finalize_object (g_steal_pointer (&dropped));
  g_assert_false (exists (path));
}

static void
test_on_dispose (void)
{
  g_autoptr(TfNamedFile) file = make (TF_DELETE_ON_DISPOSE);
  g_autofree char *path = g_strdup (tf_named_file_get_path (file));

  close_file (file);
  g_assert_true (exists (path));
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_false (exists (path));
}

static void
test_never (void)
{
  g_autoptr(TfNamedFile) file = make (TF_DELETE_NEVER);
  g_autofree char *path = g_strdup (tf_named_file_get_path (file));

  close_file (file);
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_true (exists (path));
  g_assert_cmpint (g_unlink (path), ==, 0);
}

/* The file was closed under another policy. */
static void
test_change_of_mind (void)
{
  g_autoptr(TfNamedFile) file = make (TF_DELETE_NEVER);
  g_autofree char *path = g_strdup (tf_named_file_get_path (file));

  close_file (file);
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
  g_assert_true (exists (path));
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_false (exists (path));

  file = make (TF_DELETE_ON_DISPOSE);
  g_free (path);
  path = g_strdup (tf_named_file_get_path (file));
  close_file (file);
  tf_named_file_set_delete_policy (file, TF_DELETE_NEVER);
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_true (exists (path));
  g_assert_cmpint (g_unlink (path), ==, 0);
}

/* Closing was too early for this policy, but it is not too late: the object is still there. */
static void
test_on_close_after_close (void)
{
  g_autoptr(TfNamedFile) file = make (TF_DELETE_NEVER);
  g_autofree char *path = g_strdup (tf_named_file_get_path (file));

  close_file (file);
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_CLOSE);
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_false (exists (path));
}

static void
test_keep (void)
{
  g_autoptr(TfNamedFile) file = make (TF_DELETE_ON_CLOSE);
  guint notified = 0;
  g_autofree char *path = NULL;

  g_signal_connect (file, "notify::delete-policy", G_CALLBACK (count), &notified);
  path = tf_named_file_keep (file);
  g_assert_cmpstr (path, ==, tf_named_file_get_path (file));
  g_assert_cmpint (tf_named_file_get_delete_policy (file), ==, TF_DELETE_NEVER);
  g_assert_cmpuint (notified, ==, 1);

  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_true (exists (path));
  g_assert_cmpint (g_unlink (path), ==, 0);
}

static void
test_unlink (void)
{
  g_autoptr(TfNamedFile) file = make (TF_DELETE_NEVER);
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;

  g_assert_true (tf_named_file_unlink (file, NULL, &error));
  g_assert_false (exists (tf_named_file_get_path (file)));
  g_assert_true (tf_named_file_unlink (file, NULL, &error));

  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "Hello", 5, NULL, &error));
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error));
  bytes = tf_temp_file_read_bytes (TF_TEMP_FILE (file), 5, NULL, &error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "Hello", 5);
  g_assert_no_error (error);
  close_file (file);
}

/* A file that came to the name later is not ours, whatever was there before. */
static void
test_unlinked_name_taken (void)
{
  g_autoptr(TfNamedFile) file = make (TF_DELETE_ON_CLOSE);
  const char *path = tf_named_file_get_path (file);

  g_assert_true (tf_named_file_unlink (file, NULL, NULL));
  g_assert_true (g_file_set_contents (path, "theirs", -1, NULL));
  close_file (file);
  g_assert_true (exists (path));
  g_assert_cmpint (g_unlink (path), ==, 0);
}

static void
test_unlink_after_close (void)
{
  g_autoptr(TfNamedFile) file = make (TF_DELETE_NEVER);
  g_autoptr(GError) error = NULL;

  close_file (file);
  g_assert_true (exists (tf_named_file_get_path (file)));
  g_assert_true (tf_named_file_unlink (file, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (exists (tf_named_file_get_path (file)));
}

static void
test_already_gone (void)
{
  g_autoptr(TfNamedFile) closed = make (TF_DELETE_ON_CLOSE);
  g_autoptr(TfNamedFile) disposed = make (TF_DELETE_ON_DISPOSE);
  g_autoptr(TfNamedFile) unlinked = make (TF_DELETE_NEVER);
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (g_unlink (tf_named_file_get_path (closed)), ==, 0);
  g_assert_cmpint (g_unlink (tf_named_file_get_path (disposed)), ==, 0);
  g_assert_cmpint (g_unlink (tf_named_file_get_path (unlinked)), ==, 0);

  /* The bytes are still there. */
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (closed), "Hello", 5, NULL, &error));
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (closed)), ==, 5);

  g_assert_true (tf_named_file_unlink (unlinked, NULL, &error));
  g_assert_no_error (error);
  close_file (closed);
  g_assert_finalize_object (g_steal_pointer (&disposed));
}

static void
test_dir_gone (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfNamedFile) file = NULL;

  if (!tf_test_disk_unlinks ())
    {
      g_test_skip ("the directory cannot be removed");
      return;
    }

  g_assert_cmpint (g_mkdir ("sub", 0700), ==, 0);
  file = tf_named_file_new (NULL, NULL, "sub", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_unlink (tf_named_file_get_path (file)), ==, 0);
  g_assert_cmpint (g_rmdir ("sub"), ==, 0);
  if (tf_test_disk_knows_removed ())
    {
      close_file (file);
      return;
    }

  /* It may be elsewhere, with the file. */
  g_assert_false (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_nonnull (error);
}

/* Puts something else where the file was. */
static void
put_stranger (TfNamedFile *file,
              const char  *kind)
{
  const char *path = tf_named_file_get_path (file);

  g_assert_cmpint (g_rename (path, "moved"), ==, 0);
  if (strcmp (kind, "file") == 0)
    g_assert_true (g_file_set_contents (path, "theirs", -1, NULL));
  else if (strcmp (kind, "dir") == 0)
    g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  else
    g_assert_cmpint (symlink ("moved", path), ==, 0);
}

static void
remove_stranger (const char *path)
{
  struct stat st;

  g_assert_cmpint (lstat (path, &st), ==, 0);
  g_assert_cmpint (g_remove (path), ==, 0);
  g_assert_cmpint (g_unlink ("moved"), ==, 0);
}

static void
assert_stranger_reported (const GError *error,
                          const char   *path)
{
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_nonnull (strstr (error->message, path));
}

static void
test_stranger (gconstpointer data)
{
  g_autoptr(TfNamedFile) file = make (TF_DELETE_ON_CLOSE);
  const char *path = tf_named_file_get_path (file);
  g_autoptr(GError) error = NULL;
  guint n_fds = tf_test_count_fds ();

  put_stranger (file, data);
  g_assert_false (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  assert_stranger_reported (error, path);
  g_clear_error (&error);

  /* Once is enough. */
  g_assert_true (tf_named_file_unlink (file, NULL, &error));
  g_assert_no_error (error);

  /* Closed all the same. */
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds - 1);
  remove_stranger (path);
}

static void
test_stranger_on_dispose (gconstpointer data)
{
  g_autoptr(TfNamedFile) file = make (TF_DELETE_ON_DISPOSE);
  g_autofree char *path = g_strdup (tf_named_file_get_path (file));

  put_stranger (file, data);
  g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Removing a temporary file: *left alone*");
  g_assert_finalize_object (g_steal_pointer (&file));
  g_test_assert_expected_messages ();
  remove_stranger (path);
}

static void
test_chdir (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfNamedFile) file = NULL;
  g_autofree char *expected_dir = tf_test_path ("sub");
  g_autofree char *dir = NULL;

  g_assert_cmpint (g_mkdir ("sub", 0700), ==, 0);
  file = tf_named_file_new (NULL, NULL, "sub", NULL, &error);
  g_assert_no_error (error);
  dir = g_path_get_dirname (tf_named_file_get_path (file));
  g_assert_cmpstr (dir, ==, expected_dir);
  g_assert_cmpint (g_chdir ("sub"), ==, 0);
  close_file (file);
  g_assert_cmpint (g_chdir (".."), ==, 0);
  g_assert_cmpint (g_rmdir ("sub"), ==, 0);
}

static void
test_not_utf8 (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfNamedFile) file = tf_named_file_new ("\xff-", "-\xfe", NULL, NULL, &error);
  g_autofree char *path = NULL;
  g_autoptr(GFile) g_file = tf_named_file_get_file (file);

  g_assert_no_error (error);
  g_assert_true (exists (tf_named_file_get_path (file)));
  g_assert_nonnull (strstr (tf_named_file_get_path (file), "/\xff-"));
  g_assert_true (g_str_has_suffix (tf_named_file_get_path (file), "-\xfe"));
  g_object_get (file, "path", &path, NULL);
  g_assert_cmpstr (path, ==, tf_named_file_get_path (file));
  g_assert_cmpstr (g_file_peek_path (g_file), ==, path);

  g_assert_cmpint (g_rename (path, "moved"), ==, 0);
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  g_assert_false (tf_named_file_unlink (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_unlink ("moved"), ==, 0);
}

static void
keep_from_removing (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, "dir", NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (g_chmod ("dir", 0555), ==, 0);
  g_assert_false (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (error->message, tf_named_file_get_path (file)));

  /* A second chance. */
  g_clear_error (&error);
  g_assert_cmpint (g_chmod ("dir", 0777), ==, 0);
  g_assert_true (tf_named_file_unlink (file, NULL, &error));
  g_assert_no_error (error);
  g_clear_object (&file);
}

static void
make_own_dir_and_keep_from_removing (void)
{
  g_assert_cmpint (g_mkdir ("dir", 0700), ==, 0);
  keep_from_removing ();
  g_assert_cmpint (g_rmdir ("dir"), ==, 0);
}

static void
test_unwritable_dir (void)
{
  if (tf_test_disk_has_users () && tf_test_disk_has_modes ())
    tf_test_as_unprivileged (make_own_dir_and_keep_from_removing);
  else
    g_test_skip ("nobody can close a directory");
}

/* What is still open for writing cannot be executed. */
static void
test_executable (void)
{
  const char script[] = "#!/bin/sh\nexit 42\n";
  g_autoptr(GError) error = NULL;
  g_autoptr(TfNamedFile) file = g_initable_new (TF_TYPE_NAMED_FILE, NULL, &error, "mode", 0700, NULL);
  int status;

  g_assert_no_error (error);
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), script, strlen (script), NULL, &error));
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);

  if (!g_spawn_command_line_sync (tf_named_file_get_path (file), NULL, NULL, &status, &error) &&
      g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_ACCES))
    {
      g_test_skip ("nothing can be executed in this file system");
      return;
    }

  g_assert_no_error (error);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 42);
}

static void
test_template (void)
{
  g_autoptr(GError) error = NULL;
  GVariant *names = g_variant_new ("(m@aym@aym@ay)",
                                   g_variant_new_bytestring ("p\xff"), g_variant_new_bytestring ("s"),
                                   g_variant_new_bytestring ("."));
  g_autoptr(TfNamedFile) file = g_initable_new (TF_TYPE_NAMED_FILE, NULL, &error,
                                                "mode", 0640, "prefix", "q", "template", names, NULL);
  g_autofree char *name = NULL;

  g_assert_no_error (error);
  name = g_path_get_basename (tf_named_file_get_path (file));
  g_assert_true (g_path_is_absolute (tf_named_file_get_path (file)));
  g_assert_true (g_str_has_prefix (name, "p\xff"));
  g_assert_true (g_str_has_suffix (name, "s"));
}

/* What another program has written is seen after a flush, in each way of reading. */
static void
test_flush_refreshes (void)
{
  g_autoptr(TfNamedFile) file = g_object_new (TF_TYPE_NAMED_FILE, "buffered", TRUE, NULL);
  TfTempFile *base = TF_TEMP_FILE (file);
  gsize n_bytes;
  char bytes[3];
  int fd;

  g_assert_true (g_initable_init (G_INITABLE (file), NULL, NULL));
  g_assert_true (tf_temp_file_write (base, "abcdef", 6, NULL, NULL));
  g_assert_true (tf_temp_file_flush (base, NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (base), 0, G_SEEK_SET, NULL, NULL));
  g_assert_cmpint (tf_temp_file_fill (base, 1, NULL, NULL), >=, 1);
  g_assert_cmpint (tf_temp_file_read (base, bytes, 1, NULL, NULL), ==, 1);

  fd = open (tf_named_file_get_path (file), O_WRONLY);
  g_assert_cmpint (write (fd, "XYZ", 3), ==, 3);
  close (fd);

  g_assert_true (tf_temp_file_flush (base, NULL, NULL));
  g_assert_cmpint (tf_temp_file_fill (base, 2, NULL, NULL), >=, 2);
  g_assert_cmpmem (tf_temp_file_peek (base, &n_bytes), 1, "Y", 1);
  g_assert_cmpint (tf_temp_file_read (base, bytes, 2, NULL, NULL), ==, 2);
  g_assert_cmpmem (bytes, 2, "YZ", 2);
}

static void
append_name (GObject    *object,
             GParamSpec *pspec,
             GString    *names)
{
  g_string_append_printf (names, "%s ", pspec->name);
}

static void
test_template_notifies (void)
{
  g_autoptr(TfNamedFile) file = g_object_new (TF_TYPE_NAMED_FILE, "suffix", "s", NULL);
  g_autoptr(GString) names = g_string_new (NULL);

  g_signal_connect (file, "notify", G_CALLBACK (append_name), names);
  g_object_set (file, "template", g_variant_new_parsed ("(just b'p', just b's', just b'/')"), NULL);
  g_assert_true (g_str_equal (names->str, "prefix dir ") || g_str_equal (names->str, "dir prefix "));
  g_string_truncate (names, 0);
  g_object_set (file, "template", g_variant_new_parsed ("@(maymaymay) (b'p', nothing, b'/')"), NULL);
  g_assert_cmpstr (names->str, ==, "");
}

static void
test_invalid_policy (void)
{
  g_autoptr(TfNamedFile) file = make (TF_DELETE_ON_CLOSE);

  g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*policy*");
  tf_named_file_set_delete_policy (file, TF_DELETE_NEVER + 1);
  g_test_assert_expected_messages ();
  g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*policy*");
  g_assert_null (tf_named_file_new_full (NULL, NULL, NULL, 0600, TF_DELETE_NEVER + 1, NULL, NULL));
  g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*policy*");
  tf_named_file_create_full_async (NULL, NULL, NULL, 0600, TF_DELETE_NEVER + 1, 0, NULL, NULL, NULL);
  g_test_assert_expected_messages ();
  g_assert_cmpint (tf_named_file_get_delete_policy (file), ==, TF_DELETE_ON_CLOSE);
}

static void
assert_refuses_template (gpointer file)
{
  GVariant *names = g_variant_new_parsed ("(just b'p', just b's', just b'/nonexistent')");
  g_autofree char *prefix = NULL;
  g_autofree char *suffix = NULL;
  g_autofree char *dir = NULL;

  g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*tf_store_has_place*");
  g_object_set (file, "template", names, NULL);
  g_test_assert_expected_messages ();
  g_object_get (file, "prefix", &prefix, "suffix", &suffix, "dir", &dir, NULL);
  g_assert_null (prefix);
  g_assert_null (suffix);
  g_assert_null (dir);
}

/* Once the file is on disk, what created it is what the properties tell. */
static void
test_template_afterwards (void)
{
  g_autoptr(TfNamedFile) named = make (TF_DELETE_ON_CLOSE);
  g_autoptr(TfTempFile) unnamed = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(TfSpooledFile) spooled = tf_spooled_file_new (-1);

  g_assert_true (tf_spooled_file_rollover (spooled, NULL, NULL));
  assert_refuses_template (named);
  assert_refuses_template (unnamed);
  assert_refuses_template (spooled);
  close_file (named);
  assert_refuses_template (named);
}

static void
test_new_full (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfNamedFile) file = tf_named_file_new_full ("p\xff", ".s", ".", 0440, TF_DELETE_ON_DISPOSE, NULL, &error);
  g_autofree char *name = NULL;
  struct stat st;

  g_assert_no_error (error);
  name = g_path_get_basename (tf_named_file_get_path (file));
  g_assert_true (g_str_has_prefix (name, "p\xff"));
  g_assert_true (g_str_has_suffix (name, ".s"));
  g_assert_cmpint (lstat (tf_named_file_get_path (file), &st), ==, 0);
  g_assert_cmphex (st.st_mode & 07777, ==, 0440);
  g_assert_cmpint (tf_named_file_get_delete_policy (file), ==, TF_DELETE_ON_DISPOSE);
  close_file (file);
  g_assert_true (exists (tf_named_file_get_path (file)));

  g_assert_null (tf_named_file_new_full (NULL, NULL, "missing", 0600, TF_DELETE_NEVER, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void
test_new_from_bytes (void)
{
  g_autoptr(GBytes) bytes = g_bytes_new_static ("Hello\0world", 11);
  g_autoptr(GBytes) empty = g_bytes_new (NULL, 0);
  g_autoptr(GBytes) read = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(TfNamedFile) file = tf_named_file_new_from_bytes (bytes, "p", ".s", ".", NULL, &error);
  g_autoptr(TfNamedFile) empty_file = tf_named_file_new_from_bytes (empty, NULL, NULL, NULL, NULL, &error);
  g_autofree char *content = NULL;
  gsize length;

  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (tf_named_file_get_path (file), &content, &length, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (content, length, "Hello\0world", 11);

  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 0);
  read = tf_temp_file_read_bytes (TF_TEMP_FILE (file), 100, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (read, bytes));
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (empty_file)), ==, 0);
}

/* Nothing is left of a file that did not get its bytes. */
static void
test_new_from_bytes_fails (void)
{
  g_autofree char *large = g_strnfill (100000, 'x');
  g_autoptr(GBytes) bytes = g_bytes_new_static (large, 100000);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_nonnull (tf_get_temp_dir (NULL));
  tf_test_limit_file_size (4096);
  g_assert_null (tf_named_file_new_from_bytes (bytes, NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);

  tf_named_file_create_from_bytes_async (bytes, NULL, NULL, NULL, G_PRIORITY_DEFAULT, NULL,
                                         tf_test_take_result, &result);
  g_assert_null (tf_named_file_create_from_bytes_finish (tf_test_wait (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);
  tf_test_unlimit_file_size ();

  g_cancellable_cancel (cancellable);
  g_assert_null (tf_named_file_new_from_bytes (bytes, NULL, NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
test_no_fds (void)
{
  g_autoptr(GBytes) bytes = g_bytes_new_static ("x", 1);
  g_autoptr(GError) error = NULL;

  if (g_getenv ("TF_TEST_VALGRIND") != NULL)
    {
      g_test_skip ("Valgrind lets the kernel create a file, and then has no descriptor for it");
      return;
    }

  g_assert_nonnull (tf_get_temp_dir (NULL));
  tf_test_take_fds ();
  g_assert_null (tf_named_file_new_from_bytes (bytes, NULL, NULL, NULL, NULL, &error));
  tf_test_give_all_fds ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static gboolean
unlink_async (TfNamedFile   *file,
              GCancellable  *cancellable,
              GError       **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  tf_named_file_unlink_async (file, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, &result);
  return tf_named_file_unlink_finish (file, tf_test_wait (&result), error);
}

static void
test_unlink_async (void)
{
  g_autoptr(TfNamedFile) open_file = make (TF_DELETE_ON_CLOSE);
  g_autoptr(TfNamedFile) closed = make (TF_DELETE_NEVER);
  g_autoptr(GError) error = NULL;

  g_assert_true (unlink_async (open_file, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (unlink_async (open_file, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (open_file), "x", 1, NULL, &error));

  close_file (closed);
  g_assert_true (unlink_async (closed, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
keep (TfNamedFile *file)
{
  g_free (tf_named_file_keep (file));
}

static void
set_never (TfNamedFile *file)
{
  tf_named_file_set_delete_policy (file, TF_DELETE_NEVER);
}

static void
save (TfNamedFile *file)
{
  g_autoptr(GFile) saved = g_file_new_for_path ("saved");
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), saved, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
}

/* The worker begins before or after it. */
static void
check_unlink_and (TfDeletePolicy policy,
                  void (*keep_somehow) (TfNamedFile *file))
{
  for (guint i = 0; i < 60; i++)
    {
      g_autoptr(TfNamedFile) file = make (policy);
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;
      gboolean was_there;

      tf_named_file_unlink_async (file, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
      keep_somehow (file);
      was_there = exists (tf_named_file_get_path (file));

      if (!tf_named_file_unlink_finish (file, tf_test_wait (&result), &error))
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_true (exists (tf_named_file_get_path (file)) == was_there);
      g_assert_true (error == NULL || was_there);
      g_unlink (tf_named_file_get_path (file));
    }

  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
test_unlink_and_keep (void)
{
  const TfDeletePolicy policies[] = { TF_DELETE_ON_CLOSE, TF_DELETE_NEVER };

  for (gsize i = 0; i < G_N_ELEMENTS (policies); i++)
    {
      check_unlink_and (policies[i], keep);
      check_unlink_and (policies[i], set_never);
      check_unlink_and (policies[i], save);
    }
}

static void
test_unlink_fails (void)
{
  g_autoptr(TfNamedFile) blank = g_object_new (TF_TYPE_NAMED_FILE, NULL);
  g_autoptr(TfNamedFile) file = make (TF_DELETE_NEVER);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  g_assert_false (unlink_async (blank, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);

  g_cancellable_cancel (cancellable);
  g_assert_false (tf_named_file_unlink (file, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (unlink_async (file, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_true (exists (tf_named_file_get_path (file)));

  g_assert_cmpint (g_unlink (tf_named_file_get_path (file)), ==, 0);
  g_assert_cmpint (symlink ("target", tf_named_file_get_path (file)), ==, 0);
  g_assert_false (unlink_async (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpint (g_unlink (tf_named_file_get_path (file)), ==, 0);
}

typedef struct
{
  TfNamedFile parent_instance;

  int number;
} Report;

typedef struct
{
  TfNamedFileClass parent_class;
} ReportClass;

GType report_get_type (void);

G_DEFINE_TYPE (Report, report, TF_TYPE_NAMED_FILE)

static void
report_class_init (ReportClass *klass)
{
}

static void
report_init (Report *self)
{
  self->number = 7;
}

static void
test_derived (void)
{
  g_autoptr(GError) error = NULL;
  Report *report = g_initable_new (report_get_type (), NULL, &error, "suffix", ".txt", NULL);
  g_autofree char *path = NULL;

  g_assert_no_error (error);
  g_assert_cmpint (report->number, ==, 7);
  path = g_strdup (tf_named_file_get_path (TF_NAMED_FILE (report)));
  g_assert_true (g_str_has_suffix (path, ".txt"));
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (report), "x", 1, NULL, &error));
  g_assert_no_error (error);
  g_assert_finalize_object (G_OBJECT (report));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

typedef Report Unclosing;
typedef ReportClass UnclosingClass;

GType unclosing_get_type (void);

G_DEFINE_TYPE (Unclosing, unclosing, TF_TYPE_NAMED_FILE)

/* As a binding may do for a method that it cannot call any more: fails without an error. */
static gboolean
unclosing_close (GIOStream     *stream,
                 GCancellable  *cancellable,
                 GError       **error)
{
  return FALSE;
}

static void
unclosing_class_init (UnclosingClass *klass)
{
  G_IO_STREAM_CLASS (klass)->close_fn = unclosing_close;
}

static void
unclosing_init (Unclosing *self)
{
}

static void
expect_no_reason (void)
{
  g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Closing a temporary file: No reason was given");
}

/* A derived class that does not close is dropped without a loss. */
static void
test_derived_without_close (void)
{
  TfNamedFile *file = g_initable_new (unclosing_get_type (), NULL, NULL, NULL);
  g_autofree char *path = g_strdup (tf_named_file_get_path (file));
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "x", 1, NULL, NULL));
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
  expect_no_reason ();
  bytes = tf_temp_file_steal_bytes (TF_TEMP_FILE (file), NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "x", 1);
  g_assert_finalize_object (file);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));

  file = g_initable_new (unclosing_get_type (), NULL, NULL, NULL);
  expect_no_reason ();
  g_assert_finalize_object (file);
  g_test_assert_expected_messages ();
}

/* Closing it asynchronously comes to an end. */
static void
test_derived_without_close_async (void)
{
  g_autoptr(TfNamedFile) file = g_initable_new (unclosing_get_type (), NULL, NULL, NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_io_stream_close_async (G_IO_STREAM (file), 0, NULL, tf_test_take_result, &result);
  g_assert_false (g_io_stream_close_finish (G_IO_STREAM (file), tf_test_wait (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static gsize
count_bytes_at (TfNamedFile *file)
{
  g_autofree char *content = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (tf_named_file_get_path (file), &content, &size, NULL));
  return size;
}

/* What others see, and when. */
static void
test_buffered (void)
{
  g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  g_autoptr(TfNamedFile) buffered = g_initable_new (TF_TYPE_NAMED_FILE, NULL, NULL, "buffered", TRUE, NULL);
  g_autofree char *large = g_strnfill (70000, 'x');
  g_autoptr(GError) error = NULL;
  gboolean is_buffered;

  g_object_get (file, "buffered", &is_buffered, NULL);
  g_assert_false (is_buffered);
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "now", 3, NULL, NULL));
  g_assert_cmpuint (count_bytes_at (file), ==, 3);

  g_object_get (buffered, "buffered", &is_buffered, NULL);
  g_assert_true (is_buffered);
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (buffered), "later", 5, NULL, NULL));
  g_assert_cmpuint (count_bytes_at (buffered), ==, 0);
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (buffered)), ==, 5);
  g_assert_true (tf_temp_file_flush (TF_TEMP_FILE (buffered), NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count_bytes_at (buffered), ==, 5);

  /* What is too large is not held back. */
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (buffered), large, 70000, NULL, NULL));
  g_assert_cmpuint (count_bytes_at (buffered), ==, 70005);

  /* Others can make it longer. */
  g_assert_cmpint (truncate (tf_named_file_get_path (buffered), 80000), ==, 0);
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (buffered)), ==, 80000);
}

static void
test_buffered_close (void)
{
  g_autoptr(TfNamedFile) file = g_initable_new (TF_TYPE_NAMED_FILE, NULL, NULL, "buffered", TRUE, NULL);
  g_autofree char *path = tf_named_file_keep (file);
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "closed", 6, NULL, NULL));
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count_bytes_at (file), ==, 6);
  g_assert_cmpint (g_unlink (path), ==, 0);
}

/* There is nothing to keep yet: what is created afterwards is removed as usual. */
static void
test_keep_before_init (void)
{
  g_autoptr(TfNamedFile) file = g_object_new (TF_TYPE_NAMED_FILE, NULL);
  g_autoptr(GError) error = NULL;

  g_assert_null (tf_named_file_keep (file));
  g_assert_cmpint (tf_named_file_get_delete_policy (file), ==, TF_DELETE_ON_CLOSE);
  g_assert_true (g_initable_init (G_INITABLE (file), NULL, &error));
  g_assert_no_error (error);
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  g_test_add_func ("/named-file/new", test_new);
  g_test_add_func ("/named-file/before-init", test_before_init);
  g_test_add_func ("/named-file/template", test_template);
  g_test_add_func ("/named-file/flush-refreshes", test_flush_refreshes);
  g_test_add_func ("/named-file/template/notifies", test_template_notifies);
  g_test_add_func ("/named-file/policy/invalid", test_invalid_policy);
  g_test_add_func ("/named-file/template-afterwards", test_template_afterwards);
  g_test_add_func ("/named-file/path-and-file", test_path_and_file);
  g_test_add_func ("/named-file/delete-policy", test_delete_policy);
  g_test_add_func ("/named-file/enum", test_enum);
  g_test_add_func ("/named-file/on-close", test_on_close);
  g_test_add_func ("/named-file/on-dispose", test_on_dispose);
  g_test_add_func ("/named-file/never", test_never);
  g_test_add_func ("/named-file/change-of-mind", test_change_of_mind);
  g_test_add_func ("/named-file/on-close-after-close", test_on_close_after_close);
  g_test_add_func ("/named-file/keep", test_keep);
  g_test_add_func ("/named-file/unlink", test_unlink);
  g_test_add_func ("/named-file/unlinked-name-taken", test_unlinked_name_taken);
  g_test_add_func ("/named-file/unlink-after-close", test_unlink_after_close);
  g_test_add_func ("/named-file/already-gone", test_already_gone);
  g_test_add_func ("/named-file/dir-gone", test_dir_gone);
  g_test_add_data_func ("/named-file/stranger/file", "file", test_stranger);
  g_test_add_data_func ("/named-file/stranger/dir", "dir", test_stranger);
  g_test_add_data_func ("/named-file/stranger/symlink", "symlink", test_stranger);
  g_test_add_data_func ("/named-file/stranger-on-dispose/file", "file", test_stranger_on_dispose);
  g_test_add_data_func ("/named-file/stranger-on-dispose/symlink", "symlink", test_stranger_on_dispose);
  g_test_add_func ("/named-file/chdir", test_chdir);
  g_test_add_func ("/named-file/not-utf8", test_not_utf8);
  g_test_add_func ("/named-file/unwritable-dir", test_unwritable_dir);
  g_test_add_func ("/named-file/executable", test_executable);

  g_test_add_func ("/named-file/new-full", test_new_full);
  g_test_add_func ("/named-file/new-from-bytes", test_new_from_bytes);
  g_test_add_func ("/named-file/new-from-bytes-fails", test_new_from_bytes_fails);
  g_test_add_func ("/named-file/no-fds", test_no_fds);
  tf_test_add_async ("/named-file/unlink-async", test_unlink_async);
  g_test_add_func ("/named-file/unlink-and-keep", test_unlink_and_keep);
  g_test_add_func ("/named-file/unlink-fails", test_unlink_fails);
  g_test_add_func ("/named-file/derived", test_derived);
  g_test_add_func ("/named-file/derived/without-close", test_derived_without_close);
  tf_test_add_async ("/named-file/derived/without-close-async", test_derived_without_close_async);
  g_test_add_func ("/named-file/buffered", test_buffered);
  g_test_add_func ("/named-file/buffered-close", test_buffered_close);

  g_test_add_func ("/named-file/keep-before-init", test_keep_before_init);

  return tf_test_run ();
}
