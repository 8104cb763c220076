/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-store.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/tf-debug.h"
#include "base/tf-disk.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-string.h"
#include "base/tf-system.h"
#include "names/tf-registry.h"

static void     add_guard       (TfStore *self);
static void     watch_forks     (TfStore *self);
static gboolean try_watch_forks (TfStore *self);
static void     ignore_forks    (TfStore *self);

/* Held while the descriptor of any store is replaced, and while one is looked at without the lock of its store. */
/* Its address is that of a thread, also in a child. GLib may have to allocate what it knows of one, for which a child can
 * wait for ever. */
static _Thread_local char this_thread;

static GMutex replacing;
static TfForkHandler fork_handler = { .level = TF_FORK_LEAVES, .lock = &replacing };

static TfStore *
store_of (TfMemoryPoolNode *node)
{
  return (gpointer) ((guint8 *) node - G_STRUCT_OFFSET (TfStore, pool_node));
}

TfStore *
tf_store_new (void)
{
  /* Not with calloc(), which does not use what this thread has freed last. */
  TfStore *self = g_new (TfStore, 1);

  *self = (TfStore) { .backing = TF_BACKING_INIT_IN_MEMORY };
  g_atomic_ref_count_init (&self->n_refs);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  return self;
}

TfStore *
tf_store_ref (TfStore *self)
{
  g_atomic_ref_count_inc (&self->n_refs);
  return self;
}

/* Releases the bytes. Called by their only user. */
static void
release_backing (TfStore *self)
{
  ignore_forks (self);
  tf_backing_clear (&self->backing);
  tf_memory_pool_remove (&self->pool_node);
}

/* In a forked child, the lock of a main context, and that of all of them, may be one that a thread of the parent had: what
 * is in them stays there. */
static gboolean
is_inherited (const TfStore *self)
{
  return self->generation != (guint16) tf_fork_get_generation ();
}

