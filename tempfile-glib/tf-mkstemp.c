/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-mkstemp.h"

#include "names/tf-open.h"
#include "tf-location.h"

/* Borrows its arguments. */
static TfTemplate
make_template (const char *prefix,
               const char *suffix,
               const char *dir,
               guint       mode)
{
  return (TfTemplate) {
    .dir = (char *) dir,
    .prefix = (char *) prefix,
    .suffix = (char *) suffix,
    .mode = mode,
  };
}

/**
 * tf_mkstemp:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 * @path: (out) (type filename) (transfer full): the absolute path of the file
 * @error: return location for an error
 *
 * Creates a file that nobody else can open, with a name that did not exist.
 *
 * Between prefix and suffix stand eight random characters out of `[a-z0-9_]`, from the kernel's random
 * source. The file has mode 0600 and is opened with `O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW`
 * of open(2). The caller closes the descriptor and removes the file; [class@NamedFile] does both by
 * itself. It is `mkstemp()` of Python's `tempfile`.
 *
 * May be called from any thread. Blocks on the disk.
 *
 * Errors are of %G_IO_ERROR: %G_IO_ERROR_INVALID_FILENAME if prefix or suffix holds a `/` or makes the
 * name too long; %G_IO_ERROR_EXISTS if 10 000 names in a row were taken; %G_IO_ERROR_NOT_FOUND if @dir
 * does not exist; else what open(2) reported.
 *
 * Returns: a file descriptor, which the caller closes, or -1 with @error set
 *
 * Since: 1.0
 */
int
tf_mkstemp (const char  *prefix,
            const char  *suffix,
            const char  *dir,
            char       **path,
            GError     **error)
{
  TfTemplate template = make_template (prefix, suffix, dir, 0600);

  g_return_val_if_fail (path != NULL, -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  *path = NULL;
  if (!tf_template_complete (&template, tf_get_temp_dir, error))
    return -1;

  return tf_open_named (&template, path, NULL, error);
}

/**
 * tf_mkdtemp:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing
 * @dir: (type filename) (nullable): where to make the directory, or %NULL for [func@Tf.get_temp_dir]
 * @error: return location for an error
 *
 * Makes a directory of mode 0700, with a name that did not exist.
 *
 * Names and errors are those of [func@Tf.mkstemp]. The caller removes the directory with all it holds;
 * [class@TempDir] does so by itself. It is `mkdtemp()` of Python's `tempfile`.
 *
 * May be called from any thread. Blocks on the disk.
 *
 * Returns: (type filename) (transfer full): the absolute path of the directory
 *
 * Since: 1.0
 */
char *
tf_mkdtemp (const char  *prefix,
            const char  *suffix,
            const char  *dir,
            GError     **error)
{
  TfTemplate template = make_template (prefix, suffix, dir, 0700);

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!tf_template_complete (&template, tf_get_temp_dir, error))
    return NULL;

  return tf_open_make_dir (&template, NULL, NULL, error);
}

/**
 * tf_mktemp:
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing
 * @dir: (type filename) (nullable): which directory the path is in, or %NULL for [func@Tf.get_temp_dir]
 * @error: return location for an error
 *
 * Returns a path at which there was nothing when it was looked at, and creates nothing.
 *
 * Names and errors are those of [func@Tf.mkstemp]. It is `mktemp()` of Python's `tempfile`, where it is
 * deprecated as well. May be called from any thread. Blocks on the disk.
 *
 * Returns: (type filename) (transfer full): an absolute path
 *
 * Since: 1.0
 * Deprecated: 1.0: Before the caller gets to create the file, someone else may have put one there, or a
 *   symbolic link to a file of the caller's. Use [func@Tf.mkstemp] or [class@NamedFile], which create it
 *   in the same step.
 */
char *
tf_mktemp (const char  *prefix,
           const char  *suffix,
           const char  *dir,
           GError     **error)
{
  TfTemplate template = make_template (prefix, suffix, dir, 0);

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!tf_template_complete (&template, tf_get_temp_dir, error))
    return NULL;

  return tf_open_free_name (&template, error);
}
