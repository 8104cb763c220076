/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-temp-file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/tf-async-initable.h"
#include "base/tf-debug.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "base/tf-task.h"
#include "names/tf-open.h"
#include "store/tf-file.h"
#include "store/tf-input-stream.h"
#include "store/tf-output-stream.h"
#include "store/tf-reader.h"
#include "store/tf-store-transfer.h"
#include "tf-location.h"

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

typedef TfFile TfTempFilePrivate;

typedef enum
{
  PROP_DIR = 1,
  PROP_PREFIX,
  PROP_SUFFIX,
  PROP_MODE,
  PROP_TEMPLATE,
} TfTempFileProperty;

static GParamSpec *properties[PROP_TEMPLATE + 1];

static void tf_temp_file_initable_init (GInitableIface *iface);
static void tf_temp_file_seekable_init (GSeekableIface *iface);

G_DEFINE_TYPE_WITH_CODE (TfTempFile, tf_temp_file, G_TYPE_IO_STREAM,
                         G_ADD_PRIVATE (TfTempFile)
                         G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, tf_temp_file_initable_init)
                         G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, tf_async_initable_iface_init)
                         G_IMPLEMENT_INTERFACE (G_TYPE_SEEKABLE, tf_temp_file_seekable_init))

gssize tf_file_offset;

static GInputStream *
tf_temp_file_get_input_stream (GIOStream *stream)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (TF_TEMP_FILE (stream));

  if (priv->input == NULL)
    priv->input = tf_input_stream_new (priv->store);

  return priv->input;
}

static GOutputStream *
tf_temp_file_get_output_stream (GIOStream *stream)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (TF_TEMP_FILE (stream));

  if (priv->output == NULL)
    priv->output = tf_output_stream_new (priv->store);

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

static gssize
close_func (gpointer       source_object,
            gpointer       data,
            GCancellable  *cancellable,
            GError       **error)
{
  GIOStream *stream = source_object;

  if (!tf_store_check_blocking (tf_file_get_store (source_object), error))
    return -1;

  return G_IO_STREAM_GET_CLASS (stream)->close_fn (stream, cancellable, error) ? 0 : -1;
}

/* GIOStream's own closes the streams when they can do that without a thread, but then not the file. */
static void
tf_temp_file_close_async (GIOStream           *stream,
                          int                  io_priority,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (stream, tf_temp_file_close_async,
                                       io_priority, cancellable, callback, user_data);

  tf_task_run (task, close_func);
}

static gboolean
tf_temp_file_close_finish (GIOStream     *stream,
                           GAsyncResult  *result,
                           GError       **error)
{
  return tf_task_finish (stream, result, tf_temp_file_close_async, error) >= 0;
}

static gboolean
tf_temp_file_initable_do_init (GInitable     *initable,
                               GCancellable  *cancellable,
                               GError       **error)
{
  TfFile *file = tf_file_of (initable);
  TfTemplate template = file->template;
  int fd;

  if (!tf_store_is_blank (file->store))
    return tf_store_check_open (file->store, error);

  if (!tf_template_complete (&template, tf_get_temp_dir, error))
    return FALSE;

  fd = tf_open_unnamed (&template, cancellable, error);
  if (fd < 0)
    return FALSE;

  tf_store_open_on_disk (file->store, fd, template.dir, NULL, NULL);
  tf_store_hold_back (file->store);
  return TRUE;
}

static void
tf_temp_file_initable_init (GInitableIface *iface)
{
  iface->init = tf_temp_file_initable_do_init;
}

static goffset
tf_temp_file_tell (GSeekable *seekable)
{
  return tf_store_tell (tf_file_get_store (seekable));
}

static gboolean
can_always (GSeekable *seekable)
{
  return TRUE;
}

static gboolean
tf_temp_file_seek (GSeekable     *seekable,
                   goffset        offset,
                   GSeekType      type,
                   GCancellable  *cancellable,
                   GError       **error)
{
  return tf_store_seek (tf_file_get_store (seekable), offset, type, cancellable, error);
}

static gboolean
tf_temp_file_truncate (GSeekable     *seekable,
                       goffset        size,
                       GCancellable  *cancellable,
                       GError       **error)
{
  return tf_store_truncate (tf_file_get_store (seekable), size, cancellable, error);
}

