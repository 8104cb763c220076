/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tree/tf-dir-stack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "tf-test.h"
#include "tree.h"

#define N_LEVELS 10

static int root_fd;

/* The next call of that name fails with that. The linker puts the functions below in place of the C library's. */
static const char *failing_call; /* (nullable) */
static int failing_errno;

static void
let_fail (const char *call,
          int         with_errno)
{
  failing_call = call;
  failing_errno = with_errno;
}

static gboolean
fails (const char *call)
{
  if (g_strcmp0 (call, failing_call) != 0)
    return FALSE;

  failing_call = NULL;
  errno = failing_errno;
  return TRUE;
}

int __real_chmod (const char *path, mode_t mode);
int __wrap_chmod (const char *path, mode_t mode);
int __real_openat64 (int fd, const char *path, int flags, ...);
int __wrap_openat64 (int fd, const char *path, int flags, ...);
int __real_statx (int fd, const char *path, int flags, unsigned int mask, struct statx *stx);
int __wrap_statx (int fd, const char *path, int flags, unsigned int mask, struct statx *stx);

int
__wrap_chmod (const char *path,
              mode_t      mode)
{
  return fails ("chmod") ? -1 : __real_chmod (path, mode);
}

int
__wrap_openat64 (int         fd,
                 const char *path,
                 int         flags,
                 ...)
{
  va_list arguments;
  mode_t mode;

  va_start (arguments, flags);
  mode = va_arg (arguments, guintptr);
  va_end (arguments);

  return fails ("openat64") ? -1 : __real_openat64 (fd, path, flags, mode);
}

/* What is opened has the next inode number. */
static gboolean is_exchanged;
static gboolean cannot_be_told;

int __real_fstat64 (int fd, struct stat *st);
int __wrap_fstat64 (int fd, struct stat *st);

int
__wrap_fstat64 (int          fd,
                struct stat *st)
{
  int result = __real_fstat64 (fd, st);

  st->st_ino += is_exchanged;
  if (!cannot_be_told)
    return result;

  errno = EIO;
  return -1;
}

int
__wrap_statx (int           fd,
              const char   *path,
              int           flags,
              unsigned int  mask,
              struct statx *stx)
{
  return fails ("statx") ? -1 : __real_statx (fd, path, flags, mask, stx);
}

static void
push (TfDirStack *stack,
      const char *name)
{
  TfDirLevel *top = tf_dir_stack_get_top (stack);
  int fd = openat (top->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  TfDir dir;

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (tf_dir_read (&dir, fd));
  tf_dir_stack_push (stack, fd, &dir, name);
}

static void
init (TfDirStack *stack,
      const char *path,
      guint       max_open)
{
  TfDir root;

  root_fd = tree_open ("0");
  g_assert_true (tf_dir_read (&root, root_fd));
  tf_dir_stack_init (stack, path, root_fd, &root, max_open);
}

static void
clear (TfDirStack *stack)
{
  tf_dir_stack_clear (stack);
  tf_fd_clear (&root_fd);
}

/* Makes a chain of directories in each other. */
static void
make_chain (const char *name)
{
  g_autoptr(GString) path = g_string_new ("0");

  for (int i = 0; i < N_LEVELS; i++)
    {
      tree_make_dir (path->str);
      g_string_append_printf (path, "/%s", name);
    }
}

static void
remove_chain (const char *name)
{
  for (int i = N_LEVELS - 1; i >= 0; i--)
    {
      g_autoptr(GString) path = g_string_new ("0");

      for (int j = 0; j < i; j++)
        g_string_append_printf (path, "/%s", name);
      g_assert_cmpint (rmdir (path->str), ==, 0);
    }
}

/* '1' for each level that is open, from the root on. */
static void
assert_open (TfDirStack *stack,
             const char *expected)
{
  g_autoptr(GString) open = g_string_new (NULL);

  for (guint i = 0; i <= tf_dir_stack_get_depth (stack); i++)
    g_string_append_c (open, tf_dir_stack_get (stack, i)->fd >= 0 ? '1' : '0');
  g_assert_cmpstr (open->str, ==, expected);
}

static void
test_max_open (void)
{
  guint n_fds = tf_test_count_fds ();
  TfDirStack stack;

  make_chain ("d");
  init (&stack, "/top", 8);
  for (int i = 1; i < N_LEVELS; i++)
    push (&stack, "d");
  assert_open (&stack, "1011111111");

  tf_dir_stack_set_max_open (&stack, 3, 4);
  assert_open (&stack, "1000100111");
  tf_dir_stack_set_max_open (&stack, 3, 0);
  assert_open (&stack, "1000000111");
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds + 4);

  tf_dir_stack_close_all (&stack);
  assert_open (&stack, "1000000001");
  g_assert_true (tf_dir_stack_reopen_parent (&stack));
  g_assert_true (tf_dir_stack_reopen_parent (&stack));
  assert_open (&stack, "1000000011");
  tf_dir_stack_pop (&stack);
  assert_open (&stack, "100000001");
  g_assert_cmpuint (tf_dir_stack_get_depth (&stack), ==, N_LEVELS - 2);

  clear (&stack);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
  remove_chain ("d");
}

