/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

#include "base/tf-system.h"

G_BEGIN_DECLS

/* The directories in which journals may be, best first. Each belongs to the user alone. */

#define TF_JOURNAL_N_PLACES 5

int tf_journal_place_open (guint        index,
                           gboolean     create,
                           char       **path,
                           TfSystemFs  *fs);

G_END_DECLS
