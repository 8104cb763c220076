/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Calls public functions from the callbacks: none may wait for ever. */

#include <tempfile-glib.h>

#include <string.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test.h"

/* Much longer than a call takes, in seconds. */
#define PATIENCE 60

static const char text[] = "more than four";

#define LARGE (256 * 1024)

typedef struct
{
  TfTempFile *file;
  TfTempFile *source;    /* (nullable): what is spliced into the file */
  gboolean in_operation; /* what changes the file is refused */
  guint n_calls;
} Fixture;

/* What only asks is answered. */
static void
ask (TfTempFile *file)
{
  g_autoptr(GInputStream) reader = NULL;
  g_autoptr(GError) error = NULL;
  char byte;

  g_assert_cmpint (tf_temp_file_get_size (file), >=, 0);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), >=, 0);
  tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file));
  g_assert_false (g_io_stream_is_closed (G_IO_STREAM (file)));

  reader = tf_temp_file_open_reader (file, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_input_stream_read (reader, &byte, 1, NULL, &error), >=, 0);
  g_assert_no_error (error);
  g_assert_true (g_input_stream_close (reader, NULL, NULL));
}

static void
check (Fixture   *fixture,
       gboolean   success,
       GError   **error)
{
  g_autoptr(GError) owned = g_steal_pointer (error);

  if (fixture->in_operation)
    g_assert_error (owned, G_IO_ERROR, G_IO_ERROR_PENDING);
  else
    g_assert_no_error (owned);
  g_assert_true (success == !fixture->in_operation);
}

static gboolean
splice_into (TfTempFile  *file,
             GError     **error)
{
  g_autoptr(GInputStream) bytes = g_memory_input_stream_new_from_data ("x", 1, NULL);

  return g_output_stream_splice (g_io_stream_get_output_stream (G_IO_STREAM (file)), bytes, 0, NULL, error) == 1;
}

static void
use (Fixture    *fixture,
     TfTempFile *file)
{
  g_autoptr(GFile) place = g_file_new_for_path ("persisted");
  g_autoptr(GBytes) bytes = g_bytes_new_static ("b", 1);
  GError *error = NULL;
  gboolean success;
  char byte;

#define TRY(call) (success = (call), check (fixture, success, &error))
  TRY (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error));
  TRY (tf_temp_file_read (file, &byte, 1, NULL, &error) >= 0);
  TRY (tf_temp_file_write (file, "w", 1, NULL, &error));
  TRY (tf_temp_file_write_bytes (file, bytes, NULL, &error));
  TRY (tf_temp_file_fill (file, 1, NULL, &error) >= 0);
  TRY (tf_temp_file_consume (file, 0, &error));
  if (!tf_test_is_portable ())
    TRY (tf_temp_file_reserve (file, 1, NULL, &error));
  TRY (g_seekable_truncate (G_SEEKABLE (file), 20, NULL, &error));
  TRY (tf_spooled_file_rollover (TF_SPOOLED_FILE (file), NULL, &error));
  TRY (tf_temp_file_get_fd (file, NULL, &error) >= 0);
  TRY (tf_temp_file_persist (file, place, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, &error));
#undef TRY
}

static void
use_results (Fixture    *fixture,
             TfTempFile *file)
{
  g_autoptr(GBytes) loaded = NULL;
  g_autoptr(GBytes) read = NULL;
  g_autofree char *line = NULL;
  g_autofree char *path = NULL;
  GError *error = NULL;
  gsize count;
  int fd;

  loaded = tf_temp_file_load_bytes (file, NULL, &error);
  check (fixture, loaded != NULL, &error);
  read = tf_temp_file_read_bytes (file, 1, NULL, &error);
  check (fixture, read != NULL, &error);
  line = tf_temp_file_read_line (file, NULL, NULL, &error);
  check (fixture, error == NULL, &error);
  tf_temp_file_peek (file, &count);
  if (tf_test_is_portable ())
    return;

  path = tf_temp_file_get_fd_path (file, NULL, &error);
  check (fixture, path != NULL, &error);
  fd = tf_temp_file_seal (file, NULL, &error);
  check (fixture, fd >= 0, &error);
  if (fd >= 0)
    close (fd);
}

