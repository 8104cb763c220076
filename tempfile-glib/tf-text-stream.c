/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-text-stream-private.h"

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

typedef enum
{
  PROP_FILE = 1,
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

  if (self->file == NULL)
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
  g_clear_object (&TF_TEXT_STREAM (object)->file);

  G_OBJECT_CLASS (tf_text_stream_parent_class)->dispose (object);
}

static void
tf_text_stream_finalize (GObject *object)
{
  TfTextStream *self = TF_TEXT_STREAM (object);

  tf_codec_clear (&self->codec);
  tf_text_buffer_clear (&self->ahead);
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
    case PROP_FILE:
      g_value_set_object (value, self->file);
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
    case PROP_FILE:
      self->file = g_value_dup_object (value);
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
   * TfTextStream:file: (getter get_file)
   *
   * The file with the bytes of the text.
   *
   * Since: 1.0
   */
  properties[PROP_FILE] =
    g_param_spec_object ("file", NULL, NULL,
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
  tf_text_buffer_init (&self->ahead);
}

/**
 * tf_text_stream_new:
 * @file: a temporary file
 * @encoding: (nullable): the encoding of the text in the file, or %NULL for UTF-8
 * @newline: where lines end, and what newlines become
 * @errors: what happens with bytes and characters that the encoding does not have
 * @error: return location for an error
 *
 * Creates a stream for the text in @file, at the position of the file.
 *
 * The stream holds a reference to the file, and closing is the file's affair. With
 * %G_IO_ERROR_NOT_SUPPORTED, iconv(3) does not know the encoding.
 *
 * Returns: (transfer full): a new text stream
 *
 * Since: 1.0
 */
TfTextStream *
tf_text_stream_new (TfTempFile    *file,
                    const char    *encoding,
                    TfNewline      newline,
                    TfTextErrors   errors,
                    GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (file), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_initable_new (TF_TYPE_TEXT_STREAM, NULL, error,
                         "file", file,
                         "encoding", encoding,
                         "newline", newline,
                         "errors", errors,
                         NULL);
}

/**
 * tf_text_stream_get_file: (get-property file)
 * @self: a text stream
 *
 * Returns the file with the bytes of the text.
 *
 * Returns: (transfer none): the file
 *
 * Since: 1.0
 */
TfTempFile *
tf_text_stream_get_file (TfTextStream *self)
{
  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), NULL);

  return self->file;
}
