/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int
tree_open (const char *path)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

void
tree_make_dir (const char *path)
{
  g_assert_cmpint (mkdir (path, 0700), ==, 0);
}

static void
make_file_at (int         dir_fd,
              const char *name)
{
  int fd = openat (dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (close (fd), ==, 0);
}

void
tree_make_file (const char *path)
{
  make_file_at (AT_FDCWD, path);
}

void
tree_make_link (const char *target,
                const char *path)
{
  g_assert_cmpint (symlink (target, path), ==, 0);
}

static void
make_deep (const char *path,
           guint       depth,
           gboolean    with_files)
{
  int fd = tree_open (path);

  for (guint i = 0; i < depth; i++)
    {
      int next;

      if (with_files && i % 100 == 0)
        make_file_at (fd, "file");
      g_assert_cmpint (mkdirat (fd, "d", 0700), ==, 0);
      next = openat (fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      g_assert_cmpint (next, >=, 0);
      g_assert_cmpint (close (fd), ==, 0);
      fd = next;
    }

  g_assert_cmpint (close (fd), ==, 0);
}

/* @depth directories "d" in each other below @path. */
void
tree_make_chain (const char *path,
                 guint       depth)
{
  make_deep (path, depth, FALSE);
}

/* The same, with a file in each hundredth. */
void
tree_make_deep (const char *path,
                guint       depth)
{
  make_deep (path, depth, TRUE);
}

/* @n_dirs directories with @n_files files in each below @path. */
void
tree_make_wide (const char *path,
                guint       n_dirs,
                guint       n_files)
{
  for (guint i = 0; i < n_dirs; i++)
    {
      g_autofree char *dir = g_strdup_printf ("%s/dir-%u", path, i);

      tree_make_dir (dir);
      for (guint j = 0; j < n_files; j++)
        {
          g_autofree char *file = g_strdup_printf ("%s/file-%u", dir, j);

          tree_make_file (file);
        }
    }
}
