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

#include "base/tf-fork.h"
#include "base/tf-task.h"
#include "tf-backing.h"
#include "tf-memory-pool.h"

G_BEGIN_DECLS

/* The bytes of one temporary file and one position in them, shared by the file object and its streams.
 *
 * A store is blank until it gets its first backing: memory (tf_store_open_in_memory) or a descriptor
 * (tf_store_open_on_disk). A store in memory rolls over to disk when it outgrows a limit, when there is not enough
 * memory, or when it is told to. It never moves back. A closed store stays closed.
 *
 *     BLANK → OPEN in memory → OPEN on disk → CLOSED
 *     BLANK → OPEN on disk → CLOSED
 *
 * Before a fork, stores on disk bring out what they hold back and share their position through the offset of the
 * descriptor, as if it was handed out: parent and child use one file with one position then, and each reads what the
 * other has written. Stores in memory are copied by the fork.
 *
 * Rolling over copies first and swaps last: the memory stays valid until the descriptor has every byte, and a failure
 * changes nothing.
 *
 * Pins keep the backing. The open store has one itself; each reader has one, and so have bytes that were stolen from
 * memory. Closing the store drops its own pin, and whoever drops the last one releases the backing. The bytes of a
 * closed store do not change any more, because everything that could change them looks at the state first.
 *
 * After its descriptor was handed out, the backing is shared. The offset of the descriptor is the position then, and
 * @position is a copy of it that is updated each time the store is locked.
 *
 * All functions may be called from any thread. Each holds the lock while it works. A thread that copies all bytes, or
 * that calls the owner or other code of the user's in the middle of an operation, gives the lock up and is the copier
 * meanwhile: readers can read, and the store can be closed, but everything else that needs the lock waits for the
 * copier, or fails with G_IO_ERROR_PENDING if it is called by the copier itself. The copier has a pin.
 *
 * Asynchronous operations close the gate of the store, so that no fast path is taken while one may be under way. Whoever
 * may not overtake them looks at the gate, and opens it again if it finds that none is. Those of the two streams of a
 * file take tickets when they go to a worker, and have their turns in this order. Who has no ticket waits until all
 * turns are over. Whoever is cancelled while waiting stops waiting and gives up the ticket. Waiting looks at the
 * cancellable from time to time: to be told, one would have to disconnect from it, which waits for handlers of the user's.
 *
 * The functions that only ask never wait. While another thread holds the lock, they return what was the case when it
 * took the lock: whoever gives the lock up, or changes something without it, shows what is the case then.
 *
 * A thread that uses the owner without the lock borrows it, which never waits. Who disposes of the owner meanwhile leaves
 * it a reference, and whoever is the last to give it back drops that. A GWeakRef would not do: GLib takes the reference
 * under a lock of its own and calls toggle references there, which wait for the lock of an interpreter. What has that
 * lock may be waiting for GLib's.
 *
 * In a thread that must not block, see tf_task_may_block(), a function that would touch the disk or wait for another
 * thread fails with G_IO_ERROR_WOULD_BLOCK and changes nothing. */
typedef struct _TfStore TfStore;

