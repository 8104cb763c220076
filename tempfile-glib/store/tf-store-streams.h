/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-store.h"

G_BEGIN_DECLS

#define TF_TYPE_STORE_INPUT_STREAM (tf_store_input_stream_get_type ())
G_DECLARE_FINAL_TYPE (TfStoreInputStream, tf_store_input_stream, TF, STORE_INPUT_STREAM, GInputStream)

#define TF_TYPE_STORE_OUTPUT_STREAM (tf_store_output_stream_get_type ())
G_DECLARE_FINAL_TYPE (TfStoreOutputStream, tf_store_output_stream, TF, STORE_OUTPUT_STREAM, GOutputStream)

GInputStream  *tf_store_input_stream_new        (TfStore             *store);
TfStore       *tf_store_input_stream_get_store  (TfStoreInputStream  *self);
GOutputStream *tf_store_output_stream_new       (TfStore             *store);
TfStore       *tf_store_output_stream_get_store (TfStoreOutputStream *self);

/* GIO asks this before it reads and writes, but not before it seeks and truncates. */
static inline gboolean
tf_store_stream_check_open (gboolean   is_closed,
                            GError   **error)
{
  if (is_closed)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The stream is closed");

  return !is_closed;
}

G_END_DECLS
