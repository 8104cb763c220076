/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-memory-pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/tf-fork.h"
#include "base/tf-system.h"

/* The number of nodes that are asked at once to give up memory for one request, and how many may be in use. */
#define ASKED_AT_ONCE 32
#define MAX_ASKED 512

/* In bytes: what a node has less of without using it, it need not be asked for. A part of a page cannot be freed. */
#define UNUSED_MIN ((gsize) 8 * 1024)

/* The time after which a disk that refused bytes, or nodes that were all in use, are asked again, in microseconds. */
#define PAUSE G_USEC_PER_SEC

/* Four ranks for each power of two: sizes that differ by a quarter have different ones. */
#define N_RANKS (4 * GLIB_SIZEOF_SIZE_T * 8)

/* What may be resident without being counted, in bytes, whatever the limit is. */
#define LOOSE_MIN ((gsize) 8 * 1024 * 1024)

/* The size, in bytes, from which on a piece of the heap has pages of its own. */
#define PIECE_MIN ((gsize) 16 * 1024)

/* The largest mapping that is kept for the next one who needs one, in bytes. */
#define KEPT_MAX ((gsize) 1024 * 1024)

/* What buffers may have of each limit, in bytes. */
#define BUFFERS_MIN ((gsize) 4 * 1024 * 1024)

static const TfMemoryPoolFuncs *funcs; /* (atomic) */

static gsize limit;   /* (atomic): in bytes; 0 for none */
static gsize held;    /* (atomic): by nodes, in bytes */
static gsize buffers; /* (atomic): of files on disk, in bytes */
static gsize leaving; /* (atomic): what was held by nodes that are on disk now, and is not freed yet, in bytes */

/* The number of sizes of pieces that are told apart: powers of two */
#define N_CLASSES (8 * GLIB_SIZEOF_SIZE_T)

/* In bytes, of which nodes may have a part, and the heap, resident without being counted. */
static gsize unused;          /* (atomic): by nodes, beside what they hold */
static gsize unused_before;   /* (atomic): when nodes had to free it last */
static gsize all_left;        /* (atomic): what the heap has in pieces that were freed */
static gsize left[N_CLASSES]; /* (atomic): the part of it that is in pieces of that size */

/* The number of mappings, of which a process may have 65530 as a rule, after which only large ones are made. */
#define MOST_MAPPINGS 16384

static guint n_mappings; /* (atomic) */

/* A mapping that is kept, at its beginning. */
typedef struct _KeptMapping KeptMapping;
struct _KeptMapping
{
  KeptMapping *next;
  gsize        size;     /* in bytes */
  gsize        resident; /* in bytes, at most; what is behind them is zero */
};

static KeptMapping *kept_mappings; /* (atomic) (nullable): changed with the lock held */
static gsize kept;                 /* (atomic): what is resident of them, in bytes */

/* A thread that holds the lock of a node may take this lock, but not the other way round. A node in a ring is alive, so
 * that it can be referenced. */
static GMutex lock;

/* The threads that free it are not in the child. */
static void
forget_leaving (void)
{
  g_atomic_pointer_set (&leaving, 0);
}

static TfForkHandler fork_handler = { .level = TF_FORK_LEAVES, .lock = &lock, .child = forget_leaving };
static gint64 paused_until;
static TfMemoryPoolNode *ranks[N_RANKS]; /* (unowned) (nullable): the oldest of the nodes that are not spared, by size */
static guint n_ranked;
static TfMemoryPoolNode *started; /* (unowned) (nullable): the node that may hold a part of a huge page */

/* 0 for sizes that are spared. */
static guint
get_rank (gsize size)
{
  guint n_bits;

  if (size <= TF_MEMORY_POOL_SPARED)
    return 0;

  n_bits = g_bit_nth_msf (size, -1);
  return 4 * n_bits + ((size >> (n_bits - 2)) & 3);
}

/* Appends the node to the ring of its rank. */
static void
link_node (TfMemoryPoolNode *node,
           guint             rank)
{
  TfMemoryPoolNode *oldest = ranks[rank] != NULL ? ranks[rank] : node;

  node->rank = rank;
  node->next = oldest;
  node->previous = oldest != node ? oldest->previous : node;
  node->previous->next = node;
  oldest->previous = node;
  ranks[rank] = oldest;
  n_ranked++;
}

