/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "hostile-fs.h"
#include "tf-test.h"

/* The library on a file system that misbehaves as it is told, see hostile-fs.c. Whatever that does,
 *
 * - a document is the old one or the new one, whole, and the new one after success,
 * - nothing that is not the library's is touched,
 * - nothing is left when a process has ended, or when it was killed and another one has swept,
 * - nobody whom the replaced document kept out can read the new one,
 * - no call hangs.
 *
 * What is done is done by a child. This process looks at the folder behind the file system, which does not lie.
 *
 * For each mode, all is done once; then once for each request that it makes, and at that request the process is killed, the
 * request fails, or fails after it was carried out, all requests from then on fail, or the file system goes away. This is a
 * short form for few
 * requests; with TF_HOSTILE_STRIDE=N in the environment, all is done for all modes, and for every Nth request. */

#define PATIENCE 30 /* seconds */
#define ACL "system.posix_acl_access"
#define NOTE "user.note"
#define CONTENT_SIZE (96 * 1024)
#define QUOTA "65536"
#define WRONG_CONTENT "the content is another"

/* What may be otherwise with a mode */
typedef enum
{
  MAY_NOT_PERSIST = 1 << 0, /* a file cannot get a lasting name, or none that has a name already */
  MAY_NOT_WRITE   = 1 << 1, /* CONTENT_SIZE bytes cannot be written */
  MAY_LEAVE       = 1 << 2, /* what was created cannot be known again, or cannot be renamed */
  MAY_NOT_CREATE  = 1 << 3,
  HAS_NO_ACLS     = 1 << 4,
  MAY_LEAVE_EMPTY = 1 << 5, /* whoever is killed right after creating a file */
  TAKES_NAMES     = 1 << 6, /* a new name is first taken by an empty file */
  MAY_LEAVE_NEW   = 1 << 7, /* whoever is killed while it looks whether the document is lost */
  CANNOT_TELL     = 1 << 8, /* what has a name cannot be known, so that an error of what was done is believed */
} Allowance;

typedef struct
{
  const char *name;
  const char *settings;
  Allowance allowance;
  gboolean has_faults; /* also without TF_HOSTILE_STRIDE */
} Mode;

static const Mode modes[] = {
  { "honest", "", 0, TRUE },
  { "quota", "quota=" QUOTA, MAY_NOT_WRITE },
  { "late-quota", "late-quota=" QUOTA, MAY_NOT_WRITE },
  { "full", "write=ENOSPC", MAY_NOT_WRITE },
  { "flush-quota", "flush=EDQUOT", MAY_NOT_WRITE },
  { "flush-full", "flush=ENOSPC", MAY_NOT_WRITE },
  { "flush-error", "flush=EIO", MAY_NOT_WRITE },
  { "fsync-error", "fsync=EIO", MAY_NOT_PERSIST },
  { "fsyncdir-error", "fsyncdir=EIO", MAY_NOT_PERSIST },
  { "no-fsyncdir", "fsyncdir=EINVAL", 0 },
  { "listxattr-stale", "listxattr=ESTALE", 0 },
  { "listxattr-error", "listxattr=EIO", 0 },
  { "getxattr-error", "getxattr=EIO", 0 },
  { "setxattr-refused", "setxattr=EPERM", 0 },
  { "setxattr-full", "setxattr=ENOSPC", 0 },
  { "no-xattrs", "listxattr=EOPNOTSUPP,getxattr=EOPNOTSUPP,setxattr=EOPNOTSUPP,removexattr=EOPNOTSUPP",
    HAS_NO_ACLS },
  { "acl-unnamed", "acl-unnamed", 0 },
  { "unlinked-stale", "unlinked=ESTALE", 0 },
  { "unlinked-missing", "unlinked=ENOENT", 0 },
  { "no-flock", "flock=EOPNOTSUPP", 0 },
  { "no-locks", "flock=ENOLCK", 0 },
  { "flock-local", "flock-local", 0 },
  { "owner-mapped", "owner=1234,chown=EPERM", MAY_LEAVE_EMPTY },
  { "root-squashed", "squash,chown=EPERM", MAY_LEAVE_EMPTY },
  { "chmod-refused", "chmod=EPERM", 0 },
  { "chmod-ignored", "chmod-ignored", 0 },
  { "link-refused", "link=EPERM", 0 },
  { "link-error", "link=EIO", 0 },
  { "link-missing", "link=ENOSYS", 0 },
  { "no-links", "link=EPERM,rename-flags=EINVAL", TAKES_NAMES },
  { "no-links-error", "link=EIO,rename-flags=EIO", MAY_NOT_PERSIST | MAY_LEAVE },
  { "rename-refused", "rename=EPERM", MAY_NOT_PERSIST | MAY_LEAVE_NEW },
  { "rename-error", "rename=EIO", MAY_NOT_PERSIST | MAY_LEAVE_NEW },
  { "nothing-renamed", "rename=EIO,rename-flags=EIO,link=EIO", MAY_NOT_PERSIST | MAY_LEAVE },
  { "no-flags", "rename-flags=EINVAL", 0 },
  { "flags-refused", "rename-flags=EPERM", 0 },
  { "flags-missing", "rename-flags=ENOSYS", 0 },
  { "statfs-error", "statfs=EIO", 0 },
  { "no-fallocate", "fallocate=EOPNOTSUPP", 0 },
  { "unlink-refused", "unlink=EPERM", MAY_NOT_PERSIST | MAY_NOT_CREATE },
  { "one-link", "one-link", 0 },
  { "inodes-by-lookup", "inodes-by-lookup", MAY_LEAVE },
  { "inodes-change", "inodes-change", MAY_LEAVE | MAY_NOT_PERSIST | CANNOT_TELL },
  { "inodes-of-names", "inodes-of-names,hide", MAY_LEAVE, TRUE },
  { "ignore-case", "ignore-case", 0 },
  { "fuse-hidden", "hide", 0 },
  { "hidden-taken", "hidden-taken=0", 0 },
  { "hidden-taken-larger", "hidden-taken=200000,link=EPERM,rename-flags=EINVAL", TAKES_NAMES },
  { "clock-coarse", "clock-grain=2", 0 },
  { "clock-ahead", "clock=86400", 0 },
  { "clock-behind", "clock=-1000000000", 0 },
  { "like-sshfs", "hide,inodes-by-lookup,link=EPERM,rename-flags=EINVAL,listxattr=EOPNOTSUPP,getxattr=EOPNOTSUPP,"
                  "setxattr=EOPNOTSUPP,removexattr=EOPNOTSUPP,clock-grain=1", MAY_LEAVE | HAS_NO_ACLS | TAKES_NAMES },
  { "like-smb", "owner=1234,chown=EPERM,chmod-ignored,ignore-case,link=EPERM,rename-flags=EINVAL,one-link,"
                "listxattr=EOPNOTSUPP,getxattr=EOPNOTSUPP,setxattr=EOPNOTSUPP", HAS_NO_ACLS | MAY_LEAVE_EMPTY | TAKES_NAMES,
    TRUE },
};

/* What a child says to this process */
typedef struct
{
  gboolean is_done;    /* it got to its end */
  gboolean was_created;
  gboolean was_written;
  gboolean succeeded;
  gboolean is_there;   /* the error says that the document is the new one */
  gboolean is_kept;    /* the error says which temporary name the new one has */
  char message[512];
} Report;

typedef enum
{
  UNNAMED,
  NAMED,
  IN_MEMORY,
  ROLLED_OVER,
  FROM_ELSEWHERE,
} Kind;

typedef struct
{
  const char *name;
  Kind kind;
  TfPersistFlags flags;
  gboolean replaces; /* there is a document before */
  const char *destination;
} Persist;

/* What happens at a request */
typedef struct
{
  const char *name;
  const char *setting;
  const char *error;
  gboolean is_of_changes; /* only of requests that change names */
} Fault;

static const Fault faults[] = {
  { "kill", "kill", "" },
  { "error", "at", ":EIO" },
  { "done", "done", ":EIO", TRUE },
  { "lasting-error", "from", ":EIO" },
  { "away", "die", "" },
};

