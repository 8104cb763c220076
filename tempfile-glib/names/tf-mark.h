/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-identity.h"

G_BEGIN_DECLS

/* The name of the extended attribute. */
#define TF_MARK_ATTRIBUTE "user.tempfile-glib"

/* The mark shows that this library has created a file or directory, and whether the creator lives.
 *
 * The mark is an extended attribute that names the inode number and the birth time of the file. On a copy, or on a
 * file unpacked from an archive, its value is wrong. Between its creation and the mark, a file or directory is
 * recognized by its sticky bit, with which it is created, and by being empty. The creator lives as long as it holds a
 * shared flock(2) on the file or directory. */

#define TF_MARK_MODE 01000

gboolean tf_mark_lock     (int               fd);
gboolean tf_mark_set      (int               fd,
                           const TfIdentity *identity);
gboolean tf_mark_clear    (int               fd);
gboolean tf_mark_is_set   (int               fd,
                           const TfIdentity *identity);
gboolean tf_mark_is_early (int               fd);

/* Set by tests only: behave as if the file system had no extended attributes. */
extern gboolean tf_mark_avoid_attributes;

G_END_DECLS
