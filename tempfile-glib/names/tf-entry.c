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
#include "tree/tf-remove.h"
#include "tf-mark.h"
#include "tf-open.h"

/* How often a sweep may remove a new entry before it is locked. */
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

/* Locks and marks a new entry, and sets its final mode. Returns FALSE with errno set on failure; to EAGAIN if a sweep
 * has removed it. */
static gboolean
set_up (TfEntry          *self,
        int               fd,
        const TfTemplate *template)
{
  TfSystemStat st;
  gboolean locked = tf_mark_lock (fd);

  if (!tf_identity_stat (&self->identity, fd, "", &st))
    return FALSE;

  /* A directory is created and opened in two steps: in between, another one may have taken its path. */
  if (self->is_dir && st.uid != geteuid ())
    {
      errno = EPERM;
      return FALSE;
    }

  if (!locked || st.n_links == 0)
    {
      errno = EAGAIN;
      return FALSE;
    }

  if (!tf_debug_has (TF_DEBUG_KEEP))
    tf_mark_set (fd, &self->identity);

  return fchmod (fd, st.mode & template->mode) == 0;
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
        return tf_fd_steal (&fd);

      saved_errno = errno;
      remove_path (self);
      g_clear_pointer (&self->path, g_free);
    }

  tf_errno_set (error, saved_errno, "create a temporary name in", template->dir);
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

  tf_registry_begin (&self->node);
  fd = create (self, template, open_new, cancellable, error);
  if (fd >= 0)
    {
      if (self->is_dir)
        self->fd = fd;
      tf_debug_trace ("created", self->path);
    }
  tf_registry_end (&self->node, fd >= 0);

  return fd;
}

/* Creates a file. Returns a descriptor for reading and writing, which holds the lock. */
int
tf_entry_create_file (TfEntry           *self,
                      const TfTemplate  *template,
                      GCancellable      *cancellable,
                      GError           **error)
{
  return create_and_register (self, template, open_new_file, cancellable, error);
}

/* Creates a directory, and keeps a descriptor of it until it is removed or forgotten. */
gboolean
tf_entry_create_dir (TfEntry           *self,
                     const TfTemplate  *template,
                     GCancellable      *cancellable,
                     GError           **error)
{
  self->is_dir = TRUE;
  return create_and_register (self, template, open_new_dir, cancellable, error) >= 0;
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
    return tf_remove_dir (self->path, self->fd, &self->identity, cancellable, error);

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
  tf_registry_remove (&self->node);
  tf_fd_clear (&self->fd);
  self->is_gone = TRUE;
  return TRUE;
}

static gboolean
check_ours (TfEntry  *self,
            GError  **error)
{
  g_autofree char *display = NULL;

  if (tf_registry_is_ours (&self->node))
    return TRUE;

  display = g_filename_display_name (self->path);
  tf_errno_set_code (error, G_IO_ERROR_PERMISSION_DENIED,
                     "“%s” belongs to process %d, of which this is a fork; it is left alone", display, (int) self->node.pid);
  return FALSE;
}

/* Removes the entry if this process created it. Calling this again does nothing and succeeds; after an error, it tries
 * again. */
gboolean
tf_entry_remove (TfEntry       *self,
                 GCancellable  *cancellable,
                 GError       **error)
{
  gboolean success;

  tf_registry_claim (&self->node);
  success = !exists (self) || (check_ours (self, error) && remove_ours (self, cancellable, error));
  tf_registry_release (&self->node);
  return success;
}

static gboolean
drop_claimed (TfEntry       *self,
              GCancellable  *cancellable,
              GError       **error)
{
  return !exists (self) || !tf_registry_is_ours (&self->node) || remove_ours (self, cancellable, error);
}

/* Like tf_entry_remove(), for removal that the user did not ask for: in a forked child, an entry of the parent is no
 * error. */
gboolean
tf_entry_drop (TfEntry       *self,
               GCancellable  *cancellable,
               GError       **error)
{
  gboolean success;

  tf_registry_claim (&self->node);
  success = drop_claimed (self, cancellable, error);
  tf_registry_release (&self->node);
  return success;
}

static int
open_by_path (TfEntry *self)
{
  tf_autofd int fd = TF_RETRY_EINTR (open (self->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  TfIdentity identity;

  if (fd < 0 || !tf_identity_read (&identity, fd, "") || !tf_identity_equal (&identity, &self->identity))
    return -1;

  return tf_fd_steal (&fd);
}

static void
set_kept_claimed (TfEntry  *self,
                  int       fd,
                  gboolean  kept)
{
  tf_autofd int opened = -1;

  if (!exists (self) || !tf_registry_is_ours (&self->node))
    return;

  if (fd < 0)
    fd = opened = open_by_path (self);

  if (kept)
    {
      tf_registry_remove (&self->node);
      if (fd >= 0 && !tf_mark_clear (fd))
        tf_debug_say ("cannot take the mark off", self->path);
    }
  else
    {
      tf_registry_add (&self->node);
      if (fd >= 0 && !tf_debug_has (TF_DEBUG_KEEP))
        tf_mark_set (fd, &self->identity);
    }
}

/* Sets whether this process, and a sweep after its death, leave the entry alone. @fd is a descriptor of it, or -1. */
void
tf_entry_set_kept (TfEntry  *self,
                   int       fd,
                   gboolean  kept)
{
  if (self->is_kept == kept)
    return;

  self->is_kept = kept;
  tf_registry_claim (&self->node);
  set_kept_claimed (self, fd, kept);
  tf_registry_release (&self->node);
}

/* From now on, the entry stands for another file, which is kept. */
void
tf_entry_move (TfEntry          *self,
               const char       *path,
               const TfIdentity *identity)
{
  tf_registry_claim (&self->node);
  tf_registry_remove (&self->node);
  g_free (self->path);
  self->path = g_strdup (path);
  self->identity = *identity;
  self->is_gone = FALSE;
  self->is_kept = TRUE;
  tf_registry_release (&self->node);
}

/* Called before the user's descriptor of a file is closed: moves the lock to a descriptor of the entry. This is for
 * reading only, because a file that is open for writing cannot be executed. */
void
tf_entry_keep_lock (TfEntry *self)
{
  if (!exists (self) || self->is_kept || self->fd >= 0 || !tf_registry_is_ours (&self->node))
    return;

  self->fd = open_by_path (self);
  if (self->fd >= 0)
    tf_mark_lock (self->fd);
}

static void
remove_at_exit (TfRegistryNode *node)
{
  TfEntry *self = (TfEntry *) node;
  g_autoptr(GError) error = NULL;

  if (tf_debug_has (TF_DEBUG_LEAKS))
    tf_debug_say ("alive at exit:", self->path);

  if (!drop_claimed (self, NULL, &error))
    tf_errno_log_lost ("Removing at exit", error);
}

/* Closes the copy of the parent's descriptor without unlocking. It shares the parent's lock, so that the entry would
 * look alive after the parent's death. */
static void
disown_in_child (TfRegistryNode *node)
{
  tf_fd_clear (&((TfEntry *) node)->fd);
}

static const TfRegistryFuncs registry_funcs = {
  .remove_at_exit = remove_at_exit,
  .disown_in_child = disown_in_child,
};

void
tf_entry_init (TfEntry *self)
{
  *self = (TfEntry) { .node.funcs = &registry_funcs, .fd = -1 };
}

/* Forgets the entry without removing anything. */
void
tf_entry_clear (TfEntry *self)
{
  tf_registry_forget (&self->node);
  tf_fd_clear (&self->fd);
  g_clear_pointer (&self->path, g_free);
}