static const Mode *mode;
static gboolean has_fault;
static gboolean has_false_errors;
static Report *report; /* shared */
static GPid server;
static char *behind;     /* the folder behind the file system */
static char *mount_point;
static char *elsewhere;  /* on another file system */

/* --- The file system --- */

static void
start_server (void)
{
  const char *const argv[] = { HOSTILE_FS, behind, mount_point, mode->settings, NULL };
  g_autoptr(GError) error = NULL;
  char byte;
  int fd;

  g_assert_true (g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &server,
                                           NULL, &fd, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  close (fd);
}

static void
stop_server (void)
{
  umount2 (mount_point, MNT_DETACH);
  kill (server, SIGKILL);
  g_assert_cmpint (waitpid (server, NULL, 0), ==, server);
}


static void
set_fault (const char *fault)
{
  g_autofree char *settings = g_strjoin (",", mode->settings, fault, NULL);

  if (setxattr (mount_point, HOSTILE_ATTRIBUTE, settings, strlen (settings), 0) != 0)
    g_error ("%s: %s", settings, g_strerror (errno));
}

/* Returns how many requests of those that can have this fault were made, or -1 if the file system has gone away. */
static int
count_requests (const Fault *fault)
{
  char value[64] = "";

  if (getxattr (mount_point, HOSTILE_ATTRIBUTE, value, sizeof value - 1) > 0)
    return atoi (fault->is_of_changes ? strchr (value, ' ') : value);

  g_assert_true (errno == ENOTCONN || errno == ECONNABORTED);
  return -1;
}

/* --- Children --- */

/* Returns FALSE if it does not end. */
static gboolean
wait_for_end (pid_t pid)
{
  struct pollfd pollfd = { .fd = syscall (SYS_pidfd_open, pid, 0), .events = POLLIN };
  int n = poll (&pollfd, 1, PATIENCE * 1000);

  close (pollfd.fd);
  return n == 1;
}

static void
end_what_hangs (pid_t pid)
{
  g_test_fail_printf ("%s: %s hangs", mode->name, report->message);
  kill (pid, SIGKILL);
  kill (server, SIGKILL);
}

/* The library may say what it could not do. */
static GLogWriterOutput
say_nothing (GLogLevelFlags   log_level,
             const GLogField *fields,
             gsize            n_fields,
             gpointer         data)
{
  return log_level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)
             ? g_log_writer_standard_streams (log_level, fields, n_fields, NULL)
             : G_LOG_WRITER_HANDLED;
}

/* Runs @func in a child that then exits. Returns whether it did. */
static gboolean
do_in_child (void (*func) (gconstpointer data),
             gconstpointer data)
{
  int status;
  pid_t pid;

  *report = (Report) { 0 };
  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
      g_log_set_writer_func (say_nothing, NULL, NULL);
      func (data);
      report->is_done = TRUE;
      exit (EXIT_SUCCESS);
    }

  if (!wait_for_end (pid))
    end_what_hangs (pid);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  /* Then, the file system has done all that it was asked for, also that for which nobody waits. */
  getxattr (mount_point, HOSTILE_ATTRIBUTE, NULL, 0);
  return status == 0;
}

static void
keep_error (const GError *error)
{
  g_strlcpy (report->message, error != NULL ? error->message : "", sizeof report->message);
  report->is_there = error != NULL && strstr (error->message, "The file is at") != NULL;
  report->is_kept = error != NULL && g_str_has_prefix (error->message, "The bytes are at ");
}

static void
sweep (gconstpointer data)
{
  g_autoptr(GError) error = NULL;

  report->succeeded = tf_sweep (NULL, NULL, 0, NULL, NULL, &error);
  keep_error (error);
}

/* --- What is there before, and has to be there afterwards --- */

static const char old_content[] = "the old document\n";

/* As the kernel has it: u::rw-, u:1:r--, g::---, m::r--, o::--- */
static const guint8 acl[] = {
  2, 0, 0, 0,
  0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,
  0x02, 0, 4, 0, 1, 0, 0, 0,
  0x04, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
  0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
  0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
};

static char *
get_new_content (void)
{
  char *content = g_malloc (CONTENT_SIZE);

  for (guint i = 0; i < CONTENT_SIZE; i++)
    content[i] = 'a' + i / 7 % 26;
  return content;
}

static void
make_dir (const char *name)
{
  g_autofree char *path = g_build_filename (behind, name, NULL);

  g_assert_cmpint (mkdir (path, 0777), ==, 0);
  g_assert_cmpint (chmod (path, 0777), ==, 0);
}

static void
make_file (const char *name,
           const char *content)
{
  g_autofree char *path = g_build_filename (behind, name, NULL);
  g_autoptr(GError) error = NULL;

  g_assert_true (g_file_set_contents_full (path, content, -1, G_FILE_SET_CONTENTS_NONE, 0640, &error));
  g_assert_no_error (error);
}

static char *
get_document (void)
{
  return g_build_filename (behind, "dest", "document", NULL);
}

static void
make_document (void)
{
  g_autofree char *path = get_document ();

  make_file ("dest/document", old_content);
  if (!(mode->allowance & HAS_NO_ACLS) && setxattr (path, ACL, acl, sizeof acl, 0) != 0)
    g_assert_cmpint (errno, ==, EOPNOTSUPP);
  if (setxattr (path, NOTE, "note", 4, 0) != 0)
    g_assert_cmpint (errno, ==, EOPNOTSUPP);
}

static void
make_all (gboolean has_document)
{
  g_autofree char *link = g_build_filename (behind, "dest", "link", NULL);

  make_dir ("tmp");
  make_dir ("tmp/tmpothers");
  make_file ("tmp/tmpothers/file", "another's");
  make_file ("tmp/tmpabcdefgh", "another's");
  make_dir ("dest");
  make_file ("dest/DOCUMENTS", "another's");
  make_file ("dest/document~", "another's");
  g_assert_cmpint (symlink ("document", link), ==, 0);
  if (has_document)
    make_document ();
}

static int
remove_one (const char        *path,
            const struct stat *st,
            int                type,
            struct FTW        *where)
{
  return where->level > 0 ? remove (path) : 0;
}

static void
remove_all (void)
{
  g_assert_cmpint (nftw (behind, remove_one, 8, FTW_DEPTH | FTW_PHYS), ==, 0);
  g_assert_cmpint (nftw (elsewhere, remove_one, 8, FTW_DEPTH | FTW_PHYS), ==, 0);
}

static char *
describe (const char *path,
          const char *name)
{
  g_autofree char *content = NULL;
  struct stat st;

  g_assert_cmpint (lstat (path, &st), ==, 0);
  if (S_ISREG (st.st_mode))
    g_file_get_contents (path, &content, NULL, NULL);
  else if (S_ISLNK (st.st_mode))
    content = g_file_read_link (path, NULL);

  return g_strdup_printf ("%s %o %u:%u %" G_GUINT64_FORMAT " %s", name, (guint) st.st_mode, (guint) st.st_uid,
                          (guint) st.st_gid, (guint64) st.st_ino, content != NULL ? content : "");
}

/* A line for each file, but for the document */
static void
add_lines (GHashTable *lines,
           const char *dir_name)
{
  g_autofree char *dir_path = g_build_filename (behind, dir_name, NULL);
  g_autoptr(GDir) dir = g_dir_open (dir_path, 0, NULL);
  const char *child;

  while (dir != NULL && (child = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *name = g_build_filename (dir_name, child, NULL);
      g_autofree char *path = g_build_filename (behind, name, NULL);

      if (strcmp (name, "dest/document") == 0)
        continue;

      g_hash_table_add (lines, describe (path, name));
      if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK))
        add_lines (lines, name);
    }
}

static GHashTable *
list_others (void)
{
  GHashTable *lines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  add_lines (lines, "tmp");
  add_lines (lines, "dest");
  return lines;
}

/* --- Looking at what has become of it --- */

static void G_GNUC_PRINTF (2, 3)
complain (const char *what,
          const char *format,
          ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  /* Of several failures of a test, GLib shows the last one. */
  g_test_message ("%s, %s: %s", mode->name, what, text);
  g_test_fail_printf ("%s, %s: %s", mode->name, what, text);
}

