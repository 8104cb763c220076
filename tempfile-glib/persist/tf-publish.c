/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-publish.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-disk.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "tf-backup.h"
#include "tf-metadata.h"
#include "tf-replacement.h"

/* What is written between two looks at a cancellable, in bytes: at first no more than a slow disk writes in a few dozen
 * milliseconds, and more if that takes less. */
#define MIN_SYNC_PIECE ((goffset) 4 * 1024 * 1024)
#define MAX_SYNC_PIECE (8 * MIN_SYNC_PIECE)
#define QUICK_SYNC (20 * G_TIME_SPAN_MILLISECOND)

/* How often others may create what is replaced when nothing was there. */
#define OCCUPIED_TRIES 100

typedef enum
{
  PLACED,
  UNSAFE,     /* placed, with an error: it may not survive a loss of power */
  FAILED,
  OCCUPIED,   /* what is at the target now was not seen before */
  UNLINKABLE, /* this file cannot get the name, but a copy may */
} Outcome;

/* EINVAL means that the file system cannot sync a directory, see fsync(2). */
static gboolean
sync_dir (const TfDestination  *target,
          GError              **error)
{
  if (target->sync_fd < 0 || TF_RETRY_EINTR (fsync (target->sync_fd)) == 0 || errno == EINVAL)
    return TRUE;

  return tf_errno_set (error, errno, "fsync the directory of", target->path);
}

static goffset
adapt_piece (goffset piece,
             gint64  took)
{
  return took < QUICK_SYNC ? MIN (2 * piece, MAX_SYNC_PIECE) : MAX (piece / 2, MIN_SYNC_PIECE);
}

/* In pieces between which the call can be cancelled: fsync() cannot be interrupted. Stops without an error where the
 * file system does not write pieces. */
static gboolean
sync_pieces (const TfReplacement  *entry,
             const TfDestination  *target,
             GCancellable         *cancellable,
             GError              **error)
{
  goffset piece = MIN_SYNC_PIECE;
  goffset start = 0;
  struct stat st;

  if (fstat (entry->fd, &st) != 0)
    return tf_errno_set (error, errno, "fstat", target->path);

  while (start < st.st_size)
    {
      gint64 began = g_get_monotonic_time ();

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      if (TF_RETRY_EINTR (tf_system_sync_range (entry->fd, start, piece)) != 0)
        return errno == ENOTSUP || errno == EINVAL || errno == ESPIPE ||
               tf_disk_set_lost (entry->lost_errno, errno, "sync_file_range", target->path, error);

      start += piece;
      piece = adapt_piece (piece, g_get_monotonic_time () - began);
    }

  return TRUE;
}

/* Returns whether fsync() says that there is no such thing, and nothing of what was written. A server can say the rest. */
static gboolean
cannot_sync (int saved_errno)
{
  return saved_errno == EINVAL || saved_errno == ENOSYS || saved_errno == ENOTSUP;
}

static gboolean
sync_whole (const TfReplacement  *entry,
            const TfDestination  *target,
            GError              **error)
{
  if (TF_RETRY_EINTR (fsync (entry->fd)) == 0)
    return TRUE;

  return cannot_sync (errno) ? tf_errno_set (error, errno, "fsync", target->path)
                             : tf_disk_set_lost (entry->lost_errno, errno, "fsync", target->path, error);
}

static gboolean
sync_file (const TfReplacement  *entry,
           const TfDestination  *target,
           GCancellable         *cancellable,
           GError              **error)
{
  if (target->sync_fd < 0)
    return TRUE;

  if (cancellable != NULL &&
      (!sync_pieces (entry, target, cancellable, error) ||
       g_cancellable_set_error_if_cancelled (cancellable, error)))
    return FALSE;

  return sync_whole (entry, target, error);
}

/* A file system that does not replace may say EEXIST of what was seen. */
static Outcome
get_outcome (const TfReplacement *entry,
             const TfDestination *target,
             int                  saved_errno)
{
  if (saved_errno == EEXIST && (target->flags & TF_PERSIST_REPLACE) && !target->is_occupied)
    return OCCUPIED;

  return entry->name == NULL && tf_replacement_is_unlinkable_errno (saved_errno) ? UNLINKABLE : FAILED;
}

static Outcome
place_synced (TfReplacement  *entry,
              TfDestination  *target,
              GError        **error)
{
  g_autofree char *display = NULL;
  int result;

  do
    result = tf_replacement_place (entry, target);
  while (result < 0 && errno == EEXIST && tf_destination_next (target));

  if (result < 0)
    {
      int saved_errno = errno;

      tf_errno_set (error, saved_errno, target->is_occupied ? "rename to" : "link", target->path);
      tf_replacement_say_what_stays (entry, target, "The bytes are", error);
      return get_outcome (entry, target, saved_errno);
    }

  if (sync_dir (target, error))
    return PLACED;

  /* What was replaced is gone, and another process may have replaced this file already. */
  display = g_filename_display_name (target->path);
  g_prefix_error (error, "The file is at “%s”, but may not survive a loss of power: ", display);
  return UNSAFE;
}

