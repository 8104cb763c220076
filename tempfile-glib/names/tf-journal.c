/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "base/tf-fork.h"
#include "base/tf-system.h"
#include "tf-journal-format.h"
#include "tf-registry.h"
#include "tf-template.h"

/* A journal consists of segments. A segment is a file that is mapped into memory, in one of the places
 * below. It is opened and mapped twice: once for writing, and once for reading, with a lock of flock(2) that shows that
 * its process lives. The descriptors are closed once the file is mapped: the mapping keeps the open file and its lock,
 * so that no descriptor is used, and none can be closed by mistake. On overlayfs a mapping does not keep the lock, and
 * the descriptor stays open.
 *
 * The room of a segment is allocated before it is mapped, so that writing to it does not fail, whatever happens to the
 * disk. A segment never moves. If all are full, another one is created, of twice the size.
 *
 * A record is a slot, and goes through these states:
 *
 *   FREE → INTENT     before the name exists. If the process is killed now, the file behind the name is not known, but
 *                     then nobody has used it: it is removed if it is untouched.
 *   INTENT → DONE     once the file is known. If the process is killed now, the file is removed if it is the same.
 *   INTENT → FREE     if the name exists already: it belongs to somebody else. Or if nothing was created.
 *   DONE → FREE       after the name was removed, or before it is kept.
 *   DONE → KEPT       when a forked child keeps it: a sweep leaves it alone. Back, if the child does not keep it
 *                     any more.
 *
 * A file that is known before it gets the name is DONE before it has it. A name that the user has chosen is never an
 * INTENT.
 *
 * What is handed over to another program is DONE, and has a deadline. Until then it stays, and afterwards as long as it
 * is in use, see tf-use.h. The record outlives the process on purpose: it is left to a sweep at a normal exit as well.
 *
 * The state of a slot is written after all its other fields, and cleared before them. Memory order is enough, because
 * the page cache survives the process; it does not survive the system, and so a journal is not read after a reboot.
 *
 * A text that does not fit a slot continues in the following ones. The path, device and inode of a directory have a
 * slot of their own in each segment that needs them. The last one without records stays, because it is likely to be
 * used again.
 *
 * A forked child has the mapping for reading, and so the lock lasts until the last of them has ended or executed
 * another program. It does not have the one for writing: what gives up its privileges in a child cannot make a sweep
 * believe it. To keep something, the child opens the file again. Otherwise it forgets the segments, and begins a
 * journal of its own.
 *
 * A process that becomes another user, for a while or for good, has segments for each: what is recorded in them is that
 * user's, whose sweeps alone read them. */

#define PLACE_NAME "tempfile-glib"

/* How often a name is taken, or a sweep is faster than the lock. */
#define TRIES 16

/* How many records are left at most: a file system that is away would get one with each attempt. */
#define MAX_LEFT 100

typedef struct
{
  TfPlace         dir;       /* (owned) path */
  guint           slot;
  guint           n_records;
} Parent;

typedef struct _Segment Segment;

struct _Segment
{
  Segment       *next;
  char          *path;      /* (owned) */
  TfJournalSlot *slots;     /* mapped for writing; not in a forked child */
  TfJournalSlot *shown;     /* mapped for reading */
  guint          uid;
  gsize          size;      /* in bytes */
  guint          n_slots;
  guint          n_records;
  guint          n_free;
  guint          lowest;    /* no word of @free before this one has a bit */
  guint64       *free;      /* (owned): a bit for each slot */
  GHashTable    *parents;   /* (owned) (element-type Parent Parent) */
  GHashTable    *by_slot;   /* (owned) (element-type guint Parent) */
  Parent        *latest;    /* (nullable) */
  Parent        *idle;      /* (nullable): without records */
  int            fd;        /* on overlayfs, otherwise -1 */
};

struct _TfJournalRecord
{
  TfJournalSlot slot;
};

gint64 tf_journal_clock_offset = 0;

/* Protects the variables below and the segments, but not the slots in use. */
static GMutex lock;
static Segment *newest;     /* (nullable) */
static Segment *inherited;  /* (nullable): in a forked child, what can be read of its parents' segments */
static gboolean closed;     /* the process ends */
static guint generation;    /* of the process whose segments these are */

/* --- Places --------------------------------------------------------------------------------- */

/* Returns whether nobody but this user and root can change anything in the directory. */
static gboolean
is_private (int fd)
{
  struct stat st;

  return fstat (fd, &st) == 0 && S_ISDIR (st.st_mode) && st.st_uid == geteuid () &&
         (st.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO)) == S_IRWXU;
}

