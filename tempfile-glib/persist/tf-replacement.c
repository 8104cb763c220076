/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-replacement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-disk.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-identity.h"
#include "base/tf-system.h"
#include "names/tf-aside.h"
#include "names/tf-open.h"
#include "names/tf-template.h"

/* Creates an entry with a given name in the directory. Returns a non-negative number, or -1 with errno set. */
typedef int (*MakeFunc) (const TfReplacement *self,
                         int                  dir_fd,
                         const char          *name,
                         guint                mode);

/* Called at the end of the process. The thread that persists the file goes on meanwhile, and may fail. */
static void
remove_at_exit (TfRegistryNode *node)
{
  TfReplacement *self = (TfReplacement *) node;

  if (self->name != NULL && !self->stays)
    unlinkat (self->dir_fd, self->name, 0);
}

static void
disown_in_child (TfRegistryNode *node)
{
}

const TfRegistryFuncs tf_replacement_registry_funcs = {
  .remove_at_exit = remove_at_exit,
  .disown_in_child = disown_in_child,
};

/* Called when nothing of ours has the temporary name any more. */
static void
forget_name (TfReplacement *self)
{
  tf_registry_claim (&self->node);
  tf_registry_remove (&self->node);
  g_clear_pointer (&self->name, g_free);
  tf_registry_release (&self->node);

  tf_journal_clear (g_steal_pointer (&self->record));
  tf_journal_clear (g_steal_pointer (&self->replaced));
}

/* Returns whether the errno of tf_replacement_place() means that this file cannot be linked, but a copy of it may be.
 * EXDEV is another file system or mount. ENOENT is a file that has lost its last name, or a kernel that needs a
 * capability for AT_EMPTY_PATH and has no /proc. EACCES is a security module. The others are file systems without hard
 * links; some of FUSE say EIO or EINVAL. */
gboolean
tf_replacement_is_unlinkable_errno (int saved_errno)
{
  return saved_errno == EXDEV || saved_errno == ENOENT || saved_errno == EPERM || saved_errno == EACCES ||
         saved_errno == ENOTSUP || saved_errno == EOPNOTSUPP || saved_errno == ENOSYS || saved_errno == EMLINK ||
         saved_errno == EIO || saved_errno == EINVAL;
}

static int
link_fd (const TfReplacement *self,
         int                  dir_fd,
         const char          *name,
         guint                mode)
{
  return tf_system_link_fd (self->fd, dir_fd, name);
}

