/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-text-stream.h"

#include <string.h>

#include "base/tf-errno.h"
#include "text/tf-codec.h"
#include "text/tf-decoded-text.h"
#include "text/tf-newline.h"

#define PIECE_SIZE 8192

/**
 * TfTextStream:
 *
 * Text over a [class@TempFile]: what mode `w+` is to the files of Python's `tempfile`.
 *
 * ```c
 * g_autoptr(TfSpooledFile) file = tf_spooled_file_new (1024 * 1024);
 * g_autoptr(TfTextStream) text = tf_text_stream_new (TF_TEMP_FILE (file), "UTF-8", TF_NEWLINE_UNIVERSAL,
 *                                                    TF_TEXT_ERRORS_STRICT, error);
 * g_autofree char *line = NULL;
 *
 * if (text == NULL ||
 *     !tf_text_stream_write (text, "Grüße\n", NULL, error) ||
 *     !tf_text_stream_seek (text, 0, G_SEEK_SET, NULL, error))
 *   return FALSE;
 *
 * line = tf_text_stream_read_line (text, NULL, error);
 * return line != NULL;
 * ```
 *
 * Encoding, newlines and what happens with errors are those of `io.TextIOWrapper` of Python. In memory
 * and on disk, and while a [class@SpooledFile] rolls over, everything works the same.
 *
 * ## Position
 *
 * Text is written to the file at once, and read ahead of what was asked for. So there is a position in
 * the text, which [method@TextStream.tell] tells, and the file's own, which may be beyond it: call
 * [method@TextStream.flush] before using the file itself after reading text. Writing after reading
 * goes on where reading ended.
 *
 * ## Encodings
 *
 * Any that iconv(3) knows. `UTF-16` and `UTF-32` begin with a byte order mark, which is written at the
 * start of the file, and has to be there for reading; `UTF-16LE` and its like have none. After each
 * write, an encoding with states is back in its initial one.
 *
 * Since: 1.0
 */

/* While there are bytes read ahead, the file's position is behind them. */
struct _TfTextStream
{
  GObject parent_instance;

  TfTempFile *base_file; /* (owned) */
  char *encoding;        /* (owned) */
  TfNewline newline;
  TfTextErrors errors;

  gboolean initialized;
  TfCodec codec;
  TfDecodedText ahead;
  gboolean placed;      /* the codec is ready for what comes after the bytes read ahead */
};

typedef enum
{
  PROP_BASE_FILE = 1,
  PROP_ENCODING,
  PROP_NEWLINE,
  PROP_ERRORS,
} TfTextStreamProperty;

static GParamSpec *properties[PROP_ERRORS + 1];

static void tf_text_stream_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TfTextStream, tf_text_stream, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, tf_text_stream_initable_init))

static gboolean
tf_text_stream_initable_do_init (GInitable     *initable,
                                 GCancellable  *cancellable,
                                 GError       **error)
{
  TfTextStream *self = TF_TEXT_STREAM (initable);
  g_auto(TfCodec) codec = { NULL, };

  if (self->initialized)
    return TRUE;

  if (self->base_file == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "A text stream needs a file");
      return FALSE;
    }

  if (!tf_codec_init (&codec, self->encoding, self->errors, error))
    return FALSE;

  self->codec = codec;
  codec = (TfCodec) { NULL, };
  self->initialized = TRUE;
  return TRUE;
}

static void
tf_text_stream_initable_init (GInitableIface *iface)
{
  iface->init = tf_text_stream_initable_do_init;
}

static void
tf_text_stream_dispose (GObject *object)
{
  g_clear_object (&TF_TEXT_STREAM (object)->base_file);

  G_OBJECT_CLASS (tf_text_stream_parent_class)->dispose (object);
}

static void
tf_text_stream_finalize (GObject *object)
{
  TfTextStream *self = TF_TEXT_STREAM (object);

  tf_codec_clear (&self->codec);
  tf_decoded_text_clear (&self->ahead);
  g_free (self->encoding);

  G_OBJECT_CLASS (tf_text_stream_parent_class)->finalize (object);
}

