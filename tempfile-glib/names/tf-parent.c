/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-parent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "base/tf-fork.h"

#define MAX_OPEN 16
/* So many may be open without a look at the limit of descriptors. */
#define MIN_OPEN 2

struct _TfParent
{
  char           *spelling; /* (owned): the path as it was given */
  TfPlace         place;  /* (owned) path, without symlinks where that is known */
  guint           n_refs;
  guint           n_uses; /* of the descriptor, at the moment */
  int             fd;     /* -1 if it is not open */
  gboolean        is_lasting;
  gboolean        is_known;   /* by its spelling */
  gboolean        is_unsure;  /* was idle: whoever wants it looks again */
  gboolean        is_guarded; /* (atomic): when it was opened, or looked at again */
  gboolean        is_private; /* when it was opened */
  gboolean        is_local;   /* the system knows what is in it */
  TfParent       *newer;  /* of those that are open */
  TfParent       *older;
  guint64         mount_id; /* 0 if it is not known */
  gint            is_removed;  /* (atomic): by this process */
};

/* Protects the variables below and all fields but those that never change. */
static GMutex lock;
static GTree *by_spelling; /* (nullable) (element-type filename TfParent): the last one of each */
static TfParent *newest;   /* (nullable): of those that are open */
static TfParent *oldest;   /* (nullable) */
static guint n_open;
static TfParent *latest;   /* (nullable): of those that are known */
static TfParent *idle;     /* (nullable): lasting, without references */
static guint n_parents;    /* (atomic) */

/* The threads that were using descriptors are not in the child. */
static void
after_fork_in_child (void)
{
  for (TfParent *parent = newest; parent != NULL; parent = parent->older)
    parent->n_uses = 0;
}

static TfForkHandler fork_handler = {
  .level = TF_FORK_NAMES,
  .lock = &lock,
  .child = after_fork_in_child,
};

static gboolean
is_place (const TfParent     *self,
          const TfSystemStat *st)
{
  return st->device == self->place.device && st->inode == self->place.inode;
}

static gboolean
is_open_at (const TfParent *self,
            int             fd)
{
  TfSystemStat st;

  return tf_system_stat_known (&st, fd, "") && is_place (self, &st);
}

/* Returns whether nobody but this user and root can put something of this user's into a directory. */
gboolean
tf_parent_guards (const TfSystemStat *dir)
{
  return (dir->uid == 0 || dir->uid == geteuid ()) &&
         (!(dir->mode & (S_IWGRP | S_IWOTH)) || (dir->mode & S_ISVTX));
}

guint
tf_parent_limit_fds (guint max)
{
  struct rlimit limit;

  return getrlimit (RLIMIT_NOFILE, &limit) == 0 ? MIN (max, limit.rlim_cur / 8) : max;
}

/* Called if a descriptor cannot be looked at. Returns whether it is one of a directory that was removed, and that the file
 * system does not know any more. */
static gboolean
is_lost (int fd)
{
  struct stat st;

  return fstat (fd, &st) != 0 && (errno == ENOENT || errno == ESTALE) && (fcntl (fd, F_GETFL) & O_DIRECTORY) != 0;
}

/* A birth time that is not known can be any. */
static gboolean
is_identity (const TfIdentity   *identity,
             const TfSystemStat *st)
{
  TfIdentity found;

  tf_identity_set (&found, st);
  if (!tf_identity_has_birth (&found) || !tf_identity_has_birth (identity))
    {
      found.birth_seconds = identity->birth_seconds;
      found.birth_nanoseconds = identity->birth_nanoseconds;
    }
  return tf_identity_equal (&found, identity);
}

/* Closes @fd, which was opened for the directory @identity, if it still is that directory's: the program may have closed all
 * descriptors, and opened others. Does not ask a server, which may hang, and does not change errno. */
void
tf_parent_close_fd (int               fd,
                    const TfIdentity *identity)
{
  int saved_errno = errno;
  TfSystemStat st;

  if (tf_system_stat_known (&st, fd, "") ? is_identity (identity, &st) : is_lost (fd))
    tf_fd_clear (&fd);
  errno = saved_errno;
}

/* --- The descriptors, under the lock -------------------------------------------------------- */

static void
unlink_open (TfParent *self)
{
  if (self->newer != NULL)
    self->newer->older = self->older;
  else
    newest = self->older;

  if (self->older != NULL)
    self->older->newer = self->newer;
  else
    oldest = self->newer;

  self->newer = self->older = NULL;
}

