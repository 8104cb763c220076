/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* An asynchronous call consists of one GTask and one function that does the work and is the same for all threads.
 *
 * The function runs at most twice. First it runs in the caller's thread, which must not block: before it touches the
 * disk or waits for another thread, it calls tf_task_may_block(), and fails with G_IO_ERROR_WOULD_BLOCK. Work that
 * stays in memory is complete at this point. Otherwise the function runs again in a worker thread. The task returns
 * in the main context in which it was created.
 *
 * Signals and notifications on the way go through tf_task_defer(). In a synchronous call, they are emitted at once.
 * In a worker, they are emitted in the main context of the task, before the callback.
 *
 * There are ten workers at most. A function that calls code of the caller's, such as a stream to read from, does so
 * between tf_task_leave_pool() and tf_task_enter_pool(), so that it takes no worker from others while it waits. What
 * waits for other tasks does so between tf_task_begin_wait() and tf_task_end_wait().
 *
 * A worker passes the task to that context and keeps no reference: it must not drop the last reference to an object
 * of the caller. */

/* Returns a non-negative number, or -1 with @error set. */
typedef gssize (*TfTaskFunc) (gpointer       source_object,
                              gpointer       task_data,
                              GCancellable  *cancellable,
                              GError       **error);

/* What tf_task_defer() has put off. */
typedef struct _TfTaskDeferral TfTaskDeferral;

/* Takes @error. */
typedef void (*TfTaskDone) (GTask  *task,
                            gssize  result,
                            GError *error);

GTask *tf_task_new             (gpointer              source_object,
                                gpointer              source_tag,
                                int                   io_priority,
                                GCancellable         *cancellable,
                                GAsyncReadyCallback   callback,
                                gpointer              user_data);
void   tf_task_run             (GTask                *task,
                                TfTaskFunc            func);
void   tf_task_run_step        (GTask                *task,
                                TfTaskFunc            func,
                                TfTaskDone            done);
void   tf_task_run_over_stream (gpointer              source_object,
                                GIOStream            *stream,
                                gpointer              source_tag,
                                TfTaskFunc            func,
                                gpointer              data,
                                GDestroyNotify        free_data,
                                int                   io_priority,
                                GCancellable         *cancellable,
                                GAsyncReadyCallback   callback,
                                gpointer              user_data);
void   tf_task_return          (GTask                *task,
                                gssize                result,
                                GError               *error);
gssize tf_task_finish          (gpointer              source_object,
                                GAsyncResult         *result,
                                gpointer              source_tag,
                                GError              **error);

void     tf_task_leave_pool (void);
void     tf_task_enter_pool (void);
gboolean tf_task_begin_wait (GError **error);
void     tf_task_end_wait   (void);

void tf_task_defer         (GSourceFunc      func,
                            gpointer         data,
                            GDestroyNotify   destroy,
                            TfTaskDeferral **deferral);
void tf_task_call_off      (TfTaskDeferral  *deferral);
void tf_task_defer_to      (GMainContext   *context,
                            int             priority);
void tf_task_defer_no_more (void);

GThread *tf_task_start_thread (const char   *name,
                               GThreadFunc   func,
                               gpointer      data,
                               GError      **error);

/* The thread-default main context of the calling thread. NULL if no descriptor is left to create it, which GLib would not
 * survive, and if it is not known whether there is one already. */
GMainContext *tf_task_ref_context (void);

/* Sources of the library are attached, dispatched early and destroyed by these, because no fork may find the lock of a
 * context taken. */
void tf_task_attach  (GSource      *source,
                      GMainContext *context);
void tf_task_hurry   (GSource      *source);
void tf_task_destroy (GSource      *source);

/* The number of threads that must not block at the moment. */
extern gint tf_task_n_hurried; /* (atomic) */

gboolean tf_task_check_hurry (GError **error);

/* Returns whether the calling thread may wait for the disk and for other threads. If not, sets
 * G_IO_ERROR_WOULD_BLOCK. */
static inline gboolean
tf_task_may_block (GError **error)
{
  return G_LIKELY (g_atomic_int_get (&tf_task_n_hurried) == 0) || tf_task_check_hurry (error);
}

G_END_DECLS
