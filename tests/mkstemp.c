/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test.h"

/* The three calls, brought to one form. What they create is removed again. */
typedef struct
{
  const char *name;
  char * (*create) (const char  *prefix,
                    const char  *suffix,
                    const char  *dir,
                    GError     **error);
} Call;

static char *
make_file (const char  *prefix,
           const char  *suffix,
           const char  *dir,
           GError     **error)
{
  char *path = (char *) "set before";
  int fd = tf_mkstemp (prefix, suffix, dir, &path, NULL, error);

  g_assert_true ((fd >= 0) == (path != NULL));
  if (fd >= 0)
    {
      g_assert_cmpint (close (fd), ==, 0);
      g_assert_cmpint (unlink (path), ==, 0);
    }

  return path;
}

static char *
make_dir (const char  *prefix,
          const char  *suffix,
          const char  *dir,
          GError     **error)
{
  char *path = tf_mkdtemp (prefix, suffix, dir, NULL, error);

  if (path != NULL)
    g_assert_cmpint (rmdir (path), ==, 0);
  return path;
}

static char *
make_name (const char  *prefix,
           const char  *suffix,
           const char  *dir,
           GError     **error)
{
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  return tf_mktemp (prefix, suffix, dir, error);
  G_GNUC_END_IGNORE_DEPRECATIONS
}

static const Call calls[] = {
  { "mkstemp", make_file },
  { "mkdtemp", make_dir },
  { "mktemp", make_name },
};

static void
assert_path (const char *path,
             const char *dir,
             const char *prefix,
             const char *suffix)
{
  g_autofree char *found_dir = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);

  g_assert_true (g_path_is_absolute (path));
  g_assert_cmpstr (found_dir, ==, dir);
  g_assert_true (g_str_has_prefix (name, prefix));
  g_assert_true (g_str_has_suffix (name, suffix));
  g_assert_cmpuint (strlen (name), ==, strlen (prefix) + 8 + strlen (suffix));
  g_assert_cmpuint (strspn (name + strlen (prefix), "abcdefghijklmnopqrstuvwxyz0123456789_"), >=, 8);
}

static void
test_path (gconstpointer data)
{
  const Call *call = data;
  g_autofree char *sub = tf_test_path ("sub");
  g_autofree char *odd = tf_test_path ("\xff");
  g_autoptr(GError) error = NULL;
  g_autofree char *plain = call->create (NULL, NULL, NULL, &error);
  g_autofree char *named = call->create ("pre-", ".txt", NULL, &error);
  g_autofree char *empty = call->create ("", "", "", &error);
  g_autofree char *relative = NULL;
  g_autofree char *absolute = NULL;
  g_autofree char *not_utf8 = NULL;

  g_assert_no_error (error);
  g_assert_cmpint (g_mkdir ("sub", 0700), ==, 0);
  g_assert_cmpint (g_mkdir ("\xff", 0700), ==, 0);
  relative = call->create (NULL, NULL, "sub", &error);
  absolute = call->create (NULL, NULL, sub, &error);
  not_utf8 = call->create ("\xfe", "\xfd", odd, &error);
  g_assert_no_error (error);

  assert_path (plain, tf_test_get_sandbox (), "tmp", "");
  assert_path (named, tf_test_get_sandbox (), "pre-", ".txt");
  assert_path (empty, tf_test_get_sandbox (), "", "");
  assert_path (relative, sub, "tmp", "");
  assert_path (absolute, sub, "tmp", "");
  assert_path (not_utf8, odd, "\xfe", "\xfd");
  g_assert_cmpint (g_rmdir (sub), ==, 0);
  g_assert_cmpint (g_rmdir (odd), ==, 0);
}

static void
assert_refused (const Call   *call,
                const char   *prefix,
                const char   *suffix,
                const char   *dir,
                GIOErrorEnum  code,
                const char   *in_message)
{
  g_autoptr(GError) error = NULL;
  guint n_entries = tf_test_count_entries (".");

  g_assert_null (call->create (prefix, suffix, dir, &error));
  g_assert_error (error, G_IO_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, in_message));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_cmpuint (tf_test_count_entries ("."), ==, n_entries);
}