static void
link_open (TfParent *self)
{
  self->newer = NULL;
  self->older = newest;
  if (newest != NULL)
    newest->newer = self;
  else
    oldest = self;
  newest = self;
}

static void
set_fd (TfParent *self,
        int       fd)
{
  self->fd = fd;
  link_open (self);
  n_open++;
}

/* Returns the descriptor, which is not the directory's any more. */
static int
steal_fd (TfParent *self)
{
  unlink_open (self);
  n_open--;
  return tf_fd_steal (&self->fd);
}

/* The first change of a directory of a lower layer of an overlay copies it, and with that it has another birth time. */
static void
close_fd (TfParent *self)
{
  const TfIdentity identity = { .device = self->place.device, .inode = self->place.inode, .type = S_IFDIR };

  tf_parent_close_fd (steal_fd (self), &identity);
}

/* Closes descriptors that have not been used for long, until no more than @max are open. */
static void
close_oldest (guint max)
{
  TfParent *parent = oldest;

  while (n_open > max && parent != NULL)
    {
      TfParent *newer = parent->newer;

      if (parent->n_uses == 0)
        close_fd (parent);
      parent = newer;
    }
}

/* --- References ----------------------------------------------------------------------------- */

static gboolean
is_on_mount (const TfSystemStat *st,
             guint64             mount_id,
             guint64             device)
{
  return mount_id != 0 && st->mount_id != 0 ? mount_id == st->mount_id : device == st->device;
}

/* Returns FALSE with errno set to EXDEV if the path leads through the mount, or through the device if @mount_id is 0, to
 * another one that has a server, which may not answer. What is mounted is seen without a look into it, for which a server can
 * be asked. */
gboolean
tf_parent_check_path (const char *path,
                      guint64     mount_id,
                      guint64     device)
{
  g_autoptr(GString) itself = g_string_new (NULL);
  gboolean is_reached = FALSE;
  gsize length = 0;
  gsize last;

  do
    {
      TfSystemStat st;

      last = length;
      g_string_truncate (itself, 0);
      g_string_append_len (itself, path, length);
      if (!tf_system_stat_known (&st, AT_FDCWD, length > 0 ? itself->str : "/"))
        return TRUE;

      if (is_on_mount (&st, mount_id, device))
        is_reached = TRUE;
      else if (is_reached && tf_system_has_server (itself->str))
        {
          errno = EXDEV;
          return FALSE;
        }

      length += strspn (path + length, "/");
      length += strcspn (path + length, "/");
    }
  while (length > last);

  return TRUE;
}

/* Describes a directory by its path, which may lead through a link at the end. */
static gboolean
stat_dir (const char   *path,
          TfSystemStat *st)
{
  g_autofree char *itself = g_build_filename (path, ".", NULL);

  return tf_system_stat (st, AT_FDCWD, itself);
}

/* Opens a directory. If there is no descriptor left, only looks at it. */
static gboolean
open_dir (const char   *path,
          int          *fd,
          TfSystemStat *st)
{
  *fd = tf_fd_lift (tf_system_open_dir (path));
  if (*fd >= 0)
    return tf_system_stat (st, *fd, "");

  return errno != ENOENT && errno != ENOTDIR && stat_dir (path, st);
}

/* Returns a path of the directory @st without symlinks, which stays valid when a directory that has the symlinks is removed.
 * Returns @path if no such path is known, or if it leads through another mount. @fd may be -1. */
char *
tf_parent_find_path (const char         *path,
                     int                 fd,
                     const TfSystemStat *st)
{
  g_autofree char *found = fd >= 0 ? tf_system_find_path (fd) : NULL;
  TfSystemStat there;

  if (found == NULL)
    found = realpath (path, NULL);
  if (found != NULL && !g_str_equal (found, path) && stat_dir (found, &there) &&
      there.device == st->device && there.inode == st->inode && there.mount_id == st->mount_id)
    return g_steal_pointer (&found);

  return g_strdup (path);
}

static void
make_unknown (TfParent *self)
{
  if (self->is_known)
    g_tree_remove (by_spelling, self->spelling);
  self->is_known = FALSE;
  if (latest == self)
    latest = NULL;
}

static void
parent_free (TfParent *self)
{
  if (self->fd >= 0)
    close_fd (self);
  make_unknown (self);
  g_free ((char *) self->place.path);
  g_free (self->spelling);
  g_free (self);
  g_atomic_int_add (&n_parents, -1);
}

