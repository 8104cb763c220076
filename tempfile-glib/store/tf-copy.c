/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tf-disk.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"

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
      gsize n_copied = 0;

      find_data (map, &start, &end, size);
      if (!tf_disk_copy (from, start, to, where, start, end - start, &n_copied, cancellable, error))
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
