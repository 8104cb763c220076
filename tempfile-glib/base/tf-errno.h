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

gboolean tf_errno_set_code            (GError       **error,
                                       GIOErrorEnum   code,
                                       const char    *format,
                                       ...) G_GNUC_PRINTF (3, 4);
gboolean tf_errno_set_mounted         (GError     **error,
                                       const char  *path);
gboolean tf_errno_set_not_initialized (GError     **error,
                                       const char  *what);

int  tf_errno_get_last (void);
void tf_errno_set_last (int saved_errno);

void tf_errno_ensure   (GError       **error,
                        const char    *doing);
void tf_errno_log_lost (const char    *doing,
                        const GError  *error);

G_END_DECLS
