/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-text-stream.h"

#include <errno.h>
#include <string.h>

#include "base/tf-errno.h"
#include "base/tf-task.h"
#include "store/tf-file.h"
#include "text/tf-codec.h"
#include "text/tf-decoded-text.h"
#include "text/tf-newline.h"

#define PIECE_SIZE 8192

/* The number of bytes of text that are translated between two checks of the cancellable. */
#define LARGEST_PIECE ((gsize) 256 * 1024)

/* How many bytes are copied in the time that it takes to decode one. */
#define COPIES_PER_DECODING 32

/**
 * TfTextStream:
 *
 * Reads and writes the text of a [class@TempFile] in any encoding, as mode `w+` of Python's `tempfile` does.
 *
 * ```c
 * g_autoptr(TfSpooledFile) file = tf_spooled_file_new (1024 * 1024);
 * g_autoptr(TfTextStream) text = tf_text_stream_new (TF_TEMP_FILE (file), "UTF-8", TF_NEWLINE_UNIVERSAL,
 *                                                    TF_TEXT_ERRORS_STRICT, error);
 * g_autofree char *line = NULL;
 *
 * if (text == NULL ||
 *     !tf_text_stream_write (text, "Grüße\n", -1, NULL, error) ||
 *     !tf_text_stream_seek (text, 0, G_SEEK_SET, NULL, error))
 *   return FALSE;
 *
 * line = tf_text_stream_read_line (text, NULL, error);
 * return line != NULL;
 * ```
 *
 * ```py
 * with Tf.SpooledFile() as file:
 *     text = Tf.TextStream(file, 'UTF-8')
 *     text.write('Grüße\n')
 *     text.seek(0)
 *     line = text.read_line()
 * ```
 *
 * ```js
 * const file = new Tf.SpooledFile();
 * const text = new Tf.TextStream({base_file: file, encoding: 'UTF-8'});
 * text.write('Grüße\n');
 * text.seek(0);
 * const line = text.read_line();
 * file.close();
 * ```
 *
 * ```vala
 * var file = new Tf.SpooledFile (1024 * 1024);
 * var text = new Tf.TextStream (file, "UTF-8");
 * text.write ("Grüße\n");
 * text.seek (0);
 * var line = text.read_line ();
 * assert (line != null);
 * ```
 *
 * Encodings, newlines and errors are treated as by Python's `io.TextIOWrapper`. None of this depends on
 * whether the bytes are in memory or on disk, or on when a [class@SpooledFile] rolls over.
 *
 * ## Position
 *
 * A text stream has a position of its own, which [method@TextStream.tell] returns. Reading decodes more of the
 * file than it returns, and leaves the position of the file somewhere behind that of the text. Writing continues
 * where reading ended. Call [method@TextStream.flush] before you use the base file itself: it moves the file to the
 * position in the text.
 *
 * Each call to [method@TextStream.write] writes its text to the base file, which may hold the bytes back, see
 * [method@TempFile.write]. After [method@TextStream.flush], the kernel has the bytes of a file on disk.
 *
 * If a call fails or is cancelled, the position does not move, and the call can be repeated. If writing fails, a
 * part of the text may be in the file behind the position.
 *
 * ## Asynchronous calls
 *
 * Every call that can block has an asynchronous version. While one is under way, other calls to the text
 * stream, asynchronous operations of the base file and closing the base file fail with %G_IO_ERROR_PENDING.
 *
 * ## Closing
 *
 * A text stream holds a reference to its base file and is not closed itself. Once the base file is closed,
 * every call fails with %G_IO_ERROR_CLOSED. On an object that was constructed but not initialized, see
 * [iface@Gio.Initable], every call fails with %G_IO_ERROR_NOT_INITIALIZED.
 *
 * ## Encodings
 *
 * All encodings that iconv(3) knows can be used. `UTF-16` and `UTF-32` begin with a byte order mark: it is
 * written at the start of the file, and the file must have it to be read. `UTF-16LE` and its like have none.
 * Text is written in the byte order of the mark that the file has, and in that of the machine if it has none.
 * In an encoding with shift states, each write ends in the initial state.
 *
 * For a character that the encoding lacks, iconv(3) of glibc writes a control character in some encodings of East Asia
 * and reports success; a text stream notices this. It does not notice if a similar character is written, such as a
 * full-width sign.
 *
 * ## Threads
 *
 * One object is used from one thread at a time.
 *
 * Since: 1.0
 */

/* The position in the text is in one of two places. After writing, seeking and flushing, it is the position of the
 * base file. After the first read, it is in @ahead, at the first character that was not taken; the position of the
 * base file has no meaning then, and each further read moves it to the end of the bytes that were read ahead.
 *
 * A call that fails changes neither the position nor the text that is read next. So it can be repeated, by the
 * caller, or by the worker thread that takes over a call that would have blocked. */
typedef struct
{
  TfTempFile *base_file; /* (owned) */
  char *encoding;        /* (owned) */
  TfNewline newline;
  TfTextErrors errors;

  gboolean initialized;
  TfCodec codec;
  TfDecodedText ahead;
  gboolean is_ahead;     /* the position is in @ahead */
  gboolean placed;       /* the codec is ready for the bytes that come after the decoded ones */
} TfTextStreamPrivate;

typedef struct _Request Request;

typedef gboolean (*RequestFunc) (TfTextStreamPrivate  *priv,
                                 Request              *request,
                                 GCancellable         *cancellable,
                                 GError              **error);

