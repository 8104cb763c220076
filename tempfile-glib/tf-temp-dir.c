/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-temp-dir.h"

#include <string.h>

#include "base/tf-async-initable.h"
#include "base/tf-errno.h"
#include "base/tf-fork.h"
#include "base/tf-hold.h"
#include "base/tf-task.h"
#include "names/tf-entry.h"
#include "store/tf-file.h"
#include "tf-location.h"

/**
 * TfTempDir:
 *
 * A directory that is removed together with its contents: `TemporaryDirectory` of Python's `tempfile`.
 *
 * ```c
 * g_autoptr(TfTempDir) dir = tf_temp_dir_new ("unpack-", NULL, NULL, NULL, error);
 * g_autoptr(GFile) file = NULL;
 *
 * if (dir == NULL)
 *   return FALSE;
 *
 * file = tf_temp_dir_get_child (dir, "hello.txt", error);
 * return file != NULL &&
 *        g_file_replace_contents (file, "Hello world!", 12, NULL, FALSE, G_FILE_CREATE_PRIVATE, NULL, NULL, error) &&
 *        tf_temp_dir_cleanup (dir, NULL, error);
 * ```
 *
 * ```py
 * with Tf.TempDir(prefix='unpack-') as path:
 *     with open(os.path.join(path, 'hello.txt'), 'w') as file:
 *         file.write('Hello world!')
 * ```
 *
 * ```js
 * const dir = new Tf.TempDir({prefix: 'unpack-'});
 * const file = dir.get_child('hello.txt');
 * file.replace_contents('Hello world!', null, false, Gio.FileCreateFlags.PRIVATE, null);
 * dir.cleanup();
 * ```
 *
 * ```vala
 * var dir = new Tf.TempDir ("unpack-");
 * FileUtils.set_contents (dir.build_filename ({"hello.txt"}), "Hello world!");
 * dir.cleanup ();
 * ```
 *
 * [method@TempDir.cleanup] removes the directory and reports errors. Dropping the last reference removes it as well,
 * but then errors are only logged, and what stays is tried again when the process exits. A large tree makes that call
 * block: call cleanup, or [method@TempDir.cleanup_async], where that matters. The path is valid only as long as the
 * object is referenced: in `tf_temp_dir_get_path (tf_temp_dir_new (…))` the directory leaks in C, and in other
 * languages it is gone before the path is used.
 *
 * ## What is removed
 *
 * Only the directory that this object created is removed, or a directory of the same user that has replaced it, if
 * nobody else can have put it there: [What is removed, and when](lifetime.html) states the conditions. A directory that
 * has been moved to another one is not removed. If anything else has its name, that is left alone, and the call fails
 * with %G_IO_ERROR_EXISTS, once.
 *
 * Every step is relative to the descriptor of an open directory. Symbolic links are removed, never followed. Mount
 * points in the tree, and everything below them, are left in place; everything else is removed. Directories that the
 * owner cannot read or enter are made accessible first. The tree may be of any depth: no more than 12 descriptors are
 * used at a time, and no more stack than for a flat one. Entries that another process removes in the meantime do not
 * cause an error.
 *
 * Where there is more than one processor, the entries of a large directory (about 32 KiB of names, or
 * more than 64 subdirectories) are removed by two threads, which share the 12 descriptors. The second one has all
 * signals blocked, and has ended when the call returns. None is started at the end of the process, nor in a forked
 * child; then the removal only takes longer.
 *
 * ## Threads
 *
 * One object is used from one thread at a time, except that [method@TempDir.get_path] and [method@TempDir.get_file] may
 * be called while [method@TempDir.cleanup_async] runs.
 *
 * Since: 1.0
 */

#define DEFAULT_MODE 0700

typedef struct
{
  TfTemplate template;   /* absolute dir, or none */
  TfEntry entry;
  guint cleaner;       /* 0, or 1 + the generation of the process in which cleanup_async() is under way */
  guint8 is_kept;      /* keep() was called: never removed */
  guint8 auto_cleanup;
  guint8 ignore_cleanup_errors;
} TfTempDirPrivate;

typedef enum
{
  PROP_DIR = TF_TEMPLATE_PROP_DIR,
  PROP_PREFIX = TF_TEMPLATE_PROP_PREFIX,
  PROP_SUFFIX = TF_TEMPLATE_PROP_SUFFIX,
  PROP_MODE = TF_TEMPLATE_PROP_MODE,
  PROP_TEMPLATE = TF_TEMPLATE_PROP_VARIANT,
  PROP_PATH,
  PROP_FILE,
  PROP_AUTO_CLEANUP,
  PROP_IGNORE_CLEANUP_ERRORS,
} TfTempDirProperty;

static GParamSpec *properties[PROP_IGNORE_CLEANUP_ERRORS + 1];

static void tf_temp_dir_initable_init (GInitableIface *iface);

G_DEFINE_TYPE_WITH_CODE (TfTempDir, tf_temp_dir, G_TYPE_OBJECT,
                         G_ADD_PRIVATE (TfTempDir)
                         G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, tf_temp_dir_initable_init)
                         G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, tf_async_initable_iface_init))

/* Returns whether a worker has the entry, of which only the path may be used then. In a forked child there is none. */
static gboolean
is_cleaning (const TfTempDirPrivate *priv)
{
  return priv->cleaner == 1 + tf_fork_get_generation ();
}

static gboolean
do_init (GInitable     *initable,
         GCancellable  *cancellable,
         GError       **error)
{
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (TF_TEMP_DIR (initable));
  TfTemplate template = priv->template;

  if (priv->entry.path != NULL)
    return TRUE;

  if (!tf_template_complete (&template, tf_get_temp_dir, error))
    return FALSE;

  return tf_entry_create_dir (&priv->entry, &template, cancellable, error);
}

static gboolean
tf_temp_dir_initable_do_init (GInitable     *initable,
                              GCancellable  *cancellable,
                              GError       **error)
{
  return tf_async_initable_init (initable, do_init, cancellable, error);
}

