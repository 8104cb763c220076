/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-test-files.h"

#include <string.h>

const TfTestKind tf_test_kinds[] = {
  { "temp", tf_temp_file_get_type, 0 },
  { "named", tf_named_file_get_type, 0 },
  { "memory", tf_spooled_file_get_type, -1 },
  { "rolling", tf_spooled_file_get_type, 4096 },
  { "disk", tf_spooled_file_get_type, 0 },
  { NULL, },
};

gboolean
tf_test_kind_is_spooled (const TfTestKind *kind)
{
  return kind->get_type == tf_spooled_file_get_type;
}

/* Takes a spooled file through rollover where the others fail in init(). */
TfTempFile *
tf_test_kind_new (const TfTestKind  *kind,
                  const char        *dir,
                  const char        *prefix,
                  const char        *suffix,
                  GError           **error)
{
  g_autoptr(TfTempFile) file = NULL;

  if (!tf_test_kind_is_spooled (kind))
    return g_initable_new (kind->get_type (), NULL, error,
                           "dir", dir, "prefix", prefix, "suffix", suffix, NULL);

  file = g_object_new (kind->get_type (),
                       "dir", dir, "prefix", prefix, "suffix", suffix, "max-size", kind->max_size, NULL);
  if (!tf_spooled_file_rollover (TF_SPOOLED_FILE (file), NULL, error))
    return NULL;

  return g_steal_pointer (&file);
}

TfTempFile *
tf_test_kind_make (const TfTestKind *kind)
{
  g_autoptr(GError) error = NULL;
  TfTempFile *file = tf_test_kind_is_spooled (kind) ? TF_TEMP_FILE (tf_spooled_file_new (kind->max_size))
                                                    : g_initable_new (kind->get_type (), NULL, &error, NULL);

  g_assert_no_error (error);
  return file;
}

void
tf_test_add_for_kinds (const char    *group,
                       const char    *name,
                       GTestDataFunc  func)
{
  for (const TfTestKind *kind = tf_test_kinds; kind->name != NULL; kind++)
    {
      g_autofree char *path = g_strdup_printf ("/%s/%s/%s", group, kind->name, name);

      g_test_add_data_func (path, kind, func);
    }
}

void
tf_test_write (TfTempFile *file,
               const char *text)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_write (file, text, strlen (text), NULL, &error));
  g_assert_no_error (error);
}

void
tf_test_seek (TfTempFile *file,
              goffset     offset,
              GSeekType   type)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), offset, type, NULL, &error));
  g_assert_no_error (error);
}

void
tf_test_assert_file (TfTempFile    *file,
                     goffset        position,
                     gconstpointer  content,
                     gsize          size)
{
  GSeekable *input = G_SEEKABLE (g_io_stream_get_input_stream (G_IO_STREAM (file)));
  GSeekable *output = G_SEEKABLE (g_io_stream_get_output_stream (G_IO_STREAM (file)));
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;

  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, position);
  g_assert_cmpint (g_seekable_tell (input), ==, position);
  g_assert_cmpint (g_seekable_tell (output), ==, position);
  g_assert_cmpint (tf_temp_file_get_size (file), ==, size);

  tf_test_seek (file, 0, G_SEEK_SET);
  bytes = tf_temp_file_read_bytes (file, G_MAXSIZE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), content, size);
  tf_test_seek (file, position, G_SEEK_SET);
}

guint
tf_test_sweep (guint min_age_seconds)
{
  g_autoptr(GError) error = NULL;
  guint n_removed = G_MAXUINT;

  g_assert_true (tf_sweep (NULL, NULL, min_age_seconds, &n_removed, NULL, &error));
  g_assert_no_error (error);
  return n_removed;
}