/* One call, with its arguments and its result. */
struct _Request
{
  RequestFunc func;
  char *text;     /* (owned by an asynchronous call) (nullable): what to write, or what was read */
  gsize length;   /* the number of bytes to write */
  gsize n_chars;
  goffset offset; /* where to go, or what was told */
  GSeekType type;
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

G_DEFINE_TYPE_WITH_CODE (TfTextStream, tf_text_stream, G_TYPE_OBJECT,
                         G_ADD_PRIVATE (TfTextStream)
                         G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, tf_text_stream_initable_init))

static gboolean
tf_text_stream_initable_do_init (GInitable     *initable,
                                 GCancellable  *cancellable,
                                 GError       **error)
{
  TfTextStreamPrivate *priv = tf_text_stream_get_instance_private (TF_TEXT_STREAM (initable));
  g_auto(TfCodec) codec = { NULL, };

  if (priv->initialized)
    return TRUE;

  if (priv->base_file == NULL)
    return tf_errno_set_code (error, G_IO_ERROR_INVALID_ARGUMENT, "A text stream needs a base file");

  if (!tf_store_check_open (tf_file_get_store (priv->base_file), error) ||
      !tf_codec_init (&codec, priv->encoding, priv->errors, error))
    return FALSE;

  priv->codec = codec;
  codec = (TfCodec) { NULL, };
  priv->initialized = TRUE;
  return TRUE;
}

static void
tf_text_stream_initable_init (GInitableIface *iface)
{
  iface->init = tf_text_stream_initable_do_init;
}

static void
tf_text_stream_finalize (GObject *object)
{
  TfTextStreamPrivate *priv = tf_text_stream_get_instance_private (TF_TEXT_STREAM (object));

  tf_codec_clear (&priv->codec);
  tf_decoded_text_clear (&priv->ahead);
  g_free (priv->encoding);
  g_clear_object (&priv->base_file);

  G_OBJECT_CLASS (tf_text_stream_parent_class)->finalize (object);
}

static void
tf_text_stream_get_property (GObject    *object,
                             guint       prop_id,
                             GValue     *value,
                             GParamSpec *pspec)
{
  TfTextStreamPrivate *priv = tf_text_stream_get_instance_private (TF_TEXT_STREAM (object));

  switch ((TfTextStreamProperty) prop_id)
    {
    case PROP_BASE_FILE:
      g_value_set_object (value, priv->base_file);
      break;

    case PROP_ENCODING:
      g_value_set_string (value, priv->encoding);
      break;

    case PROP_NEWLINE:
      g_value_set_enum (value, priv->newline);
      break;

    case PROP_ERRORS:
      g_value_set_enum (value, priv->errors);
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
  TfTextStreamPrivate *priv = tf_text_stream_get_instance_private (TF_TEXT_STREAM (object));

  switch ((TfTextStreamProperty) prop_id)
    {
    case PROP_BASE_FILE:
      priv->base_file = g_value_dup_object (value);
      break;

    case PROP_ENCODING:
      priv->encoding = g_strdup (g_value_get_string (value) != NULL ? g_value_get_string (value) : "UTF-8");
      break;

    case PROP_NEWLINE:
      priv->newline = g_value_get_enum (value);
      break;

    case PROP_ERRORS:
      priv->errors = g_value_get_enum (value);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tf_text_stream_class_init (TfTextStreamClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = tf_text_stream_finalize;
  object_class->get_property = tf_text_stream_get_property;
  object_class->set_property = tf_text_stream_set_property;

  /**
   * TfTextStream:base-file: (getter get_base_file)
   *
   * The file that holds the text.
   *
   * Since: 1.0
   */
  properties[PROP_BASE_FILE] =
    g_param_spec_object ("base-file", NULL, NULL,
                         TF_TYPE_TEMP_FILE,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTextStream:encoding: (getter get_encoding)
   *
   * The encoding of the text in the file, a name that iconv(3) knows.
   *
   * Since: 1.0
   */
  properties[PROP_ENCODING] =
    g_param_spec_string ("encoding", NULL, NULL,
                         "UTF-8",
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTextStream:newline: (getter get_newline)
   *
   * Where lines end, and how newlines are translated.
   *
   * Since: 1.0
   */
  properties[PROP_NEWLINE] =
    g_param_spec_enum ("newline", NULL, NULL,
                       TF_TYPE_NEWLINE, TF_NEWLINE_UNIVERSAL,
                       G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTextStream:errors: (getter get_errors)
   *
   * What to do with bytes and characters that cannot be converted.
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
}

/**
 * tf_text_stream_new:
 * @base_file: a temporary file
 * @encoding: (nullable): the encoding of the text in the file, or %NULL for UTF-8
 * @newline: where lines end, and how newlines are translated
 * @errors: what to do with bytes and characters that cannot be converted
 * @error: return location for an error
 *
 * Creates a text stream that starts at the position of @base_file.
 *
 * The text stream holds a reference to @base_file but never closes it.
 *
 * Errors are of %G_IO_ERROR: %G_IO_ERROR_NOT_SUPPORTED if iconv(3) does not know @encoding; %G_IO_ERROR_CLOSED if
 * @base_file is closed; %G_IO_ERROR_NOT_INITIALIZED if it was not initialized.
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
  g_return_val_if_fail (newline >= TF_NEWLINE_UNIVERSAL && newline <= TF_NEWLINE_CRLF, NULL);
  g_return_val_if_fail (errors >= TF_TEXT_ERRORS_STRICT && errors <= TF_TEXT_ERRORS_BACKSLASH_REPLACE, NULL);
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
 * Returns the file that holds the text.
 *
 * Returns: (transfer none) (nullable): the base file, or %NULL if the text stream was constructed without one
 *
 * Since: 1.0
 */
TfTempFile *
tf_text_stream_get_base_file (TfTextStream *self)
{
  TfTextStreamPrivate *priv;

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), NULL);

  priv = tf_text_stream_get_instance_private (self);
  return priv->base_file;
}

/**
 * tf_text_stream_get_encoding: (get-property encoding)
 * @self: a text stream
 *
 * Returns the encoding of the text in the file.
 *
 * Returns: a name that iconv(3) knows
 *
 * Since: 1.0
 */
const char *
tf_text_stream_get_encoding (TfTextStream *self)
{
  TfTextStreamPrivate *priv;

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), NULL);

  priv = tf_text_stream_get_instance_private (self);
  return priv->encoding;
}

/**
 * tf_text_stream_get_newline: (get-property newline)
 * @self: a text stream
 *
 * Returns where lines end, and how newlines are translated.
 *
 * Returns: how newlines are translated
 *
 * Since: 1.0
 */
TfNewline
tf_text_stream_get_newline (TfTextStream *self)
{
  TfTextStreamPrivate *priv;

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), TF_NEWLINE_UNIVERSAL);

  priv = tf_text_stream_get_instance_private (self);
  return priv->newline;
}

