/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-walk-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tf-errno-private.h"
#include "tf-failures-private.h"
#include "tf-fd-private.h"
#include "tf-subdir-private.h"

/* Emptying a directory, depth first, without recursion.
 *
 * Each directory between the root and the one being read is a level. The deepest LIVE_LEVELS of them, and
 * the root, are open and have a buffer of entries; the others were closed, and are entered again through
 * the ".." of the level below, which must then lead to the inode that was left. If it does not, someone moves
 * directories about: the walk starts over at the root, where by then there is less to do.
 *
 * What cannot be removed is remembered by its directory and name, so that a directory that is read again
 * does not make the walk try, and count, the same entry twice. */

#define LIVE_LEVELS 8
#define BUFFER_SIZE (64 * 1024)
/* How often a directory is read again because something new was in it; how often the walk starts over. */
#define TRIES 16

G_STATIC_ASSERT (LIVE_LEVELS + 4 <= TF_WALK_MAX_FDS);

typedef struct
{
  int fd;           /* -1: closed for now */
  TfSubdir dir;
  gsize name;       /* where in the names */
  char *entries;    /* (owned) (nullable): what was read and not dealt with yet */
  gsize position;
  gsize end;
  int tries;
  gboolean stuck;   /* something in it cannot be removed */
} Level;

typedef struct
{
  const char *path;
  GCancellable *cancellable;
  GArray *levels;   /* of Level */
  GString *names;   /* of all levels, each with its NUL */
  TfFailures failures;
  int n_restarts;   /* since something was removed */
} Walk;

static Level *
get_level (Walk *self,
           guint index)
{
  return &g_array_index (self->levels, Level, index);
}

static Level *
get_top (Walk *self)
{
  return get_level (self, self->levels->len - 1);
}

/* The path of @name in the deepest level; what is in the middle of an overlong one is left out. */
static char *
make_path (Walk       *self,
           const char *name)
{
  GString *path = g_string_new (self->path);

  for (guint i = 1; i < self->levels->len; i++)
    {
      if (path->len > 1024)
        {
          g_string_append (path, "/…");
          break;
        }
      g_string_append_printf (path, "/%s", self->names->str + get_level (self, i)->name);
    }

  if (name != NULL)
    g_string_append_printf (path, "/%s", name);

  return g_string_free (path, FALSE);
}

static void
record_error (Walk       *self,
              int         saved_errno,
              const char *call,
              const char *name)
{
  g_autofree char *path = make_path (self, name);

  tf_failures_add (&self->failures, saved_errno, call, path);
}

static void
set_stuck (Walk       *self,
           Level      *level,
           const char *name)
{
  level->stuck = TRUE;
  tf_failures_remember (&self->failures, level->dir.device, level->dir.inode, name);
}

static gboolean
is_stuck (Walk       *self,
          Level      *level,
          const char *name)
{
  return tf_failures_contain (&self->failures, level->dir.device, level->dir.inode, name);
}

