/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define INSTEAD_IMPLEMENTATION

#include "memory-streams.h"

#include <tempfile-glib.h>

#include <string.h>

#include "tf-test.h"

typedef struct
{
  const char *name;
  GType (*get_type) (void);
  gint64 max_size; /* of a spooled file */
  gboolean is_buffered;
  gboolean is_reader; /* input streams are readers */
} Kind;

static const Kind kinds[] = {
  { "memory", tf_spooled_file_get_type, -1 },
  { "rolling", tf_spooled_file_get_type, 16 },
  { "rolled-over", tf_spooled_file_get_type, 0 },
  { "unnamed", tf_temp_file_get_type },
  { "named", tf_named_file_get_type },
  { "named-buffered", tf_named_file_get_type, .is_buffered = TRUE },
  { "reader-memory", tf_spooled_file_get_type, -1, .is_reader = TRUE },
  { "reader-unnamed", tf_temp_file_get_type, .is_reader = TRUE },
};

static const struct
{
  const char *path;
  const char *reason;
} not_applicable[] = {
  { "/converter-stream/pollable", "the streams of a file are not pollable, as those of GFile" },
  { "/memory-input-stream/seek", "the position of a file can be beyond its end" },
  { "/memory-output-stream/properties", "about the properties of GMemoryOutputStream" },
  { "/memory-output-stream/seek/fixed", "a file has no fixed size that a position cannot go beyond" },
  { "/memory-output-stream/writev_nonblocking", "the streams of a file are not pollable, as those of GFile" },
};

/* A stream of a file, and what GMemoryOutputStream has besides. */
typedef struct
{
  TfTempFile *file; /* (owned) */
  gpointer stream;  /* (owned) */

  gpointer buffer;                    /* (nullable): the test's */
  gsize buffer_size;
  gboolean has_fixed_size;
  GDestroyNotify destroy;             /* (nullable): of the buffer */
  char *content;                      /* (owned) (nullable): the last that was asked for */
  gsize stolen_size;
  gboolean is_stolen;
} Stream;

typedef struct
{
  const Kind *kind;
  GTestFunc func;
  GTestDataFunc data_func;
  gconstpointer data;
  const char *reason; /* (nullable): why it is not applicable */
} Case;

static const Kind *kind;
static GPtrArray *streams; /* (element-type Stream) */
static GPtrArray *cases;   /* (element-type Case) */

static void
stream_free (gpointer data)
{
  Stream *stream = data;

  if (stream->destroy != NULL)
    stream->destroy (stream->buffer);
  g_free (stream->content);
  g_object_unref (stream->stream);
  g_object_unref (stream->file);
  g_free (stream);
}

static Stream *
find (gconstpointer object)
{
  for (guint i = 0; i < streams->len; i++)
    {
      Stream *stream = g_ptr_array_index (streams, i);

      if (stream->stream == object)
        return stream;
    }

  g_assert_not_reached ();
}

/* Frees the streams that the file, or nobody, and this program alone still have. */
static void
forget_unused (void)
{
  for (guint i = streams->len; i > 0; i--)
    {
      Stream *stream = g_ptr_array_index (streams, i - 1);
      guint n_own = kind->is_reader && G_IS_INPUT_STREAM (stream->stream) ? 1 : 2;

      if (G_OBJECT (stream->stream)->ref_count <= n_own)
        g_ptr_array_remove_index (streams, i - 1);
    }
}

static Stream *
make (void)
{
  g_autoptr(GError) error = NULL;
  Stream *stream = g_new0 (Stream, 1);

  forget_unused ();
  if (kind->get_type == tf_spooled_file_get_type)
    stream->file = TF_TEMP_FILE (tf_spooled_file_new (kind->max_size));
  else if (kind->is_buffered)
    stream->file = g_initable_new (kind->get_type (), NULL, &error, "buffered", TRUE, NULL);
  else
    stream->file = g_initable_new (kind->get_type (), NULL, &error, NULL);
  g_assert_no_error (error);

  g_ptr_array_add (streams, stream);
  return stream;
}

GInputStream *
instead_input_new (void)
{
  g_autoptr(GError) error = NULL;
  Stream *stream = make ();

  if (kind->is_reader)
    stream->stream = tf_temp_file_open_reader (stream->file, &error);
  else
    stream->stream = g_object_ref (g_io_stream_get_input_stream (G_IO_STREAM (stream->file)));
  g_assert_no_error (error);

  return g_object_ref (stream->stream);
}

