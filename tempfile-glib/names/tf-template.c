/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-template.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "base/tf-system.h"

/* Bytes that are drawn from the kernel at once. getentropy() does not give more. */
#define POOL_SIZE 256

/* Random bytes for the next names. The page is wiped in a forked child, which draws bytes of its own. */
typedef struct
{
  gint   is_used;  /* (atomic) */
  gsize  n_left;   /* at the beginning of @bytes */
  guint8 bytes[POOL_SIZE];
} RandomPool;

static RandomPool *pool; /* (nullable): if the system cannot wipe it */

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

static gboolean fill_random (guint8 *bytes,
                             gsize   n_bytes);

gboolean (*tf_template_fill_random) (guint8 *bytes,
                                     gsize   n_bytes) = fill_random;

void
tf_template_clear (TfTemplate *self)
{
  g_clear_pointer (&self->dir, g_free);
  g_clear_pointer (&self->prefix, g_free);
  g_clear_pointer (&self->suffix, g_free);
}

/* Returns an absolute path. Unlike realpath(), does not access the file system. */
char *
tf_template_resolve (const char  *path,
                     GError     **error)
{
  char current[PATH_MAX];

  if (g_path_is_absolute (path))
    return g_strdup (path);

  if (getcwd (current, sizeof current) == NULL)
    {
      tf_errno_set (error, errno, "getcwd for", path);
      return NULL;
    }

  return g_str_equal (path, ".") ? g_strdup (current) : g_build_filename (current, path, NULL);
}

/* Makes the directory independent of a later chdir(). If the current directory does not exist, the path stays relative,
 * and using it fails. */
void
tf_template_make_absolute (TfTemplate *self)
{
  char *absolute;

  if (self->dir == NULL || g_path_is_absolute (self->dir))
    return;

  absolute = tf_template_resolve (self->dir, NULL);
  if (absolute != NULL)
    {
      g_free (self->dir);
      self->dir = absolute;
    }
}

/* Replaces prefix, suffix and directory, but not the mode. */
void
tf_template_set (TfTemplate *self,
                 const char *prefix,
                 const char *suffix,
                 const char *dir)
{
  tf_template_clear (self);
  self->prefix = g_strdup (prefix);
  self->suffix = g_strdup (suffix);
  self->dir = g_strdup (dir);
  tf_template_make_absolute (self);
}

/* Returns whether it has another value now. Takes @name. */
static gboolean
set_name (char **current,
          char  *name)
{
  gboolean changed = g_strcmp0 (*current, name) != 0;

  g_free (*current);
  *current = name;
  return changed;
}

static gboolean
set_part (char     **part,
          GVariant  *names,
          gsize      index)
{
  g_autoptr(GVariant) maybe = g_variant_get_child_value (names, index);
  g_autoptr(GVariant) bytes = g_variant_get_maybe (maybe);

  return bytes != NULL && set_name (part, g_strndup (g_variant_get_data (bytes), g_variant_get_size (bytes)));
}

/* Replaces prefix, suffix and directory by those in @names, which may be NULL, unless they are missing there. The byte
 * strings may have a NUL at the end. */
static void
set_variant (TfTemplate *self,
             GObject    *object,
             GVariant   *names)
{
  if (names == NULL)
    return;

  g_object_freeze_notify (object);
  if (set_part (&self->prefix, names, 0))
    g_object_notify (object, "prefix");
  if (set_part (&self->suffix, names, 1))
    g_object_notify (object, "suffix");
  if (set_part (&self->dir, names, 2))
    g_object_notify (object, "dir");
  tf_template_make_absolute (self);
  g_object_thaw_notify (object);
}

