/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-mark-private.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MAX_VALUE 80

gboolean tf_mark_avoid_attributes = FALSE;

/* Without the device, whose number is another one after the next boot. */
static gsize
format_value (char              value[MAX_VALUE],
              const TfIdentity *identity)
{
  return g_snprintf (value, MAX_VALUE, "1 %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT ".%09u",
                     identity->inode, identity->birth_seconds, identity->birth_nanoseconds);
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
  char value[MAX_VALUE];
  gsize length = format_value (value, identity);

  if (tf_mark_avoid_attributes)
    {
      errno = ENOTSUP;
      return FALSE;
    }

  return fsetxattr (fd, TF_MARK_ATTRIBUTE, value, length, 0) == 0;
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
  char expected[MAX_VALUE];
  char found[MAX_VALUE];
  gsize length = format_value (expected, identity);

  return fgetxattr (fd, TF_MARK_ATTRIBUTE, found, sizeof found) == (gssize) length &&
         memcmp (found, expected, length) == 0;
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
