/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-backing.h"

G_BEGIN_DECLS

gboolean tf_stage_writev   (TfStage              *self,
                            goffset               offset,
                            const GOutputVector  *vectors,
                            gsize                 n_vectors,
                            gsize                *n_written,
                            GCancellable         *cancellable,
                            GError              **error);
gboolean tf_stage_copy     (TfStage              *self,
                            goffset               offset,
                            int                   source_fd,
                            goffset               source_offset,
                            gsize                 count,
                            gsize                *n_copied,
                            GCancellable         *cancellable,
                            GError              **error);

G_END_DECLS