static void
test_refused (gconstpointer data)
{
  const Call *call = data;
  g_autofree char *too_long = g_strnfill (NAME_MAX - 8 + 1, 'x');

  g_assert_true (g_file_set_contents ("file", "", 0, NULL));
  assert_refused (call, "a/b", NULL, NULL, G_IO_ERROR_INVALID_FILENAME, "a/b");
  assert_refused (call, NULL, "/b", NULL, G_IO_ERROR_INVALID_FILENAME, "/b");
  assert_refused (call, "../", NULL, NULL, G_IO_ERROR_INVALID_FILENAME, "../");
  assert_refused (call, too_long, "", NULL, G_IO_ERROR_FILENAME_TOO_LONG, "256");
  assert_refused (call, "", too_long, NULL, G_IO_ERROR_FILENAME_TOO_LONG, "256");
  assert_refused (call, NULL, NULL, "file", G_IO_ERROR_NOT_DIRECTORY, "file");
  /* Before anything is looked for. */
  assert_refused (call, "a/b", NULL, "missing", G_IO_ERROR_INVALID_FILENAME, "a/b");
  if (call->create != make_name)
    {
      assert_refused (call, NULL, NULL, "missing", G_IO_ERROR_NOT_FOUND, "missing");
      assert_refused (call, NULL, NULL, "missing-\xff", G_IO_ERROR_NOT_FOUND, "missing");
    }
  g_assert_cmpint (g_unlink ("file"), ==, 0);
}

static void
refuse_unwritable_dir (void)
{
  assert_refused (&calls[0], NULL, NULL, "unwritable", G_IO_ERROR_PERMISSION_DENIED, "unwritable");
  assert_refused (&calls[1], NULL, NULL, "unwritable", G_IO_ERROR_PERMISSION_DENIED, "unwritable");
}

static void
test_unwritable_dir (void)
{
  g_assert_cmpint (g_mkdir ("unwritable", 0555), ==, 0);
  tf_test_as_unprivileged (refuse_unwritable_dir);
  g_assert_cmpint (g_rmdir ("unwritable"), ==, 0);
}

static void
test_nobody_asks (gconstpointer data)
{
  const Call *call = data;

  g_assert_null (call->create ("a/b", NULL, NULL, NULL));
  g_assert_null (call->create (NULL, NULL, "/dev/null", NULL));
}

static void
test_distinct (gconstpointer data)
{
  const Call *call = data;
  g_autoptr(GHashTable) paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (int i = 0; i < 500; i++)
    g_assert_true (g_hash_table_add (paths, call->create (NULL, NULL, NULL, NULL)));
}

/* What the parent has drawn, the child does not draw as well. */
static void
test_distinct_after_fork (gconstpointer data)
{
  const Call *call = data;
  g_autofree char *before = call->create (NULL, NULL, NULL, NULL);
  g_autofree char *ours = NULL;
  char theirs[PATH_MAX] = "";
  int fds[2], status;
  pid_t pid;

  g_assert_cmpint (pipe (fds), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      char *path = call->create (NULL, NULL, NULL, NULL);
      gboolean written = write (fds[1], path, strlen (path)) > 0;

      /* For those who look for leaks at the end of this process, too. */
      g_free (path);
      g_free (before);
      _exit (written ? 0 : 1);
    }

  ours = call->create (NULL, NULL, NULL, NULL);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpint (read (fds[0], theirs, sizeof theirs - 1), ==, strlen (ours));
  g_assert_cmpstr (ours, !=, theirs);
  g_assert_cmpstr (ours, !=, before);
  g_assert_cmpstr (theirs, !=, before);
  close (fds[0]);
  close (fds[1]);
}

static const guint umasks[] = { 0, 0022, 0027, 0077 };