static void
test_moved (void)
{
  TfDirStack stack;

  make_chain ("d");
  init (&stack, "/top", 8);
  for (int i = 1; i < N_LEVELS; i++)
    push (&stack, "d");
  tf_dir_stack_close_all (&stack);
  g_assert_cmpint (rename ("0/d/d/d/d/d/d/d/d/d", "0/moved"), ==, 0);
  g_assert_false (tf_dir_stack_reopen_parent (&stack));
  g_assert_cmpint (rename ("0/moved", "0/d/d/d/d/d/d/d/d/d"), ==, 0);
  g_assert_true (tf_dir_stack_reopen_parent (&stack));
  clear (&stack);
  remove_chain ("d");
}

/* A level that cannot be opened again, or looked at, has changed. */
static void
test_not_reopened (void)
{
  TfDirStack stack;

  make_chain ("d");
  init (&stack, "/top", 8);
  for (int i = 1; i < N_LEVELS; i++)
    push (&stack, "d");
  tf_dir_stack_close_all (&stack);
  let_fail ("openat64", EMFILE);
  g_assert_false (tf_dir_stack_reopen_parent (&stack));
  if (!tf_test_is_portable ())
    {
      let_fail ("statx", EIO);
      g_assert_false (tf_dir_stack_reopen_parent (&stack));
    }
  let_fail ("openat64", EINTR);
  g_assert_true (tf_dir_stack_reopen_parent (&stack));
  g_assert_null (failing_call);
  clear (&stack);
  remove_chain ("d");
}