/**
 * tf_text_stream_get_errors: (get-property errors)
 * @self: a text stream
 *
 * Returns what is done with bytes and characters that cannot be converted.
 *
 * Returns: the treatment of errors
 *
 * Since: 1.0
 */
TfTextErrors
tf_text_stream_get_errors (TfTextStream *self)
{
  TfTextStreamPrivate *priv;

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), TF_TEXT_ERRORS_STRICT);

  priv = tf_text_stream_get_instance_private (self);
  return priv->errors;
}

static TfStore *
get_store (TfTextStreamPrivate *priv)
{
  return tf_file_get_store (priv->base_file);
}

/* Returns the path of the base file for messages, which is valid until the next operation. */
static const char *
get_path (TfTextStreamPrivate *priv)
{
  return get_store (priv)->backing.where;
}

static gboolean
check_initialized (TfTextStreamPrivate  *priv,
                   GError              **error)
{
  return priv->initialized || tf_errno_set_not_initialized (error, "text stream");
}

/* Called in the caller's thread, and again in a worker thread if it would block. */
static gssize
run_request (gpointer       source_object,
             gpointer       data,
             GCancellable  *cancellable,
             GError       **error)
{
  TfTextStreamPrivate *priv = tf_text_stream_get_instance_private (source_object);
  Request *request = data;

  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !tf_store_check_open (get_store (priv), error))
    return -1;

  return request->func (priv, request, cancellable, error) ? 0 : -1;
}

static gboolean
run (TfTextStream  *self,
     Request       *request,
     GCancellable  *cancellable,
     GError       **error)
{
  TfTextStreamPrivate *priv = tf_text_stream_get_instance_private (self);

  return check_initialized (priv, error) &&
         tf_file_check_idle (priv->base_file, error) &&
         run_request (self, request, cancellable, error) >= 0;
}

static void
request_free (gpointer data)
{
  Request *request = data;

  g_free (request->text);
  g_free (request);
}

/* Gives the request its own copy of the text to write. */
static gboolean
copy_text (TfTextStreamPrivate  *priv,
           Request              *request,
           GError              **error)
{
  const char *text = request->text;

  request->text = g_try_malloc (request->length);
  if (request->length == 0)
    return TRUE;

  if (request->text == NULL)
    return tf_errno_set (error, ENOMEM, "write", get_path (priv));

  memcpy (request->text, text, request->length);
  return TRUE;
}

/* The text of @request is copied. */
static void
start (TfTextStream        *self,
       gpointer             source_tag,
       Request              request,
       int                  io_priority,
       GCancellable        *cancellable,
       GAsyncReadyCallback  callback,
       gpointer             user_data)
{
  TfTextStreamPrivate *priv = tf_text_stream_get_instance_private (self);
  GError *error = NULL;

  if (!check_initialized (priv, &error) || !copy_text (priv, &request, &error))
    {
      g_task_report_error (self, callback, user_data, source_tag, error);
      return;
    }

  tf_file_run (self, priv->base_file, source_tag,
               run_request, g_memdup2 (&request, sizeof request), request_free,
               io_priority, cancellable, callback, user_data);
}

/* Returns the request with its results, or NULL with @error. */
static Request *
finish (TfTextStream  *self,
        GAsyncResult  *result,
        gpointer       source_tag,
        GError       **error)
{
  return tf_task_finish (self, result, source_tag, error) >= 0 ? g_task_get_task_data (G_TASK (result)) : NULL;
}

static char *
finish_text (TfTextStream  *self,
             GAsyncResult  *result,
             gpointer       source_tag,
             GError       **error)
{
  Request *request = finish (self, result, source_tag, error);

  return request != NULL ? g_steal_pointer (&request->text) : NULL;
}

static goffset
get_file_position (TfTextStreamPrivate  *priv,
                   GCancellable         *cancellable,
                   GError              **error)
{
  TfStore *store = get_store (priv);
  goffset position;

  if (!tf_store_lock (store, cancellable, error))
    return -1;

  position = store->position;
  tf_store_unlock (store);
  return position;
}

static gboolean
move_file (TfTextStreamPrivate  *priv,
           goffset               offset,
           GCancellable         *cancellable,
           GError              **error)
{
  return tf_store_seek (get_store (priv), offset, G_SEEK_SET, cancellable, error);
}

/* Decodes the first @size bytes of the file to get the state of the decoder behind them. Illegal bytes are passed over:
 * reading them is what fails. */
