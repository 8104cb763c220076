/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* tempfile-glib, through its public API. */

#include <tempfile-glib.h>

#include <sys/resource.h>

#include "bench.h"

#define BUFFER_SIZE (1024 * 1024)
#define PIECE 4096

/* On a page: how fast memory is copied depends on it. */
static _Alignas (4096) char buffer[BUFFER_SIZE];

typedef struct
{
  GObject parent_instance;
} Bare;

typedef struct
{
  GObjectClass parent_class;
} BareClass;

G_DEFINE_TYPE (Bare, bare, G_TYPE_OBJECT)

static void
bare_class_init (BareClass *klass)
{
}

static void
bare_init (Bare *self)
{
}

static void
use_all_descriptors (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    die ("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit (RLIMIT_NOFILE, &limit) != 0)
    die ("setrlimit");
}

static void
check (gboolean      success,
       const GError *error)
{
  if (!success)
    g_error ("%s", error != NULL ? error->message : "a short read or write");
}

static void
fill_direct (TfTempFile *file,
             gsize       size,
             gsize       total)
{
  g_autoptr(GError) error = NULL;

  for (gsize i = 0; size > 0 && i + size <= total; i += size)
    check (tf_temp_file_write (file, buffer, size, NULL, &error), error);
}

static void
fill_stream (TfTempFile *file,
             gsize       size,
             gsize       total)
{
  GOutputStream *stream = g_io_stream_get_output_stream (G_IO_STREAM (file));
  g_autoptr(GError) error = NULL;

  for (gsize i = 0; i + size <= total; i += size)
    check (g_output_stream_write (stream, buffer, size, NULL, &error) == (gssize) size, error);
}

static void
drain_direct (TfTempFile *file,
              gsize       size,
              gsize       total)
{
  g_autoptr(GError) error = NULL;

  for (gsize i = 0; i + size <= total; i += size)
    check (tf_temp_file_read (file, buffer, size, NULL, &error) == (gssize) size, error);
}

static void
drain_stream (TfTempFile *file,
              gsize       size,
              gsize       total)
{
  GInputStream *stream = g_io_stream_get_input_stream (G_IO_STREAM (file));
  g_autoptr(GError) error = NULL;

  for (gsize i = 0; i + size <= total; i += size)
    check (g_input_stream_read (stream, buffer, size, NULL, &error) == (gssize) size, error);
}

static void
rewind_file (TfTempFile *file)
{
  g_autoptr(GError) error = NULL;

  check (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, &error), error);
}

typedef void (*MoveFunc) (TfTempFile *file,
                          gsize       size,
                          gsize       total);

static MoveFunc
fill_func (const char *way)
{
  return strcmp (way, "direct") == 0 ? fill_direct : fill_stream;
}

static MoveFunc
drain_func (const char *way)
{
  return strcmp (way, "direct") == 0 ? drain_direct : drain_stream;
}

/* WAY SIZE FILE-SIZE N: N files in memory, one after the other. */
static void
fill_memory (char **args)
{
  MoveFunc fill = fill_func (args[0]);
  gsize size = number (args[1]), file_size = number (args[2]), n = number (args[3]);
  int64_t start = now ();

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);

      fill (TF_TEMP_FILE (file), size, file_size);
    }
  print_each (now () - start, n * (file_size / size));
}

/* WAY SIZE TOTAL: one file in memory; what it takes to free it is not counted. */
static void
grow_memory (char **args)
{
  MoveFunc fill = fill_func (args[0]);
  gsize size = number (args[1]), total = number (args[2]);
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  int64_t start = now ();

  fill (TF_TEMP_FILE (file), size, total);
  print_each (now () - start, total / size);
}

static void
drain_memory (char **args)
{
  MoveFunc drain = drain_func (args[0]);
  gsize size = number (args[1]), total = number (args[2]);
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  int64_t start;

  fill_direct (TF_TEMP_FILE (file), size, total);
  rewind_file (TF_TEMP_FILE (file));
  start = now ();
  drain (TF_TEMP_FILE (file), size, total);
  print_each (now () - start, total / size);
}

static TfTempFile *
rolled_over (const char *dir)
{
  TfSpooledFile *file = g_object_new (TF_TYPE_SPOOLED_FILE, "dir", dir, NULL);
  g_autoptr(GError) error = NULL;

  check (tf_spooled_file_rollover (file, NULL, &error), error);
  return TF_TEMP_FILE (file);
}

static void
flush (TfTempFile *file)
{
  g_autoptr(GError) error = NULL;

  check (g_output_stream_flush (g_io_stream_get_output_stream (G_IO_STREAM (file)), NULL, &error), error);
}

static void
fill_disk (char **args)
{
  MoveFunc fill = fill_func (args[0]);
  gsize size = number (args[1]), total = number (args[2]);
  g_autoptr(TfTempFile) file = rolled_over (args[3]);
  int64_t start = now ();

  fill (file, size, total);
  flush (file);
  print_each (now () - start, total / size);
}

