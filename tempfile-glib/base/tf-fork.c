/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-fork.h"

#include <pthread.h>
#include <unistd.h>

#include "tf-system.h"

/* Held during a fork. A thread that holds another lock of the library does not fork. */
static GMutex forking;
static GPtrArray *prepared; /* (owned) (nullable) (element-type TfForkHandler): for the fork */

/* Protects the list. A thread may hold any other lock when it takes this one. */
static GMutex lock;
static TfForkHandler *first; /* (nullable): by level */
static guint n_handlers;

static gint helpers_forbidden; /* (atomic) */
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

/* An array that stays is made empty: to free one takes locks of GLib's allocator, which a child may find taken. */
static void
make_empty (GPtrArray **array)
{
  if (*array == NULL)
    *array = g_ptr_array_new ();
  g_ptr_array_set_size (*array, 0);
}

static void
copy_handlers (void)
{
  make_empty (&prepared);
  g_mutex_lock (&lock);
  for (TfForkHandler *handler = first; handler != NULL; handler = handler->next)
    g_ptr_array_add (prepared, handler);
  g_mutex_unlock (&lock);
}

static void
prepare_all (void)
{
  copy_handlers ();
  for (guint i = 0; i < prepared->len; i++)
    {
      TfForkHandler *handler = g_ptr_array_index (prepared, i);

      if (handler->lock != NULL)
        g_mutex_lock (handler->lock);
      if (handler->prepare != NULL)
        handler->prepare ();
    }
}

static void
release_all (gboolean in_child)
{
  for (guint i = prepared->len; i > 0; i--)
    {
      TfForkHandler *handler = g_ptr_array_index (prepared, i - 1);
      void (*func) (void) = in_child ? handler->child : handler->parent;

      if (func != NULL)
        func ();
      if (handler->lock != NULL)
        g_mutex_unlock (handler->lock);
    }
}

/* Returns with the lock of the list as well, which is never held while another lock is waited for: a thread that holds
 * that one may be about to register a handler. */
static void
before_fork (void)
{
  g_mutex_lock (&forking);
  prepare_all ();
  g_mutex_lock (&lock);
  while (prepared->len != n_handlers)
    {
      g_mutex_unlock (&lock);
      release_all (FALSE);
      prepare_all ();
      g_mutex_lock (&lock);
    }
}

static void
after_fork_in_parent (void)
{
  g_mutex_unlock (&lock);
  release_all (FALSE);
  g_mutex_unlock (&forking);
}

static void
after_fork_in_child (void)
{
  count ();
  g_mutex_unlock (&lock);
  release_all (TRUE);
  g_mutex_unlock (&forking);
}

/* When the library is loaded, and not when it is first used: another thread could fork in the middle of that. */
__attribute__ ((constructor)) static void
watch_forks (void)
{
  pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child);
  mark = tf_system_map_wiped_on_fork ();
  mark_process ();
}

static void
insert (TfForkHandler *handler)
{
  TfForkHandler **place = &first;

  while (*place != NULL && (*place)->level < handler->level)
    place = &(*place)->next;

  handler->next = *place;
  *place = handler;
  n_handlers++;
}

static void
add_handler (TfForkHandler *handler)
{
  g_mutex_lock (&lock);
  if (!handler->watched)
    {
      insert (handler);
      g_atomic_int_set (&handler->watched, TRUE);
    }
  g_mutex_unlock (&lock);
}

/* Registers @handler, which is called around each fork and never removed. Calling this again does nothing.
 *
 * There is no GOnce here and in what else may run while another thread forks: the child would wait for ever for the
 * thread that has begun. The lock is free in the child. */
void
tf_fork_watch (TfForkHandler *handler)
{
  if (G_UNLIKELY (!g_atomic_int_get (&handler->watched)))
    add_handler (handler);
}

/* Takes the lock of @handler, which is registered before. */
void
tf_fork_lock (TfForkHandler *handler)
{
  tf_fork_watch (handler);
  g_mutex_lock (handler->lock);
}

/* Returns a number that is different in each process of a line of forks. No lock is needed, because the number changes
 * only in a forked child, while that has one thread. */
guint
tf_fork_get_generation (void)
{
  if (G_UNLIKELY (mark != NULL ? *mark == 0 : pid != getpid ()))
    count ();

  return generation;
}

/* From now on, no helper is started, because the process is about to end. */
void
tf_fork_forbid_helpers (void)
{
  g_atomic_int_set (&helpers_forbidden, TRUE);
}

/* Returns whether a thread that only makes something faster may be started. There must be none at the end of the
 * process and in a forked child. */
gboolean
tf_fork_allows_helpers (void)
{
  return !g_atomic_int_get (&helpers_forbidden) && tf_fork_get_generation () == 0;
}

/* --- Guards --------------------------------------------------------------------------------- */

/* A thread that holds the lock of an object may take this lock, but not the other way round. */
static GMutex guards_lock;
static TfForkGuard *newest_guard; /* (nullable) */