static TfParent *
look_up (const char *path)
{
  if (latest != NULL && g_str_equal (latest->spelling, path))
    return latest;

  return by_spelling != NULL ? g_tree_lookup (by_spelling, path) : NULL;
}

/* Makes the directory the one that is known by its spelling. */
static void
make_known (TfParent *self)
{
  TfParent *former = look_up (self->spelling);

  if (former != NULL)
    former->is_known = FALSE;
  if (by_spelling == NULL)
    by_spelling = g_tree_new ((GCompareFunc) strcmp);
  g_tree_replace (by_spelling, self->spelling, self);
  self->is_known = TRUE;
  latest = self;
}

/* Takes over @path, which is the one without symlinks. */
static TfParent *
add (const char         *spelling,
     char               *path,
     gboolean            is_lasting,
     gboolean            is_local,
     int                 fd,
     const TfSystemStat *st)
{
  TfParent *self = g_new (TfParent, 1);

  g_atomic_int_inc (&n_parents);
  *self = (TfParent) {
    .spelling = g_strdup (spelling),
    .place = { .path = path },
    .n_refs = 1,
    .fd = -1,
    .mount_id = st->mount_id,
    .is_lasting = is_lasting,
    .is_guarded = tf_parent_guards (st),
    .is_private = st->uid == geteuid () && !(st->mode & (S_IRWXG | S_IRWXO)),
    .is_local = is_local,
  };

  tf_place_set (&self->place, st);
  make_known (self);
  if (fd >= 0)
    {
      if (n_open >= MIN_OPEN)
        close_oldest (MAX (tf_parent_limit_fds (MAX_OPEN), 1) - 1);
      set_fd (self, fd);
    }
  return self;
}

/* Returns whether the directory is on the mount of the root directory, which is not unmounted while this process lives. */
static gboolean
is_on_root_mount (const TfSystemStat *st)
{
  TfSystemStat root;

  return st->mount_id != 0 && tf_system_stat (&root, AT_FDCWD, "/") && root.mount_id == st->mount_id;
}

static void
take (TfParent *self)
{
  if (self == idle)
    idle = NULL;
  self->n_refs++;
}

/* Takes over @fd, which may be -1. No server is asked with the lock: it may not answer. */
static TfParent *
make_open (const char         *path,
           gboolean            is_lasting,
           int                 fd,
           const TfSystemStat *st)
{
  gboolean is_local = fd >= 0 && tf_system_get_fs (fd) != TF_SYSTEM_FS_OTHER;
  gboolean stays_mounted = is_on_root_mount (st);
  g_autofree char *found = tf_parent_find_path (path, fd, st);
  TfParent *self;

  g_mutex_lock (&lock);
  self = look_up (path);
  if (self != NULL && is_place (self, st))
    take (self); /* it is known already, or another thread was faster */
  else
    self = add (path, g_steal_pointer (&found), is_lasting || stays_mounted, is_local, tf_fd_steal (&fd), st);
  g_mutex_unlock (&lock);
  tf_fd_clear (&fd);
  return self;
}

static TfParent *
make (const char *path,
      gboolean    is_lasting)
{
  TfSystemStat st;
  int fd;

  if (!open_dir (path, &fd, &st))
    {
      tf_fd_clear (&fd);
      return NULL;
    }

  return make_open (path, is_lasting, fd, &st);
}

/* Returns whether the directory is still the one at its path, and looks who may write to it now. If not, it is not known by
 * the path any more. */
static gboolean
look_again (TfParent *self)
{
  TfSystemStat st;
  gboolean is_same = stat_dir (self->spelling, &st) && is_place (self, &st);

  g_mutex_lock (&lock);
  if (is_same)
    {
      g_atomic_int_set (&self->is_guarded, tf_parent_guards (&st));
      self->is_unsure = FALSE;
    }
  else
    make_unknown (self);
  g_mutex_unlock (&lock);
  return is_same;
}

/* Returns the directory at the absolute path @path. As long as there are references to it, it is not looked at again,
 * and may have been moved; tf_parent_renew() does look. The last one to which there are none is kept if @is_lasting, and
 * if nobody would want to unmount it; only the former is not looked at again then. Returns NULL with errno set if there
 * is no such directory. */
