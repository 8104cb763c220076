/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tf-test.h"

/* A file system of its own, 64 KiB large, in a mount namespace that ends with the child process: once with
 * no room left, once with no inode left, and once with a file that has holes. */

#define SIZE (64 * 1024)

static gboolean
write_line (const char *path,
            const char *line)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gboolean success = fd >= 0 && write (fd, line, strlen (line)) == (gssize) strlen (line);

  if (fd >= 0)
    close (fd);
  return success;
}

/* As root; else as a user who is root in a user namespace, see user_namespaces(7). */
static gboolean
enter_mount_namespace (void)
{
  g_autofree char *uid_map = g_strdup_printf ("0 %u 1", (guint) geteuid ());
  g_autofree char *gid_map = g_strdup_printf ("0 %u 1", (guint) getegid ());

  if (unshare (CLONE_NEWNS) == 0)
    return TRUE;

  return unshare (CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
         write_line ("/proc/self/setgroups", "deny") &&
         write_line ("/proc/self/uid_map", uid_map) &&
         write_line ("/proc/self/gid_map", gid_map);
}

static gboolean
mount_small_disk (const char *options)
{
  if (!enter_mount_namespace ())
    return FALSE;

  return mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount ("tmpfs", "disk", "tmpfs", 0, options) == 0;
}

static TfSpooledFile *
make_file (gsize   size,
           char  **content)
{
  g_autofree char *dir = tf_test_path ("disk");
  TfSpooledFile *file = g_object_new (TF_TYPE_SPOOLED_FILE, "dir", dir, "max-size", (gint64) size, NULL);
  g_autoptr(GError) error = NULL;

  *content = g_strnfill (size, 'x');
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), *content, size, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 5, G_SEEK_SET, NULL, &error));
  return file;
}

static void
assert_refused (TfSpooledFile *file,
                const char    *content)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;

  g_assert_false (tf_spooled_file_rollover (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, "/disk"));
  g_clear_error (&error);
  g_assert_false (tf_spooled_file_is_rolled_over (file));
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 5);
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (file)), ==, strlen (content));

  bytes = tf_temp_file_read_bytes (TF_TEMP_FILE (file), G_MAXSIZE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), content + 5, strlen (content) - 5);
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 5, G_SEEK_SET, NULL, NULL));
}

static void
assert_succeeds (TfSpooledFile *file,
                 const char    *content)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;

  g_assert_true (tf_spooled_file_rollover (file, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 5);
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  bytes = tf_temp_file_read_bytes (TF_TEMP_FILE (file), G_MAXSIZE, NULL, &error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), content, strlen (content));
  g_assert_cmpuint (tf_test_count_entries ("disk"), ==, 0);
}

static void
fill_up (void)
{
  g_autofree char *rubbish = g_strnfill (SIZE, 'r');
  g_autofree char *content = NULL;
  g_autoptr(TfSpooledFile) file = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_true (mount_small_disk ("size=64k"));
  g_assert_true (g_file_set_contents_full ("disk/rubbish", rubbish, SIZE / 2, G_FILE_SET_CONTENTS_NONE, 0600, &error));
  g_assert_no_error (error);

  file = make_file (SIZE, &content);
  assert_refused (file, content);
  assert_refused (file, content);
  g_assert_cmpuint (tf_test_count_entries ("disk"), ==, 1);
  g_assert_cmpint (unlink ("disk/rubbish"), ==, 0);
  assert_succeeds (file, content);
}

