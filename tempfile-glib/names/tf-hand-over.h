/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-entry.h"

G_BEGIN_DECLS

/* Hands @entry over to another program for @grace_seconds, see tf_entry_hand_over(). When they are over, it is removed
 * as soon as nobody uses it.
 *
 * The time is noticed in the thread-default main context of the caller, and a worker thread removes the entry. If that
 * context is not iterated, the exit of the process or a sweep does. */
void tf_hand_over_begin (TfEntry *entry,
                         guint    grace_seconds);

/* Set by tests only: how long a second is, in milliseconds. */
extern guint tf_hand_over_second;

G_END_DECLS