static void
unlink_node (TfMemoryPoolNode *node)
{
  node->previous->next = node->next;
  node->next->previous = node->previous;
  if (ranks[node->rank] == node)
    ranks[node->rank] = node->next != node ? node->next : NULL;
  node->rank = 0;
  n_ranked--;
}

static void
update_rank (TfMemoryPoolNode *node)
{
  guint rank = node->spared ? 0 : get_rank (node->charge);

  if (G_LIKELY (rank == node->rank))
    return;

  tf_fork_lock (&fork_handler);
  if (node->rank > 0)
    unlink_node (node);
  if (rank > 0)
    link_node (node, rank);
  g_mutex_unlock (&lock);
}

/* Called before there is a node. Calling this again does nothing. */
void
tf_memory_pool_set_funcs (const TfMemoryPoolFuncs *node_funcs)
{
  if (G_UNLIKELY (g_atomic_pointer_get (&funcs) == NULL))
    g_atomic_pointer_set (&funcs, node_funcs);
}

gsize
tf_memory_pool_get_held (void)
{
  return (gsize) g_atomic_pointer_get (&held);
}

static gsize
get_unused (void)
{
  return (gsize) g_atomic_pointer_get (&unused);
}

static gsize
get_left (void)
{
  return (gsize) g_atomic_pointer_get (&all_left) + (gsize) g_atomic_pointer_get (&kept);
}

/* Returns whether the limit allows @bytes on top of what nodes hold, which is @now, of the buffers, and of what is
 * resident without being counted. */
static gboolean
fits (gsize now,
      gsize bytes)
{
  gsize bound = (gsize) g_atomic_pointer_get (&limit);
  gsize rest = get_unused () + get_left ();

  now += (gsize) g_atomic_pointer_get (&buffers) + (gsize) g_atomic_pointer_get (&leaving) + (rest - MIN (rest, LOOSE_MIN));
  return bound == 0 || (now <= bound && bytes <= bound - now);
}

/* Adds @bytes to what is held. Unless @force, fails if that would exceed the limit. */
static gboolean
take (gsize    bytes,
      gboolean force)
{
  gsize before;

  do
    {
      before = (gsize) g_atomic_pointer_get (&held);
      if (!force && !fits (before, bytes))
        return FALSE;
    }
  while (!g_atomic_pointer_compare_and_exchange (&held, before, before + bytes));

  return TRUE;
}

static void
forget_started (TfMemoryPoolNode *node)
{
  if (g_atomic_pointer_get (&started) != node)
    return;

  tf_fork_lock (&fork_handler);
  if (started == node)
    g_atomic_pointer_set (&started, NULL);
  g_mutex_unlock (&lock);
}

/* From now on, the node only keeps what it holds, and has no part of a huge page. */
void
tf_memory_pool_withdraw (TfMemoryPoolNode *node)
{
  node->spared = TRUE;
  update_rank (node);
  forget_started (node);
}

/* Removes a node that holds nothing in memory any more. Calling this again does nothing. */
void
tf_memory_pool_remove (TfMemoryPoolNode *node)
{
  tf_memory_pool_recount (node, 0);
  tf_memory_pool_set_unused (node, 0);
  forget_started (node);
}

/* Counts @size bytes for the node. Fails if the limit does not allow that, and they are more than are spared. */
gboolean
tf_memory_pool_charge (TfMemoryPoolNode *node,
                       gsize             size)
{
  if (size <= node->charge)
    return TRUE;

  if (!take (size - node->charge, size <= TF_MEMORY_POOL_SPARED))
    return FALSE;

  node->charge = size;
  update_rank (node);
  return TRUE;
}

/* Counts @size bytes for the node, even if that exceeds the limit. */
void
tf_memory_pool_recount (TfMemoryPoolNode *node,
                        gsize             size)
{
  if (size == node->charge)
    return;

  g_atomic_pointer_add (&held, (gssize) size - (gssize) node->charge);
  node->charge = size;
  update_rank (node);
}

