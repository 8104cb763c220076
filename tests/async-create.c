/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Each asynchronous creation, cancelled or dropped at each point. The system calls that create are wrapped, so
 * that the points are met exactly. */

#include <tempfile-glib.h>

#include <glib/gstdio.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Something that is created, and how: @finish returns a new object, or the path of what belongs to the caller. */
typedef struct
{
  const char *name;
  void (*start) (GCancellable  *cancellable,
                 GAsyncResult **result);
  gpointer (*finish) (GAsyncResult  *result,
                      GError       **error);
  GType (*get_type) (void); /* (nullable): a path */
  gboolean keeps;           /* constructed so that it would leave what it made */
} Kind;

typedef struct
{
  const Kind *kind;
  Moment moment;
} Case;

static GCancellable *cancelled_by_worker;
static Moment worker_moment;
static gint n_met;
static gint holds_worker; /* (atomic): before it creates something */

static void
hold_worker (void)
{
  g_atomic_int_inc (&n_met);
  while (g_atomic_int_get (&holds_worker))
    g_thread_yield ();
}

static void
meet (Moment moment)
{
  if (moment == BEFORE_CREATION && g_atomic_int_get (&holds_worker))
    hold_worker ();

  if (cancelled_by_worker == NULL || worker_moment != moment)
    return;

  g_atomic_int_inc (&n_met);
  g_cancellable_cancel (cancelled_by_worker);
}

int __real_open64   (const char *path, int flags, ...);
int __wrap_open64   (const char *path, int flags, ...);
int __real_openat64 (int dir_fd, const char *path, int flags, ...);
int __wrap_openat64 (int dir_fd, const char *path, int flags, ...);
int __real_mkdirat  (int dir_fd, const char *path, mode_t mode);
int __wrap_mkdirat  (int dir_fd, const char *path, mode_t mode);

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
__wrap_mkdirat (int         dir_fd,
                const char *path,
                mode_t      mode)
{
  int result;

  meet (BEFORE_CREATION);
  result = __real_mkdirat (dir_fd, path, mode);
  meet (AFTER_CREATION);
  return result;
}

static void
start_temp_file (GCancellable  *cancellable,
                 GAsyncResult **result)
{
  tf_temp_file_create_async (NULL, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result);
}

static void
start_full_temp_file (GCancellable  *cancellable,
                      GAsyncResult **result)
{
  tf_temp_file_create_full_async ("p-", ".s", NULL, 0640,
                                  G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result);
}

static void
start_named_file (GCancellable  *cancellable,
                  GAsyncResult **result)
{
  tf_named_file_create_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result);
}

static void
start_kept_named_file (GCancellable  *cancellable,
                       GAsyncResult **result)
{
  g_async_initable_new_async (TF_TYPE_NAMED_FILE, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result,
                              "delete-policy", TF_DELETE_NEVER, NULL);
}

static void
start_full_named_file (GCancellable  *cancellable,
                       GAsyncResult **result)
{
  tf_named_file_create_full_async (NULL, NULL, NULL, 0640, TF_DELETE_NEVER,
                                   G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result);
}

static void
start_file_from_bytes (GCancellable  *cancellable,
                       GAsyncResult **result)
{
  g_autoptr(GBytes) bytes = g_bytes_new_static ("Hello", 5);

  tf_named_file_create_from_bytes_async (bytes, NULL, NULL, NULL,
                                         G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result);
}

static void
start_temp_dir (GCancellable  *cancellable,
                GAsyncResult **result)
{
  tf_temp_dir_create_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result);
}

static void
start_kept_temp_dir (GCancellable  *cancellable,
                     GAsyncResult **result)
{
  g_async_initable_new_async (TF_TYPE_TEMP_DIR, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result,
                              "auto-cleanup", FALSE, NULL);
}

