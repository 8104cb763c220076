/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "tf-template.h"
#include "tree/tf-remove.h"
#include "tree/tf-use.h"

static gboolean
is_dir (const TfAside *self)
{
  return (self->kind & TF_JOURNAL_DIR) != 0;
}

static int
rename_if_free (int         dir_fd,
                const char *from,
                const char *to)
{
  TfSystemStat st;

  if (!tf_system_stat (&st, dir_fd, to))
    return renameat (dir_fd, from, dir_fd, to);

  errno = EEXIST;
  return -1;
}

/* Nothing is lost without renameat2(2): nobody else chooses the random name @to, and what is moved is what has the name
 * at that moment. */
static int
rename_to_random (int         dir_fd,
                  const char *from,
                  const char *to)
{
  int result = tf_system_rename (dir_fd, from, to, TF_SYSTEM_RENAME_NOREPLACE);

  return result < 0 && errno == ENOTSUP ? rename_if_free (dir_fd, from, to) : result;
}

/* Does in two steps what renameat2(2) does in one. A directory has no links, and another one that is empty may be
 * replaced. */
static int
rename_back_in_steps (int         dir_fd,
                      const char *from,
                      const char *to)
{
  if (linkat (dir_fd, from, dir_fd, to, 0) == 0)
    return unlinkat (dir_fd, from, 0);

  return errno == EEXIST || errno == ENOENT ? -1 : rename_if_free (dir_fd, from, to);
}

/* Gives back the name @name to what is called @aside. Returns FALSE with errno set; to EEXIST if something has it by
 * now. */
gboolean
tf_aside_undo (int         dir_fd,
               const char *aside,
               const char *name)
{
  int result = tf_system_rename (dir_fd, aside, name, TF_SYSTEM_RENAME_NOREPLACE);

  return (result < 0 && errno == ENOTSUP ? rename_back_in_steps (dir_fd, aside, name) : result) == 0;
}

static TfJournalRecord *
write_record (const TfAside *self,
              const char    *aside)
{
  g_autofree char *names = g_strconcat (aside, "/", self->name, NULL);

  return tf_journal_write (self->dir, names, self->kind | TF_JOURNAL_ASIDE, self->dir_fd, self->name,
                           self->identity, self->deadline);
}

/* Moves what has the name, and returns its new name. Returns NULL with errno set on failure; to ECANCELED if the
 * process is about to end and its journal is closed. Where there is no journal at all, it is moved without a record. */
static char *
move (const TfAside    *self,
      TfJournalRecord **record)
{
  const TfTemplate template = { .prefix = (char *) "." };

  for (int i = 0; i < TF_TEMPLATE_TRIES; i++)
    {
      g_autofree char *aside = tf_template_make_name (&template, NULL);
      int saved_errno;

      if (aside == NULL)
        {
          errno = EIO;
          return NULL;
        }

      *record = write_record (self, aside);
      if (*record == NULL && tf_journal_is_closed ())
        {
          errno = ECANCELED;
          return NULL;
        }

      if (rename_to_random (self->dir_fd, self->name, aside) == 0)
        return g_steal_pointer (&aside);

      saved_errno = errno;
      tf_journal_clear (g_steal_pointer (record));
      errno = saved_errno;
      if (errno != EEXIST)
        return NULL;
    }

  return NULL;
}

/* Returns what is to become of what is called @aside now. If it cannot be looked at, it may still be ours. */
static TfAsideResult
judge (const TfAside *self,
       const char    *aside)
{
  TfIdentity found;
  TfSystemStat st;

  if (!tf_identity_stat_wholly (&found, tf_identity_has_birth (self->identity), self->dir_fd, aside, &st))
    return errno == ENOENT ? TF_ASIDE_OTHER : TF_ASIDE_STAYS;

  return tf_identity_equal (&found, self->identity) ? TF_ASIDE_REMOVED : TF_ASIDE_OTHER;
}

/* Gives the name back to what another program has put there. If there is something newer, both stay. */
static TfAsideResult
restore_other (const TfAside   *self,
               const char      *aside,
               TfJournalRecord *record)
{
  g_autoptr(GError) error = NULL;

  if (!tf_aside_undo (self->dir_fd, aside, self->name) && errno != ENOENT)
    {
      tf_errno_set (&error, errno, "rename", self->path);
      g_prefix_error (&error, "What another program had put there is now called “%s”: ", aside);
      tf_errno_log_lost ("Giving a name back", error);
    }

  tf_journal_clear (record);
  return TF_ASIDE_OTHER;
}

