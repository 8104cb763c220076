/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "program.h"

#include <string.h>

#include "model.h"

#define N_BEFORE_STEPS 4

void
program_from_bytes (Program      *self,
                    const guint8 *bytes,
                    gsize         n_bytes)
{
  guint8 all[N_BEFORE_STEPS + sizeof self->steps] = { 0 };

  memcpy (all, bytes, MIN (n_bytes, sizeof all));
  self->kind = all[0];
  self->max_size = all[1];
  self->watch = all[2];
  self->room = all[3];
  self->n_steps = n_bytes > N_BEFORE_STEPS ? MIN ((n_bytes - N_BEFORE_STEPS) / sizeof (Step), PROGRAM_MAX_STEPS) : 0;
  memcpy (self->steps, all + N_BEFORE_STEPS, sizeof self->steps);
}

/* Most programs are short and have small numbers, as those are run often. */
void
program_randomize (Program *self,
                   guint32  seed)
{
  g_autoptr(GRand) rand = g_rand_new_with_seed (seed);

  *self = (Program) {
    .kind = g_rand_int_range (rand, 0, 256),
    .max_size = g_rand_int_range (rand, 0, 256),
    .watch = g_rand_int_range (rand, 0, 256),
    .room = g_rand_int_range (rand, 0, 4) == 0 ? g_rand_int_range (rand, 0, 256) : 0,
    .n_steps = g_rand_int_range (rand, 1, g_rand_int_range (rand, 2, PROGRAM_MAX_STEPS + 1)),
  };
  for (guint i = 0; i < self->n_steps; i++)
    self->steps[i] = (Step) {
      .op = model_choose_op (g_rand_double (rand)),
      .a = g_rand_int_range (rand, 0, 256),
      .b = g_rand_int_range (rand, 0, 256),
      .c = g_rand_int_range (rand, 0, 256),
    };
}

gboolean
program_parse (Program    *self,
               const char *text)
{
  gsize n_bytes = strlen (text) / 2;
  g_autofree guint8 *bytes = g_malloc0 (n_bytes + 1);

  for (gsize i = 0; i < n_bytes; i++)
    {
      int high = g_ascii_xdigit_value (text[2 * i]);
      int low = g_ascii_xdigit_value (text[2 * i + 1]);

      if (high < 0 || low < 0)
        return FALSE;
      bytes[i] = high << 4 | low;
    }

  program_from_bytes (self, bytes, n_bytes);
  return n_bytes >= N_BEFORE_STEPS;
}

char *
program_print (const Program *self)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%02x%02x%02x%02x", self->kind, self->max_size, self->watch, self->room);
  for (guint i = 0; i < self->n_steps; i++)
    g_string_append_printf (text, "%02x%02x%02x%02x",
                            self->steps[i].op, self->steps[i].a, self->steps[i].b, self->steps[i].c);

  return g_string_free (text, FALSE);
}

char *
program_describe (const Program *self)
{
  GString *text = g_string_new (NULL);

  model_describe_file (self, text);
  for (guint i = 0; i < self->n_steps; i++)
    {
      const Step *step = &self->steps[i];

      g_string_append_printf (text, "\n%3u. %-16s length %zu, offset %d/%d/%d, %u %u %u", i + 1, model_get_op_name (step),
                              step_get_length (step), (int) step_get_offset (step, 0, 0), (int) (gint8) step->b,
                              step->a % 5, step->a, step->b, step->c);
    }

  return g_string_free (text, FALSE);
}

void
program_remove (Program *self,
                guint    first,
                guint    n)
{
  n = MIN (n, self->n_steps - first);
  memmove (&self->steps[first], &self->steps[first + n], (self->n_steps - first - n) * sizeof (Step));
  self->n_steps -= n;
}

gsize
step_get_length (const Step *self)
{
  static const guint marks[] = { 256, 300, 1000, 4096, 9000, 32768, 65536, 65536, 65536, 70000, 131072, 150000 };

  if (self->a < 176)
    return self->a;

  return marks[self->a % G_N_ELEMENTS (marks)] + (int) self->b % 5 - 2;
}

goffset
step_get_offset (const Step *self,
                 goffset     position,
                 goffset     size)
{
  static const int scales[] = { 1, 1, 16, 1000 };
  const goffset bases[] = { 0, position, size, 65536, 4096 };

  return bases[self->a % G_N_ELEMENTS (bases)] + (gint8) self->b * scales[self->c % G_N_ELEMENTS (scales)];
}
