/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tf-test.h"

/* Directories that are to look as if they were in memory. The linker puts this function in place of the
 * C library's. */
static const char *in_memory[4];

int __real_statfs64 (const char *path, struct statfs *fs);
int __wrap_statfs64 (const char *path, struct statfs *fs);

int
__wrap_statfs64 (const char    *path,
                 struct statfs *fs)
{
  int result = __real_statfs64 (path, fs);

  if (result == 0)
    fs->f_type = g_strv_contains (in_memory, path) ? TMPFS_MAGIC : EXT4_SUPER_MAGIC;

  return result;
}

/* What Flatpak says of the sandbox: NULL when it does not run this program. In place of GLib's function as well. */
static const char *flatpak_info;

gboolean __real_g_key_file_load_from_file (GKeyFile *file, const char *path, GKeyFileFlags flags, GError **error);
gboolean __wrap_g_key_file_load_from_file (GKeyFile *file, const char *path, GKeyFileFlags flags, GError **error);

gboolean
__wrap_g_key_file_load_from_file (GKeyFile       *file,
                                  const char     *path,
                                  GKeyFileFlags   flags,
                                  GError        **error)
{
  g_assert_cmpstr (path, ==, "/.flatpak-info");

  return __real_g_key_file_load_from_file (file, flatpak_info != NULL ? flatpak_info : "/nonexistent", flags, error);
}

static void
forget (void)
{
  in_memory[0] = in_memory[1] = in_memory[2] = NULL;
  tf_set_temp_dir (NULL);
}

static void
spool_dir_in_child (void)
{
  g_unsetenv ("TMPDIR");

  forget ();
  g_assert_cmpstr (tf_get_spool_dir (NULL), ==, "/tmp");

  forget ();
  in_memory[0] = "/tmp";
  g_assert_cmpstr (tf_get_spool_dir (NULL), ==, "/var/tmp");
  g_assert_cmpstr (tf_get_temp_dir (NULL), ==, "/tmp");

  forget ();
  in_memory[0] = "/tmp";
  in_memory[1] = "/var/tmp";
  g_assert_cmpstr (tf_get_spool_dir (NULL), ==, tf_test_get_sandbox ());

  /* Nothing but memory. */
  in_memory[2] = ".";
  tf_set_temp_dir (NULL);
  g_assert_cmpstr (tf_get_spool_dir (NULL), ==, "/tmp");

  /* Whoever says where is obeyed. */
  tf_set_temp_dir ("/var/tmp");
  g_assert_cmpstr (tf_get_spool_dir (NULL), ==, "/var/tmp");
  tf_set_temp_dir (NULL);
  g_assert_true (g_setenv ("TMP", "/tmp", TRUE));
  g_assert_cmpstr (tf_get_spool_dir (NULL), ==, "/tmp");
}

static void
test_spool_dir (void)
{
  tf_test_in_child (spool_dir_in_child);
}

static void
rollover_in_child (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  g_autofree char *path = NULL;
  g_autofree char *target = NULL;

  g_unsetenv ("TMPDIR");
  forget ();
  in_memory[0] = "/tmp";
  path = tf_temp_file_get_fd_path (TF_TEMP_FILE (file), NULL, NULL);
  target = g_file_read_link (path, NULL);
  g_assert_true (g_str_has_prefix (target, "/var/tmp/"));
}

static void
test_rollover (void)
{
  tf_test_in_child (rollover_in_child);
}

static void
test_shareable_outside (void)
{
  g_assert_cmpstr (tf_get_shareable_dir (NULL), ==, tf_get_temp_dir (NULL));
}

static void
shareable_in_child (void)
{
  g_autofree char *info = tf_test_path ("flatpak-info");
  g_autofree char *dir = tf_test_path (".var/app/org.example.App/cache/tmp");
  g_autoptr(GError) error = NULL;
  struct stat st;

  g_assert_true (g_setenv ("HOME", tf_test_get_sandbox (), TRUE));
  g_assert_true (g_file_set_contents (info, "[Application]\nname=org.example.App\n", -1, NULL));
  flatpak_info = info;

  g_assert_cmpstr (tf_get_shareable_dir (&error), ==, dir);
  g_assert_no_error (error);
  g_assert_cmpint (stat (dir, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0700);

  /* It is in the way of itself. */
  g_assert_cmpint (rmdir (dir), ==, 0);
  g_assert_true (g_file_set_contents (dir, "", 0, NULL));
  g_assert_null (tf_get_shareable_dir (&error));
  g_assert_nonnull (error);
  g_assert_cmpint (error->domain, ==, G_IO_ERROR);
}

static void
test_shareable_inside (void)
{
  const char *names[] = { "flatpak-info", ".var/app/org.example.App/cache/tmp", ".var/app/org.example.App/cache",
                          ".var/app/org.example.App", ".var/app", ".var" };

  tf_test_in_child (shareable_in_child);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = tf_test_path (names[i]);

      g_assert_cmpint (remove (path), ==, 0);
    }
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/location-special/spool-dir", test_spool_dir);
  g_test_add_func ("/location-special/rollover", test_rollover);
  g_test_add_func ("/location-special/shareable/outside", test_shareable_outside);
  g_test_add_func ("/location-special/shareable/inside", test_shareable_inside);

  return tf_test_run ();
}
