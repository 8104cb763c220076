/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-decoded-text.h"

void
tf_decoded_text_init (TfDecodedText *self)
{
  *self = (TfDecodedText) {
    .bytes = g_byte_array_new (),
    .text = g_string_new (NULL),
  };
}

void
tf_decoded_text_clear (TfDecodedText *self)
{
  g_byte_array_unref (self->bytes);
  g_string_free (self->text, TRUE);
}

/* Forgets the bytes and the text. The next bytes come from @start. */
void
tf_decoded_text_reset (TfDecodedText *self,
                       goffset        start)
{
  self->start = start;
  g_byte_array_set_size (self->bytes, 0);
  g_string_truncate (self->text, 0);
  self->n_decoded = self->n_taken = 0;
  self->kept_bytes = self->kept_text = 0;
  self->failed = FALSE;
}

/* Returns where in the file the next bytes come from. */
goffset
tf_decoded_text_get_end (TfDecodedText *self)
{
  return self->start + self->bytes->len;
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
      g_byte_array_remove_range (self->bytes, 0, self->kept_bytes);
      g_string_erase (self->text, 0, self->kept_text);
      self->start += self->kept_bytes;
      self->n_decoded -= self->kept_bytes;
      self->n_taken -= self->kept_text;
      self->kept_bytes = self->n_decoded;
      self->kept_text = self->text->len;
    }
}

/* Appends bytes, none at the end of the file, and decodes them as far as possible. Fails at an illegal byte only if
 * there is no new text before it. */
gboolean
tf_decoded_text_append (TfDecodedText  *self,
                        TfCodec        *codec,
                        GBytes         *bytes,
                        GError        **error)
{
  g_autoptr(GError) local_error = NULL;
  gsize length;
  gsize n_used;

  drop_taken (self);
  g_byte_array_append (self->bytes, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  length = self->text->len;
  self->failed = !tf_codec_decode (codec, self->bytes->data + self->n_decoded, self->bytes->len - self->n_decoded,
                                   g_bytes_get_size (bytes) == 0, G_MAXSIZE, self->text, &n_used, &local_error);
  self->n_decoded += n_used;
  if (!self->failed || self->text->len > length)
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

const char *
tf_decoded_text_peek (TfDecodedText *self,
                      gsize         *length)
{
  *length = self->text->len - self->n_taken;
  return self->text->str + self->n_taken;
}

void
tf_decoded_text_take (TfDecodedText *self,
                      gsize          length)
{
  self->n_taken += length;
}

/* Returns whether all of the text was taken. Then tf_decoded_text_locate() needs no codec. */
gboolean
tf_decoded_text_is_aligned (TfDecodedText *self)
{
  return self->n_taken == self->text->len;
}

/* Finds where in the file the text that was not taken begins. @codec must be in the state of the start of the bytes,
 * and is left in that of their end. */
gboolean
tf_decoded_text_locate (TfDecodedText  *self,
                        TfCodec        *codec,
                        goffset        *offset,
                        GError        **error)
{
  g_autoptr(GString) scratch = NULL;
  gsize n_before = self->n_decoded;
  gsize n_rest;

  if (!tf_decoded_text_is_aligned (self))
    {
      scratch = g_string_new (NULL);
      if (!tf_codec_decode (codec, self->bytes->data, self->n_decoded, FALSE, self->n_taken, scratch, &n_before, error) ||
          !tf_codec_decode (codec, self->bytes->data + n_before, self->n_decoded - n_before, FALSE, G_MAXSIZE, scratch,
                            &n_rest, error))
        return FALSE;
    }

  *offset = self->start + n_before;
  return TRUE;
}
