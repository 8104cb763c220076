/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "base/tf-task.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "tf-test-async.h"
#include "tf-test.h"

/* What a function of a task did, and what was told of it. */
typedef struct
{
  guint n_calls;
  GThread *threads[2];
  gboolean blocks;
  gboolean defers;
  gssize result;
  GString *told;
  guint n_destroyed;
} Record;

static char source_tag;

/* The context that the main thread lets go of while a worker has attached a source to it, what the main thread has done,
 * and whether the context was there then. */
static struct
{
  GMainContext *context; /* (atomic) (nullable) (unowned) */
  gint is_released;
  gint is_freed;
  gint was_kept;
} last_context;

/* Whether a worker attaches slowly, whether it has begun to, and whether it does so at the moment. */
static gint is_slow;
static gint has_begun;
static gint is_attaching;

static void
attach_slowly (void)
{
  g_atomic_int_set (&is_attaching, TRUE);
  g_atomic_int_set (&has_begun, TRUE);
  for (int i = 0; i < 10000; i++)
    g_thread_yield ();
  g_atomic_int_set (&is_attaching, FALSE);
}

guint __real_g_source_attach (GSource      *source,
                              GMainContext *context);
guint __wrap_g_source_attach (GSource      *source,
                              GMainContext *context);

guint
__wrap_g_source_attach (GSource      *source,
                        GMainContext *context)
{
  guint id = __real_g_source_attach (source, context);

  if (g_atomic_int_compare_and_exchange (&is_slow, TRUE, FALSE))
    attach_slowly ();
  if (context != NULL && context == g_atomic_pointer_get (&last_context.context))
    {
      while (!g_atomic_int_get (&last_context.is_released))
        g_thread_yield ();
      g_atomic_int_set (&last_context.was_kept, !g_atomic_int_get (&last_context.is_freed));
    }

  return id;
}

static gboolean has_no_threads;

GThread *__real_g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error);
GThread *__wrap_g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error);

GThread *
__wrap_g_thread_try_new (const char   *name,
                         GThreadFunc   func,
                         gpointer      data,
                         GError      **error)
{
  if (!has_no_threads)
    return __real_g_thread_try_new (name, func, data, error);

  g_set_error_literal (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "No thread");
  return NULL;
}

/* Of an object that has tasks and nothing else. */
static GObject *
make_object (void)
{
  return G_OBJECT (g_cancellable_new ());
}

static Record *
record_new (gssize result)
{
  Record *self = g_new0 (Record, 1);

  self->result = result;
  self->told = g_string_new (NULL);
  return self;
}

static void
record_free (Record *self)
{
  g_string_free (self->told, TRUE);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Record, record_free)

static void
count_destroyed (gpointer data)
{
  ((Record *) data)->n_destroyed++;
}

static gboolean
tell_first (gpointer data)
{
  g_string_append (((Record *) data)->told, "first ");
  return G_SOURCE_REMOVE;
}

static gboolean
tell_second (gpointer data)
{
  g_string_append (((Record *) data)->told, "second ");
  return G_SOURCE_REMOVE;
}

static void
defer_both (Record *self)
{
  tf_task_defer (tell_first, self, count_destroyed, NULL);
  tf_task_defer (tell_second, self, count_destroyed, NULL);
}

static gssize
do_as_recorded (gpointer       source_object,
                gpointer       task_data,
                GCancellable  *cancellable,
                GError       **error)
{
  Record *self = task_data;

  g_assert_cmpuint (self->n_calls, <, G_N_ELEMENTS (self->threads));
  self->threads[self->n_calls++] = g_thread_self ();
  if (self->blocks && !tf_task_may_block (error))
    return -1;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return -1;

  if (self->defers)
    defer_both (self);

  return self->result;
}

static void
on_done (GObject      *source_object,
         GAsyncResult *result,
         gpointer      user_data)
{
  Record *self = g_task_get_task_data (G_TASK (result));

  g_string_append (self->told, "callback");
  tf_test_take_result (source_object, result, user_data);
}

static gssize
run (Record        *record,
     GCancellable  *cancellable,
     GError       **error)
{
  g_autoptr(GObject) object = make_object ();
  g_autoptr(GAsyncResult) result = NULL;
  GTask *task = tf_task_new (object, &source_tag, G_PRIORITY_DEFAULT, cancellable, on_done, &result);

  g_task_set_task_data (task, record, NULL);
  tf_task_run (task, do_as_recorded);
  g_object_unref (task);

  /* However soon it is done, it is told later. */
  g_assert_null (result);
  tf_test_wait (&result);
  return tf_task_finish (object, result, &source_tag, error);
}

