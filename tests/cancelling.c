/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Calls that are cancelled at each of the moments at which they look at their cancellable, or at some of them if there
 * are many. There is one at least for each MiB of bytes. */

#include <tempfile-glib.h>

#include <string.h>

#include "tf-test-async.h"
#include "tf-test-files.h"
#include "tf-test.h"

#define MIB (1024 * 1024)
#define SIZE (5 * MIB + 1234)
#define MAX_MOMENTS 4

static GCancellable *armed; /* (owned) (nullable): as in the functions below */
static gint n_checks;       /* (atomic): of that one */
static gint fatal_check;    /* its number, at which it is cancelled; 0 for none */

gboolean __real_g_cancellable_set_error_if_cancelled (GCancellable *cancellable, GError **error);
gboolean __wrap_g_cancellable_set_error_if_cancelled (GCancellable *cancellable, GError **error);

gboolean
__wrap_g_cancellable_set_error_if_cancelled (GCancellable  *cancellable,
                                             GError       **error)
{
  if (cancellable != NULL && cancellable == armed && g_atomic_int_add (&n_checks, 1) + 1 == fatal_check)
    g_cancellable_cancel (cancellable);

  return __real_g_cancellable_set_error_if_cancelled (cancellable, error);
}

static void
arm (gint check)
{
  armed = g_cancellable_new ();
  n_checks = 0;
  fatal_check = check;
}

static void
disarm (void)
{
  g_clear_object (&armed);
}

/* Random, so that no part is like another one; as text, of ASCII and with lines. */
static const char *
get_data (void)
{
  static char *data;
  g_autoptr(GRand) rand = NULL;

  if (data != NULL)
    return data;

  rand = g_rand_new_with_seed (1);
  data = g_malloc (SIZE + 1);
  for (gsize i = 0; i < SIZE; i++)
    data[i] = i % 61 == 60 ? '\n' : 'a' + g_rand_int_range (rand, 0, 26);
  data[SIZE] = '\0';
  return data;
}

static const GOutputVector *
get_vectors (void)
{
  static GOutputVector vectors[3];

  vectors[0] = (GOutputVector) { get_data (), MIB / 2 };
  vectors[1] = (GOutputVector) { get_data () + MIB / 2, 4 * MIB };
  vectors[2] = (GOutputVector) { get_data () + MIB / 2 + 4 * MIB, SIZE - MIB / 2 - 4 * MIB };
  return vectors;
}

typedef gboolean (*CallFunc) (TfTempFile *file, GError **error);

/* --- Writing --- */

static gboolean
write_data (TfTempFile  *file,
            GError     **error)
{
  return tf_temp_file_write (file, get_data (), SIZE, armed, error);
}

static gboolean
write_to_stream (TfTempFile  *file,
                 GError     **error)
{
  return g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (file)), get_data (), SIZE, NULL, armed,
                                    error);
}

static gboolean
write_vectors (TfTempFile  *file,
               GError     **error)
{
  GOutputVector vectors[3];

  memcpy (vectors, get_vectors (), sizeof vectors);
  return g_output_stream_writev_all (g_io_stream_get_output_stream (G_IO_STREAM (file)), vectors, 3, NULL, armed, error);
}

static gboolean
write_asynchronously (TfTempFile  *file,
                      GError     **error)
{
  g_autoptr(GBytes) bytes = g_bytes_new_static (get_data (), SIZE);
  g_autoptr(GAsyncResult) result = NULL;

  tf_temp_file_write_bytes_async (file, bytes, G_PRIORITY_DEFAULT, armed, tf_test_take_result, &result);
  return tf_temp_file_write_bytes_finish (file, tf_test_wait (&result), error);
}

/* What was written is the beginning, and the position is behind it. */
static void
check_written (TfTempFile *file)
{
  goffset position = g_seekable_tell (G_SEEKABLE (file));

  g_assert_cmpint (position, <=, SIZE);
  tf_test_assert_file (file, position, get_data (), position);
}

static TfTempFile *
make_empty (const TfTestKind *kind)
{
  return tf_test_kind_make (kind);
}

/* --- Reading --- */

static char *buffer; /* (owned) */

static gboolean
read_data (TfTempFile  *file,
           GError     **error)
{
  return tf_temp_file_read (file, buffer, SIZE, armed, error) == SIZE;
}

static gboolean
read_from_stream (TfTempFile  *file,
                  GError     **error)
{
  return g_input_stream_read_all (g_io_stream_get_input_stream (G_IO_STREAM (file)), buffer, SIZE, NULL, armed, error);
}

