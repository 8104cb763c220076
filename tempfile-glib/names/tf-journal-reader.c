/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-journal-reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/tf-debug.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-fork.h"
#include "base/tf-identity.h"
#include "base/tf-string.h"
#include "tf-aside.h"
#include "tf-journal.h"
#include "tf-journal-format.h"
#include "tf-parent.h"
#include "tree/tf-use.h"

/* Who has the lock of a segment. */
typedef enum
{
  LOCK_OWN,       /* this sweep, or nobody if it is only read */
  LOCK_PROCESSES, /* the process whose it is, or a child; or it is not known */
  LOCK_SWEEP,     /* another sweep */
} Lock;

/* A segment. It is locked if its process is dead. */
typedef struct _Segment Segment;

struct _Segment
{
  int            fd;
  Segment       *next_open;
  Lock           lock;
  TfJournalSlot *slots;       /* (owned): as it was read */
  guint          n_slots;
  guint          parent;      /* the slot of the directory that is open, or 0 */
  int            parent_fd;   /* -1 if it cannot be had */
  TfPlace        place;       /* of @parent_fd; (owned) (nullable) path */
  gboolean       is_exchanged; /* another directory of the same file system is at the path */
  gboolean       is_local;    /* the system knows what is in the directory */
};

typedef enum
{
  FOREIGN,    /* no journal, a copy, of another user, or not readable: left alone */
  ALIVE,      /* or not certainly dead: left alone */
  WORTHLESS,  /* may be removed unread */
  DEAD,
} Life;

/* What was found, beside what a record says. */
typedef enum
{
  OTHER,
  OURS,
  IN_DOUBT, /* it can be told only by its handle, which cannot be had, or is another one once FUSE has forgotten the file */
} Match;

/* What becomes of a record. */
typedef enum
{
  STAYS,
  SETTLED, /* there is nothing to remove, or it was removed */
} Outcome;

static void
unlock_segment (int fd)
{
  tf_system_unlock (fd);
  tf_system_unclaim (fd);
}

/* A forked child closes the descriptors of its parent's sweeps. With them, it would have the locks for as long as it
 * lives. */
static GMutex lock;
static Segment *open_segments; /* (nullable): those with a descriptor */

static void
close_in_child (void)
{
  for (Segment *segment = open_segments; segment != NULL; segment = segment->next_open)
    tf_fd_clear (&segment->fd);
  open_segments = NULL;
}

static TfForkHandler fork_handler = { .level = TF_FORK_LEAVES, .lock = &lock, .child = close_in_child };

/* What is opened for writing must not be what the program prints to. */
static void
segment_open (Segment    *self,
              int         dir_fd,
              const char *name)
{
  int saved_errno;

  tf_fork_lock (&fork_handler);
  self->fd = tf_fd_lift (TF_RETRY_EINTR (openat (dir_fd, name,
                                                 O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)));
  saved_errno = errno;
  if (self->fd >= 0)
    {
      self->next_open = open_segments;
      open_segments = self;
    }
  g_mutex_unlock (&lock);
  errno = saved_errno;
}

static void
segment_close (Segment *self)
{
  Segment **place = &open_segments;

  tf_fork_lock (&fork_handler);
  while (*place != NULL && *place != self)
    place = &(*place)->next_open;
  if (*place != NULL)
    *place = self->next_open;

  if (self->fd >= 0)
    unlock_segment (self->fd);
  tf_fd_clear (&self->fd);
  g_mutex_unlock (&lock);
}