static void
tf_store_free (TfStore *self)
{
  release_backing (self);
  g_clear_pointer (&self->fork_guard, g_free);
  g_clear_pointer (&self->given_up, g_array_unref);
  if (!self->told && !is_inherited (self))
    g_clear_pointer (&self->tells.context, g_main_context_unref);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
tf_store_unref (TfStore *self)
{
  if (g_atomic_ref_count_dec (&self->n_refs))
    tf_store_free (self);
}

/* Another thread may fork while this one has the lock: the child must not find it taken. */
static inline gboolean
lacks_guard (TfStore *self)
{
  return G_UNLIKELY (g_atomic_pointer_get (&self->fork_guard) == NULL) && !__libc_single_threaded &&
         g_atomic_int_get (&self->n_pins) > 0;
}

static inline void
make_way_for_fork (void)
{
  if (G_UNLIKELY (g_atomic_int_get (&tf_fork_is_coming)))
    tf_fork_let_pass ();
}

static inline void
lock (TfStore *self)
{
  if (lacks_guard (self))
    watch_forks (self);
  make_way_for_fork ();
  g_mutex_lock (&self->lock);
}

/* Waits for nothing, not even for a fork. */
static inline gboolean
try_lock (TfStore *self)
{
  return (!lacks_guard (self) || try_watch_forks (self)) && g_mutex_trylock (&self->lock);
}

/* Called with the lock held. Who sees that the end is not the size any more also sees that fstat(2) has to tell it. */
static void
show (TfStore *self)
{
  goffset size = tf_backing_get_known_size (&self->backing);

  if (size >= 0)
    __atomic_store_n (&self->told_size, -1, __ATOMIC_RELAXED);
  else if (self->told_size < 0)
    __atomic_store_n (&self->told_size, self->seen_end, __ATOMIC_RELAXED);

  __atomic_store_n (&self->seen_position, self->position, __ATOMIC_RELAXED);
  __atomic_store_n (&self->seen_end, size >= 0 ? size : tf_backing_get_held_back_end (&self->backing), __ATOMIC_RELEASE);
}

/* Gives the lock up in a way that those who ask while another thread has it see what is the case now. */
static void
unlock (TfStore *self)
{
  show (self);
  g_mutex_unlock (&self->lock);
}

/* Sets the error of a store that is not open. Returns FALSE. */
gboolean
tf_store_fail_closed (TfStore  *self,
                      GError  **error)
{
  if (g_atomic_int_get (&self->state) == TF_STORE_BLANK)
    return tf_errno_set_not_initialized (error, "temporary file");

  return tf_errno_set_code (error, G_IO_ERROR_CLOSED, "The temporary file is closed");
}

static gboolean
check_open (TfStore  *self,
            GError  **error)
{
  return G_LIKELY (g_atomic_int_get (&self->state) == TF_STORE_OPEN) || tf_store_fail_closed (self, error);
}

/* Called with the lock held, when one of the things on which this depends has changed. */
static void
update_rest (TfStore *self)
{
  self->at_rest = self->state == TF_STORE_OPEN &&
                  self->copier == NULL &&
                  !self->must_tell &&
                  !g_atomic_int_get (&self->gate_closed);
  if (!self->at_rest)
    self->backing.memory.room = 0;
}

/* Called with the lock held. Whoever closed the gate may not have had the lock. */
static gboolean
is_at_rest (TfStore *self)
{
  return self->at_rest && !g_atomic_int_get (&self->gate_closed);
}

void
tf_store_pause (TfStore *self)
{
  unlock (self);
}

void
tf_store_resume (TfStore *self)
{
  lock (self);
}

/* Gives the lock up until tf_store_end_copy(). The bytes do not change meanwhile. */
void
tf_store_begin_copy (TfStore *self)
{
  self->copier = &this_thread;
  g_atomic_int_inc (&self->n_pins);
  update_rest (self);
  unlock (self);
}

/* The part of prepare_for_fork() for which the copier could not be disturbed. The descriptor has the position already, from
 * which the other process may have gone on. */
static void
share_after_fork (TfStore *self)
{
  if (self->must_share && !tf_backing_is_in_memory (&self->backing))
    self->backing.shared = tf_backing_hold_back_no_more (&self->backing, NULL);
  self->must_share = FALSE;
}

/* Takes the lock again. Fails if the store was closed meanwhile; its lock is held in this case, too. */
gboolean
tf_store_end_copy (TfStore  *self,
                   GError  **error)
{
  lock (self);
  self->copier = NULL;
  share_after_fork (self);
  g_cond_broadcast (&self->changed);
  update_rest (self);
  if (g_atomic_int_dec_and_test (&self->n_pins))
    release_backing (self);

  return check_open (self, error);
}

/* The store in which this thread has its turn. */
static _Thread_local TfStore *in_turn;

/* Never waits. A thread that has the lock meanwhile may leave the store as if it was at rest; then those who take the
 * lock afterwards look at the gate, and what takes no lock is not done, because there is more than one thread. */
void
tf_store_close_gate (TfStore *self)
{
  g_atomic_int_set (&self->gate_closed, TRUE);
  if (try_lock (self))
    {
      watch_forks (self);
      update_rest (self);
      unlock (self);
    }
}

void
tf_store_open_gate (TfStore *self)
{
  g_atomic_int_set (&self->gate_closed, FALSE);
  if (try_lock (self))
    {
      update_rest (self);
      unlock (self);
    }
}

static guint16
take_ticket (TfStore *self)
{
  return __atomic_fetch_add (&self->next_ticket, 1, __ATOMIC_SEQ_CST);
}

static guint16
get_next_ticket (TfStore *self)
{
  return __atomic_load_n (&self->next_ticket, __ATOMIC_SEQ_CST);
}

/* The time between two looks at the cancellable while waiting, in microseconds */
#define LOOK_INTERVAL (10 * G_TIME_SPAN_MILLISECOND)

/* Called with the lock held. Fails if the call is cancelled. */
static gboolean
wait_for_change (TfStore       *self,
                 GCancellable  *cancellable,
                 GError       **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  if (cancellable == NULL)
    g_cond_wait (&self->changed, &self->lock);
  else
    g_cond_wait_until (&self->changed, &self->lock, g_get_monotonic_time () + LOOK_INTERVAL);
  return TRUE;
}

static gboolean
is_turn_of (TfStore *self,
            guint16  ticket)
{
  gboolean is_turn;

  lock (self);
  is_turn = self->turn == ticket;
  unlock (self);

  return is_turn;
}

/* Returns whether the ticket whose turn it is was given up. */
static gboolean
drop_given_up (TfStore *self)
{
  for (guint i = 0; self->given_up != NULL && i < self->given_up->len; i++)
    if (g_array_index (self->given_up, guint16, i) == self->turn)
      {
        g_array_remove_index_fast (self->given_up, i);
        return TRUE;
      }

  return FALSE;
}

/* Called with the lock held. */
static void
next_turn (TfStore *self)
{
  do
    self->turn++;
  while (drop_given_up (self));
  g_cond_broadcast (&self->changed);
}

static void
end_turn (TfStore *self)
{
  in_turn = NULL;

  lock (self);
  next_turn (self);
  unlock (self);
}

/* Never waits for those that come before. */
static void
give_up_turn (TfStore *self,
              guint16  ticket)
{
  lock (self);
  if (self->turn == ticket)
    next_turn (self);
  else
    {
      if (self->given_up == NULL)
        self->given_up = g_array_new (FALSE, FALSE, sizeof ticket);
      g_array_append_val (self->given_up, ticket);
    }
  unlock (self);
}

/* Fails if the call is cancelled. */
static gboolean
wait_for_turn (TfStore       *self,
               guint16        ticket,
               GCancellable  *cancellable,
               GError       **error)
{
  gboolean success = TRUE;

  lock (self);
  while (success && self->turn != ticket)
    success = wait_for_change (self, cancellable, error);
  unlock (self);

  return success;
}

/* Called in a worker. Those who are waited for may still be waiting for workers. */
static gboolean
begin_turn (TfStore       *self,
            guint16        ticket,
            GCancellable  *cancellable,
            GError       **error)
{
  gboolean success = TRUE;

  if (!is_turn_of (self, ticket))
    {
      if (!tf_task_begin_wait (error))
        return FALSE;

      success = wait_for_turn (self, ticket, cancellable, error);
      tf_task_end_wait ();
    }

  if (success)
    in_turn = self;
  return success;
}

typedef struct
{
  TfStore *store; /* (unowned): the stream has it */
  TfTaskFunc func;
  gpointer data;  /* (owned) */
  guint16 ticket;
  gboolean waits; /* has a ticket, and has not had its turn */
} StreamCall;

static void
stream_call_give_up (StreamCall *self)
{
  give_up_turn (self->store, self->ticket);
  self->waits = FALSE;
}

static void
stream_call_free (gpointer data)
{
  StreamCall *self = data;

  g_free (self->data);
  g_free (self);
}

/* The store that is being closed in this thread, whose owner may still use it. */
static _Thread_local TfStore *closing;

/* Returns what tf_store_end_closing() takes. */
TfStore *
tf_store_begin_closing (TfStore *self)
{
  TfStore *outer = closing;

  closing = self;
  return outer;
}

void
tf_store_end_closing (TfStore *outer)
{
  closing = outer;
}

gboolean
tf_store_is_closing_here (TfStore *self)
{
  return closing == self;
}

/* The bit of the number of borrowers that tells that the owner is being disposed of. */
#define OWNER_GOES (1u << 31)

/* Returns the owner, which stays until return_owner(); NULL if it goes, or if there is none. */
static gpointer
borrow_owner (TfStore *self)
{
  guint n;

  do
    {
      n = g_atomic_int_get (&self->n_borrowers);
      if (self->owner == NULL || (n & OWNER_GOES) != 0)
        return NULL;
    }
  while (!g_atomic_int_compare_and_exchange (&self->n_borrowers, n, n + 1));

  return self->owner;
}

static void
return_owner (TfStore *self)
{
  if ((guint) g_atomic_int_add (&self->n_borrowers, -1) == OWNER_GOES + 1)
    g_object_unref (self->owner);
}

/* What tells the owner is not left in a main context that nobody may iterate, and that the store would keep alive. */
static void
stop_telling (TfStore *self)
{
  TfTaskDeferral *deferral;

  tf_fork_lock (&fork_handler);
  deferral = self->told ? g_steal_pointer (&self->tells.deferral) : NULL;
  g_mutex_unlock (&replacing);
  if (deferral != NULL)
    tf_task_call_off (deferral);
}

/* Takes what tells the owner. */
static void
set_telling (TfStore        *self,
             TfTaskDeferral *deferral)
{
  GMainContext *context;

  tf_fork_lock (&fork_handler);
  context = self->tells.context;
  self->tells.deferral = deferral;
  self->told = TRUE;
  g_mutex_unlock (&replacing);
  if (!is_inherited (self))
    g_clear_pointer (&context, g_main_context_unref);
  if ((g_atomic_int_get (&self->n_borrowers) & OWNER_GOES) != 0)
    stop_telling (self);
}

static void
release_owner (TfStore *self)
{
  guint n;

  if (g_atomic_int_compare_and_exchange (&self->n_borrowers, 0, OWNER_GOES))
    return;

  g_object_ref (self->owner);
  n = g_atomic_int_or (&self->n_borrowers, OWNER_GOES);
  if (n == 0 || (n & OWNER_GOES) != 0)
    g_object_unref (self->owner);
}

/* Called by the owner when it is disposed of. Those who have borrowed it keep it. Calling this again does nothing. */
void
tf_store_part_with_owner (TfStore *self)
{
  if (self->owner == NULL)
    return;

  release_owner (self);
  stop_telling (self);
}

/* No lock is held when the reference is taken. */
static GObject *
ref_owner (TfStore *self)
{
  GObject *owner = borrow_owner (self);

  if (owner == NULL)
    return NULL;

  g_object_ref (owner);
  return_owner (self);
  return owner;
}

static gboolean
owner_has_pending (TfStore *self)
{
  GIOStream *owner = borrow_owner (self);
  gboolean has_pending;

  if (owner == NULL)
    return FALSE;

  has_pending = g_io_stream_has_pending (owner);
  return_owner (self);
  return has_pending;
}

/* Fails while the file has an asynchronous operation under way. */
gboolean
tf_store_check_stream_idle (TfStore  *self,
                            GError  **error)
{
  return G_LIKELY (!g_atomic_int_get (&self->gate_closed)) ||
         closing == self ||
         g_atomic_int_get (&self->state) != TF_STORE_OPEN ||
         !owner_has_pending (self) ||
         tf_errno_set_code (error, G_IO_ERROR_PENDING, "The temporary file has an outstanding operation");
}

/* Runs in the caller's thread, and again in a worker if it would block. From the first moment on it has its place in
 * the order. */
static gssize
run_in_turn (gpointer       source_object,
             gpointer       task_data,
             GCancellable  *cancellable,
             GError       **error)
{
  StreamCall *self = task_data;
  gboolean is_worker = tf_task_may_block (NULL);
  gssize result;

  if (is_worker && !begin_turn (self->store, self->ticket, cancellable, error))
    {
      stream_call_give_up (self);
      return -1;
    }

  result = self->func (source_object, self->data, cancellable, error);

  if (is_worker)
    {
      end_turn (self->store);
      self->waits = FALSE;
    }
  else if (result < 0 && g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      self->ticket = take_ticket (self->store);
      self->waits = TRUE;
    }

  return result;
}

static void
on_ran_in_turn (GTask  *task,
                gssize  result,
                GError *error)
{
  StreamCall *self = g_task_get_task_data (task);

  /* No worker could be started. */
  if (self->waits)
    stream_call_give_up (self);

  tf_task_return (task, result, error);
}

/* Completes @task, whose source object is a stream of the file, with what @func returns for @data, which is taken
 * over. */
void
tf_store_run_for_stream (TfStore    *self,
                         GTask      *task,
                         TfTaskFunc  func,
                         gpointer    data)
{
  StreamCall *call = g_new (StreamCall, 1);
  GError *error = NULL;

  *call = (StreamCall) { .store = self, .func = func, .data = data };
  g_task_set_task_data (task, call, stream_call_free);
  if (!tf_store_check_stream_idle (self, &error))
    {
      tf_errno_set_last (0);
      tf_task_return (task, -1, error);
      return;
    }

  tf_store_close_gate (self);
  tf_task_run_step (task, run_in_turn, on_ran_in_turn);
}

static gboolean
is_taken (TfStore *self)
{
  return self->copier != NULL || (in_turn != self && self->turn != get_next_ticket (self));
}

/* Waits until there is no copier, and until this thread has its turn. Called with the lock held. */
static gboolean
wait_for_others (TfStore       *self,
                 GCancellable  *cancellable,
                 GError       **error)
{
  gboolean success = TRUE;

  if (!is_taken (self))
    return TRUE;

  if (!tf_task_may_block (error))
    return FALSE;

  if (self->copier == &this_thread)
    return tf_errno_set_code (error, G_IO_ERROR_PENDING, "The temporary file has an outstanding operation");

  /* They may still be waiting for a worker. */
  if (!tf_task_begin_wait (error))
    return FALSE;

  while (success && is_taken (self))
    success = wait_for_change (self, cancellable, error);
  tf_task_end_wait ();

  return success;
}

/* Adds a pin to those that are there. Fails if there is none. */
static gboolean
add_pin (TfStore *self)
{
  int n_pins;

  do
    {
      n_pins = g_atomic_int_get (&self->n_pins);
      if (n_pins == 0)
        return FALSE;
    }
  while (!g_atomic_int_compare_and_exchange (&self->n_pins, n_pins, n_pins + 1));

  tf_store_ref (self);
  return TRUE;
}

/* Fails if the store is not open. Never waits. */
gboolean
tf_store_pin (TfStore  *self,
              GError  **error)
{
  gboolean pinned = add_pin (self);

  /* Closing sets the state before it drops its pin, so that a pin that is seen to be too late is dropped again. */
  if (pinned && g_atomic_int_get (&self->state) == TF_STORE_OPEN)
    return TRUE;

  if (pinned)
    tf_store_unpin (self);
  return tf_store_fail_closed (self, error);
}

/* The last pin is the only user of the backing. */
void
tf_store_unpin (TfStore *self)
{
  if (g_atomic_int_dec_and_test (&self->n_pins))
    release_backing (self);

  tf_store_unref (self);
}

/* Takes the lock in any state of the store. An operation in pieces lets those in who wait for it. */
static gboolean
acquire (TfStore  *self,
         GError  **error)
{
  if (G_UNLIKELY (!tf_task_may_block (NULL)))
    return try_lock (self) || tf_task_may_block (error);

  make_way_for_fork ();
  if (G_LIKELY (try_lock (self)))
    return TRUE;

  g_atomic_int_inc (&self->n_waiting);
  lock (self);
  g_atomic_int_add (&self->n_waiting, -1);
  return TRUE;
}

/* The part of lock_ahead() with the lock held, which is given up on failure. */
static gboolean
begin_locked (TfStore       *self,
              GCancellable  *cancellable,
              GError       **error)
{
  if ((G_UNLIKELY (!is_at_rest (self)) && !(wait_for_others (self, cancellable, error) && check_open (self, error))) ||
      (!tf_backing_is_in_memory (&self->backing) && !tf_task_may_block (error)))
    {
      unlock (self);
      return FALSE;
    }

  if (G_UNLIKELY (self->backing.shared))
    {
      tf_backing_get_offset (&self->backing, &self->position);
      show (self);
    }
  return TRUE;
}

/* Like tf_store_lock(), but keeps what was read ahead. */
static gboolean
lock_ahead (TfStore       *self,
            GCancellable  *cancellable,
            GError       **error)
{
  if (cancellable != NULL && g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  return acquire (self, error) && begin_locked (self, cancellable, error);
}

/* How often an operation in pieces lets other threads run so that they get the lock: a mutex is not fair. */
#define MAX_YIELDS 1000

/* Called without the lock. */
void
tf_store_let_readers_in (TfStore *self)
{
  for (guint i = 0; i < MAX_YIELDS && g_atomic_int_get (&self->n_waiting) > 0; i++)
    g_thread_yield ();
}

/* Takes the lock of a store with a pin, in order to read its bytes. Does not wait for a copier. */
static gboolean
lock_pinned (TfStore  *self,
             GError  **error)
{
  if (!acquire (self, error))
    return FALSE;

  if (!tf_backing_is_in_memory (&self->backing) && !tf_task_may_block (error))
    {
      unlock (self);
      return FALSE;
    }

  return TRUE;
}

/* Reads @count bytes at @offset, or fewer at the end. Neither uses nor moves the position. */
gboolean
tf_store_pinned_read (TfStore       *self,
                      goffset        offset,
                      gpointer       data,
                      gsize          count,
                      gsize         *n_read,
                      GCancellable  *cancellable,
                      GError       **error)
{
  gboolean success;

  *n_read = 0;
  if (!lock_pinned (self, error))
    return FALSE;

  success = tf_backing_read_aside (&self->backing, offset, data, count, n_read, cancellable, error);
  unlock (self);

  return success;
}

gboolean
tf_store_pinned_get_size (TfStore  *self,
                          goffset  *size,
                          GError  **error)
{
  gboolean success;

  if (!lock_pinned (self, error))
    return FALSE;

  success = tf_backing_get_size (&self->backing, size, error);
  unlock (self);
  return success;
}

/* Whoever has looked at bytes that were read ahead must not do so any more. */
static void
forget_ahead (TfStore *self)
{
  tf_backing_forget (&self->backing);
  self->lent = FALSE;
}

/* Whoever has used the store since then does not look any more. */
static gboolean
is_lent (const TfStore *self)
{
  return self->lent && self->lent_at == (guint32) self->position;
}

/* Takes the lock of an open store. After success, the caller calls tf_store_unlock(). The backing may hold bytes back:
 * to use its descriptor, call tf_store_lock_settled() instead. In a thread that must not block, a store on disk is not
 * locked, and one in memory does not roll over. */
gboolean
tf_store_lock (TfStore       *self,
               GCancellable  *cancellable,
               GError       **error)
{
  if (!lock_ahead (self, cancellable, error))
    return FALSE;

  forget_ahead (self);
  return TRUE;
}

/* The part of tf_store_lock_settled() with the lock held, which is given up on failure. */
static gboolean
settle_locked (TfStore       *self,
               GCancellable  *cancellable,
               GError       **error)
{
  if (tf_backing_settle (&self->backing, cancellable, error))
    return TRUE;

  tf_store_unlock (self);
  return FALSE;
}

/* Like tf_store_lock(), but also writes what is held back to the descriptor. */
gboolean
tf_store_lock_settled (TfStore       *self,
                       GCancellable  *cancellable,
                       GError       **error)
{
  return tf_store_lock (self, cancellable, error) && settle_locked (self, cancellable, error);
}

/* Takes the lock, of a store in any state, if nobody has to be waited for. */
static gboolean
lock_at_once (TfStore *self)
{
  if (!try_lock (self))
    return FALSE;

  if (is_taken (self))
    {
      unlock (self);
      return FALSE;
    }

  return TRUE;
}

/* Like tf_store_lock_settled(), for two stores. Waits for neither while it holds the other: whoever is waited for may
 * need the other one. */
gboolean
tf_store_lock_two_settled (TfStore       *first,
                           TfStore       *second,
                           GCancellable  *cancellable,
                           GError       **error)
{
  TfStore *held = first;
  TfStore *other = second;

  while (tf_store_lock_settled (held, cancellable, error))
    {
      TfStore *next = other;

      if (lock_at_once (other))
        {
          next = NULL;
          if (begin_locked (other, cancellable, error))
            {
              forget_ahead (other);
              if (settle_locked (other, cancellable, error))
                return TRUE;
            }
        }

      tf_store_unlock (held);
      if (next == NULL)
        return FALSE;
      other = held;
      held = next;
    }

  return FALSE;
}

static gboolean
tell_rolled_over (gpointer data)
{
  TfStore *self = data;
  g_autoptr(GObject) owner = ref_owner (self);

  if (owner != NULL)
    self->funcs->rolled_over (owner);

  return G_SOURCE_REMOVE;
}

/* Releases what the store has left for the disk. */
static void
unlock_and_release (TfStore *self)
{
  g_autofree TfBacking *left = g_steal_pointer (&self->left);
  gsize resident;

  unlock (self);
  if (left == NULL)
    return;

  resident = tf_memory_buffer_get_resident (&left->memory);
  tf_backing_clear (left);
  tf_memory_pool_add_leaving (-(gssize) resident);
}

static void
unlock_and_tell (TfStore *self)
{
  g_autofree char *where = g_strdup (self->backing.where);
  TfTaskDeferral *deferral;

  self->must_tell = FALSE;
  update_rest (self);
  unlock_and_release (self);
  if (where != NULL)
    tf_debug_trace ("rolled over to", where);

  tf_task_defer (tell_rolled_over, tf_store_ref (self), (GDestroyNotify) tf_store_unref, &deferral);
  if (deferral != NULL)
    set_telling (self, deferral);
}

void
tf_store_unlock (TfStore *self)
{
  if (G_UNLIKELY (self->must_tell))
    unlock_and_tell (self);
  else
    unlock (self);
}

/* The largest size in memory, in bytes. */
static gsize
get_limit (TfStore *self)
{
  return self->max_size < 0 ? G_MAXSSIZE : MIN ((guint64) self->max_size, G_MAXSSIZE);
}

/* Returns what is counted for content of @size bytes. It is more than that, so that not each write has to be counted:
 * by as much as a small piece of the heap has, by an eighth for a large one, of which more may be resident, and by a
 * sixteenth for a mapping. */
static gsize
get_charge (TfStore *self,
            gsize    size)
{
  gsize charge = size;

  if (size <= TF_MEMORY_POOL_SPARED)
    charge = MAX (size, MIN (self->backing.memory.capacity, TF_MEMORY_POOL_SPARED));
  else
    charge += MIN (size / (self->backing.memory.mapped ? 16 : 8), G_MAXSSIZE - MIN (size, G_MAXSSIZE));

  return MIN (charge, MAX (size, get_limit (self)));
}

/* Limits the room in memory to what is counted. */
static void
bound_room (TfStore *self)
{
  self->backing.memory.room = self->at_rest ? MIN (self->backing.memory.room, self->pool_node.charge) : 0;
}

static gsize
get_reserved (TfStore *self)
{
  return self->reserved * TF_STORE_RESERVED_UNIT;
}

static void
set_reserved (TfStore *self,
              gsize    size)
{
  self->reserved = MIN ((size + TF_STORE_RESERVED_UNIT - 1) / TF_STORE_RESERVED_UNIT, G_MAXUINT32);
}

/* Counts what is resident without being content. */
static void
count_unused (TfStore *self)
{
  gsize resident = tf_memory_buffer_get_resident (&self->backing.memory);

  tf_memory_pool_set_unused (&self->pool_node, resident - MIN (resident, self->pool_node.charge));
}

static void
free_unused (TfStore *self)
{
  tf_memory_buffer_free_unused (&self->backing.memory);
  count_unused (self);
}

/* Frees what is resident without being content if that is too much. */
static void
bound_unused (TfStore *self)
{
  count_unused (self);
  if (G_UNLIKELY (self->pool_node.unused > 0 && !tf_memory_pool_may_keep_unused ()))
    free_unused (self);
}

/* Corrects the count to what is really in memory. */
static void
recount (TfStore *self)
{
  gsize size = tf_backing_is_in_memory (&self->backing) ? MAX (self->backing.memory.size, get_reserved (self)) : 0;

  tf_memory_pool_recount (&self->pool_node, size > 0 ? get_charge (self, size) : 0);
  bound_unused (self);
  bound_room (self);
}

/* Like tf_backing_exchange(). To release what is in @backing then can take long: the lock is given up before. */
void
tf_store_exchange_backing (TfStore   *self,
                           TfBacking *backing)
{
  gboolean rolls_over = tf_backing_is_in_memory (&self->backing);

  if (rolls_over)
    {
      self->must_tell = TRUE;
      g_atomic_int_set (&self->rolled_over, TRUE);
    }

  tf_fork_lock (&fork_handler);
  tf_backing_exchange (&self->backing, backing);
  g_mutex_unlock (&replacing);
  tf_memory_pool_remove (&self->pool_node);
  if (rolls_over)
    watch_forks (self);
}

/* Why a store rolls over. */
typedef enum
{
  BY_REQUEST, /* of the user, who also sets its largest size */
  BY_POLICY,  /* for the sake of others: takes none of the last descriptors */
} Reason;

/* Returns whether @fd is one of the last quarter of the descriptors that the process may have. */
static gboolean
is_scarce (int fd)
{
  struct rlimit limit;
  rlim_t enough;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return FALSE;

  enough = limit.rlim_cur - limit.rlim_cur / 4;
  return (rlim_t) fd >= enough || tf_system_count_descriptors () > enough;
}

static int
open_disk (TfStore       *self,
           gpointer       place,
           Reason         reason,
           char         **where,
           GCancellable  *cancellable,
           GError       **error)
{
  tf_autofd int fd = self->funcs->open (place, where, cancellable, error);

  if (fd >= 0 && reason == BY_POLICY && is_scarce (fd))
    {
      tf_errno_set (error, EMFILE, "open", *where);
      return -1;
    }

  return tf_fd_steal (&fd);
}

/* The room that was reserved in memory. What the file system cannot allocate ahead is not reserved. */
static gboolean
reserve_on (TfBacking     *disk,
            gsize          size,
            GCancellable  *cancellable,
            GError       **error)
{
  return size == 0 || !tf_disk_can_reserve (disk->fd) || tf_backing_reserve (disk, size, cancellable, error);
}

/* Copies first and swaps last: on failure, the memory has not changed. */
static gboolean
move_to_disk (TfStore       *self,
              Reason         reason,
              GCancellable  *cancellable,
              GError       **error)
{
  g_auto(TfBacking) disk = TF_BACKING_INIT_IN_MEMORY;
  const TfMemoryBuffer *bytes = &self->backing.memory;
  gpointer place;
  gboolean success;

  if (!tf_task_may_block (error))
    return FALSE;

  disk.disk_size = 0;
  place = self->funcs->prepare (self->owner);
  tf_store_begin_copy (self);
  disk.fd = open_disk (self, place, reason, &disk.where, cancellable, error);
  success = disk.fd >= 0 && reserve_on (&disk, get_reserved (self), cancellable, error) &&
            tf_backing_write_memory (&disk, bytes, NULL, cancellable, error) &&
            tf_disk_settle_copy (disk.fd, disk.where, disk.disk_size, error);
  if (!success)
    tf_backing_clear (&disk);
  if (!tf_store_end_copy (self, success ? error : NULL) || !success)
    return FALSE;

  tf_memory_pool_add_leaving (tf_memory_buffer_get_resident (bytes));
  tf_store_exchange_backing (self, &disk);
  self->left = g_new (TfBacking, 1);
  *self->left = disk;
  disk = (TfBacking) TF_BACKING_INIT_IN_MEMORY;
  tf_backing_hold_back (&self->backing, self->backing.disk_size);
  return TRUE;
}

/* Makes room in memory for @size bytes, which are counted. Returns FALSE if there is not enough memory. */
static gboolean
grow (TfStore *self,
      gsize    size)
{
  TfMemoryBuffer *memory = &self->backing.memory;
  gsize limit = size <= TF_MEMORY_POOL_SPARED ? MIN (get_limit (self), TF_MEMORY_POOL_SPARED) : get_limit (self);
  gboolean begin_huge_page = tf_memory_buffer_begins_huge_page (memory, size, limit) &&
                             tf_memory_pool_start (&self->pool_node);

  if (!tf_memory_buffer_grow (memory, size, limit, begin_huge_page))
    return FALSE;

  /* A small piece of the heap is counted as a whole. */
  tf_memory_pool_recount (&self->pool_node, MAX (self->pool_node.charge, get_charge (self, size)));
  bound_unused (self);
  bound_room (self);
  return TRUE;
}

/* Counts @size bytes if the limit for all stores allows that. If not, larger stores that are idle go to disk. */
static gboolean
charge (TfStore   *self,
        gsize      size,
        gboolean  *fits,
        GError   **error)
{
  *fits = tf_memory_pool_charge (&self->pool_node, get_charge (self, size));
  if ((*fits && !tf_memory_pool_is_exceeded ()) || !tf_task_may_block (NULL))
    return TRUE;

  tf_store_begin_copy (self);
  tf_memory_pool_make_room (*fits ? 0 : get_charge (self, size) - self->pool_node.charge, size);
  if (!tf_store_end_copy (self, error))
    return FALSE;

  *fits = tf_memory_pool_charge (&self->pool_node, get_charge (self, size));
  return TRUE;
}

/* Makes room for @size bytes, or rolls over if that is not possible in memory. */
static gboolean
grow_or_move (TfStore       *self,
              goffset        size,
              GCancellable  *cancellable,
              GError       **error)
{
  gboolean is_allowed = (guint64) size <= get_limit (self);
  gboolean fits = TRUE;

  if (!tf_backing_is_in_memory (&self->backing))
    return TRUE;

  if (is_allowed && !charge (self, size, &fits, error))
    return FALSE;

  if ((is_allowed && fits && grow (self, size)) ||
      move_to_disk (self, fits ? BY_REQUEST : BY_POLICY, cancellable, error))
    return TRUE;

  recount (self);
  return FALSE;
}

/* Makes room for @count bytes at the position, or rolls over if that is not possible in memory. */
gboolean
tf_store_make_room (TfStore       *self,
                    gsize          count,
                    GCancellable  *cancellable,
                    GError       **error)
{
  if (count > (guint64) (G_MAXINT64 - self->position))
    return tf_errno_set (error, EFBIG, "write", self->backing.where);

  return grow_or_move (self, self->position + count, cancellable, error);
}

/* Moves the bytes to disk. If they are there already, does nothing and succeeds. */
gboolean
tf_store_roll_over (TfStore       *self,
                    GCancellable  *cancellable,
                    GError       **error)
{
  gboolean success;

  if (!tf_store_lock_settled (self, cancellable, error))
    return FALSE;

  success = !tf_backing_is_in_memory (&self->backing) || move_to_disk (self, BY_REQUEST, cancellable, error);
  tf_store_unlock (self);
  return success;
}

/* Returns the descriptor, which the store owns. From now on, its offset is the position. */
int
tf_store_get_fd (TfStore       *self,
                 GCancellable  *cancellable,
                 GError       **error)
{
  int fd = -1;

  if (!tf_store_lock_settled (self, cancellable, error))
    return -1;

  if ((!tf_backing_is_in_memory (&self->backing) || move_to_disk (self, BY_REQUEST, cancellable, error)) &&
      (self->backing.shared || tf_backing_share (&self->backing, self->position, error)))
    fd = self->backing.fd;

  /* The owner, which is told that the store has rolled over, may close it. */
  tf_store_unlock (self);
  return fd >= 0 && check_open (self, error) ? fd : -1;
}

static void
ref_node (TfMemoryPoolNode *node)
{
  tf_store_ref (store_of (node));
}

static void
unref_node (TfMemoryPoolNode *node)
{
  tf_store_unref (store_of (node));
}

static gboolean
try_lock_idle (TfStore *self)
{
  if (!g_mutex_trylock (&self->lock))
    return FALSE;

  if (self->state == TF_STORE_OPEN && self->copier == NULL && tf_backing_is_in_memory (&self->backing))
    return TRUE;

  unlock (self);
  return FALSE;
}

/* Locks a store for a thread that is not one of its users, unless it is in use. No child finds that lock taken, because
 * forks are suspended, which ends here. */
static gboolean
lock_idle (TfStore *self)
{
  gboolean is_locked = try_lock_idle (self);

  if (is_locked)
    add_guard (self);
  tf_fork_resume ();

  return is_locked;
}

/* The owner is notified in its own main context. In a forked child, the thread that iterates it is not there, and may have
 * had its lock: then the next call of the owner notifies. */
static void
unlock_and_tell_owner (TfStore *self)
{
  if (is_inherited (self))
    {
      update_rest (self);
      unlock_and_release (self);
      return;
    }

  tf_task_defer_to (self->tells.context, G_PRIORITY_DEFAULT);
  tf_store_unlock (self);
  tf_task_defer_no_more ();
}

/* Rolls over for the sake of others. */
static gboolean
move_node_out (TfMemoryPoolNode  *node,
               GError           **error)
{
  TfStore *self = store_of (node);
  gboolean success;

  tf_fork_suspend ();
  if (!lock_idle (self))
    return FALSE;

  success = !is_lent (self) && self->pool_node.charge > 0 && move_to_disk (self, BY_POLICY, NULL, error);
  if (self->state != TF_STORE_OPEN)
    g_clear_error (error); /* It was closed meanwhile, and keeps no memory. */

  unlock_and_tell_owner (self);
  return success;
}

/* Called with the lock of another store, for which a fork that is coming may be waiting. */
static gboolean
trim_node (TfMemoryPoolNode *node)
{
  TfStore *self = store_of (node);

  if (!tf_fork_try_suspend () || !lock_idle (self))
    return FALSE;

  tf_memory_buffer_trim (&self->backing.memory);
  unlock (self);
  return TRUE;
}

static void
free_unused_of_node (TfMemoryPoolNode *node)
{
  TfStore *self = store_of (node);

  tf_fork_suspend ();
  if (!lock_idle (self))
    return;

  free_unused (self);
  unlock (self);
}

/* Stores on disk have one, and those in memory that were used when there was another thread. */
typedef struct
{
  TfForkGuard guard; /* first */
  TfStore    *store; /* (unowned): which has the guard */
} TfStoreGuard;

static TfStore *
store_of_guard (TfForkGuard *guard)
{
  return ((TfStoreGuard *) guard)->store;
}

static void
ref_guarded (TfForkGuard *guard)
{
  tf_store_ref (store_of_guard (guard));
}

static void
unref_guarded (TfForkGuard *guard)
{
  tf_store_unref (store_of_guard (guard));
}

static void
lock_guarded (TfForkGuard *guard)
{
  g_mutex_lock (&store_of_guard (guard)->lock);
}

static void
unlock_guarded (TfForkGuard *guard)
{
  g_mutex_unlock (&store_of_guard (guard)->lock);
}

/* If the disk refuses what is held back, this process still has it, and the child drops it. */
static void
prepare_for_fork (TfForkGuard *guard)
{
  TfStore *self = store_of_guard (guard);

  if (self->state != TF_STORE_OPEN || tf_backing_is_in_memory (&self->backing) || self->backing.shared)
    return;

  if (self->copier == NULL)
    tf_backing_share (&self->backing, self->position, NULL);
  else if (!self->must_share) /* otherwise, a child may have moved the position */
    self->must_share = tf_backing_seek (&self->backing, self->position, NULL);
}

/* The threads of the parent do not exist here. */
static void
clean_up_in_child (TfForkGuard *guard)
{
  TfStore *self = store_of_guard (guard);

  tf_backing_disown (&self->backing);
  self->turn = get_next_ticket (self);
  if (self->given_up != NULL)
    g_array_set_size (self->given_up, 0);
  if (self->copier != NULL && self->copier != &this_thread)
    {
      self->copier = NULL;
      share_after_fork (self);
      g_atomic_int_add (&self->n_pins, -1);
    }
  update_rest (self);
}

static const TfForkGuardFuncs guard_funcs = {
  .ref = ref_guarded,
  .unref = unref_guarded,
  .lock = lock_guarded,
  .unlock = unlock_guarded,
  .prepare = prepare_for_fork,
  .child = clean_up_in_child,
};

/* In microseconds */
#define PATIENCE_AT_EXIT G_USEC_PER_SEC

static gboolean
has_name (int fd)
{
  struct stat st;

  return fstat (fd, &st) != 0 || st.st_nlink > 0;
}

/* Nobody can flush again: says what is lost. */
static gboolean
flush_finally (TfStore  *self,
               GError  **error)
{
  if (tf_backing_flush (&self->backing, NULL, error))
    return TRUE;

  g_prefix_error (error, "The last %" G_GSIZE_FORMAT " bytes that were written are lost: ",
                  tf_backing_count_held_back (&self->backing));
  return FALSE;
}

/* When the exit waits for nobody any more */
static gint64 exit_deadline;

/* Others that only ask have the lock for a moment; who uses the file for longer may never give it up. */
static gboolean
lock_soon (TfStore *self)
{
  for (;;)
    {
      if (g_mutex_trylock (&self->lock))
        {
          if (self->copier == NULL || tf_backing_count_held_back (&self->backing) == 0)
            return TRUE;
          g_mutex_unlock (&self->lock);
        }

      if (g_get_monotonic_time () >= exit_deadline)
        return FALSE;
      g_usleep (100);
    }
}

/* Writes what is held back, as exit(3) does for a FILE, if there is a name by which it can be read then. */
static void
bring_out (TfForkGuard *guard)
{
  TfStore *self = store_of_guard (guard);
  g_autoptr(GError) error = NULL;

  if (is_inherited (self))
    return;

  if (!lock_soon (self))
    {
      tf_errno_set_code (&error, G_IO_ERROR_BUSY, "another thread uses the file");
      tf_errno_log_lost ("Writing at exit", error);
      return;
    }

  if (self->state == TF_STORE_OPEN && tf_backing_count_held_back (&self->backing) > 0 &&
      has_name (self->backing.fd) && !flush_finally (self, &error))
    tf_errno_log_lost ("Writing at exit", error);
  g_mutex_unlock (&self->lock);
}

__attribute__ ((destructor)) static void
bring_out_at_exit (void)
{
  /* What goes now need not be written. */
  tf_registry_remove_all ();
  exit_deadline = g_get_monotonic_time () + PATIENCE_AT_EXIT;
  tf_fork_guard_foreach (bring_out);
}

/* Called while forks are suspended. Calling this again does nothing. A closed store has a guard while it has readers. */
static void
add_guard (TfStore *self)
{
  TfStoreGuard *fork_guard;

  if (self->fork_guard != NULL || g_atomic_int_get (&self->n_pins) == 0)
    return;

  fork_guard = g_new0 (TfStoreGuard, 1);
  fork_guard->store = self;
  tf_fork_guard_add (&fork_guard->guard, &guard_funcs);
  g_atomic_pointer_set (&self->fork_guard, &fork_guard->guard);
}

static void
watch_forks (TfStore *self)
{
  if (g_atomic_pointer_get (&self->fork_guard) != NULL)
    return;

  tf_fork_suspend ();
  add_guard (self);
  tf_fork_resume ();
}

static gboolean
try_watch_forks (TfStore *self)
{
  if (!tf_fork_try_suspend ())
    return FALSE;

  add_guard (self);
  tf_fork_resume ();
  return TRUE;
}

/* Called while the store still is alive, and is not open any more. */
static void
ignore_forks (TfStore *self)
{
  if (!__libc_single_threaded || self->fork_guard != NULL)
    tf_fork_guard_remove (&self->fork_guard);
}

static const TfMemoryPoolFuncs pool_funcs = {
  .ref = ref_node,
  .unref = unref_node,
  .move_out = move_node_out,
  .trim = trim_node,
  .free_unused = free_unused_of_node,
};

/* Called with the lock held. */
static void
begin_open (TfStore            *self,
            const TfStoreFuncs *funcs,
            GObject            *owner)
{
  g_assert (self->state == TF_STORE_BLANK);
  g_atomic_int_set (&self->state, TF_STORE_OPEN);
  update_rest (self);
  g_atomic_int_set (&self->n_pins, 1);
  self->generation = tf_fork_get_generation ();
  self->funcs = funcs;
  self->owner = owner;
}

/* Opens a blank store, which no other thread knows yet, as an empty file in memory. @owner must live until the store is
 * closed. */
void
tf_store_open_in_memory (TfStore            *self,
                         gint64              max_size,
                         const TfStoreFuncs *funcs,
                         GObject            *owner)
{
  begin_open (self, funcs, owner);
  self->max_size = max_size;
  if (g_main_context_get_thread_default () != NULL)
    self->tells.context = g_main_context_ref_thread_default ();
  tf_memory_pool_set_funcs (&pool_funcs);
}

/* Has an effect when the store grows. */
void
tf_store_set_max_size (TfStore *self,
                       gint64   max_size)
{
  lock (self);
  self->max_size = max_size;
  if (max_size >= 0)
    self->backing.memory.room = MIN (self->backing.memory.room, (guint64) max_size);
  unlock (self);
}

/* Opens a blank store as the empty file behind @fd, which it takes over. @owner must live until the store is closed. */
void
tf_store_open_on_disk (TfStore            *self,
                       TfStoreSharing      sharing,
                       int                 fd,
                       const char         *where,
                       const TfStoreFuncs *funcs,
                       GObject            *owner)
{
  lock (self);
  begin_open (self, funcs, owner);
  self->backing.fd = fd;
  self->backing.where = g_strdup (where);
  if (sharing != TF_STORE_VISIBLE)
    tf_backing_hold_back (&self->backing, sharing == TF_STORE_UNNAMED ? 0 : -1);
  watch_forks (self);
  unlock (self);
}

/* Fails in a thread that must not block if using the bytes could touch the disk or wait for another thread. */
gboolean
tf_store_check_blocking (TfStore  *self,
                         GError  **error)
{
  gboolean success;

  if (!acquire (self, error))
    return FALSE;

  success = (tf_backing_is_in_memory (&self->backing) && self->copier == NULL) || tf_task_may_block (error);
  unlock (self);
  return success;
}

/* Writes what is held back; what others have written is read then. On a store that is not open, does nothing and
 * succeeds. */
gboolean
tf_store_flush (TfStore       *self,
                GCancellable  *cancellable,
                GError       **error)
{
  gboolean success;

  if (!acquire (self, error))
    return FALSE;

  success = self->state != TF_STORE_OPEN ||
            !tf_backing_is_dirty (&self->backing) ||
            (tf_task_may_block (error) && tf_backing_flush (&self->backing, cancellable, error));
  if (success && self->state == TF_STORE_OPEN)
    tf_backing_refresh (&self->backing);
  unlock (self);

  return success;
}

/* Like tf_store_flush(), but fails if the store is not open, or the call is cancelled, also if nothing is held back. */
gboolean
tf_store_flush_open (TfStore       *self,
                     GCancellable  *cancellable,
                     GError       **error)
{
  return !g_cancellable_set_error_if_cancelled (cancellable, error) &&
         check_open (self, error) &&
         tf_store_flush (self, cancellable, error);
}

gboolean
tf_store_is_blank (TfStore *self)
{
  return g_atomic_int_get (&self->state) == TF_STORE_BLANK;
}

/* Fails if the store is blank or closed. */
gboolean
tf_store_check_open (TfStore  *self,
                     GError  **error)
{
  return check_open (self, error);
}

/* Returns whether the store has rolled over. The result does not change when the store is closed. */
gboolean
tf_store_has_rolled_over (TfStore *self)
{
  return g_atomic_int_get (&self->rolled_over);
}

/* Returns whether it is settled where on disk the store is: it was opened there, or has rolled over. The result does
 * not change when the store is closed. */
gboolean
tf_store_has_place (TfStore *self)
{
  return !tf_store_is_blank (self) &&
         (self->funcs == NULL || self->funcs->open == NULL || tf_store_has_rolled_over (self));
}

/* Closes a store whose lock is held, and releases the bytes or leaves them to the other pins. Does nothing if the store
 * is closed. Fails if the disk refuses what was held back; those bytes are lost. */
gboolean
tf_store_close_locked (TfStore  *self,
                       GError  **error)
{
  gboolean was_open = self->state == TF_STORE_OPEN;
  gboolean flushed;
  gboolean closed;

  g_atomic_int_set (&self->state, TF_STORE_CLOSED);
  update_rest (self);
  tf_memory_pool_withdraw (&self->pool_node);
  if (!was_open)
    return TRUE;

  /* Readers, and whoever has stolen the bytes, may keep them for long. */
  if (g_atomic_int_get (&self->n_pins) > 1)
    free_unused (self);

  flushed = flush_finally (self, error);
  if (!g_atomic_int_dec_and_test (&self->n_pins))
    return flushed;

  ignore_forks (self);
  closed = tf_backing_close (&self->backing, flushed ? error : NULL);
  tf_memory_pool_remove (&self->pool_node);
  return closed && flushed;
}

gboolean
tf_store_close (TfStore  *self,
                GError  **error)
{
  gboolean success;

  lock (self);
  success = tf_store_close_locked (self, error);
  unlock (self);

  return success;
}

/* In bytes. To copy more can take longer than a millisecond. */
#define LARGEST_AT_ONCE ((gsize) 1024 * 1024)

/* Fails in a thread that must not block if it takes long to copy @count bytes. */
gboolean
tf_store_may_copy (gsize    count,
                   GError **error)
{
  return G_LIKELY (count <= LARGEST_AT_ONCE) || tf_task_may_block (error);
}

static gboolean
read_at_position (TfStore       *self,
                  gpointer       data,
                  gsize          count,
                  gsize         *n_read,
                  GCancellable  *cancellable,
                  GError       **error)
{
  gboolean success = tf_backing_read (&self->backing, self->position, data, count, n_read, cancellable, error);

  self->position += *n_read;
  return success;
}

/* The general part of tf_store_read(). */
gboolean
tf_store_read_locking (TfStore       *self,
                       gpointer       data,
                       gsize          count,
                       gsize         *n_read,
                       GCancellable  *cancellable,
                       GError       **error)
{
  gboolean success;

  *n_read = 0;
  if (!tf_store_may_copy (count, error) || !tf_store_lock (self, cancellable, error))
    return FALSE;

  success = read_at_position (self, data, count, n_read, cancellable, error);
  tf_store_unlock (self);
  return success;
}

/* In bytes: of what is copied by a worker. Readers, which wait for the lock meanwhile, get it in between. */
#define LARGEST_PIECE ((gsize) 256 * 1024)

/* Like tf_store_read(), but gives the lock up in between if @count is so large that a worker reads. Nobody else moves
 * the position meanwhile, because it is this operation's turn. */
gboolean
tf_store_read_in_pieces (TfStore       *self,
                         gpointer       data,
                         gsize          count,
                         gsize         *n_read,
                         GCancellable  *cancellable,
                         GError       **error)
{
  gboolean success = tf_store_may_copy (count, error);
  gsize n = 1;

  if (count <= LARGEST_AT_ONCE)
    return tf_store_read_locking (self, data, count, n_read, cancellable, error);

  *n_read = 0;
  while (success && *n_read < count && n > 0)
    {
      success = tf_store_read_locking (self, (guint8 *) data + *n_read, MIN (count - *n_read, LARGEST_PIECE), &n,
                                       cancellable, error);
      *n_read += n;
      tf_store_let_readers_in (self);
    }

  return success;
}

/* Sets @available to the number of bytes from the position to the end. */
static gboolean
count_available (TfStore  *self,
                 guint64  *available,
                 GError  **error)
{
  goffset size;

  if (!tf_backing_get_size (&self->backing, &size, error))
    return FALSE;

  *available = MAX (size - self->position, 0);
  return TRUE;
}

/* Allocates memory for what can be read. */
static gboolean
prepare_data (TfStore  *self,
              gsize     count,
              guint8  **data,
              gsize    *size,
              GError  **error)
{
  guint64 available;

  if (!count_available (self, &available, error))
    return FALSE;

  available = MIN (available, count);
  if (!tf_store_may_copy (available, error))
    return FALSE;

  /* No object in memory can be larger. The call fails rather than returning less. */
  if (available > G_MAXSSIZE)
    return tf_errno_set (error, EFBIG, "read", self->backing.where), FALSE;

  *data = g_try_malloc (available);
  if (*data == NULL && available > 0)
    return tf_errno_set (error, ENOMEM, "read", self->backing.where), FALSE;

  *size = available;
  return TRUE;
}

/* Like tf_store_read(), but sets @data to new memory, which is no larger than the bytes that can be read: %NULL if
 * there are none. */
gboolean
tf_store_read_data (TfStore       *self,
                    gsize          count,
                    guint8       **data,
                    gsize         *n_read,
                    GCancellable  *cancellable,
                    GError       **error)
{
  gboolean success;
  gsize size;

  *data = NULL;
  *n_read = 0;
  if (!tf_store_lock (self, cancellable, error))
    return FALSE;

  success = prepare_data (self, count, data, &size, error);
  if (success && size <= LARGEST_AT_ONCE)
    success = read_at_position (self, *data, size, n_read, cancellable, error);
  tf_store_unlock (self);
  if (success && size > LARGEST_AT_ONCE)
    success = tf_store_read_in_pieces (self, *data, size, n_read, cancellable, error);
  if (success)
    return TRUE;

  g_clear_pointer (data, g_free);
  *n_read = 0;
  return FALSE;
}

/* Like tf_store_read_data(). */
GBytes *
tf_store_read_bytes (TfStore       *self,
                     gsize          count,
                     GCancellable  *cancellable,
                     GError       **error)
{
  guint8 *data;
  gsize n_read;

  if (!tf_store_read_data (self, count, &data, &n_read, cancellable, error))
    return NULL;

  return g_bytes_new_take (data, n_read);
}

/* Returns the bytes that can be read at the position without the disk, and their number; NULL if there are none or the
 * store is not open. They are valid until the store is used again. */
const guint8 *
tf_store_peek (TfStore *self,
               gsize   *count)
{
  const guint8 *data;

  *count = 0;
  if (!lock_ahead (self, NULL, NULL))
    return NULL;

  data = tf_backing_peek_some (&self->backing, self->position, count);
  tf_store_lend (self, data != NULL);
  tf_store_unlock (self);
  return data;
}

/* Whoever has the descriptor as well may write behind the position between two calls. */
static void
forget_if_shared (TfStore *self)
{
  if (self->backing.shared)
    tf_backing_forget (&self->backing);
}

/* Reads ahead until tf_store_peek() returns @count bytes, or fewer at the end, and of a file on disk TF_IO_BUFFER_SIZE
 * at most. Sets @available to their number. */
gboolean
tf_store_fill (TfStore       *self,
               gsize          count,
               gsize         *available,
               GCancellable  *cancellable,
               GError       **error)
{
  gboolean success;

  if (!lock_ahead (self, cancellable, error))
    return FALSE;

  forget_if_shared (self);
  success = tf_backing_fill (&self->backing, self->position, count, cancellable, error);
  tf_backing_peek_some (&self->backing, self->position, available);
  tf_store_lend (self, *available > 0);
  tf_store_unlock (self);
  return success;
}

/* Moves the position behind @count of the bytes that tf_store_peek() returns. */
gboolean
tf_store_consume (TfStore  *self,
                  gsize     count,
                  GError  **error)
{
  gboolean success;
  gsize available;

  if (!lock_ahead (self, NULL, error))
    return FALSE;

  tf_backing_peek_some (&self->backing, self->position, &available);
  if (count > available)
    success = tf_errno_set_code (error, G_IO_ERROR_INVALID_ARGUMENT, "Cannot consume more bytes than can be peeked at");
  else
    success = tf_store_move_to (self, self->position + count, error);

  self->lent = FALSE;
  tf_store_unlock (self);
  return success;
}

/* Returns the number of bytes before the first of @stops, or of all bytes if there is none. */
static gsize
find_stop (const guint8 *data,
           gsize         count,
           const char   *stops,
           gsize         n_stops)
{
  const guint8 *stop = data;

  if (n_stops == 1)
    {
      stop = memchr (data, *stops, count);
      return stop != NULL ? (gsize) (stop - data) : count;
    }

  while (stop < data + count && memchr (stops, *stop, n_stops) == NULL)
    stop++;

  return stop - data;
}

/* Appends the bytes at @offset that can be peeked at, up to a stop. Sets @done at a stop and at the end of the file. */
static gboolean
read_some (TfStore       *self,
           goffset        offset,
           TfString      *piece,
           const char    *stops,
           gsize          n_stops,
           gboolean       with_stop,
           gboolean      *done,
           GCancellable  *cancellable,
           GError       **error)
{
  const guint8 *data;
  gsize available;
  gsize count;

  if (!tf_store_may_copy (piece->size, error) ||
      g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !tf_backing_fill (&self->backing, offset, 1, cancellable, error))
    return FALSE;

  data = tf_backing_peek_some (&self->backing, offset, &available);
  available = MIN (available, LARGEST_AT_ONCE);
  *done = available == 0;
  if (*done)
    return TRUE;

  count = find_stop (data, available, stops, n_stops);
  *done = count < available;
  if (*done && with_stop)
    count++;
  tf_string_append (piece, data, count);

  return tf_string_check (piece, "read", self->backing.where, error);
}

/* Gives the lock up for readers in the worker of an asynchronous operation: nobody else can move the position, and the
 * lock can be waited for. Fails if the store was closed meanwhile; then the lock is not held. */
static gboolean
pause_for_readers (TfStore  *self,
                   GError  **error)
{
  if (!g_atomic_int_get (&self->gate_closed) || !tf_task_may_block (NULL))
    return TRUE;

  tf_store_unlock (self);
  tf_store_let_readers_in (self);
  return lock_ahead (self, NULL, error);
}

/* Reads up to one of the bytes @stops, including it if @with_stop, or up to the end of the file. Returns NULL without
 * @error at the end of the file. On failure, the position does not move. */
char *
tf_store_read_upto (TfStore       *self,
                    const char    *stops,
                    gsize          n_stops,
                    gboolean       with_stop,
                    gsize         *length,
                    GCancellable  *cancellable,
                    GError       **error)
{
  TfString piece = { NULL, };
  gboolean success = TRUE;
  gboolean done = FALSE;
  gboolean is_locked = TRUE;

  *length = 0;
  if (!lock_ahead (self, cancellable, error))
    return NULL;

  forget_if_shared (self);
  while (success && !done)
    {
      success = read_some (self, self->position + piece.size, &piece, stops, n_stops, with_stop, &done,
                           cancellable, error);
      is_locked = !success || done || pause_for_readers (self, error);
      success = success && is_locked;
    }

  success = success && (piece.size == 0 || tf_store_move_to (self, self->position + piece.size, error));
  if (is_locked)
    {
      forget_if_shared (self);
      tf_store_unlock (self);
    }
  if (!success)
    tf_string_clear (&piece);
  *length = piece.size;
  return piece.data;
}

/* Moves the position like reading @count bytes: at most to the end, and not at all behind the end. */
gboolean
tf_store_skip (TfStore       *self,
               gsize          count,
               gsize         *n_skipped,
               GCancellable  *cancellable,
               GError       **error)
{
  guint64 available;
  gboolean success;

  *n_skipped = 0;
  if (!tf_store_lock_settled (self, cancellable, error))
    return FALSE;

  success = count_available (self, &available, error);
  if (success)
    count = MIN (count, available);
  success = success && (count == 0 || tf_store_move_to (self, self->position + count, error));
  if (success)
    *n_skipped = count;

  tf_store_unlock (self);
  return success;
}

/* Moves the position behind what was written. Memory for what was not is not counted. */
void
tf_store_end_write (TfStore  *self,
                    gsize     n_written,
                    gboolean  success)
{
  self->position += n_written;
  if (!success)
    recount (self);
}

static gboolean
write_at_position (TfStore        *self,
                   gconstpointer   data,
                   gsize           count,
                   gsize          *n_written,
                   GCancellable   *cancellable,
                   GError        **error)
{
  guint8 *target = count <= LARGEST_AT_ONCE ? tf_store_claim (self, count) : NULL;
  gboolean success = TRUE;

  if (target != NULL)
    {
      memcpy (target, data, count);
      *n_written = count;
    }
  else if (count > 0)
    success = tf_store_make_room (self, count, cancellable, error) &&
              tf_backing_write (&self->backing, self->position, data, count, n_written, cancellable, error);

  tf_store_end_write (self, *n_written, success);
  return success;
}

/* Takes the lock if that does not wait for another thread. If there is none, all was tried that can be done at once. */
static inline gboolean
try_lock_at_rest (TfStore *self)
{
  return !__libc_single_threaded && tf_task_may_block (NULL) && !g_atomic_int_get (&tf_fork_is_coming) && try_lock (self);
}

/* Returns whether @count bytes at the position are there, or all of a file in memory, of which @count is set to what is
 * left. */
static gboolean
is_there (const TfStore *self,
          gsize         *count)
{
  goffset size;

  if (!tf_backing_is_in_memory (&self->backing))
    return tf_backing_peek (&self->backing, self->position, *count) != NULL;

  size = self->backing.memory.size;
  *count = MIN (*count, (gsize) MAX (size - self->position, 0));
  return TRUE;
}

/* Like tf_store_read_at_once(), if there are several threads, and up to the end of what is in memory. Does not wait for
 * another thread. */
gboolean
tf_store_read_at_rest (TfStore  *self,
                       gpointer  data,
                       gsize     count,
                       gsize    *n_read)
{
  gboolean success;

  *n_read = 0;
  if (count == 0 || !try_lock_at_rest (self))
    return FALSE;

  success = is_at_rest (self) && is_there (self, &count);
  if (success && count > 0)
    {
      memcpy (data, tf_backing_peek (&self->backing, self->position, count), count);
      self->position += count;
      *n_read = count;
    }
  unlock (self);

  return success;
}

/* Like tf_store_read_line_at_once(), if there are several threads. Does not wait for another thread. */
gboolean
tf_store_read_line_at_rest (TfStore  *self,
                            gpointer  buffer,
                            gsize     size,
                            gsize    *length)
{
  const guint8 *line = NULL;

  *length = 0;
  if (!try_lock_at_rest (self))
    return FALSE;

  if (is_at_rest (self) && !self->backing.shared)
    line = tf_backing_peek_line (&self->backing, self->position, size, length);
  if (line != NULL)
    {
      memcpy (buffer, line, *length);
      self->position += *length;
    }
  unlock (self);

  return line != NULL;
}

/* Like tf_store_claim(), with memory that is allocated, if nothing has to go to disk for that. */
__attribute__ ((cold, noinline)) static guint8 *
grow_and_claim (TfStore *self,
                gsize    count)
{
  gsize size;

  if (!tf_backing_is_in_memory (&self->backing) || (guint64) self->position > self->backing.memory.size ||
      count == 0 || count > LARGEST_AT_ONCE)
    return NULL;

  size = self->position + count;
  if (size > get_limit (self))
    return NULL;

  if (tf_memory_pool_charge (&self->pool_node, get_charge (self, size)) &&
      !tf_memory_pool_is_exceeded () && grow (self, size))
    return tf_store_claim (self, count);

  recount (self);
  return NULL;
}

/* Like tf_store_write_at_once(), if there are several threads, and in memory that has to be allocated. Does not wait for
 * another thread. */
gboolean
tf_store_write_at_rest (TfStore       *self,
                        gconstpointer  data,
                        gsize          count)
{
  guint8 *target = NULL;

  if (!try_lock_at_rest (self))
    return FALSE;

  if (is_at_rest (self))
    {
      target = tf_store_claim (self, count);
      if (G_UNLIKELY (target == NULL))
        target = grow_and_claim (self, count);
    }
  if (target != NULL)
    {
      memcpy (target, data, count);
      self->position += count;
    }
  unlock (self);

  return target != NULL;
}

/* The general part of tf_store_write(). */
gboolean
tf_store_write_locking (TfStore        *self,
                        gconstpointer   data,
                        gsize           count,
                        gsize          *n_written,
                        GCancellable   *cancellable,
                        GError        **error)
{
  gsize ignored;
  gboolean success;

  n_written = n_written != NULL ? n_written : &ignored;
  *n_written = 0;
  if (!tf_store_may_copy (count, error) || !tf_store_lock (self, cancellable, error))
    return FALSE;

  success = write_at_position (self, data, count, n_written, cancellable, error);
  tf_store_unlock (self);
  return success;
}

static gsize
count_all (const GOutputVector *vectors,
           gsize                n_vectors)
{
  gsize count = 0;

  for (gsize i = 0; i < n_vectors; i++)
    count += MIN (vectors[i].size, G_MAXSIZE - count);

  return count;
}

/* Like tf_store_write(), for several buffers. Makes room for all of them at once. */
gboolean
tf_store_writev (TfStore              *self,
                 const GOutputVector  *vectors,
                 gsize                 n_vectors,
                 gsize                *n_written,
                 GCancellable         *cancellable,
                 GError              **error)
{
  gsize count = count_all (vectors, n_vectors);
  gboolean success;

  *n_written = 0;
  if (!tf_store_may_copy (count, error) || !tf_store_lock_settled (self, cancellable, error))
    return FALSE;

  success = count == 0 ||
            (tf_store_make_room (self, count, cancellable, error) &&
             tf_backing_writev (&self->backing, self->position, vectors, n_vectors, n_written, cancellable, error));
  tf_store_end_write (self, *n_written, success);
  tf_store_unlock (self);
  return success;
}

static gboolean
make_room_ahead (TfStore       *self,
                 gsize          count,
                 GCancellable  *cancellable,
                 GError       **error)
{
  gboolean success;

  if (!tf_store_lock (self, cancellable, error))
    return FALSE;

  success = tf_store_make_room (self, count, cancellable, error);
  tf_store_unlock (self);
  return success;
}

static gboolean
write_piece_by_piece (TfStore       *self,
                      const guint8  *data,
                      gsize          count,
                      gsize         *n_written,
                      GCancellable  *cancellable,
                      GError       **error)
{
  gboolean success = TRUE;
  gsize n;

  for (gsize done = 0; success && done < count; done += n)
    {
      success = tf_store_write_locking (self, data + done, MIN (count - done, LARGEST_PIECE), &n, cancellable, error);
      *n_written += n;
      tf_store_let_readers_in (self);
    }

  return success;
}

/* Like tf_store_writev(), but an asynchronous operation gives the lock up in between if there is much to write. Only
 * readers, which have positions of their own, use the store meanwhile, because it is this operation's turn. */
gboolean
tf_store_write_in_pieces (TfStore              *self,
                          const GOutputVector  *vectors,
                          gsize                 n_vectors,
                          gsize                *n_written,
                          GCancellable         *cancellable,
                          GError              **error)
{
  gsize count = count_all (vectors, n_vectors);
  gboolean at_once = count <= LARGEST_AT_ONCE || !g_atomic_int_get (&self->gate_closed);
  gboolean success;

  *n_written = 0;
  if (at_once && n_vectors == 1)
    return tf_store_write_locking (self, vectors[0].buffer, count, n_written, cancellable, error);

  if (at_once)
    return tf_store_writev (self, vectors, n_vectors, n_written, cancellable, error);

  success = tf_store_may_copy (count, error) && make_room_ahead (self, count, cancellable, error);
  for (gsize i = 0; success && i < n_vectors; i++)
    success = write_piece_by_piece (self, vectors[i].buffer, vectors[i].size, n_written, cancellable, error);

  /* Not by tf_store_lock(), which waits for the other stream. */
  if (!success)
    {
      lock (self);
      recount (self);
      unlock (self);
    }

  return success;
}

/* Returns the size while another thread has the lock. A pin keeps the descriptor open, but it can be replaced. */
static goffset
look_at_size (TfStore *self)
{
  goffset end = __atomic_load_n (&self->seen_end, __ATOMIC_ACQUIRE);
  goffset size = __atomic_load_n (&self->told_size, __ATOMIC_RELAXED);

  if (size < 0)
    return end;

  if (!tf_store_pin (self, NULL))
    return 0;

  tf_fork_lock (&fork_handler);
  tf_disk_get_size (__atomic_load_n (&self->backing.fd, __ATOMIC_RELAXED), NULL, &size, NULL);
  g_mutex_unlock (&replacing);
  tf_store_unpin (self);
  return MAX (size, end);
}

/* Returns 0 if the store is not open, and the size that was seen last if the file system does not tell. */
goffset
tf_store_get_size (TfStore *self)
{
  goffset size = 0;

  if (g_atomic_int_get (&self->state) != TF_STORE_OPEN)
    return 0;

  if (!try_lock (self))
    return look_at_size (self);

  if (self->state == TF_STORE_OPEN && !tf_backing_get_size (&self->backing, &size, NULL))
    size = MAX (self->told_size, tf_backing_get_held_back_end (&self->backing));
  if (self->told_size >= 0)
    __atomic_store_n (&self->told_size, size, __ATOMIC_RELAXED);
  unlock (self);
  return size;
}

/* Returns 0 if the store is not open. */
goffset
tf_store_tell (TfStore *self)
{
  goffset position = 0;

  if (g_atomic_int_get (&self->state) != TF_STORE_OPEN)
    return 0;

  if (!try_lock (self))
    return __atomic_load_n (&self->seen_position, __ATOMIC_RELAXED);

  if (self->state == TF_STORE_OPEN)
    {
      tf_backing_get_offset (&self->backing, &self->position);
      position = self->position;
    }
  unlock (self);
  return position;
}

/* Moves the position and, if the descriptor was handed out, its offset. */
gboolean
tf_store_move_to (TfStore  *self,
                  goffset   position,
                  GError  **error)
{
  if (self->backing.shared && !tf_backing_seek (&self->backing, position, error))
    return FALSE;

  self->position = position;
  return TRUE;
}

static gboolean
seek_locked (TfStore    *self,
             goffset     offset,
             GSeekType   type,
             GError    **error)
{
  goffset base = 0;

  if (type == G_SEEK_CUR)
    base = self->position;
  else if (type == G_SEEK_END && !tf_backing_get_size (&self->backing, &base, error))
    return FALSE;
  else if (type != G_SEEK_SET && type != G_SEEK_END)
    return tf_errno_set_code (error, G_IO_ERROR_INVALID_ARGUMENT, "Invalid GSeekType");

  if ((offset > 0 && base > G_MAXINT64 - offset) || base + offset < 0)
    return tf_errno_set_code (error, G_IO_ERROR_INVALID_ARGUMENT,
                              offset < 0 ? "Cannot seek to before the start of the temporary file"
                                         : "Cannot seek beyond the largest possible file size");

  return tf_store_move_to (self, base + offset, error);
}

/* Moves the position, which may be behind the end. Does not change the size. */
gboolean
tf_store_seek (TfStore       *self,
               goffset        offset,
               GSeekType      type,
               GCancellable  *cancellable,
               GError       **error)
{
  gboolean success;

  if (!tf_store_lock (self, cancellable, error))
    return FALSE;

  success = seek_locked (self, offset, type, error);
  if (success && (gsize) self->position != self->backing.memory.size)
    tf_memory_buffer_trim (&self->backing.memory);
  tf_store_unlock (self);
  return success;
}

/* Like tf_store_seek() from the start or the position, with nothing to wait for. */
gboolean
tf_store_seek_at_rest (TfStore   *self,
                       goffset    offset,
                       GSeekType  type)
{
  gboolean success;

  if (type == G_SEEK_END ||
      !tf_task_may_block (NULL) || g_atomic_int_get (&tf_fork_is_coming) || !try_lock (self))
    return FALSE;

  success = is_at_rest (self) && !self->backing.shared;
  if (success)
    {
      forget_ahead (self);
      success = seek_locked (self, offset, type, NULL);
    }
  if (success && (gsize) self->position != self->backing.memory.size)
    tf_memory_buffer_trim (&self->backing.memory);
  unlock (self);
  return success;
}

/* Like tf_store_close() of a store in memory, with nothing to wait for. */
gboolean
tf_store_close_at_rest (TfStore *self)
{
  gboolean success;

  if (g_atomic_int_get (&tf_fork_is_coming) || !try_lock (self))
    return FALSE;

  success = is_at_rest (self) && tf_backing_is_in_memory (&self->backing) &&
            self->backing.memory.size <= LARGEST_AT_ONCE && tf_store_close_locked (self, NULL);
  unlock (self);
  return success;
}

static gboolean
truncate_locked (TfStore       *self,
                 goffset        size,
                 GCancellable  *cancellable,
                 GError       **error)
{
  if (size < 0)
    return tf_errno_set_code (error, G_IO_ERROR_INVALID_ARGUMENT,
                              "Cannot truncate a temporary file to a negative size");

  if (!grow_or_move (self, size, cancellable, error) ||
      !tf_backing_set_size (&self->backing, size, error))
    return FALSE;

  self->reserved = 0;
  recount (self);
  return TRUE;
}

/* Sets the size, and fills with zeros if the file was shorter. Does not move the position. */
gboolean
tf_store_truncate (TfStore       *self,
                   goffset        size,
                   GCancellable  *cancellable,
                   GError       **error)
{
  gboolean success;

  if (!tf_store_lock (self, cancellable, error))
    return FALSE;

  success = truncate_locked (self, size, cancellable, error);
  tf_store_unlock (self);
  return success;
}

static gboolean
reserve_on_disk (TfStore       *self,
                 goffset        size,
                 GCancellable  *cancellable,
                 GError       **error)
{
  gboolean success;

  tf_store_begin_copy (self);
  success = tf_backing_reserve (&self->backing, size, cancellable, error);
  return tf_store_end_copy (self, success ? error : NULL) && success;
}

/* Makes room for a file of @size bytes, and changes nothing else. */
gboolean
tf_store_reserve (TfStore       *self,
                  goffset        size,
                  GCancellable  *cancellable,
                  GError       **error)
{
  gboolean success;

  if (!tf_store_lock_settled (self, cancellable, error))
    return FALSE;

  if (size < 0)
    tf_errno_set_code (error, G_IO_ERROR_INVALID_ARGUMENT,
                       "Cannot reserve room for a negative number of bytes");

  success = size >= 0 &&
            grow_or_move (self, size, cancellable, error) &&
            (tf_backing_is_in_memory (&self->backing) || reserve_on_disk (self, size, cancellable, error));
  if (success)
    set_reserved (self, MAX ((gsize) size, get_reserved (self)));

  /* What is only reserved needs no huge pages. */
  tf_memory_buffer_trim (&self->backing.memory);
  tf_store_unlock (self);
  return success;
}
