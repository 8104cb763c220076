/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-journal.h"
#include "tf-parent.h"
#include "tf-registry.h"
#include "tf-template.h"

G_BEGIN_DECLS

/* Called before a file or directory is created, with an auditing event of Python's tempfile and the path; for a file
 * without a name, the path of its directory. Returns FALSE with @error set to refuse. */
typedef gboolean (*TfOpenGuard) (const char  *event,
                                 const char  *path,
                                 GError     **error);

void tf_open_set_guard (TfOpenGuard func);

/* A new name that this process will remove. It is written down in the journal as an intent, which the caller completes
 * or clears. A creation that succeeds has called tf_registry_begin(), and the caller calls tf_registry_end(). */
typedef struct
{
  TfRegistryNode  *node;   /* (unowned) */
  TfParent        *parent; /* (owned) (nullable) */
  TfJournalRecord *record; /* (nullable): NULL if it could not be written down */
  int              dir_fd; /* if not 0, of @parent: the name is created in it, and is not written down */
} TfOpenName;

int   tf_open_named      (const TfTemplate  *template,
                          TfOpenName        *name,
                          char             **path,
                          GCancellable      *cancellable,
                          GError           **error);
int   tf_open_unnamed    (const TfTemplate  *template,
                          GCancellable      *cancellable,
                          GError           **error);
char *tf_open_make_dir   (const TfTemplate  *template,
                          TfOpenName        *name,
                          GCancellable      *cancellable,
                          GError           **error);
char *tf_open_free_name  (const TfTemplate  *template,
                          GError           **error);
void  tf_open_name_clear (TfOpenName        *self);

gboolean tf_open_undo (int         dir_fd,
                       const char *path,
                       gboolean    is_dir);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfOpenName, tf_open_name_clear)

G_END_DECLS
