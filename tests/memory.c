/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <malloc.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/tf-file.h"
#include "store/tf-memory-pool.h"
#include "tf-test.h"
#include "tf-test-async.h"

#define N_THREADS 4
#define N_ROUNDS 100
#define KIB ((gsize) 1024)

/* What the kernel tells of pressure with, or -1. The linker puts these functions in the place of others, see
 * meson.build. */
static int pressure_fd = -1;
static gboolean has_no_threads;

int __wrap_tf_system_open_memory_pressure (void);
GThread *__real_g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error);
GThread *__wrap_g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error);

int
__wrap_tf_system_open_memory_pressure (void)
{
  int fd = pressure_fd;

  pressure_fd = -1;
  return fd;
}

GThread *
__wrap_g_thread_try_new (const char   *name,
                         GThreadFunc   func,
                         gpointer      data,
                         GError      **error)
{
  if (!has_no_threads)
    return __real_g_thread_try_new (name, func, data, error);

  g_set_error_literal (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "there are too many");
  return NULL;
}

static gint n_attached;

guint __real_g_source_attach (GSource *source, GMainContext *context);
guint __wrap_g_source_attach (GSource *source, GMainContext *context);

guint
__wrap_g_source_attach (GSource      *source,
                        GMainContext *context)
{
  g_atomic_int_inc (&n_attached);
  return __real_g_source_attach (source, context);
}

static void
write_zeros (TfSpooledFile *file,
             gsize          count)
{
  g_autofree char *zeros = g_malloc0 (count);
  g_autoptr(GError) error = NULL;

  tf_temp_file_write (TF_TEMP_FILE (file), zeros, count, NULL, &error);
  g_assert_no_error (error);
}

/* More than is spared. */
#define LARGE (100 * KIB)

static void
assert_about (gsize value,
              gsize expected)
{
  g_assert_cmpuint (value, >=, expected);
  g_assert_cmpuint (value, <=, expected * 1.13);
}

static void
test_budget_largest_first (void)
{
  g_autoptr(TfSpooledFile) first = tf_spooled_file_new (-1);
  g_autoptr(TfSpooledFile) second = tf_spooled_file_new (-1);
  g_autoptr(TfSpooledFile) third = tf_spooled_file_new (-1);

  tf_set_memory_budget (1040 * KIB);
  write_zeros (first, 600 * KIB);
  write_zeros (second, 300 * KIB);
  assert_about (tf_memory_pool_get_held (), 900 * KIB);

  write_zeros (second, 100 * KIB);
  g_assert_true (tf_spooled_file_is_rolled_over (first));
  g_assert_false (tf_spooled_file_is_rolled_over (second));
  assert_about (tf_memory_pool_get_held (), 400 * KIB);

  /* The one that needs more is the largest itself. */
  write_zeros (third, 800 * KIB);
  g_assert_false (tf_spooled_file_is_rolled_over (second));
  g_assert_true (tf_spooled_file_is_rolled_over (third));

  /* What is overwritten is not counted twice; what is cut off is free again. */
  g_assert_true (g_seekable_seek (G_SEEKABLE (second), 0, G_SEEK_SET, NULL, NULL));
  write_zeros (second, 400 * KIB);
  assert_about (tf_memory_pool_get_held (), 400 * KIB);
  g_assert_true (g_seekable_truncate (G_SEEKABLE (second), 100 * KIB, NULL, NULL));
  assert_about (tf_memory_pool_get_held (), 100 * KIB);

  g_clear_object (&second);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_set_memory_budget (0);
}

static TfSpooledFile *inherited;
static guint n_told;

static void
count_told (TfSpooledFile *file,
            gpointer       no_data)
{
  n_told++;
}

static void
write_in_child (void)
{
  g_autoptr(TfSpooledFile) own = tf_spooled_file_new (-1);

  g_atomic_int_set (&n_attached, 0);
  write_zeros (own, 500 * KIB);
  g_assert_true (tf_spooled_file_is_rolled_over (inherited));
  g_assert_cmpint (g_atomic_int_get (&n_attached), ==, 0);
  g_assert_cmpuint (n_told, ==, 0);
  write_zeros (inherited, 1);
  write_zeros (inherited, 1);
  g_assert_cmpuint (n_told, ==, 1);
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (inherited)), ==, 600 * KIB + 2);
}

static void
persist_in_child (void)
{
  g_autoptr(TfSpooledFile) own = tf_spooled_file_new (-1);
  g_autofree char *path = g_strdup_printf ("/dev/shm/tf-test-%d", getpid ());
  g_autoptr(GFile) place = g_file_new_for_path (path);
  g_autoptr(GError) error = NULL;

  write_zeros (own, 500 * KIB);
  g_assert_true (tf_spooled_file_is_rolled_over (inherited));
  tf_temp_file_persist (TF_TEMP_FILE (inherited), place, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_told, ==, 1);
  g_assert_cmpint (unlink (path), ==, 0);
}

/* The thread that iterates the main context of what the child inherits is not there, and may have had its lock. */
static void
test_budget_in_child (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);

  tf_set_memory_budget (1000 * KIB);
  write_zeros (file, 600 * KIB);
  g_assert_false (tf_spooled_file_is_rolled_over (file));
  g_signal_connect (file, "rolled-over", G_CALLBACK (count_told), NULL);
  inherited = file;
  tf_test_in_child (write_in_child);
  tf_test_in_child (persist_in_child);
  tf_set_memory_budget (0);
}

