/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-backup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-disk.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "names/tf-template.h"
#include "tf-metadata.h"

/* Which file has the name that is to be replaced */
typedef enum
{
  SEEN,    /* the one that was seen */
  OTHER,
  MISSING, /* none: it may still be seen where the kernel remembers names */
} Holder;

/* How often the same file may be seen and missing, until there is nothing to back up: other processes can replace it where
 * it is missing for a moment then */
#define MAX_MISSING 100

/* How often the same file may be seen and another one be opened, or ESTALE come: it takes longer than the second for which
 * kernels remember names */
#define MAX_OTHER 2000

/* What the errno of a call says of the file that was seen: network file systems say that it is stale, and some that it is not
 * there, though it is open, if another one has replaced it. */
static Holder
get_holder (int saved_errno)
{
  return saved_errno == ESTALE || saved_errno == ENOENT ? OTHER : SEEN;
}

/* Opens the file that is replaced. */
static int
open_replaced (const TfDestination *target,
               Holder              *holder)
{
  tf_autofd int fd = tf_fd_lift (tf_fd_open_at (target->dir_fd, target->name));
  struct stat st;

  if (fd < 0)
    {
      *holder = errno == ENOENT ? MISSING : get_holder (errno);
      return -1;
    }

  tf_system_refresh_content (fd);
  if (fstat (fd, &st) == 0)
    {
      if (tf_destination_is_file (target, &st))
        return tf_fd_steal (&fd);
      errno = ESTALE;
    }

  *holder = get_holder (errno);
  return -1;
}

static gboolean
fill_copy (TfBackup             *self,
           const TfDestination  *target,
           int                   from,
           const TfMetadata     *metadata,
           GCancellable         *cancellable,
           GError              **error)
{
  const char *where = self->at.path;
  goffset size = -1;

  if (!tf_disk_copy_file (from, target->path, &size, self->copy_fd, where, NULL, cancellable, error) ||
      !tf_disk_settle_copy (self->copy_fd, where, size, error))
    return FALSE;

  if (!tf_metadata_apply (metadata, self->copy_fd))
    return tf_errno_set (error, errno, "fchmod", where);

  return !(target->flags & TF_PERSIST_DURABLE) || TF_RETRY_EINTR (fsync (self->copy_fd)) == 0 ||
         tf_errno_set (error, errno, "fsync", where);
}

/* Copies the file under a temporary name. */
static gboolean
copy (TfBackup             *self,
      const TfDestination  *target,
      Holder               *holder,
      GCancellable         *cancellable,
      GError              **error)
{
  tf_autofd int from = open_replaced (target, holder);
  g_auto(TfMetadata) metadata = TF_METADATA_INIT;

  if (from < 0 || !tf_metadata_read_fd (&metadata, from))
    return tf_errno_set (error, errno, "open", target->path);

  self->copy_fd = tf_replacement_create (&self->entry, &self->at, tf_metadata_get_initial_mode (&metadata));
  if (self->copy_fd < 0)
    return tf_errno_set (error, errno, "create a file beside", self->at.path);

  return fill_copy (self, target, from, &metadata, cancellable, error);
}

static gboolean
place (TfBackup *self)
{
  return tf_replacement_exchange (&self->entry, &self->at, &self->placed) >= 0;
}

/* Always returns FALSE. */
static gboolean
fail_to_place (const TfBackup  *self,
               GError         **error)
{
  tf_errno_set (error, errno, "rename to", self->at.path);
  tf_replacement_say_what_stays (&self->entry, &self->at, "The new backup or the former one is", error);
  return FALSE;
}

static gboolean
link_or_copy (TfBackup             *self,
              const TfDestination  *target,
              Holder               *holder,
              GCancellable         *cancellable,
              GError              **error)
{
  if (place (self))
    return TRUE;

  *holder = errno == ESTALE ? OTHER : SEEN;
  if (self->entry.name != NULL || !tf_replacement_is_unlinkable_errno (errno))
    return fail_to_place (self, error);

  return copy (self, target, holder, cancellable, error) && (place (self) || fail_to_place (self, error));
}

