/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* GAsyncInitable for classes whose GInitable.init() puts something on the disk.
 *
 * It runs in a worker thread. From its start until the caller has taken the object with finish(), the object
 * is unclaimed: nobody knows it or can know it, so what it made is to be removed when it goes, whatever its
 * properties say. A cancellation before finish() makes it go. */

void     tf_async_initable_iface_init   (GAsyncInitableIface  *iface);
gboolean tf_async_initable_is_unclaimed (gpointer              object);
gpointer tf_async_initable_finish       (GAsyncResult         *result,
                                         GType                 type,
                                         GError              **error);

G_END_DECLS
