/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "names/tf-template.h"
#include "tf-store.h"

G_BEGIN_DECLS

/* The private data of TfTempFile, which all classes of files use. */
typedef struct
{
  TfStore       *store;    /* (owned) */
  TfTemplate     template; /* as requested, with an absolute directory or none */
  GInputStream  *input;    /* (owned) (nullable): created when first requested */
  GOutputStream *output;   /* (owned) (nullable): created when first requested */
} TfFile;

/* The offset of the private data from the instance, in bytes. */
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
