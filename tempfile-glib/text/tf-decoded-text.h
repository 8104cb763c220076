/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-codec.h"

G_BEGIN_DECLS

/* Bytes that were read ahead, what they are as text, and how much of that was taken. */
typedef struct
{
  goffset start;        /* where in the file the bytes begin */
  GByteArray *bytes;    /* (owned) */
  gsize n_decoded;      /* of the bytes */
  GString *text;        /* (owned) */
  gsize n_taken;        /* of the text */
  gsize kept_bytes;     /* these bytes became the first kept_text bytes of text */
  gsize kept_text;
  gboolean failed;      /* the next byte to decode is illegal */
} TfTextBuffer;

void        tf_text_buffer_init       (TfTextBuffer   *self);
void        tf_text_buffer_clear      (TfTextBuffer   *self);

void        tf_text_buffer_reset      (TfTextBuffer   *self,
                                       goffset         start);
goffset     tf_text_buffer_get_end    (TfTextBuffer   *self);
gboolean    tf_text_buffer_append     (TfTextBuffer   *self,
                                       TfCodec        *codec,
                                       GBytes         *bytes,
                                       GError        **error);
const char *tf_text_buffer_peek       (TfTextBuffer   *self,
                                       gsize          *length);
void        tf_text_buffer_take       (TfTextBuffer   *self,
                                       gsize           length);
gboolean    tf_text_buffer_is_aligned (TfTextBuffer   *self);
gboolean    tf_text_buffer_locate     (TfTextBuffer   *self,
                                       TfCodec        *codec,
                                       goffset        *offset,
                                       GError        **error);

G_END_DECLS
