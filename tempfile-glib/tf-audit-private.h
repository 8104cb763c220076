/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-audit.h"

G_BEGIN_DECLS

gboolean tf_audit_allows (const char  *event,
                          const char  *path,
                          GError     **error);

G_END_DECLS
