/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fault-runs.h"

#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "programs.h"
#include "proof.h"
#include "tf-test.h"

#define PATIENCE 60           /* seconds for one run */
#define MAX_CALLS 600
#define MAX_VIOLATIONS 3      /* of one scene */

/* What a child says to this process */
typedef struct
{
  guint run;          /* which one it is at, in the order of a scene */
  guint n_runs;
  gboolean is_done;
  guint n_calls;
  const char *calls[MAX_CALLS + 1]; /* constants of the program, which forks have at the same place */
  gboolean errnos[256];
  char where[128];
  char message[FAULT_MESSAGE_SIZE];
} Shared;

static Shared *shared;
static guint stride = 1;
static guint n_scenes;
static guint n_violations;
static guint n_points;
static guint n_runs;
static guint first_of_scene; /* shifts what is taken, so that scenes take different ones */
static gboolean (*is_clean) (void);
static gboolean (*are_others_there) (void);

void
fault_runs_begin (guint new_stride)
{
  shared = proof_share (sizeof *shared);
  stride = new_stride;
  n_scenes = n_violations = n_points = n_runs = first_of_scene = 0;
}

void
fault_runs_end (void)
{
  guint n_errnos = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (shared->errnos); i++)
    n_errnos += shared->errnos[i];

  g_test_message ("%u scenarios, %u points, %u runs, %u errnos, %u violations", n_scenes, n_points, n_runs, n_errnos,
                  n_violations);
  g_assert_true (n_runs > 0 || g_getenv ("TF_PROOF_FAULT") != NULL);
}

void
fault_runs_set_check (gboolean (*new_is_clean) (void),
                      gboolean (*new_are_others_there) (void))
{
  is_clean = new_is_clean;
  are_others_there = new_are_others_there;
}

gboolean
fault_runs_excuse (const GError  *error,
                   const char   **reason)
{
  *reason = "an error without what failed";
  if (error->domain != G_IO_ERROR || !g_utf8_validate (error->message, -1, NULL) || strlen (error->message) < 10)
    return FALSE;

  *reason = "an error without a reason";
  return strchr (error->message, ':') != NULL || strchr (error->message, ' ') != NULL;
}

/* --- In the child --------------------------------------------------------------------------- */

typedef struct
{
  const char *name;
  FaultFunc func;
  gconstpointer scene;
  FaultRuns runs;
  guint first; /* the first run that is wanted */
} Runner;

static gboolean
is_wanted (Runner    *self,
           FaultMode  mode,
           gboolean   is_lasting)
{
  const char *only = g_getenv ("TF_PROOF_FAULT");

  if (only != NULL && strchr (only, ':') != NULL)
    return shared->run >= self->first && g_str_equal (only, shared->where);

  if (mode == FAULT_INTERRUPTED)
    return shared->run >= self->first;

  return shared->run >= self->first &&
         ((self->runs == FAULT_RUNS_COLD && is_lasting) || (shared->run + first_of_scene) % stride == 0);
}

/* A process that has used the library once is not one that has not. */
static void
run_once (Runner    *self,
          guint      at,
          FaultMode  mode,
          int        with_errno,
          gboolean   is_lasting)
{
  shared->run++;
  g_snprintf (shared->where, sizeof shared->where, "%s:%u:%s:%s:%d", self->name, at, shared->calls[at],
              faults_get_mode (mode), with_errno);
  if (!is_wanted (self, mode, is_lasting))
    return;

  alarm (PATIENCE);
  shared->n_runs++;
  shared->errnos[with_errno % 256] = TRUE;
  faults_expect (shared->calls[at]);
  if (!self->func (self->scene, at, mode, with_errno, shared->message))
    exit (EXIT_FAILURE);
  if (self->runs != FAULT_RUNS_WARM || programs_have_name ())
    exit (EXIT_SUCCESS);
}

