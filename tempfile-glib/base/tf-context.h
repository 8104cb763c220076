/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What a worker thread has to tell is told in the main context of the one it works for. */

void tf_context_begin      (GMainContext   *context,
                            int             priority);
void tf_context_end        (void);
void tf_context_invoke     (GSourceFunc     func,
                            gpointer        data,
                            GDestroyNotify  destroy);

G_END_DECLS
