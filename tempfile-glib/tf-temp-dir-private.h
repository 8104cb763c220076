/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* For the tf-temp-dir*.c files alone. */

#include "names/tf-entry.h"
#include "tf-temp-dir.h"

G_BEGIN_DECLS

struct _TfTempDir
{
  GObject parent_instance;

  TfTemplate template;   /* absolute dir, or none */
  TfEntry entry;
  gboolean is_kept;      /* let go of: not removed, whatever is called */
  gboolean is_cleaning;  /* a worker has the entry; only its path may be used */
  gboolean auto_cleanup;
  gboolean ignore_cleanup_errors;
};

gboolean tf_temp_dir_check_ready                  (TfTempDir  *self,
                                                   GError    **error);
gboolean tf_temp_dir_report_cleanup               (TfTempDir  *self,
                                                   GError     *failure,
                                                   GError    **error);

void     tf_temp_dir_notify_auto_cleanup          (TfTempDir  *self);
void     tf_temp_dir_notify_ignore_cleanup_errors (TfTempDir  *self);

G_END_DECLS
