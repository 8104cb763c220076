/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-store-internal.h"

/* TfStore **: where this thread has what it rolls over put, instead of telling the owner. */
static GPrivate notify_later;

TfStore *
tf_store_new (void)
{
  TfStore *self = g_atomic_rc_box_new0 (TfStore);

  g_mutex_init (&self->lock);
  self->stage = (TfStage) TF_STAGE_INIT_IN_MEMORY;
  return self;
}

TfStore *
tf_store_ref (TfStore *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
tf_store_free (gpointer data)
{
  TfStore *self = data;

  tf_store_leave_memory (self);
  tf_stage_clear (&self->stage);
  g_clear_pointer (&self->context, g_main_context_unref);
  if (self->rolled_over)
    g_weak_ref_clear (&self->emitter);
  g_mutex_clear (&self->lock);
}

void
tf_store_unref (TfStore *self)
{
  g_atomic_rc_box_release_full (self, tf_store_free);
}

/* A blank store becomes a file of no bytes in memory. Until it is closed, @owner must live. */
void
tf_store_open_in_memory (TfStore            *self,
                         gint64              max_size,
                         const TfStoreFuncs *funcs,
                         GObject            *owner)
{
  g_mutex_lock (&self->lock);
  g_assert (self->state == TF_STORE_BLANK);
  self->state = TF_STORE_OPEN;
  self->max_size = max_size;
  self->funcs = funcs;
  self->owner = owner;
  if (g_main_context_get_thread_default () != NULL)
    self->context = g_main_context_ref_thread_default ();
  tf_store_enter_memory (self);
  g_mutex_unlock (&self->lock);
}

/* A blank store becomes the file behind @fd, which it takes over. */
void
tf_store_open_on_disk (TfStore    *self,
                       int         fd,
                       const char *where)
{
  g_mutex_lock (&self->lock);
  g_assert (self->state == TF_STORE_BLANK);
  self->state = TF_STORE_OPEN;
  self->stage.fd = fd;
  self->stage.where = g_strdup (where);
  g_mutex_unlock (&self->lock);
}

/* Nobody else has a way to the file: what is written may be held back until someone gets one. */
void
tf_store_buffer (TfStore *self)
{
  g_mutex_lock (&self->lock);
  tf_stage_buffer (&self->stage);
  g_mutex_unlock (&self->lock);
}

static gboolean
check_open (TfStore  *self,
            GError  **error)
{
  if (G_LIKELY (self->state == TF_STORE_OPEN))
    return TRUE;

  if (self->state == TF_STORE_BLANK)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED,
                         "The temporary file was not initialized: call g_initable_init() first");
  else
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The temporary file is closed");

  return FALSE;
}

static gboolean
set_would_block (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "The temporary file has to wait for the disk");
  return FALSE;
}

/* Takes the lock of an open store; what succeeded is followed by tf_store_leave(). The stage may hold back
 * bytes: whoever uses its descriptor takes tf_store_enter(). */
