/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The stores in memory, with the number of bytes that they hold together and a limit for it. The functions may be
 * called from any thread. */
typedef struct _TfMemoryPoolNode TfMemoryPoolNode;

typedef struct
{
  void (*ref)      (TfMemoryPoolNode *node);
  void (*unref)    (TfMemoryPoolNode *node);
  /* Calls tf_memory_pool_recount() with what the node really holds. */
  void (*recount)  (TfMemoryPoolNode *node);
  /* Gives up the memory if no thread is using it. */
  void (*move_out) (TfMemoryPoolNode *node);
} TfMemoryPoolFuncs;

struct _TfMemoryPoolNode
{
  const TfMemoryPoolFuncs *funcs;
  GList                    link;   /* without data while the node is not in the pool */
  gsize                    charge; /* counted for the node, in bytes */
};

void     tf_memory_pool_add     (TfMemoryPoolNode        *node,
                                 const TfMemoryPoolFuncs *funcs);
void     tf_memory_pool_remove  (TfMemoryPoolNode        *node);
gboolean tf_memory_pool_charge  (TfMemoryPoolNode        *node,
                                 gsize                    size);
void     tf_memory_pool_recount (TfMemoryPoolNode        *node,
                                 gsize                    size);

void     tf_memory_pool_set_limit    (gsize bytes);
gboolean tf_memory_pool_is_limited   (void);
gsize    tf_memory_pool_get_held     (void);
void     tf_memory_pool_move_all_out (void);

G_END_DECLS