/* What may be left */
typedef enum
{
  NOTHING,
  EMPTY_FILES,
  NEW_FILES,
  ANYTHING,
} Rest;

static Rest
get_rest (void)
{
  return mode->allowance & (MAY_LEAVE | MAY_NOT_CREATE) ? ANYTHING : NOTHING;
}

/* Whether it is the new file, whole, beside the document, and where the error says, if that does */
static gboolean
is_new_file (const char *line)
{
  g_autofree char *content = get_new_content ();
  g_autofree char *name = g_strndup (line, strcspn (line, " "));
  const char *end = strrchr (line, ' ') + 1;

  return g_str_has_prefix (line, "dest/.tmp-") && (!report->is_kept || strstr (report->message, name) != NULL) &&
         strlen (end) == CONTENT_SIZE && memcmp (end, content, CONTENT_SIZE) == 0;
}

static gboolean
is_accepted (Rest        rest,
             const char *line)
{
  return rest == ANYTHING || (rest == EMPTY_FILES && g_str_has_suffix (line, " ")) || (rest == NEW_FILES && is_new_file (line));
}

static void
check_missing (const char *what,
               GHashTable *from,
               GHashTable *in,
               const char *text,
               Rest        rest)
{
  GHashTableIter iter;
  gpointer line;

  g_hash_table_iter_init (&iter, from);
  while (g_hash_table_iter_next (&iter, &line, NULL))
    if (!g_hash_table_contains (in, line) && !is_accepted (rest, line))
      complain (what, "%s: %.100s", text, (char *) line);
}

static void
check_others (const char *what,
              GHashTable *before,
              Rest        rest)
{
  g_autoptr(GHashTable) after = list_others ();

  check_missing (what, before, after, "touched", NOTHING);
  check_missing (what, after, before, "left", rest);
}

static gboolean
is_readable_by_group (const char *path)
{
  guint8 value[256];
  gssize size = getxattr (path, ACL, value, sizeof value);
  struct stat st;

  g_assert_cmpint (stat (path, &st), ==, 0);
  for (gssize i = 4; i + 8 <= size; i += 8)
    if (value[i] == 0x04)
      return value[i + 2] != 0;

  return (st.st_mode & 0070) != 0;
}

static void
check_access (const char    *what,
              const Persist *persist)
{
  g_autofree char *path = get_document ();
  struct stat st;

  g_assert_cmpint (stat (path, &st), ==, 0);
  if (persist->replaces && !(mode->allowance & HAS_NO_ACLS) && is_readable_by_group (path))
    complain (what, "the group can read it: mode %o", (guint) st.st_mode);
  if (persist->replaces && (st.st_mode & 0007) != 0)
    complain (what, "others can read it: mode %o", (guint) st.st_mode);
}

/* Returns whether it is the new one. */
static gboolean
check_document (const char    *what,
                const Persist *persist)
{
  g_autofree char *path = get_document ();
  g_autofree char *new_content = get_new_content ();
  g_autofree char *content = NULL;
  gsize size;

  if (!g_file_get_contents (path, &content, &size, NULL))
    {
      if (persist->replaces)
        complain (what, "the document is gone (%s)", report->message);
      return FALSE;
    }

  if (size == CONTENT_SIZE && memcmp (content, new_content, size) == 0)
    {
      check_access (what, persist);
      return TRUE;
    }

  /* This is what has taken the name. */
  if (size == 0 && !persist->replaces && has_fault && (mode->allowance & TAKES_NAMES))
    return FALSE;

  if (!persist->replaces || strcmp (content, old_content) != 0)
    complain (what, "the document has %" G_GSIZE_FORMAT " bytes of neither (%s)", size, report->message);
  return FALSE;
}

/* --- Persisting --- */

static const Persist persists[] = {
  { "unnamed", UNNAMED, TF_PERSIST_NONE, FALSE, "document" },
  { "unnamed-replace", UNNAMED, TF_PERSIST_REPLACE, TRUE, "document" },
  { "unnamed-durable", UNNAMED, TF_PERSIST_DURABLE, FALSE, "document" },
  { "unnamed-replace-durable", UNNAMED, TF_PERSIST_REPLACE | TF_PERSIST_DURABLE, TRUE, "document" },
  { "unnamed-private", UNNAMED, TF_PERSIST_PRIVATE, FALSE, "document" },
  { "named", NAMED, TF_PERSIST_NONE, FALSE, "document" },
  { "named-replace", NAMED, TF_PERSIST_REPLACE, TRUE, "document" },
  { "named-durable", NAMED, TF_PERSIST_DURABLE, FALSE, "document" },
  { "named-replace-durable", NAMED, TF_PERSIST_REPLACE | TF_PERSIST_DURABLE, TRUE, "document" },
  { "named-replace-private", NAMED, TF_PERSIST_REPLACE | TF_PERSIST_PRIVATE, TRUE, "document" },
  { "named-link", NAMED, TF_PERSIST_REPLACE | TF_PERSIST_FOLLOW_SYMLINK, TRUE, "link" },
  { "in-memory", IN_MEMORY, TF_PERSIST_NONE, FALSE, "document" },
  { "in-memory-replace", IN_MEMORY, TF_PERSIST_REPLACE, TRUE, "document" },
  { "in-memory-replace-durable", IN_MEMORY, TF_PERSIST_REPLACE | TF_PERSIST_DURABLE, TRUE, "document" },
  { "rolled-over", ROLLED_OVER, TF_PERSIST_NONE, FALSE, "document" },
  { "rolled-over-replace", ROLLED_OVER, TF_PERSIST_REPLACE, TRUE, "document" },
  { "from-elsewhere", FROM_ELSEWHERE, TF_PERSIST_NONE, FALSE, "document" },
  { "from-elsewhere-replace", FROM_ELSEWHERE, TF_PERSIST_REPLACE, TRUE, "document" },
};

static TfTempFile *
create (Kind     kind,
        GError **error)
{
  switch (kind)
    {
    case NAMED:
      return TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, error));
    case IN_MEMORY:
      return TF_TEMP_FILE (tf_spooled_file_new (2 * CONTENT_SIZE));
    case ROLLED_OVER:
      return TF_TEMP_FILE (tf_spooled_file_new (CONTENT_SIZE / 4));
    case FROM_ELSEWHERE:
      return tf_temp_file_new (elsewhere, NULL, error);
    case UNNAMED:
    default:
      return tf_temp_file_new (NULL, NULL, error);
    }
}

static gboolean
write_content (TfTempFile  *file,
               GError     **error)
{
  const guint n_pieces = 3;
  g_autofree char *content = get_new_content ();

  for (guint i = 0; i < n_pieces; i++)
    if (!tf_temp_file_write (file, content + i * CONTENT_SIZE / n_pieces, CONTENT_SIZE / n_pieces, NULL, error))
      return FALSE;

  return TRUE;
}

