/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Each asynchronous creation, cancelled or dropped at each point. The system calls that create are wrapped, so
 * that the points are met exactly. */

#include <tempfile-glib.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tf-test-async.h"
#include "tf-test.h"

typedef enum
{
  NEVER,
  BEFORE_START,
  BEFORE_CREATION,
  AFTER_CREATION,
  BEFORE_FINISH,
} Moment;

static const char *moment_names[] = { "never", "before-start", "in-worker", "after-creation", "before-finish" };

typedef struct
{
  const char *name;
  GType (*get_type) (void);
  gboolean keeps; /* constructed so that it would leave what it made */
} Kind;

static const Kind kinds[] = {
  { "temp-file", tf_temp_file_get_type, FALSE },
  { "named-file", tf_named_file_get_type, FALSE },
  { "kept-named-file", tf_named_file_get_type, TRUE },
  { "temp-dir", tf_temp_dir_get_type, FALSE },
  { "kept-temp-dir", tf_temp_dir_get_type, TRUE },
};

typedef struct
{
  const Kind *kind;
  Moment moment;
} Case;

static GCancellable *cancelled_by_worker;
static Moment worker_moment;
static gint n_met;

static void
meet (Moment moment)
{
  if (cancelled_by_worker == NULL || worker_moment != moment)
    return;

  g_atomic_int_inc (&n_met);
  g_cancellable_cancel (cancelled_by_worker);
}

int __real_open64   (const char *path, int flags, ...);
int __wrap_open64   (const char *path, int flags, ...);
int __real_openat64 (int dir_fd, const char *path, int flags, ...);
int __wrap_openat64 (int dir_fd, const char *path, int flags, ...);
int __real_mkdir    (const char *path, mode_t mode);
int __wrap_mkdir    (const char *path, mode_t mode);

static int
open_and_meet (int         dir_fd,
               const char *path,
               int         flags,
               va_list     args)
{
  gboolean creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  int fd;

  if (!creates)
    return __real_openat64 (dir_fd, path, flags);

  meet (BEFORE_CREATION);
  fd = __real_openat64 (dir_fd, path, flags, va_arg (args, mode_t));
  meet (AFTER_CREATION);
  return fd;
}

int
__wrap_open64 (const char *path,
               int         flags,
               ...)
{
  va_list args;
  int fd;

  va_start (args, flags);
  fd = open_and_meet (AT_FDCWD, path, flags, args);
  va_end (args);
  return fd;
}

int
__wrap_openat64 (int         dir_fd,
                 const char *path,
                 int         flags,
                 ...)
{
  va_list args;
  int fd;

  va_start (args, flags);
  fd = open_and_meet (dir_fd, path, flags, args);
  va_end (args);
  return fd;
}

int
__wrap_mkdir (const char *path,
              mode_t      mode)
{
  int result;

  meet (BEFORE_CREATION);
  result = __real_mkdir (path, mode);
  meet (AFTER_CREATION);
  return result;
}

static void
start (const Kind    *kind,
       GCancellable  *cancellable,
       GAsyncResult **result)
{
  GType type = kind->get_type ();

  if (kind->keeps && type == TF_TYPE_NAMED_FILE)
    g_async_initable_new_async (type, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result,
                                "delete-policy", TF_DELETE_NEVER, NULL);
  else if (kind->keeps)
    g_async_initable_new_async (type, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result,
                                "auto-cleanup", FALSE, NULL);
  else if (type == TF_TYPE_TEMP_FILE)
    tf_temp_file_create_async (NULL, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result);
  else if (type == TF_TYPE_NAMED_FILE)
    tf_named_file_create_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result);
  else
    tf_temp_dir_create_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result);
}

static gpointer
finish (const Kind    *kind,
        GAsyncResult  *result,
        GError       **error)
{
  GType type = kind->get_type ();

  if (type == TF_TYPE_TEMP_FILE)
    return tf_temp_file_create_finish (result, error);
  if (type == TF_TYPE_NAMED_FILE)
    return tf_named_file_create_finish (result, error);
  return tf_temp_dir_create_finish (result, error);
}

static void
assert_nothing_left (guint n_fds)
{
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
}

static void
arm (GCancellable *cancellable,
     Moment        moment)
{
  worker_moment = moment;
  cancelled_by_worker = moment == BEFORE_CREATION || moment == AFTER_CREATION ? cancellable : NULL;
  n_met = 0;
}

