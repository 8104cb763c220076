/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (TEMPFILE_GLIB_INSIDE) && !defined (TEMPFILE_GLIB_COMPILATION)
# error "Only <tempfile-glib.h> can be included directly."
#endif

#include <gio/gio.h>

#include "tf-named-file.h"
#include "tf-version.h"

G_BEGIN_DECLS

#define TF_TYPE_TEMP_DIR (tf_temp_dir_get_type ())

TF_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (TfTempDir, tf_temp_dir, TF, TEMP_DIR, GObject)

struct _TfTempDirClass
{
  GObjectClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

TF_AVAILABLE_IN_1_0
TfTempDir   *tf_temp_dir_new                       (const char           *prefix,
                                                    const char           *suffix,
                                                    const char           *dir,
                                                    GCancellable         *cancellable,
                                                    GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
TfTempDir   *tf_temp_dir_new_full                  (const char           *prefix,
                                                    const char           *suffix,
                                                    const char           *dir,
                                                    guint                 mode,
                                                    GCancellable         *cancellable,
                                                    GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void         tf_temp_dir_create_async              (const char           *prefix,
                                                    const char           *suffix,
                                                    const char           *dir,
                                                    int                   io_priority,
                                                    GCancellable         *cancellable,
                                                    GAsyncReadyCallback   callback,
                                                    gpointer              user_data);

TF_AVAILABLE_IN_1_0
TfTempDir   *tf_temp_dir_create_finish             (GAsyncResult         *result,
                                                    GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void         tf_temp_dir_create_full_async         (const char           *prefix,
                                                    const char           *suffix,
                                                    const char           *dir,
                                                    guint                 mode,
                                                    int                   io_priority,
                                                    GCancellable         *cancellable,
                                                    GAsyncReadyCallback   callback,
                                                    gpointer              user_data);

TF_AVAILABLE_IN_1_0
TfTempDir   *tf_temp_dir_create_full_finish        (GAsyncResult         *result,
                                                    GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
const char  *tf_temp_dir_get_path                  (TfTempDir            *self);

TF_AVAILABLE_IN_1_0
GFile       *tf_temp_dir_get_file                  (TfTempDir            *self) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
GFile       *tf_temp_dir_get_child                 (TfTempDir            *self,
                                                    const char           *name,
                                                    GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
char        *tf_temp_dir_build_filename            (TfTempDir            *self,
                                                    GError              **error,
                                                    const char           *first_element,
                                                    ...) G_GNUC_NULL_TERMINATED G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
char        *tf_temp_dir_build_filenamev           (TfTempDir            *self,
                                                    const char * const *elements,
                                                    GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
TfNamedFile *tf_temp_dir_create_file               (TfTempDir            *self,
                                                    const char           *prefix,
                                                    const char           *suffix,
                                                    GCancellable         *cancellable,
                                                    GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void         tf_temp_dir_create_file_async         (TfTempDir            *self,
                                                    const char           *prefix,
                                                    const char           *suffix,
                                                    int                   io_priority,
                                                    GCancellable         *cancellable,
                                                    GAsyncReadyCallback   callback,
                                                    gpointer              user_data);

TF_AVAILABLE_IN_1_0
TfNamedFile *tf_temp_dir_create_file_finish        (TfTempDir            *self,
                                                    GAsyncResult         *result,
                                                    GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
TfTempDir   *tf_temp_dir_create_dir                (TfTempDir            *self,
                                                    const char           *prefix,
                                                    const char           *suffix,
                                                    GCancellable         *cancellable,
                                                    GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void         tf_temp_dir_create_dir_async          (TfTempDir            *self,
                                                    const char           *prefix,
                                                    const char           *suffix,
                                                    int                   io_priority,
                                                    GCancellable         *cancellable,
                                                    GAsyncReadyCallback   callback,
                                                    gpointer              user_data);

TF_AVAILABLE_IN_1_0
TfTempDir   *tf_temp_dir_create_dir_finish         (TfTempDir            *self,
                                                    GAsyncResult         *result,
                                                    GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
gboolean     tf_temp_dir_get_auto_cleanup          (TfTempDir            *self);

TF_AVAILABLE_IN_1_0
void         tf_temp_dir_set_auto_cleanup          (TfTempDir            *self,
                                                    gboolean              auto_cleanup);

TF_AVAILABLE_IN_1_0
gboolean     tf_temp_dir_get_ignore_cleanup_errors (TfTempDir            *self);

TF_AVAILABLE_IN_1_0
void         tf_temp_dir_set_ignore_cleanup_errors (TfTempDir            *self,
                                                    gboolean              ignore_cleanup_errors);

TF_AVAILABLE_IN_1_0
char        *tf_temp_dir_keep                      (TfTempDir            *self) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void         tf_temp_dir_hold_until_exit           (TfTempDir            *self);

TF_AVAILABLE_IN_1_0
void         tf_temp_dir_hold_for_subprocess       (TfTempDir            *self,
                                                    GSubprocess          *subprocess);

TF_AVAILABLE_IN_1_0
void         tf_temp_dir_hold_for_pid              (TfTempDir            *self,
                                                    GPid                  pid);

TF_AVAILABLE_IN_1_0
void         tf_temp_dir_hand_over                 (TfTempDir            *self,
                                                    guint                 grace_seconds);

TF_AVAILABLE_IN_1_0
gboolean     tf_temp_dir_is_inherited              (TfTempDir            *self);

TF_AVAILABLE_IN_1_0
gboolean     tf_temp_dir_is_handed_over            (TfTempDir            *self);

TF_AVAILABLE_IN_1_0
gboolean     tf_temp_dir_cleanup                   (TfTempDir            *self,
                                                    GCancellable         *cancellable,
                                                    GError              **error);

TF_AVAILABLE_IN_1_0
void         tf_temp_dir_cleanup_async             (TfTempDir            *self,
                                                    int                   io_priority,
                                                    GCancellable         *cancellable,
                                                    GAsyncReadyCallback   callback,
                                                    gpointer              user_data);

TF_AVAILABLE_IN_1_0
gboolean     tf_temp_dir_cleanup_finish            (TfTempDir            *self,
                                                    GAsyncResult         *result,
                                                    GError              **error);

G_END_DECLS
