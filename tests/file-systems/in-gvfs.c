/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a process does with a directory that GVfs gives access to: in-gvfs URI FOLDER with-path|without-path
 *
 * FOLDER is what the server has behind the URI. With a path, GVfs has mounted its file system of FUSE, and persisting
 * goes by that. Without one, it is refused. */

#define TEXT "text"

static void
on_mounted (GObject      *source,
            GAsyncResult *result,
            gpointer      loop)
{
  g_autoptr(GError) error = NULL;

  g_file_mount_enclosing_volume_finish (G_FILE (source), result, &error);
  g_assert_no_error (error);
  g_main_loop_quit (loop);
}

static void
mount (GFile *dir)
{
  g_autoptr(GMainLoop) loop = g_main_loop_new (NULL, FALSE);

  g_file_mount_enclosing_volume (dir, G_MOUNT_MOUNT_NONE, NULL, NULL, on_mounted, loop);
  g_main_loop_run (loop);
}

static TfTempFile *
make (guint       kind,
      const char *text)
{
  g_autoptr(GError) error = NULL;
  TfTempFile *file;

  if (kind == 0)
    file = tf_temp_file_new (NULL, NULL, &error);
  else if (kind == 1)
    file = TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, &error));
  else
    file = TF_TEMP_FILE (tf_spooled_file_new (-1));

  g_assert_no_error (error);
  g_assert_true (tf_temp_file_write (file, text, strlen (text), NULL, &error));
  g_assert_no_error (error);
  return file;
}

static gboolean
persist (TfTempFile      *file,
         GFile           *destination,
         TfPersistFlags   flags,
         GError         **error)
{
  return tf_temp_file_persist (file, destination, flags, NULL, NULL, NULL, NULL, error);
}

static void
on_refused (GObject      *source,
            GAsyncResult *result,
            gpointer      loop)
{
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_temp_file_persist_finish (TF_TEMP_FILE (source), result, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_main_loop_quit (loop);
}

static void
check_refused (GFile      *destination,
               const char *behind)
{
  g_autoptr(GMainLoop) loop = g_main_loop_new (NULL, FALSE);

  for (guint kind = 0; kind < 3; kind++)
    {
      g_autoptr(TfTempFile) file = make (kind, TEXT);
      g_autoptr(GError) error = NULL;

      g_assert_false (persist (file, destination, TF_PERSIST_REPLACE, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
      tf_temp_file_persist_async (file, destination, TF_PERSIST_NONE, 0, NULL, NULL, NULL, NULL, on_refused, loop);
      g_main_loop_run (loop);
    }

  g_assert_false (g_file_test (behind, G_FILE_TEST_EXISTS));
}

static void
assert_content (const char *path,
                const char *expected)
{
  g_autofree char *content = NULL;
  g_autoptr(GError) error = NULL;

  g_file_get_contents (path, &content, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (content, ==, expected);
}

static void
check_persisted (GFile      *destination,
                 const char *behind)
{
  for (guint kind = 0; kind < 3; kind++)
    {
      g_autofree char *text = g_strdup_printf (TEXT " %u", kind);
      g_autoptr(TfTempFile) file = make (kind, text);
      g_autoptr(TfTempFile) other = make (kind, "other");
      g_autoptr(GError) error = NULL;

      persist (file, destination, TF_PERSIST_NONE, &error);
      g_assert_no_error (error);
      g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
      g_assert_no_error (error);
      assert_content (behind, text);

      g_assert_false (persist (other, destination, TF_PERSIST_NONE, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
      g_clear_error (&error);
      assert_content (behind, text);

      persist (other, destination, TF_PERSIST_REPLACE, &error);
      g_assert_no_error (error);
      g_assert_true (g_io_stream_close (G_IO_STREAM (other), NULL, &error));
      g_assert_no_error (error);
      assert_content (behind, "other");
      /* By its path: the kernel does not know what was removed otherwise. */
      g_assert_cmpint (unlink (g_file_peek_path (destination)), ==, 0);
    }
}

/* Nothing tells when the file system of FUSE knows of the server. */
static void
wait_for (const char *path)
{
  for (guint i = 0; i < 200 && !g_file_test (path, G_FILE_TEST_IS_DIR); i++)
    g_usleep (50 * G_TIME_SPAN_MILLISECOND);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr(GFile) dir = NULL;
  g_autoptr(GFile) destination = NULL;
  g_autofree char *behind = NULL;
  g_autofree char *path = NULL;

  if (argc != 4)
    return EXIT_FAILURE;

  dir = g_file_new_for_uri (argv[1]);
  destination = g_file_get_child (dir, "document");
  behind = g_build_filename (argv[2], "document", NULL);
  mount (dir);
  path = g_file_get_path (dir);
  if (g_str_equal (argv[3], "with-path"))
    {
      g_assert_nonnull (path);
      wait_for (path);
      check_persisted (destination, behind);
    }
  else
    {
      g_assert_null (path);
      check_refused (destination, behind);
    }

  return EXIT_SUCCESS;
}
