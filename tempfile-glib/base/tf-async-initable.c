/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-async-initable.h"

#include "tf-task.h"

static G_DEFINE_QUARK (tf-async-initable-unclaimed, unclaimed)

gboolean
tf_async_initable_is_unclaimed (gpointer object)
{
  return g_object_get_qdata (object, unclaimed_quark ()) != NULL;
}

static gssize
init_func (gpointer       object,
           gpointer       task_data,
           GCancellable  *cancellable,
           GError       **error)
{
  if (!tf_task_may_block (error))
    return -1;

  if (g_initable_init (object, cancellable, error) &&
      !g_cancellable_set_error_if_cancelled (cancellable, error))
    return 0;

  /* The last reference may be dropped much later, and in a thread that must not block. */
  g_object_run_dispose (object);
  return -1;
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
  g_object_set_qdata (G_OBJECT (initable), unclaimed_quark (), GINT_TO_POINTER (TRUE));
  tf_task_run (task, init_func);
}

static gboolean
init_finish (GAsyncInitable  *initable,
             GAsyncResult    *result,
             GError         **error)
{
  g_return_val_if_fail (g_task_is_valid (result, initable), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, init_async), FALSE);

  if (tf_task_finish (initable, result, init_async, error) < 0)
    {
      /* It may have been cancelled after the worker was done. */
      g_object_run_dispose (G_OBJECT (initable));
      return FALSE;
    }

  g_object_set_qdata (G_OBJECT (initable), unclaimed_quark (), NULL);
  return TRUE;
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
