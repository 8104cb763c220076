/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-entry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-debug.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-fork.h"
#include "base/tf-task.h"
#include "tf-aside.h"
#include "tree/tf-dir.h"
#include "tree/tf-remove.h"

/* The number of directories that are locked at most, so that systemd-tmpfiles does not remove what is in them. */
#define MAX_LOCKS 64
/* That many are locked without a look at the limit of descriptors. */
#define MIN_LOCKS 2

/* How many new directories may be exchanged for others in a row. They are left behind. */
#define MAX_EXCHANGED 100

/* How long what was handed over and is in use is left alone before the next look, and the next attempt without a
 * worker. */
#define RETRY_SECONDS 10

/* GLib's timers stand still while the system is suspended, the deadline does not. */
#define MAX_SECONDS 600

guint tf_entry_second = 1000;

static guint n_locks; /* (atomic) */
static guint n_heirs; /* (atomic) */

typedef enum
{
  FOUND,   /* something has the name */
  MISSING,
  FAILED,
} Found;

/* Where an entry is: @name in @dir_fd. */
typedef struct
{
  int         dir_fd;
  const char *name;
} Place;

/* Returns until when it stays, or 0. */
static guint32
get_deadline (const TfEntry *self)
{
  return self->is_heir ? (guint32) g_atomic_int_get (&((const TfHeir *) self)->deadline) : 0;
}

static void stop_waiting (TfHeir *heir);

static void
set_deadline (TfEntry *self,
              guint32  deadline)
{
  if (!self->is_heir)
    return;

  g_atomic_int_set (&((TfHeir *) self)->deadline, deadline);
  tf_journal_set_deadline (self->name.record, deadline);
  if (deadline == 0)
    stop_waiting ((TfHeir *) self);
}

static TfHeir *
get_heir (const TfEntry *self)
{
  return __atomic_load_n (&self->heir, __ATOMIC_ACQUIRE);
}

/* Claims the entry, or its heir, and returns it. */
static TfEntry *
claim (TfEntry *self)
{
  TfHeir *heir;

  tf_registry_claim (&self->node);
  heir = get_heir (self);
  if (heir == NULL)
    return self;

  tf_registry_release (&self->node);
  tf_registry_claim (&heir->entry.node);
  return &heir->entry;
}

static const char *
get_name (const TfEntry *self)
{
  return strrchr (self->path, '/') + 1;
}

static gboolean
lacks_fds (void)
{
  return errno == EMFILE || errno == ENFILE;
}

/* Fails with ENOENT if the directory of the entry has been moved. Without a descriptor, the entry is looked for by its
 * path. */
static gboolean
enter (const TfEntry *self,
       Place         *place)
{
  *place = (Place) { AT_FDCWD, self->path };
  if (self->name.parent == NULL)
    return TRUE;

  if (tf_parent_enter (self->name.parent, &place->dir_fd))
    {
      place->name = get_name (self);
      return TRUE;
    }

  return lacks_fds ();
}

/* Does not change errno. */
static void
leave (const TfEntry *self,
       const Place   *place)
{
  if (place->name != self->path)
    tf_parent_leave (self->name.parent);
}

/* --- Creation ------------------------------------------------------------------------------- */

static void
write_record (TfEntry *self)
{
  if (self->name.parent == NULL || self->name.record != NULL || tf_debug_has (TF_DEBUG_KEEP))
    return;

  self->name.record = tf_journal_write (tf_parent_get_place (self->name.parent), get_name (self),
                                        self->is_dir ? TF_JOURNAL_DIR : TF_JOURNAL_FILE,
                                        AT_FDCWD, self->path, &self->identity, get_deadline (self));
}

static void
clear_record (TfEntry *self)
{
  tf_journal_clear (g_steal_pointer (&self->name.record));
}

static void
take_parent (TfEntry  *self,
             TfParent *parent)
{
  tf_parent_unref (self->name.parent);
  self->name.parent = parent;
  if (self->name.record != NULL)
    {
      clear_record (self);
      write_record (self);
    }
}

/* Called if a new entry is not in the directory where it should be: another directory may have been at the path already. */
static void
renew_parent (TfEntry *self)
{
  TfParent *renewed = self->name.parent != NULL ? tf_parent_renew (self->name.parent) : NULL;

  if (renewed != NULL)
    take_parent (self, renewed);
}

/* Takes permissions away that nobody has asked for, and gives the owner of a directory those that the umask has taken.
 * The file system may refuse this; that matters only if others could get in. */
static gboolean
correct_mode (TfEntry            *self,
              int                 fd,
              const TfSystemStat *st,
              guint               wanted)
{
  guint excess = st->mode & (S_IRWXU | S_IRWXG | S_IRWXO) & ~wanted;
  guint lacking = self->is_dir ? wanted & S_IRWXU & ~st->mode : 0;
  guint mode = (st->mode & 07777 & ~excess) | lacking;
  gboolean success = FALSE;
  Place place;

  self->is_corrected = lacking != 0;
  if (excess == 0 && lacking == 0)
    return TRUE;

  if (!self->is_dir)
    success = fchmod (fd, mode) == 0;
  else if (enter (self, &place))
    {
      success = tf_system_chmod_dir (place.dir_fd, place.name, st, mode) == 0;
      leave (self, &place);
    }

  return success || !(excess & (S_IRWXG | S_IRWXO));
}

static gboolean
look_at_name (TfEntry      *self,
              TfSystemStat *st)
{
  gboolean success;
  Place place;

  if (!enter (self, &place))
    return FALSE;

  success = tf_identity_stat (&self->identity, place.dir_fd, place.name, st);
  leave (self, &place);
  return success;
}

static gboolean
parent_is_guarded (const TfEntry *self)
{
  return self->name.parent != NULL && tf_parent_is_guarded (self->name.parent);
}

/* Returns FALSE with errno set to ENOENT if the name is not that of the file. */
static gboolean
has_own_name (const TfEntry *self)
{
  gboolean success;
  TfIdentity found;
  Place place;

  if (!enter (self, &place))
    return FALSE;

  success = tf_identity_read (&found, place.dir_fd, place.name);
  leave (self, &place);
  if (success && !tf_identity_equal (&found, &self->identity))
    {
      errno = ENOENT;
      return FALSE;
    }

  return success;
}

/* Looks for the directory that has the new file @st. Fails with EAGAIN if it is not at the path any more either. */
static gboolean
find_parent (TfEntry            *self,
             const TfSystemStat *st)
{
  renew_parent (self);
  if (has_own_name (self) || (errno != ENOENT && errno != ENOTDIR) || st->n_links == 0)
    return TRUE;

  errno = EAGAIN;
  return FALSE;
}

/* Looks at the new file by its name, which proves that it is in the directory that was written down. Where others could
 * have put another file there, looks at the file itself too. */