static void
tf_temp_file_seekable_init (GSeekableIface *iface)
{
  iface->tell = tf_temp_file_tell;
  iface->can_seek = can_always;
  iface->seek = tf_temp_file_seek;
  iface->can_truncate = can_always;
  iface->truncate_fn = tf_temp_file_truncate;
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
    tf_errno_log_lost ("Closing a temporary file", error);

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

    case PROP_TEMPLATE:
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

    case PROP_TEMPLATE:
      tf_template_set_variant (&priv->template, g_value_get_variant (value));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

/* Long because each property has its documentation in it. */
static void
tf_temp_file_class_init (TfTempFileClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (klass);

  tf_file_offset = TfTempFile_private_offset;

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
   * TfTempFile:template:
   *
   * Prefix, suffix and directory as bytes, for languages whose string properties hold only UTF-8.
   *
   * The value is of type `(maymaymay)`. Each name in it takes the place of the property [property@TempFile:prefix],
   * [property@TempFile:suffix] or [property@TempFile:dir]; a missing one leaves that property as it is. A NUL byte
   * ends a name. Set it when the object is constructed: it has no effect after [method@Gio.Initable.init], and none
   * on a [class@SpooledFile] that has rolled over. [ctor@TempFile.new_full] takes such names as they are, but makes
   * no object of a derived class.
   *
   * Since: 1.0
   */
  properties[PROP_TEMPLATE] =
    g_param_spec_variant ("template", NULL, NULL,
                          G_VARIANT_TYPE (TF_TEMPLATE_VARIANT_TYPE), NULL,
                          G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);

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
  g_autoptr(TfTempFile) self = NULL;

  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (TF_TYPE_TEMP_FILE, NULL);
  tf_template_set (&tf_file_of (self)->template, NULL, NULL, dir);
  return g_initable_init (G_INITABLE (self), cancellable, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * tf_temp_file_new_full:
 * @prefix: (type filename) (nullable): what a name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what a name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @mode: the permission bits, before the umask, usually octal 0600
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a file without a name, as [ctor@TempFile.new], and says all that can be said of it.
 *
 * A name plays a part only on file systems that cannot make a file without one.
 *
 * Blocks on the disk. The errors are those of [ctor@TempFile.new], and those of [func@Tf.mkstemp] for a prefix or
 * suffix that is refused.
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfTempFile *
tf_temp_file_new_full (const char    *prefix,
                       const char    *suffix,
                       const char    *dir,
                       guint          mode,
                       GCancellable  *cancellable,
                       GError       **error)
{
  g_autoptr(TfTempFile) self = NULL;

  g_return_val_if_fail (mode <= 0777, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (TF_TYPE_TEMP_FILE, "mode", mode, NULL);
  tf_template_set (&tf_file_of (self)->template, prefix, suffix, dir);
  return g_initable_init (G_INITABLE (self), cancellable, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * tf_temp_file_create_full_async:
 * @prefix: (type filename) (nullable): what a name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what a name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @mode: the permission bits, before the umask, usually octal 0600
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [ctor@TempFile.new_full].
 *
 * @callback calls [func@TempFile.create_full_finish]; everything else is as with [func@TempFile.create_async].
 *
 * Since: 1.0
 */
void
tf_temp_file_create_full_async (const char          *prefix,
                                const char          *suffix,
                                const char          *dir,
                                guint                mode,
                                int                  io_priority,
                                GCancellable        *cancellable,
                                GAsyncReadyCallback  callback,
                                gpointer             user_data)
{
  g_return_if_fail (mode <= 0777);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  g_async_initable_new_async (TF_TYPE_TEMP_FILE, io_priority, cancellable, callback, user_data,
                              "prefix", prefix,
                              "suffix", suffix,
                              "dir", dir,
                              "mode", mode,
                              NULL);
}

/**
 * tf_temp_file_create_full_finish:
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [func@TempFile.create_full_async].
 *
 * The errors are those of [ctor@TempFile.new_full].
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfTempFile *
tf_temp_file_create_full_finish (GAsyncResult  *result,
                                 GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_async_initable_finish (result, TF_TYPE_TEMP_FILE, error);
}

/**
 * tf_temp_file_create_async:
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [ctor@TempFile.new].
 *
 * The disk is waited for in a worker thread. @callback is called in the thread-default main context of the caller.
 * It calls [func@TempFile.create_finish]. When @cancellable is cancelled before that call, and when that call is
 * never made, nothing stays on the disk.
 *
 * Since: 1.0
 */
void
tf_temp_file_create_async (const char          *dir,
                           int                  io_priority,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  g_async_initable_new_async (TF_TYPE_TEMP_FILE, io_priority, cancellable, callback, user_data,
                              "dir", dir,
                              NULL);
}

/**
 * tf_temp_file_create_finish:
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [func@TempFile.create_async].
 *
 * The errors are those of [ctor@TempFile.new].
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfTempFile *
tf_temp_file_create_finish (GAsyncResult  *result,
                            GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_async_initable_finish (result, TF_TYPE_TEMP_FILE, error);
}

static gpointer last_class;

__attribute__ ((cold, noinline)) static gboolean
look_up_class (gpointer object)
{
  if (!TF_IS_TEMP_FILE (object))
    return FALSE;

  g_atomic_pointer_set (&last_class, ((GTypeInstance *) object)->g_class);
  return TRUE;
}

/* TF_IS_TEMP_FILE() looks a subclass up each time; in a program they are few. */
static inline gboolean
is_temp_file (gpointer object)
{
  gpointer klass = object != NULL ? ((GTypeInstance *) object)->g_class : NULL;

  return G_LIKELY (klass != NULL && klass == g_atomic_pointer_get (&last_class)) || look_up_class (object);
}

/**
 * tf_temp_file_read:
 * @self: a temporary file
 * @buffer: (out caller-allocates) (array length=count) (element-type guint8): where to put the bytes
 * @count: how many bytes to read, at most %G_MAXSSIZE
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads @count bytes at the position; fewer only at the end of the file.
 *
 * The position moves behind what was read. When an error comes after some bytes were read, the call fails and the
 * position says how many. It does what [method@Gio.InputStream.read_all] does on the input stream, at a lower price.
 *
 * Blocks on the disk when the bytes are there. Errors are of %G_IO_ERROR: %G_IO_ERROR_CLOSED,
 * %G_IO_ERROR_NOT_INITIALIZED, %G_IO_ERROR_CANCELLED; otherwise an error mapped from read(2)'s errno.
 *
 * Returns: the number of bytes read, 0 at the end of the file, or -1 with @error set
 *
 * Since: 1.0
 */
gssize
tf_temp_file_read (TfTempFile    *self,
                   void          *buffer,
                   gsize          count,
                   GCancellable  *cancellable,
                   GError       **error)
{
  gsize n_read;

  g_return_val_if_fail (is_temp_file (self), -1);
  g_return_val_if_fail (buffer != NULL || count == 0, -1);
  g_return_val_if_fail (count <= G_MAXSSIZE, -1);

  return tf_store_read (tf_file_get_store (self), buffer, count, &n_read, cancellable, error) ? (gssize) n_read : -1;
}

/**
 * tf_temp_file_read_bytes:
 * @self: a temporary file
 * @count: how many bytes to read; %G_MAXSIZE for all that are left
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads @count bytes at the position into a new [struct@GLib.Bytes]; fewer only at the end of the file.
 *
 * No more memory is taken than there are bytes to read. The errors are those of [method@TempFile.read], and
 * %G_IO_ERROR_NO_SPACE when there is no memory for so many bytes, or no address for each of them. Then nothing is
 * read, and the position stays.
 *
 * Returns: (transfer full): the bytes, none at the end of the file
 *
 * Since: 1.0
 */
GBytes *
tf_temp_file_read_bytes (TfTempFile    *self,
                         gsize          count,
                         GCancellable  *cancellable,
                         GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_store_read_bytes (tf_file_get_store (self), count, cancellable, error);
}

/**
 * tf_temp_file_write:
 * @self: a temporary file
 * @data: (array length=size) (element-type guint8): the bytes
 * @size: how many bytes @data has
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes all of @data at the position.
 *
 * The position moves behind what was written. When an error comes after some bytes were taken, the call fails and
 * the position says how many. It does what [method@Gio.OutputStream.write_all] does on the output stream, at a
 * lower price.
 *
 * A file that nobody else has a way to holds small writes back, up to 65536 bytes, and reads as many ahead. When the
 * disk refuses what is held back, the call that writes it fails: [method@TempFile.flush], a later read or write, or
 * [method@Gio.IOStream.close]. After a failure other than of closing the bytes are still held back. A
 * [class@NamedFile], which others see by its name, holds nothing back; nor does a file after
 * [method@TempFile.get_fd] or [method@TempFile.persist]. A forked child has a copy of what is held back: call
 * [method@TempFile.flush] before fork(2) when both processes go on with the file.
 *
 * Blocks on the disk when the bytes go there. Errors are of %G_IO_ERROR: %G_IO_ERROR_NO_SPACE when the disk or a
 * quota has no room, or when the file would be larger than a limit allows and SIGXFSZ is ignored, see setrlimit(2);
 * %G_IO_ERROR_CLOSED; %G_IO_ERROR_NOT_INITIALIZED; %G_IO_ERROR_CANCELLED; otherwise an error mapped from write(2)'s
 * errno. A [class@SpooledFile] that has to roll over and cannot keeps what it had and takes nothing.
 *
 * Returns: %TRUE if all of @data was written
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_write (TfTempFile    *self,
                    const void    *data,
                    gsize          size,
                    GCancellable  *cancellable,
                    GError       **error)
{
  g_return_val_if_fail (is_temp_file (self), FALSE);
  g_return_val_if_fail (data != NULL || size == 0, FALSE);

  return tf_store_write (tf_file_get_store (self), data, size, NULL, cancellable, error);
}

/**
 * tf_temp_file_get_size:
 * @self: a temporary file
 *
 * Returns how many bytes the file has.
 *
 * Returns: a number of bytes; 0 when the file is closed or was not initialized
 *
 * Since: 1.0
 */
goffset
tf_temp_file_get_size (TfTempFile *self)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), 0);

  return tf_store_get_size (tf_file_get_store (self));
}

typedef struct
{
  gsize count;
  GBytes *bytes; /* (owned) (nullable): not read yet */
} ReadRequest;

static void
read_request_free (gpointer data)
{
  ReadRequest *request = data;

  g_clear_pointer (&request->bytes, g_bytes_unref);
  g_free (request);
}

static gssize
read_bytes_func (gpointer       source_object,
                 gpointer       data,
                 GCancellable  *cancellable,
                 GError       **error)
{
  TfStore *store = tf_file_get_store (source_object);
  ReadRequest *request = data;

  request->bytes = tf_store_read_bytes (store, request->count, cancellable, error);
  return request->bytes != NULL ? 0 : -1;
}

/**
 * tf_temp_file_read_bytes_async:
 * @self: a temporary file
 * @count: how many bytes to read; %G_MAXSIZE for all that are left
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.read_bytes].
 *
 * What is in memory is done at once, what is on disk in a worker thread.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.read_bytes_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_read_bytes_async (TfTempFile          *self,
                               gsize                count,
                               int                  io_priority,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data)
{
  ReadRequest *request;

  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  request = g_new0 (ReadRequest, 1);
  request->count = count;
  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_read_bytes_async, read_bytes_func, request, read_request_free,
                          io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_read_bytes_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.read_bytes_async].
 *
 * The errors are those of [method@TempFile.read_bytes].
 *
 * Returns: (transfer full): the bytes, none at the end of the file
 *
 * Since: 1.0
 */
GBytes *
tf_temp_file_read_bytes_finish (TfTempFile    *self,
                                GAsyncResult  *result,
                                GError       **error)
{
  ReadRequest *request;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (tf_task_finish (self, result, tf_temp_file_read_bytes_async, error) < 0)
    return NULL;

  request = g_task_get_task_data (G_TASK (result));
  return g_bytes_ref (request->bytes);
}

/**
 * tf_temp_file_write_bytes:
 * @self: a temporary file
 * @bytes: the bytes
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes all of @bytes at the position, as [method@TempFile.write] does, and with the errors that it has.
 *
 * Returns: %TRUE if all of @bytes was written
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_write_bytes (TfTempFile    *self,
                          GBytes        *bytes,
                          GCancellable  *cancellable,
                          GError       **error)
{
  gconstpointer data;
  gsize size;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (bytes != NULL, FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  data = g_bytes_get_data (bytes, &size);
  return tf_store_write (tf_file_get_store (self), data, size, NULL, cancellable, error);
}

static gssize
write_bytes_func (gpointer       source_object,
                  gpointer       data,
                  GCancellable  *cancellable,
                  GError       **error)
{
  return tf_temp_file_write_bytes (source_object, data, cancellable, error) ? 0 : -1;
}

/**
 * tf_temp_file_write_bytes_async:
 * @self: a temporary file
 * @bytes: the bytes
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.write_bytes].
 *
 * What stays in memory is written at once, what goes to disk in a worker thread.
 * [signal@SpooledFile::rolled-over] is emitted before @callback is called.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.write_bytes_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_write_bytes_async (TfTempFile          *self,
                                GBytes              *bytes,
                                int                  io_priority,
                                GCancellable        *cancellable,
                                GAsyncReadyCallback  callback,
                                gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (bytes != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_write_bytes_async,
                          write_bytes_func, g_bytes_ref (bytes), (GDestroyNotify) g_bytes_unref,
                          io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_write_bytes_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.write_bytes_async].
 *
 * The errors are those of [method@TempFile.write_bytes].
 *
 * Returns: %TRUE if all of the bytes were written
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_write_bytes_finish (TfTempFile    *self,
                                 GAsyncResult  *result,
                                 GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_task_finish (self, result, tf_temp_file_write_bytes_async, error) >= 0;
}

/* Drops bytes that nobody asked for. */
static void
bytes_request_free (gpointer data)
{
  GBytes **bytes = data;

  g_clear_pointer (bytes, g_bytes_unref);
  g_free (bytes);
}

/**
 * tf_temp_file_load_bytes:
 * @self: a temporary file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads the whole content, from the start of the file.
 *
 * The position stays where it is, and the file stays open; [method@TempFile.steal_bytes] gives the content
 * without a copy, but closes the file.
 *
 * Blocks on the disk when the bytes are there. The errors are those of [method@TempFile.read_bytes].
 *
 * Returns: (transfer full): the content, in memory of its own
 *
 * Since: 1.0
 */
GBytes *
tf_temp_file_load_bytes (TfTempFile    *self,
                         GCancellable  *cancellable,
                         GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_store_load_bytes (tf_file_get_store (self), cancellable, error);
}

static gssize
load_bytes_func (gpointer       source_object,
                 gpointer       data,
                 GCancellable  *cancellable,
                 GError       **error)
{
  GBytes **bytes = data;

  *bytes = tf_temp_file_load_bytes (source_object, cancellable, error);
  return *bytes != NULL ? 0 : -1;
}

/**
 * tf_temp_file_load_bytes_async:
 * @self: a temporary file
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.load_bytes].
 *
 * What is in memory is done at once, what is on disk in a worker thread.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.load_bytes_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_load_bytes_async (TfTempFile          *self,
                               int                  io_priority,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_load_bytes_async, load_bytes_func,
                         g_new0 (GBytes *, 1), bytes_request_free,
                         io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_load_bytes_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.load_bytes_async].
 *
 * The errors are those of [method@TempFile.load_bytes].
 *
 * Returns: (transfer full): the content, in memory of its own
 *
 * Since: 1.0
 */
GBytes *
tf_temp_file_load_bytes_finish (TfTempFile    *self,
                                GAsyncResult  *result,
                                GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (tf_task_finish (self, result, tf_temp_file_load_bytes_async, error) < 0)
    return NULL;

  return g_steal_pointer ((GBytes **) g_task_get_task_data (G_TASK (result)));
}

/* What reading up to something is to do, and did. */
typedef struct
{
  char     *stops;     /* (owned) */
  gsize     n_stops;
  gboolean  with_stop;
  char     *text;      /* (owned) (nullable) */
  gsize     length;
} UptoRequest;

static UptoRequest *
upto_request_new (const char *stops,
                  gsize       n_stops,
                  gboolean    with_stop)
{
  UptoRequest *request = g_new0 (UptoRequest, 1);

  request->stops = g_memdup2 (stops, n_stops);
  request->n_stops = n_stops;
  request->with_stop = with_stop;
  return request;
}

static void
upto_request_free (gpointer data)
{
  UptoRequest *request = data;

  g_free (request->stops);
  g_free (request->text);
  g_free (request);
}

static gssize
read_upto_func (gpointer       source_object,
                gpointer       data,
                GCancellable  *cancellable,
                GError       **error)
{
  UptoRequest *request = data;
  g_autoptr(GError) local_error = NULL;

  request->text = tf_store_read_upto (tf_file_get_store (source_object), request->stops, request->n_stops,
                                      request->with_stop, &request->length, cancellable, &local_error);
  if (local_error == NULL)
    return 0;

  g_propagate_error (error, g_steal_pointer (&local_error));
  return -1;
}

static char *
finish_read_upto (TfTempFile    *self,
                  GAsyncResult  *result,
                  gpointer       source_tag,
                  gsize         *length,
                  GError       **error)
{
  UptoRequest *request;

  if (length != NULL)
    *length = 0;
  if (tf_task_finish (self, result, source_tag, error) < 0)
    return NULL;

  request = g_task_get_task_data (G_TASK (result));
  if (length != NULL)
    *length = request->length;

  return g_steal_pointer (&request->text);
}

/**
 * tf_temp_file_read_line:
 * @self: a temporary file
 * @length: (out) (optional): how many bytes that are, without the NUL behind them
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads up to the next newline, and the newline as well, or up to the end of the file.
 *
 * The bytes may be any, NUL included; a NUL that does not count is behind them. A call that fails leaves the
 * position where it was. A file that other processes can see may be read ahead, see [method@TempFile.fill].
 * [class@TextStream] reads lines of text in an encoding.
 *
 * Blocks on the disk when the bytes are there. The errors are those of [method@TempFile.read_bytes].
 *
 * Returns: (transfer full) (nullable) (array length=length) (element-type guint8): the line; %NULL without @error
 *   at the end of the file
 *
 * Since: 1.0
 */
char *
tf_temp_file_read_line (TfTempFile    *self,
                        gsize         *length,
                        GCancellable  *cancellable,
                        GError       **error)
{
  gsize ignored;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_store_read_upto (tf_file_get_store (self), "\n", 1, TRUE, length != NULL ? length : &ignored,
                             cancellable, error);
}

/**
 * tf_temp_file_read_line_async:
 * @self: a temporary file
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.read_line].
 *
 * What is in memory is done at once, what is on disk in a worker thread.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.read_line_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_read_line_async (TfTempFile          *self,
                              int                  io_priority,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_read_line_async, read_upto_func,
                         upto_request_new ("\n", 1, TRUE), upto_request_free,
                         io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_read_line_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @length: (out) (optional): how many bytes that are, without the NUL behind them
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.read_line_async].
 *
 * The errors are those of [method@TempFile.read_line].
 *
 * Returns: (transfer full) (nullable) (array length=length) (element-type guint8): the line; %NULL without @error
 *   at the end of the file
 *
 * Since: 1.0
 */
char *
tf_temp_file_read_line_finish (TfTempFile    *self,
                               GAsyncResult  *result,
                               gsize         *length,
                               GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return finish_read_upto (self, result, tf_temp_file_read_line_async, length, error);
}

/**
 * tf_temp_file_read_upto:
 * @self: a temporary file
 * @stop_bytes: (array length=n_stop_bytes) (element-type guint8): the bytes to stop at
 * @n_stop_bytes: how many of them there are, at least one
 * @length: (out) (optional): how many bytes that are, without the NUL behind them
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads up to the next of some bytes, which is not read itself, or up to the end of the file.
 *
 * It does what [method@Gio.DataInputStream.read_upto] does. Otherwise it is as [method@TempFile.read_line].
 *
 * Blocks on the disk when the bytes are there. The errors are those of [method@TempFile.read_bytes].
 *
 * Returns: (transfer full) (nullable) (array length=length) (element-type guint8): the bytes, none when the next
 *   one is one to stop at; %NULL without @error at the end of the file
 *
 * Since: 1.0
 */
char *
tf_temp_file_read_upto (TfTempFile    *self,
                        const char    *stop_bytes,
                        gsize          n_stop_bytes,
                        gsize         *length,
                        GCancellable  *cancellable,
                        GError       **error)
{
  gsize ignored;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (stop_bytes != NULL && n_stop_bytes > 0, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_store_read_upto (tf_file_get_store (self), stop_bytes, n_stop_bytes, FALSE,
                             length != NULL ? length : &ignored, cancellable, error);
}

/**
 * tf_temp_file_read_upto_async:
 * @self: a temporary file
 * @stop_bytes: (array length=n_stop_bytes) (element-type guint8): the bytes to stop at
 * @n_stop_bytes: how many of them there are, at least one
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.read_upto].
 *
 * What is in memory is done at once, what is on disk in a worker thread.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.read_upto_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_read_upto_async (TfTempFile          *self,
                              const char          *stop_bytes,
                              gsize                n_stop_bytes,
                              int                  io_priority,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (stop_bytes != NULL && n_stop_bytes > 0);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_read_upto_async, read_upto_func,
                         upto_request_new (stop_bytes, n_stop_bytes, FALSE), upto_request_free,
                         io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_read_upto_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @length: (out) (optional): how many bytes that are, without the NUL behind them
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.read_upto_async].
 *
 * The errors are those of [method@TempFile.read_upto].
 *
 * Returns: (transfer full) (nullable) (array length=length) (element-type guint8): the bytes, none when the next
 *   one is one to stop at; %NULL without @error at the end of the file
 *
 * Since: 1.0
 */
char *
tf_temp_file_read_upto_finish (TfTempFile    *self,
                               GAsyncResult  *result,
                               gsize         *length,
                               GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return finish_read_upto (self, result, tf_temp_file_read_upto_async, length, error);
}

/**
 * tf_temp_file_peek: (skip)
 * @self: a temporary file
 * @count: (out): how many bytes there are
 *
 * Returns the bytes at the position that can be read without asking the disk.
 *
 * Nothing is copied and the position stays. The pointer is valid until the next call that uses the file or one of
 * its streams, except [method@TempFile.consume]. A file in memory has all of its bytes there. One on disk has
 * what was read ahead; [method@TempFile.fill] reads more.
 *
 * Never blocks on the disk.
 *
 * Returns: (transfer none) (nullable): @count bytes, or %NULL if there are none, also if the file is closed
 *
 * Since: 1.0
 */
const void *
tf_temp_file_peek (TfTempFile *self,
                   gsize      *count)
{
  g_return_val_if_fail (is_temp_file (self), NULL);
  g_return_val_if_fail (count != NULL, NULL);

  return tf_store_peek (tf_file_get_store (self), count);
}

/**
 * tf_temp_file_fill: (skip)
 * @self: a temporary file
 * @count: how many bytes to have
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads ahead, so that [method@TempFile.peek] has @count bytes at the position.
 *
 * It has fewer only at the end of the file. Of a file on disk, no more than 65536 bytes are read ahead. What other
 * processes write into a file that they can see is not seen in bytes that were read ahead, until the file is used
 * otherwise than by [method@TempFile.peek], [method@TempFile.consume] and [method@TempFile.read_line].
 *
 * Blocks on the disk when the bytes are there. The errors are those of [method@TempFile.read].
 *
 * Returns: how many bytes [method@TempFile.peek] has now, 0 at the end of the file, or -1 with @error set
 *
 * Since: 1.0
 */
gssize
tf_temp_file_fill (TfTempFile    *self,
                   gsize          count,
                   GCancellable  *cancellable,
                   GError       **error)
{
  gsize available;

  g_return_val_if_fail (is_temp_file (self), -1);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  if (!tf_store_fill (tf_file_get_store (self), count, &available, cancellable, error))
    return -1;

  return available;
}

static gssize
fill_func (gpointer       source_object,
           gpointer       count,
           GCancellable  *cancellable,
           GError       **error)
{
  return tf_temp_file_fill (source_object, *(gsize *) count, cancellable, error);
}

/**
 * tf_temp_file_fill_async: (skip)
 * @self: a temporary file
 * @count: how many bytes to have
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.fill].
 *
 * What is in memory is done at once, what is on disk in a worker thread.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.fill_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_fill_async (TfTempFile          *self,
                         gsize                count,
                         int                  io_priority,
                         GCancellable        *cancellable,
                         GAsyncReadyCallback  callback,
                         gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_fill_async, fill_func,
                         g_memdup2 (&count, sizeof count), g_free,
                         io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_fill_finish: (skip)
 * @self: a temporary file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.fill_async].
 *
 * The errors are those of [method@TempFile.fill].
 *
 * Returns: how many bytes [method@TempFile.peek] has now, 0 at the end of the file, or -1 with @error set
 *
 * Since: 1.0
 */
gssize
tf_temp_file_fill_finish (TfTempFile    *self,
                          GAsyncResult  *result,
                          GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return tf_task_finish (self, result, tf_temp_file_fill_async, error);
}

/**
 * tf_temp_file_consume: (skip)
 * @self: a temporary file
 * @count: how many bytes, no more than [method@TempFile.peek] has
 * @error: return location for an error
 *
 * Moves the position behind bytes that were peeked at.
 *
 * Never blocks on the disk. Errors are of %G_IO_ERROR: %G_IO_ERROR_CLOSED, %G_IO_ERROR_NOT_INITIALIZED.
 *
 * Returns: %TRUE if the position is there
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_consume (TfTempFile  *self,
                      gsize        count,
                      GError     **error)
{
  g_return_val_if_fail (is_temp_file (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_store_consume (tf_file_get_store (self), count, error);
}

/**
 * tf_temp_file_flush:
 * @self: a temporary file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes to the file what is held back in this process.
 *
 * A file that nobody else has a way to holds small writes back, see [method@TempFile.write]. After this call the
 * kernel has them, or @error says why it does not take them; then they are still held back, and the call can be
 * repeated. A file in memory has nothing to flush. The bytes need not be on the disk: that is what
 * %TF_PERSIST_DURABLE is for.
 *
 * Blocks on the disk. Errors are of %G_IO_ERROR: %G_IO_ERROR_NO_SPACE; %G_IO_ERROR_CLOSED;
 * %G_IO_ERROR_NOT_INITIALIZED; %G_IO_ERROR_CANCELLED; otherwise an error mapped from write(2)'s errno.
 *
 * Returns: %TRUE if nothing is held back any more
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_flush (TfTempFile    *self,
                    GCancellable  *cancellable,
                    GError       **error)
{
  TfStore *store;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  store = tf_file_get_store (self);
  return tf_store_check_open (store, error) && tf_store_flush (store, cancellable, error);
}

static gssize
flush_func (gpointer       source_object,
            gpointer       no_data,
            GCancellable  *cancellable,
            GError       **error)
{
  return tf_temp_file_flush (source_object, cancellable, error) ? 0 : -1;
}

/**
 * tf_temp_file_flush_async:
 * @self: a temporary file
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.flush].
 *
 * Where nothing is held back this is done at once, otherwise in a worker thread.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.flush_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_flush_async (TfTempFile          *self,
                          int                  io_priority,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_flush_async, flush_func, NULL, NULL,
                         io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_flush_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.flush_async].
 *
 * The errors are those of [method@TempFile.flush].
 *
 * Returns: %TRUE if nothing is held back any more
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_flush_finish (TfTempFile    *self,
                           GAsyncResult  *result,
                           GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_task_finish (self, result, tf_temp_file_flush_async, error) >= 0;
}

/**
 * tf_temp_file_get_fd:
 * @self: a temporary file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Returns the descriptor of the file, which stays the object's.
 *
 * Do not close it, nor give it to what closes it, such as [method@Gio.SubprocessLauncher.take_stdin_fd]: use
 * [method@TempFile.dup_fd] for that. It is valid until the file is closed.
 *
 * All bytes are behind the descriptor, and it stands at the position of the file. From now on nothing is held
 * back, and whatever moves the one position moves the other. A [class@SpooledFile] rolls over first, as on
 * `fileno()` of Python's `SpooledTemporaryFile`.
 *
 * Blocks on the disk. The errors are those of [method@TempFile.flush], and of a [class@SpooledFile] those of
 * [method@SpooledFile.rollover].
 *
 * Returns: a file descriptor, or -1 with @error set
 *
 * Since: 1.0
 */
int
tf_temp_file_get_fd (TfTempFile    *self,
                     GCancellable  *cancellable,
                     GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), -1);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return tf_store_get_fd (tf_file_get_store (self), cancellable, error);
}

static gssize
get_fd_func (gpointer       source_object,
             gpointer       no_data,
             GCancellable  *cancellable,
             GError       **error)
{
  return tf_temp_file_get_fd (source_object, cancellable, error);
}

/**
 * tf_temp_file_get_fd_async:
 * @self: a temporary file
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.get_fd].
 *
 * What has to be written to the disk first is written in a worker thread.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.get_fd_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_get_fd_async (TfTempFile          *self,
                           int                  io_priority,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_get_fd_async, get_fd_func, NULL, NULL,
                         io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_get_fd_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.get_fd_async].
 *
 * The errors are those of [method@TempFile.get_fd].
 *
 * Returns: a file descriptor, which stays the object's, or -1 with @error set
 *
 * Since: 1.0
 */
int
tf_temp_file_get_fd_finish (TfTempFile    *self,
                            GAsyncResult  *result,
                            GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return tf_task_finish (self, result, tf_temp_file_get_fd_async, error);
}

/* Closes a descriptor that nobody asked for. */
static void
fd_request_free (gpointer data)
{
  int *fd = data;

  tf_fd_clear (fd);
  g_free (fd);
}

static int *
fd_request_new (void)
{
  int *fd = g_new (int, 1);

  *fd = -1;
  return fd;
}

/**
 * tf_temp_file_dup_fd:
 * @self: a temporary file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Returns a new descriptor of the file, which the caller closes.
 *
 * It is a duplicate, see dup(2), of that of [method@TempFile.get_fd], of which all else is true: both have one
 * position. It is closed on execve(2), is none of 0, 1 and 2, and stays valid when the file is closed.
 *
 * Blocks on the disk. The errors are those of [method@TempFile.get_fd], and %G_IO_ERROR_TOO_MANY_OPEN_FILES.
 *
 * Returns: a file descriptor, which the caller closes, or -1 with @error set
 *
 * Since: 1.0
 */
int
tf_temp_file_dup_fd (TfTempFile    *self,
                     GCancellable  *cancellable,
                     GError       **error)
{
  int fd;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), -1);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  fd = tf_temp_file_get_fd (self, cancellable, error);
  if (fd < 0)
    return -1;

  fd = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  if (fd < 0)
    tf_errno_set (error, errno, "fcntl F_DUPFD_CLOEXEC", NULL);

  return fd;
}