void
tf_template_get_property (const TfTemplate *self,
                          guint             prop_id,
                          GValue           *value)
{
  switch (prop_id)
    {
    case TF_TEMPLATE_PROP_DIR:
      g_value_set_string (value, self->dir);
      break;

    case TF_TEMPLATE_PROP_PREFIX:
      g_value_set_string (value, self->prefix);
      break;

    case TF_TEMPLATE_PROP_SUFFIX:
      g_value_set_string (value, self->suffix);
      break;

    case TF_TEMPLATE_PROP_MODE:
      g_value_set_uint (value, self->mode);
      break;

    default:
      g_assert_not_reached ();
    }
}

static gboolean
set_dir (TfTemplate *self,
         char       *dir)
{
  gboolean changed = set_name (&self->dir, dir);

  if (changed)
    tf_template_make_absolute (self);
  return changed;
}

static gboolean
set_mode (TfTemplate *self,
          guint       mode)
{
  gboolean changed = self->mode != mode;

  self->mode = mode;
  return changed;
}

static gboolean
set_property (TfTemplate   *self,
              GObject      *object,
              guint         prop_id,
              const GValue *value)
{
  switch (prop_id)
    {
    case TF_TEMPLATE_PROP_DIR:
      return set_dir (self, g_value_dup_string (value));

    case TF_TEMPLATE_PROP_PREFIX:
      return set_name (&self->prefix, g_value_dup_string (value));

    case TF_TEMPLATE_PROP_SUFFIX:
      return set_name (&self->suffix, g_value_dup_string (value));

    case TF_TEMPLATE_PROP_MODE:
      return set_mode (self, g_value_get_uint (value));

    case TF_TEMPLATE_PROP_VARIANT:
      set_variant (self, object, g_value_get_variant (value));
      return FALSE;

    default:
      g_return_val_if_reached (FALSE);
    }
}

/* Sets a property of @object, and notifies of what has another value now. */
void
tf_template_set_property (TfTemplate   *self,
                          GObject      *object,
                          guint         prop_id,
                          const GValue *value,
                          GParamSpec   *pspec)
{
  if (set_property (self, object, prop_id, value))
    g_object_notify_by_pspec (object, pspec);
}

/* If the template has no directory, sets the one that @get_dir returns, which is never freed. */
gboolean
tf_template_complete (TfTemplate  *self,
                      const char *(*get_dir) (GError **error),
                      GError     **error)
{
  if (self->dir == NULL)
    {
      self->dir = (char *) get_dir (error);
      self->is_default = TRUE;
    }

  return self->dir != NULL;
}

static gboolean
check_part (const char  *what,
            const char  *part,
            GError     **error)
{
  g_autofree char *display = NULL;

  if (part == NULL || strchr (part, '/') == NULL)
    return TRUE;

  display = g_filename_display_name (part);
  tf_errno_set_code (error, G_IO_ERROR_INVALID_FILENAME,
                     "The %s “%s” of a temporary name has a “/” in it", what, display);
  return FALSE;
}

static const char *
get_prefix (const TfTemplate *template)
{
  return template->prefix != NULL ? template->prefix : TF_TEMPLATE_PREFIX;
}

static const char *
get_suffix (const TfTemplate *template)
{
  return template->suffix != NULL ? template->suffix : "";
}

/* Refuses a prefix or suffix that has a slash or makes the name too long for any file system. A name is never "." or
 * "..", because its random part is not empty. */
gboolean
tf_template_check (const TfTemplate  *template,
                   GError           **error)
{
  gsize length = strlen (get_prefix (template)) + TF_TEMPLATE_RANDOM_LENGTH + strlen (get_suffix (template));

  if (!check_part ("prefix", template->prefix, error) ||
      !check_part ("suffix", template->suffix, error))
    return FALSE;

  if (length > NAME_MAX)
    {
      tf_errno_set_code (error, G_IO_ERROR_FILENAME_TOO_LONG,
                         "A temporary name with this prefix and suffix would be %" G_GSIZE_FORMAT
                         " bytes long, %d are allowed", length, NAME_MAX);
      return FALSE;
    }

  return TRUE;
}

