/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-journal-place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-fd.h"

#define NAME "tempfile-glib"

/* Returns whether nobody but this user and root can change anything in the directory. */
static gboolean
is_private (int fd)
{
  struct stat st;

  return fstat (fd, &st) == 0 && S_ISDIR (st.st_mode) && st.st_uid == geteuid () &&
         (st.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO)) == S_IRWXU;
}

/* Returns the directory that holds place @index, or NULL if there is none. Sets whether that has to be private. */
static char *
get_base (guint     index,
          gboolean *is_shared)
{
  const char *runtime = tf_system_getenv ("XDG_RUNTIME_DIR");
  const char *temp = tf_system_getenv ("TMPDIR");

  *is_shared = index >= 2;
  if (temp == NULL || !g_path_is_absolute (temp) || g_str_equal (temp, "/tmp"))
    temp = NULL;

  switch (index)
    {
    case 0:
      return runtime != NULL && g_path_is_absolute (runtime) ? g_strdup (runtime) : NULL;

    case 1:
      return g_strdup_printf ("/run/user/%u", (guint) geteuid ());

    case 2:
      return g_strdup (temp);

    case 3:
      return g_strdup ("/tmp");

    default:
      return g_strdup ("/dev/shm");
    }
}

/* Makes the directory if it does not exist, whatever the umask. */
static gboolean
make_dir_at (int         dir_fd,
             const char *name)
{
  if (mkdirat (dir_fd, name, S_IRWXU) == 0)
    return fchmodat (dir_fd, name, S_IRWXU, 0) == 0;

  return errno == EEXIST;
}

static int
open_dir_at (int         dir_fd,
             const char *name)
{
  return TF_RETRY_EINTR (openat (dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* Opens a place. With @create, makes it if it does not exist. Returns -1 with errno set if there is no such place; to
 * EMFILE or ENFILE if this may be different at another time. */
int
tf_journal_place_open (guint        index,
                       gboolean     create,
                       char       **path,
                       TfSystemFs  *fs)
{
  gboolean is_shared;
  g_autofree char *base = get_base (index, &is_shared);
  g_autofree char *name = is_shared ? g_strdup_printf (NAME "-%u", (guint) geteuid ()) : g_strdup (NAME);
  tf_autofd int base_fd = base != NULL ? tf_system_open_dir (base) : -1;
  tf_autofd int fd = -1;

  if (base == NULL)
    errno = ENOENT;
  if (base_fd < 0)
    return -1;

  *fs = tf_system_get_fs (base_fd);
  if ((!is_shared && !is_private (base_fd)) || *fs == TF_SYSTEM_FS_OTHER)
    {
      errno = EPERM;
      return -1;
    }

  if (create && !make_dir_at (base_fd, name))
    return -1;

  fd = open_dir_at (base_fd, name);
  if (fd < 0)
    return -1;

  if (!is_private (fd) || tf_system_get_fs (fd) != *fs)
    {
      errno = EPERM;
      return -1;
    }

  *path = g_build_filename (base, name, NULL);
  return tf_fd_steal (&fd);
}
