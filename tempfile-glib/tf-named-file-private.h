/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* For the files named tf-named-file… alone. */

#include "names/tf-entry.h"
#include "tf-named-file.h"

G_BEGIN_DECLS

struct _TfNamedFile
{
  TfTempFile parent_instance;

  TfDeletePolicy delete_policy;
  TfEntry entry;
  gboolean reported; /* closing told that it could not remove the name */
  gboolean persisted; /* the name is a lasting one */
};

void tf_named_file_notify_delete_policy (TfNamedFile *self);
void tf_named_file_notify_path          (TfNamedFile *self);
void tf_named_file_persisted            (TfTempFile  *file,
                                         const char  *path);

G_END_DECLS
