/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-task.h"
#include "tf-store.h"

G_BEGIN_DECLS

/* Calls of the two streams of a file. A stream is refused while the file itself has an asynchronous operation under way.
 * The other stream may have one; then theirs are done in the order in which they were started. */

gboolean tf_stream_call_check_idle (TfStore     *store,
                                    GError     **error);
void     tf_stream_call_run        (GTask       *task,
                                    TfStore     *store,
                                    TfTaskFunc   func,
                                    gpointer     data);

G_END_DECLS
