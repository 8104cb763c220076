/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tree/tf-walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "tree/tf-dir.h"
#include "tf-test.h"
#include "tree.h"
#include "walk-calls.h"

/* What the next reading of a directory fails with, or 0. The linker puts this function in the place of the C library's,
 * see meson.build. */
static int listing_errno;
static gboolean knows_no_types; /* as some file systems */

ssize_t __real_getdents64 (int fd, void *buffer, size_t size);
ssize_t __wrap_getdents64 (int fd, void *buffer, size_t size);

ssize_t
__wrap_getdents64 (int     fd,
                   void   *buffer,
                   size_t  size)
{
  ssize_t n = listing_errno == 0 ? __real_getdents64 (fd, buffer, size) : -1;

  if (n < 0)
    {
      errno = listing_errno != 0 ? listing_errno : errno;
      listing_errno = 0;
    }

  for (ssize_t i = 0; knows_no_types && i < n; i += ((TfSystemEntry *) (gpointer) ((char *) buffer + i))->size)
    ((TfSystemEntry *) (gpointer) ((char *) buffer + i))->type = TF_SYSTEM_ENTRY_UNKNOWN;
  return n;
}

static const char *
make_root (void)
{
  tree_make_dir ("root");
  return "root";
}

static gboolean
empty (const char    *path,
       GCancellable  *cancellable,
       GError       **error)
{
  tf_autofd int fd = tree_open (path);

  return tf_walk_empty (path, fd, cancellable, error);
}