TfParent *
tf_parent_get (const char *path,
               gboolean    is_lasting)
{
  gboolean is_unsure = FALSE;
  TfParent *self;

  tf_fork_watch (&fork_handler);

  g_mutex_lock (&lock);
  self = look_up (path);
  if (self != NULL)
    {
      self->is_unsure |= self == idle && !is_lasting;
      is_unsure = self->is_unsure;
      latest = self;
      take (self);
    }
  g_mutex_unlock (&lock);

  if (is_unsure && !look_again (self))
    tf_parent_unref (g_steal_pointer (&self));
  return self != NULL ? self : make (path, is_lasting);
}

/* Returns the directory that is at the path of @self now. */
TfParent *
tf_parent_renew (TfParent *self)
{
  return make (self->spelling, self->is_lasting);
}

/* Describes what is at the path. Fails with EXDEV if another mount came there, whose server may not answer. */
static gboolean
stat_path (const TfParent *self,
           TfSystemStat   *st)
{
  return tf_parent_check_path (self->place.path, self->mount_id, self->place.device) &&
         tf_parent_check_path (self->spelling, self->mount_id, self->place.device) && stat_dir (self->spelling, st);
}

/* Returns whether @path, at which @fd was opened, does not lead through symlinks. */
gboolean
tf_parent_is_path_of (const char         *path,
                      int                 fd,
                      const TfSystemStat *st)
{
  g_autofree char *found = tf_parent_find_path (path, fd, st);

  return g_str_equal (found, path);
}

/* Returns whether @fd, which was opened at @path, may be the directory that was there before, though it is @st by now: some
 * file systems find another inode number at each look. Who moves another directory there, or puts a symlink there, does
 * not turn that into the one before. */
gboolean
tf_parent_may_be_same (const char         *path,
                       int                 fd,
                       const TfSystemStat *st)
{
  return tf_parent_is_path_of (path, fd, st) && !tf_system_keeps_identities (fd);
}

/* Returns the directory that is at the path of @self, if it is another one, or may be. Returns NULL if there is none, or
 * with errno set to EMFILE or ENFILE if it cannot be told. */
TfParent *
tf_parent_find_other (TfParent *self,
                      gboolean *may_be_same)
{
  TfSystemStat st;
  int fd;

  errno = 0;
  if (!stat_path (self, &st) || is_place (self, &st))
    return NULL;

  fd = tf_fd_lift (tf_system_open_dir (self->spelling));
  if (fd < 0 || !tf_system_stat (&st, fd, ""))
    {
      tf_fd_clear (&fd);
      return NULL;
    }

  *may_be_same = tf_parent_may_be_same (self->place.path, fd, &st);
  return make_open (self->spelling, self->is_lasting, fd, &st);
}

/* Returns another one for the same directory, which has no descriptor until it is used. */
TfParent *
tf_parent_copy (const TfParent *self)
{
  TfParent *copy = g_new (TfParent, 1);

  g_atomic_int_inc (&n_parents);
  *copy = (TfParent) {
    .spelling = g_strdup (self->spelling),
    .place = self->place,
    .n_refs = 1,
    .fd = -1,
    .mount_id = self->mount_id,
    .is_guarded = tf_parent_is_guarded (self),
    .is_private = self->is_private,
    .is_local = self->is_local,
  };
  copy->place.path = g_strdup (self->place.path);
  return copy;
}

TfParent *
tf_parent_ref (TfParent *self)
{
  g_mutex_lock (&lock);
  self->n_refs++;
  g_mutex_unlock (&lock);
  return self;
}

void
tf_parent_unref (TfParent *self)
{
  TfParent *unused = self;

  g_mutex_lock (&lock);
  if (--self->n_refs == 0)
    {
      if (self->is_lasting && self->is_known)
        {
          unused = idle;
          idle = self;
        }
      if (unused != NULL)
        parent_free (unused);
    }
  g_mutex_unlock (&lock);
}

const TfPlace *
tf_parent_get_place (const TfParent *self)
{
  return &self->place;
}

/* Returns what tf_parent_guards() has said when the directory was opened. */
gboolean
tf_parent_is_guarded (const TfParent *self)
{
  return g_atomic_int_get (&((TfParent *) self)->is_guarded);
}

/* Returns whether nobody but this user and root could get at what is in the directory when it was opened. */
gboolean
tf_parent_is_private (const TfParent *self)
{
  return self->is_private;
}

/* --- Use ------------------------------------------------------------------------------------ */

static gboolean
use_open (TfParent *self,
          int      *fd)
{
  gboolean is_open;

  g_mutex_lock (&lock);
  is_open = self->fd >= 0;
  if (is_open)
    {
      if (self != newest)
        {
          unlink_open (self);
          link_open (self);
        }
      self->n_uses++;
      *fd = self->fd;
    }
  g_mutex_unlock (&lock);
  return is_open;
}

