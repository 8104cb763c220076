/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-task.h"
#include "names/tf-template.h"
#include "tf-store.h"

G_BEGIN_DECLS

/* The private data of TfTempFile, which all classes of files use. */
typedef struct
{
  TfStore       *store;    /* (owned) */
  TfTemplate     template; /* as requested, with an absolute directory or none */
  GInputStream  *input;    /* (owned) (nullable): created when first requested */
  GOutputStream *output;   /* (owned) (nullable): created when first requested */
} TfFile;

/* The offset of the private data from the instance, in bytes. */
extern gssize tf_file_offset;

static inline TfFile *
tf_file_of (gpointer object)
{
  return G_STRUCT_MEMBER_P (object, tf_file_offset);
}

static inline TfStore *
tf_file_get_store (gpointer object)
{
  return tf_file_of (object)->store;
}

gboolean tf_file_check_gate       (gpointer              object,
                                   GError              **error);
gboolean tf_file_check_store_idle (TfStore              *store,
                                   GError              **error);
void     tf_file_run              (gpointer              source_object,
                                   gpointer              object,
                                   gpointer              source_tag,
                                   TfTaskFunc            func,
                                   gpointer              data,
                                   GDestroyNotify        free_data,
                                   int                   io_priority,
                                   GCancellable         *cancellable,
                                   GAsyncReadyCallback   callback,
                                   gpointer              user_data);

/* Fails with G_IO_ERROR_PENDING while an asynchronous operation of the file @object or of one of its streams is under
 * way. Each of them closes the gate of the store first. */
static inline gboolean
tf_file_check_idle (gpointer   object,
                    GError   **error)
{
  return G_LIKELY (!g_atomic_int_get (&tf_file_get_store (object)->gate_closed)) || tf_file_check_gate (object, error);
}

G_END_DECLS
