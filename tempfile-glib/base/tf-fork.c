/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-fork.h"

#include <pthread.h>

static GMutex lock;
static TfForkHandler *oldest; /* (nullable) */
static TfForkHandler *newest; /* (nullable) */
static guint generation;

static void
before_fork (void)
{
  g_mutex_lock (&lock);
  for (TfForkHandler *handler = newest; handler != NULL; handler = handler->older)
    if (handler->prepare != NULL)
      handler->prepare ();
}

static void
after_fork_in_parent (void)
{
  for (TfForkHandler *handler = oldest; handler != NULL; handler = handler->newer)
    if (handler->parent != NULL)
      handler->parent ();
  g_mutex_unlock (&lock);
}

static void
after_fork_in_child (void)
{
  generation++;
  for (TfForkHandler *handler = oldest; handler != NULL; handler = handler->newer)
    if (handler->child != NULL)
      handler->child ();
  g_mutex_unlock (&lock);
}

static void
watch_forks (void)
{
  static gsize watching = 0;

  if (g_once_init_enter (&watching))
    {
      pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child);
      g_once_init_leave (&watching, 1);
    }
}

/* Registers @handler, which is called around each fork and never removed. Calling this again does nothing. */
void
tf_fork_watch (TfForkHandler *handler)
{
  watch_forks ();

  if (g_once_init_enter (&handler->watched))
    {
      g_mutex_lock (&lock);
      handler->older = newest;
      if (newest != NULL)
        newest->newer = handler;
      else
        oldest = handler;
      newest = handler;
      g_mutex_unlock (&lock);
      g_once_init_leave (&handler->watched, 1);
    }
}

/* Returns the number of forks between the first process and this one. No lock is needed, because the number changes
 * only in a forked child, while that has one thread. */
guint
tf_fork_get_generation (void)
{
  watch_forks ();

  return generation;
}
