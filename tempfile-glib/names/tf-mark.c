/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-mark.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The value of the attribute. Without the device, whose number is another one after the next boot. */
typedef struct
{
  guint64 inode;
  gint64  birth_seconds;
  guint32 birth_nanoseconds;
  guint32 version;
} Value;

G_STATIC_ASSERT (sizeof (Value) == 24); /* no padding: it is compared as it is stored */

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

/* Shows that the maker lives. FALSE when someone is about to sweep it away; file systems that
 * cannot lock are not swept. */
gboolean
tf_mark_lock (int fd)
{
  return TEMP_FAILURE_RETRY (flock (fd, LOCK_SH | LOCK_NB)) == 0 || errno != EWOULDBLOCK;
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

  return fsetxattr (fd, TF_MARK_ATTRIBUTE, &value, sizeof value, 0) == 0;
}

static gboolean
remove_attribute (int fd)
{
  return fremovexattr (fd, TF_MARK_ATTRIBUTE) == 0 || errno == ENODATA || errno == ENOTSUP;
}

gboolean
tf_mark_clear (int fd)
{
  struct stat st;
  gboolean success = remove_attribute (fd);

  /* The owner of a file that may not be written may not change its attributes, but its mode. */
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

  return fgetxattr (fd, TF_MARK_ATTRIBUTE, &found, sizeof found) == sizeof found &&
         memcmp (&found, &expected, sizeof found) == 0;
}

static gboolean
is_empty_dir (int fd)
{
  /* Room for "." and "..", and something after them. */
  union
  {
    struct dirent64 alignment;
    char bytes[1024];
  } buffer;
  gssize n_bytes = lseek (fd, 0, SEEK_SET) == 0 ? getdents64 (fd, buffer.bytes, sizeof buffer) : -1;
  const struct dirent64 *entry;

  for (gssize i = 0; i < n_bytes; i += entry->d_reclen)
    {
      entry = (gpointer) (buffer.bytes + i);
      if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
        return FALSE;
    }

  return n_bytes > 0;
}

/* Whether the maker was stopped before it got to set the mark: then nobody has put anything into it. */
gboolean
tf_mark_is_early (int fd)
{
  struct stat st;

  if (fstat (fd, &st) != 0 || !(st.st_mode & TF_MARK_MODE))
    return FALSE;

  return S_ISDIR (st.st_mode) ? is_empty_dir (fd) : st.st_size == 0;
}
