/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-dir-stack.h"

#include <fcntl.h>
#include <string.h>

#include "base/tf-fd.h"

/* The descriptor of the root stays the caller's. */
void
tf_levels_init (TfLevels       *self,
                const char     *path,
                int             root_fd,
                const TfSubdir *root,
                guint           max_open)
{
  *self = (TfLevels) {
    .path = g_strdup (path),
    .levels = g_array_new (FALSE, FALSE, sizeof (TfLevel)),
    .names = g_string_new (NULL),
    .max_open = max_open,
  };
  tf_levels_push (self, root_fd, root, "");
}

void
tf_levels_clear (TfLevels *self)
{
  while (self->levels->len > 0)
    tf_levels_pop (self);

  tf_listing_clear (&self->spare);
  g_free (self->path);
  g_array_unref (self->levels);
  g_string_free (self->names, TRUE);
}

/* How many levels there are below the root. */
guint
tf_levels_get_depth (const TfLevels *self)
{
  return self->levels->len - 1;
}

TfLevel *
tf_levels_get (TfLevels *self,
               guint     index)
{
  return &g_array_index (self->levels, TfLevel, index);
}

TfLevel *
tf_levels_get_top (TfLevels *self)
{
  return tf_levels_get (self, self->levels->len - 1);
}

static void
keep_listing (TfLevels  *self,
              TfListing *listing)
{
  if (self->spare.buffer == NULL)
    {
      self->spare = *listing;
      *listing = (TfListing) { NULL, };
    }

  tf_listing_clear (listing);
}

static void
close_level (TfLevels *self,
             guint     index)
{
  TfLevel *level = tf_levels_get (self, index);

  if (index > 0)
    tf_clear_fd (&level->fd);
  keep_listing (self, &level->listing);
}

static void
close_unpinned (TfLevels *self,
                guint     index)
{
  if (index > 0 && index != self->pinned)
    close_level (self, index);
}

void
tf_levels_push (TfLevels       *self,
                int             fd,
                const TfSubdir *dir,
                const char     *name)
{
  TfLevel level = { .fd = fd, .dir = *dir, .name = self->names->len, .listing = self->spare };

  tf_listing_forget (&level.listing);
  self->spare = (TfListing) { NULL, };
  g_string_append_len (self->names, name, strlen (name) + 1);
  g_array_append_val (self->levels, level);

  if (self->levels->len > self->max_open)
    close_unpinned (self, self->levels->len - 1 - self->max_open);
}

void
tf_levels_pop (TfLevels *self)
{
  g_string_truncate (self->names, tf_levels_get_top (self)->name);
  close_level (self, self->levels->len - 1);
  g_array_set_size (self->levels, self->levels->len - 1);
}

/* Closes what is open beyond the new limit, the level at @pinned excepted. */
void
tf_levels_set_max_open (TfLevels *self,
                        guint     max_open,
                        guint     pinned)
{
  guint n_kept = MIN (self->levels->len, max_open);
  guint n_open = MIN (self->levels->len, self->max_open);
  guint unpinned = self->pinned;

  self->max_open = max_open;
  self->pinned = pinned;
  for (guint i = self->levels->len - n_open; i < self->levels->len - n_kept; i++)
    close_unpinned (self, i);

  if (unpinned + n_kept < self->levels->len)
    close_unpinned (self, unpinned);
}

/* Leaves only the root and the deepest level open. */
void
tf_levels_close_all (TfLevels *self)
{
  for (guint i = 1; i + 1 < self->levels->len; i++)
    close_level (self, i);
}

/* Opens the level above the deepest one again. FALSE when the tree is not what it was. */
gboolean
tf_levels_reopen_parent (TfLevels *self)
{
  TfLevel *top = tf_levels_get_top (self);
  TfLevel *parent = tf_levels_get (self, self->levels->len - 2);
  TfSubdir dir;
  tf_autofd int fd = -1;

  if (parent->fd >= 0)
    return TRUE;

  fd = TEMP_FAILURE_RETRY (openat (top->fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd < 0 || !tf_subdir_read (&dir, fd) || !tf_subdir_equal (&dir, &parent->dir))
    return FALSE;

  parent->fd = tf_steal_fd (&fd);
  return TRUE;
}

/* The path of @name in the deepest level, or of that level; what is in the middle of an overlong one is left out. */
char *
tf_levels_make_path (TfLevels   *self,
                     const char *name)
{
  GString *path = g_string_new (self->path);

  for (guint i = 1; i < self->levels->len; i++)
    {
      if (path->len > 1024)
        {
          g_string_append (path, "/…");
          break;
        }
      g_string_append_printf (path, "/%s", self->names->str + tf_levels_get (self, i)->name);
    }

  if (name != NULL)
    g_string_append_printf (path, "/%s", name);

  return g_string_free (path, FALSE);
}
