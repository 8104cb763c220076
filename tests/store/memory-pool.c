/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "store/tf-memory-pool.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/tf-system.h"
#include "tf-test.h"

#define N_THREADS 4
#define N_ROUNDS 2000

#define KIB ((gsize) 1024)

typedef struct
{
  TfMemoryPoolNode node; /* first */
  gint n_refs;           /* (atomic): of the pool */
  gboolean is_in_use;
  gboolean fails;
  gboolean was_asked;
  gboolean was_moved_out;
  gint was_trimmed; /* (atomic): a boolean */
  guint n_frees;    /* how often it was to free what it does not use */
} Node;

/* What has passed for the library, beside what has really passed. */
static gint64 passed_time;

gint64 __real_g_get_monotonic_time (void);
gint64 __wrap_g_get_monotonic_time (void);

gint64
__wrap_g_get_monotonic_time (void)
{
  return __real_g_get_monotonic_time () + passed_time;
}

static gboolean fails_to_unmap;

int __real_munmap (void *data, size_t size);
int __wrap_munmap (void *data, size_t size);

int
__wrap_munmap (void   *data,
               size_t  size)
{
  if (!fails_to_unmap)
    return __real_munmap (data, size);

  errno = ENOMEM;
  return -1;
}

static guint n_trimmed;

static gboolean tells_nothing;

gboolean __real_tf_system_count_resident (guint8 *data, gsize size, gsize *resident);
gboolean __wrap_tf_system_count_resident (guint8 *data, gsize size, gsize *resident);

gboolean
__wrap_tf_system_count_resident (guint8 *data,
                                 gsize   size,
                                 gsize  *resident)
{
  return !tells_nothing && __real_tf_system_count_resident (data, size, resident);
}

void __wrap_tf_system_trim_heap (void);

void
__wrap_tf_system_trim_heap (void)
{
  n_trimmed++;
}

static void
node_ref (TfMemoryPoolNode *node)
{
  g_atomic_int_inc (&((Node *) node)->n_refs);
}

static void
node_unref (TfMemoryPoolNode *node)
{
  g_atomic_int_add (&((Node *) node)->n_refs, -1);
}

static gboolean
node_move_out (TfMemoryPoolNode  *node,
               GError           **error)
{
  Node *self = (Node *) node;

  self->was_asked = TRUE;
  if (self->is_in_use)
    return FALSE;

  if (self->fails)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "full");
      return FALSE;
    }

  self->was_moved_out = TRUE;
  tf_memory_pool_remove (node);
  return TRUE;
}

static gboolean
node_trim (TfMemoryPoolNode *node)
{
  Node *self = (Node *) node;

  g_atomic_int_set (&self->was_trimmed, !self->is_in_use);
  return !self->is_in_use;
}

static void
node_free_unused (TfMemoryPoolNode *node)
{
  ((Node *) node)->n_frees++;
  if (!((Node *) node)->is_in_use)
    tf_memory_pool_set_unused (node, 0);
}

static const TfMemoryPoolFuncs funcs = {
  .ref = node_ref,
  .unref = node_unref,
  .move_out = node_move_out,
  .trim = node_trim,
  .free_unused = node_free_unused,
};

static void
add (Node  *node,
     gsize  size)
{
  tf_memory_pool_recount (&node->node, size);
}

static void
test_charge (void)
{
  Node first = { 0, };
  Node second = { 0, };

  tf_memory_pool_set_limit (1000 * KIB);
  add (&first, 0);
  add (&second, 0);

  g_assert_true (tf_memory_pool_charge (&first.node, 600 * KIB));
  g_assert_true (tf_memory_pool_charge (&second.node, 400 * KIB));
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 1000 * KIB);
  g_assert_false (tf_memory_pool_is_exceeded ());

  /* What is refused is not counted, and less than what is counted is not asked about. */
  g_assert_false (tf_memory_pool_charge (&first.node, 600 * KIB + 1));
  g_assert_false (tf_memory_pool_charge (&first.node, G_MAXSIZE));
  g_assert_true (tf_memory_pool_charge (&first.node, 1));
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 1000 * KIB);

  tf_memory_pool_recount (&second.node, 399 * KIB);
  g_assert_true (tf_memory_pool_charge (&first.node, 601 * KIB));
  tf_memory_pool_remove (&first.node);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 399 * KIB);
  tf_memory_pool_remove (&first.node);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 399 * KIB);
  tf_memory_pool_remove (&second.node);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_memory_pool_set_limit (0);
}

