/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-temp-dir-private.h"

#include <string.h>

#include "base/tf-fd.h"
#include "names/tf-open.h"

/**
 * tf_temp_dir_set_template:
 * @self: a temporary directory that was not made yet
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to make the directory, or %NULL for [func@Tf.get_temp_dir]
 *
 * Sets the properties of these names, for languages whose properties hold only UTF-8.
 *
 * To be called before [method@Gio.Initable.init]; later it has no effect. The change is not notified.
 *
 * Since: 1.0
 */
void
tf_temp_dir_set_template (TfTempDir  *self,
                          const char *prefix,
                          const char *suffix,
                          const char *dir)
{
  g_return_if_fail (TF_IS_TEMP_DIR (self));

  tf_template_set (&self->template, prefix, suffix, dir);
}

/**
 * tf_temp_dir_get_path: (get-property path)
 * @self: a temporary directory
 *
 * Returns the absolute path of the directory, also after it was removed.
 *
 * Returns: (type filename) (transfer none) (nullable): a path, or %NULL if the object was not initialized
 *
 * Since: 1.0
 */
const char *
tf_temp_dir_get_path (TfTempDir *self)
{
  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);

  return self->entry.path;
}

/**
 * tf_temp_dir_get_file: (get-property file)
 * @self: a temporary directory
 *
 * Returns the path of the directory as a [iface@Gio.File], also after it was removed.
 *
 * Returns: (transfer full) (nullable): a new file, or %NULL if the object was not initialized
 *
 * Since: 1.0
 */
GFile *
tf_temp_dir_get_file (TfTempDir *self)
{
  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);

  return self->entry.path != NULL ? g_file_new_for_path (self->entry.path) : NULL;
}

static gboolean
check_initialized (TfTempDir  *self,
                   GError    **error)
{
  if (self->entry.path == NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED,
                         "The temporary directory was not initialized: call g_initable_init() first");

  return self->entry.path != NULL;
}

static gboolean
leaves_directory (const char *name)
{
  g_auto(GStrv) parts = g_strsplit (name, "/", -1);

  return *name == '\0' || *name == '/' || strcmp (name, ".") == 0 ||
         g_strv_contains ((const char * const *) parts, "..");
}

/**
 * tf_temp_dir_get_child:
 * @self: a temporary directory
 * @name: (type filename): a name in the directory, or a relative path
 * @error: return location for an error
 *
 * Returns the [iface@Gio.File] of that name in the directory, and looks at nothing on the disk.
 *
 * Names that come from elsewhere, from an archive for example, are safe here: an absolute path, one
 * with a `..` in it, and an empty one are refused with %G_IO_ERROR_INVALID_FILENAME. A symbolic link in
 * the directory can still lead out of it. %G_IO_ERROR_NOT_INITIALIZED if the object was not initialized.
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
  g_autofree char *display = NULL;
  g_autofree char *path = NULL;

  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!check_initialized (self, error))
    return NULL;

  if (leaves_directory (name))
    {
      display = g_filename_display_name (name);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
                   "“%s” is not a name in the temporary directory", display);
      return NULL;
    }

  path = g_build_filename (self->entry.path, name, NULL);
  return g_file_new_for_path (path);
}

/**
 * tf_temp_dir_get_auto_cleanup: (get-property auto-cleanup)
 * @self: a temporary directory
 *
 * Tells whether the directory is removed when the object goes away.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
tf_temp_dir_get_auto_cleanup (TfTempDir *self)
{
  g_return_val_if_fail (TF_IS_TEMP_DIR (self), FALSE);

  return self->auto_cleanup;
}

/**
 * tf_temp_dir_set_auto_cleanup: (set-property auto-cleanup)
 * @self: a temporary directory
 * @auto_cleanup: whether to remove it
 *
 * Sets whether the directory is removed when the object goes away.
 *
 * Since: 1.0
 */
void
tf_temp_dir_set_auto_cleanup (TfTempDir *self,
                              gboolean   auto_cleanup)
{
  g_return_if_fail (TF_IS_TEMP_DIR (self));

  if (self->auto_cleanup == !!auto_cleanup)
    return;

  self->auto_cleanup = !!auto_cleanup;
  if (!self->is_kept && !self->is_cleaning)
    tf_entry_set_kept (&self->entry, self->entry.fd, !auto_cleanup);
  tf_temp_dir_notify_auto_cleanup (self);
}

