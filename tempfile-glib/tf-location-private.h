/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-location.h"
#include "tf-name-private.h"

G_BEGIN_DECLS

gboolean tf_location_complete (TfTemplate  *template,
                               GError     **error);

G_END_DECLS
