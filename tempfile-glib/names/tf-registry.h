/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-entry.h"

G_BEGIN_DECLS

/* The entries that are alive and that this process removes when it exits. */

void  tf_registry_begin      (void);
void  tf_registry_end        (TfEntry *created);
void  tf_registry_add        (TfEntry *entry);
void  tf_registry_remove     (TfEntry *entry);
void  tf_registry_forget     (TfEntry *entry);
void  tf_registry_claim      (TfEntry *entry);
void  tf_registry_release    (TfEntry *entry);
guint tf_registry_generation (void);
void  tf_registry_remove_all (void);

/* Called in a forked child, before fork() returns there. */
void  tf_registry_on_fork    (void (*func) (void));

G_END_DECLS
