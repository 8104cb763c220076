/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-store.h"

G_BEGIN_DECLS

#define TF_TYPE_INPUT_STREAM (tf_input_stream_get_type ())
G_DECLARE_FINAL_TYPE (TfInputStream, tf_input_stream, TF, INPUT_STREAM, GInputStream)

GInputStream *tf_input_stream_new       (TfStore       *store);
TfStore      *tf_input_stream_get_store (TfInputStream *self);

G_END_DECLS