void
instead_input_add (gpointer       object,
                   gconstpointer  data,
                   gssize         size,
                   GDestroyNotify destroy)
{
  g_autoptr(GError) error = NULL;
  TfTempFile *file = find (object)->file;
  goffset position = g_seekable_tell (G_SEEKABLE (file));

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_END, NULL, &error));
  g_assert_true (tf_temp_file_write (file, data, size < 0 ? strlen (data) : (gsize) size, NULL, &error));
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), position, G_SEEK_SET, NULL, &error));
  if (destroy != NULL)
    destroy ((gpointer) data);
}

GInputStream *
instead_input_new_from (gconstpointer  data,
                        gssize         size,
                        GDestroyNotify destroy)
{
  GInputStream *stream = instead_input_new ();

  instead_input_add (stream, data, size, destroy);
  return stream;
}

GInputStream *
instead_input_of_bytes (GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  return instead_input_new_from (data, size, NULL);
}

GOutputStream *
instead_output_new (gpointer       buffer,
                    gsize          size,
                    GReallocFunc   realloc_func,
                    GDestroyNotify destroy)
{
  Stream *stream = make ();

  stream->stream = g_object_ref (g_io_stream_get_output_stream (G_IO_STREAM (stream->file)));
  stream->buffer = buffer;
  stream->buffer_size = size;
  stream->has_fixed_size = realloc_func == NULL;
  stream->destroy = destroy;

  return g_object_ref (stream->stream);
}

static GBytes *
load (Stream *stream)
{
  g_autoptr(GError) error = NULL;
  GBytes *bytes = tf_temp_file_load_bytes (stream->file, NULL, &error);

  g_assert_no_error (error);
  return bytes;
}

static void
fill_buffer (Stream *stream)
{
  g_autoptr(GBytes) bytes = load (stream);
  gsize size = g_bytes_get_size (bytes);

  if (size > 0 && size <= stream->buffer_size)
    memcpy (stream->buffer, g_bytes_get_data (bytes, NULL), size);
}

/* With @result, for use after any call that writes. */
gboolean
instead_fill_buffers (gboolean result)
{
  for (guint i = 0; i < streams->len; i++)
    {
      Stream *stream = g_ptr_array_index (streams, i);

      if (stream->has_fixed_size)
        fill_buffer (stream);
    }

  return result;
}

/* Ends with a NUL, as tests print what they get. */
gpointer
instead_output_get_data (gpointer object)
{
  Stream *stream = find (object);
  g_autoptr(GBytes) bytes = load (stream);
  gsize size = g_bytes_get_size (bytes);

  g_free (stream->content);
  stream->content = g_malloc0 (size + 1);
  if (size > 0)
    memcpy (stream->content, g_bytes_get_data (bytes, NULL), size);

  return stream->content;
}

gsize
instead_output_get_data_size (gpointer object)
{
  Stream *stream = find (object);

  return stream->is_stolen ? stream->stolen_size : (gsize) tf_temp_file_get_size (stream->file);
}

gint64
instead_output_get_allocation (gpointer object)
{
  return G_MININT64;
}

GBytes *
instead_output_steal_bytes (gpointer object)
{
  g_autoptr(GError) error = NULL;
  Stream *stream = find (object);
  GBytes *bytes = tf_temp_file_steal_bytes (stream->file, NULL, &error);

  g_assert_no_error (error);
  stream->is_stolen = TRUE;
  stream->stolen_size = g_bytes_get_size (bytes);

  return bytes;
}

