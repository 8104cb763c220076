/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-store.h"

G_BEGIN_DECLS

/* Implement g_output_stream_splice() for a @stream over the store @target. The asynchronous version is finished by
 * tf_task_finish() with the source tag tf_splice_async. */

gssize tf_splice       (GOutputStream             *stream,
                        TfStore                   *target,
                        GInputStream              *source,
                        GOutputStreamSpliceFlags   flags,
                        GCancellable              *cancellable,
                        GError                   **error);
void   tf_splice_async (GOutputStream             *stream,
                        TfStore                   *target,
                        GInputStream              *source,
                        GOutputStreamSpliceFlags   flags,
                        int                        io_priority,
                        GCancellable              *cancellable,
                        GAsyncReadyCallback        callback,
                        gpointer                   user_data);

G_END_DECLS
