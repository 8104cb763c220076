/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-temp-dir-private.h"

#include "base/tf-async-initable.h"
#include "base/tf-errno.h"
#include "tf-location-private.h"
#include "names/tf-open.h"

/**
 * TfTempDir:
 *
 * A directory that is removed with all it holds: `TemporaryDirectory` of Python's `tempfile`.
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
 * [method@TempDir.cleanup] removes the directory and tells what went wrong. Dropping the last reference
 * removes it as well, but then errors are only logged, and a large tree makes that call block: call
 * cleanup, or [method@TempDir.cleanup_async], where that matters. Whoever uses the path has to hold a reference for as long: in
 * `tf_temp_dir_get_path (tf_temp_dir_new (…))` the directory leaks in C, and is gone in other languages
 * before the path is used.
 *
 * ## What is removed
 *
 * Only the very directory that was made, at the path where it was made. Was it moved, it is not looked
 * for; is there something else, that is left alone, and the call fails with %G_IO_ERROR_EXISTS.
 *
 * Every step is relative to the descriptor of an open directory. Symbolic links are removed, never
 * followed. Mount points in the tree stay, and what is in them; all around them goes. Directories without
 * permissions are given them. The tree may be of any depth: no more than 12 descriptors are used at a
 * time, and no more stack than for a flat one. What vanishes meanwhile is fine.
 *
 * Where there is more than one processor, the entries of a large directory (32 KiB of names and their like, or
 * more than 64 subdirectories) are removed by two threads, which share the 12 descriptors. The second one has all
 * signals blocked, and has ended when the call returns. None is started at the end of the process, nor in a forked
 * child; without one the removal takes longer, no more.
 *
 * Since: 1.0
 */

typedef enum
{
  PROP_DIR = 1,
  PROP_PREFIX,
  PROP_SUFFIX,
  PROP_MODE,
  PROP_PATH,
  PROP_FILE,
  PROP_AUTO_CLEANUP,
  PROP_IGNORE_CLEANUP_ERRORS,
} TfTempDirProperty;

static GParamSpec *properties[PROP_IGNORE_CLEANUP_ERRORS + 1];

static void tf_temp_dir_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TfTempDir, tf_temp_dir, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, tf_temp_dir_initable_init)
                               G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, tf_creation_async_initable_init))

static gboolean
tf_temp_dir_initable_do_init (GInitable     *initable,
                              GCancellable  *cancellable,
                              GError       **error)
{
  TfTempDir *self = TF_TEMP_DIR (initable);
  TfTemplate template = self->template;

  if (self->entry.path != NULL)
    return TRUE;

  if (!tf_location_complete (&template, error))
    return FALSE;

  return tf_entry_create_dir (&self->entry, &template, cancellable, error);
}

static void
tf_temp_dir_initable_init (GInitableIface *iface)
{
  iface->init = tf_temp_dir_initable_do_init;
}

static void
tf_temp_dir_constructed (GObject *object)
{
  G_OBJECT_CLASS (tf_temp_dir_parent_class)->constructed (object);

  tf_template_make_absolute (&TF_TEMP_DIR (object)->template);
}

static void
tf_temp_dir_dispose (GObject *object)
{
  TfTempDir *self = TF_TEMP_DIR (object);
  g_autoptr(GError) error = NULL;
  GError *failure = NULL;

  if ((self->auto_cleanup || tf_creation_is_unclaimed (self)) && !self->is_kept)
    tf_entry_drop (&self->entry, NULL, &failure);

  if (!tf_temp_dir_report_cleanup (self, failure, &error))
    tf_log_lost_error ("Removing a temporary directory", error);

  G_OBJECT_CLASS (tf_temp_dir_parent_class)->dispose (object);
}

static void
tf_temp_dir_finalize (GObject *object)
{
  TfTempDir *self = TF_TEMP_DIR (object);

  tf_template_clear (&self->template);
  tf_entry_clear (&self->entry);

  G_OBJECT_CLASS (tf_temp_dir_parent_class)->finalize (object);
}

