/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "names/tf-open.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "tf-test.h"

static guint n_fills;
static GCancellable *cancel_at_fifth; /* (nullable) */

static const TfTemplate here = { .dir = (char *) ".", .mode = 0600 };

/* The first name is …aaaaaaaa, the second …bbbbbbbb. */
static gboolean
fill_with_count (guint8 *bytes,
                 gsize   n_bytes)
{
  memset (bytes, n_fills++, n_bytes);
  return TRUE;
}

static gboolean
fill_always_alike (guint8 *bytes,
                   gsize   n_bytes)
{
  memset (bytes, 0, n_bytes);
  n_fills++;
  if (n_fills == 5 && cancel_at_fifth != NULL)
    g_cancellable_cancel (cancel_at_fifth);
  return TRUE;
}

typedef struct
{
  const char *name;
  gboolean (*create) (const TfTemplate  *template,
                      GCancellable      *cancellable,
                      GError           **error);
} Way;

static gboolean
create_named (const TfTemplate  *template,
              GCancellable      *cancellable,
              GError           **error)
{
  g_autofree char *path = NULL;
  tf_autofd int fd = tf_open_named (template, NULL, &path, cancellable, error);

  g_assert_true ((fd >= 0) == (path != NULL));
  return path != NULL && g_unlink (path) == 0;
}

static gboolean
create_unnamed (const TfTemplate  *template,
                GCancellable      *cancellable,
                GError           **error)
{
  tf_autofd int fd = tf_open_unnamed (template, cancellable, error);

  return fd >= 0;
}

static gboolean
create_unlinked (const TfTemplate  *template,
                 GCancellable      *cancellable,
                 GError           **error)
{
  gboolean success;

  tf_system_missing = TF_SYSTEM_TMPFILE;
  success = create_unnamed (template, cancellable, error);
  tf_system_missing = 0;
  return success;
}

static gboolean
create_dir (const TfTemplate  *template,
            GCancellable      *cancellable,
            GError           **error)
{
  g_autofree char *path = tf_open_make_dir (template, NULL, cancellable, error);

  return path != NULL && g_rmdir (path) == 0;
}

static gboolean
create_recorded_dir (const TfTemplate  *template,
                     GCancellable      *cancellable,
                     GError           **error)
{
  TfRegistryNode node = { NULL, };
  g_auto(TfOpenName) name = { .node = &node };
  g_autofree char *path = tf_open_make_dir (template, &name, cancellable, error);

  g_assert_true ((name.parent != NULL) == (path != NULL));
  if (path == NULL)
    return FALSE;

  tf_registry_end (&node, FALSE);
  return g_rmdir (path) == 0;
}

static gboolean
find_free_name (const TfTemplate  *template,
                GCancellable      *cancellable,
                GError           **error)
{
  g_autofree char *path = tf_open_free_name (template, error);

  return path != NULL;
}

