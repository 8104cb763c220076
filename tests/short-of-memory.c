/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When there is not enough memory for a text, a call fails, and the same call succeeds once there is. */

#include <tempfile-glib.h>

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tf-test-async.h"
#include "tf-test.h"

/* How many calls succeed before one fails. */
static gint n_until_failure = -1;
static int iconv_errno = ENOMEM;

static gboolean
is_refused (void)
{
  return g_atomic_int_get (&n_until_failure) >= 0 && g_atomic_int_add (&n_until_failure, -1) == 0;
}

gpointer __real_g_try_malloc (gsize size);
gpointer __wrap_g_try_malloc (gsize size);

gpointer
__wrap_g_try_malloc (gsize size)
{
  return is_refused () ? NULL : __real_g_try_malloc (size);
}

gpointer __real_g_try_realloc (gpointer data, gsize size);
gpointer __wrap_g_try_realloc (gpointer data, gsize size);

/* The first attempt gets a generous size, the second one as much as is needed. */
gpointer
__wrap_g_try_realloc (gpointer data,
                      gsize    size)
{
  static _Thread_local gpointer refused_data;
  static _Thread_local gsize refused_size;
  gboolean is_second = data != NULL && data == refused_data && size < refused_size;

  refused_data = NULL;
  if (is_second)
    return NULL;

  if (!is_refused ())
    return __real_g_try_realloc (data, size);

  refused_data = data;
  refused_size = size;
  return NULL;
}

GIConv __real_g_iconv_open (const char *to, const char *from);
GIConv __wrap_g_iconv_open (const char *to, const char *from);

GIConv
__wrap_g_iconv_open (const char *to,
                     const char *from)
{
  if (!is_refused ())
    return __real_g_iconv_open (to, from);

  errno = iconv_errno;
  return (GIConv) -1;
}

typedef enum
{
  OP_READ,
  OP_READ_LINE,
  OP_READ_ALL,
  OP_WRITE,
  OP_TELL,
} Op;

static gboolean
call (TfTextStream  *stream,
      Op             op,
      const char    *to_write,
      char         **text,
      GError       **error)
{
  switch (op)
    {
    case OP_READ:
      return (*text = tf_text_stream_read (stream, 10, NULL, error)) != NULL;

    case OP_READ_LINE:
      return (*text = tf_text_stream_read_line (stream, NULL, error)) != NULL;

    case OP_READ_ALL:
      return (*text = tf_text_stream_read_all (stream, NULL, error)) != NULL;

    case OP_WRITE:
      return tf_text_stream_write (stream, to_write, -1, NULL, error);

    case OP_TELL:
    default:
      return tf_text_stream_tell (stream, NULL, error) >= 0;
    }
}

static gboolean
call_async (TfTextStream  *stream,
            Op             op,
            const char    *to_write,
            char         **text,
            GError       **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  switch (op)
    {
    case OP_READ:
      tf_text_stream_read_async (stream, 10, 0, NULL, tf_test_take_result, &result);
      return (*text = tf_text_stream_read_finish (stream, tf_test_wait (&result), error)) != NULL;

    case OP_READ_LINE:
      tf_text_stream_read_line_async (stream, 0, NULL, tf_test_take_result, &result);
      return (*text = tf_text_stream_read_line_finish (stream, tf_test_wait (&result), error)) != NULL;

    case OP_READ_ALL:
      tf_text_stream_read_all_async (stream, 0, NULL, tf_test_take_result, &result);
      return (*text = tf_text_stream_read_all_finish (stream, tf_test_wait (&result), error)) != NULL;

    case OP_WRITE:
      tf_text_stream_write_async (stream, to_write, -1, 0, NULL, tf_test_take_result, &result);
      return tf_text_stream_write_finish (stream, tf_test_wait (&result), error);

    case OP_TELL:
    default:
      tf_text_stream_tell_async (stream, 0, NULL, tf_test_take_result, &result);
      return tf_text_stream_tell_finish (stream, tf_test_wait (&result), error) >= 0;
    }
}

/* Calls it, and again if that fails. Appends what was read to @all. */
static void
call_twice (TfTextStream *stream,
            Op            op,
            gboolean      async,
            const char   *to_write,
            GString      *all)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *text = NULL;
  gboolean success = (async ? call_async : call) (stream, op, to_write, &text, &error);

  if (!success)
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
      g_assert_nonnull (strstr (error->message, g_strerror (ENOMEM)));
      g_clear_error (&error);
      success = (async ? call_async : call) (stream, op, to_write, &text, &error);
    }

  g_assert_no_error (error);
  g_assert_true (success);
  if (text != NULL)
    g_string_append (all, text);
}

