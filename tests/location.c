/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <errno.h>
#include <glib/gstdio.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test.h"

static const char * const variables[] = { "TMPDIR", "TEMP", "TMP" };

/* Directories that are to look as if they were in memory, once a test decides on that. The linker puts this
 * function in place of the C library's. */
static const char *in_memory[4];
static guint32 memory_type = TMPFS_MAGIC;
static gboolean decides_what_is_in_memory;

/* The next look at a file system cancels this, and the next search stops there until it may go on. */
static GCancellable *cancelled_by_look; /* (unowned) (nullable) */
static GMutex stop_lock;
static GCond stop_changed;
static gboolean is_to_stop;
static gboolean is_stopped;

static void
stop_if_wanted (void)
{
  g_mutex_lock (&stop_lock);
  is_stopped = is_to_stop;
  g_cond_broadcast (&stop_changed);
  while (is_to_stop)
    g_cond_wait (&stop_changed, &stop_lock);
  g_mutex_unlock (&stop_lock);
}

int __real_statfs64 (const char *path, struct statfs *fs);
int __wrap_statfs64 (const char *path, struct statfs *fs);

int
__wrap_statfs64 (const char    *path,
                 struct statfs *fs)
{
  int result = __real_statfs64 (path, fs);

  stop_if_wanted ();
  if (cancelled_by_look != NULL)
    g_cancellable_cancel (g_steal_pointer (&cancelled_by_look));
  if (result == 0 && decides_what_is_in_memory)
    fs->f_type = g_strv_contains (in_memory, path) ? memory_type : EXT4_SUPER_MAGIC;

  return result;
}

/* What Flatpak says of the sandbox: NULL when it does not run this program. In place of GLib's function as well. */
static const char *flatpak_info;
static GCancellable *cancelled_by_load; /* (unowned) (nullable) */

gboolean __real_g_key_file_load_from_file (GKeyFile *file, const char *path, GKeyFileFlags flags, GError **error);
gboolean __wrap_g_key_file_load_from_file (GKeyFile *file, const char *path, GKeyFileFlags flags, GError **error);

gboolean
__wrap_g_key_file_load_from_file (GKeyFile       *file,
                                  const char     *path,
                                  GKeyFileFlags   flags,
                                  GError        **error)
{
  g_assert_cmpstr (path, ==, "/.flatpak-info");
  g_cancellable_cancel (cancelled_by_load);

  return __real_g_key_file_load_from_file (file, flatpak_info != NULL ? flatpak_info : "/nonexistent", flags, error);
}

/* Lets the next search see these, each of which may be NULL. */
static void
set_environment (const char *tmpdir,
                 const char *temp,
                 const char *tmp)
{
  const char *values[] = { tmpdir, temp, tmp };

  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    {
      if (values[i] != NULL)
        g_setenv (variables[i], values[i], TRUE);
      else
        g_unsetenv (variables[i]);
    }

  tf_set_temp_dir (NULL);
}

static void
reset_environment (void)
{
  set_environment (tf_test_get_sandbox (), NULL, NULL);
}

static void
assert_temp_dir (const char *expected)
{
  g_autoptr(GError) error = NULL;

  g_assert_cmpstr (tf_get_temp_dir (&error), ==, expected);
  g_assert_no_error (error);
}

static void
make_dirs (void)
{
  g_assert_cmpint (g_mkdir ("a", 0700), ==, 0);
  g_assert_cmpint (g_mkdir ("b", 0700), ==, 0);
  g_assert_cmpint (g_mkdir ("c", 0700), ==, 0);
}

static void
remove_dirs (void)
{
  g_assert_cmpint (g_rmdir ("a"), ==, 0);
  g_assert_cmpint (g_rmdir ("b"), ==, 0);
  g_assert_cmpint (g_rmdir ("c"), ==, 0);
}

static void
test_order (void)
{
  g_autofree char *a = tf_test_path ("a");
  g_autofree char *b = tf_test_path ("b");
  g_autofree char *c = tf_test_path ("c");
  g_autofree char *missing = tf_test_path ("missing");
  g_autofree char *file = tf_test_path ("file");

  make_dirs ();
  g_assert_true (g_file_set_contents ("file", "", 0, NULL));

  set_environment (a, b, c);
  assert_temp_dir (a);
  set_environment (NULL, b, c);
  assert_temp_dir (b);
  set_environment (NULL, NULL, c);
  assert_temp_dir (c);

  /* What is not set, empty or not usable is passed over. */
  set_environment ("", b, c);
  assert_temp_dir (b);
  set_environment (missing, b, c);
  assert_temp_dir (b);
  set_environment (file, missing, c);
  assert_temp_dir (c);

  reset_environment ();
  g_assert_cmpint (g_unlink ("file"), ==, 0);
  remove_dirs ();
}

