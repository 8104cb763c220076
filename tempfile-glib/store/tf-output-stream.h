/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-store.h"

G_BEGIN_DECLS

#define TF_TYPE_OUTPUT_STREAM (tf_output_stream_get_type ())
G_DECLARE_FINAL_TYPE (TfOutputStream, tf_output_stream, TF, OUTPUT_STREAM, GOutputStream)

GOutputStream *tf_output_stream_new (TfStore *store);

G_END_DECLS
