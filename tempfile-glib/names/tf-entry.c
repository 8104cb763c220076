/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-entry.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-debug.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "tf-mark.h"
#include "tf-open.h"
#include "tf-registry.h"
#include "tree/tf-remove.h"

/* How often a sweep may take a new entry away before it got its lock. */
#define TRIES 16

typedef int (*OpenFunc) (const TfTemplate  *template,
                         char             **path,
                         GCancellable      *cancellable,
                         GError           **error);

static int
open_new_file (const TfTemplate  *template,
               char             **path,
               GCancellable      *cancellable,
               GError           **error)
{
  return tf_open_named (template, path, cancellable, error);
}

static int
open_new_dir (const TfTemplate  *template,
              char             **path,
              GCancellable      *cancellable,
              GError           **error)
{
  int fd = -1;

  *path = tf_open_make_dir (template, &fd, cancellable, error);
  return fd;
}

static void
remove_path (TfEntry *self)
{
  if (self->is_dir)
    rmdir (self->path);
  else
    unlink (self->path);
}

/* Locks and marks what was just created, and gives it the mode that was asked for. FALSE with errno set;
 * EAGAIN when a sweep was faster and took it away. */
static gboolean
set_up (TfEntry          *self,
        int               fd,
        const TfTemplate *template)
{
  struct statx stx;
  gboolean locked = tf_mark_lock (fd);

  if (!tf_identity_stat (&self->identity, fd, &stx))
    return FALSE;

  /* A directory was made and opened in two steps: another's may be at its path. */
  if (self->is_dir && stx.stx_uid != geteuid ())
    {
      errno = EPERM;
      return FALSE;
    }

  if (!locked || stx.stx_nlink == 0)
    {
      errno = EAGAIN;
      return FALSE;
    }

  if (!tf_debug_has (TF_DEBUG_KEEP))
    tf_mark_set (fd, &self->identity);

  return fchmod (fd, stx.stx_mode & template->mode) == 0;
}

static int
create (TfEntry           *self,
        const TfTemplate  *template,
        OpenFunc           open_new,
        GCancellable      *cancellable,
        GError           **error)
{
  TfTemplate marked = *template;
  int saved_errno = EAGAIN;

  marked.mode |= TF_MARK_MODE | (self->is_dir ? S_IRWXU : 0);

  for (int i = 0; i < TRIES && saved_errno == EAGAIN; i++)
    {
      tf_autofd int fd = open_new (&marked, &self->path, cancellable, error);

      if (fd < 0)
        return -1;

      if (set_up (self, fd, template))
        return tf_steal_fd (&fd);

      saved_errno = errno;
      remove_path (self);
      g_clear_pointer (&self->path, g_free);
    }

  tf_set_errno (error, saved_errno, "create a temporary name in", template->dir);
  return -1;
}

static int
create_and_register (TfEntry           *self,
                     const TfTemplate  *template,
                     OpenFunc           open_new,
                     GCancellable      *cancellable,
                     GError           **error)
{
  int fd;

  tf_registry_begin ();
  self->pid = getpid ();
  self->generation = tf_registry_generation ();
  fd = create (self, template, open_new, cancellable, error);
  if (fd >= 0)
    {
      if (self->is_dir)
        self->fd = fd;
      tf_debug_trace ("created", self->path);
    }
  tf_registry_end (fd >= 0 ? self : NULL);

  return fd;
}

/* Creates a file. Returns its descriptor, which holds the lock, for reading and writing. */
int
tf_entry_create_file (TfEntry           *self,
                      const TfTemplate  *template,
                      GCancellable      *cancellable,
                      GError           **error)
{
  return create_and_register (self, template, open_new_file, cancellable, error);
}

/* Makes a directory, and keeps a descriptor of it until it is removed or let go of. */
gboolean
tf_entry_create_dir (TfEntry           *self,
                     const TfTemplate  *template,
                     GCancellable      *cancellable,
                     GError           **error)
{
  self->is_dir = TRUE;
  return create_and_register (self, template, open_new_dir, cancellable, error) >= 0;
}

/* FALSE for the copy of a parent's entry in a forked child. The process ID is for forks that pthread_atfork()
 * does not see, the generation for process IDs that are the same in another namespace. */
static gboolean
is_ours (const TfEntry *self)
{
  return self->generation == tf_registry_generation () && self->pid == getpid ();
}