static void
test_file (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (umasks); i++)
    {
      g_autoptr(GError) error = NULL;
      mode_t old_umask = umask (umasks[i]);
      g_autofree char *path = NULL;
      int fd = tf_mkstemp (NULL, NULL, NULL, &path, NULL, &error);
      struct stat by_fd, by_path;

      umask (old_umask);
      g_assert_no_error (error);
      g_assert_cmpint (fstat (fd, &by_fd), ==, 0);
      g_assert_cmpint (lstat (path, &by_path), ==, 0);
      g_assert_cmpuint (by_fd.st_ino, ==, by_path.st_ino);
      g_assert_true (S_ISREG (by_fd.st_mode));
      g_assert_cmphex (by_fd.st_mode & 07777, ==, 0600);
      g_assert_cmpint (by_fd.st_size, ==, 0);
      g_assert_cmpint (fcntl (fd, F_GETFL) & O_ACCMODE, ==, O_RDWR);
      g_assert_cmpint (fcntl (fd, F_GETFL) & O_APPEND, ==, 0);
      g_assert_cmpint (fcntl (fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
      g_assert_cmpint (write (fd, "x", 1), ==, 1);
      g_assert_cmpint (close (fd), ==, 0);
      g_assert_cmpint (unlink (path), ==, 0);
    }
}

static void
test_dir (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (umasks); i++)
    {
      g_autoptr(GError) error = NULL;
      mode_t old_umask = umask (umasks[i]);
      g_autofree char *path = tf_mkdtemp (NULL, NULL, NULL, NULL, &error);
      struct stat st;

      umask (old_umask);
      g_assert_no_error (error);
      g_assert_cmpint (lstat (path, &st), ==, 0);
      g_assert_true (S_ISDIR (st.st_mode));
      g_assert_cmphex (st.st_mode & 0777, ==, 0700);
      g_assert_cmpuint (tf_test_count_entries (path), ==, 0);
      g_assert_cmpint (rmdir (path), ==, 0);
    }
}

static void
create_without_stdin (void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;
  int fd;

  g_assert_cmpint (close (STDIN_FILENO), ==, 0);
  fd = tf_mkstemp (NULL, NULL, NULL, &path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (fd, >, STDERR_FILENO);
  g_assert_cmpint (fcntl (fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
  g_assert_cmpint (fcntl (STDIN_FILENO, F_GETFD), ==, -1);
  g_assert_cmpint (close (fd), ==, 0);
  g_assert_cmpint (unlink (path), ==, 0);
}

/* The only descriptor that is left has the number of a standard stream. */
static void
fail_without_stdin (void)
{
  g_autoptr(GError) error = NULL;
  char *path = NULL;

  tf_test_take_fds ();
  g_assert_cmpint (close (STDIN_FILENO), ==, 0);
  g_assert_cmpint (tf_mkstemp (NULL, NULL, NULL, &path, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_assert_null (path);
  g_assert_cmpint (fcntl (STDIN_FILENO, F_GETFD), ==, -1);
  tf_test_give_all_fds ();
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
test_standard_streams (void)
{
  g_assert_nonnull (tf_get_temp_dir (NULL));
  tf_test_in_child (create_without_stdin);
  tf_test_in_child (fail_without_stdin);
}

static void
test_name_creates_nothing (void)
{
  g_autofree char *path = make_name (NULL, NULL, NULL, NULL);

  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
add_for_each_call (const char    *name,
                   GTestDataFunc  func)
{
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_autofree char *path = g_strdup_printf ("/mkstemp/%s/%s", calls[i].name, name);

      g_test_add_data_func (path, &calls[i], func);
    }
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  add_for_each_call ("path", test_path);
  add_for_each_call ("refused", test_refused);
  add_for_each_call ("nobody-asks", test_nobody_asks);
  add_for_each_call ("distinct", test_distinct);
  add_for_each_call ("distinct-after-fork", test_distinct_after_fork);
  g_test_add_func ("/mkstemp/unwritable-dir", test_unwritable_dir);
  g_test_add_func ("/mkstemp/mkstemp/file", test_file);
  g_test_add_func ("/mkstemp/mkstemp/standard-streams", test_standard_streams);
  g_test_add_func ("/mkstemp/mkdtemp/dir", test_dir);
  g_test_add_func ("/mkstemp/mktemp/creates-nothing", test_name_creates_nothing);

  return tf_test_run ();
}
