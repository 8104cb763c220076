/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What the tool itself ends with, as env(1) and timeout(1) do; all other statuses are those of the command. */
#define TOOL_FAILED 125
#define TOOL_NOT_EXECUTABLE 126
#define TOOL_NOT_FOUND 127

/* Prints the message after the name of the tool. Returns TOOL_FAILED. */
int tool_fail (const char *format,
               ...) G_GNUC_PRINTF (1, 2);

/* Each word of the tool has the word itself as the first of its arguments, and returns the exit status. */
int tool_list  (int    argc,
                char **argv);
int tool_run   (int    argc,
                char **argv);
int tool_sweep (int    argc,
                char **argv);

G_END_DECLS
