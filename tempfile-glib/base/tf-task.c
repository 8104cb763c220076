/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-task.h"

#include <errno.h>
#include <signal.h>

#include "tf-errno.h"
#include "tf-fd.h"
#include "tf-fork.h"
#include "tf-system.h"

/* The number of worker threads at most, without those that run code of the caller's, and of the latter. Both are the
 * numbers of GTask, whose pool grows to the sum when its threads are blocked. */
#define MAX_WORKERS 10
#define MAX_OUTSIDE 320

/* How long a worker stays idle before it ends, in microseconds. */
#define IDLE_TIME (10 * G_TIME_SPAN_SECOND)

/* A step of a task that runs in a worker. */
typedef struct
{
  GTask *task;   /* (owned) */
  TfTaskFunc func;
  TfTaskDone done;
  gssize result;
  GError *error; /* (owned) (nullable) */
  int last_errno;
} Work;

/* Where a worker thread defers functions to. */
typedef struct _Client Client;

struct _Client
{
  GMainContext *context; /* (unowned) (nullable): the default one */
  int           priority;
  Client       *before;  /* (owned) (nullable): where the thread deferred functions to before */
};

/* The callback of a task during which a stream is pending. */
typedef struct
{
  GIOStream *stream; /* (owned) */
  GAsyncReadyCallback callback;
  gpointer user_data;
  gboolean is_pending;
} Pending;

/* The errno of a task's error, for tf_get_last_errno() in the thread that finishes the task. */
static G_DEFINE_QUARK (tf-task-last-errno, last_errno)

/* A GThreadPool would not do: in a forked child, it waits for threads that exist only in the parent. */
static GMutex workers_lock;
static GCond work_added;
static GQueue waiting = G_QUEUE_INIT; /* (element-type Work) (owned): the most urgent first */
static guint n_workers;
static guint n_idle;
static guint n_outside;
static guint n_blocked;

/* A fork waits for this lock. Otherwise, the child could inherit a main context whose lock a worker held, and would wait
 * for it for ever. */
static GMutex attach_lock;

static _Thread_local gboolean is_worker;

static GPrivate client_of_thread = G_PRIVATE_INIT (g_free);

gint tf_task_n_hurried;
static _Thread_local gboolean is_hurried;

/* The part of tf_task_may_block() for when some thread must not block. */
gboolean
tf_task_check_hurry (GError **error)
{
  if (is_hurried)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "The operation would block");

  return !is_hurried;
}

/* From now on, functions that this thread defers are called in @context; NULL is the default context. Those of the
 * same priority are called in the order in which they are deferred. */
void
tf_task_defer_to (GMainContext *context,
                  int           priority)
{
  Client *client = g_new (Client, 1);

  *client = (Client) { .context = context, .priority = priority, .before = g_private_get (&client_of_thread) };
  g_private_set (&client_of_thread, client);
}

/* Undoes the last tf_task_defer_to() of this thread. */
void
tf_task_defer_no_more (void)
{
  Client *client = g_private_get (&client_of_thread);

  g_private_set (&client_of_thread, client->before);
  g_free (client);
}

/* Who destroys a source while another thread drops the last reference to its context uses what was freed. */
struct _TfTaskDeferral
{
  GSource      *source;  /* (owned) */
  GMainContext *context; /* (owned) (nullable): NULL is the default context */
  guint         generation; /* of the process */
};

static TfTaskDeferral *
deferral_new (GSource      *source,
              GMainContext *context)
{
  TfTaskDeferral *self = g_new (TfTaskDeferral, 1);

  self->source = g_source_ref (source);
  self->context = context != NULL ? g_main_context_ref (context) : NULL;
  self->generation = tf_fork_get_generation ();
  return self;
}

static void
attach (GMainContext    *context,
        int              priority,
        GSourceFunc      func,
        gpointer         data,
        GDestroyNotify   destroy,
        TfTaskDeferral **deferral)
{
  GSource *source = g_idle_source_new ();

  if (deferral != NULL)
    *deferral = deferral_new (source, context);

  g_source_set_static_name (source, "[tempfile-glib] attach");
  g_source_set_priority (source, priority);
  g_source_set_callback (source, func, data, destroy);

  g_mutex_lock (&attach_lock);
  g_source_attach (source, context);
  g_source_unref (source);
  g_mutex_unlock (&attach_lock);
}

/* Calls @func once: in the main context given to tf_task_defer_to(), or at once if there is none. Sets @deferral to what
 * will call it, or to NULL. */