static gboolean
is_initialized (gpointer object)
{
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (object);

  return priv->entry.path != NULL;
}

static void
tf_temp_dir_initable_init (GInitableIface *iface)
{
  iface->init = tf_temp_dir_initable_do_init;
}

/* Takes what went wrong, or NULL, and reports what the caller should know. */
static gboolean
report_cleanup (TfTempDir  *self,
                GError     *failure,
                GError    **error)
{
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (self);
  g_autoptr(GError) owned = failure;

  if (owned == NULL ||
      (priv->ignore_cleanup_errors && !g_error_matches (owned, G_IO_ERROR, G_IO_ERROR_CANCELLED)))
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&owned));
  return FALSE;
}

static void
tf_temp_dir_dispose (GObject *object)
{
  TfTempDir *self = TF_TEMP_DIR (object);
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (self);
  g_autoptr(GError) error = NULL;
  GError *failure = NULL;

  if ((priv->auto_cleanup || tf_async_initable_is_unclaimed (self)) && !priv->is_kept)
    tf_entry_drop (&priv->entry, TRUE, NULL, &failure);

  if (!report_cleanup (self, failure, &error))
    tf_errno_log_lost ("Removing a temporary directory", error);

  G_OBJECT_CLASS (tf_temp_dir_parent_class)->dispose (object);
}

static void
tf_temp_dir_finalize (GObject *object)
{
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (TF_TEMP_DIR (object));

  tf_template_clear (&priv->template);
  tf_entry_clear (&priv->entry);

  G_OBJECT_CLASS (tf_temp_dir_parent_class)->finalize (object);
}

