/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-disk-private.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tf-errno-private.h"

/* Bytes moved between two looks at the cancellable. */
#define PIECE (8 * 1024 * 1024)

/* Reads on until @n_read is @count, or to the end of the file. */
gboolean
tf_disk_read (int            fd,
              const char    *where,
              goffset        offset,
              gpointer       data,
              gsize          count,
              gsize         *n_read,
              GCancellable  *cancellable,
              GError       **error)
{
  guint8 *bytes = data;

  while (*n_read < count)
    {
      gsize piece = MIN (count - *n_read, PIECE);
      gssize n;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      n = offset == TF_DISK_OWN_OFFSET ? read (fd, bytes + *n_read, piece)
                                       : pread (fd, bytes + *n_read, piece, offset + *n_read);
      if (n < 0 && errno != EINTR)
        return tf_set_errno (error, errno, "read", where);
      if (n == 0)
        break;
      if (n > 0)
        *n_read += n;
    }

  return TRUE;
}

/* Writes on until @n_written is @count. */
gboolean
tf_disk_write (int             fd,
               const char     *where,
               goffset         offset,
               gconstpointer   data,
               gsize           count,
               gsize          *n_written,
               GCancellable   *cancellable,
               GError        **error)
{
  const guint8 *bytes = data;

  while (*n_written < count)
    {
      gsize piece = MIN (count - *n_written, PIECE);
      gssize n;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      n = offset == TF_DISK_OWN_OFFSET ? write (fd, bytes + *n_written, piece)
                                       : pwrite (fd, bytes + *n_written, piece, offset + *n_written);
      if (n < 0 && errno != EINTR)
        return tf_set_errno (error, errno, "write", where);
      if (n > 0)
        *n_written += n;
    }

  return TRUE;
}

/* Whether copy_file_range(2) does no more there than to read and write in the kernel, one page after the other. */
static gboolean
copies_by_page (int fd)
{
  struct statfs fs;

  return fstatfs (fd, &fs) == 0 && (fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == TMPFS_MAGIC);
}

/* Lets the file system copy up to @count bytes where that beats reading and writing: because it shares the
 * blocks, or is on another machine. Returns how many it took, often 0. File systems that cannot, or not with
 * each other, say so by half a dozen errors: what is really wrong shows when the bytes are read and written. */
gssize
tf_disk_clone (int     from,
               goffset from_offset,
               int     to,
               goffset to_offset,
               gsize   count)
{
  off64_t in = from_offset;
  off64_t out = to_offset;
  gssize n;

  if (copies_by_page (to))
    return 0;

  n = copy_file_range (from, &in, to, to_offset == TF_DISK_OWN_OFFSET ? NULL : &out, MIN (count, PIECE), 0);
  return MAX (n, 0);
}

goffset
tf_disk_get_size (int fd)
{
  struct stat st;

  return fstat (fd, &st) == 0 ? st.st_size : 0;
}
