/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-dir.h"

G_BEGIN_DECLS

/* Each directory from the root of a walk to the one that is being read is a level. The deepest max_open levels, the
 * root and a pinned level are open and have their listings. The other levels are closed. Such a level is opened again
 * through the ".." of the level below, which must then lead to the same inode as before. */

typedef struct
{
  int fd;             /* -1 while it is closed */
  TfDir dir;
  gsize name;         /* the offset in the names */
  TfDirListing listing;
  int tries;
  gboolean stuck;     /* an entry cannot be removed */
} TfDirLevel;

typedef struct
{
  char *path;         /* (owned): of the root */
  GArray *levels;     /* (owned) (element-type TfDirLevel) */
  GString *names;     /* (owned): the names of all levels, each with a NUL */
  TfDirListing spare;    /* memory of a removed level, for the next one */
  guint max_open;
  guint pinned;       /* the level that stays open; 0 if only the root does */
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
