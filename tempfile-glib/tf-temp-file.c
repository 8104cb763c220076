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
 * A file on disk that has no name and disappears with its last user: `TemporaryFile` of Python's `tempfile`.
 *
 * The file is opened with `O_TMPFILE`, see open(2). On a file system that does not know this flag, the file is
 * created and unlinked at once. Nobody else can open it by a name. The kernel frees it even if the process crashes.
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
 * ```py
 * with Tf.TempFile() as file:
 *     file.write(b'Hello world!')
 *     file.seek(0)
 *     start = file.read(5)
 * ```
 *
 * ```js
 * const file = new Tf.TempFile();
 * file.write('Hello world!');
 * file.seek(0);
 * const start = file.read(5);
 * file.close();
 * ```
 *
 * ```vala
 * var file = new Tf.TempFile ();
 * file.write ("Hello world!".data);
 * file.seek (0, SeekType.SET);
 * var start = file.read_bytes (5);
 * assert (start.get_size () == 5);
 * ```
 *
 * ## One position
 *
 * As in a [class@Gio.FileIOStream], the file has one position. The methods of this class, those of
 * [iface@Gio.Seekable], and the two streams of [class@Gio.IOStream] read, write and move the same one.
 * [method@Gio.Seekable.truncate] does not move it. Seeking past the end is allowed. When something is written
 * there, the gap reads as zeros. A gap on disk takes no blocks if the file system has sparse files, also if it was
 * made in memory before a [class@SpooledFile] rolled over.
 *
 * ## Closing
 *
 * [method@Gio.IOStream.close] closes the file. Dropping the last reference closes it as well, but then an error
 * is only logged. Closing one of the streams closes only that stream. It is the only one of its kind that the file has:
 * an input stream that libsoup or %G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE has closed stays closed. Use
 * [method@TempFile.open_reader] for what closes its stream, and for each attempt of what is tried again.
 *
 * When the last handle of a large file without a name is closed, the kernel frees its blocks, which can take a tenth of
 * a second for each gigabyte. [method@Gio.IOStream.close_async] does this in a worker thread.
 *
 * Closing writes what is held back, see [method@TempFile.write]. If the disk refuses it, closing fails, the file
 * is closed nevertheless, the bytes that were held back are lost, the message says how many they are, and a second
 * close succeeds. To be able to try again, call [method@TempFile.flush] before closing.
 *
 * While an asynchronous operation of the file is under way, closing fails with %G_IO_ERROR_PENDING and the file stays
 * open. An operation of one of its streams does not prevent closing, as in a [class@Gio.FileIOStream]. It is completed,
 * or fails with %G_IO_ERROR_CLOSED.
 *
 * Calls that read, write or hand out the bytes of a closed file fail with %G_IO_ERROR_CLOSED. On an object that
 * was constructed but not initialized, see [iface@Gio.Initable], they fail with %G_IO_ERROR_NOT_INITIALIZED.
 * [method@TempFile.get_size] and [method@Gio.Seekable.tell], which cannot fail, return 0 in both cases.
 *
 * ## Threads
 *
 * An object is used from one thread at a time, except that its input stream and its output stream may
 * be used from different threads at once. [method@TempFile.open_reader] returns a stream for yet another thread.
 *
 * ## Forks
 *
 * After fork(2), both processes can use a file on disk as a `FILE` of stdio after a flush. What was held back is
 * written before the fork, so that it is in the file once. The two processes share the position, and each reads what
 * the other has written. A file in memory is copied by the fork: each process has its own. The fork of posix_spawn(3)
 * does nothing of this; [class@Gio.Subprocess] uses that in some cases only, and a fork in the others.
 *
 * An operation that was pending at the fork stays so in the child, where nobody completes it.
 *
 * ## Pending operations
 *
 * An asynchronous operation is pending until its callback is called, or for a cancelled one until a moment before. No
 * call overtakes it:
 *
 * - While the file has a pending operation, all calls of the file and of its two streams that read, write, move the
 *   position or hand out the bytes fail with %G_IO_ERROR_PENDING.
 * - While one of the streams has a pending operation, such calls of the file and of this stream fail in the same way.
 *   The other stream can be used. Each operation is done as a whole, in the order in which they were started; a
 *   synchronous one waits for the one that was started before. Each piece of [method@Gio.OutputStream.splice_async] is
 *   such an operation, and is started when its bytes can be moved, so that what was asked of the other stream in the
 *   meantime comes first; its source, if that is the stream of a file, is pending until it ends.
 * - What only asks is always answered, and never waits: [method@TempFile.get_size], [method@Gio.Seekable.tell],
 *   [method@SpooledFile.is_rolled_over], [method@TempFile.open_reader] and the properties. While a call is under way,
 *   size and position can be those from before it.
 * - A reader has pending operations of its own, and is never refused because of those of the file.
 *
 * A [class@TextStream] is bound by the same rule: its operations are those of its file.
 *
 * [class@NamedFile] and [class@SpooledFile] read and write exactly as this class does. They differ in how the
 * file is created.
 *
 * Since: 1.0
 */

#define DEFAULT_MODE 0600

typedef TfFile TfTempFilePrivate;

typedef enum
{
  PROP_DIR = TF_TEMPLATE_PROP_DIR,
  PROP_PREFIX = TF_TEMPLATE_PROP_PREFIX,
  PROP_SUFFIX = TF_TEMPLATE_PROP_SUFFIX,
  PROP_MODE = TF_TEMPLATE_PROP_MODE,
  PROP_TEMPLATE = TF_TEMPLATE_PROP_VARIANT,
} TfTempFileProperty;

static GParamSpec *properties[PROP_TEMPLATE + 1];

gssize tf_file_offset;

static void tf_temp_file_initable_init (GInitableIface *iface);
static void tf_temp_file_seekable_init (GSeekableIface *iface);

G_DEFINE_TYPE_WITH_CODE (TfTempFile, tf_temp_file, G_TYPE_IO_STREAM,
                         G_ADD_PRIVATE (TfTempFile)
                         G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, tf_temp_file_initable_init)
                         G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, tf_async_initable_iface_init)
                         G_IMPLEMENT_INTERFACE (G_TYPE_SEEKABLE, tf_temp_file_seekable_init))

/* Two threads may ask for a stream for the first time. */
static void
keep_first (gpointer place,
            gpointer stream)
{
  if (!g_atomic_pointer_compare_and_exchange ((gpointer *) place, NULL, stream))
    g_object_unref (stream);
}

static GInputStream *
tf_temp_file_get_input_stream (GIOStream *stream)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (TF_TEMP_FILE (stream));
  GInputStream *made;

  if (g_atomic_pointer_get (&priv->input) == NULL)
    {
      made = tf_input_stream_new (priv->store);
      if (g_io_stream_is_closed (stream))
        g_input_stream_close (made, NULL, NULL);
      keep_first (&priv->input, made);
    }

  return priv->input;
}

static GOutputStream *
tf_temp_file_get_output_stream (GIOStream *stream)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (TF_TEMP_FILE (stream));
  GOutputStream *made;

  if (g_atomic_pointer_get (&priv->output) == NULL)
    {
      made = tf_output_stream_new (priv->store);
      if (g_io_stream_is_closed (stream))
        g_output_stream_close (made, NULL, NULL);
      keep_first (&priv->output, made);
    }

  return priv->output;
}

/* GIOStream is closed whatever this returns, so that an outstanding operation of a stream is no failure: it is
 * completed, or fails because the store is closed. */
static gboolean
take_close_result (gboolean   success,
                   GError   **error)
{
  if (success || !g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_PENDING))
    return success;

  g_clear_error (error);
  return TRUE;
}

/* Closes everything even if a part fails. What the store says is what is lost; otherwise, reports the first failure. */
static gboolean
tf_temp_file_close (GIOStream     *stream,
                    GCancellable  *cancellable,
                    GError       **error)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (TF_TEMP_FILE (stream));
  g_autoptr(GError) stream_error = NULL;
  gboolean success = TRUE;

  if (priv->output != NULL)
    success = take_close_result (g_output_stream_close (priv->output, cancellable, &stream_error), &stream_error);
  if (priv->input != NULL && success)
    success = take_close_result (g_input_stream_close (priv->input, cancellable, &stream_error), &stream_error);
  else if (priv->input != NULL)
    g_input_stream_close (priv->input, cancellable, NULL);

  if (!tf_store_close (priv->store, error))
    return FALSE;

  if (!success)
    g_propagate_error (error, g_steal_pointer (&stream_error));
  return success;
}

