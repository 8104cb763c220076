/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-use.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/tf-fd.h"
#include "base/tf-fork.h"
#include "tf-dir.h"

/* A child that is forked while a descriptor is open keeps the file open, and whoever opens it waits for a lease that the
 * child does not know of. The process does not fork while this lock is held, and nothing is opened meanwhile from a file
 * system on which that could take long. */
static GMutex lock;
static TfForkHandler fork_handler = { .level = TF_FORK_LEAVES, .lock = &lock };

/* Opens a regular file, and waits neither for whoever has a lease on it nor for the server of what is mounted there. */
static int
open_file (int         dir_fd,
           const char *name)
{
  if (tf_system_is_mount_point (dir_fd, name))
    {
      errno = EBUSY;
      return -1;
    }

  return tf_fd_open_at (dir_fd, name);
}

/* Opens the regular file @name in @dir_fd if it is @identity, and nobody else has it open. Nobody can open it before the
 * descriptor is closed. Returns -1 with errno set on failure. */
int
tf_use_lease_file (int               dir_fd,
                   const char       *name,
                   const TfIdentity *identity)
{
  tf_autofd int fd = open_file (dir_fd, name);
  TfIdentity found;

  if (fd < 0)
    return -1;

  if (!tf_identity_read (&found, fd, "") || !tf_identity_equal (&found, identity))
    {
      errno = ESTALE;
      return -1;
    }

  return tf_system_lease (fd) == 0 ? tf_fd_steal (&fd) : -1;
}

/* Closes what tf_use_lease_file() has returned, if that is a descriptor. A child may have it as well. */
void
tf_use_release (int *fd)
{
  if (*fd >= 0)
    tf_system_unlease (*fd);
  tf_fd_clear (fd);
}

/* Whether nobody has the regular file @name in @dir_fd open, provided that it is @identity. */
gboolean
tf_use_is_file_idle (int               dir_fd,
                     const char       *name,
                     const TfIdentity *identity)
{
  gboolean is_idle;
  int fd;

  if (!tf_system_keeps_identities (dir_fd))
    return FALSE;

  tf_fork_lock (&fork_handler);
  fd = tf_use_lease_file (dir_fd, name, identity);
  is_idle = fd >= 0;
  tf_use_release (&fd);
  g_mutex_unlock (&lock);
  return is_idle;
}

/* --- Directories ---------------------------------------------------------------------------- */

/* A directory with all it holds is looked through. The directories that are left to read are named by their paths from
 * the root, so that the walk needs three descriptors. */
typedef struct
{
  int        root_fd;
  GPtrArray *left; /* (owned) (element-type filename) */
} Walk;

/* The kernel never follows a link here. What is not readable is not made readable, because it may stay. */
static int
open_dir (const Walk *self,
          const char *path)
{
  int fd = tf_system_open_beneath (self->root_fd, path);

  if (fd < 0 && errno == ENOTSUP && !tf_system_is_mount_point (self->root_fd, path))
    fd = TF_RETRY_EINTR (openat (self->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));

  return fd;
}

/* Of what is neither a file nor a directory, it is not known whether it is open. It counts as idle. */
static gboolean
is_idle_entry (int         dir_fd,
               const char *name)
{
  TfSystemStat st;
  gboolean is_idle;
  int fd;

  if (!tf_system_stat_in (&st, dir_fd, name, FALSE))
    return errno == ENOENT;

  if (!S_ISREG (st.mode))
    return TRUE;

  if (!tf_system_keeps_identities (dir_fd))
    return FALSE;

  tf_fork_lock (&fork_handler);
  fd = open_file (dir_fd, name);
  is_idle = fd >= 0 ? tf_system_lease (fd) == 0 : errno == ENOENT;
  tf_use_release (&fd);
  g_mutex_unlock (&lock);
  return is_idle;
}

static gboolean
look_at_entry (Walk                *self,
               int                  dir_fd,
               const char          *path,
               const TfSystemEntry *entry)
{
  if (!tf_dir_listing_is_dir (entry, dir_fd))
    return is_idle_entry (dir_fd, entry->name);

  g_ptr_array_add (self->left, g_build_filename (path, entry->name, NULL));
  return strlen (path) + strlen (entry->name) < PATH_MAX;
}

static gboolean
look_at_entries (Walk         *self,
                 int           dir_fd,
                 const char   *path,
                 TfDirListing *listing)
{
  const TfSystemEntry *entry;
  gssize n;

  while ((n = tf_dir_listing_read (listing, dir_fd)) > 0)
    while ((entry = tf_dir_listing_next (listing)) != NULL)
      if (!look_at_entry (self, dir_fd, path, entry))
        return FALSE;

  return n == 0;
}

static gboolean
look_at_dir (Walk       *self,
             const char *path)
{
  tf_autofd int fd = open_dir (self, path);
  TfDirListing listing = { NULL, };
  gboolean is_idle;

  if (fd < 0)
    return errno == ENOENT;

  is_idle = look_at_entries (self, fd, path, &listing);
  tf_dir_listing_clear (&listing);
  return is_idle;
}

/* Returns whether no regular file in the directory @name in @parent_fd is open, at any depth. FALSE also if this cannot
 * be known, because something in it cannot be read, is another file system, or has too long a path, or because the
 * directory is not @identity. Whether a directory is open, or a process works in it, is not known. */
gboolean
tf_use_is_dir_idle (int               parent_fd,
                    const char       *name,
                    const TfIdentity *identity)
{
  tf_autofd int root_fd = tf_system_is_mount_point (parent_fd, name)
    ? -1
    : TF_RETRY_EINTR (openat (parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  Walk self = { .root_fd = root_fd };
  gboolean is_idle = TRUE;
  TfIdentity found;

  if (root_fd < 0 || !tf_identity_read (&found, root_fd, "") || !tf_identity_equal (&found, identity))
    return FALSE;

  self.left = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self.left, g_strdup ("."));
  while (is_idle && self.left->len > 0)
    {
      g_autofree char *path = g_ptr_array_steal_index_fast (self.left, self.left->len - 1);

      is_idle = look_at_dir (&self, path);
    }

  g_ptr_array_unref (self.left);
  return is_idle;
}
