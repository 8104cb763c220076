/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "names/tf-journal.h"
#include "names/tf-registry.h"
#include "tf-destination.h"

G_BEGIN_DECLS

/* A file that gets the name of a target. It is in the same directory, without a name or with a temporary one. The
 * temporary name is in the registry and in the journal, so that it goes if the process ends or is killed. */
typedef struct
{
  TfRegistryNode   node;
  int              fd;       /* (unowned) */
  int             *lost_errno; /* (unowned) (nullable): NULL for a copy; gets the error of bytes of the file that are lost */
  int              dir_fd;   /* (unowned): of the target */
  char            *name;     /* (owned) (nullable): temporary, in the target's directory */
  TfJournalRecord *record;   /* (nullable): of the file with the temporary name */
  TfJournalRecord *replaced; /* (nullable): of the file at the target, which may get the temporary name */
  TfIdentity       named;    /* of the temporary name before an exchange, which takes it along */
  TfIdentity       former;   /* of the replaced file, by the temporary name after an exchange */
  gboolean         stays;    /* with the temporary name: it may be all that is left of the target, or another's */
} TfReplacement;

#define TF_REPLACEMENT_INIT(fd_) { .node.funcs = &tf_replacement_registry_funcs, .fd = (fd_) }

extern const TfRegistryFuncs tf_replacement_registry_funcs;

/* How a file got the name of its target by an exchange, which decides how to undo it. */
typedef enum
{
  TF_PLACED_NEW,       /* the target did not exist */
  TF_PLACED_OVER,      /* the replaced file is gone */
  TF_PLACED_EXCHANGED, /* the replaced file has the temporary name now */
} TfPlaced;

gboolean tf_replacement_is_unlinkable_errno (int                  saved_errno);
int      tf_replacement_place               (TfReplacement       *self,
                                             const TfDestination *target);
int      tf_replacement_exchange            (TfReplacement       *self,
                                             const TfDestination *target,
                                             TfPlaced            *placed);
gboolean tf_replacement_take_back           (TfReplacement       *self,
                                             const TfDestination *target,
                                             TfPlaced             placed);
gboolean tf_replacement_can_tell            (const TfReplacement *self);
char    *tf_replacement_dup_display_path    (const TfReplacement *self,
                                             const TfDestination *target);
void     tf_replacement_say_what_stays      (const TfReplacement *self,
                                             const TfDestination *target,
                                             const char          *what,
                                             GError             **error);
int      tf_replacement_create              (TfReplacement       *self,
                                             const TfDestination *target,
                                             guint                mode);
int      tf_replacement_remove              (TfReplacement       *self,
                                             const TfDestination *target);
void     tf_replacement_discard             (TfReplacement       *self,
                                             const TfDestination *target);

G_END_DECLS
