/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-async-initable.h"

#include "tf-errno.h"
#include "tf-fork.h"
#include "tf-task.h"

static G_DEFINE_QUARK (tf-async-initable-unclaimed, unclaimed)
static G_DEFINE_QUARK (tf-async-initable-undone, undone)
static G_DEFINE_QUARK (tf-async-initable-busy, busy)
static G_DEFINE_QUARK (tf-async-initable-tasks, tasks)
static G_DEFINE_QUARK (tf-async-initable-n-unfinished, n_unfinished)
static G_DEFINE_QUARK (tf-async-initable-predicate, predicate)

/* Protects the tasks of all objects, their numbers, and whether what was created is undone. */
static GMutex lock;
static TfForkHandler fork_handler = { .level = TF_FORK_LEAVES, .lock = &lock };

/* No thread runs init() of some object any more. */
static GCond no_longer_busy;

/* Those of an object, the first of which is under way. */
typedef struct
{
  GQueue queue;     /* of GTask */
  guint generation; /* a forked child completes none */
} Tasks;

static Tasks *
get_tasks (GObject *object)
{
  Tasks *tasks = g_object_get_qdata (object, tasks_quark ());

  return tasks != NULL && tasks->generation == tf_fork_get_generation () ? tasks : NULL;
}

/* Sets the function by which it is known whether an object of @type was initialized before. */
void
tf_async_initable_set_predicate (GType                    type,
                                 TfAsyncInitablePredicate is_initialized)
{
  g_type_set_qdata (type, predicate_quark (), is_initialized);
}

static gboolean
is_initialized (gpointer object)
{
  TfAsyncInitablePredicate func = NULL;

  for (GType type = G_OBJECT_TYPE (object); type != 0 && func == NULL; type = g_type_parent (type))
    func = g_type_get_qdata (type, predicate_quark ());

  return func != NULL && func (object);
}

gboolean
tf_async_initable_is_unclaimed (gpointer object)
{
  return g_object_get_qdata (object, unclaimed_quark ()) != NULL;
}

/* Of all objects; most often, there are none. */
static gint n_all_unfinished; /* (atomic) */

/* Called with the lock. */
static int
get_n_unfinished (GObject *object)
{
  return GPOINTER_TO_INT (g_object_get_qdata (object, n_unfinished_quark ()));
}

static void
add_unfinished (GObject *object,
                int      n_more)
{
  g_object_set_qdata (object, n_unfinished_quark (), GINT_TO_POINTER (get_n_unfinished (object) + n_more));
  g_atomic_int_add (&n_all_unfinished, n_more);
}

/* Adds to the number of results that nobody has taken yet. */
static void
count_unfinished (GObject *object,
                  int      n_more)
{
  tf_fork_lock (&fork_handler);
  add_unfinished (object, n_more);
  g_mutex_unlock (&lock);
}

/* Whether something was undone ever; most often, nothing was. */
static gint was_any_undone; /* (atomic) */

static gboolean
is_undone (GObject *object)
{
  return g_atomic_int_get (&was_any_undone) && g_object_get_qdata (object, undone_quark ()) != NULL;
}

/* Returns whether nobody is to have what was created: otherwise another one takes it, or has it. */
static gboolean
begin_undoing (GObject *object,
               int      n_taken)
{
  gboolean begins;

  tf_fork_lock (&fork_handler);
  begins = get_n_unfinished (object) <= 1 && tf_async_initable_is_unclaimed (object) && !is_undone (object);
  if (begins && is_initialized (object))
    {
      g_object_set_qdata (object, undone_quark (), GINT_TO_POINTER (TRUE));
      g_atomic_int_set (&was_any_undone, TRUE);
    }
  add_unfinished (object, -n_taken);
  g_mutex_unlock (&lock);

  return begins;
}

/* Undoes what an init() that failed, or was cancelled afterwards, has created, unless it is somebody else's. @n_taken is
 * 1 if its result was taken. */
static void
undo (GObject *object,
      int      n_taken)
{
  if (!begin_undoing (object, n_taken))
    return;

  if (is_undone (object))
    g_object_run_dispose (object);
  g_object_set_qdata (object, unclaimed_quark (), NULL);
}

/* The object whose init() runs in this thread. */
static _Thread_local gpointer initializing;

static gboolean
is_busy (GObject *object)
{
  return GPOINTER_TO_UINT (g_object_get_qdata (object, busy_quark ())) == tf_fork_get_generation () + 1;
}

/* Waits for another thread that runs init(). Returns what leave() takes. */
static gpointer
enter (GObject *object)
{
  gpointer outer = initializing;

  tf_fork_lock (&fork_handler);
  while (is_busy (object))
    g_cond_wait (&no_longer_busy, &lock);
  g_object_set_qdata (object, busy_quark (), GUINT_TO_POINTER (tf_fork_get_generation () + 1));
  g_mutex_unlock (&lock);

  initializing = object;
  return outer;
}

static void
leave (GObject  *object,
       gpointer  outer)
{
  initializing = outer;

  tf_fork_lock (&fork_handler);
  g_object_set_qdata (object, busy_quark (), NULL);
  g_cond_broadcast (&no_longer_busy);
  g_mutex_unlock (&lock);
}

static gssize
init_func (gpointer       object,
           gpointer       task_data,
           GCancellable  *cancellable,
           GError       **error)
{
  gboolean is_new = GPOINTER_TO_INT (task_data);
  gboolean success;
  gpointer outer;

  if (!tf_task_may_block (error))
    return -1;

  outer = enter (object);
  success = g_initable_init (object, cancellable, error) &&
            !g_cancellable_set_error_if_cancelled (cancellable, error);
  /* The last reference may be dropped much later, and in a thread that must not block. */
  if (!success && is_new)
    undo (object, 0);
  leave (object, outer);

  return success ? 0 : -1;
}