/* Counts the buffer of a file on disk. Unless @force, fails if such buffers have their part of the limit. */
gboolean
tf_memory_pool_take_buffer (gsize    bytes,
                            gboolean force)
{
  gsize bound = (gsize) g_atomic_pointer_get (&limit);
  gsize before = (gsize) g_atomic_pointer_get (&buffers);

  if (!force && bound != 0 && before + bytes > MAX (bound / 2, BUFFERS_MIN))
    return FALSE;

  g_atomic_pointer_add (&buffers, bytes);
  return TRUE;
}

void
tf_memory_pool_free_buffer (gsize bytes)
{
  g_atomic_pointer_add (&buffers, -(gssize) bytes);
}

/* Counts memory of nodes that are on disk now until it is freed. */
void
tf_memory_pool_add_leaving (gssize bytes)
{
  g_atomic_pointer_add (&leaving, bytes);
}

/* Takes @size, or what there is, from what the heap has left of that class. Returns how much that was. */
static gsize
draw_left (guint class,
           gsize size)
{
  gsize before, drawn;

  do
    {
      before = (gsize) g_atomic_pointer_get (&left[class]);
      drawn = MIN (before, size);
    }
  while (drawn > 0 && !g_atomic_pointer_compare_and_exchange (&left[class], before, before - drawn));

  g_atomic_pointer_add (&all_left, -(gssize) drawn);
  return drawn;
}

static KeptMapping *
steal_kept_mappings (void)
{
  KeptMapping *mappings;

  tf_fork_lock (&fork_handler);
  mappings = g_atomic_pointer_get (&kept_mappings);
  g_atomic_pointer_set (&kept_mappings, NULL);
  g_atomic_pointer_set (&kept, 0);
  g_mutex_unlock (&lock);
  return mappings;
}

static void
unmap (gpointer data,
       gsize    size)
{
  /* In the midst of others that the kernel has joined, this takes one more mapping. */
  if (munmap (data, size) != 0)
    tf_system_free_pages (data, size);
  g_atomic_int_add (&n_mappings, -1);
}

static void
unmap_kept (void)
{
  KeptMapping *next;

  for (KeptMapping *mapping = steal_kept_mappings (); mapping != NULL; mapping = next)
    {
      next = mapping->next;
      unmap (mapping, mapping->size);
    }
}

/* Gives what the heap has left to the system, and what is kept. It takes the time of all free pieces of the process. */
static void
take_all_back (void)
{
  unmap_kept ();
  for (guint i = 0; i < N_CLASSES; i++)
    draw_left (i, G_MAXSIZE);

  tf_system_trim_heap ();
}

static void
take_back (void)
{
  if (get_left () > LOOSE_MIN)
    take_all_back ();
}

static guint
get_class (gsize size)
{
  return g_bit_nth_msf (size, -1);
}

/* Returns whether @bytes that are being freed may stay in the heap. Without a limit, all that is freed stays there, as
 * malloc() sees fit. */
static gboolean
may_leave (gsize bytes)
{
  return g_atomic_pointer_get (&limit) == 0 ||
         get_unused () + get_left () + bytes <= LOOSE_MIN || fits (tf_memory_pool_get_held (), bytes);
}

/* Returns whether a piece of @size may stay in the heap when what was in it has become too large for it. Many such pieces
 * are of no use where all grow. */
static gboolean
may_outgrow (gsize size)
{
  gsize most = MAX (LOOSE_MIN, tf_memory_pool_get_held () / 8);

  return may_leave (size) &&
         (g_atomic_pointer_get (&limit) != 0 || (gsize) g_atomic_pointer_get (&left[get_class (size)]) + size <= most);
}

/* Returns whether nodes may keep what they do not use: as long as all is within the limit; without one, as much as they
 * hold. */
gboolean
tf_memory_pool_may_keep_unused (void)
{
  gsize bound = (gsize) g_atomic_pointer_get (&limit);
  gsize now = tf_memory_pool_get_held ();

  if (bound == 0)
    return get_unused () <= MAX (LOOSE_MIN, now);

  return get_unused () + get_left () <= LOOSE_MIN || fits (now, 0);
}

/* Without a limit, the heap is taken to have used what it had left of that size. With one, what it had left is counted by
 * what is resident of a piece that nothing was written to yet: the heap splits and joins pieces. */
