/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Each @stride'th scene with files, and with all else. */
void fault_files_try (guint stride);
void fault_deeds_try (guint stride);

G_END_DECLS