/* Returns what the variable names, or NULL. */
static const char *
get_named_dir (const char *variable)
{
  const char *dir = tf_system_getenv (variable);

  return dir != NULL && g_path_is_absolute (dir) ? dir : NULL;
}

/* Returns the directory that holds place @index, or NULL if there is none. Sets whether that has to be private. */
static char *
get_base (guint     index,
          gboolean *is_shared)
{
  *is_shared = index >= 2;
  switch (index)
    {
    case 0:
      return g_strdup (get_named_dir ("XDG_RUNTIME_DIR"));

    case 1:
      return g_strdup_printf ("/run/user/%u", (guint) geteuid ());

    case 2:
      return g_strdup (get_named_dir ("TF_JOURNAL_DIR"));

    case 3:
      return g_strdup (get_named_dir ("TMPDIR"));

    case 4:
      return g_strdup ("/tmp");

    default:
      return g_strdup ("/dev/shm");
    }
}

static int
open_dir_at (int         dir_fd,
             const char *name)
{
  return TF_RETRY_EINTR (openat (dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* Removes a file, or a place in which there is nothing. Does not change errno. */
static void
clean_up (int         dir_fd,
          const char *name,
          int         flags)
{
  int saved_errno = errno;

  unlinkat (dir_fd, name, flags);
  errno = saved_errno;
}

/* Gives back to the owner what the umask has taken. What a thread has made that is another user for the file system is
 * no place for this user, and goes. Of another directory that others have put in its place, nothing is changed that its
 * owner would notice. */
static gboolean
adopt_new_dir (int         dir_fd,
               const char *name)
{
  TfSystemStat st;

  if (!tf_system_stat (&st, dir_fd, name))
    return FALSE;

  if (!S_ISDIR (st.mode) || st.uid != geteuid () || (st.mode & 07777 & ~S_IRWXU) != 0)
    {
      errno = EPERM;
      if (S_ISDIR (st.mode) && st.uid != geteuid () && st.uid == tf_system_get_file_uid ())
        clean_up (dir_fd, name, AT_REMOVEDIR);
      return FALSE;
    }

  return (st.mode & S_IRWXU) == S_IRWXU || tf_system_chmod_dir (dir_fd, name, &st, S_IRWXU) == 0;
}

/* Makes the directory if it does not exist, whatever the umask, and opens it. Fails with EAGAIN if another process has
 * removed it meanwhile. */
static int
make_dir_at (int         dir_fd,
             const char *name)
{
  gboolean is_new = mkdirat (dir_fd, name, S_IRWXU) == 0;
  int fd = -1;

  if (is_new || errno == EEXIST)
    {
      if (!is_new || adopt_new_dir (dir_fd, name))
        fd = open_dir_at (dir_fd, name);
      if (fd < 0 && errno == ENOENT)
        errno = EAGAIN;
    }

  return fd;
}

/* Opens a place. With @create, makes it if it does not exist. Returns -1 with errno set if there is no such place; to
 * EMFILE, ENFILE or EAGAIN if this may be different at another time. */
int
tf_journal_place_open (guint        index,
                       gboolean     create,
                       char       **path,
                       TfSystemFs  *fs)
{
  gboolean is_shared;
  g_autofree char *base = get_base (index, &is_shared);
  g_autofree char *name = is_shared ? g_strdup_printf (PLACE_NAME "-%u", (guint) geteuid ()) : g_strdup (PLACE_NAME);
  tf_autofd int base_fd = base != NULL ? tf_system_open_dir (base) : -1;
  tf_autofd int fd = -1;

  if (base == NULL)
    errno = ENOENT;
  if (base_fd < 0)
    return -1;

  *fs = tf_system_get_fs (base_fd);
  if ((!is_shared && !is_private (base_fd)) || *fs == TF_SYSTEM_FS_OTHER)
    {
      errno = EPERM;
      return -1;
    }

  fd = create ? make_dir_at (base_fd, name) : open_dir_at (base_fd, name);
  if (fd < 0)
    return -1;

  if (!is_private (fd) || tf_system_get_fs (fd) != *fs)
    {
      errno = EPERM;
      return -1;
    }

  *path = g_build_filename (base, name, NULL);
  return tf_fd_steal (&fd);
}

/* --- Directories ---------------------------------------------------------------------------- */

static guint
hash_parent (gconstpointer key)
{
  const TfPlace *dir = key;

  return (guint) (dir->inode ^ dir->device);
}

static gboolean
is_same_parent (gconstpointer a,
                gconstpointer b)
{
  const TfPlace *first = a;
  const TfPlace *second = b;

  return first->inode == second->inode && first->device == second->device && first->birth == second->birth &&
         g_str_equal (first->path, second->path);
}

static void
parent_free (gpointer data)
{
  Parent *self = data;

  g_free ((char *) self->dir.path);
  g_free (self);
}

static void
set_state (TfJournalSlot  *slot,
           TfJournalState  state)
{
  __atomic_store_n (&slot->state, state, __ATOMIC_RELEASE);
}

/* --- Slots ---------------------------------------------------------------------------------- */

static gboolean
segment_is_free (const Segment *self,
                 guint          slot)
{
  return slot < self->n_slots && (self->free[slot / 64] >> (slot % 64) & 1);
}

static void
segment_set_free (Segment  *self,
                  guint     slot,
                  gboolean  is_free)
{
  const guint64 bit = G_GUINT64_CONSTANT (1) << (slot % 64);

  if (is_free)
    {
      self->free[slot / 64] |= bit;
      self->lowest = MIN (self->lowest, slot / 64);
      self->n_free++;
    }
  else
    {
      self->free[slot / 64] &= ~bit;
      self->n_free--;
    }
}

/* Returns a free slot at or behind @slot, or the number of slots. */
static guint
segment_find_free (const Segment *self,
                   guint          slot)
{
  const guint n_words = (self->n_slots + 63) / 64;

  for (guint i = slot / 64; i < n_words; i++)
    {
      guint64 word = self->free[i];

      if (i == slot / 64)
        word &= G_MAXUINT64 << (slot % 64);
      if (word != 0)
        return i * 64 + __builtin_ctzll (word);
    }

  return self->n_slots;
}

/* Takes @n slots in a row. Returns the first one, or 0 if there are none. */
static guint
segment_take (Segment *self,
              guint    n)
{
  guint first = segment_find_free (self, self->lowest * 64);

  if (self->n_free < n)
    return 0;

  self->lowest = first / 64;
  while (first < self->n_slots)
    {
      guint n_found = 1;

      while (n_found < n && segment_is_free (self, first + n_found))
        n_found++;
      if (n_found == n)
        {
          for (guint i = 0; i < n; i++)
            segment_set_free (self, first + i, FALSE);
          return first;
        }
      first = segment_find_free (self, first + n_found);
    }

  return 0;
}

static void
segment_write_text (Segment    *self,
                    guint       slot,
                    const char *text,
                    gsize       length)
{
  TfJournalSlot *first = &self->slots[slot];
  gsize n = MIN (length, sizeof first->text);

  first->length = length;
  memcpy (first->text, text, n);
  for (guint i = slot + 1; n < length; i++)
    {
      TfJournalText *more = (TfJournalText *) &self->slots[i];
      gsize n_more = MIN (length - n, sizeof more->text);

      memcpy (more->text, text + n, n_more);
      set_state (&self->slots[i], TF_JOURNAL_TEXT);
      n += n_more;
    }
}

/* Frees a slot and those with the rest of its text. */
static void
segment_give_back (Segment *self,
                   guint    slot)
{
  guint n = tf_journal_count_slots (self->slots[slot].length);

  set_state (&self->slots[slot], TF_JOURNAL_FREE);
  for (guint i = slot; i < slot + n; i++)
    {
      memset (&self->slots[i], 0, sizeof (TfJournalSlot));
      segment_set_free (self, i, TRUE);
    }
}

/* --- Directories ---------------------------------------------------------------------------- */

static void
segment_forget_parent (Segment *self,
                       Parent  *parent)
{
  if (self->latest == parent)
    self->latest = NULL;
  if (self->idle == parent)
    self->idle = NULL;
  segment_give_back (self, parent->slot);
  g_hash_table_remove (self->by_slot, GUINT_TO_POINTER (parent->slot));
  g_hash_table_remove (self->parents, parent);
}

static Parent *
segment_add_parent (Segment       *self,
                    const TfPlace *dir)
{
  gsize length = strlen (dir->path);
  guint slot = length < PATH_MAX ? segment_take (self, tf_journal_count_slots (length)) : 0;
  TfJournalSlot *written = &self->slots[slot];
  Parent *parent;

  if (slot == 0)
    return NULL;

  parent = g_new (Parent, 1);
  *parent = (Parent) { .dir = *dir, .slot = slot };
  parent->dir.path = g_strdup (dir->path);
  g_hash_table_add (self->parents, parent);
  g_hash_table_insert (self->by_slot, GUINT_TO_POINTER (slot), parent);

  segment_write_text (self, slot, dir->path, length);
  written->inode = dir->inode;
  written->birth_seconds = dir->device;
  written->birth_nanoseconds = dir->birth;
  set_state (written, TF_JOURNAL_PARENT);
  return parent;
}

/* Returns NULL if there is no room. */
static Parent *
segment_get_parent (Segment       *self,
                    const TfPlace *dir)
{
  Parent *parent;

  if (self->latest != NULL && is_same_parent (self->latest, dir))
    return self->latest;

  parent = g_hash_table_lookup (self->parents, dir);
  if (parent == NULL)
    parent = segment_add_parent (self, dir);

  self->latest = parent;
  return parent;
}

static Parent *
segment_find_parent (Segment *self,
                     guint    slot)
{
  if (self->latest != NULL && self->latest->slot == slot)
    return self->latest;

  return g_hash_table_lookup (self->by_slot, GUINT_TO_POINTER (slot));
}

/* --- Segments ------------------------------------------------------------------------------- */

static void
segment_free_tables (Segment *self)
{
  g_hash_table_unref (self->by_slot);
  g_hash_table_unref (self->parents);
  g_free (self->free);
}

/* Called in a forked child. No segment of its own may come to the addresses of the parent's records. */
static void
segment_inherit (Segment *self)
{
  segment_free_tables (self);
  tf_system_occupy (self->slots, self->size);
  self->next = inherited;
  inherited = self;
}

static void
segment_remove (Segment *self)
{
  unlink (self->path);
  munmap (self->slots, self->size);
  munmap (self->shown, self->size);
  tf_fd_clear (&self->fd);
  segment_free_tables (self);
  g_free (self->path);
  g_free (self);
}

static gboolean
fill_head (TfJournalHead *head,
           int            fd,
           guint          n_slots)
{
  TfIdentity identity;

  if (!tf_identity_read (&identity, fd, ""))
    return FALSE;

  *head = (TfJournalHead) {
    .device = identity.device,
    .inode = identity.inode,
    .birth_seconds = identity.birth_seconds,
    .birth_nanoseconds = identity.birth_nanoseconds,
    .uid = geteuid (),
    .pid_namespace = tf_system_get_pid_namespace (),
    .time_namespace = tf_system_get_time_namespace (),
    .start_time = tf_system_get_start_time (getpid ()),
    .pid = getpid (),
    .n_slots = n_slots,
  };
  return tf_system_read_boot_id (head->boot_id);
}

/* Allocates the room of a new file, so that no store into it fails. */
static gboolean
make_room (int        fd,
           gsize      size,
           TfSystemFs fs)
{
  struct rlimit limit;

  /* Going beyond the limit does not only fail, but raises a signal. */
  errno = EFBIG;
  if (getrlimit (RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur < size)
    return FALSE;

  if (fs == TF_SYSTEM_FS_COW && tf_system_forbid_cow (fd) != 0)
    return FALSE;

  return tf_system_extend (fd, size) == 0;
}

static gboolean
map_twice (int       fd,
           int       locked_fd,
           gsize     size,
           gpointer *mapped,
           gpointer *shown)
{
  *mapped = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (*mapped == MAP_FAILED)
    return FALSE;

  *shown = tf_system_hide_from_children (*mapped, size) ? mmap (NULL, size, PROT_READ, MAP_SHARED, locked_fd, 0)
                                                         : MAP_FAILED;
  if (*shown != MAP_FAILED)
    return TRUE;

  munmap (*mapped, size);
  return FALSE;
}

/* Makes a segment of a new file. Returns NULL if that is not possible. */
static Segment *
segment_map (int         fd,
             int         locked_fd,
             const char *path,
             gsize       size,
             TfSystemFs  fs)
{
  const guint n_slots = size / sizeof (TfJournalSlot);
  TfJournalHead head;
  Segment *self;
  gpointer mapped, shown;

  if (!make_room (fd, size, fs) || !fill_head (&head, fd, n_slots) ||
      !map_twice (fd, locked_fd, size, &mapped, &shown))
    return NULL;

  memcpy (mapped, &head, sizeof head);
  __atomic_store_n (&((TfJournalHead *) mapped)->magic, TF_JOURNAL_MAGIC, __ATOMIC_RELEASE);

  self = g_new (Segment, 1);
  *self = (Segment) {
    .path = g_strdup (path),
    .slots = mapped,
    .shown = shown,
    .uid = head.uid,
    .size = size,
    .n_slots = n_slots,
    .fd = -1,
  };
  self->free = g_new0 (guint64, (n_slots + 63) / 64);
  self->parents = g_hash_table_new_full (hash_parent, is_same_parent, parent_free, NULL);
  self->by_slot = g_hash_table_new (NULL, NULL);
  for (guint i = TF_JOURNAL_N_HEAD_SLOTS; i < n_slots; i++)
    segment_set_free (self, i, TRUE);

  return self;
}

/* Fails with EAGAIN if a sweep was faster. */
static gboolean
lock_new_file (int fd)
{
  struct stat st;

  if (tf_system_lock (fd, TRUE) != 0)
    {
      errno = errno == EWOULDBLOCK ? EAGAIN : ENOTSUP;
      return FALSE;
    }

  errno = EAGAIN;
  return fstat (fd, &st) == 0 && st.st_nlink > 0;
}

/* Opens the new file for reading only. */
static int
open_again (int         fd,
            int         dir_fd,
            const char *name)
{
  struct stat st;
  int again;

  /* Another process of the user's must be able to open it as well, whatever the umask. */
  if (fstat (fd, &st) != 0 || ((st.st_mode & 07777) != TF_JOURNAL_MODE && fchmod (fd, TF_JOURNAL_MODE) != 0))
    return -1;

  again = tf_fd_lift (TF_RETRY_EINTR (openat (dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)));
  if (again < 0 && errno == ENOENT)
    errno = EAGAIN;
  return again;
}

/* Creates a segment in @dir_fd. Returns NULL with errno set; to EAGAIN if another try may succeed. */
static Segment *
segment_create_in (int         dir_fd,
                   const char *dir,
                   gsize       size,
                   TfSystemFs  fs)
{
  const TfTemplate template = { .prefix = (char *) "" };
  g_autofree char *name = tf_template_make_name (&template, NULL);
  g_autofree char *path = name != NULL ? g_build_filename (dir, name, NULL) : NULL;
  tf_autofd int fd = -1;
  tf_autofd int locked_fd = -1;
  Segment *self = NULL;

  if (name == NULL)
    return NULL;

  fd = tf_fd_lift (TF_RETRY_EINTR (openat (dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                           TF_JOURNAL_MODE)));
  if (fd < 0)
    {
      errno = errno == EEXIST || errno == ENOENT ? EAGAIN : errno;
      return NULL;
    }

  locked_fd = open_again (fd, dir_fd, name);
  if (locked_fd >= 0 && lock_new_file (locked_fd))
    self = segment_map (fd, locked_fd, path, size, fs);

  if (self == NULL)
    clean_up (dir_fd, name, 0);
  if (self != NULL && fs == TF_SYSTEM_FS_OVERLAY)
    self->fd = tf_fd_steal (&locked_fd);

  return self;
}

/* Returns NULL with errno set. */
static Segment *
segment_create_at (guint place,
                   gsize size)
{
  Segment *self = NULL;

  /* The directory may be removed as well: by another process that ends. */
  errno = EAGAIN;
  for (guint tries = 0; tries < TRIES && self == NULL && errno == EAGAIN; tries++)
    {
      g_autofree char *dir = NULL;
      TfSystemFs fs;
      tf_autofd int dir_fd = tf_journal_place_open (place, TRUE, &dir, &fs);

      if (dir_fd >= 0)
        self = segment_create_in (dir_fd, dir, size, fs);
      if (dir_fd >= 0 && self == NULL)
        clean_up (AT_FDCWD, dir, AT_REMOVEDIR);
    }

  return self;
}

/* Where there is no room for @size, or a limit for files is below it, a smaller segment is as good for some time. */
static Segment *
segment_create_small (guint place,
                      gsize size,
                      gsize min_size)
{
  Segment *self;

  do
    self = segment_create_at (place, size);
  while (self == NULL && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) && (size /= 2) >= min_size);

  return self;
}

/* When no segment can be created, the next try is a second later, because trying takes longer than creating a file.
 * Without descriptors it is at once, because that is soon over, and no other place is made. */
static Segment *
segment_create (gsize size,
                gsize min_size)
{
  static gint64 next_try;
  static guint next_uid;

  gboolean out_of_fds = FALSE;

  if (geteuid () != next_uid)
    next_try = 0;
  if (next_try > 0 && g_get_monotonic_time () < next_try)
    return NULL;

  for (guint i = 0; i < TF_JOURNAL_N_PLACES && !out_of_fds; i++)
    {
      Segment *self = segment_create_small (i, size, min_size);

      if (self != NULL)
        return self;

      out_of_fds = errno == EMFILE || errno == ENFILE;
    }

  next_uid = geteuid ();
  next_try = out_of_fds ? 0 : g_get_monotonic_time () + G_TIME_SPAN_SECOND;
  return NULL;
}

/* --- The journal ---------------------------------------------------------------------------- */

/* Called in a forked child. */
static void
forget_all (void)
{
  Segment *segment = newest;

  newest = NULL;
  closed = FALSE;
  while (segment != NULL)
    {
      Segment *next = segment->next;

      segment_inherit (segment);
      segment = next;
    }
}

static void
after_fork_in_child (void)
{
  forget_all ();
}

static TfForkHandler fork_handler = {
  .level = TF_FORK_NAMES,
  .lock = &lock,
  .child = after_fork_in_child,
};

/* Takes the lock, and forgets the segments of the parent in a forked child. */
static void
enter (void)
{
  guint current = tf_fork_get_generation ();

  tf_fork_watch (&fork_handler);
  g_mutex_lock (&lock);
  if (G_UNLIKELY (generation != current))
    {
      forget_all ();
      generation = current;
    }
}

static Segment *
find_segment (Segment               *segment,
              const TfJournalRecord *record)
{
  const TfJournalSlot *slot = &record->slot;

  while (segment != NULL && !(slot >= segment->slots && slot < segment->slots + segment->n_slots))
    segment = segment->next;

  return segment;
}

/* Takes slots for a name in a directory, and sets @parent. Returns 0 if there is no room. */
static guint
segment_take_record (Segment       *self,
                     const TfPlace *dir,
                     gsize          length,
                     guint         *parent_slot)
{
  Parent *parent = self->n_free > 0 ? segment_get_parent (self, dir) : NULL;
  guint slot;

  if (parent == NULL)
    return 0;

  slot = segment_take (self, tf_journal_count_slots (length));
  if (slot == 0)
    {
      if (parent->n_records == 0)
        segment_forget_parent (self, parent);
      return 0;
    }

  if (parent == self->idle)
    self->idle = NULL;
  parent->n_records++;
  self->n_records++;
  *parent_slot = parent->slot;
  return slot;
}

static Segment *
add_segment (const TfPlace *dir,
             gsize          length)
{
  guint n_slots = TF_JOURNAL_N_HEAD_SLOTS + tf_journal_count_slots (strlen (dir->path)) + tf_journal_count_slots (length);
  gsize min_size = TF_JOURNAL_MIN_SIZE;
  Segment *segment;

  while (min_size < n_slots * sizeof (TfJournalSlot) && min_size < TF_JOURNAL_MAX_SIZE)
    min_size *= 2;

  segment = segment_create (newest != NULL ? CLAMP (2 * newest->size, min_size, TF_JOURNAL_MAX_SIZE) : min_size, min_size);
  if (segment != NULL)
    {
      segment->next = newest;
      newest = segment;
    }

  return segment;
}

static TfJournalRecord *
take_record (const TfPlace  *dir,
             gsize           length,
             Segment       **segment,
             guint          *parent_slot)
{
  const guint uid = geteuid ();
  guint slot = 0;

  if (closed)
    return NULL;

  for (Segment *s = newest; s != NULL && slot == 0; s = s->next)
    if (s->uid == uid)
      {
        *segment = s;
        slot = segment_take_record (s, dir, length, parent_slot);
      }

  if (slot == 0 && (*segment = add_segment (dir, length)) != NULL)
    slot = segment_take_record (*segment, dir, length, parent_slot);

  return slot != 0 ? (TfJournalRecord *) &(*segment)->slots[slot] : NULL;
}

/* Returns a record without a state, or NULL. */
static TfJournalRecord *
prepare (const TfPlace *parent,
         const char    *name,
         TfJournalKind  kind)
{
  gsize length = strlen (name);
  TfJournalRecord *record;
  Segment *segment;
  guint parent_slot;

  if (length > TF_JOURNAL_MAX_NAME)
    return NULL;

  enter ();
  record = take_record (parent, length, &segment, &parent_slot);
  g_mutex_unlock (&lock);
  if (record == NULL)
    return NULL;

  record->slot.kind = kind;
  record->slot.parent = parent_slot;
  segment_write_text (segment, &record->slot - segment->slots, name, length);
  return record;
}

/* Writes down that @name is about to be created in @parent. Returns NULL if there is no place for a journal, or no
 * room; the name can then be created, but a sweep does not find it. */
TfJournalRecord *
tf_journal_begin (const TfPlace *parent,
                  const char    *name,
                  TfJournalKind  kind)
{
  TfJournalRecord *self = prepare (parent, name, kind);

  if (self != NULL)
    set_state (&self->slot, TF_JOURNAL_INTENT);

  return self;
}

/* Writes down what is behind the name: @name in @dir_fd, or @dir_fd itself if @name is empty. What was written down before
 * is valid while the system is asked. */
void
tf_journal_complete (TfJournalRecord  *self,
                     int               dir_fd,
                     const char       *name,
                     const TfIdentity *identity)
{
  gboolean has_handle;
  guint64 hash;

  if (self == NULL)
    return;

  has_handle = !tf_identity_has_birth (identity) && tf_system_hash_handle (dir_fd, name, &hash);
  self->slot.inode = identity->inode;
  self->slot.birth_seconds = has_handle ? (gint64) hash : identity->birth_seconds;
  self->slot.birth_nanoseconds = has_handle ? TF_JOURNAL_HANDLE : identity->birth_nanoseconds;
  set_state (&self->slot, TF_JOURNAL_DONE);
}

/* Writes down the handle and the inode number of what has got its name now: through FUSE, each name can have others. */
void
tf_journal_renew (TfJournalRecord *self,
                  int              dir_fd,
                  const char      *name)
{
  TfIdentity identity;
  guint64 hash;

  if (self != NULL && self->slot.birth_nanoseconds == TF_JOURNAL_HANDLE &&
      tf_identity_read (&identity, dir_fd, name) && tf_system_hash_handle (dir_fd, name, &hash))
    {
      self->slot.inode = identity.inode;
      self->slot.birth_seconds = hash;
    }
}

/* Writes down that what is known already has, or is about to get, the name @name in @parent: @from in @dir_fd, or
 * @dir_fd itself if @from is empty. @deadline is 0 if it is not handed over. */
TfJournalRecord *
tf_journal_write (const TfPlace    *parent,
                  const char       *name,
                  TfJournalKind     kind,
                  int               dir_fd,
                  const char       *from,
                  const TfIdentity *identity,
                  guint32           deadline)
{
  TfJournalRecord *self = prepare (parent, name, kind);

  tf_journal_set_deadline (self, deadline);
  tf_journal_complete (self, dir_fd, from, identity);
  return self;
}

/* Does the same for a file. */
TfJournalRecord *
tf_journal_add (const TfPlace *parent,
                const char    *name,
                int            dir_fd,
                const char    *from)
{
  TfIdentity identity;

  if (!tf_identity_read (&identity, dir_fd, from))
    return NULL;

  return tf_journal_write (parent, name, TF_JOURNAL_FILE, dir_fd, from, &identity, 0);
}

/* Hands over what is recorded. */
void
tf_journal_set_deadline (TfJournalRecord *self,
                         guint32          deadline)
{
  if (self != NULL)
    __atomic_store_n (&self->slot.deadline, deadline, __ATOMIC_RELEASE);
}

/* Returns the time since the boot in seconds, on which the processes of a system agree. */
gint64
tf_journal_get_uptime (void)
{
  return tf_system_get_uptime () + tf_journal_clock_offset;
}

static void
segment_clear_record (Segment *self,
                      guint    slot)
{
  Parent *parent = segment_find_parent (self, self->slots[slot].parent);

  segment_give_back (self, slot);
  self->n_records--;
  if (--parent->n_records > 0)
    return;

  if (self->idle != NULL)
    segment_forget_parent (self, self->idle);
  self->idle = parent;
}

/* Removes all empty segments of the user but @kept. */
static void
remove_empty_but (const Segment *kept)
{
  const guint uid = geteuid ();
  Segment **link = &newest;

  while (*link != NULL)
    {
      Segment *segment = *link;

      if (segment->n_records > 0 || segment->uid != uid || segment == kept)
        {
          link = &segment->next;
          continue;
        }

      *link = segment->next;
      segment_remove (segment);
    }
}

/* Removes all empty segments of the user but the smallest one, which is likely to be used again. */
static void
remove_empty (void)
{
  const guint uid = geteuid ();
  const Segment *kept = NULL;

  for (const Segment *s = newest; s != NULL; s = s->next)
    if (s->n_records == 0 && s->uid == uid && (kept == NULL || s->size <= kept->size))
      kept = s;

  remove_empty_but (kept);
}

/* Removes the segments without records, and the place if nothing else is in it: nothing will be recorded soon. */
void
tf_journal_trim (void)
{
  g_autofree char *dir = NULL;

  enter ();
  if (newest != NULL && !closed)
    {
      dir = g_path_get_dirname (newest->path);
      remove_empty_but (NULL);
    }
  g_mutex_unlock (&lock);

  if (dir != NULL)
    rmdir (dir);
}

/* Removes the record: the name does not exist any more, or is kept. In a forked child, does nothing with a record of
 * the parent. */
void
tf_journal_clear (TfJournalRecord *self)
{
  Segment *segment;

  if (self == NULL)
    return;

  enter ();
  segment = find_segment (newest, self);
  if (segment != NULL)
    {
      segment_clear_record (segment, &self->slot - segment->slots);
      if (segment->n_records == 0 && (segment != newest || segment->next != NULL))
        remove_empty ();
    }
  g_mutex_unlock (&lock);
}

/* Leaves the record to a sweep after the death of the process, because what it names may be there, and cannot be
 * removed. */
void
tf_journal_leave (TfJournalRecord *self)
{
  static guint n_left; /* (atomic) */

  if (self != NULL && (guint) g_atomic_int_add (&n_left, 1) >= MAX_LEFT)
    tf_journal_clear (self);
}

static gboolean
is_of (const TfJournalSlot *slot,
       const TfIdentity    *identity)
{
  return slot->inode == identity->inode &&
         (slot->birth_nanoseconds == TF_JOURNAL_HANDLE ||
          (slot->birth_seconds == identity->birth_seconds && slot->birth_nanoseconds == identity->birth_nanoseconds));
}

static void
exchange_state (TfJournalSlot  *slot,
                TfJournalState  from,
                TfJournalState  to)
{
  guint32 expected = from;

  __atomic_compare_exchange_n (&slot->state, &expected, to, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* The parent may use the slot for something else in the middle of this. */
static void
set_kept (TfJournalSlot    *slot,
          const TfIdentity *identity,
          gboolean          kept)
{
  const TfJournalState from = kept ? TF_JOURNAL_DONE : TF_JOURNAL_KEPT;
  const TfJournalState to = kept ? TF_JOURNAL_KEPT : TF_JOURNAL_DONE;

  if (!is_of (slot, identity))
    return;

  exchange_state (slot, from, to);
  if (!is_of (slot, identity))
    exchange_state (slot, to, from);
}

/* Opens the file of the parent's segment if it is still the same one. */
static gboolean
segment_open_again (const Segment *self,
                    int           *fd)
{
  const TfJournalHead *head = (const TfJournalHead *) self->shown;
  TfIdentity found;

  *fd = tf_fd_lift (TF_RETRY_EINTR (open (self->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)));
  if (*fd < 0 || !tf_identity_read (&found, *fd, ""))
    return FALSE;

  errno = ENOENT;
  return found.device == head->device && found.inode == head->inode &&
         found.birth_seconds == head->birth_seconds && found.birth_nanoseconds == head->birth_nanoseconds;
}

/* Returns whether the parent has nothing recorded there any more, so that no sweep looks for it. Does not change errno. */
static gboolean
is_settled (const Segment         *self,
            const TfJournalRecord *record)
{
  return __atomic_load_n (&self->shown[&record->slot - self->slots].state, __ATOMIC_ACQUIRE) == TF_JOURNAL_FREE;
}

/* Called in a forked child. Sets whether a sweep leaves alone what its parent has recorded. The parent does not look at
 * that, and may still remove it. Returns FALSE with errno set if that is not possible. */
gboolean
tf_journal_keep_in_child (const TfJournalRecord *self,
                          const TfIdentity      *identity,
                          gboolean               kept)
{
  tf_autofd int fd = -1;
  Segment *segment;
  TfJournalSlot *slots;

  enter ();
  segment = self != NULL ? find_segment (inherited, self) : NULL;
  g_mutex_unlock (&lock);

  if (segment == NULL)
    return TRUE;
  if (!segment_open_again (segment, &fd))
    return is_settled (segment, self);

  slots = mmap (NULL, segment->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (slots == MAP_FAILED)
    return FALSE;

  set_kept (&slots[&self->slot - segment->slots], identity, kept);
  munmap (slots, segment->size);
  return TRUE;
}

/* Called when the process ends. Removes the segments without records; others are left to a sweep. The mappings stay,
 * because other threads may still have records. */
void
tf_journal_close (void)
{
  enter ();
  closed = TRUE;
  for (Segment *segment = newest; segment != NULL; segment = segment->next)
    {
      g_autofree char *dir = g_path_get_dirname (segment->path);

      if (segment->n_records == 0 && unlink (segment->path) == 0)
        rmdir (dir);
    }
  g_mutex_unlock (&lock);
}

/* Runs after the functions that the program has registered with atexit(), which may still use its files. Its priority is
 * the usual one: those of another one run when the handlers of forks are gone, and a fork of another thread that has begun
 * would hold the locks for ever. */
__attribute__ ((destructor)) static void
end_at_exit (void)
{
  tf_registry_remove_all ();
  tf_journal_close ();
}

/* Returns whether nothing is recorded any more, because the process is about to end. */
gboolean
tf_journal_is_closed (void)
{
  gboolean is_closed;

  enter ();
  is_closed = closed;
  g_mutex_unlock (&lock);
  return is_closed;
}

guint
tf_journal_count_segments (void)
{
  guint n = 0;

  enter ();
  for (Segment *segment = newest; segment != NULL; segment = segment->next)
    n++;
  g_mutex_unlock (&lock);
  return n;
}