__attribute__ ((constructor)) static void
map_pool (void)
{
  pool = (RandomPool *) (gpointer) tf_system_map_wiped_on_fork ();
}

/* Draws new bytes if there are not enough. */
static gboolean
pool_take (RandomPool *self,
           guint8     *bytes,
           gsize       n_bytes)
{
  if (self->n_left < n_bytes)
    {
      if (!tf_system_fill_random (self->bytes, sizeof self->bytes))
        return FALSE;

      self->n_left = sizeof self->bytes;
    }

  self->n_left -= n_bytes;
  memcpy (bytes, self->bytes + self->n_left, n_bytes);
  return TRUE;
}

/* If another thread uses the pool, the bytes come from the kernel. So they do in a child that a signal handler has
 * forked in the middle of this. */
static gboolean
fill_random (guint8 *bytes,
             gsize   n_bytes)
{
  gboolean success;

  if (pool == NULL || n_bytes > POOL_SIZE || !g_atomic_int_compare_and_exchange (&pool->is_used, FALSE, TRUE))
    return tf_system_fill_random (bytes, n_bytes);

  success = pool_take (pool, bytes, n_bytes);
  if (!g_atomic_int_compare_and_exchange (&pool->is_used, TRUE, FALSE))
    return tf_system_fill_random (bytes, n_bytes);

  return success;
}

static gboolean
fill_with_characters (const TfTemplate  *template,
                      char              *characters,
                      gsize              n_characters,
                      GError           **error)
{
  guint8 bytes[2 * TF_TEMPLATE_RANDOM_LENGTH];
  gsize n = 0;

  while (n < n_characters)
    {
      if (!tf_template_fill_random (bytes, sizeof bytes))
        return tf_errno_set (error, errno, "getrandom", template->dir);

      /* Values outside the alphabet are dropped, so that all characters are equally likely. */
      for (gsize i = 0; i < sizeof bytes && n < n_characters; i++)
        if ((bytes[i] & 63) < sizeof alphabet - 1)
          characters[n++] = alphabet[bytes[i] & 63];
    }

  return TRUE;
}

static char *
append (char       *end,
        const char *bytes,
        gsize       n_bytes)
{
  memcpy (end, bytes, n_bytes);
  return end + n_bytes;
}

/* Returns the path of a fresh name in @dir, or the name alone if @dir is empty. Names do not repeat after fork(). */
char *
tf_template_make_path (const TfTemplate  *template,
                       const char        *dir,
                       GError           **error)
{
  const char *prefix = get_prefix (template), *suffix = get_suffix (template);
  const gsize n_dir = strlen (dir), n_prefix = strlen (prefix), n_suffix = strlen (suffix);
  char random[TF_TEMPLATE_RANDOM_LENGTH];
  char *path, *end;

  if (!tf_template_check (template, error) ||
      !fill_with_characters (template, random, sizeof random, error))
    return NULL;

  path = end = g_malloc (n_dir + 1 + n_prefix + sizeof random + n_suffix + 1);
  end = append (end, dir, n_dir);
  if (n_dir > 0 && dir[n_dir - 1] != G_DIR_SEPARATOR)
    *end++ = G_DIR_SEPARATOR;
  end = append (end, prefix, n_prefix);
  end = append (end, random, sizeof random);
  end = append (end, suffix, n_suffix);
  *end = '\0';
  return path;
}

/* Returns a fresh base name. */
char *
tf_template_make_name (const TfTemplate  *template,
                       GError           **error)
{
  return tf_template_make_path (template, "", error);
}

/* Returns whether @name can come from @template with any suffix. */
gboolean
tf_template_matches (const TfTemplate *template,
                     const char       *name)
{
  const char *prefix = get_prefix (template);

  return g_str_has_prefix (name, prefix) &&
         strspn (name + strlen (prefix), alphabet) >= TF_TEMPLATE_RANDOM_LENGTH;
}
