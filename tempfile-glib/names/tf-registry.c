/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-registry.h"

#include <pthread.h>
#include <unistd.h>

#include "base/tf-debug.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "tree/tf-dir-share.h"

/* Microseconds that the end of the process waits for other threads at most. */
#define MAX_WAIT (10 * G_TIME_SPAN_SECOND)

/* All of this under the lock. */
static GMutex lock;
static GCond changed;
static guint n_waiting;         /* for it to change */
static TfEntry *first;          /* (nullable) */
static guint n_creating;        /* entries that are on disk already, perhaps, and not in the list yet */
static guint n_removing;        /* threads that remove all */
static gboolean closed;         /* one did so: nobody else may begin to create */
static GPrivate is_removing;
static guint generation;        /* counts the forks between the first process and this one */
static void (*fork_func) (void);

/* FALSE after @deadline, a monotonic time. */
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
before_fork (void)
{
  g_mutex_lock (&lock);
}

static void
after_fork_in_parent (void)
{
  g_mutex_unlock (&lock);
}

/* All that is in the list belongs to the parent. The descriptors go, because with the parent's lock on
 * them they would make its entries look alive when it is dead; they are closed without unlocking. */
static void
after_fork_in_child (void)
{
  for (TfEntry *entry = first; entry != NULL; entry = entry->next)
    {
      tf_clear_fd (&entry->fd);
      entry->claimed = FALSE;
    }

  first = NULL;
  n_waiting = 0;
  n_creating = 0;
  n_removing = 0;
  closed = FALSE;
  generation++;
  g_mutex_unlock (&lock);
  tf_share_forbid ();

  if (fork_func != NULL)
    fork_func ();
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

void
tf_registry_on_fork (void (*func) (void))
{
  watch_forks ();
  fork_func = func;
}

/* Something is about to be created: removing all waits for it, and once that has begun, this waits for
 * ever, because the process is about to end. */
void
tf_registry_begin (void)
{
  watch_forks ();

  g_mutex_lock (&lock);
  while (closed && g_private_get (&is_removing) == NULL)
    wait_until (G_MAXINT64);
  n_creating++;
  g_mutex_unlock (&lock);
}

static void
link_entry (TfEntry *entry)
{
  if (entry->registered)
    return;

  entry->registered = TRUE;
  entry->previous = NULL;
  entry->next = first;
  if (first != NULL)
    first->previous = entry;
  first = entry;
}

static void
unlink_entry (TfEntry *entry)
{
  /* What was copied by fork() is in no list. */
  gboolean linked = entry->registered && entry->generation == generation;

  entry->registered = FALSE;
  if (!linked)
    return;

  if (entry->previous != NULL)
    entry->previous->next = entry->next;
  else
    first = entry->next;

  if (entry->next != NULL)
    entry->next->previous = entry->previous;

  entry->previous = entry->next = NULL;
}

/* It is in @created, or could not be created. */
void
tf_registry_end (TfEntry *created)
{
  g_mutex_lock (&lock);
  if (created != NULL)
    link_entry (created);
  n_creating--;
  wake_waiting ();
  g_mutex_unlock (&lock);
}

/* Without the lock: it changes while the process has one thread. */
guint
tf_registry_generation (void)
{
  watch_forks ();

  return generation;
}

void
tf_registry_add (TfEntry *entry)
{
  g_mutex_lock (&lock);
  link_entry (entry);
  g_mutex_unlock (&lock);
}

void
tf_registry_remove (TfEntry *entry)
{
  g_mutex_lock (&lock);
  unlink_entry (entry);
  g_mutex_unlock (&lock);
}

/* Removes it from the list when no other thread is at work on it. */
void
tf_registry_forget (TfEntry *entry)
{
  g_mutex_lock (&lock);
  while (entry->claimed)
    wait_until (G_MAXINT64);
  unlink_entry (entry);
  g_mutex_unlock (&lock);
}

/* Until the release, no other thread removes, keeps or forgets the entry. */
void
tf_registry_claim (TfEntry *entry)
{
  g_mutex_lock (&lock);
  while (entry->claimed)
    wait_until (G_MAXINT64);
  entry->claimed = TRUE;
  g_mutex_unlock (&lock);
}

void
tf_registry_release (TfEntry *entry)
{
  g_mutex_lock (&lock);
  entry->claimed = FALSE;
  wake_waiting ();
  g_mutex_unlock (&lock);
}

/* Not for ever: it may be this very thread, interrupted, that would have to make it so. */
static void
wait_for_none (guint *counter)
{
  gint64 deadline = g_get_monotonic_time () + MAX_WAIT;

  while (*counter > 0 && wait_until (deadline))
    ;
}

static TfEntry *
find_unclaimed (void)
{
  TfEntry *entry = first;

  while (entry != NULL && entry->claimed)
    entry = entry->next;

  return entry;
}

/* Claims an entry that is alive; waits for those that others have claimed. */
static TfEntry *
claim_any (void)
{
  gint64 deadline = g_get_monotonic_time () + MAX_WAIT;
  TfEntry *entry;

  g_mutex_lock (&lock);
  while ((entry = find_unclaimed ()) == NULL && first != NULL && wait_until (deadline))
    ;
  if (entry != NULL)
    entry->claimed = TRUE;
  g_mutex_unlock (&lock);
  return entry;
}

static void
remove_alive (TfEntry *entry)
{
  g_autoptr(GError) error = NULL;

  if (tf_debug_has (TF_DEBUG_LEAKS))
    tf_debug_say ("alive at exit:", entry->path);

  if (!tf_entry_drop_claimed (entry, NULL, &error))
    tf_log_lost_error ("Removing at exit", error);

  tf_registry_remove (entry);
  tf_registry_release (entry);
}

static void
remove_registered (void)
{
  TfEntry *entry;

  while ((entry = claim_any ()) != NULL)
    remove_alive (entry);
}

/* Removes from the disk what is alive. The process must end after that: the objects are still there. */
void
tf_registry_remove_all (void)
{
  g_private_set (&is_removing, GINT_TO_POINTER (TRUE));
  tf_share_forbid ();

  g_mutex_lock (&lock);
  n_removing++;
  closed = TRUE;
  g_mutex_unlock (&lock);

  remove_registered ();

  g_mutex_lock (&lock);
  wait_for_none (&n_creating);
  g_mutex_unlock (&lock);

  remove_registered ();

  g_mutex_lock (&lock);
  n_removing--;
  wake_waiting ();
  wait_for_none (&n_removing);
  g_mutex_unlock (&lock);
}

/* Runs after all that the program registered with atexit(), which may still use its files. */
__attribute__ ((destructor)) static void
remove_all_at_exit (void)
{
  tf_registry_remove_all ();
}
