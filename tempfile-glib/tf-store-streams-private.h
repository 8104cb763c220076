/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-store-private.h"

G_BEGIN_DECLS

#define TF_TYPE_STORE_INPUT_STREAM (tf_store_input_stream_get_type ())
G_DECLARE_FINAL_TYPE (TfStoreInputStream, tf_store_input_stream, TF, STORE_INPUT_STREAM, GInputStream)

#define TF_TYPE_STORE_OUTPUT_STREAM (tf_store_output_stream_get_type ())
G_DECLARE_FINAL_TYPE (TfStoreOutputStream, tf_store_output_stream, TF, STORE_OUTPUT_STREAM, GOutputStream)

GInputStream  *tf_store_input_stream_new  (TfStore *store);
GOutputStream *tf_store_output_stream_new (TfStore *store);

G_END_DECLS
