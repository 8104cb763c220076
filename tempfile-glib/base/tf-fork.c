/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-fork.h"

#include <pthread.h>
#include <unistd.h>

#include "tf-system.h"

static GMutex lock;
static TfForkHandler *oldest; /* (nullable) */
static TfForkHandler *newest; /* (nullable) */
static guint generation;
static guint8 *mark; /* (nullable): a page whose first byte is 0 in a child that did not count itself yet */
static pid_t pid;    /* if there is no such page */

static void
mark_process (void)
{
  if (mark != NULL)
    *mark = 1;
  pid = getpid ();
}

/* Called in a child, by the handler or when no handler was called. */
static void
count (void)
{
  generation++;
  mark_process ();
}

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
  count ();
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
      mark = tf_system_map_wiped_on_fork ();
      mark_process ();
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

/* Returns a number that is different in each process of a line of forks. No lock is needed, because the number changes
 * only in a forked child, while that has one thread. */
guint
tf_fork_get_generation (void)
{
  watch_forks ();

  if (G_UNLIKELY (mark != NULL ? *mark == 0 : pid != getpid ()))
    count ();

  return generation;
}
