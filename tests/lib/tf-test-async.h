/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* As tf_test_init(), when GLib has opened what it needs for tasks and keeps. */
void tf_test_init_async (int    *argc,
                         char ***argv);

/* Registers @func twice: in the main thread with the default main context, and in a thread of its own with a
 * thread-default one. */
void tf_test_add_async (const char *path,
                        void (*func) (void));

/* A callback for asynchronous calls, with a GAsyncResult ** that is NULL as its data; what to give for the
 * result to the call that finishes; and, in one, waiting for the callback and dropping the result. */
void          tf_test_take_result (GObject       *source_object,
                                   GAsyncResult  *result,
                                   gpointer       place);
GAsyncResult *tf_test_wait        (GAsyncResult **place);

/* Iterates the main context of the thread until @condition is not zero. */
void tf_test_wait_until (gint *condition);

/* How many threads this process has. */
guint tf_test_count_threads (void);

/* Bytes that repeat nowhere in a file of some GiB, so that a piece that is misplaced is found. */
GBytes *tf_test_make_bytes (gsize size);

G_END_DECLS
