/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* Included before a test of GIO's own, whose memory streams become streams of temporary files. Each of its tests
 * runs for each kind of file. */

#include <gio/gio.h>

G_BEGIN_DECLS

void instead_init          (int             *argc,
                            char          ***argv);
int  instead_run           (void);
void instead_add_func      (const char      *path,
                            GTestFunc        func);
void instead_add_data_func (const char      *path,
                            gconstpointer    data,
                            GTestDataFunc    func);

GInputStream *instead_input_new      (void);
GInputStream *instead_input_new_from (gconstpointer   data,
                                      gssize          size,
                                      GDestroyNotify  destroy);
GInputStream *instead_input_of_bytes (GBytes         *bytes);
void          instead_input_add      (gpointer        stream,
                                      gconstpointer   data,
                                      gssize          size,
                                      GDestroyNotify  destroy);

GOutputStream *instead_output_new            (gpointer       buffer,
                                              gsize          size,
                                              GReallocFunc   realloc_func,
                                              GDestroyNotify destroy);
gpointer       instead_output_get_data       (gpointer       stream);
gsize          instead_output_get_data_size  (gpointer       stream);
gint64         instead_output_get_allocation (gpointer       stream);
gpointer       instead_output_steal_data     (gpointer       stream);
GBytes        *instead_output_steal_bytes    (gpointer       stream);

gpointer instead_object_new   (GType          type,
                               const char    *first_property_name,
                               ...);
gboolean instead_fill_buffers (gboolean       result);
gboolean instead_can_truncate (GSeekable     *seekable);
gboolean instead_seek         (GSeekable     *seekable,
                               goffset        offset,
                               GSeekType      type,
                               GCancellable  *cancellable,
                               GError       **error);

#ifndef INSTEAD_IMPLEMENTATION

#undef g_test_init
#define g_test_init(argc, argv, ...) instead_init (argc, argv)
#undef g_test_run
#define g_test_run instead_run
#undef g_test_add_func
#define g_test_add_func instead_add_func
#undef g_test_add_data_func
#define g_test_add_data_func instead_add_data_func

#undef G_MEMORY_INPUT_STREAM
#define G_MEMORY_INPUT_STREAM(object) ((GMemoryInputStream *) (object))
#define g_memory_input_stream_new instead_input_new
#define g_memory_input_stream_new_from_data instead_input_new_from
#define g_memory_input_stream_new_from_bytes instead_input_of_bytes
#define g_memory_input_stream_add_data instead_input_add

#undef G_MEMORY_OUTPUT_STREAM
#define G_MEMORY_OUTPUT_STREAM(object) ((GMemoryOutputStream *) (object))
#define g_memory_output_stream_new instead_output_new
#define g_memory_output_stream_new_resizable() instead_output_new (NULL, 0, g_realloc, g_free)
#define g_memory_output_stream_get_data instead_output_get_data
#define g_memory_output_stream_get_data_size instead_output_get_data_size
#define g_memory_output_stream_get_size instead_output_get_allocation
#define g_memory_output_stream_steal_data instead_output_steal_data
#define g_memory_output_stream_steal_as_bytes instead_output_steal_bytes
#undef g_object_new
#define g_object_new instead_object_new

/* How much is allocated is a stream's own business: that alone equals every number. */
#define INSTEAD_UNKNOWN G_MININT64

#undef g_assert_cmpint
#define g_assert_cmpint(n1, cmp, n2) \
  G_STMT_START { \
    gint64 instead_n1 = (n1), instead_n2 = (n2); \
    if (!(instead_n1 cmp instead_n2) && instead_n1 != INSTEAD_UNKNOWN) \
      { \
        g_autofree char *instead_message = g_strdup_printf ("%s: %" G_GINT64_FORMAT " " #cmp " %" G_GINT64_FORMAT, \
                                                            #n1 " " #cmp " " #n2, instead_n1, instead_n2); \
        g_assertion_message (G_LOG_DOMAIN, __FILE__, __LINE__, G_STRFUNC, instead_message); \
      } \
  } G_STMT_END

/* Tests look into the buffer that they gave to a stream, without asking the stream. */
#define g_data_output_stream_put_byte(...) instead_fill_buffers (g_data_output_stream_put_byte (__VA_ARGS__))
#define g_data_output_stream_put_int16(...) instead_fill_buffers (g_data_output_stream_put_int16 (__VA_ARGS__))
#define g_data_output_stream_put_uint16(...) instead_fill_buffers (g_data_output_stream_put_uint16 (__VA_ARGS__))
#define g_data_output_stream_put_int32(...) instead_fill_buffers (g_data_output_stream_put_int32 (__VA_ARGS__))
#define g_data_output_stream_put_uint32(...) instead_fill_buffers (g_data_output_stream_put_uint32 (__VA_ARGS__))
#define g_data_output_stream_put_int64(...) instead_fill_buffers (g_data_output_stream_put_int64 (__VA_ARGS__))
#define g_data_output_stream_put_uint64(...) instead_fill_buffers (g_data_output_stream_put_uint64 (__VA_ARGS__))
#define g_data_output_stream_put_string(...) instead_fill_buffers (g_data_output_stream_put_string (__VA_ARGS__))

/* Of a buffer of a fixed size, which no file has */
#define g_seekable_can_truncate instead_can_truncate
#define g_seekable_seek instead_seek

#endif

G_END_DECLS