static gboolean
look_at_file (TfEntry      *self,
              int           fd,
              TfSystemStat *st)
{
  gboolean has_name = self->name.dir_fd == 0 && look_at_name (self, st);

  if (has_name && parent_is_guarded (self))
    return TRUE;

  return tf_identity_stat (&self->identity, fd, "", st) &&
         (has_name || self->name.dir_fd != 0 || find_parent (self, st));
}

/* Removes the file from @path, if it is there. All is done in one directory: who exchanges parts of the path can have no
 * other one removed than what he could have removed from his own. */
static gboolean
remove_from (const TfEntry *self,
             const char    *path)
{
  g_autofree char *dir = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  tf_autofd int dir_fd = tf_system_open_dir (dir);
  TfIdentity found;

  if (dir_fd < 0 || !tf_identity_read (&found, dir_fd, name))
    return FALSE;

  if (tf_identity_equal (&found, &self->identity))
    return unlinkat (dir_fd, name, 0) == 0;

  errno = ENOENT;
  return FALSE;
}

static gboolean
is_unlinked (int fd)
{
  TfSystemStat st;

  return tf_system_stat (&st, fd, "") && st.n_links == 0;
}

/* Removes a new file from where the system says that it is now. Fails with ENOENT if it does not say so, or if the file is
 * moved again each time. */
static gboolean
remove_moved (const TfEntry *self,
              int            fd)
{
  for (int i = 0; i < MAX_EXCHANGED && !is_unlinked (fd); i++)
    {
      g_autofree char *path = tf_system_find_path (fd);

      if (path == NULL)
        break;
      if (!remove_from (self, path) && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
        return FALSE;
    }

  errno = ENOENT;
  return is_unlinked (fd);
}

/* Removes what could not be set up. A directory that may have been exchanged is left to a sweep, and what cannot be
 * removed. */
static void
remove_new (TfEntry *self)
{
  int flags = self->is_dir ? AT_REMOVEDIR : 0;
  int result;

  if (self->is_dir && !parent_is_guarded (self))
    {
      self->name.record = NULL;
      return;
    }

  if (self->name.dir_fd > 0)
    result = unlinkat (self->name.dir_fd, get_name (self), flags);
  else
    result = unlinkat (AT_FDCWD, self->path, flags);

  if (result != 0 && errno != ENOENT)
    tf_journal_leave (g_steal_pointer (&self->name.record));
}

/* Returns whether nobody else can do anything with what is being created: it is in a private directory of its own
 * process. The directory may be opened to others later. */
static gboolean
is_safe (const TfEntry    *self,
         const TfTemplate *template)
{
  return template->inside != NULL && !template->inside->is_corrected && tf_parent_is_private (self->name.parent);
}

static gboolean
settle_file (TfEntry          *self,
             int               fd,
             const TfTemplate *template)
{
  TfSystemStat st;

  if (is_safe (self, template))
    return tf_identity_stat (&self->identity, fd, "", &st);

  if (!look_at_file (self, fd, &st))
    return FALSE;

  tf_journal_complete (self->name.record, fd, "", &self->identity);
  return correct_mode (self, fd, &st, template->mode);
}

/* Called for what was created and could not be set up. */
static void
abandon (TfEntry *self)
{
  remove_new (self);
  clear_record (self);
  tf_registry_end (&self->node, FALSE);
}

/* Called for what may come back to where it was created, where another one may have its name now. */
static void
leave_to_sweep (TfEntry *self)
{
  tf_journal_leave (g_steal_pointer (&self->name.record));
  tf_registry_end (&self->node, FALSE);
}

/* Called for what is not where it was created any more, before it is created again. */
static void
forget_exchanged (TfEntry *self)
{
  clear_record (self);
  tf_registry_end (&self->node, FALSE);
  g_clear_pointer (&self->path, g_free);
}

static int
create_file (TfEntry           *self,
             const TfTemplate  *template,
             GCancellable      *cancellable,
             GError           **error)
{
  for (int i = 0; i < MAX_EXCHANGED; i++)
    {
      tf_autofd int fd = tf_open_named (template, &self->name, &self->path, cancellable, error);

      if (fd < 0 || settle_file (self, fd, template))
        return tf_fd_steal (&fd);

      if (errno != EAGAIN)
        {
          tf_errno_set (error, errno, "set up", self->path);
          abandon (self);
          return -1;
        }

      if (!remove_moved (self, fd))
        {
          tf_errno_set (error, errno, "set up", self->path);
          leave_to_sweep (self);
          return -1;
        }

      forget_exchanged (self);
    }

  tf_errno_set (error, EAGAIN, "create a file in", template->dir);
  return -1;
}

/* Returns 0 if the directory is empty, and -1 if it cannot be read. */
static int
read_entries (int fd)
{
  TfDirListing listing = { NULL, };
  int n = tf_dir_listing_read (&listing, fd);
  int saved_errno = errno;

  tf_dir_listing_clear (&listing);
  lseek (fd, 0, SEEK_SET);
  errno = saved_errno;
  return n;
}

/* Reads the identity of the new directory. Opens it if that is wanted; if it cannot be opened, sets @open_errno. */
static gboolean
look_at_dir (TfEntry      *self,
             gboolean      wants_fd,
             int          *fd,
             int          *open_errno,
             TfSystemStat *st)
{
  gboolean success;
  Place place;

  if (!enter (self, &place))
    return FALSE;

  if (wants_fd)
    *fd = tf_fd_lift (TF_RETRY_EINTR (openat (place.dir_fd, place.name,
                                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)));

  *open_errno = errno;
  success = *fd >= 0 ? tf_identity_stat (&self->identity, *fd, "", st)
                     : tf_identity_stat (&self->identity, place.dir_fd, place.name, st);
  if (!success)
    tf_fd_clear (fd);
  leave (self, &place);
  return success;
}

static gboolean
may_lock (void)
{
  guint n = g_atomic_int_get (&n_locks);

  return n < MIN_LOCKS || (n < MAX_LOCKS && n < tf_parent_limit_fds (MAX_LOCKS));
}

/* Takes the lock that systemd-tmpfiles respects, and owns the descriptor then. */
static void
lock_dir (TfEntry *self,
          int     *fd)
{
  if (*fd < 0 || tf_system_lock (*fd, FALSE) != 0)
    return;

  self->lock_fd = tf_fd_steal (fd);
  g_atomic_int_inc (&n_locks);
}

static void
unlock_dir (TfEntry *self)
{
  if (self->lock_fd < 0)
    return;

  tf_parent_close_fd (tf_fd_steal (&self->lock_fd), &self->identity);
  g_atomic_int_add (&n_locks, -1);
}

/* A directory is created and looked at in two steps. In between, someone who may rename in the parent directory can put
 * another one of this user's directories there. Returns whether this is certainly the new one; if not, sets errno to
 * EAGAIN. If it could not be opened to find out, sets errno to @open_errno. */
static gboolean
check_new_dir (guint               own_uid,
               gboolean            is_guarded,
               int                 fd,
               int                 open_errno,
               const TfSystemStat *st)
{
  int n = 0;

  if (is_guarded && S_ISDIR (st->mode))
    return TRUE;

  errno = open_errno;
  if (S_ISDIR (st->mode) && (fd >= 0 || (st->mode & S_IRUSR)))
    n = fd >= 0 ? read_entries (fd) : -1;
  if (n < 0 && errno != ENOENT)
    return FALSE;

  if (S_ISDIR (st->mode) && n == 0 && tf_identity_is_untouched (st) &&
      (st->uid == own_uid || st->uid == tf_system_get_file_uid ()))
    return TRUE;

  errno = EAGAIN;
  return FALSE;
}

static gboolean
settle_seen_dir (TfEntry          *self,
                 const TfTemplate *template,
                 guint             own_uid)
{
  gboolean is_guarded = parent_is_guarded (self);
  gboolean wants_lock = self->name.dir_fd == 0 && may_lock ();
  tf_autofd int fd = -1;
  int open_errno;
  TfSystemStat st;

  if (!look_at_dir (self, wants_lock || !is_guarded, &fd, &open_errno, &st))
    {
      if (self->name.dir_fd == 0)
        renew_parent (self);
      is_guarded = FALSE;
      if (!look_at_dir (self, TRUE, &fd, &open_errno, &st))
        {
          if (errno == ENOENT || errno == ENOTDIR)
            errno = EAGAIN;
          return FALSE;
        }
    }

  if (!check_new_dir (own_uid, is_guarded, fd, open_errno, &st))
    return FALSE;

  tf_journal_complete (self->name.record, fd >= 0 ? fd : AT_FDCWD, fd >= 0 ? "" : self->path, &self->identity);
  if (!correct_mode (self, fd, &st, template->mode))
    return FALSE;

  if (wants_lock)
    lock_dir (self, &fd);
  return TRUE;
}

/* Returns FALSE with errno set; to EAGAIN if the directory was exchanged or removed, and is left alone. */
static gboolean
settle_dir (TfEntry          *self,
            const TfTemplate *template,
            guint             own_uid)
{
  TfSystemStat st;

  if (is_safe (self, template))
    return tf_identity_stat (&self->identity, self->name.dir_fd, get_name (self), &st);

  return settle_seen_dir (self, template, own_uid);
}

/* Returns whether it is not the directory or a sandbox that refuses files, so that a directory could be made all the
 * same. */
static gboolean
is_need (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Sets @uid to the owner that what this process creates in the directory has. Where a network file system maps users,
 * that is another one than the user. */
static gboolean
get_own_uid (const TfTemplate  *template,
             int                dir_fd,
             guint             *uid,
             GCancellable      *cancellable,
             GError           **error)
{
  const TfTemplate probe = { .dir = template->dir, .mode = S_IRUSR | S_IWUSR, .is_probe = TRUE };
  g_autoptr(GError) own_error = NULL;
  tf_autofd int fd = -1;
  TfSystemStat st;

  *uid = geteuid ();
  if (tf_system_keeps_identities (dir_fd))
    return TRUE;

  fd = tf_open_unnamed (&probe, cancellable, &own_error);
  if (fd >= 0 && tf_system_stat (&st, fd, ""))
    *uid = st.uid;
  if (fd >= 0 || !is_need (own_error))
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&own_error));
  return FALSE;
}

