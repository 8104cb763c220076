/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The calls of a walk that tests take the place of, see the list in meson.build. */

int __real_unlinkat (int         dir_fd,
                     const char *name,
                     int         flags);
int __real_openat64 (int         dir_fd,
                     const char *name,
                     int         flags,
                     ...);

/* Called instead of unlinkat(), and to open "..". NULL: as ever. */
extern int (*unlinkat_func) (int dir_fd, const char *name, int flags);
extern int (*parent_func) (int dir_fd);

G_END_DECLS