static gboolean
decode_context (TfTextStreamPrivate  *priv,
                gsize                 size,
                GCancellable         *cancellable,
                GError              **error)
{
  g_auto(TfString) scratch = { NULL, };
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GError) local_error = NULL;
  gsize n_used;

  if (!move_file (priv, 0, cancellable, error))
    return FALSE;

  bytes = tf_store_read_bytes (get_store (priv), size, cancellable, error);
  if (bytes == NULL)
    return FALSE;

  tf_codec_decode (&priv->codec, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                   FALSE, G_MAXSIZE, &scratch, &n_used, cancellable, &local_error);
  if (!tf_string_check (&scratch, "read", get_path (priv), error))
    return FALSE;

  if (local_error == NULL)
    return TRUE;

  if (g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    return !priv->codec.has_mark || tf_codec_assume_order (&priv->codec, error);

  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

/* Fails in a thread that must not block if it takes long to decode @size bytes. */
static gboolean
may_decode (gsize    size,
            GError **error)
{
  return tf_store_may_copy (MIN (size, G_MAXSIZE / COPIES_PER_DECODING) * COPIES_PER_DECODING, error);
}

/* Makes the codec ready to decode from @offset on. The position has to be in the text read ahead. */
static gboolean
place (TfTextStreamPrivate  *priv,
       goffset               offset,
       GCancellable         *cancellable,
       GError              **error)
{
  gsize size = tf_codec_get_context_size (&priv->codec, offset);

  if (!may_decode (size, error))
    return FALSE;

  priv->placed = FALSE;
  priv->placed = tf_codec_restart (&priv->codec, error) &&
                 (size == 0 || decode_context (priv, size, cancellable, error));
  return priv->placed;
}

/* From now on, the position is in the text read ahead, or at @offset if there is none. */
static void
begin_ahead (TfTextStreamPrivate *priv,
             goffset              offset)
{
  tf_decoded_text_reset (&priv->ahead, offset);
  priv->is_ahead = TRUE;
  priv->placed = FALSE;
}

/* From now on, the position is that of the base file. */
static void
end_ahead (TfTextStreamPrivate *priv)
{
  tf_decoded_text_reset (&priv->ahead, 0);
  priv->is_ahead = FALSE;
}

/* Reads more of the file: as many bytes as there is text that was not taken, so that a long line is not searched again and
 * again. Sets @is_end at the end of the file. */
static gboolean
read_ahead (TfTextStreamPrivate  *priv,
            gboolean             *is_end,
            GCancellable         *cancellable,
            GError              **error)
{
  g_autoptr(GBytes) bytes = NULL;
  goffset position = priv->is_ahead ? 0 : get_file_position (priv, cancellable, error);
  gsize available;

  if (position < 0)
    return FALSE;

  if (!priv->is_ahead)
    begin_ahead (priv, position);
  if (!priv->placed && !place (priv, tf_decoded_text_get_decoded_end (&priv->ahead), cancellable, error))
    return FALSE;

  if (!move_file (priv, tf_decoded_text_get_end (&priv->ahead), cancellable, error))
    return FALSE;

  tf_decoded_text_peek (&priv->ahead, &available);
  bytes = tf_store_read_bytes (get_store (priv), priv->ahead.failed ? 0 : MAX (PIECE_SIZE, available), cancellable, error);
  if (bytes == NULL)
    return FALSE;

  *is_end = g_bytes_get_size (bytes) == 0;
  priv->placed = tf_decoded_text_append (&priv->ahead, &priv->codec, bytes, get_path (priv), cancellable, error);
  return priv->placed;
}

/* Takes text that was read ahead. A NUL in it is an error, because the string would end there. */
static gboolean
take (TfTextStreamPrivate  *priv,
      gsize                 length,
      Request              *request,
      GError              **error)
{
  gsize available;
  const char *text = tf_decoded_text_peek (&priv->ahead, &available);

  if (memchr (text, '\0', length) != NULL)
    return tf_errno_set_code (error, G_IO_ERROR_INVALID_DATA,
                              "The text has a NUL character, which a string cannot hold");

  request->text = tf_newline_from_file (priv->newline, text, length);
  if (request->text == NULL)
    return tf_errno_set (error, ENOMEM, "read", get_path (priv));

  tf_decoded_text_take (&priv->ahead, length);
  return TRUE;
}

static gboolean
read_chars (TfTextStreamPrivate  *priv,
            Request              *request,
            GCancellable         *cancellable,
            GError              **error)
{
  gboolean is_end = FALSE;
  const char *text;
  gsize available;
  gsize length;

  do
    {
      text = tf_decoded_text_peek (&priv->ahead, &available);
      length = tf_newline_measure (priv->newline, text, available, request->n_chars, is_end);
      if (length > 0 || request->n_chars == 0 || is_end)
        return take (priv, length, request, error);
    }
  while (read_ahead (priv, &is_end, cancellable, error));

  return FALSE;
}

static gboolean
read_line (TfTextStreamPrivate  *priv,
           Request              *request,
           GCancellable         *cancellable,
           GError              **error)
{
  gboolean is_end = FALSE;
  const char *text;
  gsize available;
  gsize length;

  do
    {
      text = tf_decoded_text_peek (&priv->ahead, &available);
      length = tf_newline_find_end (priv->newline, text, available, is_end);
      if (length > 0)
        return take (priv, length, request, error);
      if (is_end)
        return TRUE;
    }
  while (read_ahead (priv, &is_end, cancellable, error));

  return FALSE;
}

static gboolean
read_rest (TfTextStreamPrivate  *priv,
           Request              *request,
           GCancellable         *cancellable,
           GError              **error)
{
  gboolean is_end = FALSE;
  gsize available;

  while (!is_end)
    if (!read_ahead (priv, &is_end, cancellable, error))
      return FALSE;

  tf_decoded_text_peek (&priv->ahead, &available);
  return take (priv, available, request, error);
}

static goffset
locate (TfTextStreamPrivate  *priv,
        GCancellable         *cancellable,
        GError              **error)
{
  goffset offset;

  if (!priv->is_ahead)
    return get_file_position (priv, cancellable, error);

  if (!tf_decoded_text_is_aligned (&priv->ahead, &priv->codec) &&
      !(may_decode (priv->ahead.n_decoded, error) && place (priv, priv->ahead.start, cancellable, error)))
    return -1;

  if (tf_decoded_text_locate (&priv->ahead, &priv->codec, &offset, get_path (priv), cancellable, error))
    return offset;

  priv->placed = FALSE;
  return -1;
}

/* Moves the base file to @offset. From now on, the position is that of the base file. */
static gboolean
settle (TfTextStreamPrivate  *priv,
        goffset               offset,
        GCancellable         *cancellable,
        GError              **error)
{
  if (priv->is_ahead && !move_file (priv, offset, cancellable, error))
    return FALSE;

  end_ahead (priv);
  return TRUE;
}

/* Returns the size of a piece of the text that does not end within a character. */
static gsize
get_piece_size (const char *text,
                gsize       length)
{
  gsize n = MIN (length, LARGEST_PIECE);

  for (gsize i = 0; i < 3 && n < length && (text[n] & 0xc0) == 0x80; i++)
    n--;

  return n;
}

/* Appends @text with the newlines of the file. */
static gboolean
translate (TfTextStreamPrivate  *priv,
           const char           *text,
           gsize                 length,
           TfString             *translated,
           GCancellable         *cancellable,
           GError              **error)
{
  const char *end = text + length;
  gsize n;

  for (; text < end; text += n)
    {
      n = get_piece_size (text, end - text);
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      if (!tf_codec_is_utf8 (text, n))
        return tf_errno_set_code (error, G_IO_ERROR_INVALID_DATA, "The text to write is not valid UTF-8");

      tf_newline_to_file (priv->newline, text, n, translated);
    }

  return tf_string_check (translated, "write", get_path (priv), error);
}

/* Appends to @bytes what is to be written. */
static gboolean
encode (TfTextStreamPrivate  *priv,
        const char           *text,
        gsize                 length,
        gboolean              is_start,
        TfString             *bytes,
        GCancellable         *cancellable,
        GError              **error)
{
  g_auto(TfString) translated = { NULL, };

  return translate (priv, text, length, &translated, cancellable, error) &&
         tf_codec_encode (&priv->codec, tf_string_get (&translated), translated.size, is_start, bytes,
                          cancellable, error) &&
         tf_string_check (bytes, "write", get_path (priv), error);
}

/* Reads the byte order mark of the file, if text is to be written before it is known. */
static gboolean
learn_order (TfTextStreamPrivate  *priv,
             goffset               offset,
             GCancellable         *cancellable,
             GError              **error)
{
  if (tf_codec_knows_order (&priv->codec))
    return TRUE;

  if (!priv->is_ahead)
    begin_ahead (priv, offset);

  priv->placed = FALSE;
  return tf_codec_restart (&priv->codec, error) &&
         decode_context (priv, tf_codec_get_context_size (&priv->codec, G_MAXOFFSET), cancellable, error) &&
         (tf_codec_knows_order (&priv->codec) || tf_codec_assume_order (&priv->codec, error));
}

static gboolean
write_text (TfTextStreamPrivate  *priv,
            Request              *request,
            GCancellable         *cancellable,
            GError              **error)
{
  g_auto(TfString) bytes = { NULL, };
  goffset offset = tf_store_may_copy (request->length, error) ? locate (priv, cancellable, error) : -1;
  GOutputVector vector;
  gsize n_written;

  if (offset < 0 || !learn_order (priv, offset, cancellable, error))
    return FALSE;

  if (!encode (priv, request->text, request->length, offset == 0, &bytes, cancellable, error) ||
      !settle (priv, offset, cancellable, error))
    return FALSE;

  vector = (GOutputVector) { bytes.data, bytes.size };
  if (tf_store_write_in_pieces (get_store (priv), &vector, 1, &n_written, cancellable, error))
    return TRUE;

  if (n_written > 0)
    begin_ahead (priv, offset);
  return FALSE;
}

static gboolean
tell_position (TfTextStreamPrivate  *priv,
               Request              *request,
               GCancellable         *cancellable,
               GError              **error)
{
  request->offset = locate (priv, cancellable, error);
  return request->offset >= 0;
}

static gboolean
seek_position (TfTextStreamPrivate  *priv,
               Request              *request,
               GCancellable         *cancellable,
               GError              **error)
{
  if (request->type != G_SEEK_SET && request->offset != 0)
    return tf_errno_set_code (error, G_IO_ERROR_INVALID_ARGUMENT,
                              "In text, seeking from the position or the end is possible by 0 only");

  if (request->type == G_SEEK_CUR)
    {
      goffset offset = locate (priv, cancellable, error);

      return offset >= 0 && settle (priv, offset, cancellable, error);
    }

  if (!tf_store_seek (get_store (priv), request->offset, request->type, cancellable, error))
    return FALSE;

  tf_codec_forget_order (&priv->codec);
  end_ahead (priv);
  return TRUE;
}

static gboolean
truncate_text (TfTextStreamPrivate  *priv,
               Request              *request,
               GCancellable         *cancellable,
               GError              **error)
{
  goffset offset;

  if (request->offset < -1)
    return tf_errno_set_code (error, G_IO_ERROR_INVALID_ARGUMENT,
                              "A file cannot have a size of %" G_GOFFSET_FORMAT " bytes", request->offset);

  offset = locate (priv, cancellable, error);
  tf_codec_forget_order (&priv->codec);
  return offset >= 0 &&
         settle (priv, offset, cancellable, error) &&
         tf_store_truncate (get_store (priv), request->offset < 0 ? offset : request->offset, cancellable, error);
}

static gboolean
flush_text (TfTextStreamPrivate  *priv,
            Request              *request,
            GCancellable         *cancellable,
            GError              **error)
{
  goffset offset = locate (priv, cancellable, error);

  tf_codec_forget_order (&priv->codec);
  return offset >= 0 &&
         settle (priv, offset, cancellable, error) &&
         tf_store_flush (get_store (priv), cancellable, error);
}

/**
 * tf_text_stream_read:
 * @self: a text stream
 * @n_chars: the number of characters to read
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads @n_chars characters from the position on, or fewer at the end of the file.
 *
 * Characters are counted after decoding and after the translation of newlines.
 *
 * It blocks on the disk if the bytes are there. Errors are of %G_IO_ERROR: %G_IO_ERROR_INVALID_DATA if there are
 * bytes that are not valid in the encoding, unless [property@TextStream:errors] says otherwise, or that stand for a
 * NUL character; %G_IO_ERROR_CLOSED, %G_IO_ERROR_NOT_INITIALIZED, %G_IO_ERROR_PENDING, %G_IO_ERROR_CANCELLED; and
 * those of [method@TempFile.read_bytes].
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
  Request request = { .func = read_chars, .n_chars = n_chars };

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return run (self, &request, cancellable, error) ? request.text : NULL;
}

/**
 * tf_text_stream_read_async:
 * @self: a text stream
 * @n_chars: the number of characters to read
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TextStream.read].
 *
 * Some MiB of text in memory are read at once. A worker thread reads more than that, and from the disk.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TextStream.read_finish].
 *
 * While an asynchronous operation of the text stream or of its base file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_text_stream_read_async (TfTextStream        *self,
                           gsize                n_chars,
                           int                  io_priority,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEXT_STREAM (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  start (self, tf_text_stream_read_async, (Request) { .func = read_chars, .n_chars = n_chars },
         io_priority, cancellable, callback, user_data);
}

/**
 * tf_text_stream_read_finish:
 * @self: a text stream
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TextStream.read_async].
 *
 * The errors are those of [method@TextStream.read].
 *
 * Returns: (transfer full): text in UTF-8, empty at the end of the file
 *
 * Since: 1.0
 */
char *
tf_text_stream_read_finish (TfTextStream  *self,
                            GAsyncResult  *result,
                            GError       **error)
{
  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return finish_text (self, result, tf_text_stream_read_async, error);
}

/**
 * tf_text_stream_read_line:
 * @self: a text stream
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads a line: everything up to and including the next newline, or up to the end of the file.
 *
 * What counts as a newline depends on [property@TextStream:newline]. It blocks on the disk if the bytes are there.
 * The errors are those of [method@TextStream.read].
 *
 * Returns: (transfer full) (nullable): a line in UTF-8 with its newline, or %NULL without an error at the end
 *   of the file
 *
 * Since: 1.0
 */
char *
tf_text_stream_read_line (TfTextStream  *self,
                          GCancellable  *cancellable,
                          GError       **error)
{
  Request request = { .func = read_line };

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return run (self, &request, cancellable, error) ? request.text : NULL;
}

/**
 * tf_text_stream_read_line_async:
 * @self: a text stream
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TextStream.read_line].
 *
 * A line that is in memory, or was read ahead, is returned at once. Otherwise a worker thread reads it from the disk.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TextStream.read_line_finish].
 *
 * While an asynchronous operation of the text stream or of its base file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_text_stream_read_line_async (TfTextStream        *self,
                                int                  io_priority,
                                GCancellable        *cancellable,
                                GAsyncReadyCallback  callback,
                                gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEXT_STREAM (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  start (self, tf_text_stream_read_line_async, (Request) { .func = read_line },
         io_priority, cancellable, callback, user_data);
}

/**
 * tf_text_stream_read_line_finish:
 * @self: a text stream
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TextStream.read_line_async].
 *
 * The errors are those of [method@TextStream.read_line].
 *
 * Returns: (transfer full) (nullable): a line in UTF-8 with its newline, or %NULL without an error at the end
 *   of the file
 *
 * Since: 1.0
 */
char *
tf_text_stream_read_line_finish (TfTextStream  *self,
                                 GAsyncResult  *result,
                                 GError       **error)
{
  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return finish_text (self, result, tf_text_stream_read_line_async, error);
}

/**
 * tf_text_stream_read_all:
 * @self: a text stream
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads everything from the position to the end of the file.
 *
 * It blocks on the disk if the bytes are there. The errors are those of [method@TextStream.read].
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
  Request request = { .func = read_rest };

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return run (self, &request, cancellable, error) ? request.text : NULL;
}

/**
 * tf_text_stream_read_all_async:
 * @self: a text stream
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TextStream.read_all].
 *
 * Some MiB of text in memory are read at once. A worker thread reads more than that, and from the disk.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TextStream.read_all_finish].
 *
 * While an asynchronous operation of the text stream or of its base file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_text_stream_read_all_async (TfTextStream        *self,
                               int                  io_priority,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEXT_STREAM (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  start (self, tf_text_stream_read_all_async, (Request) { .func = read_rest },
         io_priority, cancellable, callback, user_data);
}

/**
 * tf_text_stream_read_all_finish:
 * @self: a text stream
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TextStream.read_all_async].
 *
 * The errors are those of [method@TextStream.read_all].
 *
 * Returns: (transfer full): text in UTF-8, empty at the end of the file
 *
 * Since: 1.0
 */
char *
tf_text_stream_read_all_finish (TfTextStream  *self,
                                GAsyncResult  *result,
                                GError       **error)
{
  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return finish_text (self, result, tf_text_stream_read_all_async, error);
}

/**
 * tf_text_stream_write:
 * @self: a text stream
 * @text: (array length=length) (element-type guint8): text in UTF-8
 * @length: the number of bytes of @text, or -1 if a NUL byte ends it
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes all of @text at the position.
 *
 * Newlines are translated as [property@TextStream:newline] says. With a @length, @text may have NUL characters; they
 * are written, but [method@TextStream.read] fails at them.
 *
 * It blocks on the disk if the bytes go there. Errors are of %G_IO_ERROR: %G_IO_ERROR_INVALID_DATA, before anything
 * is written, if @text is not valid UTF-8 or has a character that the encoding does not have, unless
 * [property@TextStream:errors] says otherwise; %G_IO_ERROR_NO_SPACE, before anything is written, if there is not enough
 * memory; %G_IO_ERROR_CLOSED, %G_IO_ERROR_NOT_INITIALIZED, %G_IO_ERROR_PENDING, %G_IO_ERROR_CANCELLED; and those of
 * [method@TempFile.write].
 *
 * Returns: %TRUE if all of @text was written
 *
 * Since: 1.0
 */
gboolean
tf_text_stream_write (TfTextStream  *self,
                      const char    *text,
                      gssize         length,
                      GCancellable  *cancellable,
                      GError       **error)
{
  Request request = { .func = write_text, .text = (char *) text };

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), FALSE);
  g_return_val_if_fail (text != NULL || length == 0, FALSE);
  g_return_val_if_fail (length >= -1, FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  request.length = length < 0 ? strlen (text) : (gsize) length;
  return run (self, &request, cancellable, error);
}

