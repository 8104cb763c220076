/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The locks of a handler. A thread that holds one takes only those of later levels, so that a fork can take all of
 * them in this order. */
typedef enum
{
  TF_FORK_STORES,
  TF_FORK_CLASSES,
  TF_FORK_NAMES,
  TF_FORK_LEAVES, /* no other one is taken */
} TfForkLevel;

/* Functions that are called around fork(2), and a lock that is held during the fork, so that the child does not find it
 * taken by a thread of the parent.
 *
 * Before a fork, the handlers are called by their level, in a level from the newest to the oldest; afterwards, in the
 * reverse order. A fork that pthread_atfork(3) does not see, such as a bare clone(2), calls none;
 * tf_fork_get_generation() notices it. */
typedef struct _TfForkHandler TfForkHandler;

struct _TfForkHandler
{
  TfForkLevel      level;
  GMutex          *lock;            /* (nullable): held while the functions are called */
  void           (*prepare) (void); /* (nullable): in the process that forks, before the fork */
  void           (*parent)  (void); /* (nullable): in the same process, after the fork */
  void           (*child)   (void); /* (nullable): in the child, before fork() returns there */
  TfForkHandler   *next;
  gboolean         watched; /* (atomic) */
};

void  tf_fork_watch          (TfForkHandler *handler);
void  tf_fork_lock           (TfForkHandler *handler);
guint tf_fork_get_generation (void);

void     tf_fork_forbid_helpers (void);
gboolean tf_fork_allows_helpers (void);

/* Objects with a lock that are brought into order before a fork. The locks of all guarded objects are held during the
 * fork, so that the child finds none that a thread of the parent has taken.
 *
 * An object is added before its lock is taken for the first time while there is another thread. A thread that waits for
 * the lock of an object holds that of no other one, and has let a fork pass that was coming. An object that is guarded
 * is alive. */
typedef struct _TfForkGuard TfForkGuard;

typedef void (*TfForkGuardFunc) (TfForkGuard *guard);

typedef struct
{
  TfForkGuardFunc ref;
  TfForkGuardFunc unref;
  TfForkGuardFunc lock;
  TfForkGuardFunc unlock;
  TfForkGuardFunc prepare; /* in the parent, with the lock held */
  TfForkGuardFunc child;   /* in the child, with the lock held */
} TfForkGuardFuncs;

struct _TfForkGuard
{
  const TfForkGuardFuncs *funcs;
  gboolean                is_guarded;
  TfForkGuard            *older;
  TfForkGuard            *newer;
};

extern gint tf_fork_is_coming; /* (atomic) */

void     tf_fork_suspend      (void);
gboolean tf_fork_try_suspend  (void);
void     tf_fork_resume       (void);
void     tf_fork_let_pass     (void);
void     tf_fork_guard_add    (TfForkGuard            *self,
                               const TfForkGuardFuncs *funcs);
void     tf_fork_guard_remove (TfForkGuard           **guard);
void     tf_fork_guard_foreach (TfForkGuardFunc         func);

G_END_DECLS
