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
  static guint flags_plus_one = 0; /* (atomic): all threads set the same */
  guint value = g_atomic_int_get (&flags_plus_one);

  if (value == 0)
    {
      value = 1 + g_parse_debug_string (tf_system_getenv ("TF_DEBUG"), keys, G_N_ELEMENTS (keys));
      g_atomic_int_set (&flags_plus_one, value);
    }

  return ((value - 1) & flag) != 0;
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
