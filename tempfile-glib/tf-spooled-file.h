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

#define TF_TYPE_SPOOLED_FILE (tf_spooled_file_get_type ())

TF_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (TfSpooledFile, tf_spooled_file, TF, SPOOLED_FILE, TfTempFile)

struct _TfSpooledFileClass
{
  TfTempFileClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

TF_AVAILABLE_IN_1_0
TfSpooledFile *tf_spooled_file_new             (gint64                max_size) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
TfSpooledFile *tf_spooled_file_new_full        (gint64                max_size,
                                                const char           *prefix,
                                                const char           *suffix,
                                                const char           *dir) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
gint64         tf_spooled_file_get_max_size    (TfSpooledFile        *self);

TF_AVAILABLE_IN_1_0
gboolean       tf_spooled_file_rollover        (TfSpooledFile        *self,
                                                GCancellable         *cancellable,
                                                GError              **error);

TF_AVAILABLE_IN_1_0
void           tf_spooled_file_rollover_async  (TfSpooledFile        *self,
                                                int                   io_priority,
                                                GCancellable         *cancellable,
                                                GAsyncReadyCallback   callback,
                                                gpointer              user_data);

TF_AVAILABLE_IN_1_0
gboolean       tf_spooled_file_rollover_finish (TfSpooledFile        *self,
                                                GAsyncResult         *result,
                                                GError              **error);

TF_AVAILABLE_IN_1_0
gboolean       tf_spooled_file_is_rolled_over  (TfSpooledFile        *self);

G_END_DECLS
