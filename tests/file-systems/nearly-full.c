/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tf-test.h"
#include "tf-test-files.h"

/* On a small disk, see nearly-full.py, which is filled up but for some room. What is too large for that is refused; of
 * what is small, each call has its way or is refused. What was accepted can be read, documents are old or new, and when
 * there is room again all goes on. */

#define LARGE (2 * 1024 * 1024)
#define ROOM (256 * 1024)

/* Of a file that was removed, what may still be taken when the disk is filled up again */
#define SLACK (512 * 1024)

#define OLD "old"
#define NEW "new"

static const TfPersistFlags ways_to_replace[] = {
  TF_PERSIST_REPLACE,
  TF_PERSIST_REPLACE | TF_PERSIST_DURABLE,
  TF_PERSIST_REPLACE | TF_PERSIST_BACKUP,
  TF_PERSIST_REPLACE | TF_PERSIST_PRIVATE,
};

static char *large;

/* What a call fails with that needs room: over SFTP, which does not know of it, another one. */
static int no_space;

/* Whether a write is accepted and refused later */
static gboolean is_late;

/* A server may close a file after the client has, or look only now and then how much room there is. */
static void
wait_until (gboolean (*func) (void))
{
  for (int i = 0; i < 1000 && !func (); i++)
    g_usleep (10 * 1000);
}

/* Of what was removed, little is still taken. */
static gboolean
is_empty (void)
{
  static goffset room_at_start = 0;
  struct statvfs st;
  goffset room;

  g_assert_cmpint (statvfs (".", &st), ==, 0);
  room = (goffset) st.f_bavail * st.f_frsize;
  if (room_at_start == 0)
    room_at_start = room;

  return room >= room_at_start - SLACK;
}

static gboolean
has_room (void)
{
  gboolean success = g_file_set_contents_full ("probe", large, LARGE, G_FILE_SET_CONTENTS_DURABLE, 0600, NULL);

  unlink ("probe");
  return success;
}

/* Some file systems refuse late: each block is brought to the disk. Returns how large the file is then. */
static goffset
append_blocks (goffset size,
               gsize   block_size)
{
  g_autofree char *block = g_strnfill (block_size, 'b');
  int fd = open ("ballast", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  for (;;)
    {
      gboolean is_written = fallocate (fd, 0, size, block_size) == 0 ||
                            pwrite (fd, block, block_size, size) == (gssize) block_size;

      if (!is_written || fsync (fd) != 0)
        {
          is_late = is_written;
          no_space = g_io_error_from_errno (errno);
          close (fd);
          return size;
        }

      size += block_size;
    }
}

static void
fill_up (gsize room)
{
  goffset size = 0;

  wait_until (is_empty);
  for (gsize block_size = 16 * 1024 * 1024; block_size >= 4096; block_size /= 8)
    size = append_blocks (size, block_size);

  g_assert_cmpint (size, >, room);
  g_assert_cmpint (truncate ("ballast", size - room), ==, 0);
  sync ();
}

static void
make_room (void)
{
  g_assert_cmpint (unlink ("ballast"), ==, 0);
  sync ();
  wait_until (has_room);
}

static void
assert_no_space (GError **error)
{
  g_assert_error (*error, G_IO_ERROR, no_space);
  g_clear_error (error);
}

/* A call that may be refused. Returns whether it was not. */
static gboolean
succeeds (gboolean  success,
          GError  **error)
{
  if (success)
    g_assert_no_error (*error);
  else
    assert_no_space (error);
  return success;
}

/* By a reader, which writes nothing that the file holds back. */
static void
assert_content (TfTempFile *file,
                gsize       size)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (file, &error);
  g_autoptr(GBytes) bytes = NULL;

  g_assert_no_error (error);
  bytes = g_input_stream_read_bytes (reader, LARGE + 1, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), large, size);
}

static TfTempFile *
make_in_memory (const char *content)
{
  TfTempFile *file = TF_TEMP_FILE (tf_spooled_file_new_full (2 * LARGE, NULL, NULL, tf_test_get_sandbox ()));
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_write (file, content, strlen (content), NULL, &error));
  g_assert_no_error (error);
  return file;
}

