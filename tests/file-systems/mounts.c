/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tree/tf-remove.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "tf-remove-tree.h"
#include "tf-named-file.h"
#include "tf-sweep.h"
#include "tf-temp-dir.h"
#include "tree/tf-dir.h"
#include "tf-test.h"
#include "tree.h"

/* Mounts are made in a namespace of the child's own: nothing of them is seen outside, or left. */

static gboolean
write_file (const char *path,
            const char *text)
{
  return g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
}

static gboolean
enter_namespace (void)
{
  g_autofree char *uid_map = g_strdup_printf ("0 %u 1", (guint) geteuid ());

  if (unshare (CLONE_NEWNS) != 0 &&
      !(unshare (CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_file ("/proc/self/uid_map", uid_map)))
    return FALSE;

  return mount ("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
}

static void
check_namespace (void)
{
  _exit (enter_namespace () ? EXIT_SUCCESS : EXIT_FAILURE);
}

static gboolean
can_mount (void)
{
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    check_namespace ();

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  return WIFEXITED (status) && WEXITSTATUS (status) == EXIT_SUCCESS;
}

/* Removes what is behind @fd. */
static gboolean
remove_tree (const char  *path,
             int          fd,
             GError     **error)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  tf_autofd int parent_fd = tree_open (parent);
  TfIdentity identity;

  g_assert_true (tf_identity_read (&identity, fd, ""));
  return tf_remove_dir_at (parent_fd, name, path, &identity, NULL, error);
}

static void
assert_stops_at_mount (const char *mount_point,
                       const char *survivor)
{
  g_autofree char *path = tf_test_path ("tree");
  g_autoptr(GError) error = NULL;
  tf_autofd int fd = tree_open (path);

  tree_make_file ("tree/file");
  tree_make_wide (path, 2, 2);
  g_assert_false (remove_tree (path, fd, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, mount_point));
  g_assert_true (g_file_test (survivor, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (tf_test_count_entries (path), ==, 1);

  g_assert_cmpint (umount2 (mount_point, MNT_DETACH), ==, 0);
  g_clear_error (&error);
  g_assert_true (remove_tree (path, fd, &error));
  g_assert_no_error (error);
}

static void
remove_over_bind_mount (void)
{
  g_assert_true (enter_namespace ());
  tree_make_dir ("host");
  tree_make_file ("host/precious");
  tree_make_dir ("tree");
  tree_make_dir ("tree/a");
  tree_make_dir ("tree/a/mount");
  g_assert_cmpint (mount ("host", "tree/a/mount", "none", MS_BIND, NULL), ==, 0);

  assert_stops_at_mount ("tree/a/mount", "host/precious");

  g_assert_cmpint (unlink ("host/precious"), ==, 0);
  g_assert_cmpint (rmdir ("host"), ==, 0);
}

static void
remove_over_tmpfs (void)
{
  g_assert_true (enter_namespace ());
  tree_make_dir ("tree");
  tree_make_dir ("tree/mount");
  g_assert_cmpint (mount ("tmpfs", "tree/mount", "tmpfs", 0, NULL), ==, 0);
  tree_make_file ("tree/mount/precious");

  assert_stops_at_mount ("tree/mount", "tree/mount/precious");
}

static void
remove_over_bound_file (void)
{
  g_assert_true (enter_namespace ());
  tree_make_file ("precious");
  tree_make_dir ("tree");
  tree_make_file ("tree/mount");
  g_assert_cmpint (mount ("precious", "tree/mount", "none", MS_BIND, NULL), ==, 0);

  assert_stops_at_mount ("tree/mount", "precious");

  g_assert_cmpint (unlink ("precious"), ==, 0);
}

/* A mount point without permissions is not given any. */
static void
remove_over_closed_mount (void)
{
  struct stat st;

  g_assert_true (enter_namespace ());
  g_assert_cmpint (mkdir ("host", 0000), ==, 0);
  tree_make_dir ("tree");
  tree_make_dir ("tree/mount");
  g_assert_cmpint (mount ("host", "tree/mount", "none", MS_BIND, NULL), ==, 0);

  assert_stops_at_mount ("tree/mount", "host");

  g_assert_cmpint (stat ("host", &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0);
  g_assert_cmpint (rmdir ("host"), ==, 0);
}

/* A mount point is not removed, by whatever path it is reached. */
static void
remove_mount_point (void)
{
  const char * const paths[] = { "tree/mount", "way/tree/mount", "tree/mount/.", "tree/mount/sub/.." };

  g_assert_true (enter_namespace ());
  tree_make_dir ("host");
  tree_make_file ("host/precious");
  tree_make_dir ("tree");
  tree_make_dir ("tree/mount");
  tree_make_link (".", "way");
  g_assert_cmpint (mount ("host", "tree/mount", "none", MS_BIND, NULL), ==, 0);

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr(GFile) file = g_file_new_for_path (paths[i]);
      g_autoptr(GError) error = NULL;

      g_assert_false (tf_remove_tree (file, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
      g_assert_nonnull (strstr (error->message, "tree/mount"));
      g_assert_true (g_file_test ("host/precious", G_FILE_TEST_EXISTS));
    }

  g_assert_cmpint (umount2 ("tree/mount", MNT_DETACH), ==, 0);
  g_assert_cmpint (rmdir ("tree/mount"), ==, 0);
  g_assert_cmpint (rmdir ("tree"), ==, 0);
  g_assert_cmpint (unlink ("way"), ==, 0);
  g_assert_cmpint (unlink ("host/precious"), ==, 0);
  g_assert_cmpint (rmdir ("host"), ==, 0);
}

/* Something is mounted on the directory itself. */
static void
remove_mounted_root (void)
{
  g_autofree char *path = tf_test_path ("tree");
  g_autoptr(GError) error = NULL;
  tf_autofd int fd = -1;

  g_assert_true (enter_namespace ());
  tree_make_dir ("host");
  tree_make_file ("host/precious");
  tree_make_dir ("tree");
  fd = tree_open (path);
  g_assert_cmpint (mount ("host", "tree", "none", MS_BIND, NULL), ==, 0);

  g_assert_false (remove_tree (path, fd, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_true (g_file_test ("host/precious", G_FILE_TEST_EXISTS));

  g_assert_cmpint (umount2 ("tree", MNT_DETACH), ==, 0);
  g_clear_error (&error);
  g_assert_true (remove_tree (path, fd, &error));
  g_assert_no_error (error);
  g_assert_cmpint (unlink ("host/precious"), ==, 0);
  g_assert_cmpint (rmdir ("host"), ==, 0);
}

static void
make_and_stay (void)
{
  g_autoptr(GError) error = NULL;
  TfTempDir *dir = tf_temp_dir_new ("mounted-", NULL, NULL, NULL, &error);
  TfNamedFile *file = tf_named_file_new ("mounted-", NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (g_file_set_contents ("dir-path", tf_temp_dir_get_path (dir), -1, NULL));
  g_assert_true (g_file_set_contents ("file-path", tf_named_file_get_path (file), -1, NULL));
}

/* Something is mounted on what a dead process has left: it stays, and goes when that is unmounted. */
static void
sweep_mounted (void)
{
  g_autofree char *dir = NULL;
  g_autofree char *file = NULL;
  g_autoptr(GError) error = NULL;
  guint n_removed;

  g_assert_true (enter_namespace ());
  tree_make_dir ("host");
  tree_make_file ("host/precious");
  tf_test_run_and_kill (make_and_stay);
  g_assert_true (g_file_get_contents ("dir-path", &dir, NULL, NULL));
  g_assert_true (g_file_get_contents ("file-path", &file, NULL, NULL));
  g_assert_cmpint (mount ("host", dir, "none", MS_BIND, NULL), ==, 0);
  g_assert_cmpint (mount ("host/precious", file, "none", MS_BIND, NULL), ==, 0);

  for (guint i = 0; i < 2; i++)
    {
      g_assert_false (tf_sweep (NULL, NULL, 0, &n_removed, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
      g_assert_cmpuint (n_removed, ==, 0);
      g_clear_error (&error);
    }

  g_assert_cmpint (umount2 (dir, MNT_DETACH), ==, 0);
  g_assert_cmpint (umount2 (file, MNT_DETACH), ==, 0);
  g_assert_true (tf_sweep (NULL, NULL, 0, &n_removed, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_removed, ==, 2);

  g_assert_cmpint (unlink ("host/precious"), ==, 0);
  g_assert_cmpint (rmdir ("host"), ==, 0);
  g_assert_cmpint (unlink ("dir-path"), ==, 0);
  g_assert_cmpint (unlink ("file-path"), ==, 0);
}

/* Runs a command. Returns whether it could be run and succeeded. */
static gboolean
run (const char *command)
{
  const GSpawnFlags flags = G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL;
  g_auto(GStrv) arguments = g_strsplit (command, " ", -1);
  int status;

  return g_spawn_sync (NULL, arguments, NULL, flags | G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL) &&
         g_spawn_check_wait_status (status, NULL);
}

/* Mounts a new btrfs at @path, which this user owns. */
static gboolean
mount_btrfs (const char *path)
{
  g_autofree char *command = g_strconcat ("mount -o loop image ", path, NULL);
  const char *directories = g_getenv ("PATH");
  g_autofree char *more = g_strconcat (directories != NULL ? directories : "", ":/usr/sbin:/sbin", NULL);

  g_setenv ("PATH", more, TRUE);
  return enter_namespace () && run ("truncate -s 160M image") && run ("mkfs.btrfs -q image") && run (command);
}

static void
make_subvolume (const char *parent,
                const char *name)
{
  tf_autofd int fd = tree_open (parent);
  struct btrfs_ioctl_vol_args arguments = { 0, };

  g_strlcpy (arguments.name, name, sizeof arguments.name);
  g_assert_cmpint (ioctl (fd, BTRFS_IOC_SUBVOL_CREATE, &arguments), ==, 0);
}

/* A subvolume has another device number, but nothing is mounted. */
static void
remove_subvolumes (void)
{
  g_autoptr(GFile) tree = g_file_new_for_path ("mnt/tree");
  g_autoptr(GError) error = NULL;

  tree_make_dir ("mnt");
  if (mount_btrfs ("mnt"))
    {
      tree_make_dir ("mnt/tree");
      make_subvolume ("mnt/tree", "sub");
      make_subvolume ("mnt/tree", "empty");
      tree_make_dir ("mnt/tree/sub/dir");
      make_subvolume ("mnt/tree/sub/dir", "sub");
      tree_make_file ("mnt/tree/sub/dir/sub/file");
      tree_make_dir ("mnt/tree/sub/dir/sub/closed");
      tree_make_file ("mnt/tree/sub/dir/sub/closed/file");
      g_assert_cmpint (chmod ("mnt/tree/sub/dir/sub/closed", 0), ==, 0);

      tf_remove_tree (tree, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (tf_test_count_entries ("mnt"), ==, 0);
      g_assert_cmpint (umount2 ("mnt", 0), ==, 0);
    }
  else
    g_test_message ("no btrfs can be made");

  unlink ("image");
  g_assert_cmpint (rmdir ("mnt"), ==, 0);
}

static gboolean
make_disk (const char *image,
           const char *time)
{
  g_autofree char *truncate = g_strconcat ("truncate -s 4M ", image, NULL);
  g_autofree char *mkfs = g_strconcat ("mkfs.ext4 -q ", image, NULL);

  g_setenv ("E2FSPROGS_FAKE_TIME", time, TRUE);
  return run (truncate) && run (mkfs);
}

/* Returns FALSE if its number is another than @device, because somebody else has taken the device meanwhile. */
static gboolean
mount_disk (const char *image,
            dev_t      *device)
{
  g_autofree char *command = g_strdup_printf ("mount -o loop %s disk", image);
  struct stat st;

  if (!run (command) || stat ("disk", &st) != 0)
    return FALSE;

  if (*device == 0)
    *device = st.st_dev;
  return st.st_dev == *device;
}

static void
make_on_disk_and_stay (void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *disk = tf_test_path ("disk");

  g_assert_nonnull (tf_temp_dir_new (NULL, NULL, disk, NULL, &error));
  g_assert_nonnull (tf_named_file_new (NULL, NULL, disk, NULL, &error));
}

static guint
sweep_all (void)
{
  g_autoptr(GError) error = NULL;
  guint n_removed;

  g_assert_true (tf_sweep (NULL, NULL, 0, &n_removed, NULL, &error));
  g_assert_no_error (error);
  return n_removed;
}

/* The root directories of two disks have one inode number, and their devices can have one number, too. */
static void
sweep_other_disk (void)
{
  const char *directories = g_getenv ("PATH");
  g_autofree char *more = g_strconcat (directories != NULL ? directories : "", ":/usr/sbin:/sbin", NULL);
  dev_t device = 0;

  g_setenv ("PATH", more, TRUE);
  tree_make_dir ("disk");
  if (enter_namespace () && make_disk ("one", "1700000000") && make_disk ("two", "1700000001") &&
      mount_disk ("one", &device))
    {
      tf_test_run_and_kill (make_on_disk_and_stay);
      g_assert_cmpint (umount2 ("disk", 0), ==, 0);

      if (mount_disk ("two", &device))
        g_assert_cmpuint (sweep_all (), ==, 0);
      g_assert_cmpint (umount2 ("disk", 0), ==, 0);

      if (mount_disk ("one", &device))
        g_assert_cmpuint (sweep_all (), ==, 2);
      g_assert_cmpint (umount2 ("disk", 0), ==, 0);
    }
  else
    g_test_message ("no disk can be made");

  unlink ("one");
  unlink ("two");
  g_assert_cmpint (rmdir ("disk"), ==, 0);
}

static void
remove_from_overlay (const char *name)
{
  g_autofree char *path = tf_test_path (name);
  g_autoptr(GError) error = NULL;
  tf_autofd int fd = tree_open (path);

  g_assert_true (remove_tree (path, fd, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* An overlay copies a directory of the lower layer when its first entry is removed, or its mode is changed. */
static void
remove_from_lower_layer (void)
{
  g_assert_true (enter_namespace ());
  tree_make_dir ("layers");
  tree_make_dir ("tree");
  g_assert_cmpint (mount ("tmpfs", "layers", "tmpfs", 0, NULL), ==, 0);
  g_assert_cmpint (g_mkdir_with_parents ("layers/lower/dir/inner", 0700), ==, 0);
  tree_make_file ("layers/lower/dir/file");
  tree_make_file ("layers/lower/dir/inner/file");
  g_assert_cmpint (g_mkdir_with_parents ("layers/lower/closed/inner", 0700), ==, 0);
  tree_make_file ("layers/lower/closed/inner/file");
  g_assert_cmpint (chmod ("layers/lower/closed", 0500), ==, 0);
  tree_make_dir ("layers/upper");
  tree_make_dir ("layers/work");
  if (mount ("overlay", "tree", "overlay", 0, "lowerdir=layers/lower,upperdir=layers/upper,workdir=layers/work") != 0)
    return;

  remove_from_overlay ("tree/dir");
  remove_from_overlay ("tree/closed");

  g_assert_cmpint (umount ("tree"), ==, 0);
  g_assert_cmpint (umount ("layers"), ==, 0);
  g_assert_cmpint (rmdir ("tree"), ==, 0);
  g_assert_cmpint (rmdir ("layers"), ==, 0);
}

/* What is gone does not keep its directory open as long as the object exists. */
static void
let_go_of_mount (void)
{
  g_autofree char *path = tf_test_path ("mount");
  g_autoptr(GError) error = NULL;

  g_assert_true (enter_namespace ());
  tree_make_dir ("mount");
  g_assert_cmpint (mount ("none", "mount", "tmpfs", 0, NULL), ==, 0);

  {
    g_autoptr(TfNamedFile) closed = tf_named_file_new (NULL, NULL, path, NULL, &error);
    g_autoptr(TfNamedFile) unlinked = tf_named_file_new (NULL, NULL, path, NULL, &error);
    g_autoptr(TfNamedFile) replaced = tf_named_file_new (NULL, NULL, path, NULL, &error);
    g_autoptr(TfNamedFile) handed_over = tf_named_file_new (NULL, NULL, path, NULL, &error);
    g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, path, NULL, &error);

    g_assert_no_error (error);
    tf_named_file_hand_over (handed_over, 0);
    g_assert_true (g_io_stream_close (G_IO_STREAM (handed_over), NULL, &error));
    while (g_file_test (tf_named_file_get_path (handed_over), G_FILE_TEST_EXISTS))
      g_main_context_iteration (NULL, TRUE);
    g_assert_true (g_io_stream_close (G_IO_STREAM (closed), NULL, &error));
    g_assert_true (tf_named_file_unlink (unlinked, NULL, &error));
    g_assert_true (g_io_stream_close (G_IO_STREAM (unlinked), NULL, &error));
    g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
    g_assert_no_error (error);

    g_assert_cmpint (unlink (tf_named_file_get_path (replaced)), ==, 0);
    g_assert_cmpint (mkdir (tf_named_file_get_path (replaced), 0700), ==, 0);
    g_assert_false (g_io_stream_close (G_IO_STREAM (replaced), NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);

    /* A worker thread may still be at it. */
    for (guint i = 0; umount2 ("mount", 0) != 0; i++)
      {
        g_assert_cmpint (errno, ==, EBUSY);
        g_assert_cmpuint (i, <, 1000000);
        g_thread_yield ();
      }
  }

  g_assert_cmpint (rmdir ("mount"), ==, 0);
}

/* --- Servers that do not answer -------------------------------------------------------------- */

/* Mounts a file system in user space that nobody serves, and that would be asked who may go through it. Returns the connection,
 * which ends it when it is closed. */
static int
mount_hung (const char *path)
{
  int fd = open ("/dev/fuse", O_RDWR | O_CLOEXEC);
  g_autofree char *options = NULL;
  struct stat st;

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (stat (path, &st), ==, 0);
  options = g_strdup_printf ("fd=%d,rootmode=%o,user_id=%u,group_id=%u,default_permissions", fd, st.st_mode & S_IFMT, geteuid (), getegid ());
  g_assert_cmpint (mount ("hung", path, "fuse", MS_NODEV | MS_NOSUID, options), ==, 0);
  return fd;
}

static void
end_hung (const char *path,
          int         fd)
{
  g_assert_cmpint (umount2 (path, MNT_DETACH), ==, 0);
  g_assert_cmpint (close (fd), ==, 0);
}

static TfTempDir *
make_dir (const char *parent)
{
  g_autoptr(GError) error = NULL;
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, parent, NULL, &error);

  g_assert_no_error (error);
  return dir;
}

static char *
make_inner_dirs (TfTempDir *dir)
{
  char *inner = g_build_filename (tf_temp_dir_get_path (dir), "a", "b", NULL);

  g_assert_cmpint (g_mkdir_with_parents (inner, 0700), ==, 0);
  return inner;
}

static void
assert_stays (TfTempDir *dir)
{
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
}

static void
assert_goes (TfTempDir *dir)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_EXISTS));
}

/* Something of the library is gone already, by the hand of another, where something hangs now. */
static void
close_what_is_gone (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autofree char *inner = NULL;
  g_autofree char *outer = NULL;
  const char *above[3];

  g_assert_true (enter_namespace ());
  dir = make_dir (NULL);
  inner = make_inner_dirs (dir);
  outer = g_path_get_dirname (inner);
  above[0] = tf_temp_dir_get_path (dir);
  above[1] = outer;
  above[2] = inner;
  for (gsize i = 0; i < G_N_ELEMENTS (above); i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, inner, NULL, &error);
      g_autoptr(TfTempDir) inner_dir = make_dir (inner);
      int fd;

      g_assert_no_error (error);
      g_assert_cmpint (unlink (tf_named_file_get_path (file)), ==, 0);
      g_assert_cmpint (rmdir (tf_temp_dir_get_path (inner_dir)), ==, 0);
      fd = mount_hung (above[i]);
      g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
      g_assert_no_error (error);
      g_assert_true (tf_temp_dir_cleanup (inner_dir, NULL, &error));
      g_assert_no_error (error);
      assert_stays (dir);
      end_hung (above[i], fd);
    }
  assert_goes (dir);
}

/* The same, for a path through a link, and where the link is. */
static void
close_what_is_gone_by_link (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(TfTempDir) inner_dir = NULL;
  g_autoptr(TfNamedFile) file = NULL;
  g_autofree char *links = tf_test_path ("links");
  g_autofree char *link = g_build_filename (links, "link", NULL);
  g_autoptr(GError) error = NULL;
  int fd;

  g_assert_true (enter_namespace ());
  dir = make_dir (NULL);
  g_assert_cmpint (mkdir (links, 0700), ==, 0);
  g_assert_cmpint (symlink (tf_temp_dir_get_path (dir), link), ==, 0);
  file = tf_named_file_new (NULL, NULL, link, NULL, &error);
  g_assert_no_error (error);
  inner_dir = make_dir (link);
  g_assert_cmpint (unlink (tf_named_file_get_path (file)), ==, 0);
  g_assert_cmpint (rmdir (tf_temp_dir_get_path (inner_dir)), ==, 0);

  fd = mount_hung (links);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
  g_assert_true (tf_temp_dir_cleanup (inner_dir, NULL, &error));
  g_assert_no_error (error);
  end_hung (links, fd);
  assert_goes (dir);
  g_assert_cmpint (unlink (link) + rmdir (links), ==, 0);
}

static void
leave_inside (void)
{
  TfTempDir *dir = make_dir (NULL);
  g_autofree char *inner = make_inner_dirs (dir);

  g_assert_nonnull (tf_named_file_new (NULL, NULL, inner, NULL, NULL));
  g_assert_true (g_file_set_contents ("dir-path", tf_temp_dir_get_path (dir), -1, NULL));
}

/* A dead process has left a file below a directory on which something hangs. */
static void
sweep_below_hung (void)
{
  g_autofree char *path = NULL;
  g_autofree char *outer = NULL;
  const char *above[2];

  g_assert_true (enter_namespace ());
  tf_test_run_and_kill (leave_inside);
  g_assert_true (g_file_get_contents ("dir-path", &path, NULL, NULL));
  outer = g_build_filename (path, "a", NULL);
  above[0] = path;
  above[1] = outer;
  for (gsize i = 0; i < G_N_ELEMENTS (above); i++)
    {
      int fd = mount_hung (above[i]);

      tf_sweep (NULL, NULL, 0, NULL, NULL, NULL);
      end_hung (above[i], fd);
      g_assert_true (g_file_test (path, G_FILE_TEST_IS_DIR));
    }

  g_assert_true (tf_sweep (NULL, NULL, 0, NULL, NULL, NULL));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpint (unlink ("dir-path"), ==, 0);
}

static void
leave_handed_over (void)
{
  TfTempDir *dir = make_dir (NULL);
  g_autofree char *file = g_build_filename (tf_temp_dir_get_path (dir), "file", NULL);

  tree_make_file (file);
  g_assert_true (g_file_set_contents ("dir-path", tf_temp_dir_get_path (dir), -1, NULL));
  tf_temp_dir_hand_over (dir, 0);
}

/* Something hangs in place of a file of a directory that was handed over: it is not known whether somebody uses it. */
static void
sweep_handed_over (void)
{
  g_autofree char *path = NULL;
  g_autofree char *file = NULL;
  int fd;

  g_assert_true (enter_namespace ());
  tf_test_run_and_kill (leave_handed_over);
  g_assert_true (g_file_get_contents ("dir-path", &path, NULL, NULL));
  file = g_build_filename (path, "file", NULL);
  fd = mount_hung (file);
  tf_sweep (NULL, NULL, 0, NULL, NULL, NULL);
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_DIR));
  end_hung (file, fd);

  g_assert_true (tf_sweep (NULL, NULL, 0, NULL, NULL, NULL));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpint (unlink ("dir-path"), ==, 0);
}

static void
remove_hung_tree (void)
{
  g_autofree char *path = tf_test_path ("tree");
  g_autoptr(GFile) tree = g_file_new_for_path (path);
  g_autoptr(GError) error = NULL;
  int fd;

  g_assert_true (enter_namespace ());
  tree_make_dir ("tree");
  fd = mount_hung (path);
  g_assert_false (tf_remove_tree (tree, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  end_hung (path, fd);
  g_assert_true (tf_remove_tree (tree, NULL, NULL));
}

/* Its parent was moved away, and it was moved back below the path of that; then something is mounted on it. */
static void
clean_up_moved (void)
{
  g_autofree char *parent = tf_test_path ("parent");
  g_autofree char *name = NULL;
  g_autofree char *moved = NULL;
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_true (enter_namespace ());
  tree_make_dir ("parent");
  dir = make_dir (parent);
  name = g_path_get_basename (tf_temp_dir_get_path (dir));
  moved = g_build_filename ("moved", name, NULL);
  g_assert_cmpint (rename (parent, "moved"), ==, 0);
  tree_make_dir ("parent");
  g_assert_cmpint (rename (moved, tf_temp_dir_get_path (dir)), ==, 0);
  g_assert_cmpint (mount ("none", tf_temp_dir_get_path (dir), "tmpfs", 0, NULL), ==, 0);
  g_assert_false (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpint (umount2 (tf_temp_dir_get_path (dir), MNT_DETACH), ==, 0);
  g_assert_cmpint (rmdir (tf_temp_dir_get_path (dir)), ==, 0);
  g_assert_cmpint (rmdir ("moved") + rmdir ("parent"), ==, 0);
}

static void
leave_in_bound (void)
{
  g_autofree char *path = tf_test_path ("bound");

  g_assert_nonnull (make_dir (path));
}

/* A path leads to a file system, away from it, and back, as that of a service to which only some of a tree is shown. */
static void
sweep_bound (void)
{
  g_autofree char *cover = tf_test_path ("cover");
  g_autofree char *bound = g_build_filename (cover, "bound", NULL);
  g_autofree char *own = tf_test_path ("own");
  g_autoptr(GError) error = NULL;
  guint n_removed;

  g_assert_true (enter_namespace ());
  tree_make_dir ("own");
  tree_make_dir ("cover");
  g_assert_cmpint (mount ("none", "cover", "tmpfs", 0, NULL), ==, 0);
  g_assert_cmpint (mkdir (bound, 0700), ==, 0);
  g_assert_cmpint (mount (own, bound, "none", MS_BIND, NULL), ==, 0);
  g_assert_cmpint (symlink (bound, "bound"), ==, 0);
  tf_test_run_and_kill (leave_in_bound);
  tf_sweep (NULL, NULL, 0, &n_removed, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_removed, ==, 1);
  g_assert_cmpint (umount2 (bound, MNT_DETACH) + umount2 (cover, MNT_DETACH), ==, 0);
  g_assert_cmpint (unlink ("bound") + rmdir ("own") + rmdir ("cover"), ==, 0);
}

static gboolean
mounts_hung (gconstpointer func)
{
  return func == close_what_is_gone || func == close_what_is_gone_by_link || func == sweep_below_hung || func == sweep_handed_over ||
         func == remove_hung_tree || func == clean_up_moved;
}

static void
test_mount (gconstpointer func)
{
  const guint missing[] = {
    0,
    TF_SYSTEM_OPENAT2,
    TF_SYSTEM_OPENAT2 | TF_SYSTEM_STATX,
    TF_SYSTEM_OPENAT2 | TF_SYSTEM_STATX | TF_SYSTEM_PROC,
  };

  if (!can_mount ())
    {
      g_test_skip ("neither root nor a user namespace may mount here");
      return;
    }
  if (mounts_hung (func) && access ("/dev/fuse", R_OK | W_OK) != 0)
    {
      g_test_skip ("there is no /dev/fuse");
      return;
    }

  for (gsize i = 0; i < G_N_ELEMENTS (missing); i++)
    {
      /* The last resort tells file systems apart, no more. */
      if ((missing[i] & TF_SYSTEM_PROC) &&
          (func == remove_over_bind_mount || func == remove_over_closed_mount || func == remove_mount_point ||
           func == remove_subvolumes || func == sweep_mounted || func == sweep_bound))
        continue;

      /* Only statx(2) tells that something is mounted, and what the system knows of it. */
      if ((missing[i] & TF_SYSTEM_STATX) && mounts_hung (func))
        continue;

      /* Only the birth time tells them apart. */
      if ((missing[i] & TF_SYSTEM_STATX) && func == sweep_other_disk)
        continue;

      tf_system_missing = missing[i];
      tf_test_in_child ((void (*) (void)) func);
    }
  tf_system_missing = 0;
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_data_func ("/mounts/bind", remove_over_bind_mount, test_mount);
  g_test_add_data_func ("/mounts/tmpfs", remove_over_tmpfs, test_mount);
  g_test_add_data_func ("/mounts/bound-file", remove_over_bound_file, test_mount);
  g_test_add_data_func ("/mounts/closed", remove_over_closed_mount, test_mount);
  g_test_add_data_func ("/mounts/mount-point", remove_mount_point, test_mount);
  g_test_add_data_func ("/mounts/subvolumes", remove_subvolumes, test_mount);
  g_test_add_data_func ("/mounts/root", remove_mounted_root, test_mount);
  g_test_add_data_func ("/mounts/lower-layer", remove_from_lower_layer, test_mount);
  g_test_add_data_func ("/mounts/let-go", let_go_of_mount, test_mount);
  g_test_add_data_func ("/mounts/sweep", sweep_mounted, test_mount);
  g_test_add_data_func ("/mounts/sweep-other-disk", sweep_other_disk, test_mount);

  g_test_add_data_func ("/mounts/moved", clean_up_moved, test_mount);
  g_test_add_data_func ("/mounts/sweep-bound", sweep_bound, test_mount);
  g_test_add_data_func ("/mounts/hung/gone", close_what_is_gone, test_mount);
  g_test_add_data_func ("/mounts/hung/gone-by-link", close_what_is_gone_by_link, test_mount);
  g_test_add_data_func ("/mounts/hung/sweep", sweep_below_hung, test_mount);
  g_test_add_data_func ("/mounts/hung/handed-over", sweep_handed_over, test_mount);
  g_test_add_data_func ("/mounts/hung/tree", remove_hung_tree, test_mount);

  return tf_test_run ();
}