void
tf_task_defer (GSourceFunc      func,
               gpointer         data,
               GDestroyNotify   destroy,
               TfTaskDeferral **deferral)
{
  const Client *client = g_private_get (&client_of_thread);

  if (client != NULL)
    {
      attach (client->context, client->priority, func, data, destroy, deferral);
      return;
    }

  if (deferral != NULL)
    *deferral = NULL;
  func (data);
  destroy (data);
}

/* Calls off what was deferred, if it has not happened yet. Takes @deferral. The caller keeps the data alive meanwhile: no
 * child may find the lock of a main context taken, so that a fork waits for this. What a parent has put off stays in its
 * context: a thread that is not there may have had the lock of that, or of all contexts. */
void
tf_task_call_off (TfTaskDeferral *deferral)
{
  if (deferral->generation != tf_fork_get_generation ())
    return;

  tf_fork_suspend ();
  g_source_destroy (deferral->source);
  g_source_unref (deferral->source);
  tf_fork_resume ();

  g_clear_pointer (&deferral->context, g_main_context_unref);
  g_free (deferral);
}

static void
work_free (gpointer data)
{
  Work *work = data;

  g_clear_error (&work->error);
  g_object_unref (work->task);
  g_free (work);
}

/* What failed without an error must not be taken for a success. */
static void
be_done (GTask      *task,
         TfTaskDone  done,
         gssize      result,
         GError     *error)
{
  if (result < 0)
    tf_errno_ensure (&error, "The operation failed");

  done (task, result, error);
}

static gboolean
on_worked (gpointer data)
{
  Work *work = data;

  tf_errno_set_last (work->last_errno);
  be_done (work->task, work->done, work->result, g_steal_pointer (&work->error));
  return G_SOURCE_REMOVE;
}

static void
work (Work *self)
{
  /* Once the source is attached, the task can end in the context and both can be freed, but a source that is let go
   * of locks its context. */
  g_autoptr(GMainContext) context = g_main_context_ref (g_task_get_context (self->task));
  int priority = g_task_get_priority (self->task);

  tf_task_defer_to (context, priority);
  self->result = self->func (g_task_get_source_object (self->task), g_task_get_task_data (self->task),
                             g_task_get_cancellable (self->task), &self->error);
  self->last_errno = tf_errno_get_last ();
  tf_task_defer_no_more ();

  attach (context, priority, on_worked, self, work_free, NULL);
}

/* Called with the lock held. Returns whether there is work. */
static gboolean
wait_for_work (void)
{
  gint64 end_time = g_get_monotonic_time () + IDLE_TIME;

  n_idle++;
  while (g_queue_is_empty (&waiting) && g_cond_wait_until (&work_added, &workers_lock, end_time))
    ;
  n_idle--;

  return !g_queue_is_empty (&waiting);
}

static guint
get_max_workers (void)
{
  return MAX_WORKERS + MIN (n_outside, MAX_OUTSIDE) + n_blocked;
}

static gboolean have_worker (GError **error);

/* Ends as well when there are more workers than may be, because others do not wait any more. */
static gpointer
work_until_idle (gpointer no_data)
{
  is_worker = TRUE;

  g_mutex_lock (&workers_lock);
  while ((!g_queue_is_empty (&waiting) || wait_for_work ()) && n_workers <= get_max_workers ())
    {
      Work *next = g_queue_pop_head (&waiting);

      g_mutex_unlock (&workers_lock);
      work (next);
      g_mutex_lock (&workers_lock);
    }
  n_workers--;
  if (!g_queue_is_empty (&waiting))
    have_worker (NULL);
  g_mutex_unlock (&workers_lock);

  return NULL;
}

/* Called with the lock held, and before new work is put into the queue. Wakes an idle worker, or starts a new one if as
 * many as are idle have work already: the one that was woken for it may end instead. Fails if none can be started and
 * all that there are wait for work, which may be the very work that is in the queue. */
static gboolean
have_worker (GError **error)
{
  gboolean can_wait = n_workers > n_blocked;
  GThread *thread;

  if (n_idle > 0)
    g_cond_signal (&work_added);
  if (n_idle > g_queue_get_length (&waiting) || n_workers >= get_max_workers ())
    return TRUE;

  thread = tf_task_start_thread ("tf-worker", work_until_idle, NULL, can_wait ? NULL : error);
  if (thread == NULL)
    return can_wait;

  n_workers++;
  g_thread_unref (thread);
  return TRUE;
}

/* Called in a worker before code of the caller's, which may wait for long, even for other tasks: meanwhile, another
 * worker can be started. */
