/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

G_BEGIN_DECLS

/* Repeats a system call as long as a signal interrupts it. */
#define TF_RETRY_EINTR(call) \
  (G_GNUC_EXTENSION ({ \
    __typeof__ (call) tf_retry_result; \
    do \
      tf_retry_result = (call); \
    while (tf_retry_result == -1 && errno == EINTR); \
    tf_retry_result; \
  }))

/* Closes *@fd unless it is -1, and does not change errno. */
static inline void
tf_fd_clear (int *fd)
{
  int saved_errno = errno;

  /* Linux releases the descriptor even if close() fails, also with EINTR: it must not be closed twice. */
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
  errno = saved_errno;
}

static inline int
tf_fd_steal (int *fd)
{
  int stolen = *fd;

  *fd = -1;
  return stolen;
}

/* Returns @fd, or a duplicate that replaces it if it is 0, 1 or 2: a program that has closed its standard streams
 * would otherwise read and write the file through them. On failure, closes @fd and returns -1 with errno set. */
static inline int
tf_fd_lift (int fd)
{
  int lifted = fd;

  if (fd >= 0 && fd <= STDERR_FILENO)
    {
      lifted = fcntl (fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
      tf_fd_clear (&fd);
    }

  return lifted;
}

/* Opens what has the name to look at it: no symlink is followed, and no pipe or terminal is waited for. */
static inline int
tf_fd_open_at (int         dir_fd,
               const char *name)
{
  return TF_RETRY_EINTR (openat (dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

#define tf_autofd __attribute__ ((cleanup (tf_fd_clear)))

/* Fills @bytes from the device for random bytes. Returns FALSE with errno set. */
static inline gboolean
tf_fd_read_random (guint8 *bytes,
                   gsize   n_bytes)
{
  tf_autofd int fd = TF_RETRY_EINTR (open ("/dev/urandom", O_RDONLY | O_CLOEXEC));
  gsize n_read = 0;

  while (fd >= 0 && n_read < n_bytes)
    {
      gssize n = TF_RETRY_EINTR (read (fd, bytes + n_read, n_bytes - n_read));

      if (n <= 0)
        {
          errno = n < 0 ? errno : EIO;
          return FALSE;
        }
      n_read += n;
    }

  return fd >= 0;
}

G_END_DECLS
