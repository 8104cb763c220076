/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-named-file.h"

#include <fcntl.h>

#include "base/tf-async-initable.h"
#include "base/tf-errno.h"
#include "base/tf-hold.h"
#include "base/tf-task.h"
#include "names/tf-entry.h"
#include "store/tf-file.h"
#include "tf-location.h"

/**
 * TfNamedFile:
 *
 * A [class@TempFile] with a visible name, which is removed automatically: `NamedTemporaryFile` of Python's
 * `tempfile`.
 *
 * ```c
 * g_autoptr(TfNamedFile) file = tf_named_file_new ("report-", ".txt", NULL, NULL, error);
 * g_autofree char *content = NULL;
 *
 * if (file == NULL || !tf_temp_file_write (TF_TEMP_FILE (file), "Hello world!", 12, NULL, error))
 *   return FALSE;
 *
 * return g_file_get_contents (tf_named_file_get_path (file), &content, NULL, error);
 * ```
 *
 * ```py
 * with Tf.NamedFile(prefix='report-', suffix='.txt') as file:
 *     file.write(b'Hello world!')
 *     file.flush()
 *     with open(file.name, 'rb') as other:
 *         content = other.read()
 * ```
 *
 * ```js
 * const file = new Tf.NamedFile({prefix: 'report-', suffix: '.txt'});
 * file.write('Hello world!');
 * const [, content] = file.get_file().load_contents(null);
 * file.close();
 * ```
 *
 * ```vala
 * var file = new Tf.NamedFile ("report-", ".txt");
 * file.write ("Hello world!".data);
 * string content;
 * FileUtils.get_contents (file.path, out content);
 * ```
 *
 * The file's [enum@DeletePolicy] says when the name is removed. Another regular file of the same user that has replaced
 * the file, as editors do that save it, is removed if nobody else can have put it there. If anything else has its name,
 * it is left alone, and the call that should have removed it fails with %G_IO_ERROR_EXISTS, once. If the file no longer
 * exists, the call succeeds.
 *
 * The path is made absolute when the file is created, so that a later chdir(2) does not matter.
 *
 * Since: 1.0
 */

typedef struct
{
  TfDeletePolicy delete_policy;
  gboolean buffered;
  TfEntry entry;
  gboolean reported;  /* closing reported that it could not remove the name */
  gboolean persisted; /* the name is a lasting one */
  GBytes *content;    /* (owned) (nullable): to be written when the file is created */
} TfNamedFilePrivate;

typedef enum
{
  PROP_PATH = 1,
  PROP_FILE,
  PROP_DELETE_POLICY,
  PROP_BUFFERED,
} TfNamedFileProperty;

static GParamSpec *properties[PROP_BUFFERED + 1];

static void tf_named_file_initable_init (GInitableIface *iface);

G_DEFINE_TYPE_WITH_CODE (TfNamedFile, tf_named_file, TF_TYPE_TEMP_FILE,
                         G_ADD_PRIVATE (TfNamedFile)
                         G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, tf_named_file_initable_init))

static void
change_policy (TfNamedFile    *self,
               TfDeletePolicy  policy)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  if (priv->delete_policy == policy)
    return;

  priv->delete_policy = policy;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DELETE_POLICY]);
}

typedef struct
{
  TfNamedFile *self;
  char        *path;
  TfIdentity   identity;
} Move;

static void
free_path (gpointer  path,
           GObject  *former_object)
{
  g_free (path);
}

/* Another thread may be looking at the former path. Who is notified may close the file, which must not remove what is
 * persisted. */
static gboolean
move_apply (gpointer data)
{
  Move *move = data;
  TfNamedFile *self = move->self;
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);
  char *former_path = tf_entry_move (&priv->entry, move->path, &move->identity);

  g_object_weak_ref (G_OBJECT (self), free_path, former_path);
  priv->persisted = TRUE;

  g_object_freeze_notify (G_OBJECT (self));
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PATH]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FILE]);
  change_policy (self, TF_DELETE_NEVER);
  g_object_thaw_notify (G_OBJECT (self));
  return G_SOURCE_REMOVE;
}

static void
move_free (gpointer data)
{
  Move *move = data;

  g_object_unref (move->self);
  g_free (move->path);
  g_free (move);
}