static gboolean
read_bytes (TfTempFile  *file,
            GError     **error)
{
  g_autoptr(GBytes) bytes = tf_temp_file_read_bytes (file, G_MAXSIZE, armed, error);

  if (bytes != NULL)
    memcpy (buffer, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  return bytes != NULL;
}

static TfTempFile *
make_full (const TfTestKind *kind)
{
  TfTempFile *file = tf_test_kind_make (kind);

  g_assert_true (tf_temp_file_write (file, get_data (), SIZE, NULL, NULL));
  g_assert_true (tf_temp_file_flush (file, NULL, NULL));
  tf_test_seek (file, 0, G_SEEK_SET);
  return file;
}

/* What was read is what is before the position. */
static void
check_read (TfTempFile *file)
{
  goffset position = g_seekable_tell (G_SEEKABLE (file));

  tf_test_assert_file (file, position, get_data (), SIZE);
}

/* --- The tests --- */

typedef struct
{
  TfTempFile *(*make) (const TfTestKind *kind);
  CallFunc call;
  void (*check) (TfTempFile *file);
} Call;

static const Call copies[] = {
  { make_empty, write_data, check_written },
  { make_empty, write_to_stream, check_written },
  { make_empty, write_vectors, check_written },
  { make_empty, write_asynchronously, check_written },
  { make_full, read_data, check_read },
  { make_full, read_from_stream, check_read },
  { make_full, read_bytes, check_read },
};

static gint
count_checks (const Call       *call,
              const TfTestKind *kind)
{
  g_autoptr(TfTempFile) file = call->make (kind);
  g_autoptr(GError) error = NULL;
  gint n;

  arm (0);
  g_assert_true (call->call (file, &error));
  g_assert_no_error (error);
  n = n_checks;
  disarm ();

  call->check (file);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, SIZE);
  return n;
}

static void
cancel_at (const Call       *call,
           const TfTestKind *kind,
           gint              check)
{
  g_autoptr(TfTempFile) file = call->make (kind);
  g_autoptr(GError) error = NULL;

  arm (check);
  g_assert_false (call->call (file, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  disarm ();

  call->check (file);
}

static void
test_copies (gconstpointer data)
{
  const TfTestKind *kind = data;

  buffer = g_malloc (SIZE);
  for (gsize i = 0; i < G_N_ELEMENTS (copies); i++)
    {
      gint n = count_checks (&copies[i], kind);

      g_assert_cmpint (n, >=, SIZE / MIB);
      for (gint check = 1; check <= n; check += MAX (n / MAX_MOMENTS, 1))
        cancel_at (&copies[i], kind, check);
    }
  g_clear_pointer (&buffer, g_free);
}

/* What was not written takes nothing of the budget. */
static void
test_budget (void)
{
  const struct
  {
    CallFunc write;
    gint check;
  } calls[] = {
    { write_data, 5 },
    { write_vectors, 5 },
    { write_asynchronously, 5 },
    { write_asynchronously, 6 },
  };

  tf_set_memory_budget (8 * MIB);
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
      g_autoptr(TfTempFile) other = TF_TEMP_FILE (tf_spooled_file_new (-1));

      arm (calls[i].check);
      g_assert_false (calls[i].write (file, NULL));
      disarm ();
      g_assert_true (tf_temp_file_write (other, get_data (), 4 * MIB, NULL, NULL));
      g_assert_false (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (other)));
      g_assert_false (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));
    }
  tf_set_memory_budget (0);
}

/* Nothing but copying is left to do. */
static void
test_reserved (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));

  g_assert_true (tf_temp_file_reserve (file, 2 * MIB, NULL, NULL));
  arm (3);
  g_assert_false (tf_temp_file_write (file, get_data (), 3 * MIB / 2, armed, NULL));
  disarm ();
  g_assert_cmpint (tf_temp_file_get_size (file), ==, MIB);
  check_written (file);
}

/* --- Text --- */

#define TEXT_SIZE MIB
#define HALF (TEXT_SIZE / 2 + 5)

static const char *
get_text (void)
{
  static char *text;

  if (text == NULL)
    text = g_strndup (get_data (), TEXT_SIZE);
  return text;
}

typedef gboolean (*TextFunc) (TfTextStream *text, GError **error);

static gboolean
write_text (TfTextStream  *text,
            GError       **error)
{
  return tf_text_stream_write (text, get_text (), TEXT_SIZE, armed, error);
}

static gboolean
tell_text (TfTextStream  *text,
           GError       **error)
{
  return tf_text_stream_tell (text, armed, error) == HALF;
}

static gboolean
read_text (TfTextStream  *text,
           GError       **error)
{
  g_autofree char *rest = tf_text_stream_read_all (text, armed, error);

  return rest != NULL && g_str_equal (rest, get_text () + HALF);
}