static void
test_cancel (gconstpointer data)
{
  const Case *test_case = data;
  const Kind *kind = test_case->kind;
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GObject) object = NULL;
  g_autoptr(GError) error = NULL;
  guint n_fds;

  /* So that the descriptor of the cancellable is not counted as one that leaks. */
  g_assert_cmpint (g_cancellable_get_fd (cancellable), >=, 0);
  n_fds = tf_test_count_fds ();

  arm (cancellable, test_case->moment);
  if (test_case->moment == BEFORE_START)
    g_cancellable_cancel (cancellable);

  start (kind, cancellable, &result);
  tf_test_wait (&result);

  if (cancelled_by_worker != NULL)
    {
      g_assert_cmpint (n_met, >, 0);
      assert_nothing_left (n_fds);
    }
  if (test_case->moment == BEFORE_FINISH)
    g_cancellable_cancel (cancellable);

  object = finish (kind, result, &error);
  arm (NULL, NEVER);
  g_assert_null (object);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_nothing_left (n_fds);
  g_cancellable_release_fd (cancellable);
}

static char *
dup_path (GObject *object)
{
  char *path = NULL;

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (object), "path") != NULL)
    g_object_get (object, "path", &path, NULL);

  return path;
}

static void
test_success (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;
  GObject *object;

  start (kind, NULL, &result);
  object = finish (kind, tf_test_wait (&result), &error);
  g_assert_no_error (error);
  g_assert_true (G_TYPE_CHECK_INSTANCE_TYPE (object, kind->get_type ()));
  g_clear_object (&result);

  path = dup_path (object);
  if (path != NULL)
    g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));

  g_assert_finalize_object (object);
  if (path != NULL)
    {
      g_assert_cmpint (g_file_test (path, G_FILE_TEST_EXISTS), ==, kind->keeps);
      if (kind->keeps)
        g_assert_cmpint (remove (path), ==, 0);
    }
}

static void
test_result_dropped (gconstpointer data)
{
  const Kind *kind = data;
  guint n_fds = tf_test_count_fds ();
  GAsyncResult *result = NULL;

  start (kind, NULL, &result);
  tf_test_wait (&result);
  g_assert_cmpint (tf_test_count_fds (), >, n_fds);
  g_assert_finalize_object (result);
  assert_nothing_left (n_fds);
}

static void
test_failure (void)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(TfNamedFile) file = NULL;
  g_autoptr(GError) error = NULL;

  tf_named_file_create_async (NULL, NULL, "/nonexistent", G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  file = tf_named_file_create_finish (tf_test_wait (&result), &error);
  g_assert_null (file);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void
test_arguments (void)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *parent = NULL;
  g_autofree char *name = NULL;

  tf_temp_dir_create_async ("a-", ".b", tf_test_get_sandbox (), G_PRIORITY_LOW, NULL, tf_test_take_result, &result);
  dir = tf_temp_dir_create_finish (tf_test_wait (&result), &error);
  g_assert_no_error (error);
  parent = g_path_get_dirname (tf_temp_dir_get_path (dir));
  name = g_path_get_basename (tf_temp_dir_get_path (dir));
  g_assert_cmpstr (parent, ==, tf_test_get_sandbox ());
  g_assert_true (g_str_has_prefix (name, "a-"));
  g_assert_true (g_str_has_suffix (name, ".b"));
}

static void
add_case (const Kind *kind,
          Moment      moment)
{
  g_autofree char *path = g_strdup_printf ("/async-create/%s/cancel-%s", kind->name, moment_names[moment]);
  Case test_case = { kind, moment };

  g_test_add_data_func_full (path, g_memdup2 (&test_case, sizeof test_case), test_cancel, g_free);
}

static void
add_kind (const Kind *kind)
{
  g_autofree char *success = g_strdup_printf ("/async-create/%s/success", kind->name);
  g_autofree char *result = g_strdup_printf ("/async-create/%s/result-dropped", kind->name);

  for (Moment moment = BEFORE_START; moment <= BEFORE_FINISH; moment++)
    add_case (kind, moment);

  g_test_add_data_func (success, kind, test_success);
  g_test_add_data_func (result, kind, test_result_dropped);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  /* The search creates files, too. */
  g_assert_cmpstr (tf_get_temp_dir (NULL), ==, tf_test_get_sandbox ());

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    add_kind (&kinds[i]);

  g_test_add_func ("/async-create/failure", test_failure);
  tf_test_add_async ("/async-create/arguments", test_arguments);

  return tf_test_run ();
}
