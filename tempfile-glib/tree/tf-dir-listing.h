/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-system.h"

G_BEGIN_DECLS

/* What was read of a directory and not dealt with yet, without "." and "..", in the order of inode numbers:
 * ext4 reads in the order of hashed names, but keeps inodes in tables, which are visited once in this one. */
typedef struct
{
  char           *buffer;      /* (owned) (nullable) */
  gsize           capacity;    /* of the buffer, in bytes */
  TfSystemEntry **entries;     /* (owned) (nullable): in the buffer */
  guint           n_allocated;
  guint           n_entries;
  guint           position;
  gsize           size;        /* of all that was read at once, in bytes */
  guint           n_dirs;      /* among it */
} TfDirListing;

gssize               tf_dir_listing_read     (TfDirListing        *self,
                                              int                  fd);
const TfSystemEntry *tf_dir_listing_next     (TfDirListing        *self);
guint                tf_dir_listing_take     (TfDirListing        *self,
                                              TfDirListing        *other);
gboolean             tf_dir_listing_is_dir   (const TfSystemEntry *entry,
                                              int                  dir_fd);
gboolean             tf_dir_listing_is_large (const TfDirListing  *self);
void                 tf_dir_listing_forget   (TfDirListing        *self);
void                 tf_dir_listing_clear    (TfDirListing        *self);

G_END_DECLS