static int
count_descriptors (void)
{
  g_autoptr(GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  int n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;

  return n;
}

/* One large file that nobody uses does not drive small ones to disk. */
static void
test_budget_spares_the_small (void)
{
  g_autoptr(TfSpooledFile) hog = tf_spooled_file_new (-1);
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  int n_before;

  tf_set_memory_budget (1000 * KIB);
  write_zeros (hog, 800 * KIB);
  n_before = count_descriptors ();
  for (int i = 0; i < 1000; i++)
    {
      TfSpooledFile *file = tf_spooled_file_new (-1);

      g_ptr_array_add (files, file);
      write_zeros (file, 1000);
      g_assert_false (tf_spooled_file_is_rolled_over (file));
    }
  g_assert_true (tf_spooled_file_is_rolled_over (hog));
  g_assert_cmpint (count_descriptors (), ==, n_before + 1);
  tf_set_memory_budget (0);
}

/* Bytes that come one by one are counted as those that come at once. */
static void
test_budget_pieces (void)
{
  g_autoptr(TfSpooledFile) before = tf_spooled_file_new (-1);
  g_autoptr(TfSpooledFile) after = tf_spooled_file_new (-1);

  write_zeros (before, KIB);
  tf_set_memory_budget (1000 * KIB);
  for (int i = 1; i < 200; i++)
    write_zeros (before, KIB);
  for (int i = 0; i < 600; i++)
    write_zeros (after, KIB);
  assert_about (tf_memory_pool_get_held (), 800 * KIB);
  g_assert_false (tf_spooled_file_is_rolled_over (before));
  g_assert_false (tf_spooled_file_is_rolled_over (after));

  for (int i = 0; i < 300; i++)
    write_zeros (after, KIB);
  g_assert_true (tf_spooled_file_is_rolled_over (after));
  assert_about (tf_memory_pool_get_held (), 200 * KIB);
  tf_set_memory_budget (0);
}

/* A budget that comes later counts what is there. */
static void
test_budget_later (void)
{
  g_autoptr(TfSpooledFile) first = tf_spooled_file_new (-1);
  g_autoptr(TfSpooledFile) second = tf_spooled_file_new (-1);

  write_zeros (first, 600 * KIB);
  tf_set_memory_budget (500 * KIB);
  assert_about (tf_memory_pool_get_held (), 600 * KIB);
  g_assert_false (tf_spooled_file_is_rolled_over (first));
  write_zeros (second, 1);
  g_assert_true (tf_spooled_file_is_rolled_over (first));
  g_assert_false (tf_spooled_file_is_rolled_over (second));
  tf_set_memory_budget (0);
}

/* When the disk refuses, what is counted is what is there. */
static void
test_budget_refused (void)
{
  g_autoptr(TfSpooledFile) file = g_object_new (TF_TYPE_SPOOLED_FILE, "max-size", (gint64) -1, "dir", "/nonexistent", NULL);
  g_autoptr(GError) error = NULL;
  g_autofree char *zeros = g_malloc0 (2 * LARGE);

  tf_set_memory_budget (2 * LARGE);
  write_zeros (file, LARGE);
  g_assert_false (tf_temp_file_write (TF_TEMP_FILE (file), zeros, 2 * LARGE, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  assert_about (tf_memory_pool_get_held (), LARGE);
  tf_set_memory_budget (0);
}

/* Bytes are counted as long as somebody keeps them in memory. */
static void
test_budget_kept (void)
{
  TfSpooledFile *read = tf_spooled_file_new (-1);
  TfSpooledFile *stolen = tf_spooled_file_new (-1);
  g_autoptr(GInputStream) reader = NULL;
  g_autoptr(GBytes) bytes = NULL;

  write_zeros (read, 200 * KIB);
  write_zeros (stolen, 300 * KIB);
  reader = tf_temp_file_open_reader (TF_TEMP_FILE (read), NULL);
  bytes = tf_temp_file_steal_bytes (TF_TEMP_FILE (stolen), NULL, NULL);
  g_assert_true (g_io_stream_close (G_IO_STREAM (read), NULL, NULL));
  g_object_unref (read);
  g_object_unref (stolen);
  assert_about (tf_memory_pool_get_held (), 500 * KIB);

  g_clear_object (&reader);
  assert_about (tf_memory_pool_get_held (), 300 * KIB);
  g_clear_pointer (&bytes, g_bytes_unref);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
}

static gsize
get_resident (void)
{
  g_autofree char *statm = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &statm, NULL, NULL));
  return g_ascii_strtoull (strchr (statm, ' '), NULL, 10) * sysconf (_SC_PAGESIZE);
}

/* With MALLOC_PERTURB_, which meson sets, glibc writes to what is freed; and by itself it gives the end of its heap
 * back. */
static gboolean
skip_resident (void)
{
#ifdef M_PERTURB
  mallopt (M_PERTURB, 0);
  mallopt (M_TRIM_THRESHOLD, G_MAXINT);
  mallopt (M_MMAP_THRESHOLD, 32 * KIB * KIB); /* where that of a program ends that frees large pieces */
#endif
#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
  g_test_skip ("The sanitizer has a heap of its own");
  return TRUE;
#else
  return tf_test_skip_if_portable ("what is resident");
#endif
}

/* Beside the budget, the heap may have 8 MiB, and the tests something for themselves. */
static void
assert_within (gsize budget,
               gsize before)
{
  gsize now = get_resident ();

  g_assert_cmpuint (now - MIN (now, before), <=, budget + 10 * KIB * KIB);
  tf_set_memory_budget (0);
}

/* Sets a budget in which the files have room. */
static gsize
set_budget_for (guint n,
                gsize size)
{
  gsize budget = n * size / 8 * 9 + KIB * KIB;

  tf_set_memory_budget (budget);
  return budget;
}

static GPtrArray *
make_many (guint  n,
           gsize  size,
           gint64 max_size)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < n; i++)
    {
      TfSpooledFile *file = tf_spooled_file_new (max_size);

      if (size > 0)
        write_zeros (file, size);
      g_ptr_array_add (files, file);
    }

  return files;
}

static void
cut_off (GPtrArray *files,
         gsize      size,
         gsize      before)
{
  gsize budget = set_budget_for (files->len, size);

  for (guint i = 0; i < files->len; i++)
    g_assert_true (g_seekable_truncate (files->pdata[i], size, NULL, NULL));
  assert_within (budget, before);
}

