/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-codec.h"

G_BEGIN_DECLS

/* Bytes that were read ahead, their text, and how much of the text was taken.
 * An initial one has all fields 0. */
typedef struct
{
  goffset start;        /* where in the file the bytes begin */
  TfString bytes;
  gsize n_decoded;      /* the number of decoded bytes */
  TfString text;
  gsize n_taken;        /* the number of bytes of text that were taken */
  gsize kept_bytes;     /* these bytes decode to the first kept_text bytes of text */
  gsize kept_text;
  gsize n_same;         /* so many bytes at the beginning are those of the text, as far as they were compared */
  gboolean failed;      /* the next byte to decode is illegal */
} TfDecodedText;

void tf_decoded_text_clear (TfDecodedText *self);

void        tf_decoded_text_reset           (TfDecodedText  *self,
                                             goffset         start);
goffset     tf_decoded_text_get_end         (TfDecodedText  *self);
goffset     tf_decoded_text_get_decoded_end (TfDecodedText  *self);
gboolean    tf_decoded_text_append          (TfDecodedText  *self,
                                             TfCodec        *codec,
                                             GBytes         *bytes,
                                             const char     *path,
                                             GCancellable   *cancellable,
                                             GError        **error);
const char *tf_decoded_text_peek            (TfDecodedText  *self,
                                             gsize          *length);
void        tf_decoded_text_take            (TfDecodedText  *self,
                                             gsize           length);
gboolean    tf_decoded_text_is_aligned      (TfDecodedText  *self,
                                             const TfCodec  *codec);
gboolean    tf_decoded_text_locate          (TfDecodedText  *self,
                                             TfCodec        *codec,
                                             goffset        *offset,
                                             const char     *path,
                                             GCancellable   *cancellable,
                                             GError        **error);

G_END_DECLS
