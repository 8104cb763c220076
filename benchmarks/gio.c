/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What GLib and GIO have to offer. */

#include <gio/gio.h>
#include <glib/gstdio.h>

#include "bench.h"

#define BUFFER_SIZE (1024 * 1024)

/* On a page: how fast memory is copied depends on it. */
#define PIECE 4096

static _Alignas (4096) char buffer[BUFFER_SIZE];

static void
check (gboolean      success,
       const GError *error)
{
  if (!success)
    g_error ("%s", error != NULL ? error->message : "a short read or write");
}

static void
fill (GOutputStream *stream,
      gsize          size,
      gsize          total)
{
  g_autoptr(GError) error = NULL;

  for (gsize i = 0; size > 0 && i + size <= total; i += size)
    check (g_output_stream_write (stream, buffer, size, NULL, &error) == (gssize) size, error);
}

static void
fill_memory (char **args)
{
  gsize size = number (args[0]), file_size = number (args[1]), n = number (args[2]);
  int64_t start = now ();

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr(GOutputStream) stream = g_memory_output_stream_new_resizable ();

      fill (stream, size, file_size);
    }
  print_each (now () - start, n * (file_size / size));
}

static void
grow_memory (char **args)
{
  gsize size = number (args[0]), total = number (args[1]);
  g_autoptr(GOutputStream) stream = g_memory_output_stream_new_resizable ();
  int64_t start = now ();

  fill (stream, size, total);
  print_each (now () - start, total / size);
}

static void
drain_memory (char **args)
{
  gsize size = number (args[0]), total = number (args[1]);
  char *data = g_malloc (total);
  g_autoptr(GInputStream) stream = NULL;
  g_autoptr(GError) error = NULL;
  int64_t start;

  memset (data, 'x', total);
  stream = g_memory_input_stream_new_from_data (data, total, g_free);
  start = now ();
  for (gsize i = 0; size > 0 && i + size <= total; i += size)
    check (g_input_stream_read (stream, buffer, size, NULL, &error) == (gssize) size, error);
  print_each (now () - start, total / size);
}

/* g_file_new_tmp() goes to g_get_tmp_dir(): the driver sets $TMPDIR. Its file stays: unlink it at once. */
static void
unnamed (char **args)
{
  gsize n = number (args[0]);
  int64_t start;

  g_setenv ("TMPDIR", args[1], TRUE);
  start = now ();
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(GFileIOStream) stream = NULL;
      g_autoptr(GFile) file = g_file_new_tmp (NULL, &stream, &error);

      check (file != NULL, error);
      g_unlink (g_file_peek_path (file));
      g_io_stream_close (G_IO_STREAM (stream), NULL, NULL);
    }
  print_each (now () - start, n);
}

static void
dir (char **args)
{
  gsize n = number (args[0]);
  int64_t start;

  g_setenv ("TMPDIR", args[1], TRUE);
  start = now ();
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr(GError) error = NULL;
      g_autofree char *path = g_dir_make_tmp (NULL, &error);

      check (path != NULL, error);
      g_rmdir (path);
    }
  print_each (now () - start, n);
}

static void
delete_all (GFile *file)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GFileEnumerator) entries =
    g_file_enumerate_children (file, G_FILE_ATTRIBUTE_STANDARD_NAME "," G_FILE_ATTRIBUTE_STANDARD_TYPE,
                               G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, &error);
  GFileInfo *info;
  GFile *child;

  check (entries != NULL, error);
  while (g_file_enumerator_iterate (entries, &info, &child, NULL, &error) && info != NULL)
    if (g_file_info_get_file_type (info) == G_FILE_TYPE_DIRECTORY)
      delete_all (child);
    else
      check (g_file_delete (child, NULL, &error), error);
  check (error == NULL, error);
  check (g_file_delete (file, NULL, &error), error);
}

