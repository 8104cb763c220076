/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <tempfile-glib.h>

#include <unistd.h>

G_BEGIN_DECLS

/* Arguments for calls that are refused: one object of each class, results, a file, bytes, an object of no class that the library knows,
 * a cancellable that is cancelled, and memory for results. They stay until the program ends. */
extern gpointer tf_test_place[16];

gpointer      tf_test_get_object    (GType    type);
GAsyncResult *tf_test_get_result    (gpointer source_object,
                                     gpointer source_tag);
GFile        *tf_test_get_file      (void);
GBytes       *tf_test_get_bytes     (void);
gpointer      tf_test_get_stranger  (void);
GCancellable *tf_test_get_cancelled (void);

/* The next call prints a critical message that @pattern matches. */
void tf_test_expect_refusal (const char *pattern);

G_END_DECLS