static void
assert_emptied (const char *path)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (empty (path, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (rmdir (path), ==, 0);
}

/* The ways to stay out of mount points, each as if the kernel had no better one: openat2(), the mount and the device. */
static void
for_each_confinement (void (*func) (void))
{
  const guint missing[] = { 0, TF_SYSTEM_OPENAT2, TF_SYSTEM_OPENAT2 | TF_SYSTEM_STATX };

  for (gsize i = 0; i < G_N_ELEMENTS (missing); i++)
    {
      tf_system_missing = missing[i];
      func ();
    }
  tf_system_missing = 0;
}

static void
remove_kinds (void)
{
  make_root ();
  tree_make_dir ("outside");
  tree_make_file ("outside/file");
  tree_make_wide ("root", 20, 20);
  tree_make_link ("../outside", "root/link");
  tree_make_link ("nowhere", "root/dangling");
  tree_make_link ("../../outside/file", "root/dir-3/link");
  g_assert_cmpint (mkfifo ("root/pipe", 0600), ==, 0);
  tree_make_file ("root/not utf-8 \xff");
  tree_make_file ("root/-rf");
  tree_make_file ("root/new\nline");

  assert_emptied ("root");

  g_assert_true (g_file_test ("outside/file", G_FILE_TEST_EXISTS));
  g_assert_cmpint (unlink ("outside/file"), ==, 0);
  g_assert_cmpint (rmdir ("outside"), ==, 0);
}

static void
test_kinds (void)
{
  for_each_confinement (remove_kinds);
}

static void
limit_fds (guint n_fds)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  limit.rlim_cur = n_fds;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

static void
remove_deep_with_few_fds (void)
{
  make_root ();
  tree_make_deep ("root", 3000);
  /* What is open, that is besides the one that counts, the root, and as many as are promised. */
  limit_fds (tf_test_count_fds () - 1 + 1 + TF_WALK_MAX_FDS);
  assert_emptied ("root");
}

static void
test_few_fds (void)
{
  tf_test_in_child (remove_deep_with_few_fds);
}

static void
remove_deep (void)
{
  g_autofree char *dir = tf_test_make_cheap_dir ();

  tree_make_deep (dir, 3000);
  assert_emptied (dir);
}

static void
remove_very_deep (void)
{
  g_autofree char *dir = tf_test_make_cheap_dir ();

  tree_make_deep (dir, 100000);
  limit_fds (32);
  assert_emptied (dir);
}

static void
test_very_deep (void)
{
  for_each_confinement (remove_deep);
  tf_test_in_child (remove_very_deep);
}

/* Long siblings at all depths, so that closed levels are entered and read again. */
static void
make_comb (const char *path,
           guint       depth)
{
  g_autofree char *next = NULL;

  tree_make_wide (path, 3, 2);
  if (depth == 0)
    return;

  next = g_strdup_printf ("%s/dir-1/down", path);
  tree_make_dir (next);
  make_comb (next, depth - 1);
}

static void
test_comb (void)
{
  make_root ();
  make_comb ("root", 40);
  assert_emptied ("root");
}

static void
remove_with_two_fds (void)
{
  tf_autofd int fd = -1;
  g_autoptr(GError) error = NULL;

  make_root ();
  tree_make_deep ("root", 50);
  fd = tree_open ("root");
  /* The counting one is closed again; one for the subdirectory and one for its parent. */
  limit_fds (tf_test_count_fds () - 1 + 2 + TREE_N_READING_FDS);
  g_assert_true (tf_walk_empty ("root", fd, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (rmdir ("root"), ==, 0);
}

static void
test_full_table (void)
{
  tf_test_in_child (remove_with_two_fds);
}

static void
remove_without_permissions (void)
{
  const guint modes[] = { 0, 0100, 0200, 0300, 0400, 0500, 0600 };

  g_assert_cmpint (mkdir ("mine", 0700), ==, 0);
  g_assert_cmpint (mkdir ("outside", 0500), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autofree char *dir = g_strdup_printf ("mine/%03o", modes[i]);
      g_autofree char *below = g_build_filename (dir, "below", NULL);
      g_autofree char *file = g_build_filename (below, "file", NULL);
      g_autofree char *link = g_build_filename (dir, "link", NULL);

      tree_make_dir (dir);
      tree_make_dir (below);
      tree_make_file (file);
      tree_make_link ("../../outside", link);
      g_assert_cmpint (chmod (below, modes[i]), ==, 0);
      g_assert_cmpint (chmod (dir, modes[i]), ==, 0);
    }

  assert_emptied ("mine");
}

static void
check_outside (void)
{
  struct stat st;

  g_assert_cmpint (stat ("outside", &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 0777, ==, 0500);
  g_assert_cmpint (rmdir ("outside"), ==, 0);
}

static void
remove_without_permissions_everywhere (void)
{
  tf_test_as_unprivileged (remove_without_permissions);
  check_outside ();
}

/* The third way trusts directories that only their owner may change. */
static void
test_permissions_without_proc (void)
{
  const guint missing[] = { TF_SYSTEM_FCHMODAT2, TF_SYSTEM_PROC, TF_SYSTEM_PROC | TF_SYSTEM_FCHMODAT2 };

  for (gsize i = 0; i < G_N_ELEMENTS (missing); i++)
    {
      tf_system_missing = missing[i];
      remove_without_permissions_everywhere ();
    }
  tf_system_missing = 0;
}

static void
fail_to_open_up (void)
{
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (mkdir ("shared", 0700), ==, 0);
  g_assert_cmpint (mkdir ("shared/locked", 0700), ==, 0);
  tree_make_file ("shared/locked/file");
  g_assert_cmpint (chmod ("shared/locked", 0), ==, 0);
  g_assert_cmpint (chmod ("shared", 0770), ==, 0);

  tf_system_missing = TF_SYSTEM_PROC | TF_SYSTEM_FCHMODAT2;
  g_assert_false (empty ("shared", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (error->message, "shared/locked"));

  g_assert_cmpint (chmod ("shared", 0700), ==, 0);
  assert_emptied ("shared");
}

/* The error names what could not be opened, and not the directory that is not empty for that reason. */
static void
test_locked (void)
{
  if (!tf_test_skip_if_portable ("descriptors that are for describing a file"))
    tf_test_as_unprivileged (fail_to_open_up);
}

static void
test_permissions (void)
{
  for_each_confinement (remove_without_permissions_everywhere);
}

static int
fail_stuck (int         dir_fd,
            const char *name,
            int         flags)
{
  if (g_str_has_prefix (name, "stuck"))
    {
      errno = EIO;
      return -1;
    }

  return __real_unlinkat (dir_fd, name, flags);
}

/* The first error with its path and the number of all; all else is gone. */
static void
test_goes_on (void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *deep = g_strdup ("root");

  make_root ();
  for (int i = 0; i < 30; i++)
    {
      g_autofree char *sibling = NULL;
      g_autofree char *next = g_strconcat (deep, "/d", NULL);

      tree_make_dir (next);
      sibling = g_strconcat (deep, "/sibling", NULL);
      tree_make_dir (sibling);
      if (i == 3 || i == 20 || i == 29)
        {
          g_autofree char *stuck = g_strconcat (next, "/stuck", NULL);

          tree_make_file (stuck);
        }
      g_free (deep);
      deep = g_steal_pointer (&next);
    }

  unlinkat_func = fail_stuck;
  g_assert_false (empty ("root", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "/d/stuck"));
  g_assert_nonnull (strstr (error->message, "the first of 3 errors"));
  g_assert_cmpuint (tf_test_count_entries ("root"), ==, 1);

  unlinkat_func = NULL;
  assert_emptied ("root");
}

static guint n_calls;
static GCancellable *cancellable;

static int
cancel_at_tenth (int         dir_fd,
                 const char *name,
                 int         flags)
{
  if (++n_calls == 10)
    g_cancellable_cancel (cancellable);

  return __real_unlinkat (dir_fd, name, flags);
}

static void
test_cancel (void)
{
  g_autoptr(GError) error = NULL;

  make_root ();
  tree_make_wide ("root", 5, 10);
  n_calls = 0;
  cancellable = g_cancellable_new ();
  unlinkat_func = cancel_at_tenth;
  g_assert_false (empty ("root", cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (n_calls, ==, 10);
  unlinkat_func = NULL;
  g_clear_object (&cancellable);

  assert_emptied ("root");
}

static int
fill_again (int         dir_fd,
            const char *name,
            int         flags)
{
  if (flags == AT_REMOVEDIR)
    {
      g_autofree char *file = g_build_filename (name, "again", NULL);
      tf_autofd int fd = openat (dir_fd, file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

      g_assert_cmpint (fd, >=, 0);
    }

  return __real_unlinkat (dir_fd, name, flags);
}

static void
test_filled (void)
{
  g_autoptr(GError) error = NULL;

  make_root ();
  tree_make_wide ("root", 1, 1);
  unlinkat_func = fill_again;
  g_assert_false (empty ("root", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_EMPTY);
  unlinkat_func = NULL;

  assert_emptied ("root");
}

static int
remove_twice (int         dir_fd,
              const char *name,
              int         flags)
{
  __real_unlinkat (dir_fd, name, flags);
  return __real_unlinkat (dir_fd, name, flags);
}

static void
test_vanishing (void)
{
  make_root ();
  tree_make_deep ("root", 30);
  tree_make_wide ("root", 3, 3);
  unlinkat_func = remove_twice;
  assert_emptied ("root");
  unlinkat_func = NULL;
}

static int wrong_fd = -1;
static guint n_wrong;

static int
lead_astray (int dir_fd)
{
  if (n_wrong == 0)
    return __real_openat64 (dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  n_wrong--;
  return fcntl (wrong_fd, F_DUPFD_CLOEXEC, 0);
}

/* The last directory cannot be removed. */
static int
fail_at_the_end (int         dir_fd,
                 const char *name,
                 int         flags)
{
  static gboolean failed = FALSE;

  if (failed || flags != AT_REMOVEDIR)
    return __real_unlinkat (dir_fd, name, flags);

  failed = TRUE;
  errno = EIO;
  return -1;
}

/* Someone moves the directory that is being emptied: the walk comes back from the root, as long as that helps. */
static void
test_moved (void)
{
  g_autoptr(GError) error = NULL;

  tree_make_dir ("elsewhere");
  tree_make_file ("elsewhere/file");
  wrong_fd = tree_open ("elsewhere");
  parent_func = lead_astray;
  n_wrong = G_MAXUINT;

  make_root ();
  tree_make_deep ("root", 30);
  assert_emptied ("root");

  make_root ();
  /* Without files: one that is removed on the way back is a step ahead, and the walk does not give up. */
  tree_make_chain ("root", 401);
  unlinkat_func = fail_at_the_end;
  g_assert_false (empty ("root", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "the first of 2 errors"));
  unlinkat_func = NULL;

  parent_func = NULL;
  assert_emptied ("root");

  tf_fd_clear (&wrong_fd);
  g_assert_cmpint (unlink ("elsewhere/file"), ==, 0);
  g_assert_cmpint (rmdir ("elsewhere"), ==, 0);
}

static gpointer
empty_in_thread (gpointer path)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (empty (path, NULL, &error));
  g_assert_no_error (error);
  return NULL;
}

static void
test_two_removers (void)
{
  g_autofree char *dir = tf_test_make_cheap_dir ();

  g_assert_cmpint (chdir (dir), ==, 0);
  for (int i = 0; i < 20; i++)
    {
      GThread *other;

      make_root ();
      tree_make_wide ("root", 10, 20);
      tree_make_deep ("root", 60);
      other = g_thread_new ("other", empty_in_thread, (gpointer) "root");
      empty_in_thread ((gpointer) "root");
      g_thread_join (other);
      g_assert_cmpint (rmdir ("root"), ==, 0);
    }
  g_assert_cmpint (chdir (tf_test_get_sandbox ()), ==, 0);
  g_assert_cmpint (rmdir (dir), ==, 0);
}

static gint swapping;

static gpointer
swap_in_thread (gpointer data)
{
  while (g_atomic_int_get (&swapping))
    {
      if (rename ("root/dir", "aside") == 0)
        {
          symlink ("../outside", "root/dir");
          unlink ("root/dir");
          rename ("aside", "root/dir");
        }
    }

  return NULL;
}

/* A directory becomes a symlink to one outside, and back, all the time. */
static void
test_swapped (void)
{
  GThread *swapper;
  struct stat st;

  tree_make_dir ("outside");
  tree_make_file ("outside/file");
  g_assert_cmpint (chmod ("outside", 0500), ==, 0);

  for (int i = 0; i < 20; i++)
    {
      make_root ();
      tree_make_dir ("root/dir");
      g_assert_cmpint (chmod ("root/dir", 0), ==, 0);
      g_atomic_int_set (&swapping, TRUE);
      swapper = g_thread_new ("swapper", swap_in_thread, NULL);
      for (int j = 0; j < 50; j++)
        empty ("root", NULL, NULL);
      g_atomic_int_set (&swapping, FALSE);
      g_thread_join (swapper);
      rmdir ("aside");
      assert_emptied ("root");
    }

  g_assert_cmpint (stat ("outside", &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 0777, ==, 0500);
  g_assert_cmpint (chmod ("outside", 0700), ==, 0);
  g_assert_cmpint (unlink ("outside/file"), ==, 0);
  g_assert_cmpint (rmdir ("outside"), ==, 0);
}

/* What cannot be read stays, and is an error; without descriptors, it is read again with fewer. */
static void
test_unreadable (void)
{
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("getdents64()"))
    return;

  make_root ();
  tree_make_wide ("root", 2, 2);
  listing_errno = EIO;
  g_assert_false (empty ("root", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "readdir"));
  g_assert_cmpint (listing_errno, ==, 0);
  listing_errno = EMFILE;
  assert_emptied ("root");
  g_assert_cmpint (listing_errno, ==, 0);
  make_root ();
  tree_make_wide ("root", 2, 2);
  listing_errno = ENFILE;
  assert_emptied ("root");
  g_assert_cmpint (listing_errno, ==, 0);

  /* What is gone has no entries. */
  make_root ();
  listing_errno = ENOENT;
  assert_emptied ("root");
  g_assert_cmpint (listing_errno, ==, 0);

  g_clear_error (&error);
  g_assert_false (tf_walk_empty ("/nothing", -1, NULL, &error));
  g_assert_nonnull (error);
}

static void
test_without_types (void)
{
  make_root ();
  tree_make_wide ("root", 3, 3);
  tree_make_link ("nowhere", "root/link");
  knows_no_types = TRUE;
  assert_emptied ("root");
  knows_no_types = FALSE;
}

static int
exchange_before_unlink (int         dir_fd,
                        const char *name,
                        int         flags)
{
  unlinkat_func = NULL;
  g_assert_cmpint (flags, ==, 0);
  g_assert_cmpint (__real_unlinkat (dir_fd, name, 0), ==, 0);
  g_assert_cmpint (mkdirat (dir_fd, name, 0700), ==, 0);
  return __real_unlinkat (dir_fd, name, 0);
}

/* A file can become a directory after the directory in which it is was read. */
static void
test_becomes_dir (void)
{
  make_root ();
  tree_make_file ("root/file");
  unlinkat_func = exchange_before_unlink;
  assert_emptied ("root");
  g_assert_true (unlinkat_func == NULL);
}

/* The root was opened before its owner took the permissions from himself. */
static void
empty_locked_root (void)
{
  int fd;

  make_root ();
  tree_make_wide ("root", 2, 2);
  fd = tree_open ("root");
  g_assert_cmpint (chmod ("root", 0), ==, 0);
  g_assert_true (tf_walk_empty ("root", fd, NULL, NULL));
  g_assert_cmpint (close (fd), ==, 0);
  g_assert_cmpint (rmdir ("root"), ==, 0);
}

static void
test_locked_root (void)
{
  tf_test_as_unprivileged (empty_locked_root);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/walk/kinds", test_kinds);
  g_test_add_func ("/walk/few-fds", test_few_fds);
  g_test_add_func ("/walk/very-deep", test_very_deep);
  g_test_add_func ("/walk/comb", test_comb);
  g_test_add_func ("/walk/full-table", test_full_table);
  g_test_add_func ("/walk/permissions", test_permissions);
  g_test_add_func ("/walk/permissions-without-proc", test_permissions_without_proc);
  g_test_add_func ("/walk/locked", test_locked);
  g_test_add_func ("/walk/goes-on", test_goes_on);
  g_test_add_func ("/walk/cancel", test_cancel);
  g_test_add_func ("/walk/filled", test_filled);
  g_test_add_func ("/walk/vanishing", test_vanishing);
  g_test_add_func ("/walk/moved", test_moved);
  g_test_add_func ("/walk/two-removers", test_two_removers);
  g_test_add_func ("/walk/swapped", test_swapped);
  g_test_add_func ("/walk/unreadable", test_unreadable);
  g_test_add_func ("/walk/without-types", test_without_types);
  g_test_add_func ("/walk/becomes-dir", test_becomes_dir);
  g_test_add_func ("/walk/locked-root", test_locked_root);

  return tf_test_run ();
}