/* Functions of the owner of a store. */
typedef struct
{
  /* Returns a copy of what @open needs, because the owner may be gone then. Called with the lock held. */
  gpointer (*prepare) (gpointer       owner);
  /* Opens the descriptor to roll over to, and frees @place. Sets @where to the directory, for messages. Called without
   * the lock. */
  int  (*open)        (gpointer       place,
                       char         **where,
                       GCancellable  *cancellable,
                       GError       **error);
  /* Called after rolling over, without the lock, and deferred. */
  void (*rolled_over) (gpointer       owner);
  /* (nullable): called when the file is at @path, without the lock, in the thread that persisted it. */
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
  gatomicrefcount n_refs;
  TfStoreState state; /* (atomic): changed with the lock held only */
  gint gate_closed;   /* (atomic): a boolean */
  gint n_pins;        /* (atomic): the backing is released when it becomes 0 */
  gint n_waiting;     /* (atomic): threads that want the lock */
  gboolean rolled_over; /* (atomic) */
  guint32 lent_at;     /* the lower part of a position */
  gconstpointer copier; /* (nullable): the thread that is the copier */
  guint16 next_ticket; /* (atomic) */
  guint16 turn;        /* the ticket whose turn it is */
  guint16 generation;  /* of tf_fork_get_generation(): of the process that has created it */
  guint8 told;         /* a boolean: the owner is told, or will be, that the store has rolled over. It is not set with the
                        * lock, so that no other bit may be in its byte */
  guint8 at_rest : 1;  /* open, with an open gate, without a copier, and with nothing to tell: the fast paths may be taken.
                        * Otherwise no memory is claimed */
  guint8 must_tell : 1; /* rolled over, and the owner was not notified yet */
  guint8 lasting : 1;  /* the file behind the backing has a lasting name */
  guint8 must_share : 1; /* a fork came while there was a copier, which uses the backing without the lock */
  guint8 lent : 1;     /* somebody may be looking at bytes that tf_store_peek() returned at @lent_at */
  GArray *given_up;    /* (owned) (nullable) (element-type guint16): tickets that come later, and have no turn */
  GCond changed;       /* there is no copier any more, or it is another turn */

  TfBacking backing;
  TfBacking *left;  /* (owned) (nullable): what the store has left for the disk, to be released without the lock */
  goffset position; /* in bytes; while the backing is shared, a copy of the descriptor's offset */
  goffset seen_position; /* (atomic): of the moment when the lock was last given up, like the others */
  goffset seen_end;      /* (atomic): the size, or where what is held back ends if fstat(2) has to tell the size */
  goffset told_size;     /* (atomic): what fstat(2) told last, if it has to; -1 if not */

  gint64 max_size;  /* the largest size in memory, in bytes; -1 for no limit */
  const TfStoreFuncs *funcs;
  gpointer owner;     /* (unowned): valid with the lock while TF_STORE_OPEN, because it closes the store before it is
                       * finalized, and for who has borrowed it */
  guint n_borrowers;  /* (atomic): of the owner, and a bit that tells that it goes */
  guint32 reserved;   /* room that the disk must have as well, in units of TF_STORE_RESERVED_UNIT */

  TfMemoryPoolNode pool_node;
  TfForkGuard *fork_guard; /* (owned) (atomic) (nullable): of a TfStoreGuard, once the store is on disk, or was used when
                            * there was another thread */
  union
  {
    GMainContext *context;    /* (owned) (nullable): of the creation, for notifications that no call causes */
    TfTaskDeferral *deferral; /* (owned) (nullable): if @told; what tells the owner, or has told it */
  } tells;
};

/* In bytes */
#define TF_STORE_RESERVED_UNIT ((gsize) 4096)

/* Who else can open an empty file, and what follows from that. */
typedef enum
{
  TF_STORE_VISIBLE,  /* others see each write at once */
  TF_STORE_BUFFERED, /* others see small writes when they are brought out */
  TF_STORE_UNNAMED,  /* nobody: in addition, the size is known */
} TfStoreSharing;

TfStore *tf_store_new   (void);
TfStore *tf_store_ref   (TfStore *self);
void     tf_store_unref (TfStore *self);

void     tf_store_open_in_memory (TfStore             *self,
                                  gint64               max_size,
                                  const TfStoreFuncs  *funcs,
                                  GObject             *owner);
void     tf_store_open_on_disk   (TfStore             *self,
                                  TfStoreSharing       sharing,
                                  int                  fd,
                                  const char          *where,
                                  const TfStoreFuncs  *funcs,
                                  GObject             *owner);
void     tf_store_set_max_size   (TfStore             *self,
                                  gint64               max_size);
gboolean tf_store_close          (TfStore             *self,
                                  GError             **error);