/* Removes the former name, unless it is a lasting one or was the destination itself. */
static void
on_persisted (gpointer    owner,
              const char *path)
{
  TfNamedFile *self = TF_NAMED_FILE (owner);
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);
  Move *move = g_new0 (Move, 1);
  g_autoptr(GError) error = NULL;

  if (!priv->persisted && !tf_entry_remove_former (&priv->entry, path, &error))
    tf_errno_log_lost ("Removing the former name of a persisted file", error);

  move->self = g_object_ref (self);
  move->path = g_strdup (path);
  tf_identity_read (&move->identity, AT_FDCWD, path);
  tf_task_defer (move_apply, move, move_free, NULL);
}

static const TfStoreFuncs store_funcs = {
  .persisted = on_persisted,
};

/* Writes what the file is to hold from the start. */
static gboolean
write_content (TfNamedFile   *self,
               GCancellable  *cancellable,
               GError       **error)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);
  TfStore *store = tf_file_get_store (self);
  g_autoptr(GBytes) content = g_steal_pointer (&priv->content);
  gconstpointer data;
  gsize size;

  if (content == NULL)
    return TRUE;

  data = g_bytes_get_data (content, &size);
  return tf_store_write_locking (store, data, size, NULL, cancellable, error) &&
         tf_store_flush (store, cancellable, error) &&
         tf_store_seek (store, 0, G_SEEK_SET, cancellable, error);
}

static gboolean
do_init (GInitable     *initable,
         GCancellable  *cancellable,
         GError       **error)
{
  TfNamedFile *self = TF_NAMED_FILE (initable);
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);
  TfStore *store = tf_file_get_store (self);
  TfTemplate template = tf_file_of (self)->template;
  int fd;

  if (!tf_store_is_blank (store))
    return tf_store_check_open (store, error);

  if (!tf_template_complete (&template, tf_get_temp_dir, error))
    return FALSE;

  fd = tf_entry_create_file (&priv->entry, &template, cancellable, error);
  if (fd < 0)
    return FALSE;

  tf_store_open_on_disk (store, priv->buffered ? TF_STORE_BUFFERED : TF_STORE_VISIBLE, fd, priv->entry.path, &store_funcs,
                         G_OBJECT (self));
  return write_content (self, cancellable, error);
}

static gboolean
tf_named_file_initable_do_init (GInitable     *initable,
                                GCancellable  *cancellable,
                                GError       **error)
{
  return tf_async_initable_init (initable, do_init, cancellable, error);
}

static void
tf_named_file_initable_init (GInitableIface *iface)
{
  iface->init = tf_named_file_initable_do_init;
}

static gboolean
tf_named_file_close (GIOStream     *stream,
                     GCancellable  *cancellable,
                     GError       **error)
{
  TfNamedFile *self = TF_NAMED_FILE (stream);
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);
  gboolean success = TRUE;

  /* Before the descriptor goes: as long as it is open, no other file can get its inode number. */
  if (priv->delete_policy == TF_DELETE_ON_CLOSE)
    success = tf_entry_drop (&priv->entry, FALSE, cancellable, error);
  else if (tf_async_initable_is_unclaimed (self))
    success = tf_entry_drop (&priv->entry, TRUE, cancellable, error);
  priv->reported = !success;

  return G_IO_STREAM_CLASS (tf_named_file_parent_class)->close_fn (stream, cancellable, success ? error : NULL) &&
         success;
}

static void
tf_named_file_dispose (GObject *object)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (TF_NAMED_FILE (object));
  g_autoptr(GError) error = NULL;

  G_OBJECT_CLASS (tf_named_file_parent_class)->dispose (object);

  /* On TF_DELETE_ON_CLOSE too: the policy may have been set, and what was in the way gone, after closing. */
  if (priv->delete_policy != TF_DELETE_NEVER &&
      !tf_entry_drop (&priv->entry, FALSE, NULL, &error) && !priv->reported)
    tf_errno_log_lost ("Removing a temporary file", error);
}

static void
tf_named_file_finalize (GObject *object)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (TF_NAMED_FILE (object));

  g_clear_pointer (&priv->content, g_bytes_unref);
  tf_entry_clear (&priv->entry);

  G_OBJECT_CLASS (tf_named_file_parent_class)->finalize (object);
}

