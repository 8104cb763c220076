/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "names/tf-template.h"
#include "store/tf-store.h"
#include "base/tf-task.h"
#include "tf-temp-file.h"

G_BEGIN_DECLS

/* Where in an instance its store is, in bytes. */
extern gssize tf_temp_file_store_offset;

static inline TfStore *
tf_temp_file_get_store (TfTempFile *self)
{
  return G_STRUCT_MEMBER (TfStore *, self, tf_temp_file_store_offset);
}

gpointer    tf_temp_file_create        (GType            type,
                                        const char      *prefix,
                                        const char      *suffix,
                                        const char      *dir,
                                        GCancellable    *cancellable,
                                        GError         **error);
TfTemplate *tf_temp_file_peek_template (TfTempFile      *self);
gboolean    tf_temp_file_get_template  (TfTempFile      *self,
                                        TfTemplate      *template,
                                        GError         **error);

/* In tf-temp-file-io.c. */
void        tf_temp_file_seekable_init (GSeekableIface  *iface);

void      tf_temp_file_run_async      (TfTempFile           *self,
                                       gpointer              source_tag,
                                       TfTaskFunc            func,
                                       gpointer              data,
                                       GDestroyNotify        free_data,
                                       int                   io_priority,
                                       GCancellable         *cancellable,
                                       GAsyncReadyCallback   callback,
                                       gpointer              user_data);
gpointer  tf_temp_file_get_async_data (GAsyncResult         *result);

void      tf_temp_file_close_async    (GIOStream            *stream,
                                       int                   io_priority,
                                       GCancellable         *cancellable,
                                       GAsyncReadyCallback   callback,
                                       gpointer              user_data);
gboolean  tf_temp_file_close_finish   (GIOStream            *stream,
                                       GAsyncResult         *result,
                                       GError              **error);

G_END_DECLS
