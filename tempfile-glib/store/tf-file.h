/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "names/tf-template.h"
#include "tf-store.h"

G_BEGIN_DECLS

/* What a file object is made of, whatever its class. */
typedef struct
{
  TfStore       *store;    /* (owned) */
  TfTemplate     template; /* where it was asked to go: an absolute dir, or none */
  GInputStream  *input;    /* (owned) (nullable): made when first asked for */
  GOutputStream *output;   /* (owned) (nullable): made when first asked for */
} TfFile;

/* Where in an instance it is, in bytes. */
extern gssize tf_file_offset;

static inline TfFile *
tf_file_of (gpointer object)
{
  return G_STRUCT_MEMBER_P (object, tf_file_offset);
}

static inline TfStore *
tf_file_get_store (gpointer object)
{
  return tf_file_of (object)->store;
}

G_END_DECLS