/* Opens the directory at @path if it is still the same one. */
static int
open_at (const TfParent *self,
         const char     *path)
{
  tf_autofd int fd = tf_fd_lift (tf_system_open_dir (path));

  if (fd >= 0 && !is_open_at (self, fd))
    {
      errno = ENOENT;
      return -1;
    }

  return tf_fd_steal (&fd);
}

/* Who moves a directory behind a symlink adjusts the symlink. */
static int
open_again (const TfParent *self)
{
  int fd = open_at (self, self->place.path);

  return fd < 0 && (errno == ENOENT || errno == ENOTDIR) ? open_at (self, self->spelling) : fd;
}

/* Returns a descriptor of the directory, which is valid until tf_parent_leave(). If the program has closed it, it may
 * be that of another file, see tf_parent_check(). Fails with ENOENT if the directory is not at its path any more. */
gboolean
tf_parent_enter (TfParent *self,
                 int      *fd)
{
  int opened;

  if (use_open (self, fd))
    return TRUE;

  opened = open_again (self);
  if (opened < 0)
    return FALSE;

  g_mutex_lock (&lock);
  if (self->fd < 0)
    {
      close_oldest (MAX (tf_parent_limit_fds (MAX_OPEN), 1) - 1);
      set_fd (self, tf_fd_steal (&opened));
    }
  self->n_uses++;
  *fd = self->fd;
  g_mutex_unlock (&lock);
  tf_fd_clear (&opened);

  return TRUE;
}

/* Does not change errno, as a mutex does when it has to wait. */
void
tf_parent_leave (TfParent *self)
{
  int saved_errno = errno;

  g_mutex_lock (&lock);
  self->n_uses--;
  g_mutex_unlock (&lock);
  errno = saved_errno;
}

/* Returns whether @fd is still the directory. If not, it is forgotten. */
gboolean
tf_parent_check (TfParent *self,
                 int       fd)
{
  if (is_open_at (self, fd))
    return TRUE;

  g_mutex_lock (&lock);
  if (self->fd == fd)
    steal_fd (self);
  g_mutex_unlock (&lock);
  return FALSE;
}

/* Returns whether @fd, which is in use, is the directory @identity. It can have become another file if the program has
 * closed all descriptors. */
gboolean
tf_parent_prove (int               fd,
                 const TfIdentity *identity)
{
  TfIdentity found;

  return tf_identity_read (&found, fd, "") && tf_identity_equal (&found, identity);
}

/* Describes @name in the directory, which is open as @fd. Does not ask the server of what is mounted there. */
gboolean
tf_parent_stat (const TfParent *self,
                int             fd,
                const char     *name,
                TfSystemStat   *st)
{
  return tf_system_stat_in (st, fd, name, self->is_local);
}

/* Returns TRUE also if the path cannot be looked at. */
gboolean
tf_parent_may_have_moved (TfParent *self)
{
  TfSystemStat st;

  return !stat_path (self, &st) || !is_place (self, &st);
}

/* --- Removal -------------------------------------------------------------------------------- */

/* Returns @node, or the next one after it, that is below @path, or NULL. */
static GTreeNode *
get_below (const char *path,
           GTreeNode  *node)
{
  gsize length = strlen (path);

  for (; node != NULL && strncmp (g_tree_node_key (node), path, length) == 0; node = g_tree_node_next (node))
    if (((const char *) g_tree_node_key (node))[length] == '/')
      return node;

  return NULL;
}

static GTreeNode *
get_first_below (const char *path)
{
  return by_spelling != NULL ? get_below (path, g_tree_lower_bound (by_spelling, path)) : NULL;
}

static void
set_removed (TfParent *self)
{
  g_atomic_int_set (&self->is_removed, TRUE);
  make_unknown (self);
}

static void
ref_into (GPtrArray **parents,
          TfParent   *self)
{
  if (*parents == NULL)
    *parents = g_ptr_array_new_with_free_func ((GDestroyNotify) tf_parent_unref);
  take (self);
  g_ptr_array_add (*parents, self);
}