gboolean tf_store_close_locked   (TfStore             *self,
                                  GError             **error);

void tf_store_part_with_owner (TfStore *self);

gboolean tf_store_is_blank        (TfStore  *self);
gboolean tf_store_fail_closed     (TfStore  *self,
                                   GError  **error);
gboolean tf_store_check_open      (TfStore  *self,
                                   GError  **error);
gboolean tf_store_check_blocking  (TfStore  *self,
                                   GError  **error);
gboolean tf_store_has_rolled_over (TfStore  *self);
gboolean tf_store_has_place       (TfStore  *self);

gboolean tf_store_lock         (TfStore       *self,
                                GCancellable  *cancellable,
                                GError       **error);
gboolean tf_store_lock_settled (TfStore       *self,
                                GCancellable  *cancellable,
                                GError       **error);
void     tf_store_unlock       (TfStore       *self);

gboolean tf_store_lock_two_settled (TfStore       *first,
                                    TfStore       *second,
                                    GCancellable  *cancellable,
                                    GError       **error);

/* The bytes of a store can be read from pinning to unpinning, even after the store was closed. Pinning and unpinning
 * never wait for another thread. */
gboolean tf_store_pin   (TfStore  *self,
                         GError  **error);
void     tf_store_unpin (TfStore  *self);

gboolean tf_store_pinned_read     (TfStore       *self,
                                   goffset        offset,
                                   gpointer       data,
                                   gsize          count,
                                   gsize         *n_read,
                                   GCancellable  *cancellable,
                                   GError       **error);
gboolean tf_store_pinned_get_size (TfStore       *self,
                                   goffset       *size,
                                   GError       **error);

void     tf_store_close_gate      (TfStore *self);
void     tf_store_open_gate       (TfStore *self);
TfStore *tf_store_begin_closing   (TfStore *self);
void     tf_store_end_closing     (TfStore *outer);
gboolean tf_store_is_closing_here (TfStore *self);

/* Calls of the two streams of a file. A stream is refused while the file itself has an asynchronous operation under way.
 * The other stream may have one; then theirs are done in the order in which they were started. */
gboolean tf_store_check_stream_idle (TfStore     *self,
                                     GError     **error);
void     tf_store_run_for_stream    (TfStore     *self,
                                     GTask       *task,
                                     TfTaskFunc   func,
                                     gpointer     data);

void     tf_store_begin_copy (TfStore  *self);
gboolean tf_store_end_copy   (TfStore  *self,
                              GError  **error);

/* Gives the lock up without notifying the owner, and takes it again. */
void tf_store_pause  (TfStore *self);
void tf_store_resume (TfStore *self);

gboolean tf_store_make_room        (TfStore       *self,
                                    gsize          count,
                                    GCancellable  *cancellable,
                                    GError       **error);
gboolean tf_store_move_to          (TfStore       *self,
                                    goffset        position,
                                    GError       **error);
void     tf_store_exchange_backing (TfStore       *self,
                                    TfBacking     *backing);

void          tf_store_let_readers_in  (TfStore              *self);
void          tf_store_end_write       (TfStore              *self,
                                        gsize                 n_written,
                                        gboolean              success);
gboolean      tf_store_may_copy        (gsize                 count,
                                        GError              **error);
gboolean      tf_store_read_in_pieces  (TfStore              *self,
                                        gpointer              data,
                                        gsize                 count,
                                        gsize                *n_read,
                                        GCancellable         *cancellable,
                                        GError              **error);
gboolean      tf_store_write_in_pieces (TfStore              *self,
                                        const GOutputVector  *vectors,
                                        gsize                 n_vectors,
                                        gsize                *n_written,
                                        GCancellable         *cancellable,
                                        GError              **error);
gboolean      tf_store_read_locking    (TfStore              *self,
                                        gpointer              data,
                                        gsize                 count,
                                        gsize                *n_read,
                                        GCancellable         *cancellable,
                                        GError              **error);
