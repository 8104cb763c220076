/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Each @stride'th scene with files. */
void fault_files_try (guint stride);
/* All else. */
void fault_deeds_try (void);

G_END_DECLS
