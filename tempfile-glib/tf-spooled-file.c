/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-spooled-file.h"

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
 * ```py
 * with Tf.SpooledFile(max_size=10) as file:
 *     file.write(b'0123456789')
 *     assert not file.is_rolled_over()
 *     file.write(b'!')
 *     assert file.is_rolled_over()
 * ```
 *
 * ```js
 * const file = new Tf.SpooledFile({max_size: 10});
 * file.write('0123456789');
 * print(file.is_rolled_over());
 * file.write('!');
 * print(file.is_rolled_over());
 * file.close();
 * ```
 *
 * ```vala
 * var file = new Tf.SpooledFile (10);
 * file.write ("0123456789".data);
 * assert (!file.is_rolled_over ());
 * file.write ("!".data);
 * assert (file.is_rolled_over ());
 * ```
 *
 * Before each write and each [method@Gio.Seekable.truncate], through any stream or method, the size that the file
 * would have is compared with [property@SpooledFile:max-size]. If it would be larger, the file rolls over first: its
 * bytes are moved to an unnamed file on disk, where they stay. The object, its streams and the position remain the
 * same. [method@SpooledFile.rollover], [method@TempFile.get_fd], [method@TempFile.persist], the budget of
 * [func@Tf.set_memory_budget] and lack of memory make the file roll over at any size.
 *
 * If the disk refuses the bytes, the call fails, the message names the directory, and bytes, size and position are
 * as they were. The same call succeeds once the disk has room. If the disk has room for the bytes, but not for all that a
 * call writes then, the file has rolled over, and the position tells how much of that is written.
 *
 * Before it rolls over, the file does not touch the disk. The object does not need [method@Gio.Initable.init].
 *
 * ## Coming from Python
 *
 * In Python, a `max_size` of 0, the default, means that only `fileno()` and `rollover()` make the file roll over.
 * Here, -1 means that. With 0, the first byte goes to disk. The default is 1 MiB.
 *
 * Since: 1.0
 */

#define DEFAULT_MAX_SIZE (1024 * 1024)

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

G_DEFINE_TYPE (TfSpooledFile, tf_spooled_file, TF_TYPE_TEMP_FILE)

static gpointer
copy_template (gpointer owner)
{
  const TfTemplate *template = &tf_file_of (owner)->template;
  TfTemplate *copy = g_new0 (TfTemplate, 1);

  tf_template_set (copy, template->prefix, template->suffix, template->dir);
  copy->mode = template->mode;
  return copy;
}

static int
open_for_rollover (gpointer       place,
                   char         **where,
                   GCancellable  *cancellable,
                   GError       **error)
{
  g_autofree TfTemplate *requested = place;
  TfTemplate template = *requested;
  int fd = -1;

  if (tf_template_complete (&template, tf_get_spool_dir, error))
    {
      *where = g_strdup (template.dir);
      fd = tf_open_unnamed (&template, cancellable, error);
    }

  tf_template_clear (requested);
  return fd;
}

static void
emit_rolled_over (gpointer owner)
{
  g_signal_emit (owner, signals[ROLLED_OVER], 0);
}

static const TfStoreFuncs store_funcs = {
  .prepare = copy_template,
  .open = open_for_rollover,
  .rolled_over = emit_rolled_over,
};

