/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-dir-share.h"

#include <errno.h>
#include <signal.h>

static gint forbidden; /* atomic */

/* No thread is started any more: the process is about to end, or was forked from one that may have had others. */
void
tf_share_forbid (void)
{
  g_atomic_int_set (&forbidden, TRUE);
}

/* Takes what is in @listing. NULL where two threads would not be faster than one, or there must be only one. */
TfShare *
tf_share_try_new (int        fd,
                  TfListing *listing)
{
  TfShare *self;

  if (g_atomic_int_get (&forbidden) || g_get_num_processors () < 2)
    return NULL;

  self = g_new0 (TfShare, 1);
  g_mutex_init (&self->lock);
  self->fd = fd;
  self->listing = *listing;
  *listing = (TfListing) { NULL, };
  return self;
}

/* Has a second thread call @func. FALSE when there is none to be had. */
gboolean
tf_share_start (TfShare     *self,
                GThreadFunc  func,
                gpointer     data)
{
  sigset_t all;
  sigset_t mask;

  /* The program's signals are not for this thread. */
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &mask);
  self->thread = g_thread_try_new ("tf-remove", func, data, NULL);
  pthread_sigmask (SIG_SETMASK, &mask, NULL);

  return self->thread != NULL;
}

/* Gets the next entries. Returns how many; 0 at the end; -1 with errno set, to one of the threads. */
gssize
tf_share_take (TfShare   *self,
               TfListing *listing)
{
  gssize n = 0;
  int saved_errno;

  g_mutex_lock (&self->lock);
  if (!self->is_broken && self->listing.position == self->listing.n_entries)
    n = tf_listing_read (&self->listing, self->fd);
  saved_errno = errno;
  self->is_broken |= n < 0;
  if (!self->is_broken)
    n = tf_listing_take (listing, &self->listing);
  g_mutex_unlock (&self->lock);

  errno = saved_errno;
  return n;
}

void
tf_share_stop (TfShare *self)
{
  g_atomic_int_set (&self->stopped, TRUE);
}

gboolean
tf_share_is_stopped (TfShare *self)
{
  return g_atomic_int_get (&self->stopped);
}

/* Called by the second thread: there is nothing left that it could take. */
void
tf_share_end (TfShare *self)
{
  g_atomic_int_set (&self->ended, TRUE);
}

gboolean
tf_share_has_ended (TfShare *self)
{
  return g_atomic_int_get (&self->ended);
}

/* Waits for the second thread. */
void
tf_share_free (TfShare *self)
{
  if (self->thread != NULL)
    g_thread_join (self->thread);

  tf_listing_clear (&self->listing);
  g_mutex_clear (&self->lock);
  g_free (self);
}