static void
start_full_temp_dir (GCancellable  *cancellable,
                     GAsyncResult **result)
{
  tf_temp_dir_create_full_async (NULL, NULL, NULL, 0500,
                                 G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result);
}

static void
start_mkstemp (GCancellable  *cancellable,
               GAsyncResult **result)
{
  tf_mkstemp_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result);
}

static void
start_mkdtemp (GCancellable  *cancellable,
               GAsyncResult **result)
{
  tf_mkdtemp_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, result);
}

static gpointer
finish_temp_file (GAsyncResult  *result,
                  GError       **error)
{
  return tf_temp_file_create_finish (result, error);
}

static gpointer
finish_full_temp_file (GAsyncResult  *result,
                       GError       **error)
{
  return tf_temp_file_create_full_finish (result, error);
}

static gpointer
finish_named_file (GAsyncResult  *result,
                   GError       **error)
{
  return tf_named_file_create_finish (result, error);
}

static gpointer
finish_full_named_file (GAsyncResult  *result,
                        GError       **error)
{
  return tf_named_file_create_full_finish (result, error);
}

static gpointer
finish_file_from_bytes (GAsyncResult  *result,
                        GError       **error)
{
  return tf_named_file_create_from_bytes_finish (result, error);
}

static gpointer
finish_full_temp_dir (GAsyncResult  *result,
                      GError       **error)
{
  return tf_temp_dir_create_full_finish (result, error);
}

static gpointer
finish_temp_dir (GAsyncResult  *result,
                 GError       **error)
{
  return tf_temp_dir_create_finish (result, error);
}

static gpointer
finish_mkstemp (GAsyncResult  *result,
                GError       **error)
{
  char *path = (char *) "set before";
  int fd = tf_mkstemp_finish (result, &path, error);

  g_assert_true ((fd >= 0) == (path != NULL));
  if (fd >= 0)
    {
      g_assert_cmpint (write (fd, "x", 1), ==, 1);
      g_assert_cmpint (close (fd), ==, 0);
    }

  return path;
}

static gpointer
finish_mkdtemp (GAsyncResult  *result,
                GError       **error)
{
  return tf_mkdtemp_finish (result, error);
}

static const Kind kinds[] = {
  { "temp-file", start_temp_file, finish_temp_file, tf_temp_file_get_type, FALSE },
  { "full-temp-file", start_full_temp_file, finish_full_temp_file, tf_temp_file_get_type, FALSE },
  { "named-file", start_named_file, finish_named_file, tf_named_file_get_type, FALSE },
  { "kept-named-file", start_kept_named_file, finish_named_file, tf_named_file_get_type, TRUE },
  { "full-named-file", start_full_named_file, finish_full_named_file, tf_named_file_get_type, TRUE },
  { "file-from-bytes", start_file_from_bytes, finish_file_from_bytes, tf_named_file_get_type, FALSE },
  { "temp-dir", start_temp_dir, finish_temp_dir, tf_temp_dir_get_type, FALSE },
  { "kept-temp-dir", start_kept_temp_dir, finish_temp_dir, tf_temp_dir_get_type, TRUE },
  { "full-temp-dir", start_full_temp_dir, finish_full_temp_dir, tf_temp_dir_get_type, FALSE },
  { "mkstemp", start_mkstemp, finish_mkstemp, NULL, TRUE },
  { "mkdtemp", start_mkdtemp, finish_mkdtemp, NULL, TRUE },
};

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
  g_autoptr(GError) error = NULL;
  gpointer created;
  guint n_fds;

  /* So that the descriptor of the cancellable is not counted as one that leaks. */
  g_assert_cmpint (g_cancellable_get_fd (cancellable), >=, 0);
  n_fds = tf_test_count_fds ();

  arm (cancellable, test_case->moment);
  if (test_case->moment == BEFORE_START)
    g_cancellable_cancel (cancellable);

  kind->start (cancellable, &result);
  tf_test_wait (&result);

  if (cancelled_by_worker != NULL)
    {
      g_assert_cmpint (n_met, >, 0);
      assert_nothing_left (n_fds);
    }
  if (test_case->moment == BEFORE_FINISH)
    g_cancellable_cancel (cancellable);

  created = kind->finish (result, &error);
  arm (NULL, NEVER);
  g_assert_null (created);
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

