/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "walk-calls.h"

#include <fcntl.h>
#include <string.h>

/* The linker puts these in the place of the system calls. */
int __wrap_unlinkat (int dir_fd, const char *name, int flags);
int __wrap_openat64 (int dir_fd, const char *name, int flags, ...);

int (*unlinkat_func) (int dir_fd, const char *name, int flags);
int (*parent_func) (int dir_fd);

int
__wrap_unlinkat (int         dir_fd,
                 const char *name,
                 int         flags)
{
  return unlinkat_func != NULL ? unlinkat_func (dir_fd, name, flags) : __real_unlinkat (dir_fd, name, flags);
}

int
__wrap_openat64 (int         dir_fd,
                 const char *name,
                 int         flags,
                 ...)
{
  /* A program that another thread starts meanwhile does not get it. */
  g_assert_true (flags & O_CLOEXEC);

  if (parent_func != NULL && strcmp (name, "..") == 0)
    return parent_func (dir_fd);

  return __real_openat64 (dir_fd, name, flags, 0600);
}
