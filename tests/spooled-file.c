/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-test-files.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "tf-test.h"

static void
count (TfSpooledFile *file,
       guint         *n)
{
  *n += 1;
}

static TfSpooledFile *
make (gint64  max_size,
      guint  *n_signals)
{
  TfSpooledFile *file = tf_spooled_file_new (max_size);

  *n_signals = 0;
  g_signal_connect (file, "rolled-over", G_CALLBACK (count), n_signals);
  return file;
}

/* The ways in which a file can grow to a size, from the position at its end. */

static gboolean
grow_by_write (TfTempFile  *file,
               gsize        size,
               GError     **error)
{
  goffset n = size - tf_temp_file_get_size (file);
  g_autofree char *text = g_strnfill (n, 'x');

  return tf_temp_file_write (file, text, n, NULL, error);
}

static gboolean
grow_by_stream (TfTempFile  *file,
                gsize        size,
                GError     **error)
{
  goffset n = size - tf_temp_file_get_size (file);
  g_autofree char *text = g_strnfill (n, 'x');

  return g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (file)), text, n, NULL, NULL, error);
}

static gboolean
grow_by_truncate (TfTempFile  *file,
                  gsize        size,
                  GError     **error)
{
  return g_seekable_truncate (G_SEEKABLE (file), size, NULL, error);
}

static gboolean
grow_by_stream_truncate (TfTempFile  *file,
                         gsize        size,
                         GError     **error)
{
  return g_seekable_truncate (G_SEEKABLE (g_io_stream_get_output_stream (G_IO_STREAM (file))), size, NULL, error);
}

static gboolean
grow_by_seek_and_write (TfTempFile  *file,
                        gsize        size,
                        GError     **error)
{
  goffset position = g_seekable_tell (G_SEEKABLE (file));

  if (size == 0)
    return TRUE;

  tf_test_seek (file, size - 1, G_SEEK_SET);
  if (tf_temp_file_write (file, "x", 1, NULL, error))
    return TRUE;

  tf_test_seek (file, position, G_SEEK_SET);
  return FALSE;
}

static gboolean
grow_by_splice (TfTempFile  *file,
                gsize        size,
                GError     **error)
{
  goffset n = size - tf_temp_file_get_size (file);
  g_autofree char *text = g_strnfill (n, 'x');
  g_autoptr(GInputStream) source = g_memory_input_stream_new_from_data (text, n, NULL);

  return g_output_stream_splice (g_io_stream_get_output_stream (G_IO_STREAM (file)), source,
                                 G_OUTPUT_STREAM_SPLICE_NONE, NULL, error) == n;
}

typedef struct
{
  const char *name;
  gboolean (*grow) (TfTempFile  *file,
                    gsize        size,
                    GError     **error);
} Way;

static const Way ways[] = {
  { "write", grow_by_write },
  { "stream", grow_by_stream },
  { "truncate", grow_by_truncate },
  { "stream-truncate", grow_by_stream_truncate },
  { "seek-and-write", grow_by_seek_and_write },
  { "splice", grow_by_splice },
};

static void
assert_grows (const Way *way,
              gint64     max_size,
              gsize      size,
              gboolean   rolls_over)
{
  guint n_signals;
  g_autoptr(TfSpooledFile) file = make (max_size, &n_signals);
  g_autoptr(GError) error = NULL;

  g_assert_true (way->grow (TF_TEMP_FILE (file), size, &error));
  g_assert_no_error (error);
  g_assert_true (tf_spooled_file_is_rolled_over (file) == rolls_over);
  g_assert_cmpuint (n_signals, ==, rolls_over);
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (file)), ==, size);
}

static void
test_max_size (gconstpointer data)
{
  const Way *way = data;

  assert_grows (way, 0, 0, FALSE);
  assert_grows (way, 0, 1, TRUE);
  assert_grows (way, 1, 1, FALSE);
  assert_grows (way, 1, 2, TRUE);
  assert_grows (way, 1000, 999, FALSE);
  assert_grows (way, 1000, 1000, FALSE);
  assert_grows (way, 1000, 1001, TRUE);
  assert_grows (way, -1, 3000000, FALSE);
}

