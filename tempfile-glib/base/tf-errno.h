/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

gboolean tf_set_errno (GError    **error,
                       int         saved_errno,
                       const char *call,
                       const char *path);

void     tf_log_lost_error (const char   *doing,
                            const GError *error);

G_END_DECLS