static void
run_point (Runner     *self,
           guint       at,
           const char *call)
{
  const int *errnos = faults_get_errnos (call);

  for (int i = 0; errnos[i] != 0; i++)
    {
      run_once (self, at, FAULT_ONCE, errnos[i], FALSE);
      /* What a signal interrupts is repeated until it is not. */
      if (errnos[i] != EINTR && errnos[i] != EAGAIN)
        run_once (self, at, FAULT_ALWAYS, errnos[i], i == 0);
    }

  run_once (self, at, FAULT_ALL, EIO, TRUE);
  if (faults_is_moving (call))
    {
      run_once (self, at, FAULT_SHORT, 0, FALSE);
      run_once (self, at, FAULT_SHORT_ALWAYS, 0, FALSE);
    }
}

/* The first time nothing fails, and shows what can. */
static void
count_calls (gpointer data)
{
  Runner *self = data;

  if (!self->func (self->scene, 0, FAULT_ONCE, 0, shared->message))
    exit (EXIT_FAILURE);

  shared->n_calls = MIN (faults_get_n_calls (), MAX_CALLS);
  for (guint i = 1; i <= shared->n_calls; i++)
    shared->calls[i] = faults_get_call (i);
}

static void
run_all (gpointer data)
{
  Runner *self = data;

  shared->run = 0;
  if (g_getenv ("TF_PROOF_FAULT") == NULL)
    programs_be_quiet ();
  /* The first time, the library also does what it does once. */
  for (int i = 0; i < 2 && self->runs == FAULT_RUNS_WARM; i++)
    count_calls (self);
  for (guint at = 1; at <= shared->n_calls; at++)
    run_point (self, at, shared->calls[at]);
  run_once (self, 1, FAULT_INTERRUPTED, EINTR, TRUE);
  shared->is_done = TRUE;
}

/* --- In this process ------------------------------------------------------------------------ */

static void
complain (Runner     *self,
          const char *what)
{
  n_violations++;
  g_test_fail ();
  g_test_message ("TF_PROOF_FAULT=%s: %s", *shared->where != '\0' ? shared->where : self->name, what);
}

static void
check_leftovers (Runner *self)
{
  if (!is_clean ())
    proof_sweep ();
  if (!is_clean ())
    {
      g_autofree char *what = g_strdup_printf ("a name is left: %s", programs_find_name ());

      complain (self, what);
    }
  if (!are_others_there ())
    complain (self, "what others have is gone");
}

/* Returns FALSE if there is nothing more to do. */
static gboolean
run_child (Runner    *self,
           ProofFunc  func)
{
  int status;

  shared->is_done = FALSE;
  *shared->message = *shared->where = '\0';
  status = proof_wait (proof_fork (func, self));
  if (WIFSIGNALED (status))
    complain (self, WTERMSIG (status) == SIGALRM ? "it hangs" : strsignal (WTERMSIG (status)));
  else if (status != 0)
    complain (self, shared->message);
  check_leftovers (self);
  programs_clean_up ();

  self->first = shared->run + 1;
  return !shared->is_done && *shared->where != '\0';
}

/* TF_PROOF_FAULT is the name of a scene, or one fault of one. */
static gboolean
is_chosen (const char *name)
{
  const char *only = g_getenv ("TF_PROOF_FAULT");

  return only == NULL || (g_str_has_prefix (only, name) && strchr (":", only[strlen (name)]) != NULL);
}

void
fault_runs_try (const char    *name,
                FaultFunc      func,
                gconstpointer  scene,
                FaultRuns      runs)
{
  Runner self = { name, func, scene, runs, 0, };
  guint before = n_violations;

  if (!is_chosen (name))
    return;

  n_scenes++;
  first_of_scene += 7;
  shared->n_calls = shared->n_runs = 0;
  if (runs != FAULT_RUNS_WARM)
    run_child (&self, count_calls);
  self.first = 0;
  while (run_child (&self, run_all) && n_violations < before + MAX_VIOLATIONS)
    ;
  n_points += shared->n_calls;
  n_runs += shared->n_runs;
}
