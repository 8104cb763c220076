/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-metadata.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"

#define ACL "system.posix_acl_access"
#define PERMISSIONS 07777

/* How often a list or a value may grow between getting its size and reading it. */
#define TRIES 8

void
tf_metadata_clear (TfMetadata *self)
{
  g_clear_pointer (&self->xattrs, g_hash_table_unref);
}

/* Returns whether to copy an attribute. Those of security modules and of root are not copied. */
static gboolean
is_ours (const char *name)
{
  return g_str_equal (name, ACL) || g_str_has_prefix (name, "user.");
}

/* Reads an attribute, or the list of names if @name is NULL. */
static gssize
read_some (int         fd,
           const char *name,
           gpointer    data,
           gsize       size)
{
  return name != NULL ? tf_system_get_xattr (fd, name, data, size) : tf_system_list_xattrs (fd, data, size);
}

/* Reads an attribute or the list of names completely. Returns NULL with errno set on failure. */
static GBytes *
read_whole (int         fd,
            const char *name)
{
  for (int i = 0; i < TRIES; i++)
    {
      g_autofree char *data = NULL;
      gssize size = read_some (fd, name, NULL, 0);

      if (size >= 0)
        {
          data = g_malloc (size + 1);
          size = read_some (fd, name, data, size);
        }

      if (size >= 0)
        return g_bytes_new_take (g_steal_pointer (&data), size);
      if (errno != ERANGE && errno != EINTR)
        return NULL;
    }

  return NULL;
}

/* Returns whether the errno of reading a listed attribute means that it is not copied. User attributes are unreadable if
 * the file is, such as one of mode 0200. */
static gboolean
may_lack (const char *name,
          int         saved_errno)
{
  return saved_errno == TF_SYSTEM_ENOATTR || saved_errno == ENOTSUP ||
         (saved_errno == EACCES && !g_str_equal (name, ACL));
}

/* There may be an ACL that cannot be read. The mode alone could grant the group more than it does, because its bits for
 * the group are the mask of the ACL, see acl(5), and could grant others what the ACL denies some of them. */
static void
restrict_to_owner (TfMetadata *self)
{
  self->mode &= S_IRWXU;
}

static gboolean
read_xattrs (TfMetadata  *self,
             int          fd,
             const char  *where,
             GError     **error)
{
  g_autoptr(GBytes) names = read_whole (fd, NULL);
  const char *name;
  const char *end;
  gsize size;

  self->xattrs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  if (names == NULL && errno == ENOENT)
    {
      restrict_to_owner (self);
      return TRUE;
    }

  if (names == NULL)
    return errno == ENOTSUP || tf_errno_set (error, errno, "listxattr", where);

  name = g_bytes_get_data (names, &size);
  for (end = name + size; name < end; name += strlen (name) + 1)
    {
      GBytes *value = is_ours (name) ? read_whole (fd, name) : NULL;

      if (value != NULL)
        g_hash_table_insert (self->xattrs, g_strdup (name), value);
      else if (is_ours (name) && !may_lack (name, errno))
        return tf_errno_set (error, errno, "getxattr", where);
    }

  return TRUE;
}

/* Reads the metadata of the file that is described by @st. Its attributes are read from @fd, which may be one of
 * tf_system_open_to_describe(), or -1 where that is not supported; @where is for messages. */
gboolean
tf_metadata_read (TfMetadata         *self,
                  const struct stat  *st,
                  int                 fd,
                  const char         *where,
                  GError            **error)
{
  tf_metadata_clear (self);
  self->uid = st->st_uid;
  self->gid = st->st_gid;
  self->mode = st->st_mode & PERMISSIONS;
  return read_xattrs (self, fd, where, error);
}

/* Like tf_metadata_read(), for a descriptor of any kind. */
gboolean
tf_metadata_read_fd (TfMetadata  *self,
                     int          fd,
                     const char  *where,
                     GError     **error)
{
  struct stat st;

  if (fstat (fd, &st) != 0)
    return tf_errno_set (error, errno, "fstat", where);

  return tf_metadata_read (self, &st, fd, where, error);
}

/* Sets owner and group if that is permitted. Returns the mode to set: without set-ID bits if either could not be set,
 * and with the group's permissions limited to those of others if the group could not be set. */
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

/* Sets the metadata of the file behind @fd, which this process owns. Further user attributes of the file stay. */
gboolean
tf_metadata_apply (const TfMetadata  *self,
                   int                fd,
                   const char        *where,
                   GError           **error)
{
  gboolean has_acl = g_hash_table_contains (self->xattrs, ACL);
  mode_t mode = apply_owner (self, fd, has_acl);
  struct stat st;

  if (!has_acl && tf_system_get_xattr (fd, ACL, NULL, 0) >= 0 && TF_RETRY_EINTR (tf_system_remove_xattr (fd, ACL)) != 0)
    return tf_errno_set (error, errno, "removexattr", where);

  if (!apply_xattrs (self, fd, where, error))
    return FALSE;

  /* The mode comes last, because a change of the owner clears bits, and a change of the ACL changes those of the group.
   * A mode that is right is not set again, because some file systems refuse even that. */
  if (fstat (fd, &st) != 0)
    return tf_errno_set (error, errno, "fstat", where);

  if ((st.st_mode & PERMISSIONS) == mode)
    return TRUE;

  /* Some file systems let nobody change the mode. A mode that grants less than wanted is accepted. */
  if (TF_RETRY_EINTR (fchmod (fd, mode)) != 0 && (errno != EPERM || (st.st_mode & PERMISSIONS & ~mode) != 0))
    return tf_errno_set (error, errno, "fchmod", where);

  return TRUE;
}

/* Undoes the tf_metadata_apply() of other metadata, as far as possible. */
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