static void
test_resident_cut_off (void)
{
  gsize before = get_resident ();
  g_autoptr(GPtrArray) files = NULL;

  if (skip_resident ())
    return;

  files = make_many (100, 1000 * KIB, -1);
  for (guint i = 0; i < files->len; i++)
    g_assert_true (g_seekable_truncate (files->pdata[i], 600 * KIB, NULL, NULL));
  assert_within (100 * 600 * KIB / 8 * 9, before);
  cut_off (files, 300 * KIB, before);
  cut_off (files, 70 * KIB, before);
  g_ptr_array_unref (files);

  files = make_many (1000, 60 * KIB, -1);
  cut_off (files, 9 * KIB, before);
}

static void
grow_in_turns (gsize bound,
               gsize before)
{
  g_autoptr(GPtrArray) files = make_many (1000, 0, -1);

  for (gsize size = 0; size < 66 * KIB; size += KIB)
    for (guint i = 0; i < files->len; i++)
      write_zeros (files->pdata[i], KIB);
  assert_within (bound, before);
}

/* Pieces that were left are of no use for those that need larger ones. */
static void
test_resident_in_turns (void)
{
  gsize before = get_resident ();
  gsize budget = set_budget_for (1000, 66 * KIB);

  if (skip_resident ())
    return;

  grow_in_turns (budget, before);
}

static void
test_resident_in_turns_without_budget (void)
{
  gsize before = get_resident ();

  if (skip_resident ())
    return;

  grow_in_turns (1000 * 66 * KIB / 100 * 115, before);
}

static long
count_faults (void)
{
  struct rusage usage;

  g_assert_cmpint (getrusage (RUSAGE_SELF, &usage), ==, 0);
  return usage.ru_minflt;
}

/* What many files have left, as many others use again, without faulting each page in. */
static void
test_resident_in_bursts (void)
{
  const guint n = 500;
  const long n_pages = n * 60 * KIB / 4096;
  long before;

  if (skip_resident ())
    return;

  g_ptr_array_unref (make_many (n, 60 * KIB, -1));
  before = count_faults ();
  for (guint i = 0; i < 4; i++)
    g_ptr_array_unref (make_many (n, 60 * KIB, -1));
  g_assert_cmpint (count_faults () - before, <, n_pages);
}

static void
fill_and_drop (void)
{
  g_ptr_array_unref (make_many (500, 60 * KIB, -1));
}

/* What was left without a budget is not beside one that is set later. */
static void
test_resident_before_budget (void)
{
  gsize before = get_resident ();

  if (skip_resident ())
    return;

  fill_and_drop ();
  tf_set_memory_budget (KIB * KIB * KIB);
  assert_within (0, before);
}

#define MOST_AT_RANDOM (1500 * KIB)

/* Appends to a file, or cuts it off. */
static void
change_at_random (TfTempFile *file,
                  GRand      *random,
                  const char *data)
{
  gsize count = g_rand_int_range (random, 1, 2 + (1 << g_rand_int_range (random, 0, 22)));
  gsize size = tf_temp_file_get_size (file);

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_END, NULL, NULL));
  if (g_rand_int_range (random, 0, 7) < 2)
    g_assert_true (g_seekable_truncate (G_SEEKABLE (file), g_rand_int_range (random, 0, size + 1), NULL, NULL));
  else if (size + count <= MOST_AT_RANDOM)
    g_assert_true (tf_temp_file_write (file, data, count, NULL, NULL));
}

/* In a thread, because the heap of another one than the first has room for less in one piece. */
static gpointer
change_many (gpointer data)
{
  gsize *most = data;
  g_autofree char *zeros = g_malloc0 (MOST_AT_RANDOM);
  g_autoptr(GRand) random = g_rand_new_with_seed (1);
  g_autoptr(GPtrArray) files = make_many (300, 0, -1);

  for (guint i = 0; i < 30000; i++)
    {
      change_at_random (files->pdata[g_rand_int_range (random, 0, files->len)], random, zeros);
      if (i % 100 == 0)
        *most = MAX (*most, get_resident ());
    }
  return NULL;
}

/* The heap splits and joins pieces, so that what it has left is not known from their sizes. */
static void
test_resident_at_random (void)
{
  const gsize budget = 64 * KIB * KIB;
  gsize before = get_resident ();
  gsize most = 0;

  if (skip_resident ())
    return;

  tf_set_memory_budget (budget);
  g_thread_join (g_thread_new ("changing", change_many, &most));
  tf_set_memory_budget (0);
  g_assert_cmpuint (most - MIN (most, before), <=, budget + 10 * KIB * KIB);
}

static void
append_to_all (GPtrArray *files,
               gsize      size)
{
  for (guint i = 0; i < files->len; i++)
    for (gsize n = 0; n < size; n += KIB)
      write_zeros (files->pdata[i], KIB);
}

static gsize
count_unused (GPtrArray *files)
{
  gsize unused = 0;

  for (guint i = 0; i < files->len; i++)
    unused += tf_file_get_store (files->pdata[i])->pool_node.unused;
  return unused;
}

/* The room for more content may be resident, where the heap had used it before: it is within the limit. */
static void
test_resident_again (void)
{
  gsize budget = set_budget_for (600, 68 * KIB);
  g_autoptr(GPtrArray) files = make_many (600, 0, -1);

  if (tf_test_skip_if_portable ("freeing pages"))
    return;

  append_to_all (files, 68 * KIB);
  g_assert_cmpuint (tf_memory_pool_get_held () + count_unused (files), <=, budget + 9 * KIB * KIB);
  tf_set_memory_budget (0);
}