static void
tf_temp_dir_get_property (GObject    *object,
                          guint       prop_id,
                          GValue     *value,
                          GParamSpec *pspec)
{
  TfTempDir *self = TF_TEMP_DIR (object);

  switch ((TfTempDirProperty) prop_id)
    {
    case PROP_DIR:
      g_value_set_string (value, self->template.dir);
      break;

    case PROP_PREFIX:
      g_value_set_string (value, self->template.prefix);
      break;

    case PROP_SUFFIX:
      g_value_set_string (value, self->template.suffix);
      break;

    case PROP_MODE:
      g_value_set_uint (value, self->template.mode);
      break;

    case PROP_PATH:
      g_value_set_string (value, self->entry.path);
      break;

    case PROP_FILE:
      g_value_take_object (value, tf_temp_dir_get_file (self));
      break;

    case PROP_AUTO_CLEANUP:
      g_value_set_boolean (value, self->auto_cleanup);
      break;

    case PROP_IGNORE_CLEANUP_ERRORS:
      g_value_set_boolean (value, self->ignore_cleanup_errors);
      break;

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

  switch ((TfTempDirProperty) prop_id)
    {
    case PROP_DIR:
      self->template.dir = g_value_dup_string (value);
      break;

    case PROP_PREFIX:
      self->template.prefix = g_value_dup_string (value);
      break;

    case PROP_SUFFIX:
      self->template.suffix = g_value_dup_string (value);
      break;

    case PROP_MODE:
      self->template.mode = g_value_get_uint (value);
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

static void
tf_temp_dir_class_init (TfTempDirClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = tf_temp_dir_constructed;
  object_class->dispose = tf_temp_dir_dispose;
  object_class->finalize = tf_temp_dir_finalize;
  object_class->get_property = tf_temp_dir_get_property;
  object_class->set_property = tf_temp_dir_set_property;

  /**
   * TfTempDir:dir: (type filename)
   *
   * The directory in which the directory is made; %NULL for [func@Tf.get_temp_dir].
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
   * TfTempDir:prefix: (type filename)
   *
   * What the name begins with; %NULL for [func@Tf.get_temp_prefix].
   *
   * Since: 1.0
   */
  properties[PROP_PREFIX] =
    g_param_spec_string ("prefix", NULL, NULL,
                         NULL,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempDir:suffix: (type filename)
   *
   * What the name ends with; %NULL for nothing. No dot is put before it.
   *
   * Since: 1.0
   */
  properties[PROP_SUFFIX] =
    g_param_spec_string ("suffix", NULL, NULL,
                         NULL,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempDir:mode:
   *
   * The permission bits with which the directory is made, before the umask; octal 0700 by default.
   *
   * Since: 1.0
   */
  properties[PROP_MODE] =
    g_param_spec_uint ("mode", NULL, NULL,
                       0, 0777, 0700,
                       G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * TfTempDir:path: (type filename) (getter get_path)
   *
   * The absolute path of the directory; %NULL before it is made.
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
   * TfTempDir:file: (getter get_file)
   *
   * The path as a [iface@Gio.File]; %NULL before the directory is made.
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
   * Whether the directory is removed when the object goes away: `delete` of Python's `TemporaryDirectory`.
   *
   * [method@TempDir.cleanup] removes it in any case.
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
   * Whether it is fine that some of the directory cannot be removed.
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
  self->entry = (TfEntry) TF_ENTRY_INIT;
  self->auto_cleanup = TRUE;
}

void
tf_temp_dir_notify_auto_cleanup (TfTempDir *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_AUTO_CLEANUP]);
}

void
tf_temp_dir_notify_ignore_cleanup_errors (TfTempDir *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_IGNORE_CLEANUP_ERRORS]);
}

/**
 * tf_temp_dir_new:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to make the directory, or %NULL for [func@Tf.get_temp_dir]
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Makes a directory, as [func@Tf.mkdtemp] does, and with the errors that it has.
 *
 * May be called from any thread. Blocks on the disk. Holds a descriptor until the directory is removed
 * or let go of: %G_IO_ERROR_TOO_MANY_OPEN_FILES when there is none.
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
  g_autoptr(TfTempDir) self = NULL;

  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (TF_TYPE_TEMP_DIR, NULL);
  tf_template_set (&self->template, prefix, suffix, dir);
  return g_initable_init (G_INITABLE (self), cancellable, error) ? g_steal_pointer (&self) : NULL;
}