static void
drain_disk (char **args)
{
  MoveFunc drain = drain_func (args[0]);
  gsize size = number (args[1]), total = number (args[2]);
  g_autoptr(TfTempFile) file = rolled_over (args[3]);
  int64_t start;

  fill_direct (file, size, total);
  flush (file);
  rewind_file (file);
  start = now ();
  drain (file, size, total);
  print_each (now () - start, total / size);
}

static void
rollover (char **args)
{
  gsize size = number (args[0]), n = number (args[1]);
  int64_t spent = 0;

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr(TfSpooledFile) file =
        g_object_new (TF_TYPE_SPOOLED_FILE, "dir", args[2], "max-size", (gint64) -1, NULL);
      g_autoptr(GError) error = NULL;
      int64_t start;

      fill_direct (TF_TEMP_FILE (file), MIN (size, BUFFER_SIZE), size);
      start = now ();
      check (tf_spooled_file_rollover (file, NULL, &error), error);
      spent += now () - start;
    }
  print_each (spent, n);
}

static void
unnamed (char **args)
{
  gsize n = number (args[0]);
  int64_t start = now ();

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(TfTempFile) file = tf_temp_file_new (args[1], NULL, &error);

      check (file != NULL, error);
    }
  print_each (now () - start, n);
}

static void
named (char **args)
{
  gsize n = number (args[0]);
  int64_t start = now ();

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, args[1], NULL, &error);

      check (file != NULL, error);
    }
  print_each (now () - start, n);
}

static void
dir (char **args)
{
  gsize n = number (args[0]);
  int64_t start = now ();

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(TfTempDir) temp_dir = tf_temp_dir_new (NULL, NULL, args[1], NULL, &error);

      check (temp_dir != NULL, error);
    }
  print_each (now () - start, n);
}

static void
tree (char **args)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempDir) temp_dir = tf_temp_dir_new (NULL, NULL, args[0], NULL, &error);
  int64_t start;

  check (temp_dir != NULL, error);
  make_tree (tf_temp_dir_get_path (temp_dir), args[1], args[2]);
  start = now ();
  check (tf_temp_dir_cleanup (temp_dir, NULL, &error), error);
  print_each (now () - start, 1);
}

/* SOURCE: into memory */
static void
splice (TfTempFile *file,
        const char *source)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GFile) source_file = g_file_new_for_path (source);
  g_autoptr(GFileInputStream) input = g_file_read (source_file, NULL, &error);

  check (input != NULL, error);
  check (g_output_stream_splice (g_io_stream_get_output_stream (G_IO_STREAM (file)), G_INPUT_STREAM (input),
                                 G_OUTPUT_STREAM_SPLICE_NONE, NULL, &error) >= 0, error);
  flush (file);
}

static void
splice_memory (char **args)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  int64_t start = now ();

  splice (TF_TEMP_FILE (file), args[0]);
  print_each (now () - start, 1);
}

static void
splice_disk (char **args)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = tf_temp_file_new (args[1], NULL, &error);
  int64_t start;

  check (file != NULL, error);
  start = now ();
  splice (file, args[0]);
  print_each (now () - start, 1);
}

/* N: an empty file in memory */
static void
empty (char **args)
{
  gsize n = number (args[0]);
  int64_t start = now ();

  for (gsize i = 0; i < n; i++)
    g_object_unref (tf_spooled_file_new (1024 * 1024));
  print_each (now () - start, n);
}

/* N: an object that does nothing */
static void
bare (char **args)
{
  gsize n = number (args[0]);
  int64_t start = now ();

  for (gsize i = 0; i < n; i++)
    g_object_unref (g_object_new (bare_get_type (), NULL));
  print_each (now () - start, n);
}

/* SIZE N: a file in memory from its first breath to its last */
static void
object (char **args)
{
  gsize size = number (args[0]), n = number (args[1]);
  int64_t start = now ();

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr(TfSpooledFile) file = tf_spooled_file_new (1024 * 1024);

      fill_direct (TF_TEMP_FILE (file), size, size);
      rewind_file (TF_TEMP_FILE (file));
      drain_direct (TF_TEMP_FILE (file), size, size);
    }
  print_each (now () - start, n);
}

/* SIZE N: bytes resident for each of N live files */
static void
live (char **args)
{
  gsize size = number (args[0]), n = number (args[1]);
  TfSpooledFile **files = g_new0 (TfSpooledFile *, n);
  gsize before = read_status ("VmRSS");

  for (gsize i = 0; i < n; i++)
    {
      files[i] = tf_spooled_file_new (1024 * 1024);
      fill_direct (TF_TEMP_FILE (files[i]), size, size);
    }
  print_each ((read_status ("VmRSS") - before) * 1024, n);
}

