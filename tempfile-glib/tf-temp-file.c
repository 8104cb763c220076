/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-temp-file-private.h"

#include "base/tf-async-initable.h"
#include "base/tf-errno.h"
#include "tf-location-private.h"
#include "names/tf-open.h"
#include "store/tf-store-streams.h"

/**
 * TfTempFile:
 *
 * A file on disk that has no name and is gone with its last user: `TemporaryFile` of Python's `tempfile`.
 *
 * The file is opened with `O_TMPFILE` of open(2), or where the file system cannot do that, created and
 * unlinked at once. Nobody else can open it by a name, and no crash leaves it behind.
 *
 * ```c
 * g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, error);
 * g_autoptr(GBytes) bytes = NULL;
 *
 * if (file == NULL ||
 *     !tf_temp_file_write (file, "Hello world!", 12, NULL, error) ||
 *     !g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, error))
 *   return FALSE;
 *
 * bytes = tf_temp_file_read_bytes (file, 5, NULL, error);
 * return bytes != NULL;
 * ```
 *
 * ## One position
 *
 * As in a [class@Gio.FileIOStream], the file has one position. The methods of this class, those of
 * [iface@Gio.Seekable], and the two streams of [class@Gio.IOStream] read, write and move the same one.
 * [method@Gio.Seekable.truncate] does not move it. Seeking past the end is allowed; when something is
 * written there, the gap reads as zeros.
 *
 * ## Closing
 *
 * [method@Gio.IOStream.close] closes the file; so does dropping the last reference, but then an error is
 * only logged. Closing one of the streams closes only that one. All calls on a closed file fail
 * with %G_IO_ERROR_CLOSED, and those on an object that was constructed but not initialized, see
 * [iface@Gio.Initable], with %G_IO_ERROR_NOT_INITIALIZED.
 *
 * ## Threads
 *
 * An object is used from one thread at a time, except that its input stream and its output stream may
 * be used from different threads at once.
 *
 * [class@NamedFile] and [class@SpooledFile] work exactly as this class does; they differ in how the
 * file comes to be.
 *
 * Since: 1.0
 */

typedef struct
{
  TfStore *store;         /* (owned) */
  TfTemplate template;    /* absolute dir, or none */
  GInputStream *input;    /* (owned) (nullable): made when first asked for */
  GOutputStream *output;  /* (owned) (nullable): made when first asked for */
} TfTempFilePrivate;

typedef enum
{
  PROP_DIR = 1,
  PROP_PREFIX,
  PROP_SUFFIX,
  PROP_MODE,
  PROP_SIZE,
} TfTempFileProperty;

static GParamSpec *properties[PROP_SIZE + 1];

static void tf_temp_file_initable_init (GInitableIface *iface);

G_DEFINE_TYPE_WITH_CODE (TfTempFile, tf_temp_file, G_TYPE_IO_STREAM,
                         G_ADD_PRIVATE (TfTempFile)
                         G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, tf_temp_file_initable_init)
                         G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, tf_creation_async_initable_init)
                         G_IMPLEMENT_INTERFACE (G_TYPE_SEEKABLE, tf_temp_file_seekable_init))

gssize tf_temp_file_store_offset;

static TfStore *
get_store (gpointer self)
{
  return tf_temp_file_get_store (self);
}

/* Where the file was asked to go. */
TfTemplate *
tf_temp_file_peek_template (TfTempFile *self)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (self);

  return &priv->template;
}

static GInputStream *
tf_temp_file_get_input_stream (GIOStream *stream)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (TF_TEMP_FILE (stream));

  if (priv->input == NULL)
    priv->input = tf_store_input_stream_new (priv->store);

  return priv->input;
}

static GOutputStream *
tf_temp_file_get_output_stream (GIOStream *stream)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (TF_TEMP_FILE (stream));

  if (priv->output == NULL)
    priv->output = tf_store_output_stream_new (priv->store);

  return priv->output;
}

/* Closes everything whatever fails, and reports the first failure. */
static gboolean
tf_temp_file_close (GIOStream     *stream,
                    GCancellable  *cancellable,
                    GError       **error)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (TF_TEMP_FILE (stream));
  gboolean success = TRUE;

  if (priv->output != NULL)
    success = g_output_stream_close (priv->output, cancellable, error);
  if (priv->input != NULL)
    success = g_input_stream_close (priv->input, cancellable, success ? error : NULL) && success;

  return tf_store_close (priv->store, success ? error : NULL) && success;
}

static gboolean
tf_temp_file_initable_do_init (GInitable     *initable,
                               GCancellable  *cancellable,
                               GError       **error)
{
  TfTempFile *self = TF_TEMP_FILE (initable);
  TfTemplate template;
  int fd;

  if (!tf_store_is_blank (get_store (self)))
    return tf_store_check_open (get_store (self), error);

  if (!tf_temp_file_get_template (self, &template, error))
    return FALSE;

  fd = tf_open_unnamed (&template, cancellable, error);
  if (fd < 0)
    return FALSE;

  tf_store_open_on_disk (get_store (self), fd, template.dir);
  tf_store_buffer (get_store (self));
  return TRUE;
}

static void
tf_temp_file_initable_init (GInitableIface *iface)
{
  iface->init = tf_temp_file_initable_do_init;
}