/* While this is set, no thread but that which forks adds a guard, or waits for the lock of a guarded object: otherwise,
 * those that use their objects all the time could keep a fork from ever having all locks. */
gint tf_fork_is_coming; /* (atomic) */
static GCond fork_is_over;

/* Those whose locks are held during a fork. */
static GPtrArray *held_guards; /* (owned) (nullable) */

/* Called with the lock of the list held. */
static void
copy_guards (GPtrArray *guards)
{
  for (TfForkGuard *guard = newest_guard; guard != NULL; guard = guard->older)
    {
      guard->funcs->ref (guard);
      g_ptr_array_add (guards, guard);
    }
}

static void
call_each (GPtrArray *guards,
           gsize      func_offset)
{
  for (guint i = 0; i < guards->len; i++)
    {
      TfForkGuard *guard = g_ptr_array_index (guards, i);

      G_STRUCT_MEMBER (TfForkGuardFunc, guard->funcs, func_offset) (guard);
    }
}

#define CALL_EACH(guards, func) call_each (guards, G_STRUCT_OFFSET (TfForkGuardFuncs, func))

/* Returns with the lock of the list and with those of all guarded objects. Nobody waits for one of them while holding
 * another one. Preparing can take long, and none is added meanwhile. */
static void
hold_guards (void)
{
  g_mutex_lock (&guards_lock);
  g_atomic_int_set (&tf_fork_is_coming, TRUE);
  make_empty (&held_guards);
  copy_guards (held_guards);
  g_mutex_unlock (&guards_lock);

  CALL_EACH (held_guards, lock);
  CALL_EACH (held_guards, prepare);
  g_mutex_lock (&guards_lock);
}

static void
release_guards (void)
{
  g_atomic_int_set (&tf_fork_is_coming, FALSE);
  g_cond_broadcast (&fork_is_over);
  g_mutex_unlock (&guards_lock);

  CALL_EACH (held_guards, unlock);
  CALL_EACH (held_guards, unref);
}

static void
release_guards_in_child (void)
{
  CALL_EACH (held_guards, child);
  release_guards ();
}

static TfForkHandler guards_handler = {
  .level = TF_FORK_STORES,
  .prepare = hold_guards,
  .parent = release_guards,
  .child = release_guards_in_child,
};

/* From now on, no fork begins. What is done until tf_fork_resume() must wait for nothing. The caller holds the lock of
 * no guarded object. */
void
tf_fork_suspend (void)
{
  tf_fork_watch (&guards_handler);
  g_mutex_lock (&guards_lock);
  while (g_atomic_int_get (&tf_fork_is_coming))
    g_cond_wait (&fork_is_over, &guards_lock);
}

/* Like tf_fork_suspend(), but does nothing and returns FALSE if a fork is coming. The caller may hold locks. */
gboolean
tf_fork_try_suspend (void)
{
  tf_fork_watch (&guards_handler);
  g_mutex_lock (&guards_lock);
  if (!g_atomic_int_get (&tf_fork_is_coming))
    return TRUE;

  g_mutex_unlock (&guards_lock);
  return FALSE;
}

/* Waits for a fork that is coming, before the lock of a guarded object is taken. */
void
tf_fork_let_pass (void)
{
  tf_fork_suspend ();
  tf_fork_resume ();
}

void
tf_fork_resume (void)
{
  g_mutex_unlock (&guards_lock);
}

/* Called between tf_fork_suspend() and tf_fork_resume(). */
void
tf_fork_guard_add (TfForkGuard            *self,
                   const TfForkGuardFuncs *funcs)
{
  self->funcs = funcs;
  self->is_guarded = TRUE;
  self->newer = NULL;
  self->older = newest_guard;
  if (newest_guard != NULL)
    newest_guard->newer = self;
  newest_guard = self;
}

static void
remove_guard (TfForkGuard *self)
{
  if (!self->is_guarded)
    return;

  if (self->newer != NULL)
    self->newer->older = self->older;
  else
    newest_guard = self->older;
  if (self->older != NULL)
    self->older->newer = self->newer;
  self->is_guarded = FALSE;
}

/* Removes the guard at @guard, which may be NULL, and which another thread may be setting. Calling this again does
 * nothing. */
void
tf_fork_guard_remove (TfForkGuard **guard)
{
  g_mutex_lock (&guards_lock);
  if (*guard != NULL)
    remove_guard (*guard);
  g_mutex_unlock (&guards_lock);
}

/* Calls @func for each guarded object, without its lock. */
void
tf_fork_guard_foreach (TfForkGuardFunc func)
{
  g_autoptr(GPtrArray) guards = g_ptr_array_new ();

  g_mutex_lock (&guards_lock);
  copy_guards (guards);
  g_mutex_unlock (&guards_lock);

  for (guint i = 0; i < guards->len; i++)
    {
      TfForkGuard *guard = g_ptr_array_index (guards, i);

      func (guard);
      guard->funcs->unref (guard);
    }
}