/**
 * tf_text_stream_write_async:
 * @self: a text stream
 * @text: (array length=length) (element-type guint8): text in UTF-8
 * @length: the number of bytes of @text, or -1 if a NUL byte ends it
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TextStream.write].
 *
 * @text is copied when this function is called. Up to 1 MiB of text that stays in memory is written at once. If it is
 * more, goes to the disk, or makes a [class@SpooledFile] roll over, a worker thread writes it.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TextStream.write_finish].
 *
 * While an asynchronous operation of the text stream or of its base file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_text_stream_write_async (TfTextStream        *self,
                            const char          *text,
                            gssize               length,
                            int                  io_priority,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  Request request = { .func = write_text, .text = (char *) text };

  g_return_if_fail (TF_IS_TEXT_STREAM (self));
  g_return_if_fail (text != NULL || length == 0);
  g_return_if_fail (length >= -1);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  request.length = length < 0 ? strlen (text) : (gsize) length;
  start (self, tf_text_stream_write_async, request, io_priority, cancellable, callback, user_data);
}

/**
 * tf_text_stream_write_finish:
 * @self: a text stream
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TextStream.write_async].
 *
 * The errors are those of [method@TextStream.write].
 *
 * Returns: %TRUE if all of @text was written
 *
 * Since: 1.0
 */
