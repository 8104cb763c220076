/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Contiguous bytes that grow: the memory stage of a store. On the heap while small, in an anonymous
 * mapping when large. */
typedef struct
{
  guint8  *data;     /* (nullable) */
  gsize    size;     /* bytes of content */
  gsize    capacity; /* bytes that fit into @data */
  gsize    touched;  /* every byte of @data from here on is zero */
  gboolean mapped;
} TfBuffer;

gboolean tf_buffer_reserve  (TfBuffer      *self,
                             gsize          size,
                             gsize          limit);
void     tf_buffer_write    (TfBuffer      *self,
                             gsize          offset,
                             gconstpointer  data,
                             gsize          count);
gsize    tf_buffer_read     (TfBuffer      *self,
                             gsize          offset,
                             gpointer       data,
                             gsize          count);
guint8  *tf_buffer_prepare  (TfBuffer      *self,
                             gsize          offset,
                             gsize          count);
void     tf_buffer_commit   (TfBuffer      *self,
                             gsize          end);
void     tf_buffer_set_size (TfBuffer      *self,
                             gsize          size);
void     tf_buffer_clear    (TfBuffer      *self);

G_END_DECLS