/* The first 64 KiB are never refused. */
static void
test_spared (void)
{
  Node large = { 0, };
  Node small = { 0, };

  tf_memory_pool_set_limit (100 * KIB);
  add (&large, 100 * KIB);
  add (&small, 0);
  g_assert_true (tf_memory_pool_charge (&small.node, TF_MEMORY_POOL_SPARED));
  g_assert_true (tf_memory_pool_is_exceeded ());
  g_assert_false (tf_memory_pool_charge (&small.node, TF_MEMORY_POOL_SPARED + 1));

  tf_memory_pool_remove (&large.node);
  tf_memory_pool_remove (&small.node);
  tf_memory_pool_set_limit (0);
}

/* What is held without a limit is counted, and stays when there is one. */
static void
test_limit_comes_later (void)
{
  Node large = { 0, };
  Node small = { 0, };

  add (&large, 0);
  add (&small, 0);
  g_assert_true (tf_memory_pool_charge (&large.node, 150 * KIB));
  g_assert_true (tf_memory_pool_charge (&small.node, 80 * KIB));
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 230 * KIB);
  g_assert_false (tf_memory_pool_is_exceeded ());
  tf_memory_pool_set_limit (200 * KIB);
  g_assert_true (tf_memory_pool_is_exceeded ());
  g_assert_false (tf_memory_pool_charge (&small.node, 81 * KIB));

  tf_memory_pool_remove (&large.node);
  g_assert_true (tf_memory_pool_charge (&small.node, 200 * KIB));

  tf_memory_pool_set_limit (0);
  tf_memory_pool_recount (&small.node, 10);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 10);
  tf_memory_pool_remove (&small.node);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
}

static void
test_largest_first (void)
{
  Node small = { 0, };
  Node medium = { 0, };
  Node busy = { .is_in_use = TRUE };
  Node large = { 0, };
  Node closed = { 0, };

  add (&small, TF_MEMORY_POOL_SPARED);
  add (&medium, 100 * KIB);
  add (&large, 200 * KIB);
  add (&busy, 400 * KIB);
  add (&closed, 800 * KIB);
  tf_memory_pool_withdraw (&closed.node);
  tf_memory_pool_set_limit (1600 * KIB);

  /* There is room. */
  tf_memory_pool_make_room (10 * KIB, 0);
  g_assert_false (busy.was_asked);

  /* Nothing that is idle is larger. */
  tf_memory_pool_make_room (100 * KIB, 200 * KIB);
  g_assert_true (busy.was_asked);
  g_assert_false (large.was_moved_out);

  /* One is enough. */
  tf_memory_pool_make_room (100 * KIB, 0);
  g_assert_true (large.was_moved_out);
  g_assert_false (medium.was_moved_out);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, (64 + 100 + 400 + 800) * KIB);

  tf_memory_pool_make_room (1600 * KIB, 0);
  g_assert_true (medium.was_moved_out);
  g_assert_false (small.was_asked);
  g_assert_false (closed.was_asked);
  g_assert_cmpint (busy.n_refs, ==, 0);
  g_assert_cmpint (large.n_refs, ==, 0);

  tf_memory_pool_remove (&small.node);
  tf_memory_pool_remove (&busy.node);
  tf_memory_pool_remove (&closed.node);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_memory_pool_set_limit (0);
}