static void
do_persist (gconstpointer data)
{
  const Persist *persist = data;
  g_autofree char *path = g_build_filename (mount_point, "dest", persist->destination, NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = create (persist->kind, &error);

  report->was_created = file != NULL;
  report->was_written = file != NULL && write_content (file, &error);
  report->succeeded = report->was_written &&
                      tf_temp_file_persist (file, destination, persist->flags, NULL, NULL, NULL, NULL, &error);
  keep_error (error);
}

static gboolean
must_persist (const Persist *persist)
{
  if (!report->was_created)
    return !(mode->allowance & MAY_NOT_CREATE);
  if (!report->was_written)
    return !(mode->allowance & MAY_NOT_WRITE);
  return !(mode->allowance & (MAY_NOT_PERSIST | MAY_NOT_WRITE));
}

/* Also after a failure that was not asked for, and after death, when what was said is not known. */
static void
check_persisted (const char    *what,
                 const Persist *persist,
                 GHashTable    *before,
                 Rest           rest)
{
  gboolean is_new = check_document (what, persist);
  gboolean may_be_wrong = has_false_errors && (mode->allowance & CANNOT_TELL);

  if (report->succeeded && !is_new)
    complain (what, "persisted, and not there");
  if (report->is_done && !report->succeeded && is_new && !report->is_there && !may_be_wrong)
    complain (what, "the document is the new one, after the error: %s", report->message);
  check_others (what, before, rest);
}

static void
try_persist (const Persist *persist)
{
  g_autoptr(GHashTable) before = NULL;

  make_all (persist->replaces);
  before = list_others ();
  set_fault (NULL);
  if (!do_in_child (do_persist, persist))
    complain (persist->name, "it crashed");
  else if (!report->succeeded && must_persist (persist))
    complain (persist->name, "%s", report->message);

  check_persisted (persist->name, persist, before, get_rest ());
  remove_all ();
}

static gboolean
is_short (void)
{
  return g_getenv ("TF_HOSTILE_STRIDE") == NULL;
}

/* Few requests change names. */
static guint
get_stride (const Fault *fault)
{
  guint stride = is_short () ? 97 : MAX (1, atoi (g_getenv ("TF_HOSTILE_STRIDE")));

  return fault->is_of_changes ? MAX (1, stride / 29) : stride;
}

/* Of the works and of the persists, the short form does each Nth. Each mode begins with another one. */
static guint
get_work_step (void)
{
  return is_short () ? 4 : 1;
}

static guint
get_persist_step (void)
{
  return is_short () ? 9 : 1;
}

static guint
get_first (guint step)
{
  return (mode - modes) % step;
}

/* --- The other things that are done --- */

static void
assert_content (TfTempFile *file)
{
  g_autofree char *content = get_new_content ();
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = tf_temp_file_load_bytes (file, NULL, &error);

  if (bytes == NULL)
    keep_error (error);
  else if (g_bytes_get_size (bytes) != CONTENT_SIZE || memcmp (g_bytes_get_data (bytes, NULL), content, CONTENT_SIZE) != 0)
    g_strlcpy (report->message, WRONG_CONTENT, sizeof report->message);
  else
    report->succeeded = TRUE;
}

/* What was written is read again, or a call says that it was not written: some file systems tell when it is closed. */
static void
do_create (gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = create (GPOINTER_TO_INT (data), &error);

  report->was_created = file != NULL;
  report->was_written = file != NULL && write_content (file, &error) && tf_temp_file_flush (file, NULL, &error);
  keep_error (error);
  if (!report->was_written)
    return;

  assert_content (file);
  report->was_written = g_io_stream_close (G_IO_STREAM (file), NULL, NULL);
}

static void
do_spool (gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = create (IN_MEMORY, NULL);

  report->was_created = TRUE;
  report->was_written = write_content (file, &error) && tf_spooled_file_rollover (TF_SPOOLED_FILE (file), NULL, &error);
  keep_error (error);
  /* Also if it could not roll over */
  assert_content (file);
}

static void
fill_dir (TfTempDir *dir)
{
  g_autofree char *child = g_build_filename (tf_temp_dir_get_path (dir), "child", NULL);
  g_autofree char *closed = g_build_filename (child, "closed", NULL);
  g_autofree char *open_path = g_build_filename (child, "open", NULL);
  g_autofree char *link = g_build_filename (child, "link", NULL);

  mkdir (child, 0700);
  g_file_set_contents_full (closed, "1", 1, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
  /* It stays open until the process ends. */
  if (open (open_path, O_CREAT | O_RDWR | O_CLOEXEC, 0400) < 0)
    return;
  if (symlink ("/", link) < 0)
    return;
  if (mkfifo (closed, 0600) < 0)
    return;
}

static void
do_tree (gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, &error);

  report->was_created = report->was_written = dir != NULL;
  if (dir != NULL)
    {
      fill_dir (dir);
      report->succeeded = tf_temp_dir_cleanup (dir, NULL, &error);
    }
  keep_error (error);
}

/* A directory that was removed takes no descriptor. */
static void
do_many (gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  guint n_fds = 0;

  report->was_created = report->was_written = report->succeeded = TRUE;
  for (guint i = 0; i < 4 && error == NULL; i++)
    {
      g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, &error);

      if (dir == NULL || !tf_temp_dir_cleanup (dir, NULL, &error))
        break;
      if (i == 0)
        n_fds = tf_test_count_fds ();
    }

  if (error == NULL && tf_test_count_fds () != n_fds)
    error = g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED, "%u descriptors have become %u", n_fds, tf_test_count_fds ());
  report->succeeded = error == NULL;
  keep_error (error);
}

static void
do_named (gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, NULL, NULL, &error);

  report->was_created = report->was_written = file != NULL;
  if (file == NULL)
    return;

  /* It is removed, whatever closing says of what was written. */
  g_io_stream_close (G_IO_STREAM (file), NULL, &error);
  report->succeeded = !g_file_test (tf_named_file_get_path (file), G_FILE_TEST_EXISTS);
  keep_error (error);
}

/* All that stays until the end of the process */
static void
do_leave (gconstpointer data)
{
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);

  if (dir != NULL)
    fill_dir (dir);
  if (dir != NULL)
    tf_temp_dir_hold_until_exit (dir);
  if (file != NULL)
    tf_named_file_hold_until_exit (file);
  report->was_created = report->was_written = report->succeeded = dir != NULL && file != NULL;
}

static void
leave_and_die (gconstpointer data)
{
  do_leave (NULL);
  raise (SIGKILL);
}

typedef struct
{
  const char *name;
  void (*func) (gconstpointer data);
  gconstpointer data;
} Work;

static const Work works[] = {
  { "create-unnamed", do_create, GINT_TO_POINTER (UNNAMED) },
  { "create-named", do_create, GINT_TO_POINTER (NAMED) },
  { "create-rolled-over", do_create, GINT_TO_POINTER (ROLLED_OVER) },
  { "spool", do_spool, NULL },
  { "remove-tree", do_tree, NULL },
  { "many-dirs", do_many, NULL },
  { "close-named", do_named, NULL },
  { "exit", do_leave, NULL },
};

static gboolean
must_work (void)
{
  if (!report->was_created)
    return !(mode->allowance & MAY_NOT_CREATE);
  return !(mode->allowance & (report->was_written ? MAY_NOT_CREATE | MAY_LEAVE : MAY_NOT_WRITE));
}

static void
try_work (const Work *work)
{
  g_autoptr(GHashTable) before = NULL;

  make_all (TRUE);
  before = list_others ();
  set_fault (NULL);
  if (!do_in_child (work->func, work->data))
    complain (work->name, "it crashed");
  else if (!report->succeeded && must_work ())
    complain (work->name, "%s", report->message);

  check_others (work->name, before, get_rest ());
  remove_all ();
}

static void
try_kill_and_sweep (void)
{
  g_autoptr(GHashTable) before = NULL;

  make_all (TRUE);
  before = list_others ();
  set_fault (NULL);
  do_in_child (leave_and_die, NULL);
  if (!do_in_child (sweep, NULL))
    complain ("sweep", "it crashed");
  else if (!report->succeeded && get_rest () == NOTHING)
    complain ("sweep", "%s", report->message);
  check_others ("sweep", before, get_rest ());
  remove_all ();
}

/* --- At each request --- */

/* What was replaced can stay, if the error says what is there. A file system that is mounted again is another one, in
 * which no sweep removes anything. */
static Rest
get_rest_of_fault (gboolean has_gone_away)
{
  if (has_gone_away || report->is_there)
    return ANYTHING;
  if (report->is_kept)
    return MAX (NEW_FILES, get_rest ());
  if (mode->allowance & MAY_LEAVE_EMPTY)
    return MAX (EMPTY_FILES, get_rest ());
  if (mode->allowance & MAY_LEAVE_NEW)
    return MAX (NEW_FILES, get_rest ());
  return get_rest ();
}

/* What was written is there, unless a call said that it is not, or would have said so if the process had got to it. What
 * could not roll over is still in memory. */
static void
check_worked (const char *what,
              const Work *work)
{
  gboolean is_accepted_loss = (mode->allowance & MAY_NOT_WRITE) && !(report->is_done && report->was_written);

  if (g_str_equal (report->message, WRONG_CONTENT) && !is_accepted_loss)
    complain (what, "%s", report->message);
  if (work->func == do_spool && report->is_done && !report->was_written && !report->succeeded)
    complain (what, "the content is lost: %s", report->message);
}

