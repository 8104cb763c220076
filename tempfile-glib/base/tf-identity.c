/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-identity.h"

gboolean
tf_identity_equal (const TfIdentity *a,
                   const TfIdentity *b)
{
  return a->device == b->device &&
         a->inode == b->inode &&
         a->birth_seconds == b->birth_seconds &&
         a->birth_nanoseconds == b->birth_nanoseconds;
}
