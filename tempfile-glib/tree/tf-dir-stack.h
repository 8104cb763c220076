/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-dir-listing.h"
#include "tf-dir.h"

G_BEGIN_DECLS

/* Each directory between the root of a walk and the one that is being read is a level. The deepest max_open of
 * them, the root, and one that is pinned are open and have what was read of them; the others were closed,
 * and are entered again through the ".." of the level below, which must then lead to the inode that was left. */

typedef struct
{
  int fd;             /* -1: closed for now */
  TfDir dir;
  gsize name;         /* where in the names */
  TfDirListing listing;
  int tries;
  gboolean stuck;     /* something in it cannot be removed */
} TfDirLevel;

typedef struct
{
  char *path;         /* (owned): of the root */
  GArray *levels;     /* (owned): of TfDirLevel */
  GString *names;     /* (owned): of all levels, each with its NUL */
  TfDirListing spare;    /* the memory of a level that is gone, for the next one */
  guint max_open;
  guint pinned;       /* stays open; 0: the root alone does */
} TfDirStack;

void        tf_dir_stack_init          (TfDirStack       *self,
                                        const char       *path,
                                        int               root_fd,
                                        const TfDir      *root,
                                        guint             max_open);
void        tf_dir_stack_clear         (TfDirStack       *self);
guint       tf_dir_stack_get_depth     (const TfDirStack *self);
TfDirLevel *tf_dir_stack_get           (TfDirStack       *self,
                                        guint             index);
TfDirLevel *tf_dir_stack_get_top       (TfDirStack       *self);
void        tf_dir_stack_push          (TfDirStack       *self,
                                        int               fd,
                                        const TfDir      *dir,
                                        const char       *name);
void        tf_dir_stack_pop           (TfDirStack       *self);
void        tf_dir_stack_set_max_open  (TfDirStack       *self,
                                        guint             max_open,
                                        guint             pinned);
void        tf_dir_stack_close_all     (TfDirStack       *self);
gboolean    tf_dir_stack_reopen_parent (TfDirStack       *self);
char       *tf_dir_stack_make_path     (TfDirStack       *self,
                                        const char       *name);

G_END_DECLS