static void
use_streams (Fixture    *fixture,
             TfTempFile *file)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (file));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  GError *error = NULL;
  gboolean success;
  char byte;

  success = g_seekable_seek (G_SEEKABLE (input), 0, G_SEEK_SET, NULL, &error);
  check (fixture, success, &error);
  success = g_input_stream_read (input, &byte, 1, NULL, &error) >= 0;
  check (fixture, success, &error);
  success = g_output_stream_write (output, "s", 1, NULL, &error) == 1;
  check (fixture, success, &error);
  success = splice_into (file, &error);
  check (fixture, success, &error);
}

static void
use_all (Fixture    *fixture,
         TfTempFile *file)
{
  ask (file);
  use (fixture, file);
  use_results (fixture, file);
  use_streams (fixture, file);
}

static gboolean
on_audit (const char *event,
          const char *path,
          gpointer    user_data)
{
  Fixture *fixture = user_data;

  if (fixture->in_operation)
    return TRUE;

  fixture->n_calls++;
  fixture->in_operation = TRUE;
  use_all (fixture, fixture->file);
  if (fixture->source != NULL)
    use_all (fixture, fixture->source);
  fixture->in_operation = FALSE;
  return TRUE;
}

static void
on_rolled_over (TfSpooledFile *file,
                gpointer       user_data)
{
  Fixture *fixture = user_data;

  fixture->n_calls++;
  ask (TF_TEMP_FILE (file));
}

/* The object itself has no operation, so that nothing is refused. */
static void
on_rolled_over_by_object (TfSpooledFile *file,
                          gpointer       user_data)
{
  Fixture *fixture = user_data;

  fixture->n_calls++;
  use_all (fixture, TF_TEMP_FILE (file));
}

static void
by_write (Fixture *fixture)
{
  g_assert_true (tf_temp_file_write (fixture->file, text, strlen (text), NULL, NULL));
}

static void
by_rollover (Fixture *fixture)
{
  g_assert_true (tf_spooled_file_rollover (TF_SPOOLED_FILE (fixture->file), NULL, NULL));
}

static void
by_truncate (Fixture *fixture)
{
  g_assert_true (g_seekable_truncate (G_SEEKABLE (fixture->file), 100, NULL, NULL));
}

static void
by_get_fd (Fixture *fixture)
{
  g_assert_cmpint (tf_temp_file_get_fd (fixture->file, NULL, NULL), >=, 0);
}

static void
by_reserve (Fixture *fixture)
{
  g_assert_true (tf_temp_file_reserve (fixture->file, 100, NULL, NULL));
}

static void
by_stream (Fixture *fixture)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (fixture->file));

  g_assert_cmpint (g_output_stream_write (output, text, strlen (text), NULL, NULL), ==, strlen (text));
}

static void
by_splice (Fixture *fixture)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (fixture->file));
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (fixture->source));

  g_assert_cmpint (g_output_stream_splice (output, input, 0, NULL, NULL), ==, strlen (text));
}

static const struct
{
  const char *name;
  void (*func) (Fixture *fixture);
} triggers[] = {
  { "write", by_write },
  { "rollover", by_rollover },
  { "truncate", by_truncate },
  { "get-fd", by_get_fd },
  { "reserve", by_reserve },
  { "stream", by_stream },
  { "splice", by_splice },
};

static TfTempFile *
make_source (void)
{
  TfTempFile *source = TF_TEMP_FILE (tf_spooled_file_new (-1));

  g_assert_true (tf_temp_file_write (source, text, strlen (text), NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (source), 0, G_SEEK_SET, NULL, NULL));
  return source;
}

static void
test_audit (gconstpointer data)
{
  guint trigger = GPOINTER_TO_UINT (data);
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (4));
  g_autoptr(TfTempFile) source = make_source ();
  Fixture fixture = { .file = file, .source = triggers[trigger].func == by_splice ? source : NULL };

  if (triggers[trigger].func == by_reserve && tf_test_skip_if_portable ("room for files"))
    return;

  g_assert_true (tf_temp_file_write (file, "four", 4, NULL, NULL));
  g_signal_connect (file, "rolled-over", G_CALLBACK (on_rolled_over), &fixture);
  tf_set_audit_func (on_audit, &fixture, NULL);
  alarm (PATIENCE);
  triggers[trigger].func (&fixture);
  alarm (0);
  tf_set_audit_func (NULL, NULL, NULL);

  g_assert_cmpuint (fixture.n_calls, ==, 2);
  g_assert_true (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));
}