/* Where somebody can exchange the new directory, it has to be opened, and its owner to be known. Makes sure before it is
 * created that both are possible: there is a descriptor for it, and @uid is set. */
static gboolean
prepare_to_look (TfEntry           *self,
                 const TfTemplate  *template,
                 int               *fd,
                 guint             *uid,
                 GCancellable      *cancellable,
                 GError           **error)
{
  if (self->name.parent == NULL && g_path_is_absolute (template->dir))
    self->name.parent = tf_parent_get (template->dir, template->is_default);

  *uid = geteuid ();
  if (self->name.parent == NULL || parent_is_guarded (self))
    return TRUE;

  *fd = tf_system_open_dir (template->dir);
  return *fd >= 0 ? get_own_uid (template, *fd, uid, cancellable, error)
                  : tf_errno_set (error, errno, "open", template->dir);
}

static char *
make_dir (TfEntry           *self,
          const TfTemplate  *template,
          guint             *uid,
          GCancellable      *cancellable,
          GError           **error)
{
  tf_autofd int fd = -1;

  return prepare_to_look (self, template, &fd, uid, cancellable, error)
         ? tf_open_make_dir (template, &self->name, cancellable, error)
         : NULL;
}

static int
create_dir (TfEntry           *self,
            const TfTemplate  *template,
            GCancellable      *cancellable,
            GError           **error)
{
  for (int i = 0; i < MAX_EXCHANGED; i++)
    {
      guint own_uid;

      self->path = make_dir (self, template, &own_uid, cancellable, error);
      if (self->path == NULL)
        return -1;

      if (settle_dir (self, template, own_uid))
        return 0;

      if (errno != EAGAIN)
        {
          tf_errno_set (error, errno, "set up", self->path);
          abandon (self);
          return -1;
        }

      forget_exchanged (self);
    }

  tf_errno_set (error, EAGAIN, "create a directory in", template->dir);
  return -1;
}

static void
forget_failed (TfEntry *self)
{
  tf_open_name_clear (&self->name);
  g_clear_pointer (&self->path, g_free);
}

/* If this succeeds, it has called tf_registry_begin(). */
typedef int (*CreateFunc) (TfEntry           *self,
                           const TfTemplate  *template,
                           GCancellable      *cancellable,
                           GError           **error);

/* Returns the directory itself, as the place of what is created in it. */
static TfParent *
get_inside (TfEntry  *self,
            GError  **error)
{
  TfEntry *entry = claim (self);
  TfParent *inside = NULL;

  errno = ENOENT;
  if (!entry->is_gone && entry->inside == NULL)
    entry->inside = tf_parent_get (entry->path, FALSE);
  if (!entry->is_gone && entry->inside != NULL)
    inside = tf_parent_ref (entry->inside);
  else
    tf_errno_set (error, errno, "create in", entry->path);
  tf_registry_release (&entry->node);

  return inside;
}

/* Opens the directory @self for tf_parent_leave(), whatever is at its path. Its descriptor may have been closed. */
static gboolean
open_inside (const TfEntry *self,
             TfParent      *inside,
             int           *fd)
{
  for (int i = 0; i < 2; i++)
    {
      if (!tf_parent_enter (inside, fd))
        return FALSE;

      if (tf_parent_prove (*fd, &self->identity))
        return TRUE;

      tf_parent_check (inside, *fd);
      tf_parent_leave (inside);
    }

  errno = ENOENT;
  return FALSE;
}