static Outcome
place (TfReplacement  *entry,
       TfDestination  *target,
       GCancellable   *cancellable,
       GError        **error)
{
  TfBackup backup = TF_BACKUP_INIT;
  Outcome outcome;

  if (!sync_file (entry, target, cancellable, error) ||
      g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !tf_backup_make (&backup, target, cancellable, error))
    return FAILED;

  outcome = place_synced (entry, target, error);
  if (entry->stays)
    tf_backup_end (&backup, target, TF_BACKUP_KEEP_BOTH);
  else
    tf_backup_end (&backup, target, outcome == PLACED || outcome == UNSAFE ? TF_BACKUP_KEEP : TF_BACKUP_TAKE_BACK);
  return outcome;
}

/* Gives the file itself the name, after its metadata. If it does not take these, or they could not be undone, a copy is
 * better. */
static Outcome
place_source (const TfPublishSource  *source,
              TfDestination          *target,
              const TfMetadata       *wanted,
              GCancellable           *cancellable,
              GError                **error)
{
  TfReplacement entry = TF_REPLACEMENT_INIT (source->fd);
  g_auto(TfMetadata) before = TF_METADATA_INIT;
  Outcome outcome;

  entry.lost_errno = source->lost_errno;
  if (!tf_metadata_read_fd (&before, entry.fd) || before.lacks_acl)
    return UNLINKABLE;

  if (tf_metadata_apply (wanted, entry.fd))
    outcome = place (&entry, target, cancellable, error);
  else
    outcome = UNLINKABLE;

  if (outcome != PLACED && outcome != UNSAFE)
    tf_metadata_restore (&before, entry.fd);
  if (outcome != PLACED)
    tf_replacement_discard (&entry, target);

  return outcome;
}

/* @wanted is NULL if the copy has the right metadata since its creation. All errors of writing the copy are asked for before it
 * is changed in another way: a file system that writes late would tell them then, and not again. */
static Outcome
place_copy (const TfPublishSource  *source,
            TfReplacement          *fresh,
            TfDestination          *target,
            const TfMetadata       *wanted,
            GCancellable           *cancellable,
            GError                **error)
{
  goffset size;

  if (!source->fill (source->user_data, fresh->fd, target->path, &size, cancellable, error) ||
      !tf_disk_settle_copy (fresh->fd, target->path, size, error))
    return FAILED;

  if (wanted != NULL && !tf_metadata_apply (wanted, fresh->fd))
    {
      tf_errno_set (error, errno, "fchmod", target->path);
      return FAILED;
    }

  return place (fresh, target, cancellable, error);
}

/* A new file gets the permissions of any file that this process creates there: umask, default ACL and group of the
 * directory have their effect. */
static guint
get_mode (const TfDestination *target,
          const TfMetadata    *replaced)
{
  if (target->keeps_metadata)
    return tf_metadata_get_initial_mode (replaced);

  return target->flags & TF_PERSIST_PRIVATE ? 0600 : 0666;
}

/* Whatever the umask, a private file can be read by its owner. */
static gboolean
check_fresh (const TfReplacement  *fresh,
             const TfDestination  *target,
             GError              **error)
{
  if (fresh->fd < 0)
    return tf_errno_set (error, errno, "create a file beside", target->path);

  return !(target->flags & TF_PERSIST_PRIVATE) || tf_metadata_set_mode (fresh->fd, S_IRUSR | S_IWUSR) ||
         tf_errno_set (error, errno, "fchmod", target->path);
}

/* Creates a file in the directory of the target, without a name if possible. */
static gboolean
open_fresh (TfReplacement        *fresh,
            const TfDestination  *target,
            guint                 mode,
            GError              **error)
{
  fresh->fd = tf_system_open_unnamed (target->dir_fd, ".", mode);
  if (fresh->fd < 0 && errno == ENOTSUP)
    tf_replacement_create (fresh, target, mode);

  return check_fresh (fresh, target, error);
}

/* Replaces an unnamed file that cannot be linked by one with a temporary name. */
static gboolean
open_fresh_with_name (TfReplacement        *fresh,
                      const TfDestination  *target,
                      guint                 mode,
                      GError              **error)
{
  tf_fd_clear (&fresh->fd);
  tf_replacement_create (fresh, target, mode);
  return check_fresh (fresh, target, error);
}

/* Returns whether the file can be linked at the target. The device is that of a file in the directory, because the
 * directory itself has another one on overlayfs. A file that is at the target already cannot be renamed to it:
 * rename(2) does nothing in this case and succeeds. */
static gboolean
may_be_placed (int                  fd,
               const TfReplacement *fresh,
               const TfDestination *target)
{
  struct stat st;
  struct stat fresh_st;

  return fd >= 0 &&
         fstat (fd, &st) == 0 &&
         fstat (fresh->fd, &fresh_st) == 0 &&
         st.st_dev == fresh_st.st_dev &&
         !(target->has_file && tf_destination_is_file (target, &st));
}

