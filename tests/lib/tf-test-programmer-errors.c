/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-test-programmer-errors.h"

gpointer tf_test_place[16];

static GObject *
make_object (GType type)
{
  if (type == TF_TYPE_TEXT_STREAM)
    {
      g_autoptr(TfTempFile) base = g_initable_new (TF_TYPE_SPOOLED_FILE, NULL, NULL, NULL);

      return G_OBJECT (tf_text_stream_new (base, NULL, TF_NEWLINE_LF, TF_TEXT_ERRORS_STRICT, NULL));
    }

  return g_initable_new (type, NULL, NULL, NULL);
}

/* They are closed, so that nothing stays on disk. */
gpointer
tf_test_get_object (GType type)
{
  static GHashTable *objects;
  GObject *object;

  if (objects == NULL)
    objects = g_hash_table_new (NULL, NULL);
  object = g_hash_table_lookup (objects, (gpointer) type);
  if (object != NULL)
    return object;

  object = make_object (type);
  if (G_IS_IO_STREAM (object))
    g_assert_true (g_io_stream_close (G_IO_STREAM (object), NULL, NULL));
  else if (TF_IS_TEMP_DIR (object))
    g_assert_true (tf_temp_dir_cleanup (TF_TEMP_DIR (object), NULL, NULL));
  g_hash_table_insert (objects, (gpointer) type, object);
  return object;
}

/* They are of no use but to be refused, and never dropped: GLib complains of tasks that never return. */
GAsyncResult *
tf_test_get_result (gpointer source_object,
                    gpointer source_tag)
{
  static GPtrArray *results;
  GTask *task = g_task_new (source_object, NULL, NULL, NULL);

  if (results == NULL)
    results = g_ptr_array_new ();
  g_task_set_source_tag (task, source_tag);
  g_ptr_array_add (results, task);
  return G_ASYNC_RESULT (task);
}

GFile *
tf_test_get_file (void)
{
  static GFile *file;

  if (file == NULL)
    file = g_file_new_for_path ("file");
  return file;
}

GBytes *
tf_test_get_bytes (void)
{
  static GBytes *bytes;

  if (bytes == NULL)
    bytes = g_bytes_new_static ("bytes", 5);
  return bytes;
}

gpointer
tf_test_get_stranger (void)
{
  static GObject *stranger;

  if (stranger == NULL)
    stranger = g_object_new (G_TYPE_OBJECT, NULL);
  return stranger;
}

GCancellable *
tf_test_get_cancelled (void)
{
  static GCancellable *cancellable;

  if (cancellable == NULL)
    cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  return cancellable;
}

void
tf_test_expect_refusal (const char *pattern)
{
  g_test_expect_message ("Tf", G_LOG_LEVEL_CRITICAL, pattern);
}
