/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Every operation on a file, of every class and in every stage, while each of its system calls fails. The operations are
 * those of the random programs, and check what has to be the same. */

#include "fault-files.h"

#include <string.h>

#include "fault-runs.h"
#include "model.h"
#include "programs.h"

/* No disk is small here. */
void
small_disk_set (guint64 n_bytes)
{
}

gboolean
small_disk_is_small (void)
{
  return FALSE;
}

typedef struct
{
  const char *name;
  guint8 a;
  guint8 b;
  guint8 c;
} Call;

/* Lengths that step_get_length() makes of them */
#define LARGE 189 /* 70000 */
#define BLOCK 182 /* 65536 */
#define END 2     /* offsets from there */

static const struct
{
  const char *name;
  guint8 kind;
  guint8 max_size;
} kinds[] = {
  { "temp", 0, 0 },
  { "named", 1, 0 },
  { "buffered", 2, 0 },
  { "memory", 3, 0 },
  { "disk", 3, 1 },
  { "rolling", 3, 4 },
};

static const struct
{
  const char *name;
  Call calls[5];
} stages[] = {
  { "empty", { { NULL, } } },
  { "held-back", { { "write", 100, 0, 0 } } },
  { "read-ahead", { { "write", 175, 0, 0 }, { "flush", 0, 0, 1 }, { "seek", 0, 10, 0 }, { "read", 5, 0, 0 } } },
  { "large", { { "write", LARGE, 2, 0 }, { "seek", 0, 10, 0 } } },
  { "lent", { { "write", 100, 0, 0 }, { "get-fd" } } },
  { "reader", { { "write", 100, 0, 0 }, { "open-reader" }, { "use-reader", 5, 0, 0 } } },
  { "persisted", { { "write", 100, 0, 0 }, { "persist" }, { "write", 50, 0, 0 }, { "seek", 0, 20, 0 } } },
  { "gap", { { "write", 100, 0, 0 }, { "seek", END, 100, 0 } } },
};

/* The asynchronous ones have a @c with which they are not cancelled. */
static const Call calls[] = {
  { "write", 100, 0, 0 },
  { "write", LARGE, 2, 1 },
  { "try-write", 100, 0, 0 },
  { "stream-write", 100, 0, 0 },
  { "stream-write", 100, 40, 1 },
  { "stream-write", BLOCK, 40, 1 },
  { "stream-write", LARGE, 0, 2 },
  { "read", 50, 0, 0 },
  { "read", LARGE, 0, 0 },
  { "read", 0, 255, 1 },
  { "read", 0, 255, 2 },
  { "stream-read", 50, 0, 0 },
  { "stream-read", LARGE, 0, 1 },
  { "skip", 50, 0, 0 },
  { "read-line", 0, 0, 0 },
  { "read-upto", 0, 0, 0 },
  { "fill", 50, 0, 0 },
  { "fill", BLOCK, 2, 0 },
  { "consume", 10, 0, 1 },
  { "load", 0, 0, 0 },
  { "seek", 0, 3, 0 },
  { "seek", END, 0, 24 },
  { "truncate", END, 200, 1 },
  { "truncate", END, 100, 0 },
  { "truncate", 0, 0, 1 },
  { "flush", 0, 0, 0 },
  { "flush", 0, 0, 1 },
  { "reserve", LARGE, 0, 0 },
  { "rollover", 0, 0, 0 },
  { "get-fd", 0, 0, 0 },
  { "dup-fd", 0, 0, 0 },
  { "open-reader", 0, 0, 16 },
  { "use-reader", LARGE, 0, 0 },
  { "seek-reader", END, 0, 2 },
  { "close-reader", 1, 0, 0 },
  { "splice-from", 100, 0, 0 },
  { "splice-from", LARGE, 0, 0 },
  { "splice-to", 0, 0, 0 },
  { "splice-to", 0, 0, 1 },
  { "splice-to", 0, 0, 2 },
  { "seal", 0, 0, 0 },
  { "steal", 0, 0, 0 },
  { "persist", 0, 0, 0 },
  { "persist", 0, 0, 4 },
  { "persist", 0, 1, 1 },
  { "persist", 0, 1, 5 },
  { "persist", 0, 1, 7 },
  { "persist", 0, 1, 2 },
  { "persist", 0, 0, 8 },
  { "persist", 0, 2, 5 },
  { "close", 0, 0, 1 },
  { "close", 0, 0, 0 },
  { "write-async", 100, 0, 20 },
  { "write-async", LARGE, 0, 20 },
  { "read-async", 50, 0, 20 },
  { "read-async", LARGE, 0, 21 },
  { "line-async", 0, 0, 20 },
  { "line-async", 0, 0, 21 },
  { "stream-write-async", LARGE, 0, 20 },
  { "stream-read-async", LARGE, 0, 20 },
  { "stream-read-async", LARGE, 0, 21 },
  { "fill-async", BLOCK, 0, 20 },
  { "load-async", 0, 0, 20 },
  { "flush-async", 0, 0, 20 },
  { "flush-async", 0, 0, 21 },
  { "get-fd-async", 0, 0, 20 },
  { "seal-async", 0, 0, 20 },
  { "steal-async", 0, 0, 20 },
  { "persist-async", 0, 0, 20 },
  { "persist-async", 0, 1, 21 },
  { "persist-async", 0, 1, 25 },
  { "rollover-async", 0, 0, 20 },
  { "splice-async", LARGE, 0, 20 },
  { "close-async", 0, 0, 20 },
};

