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

TF_AVAILABLE_IN_1_0
void tf_set_memory_budget           (guint64  bytes);

TF_AVAILABLE_IN_1_0
void tf_set_roll_over_on_low_memory (gboolean enable);

G_END_DECLS