static void
test_at_once (void)
{
  g_autoptr(Record) record = record_new (42);
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (run (record, NULL, &error), ==, 42);
  g_assert_no_error (error);
  g_assert_cmpuint (record->n_calls, ==, 1);
  g_assert_true (record->threads[0] == g_thread_self ());

  /* From now on, this thread may block, also while another one must not. */
  g_atomic_int_inc (&tf_task_n_hurried);
  g_assert_true (tf_task_may_block (NULL));
  g_atomic_int_add (&tf_task_n_hurried, -1);
}

static void
test_in_worker (void)
{
  g_autoptr(Record) record = record_new (42);
  g_autoptr(GError) error = NULL;

  record->blocks = TRUE;
  g_assert_cmpint (run (record, NULL, &error), ==, 42);
  g_assert_no_error (error);
  g_assert_cmpuint (record->n_calls, ==, 2);
  g_assert_true (record->threads[0] == g_thread_self ());
  g_assert_true (record->threads[1] != g_thread_self ());
}

/* Only in a function of a task, and there only in the thread that must not. */
static void
test_may_block (void)
{
  g_autoptr(Record) record = record_new (0);
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_task_may_block (&error));
  record->blocks = TRUE;
  g_assert_cmpint (run (record, NULL, &error), ==, 0);
  g_assert_true (tf_task_may_block (&error));
  g_assert_no_error (error);
  g_assert_cmpint (g_atomic_int_get (&tf_task_n_hurried), ==, 0);
}

static void
test_cancelled (void)
{
  for (int blocks = FALSE; blocks <= TRUE; blocks++)
    {
      g_autoptr(Record) record = record_new (42);
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GError) error = NULL;

      record->blocks = blocks;
      g_cancellable_cancel (cancellable);
      g_assert_cmpint (run (record, cancellable, &error), ==, -1);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
}

static gssize
cancel_and_succeed (gpointer       source_object,
                    gpointer       task_data,
                    GCancellable  *cancellable,
                    GError       **error)
{
  if (!tf_task_may_block (error))
    return -1;

  g_cancellable_cancel (cancellable);
  return 42;
}

/* The function was not stopped by it: what it did is the result. */
static void
test_cancelled_too_late (void)
{
  g_autoptr(GObject) object = make_object ();
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  GTask *task = tf_task_new (object, &source_tag, 0, cancellable, tf_test_take_result, &result);

  tf_task_run (task, cancel_and_succeed);
  g_object_unref (task);
  g_assert_cmpint (tf_task_finish (object, tf_test_wait (&result), &source_tag, &error), ==, 42);
  g_assert_no_error (error);
}

static void
test_defer_in_call (void)
{
  g_autoptr(Record) record = record_new (0);

  defer_both (record);
  g_assert_cmpstr (record->told->str, ==, "first second ");
  g_assert_cmpuint (record->n_destroyed, ==, 2);
}

static void
test_defer_at_once (void)
{
  g_autoptr(Record) record = record_new (0);

  record->defers = TRUE;
  g_assert_cmpint (run (record, NULL, NULL), ==, 0);
  g_assert_cmpstr (record->told->str, ==, "first second callback");
  g_assert_cmpuint (record->n_destroyed, ==, 2);
}

/* In order, and all of it before the callback. */
static void
test_defer_in_worker (void)
{
  g_autoptr(Record) record = record_new (0);

  record->defers = record->blocks = TRUE;
  g_assert_cmpint (run (record, NULL, NULL), ==, 0);
  g_assert_cmpstr (record->told->str, ==, "first second callback");
  g_assert_cmpuint (record->n_destroyed, ==, 2);
}

static void
on_second_step (GTask  *task,
                gssize  result,
                GError *error)
{
  Record *record = g_task_get_task_data (task);

  g_assert_null (error);
  g_assert_cmpint (result, ==, 7);
  g_assert_cmpuint (record->n_calls, ==, 2);
  g_assert_true (record->threads[1] != g_thread_self ());
  tf_task_return (task, -1, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "As planned"));
}

static void
on_first_step (GTask  *task,
               gssize  result,
               GError *error)
{
  Record *record = g_task_get_task_data (task);

  g_assert_null (error);
  g_assert_cmpint (result, ==, 7);
  g_assert_cmpuint (record->n_calls, ==, 1);
  record->n_calls = 0;
  record->blocks = TRUE;
  tf_task_run_step (task, do_as_recorded, on_second_step);
}

