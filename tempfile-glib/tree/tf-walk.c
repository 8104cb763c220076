/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "base/tf-failures.h"
#include "tf-dir-share.h"
#include "tf-dir-stack.h"

/* Emptying a directory, depth first, without recursion.
 *
 * When a level above the deepest one cannot be entered again, someone moves directories about: the walk starts
 * over at the root, where by then there is less to do.
 *
 * What cannot be removed is remembered by its directory and name, so that a directory that is read again
 * does not make the walk try, and count, the same entry twice.
 *
 * The entries of a large directory are shared with a helper: the same walk, in a second thread, with that
 * directory as its root. Two because the descriptors are few, and because what they wait for is mostly one lock
 * of the kernel. When the helper meets what is difficult it gives up; the directory is then read again from
 * its beginning, by one thread alone. */

/* A level more is open for a moment when the next one is entered, and one that is not readable before its mode is
 * changed. */
#define MAX_OPEN 8
#define MAX_OPEN_SHARED 3
/* How often a directory is read again because something new was in it; how often the walk starts over. */
#define TRIES 16

G_STATIC_ASSERT (MAX_OPEN + 2 <= TF_WALK_MAX_FDS);
/* And the shared one. */
G_STATIC_ASSERT (2 * (MAX_OPEN_SHARED + 2) + 1 <= TF_WALK_MAX_FDS);

typedef struct _Walk Walk;

struct _Walk
{
  TfDirStack levels;
  GCancellable *cancellable;
  TfFailures *failures;
  int n_restarts;      /* since something was removed */
  TfDirShare *share;      /* (nullable) */
  guint shared;        /* which level it is of */
  Walk *helper;        /* (owned) (nullable) */
  gboolean is_helper;
  gboolean gave_up;    /* a helper did so */
  gboolean alone;      /* no helper any more */
};

static void walk (Walk *self);

static void
record_error (Walk       *self,
              int         saved_errno,
              const char *call,
              const char *name)
{
  g_autofree char *path = tf_dir_stack_make_path (&self->levels, name);

  tf_failures_add (self->failures, saved_errno, call, path);
}

static void
set_stuck (Walk       *self,
           TfDirLevel *level,
           const char *name)
{
  level->stuck = TRUE;
  tf_failures_remember (self->failures, level->dir.device, level->dir.inode, name);
}

static gboolean
is_stuck (Walk       *self,
          TfDirLevel *level,
          const char *name)
{
  return tf_failures_contain (self->failures, level->dir.device, level->dir.inode, name);
}

/* An entry of the deepest level cannot be removed. */
static void
fail_entry (Walk       *self,
            int         saved_errno,
            const char *call,
            const char *name)
{
  record_error (self, saved_errno, call, name);
  set_stuck (self, tf_dir_stack_get_top (&self->levels), name);
}

static gboolean
remove_name (Walk       *self,
             int         dir_fd,
             const char *name,
             int         flags)
{
  if (unlinkat (dir_fd, name, flags) != 0)
    return errno == ENOENT;

  self->n_restarts = 0;
  return TRUE;
}

/* Called in the helper's thread. */
static gpointer
help (gpointer data)
{
  Walk *self = data;

  walk (self);
  while (tf_dir_stack_get_depth (&self->levels) > 0)
    tf_dir_stack_pop (&self->levels);
  tf_dir_share_end (self->share);
  return NULL;
}

static void
rewind_level (TfDirLevel *level)
{
  tf_dir_listing_forget (&level->listing);
  lseek (level->fd, 0, SEEK_SET);
}

/* Waits for the helper. TRUE when the shared level has to be read again, because something was left. */
static gboolean
end_sharing (Walk *self)
{
  TfDirLevel *level = tf_dir_stack_get (&self->levels, self->shared);
  gboolean incomplete = tf_dir_share_is_stopped (self->share);

  tf_dir_share_free (g_steal_pointer (&self->share));
  level->stuck |= tf_dir_stack_get (&self->helper->levels, 0)->stuck;
  incomplete |= self->helper->gave_up;
  if (incomplete)
    {
      self->alone = TRUE;
      rewind_level (level);
    }

  tf_dir_stack_clear (&self->helper->levels);
  g_clear_pointer (&self->helper, g_free);
  tf_dir_stack_set_max_open (&self->levels, MAX_OPEN, 0);
  return incomplete;
}

