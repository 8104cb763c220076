/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "base/tf-string.h"
#include "tf-enums.h"

G_BEGIN_DECLS

/* Converts bytes in an encoding to UTF-8 and back.
 *
 * UTF-8 is decoded here, so that illegal bytes are divided as in Unicode and in Python. All other encodings are
 * converted by iconv. An encoding with a byte order mark is decoded and encoded in the byte order of the mark, and
 * encoded in that of the machine where there is none yet.
 *
 * Some implementations of iconv replace a character that they cannot convert with one of their choice and return a
 * positive number. A codec treats this as a failed conversion, which it handles according to TfTextErrors. glibc does so
 * in some encodings without saying so, and its ISO-2022-CN leaves out shifts: in these, what was encoded is decoded
 * again. */
typedef struct
{
  char *encoding;       /* (owned) */
  TfTextErrors errors;
  gsize unit;           /* bytes of a code unit */
  gboolean is_utf8;
  gboolean has_mark;    /* the text begins with a byte order mark */
  const char *order;    /* in which text is encoded, "LE" or "BE"; "" after a failure */
  gboolean knows_order; /* the order is that of the mark of the text */
  gboolean is_stateful; /* the meaning of bytes depends on those before them */
  gboolean is_careful;  /* the converters keep a state, or a character that may combine with the next one */
  char header[8];       /* what the encoder begins with each time, as that of ISO-2022-KR does; a file has it once */
  gsize header_size;
  GIConv decoder;       /* NULL for UTF-8, and before the byte order mark */
  GIConv encoder;       /* NULL for UTF-8 */
  GIConv probe;         /* like the encoder, to find out what can be encoded */
  GIConv judge;         /* decodes what was encoded; NULL unless the encoder may do it wrongly and not report it */
} TfCodec;

gboolean tf_codec_is_utf8 (const char *text,
                           gsize       length);

gboolean tf_codec_init  (TfCodec       *self,
                         const char    *encoding,
                         TfTextErrors   errors,
                         GError       **error);
void     tf_codec_clear (TfCodec       *self);

gsize    tf_codec_get_context_size (const TfCodec  *self,
                                    goffset         offset);
gboolean tf_codec_restart          (TfCodec        *self,
                                    GError        **error);
gboolean tf_codec_assume_order     (TfCodec        *self,
                                    GError        **error);
gboolean tf_codec_knows_order      (const TfCodec  *self);
void     tf_codec_forget_order     (TfCodec        *self);
gboolean tf_codec_decode           (TfCodec        *self,
                                    gconstpointer   bytes,
                                    gsize           n_bytes,
                                    gboolean        is_end,
                                    gsize           limit,
                                    TfString       *text,
                                    gsize          *n_used,
                                    GCancellable   *cancellable,
                                    GError        **error);
gboolean tf_codec_encode           (TfCodec        *self,
                                    const char     *text,
                                    gsize           length,
                                    gboolean        is_start,
                                    TfString       *bytes,
                                    GCancellable   *cancellable,
                                    GError        **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfCodec, tf_codec_clear)

G_END_DECLS
