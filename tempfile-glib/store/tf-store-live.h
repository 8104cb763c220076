/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-store.h"

G_BEGIN_DECLS

/* The stores that are in memory, and what they hold there. */

void tf_store_recount_all   (void);
void tf_store_roll_over_all (void);

G_END_DECLS
