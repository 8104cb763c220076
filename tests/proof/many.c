/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "proof.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tf-test.h"

/* Many directories and closed named files live at once, in a process that may not have many descriptors: all are
 * created, none costs a descriptor, each costs little memory, and all are removed, or swept when the process was
 * killed.
 *
 * Memory: bytes in use of the heap, and the resident pages of everything else that is mapped. What an object costs by
 * itself, with its path, is what it still costs when it was kept: the difference is what its being remembered costs.
 *
 * The time per object is printed for the first and the last thousand. */

#define MAX_FDS 256
#define MAX_BYTES 300
#define BATCH 1000

typedef struct
{
  guint n_objects;
  gboolean die;
} Plan;

typedef struct
{
  GPtrArray *objects;
  guint n_fds;
  double seconds;
} State;

static gsize
get_mapped_bytes (void)
{
  g_autofree char *text = NULL;
  gulong size, resident, shared;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  g_assert_cmpint (sscanf (text, "%lu %lu %lu", &size, &resident, &shared), ==, 3);
  return shared * sysconf (_SC_PAGESIZE);
}

static gsize
get_bytes (void)
{
  struct mallinfo2 heap = mallinfo2 ();

  return heap.uordblks + heap.hblkhd + get_mapped_bytes ();
}

static double
get_seconds (void)
{
  struct timespec now;

  g_assert_cmpint (clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now), ==, 0);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static guint
count_fds (void)
{
  guint n = 0;

  for (int fd = 0; fd < MAX_FDS; fd++)
    if (fcntl (fd, F_GETFD) >= 0)
      n++;

  return n;
}

static void
limit_fds (void)
{
  const struct rlimit limit = { MAX_FDS, MAX_FDS };

  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

static GObject *
make_dir (void)
{
  g_autoptr(GError) error = NULL;
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, proof_get_other_dir (), NULL, &error);

  g_assert_no_error (error);
  return G_OBJECT (dir);
}

static GObject *
make_closed_file (void)
{
  g_autoptr(GError) error = NULL;
  TfNamedFile *file = tf_named_file_new_full (NULL, NULL, proof_get_other_dir (), 0600, TF_DELETE_ON_DISPOSE, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
  return G_OBJECT (file);
}

static void
make_batch (State *self,
            guint  n)
{
  double start = get_seconds ();

  for (guint i = 0; i < n; i++)
    {
      g_ptr_array_add (self->objects, make_dir ());
      g_ptr_array_add (self->objects, make_closed_file ());
    }
  self->seconds = get_seconds () - start;
}

/* Also a program with many objects can open its own files. */
static void
assert_fds_constant (State *self)
{
  guint n_fds = count_fds ();
  int fds[2];

  if (self->n_fds > 0 && !proof_is_on_overlay ())
    g_assert_cmpuint (n_fds, ==, self->n_fds);
  self->n_fds = n_fds;
  g_assert_cmpint (pipe (fds), ==, 0);
  close (fds[0]);
  close (fds[1]);
}

static void
make_all (State *self,
          guint  n)
{
  double first;

  make_batch (self, BATCH);
  assert_fds_constant (self);
  first = self->seconds;
  for (guint i = BATCH; i < n; i += BATCH)
    make_batch (self, BATCH);
  assert_fds_constant (self);
  g_test_message ("%u descriptors; CPU time for a directory and a file: %.1f µs among the first %u, %.1f µs among the last",
                  self->n_fds, first / BATCH * 1e6, BATCH, self->seconds / BATCH * 1e6);
}

static void
keep (gpointer object,
      gpointer data)
{
  g_free (TF_IS_TEMP_DIR (object) ? tf_temp_dir_keep (object) : tf_named_file_keep (object));
}

static void
measure_memory (gpointer data)
{
  const Plan *plan = data;
  State state = { .objects = g_ptr_array_new_full (plan->n_objects * 2 + BATCH * 2, g_object_unref) };
  gsize before, living, kept;
  double each;

  limit_fds ();
  /* What is made once is not counted. */
  g_ptr_array_add (state.objects, make_dir ());
  before = get_bytes ();
  make_all (&state, plan->n_objects);
  living = get_bytes ();
  g_ptr_array_foreach (state.objects, keep, NULL);
  kept = get_bytes ();

  each = ((double) living - kept) / state.objects->len;
  g_test_message ("bytes for each of %u: %.0f with the object, %.0f without",
                  state.objects->len, ((double) living - before) / state.objects->len, each);
  g_assert_cmpfloat (each, <=, MAX_BYTES);
  g_ptr_array_unref (state.objects);
}

static void
test_memory (void)
{
  Plan plan = { .n_objects = proof_get_number ("TF_PROOF_OBJECTS", 5000) };

  proof_in_process (measure_memory, &plan);
}

static void
live_with_many (gpointer data)
{
  const Plan *plan = data;
  State state = { .objects = g_ptr_array_new_with_free_func (g_object_unref) };
  double start;

  limit_fds ();
  make_all (&state, plan->n_objects);
  if (plan->die)
    raise (SIGKILL);

  g_assert_cmpuint (tf_test_count_entries (proof_get_other_dir ()), ==, state.objects->len);
  start = get_seconds ();
  g_ptr_array_unref (state.objects);
  g_test_message ("CPU time to remove both: %.1f µs", (get_seconds () - start) / plan->n_objects * 1e6);
  g_assert_cmpuint (tf_test_count_entries (proof_get_other_dir ()), ==, 0);
}

static void
test_removed (void)
{
  Plan plan = { .n_objects = proof_get_number ("TF_PROOF_OBJECTS", 5000) };

  proof_in_process (live_with_many, &plan);
}

static void
leave_to_exit (gpointer data)
{
  const Plan *plan = data;
  State state = { .objects = g_ptr_array_new () };

  limit_fds ();
  make_all (&state, plan->n_objects);
}

static void
test_removed_at_exit (void)
{
  Plan plan = { .n_objects = proof_get_number ("TF_PROOF_OBJECTS", 5000) };

  proof_in_process (leave_to_exit, &plan);
  g_assert_cmpuint (tf_test_count_entries (proof_get_other_dir ()), ==, 0);
}

static void
sweep_all (gpointer data)
{
  const Plan *plan = data;
  guint n_before = tf_test_count_entries (proof_get_other_dir ());
  guint n_removed;
  double start = get_seconds ();
  g_autoptr(GError) error = NULL;

  limit_fds ();
  g_assert_true (tf_sweep (NULL, proof_get_other_dir (), 0, &n_removed, NULL, &error));
  g_assert_no_error (error);
  g_test_message ("CPU time to sweep both: %.1f µs", (get_seconds () - start) / plan->n_objects * 1e6);
  g_assert_cmpuint (n_removed, ==, n_before);
}

static void
test_swept (void)
{
  Plan plan = { .n_objects = proof_get_number ("TF_PROOF_OBJECTS", 5000), .die = TRUE };

  g_assert_cmpint (proof_wait (proof_fork (live_with_many, &plan)), ==, SIGKILL);
  proof_in_process (sweep_all, &plan);
  g_assert_cmpuint (tf_test_count_entries (proof_get_other_dir ()), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  proof_init (&argc, &argv);

  proof_add ("/many/memory", test_memory);
  proof_add ("/many/removed", test_removed);
  proof_add ("/many/removed-at-exit", test_removed_at_exit);
  proof_add ("/many/swept", test_swept);

  return tf_test_run ();
}