static void
note_allocated (gpointer piece,
                gsize    size)
{
  gsize used;

  if (g_atomic_pointer_get (&limit) == 0)
    {
      draw_left (get_class (size), size);
      return;
    }

  if (!tf_system_count_resident (piece, size, &used))
    used = 0;
  for (guint i = 0; i < N_CLASSES && used > 0; i++)
    used -= draw_left (i, used);
}

/* Returns how much of a piece counts when it is left, in the unit of note_allocated(); all of it if that is not known. */
static gsize
count_left (gpointer piece,
            gsize    size)
{
  gsize resident;

  return g_atomic_pointer_get (&limit) != 0 && tf_system_count_resident (piece, size, &resident) ? resident : size;
}

/* The sum is never less than what it is the sum of. */
static void
note_left (gsize size,
           gsize counted)
{
  g_atomic_pointer_add (&all_left, counted);
  g_atomic_pointer_add (&left[get_class (size)], counted);
}

/* Like malloc(), for a piece that tf_memory_pool_free() frees. */
gpointer
tf_memory_pool_allocate (gsize size)
{
  gpointer piece = malloc (size);

  if (piece != NULL && size >= PIECE_MIN)
    note_allocated (piece, size);
  return piece;
}

/* The heap keeps the piece, unless it has too much of that kind: then only the addresses. */
static void
free_piece (gpointer piece,
            gsize    size,
            gboolean may_stay)
{
  gsize counted = may_stay || !tf_system_free_pages (piece, size) ? count_left (piece, size) : 0;

  free (piece);
  note_left (size, counted);
}

void
tf_memory_pool_free (gpointer piece,
                     gsize    size)
{
  if (piece != NULL && size >= PIECE_MIN)
    free_piece (piece, size, may_leave (size));
  else
    free (piece);
}

/* Like realloc(). A piece that shrinks leaves its rest. */
gpointer
tf_memory_pool_reallocate (gpointer piece,
                           gsize    old_size,
                           gsize    size)
{
  gboolean is_left = old_size < PIECE_MIN || may_outgrow (old_size);
  gpointer moved;
  gsize counted;

  if (is_left && (size < old_size || g_atomic_pointer_get (&limit) == 0))
    {
      counted = old_size >= PIECE_MIN ? count_left (piece, old_size) : 0;
      moved = realloc (piece, size);
      if (moved != NULL && old_size >= PIECE_MIN)
        note_left (old_size, counted); /* if it was moved */
      if (moved != NULL && size >= PIECE_MIN)
        note_allocated (moved, size);
      return moved;
    }

  moved = tf_memory_pool_allocate (size);
  if (moved == NULL)
    return NULL;

  if (old_size > 0)
    memcpy (moved, piece, MIN (old_size, size));
  if (old_size >= PIECE_MIN)
    free_piece (piece, old_size, is_left);
  else
    free (piece);
  return moved;
}

/* Returns the place of the smallest mapping that is kept, and that has @size bytes or more. Called with the lock held. */
static KeptMapping **
find_kept (gsize size)
{
  KeptMapping **found = NULL;

  for (KeptMapping **place = &kept_mappings; *place != NULL; place = &(*place)->next)
    if ((*place)->size >= size && (found == NULL || (*place)->size < (*found)->size))
      found = place;

  return found;
}

static KeptMapping *
take_kept (gsize size)
{
  KeptMapping *mapping = NULL;
  KeptMapping **place;

  if (g_atomic_pointer_get (&kept_mappings) == NULL)
    return NULL;

  tf_fork_lock (&fork_handler);
  place = find_kept (size);
  if (place != NULL)
    {
      mapping = *place;
      g_atomic_pointer_set (place, mapping->next);
      g_atomic_pointer_add (&kept, -(gssize) mapping->resident);
    }
  g_mutex_unlock (&lock);
  return mapping;
}

static gpointer
map (gsize size)
{
  gpointer data = NULL;

  if ((guint) g_atomic_int_add (&n_mappings, 1) < MOST_MAPPINGS || size > KEPT_MAX)
    data = tf_system_remap (NULL, 0, size);
  if (data == NULL)
    g_atomic_int_add (&n_mappings, -1);
  return data;
}

/* Maps @size bytes, or more: sets @size to how many. @resident bytes of them may be resident and have any value, the others
 * are zero. Returns NULL if there is no memory, or if there are too many mappings. */