static void
stop_sharing (Walk *self)
{
  if (self->share == NULL)
    return;

  tf_dir_share_stop (self->share);
  end_sharing (self);
}

static Walk *
new_helper (Walk *self)
{
  TfDirLevel *top = tf_dir_stack_get_top (&self->levels);
  g_autofree char *path = tf_dir_stack_make_path (&self->levels, NULL);
  Walk *helper = g_new (Walk, 1);

  *helper = (Walk) {
    .cancellable = self->cancellable,
    .failures = self->failures,
    .share = self->share,
    .is_helper = TRUE,
    .alone = TRUE,
  };
  tf_dir_stack_init (&helper->levels, path, top->fd, &top->dir, MAX_OPEN_SHARED);
  return helper;
}

/* Shares what was read of the deepest level, and the rest of it. FALSE when there is nobody to share it with. */
static gboolean
begin_sharing (Walk *self)
{
  TfDirLevel *top = tf_dir_stack_get_top (&self->levels);

  self->share = tf_dir_share_try_new (top->fd, &top->listing);
  self->alone = self->share == NULL;
  if (self->alone)
    return FALSE;

  self->shared = tf_dir_stack_get_depth (&self->levels);
  self->helper = new_helper (self);
  tf_dir_stack_set_max_open (&self->levels, MAX_OPEN_SHARED, self->shared);
  /* Without a thread the share is one with itself. */
  self->alone = !tf_dir_share_start (self->share, help, self->helper);
  return TRUE;
}

/* Whether the deepest level, which was just read, is to be shared. A helper that has ended is free for it. */
static gboolean
wants_helper (Walk *self)
{
  if (self->alone || !tf_dir_listing_is_large (&tf_dir_stack_get_top (&self->levels)->listing))
    return FALSE;

  if (self->share != NULL && tf_dir_share_has_ended (self->share))
    end_sharing (self);

  return self->share == NULL && !self->alone;
}

/* The table of descriptors is full. One walk does with two of them. */
static gboolean
close_what_can_be (Walk *self)
{
  self->gave_up = self->is_helper;
  if (self->gave_up)
    return FALSE;

  stop_sharing (self);
  self->alone = TRUE;
  tf_dir_stack_close_all (&self->levels);
  return TRUE;
}

/* Not every system reads a directory without a descriptor more. */
static gssize
read_with_few_fds (Walk *self)
{
  TfDirLevel *top = tf_dir_stack_get_top (&self->levels);

  return close_what_can_be (self) ? tf_dir_listing_read (&top->listing, top->fd) : -1;
}

static gboolean
is_shared_level (Walk *self)
{
  return self->share != NULL && self->shared == tf_dir_stack_get_depth (&self->levels);
}

/* Reads on in the deepest level. FALSE at its end, and when it cannot be read. */
static gboolean
read_more (Walk *self)
{
  TfDirLevel *top = tf_dir_stack_get_top (&self->levels);
  gssize n = is_shared_level (self) ? tf_dir_share_take (self->share, &top->listing)
                                    : tf_dir_listing_read (&top->listing, top->fd);

  if (n < 0 && (errno == EMFILE || errno == ENFILE))
    n = read_with_few_fds (self);

  if (n < 0 && errno != ENOENT && !self->gave_up)
    {
      record_error (self, errno, "readdir", NULL);
      top->stuck = TRUE;
    }

  if (is_shared_level (self))
    return n > 0 || (!self->is_helper && end_sharing (self) && read_more (self));

  if (n > 0 && wants_helper (self) && begin_sharing (self))
    return read_more (self);

  return n > 0;
}

static int
open_with_few_fds (Walk       *self,
                   TfDir      *dir,
                   const char *name)
{
  TfDirLevel *top = tf_dir_stack_get_top (&self->levels);

  return close_what_can_be (self) ? tf_dir_open (dir, top->fd, &top->dir, name) : -1;
}