/* If this fails, the caller forgets the directory. */
static int
create_inside (TfEntry           *self,
               const TfTemplate  *template,
               CreateFunc         create,
               GCancellable      *cancellable,
               GError           **error)
{
  guint generation = tf_fork_get_generation ();
  int result;

  self->name.parent = get_inside (template->inside, error);
  if (self->name.parent == NULL)
    return -1;

  if (!open_inside (template->inside, self->name.parent, &self->name.dir_fd))
    {
      self->name.dir_fd = 0;
      tf_errno_set (error, errno, "create in", template->dir);
      return -1;
    }

  result = create (self, template, cancellable, error);
  self->name.dir_fd = 0;
  /* In a forked child, there are no uses from before. */
  if (generation == tf_fork_get_generation ())
    tf_parent_leave (self->name.parent);
  return result;
}

static int
create_and_register (TfEntry           *self,
                     const TfTemplate  *template,
                     CreateFunc         create,
                     GCancellable      *cancellable,
                     GError           **error)
{
  int result;

  self->name.node = &self->node;
  result = template->inside != NULL ? create_inside (self, template, create, cancellable, error)
                                    : create (self, template, cancellable, error);
  if (result < 0)
    {
      forget_failed (self);
      return -1;
    }

  tf_debug_trace ("created", self->path);
  /* Nothing is done any more about what is kept. */
  if (self->is_kept)
    clear_record (self);
  tf_registry_end (&self->node, !self->is_kept);

  return result;
}

/* Creates a file. Returns a descriptor for reading and writing. */
int
tf_entry_create_file (TfEntry           *self,
                      const TfTemplate  *template,
                      GCancellable      *cancellable,
                      GError           **error)
{
  return create_and_register (self, template, create_file, cancellable, error);
}

gboolean
tf_entry_create_dir (TfEntry           *self,
                     const TfTemplate  *template,
                     GCancellable      *cancellable,
                     GError           **error)
{
  self->is_dir = TRUE;
  return create_and_register (self, template, create_dir, cancellable, error) >= 0;
}

/* --- Removal -------------------------------------------------------------------------------- */

static gboolean
exists (const TfEntry *self)
{
  return self->path != NULL && !self->is_gone;
}

static gboolean
is_to_be_removed (TfEntry *self)
{
  return exists (self) && !self->is_kept && tf_registry_is_ours (&self->node);
}

/* How often it was kept, or got a lasting name. */
guint
tf_entry_count_kept (const TfEntry *self)
{
  return g_atomic_int_get (&self->n_kept);
}

/* Called when there is nothing to remove any more. */
static void
forget (TfEntry *self)
{
  tf_registry_remove (&self->node);
  clear_record (self);
  set_deadline (self, 0);
  unlock_dir (self);
  g_clear_pointer (&self->inside, tf_parent_unref);
  self->is_gone = TRUE;
}

/* Returns whether another one of its kind at the name was put there by this user: by an editor that replaces what it
 * saves, for example. For a directory this is stricter, because all that is in it is removed. */
static gboolean
is_replacement (const TfEntry      *self,
                const Place        *place,
                const TfSystemStat *found)
{
  TfSystemStat dir;

  if (place->name == self->path || found->uid != geteuid () || (found->mode & S_IFMT) != self->identity.type ||
      !tf_system_stat (&dir, place->dir_fd, "") || !tf_parent_guards (&dir))
    return FALSE;

  return !self->is_dir || !(dir.mode & (S_IWGRP | S_IWOTH)) || !(found->mode & (S_IWGRP | S_IWOTH));
}

/* Gives up the entry. */
static gboolean
give_up (TfEntry     *self,
         const char  *reason,
         GError     **error)
{
  g_autofree char *display = g_filename_display_name (self->path);

  forget (self);
  tf_errno_set_code (error, G_IO_ERROR_EXISTS, "“%s” is not %s; it is left alone", display, reason);
  return FALSE;
}

static gboolean
describe (const TfEntry *self,
          const Place   *place,
          TfSystemStat  *st)
{
  return place->name != self->path ? tf_parent_stat (self->name.parent, place->dir_fd, place->name, st)
                                   : tf_system_stat_in (st, place->dir_fd, place->name, FALSE);
}

/* On FOUND, the caller calls leave(). On FAILED, errno is set: to EBUSY if something is mounted there. */
static Found
look (const TfEntry *self,
      Place         *place,
      TfIdentity    *identity,
      TfSystemStat  *st)
{
  gboolean is_there;

  if (!enter (self, place))
    return FAILED;

  is_there = describe (self, place, st);
  if (is_there && !st->is_mounted)
    {
      tf_identity_set (identity, st);
      return FOUND;
    }

  if (is_there)
    errno = EBUSY;
  leave (self, place);
  return errno == ENOENT || errno == ENOTDIR || errno == EBADF ? MISSING : FAILED;
}

/* Looks in another directory for the entry, which what is mounted there may hide. Fails with EEXIST if it is there: this
 * process does not know who has moved it, and why. */
static Found
look_in_other (const TfEntry *self,
               TfParent      *parent)
{
  TfIdentity found = { 0 };
  TfSystemStat st;
  int dir_fd;

  if (!tf_parent_enter (parent, &dir_fd))
    return lacks_fds () ? FAILED : MISSING;

  if (tf_parent_stat (parent, dir_fd, get_name (self), &st))
    tf_identity_set (&found, &st);
  tf_parent_leave (parent);
  errno = EEXIST;
  return found.inode != 0 && (st.is_mounted || tf_identity_equal (&found, &self->identity)) ? FAILED : MISSING;
}

/* Looks in what is at the path of the directory now. If that cannot be the same one, nothing is removed from it. */
static Found
look_again (TfEntry      *self,
            Place        *place,
            TfIdentity   *identity,
            TfSystemStat *st)
{
  gboolean may_be_same;
  TfParent *parent = tf_parent_find_other (self->name.parent, &may_be_same);
  Found found;

  if (parent == NULL)
    return lacks_fds () ? FAILED : MISSING;

  if (!may_be_same)
    {
      int saved_errno;

      found = look_in_other (self, parent);
      saved_errno = errno;
      tf_parent_unref (parent);
      errno = saved_errno;
      return found;
    }

  take_parent (self, parent);
  found = look (self, place, identity, st);
  if (found != FOUND || tf_identity_equal (identity, &self->identity))
    return found;

  leave (self, place);
  return MISSING;
}

/* By its path alone, for lack of a descriptor, the entry is not found in a directory that was moved. */
static Found
check_by_path (const TfEntry *self,
               Place         *place,
               Found          found)
{
  if (self->name.parent == NULL || found == FAILED || !tf_parent_may_have_moved (self->name.parent))
    return found;

  if (found == FOUND)
    leave (self, place);
  errno = EMFILE;
  return FAILED;
}

