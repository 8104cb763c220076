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
gboolean tf_temp_file_reserve        (TfTempFile           *self,
                                      goffset               size,
                                      GCancellable         *cancellable,
                                      GError              **error);

TF_AVAILABLE_IN_1_0
void     tf_temp_file_reserve_async  (TfTempFile           *self,
                                      goffset               size,
                                      int                   io_priority,
                                      GCancellable         *cancellable,
                                      GAsyncReadyCallback   callback,
                                      gpointer              user_data);

TF_AVAILABLE_IN_1_0
gboolean tf_temp_file_reserve_finish (TfTempFile           *self,
                                      GAsyncResult         *result,
                                      GError              **error);

G_END_DECLS
