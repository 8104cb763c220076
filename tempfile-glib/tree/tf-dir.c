/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/tf-fd.h"
#include "base/tf-system.h"

/* The size of its entries, in bytes, from which on a directory is large. */
#define LARGE_SIZE (TF_SYSTEM_DIR_BUFFER / 2)
#define LARGE_N_DIRS 64
/* The number of entries taken at once: large enough for little contention, small enough for both threads to end at
 * about the same time. */
#define MAX_TAKEN 32

/* Describes the directory @name in @dir_fd, or @dir_fd itself when @name is empty. */
static gboolean
look_at (TfDir        *self,
         int           dir_fd,
         const char   *name,
         TfSystemStat *st)
{
  if (!tf_system_stat (st, dir_fd, name))
    return FALSE;

  *self = (TfDir) {
    .device = st->device,
    .inode = st->inode,
    .mount_id = st->mount_id != 0 ? st->mount_id : tf_system_get_mount (dir_fd, name),
    .mode = st->mode,
  };
  return TRUE;
}

/* Reads the status of the directory behind @fd. Returns FALSE with errno set on failure. */
gboolean
tf_dir_read (TfDir *self,
             int    fd)
{
  TfSystemStat st;

  return look_at (self, fd, "", &st);
}

/* A subvolume of btrfs has another device than the directory that it is in, but is no mount. */
static gboolean
is_same_mount (const TfDir *a,
               const TfDir *b)
{
  return a->mount_id != 0 && b->mount_id != 0 ? a->mount_id == b->mount_id : a->device == b->device;
}

gboolean
tf_dir_equal (const TfDir *a,
              const TfDir *b)
{
  return is_same_mount (a, b) && a->device == b->device && a->inode == b->inode;
}