/* Drops what was created. Returns the path, if it has one. */
static char *
drop (const Kind *kind,
      gpointer    created)
{
  char *path;

  if (kind->get_type == NULL)
    return created;

  g_assert_true (G_TYPE_CHECK_INSTANCE_TYPE (created, kind->get_type ()));
  path = dup_path (created);
  if (path != NULL)
    g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));

  g_assert_finalize_object (G_OBJECT (created));
  return path;
}

static void
test_success (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;
  gpointer created;

  kind->start (NULL, &result);
  created = kind->finish (tf_test_wait (&result), &error);
  g_assert_no_error (error);
  g_assert_nonnull (created);
  g_clear_object (&result);

  path = drop (kind, created);
  if (path != NULL)
    g_assert_cmpint (g_file_test (path, G_FILE_TEST_EXISTS), ==, kind->keeps);
  if (kind->keeps)
    g_assert_cmpint (remove (path), ==, 0);
}

static void
test_result_dropped (gconstpointer data)
{
  const Kind *kind = data;
  guint n_fds = tf_test_count_fds ();
  GAsyncResult *result = NULL;

  kind->start (NULL, &result);
  tf_test_wait (&result);
  g_assert_true (tf_test_count_fds () > n_fds || tf_test_count_entries (tf_test_get_sandbox ()) > 0);
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
fail_mkstemp (const char *prefix,
              const char *dir,
              int         code)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) dir_result = NULL;
  g_autoptr(GError) error = NULL;
  char *path = NULL;

  tf_mkstemp_async (prefix, NULL, dir, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  g_assert_cmpint (tf_mkstemp_finish (tf_test_wait (&result), &path, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_null (path);
  g_clear_error (&error);

  tf_mkdtemp_async (prefix, NULL, dir, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &dir_result);
  g_assert_null (tf_mkdtemp_finish (tf_test_wait (&dir_result), &error));
  g_assert_error (error, G_IO_ERROR, code);
}

static void
test_failing_functions (void)
{
  g_autofree char *too_long = g_strnfill (256, 'x');

  fail_mkstemp (NULL, "/nonexistent", G_IO_ERROR_NOT_FOUND);
  fail_mkstemp ("a/b", NULL, G_IO_ERROR_INVALID_FILENAME);
  fail_mkstemp (too_long, NULL, G_IO_ERROR_FILENAME_TOO_LONG);
}

/* A relative directory is that of the moment of the call, and a cancelled synchronous call creates nothing. */
static void
test_functions (void)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;
  g_autofree char *expected = tf_test_path ("sub/a-");
  int fd;

  g_assert_cmpint (mkdir ("sub", 0700), ==, 0);
  tf_mkstemp_async ("a-", ".b", "sub", G_PRIORITY_LOW, NULL, tf_test_take_result, &result);
  g_assert_cmpint (chdir ("sub"), ==, 0);
  fd = tf_mkstemp_finish (tf_test_wait (&result), &path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (close (fd), ==, 0);
  g_assert_true (g_str_has_prefix (path, expected));
  g_assert_true (g_str_has_suffix (path, ".b"));
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (chdir (".."), ==, 0);
  g_assert_cmpint (rmdir ("sub"), ==, 0);

  g_cancellable_cancel (cancellable);
  g_free (g_steal_pointer (&path));
  g_assert_cmpint (tf_mkstemp (NULL, NULL, NULL, &path, cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_null (tf_mkdtemp (NULL, NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* What the parent has started and not finished stays its own. */
static GAsyncResult *inherited;

static void
drop_inherited (void)
{
  g_object_unref (inherited);
}

static void
test_dropped_in_child (void)
{
  inherited = NULL;
  tf_mkdtemp_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &inherited);
  tf_test_wait (&inherited);
  tf_test_in_child (drop_inherited);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 1);
  g_object_unref (inherited);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
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

/* Another function's result is the caller's mistake, and costs nothing but a critical warning. */
static void
test_foreign_result (void)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autofree char *path = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *dir = NULL;

  tf_mkdtemp_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  tf_test_wait (&result);
  g_test_expect_message ("Tf", G_LOG_LEVEL_CRITICAL, "*is_tagged*");
  g_assert_cmpint (tf_mkstemp_finish (result, &path, NULL), ==, -1);
  g_test_expect_message ("Tf", G_LOG_LEVEL_CRITICAL, "*is_tagged*");
  g_assert_false (tf_sweep_finish (result, NULL, NULL));
  g_test_assert_expected_messages ();

  dir = tf_mkdtemp_finish (result, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

static gboolean
finish_init (gpointer       object,
             GAsyncResult **result,
             GError       **error)
{
  return g_async_initable_init_finish (object, tf_test_wait (result), error);
}

/* The second waits for the first, and finds its work done. */
static void
test_twice_at_once (void)
{
  GType types[] = { TF_TYPE_TEMP_FILE, TF_TYPE_NAMED_FILE, TF_TYPE_TEMP_DIR };

  for (int i = 0; i < 20 * (int) G_N_ELEMENTS (types); i++)
    {
      g_autoptr(GObject) object = g_object_new (types[i % G_N_ELEMENTS (types)], NULL);
      g_autoptr(GAsyncResult) first = NULL;
      g_autoptr(GAsyncResult) second = NULL;
      g_autoptr(GError) error = NULL;

      g_async_initable_init_async (G_ASYNC_INITABLE (object), 0, NULL, tf_test_take_result, &first);
      g_async_initable_init_async (G_ASYNC_INITABLE (object), -1, NULL, tf_test_take_result, &second);
      g_assert_true (finish_init (object, &first, &error));
      g_assert_no_error (error);
      g_assert_true (finish_init (object, &second, &error));
      g_assert_no_error (error);
      g_assert_true (g_initable_init (G_INITABLE (object), NULL, NULL));
    }
}

static gboolean
exists (gpointer object)
{
  return TF_IS_TEMP_DIR (object) ? g_file_test (tf_temp_dir_get_path (object), G_FILE_TEST_IS_DIR)
                                 : tf_temp_file_write (object, "x", 1, NULL, NULL);
}

/* What the first has created stays if the second wants it, whenever the first is cancelled and whoever comes to its end
 * first. Otherwise nothing stays. */
static void
test_first_is_cancelled (void)
{
  GType types[] = { TF_TYPE_TEMP_FILE, TF_TYPE_NAMED_FILE, TF_TYPE_TEMP_DIR };

  for (int i = 0; i < 60 * (int) G_N_ELEMENTS (types); i++)
    {
      g_autoptr(GObject) object = g_object_new (types[i % G_N_ELEMENTS (types)], NULL);
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GAsyncResult) first = NULL;
      g_autoptr(GAsyncResult) second = NULL;
      g_autoptr(GError) error = NULL;
      gboolean is_second_cancelled = i % 8 >= 4;

      g_async_initable_init_async (G_ASYNC_INITABLE (object), 0, cancellable, tf_test_take_result, &first);
      g_async_initable_init_async (G_ASYNC_INITABLE (object), 0, is_second_cancelled ? cancellable : NULL,
                                   tf_test_take_result, &second);
      if (i % 4 >= 2)
        tf_test_wait (i % 2 == 0 ? &first : &second);
      g_cancellable_cancel (cancellable);
      if (i % 2 == 0)
        g_assert_false (finish_init (object, &first, NULL));
      g_assert_true (finish_init (object, &second, &error) != is_second_cancelled);
      if (i % 2 != 0)
        g_assert_false (finish_init (object, &first, NULL));

      if (!is_second_cancelled)
        g_assert_true (exists (object));
      else
        g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
    }
}

/* A synchronous one waits for an asynchronous one, and has what that has created, also if that is cancelled afterwards. If
 * that was undone before, the object is closed. */
static void
test_synchronous_beside (void)
{
  GType types[] = { TF_TYPE_TEMP_FILE, TF_TYPE_NAMED_FILE, TF_TYPE_TEMP_DIR };

  for (int i = 0; i < 500 * (int) G_N_ELEMENTS (types); i++)
    {
      g_autoptr(GObject) object = g_object_new (types[i / 3 % G_N_ELEMENTS (types)], NULL);
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;
      gboolean success;

      g_async_initable_init_async (G_ASYNC_INITABLE (object), 0, cancellable, tf_test_take_result, &result);
      if (i % 3 == 0)
        g_cancellable_cancel (cancellable);
      success = g_initable_init (G_INITABLE (object), NULL, &error);
      g_assert_true (success || i % 3 == 0);
      if (!success)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
      if (i % 3 == 1)
        g_cancellable_cancel (cancellable);
      g_assert_true (finish_init (object, &result, NULL) == (i % 3 == 2));
      g_assert_true (!success || exists (object));
    }
}

/* What was undone stays so, however it is initialized again. */
static void
assert_again_after_cancelled_fails (GType type)
{
  g_autoptr(GObject) object = g_object_new (type, NULL);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_async_initable_init_async (G_ASYNC_INITABLE (object), 0, cancellable, tf_test_take_result, &result);
  tf_test_wait (&result);
  g_cancellable_cancel (cancellable);
  g_assert_false (finish_init (object, &result, NULL));
  g_clear_object (&result);

  g_assert_false (g_initable_init (G_INITABLE (object), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);

  g_async_initable_init_async (G_ASYNC_INITABLE (object), 0, NULL, tf_test_take_result, &result);
  g_assert_false (g_initable_init (G_INITABLE (object), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  tf_test_wait (&result);
  g_assert_false (finish_init (object, &result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
test_again_after_cancelled (void)
{
  assert_again_after_cancelled_fails (TF_TYPE_TEMP_FILE);
  assert_again_after_cancelled_fails (TF_TYPE_NAMED_FILE);
  assert_again_after_cancelled_fails (TF_TYPE_TEMP_DIR);
}

/* A file that another thread initializes while it is disposed */
typedef struct
{
  TfTempFile parent_instance;
  gboolean   is_open; /* as the thread was told */
} Contended;

typedef TfTempFileClass ContendedClass;

GType contended_get_type (void);

G_DEFINE_TYPE (Contended, contended, TF_TYPE_TEMP_FILE)

static gpointer
init_contended (gpointer data)
{
  Contended *self = data;

  self->is_open = g_initable_init (G_INITABLE (self), NULL, NULL);
  return NULL;
}

static void
contended_dispose (GObject *object)
{
  g_thread_join (g_thread_new ("init", init_contended, object));
  G_OBJECT_CLASS (contended_parent_class)->dispose (object);
}

static void
contended_class_init (ContendedClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = contended_dispose;
}

static void
contended_init (Contended *self)
{
}

static void
test_synchronous_while_undone (void)
{
  g_autoptr(GObject) object = g_object_new (contended_get_type (), NULL);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;

  g_async_initable_init_async (G_ASYNC_INITABLE (object), 0, cancellable, tf_test_take_result, &result);
  tf_test_wait (&result);
  g_cancellable_cancel (cancellable);
  g_assert_false (finish_init (object, &result, NULL));
  g_assert_false (((Contended *) object)->is_open);
}

static GAsyncResult *forked_result; /* (owned) (nullable) */

static void
complete_in_child (void)
{
  alarm (60);
  while (forked_result == NULL)
    g_main_context_iteration (NULL, TRUE);
  _exit (0);
}

/* A worker has done its part before the fork: the callback comes in both processes. */
static void
test_completed_in_child (void)
{
  g_autoptr(GObject) object = g_object_new (TF_TYPE_TEMP_DIR, NULL);

  g_async_initable_init_async (G_ASYNC_INITABLE (object), 0, NULL, tf_test_take_result, &forked_result);
  while (!g_main_context_pending (NULL))
    g_thread_yield ();
  tf_test_in_child (complete_in_child);
  g_assert_true (finish_init (object, &forked_result, NULL));
  g_clear_object (&forked_result);
}

static gpointer forked_object; /* (unowned) */

static void
start_in_child (void)
{
  g_autoptr(GAsyncResult) result = NULL;

  alarm (60);
  g_atomic_int_set (&holds_worker, FALSE);
  g_async_initable_init_async (G_ASYNC_INITABLE (forked_object), 0, NULL, tf_test_take_result, &result);
  g_assert_true (finish_init (forked_object, &result, NULL));
  g_assert_true (exists (forked_object));
  _exit (0);
}

/* A worker has not done its part before the fork: in the child, which has no such worker, nothing waits for it. */
static void
test_started_in_child (void)
{
  g_autoptr(GObject) object = g_object_new (TF_TYPE_TEMP_FILE, NULL);
  g_autoptr(GAsyncResult) result = NULL;

  forked_object = object;
  g_atomic_int_set (&n_met, 0);
  g_atomic_int_set (&holds_worker, TRUE);
  g_async_initable_init_async (G_ASYNC_INITABLE (object), 0, NULL, tf_test_take_result, &result);
  while (g_atomic_int_get (&n_met) == 0)
    g_thread_yield ();
  tf_test_in_child (start_in_child);
  g_atomic_int_set (&holds_worker, FALSE);
  g_assert_true (finish_init (object, &result, NULL));
}

/* The second fails for the same reason, and a later one succeeds. */
static void
test_first_fails (void)
{
  GType types[] = { TF_TYPE_TEMP_FILE, TF_TYPE_NAMED_FILE, TF_TYPE_TEMP_DIR };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr(GObject) object = g_object_new (types[i], "dir", "later", NULL);
      g_autoptr(GAsyncResult) first = NULL;
      g_autoptr(GAsyncResult) second = NULL;
      g_autoptr(GAsyncResult) third = NULL;
      GError *errors[2] = { NULL, };
      g_autoptr(GError) error = NULL;

      g_async_initable_init_async (G_ASYNC_INITABLE (object), 0, NULL, tf_test_take_result, &first);
      g_async_initable_init_async (G_ASYNC_INITABLE (object), 0, NULL, tf_test_take_result, &second);
      g_assert_false (finish_init (object, &first, &errors[0]));
      g_assert_false (finish_init (object, &second, &errors[1]));
      g_assert_error (errors[0], G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
      g_assert_error (errors[1], G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
      g_clear_error (&errors[0]);
      g_clear_error (&errors[1]);

      g_assert_cmpint (g_mkdir ("later", 0700), ==, 0);
      g_async_initable_init_async (G_ASYNC_INITABLE (object), 0, NULL, tf_test_take_result, &third);
      g_assert_true (finish_init (object, &third, &error));
      g_assert_no_error (error);
      g_assert_true (exists (object));
      g_clear_object (&first);
      g_clear_object (&second);
      g_clear_object (&third);
      g_assert_finalize_object (g_steal_pointer (&object));
      g_assert_cmpint (g_rmdir ("later"), ==, 0);
    }
}

/* Whether a later call is cancelled or not: the object is what it was. */
static void
test_again (void)
{
  g_autoptr(GCancellable) cancelled = g_cancellable_new ();
  TfTempFile *files[] = {
    tf_temp_file_new (NULL, NULL, NULL),
    TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, NULL)),
    TF_TEMP_FILE (tf_spooled_file_new (-1)),
  };

  g_cancellable_cancel (cancelled);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autoptr(TfTempFile) file = files[i];
      g_autoptr(GAsyncResult) first = NULL;
      g_autoptr(GAsyncResult) second = NULL;
      g_autoptr(GBytes) bytes = NULL;
      g_autoptr(GError) error = NULL;

      g_assert_true (tf_temp_file_write (file, "kept", 4, NULL, NULL));
      g_async_initable_init_async (G_ASYNC_INITABLE (file), 0, cancelled, tf_test_take_result, &first);
      g_assert_false (finish_init (file, &first, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&error);
      g_async_initable_init_async (G_ASYNC_INITABLE (file), 0, NULL, tf_test_take_result, &second);
      g_assert_true (finish_init (file, &second, &error));
      g_assert_no_error (error);

      bytes = tf_temp_file_load_bytes (file, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "kept", 4);
    }
}

static void
test_dir_again (void)
{
  g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  g_autoptr(GCancellable) cancelled = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_cancellable_cancel (cancelled);
  g_async_initable_init_async (G_ASYNC_INITABLE (dir), 0, cancelled, tf_test_take_result, &result);
  g_assert_false (finish_init (dir, &result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_IS_DIR));
}

/* The result of another object or call is refused before it is looked into. */
static void
test_other_result (void)
{
  g_autoptr(TfTempFile) file = g_object_new (TF_TYPE_TEMP_FILE, NULL);
  g_autoptr(GTask) of_other_object = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr(GTask) of_other_call = g_task_new (file, NULL, NULL, NULL);

  g_task_return_boolean (of_other_object, TRUE);
  g_task_return_boolean (of_other_call, TRUE);
  g_test_expect_message ("Tf", G_LOG_LEVEL_CRITICAL, "*g_task_is_valid*");
  g_assert_false (g_async_initable_init_finish (G_ASYNC_INITABLE (file), G_ASYNC_RESULT (of_other_object), NULL));
  g_test_expect_message ("Tf", G_LOG_LEVEL_CRITICAL, "*g_async_result_is_tagged*");
  g_assert_false (g_async_initable_init_finish (G_ASYNC_INITABLE (file), G_ASYNC_RESULT (of_other_call), NULL));
  g_test_assert_expected_messages ();
  g_assert_true (g_task_propagate_boolean (of_other_object, NULL));
  g_assert_true (g_task_propagate_boolean (of_other_call, NULL));
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
  tf_test_add_async ("/async-create/functions", test_functions);
  tf_test_add_async ("/async-create/failing-functions", test_failing_functions);
  tf_test_add_async ("/async-create/twice-at-once", test_twice_at_once);
  tf_test_add_async ("/async-create/first-is-cancelled", test_first_is_cancelled);
  tf_test_add_async ("/async-create/first-fails", test_first_fails);
  tf_test_add_async ("/async-create/synchronous-beside", test_synchronous_beside);
  tf_test_add_async ("/async-create/synchronous-while-undone", test_synchronous_while_undone);
  tf_test_add_async ("/async-create/again-after-cancelled", test_again_after_cancelled);
  g_test_add_func ("/async-create/completed-in-child", test_completed_in_child);
  g_test_add_func ("/async-create/started-in-child", test_started_in_child);
  tf_test_add_async ("/async-create/again", test_again);
  g_test_add_func ("/async-create/dir-again", test_dir_again);
  g_test_add_func ("/async-create/dropped-in-child", test_dropped_in_child);

  tf_test_add_async ("/async-create/foreign-result", test_foreign_result);
  g_test_add_func ("/async-create/other-result", test_other_result);

  return tf_test_run ();
}