static void
tree (char **args)
{
  g_autofree char *path = g_build_filename (args[0], "tree", NULL);
  g_autoptr(GFile) file = g_file_new_for_path (path);
  int64_t start;

  if (g_mkdir (path, 0700) != 0)
    die (path);
  make_tree (path, args[1], args[2]);
  start = now ();
  delete_all (file);
  print_each (now () - start, 1);
}

static void
splice_memory (char **args)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GFile) source = g_file_new_for_path (args[0]);
  g_autoptr(GFileInputStream) input = g_file_read (source, NULL, &error);
  g_autoptr(GOutputStream) stream = g_memory_output_stream_new_resizable ();
  int64_t start = now ();

  check (input != NULL, error);
  check (g_output_stream_splice (stream, G_INPUT_STREAM (input), G_OUTPUT_STREAM_SPLICE_NONE, NULL, &error) >= 0,
         error);
  print_each (now () - start, 1);
}

static void
copy (char **args)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename (args[1], "copy", NULL);
  g_autoptr(GFile) source = g_file_new_for_path (args[0]);
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  int64_t start = now ();

  check (g_file_copy (source, destination, G_FILE_COPY_NONE, NULL, NULL, NULL, &error), error);
  print_each (now () - start, 1);
}

static void
object (char **args)
{
  gsize size = number (args[0]), n = number (args[1]);
  int64_t start = now ();

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr(GOutputStream) stream = g_memory_output_stream_new_resizable ();
      g_autoptr(GBytes) bytes = NULL;

      fill (stream, size, size);
      g_output_stream_close (stream, NULL, NULL);
      bytes = g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (stream));
    }
  print_each (now () - start, n);
}

static void
live (char **args)
{
  gsize size = number (args[0]), n = number (args[1]);
  GOutputStream **streams = g_new0 (GOutputStream *, n);
  gsize before = read_status ("VmRSS");

  for (gsize i = 0; i < n; i++)
    {
      streams[i] = g_memory_output_stream_new_resizable ();
      fill (streams[i], size, size);
    }
  print_each ((read_status ("VmRSS") - before) * 1024, n);
}

/* SIZE N: bytes resident for each of N live streams of any size, written 4 KiB at a time */
static void
resident (char **args)
{
  gsize size = number (args[0]), n = number (args[1]);
  GOutputStream **streams = g_new0 (GOutputStream *, n);
  gsize before;

  memset (streams, 0xff, n * sizeof *streams);
  before = read_status ("VmRSS");
  for (gsize i = 0; i < n; i++)
    {
      streams[i] = g_memory_output_stream_new_resizable ();
      fill (streams[i], PIECE, size);
      fill (streams[i], size % PIECE, size % PIECE);
    }
  print_each ((read_status ("VmRSS") - before) * 1024, n);
}

/* The same for arrays */
static void
resident_array (char **args)
{
  gsize size = number (args[0]), n = number (args[1]);
  GByteArray **arrays = g_new0 (GByteArray *, n);
  gsize before;

  memset (arrays, 0xff, n * sizeof *arrays);
  before = read_status ("VmRSS");
  for (gsize i = 0; i < n; i++)
    {
      arrays[i] = g_byte_array_new ();
      for (gsize done = 0; done < size; done += PIECE)
        g_byte_array_append (arrays[i], (const guint8 *) buffer, MIN (PIECE, size - done));
    }
  print_each ((read_status ("VmRSS") - before) * 1024, n);
}

int
main (int    argc,
      char **argv)
{
  const Verb verbs[] = {
    { "fill-memory", 3, fill_memory },
    { "grow-memory", 2, grow_memory },
    { "drain-memory", 2, drain_memory },
    { "unnamed", 2, unnamed },
    { "dir", 2, dir },
    { "tree", 3, tree },
    { "splice-memory", 1, splice_memory },
    { "copy", 2, copy },
    { "object", 2, object },
    { "live", 2, live },
    { "resident", 2, resident },
    { "resident-array", 2, resident_array },
    { NULL },
  };

  memset (buffer, 'x', sizeof buffer);
  return run_verb (verbs, argc, argv);
}