/* Sweeps when the file system behaves again, as far as the mode lets it. */
static void
check_fault (const char *what,
             const Work *work,
             GHashTable *before,
             Rest        rest)
{
  Report first = *report;

  if (!do_in_child (sweep, NULL))
    complain (what, "the sweep crashed");
  *report = first;
  has_fault = TRUE;
  if (work->func == do_persist)
    check_persisted (what, work->data, before, rest);
  else
    {
      check_worked (what, work);
      check_others (what, before, rest);
    }
  has_fault = FALSE;
}

static void
mend (gboolean has_died)
{
  if (!has_died)
    {
      set_fault (NULL);
      return;
    }

  stop_server ();
  start_server ();
}

/* Returns whether the request number @n was made. */
static gboolean
try_fault (const Work  *work,
           const Fault *fault,
           guint        n)
{
  const Persist *persist = work->func == do_persist ? work->data : NULL;
  g_autofree char *setting = g_strdup_printf ("%s=%u%s", fault->setting, n, fault->error);
  g_autofree char *what = g_strconcat (work->name, ", ", setting, NULL);
  g_autoptr(GHashTable) before = NULL;
  gboolean has_exited;
  int n_requests;

  make_all (persist == NULL || persist->replaces);
  before = list_others ();
  set_fault (setting);
  has_exited = do_in_child (work->func, work->data);
  n_requests = count_requests (fault);
  if (!has_exited && strcmp (fault->setting, "kill") != 0)
    complain (what, "it crashed");

  mend (n_requests < 0);
  check_fault (what, work, before, get_rest_of_fault (n_requests < 0));
  remove_all ();
  return n_requests < 0 || (guint) n_requests > n;
}

/* With a stride, each work and each fault begins with another request. */
static void
try_fault_at_requests (const Work  *work,
                       const Fault *fault,
                       guint        index)
{
  guint first = 23 * index + 7 * (fault - faults);

  for (guint n = first % get_stride (fault); try_fault (work, fault, n); n += get_stride (fault))
    ;
}

static void
try_faults (const Fault *fault)
{
  for (guint i = get_first (get_persist_step ()); i < G_N_ELEMENTS (persists); i += get_persist_step ())
    try_fault_at_requests (&(Work) { persists[i].name, do_persist, &persists[i] }, fault, i);
  for (guint i = get_first (get_work_step ()); i < G_N_ELEMENTS (works); i += get_work_step ())
    try_fault_at_requests (&works[i], fault, i);
}

/* --- Tests --- */

static char *
make_mount_point (const char *name,
                  const char *type)
{
  char *path = tf_test_path (name);

  g_assert_cmpint (mkdir (path, 0755), ==, 0);
  if (type != NULL)
    g_assert_cmpint (mount (type, path, type, 0, "mode=777"), ==, 0);
  return path;
}

static void
set_up (void)
{
  g_autofree char *tmp_dir = NULL;

  behind = make_mount_point ("behind", "tmpfs");
  elsewhere = make_mount_point ("elsewhere", "tmpfs");
  mount_point = make_mount_point ("mnt", NULL);
  tmp_dir = g_build_filename (mount_point, "tmp", NULL);
  g_assert_true (g_setenv ("TMPDIR", tmp_dir, TRUE));
}

static void
remove_mount_point (char *path)
{
  umount2 (path, MNT_DETACH);
  g_assert_cmpint (rmdir (path), ==, 0);
  g_free (path);
}

static void
tear_down (void)
{
  remove_mount_point (behind);
  remove_mount_point (elsewhere);
  remove_mount_point (mount_point);
}

static void
try_all_works (void)
{
  for (guint i = get_first (get_work_step ()); i < G_N_ELEMENTS (works); i += get_work_step ())
    try_work (&works[i]);
  for (guint i = get_first (get_persist_step ()); i < G_N_ELEMENTS (persists); i += get_persist_step ())
    try_persist (&persists[i]);
  try_kill_and_sweep ();
}

/* --- What is lost and told once --- */

typedef struct
{
  const char *name;
  Kind kind;
  const char *settings;
  void (*start_child) (void); /* (nullable): one that closes all descriptors before the file is persisted */
  gboolean is_of_copy;        /* and not of the file itself */
  goffset gap;                /* before the content of a copy */
} Loss;

static void
run_program (void)
{
  g_assert_cmpint (system ("true"), ==, 0);
}

static void
fork_child (void)
{
  pid_t pid = fork ();

  if (pid == 0)
    _exit (0);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
}

#define HALF "late-quota=49152,tells-once"
#define NOTHING "late-quota=0,tells-once"

static const Loss losses[] = {
  { "unnamed", UNNAMED, HALF, NULL },
  { "unnamed-program", UNNAMED, HALF, run_program },
  { "unnamed-fork", UNNAMED, NOTHING, fork_child }, /* the child may have cut it off */
  { "named", NAMED, HALF, NULL },
  { "named-program", NAMED, NOTHING, run_program }, /* what has a name may have been cut off by others */
  { "rolled-over", ROLLED_OVER, HALF, NULL },
  { "rolled-over-program", ROLLED_OVER, HALF, run_program },
  { "copy-of-memory", IN_MEMORY, HALF, NULL, TRUE },
  { "copy-of-memory-with-gap", IN_MEMORY, HALF, NULL, TRUE, 8192 },
  { "copy-from-elsewhere", FROM_ELSEWHERE, HALF, NULL, TRUE },
  { "copy-from-elsewhere-with-gap", FROM_ELSEWHERE, HALF, NULL, TRUE, 8192 },
};

/* A fault can hit what the kernel asks for first. */
static void
set_settings (const char *settings)
{
  gsize size = strlen (settings);

  g_assert_true (setxattr (mount_point, HOSTILE_ATTRIBUTE, settings, size, 0) == 0 ||
                 setxattr (mount_point, HOSTILE_ATTRIBUTE, settings, size, 0) == 0);
}

static gboolean
persist_document (TfTempFile  *file,
                  GError     **error)
{
  g_autofree char *path = g_build_filename (mount_point, "dest", "document", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (path);

  return tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, error);
}

/* The second persist() finds room, and what was written before is lost all the same, until it is written again. */
static void
do_lose (gconstpointer data)
{
  const Loss *loss = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) again = NULL;
  g_autoptr(TfTempFile) file = create (loss->kind, &error);

  g_assert_true (file != NULL && write_content (file, &error));
  g_assert_true (tf_temp_file_flush (file, NULL, NULL));
  if (loss->start_child != NULL)
    loss->start_child ();
  g_assert_false (persist_document (file, &error));

  set_settings ("");
  g_assert_false (persist_document (file, &again));
  if (loss->start_child == NULL)
    {
      g_assert_cmpint (error->code, ==, G_IO_ERROR_NO_SPACE);
      g_assert_cmpint (again->code, ==, G_IO_ERROR_NO_SPACE);
    }

  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 0, NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  g_assert_true (write_content (file, NULL) && persist_document (file, NULL));
  report->succeeded = TRUE;
}

static void
run_program_at_end (goffset  n_bytes,
                    goffset  n_all,
                    gpointer data)
{
  if (n_bytes == n_all)
    run_program ();
}

/* The child ends between the last write of the copy and the first question for it. */
static void
do_lose_copy (gconstpointer data)
{
  const Loss *loss = data;
  g_autofree char *path = g_build_filename (mount_point, "dest", "document", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempFile) file = create (loss->kind, &error);

  g_assert_true (file != NULL && g_seekable_seek (G_SEEKABLE (file), loss->gap, G_SEEK_SET, NULL, NULL));
  g_assert_true (write_content (file, NULL));
  g_assert_false (tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE, NULL, run_program_at_end, NULL, NULL, &error));
  g_assert_nonnull (error);

  set_settings ("");
  g_assert_true (persist_document (file, NULL));
  g_assert_cmpint (tf_temp_file_get_size (file), ==, loss->gap + CONTENT_SIZE);
  report->succeeded = TRUE;
}

