/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-spooled-file.h"

#include "base/tf-debug.h"
#include "base/tf-task.h"
#include "names/tf-open.h"
#include "store/tf-file.h"
#include "tf-location.h"

/**
 * TfSpooledFile:
 *
 * A [class@TempFile] that stays in memory until it grows too large: `SpooledTemporaryFile` of Python's
 * `tempfile`.
 *
 * ```c
 * g_autoptr(TfSpooledFile) file = tf_spooled_file_new (10);
 *
 * return tf_temp_file_write (TF_TEMP_FILE (file), "0123456789", 10, NULL, error) &&
 *        !tf_spooled_file_is_rolled_over (file) &&
 *        tf_temp_file_write (TF_TEMP_FILE (file), "!", 1, NULL, error) &&
 *        tf_spooled_file_is_rolled_over (file);
 * ```
 *
 * Before each write and each [method@Gio.Seekable.truncate], whichever stream or method it comes
 * through, the size that the file would have is compared with [property@SpooledFile:max-size]. Would it
 * be larger, the file rolls over first: its bytes go to an unnamed file on disk, and there it stays.
 * The object, its streams and the position remain the same. [method@SpooledFile.rollover],
 * [method@TempFile.get_fd] and lack of memory make it roll over at any size.
 *
 * When the disk refuses, the call fails, the message names the directory, and every byte, the size and
 * the position are as they were; the same call succeeds as soon as the disk has room.
 *
 * Nothing touches the disk before that, and the object needs no [method@Gio.Initable.init].
 *
 * ## Coming from Python
 *
 * There a `max_size` of 0, the default, means that only `fileno()` and `rollover()` go to disk. Here that is -1; with 0
 * the first byte goes to disk, and the default is 1 MiB.
 *
 * Since: 1.0
 */

#define DEFAULT_MAX_SIZE (1024 * 1024)

typedef struct
{
  gint64 max_size;
} TfSpooledFilePrivate;

typedef enum
{
  PROP_MAX_SIZE = 1,
} TfSpooledFileProperty;

enum
{
  ROLLED_OVER,
  N_SIGNALS,
};

static GParamSpec *properties[PROP_MAX_SIZE + 1];
static guint signals[N_SIGNALS];

G_DEFINE_TYPE_WITH_PRIVATE (TfSpooledFile, tf_spooled_file, TF_TYPE_TEMP_FILE)

static int
open_for_rollover (gpointer       owner,
                   char         **where,
                   GCancellable  *cancellable,
                   GError       **error)
{
  TfTemplate template = tf_file_of (owner)->template;

  if (!tf_template_complete (&template, tf_get_spool_dir, error))
    return -1;

  *where = g_strdup (template.dir);
  return tf_open_unnamed (&template, cancellable, error);
}

static void
emit_rolled_over (gpointer owner)
{
  TfTemplate template = tf_file_of (owner)->template;

  if (tf_template_complete (&template, tf_get_spool_dir, NULL))
    tf_debug_trace ("rolled over to", template.dir);

  g_signal_emit (owner, signals[ROLLED_OVER], 0);
}

static const TfStoreFuncs store_funcs = {
  .open = open_for_rollover,
  .rolled_over = emit_rolled_over,
};

static void
tf_spooled_file_constructed (GObject *object)
{
  TfSpooledFilePrivate *priv = tf_spooled_file_get_instance_private (TF_SPOOLED_FILE (object));

  G_OBJECT_CLASS (tf_spooled_file_parent_class)->constructed (object);

  tf_store_open_in_memory (tf_file_get_store (object), priv->max_size, &store_funcs, object);
}