/* Only a task that creates something undoes that when it fails. */
static gboolean
is_creation (gpointer result)
{
  return GPOINTER_TO_INT (g_task_get_task_data (G_TASK (result)));
}

static void run_next (GObject *object);

static void
on_initialized (GTask  *task,
                gssize  result,
                GError *error)
{
  g_autoptr(GObject) object = g_object_ref (g_task_get_source_object (task));

  tf_task_return (task, result, error);
  run_next (object);
}

static void
run (GTask *task)
{
  GObject *object = g_task_get_source_object (task);
  gboolean is_new = !is_undone (object) && (!is_initialized (object) || tf_async_initable_is_unclaimed (object));

  g_task_set_task_data (task, GINT_TO_POINTER (is_new), NULL);
  if (is_new)
    g_object_set_qdata (object, unclaimed_quark (), GINT_TO_POINTER (TRUE));

  tf_task_run_step (task, init_func, on_initialized);
}

/* Drops the task that is done, and runs the one that waits for it. In a forked child, where the task is one of the
 * parent's, there is neither. */
static void
run_next (GObject *object)
{
  g_autoptr(GTask) done = NULL;
  Tasks *tasks;
  GTask *next;

  tf_fork_lock (&fork_handler);
  tasks = get_tasks (object);
  done = tasks != NULL ? g_queue_pop_head (&tasks->queue) : NULL;
  next = tasks != NULL ? g_queue_peek_head (&tasks->queue) : NULL;
  if (next == NULL)
    g_object_set_qdata (object, tasks_quark (), NULL);
  g_mutex_unlock (&lock);

  if (next != NULL)
    run (next);
}

/* Returns whether @task can run at once: init() runs once at a time. */
static gboolean
enqueue (GObject *object,
         GTask   *task)
{
  gboolean is_first;
  Tasks *tasks;

  tf_fork_lock (&fork_handler);
  tasks = get_tasks (object);
  is_first = tasks == NULL;
  if (is_first)
    {
      tasks = g_new (Tasks, 1);
      *tasks = (Tasks) { G_QUEUE_INIT, tf_fork_get_generation () };
      g_object_set_qdata_full (object, tasks_quark (), tasks, g_free);
    }
  g_queue_push_tail (&tasks->queue, g_object_ref (task));
  g_mutex_unlock (&lock);

  return is_first;
}

static void
init_async (GAsyncInitable      *initable,
            int                  io_priority,
            GCancellable        *cancellable,
            GAsyncReadyCallback  callback,
            gpointer             user_data)
{
  g_autoptr(GTask) task = tf_task_new (initable, init_async, io_priority, cancellable, callback, user_data);

  /* Unlike an operation on a file, a creation can be undone until the caller takes the object. */
  g_task_set_check_cancellable (task, TRUE);
  count_unfinished (G_OBJECT (initable), 1);
  if (enqueue (G_OBJECT (initable), task))
    run (task);
}

static gboolean
init_finish (GAsyncInitable  *initable,
             GAsyncResult    *result,
             GError         **error)
{
  GObject *object = G_OBJECT (initable);
  gboolean success;

  g_return_val_if_fail (g_task_is_valid (result, initable), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, init_async), FALSE);

  success = tf_task_finish (initable, result, init_async, error) >= 0;
  if (success)
    g_object_set_qdata (object, unclaimed_quark (), NULL);
  /* It may have been cancelled after the worker was done. */
  if (!success && is_creation (result))
    undo (object, 1);
  else
    count_unfinished (object, -1);

  return success;
}

/* What was undone stays so. */
static gboolean
check_undone (GObject  *object,
              GError  **error)
{
  return !is_undone (object) ||
         tf_errno_set_code (error, G_IO_ERROR_CLOSED, "What was created was undone when that was cancelled");
}

static gboolean
init_in_turn (GInitable            *initable,
              TfAsyncInitableInit   func,
              GCancellable         *cancellable,
              GError              **error)
{
  GObject *object = G_OBJECT (initable);
  gboolean success;
  gpointer outer;

  count_unfinished (object, 1);
  outer = enter (object);
  success = check_undone (object, error) && func (initable, cancellable, error);
  if (success)
    g_object_set_qdata (object, unclaimed_quark (), NULL);
  leave (object, outer);
  count_unfinished (object, -1);

  return success;
}

/* Calls @func for g_initable_init(). While an asynchronous init() of the object is under way, the two wait for each
 * other. What this one finds or creates is not undone by the cancellation of the other, unless that was before. */
gboolean
tf_async_initable_init (GInitable            *initable,
                        TfAsyncInitableInit   func,
                        GCancellable         *cancellable,
                        GError              **error)
{
  GObject *object = G_OBJECT (initable);

  if (initializing == object || g_atomic_int_get (&n_all_unfinished) == 0 ||
      g_object_get_qdata (object, n_unfinished_quark ()) == NULL)
    return func (initable, cancellable, error) && check_undone (object, error);

  return init_in_turn (initable, func, cancellable, error);
}

void
tf_async_initable_iface_init (GAsyncInitableIface *iface)
{
  iface->init_async = init_async;
  iface->init_finish = init_finish;
}

/* Finishes g_async_initable_new_async() for @type. Returns a new reference, or NULL. */
gpointer
tf_async_initable_finish (GAsyncResult  *result,
                          GType          type,
                          GError       **error)
{
  g_autoptr(GObject) object = g_async_result_get_source_object (result);

  g_return_val_if_fail (G_TYPE_CHECK_INSTANCE_TYPE (object, type), NULL);

  return g_async_initable_new_finish (G_ASYNC_INITABLE (object), result, error);
}