static void
cut_off_in_child (TfTempFile *file)
{
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    _exit (g_seekable_truncate (G_SEEKABLE (file), 10, NULL, NULL) ? 0 : 1);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

static void
cut_off_by_descriptor (TfTempFile *file)
{
  g_assert_cmpint (ftruncate (tf_temp_file_get_fd (file, NULL, NULL), 10), ==, 0);
}

static void
empty (TfTempFile *file)
{
  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 0, NULL, NULL));
}

/* What is shorter than it was is not always lost. */
static void
do_cut_off (gconstpointer data)
{
  const struct { void (*cut_off) (TfTempFile *file); goffset size; } cases[] = {
    { cut_off_in_child, 10 }, { cut_off_by_descriptor, 10 }, { empty, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(TfTempFile) file = create (UNNAMED, NULL);

      g_assert_true (write_content (file, NULL));
      cases[i].cut_off (file);
      g_assert_true (persist_document (file, NULL));
      g_assert_cmpint (tf_temp_file_get_size (file), ==, cases[i].size);
    }
  report->succeeded = TRUE;
}

/* What was lost of what another has written by the descriptor is not told of what is written after that. */
static void
do_write_anew (gconstpointer data)
{
  g_autofree char *content = g_malloc0 (CONTENT_SIZE);
  g_autoptr(TfTempFile) file = create (UNNAMED, NULL);
  int fd = tf_temp_file_get_fd (file, NULL, NULL);

  set_settings (HALF);
  g_assert_cmpint (pwrite (fd, content, CONTENT_SIZE, 0), ==, CONTENT_SIZE);
  set_settings ("tells-once");
  empty (file);
  g_assert_true (write_content (file, NULL));
  g_assert_true (persist_document (file, NULL));
  report->succeeded = TRUE;
}

static void
test_loss (gconstpointer data)
{
  const Loss *loss = data;
  const Mode honest = { "honest", "" };
  const Persist persist = { loss->name, loss->kind, TF_PERSIST_REPLACE, TRUE, "document" };

  mode = &honest;
  set_up ();
  start_server ();
  make_all (TRUE);
  set_settings (loss->settings);
  if (!do_in_child (loss->is_of_copy ? do_lose_copy : do_lose, loss) || !report->succeeded)
    complain (loss->name, "it crashed");
  else if (loss->gap == 0 && !check_document (loss->name, &persist))
    complain (loss->name, "it was not persisted in the end");
  remove_all ();
  stop_server ();
  tear_down ();
}

static void
add_losses (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (losses); i++)
    {
      g_autofree char *path = g_strdup_printf ("/hostile/lost/%s", losses[i].name);

      g_test_add_data_func (path, &losses[i], test_loss);
    }
}

/* Who looks at mapped bytes ends if the server cannot give them then. */
static void
do_steal (gconstpointer data)
{
  g_autofree char *content = get_new_content ();
  g_autoptr(TfTempFile) file = create (UNNAMED, NULL);
  g_autoptr(GBytes) bytes = NULL;
  g_autofree char *maps = NULL;

  g_assert_true (write_content (file, NULL));
  bytes = tf_temp_file_steal_bytes (file, NULL, NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), content, CONTENT_SIZE);
  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  g_assert_null (strstr (maps, mount_point));
  report->succeeded = TRUE;
}

/* In a directory that cannot be listed, nobody knows. */
static const char *const losses_of_document[] = {
  "lost=1:EIO",
  "lost=1000:EIO",
  "lost=1:EACCES,opendir=EACCES",
  "lost=1:EIO,readdir=EIO",
  "lost=1000:EIO,opendir=EACCES",
};

/* The name that the file system has taken from the document is given to the new one if it can be. Otherwise nothing is removed,
 * and the error says where the bytes are. */
static void
do_lose_document (gconstpointer data)
{
  const TfPersistFlags flags[] = { TF_PERSIST_REPLACE, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP };
  const Kind kinds[] = { UNNAMED, NAMED, FROM_ELSEWHERE };
  g_autofree char *path = get_document ();
  g_autofree char *backup = g_build_filename (behind, "dest", "document~", NULL);
  g_autofree char *shown = g_build_filename (mount_point, "dest", "document", NULL);
  g_autofree char *new_content = get_new_content ();

  for (guint i = 0; i < 6 * G_N_ELEMENTS (losses_of_document); i++)
    {
      g_autoptr(TfTempFile) file = create (kinds[i % 3], NULL);
      g_autoptr(GFile) destination = g_file_new_for_path (shown);
      g_autoptr(GError) error = NULL;
      g_autofree char *content = NULL;
      const char *settings = losses_of_document[i / 6];
      gboolean is_lasting = strstr (settings, "lost=1:") == NULL;
      int reader;

      unlink (path);
      unlink (backup);
      make_document ();
      make_file ("dest/document~", "another's");
      g_assert_true (write_content (file, NULL));
      reader = open (shown, O_RDONLY | O_CLOEXEC);
      g_assert_cmpint (reader, >=, 0);
      set_settings (settings);
      g_assert_true (tf_temp_file_persist (file, destination, flags[i / 3 % 2], NULL, NULL, NULL, NULL, &error) == !is_lasting);
      set_settings ("hide");
      close (reader);
      g_clear_object (&file);
      if (is_lasting)
        {
          g_auto(GStrv) parts = g_strsplit (error->message, "”", 2);
          const char *name = strrchr (parts[0], '/');
          g_autofree char *kept = g_build_filename (behind, "dest", name, NULL);

          g_assert_cmpint (error->code, ==, G_IO_ERROR_FAILED);
          g_assert_true (g_str_has_prefix (error->message, "The bytes are at “"));
          g_assert_true (tf_sweep (NULL, NULL, 0, NULL, NULL, NULL));
          g_assert_true (g_file_get_contents (kept, &content, NULL, NULL));
          unlink (kept);
        }
      else
        {
          g_assert_no_error (error);
          g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
        }
      g_assert_cmpmem (content, CONTENT_SIZE, new_content, CONTENT_SIZE);
      g_clear_pointer (&content, g_free);
      g_assert_true (g_file_get_contents (backup, &content, NULL, NULL));
      g_assert_cmpstr (content, ==, flags[i / 3 % 2] & TF_PERSIST_BACKUP ? old_content : "another's");
    }
  report->succeeded = TRUE;
}

/* Persists once, while the change number @n is made and fails. Two names of a file would be one node. */
static void
persist_unheard (const Kind    *kind,
                 TfPersistFlags flags,
                 int            n,
                 const char    *with_error)
{
  g_autofree char *name = g_strdup_printf ("document-%s-%d-%d-%d", with_error, *kind, flags, n);
  g_autofree char *path = g_build_filename (mount_point, "dest", name, NULL);
  g_autofree char *backup_name = g_strconcat ("dest/", name, "~", NULL);
  g_autofree char *document = g_build_filename (behind, "dest", name, NULL);
  g_autofree char *backup = g_build_filename (behind, backup_name, NULL);
  g_autofree char *fault = g_strdup_printf ("remembers,link=EPERM,done=%d:%s", n, with_error);
  g_autofree char *new_content = get_new_content ();
  g_autofree char *content = NULL;
  g_autofree char *backup_content = NULL;
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(TfTempFile) file = create (*kind, NULL);
  g_autoptr(GError) error = NULL;
  gboolean success;
  gsize size;

  make_file (document + strlen (behind) + 1, old_content);
  make_file (backup_name, "another's");
  g_assert_true (write_content (file, NULL));
  set_settings (fault);
  success = tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | flags, NULL, NULL, NULL, NULL, &error);
  set_settings ("remembers");

  g_assert_true (g_file_get_contents (document, &content, &size, NULL));
  g_assert_true (g_file_get_contents (backup, &backup_content, NULL, NULL));
  if (success)
    g_assert_cmpmem (content, size, new_content, CONTENT_SIZE);
  else
    g_assert_cmpstr (content, ==, old_content);
  g_assert_cmpstr (backup_content, ==, success && (flags & TF_PERSIST_BACKUP) ? old_content : "another's");
}

