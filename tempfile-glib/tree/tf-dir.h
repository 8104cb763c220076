/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-identity.h"

G_BEGIN_DECLS

/* An open directory. */
typedef struct
{
  guint64 device;
  guint64 inode;
  guint64 mount_id; /* 0 if it is not known */
  guint   mode;
} TfDir;

gboolean tf_dir_read  (TfDir       *self,
                       int          fd);
gboolean tf_dir_equal (const TfDir *a,
                       const TfDir *b);
int      tf_dir_open  (TfDir       *self,
                       int          parent_fd,
                       const TfDir *parent,
                       const char  *name,
                       const TfIdentity *wanted);

/* The entries of a directory that were read and not handled yet, without "." and "..", sorted by inode number. ext4
 * returns entries in the order of hashed names, but keeps inodes in tables, each of which is visited once this way. */
typedef struct
{
  char           *buffer;      /* (owned) (nullable) */
  gsize           capacity;    /* of the buffer, in bytes */
  TfSystemEntry **entries;     /* (owned) (nullable): in the buffer */
  guint           n_allocated;
  guint           n_entries;
  guint           position;
  gsize           size;        /* of the entries that were read at once, in bytes */
  guint           n_dirs;      /* the number of directories among them */
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
