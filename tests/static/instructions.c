/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What check-instructions.py counts: each function below makes CALLS calls, or CREATIONS of what takes an inode. */

#include <tempfile-glib.h>

#define CALLS 10000
#define CREATIONS 1000
#define SIZE 64

#define COUNTED G_GNUC_NO_INLINE static void

/* Equal functions are made one by some compilers. */
#define UNLIKE_OTHERS __asm__ volatile ("" :: "i" (__LINE__))

static char buffer[SIZE];

COUNTED
count_write_direct (TfTempFile *file)
{
  for (int i = 0; i < CALLS; i++)
    tf_temp_file_write (file, buffer, SIZE, NULL, NULL);
}

COUNTED
count_read_direct (TfTempFile *file)
{
  for (int i = 0; i < CALLS; i++)
    tf_temp_file_read (file, buffer, SIZE, NULL, NULL);
}

COUNTED
count_write_stream (TfTempFile *file)
{
  GOutputStream *stream = g_io_stream_get_output_stream (G_IO_STREAM (file));

  for (int i = 0; i < CALLS; i++)
    g_output_stream_write (stream, buffer, SIZE, NULL, NULL);
}

COUNTED
count_read_stream (TfTempFile *file)
{
  GInputStream *stream = g_io_stream_get_input_stream (G_IO_STREAM (file));

  for (int i = 0; i < CALLS; i++)
    g_input_stream_read (stream, buffer, SIZE, NULL, NULL);
}

COUNTED
count_write_disk (TfTempFile *file)
{
  UNLIKE_OTHERS;
  for (int i = 0; i < CALLS; i++)
    tf_temp_file_write (file, buffer, SIZE, NULL, NULL);
}

COUNTED
count_read_disk (TfTempFile *file)
{
  UNLIKE_OTHERS;
  for (int i = 0; i < CALLS; i++)
    tf_temp_file_read (file, buffer, SIZE, NULL, NULL);
}

COUNTED
count_write_threads (TfTempFile *file)
{
  UNLIKE_OTHERS;
  for (int i = 0; i < CALLS; i++)
    tf_temp_file_write (file, buffer, SIZE, NULL, NULL);
}

COUNTED
count_object (void)
{
  for (int i = 0; i < CALLS; i++)
    g_object_unref (tf_spooled_file_new (-1));
}

COUNTED
count_create_unnamed (void)
{
  for (int i = 0; i < CREATIONS; i++)
    g_object_unref (tf_temp_file_new (NULL, NULL, NULL));
}

COUNTED
count_create_named (void)
{
  for (int i = 0; i < CREATIONS; i++)
    g_object_unref (tf_named_file_new (NULL, NULL, NULL, NULL, NULL));
}

COUNTED
count_create_dir (void)
{
  for (int i = 0; i < CREATIONS; i++)
    g_object_unref (tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL));
}

static void
from_start (void       (*count) (TfTempFile *file),
            TfTempFile  *file)
{
  g_autoptr(GError) error = NULL;

  if (!g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error))
    g_error ("%s", error->message);
  count (file);
}

static gpointer
do_nothing (gpointer data)
{
  return NULL;
}

int
main (void)
{
  g_autoptr(TfSpooledFile) memory = tf_spooled_file_new (-1);
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) disk = tf_temp_file_new (NULL, NULL, &error);
  g_autofree char *content = g_malloc0 (CALLS * SIZE);

  /* The size does not change any more: growing is not what is counted. */
  if (disk == NULL ||
      !tf_temp_file_write (TF_TEMP_FILE (memory), content, CALLS * SIZE, NULL, &error) ||
      !tf_temp_file_write (disk, content, CALLS * SIZE, NULL, &error))
    g_error ("%s", error->message);

  count_object ();
  count_create_unnamed ();
  count_create_named ();
  count_create_dir ();
  from_start (count_write_stream, TF_TEMP_FILE (memory));
  from_start (count_read_stream, TF_TEMP_FILE (memory));
  from_start (count_write_disk, disk);
  from_start (count_read_disk, disk);
  from_start (count_write_direct, TF_TEMP_FILE (memory));
  from_start (count_read_direct, TF_TEMP_FILE (memory));

  g_thread_join (g_thread_new ("other", do_nothing, NULL));
  from_start (count_write_threads, TF_TEMP_FILE (memory));

  return 0;
}
