/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-test-disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tf-test.h"

#define PROBE "tf-test-probe"

static gboolean
say (gboolean    is_there,
     const char *what)
{
  if (!is_there)
    g_test_message ("Not on this file system: %s", what);

  return is_there;
}

static void
make_dir (const char *name)
{
  g_assert_cmpint (mkdir (name, 0700), ==, 0);
}

static int
make_file (const char *name)
{
  int fd = open (name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

gboolean
tf_test_disk_has_fifos (void)
{
  return say (mkfifo (PROBE, 0600) == 0 && unlink (PROBE) == 0, "pipes with names");
}

gboolean
tf_test_disk_has_birth_times (void)
{
  struct statx st;

  return say (statx (AT_FDCWD, ".", 0, STATX_BTIME, &st) == 0 && (st.stx_mask & STATX_BTIME),
              "birth times, without which a file can be taken for another one");
}

gboolean
tf_test_disk_has_modes (void)
{
  gboolean has_modes;

  make_dir (PROBE);
  has_modes = chmod (PROBE, 0750) == 0 && chmod (PROBE, 01700) == 0;
  g_assert_cmpint (rmdir (PROBE), ==, 0);
  return say (has_modes, "modes that can be changed");
}

gboolean
tf_test_disk_has_hard_links (void)
{
  gboolean has_links;

  close (make_file (PROBE));
  has_links = link (PROBE, PROBE "-link") == 0;
  if (has_links)
    g_assert_cmpint (unlink (PROBE "-link"), ==, 0);
  g_assert_cmpint (unlink (PROBE), ==, 0);
  return say (has_links, "hard links");
}

gboolean
tf_test_disk_has_links (void)
{
  gboolean has_links;

  make_dir (PROBE);
  make_dir (PROBE "/dir");
  g_assert_cmpint (symlink ("../dir", PROBE "/dir/link"), ==, 0);
  has_links = access (PROBE "/dir/link", F_OK) == 0;
  g_assert_cmpint (unlink (PROBE "/dir/link"), ==, 0);
  g_assert_cmpint (rmdir (PROBE "/dir"), ==, 0);
  g_assert_cmpint (rmdir (PROBE), ==, 0);
  return say (has_links, "symbolic links that lead out of their directory");
}

gboolean
tf_test_disk_has_owners (void)
{
  struct stat st;

  make_dir (PROBE);
  g_assert_cmpint (lstat (PROBE, &st), ==, 0);
  g_assert_cmpint (rmdir (PROBE), ==, 0);
  return say (st.st_uid == geteuid (), "owners, to which what they create belongs");
}

/* Ends the process with 1 if something is not there. */
static void
use_as_user (void)
{
  gboolean was_made = mkdir (PROBE, 0700) == 0;
  gboolean is_own = was_made && mkdir (PROBE "/dir", 0700) == 0;

  if (is_own)
    g_assert_cmpint (rmdir (PROBE "/dir"), ==, 0);
  if (was_made)
    g_assert_cmpint (rmdir (PROBE), ==, 0);
  if (!is_own)
    _exit (1);
}

gboolean
tf_test_disk_has_users (void)
{
  return say (tf_test_get_unprivileged_status (use_as_user) == 0, "other users who can create something");
}

gboolean
tf_test_disk_reopens (void)
{
  int fd = make_file (PROBE);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  int again;

  g_assert_cmpint (unlink (PROBE), ==, 0);
  again = open (path, O_RDONLY | O_CLOEXEC);
  if (again >= 0)
    close (again);
  close (fd);
  return say (again >= 0, "unlinked files that can be opened again");
}

gboolean
tf_test_disk_unlinks (void)
{
  gboolean unlinks;
  int fd;

  make_dir (PROBE);
  fd = make_file (PROBE "/file");
  g_assert_cmpint (unlink (PROBE "/file"), ==, 0);
  unlinks = rmdir (PROBE) == 0;
  close (fd);
  if (!unlinks)
    g_assert_cmpint (rmdir (PROBE), ==, 0);
  return say (unlinks, "unlinked files that have no name");
}

gboolean
tf_test_disk_knows_removed (void)
{
  struct stat st;
  gboolean is_known;
  int fd;

  make_dir (PROBE);
  fd = open (PROBE, O_PATH | O_DIRECTORY | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  close (make_file (PROBE "/file"));
  g_assert_cmpint (unlink (PROBE "/file"), ==, 0);
  g_assert_cmpint (rmdir (PROBE), ==, 0);
  is_known = fstatat (fd, "file", &st, AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT;
  close (fd);
  return say (is_known, "open directories that are known when they are removed");
}

gboolean
tf_test_disk_keeps_inode (void)
{
  int fd = make_file (PROBE);
  struct stat by_fd;
  struct stat by_name;
  gboolean is_kept;

  if (link (PROBE, PROBE "-other") != 0)
    g_assert_cmpint (rename (PROBE, PROBE "-other"), ==, 0);
  unlink (PROBE);
  is_kept = fstat (fd, &by_fd) == 0 && stat (PROBE "-other", &by_name) == 0 && by_fd.st_ino == by_name.st_ino;
  close (fd);
  g_assert_cmpint (unlink (PROBE "-other"), ==, 0);
  return say (is_kept, "inodes that stay the same when a file gets another name");
}

gboolean
tf_test_disk_tells_room (void)
{
  int fd = make_file (PROBE);
  struct stat st;
  gboolean tells;

  tells = fallocate (fd, FALLOC_FL_KEEP_SIZE, 0, 1024 * 1024) != 0 || (fstat (fd, &st) == 0 && st.st_blocks >= 2048);
  close (fd);
  g_assert_cmpint (unlink (PROBE), ==, 0);
  return say (tells, "room that is seen as soon as it is set aside");
}

gboolean
tf_test_disk_tells_free_room (void)
{
  int fd = make_file (PROBE);
  struct statvfs fs;
  struct stat st;
  gboolean tells;

  g_assert_cmpint (unlink (PROBE), ==, 0);
  tells = fstatvfs (fd, &fs) == 0 && fstat (fd, &st) == 0;
  close (fd);
  return say (tells, "free room, asked for with an unlinked file");
}

gboolean
tf_test_disk_gives_away (void)
{
  struct stat st;
  gboolean is_given;

  make_dir (PROBE);
  is_given = chown (PROBE, 65534, 65533) == 0 && lstat (PROBE, &st) == 0 && st.st_uid == 65534 && st.st_gid == 65533 &&
             chown (PROBE, geteuid (), getegid ()) == 0 && lstat (PROBE, &st) == 0 && st.st_uid == geteuid ();
  g_assert_cmpint (rmdir (PROBE), ==, 0);
  return say (is_given, "owners that can be changed");
}