static void
test_rolled_over (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (4));
  Fixture fixture = { .file = file };

  g_signal_connect (file, "rolled-over", G_CALLBACK (on_rolled_over_by_object), &fixture);
  alarm (PATIENCE);
  by_write (&fixture);
  alarm (0);
  g_assert_cmpuint (fixture.n_calls, ==, 1);
  g_assert_cmpint (unlink ("persisted"), ==, 0);
}

static void
on_progress (goffset  n_copied,
             goffset  total,
             gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->n_calls++;
  use_all (fixture, fixture->file);
}

/* It is called while the bytes are copied. */
static void
test_progress (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GFile) place = g_file_new_for_path ("place");
  g_autoptr(GError) error = NULL;
  Fixture fixture = { .file = file, .in_operation = TRUE };

  g_assert_true (tf_temp_file_write (file, text, strlen (text), NULL, NULL));
  alarm (PATIENCE);
  g_assert_true (tf_temp_file_persist (file, place, TF_PERSIST_NONE, NULL, on_progress, &fixture, NULL, &error));
  alarm (0);
  g_assert_no_error (error);
  g_assert_cmpuint (fixture.n_calls, ==, 1);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, strlen (text));
  g_assert_cmpint (unlink ("place"), ==, 0);
}

static guint n_opened;

static gboolean
close_file (const char *event,
            const char *path,
            gpointer    user_data)
{
  n_opened++;
  g_assert_true (g_io_stream_close (user_data, NULL, NULL));
  return TRUE;
}

/* What is under way fails, and leaves nothing behind. */
static void
test_close (void)
{
  guint n_fds = tf_test_count_fds ();
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (4));
  g_autoptr(GInputStream) reader = NULL;
  g_autoptr(GError) error = NULL;
  char buffer[8];

  g_assert_true (tf_temp_file_write (file, "four", 4, NULL, NULL));
  reader = tf_temp_file_open_reader (file, NULL);
  tf_set_audit_func (close_file, file, NULL);
  g_assert_false (tf_temp_file_write (file, text, strlen (text), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  tf_set_audit_func (NULL, NULL, NULL);

  g_assert_cmpint (g_input_stream_read (reader, buffer, sizeof buffer, NULL, NULL), ==, 4);
  g_clear_object (&reader);
  g_clear_object (&file);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
}

/* The file is closed while another one goes to disk to make room for it, and does not go to disk itself. */
static void
test_close_for_memory (void)
{
  g_autoptr(TfTempFile) other = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autofree char *zeros = g_malloc0 (4 * LARGE);
  g_autoptr(GError) error = NULL;

  tf_set_memory_budget (5 * LARGE);
  g_assert_true (tf_temp_file_write (other, zeros, 4 * LARGE, NULL, NULL));
  n_opened = 0;
  tf_set_audit_func (close_file, file, NULL);
  g_assert_false (tf_temp_file_write (file, zeros, 2 * LARGE, NULL, &error));
  tf_set_audit_func (NULL, NULL, NULL);
  tf_set_memory_budget (0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_cmpuint (n_opened, ==, 1);
  g_assert_true (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (other)));
  g_assert_cmpint (tf_temp_file_get_size (other), ==, 4 * LARGE);
}

/* An asynchronous call from the callback waits its turn. */
static gboolean
start_write (const char *event,
             const char *path,
             gpointer    user_data)
{
  Fixture *fixture = user_data;
  g_autoptr(GBytes) bytes = g_bytes_new_static ("later", 5);

  if (fixture->n_calls++ == 0)
    tf_temp_file_write_bytes_async (fixture->file, bytes, 0, NULL, NULL, NULL);
  return TRUE;
}

static void
test_async (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (4));
  Fixture fixture = { .file = file };
  g_autoptr(GBytes) bytes = NULL;

  tf_set_audit_func (start_write, &fixture, NULL);
  alarm (PATIENCE);
  by_write (&fixture);
  while (g_io_stream_has_pending (G_IO_STREAM (file)))
    g_main_context_iteration (NULL, TRUE);
  alarm (0);
  tf_set_audit_func (NULL, NULL, NULL);

  bytes = tf_temp_file_load_bytes (file, NULL, NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "more than fourlater", 19);
}

