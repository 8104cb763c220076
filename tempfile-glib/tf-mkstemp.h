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
int   tf_mkstemp        (const char           *prefix,
                         const char           *suffix,
                         const char           *dir,
                         char                **path,
                         GCancellable         *cancellable,
                         GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void  tf_mkstemp_async  (const char           *prefix,
                         const char           *suffix,
                         const char           *dir,
                         int                   io_priority,
                         GCancellable         *cancellable,
                         GAsyncReadyCallback   callback,
                         gpointer              user_data);

TF_AVAILABLE_IN_1_0
int   tf_mkstemp_finish (GAsyncResult         *result,
                         char                **path,
                         GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
char *tf_mkdtemp        (const char           *prefix,
                         const char           *suffix,
                         const char           *dir,
                         GCancellable         *cancellable,
                         GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void  tf_mkdtemp_async  (const char           *prefix,
                         const char           *suffix,
                         const char           *dir,
                         int                   io_priority,
                         GCancellable         *cancellable,
                         GAsyncReadyCallback   callback,
                         gpointer              user_data);

TF_AVAILABLE_IN_1_0
char *tf_mkdtemp_finish (GAsyncResult         *result,
                         GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_DEPRECATED_IN_1_0_FOR (tf_mkstemp)
char *tf_mktemp         (const char           *prefix,
                         const char           *suffix,
                         const char           *dir,
                         GError              **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
