/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A set-user-ID program does not do what the environment says. The program is a copy of this one. */

#include <tempfile-glib.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tf-test.h"

#define NOBODY 65534
#define CREATE "--create-in"

/* Called in the copy. */
static int
create_in (const char *dir)
{
  g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, dir, NULL, NULL);

  return file != NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Runs the copy with the mode @mode, and returns the number of files that it has kept. */
static guint
count_kept (mode_t mode)
{
  const char *argv[] = { "./copy", CREATE, "open", NULL };
  g_autoptr(GError) error = NULL;
  int status;
  guint n;
  g_autoptr(GDir) names = NULL;
  const char *name;

  g_assert_cmpint (chmod ("copy", mode), ==, 0);
  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status, &error));
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, &error));
  g_assert_no_error (error);

  n = tf_test_count_entries ("open");
  names = g_dir_open ("open", 0, NULL);
  while ((name = g_dir_read_name (names)) != NULL)
    {
      g_autofree char *path = g_build_filename ("open", name, NULL);

      g_assert_cmpint (unlink (path), ==, 0);
    }
  return n;
}

static void
test_debug (void)
{
  g_autoptr(GFile) program = g_file_new_for_path ("/proc/self/exe");
  g_autoptr(GFile) copy = g_file_new_for_path ("copy");
  g_autoptr(GError) error = NULL;
  struct statvfs fs;

  g_assert_cmpint (statvfs (".", &fs), ==, 0);
  if (geteuid () != 0 || (fs.f_flag & ST_NOSUID))
    {
      g_test_skip ("needs root, and a file system with set-user-ID programs");
      return;
    }

  g_assert_true (g_file_copy (program, copy, G_FILE_COPY_NONE, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (chown ("copy", NOBODY, NOBODY), ==, 0);
  g_assert_cmpint (mkdir ("open", 0777), ==, 0);
  g_assert_cmpint (chmod ("open", 0777), ==, 0);
  g_assert_true (g_setenv ("TF_DEBUG", "keep", TRUE));
  g_assert_cmpuint (count_kept (0755), ==, 1);
  g_assert_cmpuint (count_kept (04755), ==, 0);
  g_unsetenv ("TF_DEBUG");
  g_assert_cmpint (unlink ("copy"), ==, 0);
  g_assert_cmpint (rmdir ("open"), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  if (argc == 3 && strcmp (argv[1], CREATE) == 0)
    return create_in (argv[2]);

  tf_test_init (&argc, &argv);
  g_test_add_func ("/set-user-id/debug", test_debug);
  return tf_test_run ();
}
