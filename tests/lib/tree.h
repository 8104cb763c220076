/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Trees to be removed, made relative to descriptors, so that they may be deeper than any path. */

/* How many descriptors it takes to read a directory that is open. */
#ifdef TF_SYSTEM_PORTABLE
#define TREE_N_READING_FDS 1
#else
#define TREE_N_READING_FDS 0
#endif

int  tree_open       (const char *path);
void tree_make_dir   (const char *path);
void tree_make_file  (const char *path);
void tree_make_link  (const char *target,
                      const char *path);
void tree_make_chain (const char *path,
                      guint       depth);
void tree_make_deep  (const char *path,
                      guint       depth);
void tree_make_wide  (const char *path,
                      guint       n_dirs,
                      guint       n_files);

G_END_DECLS
