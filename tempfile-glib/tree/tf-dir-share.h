/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-dir-listing.h"

G_BEGIN_DECLS

/* A large directory whose entries two threads take in turn, some at a time. */
typedef struct
{
  GMutex     lock;
  TfListing  listing;   /* under the lock */
  int        fd;
  gboolean   is_broken; /* under the lock: it cannot be read */
  GThread   *thread;    /* (owned): the second one */
  gint       stopped;   /* atomic: the second one is to stop */
  gint       ended;     /* atomic: it did */
} TfShare;

TfShare  *tf_share_try_new    (int          fd,
                               TfListing   *listing);
gboolean  tf_share_start      (TfShare     *self,
                               GThreadFunc  func,
                               gpointer     data);
gssize    tf_share_take       (TfShare     *self,
                               TfListing   *listing);
void      tf_share_stop       (TfShare     *self);
gboolean  tf_share_is_stopped (TfShare     *self);
void      tf_share_end        (TfShare     *self);
gboolean  tf_share_has_ended  (TfShare     *self);
void      tf_share_free       (TfShare     *self);
void      tf_share_forbid     (void);

G_END_DECLS
