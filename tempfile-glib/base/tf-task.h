/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* An asynchronous call is one GTask, and one function that does the work and knows nothing of threads.
 *
 * The function runs twice at most. First it runs where the caller is, in a thread that must not block: what
 * would touch the disk or wait for another thread asks tf_task_may_block() before it does anything, and fails
 * with G_IO_ERROR_WOULD_BLOCK. What stays in memory is complete with that. Otherwise the function runs again,
 * in a worker thread, and the task returns in the main context in which it was made.
 *
 * What has to be told on the way, a signal or a notification, goes through tf_task_defer(). In a synchronous
 * call it is told at once. In a worker it is told in the main context of the task, before the callback.
 *
 * A worker hands the task over to that context and keeps no reference: it must not be the one that drops the
 * last reference to what the caller has. */

/* Returns a number that is not negative, or -1 with @error. */
typedef gssize (*TfTaskFunc) (gpointer       source_object,
                              gpointer       task_data,
                              GCancellable  *cancellable,
                              GError       **error);

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
void   tf_task_run_on_stream   (GIOStream            *stream,
                                gpointer              source_tag,
                                TfTaskFunc            func,
                                gpointer              data,
                                GDestroyNotify        free_data,
                                int                   io_priority,
                                GCancellable         *cancellable,
                                GAsyncReadyCallback   callback,
                                gpointer              user_data);
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

void tf_task_defer         (GSourceFunc     func,
                            gpointer        data,
                            GDestroyNotify  destroy);
void tf_task_defer_to      (GMainContext   *context,
                            int             priority);
void tf_task_defer_no_more (void);

GThread *tf_task_start_thread (const char   *name,
                               GThreadFunc   func,
                               gpointer      data,
                               GError      **error);

/* How many threads must not block at the moment. */
extern gint tf_task_n_hurried; /* (atomic) */

gboolean tf_task_check_hurry (GError **error);

/* Whether the calling thread may wait for the disk and for other threads. */
static inline gboolean
tf_task_may_block (GError **error)
{
  return G_LIKELY (g_atomic_int_get (&tf_task_n_hurried) == 0) || tf_task_check_hurry (error);
}

G_END_DECLS
