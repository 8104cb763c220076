/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* What is alive and is removed when this process exits.
 *
 * It belongs to the process that created it, and to nobody else: a forked child has a copy that it leaves
 * alone. A thread claims a node for as long as it works on what the node stands for. */
typedef struct _TfRegistryNode TfRegistryNode;

typedef struct
{
  /* Removes it from the disk at the end of the process. The node is claimed. */
  void (*remove_at_exit)  (TfRegistryNode *node);
  /* Called in a forked child for its copy: gives up what only the parent may have. */
  void (*disown_in_child) (TfRegistryNode *node);
} TfRegistryFuncs;

struct _TfRegistryNode
{
  const TfRegistryFuncs *funcs;
  TfRegistryNode        *previous;
  TfRegistryNode        *next;
  gboolean               registered;
  gboolean               claimed;
  pid_t                  pid;        /* 0: not created yet */
  guint                  generation;
};

void     tf_registry_begin      (TfRegistryNode *node);
void     tf_registry_end        (TfRegistryNode *node,
                                 gboolean        created);
void     tf_registry_add        (TfRegistryNode *node);
void     tf_registry_remove     (TfRegistryNode *node);
void     tf_registry_forget     (TfRegistryNode *node);
void     tf_registry_claim      (TfRegistryNode *node);
void     tf_registry_release    (TfRegistryNode *node);
gboolean tf_registry_is_ours    (TfRegistryNode *node);
void     tf_registry_remove_all (void);

G_END_DECLS