/* Looks for the entry in its directory. If it is missing, the descriptor may not be that of the directory any more,
 * because the program has closed it; or the directory looks like another one by now. */
static Found
find (TfEntry      *self,
      Place        *place,
      TfIdentity   *identity,
      TfSystemStat *st)
{
  Found found;

  if (self->name.parent != NULL && tf_parent_is_removed (self->name.parent))
    return look_again (self, place, identity, st);

  found = look (self, place, identity, st);
  if (place->name == self->path)
    return check_by_path (self, place, found);

  if (found == MISSING && !tf_parent_check (self->name.parent, place->dir_fd))
    found = look (self, place, identity, st);

  return found == MISSING ? look_again (self, place, identity, st) : found;
}

/* Without a descriptor, the name of a directory is looked up twice. Refuses if it can be exchanged in between. */
static gboolean
check_place (const TfEntry  *self,
             const Place    *place,
             GError        **error)
{
  return place->name != self->path || self->name.parent == NULL || parent_is_guarded (self) ||
         tf_errno_set (error, EMFILE, "remove", self->path);
}

/* What was created in the directory goes with it. */
static gboolean
remove_dir (TfEntry             *self,
            const Place         *place,
            const TfIdentity    *found,
            const TfSystemStat  *st,
            GCancellable        *cancellable,
            GError             **error)
{
  g_autoptr(GPtrArray) known = tf_parent_begin_removal (self->path, place->dir_fd, place->name, st);
  gboolean success = tf_remove_dir_at (place->dir_fd, place->name, self->path, found, cancellable, error);

  if (success)
    tf_parent_end_removal (known, self->inside, st);
  else
    tf_parent_end_failed_removal (known, self->path, place->dir_fd, place->name, st);
  return success;
}

static gboolean
remove_found (TfEntry             *self,
              const Place         *place,
              const TfIdentity    *found,
              const TfSystemStat  *st,
              gboolean             takes_replacement,
              GCancellable        *cancellable,
              GError             **error)
{
  if (!tf_identity_equal (found, &self->identity) && !(takes_replacement && is_replacement (self, place, st)))
    return give_up (self, "what was created there", error);

  if (self->is_dir)
    return check_place (self, place, error) && remove_dir (self, place, found, st, cancellable, error);

  return unlinkat (place->dir_fd, place->name, 0) == 0 || errno == ENOENT ||
         tf_errno_set (error, errno, "unlink", self->path);
}

/* Whether it is a file for which no descriptor of its directory is held, see leave_to_heir(). */
static gboolean
is_left (const TfEntry *self)
{
  return self->is_heir && !self->is_dir && get_deadline (self) == 0;
}

static gboolean
remove_from_disk (TfEntry       *self,
                  gboolean       takes_replacement,
                  GCancellable  *cancellable,
                  GError       **error)
{
  TfIdentity identity;
  TfSystemStat st;
  gboolean success;
  Place place;
  Found found = find (self, &place, &identity, &st);

  if (found == FAILED && errno == EEXIST)
    return give_up (self, "in the directory in which it was created", error);

  if (found == FAILED && !(errno == ENOENT && is_left (self)))
    return errno == EBUSY ? tf_errno_set_mounted (error, self->path) : tf_errno_set (error, errno, "find", self->path);

  if (found != FOUND)
    {
      /* It cannot be told whether its directory was moved. A sweep knows that from the record. */
      if (self->name.parent == NULL || found == FAILED)
        self->name.record = NULL;
      return TRUE;
    }

  success = remove_found (self, &place, &identity, &st, takes_replacement, cancellable, error);
  leave (self, &place);
  return success;
}

static gboolean
remove_or_show (TfEntry       *self,
                gboolean       takes_replacement,
                GCancellable  *cancellable,
                GError       **error)
{
  if (tf_debug_has (TF_DEBUG_KEEP))
    tf_debug_say ("kept", self->path);
  else if (remove_from_disk (self, takes_replacement, cancellable, error))
    tf_debug_trace ("removed", self->path);
  else
    return FALSE;

  forget (self);
  return TRUE;
}

/* What is gone does not keep its directory open. Not called while the directory is entered. */
static void
let_go_if_gone (TfEntry *self)
{
  if (self->is_gone)
    g_clear_pointer (&self->name.parent, tf_parent_unref);
}

static gboolean
remove_ours (TfEntry       *self,
             gboolean       takes_replacement,
             GCancellable  *cancellable,
             GError       **error)
{
  gboolean success = remove_or_show (self, takes_replacement, cancellable, error);

  let_go_if_gone (self);
  return success;
}

/* Whether another process has created it, of which this is a fork. */
gboolean
tf_entry_is_inherited (TfEntry *self)
{
  return !tf_registry_is_ours (&self->node);
}

static gboolean
check_ours (TfEntry  *self,
            GError  **error)
{
  g_autofree char *display = NULL;

  if (!tf_entry_is_inherited (self))
    return TRUE;

  display = g_filename_display_name (self->path);
  tf_errno_set_code (error, G_IO_ERROR_PERMISSION_DENIED,
                     "“%s” belongs to the process of which this is a fork; it is left alone", display);
  return FALSE;
}

static gboolean
check_not_kept_since (const TfEntry  *self,
                      guint           n_kept,
                      GError        **error)
{
  g_autofree char *display = NULL;

  if (tf_entry_count_kept (self) == n_kept)
    return TRUE;

  display = g_filename_display_name (self->path);
  tf_errno_set_code (error, G_IO_ERROR_CANCELLED, "“%s” was kept before it was removed", display);
  return FALSE;
}

/* Removes the entry if this process created it. Calling this again does nothing and succeeds; after an error, it tries
 * again. @n_kept is what tf_entry_count_kept() returned when this was asked for. */
gboolean
tf_entry_remove (TfEntry       *self,
                 guint          n_kept,
                 GCancellable  *cancellable,
                 GError       **error)
{
  TfEntry *entry = claim (self);
  gboolean success = !exists (entry) ||
                     (check_not_kept_since (self, n_kept, error) &&
                      check_ours (entry, error) && remove_ours (entry, TRUE, cancellable, error));

  tf_registry_release (&entry->node);
  return success;
}

static gboolean
drop_claimed (TfEntry       *self,
              GCancellable  *cancellable,
              GError       **error)
{
  return !exists (self) || !tf_registry_is_ours (&self->node) || remove_ours (self, TRUE, cancellable, error);
}

/* Like tf_entry_remove(), for removal that the user did not ask for: an entry of the parent of a forked child is no
 * error, and neither is one that was kept; what was handed over stays. */
gboolean
tf_entry_drop (TfEntry       *self,
               gboolean       kept_too,
               GCancellable  *cancellable,
               GError       **error)
{
  TfEntry *entry;
  gboolean success;

  if (tf_entry_is_handed_over (self))
    return TRUE;

  entry = claim (self);
  success = get_deadline (entry) != 0 || (!kept_too && entry->is_kept) || drop_claimed (entry, cancellable, error);
  tf_registry_release (&entry->node);
  return success;
}