static void
test_one_byte_more (gconstpointer data)
{
  const Way *way = data;
  guint n_signals;
  g_autoptr(TfSpooledFile) file = make (1000, &n_signals);
  g_autoptr(GError) error = NULL;

  g_assert_true (way->grow (TF_TEMP_FILE (file), 1000, &error));
  g_assert_cmpuint (n_signals, ==, 0);
  tf_test_seek (TF_TEMP_FILE (file), 0, G_SEEK_END);
  g_assert_true (way->grow (TF_TEMP_FILE (file), 1001, &error));
  g_assert_cmpuint (n_signals, ==, 1);
  tf_test_seek (TF_TEMP_FILE (file), 0, G_SEEK_END);
  g_assert_true (way->grow (TF_TEMP_FILE (file), 5000, &error));
  g_assert_true (tf_spooled_file_rollover (file, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_signals, ==, 1);
}

/* Bytes written over others make no file larger. */
static void
test_overwriting (void)
{
  guint n_signals;
  g_autoptr(TfSpooledFile) file = make (10, &n_signals);

  for (int i = 0; i < 10; i++)
    {
      tf_test_seek (TF_TEMP_FILE (file), 0, G_SEEK_SET);
      tf_test_write (TF_TEMP_FILE (file), "0123456789");
    }
  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 5, NULL, NULL));
  tf_test_seek (TF_TEMP_FILE (file), 0, G_SEEK_END);
  tf_test_write (TF_TEMP_FILE (file), "56789");
  tf_test_seek (TF_TEMP_FILE (file), G_MAXINT64, G_SEEK_SET);
  g_assert_false (tf_spooled_file_is_rolled_over (file));
  g_assert_cmpuint (n_signals, ==, 0);
}

typedef struct
{
  TfTempFile *file;
  const char *content;
  goffset position;
  guint n;
} Expected;

static void
look (TfSpooledFile *file,
      Expected      *expected)
{
  expected->n++;
  g_assert_true (TF_TEMP_FILE (file) == expected->file);
  g_assert_true (tf_spooled_file_is_rolled_over (file));
  tf_test_assert_file (TF_TEMP_FILE (file), expected->position, expected->content, strlen (expected->content));
}

/* The handler finds the file on disk, whole, with what was just written, and may use it. */
static void
test_handler_uses_file (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (5);
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  Expected expected = { TF_TEMP_FILE (file), "0123456789", 10, 0 };
  g_autoptr(GError) error = NULL;

  g_signal_connect (file, "rolled-over", G_CALLBACK (look), &expected);
  tf_test_write (TF_TEMP_FILE (file), "01234");
  g_assert_true (g_output_stream_write_all (output, "56789", 5, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (expected.n, ==, 1);
  g_assert_true (g_io_stream_get_output_stream (G_IO_STREAM (file)) == output);
}

static void
write_more (TfSpooledFile *file,
            guint         *n)
{
  *n += 1;
  tf_test_write (TF_TEMP_FILE (file), "more");
}

static void
test_handler_writes (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (5);
  guint n = 0;

  g_signal_connect (file, "rolled-over", G_CALLBACK (write_more), &n);
  tf_test_write (TF_TEMP_FILE (file), "0123456789");
  g_assert_cmpuint (n, ==, 1);
  tf_test_assert_file (TF_TEMP_FILE (file), 14, "0123456789more", 14);
}

static void
close_file (TfSpooledFile  *file,
            GError        **error)
{
  g_io_stream_close (G_IO_STREAM (file), NULL, error);
}

static void
test_handler_closes (gconstpointer data)
{
  const Way *way = data;
  guint n_fds = tf_test_count_fds ();
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (5);
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) close_error = NULL;

  g_signal_connect (file, "rolled-over", G_CALLBACK (close_file), &close_error);
  g_assert_true (way->grow (TF_TEMP_FILE (file), 10, &error) || way->grow == grow_by_splice);
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (file)));
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
  g_assert_no_error (close_error);
}

static void
drop_file (TfSpooledFile  *file,
           TfSpooledFile **reference)
{
  g_clear_object (reference);
}