typedef struct
{
  const char *encoding;
  TfNewline newline;
  gint64 max_size;
} Case;

static const Case cases[] = {
  { "UTF-8", TF_NEWLINE_UNIVERSAL, -1 },
  { "UTF-8", TF_NEWLINE_CRLF, 0 },
  { "UTF-16", TF_NEWLINE_UNIVERSAL, 0 },
  { "UTF-16LE", TF_NEWLINE_CRLF, -1 },
  { "SHIFT_JIS", TF_NEWLINE_UNIVERSAL, -1 },
  { "ISO-2022-JP", TF_NEWLINE_UNIVERSAL, -1 },
  { "ISO-2022-JP", TF_NEWLINE_CRLF, 0 },
};

static TfTextStream *
open_text (const Case *test_case)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (test_case->max_size));
  g_autoptr(GError) error = NULL;
  TfTextStream *stream = tf_text_stream_new (file, test_case->encoding, test_case->newline,
                                             TF_TEXT_ERRORS_STRICT, &error);

  g_assert_no_error (error);
  return stream;
}

/* Three lines, of which the second is longer than what is read at once. */
static char *
make_text (const char *end_of_line)
{
  GString *text = g_string_new ("first 日本 line");

  g_string_append (text, end_of_line);
  for (int i = 0; i < 1100; i++)
    g_string_append (text, "a日本z");
  g_string_append (text, end_of_line);
  g_string_append (text, "本");
  return g_string_free (text, FALSE);
}

static void
seek_to_start (TfTextStream *stream)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_text_stream_seek (stream, 0, G_SEEK_SET, NULL, &error));
  g_assert_no_error (error);
}

/* Returns whether a call was refused, and refuses no more. */
static gboolean
stop_refusing (void)
{
  gboolean was_refused = g_atomic_int_get (&n_until_failure) < 0;

  g_atomic_int_set (&n_until_failure, -1);
  return was_refused;
}

/* Returns whether a call was refused. */
static gboolean
read_refused (const Case *test_case,
              int         n,
              gboolean    async)
{
  const Op ops[] = { OP_READ, OP_TELL, OP_READ_LINE, OP_READ_LINE, OP_TELL, OP_READ_ALL, OP_TELL };
  g_autoptr(TfTextStream) stream = open_text (test_case);
  g_autofree char *text = make_text ("\n");
  g_autofree char *expected = make_text (test_case->newline == TF_NEWLINE_CRLF ? "\r\n" : "\n");
  g_autoptr(GString) all = g_string_new (NULL);
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_text_stream_write (stream, text, -1, NULL, &error));
  g_assert_no_error (error);
  seek_to_start (stream);

  g_atomic_int_set (&n_until_failure, n);
  for (gsize i = 0; i < G_N_ELEMENTS (ops); i++)
    call_twice (stream, ops[i], async, NULL, all);

  g_assert_cmpstr (all->str, ==, expected);
  return stop_refusing ();
}

/* Returns whether a call was refused. */
static gboolean
open_refused (const char *encoding,
              int         n,
              int         code)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(TfTextStream) stream = NULL;
  g_autoptr(GError) error = NULL;
  gboolean refused;

  g_atomic_int_set (&n_until_failure, n);
  stream = tf_text_stream_new (file, encoding, TF_NEWLINE_LF, TF_TEXT_ERRORS_STRICT, &error);
  refused = stop_refusing ();
  g_assert_true ((stream == NULL) == (error != NULL));
  if (error != NULL)
    g_assert_error (error, G_IO_ERROR, code);
  return refused;
}

/* Whichever converter is not there */
static void
test_open (void)
{
  const struct { int with; int code; } failures[] = {
    { ENOMEM, G_IO_ERROR_NO_SPACE },
    { EMFILE, G_IO_ERROR_TOO_MANY_OPEN_FILES },
    { ENFILE, G_IO_ERROR_TOO_MANY_OPEN_FILES },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (failures) * G_N_ELEMENTS (cases); i++)
    {
      int n = 0;

      iconv_errno = failures[i % 3].with;
      while (open_refused (cases[i / 3].encoding, n, failures[i % 3].code))
        n++;
    }
  iconv_errno = ENOMEM;
}

