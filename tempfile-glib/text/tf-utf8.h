/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gsize tf_utf8_measure (const guint8  *bytes,
                       gsize          n_bytes,
                       gsize         *n_needed);
int   tf_utf8_decode  (const guint8 **bytes,
                       gsize         *n_bytes,
                       gsize          limit,
                       GString       *text);

G_END_DECLS
