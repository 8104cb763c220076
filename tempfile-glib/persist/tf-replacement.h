/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-destination.h"

G_BEGIN_DECLS

/* A file in the directory of a target that is to get the target's name: without any name yet, or with a
 * temporary one beside it. */
typedef struct
{
  int          fd;   /* (unowned) */
  char        *name; /* (owned) (nullable): temporary, in the target's directory */
} TfCandidate;

#define TF_CANDIDATE_INIT { .fd = -1 }

/* How an entry got the name of its target, so that it can be taken back. */
typedef enum
{
  TF_PLACED_NEW,       /* nothing was there */
  TF_PLACED_EXCHANGED, /* what was there has the temporary name now */
  TF_PLACED_OVER,      /* what was there is gone */
} TfPlaced;

gboolean tf_candidate_is_unlinkable_errno (int               saved_errno);
int      tf_candidate_place               (TfCandidate          *self,
                                       const TfTarget   *target,
                                       TfPlaced         *placed);
void     tf_candidate_take_back           (TfCandidate          *self,
                                       const TfTarget   *target,
                                       TfPlaced          placed);
int      tf_candidate_create              (TfCandidate          *self,
                                       const TfTarget   *target,
                                       guint             mode);
int      tf_candidate_remove              (TfCandidate          *self,
                                       const TfTarget   *target);
void     tf_candidate_discard             (TfCandidate          *self,
                                       const TfTarget   *target);

G_END_DECLS
