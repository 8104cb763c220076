/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-identity.h"

G_BEGIN_DECLS

/* Whether files are in use: open in any process, this one included. Where that cannot be known, they are. */

int      tf_use_lease_file   (int               dir_fd,
                              const char       *name,
                              const TfIdentity *identity);
void     tf_use_release      (int              *fd);
gboolean tf_use_is_file_idle (int               dir_fd,
                              const char       *name,
                              const TfIdentity *identity);
gboolean tf_use_is_dir_idle  (int               parent_fd,
                              const char       *name,
                              const TfIdentity *identity);

G_END_DECLS
