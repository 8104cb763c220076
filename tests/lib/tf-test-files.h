/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <tempfile-glib.h>

G_BEGIN_DECLS

/* The classes of temporary files, and where their bytes are: what one does, all have to do. */
typedef struct
{
  const char *name;
  GType (*get_type) (void);
  gint64 max_size; /* of a spooled file */
} TfTestKind;

extern const TfTestKind tf_test_kinds[];

gboolean    tf_test_kind_is_spooled (const TfTestKind  *kind);
TfTempFile *tf_test_kind_new        (const TfTestKind  *kind,
                                     const char        *dir,
                                     const char        *prefix,
                                     const char        *suffix,
                                     GError           **error);
TfTempFile *tf_test_kind_make       (const TfTestKind  *kind);

/* Adds "/@group/KIND/@name" for each kind. */
void tf_test_add_for_kinds (const char    *group,
                            const char    *name,
                            GTestDataFunc  func);

void tf_test_write (TfTempFile *file,
                    const char *text);
void tf_test_seek  (TfTempFile *file,
                    goffset     offset,
                    GSeekType   type);

/* Size, content, and the position, which the file, its input and its output stream have in common. */
void tf_test_assert_file (TfTempFile    *file,
                          goffset        position,
                          gconstpointer  content,
                          gsize          size);

/* Sweeps all that is as old, and returns how much was removed. */
guint tf_test_sweep (guint min_age_seconds);

G_END_DECLS
