/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <tempfile-glib.h>

#include <sys/types.h>

G_BEGIN_DECLS

/* What the proofs of ownership have in common. They see the library as a program does, through its public functions.
 *
 * The process of the test itself makes no name: each process that does is a fork, so that each can be killed, and so
 * that what it leaves belongs to a dead process.
 *
 * Each test has the same directories in the sandbox: "work", which is $TMPDIR, "work/dest" for what is to last, and
 * "run", which is $XDG_RUNTIME_DIR. After the test, no file may be in "run". */

typedef void (*ProofFunc) (gpointer data);

void proof_init     (int             *argc,
                     char          ***argv);
void proof_add      (const char      *path,
                     void (*func) (void));
void proof_add_data (const char      *path,
                     gconstpointer    data,
                     GTestDataFunc    func);

const char *proof_get_work_dir (void);
const char *proof_get_dest_dir (void);
const char *proof_get_run_dir  (void);
/* On another file system, if there is a tmpfs */
const char *proof_get_other_dir (void);

/* The files, not the directories, at any depth. */
guint proof_count_files (const char *dir);

/* Removes all that is in @dir. */
void proof_empty (const char *dir);

/* How often something is done: a number in the environment, or @number. */
guint proof_get_number (const char *variable,
                        guint       number);

/* Zeroed memory that children have in common with this process */
gpointer proof_share (gsize size);

/* Whether this is root; skips the test otherwise. */
gboolean proof_needs_root (void);

/* Puts this process, or for CLONE_NEWPID its next child, into a namespace of its own. Mounts in it are not seen outside. */
gboolean proof_enter_namespace (int kind);

/* Whether processes may do that, as root in a container may not; skips the test otherwise. */
gboolean proof_needs_namespace (int kind);

/* There a lock does not stay with what is mapped, and what is noted costs a descriptor and is of one PID namespace. */
gboolean proof_is_on_overlay (void);

/* Processes: a child calls exit() after @func. proof_in_process() fails the test if that is not how it ends. */
pid_t proof_fork       (ProofFunc func,
                        gpointer  data);
int   proof_wait       (pid_t     pid);
void  proof_in_process (ProofFunc func,
                        gpointer  data);
void  proof_and_kill   (ProofFunc func,
                        gpointer  data);

/* Sweeps everything, of any age, in another process. Returns the number of what it has removed. */
guint proof_sweep (void);

/* That process has copies of all descriptors that were open when it was first needed. */
void proof_end_sweeper (void);

/* A child that goes on living, and ends when it is told. It calls @func, then @check when it is to end. The test fails
 * if it has ended before. */
typedef struct
{
  pid_t pid;
  int fd;
} ProofLiving;

gboolean proof_living_start (ProofLiving *self,
                             ProofFunc    func,
                             ProofFunc    check,
                             gpointer     data);
void     proof_living_end   (ProofLiving *self);

/* Runs @func in a traced child until its stop number @n_stops, counted from 0, before or after a system call. With
 * @has_begun, those before it returns TRUE do not count. Returns the child, or 0 if it has ended before, with its wait status in @status. */
typedef gboolean (*ProofCondition) (void);

pid_t proof_trace (ProofFunc       func,
                   gpointer        data,
                   ProofCondition  has_begun,
                   guint           n_stops,
                   int            *status);
/* Runs @n more instructions. Returns FALSE if the child has ended. */
gboolean proof_step (pid_t pid,
                     guint n);
void     proof_kill (pid_t pid);
/* Lets it go on, with @sig if that is not 0, and waits for its end. Returns its wait status. */
int      proof_let_go    (pid_t pid,
                          int   sig);
gboolean proof_can_trace (void);

G_END_DECLS