static void
tf_temp_dir_get_property (GObject    *object,
                          guint       prop_id,
                          GValue     *value,
                          GParamSpec *pspec)
{
  TfTempDir *self = TF_TEMP_DIR (object);
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (self);

  switch ((TfTempDirProperty) prop_id)
    {
    case PROP_DIR:
    case PROP_PREFIX:
    case PROP_SUFFIX:
    case PROP_MODE:
      tf_template_get_property (&priv->template, prop_id, value);
      break;

    case PROP_PATH:
      g_value_set_string (value, priv->entry.path);
      break;

    case PROP_FILE:
      g_value_take_object (value, tf_temp_dir_get_file (self));
      break;

    case PROP_AUTO_CLEANUP:
      g_value_set_boolean (value, priv->auto_cleanup);
      break;

    case PROP_IGNORE_CLEANUP_ERRORS:
      g_value_set_boolean (value, priv->ignore_cleanup_errors);
      break;

    case PROP_TEMPLATE:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tf_temp_dir_set_property (GObject      *object,
                          guint         prop_id,
                          const GValue *value,
                          GParamSpec   *pspec)
{
  TfTempDir *self = TF_TEMP_DIR (object);
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (self);

  switch ((TfTempDirProperty) prop_id)
    {
    case PROP_DIR:
    case PROP_PREFIX:
    case PROP_SUFFIX:
    case PROP_MODE:
    case PROP_TEMPLATE:
      g_return_if_fail (priv->entry.path == NULL);
      tf_template_set_property (&priv->template, object, prop_id, value, pspec);
      break;

    case PROP_AUTO_CLEANUP:
      tf_temp_dir_set_auto_cleanup (self, g_value_get_boolean (value));
      break;

    case PROP_IGNORE_CLEANUP_ERRORS:
      tf_temp_dir_set_ignore_cleanup_errors (self, g_value_get_boolean (value));
      break;

    case PROP_PATH:
    case PROP_FILE:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

/* Long because each property has its documentation in it. */
static void
tf_temp_dir_class_init (TfTempDirClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  tf_async_initable_set_predicate (TF_TYPE_TEMP_DIR, is_initialized);

  object_class->dispose = tf_temp_dir_dispose;
  object_class->finalize = tf_temp_dir_finalize;
  object_class->get_property = tf_temp_dir_get_property;
  object_class->set_property = tf_temp_dir_set_property;

  /**
   * TfTempDir:dir: (type filename)
   *
   * The directory in which the directory is created; %NULL for [func@Tf.get_temp_dir].
   *
   * A relative path is resolved against the current directory at the time when the property is set. It can be set until
   * the directory is created by [method@Gio.Initable.init], as can prefix, suffix and mode. The value is a path in the
   * encoding of the file system, which need not be UTF-8.
   *
   * In Python and JavaScript, the property raises an error for a name that is not UTF-8: the file that
   * [method@TempDir.get_file] returns has the whole path.
   *
   * Since: 1.0
   */
  properties[PROP_DIR] =
    g_param_spec_string ("dir", NULL, NULL,
                         NULL,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempDir:prefix: (type filename)
   *
   * What the name begins with; %NULL for [func@Tf.get_temp_prefix].
   *
   * In Python and JavaScript, the property raises an error for a name that is not UTF-8: the file that
   * [method@TempDir.get_file] returns has the whole path.
   *
   * Since: 1.0
   */
  properties[PROP_PREFIX] =
    g_param_spec_string ("prefix", NULL, NULL,
                         NULL,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempDir:suffix: (type filename)
   *
   * What the name ends with; %NULL for nothing. No dot is put before it.
   *
   * In Python and JavaScript, the property raises an error for a name that is not UTF-8: the file that
   * [method@TempDir.get_file] returns has the whole path.
   *
   * Since: 1.0
   */
  properties[PROP_SUFFIX] =
    g_param_spec_string ("suffix", NULL, NULL,
                         NULL,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempDir:mode:
   *
   * The permission bits with which the directory is created, before the umask is applied; octal 0700 by default. The
   * umask takes none of the owner's.
   *
   * Since: 1.0
   */
  properties[PROP_MODE] =
    g_param_spec_uint ("mode", NULL, NULL,
                       0, 0777, DEFAULT_MODE,
                       G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempDir:template:
   *
   * Prefix, suffix and directory as bytes, for languages whose string properties hold only UTF-8.
   *
   * The value is of type `(maymaymay)`. Each name in it replaces the value of [property@TempDir:prefix],
   * [property@TempDir:suffix] or [property@TempDir:dir]; a missing one leaves that property as it is. A NUL byte
   * ends a name. It can be set as long as they can. [ctor@TempDir.new_full] takes such names directly, but cannot
   * create an object of a derived class.
   *
   * Since: 1.0
   */
  properties[PROP_TEMPLATE] =
    g_param_spec_variant ("template", NULL, NULL,
                          G_VARIANT_TYPE (TF_TEMPLATE_VARIANT_TYPE), NULL,
                          G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempDir:path: (getter get_path)
   *
   * The absolute path of the directory; %NULL before it is created.
   *
   * There is no notification when [method@Gio.Initable.init] sets it.
   *
   * The value is in the encoding of the file system, which need not be UTF-8.
   *
   * In Python and JavaScript, the property raises an error for a path that is not UTF-8: call
   * [method@TempDir.get_file] instead.
   *
   * Since: 1.0
   */
  properties[PROP_PATH] =
    g_param_spec_string ("path", NULL, NULL,
                         NULL,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempDir:file: (getter get_file)
   *
   * The path as a [iface@Gio.File]; %NULL before the directory is created.
   *
   * There is no notification when [method@Gio.Initable.init] sets it.
   *
   * Since: 1.0
   */
  properties[PROP_FILE] =
    g_param_spec_object ("file", NULL, NULL,
                         G_TYPE_FILE,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempDir:auto-cleanup: (getter get_auto_cleanup) (setter set_auto_cleanup)
   *
   * Whether the directory is removed when the object is disposed: `delete` of Python's `TemporaryDirectory`.
   *
   * [method@TempDir.cleanup] removes it whatever the value, but not after [method@TempDir.keep].
   *
   * Since: 1.0
   */
  properties[PROP_AUTO_CLEANUP] =
    g_param_spec_boolean ("auto-cleanup", NULL, NULL,
                          TRUE,
                          G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempDir:ignore-cleanup-errors: (getter get_ignore_cleanup_errors) (setter set_ignore_cleanup_errors)
   *
   * Whether errors are ignored when some of the directory cannot be removed.
   *
   * Since: 1.0
   */
  properties[PROP_IGNORE_CLEANUP_ERRORS] =
    g_param_spec_boolean ("ignore-cleanup-errors", NULL, NULL,
                          FALSE,
                          G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);
}

static void
tf_temp_dir_init (TfTempDir *self)
{
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (self);

  tf_entry_init (&priv->entry);
  priv->template.mode = DEFAULT_MODE;
  priv->auto_cleanup = TRUE;
}

static TfTempDir *
create (const char    *prefix,
        const char    *suffix,
        const char    *dir,
        guint          mode,
        GCancellable  *cancellable,
        GError       **error)
{
  g_autoptr(TfTempDir) self = g_object_new (TF_TYPE_TEMP_DIR, NULL);
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (self);

  tf_template_set (&priv->template, prefix, suffix, dir);
  priv->template.mode = mode;
  return g_initable_init (G_INITABLE (self), cancellable, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * tf_temp_dir_new:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the directory, or %NULL for [func@Tf.get_temp_dir]
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a directory of mode 0700, as [func@Tf.mkdtemp] does, and with the same errors.
 *
 * It may be called from any thread. It blocks on the disk. The first 64 directories of a process hold a descriptor
 * each, or fewer if the limit of descriptors is low, so that systemd-tmpfiles does not remove what is in them.
 *
 * Returns: (transfer full): a new directory
 *
 * Since: 1.0
 */
TfTempDir *
tf_temp_dir_new (const char    *prefix,
                 const char    *suffix,
                 const char    *dir,
                 GCancellable  *cancellable,
                 GError       **error)
{
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return create (prefix, suffix, dir, DEFAULT_MODE, cancellable, error);
}

/**
 * tf_temp_dir_new_full:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the directory, or %NULL for [func@Tf.get_temp_dir]
 * @mode: the permission bits, before the umask is applied; usually octal 0700
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a directory with the permission bits @mode; see [ctor@TempDir.new].
 *
 * If the owner may not write the directory or enter it, it is removed all the same. It blocks on the disk.
 *
 * Returns: (transfer full): a new directory
 *
 * Since: 1.0
 */
TfTempDir *
tf_temp_dir_new_full (const char    *prefix,
                      const char    *suffix,
                      const char    *dir,
                      guint          mode,
                      GCancellable  *cancellable,
                      GError       **error)
{
  g_return_val_if_fail (mode <= 0777, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return create (prefix, suffix, dir, mode, cancellable, error);
}

/**
 * tf_temp_dir_create_async:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the directory, or %NULL for [func@Tf.get_temp_dir]
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [ctor@TempDir.new].
 *
 * The directory is created in a worker thread. If @cancellable is cancelled before [func@TempDir.create_finish], or if
 * that function is never called, the directory is removed.
 *
 * @callback is called in the thread-default main context of the caller. It calls [func@TempDir.create_finish].
 *
 * Since: 1.0
 */
void
tf_temp_dir_create_async (const char          *prefix,
                          const char          *suffix,
                          const char          *dir,
                          int                  io_priority,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  g_async_initable_new_async (TF_TYPE_TEMP_DIR, io_priority, cancellable, callback, user_data,
                              "prefix", prefix,
                              "suffix", suffix,
                              "dir", dir,
                              NULL);
}

/**
 * tf_temp_dir_create_finish:
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [func@TempDir.create_async].
 *
 * The errors are those of [ctor@TempDir.new].
 *
 * Returns: (transfer full): a new directory
 *
 * Since: 1.0
 */
TfTempDir *
tf_temp_dir_create_finish (GAsyncResult  *result,
                           GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_async_initable_finish (result, TF_TYPE_TEMP_DIR, error);
}

/**
 * tf_temp_dir_create_full_async:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the directory, or %NULL for [func@Tf.get_temp_dir]
 * @mode: the permission bits, before the umask is applied; usually octal 0700
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [ctor@TempDir.new_full].
 *
 * The directory is created in a worker thread. If @cancellable is cancelled before
 * [func@TempDir.create_full_finish], or if that function is never called, the directory is removed.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [func@TempDir.create_full_finish].
 *
 * Since: 1.0
 */
void
tf_temp_dir_create_full_async (const char          *prefix,
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

  g_async_initable_new_async (TF_TYPE_TEMP_DIR, io_priority, cancellable, callback, user_data,
                              "prefix", prefix,
                              "suffix", suffix,
                              "dir", dir,
                              "mode", mode,
                              NULL);
}

/**
 * tf_temp_dir_create_full_finish:
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [func@TempDir.create_full_async].
 *
 * The errors are those of [ctor@TempDir.new_full].
 *
 * Returns: (transfer full): a new directory
 *
 * Since: 1.0
 */
TfTempDir *
tf_temp_dir_create_full_finish (GAsyncResult  *result,
                                GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_async_initable_finish (result, TF_TYPE_TEMP_DIR, error);
}

/**
 * tf_temp_dir_get_path: (get-property path)
 * @self: a temporary directory
 *
 * Returns the absolute path of the directory, even after it has been removed.
 *
 * Returns: (type filename) (transfer none) (nullable): a path, or %NULL if the object was not initialized
 *
 * Since: 1.0
 */
const char *
tf_temp_dir_get_path (TfTempDir *self)
{
  TfTempDirPrivate *priv;

  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);

  priv = tf_temp_dir_get_instance_private (self);
  return priv->entry.path;
}

/**
 * tf_temp_dir_get_file: (get-property file)
 * @self: a temporary directory
 *
 * Returns the path of the directory as a [iface@Gio.File], even after it has been removed.
 *
 * Returns: (transfer full) (nullable): a new file, or %NULL if the object was not initialized
 *
 * Since: 1.0
 */
GFile *
tf_temp_dir_get_file (TfTempDir *self)
{
  TfTempDirPrivate *priv;

  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);

  priv = tf_temp_dir_get_instance_private (self);
  return priv->entry.path != NULL ? g_file_new_for_path (priv->entry.path) : NULL;
}

static gboolean
check_initialized (TfTempDir  *self,
                   GError    **error)
{
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (self);

  return priv->entry.path != NULL || tf_errno_set_not_initialized (error, "temporary directory");
}

/* Whether @name is one in the directory, and neither the directory itself nor outside of it. */
static gboolean
is_inside (const char *name)
{
  g_auto(GStrv) parts = g_strsplit (name, "/", -1);
  gboolean has_name = FALSE;

  for (gsize i = 0; parts[i] != NULL; i++)
    if (*parts[i] != '\0' && strcmp (parts[i], ".") != 0)
      has_name = TRUE;

  return has_name && *name != '/' && !g_strv_contains ((const char * const *) parts, "..");
}

static gboolean
check_name (const char  *name,
            GError     **error)
{
  g_autofree char *display = NULL;

  if (is_inside (name))
    return TRUE;

  display = g_filename_display_name (name);
  tf_errno_set_code (error, G_IO_ERROR_INVALID_FILENAME,
                     "“%s” is not a name in the temporary directory", display);
  return FALSE;
}

/**
 * tf_temp_dir_get_child:
 * @self: a temporary directory
 * @name: (type filename): a name in the directory, or a relative path
 * @error: return location for an error
 *
 * Returns the [iface@Gio.File] of that name in the directory. It does not access the disk.
 *
 * Names that come from elsewhere, from an archive for example, are safe here: an absolute path, one with a `..` in
 * it, and a name of the directory itself, such as `.`, `./` or an empty one, are refused with
 * %G_IO_ERROR_INVALID_FILENAME. A symbolic link in the directory can still lead out of it.
 * %G_IO_ERROR_NOT_INITIALIZED if the object was not initialized.
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
GFile *
tf_temp_dir_get_child (TfTempDir   *self,
                       const char  *name,
                       GError     **error)
{
  TfTempDirPrivate *priv;
  g_autofree char *path = NULL;

  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  priv = tf_temp_dir_get_instance_private (self);
  if (!check_initialized (self, error) || !check_name (name, error))
    return NULL;

  path = g_build_filename (priv->entry.path, name, NULL);
  return g_file_new_for_path (path);
}

/**
 * tf_temp_dir_build_filename:
 * @self: a temporary directory
 * @error: return location for an error
 * @first_element: (type filename): a name in the directory, or a relative path
 * @...: further names, each of which is in the one before, and %NULL
 *
 * Builds the path of something in the directory, as g_build_filename() does. It does not access the disk.
 *
 * ```c
 * g_autofree char *path = tf_temp_dir_build_filename (dir, error, "share", "icons", NULL);
 * ```
 *
 * Each element is checked as the name of [method@TempDir.get_child] is, and the errors are the same.
 *
 * Returns: (type filename) (transfer full): an absolute path
 *
 * Since: 1.0
 */
char *
tf_temp_dir_build_filename (TfTempDir   *self,
                            GError     **error,
                            const char  *first_element,
                            ...)
{
  g_autoptr(GPtrArray) elements = NULL;
  va_list args;

  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);
  g_return_val_if_fail (first_element != NULL, NULL);

  elements = g_ptr_array_new ();
  va_start (args, first_element);
  /* va_start() was called, which the analyzer overlooks. NOLINTNEXTLINE(clang-analyzer-valist.*) */
  for (const char *element = first_element; element != NULL; element = va_arg (args, const char *))
    g_ptr_array_add (elements, (char *) element);
  va_end (args);
  g_ptr_array_add (elements, NULL);

  return tf_temp_dir_build_filenamev (self, (const char * const *) elements->pdata, error);
}

/**
 * tf_temp_dir_build_filenamev: (rename-to tf_temp_dir_build_filename)
 * @self: a temporary directory
 * @elements: (array zero-terminated=1) (element-type filename): names, each of which is in the one before
 * @error: return location for an error
 *
 * Builds the path of something in the directory, as g_build_filenamev() does. It does not access the disk.
 *
 * Each element is checked as the name of [method@TempDir.get_child] is, and the errors are the same. No elements at
 * all are refused like an empty one.
 *
 * Returns: (type filename) (transfer full): an absolute path
 *
 * Since: 1.0
 */
char *
tf_temp_dir_build_filenamev (TfTempDir  *self,
                             const char * const *elements,
                             GError    **error)
{
  TfTempDirPrivate *priv;
  g_autofree char *name = NULL;

  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);
  g_return_val_if_fail (elements != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  priv = tf_temp_dir_get_instance_private (self);
  if (!check_initialized (self, error))
    return NULL;

  for (gsize i = 0; elements[i] != NULL; i++)
    if (!check_name (elements[i], error))
      return NULL;

  name = g_build_filenamev ((char **) elements);
  return check_name (name, error) ? g_build_filename (priv->entry.path, name, NULL) : NULL;
}

/**
 * tf_temp_dir_get_auto_cleanup: (get-property auto-cleanup)
 * @self: a temporary directory
 *
 * Returns whether the directory is removed when the object is disposed.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
tf_temp_dir_get_auto_cleanup (TfTempDir *self)
{
  TfTempDirPrivate *priv;

  g_return_val_if_fail (TF_IS_TEMP_DIR (self), FALSE);

  priv = tf_temp_dir_get_instance_private (self);
  return priv->auto_cleanup;
}

/**
 * tf_temp_dir_set_auto_cleanup: (set-property auto-cleanup)
 * @self: a temporary directory
 * @auto_cleanup: whether to remove it
 *
 * Sets whether the directory is removed when the object is disposed.
 *
 * After [method@TempDir.keep], it stays %FALSE, and setting it does nothing.
 *
 * Since: 1.0
 */
void
tf_temp_dir_set_auto_cleanup (TfTempDir *self,
                              gboolean   auto_cleanup)
{
  TfTempDirPrivate *priv;

  g_return_if_fail (TF_IS_TEMP_DIR (self));

  priv = tf_temp_dir_get_instance_private (self);
  if (priv->is_kept || priv->auto_cleanup == !!auto_cleanup)
    return;

  priv->auto_cleanup = !!auto_cleanup;
  if (!is_cleaning (priv))
    tf_entry_set_kept (&priv->entry, !auto_cleanup);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_AUTO_CLEANUP]);
}

/**
 * tf_temp_dir_get_ignore_cleanup_errors: (get-property ignore-cleanup-errors)
 * @self: a temporary directory
 *
 * Returns whether errors are ignored when some of the directory cannot be removed.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
tf_temp_dir_get_ignore_cleanup_errors (TfTempDir *self)
{
  TfTempDirPrivate *priv;

  g_return_val_if_fail (TF_IS_TEMP_DIR (self), FALSE);

  priv = tf_temp_dir_get_instance_private (self);
  return priv->ignore_cleanup_errors;
}

/**
 * tf_temp_dir_set_ignore_cleanup_errors: (set-property ignore-cleanup-errors)
 * @self: a temporary directory
 * @ignore_cleanup_errors: whether to ignore errors
 *
 * Sets whether errors are ignored when some of the directory cannot be removed.
 *
 * Since: 1.0
 */
void
tf_temp_dir_set_ignore_cleanup_errors (TfTempDir *self,
                                       gboolean   ignore_cleanup_errors)
{
  TfTempDirPrivate *priv;

  g_return_if_fail (TF_IS_TEMP_DIR (self));

  priv = tf_temp_dir_get_instance_private (self);
  if (priv->ignore_cleanup_errors == !!ignore_cleanup_errors)
    return;

  priv->ignore_cleanup_errors = !!ignore_cleanup_errors;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_IGNORE_CLEANUP_ERRORS]);
}

/**
 * tf_temp_dir_keep:
 * @self: a temporary directory
 *
 * Keeps the directory: from now on neither the object nor a sweep removes it, whatever is called.
 *
 * The caller becomes responsible for removing the directory. This needs neither the disk nor a descriptor, and cannot
 * fail. If the process is being ended by a signal, see [func@Tf.cleanup_on_signals], and has removed the directory
 * already, it does not return. In a forked child, the parent may still remove the directory, but no sweep does.
 *
 * Returns: (type filename) (transfer full) (nullable): the path, or %NULL if the object was not initialized
 *
 * Since: 1.0
 */
char *
tf_temp_dir_keep (TfTempDir *self)
{
  TfTempDirPrivate *priv;

  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);

  priv = tf_temp_dir_get_instance_private (self);
  if (priv->entry.path == NULL)
    return NULL;

  tf_temp_dir_set_auto_cleanup (self, FALSE);
  if (!is_cleaning (priv))
    tf_entry_keep (&priv->entry);
  priv->is_kept = TRUE;
  return g_strdup (priv->entry.path);
}

/* Whether the directory can be removed by a call that begins now. */
static gboolean
check_ready (TfTempDir     *self,
             GCancellable  *cancellable,
             GError       **error)
{
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (self);

  if (!check_initialized (self, error) || g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  if (is_cleaning (priv))
    tf_errno_set_code (error, G_IO_ERROR_PENDING, "The temporary directory is already being removed");

  return !is_cleaning (priv);
}

/**
 * tf_temp_dir_cleanup:
 * @self: a temporary directory
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Removes the directory together with its contents.
 *
 * When something cannot be removed, the call goes on with the rest, and reports the first error, with its path and
 * the number of errors. After an error or a cancellation it can be called again. After it has succeeded, or after
 * [method@TempDir.keep], it does nothing and succeeds. With [property@TempDir:ignore-cleanup-errors], what goes wrong
 * in removing is not reported; %G_IO_ERROR_CANCELLED, %G_IO_ERROR_PENDING and %G_IO_ERROR_NOT_INITIALIZED are.
 *
 * It blocks on the disk. Errors are of %G_IO_ERROR: %G_IO_ERROR_BUSY if there is a mount point in the tree;
 * %G_IO_ERROR_EXISTS if something else has the name, which is left alone; %G_IO_ERROR_NOT_FOUND if the directory in
 * which it was created is not at its path any more; %G_IO_ERROR_NOT_EMPTY if someone keeps filling the directory;
 * %G_IO_ERROR_PERMISSION_DENIED, also in a forked child that did not create the directory; %G_IO_ERROR_PENDING during
 * [method@TempDir.cleanup_async]; %G_IO_ERROR_CANCELLED; %G_IO_ERROR_NOT_INITIALIZED; otherwise an error mapped from
 * the errno of the call that failed.
 *
 * Returns: %TRUE if the object has nothing to remove any more: the directory was removed, moved away or kept, or its
 *   errors are ignored
 *
 * Since: 1.0
 */
gboolean
tf_temp_dir_cleanup (TfTempDir     *self,
                     GCancellable  *cancellable,
                     GError       **error)
{
  TfTempDirPrivate *priv;
  GError *failure = NULL;

  g_return_val_if_fail (TF_IS_TEMP_DIR (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  priv = tf_temp_dir_get_instance_private (self);
  if (!check_ready (self, cancellable, error))
    return FALSE;

  if (!priv->is_kept)
    tf_entry_remove (&priv->entry, tf_entry_count_kept (&priv->entry), cancellable, &failure);

  return report_cleanup (self, failure, error);
}

static gssize
cleanup_func (gpointer       source_object,
              gpointer       task_data,
              GCancellable  *cancellable,
              GError       **error)
{
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (source_object);

  if (!tf_task_may_block (error))
    return -1;

  return tf_entry_remove (&priv->entry, tf_entry_count_kept (&priv->entry), cancellable, error) ? 0 : -1;
}

static void
on_cleaned (GTask  *task,
            gssize  result,
            GError *failure)
{
  TfTempDir *self = g_task_get_source_object (task);
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (self);
  GError *error = NULL;
  gboolean success;

  /* In case it was changed meanwhile. */
  priv->cleaner = 0;
  tf_entry_set_kept (&priv->entry, !priv->auto_cleanup);
  if (priv->is_kept)
    tf_entry_keep (&priv->entry);

  success = report_cleanup (self, failure, &error);
  tf_task_return (task, success ? 0 : -1, error);
}

/**
 * tf_temp_dir_cleanup_async:
 * @self: a temporary directory
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempDir.cleanup].
 *
 * A worker thread does the work. Until it is done, another cleanup fails with %G_IO_ERROR_PENDING, and
 * neither [method@TempDir.keep] nor [property@TempDir:auto-cleanup] has an effect on it.
 *
 * @callback is called in the thread-default main context of the caller. It calls [method@TempDir.cleanup_finish].
 *
 * Since: 1.0
 */
void
tf_temp_dir_cleanup_async (TfTempDir           *self,
                           int                  io_priority,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  TfTempDirPrivate *priv;
  g_autoptr(GTask) task = NULL;
  GError *error = NULL;

  g_return_if_fail (TF_IS_TEMP_DIR (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  priv = tf_temp_dir_get_instance_private (self);
  task = tf_task_new (self, tf_temp_dir_cleanup_async, io_priority, cancellable, callback, user_data);
  if (!check_ready (self, cancellable, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  if (priv->is_kept)
    {
      g_task_return_int (task, 0);
      return;
    }

  priv->cleaner = 1 + tf_fork_get_generation ();
  tf_task_run_step (task, cleanup_func, on_cleaned);
}

/**
 * tf_temp_dir_cleanup_finish:
 * @self: a temporary directory
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempDir.cleanup_async].
 *
 * The errors are those of [method@TempDir.cleanup].
 *
 * Returns: %TRUE if the object has nothing to remove any more
 *
 * Since: 1.0
 */
gboolean
tf_temp_dir_cleanup_finish (TfTempDir     *self,
                            GAsyncResult  *result,
                            GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_DIR (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_task_finish (self, result, tf_temp_dir_cleanup_async, error) >= 0;
}

/* --- Files and directories in it ------------------------------------------------------------ */

/* Something that is created in the directory. It belongs to the task until the caller takes it. */
typedef struct
{
  gpointer (*make) (TfTempDir     *self,
                    const char    *prefix,
                    const char    *suffix,
                    GCancellable  *cancellable,
                    GError       **error);
  char *prefix;    /* (owned) (nullable) */
  char *suffix;    /* (owned) (nullable) */
  gpointer object; /* (owned) (nullable): a TfNamedFile or a TfTempDir */
} Creation;

/* Initializes @object, which has @template. */
static gboolean
init_inside (TfTempDir     *self,
             gpointer       object,
             TfTemplate    *template,
             const char    *prefix,
             const char    *suffix,
             GCancellable  *cancellable,
             GError       **error)
{
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (self);
  gboolean success;

  tf_template_set (template, prefix, suffix, priv->entry.path);
  template->inside = &priv->entry;
  success = g_initable_init (object, cancellable, error);
  template->inside = NULL;
  return success;
}

static gpointer
make_file (TfTempDir     *self,
           const char    *prefix,
           const char    *suffix,
           GCancellable  *cancellable,
           GError       **error)
{
  g_autoptr(TfNamedFile) file = g_object_new (TF_TYPE_NAMED_FILE, NULL);

  tf_named_file_set_delete_policy (file, TF_DELETE_NEVER);
  if (!init_inside (self, file, &tf_file_of (file)->template, prefix, suffix, cancellable, error))
    return NULL;

  return g_steal_pointer (&file);
}

static gpointer
make_dir (TfTempDir     *self,
          const char    *prefix,
          const char    *suffix,
          GCancellable  *cancellable,
          GError       **error)
{
  g_autoptr(TfTempDir) dir = g_object_new (TF_TYPE_TEMP_DIR, NULL);
  TfTempDirPrivate *priv = tf_temp_dir_get_instance_private (dir);

  tf_temp_dir_set_auto_cleanup (dir, FALSE);
  if (!init_inside (self, dir, &priv->template, prefix, suffix, cancellable, error))
    return NULL;

  return g_steal_pointer (&dir);
}

/**
 * tf_temp_dir_create_file:
 * @self: a temporary directory
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a file with a new name in the directory, which removes it.
 *
 * The file has the policy %TF_DELETE_NEVER and the mode 0600: it stays when it is closed, and goes with the directory.
 * With another policy, which can be set, it is removed as any [class@NamedFile] is. Otherwise it costs little more
 * than mkstemp(3), because nothing is written down about it.
 *
 * The file is created in the directory itself, and not in what may have taken its place; if the directory was moved,
 * the path of the file is wrong. Objects of files and directories in it can be used after it has been removed; to
 * remove them again succeeds.
 *
 * It may be called from any thread. It blocks on the disk. The errors are those of [func@Tf.mkstemp] and
 * %G_IO_ERROR_NOT_FOUND if the directory was removed, %G_IO_ERROR_PENDING during [method@TempDir.cleanup_async] and
 * %G_IO_ERROR_NOT_INITIALIZED. After [method@TempDir.keep], the file is kept with the directory.
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfNamedFile *
tf_temp_dir_create_file (TfTempDir     *self,
                         const char    *prefix,
                         const char    *suffix,
                         GCancellable  *cancellable,
                         GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return check_ready (self, cancellable, error) ? make_file (self, prefix, suffix, cancellable, error) : NULL;
}

/**
 * tf_temp_dir_create_dir:
 * @self: a temporary directory
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a directory with a new name in the directory, which removes it.
 *
 * [property@TempDir:auto-cleanup] of the new one is %FALSE, and its mode is 0700: it goes with the directory that it is
 * in. If the property is set, it is removed on its own as any [class@TempDir] is. Otherwise it costs no more than
 * mkdtemp(3), and no descriptor. [method@TempDir.create_file] describes what else holds.
 *
 * It may be called from any thread. It blocks on the disk. The errors are those of [method@TempDir.create_file].
 *
 * Returns: (transfer full): a new directory
 *
 * Since: 1.0
 */
TfTempDir *
tf_temp_dir_create_dir (TfTempDir     *self,
                        const char    *prefix,
                        const char    *suffix,
                        GCancellable  *cancellable,
                        GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return check_ready (self, cancellable, error) ? make_dir (self, prefix, suffix, cancellable, error) : NULL;
}

/* Removes what the caller has not taken. */
static void
creation_undo (Creation *self)
{
  g_autoptr(GObject) object = g_steal_pointer (&self->object);

  if (TF_IS_NAMED_FILE (object))
    tf_named_file_unlink (TF_NAMED_FILE (object), NULL, NULL);
  else if (TF_IS_TEMP_DIR (object))
    tf_temp_dir_cleanup (TF_TEMP_DIR (object), NULL, NULL);
}

static void
creation_free (gpointer data)
{
  Creation *self = data;

  creation_undo (self);
  g_free (self->prefix);
  g_free (self->suffix);
  g_free (self);
}

static gssize
creation_func (gpointer       source_object,
               gpointer       task_data,
               GCancellable  *cancellable,
               GError       **error)
{
  Creation *self = task_data;

  if (!tf_task_may_block (error))
    return -1;

  self->object = self->make (source_object, self->prefix, self->suffix, cancellable, error);
  if (self->object != NULL && g_cancellable_set_error_if_cancelled (cancellable, error))
    creation_undo (self);

  return self->object != NULL ? 0 : -1;
}

static void
creation_start (TfTempDir           *self,
                gpointer (*make) (TfTempDir *, const char *, const char *, GCancellable *, GError **),
                const char          *prefix,
                const char          *suffix,
                gpointer             source_tag,
                int                  io_priority,
                GCancellable        *cancellable,
                GAsyncReadyCallback  callback,
                gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (self, source_tag, io_priority, cancellable, callback, user_data);
  Creation *creation = g_new0 (Creation, 1);
  GError *error = NULL;

  *creation = (Creation) { .make = make, .prefix = g_strdup (prefix), .suffix = g_strdup (suffix) };
  g_task_set_task_data (task, creation, creation_free);
  if (!check_ready (self, cancellable, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  /* A creation can be undone as long as the caller has not taken the result. */
  g_task_set_check_cancellable (task, TRUE);
  tf_task_run (task, creation_func);
}

static gpointer
creation_finish (TfTempDir     *self,
                 GAsyncResult  *result,
                 gpointer       source_tag,
                 GError       **error)
{
  Creation *creation;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, source_tag), NULL);

  creation = g_task_get_task_data (G_TASK (result));
  if (tf_task_finish (self, result, source_tag, error) >= 0)
    return g_steal_pointer (&creation->object);

  creation_undo (creation);
  return NULL;
}

/**
 * tf_temp_dir_create_file_async:
 * @self: a temporary directory
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempDir.create_file].
 *
 * A worker thread does the work. If @cancellable is cancelled before [method@TempDir.create_file_finish], or if that
 * function is never called, the file is removed.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempDir.create_file_finish].
 *
 * Since: 1.0
 */
void
tf_temp_dir_create_file_async (TfTempDir           *self,
                               const char          *prefix,
                               const char          *suffix,
                               int                  io_priority,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_DIR (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  creation_start (self, make_file, prefix, suffix, tf_temp_dir_create_file_async, io_priority,
                  cancellable, callback, user_data);
}

/**
 * tf_temp_dir_create_file_finish:
 * @self: a temporary directory
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempDir.create_file_async].
 *
 * The errors are those of [method@TempDir.create_file].
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfNamedFile *
tf_temp_dir_create_file_finish (TfTempDir     *self,
                                GAsyncResult  *result,
                                GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return creation_finish (self, result, tf_temp_dir_create_file_async, error);
}

/**
 * tf_temp_dir_create_dir_async:
 * @self: a temporary directory
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@TempDir.create_dir].
 *
 * A worker thread does the work. If @cancellable is cancelled before [method@TempDir.create_dir_finish], or if that
 * function is never called, the directory is removed.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [method@TempDir.create_dir_finish].
 *
 * Since: 1.0
 */
void
tf_temp_dir_create_dir_async (TfTempDir           *self,
                              const char          *prefix,
                              const char          *suffix,
                              int                  io_priority,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data)
{
  g_return_if_fail (TF_IS_TEMP_DIR (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  creation_start (self, make_dir, prefix, suffix, tf_temp_dir_create_dir_async, io_priority,
                  cancellable, callback, user_data);
}

/**
 * tf_temp_dir_create_dir_finish:
 * @self: a temporary directory
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@TempDir.create_dir_async].
 *
 * The errors are those of [method@TempDir.create_dir].
 *
 * Returns: (transfer full): a new directory
 *
 * Since: 1.0
 */
TfTempDir *
tf_temp_dir_create_dir_finish (TfTempDir     *self,
                               GAsyncResult  *result,
                               GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return creation_finish (self, result, tf_temp_dir_create_dir_async, error);
}

/* --- Other programs -------------------------------------------------------------------------- */

/**
 * tf_temp_dir_hold_until_exit:
 * @self: a temporary directory
 *
 * Holds the directory until this process exits, whatever happens to the references to the object.
 *
 * Use it for a directory that is handed to a program whose end cannot be observed. The object is referenced for good.
 *
 * A hold only extends the lifetime; a directory that is to be kept is not removed: a directory whose
 * [property@TempDir:auto-cleanup] is %FALSE, set before or afterwards, or that was kept with [method@TempDir.keep],
 * stays when the process exits. [method@TempDir.cleanup] removes the directory when it is called, held or not.
 *
 * Since: 1.0
 */
void
tf_temp_dir_hold_until_exit (TfTempDir *self)
{
  g_return_if_fail (TF_IS_TEMP_DIR (self));

  tf_hold_until_exit (self);
}

/**
 * tf_temp_dir_hold_for_subprocess:
 * @self: a temporary directory
 * @subprocess: the process to which the directory was handed
 *
 * Holds the directory until @subprocess has ended, whatever happens to the references to the object.
 *
 * The object is referenced until then. [method@TempDir.hold_until_exit] describes what a hold does not do. The end is
 * noticed in the thread-default main context of the caller. When this process exits, the directory is removed, even if
 * @subprocess still runs. The last reference is dropped, and so the directory removed, in a worker thread.
 *
 * Since: 1.0
 */
void
tf_temp_dir_hold_for_subprocess (TfTempDir   *self,
                                 GSubprocess *subprocess)
{
  g_return_if_fail (TF_IS_TEMP_DIR (self));
  g_return_if_fail (G_IS_SUBPROCESS (subprocess));

  tf_hold_for_subprocess (self, subprocess);
}

/**
 * tf_temp_dir_hold_for_pid:
 * @self: a temporary directory
 * @pid: the process to which the directory was handed
 *
 * Holds the directory until the process @pid has ended, as [method@TempDir.hold_for_subprocess] does.
 *
 * The process need not be a child. It is watched by a descriptor, so that it is not taken for a later process with
 * the same number. The caller makes sure that @pid is still the process that it means: a child that nobody has
 * waited for yet, for example. Where pidfd_open(2) is refused, the process is looked for once a second.
 *
 * If the process has already ended, this call does nothing.
 *
 * Since: 1.0
 */
void
tf_temp_dir_hold_for_pid (TfTempDir *self,
                          GPid       pid)
{
  g_return_if_fail (TF_IS_TEMP_DIR (self));
  g_return_if_fail (pid > 0);

  tf_hold_for_pid (self, pid);
}

/**
 * tf_temp_dir_hand_over:
 * @self: a temporary directory
 * @grace_seconds: how long the directory stays at least, in seconds
 *
 * Hands the directory over to another program that cannot be watched, as [method@NamedFile.hand_over] does with a file.
 *
 * The directory stays for @grace_seconds. After that it is removed as soon as no process has a regular file in it open,
 * at any depth. What else a process does in it is not known, and does not count: an open directory, a working
 * directory, a socket or a FIFO. In doubt the directory stays: if something in it belongs to another user, cannot be
 * read, is another file system, or has a path of more than 4096 bytes. Each look at it opens every file in it, in a
 * worker thread.
 *
 * [method@TempDir.cleanup] removes the directory at once. [method@TempDir.keep] and a [property@TempDir:auto-cleanup]
 * of %FALSE end the hand-over. With a directory that is kept already, or during [method@TempDir.cleanup_async], this
 * call does nothing. Otherwise all is as with a file.
 *
 * Since: 1.0
 */
void
tf_temp_dir_hand_over (TfTempDir *self,
                       guint      grace_seconds)
{
  TfTempDirPrivate *priv;

  g_return_if_fail (TF_IS_TEMP_DIR (self));

  priv = tf_temp_dir_get_instance_private (self);
  if (!is_cleaning (priv))
    tf_entry_hand_over (&priv->entry, grace_seconds);
}

/**
 * tf_temp_dir_is_inherited:
 * @self: a temporary directory
 *
 * Returns whether this process is a forked child of the one that created the directory, and therefore does not remove it.
 *
 * It returns at once.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
tf_temp_dir_is_inherited (TfTempDir *self)
{
  TfTempDirPrivate *priv;

  g_return_val_if_fail (TF_IS_TEMP_DIR (self), FALSE);

  priv = tf_temp_dir_get_instance_private (self);
  return tf_entry_is_inherited (&priv->entry);
}

/**
 * tf_temp_dir_is_handed_over:
 * @self: a temporary directory
 *
 * Returns whether [method@TempDir.hand_over] was called, and the directory neither removed nor kept since.
 *
 * It returns at once.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
tf_temp_dir_is_handed_over (TfTempDir *self)
{
  TfTempDirPrivate *priv;

  g_return_val_if_fail (TF_IS_TEMP_DIR (self), FALSE);

  priv = tf_temp_dir_get_instance_private (self);
  return tf_entry_is_handed_over (&priv->entry);
}