static void
segment_clear (Segment *self)
{
  segment_close (self);
  tf_fd_clear (&self->parent_fd);
  g_free (self->slots);
  g_free ((char *) self->place.path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Segment, segment_clear)

/* --- Opening -------------------------------------------------------------------------------- */

/* The lock of a process lasts as long as it has the file mapped. Sweeps and lists have another one among themselves before
 * they try that, so that none of them takes another one for a process. */
static Lock
lock_segment (int fd)
{
  if (tf_system_claim (fd) != 0 && errno == EAGAIN)
    return LOCK_SWEEP;

  return tf_system_lock (fd, TRUE) == 0 ? LOCK_OWN : LOCK_PROCESSES;
}

/* Tries to lock the file as well. */
static gboolean
open_segment (Segment      *self,
              int           dir_fd,
              const char   *name,
              TfSystemStat *st)
{
  segment_open (self, dir_fd, name);
  self->lock = self->fd >= 0 ? lock_segment (self->fd) : LOCK_PROCESSES;

  return self->fd >= 0 &&
         tf_system_stat (st, self->fd, "") &&
         st->n_links > 0 && S_ISREG (st->mode) && st->uid == geteuid () &&
         (st->mode & 07077) == (TF_JOURNAL_MODE & 07077);
}

static gboolean
is_visible (const TfJournalHead *head)
{
  guint64 namespace = tf_system_get_pid_namespace ();

  return namespace != 0 && head->pid_namespace == namespace && head->start_time != 0;
}

/* In another time namespace, the process has another start time. */
static gboolean
is_running (const TfJournalHead *head)
{
  gboolean is_comparable = head->time_namespace == tf_system_get_time_namespace ();

  return is_visible (head) && tf_system_may_run (head->pid, is_comparable ? head->start_time : 0);
}

/* The lock is proof enough, except on overlayfs, where a process can lose it. */
static gboolean
is_alive (const TfJournalHead *head,
          TfSystemFs           fs)
{
  return is_visible (head) ? is_running (head) : fs == TF_SYSTEM_FS_OVERLAY;
}

static gboolean
is_copy (const TfJournalHead *head,
         const TfSystemStat  *st)
{
  return head->device != st->device || head->inode != st->inode ||
         head->birth_seconds != st->birth_seconds || head->birth_nanoseconds != st->birth_nanoseconds;
}

static Life
judge (const guint8        *boot_id,
       const TfJournalHead *head,
       const TfSystemStat  *st,
       TfSystemFs           fs)
{
  if (head->uid != geteuid ())
    return FOREIGN;

  if (memcmp (boot_id, head->boot_id, TF_SYSTEM_BOOT_ID_SIZE) != 0)
    return WORTHLESS;

  if (is_copy (head, st))
    return FOREIGN;

  return is_alive (head, fs) ? ALIVE : DEAD;
}

/* A process that was killed before it could write anything leaves an empty segment, or zeros. What has something else in
 * it, or does not have the mode that only a journal has, may be precious: others can have moved it here. */
static Life
read_segment (Segment            *self,
              const guint8       *boot_id,
              const TfSystemStat *st,
              TfSystemFs          fs)
{
  Life life;

  if (st->size > TF_JOURNAL_MAX_SIZE)
    return FOREIGN;

  self->slots = g_malloc0 (MAX (st->size, TF_JOURNAL_MIN_SIZE));
  if (TF_RETRY_EINTR (pread (self->fd, self->slots, st->size, 0)) != (gssize) st->size)
    return FOREIGN;

  if (tf_string_is_zero (self->slots, st->size))
    return WORTHLESS;
  if (((TfJournalHead *) self->slots)->magic != TF_JOURNAL_MAGIC)
    return FOREIGN;
  if (st->size < TF_JOURNAL_MIN_SIZE)
    return WORTHLESS;

  life = judge (boot_id, (TfJournalHead *) self->slots, st, fs);
  self->n_slots = st->size / sizeof (TfJournalSlot);
  if (life == DEAD && ((TfJournalHead *) self->slots)->n_slots != self->n_slots)
    return WORTHLESS;

  return life;
}

/* --- Records -------------------------------------------------------------------------------- */

/* Returns the text of a slot, which may go on in the following ones, or NULL if it is not valid. */
static char *
read_text (const Segment *self,
           guint          slot)
{
  const TfJournalSlot *first = &self->slots[slot];
  gsize length = first->length;
  guint n = tf_journal_count_slots (length);
  g_autoptr(GString) text = NULL;

  if (length == 0 || slot + n > self->n_slots)
    return NULL;

  text = g_string_new_len (first->text, MIN (length, sizeof first->text));
  for (guint i = slot + 1; i < slot + n; i++)
    {
      const TfJournalText *more = (const TfJournalText *) &self->slots[i];

      if (more->state != TF_JOURNAL_TEXT)
        return NULL;
      g_string_append_len (text, more->text, MIN (length - text->len, sizeof more->text));
    }

  return strlen (text->str) == length ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

static TfJournalKind
get_kind (const TfJournalSlot *record)
{
  return record->kind & ~TF_JOURNAL_ASIDE;
}

static gboolean
is_name (const char *text)
{
  return *text != '\0' && strlen (text) <= NAME_MAX && strchr (text, '/') == NULL &&
         !g_str_equal (text, ".") && !g_str_equal (text, "..");
}

/* Returns the name of a record; of one that was moved aside, the former name, and sets @aside. */
static char *
read_name (const Segment  *self,
           guint           slot,
           char          **aside)
{
  g_autofree char *text = read_text (self, slot);
  char *slash = text != NULL && (self->slots[slot].kind & TF_JOURNAL_ASIDE) ? strchr (text, '/') : NULL;

  if (slash == NULL)
    return text != NULL && is_name (text) ? g_steal_pointer (&text) : NULL;

  *slash = '\0';
  if (!is_name (text) || !is_name (slash + 1))
    return NULL;

  *aside = g_strdup (text);
  return g_strdup (slash + 1);
}

static gboolean
is_parent (const Segment *self,
           guint          slot)
{
  return slot >= TF_JOURNAL_N_HEAD_SLOTS && slot < self->n_slots && self->slots[slot].state == TF_JOURNAL_PARENT;
}

/* Without a descriptor, it is not known whether there is anything to sweep. All other errors mean that there is nothing
 * that this process could sweep. */
static void
report_lack_of_fds (TfJournalReader *self,
                    const char      *path)
{
  if (errno == EMFILE || errno == ENFILE)
    tf_failures_add (self->failures, errno, "open", path);
}

/* Returns whether the directory with the inode number of a recorded one is another one: a later one, or that of another
 * disk at the same place. */
static gboolean
is_younger (const TfJournalSlot *parent,
            const TfPlace       *found)
{
  return parent->birth_nanoseconds != 0 && found->birth != 0 && parent->birth_nanoseconds != found->birth;
}

/* Returns whether the directory that was found is the one that was recorded, or may be. Others can put a symlink at the
 * path, or another directory of this user; but some file systems find another inode number at each look. */
static gboolean
is_at_path (const Segment      *self,
            const TfSystemStat *st)
{
  return self->is_exchanged ? tf_parent_may_be_same (self->place.path, self->parent_fd, st)
                            : tf_parent_is_path_of (self->place.path, self->parent_fd, st);
}

/* Opens the directory of a record if it is still the same one, at the same path. If it may be, the file itself decides. */
static void
open_parent (TfJournalReader *reader,
             Segment         *self,
             guint            slot)
{
  const TfJournalSlot *parent = &self->slots[slot];
  TfSystemStat st;

  if (self->parent == slot)
    return;

  tf_fd_clear (&self->parent_fd);
  g_free ((char *) self->place.path);
  self->parent = slot;
  self->place.path = read_text (self, slot);
  if (self->place.path == NULL || !g_path_is_absolute (self->place.path))
    return;

  if (!tf_parent_check_path (self->place.path, 0, parent->birth_seconds))
    return;

  self->parent_fd = tf_system_open_dir (self->place.path);
  if (self->parent_fd < 0)
    {
      report_lack_of_fds (reader, self->place.path);
      return;
    }

  /* The server of what is mounted at the path is not asked. */
  if (!tf_system_stat_known (&st, self->parent_fd, "") || st.device != (guint64) parent->birth_seconds ||
      !tf_system_stat (&st, self->parent_fd, ""))
    tf_fd_clear (&self->parent_fd);
  else
    {
      self->is_local = tf_system_get_fs (self->parent_fd) != TF_SYSTEM_FS_OTHER;
      tf_place_set (&self->place, &st);
      self->is_exchanged = st.inode != parent->inode || is_younger (parent, &self->place);
      if (!is_at_path (self, &st))
        tf_fd_clear (&self->parent_fd);
    }
}

/* Describes @name in the directory of the records. Does not ask the server of what is mounted there. */
static gboolean
describe (const Segment *segment,
          const char    *name,
          TfIdentity    *identity,
          TfSystemStat  *st)
{
  gboolean success = tf_system_stat_in (st, segment->parent_fd, name, segment->is_local);

  if (success)
    tf_identity_set (identity, st);
  return success;
}

/* Compares what was found with a record that knows the file. */
static Match
compare_known (const TfJournalSlot *record,
               int                  dir_fd,
               const char          *name,
               const TfIdentity    *found)
{
  guint64 hash;

  if (record->inode != found->inode)
    return OTHER;

  if (record->birth_nanoseconds == TF_JOURNAL_HANDLE)
    return tf_system_hash_handle (dir_fd, name, &hash) && (gint64) hash == record->birth_seconds ? OURS : IN_DOUBT;

  /* Without a birth time, a later file with the same inode number would look alike. */
  return tf_identity_has_birth (found) &&
         record->birth_seconds == found->birth_seconds &&
         record->birth_nanoseconds == found->birth_nanoseconds ? OURS : OTHER;
}

/* Returns whether the process was killed right after it had created this. An INTENT says nothing more than the name. */
static gboolean
is_untouched_file (const TfJournalSlot *record,
                   const TfSystemStat  *found)
{
  return found->uid == geteuid () && tf_identity_is_new (found, get_kind (record) == TF_JOURNAL_DIR);
}

static Match
compare (const TfJournalSlot *record,
         int                  dir_fd,
         const char          *name,
         const TfIdentity    *identity,
         const TfSystemStat  *found)
{
  if (get_kind (record) == TF_JOURNAL_DIR ? !S_ISDIR (found->mode) : !S_ISREG (found->mode))
    return OTHER;

  if (record->state == TF_JOURNAL_DONE)
    return compare_known (record, dir_fd, name, identity);

  return is_untouched_file (record, found) ? OURS : OTHER;
}

static gboolean
is_old (const TfSystemStat *st,
        guint               min_age_seconds)
{
  /* Time stamps may lie in the future: time(2) lags some milliseconds behind the time stamps of Linux 6.13 and later,
   * and a clock can be set back. */
  return min_age_seconds == 0 ||
         time (NULL) - MAX (st->modified, st->changed) / G_GINT64_CONSTANT (1000000000) >= (gint64) min_age_seconds;
}

static gboolean
is_early (const TfJournalSlot *record)
{
  return record->deadline != 0 && tf_journal_get_uptime () < record->deadline;
}

static void
report (TfJournalReader     *self,
        const Segment       *segment,
        const TfJournalSlot *record,
        const char          *path,
        const TfSystemStat  *st,
        gboolean             is_left)
{
  const TfJournalHead *head = (const TfJournalHead *) segment->slots;
  const TfJournalFound found = {
    .path = path,
    .kind = get_kind (record),
    .pid = is_running (head) ? head->pid : 0,
    .created = st->birth_seconds != 0 ? st->birth_seconds : st->changed / G_GINT64_CONSTANT (1000000000),
    .deadline = record->deadline,
    .is_left = is_left,
  };

  if (self->func != NULL)
    self->func (&found, self->user_data);
}

/* A directory that was just created and has been filled by somebody else stays, too. */
static Outcome
remove_ours (TfJournalReader     *self,
             const Segment       *segment,
             const TfJournalSlot *record,
             const char          *name,
             const char          *path,
             const TfIdentity    *identity,
             const TfSystemStat  *st,
             GCancellable        *cancellable)
{
  const TfAside aside = {
    .dir_fd = segment->parent_fd,
    .dir = &segment->place,
    .name = name,
    .path = path,
    .kind = get_kind (record),
    .identity = identity,
    .deadline = record->deadline,
    .is_new = record->state != TF_JOURNAL_DONE,
  };
  GError *error = NULL;
  TfAsideResult result = tf_aside_remove (&aside, cancellable, &error);

  if (result == TF_ASIDE_REMOVED)
    {
      tf_debug_trace ("swept", path);
      self->n_removed++;
      report (self, segment, record, path, st, TRUE);
      if (aside.kind == TF_JOURNAL_DIR)
        g_hash_table_add (self->removed_dirs, g_strdup (path));
    }
  else if (error != NULL)
    tf_failures_take (self->failures, error);
  else if (aside.is_new && aside.kind == TF_JOURNAL_DIR)
    return SETTLED;

  return result == TF_ASIDE_STAYS ? STAYS : SETTLED;
}

/* Something is mounted on it: it is there again once that is unmounted. */
static gboolean
is_mount_point (const Segment *segment,
                const char    *name)
{
  return tf_system_get_mount (segment->parent_fd, name) != tf_system_get_mount (segment->parent_fd, "");
}

static Outcome
settle_strange (TfJournalReader *self,
                const Segment   *segment,
                const char      *name,
                const char      *path)
{
  if (segment->is_exchanged)
    return STAYS;

  if (!is_mount_point (segment, name))
    return SETTLED;

  tf_failures_add (self->failures, EXDEV, "unlink", path);
  return STAYS;
}

/* Returns whether the one that was recorded may be elsewhere: in the directory that was recorded. */
static gboolean
may_be_link (const Segment      *segment,
             const TfSystemStat *found)
{
  return segment->is_exchanged && S_ISREG (found->mode) && found->n_links > 1;
}

static Outcome
remove_record (TfJournalReader     *self,
               const Segment       *segment,
               const TfJournalSlot *record,
               const char          *name,
               GCancellable        *cancellable)
{
  g_autofree char *path = g_build_filename (segment->place.path, name, NULL);
  TfIdentity identity;
  TfSystemStat st;
  Match match;

  if (!describe (segment, name, &identity, &st))
    return errno == ENOENT && !segment->is_exchanged ? SETTLED : STAYS;

  if (!is_old (&st, self->min_age_seconds))
    return STAYS;

  if (segment->is_exchanged && record->state != TF_JOURNAL_DONE)
    return STAYS;

  match = compare (record, segment->parent_fd, name, &identity, &st);
  if (match == IN_DOUBT || (match == OURS && may_be_link (segment, &st)))
    return STAYS;

  if (match == OTHER)
    return settle_strange (self, segment, name, path);

  if (tf_debug_has (TF_DEBUG_KEEP))
    {
      tf_debug_say ("kept", path);
      return STAYS;
    }

  return remove_ours (self, segment, record, name, path, &identity, &st, cancellable);
}

/* Gives its name back to what a process had moved aside when it was killed. If something has that name by now, what was
 * to be removed is removed as it is called, and anything else stays. Returns the name, or %NULL on failure. */
static const char *
undo_aside (TfJournalReader     *self,
            const Segment       *segment,
            const TfJournalSlot *record,
            const char          *aside,
            const char          *name)
{
  g_autofree char *path = NULL;
  TfIdentity found;
  TfSystemStat st;

  if (tf_aside_undo (segment->parent_fd, aside, name) || errno == ENOENT)
    return name;

  if (errno == EEXIST)
    return describe (segment, aside, &found, &st) &&
           compare (record, segment->parent_fd, aside, &found, &st) == OURS ? aside : name;

  path = g_build_filename (segment->place.path, aside, NULL);
  tf_failures_add (self->failures, errno, "rename", path);
  return NULL;
}

static gboolean
is_wanted (TfJournalReader     *self,
           const TfJournalSlot *parent,
           const char          *name)
{
  if (self->template != NULL && !tf_template_matches (self->template, name))
    return FALSE;

  return self->dir == NULL ||
         (self->dir->inode == parent->inode && self->dir->device == (guint64) parent->birth_seconds);
}

/* Returns whether the sweep is about one of the records. */
static gboolean
has_wanted (TfJournalReader *self,
            const Segment   *segment)
{
  for (guint i = TF_JOURNAL_N_HEAD_SLOTS; i < segment->n_slots; i++)
    {
      const TfJournalSlot *record = &segment->slots[i];
      g_autofree char *aside = NULL;
      g_autofree char *name = NULL;

      if (record->state != TF_JOURNAL_INTENT && record->state != TF_JOURNAL_DONE)
        continue;

      name = read_name (segment, i, &aside);
      if (name != NULL && !is_early (record) && is_parent (segment, record->parent) &&
          is_wanted (self, &segment->slots[record->parent], name))
        return TRUE;
    }

  return FALSE;
}

/* Returns whether the directory was removed by this sweep, with another one that it was in. What was recorded in it is
 * gone then. */
static gboolean
was_removed (TfJournalReader *self,
             const char      *dir)
{
  g_autofree char *path = g_strdup (dir);
  char *slash;

  while (!g_hash_table_contains (self->removed_dirs, path))
    {
      slash = strrchr (path, '/');
      if (slash == NULL)
        return FALSE;

      *slash = '\0';
    }

  return TRUE;
}

static Outcome
sweep_record (TfJournalReader *self,
              Segment         *segment,
              guint            slot,
              GCancellable    *cancellable)
{
  const TfJournalSlot *record = &segment->slots[slot];
  g_autofree char *aside = NULL;
  g_autofree char *name = read_name (segment, slot, &aside);
  const char *found;

  if (name == NULL || !is_parent (segment, record->parent))
    return SETTLED;

  if (is_early (record) || !is_wanted (self, &segment->slots[record->parent], name))
    return STAYS;

  open_parent (self, segment, record->parent);
  if (segment->parent_fd < 0)
    return segment->place.path != NULL && was_removed (self, segment->place.path) ? SETTLED : STAYS;

  found = aside != NULL ? undo_aside (self, segment, record, aside, name) : name;
  return found != NULL ? remove_record (self, segment, record, found, cancellable) : STAYS;
}

/* Writes down that a record is settled. Beyond the limit for the size of files, write(2) kills, and a full disk can refuse
 * it: then the next sweep finds out that nothing is there any more. */
static void
free_record (const Segment *self,
             guint          slot)
{
  const guint32 free_state = TF_JOURNAL_FREE;
  const goffset offset = (goffset) slot * sizeof (TfJournalSlot);
  struct rlimit limit;
  G_GNUC_UNUSED gssize n_written = 0;

  if (getrlimit (RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur >= offset + sizeof free_state)
    n_written = TF_RETRY_EINTR (pwrite (self->fd, &free_state, sizeof free_state, offset));
}

/* Returns whether no record is left. */
static gboolean
sweep_records (TfJournalReader *self,
               Segment         *segment,
               GCancellable    *cancellable)
{
  gboolean is_empty = TRUE;

  for (guint i = TF_JOURNAL_N_HEAD_SLOTS; i < segment->n_slots; i++)
    {
      guint32 state = segment->slots[i].state;

      if (state != TF_JOURNAL_INTENT && state != TF_JOURNAL_DONE)
        continue;

      if (g_cancellable_is_cancelled (cancellable) || sweep_record (self, segment, i, cancellable) == STAYS)
        is_empty = FALSE;
      else
        free_record (segment, i);
    }

  return is_empty;
}

/* --- Listing -------------------------------------------------------------------------------- */

/* Returns whether it was handed over and cannot be removed, because a process has it open. */
static gboolean
is_in_use (const Segment       *segment,
           const TfJournalSlot *record,
           const char          *name,
           const TfIdentity    *identity)
{
  if (record->deadline == 0)
    return FALSE;

  return get_kind (record) == TF_JOURNAL_DIR ? !tf_use_is_dir_idle (segment->parent_fd, name, identity)
                                             : !tf_use_is_file_idle (segment->parent_fd, name, identity);
}

static gboolean
list_name (TfJournalReader     *self,
           const Segment       *segment,
           const TfJournalSlot *record,
           const char          *name,
           gboolean             is_dead)
{
  g_autofree char *path = g_build_filename (segment->place.path, name, NULL);
  TfIdentity identity;
  TfSystemStat st;

  if (!describe (segment, name, &identity, &st) ||
      !is_old (&st, self->min_age_seconds) ||
      (segment->is_exchanged && record->state != TF_JOURNAL_DONE) ||
      compare (record, segment->parent_fd, name, &identity, &st) != OURS)
    return FALSE;

  report (self, segment, record, path, &st,
          is_dead && !is_early (record) && !is_in_use (segment, record, name, &identity));
  return TRUE;
}

static void
list_record (TfJournalReader *self,
             Segment         *segment,
             guint            slot,
             gboolean         is_dead)
{
  const TfJournalSlot *record = &segment->slots[slot];
  g_autofree char *aside = NULL;
  g_autofree char *name = read_name (segment, slot, &aside);

  if (name == NULL || !is_parent (segment, record->parent) ||
      !is_wanted (self, &segment->slots[record->parent], name))
    return;

  open_parent (self, segment, record->parent);
  if (segment->parent_fd < 0)
    return;

  if (aside == NULL || !list_name (self, segment, record, aside, is_dead))
    list_name (self, segment, record, name, is_dead);
}

/* A living process may change its records meanwhile. What is not there, or is not what the record says, is not listed. */
static void
list_records (TfJournalReader *self,
              Segment         *segment,
              gboolean         is_dead,
              GCancellable    *cancellable)
{
  for (guint i = TF_JOURNAL_N_HEAD_SLOTS; i < segment->n_slots && !g_cancellable_is_cancelled (cancellable); i++)
    {
      guint32 state = segment->slots[i].state;

      if (state == TF_JOURNAL_DONE || (state == TF_JOURNAL_INTENT && is_dead))
        list_record (self, segment, i, is_dead);
    }
}

/* --- Places --------------------------------------------------------------------------------- */

/* Returns whether the segment was removed. */
typedef gboolean (*SegmentFunc) (TfJournalReader *self,
                                 int              dir_fd,
                                 const char      *name,
                                 TfSystemFs       fs,
                                 GCancellable    *cancellable);

/* For a sweep, the segment stays locked. Another one is read as well, and may belong to a living process; it is locked
 * for no longer than it takes to find out. */
static Life
load_segment (TfJournalReader *self,
              Segment         *segment,
              int              dir_fd,
              const char      *name,
              TfSystemFs       fs,
              gboolean         for_sweep)
{
  TfSystemStat st;
  gboolean is_journal = open_segment (segment, dir_fd, name, &st);

  if (segment->fd >= 0 && !for_sweep)
    unlock_segment (segment->fd);

  if (is_journal)
    return segment->lock == LOCK_PROCESSES && for_sweep ? ALIVE : read_segment (segment, self->boot_id, &st, fs);

  if (segment->fd < 0)
    report_lack_of_fds (self, name);
  return FOREIGN;
}

/* How often others that read a segment are waited for by a sweep and by a list, in all, and how long each time, in
 * microseconds: five seconds, or a tenth of one */
#define SWEEP_WAITS 500
#define LIST_WAITS 10
#define WAIT 10000

/* Returns FALSE if that was done @max times already. */
static gboolean
wait_for_others (TfJournalReader *self,
                 guint            max)
{
  if (self->n_waits == max)
    return FALSE;

  self->n_waits++;
  g_usleep (WAIT);
  return TRUE;
}

/* Another reader has a segment for a moment; if for longer, it sweeps that of a dead process. */
static gboolean
list_segment (TfJournalReader *self,
              int              dir_fd,
              const char      *name,
              TfSystemFs       fs,
              GCancellable    *cancellable)
{
  while (TRUE)
    {
      g_auto(Segment) segment = { .fd = -1, .parent_fd = -1 };
      Life life = load_segment (self, &segment, dir_fd, name, fs, FALSE);

      if (segment.lock == LOCK_SWEEP && life == DEAD && wait_for_others (self, LIST_WAITS))
        continue;

      if (life == ALIVE || life == DEAD)
        list_records (self, &segment, life == DEAD && segment.lock != LOCK_PROCESSES, cancellable);
      return FALSE;
    }
}

/* Returns whether the sweep is not over with the segment: another one has it, which may be about other things. */
static gboolean
wait_for_sweep (TfJournalReader *self,
                const Segment   *segment,
                const char      *name,
                GCancellable    *cancellable)
{
  if (segment->lock != LOCK_SWEEP || g_cancellable_is_cancelled (cancellable) || !has_wanted (self, segment))
    return FALSE;

  if (wait_for_others (self, SWEEP_WAITS))
    return TRUE;

  tf_failures_add (self->failures, EBUSY, "wait for another sweep of the journal", name);
  return FALSE;
}

static gboolean
sweep_segment (TfJournalReader *self,
               int              dir_fd,
               const char      *name,
               TfSystemFs       fs,
               GCancellable    *cancellable)
{
  while (TRUE)
    {
      g_auto(Segment) segment = { .fd = -1, .parent_fd = -1 };
      Life life = load_segment (self, &segment, dir_fd, name, fs, TRUE);

      if (segment.lock == LOCK_OWN)
        return (life == WORTHLESS || (life == DEAD && sweep_records (self, &segment, cancellable))) &&
               unlinkat (dir_fd, name, 0) == 0;

      if (life != DEAD || !wait_for_sweep (self, &segment, name, cancellable))
        return FALSE;
    }
}

/* Two of the places can be the same directory. */
static gboolean
is_new_place (TfIdentity *seen,
              guint       index,
              int         dir_fd)
{
  if (!tf_identity_read (&seen[index], dir_fd, ""))
    return TRUE;

  for (guint i = 0; i < index; i++)
    if (tf_identity_equal (&seen[i], &seen[index]))
      return FALSE;

  return TRUE;
}

static void
read_place (TfJournalReader *self,
            guint            index,
            TfIdentity      *seen,
            SegmentFunc      func,
            GCancellable    *cancellable)
{
  const TfTemplate template = { .prefix = (char *) "" };
  g_autofree char *path = NULL;
  TfSystemFs fs;
  tf_autofd int dir_fd = tf_journal_place_open (index, FALSE, &path, &fs);
  const struct dirent *entry;
  gboolean is_changed = FALSE;
  int own_fd = -1;
  DIR *names;

  if (dir_fd >= 0)
    {
      if (!is_new_place (seen, index, dir_fd))
        return;
      own_fd = fcntl (dir_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    }

  names = own_fd >= 0 ? fdopendir (own_fd) : NULL;
  if (names == NULL)
    {
      report_lack_of_fds (self, "the journals");
      tf_fd_clear (&own_fd);
      return;
    }

  while (!g_cancellable_is_cancelled (cancellable) && (entry = readdir (names)) != NULL)
    if (strlen (entry->d_name) == TF_TEMPLATE_RANDOM_LENGTH && tf_template_matches (&template, entry->d_name))
      is_changed |= func (self, dir_fd, entry->d_name, fs, cancellable);

  closedir (names);
  /* Nothing may be in the place any more. */
  if (is_changed)
    rmdir (path);
}

static void
read_places (TfJournalReader *self,
             SegmentFunc      func,
             GCancellable    *cancellable)
{
  TfIdentity seen[TF_JOURNAL_N_PLACES] = { 0 };

  for (guint i = 0; i < TF_JOURNAL_N_PLACES; i++)
    read_place (self, i, seen, func, cancellable);
}

static void
sweep_places (TfJournalReader *self,
              GCancellable    *cancellable)
{
  gboolean has_journal = tf_journal_count_segments () > 0;

  self->removed_dirs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  read_places (self, sweep_segment, cancellable);
  g_clear_pointer (&self->removed_dirs, g_hash_table_unref);

  /* What was moved aside was the first that this process has recorded, and may be the last. */
  if (!has_journal)
    tf_journal_trim ();
}

static gboolean
reader_begin (TfJournalReader  *self,
              GCancellable     *cancellable,
              GError          **error)
{
  self->n_waits = 0;
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  if (tf_system_read_boot_id (self->boot_id))
    return TRUE;

  return errno == EMFILE || errno == ENFILE
         ? tf_errno_set (error, errno, "read the boot ID", NULL)
         : tf_errno_set_code (error, G_IO_ERROR_NOT_SUPPORTED,
                              "Nothing can be swept, because the system does not tell when it was booted");
}

/* Continues after errors, which are added to the failures. Fails if journals are not supported, or if cancelled. */
gboolean
tf_journal_reader_sweep (TfJournalReader  *self,
                         GCancellable     *cancellable,
                         GError          **error)
{
  if (!reader_begin (self, cancellable, error))
    return FALSE;

  sweep_places (self, cancellable);

  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

/* Calls the function for what is there, of all processes of the user, and changes nothing. Fails as a sweep does. */
gboolean
tf_journal_reader_list (TfJournalReader  *self,
                        GCancellable     *cancellable,
                        GError          **error)
{
  if (!reader_begin (self, cancellable, error))
    return FALSE;

  read_places (self, list_segment, cancellable);

  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}
