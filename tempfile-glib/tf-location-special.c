/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-location-private.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/tf-errno.h"

const char *tf_location_flatpak_info = "/.flatpak-info";

static GMutex spool_dir_lock;
static const char *spool_dir; /* (nullable) (interned): not known yet */

static gboolean
is_in_memory (const char *dir)
{
  struct statfs fs;

  return TEMP_FAILURE_RETRY (statfs (dir, &fs)) == 0 &&
         (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/* The first candidate that can be used and is not in memory; NULL if there is none. */
static const char *
search_spool_dir (void)
{
  const char *candidates[] = { "/tmp", "/var/tmp", "/usr/tmp", "." };
  g_autoptr(GString) tried = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++)
    {
      const char *dir = is_in_memory (candidates[i]) ? NULL : tf_location_try (candidates[i], tried);

      if (dir != NULL)
        return dir;
    }

  return NULL;
}

static gboolean
is_set (const char *variable)
{
  const char *value = secure_getenv (variable);

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
  const char *dir;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (tf_location_is_chosen () || is_set ("TMPDIR") || is_set ("TEMP") || is_set ("TMP"))
    return tf_get_temp_dir (error);

  g_mutex_lock (&spool_dir_lock);
  if (spool_dir == NULL)
    spool_dir = search_spool_dir ();
  dir = spool_dir;
  g_mutex_unlock (&spool_dir_lock);

  return dir != NULL ? dir : tf_get_temp_dir (error);
}

void
tf_location_forget_spool_dir (void)
{
  g_mutex_lock (&spool_dir_lock);
  spool_dir = NULL;
  g_mutex_unlock (&spool_dir_lock);
}

/* As tf_location_complete(), for what rolls over. */
gboolean
tf_location_complete_spool (TfTemplate  *template,
                            GError     **error)
{
  if (template->dir == NULL)
    template->dir = (char *) tf_get_spool_dir (error);

  return template->dir != NULL;
}

/* The name under which Flatpak runs this program; NULL when it does not. */
static char *
read_flatpak_name (void)
{
  g_autoptr(GKeyFile) info = g_key_file_new ();
  g_autofree char *name = NULL;

  if (!g_key_file_load_from_file (info, tf_location_flatpak_info, G_KEY_FILE_NONE, NULL))
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
      tf_set_errno (error, errno, "mkdir", path);
      return NULL;
    }

  dir = tf_location_try (path, tried);
  if (dir == NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                 "No usable directory to share temporary files in: %s", tried->str);

  return dir;
}
