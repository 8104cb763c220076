/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-dir-stack.h"

#include <fcntl.h>
#include <string.h>

#include "base/tf-fd.h"

/* The caller keeps the descriptor of the root. */
void
tf_dir_stack_init (TfDirStack  *self,
                   const char  *path,
                   int          root_fd,
                   const TfDir *root,
                   guint        max_open)
{
  *self = (TfDirStack) {
    .path = g_strdup (path),
    .levels = g_array_new (FALSE, FALSE, sizeof (TfDirLevel)),
    .names = g_string_new (NULL),
    .max_open = max_open,
  };
  tf_dir_stack_push (self, root_fd, root, "");
}

void
tf_dir_stack_clear (TfDirStack *self)
{
  while (self->levels->len > 0)
    tf_dir_stack_pop (self);

  tf_dir_listing_clear (&self->spare);
  g_free (self->path);
  g_array_unref (self->levels);
  g_string_free (self->names, TRUE);
}

/* Returns the number of levels below the root. */
guint
tf_dir_stack_get_depth (const TfDirStack *self)
{
  return self->levels->len - 1;
}

TfDirLevel *
tf_dir_stack_get (TfDirStack *self,
                  guint       index)
{
  return &g_array_index (self->levels, TfDirLevel, index);
}

TfDirLevel *
tf_dir_stack_get_top (TfDirStack *self)
{
  return tf_dir_stack_get (self, self->levels->len - 1);
}

static void
keep_listing (TfDirStack   *self,
              TfDirListing *listing)
{
  if (self->spare.buffer == NULL)
    {
      self->spare = *listing;
      *listing = (TfDirListing) { NULL, };
    }

  tf_dir_listing_clear (listing);
}

static void
close_level (TfDirStack *self,
             guint       index)
{
  TfDirLevel *level = tf_dir_stack_get (self, index);

  if (index > 0)
    tf_fd_clear (&level->fd);
  keep_listing (self, &level->listing);
}

static void
close_unpinned (TfDirStack *self,
                guint       index)
{
  if (index > 0 && index != self->pinned)
    close_level (self, index);
}

void
tf_dir_stack_push (TfDirStack  *self,
                   int          fd,
                   const TfDir *dir,
                   const char  *name)
{
  TfDirLevel level = { .fd = fd, .dir = *dir, .name = self->names->len, .listing = self->spare };

  tf_dir_listing_forget (&level.listing);
  self->spare = (TfDirListing) { NULL, };
  g_string_append_len (self->names, name, strlen (name) + 1);
  g_array_append_val (self->levels, level);

  if (self->levels->len > self->max_open)
    close_unpinned (self, self->levels->len - 1 - self->max_open);
}

void
tf_dir_stack_pop (TfDirStack *self)
{
  g_string_truncate (self->names, tf_dir_stack_get_top (self)->name);
  close_level (self, self->levels->len - 1);
  g_array_set_size (self->levels, self->levels->len - 1);
}

/* Closes levels until the new limit is kept, except the level at @pinned. */
void
tf_dir_stack_set_max_open (TfDirStack *self,
                           guint       max_open,
                           guint       pinned)
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

/* Closes all levels except the root and the deepest one. */
void
tf_dir_stack_close_all (TfDirStack *self)
{
  for (guint i = 1; i + 1 < self->levels->len; i++)
    close_level (self, i);
}

/* Opens the level above the deepest one again. Returns FALSE if the tree has changed. */
gboolean
tf_dir_stack_reopen_parent (TfDirStack *self)
{
  TfDirLevel *top = tf_dir_stack_get_top (self);
  TfDirLevel *parent = tf_dir_stack_get (self, self->levels->len - 2);
  TfDir dir;
  tf_autofd int fd = -1;

  if (parent->fd >= 0)
    return TRUE;

  fd = TF_RETRY_EINTR (openat (top->fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd < 0 || !tf_dir_read (&dir, fd) || !tf_dir_equal (&dir, &parent->dir))
    return FALSE;

  parent->fd = tf_fd_steal (&fd);
  return TRUE;
}

/* Returns the path of @name in the deepest level, or of that level. The middle of a path that is too long is left
 * out. */
char *
tf_dir_stack_make_path (TfDirStack *self,
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
      g_string_append_printf (path, "/%s", self->names->str + tf_dir_stack_get (self, i)->name);
    }

  if (name != NULL)
    g_string_append_printf (path, "/%s", name);

  return g_string_free (path, FALSE);
}
