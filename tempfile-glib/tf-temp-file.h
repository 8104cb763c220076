/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (TEMPFILE_GLIB_INSIDE) && !defined (TEMPFILE_GLIB_COMPILATION)
# error "Only <tempfile-glib.h> can be included directly."
#endif

#include <gio/gio.h>

#include "tf-enums.h"
#include "tf-version.h"

G_BEGIN_DECLS

#define TF_TYPE_TEMP_FILE (tf_temp_file_get_type ())

TF_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (TfTempFile, tf_temp_file, TF, TEMP_FILE, GIOStream)

struct _TfTempFileClass
{
  GIOStreamClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

TF_AVAILABLE_IN_1_0
TfTempFile   *tf_temp_file_new                (const char             *dir,
                                               GCancellable           *cancellable,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
TfTempFile   *tf_temp_file_new_full           (const char             *prefix,
                                               const char             *suffix,
                                               const char             *dir,
                                               guint                   mode,
                                               GCancellable           *cancellable,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_temp_file_create_full_async  (const char             *prefix,
                                               const char             *suffix,
                                               const char             *dir,
                                               guint                   mode,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
TfTempFile   *tf_temp_file_create_full_finish (GAsyncResult           *result,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_temp_file_create_async       (const char             *dir,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
TfTempFile   *tf_temp_file_create_finish      (GAsyncResult           *result,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
gssize        tf_temp_file_read               (TfTempFile             *self,
                                               void                   *buffer,
                                               gsize                   count,
                                               GCancellable           *cancellable,
                                               GError                **error);

TF_AVAILABLE_IN_1_0
GBytes       *tf_temp_file_read_bytes         (TfTempFile             *self,
                                               gsize                   count,
                                               GCancellable           *cancellable,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_write              (TfTempFile             *self,
                                               const void             *data,
                                               gsize                   size,
                                               GCancellable           *cancellable,
                                               GError                **error);

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_try_close          (TfTempFile             *self);

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_try_read           (TfTempFile             *self,
                                               void                   *buffer,
                                               gsize                   count,
                                               gsize                  *n_read);

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_try_read_line      (TfTempFile             *self,
                                               void                   *buffer,
                                               gsize                   size,
                                               gsize                  *length);

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_try_seek           (TfTempFile             *self,
                                               goffset                 offset,
                                               GSeekType               type);

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_try_write          (TfTempFile             *self,
                                               const void             *data,
                                               gsize                   size);

TF_AVAILABLE_IN_1_0
void          tf_temp_file_read_bytes_async   (TfTempFile             *self,
                                               gsize                   count,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
GBytes       *tf_temp_file_read_bytes_finish  (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
guint8       *tf_temp_file_read_data          (TfTempFile             *self,
                                               gsize                   count,
                                               gsize                  *length,
                                               GCancellable           *cancellable,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_temp_file_read_data_async    (TfTempFile             *self,
                                               gsize                   count,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
guint8       *tf_temp_file_read_data_finish   (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               gsize                  *length,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_write_bytes        (TfTempFile             *self,
                                               GBytes                 *bytes,
                                               GCancellable           *cancellable,
                                               GError                **error);

TF_AVAILABLE_IN_1_0
void          tf_temp_file_write_bytes_async  (TfTempFile             *self,
                                               GBytes                 *bytes,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_write_bytes_finish (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               GError                **error);

TF_AVAILABLE_IN_1_0
goffset       tf_temp_file_get_size           (TfTempFile             *self);

TF_AVAILABLE_IN_1_0
const void   *tf_temp_file_peek               (TfTempFile             *self,
                                               gsize                  *count);

TF_AVAILABLE_IN_1_0
gssize        tf_temp_file_fill               (TfTempFile             *self,
                                               gsize                   count,
                                               GCancellable           *cancellable,
                                               GError                **error);

TF_AVAILABLE_IN_1_0
void          tf_temp_file_fill_async         (TfTempFile             *self,
                                               gsize                   count,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
gssize        tf_temp_file_fill_finish        (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               GError                **error);

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_consume            (TfTempFile             *self,
                                               gsize                   count,
                                               GError                **error);

TF_AVAILABLE_IN_1_0
GBytes       *tf_temp_file_load_bytes         (TfTempFile             *self,
                                               GCancellable           *cancellable,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_temp_file_load_bytes_async   (TfTempFile             *self,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
GBytes       *tf_temp_file_load_bytes_finish  (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
char         *tf_temp_file_read_line          (TfTempFile             *self,
                                               gsize                  *length,
                                               GCancellable           *cancellable,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_temp_file_read_line_async    (TfTempFile             *self,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
char         *tf_temp_file_read_line_finish   (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               gsize                  *length,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
char         *tf_temp_file_read_upto          (TfTempFile             *self,
                                               const char             *stop_bytes,
                                               gsize                   n_stop_bytes,
                                               gsize                  *length,
                                               GCancellable           *cancellable,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_temp_file_read_upto_async    (TfTempFile             *self,
                                               const char             *stop_bytes,
                                               gsize                   n_stop_bytes,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
char         *tf_temp_file_read_upto_finish   (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               gsize                  *length,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_flush              (TfTempFile             *self,
                                               GCancellable           *cancellable,
                                               GError                **error);

TF_AVAILABLE_IN_1_0
void          tf_temp_file_flush_async        (TfTempFile             *self,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_flush_finish       (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               GError                **error);

TF_AVAILABLE_IN_1_0
int           tf_temp_file_get_fd             (TfTempFile             *self,
                                               GCancellable           *cancellable,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_temp_file_get_fd_async       (TfTempFile             *self,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
int           tf_temp_file_get_fd_finish      (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
int           tf_temp_file_dup_fd             (TfTempFile             *self,
                                               GCancellable           *cancellable,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_temp_file_dup_fd_async       (TfTempFile             *self,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
int           tf_temp_file_dup_fd_finish      (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
char         *tf_temp_file_get_fd_path        (TfTempFile             *self,
                                               GCancellable           *cancellable,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_temp_file_get_fd_path_async  (TfTempFile             *self,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
char         *tf_temp_file_get_fd_path_finish (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_persist            (TfTempFile             *self,
                                               GFile                  *destination,
                                               TfPersistFlags          flags,
                                               GCancellable           *cancellable,
                                               GFileProgressCallback   progress_callback,
                                               gpointer                progress_data,
                                               GFile                 **final_destination,
                                               GError                **error);

TF_AVAILABLE_IN_1_0
void          tf_temp_file_persist_async      (TfTempFile             *self,
                                               GFile                  *destination,
                                               TfPersistFlags          flags,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GFileProgressCallback   progress_callback,
                                               gpointer                progress_data,
                                               GDestroyNotify          progress_destroy,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_persist_finish     (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               GFile                 **final_destination,
                                               GError                **error);

TF_AVAILABLE_IN_1_0
int           tf_temp_file_seal               (TfTempFile             *self,
                                               GCancellable           *cancellable,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_temp_file_seal_async         (TfTempFile             *self,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
int           tf_temp_file_seal_finish        (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
GBytes       *tf_temp_file_steal_bytes        (TfTempFile             *self,
                                               GCancellable           *cancellable,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void          tf_temp_file_steal_bytes_async  (TfTempFile             *self,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
GBytes       *tf_temp_file_steal_bytes_finish (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
GInputStream *tf_temp_file_open_reader        (TfTempFile             *self,
                                               GError                **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_reserve            (TfTempFile             *self,
                                               goffset                 size,
                                               GCancellable           *cancellable,
                                               GError                **error);

TF_AVAILABLE_IN_1_0
void          tf_temp_file_reserve_async      (TfTempFile             *self,
                                               goffset                 size,
                                               int                     io_priority,
                                               GCancellable           *cancellable,
                                               GAsyncReadyCallback     callback,
                                               gpointer                user_data);

TF_AVAILABLE_IN_1_0
gboolean      tf_temp_file_reserve_finish     (TfTempFile             *self,
                                               GAsyncResult           *result,
                                               GError                **error);

G_END_DECLS