static gssize
close_func (gpointer       source_object,
            gpointer       data,
            GCancellable  *cancellable,
            GError       **error)
{
  GIOStream *stream = source_object;
  TfStore *outer;
  gboolean success;

  /* What a derived class does when it is closed may block. */
  if (G_IO_STREAM_GET_CLASS (stream)->close_fn != tf_temp_file_close && !tf_task_may_block (error))
    return -1;

  if (!tf_store_check_blocking (tf_file_get_store (source_object), error))
    return -1;

  /* A derived class may write the end of the file. */
  outer = tf_store_begin_closing (tf_file_get_store (stream));
  success = G_IO_STREAM_GET_CLASS (stream)->close_fn (stream, cancellable, error);
  tf_store_end_closing (outer);

  return success ? 0 : -1;
}

/* Closes a file in memory at once, and a file on disk in a worker thread. In between, GIOStream
 * keeps the file pending, and it marks the file as closed afterwards even if closing fails.
 *
 * The default implementation would not do: if the streams can be closed without a thread, it closes only these. */
static void
tf_temp_file_close_async (GIOStream           *stream,
                          int                  io_priority,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (stream, tf_temp_file_close_async,
                                       io_priority, cancellable, callback, user_data);

  tf_store_close_gate (tf_file_get_store (stream));
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
do_init (GInitable     *initable,
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

  tf_store_open_on_disk (file->store, TF_STORE_UNNAMED, fd, template.dir, NULL, G_OBJECT (initable));
  return TRUE;
}

static gboolean
tf_temp_file_initable_do_init (GInitable     *initable,
                               GCancellable  *cancellable,
                               GError       **error)
{
  return tf_async_initable_init (initable, do_init, cancellable, error);
}

static gboolean
is_initialized (gpointer object)
{
  return !tf_store_is_blank (tf_file_get_store (object));
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
  return tf_file_check_idle (seekable, error) &&
         tf_store_seek (tf_file_get_store (seekable), offset, type, cancellable, error);
}

static gboolean
tf_temp_file_truncate (GSeekable     *seekable,
                       goffset        size,
                       GCancellable  *cancellable,
                       GError       **error)
{
  return tf_file_check_idle (seekable, error) &&
         tf_store_truncate (tf_file_get_store (seekable), size, cancellable, error);
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
tf_temp_file_dispose (GObject *object)
{
  g_autoptr(GError) error = NULL;

  if (!g_io_stream_close (G_IO_STREAM (object), NULL, &error))
    tf_errno_log_lost ("Closing a temporary file", error);

  tf_store_part_with_owner (tf_file_get_store (object));
  G_OBJECT_CLASS (tf_temp_file_parent_class)->dispose (object);
}

static void
tf_temp_file_finalize (GObject *object)
{
  TfTempFilePrivate *priv = tf_temp_file_get_instance_private (TF_TEMP_FILE (object));
  g_autoptr(GError) error = NULL;

  /* Streams may live on, and closing may have been refused: by a pending operation, or by a derived class. */
  if (g_atomic_int_get (&priv->store->state) == TF_STORE_OPEN && !tf_store_close (priv->store, &error))
    tf_errno_log_lost ("Closing a temporary file", error);

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
    case PROP_PREFIX:
    case PROP_SUFFIX:
    case PROP_MODE:
      tf_template_get_property (&priv->template, prop_id, value);
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
    case PROP_PREFIX:
    case PROP_SUFFIX:
    case PROP_MODE:
    case PROP_TEMPLATE:
      g_return_if_fail (!tf_store_has_place (priv->store));
      tf_template_set_property (&priv->template, object, prop_id, value, pspec);
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
  tf_async_initable_set_predicate (TF_TYPE_TEMP_FILE, is_initialized);

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
   * The directory in which the file is created; %NULL for [func@Tf.get_temp_dir], or for
   * [func@Tf.get_spool_dir] if the file is a [class@SpooledFile].
   *
   * A relative path is resolved against the current directory at the time when the property is set. It can be set until
   * the file is created by [method@Gio.Initable.init], or because a [class@SpooledFile] rolls over, as can prefix,
   * suffix and mode. The value is a path in the encoding of the file system, which need not be UTF-8.
   *
   * In Python and JavaScript, the property raises an error for a name that is not UTF-8: the file that
   * [method@NamedFile.get_file] returns has the whole path.
   *
   * Since: 1.0
   */
  properties[PROP_DIR] =
    g_param_spec_string ("dir", NULL, NULL,
                         NULL,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempFile:prefix: (type filename)
   *
   * The beginning of the file's name; %NULL for [func@Tf.get_temp_prefix].
   *
   * A file without a name uses it only on file systems on which it has to be created with a name.
   *
   * In Python and JavaScript, the property raises an error for a name that is not UTF-8: the file that
   * [method@NamedFile.get_file] returns has the whole path.
   *
   * Since: 1.0
   */
  properties[PROP_PREFIX] =
    g_param_spec_string ("prefix", NULL, NULL,
                         NULL,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempFile:suffix: (type filename)
   *
   * The end of the file's name; %NULL for nothing. No dot is added.
   *
   * In Python and JavaScript, the property raises an error for a name that is not UTF-8: the file that
   * [method@NamedFile.get_file] returns has the whole path.
   *
   * Since: 1.0
   */
  properties[PROP_SUFFIX] =
    g_param_spec_string ("suffix", NULL, NULL,
                         NULL,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempFile:mode:
   *
   * The permission bits with which the file is created, before the umask is applied; octal 0600 by default.
   *
   * Since: 1.0
   */
  properties[PROP_MODE] =
    g_param_spec_uint ("mode", NULL, NULL,
                       0, 0777, DEFAULT_MODE,
                       G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempFile:template:
   *
   * Prefix, suffix and directory as bytes, for languages whose string properties hold only UTF-8.
   *
   * The value is of type `(maymaymay)`. Each name in it replaces the value of [property@TempFile:prefix],
   * [property@TempFile:suffix] or [property@TempFile:dir]; a missing one leaves that property as it is. A NUL byte
   * ends a name. It can be set as long as they can. [ctor@TempFile.new_full] takes such names directly, but cannot
   * create an object of a derived class.
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
  priv->template.mode = DEFAULT_MODE;
}

/**
 * tf_temp_file_new:
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a file without a name that can be read and written.
 *
 * It may be called from any thread. It blocks on the disk. Errors are of %G_IO_ERROR: %G_IO_ERROR_NOT_FOUND if
 * @dir does not exist, or if it is %NULL and there is no usable directory; %G_IO_ERROR_CANCELLED; otherwise an
 * error mapped from open(2)'s errno.
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
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @mode: the permission bits, before the umask is applied; usually octal 0600
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a file without a name, like [ctor@TempFile.new], from a full set of parameters.
 *
 * Prefix and suffix are used only on file systems on which the file has to be created with a name.
 *
 * It blocks on the disk. The errors are those of [ctor@TempFile.new], and those of [func@Tf.mkstemp] for an invalid
 * prefix or suffix.
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
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @mode: the permission bits, before the umask is applied; usually octal 0600
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [ctor@TempFile.new_full].
 *
 * The file is created in a worker thread. @callback is called in the thread-default main context of the caller.
 * It calls [func@TempFile.create_full_finish]. If @cancellable is cancelled before that call, or if that call is never
 * made, nothing stays on the disk.
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
 * The file is created in a worker thread. @callback is called in the thread-default main context of the caller.
 * It calls [func@TempFile.create_finish]. If @cancellable is cancelled before that call, or if that call is never
 * made, nothing stays on the disk.
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

/* TF_IS_TEMP_FILE() is slow for derived classes; a program uses few of them, so the last one is remembered. */
static gpointer last_class; /* (atomic) (nullable) */

static inline gboolean
is_of_last_class (gpointer object)
{
  gpointer klass = object != NULL ? ((GTypeInstance *) object)->g_class : NULL;

  return G_LIKELY (klass != NULL && klass == g_atomic_pointer_get (&last_class));
}

__attribute__ ((cold, noinline)) static gboolean
look_up_class (gpointer object)
{
  if (!TF_IS_TEMP_FILE (object))
    return FALSE;

  g_atomic_pointer_set (&last_class, ((GTypeInstance *) object)->g_class);
  return TRUE;
}

static inline gboolean
is_temp_file (gpointer object)
{
  return is_of_last_class (object) || look_up_class (object);
}

/* Whether the arguments are right at first sight. If not, read_checked() or write_checked() look at them, which are
 * functions of their own so that a usual call saves no registers for them. */
static inline gboolean
is_usual_call (gpointer        object,
               gconstpointer   data,
               GCancellable   *cancellable,
               GError        **error)
{
  return is_of_last_class (object) &&
         G_LIKELY (data != NULL && cancellable == NULL && (error == NULL || *error == NULL));
}

/* What cannot be done at once, in functions of their own for the same reason. */
__attribute__ ((noinline)) static gssize
read_slowly (TfStore       *store,
             void          *buffer,
             gsize          count,
             GCancellable  *cancellable,
             GError       **error)
{
  gsize n_read;

  if (!tf_file_check_store_idle (store, error) ||
      !tf_store_read_locking (store, buffer, count, &n_read, cancellable, error))
    return -1;

  return n_read;
}

__attribute__ ((noinline)) static gboolean
write_slowly (TfStore       *store,
              const void    *data,
              gsize          size,
              GCancellable  *cancellable,
              GError       **error)
{
  if (cancellable == NULL && tf_store_write_at_rest (store, data, size))
    return TRUE;

  return tf_file_check_store_idle (store, error) &&
         tf_store_write_locking (store, data, size, NULL, cancellable, error);
}

__attribute__ ((cold, noinline)) static gssize
read_checked (TfTempFile    *self,
              void          *buffer,
              gsize          count,
              GCancellable  *cancellable,
              GError       **error)
{
  g_return_val_if_fail (is_temp_file (self), -1);
  g_return_val_if_fail (buffer != NULL || count == 0, -1);
  g_return_val_if_fail (count <= G_MAXSSIZE, -1);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return read_slowly (tf_file_get_store (self), buffer, count, cancellable, error);
}

__attribute__ ((cold, noinline)) static gboolean
write_checked (TfTempFile    *self,
               const void    *data,
               gsize          size,
               GCancellable  *cancellable,
               GError       **error)
{
  g_return_val_if_fail (is_temp_file (self), FALSE);
  g_return_val_if_fail (data != NULL || size == 0, FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return write_slowly (tf_file_get_store (self), data, size, cancellable, error);
}

/**
 * tf_temp_file_read:
 * @self: a temporary file
 * @buffer: (out caller-allocates) (array length=count) (element-type guint8): where to put the bytes
 * @count: the number of bytes to read, at most %G_MAXSSIZE
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads @count bytes at the position, or fewer at the end of the file.
 *
 * The position moves behind the bytes that were read. If an error occurs after some bytes were read, the call
 * fails, and the position has moved by their number. The call does the same as [method@Gio.InputStream.read_all] on
 * the input stream, but faster.
 *
 * It blocks on the disk if the bytes are there. Errors are of %G_IO_ERROR: %G_IO_ERROR_CLOSED,
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
  TfStore *store;

  if (!is_usual_call (self, buffer, cancellable, error) || count > G_MAXSSIZE)
    return read_checked (self, buffer, count, cancellable, error);

  store = tf_file_get_store (self);
  if (tf_store_read_at_once (store, buffer, count, NULL))
    return count;

  return read_slowly (store, buffer, count, NULL, error);
}

/**
 * tf_temp_file_try_read: (skip)
 * @self: a temporary file
 * @buffer: where to put the bytes
 * @count: the number of bytes to read, at least 1
 * @n_read: (out): the number of bytes that were read
 *
 * Reads @count bytes at the position if they were read ahead, or up to as many of a file in memory.
 *
 * It does not touch the disk. It does nothing while an asynchronous operation of the file is under way. A language
 * binding calls it first, and lets other threads of its interpreter run only while it calls [method@TempFile.read]
 * after that.
 *
 * Returns: %TRUE if @count bytes were read, or fewer at the end of a file in memory; %FALSE if nothing was read, in
 *   which case [method@TempFile.read] is to be called
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_try_read (TfTempFile *self,
                       void       *buffer,
                       gsize       count,
                       gsize      *n_read)
{
  TfStore *store;

  g_return_val_if_fail (is_temp_file (self), FALSE);
  g_return_val_if_fail (buffer != NULL || count == 0, FALSE);
  g_return_val_if_fail (n_read != NULL, FALSE);

  store = tf_file_get_store (self);
  *n_read = count;
  return tf_store_read_at_once (store, buffer, count, NULL) || tf_store_read_at_rest (store, buffer, count, n_read);
}

/**
 * tf_temp_file_try_read_line: (skip)
 * @self: a temporary file
 * @buffer: where to put the line
 * @size: the size of @buffer in bytes
 * @length: (out): the length of the line in bytes, with its newline
 *
 * Reads the line at the position, if all of it is in memory or was read ahead, and fits.
 *
 * A line ends with a newline character, which is put behind it. There is no NUL. It does not touch the disk, and does
 * nothing while an asynchronous operation of the file is under way. A language binding calls it first for each line, as
 * it calls [method@TempFile.try_read].
 *
 * Returns: %TRUE if a line was read; %FALSE if nothing was read, in which case [method@TempFile.read_line] or
 *   [method@TempFile.fill] is to be called
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_try_read_line (TfTempFile *self,
                            void       *buffer,
                            gsize       size,
                            gsize      *length)
{
  TfStore *store;

  g_return_val_if_fail (is_temp_file (self), FALSE);
  g_return_val_if_fail (buffer != NULL || size == 0, FALSE);
  g_return_val_if_fail (length != NULL, FALSE);

  store = tf_file_get_store (self);
  return tf_store_read_line_at_once (store, buffer, size, length) ||
         tf_store_read_line_at_rest (store, buffer, size, length);
}

/**
 * tf_temp_file_try_seek: (skip)
 * @self: a temporary file
 * @offset: the offset in bytes
 * @type: %G_SEEK_SET or %G_SEEK_CUR; with %G_SEEK_END, nothing is done
 *
 * Moves the position, as [method@Gio.Seekable.seek], if nothing has to be waited for.
 *
 * It touches neither the disk nor a descriptor, and does nothing while another thread uses the file or an asynchronous
 * operation of it is under way. A language binding calls it first, as it calls [method@TempFile.try_read]: another
 * thread that the call would wait for may be waiting for the lock of the interpreter.
 *
 * Returns: %TRUE if the position was moved; %FALSE if nothing was done, in which case [method@Gio.Seekable.seek] is to
 *   be called
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_try_seek (TfTempFile *self,
                       goffset     offset,
                       GSeekType   type)
{
  g_return_val_if_fail (is_temp_file (self), FALSE);

  return tf_store_seek_at_rest (tf_file_get_store (self), offset, type);
}

/**
 * tf_temp_file_try_close: (skip)
 * @self: a temporary file
 *
 * Closes the file, as [method@Gio.IOStream.close], if nothing has to be waited for.
 *
 * That is so if all of it is in memory, it is not more than a MiB, and it was used without its streams. It does nothing
 * while another thread uses the file, and to one that is closed. A language binding calls it first, and lets other
 * threads of its interpreter run only while it calls [method@Gio.IOStream.close] after that.
 *
 * Returns: %TRUE if the file was closed; %FALSE if nothing was done, in which case [method@Gio.IOStream.close] is to be
 *   called
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_try_close (TfTempFile *self)
{
  GIOStream *stream = (GIOStream *) self;
  TfTempFilePrivate *priv;

  g_return_val_if_fail (is_temp_file (self), FALSE);

  priv = tf_temp_file_get_instance_private (self);

  /* A derived class may write the end of the file, or remove it. */
  return G_IO_STREAM_GET_CLASS (stream)->close_fn == tf_temp_file_close && priv->input == NULL && priv->output == NULL &&
         !g_io_stream_has_pending (stream) && tf_store_close_at_rest (priv->store) &&
         g_io_stream_close (stream, NULL, NULL);
}

/**
 * tf_temp_file_read_bytes:
 * @self: a temporary file
 * @count: the number of bytes to read; %G_MAXSIZE for all that are left
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads @count bytes at the position into a new [struct@GLib.Bytes], or fewer at the end of the file.
 *
 * No more memory is allocated than there are bytes to read. It blocks on the disk if the bytes are there. The
 * errors are those of [method@TempFile.read], and %G_IO_ERROR_NO_SPACE if there is not enough memory or address
 * space. In that case nothing is read, and the position does not move.
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

  if (!tf_file_check_idle (self, error))
    return NULL;

  return tf_store_read_bytes (tf_file_get_store (self), count, cancellable, error);
}

/**
 * tf_temp_file_read_data:
 * @self: a temporary file
 * @count: the number of bytes to read; %G_MAXSIZE for all that are left
 * @length: (out): the number of bytes read
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads @count bytes at the position into new memory, or fewer at the end of the file.
 *
 * The call does the same as [method@TempFile.read_bytes]. It is cheaper in languages in which the result is an array of
 * bytes of their own, as in JavaScript.
 *
 * It blocks on the disk if the bytes are there. The errors are those of [method@TempFile.read_bytes].
 *
 * Returns: (transfer full) (nullable) (array length=length) (element-type guint8): the bytes; %NULL without @error
 *   at the end of the file
 *
 * Since: 1.0
 */
guint8 *
tf_temp_file_read_data (TfTempFile    *self,
                        gsize          count,
                        gsize         *length,
                        GCancellable  *cancellable,
                        GError       **error)
{
  guint8 *data = NULL;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (length != NULL, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  *length = 0;
  if (tf_file_check_idle (self, error))
    tf_store_read_data (tf_file_get_store (self), count, &data, length, cancellable, error);

  return data;
}

/**
 * tf_temp_file_write:
 * @self: a temporary file
 * @data: (array length=size) (element-type guint8): the bytes
 * @size: the size of @data in bytes
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes all of @data at the position.
 *
 * The position moves behind the bytes that were written. If an error occurs after some bytes were written, the call
 * fails, and the position has moved by their number. The call does the same as
 * [method@Gio.OutputStream.write_all] on the output stream, but faster.
 *
 * Small writes to a file on disk that no other process can open are held back in memory, up to 65536 bytes, and as
 * many bytes are read ahead. If the disk refuses what is held back, the call that writes it fails:
 * [method@TempFile.flush], a later read or write, or [method@Gio.IOStream.close]. The bytes are still held back
 * after such a failure, unless it was that of closing. A [class@NamedFile], which others can open by its name, holds
 * nothing back unless it is [property@NamedFile:buffered]; neither does a file after [method@TempFile.get_fd],
 * [method@TempFile.persist] or fork(2).
 *
 * It blocks on the disk if the bytes go there. Errors are of %G_IO_ERROR: %G_IO_ERROR_NO_SPACE if the disk or a
 * quota has no room, or if the file would exceed `RLIMIT_FSIZE` and SIGXFSZ is ignored, see setrlimit(2); otherwise
 * SIGXFSZ ends the process; %G_IO_ERROR_CLOSED; %G_IO_ERROR_NOT_INITIALIZED; %G_IO_ERROR_CANCELLED; otherwise an
 * error mapped from write(2)'s errno. If a [class@SpooledFile] fails to roll over, it keeps its content, and nothing
 * of @data is written.
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
  TfStore *store;

  if (!is_usual_call (self, data, cancellable, error))
    return write_checked (self, data, size, cancellable, error);

  store = tf_file_get_store (self);
  if (tf_store_write_at_once (store, data, size, NULL))
    return TRUE;

  return write_slowly (store, data, size, NULL, error);
}

/**
 * tf_temp_file_try_write:
 * @self: a temporary file
 * @data: (array length=size) (element-type guint8): the bytes
 * @size: the size of @data in bytes
 *
 * Writes all of @data at the position if there is room for it in memory, and it is not more than a MiB.
 *
 * It does not touch the disk, and makes no other file roll over. It does nothing while an asynchronous operation of
 * the file is under way. Callers that cannot wait try it before [method@TempFile.write_bytes_async], which costs more.
 * A language binding calls it first, and lets other threads of its interpreter run only while it calls
 * [method@TempFile.write] after that.
 *
 * Returns: %TRUE if all of @data was written; %FALSE if nothing was written, in which case [method@TempFile.write] is
 *   to be called
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_try_write (TfTempFile *self,
                        const void *data,
                        gsize       size)
{
  TfStore *store;

  g_return_val_if_fail (is_temp_file (self), FALSE);
  g_return_val_if_fail (data != NULL || size == 0, FALSE);

  store = tf_file_get_store (self);
  return tf_store_write_at_once (store, data, size, NULL) || tf_store_write_at_rest (store, data, size);
}

/**
 * tf_temp_file_get_size:
 * @self: a temporary file
 *
 * Returns the size of the file in bytes.
 *
 * It never waits for another thread. While a call is under way in one, the size can be that from before this call. If
 * the file system does not tell the size of a file that others can open, it is the one that was seen last.
 *
 * Returns: the size in bytes; 0 if the file is closed or was not initialized
 *
 * Since: 1.0
 */
goffset
tf_temp_file_get_size (TfTempFile *self)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), 0);

  return tf_store_get_size (tf_file_get_store (self));
}

/* A call of read_bytes() or read_data(), and its result. */
typedef struct
{
  gsize   count;
  guint8 *data;   /* (owned) (nullable) */
  gsize   length;
} ReadRequest;

static void
read_request_free (gpointer data)
{
  ReadRequest *request = data;

  g_free (request->data);
  g_free (request);
}

static gssize
read_data_func (gpointer       source_object,
                gpointer       data,
                GCancellable  *cancellable,
                GError       **error)
{
  ReadRequest *request = data;

  return tf_store_read_data (tf_file_get_store (source_object), request->count, &request->data, &request->length,
                             cancellable, error) ? 0 : -1;
}

static void
run_read (TfTempFile          *self,
          gpointer             source_tag,
          gsize                count,
          int                  io_priority,
          GCancellable        *cancellable,
          GAsyncReadyCallback  callback,
          gpointer             user_data)
{
  ReadRequest *request = g_new0 (ReadRequest, 1);

  request->count = count;
  tf_file_run (self, self, source_tag, read_data_func, request, read_request_free,
               io_priority, cancellable, callback, user_data);
}

/* Returns the request, which still owns the bytes that were read, or %NULL with @error set. */
static ReadRequest *
finish_read (TfTempFile    *self,
             GAsyncResult  *result,
             gpointer       source_tag,
             GError       **error)
{
  return tf_task_finish (self, result, source_tag, error) < 0 ? NULL : g_task_get_task_data (G_TASK (result));
}

/**
 * tf_temp_file_read_bytes_async:
 * @self: a temporary file
 * @count: the number of bytes to read; %G_MAXSIZE for all that are left
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.read_bytes].
 *
 * Up to 1 MiB in memory is read at once. A worker thread reads more than that, and from the disk.
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
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  run_read (self, tf_temp_file_read_bytes_async, count, io_priority, cancellable, callback, user_data);
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

  request = finish_read (self, result, tf_temp_file_read_bytes_async, error);
  if (request == NULL)
    return NULL;

  return g_bytes_new_take (g_steal_pointer (&request->data), request->length);
}

/**
 * tf_temp_file_read_data_async:
 * @self: a temporary file
 * @count: the number of bytes to read; %G_MAXSIZE for all that are left
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.read_data].
 *
 * Up to 1 MiB in memory is read at once. A worker thread reads more than that, and from the disk.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.read_data_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_read_data_async (TfTempFile          *self,
                              gsize                count,
                              int                  io_priority,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  run_read (self, tf_temp_file_read_data_async, count, io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_read_data_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @length: (out): the number of bytes read
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.read_data_async].
 *
 * The errors are those of [method@TempFile.read_data].
 *
 * Returns: (transfer full) (nullable) (array length=length) (element-type guint8): the bytes; %NULL without @error
 *   at the end of the file
 *
 * Since: 1.0
 */
guint8 *
tf_temp_file_read_data_finish (TfTempFile    *self,
                               GAsyncResult  *result,
                               gsize         *length,
                               GError       **error)
{
  ReadRequest *request;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (length != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  *length = 0;
  request = finish_read (self, result, tf_temp_file_read_data_async, error);
  if (request == NULL)
    return NULL;

  *length = request->length;
  return g_steal_pointer (&request->data);
}

/**
 * tf_temp_file_write_bytes:
 * @self: a temporary file
 * @bytes: the bytes
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes all of @bytes at the position. It blocks on the disk if the bytes go there. The errors are those of
 * [method@TempFile.write].
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
  return tf_store_write_at_once (tf_file_get_store (self), data, size, cancellable) ||
         write_slowly (tf_file_get_store (self), data, size, cancellable, error);
}

static gssize
write_bytes_func (gpointer       source_object,
                  gpointer       data,
                  GCancellable  *cancellable,
                  GError       **error)
{
  TfStore *store = tf_file_get_store (source_object);
  GOutputVector vector;
  gsize n_written;

  vector.buffer = g_bytes_get_data (data, &vector.size);
  return tf_store_write_in_pieces (store, &vector, 1, &n_written, cancellable, error) ? 0 : -1;
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
 * Up to 1 MiB that stays in memory is written at once. A worker thread writes more than that, and to the disk.
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

  tf_file_run (self, self, tf_temp_file_write_bytes_async,
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

/* Drops a result that was never fetched with a finish function. */
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
 * The position does not move, and the file stays open. [method@TempFile.steal_bytes] returns the content without
 * copying it, but closes the file.
 *
 * It blocks on the disk if the bytes are there. The errors are those of [method@TempFile.read_bytes].
 *
 * Returns: (transfer full): a copy of the content
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

  if (!tf_file_check_idle (self, error))
    return NULL;

  return tf_store_load_bytes (tf_file_get_store (self), cancellable, error);
}

static gssize
load_bytes_func (gpointer       source_object,
                 gpointer       data,
                 GCancellable  *cancellable,
                 GError       **error)
{
  GBytes **bytes = data;

  *bytes = tf_store_load_bytes (tf_file_get_store (source_object), cancellable, error);
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
 * Up to 1 MiB in memory is read at once. A worker thread reads more than that, and from the disk.
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

  tf_file_run (self, self, tf_temp_file_load_bytes_async, load_bytes_func,
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
 * Returns: (transfer full): a copy of the content
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

/* A call of read_line() or read_upto(), and its result. */
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
 * @length: (out) (optional): the length of the result in bytes, without the NUL behind it
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads a line: everything up to and including the next newline, or up to the end of the file.
 *
 * The line may contain any bytes, including NUL. A NUL that @length does not count is added behind it. If the call
 * fails, the position does not move. The file may be read ahead even if other processes can change it, see
 * [method@TempFile.fill]. To read lines of text in an encoding, use [class@TextStream].
 *
 * It blocks on the disk if the bytes are there. The errors are those of [method@TempFile.read_bytes].
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

  if (!tf_file_check_idle (self, error))
    return NULL;

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
 * Up to 1 MiB in memory is searched at once. A worker thread searches more than that, and on the disk.
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

  tf_file_run (self, self, tf_temp_file_read_line_async, read_upto_func,
               upto_request_new ("\n", 1, TRUE), upto_request_free,
               io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_read_line_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @length: (out) (optional): the length of the result in bytes, without the NUL behind it
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
 * @n_stop_bytes: the number of @stop_bytes, at least one
 * @length: (out) (optional): the length of the result in bytes, without the NUL behind it
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads everything up to, but not including, the next of the given bytes, or up to the end of the file.
 *
 * This corresponds to [method@Gio.DataInputStream.read_upto]. Like [method@TempFile.read_line], it does not move
 * the position if it fails.
 *
 * It blocks on the disk if the bytes are there. The errors are those of [method@TempFile.read_bytes].
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

  if (!tf_file_check_idle (self, error))
    return NULL;

  return tf_store_read_upto (tf_file_get_store (self), stop_bytes, n_stop_bytes, FALSE,
                             length != NULL ? length : &ignored, cancellable, error);
}

/**
 * tf_temp_file_read_upto_async:
 * @self: a temporary file
 * @stop_bytes: (array length=n_stop_bytes) (element-type guint8): the bytes to stop at
 * @n_stop_bytes: the number of @stop_bytes, at least one
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.read_upto].
 *
 * Up to 1 MiB in memory is searched at once. A worker thread searches more than that, and on the disk.
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

  tf_file_run (self, self, tf_temp_file_read_upto_async, read_upto_func,
               upto_request_new (stop_bytes, n_stop_bytes, FALSE), upto_request_free,
               io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_read_upto_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @length: (out) (optional): the length of the result in bytes, without the NUL behind it
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
 * @count: (out): the number of bytes
 *
 * Returns the bytes at the position that can be read without asking the disk.
 *
 * Nothing is copied, and the position does not move. The pointer is valid until the next call that uses the file or
 * one of its streams, [method@TempFile.consume] included. For a file in memory, these are all bytes from the position
 * to the end. For a file on disk, they are those that were read ahead; [method@TempFile.fill] reads more.
 *
 * It never blocks on the disk.
 *
 * Returns: (transfer none) (nullable): @count bytes, or %NULL if there are none, also if the file is closed
 *
 * Since: 1.0
 */
const void *
tf_temp_file_peek (TfTempFile *self,
                   gsize      *count)
{
  const guint8 *data;

  g_return_val_if_fail (is_temp_file (self), NULL);
  g_return_val_if_fail (count != NULL, NULL);

  data = tf_store_peek_at_once (tf_file_get_store (self), count);
  if (data != NULL)
    return data;

  *count = 0;
  return tf_file_check_idle (self, NULL) ? tf_store_peek (tf_file_get_store (self), count) : NULL;
}

/**
 * tf_temp_file_fill: (skip)
 * @self: a temporary file
 * @count: the number of bytes to read ahead
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads ahead until [method@TempFile.peek] returns @count bytes at the position, or fewer at the end of the file.
 *
 * At most 65536 bytes of a file on disk are read ahead. If another process changes the file, the bytes that were
 * read ahead do not show the change until the file is used by another call than this one, [method@TempFile.peek],
 * [method@TempFile.consume], [method@TempFile.read_line], [method@TempFile.try_read_line] and
 * [method@TempFile.read_upto].
 *
 * It blocks on the disk if the bytes are there. The errors are those of [method@TempFile.read].
 *
 * Returns: the number of bytes that [method@TempFile.peek] returns now, 0 at the end of the file, or -1 with @error
 *   set
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

  if (!tf_file_check_idle (self, error) ||
      !tf_store_fill (tf_file_get_store (self), count, &available, cancellable, error))
    return -1;

  return available;
}

static gssize
fill_func (gpointer       source_object,
           gpointer       count,
           GCancellable  *cancellable,
           GError       **error)
{
  gsize available;

  if (!tf_store_fill (tf_file_get_store (source_object), *(gsize *) count, &available, cancellable, error))
    return -1;

  return available;
}

/**
 * tf_temp_file_fill_async: (skip)
 * @self: a temporary file
 * @count: the number of bytes to read ahead
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.fill].
 *
 * Bytes in memory are read at once. A worker thread reads bytes from the disk.
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

  tf_file_run (self, self, tf_temp_file_fill_async, fill_func,
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
 * Returns: the number of bytes that [method@TempFile.peek] returns now, 0 at the end of the file, or -1 with @error
 *   set
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
 * @count: the number of bytes, at most what [method@TempFile.peek] returned
 * @error: return location for an error
 *
 * Moves the position behind bytes that [method@TempFile.peek] returned.
 *
 * It never blocks on the disk. Errors are of %G_IO_ERROR: %G_IO_ERROR_INVALID_ARGUMENT if there are fewer bytes;
 * %G_IO_ERROR_CLOSED; %G_IO_ERROR_NOT_INITIALIZED. After an error the position is where it was.
 *
 * Returns: %TRUE if the position was moved
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

  if (tf_store_consume_at_once (tf_file_get_store (self), count))
    return TRUE;

  return tf_file_check_idle (self, error) && tf_store_consume (tf_file_get_store (self), count, error);
}

/**
 * tf_temp_file_flush:
 * @self: a temporary file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes the bytes that are held back in this process to the file, see [method@TempFile.write].
 *
 * After this call, the kernel has the bytes: other processes that have the file open, forked children, and whoever
 * opens a [class@NamedFile] by its name see them. If it fails, they are still held back, and the call can be
 * repeated. What others have written to the file by its name is read from then on, instead of what was read ahead
 * before. On a file in memory the call does nothing and succeeds. The bytes need not be on the medium: use
 * [method@TempFile.persist] with %TF_PERSIST_DURABLE for that.
 *
 * What is held back of a file that is open when the process ends by exit(3) is written then, as of a FILE, unless
 * another thread uses the file for longer than a second; a signal or _exit(2) loses it.
 *
 * It blocks on the disk. Errors are of %G_IO_ERROR: %G_IO_ERROR_NO_SPACE; %G_IO_ERROR_CLOSED;
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
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_file_check_idle (self, error) && tf_store_flush_open (tf_file_get_store (self), cancellable, error);
}

static gssize
flush_func (gpointer       source_object,
            gpointer       no_data,
            GCancellable  *cancellable,
            GError       **error)
{
  return tf_store_flush_open (tf_file_get_store (source_object), cancellable, error) ? 0 : -1;
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
 * If nothing is held back, the operation is complete at once. Otherwise a worker thread writes the bytes.
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

  tf_file_run (self, self, tf_temp_file_flush_async, flush_func, NULL, NULL,
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
 * Returns the descriptor of the file, which the object owns.
 *
 * Do not close it, and do not pass it to a function that closes it, such as
 * [method@Gio.SubprocessLauncher.take_stdin_fd]: use [method@TempFile.dup_fd] for that. The descriptor is valid until
 * the file is closed.
 *
 * All bytes have been written to the descriptor, and its offset is the position of the file. From this call on,
 * nothing is held back, and a change of the offset is a change of the position. A [class@SpooledFile] rolls over
 * first, as with `fileno()` of Python's `SpooledTemporaryFile`.
 *
 * Locks of the process, those of lockf(3) and of fcntl(2) with F_SETLK, end when any descriptor of the file is closed:
 * [method@TempFile.persist], [method@TempFile.seal] and truncating to 0 bytes can do so. Those of flock(2) stay.
 *
 * It blocks on the disk. The errors are those of [method@TempFile.flush], and of a [class@SpooledFile] also those of
 * [method@SpooledFile.rollover].
 *
 * Returns: a file descriptor, which the object owns, or -1 with @error set
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

  if (!tf_file_check_idle (self, error))
    return -1;

  return tf_store_get_fd (tf_file_get_store (self), cancellable, error);
}

static gssize
get_fd_func (gpointer       source_object,
             gpointer       no_data,
             GCancellable  *cancellable,
             GError       **error)
{
  return tf_store_get_fd (tf_file_get_store (source_object), cancellable, error);
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
 * A worker thread writes what has to be written to the disk first.
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

  tf_file_run (self, self, tf_temp_file_get_fd_async, get_fd_func, NULL, NULL,
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
 * Returns: a file descriptor, which the object owns, or -1 with @error set
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

/* Closes a descriptor that was never fetched with a finish function. */
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

static int
dup_fd (TfStore       *store,
        GCancellable  *cancellable,
        GError       **error)
{
  int fd = tf_store_get_fd (store, cancellable, error);

  if (fd < 0)
    return -1;

  fd = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  if (fd < 0)
    tf_errno_set (error, errno, "fcntl F_DUPFD_CLOEXEC", store->backing.where);

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
 * It is a duplicate, see dup(2), of the descriptor of [method@TempFile.get_fd], with which it shares its offset. It
 * is closed on execve(2), is never 0, 1 or 2, and stays valid when the file is closed. This call has the same effects
 * on the file as [method@TempFile.get_fd].
 *
 * It blocks on the disk. The errors are those of [method@TempFile.get_fd], and %G_IO_ERROR_TOO_MANY_OPEN_FILES.
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
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), -1);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return tf_file_check_idle (self, error) ? dup_fd (tf_file_get_store (self), cancellable, error) : -1;
}

static gssize
dup_fd_func (gpointer       source_object,
             gpointer       data,
             GCancellable  *cancellable,
             GError       **error)
{
  int *fd = data;

  *fd = dup_fd (tf_file_get_store (source_object), cancellable, error);
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
 * A worker thread writes what has to be written to the disk first.
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

  tf_file_run (self, self, tf_temp_file_dup_fd_async, dup_fd_func,
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
 * The path is `/proc/PID/fd/FD`, see proc(5). It works as long as the file is open in this process, for other
 * processes of the same user. If this process has changed its user ID, it works only for root. A process that opens
 * the path gets a position of its own. Few file systems, such as GlusterFS, cannot open a file again that has no name.
 * This call has the same effects on the file as [method@TempFile.get_fd].
 *
 * It blocks on the disk. The errors are those of [method@TempFile.get_fd], and %G_IO_ERROR_NOT_SUPPORTED on a system
 * that has no such paths.
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
 * A worker thread writes what has to be written to the disk first.
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

  tf_file_run (self, self, tf_temp_file_get_fd_path_async, get_fd_func, NULL, NULL,
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

/* Who is told in the main context how an asynchronous call gets on. */
typedef struct
{
  GFileProgressCallback func;
  gpointer data;           /* (owned) */
  GDestroyNotify destroy;  /* (nullable) */
} Listener;

typedef struct
{
  Listener *listener; /* (owned) */
  goffset   n_copied;
  goffset   total;
} Report;

typedef struct
{
  GFile          *destination; /* (owned) */
  TfPersistFlags  flags;
  Listener       *listener;    /* (owned) */
  GFile          *final;       /* (owned) (nullable): what the file was persisted as */
} PersistRequest;

static void
listener_clear (gpointer data)
{
  Listener *self = data;

  if (self->destroy != NULL)
    self->destroy (self->data);
}

static void
listener_release (Listener *self)
{
  g_atomic_rc_box_release_full (self, listener_clear);
}

static gboolean
report_make (gpointer data)
{
  Report *self = data;

  self->listener->func (self->n_copied, self->total, self->listener->data);
  return G_SOURCE_REMOVE;
}

static void
report_free (gpointer data)
{
  Report *self = data;

  listener_release (self->listener);
  g_free (self);
}

/* Called in a worker thread. */
static void
report_later (goffset  n_copied,
              goffset  total,
              gpointer data)
{
  Report *report = g_new (Report, 1);

  *report = (Report) { g_atomic_rc_box_acquire (data), n_copied, total };
  tf_task_defer (report_make, report, report_free, NULL);
}

static void
persist_request_free (gpointer data)
{
  PersistRequest *request = data;

  g_object_unref (request->destination);
  listener_release (request->listener);
  g_clear_object (&request->final);
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
check_persist_flags (TfPersistFlags   flags,
                     GError         **error)
{
  return !(flags & TF_PERSIST_UNIQUE) || !(flags & TF_PERSIST_REPLACE) ||
         tf_errno_set_code (error, G_IO_ERROR_INVALID_ARGUMENT,
                            "A temporary file can either replace another one or have a name of its own");
}

static gboolean
persist (TfTempFile      *self,
         GFile           *destination,
         TfPersistFlags   flags,
         TfProgress      *progress,
         GFile          **final_destination,
         GCancellable    *cancellable,
         GError         **error)
{
  g_autofree char *path = get_local_path (destination, error);
  g_autofree char *final_path = NULL;
  gboolean success;

  if (path == NULL || !check_persist_flags (flags, error))
    return FALSE;

  success = tf_store_persist (tf_file_get_store (self), path, flags, progress, &final_path, cancellable, error);
  if (success)
    tf_progress_report (progress, progress->total);
  if (final_path != NULL)
    tf_debug_trace ("persisted", final_path);
  if (final_path != NULL && final_destination != NULL)
    *final_destination = g_file_new_for_path (final_path);

  return success;
}

#define ALL_FLAGS (TF_PERSIST_REPLACE | TF_PERSIST_DURABLE | TF_PERSIST_FOLLOW_SYMLINK | TF_PERSIST_PRIVATE | \
                   TF_PERSIST_BACKUP | TF_PERSIST_UNIQUE)

/**
 * tf_temp_file_persist:
 * @self: a temporary file
 * @destination: the new place of the file, a local file
 * @flags: options of the call
 * @cancellable: (nullable): a cancellable
 * @progress_callback: (nullable) (scope call) (closure progress_data): called while bytes are copied
 * @progress_data: data to pass to @progress_callback
 * @final_destination: (out) (optional) (transfer full): return location for what the file was persisted as
 * @error: return location for an error
 *
 * Gives the file a lasting name in one atomic step.
 *
 * Before that step, @destination does not exist or is what it was; after it, @destination is the whole file. If the
 * call fails, with two exceptions below, @destination is as it was, nothing is left beside it, the file has not changed,
 * and the call can be repeated. If the disk has lost what was written to it, see below, each further call fails.
 *
 * Without %TF_PERSIST_REPLACE, exactly one of several concurrent calls with the same @destination succeeds. With
 * it, the file replaces a regular file or a symbolic link at @destination. Other hard links of a replaced file keep
 * the old content. Directories, devices, pipes and sockets are never replaced.
 *
 * With %TF_PERSIST_UNIQUE, the file gets another name if something has that of @destination: a number is put in front
 * of its extension, as file managers do, so that `report.pdf` becomes `report (1).pdf`. A name that is too long for
 * that is shortened. Each of several concurrent calls gets a name of its own.
 *
 * @final_destination is set to the name that the file got: to another one than @destination if %TF_PERSIST_UNIQUE has
 * avoided that, or %TF_PERSIST_FOLLOW_SYMLINK has followed a symbolic link. If the call fails, it is set to %NULL,
 * unless the file has the name nevertheless, see below.
 *
 * ## Progress
 *
 * @progress_callback is called with the number of bytes that were copied and the number of all, in bytes, while a file
 * is copied from memory or from another file system. It can cancel @cancellable and ask for the size of the file; what
 * would use the bytes fails with %G_IO_ERROR_PENDING. Nothing is copied when the file itself is linked. In any case the
 * last call before a success has both numbers equal.
 *
 * ## Permissions
 *
 * A new file gets the permissions of any file that the process creates there: octal 0666 less the umask, or those
 * of the directory's default ACL. A file that replaces another one gets that file's mode, POSIX ACL, `user.`
 * attributes and, if the process is permitted to set them, owner and group. If the group cannot be kept, the
 * permissions of the group are not granted to another one. Attributes that the file system does not read or write are
 * left out; if that concerns the ACL, nobody but the owner can open the file. In a sticky directory in which others can
 * create files, such as `/tmp`, a file counts as new if the one that it replaces belongs neither to the user nor to the
 * owner of the directory; and a symbolic link of somebody else is not followed there. With %TF_PERSIST_PRIVATE, the
 * mode is always 0600. [property@TempFile:mode] has no effect, and the umask is never changed.
 *
 * ## How
 *
 * The file itself is linked, see linkat(2). A file in memory is written directly to the directory of @destination.
 * A file on another file system is copied, by sharing blocks or within the kernel if the file systems can do that.
 * A file that cannot be linked is copied as well. So is a file that was persisted before: the former destination and
 * the new one are then two files.
 *
 * On a file system that has neither hard links nor the flag `RENAME_NOREPLACE` of renameat2(2), such as some of
 * FUSE, a new name is first taken by an empty file, which others can see for a moment; what they put in its place right
 * before the last step is replaced. Without `RENAME_EXCHANGE`, a backup that was made stays if a later step fails.
 *
 * The last step of %TF_PERSIST_DURABLE, to sync the directory, can fail after the file got the name. Then the message of
 * the error says that the file is at @destination, whole, but perhaps not after a loss of power, and the object works on
 * it as after a success. With %TF_PERSIST_BACKUP, the backup is made: a second call would make one of the new file.
 *
 * On FUSE, a file that is replaced while somebody has it open can be lost if the server refuses the last step. The message
 * of the error then says where the bytes are: beside @destination, with a temporary name that nothing removes.
 *
 * A new file can also be persisted if the file system has no inode left for another file. It has mode 0600 then.
 *
 * With %TF_PERSIST_DURABLE, the bytes are written to the medium in pieces, between which the call can be cancelled. The
 * fsync(2) that follows cannot be interrupted. It has little left to write, unless the file system does not know
 * sync_file_range(2) or has to write other files as well.
 *
 * ## Bytes that are lost
 *
 * A write can succeed although the bytes do not get to the disk or to the server: the error comes with close(2) or
 * fsync(2), once, and the system takes the bytes for written after it. So if it is the file itself of which bytes are lost,
 * this call and all that follow fail with that error, until the file was truncated to 0 bytes with g_seekable_truncate() and
 * written again. What is lost of a copy is written anew by each call.
 *
 * On FUSE and network file systems, a child process that is started between the write and this call can be told the error
 * instead, when it closes the descriptors that it got. If the file system shows by the size that bytes are missing at the
 * end, the call fails with %G_IO_ERROR_FAILED then. If the file has a name, its descriptor was handed out or a fork shares
 * it, others may have made it shorter on purpose: the call fails only if nothing is left. To persist a file that is to be
 * empty, empty it with g_seekable_truncate().
 *
 * ## Afterwards
 *
 * The object stays open at the same position and works on the file at @destination: what is written now changes
 * that file. A [class@SpooledFile] has rolled over to it. The path of a [class@NamedFile] is @destination, and its
 * delete policy is %TF_DELETE_NEVER; its former name is removed, except by a forked child that did not create it.
 *
 * The descriptor of [method@TempFile.get_fd] belongs to the file at @destination. If the file had to be copied, a
 * descriptor that was passed to another process before belongs to the former file.
 *
 * It blocks on the disk. Errors are of %G_IO_ERROR: %G_IO_ERROR_EXISTS if @destination exists and @flags lacks
 * %TF_PERSIST_REPLACE; with that flag, %G_IO_ERROR_IS_DIRECTORY if it is a directory, and
 * %G_IO_ERROR_NOT_REGULAR_FILE if it is a device, a pipe or a socket; %G_IO_ERROR_IS_DIRECTORY if it leads to a
 * path that ends with `/`, `/.` or `/..`; %G_IO_ERROR_NOT_FOUND if its directory does not exist;
 * %G_IO_ERROR_PERMISSION_DENIED; %G_IO_ERROR_READ_ONLY; %G_IO_ERROR_NO_SPACE; %G_IO_ERROR_NOT_SUPPORTED if
 * @destination is not local; %G_IO_ERROR_INVALID_ARGUMENT for %TF_PERSIST_UNIQUE with %TF_PERSIST_REPLACE;
 * %G_IO_ERROR_TOO_MANY_LINKS if it leads through more than 40 symbolic links; %G_IO_ERROR_CANCELLED;
 * %G_IO_ERROR_CLOSED; %G_IO_ERROR_NOT_INITIALIZED; otherwise an error mapped from errno. The message of an error of a
 * system call names what was tried and, if there is one, the path.
 *
 * Returns: (skip): %TRUE on success
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_persist (TfTempFile             *self,
                      GFile                  *destination,
                      TfPersistFlags          flags,
                      GCancellable           *cancellable,
                      GFileProgressCallback   progress_callback,
                      gpointer                progress_data,
                      GFile                 **final_destination,
                      GError                **error)
{
  TfProgress progress = TF_PROGRESS_INIT (progress_callback, progress_data);

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (G_IS_FILE (destination), FALSE);
  g_return_val_if_fail ((flags & ~ALL_FLAGS) == 0, FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (final_destination != NULL)
    *final_destination = NULL;

  return tf_file_check_idle (self, error) &&
         persist (self, destination, flags, &progress, final_destination, cancellable, error);
}

static gssize
persist_func (gpointer       source_object,
              gpointer       data,
              GCancellable  *cancellable,
              GError       **error)
{
  PersistRequest *request = data;
  TfProgress progress = TF_PROGRESS_INIT (request->listener->func != NULL ? report_later : NULL, request->listener);

  if (!tf_task_may_block (error))
    return -1;

  return persist (source_object, request->destination, request->flags, &progress, &request->final,
                  cancellable, error) ? 0 : -1;
}

/**
 * tf_temp_file_persist_async:
 * @self: a temporary file
 * @destination: the new place of the file, a local file
 * @flags: options of the call
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @progress_callback: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): called while
 *   bytes are copied
 * @progress_data: data to pass to @progress_callback
 * @progress_destroy: (nullable): frees @progress_data
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.persist].
 *
 * A worker thread does the work. Notifications and signals are emitted, and @progress_callback is called, in the
 * thread-default main context of the caller before @callback is called. If the operation is cancelled after the file got
 * its name, it succeeds.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempFile.persist_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_temp_file_persist_async (TfTempFile            *self,
                            GFile                 *destination,
                            TfPersistFlags         flags,
                            int                    io_priority,
                            GCancellable          *cancellable,
                            GFileProgressCallback  progress_callback,
                            gpointer               progress_data,
                            GDestroyNotify         progress_destroy,
                            GAsyncReadyCallback    callback,
                            gpointer               user_data)
{
  PersistRequest *request;
  Listener *listener;

  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (G_IS_FILE (destination));
  g_return_if_fail ((flags & ~ALL_FLAGS) == 0);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  request = g_new (PersistRequest, 1);
  listener = g_atomic_rc_box_new (Listener);
  *listener = (Listener) { progress_callback, progress_data, progress_destroy };
  *request = (PersistRequest) { .destination = g_object_ref (destination), .flags = flags, .listener = listener };
  tf_file_run (self, self, tf_temp_file_persist_async, persist_func, request, persist_request_free,
               io_priority, cancellable, callback, user_data);
}

/**
 * tf_temp_file_persist_finish:
 * @self: a temporary file
 * @result: the result passed to the callback
 * @final_destination: (out) (optional) (transfer full): return location for what the file was persisted as
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempFile.persist_async].
 *
 * The errors are those of [method@TempFile.persist].
 *
 * Returns: (skip): %TRUE on success
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_persist_finish (TfTempFile    *self,
                             GAsyncResult  *result,
                             GFile        **final_destination,
                             GError       **error)
{
  PersistRequest *request;

  g_return_val_if_fail (TF_IS_TEMP_FILE (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, tf_temp_file_persist_async), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  request = g_task_get_task_data (G_TASK (result));
  if (final_destination != NULL)
    *final_destination = request != NULL ? g_steal_pointer (&request->final) : NULL;

  return tf_task_finish (self, result, tf_temp_file_persist_async, error) >= 0;
}

/**
 * tf_temp_file_reserve:
 * @self: a temporary file
 * @size: the size for which to make room, in bytes
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Makes room for a file of @size bytes, so that a full disk is reported before anything is written.
 *
 * Size, content and position do not change. On disk, the call is fallocate(2) with `FALLOC_FL_KEEP_SIZE`. In memory,
 * the memory is allocated; a [class@SpooledFile] that would exceed a limit, or for which there is not enough memory,
 * rolls over first. After that, writing within the first @size bytes does not fail for lack of room, provided that
 * the file system overwrites in place. A file that rolls over later has the room on disk as well, or stays in memory;
 * only on a file system that cannot allocate ahead, it has room for its content alone. Truncating the file gives the
 * room up.
 *
 * On a file system that cannot allocate ahead, the call only compares @size with the free space, and always fails:
 * with %G_IO_ERROR_NO_SPACE if there is not enough of it, and with %G_IO_ERROR_NOT_SUPPORTED if there is enough at
 * the moment.
 *
 * It blocks on the disk. Errors are of %G_IO_ERROR: besides those two, %G_IO_ERROR_INVALID_ARGUMENT if @size is
 * negative; %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED; %G_IO_ERROR_NOT_INITIALIZED; those of
 * [method@SpooledFile.rollover]; otherwise an error mapped from fallocate(2)'s errno.
 *
 * Returns: %TRUE if there is room
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

  return tf_file_check_idle (self, error) && tf_store_reserve (tf_file_get_store (self), size, cancellable, error);
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

  return tf_store_reserve (tf_file_get_store (source_object), *size, cancellable, error) ? 0 : -1;
}

/**
 * tf_temp_file_reserve_async:
 * @self: a temporary file
 * @size: the size for which to make room, in bytes
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempFile.reserve].
 *
 * A worker thread does the work. [signal@SpooledFile::rolled-over] is emitted before @callback is called.
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

  tf_file_run (self, self, tf_temp_file_reserve_async, reserve_func, g_memdup2 (&size, sizeof size), g_free,
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
 * Returns: %TRUE if there is room
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
 * Copies the content into a new memory file that no process can change, to be passed to another process.
 *
 * The new file is created by memfd_create(2) and has the seals `F_SEAL_WRITE`, `F_SEAL_GROW`, `F_SEAL_SHRINK` and
 * `F_SEAL_SEAL`, see fcntl(2). From Linux 6.3 on, it cannot be made executable (`MFD_NOEXEC_SEAL`). The offset of the
 * descriptor is 0, and it is closed on execve(2). This file does not change and stays open.
 * If the disk has lost bytes of it, the call fails as [method@TempFile.persist] does.
 *
 * A child process gets the descriptor by g_subprocess_launcher_take_fd(), which takes it, in Python by `pass_fds` of
 * `subprocess`, which does not; another process gets it by D-Bus. Who receives it maps it with `PROT_READ` and
 * `MAP_PRIVATE`, as g_mapped_file_new_from_fd() does. `MAP_SHARED` fails with `EPERM` before Linux 6.7, because the
 * descriptor is open for writing, and with `PROT_WRITE` on any version.
 *
 * It blocks on the disk if the bytes are there. Errors are of %G_IO_ERROR: %G_IO_ERROR_NO_SPACE if there is not
 * enough memory; %G_IO_ERROR_TOO_MANY_OPEN_FILES; %G_IO_ERROR_NOT_SUPPORTED if the system cannot seal files;
 * %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED; %G_IO_ERROR_NOT_INITIALIZED; otherwise an error mapped from errno. The
 * message of an error of a system call names what was tried.
 *
 * Returns: a file descriptor, never 0, 1 or 2, which the caller closes; or -1 with @error set
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

  return tf_file_check_idle (self, error) ? tf_store_seal (tf_file_get_store (self), cancellable, error) : -1;
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

  *fd = tf_store_seal (tf_file_get_store (source_object), cancellable, error);
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

  tf_file_run (self, self, tf_temp_file_seal_async, seal_func,
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

/* Closes the object whose store has been closed by stealing its bytes. */
static void
close_after_steal (GIOStream *stream)
{
  g_autoptr(GError) error = NULL;

  if (!g_io_stream_close (stream, NULL, &error))
    tf_errno_log_lost ("Closing a temporary file", error);
}

/**
 * tf_temp_file_steal_bytes:
 * @self: a temporary file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Closes the file and returns its whole content, independent of the position.
 *
 * Bytes in memory are not copied. A file on disk is mapped, see mmap(2), and takes memory only for the pages that
 * are read. The mapping needs no descriptor and stays valid after the file is deleted. Where reading a hole of a
 * mapped file takes room, as on a tmpfs, the room is allocated first. If another process has the
 * file open, by its name or by a descriptor that was passed to it, it must not truncate the file: otherwise reading
 * the bytes beyond the new end ends this process with SIGBUS. What the other process writes may show in the bytes. On a
 * network file system, or one in user space, the content is copied into memory instead: their servers can fail to give a
 * page that is mapped.
 *
 * The file is closed as by [method@Gio.IOStream.close], and nothing that happens later changes or frees the bytes.
 * Since the bytes are there, an error of closing is only logged. If this call fails, the file stays open. It blocks
 * on the disk if the bytes are there. Errors are of %G_IO_ERROR: %G_IO_ERROR_PENDING while an asynchronous
 * operation of the file is under way; %G_IO_ERROR_NO_SPACE if there is no room for the holes, or not enough memory for
 * a copy; %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED; %G_IO_ERROR_NOT_INITIALIZED; otherwise an error mapped from mmap(2)'s or
 * read(2)'s errno.
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

  if (!tf_file_check_idle (self, error) || !g_io_stream_set_pending (G_IO_STREAM (self), error))
    return NULL;

  bytes = tf_store_steal (tf_file_get_store (self), cancellable, error);
  g_io_stream_clear_pending (G_IO_STREAM (self));
  if (bytes != NULL)
    close_after_steal (G_IO_STREAM (self));

  return bytes;
}

/* The callback of stealing asynchronously, and what it calls. */
typedef struct
{
  GAsyncReadyCallback callback;
  gpointer user_data;
} Stolen;

/* The file is closed even if nobody fetches the bytes. */
static void
on_stolen (GObject      *source_object,
           GAsyncResult *result,
           gpointer      user_data)
{
  g_autofree Stolen *stolen = user_data;

  if (!g_task_had_error (G_TASK (result)))
    close_after_steal (G_IO_STREAM (source_object));
  if (stolen->callback != NULL)
    stolen->callback (source_object, result, stolen->user_data);
}

static gssize
steal_bytes_func (gpointer       source_object,
                  gpointer       data,
                  GCancellable  *cancellable,
                  GError       **error)
{
  GBytes **bytes = data;

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
 * Bytes in memory leave the file at once. A worker thread maps or copies the content of a file on disk. Nothing else can use the
 * file from this call on. If the operation succeeds, the file is closed when @callback is called. If it fails, the file
 * stays open.
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
  Stolen *stolen;

  g_return_if_fail (TF_IS_TEMP_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  stolen = g_new (Stolen, 1);
  *stolen = (Stolen) { callback, user_data };
  tf_file_run (self, self, tf_temp_file_steal_bytes_async, steal_bytes_func,
               g_new0 (GBytes *, 1), bytes_request_free,
               io_priority, cancellable, on_stolen, stolen);
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

  return g_steal_pointer ((GBytes **) g_task_get_task_data (G_TASK (result)));
}

/**
 * tf_temp_file_open_reader:
 * @self: a temporary file
 * @error: return location for an error
 *
 * Opens a further input stream over the same bytes, with a position of its own.
 *
 * The stream starts at the beginning of the file and is a [iface@Gio.Seekable]. It reads what has been written so
 * far, and then reports the end of the file; it can be read again once more has been written. The file may roll over
 * or be persisted in between. Each reader may be used from a thread of its own while another thread uses the file.
 *
 * Use a reader for each attempt to send the content: a stream that was closed, by libsoup or by
 * %G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE for example, cannot be opened again, and the file has only one input stream.
 *
 * A reader can be read after the file was closed: the bytes in memory, or the descriptor, are released when the last
 * reader is closed.
 *
 * It does not block. Errors are of %G_IO_ERROR: %G_IO_ERROR_CLOSED and %G_IO_ERROR_NOT_INITIALIZED.
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