gpointer
instead_output_steal_data (gpointer object)
{
  g_autoptr(GBytes) bytes = instead_output_steal_bytes (object);

  return g_memdup2 (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

gpointer
instead_object_new (GType       type,
                    const char *first_property_name,
                    ...)
{
  gpointer object;
  va_list args;

  if (type == G_TYPE_MEMORY_OUTPUT_STREAM)
    return instead_output_new (NULL, 0, g_realloc, g_free);

  va_start (args, first_property_name);
  object = g_object_new_valist (type, first_property_name, args);
  va_end (args);

  return object;
}

/* (nullable): the stream of a fixed size below filters. */
static Stream *
find_fixed (gpointer seekable)
{
  while (G_IS_FILTER_OUTPUT_STREAM (seekable))
    seekable = g_filter_output_stream_get_base_stream (seekable);

  return G_IS_OUTPUT_STREAM (seekable) && find (seekable)->has_fixed_size ? find (seekable) : NULL;
}

gboolean
instead_can_truncate (GSeekable *seekable)
{
  return g_seekable_can_truncate (seekable) && find_fixed (seekable) == NULL;
}

gboolean
instead_seek (GSeekable     *seekable,
              goffset        offset,
              GSeekType      type,
              GCancellable  *cancellable,
              GError       **error)
{
  Stream *fixed = find_fixed (seekable);

  if (type == G_SEEK_END && fixed != NULL && (goffset) fixed->buffer_size != tf_temp_file_get_size (fixed->file))
    return g_seekable_seek (seekable, fixed->buffer_size + offset, G_SEEK_SET, cancellable, error);

  return g_seekable_seek (seekable, offset, type, cancellable, error);
}

/* Faults that tests have to find, in the streams themselves */

static gssize (*read_func) (GInputStream  *stream,
                            void          *buffer,
                            gsize          count,
                            GCancellable  *cancellable,
                            GError       **error);
static gssize (*write_func) (GOutputStream  *stream,
                             const void     *buffer,
                             gsize           count,
                             GCancellable   *cancellable,
                             GError        **error);

static gssize
read_wrong (GInputStream  *stream,
            void          *buffer,
            gsize          count,
            GCancellable  *cancellable,
            GError       **error)
{
  gssize n = read_func (stream, buffer, count, cancellable, error);

  if (n > 0)
    ((char *) buffer)[n - 1] ^= 1;
  return n;
}

static gssize
write_too_little (GOutputStream  *stream,
                  const void     *buffer,
                  gsize           count,
                  GCancellable   *cancellable,
                  GError        **error)
{
  gssize n = write_func (stream, buffer, count - 1, cancellable, error);

  return n < 0 ? n : n + 1;
}

static gboolean
seek_nowhere (GSeekable     *seekable,
              goffset        offset,
              GSeekType      type,
              GCancellable  *cancellable,
              GError       **error)
{
  return TRUE;
}

static void
plant_fault (const char *fault)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  g_autoptr(GInputStream) reader = tf_temp_file_open_reader (TF_TEMP_FILE (file), NULL);
  gpointer input = g_io_stream_get_input_stream (G_IO_STREAM (file));
  gpointer output = g_io_stream_get_output_stream (G_IO_STREAM (file));

  if (g_str_equal (fault, "read"))
    {
      read_func = G_INPUT_STREAM_GET_CLASS (input)->read_fn;
      G_INPUT_STREAM_GET_CLASS (input)->read_fn = read_wrong;
    }
  else if (g_str_equal (fault, "reader"))
    {
      read_func = G_INPUT_STREAM_GET_CLASS (reader)->read_fn;
      G_INPUT_STREAM_GET_CLASS (reader)->read_fn = read_wrong;
    }
  else if (g_str_equal (fault, "write"))
    {
      write_func = G_OUTPUT_STREAM_GET_CLASS (output)->write_fn;
      G_OUTPUT_STREAM_GET_CLASS (output)->write_fn = write_too_little;
    }
  else if (g_str_equal (fault, "seek"))
    G_SEEKABLE_GET_IFACE (output)->seek = seek_nowhere;
  else
    g_error ("No such fault: %s", fault);
}

void
instead_init (int    *argc,
              char ***argv)
{
  const char *fault = g_getenv ("TF_GIO_FAULT");

  tf_test_init (argc, argv);
  tf_test_ignore_fds ();
  streams = g_ptr_array_new_with_free_func (stream_free);
  cases = g_ptr_array_new_with_free_func (g_free);
  if (fault != NULL)
    plant_fault (fault);
}

int
instead_run (void)
{
  int result = tf_test_run ();

  g_ptr_array_unref (cases);
  g_ptr_array_unref (streams);
  return result;
}

static void
run_case (gconstpointer data)
{
  const Case *this_case = data;

  if (this_case->reason != NULL)
    {
      g_test_skip (this_case->reason);
      return;
    }

  kind = this_case->kind;
  if (this_case->func != NULL)
    this_case->func ();
  else
    this_case->data_func (this_case->data);
  g_ptr_array_set_size (streams, 0);
}

static const char *
find_reason (const char *path)
{
  for (gsize i = 0; i < G_N_ELEMENTS (not_applicable); i++)
    if (g_str_equal (path, not_applicable[i].path))
      return not_applicable[i].reason;

  return NULL;
}

static void
add_for_kinds (const char *path,
               Case        with_all)
{
  with_all.reason = find_reason (path);
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *full = g_strconcat ("/", kinds[i].name, path, NULL);
      Case *this_case;

      if (kinds[i].is_reader && strstr (path, "input") == NULL)
        continue;

      this_case = g_memdup2 (&with_all, sizeof with_all);
      this_case->kind = &kinds[i];
      g_ptr_array_add (cases, this_case);
      g_test_add_data_func (full, this_case, run_case);
    }
}

void
instead_add_func (const char *path,
                  GTestFunc   func)
{
  add_for_kinds (path, (Case) { .func = func });
}

void
instead_add_data_func (const char    *path,
                       gconstpointer  data,
                       GTestDataFunc  func)
{
  add_for_kinds (path, (Case) { .data_func = func, .data = data });
}
