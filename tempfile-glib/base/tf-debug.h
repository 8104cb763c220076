/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The keys in the environment variable TF_DEBUG. */
typedef enum
{
  TF_DEBUG_KEEP  = 1 << 0,
  TF_DEBUG_TRACE = 1 << 1,
  TF_DEBUG_LEAKS = 1 << 2,
} TfDebugFlags;

gboolean tf_debug_has   (TfDebugFlags  flag);
void     tf_debug_say   (const char   *event,
                         const char   *path);
void     tf_debug_trace (const char   *event,
                         const char   *path);

G_END_DECLS