static gssize
dup_fd_func (gpointer       source_object,
             gpointer       data,
             GCancellable  *cancellable,
             GError       **error)
{
  int *fd = data;

  *fd = tf_temp_file_dup_fd (source_object, cancellable, error);
  return *fd >= 0 ? 0 : -1;
}

/**
 * tf_temp_file_dup_fd_async:
 * @self: a temporary file
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.dup_fd].
 *
 * What has to be written to the disk first is written in a worker thread.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.dup_fd_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_dup_fd_async (TfTempFile          *self,
                           int                  io_priority,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_dup_fd_async, dup_fd_func,
                         fd_request_new (), fd_request_free,
                         io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_dup_fd_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.dup_fd_async].
 *
 * The errors are those of [method@TempFile.dup_fd].
 *
 * Returns: a file descriptor, which the caller closes, or -1 with @error set
 *
 * Since: 1.0
 */
int
tf_temp_file_dup_fd_finish (TfTempFile    *self,
                            GAsyncResult  *result,
                            GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  if (tf_task_finish (self, result, tf_temp_file_dup_fd_async, error) < 0)
    return -1;

  return tf_fd_steal (g_task_get_task_data (G_TASK (result)));
}

static char *
make_fd_path (int      fd,
              GError **error)
{
  char *path = fd >= 0 ? tf_system_make_fd_path (fd) : NULL;

  if (fd >= 0 && path == NULL)
    tf_errno_set (error, errno, "name a descriptor", NULL);

  return path;
}