gboolean      tf_store_read_data       (TfStore              *self,
                                        gsize                 count,
                                        guint8              **data,
                                        gsize                *n_read,
                                        GCancellable         *cancellable,
                                        GError              **error);
GBytes       *tf_store_read_bytes      (TfStore              *self,
                                        gsize                 count,
                                        GCancellable         *cancellable,
                                        GError              **error);
const guint8 *tf_store_peek            (TfStore              *self,
                                        gsize                *count);
gboolean      tf_store_fill            (TfStore              *self,
                                        gsize                 count,
                                        gsize                *available,
                                        GCancellable         *cancellable,
                                        GError              **error);
gboolean      tf_store_consume         (TfStore              *self,
                                        gsize                 count,
                                        GError              **error);
char         *tf_store_read_upto       (TfStore              *self,
                                        const char           *stops,
                                        gsize                 n_stops,
                                        gboolean              with_stop,
                                        gsize                *length,
                                        GCancellable         *cancellable,
                                        GError              **error);
gboolean      tf_store_skip            (TfStore              *self,
                                        gsize                 count,
                                        gsize                *n_skipped,
                                        GCancellable         *cancellable,
                                        GError              **error);
gboolean      tf_store_read_at_rest    (TfStore              *self,
                                        gpointer              data,
                                        gsize                 count,
                                        gsize                *n_read);
gboolean      tf_store_read_line_at_rest
                                       (TfStore              *self,
                                        gpointer              buffer,
                                        gsize                 size,
                                        gsize                *length);
gboolean      tf_store_write_at_rest   (TfStore              *self,
                                        gconstpointer         data,
                                        gsize                 count);
gboolean      tf_store_write_locking   (TfStore              *self,
                                        gconstpointer         data,
                                        gsize                 count,
                                        gsize                *n_written,
                                        GCancellable         *cancellable,
                                        GError              **error);
gboolean      tf_store_writev          (TfStore              *self,
                                        const GOutputVector  *vectors,
                                        gsize                 n_vectors,
                                        gsize                *n_written,
                                        GCancellable         *cancellable,
                                        GError              **error);
goffset       tf_store_get_size        (TfStore              *self);
goffset       tf_store_tell            (TfStore              *self);
gboolean      tf_store_seek            (TfStore              *self,
                                        goffset               offset,
                                        GSeekType             type,
                                        GCancellable         *cancellable,
                                        GError              **error);
gboolean      tf_store_seek_at_rest    (TfStore              *self,
                                        goffset               offset,
                                        GSeekType             type);
gboolean      tf_store_close_at_rest   (TfStore              *self);
gboolean      tf_store_truncate        (TfStore              *self,
                                        goffset               size,
                                        GCancellable         *cancellable,
                                        GError              **error);
gboolean      tf_store_reserve         (TfStore              *self,
                                        goffset               size,
                                        GCancellable         *cancellable,
                                        GError              **error);
gboolean      tf_store_flush           (TfStore              *self,
                                        GCancellable         *cancellable,
                                        GError              **error);
gboolean      tf_store_flush_open      (TfStore              *self,
                                        GCancellable         *cancellable,
                                        GError              **error);
gboolean      tf_store_roll_over       (TfStore              *self,
                                        GCancellable         *cancellable,
                                        GError              **error);
int           tf_store_get_fd          (TfStore              *self,
                                        GCancellable         *cancellable,
                                        GError              **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfStore, tf_store_unref)

/* Moves the position without the lock. */
static inline void
tf_store_advance (TfStore *self,
                  gsize    count)
{
  self->position += count;
  __atomic_store_n (&self->seen_position, self->position, __ATOMIC_RELAXED);
}

/* Called after tf_store_advance() for bytes that were written to memory, or are held back. */
static inline void
tf_store_extend (TfStore *self)
{
  if (self->seen_end < self->position)
    __atomic_store_n (&self->seen_end, self->position, __ATOMIC_RELAXED);
}

