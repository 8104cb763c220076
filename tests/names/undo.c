/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "names/tf-journal-reader.h"
#include "names/tf-open.h"
#include "tf-test.h"

/* A file system creates what it is asked for, and reports an error all the same. */

static const TfTemplate here = { .dir = (char *) ".", .mode = 0700 };

static int false_errno; /* of the next creation, or 0 */
static gboolean is_filled; /* somebody writes to it */
static gboolean goes_away; /* everything fails after that */
static gboolean is_away;
static gboolean unlink_fails;
static gboolean unlinks_twice; /* somebody else comes first */

int __real_mkdirat (int fd, const char *path, mode_t mode);
int __wrap_mkdirat (int fd, const char *path, mode_t mode);
int __real_openat64 (int fd, const char *path, int flags, ...);
int __wrap_openat64 (int fd, const char *path, int flags, ...);
int __real_statx (int fd, const char *path, int flags, unsigned int mask, struct statx *stx);
int __wrap_statx (int fd, const char *path, int flags, unsigned int mask, struct statx *stx);
int __real_fstatat64 (int fd, const char *path, struct stat *st, int flags);
int __wrap_fstatat64 (int fd, const char *path, struct stat *st, int flags);
int __real_unlink (const char *path);
int __wrap_unlink (const char *path);
int __real_unlinkat (int fd, const char *path, int flags);
int __wrap_unlinkat (int fd, const char *path, int flags);

static int
fail (int error)
{
  errno = error;
  return -1;
}

/* Journals are created as well. */
static gboolean
is_false (const char *path)
{
  const char *slash = strrchr (path, '/');

  return false_errno != 0 && g_str_has_prefix (slash != NULL ? slash + 1 : path, "tmp");
}

static int
fail_falsely (int fd)
{
  int error = false_errno;

  if (is_filled)
    g_assert_cmpint (write (fd, "theirs", 6), ==, 6);
  tf_fd_clear (&fd);
  false_errno = 0;
  is_away = goes_away;
  return fail (error);
}

int
__wrap_mkdirat (int         fd,
                const char *path,
                mode_t      mode)
{
  int result = __real_mkdirat (fd, path, mode);

  return result == 0 && is_false (path) ? fail_falsely (-1) : result;
}

int
__wrap_openat64 (int         fd,
                 const char *path,
                 int         flags,
                 ...)
{
  va_list arguments;
  mode_t mode;
  int result;

  va_start (arguments, flags);
  mode = va_arg (arguments, guint);
  va_end (arguments);

  result = __real_openat64 (fd, path, flags, mode);
  return result >= 0 && (flags & O_CREAT) && is_false (path) ? fail_falsely (result) : result;
}

int
__wrap_statx (int           fd,
              const char   *path,
              int           flags,
              unsigned int  mask,
              struct statx *stx)
{
  return is_away ? fail (EIO) : __real_statx (fd, path, flags, mask, stx);
}

int
__wrap_fstatat64 (int          fd,
                  const char  *path,
                  struct stat *st,
                  int          flags)
{
  return is_away ? fail (EIO) : __real_fstatat64 (fd, path, st, flags);
}

int
__wrap_unlink (const char *path)
{
  if (unlink_fails)
    return fail (EACCES);

  return is_away ? fail (EIO) : __real_unlink (path);
}

int
__wrap_unlinkat (int         fd,
                 const char *path,
                 int         flags)
{
  if (unlinks_twice)
    g_assert_cmpint (__real_unlinkat (fd, path, flags), ==, 0);

  return __real_unlinkat (fd, path, flags);
}

typedef gboolean (*CreateFunc) (GError **error);

static gboolean
create_file (GError **error)
{
  g_autofree char *path = NULL;
  tf_autofd int fd = tf_open_named (&here, NULL, &path, NULL, error);

  return path != NULL && g_unlink (path) == 0;
}

static gboolean
create_recorded_file (GError **error)
{
  TfRegistryNode node = { NULL, };
  g_auto(TfOpenName) name = { .node = &node };
  g_autofree char *path = NULL;
  tf_autofd int fd = tf_open_named (&here, &name, &path, NULL, error);

  if (path == NULL)
    return FALSE;

  tf_registry_end (&node, FALSE);
  return g_unlink (path) == 0;
}

static gboolean
create_unlinked (GError **error)
{
  tf_autofd int fd = -1;

  tf_system_missing = TF_SYSTEM_TMPFILE;
  fd = tf_open_unnamed (&here, NULL, error);
  tf_system_missing = 0;
  return fd >= 0;
}

static gboolean
create_dir (GError **error)
{
  g_autofree char *path = tf_open_make_dir (&here, NULL, NULL, error);

  return path != NULL && g_rmdir (path) == 0;
}

static gboolean
create_recorded_dir (GError **error)
{
  TfRegistryNode node = { NULL, };
  g_auto(TfOpenName) name = { .node = &node };
  g_autofree char *path = tf_open_make_dir (&here, &name, NULL, error);

  if (path == NULL)
    return FALSE;

  tf_registry_end (&node, FALSE);
  return g_rmdir (path) == 0;
}

typedef struct
{
  const char *name;
  CreateFunc  create;
  gboolean    is_recorded;
  gboolean    is_dir;
} Way;