/* It gives way to content, before a file goes to disk for that. */
static void
test_resident_for_others (void)
{
  g_autoptr(GPtrArray) files = make_many (600, 0, -1);
  g_autoptr(TfTempFile) other = TF_TEMP_FILE (tf_spooled_file_new (-1));
  gsize unused;

  if (tf_test_skip_if_portable ("freeing pages"))
    return;

  append_to_all (files, 68 * KIB);
  unused = count_unused (files);
  g_assert_cmpuint (unused, >, 16 * KIB * KIB);

  tf_set_memory_budget (tf_memory_pool_get_held () + unused / 2 + 8 * KIB * KIB);
  write_zeros (TF_SPOOLED_FILE (other), unused / 2);
  g_assert_false (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (other)));
  g_assert_cmpuint (count_unused (files), <, unused / 2);
  tf_set_memory_budget (0);
}

/* What a closed file has without content is freed, whoever keeps the content. */
static void
test_resident_of_reader (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  const TfStore *store = tf_file_get_store (file);
  g_autoptr(GInputStream) reader = NULL;

  if (tf_test_skip_if_portable ("freeing pages"))
    return;

  for (gsize size = 0; size < 68 * KIB; size += KIB)
    write_zeros (TF_SPOOLED_FILE (file), KIB);
  g_assert_cmpuint (store->pool_node.unused, >, 32 * KIB);
  reader = tf_temp_file_open_reader (file, NULL);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_assert_cmpuint (store->pool_node.unused, <=, sysconf (_SC_PAGESIZE));
}

static void
test_resident_holes (void)
{
  gsize before = get_resident ();
  g_autoptr(GPtrArray) files = NULL;
  gsize budget;

  if (skip_resident ())
    return;

  files = make_many (1000, LARGE, -1);
  budget = set_budget_for (500, LARGE);
  for (guint i = 0; i < 500; i++)
    g_ptr_array_remove_index (files, i);
  assert_within (budget, before);
}

/* What was left to the heap within the budget gives way to files that do not use the heap. */
static void
test_resident_gives_way (void)
{
  gsize before = get_resident ();
  gsize budget = 100 * KIB * KIB;
  g_autoptr(GPtrArray) files = NULL;
  g_autoptr(GPtrArray) large = NULL;

  if (skip_resident ())
    return;

  tf_set_memory_budget (budget);
  files = make_many (800, LARGE, -1);
  for (guint i = 0; i < 400; i++)
    g_ptr_array_remove_index (files, i);
  large = make_many (10, 4 * KIB * KIB, -1);
  for (guint i = 0; i < large->len; i++)
    g_assert_false (tf_spooled_file_is_rolled_over (large->pdata[i]));
  assert_within (budget, before);
}

/* What files on disk hold back is counted, and limited. */
static void
test_resident_on_disk (void)
{
  gsize before = get_resident ();
  g_autoptr(GPtrArray) files = NULL;
  g_autoptr(TfSpooledFile) in_memory = tf_spooled_file_new (-1);
  gsize count;

  if (skip_resident ())
    return;

  tf_set_memory_budget (10 * KIB * KIB);
  files = make_many (500, 60 * KIB, 0);
  g_assert_cmpuint (get_resident (), <=, before + 8 * KIB * KIB);

  /* The first lines of a file are read, whatever the budget is. */
  g_assert_true (g_seekable_seek (files->pdata[499], 0, G_SEEK_SET, NULL, NULL));
  g_assert_cmpint (tf_temp_file_fill (files->pdata[499], 10, NULL, NULL), >=, 10);
  g_assert_nonnull (tf_temp_file_peek (files->pdata[499], &count));

  write_zeros (in_memory, 6 * KIB * KIB);
  g_assert_true (tf_spooled_file_is_rolled_over (in_memory));
  g_ptr_array_set_size (files, 0);
  g_clear_object (&in_memory);
  in_memory = tf_spooled_file_new (-1);
  write_zeros (in_memory, 6 * KIB * KIB);
  g_assert_false (tf_spooled_file_is_rolled_over (in_memory));
  tf_set_memory_budget (0);
}

/* Leaves @n_free descriptors below the limit, which it lowers. */
static GArray *
use_descriptors (struct rlimit *before,
                 int            n_free)
{
  GArray *fds = g_array_new (FALSE, FALSE, sizeof (int));
  struct rlimit lower;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, before), ==, 0);
  lower = (struct rlimit) { .rlim_cur = 100, .rlim_max = before->rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &lower), ==, 0);
  while (fds->len == 0 || g_array_index (fds, int, fds->len - 1) < 100 - n_free - 1)
    {
      int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);

      g_assert_cmpint (fd, >=, 0);
      g_array_append_val (fds, fd);
    }

  return fds;
}

static void
release_descriptors (GArray              *fds,
                     const struct rlimit *before)
{
  for (guint i = 0; i < fds->len; i++)
    close (g_array_index (fds, int, i));
  g_array_unref (fds);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, before), ==, 0);
}

/* The last quarter of the descriptors is left to the application. */
static void
test_budget_leaves_descriptors (void)
{
  g_autoptr(TfSpooledFile) idle = tf_spooled_file_new_full (-1, NULL, NULL, g_getenv ("TMPDIR"));
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new_full (-1, NULL, NULL, g_getenv ("TMPDIR"));
  g_autoptr(GError) error = NULL;
  g_autofree char *zeros = g_malloc0 (2 * LARGE);
  struct rlimit before;
  GArray *fds;

  tf_set_memory_budget (4 * LARGE);
  write_zeros (idle, 3 * LARGE);
  fds = use_descriptors (&before, 20);

  /* What is spared exceeds the budget instead. */
  write_zeros (file, 50 * KIB);
  g_assert_false (tf_spooled_file_is_rolled_over (idle));
  g_assert_false (tf_temp_file_write (TF_TEMP_FILE (file), zeros, 2 * LARGE, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_assert_false (tf_spooled_file_is_rolled_over (idle));
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (file)), ==, 50 * KIB);

  /* The user is not refused. */
  g_clear_error (&error);
  tf_spooled_file_rollover (file, NULL, &error);
  g_assert_no_error (error);

  release_descriptors (fds, &before);
  tf_set_memory_budget (0);
}