void
tf_task_leave_pool (void)
{
  g_mutex_lock (&workers_lock);
  n_outside++;
  if (!g_queue_is_empty (&waiting))
    have_worker (NULL);
  g_mutex_unlock (&workers_lock);
}

void
tf_task_enter_pool (void)
{
  g_mutex_lock (&workers_lock);
  n_outside--;
  g_mutex_unlock (&workers_lock);
}

/* Called before a thread waits for tasks that may be waiting for a worker. However many workers do, another one can be
 * started; fails if the system refuses it and nobody is left for the tasks. */
gboolean
tf_task_begin_wait (GError **error)
{
  gboolean success;

  if (!is_worker)
    return TRUE;

  g_mutex_lock (&workers_lock);
  n_blocked++;
  success = g_queue_is_empty (&waiting) || have_worker (error);
  if (!success)
    n_blocked--;
  g_mutex_unlock (&workers_lock);

  return success;
}

void
tf_task_end_wait (void)
{
  if (!is_worker)
    return;

  g_mutex_lock (&workers_lock);
  n_blocked--;
  g_mutex_unlock (&workers_lock);
}

/* New work comes after waiting work of the same priority. */
static int
compare_priorities (gconstpointer waiting_work,
                    gconstpointer new_work,
                    gpointer      no_data)
{
  int first = g_task_get_priority (((const Work *) waiting_work)->task);
  int second = g_task_get_priority (((const Work *) new_work)->task);

  return first > second ? 1 : -1;
}

static void
before_fork (void)
{
  g_mutex_lock (&attach_lock);
  g_mutex_lock (&workers_lock);
}

static void
after_fork_in_parent (void)
{
  g_mutex_unlock (&workers_lock);
  g_mutex_unlock (&attach_lock);
}

/* The worker threads exist only in the parent. */
static void
after_fork_in_child (void)
{
  g_queue_init (&waiting);
  n_workers = n_idle = n_outside = n_blocked = 0;
  is_worker = is_hurried = FALSE;
  g_atomic_int_set (&tf_task_n_hurried, 0);
  g_mutex_unlock (&workers_lock);
  g_mutex_unlock (&attach_lock);
}

static TfForkHandler fork_handler = {
  .level = TF_FORK_LEAVES,
  .prepare = before_fork,
  .parent = after_fork_in_parent,
  .child = after_fork_in_child,
};

void
tf_task_attach (GSource      *source,
                GMainContext *context)
{
  tf_fork_watch (&fork_handler);

  g_mutex_lock (&attach_lock);
  g_source_attach (source, context);
  g_mutex_unlock (&attach_lock);
}

void
tf_task_hurry (GSource *source)
{
  g_mutex_lock (&attach_lock);
  g_source_set_ready_time (source, 0);
  g_mutex_unlock (&attach_lock);
}

void
tf_task_destroy (GSource *source)
{
  tf_fork_watch (&fork_handler);

  g_mutex_lock (&attach_lock);
  g_source_destroy (source);
  g_mutex_unlock (&attach_lock);
}

/* A context takes two descriptors at most. */
static gboolean
has_descriptors (void)
{
  tf_autofd int first = tf_system_open_dir ("/");
  tf_autofd int second = tf_system_open_dir ("/");

  return first >= 0 && second >= 0;
}

GMainContext *
tf_task_ref_context (void)
{
  static gint has_default; /* (atomic) */

  GMainContext *context = g_main_context_get_thread_default ();

  tf_fork_watch (&fork_handler);
  if (context == NULL && (g_atomic_int_get (&has_default) || g_main_depth () > 0 || has_descriptors ()))
    {
      g_mutex_lock (&attach_lock);
      context = g_main_context_default ();
      g_mutex_unlock (&attach_lock);
      g_atomic_int_set (&has_default, TRUE);
    }

  return context != NULL ? g_main_context_ref (context) : NULL;
}

/* Fails only if there is no worker thread that will take it and none can be started. */
static gboolean
push_work (Work    *self,
           GError **error)
{
  gboolean success;

  tf_fork_watch (&fork_handler);

  g_mutex_lock (&workers_lock);
  success = have_worker (error);
  if (success)
    g_queue_insert_sorted (&waiting, self, compare_priorities, NULL);
  g_mutex_unlock (&workers_lock);

  return success;
}

static void
run_in_worker (GTask      *task,
               TfTaskFunc  func,
               TfTaskDone  done)
{
  Work *self = g_new (Work, 1);
  GError *error = NULL;

  *self = (Work) { .task = g_object_ref (task), .func = func, .done = done };
  if (push_work (self, &error))
    return;

  done (task, -1, error);
  work_free (self);
}

