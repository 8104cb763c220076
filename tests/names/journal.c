/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "names/tf-journal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "names/tf-journal-format.h"
#include "names/tf-journal-reader.h"
#include "tf-remove-tree.h"
#include "tf-sweep.h"
#include "tf-test-disk.h"
#include "tf-test.h"
#include "tree.h"

/* Which call fails the next few times, and what is done just before one is made: once. */
static const char *failing_call; /* (nullable) */
static int failing_errno;
static guint n_failures;
static const char *awaited_call;  /* (nullable) */
static void (*before_call) (void);

static void
let_fail (const char *call,
          guint       n,
          int         with_errno)
{
  failing_call = call;
  failing_errno = with_errno;
  n_failures = n;
}

static gboolean
fails (const char *call)
{
  if (g_strcmp0 (call, awaited_call) == 0)
    {
      awaited_call = NULL;
      before_call ();
    }

  if (n_failures == 0 || !g_str_equal (call, failing_call))
    return FALSE;

  n_failures--;
  errno = failing_errno;
  return TRUE;
}

#define WRAP(name, call, parameters, arguments) \
  int __real_ ## name parameters; \
  int __wrap_ ## name parameters; \
  int \
  __wrap_ ## name parameters \
  { \
    return fails (call) ? -1 : __real_ ## name arguments; \
  }

/* As if the file systems that a journal can be on were btrfs */
static gboolean is_btrfs;

int __real_fstatfs64 (int fd, struct statfs *fs);
int __wrap_fstatfs64 (int fd, struct statfs *fs);

int
__wrap_fstatfs64 (int            fd,
                  struct statfs *fs)
{
  int result = __real_fstatfs64 (fd, fs);

  if (is_btrfs)
    fs->f_type = 0x9123683e;
  return result;
}

int __wrap_ioctl (int fd, unsigned long request, ...);

/* Flags are read and changed. */
int
__wrap_ioctl (int           fd,
              unsigned long request,
              ...)
{
  return fails ("ioctl") ? -1 : 0;
}

WRAP (getentropy, "getentropy", (void *bytes, size_t size), (bytes, size))
WRAP (fchmod, "fchmod", (int fd, mode_t mode), (fd, mode))

void *__real_mmap64 (void *data, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64 (void *data, size_t size, int protection, int flags, int fd, off_t offset);

void *
__wrap_mmap64 (void   *data,
               size_t  size,
               int     protection,
               int     flags,
               int     fd,
               off_t   offset)
{
  return fails ("mmap64") ? MAP_FAILED : __real_mmap64 (data, size, protection, flags, fd, offset);
}

WRAP (flock, operation & LOCK_EX ? "flock" : "", (int fd, int operation), (fd, operation))

int __real_openat64 (int dir_fd, const char *name, int flags, ...);
int __wrap_openat64 (int dir_fd, const char *name, int flags, ...);

/* Only files are opened to be created, or again. */
int
__wrap_openat64 (int         dir_fd,
                 const char *name,
                 int         flags,
                 ...)
{
  const char *call = flags & O_CREAT ? "create" : flags & O_DIRECTORY ? "open a directory" : "open again";
  va_list arguments;
  mode_t mode;

  va_start (arguments, flags);
  mode = va_arg (arguments, guintptr);
  va_end (arguments);

  return fails (call) ? -1 : __real_openat64 (dir_fd, name, flags, mode);
}

int __real_open64 (const char *path, int flags, ...);
int __wrap_open64 (const char *path, int flags, ...);

int
__wrap_open64 (const char *path,
               int         flags,
               ...)
{
  va_list arguments;
  mode_t mode;

  va_start (arguments, flags);
  mode = va_arg (arguments, guintptr);
  va_end (arguments);

  return fails ("open") ? -1 : __real_open64 (path, flags, mode);
}

static TfPlace
make_parent (void)
{
  TfSystemStat st;

  g_assert_true (tf_system_stat (&st, AT_FDCWD, tf_test_get_sandbox ()));
  return (TfPlace) { tf_test_get_sandbox (), st.device, st.inode };
}

static guint
sweep (void)
{
  g_auto(TfFailures) failures;
  TfJournalReader reader = { .failures = &failures };
  g_autoptr(GError) error = NULL;

  tf_failures_init (&failures);
  g_assert_true (tf_journal_reader_sweep (&reader, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (tf_failures_report (&failures, &error));
  g_assert_no_error (error);
  return reader.n_removed;
}

static void
cancel (gpointer cancellable)
{
  if (cancellable != NULL)
    g_cancellable_cancel (cancellable);
}

/* Notes the path of what was found, and cancels. */
typedef struct
{
  GPtrArray *paths;          /* (element-type filename) */
  GCancellable *cancellable; /* (nullable) */
} Seen;

static void
see (const TfJournalFound *found,
     gpointer              user_data)
{
  Seen *self = user_data;

  g_ptr_array_add (self->paths, g_path_get_basename (found->path));
  cancel (self->cancellable);
}

/* Returns the names of what is there according to the journals. */
static GPtrArray *
list (void)
{
  g_auto(TfFailures) failures;
  Seen seen = { g_ptr_array_new_with_free_func (g_free), NULL };
  TfJournalReader reader = { .failures = &failures, .func = see, .user_data = &seen };
  g_autoptr(GError) error = NULL;

  tf_failures_init (&failures);
  g_assert_true (tf_journal_reader_list (&reader, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (tf_failures_report (&failures, &error));
  g_assert_no_error (error);
  return seen.paths;
}

static void
assert_lists (const char *name)
{
  g_autoptr(GPtrArray) names = list ();

  g_assert_cmpuint (names->len, ==, name != NULL);
  if (name != NULL)
    g_assert_cmpstr (names->pdata[0], ==, name);
}

static char *
get_journal_dir (void)
{
  return g_build_filename (g_getenv ("XDG_RUNTIME_DIR"), "tempfile-glib", NULL);
}

/* Returns the number of journals whose process lives, or is dead, and the path of one of them. */
static guint
count_journals (gboolean   alive,
                char     **found)
{
  g_autofree char *dir = get_journal_dir ();
  g_autoptr(GDir) names = g_dir_open (dir, 0, NULL);
  const char *name;
  guint n = 0;

  while (names != NULL && (name = g_dir_read_name (names)) != NULL)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);
      tf_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);

      g_assert_cmpint (fd, >=, 0);
      if (alive == (flock (fd, LOCK_EX | LOCK_NB) != 0))
        {
          n++;
          if (found != NULL)
            {
              g_free (*found);
              *found = g_steal_pointer (&path);
            }
        }
    }

  return n;
}

static char *
find_journal (gboolean alive)
{
  char *path = NULL;

  g_assert_cmpuint (count_journals (alive, &path), ==, 1);
  return path;
}

/* Runs @func in a fork that is then killed. */
static void
run_and_kill (void (*func) (void))
{
  int status;
  pid_t pid;

  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      func ();
      kill (getpid (), SIGKILL);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

static TfJournalRecord *
record_file (const char *name)
{
  const TfPlace parent = make_parent ();
  TfJournalRecord *record = tf_journal_begin (&parent, name, TF_JOURNAL_FILE);
  TfIdentity identity;

  g_assert_nonnull (record);
  tree_make_file (name);
  g_assert_true (tf_identity_read (&identity, AT_FDCWD, name));
  tf_journal_complete (record, AT_FDCWD, name, &identity);
  return record;
}

static void
leave_intents (void)
{
  const TfPlace parent = make_parent ();

  g_assert_nonnull (tf_journal_begin (&parent, "never", TF_JOURNAL_FILE));
  g_assert_nonnull (tf_journal_begin (&parent, "file", TF_JOURNAL_FILE));
  g_assert_nonnull (tf_journal_begin (&parent, "full", TF_JOURNAL_FILE));
  g_assert_nonnull (tf_journal_begin (&parent, "linked", TF_JOURNAL_FILE));
  g_assert_nonnull (tf_journal_begin (&parent, "dir", TF_JOURNAL_DIR));
  g_assert_nonnull (tf_journal_begin (&parent, "full-dir", TF_JOURNAL_DIR));
  g_assert_nonnull (tf_journal_begin (&parent, "other-kind", TF_JOURNAL_DIR));
  tree_make_file ("file");
  tree_make_file ("linked");
  g_assert_cmpint (link ("linked", "link"), ==, 0);
  tree_make_dir ("dir");
  tree_make_dir ("full-dir");
  tree_make_file ("full-dir/file");
  tree_make_file ("other-kind");
  g_assert_true (g_file_set_contents ("full", "x", 1, NULL));
}

static void
remove_intents (void)
{
  g_assert_cmpint (unlink ("full"), ==, 0);
  g_assert_cmpint (unlink ("linked"), ==, 0);
  g_assert_cmpint (unlink ("link"), ==, 0);
  g_assert_cmpint (unlink ("other-kind"), ==, 0);
  g_assert_cmpint (unlink ("full-dir/file"), ==, 0);
  g_assert_cmpint (rmdir ("full-dir"), ==, 0);
}

/* Only what is untouched goes, because nothing more is known of it than the name. */
static void
test_intent (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_intents);
  g_assert_cmpuint (sweep (), ==, 2);
  g_assert_cmpuint (count_journals (FALSE, NULL), ==, 0);
  g_assert_false (g_file_test ("file", G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test ("dir", G_FILE_TEST_EXISTS));

  remove_intents ();
}

static void
leave_done (void)
{
  record_file ("stays-the-same");
  g_assert_true (g_file_set_contents ("content", "", 0, NULL));
  record_file ("replaced");
  record_file ("renamed");
  record_file ("linked");
  tf_journal_clear (record_file ("cleared"));
  tree_make_file ("other");
  g_assert_cmpint (rename ("other", "replaced"), ==, 0);
  g_assert_cmpint (rename ("renamed", "elsewhere"), ==, 0);
  g_assert_cmpint (link ("linked", "second"), ==, 0);
  g_assert_cmpint (chmod ("linked", 0400), ==, 0);
}

static void
test_done (void)
{
  const char * const left[] = { "content", "replaced", "elsewhere", "second", "cleared" };

  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_done);
  g_assert_cmpuint (sweep (), ==, 2);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, G_N_ELEMENTS (left));
  for (gsize i = 0; i < G_N_ELEMENTS (left); i++)
    g_assert_cmpint (unlink (left[i]), ==, 0);
}

static void
leave_long_names (void)
{
  g_autofree char *dir = g_strnfill (200, 'd');
  g_autofree char *deep = NULL;
  g_autofree char *name = g_strnfill (255, 'n');
  g_autofree char *path = NULL;
  TfPlace parent;
  TfSystemStat st;

  deep = g_build_filename (tf_test_get_sandbox (), dir, dir, dir, NULL);
  g_assert_cmpint (g_mkdir_with_parents (deep, 0700), ==, 0);
  g_assert_true (tf_system_stat (&st, AT_FDCWD, deep));
  parent = (TfPlace) { deep, st.device, st.inode };

  for (guint i = 1; i < 255; i++)
    {
      g_autofree char *longer = g_strnfill (i, 'x');

      g_assert_nonnull (tf_journal_begin (&parent, longer, TF_JOURNAL_FILE));
    }
  g_assert_nonnull (tf_journal_begin (&parent, name, TF_JOURNAL_FILE));
  path = g_build_filename (deep, name, NULL);
  tree_make_file (path);
}

static void
test_long_names (void)
{
  g_autofree char *dir = g_strnfill (200, 'd');
  g_autofree char *one = g_build_filename (dir, dir, NULL);
  g_autofree char *two = g_build_filename (dir, dir, dir, NULL);

  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_long_names);
  g_assert_cmpuint (sweep (), ==, 1);
  g_assert_cmpint (rmdir (two), ==, 0);
  g_assert_cmpint (rmdir (one), ==, 0);
  g_assert_cmpint (rmdir (dir), ==, 0);
  g_assert_cmpuint (count_journals (FALSE, NULL), ==, 0);
}

