/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-named-file-private.h"

#include "base/tf-async-initable.h"
#include "base/tf-errno.h"
#include "tf-temp-file-private.h"

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

typedef enum
{
  PROP_PATH = 1,
  PROP_FILE,
  PROP_DELETE_POLICY,
} TfNamedFileProperty;

static GParamSpec *properties[PROP_DELETE_POLICY + 1];

static void tf_named_file_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TfNamedFile, tf_named_file, TF_TYPE_TEMP_FILE,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, tf_named_file_initable_init))

static gboolean
create (TfNamedFile   *self,
        GCancellable  *cancellable,
        GError       **error)
{
  TfTempFile *file = TF_TEMP_FILE (self);
  TfTemplate template;
  int fd;

  if (!tf_temp_file_get_template (file, &template, error))
    return FALSE;

  fd = tf_entry_create_file (&self->entry, &template, cancellable, error);
  if (fd < 0)
    return FALSE;

  tf_store_open_on_disk (tf_temp_file_get_store (file), fd, self->entry.path);
  return TRUE;
}

static gboolean
tf_named_file_initable_do_init (GInitable     *initable,
                                GCancellable  *cancellable,
                                GError       **error)
{
  TfStore *store = tf_temp_file_get_store (TF_TEMP_FILE (initable));

  if (!tf_store_is_blank (store))
    return tf_store_check_open (store, error);

  return create (TF_NAMED_FILE (initable), cancellable, error);
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
  gboolean success = TRUE;

  /* Before the descriptor goes: as long as it is open, no other file can get its inode number. */
  if (self->delete_policy != TF_DELETE_ON_CLOSE && !tf_creation_is_unclaimed (self))
    tf_entry_hold (&self->entry);
  else
    success = tf_entry_drop (&self->entry, cancellable, error);
  self->reported = !success;

  return G_IO_STREAM_CLASS (tf_named_file_parent_class)->close_fn (stream, cancellable, success ? error : NULL) &&
         success;
}

static void
tf_named_file_dispose (GObject *object)
{
  TfNamedFile *self = TF_NAMED_FILE (object);
  g_autoptr(GError) error = NULL;

  G_OBJECT_CLASS (tf_named_file_parent_class)->dispose (object);

  /* On TF_DELETE_ON_CLOSE too: the policy may have been set, and what was in the way gone, after closing. */
  if (self->delete_policy != TF_DELETE_NEVER &&
      !tf_entry_drop (&self->entry, NULL, &error) && !self->reported)
    tf_log_lost_error ("Removing a temporary file", error);
}

static void
tf_named_file_finalize (GObject *object)
{
  tf_entry_clear (&TF_NAMED_FILE (object)->entry);

  G_OBJECT_CLASS (tf_named_file_parent_class)->finalize (object);
}

static void
tf_named_file_get_property (GObject    *object,
                            guint       prop_id,
                            GValue     *value,
                            GParamSpec *pspec)
{
  TfNamedFile *self = TF_NAMED_FILE (object);

  switch ((TfNamedFileProperty) prop_id)
    {
    case PROP_PATH:
      g_value_set_string (value, self->entry.path);
      break;

    case PROP_FILE:
      g_value_take_object (value, tf_named_file_get_file (self));
      break;

    case PROP_DELETE_POLICY:
      g_value_set_enum (value, self->delete_policy);
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
  TF_TEMP_FILE_CLASS (klass)->persisted = tf_named_file_persisted;

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
  self->entry = (TfEntry) TF_ENTRY_INIT;
}

void
tf_named_file_notify_path (TfNamedFile *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PATH]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FILE]);
}

void
tf_named_file_notify_delete_policy (TfNamedFile *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DELETE_POLICY]);
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
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_temp_file_create (TF_TYPE_NAMED_FILE, prefix, suffix, dir, cancellable, error);
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
  g_return_val_if_fail (TF_IS_NAMED_FILE (self), NULL);

  return self->entry.path;
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
  g_return_val_if_fail (TF_IS_NAMED_FILE (self), NULL);

  return self->entry.path != NULL ? g_file_new_for_path (self->entry.path) : NULL;
}
