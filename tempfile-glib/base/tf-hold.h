/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Holds objects for another program: the object is referenced until that program has ended, so that its file or
 * directory is not removed. What is still held when this process exits is removed then. */

void     tf_hold_until_exit     (gpointer     object);
void     tf_hold_for_subprocess (gpointer     object,
                                 GSubprocess *subprocess);

/* Returns whether the object is held: the process may have ended already. */
gboolean tf_hold_for_pid (gpointer object,
                          GPid     pid);

/* Set by tests only: behave as if pidfd_open(2) failed, and poll with the given interval in milliseconds. */
extern gboolean tf_hold_avoid_pidfd;
extern guint tf_hold_poll_interval;

G_END_DECLS