static gpointer
work (gpointer data)
{
  for (int i = 0; i < N_ROUNDS; i++)
    {
      g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);

      for (int j = 0; j < 5; j++)
        {
          write_zeros (file, 47 * KIB);
          g_assert_cmpuint (tf_memory_pool_get_held (), <=, 300 * KIB + N_THREADS * 64 * KIB);
        }

      if (i % 3 == 0)
        g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 11, NULL, NULL));
      if (i % 7 == 0)
        g_assert_true (tf_spooled_file_rollover (file, NULL, NULL));
    }

  return NULL;
}

static gpointer
work_a_little (gpointer data)
{
  for (int i = 0; i < 10; i++)
    {
      g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);

      for (int j = 0; j < 5; j++)
        write_zeros (file, 20 * KIB);
    }

  return NULL;
}

/* Each of them drives idle files of the others to disk. */
static void
test_budget_threads (void)
{
  GThread *threads[N_THREADS];

  tf_set_memory_budget (300 * KIB);
  for (int i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new (NULL, work, NULL);
  for (int i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);

  /* Those that were driven out are freed when their notifications were delivered. */
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_set_memory_budget (0);
}

/* Returns a file that the budget has driven to disk since. */
static TfSpooledFile *
make_driven_out (gsize (*look) (TfTempFile *file))
{
  TfSpooledFile *file = tf_spooled_file_new (-1);
  g_autoptr(TfSpooledFile) other = NULL;

  write_zeros (file, 300 * KIB);
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  if (look != NULL)
    g_assert_cmpuint (look (TF_TEMP_FILE (file)), >, 0);

  tf_set_memory_budget (400 * KIB);
  other = tf_spooled_file_new (-1);
  write_zeros (other, 200 * KIB);
  tf_set_memory_budget (0);
  g_assert_true (tf_spooled_file_is_rolled_over (file));
  return file;
}

/* Who has looked, and reads then, does not look any more. */
static gsize
peek_and_read (TfTempFile *file)
{
  char byte;
  gsize available, n_read;

  g_assert_nonnull (tf_temp_file_peek (file, &available));
  g_assert_true (tf_temp_file_try_read (file, &byte, 1, &n_read));
  return n_read;
}

static void
test_budget_after_peek (void)
{
  g_autoptr(TfSpooledFile) file = make_driven_out (peek_and_read);
}

#define N_DRIVEN_OUT 500

/* Makes another thread's file roll over, and again whenever the number has become odd. */
static gpointer
drive_out (gpointer data)
{
  int *turn = data;

  for (guint i = 0; i < N_DRIVEN_OUT; i++)
    {
      g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);

      while (g_atomic_int_get (turn) % 2 == 0)
        g_thread_yield ();
      write_zeros (file, 90 * KIB);
      g_atomic_int_inc (turn);
    }

  return NULL;
}

/* What marks a file as told of in another thread marks nothing else of it, and nothing that its own thread does to it
 * meanwhile takes the mark away. */
static void
test_budget_used_meanwhile (void)
{
  int turn = 0;
  GThread *thread;

  tf_set_memory_budget (200 * KIB);
  thread = g_thread_new ("driver", drive_out, &turn);
  for (guint i = 0; i < N_DRIVEN_OUT; i++)
    {
      g_autoptr(GMainContext) context = g_main_context_new ();
      g_autoptr(TfSpooledFile) file = NULL;
      gsize available;

      g_main_context_push_thread_default (context);
      file = tf_spooled_file_new (-1);
      write_zeros (file, 120 * KIB);
      g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
      g_atomic_int_inc (&turn);
      while (g_atomic_int_get (&turn) % 2 != 0)
        {
          tf_temp_file_peek (TF_TEMP_FILE (file), &available);
          g_assert_true (g_seekable_seek (G_SEEKABLE (file), available / 2, G_SEEK_SET, NULL, NULL));
        }
      g_clear_object (&file);
      g_main_context_pop_thread_default (context);
    }

  g_thread_join (thread);
  tf_set_memory_budget (0);
}

static gboolean
never (gpointer no_data)
{
  g_assert_not_reached ();
  return G_SOURCE_REMOVE;
}

static void
set_true (gpointer data)
{
  gboolean *is_gone = data;

  *is_gone = TRUE;
}

/* Nobody is told of a file that is gone, so that a main context that nobody iterates keeps nothing. */
static void
test_budget_untold (void)
{
  g_autoptr(GMainContext) context = g_main_context_new ();
  TfSpooledFile *file;
  GSource *canary = g_idle_source_new ();
  gboolean is_gone = FALSE;

  g_main_context_push_thread_default (context);
  file = make_driven_out (NULL);
  g_main_context_pop_thread_default (context);
  g_assert_true (g_main_context_pending (context));
  g_object_unref (file);
  g_assert_false (g_main_context_pending (context));

  g_source_set_callback (canary, never, &is_gone, set_true);
  g_source_attach (canary, context);
  g_source_unref (canary);
  g_clear_pointer (&context, g_main_context_unref);
  g_assert_true (is_gone);
}

/* Where the last reference to the context is dropped is nobody's business: to call off is not to use what was freed. */
static void
test_budget_untold_in_context_of_its_own (void)
{
  GMainContext *context = g_main_context_new ();
  GSource *canary = g_idle_source_new ();
  gboolean is_gone = FALSE;
  TfSpooledFile *file;

  g_source_set_callback (canary, never, &is_gone, set_true);
  g_source_attach (canary, context);
  g_source_unref (canary);

  g_main_context_push_thread_default (context);
  file = make_driven_out (NULL);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_assert_false (is_gone);
  g_object_unref (file);
  g_assert_true (is_gone);
}