static TfTextStream *
make_text (const char *encoding)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));

  return tf_text_stream_new (file, encoding, TF_NEWLINE_LF, TF_TEXT_ERRORS_STRICT, NULL);
}

/* In the middle of the text, which was read up to there. */
static TfTextStream *
make_text_to_read (const char *encoding)
{
  TfTextStream *text = make_text (encoding);
  g_autofree char *half = NULL;

  g_assert_true (tf_text_stream_write (text, get_text (), TEXT_SIZE, NULL, NULL));
  g_assert_true (tf_text_stream_seek (text, 0, G_SEEK_SET, NULL, NULL));
  half = tf_text_stream_read (text, HALF, NULL, NULL);
  g_assert_cmpuint (strlen (half), ==, HALF);
  return text;
}

/* The same, but what is before has to be decoded first. */
static TfTextStream *
make_text_to_read_within (const char *encoding)
{
  TfTextStream *text = make_text (encoding);

  g_assert_true (tf_text_stream_write (text, get_text (), TEXT_SIZE, NULL, NULL));
  g_assert_true (tf_text_stream_seek (text, HALF, G_SEEK_SET, NULL, NULL));
  return text;
}

typedef TfTextStream *(*MakeTextFunc) (const char *encoding);

static gint
count_text_checks (MakeTextFunc  make,
                   const char   *encoding,
                   TextFunc      func)
{
  g_autoptr(TfTextStream) text = make (encoding);
  gint n;

  arm (0);
  g_assert_true (func (text, NULL));
  n = n_checks;
  disarm ();
  return n;
}

/* After the failure, the position is where it was, and the call can be repeated. */
static void
cancel_text_at (TfTextStream *text,
                TextFunc      func,
                gint          check)
{
  goffset position = tf_text_stream_tell (text, NULL, NULL);
  g_autoptr(GError) error = NULL;

  arm (check);
  g_assert_false (func (text, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  disarm ();
  g_assert_cmpint (tf_text_stream_tell (text, NULL, NULL), ==, position);
  g_assert_true (func (text, NULL));
}

/* What was written is what was to be written. */
static void
check_text (TfTextStream *text)
{
  g_autofree char *written = NULL;

  g_assert_true (tf_text_stream_seek (text, 0, G_SEEK_SET, NULL, NULL));
  written = tf_text_stream_read_all (text, NULL, NULL);
  g_assert_true (g_str_equal (written, get_text ()));
}

static void
cancel_text (MakeTextFunc  make,
             const char   *encoding,
             TextFunc      func,
             gint          min_checks)
{
  gint n = count_text_checks (make, encoding, func);

  g_assert_cmpint (n, >=, min_checks);
  for (gint check = 1; check <= n; check += MAX (n / MAX_MOMENTS, 1))
    {
      g_autoptr(TfTextStream) text = make (encoding);

      cancel_text_at (text, func, check);
      check_text (text);
    }
}

/* The text is looked at and converted in many pieces. */
#define MIN_TEXT_CHECKS (2 * TEXT_SIZE / (MIB / 4))

static void
test_text_writing (gconstpointer encoding)
{
  cancel_text (make_text, encoding, write_text, MIN_TEXT_CHECKS);
}

static void
test_text_reading (gconstpointer encoding)
{
  cancel_text (make_text_to_read, encoding, read_text, 1);
}

static void
test_text_reading_within (void)
{
  cancel_text (make_text_to_read_within, "ISO-2022-JP", read_text, MIN_TEXT_CHECKS / 2);
}

static void
test_text_position (void)
{
  cancel_text (make_text_to_read, "ISO-2022-JP", tell_text, MIN_TEXT_CHECKS);
}

int
main (int   argc,
      char *argv[])
{
  tf_test_init_async (&argc, &argv);

  tf_test_add_for_kinds ("cancelling", "copies", test_copies);
  g_test_add_func ("/cancelling/budget", test_budget);
  g_test_add_func ("/cancelling/reserved", test_reserved);
  g_test_add_data_func ("/cancelling/text-writing/UTF-8", "UTF-8", test_text_writing);
  g_test_add_data_func ("/cancelling/text-writing/UTF-16", "UTF-16", test_text_writing);
  g_test_add_data_func ("/cancelling/text-writing/ISO-2022-JP", "ISO-2022-JP", test_text_writing);
  g_test_add_data_func ("/cancelling/text-reading/UTF-8", "UTF-8", test_text_reading);
  g_test_add_data_func ("/cancelling/text-reading/ISO-2022-JP", "ISO-2022-JP", test_text_reading);
  g_test_add_func ("/cancelling/text-reading-within", test_text_reading_within);
  g_test_add_func ("/cancelling/text-position", test_text_position);

  return tf_test_run ();
}