/**
 * tf_temp_file_get_fd_path:
 * @self: a temporary file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Returns a path by which another process can open the file although it has no name.
 *
 * It is `/proc/PID/fd/FD`, see proc(5), and works as long as the file is open here, for processes of the same
 * user, and of a process that changed its user for none but root. Opening it gives a position of its own. Otherwise
 * this does what [method@TempFile.get_fd] does, and fails with the errors of that, or with
 * %G_IO_ERROR_NOT_SUPPORTED on a system that has no such paths.
 *
 * Blocks on the disk.
 *
 * Returns: (type filename) (transfer full): an absolute path
 *
 * Since: 1.0
 */
char *
tf_temp_file_get_fd_path (TfTempFile    *self,
                          GCancellable  *cancellable,
                          GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return make_fd_path (tf_temp_file_get_fd (self, cancellable, error), error);
}

/**
 * tf_temp_file_get_fd_path_async:
 * @self: a temporary file
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.get_fd_path].
 *
 * What has to be written to the disk first is written in a worker thread.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.get_fd_path_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_get_fd_path_async (TfTempFile          *self,
                                int                  io_priority,
                                GCancellable        *cancellable,
                                GAsyncReadyCallback  callback,
                                gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_get_fd_path_async, get_fd_func, NULL, NULL,
                         io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_get_fd_path_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.get_fd_path_async].
 *
 * The errors are those of [method@TempFile.get_fd_path].
 *
 * Returns: (type filename) (transfer full): an absolute path
 *
 * Since: 1.0
 */
