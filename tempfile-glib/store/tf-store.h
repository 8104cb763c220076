/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#if __has_include (<sys/single_threaded.h>)
# include <sys/single_threaded.h>
#else
# define __libc_single_threaded FALSE
#endif

#include "tf-backing.h"
#include "tf-memory-pool.h"

G_BEGIN_DECLS

/* The bytes of one temporary file and one position in them, shared by the file object and its streams.
 *
 * A store is blank until it is given its first backing: memory (tf_store_open_in_memory) or a descriptor
 * (tf_store_open_on_disk). A store in memory moves to disk when it outgrows its limit, when there is no
 * memory, or when it is told to; never back. Once closed, it stays closed.
 *
 *     BLANK → OPEN in memory → OPEN on disk → CLOSED
 *     BLANK → OPEN on disk → CLOSED
 *
 * Moving to disk copies first and swaps last: until the descriptor has every byte, the memory is what counts,
 * and a failure changes nothing. Who holds a pin reads the bytes where they are at the moment, and keeps them
 * there after the store was closed.
 *
 * While the backing is shared, because its descriptor was handed out, the descriptor's own offset is the
 * position, and @position a copy that is made anew each time the store is locked.
 *
 * All functions may be called from any thread; each holds the lock while it works. What they call back is
 * called without it. In a thread that must not block, tf_task_may_block(), those that would have to touch the
 * disk or to wait for another thread fail with G_IO_ERROR_WOULD_BLOCK, and then nothing has happened. */
typedef struct _TfStore TfStore;

/* What the owner of a store is asked for, and told. */
typedef struct
{
  /* Opens the descriptor to roll over to; @where gets the directory, for messages. Called with the lock held. */
  int  (*open)        (gpointer       owner,
                       char         **where,
                       GCancellable  *cancellable,
                       GError       **error);
  /* The bytes went to disk. Called without the lock, and deferred. */
  void (*rolled_over) (gpointer       owner);
  /* (nullable): The file is at @path now. Called without the lock, in the thread that persisted it. */
  void (*persisted)   (gpointer       owner,
                       const char    *path);
} TfStoreFuncs;

typedef enum
{
  TF_STORE_BLANK,
  TF_STORE_OPEN,
  TF_STORE_CLOSED,
} TfStoreState;

struct _TfStore
{
  GMutex lock;
  TfStoreState state;

  TfBacking backing;
  goffset position; /* while the backing is shared, a copy of the descriptor's */

  gint64 max_size;  /* bytes that may stay in memory, -1: any number */
  const TfStoreFuncs *funcs;
  gpointer owner;     /* (unowned): closes this store before it goes, so it is valid while TF_STORE_OPEN */
  GWeakRef emitter;   /* the owner again, for calls without the lock; not before there is something to tell */
  gboolean rolled_over;
  gboolean must_tell; /* rolled over, and the owner was not told yet */
  gboolean lasting;   /* the file behind the backing was given a lasting name */
  guint n_pins;       /* as long as there are some, the backing outlives the closing */

  TfMemoryPoolNode pool_node;
  GMainContext *context; /* (owned) (nullable): where it was made, for what no caller asked for */
};

TfStore *tf_store_new   (void);
TfStore *tf_store_ref   (TfStore *self);
void     tf_store_unref (TfStore *self);

void     tf_store_open_in_memory (TfStore             *self,
                                  gint64               max_size,
                                  const TfStoreFuncs  *funcs,
                                  GObject             *owner);
void     tf_store_open_on_disk   (TfStore             *self,
                                  int                  fd,
                                  const char          *where,
                                  const TfStoreFuncs  *funcs,
                                  GObject             *owner);
void     tf_store_hold_back      (TfStore             *self);
gboolean tf_store_close          (TfStore             *self,
                                  GError             **error);

gboolean tf_store_is_blank        (TfStore  *self);
gboolean tf_store_check_open      (TfStore  *self,
                                   GError  **error);
gboolean tf_store_check_blocking  (TfStore  *self,
                                   GError  **error);
gboolean tf_store_has_rolled_over (TfStore  *self);

gboolean tf_store_lock         (TfStore       *self,
                                GCancellable  *cancellable,
                                GError       **error);
gboolean tf_store_lock_settled (TfStore       *self,
                                GCancellable  *cancellable,
                                GError       **error);
void     tf_store_unlock       (TfStore       *self);

gboolean tf_store_make_room       (TfStore       *self,
                                   gsize          count,
                                   GCancellable  *cancellable,
                                   GError       **error);
gboolean tf_store_move_to         (TfStore       *self,
                                   goffset        position,
                                   GError       **error);
void     tf_store_replace_backing (TfStore       *self,
                                   TfBacking     *backing);

gboolean      tf_store_read_locking  (TfStore              *self,
                                      gpointer              data,
                                      gsize                 count,
                                      gsize                *n_read,
                                      GCancellable         *cancellable,
                                      GError              **error);
