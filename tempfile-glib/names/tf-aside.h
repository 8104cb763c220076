/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "tf-journal.h"

G_BEGIN_DECLS

/* A file or directory that is removed only if it is still the same one, although other programs may give its name to
 * something else at any moment.
 *
 * It first gets a random name in the same directory. Whatever has that name is then what is compared, looked at and
 * removed. What is not to be removed gets its name back, unless something has that by now. The journal holds the new
 * name together with the former one before the file has it.
 *
 * Where what is compared depends on the name, nothing is moved: what the caller has compared is removed. */
typedef struct
{
  int               dir_fd;
  const TfPlace    *dir;
  const char       *name;
  const char       *path;     /* of @name, for messages */
  TfJournalKind     kind;
  const TfIdentity *identity;
  guint32           deadline; /* when it was handed over until then; then it stays if it is in use */
  gboolean          is_new;   /* a directory that is removed only if it is empty */
} TfAside;

typedef enum
{
  TF_ASIDE_REMOVED,
  TF_ASIDE_OTHER, /* it is not there, or something else is and stays */
  TF_ASIDE_STAYS, /* it is in use, or could not be removed */
} TfAsideResult;

TfAsideResult tf_aside_remove (const TfAside  *self,
                               GCancellable   *cancellable,
                               GError        **error);
gboolean      tf_aside_undo   (int             dir_fd,
                               const char     *aside,
                               const char     *name);

G_END_DECLS
