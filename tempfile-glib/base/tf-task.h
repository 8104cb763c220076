/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* One operation, in the thread that asks for it with @blocking FALSE, or in a worker with TRUE. What cannot
 * be done without blocking fails with G_IO_ERROR_WOULD_BLOCK, and is then called again in a worker. Returns
 * what the task does: a number that is not negative, or -1 with @error. */
typedef gssize (*TfTaskFunc) (gpointer       source_object,
                              gpointer       task_data,
                              gboolean       blocking,
                              GCancellable  *cancellable,
                              GError       **error);

GTask *tf_task_new      (gpointer              source_object,
                         gpointer              source_tag,
                         int                   io_priority,
                         GCancellable         *cancellable,
                         GAsyncReadyCallback   callback,
                         gpointer              user_data);
void   tf_task_run      (GTask                *task,
                         TfTaskFunc            func);
gssize tf_task_would_block (GError            **error);
void   tf_task_return   (GTask                *task,
                         gssize                result,
                         GError               *error);
gssize tf_task_finish   (gpointer              source_object,
                         GAsyncResult         *result,
                         gpointer              source_tag,
                         GError              **error);

G_END_DECLS