char *
tf_temp_file_get_fd_path_finish (TfTempFile    *self,
                                 GAsyncResult  *result,
                                 GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return make_fd_path (tf_task_finish (self, result, tf_temp_file_get_fd_path_async, error), error);
}

typedef struct
{
  char           *path;
  TfPersistFlags  flags;
} PersistRequest;

static void
persist_request_free (gpointer data)
{
  PersistRequest *request = data;

  g_free (request->path);
  g_free (request);
}

static char *
get_local_path (GFile   *destination,
                GError **error)
{
  char *path = g_file_get_path (destination);
  g_autofree char *name = NULL;

  if (path != NULL)
    return path;

  name = g_file_get_parse_name (destination);
  tf_errno_set_code (error, G_IO_ERROR_NOT_SUPPORTED,
                     "A temporary file can be given a local name only, not “%s”", name);
  return NULL;
}

static gboolean
persist (TfTempFile      *self,
         const char      *path,
         TfPersistFlags   flags,
         GCancellable    *cancellable,
         GError         **error)
{
  g_autofree char *final_path = NULL;

  if (!tf_store_persist (tf_file_get_store (self), path, flags, &final_path, cancellable, error))
    return FALSE;

  tf_debug_trace ("persisted", final_path);
  return TRUE;
}

/**
 * tf_temp_file_persist:
 * @self: a temporary file
 * @destination: where the file shall be from now on; local
 * @flags: how to go about it
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Gives the file a lasting name, in one step that nobody can see half done.
 *
 * Until then there is nothing at @destination, or what was there before; from then on there is the whole
 * file. When the call fails, @destination is as it was, nothing is left beside it, and the file is as it
 * was: the call can be repeated.
 *
 * Without %TF_PERSIST_REPLACE, of all who want a name exactly one gets it, and the others fail. With
 * it, the new file takes the place of a regular file or a symbolic link. Other names of a replaced file (hard
 * links) keep the old content. Directories, devices, pipes and sockets are never replaced.
 *
 * ## Permissions
 *
 * A new file gets those that the process gives to the files it creates there: 0666 less the umask, or what
 * the default ACL of the directory says. A file that replaces another one gets that one's mode, POSIX ACL,
 * `user.` attributes and, where this is permitted, owner and group; what was granted to a group that
 * cannot be kept is not granted to another one. With %TF_PERSIST_PRIVATE, either has mode 0600. In no case
 * does [property@TempFile:mode] play a part, nor is the umask ever set.
 *
 * ## How
 *
 * The file itself is linked, see linkat(2). A file in memory is written straight to the destination's
 * directory, never through the one for temporary files. One on another file system is copied there, with shared
 * blocks or by the kernel where they can; so is one that cannot be linked, and one that has been
 * persisted before, so that the former destination and the new one are two files.
 *
 * On a file system with neither hard links nor the `RENAME_NOREPLACE` of renameat2(2), as some of FUSE,
 * a name that nobody had is first taken by an empty file, which others can see for a moment. On one
 * without `RENAME_EXCHANGE`, the last step of %TF_PERSIST_DURABLE may fail when the file was replaced already.
 *
 * ## Afterwards
 *
 * The object stays open, at the same position, and works on the file at @destination: what is written now
 * changes that file. A [class@SpooledFile] has rolled over to it. The path of a
 * [class@NamedFile] is @destination, its former name is gone, and its delete policy is %TF_DELETE_NEVER.
 *
 * The descriptor of [method@TempFile.get_fd] belongs to the file at @destination as well, but one that
 * another process was given before belongs to the former file if a copy had to be made.
 *
 * Blocks on the disk. Errors are of %G_IO_ERROR: %G_IO_ERROR_EXISTS if something is at
 * @destination and may not be replaced; %G_IO_ERROR_IS_DIRECTORY and %G_IO_ERROR_NOT_REGULAR_FILE if it
 * never may; %G_IO_ERROR_NOT_FOUND if its directory does not exist; %G_IO_ERROR_PERMISSION_DENIED;
 * %G_IO_ERROR_READ_ONLY; %G_IO_ERROR_NO_SPACE; %G_IO_ERROR_NOT_SUPPORTED if it is not local;
 * %G_IO_ERROR_TOO_MANY_LINKS for a circle of symbolic links; %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED;
 * %G_IO_ERROR_NOT_INITIALIZED; else what the call named in the message reported.
 *
 * Returns: %TRUE if the file has the name
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_persist (TfTempFile      *self,
                      GFile           *destination,
                      TfPersistFlags   flags,
                      GCancellable    *cancellable,
                      GError         **error)
{
  g_autofree char *path = NULL;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (G_IS_FILE (destination), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  path = get_local_path (destination, error);
  return path != NULL && persist (self, path, flags, cancellable, error);
}

static gssize
persist_func (gpointer       source_object,
              gpointer       data,
              GCancellable  *cancellable,
              GError       **error)
{
  const PersistRequest *request = data;

  if (!tf_task_may_block (error))
    return -1;

  return persist (source_object, request->path, request->flags, cancellable, error) ? 0 : -1;
}

/**
 * tf_temp_file_persist_async:
 * @self: a temporary file
 * @destination: where the file shall be from now on; a local file
 * @flags: how to go about it
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.persist].
 *
 * A worker thread waits for the disk. What there is to notify and to emit comes before @callback. A call that is
 * cancelled too late succeeds.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.persist_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_persist_async (TfTempFile          *self,
                            GFile               *destination,
                            TfPersistFlags       flags,
                            int                  io_priority,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  GError *error = NULL;
  PersistRequest *request;
  char *path;

  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (G_IS_FILE (destination));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  path = get_local_path (destination, &error);
  if (path == NULL)
    {
      g_task_report_error (self, callback, user_data, tf_temp_file_persist_async, error);
      return;
    }

  request = g_new (PersistRequest, 1);
  *request = (PersistRequest) { path, flags };
  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_persist_async, persist_func, request, persist_request_free,
                          io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_persist_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.persist_async].
 *
 * The errors are those of [method@TempFile.persist].
 *
 * Returns: %TRUE if the file has the name
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_persist_finish (TfTempFile    *self,
                             GAsyncResult  *result,
                             GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_task_finish (self, result, tf_temp_file_persist_async, error) >= 0;
}

/**
 * tf_temp_file_reserve:
 * @self: a temporary file
 * @size: how many bytes the file shall have room for, in all
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Sets room aside for a file of @size bytes, so that a full disk shows now and not half-way through.
 *
 * Size, content and position stay as they are. On disk, it is fallocate(2) with `FALLOC_FL_KEEP_SIZE`.
 * In memory, the memory is asked for; a [class@SpooledFile] that may not or cannot be so large there
 * rolls over first. Writing up to @size bytes then fails for no lack of room, at least on a file system
 * that overwrites in place.
 *
 * On a file system that cannot set room aside, the free space is compared instead: with
 * %G_IO_ERROR_NO_SPACE there is not enough of it, with %G_IO_ERROR_NOT_SUPPORTED there is now, but
 * nothing keeps it free; who can live with that goes on.
 *
 * Blocks on the disk. Errors are of %G_IO_ERROR: besides those two, %G_IO_ERROR_INVALID_ARGUMENT for a
 * negative @size; %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED; %G_IO_ERROR_NOT_INITIALIZED; those of
 * [method@SpooledFile.rollover]; else what fallocate(2) reported.
 *
 * Returns: %TRUE if the room is set aside
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_reserve (TfTempFile    *self,
                      goffset        size,
                      GCancellable  *cancellable,
                      GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_store_reserve (tf_file_get_store (self), size, cancellable, error);
}

static gssize
reserve_func (gpointer       source_object,
              gpointer       data,
              GCancellable  *cancellable,
              GError       **error)
{
  const goffset *size = data;

  if (!tf_task_may_block (error))
    return -1;

  return tf_temp_file_reserve (source_object, *size, cancellable, error) ? 0 : -1;
}

/**
 * tf_temp_file_reserve_async:
 * @self: a temporary file
 * @size: how many bytes the file shall have room for, in all
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.reserve].
 *
 * A worker thread waits for the disk. [signal@SpooledFile::rolled-over] is emitted before @callback is called.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.reserve_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_reserve_async (TfTempFile          *self,
                            goffset              size,
                            int                  io_priority,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_reserve_async, reserve_func, g_memdup2 (&size, sizeof size), g_free,
                          io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_reserve_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.reserve_async].
 *
 * The errors are those of [method@TempFile.reserve].
 *
 * Returns: %TRUE if the room is there
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_reserve_finish (TfTempFile    *self,
                             GAsyncResult  *result,
                             GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_task_finish (self, result, tf_temp_file_reserve_async, error) >= 0;
}

/**
 * tf_temp_file_seal:
 * @self: a temporary file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Copies the content into a new memory file that nobody can change any more, for another process.
 *
 * It is what memfd_create(2) makes, with the seals `F_SEAL_WRITE`, `F_SEAL_GROW`, `F_SEAL_SHRINK` and
 * `F_SEAL_SEAL` of fcntl(2), and from Linux 6.3 on never executable (`MFD_NOEXEC_SEAL`). It stands at
 * position 0 and is closed on execve(2). This file stays as it is, and open.
 *
 * Blocks on the disk if the bytes are there. Errors are of %G_IO_ERROR: %G_IO_ERROR_NO_SPACE when there
 * is no memory; %G_IO_ERROR_TOO_MANY_OPEN_FILES; %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED;
 * %G_IO_ERROR_NOT_INITIALIZED; else what the call named in the message reported.
 *
 * Returns: a file descriptor, which the caller closes, or -1 with @error set
 *
 * Since: 1.0
 */
