/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-debug.h"

#include "tf-system.h"

static const GDebugKey keys[] = {
  { "keep", TF_DEBUG_KEEP },
  { "trace", TF_DEBUG_TRACE },
  { "leaks", TF_DEBUG_LEAKS },
};

gboolean
tf_debug_has (TfDebugFlags flag)
{
  static gsize flags_plus_one = 0;

  if (g_once_init_enter (&flags_plus_one))
    g_once_init_leave (&flags_plus_one,
                       1 + g_parse_debug_string (tf_system_getenv ("TF_DEBUG"), keys, G_N_ELEMENTS (keys)));

  return ((flags_plus_one - 1) & flag) != 0;
}

void
tf_debug_say (const char *event,
              const char *path)
{
  g_autofree char *display = g_filename_display_name (path);

  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE,
                    "TF_EVENT", event,
                    "TF_PATH", display,
                    "MESSAGE", "%s “%s”", event, display);
}

void
tf_debug_trace (const char *event,
                const char *path)
{
  if (G_UNLIKELY (tf_debug_has (TF_DEBUG_TRACE)))
    tf_debug_say (event, path);
}