/* An entry of the deepest level cannot be removed. */
static void
fail_entry (Walk       *self,
            int         saved_errno,
            const char *call,
            const char *name)
{
  record_error (self, saved_errno, call, name);
  set_stuck (self, get_top (self), name);
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

static void
close_level (Walk  *self,
             guint  index)
{
  Level *level = get_level (self, index);

  /* The root's descriptor is the caller's. */
  if (index > 0)
    tf_clear_fd (&level->fd);
  g_clear_pointer (&level->entries, g_free);
  level->position = level->end = 0;
}

static void
pop_level (Walk *self)
{
  Level *top = get_top (self);

  g_string_truncate (self->names, top->name);
  close_level (self, self->levels->len - 1);
  g_array_set_size (self->levels, self->levels->len - 1);
}

static void
push_level (Walk           *self,
            int             fd,
            const TfSubdir *dir,
            const char     *name)
{
  Level level = { .fd = fd, .dir = *dir, .name = self->names->len };

  g_string_append_len (self->names, name, strlen (name) + 1);
  g_array_append_val (self->levels, level);

  if (self->levels->len > LIVE_LEVELS + 1)
    close_level (self, self->levels->len - 1 - LIVE_LEVELS);
}

/* Enters the directory @name of the deepest level. */
static void
descend (Walk       *self,
         const char *name)
{
  Level *top = get_top (self);
  TfSubdir dir;
  int fd = tf_subdir_open (&dir, top->fd, &top->dir, name);

  /* The table of descriptors is full: do with two. */
  if (fd < 0 && (errno == EMFILE || errno == ENFILE))
    {
      for (guint i = 1; i + 1 < self->levels->len; i++)
        close_level (self, i);
      fd = tf_subdir_open (&dir, top->fd, &top->dir, name);
    }

  if (fd >= 0)
    push_level (self, fd, &dir, name);
  else if ((errno == ENOTDIR || errno == ELOOP) && remove_name (self, top->fd, name, 0))
    return;
  else if (errno != ENOENT)
    fail_entry (self, errno, "open", name);
}

static gboolean
is_dir (int                    dir_fd,
        const struct dirent64 *entry)
{
  struct stat st;

  if (entry->d_type != DT_UNKNOWN)
    return entry->d_type == DT_DIR;

  return fstatat (dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR (st.st_mode);
}

static void
remove_entry (Walk                  *self,
              const struct dirent64 *entry)
{
  Level *top = get_top (self);
  const char *name = entry->d_name;

  if (strcmp (name, ".") == 0 || strcmp (name, "..") == 0)
    return;

  if (is_stuck (self, top, name))
    top->stuck = TRUE;
  else if (is_dir (top->fd, entry))
    descend (self, name);
  else if (remove_name (self, top->fd, name, 0))
    return;
  else if (errno == EISDIR)
    descend (self, name);
  else
    fail_entry (self, errno, "unlink", name);
}

/* The next entry of the deepest level; NULL at its end, and when it cannot be read. */
static const struct dirent64 *
next_entry (Walk *self)
{
  Level *top = get_top (self);
  const struct dirent64 *entry;

  if (top->position == top->end)
    {
      gssize n;

      if (top->entries == NULL)
        top->entries = g_malloc (BUFFER_SIZE);

      n = getdents64 (top->fd, top->entries, BUFFER_SIZE);
      if (n < 0 && errno != ENOENT)
        {
          record_error (self, errno, "getdents64", NULL);
          top->stuck = TRUE;
        }

      top->position = 0;
      top->end = MAX (n, 0);
      if (n <= 0)
        return NULL;
    }

  entry = (gpointer) (top->entries + top->position);
  top->position += entry->d_reclen;
  return entry;
}

/* Goes back to the root; FALSE when that did not help before. */
static gboolean
restart (Walk *self)
{
  Level *root;

  while (self->levels->len > 1)
    pop_level (self);

  if (self->n_restarts++ == TRIES)
    {
      record_error (self, EAGAIN, "open", NULL);
      return FALSE;
    }

  root = get_top (self);
  root->position = root->end = 0;
  lseek (root->fd, 0, SEEK_SET);
  return TRUE;
}

/* Opens the level above the deepest one again. FALSE when the tree is not what it was. */
static gboolean
reopen_parent (Walk *self)
{
  Level *top = get_top (self);
  Level *parent = get_level (self, self->levels->len - 2);
  TfSubdir dir;
  tf_autofd int fd = -1;

  if (parent->fd >= 0)
    return TRUE;

  fd = TEMP_FAILURE_RETRY (openat (top->fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd < 0 || !tf_subdir_read (&dir, fd) || !tf_subdir_equal (&dir, &parent->dir))
    return FALSE;

  parent->fd = tf_steal_fd (&fd);
  return TRUE;
}

/* Removes the deepest level, which was read to its end; or reads it again when it got new entries.
 * FALSE when the walk has to end. */
static gboolean
ascend (Walk *self)
{
  Level *top = get_top (self);
  Level *parent = get_level (self, self->levels->len - 2);
  const char *name = self->names->str + top->name;

  if (!reopen_parent (self))
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
  pop_level (self);
  return TRUE;
}

static void
walk (Walk *self)
{
  gboolean going_on = TRUE;

  while (going_on && !g_cancellable_is_cancelled (self->cancellable))
    {
      const struct dirent64 *entry = next_entry (self);

      if (entry != NULL)
        remove_entry (self, entry);
      else
        going_on = self->levels->len > 1 && ascend (self);
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
  g_autoptr(GArray) levels = g_array_new (FALSE, FALSE, sizeof (Level));
  g_autoptr(GString) names = g_string_new (NULL);
  Walk self = { .path = path, .cancellable = cancellable, .levels = levels, .names = names };
  TfSubdir root;
  gboolean success;

  if (!tf_subdir_read (&root, dir_fd) || lseek (dir_fd, 0, SEEK_SET) < 0)
    return tf_set_errno (error, errno, "open", path);

  if ((root.mode & S_IRWXU) != S_IRWXU)
    fchmod (dir_fd, (root.mode | S_IRWXU) & 07777);

  push_level (&self, dir_fd, &root, "");
  walk (&self);
  while (levels->len > 0)
    pop_level (&self);

  success = !g_cancellable_set_error_if_cancelled (cancellable, error) &&
            tf_failures_report (&self.failures, error);
  tf_failures_clear (&self.failures);
  return success;
}