static void
test_rollover (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_in_memory (large);
  g_autoptr(GError) error = NULL;

  fill_up (GPOINTER_TO_SIZE (data));
  for (int i = 0; i < 2; i++)
    {
      g_assert_false (tf_spooled_file_rollover (TF_SPOOLED_FILE (file), NULL, &error));
      assert_no_space (&error);
      g_assert_false (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));
      assert_content (file, LARGE);
    }

  make_room ();
  g_assert_true (tf_spooled_file_rollover (TF_SPOOLED_FILE (file), NULL, &error));
  g_assert_no_error (error);
  assert_content (file, LARGE);
}

/* Returns how much was written until that was refused. */
static gsize
write_until_refused (TfTempFile *file)
{
  g_autoptr(GError) error = NULL;
  gsize n_written = 0;

  while (n_written < LARGE &&
         tf_temp_file_write (file, large + n_written, 4096, NULL, &error) &&
         tf_temp_file_flush (file, NULL, &error))
    n_written += 4096;

  if (n_written < LARGE)
    assert_no_space (&error);
  return n_written;
}

/* What was flushed is there; of the piece that was refused, some may be there as well, or all, to be flushed later. */
static void
assert_goes_on (TfTempFile *file,
                gsize       n_written)
{
  g_autoptr(GError) error = NULL;
  goffset size = tf_temp_file_get_size (file);

  g_assert_cmpuint (n_written, <, LARGE);
  g_assert_cmpint (size, >=, n_written);
  g_assert_cmpint (size, <=, n_written + 4096);
  assert_content (file, size);

  make_room ();
  g_assert_true (tf_temp_file_write (file, large + size, LARGE - size, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (tf_temp_file_flush (file, NULL, &error));
  g_assert_no_error (error);
  assert_content (file, LARGE);
}

static void
test_write (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (".", NULL, NULL);
  g_autoptr(GError) error = NULL;
  gsize n_written;

  g_assert_nonnull (file);
  fill_up (GPOINTER_TO_SIZE (data));
  n_written = write_until_refused (file);
  if (!is_late)
    {
      assert_goes_on (file, n_written);
      return;
    }

  g_assert_false (g_io_stream_close (G_IO_STREAM (file), NULL, &error) && n_written == LARGE);
  make_room ();
}

/* Closed without an error, it is whole. */
static void
test_close (gconstpointer data)
{
  const gsize sizes[] = { 100, LARGE };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(TfNamedFile) file = tf_named_file_new_full (NULL, NULL, ".", 0600, TF_DELETE_NEVER, NULL, &error);
      g_autofree char *path = NULL;
      g_autofree char *content = NULL;
      gboolean success;

      g_assert_no_error (error);
      path = g_strdup (tf_named_file_get_path (file));
      fill_up (GPOINTER_TO_SIZE (data));
      success = succeeds (tf_temp_file_write (TF_TEMP_FILE (file), large, sizes[i], NULL, &error), &error);
      success = succeeds (g_io_stream_close (G_IO_STREAM (file), NULL, &error), &error) && success;
      g_assert_false (success && sizes[i] > ROOM);
      if (success)
        {
          gsize size;

          g_assert_true (g_file_get_contents (path, &content, &size, NULL));
          g_assert_cmpmem (content, size, large, sizes[i]);
        }

      g_clear_object (&file);
      g_assert_cmpint (unlink (path), ==, 0);
      make_room ();
    }
}

/* Of a document, its backup, and the ballast. */
static void
assert_document (const char *content,
                 guint       n_entries)
{
  g_autofree char *found = NULL;

  g_assert_true (g_file_get_contents ("document", &found, NULL, NULL));
  g_assert_cmpstr (found, ==, content);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, n_entries);
}

static gboolean
persist (TfTempFile     *file,
         TfPersistFlags  flags,
         GError        **error)
{
  g_autofree char *path = tf_test_path ("document");
  g_autoptr(GFile) destination = g_file_new_for_path (path);

  return tf_temp_file_persist (file, destination, flags, NULL, NULL, NULL, NULL, error);
}