gboolean
tf_text_stream_write_finish (TfTextStream  *self,
                             GAsyncResult  *result,
                             GError       **error)
{
  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return finish (self, result, tf_text_stream_write_async, error) != NULL;
}

/**
 * tf_text_stream_seek:
 * @self: a text stream
 * @offset: an offset that [method@TextStream.tell] returned, or 0
 * @type: where to count from; with %G_SEEK_CUR and %G_SEEK_END, @offset is 0
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Moves the position in the text.
 *
 * An @offset in bytes that [method@TextStream.tell] did not return may lie within a character.
 *
 * It blocks on the disk if the bytes are there. Errors are of %G_IO_ERROR: %G_IO_ERROR_INVALID_ARGUMENT if @offset is
 * negative, or is not 0 although @type demands it; %G_IO_ERROR_CLOSED, %G_IO_ERROR_NOT_INITIALIZED,
 * %G_IO_ERROR_PENDING, %G_IO_ERROR_CANCELLED; with %G_SEEK_CUR, those of [method@TextStream.tell].
 *
 * Returns: %TRUE if the position was moved
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
  Request request = { .func = seek_position, .offset = offset, .type = type };

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return run (self, &request, cancellable, error);
}

/**
 * tf_text_stream_seek_async:
 * @self: a text stream
 * @offset: an offset that [method@TextStream.tell] returned, or 0
 * @type: where to count from; with %G_SEEK_CUR and %G_SEEK_END, @offset is 0
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TextStream.seek].
 *
 * In memory the position is moved at once, in a file on disk by a worker thread.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TextStream.seek_finish].
 *
 * While an asynchronous operation of the text stream or of its base file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_text_stream_seek_async (TfTextStream        *self,
                           goffset              offset,
                           GSeekType            type,
                           int                  io_priority,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEXT_STREAM (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  start (self, tf_text_stream_seek_async, (Request) { .func = seek_position, .offset = offset, .type = type },
         io_priority, cancellable, callback, user_data);
}

/**
 * tf_text_stream_seek_finish:
 * @self: a text stream
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TextStream.seek_async].
 *
 * The errors are those of [method@TextStream.seek].
 *
 * Returns: %TRUE if the position was moved
 *
 * Since: 1.0
 */
