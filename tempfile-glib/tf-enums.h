/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (TEMPFILE_GLIB_INSIDE) && !defined (TEMPFILE_GLIB_COMPILATION)
# error "Only <tempfile-glib.h> can be included directly."
#endif

#include <glib-object.h>

#include "tf-version.h"

G_BEGIN_DECLS

/**
 * TfDeletePolicy:
 * @TF_DELETE_ON_CLOSE: when the file is closed, explicitly or because the object is disposed;
 *   `delete=True` of Python's `NamedTemporaryFile`
 * @TF_DELETE_ON_DISPOSE: when the object is disposed; until then, the file can be opened by its name even
 *   after it was closed. `delete=True, delete_on_close=False` of Python's `NamedTemporaryFile`
 * @TF_DELETE_NEVER: never; `delete=False` of Python's `NamedTemporaryFile`
 *
 * When a [class@NamedFile] removes its file.
 *
 * Since: 1.0
 */
typedef enum
{
  TF_DELETE_ON_CLOSE,
  TF_DELETE_ON_DISPOSE,
  TF_DELETE_NEVER,
} TfDeletePolicy;

#define TF_TYPE_DELETE_POLICY (tf_delete_policy_get_type ())

TF_AVAILABLE_IN_1_0
GType tf_delete_policy_get_type (void);

/**
 * TfPersistFlags:
 * @TF_PERSIST_NONE: no options: the destination must not exist, and the system writes the file to the medium later
 * @TF_PERSIST_REPLACE: replace a file that exists at the destination; without this flag, the call fails
 * @TF_PERSIST_DURABLE: return only when the file and its name survive a loss of power: call fsync(2) on the
 *   file and then on its directory
 * @TF_PERSIST_FOLLOW_SYMLINK: if the destination is a symbolic link, use the path that it leads to, which
 *   need not exist; without this flag, the link itself is the destination. Links of others in a sticky directory, such
 *   as `/tmp`, are not followed
 * @TF_PERSIST_PRIVATE: only the owner can open the file, which has mode 0600; owner, permissions and
 *   attributes of a replaced file are not kept
 * @TF_PERSIST_BACKUP: with %TF_PERSIST_REPLACE, keep a regular file that is replaced: its name gets a `~` at the end,
 *   where it takes the place of a former backup
 * @TF_PERSIST_UNIQUE: if something has the name of the destination, use another name as file managers do, such as
 *   `report (1).pdf`
 *
 * How [method@TempFile.persist] gives a file its lasting name.
 *
 * Since: 1.0
 */
typedef enum
{
  TF_PERSIST_NONE           = 0,
  TF_PERSIST_REPLACE        = 1 << 0,
  TF_PERSIST_DURABLE        = 1 << 1,
  TF_PERSIST_FOLLOW_SYMLINK = 1 << 2,
  TF_PERSIST_PRIVATE        = 1 << 3,
  TF_PERSIST_BACKUP         = 1 << 4,
  TF_PERSIST_UNIQUE         = 1 << 5,
} TfPersistFlags;

#define TF_TYPE_PERSIST_FLAGS (tf_persist_flags_get_type ())

TF_AVAILABLE_IN_1_0
GType tf_persist_flags_get_type (void);

/**
 * TfNewline:
 * @TF_NEWLINE_UNIVERSAL: lines end with `\n`, `\r` or `\r\n`, and each of these is read as `\n`; nothing is
 *   translated when writing. Python's `newline=None` on Unix
 * @TF_NEWLINE_UNTRANSLATED: lines end with `\n`, `\r` or `\r\n`; nothing is translated. Python's `newline=''`
 * @TF_NEWLINE_LF: lines end with `\n`; nothing is translated
 * @TF_NEWLINE_CR: lines end with `\r`, which is not translated when reading; `\n` is written as `\r`
 * @TF_NEWLINE_CRLF: lines end with `\r\n`, which is not translated when reading; `\n` is written as `\r\n`
 *
 * Where the lines of a [class@TextStream] end, and how newlines are translated: `newline` of Python's `open()`.
 *
 * Since: 1.0
 */
typedef enum
{
  TF_NEWLINE_UNIVERSAL,
  TF_NEWLINE_UNTRANSLATED,
  TF_NEWLINE_LF,
  TF_NEWLINE_CR,
  TF_NEWLINE_CRLF,
} TfNewline;

#define TF_TYPE_NEWLINE (tf_newline_get_type ())

TF_AVAILABLE_IN_1_0
GType tf_newline_get_type       (void);

/**
 * TfTextErrors:
 * @TF_TEXT_ERRORS_STRICT: the call fails with %G_IO_ERROR_INVALID_DATA
 * @TF_TEXT_ERRORS_IGNORE: the bytes or the character are left out
 * @TF_TEXT_ERRORS_REPLACE: U+FFFD is read for the bytes; `?` is written for the character
 * @TF_TEXT_ERRORS_BACKSLASH_REPLACE: `\xNN` is read for each byte; `\xNN`, `\uNNNN` or `\UNNNNNNNN` is
 *   written for the character
 *
 * What a [class@TextStream] does with bytes that are not valid in its encoding, and with characters that the
 * encoding does not have: `errors` of Python's `open()`.
 *
 * Since: 1.0
 */
typedef enum
{
  TF_TEXT_ERRORS_STRICT,
  TF_TEXT_ERRORS_IGNORE,
  TF_TEXT_ERRORS_REPLACE,
  TF_TEXT_ERRORS_BACKSLASH_REPLACE,
} TfTextErrors;

#define TF_TYPE_TEXT_ERRORS (tf_text_errors_get_type ())

TF_AVAILABLE_IN_1_0
GType tf_text_errors_get_type   (void);

G_END_DECLS
