/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (TEMPFILE_GLIB_INSIDE) && !defined (TEMPFILE_GLIB_COMPILATION)
# error "Only <tempfile-glib.h> can be included directly."
#endif

#include <glib-object.h>

#include "tf-version-macros.h"

G_BEGIN_DECLS

/**
 * TfDeletePolicy:
 * @TF_DELETE_ON_CLOSE: when the file is closed, explicitly or because the object goes away;
 *   `delete=True` of Python's `NamedTemporaryFile`
 * @TF_DELETE_ON_DISPOSE: when the object goes away; after closing, the file can be opened again
 *   by its name. `delete=True, delete_on_close=False` of Python
 * @TF_DELETE_NEVER: not at all; `delete=False` of Python
 *
 * When a [class@NamedFile] removes its file.
 *
 * Since: 1.0
 */
typedef enum
{
  TF_DELETE_ON_CLOSE,
  TF_DELETE_ON_DISPOSE,
  TF_DELETE_NEVER,
} TfDeletePolicy;

#define TF_TYPE_DELETE_POLICY (tf_delete_policy_get_type ())

TF_AVAILABLE_IN_1_0
GType tf_delete_policy_get_type (void);

G_END_DECLS