/* The first one is done at once, the second by a worker. */
static void
test_steps (void)
{
  g_autoptr(GObject) object = make_object ();
  g_autoptr(Record) record = record_new (7);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  GTask *task = tf_task_new (object, &source_tag, 0, NULL, tf_test_take_result, &result);

  g_task_set_task_data (task, record, NULL);
  tf_task_run_step (task, do_as_recorded, on_first_step);
  g_object_unref (task);
  g_assert_cmpint (tf_task_finish (object, tf_test_wait (&result), &source_tag, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static GIOStream *
make_stream (void)
{
  g_autoptr(GInputStream) input = g_memory_input_stream_new ();
  g_autoptr(GOutputStream) output = g_memory_output_stream_new_resizable ();

  return g_simple_io_stream_new (input, output);
}

static void
on_stream_done (GObject      *stream,
                GAsyncResult *result,
                gpointer      user_data)
{
  g_assert_false (g_io_stream_has_pending (G_IO_STREAM (stream)));
  tf_test_take_result (stream, result, user_data);
}

static void
on_stream_refused (GObject      *stream,
                   GAsyncResult *result,
                   gpointer      user_data)
{
  tf_test_take_result (stream, result, user_data);
}

/* Also what is done at once is pending until its callback. */
static void
check_on_stream (gboolean blocks)
{
  g_autoptr(GIOStream) stream = make_stream ();
  g_autoptr(Record) record = record_new (42);
  g_autoptr(Record) refused = record_new (42);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) refused_result = NULL;
  g_autoptr(GError) error = NULL;

  record->blocks = blocks;
  tf_task_run_over_stream (stream, stream, &source_tag, do_as_recorded, record, count_destroyed, 0, NULL, on_stream_done,
                           &result);
  g_assert_true (g_io_stream_has_pending (stream));
  g_assert_false (g_io_stream_close (stream, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);

  tf_task_run_over_stream (stream, stream, &source_tag, do_as_recorded, refused, count_destroyed, 0, NULL,
                           on_stream_refused, &refused_result);
  tf_test_wait (&result);
  tf_test_wait (&refused_result);
  g_assert_false (g_io_stream_has_pending (stream));
  g_assert_cmpint (tf_task_finish (stream, result, &source_tag, &error), ==, 42);
  g_assert_no_error (error);
  g_assert_cmpint (tf_task_finish (stream, refused_result, &source_tag, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_assert_cmpuint (refused->n_calls, ==, 0);

  g_clear_object (&result);
  g_clear_object (&refused_result);
  g_assert_cmpuint (record->n_destroyed, ==, 1);
  g_assert_cmpuint (refused->n_destroyed, ==, 1);
}

static void
test_on_stream (void)
{
  check_on_stream (FALSE);
  check_on_stream (TRUE);
}

static gssize
take_no_reference (gpointer       object,
                   gpointer       task_data,
                   GCancellable  *cancellable,
                   GError       **error)
{
  return tf_task_may_block (error) ? 0 : -1;
}

static void
note_finalizer (gpointer  place,
                GObject  *where_the_object_was)
{
  *(GThread **) place = g_thread_self ();
}

/* A worker keeps nothing: the last reference is dropped where the task returns. */
static void
test_last_reference (void)
{
  for (int i = 0; i < 50; i++)
    {
      GObject *object = make_object ();
      GThread *finalizer = NULL;
      GTask *task = tf_task_new (object, &source_tag, 0, NULL, NULL, NULL);

      g_object_weak_ref (object, note_finalizer, &finalizer);
      tf_task_run (task, take_no_reference);
      g_object_unref (task);
      g_object_unref (object);
      while (finalizer == NULL)
        g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
      g_assert_true (finalizer == g_thread_self ());
    }
}

static gboolean
not_reached (gpointer no_data)
{
  g_assert_not_reached ();
}

static void
note_freed (gpointer no_data)
{
  g_atomic_int_set (&last_context.is_freed, TRUE);
}

/* A worker still needs the context when everybody else has let go of it. */
static void
test_last_reference_to_context (void)
{
  g_autoptr(Record) record = record_new (42);
  GMainContext *context = g_main_context_new ();
  GSource *witness = g_timeout_source_new_seconds (G_MAXUINT);

  g_source_set_callback (witness, not_reached, NULL, note_freed);
  g_source_attach (witness, context);
  g_source_unref (witness);

  g_atomic_pointer_set (&last_context.context, context);
  record->blocks = TRUE;
  g_main_context_push_thread_default (context);
  g_assert_cmpint (run (record, NULL, NULL), ==, 42);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);

  g_atomic_int_set (&last_context.is_released, TRUE);
  while (!g_atomic_int_get (&last_context.is_freed))
    g_thread_yield ();
  g_assert_true (g_atomic_int_get (&last_context.was_kept));
  g_atomic_pointer_set (&last_context.context, NULL);
}

/* A function of a task that goes on when it is told to, and perhaps counts as outside of the pool until then. */
typedef struct
{
  gboolean is_outside;
  gint has_begun;
  gint may_end;
  GAsyncResult *result;
} Wait;

static gssize
wait_in_worker (gpointer       object,
                gpointer       task_data,
                GCancellable  *cancellable,
                GError       **error)
{
  Wait *wait = task_data;

  if (!tf_task_may_block (error))
    return -1;

  if (wait->is_outside)
    tf_task_leave_pool ();
  g_atomic_int_set (&wait->has_begun, TRUE);
  while (!g_atomic_int_get (&wait->may_end))
    g_thread_yield ();
  if (wait->is_outside)
    tf_task_enter_pool ();
  return 0;
}

static void
wait_begin (Wait    *self,
            GObject *object)
{
  GTask *task = tf_task_new (object, &source_tag, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &self->result);

  g_task_set_task_data (task, self, NULL);
  tf_task_run (task, wait_in_worker);
  g_object_unref (task);
  while (!self->may_end && !g_atomic_int_get (&self->has_begun))
    g_thread_yield ();
}

static void
wait_end (Wait *self)
{
  g_atomic_int_set (&self->may_end, TRUE);
  tf_test_wait (&self->result);
  g_clear_object (&self->result);
}

/* A worker that is woken, and ends because there are more than may be, leaves its work to another one that is idle, and
 * not to one that gives up waiting, some seconds later. */
static void
test_superfluous (void)
{
  g_autoptr(GObject) object = make_object ();
  Wait waits[11] = { { .is_outside = TRUE } };
  Wait last = { .may_end = TRUE };
  gint64 began;

  for (gsize i = 0; i < G_N_ELEMENTS (waits); i++)
    wait_begin (&waits[i], object);
  wait_end (&waits[0]);
  wait_end (&waits[1]);
  for (int i = 0; i < 10000; i++)
    g_thread_yield ();

  began = g_get_monotonic_time ();
  wait_begin (&last, object);
  wait_end (&last);
  g_assert_cmpint (g_get_monotonic_time () - began, <, 5 * G_TIME_SPAN_SECOND);

  for (gsize i = 2; i < G_N_ELEMENTS (waits); i++)
    wait_end (&waits[i]);
}

static void
run_in_worker_of_child (void)
{
  test_in_worker ();
}

static void
do_nothing (gpointer data,
            gpointer no_data)
{
}

/* A thread that GLib keeps for the next pool of threads. */
static void
leave_unused_thread (void)
{
  GThreadPool *pool = g_thread_pool_new (do_nothing, NULL, 1, FALSE, NULL);

  g_assert_true (g_thread_pool_push (pool, pool, NULL));
  g_thread_pool_free (pool, FALSE, TRUE);
  while (g_thread_pool_get_num_unused_threads () == 0)
    g_thread_yield ();
}

/* The child has neither the workers of the parent nor the threads that GLib believes to have. */
static void
test_in_child (void)
{
  test_in_worker ();
  leave_unused_thread ();
  for (int i = 0; i < 10; i++)
    tf_test_in_child (run_in_worker_of_child);
  g_thread_pool_stop_unused_threads ();
}

/* A worker that attaches a source has the lock of the main context, which a child must not inherit. */
static void
test_fork_while_attaching (void)
{
  g_autoptr(GObject) object = make_object ();
  g_autoptr(Record) record = record_new (42);
  g_autoptr(GAsyncResult) result = NULL;
  GTask *task = tf_task_new (object, &source_tag, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);
  pid_t pid;
  int status;

  g_atomic_int_set (&is_slow, TRUE);
  record->blocks = TRUE;
  g_task_set_task_data (task, record, NULL);
  tf_task_run (task, do_as_recorded);
  g_object_unref (task);
  while (!g_atomic_int_get (&has_begun))
    g_thread_yield ();

  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    _exit (g_atomic_int_get (&is_attaching));

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpint (tf_task_finish (object, tf_test_wait (&result), &source_tag, NULL), ==, 42);
}

static void
fail_without_threads (void)
{
  GObject *object = make_object ();
  g_autoptr(Record) record = record_new (42);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  GTask *task = tf_task_new (object, &source_tag, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &result);

  has_no_threads = TRUE;
  record->blocks = TRUE;
  g_task_set_task_data (task, record, NULL);
  tf_task_run (task, do_as_recorded);
  g_object_unref (task);
  tf_test_wait (&result);
  g_assert_cmpint (tf_task_finish (object, result, &source_tag, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpint (tf_errno_get_last (), ==, EAGAIN);

  /* Nothing holds the object any more. */
  g_clear_object (&result);
  g_assert_finalize_object (object);
}

/* In a child, which has no worker yet. */
static void
test_without_threads (void)
{
  tf_test_in_child (fail_without_threads);
}

static gssize
wait_for_tasks (gpointer       object,
                gpointer       task_data,
                GCancellable  *cancellable,
                GError       **error)
{
  Wait *wait = task_data;

  if (!tf_task_may_block (error) || !tf_task_begin_wait (error))
    return -1;

  g_atomic_int_set (&wait->has_begun, TRUE);
  while (!g_atomic_int_get (&wait->may_end))
    g_thread_yield ();
  tf_task_end_wait ();
  return 0;
}

static void
run_with_priority (GObject       *object,
                   int            io_priority,
                   TfTaskFunc     func,
                   Wait          *wait)
{
  GTask *task = tf_task_new (object, &source_tag, io_priority, NULL, tf_test_take_result, &wait->result);

  g_task_set_task_data (task, wait, NULL);
  tf_task_run (task, func);
  g_object_unref (task);
}

static void
check_refused (GObject *object,
               Wait    *wait)
{
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (tf_task_finish (object, tf_test_wait (&wait->result), &source_tag, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpint (tf_errno_get_last (), ==, EAGAIN);
  g_clear_object (&wait->result);
}

/* The only worker takes what waits for others before those, and then what others wait for. */
static void
wait_with_one_thread (void)
{
  g_autoptr(GObject) object = make_object ();
  Wait first = { 0 };
  Wait waiter = { 0 };
  Wait awaited = { .may_end = TRUE };

  wait_begin (&first, object);
  has_no_threads = TRUE;
  run_with_priority (object, G_PRIORITY_LOW, wait_in_worker, &awaited);
  run_with_priority (object, G_PRIORITY_HIGH, wait_for_tasks, &waiter);
  wait_end (&first);
  check_refused (object, &waiter);
  wait_end (&awaited);

  /* Nobody is left for what comes while all wait. */
  run_with_priority (object, G_PRIORITY_DEFAULT, wait_for_tasks, &waiter);
  while (!g_atomic_int_get (&waiter.has_begun))
    g_thread_yield ();
  run_with_priority (object, G_PRIORITY_DEFAULT, wait_in_worker, &awaited);
  check_refused (object, &awaited);
  wait_end (&waiter);
}

static void
test_one_thread (void)
{
  tf_test_in_child (wait_with_one_thread);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);
  tf_test_start_worker ();

  g_test_add_func ("/task/in-child", test_in_child);
  tf_test_add_async ("/task/at-once", test_at_once);
  tf_test_add_async ("/task/in-worker", test_in_worker);
  tf_test_add_async ("/task/may-block", test_may_block);
  tf_test_add_async ("/task/cancelled", test_cancelled);
  tf_test_add_async ("/task/cancelled-too-late", test_cancelled_too_late);
  g_test_add_func ("/task/defer/in-call", test_defer_in_call);
  tf_test_add_async ("/task/defer/at-once", test_defer_at_once);
  tf_test_add_async ("/task/defer/in-worker", test_defer_in_worker);
  tf_test_add_async ("/task/steps", test_steps);
  tf_test_add_async ("/task/on-stream", test_on_stream);
  tf_test_add_async ("/task/last-reference", test_last_reference);
  g_test_add_func ("/task/last-reference-to-context", test_last_reference_to_context);
  g_test_add_func ("/task/superfluous", test_superfluous);
  g_test_add_func ("/task/fork-while-attaching", test_fork_while_attaching);
  g_test_add_func ("/task/without-threads", test_without_threads);
  g_test_add_func ("/task/one-thread", test_one_thread);

  return tf_test_run ();
}