static gboolean
remove_from_disk (TfEntry       *self,
                  GCancellable  *cancellable,
                  GError       **error)
{
  if (tf_debug_has (TF_DEBUG_KEEP))
    {
      tf_debug_say ("kept", self->path);
      return TRUE;
    }

  if (self->is_dir)
    return tf_remove_tree (self->path, self->fd, &self->identity, cancellable, error);

  return tf_remove_file (self->path, &self->identity, error);
}

static gboolean
exists (const TfEntry *self)
{
  return self->path != NULL && !self->is_gone;
}

static gboolean
remove_ours (TfEntry       *self,
             GCancellable  *cancellable,
             GError       **error)
{
  if (!remove_from_disk (self, cancellable, error))
    return FALSE;

  tf_debug_trace ("removed", self->path);
  tf_registry_remove (self);
  tf_clear_fd (&self->fd);
  self->is_gone = TRUE;
  return TRUE;
}

static gboolean
check_ours (TfEntry  *self,
            GError  **error)
{
  g_autofree char *display = NULL;

  if (is_ours (self))
    return TRUE;

  display = g_filename_display_name (self->path);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
               "“%s” belongs to process %d, of which this is a fork; it is left alone", display, (int) self->pid);
  return FALSE;
}

/* Removes what is there and is ours. Again is fine; after an error, it can be tried again. */
gboolean
tf_entry_remove (TfEntry       *self,
                 GCancellable  *cancellable,
                 GError       **error)
{
  gboolean success;

  tf_registry_claim (self);
  success = !exists (self) || (check_ours (self, error) && remove_ours (self, cancellable, error));
  tf_registry_release (self);
  return success;
}

gboolean
tf_entry_drop_claimed (TfEntry       *self,
                       GCancellable  *cancellable,
                       GError       **error)
{
  return !exists (self) || !is_ours (self) || remove_ours (self, cancellable, error);
}

/* As tf_entry_remove(), when nobody asked for it: a forked child leaves what it has not made without an error. */
gboolean
tf_entry_drop (TfEntry       *self,
               GCancellable  *cancellable,
               GError       **error)
{
  gboolean success;

  tf_registry_claim (self);
  success = tf_entry_drop_claimed (self, cancellable, error);
  tf_registry_release (self);
  return success;
}

static int
open_again (TfEntry *self)
{
  tf_autofd int fd = TEMP_FAILURE_RETRY (open (self->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  TfIdentity identity;

  if (fd < 0 || !tf_identity_read (&identity, fd, "") || !tf_identity_equal (&identity, &self->identity))
    return -1;

  return tf_steal_fd (&fd);
}

static void
set_kept_claimed (TfEntry  *self,
                  int       fd,
                  gboolean  kept)
{
  tf_autofd int opened = -1;

  if (!exists (self) || !is_ours (self))
    return;

  if (fd < 0)
    fd = opened = open_again (self);

  if (kept)
    {
      tf_registry_remove (self);
      if (fd >= 0 && !tf_mark_clear (fd))
        tf_debug_say ("cannot take the mark off", self->path);
    }
  else
    {
      tf_registry_add (self);
      if (fd >= 0 && !tf_debug_has (TF_DEBUG_KEEP))
        tf_mark_set (fd, &self->identity);
    }
}

/* Whether this process, or a sweep after its death, leaves it where it is. @fd is a descriptor of it, or -1. */
void
tf_entry_set_kept (TfEntry  *self,
                   int       fd,
                   gboolean  kept)
{
  if (self->is_kept == kept)
    return;

  self->is_kept = kept;
  tf_registry_claim (self);
  set_kept_claimed (self, fd, kept);
  tf_registry_release (self);
}

/* The entry is for another file from now on, one that is kept. */
void
tf_entry_move (TfEntry           *self,
               const char        *path,
               const TfIdentity  *identity)
{
  tf_registry_claim (self);
  tf_registry_remove (self);
  g_free (self->path);
  self->path = g_strdup (path);
  self->identity = *identity;
  self->is_gone = FALSE;
  self->is_kept = TRUE;
  tf_registry_release (self);
}

/* The user's descriptor of a file is about to be closed: has one of its own hold the lock. For reading only,
 * because what is open for writing cannot be executed. */
void
tf_entry_hold (TfEntry *self)
{
  if (!exists (self) || self->is_kept || self->fd >= 0 || !is_ours (self))
    return;

  self->fd = open_again (self);
  if (self->fd >= 0)
    tf_mark_lock (self->fd);
}

/* Forgets the entry, without removing anything. */
void
tf_entry_clear (TfEntry *self)
{
  tf_registry_forget (self);
  tf_clear_fd (&self->fd);
  g_clear_pointer (&self->path, g_free);
}