/* Where birth times are recorded, files that seem to be one are. */
static gboolean
has_birth (const TfDestination *target)
{
  TfIdentity identity;

  return tf_identity_read (&identity, target->dir_fd, target->name) && tf_identity_has_birth (&identity);
}

/* Some file systems number all files alike, and some count one link of each. */
static gboolean
is_link (const TfBackup      *self,
         const TfDestination *target,
         const struct stat   *st)
{
  return tf_destination_is_file (target, st) &&
         (st->st_nlink > 1 ||
          (st->st_size == target->file.st_size &&
           st->st_mtim.tv_sec == target->file.st_mtim.tv_sec && st->st_mtim.tv_nsec == target->file.st_mtim.tv_nsec)) &&
         (has_birth (target) ||
          tf_disk_equals_at (target->dir_fd, target->name, self->at.dir_fd, self->at.name));
}

/* Sets @done if the file has the name already. What is no former backup is not exchanged for it. */
static gboolean
check_occupant (TfBackup             *self,
                const TfDestination  *target,
                Holder               *holder,
                gboolean             *done,
                GError              **error)
{
  struct stat st;

  *done = FALSE;
  if (fstatat (self->at.dir_fd, self->at.name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    {
      *holder = get_holder (errno);
      return errno == ENOENT || tf_errno_set (error, errno, "stat", self->at.path);
    }

  self->at.is_occupied = TRUE;
  *done = is_link (self, target, &st);
  return S_ISREG (st.st_mode) || S_ISLNK (st.st_mode) ||
         tf_errno_set (error, S_ISDIR (st.st_mode) ? EISDIR : EEXIST, "rename to", self->at.path);
}

static gboolean
make (TfBackup             *self,
      const TfDestination  *target,
      Holder               *holder,
      GCancellable         *cancellable,
      GError              **error)
{
  gboolean done;

  *holder = SEEN;
  self->entry.fd = target->file_fd;
  self->placed = TF_PLACED_OVER;
  self->at = (TfDestination) {
    .path = g_strconcat (target->path, "~", NULL),
    .name = g_strconcat (target->name, "~", NULL),
    .dir_fd = target->dir_fd,
    .sync_fd = -1,
    .file_fd = -1,
    .place = target->place,
    .flags = TF_PERSIST_REPLACE,
  };

  if (check_occupant (self, target, holder, &done, error) &&
      (done || link_or_copy (self, target, holder, cancellable, error)))
    return TRUE;

  self->placed = TF_PLACED_OVER;
  tf_backup_end (self, target, TF_BACKUP_KEEP);
  return FALSE;
}

/* Looks again at what has the name. Counts how often in a row it is the same file all the same: missing, or another one. */
static gboolean
look_again (TfDestination  *target,
            guint          *n_same,
            GError        **error)
{
  struct stat before = target->file;

  if (!tf_destination_look_again (target, error))
    return FALSE;

  *n_same = target->has_file && tf_destination_is_file (target, &before) ? *n_same + 1 : 0;
  return TRUE;
}

/* Gives the file at @target the name of a backup, if that is wanted. It keeps its own. A former backup has a temporary
 * name from then on, provided that the file system can exchange names. If others replace the file meanwhile, the backup
 * is one of theirs. On failure, nothing has changed. */
gboolean
tf_backup_make (TfBackup       *self,
                TfDestination  *target,
                GCancellable   *cancellable,
                GError        **error)
{
  Holder holder = SEEN;
  guint n_same = 0;

  for (guint i = 1; (target->flags & TF_PERSIST_BACKUP) && target->has_file; i++)
    {
      g_autoptr(GError) own_error = NULL;
      Holder former = holder;

      if (holder == MISSING && n_same >= MAX_MISSING)
        break;
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      if (make (self, target, &holder, cancellable, &own_error))
        return TRUE;

      if (holder == SEEN || self->entry.stays || i == TF_TEMPLATE_TRIES || (holder == OTHER && n_same >= MAX_OTHER))
        {
          g_propagate_error (error, g_steal_pointer (&own_error));
          return FALSE;
        }

      *self = (TfBackup) TF_BACKUP_INIT;
      n_same = holder == former ? n_same : 0;
      if (!look_again (target, &n_same, error))
        return FALSE;
    }

  return TRUE;
}

typedef enum
{
  IN_PLACE,
  REPLACED, /* or removed */
  NOT_KNOWN,
} Whereabouts;

/* Looks whether the file that was backed up still has its name. */
static Whereabouts
find_document (const TfBackup      *self,
               const TfDestination *target)
{
  struct stat st;
  gboolean is_there = fstatat (target->dir_fd, target->name, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
                      fstatat (target->dir_fd, target->name, &st, AT_SYMLINK_NOFOLLOW) == 0;

  if (is_there && tf_destination_is_file (target, &st))
    return IN_PLACE;

  return (is_there || errno == ENOENT) && tf_replacement_can_tell (&self->entry) ? REPLACED : NOT_KNOWN;
}

static void
log_what_stays (const TfBackup *self,
                gboolean        is_taken_back)
{
  g_autofree char *display = g_filename_display_name (self->at.path);
  g_autofree char *display_of_entry = tf_replacement_dup_display_path (&self->entry, &self->at);
  g_autoptr(GError) error = NULL;

  if (is_taken_back)
    tf_errno_set_code (&error, G_IO_ERROR_FAILED, "What another program may have put at “%s” is at “%s”",
                       display, display_of_entry);
  else
    tf_errno_set_code (&error, G_IO_ERROR_FAILED, "The backup “%s” could not be taken back; what it was before is at “%s”",
                       display, display_of_entry);
  tf_errno_log_lost ("Persisting a file", error);
}

static void
take_back (TfBackup            *self,
           const TfDestination *target)
{
  Whereabouts document = find_document (self, target);
  g_autofree char *display = NULL;
  g_autoptr(GError) error = NULL;
  gboolean success;

  /* Another process that has replaced it may have found the backup made already. */
  if (document == REPLACED)
    return;

  success = document == IN_PLACE && tf_replacement_take_back (&self->entry, &self->at, self->placed);
  if (!success && self->placed == TF_PLACED_EXCHANGED)
    self->entry.stays = TRUE;
  if (self->entry.stays)
    {
      log_what_stays (self, success);
      return;
    }

  /* A former backup that was renamed over is gone: the new one stays instead. */
  if (success || self->placed == TF_PLACED_OVER)
    return;

  display = g_filename_display_name (self->at.path);
  tf_errno_set_code (&error, G_IO_ERROR_FAILED,
                     "The backup “%s” could not be removed again, or another program has put its own there", display);
  tf_errno_log_lost ("Persisting a file", error);
}

/* Keeps the backup and removes the former one, or the other way round. If it is not known whether the document is there,
 * both stay. */
void
tf_backup_end (TfBackup            *self,
               const TfDestination *target,
               TfBackupEnd          end)
{
  if (self->at.path == NULL)
    return;

  if (end == TF_BACKUP_TAKE_BACK)
    take_back (self, target);
  else if (end == TF_BACKUP_KEEP_BOTH && self->placed == TF_PLACED_EXCHANGED)
    {
      self->entry.stays = TRUE;
      log_what_stays (self, FALSE);
    }

  tf_replacement_discard (&self->entry, &self->at);
  tf_fd_clear (&self->copy_fd);
  g_clear_pointer (&self->at.path, g_free);
  g_clear_pointer (&self->at.name, g_free);
}