/* What the kernel remembers of the names is that of before. EPERM says that there is no such exchange. */
static void
do_persist_unheard (gconstpointer data)
{
  const Kind kinds[] = { UNNAMED, NAMED, FROM_ELSEWHERE };
  const char *const errors[] = { "EPERM", "EIO", "ENOSPC" };

  for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
    for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
      for (int n = 0; n < 12; n++)
        {
          persist_unheard (&kinds[k], TF_PERSIST_NONE, n, errors[i]);
          if (i > 0)
            persist_unheard (&kinds[k], TF_PERSIST_BACKUP, n, errors[i]);
        }
  report->succeeded = TRUE;
}

/* The same for a former backup that somebody has open, where names cannot be exchanged. */
static void
do_lose_backup (gconstpointer data)
{
  const char *const settings[] = { "link=EPERM,rename-flags=EINVAL,lost=1:EIO", "link=EPERM,rename-flags=EINVAL,lost=1000:EIO" };
  g_autofree char *path = get_document ();
  g_autofree char *shown = g_build_filename (mount_point, "dest", "document", NULL);
  g_autofree char *shown_backup = g_strconcat (shown, "~", NULL);
  g_autofree char *backup = g_strconcat (path, "~", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (shown);

  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
    {
      g_autoptr(TfTempFile) file = create (UNNAMED, NULL);
      g_autoptr(GError) error = NULL;
      g_autofree char *content = NULL;
      g_autofree char *kept = NULL;
      int reader = open (shown_backup, O_RDONLY | O_CLOEXEC);
      gboolean success;

      g_assert_cmpint (reader, >=, 0);
      g_assert_true (write_content (file, NULL));
      set_settings (settings[i]);
      success = tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, NULL, NULL, NULL, NULL, &error);
      set_settings ("hide");
      close (reader);
      g_assert_true (success == (i == 0));
      if (!success)
        {
          g_auto(GStrv) parts = g_strsplit (error->message, "”", 2);

          g_assert_true (g_str_has_prefix (error->message, "The new backup or the former one is at “"));
          kept = g_build_filename (behind, "dest", strrchr (parts[0], '/'), NULL);
        }
      g_assert_true (g_file_get_contents (success ? backup : kept, &content, NULL, NULL));
      if (success)
        g_assert_cmpstr (content, ==, old_content);
      else
        g_assert_cmpuint (strlen (content), ==, CONTENT_SIZE);
      if (!success)
        g_assert_cmpint (unlink (kept), ==, 0);
    }
  report->succeeded = TRUE;
}

/* An error of a rename does not say that the document is lost if it is there by a name that is as good. */
static void
do_refuse_case (gconstpointer data)
{
  g_autofree char *path = g_build_filename (behind, "dest", "\303\204rger", NULL);
  g_autofree char *shown = g_build_filename (mount_point, "dest", "ärger", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (shown);
  const TfPersistFlags flags[] = { TF_PERSIST_REPLACE, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP };

  make_file (path + strlen (behind) + 1, old_content);
  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      g_autoptr(TfTempFile) file = create (UNNAMED, NULL);
      g_autoptr(GError) error = NULL;

      g_assert_true (write_content (file, NULL));
      set_settings ("ignore-case,rename=EACCES");
      g_assert_false (tf_temp_file_persist (file, destination, flags[i], NULL, NULL, NULL, NULL, &error));
      g_assert_false (g_str_has_prefix (error->message, "The bytes are at "));
      set_settings ("");
    }
  report->succeeded = TRUE;
}

/* If the last step is refused, the former backup gets its name again, though the link that had it has another inode number. */
static void
do_refuse_with_backup (gconstpointer data)
{
  const Kind kinds[] = { UNNAMED, NAMED, FROM_ELSEWHERE };
  const char *const settings[] = { "inodes-of-names,rename=EACCES", "inodes-of-names,remembers,rename=EIO" };
  g_autofree char *path = get_document ();
  g_autofree char *backup = g_strconcat (path, "~", NULL);
  g_autofree char *shown = g_build_filename (mount_point, "dest", "document", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (shown);

  for (guint i = 0; i < G_N_ELEMENTS (settings) * G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr(TfTempFile) file = NULL;
      g_autoptr(GError) error = NULL;
      g_autofree char *content = NULL;
      g_autofree char *backup_content = NULL;

      make_document ();
      make_file ("dest/document~", "another's");
      set_settings ("inodes-of-names");
      file = create (kinds[i % G_N_ELEMENTS (kinds)], NULL);
      g_assert_true (write_content (file, NULL));
      set_settings (settings[i / G_N_ELEMENTS (kinds)]);
      g_assert_false (tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, NULL, NULL, NULL, NULL, &error));
      set_settings ("inodes-of-names");
      g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
      g_assert_cmpstr (content, ==, old_content);
      g_assert_true (g_file_get_contents (backup, &backup_content, NULL, NULL));
      g_assert_cmpstr (backup_content, ==, "another's");
    }
  report->succeeded = TRUE;
}

static ino_t
get_inode (const char *dir_name,
           const char *name)
{
  g_autofree char *path = g_build_filename (behind, dir_name, name, NULL);
  struct stat st;

  return stat (path, &st) == 0 ? st.st_ino : 0;
}

/* Returns whether a file is in the directory, by whatever name. */
static gboolean
is_in (const char *dir_name,
       ino_t       inode)
{
  g_autofree char *path = g_build_filename (behind, dir_name, NULL);
  g_autoptr(GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  gboolean is_there = FALSE;

  while (!is_there && (name = g_dir_read_name (dir)) != NULL)
    is_there = get_inode (dir_name, name) == inode;
  return is_there;
}

/* Persists with a backup while the last step is refused, in a directory of its own. Sets @is_former_there and
 * @are_theirs_there. */
static void
persist_refused (const char *settings,
                 gboolean   *is_former_there,
                 gboolean   *are_theirs_there)
{
  static guint n_dirs;
  g_autofree char *dir_name = g_strdup_printf ("dest/refused-%u", n_dirs++);
  g_autofree char *document_name = g_build_filename (dir_name, "document", NULL);
  g_autofree char *backup_name = g_strconcat (document_name, "~", NULL);
  g_autofree char *theirs_name = g_build_filename (dir_name, "theirs", NULL);
  g_autofree char *shown = g_build_filename (mount_point, document_name, NULL);
  g_autofree char *path = g_build_filename (behind, document_name, NULL);
  g_autofree char *content = NULL;
  g_autoptr(GFile) destination = g_file_new_for_path (shown);
  g_autoptr(TfTempFile) file = NULL;
  ino_t former;
  ino_t theirs;

  make_dir (dir_name);
  make_file (document_name, old_content);
  make_file (backup_name, "another's");
  make_file (theirs_name, old_content);
  if (strstr (settings, "obeys-modes") != NULL)
    g_assert_cmpint (chmod (path, 0200), ==, 0);
  former = get_inode (dir_name, "document~");
  theirs = get_inode (dir_name, "theirs");
  set_settings (strstr (settings, "inodes-of-names") != NULL ? "inodes-of-names" : "");
  file = create (UNNAMED, NULL);
  g_assert_true (write_content (file, NULL));
  set_settings (settings);
  g_assert_false (tf_temp_file_persist (file, destination, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, NULL, NULL, NULL, NULL, NULL));
  set_settings ("");
  g_clear_object (&file);
  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, old_content);
  *is_former_there = is_in (dir_name, former);
  *are_theirs_there = is_in (dir_name, theirs);
}

static const struct
{
  const char *settings; /* with the number of a request behind */
  const char *rest;
  guint n;
  gboolean takes; /* what another machine puts at the name of the backup takes the place of the former one */
} refusals[] = {
  { "inodes-of-names,rename=EACCES,taken=", "", 12, TRUE },
  { "rename=EACCES,taken=", "", 12, TRUE },
  { "inodes-of-names,rename=EACCES,forgets=", "", 12, FALSE },
  { "rename=EACCES,stuck=", ":EIO", 12, FALSE },
  { "inodes-of-names,rename=EACCES,stuck=", ":EIO", 12, FALSE },
  { "rename=EACCES,at=", ":EIO", 150, FALSE },
  { "inodes-of-names,rename=EACCES,at=", ":EIO", 150, FALSE },
  { "inodes-of-names,use-ino,goes-by-names,link=EPERM,rename=EACCES,done=", ":EIO", 12, FALSE },
  { "inodes-of-names,use-ino,goes-by-names,rename=EACCES,done=", ":EIO", 12, FALSE },
  { "inodes-of-names,goes-by-names,link=EPERM,rename=EACCES,done=", ":EIO", 12, FALSE },
  { "remembers,link=EPERM,rename=EACCES,done=", ":EIO", 12, FALSE },
  { "inodes-of-names,remembers,link=EPERM,rename=EACCES,done=", ":EIO", 12, FALSE },
  { "rename=EACCES,opendir=EACCES,at=1000", ":EIO", 1, FALSE },
  { "inodes-of-names,rename=EACCES,readdir=EIO,at=1000", ":EIO", 1, FALSE },
  { "obeys-modes,rename=EACCES,done=", ":EIO", 12, FALSE },
  { "inodes-of-names,obeys-modes,rename=EACCES,done=", ":EIO", 12, FALSE },
  { "inodes-of-names,goes-by-names,obeys-modes,rename=EACCES,done=", ":EIO", 12, FALSE },
};

