/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-enums.h"

G_DEFINE_ENUM_TYPE (TfDeletePolicy, tf_delete_policy,
                    G_DEFINE_ENUM_VALUE (TF_DELETE_ON_CLOSE, "on-close"),
                    G_DEFINE_ENUM_VALUE (TF_DELETE_ON_DISPOSE, "on-dispose"),
                    G_DEFINE_ENUM_VALUE (TF_DELETE_NEVER, "never"))

G_DEFINE_FLAGS_TYPE (TfPersistFlags, tf_persist_flags,
                     G_DEFINE_ENUM_VALUE (TF_PERSIST_NONE, "none"),
                     G_DEFINE_ENUM_VALUE (TF_PERSIST_REPLACE, "replace"),
                     G_DEFINE_ENUM_VALUE (TF_PERSIST_DURABLE, "durable"),
                     G_DEFINE_ENUM_VALUE (TF_PERSIST_FOLLOW_SYMLINK, "follow-symlink"),
                     G_DEFINE_ENUM_VALUE (TF_PERSIST_PRIVATE, "private"),
                     G_DEFINE_ENUM_VALUE (TF_PERSIST_BACKUP, "backup"),
                     G_DEFINE_ENUM_VALUE (TF_PERSIST_UNIQUE, "unique"))

G_DEFINE_ENUM_TYPE (TfNewline, tf_newline,
                    G_DEFINE_ENUM_VALUE (TF_NEWLINE_UNIVERSAL, "universal"),
                    G_DEFINE_ENUM_VALUE (TF_NEWLINE_UNTRANSLATED, "untranslated"),
                    G_DEFINE_ENUM_VALUE (TF_NEWLINE_LF, "lf"),
                    G_DEFINE_ENUM_VALUE (TF_NEWLINE_CR, "cr"),
                    G_DEFINE_ENUM_VALUE (TF_NEWLINE_CRLF, "crlf"))

G_DEFINE_ENUM_TYPE (TfTextErrors, tf_text_errors,
                    G_DEFINE_ENUM_VALUE (TF_TEXT_ERRORS_STRICT, "strict"),
                    G_DEFINE_ENUM_VALUE (TF_TEXT_ERRORS_IGNORE, "ignore"),
                    G_DEFINE_ENUM_VALUE (TF_TEXT_ERRORS_REPLACE, "replace"),
                    G_DEFINE_ENUM_VALUE (TF_TEXT_ERRORS_BACKSLASH_REPLACE, "backslash-replace"))
