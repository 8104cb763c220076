/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (TEMPFILE_GLIB_INSIDE) && !defined (TEMPFILE_GLIB_COMPILATION)
# error "Only <tempfile-glib.h> can be included directly."
#endif

#include <gio/gio.h>

#include "tf-version.h"

G_BEGIN_DECLS

/**
 * TfAuditFunc:
 * @event: `tempfile.mkstemp` or `tempfile.mkdtemp`
 * @path: (array zero-terminated=1) (element-type guint8): the absolute path that is about to be created, in the
 *   encoding of the file system; for a file without a name, the path of its directory
 * @user_data: the data passed to [func@Tf.set_audit_func]
 *
 * Called before a file or directory is created, which it can refuse.
 *
 * It is called in the thread that creates the file or directory, which may be any thread.
 *
 * Returns: %TRUE to allow it, %FALSE to refuse it
 *
 * Since: 1.0
 */
typedef gboolean (*TfAuditFunc) (const char *event,
                                 const char *path,
                                 gpointer    user_data);

TF_AVAILABLE_IN_1_0
void tf_set_audit_func (TfAuditFunc    func,
                        gpointer       user_data,
                        GDestroyNotify destroy);

G_END_DECLS
