/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-decoded-text.h"

#include "base/tf-errno.h"

void
tf_decoded_text_clear (TfDecodedText *self)
{
  tf_string_clear (&self->bytes);
  tf_string_clear (&self->text);
}

/* Forgets the bytes and the text. The next bytes come from @start. */
void
tf_decoded_text_reset (TfDecodedText *self,
                       goffset        start)
{
  self->start = start;
  tf_string_truncate (&self->bytes, 0);
  tf_string_truncate (&self->text, 0);
  self->n_decoded = self->n_taken = 0;
  self->kept_bytes = self->kept_text = 0;
  self->n_same = 0;
  self->failed = FALSE;
}

/* Returns where in the file the next bytes come from. */
goffset
tf_decoded_text_get_end (TfDecodedText *self)
{
  return self->start + self->bytes.size;
}

/* Returns where in the file decoding continues. The bytes behind it are a part of a character. */
goffset
tf_decoded_text_get_decoded_end (TfDecodedText *self)
{
  return self->start + self->n_decoded;
}

/* Removes what was appended before the last piece, once all of it was taken. */
static void
drop_taken (TfDecodedText *self)
{
  if (self->n_taken >= self->kept_text)
    {
      tf_string_erase (&self->bytes, self->kept_bytes);
      tf_string_erase (&self->text, self->kept_text);
      self->start += self->kept_bytes;
      self->n_decoded -= self->kept_bytes;
      self->n_same -= MIN (self->n_same, self->kept_bytes == self->kept_text ? self->kept_text : G_MAXSIZE);
      self->n_taken -= self->kept_text;
      self->kept_bytes = self->n_decoded;
      self->kept_text = self->text.size;
    }
}

/* Returns whether all was done that could be. Otherwise, takes back what was appended, of which there were @n_bytes and
 * @n_text before. */
static gboolean
check_whole (TfDecodedText  *self,
             gsize           n_bytes,
             gsize           n_text,
             const char     *path,
             GError        **decode_error,
             GError        **error)
{
  gboolean success = tf_string_check (&self->bytes, "read", path, error);

  success = tf_string_check (&self->text, "read", path, success ? error : NULL) && success;
  if (success && !g_error_matches (*decode_error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return TRUE;

  if (success)
    g_propagate_error (error, g_steal_pointer (decode_error));
  tf_string_truncate (&self->bytes, n_bytes);
  tf_string_truncate (&self->text, n_text);
  return FALSE;
}

/* Appends bytes, none at the end of the file, and decodes them as far as possible. Fails at an illegal byte only if
 * there is no new text before it. After any other failure, such as a lack of memory, the text is as it was, and @codec
 * is in no certain state. @path is for messages. */
gboolean
tf_decoded_text_append (TfDecodedText  *self,
                        TfCodec        *codec,
                        GBytes         *bytes,
                        const char     *path,
                        GCancellable   *cancellable,
                        GError        **error)
{
  g_autoptr(GError) local_error = NULL;
  gsize n_bytes;
  gsize n_text;
  gsize n_used;

  drop_taken (self);
  n_bytes = self->bytes.size;
  n_text = self->text.size;
  tf_string_append (&self->bytes, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  tf_codec_decode (codec, tf_string_get (&self->bytes) + self->n_decoded, self->bytes.size - self->n_decoded,
                   g_bytes_get_size (bytes) == 0, G_MAXSIZE, &self->text, &n_used, cancellable, &local_error);
  if (!check_whole (self, n_bytes, n_text, path, &local_error, error))
    return FALSE;

  self->n_decoded += n_used;
  /* What is incomplete at the end may be completed. */
  self->failed = g_bytes_get_size (bytes) > 0 && g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  if (local_error == NULL || self->text.size > n_text)
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

const char *
tf_decoded_text_peek (TfDecodedText *self,
                      gsize         *length)
{
  *length = self->text.size - self->n_taken;
  return tf_string_get (&self->text) + self->n_taken;
}

void
tf_decoded_text_take (TfDecodedText *self,
                      gsize          length)
{
  self->n_taken += length;
}

/* Returns whether the text that was taken and the bytes that it came from are the same: in most files, which are valid
 * UTF-8. */
static gboolean
is_same (TfDecodedText *self,
         const TfCodec *codec)
{
  const char *text = tf_string_get (&self->text) + self->n_same;
  const char *bytes = tf_string_get (&self->bytes) + self->n_same;

  if (!codec->is_utf8 || self->n_taken > self->n_decoded)
    return FALSE;

  if (self->n_same < self->n_taken && memcmp (text, bytes, self->n_taken - self->n_same) == 0)
    self->n_same = self->n_taken;
  return self->n_same >= self->n_taken;
}

/* Returns whether tf_decoded_text_locate() does not use the codec. */
gboolean
tf_decoded_text_is_aligned (TfDecodedText *self,
                            const TfCodec *codec)
{
  return self->n_taken == self->text.size || is_same (self, codec);
}

/* Fails where some of the characters were taken that the same bytes stand for: an escape, for example. */
static gboolean
check_boundary (TfDecodedText   *self,
                const TfString  *before,
                gsize            n_before,
                GError         **error)
{
  return before->size <= self->n_taken ||
         tf_errno_set_code (error, G_IO_ERROR_INVALID_DATA,
                            "The position is within the text of the bytes before %" G_GOFFSET_FORMAT,
                            self->start + (goffset) n_before);
}

/* Finds where in the file the text that was not taken begins. All bytes up to there were decoded before, an incomplete
 * character at the end of the file as well. @codec must be in the state of the start of the bytes,
 * and is left in that of their end, or on failure in no certain one. @path is for messages. */
gboolean
tf_decoded_text_locate (TfDecodedText  *self,
                        TfCodec        *codec,
                        goffset        *offset,
                        const char     *path,
                        GCancellable   *cancellable,
                        GError        **error)
{
  const char *bytes = tf_string_get (&self->bytes);
  g_auto(TfString) scratch = { NULL, };
  gsize n_before = self->n_taken < self->text.size ? self->n_taken : self->n_decoded;
  gsize n_rest;

  if (!tf_decoded_text_is_aligned (self, codec) &&
      (!tf_codec_decode (codec, bytes, self->n_decoded, TRUE, self->n_taken, &scratch, &n_before,
                         cancellable, error) ||
       !check_boundary (self, &scratch, n_before, error) ||
       !tf_codec_decode (codec, bytes + n_before, self->n_decoded - n_before, TRUE, G_MAXSIZE, &scratch,
                         &n_rest, cancellable, error)))
    return FALSE;

  *offset = self->start + n_before;
  return tf_string_check (&scratch, "read", path, error);
}
