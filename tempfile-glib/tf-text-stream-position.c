/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-text-stream-private.h"

gboolean
tf_text_stream_check_initialized (TfTextStream  *self,
                                  GError       **error)
{
  if (!self->initialized)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED,
                         "The text stream was not initialized: call g_initable_init() first");

  return self->initialized;
}

static gboolean
move_file (TfTextStream  *self,
           goffset        offset,
           GCancellable  *cancellable,
           GError       **error)
{
  return g_seekable_seek (G_SEEKABLE (self->file), offset, G_SEEK_SET, cancellable, error);
}

/* Decodes the first @size bytes of the file and forgets the text. */
static gboolean
decode_context (TfTextStream  *self,
                gsize          size,
                GCancellable  *cancellable,
                GError       **error)
{
  g_autoptr(GString) scratch = g_string_new (NULL);
  g_autoptr(GBytes) bytes = NULL;
  gsize n_used;

  if (!move_file (self, 0, cancellable, error))
    return FALSE;

  bytes = tf_temp_file_read_bytes (self->file, size, cancellable, error);
  if (bytes == NULL)
    return FALSE;

  if (!tf_codec_decode (&self->codec, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                        FALSE, G_MAXSIZE, scratch, &n_used, NULL) && self->codec.has_mark)
    return tf_codec_assume_order (&self->codec, error);

  return TRUE;
}

/* Makes the codec ready to decode from @offset on. */
gboolean
tf_text_stream_place (TfTextStream  *self,
                      goffset        offset,
                      GCancellable  *cancellable,
                      GError       **error)
{
  gsize size = tf_codec_get_context_size (&self->codec, offset);
  goffset position = g_seekable_tell (G_SEEKABLE (self->file));

  self->placed = FALSE;
  if (!tf_codec_restart (&self->codec, error))
    return FALSE;

  if (size > 0 &&
      (!decode_context (self, size, cancellable, error) || !move_file (self, position, cancellable, error)))
    return FALSE;

  self->placed = TRUE;
  return TRUE;
}

/**
 * tf_text_stream_tell:
 * @self: a text stream
 * @error: return location for an error
 *
 * Returns the position in the text, to come back to with [method@TextStream.seek].
 *
 * It is the number of the bytes before it in the file. While text waits that was read ahead, that has to
 * be found out; in encodings with states by decoding the file from its start, which blocks on the disk.
 *
 * Returns: a number of bytes, or -1 with @error set
 *
 * Since: 1.0
 */
goffset
tf_text_stream_tell (TfTextStream  *self,
                     GError       **error)
{
  goffset offset;

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  if (!tf_text_stream_check_initialized (self, error))
    return -1;

  if (self->ahead.bytes->len == 0)
    return g_seekable_tell (G_SEEKABLE (self->file));

  if (!tf_text_buffer_is_aligned (&self->ahead) && !tf_text_stream_place (self, self->ahead.start, NULL, error))
    return -1;

  return tf_text_buffer_locate (&self->ahead, &self->codec, &offset, error) ? offset : -1;
}

/**
 * tf_text_stream_seek:
 * @self: a text stream
 * @offset: what [method@TextStream.tell] returned, or 0
 * @type: from where; with %G_SEEK_CUR and %G_SEEK_END, @offset is 0
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Moves the position in the text.
 *
 * With any other @offset, the position may be inside a character. %G_IO_ERROR_INVALID_ARGUMENT when it
 * is negative, or must be 0 and is not.
 *
 * Returns: %TRUE if the position is there
 *
 * Since: 1.0
 */
gboolean
tf_text_stream_seek (TfTextStream  *self,
                     goffset        offset,
                     GSeekType      type,
                     GCancellable  *cancellable,
                     GError       **error)
{
  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (type != G_SEEK_SET && offset != 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                           "In text, seeking from the position or the end is possible by 0 only");
      return FALSE;
    }

  if (!tf_text_stream_flush (self, cancellable, error) ||
      !g_seekable_seek (G_SEEKABLE (self->file), offset, type, cancellable, error))
    return FALSE;

  self->placed = FALSE;
  return TRUE;
}

/**
 * tf_text_stream_truncate:
 * @self: a text stream
 * @size: how many bytes of the file to leave, as [method@TextStream.tell] tells; -1 for up to the position
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Makes the file end at a position in the text; the position stays.
 *
 * Returns: %TRUE if the file has that size
 *
 * Since: 1.0
 */
gboolean
tf_text_stream_truncate (TfTextStream  *self,
                         goffset        size,
                         GCancellable  *cancellable,
                         GError       **error)
{
  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), FALSE);
  g_return_val_if_fail (size >= -1, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!tf_text_stream_flush (self, cancellable, error))
    return FALSE;

  if (size < 0)
    size = g_seekable_tell (G_SEEKABLE (self->file));
  return g_seekable_truncate (G_SEEKABLE (self->file), size, cancellable, error);
}

/**
 * tf_text_stream_flush:
 * @self: a text stream
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Moves the file's position to that of the text, and forgets what was read ahead.
 *
 * No written text ever waits, so it is needed only before the file itself is used.
 *
 * Returns: %TRUE if the positions are the same
 *
 * Since: 1.0
 */
gboolean
tf_text_stream_flush (TfTextStream  *self,
                      GCancellable  *cancellable,
                      GError       **error)
{
  goffset offset;

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  offset = tf_text_stream_tell (self, error);
  if (offset < 0 ||
      (self->ahead.bytes->len > 0 && !move_file (self, offset, cancellable, error)))
    return FALSE;

  tf_text_buffer_reset (&self->ahead, offset);
  self->placed = FALSE;
  return TRUE;
}
