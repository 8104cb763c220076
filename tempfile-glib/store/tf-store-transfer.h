/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-enums.h"
#include "tf-store.h"

G_BEGIN_DECLS

/* Operations of a store that pass its bytes on: persist, seal and steal. */

/* Gives the bytes a lasting name. After that, the store works on the file with that name. */
gboolean tf_store_persist (TfStore         *self,
                           const char      *path,
                           TfPersistFlags   flags,
                           TfProgress      *progress,
                           char           **final_path,
                           GCancellable    *cancellable,
                           GError         **error);
int      tf_store_seal    (TfStore         *self,
                           GCancellable    *cancellable,
                           GError         **error);

GBytes *tf_store_load_bytes (TfStore       *self,
                             GCancellable  *cancellable,
                             GError       **error);
GBytes *tf_store_steal      (TfStore       *self,
                             GCancellable  *cancellable,
                             GError       **error);

G_END_DECLS
