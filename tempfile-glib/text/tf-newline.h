/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-string.h"
#include "tf-enums.h"

G_BEGIN_DECLS

/* Lines and newlines in decoded text. With @is_end no more text follows. Without it, a function returns 0 if its
 * result depends on what follows. */

gsize tf_newline_find_end  (TfNewline   newline,
                            const char *text,
                            gsize       length,
                            gboolean    is_end);
gsize tf_newline_measure   (TfNewline   newline,
                            const char *text,
                            gsize       length,
                            gsize       n_chars,
                            gboolean    is_end);
char *tf_newline_from_file (TfNewline   newline,
                            const char *text,
                            gsize       length);
void  tf_newline_to_file   (TfNewline   newline,
                            const char *text,
                            gsize       length,
                            TfString   *result);

G_END_DECLS