gboolean
tf_store_enter_buffered (TfStore       *self,
                         GCancellable  *cancellable,
                         GError       **error)
{
  if (cancellable != NULL && g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  g_mutex_lock (&self->lock);
  if (!check_open (self, error))
    {
      g_mutex_unlock (&self->lock);
      return FALSE;
    }

  if (G_UNLIKELY (self->stage.shared))
    tf_stage_get_offset (&self->stage, &self->position);
  return TRUE;
}

/* As tf_store_enter_buffered(); and all bytes are behind the descriptor, where there is one. */
gboolean
tf_store_enter (TfStore       *self,
                GCancellable  *cancellable,
                GError       **error)
{
  if (!tf_store_enter_buffered (self, cancellable, error))
    return FALSE;

  if (!tf_stage_settle (&self->stage, cancellable, error))
    {
      tf_store_leave (self);
      return FALSE;
    }

  return TRUE;
}

/* As tf_store_enter(), but only for a store in memory that nobody is busy with. Then, until it is left, it
 * does not go to disk. */
gboolean
tf_store_try_enter (TfStore       *self,
                    GCancellable  *cancellable,
                    GError       **error)
{
  gboolean success;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  if (!g_mutex_trylock (&self->lock))
    return set_would_block (error);

  success = check_open (self, error) &&
            (tf_stage_is_in_memory (&self->stage) || set_would_block (error));
  self->trying = success;
  if (!success)
    g_mutex_unlock (&self->lock);

  return success;
}

void
tf_store_leave (TfStore *self)
{
  gboolean must_tell = self->must_tell;
  TfStore **rolled_over;

  self->trying = FALSE;
  self->must_tell = FALSE;
  if (G_UNLIKELY (must_tell))
    g_weak_ref_init (&self->emitter, self->owner);
  g_mutex_unlock (&self->lock);

  if (G_LIKELY (!must_tell))
    return;

  rolled_over = g_private_get (&notify_later);
  if (rolled_over != NULL)
    *rolled_over = tf_store_ref (self);
  else
    tf_store_notify (self);
}

/* From now on the calling thread tells no owner that its bytes went to disk, but puts the store, of which
 * there can be one, into *@rolled_over with a reference, for a later tf_store_notify(). NULL ends that. */
void
tf_store_notify_later (TfStore **rolled_over)
{
  g_private_set (&notify_later, rolled_over);
}

void
tf_store_notify (TfStore *self)
{
  g_autoptr(GObject) owner = g_weak_ref_get (&self->emitter);

  if (owner != NULL)
    self->funcs->rolled_over (owner);
}

/* Copies first and swaps last: when it fails, nothing of the memory stage has changed. */
gboolean
tf_store_move_to_disk (TfStore       *self,
                       GCancellable  *cancellable,
                       GError       **error)
{
  g_auto(TfStage) disk = TF_STAGE_INIT_IN_MEMORY;
  TfBuffer *bytes = &self->stage.buffer;
  gsize n_written;

  if (self->trying)
    return set_would_block (error);

  disk.fd = self->funcs->open (self->owner, &disk.where, cancellable, error);
  if (disk.fd < 0 ||
      !tf_stage_write (&disk, 0, bytes->data, bytes->size, &n_written, cancellable, error))
    return FALSE;

  tf_store_leave_memory (self);
  tf_stage_clear (&self->stage);
  self->stage = disk;
  disk = (TfStage) TF_STAGE_INIT_IN_MEMORY;
  tf_stage_buffer (&self->stage);
  self->rolled_over = TRUE;
  self->must_tell = TRUE;
  return TRUE;
}

/* Makes sure that a file in memory can be @size bytes long there; FALSE when it may not, or cannot. Calls nobody
 * back, so that a thread that is alone needs no lock for it. */
gboolean
tf_store_grow (TfStore *self,
               goffset  size)
{
  gsize limit = self->max_size < 0 ? G_MAXSSIZE : MIN ((guint64) self->max_size, G_MAXSSIZE);

  if ((guint64) size > limit || !tf_store_charge (self, size) || !tf_stage_reserve (&self->stage, size, limit))
    return FALSE;

  tf_store_bound_room (self);
  return TRUE;
}

/* Makes sure that the file can be @size bytes long, on disk if it may not or cannot be in memory. */
gboolean
tf_store_reserve (TfStore       *self,
                  goffset        size,
                  GCancellable  *cancellable,
                  GError       **error)
{
  if (!tf_stage_is_in_memory (&self->stage) ||
      tf_store_grow (self, size) ||
      tf_store_move_to_disk (self, cancellable, error))
    return TRUE;

  tf_store_recount (self);
  return FALSE;
}

/* Goes to disk now; succeeds at once when it is there. */
gboolean
tf_store_roll_over (TfStore       *self,
                    GCancellable  *cancellable,
                    GError       **error)
{
  gboolean success;

  if (!tf_store_enter (self, cancellable, error))
    return FALSE;

  success = !tf_stage_is_in_memory (&self->stage) || tf_store_move_to_disk (self, cancellable, error);
  tf_store_leave (self);
  return success;
}

/* Returns the descriptor, which stays the store's and stands at the position. From now on whoever moves
 * the one moves the other. */
int
tf_store_get_fd (TfStore  *self,
                 GError  **error)
{
  int fd = -1;

  if (!tf_store_enter (self, NULL, error))
    return -1;

  if ((!tf_stage_is_in_memory (&self->stage) || tf_store_move_to_disk (self, NULL, error)) &&
      (self->stage.shared || tf_stage_share (&self->stage, self->position, error)))
    fd = self->stage.fd;

  tf_store_leave (self);
  return fd;
}

/* Whether a call that uses the bytes could touch the disk or have to wait for another thread. */
gboolean
tf_store_would_block (TfStore *self)
{
  if (!tf_store_try_enter (self, NULL, NULL))
    return TRUE;

  tf_store_leave (self);
  return FALSE;
}

/* Writes what is held back. A store that is not open holds nothing. */
gboolean
tf_store_flush (TfStore       *self,
                gboolean       blocking,
                GCancellable  *cancellable,
                GError       **error)
{
  gboolean success = TRUE;

  if (blocking)
    g_mutex_lock (&self->lock);
  else if (!g_mutex_trylock (&self->lock))
    return set_would_block (error);

  if (self->state == TF_STORE_OPEN && !blocking && tf_stage_is_dirty (&self->stage))
    success = set_would_block (error);
  else if (self->state == TF_STORE_OPEN)
    success = tf_stage_flush (&self->stage, cancellable, error);
  g_mutex_unlock (&self->lock);

  return success;
}

gboolean
tf_store_is_blank (TfStore *self)
{
  gboolean blank;

  g_mutex_lock (&self->lock);
  blank = self->state == TF_STORE_BLANK;
  g_mutex_unlock (&self->lock);
  return blank;
}

/* Fails as every other call does on a store that is blank or closed. */
gboolean
tf_store_check_open (TfStore  *self,
                     GError  **error)
{
  gboolean is_open;

  g_mutex_lock (&self->lock);
  is_open = check_open (self, error);
  g_mutex_unlock (&self->lock);
  return is_open;
}

/* Whether it went from memory to disk; still true after it was closed. */
gboolean
tf_store_has_rolled_over (TfStore *self)
{
  gboolean rolled_over;

  g_mutex_lock (&self->lock);
  rolled_over = self->rolled_over;
  g_mutex_unlock (&self->lock);
  return rolled_over;
}

/* Lets go of the bytes, or leaves them to those who hold them. Again is fine. Fails when the disk refuses
 * at last what it had taken before. */
gboolean
tf_store_close (TfStore  *self,
                GError  **error)
{
  gboolean success;

  g_mutex_lock (&self->lock);
  self->state = TF_STORE_CLOSED;
  self->stage.room = 0;
  tf_store_leave_memory (self);
  success = self->n_holds > 0 || tf_stage_close (&self->stage, error);
  g_mutex_unlock (&self->lock);

  return success;
}
