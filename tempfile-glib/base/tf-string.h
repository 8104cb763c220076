/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>
#include <string.h>

G_BEGIN_DECLS

/* A growing string of bytes, as large as what users have in their files: a lack of memory is a failure of the call.
 *
 * As with ferror(3), a failure sticks: once something could not be appended, nothing is appended any more, so that the
 * string never has a gap. Code that appends need not look; who began the operation asks tf_string_check() at its end.
 * An initial string has all fields 0. */
typedef struct
{
  char     *data;     /* (owned) (nullable): NULL if nothing was ever appended */
  gsize     size;     /* in bytes, without the NUL behind them */
  gsize     capacity; /* in bytes, with the NUL */
  gboolean  failed;   /* there was not enough memory */
} TfString;

TfString tf_string_new_small (gsize        capacity);
void     tf_string_clear     (TfString    *self);
gboolean tf_string_grow      (TfString    *self,
                              gsize        count);
void     tf_string_erase     (TfString    *self,
                              gsize        count);
void     tf_string_truncate  (TfString    *self,
                              gsize        size);
gboolean tf_string_check     (TfString    *self,
                              const char  *call,
                              const char  *path,
                              GError     **error);

/* Returns whether all bytes are zero. */
static inline gboolean
tf_string_is_zero (gconstpointer data,
                   gsize         size)
{
  const char *bytes = data;

  return size == 0 || (bytes[0] == 0 && memcmp (bytes, bytes + 1, size - 1) == 0);
}

/* Returns the string, which ends with a NUL. */
static inline const char *
tf_string_get (const TfString *self)
{
  return self->data != NULL ? self->data : "";
}

static inline void
tf_string_append (TfString      *self,
                  gconstpointer  data,
                  gsize          count)
{
  if (self->failed || (count >= self->capacity - self->size && !tf_string_grow (self, count)))
    return;

  if (count > 0)
    memcpy (self->data + self->size, data, count);
  self->size += count;
  self->data[self->size] = '\0';
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfString, tf_string_clear)

G_END_DECLS