/* A directory is known by its mount, or by its device where mounts are not known, and by both numbers. */
static void
test_equal (void)
{
  const TfDir dir = { 1, 2, 3, 0700 };
  const struct { TfDir other; gboolean is_equal; } cases[] = {
    { { 1, 2, 3, 0755 }, TRUE },
    { { 1, 2, 4, 0700 }, FALSE },
    { { 1, 3, 3, 0700 }, FALSE },
    { { 2, 2, 3, 0700 }, FALSE },
    { { 1, 2, 0, 0700 }, TRUE },
    { { 2, 2, 0, 0700 }, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_cmpint (tf_dir_equal (&dir, &cases[i].other), ==, cases[i].is_equal);
      g_assert_cmpint (tf_dir_equal (&cases[i].other, &dir), ==, cases[i].is_equal);
    }
}

static void
assert_not_opened (const TfDir *parent,
                   const char  *name,
                   int          expected)
{
  TfDir found;

  let_fail ("openat64", EACCES);
  g_assert_cmpint (tf_dir_open (&found, root_fd, parent, name, NULL), ==, -1);
  g_assert_cmpint (errno, ==, expected);
  g_assert_null (failing_call);
}

/* What may not be opened is opened up first, if it is a directory of the same mount. */
static void
test_open_up (void)
{
  TfDir parent;
  TfDir other_mount;
  TfDir found;
  struct stat st;
  int fd;

  if (tf_test_skip_if_portable ("mounts"))
    return;

  tf_system_missing = TF_SYSTEM_OPENAT2 | TF_SYSTEM_FCHMODAT2;
  tree_make_dir ("0");
  tree_make_dir ("0/dir");
  tree_make_file ("0/file");
  g_assert_cmpint (chmod ("0/dir", 0500), ==, 0);
  root_fd = tree_open ("0");
  g_assert_true (tf_dir_read (&parent, root_fd));
  other_mount = parent;
  other_mount.mount_id++;

  assert_not_opened (&parent, "missing", ENOENT);
  assert_not_opened (&parent, "file", ENOTDIR);
  assert_not_opened (&other_mount, "dir", EACCES);
  g_assert_cmpint (stat ("0/dir", &st), ==, 0);
  g_assert_cmphex (st.st_mode & 07777, ==, 0500);

  let_fail ("openat64", EACCES);
  fd = tf_dir_open (&found, root_fd, &parent, "dir", NULL);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (stat ("0/dir", &st), ==, 0);
  g_assert_cmphex (st.st_mode & 07777, ==, 0700);
  tf_fd_clear (&fd);
  let_fail ("openat64", EINTR);
  fd = tf_dir_open (&found, root_fd, &parent, "dir", NULL);
  g_assert_cmpint (fd, >=, 0);
  tf_fd_clear (&fd);

  tf_system_missing = 0;
  tf_fd_clear (&root_fd);
  g_assert_cmpint (rmdir ("0/dir"), ==, 0);
  g_assert_cmpint (unlink ("0/file"), ==, 0);
  g_assert_cmpint (rmdir ("0"), ==, 0);
}

static void
assert_opened_up (const TfDir      *parent,
                  const TfIdentity *wanted,
                  int               expected)
{
  TfDir found;
  int fd;

  let_fail ("openat64", EACCES);
  fd = tf_dir_open (&found, root_fd, parent, "dir", wanted);
  g_assert_null (failing_call);
  g_assert_cmpint (fd >= 0 ? 0 : errno, ==, expected);
  tf_fd_clear (&fd);
}

/* What was opened up is looked at again. */
static void
test_open_up_wanted (void)
{
  TfIdentity wanted;
  TfDir parent;

  if (tf_test_skip_if_portable ("mounts"))
    return;

  tf_system_missing = TF_SYSTEM_OPENAT2;
  tree_make_dir ("0");
  tree_make_dir ("0/dir");
  root_fd = tree_open ("0");
  g_assert_true (tf_dir_read (&parent, root_fd));
  g_assert_true (tf_identity_read (&wanted, root_fd, "dir"));
  assert_opened_up (&parent, &wanted, 0);
  is_exchanged = TRUE;
  assert_opened_up (&parent, &wanted, EEXIST);
  is_exchanged = FALSE;
  cannot_be_told = TRUE;
  assert_opened_up (&parent, &wanted, EIO);
  cannot_be_told = FALSE;
  wanted.inode++;
  assert_opened_up (&parent, &wanted, EEXIST);

  tf_system_missing = 0;
  tf_fd_clear (&root_fd);
  g_assert_cmpint (rmdir ("0/dir") + rmdir ("0"), ==, 0);
}

/* The type of an entry that the file system does not tell is looked for. */
static void
test_unknown_type (void)
{
  const char *const names[] = { "dir", "file", "missing" };

  tree_make_dir ("0");
  tree_make_dir ("0/dir");
  tree_make_file ("0/file");
  root_fd = tree_open ("0");
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree TfSystemEntry *entry = g_malloc0 (sizeof *entry + 16);

      entry->type = TF_SYSTEM_ENTRY_UNKNOWN;
      g_strlcpy (entry->name, names[i], 16);
      g_assert_cmpint (tf_dir_listing_is_dir (entry, root_fd), ==, i == 0);
    }
  tf_fd_clear (&root_fd);
  g_assert_cmpint (rmdir ("0/dir"), ==, 0);
  g_assert_cmpint (unlink ("0/file"), ==, 0);
  g_assert_cmpint (rmdir ("0"), ==, 0);
}

static void
test_path (void)
{
  g_autofree char *name = g_strnfill (200, 'd');
  g_autofree char *path = NULL;
  g_autofree char *top = NULL;
  TfDirStack stack;

  make_chain (name);
  init (&stack, "/top", 8);
  push (&stack, name);
  top = tf_dir_stack_make_path (&stack, NULL);
  g_assert_true (g_str_has_prefix (top, "/top/ddd"));
  g_assert_cmpuint (strlen (top), ==, strlen ("/top/") + 200);

  for (int i = 2; i < N_LEVELS; i++)
    push (&stack, name);
  path = tf_dir_stack_make_path (&stack, "file");
  g_assert_true (g_str_has_prefix (path, top));
  g_assert_true (g_str_has_suffix (path, "d/…/file"));
  g_assert_cmpuint (strlen (path), <, 1300);
  clear (&stack);
  remove_chain (name);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/dir-stack/max-open", test_max_open);
  g_test_add_func ("/dir-stack/moved", test_moved);
  g_test_add_func ("/dir-stack/not-reopened", test_not_reopened);
  g_test_add_func ("/dir-stack/equal", test_equal);
  g_test_add_func ("/dir-stack/open-up", test_open_up);
  g_test_add_func ("/dir-stack/open-up-wanted", test_open_up_wanted);
  g_test_add_func ("/dir-stack/unknown-type", test_unknown_type);
  g_test_add_func ("/dir-stack/path", test_path);

  return tf_test_run ();
}
