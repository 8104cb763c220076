/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-identity.h"

G_BEGIN_DECLS

/* The extended attribute that is the mark. */
#define TF_MARK_ATTRIBUTE "user.tempfile-glib"

/* What tells that a file or directory was made here, and whether its maker lives.
 *
 * It lives as long as it holds a shared flock(2) on it. Made here is what carries an extended attribute
 * that names its own inode number and birth time: a copy of it, or one that is unpacked from an archive,
 * carries a wrong one. Until it has the attribute, it is known by its sticky bit, which it is created with,
 * and by being empty: so it is marked at every moment of its life. */

#define TF_MARK_MODE 01000

gboolean tf_mark_lock     (int               fd);
gboolean tf_mark_set      (int               fd,
                           const TfIdentity *identity);
gboolean tf_mark_clear    (int               fd);
gboolean tf_mark_is_set   (int               fd,
                           const TfIdentity *identity);
gboolean tf_mark_is_early (int               fd);

/* Set by tests only: behave as on a file system without extended attributes. */
extern gboolean tf_mark_avoid_attributes;

G_END_DECLS
