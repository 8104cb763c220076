/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-dir.h"

G_BEGIN_DECLS

/* A large directory whose entries are shared by two threads. Each takes a few at a time. */
typedef struct
{
  GMutex        lock;
  TfDirListing  listing;   /* protected by the lock */
  int           fd;
  gboolean      is_broken; /* protected by the lock: the directory cannot be read */
  GThread      *thread;    /* (owned): the second one */
  gint          stopped;   /* (atomic): the second thread must stop */
  gint          ended;     /* (atomic): the second thread has ended */
} TfDirShare;

TfDirShare *tf_dir_share_try_new    (int           fd,
                                     TfDirListing *listing);
gboolean    tf_dir_share_start      (TfDirShare   *self,
                                     GThreadFunc   func,
                                     gpointer      data);
gssize      tf_dir_share_take       (TfDirShare   *self,
                                     TfDirListing *listing);
void        tf_dir_share_stop       (TfDirShare   *self);
gboolean    tf_dir_share_is_stopped (TfDirShare   *self);
void        tf_dir_share_end        (TfDirShare   *self);
gboolean    tf_dir_share_has_ended  (TfDirShare   *self);
void        tf_dir_share_free       (TfDirShare   *self);

G_END_DECLS