static GMainContext *context_of_inherited;
static GPtrArray *inherited_files;

static void
drop_inherited (void)
{
  g_clear_object (&inherited);
  g_assert_true (g_main_context_pending (context_of_inherited));
}

/* In a child, a thread that is not there may have the lock of the context. */
static void
test_budget_untold_in_child (void)
{
  context_of_inherited = g_main_context_new ();
  g_main_context_push_thread_default (context_of_inherited);
  inherited = make_driven_out (NULL);
  g_main_context_pop_thread_default (context_of_inherited);

  tf_test_in_child (drop_inherited);
  g_clear_object (&inherited);
  g_assert_false (g_main_context_pending (context_of_inherited));
  g_main_context_unref (context_of_inherited);
}

static void
roll_over_in_context_of_its_own (TfSpooledFile *file)
{
  GMainContext *context = g_main_context_new ();
  GAsyncResult *result = NULL;

  g_main_context_push_thread_default (context);
  tf_spooled_file_rollover_async (file, 0, NULL, tf_test_take_result, &result);
  while (result == NULL)
    g_main_context_iteration (context, TRUE);
  g_assert_true (tf_spooled_file_rollover_finish (file, result, NULL));
  g_object_unref (result);

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  g_object_run_dispose (G_OBJECT (file));
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
}

/* The first one starts what the child has for all. */
static void
tell_in_child (void)
{
  guint n_fds;

  roll_over_in_context_of_its_own (inherited_files->pdata[0]);
  n_fds = tf_test_count_fds ();
  for (guint i = 1; i < inherited_files->len; i++)
    roll_over_in_context_of_its_own (inherited_files->pdata[i]);
  g_assert_cmpuint (tf_test_count_fds (), <, n_fds + inherited_files->len / 2);
}

/* What a child has put off itself is its own. */
static void
test_budget_told_in_child (void)
{
  inherited_files = make_many (20, 100 * KIB, -1);
  tf_test_in_child (tell_in_child);
  g_clear_pointer (&inherited_files, g_ptr_array_unref);
}

/* What could not be read takes no memory. */
static void
test_budget_failed_splice (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  g_autofree char *path = g_build_filename (tf_test_get_sandbox (), "source", NULL);
  int fd = open (path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  g_autoptr(GInputStream) source = g_unix_input_stream_new (fd, TRUE);
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (ftruncate (fd, KIB * KIB), ==, 0);
  g_assert_cmpint (g_output_stream_splice (g_io_stream_get_output_stream (G_IO_STREAM (file)), source,
                                           G_OUTPUT_STREAM_SPLICE_NONE, NULL, &error), ==, -1);
  g_assert_nonnull (error);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  g_assert_cmpint (unlink (path), ==, 0);
}

/* A file that is in use is not waited for. */
static void
test_budget_while_in_use (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  TfStore *store = tf_file_get_store (file);

  write_zeros (file, 1000);
  g_assert_true (tf_store_lock (store, NULL, NULL));
  alarm (60);
  tf_set_memory_budget (4000);
  alarm (0);
  tf_store_unlock (store);
  g_assert_cmpuint (tf_memory_pool_get_held (), >=, 1000);

  g_clear_object (&file);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_set_memory_budget (0);
}

static gpointer
splice_often (gpointer data)
{
  TfSpooledFile **files = data;

  for (int i = 0; i < N_ROUNDS; i++)
    {
      GOutputStream *to = g_io_stream_get_output_stream (G_IO_STREAM (files[1]));
      GInputStream *from = g_io_stream_get_input_stream (G_IO_STREAM (files[0]));
      g_autoptr(GError) error = NULL;

      g_seekable_seek (G_SEEKABLE (from), 0, G_SEEK_SET, NULL, NULL);
      g_seekable_seek (G_SEEKABLE (to), 0, G_SEEK_SET, NULL, NULL);
      g_output_stream_splice (to, from, G_OUTPUT_STREAM_SPLICE_NONE, NULL, &error);
      g_assert_true (error == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PENDING));
    }

  return NULL;
}

/* Threads that splice in opposite directions, while each of the files may be driven to disk, do not block each other. */
static void
test_budget_splice (void)
{
  for (int round = 0; round < 10; round++)
    {
      g_autoptr(TfSpooledFile) first = tf_spooled_file_new (-1);
      g_autoptr(TfSpooledFile) second = tf_spooled_file_new (-1);
      TfSpooledFile *there[] = { first, second };
      TfSpooledFile *back[] = { second, first };
      GThread *threads[3];

      write_zeros (first, LARGE);
      write_zeros (second, 2 * LARGE);
      tf_set_memory_budget (3 * LARGE);
      threads[0] = g_thread_new (NULL, splice_often, there);
      threads[1] = g_thread_new (NULL, splice_often, back);
      threads[2] = g_thread_new (NULL, work_a_little, NULL);
      for (int i = 0; i < 3; i++)
        g_thread_join (threads[i]);
      tf_set_memory_budget (0);
    }
}

static void
note_thread (TfSpooledFile  *file,
             GThread       **thread)
{
  g_assert_null (*thread);
  *thread = g_thread_self ();
}

static void
warn (void)
{
  g_autoptr(GMemoryMonitor) monitor = g_memory_monitor_dup_default ();

  g_signal_emit_by_name (monitor, "low-memory-warning", G_MEMORY_MONITOR_WARNING_LEVEL_LOW);
}