static void
tf_temp_file_constructed (GObject *object)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (TF_TEMP_FILE (object));

  G_OBJECT_CLASS (tf_temp_file_parent_class)->constructed (object);

  tf_template_make_absolute (&priv->template);
}

static void
tf_temp_file_dispose (GObject *object)
{
  g_autoptr(GError) error = NULL;

  if (!g_io_stream_close (G_IO_STREAM (object), NULL, &error))
    tf_log_lost_error ("Closing a temporary file", error);

  G_OBJECT_CLASS (tf_temp_file_parent_class)->dispose (object);
}

static void
tf_temp_file_finalize (GObject *object)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (TF_TEMP_FILE (object));

  g_clear_object (&priv->input);
  g_clear_object (&priv->output);
  tf_store_unref (priv->store);
  tf_template_clear (&priv->template);

  G_OBJECT_CLASS (tf_temp_file_parent_class)->finalize (object);
}

static void
tf_temp_file_get_property (GObject    *object,
                           guint       prop_id,
                           GValue     *value,
                           GParamSpec *pspec)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (TF_TEMP_FILE (object));

  switch ((TfTempFileProperty) prop_id)
    {
    case PROP_DIR:
      g_value_set_string (value, priv->template.dir);
      break;

    case PROP_PREFIX:
      g_value_set_string (value, priv->template.prefix);
      break;

    case PROP_SUFFIX:
      g_value_set_string (value, priv->template.suffix);
      break;

    case PROP_MODE:
      g_value_set_uint (value, priv->template.mode);
      break;

    case PROP_SIZE:
      g_value_set_int64 (value, tf_store_get_size (priv->store));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tf_temp_file_set_property (GObject      *object,
                           guint         prop_id,
                           const GValue *value,
                           GParamSpec   *pspec)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (TF_TEMP_FILE (object));

  switch ((TfTempFileProperty) prop_id)
    {
    case PROP_DIR:
      priv->template.dir = g_value_dup_string (value);
      break;

    case PROP_PREFIX:
      priv->template.prefix = g_value_dup_string (value);
      break;

    case PROP_SUFFIX:
      priv->template.suffix = g_value_dup_string (value);
      break;

    case PROP_MODE:
      priv->template.mode = g_value_get_uint (value);
      break;

    case PROP_SIZE:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tf_temp_file_class_init (TfTempFileClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (klass);

  tf_temp_file_store_offset = TfTempFile_private_offset + G_STRUCT_OFFSET (TfTempFilePrivate, store);

  object_class->constructed = tf_temp_file_constructed;
  object_class->dispose = tf_temp_file_dispose;
  object_class->finalize = tf_temp_file_finalize;
  object_class->get_property = tf_temp_file_get_property;
  object_class->set_property = tf_temp_file_set_property;
  stream_class->get_input_stream = tf_temp_file_get_input_stream;
  stream_class->get_output_stream = tf_temp_file_get_output_stream;
  stream_class->close_fn = tf_temp_file_close;
  stream_class->close_async = tf_temp_file_close_async;
  stream_class->close_finish = tf_temp_file_close_finish;

  /**
   * TfTempFile:dir: (type filename)
   *
   * The directory in which the file is created; %NULL for [func@Tf.get_temp_dir].
   *
   * A relative path is taken from the current directory of the moment in which the object is
   * constructed. The value is a path in the encoding of the file system, which need not be UTF-8.
   *
   * Since: 1.0
   */
  properties[PROP_DIR] =
    g_param_spec_string ("dir", NULL, NULL,
                         NULL,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempFile:prefix: (type filename)
   *
   * What the name of the file begins with; %NULL for [func@Tf.get_temp_prefix].
   *
   * A file without a name needs it only on file systems that cannot do without one.
   *
   * Since: 1.0
   */
  properties[PROP_PREFIX] =
    g_param_spec_string ("prefix", NULL, NULL,
                         NULL,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempFile:suffix: (type filename)
   *
   * What the name of the file ends with; %NULL for nothing. No dot is put before it.
   *
   * Since: 1.0
   */
  properties[PROP_SUFFIX] =
    g_param_spec_string ("suffix", NULL, NULL,
                         NULL,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempFile:mode:
   *
   * The permission bits with which the file is created, before the umask; octal 0600 by default.
   *
   * Since: 1.0
   */
  properties[PROP_MODE] =
    g_param_spec_uint ("mode", NULL, NULL,
                       0, 0777, 0600,
                       G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempFile:size:
   *
   * How many bytes the file has; changes are not notified.
   *
   * Since: 1.0
   */
  properties[PROP_SIZE] =
    g_param_spec_int64 ("size", NULL, NULL,
                        0, G_MAXINT64, 0,
                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);
}

static void
tf_temp_file_init (TfTempFile *self)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (self);

  priv->store = tf_store_new ();
}

/**
 * tf_temp_file_new:
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a file without a name that can be read and written.
 *
 * May be called from any thread. Blocks on the disk. Errors are of %G_IO_ERROR:
 * %G_IO_ERROR_NOT_FOUND if there is no @dir, or with %NULL no usable directory at all;
 * %G_IO_ERROR_CANCELLED; else what open(2) reported.
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfTempFile *
tf_temp_file_new (const char    *dir,
                  GCancellable  *cancellable,
                  GError       **error)
{
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_temp_file_create (TF_TYPE_TEMP_FILE, NULL, NULL, dir, cancellable, error);
}
