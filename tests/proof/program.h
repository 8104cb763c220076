/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A program of operations on a temporary file, as bytes: four that say what file it is and how it is watched, and four
 * for each step. Any bytes are a program, so that a fuzzer can make them up. */

#define PROGRAM_MAX_STEPS 64

typedef struct
{
  guint8 op;
  guint8 a;
  guint8 b;
  guint8 c;
} Step;

typedef struct
{
  guint8 kind;
  guint8 max_size;
  guint8 watch;
  guint8 room;
  guint n_steps;
  Step steps[PROGRAM_MAX_STEPS];
} Program;

void     program_from_bytes (Program      *self,
                             const guint8 *bytes,
                             gsize         n_bytes);
void     program_randomize  (Program      *self,
                             guint32       seed);
gboolean program_parse      (Program      *self,
                             const char   *text);
/* As program_parse() takes it */
char *program_print (const Program *self);
/* As a list of operations */
char *program_describe (const Program *self);
void  program_remove   (Program       *self,
                        guint          first,
                        guint          n);

/* Numbers at which something changes, and those beside them. */
gsize   step_get_length (const Step *self);
goffset step_get_offset (const Step *self,
                         goffset     position,
                         goffset     size);

G_END_DECLS