int
tf_temp_file_seal (TfTempFile    *self,
                   GCancellable  *cancellable,
                   GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), -1);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return tf_store_seal (tf_file_get_store (self), cancellable, error);
}

static gssize
seal_func (gpointer       source_object,
           gpointer       data,
           GCancellable  *cancellable,
           GError       **error)
{
  int *fd = data;

  if (!tf_task_may_block (error))
    return -1;

  *fd = tf_temp_file_seal (source_object, cancellable, error);
  return *fd >= 0 ? 0 : -1;
}

/**
 * tf_temp_file_seal_async:
 * @self: a temporary file
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.seal].
 *
 * The bytes are copied in a worker thread.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.seal_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_seal_async (TfTempFile          *self,
                         int                  io_priority,
                         GCancellable        *cancellable,
                         GAsyncReadyCallback  callback,
                         gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_seal_async, seal_func,
                         fd_request_new (), fd_request_free,
                          io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_seal_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.seal_async].
 *
 * The errors are those of [method@TempFile.seal].
 *
 * Returns: a file descriptor, which the caller closes, or -1 with @error set
 *
 * Since: 1.0
 */
int
tf_temp_file_seal_finish (TfTempFile    *self,
                          GAsyncResult  *result,
                          GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  if (tf_task_finish (self, result, tf_temp_file_seal_async, error) < 0)
    return -1;

  return tf_fd_steal (g_task_get_task_data (G_TASK (result)));
}

