/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "tf-memory-buffer.h"
#include "tf-io-buffer.h"

G_BEGIN_DECLS

/* Where the bytes of a store are: in memory while @fd is -1, else behind @fd. No position, no lock. */
typedef struct
{
  TfBuffer  buffer;
  gsize     room;     /* bytes that the buffer can hold, and may; none on disk, and when it is closed */
  int       fd;
  char     *where;    /* (owned) (nullable): path for messages */
  gboolean  shared;   /* the descriptor was handed out: its own offset counts, and others may move it */
  gboolean  buffered; /* nobody else can see or change the file on disk: small pieces go through the window */
  TfWindow *window;   /* (owned) (nullable): made for the first of them */
} TfStage;

#define TF_STAGE_INIT_IN_MEMORY { .fd = -1 }

void     tf_stage_clear        (TfStage        *self);
gboolean tf_stage_close        (TfStage        *self,
                                GError        **error);
gboolean tf_stage_is_in_memory (const TfStage  *self);
gboolean tf_stage_reserve      (TfStage        *self,
                                goffset         size,
                                gsize           limit);
gboolean tf_stage_read         (TfStage        *self,
                                goffset         offset,
                                gpointer        data,
                                gsize           count,
                                gsize          *n_read,
                                GCancellable   *cancellable,
                                GError        **error);
gboolean tf_stage_read_aside   (TfStage        *self,
                                goffset         offset,
                                gpointer        data,
                                gsize           count,
                                gsize          *n_read,
                                GCancellable   *cancellable,
                                GError        **error);
gboolean tf_stage_write        (TfStage        *self,
                                goffset         offset,
                                gconstpointer   data,
                                gsize           count,
                                gsize          *n_written,
                                GCancellable   *cancellable,
                                GError        **error);
goffset  tf_stage_get_size     (TfStage        *self);
gboolean tf_stage_set_size     (TfStage        *self,
                                goffset         size,
                                GError        **error);
void     tf_stage_buffer       (TfStage        *self);
gboolean tf_stage_unbuffer     (TfStage        *self,
                                GError        **error);
gboolean tf_stage_flush        (TfStage        *self,
                                GCancellable   *cancellable,
                                GError        **error);
gboolean tf_stage_settle       (TfStage        *self,
                                GCancellable   *cancellable,
                                GError        **error);
gboolean tf_stage_share        (TfStage        *self,
                                goffset         offset,
                                GError        **error);
void     tf_stage_get_offset   (TfStage        *self,
                                goffset        *offset);

/* Whether there is something to flush. */
static inline gboolean
tf_stage_is_dirty (const TfStage *self)
{
  return self->window != NULL && tf_window_is_dirty (self->window);
}

/* Where bytes that are written at @offset need only be copied to, as the content that they are from now on;
 * else, and for none, NULL, with nothing done. */
static inline guint8 *
tf_stage_claim_in_memory (TfStage *self,
                          goffset  offset,
                          gsize    count)
{
  gsize end = offset + count;

  if ((guint64) offset > self->buffer.size || end > self->room || end <= (gsize) offset)
    return NULL;

  tf_buffer_commit (&self->buffer, end);
  return self->buffer.data + offset;
}

/* The same, on disk as well. */
static inline guint8 *
tf_stage_claim (TfStage *self,
                goffset  offset,
                gsize    count)
{
  if (self->window != NULL)
    return count > 0 ? tf_window_claim (self->window, offset, count) : NULL;

  return tf_stage_claim_in_memory (self, offset, count);
}

/* Where @count bytes, more than none, that are read at @offset need only be copied from; else NULL. */
static inline const guint8 *
tf_stage_peek (const TfStage *self,
               goffset        offset,
               gsize          count)
{
  if (G_UNLIKELY (self->fd >= 0))
    return self->window != NULL ? tf_window_peek (self->window, offset, count) : NULL;

  if ((guint64) offset > self->buffer.size || count > self->buffer.size - offset)
    return NULL;

  return self->buffer.data + offset;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfStage, tf_stage_clear)

G_END_DECLS
