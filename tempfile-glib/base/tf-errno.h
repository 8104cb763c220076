/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

gboolean tf_errno_set (GError     **error,
                       int          saved_errno,
                       const char  *call,
                       const char  *path);

gboolean tf_errno_set_not_initialized (GError     **error,
                                       const char  *what);

void tf_errno_log_lost (const char   *doing,
                        const GError *error);

G_END_DECLS
