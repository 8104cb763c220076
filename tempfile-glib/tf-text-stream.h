/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (TEMPFILE_GLIB_INSIDE) && !defined (TEMPFILE_GLIB_COMPILATION)
# error "Only <tempfile-glib.h> can be included directly."
#endif

#include "tf-enums.h"
#include "tf-temp-file.h"

G_BEGIN_DECLS

#define TF_TYPE_TEXT_STREAM (tf_text_stream_get_type ())

TF_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (TfTextStream, tf_text_stream, TF, TEXT_STREAM, GObject)

struct _TfTextStreamClass
{
  GObjectClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

TF_AVAILABLE_IN_1_0
TfTextStream *tf_text_stream_new              (TfTempFile           *base_file,
                                               const char           *encoding,
                                               TfNewline             newline,
                                               TfTextErrors          errors,
                                               GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
TfTempFile   *tf_text_stream_get_base_file    (TfTextStream         *self);

TF_AVAILABLE_IN_1_0
const char   *tf_text_stream_get_encoding     (TfTextStream         *self);

TF_AVAILABLE_IN_1_0
TfNewline     tf_text_stream_get_newline      (TfTextStream         *self);

TF_AVAILABLE_IN_1_0
TfTextErrors  tf_text_stream_get_errors       (TfTextStream         *self);

TF_AVAILABLE_IN_1_0
char         *tf_text_stream_read             (TfTextStream         *self,
                                               gsize                 n_chars,
                                               GCancellable         *cancellable,
                                               GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_text_stream_read_async       (TfTextStream         *self,
                                               gsize                 n_chars,
                                               int                   io_priority,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data);

TF_AVAILABLE_IN_1_0
char         *tf_text_stream_read_finish      (TfTextStream         *self,
                                               GAsyncResult         *result,
                                               GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
char         *tf_text_stream_read_line        (TfTextStream         *self,
                                               GCancellable         *cancellable,
                                               GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_text_stream_read_line_async  (TfTextStream         *self,
                                               int                   io_priority,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data);

TF_AVAILABLE_IN_1_0
char         *tf_text_stream_read_line_finish (TfTextStream         *self,
                                               GAsyncResult         *result,
                                               GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
char         *tf_text_stream_read_all         (TfTextStream         *self,
                                               GCancellable         *cancellable,
                                               GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_text_stream_read_all_async   (TfTextStream         *self,
                                               int                   io_priority,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data);

TF_AVAILABLE_IN_1_0
char         *tf_text_stream_read_all_finish  (TfTextStream         *self,
                                               GAsyncResult         *result,
                                               GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
gboolean      tf_text_stream_write            (TfTextStream         *self,
                                               const char           *text,
                                               gssize                length,
                                               GCancellable         *cancellable,
                                               GError              **error);

TF_AVAILABLE_IN_1_0
void          tf_text_stream_write_async      (TfTextStream         *self,
                                               const char           *text,
                                               gssize                length,
                                               int                   io_priority,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data);

TF_AVAILABLE_IN_1_0
gboolean      tf_text_stream_write_finish     (TfTextStream         *self,
                                               GAsyncResult         *result,
                                               GError              **error);

TF_AVAILABLE_IN_1_0
gboolean      tf_text_stream_seek             (TfTextStream         *self,
                                               goffset               offset,
                                               GSeekType             type,
                                               GCancellable         *cancellable,
                                               GError              **error);

TF_AVAILABLE_IN_1_0
void          tf_text_stream_seek_async       (TfTextStream         *self,
                                               goffset               offset,
                                               GSeekType             type,
                                               int                   io_priority,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data);

TF_AVAILABLE_IN_1_0
gboolean      tf_text_stream_seek_finish      (TfTextStream         *self,
                                               GAsyncResult         *result,
                                               GError              **error);

TF_AVAILABLE_IN_1_0
goffset       tf_text_stream_tell             (TfTextStream         *self,
                                               GCancellable         *cancellable,
                                               GError              **error);

TF_AVAILABLE_IN_1_0
void          tf_text_stream_tell_async       (TfTextStream         *self,
                                               int                   io_priority,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data);

TF_AVAILABLE_IN_1_0
goffset       tf_text_stream_tell_finish      (TfTextStream         *self,
                                               GAsyncResult         *result,
                                               GError              **error);

TF_AVAILABLE_IN_1_0
gboolean      tf_text_stream_truncate         (TfTextStream         *self,
                                               goffset               size,
                                               GCancellable         *cancellable,
                                               GError              **error);

TF_AVAILABLE_IN_1_0
void          tf_text_stream_truncate_async   (TfTextStream         *self,
                                               goffset               size,
                                               int                   io_priority,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data);

TF_AVAILABLE_IN_1_0
gboolean      tf_text_stream_truncate_finish  (TfTextStream         *self,
                                               GAsyncResult         *result,
                                               GError              **error);

TF_AVAILABLE_IN_1_0
gboolean      tf_text_stream_flush            (TfTextStream         *self,
                                               GCancellable         *cancellable,
                                               GError              **error);

TF_AVAILABLE_IN_1_0
void          tf_text_stream_flush_async      (TfTextStream         *self,
                                               int                   io_priority,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data);

TF_AVAILABLE_IN_1_0
gboolean      tf_text_stream_flush_finish     (TfTextStream         *self,
                                               GAsyncResult         *result,
                                               GError              **error);

G_END_DECLS
