/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* GAsyncInitable for classes whose GInitable.init() puts something on the disk.
 *
 * init() runs in a worker thread. From its start until the caller has taken the object with the finish function, the
 * object is unclaimed: nobody can use it. If it is disposed in this state, it removes what it has created, whatever
 * its properties say. A cancellation before the finish function disposes it, and init() fails from then on.
 *
 * If init() is called again while it runs, synchronously or not, the second call waits for the first. On an object that
 * was initialized before, it changes nothing, whatever the cancellable says. */

typedef gboolean (*TfAsyncInitablePredicate) (gpointer object);
typedef gboolean (*TfAsyncInitableInit)      (GInitable     *initable,
                                              GCancellable  *cancellable,
                                              GError       **error);

void     tf_async_initable_iface_init    (GAsyncInitableIface       *iface);
void     tf_async_initable_set_predicate (GType                      type,
                                          TfAsyncInitablePredicate   is_initialized);
gboolean tf_async_initable_init          (GInitable                 *initable,
                                          TfAsyncInitableInit        func,
                                          GCancellable              *cancellable,
                                          GError                   **error);
gboolean tf_async_initable_is_unclaimed  (gpointer                   object);
gpointer tf_async_initable_finish        (GAsyncResult              *result,
                                          GType                      type,
                                          GError                   **error);

G_END_DECLS
