/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-destination.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "names/tf-parent.h"

/* The number that the kernel follows at most, see path_resolution(7). */
#define MAX_SYMLINKS 40

/* How often what is at the destination may be replaced while it is looked at. */
#define STALE_TRIES 100

/* How many names are tried with TF_PERSIST_UNIQUE. */
#define MAX_NAMES 10000

void
tf_destination_clear (TfDestination *self)
{
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->name, g_free);
  g_clear_pointer (&self->wanted, g_free);
  g_clear_pointer (&self->dir, g_free);
  g_free ((char *) self->place.path);
  self->place.path = NULL;
  tf_fd_clear (&self->dir_fd);
  tf_fd_clear (&self->sync_fd);
  tf_fd_clear (&self->file_fd);
}

/* Returns whether somebody else may have put the file @st into the directory @dir for others to find, as
 * /proc/sys/fs/protected_symlinks has it: anybody can in /tmp, and nobody but the two owners can take it away. */
static gboolean
is_planted (const struct stat *dir,
            const struct stat *st)
{
  return (dir->st_mode & S_ISVTX) && (dir->st_mode & (S_IWGRP | S_IWOTH)) &&
         st->st_uid != geteuid () && st->st_uid != dir->st_uid;
}

/* Fails with EINVAL if @name is no symlink, and with EACCES if it may lead into a trap. */
static gssize
read_link_once_at (int         dir_fd,
                   const char *name,
                   char        content[PATH_MAX])
{
  struct stat dir;
  struct stat st;

  if (fstat (dir_fd, &dir) != 0 || fstatat (dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return -1;

  if (!S_ISLNK (st.st_mode) || is_planted (&dir, &st))
    {
      errno = S_ISLNK (st.st_mode) ? EACCES : EINVAL;
      return -1;
    }

  return readlinkat (dir_fd, name, content, PATH_MAX);
}

/* See look_at_occupant(). */
static gssize
read_link_at (int         dir_fd,
              const char *name,
              char        content[PATH_MAX])
{
  gssize size = read_link_once_at (dir_fd, name, content);

  for (guint i = 1; i < STALE_TRIES && size < 0 && errno == ESTALE; i++)
    size = read_link_once_at (dir_fd, name, content);

  return size;
}

/* Returns the path to which the symlink at @path leads, or NULL with errno set; to EINVAL if it is no symlink. */
static char *
read_symlink (const char *path)
{
  const char *name = strrchr (path, '/') + 1;
  g_autofree char *dir = g_strndup (path, MAX (name - 1 - path, 1));
  tf_autofd int dir_fd = tf_system_open_dir (dir);
  char content[PATH_MAX];
  gssize size;

  if (dir_fd < 0)
    return NULL;

  size = *name != '\0' ? read_link_at (dir_fd, name, content) : -1;
  if (*name == '\0')
    errno = EINVAL;
  if (size == sizeof content)
    errno = ENAMETOOLONG;
  if (size < 0 || size == sizeof content)
    return NULL;

  content[size] = '\0';
  if (g_path_is_absolute (content))
    return g_strdup (content);

  /* The path is not canonicalized, because ".." after a symlink to a directory means the parent of its target. */
  return g_build_filename (dir, content, NULL);
}

static gboolean
follow_symlinks (TfDestination  *self,
                 GError        **error)
{
  for (int i = 0; i <= MAX_SYMLINKS; i++)
    {
      char *path = read_symlink (self->path);

      if (path == NULL)
        return errno == EINVAL || errno == ENOENT || tf_errno_set (error, errno, "readlink", self->path);

      g_free (self->path);
      self->path = path;
    }

  return tf_errno_set (error, ELOOP, "readlink", self->path);
}

/* Splits the path at the last slash. g_path_get_basename() would ignore one at the end. */
static char *
split (TfDestination *self)
{
  const char *slash = strrchr (self->path, '/');

  self->name = g_strdup (slash + 1);
  return g_strndup (self->path, MAX (slash - self->path, 1));
}

/* Returns whether only a directory can have the name, see path_resolution(7). */
static gboolean
is_name_of_dir (const char *name)
{
  return *name == '\0' || g_str_equal (name, ".") || g_str_equal (name, "..");
}

static gboolean
open_dir (TfDestination  *self,
          GError        **error)
{
  TfSystemStat st;

  self->dir = split (self);
  if (is_name_of_dir (self->name))
    return tf_errno_set (error, EISDIR, "rename", self->path);

  self->dir_fd = tf_system_open_dir (self->dir);
  if (self->dir_fd < 0)
    return tf_errno_set (error, errno, "open", self->dir);

  if (!tf_system_stat (&st, self->dir_fd, ""))
    return tf_errno_set (error, errno, "stat", self->dir);

  self->place.path = tf_parent_find_path (self->dir, self->dir_fd, &st);
  tf_place_set (&self->place, &st);

  if (!(self->flags & TF_PERSIST_DURABLE))
    return TRUE;

  self->sync_fd = TF_RETRY_EINTR (openat (self->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return self->sync_fd >= 0 || tf_errno_set (error, errno, "open", self->dir);
}

/* Describes what is at the destination. Looks once: later, something else may have the name. */
static gboolean
look_once_at_occupant (TfDestination *self)
{
  tf_fd_clear (&self->file_fd);
  self->file_fd = tf_system_open_to_describe (self->dir_fd, self->name);
  if (self->file_fd >= 0)
    return fstat (self->file_fd, &self->file) == 0;

  return errno == ENOTSUP && fstatat (self->dir_fd, self->name, &self->file, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Where another machine has just replaced what was there, a network file system says that it is stale. Asking for the
 * name makes the kernel forget that. */
static gboolean
look_at_occupant (TfDestination *self)
{
  struct stat fresh;
  gboolean success = look_once_at_occupant (self);

  for (guint i = 1; i < STALE_TRIES && !success && errno == ESTALE; i++)
    success = fstatat (self->dir_fd, self->name, &fresh, AT_SYMLINK_NOFOLLOW) == 0 && look_once_at_occupant (self);

  return success;
}

/* Checks what is at the destination, for an early error. The last step does not rely on it. */
static gboolean
check_occupant (TfDestination  *self,
                GError        **error)
{
  g_autofree char *display = NULL;
  struct stat dir;
  mode_t mode;

  if (!look_at_occupant (self))
    return errno == ENOENT || tf_errno_set (error, errno, "stat", self->path);

  if (!(self->flags & TF_PERSIST_REPLACE))
    return tf_errno_set (error, EEXIST, "link", self->path);

  mode = self->file.st_mode;
  if (S_ISDIR (mode))
    return tf_errno_set (error, EISDIR, "rename", self->path);

  if (!S_ISREG (mode) && !S_ISLNK (mode))
    {
      display = g_filename_display_name (self->path);
      tf_errno_set_code (error, G_IO_ERROR_NOT_REGULAR_FILE,
                         "“%s” is not a regular file; it is not replaced", display);
      return FALSE;
    }

  if (fstat (self->dir_fd, &dir) != 0)
    return tf_errno_set (error, errno, "stat", self->dir);

  self->is_occupied = TRUE;
  self->has_file = S_ISREG (mode);
  self->keeps_metadata = self->has_file && !(self->flags & TF_PERSIST_PRIVATE) && !is_planted (&dir, &self->file);
  return TRUE;
}

/* Looks at what others have given the name meanwhile. */
gboolean
tf_destination_look_again (TfDestination  *self,
                           GError        **error)
{
  tf_fd_clear (&self->file_fd);
  self->is_occupied = FALSE;
  self->has_file = FALSE;
  self->keeps_metadata = FALSE;
  return check_occupant (self, error);
}

/* Returns the extension of a name, with what may be compressed in it. The first character of a name begins none, and one
 * that leaves no room for a number is none. */
static const char *
find_extension (const char *name)
{
  const char *end = name + strlen (name);
  const char *dot = strrchr (name, '.');

  if (dot == NULL || dot == name || strchr (dot, ' ') != NULL || end - dot > NAME_MAX / 2)
    return end;

  return dot - name > 4 && strncmp (dot - 4, ".tar", 4) == 0 ? dot - 4 : dot;
}

/* Returns @name with " (@number)" before its extension, and without so many characters before that that it is not too
 * long. */
static char *
add_number (const char *name,
            guint       number)
{
  const char *extension = find_extension (name);
  g_autofree char *end = g_strdup_printf (" (%u)%s", number, extension);
  g_autofree char *stem = g_strndup (name, extension - name);
  gsize length = strlen (stem);
  gsize room = NAME_MAX - MIN (strlen (end), NAME_MAX - 1);

  /* The rest of a character of UTF-8 goes with its beginning. */
  if (length > room)
    for (length = room; length > 1 && ((guchar) stem[length] & 0xc0) == 0x80; length--)
      ;

  stem[length] = '\0';
  return g_strconcat (stem, end, NULL);
}

/* Goes on to the next name, if another one than that asked for will do. Returns FALSE if not, and does not change errno
 * then. */
gboolean
tf_destination_next (TfDestination *self)
{
  if (!(self->flags & TF_PERSIST_UNIQUE) || self->number == MAX_NAMES)
    return FALSE;

  if (self->wanted == NULL)
    self->wanted = g_strdup (self->name);

  g_free (self->name);
  self->name = add_number (self->wanted, ++self->number);
  g_free (self->path);
  self->path = g_build_filename (self->dir, self->name, NULL);
  return TRUE;
}

/* Looks for a name that is free, as far as can be seen. The last step finds out, and goes on if it has to. */
static void
avoid_occupants (TfDestination *self)
{
  struct stat st;

  while (fstatat (self->dir_fd, self->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && tf_destination_next (self))
    ;
}

/* Opens the directory of @path, which is absolute, and checks whether a file may get that name. */
gboolean
tf_destination_open (TfDestination   *self,
                     const char      *path,
                     TfPersistFlags   flags,
                     GError         **error)
{
  self->flags = flags;
  self->path = g_strdup (path);
  if ((flags & TF_PERSIST_FOLLOW_SYMLINK) && !follow_symlinks (self, error))
    return FALSE;

  if (!open_dir (self, error))
    return FALSE;

  if (!(flags & TF_PERSIST_UNIQUE))
    return check_occupant (self, error);

  avoid_occupants (self);
  return TRUE;
}
