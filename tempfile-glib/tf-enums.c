/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-enums.h"

G_DEFINE_ENUM_TYPE (TfDeletePolicy, tf_delete_policy,
                    G_DEFINE_ENUM_VALUE (TF_DELETE_ON_CLOSE, "on-close"),
                    G_DEFINE_ENUM_VALUE (TF_DELETE_ON_DISPOSE, "on-dispose"),
                    G_DEFINE_ENUM_VALUE (TF_DELETE_NEVER, "never"))