static void
test_handler_drops (gconstpointer data)
{
  const Way *way = data;
  guint n_fds = tf_test_count_fds ();
  TfSpooledFile *file = tf_spooled_file_new (5);
  gpointer weak = file;
  /* Who writes to a stream holds it. */
  GOutputStream *output = g_object_ref (g_io_stream_get_output_stream (G_IO_STREAM (file)));
  TfSpooledFile *reference = file;

  g_object_add_weak_pointer (G_OBJECT (file), &weak);
  g_signal_connect (file, "rolled-over", G_CALLBACK (drop_file), &reference);
  way->grow (TF_TEMP_FILE (file), 10, NULL);
  g_assert_null (reference);
  g_assert_null (weak);
  g_object_unref (output);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
}

static void
disconnect_and_count (TfSpooledFile *file,
                      guint         *n)
{
  *n += 1;
  g_signal_handlers_disconnect_by_func (file, disconnect_and_count, n);
}

static void
test_handler_disconnects (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (0);
  guint n = 0;

  g_signal_connect (file, "rolled-over", G_CALLBACK (disconnect_and_count), &n);
  tf_test_write (TF_TEMP_FILE (file), "x");
  g_assert_cmpuint (n, ==, 1);
}

static void
test_explicit (void)
{
  guint n_signals;
  g_autoptr(TfSpooledFile) file = make (-1, &n_signals);
  g_autoptr(TfSpooledFile) empty = NULL;
  g_autoptr(GError) error = NULL;

  tf_test_write (TF_TEMP_FILE (file), "Hello");
  tf_test_seek (TF_TEMP_FILE (file), 2, G_SEEK_SET);
  g_assert_true (tf_spooled_file_rollover (file, NULL, &error));
  g_assert_true (tf_spooled_file_rollover (file, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_signals, ==, 1);
  tf_test_assert_file (TF_TEMP_FILE (file), 2, "Hello", 5);

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_true (tf_spooled_file_is_rolled_over (file));
  g_assert_false (tf_spooled_file_rollover (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);

  empty = make (-1, &n_signals);
  g_assert_true (tf_spooled_file_rollover (empty, NULL, NULL));
  g_assert_cmpuint (n_signals, ==, 1);
  tf_test_assert_file (TF_TEMP_FILE (empty), 0, "", 0);
}

static void
test_get_fd_rolls_over (void)
{
  guint n_signals;
  g_autoptr(TfSpooledFile) file = make (-1, &n_signals);
  g_autoptr(GError) error = NULL;

  tf_test_write (TF_TEMP_FILE (file), "Hello");
  g_assert_cmpint (tf_temp_file_get_fd (TF_TEMP_FILE (file), NULL, &error), >=, 0);
  g_assert_no_error (error);
  g_assert_true (tf_spooled_file_is_rolled_over (file));
  g_assert_cmpuint (n_signals, ==, 1);
}

static void
close_in_handler (TfSpooledFile *file)
{
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
}

/* A descriptor that a handler has closed is not returned: its number may be that of another file. */
static void
test_get_fd_of_closed (void)
{
  int (*calls[]) (TfTempFile *, GCancellable *, GError **) = { tf_temp_file_get_fd, tf_temp_file_dup_fd };

  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
      g_autoptr(GError) error = NULL;

      tf_test_write (TF_TEMP_FILE (file), "Hello");
      g_signal_connect (file, "rolled-over", G_CALLBACK (close_in_handler), NULL);
      g_assert_cmpint (calls[i] (TF_TEMP_FILE (file), NULL, &error), ==, -1);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
    }
}

static void
test_nothing_before_rollover (void)
{
  guint n_fds = tf_test_count_fds ();
  g_autofree char *missing = tf_test_path ("missing");
  g_autoptr(TfSpooledFile) file = g_object_new (TF_TYPE_SPOOLED_FILE, "dir", missing, "max-size", (gint64) 5, NULL);
  g_autoptr(GError) error = NULL;

  tf_test_write (TF_TEMP_FILE (file), "Hello");
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
  g_assert_false (tf_temp_file_write (TF_TEMP_FILE (file), "!", 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, missing));
  tf_test_assert_file (TF_TEMP_FILE (file), 5, "Hello", 5);

  /* And then there is one. */
  g_assert_cmpint (g_mkdir (missing, 0700), ==, 0);
  tf_test_write (TF_TEMP_FILE (file), "!");
  g_assert_cmpuint (tf_test_count_entries (missing), ==, 0);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds + 1);
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_cmpint (g_rmdir (missing), ==, 0);
}