static void
take_all_inodes (void)
{
  g_autofree char *content = NULL;
  g_autoptr(TfSpooledFile) file = NULL;
  g_autoptr(GError) error = NULL;

  /* One for the root, one for a directory. */
  g_assert_true (mount_small_disk ("nr_inodes=2"));
  g_assert_cmpint (mkdir ("disk/dir", 0700), ==, 0);

  file = make_file (100, &content);
  assert_refused (file, content);
  g_assert_null (tf_temp_file_new ("disk", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);
  g_assert_null (tf_named_file_new (NULL, NULL, "disk", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);
  g_assert_null (tf_temp_dir_new (NULL, NULL, "disk", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);

  g_assert_cmpint (rmdir ("disk/dir"), ==, 0);
  assert_succeeds (file, content);
}

static void
assert_persists (TfTempFile     *file,
                 TfPersistFlags  flags,
                 guint           mode)
{
  g_autofree char *path = tf_test_path ("disk/doc");
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autofree char *content = NULL;
  g_autoptr(GError) error = NULL;
  struct stat st;

  tf_temp_file_persist (file, destination, flags, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "new");
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmphex (st.st_mode & 07777, ==, mode);
}

/* The file has the last inode. The one that it replaces tells what its mode is to be; a new one is private. */
static void
persist_last_inode (void)
{
  g_autoptr(TfTempFile) file = NULL;
  g_autoptr(TfTempFile) other = NULL;

  umask (022);
  g_assert_true (mount_small_disk ("nr_inodes=3"));
  file = tf_temp_file_new ("disk", NULL, NULL);
  other = tf_temp_file_new ("disk", NULL, NULL);
  g_assert_true (tf_temp_file_write (file, "new", 3, NULL, NULL));
  g_assert_true (tf_temp_file_write (other, "new", 3, NULL, NULL));
  assert_persists (file, TF_PERSIST_NONE, 0600);
  g_assert_cmpint (chmod ("disk/doc", 0640), ==, 0);
  g_clear_object (&file);
  assert_persists (other, TF_PERSIST_REPLACE, 0640);
}

/* Reading a hole of a mapped file takes room on a tmpfs: without, the process would get SIGBUS. */
static void
steal_holes (void)
{
  g_autofree char *rubbish = g_strnfill (SIZE, 'r');
  g_autoptr(TfTempFile) file = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GError) error = NULL;
  const char *data;

  g_assert_true (mount_small_disk ("size=64k"));
  file = tf_temp_file_new ("disk", NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), SIZE / 2, NULL, &error));
  g_assert_true (g_file_set_contents_full ("disk/rubbish", rubbish, SIZE - 8192, G_FILE_SET_CONTENTS_NONE, 0600, &error));

  g_assert_null (tf_temp_file_steal_bytes (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, SIZE / 2);

  g_assert_cmpint (truncate ("disk/rubbish", SIZE / 2), ==, 0);
  bytes = tf_temp_file_steal_bytes (file, NULL, &error);
  g_assert_no_error (error);
  data = g_bytes_get_data (bytes, NULL);
  for (int i = 0; i < SIZE / 2; i++)
    g_assert_cmpint (data[i], ==, 0);
}

/* Takes all room that there is. */
static void
take_room (void)
{
  g_autofree char *rubbish = g_strnfill (SIZE, 'r');
  int fd = open ("disk/rubbish", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  while (write (fd, rubbish, SIZE) > 0)
    continue;
  close (fd);
}

/* The bytes cannot be mapped without a signal, and the file is as it was. */
static void
assert_not_stolen (TfTempFile *file)
{
  goffset size = tf_temp_file_get_size (file);
  g_autoptr(GError) error = NULL;

  take_room ();
  g_assert_null (tf_temp_file_steal_bytes (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, size);
  g_assert_cmpint (unlink ("disk/rubbish"), ==, 0);
}

/* A page counts as a whole, also if little of it belongs to the file. */
static void
steal_hidden_holes (void)
{
  const struct
  {
    goffset hole;
    const char *data;
  } files[] = {
    { 1, "" },
    { 511, "" },
    { 4096, "behind the hole" },
    { 4096 + 100, "" },
  };

  g_assert_true (mount_small_disk ("size=64k"));
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autoptr(TfTempFile) file = tf_temp_file_new ("disk", NULL, NULL);

      g_assert_true (g_seekable_truncate (G_SEEKABLE (file), files[i].hole, NULL, NULL));
      g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_END, NULL, NULL));
      g_assert_true (tf_temp_file_write (file, files[i].data, strlen (files[i].data), NULL, NULL));
      g_assert_true (tf_temp_file_flush (file, NULL, NULL));
      assert_not_stolen (file);
    }
}

/* Whoever has the descriptor may have made room behind the end, which is none for the hole. */
static void
steal_hole_of_shared_file (void)
{
  g_autoptr(TfTempFile) file = NULL;
  int fd;

  g_assert_true (mount_small_disk ("size=64k"));
  file = tf_temp_file_new ("disk", NULL, NULL);
  fd = tf_temp_file_get_fd (file, NULL, NULL);
  g_assert_cmpint (ftruncate (fd, 8192), ==, 0);
  g_assert_cmpint (fallocate (fd, FALLOC_FL_KEEP_SIZE, 8192, 8192), ==, 0);
  assert_not_stolen (file);
}

static void
try_to_mount (void)
{
  _exit (mount_small_disk ("size=64k") ? 0 : 77);
}

static void
run (void (*func) (void))
{
  g_assert_cmpint (mkdir ("disk", 0700), ==, 0);
  if (tf_test_get_child_status (try_to_mount) == 0)
    tf_test_in_child (func);
  else
    g_test_skip ("mounting needs root, or a user namespace");
  g_assert_cmpint (rmdir ("disk"), ==, 0);
}

static void
test_room (void)
{
  run (fill_up);
}

static void
test_inodes (void)
{
  run (take_all_inodes);
}

static void
test_last_inode (void)
{
  if (!tf_test_skip_if_portable ("files without a name"))
    run (persist_last_inode);
}

static void
test_holes (void)
{
  run (steal_holes);
}

static void
test_hidden_holes (void)
{
  run (steal_hidden_holes);
}

static void
test_hole_of_shared_file (void)
{
  run (steal_hole_of_shared_file);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/full-disk/room", test_room);
  g_test_add_func ("/full-disk/inodes", test_inodes);
  g_test_add_func ("/full-disk/last-inode", test_last_inode);
  g_test_add_func ("/full-disk/holes", test_holes);
  g_test_add_func ("/full-disk/hidden-holes", test_hidden_holes);
  g_test_add_func ("/full-disk/hole-of-shared-file", test_hole_of_shared_file);

  return tf_test_run ();
}
