/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-dir-share.h"

#include <errno.h>

#include "base/tf-fork.h"
#include "base/tf-task.h"

/* Takes the entries of @listing. Returns NULL if two threads would not be faster than one, and if there must be only
 * one: at the end of the process, and in a forked child. */
TfDirShare *
tf_dir_share_try_new (int           fd,
                      TfDirListing *listing)
{
  TfDirShare *self;

  if (!tf_fork_allows_helpers () || g_get_num_processors () < 2)
    return NULL;

  self = g_new0 (TfDirShare, 1);
  g_mutex_init (&self->lock);
  self->fd = fd;
  self->listing = *listing;
  *listing = (TfDirListing) { NULL, };
  return self;
}

/* Starts a second thread that calls @func. Returns FALSE if that fails. */
gboolean
tf_dir_share_start (TfDirShare  *self,
                    GThreadFunc  func,
                    gpointer     data)
{
  self->thread = tf_task_start_thread ("tf-remove", func, data, NULL);
  return self->thread != NULL;
}

/* Gets the next entries. Returns their number; 0 at the end; -1 with errno set in one of the threads only. */
gssize
tf_dir_share_take (TfDirShare   *self,
                   TfDirListing *listing)
{
  gssize n = 0;
  int saved_errno;

  g_mutex_lock (&self->lock);
  if (!self->is_broken && self->listing.position == self->listing.n_entries)
    n = tf_dir_listing_read (&self->listing, self->fd);
  saved_errno = errno;
  self->is_broken |= n < 0;
  if (!self->is_broken)
    n = tf_dir_listing_take (listing, &self->listing);
  g_mutex_unlock (&self->lock);

  errno = saved_errno;
  return n;
}

void
tf_dir_share_stop (TfDirShare *self)
{
  g_atomic_int_set (&self->stopped, TRUE);
}

gboolean
tf_dir_share_is_stopped (TfDirShare *self)
{
  return g_atomic_int_get (&self->stopped);
}

/* Called by the second thread when it ends. */
void
tf_dir_share_end (TfDirShare *self)
{
  g_atomic_int_set (&self->ended, TRUE);
}

gboolean
tf_dir_share_has_ended (TfDirShare *self)
{
  return g_atomic_int_get (&self->ended);
}

/* Waits for the second thread. */
void
tf_dir_share_free (TfDirShare *self)
{
  if (self->thread != NULL)
    g_thread_join (self->thread);

  tf_dir_listing_clear (&self->listing);
  g_mutex_clear (&self->lock);
  g_free (self);
}