/* The text decides in which order its bytes are. Returns whether a call was refused. */
static gboolean
read_order_refused (const char *encoding,
                    const char *bytes,
                    gsize       n_bytes,
                    int         n)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(TfTextStream) stream = tf_text_stream_new (file, encoding, TF_NEWLINE_LF, TF_TEXT_ERRORS_STRICT, NULL);
  g_autoptr(GString) all = g_string_new (NULL);

  g_assert_true (tf_temp_file_write (file, bytes, n_bytes, NULL, NULL));
  seek_to_start (stream);
  g_atomic_int_set (&n_until_failure, n);
  call_twice (stream, OP_READ, FALSE, NULL, all);
  call_twice (stream, OP_WRITE, FALSE, "b", all);
  seek_to_start (stream);
  call_twice (stream, OP_READ_ALL, FALSE, NULL, all);
  g_assert_cmpstr (all->str, ==, "aab");
  return stop_refusing ();
}

static void
test_order (void)
{
  for (int n = 0; read_order_refused ("UTF-16", "\xfe\xff\0a", 4, n); n++)
    g_assert_cmpint (n, <, 1000);
  for (int n = 0; read_order_refused ("UTF-16", "\xff\xfe" "a\0", 4, n); n++)
    g_assert_cmpint (n, <, 1000);
}

/* Reads on from a position between characters of two bytes. What is before it, of which the first piece has others, is
 * decoded first. Returns whether a call was refused. */
static gboolean
read_context_refused (int n)
{
  const Case test_case = { "ISO-2022-JP", TF_NEWLINE_LF, -1 };
  g_autoptr(TfTextStream) stream = open_text (&test_case);
  g_autofree char *start = g_strnfill (600, 'a');
  g_autofree char *written = g_strconcat (start, "日本日本", NULL);
  g_autofree char *passed = NULL;
  g_autoptr(GString) all = g_string_new (NULL);
  goffset offset;

  g_assert_true (tf_text_stream_write (stream, written, -1, NULL, NULL));
  seek_to_start (stream);
  passed = tf_text_stream_read (stream, 602, NULL, NULL);
  offset = tf_text_stream_tell (stream, NULL, NULL);
  g_assert_cmpint (offset, >, 602);
  g_assert_true (tf_text_stream_seek (stream, offset, G_SEEK_SET, NULL, NULL));

  g_atomic_int_set (&n_until_failure, n);
  call_twice (stream, OP_READ_ALL, FALSE, NULL, all);
  g_assert_cmpstr (all->str, ==, "日本");
  return stop_refusing ();
}

static void
test_context (void)
{
  for (int n = 0; read_context_refused (n); n++)
    g_assert_cmpint (n, <, 1000);
}

/* Writes, reads some and writes again. Returns whether a call was refused. */
static gboolean
write_refused (const Case  *test_case,
               int          n,
               gboolean     async,
               GBytes     **content)
{
  const Op ops[] = { OP_WRITE, OP_WRITE, OP_TELL, OP_READ, OP_TELL, OP_WRITE };
  g_autoptr(TfTextStream) stream = open_text (test_case);
  g_autofree char *text = make_text ("\n");
  g_autoptr(GString) all = g_string_new (NULL);
  g_autoptr(GError) error = NULL;
  gboolean refused;

  g_atomic_int_set (&n_until_failure, n);
  for (gsize i = 0; i < G_N_ELEMENTS (ops); i++)
    {
      call_twice (stream, ops[i], async, text, all);
      if (i == 1)
        seek_to_start (stream);
    }
  refused = stop_refusing ();

  *content = tf_temp_file_load_bytes (tf_text_stream_get_base_file (stream), NULL, &error);
  g_assert_no_error (error);
  return refused;
}

/* Whichever piece of memory is not there. */
static void
check_read (gboolean async)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (int n = 0; read_refused (&cases[i], n, async); n++)
      g_assert_cmpint (n, <, 1000);
}

static void
test_read (void)
{
  check_read (FALSE);
}

static void
test_read_async (void)
{
  check_read (TRUE);
}

static void
check_write (gboolean async)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(GBytes) expected = NULL;
      gboolean refused = TRUE;

      write_refused (&cases[i], G_MAXINT, async, &expected);
      for (int n = 0; refused; n++)
        {
          g_autoptr(GBytes) content = NULL;

          refused = write_refused (&cases[i], n, async, &content);
          g_assert_true (g_bytes_equal (content, expected));
          g_assert_cmpint (n, <, 1000);
        }
    }
}

