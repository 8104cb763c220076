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

/* Empties a directory, depth first, without recursion.
 *
 * The walk reads the deepest level and removes its entries. A subdirectory is entered as a new level. At the end of a
 * level, the walk removes it and continues in the one above; a level that has got new entries is read again.
 *
 * If a level above the deepest one cannot be entered again, another process is moving directories. The walk then
 * starts again at the root, where less is left to remove.
 *
 * Entries that cannot be removed are remembered by directory and name. If a directory is read again, they are neither
 * tried nor counted twice.
 *
 * The entries of a large directory are shared with a helper: the same walk in a second thread, with that directory as
 * its root. There are no more threads than two, because they share the limit of descriptors and mostly wait for one
 * lock of the kernel. A helper that runs out of descriptors, or finds that directories are moved, gives up. The
 * directory is then read again from its beginning by one thread alone. */

/* Two more are open for a moment: the next level when it is entered, and an unreadable one while its mode is
 * changed. */
#define MAX_OPEN 8
#define MAX_OPEN_SHARED 3
/* How often a directory is read again because it has new entries, and how often the walk starts again. */
#define TRIES 16

G_STATIC_ASSERT (MAX_OPEN + 2 <= TF_WALK_MAX_FDS);
/* Two walks and the shared directory. */
G_STATIC_ASSERT (2 * (MAX_OPEN_SHARED + 2) + 1 <= TF_WALK_MAX_FDS);

typedef struct _Walk Walk;

struct _Walk
{
  TfDirStack levels;
  GCancellable *cancellable;
  TfFailures *failures;
  int n_restarts;      /* since the last entry was removed */
  TfDirShare *share;      /* (nullable) */
  guint shared;        /* the level of the share */
  Walk *helper;        /* (owned) (nullable) */
  gboolean is_helper;
  gboolean gave_up;    /* this is a helper that gave up */
  gboolean alone;      /* works without a helper from now on */
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

/* Remembers that an entry of the deepest level cannot be removed. */
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

/* Waits for the helper. Returns TRUE if the shared level has to be read again, because entries are left. */
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

/* Shares the rest of the deepest level with a helper. Returns FALSE if there is none. */
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
  /* Without a second thread, this one takes all entries of the share. */
  self->alone = !tf_dir_share_start (self->share, help, self->helper);
  return TRUE;
}

/* Returns whether to share the deepest level, which was just read. A helper that has ended can be used again. */
static gboolean
wants_helper (Walk *self)
{
  if (self->alone || !tf_dir_listing_is_large (&tf_dir_stack_get_top (&self->levels)->listing))
    return FALSE;

  if (self->share != NULL && tf_dir_share_has_ended (self->share))
    end_sharing (self);

  return self->share == NULL && !self->alone;
}

/* Reduces the number of descriptors, because the table is full. One walk needs two. */
static gboolean
reduce_open_levels (Walk *self)
{
  self->gave_up = self->is_helper;
  if (self->gave_up)
    return FALSE;

  stop_sharing (self);
  self->alone = TRUE;
  tf_dir_stack_close_all (&self->levels);
  return TRUE;
}

/* Some systems need one more descriptor to read a directory. */
static gssize
read_with_few_fds (Walk *self)
{
  TfDirLevel *top = tf_dir_stack_get_top (&self->levels);

  return reduce_open_levels (self) ? tf_dir_listing_read (&top->listing, top->fd) : -1;
}

static gboolean
is_shared_level (Walk *self)
{
  return self->share != NULL && self->shared == tf_dir_stack_get_depth (&self->levels);
}

/* Reads the next entries of the deepest level. Returns FALSE at its end, and if it cannot be read. */
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

  return reduce_open_levels (self) ? tf_dir_open (dir, top->fd, &top->dir, name, NULL) : -1;
}

/* Enters the directory @name of the deepest level. */
static void
descend (Walk       *self,
         const char *name)
{
  TfDirLevel *top = tf_dir_stack_get_top (&self->levels);
  TfDir dir;
  int fd = tf_dir_open (&dir, top->fd, &top->dir, name, NULL);

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

/* Goes back to the root. Returns FALSE if that was done too often without success. */
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

/* Removes the deepest level, which was read to its end, or reads it again if it has new entries. Returns FALSE if the
 * walk has to end. */
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

/* Removes everything in the directory behind @dir_fd, which is @path in messages. Holds at most TF_WALK_MAX_FDS
 * descriptors. If the directory is not empty after success, another process has created new entries. */
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
