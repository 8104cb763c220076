/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "base/tf-identity.h"
#include "base/tf-system.h"

G_BEGIN_DECLS

gboolean tf_remove_dir_at (int                parent_fd,
                           const char        *name,
                           const char        *path,
                           const TfIdentity  *identity,
                           GCancellable      *cancellable,
                           GError           **error);

G_END_DECLS