/* Refuses as @hinder says; then, after @relieve, the same call succeeds. */
static void
check_refusal (const Way    *way,
               void        (*hinder) (void),
               void        (*relieve) (void),
               GIOErrorEnum   code)
{
  guint n_signals;
  g_autoptr(TfSpooledFile) file = make (10, &n_signals);
  g_autoptr(GError) error = NULL;
  guint n_fds = tf_test_count_fds ();
  gboolean success;

  tf_test_write (TF_TEMP_FILE (file), "0123456789");
  for (int i = 0; i < 2; i++)
    {
      hinder ();
      success = way->grow (TF_TEMP_FILE (file), 20, &error);
      relieve ();
      g_assert_false (success);
      g_assert_error (error, G_IO_ERROR, (gint) code);
      g_assert_nonnull (strstr (error->message, tf_test_get_sandbox ()));
      g_clear_error (&error);
      g_assert_false (tf_spooled_file_is_rolled_over (file));
      g_assert_cmpuint (n_signals, ==, 0);
      g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
      tf_test_assert_file (TF_TEMP_FILE (file), 10, "0123456789", 10);
    }

  g_assert_true (way->grow (TF_TEMP_FILE (file), 20, &error));
  g_assert_no_error (error);
  g_assert_true (tf_spooled_file_is_rolled_over (file));
  g_assert_cmpuint (n_signals, ==, 1);
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (file)), ==, 20);
}

static void
fill_disk (void)
{
  tf_test_limit_file_size (7);
}

static void
test_full_disk (gconstpointer data)
{
  tf_get_temp_dir (NULL);
  check_refusal (data, fill_disk, tf_test_unlimit_file_size, G_IO_ERROR_NO_SPACE);
}

static void
test_no_fds (gconstpointer data)
{
  tf_get_temp_dir (NULL);
  check_refusal (data, tf_test_take_fds, tf_test_give_all_fds, G_IO_ERROR_TOO_MANY_OPEN_FILES);
}