static void
tf_spooled_file_get_property (GObject    *object,
                              guint       prop_id,
                              GValue     *value,
                              GParamSpec *pspec)
{
  TfStore *store = tf_file_get_store (object);

  switch ((TfSpooledFileProperty) prop_id)
    {
    case PROP_MAX_SIZE:
      g_value_set_int64 (value, store->max_size);
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
  TfStore *store = tf_file_get_store (object);

  switch ((TfSpooledFileProperty) prop_id)
    {
    case PROP_MAX_SIZE:
      g_return_if_fail (!tf_store_has_place (store));
      if (store->max_size != g_value_get_int64 (value))
        {
          tf_store_set_max_size (store, g_value_get_int64 (value));
          g_object_notify_by_pspec (object, pspec);
        }
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tf_spooled_file_class_init (TfSpooledFileClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = tf_spooled_file_get_property;
  object_class->set_property = tf_spooled_file_set_property;

  /**
   * TfSpooledFile:max-size: (getter get_max_size)
   *
   * The largest size that the file may have in memory, in bytes; 1 MiB by default.
   *
   * A file of exactly this size stays in memory. With 0, the first byte goes to disk. With -1, there is no limit.
   * It can be set until the file has rolled over, and has an effect on the next write.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_SIZE] =
    g_param_spec_int64 ("max-size", NULL, NULL,
                        -1, G_MAXINT64, DEFAULT_MAX_SIZE,
                        G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);

  /**
   * TfSpooledFile::rolled-over:
   * @self: a spooled file
   *
   * Emitted once, after the bytes were moved to disk.
   *
   * For a synchronous call, it is emitted in the thread of that call, before the call returns. For an asynchronous
   * call, it is emitted in the main context of the caller, before the callback. For
   * [func@Tf.set_roll_over_on_low_memory], it is emitted in the main context that was the thread-default one when the
   * object was created. No lock is held. The handler may use the file, unless an asynchronous call of it is under way:
   * then it may only ask and open readers.
   *
   * A handler must not drop the last reference to the file, which the call that emits the signal uses. If it may, whoever
   * makes that call holds a reference until it has returned.
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
  tf_store_open_in_memory (tf_file_get_store (self), DEFAULT_MAX_SIZE, &store_funcs, G_OBJECT (self));
}

/**
 * tf_spooled_file_new:
 * @max_size: the largest size in memory, in bytes; -1 for no limit
 *
 * Creates a file in memory that goes to disk when it grows beyond @max_size bytes.
 *
 * The file goes to the directory of [func@Tf.get_spool_dir]; [ctor@SpooledFile.new_full] takes another one. It may
 * be called from any thread and does not block.
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfSpooledFile *
tf_spooled_file_new (gint64 max_size)
{
  TfSpooledFile *self;

  g_return_val_if_fail (max_size >= -1, NULL);

  self = g_object_new (TF_TYPE_SPOOLED_FILE, NULL);
  tf_file_get_store (self)->max_size = max_size;
  return self;
}

/**
 * tf_spooled_file_new_full:
 * @max_size: the largest size in memory, in bytes; -1 for no limit
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): the directory to roll over to, or %NULL for [func@Tf.get_spool_dir]
 *
 * Creates a file in memory, like [ctor@SpooledFile.new], from a full set of parameters.
 *
 * The directory is not used before the file rolls over. Prefix and suffix are used only on file systems on which the
 * file has to be created with a name. It may be called from any thread and does not block.
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
 * Returns the largest size that the file may have in memory.
 *
 * Returns: a size in bytes, or -1 for no limit
 *
 * Since: 1.0
 */
gint64
tf_spooled_file_get_max_size (TfSpooledFile *self)
{
  g_return_val_if_fail (TF_IS_SPOOLED_FILE (self), -1);

  return tf_file_get_store (self)->max_size;
}

/**
 * tf_spooled_file_rollover:
 * @self: a spooled file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Moves the file to disk. If it is on disk already, this does nothing and succeeds.
 *
 * This is `rollover()` of Python's `SpooledTemporaryFile`. It blocks on the disk.
 *
 * If it fails, the file stays in memory as it was. Errors are of %G_IO_ERROR: %G_IO_ERROR_NO_SPACE if the disk or a
 * quota has no room, or if the size exceeds `RLIMIT_FSIZE` and SIGXFSZ is ignored; %G_IO_ERROR_NOT_FOUND if the
 * directory does not exist, or if [func@Tf.get_spool_dir] is used and finds no usable one, which is also the case if
 * the process has no descriptors left; %G_IO_ERROR_TOO_MANY_OPEN_FILES if it has none left and the directory is known;
 * %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED; otherwise an error mapped from the errno of open(2) or write(2).
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

  return tf_file_check_idle (self, error) && tf_store_roll_over (tf_file_get_store (self), cancellable, error);
}

static gssize
rollover_func (gpointer       source_object,
               gpointer       data,
               GCancellable  *cancellable,
               GError       **error)
{
  if (!tf_task_may_block (error))
    return -1;

  return tf_store_roll_over (tf_file_get_store (source_object), cancellable, error) ? 0 : -1;
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
 * A worker thread writes to the disk. [signal@SpooledFile::rolled-over] is emitted before @callback is called.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@SpooledFile.rollover_finish]. While an asynchronous operation of the file is under way, another one fails
 * with %G_IO_ERROR_PENDING.
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

  tf_file_run (self, self, tf_spooled_file_rollover_async, rollover_func, NULL, NULL,
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
 * Returns whether the file has rolled over to disk.
 *
 * The result stays the same after the file is closed.
 *
 * Returns: %TRUE if it has rolled over
 *
 * Since: 1.0
 */
gboolean
tf_spooled_file_is_rolled_over (TfSpooledFile *self)
{
  g_return_val_if_fail (TF_IS_SPOOLED_FILE (self), FALSE);

  return tf_store_has_rolled_over (tf_file_get_store (self));
}
