/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "text/tf-codec.h"
#include "text/tf-decoded-text.h"
#include "tf-text-stream.h"

G_BEGIN_DECLS

/* While there are bytes read ahead, the file's position is behind them. */
struct _TfTextStream
{
  GObject parent_instance;

  TfTempFile *file;     /* (owned) */
  char *encoding;       /* (owned) */
  TfNewline newline;
  TfTextErrors errors;

  gboolean initialized;
  TfCodec codec;
  TfTextBuffer ahead;
  gboolean placed;      /* the codec is ready for what comes after the bytes read ahead */
};

gboolean tf_text_stream_check_initialized (TfTextStream  *self,
                                           GError       **error);
gboolean tf_text_stream_place             (TfTextStream  *self,
                                           goffset        offset,
                                           GCancellable  *cancellable,
                                           GError       **error);

G_END_DECLS
