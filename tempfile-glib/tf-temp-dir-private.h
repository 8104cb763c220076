/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* For tf-temp-dir.c and tf-temp-dir-cleanup.c alone. */

#include "tf-name-private.h"
#include "tf-temp-dir.h"

G_BEGIN_DECLS

struct _TfTempDir
{
  GObject parent_instance;

  TfTemplate template;   /* absolute dir, or none */
  char *path;            /* (owned) (nullable): not made yet */
  int fd;                /* -1: not made yet, removed, or let go of */
  gboolean auto_cleanup;
  gboolean ignore_cleanup_errors;
};

void tf_temp_dir_notify_auto_cleanup          (TfTempDir *self);
void tf_temp_dir_notify_ignore_cleanup_errors (TfTempDir *self);

G_END_DECLS
