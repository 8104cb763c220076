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
 * A [class@TempFile] with a visible name, which is removed in time: `NamedTemporaryFile` of Python's
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
 * When the name is removed is the file's [enum@DeletePolicy]. Only the very file that was created is
 * ever removed: should there be another one at its path, that one is left alone, and the call that was
 * to remove it fails with %G_IO_ERROR_EXISTS. A file that is gone already is no error.
 *
 * The path is made absolute when the file is created, so that a later chdir(2) does not matter.
 *
 * Since: 1.0
 */

typedef struct
{
  TfDeletePolicy delete_policy;
  TfEntry entry;
  gboolean reported;  /* closing told that it could not remove the name */
  gboolean persisted; /* the name is a lasting one */
} TfNamedFilePrivate;

typedef enum
{
  PROP_PATH = 1,
  PROP_FILE,
  PROP_DELETE_POLICY,
} TfNamedFileProperty;

static GParamSpec *properties[PROP_DELETE_POLICY + 1];

static void tf_named_file_initable_init (GInitableIface *iface);

G_DEFINE_TYPE_WITH_CODE (TfNamedFile, tf_named_file, TF_TYPE_TEMP_FILE,
                         G_ADD_PRIVATE (TfNamedFile)
                         G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, tf_named_file_initable_init))

typedef struct
{
  TfNamedFile *self;
  char        *path;
  TfIdentity   identity;
} Move;

static gboolean
move_apply (gpointer data)
{
  Move *move = data;
  TfNamedFile *self = move->self;
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  tf_entry_move (&priv->entry, move->path, &move->identity);
  priv->persisted = TRUE;

  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PATH]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FILE]);
  tf_named_file_set_delete_policy (self, TF_DELETE_NEVER);
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

/* The former name goes, unless it is a lasting one or was the destination itself. */
static void
on_persisted (gpointer    owner,
              const char *path)
{
  TfNamedFile *self = TF_NAMED_FILE (owner);
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);
  Move *move = g_new0 (Move, 1);
  g_autoptr(GError) error = NULL;

  if (!priv->persisted && !g_str_equal (path, priv->entry.path) && !tf_entry_remove (&priv->entry, NULL, &error))
    tf_errno_log_lost ("Removing the former name of a persisted file", error);

  move->self = g_object_ref (self);
  move->path = g_strdup (path);
  tf_identity_read (&move->identity, AT_FDCWD, path);
  tf_task_defer (move_apply, move, move_free);
}

static const TfStoreFuncs store_funcs = {
  .persisted = on_persisted,
};

static gboolean
tf_named_file_initable_do_init (GInitable     *initable,
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

  tf_store_open_on_disk (store, fd, priv->entry.path, &store_funcs, G_OBJECT (self));
  return TRUE;
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
  if (priv->delete_policy != TF_DELETE_ON_CLOSE && !tf_async_initable_is_unclaimed (self))
    tf_entry_keep_lock (&priv->entry);
  else
    success = tf_entry_drop (&priv->entry, cancellable, error);
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
      !tf_entry_drop (&priv->entry, NULL, &error) && !priv->reported)
    tf_errno_log_lost ("Removing a temporary file", error);
}

static void
tf_named_file_finalize (GObject *object)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (TF_NAMED_FILE (object));

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

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
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

    case PROP_PATH:
    case PROP_FILE:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

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
   * TfNamedFile:path: (type filename) (getter get_path)
   *
   * The absolute path of the file; %NULL before it is created.
   *
   * The value is in the encoding of the file system, which need not be UTF-8.
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

  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);
}

static void
tf_named_file_init (TfNamedFile *self)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  tf_entry_init (&priv->entry);
}

/**
 * tf_named_file_new:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Creates a file with a name, as [func@Tf.mkstemp] does, and with the errors that it has.
 *
 * May be called from any thread. Blocks on the disk.
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
  g_autoptr(TfNamedFile) self = NULL;

  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (TF_TYPE_NAMED_FILE, NULL);
  tf_template_set (&tf_file_of (self)->template, prefix, suffix, dir);
  return g_initable_init (G_INITABLE (self), cancellable, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * tf_named_file_create_async:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @io_priority: the priority of the request, [const@GLib.PRIORITY_DEFAULT] for example
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the file is there
 * @user_data: what to pass to @callback
 *
 * Creates a file with a name, as [ctor@NamedFile.new] does.
 *
 * Does not block: the work is done in a thread. @callback is called in the thread-default main context of
 * the caller; it has to call [func@NamedFile.create_finish]. When @cancellable is cancelled before that, and
 * when that is never called, nothing stays on the disk.
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
 * @result: what @callback got
 * @error: return location for an error
 *
 * Ends what [func@NamedFile.create_async] began.
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
 * tf_named_file_get_path: (get-property path)
 * @self: a named temporary file
 *
 * Returns the absolute path of the file, also after it was removed.
 *
 * Returns: (type filename) (transfer none) (nullable): a path, or %NULL if the object was not initialized
 *
 * Since: 1.0
 */