static void
tf_text_stream_get_property (GObject    *object,
                             guint       prop_id,
                             GValue     *value,
                             GParamSpec *pspec)
{
  TfTextStream *self = TF_TEXT_STREAM (object);

  switch ((TfTextStreamProperty) prop_id)
    {
    case PROP_BASE_FILE:
      g_value_set_object (value, self->base_file);
      break;

    case PROP_ENCODING:
      g_value_set_string (value, self->encoding);
      break;

    case PROP_NEWLINE:
      g_value_set_enum (value, self->newline);
      break;

    case PROP_ERRORS:
      g_value_set_enum (value, self->errors);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tf_text_stream_set_property (GObject      *object,
                             guint         prop_id,
                             const GValue *value,
                             GParamSpec   *pspec)
{
  TfTextStream *self = TF_TEXT_STREAM (object);

  switch ((TfTextStreamProperty) prop_id)
    {
    case PROP_BASE_FILE:
      self->base_file = g_value_dup_object (value);
      break;

    case PROP_ENCODING:
      self->encoding = g_strdup (g_value_get_string (value) != NULL ? g_value_get_string (value) : "UTF-8");
      break;

    case PROP_NEWLINE:
      self->newline = g_value_get_enum (value);
      break;

    case PROP_ERRORS:
      self->errors = g_value_get_enum (value);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tf_text_stream_class_init (TfTextStreamClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = tf_text_stream_dispose;
  object_class->finalize = tf_text_stream_finalize;
  object_class->get_property = tf_text_stream_get_property;
  object_class->set_property = tf_text_stream_set_property;

  /**
   * TfTextStream:base-file: (getter get_base_file)
   *
   * The file with the bytes of the text.
   *
   * Since: 1.0
   */
  properties[PROP_BASE_FILE] =
    g_param_spec_object ("base-file", NULL, NULL,
                         TF_TYPE_TEMP_FILE,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTextStream:encoding:
   *
   * The encoding of the file, by a name that iconv(3) knows.
   *
   * Since: 1.0
   */
  properties[PROP_ENCODING] =
    g_param_spec_string ("encoding", NULL, NULL,
                         "UTF-8",
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTextStream:newline:
   *
   * Where lines end, and what newlines become.
   *
   * Since: 1.0
   */
  properties[PROP_NEWLINE] =
    g_param_spec_enum ("newline", NULL, NULL,
                       TF_TYPE_NEWLINE, TF_NEWLINE_UNIVERSAL,
                       G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTextStream:errors:
   *
   * What happens with bytes and characters that the encoding does not have.
   *
   * Since: 1.0
   */
  properties[PROP_ERRORS] =
    g_param_spec_enum ("errors", NULL, NULL,
                       TF_TYPE_TEXT_ERRORS, TF_TEXT_ERRORS_STRICT,
                       G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);
}

static void
tf_text_stream_init (TfTextStream *self)
{
  tf_decoded_text_init (&self->ahead);
}

/**
 * tf_text_stream_new:
 * @base_file: a temporary file
 * @encoding: (nullable): the encoding of the text in the file, or %NULL for UTF-8
 * @newline: where lines end, and what newlines become
 * @errors: what happens with bytes and characters that the encoding does not have
 * @error: return location for an error
 *
 * Creates a stream for the text in @base_file, at the position of the file.
 *
 * The stream holds a reference to the file, and closing is the file's affair. With
 * %G_IO_ERROR_NOT_SUPPORTED, iconv(3) does not know the encoding.
 *
 * Returns: (transfer full): a new text stream
 *
 * Since: 1.0
 */
TfTextStream *
tf_text_stream_new (TfTempFile    *base_file,
                    const char    *encoding,
                    TfNewline      newline,
                    TfTextErrors   errors,
                    GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (base_file), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_initable_new (TF_TYPE_TEXT_STREAM, NULL, error,
                         "base-file", base_file,
                         "encoding", encoding,
                         "newline", newline,
                         "errors", errors,
                         NULL);
}

/**
 * tf_text_stream_get_base_file: (get-property base-file)
 * @self: a text stream
 *
 * Returns the file with the bytes of the text.
 *
 * Returns: (transfer none): the file
 *
 * Since: 1.0
 */
TfTempFile *
tf_text_stream_get_base_file (TfTextStream *self)
{
  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), NULL);

  return self->base_file;
}

static gboolean
check_initialized (TfTextStream  *self,
                   GError       **error)
{
  return self->initialized || tf_errno_set_not_initialized (error, "text stream");
}

static gboolean
move_file (TfTextStream  *self,
           goffset        offset,
           GCancellable  *cancellable,
           GError       **error)
{
  return g_seekable_seek (G_SEEKABLE (self->base_file), offset, G_SEEK_SET, cancellable, error);
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

  bytes = tf_temp_file_read_bytes (self->base_file, size, cancellable, error);
  if (bytes == NULL)
    return FALSE;

  if (!tf_codec_decode (&self->codec, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                        FALSE, G_MAXSIZE, scratch, &n_used, NULL) && self->codec.has_mark)
    return tf_codec_assume_order (&self->codec, error);

  return TRUE;
}

/* Makes the codec ready to decode from @offset on. */
static gboolean
place (TfTextStream  *self,
       goffset        offset,
       GCancellable  *cancellable,
       GError       **error)
{
  gsize size = tf_codec_get_context_size (&self->codec, offset);
  goffset position = g_seekable_tell (G_SEEKABLE (self->base_file));

  self->placed = FALSE;
  if (!tf_codec_restart (&self->codec, error))
    return FALSE;

  if (size > 0 &&
      (!decode_context (self, size, cancellable, error) || !move_file (self, position, cancellable, error)))
    return FALSE;

  self->placed = TRUE;
  return TRUE;
}

/* Reads more of the file, in pieces that grow with what waits; at the end of the file, sets @is_end. */
static gboolean
read_ahead (TfTextStream  *self,
            gboolean      *is_end,
            GCancellable  *cancellable,
            GError       **error)
{
  g_autoptr(GBytes) bytes = NULL;

  if (self->ahead.bytes->len == 0)
    tf_decoded_text_reset (&self->ahead, g_seekable_tell (G_SEEKABLE (self->base_file)));

  if (!self->placed && !place (self, tf_decoded_text_get_end (&self->ahead), cancellable, error))
    return FALSE;

  bytes = tf_temp_file_read_bytes (self->base_file, self->ahead.failed ? 0 : MAX (PIECE_SIZE, self->ahead.bytes->len),
                                   cancellable, error);
  if (bytes == NULL)
    return FALSE;

  *is_end = g_bytes_get_size (bytes) == 0;
  return tf_decoded_text_append (&self->ahead, &self->codec, bytes, error);
}

/* Takes text out of what was read ahead. It cannot hold a NUL, and must not end at one silently. */
static char *
take (TfTextStream  *self,
      gsize          length,
      GError       **error)
{
  gsize available;
  const char *text = tf_decoded_text_peek (&self->ahead, &available);

  if (memchr (text, '\0', length) != NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "The text has a NUL character, which a string cannot hold");
      return NULL;
    }

  tf_decoded_text_take (&self->ahead, length);
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

  if (!check_initialized (self, error))
    return NULL;

  do
    {
      text = tf_decoded_text_peek (&self->ahead, &available);
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

  if (!check_initialized (self, error))
    return NULL;

  do
    {
      text = tf_decoded_text_peek (&self->ahead, &available);
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

  if (!check_initialized (self, error))
    return NULL;

  while (!is_end)
    if (!read_ahead (self, &is_end, cancellable, error))
      return NULL;

  tf_decoded_text_peek (&self->ahead, &available);
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
  is_start = g_seekable_tell (G_SEEKABLE (self->base_file)) == 0;
  translated = tf_newline_to_file (self->newline, text);
  return tf_codec_encode (&self->codec, translated, strlen (translated), is_start, bytes, error) &&
         tf_temp_file_write (self->base_file, bytes->data, bytes->len, cancellable, error);
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

  if (!check_initialized (self, error))
    return -1;

  if (self->ahead.bytes->len == 0)
    return g_seekable_tell (G_SEEKABLE (self->base_file));

  if (!tf_decoded_text_is_aligned (&self->ahead) && !place (self, self->ahead.start, NULL, error))
    return -1;

  return tf_decoded_text_locate (&self->ahead, &self->codec, &offset, error) ? offset : -1;
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
      !g_seekable_seek (G_SEEKABLE (self->base_file), offset, type, cancellable, error))
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
    size = g_seekable_tell (G_SEEKABLE (self->base_file));
  return g_seekable_truncate (G_SEEKABLE (self->base_file), size, cancellable, error);
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

  tf_decoded_text_reset (&self->ahead, offset);
  self->placed = FALSE;
  return TRUE;
}