/* However many larger ones are in use, an idle one is found. */
static void
test_many_in_use (void)
{
  Node busy[100] = { 0, };
  Node idle = { 0, };

  for (guint i = 0; i < G_N_ELEMENTS (busy); i++)
    {
      busy[i].is_in_use = TRUE;
      add (&busy[i], 200 * KIB);
    }
  add (&idle, 100 * KIB);
  tf_memory_pool_set_limit (10);
  tf_memory_pool_make_room (0, 0);
  g_assert_true (idle.was_moved_out);

  for (guint i = 0; i < G_N_ELEMENTS (busy); i++)
    tf_memory_pool_remove (&busy[i].node);
  tf_memory_pool_set_limit (0);
}

/* Leaves 10 MiB to the heap. */
static void
leave_pieces (void)
{
  gpointer pieces[10];

  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      pieces[i] = tf_memory_pool_allocate (KIB * KIB);
      memset (pieces[i], 'x', KIB * KIB);
    }
  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    tf_memory_pool_free (pieces[i], KIB * KIB);
}

/* Where the kernel does not tell what is resident, all that is left is. */
static void
test_unknown (void)
{
  tf_memory_pool_set_limit (KIB * KIB * KIB);
  n_trimmed = 0;
  tells_nothing = TRUE;
  leave_pieces ();
  tells_nothing = FALSE;
  tf_memory_pool_set_limit (KIB);
  tf_memory_pool_make_room (0, KIB * KIB * KIB);
  g_assert_cmpuint (n_trimmed, ==, 1);
  tf_memory_pool_set_limit (0);
}

static long
use_again (guint times)
{
  struct rusage usage;

  for (guint i = 0; i < times; i++)
    {
      guint8 *piece = tf_memory_pool_allocate (120000);

      memset (piece, 'x', 100000);
      tf_memory_pool_free (piece, 120000);
    }

  g_assert_cmpint (getrusage (RUSAGE_SELF, &usage), ==, 0);
  return usage.ru_minflt;
}

/* However often a piece is used again, it counts once, and stays. */
static void
test_used_again (void)
{
#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
  g_test_skip ("The sanitizer has a heap of its own");
#else
  long before;

  tf_memory_pool_set_limit (KIB * KIB);
  before = use_again (5000);
  g_assert_cmpint (use_again (100) - before, <, 100);
  tf_memory_pool_set_limit (0);
#endif
}

static void
assert_trimmed (guint times)
{
  g_assert_cmpuint (n_trimmed, ==, times);
  n_trimmed = 0;
}

/* The heap is trimmed once for what it has, and not for what nodes have. What it has is not known when the first limit is
 * set. */
static void
test_trim_heap (void)
{
  Node node = { 0, };
  Node other = { 0, };

  n_trimmed = 0;
  add (&node, 100 * KIB);
  add (&other, 20 * KIB * KIB);
  tf_memory_pool_set_unused (&node.node, 20 * KIB * KIB);
  tf_memory_pool_set_limit (20 * KIB * KIB);
  assert_trimmed (1);
  tf_memory_pool_make_room (0, KIB * KIB * KIB);
  assert_trimmed (0);

  tf_memory_pool_set_unused (&node.node, 0);
  tf_memory_pool_set_limit (KIB * KIB * KIB);
  leave_pieces ();
  tf_memory_pool_set_limit (KIB);
  assert_trimmed (0);
  tf_memory_pool_make_room (0, KIB * KIB * KIB);
  tf_memory_pool_make_room (0, KIB * KIB * KIB);
  assert_trimmed (1);

  tf_memory_pool_set_limit (0);
  leave_pieces ();
  assert_trimmed (0);
  tf_memory_pool_withdraw (&node.node);
  tf_memory_pool_withdraw (&other.node);
  g_assert_cmpuint (tf_memory_pool_move_out (NULL), ==, 0);
  g_assert_cmpuint (tf_memory_pool_move_out (NULL), ==, 0);
  assert_trimmed (1);

  tf_memory_pool_remove (&node.node);
  tf_memory_pool_remove (&other.node);
  tf_memory_pool_set_limit (0);
}