static const Way ways[] = {
  { "file", create_file, FALSE, FALSE },
  { "recorded-file", create_recorded_file, TRUE, FALSE },
  { "unlinked", create_unlinked, TRUE, FALSE },
  { "dir", create_dir, FALSE, TRUE },
  { "recorded-dir", create_recorded_dir, TRUE, TRUE },
};

/* Nothing is left. */
static void
test_error (gconstpointer data)
{
  const Way *way = data;
  const int errnos[] = { EIO, ENOSPC, EACCES, ESTALE };

  for (gsize i = 0; i < G_N_ELEMENTS (errnos); i++)
    {
      g_autoptr(GError) error = NULL;

      false_errno = errnos[i];
      g_assert_false (way->create (&error));
      g_assert_error (error, G_IO_ERROR, (int) g_io_error_from_errno (errnos[i]));
      g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
    }
}

/* The next name does it. */
static void
test_interrupted (gconstpointer data)
{
  const Way *way = data;
  g_autoptr(GError) error = NULL;

  false_errno = EINTR;
  g_assert_true (way->create (&error));
  g_assert_no_error (error);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
remove_one (gboolean is_dir)
{
  g_autoptr(GDir) dir = g_dir_open (".", 0, NULL);
  const char *name = g_dir_read_name (dir);

  g_assert_nonnull (name);
  g_assert_cmpint (is_dir ? g_rmdir (name) : g_unlink (name), ==, 0);
}

/* What is not new, or what has the name of which the file system says that it is taken, belongs to somebody else. */
static void
test_others (gconstpointer data)
{
  const Way *way = data;
  g_autoptr(GError) error = NULL;

  false_errno = EEXIST;
  g_assert_true (way->create (&error));
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 1);
  remove_one (way->is_dir);
  if (way->is_dir)
    return;

  false_errno = EIO;
  is_filled = TRUE;
  g_assert_false (way->create (&error));
  is_filled = FALSE;
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 1);
  remove_one (FALSE);
}

static guint
sweep (void)
{
  g_auto(TfFailures) failures;
  TfJournalReader reader = { .failures = &failures };
  g_autoptr(GError) error = NULL;

  tf_failures_init (&failures);
  g_assert_true (tf_journal_reader_sweep (&reader, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (tf_failures_report (&failures, &error));
  g_assert_no_error (error);
  return reader.n_removed;
}

static CreateFunc create_in_child;

static void
fail_and_exit (void)
{
  g_autoptr(GError) error = NULL;

  false_errno = EIO;
  goes_away = TRUE;
  g_assert_false (create_in_child (&error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  tf_test_ignore_leaks ();
  exit (0);
}

/* A sweep removes what could not be looked at. */
static void
test_away (gconstpointer data)
{
  const Way *way = data;

  if (tf_test_skip_if_portable ("journals"))
    return;

  create_in_child = way->create;
  tf_test_in_child (fail_and_exit);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 1);
  g_assert_cmpuint (sweep (), ==, way->is_recorded ? 1 : 0);
  if (!way->is_recorded)
    remove_one (way->is_dir);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
fail_often (void)
{
  for (guint i = 0; i < 1000; i++)
    {
      false_errno = EIO;
      goes_away = TRUE;
      is_away = FALSE;
      g_assert_false (create_recorded_file (NULL));
    }
  tf_test_ignore_leaks ();
  exit (0);
}

/* The journal does not grow for ever. */
static void
test_often (void)
{
  guint n_removed;

  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_in_child (fail_often);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 1000);
  n_removed = sweep ();
  g_assert_cmpuint (n_removed, >, 10);
  g_assert_cmpuint (n_removed, <, 200);
  for (guint i = n_removed; i < 1000; i++)
    remove_one (FALSE);
}

static void
add_for_each_way (const char    *name,
                  GTestDataFunc  func)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *path = g_strdup_printf ("/undo/%s/%s", name, ways[i].name);

      g_test_add_data_func (path, &ways[i], func);
    }
}

/* What has a name for a moment keeps it if that cannot be taken away, and is removed by a sweep. */
static void
fail_to_unlink (void)
{
  TfTemplate template = here;
  g_autoptr(GError) error = NULL;

  tf_system_missing = TF_SYSTEM_TMPFILE;
  unlink_fails = TRUE;
  template.dir = (char *) tf_test_get_sandbox ();
  g_assert_cmpint (tf_open_unnamed (&template, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (error->message, "unlink"));
  g_assert_nonnull (strstr (error->message, template.dir));
  tf_test_ignore_leaks ();
}

static void
test_not_unlinked (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_run_and_kill (fail_to_unlink);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 1);
  g_assert_cmpuint (sweep (), ==, 1);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

/* What somebody else removes in between is not left. */
static void
test_removed_first (void)
{
  g_assert_true (g_file_set_contents ("new", "", 0, NULL));
  unlinks_twice = TRUE;
  errno = EIO;
  g_assert_true (tf_open_undo (AT_FDCWD, "new", FALSE));
  g_assert_cmpint (errno, ==, EIO);
  unlinks_twice = FALSE;
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  add_for_each_way ("error", test_error);
  add_for_each_way ("interrupted", test_interrupted);
  add_for_each_way ("others", test_others);
  add_for_each_way ("away", test_away);
  g_test_add_func ("/undo/often", test_often);
  g_test_add_func ("/undo/not-unlinked", test_not_unlinked);
  g_test_add_func ("/undo/removed-first", test_removed_first);

  return tf_test_run ();
}