static int
open_confined (int         parent_fd,
               const char *name)
{
  int fd = tf_system_open_beneath (parent_fd, name);

  if (fd >= 0 || errno != ENOTSUP)
    return fd;

  if (tf_system_is_mount_point (parent_fd, name))
    {
      errno = EXDEV;
      return -1;
    }

  return TF_RETRY_EINTR (openat (parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

static guint
open_up (guint mode)
{
  return (mode | S_IRWXU) & 07777;
}

/* Fails with EEXIST if @st is not of @wanted, if that is not NULL. */
static gboolean
check_identity (const TfSystemStat *st,
                const TfIdentity   *wanted)
{
  TfIdentity found;

  tf_identity_set (&found, st);
  if (wanted == NULL || tf_identity_equal (&found, wanted))
    return TRUE;

  errno = EEXIST;
  return FALSE;
}

/* Grants the owner all permissions, so that an unreadable directory can be opened. If that is not possible, sets errno to
 * EACCES. */
static gboolean
open_up_at (int               parent_fd,
            const TfDir      *parent,
            const char       *name,
            const TfIdentity *wanted)
{
  TfSystemStat st;
  TfDir place;

  if (!look_at (&place, parent_fd, name, &st) || !check_identity (&st, wanted))
    return FALSE;

  if (!S_ISDIR (st.mode))
    {
      errno = ENOTDIR;
      return FALSE;
    }

  if (is_same_mount (&place, parent) && tf_system_chmod_dir (parent_fd, name, &st, open_up (st.mode)) == 0)
    return TRUE;

  errno = EACCES;
  return FALSE;
}

/* Opens a directory that cannot be read. Changing its mode gives it another birth time where an overlay copies it for
 * that, so that it is compared before, and has the same inode number afterwards. */
static int
open_unreadable (int               parent_fd,
                 const TfDir      *parent,
                 const char       *name,
                 const TfIdentity *wanted)
{
  tf_autofd int fd = open_up_at (parent_fd, parent, name, wanted) ? open_confined (parent_fd, name) : -1;
  struct stat st;

  if (fd < 0 || wanted == NULL)
    return tf_fd_steal (&fd);
  if (fstat (fd, &st) != 0)
    return -1;
  if (st.st_ino == wanted->inode)
    return tf_fd_steal (&fd);

  errno = EEXIST;
  return -1;
}

/* Opens the directory @name in @parent_fd for reading, without following a symlink or crossing a mount point, and
 * tries to make its entries removable. Returns -1 with errno set on failure; to EXDEV for a mount point, and to EEXIST if
 * it is not @wanted, if that is not NULL. */
int
tf_dir_open (TfDir            *self,
             int               parent_fd,
             const TfDir      *parent,
             const char       *name,
             const TfIdentity *wanted)
{
  tf_autofd int fd = open_confined (parent_fd, name);
  TfSystemStat st;

  if (fd < 0 && errno == EACCES)
    {
      fd = open_unreadable (parent_fd, parent, name, wanted);
      wanted = NULL;
    }

  if (fd < 0 || !look_at (self, fd, "", &st))
    return -1;

  if (!is_same_mount (self, parent))
    {
      errno = EXDEV;
      return -1;
    }

  if (!check_identity (&st, wanted))
    return -1;

  if ((self->mode & S_IRWXU) != S_IRWXU)
    fchmod (fd, open_up (self->mode));

  return tf_fd_steal (&fd);
}

/* --- Its entries ---------------------------------------------------------------------------- */

static int
compare_inodes (gconstpointer a,
                gconstpointer b)
{
  const TfSystemEntry *first = *(const TfSystemEntry * const *) a;
  const TfSystemEntry *second = *(const TfSystemEntry * const *) b;

  return (first->inode > second->inode) - (first->inode < second->inode);
}

static gboolean
is_dot (const TfSystemEntry *entry)
{
  return strcmp (entry->name, ".") == 0 || strcmp (entry->name, "..") == 0;
}

static void
append (TfDirListing  *self,
        TfSystemEntry *entry)
{
  if (self->n_entries == self->n_allocated)
    {
      self->n_allocated = MAX (64, 2 * self->n_allocated);
      self->entries = g_renew (TfSystemEntry *, self->entries, self->n_allocated);
    }

  self->entries[self->n_entries++] = entry;
  self->n_dirs += entry->type == TF_SYSTEM_ENTRY_DIR;
}

/* Reads the next entries of the directory @fd. Returns their number; 0 at the end; -1 with errno set. */
gssize
tf_dir_listing_read (TfDirListing *self,
                     int           fd)
{
  gssize n = 1;

  tf_dir_listing_forget (self);

  while (self->n_entries == 0 && n > 0)
    {
      n = tf_system_read_dir (fd, &self->buffer, &self->capacity);
      for (gssize i = 0; i < n;)
        {
          TfSystemEntry *entry = (gpointer) (self->buffer + i);

          if (!is_dot (entry))
            append (self, entry);
          i += entry->size;
        }
    }

  if (n < 0)
    return -1;

  self->size = n;
  if (self->n_entries > 1)
    qsort (self->entries, self->n_entries, sizeof *self->entries, compare_inodes);
  return self->n_entries;
}

/* Returns the next entry, or NULL if there are no more. */
const TfSystemEntry *
tf_dir_listing_next (TfDirListing *self)
{
  return self->position < self->n_entries ? self->entries[self->position++] : NULL;
}

/* Takes some of the next entries away from @other: files, up to and including one directory. Returns their number. */
guint
tf_dir_listing_take (TfDirListing *self,
                     TfDirListing *other)
{
  gsize end = 0;

  tf_dir_listing_forget (self);
  if (self->buffer == NULL)
    {
      self->buffer = g_malloc (TF_SYSTEM_DIR_BUFFER);
      self->capacity = TF_SYSTEM_DIR_BUFFER;
    }

  while (self->n_entries < MAX_TAKEN && self->n_dirs == 0 && other->position < other->n_entries)
    {
      const TfSystemEntry *entry = tf_dir_listing_next (other);

      append (self, memcpy (self->buffer + end, entry, entry->size));
      end += entry->size;
    }

  return self->n_entries;
}

/* Returns whether the entry is a directory. Asks the disk if the file system did not return the type. */
gboolean
tf_dir_listing_is_dir (const TfSystemEntry *entry,
                       int                  dir_fd)
{
  struct stat st;

  if (entry->type != TF_SYSTEM_ENTRY_UNKNOWN)
    return entry->type == TF_SYSTEM_ENTRY_DIR;

  return fstatat (dir_fd, entry->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR (st.st_mode);
}

/* Returns whether so much was read at once that a second thread is worthwhile. */
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
  self->capacity = 0;
  self->n_allocated = 0;
  tf_dir_listing_forget (self);
}