/* Closes the file of which @bytes are the content, and takes them over. */
static GBytes *
close_for_bytes (TfTempFile  *self,
                 GBytes      *bytes,
                 GError     **error)
{
  g_autoptr(GError) close_error = NULL;

  if (g_io_stream_close (G_IO_STREAM (self), NULL, &close_error))
    return bytes;

  if (!g_io_stream_is_closed (G_IO_STREAM (self)))
    {
      g_bytes_unref (bytes);
      g_propagate_error (error, g_steal_pointer (&close_error));
      return NULL;
    }

  tf_errno_log_lost ("Closing a temporary file", close_error);
  return bytes;
}

/**
 * tf_temp_file_steal_bytes:
 * @self: a temporary file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Closes the file and hands over all of its content, whatever the position.
 *
 * Bytes in memory are not copied. A file on disk is mapped, see mmap(2), and takes memory only for what
 * is looked at; its bytes need no descriptor and survive the object, the name and the file's deletion.
 * Such a mapping is of the file: somebody else who has it open, by its name or by a descriptor that was
 * handed out, must not truncate it, or reading the bytes beyond its end ends the process with SIGBUS.
 * What they write may be seen.
 *
 * The file is closed as by [method@Gio.IOStream.close]; what that reports is logged, since the bytes are
 * there. On failure nothing is closed. Errors are of %G_IO_ERROR: %G_IO_ERROR_PENDING when a stream is in
 * use; %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED; %G_IO_ERROR_NOT_INITIALIZED; else what mmap(2) reported.
 *
 * Returns: (transfer full): the content
 *
 * Since: 1.0
 */