/* Describes the directory of @path. */
static gboolean
look_at_dir_of (const char   *path,
                char        **dir,
                TfSystemStat *st)
{
  g_autofree char *parent = g_path_get_dirname (path);

  /* The last component may be a symlink. */
  *dir = g_build_filename (parent, ".", NULL);
  return tf_system_stat (st, AT_FDCWD, *dir);
}

/* Returns whether a new name in @other_fd, at @place, is seen in @fd as well, or may be. */
static gboolean
is_shared (int            fd,
           int            other_fd,
           const TfPlace *place)
{
  const TfTemplate template = { .prefix = (char *) ".tmp-" };
  g_autofree char *name = tf_template_make_name (&template, NULL);
  TfJournalRecord *record;
  struct stat st;
  gboolean is_seen;

  if (name == NULL)
    return TRUE;

  record = tf_journal_begin (place, name, TF_JOURNAL_FILE);
  if (TF_RETRY_EINTR (mknodat (other_fd, name, S_IFREG | 0600, 0)) != 0)
    {
      tf_journal_clear (record);
      return TRUE;
    }

  is_seen = fstatat (fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
  if (TF_RETRY_EINTR (unlinkat (other_fd, name, 0)) == 0)
    tf_journal_clear (record);
  else
    tf_journal_leave (record);
  return is_seen;
}

/* Returns whether two directories that do not look the same can be one nevertheless: on another mount, as of FUSE or a
 * network file system, the same directory has other numbers. */
static gboolean
is_other_mount (const char         *dir,
                const char         *other,
                const TfSystemStat *st)
{
  tf_autofd int fd = tf_system_open_dir (dir);
  tf_autofd int other_fd = tf_system_open_dir (other);
  g_autofree char *path = NULL;
  TfPlace place;

  if (fd < 0 || other_fd < 0)
    return TRUE;
  if (tf_system_keeps_identities (fd) && tf_system_keeps_identities (other_fd))
    return FALSE;

  place.path = path = tf_parent_find_path (other, other_fd, st);
  tf_place_set (&place, st);
  return is_shared (fd, other_fd, &place);
}

/* Returns whether @path is another one of the same name in the same directory. The identity of the file does not tell:
 * it depends on the name on some file systems. */
static gboolean
is_at (const TfEntry *self,
       const char    *path)
{
  g_autofree char *own_dir = NULL;
  g_autofree char *other_dir = NULL;
  TfSystemStat own;
  TfSystemStat other;

  if (!g_str_equal (get_name (self), strrchr (path, '/') + 1))
    return FALSE;

  return g_str_equal (self->path, path) ||
         !look_at_dir_of (self->path, &own_dir, &own) || !look_at_dir_of (path, &other_dir, &other) ||
         (own.device == other.device && own.inode == other.inode) ||
         is_other_mount (own_dir, other_dir, &other);
}

/* Removes the name that the file had before it got the lasting one @path. If that is the same, by whatever path, it is
 * kept from now on. In a forked child, the name of a parent stays. */
gboolean
tf_entry_remove_former (TfEntry     *self,
                        const char  *path,
                        GError     **error)
{
  g_autoptr(GError) failure = NULL;
  TfEntry *entry = claim (self);
  gboolean stays = exists (entry) && is_at (entry, path);
  gboolean success = stays || !exists (entry) || !tf_registry_is_ours (&entry->node) ||
                     remove_ours (entry, FALSE, NULL, &failure) ||
                     g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_EXISTS);

  tf_registry_release (&entry->node);

  if (stays)
    tf_entry_keep (self);
  if (!success)
    g_propagate_error (error, g_steal_pointer (&failure));
  return success;
}

/* What a forked child keeps no sweep takes, once parent and child have ended. */
static void
keep_for_parent (TfEntry  *self,
                 gboolean  kept)
{
  g_autoptr(GError) error = NULL;

  if (tf_journal_keep_in_child (self->name.record, &self->identity, kept))
    return;

  tf_errno_set (&error, errno, "keep", self->path);
  tf_errno_log_lost ("Keeping what belongs to the parent of this process", error);
}

static void
set_kept_claimed (TfEntry  *self,
                  gboolean  kept)
{
  if (!exists (self))
    return;

  if (!tf_registry_is_ours (&self->node))
    keep_for_parent (self, kept);
  else if (kept)
    {
      tf_registry_remove (&self->node);
      clear_record (self);
      set_deadline (self, 0);
      unlock_dir (self);
    }
  else
    {
      tf_registry_add (&self->node);
      write_record (self);
    }
}

static void
set_kept (TfEntry  *self,
          gboolean  kept,
          gboolean  final)
{
  TfEntry *entry;

  if (kept)
    g_atomic_int_inc (&self->n_kept);

  entry = claim (self);
  if (!entry->is_final && entry->is_kept != kept)
    {
      entry->is_kept = kept;
      set_kept_claimed (entry, kept);
    }
  entry->is_final |= final;
  self->is_final = entry->is_final;
  tf_registry_release (&entry->node);

  /* It is too late to keep it, and so the caller must not learn of it. */
  if (kept && entry->is_gone_at_exit)
    tf_registry_wait_for_end ();
}

/* Sets whether this process, and a sweep after its death, leave the entry alone. This has taken effect when the
 * function returns, and cannot fail. */
void
tf_entry_set_kept (TfEntry  *self,
                   gboolean  kept)
{
  set_kept (self, kept, FALSE);
}

/* Leaves the entry alone for good. */
void
tf_entry_keep (TfEntry *self)
{
  set_kept (self, TRUE, TRUE);
}

static char *
become (TfEntry          *self,
        const char       *path,
        const TfIdentity *identity)
{
  char *former = self->path;

  tf_registry_remove (&self->node);
  self->name.record = NULL;
  set_deadline (self, 0);
  g_clear_pointer (&self->name.parent, tf_parent_unref);
  g_atomic_pointer_set (&self->path, g_strdup (path));
  self->identity = *identity;
  self->is_gone = FALSE;
  self->is_kept = TRUE;
  self->is_final = TRUE;
  return former;
}

static void leave_to_heir (TfEntry *self);

/* From now on, the entry stands for another file, which is kept. If the former one could not be removed, the end of the
 * process tries again. Returns the former path. */
char *
tf_entry_move (TfEntry          *self,
               const char       *path,
               const TfIdentity *identity)
{
  TfEntry *entry;
  char *former;

  g_atomic_int_inc (&self->n_kept);
  entry = claim (self);
  if (entry == self && is_to_be_removed (self))
    leave_to_heir (self);

  if (entry != self)
    g_free (become (entry, path, identity));
  former = become (self, path, identity);
  tf_registry_release (&entry->node);
  return former;
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
  self->is_gone_at_exit = self->is_gone;
}