static void
test_without_variables (void)
{
  const char * const expected[] = { "/tmp", "/var/tmp", "/usr/tmp", tf_test_get_sandbox (), NULL };
  g_autoptr(GError) error = NULL;
  const char *dir;

  set_environment (NULL, NULL, NULL);
  dir = tf_get_temp_dir (&error);
  g_assert_no_error (error);
  g_assert_true (g_strv_contains (expected, dir));
  reset_environment ();
}

static void
pass_over_unwritable (void)
{
  g_autofree char *unwritable = tf_test_path ("unwritable");

  set_environment (unwritable, tf_test_get_sandbox (), NULL);
  assert_temp_dir (tf_test_get_sandbox ());
}

static void
test_unwritable (void)
{
  g_assert_cmpint (g_mkdir ("unwritable", 0555), ==, 0);
  tf_test_as_unprivileged (pass_over_unwritable);
  g_assert_cmpint (g_rmdir ("unwritable"), ==, 0);
}

static void
test_relative (void)
{
  g_autofree char *a = tf_test_path ("a");

  make_dirs ();
  set_environment ("a", NULL, NULL);
  assert_temp_dir (a);
  g_assert_cmpint (g_chdir ("c"), ==, 0);
  assert_temp_dir (a);
  tf_set_temp_dir ("../b");
  g_assert_cmpint (g_chdir (".."), ==, 0);
  g_assert_true (g_str_has_suffix (tf_get_temp_dir (NULL), "/c/../b"));
  g_assert_true (g_path_is_absolute (tf_get_temp_dir (NULL)));

  reset_environment ();
  remove_dirs ();
}

static void
test_cached (void)
{
  g_autofree char *a = tf_test_path ("a");
  const char *dir;

  make_dirs ();
  set_environment (a, NULL, NULL);
  dir = tf_get_temp_dir (NULL);
  g_setenv ("TMPDIR", tf_test_get_sandbox (), TRUE);
  g_assert_true (tf_get_temp_dir (NULL) == dir);
  g_assert_cmpstr (dir, ==, a);

  /* The old answer stays readable. */
  tf_set_temp_dir (NULL);
  assert_temp_dir (tf_test_get_sandbox ());
  g_assert_cmpstr (dir, ==, a);

  reset_environment ();
  remove_dirs ();
}

static void
test_set (void)
{
  g_autofree char *missing = tf_test_path ("missing");
  g_autoptr(GError) error = NULL;
  g_autofree char *path = NULL;

  tf_set_temp_dir (missing);
  assert_temp_dir (missing);
  g_assert_cmpint (tf_mkstemp (NULL, NULL, NULL, &path, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, missing));
  g_assert_null (path);

  tf_set_temp_dir (NULL);
  assert_temp_dir (tf_test_get_sandbox ());
}

static void
test_not_utf8 (void)
{
  g_autofree char *dir = tf_test_path ("\xff-dir");
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (g_mkdir (dir, 0700), ==, 0);
  set_environment (dir, NULL, NULL);
  assert_temp_dir (dir);
  g_assert_cmpint (g_rmdir (dir), ==, 0);

  tf_set_temp_dir (dir);
  assert_temp_dir (dir);
  g_assert_null (tf_mkdtemp (NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));

  reset_environment ();
}

