/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* For the tf-store-*.c files alone. */

#if __has_include (<sys/single_threaded.h>)
# include <sys/single_threaded.h>
#else
# define __libc_single_threaded FALSE
#endif

#include "tf-backing.h"
#include "tf-store.h"

G_BEGIN_DECLS

typedef enum
{
  TF_STORE_BLANK,
  TF_STORE_OPEN,
  TF_STORE_CLOSED,
} TfStoreState;

struct _TfStore
{
  GMutex lock;
  TfStoreState state;

  TfStage stage;
  goffset position; /* while the stage is shared, a copy of the descriptor's */

  gint64 max_size;  /* bytes that may stay in memory, -1: any number */
  const TfStoreFuncs *funcs;
  gpointer owner;     /* (unowned): closes this store before it goes, so it is valid while TF_STORE_OPEN */
  GWeakRef emitter;   /* the owner again, for calls without the lock; not before there is something to tell */
  gboolean rolled_over;
  gboolean must_tell; /* rolled over, and the owner was not told yet */
  gboolean trying;    /* the call that has the lock must not touch the disk */
  gboolean lasting;   /* the file behind the stage was given a lasting name */
  guint n_holds;      /* as long as there are some, the stage outlives the closing */

  GList live;            /* its link in the list of those in memory; no data: it is not there */
  gsize charge;          /* bytes of the budget that it holds */
  GMainContext *context; /* (owned) (nullable): where it was made, for what no caller asked for */
};

gboolean tf_store_enter          (TfStore       *self,
                                  GCancellable  *cancellable,
                                  GError       **error);
gboolean tf_store_enter_buffered (TfStore       *self,
                                  GCancellable  *cancellable,
                                  GError       **error);
gboolean tf_store_try_enter      (TfStore       *self,
                                  GCancellable  *cancellable,
                                  GError       **error);
void     tf_store_leave          (TfStore       *self);
gboolean tf_store_grow           (TfStore       *self,
                                  goffset        size);
gboolean tf_store_reserve        (TfStore       *self,
                                  goffset        size,
                                  GCancellable  *cancellable,
                                  GError       **error);
gboolean tf_store_move_to        (TfStore       *self,
                                  goffset        position,
                                  GError       **error);
gboolean tf_store_move_to_disk   (TfStore       *self,
                                  GCancellable  *cancellable,
                                  GError       **error);

/* In tf-store-live-private.c. */
void     tf_store_enter_memory   (TfStore       *self);
void     tf_store_leave_memory   (TfStore       *self);
gboolean tf_store_charge         (TfStore       *self,
                                  gsize          size);
void     tf_store_bound_room     (TfStore       *self);
void     tf_store_recount        (TfStore       *self);

static inline gboolean
tf_store_enter_blocking (TfStore       *self,
                         gboolean       blocking,
                         GCancellable  *cancellable,
                         GError       **error)
{
  return blocking ? tf_store_enter (self, cancellable, error) : tf_store_try_enter (self, cancellable, error);
}

/* Whether the lock is not needed for what calls nothing else: glibc knows that there is no other thread. */
static inline gboolean
tf_store_is_alone (const TfStore *self)
{
  return __libc_single_threaded && self->state == TF_STORE_OPEN;
}

G_END_DECLS
