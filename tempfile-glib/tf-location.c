/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-location.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "names/tf-open.h"
#include "store/tf-disk.h"

/* Under the lock. */
static GMutex lock;
static const char *temp_dir;  /* (nullable) (interned): not known yet */
static const char *spool_dir; /* (nullable) (interned): not known yet */
static gboolean is_chosen;    /* tf_set_temp_dir() named the temp dir */

/* Proves that files can be created in @dir and that it takes bytes. */
static gboolean
probe (const char  *dir,
       GError     **error)
{
  const char bytes[] = "probe";
  const TfTemplate template = { .dir = (char *) dir, .mode = 0600, .is_probe = TRUE };
  tf_autofd int fd = tf_open_unnamed (&template, NULL, error);
  gsize n_written = 0;

  return fd >= 0 && tf_disk_write (fd, dir, 0, bytes, sizeof bytes, &n_written, NULL, error);
}

/* Returns the absolute path of @candidate when it can be used, else adds the reason to @tried. */
static const char *
try_dir (const char *candidate,
         GString    *tried)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *dir = tf_template_resolve (candidate, &error);

  if (dir != NULL && probe (dir, &error))
    return g_intern_string (dir);

  g_string_append_printf (tried, "%s%s", tried->len > 0 ? "; " : "", error->message);
  return NULL;
}

static const char *
search_temp_dir (GError **error)
{
  const char *candidates[] = {
    tf_system_getenv ("TMPDIR"), tf_system_getenv ("TEMP"), tf_system_getenv ("TMP"),
    "/tmp", "/var/tmp", "/usr/tmp", ".",
  };
  g_autoptr(GString) tried = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++)
    {
      const char *dir = NULL;

      if (candidates[i] != NULL && *candidates[i] != '\0')
        dir = try_dir (candidates[i], tried);
      if (dir != NULL)
        return dir;
    }

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
               "No usable directory for temporary files: %s", tried->str);
  return NULL;
}

/**
 * tf_get_temp_dir:
 * @error: return location for an error
 *
 * Returns the directory in which temporary things are made when no other is asked for.
 *
 * It is the first one of `$TMPDIR`, `$TEMP`, `$TMP`, `/tmp`, `/var/tmp`, `/usr/tmp` and the current
 * directory in which a file can be created and written; each is tried by doing so. The answer is kept
 * until [func@Tf.set_temp_dir] is called. It is `gettempdir()` of Python's `tempfile`.
 *
 * May be called from any thread. The first call blocks on the disk.
 *
 * With %G_IO_ERROR_NOT_FOUND there is no such directory; the message lists all that were tried, and
 * why each failed.
 *
 * Returns: (type filename) (transfer none): an absolute path; valid as long as the process lives
 *
 * Since: 1.0
 */
const char *
tf_get_temp_dir (GError **error)
{
  const char *dir;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  g_mutex_lock (&lock);
  if (temp_dir == NULL)
    temp_dir = search_temp_dir (error);
  dir = temp_dir;
  g_mutex_unlock (&lock);

  return dir;
}

/**
 * tf_set_temp_dir:
 * @dir: (type filename) (nullable): a directory, or %NULL
 *
 * Sets what [func@Tf.get_temp_dir] returns, for the whole process.
 *
 * With %NULL, the next call of [func@Tf.get_temp_dir] searches again. The directory is not checked; a
 * relative path is taken from what is the current directory now. It is the variable `tempdir` of
 * Python's `tempfile`, and as there, passing a directory to the calls that take one surprises fewer people.
 *
 * May be called from any thread.
 *
 * Since: 1.0
 */
void
tf_set_temp_dir (const char *dir)
{
  g_autofree char *absolute = dir != NULL ? tf_template_resolve (dir, NULL) : NULL;

  g_mutex_lock (&lock);
  temp_dir = g_intern_string (absolute != NULL ? absolute : dir);
  is_chosen = dir != NULL;
  spool_dir = NULL;
  g_mutex_unlock (&lock);
}

/**
 * tf_get_temp_prefix:
 *
 * Returns what the names of temporary things begin with when nothing else is asked for.
 *
 * It is `gettempprefix()` of Python's `tempfile`. May be called from any thread.
 *
 * Returns: (type filename) (transfer none): `tmp`
 *
 * Since: 1.0
 */