static void
test_low_memory (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  g_autoptr(TfSpooledFile) small = tf_spooled_file_new (-1);
  GThread *emitted_in = NULL;

  write_zeros (file, LARGE);
  write_zeros (small, 64 * KIB);
  g_signal_connect (file, "rolled-over", G_CALLBACK (note_thread), &emitted_in);

  /* Not asked for. */
  warn ();
  g_assert_false (tf_spooled_file_is_rolled_over (file));

  tf_set_roll_over_on_low_memory (TRUE);
  tf_set_roll_over_on_low_memory (TRUE);
  warn ();
  warn ();
  while (emitted_in == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (emitted_in == g_thread_self ());
  g_assert_true (tf_spooled_file_is_rolled_over (file));
  g_assert_false (tf_spooled_file_is_rolled_over (small));
  g_assert_cmpint (tf_temp_file_get_size (TF_TEMP_FILE (file)), ==, LARGE);
  tf_set_roll_over_on_low_memory (FALSE);
}

/* What somebody looks at stays in memory, until it is consumed. */
static void
test_low_memory_after_peek (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  TfTempFile *base = TF_TEMP_FILE (file);
  GThread *emitted_in = NULL;
  gsize available;

  write_zeros (file, LARGE);
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  g_signal_connect (file, "rolled-over", G_CALLBACK (note_thread), &emitted_in);
  tf_set_roll_over_on_low_memory (TRUE);

  g_assert_nonnull (tf_temp_file_peek (base, &available));
  warn ();
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_false (tf_spooled_file_is_rolled_over (file));

  g_assert_true (tf_temp_file_consume (base, 10, NULL));
  warn ();
  while (emitted_in == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (tf_spooled_file_is_rolled_over (file));
  tf_set_roll_over_on_low_memory (FALSE);
}

/* Of what poll(2) reports POLLPRI for, a socket with urgent data is what everybody can have. */
static gboolean
connect_sockets (int ends[2])
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int listening = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  ends[0] = ends[1] = -1;
  if (listening >= 0 &&
      bind (listening, (struct sockaddr *) &address, size) == 0 && listen (listening, 1) == 0 &&
      getsockname (listening, (struct sockaddr *) &address, &size) == 0)
    {
      ends[1] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (connect (ends[1], (struct sockaddr *) &address, size) == 0)
        ends[0] = accept (listening, NULL, NULL);
    }

  if (listening >= 0)
    g_assert_cmpint (close (listening), ==, 0);
  if (ends[0] < 0 && ends[1] >= 0)
    g_assert_cmpint (close (ends[1]), ==, 0);
  if (ends[0] < 0)
    g_test_skip ("sockets cannot be connected");
  return ends[0] >= 0;
}

static gboolean
is_open (int fd)
{
  return fcntl (fd, F_GETFD) >= 0;
}

static void
roll_over_under_pressure (void)
{
  g_autoptr(TfSpooledFile) file = NULL;
  int ends[2];

  if (!connect_sockets (ends))
    return;

  file = tf_spooled_file_new (-1);
  write_zeros (file, LARGE);
  pressure_fd = ends[0];
  tf_set_roll_over_on_low_memory (TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_false (tf_spooled_file_is_rolled_over (file));

  g_assert_cmpint (send (ends[1], "!", 1, MSG_OOB), ==, 1);
  while (!tf_spooled_file_is_rolled_over (file))
    g_main_context_iteration (NULL, TRUE);

  tf_set_roll_over_on_low_memory (FALSE);
  while (is_open (ends[0]))
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpint (close (ends[1]), ==, 0);
}

/* In a child, with which the worker ends that may still be looking for other files. */
static void
test_pressure (void)
{
  tf_test_in_child (roll_over_under_pressure);
}

/* When there is nothing more to be told, the descriptor is closed, and no file has rolled over. */
static void
test_pressure_ends (void)
{
  const struct linger at_once = { 1, 0 };
  g_autoptr(TfSpooledFile) file = NULL;
  int ends[2];

  if (!connect_sockets (ends))
    return;

  file = tf_spooled_file_new (-1);
  write_zeros (file, LARGE);
  pressure_fd = ends[0];
  tf_set_roll_over_on_low_memory (TRUE);
  g_assert_cmpint (setsockopt (ends[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), ==, 0);
  g_assert_cmpint (close (ends[1]), ==, 0);
  while (is_open (ends[0]))
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (tf_spooled_file_is_rolled_over (file));
  tf_set_roll_over_on_low_memory (FALSE);
}

/* If no worker can be started, the next warning tries again. */
static void
test_low_memory_without_threads (void)
{
  g_autoptr(TfSpooledFile) file = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }

  file = tf_spooled_file_new (-1);
  write_zeros (file, LARGE);
  tf_set_roll_over_on_low_memory (TRUE);
  has_no_threads = TRUE;
  g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Rolling temporary files over: *");
  warn ();
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_test_assert_expected_messages ();
  g_assert_false (tf_spooled_file_is_rolled_over (file));

  has_no_threads = FALSE;
  warn ();
  while (!tf_spooled_file_is_rolled_over (file))
    g_main_context_iteration (NULL, TRUE);
  tf_set_roll_over_on_low_memory (FALSE);
}

static void
warn_in_child (void)
{
  g_autoptr(TfSpooledFile) file = tf_spooled_file_new (-1);
  gint64 end = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  has_no_threads = FALSE;
  write_zeros (file, LARGE);
  /* The worker passes over a file that is being asked. */
  while (!tf_spooled_file_is_rolled_over (file))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      warn ();
      g_thread_yield ();
    }
}

/* What is pending is so for the parent. */
static void
test_low_memory_pending_in_child (void)
{
  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }

  tf_set_roll_over_on_low_memory (TRUE);
  has_no_threads = TRUE;
  warn ();
  tf_test_in_child (warn_in_child);

  g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Rolling temporary files over: *");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_test_assert_expected_messages ();
  tf_set_roll_over_on_low_memory (FALSE);
}

static GLogWriterOutput
count_messages (GLogLevelFlags   level,
                const GLogField *fields,
                gsize            n_fields,
                gpointer         user_data)
{
  gint *n_messages = user_data;

  g_atomic_int_inc (n_messages);
  return G_LOG_WRITER_HANDLED;
}