/* Before one gives up its memory, all free what they do not use; but not again before there is much of that. */
static void
test_free_unused (void)
{
  Node nodes[] = { { .is_in_use = FALSE, }, { .is_in_use = TRUE, } };
  const gsize much = 20 * KIB * KIB;

  for (gsize i = 0; i < G_N_ELEMENTS (nodes); i++)
    {
      add (&nodes[i], much);
      tf_memory_pool_set_unused (&nodes[i].node, much);
    }

  tf_memory_pool_set_limit (4 * much + KIB);
  tf_memory_pool_make_room (0, KIB * KIB * KIB);
  g_assert_cmpuint (nodes[0].n_frees, ==, 0);

  tf_memory_pool_set_limit (3 * much);
  tf_memory_pool_make_room (much, KIB * KIB * KIB);
  g_assert_cmpuint (nodes[0].n_frees, ==, 1);
  g_assert_cmpuint (nodes[1].n_frees, ==, 1);
  tf_memory_pool_make_room (much, KIB * KIB * KIB);
  tf_memory_pool_set_unused (&nodes[0].node, KIB);
  tf_memory_pool_make_room (much, KIB * KIB * KIB);
  g_assert_cmpuint (nodes[0].n_frees, ==, 1);
  tf_memory_pool_set_unused (&nodes[0].node, much);
  tf_memory_pool_make_room (much, KIB * KIB * KIB);
  g_assert_cmpuint (nodes[0].n_frees, ==, 2);

  /* What one had in use does not count for ever. */
  tf_memory_pool_set_unused (&nodes[1].node, 0);
  tf_memory_pool_make_room (much + KIB, KIB * KIB * KIB);
  g_assert_cmpuint (nodes[0].n_frees, ==, 2);
  tf_memory_pool_set_unused (&nodes[0].node, much);
  tf_memory_pool_make_room (much + KIB, KIB * KIB * KIB);
  g_assert_cmpuint (nodes[0].n_frees, ==, 3);

  for (gsize i = 0; i < G_N_ELEMENTS (nodes); i++)
    tf_memory_pool_remove (&nodes[i].node);
  tf_memory_pool_set_limit (0);
}

static gboolean
is_mapped (gpointer data)
{
  return msync (data, 1, MS_ASYNC) == 0;
}

static gpointer
map (gsize size)
{
  gsize resident;
  gsize mapped = size;
  guint8 *data = tf_memory_pool_map (&mapped, &resident);

  g_assert_nonnull (data);
  g_assert_cmpuint (mapped, ==, size);
  g_assert_cmpuint (resident, ==, 0);
  memset (data, 'x', size);
  return data;
}

