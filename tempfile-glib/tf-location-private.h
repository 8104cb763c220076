/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-location.h"
#include "names/tf-template.h"

G_BEGIN_DECLS

gboolean    tf_location_complete         (TfTemplate  *template,
                                          GError     **error);
gboolean    tf_location_complete_spool   (TfTemplate  *template,
                                          GError     **error);
const char *tf_location_try              (const char  *candidate,
                                          GString     *tried);
gboolean    tf_location_is_chosen        (void);
void        tf_location_forget_spool_dir (void);

/* Set by tests only: where Flatpak says that this is a sandbox. */
extern const char *tf_location_flatpak_info;

G_END_DECLS
