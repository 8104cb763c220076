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
const char *tf_get_temp_dir             (GError              **error);

TF_AVAILABLE_IN_1_0
void        tf_get_temp_dir_async       (int                   io_priority,
                                         GCancellable         *cancellable,
                                         GAsyncReadyCallback   callback,
                                         gpointer              user_data);

TF_AVAILABLE_IN_1_0
const char *tf_get_temp_dir_finish      (GAsyncResult         *result,
                                         GError              **error);

TF_AVAILABLE_IN_1_0
void        tf_set_temp_dir             (const char           *dir);

TF_AVAILABLE_IN_1_0
const char *tf_get_temp_prefix          (void);

TF_AVAILABLE_IN_1_0
const char *tf_get_spool_dir            (GError              **error);

TF_AVAILABLE_IN_1_0
void        tf_get_spool_dir_async      (int                   io_priority,
                                         GCancellable         *cancellable,
                                         GAsyncReadyCallback   callback,
                                         gpointer              user_data);

TF_AVAILABLE_IN_1_0
const char *tf_get_spool_dir_finish     (GAsyncResult         *result,
                                         GError              **error);

TF_AVAILABLE_IN_1_0
const char *tf_get_shareable_dir        (GError              **error);

TF_AVAILABLE_IN_1_0
void        tf_get_shareable_dir_async  (int                   io_priority,
                                         GCancellable         *cancellable,
                                         GAsyncReadyCallback   callback,
                                         gpointer              user_data);

TF_AVAILABLE_IN_1_0
const char *tf_get_shareable_dir_finish (GAsyncResult         *result,
                                         GError              **error);

G_END_DECLS