static void
note_size (TfTempFile *file,
           gpointer    size)
{
  *(goffset *) size = tf_temp_file_get_size (file);
}

/* What makes a file roll over is in it when the signal is emitted, however much it is. */
static void
test_text (gconstpointer length)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (4));
  g_autoptr(TfTextStream) stream = NULL;
  g_autofree char *content = g_strnfill (GPOINTER_TO_UINT (length), 'x');
  g_autoptr(GError) error = NULL;
  goffset size = 0;

  g_signal_connect (file, "rolled-over", G_CALLBACK (note_size), &size);
  stream = tf_text_stream_new (file, NULL, TF_NEWLINE_LF, TF_TEXT_ERRORS_STRICT, &error);
  g_assert_no_error (error);
  g_assert_true (tf_text_stream_write (stream, content, -1, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (size, ==, GPOINTER_TO_UINT (length));
}

static void
close_notified (GObject    *file,
                GParamSpec *pspec,
                gpointer    no_data)
{
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
}

/* Who is notified of the first property finds the others changed as well: the file is not a temporary one any more. */
static void
test_persisted (gconstpointer signal)
{
  g_autoptr(GFile) place = g_file_new_for_path ("persisted");
  g_autoptr(TfNamedFile) file = NULL;
  g_autoptr(GError) error = NULL;

  file = tf_named_file_new (NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_signal_connect (file, signal, G_CALLBACK (close_notified), NULL);
  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), place, 0, NULL, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (file)));
  g_assert_cmpint (unlink ("persisted"), ==, 0);
}

/* What needs locks of GLib and of the file. */
static gpointer
use_other_thread (gpointer data)
{
  g_autoptr(GObject) other = g_object_new (G_TYPE_OBJECT, NULL);
  GWeakRef reference;

  g_weak_ref_init (&reference, other);
  g_weak_ref_clear (&reference);
  ask (data);
  return NULL;
}

static void
on_toggled (gpointer  n_calls,
            GObject  *file,
            gboolean  is_last)
{
  if (is_last)
    return;

  ++*(guint *) n_calls;
  g_thread_join (g_thread_new ("other", use_other_thread, file));
}

/* An interpreter is told when somebody else gets a reference to an object of its own, and waits for its other threads. */
static void
test_toggle_reference (void)
{
  TfTempFile *file = TF_TEMP_FILE (tf_spooled_file_new (4));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));
  guint n_calls = 0;

  g_object_add_toggle_ref (G_OBJECT (file), on_toggled, &n_calls);
  g_object_unref (file);
  g_assert_true (g_output_stream_write_all (output, text, sizeof text, NULL, NULL, NULL));
  g_assert_true (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));
  g_assert_cmpuint (n_calls, >=, 1);
  g_object_remove_toggle_ref (G_OBJECT (file), on_toggled, &n_calls);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  for (guint i = 0; i < G_N_ELEMENTS (triggers); i++)
    {
      g_autofree char *path = g_strdup_printf ("/callbacks/audit/%s", triggers[i].name);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_audit);
    }
  g_test_add_func ("/callbacks/rolled-over", test_rolled_over);
  g_test_add_data_func ("/callbacks/text/short", GUINT_TO_POINTER (10), test_text);
  g_test_add_data_func ("/callbacks/text/long", GUINT_TO_POINTER (3000000), test_text);
  g_test_add_func ("/callbacks/toggle-reference", test_toggle_reference);
  g_test_add_data_func ("/callbacks/persisted/path", "notify::path", test_persisted);
  g_test_add_data_func ("/callbacks/persisted/file", "notify::file", test_persisted);
  g_test_add_data_func ("/callbacks/persisted/delete-policy", "notify::delete-policy", test_persisted);
  g_test_add_func ("/callbacks/progress", test_progress);
  g_test_add_func ("/callbacks/close", test_close);
  g_test_add_func ("/callbacks/close/for-memory", test_close_for_memory);
  g_test_add_func ("/callbacks/async", test_async);

  return tf_test_run ();
}
