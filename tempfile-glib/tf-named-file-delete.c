/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-named-file-private.h"

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
  g_return_val_if_fail (TF_IS_NAMED_FILE (self), TF_DELETE_NEVER);

  return self->delete_policy;
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
  g_return_if_fail (TF_IS_NAMED_FILE (self));

  if (self->delete_policy == policy)
    return;

  self->delete_policy = policy;
  tf_entry_set_kept (&self->entry, -1, policy == TF_DELETE_NEVER);
  tf_named_file_notify_delete_policy (self);
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
  g_return_val_if_fail (TF_IS_NAMED_FILE (self), NULL);

  tf_named_file_set_delete_policy (self, TF_DELETE_NEVER);
  return g_strdup (self->entry.path);
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
  g_return_val_if_fail (TF_IS_NAMED_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (self->entry.path == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED,
                           "The temporary file was not initialized: call g_initable_init() first");
      return FALSE;
    }

  return tf_entry_remove (&self->entry, NULL, error);
}
