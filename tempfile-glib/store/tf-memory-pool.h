/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How many bytes all together may hold in memory, and do. Lock-free, from any thread. */

void     tf_budget_set_limit  (gsize bytes);
gboolean tf_budget_is_limited (void);
gsize    tf_budget_get_held   (void);
gboolean tf_budget_take       (gsize bytes);
void     tf_budget_force      (gsize bytes);
void     tf_budget_return     (gsize bytes);

G_END_DECLS