/* Segments are created as they are needed, and removed when they are not. */
static void
test_segments (void)
{
  const TfPlace parent = make_parent ();
  const guint n = 50000;
  g_autofree TfJournalRecord **records = g_new (TfJournalRecord *, n);
  guint n_fds = tf_test_count_fds ();

  if (tf_test_skip_if_portable ("journals"))
    return;

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("name-%u", i);

      records[i] = tf_journal_begin (&parent, name, TF_JOURNAL_FILE);
      g_assert_nonnull (records[i]);
    }

  g_assert_cmpuint (tf_journal_count_segments (), ==, count_journals (TRUE, NULL));
  g_assert_cmpuint (count_journals (TRUE, NULL), <=, 12);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);

  for (guint i = 0; i < n; i++)
    tf_journal_clear (records[i]);
  g_assert_cmpuint (tf_journal_count_segments (), ==, 1);
  g_assert_cmpuint (count_journals (TRUE, NULL), ==, 1);
}

/* Each directory takes room only as long as it is needed. */
static void
test_many_parents (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  for (guint i = 0; i < 10000; i++)
    {
      g_autofree char *path = g_strdup_printf ("/a/long/path/of/more/than/one/slot/%u", i);
      const TfPlace parent = { path, 1, i };

      tf_journal_clear (tf_journal_begin (&parent, "name", TF_JOURNAL_DIR));
    }

  g_assert_cmpuint (tf_journal_count_segments (), ==, 1);
}

/* What is written down of a directory is there once for all records in it, and not longer than they are, even if there
 * are others in the segment. */
static void
test_parents_in_one_segment (void)
{
  const TfPlace stays = make_parent ();
  const TfPlace other = { "/other", 1, 1 };
  TfJournalRecord *records[50];

  if (tf_test_skip_if_portable ("journals"))
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (records); i++)
    records[i] = tf_journal_begin (i % 2 == 0 ? &stays : &other, "name", TF_JOURNAL_FILE);
  g_assert_cmpuint (tf_journal_count_segments (), ==, 1);
  for (gsize i = 1; i < G_N_ELEMENTS (records); i++)
    tf_journal_clear (records[i]);

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *path = g_strdup_printf ("/%u", i);
      const TfPlace goes = { path, 1, i };

      tf_journal_clear (tf_journal_begin (&goes, "name", TF_JOURNAL_DIR));
      g_assert_cmpuint (tf_journal_count_segments (), ==, 1);
    }
  tf_journal_clear (records[0]);
}

/* A long path takes a larger segment, and what is too long is not recorded. */
static void
test_too_long (void)
{
  g_autofree char *long_path = g_strdup_printf ("/%0*d", PATH_MAX - 3, 0);
  g_autofree char *too_long_path = g_strdup_printf ("/%0*d", PATH_MAX, 0);
  g_autofree char *much_too_long_path = g_strnfill (2 * TF_JOURNAL_MAX_SIZE, '/');
  g_autofree char *too_long_name = g_strnfill (TF_JOURNAL_MAX_NAME + 1, 'n');
  const TfPlace place = { long_path, 1, 2 };
  const TfPlace too_long = { too_long_path, 1, 2 };
  const TfPlace much_too_long = { much_too_long_path, 1, 2 };
  TfJournalRecord *record;
  g_autofree char *journal = NULL;
  struct stat st;

  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_journal_trim ();
  g_assert_null (tf_journal_begin (&place, too_long_name, TF_JOURNAL_FILE));
  g_assert_null (tf_journal_begin (&too_long, "name", TF_JOURNAL_FILE));
  tf_journal_trim ();
  g_assert_null (tf_journal_begin (&much_too_long, "name", TF_JOURNAL_FILE));
  journal = find_journal (TRUE);
  g_assert_cmpint (stat (journal, &st), ==, 0);
  g_assert_cmpint (st.st_size, ==, TF_JOURNAL_MAX_SIZE);
  g_free (journal);
  tf_journal_trim ();
  record = tf_journal_begin (&place, "name", TF_JOURNAL_FILE);
  g_assert_nonnull (record);
  journal = find_journal (TRUE);
  g_assert_cmpint (stat (journal, &st), ==, 0);
  g_assert_cmpint (st.st_size, ==, 2 * TF_JOURNAL_MIN_SIZE);
  tf_journal_clear (record);
  tf_journal_trim ();
}

static gpointer
record_in_thread (gpointer data)
{
  for (guint i = 0; i < 5000; i++)
    {
      const TfPlace parent = { "/nowhere", 1, i % 7 };
      TfJournalRecord *record = tf_journal_begin (&parent, "name", TF_JOURNAL_FILE);
      TfJournalRecord *longer = tf_journal_begin (&parent, "a-name-that-is-longer-than-one-slot-can-hold", TF_JOURNAL_FILE);

      g_assert_nonnull (record);
      g_assert_nonnull (longer);
      tf_journal_clear (record);
      tf_journal_clear (longer);
    }

  return NULL;
}

static void
test_threads (void)
{
  GThread *threads[4];

  if (tf_test_skip_if_portable ("journals"))
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, record_in_thread, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (tf_journal_count_segments (), ==, 1);
}

/* A child does not touch the records of its parent, and has a journal of its own. */
static void
check_child (TfJournalRecord *of_parent)
{
  g_assert_cmpuint (tf_journal_count_segments (), ==, 0);
  tf_journal_clear (of_parent);
  record_file ("of-child");
  g_assert_cmpuint (tf_journal_count_segments (), ==, 1);
}

static void
test_fork (gconstpointer bare)
{
  TfJournalRecord *record;
  pid_t pid;
  int status;

  if (tf_test_skip_if_portable ("journals"))
    return;

  record = record_file ("of-parent");
  fflush (NULL);
  pid = bare ? syscall (SYS_fork) : fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      check_child (record);
      kill (getpid (), SIGKILL);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
  g_assert_cmpuint (sweep (), ==, 1);
  g_assert_true (g_file_test ("of-parent", G_FILE_TEST_EXISTS));
  tf_journal_clear (record);
  g_assert_cmpint (unlink ("of-parent"), ==, 0);
}

static void
clear_one_and_exit (void)
{
  tf_journal_clear (record_file ("file"));
  g_assert_cmpint (unlink ("file"), ==, 0);
  exit (0);
}

/* A journal without records is removed when the process exits. */
static void
test_exit (void)
{
  int status;
  pid_t pid;

  if (tf_test_skip_if_portable ("journals"))
    return;

  fflush (NULL);
  pid = fork ();
  if (pid == 0)
    clear_one_and_exit ();
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpuint (count_journals (FALSE, NULL), ==, 0);
}