static void
create_in_lost_dir (void)
{
  const TfTemplate relative = { .dir = (char *) "sub", .mode = 0600 };
  g_autofree char *path = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (g_mkdir ("lost", 0700), ==, 0);
  g_assert_cmpint (chdir ("lost"), ==, 0);
  g_assert_cmpint (g_rmdir ("../lost"), ==, 0);
  g_assert_cmpint (tf_open_named (&relative, NULL, &path, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_null (path);
}

/* A relative path leads nowhere once the current directory is gone. */
static void
test_lost_dir (void)
{
  tf_test_in_child (create_in_lost_dir);
}

static const Way ways[] = {
  { "named", create_named },
  { "unnamed", create_unnamed },
  { "unlinked", create_unlinked },
  { "dir", create_dir },
  { "recorded-dir", create_recorded_dir },
  { "free-name", find_free_name },
};

static void
assert_nothing_left (void)
{
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
assert_fails (const Way        *way,
              const TfTemplate *template,
              GIOErrorEnum      code,
              const char       *in_message)
{
  g_autoptr(GError) error = NULL;
  guint n_fds = tf_test_count_fds ();
  guint n_entries = tf_test_count_entries (".");

  g_assert_false (way->create (template, NULL, &error));
  g_assert_error (error, G_IO_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, in_message));
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, n_entries);
}

static void
test_works (gconstpointer data)
{
  const Way *way = data;
  g_autoptr(GError) error = NULL;

  g_assert_true (way->create (&here, NULL, &error));
  g_assert_no_error (error);
  assert_nothing_left ();
}

static void
test_bad_dir (gconstpointer data)
{
  const Way *way = data;
  const TfTemplate missing = { .dir = (char *) "missing", .mode = 0600 };
  const TfTemplate file = { .dir = (char *) "file", .mode = 0600 };

  g_assert_true (g_file_set_contents ("file", "", 0, NULL));
  assert_fails (way, &file, G_IO_ERROR_NOT_DIRECTORY, "file");
  /* There is nothing at a path of which a part is missing: a free name. */
  if (way->create != find_free_name)
    assert_fails (way, &missing, G_IO_ERROR_NOT_FOUND, "missing/");
  g_assert_cmpint (g_unlink ("file"), ==, 0);
}

static void
refuse_unwritable_dir (void)
{
  const TfTemplate unwritable = { .dir = (char *) "unwritable", .mode = 0600 };

  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    if (ways[i].create != find_free_name)
      assert_fails (&ways[i], &unwritable, G_IO_ERROR_PERMISSION_DENIED, "unwritable");
}

static void
test_unwritable_dir (void)
{
  g_assert_cmpint (g_mkdir ("unwritable", 0555), ==, 0);
  tf_test_as_unprivileged (refuse_unwritable_dir);
  g_assert_cmpint (g_rmdir ("unwritable"), ==, 0);
}

static void
test_bad_name (gconstpointer data)
{
  const TfTemplate slash = { .dir = (char *) ".", .prefix = (char *) "../x", .mode = 0600 };
  g_autofree char *too_long = g_strnfill (NAME_MAX, 'x');
  const TfTemplate long_name = { .dir = (char *) ".", .suffix = too_long, .mode = 0600 };

  assert_fails (data, &slash, G_IO_ERROR_INVALID_FILENAME, "../x");
  assert_fails (data, &long_name, G_IO_ERROR_FILENAME_TOO_LONG, "bytes long");
}

static void
test_long_path (gconstpointer data)
{
  g_autofree char *dir = g_strnfill (PATH_MAX, '/');
  const TfTemplate template = { .dir = dir, .mode = 0600 };

  assert_fails (data, &template, G_IO_ERROR_FILENAME_TOO_LONG, "//");
}

static void
test_cancelled (gconstpointer data)
{
  const Way *way = data;
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  if (way->create == find_free_name)
    return;

  g_cancellable_cancel (cancellable);
  g_assert_false (way->create (&here, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_nothing_left ();
}

/* Runs @way when the only name that ever comes up is taken. */
static void
create_at_taken_name (const Way     *way,
                      GCancellable  *cancellable,
                      GError       **error)
{
  gboolean (*fill_random) (guint8 *, gsize) = tf_template_fill_random;

  g_assert_cmpint (g_mkdir ("tmpaaaaaaaa", 0700), ==, 0);
  n_fills = 0;
  tf_template_fill_random = fill_always_alike;
  g_assert_false (way->create (&here, cancellable, error));
  tf_template_fill_random = fill_random;
  g_assert_cmpint (g_rmdir ("tmpaaaaaaaa"), ==, 0);
  assert_nothing_left ();
}

static void
test_all_names_taken (gconstpointer data)
{
  const Way *way = data;
  g_autoptr(GError) error = NULL;

  if (way->create == create_unnamed)
    return;

  create_at_taken_name (way, NULL, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_nonnull (strstr (error->message, tf_test_get_sandbox ()));
  g_assert_cmpuint (n_fills, ==, 10000);
}

static void
test_cancelled_while_trying (gconstpointer data)
{
  const Way *way = data;
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  if (way->create == create_unnamed || way->create == find_free_name)
    return;

  cancel_at_fifth = cancellable;
  create_at_taken_name (way, cancellable, &error);
  cancel_at_fifth = NULL;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (n_fills, ==, 5);
}

static void
test_no_fds (gconstpointer data)
{
  const Way *way = data;
  g_autoptr(GError) error = NULL;
  gboolean needs_fd = (way->create != create_dir && way->create != create_recorded_dir &&
                       way->create != find_free_name) || tf_test_is_portable ();
  gboolean success;

  tf_test_take_fds ();
  success = way->create (&here, NULL, &error);
  tf_test_give_all_fds ();
  tf_test_remove_what_valgrind_made ();

  g_assert_true (success == !needs_fd);
  if (needs_fd)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  assert_nothing_left ();
}

/* Whatever stands at a name, a symlink too, only makes another name be tried. */
static void
test_taken_name (gconstpointer data)
{
  const Way *way = data;
  gboolean (*fill_random) (guint8 *, gsize) = tf_template_fill_random;
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (symlink ("target", "tmpaaaaaaaa"), ==, 0);
  g_assert_true (g_file_set_contents ("tmpbbbbbbbb", "theirs", -1, NULL));
  n_fills = 0;
  tf_template_fill_random = fill_with_count;
  g_assert_true (way->create (&here, NULL, &error));
  tf_template_fill_random = fill_random;
  g_assert_no_error (error);
  g_assert_cmpuint (n_fills, ==, way->create == create_unnamed && !tf_test_is_portable () ? 0 : 3);

  g_assert_false (g_file_test ("target", G_FILE_TEST_EXISTS));
  g_assert_cmpint (g_unlink ("tmpaaaaaaaa"), ==, 0);
  g_assert_cmpint (g_unlink ("tmpbbbbbbbb"), ==, 0);
  assert_nothing_left ();
}

static void
assert_file (int     fd,
             guint   mode,
             nlink_t n_links)
{
  struct stat st;

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (fstat (fd, &st), ==, 0);
  g_assert_true (S_ISREG (st.st_mode));
  g_assert_cmphex (st.st_mode & 07777, ==, mode);
  g_assert_cmpuint (st.st_nlink, ==, n_links);
  g_assert_cmpint (st.st_size, ==, 0);
  g_assert_cmpint (fcntl (fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
  g_assert_cmpint (fcntl (fd, F_GETFL) & O_ACCMODE, ==, O_RDWR);
}

static const struct
{
  guint mode;
  guint umask;
} modes[] = {
  { 0600, 0022 }, { 0600, 0077 }, { 0600, 0 }, { 0644, 0022 }, { 0666, 0 }, { 0666, 0027 }, { 0660, 0002 },
};

static void
test_file_modes (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      const TfTemplate template = { .dir = (char *) ".", .mode = modes[i].mode };
      guint expected = modes[i].mode & ~modes[i].umask;
      mode_t old_umask = umask (modes[i].umask);
      g_autofree char *path = NULL;
      tf_autofd int named = tf_open_named (&template, NULL, &path, NULL, NULL);
      tf_autofd int unnamed = tf_open_unnamed (&template, NULL, NULL);
      tf_autofd int unlinked = -1;

      tf_system_missing = TF_SYSTEM_TMPFILE;
      unlinked = tf_open_unnamed (&template, NULL, NULL);
      tf_system_missing = 0;
      umask (old_umask);

      assert_file (named, expected, 1);
      assert_file (unnamed, expected, 0);
      assert_file (unlinked, expected, 0);
      g_assert_cmpint (g_unlink (path), ==, 0);
      assert_nothing_left ();
    }
}

static void
assert_dir_mode (const char *path,
                 guint       mode)
{
  struct stat st;

  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_true (S_ISDIR (st.st_mode));
  g_assert_cmphex (st.st_mode & 0777, ==, mode);
  g_assert_cmpint (g_rmdir (path), ==, 0);
}

static void
test_dir_modes (void)
{
  const struct
  {
    guint mode;
    guint umask;
  } cases[] = {
    { 0700, 0022 }, { 0700, 0077 }, { 0700, 0 }, { 0755, 0022 }, { 0777, 0 }, { 0500, 0022 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const TfTemplate template = { .dir = (char *) ".", .mode = cases[i].mode };
      mode_t old_umask = umask (cases[i].umask);
      g_autofree char *dir = tf_open_make_dir (&template, NULL, NULL, NULL);

      umask (old_umask);
      assert_dir_mode (dir, cases[i].mode & ~cases[i].umask);
    }
}

static void
test_named_path (void)
{
  const TfTemplate template = { .dir = (char *) ".", .prefix = (char *) "a\xff", .suffix = (char *) ".b", .mode = 0600 };
  g_autofree char *path = NULL;
  tf_autofd int fd = tf_open_named (&template, NULL, &path, NULL, NULL);
  struct stat by_fd, by_path;

  g_assert_true (g_path_is_absolute (path));
  g_assert_true (g_str_has_suffix (path, ".b"));
  g_assert_nonnull (strstr (path, "/a\xff"));
  g_assert_cmpint (fstat (fd, &by_fd), ==, 0);
  g_assert_cmpint (lstat (path, &by_path), ==, 0);
  g_assert_cmpuint (by_fd.st_ino, ==, by_path.st_ino);
  g_assert_cmpint (g_unlink (path), ==, 0);
}

static void
test_free_name (void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = tf_open_free_name (&here, &error);

  g_assert_no_error (error);
  g_assert_true (g_path_is_absolute (path));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
work_in_lost_dir (void)
{
  g_autoptr(GError) error = NULL;
  TfTemplate template = { .dir = g_strdup ("relative") };

  g_assert_cmpint (g_mkdir ("lost", 0700), ==, 0);
  g_assert_cmpint (g_chdir ("lost"), ==, 0);
  g_assert_cmpint (g_rmdir ("../lost"), ==, 0);

  g_assert_null (tf_template_resolve ("x", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "“x”"));

  tf_template_make_absolute (&template);
  g_assert_cmpstr (template.dir, ==, "relative");
  tf_template_clear (&template);
}

static void
test_absolute (void)
{
  g_autofree char *absolute = tf_template_resolve ("/a/../b", NULL);
  g_autofree char *relative = tf_template_resolve ("a/../b", NULL);
  g_autofree char *expected = tf_test_path ("a/../b");
  TfTemplate template = { NULL, };

  g_assert_cmpstr (absolute, ==, "/a/../b");
  g_assert_cmpstr (relative, ==, expected);

  tf_template_make_absolute (&template);
  g_assert_null (template.dir);
  template.dir = g_strdup ("a/../b");
  tf_template_make_absolute (&template);
  g_assert_cmpstr (template.dir, ==, expected);
  tf_template_clear (&template);

  tf_test_in_child (work_in_lost_dir);
}

static void
add_for_each_way (const char    *name,
                  GTestDataFunc  func)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *path = g_strdup_printf ("/open/%s/%s", name, ways[i].name);

      g_test_add_data_func (path, &ways[i], func);
    }
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  add_for_each_way ("works", test_works);
  add_for_each_way ("bad-dir", test_bad_dir);
  add_for_each_way ("bad-name", test_bad_name);
  add_for_each_way ("long-path", test_long_path);
  add_for_each_way ("cancelled", test_cancelled);
  add_for_each_way ("cancelled-while-trying", test_cancelled_while_trying);
  add_for_each_way ("all-names-taken", test_all_names_taken);
  add_for_each_way ("taken-name", test_taken_name);
  add_for_each_way ("no-fds", test_no_fds);
  g_test_add_func ("/open/lost-dir", test_lost_dir);
  g_test_add_func ("/open/unwritable-dir", test_unwritable_dir);
  g_test_add_func ("/open/file-modes", test_file_modes);
  g_test_add_func ("/open/dir-modes", test_dir_modes);
  g_test_add_func ("/open/named-path", test_named_path);
  g_test_add_func ("/open/free-name", test_free_name);
  g_test_add_func ("/open/absolute", test_absolute);

  return tf_test_run ();
}
