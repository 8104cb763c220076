/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What is in memory, and how many bytes all of it together may hold there and does. From any thread. */
typedef struct _TfMemoryPoolNode TfMemoryPoolNode;

typedef struct
{
  void (*ref)      (TfMemoryPoolNode *node);
  void (*unref)    (TfMemoryPoolNode *node);
  /* Calls tf_memory_pool_recount() for what the node really holds. */
  void (*recount)  (TfMemoryPoolNode *node);
  /* Gives up the memory if nobody is using it. */
  void (*move_out) (TfMemoryPoolNode *node);
} TfMemoryPoolFuncs;

struct _TfMemoryPoolNode
{
  const TfMemoryPoolFuncs *funcs;
  GList                    link;   /* no data: it is not in the pool */
  gsize                    charge; /* bytes of the budget that it holds */
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
