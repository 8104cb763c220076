/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>
#include <sys/stat.h>

#include "base/tf-identity.h"
#include "tf-enums.h"

G_BEGIN_DECLS

/* The lasting name of a file, in an open directory. */
typedef struct
{
  char           *path;           /* (owned): absolute; for messages and for calls that need a path */
  char           *name;           /* (owned): the last component of @path */
  char           *wanted;         /* (owned) (nullable): with TF_PERSIST_UNIQUE, the name that was asked for */
  guint           number;         /* in @name, to make it another one; 0: in none */
  int             dir_fd;         /* (owned): the directory, to resolve names in */
  char           *dir;            /* (owned) (nullable): the path of the directory, as it was given */
  TfPlace         place;          /* (owned) path: the directory, for the journal */
  int             sync_fd;        /* (owned): the directory, for fsync(); -1 without TF_PERSIST_DURABLE */
  TfPersistFlags  flags;
  gboolean        is_occupied;    /* something is there that is replaced */
  gboolean        has_file;       /* a regular file exists at the destination */
  gboolean        keeps_metadata; /* its metadata are those of the new one */
  int             file_fd;        /* (owned): that file, for its metadata only; -1 if the system has no such descriptors */
  struct stat     file;           /* that file */
} TfDestination;

#define TF_DESTINATION_INIT { .dir_fd = -1, .sync_fd = -1, .file_fd = -1 }

gboolean tf_destination_open       (TfDestination   *self,
                                    const char      *path,
                                    TfPersistFlags   flags,
                                    GError         **error);
gboolean tf_destination_look_again (TfDestination   *self,
                                    GError         **error);
gboolean tf_destination_next       (TfDestination   *self);
void     tf_destination_clear      (TfDestination   *self);

/* Whether @st is of the file that existed at the destination. */
static inline gboolean
tf_destination_is_file (const TfDestination *self,
                        const struct stat   *st)
{
  return st->st_dev == self->file.st_dev && st->st_ino == self->file.st_ino;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfDestination, tf_destination_clear)

G_END_DECLS