static int
create_file (const TfReplacement *self,
             int                  dir_fd,
             const char          *name,
             guint                mode)
{
  int fd = openat (dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  int lifted = tf_fd_lift (fd);
  int saved_errno = errno;

  if (fd >= 0 && lifted < 0)
    unlinkat (dir_fd, name, 0);

  errno = saved_errno;
  return lifted;
}

/* Returns the identity of the file behind @fd, which has the inode number 0 if it is not known. Does not
 * change errno. */
static TfIdentity
get_identity (int fd)
{
  TfIdentity identity = { 0 };
  int saved_errno = errno;

  tf_identity_read (&identity, fd, "");
  errno = saved_errno;
  return identity;
}

/* Returns whether the name has the bytes of the file, perhaps with another inode number. The descriptor of what is backed up
 * only describes it; what is opened again may be another file, because libfuse goes by names. Sets errno if the name cannot be
 * opened. */
static gboolean
has_bytes (const TfReplacement *self,
           int                  dir_fd,
           const char          *name)
{
  tf_autofd int fd = tf_fd_open_at (dir_fd, name);
  tf_autofd int again_fd = -1;
  int flags = fcntl (self->fd, F_GETFL);
  int own_fd;
  gboolean result;
  char byte;

  if (fd < 0)
    return FALSE;

  if (pread (self->fd, &byte, 1, 0) < 0 && errno == EBADF)
    again_fd = tf_system_open_again (self->fd);

  /* Of the sizes, the kernel may know those of before. */
  own_fd = again_fd >= 0 ? again_fd : self->fd;
  tf_system_refresh_content (own_fd);
  tf_system_refresh_content (fd);
  errno = 0;
  result = tf_disk_equals (own_fd, fd);
  fcntl (self->fd, F_SETFL, flags);
  return result;
}

/* Some file systems number all files alike, and record no birth times either. */
static gboolean
is_same_file (const TfSystemStat *a,
              const TfSystemStat *b)
{
  TfIdentity first;
  TfIdentity second;

  tf_identity_set (&first, a);
  tf_identity_set (&second, b);
  return tf_identity_equal (&first, &second) &&
         (tf_identity_has_birth (&first) || (a->size == b->size && a->modified == b->modified));
}

/* libfuse without use_ino gives each link a number of its own, but tells how many there are. */
static gboolean
may_be_links (const TfSystemStat *a,
              const TfSystemStat *b)
{
  return a->birth_seconds == 0 && b->birth_seconds == 0 && a->device == b->device && S_ISREG (b->mode) &&
         a->n_links > 1 && a->n_links == b->n_links && a->size == b->size && a->modified == b->modified;
}

/* Returns whether the file has the name. Where there are no birth times, and may be no numbers that tell files apart, it has to
 * have the bytes, too: others can be written in the same second. Does not change errno. */
static gboolean
is_named (const TfReplacement *self,
          int                  dir_fd,
          const char          *name,
          gboolean           (*is_one) (const TfSystemStat *a,
                                        const TfSystemStat *b))
{
  int saved_errno = errno;
  TfSystemStat own;
  TfSystemStat found;
  gboolean result = tf_system_stat (&own, self->fd, "") && tf_system_stat (&found, dir_fd, name) &&
                    is_one (&own, &found) && (own.birth_seconds != 0 || has_bytes (self, dir_fd, name));

  errno = saved_errno;
  return result;
}

/* Called after a failure of giving the file this name. Returns whether it has the name nevertheless: a server that has
 * done what it was asked for, and was not heard, is asked again, and then says that the new name exists, or that the
 * former one does not. Does not change errno. */
static gboolean
has_name (const TfReplacement *self,
          int                  dir_fd,
          const char          *name)
{
  return is_named (self, dir_fd, name, is_same_file);
}

/* Like has_name(), after a failure of linking. Does not change errno. */
static gboolean
has_link (const TfReplacement *self,
          int                  dir_fd,
          const char          *name)
{
  int saved_errno = errno;
  gboolean result = has_name (self, dir_fd, name);

  if (!result && tf_system_may_lose (dir_fd))
    {
      tf_system_refresh (self->fd);
      result = is_named (self, dir_fd, name, may_be_links);
    }

  errno = saved_errno;
  return result;
}

/* Called after a failure. Does not change errno. */
static void
cancel_record (TfReplacement *self,
               gboolean       is_undone)
{
  TfJournalRecord *record = g_steal_pointer (&self->record);
  int saved_errno = errno;

  if (is_undone)
    tf_journal_clear (record);
  else
    tf_journal_leave (record);
  errno = saved_errno;
}

static int
make_at_name (TfReplacement       *self,
              const TfDestination *target,
              MakeFunc             make,
              const char          *name,
              guint                mode)
{
  int result;

  /* A file that exists already is known before it gets the name. */
  self->record = make == link_fd ? tf_journal_add (&target->place, name, self->fd, "")
                                 : tf_journal_begin (&target->place, name, TF_JOURNAL_FILE);
  result = make (self, target->dir_fd, name, mode);
  if (result < 0 && make == link_fd && has_link (self, target->dir_fd, name))
    result = 0;
  if (result < 0)
    cancel_record (self, tf_open_undo (target->dir_fd, name, FALSE));
  else if (make == link_fd)
    tf_journal_renew (self->record, target->dir_fd, name);

  return result;
}

/* How often a name that nobody can know may be taken: by the file that was created, if the server is not heard. */
#define MAX_NEW_NAMES 100

static int
try_new_names (TfReplacement       *self,
               const TfDestination *target,
               MakeFunc             make,
               guint                mode)
{
  const TfTemplate template = { .prefix = (char *) ".tmp-" };

  for (int i = 0; i < MAX_NEW_NAMES; i++)
    {
      g_autofree char *name = tf_template_make_name (&template, NULL);
      int result;

      if (name == NULL)
        return -1;

      result = make_at_name (self, target, make, name, mode);
      if (result >= 0)
        self->name = g_steal_pointer (&name);
      if (result >= 0 || (errno != EEXIST && errno != EINTR))
        return result;
    }

  return -1;
}

/* Creates the entry with a fresh hidden name in the directory. Returns -1 with errno set on failure. */
static int
make_at_new_name (TfReplacement       *self,
                  const TfDestination *target,
                  MakeFunc             make,
                  guint                mode)
{
  int saved_errno;
  int result;

  self->dir_fd = target->dir_fd;
  tf_registry_begin (&self->node);
  result = try_new_names (self, target, make, mode);
  saved_errno = errno;
  tf_registry_end (&self->node, result >= 0);
  errno = saved_errno;
  return result;
}

/* Creates a file with a temporary name in the directory of the target. The caller closes and removes it. Returns -1
 * with errno set on failure. */
int
tf_replacement_create (TfReplacement       *self,
                       const TfDestination *target,
                       guint                mode)
{
  TfIdentity identity;

  self->fd = make_at_new_name (self, target, create_file, mode);
  if (self->fd >= 0 && tf_identity_read (&identity, self->fd, ""))
    tf_journal_complete (self->record, self->fd, "", &identity);

  return self->fd;
}

/* Returns -1 with errno set if the name is still there. Some file systems remove it and fail nevertheless. */
static int
unlink_at (int         dir_fd,
           const char *name)
{
  struct stat st;
  int saved_errno;
  gboolean is_gone;

  if (unlinkat (dir_fd, name, 0) == 0 || errno == ENOENT)
    return 0;

  saved_errno = errno;
  is_gone = fstatat (dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
  errno = saved_errno;
  return is_gone ? 0 : -1;
}

/* Removes the temporary name. If there is none, does nothing. */
int
tf_replacement_remove (TfReplacement       *self,
                       const TfDestination *target)
{
  int saved_errno = errno;

  if (self->name == NULL)
    return 0;

  if (unlink_at (target->dir_fd, self->name) != 0)
    return -1;

  forget_name (self);
  errno = saved_errno;
  return 0;
}

/* Like forget_name(), but leaves the records to a sweep. */
static void
abandon_name (TfReplacement *self)
{
  self->record = self->replaced = NULL;
  forget_name (self);
}

/* Returns the path of the temporary name, to be shown. */
char *
tf_replacement_dup_display_path (const TfReplacement *self,
                                 const TfDestination *target)
{
  g_autofree char *dir = g_path_get_dirname (target->path);
  g_autofree char *path = g_build_filename (dir, self->name, NULL);

  return g_filename_display_name (path);
}

/* Like tf_replacement_remove(), but logs an error; and leaves what has to stay. */
void
tf_replacement_discard (TfReplacement       *self,
                        const TfDestination *target)
{
  g_autofree char *display = NULL;
  g_autoptr(GError) error = NULL;
  int saved_errno;

  if (self->stays)
    forget_name (self);
  if (tf_replacement_remove (self, target) == 0 || tf_replacement_remove (self, target) == 0)
    return;

  saved_errno = errno;
  display = tf_replacement_dup_display_path (self, target);
  tf_errno_set (&error, saved_errno, "unlink", display);
  tf_errno_log_lost ("Persisting a file", error);
  abandon_name (self);
}

static int
open_dir (int dir_fd)
{
  return openat (dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static gboolean
is_dir_there (int dir_fd)
{
  tf_autofd int fd = open_dir (dir_fd);
  struct stat st;

  return fd >= 0 && fstat (fd, &st) == 0 && st.st_nlink > 0;
}

/* Returns whether the target is a file of this user, and not as it was before. */
static gboolean
has_changed (const TfDestination *target)
{
  struct stat st;

  return fstatat (target->dir_fd, target->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == geteuid () &&
         (!target->has_file || st.st_size != target->file.st_size || st.st_mtim.tv_sec != target->file.st_mtim.tv_sec ||
          st.st_mtim.tv_nsec != target->file.st_mtim.tv_nsec);
}

/* The mode can forbid to read what is at the target. */
static gboolean
has_come_to (const TfReplacement *self,
             const TfDestination *target)
{
  return has_bytes (self, target->dir_fd, target->name) || (errno == EACCES && has_changed (target));
}

/* Called after renaming has failed, unless the file system has no such call. A server that has done it has nothing by the
 * former name any more, in a directory that is there. What has a name may be remembered by the kernel for some time, and is
 * found out by opening it. Does not change errno. */
static gboolean
was_done_unheard (const TfReplacement *self,
                  const TfDestination *target)
{
  int saved_errno = errno;
  gboolean result = FALSE;

  if (saved_errno != ENOTSUP)
    {
      tf_autofd int fd = tf_fd_open_at (self->dir_fd, self->name);

      result = fd < 0 && errno == ENOENT && is_dir_there (self->dir_fd) && has_come_to (self, target);
    }

  errno = saved_errno;
  return result;
}

/* Returns whether the temporary name and the target are links of one file, which may have inode numbers of their own. Of a
 * document that was replaced, a server may tell nothing more by its descriptor. */
static gboolean
are_one_file (const TfReplacement *self,
              const TfDestination *target)
{
  TfSystemStat st;
  TfSystemStat found;
  gboolean are_seen = tf_system_stat (&st, self->dir_fd, self->name) &&
                      tf_system_stat (&found, target->dir_fd, target->name);
  gboolean may_be_one = are_seen && may_be_links (&st, &found);

  if (are_seen && is_same_file (&st, &found) && (may_be_one || found.birth_seconds != 0))
    return TRUE;

  return tf_disk_equals_at (self->dir_fd, self->name, target->dir_fd, target->name) || (errno == EACCES && may_be_one);
}

typedef enum
{
  FAILED,
  MOVED,
  ONE_FILE,  /* nothing was done: both names are links of one file */
  NOT_MOVED, /* nothing was done, though it was said */
} Renaming;

/* Looks at what renaming has done. If the temporary name cannot be looked at twice, what was said is believed. */
static Renaming
look_at_names (const TfReplacement *self,
               const TfDestination *target,
               int                  result)
{
  TfIdentity found;

  if (result != 0)
    return FAILED;

  if (!tf_identity_read (&found, self->dir_fd, self->name) &&
      (errno == ENOENT || !tf_identity_read (&found, self->dir_fd, self->name)))
    return MOVED;

  return are_one_file (self, target) ? ONE_FILE : NOT_MOVED;
}

/* Called after the temporary name was to become that of the target. */
static int
end_rename (TfReplacement       *self,
            const TfDestination *target,
            Renaming             renaming)
{
  if (renaming == NOT_MOVED)
    errno = EIO;

  if (renaming == MOVED || (renaming != ONE_FILE && was_done_unheard (self, target)))
    {
      forget_name (self);
      return 0;
    }

  if (renaming != ONE_FILE && !has_name (self, target->dir_fd, target->name))
    return -1;

  tf_replacement_discard (self, target);
  return 0;
}

/* How often others may replace what was a link of the file before it is looked at */
#define MAX_REPLACED 10

/* How often the document may be said to be missing */
#define MAX_MISSING 10

typedef enum
{
  LISTED,
  UNLISTED,
  UNKNOWN,
} Listing;

/* Whether a file system could take one name for the other */
static gboolean
may_be_one_name (const char *a,
                 const char *b)
{
  g_autofree char *a_normal = g_utf8_normalize (a, -1, G_NORMALIZE_ALL);
  g_autofree char *b_normal = g_utf8_normalize (b, -1, G_NORMALIZE_ALL);
  g_autofree char *a_folded = a_normal != NULL ? g_utf8_casefold (a_normal, -1) : NULL;
  g_autofree char *b_folded = b_normal != NULL ? g_utf8_casefold (b_normal, -1) : NULL;

  return g_ascii_strcasecmp (a, b) == 0 || (a_folded != NULL && g_strcmp0 (a_folded, b_folded) == 0);
}

/* Looks for a name in the directory. */
static Listing
find_listed (int         dir_fd,
             const char *name)
{
  tf_autofd int fd = open_dir (dir_fd);
  g_autofree char *buffer = NULL;
  gsize capacity = 0;
  gssize n = -1;

  while (fd >= 0 && (n = tf_system_read_dir (fd, &buffer, &capacity)) > 0)
    for (gssize i = 0; i < n;)
      {
        const TfSystemEntry *entry = (TfSystemEntry *) (gpointer) (buffer + i);

        if (may_be_one_name (entry->name, name))
          return LISTED;
        i += entry->size;
      }

  return n == 0 ? UNLISTED : UNKNOWN;
}

/* Called after renaming has failed. libfuse moves what somebody has open out of the way first, and does not put it back if
 * the server then refuses. The kernel still remembers the name of the document, but the directory does not list it.
 * Meanwhile, neither the end of the process nor a sweep removes anything. Does not change errno. */
static gboolean
may_have_lost_target (TfReplacement       *self,
                      const TfDestination *target)
{
  int saved_errno = errno;

  self->stays = target->is_occupied && tf_system_may_lose (target->dir_fd);
  if (!self->stays)
    return FALSE;

  tf_journal_clear (g_steal_pointer (&self->record));
  self->stays = find_listed (target->dir_fd, target->name) != LISTED && find_listed (target->dir_fd, self->name) != UNLISTED;
  if (!self->stays)
    self->record = tf_journal_add (&target->place, self->name, self->fd, "");

  errno = saved_errno;
  return self->stays;
}

/* FUSE renames what somebody has open out of the way first, and says that it is not there if another machine has done
 * so meanwhile. */
static int
rename_present (const TfReplacement *self,
                const TfDestination *target)
{
  int n_tries = 0;
  int result;

  do
    result = TF_RETRY_EINTR (renameat (target->dir_fd, self->name, target->dir_fd, target->name));
  while (result != 0 && errno == ENOENT && has_name (self, target->dir_fd, self->name) &&
         ++n_tries < MAX_MISSING);

  return result;
}

/* If the document was lost, and the file does not get its name either, the temporary name is the only one that is left. */
static int
rename_to_target (TfReplacement       *self,
                  const TfDestination *target)
{
  int result = rename_present (self, target);

  if (result == 0 || !may_have_lost_target (self, target))
    return result;

  result = rename_present (self, target);
  if (result == 0)
    self->stays = FALSE;
  else
    may_have_lost_target (self, target);
  return result;
}

static int
rename_over (TfReplacement       *self,
             const TfDestination *target)
{
  Renaming renaming;
  int n_tries = 0;

  do
    renaming = look_at_names (self, target, rename_to_target (self, target));
  while (renaming == NOT_MOVED && ++n_tries < MAX_REPLACED);

  return end_rename (self, target, renaming);
}

static int
rename_as_new (TfReplacement       *self,
               const TfDestination *target)
{
  int result = tf_system_rename (target->dir_fd, self->name, target->name, TF_SYSTEM_RENAME_NOREPLACE);

  return end_rename (self, target, look_at_names (self, target, result));
}

/* Returns whether the file with this name certainly has this identity. */
static gboolean
has_identity (int               dir_fd,
              const char       *name,
              const TfIdentity *identity)
{
  TfIdentity found;

  return tf_identity_read (&found, dir_fd, name) && tf_identity_equal (&found, identity);
}

/* What has become of an exchange that has failed */
typedef enum
{
  DONE,
  NOT_DONE,
  NOT_KNOWN,
} Outcome;

/* Finds out whether the file has kept its name. libfuse numbers what it knows by its names, of which it moves none if the
 * server fails, and what the kernel knows may be of before as well: there, only the bytes tell. */
static Outcome
find_outcome (const TfReplacement *self,
              const TfDestination *target,
              const char          *former,
              const char          *wanted)
{
  if ((!tf_system_may_lose (target->dir_fd) && has_name (self, target->dir_fd, former)) ||
      has_bytes (self, target->dir_fd, former))
    return NOT_DONE;

  return has_bytes (self, target->dir_fd, wanted) ? DONE : NOT_KNOWN;
}

/* Called after an exchange has failed. If it may have been done, what has the temporary name now stays. Does not change
 * errno. */
static gboolean
was_exchanged_unheard (TfReplacement       *self,
                       const TfDestination *target,
                       const char          *former,
                       const char          *wanted)
{
  int saved_errno = errno;
  gboolean result = has_name (self, target->dir_fd, wanted);

  if (!result && saved_errno != ENOTSUP && saved_errno != ENOENT)
    {
      Outcome outcome = find_outcome (self, target, former, wanted);

      result = outcome == DONE;
      self->stays |= outcome == NOT_KNOWN;
    }

  errno = saved_errno;
  return result;
}

/* Exchanges the temporary name for that of the target. The file has the name @former before that, and @wanted after it.
 * What a signal has interrupted is repeated only if it was certainly not done. */
static int
exchange (TfReplacement       *self,
          const TfDestination *target,
          const char          *former,
          const char          *wanted)
{
  int result;

  do
    result = tf_system_rename (target->dir_fd, self->name, target->name, TF_SYSTEM_RENAME_EXCHANGE);
  while (result != 0 && errno == EINTR && has_name (self, target->dir_fd, former));

  /* The kernel itself repeats what a server answers with ESTALE, although it was done. */
  if (result == 0 && has_name (self, target->dir_fd, former))
    {
      errno = ESTALE;
      return -1;
    }

  return result != 0 && was_exchanged_unheard (self, target, former, wanted) ? 0 : result;
}

/* Returns whether another file than @own has the name of the target now. */
static gboolean
is_other_file (const TfDestination *target,
               TfIdentity           own)
{
  TfIdentity found;

  return own.inode != 0 &&
         tf_identity_read (&found, target->dir_fd, target->name) &&
         !tf_identity_equal (&own, &found);
}

/* Removes the file @own from the target. If another process has put its own file there, that stays. Returns FALSE if
 * the file is still there. Does not change errno. */
static gboolean
unlink_target (const TfDestination *target,
               TfIdentity           own)
{
  int saved_errno = errno;
  gboolean success = is_other_file (target, own) ||
                     unlink_at (target->dir_fd, target->name) == 0;

  errno = saved_errno;
  return success;
}

/* Does not change errno. */
static void
clear_replaced (TfReplacement *self)
{
  int saved_errno = errno;

  tf_journal_clear (g_steal_pointer (&self->replaced));
  errno = saved_errno;
}

/* Called after an exchange. Another process may have put something else at the target, which has the temporary name now:
 * a file is written down, and a directory gets its name back. */
static int
look_at_replaced (TfReplacement       *self,
                  const TfDestination *target)
{
  TfIdentity found;
  TfSystemStat st;

  if (!tf_identity_stat (&found, target->dir_fd, self->name, &st))
    return 0;

  self->former = found;
  if (!S_ISDIR (st.mode))
    {
      if (self->replaced == NULL)
        self->replaced = tf_journal_write (&target->place, self->name, TF_JOURNAL_FILE, target->dir_fd, self->name, &found, 0);
      else
        tf_journal_complete (self->replaced, target->dir_fd, self->name, &found);
      return 0;
    }

  if (exchange (self, target, target->name, self->name) != 0)
    return 0;

  clear_replaced (self);
  errno = EISDIR;
  return -1;
}

/* From now on, the temporary name stands for the replaced file. */
static int
exchange_for_replaced (TfReplacement       *self,
                       const TfDestination *target)
{
  self->replaced = tf_journal_add (&target->place, self->name, target->dir_fd, target->name);
  if (exchange (self, target, self->name, target->name) == 0)
    return look_at_replaced (self, target);

  clear_replaced (self);
  return -1;
}

/* Creates an empty file without opening it, if possible: FUSE hears late that a file is closed, and libfuse moves an open
 * file out of the way before another one is renamed over it. For that moment, the name would be free for anybody. */
static int
create_empty_file (const TfReplacement *self,
                   int                  dir_fd,
                   const char          *name)
{
  int fd;

  if (TF_RETRY_EINTR (mknodat (dir_fd, name, S_IFREG | 0600, 0)) == 0)
    return 0;

  fd = errno == EEXIST ? -1 : TF_RETRY_EINTR (create_file (self, dir_fd, name, 0600));
  if (fd < 0)
    return -1;

  tf_fd_clear (&fd);
  return 0;
}

/* Creates an empty file at the name of the target. Some file systems fail with another errno than EEXIST for whoever
 * is late. */
static int
take_target (const TfReplacement *self,
             const TfDestination *target)
{
  int result = create_empty_file (self, target->dir_fd, target->name);
  int saved_errno = errno;
  TfIdentity found;

  errno = result < 0 && tf_identity_read (&found, target->dir_fd, target->name) ? EEXIST : saved_errno;
  return result;
}

/* Removes the empty file from the target. Where an inode number is that of a name, only what it has tells it from the
 * file of another process. Does not change errno. */
static void
give_up_target (const TfDestination *target,
                TfIdentity           own)
{
  int saved_errno = errno;
  TfIdentity found;
  TfSystemStat st;

  if (tf_identity_stat (&found, target->dir_fd, target->name, &st) && tf_identity_equal (&own, &found) && st.size == 0)
    unlink_at (target->dir_fd, target->name);
  errno = saved_errno;
}

/* Returns whether something that another process has put there, or has written, is at the target. */
static gboolean
was_taken (const TfDestination *target)
{
  struct stat st;

  return fstatat (target->dir_fd, target->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size != 0;
}

/* Creates an empty file at the name, which only one process can do, and then renames over it. This is for file systems
 * with neither hard links nor RENAME_NOREPLACE. */
static int
rename_over_own_file (TfReplacement       *self,
                      const TfDestination *target)
{
  TfIdentity own = { 0 };

  if (take_target (self, target) != 0)
    return -1;

  tf_identity_read (&own, target->dir_fd, target->name);
  if (was_taken (target))
    {
      errno = EEXIST;
      return -1;
    }
  if (rename_over (self, target) == 0)
    return 0;

  give_up_target (target, own);
  return -1;
}

static int
link_name (TfReplacement       *self,
           const TfDestination *target)
{
  TfIdentity own;

  if (TF_RETRY_EINTR (linkat (target->dir_fd, self->name, target->dir_fd, target->name, 0)) != 0 &&
      !has_link (self, target->dir_fd, target->name))
    return -1;

  if (tf_replacement_remove (self, target) == 0)
    return 0;

  /* Without a birth time, it may be the same file with another inode number. */
  own = get_identity (self->fd);
  if (!tf_identity_has_birth (&own) && is_other_file (target, own))
    return 0;

  /* Should the new name have to stay as well, the caller fails to remove the temporary one again. */
  return unlink_target (target, own) ? -1 : 0;
}

/* Gives the file the name of the target. Returns -1 with EEXIST if the target exists. */
static int
place_new (TfReplacement       *self,
           const TfDestination *target)
{
  int result;

  if (self->name == NULL)
    {
      result = link_fd (self, target->dir_fd, target->name, 0);
      return result < 0 && has_link (self, target->dir_fd, target->name) ? 0 : result;
    }

  result = rename_as_new (self, target);
  if (result < 0 && errno == ENOTSUP)
    {
      result = link_name (self, target);
      if (result < 0 && tf_replacement_is_unlinkable_errno (errno))
        result = target->flags & TF_PERSIST_REPLACE ? rename_over (self, target) : rename_over_own_file (self, target);
    }

  return result;
}

/* Gives the file the name of the target in one step. Returns -1 with errno set on failure, when nothing has changed
 * except perhaps the temporary name; with EEXIST if the target exists, and may not be replaced or was not seen before.
 * The caller removes the temporary name in any case. */
int
tf_replacement_place (TfReplacement       *self,
                      const TfDestination *target)
{
  if (!target->is_occupied)
    return place_new (self, target);

  if (self->name == NULL && make_at_new_name (self, target, link_fd, 0) != 0)
    return -1;

  return rename_over (self, target);
}

/* Like tf_replacement_place(), but replaces what is there whatever it is, unless it is a directory. The replaced file has
 * the temporary name then, so that this can be undone, provided that the file system can exchange names. */
int
tf_replacement_exchange (TfReplacement       *self,
                         const TfDestination *target,
                         TfPlaced            *placed)
{
  if (self->name == NULL && make_at_new_name (self, target, link_fd, 0) != 0)
    return -1;

  tf_identity_read (&self->named, target->dir_fd, self->name); /* or else nothing equals it */

  /* Others may create and remove what has the name in between. */
  for (guint i = 0; i < TF_TEMPLATE_TRIES; i++)
    {
      int result = exchange_for_replaced (self, target);

      *placed = TF_PLACED_EXCHANGED;
      if (result != 0 && errno == ENOENT)
        {
          *placed = TF_PLACED_NEW;
          result = place_new (self, target);
        }
      if (result == 0 || self->stays || (errno != EEXIST && errno != ENOTSUP))
        return result;
      if (errno == ENOTSUP)
        break;
    }

  *placed = TF_PLACED_OVER;
  return rename_over (self, target);
}

/* Says in the error of tf_replacement_place() or tf_replacement_exchange() where @what is if it has no other name. */
void
tf_replacement_say_what_stays (const TfReplacement  *self,
                               const TfDestination  *target,
                               const char           *what,
                               GError              **error)
{
  g_autofree char *display = g_filename_display_name (target->path);
  g_autofree char *display_of_entry = NULL;

  if (!self->stays)
    return;

  display_of_entry = tf_replacement_dup_display_path (self, target);
  g_prefix_error (error, "%s at “%s”, because the file system may have lost “%s”: ", what, display_of_entry, display);
}

/* Whose the file is that has a name after an exchange. */
typedef enum
{
  OWN,
  THEIRS,
  NOBODYS, /* nothing has the name */
  UNKNOWN_OWNER,
} Owner;

/* Returns whether another inode number means another file. On some file systems, each look finds another one; on libfuse, a
 * link has one of its own, and gets a new one when it was forgotten. */
gboolean
tf_replacement_can_tell (const TfReplacement *self)
{
  TfIdentity own = get_identity (self->fd);
  TfIdentity again = get_identity (self->fd);

  return own.inode != 0 && tf_identity_equal (&own, &again) && tf_identity_equal (&own, &self->named);
}

static Owner
find_owner (const TfReplacement *self,
            const TfDestination *target,
            const char          *name)
{
  TfIdentity own = { 0 };
  TfIdentity found;
  TfSystemStat own_st = { 0 };
  TfSystemStat st;
  gboolean has_birth;

  tf_identity_stat (&own, self->fd, "", &own_st);
  has_birth = tf_identity_has_birth (&own) || tf_identity_has_birth (&self->named);
  if (!tf_identity_stat_wholly (&found, has_birth, target->dir_fd, name, &st))
    return errno == ENOENT ? NOBODYS : UNKNOWN_OWNER;

  if (is_same_file (&own_st, &st))
    return OWN;

  if (tf_identity_equal (&found, &own) || tf_identity_equal (&self->named, &self->former))
    return UNKNOWN_OWNER; /* all files have one number, or libfuse has not heard of the exchange */

  if (tf_identity_equal (&found, &self->named))
    return OWN;

  return tf_replacement_can_tell (self) ? THEIRS : UNKNOWN_OWNER;
}

/* Called after the names were exchanged back. If another process had put its own file at the target, that has the
 * temporary name now, and gets back what is its own; or keeps the temporary name, because nothing of others is removed. The
 * same is true of a file that has come to the target meanwhile. */
static void
give_back (TfReplacement       *self,
           const TfDestination *target)
{
  Owner owner = find_owner (self, target, self->name);

  self->stays = owner == UNKNOWN_OWNER ||
                (owner == THEIRS &&
                 (tf_system_rename (target->dir_fd, self->name, target->name, TF_SYSTEM_RENAME_EXCHANGE) != 0 ||
                  !has_identity (target->dir_fd, self->name, &self->former)));
}

/* Gives the replaced file its name again. On failure, it has the temporary name still. */
static gboolean
exchange_back (TfReplacement       *self,
               const TfDestination *target)
{
  /* If this process is killed, a sweep must not remove the replaced file from its own name. */
  tf_journal_clear (g_steal_pointer (&self->replaced));
  if (exchange (self, target, target->name, self->name) != 0 &&
      (self->stays || exchange (self, target, target->name, self->name) != 0))
    return FALSE;

  give_back (self, target);
  return TRUE;
}

/* Others may give the name to their own file at any moment. */
static gboolean
unlink_own (const TfReplacement *self,
            const TfDestination *target)
{
  TfIdentity found;
  const TfAside aside = {
    .dir_fd = target->dir_fd,
    .dir = &target->place,
    .name = target->name,
    .path = target->path,
    .kind = TF_JOURNAL_FILE,
    .identity = &found,
  };

  found = get_identity (self->fd);
  if (!has_identity (target->dir_fd, target->name, &found))
    found = self->named;
  return tf_aside_remove (&aside, NULL, NULL) != TF_ASIDE_STAYS;
}

/* Undoes tf_replacement_exchange(). Returns FALSE if the file is at the target still, or may be: the replaced one is gone, or
 * the file system refuses to go back, or it cannot be told whose file is there. If what has the temporary name then may be
 * another's, it stays. Does not change errno. */
gboolean
tf_replacement_take_back (TfReplacement       *self,
                          const TfDestination *target,
                          TfPlaced             placed)
{
  int saved_errno = errno;
  gboolean success = FALSE;

  switch (find_owner (self, target, target->name))
    {
    case OWN:
      if (placed == TF_PLACED_NEW)
        success = unlink_own (self, target);
      else
        success = placed == TF_PLACED_EXCHANGED && exchange_back (self, target);
      break;

    case THEIRS:
    case NOBODYS:
      /* Who has replaced or removed the file has done so to the former one as well. */
      success = TRUE;
      break;

    case UNKNOWN_OWNER:
    default:
      break;
    }

  errno = saved_errno;
  return success;
}