GBytes *
tf_temp_file_steal_bytes (TfTempFile    *self,
                          GCancellable  *cancellable,
                          GError       **error)
{
  GBytes *bytes;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  bytes = tf_store_steal (tf_file_get_store (self), cancellable, error);
  return bytes != NULL ? close_for_bytes (self, bytes, error) : NULL;
}

static gssize
steal_bytes_func (gpointer       source_object,
                  gpointer       data,
                  GCancellable  *cancellable,
                  GError       **error)
{
  GBytes **bytes = data;

  if (!tf_task_may_block (error))
    return -1;

  *bytes = tf_store_steal (tf_file_get_store (source_object), cancellable, error);
  return *bytes != NULL ? 0 : -1;
}

/**
 * tf_temp_file_steal_bytes_async:
 * @self: a temporary file
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.steal_bytes].
 *
 * The content is mapped in a worker thread. [method@TempFile.steal_bytes_finish] closes the file; without that call
 * it stays open and as it is.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.steal_bytes_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_steal_bytes_async (TfTempFile          *self,
                                int                  io_priority,
                                GCancellable        *cancellable,
                                GAsyncReadyCallback  callback,
                                gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_task_run_on_stream (G_IO_STREAM (self), tf_temp_file_steal_bytes_async, steal_bytes_func,
                          g_new0 (GBytes *, 1), bytes_request_free,
                          io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_steal_bytes_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.steal_bytes_async].
 *
 * The errors are those of [method@TempFile.steal_bytes].
 *
 * It is this call that closes the file.
 *
 * Returns: (transfer full): the content
 *
 * Since: 1.0
 */
GBytes *
tf_temp_file_steal_bytes_finish (TfTempFile    *self,
                                 GAsyncResult  *result,
                                 GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (tf_task_finish (self, result, tf_temp_file_steal_bytes_async, error) < 0)
    return NULL;

  return close_for_bytes (self, g_steal_pointer ((GBytes **) g_task_get_task_data (G_TASK (result))), error);
}

/**
 * tf_temp_file_open_reader:
 * @self: a temporary file
 * @error: return location for an error
 *
 * Opens one more input stream over the same bytes, with a position of its own.
 *
 * It starts at the beginning, is a [iface@Gio.Seekable], and reads what has been written so far; at the
 * end of that it reports the end of the file, and more once more was written. That the file rolls over or
 * is persisted meanwhile does not matter. Each reader may be used from a thread of its own while
 * another thread uses the file.
 *
 * A reader outlives the file: when that is closed, the bytes, or the descriptor, stay until the last reader is closed.
 *
 * Does not block. Errors are of %G_IO_ERROR: %G_IO_ERROR_CLOSED and %G_IO_ERROR_NOT_INITIALIZED.
 *
 * Returns: (transfer full): a new input stream
 *
 * Since: 1.0
 */
GInputStream *
tf_temp_file_open_reader (TfTempFile  *self,
                          GError     **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_reader_new (tf_file_get_store (self), error);
}