GBytes       *tf_store_read_bytes    (TfStore              *self,
                                      gsize                 count,
                                      GCancellable         *cancellable,
                                      GError              **error);
const guint8 *tf_store_peek          (TfStore              *self,
                                      gsize                *count);
gboolean      tf_store_fill          (TfStore              *self,
                                      gsize                 count,
                                      gsize                *available,
                                      GCancellable         *cancellable,
                                      GError              **error);
gboolean      tf_store_consume       (TfStore              *self,
                                      gsize                 count,
                                      GError              **error);
char         *tf_store_read_upto     (TfStore              *self,
                                      const char           *stops,
                                      gsize                 n_stops,
                                      gboolean              with_stop,
                                      gsize                *length,
                                      GCancellable         *cancellable,
                                      GError              **error);
gboolean      tf_store_skip          (TfStore              *self,
                                      gsize                 count,
                                      gsize                *n_skipped,
                                      GCancellable         *cancellable,
                                      GError              **error);
gboolean      tf_store_write_locking (TfStore              *self,
                                      gconstpointer         data,
                                      gsize                 count,
                                      gsize                *n_written,
                                      GCancellable         *cancellable,
                                      GError              **error);
gboolean      tf_store_writev        (TfStore              *self,
                                      const GOutputVector  *vectors,
                                      gsize                 n_vectors,
                                      gsize                *n_written,
                                      GCancellable         *cancellable,
                                      GError              **error);
goffset       tf_store_get_size      (TfStore              *self);
goffset       tf_store_tell          (TfStore              *self);
gboolean      tf_store_seek          (TfStore              *self,
                                      goffset               offset,
                                      GSeekType             type,
                                      GCancellable         *cancellable,
                                      GError              **error);
gboolean      tf_store_truncate      (TfStore              *self,
                                      goffset               size,
                                      GCancellable         *cancellable,
                                      GError              **error);
gboolean      tf_store_reserve       (TfStore              *self,
                                      goffset               size,
                                      GCancellable         *cancellable,
                                      GError              **error);
gboolean      tf_store_flush         (TfStore              *self,
                                      GCancellable         *cancellable,
                                      GError              **error);
gboolean      tf_store_roll_over     (TfStore              *self,
                                      GCancellable         *cancellable,
                                      GError              **error);
int           tf_store_get_fd        (TfStore              *self,
                                      GCancellable         *cancellable,
                                      GError              **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfStore, tf_store_unref)

/* Reads @count bytes, or those up to the end. On failure @n_read says by how much the position moved.
 *
 * What is in memory and in one piece is copied here, without the lock, if no other thread can be using the
 * store: glibc knows that there is none. Nothing is called on the way that could start one. Everything else,
 * the end of the file and every error included, is for tf_store_read_locking(). */
static inline gboolean
tf_store_read (TfStore       *self,
               gpointer       data,
               gsize          count,
               gsize         *n_read,
               GCancellable  *cancellable,
               GError       **error)
{
  const guint8 *source = NULL;

  if (cancellable == NULL && count > 0 && __libc_single_threaded && self->state == TF_STORE_OPEN)
    source = tf_backing_peek (&self->backing, self->position, count);
  if (source == NULL)
    return tf_store_read_locking (self, data, count, n_read, cancellable, error);

  *n_read = count;
  self->position += count;
  memcpy (data, source, count);
  return TRUE;
}

/* Where @count bytes that are written at the position need only be copied to, as the content that they are from
 * now on: where there is room in memory, or behind what is held back already. Else, and for none, NULL, with
 * nothing done. For memory the state is not looked at, because only what is open has room. */
static inline guint8 *
tf_store_claim (TfStore *self,
                gsize    count)
{
  guint8 *target = tf_memory_buffer_claim (&self->backing.memory, self->position, count);

  if (target == NULL && count > 0 && self->backing.io_buffer != NULL && self->state == TF_STORE_OPEN)
    target = tf_io_buffer_claim (self->backing.io_buffer, self->position, count);

  return target;
}

/* Writes all @count bytes, or fails; then @n_written, if it is wanted, says by how much the position moved.
 *
 * What need only be copied is copied here, without the lock if no other thread can be using the store, as in
 * tf_store_read(). Everything else is for tf_store_write_locking(). */
static inline gboolean
tf_store_write (TfStore        *self,
                gconstpointer   data,
                gsize           count,
                gsize          *n_written,
                GCancellable   *cancellable,
                GError        **error)
{
  guint8 *target = NULL;

  if (cancellable == NULL && __libc_single_threaded)
    target = tf_store_claim (self, count);
  if (target == NULL)
    return tf_store_write_locking (self, data, count, n_written, cancellable, error);

  if (n_written != NULL)
    *n_written = count;
  self->position += count;
  memcpy (target, data, count);
  return TRUE;
}

G_END_DECLS