static gint n_messages; /* (atomic) */

/* The largest ones go to disk while there are descriptors for that, and one message tells of the others. */
static void
test_low_memory_leaves_descriptors (void)
{
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  struct rlimit before;
  GArray *fds;

  /* Of files that differ less, it is not said which one is the first. */
  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }

  for (gsize size = LARGE; size < 50 * LARGE; size += size / 3)
    {
      TfSpooledFile *file = tf_spooled_file_new_full (-1, NULL, NULL, g_getenv ("TMPDIR"));

      g_ptr_array_add (files, file);
      write_zeros (file, size);
    }

  tf_set_roll_over_on_low_memory (TRUE);
  fds = use_descriptors (&before, 35);
  g_log_set_writer_func (count_messages, &n_messages, NULL);
  warn ();
  while (g_atomic_int_get (&n_messages) == 0)
    g_main_context_iteration (NULL, FALSE);

  g_assert_true (tf_spooled_file_is_rolled_over (files->pdata[files->len - 1]));
  g_assert_false (tf_spooled_file_is_rolled_over (files->pdata[0]));
  for (guint i = 1; i < files->len; i++)
    g_assert_cmpint (tf_spooled_file_is_rolled_over (files->pdata[i]), >=,
                     tf_spooled_file_is_rolled_over (files->pdata[i - 1]));
  release_descriptors (fds, &before);
  tf_set_roll_over_on_low_memory (FALSE);
  g_assert_cmpint (g_atomic_int_get (&n_messages), ==, 1);
}

static void
on_no_bus (GDBusConnection *connection,
           const char      *name,
           gpointer         user_data)
{
  *(gboolean *) user_data = TRUE;
}

/* There is no bus here. The monitor finds that out in a thread, which has a socket open for a moment:
 * whoever asks later has the answer later. */
static void
wait_for_no_bus (void)
{
  for (int i = 0; i < 2; i++)
    {
      gboolean done = FALSE;
      guint id = g_bus_watch_name (G_BUS_TYPE_SYSTEM, "org.example.None", G_BUS_NAME_WATCHER_FLAGS_NONE,
                                   NULL, on_no_bus, &done, NULL);

      while (!done)
        g_main_context_iteration (NULL, TRUE);
      g_bus_unwatch_name (id);
    }
}

int
main (int    argc,
      char **argv)
{
  g_autoptr(GMemoryMonitor) monitor = NULL;

  g_assert_true (g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", TRUE));
  monitor = g_memory_monitor_dup_default ();
  wait_for_no_bus ();
  tf_test_init (&argc, &argv);
  tf_test_start_worker ();

  g_test_add_func ("/memory/budget/largest-first", test_budget_largest_first);
  g_test_add_func ("/memory/budget/used-meanwhile", test_budget_used_meanwhile);
  g_test_add_func ("/memory/budget/in-child", test_budget_in_child);
  g_test_add_func ("/memory/budget/spares-the-small", test_budget_spares_the_small);
  g_test_add_func ("/memory/budget/pieces", test_budget_pieces);
  g_test_add_func ("/memory/budget/later", test_budget_later);
  /* These come before one that makes the disk be left alone for a while. */
  g_test_add_func ("/memory/budget/after-peek", test_budget_after_peek);
  g_test_add_func ("/memory/budget/untold", test_budget_untold);
  g_test_add_func ("/memory/budget/untold-in-child", test_budget_untold_in_child);
  g_test_add_func ("/memory/budget/told-in-child", test_budget_told_in_child);
  g_test_add_func ("/memory/budget/untold-in-context-of-its-own", test_budget_untold_in_context_of_its_own);
  g_test_add_func ("/memory/budget/refused", test_budget_refused);
  g_test_add_func ("/memory/budget/kept", test_budget_kept);
  g_test_add_func ("/memory/budget/leaves-descriptors", test_budget_leaves_descriptors);
  g_test_add_func ("/memory/budget/threads", test_budget_threads);
  g_test_add_func ("/memory/budget/failed-splice", test_budget_failed_splice);
  g_test_add_func ("/memory/budget/while-in-use", test_budget_while_in_use);
  g_test_add_func ("/memory/budget/splice", test_budget_splice);
  /* Before those that use more. */
  g_test_add_func ("/memory/resident/at-random", test_resident_at_random);
  g_test_add_func ("/memory/resident/before-budget", test_resident_before_budget);
  g_test_add_func ("/memory/resident/cut-off", test_resident_cut_off);
  g_test_add_func ("/memory/resident/in-turns", test_resident_in_turns);
  g_test_add_func ("/memory/resident/in-turns-without-budget", test_resident_in_turns_without_budget);
  g_test_add_func ("/memory/resident/in-bursts", test_resident_in_bursts);
  g_test_add_func ("/memory/resident/again", test_resident_again);
  g_test_add_func ("/memory/resident/for-others", test_resident_for_others);
  g_test_add_func ("/memory/resident/of-reader", test_resident_of_reader);
  g_test_add_func ("/memory/resident/holes", test_resident_holes);
  g_test_add_func ("/memory/resident/gives-way", test_resident_gives_way);
  g_test_add_func ("/memory/resident/on-disk", test_resident_on_disk);
  g_test_add_func ("/memory/low-memory", test_low_memory);
  g_test_add_func ("/memory/low-memory/after-peek", test_low_memory_after_peek);
  g_test_add_func ("/memory/low-memory/leaves-descriptors", test_low_memory_leaves_descriptors);
  g_test_add_func ("/memory/low-memory/without-threads", test_low_memory_without_threads);
  g_test_add_func ("/memory/low-memory/pending-in-child", test_low_memory_pending_in_child);
  g_test_add_func ("/memory/pressure", test_pressure);
  g_test_add_func ("/memory/pressure/ends", test_pressure_ends);

  return tf_test_run ();
}