static void
test_write (void)
{
  check_write (FALSE);
}

static void
test_write_async (void)
{
  check_write (TRUE);
}

/* A limit on the address space shows what no function in the place of another can: that no part of the text takes
 * memory in a way that ends the process. */

#define LARGE (12 << 20)
#define LEFT (4 << 20)

static void
limit_memory (rlim_t n_bytes)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_AS, &limit), ==, 0);
  limit.rlim_cur = MIN (n_bytes, limit.rlim_max);
  g_assert_cmpint (setrlimit (RLIMIT_AS, &limit), ==, 0);
}

static void
limit_memory_to_little (void)
{
  g_autofree char *statm = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &statm, NULL, NULL));
  limit_memory (g_ascii_strtoull (statm, NULL, 10) * sysconf (_SC_PAGESIZE) + LEFT);
}

/* Emulators do not apply the limit to what they emulate. */
static gboolean
is_memory_limited (void)
{
  void *memory;

  limit_memory_to_little ();
  memory = mmap (NULL, 2 * LEFT, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  limit_memory (RLIM_INFINITY);

  if (memory == MAP_FAILED)
    return TRUE;

  munmap (memory, 2 * LEFT);
  return FALSE;
}

static gboolean
can_limit_memory (void)
{
#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
  return FALSE;
#else
  return g_getenv ("TF_TEST_VALGRIND") == NULL && is_memory_limited ();
#endif
}

static void
assert_refused (TfTextStream *stream,
                Op            op,
                gboolean      async,
                const char   *to_write)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *text = NULL;

  limit_memory_to_little ();
  g_assert_false ((async ? call_async : call) (stream, op, to_write, &text, &error));
  limit_memory (RLIM_INFINITY);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
}

static void
assert_read (TfTextStream *stream,
             Op            op,
             gboolean      async,
             const char   *expected)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *text = NULL;

  assert_refused (stream, op, async, NULL);
  g_assert_true ((async ? call_async : call) (stream, op, NULL, &text, &error));
  g_assert_no_error (error);
  g_assert_true (g_str_equal (text, expected));
  seek_to_start (stream);
}

static void
check_large (const Case *test_case,
             gboolean    async)
{
  g_autoptr(TfTextStream) stream = open_text (test_case);
  g_autofree char *text = g_strnfill (LARGE, 'q');
  g_autoptr(GError) error = NULL;

  assert_refused (stream, OP_WRITE, async, text);
  g_assert_cmpint (tf_temp_file_get_size (tf_text_stream_get_base_file (stream)), ==, 0);
  g_assert_true (call (stream, OP_WRITE, text, NULL, &error));
  g_assert_no_error (error);

  seek_to_start (stream);
  assert_read (stream, OP_READ_LINE, async, text);
  assert_read (stream, OP_READ_ALL, async, text);
}

static void
test_large (void)
{
  const Case encodings[] = { { "UTF-8", TF_NEWLINE_UNIVERSAL, -1 }, { "ISO-8859-1", TF_NEWLINE_CRLF, 0 } };

  if (!can_limit_memory ())
    {
      g_test_skip ("the address space cannot be limited");
      return;
    }

  for (gsize i = 0; i < G_N_ELEMENTS (encodings); i++)
    {
      check_large (&encodings[i], FALSE);
      /* On disk, a thread would be started, which takes more than is left. */
      if (encodings[i].max_size < 0)
        check_large (&encodings[i], TRUE);
    }
}

int
main (int    argc,
      char **argv)
{
  /* What is large comes from the system, and goes back to it. */
  mallopt (M_ARENA_MAX, 1);
  mallopt (M_MMAP_THRESHOLD, 1 << 20);
  tf_test_init_async (&argc, &argv);

  g_test_add_func ("/short-of-memory/read", test_read);
  g_test_add_func ("/short-of-memory/read-async", test_read_async);
  g_test_add_func ("/short-of-memory/write", test_write);
  g_test_add_func ("/short-of-memory/write-async", test_write_async);
  g_test_add_func ("/short-of-memory/large", test_large);
  g_test_add_func ("/short-of-memory/open", test_open);
  g_test_add_func ("/short-of-memory/order", test_order);
  g_test_add_func ("/short-of-memory/context", test_context);

  return tf_test_run ();
}