/* With a limit, a mapping is used again where it is large enough; not more is kept than the limit overlooks. */
static void
test_kept_mappings (void)
{
  const gsize sizes[] = { 256 * KIB, 128 * KIB, 512 * KIB };
  gpointer data[G_N_ELEMENTS (sizes)];
  gpointer many[40];
  gsize size = 100 * KIB;
  gsize resident;
  guint n_kept = 0;

  tf_memory_pool_set_limit (KIB * KIB * KIB);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    data[i] = map (sizes[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    tf_memory_pool_unmap (data[i], sizes[i], sizes[i] / 2);

  g_assert_true (tf_memory_pool_map (&size, &resident) == data[1]);
  g_assert_cmpuint (size, ==, sizes[1]);
  g_assert_cmpuint (resident, ==, sizes[1] / 2);
  size = 300 * KIB;
  g_assert_true (tf_memory_pool_map (&size, &resident) == data[2]);
  tf_memory_pool_unmap (data[1], sizes[1], sizes[1]);
  tf_memory_pool_unmap (data[2], sizes[2], sizes[2]);

  for (gsize i = 0; i < G_N_ELEMENTS (many); i++)
    many[i] = map (KIB * KIB);
  for (gsize i = 0; i < G_N_ELEMENTS (many); i++)
    tf_memory_pool_unmap (many[i], KIB * KIB, KIB * KIB);
  for (gsize i = 0; i < G_N_ELEMENTS (many); i++)
    n_kept += is_mapped (many[i]);
  g_assert_cmpuint (n_kept, >=, 6);
  g_assert_cmpuint (n_kept, <=, 8);

  /* Not when memory runs low. */
  g_assert_cmpuint (tf_memory_pool_move_out (NULL), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (many); i++)
    g_assert_false (is_mapped (many[i]));

  data[0] = map (sizes[0]);
  tf_memory_pool_unmap (data[0], sizes[0], sizes[0]);
  g_assert_true (is_mapped (data[0]));
  tf_memory_pool_set_limit (0);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    g_assert_false (is_mapped (data[i]));
}

static void
test_unkept_mappings (void)
{
  gpointer data = map (256 * KIB);
  gsize resident = 0;

  tf_memory_pool_unmap (data, 256 * KIB, 256 * KIB);
  g_assert_false (is_mapped (data));

  /* If the addresses stay, the pages do not. */
  if (!tf_test_is_portable ())
    {
      data = map (256 * KIB);
      fails_to_unmap = TRUE;
      tf_memory_pool_unmap (data, 256 * KIB, 256 * KIB);
      fails_to_unmap = FALSE;
      g_assert_true (tf_system_count_resident (data, 256 * KIB, &resident));
      g_assert_cmpuint (resident, ==, 0);
      g_assert_cmpint (munmap (data, 256 * KIB), ==, 0);
    }

  tf_memory_pool_set_limit (KIB * KIB * KIB);
  data = map (2 * KIB * KIB);
  tf_memory_pool_unmap (data, 2 * KIB * KIB, KIB * KIB);
  g_assert_false (is_mapped (data));
  data = map (256 * KIB);
  tf_memory_pool_unmap (data, 256 * KIB, 32 * KIB);
  g_assert_false (is_mapped (data));
  tf_memory_pool_set_limit (0);
}

/* Mappings are for the application, too. Large ones are made all the same. */
static void
test_many_mappings (void)
{
  g_autoptr(GPtrArray) mappings = g_ptr_array_new ();
  gsize size = 4 * KIB;
  gsize resident;
  gpointer large;

  for (gpointer data; (data = tf_memory_pool_map (&size, &resident)) != NULL;)
    g_ptr_array_add (mappings, data);
  g_assert_cmpuint (mappings->len, >, 10000);
  g_assert_cmpuint (mappings->len, <, 30000);
  large = map (2 * KIB * KIB);

  for (guint i = 0; i < mappings->len; i++)
    tf_memory_pool_unmap (mappings->pdata[i], size, 0);
  tf_memory_pool_unmap (large, 2 * KIB * KIB, 0);
  tf_memory_pool_unmap (map (4 * KIB), 4 * KIB, 0);
}

/* One call frees what it needs, not what all have, and finds it behind those that are in use. */
static void
test_free_enough (void)
{
  Node nodes[400] = { { .n_refs = 0, } };
  const gsize much = 100 * KIB;
  guint n_frees = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (nodes); i++)
    {
      nodes[i].is_in_use = i < 100;
      add (&nodes[i], much);
      tf_memory_pool_set_unused (&nodes[i].node, much);
    }

  tf_memory_pool_set_limit (2 * G_N_ELEMENTS (nodes) * much - 8 * KIB * KIB);
  tf_memory_pool_make_room (much, KIB * KIB * KIB);
  for (gsize i = 100; i < G_N_ELEMENTS (nodes); i++)
    n_frees += nodes[i].n_frees;
  g_assert_cmpuint (n_frees, >, 0);
  g_assert_cmpuint (n_frees, <=, 32);

  for (gsize i = 0; i < G_N_ELEMENTS (nodes); i++)
    {
      g_assert_cmpuint (nodes[i].n_frees, <=, 4);
      tf_memory_pool_remove (&nodes[i].node);
    }
  tf_memory_pool_set_limit (0);
}

/* What is being freed counts. */
static void
test_leaving (void)
{
  Node node = { 0, };

  tf_memory_pool_set_limit (1000 * KIB);
  tf_memory_pool_add_leaving (600 * KIB);
  g_assert_false (tf_memory_pool_charge (&node.node, 500 * KIB));
  g_assert_true (tf_memory_pool_charge (&node.node, 400 * KIB));
  tf_memory_pool_add_leaving (-(gssize) (600 * KIB));
  g_assert_true (tf_memory_pool_charge (&node.node, 500 * KIB));
  tf_memory_pool_remove (&node.node);
  tf_memory_pool_set_limit (0);
}

/* As with realloc(), there may be no piece before, and a piece stays if there is no larger one. */
static void
test_reallocate (void)
{
  char *piece;

  tf_memory_pool_set_limit (KIB);
  piece = tf_memory_pool_reallocate (NULL, 0, KIB);
  strcpy (piece, "content");
  g_assert_null (tf_memory_pool_reallocate (piece, KIB, G_MAXSSIZE));
  g_assert_cmpstr (piece, ==, "content");
  tf_memory_pool_free (piece, KIB);
  tf_memory_pool_set_limit (0);
}

/* If very many are, they are not asked each time. */
static void
test_all_in_use (void)
{
  static Node busy[600];

  for (guint i = 0; i < G_N_ELEMENTS (busy); i++)
    {
      busy[i].is_in_use = TRUE;
      add (&busy[i], 200 * KIB);
    }
  tf_memory_pool_set_limit (10);
  tf_memory_pool_make_room (0, 0);
  g_assert_true (busy[0].was_asked);

  busy[0].was_asked = FALSE;
  tf_memory_pool_make_room (0, 0);
  g_assert_false (busy[0].was_asked);

  passed_time += G_USEC_PER_SEC;
  tf_memory_pool_make_room (0, 0);
  g_assert_true (busy[0].was_asked);

  passed_time += G_USEC_PER_SEC;
  for (guint i = 0; i < G_N_ELEMENTS (busy); i++)
    tf_memory_pool_remove (&busy[i].node);
  tf_memory_pool_set_limit (0);
}

/* A disk that is full is not written to each time, but again after a while. */
static void
test_failing (void)
{
  Node first = { .fails = TRUE };
  Node second = { .fails = TRUE };

  add (&first, 200 * KIB);
  add (&second, 100 * KIB);
  tf_memory_pool_set_limit (10);
  tf_memory_pool_make_room (0, 0);
  g_assert_true (first.was_asked);
  g_assert_false (second.was_asked);

  first.was_asked = FALSE;
  tf_memory_pool_make_room (0, 0);
  g_assert_false (first.was_asked);

  passed_time += G_USEC_PER_SEC;
  tf_memory_pool_make_room (0, 0);
  g_assert_true (first.was_asked);

  tf_memory_pool_remove (&first.node);
  tf_memory_pool_remove (&second.node);
  tf_memory_pool_set_limit (0);
}

static void
test_move_out (void)
{
  Node idle = { 0, };
  Node busy = { .is_in_use = TRUE };
  Node failing = { .fails = TRUE };
  Node small = { 0, };
  g_autoptr(GError) error = NULL;

  add (&idle, 100 * KIB);
  add (&busy, 200 * KIB);
  add (&failing, 300 * KIB);
  add (&small, TF_MEMORY_POOL_SPARED);

  g_assert_cmpuint (tf_memory_pool_move_out (&error), ==, 1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_true (idle.was_moved_out);
  g_assert_false (busy.was_moved_out);
  g_assert_false (small.was_asked);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 564 * KIB);

  /* A node that has left is not asked again. */
  g_clear_error (&error);
  idle.was_moved_out = busy.is_in_use = failing.fails = FALSE;
  g_assert_cmpuint (tf_memory_pool_move_out (&error), ==, 0);
  g_assert_no_error (error);
  g_assert_false (idle.was_moved_out);
  g_assert_true (busy.was_moved_out);
  g_assert_cmpint (idle.n_refs, ==, 0);
  g_assert_cmpint (busy.n_refs, ==, 0);
  tf_memory_pool_remove (&small.node);
}

/* One node at a time has begun a huge page. */
static void
test_start (void)
{
  Node first = { 0, };
  Node second = { 0, };

  add (&first, 0);
  add (&second, 0);
  g_assert_true (tf_memory_pool_start (&first.node));
  g_assert_true (tf_memory_pool_start (&first.node));
  g_assert_false (first.was_trimmed);
  g_assert_true (tf_memory_pool_start (&second.node));
  g_assert_true (first.was_trimmed);

  second.is_in_use = TRUE;
  g_assert_false (tf_memory_pool_start (&first.node));
  g_assert_true (tf_memory_pool_start (&second.node));
  tf_memory_pool_remove (&second.node);
  g_assert_true (tf_memory_pool_start (&first.node));

  /* Whoever keeps what is closed does not grow. */
  first.is_in_use = TRUE;
  tf_memory_pool_withdraw (&first.node);
  g_assert_true (tf_memory_pool_start (&second.node));
  tf_memory_pool_remove (&first.node);
  tf_memory_pool_remove (&second.node);
  g_assert_cmpint (second.n_refs, ==, 0);
}

static gpointer
come_and_go (gpointer data)
{
  for (gsize i = 0; i < N_ROUNDS; i++)
    {
      Node node = { .is_in_use = TRUE };

      add (&node, 0);
      for (gsize size = 1; size < 1024 * KIB; size *= 4)
        if (!tf_memory_pool_charge (&node.node, size))
          break;
      tf_memory_pool_start (&node.node);
      tf_memory_pool_make_room (1, 0);
      tf_memory_pool_remove (&node.node);

      /* The real one is freed only when nobody has a reference. */
      while (g_atomic_int_get (&node.n_refs) > 0)
        g_thread_yield ();
    }

  return NULL;
}

static void
test_threads (void)
{
  GThread *threads[N_THREADS];

  tf_memory_pool_set_limit (100 * KIB);
  for (gsize i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("come-and-go", come_and_go, NULL);
  for (gsize i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (tf_memory_pool_get_held (), ==, 0);
  tf_memory_pool_set_limit (0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);
  tf_memory_pool_set_funcs (&funcs);

  g_test_add_func ("/memory-pool/charge", test_charge);
  g_test_add_func ("/memory-pool/spared", test_spared);
  g_test_add_func ("/memory-pool/limit-comes-later", test_limit_comes_later);
  g_test_add_func ("/memory-pool/largest-first", test_largest_first);
  g_test_add_func ("/memory-pool/many-in-use", test_many_in_use);
  g_test_add_func ("/memory-pool/unknown", test_unknown);
  g_test_add_func ("/memory-pool/used-again", test_used_again);
  g_test_add_func ("/memory-pool/trim-heap", test_trim_heap);
  g_test_add_func ("/memory-pool/free-unused", test_free_unused);
  g_test_add_func ("/memory-pool/free-enough", test_free_enough);
  g_test_add_func ("/memory-pool/mappings/kept", test_kept_mappings);
  g_test_add_func ("/memory-pool/mappings/unkept", test_unkept_mappings);
  g_test_add_func ("/memory-pool/mappings/many", test_many_mappings);
  g_test_add_func ("/memory-pool/leaving", test_leaving);
  g_test_add_func ("/memory-pool/reallocate", test_reallocate);
  g_test_add_func ("/memory-pool/all-in-use", test_all_in_use);
  g_test_add_func ("/memory-pool/failing", test_failing);
  g_test_add_func ("/memory-pool/move-out", test_move_out);
  g_test_add_func ("/memory-pool/start", test_start);
  g_test_add_func ("/memory-pool/threads", test_threads);

  return tf_test_run ();
}