static void
tf_named_file_get_property (GObject    *object,
                            guint       prop_id,
                            GValue     *value,
                            GParamSpec *pspec)
{
  TfNamedFile *self = TF_NAMED_FILE (object);
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  switch ((TfNamedFileProperty) prop_id)
    {
    case PROP_PATH:
      g_value_set_string (value, priv->entry.path);
      break;

    case PROP_FILE:
      g_value_take_object (value, tf_named_file_get_file (self));
      break;

    case PROP_DELETE_POLICY:
      g_value_set_enum (value, priv->delete_policy);
      break;

    case PROP_BUFFERED:
      g_value_set_boolean (value, priv->buffered);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
set_buffered (TfNamedFile *self,
              gboolean     buffered)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  if (priv->buffered == buffered)
    return;

  priv->buffered = buffered;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUFFERED]);
}

static void
tf_named_file_set_property (GObject      *object,
                            guint         prop_id,
                            const GValue *value,
                            GParamSpec   *pspec)
{
  switch ((TfNamedFileProperty) prop_id)
    {
    case PROP_DELETE_POLICY:
      tf_named_file_set_delete_policy (TF_NAMED_FILE (object), g_value_get_enum (value));
      break;

    case PROP_BUFFERED:
      set_buffered (TF_NAMED_FILE (object), g_value_get_boolean (value));
      break;

    case PROP_PATH:
    case PROP_FILE:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

/* Long because each property has its documentation in it. */
static void
tf_named_file_class_init (TfNamedFileClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = tf_named_file_dispose;
  object_class->finalize = tf_named_file_finalize;
  object_class->get_property = tf_named_file_get_property;
  object_class->set_property = tf_named_file_set_property;

  G_IO_STREAM_CLASS (klass)->close_fn = tf_named_file_close;

  /**
   * TfNamedFile:path: (getter get_path)
   *
   * The absolute path of the file; %NULL before it is created.
   *
   * There is no notification when [method@Gio.Initable.init] sets it.
   *
   * The value is in the encoding of the file system, which need not be UTF-8.
   *
   * In Python and JavaScript, the property raises an error for a path that is not UTF-8: call
   * [method@NamedFile.get_file] instead.
   *
   * Since: 1.0
   */
  properties[PROP_PATH] =
    g_param_spec_string ("path", NULL, NULL,
                         NULL,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * TfNamedFile:file: (getter get_file)
   *
   * The path as a [iface@Gio.File]; %NULL before the file is created.
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
   * TfNamedFile:delete-policy: (getter get_delete_policy) (setter set_delete_policy)
   *
   * When the name of the file is removed.
   *
   * Since: 1.0
   */
  properties[PROP_DELETE_POLICY] =
    g_param_spec_enum ("delete-policy", NULL, NULL,
                       TF_TYPE_DELETE_POLICY, TF_DELETE_ON_CLOSE,
                       G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  /**
   * TfNamedFile:buffered:
   *
   * Whether small writes are held back, and reads read ahead, as those of a file without a name.
   *
   * This makes small reads and writes faster by far. Others who open the file by its name see what was written after
   * [method@TempFile.flush]; at the latest, when 65536 bytes are held back, or when the file is closed. What others
   * write may be seen late. By default, each write goes to the file at once.
   *
   * Set the property when the object is constructed: it has no effect after [method@Gio.Initable.init].
   *
   * Since: 1.0
   */
  properties[PROP_BUFFERED] =
    g_param_spec_boolean ("buffered", NULL, NULL,
                          FALSE,
                          G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);
}

static void
tf_named_file_init (TfNamedFile *self)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  tf_entry_init (&priv->entry);
}

/* A file that is not created yet. Takes a reference to @content. */
static TfNamedFile *
make_blank (const char *prefix,
            const char *suffix,
            const char *dir,
            GBytes     *content)
{
  TfNamedFile *self = g_object_new (TF_TYPE_NAMED_FILE, NULL);
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  tf_template_set (&tf_file_of (self)->template, prefix, suffix, dir);
  priv->content = content != NULL ? g_bytes_ref (content) : NULL;
  return self;
}

/* Takes @self, and returns it if the file could be created. */
static TfNamedFile *
create (TfNamedFile   *self,
        GCancellable  *cancellable,
        GError       **error)
{
  if (!g_initable_init (G_INITABLE (self), cancellable, error))
    g_clear_object (&self);

  return self;
}

/**
 * tf_named_file_new:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a file with a name, as [func@Tf.mkstemp] does, and with the same errors.
 *
 * The mode is 0600, and the delete policy %TF_DELETE_ON_CLOSE. It may be called from any thread. It blocks on the
 * disk.
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfNamedFile *
tf_named_file_new (const char    *prefix,
                   const char    *suffix,
                   const char    *dir,
                   GCancellable  *cancellable,
                   GError       **error)
{
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return create (make_blank (prefix, suffix, dir, NULL), cancellable, error);
}

/**
 * tf_named_file_new_full:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @mode: the permission bits, before the umask is applied; usually octal 0600
 * @delete_policy: when the name of the file is removed
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a file with the permission bits @mode and a delete policy; see [ctor@NamedFile.new]. It blocks on the disk.
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfNamedFile *
tf_named_file_new_full (const char      *prefix,
                        const char      *suffix,
                        const char      *dir,
                        guint            mode,
                        TfDeletePolicy   delete_policy,
                        GCancellable    *cancellable,
                        GError         **error)
{
  TfNamedFile *self;

  g_return_val_if_fail (mode <= 0777, NULL);
  g_return_val_if_fail (delete_policy >= TF_DELETE_ON_CLOSE && delete_policy <= TF_DELETE_NEVER, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = make_blank (prefix, suffix, dir, NULL);
  tf_file_of (self)->template.mode = mode;
  tf_named_file_set_delete_policy (self, delete_policy);
  return create (self, cancellable, error);
}

/**
 * tf_named_file_new_from_bytes:
 * @bytes: what the file will hold
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a file with a name that holds @bytes; see [ctor@NamedFile.new].
 *
 * When the call returns, others can open the file by its name and read all of it. The position is at the start, so
 * that reading returns @bytes. If they cannot be written, no file is left: %G_IO_ERROR_NO_SPACE, for example. It blocks
 * on the disk.
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfNamedFile *
tf_named_file_new_from_bytes (GBytes        *bytes,
                              const char    *prefix,
                              const char    *suffix,
                              const char    *dir,
                              GCancellable  *cancellable,
                              GError       **error)
{
  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return create (make_blank (prefix, suffix, dir, bytes), cancellable, error);
}

/**
 * tf_named_file_create_async:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [ctor@NamedFile.new].
 *
 * A worker thread does the work. If @cancellable is cancelled before [func@NamedFile.create_finish], or if that
 * function is never called, the file is removed, whatever its delete policy.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [func@NamedFile.create_finish].
 *
 * Since: 1.0
 */
void
tf_named_file_create_async (const char          *prefix,
                            const char          *suffix,
                            const char          *dir,
                            int                  io_priority,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  g_async_initable_new_async (TF_TYPE_NAMED_FILE, io_priority, cancellable, callback, user_data,
                              "prefix", prefix,
                              "suffix", suffix,
                              "dir", dir,
                              NULL);
}

/**
 * tf_named_file_create_finish:
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [func@NamedFile.create_async].
 *
 * The errors are those of [ctor@NamedFile.new].
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfNamedFile *
tf_named_file_create_finish (GAsyncResult  *result,
                             GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_async_initable_finish (result, TF_TYPE_NAMED_FILE, error);
}

/**
 * tf_named_file_create_full_async:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @mode: the permission bits, before the umask is applied; usually octal 0600
 * @delete_policy: when the name of the file is removed
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [ctor@NamedFile.new_full].
 *
 * A worker thread does the work. If @cancellable is cancelled before [func@NamedFile.create_full_finish], or if that
 * function is never called, the file is removed, whatever its delete policy.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [func@NamedFile.create_full_finish].
 *
 * Since: 1.0
 */
void
tf_named_file_create_full_async (const char          *prefix,
                                 const char          *suffix,
                                 const char          *dir,
                                 guint                mode,
                                 TfDeletePolicy       delete_policy,
                                 int                  io_priority,
                                 GCancellable        *cancellable,
                                 GAsyncReadyCallback  callback,
                                 gpointer             user_data)
{
  g_return_if_fail (mode <= 0777);
  g_return_if_fail (delete_policy >= TF_DELETE_ON_CLOSE && delete_policy <= TF_DELETE_NEVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  g_async_initable_new_async (TF_TYPE_NAMED_FILE, io_priority, cancellable, callback, user_data,
                              "prefix", prefix,
                              "suffix", suffix,
                              "dir", dir,
                              "mode", mode,
                              "delete-policy", delete_policy,
                              NULL);
}

/**
 * tf_named_file_create_full_finish:
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [func@NamedFile.create_full_async].
 *
 * The errors are those of [ctor@NamedFile.new_full].
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfNamedFile *
tf_named_file_create_full_finish (GAsyncResult  *result,
                                  GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_async_initable_finish (result, TF_TYPE_NAMED_FILE, error);
}

/**
 * tf_named_file_create_from_bytes_async:
 * @bytes: what the file will hold
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [ctor@NamedFile.new_from_bytes].
 *
 * A worker thread does the work. If @cancellable is cancelled before [func@NamedFile.create_from_bytes_finish], or if
 * that function is never called, the file is removed, whatever its delete policy.
 *
 * @callback is called in the thread-default main context of the caller. It calls
 * [func@NamedFile.create_from_bytes_finish].
 *
 * Since: 1.0
 */
void
tf_named_file_create_from_bytes_async (GBytes              *bytes,
                                       const char          *prefix,
                                       const char          *suffix,
                                       const char          *dir,
                                       int                  io_priority,
                                       GCancellable        *cancellable,
                                       GAsyncReadyCallback  callback,
                                       gpointer             user_data)
{
  g_autoptr(TfNamedFile) self = NULL;

  g_return_if_fail (bytes != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  self = make_blank (prefix, suffix, dir, bytes);
  g_async_initable_init_async (G_ASYNC_INITABLE (self), io_priority, cancellable, callback, user_data);
}

/**
 * tf_named_file_create_from_bytes_finish:
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [func@NamedFile.create_from_bytes_async].
 *
 * The errors are those of [ctor@NamedFile.new_from_bytes].
 *
 * Returns: (transfer full): a new file
 *
 * Since: 1.0
 */
TfNamedFile *
tf_named_file_create_from_bytes_finish (GAsyncResult  *result,
                                        GError       **error)
{
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_async_initable_finish (result, TF_TYPE_NAMED_FILE, error);
}

/**
 * tf_named_file_get_path: (get-property path)
 * @self: a named temporary file
 *
 * Returns the absolute path of the file, even after it has been removed.
 *
 * The string is valid as long as the object, also if the file is persisted and has another path then. This can be called
 * while another thread uses the file.
 *
 * Returns: (type filename) (transfer none) (nullable): a path, or %NULL if the object was not initialized
 *
 * Since: 1.0
 */
const char *
tf_named_file_get_path (TfNamedFile *self)
{
  TfNamedFilePrivate *priv;

  g_return_val_if_fail (TF_IS_NAMED_FILE (self), NULL);

  priv = tf_named_file_get_instance_private (self);
  return priv->entry.path;
}

/**
 * tf_named_file_get_file: (get-property file)
 * @self: a named temporary file
 *
 * Returns the path of the file as a [iface@Gio.File], even after it has been removed.
 *
 * Returns: (transfer full) (nullable): a new file, or %NULL if the object was not initialized
 *
 * Since: 1.0
 */
GFile *
tf_named_file_get_file (TfNamedFile *self)
{
  TfNamedFilePrivate *priv;

  g_return_val_if_fail (TF_IS_NAMED_FILE (self), NULL);

  priv = tf_named_file_get_instance_private (self);
  return priv->entry.path != NULL ? g_file_new_for_path (priv->entry.path) : NULL;
}

/**
 * tf_named_file_get_delete_policy: (get-property delete-policy)
 * @self: a named temporary file
 *
 * Returns when the name of the file is removed.
 *
 * Returns: a delete policy
 *
 * Since: 1.0
 */
TfDeletePolicy
tf_named_file_get_delete_policy (TfNamedFile *self)
{
  TfNamedFilePrivate *priv;

  g_return_val_if_fail (TF_IS_NAMED_FILE (self), TF_DELETE_NEVER);

  priv = tf_named_file_get_instance_private (self);
  return priv->delete_policy;
}

/**
 * tf_named_file_set_delete_policy: (set-property delete-policy)
 * @self: a named temporary file
 * @policy: a delete policy
 *
 * Sets when the name of the file is removed.
 *
 * It can be set at any time, even after the file was closed. With %TF_DELETE_NEVER, a sweep leaves the file alone as
 * well, from the moment when this returns. After [method@NamedFile.keep] and [method@TempFile.persist], the policy
 * stays %TF_DELETE_NEVER, and setting it does nothing. With %TF_DELETE_ON_CLOSE, closing removes the file even if it is
 * held. While another thread persists the file, this waits for the moment in which the file gets its name.
 *
 * Since: 1.0
 */
void
tf_named_file_set_delete_policy (TfNamedFile    *self,
                                 TfDeletePolicy  policy)
{
  TfNamedFilePrivate *priv;

  g_return_if_fail (TF_IS_NAMED_FILE (self));
  g_return_if_fail (policy >= TF_DELETE_ON_CLOSE && policy <= TF_DELETE_NEVER);

  priv = tf_named_file_get_instance_private (self);
  if (priv->entry.is_final)
    return;

  tf_entry_set_kept (&priv->entry, policy == TF_DELETE_NEVER);
  change_policy (self, policy);
}

/**
 * tf_named_file_keep:
 * @self: a named temporary file
 *
 * Keeps the file: it is not removed when it is closed or when the object is disposed.
 *
 * The delete policy becomes %TF_DELETE_NEVER for good. The caller becomes responsible for removing the file. This needs
 * neither the disk nor a descriptor, and cannot fail. If the process is being ended by a signal, see
 * [func@Tf.cleanup_on_signals], and has removed the file already, it does not return. In a forked child, the parent may
 * still remove the file, but no sweep does.
 *
 * Returns: (type filename) (transfer full) (nullable): the path, or %NULL if the object was not initialized
 *
 * Since: 1.0
 */
char *
tf_named_file_keep (TfNamedFile *self)
{
  TfNamedFilePrivate *priv;

  g_return_val_if_fail (TF_IS_NAMED_FILE (self), NULL);

  priv = tf_named_file_get_instance_private (self);
  if (priv->entry.path == NULL)
    return NULL;

  tf_entry_keep (&priv->entry);
  change_policy (self, TF_DELETE_NEVER);
  return g_strdup (priv->entry.path);
}

static gboolean
unlink_name (TfNamedFile   *self,
             guint          n_kept,
             GCancellable  *cancellable,
             GError       **error)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  if (priv->entry.path == NULL)
    return tf_errno_set_not_initialized (error, "temporary file");

  return !g_cancellable_set_error_if_cancelled (cancellable, error) &&
         tf_entry_remove (&priv->entry, n_kept, cancellable, error);
}

/**
 * tf_named_file_unlink:
 * @self: a named temporary file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Removes the name of the file now, whatever its delete policy.
 *
 * The file can be read and written until it is closed. A file that is closed can be unlinked, too. Calling this again
 * does nothing and succeeds, as it does if someone else has removed the name.
 *
 * It blocks on the disk. Errors are of %G_IO_ERROR: %G_IO_ERROR_EXISTS if something else is at the path,
 * which is left alone; %G_IO_ERROR_PERMISSION_DENIED, also in a forked child that did not create the file;
 * %G_IO_ERROR_CANCELLED; %G_IO_ERROR_NOT_INITIALIZED; otherwise an error mapped from unlink(2)'s errno.
 *
 * Returns: %TRUE if the name is gone
 *
 * Since: 1.0
 */
gboolean
tf_named_file_unlink (TfNamedFile   *self,
                      GCancellable  *cancellable,
                      GError       **error)
{
  TfNamedFilePrivate *priv;

  g_return_val_if_fail (TF_IS_NAMED_FILE (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  priv = tf_named_file_get_instance_private (self);
  return unlink_name (self, tf_entry_count_kept (&priv->entry), cancellable, error);
}

static gssize
unlink_func (gpointer       source_object,
             gpointer       task_data,
             GCancellable  *cancellable,
             GError       **error)
{
  if (!tf_task_may_block (error))
    return -1;

  return unlink_name (source_object, GPOINTER_TO_UINT (task_data), cancellable, error) ? 0 : -1;
}

/**
 * tf_named_file_unlink_async:
 * @self: a named temporary file
 * @io_priority: the I/O priority of the request
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): called when the operation is complete
 * @user_data: data to pass to @callback
 *
 * Asynchronous version of [method@NamedFile.unlink].
 *
 * A worker thread does the work. The file can be read, written and closed meanwhile. If it is kept or persisted before it
 * is unlinked, it stays, and the operation fails with %G_IO_ERROR_CANCELLED.
 *
 * @callback is called in the thread-default main context of the caller. It calls [method@NamedFile.unlink_finish].
 *
 * Since: 1.0
 */
void
tf_named_file_unlink_async (TfNamedFile         *self,
                            int                  io_priority,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  TfNamedFilePrivate *priv;
  g_autoptr(GTask) task = NULL;

  g_return_if_fail (TF_IS_NAMED_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  priv = tf_named_file_get_instance_private (self);
  task = tf_task_new (self, tf_named_file_unlink_async, io_priority, cancellable, callback, user_data);
  g_task_set_task_data (task, GUINT_TO_POINTER (tf_entry_count_kept (&priv->entry)), NULL);
  tf_task_run (task, unlink_func);
}

/**
 * tf_named_file_unlink_finish:
 * @self: a named temporary file
 * @result: the result passed to the callback
 * @error: return location for an error
 *
 * Finishes an operation started with [method@NamedFile.unlink_async].
 *
 * The errors are those of [method@NamedFile.unlink].
 *
 * Returns: %TRUE if the name is gone
 *
 * Since: 1.0
 */
gboolean
tf_named_file_unlink_finish (TfNamedFile   *self,
                             GAsyncResult  *result,
                             GError       **error)
{
  g_return_val_if_fail (TF_IS_NAMED_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return tf_task_finish (self, result, tf_named_file_unlink_async, error) >= 0;
}

/* Closing does not remove a held file. A hold does not cause a kept file to be removed. */
static void
prepare_hold (TfNamedFile *self)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  if (priv->delete_policy == TF_DELETE_ON_CLOSE)
    tf_named_file_set_delete_policy (self, TF_DELETE_ON_DISPOSE);
}

/**
 * tf_named_file_hold_until_exit:
 * @self: a named temporary file
 *
 * Holds the file until this process exits, whatever happens to the references to the object.
 *
 * Use it for a file that is handed to a program whose end cannot be observed. Closing the file no longer removes it: a
 * delete policy of %TF_DELETE_ON_CLOSE becomes %TF_DELETE_ON_DISPOSE, and the object is referenced for good.
 *
 * A hold only extends the lifetime; a file that is to be kept is not removed: a file with the policy %TF_DELETE_NEVER,
 * set before or afterwards, by [method@NamedFile.keep] or [method@TempFile.persist] for example, stays when the process
 * exits. [method@NamedFile.unlink] removes the name when it is called, held or not.
 *
 * Since: 1.0
 */
void
tf_named_file_hold_until_exit (TfNamedFile *self)
{
  g_return_if_fail (TF_IS_NAMED_FILE (self));

  prepare_hold (self);
  tf_hold_until_exit (self);
}

/**
 * tf_named_file_hold_for_subprocess:
 * @self: a named temporary file
 * @subprocess: the process to which the file was handed
 *
 * Holds the file until @subprocess has ended, whatever happens to the references to the object.
 *
 * A delete policy of %TF_DELETE_ON_CLOSE becomes %TF_DELETE_ON_DISPOSE, and the object is referenced until then.
 * [method@NamedFile.hold_until_exit] describes what a hold does not do. The end is noticed in the thread-default
 * main context of the caller. When this process exits, the file is removed, even if @subprocess still runs. The last
 * reference is dropped in a worker thread.
 *
 * Since: 1.0
 */
void
tf_named_file_hold_for_subprocess (TfNamedFile *self,
                                   GSubprocess *subprocess)
{
  g_return_if_fail (TF_IS_NAMED_FILE (self));
  g_return_if_fail (G_IS_SUBPROCESS (subprocess));

  prepare_hold (self);
  tf_hold_for_subprocess (self, subprocess);
}

/**
 * tf_named_file_hold_for_pid:
 * @self: a named temporary file
 * @pid: the process to which the file was handed
 *
 * Holds the file until the process @pid has ended, as [method@NamedFile.hold_for_subprocess] does.
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
tf_named_file_hold_for_pid (TfNamedFile *self,
                            GPid         pid)
{
  g_return_if_fail (TF_IS_NAMED_FILE (self));
  g_return_if_fail (pid > 0);

  if (tf_hold_for_pid (self, pid))
    prepare_hold (self);
}

/**
 * tf_named_file_hand_over:
 * @self: a named temporary file
 * @grace_seconds: how long the file stays at least, in seconds
 *
 * Hands the file over to another program that cannot be watched: one that a launcher or a portal starts, or the target
 * of drag and drop.
 *
 * The file stays for @grace_seconds, in which the other program should have opened it. After that it is removed as soon
 * as no process has it open; this process counts as well, and so do mappings and running programs. Closing the file and
 * dropping the last reference do not remove it any more. Nothing is flushed: if the file is buffered, call
 * [method@TempFile.flush] first, or close the file afterwards. To close it first removes it, unless its policy is another
 * one than %TF_DELETE_ON_CLOSE; this call then does nothing.
 *
 * The time is noticed in the thread-default main context of the caller, and a worker thread removes the file. While the
 * file is in use, it is looked at every ten seconds. As long as this process lives, no sweep removes the file.
 *
 * When this process exits, it removes the file if the time is over and the file not in use, and leaves it otherwise. If
 * it is killed, the file stays. What stays is removed by the next [func@Tf.sweep] of any program of the user that finds
 * the time over and the file not in use. The time is that since the boot of the system, so that setting the clock does
 * not matter. After a reboot, nothing is known of the file, and it stays.
 *
 * Whether a file is open is told by a lease, see fcntl(2), which does not count descriptors with `O_PATH`. In doubt the
 * file stays: on any other file system than ext2 to ext4, XFS, btrfs, F2FS, tmpfs and ramfs, or if the file belongs to
 * another user. It also stays if another file has taken its name, because the other program has put it there.
 *
 * If this is called several times, the latest time counts. A file that was handed over is not held any more, whether
 * [method@NamedFile.hold_for_pid] and the like were called before or are called afterwards. [method@NamedFile.unlink]
 * removes at once what has the name, also if the other program has put it there.
 *
 * [method@NamedFile.keep], the policy %TF_DELETE_NEVER and [method@TempFile.persist] end the hand-over, and the file is
 * kept; with another policy after that, it is an ordinary file again. A file that is kept already, as one of
 * [method@TempDir.create_file] is at first, is not handed over: this call does nothing then. What is in a [class@TempDir]
 * goes with that in any case. It does nothing in a forked child with a file of the parent either.
 *
 * It does not block on the disk, and needs no descriptor. If none is left, and it is called in the default main context
 * for the first time and not from a callback, nothing notices the time before this process exits.
 *
 * Since: 1.0
 */
void
tf_named_file_hand_over (TfNamedFile *self,
                         guint        grace_seconds)
{
  TfNamedFilePrivate *priv;

  g_return_if_fail (TF_IS_NAMED_FILE (self));

  priv = tf_named_file_get_instance_private (self);
  tf_entry_hand_over (&priv->entry, grace_seconds);
}

/**
 * tf_named_file_is_inherited:
 * @self: a temporary file
 *
 * Returns whether this process is a forked child of the one that created the file, and therefore does not remove it.
 *
 * It returns at once.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
tf_named_file_is_inherited (TfNamedFile *self)
{
  TfNamedFilePrivate *priv;

  g_return_val_if_fail (TF_IS_NAMED_FILE (self), FALSE);

  priv = tf_named_file_get_instance_private (self);
  return tf_entry_is_inherited (&priv->entry);
}

/**
 * tf_named_file_is_handed_over:
 * @self: a named temporary file
 *
 * Returns whether [method@NamedFile.hand_over] was called, and the file neither removed nor kept since.
 *
 * It returns at once.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
tf_named_file_is_handed_over (TfNamedFile *self)
{
  TfNamedFilePrivate *priv;

  g_return_val_if_fail (TF_IS_NAMED_FILE (self), FALSE);

  priv = tf_named_file_get_instance_private (self);
  return tf_entry_is_handed_over (&priv->entry);
}