/* The lock is the parent's. */
static void
disown_in_child (TfRegistryNode *node)
{
  unlock_dir ((TfEntry *) node);
}

static const TfRegistryFuncs registry_funcs = {
  .remove_at_exit = remove_at_exit,
  .disown_in_child = disown_in_child,
};

void
tf_entry_init (TfEntry *self)
{
  *self = (TfEntry) { .node.funcs = &registry_funcs, .lock_fd = -1 };
}

/* --- Handing over --------------------------------------------------------------------------- */

static TfAsideResult
remove_handed_over (const TfEntry      *self,
                    const TfAside      *aside,
                    const TfSystemStat *st)
{
  g_autoptr(GPtrArray) known = tf_parent_begin_removal (self->path, aside->dir_fd, aside->name, st);
  TfAsideResult result = tf_aside_remove (aside, NULL, NULL);

  if (result == TF_ASIDE_REMOVED)
    tf_parent_end_removal (known, self->inside, st);
  else if (result == TF_ASIDE_STAYS)
    tf_parent_end_failed_removal (known, self->path, aside->dir_fd, aside->name, st);
  return result;
}

/* If something else has the name, the program to which it was handed over has put it there. */
static TfAsideResult
remove_heir (TfEntry *self)
{
  TfAside aside = { .identity = &self->identity, .path = self->path, .deadline = get_deadline (self) };
  TfAsideResult result = TF_ASIDE_OTHER;
  TfIdentity identity;
  TfSystemStat st;
  Place place;
  Found found = find (self, &place, &identity, &st);

  if (found != FOUND)
    return found == MISSING ? TF_ASIDE_OTHER : TF_ASIDE_STAYS;

  aside.dir_fd = place.dir_fd;
  aside.name = place.name;
  aside.kind = self->is_dir ? TF_JOURNAL_DIR : TF_JOURNAL_FILE;
  if (place.name == self->path)
    result = TF_ASIDE_STAYS;
  else if (tf_identity_equal (&identity, &self->identity))
    {
      aside.dir = tf_parent_get_place (self->name.parent);
      result = remove_handed_over (self, &aside, &st);
    }

  leave (self, &place);
  return result;
}

/* Returns whether it is to be forgotten. */
static gboolean
settle_on_disk (TfEntry *self)
{
  if (tf_debug_has (TF_DEBUG_KEEP))
    {
      tf_debug_say ("kept", self->path);
      return TRUE;
    }

  switch (remove_heir (self))
    {
    case TF_ASIDE_REMOVED:
      tf_debug_trace ("removed", self->path);
      return TRUE;

    case TF_ASIDE_OTHER:
      tf_debug_trace ("is not any more what was handed over:", self->path);
      return TRUE;

    default:
      return FALSE;
    }
}

/* Returns in how many seconds there is something to do, or 0 if there is not. */
static guint
settle_claimed (TfEntry *self)
{
  gint64 deadline = get_deadline (self);
  gint64 now = tf_journal_get_uptime ();

  if (deadline == 0 || !exists (self) || !tf_registry_is_ours (&self->node))
    return 0;

  if (now < deadline)
    return MIN (deadline - now, G_MAXINT);

  if (!settle_on_disk (self))
    return RETRY_SECONDS;

  forget (self);
  let_go_if_gone (self);
  return 0;
}

/* Removes what was handed over if its time is over and it is not in use. Returns in how many seconds this is to be
 * called again, or 0 if there is nothing left to do. */
static guint
settle (TfHeir *heir)
{
  guint seconds;

  tf_registry_claim (&heir->entry.node);
  seconds = settle_claimed (&heir->entry);
  tf_registry_release (&heir->entry.node);
  return seconds;
}

/* Protects the timers of all heirs, and the list of the settled ones. */
static GMutex timers_lock;

static TfForkHandler timers_fork_handler = {
  .level = TF_FORK_NAMES,
  .lock = &timers_lock,
};

/* Those that were in the registry when the process ended, where nobody else may have them. Nothing is done with them:
 * they are not lost for those who look for leaks. */
static TfHeir *settled;

/* What cannot be removed yet is left to a sweep. */
static void
settle_at_exit (TfRegistryNode *node)
{
  TfEntry *self = (TfEntry *) node;

  if (get_deadline (self) == 0)
    remove_at_exit (node);
  else if (settle_claimed (self) != 0)
    tf_debug_trace ("left to a sweep:", self->path);
  self->is_gone_at_exit = self->is_gone;

  tf_fork_lock (&timers_fork_handler);
  ((TfHeir *) self)->next = settled;
  settled = (TfHeir *) self;
  g_mutex_unlock (&timers_lock);
}

static const TfRegistryFuncs heir_funcs = {
  .remove_at_exit = settle_at_exit,
  .disown_in_child = disown_in_child,
};

static TfHeir *
heir_ref (TfHeir *heir)
{
  g_atomic_int_inc (&heir->n_refs);
  return heir;
}

/* As long as there is something to remove at exit, the heir is not freed. */
static void
heir_unref (gpointer data)
{
  TfHeir *heir = data;

  if (!g_atomic_int_dec_and_test (&heir->n_refs) || is_to_be_removed (&heir->entry))
    return;

  heir->entry.is_heir = FALSE;
  heir->entry.node.funcs = &registry_funcs;
  tf_entry_clear (&heir->entry);
  g_free (heir);
  g_atomic_int_add (&n_heirs, -1);
}

/* The heir takes everything but the path, which the object still has. It is claimed. */
static TfHeir *
make_heir (TfEntry *self)
{
  TfHeir *heir = g_new (TfHeir, 1);

  g_atomic_int_inc (&n_heirs);
  *heir = (TfHeir) { .entry = *self, .n_refs = 2 };
  heir->entry.node = (TfRegistryNode) { .funcs = &heir_funcs, .generation = self->node.generation };
  heir->entry.path = g_strdup (self->path);
  heir->entry.is_heir = TRUE;
  tf_registry_claim (&heir->entry.node);
  tf_registry_add (&heir->entry.node);

  tf_registry_remove (&self->node);
  self->name = (TfOpenName) { NULL, };
  self->inside = NULL;
  self->lock_fd = -1;
  g_atomic_pointer_set (&self->heir, heir);
  return heir;
}

/* The part of tf_entry_hand_over() without a timer. Returns a new reference, or NULL if the entry is not to be
 * removed. */
static TfHeir *
hand_over (TfEntry *self,
           guint    grace_seconds)
{
  /* Some of the current second has passed. */
  gint64 now = tf_journal_get_uptime () + (grace_seconds > 0);
  guint32 deadline = CLAMP (now + grace_seconds, 1, G_MAXUINT32);
  TfEntry *entry = claim (self);
  TfHeir *heir = NULL;

  if (is_to_be_removed (entry))
    {
      heir = entry->is_heir ? heir_ref ((TfHeir *) entry) : make_heir (self);
      set_deadline (&heir->entry, MAX (deadline, heir->deadline));
      write_record (&heir->entry);
      if (entry == self)
        tf_registry_release (&heir->entry.node);
    }
  tf_registry_release (&entry->node);

  return heir;
}