static void
assert_none_usable (const char *reason)
{
  g_autofree char *missing = tf_test_path ("missing");
  g_autofree char *file = tf_test_path ("file");
  const char * const tried[] = { missing, file, "“/tmp”", "“/var/tmp”", "/usr/tmp", tf_test_get_sandbox () };
  g_autoptr(GError) error = NULL;
  const char *in_message;

  g_assert_null (tf_get_temp_dir (&error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);

  /* All of them, in the order of the search, each with its reason. */
  in_message = error->message;
  for (gsize i = 0; i < G_N_ELEMENTS (tried); i++)
    {
      in_message = strstr (in_message, tried[i]);
      g_assert_nonnull (in_message);
    }
  g_assert_nonnull (strstr (error->message, g_strerror (ENOENT)));
  g_assert_nonnull (strstr (error->message, g_strerror (ENOTDIR)));
  g_assert_nonnull (strstr (error->message, reason));
}

/* No directory takes a byte: whoever runs the tests, on whatever machine. */
static void
test_none_usable (void)
{
  g_autofree char *missing = tf_test_path ("missing");
  g_autofree char *file = tf_test_path ("file");

  g_assert_true (g_file_set_contents ("file", "", 0, NULL));
  set_environment (missing, file, NULL);
  tf_test_limit_file_size (0);
  assert_none_usable (g_strerror (EFBIG));
G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  g_assert_null (tf_mktemp (NULL, NULL, NULL, NULL));
G_GNUC_END_IGNORE_DEPRECATIONS
  tf_test_unlimit_file_size ();
  g_assert_cmpint (g_unlink ("file"), ==, 0);

  /* A failure is not remembered. */
  g_setenv ("TMPDIR", tf_test_get_sandbox (), TRUE);
  assert_temp_dir (tf_test_get_sandbox ());
  reset_environment ();
}

static void
test_none_usable_for_others (void)
{
  g_autoptr(GError) errors = NULL;
  g_autoptr(TfSpooledFile) spooled = tf_spooled_file_new (0);
  g_autofree char *path = NULL;

  set_environment (NULL, NULL, NULL);
  tf_test_limit_file_size (0);

  g_assert_cmpint (tf_mkstemp (NULL, NULL, NULL, &path, NULL, &errors), ==, -1);
  g_assert_error (errors, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&errors);
  g_assert_null (tf_mkdtemp (NULL, NULL, NULL, NULL, &errors));
  g_assert_error (errors, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&errors);
  g_assert_null (tf_temp_file_new (NULL, NULL, &errors));
  g_assert_error (errors, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&errors);
  g_assert_null (tf_named_file_new (NULL, NULL, NULL, NULL, &errors));
  g_assert_error (errors, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&errors);
  g_assert_null (tf_temp_dir_new (NULL, NULL, NULL, NULL, &errors));
  g_assert_error (errors, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&errors);
  g_assert_false (tf_temp_file_write (TF_TEMP_FILE (spooled), "x", 1, NULL, &errors));
  g_assert_error (errors, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);

  tf_test_unlimit_file_size ();
  reset_environment ();
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (spooled), "x", 1, NULL, NULL));
}

static void
work_in_lost_dir (void)
{
  g_assert_cmpint (g_mkdir ("lost", 0700), ==, 0);
  g_assert_cmpint (g_chdir ("lost"), ==, 0);
  g_assert_cmpint (g_rmdir ("../lost"), ==, 0);

  set_environment ("relative", tf_test_get_sandbox (), NULL);
  assert_temp_dir (tf_test_get_sandbox ());
}

static void
test_lost_current_dir (void)
{
  tf_test_in_child (work_in_lost_dir);
}

static gpointer
get_temp_dir_in_thread (gpointer data)
{
  return (gpointer) tf_get_temp_dir (NULL);
}

