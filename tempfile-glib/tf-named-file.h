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

#define TF_TYPE_NAMED_FILE (tf_named_file_get_type ())

TF_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (TfNamedFile, tf_named_file, TF, NAMED_FILE, TfTempFile)

struct _TfNamedFileClass
{
  TfTempFileClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

TF_AVAILABLE_IN_1_0
TfNamedFile   *tf_named_file_new                      (const char           *prefix,
                                                       const char           *suffix,
                                                       const char           *dir,
                                                       GCancellable         *cancellable,
                                                       GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
TfNamedFile   *tf_named_file_new_full                 (const char           *prefix,
                                                       const char           *suffix,
                                                       const char           *dir,
                                                       guint                 mode,
                                                       TfDeletePolicy        delete_policy,
                                                       GCancellable         *cancellable,
                                                       GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
TfNamedFile   *tf_named_file_new_from_bytes           (GBytes               *bytes,
                                                       const char           *prefix,
                                                       const char           *suffix,
                                                       const char           *dir,
                                                       GCancellable         *cancellable,
                                                       GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void           tf_named_file_create_async             (const char           *prefix,
                                                       const char           *suffix,
                                                       const char           *dir,
                                                       int                   io_priority,
                                                       GCancellable         *cancellable,
                                                       GAsyncReadyCallback   callback,
                                                       gpointer              user_data);

TF_AVAILABLE_IN_1_0
TfNamedFile   *tf_named_file_create_finish            (GAsyncResult         *result,
                                                       GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void           tf_named_file_create_full_async        (const char           *prefix,
                                                       const char           *suffix,
                                                       const char           *dir,
                                                       guint                 mode,
                                                       TfDeletePolicy        delete_policy,
                                                       int                   io_priority,
                                                       GCancellable         *cancellable,
                                                       GAsyncReadyCallback   callback,
                                                       gpointer              user_data);

TF_AVAILABLE_IN_1_0
TfNamedFile   *tf_named_file_create_full_finish       (GAsyncResult         *result,
                                                       GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void           tf_named_file_create_from_bytes_async  (GBytes               *bytes,
                                                       const char           *prefix,
                                                       const char           *suffix,
                                                       const char           *dir,
                                                       int                   io_priority,
                                                       GCancellable         *cancellable,
                                                       GAsyncReadyCallback   callback,
                                                       gpointer              user_data);

TF_AVAILABLE_IN_1_0
TfNamedFile   *tf_named_file_create_from_bytes_finish (GAsyncResult         *result,
                                                       GError              **error) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
const char    *tf_named_file_get_path                 (TfNamedFile          *self);

TF_AVAILABLE_IN_1_0
GFile         *tf_named_file_get_file                 (TfNamedFile          *self) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
TfDeletePolicy tf_named_file_get_delete_policy        (TfNamedFile          *self);

TF_AVAILABLE_IN_1_0
void           tf_named_file_set_delete_policy        (TfNamedFile          *self,
                                                       TfDeletePolicy        policy);

TF_AVAILABLE_IN_1_0
char          *tf_named_file_keep                     (TfNamedFile          *self) G_GNUC_WARN_UNUSED_RESULT;

TF_AVAILABLE_IN_1_0
void           tf_named_file_hold_until_exit          (TfNamedFile          *self);

TF_AVAILABLE_IN_1_0
void           tf_named_file_hold_for_subprocess      (TfNamedFile          *self,
                                                       GSubprocess          *subprocess);

TF_AVAILABLE_IN_1_0
void           tf_named_file_hold_for_pid             (TfNamedFile          *self,
                                                       GPid                  pid);

TF_AVAILABLE_IN_1_0
void           tf_named_file_hand_over                (TfNamedFile          *self,
                                                       guint                 grace_seconds);

TF_AVAILABLE_IN_1_0
gboolean       tf_named_file_is_inherited             (TfNamedFile          *self);

TF_AVAILABLE_IN_1_0
gboolean       tf_named_file_is_handed_over           (TfNamedFile          *self);

TF_AVAILABLE_IN_1_0
gboolean       tf_named_file_unlink                   (TfNamedFile          *self,
                                                       GCancellable         *cancellable,
                                                       GError              **error);

TF_AVAILABLE_IN_1_0
void           tf_named_file_unlink_async             (TfNamedFile          *self,
                                                       int                   io_priority,
                                                       GCancellable         *cancellable,
                                                       GAsyncReadyCallback   callback,
                                                       gpointer              user_data);

TF_AVAILABLE_IN_1_0
gboolean       tf_named_file_unlink_finish            (TfNamedFile          *self,
                                                       GAsyncResult         *result,
                                                       GError              **error);

G_END_DECLS