static void
test_cancelled (void)
{
  guint n_signals;
  g_autoptr(TfSpooledFile) file = make (10, &n_signals);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  tf_test_write (TF_TEMP_FILE (file), "0123456789");
  g_cancellable_cancel (cancellable);
  g_assert_false (tf_spooled_file_rollover (file, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (tf_temp_file_write (TF_TEMP_FILE (file), "!", 1, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (n_signals, ==, 0);
  tf_test_assert_file (TF_TEMP_FILE (file), 10, "0123456789", 10);
}

static void
test_properties (void)
{
  g_autoptr(TfSpooledFile) by_default = g_object_new (TF_TYPE_SPOOLED_FILE, NULL);
  g_autoptr(TfSpooledFile) file = g_object_new (TF_TYPE_SPOOLED_FILE, "max-size", (gint64) -1, NULL);
  gint64 max_size;

  g_assert_cmpint (tf_spooled_file_get_max_size (by_default), ==, 1024 * 1024);
  g_object_get (file, "max-size", &max_size, NULL);
  g_assert_cmpint (max_size, ==, -1);
  g_assert_cmpint (tf_spooled_file_get_max_size (file), ==, -1);
}

static void
test_bad_max_size (void)
{
  g_test_expect_message ("Tf", G_LOG_LEVEL_CRITICAL, "*max_size >= -1*");
  g_assert_null (tf_spooled_file_new (-2));
  g_test_assert_expected_messages ();
}

static void
add_for_each_way (const char    *name,
                  GTestDataFunc  func)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *path = g_strdup_printf ("/spooled-file/%s/%s", name, ways[i].name);

      g_test_add_data_func (path, &ways[i], func);
    }
}

/* A stream that outlives a file which could not be closed. */
static void
test_finalized_while_pending (void)
{
  TfTempFile *file = TF_TEMP_FILE (tf_spooled_file_new (10));
  g_autoptr(GOutputStream) output = g_object_ref (g_io_stream_get_output_stream (G_IO_STREAM (file)));
  g_autoptr(GError) error = NULL;

  g_assert_true (g_io_stream_set_pending (G_IO_STREAM (file), NULL));
  g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Closing a temporary file: *outstanding*");
  g_assert_finalize_object (file);
  g_test_assert_expected_messages ();

  g_assert_cmpint (g_output_stream_write (output, "more than ten bytes", 19, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
count_notify (GObject    *object,
              GParamSpec *pspec,
              guint      *n_notified)
{
  (*n_notified)++;
}

static void
test_notify (void)
{
  g_autoptr(TfSpooledFile) file = g_object_new (TF_TYPE_SPOOLED_FILE, NULL);
  g_autofree char *prefix = NULL;
  guint n_notified = 0;
  gint64 max_size;
  guint mode;

  g_object_get (file, "max-size", &max_size, "prefix", &prefix, "mode", &mode, NULL);
  g_assert_cmpint (max_size, ==, 1024 * 1024);
  g_assert_null (prefix);
  g_assert_cmpuint (mode, ==, 0600);

  g_signal_connect (file, "notify", G_CALLBACK (count_notify), &n_notified);
  g_object_set (file, "max-size", (gint64) 1024 * 1024, "prefix", NULL, "mode", 0600, NULL);
  g_assert_cmpuint (n_notified, ==, 0);
  g_object_set (file, "max-size", (gint64) 5, "prefix", "a-", "mode", 0640, NULL);
  g_assert_cmpuint (n_notified, ==, 3);
  g_object_get (file, "prefix", &prefix, NULL);
  g_assert_cmpstr (prefix, ==, "a-");
  g_assert_cmpint (tf_spooled_file_get_max_size (file), ==, 5);
}

/* A new limit is compared with the next write, also if there was room for it before. */
static void
test_max_size_changes (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);

  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "12345", 5, NULL, NULL));
  g_object_set (file, "max-size", (gint64) 6, NULL);
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "6", 1, NULL, NULL));
  g_assert_false (tf_spooled_file_is_rolled_over (file));
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "7", 1, NULL, NULL));
  g_assert_true (tf_spooled_file_is_rolled_over (file));

  /* It is too late. */
  g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*tf_store_has_place*");
  g_object_set (file, "max-size", (gint64) 8, NULL);
  g_test_assert_expected_messages ();
  g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*tf_store_has_place*");
  g_object_set (file, "prefix", "a-", NULL);
  g_test_assert_expected_messages ();
  g_assert_cmpint (tf_spooled_file_get_max_size (file), ==, 6);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  add_for_each_way ("max-size", test_max_size);
  add_for_each_way ("one-byte-more", test_one_byte_more);
  add_for_each_way ("handler-closes", test_handler_closes);
  add_for_each_way ("full-disk", test_full_disk);
  add_for_each_way ("no-fds", test_no_fds);
  g_test_add_data_func ("/spooled-file/handler-drops/write", &ways[0], test_handler_drops);
  g_test_add_data_func ("/spooled-file/handler-drops/truncate", &ways[2], test_handler_drops);
  g_test_add_data_func ("/spooled-file/handler-drops/stream-truncate", &ways[3], test_handler_drops);
  g_test_add_func ("/spooled-file/handler-uses-file", test_handler_uses_file);
  g_test_add_func ("/spooled-file/handler-writes", test_handler_writes);
  g_test_add_func ("/spooled-file/handler-disconnects", test_handler_disconnects);
  g_test_add_func ("/spooled-file/overwriting", test_overwriting);
  g_test_add_func ("/spooled-file/explicit", test_explicit);
  g_test_add_func ("/spooled-file/get-fd-rolls-over", test_get_fd_rolls_over);
  g_test_add_func ("/spooled-file/get-fd-of-closed", test_get_fd_of_closed);
  g_test_add_func ("/spooled-file/nothing-before-rollover", test_nothing_before_rollover);
  g_test_add_func ("/spooled-file/cancelled", test_cancelled);
  g_test_add_func ("/spooled-file/properties", test_properties);
  g_test_add_func ("/spooled-file/bad-max-size", test_bad_max_size);

  g_test_add_func ("/spooled-file/finalized-while-pending", test_finalized_while_pending);
  g_test_add_func ("/spooled-file/notify", test_notify);
  g_test_add_func ("/spooled-file/max-size-changes", test_max_size_changes);

  return tf_test_run ();
}
