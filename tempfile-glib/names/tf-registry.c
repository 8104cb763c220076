/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-registry.h"

#include "base/tf-fork.h"

/* How long the end of the process waits for other threads at most, in microseconds. */
#define MAX_WAIT (10 * G_TIME_SPAN_SECOND)

/* Protects the variables below. */
static GMutex lock;
static GCond changed;
static guint n_waiting;         /* threads that wait for a change */
static TfRegistryNode *first;   /* (nullable) */
static guint n_creating;        /* entries that may be on disk and are not in the list yet */
static guint n_removing;        /* threads that are removing everything */
static guint generation;        /* of the process whose list this is */
static gboolean has_removed_all; /* in this process */
static gboolean closed;         /* everything was removed: nothing may be created any more */
static GPrivate is_removing;

/* Waits for a change. Returns FALSE after @deadline, a monotonic time. */
static gboolean
wait_until (gint64 deadline)
{
  gboolean in_time;

  n_waiting++;
  in_time = g_cond_wait_until (&changed, &lock, deadline);
  n_waiting--;
  return in_time;
}

static void
wake_waiting (void)
{
  if (n_waiting > 0)
    g_cond_broadcast (&changed);
}

static void
forget_all (void)
{
  first = NULL;
  n_waiting = 0;
  n_creating = 0;
  n_removing = 0;
  closed = FALSE;
  has_removed_all = FALSE;
}

/* Takes the lock. In a child that pthread_atfork() does not see, forgets the list, which belongs to the parent. */
static void
enter (void)
{
  guint current = tf_fork_get_generation ();

  g_mutex_lock (&lock);
  if (G_UNLIKELY (generation != current))
    {
      forget_all ();
      generation = current;
    }
}

/* The whole list belongs to the parent. */
static void
after_fork_in_child (void)
{
  for (TfRegistryNode *node = first; node != NULL; node = node->next)
    node->funcs->disown_in_child (node);

  forget_all ();
  generation = tf_fork_get_generation ();
}

static TfForkHandler fork_handler = {
  .level = TF_FORK_NAMES,
  .lock = &lock,
  .child = after_fork_in_child,
};

/* Called before a creation, for which tf_registry_remove_all() waits. If that was called before, this blocks for ever,
 * because the process is about to end. */
void
tf_registry_begin (TfRegistryNode *node)
{
  tf_fork_watch (&fork_handler);

  enter ();
  while (closed && g_private_get (&is_removing) == NULL)
    wait_until (G_MAXINT64);
  n_creating++;
  g_mutex_unlock (&lock);

  node->generation = tf_fork_get_generation ();
}

static void
link_node (TfRegistryNode *node)
{
  node->registered = TRUE;
  node->previous = NULL;
  node->next = first;
  if (first != NULL)
    first->previous = node;
  first = node;
}

static void
unlink_node (TfRegistryNode *node)
{
  /* A copy made by fork() is in no list. */
  gboolean linked = node->registered && node->generation == tf_fork_get_generation ();

  node->registered = FALSE;
  if (!linked)
    return;

  if (node->previous != NULL)
    node->previous->next = node->next;
  else
    first = node->next;

  if (node->next != NULL)
    node->next->previous = node->previous;

  node->previous = node->next = NULL;
}

/* Called after a creation, whether it succeeded or not. In a child that was forked in the middle of it, it is none of the
 * creations that are counted. */
void
tf_registry_end (TfRegistryNode *node,
                 gboolean        created)
{
  enter ();
  if (created)
    link_node (node);
  if (node->generation == generation)
    n_creating--;
  wake_waiting ();
  g_mutex_unlock (&lock);
}

/* Returns FALSE for the copy of a parent's node in a forked child. */
gboolean
tf_registry_is_ours (TfRegistryNode *node)
{
  return node->generation == tf_fork_get_generation ();
}

void
tf_registry_add (TfRegistryNode *node)
{
  enter ();
  link_node (node);
  g_mutex_unlock (&lock);
}

void
tf_registry_remove (TfRegistryNode *node)
{
  enter ();
  unlink_node (node);
  g_mutex_unlock (&lock);
}

/* The functions for claims are called with the lock held. */

static gboolean
is_claimed (const TfRegistryNode *node)
{
  return node->claimant == generation + 1;
}

static void
set_claimed (TfRegistryNode *node,
             gboolean        claimed)
{
  node->claimant = claimed ? generation + 1 : 0;
}

/* Removes the node from the list, once no other thread has claimed it. */
void
tf_registry_forget (TfRegistryNode *node)
{
  enter ();
  while (is_claimed (node))
    wait_until (G_MAXINT64);
  unlink_node (node);
  g_mutex_unlock (&lock);
}

/* Claims the node: until the release, no other thread removes, keeps or forgets it. */
void
tf_registry_claim (TfRegistryNode *node)
{
  enter ();
  while (is_claimed (node))
    wait_until (G_MAXINT64);
  set_claimed (node, TRUE);
  g_mutex_unlock (&lock);
}

void
tf_registry_release (TfRegistryNode *node)
{
  enter ();
  set_claimed (node, FALSE);
  wake_waiting ();
  g_mutex_unlock (&lock);
}

/* Blocks for ever, because the process is about to end: once everything is removed, and unless this thread does so. */
void
tf_registry_wait_for_end (void)
{
  enter ();
  while (closed && g_private_get (&is_removing) == NULL)
    wait_until (G_MAXINT64);
  g_mutex_unlock (&lock);
}

/* Waits for other threads, but not for ever: the code that this thread has interrupted may be what it waits for. */
static void
wait_for_none (guint *counter)
{
  gint64 deadline = g_get_monotonic_time () + MAX_WAIT;

  while (*counter > 0 && wait_until (deadline))
    ;
}

static TfRegistryNode *
find_unclaimed (void)
{
  TfRegistryNode *node = first;

  while (node != NULL && is_claimed (node))
    node = node->next;

  return node;
}

/* Claims a node that is alive. Waits for nodes that other threads have claimed. */
static TfRegistryNode *
claim_any (void)
{
  gint64 deadline = g_get_monotonic_time () + MAX_WAIT;
  TfRegistryNode *node;

  enter ();
  while ((node = find_unclaimed ()) == NULL && first != NULL && wait_until (deadline))
    ;
  if (node != NULL)
    set_claimed (node, TRUE);
  g_mutex_unlock (&lock);
  return node;
}

static void
remove_alive (TfRegistryNode *node)
{
  node->funcs->remove_at_exit (node);
  tf_registry_remove (node);
  tf_registry_release (node);
}

static void
remove_registered (void)
{
  TfRegistryNode *node;

  while ((node = claim_any ()) != NULL)
    remove_alive (node);
}

/* Removes everything in the registry from the disk. The process must end after that, because the objects still
 * exist. Calling this again does nothing. */
void
tf_registry_remove_all (void)
{
  gboolean is_removed;

  g_private_set (&is_removing, GINT_TO_POINTER (TRUE));
  tf_fork_forbid_helpers ();

  enter ();
  is_removed = has_removed_all;
  n_removing += !is_removed;
  closed = TRUE;
  g_mutex_unlock (&lock);
  if (is_removed)
    return;

  remove_registered ();

  enter ();
  wait_for_none (&n_creating);
  g_mutex_unlock (&lock);

  remove_registered ();

  enter ();
  n_removing--;
  wake_waiting ();
  wait_for_none (&n_removing);
  has_removed_all = TRUE;
  g_mutex_unlock (&lock);
}