static void
tf_spooled_file_get_property (GObject    *object,
                              guint       prop_id,
                              GValue     *value,
                              GParamSpec *pspec)
{
  TfSpooledFilePrivate *priv = tf_spooled_file_get_instance_private (TF_SPOOLED_FILE (object));

  switch ((TfSpooledFileProperty) prop_id)
    {
    case PROP_MAX_SIZE:
      g_value_set_int64 (value, priv->max_size);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tf_spooled_file_set_property (GObject      *object,
                              guint         prop_id,
                              const GValue *value,
                              GParamSpec   *pspec)
{
  TfSpooledFilePrivate *priv = tf_spooled_file_get_instance_private (TF_SPOOLED_FILE (object));

  switch ((TfSpooledFileProperty) prop_id)
    {
    case PROP_MAX_SIZE:
      priv->max_size = g_value_get_int64 (value);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tf_spooled_file_class_init (TfSpooledFileClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = tf_spooled_file_constructed;
  object_class->get_property = tf_spooled_file_get_property;
  object_class->set_property = tf_spooled_file_set_property;

  /**
   * TfSpooledFile:max-size: (getter get_max_size)
   *
   * How many bytes may stay in memory; 1 MiB by default.
   *
   * A file of exactly so many bytes stays in memory. With 0, the first byte goes to disk; with -1, no
   * size makes the file roll over.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_SIZE] =
    g_param_spec_int64 ("max-size", NULL, NULL,
                        -1, G_MAXINT64, DEFAULT_MAX_SIZE,
                        G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);

  /**
   * TfSpooledFile::rolled-over:
   * @self: a spooled file
   *
   * Emitted once, after the bytes went to disk.
   *
   * The handler runs in the thread whose call made the file roll over, before that call returns; for an
   * asynchronous call, in the main context of the caller, before the callback; and for
   * [func@Tf.set_roll_over_on_low_memory], in the main context that was the thread-default one where the
   * object was made. No lock is held: the handler may use the file.
   *
   * Since: 1.0
   */
  signals[ROLLED_OVER] =
    g_signal_new ("rolled-over",
                  G_TYPE_FROM_CLASS (klass),
                  G_SIGNAL_RUN_LAST,
                  0,
                  NULL, NULL,
                  NULL,
                  G_TYPE_NONE, 0);
}

static void
tf_spooled_file_init (TfSpooledFile *self)
{
}

/**
 * tf_spooled_file_new:
 * @max_size: how many bytes may stay in memory; 0 for none, -1 for any number
 *
 * Creates a file in memory that goes to disk when it grows beyond @max_size bytes.
 *
 * It goes to the directory of [func@Tf.get_spool_dir]; for another one, construct it with
 * [property@TempFile:dir]. May be called from any thread, and does not block.
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfSpooledFile *
tf_spooled_file_new (gint64 max_size)
{
  g_return_val_if_fail (max_size >= -1, NULL);

  return g_object_new (TF_TYPE_SPOOLED_FILE, "max-size", max_size, NULL);
}

/**
 * tf_spooled_file_new_full:
 * @max_size: how many bytes may stay in memory; 0 for none, -1 for any number
 * @prefix: (type filename) (nullable): what a name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what a name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to roll over to, or %NULL for [func@Tf.get_spool_dir]
 *
 * Creates a file in memory, as [ctor@SpooledFile.new], and says where it goes when it grows too large.
 *
 * The directory is not looked at before that. A name plays a part only on file systems that cannot make a file
 * without one. May be called from any thread, and does not block.
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfSpooledFile *
tf_spooled_file_new_full (gint64      max_size,
                          const char *prefix,
                          const char *suffix,
                          const char *dir)
{
  TfSpooledFile *self;

  g_return_val_if_fail (max_size >= -1, NULL);

  self = tf_spooled_file_new (max_size);
  tf_template_set (&tf_file_of (self)->template, prefix, suffix, dir);
  return self;
}

/**
 * tf_spooled_file_get_max_size: (get-property max-size)
 * @self: a spooled file
 *
 * Returns how many bytes may stay in memory.
 *
 * Returns: a number of bytes, or -1 for any number
 *
 * Since: 1.0
 */
gint64
tf_spooled_file_get_max_size (TfSpooledFile *self)
{
  TfSpooledFilePrivate *priv = tf_spooled_file_get_instance_private (self);

  g_return_val_if_fail (TF_IS_SPOOLED_FILE (self), -1);

  return priv->max_size;
}

/**
 * tf_spooled_file_rollover:
 * @self: a spooled file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Makes the file go to disk now, whatever its size; when it is there already, nothing is done.
 *
 * It is `rollover()` of Python's `SpooledTemporaryFile`. Blocks on the disk.
 *
 * Errors are of %G_IO_ERROR, and leave the file in memory as it was: %G_IO_ERROR_NO_SPACE when disk,
 * quota or a limit has no room; %G_IO_ERROR_TOO_MANY_OPEN_FILES; %G_IO_ERROR_NOT_FOUND when there is no
 * directory to go to; %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED; else what open(2) or write(2) reported.
 *
 * Returns: %TRUE if the file is on disk
 *
 * Since: 1.0
 */
gboolean
tf_spooled_file_rollover (TfSpooledFile  *self,
                          GCancellable   *cancellable,
                          GError        **error)
{
  g_return_val_if_fail (TF_IS_SPOOLED_FILE (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_store_roll_over (tf_file_get_store (self), cancellable, error);
}

static gssize
rollover_func (gpointer       source_object,
               gpointer       data,
               GCancellable  *cancellable,
               GError       **error)
{
  if (!tf_task_may_block (error))
    return -1;

  return tf_spooled_file_rollover (source_object, cancellable, error) ? 0 : -1;
}

/**
 * tf_spooled_file_rollover_async:
 * @self: a spooled file
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@SpooledFile.rollover].
 *
 * The disk is written to in a worker thread. [signal@SpooledFile::rolled-over] is emitted, and then @callback is
 * called, in the thread-default main context of the caller. It calls [method@SpooledFile.rollover_finish]. While an
 * asynchronous operation of the file is under way, another one fails with %G_IO_ERROR_PENDING.
 *
 * Since: 1.0
 */
void
tf_spooled_file_rollover_async (TfSpooledFile       *self,
                                int                  io_priority,
                                GCancellable        *cancellable,
                                GAsyncReadyCallback  callback,
                                gpointer             user_data)
{
  g_return_if_fail (TF_IS_SPOOLED_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  tf_task_run_on_stream (G_IO_STREAM (self), tf_spooled_file_rollover_async, rollover_func, NULL, NULL,
                          io_priority, cancellable, callback, user_data);
}

/**
 * tf_spooled_file_rollover_finish:
 * @self: a spooled file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@SpooledFile.rollover_async].
 *
 * The errors are those of [method@SpooledFile.rollover].
 *
 * Returns: %TRUE if the file is on disk
 *
 * Since: 1.0
 */
gboolean
tf_spooled_file_rollover_finish (TfSpooledFile  *self,
                                 GAsyncResult   *result,
                                 GError        **error)
{
  g_return_val_if_fail (TF_IS_SPOOLED_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_task_finish (self, result, tf_spooled_file_rollover_async, error) >= 0;
}

/**
 * tf_spooled_file_is_rolled_over:
 * @self: a spooled file
 *
 * Tells whether the file went to disk, also after it was closed.
 *
 * Returns: %TRUE if it did
 *
 * Since: 1.0
 */
gboolean
tf_spooled_file_is_rolled_over (TfSpooledFile *self)
{
  g_return_val_if_fail (TF_IS_SPOOLED_FILE (self), FALSE);

  return tf_store_has_rolled_over (tf_file_get_store (self));
}