gboolean
tf_text_stream_seek_finish (TfTextStream  *self,
                            GAsyncResult  *result,
                            GError       **error)
{
  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return finish (self, result, tf_text_stream_seek_async, error) != NULL;
}

/**
 * tf_text_stream_tell:
 * @self: a text stream
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Returns the position in the text, for a later call to [method@TextStream.seek].
 *
 * The position is the number of bytes before it in the file. While text is read ahead, it is found by decoding
 * that text again; in an encoding with shift states, by decoding the file from its start, which blocks on the
 * disk if the bytes are there. The errors are those of [method@TextStream.read].
 *
 * Returns: an offset in bytes, or -1 with @error set
 *
 * Since: 1.0
 */
goffset
tf_text_stream_tell (TfTextStream  *self,
                     GCancellable  *cancellable,
                     GError       **error)
{
  Request request = { .func = tell_position };

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), -1);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return run (self, &request, cancellable, error) ? request.offset : -1;
}

/**
 * tf_text_stream_tell_async:
 * @self: a text stream
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TextStream.tell].
 *
 * The position is found at once if no byte of the file on disk is needed, and little text has to be decoded again. It is
 * found in a worker thread otherwise.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TextStream.tell_finish].
 *
 * While an asynchronous operation of the text stream or of its base file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_text_stream_tell_async (TfTextStream        *self,
                           int                  io_priority,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEXT_STREAM (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  start (self, tf_text_stream_tell_async, (Request) { .func = tell_position },
         io_priority, cancellable, callback, user_data);
}

/**
 * tf_text_stream_tell_finish:
 * @self: a text stream
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TextStream.tell_async].
 *
 * The errors are those of [method@TextStream.tell].
 *
 * Returns: an offset in bytes, or -1 with @error set
 *
 * Since: 1.0
 */
