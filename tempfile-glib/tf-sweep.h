/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (TEMPFILE_GLIB_INSIDE) && !defined (TEMPFILE_GLIB_COMPILATION)
# error "Only <tempfile-glib.h> can be included directly."
#endif

#include <gio/gio.h>

#include "tf-version.h"

G_BEGIN_DECLS

TF_AVAILABLE_IN_1_0
gboolean tf_sweep        (const char           *prefix,
                          const char           *dir,
                          guint                 min_age_seconds,
                          guint                *n_removed,
                          GCancellable         *cancellable,
                          GError              **error);

TF_AVAILABLE_IN_1_0
void     tf_sweep_async  (const char           *prefix,
                          const char           *dir,
                          guint                 min_age_seconds,
                          int                   io_priority,
                          GCancellable         *cancellable,
                          GAsyncReadyCallback   callback,
                          gpointer              user_data);

TF_AVAILABLE_IN_1_0
gboolean tf_sweep_finish (GAsyncResult         *result,
                          guint                *n_removed,
                          GError              **error);

G_END_DECLS