/* Links the file itself if possible. It gets the metadata of the replaced file, or those of a new one. */
static Outcome
try_source (const TfPublishSource  *source,
            const TfReplacement    *fresh,
            TfDestination          *target,
            const TfMetadata       *replaced,
            GCancellable           *cancellable,
            GError                **error)
{
  g_auto(TfMetadata) of_new = TF_METADATA_INIT;

  if (!may_be_placed (source->fd, fresh, target))
    return UNLINKABLE;

  if (target->keeps_metadata)
    return place_source (source, target, replaced, cancellable, error);

  if (!tf_metadata_read_fd (&of_new, fresh->fd) || of_new.lacks_acl)
    return UNLINKABLE;

  return place_source (source, target, &of_new, cancellable, error);
}

static Outcome
persist (const TfPublishSource  *source,
         TfReplacement          *fresh,
         TfDestination          *target,
         const TfMetadata       *replaced,
         gboolean               *copied,
         GCancellable           *cancellable,
         GError                **error)
{
  const TfMetadata *wanted = target->keeps_metadata ? replaced : NULL;
  Outcome outcome = try_source (source, fresh, target, replaced, cancellable, error);

  if (outcome != UNLINKABLE)
    return outcome;

  *copied = TRUE;
  g_clear_error (error);
  outcome = place_copy (source, fresh, target, wanted, cancellable, error);
  if (outcome != UNLINKABLE || fresh->name != NULL)
    return outcome;

  g_clear_error (error);
  if (!open_fresh_with_name (fresh, target, get_mode (target, replaced), error))
    return FAILED;

  return place_copy (source, fresh, target, wanted, cancellable, error);
}

/* Where no more files can be created, the file itself can have the name. Nothing tells then whether others may open a new
 * file, so that they may not. @error is set already, and stays if this file cannot have the name. */
static Outcome
place_without_fresh (const TfPublishSource  *source,
                     TfDestination          *target,
                     const TfMetadata       *replaced,
                     GCancellable           *cancellable,
                     GError                **error)
{
  g_auto(TfMetadata) own = TF_METADATA_INIT;
  GError *own_error = NULL;
  Outcome outcome;

  if (source->fd < 0 || !tf_metadata_read_fd (&own, source->fd))
    return FAILED;

  own.mode = S_IRUSR | S_IWUSR;
  outcome = place_source (source, target, target->keeps_metadata ? replaced : &own, cancellable, &own_error);
  if (outcome == UNLINKABLE)
    {
      g_clear_error (&own_error);
      return FAILED;
    }

  g_clear_error (error);
  if (own_error != NULL)
    g_propagate_error (error, own_error);
  return outcome;
}

static Outcome
publish (const TfPublishSource  *source,
         TfReplacement          *fresh,
         TfDestination          *target,
         gboolean               *copied,
         GCancellable           *cancellable,
         GError                **error)
{
  g_auto(TfMetadata) replaced = TF_METADATA_INIT;
  g_autoptr(GError) own_error = NULL;
  Outcome outcome;

  if (target->has_file)
    tf_metadata_read (&replaced, &target->file, target->file_fd);

  if (open_fresh (fresh, target, get_mode (target, &replaced), &own_error))
    outcome = persist (source, fresh, target, &replaced, copied, cancellable, &own_error);
  else if (g_error_matches (own_error, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
    outcome = place_without_fresh (source, target, &replaced, cancellable, &own_error);
  else
    outcome = FAILED;

  tf_replacement_discard (fresh, target);
  if (outcome != PLACED)
    g_propagate_error (error, g_steal_pointer (&own_error));
  return outcome;
}

/* Gives @source the name @path in one step. If the file itself cannot get the name, a copy of it does; @copy_fd is the
 * copy, or -1. @final_path is the path to which symlinks led. On failure, nothing has changed, unless @final_path is
 * set: then the file has the name nevertheless. */
gboolean
tf_publish (const TfPublishSource  *source,
            const char             *path,
            TfPersistFlags          flags,
            int                    *copy_fd,
            char                  **final_path,
            GCancellable           *cancellable,
            GError                **error)
{
  g_auto(TfDestination) target = TF_DESTINATION_INIT;
  TfReplacement fresh = TF_REPLACEMENT_INIT (-1);
  g_autoptr(GError) own_error = NULL;
  gboolean copied = FALSE;
  Outcome outcome;

  *copy_fd = -1;
  *final_path = NULL;
  if (!tf_destination_open (&target, path, flags, error))
    return FALSE;

  outcome = publish (source, &fresh, &target, &copied, cancellable, &own_error);
  for (guint i = 1; i < OCCUPIED_TRIES && outcome == OCCUPIED; i++)
    {
      g_clear_error (&own_error);
      tf_fd_clear (&fresh.fd);
      copied = FALSE;
      outcome = tf_destination_look_again (&target, &own_error)
                ? publish (source, &fresh, &target, &copied, cancellable, &own_error)
                : FAILED;
    }

  if (outcome == PLACED || outcome == UNSAFE)
    {
      *final_path = g_steal_pointer (&target.path);
      *copy_fd = copied ? tf_fd_steal (&fresh.fd) : -1;
    }
  tf_fd_clear (&fresh.fd);

  if (outcome != PLACED)
    g_propagate_error (error, g_steal_pointer (&own_error));
  return outcome == PLACED;
}