gpointer
tf_memory_pool_map (gsize *size,
                    gsize *resident)
{
  KeptMapping *mapping = take_kept (*size);

  *resident = mapping != NULL ? mapping->resident : 0;
  if (mapping == NULL)
    return map (*size);

  *size = mapping->size;
  return mapping;
}

/* A mapping of which little is resident is not worth it. */
static gboolean
may_keep (gsize size,
          gsize resident)
{
  return size <= KEPT_MAX && resident >= size / 4 &&
         tf_memory_pool_is_limited () && get_unused () + get_left () + resident <= LOOSE_MIN;
}

/* Unmaps what tf_memory_pool_map() has mapped, unless it may be kept. */
void
tf_memory_pool_unmap (gpointer data,
                      gsize    size,
                      gsize    resident)
{
  KeptMapping *mapping = data;

  if (!may_keep (size, resident))
    {
      unmap (data, size);
      return;
    }

  tf_fork_lock (&fork_handler);
  *mapping = (KeptMapping) { kept_mappings, size, resident };
  g_atomic_pointer_set (&kept_mappings, mapping);
  g_atomic_pointer_add (&kept, mapping->resident);
  g_mutex_unlock (&lock);
}

/* Says how many bytes may be resident for the node without being counted. */
void
tf_memory_pool_set_unused (TfMemoryPoolNode *node,
                           gsize             size)
{
  if (size == node->unused)
    return;

  g_atomic_pointer_add (&unused, (gssize) size - (gssize) node->unused);
  __atomic_store_n (&node->unused, size, __ATOMIC_RELAXED);
}

static gboolean
set_started (TfMemoryPoolNode *node,
             TfMemoryPoolNode *before)
{
  gboolean success;

  tf_fork_lock (&fork_handler);
  success = started == NULL || started == before;
  if (success)
    g_atomic_pointer_set (&started, node);
  g_mutex_unlock (&lock);
  return success;
}

static TfMemoryPoolNode *
ref_started (void)
{
  TfMemoryPoolNode *node;

  tf_fork_lock (&fork_handler);
  node = started;
  if (node != NULL)
    funcs->ref (node);
  g_mutex_unlock (&lock);
  return node;
}

/* Returns whether the node may begin a huge page. At most one node of the process has a part of one that is not full:
 * the one that had it before is trimmed. */
gboolean
tf_memory_pool_start (TfMemoryPoolNode *node)
{
  TfMemoryPoolNode *before;
  gboolean success;

  if (g_atomic_pointer_get (&started) == node)
    return TRUE;

  before = ref_started ();
  success = (before == NULL || funcs->trim (before)) && set_started (node, before);
  if (before != NULL)
    funcs->unref (before);
  return success;
}

/* Sets the limit in bytes; 0 for none. Memory that is held already stays. */
void
tf_memory_pool_set_limit (gsize bytes)
{
  gboolean is_first = g_atomic_pointer_get (&limit) == 0 && bytes != 0;

  g_atomic_pointer_set (&limit, bytes);

  /* What is left is not known exactly without a limit. */
  if (is_first)
    take_all_back ();
  else if (bytes == 0)
    unmap_kept ();
}

gboolean
tf_memory_pool_is_limited (void)
{
  return g_atomic_pointer_get (&limit) != 0;
}

gboolean
tf_memory_pool_is_exceeded (void)
{
  return !fits (tf_memory_pool_get_held (), 0);
}

static gboolean
is_paused (void)
{
  gboolean paused;

  tf_fork_lock (&fork_handler);
  paused = n_ranked == 0 || (paused_until != 0 && g_get_monotonic_time () < paused_until);
  g_mutex_unlock (&lock);
  return paused;
}

static void
pause_for_a_while (void)
{
  tf_fork_lock (&fork_handler);
  paused_until = g_get_monotonic_time () + PAUSE;
  g_mutex_unlock (&lock);
}

/* Returns the largest nodes, at most @max, that hold more than @above bytes, and have @min_unused bytes beside them,
 * the largest first. */
