/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The number of descriptors that emptying a tree holds at most, at any depth. */
#define TF_WALK_MAX_FDS 12

gboolean tf_walk_empty (const char    *path,
                        int            dir_fd,
                        GCancellable  *cancellable,
                        GError       **error);

G_END_DECLS