static void
assert_not_writable (void)
{
  g_autofree char *maps = NULL;
  g_auto(GStrv) lines = NULL;
  guint n_mapped = 0;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  lines = g_strsplit (maps, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (strstr (*line, "-tf-test-run/tempfile-glib/") != NULL)
      {
        g_assert_nonnull (strstr (*line, " r--s "));
        n_mapped++;
      }
  g_assert_cmpuint (n_mapped, ==, 1);
}

static guint8 *hidden;

static void
write_hidden (void)
{
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  _exit (write (fds[1], hidden, 1) < 0 && errno == EFAULT ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Whether a child lacks what is hidden from it: qemu says so, but does nothing. */
static gboolean
can_hide_from_children (void)
{
  gsize size = sysconf (_SC_PAGESIZE);
  int status;

  hidden = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert_true (hidden != MAP_FAILED);
  g_assert_true (tf_system_hide_from_children (hidden, size));
  status = tf_test_get_child_status (write_hidden);
  g_assert_cmpint (munmap (hidden, size), ==, 0);
  return status == EXIT_SUCCESS;
}

/* So that a child that gives up its privileges cannot write what its parent's user will believe. */
static void
test_not_writable_in_child (void)
{
  TfJournalRecord *record;

  if (tf_test_skip_if_portable ("journals"))
    return;

  if (!can_hide_from_children ())
    {
      g_test_skip ("needs memory that is not in children");
      return;
    }

  record = record_file ("file");
  tf_test_in_child (assert_not_writable);
  tf_journal_clear (record);
  g_assert_cmpint (unlink ("file"), ==, 0);
}

static void
record_as_two_users (void)
{
  TfJournalRecord *of_root = record_file ("of-root");

  g_assert_cmpint (setuid (65534), ==, 0);
  record_file ("of-nobody");
  g_assert_cmpuint (tf_journal_count_segments (), ==, 2);
  tf_journal_clear (of_root);
}

/* Each has its own segment, which is used again: by that user only, although there is nothing in it at times. */
static void
record_in_turn (void)
{
  TfJournalRecord *of_nobody;

  g_assert_cmpint (seteuid (65534), ==, 0);
  of_nobody = record_file ("of-nobody");
  g_assert_cmpint (seteuid (0), ==, 0);
  tf_journal_clear (record_file ("of-root"));
  g_assert_cmpuint (tf_journal_count_segments (), ==, 2);
  tf_journal_clear (of_nobody);
  g_assert_cmpuint (tf_journal_count_segments (), ==, 2);
  g_assert_cmpint (unlink ("of-root"), ==, 0);
  record_file ("of-root");
  g_assert_cmpuint (tf_journal_count_segments (), ==, 2);

  g_assert_cmpint (unlink ("of-nobody"), ==, 0);
  g_assert_cmpint (seteuid (65534), ==, 0);
  record_file ("of-nobody");
  g_assert_cmpuint (tf_journal_count_segments (), ==, 2);
}

/* What a process creates after it has become another user is that user's. */
static void
test_other_user (void)
{
  g_autoptr(GFile) place = g_file_new_for_path ("tempfile-glib-65534");

  if (tf_test_skip_if_portable ("journals"))
    return;

  if (geteuid () != 0)
    {
      g_test_skip ("only root can become another user");
      return;
    }

  run_and_kill (record_as_two_users);
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_true (tf_remove_tree (place, NULL, NULL));
  g_assert_cmpint (unlink ("of-root"), ==, 0);
  g_assert_cmpint (unlink ("of-nobody"), ==, 0);

  run_and_kill (record_in_turn);
  g_assert_cmpuint (sweep (), ==, 1);
  g_assert_true (tf_remove_tree (place, NULL, NULL));
  g_assert_false (g_file_test ("of-root", G_FILE_TEST_EXISTS));
  g_assert_cmpint (unlink ("of-nobody"), ==, 0);
}

static int ends[2];

/* The child lives on; its parent is dead. */
static void
leave_child (void)
{
  char byte;
  pid_t pid;

  record_file ("file");
  close (ends[1]);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    _exit (read (ends[0], &byte, 1));
}

/* What a process has created lives as long as a descendant that has not executed another program. */
static void
test_descendant (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  g_assert_true (g_unix_open_pipe (ends, FD_CLOEXEC, NULL));
  run_and_kill (leave_child);
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_true (g_file_test ("file", G_FILE_TEST_EXISTS));

  g_close (ends[1], NULL);
  g_close (ends[0], NULL);
  while (sweep () == 0)
    g_thread_yield ();
  g_assert_false (g_file_test ("file", G_FILE_TEST_EXISTS));
}

static void
close_all_and_wait (void)
{
  record_file ("file");
  for (int fd = 3; fd < 1024; fd++)
    close (fd);
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_true (g_file_test ("file", G_FILE_TEST_EXISTS));
}

/* The lock is kept by the mapping. */
static void
test_close_all (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (close_all_and_wait);
  g_assert_cmpuint (sweep (), ==, 1);
}

static void
leave_file (void)
{
  record_file ("file");
}

static void
patch_journal (const char    *path,
               goffset        offset,
               gconstpointer  data,
               gsize          size)
{
  tf_autofd int fd = open (path, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pwrite (fd, data, size, offset), ==, size);
}

/* What was kept just before a power cut may not be known to have been kept. */
static void
test_other_boot (void)
{
  g_autofree char *journal = NULL;

  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  journal = find_journal (FALSE);
  patch_journal (journal, G_STRUCT_OFFSET (TfJournalHead, boot_id), "other", 5);
  assert_lists (NULL);
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_cmpuint (count_journals (FALSE, NULL), ==, 0);
  g_assert_cmpint (unlink ("file"), ==, 0);
}

/* Returns the offset of the first slot in a state. */
static goffset
find_slot (const char     *journal,
           TfJournalState  state)
{
  g_autofree char *content = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (journal, &content, &length, NULL));
  for (gsize i = sizeof (TfJournalHead); i < length; i += sizeof (TfJournalSlot))
    if (((TfJournalSlot *) (gpointer) (content + i))->state == state)
      return i;

  g_assert_not_reached ();
}

/* As where there are no birth times. */
static void
leave_with_handle (void)
{
  const TfPlace parent = make_parent ();
  TfIdentity identity;

  tree_make_file ("file");
  g_assert_true (tf_identity_read (&identity, AT_FDCWD, "file"));
  identity.birth_seconds = identity.birth_nanoseconds = 0;
  g_assert_nonnull (tf_journal_write (&parent, "file", TF_JOURNAL_FILE, AT_FDCWD, "file", &identity, 0));
}

/* Without its handle, it is not known whether it is the file. */
static void
test_handle (void)
{
  guint64 hash;

  if (tf_test_skip_if_portable ("journals"))
    return;

  if (!tf_system_hash_handle (AT_FDCWD, ".", &hash))
    {
      g_test_skip ("the file system has no handles");
      return;
    }

  run_and_kill (leave_with_handle);
  tf_system_missing = TF_SYSTEM_HANDLE;
  g_assert_cmpuint (sweep (), ==, 0);
  tf_system_missing = 0;
  g_assert_cmpuint (sweep (), ==, 1);
  g_assert_cmpuint (count_journals (FALSE, NULL), ==, 0);

  run_and_kill (leave_with_handle);
  tree_make_file ("other");
  g_assert_cmpint (rename ("other", "file"), ==, 0);
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_cmpuint (count_journals (FALSE, NULL), ==, 0);
  g_assert_cmpint (unlink ("file"), ==, 0);
}

static void
leave_with_other_handle (void)
{
  const TfPlace parent = make_parent ();
  TfJournalRecord *record;
  TfIdentity identity;

  tree_make_file ("file");
  tree_make_file ("other");
  g_assert_true (tf_identity_read (&identity, AT_FDCWD, "file"));
  identity.birth_seconds = identity.birth_nanoseconds = 0;
  record = tf_journal_write (&parent, "file", TF_JOURNAL_FILE, AT_FDCWD, "other", &identity, 0);
  g_assert_nonnull (record);
}

static void
leave_with_renewed_handle (void)
{
  const TfPlace parent = make_parent ();
  TfJournalRecord *record;
  TfIdentity identity;

  g_assert_true (tf_identity_read (&identity, AT_FDCWD, "other"));
  identity.birth_seconds = identity.birth_nanoseconds = 0;
  record = tf_journal_write (&parent, "file", TF_JOURNAL_FILE, AT_FDCWD, "other", &identity, 0);
  tf_journal_renew (record, AT_FDCWD, "file");
}

/* Through FUSE, another name has another handle, and one that was forgotten has a new one. */
static void
test_other_handle (void)
{
  g_autofree char *journal = NULL;
  guint64 hash;

  if (tf_test_skip_if_portable ("journals"))
    return;

  if (!tf_system_hash_handle (AT_FDCWD, ".", &hash))
    {
      g_test_skip ("the file system has no handles");
      return;
    }

  run_and_kill (leave_with_other_handle);
  g_assert_cmpuint (sweep (), ==, 0);
  journal = find_journal (FALSE);
  g_assert_cmpint (unlink (journal), ==, 0);

  run_and_kill (leave_with_renewed_handle);
  g_assert_cmpuint (sweep (), ==, 1);
  g_assert_cmpint (unlink ("other"), ==, 0);
}

/* Others have journals in places that all tests have in common. */
static gboolean
is_own (const TfJournalFound *found)
{
  return g_str_has_prefix (found->path, tf_test_get_sandbox ());
}

static void
assert_unlocked (const TfJournalFound *found,
                 gpointer              user_data)
{
  g_autofree char *journal = find_journal (FALSE);

  g_assert_nonnull (journal);
  *(guint *) user_data += is_own (found);
}

/* A sweep at the same time must not take the dead process for a living one. */
static void
test_list_unlocked (void)
{
  g_auto(TfFailures) failures;
  guint n_found = 0;
  TfJournalReader reader = { .failures = &failures, .func = assert_unlocked, .user_data = &n_found };

  tf_failures_init (&failures);
  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  g_assert_true (tf_journal_reader_list (&reader, NULL, NULL));
  g_assert_true (tf_failures_report (&failures, NULL));
  g_assert_cmpuint (n_found, ==, 1);
  g_assert_cmpuint (sweep (), ==, 1);
}

/* The lock of another sweep, which is let go of after some waits. */
static struct
{
  int fd;
  guint n_waits;
  guint ends_after;
} other_sweep = { .fd = -1 };

void __real_g_usleep (gulong microseconds);
void __wrap_g_usleep (gulong microseconds);

void
__wrap_g_usleep (gulong microseconds)
{
  if (other_sweep.fd < 0)
    __real_g_usleep (microseconds);
  else if (++other_sweep.n_waits == other_sweep.ends_after)
    tf_system_unclaim (other_sweep.fd);
}

static gboolean
sweep_beside_other (TfJournalReader  *reader,
                    guint             ends_after,
                    GError          **error)
{
  g_auto(TfFailures) failures;
  g_autofree char *journal = find_journal (FALSE);
  gboolean success;

  tf_failures_init (&failures);
  reader->failures = &failures;
  other_sweep.fd = open (journal, O_RDWR | O_CLOEXEC);
  other_sweep.n_waits = 0;
  other_sweep.ends_after = ends_after;
  g_assert_cmpint (tf_system_claim (other_sweep.fd), ==, 0);
  success = tf_journal_reader_sweep (reader, NULL, error) && tf_failures_report (&failures, error);
  tf_fd_clear (&other_sweep.fd);
  return success;
}

/* What is dead when a sweep begins is gone when it ends, whatever else is swept meanwhile. */
static void
test_beside_other_sweep (void)
{
  const TfTemplate other = { .prefix = (char *) "other" };
  TfJournalReader restricted = { .template = &other };
  TfJournalReader reader = { NULL, };
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);

  /* Nothing in this journal is to be removed. */
  g_assert_true (sweep_beside_other (&restricted, 0, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (other_sweep.n_waits, ==, 0);

  g_assert_false (sweep_beside_other (&reader, 0, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_cmpuint (reader.n_removed, ==, 0);
  g_clear_error (&error);

  g_assert_true (sweep_beside_other (&reader, 3, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (other_sweep.n_waits, >=, 3); /* others may be sweeping, too */
  g_assert_cmpuint (reader.n_removed, ==, 1);
}

static void
note_left (const TfJournalFound *found,
           gpointer              user_data)
{
  if (is_own (found))
    *(gboolean *) user_data = found->is_left;
}

/* A child of the dead process has the journal, and somebody else is looking at it at this moment. */
static void
test_list_beside_other (void)
{
  g_auto(TfFailures) failures;
  gboolean is_left = TRUE;
  TfJournalReader reader = { .failures = &failures, .func = note_left, .user_data = &is_left };
  g_autofree char *journal = NULL;
  tf_autofd int locked = -1;

  tf_failures_init (&failures);
  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  journal = find_journal (FALSE);
  locked = open (journal, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (flock (locked, LOCK_EX | LOCK_NB), ==, 0);
  other_sweep.fd = open (journal, O_RDWR | O_CLOEXEC);
  other_sweep.n_waits = 0;
  other_sweep.ends_after = 2;
  g_assert_cmpint (tf_system_claim (other_sweep.fd), ==, 0);
  g_assert_true (tf_journal_reader_list (&reader, NULL, NULL));
  g_assert_cmpuint (other_sweep.n_waits, >=, 2);
  g_assert_false (is_left);

  tf_fd_clear (&other_sweep.fd);
  tf_fd_clear (&locked);
  g_assert_cmpuint (sweep (), ==, 1);
}

static gboolean
has_journal_open (void)
{
  g_autofree char *dir = get_journal_dir ();
  g_autoptr(GDir) fds = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;
  gboolean found = FALSE;

  while ((name = g_dir_read_name (fds)) != NULL)
    {
      g_autofree char *link = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *target = g_file_read_link (link, NULL);

      found |= target != NULL && g_str_has_prefix (target, dir) && target[strlen (dir)] == '/';
    }

  return found;
}

static void
fork_meanwhile (const TfJournalFound *found,
                gpointer              user_data)
{
  int status;
  pid_t pid;

  g_assert_true (has_journal_open ());
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    _exit (has_journal_open ());

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

/* Otherwise the child would have the lock of the sweep for as long as it lives. */
static void
test_fork_while_sweeping (void)
{
  g_auto(TfFailures) failures;
  TfJournalReader reader = { .failures = &failures, .func = fork_meanwhile };

  tf_failures_init (&failures);
  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  g_assert_true (tf_journal_reader_sweep (&reader, NULL, NULL));
  g_assert_cmpuint (reader.n_removed, ==, 1);
}

static gint is_listing; /* (atomic): a boolean, as the next one */
static gint may_end;

static void
stay_until_told (const TfJournalFound *found,
                 gpointer              user_data)
{
  g_atomic_int_set (&is_listing, TRUE);
  while (!g_atomic_int_get (&may_end))
    g_thread_yield ();
}

static gpointer
list_until_told (gpointer no_data)
{
  g_auto(TfFailures) failures;
  TfJournalReader reader = { .failures = &failures, .func = stay_until_told };

  tf_failures_init (&failures);
  g_assert_true (tf_journal_reader_list (&reader, NULL, NULL));
  return NULL;
}

static void
let_other_end (const TfJournalFound *found,
               gpointer              thread)
{
  g_atomic_int_set (&may_end, TRUE);
  g_thread_join (thread);
  fork_meanwhile (found, NULL);
}

/* A thread that has begun to list earlier ends earlier: what it had open is not taken for open, and the rest is. */
static void
test_fork_beside_other_list (void)
{
  g_auto(TfFailures) failures;
  TfJournalReader reader = { .failures = &failures, .func = let_other_end };

  tf_failures_init (&failures);
  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  reader.user_data = g_thread_new ("list", list_until_told, NULL);
  while (!g_atomic_int_get (&is_listing))
    g_thread_yield ();
  g_assert_true (tf_journal_reader_list (&reader, NULL, NULL));
  g_assert_cmpuint (sweep (), ==, 1);
}

static void
assert_not_printed_to (const TfJournalFound *found,
                       gpointer              user_data)
{
  g_assert_cmpint (write (STDOUT_FILENO, "text", 4), ==, -1);
}

static void
sweep_without_stdout (void)
{
  g_auto(TfFailures) failures;
  TfJournalReader reader = { .failures = &failures, .func = assert_not_printed_to };

  tf_failures_init (&failures);
  g_assert_cmpint (close (STDOUT_FILENO), ==, 0);
  g_assert_true (tf_journal_reader_list (&reader, NULL, NULL));
  g_assert_true (tf_journal_reader_sweep (&reader, NULL, NULL));
  g_assert_cmpuint (reader.n_removed, ==, 1);
}

/* What the program prints would go into the journal. */
static void
test_without_stdout (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  tf_test_in_child (sweep_without_stdout);
}

/* Of a living process, only what is there and was recorded after its creation. */
static void
test_list_own (void)
{
  const TfPlace parent = make_parent ();
  TfJournalRecord *record;
  TfIdentity identity;

  if (tf_test_skip_if_portable ("journals"))
    return;

  record = tf_journal_begin (&parent, "file", TF_JOURNAL_FILE);
  tree_make_file ("file");
  assert_lists (NULL);
  g_assert_true (tf_identity_read (&identity, AT_FDCWD, "file"));
  tf_journal_complete (record, AT_FDCWD, "file", &identity);
  assert_lists ("file");
  g_assert_cmpint (unlink ("file"), ==, 0);
  assert_lists (NULL);
  tf_journal_clear (record);
  assert_lists (NULL);
}

/* It is not the system that lacks journals. */
static void
test_no_fds_of_system (void)
{
  g_auto(TfFailures) failures;
  TfJournalReader reader = { .failures = &failures };
  g_autoptr(GError) error = NULL;

  tf_failures_init (&failures);
  if (tf_test_skip_if_portable ("journals"))
    return;

  let_fail ("open", 1, ENFILE);
  g_assert_false (tf_journal_reader_sweep (&reader, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
}

/* Of another file system, there may be one at the path again. */
static void
test_other_device (void)
{
  g_autofree char *journal = NULL;
  g_autofree char *content = NULL;
  const gint64 other = 4711;
  goffset offset;

  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  journal = find_journal (FALSE);
  offset = find_slot (journal, TF_JOURNAL_PARENT) + G_STRUCT_OFFSET (TfJournalSlot, birth_seconds);
  g_assert_true (g_file_get_contents (journal, &content, NULL, NULL));
  patch_journal (journal, offset, &other, sizeof other);
  g_assert_cmpuint (sweep (), ==, 0);
  patch_journal (journal, offset, content + offset, sizeof other);
  g_assert_cmpuint (sweep (), ==, 1);
}

/* What the process has not written is worth nothing. */
static void
test_other_size (void)
{
  g_autofree char *journal = NULL;
  const guint32 other = 3;

  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  journal = find_journal (FALSE);
  patch_journal (journal, G_STRUCT_OFFSET (TfJournalHead, n_slots), &other, sizeof other);
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_cmpuint (count_journals (FALSE, NULL), ==, 0);
  g_assert_cmpint (unlink ("file"), ==, 0);
}

static void
flip (const char *journal,
      goffset     offset)
{
  tf_autofd int fd = open (journal, O_RDWR | O_CLOEXEC);
  guint8 byte;

  g_assert_cmpint (pread (fd, &byte, 1, offset), ==, 1);
  byte ^= 1;
  g_assert_cmpint (pwrite (fd, &byte, 1, offset), ==, 1);
}

static TfJournalRecord *parents_record;

/* A copy of the journal is none, and another file that the parent has recorded meanwhile is not kept. */
static void
assert_kept_only_if_same (const char       *journal,
                          const TfIdentity *identity)
{
  const gsize fields[] = {
    G_STRUCT_OFFSET (TfJournalHead, device),
    G_STRUCT_OFFSET (TfJournalHead, inode),
    G_STRUCT_OFFSET (TfJournalHead, birth_seconds),
    G_STRUCT_OFFSET (TfJournalHead, birth_nanoseconds),
  };
  goffset slot = find_slot (journal, TF_JOURNAL_DONE);

  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      flip (journal, fields[i]);
      g_assert_false (tf_journal_keep_in_child (parents_record, identity, TRUE));
      g_assert_cmpint (errno, ==, ENOENT);
      flip (journal, fields[i]);
    }

  for (gsize i = 0; i < 3; i++)
    {
      TfIdentity other = *identity;

      other.inode += i == 0;
      other.birth_seconds += i == 1;
      other.birth_nanoseconds += i == 2;
      g_assert_true (tf_journal_keep_in_child (parents_record, &other, TRUE));
      g_assert_cmpint (find_slot (journal, TF_JOURNAL_DONE), ==, slot);
    }
}

/* It may be elsewhere, where a sweep of another process finds it. Another file is nobody's journal. */
static void
keep_without_journal (void)
{
  g_autofree char *journal = find_journal (TRUE);
  g_autofree char *moved = g_strconcat (journal, ".moved", NULL);
  TfIdentity identity;

  g_assert_true (tf_identity_read (&identity, AT_FDCWD, "file"));
  g_assert_cmpint (rename (journal, moved), ==, 0);
  g_assert_false (tf_journal_keep_in_child (parents_record, &identity, TRUE));
  g_assert_cmpint (errno, ==, ENOENT);
  tree_make_file (journal);
  g_assert_false (tf_journal_keep_in_child (parents_record, &identity, TRUE));
  g_assert_cmpint (errno, ==, ENOENT);
  g_assert_cmpint (rename (moved, journal), ==, 0);
  g_assert_true (tf_journal_keep_in_child (parents_record, &identity, TRUE));
  g_assert_true (tf_journal_keep_in_child (parents_record, &identity, FALSE));
  let_fail ("open", 1, EINTR);
  g_assert_true (tf_journal_keep_in_child (parents_record, &identity, FALSE));
  g_assert_cmpuint (n_failures, ==, 0);
  let_fail ("mmap64", 1, ENOMEM);
  g_assert_false (tf_journal_keep_in_child (parents_record, &identity, TRUE));
  g_assert_cmpint (errno, ==, ENOMEM);
  g_assert_true (tf_journal_keep_in_child (NULL, &identity, TRUE));
  assert_kept_only_if_same (journal, &identity);
}

static void
test_keep_in_child (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  parents_record = record_file ("file");
  tf_test_in_child (keep_without_journal);
  tf_journal_clear (parents_record);
  g_assert_cmpint (unlink ("file"), ==, 0);
}

/* What is not the file of a dead process is not removed. The inode of a directory is not asked for: a process does not
 * look at it each time. */
static void
test_other_field (void)
{
  const struct { TfJournalState state; gsize offset; } fields[] = {
    { TF_JOURNAL_FREE, G_STRUCT_OFFSET (TfJournalHead, magic) },
    { TF_JOURNAL_FREE, G_STRUCT_OFFSET (TfJournalHead, device) },
    { TF_JOURNAL_FREE, G_STRUCT_OFFSET (TfJournalHead, inode) },
    { TF_JOURNAL_FREE, G_STRUCT_OFFSET (TfJournalHead, birth_seconds) },
    { TF_JOURNAL_FREE, G_STRUCT_OFFSET (TfJournalHead, birth_nanoseconds) },
    { TF_JOURNAL_FREE, G_STRUCT_OFFSET (TfJournalHead, uid) },
    { TF_JOURNAL_PARENT, G_STRUCT_OFFSET (TfJournalSlot, birth_seconds) },
    { TF_JOURNAL_DONE, G_STRUCT_OFFSET (TfJournalSlot, parent) },
    { TF_JOURNAL_DONE, G_STRUCT_OFFSET (TfJournalSlot, inode) },
    { TF_JOURNAL_DONE, G_STRUCT_OFFSET (TfJournalSlot, birth_seconds) },
    { TF_JOURNAL_DONE, G_STRUCT_OFFSET (TfJournalSlot, birth_nanoseconds) },
  };

  if (tf_test_skip_if_portable ("journals"))
    return;

  if (!tf_test_disk_has_birth_times ())
    {
      g_test_skip ("the file system has no birth times");
      return;
    }

  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_autofree char *journal = NULL;
      goffset slot;

      run_and_kill (leave_file);
      journal = find_journal (FALSE);
      slot = fields[i].state != TF_JOURNAL_FREE ? find_slot (journal, fields[i].state) : 0;
      assert_lists ("file");
      flip (journal, slot + fields[i].offset);
      assert_lists (NULL);
      g_assert_cmpuint (sweep (), ==, 0);
      g_assert_true (g_file_test ("file", G_FILE_TEST_EXISTS));
      g_assert_cmpint (unlink ("file"), ==, 0);
      unlink (journal);
    }
}

/* Nor is what another user may have written. */
static void
test_other_owner (void)
{
  g_autofree char *journal = NULL;

  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  journal = find_journal (FALSE);
  g_assert_cmpint (chmod (journal, TF_JOURNAL_MODE | S_IWGRP), ==, 0);
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_cmpint (chmod (journal, TF_JOURNAL_MODE), ==, 0);
  if (geteuid () == 0 && tf_test_disk_gives_away ())
    {
      g_assert_cmpint (chown (journal, 65534, -1), ==, 0);
      g_assert_cmpuint (sweep (), ==, 0);
      g_assert_cmpint (chown (journal, 0, -1), ==, 0);
    }
  g_assert_cmpuint (sweep (), ==, 1);
}

/* No journal is as short or as long. */
static void
test_other_length (void)
{
  g_autofree char *journal = NULL;

  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  journal = find_journal (FALSE);
  g_assert_cmpint (truncate (journal, TF_JOURNAL_MAX_SIZE + 1), ==, 0);
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_true (g_file_test (journal, G_FILE_TEST_EXISTS));
  g_assert_cmpint (truncate (journal, TF_JOURNAL_MIN_SIZE - 1), ==, 0);
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_false (g_file_test (journal, G_FILE_TEST_EXISTS));
  g_assert_cmpint (unlink ("file"), ==, 0);
}

static void
patch_name (const char   *journal,
            TfJournalKind kind,
            const char   *name)
{
  const goffset slot = find_slot (journal, TF_JOURNAL_DONE);
  const guint16 new_kind = kind;
  const guint16 length = strlen (name);

  patch_journal (journal, slot + G_STRUCT_OFFSET (TfJournalSlot, kind), &new_kind, sizeof new_kind);
  patch_journal (journal, slot + G_STRUCT_OFFSET (TfJournalSlot, text), name, length);
  patch_journal (journal, slot + G_STRUCT_OFFSET (TfJournalSlot, length), &length, sizeof length);
}

/* A name is one in its directory. Of what was moved aside, there are two. */
static void
test_other_name (void)
{
  const struct { TfJournalKind kind; const char *name; } names[] = {
    { TF_JOURNAL_FILE, "" },
    { TF_JOURNAL_FILE, "." },
    { TF_JOURNAL_FILE, ".." },
    { TF_JOURNAL_FILE, "/file" },
    { TF_JOURNAL_FILE, "a/.." },
    { TF_JOURNAL_FILE, "./file" },
    { TF_JOURNAL_FILE, "a/b/c" },
    { TF_JOURNAL_FILE | TF_JOURNAL_ASIDE, "/file" },
    { TF_JOURNAL_FILE | TF_JOURNAL_ASIDE, "file/" },
    { TF_JOURNAL_FILE | TF_JOURNAL_ASIDE, "./file" },
    { TF_JOURNAL_FILE | TF_JOURNAL_ASIDE, "file/.." },
    { TF_JOURNAL_FILE | TF_JOURNAL_ASIDE, "a/b/file" },
  };

  if (tf_test_skip_if_portable ("journals"))
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *journal = NULL;

      run_and_kill (leave_file);
      journal = find_journal (FALSE);
      patch_name (journal, names[i].kind, names[i].name);
      assert_lists (NULL);
      g_assert_cmpuint (sweep (), ==, 0);
      g_assert_true (g_file_test ("file", G_FILE_TEST_EXISTS));
      g_assert_cmpint (unlink ("file"), ==, 0);
      unlink (journal);
    }
}

static void
make_or_remove (const char *name,
                const char *content)
{
  if (content == NULL)
    g_assert_true (unlink (name) == 0 || errno == ENOENT);
  else
    g_assert_true (g_file_set_contents (name, content, -1, NULL));
}

static void
assert_content (const char *name,
                const char *expected)
{
  g_autofree char *content = NULL;

  g_file_get_contents (name, &content, NULL, NULL);
  g_assert_cmpstr (content, ==, expected);
}

/* A process was killed while it had moved "file" to "aside". Whoever has these names by now, only the one that was
 * recorded is removed, and what is not gets its name back if it is free. */
static void
test_aside (void)
{
  const struct
  {
    gboolean is_moved;      /* the recorded one is called "aside" */
    const char *other;      /* (nullable): what somebody else has put at the other name */
    const char *listed;
  } cases[] = {
    { FALSE, NULL, "file" },
    { FALSE, "theirs", "file" },
    { TRUE, NULL, "aside" },
    { TRUE, "theirs", "aside" },
  };

  if (tf_test_skip_if_portable ("journals"))
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *other = cases[i].is_moved ? "file" : "aside";
      g_autofree char *journal = NULL;

      run_and_kill (leave_file);
      journal = find_journal (FALSE);
      patch_name (journal, TF_JOURNAL_FILE | TF_JOURNAL_ASIDE, "aside/file");
      if (cases[i].is_moved)
        g_assert_cmpint (rename ("file", "aside"), ==, 0);
      make_or_remove (other, cases[i].other);
      assert_lists (cases[i].listed);
      g_assert_cmpuint (sweep (), ==, 1);
      assert_content (other, cases[i].other);
      g_assert_cmpuint (tf_test_count_entries ("."), ==, cases[i].other != NULL);
      make_or_remove (other, NULL);
      g_assert_cmpuint (count_journals (FALSE, NULL), ==, 0);
    }
}

static void
leave_two_files (void)
{
  record_file ("first");
  record_file ("second");
}

/* Once it is cancelled, it touches nothing more, and finds the rest another time. */
static void
test_cancelled (void)
{
  g_auto(TfFailures) failures;
  Seen seen = { NULL, };
  TfJournalReader reader = { .failures = &failures, .func = see, .user_data = &seen };

  tf_failures_init (&failures);
  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_two_files);
  for (gsize i = 0; i < 4; i++)
    {
      g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      gboolean is_sweep = i % 2 == 1;
      gboolean is_late = i >= 2;
      g_autoptr(GError) error = NULL;

      seen = (Seen) { paths, cancellable };
      if (!is_late)
        g_cancellable_cancel (cancellable);
      g_assert_false (is_sweep ? tf_journal_reader_sweep (&reader, cancellable, &error)
                               : tf_journal_reader_list (&reader, cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_cmpuint (paths->len, ==, is_late);
      g_assert_cmpuint (reader.n_removed, ==, is_late && is_sweep);
    }

  g_assert_cmpuint (tf_test_count_entries ("."), ==, 1);
  g_assert_cmpuint (sweep (), ==, 1);
  g_assert_cmpuint (count_journals (FALSE, NULL), ==, 0);
}

/* What has not the name or the type of a journal may be anybody's. */
static void
test_strange_files (void)
{
  g_autofree char *dir = get_journal_dir ();
  g_autofree char *pipe = g_build_filename (dir, "abcdefgh", NULL);
  g_autofree char *upper = g_build_filename (dir, "ABCDEFGH", NULL);
  g_autofree char *empty = g_build_filename (dir, "empty_00", NULL);
  g_autofree char *device = g_build_filename (dir, "device_0", NULL);
  gboolean has_device;

  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  tree_make_file (upper);
  tree_make_file (empty);
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  g_assert_cmpint (chmod (upper, TF_JOURNAL_MODE), ==, 0);
  g_assert_cmpint (chmod (empty, TF_JOURNAL_MODE), ==, 0);
  g_assert_cmpint (chmod (pipe, TF_JOURNAL_MODE), ==, 0);
  /* As root, and not in every container */
  has_device = mknod (device, S_IFCHR | 0600, makedev (1, 3)) == 0 && chmod (device, TF_JOURNAL_MODE) == 0;
  g_assert_cmpuint (sweep (), ==, 1);
  g_assert_false (g_file_test (empty, G_FILE_TEST_EXISTS));
  g_assert_cmpint (unlink (pipe), ==, 0);
  g_assert_cmpint (unlink (upper), ==, 0);
  g_assert_true (!has_device || unlink (device) == 0);
  rmdir (dir);
}

/* Where it cannot be seen whether the process runs, the lock tells; but not on overlayfs, where a process can lose it. */
static void
test_invisible_process (void)
{
  const gsize offsets[] = {
    G_STRUCT_OFFSET (TfJournalHead, pid_namespace),
    G_STRUCT_OFFSET (TfJournalHead, start_time),
  };
  tf_autofd int here = open (".", O_RDONLY | O_CLOEXEC);
  gboolean has_lost_locks = tf_system_get_fs (here) == TF_SYSTEM_FS_OVERLAY;

  if (tf_test_skip_if_portable ("journals"))
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      g_autofree char *journal = NULL;
      const guint64 none = 0;

      run_and_kill (leave_file);
      journal = find_journal (FALSE);
      patch_journal (journal, offsets[i], &none, sizeof none);
      g_assert_cmpuint (sweep (), ==, !has_lost_locks);
      g_assert_cmpint (unlink ("file"), ==, has_lost_locks ? 0 : -1);
      unlink (journal);
    }
}

/* There, times of processes are others. The process may have executed another program. */
static void
test_other_time_namespace (void)
{
  const guint32 pid = getpid ();
  const guint64 start_time = tf_system_get_start_time (pid) + 1;
  const guint64 namespace = tf_system_get_time_namespace ();
  const guint64 other = namespace + 1;
  g_autofree char *journal = NULL;

  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  journal = find_journal (FALSE);
  patch_journal (journal, G_STRUCT_OFFSET (TfJournalHead, pid), &pid, sizeof pid);
  patch_journal (journal, G_STRUCT_OFFSET (TfJournalHead, start_time), &start_time, sizeof start_time);
  patch_journal (journal, G_STRUCT_OFFSET (TfJournalHead, time_namespace), &other, sizeof other);
  g_assert_cmpuint (sweep (), ==, 0);
  patch_journal (journal, G_STRUCT_OFFSET (TfJournalHead, time_namespace), &namespace, sizeof namespace);
  g_assert_cmpuint (sweep (), ==, 1);
}

/* The path of a directory is there, and begins with a slash. */
static void
test_relative_parent (void)
{
  const guint16 none = 0;
  g_autofree char *journal = NULL;
  goffset slot;

  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  journal = find_journal (FALSE);
  slot = find_slot (journal, TF_JOURNAL_PARENT);
  patch_journal (journal, slot + G_STRUCT_OFFSET (TfJournalSlot, text), ".", 1);
  assert_lists (NULL);
  g_assert_cmpuint (sweep (), ==, 0);
  patch_journal (journal, slot + G_STRUCT_OFFSET (TfJournalSlot, length), &none, sizeof none);
  assert_lists (NULL);
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_true (g_file_test ("file", G_FILE_TEST_EXISTS));
  g_assert_cmpint (unlink ("file"), ==, 0);
  g_assert_cmpint (unlink (journal), ==, 0);
}

/* Nobody holds the lock of a copy, as of the disk of a container that runs. */
static void
test_copy (void)
{
  g_autofree char *journal = NULL;
  g_autofree char *copy = NULL;
  g_autofree char *content = NULL;
  TfJournalRecord *record;
  gsize length;

  if (tf_test_skip_if_portable ("journals"))
    return;

  record = record_file ("file");
  journal = find_journal (TRUE);
  copy = g_strdup_printf ("%.*scopycopy", (int) strlen (journal) - 8, journal);
  g_assert_true (g_file_get_contents (journal, &content, &length, NULL));
  g_assert_true (g_file_set_contents_full (copy, content, length, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_true (g_file_test ("file", G_FILE_TEST_EXISTS));

  g_assert_cmpint (unlink (copy), ==, 0);
  tf_journal_clear (record);
  g_assert_cmpint (unlink ("file"), ==, 0);
}

/* Whatever is in a journal, nothing but what it can name is removed, and nothing crashes. */
static void
test_garbage (void)
{
  g_autofree TfJournalSlot *garbage = NULL;
  g_autofree char *journal = NULL;
  struct stat st;
  gsize size;

  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  journal = find_journal (FALSE);
  g_assert_cmpint (stat (journal, &st), ==, 0);
  size = st.st_size - sizeof (TfJournalHead);
  garbage = g_malloc (size);
  for (guint round = 0; round < 100; round++)
    {
      if (!g_file_test (journal, G_FILE_TEST_EXISTS))
        {
          g_free (journal);
          g_assert_cmpint (unlink ("file"), ==, 0);
          run_and_kill (leave_file);
          journal = find_journal (FALSE);
        }
      for (gsize i = 0; i < size; i++)
        ((guint8 *) garbage)[i] = g_test_rand_int_range (0, 256);
      for (gsize i = 0; i < size / sizeof *garbage; i++)
        {
          const guint32 states[] = { TF_JOURNAL_INTENT, TF_JOURNAL_DONE, TF_JOURNAL_PARENT, TF_JOURNAL_TEXT };

          garbage[i].state = states[g_test_rand_int_range (0, 4)];
          garbage[i].length = g_test_rand_int_range (0, 300);
          garbage[i].parent = g_test_rand_int_range (0, 70);
        }
      patch_journal (journal, sizeof (TfJournalHead), garbage, size);
      g_assert_cmpuint (sweep (), ==, 0);
      g_assert_true (g_file_test ("file", G_FILE_TEST_EXISTS));
    }

  g_assert_cmpint (unlink ("file"), ==, 0);
  unlink (journal);
}

static void
leave_in_dir (void)
{
  TfSystemStat st;
  TfPlace parent;

  tree_make_dir ("parent");
  g_assert_true (tf_system_stat (&st, AT_FDCWD, "parent"));
  parent = (TfPlace) { tf_test_path ("parent"), st.device, st.inode };
  g_assert_nonnull (tf_journal_begin (&parent, "file", TF_JOURNAL_FILE));
  tree_make_file ("parent/file");
}

/* A directory that cannot be had now may be there for another sweep. */
static void
test_parent_out_of_reach (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_in_dir);
  g_assert_cmpint (rename ("parent", "moved"), ==, 0);
  tree_make_dir ("parent");
  tree_make_file ("parent/file");
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_cmpuint (count_journals (FALSE, NULL), ==, 1);

  g_assert_cmpint (unlink ("parent/file"), ==, 0);
  g_assert_cmpint (rmdir ("parent"), ==, 0);
  g_assert_cmpint (rename ("moved", "parent"), ==, 0);
  g_assert_cmpuint (sweep (), ==, 1);
  g_assert_cmpuint (count_journals (FALSE, NULL), ==, 0);
  g_assert_cmpint (rmdir ("parent"), ==, 0);
}

static void
leave_in_known_dir (void)
{
  TfSystemStat st;
  TfPlace parent = { .path = tf_test_path ("parent") };

  tree_make_dir ("parent");
  g_assert_true (tf_system_stat (&st, AT_FDCWD, "parent"));
  tf_place_set (&parent, &st);
  g_assert_nonnull (tf_journal_begin (&parent, "file", TF_JOURNAL_FILE));
  tree_make_file ("parent/file");
}

/* A later directory may have the inode number of the one that was recorded. */
static void
test_younger_parent (void)
{
  g_autofree char *journal = NULL;
  goffset offset;

  if (tf_test_skip_if_portable ("journals"))
    return;

  if (!tf_test_disk_has_birth_times ())
    {
      g_test_skip ("the file system has no birth times");
      return;
    }

  run_and_kill (leave_in_known_dir);
  journal = find_journal (FALSE);
  offset = find_slot (journal, TF_JOURNAL_PARENT) + G_STRUCT_OFFSET (TfJournalSlot, birth_nanoseconds);
  flip (journal, offset);
  assert_lists (NULL);
  g_assert_cmpuint (sweep (), ==, 0);
  flip (journal, offset);
  assert_lists ("file");
  g_assert_cmpuint (sweep (), ==, 1);
  g_assert_cmpint (rmdir ("parent"), ==, 0);
}

static gboolean keeps_identities = TRUE;

gboolean __real_tf_system_keeps_identities (int fd);
gboolean __wrap_tf_system_keeps_identities (int fd);

gboolean
__wrap_tf_system_keeps_identities (int fd)
{
  return keeps_identities && __real_tf_system_keeps_identities (fd);
}

/* What was moved into another directory stays, though that has the path by now. Others can put a link there, even to the
 * recorded directory itself. */
static void
test_moved_to_other_parent (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_in_known_dir);
  g_assert_cmpint (rename ("parent", "moved"), ==, 0);
  for (int i = 0; i < 2; i++)
    {
      keeps_identities = i > 0;
      g_assert_cmpint (symlink ("moved", "parent"), ==, 0);
      assert_lists (NULL);
      g_assert_cmpuint (sweep (), ==, 0);
      g_assert_cmpint (unlink ("parent"), ==, 0);
    }
  tree_make_dir ("parent");
  g_assert_cmpint (rename ("moved/file", "parent/file"), ==, 0);
  assert_lists (NULL);
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_cmpint (rename ("parent/file", "moved/file"), ==, 0);
  g_assert_cmpint (rmdir ("parent"), ==, 0);
  g_assert_cmpint (rename ("moved", "parent"), ==, 0);
  assert_lists ("file");
  g_assert_cmpuint (sweep (), ==, 1);
  g_assert_cmpint (rmdir ("parent"), ==, 0);
}

/* Where the recorded directory may look like another one, a file that has another name may be in both. */
static void
test_linked_in_other_parent (void)
{
  g_autofree char *journal = NULL;
  goffset offset;

  if (tf_test_skip_if_portable ("journals"))
    return;

  run_and_kill (leave_file);
  journal = find_journal (FALSE);
  offset = find_slot (journal, TF_JOURNAL_PARENT) + G_STRUCT_OFFSET (TfJournalSlot, inode);
  flip (journal, offset);
  g_assert_cmpint (link ("file", "link"), ==, 0);
  keeps_identities = FALSE;
  g_assert_cmpuint (sweep (), ==, 0);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 2);
  g_assert_cmpint (unlink ("link"), ==, 0);
  g_assert_cmpuint (sweep (), ==, 1);
  keeps_identities = TRUE;
}

/* A name of several slots is not written between others. */
static void
test_scattered_room (void)
{
  const TfPlace parent = make_parent ();
  TfJournalRecord *records[TF_JOURNAL_MIN_SIZE / sizeof (TfJournalSlot)] = { NULL, };
  g_autofree char *long_name = g_strnfill (200, 'n');
  TfJournalRecord *record;
  guint n = 0;

  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_journal_trim ();
  do
    records[n] = tf_journal_begin (&parent, "name", TF_JOURNAL_FILE);
  while (tf_journal_count_segments () == 1 && ++n < G_N_ELEMENTS (records));
  tf_journal_clear (g_steal_pointer (&records[n]));
  for (guint i = 0; i < n; i += 2)
    tf_journal_clear (g_steal_pointer (&records[i]));
  tf_journal_trim ();
  g_assert_cmpuint (tf_journal_count_segments (), ==, 1);

  record = tf_journal_begin (&parent, long_name, TF_JOURNAL_FILE);
  g_assert_nonnull (record);
  g_assert_cmpuint (tf_journal_count_segments (), ==, 2);
  tf_journal_clear (record);
  for (guint i = 0; i < n; i++)
    tf_journal_clear (records[i]);
  tf_journal_trim ();
}

/* What has a birth time is known by that, whatever its name. */
static void
leave_renewed_in_vain (void)
{
  TfJournalRecord *record = record_file ("file");

  tree_make_file ("other");
  tf_journal_renew (record, AT_FDCWD, "other");
  tf_journal_renew (NULL, AT_FDCWD, "other");
}

static void
test_renewed_in_vain (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  if (!tf_test_disk_has_birth_times ())
    {
      g_test_skip ("the file system has no birth times");
      return;
    }

  run_and_kill (leave_renewed_in_vain);
  g_assert_cmpuint (sweep (), ==, 1);
  g_assert_cmpint (unlink ("other"), ==, 0);
}

/* As large as the first segment is, writing it would raise a signal. */
static void
create_with_small_limit (void)
{
  const struct rlimit limit = { 1024, RLIM_INFINITY };
  const TfPlace parent = make_parent ();

  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  g_assert_null (tf_journal_begin (&parent, "name", TF_JOURNAL_FILE));
  g_assert_cmpuint (tf_journal_count_segments (), ==, 0);
}

/* More segments instead of larger ones */
static void
create_many_with_limit (void)
{
  const struct rlimit limit = { 2 * TF_JOURNAL_MIN_SIZE, RLIM_INFINITY };
  const TfPlace parent = make_parent ();
  const guint n = 10 * TF_JOURNAL_MIN_SIZE / sizeof (TfJournalSlot);

  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  for (guint i = 0; i < n; i++)
    g_assert_nonnull (tf_journal_begin (&parent, "name", TF_JOURNAL_FILE));
  g_assert_cmpuint (tf_journal_count_segments (), >=, 5);
}

static void
test_file_size_limit (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_in_child (create_with_small_limit);
  tf_test_in_child (create_many_with_limit);
  g_assert_cmpuint (sweep (), ==, 0);
}

static void
create_without_fds (void)
{
  const TfPlace parent = make_parent ();
  TfJournalRecord *record;

  tf_test_take_fds ();
  for (guint i = 0; i < 4; i++)
    {
      g_assert_null (tf_journal_begin (&parent, "name", TF_JOURNAL_FILE));
      tf_test_give_fds (1);
    }

  record = tf_journal_begin (&parent, "name", TF_JOURNAL_FILE);
  g_assert_nonnull (record);
  tf_test_give_all_fds ();
  tf_journal_clear (record);
  tf_journal_close ();
}

static void
test_no_fds (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_in_child (create_without_fds);
}

/* A place that others can change is not used. One that was named comes before that of temporary files. */
static void
create_in_open_place (void)
{
  const TfPlace parent = make_parent ();
  g_autofree char *temp = tf_test_path ("temp");
  g_autofree char *run = tf_test_path ("run");
  g_autofree char *place = g_strdup_printf ("%s/tempfile-glib-%u", temp, (guint) geteuid ());
  TfJournalRecord *record;

  tree_make_dir (temp);
  tree_make_dir (run);
  g_assert_cmpint (chmod (run, 0755), ==, 0);
  g_assert_true (g_setenv ("XDG_RUNTIME_DIR", run, TRUE));
  g_unsetenv ("TF_JOURNAL_DIR");
  g_assert_true (g_setenv ("TMPDIR", temp, TRUE));
  record = tf_journal_begin (&parent, "name", TF_JOURNAL_FILE);
  g_assert_nonnull (record);
  g_assert_cmpuint (tf_test_count_entries (run), ==, 0);
  g_assert_cmpuint (tf_test_count_entries (place), ==, 1);
  tf_journal_clear (record);
  tf_journal_trim ();

  g_assert_true (g_setenv ("TF_JOURNAL_DIR", run, TRUE));
  record = tf_journal_begin (&parent, "name", TF_JOURNAL_FILE);
  g_assert_nonnull (record);
  g_assert_cmpuint (tf_test_count_entries (run), ==, 1);
  g_assert_cmpuint (tf_test_count_entries (temp), ==, 0);
  tf_journal_clear (record);
  tf_journal_close ();
  g_assert_cmpint (rmdir (temp), ==, 0);
  g_assert_cmpint (rmdir (run), ==, 0);
}

int __real_mkdirat (int dir_fd, const char *name, mode_t mode);
int __wrap_mkdirat (int dir_fd, const char *name, mode_t mode);

static guint n_removals;       /* of the directory of journals, right after it was made */
static const char *substitute; /* what another user then puts in its place */

int
__wrap_mkdirat (int         dir_fd,
                const char *name,
                mode_t      mode)
{
  int result = __real_mkdirat (dir_fd, name, mode);

  if (result == 0 && n_removals > 0)
    {
      n_removals--;
      g_assert_cmpint (unlinkat (dir_fd, name, AT_REMOVEDIR), ==, 0);
    }
  if (result == 0 && substitute != NULL && g_str_has_prefix (name, "tempfile-glib"))
    {
      g_assert_cmpint (unlinkat (dir_fd, name, AT_REMOVEDIR), ==, 0);
      g_assert_cmpint (renameat (AT_FDCWD, substitute, dir_fd, name), ==, 0);
      substitute = NULL;
    }

  return result;
}

/* A sweep may remove the empty directory at any moment. */
static void
create_while_swept (void)
{
  const TfPlace parent = make_parent ();
  g_autofree char *run = tf_test_path ("run");
  g_autofree char *place = g_build_filename (run, "tempfile-glib", NULL);
  TfJournalRecord *record;

  tree_make_dir (run);
  g_assert_true (g_setenv ("XDG_RUNTIME_DIR", run, TRUE));
  n_removals = 3;
  record = tf_journal_begin (&parent, "name", TF_JOURNAL_FILE);
  g_assert_cmpuint (n_removals, ==, 0);
  g_assert_nonnull (record);
  g_assert_cmpuint (tf_test_count_entries (place), ==, 1);
  tf_journal_clear (record);
  tf_journal_close ();
  g_assert_cmpint (rmdir (run), ==, 0);
}

static void
test_while_swept (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_in_child (create_while_swept);
}

/* As another process that sweeps, and takes the new file for one of a dead process. */
static void
remove_journals (void)
{
  g_autofree char *dir = get_journal_dir ();
  g_autoptr(GDir) names = g_dir_open (dir, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (names)) != NULL)
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);

      g_assert_cmpint (unlink (path), ==, 0);
    }
}

static void
assert_recorded (const char *run)
{
  const TfPlace parent = make_parent ();
  g_autofree char *place = g_build_filename (run, "tempfile-glib", NULL);
  TfJournalRecord *record = tf_journal_begin (&parent, "name", TF_JOURNAL_FILE);

  g_assert_nonnull (record);
  g_assert_null (awaited_call);
  g_assert_cmpuint (n_failures, ==, 0);
  g_assert_cmpuint (tf_test_count_entries (place), ==, 1);
  tf_journal_clear (record);
  tf_journal_trim ();
  g_assert_cmpuint (tf_test_count_entries (run), ==, 0);
}

/* Each step is made again with another file. */
static void
create_while_file_is_swept (void)
{
  const struct { const char *call; int error; } failures[] = {
    { "create", EEXIST },
    { "create", ENOENT },
    { "create", EINTR },
    { "open again", EINTR },
    { "flock", EWOULDBLOCK },
    { "flock", EINTR },
  };
  g_autofree char *run = tf_test_path ("run");

  tree_make_dir (run);
  g_assert_true (g_setenv ("XDG_RUNTIME_DIR", run, TRUE));
  for (gsize i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      let_fail (failures[i].call, 1, failures[i].error);
      assert_recorded (run);
    }

  before_call = remove_journals;
  awaited_call = "open again";
  assert_recorded (run);
  awaited_call = "flock";
  assert_recorded (run);
  g_assert_cmpint (rmdir (run), ==, 0);
}

/* Where a file that is written page by page can run out of room, that has to be forbidden. */
static void
create_on_btrfs (void)
{
  g_autofree char *run = tf_test_path ("run");

  tree_make_dir (run);
  g_assert_true (g_setenv ("XDG_RUNTIME_DIR", run, TRUE));
  is_btrfs = TRUE;
  assert_recorded (run);
  let_fail ("ioctl", G_MAXUINT, EOPNOTSUPP);
  g_assert_null (tf_journal_begin (&(TfPlace) { run, 1, 1 }, "name", TF_JOURNAL_FILE));
  n_failures = 0;
  g_assert_cmpuint (tf_test_count_entries (run), ==, 0);
  g_assert_cmpint (rmdir (run), ==, 0);
}

static const char *call_to_fail;
static int errno_to_fail_with;

/* With a umask with which the mode has to be changed */
static void
fail_to_create (void)
{
  const TfPlace parent = make_parent ();

  umask (0777);
  let_fail (call_to_fail, G_MAXUINT, errno_to_fail_with);
  g_assert_null (tf_journal_begin (&parent, "name", TF_JOURNAL_FILE));
  n_failures = 0;
  g_assert_cmpuint (tf_journal_count_segments (), ==, 0);
  g_assert_cmpuint (count_journals (FALSE, NULL), ==, 0);
}

/* What fails otherwise, or for ever, leaves no file, and something is created without a record. */
static void
test_failing_creation (void)
{
  const struct { const char *call; int error; } failures[] = {
    { "getentropy", EIO },
    { "create", EACCES },
    { "create", ENFILE },
    { "open again", EIO },
    { "fchmod", EPERM },
    { "flock", ENOLCK },
    { "flock", EWOULDBLOCK },
  };

  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_in_child (create_while_file_is_swept);
  tf_test_in_child (create_on_btrfs);
  for (gsize i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      call_to_fail = failures[i].call;
      errno_to_fail_with = failures[i].error;
      tf_test_in_child (fail_to_create);
    }
}

static void
begin_substituted (const char *name)
{
  const TfPlace parent = make_parent ();

  substitute = name;
  tf_journal_clear (tf_journal_begin (&parent, "name", TF_JOURNAL_FILE));
  tf_journal_trim ();
  g_assert_null (substitute);
}

/* In a directory in which others can rename */
static void
create_beside_attacker (void)
{
  g_autofree char *temp = tf_test_path ("temp");
  g_autofree char *place = g_strdup_printf ("%s/tempfile-glib-%u", temp, (guint) geteuid ());
  struct stat st;

  tree_make_dir (temp);
  tree_make_file ("precious");
  g_assert_cmpint (chmod ("precious", 0400), ==, 0);
  g_assert_cmpint (symlink ("../precious", "link"), ==, 0);
  g_assert_cmpint (mkdir ("open", 0755), ==, 0);
  g_assert_cmpint (chmod ("open", 0755), ==, 0);
  g_unsetenv ("XDG_RUNTIME_DIR");
  g_assert_true (g_setenv ("TF_JOURNAL_DIR", temp, TRUE));

  begin_substituted ("link");
  g_assert_cmpint (stat ("precious", &st), ==, 0);
  g_assert_cmpint (st.st_mode & 07777, ==, 0400);
  g_assert_cmpint (unlink (place), ==, 0);

  begin_substituted ("open");
  g_assert_cmpint (stat (place, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 07777, ==, 0755);
  g_assert_cmpint (rmdir (place), ==, 0);

  if (geteuid () == 0 && tf_test_disk_gives_away ())
    {
      g_assert_cmpint (mkdir ("theirs", 0500), ==, 0);
      g_assert_cmpint (chown ("theirs", 65534, -1), ==, 0);
      begin_substituted ("theirs");
      g_assert_cmpint (stat (place, &st), ==, 0);
      g_assert_cmpint (st.st_mode & 07777, ==, 0500);
      g_assert_cmpint (rmdir (place), ==, 0);
    }

  tf_journal_close ();
  g_assert_cmpint (rmdir (temp), ==, 0);
  g_assert_cmpint (unlink ("precious"), ==, 0);
}

static void
test_attacked_place (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_in_child (create_beside_attacker);
}

static void
create_as_file_system_user (void)
{
  const TfPlace parent = make_parent ();
  g_autofree char *temp = tf_test_path ("temp");

  tree_make_dir (temp);
  g_assert_cmpint (chmod (temp, 01777), ==, 0);
  g_unsetenv ("XDG_RUNTIME_DIR");
  g_assert_true (g_setenv ("TF_JOURNAL_DIR", temp, TRUE));

  setfsuid (65534);
  g_assert_null (tf_journal_begin (&parent, "name", TF_JOURNAL_FILE));
  setfsuid (0);
  g_assert_cmpuint (tf_test_count_entries (temp), ==, 0);
  tf_journal_close ();
  g_assert_cmpint (rmdir (temp), ==, 0);
}

/* A thread that is another user for the file system alone does not take the place from the others. */
static void
test_file_system_user (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  if (geteuid () != 0)
    {
      g_test_skip ("only root can be another user");
      return;
    }

  tf_test_in_child (create_as_file_system_user);
}

static void
leave_under_umask (void)
{
  const TfPlace parent = make_parent ();

  umask (0777);
  g_assert_nonnull (tf_journal_begin (&parent, "file", TF_JOURNAL_FILE));
  umask (022);
  tree_make_file ("file");
}

/* Run by a user whom the modes bind. */
static void
sweep_after_umask (void)
{
  run_and_kill (leave_under_umask);
  g_assert_cmpuint (sweep (), ==, 1);
}

static void
test_umask (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_as_unprivileged (sweep_after_umask);
}

static void
test_places (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  tf_test_in_child (create_in_open_place);
}

static void
test_portable (void)
{
  const TfPlace parent = make_parent ();

  if (!tf_test_is_portable ())
    {
      g_test_skip ("the library has journals");
      return;
    }

  g_assert_null (tf_journal_begin (&parent, "name", TF_JOURNAL_FILE));
  tf_journal_complete (NULL, -1, "", NULL);
  tf_journal_clear (NULL);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);
  /* What others have left, in places that all tests have in common, is not counted. If it stays, it does not count either. */
  tf_sweep (NULL, NULL, 0, NULL, NULL, NULL);

  g_test_add_func ("/journal/intent", test_intent);
  g_test_add_func ("/journal/done", test_done);
  g_test_add_func ("/journal/long-names", test_long_names);
  g_test_add_func ("/journal/many-parents", test_many_parents);
  g_test_add_func ("/journal/parents-in-one-segment", test_parents_in_one_segment);
  g_test_add_func ("/journal/threads", test_threads);
  g_test_add_func ("/journal/segments", test_segments);
  g_test_add_data_func ("/journal/fork", GINT_TO_POINTER (FALSE), test_fork);
  g_test_add_data_func ("/journal/fork/bare", GINT_TO_POINTER (TRUE), test_fork);
  g_test_add_func ("/journal/exit", test_exit);
  g_test_add_func ("/journal/fork/not-writable", test_not_writable_in_child);
  g_test_add_func ("/journal/other-user", test_other_user);
  g_test_add_func ("/journal/descendant", test_descendant);
  g_test_add_func ("/journal/close-all", test_close_all);
  g_test_add_func ("/journal/other-boot", test_other_boot);
  g_test_add_func ("/journal/handle", test_handle);
  g_test_add_func ("/journal/other-handle", test_other_handle);
  g_test_add_func ("/journal/list-unlocked", test_list_unlocked);
  g_test_add_func ("/journal/other-device", test_other_device);
  g_test_add_func ("/journal/other-size", test_other_size);
  g_test_add_func ("/journal/other-field", test_other_field);
  g_test_add_func ("/journal/other-owner", test_other_owner);
  g_test_add_func ("/journal/other-length", test_other_length);
  g_test_add_func ("/journal/other-name", test_other_name);
  g_test_add_func ("/journal/relative-parent", test_relative_parent);
  g_test_add_func ("/journal/too-long", test_too_long);
  g_test_add_func ("/journal/keep-in-child", test_keep_in_child);
  g_test_add_func ("/journal/copy", test_copy);
  g_test_add_func ("/journal/garbage", test_garbage);
  g_test_add_func ("/journal/parent-out-of-reach", test_parent_out_of_reach);
  g_test_add_func ("/journal/list-own", test_list_own);
  g_test_add_func ("/journal/no-fds/of-system", test_no_fds_of_system);
  g_test_add_func ("/journal/aside", test_aside);
  g_test_add_func ("/journal/cancelled", test_cancelled);
  g_test_add_func ("/journal/strange-files", test_strange_files);
  g_test_add_func ("/journal/invisible-process", test_invisible_process);
  g_test_add_func ("/journal/other-time-namespace", test_other_time_namespace);
  g_test_add_func ("/journal/younger-parent", test_younger_parent);
  g_test_add_func ("/journal/moved-to-other-parent", test_moved_to_other_parent);
  g_test_add_func ("/journal/linked-in-other-parent", test_linked_in_other_parent);
  g_test_add_func ("/journal/scattered-room", test_scattered_room);
  g_test_add_func ("/journal/renewed-in-vain", test_renewed_in_vain);
  g_test_add_func ("/journal/failing-creation", test_failing_creation);
  g_test_add_func ("/journal/file-size-limit", test_file_size_limit);
  g_test_add_func ("/journal/no-fds", test_no_fds);
  g_test_add_func ("/journal/places", test_places);
  g_test_add_func ("/journal/while-swept", test_while_swept);
  g_test_add_func ("/journal/attacked-place", test_attacked_place);
  g_test_add_func ("/journal/file-system-user", test_file_system_user);
  g_test_add_func ("/journal/umask", test_umask);
  g_test_add_func ("/journal/list-beside-other", test_list_beside_other);
  g_test_add_func ("/journal/fork-while-sweeping", test_fork_while_sweeping);
  g_test_add_func ("/journal/fork-beside-other-list", test_fork_beside_other_list);
  g_test_add_func ("/journal/without-stdout", test_without_stdout);
  g_test_add_func ("/journal/beside-other-sweep", test_beside_other_sweep);
  g_test_add_func ("/journal/portable", test_portable);

  return tf_test_run ();
}
