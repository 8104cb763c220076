/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "tf-buffer-private.h"

G_BEGIN_DECLS

/* Where the bytes of a store are: in memory while @fd is -1, else behind @fd. No position, no lock. */
typedef struct
{
  TfBuffer  buffer;
  int       fd;
  char     *where;  /* (owned) (nullable): path for messages */
  gboolean  shared; /* the descriptor was handed out: its own offset counts, and others may move it */
} TfStage;

#define TF_STAGE_INIT_IN_MEMORY { .fd = -1 }

void     tf_stage_clear        (TfStage        *self);
gboolean tf_stage_close        (TfStage        *self,
                                GError        **error);
gboolean tf_stage_is_in_memory (const TfStage  *self);
gboolean tf_stage_reserve      (TfStage        *self,
                                goffset         size,
                                gsize           limit);
gboolean tf_stage_read         (TfStage        *self,
                                goffset         offset,
                                gpointer        data,
                                gsize           count,
                                gsize          *n_read,
                                GCancellable   *cancellable,
                                GError        **error);
gboolean tf_stage_write        (TfStage        *self,
                                goffset         offset,
                                gconstpointer   data,
                                gsize           count,
                                gsize          *n_written,
                                GCancellable   *cancellable,
                                GError        **error);
goffset  tf_stage_get_size     (TfStage        *self);
gboolean tf_stage_set_size     (TfStage        *self,
                                goffset         size,
                                GError        **error);
gboolean tf_stage_share        (TfStage        *self,
                                goffset         offset,
                                GError        **error);
void     tf_stage_get_offset   (TfStage        *self,
                                goffset        *offset);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfStage, tf_stage_clear)

G_END_DECLS
