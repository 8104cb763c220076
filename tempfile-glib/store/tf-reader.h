/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-store.h"

G_BEGIN_DECLS

/* An input stream over a store with a position of its own. It can be read after the store was closed. */
#define TF_TYPE_READER (tf_reader_get_type ())
G_DECLARE_FINAL_TYPE (TfReader, tf_reader, TF, READER, GInputStream)

GInputStream *tf_reader_new (TfStore  *store,
                             GError  **error);

G_END_DECLS