static GPtrArray *
dup_largest (gsize above,
             gsize min_unused,
             guint max)
{
  GPtrArray *nodes = g_ptr_array_new ();

  tf_fork_lock (&fork_handler);
  for (guint rank = N_RANKS - 1; n_ranked > 0 && rank > get_rank (above); rank--)
    for (TfMemoryPoolNode *node = ranks[rank], *last = NULL; node != last && nodes->len < max; node = node->next)
      {
        last = ranks[rank];
        if (__atomic_load_n (&node->unused, __ATOMIC_RELAXED) < min_unused)
          continue;
        funcs->ref (node);
        g_ptr_array_add (nodes, node);
      }
  g_mutex_unlock (&lock);

  return nodes;
}

static gboolean
move_out_for (TfMemoryPoolNode *node,
              gsize             bytes)
{
  g_autoptr(GError) error = NULL;
  gboolean success;

  if (fits (tf_memory_pool_get_held (), bytes) || is_paused ())
    return TRUE;

  success = funcs->move_out (node, &error);
  if (error != NULL)
    pause_for_a_while ();
  return success || error != NULL;
}

/* Returns FALSE if all of @max nodes are in use. */
static gboolean
ask (gsize bytes,
     gsize above,
     guint max)
{
  g_autoptr(GPtrArray) nodes = dup_largest (above, 0, max);
  gboolean answered = nodes->len < max;

  for (guint i = 0; i < nodes->len; i++)
    {
      TfMemoryPoolNode *node = g_ptr_array_index (nodes, i);

      answered |= move_out_for (node, bytes);
      funcs->unref (node);
    }

  return answered;
}

/* Returns how many of @max nodes have freed what they have without using it. */
static guint
ask_for_unused (guint max)
{
  g_autoptr(GPtrArray) nodes = dup_largest (TF_MEMORY_POOL_SPARED, UNUSED_MIN, max);

  for (guint i = 0; i < nodes->len; i++)
    {
      TfMemoryPoolNode *node = g_ptr_array_index (nodes, i);

      funcs->free_unused (node);
      funcs->unref (node);
    }

  return nodes->len;
}

/* Makes nodes free what they have without using it, until there is room for @bytes. If that is not enough, they are asked
 * again once there is more of it. */
static void
free_unused (gsize bytes)
{
  gsize before = MIN ((gsize) g_atomic_pointer_get (&unused_before), get_unused ());
  guint n = ASKED_AT_ONCE;

  while (n <= MAX_ASKED && get_unused () > before + LOOSE_MIN && !fits (tf_memory_pool_get_held (), bytes))
    {
      gsize now = get_unused ();

      if (ask_for_unused (n) < n)
        n = G_MAXUINT;
      else if (get_unused () >= now) /* they are in use */
        n *= 4;
    }

  g_atomic_pointer_set (&unused_before, n > MAX_ASKED ? get_unused () : before);
}

/* Makes nodes that hold more than @above bytes give up their memory, the largest first, until there is room for @bytes,
 * as far as possible. Called without the lock of a node. */
void
tf_memory_pool_make_room (gsize bytes,
                          gsize above)
{
  guint n = ASKED_AT_ONCE;

  if (!fits (tf_memory_pool_get_held (), bytes))
    take_back ();
  free_unused (bytes);

  if (is_paused ())
    return;

  while (!ask (bytes, above, n))
    {
      if (n == MAX_ASKED)
        {
          pause_for_a_while ();
          return;
        }
      n *= 4;
    }
}

/* Makes all nodes that are not spared or in use give up their memory, the largest first, until there are no descriptors
 * for that, and the heap what it has left. Returns the number of those that could not, and sets @error to the first
 * reason. */
guint
tf_memory_pool_move_out (GError **error)
{
  g_autoptr(GPtrArray) nodes = dup_largest (0, 0, G_MAXUINT);
  guint n_failed = 0;
  gboolean goes_on = TRUE;

  for (guint i = 0; i < nodes->len; i++)
    {
      TfMemoryPoolNode *node = g_ptr_array_index (nodes, i);
      g_autoptr(GError) node_error = NULL;

      if (!goes_on)
        n_failed++;
      else if (!funcs->move_out (node, &node_error) && node_error != NULL)
        {
          n_failed++;
          goes_on = !g_error_matches (node_error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
          if (error != NULL && *error == NULL)
            g_propagate_error (error, g_steal_pointer (&node_error));
        }
      funcs->unref (node);
    }

  unmap_kept ();
  take_back ();
  return n_failed;
}
