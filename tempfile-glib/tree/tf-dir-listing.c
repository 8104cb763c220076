/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-dir-listing.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUFFER_SIZE (64 * 1024)
/* From where on a directory is large. */
#define LARGE_SIZE (BUFFER_SIZE / 2)
#define LARGE_N_DIRS 64
/* How many entries are taken over at once: enough not to meet at the lock, few enough to end together. */
#define MAX_TAKEN 32

static int
compare_inodes (gconstpointer a,
                gconstpointer b)
{
  const struct dirent64 *first = *(const struct dirent64 * const *) a;
  const struct dirent64 *second = *(const struct dirent64 * const *) b;

  return (first->d_ino > second->d_ino) - (first->d_ino < second->d_ino);
}

static gboolean
is_dot (const struct dirent64 *entry)
{
  return strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0;
}

static void
append (TfDirListing    *self,
        struct dirent64 *entry)
{
  if (self->n_entries == self->n_allocated)
    {
      self->n_allocated = MAX (64, 2 * self->n_allocated);
      self->entries = g_renew (struct dirent64 *, self->entries, self->n_allocated);
    }

  self->entries[self->n_entries++] = entry;
  self->n_dirs += entry->d_type == DT_DIR;
}

static void
allocate_buffer (TfDirListing *self)
{
  if (self->buffer == NULL)
    self->buffer = g_malloc (BUFFER_SIZE);
}

/* Reads on in the directory @fd. Returns how many entries there are now; 0 at its end; -1 with errno set. */
gssize
tf_dir_listing_read (TfDirListing *self,
                     int           fd)
{
  gssize n = 1;

  allocate_buffer (self);
  tf_dir_listing_forget (self);

  while (self->n_entries == 0 && n > 0)
    {
      n = getdents64 (fd, self->buffer, BUFFER_SIZE);
      for (gssize i = 0; i < n;)
        {
          struct dirent64 *entry = (gpointer) (self->buffer + i);

          if (!is_dot (entry))
            append (self, entry);
          i += entry->d_reclen;
        }
    }

  if (n < 0)
    return -1;

  self->size = n;
  if (self->n_entries > 1)
    qsort (self->entries, self->n_entries, sizeof *self->entries, compare_inodes);
  return self->n_entries;
}

/* NULL when all are dealt with. */
const struct dirent64 *
tf_dir_listing_next (TfDirListing *self)
{
  return self->position < self->n_entries ? self->entries[self->position++] : NULL;
}

/* Takes some of the next entries of @other, which it then has no more: files, or the way to one directory.
 * Returns how many. */
guint
tf_dir_listing_take (TfDirListing *self,
                     TfDirListing *other)
{
  gsize end = 0;

  allocate_buffer (self);
  tf_dir_listing_forget (self);

  while (self->n_entries < MAX_TAKEN && self->n_dirs == 0 && other->position < other->n_entries)
    {
      const struct dirent64 *entry = tf_dir_listing_next (other);

      append (self, memcpy (self->buffer + end, entry, entry->d_reclen));
      end += entry->d_reclen;
    }

  return self->n_entries;
}

/* Looks at the disk where the file system did not tell. */
gboolean
tf_dir_listing_is_dir (const struct dirent64 *entry,
                       int                    dir_fd)
{
  struct stat st;

  if (entry->d_type != DT_UNKNOWN)
    return entry->d_type == DT_DIR;

  return fstatat (dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR (st.st_mode);
}

/* Whether what was read at once was so much that it is worth to be dealt with by more than one. */
gboolean
tf_dir_listing_is_large (const TfDirListing *self)
{
  return self->size > LARGE_SIZE || self->n_dirs > LARGE_N_DIRS;
}

void
tf_dir_listing_forget (TfDirListing *self)
{
  self->position = self->n_entries = self->n_dirs = 0;
  self->size = 0;
}

void
tf_dir_listing_clear (TfDirListing *self)
{
  g_clear_pointer (&self->buffer, g_free);
  g_clear_pointer (&self->entries, g_free);
  self->n_allocated = 0;
  tf_dir_listing_forget (self);
}
