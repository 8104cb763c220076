/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "program.h"

G_BEGIN_DECLS

/* Runs programs in child processes, so that a crash is a failure like others. */

#define PROGRAMS_MESSAGE_SIZE 1024

/* Sets up the directories in which programs work, in @dir. */
void programs_init (const char *dir);
void programs_end  (void);

/* Where files are persisted to */
const char *programs_get_dest (void);
/* Removes what was persisted. */
void programs_empty (void);

/* Removes this and what should not be there. */
void        programs_clean_up    (void);

/* What is left behind by what has run, or NULL. */
const char *programs_find_litter (void);
gboolean    programs_have_name   (void);
const char *programs_find_name   (void);

void programs_be_quiet (void);

/* Runs one in this process, and checks that it leaves nothing behind. @message has PROGRAMS_MESSAGE_SIZE bytes. */
gboolean programs_run (const Program *program,
                       char          *message);

/* Runs one in a child. Returns NULL, or how it fails. */
char *programs_try (const Program *program,
                    gboolean       quiet);

/* Runs those of @n seeds from @seed on in a child. Returns NULL, or how one fails, with its seed in @failed. */
char *programs_try_seeds (guint32  seed,
                          guint    n,
                          guint32 *failed);

/* Makes a program that fails as short as it can be. */
void programs_shrink (Program *program);

G_END_DECLS
