/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "tf-buffer-private.h"
#include "tf-window-private.h"

G_BEGIN_DECLS

/* Where the bytes of a store are: in memory while @fd is -1, else behind @fd. No position, no lock. */
typedef struct
{
  TfBuffer  buffer;
  gsize     room;   /* bytes that the buffer can hold, and may */
  int       fd;
  char     *where;  /* (owned) (nullable): path for messages */
  TfWindow *window; /* (owned) (nullable): on disk, where nobody else can see or change the file */
  gboolean  shared; /* the descriptor was handed out: its own offset counts, and others may move it */
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
  return self->window != NULL && self->window->dirty_to > 0;
}

/* As tf_stage_write() of more than no bytes; FALSE, with nothing done, where copying is not enough. */
static inline gboolean
tf_stage_try_write (TfStage       *self,
                    goffset        offset,
                    gconstpointer  data,
                    gsize          count)
{
  if (G_UNLIKELY (self->fd >= 0))
    return self->window != NULL && tf_window_try_write (self->window, offset, data, count);

  if ((guint64) offset > self->buffer.size || count > self->room - offset)
    return FALSE;

  tf_buffer_write (&self->buffer, offset, data, count);
  return TRUE;
}

/* As tf_stage_read() of more than no bytes; FALSE, with nothing done, where copying is not enough. */
static inline gboolean
tf_stage_try_read (TfStage  *self,
                   goffset   offset,
                   gpointer  data,
                   gsize     count,
                   gsize    *n_read)
{
  if (G_UNLIKELY (self->fd >= 0))
    {
      if (self->window == NULL || !tf_window_try_read (self->window, offset, data, count))
        return FALSE;

      *n_read = count;
      return TRUE;
    }

  *n_read = tf_buffer_read (&self->buffer, MIN (offset, G_MAXSSIZE), data, count);
  return TRUE;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TfStage, tf_stage_clear)

G_END_DECLS