/* Reads @count bytes if they only have to be copied. Otherwise, returns FALSE without a change.
 *
 * If the process has only one thread, which glibc knows, bytes in memory are copied here without the lock. This is
 * right because nothing that is called here can start a thread. Everything else, including the end of the file and all
 * errors, is done by tf_store_read_locking(). */
static inline gboolean
tf_store_read_at_once (TfStore       *self,
                       gpointer       data,
                       gsize          count,
                       GCancellable  *cancellable)
{
  const guint8 *source = NULL;

  if (cancellable == NULL && count > 0 && __libc_single_threaded && self->at_rest)
    source = tf_backing_peek (&self->backing, self->position, count);
  if (source == NULL)
    return FALSE;

  tf_store_advance (self, count);
  memcpy (data, source, count);
  return TRUE;
}

/* Whether bytes that are there can be used without the lock, for the same reason. */
static inline gboolean
tf_store_is_alone (const TfStore *self)
{
  return __libc_single_threaded && self->at_rest && !self->backing.shared;
}

static inline void
tf_store_lend (TfStore  *self,
               gboolean  lends)
{
  self->lent = lends;
  self->lent_at = self->position;
}

/* Like tf_store_peek(), or returns NULL. */
static inline const guint8 *
tf_store_peek_at_once (TfStore *self,
                       gsize   *count)
{
  const guint8 *data = tf_store_is_alone (self) ? tf_backing_peek_some (&self->backing, self->position, count) : NULL;

  if (data != NULL)
    tf_store_lend (self, TRUE);
  return data;
}

/* Like tf_store_consume(), or returns FALSE without a change. */
static inline gboolean
tf_store_consume_at_once (TfStore *self,
                          gsize    count)
{
  gsize available;

  if (count == 0 || !tf_store_is_alone (self) ||
      tf_backing_peek_some (&self->backing, self->position, &available) == NULL || count > available)
    return FALSE;

  self->lent = FALSE;
  tf_store_advance (self, count);
  return TRUE;
}

/* Like tf_store_read_at_once(), but reads the line at the position, with its newline, if it is no longer than @size. */
static inline gboolean
tf_store_read_line_at_once (TfStore  *self,
                            gpointer  buffer,
                            gsize     size,
                            gsize    *length)
{
  const guint8 *line = tf_store_is_alone (self) ? tf_backing_peek_line (&self->backing, self->position, size, length) : NULL;

  if (line == NULL)
    return FALSE;

  tf_store_advance (self, *length);
  memcpy (buffer, line, *length);
  return TRUE;
}

/* Extends the content for @count bytes at the position and returns where to copy them, if there is room in memory or
 * behind what is held back. Otherwise, and for a @count of 0, returns NULL without a change. For memory, it is not checked
 * whether the store is at rest, because otherwise there is no room. */
static inline guint8 *
tf_store_claim (TfStore *self,
                gsize    count)
{
  guint8 *target = tf_memory_buffer_claim (&self->backing.memory, self->position, count);

  if (target == NULL && count > 0 && self->backing.io_buffer != NULL && self->at_rest)
    target = tf_io_buffer_claim (self->backing.io_buffer, self->position, count);

  return target;
}

/* Writes @count bytes if they only have to be copied, as tf_store_read_at_once() reads them. Otherwise, returns FALSE
 * without a change, and tf_store_write_locking() is called. */
static inline gboolean
tf_store_write_at_once (TfStore       *self,
                        gconstpointer  data,
                        gsize          count,
                        GCancellable  *cancellable)
{
  guint8 *target = NULL;

  if (cancellable == NULL && __libc_single_threaded)
    target = tf_store_claim (self, count);
  if (target == NULL)
    return FALSE;

  tf_store_advance (self, count);
  tf_store_extend (self);
  memcpy (target, data, count);
  return TRUE;
}

G_END_DECLS