static void
test_threads (void)
{
  GThread *threads[8];

  tf_set_temp_dir (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("get-temp-dir", get_temp_dir_in_thread, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_true (g_thread_join (threads[i]) == tf_get_temp_dir (NULL));
}

/* An asynchronous call and its finish function. */
typedef struct
{
  void (*start) (int                  io_priority,
                 GCancellable        *cancellable,
                 GAsyncReadyCallback  callback,
                 gpointer             user_data);
  const char * (*finish) (GAsyncResult  *result,
                          GError       **error);
  const char * (*get) (GError **error);
} Twin;

static const Twin twins[] = {
  { tf_get_temp_dir_async, tf_get_temp_dir_finish, tf_get_temp_dir },
  { tf_get_spool_dir_async, tf_get_spool_dir_finish, tf_get_spool_dir },
  { tf_get_shareable_dir_async, tf_get_shareable_dir_finish, tf_get_shareable_dir },
};

static const char *
get_async (const Twin    *twin,
           GCancellable  *cancellable,
           GError       **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  twin->start (G_PRIORITY_DEFAULT, cancellable, tf_test_take_result, &result);
  return twin->finish (tf_test_wait (&result), error);
}

static void
test_async (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (twins); i++)
    {
      g_autoptr(GError) error = NULL;
      const char *dir;

      reset_environment ();
      dir = get_async (&twins[i], NULL, &error);
      g_assert_no_error (error);
      g_assert_true (dir == twins[i].get (NULL));
      g_assert_true (dir == get_async (&twins[i], NULL, &error));
      g_assert_no_error (error);
    }
}

static void
test_async_cancelled (void)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();

  g_cancellable_cancel (cancellable);
  for (gsize i = 0; i < G_N_ELEMENTS (twins); i++)
    {
      g_autoptr(GError) error = NULL;

      set_environment (NULL, NULL, NULL);
      g_assert_null (get_async (&twins[i], cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }

  /* It was no answer that is kept. */
  set_environment (tf_test_get_sandbox (), NULL, NULL);
  assert_temp_dir (tf_test_get_sandbox ());
}

static void
test_async_none_usable (void)
{
  g_autoptr(GError) error = NULL;

  set_environment (NULL, NULL, NULL);
  tf_test_limit_file_size (0);
  g_assert_null (get_async (&twins[0], NULL, &error));
  tf_test_unlimit_file_size ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "“/var/tmp”"));

  /* Nor is anything created then. */
  for (int i = 0; i < 2; i++)
    {
      g_autoptr(GAsyncResult) result = NULL;
      g_autofree char *path = NULL;
      g_autoptr(GError) own_error = NULL;

      tf_set_temp_dir (NULL);
      tf_test_limit_file_size (0);
      if (i == 0)
        {
          tf_mkstemp_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
          g_assert_cmpint (tf_mkstemp_finish (tf_test_wait (&result), &path, &own_error), ==, -1);
        }
      else
        {
          tf_mkdtemp_async (NULL, NULL, NULL, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
          g_assert_null (tf_mkdtemp_finish (tf_test_wait (&result), &own_error));
        }
      tf_test_unlimit_file_size ();
      g_assert_error (own_error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    }
  reset_environment ();
}

/* A search that another thread is doing does not make the call wait. */
static void
test_async_in_threads (void)
{
  GAsyncResult *results[20] = { NULL };

  reset_environment ();
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++)
    tf_get_temp_dir_async (G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &results[i]);

  for (gsize i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_assert_cmpstr (tf_get_temp_dir_finish (tf_test_wait (&results[i]), NULL), ==, tf_test_get_sandbox ());
      g_object_unref (results[i]);
    }
}

static void
test_prefix (void)
{
  g_assert_cmpstr (tf_get_temp_prefix (), ==, "tmp");
}

static void
forget (void)
{
  decides_what_is_in_memory = TRUE;
  in_memory[0] = in_memory[1] = in_memory[2] = NULL;
  tf_set_temp_dir (NULL);
}

static void
spool_dir_in_child (void)
{
  g_unsetenv ("TMPDIR");

  forget ();
  g_assert_cmpstr (tf_get_spool_dir (NULL), ==, "/tmp");

  forget ();
  in_memory[0] = "/tmp";
  g_assert_cmpstr (tf_get_spool_dir (NULL), ==, "/var/tmp");
  g_assert_cmpstr (tf_get_temp_dir (NULL), ==, "/tmp");

  forget ();
  in_memory[0] = "/tmp";
  memory_type = RAMFS_MAGIC;
  g_assert_cmpstr (tf_get_spool_dir (NULL), ==, "/var/tmp");

  forget ();
  in_memory[0] = "/tmp";
  in_memory[1] = "/var/tmp";
  g_assert_cmpstr (tf_get_spool_dir (NULL), ==, tf_test_get_sandbox ());

  /* Nothing but memory. */
  in_memory[2] = ".";
  tf_set_temp_dir (NULL);
  g_assert_cmpstr (tf_get_spool_dir (NULL), ==, "/tmp");

  /* Whoever says where is obeyed. */
  tf_set_temp_dir ("/var/tmp");
  g_assert_cmpstr (tf_get_spool_dir (NULL), ==, "/var/tmp");
  tf_set_temp_dir (NULL);
  in_memory[1] = in_memory[2] = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    {
      g_assert_true (g_setenv (variables[i], "", TRUE));
      g_assert_cmpstr (tf_get_spool_dir (NULL), ==, "/var/tmp");
      g_assert_true (g_setenv (variables[i], "/tmp", TRUE));
      g_assert_cmpstr (tf_get_spool_dir (NULL), ==, "/tmp");
      g_unsetenv (variables[i]);
    }
}

static void
test_spool_dir (void)
{
  if (tf_test_skip_if_portable ("types of file systems"))
    return;

  tf_test_in_child (spool_dir_in_child);
}

static gpointer
search_in_thread (gpointer no_data)
{
  return (gpointer) tf_get_spool_dir (NULL);
}

static void
ask_beside_search (void)
{
  g_autoptr(GAsyncResult) spool = NULL;
  g_autoptr(GAsyncResult) temp = NULL;
  GThread *thread;

  g_unsetenv ("TMPDIR");
  forget ();
  is_to_stop = TRUE;
  thread = g_thread_new ("search", search_in_thread, NULL);
  g_mutex_lock (&stop_lock);
  while (!is_stopped)
    g_cond_wait (&stop_changed, &stop_lock);
  g_mutex_unlock (&stop_lock);

  /* These would wait for ever. */
  tf_get_spool_dir_async (G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &spool);
  tf_get_temp_dir_async (G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &temp);
  g_mutex_lock (&stop_lock);
  is_to_stop = FALSE;
  g_cond_broadcast (&stop_changed);
  g_mutex_unlock (&stop_lock);

  g_assert_cmpstr (g_thread_join (thread), ==, "/tmp");
  g_assert_cmpstr (tf_get_spool_dir_finish (tf_test_wait (&spool), NULL), ==, "/tmp");
  g_assert_cmpstr (tf_get_temp_dir_finish (tf_test_wait (&temp), NULL), ==, "/tmp");
}

/* A main loop does not wait for the search of another thread. */
static void
test_beside_search (void)
{
  if (tf_test_skip_if_portable ("types of file systems"))
    return;

  tf_test_in_child (ask_beside_search);
}

static void
cancel_search (void)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  g_unsetenv ("TMPDIR");
  forget ();
  in_memory[0] = "/tmp";
  cancelled_by_look = cancellable;
  g_assert_null (get_async (&twins[1], cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  /* It was no answer that is kept. */
  g_assert_cmpstr (get_async (&twins[1], NULL, NULL), ==, "/var/tmp");
}

static void
test_cancelled_search (void)
{
  if (tf_test_skip_if_portable ("types of file systems"))
    return;

  tf_test_in_child (cancel_search);
}

static void
rollover_in_child (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  g_autofree char *path = NULL;
  g_autofree char *target = NULL;

  g_unsetenv ("TMPDIR");
  forget ();
  in_memory[0] = "/tmp";
  path = tf_temp_file_get_fd_path (TF_TEMP_FILE (file), NULL, NULL);
  target = g_file_read_link (path, NULL);
  g_assert_true (g_str_has_prefix (target, "/var/tmp/"));
}

static void
test_rollover (void)
{
  if (tf_test_skip_if_portable ("types of file systems"))
    return;

  tf_test_in_child (rollover_in_child);
}

static void
test_shareable_outside (void)
{
  g_assert_cmpstr (tf_get_shareable_dir (NULL), ==, tf_get_temp_dir (NULL));
}

static void
shareable_in_child (void)
{
  g_autofree char *info = tf_test_path ("flatpak-info");
  g_autofree char *dir = tf_test_path (".var/app/org.example.App/cache/tmp");
  g_autoptr(GError) error = NULL;
  struct stat st;

  g_assert_true (g_setenv ("HOME", tf_test_get_sandbox (), TRUE));
  g_assert_true (g_file_set_contents (info, "[Application]\nname=org.example.App\n", -1, NULL));
  flatpak_info = info;

  g_assert_cmpstr (tf_get_shareable_dir (&error), ==, dir);
  g_assert_no_error (error);
  g_assert_cmpint (stat (dir, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0700);

  /* It is in the way of itself. */
  g_assert_cmpint (rmdir (dir), ==, 0);
  g_assert_true (g_file_set_contents (dir, "", 0, NULL));
  g_assert_null (tf_get_shareable_dir (&error));
  g_assert_nonnull (error);
  g_assert_cmpint (error->domain, ==, G_IO_ERROR);
}

/* What is no name of a directory cannot be the identifier of an application. */
static void
share_without_name (void)
{
  const char *const infos[] = { "[Application]\n", "[Application]\nname=\n", "[Application]\nname=../other\n" };
  g_autofree char *info = tf_test_path ("flatpak-info");

  g_assert_true (g_setenv ("HOME", tf_test_get_sandbox (), TRUE));
  flatpak_info = info;
  for (gsize i = 0; i < G_N_ELEMENTS (infos); i++)
    {
      g_assert_true (g_file_set_contents (info, infos[i], -1, NULL));
      g_assert_cmpstr (tf_get_shareable_dir (NULL), ==, tf_get_temp_dir (NULL));
    }
  g_assert_cmpint (g_unlink (info), ==, 0);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
test_shareable_without_name (void)
{
  tf_test_in_child (share_without_name);
}

static void
test_shareable_inside (void)
{
  const char *names[] = { "flatpak-info", ".var/app/org.example.App/cache/tmp", ".var/app/org.example.App/cache",
                          ".var/app/org.example.App", ".var/app", ".var" };

  tf_test_in_child (shareable_in_child);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = tf_test_path (names[i]);

      g_assert_cmpint (remove (path), ==, 0);
    }
}

static void
cancel_in_sandbox (void)
{
  g_autofree char *info = tf_test_path ("flatpak-info");
  g_autofree char *apps = tf_test_path (".var");
  g_autoptr(GFile) tree = g_file_new_for_path (apps);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  g_assert_true (g_setenv ("HOME", tf_test_get_sandbox (), TRUE));
  g_assert_true (g_file_set_contents (info, "[Application]\nname=org.example.App\n", -1, NULL));
  flatpak_info = info;
  cancelled_by_load = cancellable;
  g_assert_null (get_async (&twins[2], cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  g_assert_true (tf_remove_tree (tree, NULL, NULL));
  g_assert_cmpint (g_unlink (info), ==, 0);
}

static void
cancel_outside (void)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  tf_set_temp_dir (NULL);
  cancelled_by_load = cancellable;
  g_assert_null (get_async (&twins[2], cancellable, &error));
  cancelled_by_load = NULL;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_shareable_cancelled (void)
{
  tf_test_in_child (cancel_in_sandbox);
  tf_test_in_child (cancel_outside);
}

/* Run by a user whom the modes bind. */
static void
share_in_read_only_dir (void)
{
  g_autofree char *info = tf_test_path ("flatpak-info");
  g_autofree char *dir = tf_test_path ("home/.var/app/org.example.App/cache/tmp");
  g_autofree char *home = tf_test_path ("home");
  g_autofree char *apps = g_build_filename (home, ".var", NULL);
  g_autoptr(GFile) tree = g_file_new_for_path (apps);
  g_autoptr(GError) error = NULL;

  g_assert_true (g_setenv ("HOME", home, TRUE));
  g_assert_true (g_file_set_contents (info, "[Application]\nname=org.example.App\n", -1, NULL));
  flatpak_info = info;
  g_assert_cmpint (g_mkdir_with_parents (dir, 0700), ==, 0);
  g_assert_cmpint (g_chmod (dir, 0500), ==, 0);
  g_assert_null (tf_get_shareable_dir (&error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, dir));

  g_assert_true (tf_remove_tree (tree, NULL, NULL));
  g_assert_cmpint (g_rmdir (home), ==, 0);
  g_assert_cmpint (g_unlink (info), ==, 0);
}

static void
test_shareable_read_only (void)
{
  tf_test_as_unprivileged (share_in_read_only_dir);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  g_test_add_func ("/location/order", test_order);
  g_test_add_func ("/location/without-variables", test_without_variables);
  g_test_add_func ("/location/unwritable", test_unwritable);
  g_test_add_func ("/location/relative", test_relative);
  g_test_add_func ("/location/cached", test_cached);
  g_test_add_func ("/location/set", test_set);
  g_test_add_func ("/location/not-utf8", test_not_utf8);
  g_test_add_func ("/location/shareable/without-name", test_shareable_without_name);
  g_test_add_func ("/location/none-usable", test_none_usable);
  g_test_add_func ("/location/none-usable-for-others", test_none_usable_for_others);
  g_test_add_func ("/location/lost-current-dir", test_lost_current_dir);
  g_test_add_func ("/location/threads", test_threads);
  g_test_add_func ("/location/prefix", test_prefix);
  g_test_add_func ("/location/spool-dir", test_spool_dir);
  g_test_add_func ("/location/rollover", test_rollover);
  g_test_add_func ("/location/beside-search", test_beside_search);
  g_test_add_func ("/location/cancelled-search", test_cancelled_search);
  g_test_add_func ("/location/shareable/outside", test_shareable_outside);
  g_test_add_func ("/location/shareable/inside", test_shareable_inside);
  g_test_add_func ("/location/shareable/cancelled", test_shareable_cancelled);
  g_test_add_func ("/location/shareable/read-only", test_shareable_read_only);
  tf_test_add_async ("/location/async", test_async);
  tf_test_add_async ("/location/async-cancelled", test_async_cancelled);
  tf_test_add_async ("/location/async-none-usable", test_async_none_usable);
  g_test_add_func ("/location/async-in-threads", test_async_in_threads);

  return tf_test_run ();
}
