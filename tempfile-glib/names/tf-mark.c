/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-mark.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-system.h"
#include "tree/tf-dir-listing.h"

/* The value of the attribute. It lacks the device, whose number can change at the next boot. */
typedef struct
{
  guint64 inode;
  gint64  birth_seconds;
  guint32 birth_nanoseconds;
  guint32 version;
} Value;

G_STATIC_ASSERT (sizeof (Value) == 24); /* no padding, because values are compared byte by byte */

gboolean tf_mark_avoid_attributes = FALSE;

static Value
make_value (const TfIdentity *identity)
{
  return (Value) {
    .inode = identity->inode,
    .birth_seconds = identity->birth_seconds,
    .birth_nanoseconds = identity->birth_nanoseconds,
    .version = 1,
  };
}

/* Shows that the creator lives. Returns FALSE if a sweep is about to remove the file or directory. On file systems
 * without locks nothing is swept. */
gboolean
tf_mark_lock (int fd)
{
  return tf_system_lock (fd, FALSE) == 0 || errno != EWOULDBLOCK;
}

gboolean
tf_mark_set (int               fd,
             const TfIdentity *identity)
{
  const Value value = make_value (identity);

  if (tf_mark_avoid_attributes)
    {
      errno = ENOTSUP;
      return FALSE;
    }

  return tf_system_set_xattr (fd, TF_MARK_ATTRIBUTE, &value, sizeof value) == 0;
}

static gboolean
remove_attribute (int fd)
{
  return tf_system_remove_xattr (fd, TF_MARK_ATTRIBUTE) == 0 || errno == TF_SYSTEM_ENOATTR || errno == ENOTSUP;
}

gboolean
tf_mark_clear (int fd)
{
  struct stat st;
  gboolean success = remove_attribute (fd);

  /* The owner of a read-only file may not change its attributes, but may change its mode. */
  if (!success && errno == EACCES && fstat (fd, &st) == 0 && fchmod (fd, st.st_mode | S_IWUSR) == 0)
    {
      success = remove_attribute (fd);
      fchmod (fd, st.st_mode & 07777);
    }

  return success;
}

gboolean
tf_mark_is_set (int               fd,
                const TfIdentity *identity)
{
  const Value expected = make_value (identity);
  Value found;

  return tf_system_get_xattr (fd, TF_MARK_ATTRIBUTE, &found, sizeof found) == sizeof found &&
         memcmp (&found, &expected, sizeof found) == 0;
}

static gboolean
is_empty_dir (int fd)
{
  TfDirListing listing = { NULL, };
  gboolean is_empty = lseek (fd, 0, SEEK_SET) == 0 && tf_dir_listing_read (&listing, fd) == 0;

  tf_dir_listing_clear (&listing);
  return is_empty;
}

/* Returns whether the creator was killed before it set the mark. In that case, the file or directory is empty. */
gboolean
tf_mark_is_early (int fd)
{
  struct stat st;

  if (fstat (fd, &st) != 0 || !(st.st_mode & TF_MARK_MODE))
    return FALSE;

  return S_ISDIR (st.st_mode) ? is_empty_dir (fd) : st.st_size == 0;
}