/* Enters the directory @name of the deepest level. */
static void
descend (Walk       *self,
         const char *name)
{
  TfDirLevel *top = tf_dir_stack_get_top (&self->levels);
  TfDir dir;
  int fd = tf_dir_open (&dir, top->fd, &top->dir, name);

  if (fd < 0 && (errno == EMFILE || errno == ENFILE))
    fd = open_with_few_fds (self, &dir, name);

  if (fd >= 0)
    tf_dir_stack_push (&self->levels, fd, &dir, name);
  else if (self->gave_up)
    return;
  else if ((errno == ENOTDIR || errno == ELOOP) && remove_name (self, top->fd, name, 0))
    return;
  else if (errno != ENOENT)
    fail_entry (self, errno, "open", name);
}

static void
remove_entry (Walk                *self,
              const TfSystemEntry *entry)
{
  TfDirLevel *top = tf_dir_stack_get_top (&self->levels);
  const char *name = entry->name;

  if (is_stuck (self, top, name))
    top->stuck = TRUE;
  else if (tf_dir_listing_is_dir (entry, top->fd))
    descend (self, name);
  else if (remove_name (self, top->fd, name, 0))
    return;
  else if (errno == EISDIR)
    descend (self, name);
  else
    fail_entry (self, errno, "unlink", name);
}

/* Goes back to the root; FALSE when that did not help before. */
static gboolean
restart (Walk *self)
{
  self->gave_up = self->is_helper;
  if (self->gave_up)
    return FALSE;

  stop_sharing (self);
  while (tf_dir_stack_get_depth (&self->levels) > 0)
    tf_dir_stack_pop (&self->levels);

  if (self->n_restarts++ == TRIES)
    {
      record_error (self, EAGAIN, "open", NULL);
      return FALSE;
    }

  rewind_level (tf_dir_stack_get_top (&self->levels));
  return TRUE;
}

/* Removes the deepest level, which was read to its end; or reads it again when it got new entries.
 * FALSE when the walk has to end. */
static gboolean
ascend (Walk *self)
{
  TfDirLevel *top = tf_dir_stack_get_top (&self->levels);
  TfDirLevel *parent = top - 1;
  const char *name = self->levels.names->str + top->name;

  if (!tf_dir_stack_reopen_parent (&self->levels))
    return restart (self);

  if (!top->stuck && !remove_name (self, parent->fd, name, AT_REMOVEDIR))
    {
      if ((errno == ENOTEMPTY || errno == EEXIST) && top->tries++ < TRIES)
        return lseek (top->fd, 0, SEEK_SET) == 0;

      record_error (self, errno, "rmdir", NULL);
      top->stuck = TRUE;
    }

  if (top->stuck)
    set_stuck (self, parent, name);
  tf_dir_stack_pop (&self->levels);
  return TRUE;
}

static gboolean
has_to_stop (Walk *self)
{
  return self->gave_up ||
         g_cancellable_is_cancelled (self->cancellable) ||
         (self->share != NULL && tf_dir_share_is_stopped (self->share));
}

static void
walk (Walk *self)
{
  gboolean going_on = TRUE;

  while (going_on && !has_to_stop (self))
    {
      const TfSystemEntry *entry = tf_dir_listing_next (&tf_dir_stack_get_top (&self->levels)->listing);

      if (entry != NULL)
        remove_entry (self, entry);
      else if (!read_more (self))
        going_on = tf_dir_stack_get_depth (&self->levels) > 0 && ascend (self);
    }
}

/* Removes all that is in the directory behind @dir_fd, @path in messages. Holds at most TF_WALK_MAX_FDS
 * descriptors. Something that is in it afterwards without an error was put there meanwhile. */
gboolean
tf_walk_empty (const char    *path,
               int            dir_fd,
               GCancellable  *cancellable,
               GError       **error)
{
  g_auto(TfFailures) failures;
  Walk self = { .cancellable = cancellable, .failures = &failures };
  TfDir root;

  tf_failures_init (&failures);
  if (!tf_dir_read (&root, dir_fd) || lseek (dir_fd, 0, SEEK_SET) < 0)
    return tf_errno_set (error, errno, "open", path);

  if ((root.mode & S_IRWXU) != S_IRWXU)
    fchmod (dir_fd, (root.mode | S_IRWXU) & 07777);

  tf_dir_stack_init (&self.levels, path, dir_fd, &root, MAX_OPEN);
  walk (&self);
  stop_sharing (&self);
  tf_dir_stack_clear (&self.levels);

  return !g_cancellable_set_error_if_cancelled (cancellable, error) &&
         tf_failures_report (&failures, error);
}
