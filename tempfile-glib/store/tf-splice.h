/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-store.h"

G_BEGIN_DECLS

gboolean tf_splice_fd    (TfStore       *self,
                          int            fd,
                          gsize         *n_moved,
                          GCancellable  *cancellable,
                          GError       **error);
gboolean tf_splice_store (TfStore       *self,
                          TfStore       *source,
                          gsize         *n_moved,
                          GCancellable  *cancellable,
                          GError       **error);

G_END_DECLS
