/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The files and directories that are removed when this process exits. Each has a node.
 *
 * A node belongs to the process that created the file or directory: a forked child does nothing with its copy. A
 * thread claims a node while it works on the file or directory. A claim is of one process: the copy in a forked child is
 * not claimed, whether it is in the list or not. */
typedef struct _TfRegistryNode TfRegistryNode;

typedef struct
{
  /* Called at the end of the process, with the node claimed. Removes the file or directory. */
  void (*remove_at_exit)  (TfRegistryNode *node);
  /* Called in a forked child for its copy of the node. Gives up what only the parent may have. */
  void (*disown_in_child) (TfRegistryNode *node);
} TfRegistryFuncs;

struct _TfRegistryNode
{
  const TfRegistryFuncs *funcs;
  TfRegistryNode        *previous;
  TfRegistryNode        *next;
  guint                  generation;      /* of the creator */
  guint                  registered : 1;
  guint                  claimant   : 31; /* 0, or 1 + the generation of the process in which a thread has claimed it */
};

void     tf_registry_begin        (TfRegistryNode *node);
void     tf_registry_end          (TfRegistryNode *node,
                                   gboolean        created);
void     tf_registry_add          (TfRegistryNode *node);
void     tf_registry_remove       (TfRegistryNode *node);
void     tf_registry_forget       (TfRegistryNode *node);
void     tf_registry_claim        (TfRegistryNode *node);
void     tf_registry_release      (TfRegistryNode *node);
gboolean tf_registry_is_ours      (TfRegistryNode *node);
void     tf_registry_wait_for_end (void);
void     tf_registry_remove_all   (void);

G_END_DECLS
