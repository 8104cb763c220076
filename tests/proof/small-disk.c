/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A disk with room for so many bytes: the linker puts these functions in the place of the C library's. What does not fit
 * is written in part, as by a kernel. */

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "model.h"

static guint64 room = G_MAXUINT64; /* changed by one thread while no other writes, or by the one that writes */

void
small_disk_set (guint64 n_bytes)
{
  room = n_bytes;
}

gboolean
small_disk_is_small (void)
{
  return room != G_MAXUINT64;
}

ssize_t __real_pwrite64 (int fd, const void *data, size_t count, off_t offset);
ssize_t __wrap_pwrite64 (int fd, const void *data, size_t count, off_t offset);
ssize_t __real_write (int fd, const void *data, size_t count);
ssize_t __wrap_write (int fd, const void *data, size_t count);
ssize_t __real_pwritev64 (int fd, const struct iovec *iov, int n_iov, off_t offset);
ssize_t __wrap_pwritev64 (int fd, const struct iovec *iov, int n_iov, off_t offset);

ssize_t __real_writev (int fd, const struct iovec *iov, int n_iov);
ssize_t __wrap_writev (int fd, const struct iovec *iov, int n_iov);

static gboolean
is_full (size_t *count)
{
  if (*count == 0 || room > 0)
    {
      *count = MIN (*count, room);
      return FALSE;
    }

  errno = ENOSPC;
  return TRUE;
}

static ssize_t
take_room (ssize_t n)
{
  if (n > 0 && room != G_MAXUINT64)
    room -= n;
  return n;
}

ssize_t
__wrap_pwrite64 (int         fd,
                 const void *data,
                 size_t      count,
                 off_t       offset)
{
  return is_full (&count) ? -1 : take_room (__real_pwrite64 (fd, data, count, offset));
}

ssize_t
__wrap_write (int         fd,
              const void *data,
              size_t      count)
{
  return is_full (&count) ? -1 : take_room (__real_write (fd, data, count));
}

static size_t
add_lengths (const struct iovec *iov,
             int                 n_iov)
{
  size_t count = 0;

  for (int i = 0; i < n_iov; i++)
    count += iov[i].iov_len;
  return count;
}

static const struct iovec *
find_first (const struct iovec *iov,
            int                 n_iov)
{
  while (n_iov > 1 && iov->iov_len == 0)
    iov++, n_iov--;
  return iov;
}

/* Writes only the first piece of those that do not fit together. */
ssize_t
__wrap_pwritev64 (int                 fd,
                  const struct iovec *iov,
                  int                 n_iov,
                  off_t               offset)
{
  const struct iovec *first = find_first (iov, n_iov);

  return add_lengths (iov, n_iov) <= room ? take_room (__real_pwritev64 (fd, iov, n_iov, offset))
                                          : __wrap_pwrite64 (fd, first->iov_base, first->iov_len, offset);
}

ssize_t
__wrap_writev (int                 fd,
               const struct iovec *iov,
               int                 n_iov)
{
  const struct iovec *first = find_first (iov, n_iov);

  return add_lengths (iov, n_iov) <= room ? take_room (__real_writev (fd, iov, n_iov))
                                          : __wrap_write (fd, first->iov_base, first->iov_len);
}