/* Calls @func, and once more in a worker if it would block. Then calls @done in the main context of the task. */
void
tf_task_run_step (GTask      *task,
                  TfTaskFunc  func,
                  TfTaskDone  done)
{
  GError *error = NULL;
  gssize result;

  is_hurried = TRUE;
  g_atomic_int_inc (&tf_task_n_hurried);
  result = func (g_task_get_source_object (task), g_task_get_task_data (task),
                 g_task_get_cancellable (task), &error);
  g_atomic_int_add (&tf_task_n_hurried, -1);
  is_hurried = FALSE;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      g_error_free (error);
      run_in_worker (task, func, done);
      return;
    }

  be_done (task, done, result, error);
}

/* Completes @task with what @func returns. */
void
tf_task_run (GTask      *task,
             TfTaskFunc  func)
{
  tf_task_run_step (task, func, tf_task_return);
}

/* The operation itself checks the cancellable. If it was cancelled too late, its result is returned, since it tells
 * what was done. */
GTask *
tf_task_new (gpointer             source_object,
             gpointer             source_tag,
             int                  io_priority,
             GCancellable        *cancellable,
             GAsyncReadyCallback  callback,
             gpointer             user_data)
{
  GTask *task = g_task_new (source_object, cancellable, callback, user_data);

  g_task_set_source_tag (task, source_tag);
  g_task_set_priority (task, io_priority);
  g_task_set_check_cancellable (task, FALSE);
  return task;
}

static void
on_returned (GObject      *source_object,
             GAsyncResult *result,
             gpointer      user_data)
{
  g_autofree Pending *pending = user_data;
  g_autoptr(GIOStream) stream = pending->stream;

  if (pending->is_pending)
    g_io_stream_clear_pending (stream);
  if (pending->callback != NULL)
    pending->callback (source_object, result, pending->user_data);
}

/* Runs @func with @data as the only operation of @stream: until the callback, other operations and closing the stream
 * fail with G_IO_ERROR_PENDING. @source_object is the stream, or an object that works on it. */
void
tf_task_run_over_stream (gpointer             source_object,
                         GIOStream           *stream,
                         gpointer             source_tag,
                         TfTaskFunc           func,
                         gpointer             data,
                         GDestroyNotify       free_data,
                         int                  io_priority,
                         GCancellable        *cancellable,
                         GAsyncReadyCallback  callback,
                         gpointer             user_data)
{
  Pending *pending = g_new (Pending, 1);
  g_autoptr(GTask) task = tf_task_new (source_object, source_tag, io_priority, cancellable, on_returned, pending);
  GError *error = NULL;

  *pending = (Pending) { g_object_ref (stream), callback, user_data, g_io_stream_set_pending (stream, &error) };
  g_task_set_task_data (task, data, free_data);
  if (pending->is_pending)
    {
      tf_task_run (task, func);
      return;
    }

  tf_errno_set_last (0);
  tf_task_return (task, -1, error);
}

void
tf_task_return (GTask  *task,
                gssize  result,
                GError *error)
{
  if (result < 0)
    {
      g_object_set_qdata (G_OBJECT (task), last_errno_quark (), GINT_TO_POINTER (tf_errno_get_last ()));
      g_task_return_error (task, error);
    }
  else
    g_task_return_int (task, result);
}

gssize
tf_task_finish (gpointer       source_object,
                GAsyncResult  *result,
                gpointer       source_tag,
                GError       **error)
{
  gssize n;

  g_return_val_if_fail (g_task_is_valid (result, source_object), -1);
  g_return_val_if_fail (g_async_result_is_tagged (result, source_tag), -1);

  n = g_task_propagate_int (G_TASK (result), error);
  if (n < 0)
    tf_errno_set_last (GPOINTER_TO_INT (g_object_get_qdata (G_OBJECT (result), last_errno_quark ())));

  return n;
}

/* Starts a thread of the library that has all signals blocked. */
GThread *
tf_task_start_thread (const char   *name,
                      GThreadFunc   func,
                      gpointer      data,
                      GError      **error)
{
  g_autoptr(GError) thread_error = NULL;
  GThread *thread;
  sigset_t all;
  sigset_t mask;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &mask);
  thread = g_thread_try_new (name, func, data, &thread_error);
  pthread_sigmask (SIG_SETMASK, &mask, NULL);

  /* EAGAIN is the errno, but G_IO_ERROR_WOULD_BLOCK would have another meaning. */
  if (thread == NULL)
    {
      tf_errno_set_code (error, G_IO_ERROR_FAILED, "%s", thread_error->message);
      tf_errno_set_last (EAGAIN);
    }

  return thread;
}
