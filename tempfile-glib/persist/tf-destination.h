/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "tf-enums.h"

G_BEGIN_DECLS

/* A place in a directory where a file shall get its lasting name. */
typedef struct
{
  char           *path;         /* (owned): absolute; for messages, and where no descriptor will do */
  char           *name;         /* (owned): the last part of it */
  int             dir_fd;       /* (owned): to name things in it */
  int             sync_fd;      /* (owned): the directory once more, for fsync(); -1: not asked for */
  TfPersistFlags  flags;
  gboolean        has_file;     /* a regular file is there already */
  guint64         file_device;
  guint64         file_inode;
} TfDestination;

#define TF_DESTINATION_INIT { .dir_fd = -1, .sync_fd = -1 }

gboolean tf_destination_open  (TfDestination   *self,
                               const char      *path,
                               TfPersistFlags   flags,
                               GError         **error);
void     tf_destination_clear (TfDestination   *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfDestination, tf_destination_clear)

G_END_DECLS
