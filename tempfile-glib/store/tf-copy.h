/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

gboolean tf_copy_fd (int            from,
                     int            to,
                     const char    *where,
                     GCancellable  *cancellable,
                     GError       **error);

G_END_DECLS