goffset
tf_text_stream_tell_finish (TfTextStream  *self,
                            GAsyncResult  *result,
                            GError       **error)
{
  Request *request;

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  request = finish (self, result, tf_text_stream_tell_async, error);
  return request != NULL ? request->offset : -1;
}

/**
 * tf_text_stream_truncate:
 * @self: a text stream
 * @size: the new size of the file in bytes, an offset that [method@TextStream.tell] returned; -1 for the position
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Makes the file end at a position in the text. The position of the text stream does not change.
 *
 * It blocks on the disk if the bytes are there. Errors are of %G_IO_ERROR: %G_IO_ERROR_INVALID_ARGUMENT if @size is
 * below -1, those of [method@TextStream.tell], and those of [method@Gio.Seekable.truncate] on the base file.
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
  Request request = { .func = truncate_text, .offset = size };

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return run (self, &request, cancellable, error);
}

/**
 * tf_text_stream_truncate_async:
 * @self: a text stream
 * @size: the new size of the file in bytes, an offset that [method@TextStream.tell] returned; -1 for the position
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TextStream.truncate].
 *
 * A file in memory is truncated at once, a file on disk by a worker thread.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TextStream.truncate_finish].
 *
 * While an asynchronous operation of the text stream or of its base file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_text_stream_truncate_async (TfTextStream        *self,
                               goffset              size,
                               int                  io_priority,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEXT_STREAM (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  start (self, tf_text_stream_truncate_async, (Request) { .func = truncate_text, .offset = size },
         io_priority, cancellable, callback, user_data);
}

/**
 * tf_text_stream_truncate_finish:
 * @self: a text stream
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TextStream.truncate_async].
 *
 * The errors are those of [method@TextStream.truncate].
 *
 * Returns: %TRUE if the file has that size
 *
 * Since: 1.0
 */
gboolean
tf_text_stream_truncate_finish (TfTextStream  *self,
                                GAsyncResult  *result,
                                GError       **error)
{
  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return finish (self, result, tf_text_stream_truncate_async, error) != NULL;
}

/**
 * tf_text_stream_flush:
 * @self: a text stream
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Moves the base file to the position in the text and flushes it.
 *
 * Text that was read ahead is dropped. After this call, the kernel has everything that was written to a file on disk,
 * and other processes that have the file open can read it. A [class@SpooledFile] in memory stays there. Call this
 * before you use the base file itself.
 *
 * It blocks on the disk if the bytes are there. The errors are those of [method@TextStream.tell] and of
 * [method@TempFile.write].
 *
 * Returns: %TRUE if the file was moved and flushed
 *
 * Since: 1.0
 */
gboolean
tf_text_stream_flush (TfTextStream  *self,
                      GCancellable  *cancellable,
                      GError       **error)
{
  Request request = { .func = flush_text };

  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return run (self, &request, cancellable, error);
}

/**
 * tf_text_stream_flush_async:
 * @self: a text stream
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TextStream.flush].
 *
 * A file in memory is flushed at once, a file on disk by a worker thread.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TextStream.flush_finish].
 *
 * While an asynchronous operation of the text stream or of its base file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_text_stream_flush_async (TfTextStream        *self,
                            int                  io_priority,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEXT_STREAM (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  start (self, tf_text_stream_flush_async, (Request) { .func = flush_text },
         io_priority, cancellable, callback, user_data);
}

/**
 * tf_text_stream_flush_finish:
 * @self: a text stream
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TextStream.flush_async].
 *
 * The errors are those of [method@TextStream.flush].
 *
 * Returns: %TRUE if the file was moved and flushed
 *
 * Since: 1.0
 */
gboolean
tf_text_stream_flush_finish (TfTextStream  *self,
                             GAsyncResult  *result,
                             GError       **error)
{
  g_return_val_if_fail (TF_IS_TEXT_STREAM (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return finish (self, result, tf_text_stream_flush_async, error) != NULL;
}
