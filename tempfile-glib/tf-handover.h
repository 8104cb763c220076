/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (TEMPFILE_GLIB_INSIDE) && !defined (TEMPFILE_GLIB_COMPILATION)
# error "Only <tempfile-glib.h> can be included directly."
#endif

#include "tf-temp-file.h"

G_BEGIN_DECLS

TF_AVAILABLE_IN_1_0
int           tf_temp_file_seal               (TfTempFile           *self,
                                               GCancellable         *cancellable,
                                               GError              **error);

TF_AVAILABLE_IN_1_0
void          tf_temp_file_seal_async         (TfTempFile           *self,
                                               int                   io_priority,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data);

TF_AVAILABLE_IN_1_0
int           tf_temp_file_seal_finish        (TfTempFile           *self,
                                               GAsyncResult         *result,
                                               GError              **error);

TF_AVAILABLE_IN_1_0
GBytes       *tf_temp_file_steal_bytes        (TfTempFile           *self,
                                               GCancellable         *cancellable,
                                               GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_temp_file_steal_bytes_async  (TfTempFile           *self,
                                               int                   io_priority,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data);

TF_AVAILABLE_IN_1_0
GBytes       *tf_temp_file_steal_bytes_finish (TfTempFile           *self,
                                               GAsyncResult         *result,
                                               GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
GInputStream *tf_temp_file_open_reader        (TfTempFile           *self,
                                               GError              **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
