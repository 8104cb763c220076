/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "tf-enums.h"

G_BEGIN_DECLS

/* The content that gets a name. */
typedef struct
{
  int       fd; /* the file, if it may be linked; otherwise -1 */
  int      *lost_errno; /* gets the error of bytes of that file that are lost: a disk tells it once */
  gpointer  user_data;
  /* Writes the bytes, @size in number, into the empty file @to, which is @where in messages. */
  gboolean (*fill) (gpointer       user_data,
                    int            to,
                    const char    *where,
                    goffset       *size,
                    GCancellable  *cancellable,
                    GError       **error);
} TfPublishSource;

gboolean tf_publish (const TfPublishSource  *source,
                     const char             *path,
                     TfPersistFlags          flags,
                     int                    *copy_fd,
                     char                  **final_path,
                     GCancellable           *cancellable,
                     GError                **error);

G_END_DECLS