/* Returns new references to what has the path, and to what is below it, or NULL. */
static GPtrArray *
ref_below (const char *path)
{
  GPtrArray *parents = NULL;
  TfParent *at_path;

  g_mutex_lock (&lock);
  at_path = look_up (path);
  if (at_path != NULL)
    ref_into (&parents, at_path);
  for (GTreeNode *node = get_first_below (path); node != NULL; node = get_below (path, g_tree_node_next (node)))
    ref_into (&parents, g_tree_node_value (node));
  g_mutex_unlock (&lock);

  return parents;
}

/* Describes what @path in @dir_fd leads to. Fails with ELOOP if a symlink or ".." behind the first @top bytes of it could
 * lead out of the directory that these lead to, or if there is a symlink at its end; and with EXDEV if another mount is
 * there, whose server may not answer. */
static gboolean
stat_beneath (int           dir_fd,
              const char   *path,
              gsize         top,
              TfSystemStat *st)
{
  const char *end = path + top;

  while (*end != '\0')
    {
      g_autofree char *above = NULL;
      const char *name = end + 1;
      gboolean is_up;

      end = name + strcspn (name, "/");
      above = g_strndup (path, end - path);
      is_up = g_str_equal (above + (name - path), "..");
      if (!is_up && !tf_system_stat_known (st, dir_fd, above))
        return FALSE;

      if (is_up || S_ISLNK (st->mode) || st->is_mounted)
        {
          errno = !is_up && st->is_mounted ? EXDEV : ELOOP;
          return FALSE;
        }
    }

  return path[top] != '\0' || tf_system_stat_known (st, dir_fd, path);
}

/* Returns whether the directory is beneath the one at @path, or is that one. @name, in @dir_fd, is the end of @path.
 * Otherwise sets errno; to ENOENT if nothing is there, or something else: it was removed or moved. */
static gboolean
is_beneath (const TfParent *self,
            const char     *path,
            int             dir_fd,
            const char     *name)
{
  TfSystemStat st;

  if (!stat_beneath (dir_fd, self->spelling + (name - path), strlen (name), &st))
    return FALSE;

  errno = ENOENT;
  return is_place (self, &st);
}

/* Called before the directory @st is removed with all that is in it. @name, in @dir_fd, is the end of @path. Returns what
 * goes with it, or NULL. */
GPtrArray *
tf_parent_begin_removal (const char         *path,
                         int                 dir_fd,
                         const char         *name,
                         const TfSystemStat *st)
{
  GPtrArray *parents;

  /* The only one is that of which it is an entry. */
  if (g_atomic_int_get (&n_parents) == 1)
    return NULL;

  parents = ref_below (path);
  for (guint i = parents != NULL ? parents->len : 0; i-- > 0;)
    {
      const TfParent *parent = g_ptr_array_index (parents, i);

      if (!is_on_mount (st, parent->mount_id, parent->place.device) || !is_beneath (parent, path, dir_fd, name))
        g_ptr_array_remove_index_fast (parents, i);
    }

  return parents;
}

/* Called after the directory @st was removed. @known is what tf_parent_begin_removal() has returned, and @inside the
 * directory as it was known before, or NULL. */
void
tf_parent_end_removal (GPtrArray          *known,
                       TfParent           *inside,
                       const TfSystemStat *st)
{
  if (known == NULL && inside == NULL)
    return;

  g_mutex_lock (&lock);
  for (guint i = 0; known != NULL && i < known->len; i++)
    set_removed (g_ptr_array_index (known, i));
  if (inside != NULL && is_place (inside, st))
    set_removed (inside);
  g_mutex_unlock (&lock);
}

/* Called instead, with what tf_parent_begin_removal() was called with, if not all could be removed. Nothing is known if the
 * directory is not at its path any more: what is not found beneath it may be where that is now. */
void
tf_parent_end_failed_removal (GPtrArray          *known,
                              const char         *path,
                              int                 dir_fd,
                              const char         *name,
                              const TfSystemStat *st)
{
  TfSystemStat top;

  if (known == NULL || !tf_system_stat_in (&top, dir_fd, name, FALSE) || top.device != st->device || top.inode != st->inode)
    return;

  for (guint i = known->len; i-- > 0;)
    {
      const TfParent *parent = g_ptr_array_index (known, i);

      if (is_beneath (parent, path, dir_fd, name) || errno != ENOENT)
        g_ptr_array_remove_index_fast (known, i);
    }

  tf_parent_end_removal (known, NULL, NULL);
}

/* Returns whether this process has removed the directory, so that nothing is in it any more. One that is only not found
 * may have been moved. */
gboolean
tf_parent_is_removed (const TfParent *self)
{
  return g_atomic_int_get (&self->is_removed);
}
