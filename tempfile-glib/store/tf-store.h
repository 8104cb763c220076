/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The bytes of one temporary file and one position in them, shared by the file object and its streams.
 *
 * A store is blank until it is given its first stage: memory (tf_store_open_in_memory) or a descriptor
 * (tf_store_open_on_disk). A store in memory moves to disk when it outgrows its limit, when there is no
 * memory, or when it is told to; never back. Once closed, it stays closed.
 *
 * All functions may be called from any thread; each holds the store's lock while it works. What they
 * call back is called without it.
 *
 * Those with an argument @blocking fail with G_IO_ERROR_WOULD_BLOCK when that is FALSE and they would have to
 * touch the disk or to wait for another thread; then nothing has happened. */
typedef struct _TfStore TfStore;

typedef struct
{
  /* Opens the descriptor to roll over to; @where gets the directory, for messages. Called with the lock held. */
  int  (*open)        (gpointer       owner,
                       char         **where,
                       GCancellable  *cancellable,
                       GError       **error);
  /* The bytes went to disk. Called without the lock, in the thread whose call made it happen, unless that
   * one called tf_store_notify_later(). */
  void (*rolled_over) (gpointer       owner);
} TfStoreFuncs;

TfStore  *tf_store_new            (void);
TfStore  *tf_store_ref            (TfStore             *self);
void      tf_store_unref          (TfStore             *self);

void      tf_store_open_in_memory (TfStore             *self,
                                   gint64               max_size,
                                   const TfStoreFuncs  *funcs,
                                   GObject             *owner);
void      tf_store_open_on_disk   (TfStore             *self,
                                   int                  fd,
                                   const char          *where);
void      tf_store_buffer         (TfStore             *self);
gboolean  tf_store_close          (TfStore             *self,
                                   GError             **error);

void      tf_store_notify_later     (TfStore            **rolled_over);
void      tf_store_notify         (TfStore             *self);

gboolean  tf_store_is_blank       (TfStore             *self);
gboolean  tf_store_check_open     (TfStore             *self,
                                   GError             **error);
gboolean  tf_store_would_block    (TfStore             *self);
gboolean  tf_store_has_rolled_over (TfStore            *self);

gboolean  tf_store_read           (TfStore             *self,
                                   gpointer             data,
                                   gsize                count,
                                   gsize               *n_read,
                                   GCancellable        *cancellable,
                                   GError             **error);
GBytes   *tf_store_read_bytes     (TfStore             *self,
                                   gsize                count,
                                   GCancellable        *cancellable,
                                   GError             **error);
gboolean  tf_store_read_nonblocking (TfStore           *self,
                                   gpointer             data,
                                   gsize                count,
                                   gsize               *n_read,
                                   GCancellable        *cancellable,
                                   GError             **error);
GBytes   *tf_store_read_bytes_nonblocking (TfStore     *self,
                                   gsize                count,
                                   GCancellable        *cancellable,
                                   GError             **error);
gboolean  tf_store_skip           (TfStore             *self,
                                   gsize                count,
                                   gboolean             blocking,
                                   gsize               *n_skipped,
                                   GCancellable        *cancellable,
                                   GError             **error);
gboolean  tf_store_write          (TfStore             *self,
                                   gconstpointer        data,
                                   gsize                count,
                                   gsize               *n_written,
                                   GCancellable        *cancellable,
                                   GError             **error);
gboolean  tf_store_writev         (TfStore             *self,
                                   const GOutputVector *vectors,
                                   gsize                n_vectors,
                                   gboolean             blocking,
                                   gsize               *n_written,
                                   GCancellable        *cancellable,
                                   GError             **error);
gboolean  tf_store_splice_fd      (TfStore             *self,
                                   int                  fd,
                                   gsize               *n_moved,
                                   GCancellable        *cancellable,
                                   GError             **error);
gboolean  tf_store_splice_store   (TfStore             *self,
                                   TfStore             *source,
                                   gboolean             blocking,
                                   gsize               *n_moved,
                                   GCancellable        *cancellable,
                                   GError             **error);
goffset   tf_store_get_size       (TfStore             *self);
goffset   tf_store_tell           (TfStore             *self);
gboolean  tf_store_seek           (TfStore             *self,
                                   goffset              offset,
                                   GSeekType            type,
                                   GCancellable        *cancellable,
                                   GError             **error);
gboolean  tf_store_truncate       (TfStore             *self,
                                   goffset              size,
                                   GCancellable        *cancellable,
                                   GError             **error);
gboolean  tf_store_flush          (TfStore             *self,
                                   gboolean             blocking,
                                   GCancellable        *cancellable,
                                   GError             **error);
gboolean  tf_store_roll_over      (TfStore             *self,
                                   GCancellable        *cancellable,
                                   GError             **error);
int       tf_store_get_fd         (TfStore             *self,
                                   GError             **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfStore, tf_store_unref)

G_END_DECLS
