/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-metadata.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

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

/* Returns whether the errno of a call for an attribute means that there is no such attribute. */
static gboolean
means_none (int saved_errno)
{
  return saved_errno == TF_SYSTEM_ENOATTR || saved_errno == ENOTSUP;
}

/* Asks for the ACL by name, because some file systems do not list it. If there may be one that cannot be read, the mode
 * alone could grant more: its bits for the group are the mask of the ACL, see acl(5), and the ACL could deny some what
 * others may do. */
static void
read_acl (TfMetadata *self,
          int         fd)
{
  GBytes *acl = read_whole (fd, ACL);

  self->lacks_acl = acl == NULL && !means_none (errno);
  if (acl != NULL)
    g_hash_table_insert (self->xattrs, g_strdup (ACL), acl);
  if (self->lacks_acl)
    self->mode &= S_IRWXU;
}

/* Attributes that cannot be read are left out. Those of security modules and of root are not copied. */
static void
read_user_xattrs (TfMetadata *self,
                  int         fd)
{
  g_autoptr(GBytes) names = read_whole (fd, NULL);
  const char *name;
  const char *end;
  gsize size;

  if (names == NULL)
    return;

  name = g_bytes_get_data (names, &size);
  for (end = name + size; name < end; name += strlen (name) + 1)
    {
      GBytes *value = g_str_has_prefix (name, "user.") ? read_whole (fd, name) : NULL;

      if (value != NULL)
        g_hash_table_insert (self->xattrs, g_strdup (name), value);
    }
}

/* Reads the metadata of the file that is described by @st. Its attributes are read from @fd, which may be one of
 * tf_system_open_to_describe(), or -1 where that is not supported. */
void
tf_metadata_read (TfMetadata        *self,
                  const struct stat *st,
                  int                fd)
{
  tf_metadata_clear (self);
  self->uid = st->st_uid;
  self->gid = st->st_gid;
  self->mode = st->st_mode & PERMISSIONS;
  self->xattrs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  read_acl (self, fd);
  read_user_xattrs (self, fd);
}

/* Like tf_metadata_read(), for a descriptor of any kind. On failure, sets errno. */
gboolean
tf_metadata_read_fd (TfMetadata *self,
                     int         fd)
{
  struct stat st;

  if (fstat (fd, &st) != 0)
    return FALSE;

  tf_metadata_read (self, &st, fd);
  return TRUE;
}

static gboolean
has_acl (const TfMetadata *self)
{
  return g_hash_table_contains (self->xattrs, ACL);
}

/* Returns the permissions that both the group and others have. */
static mode_t
get_permissions_of_all (const TfMetadata *self)
{
  return self->mode & (self->mode >> 3) & (has_acl (self) ? 0 : S_IRWXO);
}

/* Returns a mode for open() with which a new file is open to nobody who may not open one with the metadata, whatever
 * group the file gets. */
guint
tf_metadata_get_initial_mode (const TfMetadata *self)
{
  guint of_all = get_permissions_of_all (self);

  return S_IRUSR | S_IWUSR | (self->mode & S_IXUSR) | of_all << 3 | of_all;
}

/* Sets owner and group if that is permitted. Returns the mode to set: without set-ID bits if either could not be set. If
 * the group could not be set, its members are others now, and the file has another one: each may do what both could. An
 * ACL speaks of the group as well. */
static mode_t
apply_owner (const TfMetadata *self,
             int               fd)
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
  if (!same_group)
    mode = (mode & ~(S_IRWXG | S_IRWXO)) | get_permissions_of_all (self) << 3 | get_permissions_of_all (self);

  return mode;
}

/* Sets the ACL, or removes one that was inherited from the directory. Returns whether the file certainly has it so. */
static gboolean
apply_acl (const TfMetadata *self,
           int               fd)
{
  GBytes *acl = g_hash_table_lookup (self->xattrs, ACL);

  if (acl != NULL)
    return TF_RETRY_EINTR (tf_system_set_xattr (fd, ACL, g_bytes_get_data (acl, NULL), g_bytes_get_size (acl))) == 0;

  if (tf_system_get_xattr (fd, ACL, NULL, 0) < 0 && means_none (errno))
    return TRUE;

  return TF_RETRY_EINTR (tf_system_remove_xattr (fd, ACL)) == 0 || errno == TF_SYSTEM_ENOATTR;
}

/* Attributes that cannot be set are left out. */
static void
apply_user_xattrs (const TfMetadata *self,
                   int               fd)
{
  GHashTableIter iter;
  gpointer name;
  gpointer value;

  g_hash_table_iter_init (&iter, self->xattrs);
  while (g_hash_table_iter_next (&iter, &name, &value))
    if (!g_str_equal (name, ACL))
      (void) TF_RETRY_EINTR (tf_system_set_xattr (fd, name, g_bytes_get_data (value, NULL), g_bytes_get_size (value)));
}

/* A mode that is right is not set again, because some file systems refuse even that. Where the mode cannot be changed,
 * one that grants others no more than wanted is accepted. */
gboolean
tf_metadata_set_mode (int    fd,
                      mode_t mode)
{
  struct stat st;
  gboolean known = fstat (fd, &st) == 0;

  if (known && (st.st_mode & PERMISSIONS) == mode)
    return TRUE;

  return TF_RETRY_EINTR (fchmod (fd, mode)) == 0 || (known && (st.st_mode & PERMISSIONS & ~(mode | S_IRWXU)) == 0);
}

/* Sets the metadata of the file behind @fd, which this process owns. Further user attributes of the file stay. What
 * cannot be set is left out; fails, with errno set, only if others could then do more with the file than wanted. */
gboolean
tf_metadata_apply (const TfMetadata *self,
                   int               fd)
{
  mode_t mode = apply_owner (self, fd);

  if (!apply_acl (self, fd))
    mode &= S_IRWXU;

  apply_user_xattrs (self, fd);

  /* The mode comes last, because a change of the owner clears bits, and a change of the ACL changes those of the
   * group. */
  return tf_metadata_set_mode (fd, mode);
}

/* Undoes the tf_metadata_apply() of other metadata, as far as possible. */
void
tf_metadata_restore (const TfMetadata *self,
                     int               fd)
{
  g_auto(TfMetadata) found = TF_METADATA_INIT;
  GHashTableIter iter;
  gpointer name;

  if (tf_metadata_read_fd (&found, fd))
    {
      g_hash_table_iter_init (&iter, found.xattrs);
      while (g_hash_table_iter_next (&iter, &name, NULL))
        if (!g_hash_table_contains (self->xattrs, name))
          tf_system_remove_xattr (fd, name);
    }

  tf_metadata_apply (self, fd);
}
