/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The bytes that the stores of the process hold in memory together, and a limit for them.
 *
 * What a store holds is always counted, so that a limit can be set at any time. The limit is no reason to refuse
 * TF_MEMORY_POOL_SPARED bytes to a store, or to make a store that holds no more than that give them up: a file on disk
 * takes a descriptor, of which there are fewer than of small pieces of memory. When memory is needed, the largest store
 * that is not in use gives up its own.
 *
 * Files on disk have buffers, which are counted as well. They may take half of the limit.
 *
 * More can be resident than what is counted: the room that a store has for more content, if the heap had used that
 * memory before, and pieces that the heap was given back, as long as it does not use them again. When that exceeds the
 * limit, whoever adds to it gives the pages to the system at once, which costs more than to use them again. Trimming the
 * heap as a whole would do the same for all that the application has freed. Before a store has to give up its memory,
 * others free the room that they do not use; what it had is counted until it is freed. A few mappings that are dropped are
 * kept for who needs one next. Without a limit, only the room of stores is bounded, and the pieces that many of them
 * outgrow.
 *
 * The functions may be called from any thread. Those that take a node are called with the lock of the node held, or by
 * its only user. */
typedef struct _TfMemoryPoolNode TfMemoryPoolNode;

/* In bytes */
#define TF_MEMORY_POOL_SPARED ((gsize) 64 * 1024)

/* Functions of the nodes, which are all of one kind. */
typedef struct
{
  void     (*ref)      (TfMemoryPoolNode  *node);
  void     (*unref)    (TfMemoryPoolNode  *node);
  /* Gives up the memory. Returns FALSE without @error if the node is in use. */
  gboolean (*move_out) (TfMemoryPoolNode  *node,
                        GError           **error);
  /* Gives up what is more than the content. Returns FALSE if the node is in use. */
  gboolean (*trim)     (TfMemoryPoolNode  *node);
  /* Frees what has no content, and says how much is unused then. Does nothing if the node is in use. */
  void     (*free_unused) (TfMemoryPoolNode *node);
} TfMemoryPoolFuncs;

struct _TfMemoryPoolNode
{
  gsize             charge;     /* counted for the node, in bytes */
  TfMemoryPoolNode *previous;   /* in a ring of nodes of about this size; not used while it is in none */
  TfMemoryPoolNode *next;
  guint             rank : 31;  /* which ring that is; 0 for none */
  guint             spared : 1; /* does not give up memory any more */
  guint32           unused;     /* (atomic): may be resident without being counted, in bytes */
};

void     tf_memory_pool_withdraw (TfMemoryPoolNode *node);
void     tf_memory_pool_remove   (TfMemoryPoolNode *node);
gboolean tf_memory_pool_charge   (TfMemoryPoolNode *node,
                                  gsize             size);
void     tf_memory_pool_recount  (TfMemoryPoolNode *node,
                                  gsize             size);
void     tf_memory_pool_set_unused (TfMemoryPoolNode *node,
                                  gsize             size);
gboolean tf_memory_pool_start    (TfMemoryPoolNode *node);

void     tf_memory_pool_set_funcs   (const TfMemoryPoolFuncs  *node_funcs);
void     tf_memory_pool_set_limit   (gsize                     bytes);
gboolean tf_memory_pool_is_limited  (void);
gboolean tf_memory_pool_is_exceeded (void);
gsize    tf_memory_pool_get_held    (void);
void     tf_memory_pool_make_room   (gsize                     bytes,
                                     gsize                     above);
guint    tf_memory_pool_move_out    (GError                  **error);
gboolean tf_memory_pool_take_buffer (gsize                     bytes,
                                     gboolean                  force);
void     tf_memory_pool_free_buffer (gsize                     bytes);
void     tf_memory_pool_add_leaving (gssize                    bytes);

gboolean tf_memory_pool_may_keep_unused (void);
gpointer tf_memory_pool_map         (gsize    *size,
                                     gsize    *resident);
void     tf_memory_pool_unmap       (gpointer  data,
                                     gsize     size,
                                     gsize     resident);
gpointer tf_memory_pool_allocate    (gsize     size);
gpointer tf_memory_pool_reallocate  (gpointer  piece,
                                     gsize     old_size,
                                     gsize     size);
void     tf_memory_pool_free        (gpointer  piece,
                                     gsize     size);

G_END_DECLS