/**
 * tf_temp_dir_get_ignore_cleanup_errors: (get-property ignore-cleanup-errors)
 * @self: a temporary directory
 *
 * Tells whether it is fine that some of the directory cannot be removed.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
tf_temp_dir_get_ignore_cleanup_errors (TfTempDir *self)
{
  g_return_val_if_fail (TF_IS_TEMP_DIR (self), FALSE);

  return self->ignore_cleanup_errors;
}

/**
 * tf_temp_dir_set_ignore_cleanup_errors: (set-property ignore-cleanup-errors)
 * @self: a temporary directory
 * @ignore_cleanup_errors: whether it is fine
 *
 * Sets whether it is fine that some of the directory cannot be removed.
 *
 * Since: 1.0
 */
void
tf_temp_dir_set_ignore_cleanup_errors (TfTempDir *self,
                                       gboolean   ignore_cleanup_errors)
{
  g_return_if_fail (TF_IS_TEMP_DIR (self));

  if (self->ignore_cleanup_errors == !!ignore_cleanup_errors)
    return;

  self->ignore_cleanup_errors = !!ignore_cleanup_errors;
  tf_temp_dir_notify_ignore_cleanup_errors (self);
}

/**
 * tf_temp_dir_keep:
 * @self: a temporary directory
 *
 * Lets go of the directory: from now on the object does not remove it, whatever is called.
 *
 * Who takes the path is the one to remove the directory.
 *
 * Returns: (type filename) (transfer full) (nullable): the path, or %NULL if the object was not initialized
 *
 * Since: 1.0
 */
char *
tf_temp_dir_keep (TfTempDir *self)
{
  g_return_val_if_fail (TF_IS_TEMP_DIR (self), NULL);

  tf_temp_dir_set_auto_cleanup (self, FALSE);
  if (!self->is_cleaning)
    tf_clear_fd (&self->entry.fd);
  self->is_kept = TRUE;
  return g_strdup (self->entry.path);
}

/* Whether the directory can be removed by a call that begins now. */
gboolean
tf_temp_dir_check_ready (TfTempDir  *self,
                         GError    **error)
{
  if (!check_initialized (self, error))
    return FALSE;

  if (self->is_cleaning)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PENDING, "The temporary directory is already being removed");

  return !self->is_cleaning;
}

/* Takes what went wrong, or NULL, and makes of it what the caller is to know. */
gboolean
tf_temp_dir_report_cleanup (TfTempDir  *self,
                            GError     *failure,
                            GError    **error)
{
  g_autoptr(GError) owned = failure;

  if (owned == NULL ||
      (self->ignore_cleanup_errors && !g_error_matches (owned, G_IO_ERROR, G_IO_ERROR_CANCELLED)))
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&owned));
  return FALSE;
}

/**
 * tf_temp_dir_cleanup:
 * @self: a temporary directory
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Removes the directory with all it holds.
 *
 * It goes on when something cannot be removed; the error is the first one, with its path and the number
 * of all. After an error or a cancellation it can be called again; after it succeeded, or after
 * [method@TempDir.keep], it does nothing and succeeds. With [property@TempDir:ignore-cleanup-errors] only
 * cancellation is an error.
 *
 * Blocks on the disk. Errors are of %G_IO_ERROR: %G_IO_ERROR_BUSY if there is a mount point in the tree;
 * %G_IO_ERROR_EXISTS if at the path there is something that this object did not make, and nothing was
 * removed; %G_IO_ERROR_NOT_EMPTY if someone keeps filling the directory; %G_IO_ERROR_PERMISSION_DENIED, also in a
 * forked child that did not make the directory; %G_IO_ERROR_PENDING during [method@TempDir.cleanup_async];
 * %G_IO_ERROR_CANCELLED; %G_IO_ERROR_NOT_INITIALIZED; else what the kernel reported.
 *
 * Returns: %TRUE if the directory is gone
 *
 * Since: 1.0
 */
gboolean
tf_temp_dir_cleanup (TfTempDir     *self,
                     GCancellable  *cancellable,
                     GError       **error)
{
  GError *failure = NULL;

  g_return_val_if_fail (TF_IS_TEMP_DIR (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!tf_temp_dir_check_ready (self, error))
    return FALSE;

  if (!self->is_kept)
    tf_entry_remove (&self->entry, cancellable, &failure);

  return tf_temp_dir_report_cleanup (self, failure, error);
}
