/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-text-stream-private.h"

#include <string.h>

#include "text/tf-newline.h"

#define PIECE_SIZE 8192

/* Reads more of the file, in pieces that grow with what waits; at the end of the file, sets @is_end. */
static gboolean
read_ahead (TfTextStream  *self,
            gboolean      *is_end,
            GCancellable  *cancellable,
            GError       **error)
{
  g_autoptr(GBytes) bytes = NULL;

  if (self->ahead.bytes->len == 0)
    tf_text_buffer_reset (&self->ahead, g_seekable_tell (G_SEEKABLE (self->file)));

  if (!self->placed && !tf_text_stream_place (self, tf_text_buffer_get_end (&self->ahead), cancellable, error))
    return FALSE;

  bytes = tf_temp_file_read_bytes (self->file, self->ahead.failed ? 0 : MAX (PIECE_SIZE, self->ahead.bytes->len),
                                   cancellable, error);
  if (bytes == NULL)
    return FALSE;

  *is_end = g_bytes_get_size (bytes) == 0;
  return tf_text_buffer_append (&self->ahead, &self->codec, bytes, error);
}

/* Takes text out of what was read ahead. It cannot hold a NUL, and must not end at one silently. */
static char *
take (TfTextStream  *self,
      gsize          length,
      GError       **error)
{
  gsize available;
  const char *text = tf_text_buffer_peek (&self->ahead, &available);

  if (memchr (text, '\0', length) != NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "The text has a NUL character, which a string cannot hold");
      return NULL;
    }

  tf_text_buffer_take (&self->ahead, length);
  return tf_newline_from_file (self->newline, text, length);
}

/**
 * tf_text_stream_read:
 * @self: a text stream
 * @n_chars: how many characters to read
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads @n_chars characters; fewer only at the end of the file.
 *
 * What is counted are characters, not bytes, after newlines were translated. A call that fails does not
 * move the position. Blocks on the disk when the bytes are there.
 *
 * Errors are of %G_IO_ERROR: %G_IO_ERROR_INVALID_DATA when bytes are not of the encoding, or stand for a
 * NUL; else those of [method@TempFile.read].
 *
 * Returns: (transfer full): text in UTF-8, empty at the end of the file
 *
 * Since: 1.0
 */
char *
tf_text_stream_read (TfTextStream  *self,
                     gsize          n_chars,
                     GCancellable  *cancellable,
                     GError       **error)
{
  gboolean is_end = FALSE;
  const char *text;
  gsize available;
  gsize length;

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!tf_text_stream_check_initialized (self, error))
    return NULL;

  do
    {
      text = tf_text_buffer_peek (&self->ahead, &available);
      length = tf_newline_measure (self->newline, text, available, n_chars, is_end);
      if (length > 0 || n_chars == 0 || is_end)
        return take (self, length, error);
    }
  while (read_ahead (self, &is_end, cancellable, error));

  return NULL;
}

/**
 * tf_text_stream_read_line:
 * @self: a text stream
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads up to and with the next newline, or the end of the file.
 *
 * Which newlines there are says [property@TextStream:newline]. Otherwise as [method@TextStream.read].
 *
 * Returns: (transfer full) (nullable): a line in UTF-8 with its newline; %NULL at the end of the file,
 *   without @error set
 *
 * Since: 1.0
 */
char *
tf_text_stream_read_line (TfTextStream  *self,
                          GCancellable  *cancellable,
                          GError       **error)
{
  gboolean is_end = FALSE;
  const char *text;
  gsize available;
  gsize length;

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!tf_text_stream_check_initialized (self, error))
    return NULL;

  do
    {
      text = tf_text_buffer_peek (&self->ahead, &available);
      length = tf_newline_find_end (self->newline, text, available, is_end);
      if (length > 0)
        return take (self, length, error);
    }
  while (!is_end && read_ahead (self, &is_end, cancellable, error));

  return NULL;
}

/**
 * tf_text_stream_read_all:
 * @self: a text stream
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads all text that is left, as [method@TextStream.read].
 *
 * Returns: (transfer full): text in UTF-8, empty at the end of the file
 *
 * Since: 1.0
 */
char *
tf_text_stream_read_all (TfTextStream  *self,
                         GCancellable  *cancellable,
                         GError       **error)
{
  gboolean is_end = FALSE;
  gsize available;

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!tf_text_stream_check_initialized (self, error))
    return NULL;

  while (!is_end)
    if (!read_ahead (self, &is_end, cancellable, error))
      return NULL;

  tf_text_buffer_peek (&self->ahead, &available);
  return take (self, available, error);
}

/**
 * tf_text_stream_write:
 * @self: a text stream
 * @text: text in UTF-8
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes all of @text at the position.
 *
 * Errors are of %G_IO_ERROR: %G_IO_ERROR_INVALID_DATA when @text is not UTF-8, or has a character that
 * the encoding does not have, and then nothing is written; else those of [method@TempFile.write].
 *
 * Returns: %TRUE if all of @text was written
 *
 * Since: 1.0
 */
gboolean
tf_text_stream_write (TfTextStream  *self,
                      const char    *text,
                      GCancellable  *cancellable,
                      GError       **error)
{
  g_autoptr(GByteArray) bytes = NULL;
  g_autofree char *translated = NULL;
  gboolean is_start;

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), FALSE);
  g_return_val_if_fail (text != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!tf_text_stream_flush (self, cancellable, error))
    return FALSE;

  if (!g_utf8_validate (text, -1, NULL))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "The text to write is not valid UTF-8");
      return FALSE;
    }

  bytes = g_byte_array_new ();
  is_start = g_seekable_tell (G_SEEKABLE (self->file)) == 0;
  translated = tf_newline_to_file (self->newline, text);
  return tf_codec_encode (&self->codec, translated, strlen (translated), is_start, bytes, error) &&
         tf_temp_file_write (self->file, bytes->data, bytes->len, cancellable, error);
}
