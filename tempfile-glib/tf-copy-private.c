/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-copy-private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tf-disk-private.h"
#include "tf-errno-private.h"
#include "tf-fd-private.h"

/* Bytes moved between two looks at the cancellable. */
#define PIECE (256 * 1024)

static gboolean
write_piece (int            to,
             const guint8  *data,
             gsize          count,
             goffset        offset,
             const char    *where,
             GError       **error)
{
  while (count > 0)
    {
      gssize n = TEMP_FAILURE_RETRY (pwrite (to, data, count, offset));

      if (n < 0)
        return tf_set_errno (error, errno, "write", where);

      data += n;
      count -= n;
      offset += n;
    }

  return TRUE;
}

/* Returns where it stopped. */
static goffset
clone_range (int            from,
             int            to,
             goffset        offset,
             goffset        end,
             GCancellable  *cancellable)
{
  gssize n = 1;

  while (offset < end && n > 0 && !g_cancellable_is_cancelled (cancellable))
    {
      n = tf_disk_clone (from, offset, to, offset, end - offset);
      offset += n;
    }

  return offset;
}

static gboolean
copy_range (int            from,
            int            to,
            goffset        offset,
            goffset        end,
            const char    *where,
            GCancellable  *cancellable,
            GError       **error)
{
  g_autofree guint8 *piece = NULL;

  offset = clone_range (from, to, offset, end, cancellable);
  if (offset < end)
    {
      piece = g_try_malloc (PIECE);
      if (piece == NULL)
        return tf_set_errno (error, ENOMEM, "write", where);
    }

  while (offset < end)
    {
      gssize n;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      n = TEMP_FAILURE_RETRY (pread (from, piece, MIN (end - offset, PIECE), offset));
      if (n < 0)
        return tf_set_errno (error, errno, "read", where);
      if (n == 0)
        break;
      if (!write_piece (to, piece, n, offset, where, error))
        return FALSE;

      offset += n;
    }

  return TRUE;
}

/* The same file with an offset of its own, since looking for holes moves it. Returns -1 where there is no
 * /proc, or where it may not be opened: then holes are copied as zeros. */
static int
open_again (int fd)
{
  char path[64];

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  return open (path, O_RDONLY | O_CLOEXEC);
}

/* The next range that is no hole, or an empty one at the end. */
static void
find_data (int      from,
           goffset *start,
           goffset *end,
           goffset  size)
{
  goffset data = lseek (from, *start, SEEK_DATA);
  goffset hole;

  if (data < 0)
    {
      /* ENXIO: only a hole is left. Else the file system does not tell. */
      *start = errno == ENXIO ? size : *start;
      *end = size;
      return;
    }

  hole = lseek (from, data, SEEK_HOLE);
  *start = MIN (data, size);
  *end = hole > data ? MIN (hole, size) : size;
}

static gboolean
copy_data (int            from,
           int            to,
           goffset        size,
           const char    *where,
           GCancellable  *cancellable,
           GError       **error)
{
  tf_autofd int map = open_again (from);
  goffset start = 0;
  goffset end;

  while (start < size)
    {
      find_data (map, &start, &end, size);
      if (!copy_range (from, to, start, end, where, cancellable, error))
        return FALSE;

      start = end;
    }

  if (TEMP_FAILURE_RETRY (ftruncate (to, size)) != 0)
    return tf_set_errno (error, errno, "ftruncate", where);

  return TRUE;
}

/* Makes the empty file @to, at @where, a copy of @from: shares the blocks where the file system can,
 * else copies them, but not the holes. The offsets of both are left as they are. */
gboolean
tf_copy_fd (int            from,
            int            to,
            const char    *where,
            GCancellable  *cancellable,
            GError       **error)
{
  struct stat st;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  if (ioctl (to, FICLONE, from) == 0)
    return TRUE;

  if (fstat (from, &st) != 0)
    return tf_set_errno (error, errno, "fstat", where);

  return copy_data (from, to, st.st_size, where, cancellable, error);
}
