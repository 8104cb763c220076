/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-location-private.h"

#include <stdlib.h>

#include "base/tf-fd.h"
#include "names/tf-open.h"
#include "store/tf-backing.h"

static GMutex temp_dir_lock;
static const char *temp_dir; /* (nullable) (interned): not known yet */
static gboolean is_chosen;   /* tf_set_temp_dir() named it */

/* Proves that files can be created in @dir and that it takes bytes. */
static gboolean
probe (const char  *dir,
       GError     **error)
{
  const char bytes[] = "probe";
  const TfTemplate template = { .dir = (char *) dir, .mode = 0600, .is_probe = TRUE };
  g_auto(TfStage) file = TF_STAGE_INIT_IN_MEMORY;
  gsize n_written;

  file.fd = tf_open_unnamed (&template, NULL, error);
  file.where = g_strdup (dir);

  return file.fd >= 0 &&
         tf_stage_write (&file, 0, bytes, sizeof bytes, &n_written, NULL, error);
}

/* Returns the absolute path of @candidate when it can be used, else adds the reason to @tried. */
const char *
tf_location_try (const char *candidate,
                 GString    *tried)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *dir = tf_open_absolute (candidate, &error);

  if (dir != NULL && probe (dir, &error))
    return g_intern_string (dir);

  g_string_append_printf (tried, "%s%s", tried->len > 0 ? "; " : "", error->message);
  return NULL;
}

static const char *
search_temp_dir (GError **error)
{
  /* secure_getenv(): the environment of a set-user-ID program is not to be trusted. */
  const char *candidates[] = {
    secure_getenv ("TMPDIR"), secure_getenv ("TEMP"), secure_getenv ("TMP"),
    "/tmp", "/var/tmp", "/usr/tmp", ".",
  };
  g_autoptr(GString) tried = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++)
    {
      const char *dir = NULL;

      if (candidates[i] != NULL && *candidates[i] != '\0')
        dir = tf_location_try (candidates[i], tried);
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

  g_mutex_lock (&temp_dir_lock);
  if (temp_dir == NULL)
    temp_dir = search_temp_dir (error);
  dir = temp_dir;
  g_mutex_unlock (&temp_dir_lock);

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
  g_autofree char *absolute = dir != NULL ? tf_open_absolute (dir, NULL) : NULL;

  g_mutex_lock (&temp_dir_lock);
  temp_dir = g_intern_string (absolute != NULL ? absolute : dir);
  is_chosen = dir != NULL;
  g_mutex_unlock (&temp_dir_lock);

  tf_location_forget_spool_dir ();
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
  return TF_NAME_PREFIX;
}

/* Whether the program said where temporary things go. */
gboolean
tf_location_is_chosen (void)
{
  gboolean chosen;

  g_mutex_lock (&temp_dir_lock);
  chosen = is_chosen;
  g_mutex_unlock (&temp_dir_lock);

  return chosen;
}

/* Gives a template that names no directory the one for temporary things, which is never freed. */
gboolean
tf_location_complete (TfTemplate  *template,
                      GError     **error)
{
  if (template->dir == NULL)
    template->dir = (char *) tf_get_temp_dir (error);

  return template->dir != NULL;
}
