/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Included in front of each source where coverage is measured, so that the branches that are counted are those of the
 * library, and not those that GLib's macros write into it. */

#pragma once

#include <gio/gio.h>

#undef _G_TYPE_CIT
#define _G_TYPE_CIT(instance, type) (g_type_check_instance_is_a ((GTypeInstance *) instance, type))

#undef g_once_init_enter
#define g_once_init_enter(location) ((g_once_init_enter) (location))

#undef g_task_set_source_tag
#undef g_clear_signal_handler

#undef g_clear_pointer
#define g_clear_pointer(place, destroy) g_clear_pointer ((gpointer *) (place), (GDestroyNotify) (destroy))