/* If it does not get its name back, the record stays for a sweep. */
static TfAsideResult
restore (const TfAside   *self,
         const char      *aside,
         TfJournalRecord *record)
{
  if (tf_aside_undo (self->dir_fd, aside, self->name))
    tf_journal_clear (record);
  return TF_ASIDE_STAYS;
}

/* Of a directory, files may have been opened since they were looked at. */
static gboolean
is_idle (const TfAside *self,
         const char    *name)
{
  return self->deadline == 0 || !is_dir (self) || tf_use_is_dir_idle (self->dir_fd, name, self->identity);
}

static gboolean
remove_name (const TfAside  *self,
             const char     *name,
             GCancellable   *cancellable,
             GError        **error)
{
  if (is_dir (self) && !self->is_new)
    return tf_remove_dir_at (self->dir_fd, name, self->path, self->identity, cancellable, error);

  if (unlinkat (self->dir_fd, name, is_dir (self) ? AT_REMOVEDIR : 0) == 0)
    return TRUE;

  return errno != ENOTEMPTY && errno != EEXIST && tf_errno_set (error, errno, "unlink", self->path);
}

static TfAsideResult
remove_in_place (const TfAside  *self,
                 GCancellable   *cancellable,
                 GError        **error)
{
  return remove_name (self, self->name, cancellable, error) ? TF_ASIDE_REMOVED : TF_ASIDE_STAYS;
}

/* A renaming that says so proves nothing on its own. */
static gboolean
is_missing (const TfAside *self)
{
  int saved_errno = errno;
  TfIdentity found;
  gboolean missing = !tf_identity_read (&found, self->dir_fd, self->name) && errno == ENOENT;

  errno = saved_errno;
  return missing;
}

/* A directory that cannot be moved because it is a mount point gets the error of one. */
static TfAsideResult
report_unmoved (const TfAside  *self,
                GCancellable   *cancellable,
                GError        **error)
{
  if (errno == ENOENT && is_missing (self))
    return TF_ASIDE_OTHER;

  if (errno == EBUSY && is_dir (self))
    return remove_in_place (self, cancellable, error);

  if (errno != ECANCELED)
    tf_errno_set (error, errno, "rename", self->path);
  return TF_ASIDE_STAYS;
}

static TfAsideResult
move_and_remove (const TfAside  *self,
                 GCancellable   *cancellable,
                 GError        **error)
{
  TfJournalRecord *record = NULL;
  g_autofree char *aside = move (self, &record);
  TfAsideResult fate;

  if (aside == NULL)
    return report_unmoved (self, cancellable, error);

  fate = judge (self, aside);
  if (fate == TF_ASIDE_OTHER)
    return restore_other (self, aside, record);

  if (fate == TF_ASIDE_STAYS || !is_idle (self, aside) || !remove_name (self, aside, cancellable, error))
    return restore (self, aside, record);

  tf_journal_clear (record);
  return TF_ASIDE_REMOVED;
}

/* Through FUSE and network file systems, what is compared can depend on the name. And a new directory is removed only
 * if it is empty; by its record, a sweep would remove what is in it, too. */
static gboolean
may_be_moved (const TfAside *self)
{
  return tf_system_keeps_identities (self->dir_fd) && !(is_dir (self) && self->is_new);
}

/* If it stays because it is in use, or because the process is about to end, no error is set. */
TfAsideResult
tf_aside_remove (const TfAside  *self,
                 GCancellable   *cancellable,
                 GError        **error)
{
  TfAsideResult result;
  int lease_fd = -1;

  if (!is_idle (self, self->name))
    return TF_ASIDE_STAYS;

  /* Nobody can open the file before it is removed. */
  if (self->deadline != 0 && !is_dir (self))
    {
      lease_fd = tf_use_lease_file (self->dir_fd, self->name, self->identity);
      if (lease_fd < 0)
        return TF_ASIDE_STAYS;
    }

  result = may_be_moved (self) ? move_and_remove (self, cancellable, error) : remove_in_place (self, cancellable, error);
  tf_use_release (&lease_fd);
  return result;
}