const char *
tf_named_file_get_path (TfNamedFile *self)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  g_return_val_if_fail (TF_IS_NAMED_FILE (self), NULL);

  return priv->entry.path;
}

/**
 * tf_named_file_get_file: (get-property file)
 * @self: a named temporary file
 *
 * Returns the path of the file as a [iface@Gio.File], also after it was removed.
 *
 * Returns: (transfer full) (nullable): a new file, or %NULL if the object was not initialized
 *
 * Since: 1.0
 */
GFile *
tf_named_file_get_file (TfNamedFile *self)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  g_return_val_if_fail (TF_IS_NAMED_FILE (self), NULL);

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
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  g_return_val_if_fail (TF_IS_NAMED_FILE (self), TF_DELETE_NEVER);

  return priv->delete_policy;
}

/**
 * tf_named_file_set_delete_policy: (set-property delete-policy)
 * @self: a named temporary file
 * @policy: a delete policy
 *
 * Sets when the name of the file is removed; it is never too late to change one's mind.
 *
 * Since: 1.0
 */
void
tf_named_file_set_delete_policy (TfNamedFile    *self,
                                 TfDeletePolicy  policy)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  g_return_if_fail (TF_IS_NAMED_FILE (self));

  if (priv->delete_policy == policy)
    return;

  priv->delete_policy = policy;
  tf_entry_set_kept (&priv->entry, -1, policy == TF_DELETE_NEVER);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DELETE_POLICY]);
}

/**
 * tf_named_file_keep:
 * @self: a named temporary file
 *
 * Lets go of the name: the file stays when it is closed and when the object goes away.
 *
 * The delete policy becomes %TF_DELETE_NEVER. Who takes the path is the one to remove the file.
 *
 * Returns: (type filename) (transfer full) (nullable): the path, or %NULL if the object was not initialized
 *
 * Since: 1.0
 */
char *
tf_named_file_keep (TfNamedFile *self)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  g_return_val_if_fail (TF_IS_NAMED_FILE (self), NULL);

  tf_named_file_set_delete_policy (self, TF_DELETE_NEVER);
  return g_strdup (priv->entry.path);
}

/**
 * tf_named_file_unlink:
 * @self: a named temporary file
 * @error: return location for an error
 *
 * Removes the name of the file now; the file can be read and written until it is closed.
 *
 * Again is fine. Errors are of %G_IO_ERROR: %G_IO_ERROR_EXISTS if at the path there is something else,
 * which is left alone; %G_IO_ERROR_PERMISSION_DENIED in a forked child that did not create the file;
 * %G_IO_ERROR_NOT_INITIALIZED; else what unlink(2) reported.
 *
 * Returns: %TRUE if the name is gone
 *
 * Since: 1.0
 */
gboolean
tf_named_file_unlink (TfNamedFile  *self,
                      GError      **error)
{
  TfNamedFilePrivate *priv = tf_named_file_get_instance_private (self);

  g_return_val_if_fail (TF_IS_NAMED_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (priv->entry.path == NULL)
    return tf_errno_set_not_initialized (error, "temporary file");

  return tf_entry_remove (&priv->entry, NULL, error);
}

/* What is held is not removed by closing. A hold never removes what is kept. */
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
 * It is for a file that is handed to a program that nobody can watch. Closing the file does not remove it any
 * more: a delete policy of %TF_DELETE_ON_CLOSE becomes %TF_DELETE_ON_DISPOSE, and the object is referenced for good.
 *
 * A hold prolongs, and deletes nothing that is kept: a file with the policy %TF_DELETE_NEVER, set
 * before or afterwards, by [method@NamedFile.keep] or [method@TempFile.persist] for example, stays
 * when the process exits. [method@NamedFile.unlink] removes the name when it is called, held or not.
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
 * [method@NamedFile.hold_until_exit] tells what a hold does not do. The end is noticed in the
 * thread-default main context of the caller. If that is not iterated, the file is removed when this process
 * exits. The last reference is dropped in a worker thread.
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
 * If there is no such process any more, nothing is held.
 *
 * Since: 1.0
 */
void
tf_named_file_hold_for_pid (TfNamedFile *self,
                            GPid         pid)
{
  g_return_if_fail (TF_IS_NAMED_FILE (self));
  g_return_if_fail (pid > 0);

  prepare_hold (self);
  tf_hold_for_pid (self, pid);
}
