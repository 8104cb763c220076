/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tf-template.h"

G_BEGIN_DECLS

#define TF_OPEN_TRIES 10000

char *tf_open_absolute          (const char        *path,
                                 GError           **error);
void  tf_template_make_absolute (TfTemplate        *self);
void  tf_template_set           (TfTemplate        *self,
                                 const char        *prefix,
                                 const char        *suffix,
                                 const char        *dir);

int   tf_open_named             (const TfTemplate  *template,
                                 char             **path,
                                 GCancellable      *cancellable,
                                 GError           **error);
int   tf_open_unnamed           (const TfTemplate  *template,
                                 GCancellable      *cancellable,
                                 GError           **error);
char *tf_open_make_dir          (const TfTemplate  *template,
                                 int               *fd,
                                 GCancellable      *cancellable,
                                 GError           **error);
char *tf_open_free_name         (const TfTemplate  *template,
                                 GError           **error);

int      tf_open_tmpfile                (int         dir_fd,
                                         const char *dir,
                                         guint       mode);
gboolean tf_open_is_tmpfile_unsupported (int         saved_errno);

/* Set by tests only: behave as on a file system without O_TMPFILE. */
extern gboolean tf_open_avoid_tmpfile;

G_END_DECLS