static void
replace (gsize          room,
         TfPersistFlags flags)
{
  g_autoptr(TfTempFile) refused = make_in_memory (large);
  g_autoptr(TfTempFile) small = make_in_memory (NEW);
  g_autoptr(GError) error = NULL;
  gboolean success;

  g_assert_true (g_file_set_contents ("document", OLD, -1, NULL));
  fill_up (room);
  g_assert_false (persist (refused, flags, &error));
  assert_no_space (&error);
  assert_document (OLD, 2);
  assert_content (refused, LARGE);

  success = succeeds (persist (small, flags, &error), &error);
  assert_document (success ? NEW : OLD, success && (flags & TF_PERSIST_BACKUP) != 0 ? 3 : 2);

  make_room ();
  g_assert_true (persist (refused, flags, &error));
  g_assert_no_error (error);
  assert_document (large, (flags & TF_PERSIST_BACKUP) != 0 ? 2 : 1);
  unlink ("document~");
  g_assert_cmpint (unlink ("document"), ==, 0);
}

static void
test_replace (gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ways_to_replace); i++)
    replace (GPOINTER_TO_SIZE (data), ways_to_replace[i]);
}

static void
test_unique (gconstpointer data)
{
  g_autoptr(TfTempFile) file = make_in_memory (large);
  g_autoptr(GError) error = NULL;

  g_assert_true (g_file_set_contents ("document", OLD, -1, NULL));
  fill_up (GPOINTER_TO_SIZE (data));
  g_assert_false (persist (file, TF_PERSIST_UNIQUE, &error));
  assert_no_space (&error);
  assert_document (OLD, 2);

  make_room ();
  g_assert_true (persist (file, TF_PERSIST_UNIQUE, &error));
  g_assert_no_error (error);
  assert_document (OLD, 2);
  g_assert_cmpint (unlink ("document (1)"), ==, 0);
  g_assert_cmpint (unlink ("document"), ==, 0);
}

/* Nothing is left of what could be created, nor of what could not. */
static void
test_dir (gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, ".", NULL, &error);
  g_autoptr(TfTempDir) more = NULL;

  g_assert_no_error (error);
  fill_up (GPOINTER_TO_SIZE (data));
  more = tf_temp_dir_new (NULL, NULL, ".", NULL, &error);
  succeeds (more != NULL, &error);
  for (int i = 0; i < 20; i++)
    {
      g_autoptr(TfNamedFile) file = tf_temp_dir_create_file (dir, NULL, NULL, NULL, &error);

      if (!succeeds (file != NULL, &error))
        continue;

      tf_named_file_set_delete_policy (file, TF_DELETE_NEVER);
      succeeds (tf_temp_file_write (TF_TEMP_FILE (file), large, 8192, NULL, &error), &error);
      succeeds (g_io_stream_close (G_IO_STREAM (file), NULL, &error), &error);
    }

  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);
  g_clear_object (&more);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 1);
  make_room ();
}

static void
leave_all (void)
{
  g_autoptr(GError) error = NULL;

  for (int i = 0; i < 10; i++)
    {
      TfTempDir *dir = tf_temp_dir_new (NULL, NULL, ".", NULL, &error);
      TfNamedFile *file;

      succeeds (dir != NULL, &error);
      file = tf_named_file_new (NULL, NULL, ".", NULL, &error);
      if (succeeds (file != NULL, &error))
        succeeds (tf_temp_file_write (TF_TEMP_FILE (file), large, 100 * 1024, NULL, &error), &error);
    }
}

static void
test_sweep (gconstpointer data)
{
  fill_up (GPOINTER_TO_SIZE (data));
  tf_test_run_and_kill (leave_all);
  tf_test_sweep (0);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 1);
  make_room ();
}

static void
add (const char      *name,
     GTestDataFunc    func)
{
  const struct { const char *name; gsize room; } states[] = { { "full", 0 }, { "nearly-full", ROOM } };

  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    {
      g_autofree char *path = g_strdup_printf ("/%s/%s", states[i].name, name);

      g_test_add_data_func (path, GSIZE_TO_POINTER (states[i].room), func);
    }
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);
  large = g_strnfill (LARGE, 'x');

  add ("rollover", test_rollover);
  add ("write", test_write);
  add ("close", test_close);
  add ("replace", test_replace);
  add ("unique", test_unique);
  add ("dir", test_dir);
  add ("sweep", test_sweep);

  return tf_test_run ();
}
