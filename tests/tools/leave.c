/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* leave KIND [DIR]: creates a temporary file or directory, prints its path, waits for the end of the standard input, and
 * is killed then. KIND is “file”, “dir”, “kept”, “handed-over”, “over” or “dir-over”; what is over was handed over for no
 * time. */

static char *
create_dir (const char *kind,
            const char *dir)
{
  TfTempDir *left = tf_temp_dir_new ("left-", NULL, dir, NULL, NULL);

  g_assert_nonnull (left);
  if (g_str_equal (kind, "dir-over"))
    tf_temp_dir_hand_over (left, 0);
  return g_strdup (tf_temp_dir_get_path (left));
}

static char *
create (const char *kind,
        const char *dir)
{
  TfNamedFile *file;

  if (g_str_has_prefix (kind, "dir"))
    return create_dir (kind, dir);

  file = tf_named_file_new ("left-", ".txt", dir, NULL, NULL);
  g_assert_nonnull (file);
  if (g_str_equal (kind, "kept"))
    return tf_named_file_keep (file);

  if (g_str_equal (kind, "handed-over"))
    tf_named_file_hand_over (file, 3600);
  if (g_str_equal (kind, "over"))
    tf_named_file_hand_over (file, 0);
  return g_strdup (tf_named_file_get_path (file));
}

int
main (int    argc,
      char **argv)
{
  g_autofree char *path = create (argv[1], argc > 2 ? argv[2] : NULL);
  char byte;

  fwrite (path, 1, strlen (path) + 1, stdout);
  fflush (stdout);
  while (read (STDIN_FILENO, &byte, 1) > 0)
    ;
  raise (SIGKILL);
  return EXIT_FAILURE;
}
