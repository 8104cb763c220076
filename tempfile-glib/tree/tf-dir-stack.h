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
  TfSubdir dir;
  gsize name;         /* where in the names */
  TfListing listing;
  int tries;
  gboolean stuck;     /* something in it cannot be removed */
} TfLevel;

typedef struct
{
  char *path;         /* (owned): of the root */
  GArray *levels;     /* (owned): of TfLevel */
  GString *names;     /* (owned): of all levels, each with its NUL */
  TfListing spare;    /* the memory of a level that is gone, for the next one */
  guint max_open;
  guint pinned;       /* stays open; 0: the root alone does */
} TfLevels;

void     tf_levels_init          (TfLevels       *self,
                                  const char     *path,
                                  int             root_fd,
                                  const TfSubdir *root,
                                  guint           max_open);
void     tf_levels_clear         (TfLevels       *self);
guint    tf_levels_get_depth     (const TfLevels *self);
TfLevel *tf_levels_get           (TfLevels       *self,
                                  guint           index);
TfLevel *tf_levels_get_top       (TfLevels       *self);
void     tf_levels_push          (TfLevels       *self,
                                  int             fd,
                                  const TfSubdir *dir,
                                  const char     *name);
void     tf_levels_pop           (TfLevels       *self);
void     tf_levels_set_max_open  (TfLevels       *self,
                                  guint           max_open,
                                  guint           pinned);
void     tf_levels_close_all     (TfLevels       *self);
gboolean tf_levels_reopen_parent (TfLevels       *self);
char    *tf_levels_make_path     (TfLevels       *self,
                                  const char     *name);

G_END_DECLS
