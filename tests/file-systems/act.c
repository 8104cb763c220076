/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a process does in a directory, for tests that mount it: act live|die|work|sweep|race|replace|back-up|own DIR */

#define TEXT "text"

static TfNamedFile *
make_file (const char     *dir,
           TfDeletePolicy  policy)
{
  g_autoptr(GError) error = NULL;
  TfNamedFile *file = tf_named_file_new_full (NULL, NULL, dir, 0600, policy, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), TEXT, strlen (TEXT), NULL, &error));
  g_assert_no_error (error);
  return file;
}

static TfTempDir *
make_dir (const char *dir)
{
  g_autoptr(GError) error = NULL;
  TfTempDir *made = tf_temp_dir_new (NULL, NULL, dir, NULL, &error);
  g_autofree char *child = NULL;

  g_assert_no_error (error);
  child = g_build_filename (tf_temp_dir_get_path (made), "child", NULL);
  g_assert_cmpint (mkdir (child, 0700), ==, 0);
  return made;
}

static void
close_file (TfNamedFile *file)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
}

/* Nothing of it is let go of. */
static void
make_all (const char *dir)
{
  TfNamedFile *open_file = make_file (dir, TF_DELETE_ON_CLOSE);
  TfNamedFile *closed_file = make_file (dir, TF_DELETE_ON_DISPOSE);
  TfTempDir *made = make_dir (dir);

  close_file (closed_file);
  tf_named_file_hold_until_exit (open_file);
  tf_named_file_hold_until_exit (closed_file);
  tf_temp_dir_hold_until_exit (made);
}

static void
live (const char *dir)
{
  make_all (dir);
  puts ("ready");
  fflush (stdout);
  while (getchar () != EOF)
    ;
}

static void
die (const char *dir)
{
  make_all (dir);
  raise (SIGKILL);
}

static void
assert_removed (const char *path)
{
  struct stat st;

  g_assert_cmpint (lstat (path, &st), !=, 0);
}

static void
close_and_clean_up (const char *dir)
{
  g_autoptr(TfNamedFile) file = make_file (dir, TF_DELETE_ON_CLOSE);
  g_autoptr(TfTempDir) made = make_dir (dir);
  g_autofree char *path = g_strdup (tf_temp_dir_get_path (made));
  g_autoptr(GError) error = NULL;

  close_file (file);
  assert_removed (tf_named_file_get_path (file));
  g_assert_true (tf_temp_dir_cleanup (made, NULL, &error));
  g_assert_no_error (error);
  assert_removed (path);
}

static void
persist (const char     *dir,
         TfPersistFlags  flags)
{
  g_autofree char *path = g_build_filename (dir, "document", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(TfNamedFile) file = make_file (dir, TF_DELETE_ON_CLOSE);
  g_autofree char *former_path = g_strdup (tf_named_file_get_path (file));
  g_autofree char *content = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), destination, flags, NULL, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  assert_removed (former_path);
  g_assert_true (g_file_get_contents (path, &content, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (content, ==, TEXT);
}

static void
keep (const char *dir)
{
  g_autoptr(TfNamedFile) file = make_file (dir, TF_DELETE_ON_CLOSE);
  g_autofree char *path = tf_named_file_keep (file);

  close_file (file);
  g_assert_cmpint (unlink (path), ==, 0);
}

static void
work (const char *dir)
{
  g_autofree char *document = g_build_filename (dir, "document", NULL);

  close_and_clean_up (dir);
  persist (dir, TF_PERSIST_NONE);
  persist (dir, TF_PERSIST_REPLACE);
  keep (dir);
  g_assert_cmpint (unlink (document), ==, 0);
}

static void
sweep (const char *dir)
{
  const char *const dirs[] = { dir, NULL };

  for (guint i = 0; i < G_N_ELEMENTS (dirs); i++)
    {
      g_autoptr(GError) error = NULL;
      guint n_removed;

      g_assert_true (tf_sweep (NULL, dirs[i], 0, &n_removed, NULL, &error));
      g_assert_no_error (error);
      printf ("%u\n", n_removed);
    }
}

/* Persists its process ID under each name that it reads, and writes whether it was the first to do so. */
static void
race (const char *dir)
{
  g_autofree char *text = g_strdup_printf ("%d", (int) getpid ());
  char name[64];

  while (scanf ("%63s", name) == 1)
    {
      g_autoptr(GError) error = NULL;
      g_autofree char *path = g_build_filename (dir, name, NULL);
      g_autoptr(GFile) destination = g_file_new_for_path (path);
      g_autoptr(TfTempFile) file = tf_temp_file_new (dir, NULL, &error);

      g_assert_no_error (error);
      g_assert_true (tf_temp_file_write (file, text, strlen (text), NULL, &error));
      g_assert_no_error (error);
      if (tf_temp_file_persist (file, destination, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error))
        puts (text);
      else
        puts (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_EXISTS) ? "exists" : error->message);
      fflush (stdout);
    }
}

/* Replaces the document that it reads, which another process does, too. */
static void
replace (const char     *dir,
         TfPersistFlags  flags)
{
  char name[64];

  while (scanf ("%63s", name) == 1)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);
      g_autoptr(GFile) destination = g_file_new_for_path (path);
      g_autoptr(TfTempFile) file = tf_temp_file_new (dir, NULL, NULL);
      g_autoptr(GError) error = NULL;

      g_assert_true (tf_temp_file_write (file, TEXT, strlen (TEXT), NULL, NULL));
      tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | flags, NULL, NULL, NULL, NULL, &error);
      puts (error == NULL ? "done" : error->message);
      fflush (stdout);
    }
}

static void
replace_only (const char *dir)
{
  replace (dir, TF_PERSIST_NONE);
}

static void
back_up (const char *dir)
{
  replace (dir, TF_PERSIST_BACKUP);
}

/* Persists a file in each directory that it reads, under its own name, and writes whether that is the same directory. */
static void
own (const char *dir)
{
  char other[1024];

  while (scanf ("%1023s", other) == 1)
    {
      g_autoptr(TfNamedFile) file = make_file (dir, TF_DELETE_ON_CLOSE);
      g_autofree char *own_path = g_strdup (tf_named_file_get_path (file));
      g_autofree char *name = g_path_get_basename (own_path);
      g_autofree char *path = g_build_filename (other, name, NULL);
      g_autoptr(GFile) destination = g_file_new_for_path (path);
      g_autofree char *content = NULL;
      g_autoptr(GError) error = NULL;

      tf_temp_file_persist (TF_TEMP_FILE (file), destination, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, &error);
      g_assert_no_error (error);
      close_file (file);
      puts (g_file_test (own_path, G_FILE_TEST_EXISTS) ? "same" : "other");
      fflush (stdout);
      g_assert_true (g_file_get_contents (path, &content, NULL, &error));
      g_assert_cmpstr (content, ==, TEXT);
      g_assert_cmpint (unlink (path), ==, 0);
    }
}

typedef struct
{
  const char *name;
  void (*func) (const char *dir);
} Act;

static const Act acts[] = {
  { "live", live },
  { "die", die },
  { "work", work },
  { "sweep", sweep },
  { "race", race },
  { "replace", replace_only },
  { "back-up", back_up },
  { "own", own },
};

int
main (int    argc,
      char **argv)
{
  for (guint i = 0; argc == 3 && i < G_N_ELEMENTS (acts); i++)
    if (strcmp (argv[1], acts[i].name) == 0)
      {
        acts[i].func (argv[2]);
        return EXIT_SUCCESS;
      }

  return EXIT_FAILURE;
}