typedef struct
{
  Program program; /* its last step is the one during which calls fail */
} Scene;

static Step
make_step (const Call *call)
{
  return (Step) { model_find_op (call->name), call->a, call->b, call->c };
}

static gboolean
prepare (Model *self)
{
  if (!model_open (self))
    return FALSE;

  for (guint i = 0; i + 1 < self->program->n_steps; i++)
    if (!model_step (self, &self->program->steps[i]))
      return FALSE;

  self->n_excused = 0;
  return TRUE;
}

/* After a failure that came too late, the file is where it was to be. */
static gboolean
has_its_name (Model *self)
{
  g_autofree char *last = g_strdup_printf ("doc-%u", self->n_names - 1);

  return self->lasting != NULL && g_str_has_suffix (self->lasting, last);
}

/* Whether the disk may have said that it has lost what was written, in the call that failed or in one behind it: it says that
 * once. */
static gboolean
may_have_lost (Model     *self,
               FaultMode  mode)
{
  const char *const telling[] = { "close", "fsync", "sync_file_range", NULL };
  const char *call = faults_get_failed ();

  return call != NULL && (mode == FAULT_ALL || g_strv_contains (telling, call)) &&
         !(TF_IS_SPOOLED_FILE (self->file) && !tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (self->file)));
}

/* To the same destination, if that is what it was about. */
static gboolean
repeat (Model      *self,
        const Step *step,
        FaultMode   mode)
{
  gboolean persists = g_str_has_prefix (model_get_op_name (step), "persist");

  if (self->n_excused == 0 || (persists && has_its_name (self)))
    return TRUE;

  self->n_excused = 0;
  self->n_names -= persists;
  if (!model_step (self, step))
    return FALSE;

  return self->n_excused == 0 || may_have_lost (self, mode) || model_fail (self, "it fails again");
}

/* What a signal interrupts is done nevertheless. */
static gboolean
check_signals (Model     *self,
               FaultMode  mode)
{
  return mode != FAULT_INTERRUPTED || self->n_excused == 0 || model_fail (self, "it fails because of a signal");
}

static gboolean
check_complaint (Model *self)
{
  const char *complaint = faults_take_complaint ();

  return complaint == NULL || model_fail (self, "%s", complaint);
}

static gboolean
check_litter (Model *self)
{
  const char *litter;

  /* The end of the process gets another chance to remove a name. */
  if (programs_have_name ())
    return TRUE;

  litter = programs_find_litter ();
  return litter == NULL || model_fail (self, "%s", litter);
}

static gboolean
try_scene (gconstpointer  data,
           guint          at,
           FaultMode      mode,
           int            with_errno,
           char          *message)
{
  Program program = ((const Scene *) data)->program;
  const Step *step = &program.steps[program.n_steps - 1];
  gboolean good;
  Model self;

  model_init (&self, &program, programs_get_dest (), message);
  self.settle = faults_end;
  self.excuses = fault_runs_excuse;
  self.find_gap = ledger_find_gap;
  if (!prepare (&self))
    return FALSE;

  ledger_begin ();
  faults_begin (at, mode, with_errno);
  good = model_step (&self, step);
  faults_end ();

  program.watch = 1;
  good = good && check_complaint (&self) && check_signals (&self, mode) && model_check (&self) &&
         repeat (&self, step, mode) && model_check (&self) && model_check_end (&self);
  if (good)
    {
      model_forget (&self);
      good = check_litter (&self);
    }
  programs_empty ();
  return good;
}

static void
make_scene (Scene *self,
            guint  kind,
            guint  stage,
            guint  call)
{
  *self = (Scene) { .program = { .kind = kinds[kind].kind, .max_size = kinds[kind].max_size } };
  for (guint i = 0; i < G_N_ELEMENTS (stages[stage].calls) && stages[stage].calls[i].name != NULL; i++)
    self->program.steps[self->program.n_steps++] = make_step (&stages[stage].calls[i]);
  self->program.steps[self->program.n_steps++] = make_step (&calls[call]);
}

void
fault_files_try (guint stride)
{
  guint n = 0;

  for (guint kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
    for (guint stage = 0; stage < G_N_ELEMENTS (stages); stage++)
      for (guint call = 0; call < G_N_ELEMENTS (calls); call++)
        {
          g_autofree char *name = g_strdup_printf ("%s/%s/%s-%u.%u.%u", kinds[kind].name, stages[stage].name,
                                                   calls[call].name, calls[call].a, calls[call].b, calls[call].c);
          Scene scene;

          make_scene (&scene, kind, stage, call);
          if (n++ % stride == 0)
            fault_runs_try (name, try_scene, &scene, FAULT_RUNS_WARM);
        }
}