/* Whatever happens while the backup is taken back, nothing is removed that is not known to be the backup. */
static void
do_keep_backups (gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    for (guint n = 0; n < refusals[i].n; n++)
      {
        g_autofree char *settings = g_strdup_printf ("%s%u%s", refusals[i].settings, n, refusals[i].rest);
        gboolean is_former_there;
        gboolean are_theirs_there;

        persist_refused (settings, &is_former_there, &are_theirs_there);
        g_test_message ("%s", settings);
        g_assert_true (are_theirs_there);
        g_assert_true (is_former_there || refusals[i].takes);
      }
  report->succeeded = TRUE;
}

static const Work keep_backups_work = { "backups-kept", do_keep_backups };
static const Work refuse_with_backup_work = { "backup-refused", do_refuse_with_backup };
static const Work lose_backup_work = { "backup-lost", do_lose_backup };
static const Work refuse_case_work = { "case-refused", do_refuse_case };
static const Work persist_unheard_work = { "unheard", do_persist_unheard };
static const Work lose_document_work = { "document-lost", do_lose_document };
static const Work cut_off_work = { "cut-off", do_cut_off };
static const Work steal_work = { "stolen", do_steal };
static const Work write_anew_work = { "written-anew", do_write_anew };

static void
test_honest (gconstpointer data)
{
  const Work *work = data;
  const Mode honest = { "honest", "" };

  mode = &honest;
  set_up ();
  start_server ();
  make_all (TRUE);
  if (!do_in_child (work->func, NULL) || !report->succeeded)
    complain (work->name, "it crashed");
  remove_all ();
  stop_server ();
  tear_down ();
}

/* --- What is mounted where the library has something, and does not answer --- */

static void
hang (const char *path)
{
  g_free (mount_point);
  mount_point = g_strdup (path);
  start_server ();
  g_assert_cmpint (kill (server, SIGSTOP), ==, 0);
}

static TfTempDir *
make_dir_to_hang (void)
{
  g_autoptr(GError) error = NULL;
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, elsewhere, NULL, &error);

  g_assert_no_error (error);
  return dir;
}

static void
assert_busy (TfTempDir *dir)
{
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);

  stop_server ();
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, NULL));
}

static void
do_hang_on_top (gconstpointer data)
{
  g_autoptr(TfTempDir) dir = make_dir_to_hang ();

  hang (tf_temp_dir_get_path (dir));
  assert_busy (dir);
  report->succeeded = TRUE;
}

/* The library remembers the directory of the file. */
static void
do_hang_below (gconstpointer data)
{
  g_autoptr(TfTempDir) dir = make_dir_to_hang ();
  g_autofree char *path = g_build_filename (tf_temp_dir_get_path (dir), "mnt", NULL);
  g_autoptr(TfNamedFile) file = NULL;

  g_assert_cmpint (mkdir (path, 0700), ==, 0);
  file = tf_named_file_new (NULL, NULL, path, NULL, NULL);
  g_assert_nonnull (file);
  hang (path);
  assert_busy (dir);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  report->succeeded = TRUE;
}

static char *
leave_dir (void)
{
  char *path = mmap (NULL, PATH_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t pid = fork ();

  g_assert_true (path != MAP_FAILED);
  if (pid == 0)
    {
      g_strlcpy (path, tf_temp_dir_get_path (make_dir_to_hang ()), PATH_MAX);
      _exit (0);
    }
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  return path;
}

static void
do_hang_in_sweep (gconstpointer data)
{
  char *path = leave_dir ();
  g_autoptr(GError) error = NULL;

  hang (path);
  g_assert_false (tf_sweep (NULL, elsewhere, 0, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  stop_server ();
  g_assert_true (tf_sweep (NULL, elsewhere, 0, NULL, NULL, NULL));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  report->succeeded = TRUE;
}

static void
test_hanging (gconstpointer func)
{
  const Mode honest = { "honest", "" };

  mode = &honest;
  set_up ();
  start_server ();
  if (!do_in_child ((void (*) (gconstpointer)) func, NULL) || !report->succeeded)
    complain ("hanging", "it crashed");
  stop_server ();
  tear_down ();
}

typedef struct
{
  const Mode *mode;
  const Fault *fault; /* (nullable) */
} Test;

static void
test_mode (gconstpointer data)
{
  const Test *test = data;

  mode = test->mode;
  has_false_errors = test->fault != NULL && test->fault->is_of_changes;
  set_up ();
  start_server ();
  if (test->fault != NULL)
    try_faults (test->fault);
  else
    try_all_works ();
  stop_server ();
  tear_down ();
}

static void
add (const Mode  *added,
     const Fault *fault)
{
  g_autofree char *path = g_strdup_printf ("/hostile/%s/%s", fault != NULL ? fault->name : "mode", added->name);
  Test *test = g_new (Test, 1);

  *test = (Test) { added, fault };
  g_test_add_data_func_full (path, test, test_mode, g_free);
}

/* With TF_HOSTILE_STRIDE all modes have faults as well. */
static void
add_tests (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      add (&modes[i], NULL);
      for (guint j = 0; j < G_N_ELEMENTS (faults); j++)
        if (modes[i].has_faults || !is_short ())
          add (&modes[i], &faults[j]);
    }
}

static const char *
why_not (void)
{
  if (strcmp (HOSTILE_FS, "") == 0)
    return "there is no libfuse3";
  if (geteuid () != 0)
    return "mounting needs root";
  if (access ("/dev/fuse", R_OK | W_OK) != 0)
    return "there is no /dev/fuse";
  if (unshare (CLONE_NEWNS) != 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    return "no mount namespace may be made here";
  return NULL;
}

static void
skip_all (gconstpointer reason)
{
  g_test_skip (reason);
}

int
main (int    argc,
      char **argv)
{
  const char *reason;

  tf_test_init (&argc, &argv);
  reason = why_not ();
  if (reason != NULL)
    {
      g_test_add_data_func ("/hostile", reason, skip_all);
      return tf_test_run ();
    }

  report = mmap (NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert_true (report != MAP_FAILED);
  add_tests ();
  add_losses ();
  g_test_add_data_func ("/hostile/cut-off", &cut_off_work, test_honest);
  g_test_add_data_func ("/hostile/document-lost", &lose_document_work, test_honest);
  g_test_add_data_func ("/hostile/backup-lost", &lose_backup_work, test_honest);
  g_test_add_data_func ("/hostile/case-refused", &refuse_case_work, test_honest);
  g_test_add_data_func ("/hostile/backup-refused", &refuse_with_backup_work, test_honest);
  g_test_add_data_func ("/hostile/backups-kept", &keep_backups_work, test_honest);
  g_test_add_data_func ("/hostile/unheard", &persist_unheard_work, test_honest);
  g_test_add_data_func ("/hostile/stolen", &steal_work, test_honest);
  g_test_add_data_func ("/hostile/written-anew", &write_anew_work, test_honest);
  g_test_add_data_func ("/hostile/hanging/on-top", do_hang_on_top, test_hanging);
  g_test_add_data_func ("/hostile/hanging/below", do_hang_below, test_hanging);
  g_test_add_data_func ("/hostile/hanging/in-sweep", do_hang_in_sweep, test_hanging);
  return tf_test_run ();
}
