/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-metadata.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"

#define ACL "system.posix_acl_access"
#define PERMISSIONS 07777

/* How often a list or a value may grow between asking for its size and reading it. */
#define TRIES 8

void
tf_metadata_clear (TfMetadata *self)
{
  g_clear_pointer (&self->xattrs, g_hash_table_unref);
}

/* Attributes of the kernel's security modules and of root are theirs, not the file's. */
static gboolean
is_ours (const char *name)
{
  return g_str_equal (name, ACL) || g_str_has_prefix (name, "user.");
}

/* One attribute, or with no @name the list of names. */
static gssize
read_some (int         fd,
           const char *path,
           const char *name,
           gpointer    data,
           gsize       size)
{
  return name != NULL ? tf_system_get_xattr (fd, path, name, data, size)
                      : tf_system_list_xattrs (fd, path, data, size);
}

/* All of it. Returns NULL with errno. */
static GBytes *
read_whole (int         fd,
            const char *path,
            const char *name)
{
  for (int i = 0; i < TRIES; i++)
    {
      g_autofree char *data = NULL;
      gssize size = read_some (fd, path, name, NULL, 0);

      if (size >= 0)
        {
          data = g_malloc (size + 1);
          size = read_some (fd, path, name, data, size);
        }

      if (size >= 0)
        return g_bytes_new_take (g_steal_pointer (&data), size);
      if (errno != ERANGE && errno != EINTR)
        return NULL;
    }

  return NULL;
}

static gboolean
read_xattrs (TfMetadata  *self,
             int          fd,
             const char  *path,
             GError     **error)
{
  g_autoptr(GBytes) names = read_whole (fd, path, NULL);
  const char *name;
  const char *end;
  gsize size;

  self->xattrs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  if (names == NULL)
    return errno == ENOTSUP || tf_errno_set (error, errno, "listxattr", path);

  name = g_bytes_get_data (names, &size);
  for (end = name + size; name < end; name += strlen (name) + 1)
    {
      GBytes *value = is_ours (name) ? read_whole (fd, path, name) : NULL;

      if (value != NULL)
        g_hash_table_insert (self->xattrs, g_strdup (name), value);
      /* A list may tell of what may not be read: a file of mode 0200 does not hand out user attributes. */
      else if (is_ours (name) && errno != TF_SYSTEM_ENOATTR && errno != EACCES && errno != ENOTSUP)
        return tf_errno_set (error, errno, "getxattr", path);
    }

  return TRUE;
}

static void
read_stat (TfMetadata        *self,
           const struct stat *st)
{
  tf_metadata_clear (self);
  self->uid = st->st_uid;
  self->gid = st->st_gid;
  self->mode = st->st_mode & PERMISSIONS;
}

/* Of the file behind @fd; @where is for messages. */
gboolean
tf_metadata_read_fd (TfMetadata  *self,
                     int          fd,
                     const char  *where,
                     GError     **error)
{
  struct stat st;

  if (fstat (fd, &st) != 0)
    return tf_errno_set (error, errno, "fstat", where);

  read_stat (self, &st);
  return read_xattrs (self, fd, where, error);
}

/* Of what is at @path, which need not be readable; symlinks are not followed. */
gboolean
tf_metadata_read_path (TfMetadata  *self,
                       const char  *path,
                       GError     **error)
{
  struct stat st;

  if (lstat (path, &st) != 0)
    return tf_errno_set (error, errno, "lstat", path);

  read_stat (self, &st);
  return read_xattrs (self, -1, path, error);
}

/* Gives the file to the owner and the group if that is permitted. What the mode grants to a group that
 * the file cannot have is not granted to another one, nor does another user's program become set-user-ID. */
static mode_t
apply_owner (const TfMetadata *self,
             int               fd,
             gboolean          has_acl)
{
  struct stat st;
  mode_t mode = self->mode;
  gboolean same_owner;
  gboolean same_group;

  if (fstat (fd, &st) != 0)
    return mode & 0700;

  same_owner = st.st_uid == self->uid;
  same_group = st.st_gid == self->gid;
  if (!same_owner && fchown (fd, self->uid, self->gid) == 0)
    same_owner = same_group = TRUE;
  else if (!same_group && fchown (fd, -1, self->gid) == 0)
    same_group = TRUE;

  if (!same_owner || !same_group)
    mode &= 0777;
  if (!same_group && !has_acl)
    mode = (mode & 0707) | ((mode & 07) << 3);

  return mode;
}

static gboolean
apply_xattrs (const TfMetadata  *self,
              int                fd,
              const char        *where,
              GError           **error)
{
  GHashTableIter iter;
  gpointer name;
  gpointer value;

  g_hash_table_iter_init (&iter, self->xattrs);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      gsize size;
      gconstpointer data = g_bytes_get_data (value, &size);

      if (TF_RETRY_EINTR (tf_system_set_xattr (fd, name, data, size)) != 0 && errno != ENOTSUP)
        return tf_errno_set (error, errno, "setxattr", where);
    }

  return TRUE;
}

/* Makes the file behind @fd, which is ours, like that. User attributes that it has besides stay. */
gboolean
tf_metadata_apply (const TfMetadata  *self,
                   int                fd,
                   const char        *where,
                   GError           **error)
{
  gboolean has_acl = g_hash_table_contains (self->xattrs, ACL);
  mode_t mode = apply_owner (self, fd, has_acl);
  struct stat st;

  if (!has_acl && tf_system_get_xattr (fd, NULL, ACL, NULL, 0) >= 0 && TF_RETRY_EINTR (tf_system_remove_xattr (fd, ACL)) != 0)
    return tf_errno_set (error, errno, "removexattr", where);

  if (!apply_xattrs (self, fd, where, error))
    return FALSE;

  /* Last: a change of owner takes bits away, and a change of the ACL changes those of the group. What is
   * right already is left alone: some file systems refuse even that. */
  if (fstat (fd, &st) != 0)
    return tf_errno_set (error, errno, "fstat", where);

  if ((st.st_mode & PERMISSIONS) == mode)
    return TRUE;

  /* Nor do some let anybody change it: less than asked for will do. */
  if (TF_RETRY_EINTR (fchmod (fd, mode)) != 0 && (errno != EPERM || (st.st_mode & PERMISSIONS & ~mode) != 0))
    return tf_errno_set (error, errno, "fchmod", where);

  return TRUE;
}

/* Takes a tf_metadata_apply() of something else back, as far as that goes. */
void
tf_metadata_restore (const TfMetadata *self,
                     int               fd)
{
  g_auto(TfMetadata) found = TF_METADATA_INIT;
  GHashTableIter iter;
  gpointer name;

  if (tf_metadata_read_fd (&found, fd, NULL, NULL))
    {
      g_hash_table_iter_init (&iter, found.xattrs);
      while (g_hash_table_iter_next (&iter, &name, NULL))
        if (!g_hash_table_contains (self->xattrs, name))
          tf_system_remove_xattr (fd, name);
    }

  tf_metadata_apply (self, fd, NULL, NULL);
}