/* What a source looks at an heir with when its time is over. Only the one that the heir has does anything: another one
 * was replaced because the time, or the context, has changed. */
typedef struct
{
  TfHeir       *heir;    /* (owned) */
  GSource      *source;  /* (unowned) */
  GMainContext *context; /* (unowned): only to be compared */
  gint64        due;     /* in seconds since the boot */
} Timer;

static void wait_for_time (TfHeir       *heir,
                           guint         seconds,
                           GMainContext *context,
                           gboolean      is_new);

static gssize
settle_func (gpointer       no_object,
             gpointer       heir,
             GCancellable  *cancellable,
             GError       **error)
{
  return tf_task_may_block (error) ? (gssize) settle (heir) : -1;
}

static void
on_settled (GObject      *no_object,
            GAsyncResult *result,
            gpointer      no_data)
{
  TfHeir *heir = g_task_get_task_data (G_TASK (result));
  gssize seconds = tf_task_finish (NULL, result, settle_func, NULL);

  /* Without a worker, it is tried again. */
  if (seconds != 0)
    wait_for_time (heir, seconds > 0 ? (guint) seconds : RETRY_SECONDS,
                   g_task_get_context (G_TASK (result)), FALSE);
}

/* Takes the timer from its heir. Returns FALSE if that has another one. */
static gboolean
take_from_heir (Timer *self)
{
  gboolean is_current;

  tf_fork_lock (&timers_fork_handler);
  is_current = self->heir->timer == self;
  if (is_current)
    self->heir->timer = NULL;
  g_mutex_unlock (&timers_lock);
  return is_current;
}

static gboolean
on_time (gpointer data)
{
  Timer *self = data;
  g_autoptr(GTask) task = NULL;

  if (!take_from_heir (self))
    return G_SOURCE_REMOVE;

  task = tf_task_new (NULL, settle_func, G_PRIORITY_DEFAULT, NULL, on_settled, NULL);
  g_task_set_task_data (task, heir_ref (self->heir), heir_unref);
  tf_task_run (task, settle_func);
  return G_SOURCE_REMOVE;
}

static void
timer_free (gpointer data)
{
  Timer *self = data;

  take_from_heir (self);
  heir_unref (self->heir);
  g_free (self);
}

/* Called with the lock held. Returns whether the heir needs the timer: not if it has one that serves as well; any does,
 * unless the time was set anew. */
static gboolean
is_needed (const Timer *self,
           gboolean     is_new)
{
  const Timer *current = self->heir->timer;

  return current == NULL || (is_new && (current->context != self->context || current->due > self->due));
}

/* Gives the timer to its heir. The source of the former one goes at once. */
static gboolean
give_to_heir (Timer    *self,
              gboolean  is_new)
{
  gboolean success;

  tf_fork_lock (&timers_fork_handler);
  success = is_needed (self, is_new);
  if (success)
    {
      Timer *former = self->heir->timer;

      self->heir->timer = self;
      if (former != NULL)
        tf_task_hurry (former->source);
    }
  g_mutex_unlock (&timers_lock);
  return success;
}

/* Called when the heir is not handed over any more. Its timer, which holds it, goes at once. */
static void
stop_waiting (TfHeir *heir)
{
  Timer *timer;

  if (!tf_registry_is_ours (&heir->entry.node))
    return;

  tf_fork_lock (&timers_fork_handler);
  timer = g_steal_pointer (&heir->timer);
  if (timer != NULL)
    tf_task_hurry (timer->source);
  g_mutex_unlock (&timers_lock);
}

static void
wait_for_time (TfHeir       *heir,
               guint         seconds,
               GMainContext *context,
               gboolean      is_new)
{
  guint delay = MIN (seconds, MAX_SECONDS);
  g_autoptr(GSource) source = g_timeout_source_new (delay * tf_entry_second);
  Timer *timer = g_new (Timer, 1);

  *timer = (Timer) { heir_ref (heir), source, context, tf_journal_get_uptime () + delay };
  g_source_set_callback (source, on_time, timer, timer_free);
  g_source_set_static_name (source, "[tempfile-glib] hand over");
  if (give_to_heir (timer, is_new))
    tf_task_attach (source, context);
}

/* Hands the entry over to another program: it stays for @grace_seconds at least, and is removed as soon as nobody uses
 * it after that. If it was handed over before, the later time counts.
 *
 * The time is noticed in the thread-default main context of the caller, and a worker thread removes what was handed
 * over. If that context is not iterated, the exit of the process or a sweep does. */
void
tf_entry_hand_over (TfEntry *self,
                    guint    grace_seconds)
{
  g_autoptr(GMainContext) context = tf_task_ref_context ();
  TfHeir *heir = hand_over (self, grace_seconds);

  if (heir == NULL)
    return;

  if (context != NULL)
    wait_for_time (heir, grace_seconds, context, TRUE);
  heir_unref (heir);
}

/* Returns whether the entry was handed over, and neither removed nor kept since. */
gboolean
tf_entry_is_handed_over (const TfEntry *self)
{
  TfHeir *heir = get_heir (self);

  return heir != NULL && g_atomic_int_get (&heir->deadline) != 0;
}

/* Nobody can ask for the removal of what the entry stands for any more, which has failed. The end of the process tries
 * again. The entry is claimed. */
static void
leave_to_heir (TfEntry *self)
{
  TfHeir *heir = make_heir (self);
  TfParent *parent = heir->entry.name.parent;

  /* No descriptor of its directory is held for a file. */
  if (!heir->entry.is_dir && parent != NULL)
    {
      heir->entry.name.parent = tf_parent_copy (parent);
      tf_parent_unref (parent);
    }
  tf_registry_release (&heir->entry.node);
  g_clear_pointer (&self->heir, heir_unref);
  heir_unref (heir);
}

static void
leave_for_exit (TfEntry *self)
{
  tf_registry_claim (&self->node);
  leave_to_heir (self);
  tf_registry_release (&self->node);
}

/* Forgets the entry without removing anything. */
void
tf_entry_clear (TfEntry *self)
{
  if (get_heir (self) == NULL && is_to_be_removed (self))
    leave_for_exit (self);

  g_clear_pointer (&self->heir, heir_unref);
  tf_registry_forget (&self->node);
  unlock_dir (self);
  g_clear_pointer (&self->inside, tf_parent_unref);
  g_clear_pointer (&self->name.parent, tf_parent_unref);
  g_clear_pointer (&self->path, g_free);
}

guint
tf_entry_count_heirs (void)
{
  return g_atomic_int_get (&n_heirs);
}
