/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-string.h"

#include <errno.h>

#include "tf-errno.h"

/* Returns a string with room for less than @capacity bytes, within which appending does not fail. It has to be a size of
 * the library's own, because GLib aborts if there is not enough memory for it. */
TfString
tf_string_new_small (gsize capacity)
{
  TfString self = { .data = g_malloc (capacity), .capacity = capacity };

  self.data[0] = '\0';
  return self;
}

void
tf_string_clear (TfString *self)
{
  g_free (self->data);
  *self = (TfString) { NULL, };
}

static gboolean
try_capacity (TfString *self,
              gsize     capacity)
{
  char *data = g_try_realloc (self->data, capacity);

  if (data == NULL)
    return FALSE;

  self->data = data;
  self->data[self->size] = '\0';
  self->capacity = capacity;
  return TRUE;
}

/* Makes room for @count bytes. Doubles the capacity if possible, so that repeated appending takes linear time. On
 * failure, returns FALSE without a change, and the failure sticks. */
gboolean
tf_string_grow (TfString *self,
                gsize     count)
{
  gsize needed = self->size + count + 1;

  if (self->failed || count >= G_MAXSSIZE - self->size)
    {
      self->failed = TRUE;
      return FALSE;
    }

  if (needed > self->capacity &&
      !(needed / 2 < self->capacity && try_capacity (self, 2 * self->capacity)) &&
      !try_capacity (self, needed))
    self->failed = TRUE;

  return !self->failed;
}

/* Removes @count bytes from the start. */
void
tf_string_erase (TfString *self,
                 gsize     count)
{
  if (count == 0)
    return;

  self->size -= count;
  memmove (self->data, self->data + count, self->size + 1);
}

void
tf_string_truncate (TfString *self,
                    gsize     size)
{
  if (size == self->size)
    return;

  self->size = size;
  self->data[size] = '\0';
}

/* Sets @error if there was not enough memory since the last time that this was asked. */
gboolean
tf_string_check (TfString    *self,
                 const char  *call,
                 const char  *path,
                 GError     **error)
{
  if (!self->failed)
    return TRUE;

  self->failed = FALSE;
  return tf_errno_set (error, ENOMEM, call, path);
}
