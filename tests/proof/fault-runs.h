/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "faults.h"

G_BEGIN_DECLS

#define FAULT_MESSAGE_SIZE 1024

/* Does something while the fault that was begun is on, and checks all that has to be true whatever has failed. */
typedef gboolean (*FaultFunc) (gconstpointer  scene,
                               guint          at,
                               FaultMode      mode,
                               int            with_errno,
                               char          *message);

typedef enum
{
  FAULT_RUNS_WARM,    /* one after the other in a process */
  FAULT_RUNS_COLD,    /* each in a process of its own that has not used the library before; none is left out that lasts */
} FaultRuns;

/* Runs a scene with each fault that it can meet. */
void fault_runs_try (const char    *name,
                     FaultFunc      func,
                     gconstpointer  scene,
                     FaultRuns      runs);

/* Which of them: each @stride'th, or only the one that TF_PROOF_FAULT says. */
void fault_runs_begin (guint stride);
void fault_runs_end   (void);

/* Whether the error is one that a caller can do something with. */
gboolean fault_runs_excuse (const GError  *error,
                            const char   **reason);

/* In which processes look for what is left; and what has to be there in the end */
void fault_runs_set_check (gboolean (*is_clean) (void),
                           gboolean (*are_others_there) (void));

G_END_DECLS