const char *
tf_get_temp_prefix (void)
{
  return TF_TEMPLATE_PREFIX;
}

/* The first candidate that can be used and is not in memory; NULL if there is none. */
static const char *
search_spool_dir (void)
{
  const char *candidates[] = { "/tmp", "/var/tmp", "/usr/tmp", "." };
  g_autoptr(GString) tried = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++)
    {
      const char *dir = tf_system_is_in_memory (candidates[i]) ? NULL : try_dir (candidates[i], tried);

      if (dir != NULL)
        return dir;
    }

  return NULL;
}

static gboolean
is_set (const char *variable)
{
  const char *value = tf_system_getenv (variable);

  return value != NULL && *value != '\0';
}

/**
 * tf_get_spool_dir:
 * @error: return location for an error
 *
 * Returns the directory in which a [class@SpooledFile] rolls over when no other is asked for.
 *
 * It is that of [func@Tf.get_temp_dir] if [func@Tf.set_temp_dir] named one, or if one of `$TMPDIR`, `$TEMP`
 * and `$TMP` is set: who says where temporary files go is obeyed. Else it is the first usable one of
 * `/tmp`, `/var/tmp`, `/usr/tmp` and the current directory that is not in memory (tmpfs, ramfs), since
 * going from memory to memory would be of no use; and when all are, that of [func@Tf.get_temp_dir].
 *
 * The answer is kept until [func@Tf.set_temp_dir] is called. May be called from any thread. The first
 * call blocks on the disk. Fails as [func@Tf.get_temp_dir] does.
 *
 * Returns: (type filename) (transfer none): an absolute path; valid as long as the process lives
 *
 * Since: 1.0
 */
const char *
tf_get_spool_dir (GError **error)
{
  const char *dir = NULL;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  g_mutex_lock (&lock);
  if (!is_chosen && !is_set ("TMPDIR") && !is_set ("TEMP") && !is_set ("TMP"))
    {
      if (spool_dir == NULL)
        spool_dir = search_spool_dir ();
      dir = spool_dir;
    }
  g_mutex_unlock (&lock);

  return dir != NULL ? dir : tf_get_temp_dir (error);
}

/* The name under which Flatpak runs this program; NULL when it does not. */
static char *
read_flatpak_name (void)
{
  g_autoptr(GKeyFile) info = g_key_file_new ();
  g_autofree char *name = NULL;

  if (!g_key_file_load_from_file (info, "/.flatpak-info", G_KEY_FILE_NONE, NULL))
    return NULL;

  name = g_key_file_get_string (info, "Application", "name", NULL);
  if (name == NULL || *name == '\0' || strchr (name, '/') != NULL)
    return NULL;

  return g_steal_pointer (&name);
}

/**
 * tf_get_shareable_dir:
 * @error: return location for an error
 *
 * Returns a directory for files that another program is to open by their path.
 *
 * In a Flatpak sandbox, `/tmp` and `/var/tmp` are not those of the host: a path in them means nothing, or
 * something else, to a program outside, and portals refuse it. There, this is
 * `~/.var/app/NAME/cache/tmp`, which has the same path inside and outside; it is made, with mode 0700, if it is not
 * there. Elsewhere it is what [func@Tf.get_temp_dir] returns.
 *
 * A sandbox is known by the file `/.flatpak-info`, see flatpak-metadata(5). May be called from any thread.
 * Blocks on the disk. With %G_IO_ERROR_NOT_FOUND the directory cannot be used; the message says why.
 * Else it fails as [func@Tf.get_temp_dir] does.
 *
 * Returns: (type filename) (transfer none): an absolute path; valid as long as the process lives
 *
 * Since: 1.0
 */
const char *
tf_get_shareable_dir (GError **error)
{
  g_autofree char *name = NULL;
  g_autofree char *path = NULL;
  g_autoptr(GString) tried = g_string_new (NULL);
  const char *dir;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  name = read_flatpak_name ();
  if (name == NULL)
    return tf_get_temp_dir (error);

  path = g_build_filename (g_get_home_dir (), ".var", "app", name, "cache", "tmp", NULL);
  if (g_mkdir_with_parents (path, 0700) != 0)
    {
      tf_errno_set (error, errno, "mkdir", path);
      return NULL;
    }

  dir = try_dir (path, tried);
  if (dir == NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                 "No usable directory to share temporary files in: %s", tried->str);

  return dir;
}