/* SIZE N: the same for any size, written 4 KiB at a time and never to disk */
static void
resident (char **args)
{
  gsize size = number (args[0]), n = number (args[1]);
  TfSpooledFile **files = g_new0 (TfSpooledFile *, n);
  gsize before;

  memset (files, 0xff, n * sizeof *files);
  before = read_status ("VmRSS");
  for (gsize i = 0; i < n; i++)
    {
      files[i] = tf_spooled_file_new (-1);
      fill_direct (TF_TEMP_FILE (files[i]), PIECE, size);
      fill_direct (TF_TEMP_FILE (files[i]), size % PIECE, size % PIECE);
    }
  print_each ((read_status ("VmRSS") - before) * 1024, n);
}

/* SIZE BUDGET TOTAL: the peak of resident memory while files of SIZE bytes, TOTAL together, are written and kept */
static void
budget (char **args)
{
  gsize size = number (args[0]), total = number (args[2]);
  gsize before = read_status ("VmRSS");

  use_all_descriptors ();
  tf_set_memory_budget (number (args[1]));
  for (gsize i = 0; i < total; i += size)
    {
      TfSpooledFile *file = tf_spooled_file_new (-1);

      fill_direct (TF_TEMP_FILE (file), PIECE, size);
      fill_direct (TF_TEMP_FILE (file), size % PIECE, size % PIECE);
    }
  print_each ((read_status ("VmHWM") - before) * 1024, 1);
}

static gsize
count_descriptors (void)
{
  g_autoptr(GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  gsize n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;

  return n;
}

static void
make_small (gsize n)
{
  for (gsize i = 0; i < n; i++)
    fill_direct (TF_TEMP_FILE (tf_spooled_file_new (-1)), 100, 100);
}

/* GLib has one for the main context. */
static gsize
count_descriptors_before (void)
{
  g_main_context_default ();
  return count_descriptors ();
}

/* N: the descriptors that N small files and one large one take, which exceeds the budget alone */
static void
edge (char **args)
{
  gsize before = count_descriptors_before ();
  TfSpooledFile *hog = tf_spooled_file_new (-1);

  fill_direct (TF_TEMP_FILE (hog), BUFFER_SIZE, 32 * BUFFER_SIZE);
  tf_set_memory_budget (32 * BUFFER_SIZE);
  make_small (number (args[0]));
  print_each (count_descriptors () - before, 1);
}

/* N: the same when memory runs low */
static void
low_memory (char **args)
{
  g_autoptr(GMemoryMonitor) monitor = g_memory_monitor_dup_default ();
  TfSpooledFile *hog = tf_spooled_file_new (-1);
  gsize before;

  fill_direct (TF_TEMP_FILE (hog), BUFFER_SIZE, 32 * BUFFER_SIZE);
  make_small (number (args[0]));
  tf_set_roll_over_on_low_memory (TRUE);
  before = count_descriptors ();
  g_signal_emit_by_name (monitor, "low-memory-warning", G_MEMORY_MONITOR_WARNING_LEVEL_LOW);
  while (!tf_spooled_file_is_rolled_over (hog))
    g_main_context_iteration (NULL, FALSE);
  print_each (count_descriptors () - before, 1);
}

/* SIZE: how long the longest of the writes of 64 KiB takes of which one makes a file of SIZE bytes roll over */
static void
longest_write (char **args)
{
  gsize size = number (args[0]);
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new_full (size, NULL, NULL, args[1]);
  int64_t longest = 0;

  for (gsize i = 0; i < 2 * size; i += 64 * 1024)
    {
      int64_t start = now ();

      fill_direct (TF_TEMP_FILE (file), 64 * 1024, 64 * 1024);
      longest = MAX (longest, now () - start);
    }
  print_each (longest, 1);
}

/* PIECE SIZE: the peak of resident memory while SIZE bytes are written, in bytes beyond SIZE × 1.1 */
static void
peak (char **args)
{
  gsize piece = number (args[0]), size = number (args[1]);
  gsize before = read_status ("VmRSS");
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);

  fill_direct (TF_TEMP_FILE (file), piece, size);
  print_each ((read_status ("VmHWM") - before) * 1024, 1);
}

int
main (int    argc,
      char **argv)
{
  const Verb verbs[] = {
    { "fill-memory", 4, fill_memory },
    { "grow-memory", 3, grow_memory },
    { "drain-memory", 3, drain_memory },
    { "fill-disk", 4, fill_disk },
    { "drain-disk", 4, drain_disk },
    { "rollover", 3, rollover },
    { "unnamed", 2, unnamed },
    { "named", 2, named },
    { "dir", 2, dir },
    { "tree", 3, tree },
    { "splice-memory", 1, splice_memory },
    { "splice-disk", 2, splice_disk },
    { "object", 2, object },
    { "live", 2, live },
    { "resident", 2, resident },
    { "peak", 2, peak },
    { "budget", 3, budget },
    { "edge", 1, edge },
    { "low-memory", 1, low_memory },
    { "longest-write", 2, longest_write },
    { "empty", 1, empty },
    { "bare", 1, bare },
    { NULL },
  };

  memset (buffer, 'x', sizeof buffer);
  return run_verb (verbs, argc, argv);
}
