/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tree/tf-dir-stack.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "tf-test.h"
#include "tree.h"

#define N_LEVELS 10

static int root_fd;

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
  g_test_add_func ("/dir-stack/path", test_path);

  return tf_test_run ();
}
