/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define FUSE_USE_VERSION 31

#include <fuse_lowlevel.h>
#include <glib.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "hostile-fs.h"

/* A file system that shows a folder, and misbehaves as it is told: hostile-fs FOLDER MOUNT-POINT SETTINGS
 *
 * It writes a line when it is mounted, and runs until it is unmounted. There is one thread: when a call through the file
 * system has returned, all calls before it are done. Nothing is cached, but for what is told of hidden files.
 *
 * Settings are words with commas between them, said when it is started, or set later as the attribute HOSTILE_ATTRIBUTE
 * of the root, which takes the place of all settings before. Read, it is the number of requests since then, and of those
 * of them that change names.
 *
 *   REQUEST=ERROR     this request fails: a name in request_names, an error in error_names
 *   at=N:ERROR        the request number N, counted from 0, fails
 *   from=N:ERROR      that and all later ones fail
 *   done=N:ERROR      the request number N of those that change names is carried out, and fails all the same
 *   stuck=N:ERROR     from that one on, renaming and exchanging fails
 *   taken=N           right before the same one, if it exchanges names, another machine renames "theirs" to the second name
 *   forgets=N         right before the same one, if it renames, each name but "document" gets a new inode number, see
 *                     inodes-of-names
 *   kill=N            who makes that request is killed; it is carried out
 *   die=N             the file system ends instead of answering
 *   quota=N           no file is larger than N bytes: EDQUOT
 *   late-quota=N      the same, but writing succeeds, and only flush and fsync say so. The bytes are lost
 *   tells-once        and say so once
 *   unlinked=ERROR    fstat() fails once the file has no name
 *   acl-unnamed       listxattr() does not name ACLs
 *   flock-local       flock() is not seen by other mounts; only when started
 *   owner=N           everything looks as if it were this user's
 *   squash            what anyone creates is nobody's
 *   obeys-modes       a file that its owner may not read is read by nobody
 *   chmod-ignored     chmod() succeeds and does nothing
 *   inodes-by-lookup  inode numbers change when a name is looked up, if nothing has the file open
 *   inodes-change     inode numbers change at each look
 *   inodes-of-names   each name has an inode number of its own, which a rename takes along, as libfuse has it by default
 *   use-ino           the same, but the numbers that are told are those of the files, as libfuse has it with use_ino
 *   ignore-case       names that differ only in case are one
 *   hide              what is removed while it is open gets the name .fuse_hidden*
 *   hidden-taken=N    the same, and another machine then gives that name to a file of N bytes. What is done without a
 *                     descriptor is done to that one
 *   lost=N:ERROR      hide, and when the first open file was hidden for another one to be renamed over it, N such
 *                     renames fail
 *   goes-by-names     as libfuse does: after a rename that was carried out and failed, what was known by a name, or is open by
 *                     it, is taken for what has the name
 *   remembers         the same, and the kernel remembers names and sizes for a second
 *   clock=N           all times are N seconds later
 *   clock-grain=N     all times are multiples of N seconds
 *   one-link          each file seems to have one link
 */

#define NOBODY 65534

typedef struct
{
  fuse_ino_t id;
  int fd; /* O_PATH */
  dev_t device;
  ino_t inode;
  guint64 n_lookups;
  guint n_open;
  gboolean is_gone; /* by its name */
  int lost; /* the error of bytes that were lost, or 0 */
  int hidden_dir; /* of the name that it got when it was removed, or -1 */
  char *hidden_name; /* (nullable) */
  char *key; /* (nullable): in nodes_by_name */
} Node;

typedef struct
{
  int at_error;
  guint64 at;
  guint64 from;
  guint64 done_at;
  guint64 stuck_from;
  guint64 taken_at;
  guint64 forgets_at;
  guint64 kill_at;
  guint64 die_at;
  guint64 quota;
  gboolean is_quota_late;
  gboolean tells_once;
  int unlinked;
  gboolean hides_acls;
  gboolean has_local_flock;
  gint64 owner; /* or -1 */
  gboolean squashes;
  gboolean obeys_modes;
  gboolean ignores_modes;
  gboolean has_new_inodes;
  gboolean has_changing_inodes;
  gboolean has_inodes_of_names;
  gboolean uses_inodes;
  gboolean ignores_case;
  gboolean hides;
  gboolean goes_by_names;
  gboolean remembers;
  gint64 hidden_size; /* of another machine's file, or -1 */
  guint64 n_lost;
  int lost_error;
  gboolean is_losing; /* something was hidden */
  gint64 clock;
  gint64 clock_grain;
  gboolean has_one_link;
} Settings;

static Settings settings;
static GHashTable *failing; /* (element-type utf8 int): by name of request */
static pid_t test; /* that has started it */
static guint64 n_requests; /* since the settings were set */
static guint64 n_changes; /* of them, those that change names */
static int false_error; /* with which the current request is to fail when it is done, or 0 */
static GHashTable *nodes; /* (element-type guint64 Node) */
static GHashTable *nodes_by_inode; /* (element-type guint64 Node) */
static GHashTable *nodes_by_name; /* (element-type utf8 Node): by get_key(), where inode numbers are those of names */
static Node *root;
static fuse_ino_t last_id = G_GUINT64_CONSTANT (1) << 40;

/* --- Settings --- */

typedef struct
{
  const char *name;
  int value;
} Pair;

static const Pair error_names[] = {
  { "EACCES", EACCES },         { "EDQUOT", EDQUOT }, { "EEXIST", EEXIST }, { "EINVAL", EINVAL }, { "EIO", EIO },
  { "EMLINK", EMLINK },         { "ENOENT", ENOENT }, { "ENOLCK", ENOLCK }, { "ENOSPC", ENOSPC }, { "ENOSYS", ENOSYS },
  { "EOPNOTSUPP", EOPNOTSUPP }, { "EPERM", EPERM },   { "EROFS", EROFS },   { "ESTALE", ESTALE }, { "EXDEV", EXDEV },
};

static const Pair request_names[] = {
  { "copy_file_range", FUSE_COPY_FILE_RANGE },
  { "create", FUSE_CREATE },
  { "fallocate", FUSE_FALLOCATE },
  { "flock", FUSE_SETLK },
  { "flush", FUSE_FLUSH },
  { "fsync", FUSE_FSYNC },
  { "fsyncdir", FUSE_FSYNCDIR },
  { "getattr", FUSE_GETATTR },
  { "getxattr", FUSE_GETXATTR },
  { "link", FUSE_LINK },
  { "listxattr", FUSE_LISTXATTR },
  { "lookup", FUSE_LOOKUP },
  { "mkdir", FUSE_MKDIR },
  { "open", FUSE_OPEN },
  { "opendir", FUSE_OPENDIR },
  { "read", FUSE_READ },
  { "readdir", FUSE_READDIR },
  { "removexattr", FUSE_REMOVEXATTR },
  { "rename", FUSE_RENAME },
  { "rename-flags", FUSE_RENAME2 },
  { "rmdir", FUSE_RMDIR },
  { "setxattr", FUSE_SETXATTR },
  { "statfs", FUSE_STATFS },
  { "symlink", FUSE_SYMLINK },
  { "unlink", FUSE_UNLINK },
  { "write", FUSE_WRITE },
};

static int
parse_error (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (error_names); i++)
    if (strcmp (name, error_names[i].name) == 0)
      return error_names[i].value;

  g_error ("There is no error %s", name);
}

/* "N:ERROR" */
static guint64
parse_point (const char *value)
{
  settings.at_error = parse_error (strchr (value, ':') + 1);
  return strtoull (value, NULL, 10);
}

static gboolean
parse_flag (const char *name)
{
  const struct
  {
    const char *name;
    gboolean *flag;
  } flags[] = {
    { "acl-unnamed", &settings.hides_acls },
    { "flock-local", &settings.has_local_flock },
    { "squash", &settings.squashes },
    { "tells-once", &settings.tells_once },
    { "obeys-modes", &settings.obeys_modes },
    { "chmod-ignored", &settings.ignores_modes },
    { "inodes-by-lookup", &settings.has_new_inodes },
    { "inodes-change", &settings.has_changing_inodes },
    { "inodes-of-names", &settings.has_inodes_of_names },
    { "use-ino", &settings.uses_inodes },
    { "ignore-case", &settings.ignores_case },
    { "hide", &settings.hides },
    { "goes-by-names", &settings.goes_by_names },
    { "remembers", &settings.remembers },
    { "one-link", &settings.has_one_link },
  };

  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    if (strcmp (name, flags[i].name) == 0)
      return *flags[i].flag = TRUE;

  return FALSE;
}

static void
parse_value (const char *name,
             const char *value)
{
  if (strcmp (name, "at") == 0)
    settings.at = parse_point (value);
  else if (strcmp (name, "from") == 0)
    settings.from = parse_point (value);
  else if (strcmp (name, "done") == 0)
    settings.done_at = parse_point (value);
  else if (strcmp (name, "stuck") == 0)
    settings.stuck_from = parse_point (value);
  else if (strcmp (name, "taken") == 0)
    settings.taken_at = strtoull (value, NULL, 10);
  else if (strcmp (name, "forgets") == 0)
    settings.forgets_at = strtoull (value, NULL, 10);
  else if (strcmp (name, "kill") == 0)
    settings.kill_at = strtoull (value, NULL, 10);
  else if (strcmp (name, "die") == 0)
    settings.die_at = strtoull (value, NULL, 10);
  else if (g_str_has_suffix (name, "quota"))
    {
      settings.quota = strtoull (value, NULL, 10);
      settings.is_quota_late = g_str_has_prefix (name, "late-");
    }
  else if (strcmp (name, "unlinked") == 0)
    settings.unlinked = parse_error (value);
  else if (strcmp (name, "owner") == 0)
    settings.owner = strtoll (value, NULL, 10);
  else if (strcmp (name, "hidden-taken") == 0)
    {
      settings.hides = TRUE;
      settings.hidden_size = strtoll (value, NULL, 10);
    }
  else if (strcmp (name, "lost") == 0)
    {
      settings.hides = TRUE;
      settings.n_lost = strtoull (value, NULL, 10);
      settings.lost_error = parse_error (strchr (value, ':') + 1);
    }
  else if (strcmp (name, "clock") == 0)
    settings.clock = strtoll (value, NULL, 10);
  else if (strcmp (name, "clock-grain") == 0)
    settings.clock_grain = strtoll (value, NULL, 10);
  else
    g_hash_table_insert (failing, g_strdup (name), GINT_TO_POINTER (parse_error (value)));
}

static void
set_settings (const char *text)
{
  const guint64 never = G_MAXUINT64;
  g_auto(GStrv) words = g_strsplit (text, ",", -1);

  settings = (Settings) {
    .at = never,
    .from = never,
    .done_at = never,
    .stuck_from = never,
    .taken_at = never,
    .forgets_at = never,
    .kill_at = never,
    .die_at = never,
    .quota = never,
    .owner = -1,
    .hidden_size = -1,
  };
  g_hash_table_remove_all (failing);
  for (guint i = 0; words[i] != NULL; i++)
    {
      char *value = strchr (words[i], '=');

      if (value != NULL)
        {
          *value++ = '\0';
          parse_value (words[i], value);
        }
      else if (*words[i] != '\0' && !parse_flag (words[i]))
        g_error ("There is no setting %s", words[i]);
    }

  n_requests = n_changes = 0;
}

/* --- Requests, before libfuse sees them --- */

/* What the kernel does for no process, what it tells, and what the test itself asks for is not counted. */
static gboolean
is_counted (const struct fuse_in_header *in)
{
  if (in->pid == 0 || (pid_t) in->pid == test)
    return FALSE;

  switch (in->opcode)
    {
    case FUSE_BATCH_FORGET:
    case FUSE_DESTROY:
    case FUSE_FORGET:
    case FUSE_INIT:
    case FUSE_INTERRUPT:
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
      return FALSE;
    default:
      return TRUE;
    }
}

static gboolean
changes_name (const struct fuse_in_header *in)
{
  switch (in->opcode)
    {
    case FUSE_CREATE:
    case FUSE_LINK:
    case FUSE_MKDIR:
    case FUSE_MKNOD:
    case FUSE_RENAME:
    case FUSE_RENAME2:
    case FUSE_RMDIR:
    case FUSE_SYMLINK:
    case FUSE_UNLINK:
      return TRUE;
    default:
      return FALSE;
    }
}

static const char *
get_setattr_name (const struct fuse_setattr_in *in)
{
  if (in->valid & FATTR_MODE)
    return "chmod";
  if (in->valid & (FATTR_UID | FATTR_GID))
    return "chown";
  return in->valid & FATTR_SIZE ? "truncate" : "utimes";
}

static const char *
get_request_name (const struct fuse_in_header *in)
{
  if (in->opcode == FUSE_SETATTR)
    return get_setattr_name ((const struct fuse_setattr_in *) (in + 1));

  for (guint i = 0; i < G_N_ELEMENTS (request_names); i++)
    if ((int) in->opcode == request_names[i].value)
      return request_names[i].name;

  return "";
}

static gboolean
is_control (const struct fuse_in_header *in)
{
  return in->nodeid == FUSE_ROOT_ID && (in->opcode == FUSE_SETXATTR || in->opcode == FUSE_GETXATTR) &&
         memmem (in, in->len, HOSTILE_ATTRIBUTE, strlen (HOSTILE_ATTRIBUTE)) != NULL;
}

/* Returns the error with which a request is to fail, or 0. */
static int
get_fault (const struct fuse_in_header *in)
{
  guint64 number;

  false_error = 0;
  if (!is_counted (in) || is_control (in))
    return 0;

  number = n_requests++;
  if (g_getenv ("HOSTILE_TRACE") != NULL)
    fprintf (stderr, "%" G_GUINT64_FORMAT " %s (%u) on %" G_GUINT64_FORMAT "\n", number, get_request_name (in),
             in->opcode, (guint64) in->nodeid);
  if (number == settings.die_at)
    _exit (EXIT_SUCCESS);
  if (number == settings.kill_at)
    kill (in->pid, SIGKILL);
  if (changes_name (in))
    {
      if (n_changes == settings.done_at)
        false_error = settings.at_error;
      if (n_changes++ >= settings.stuck_from && (in->opcode == FUSE_RENAME || in->opcode == FUSE_RENAME2))
        return settings.at_error;
    }
  if (number == settings.at || number >= settings.from)
    return settings.at_error;

  return GPOINTER_TO_INT (g_hash_table_lookup (failing, get_request_name (in)));
}

static void
refuse (struct fuse_session         *session,
        const struct fuse_in_header *in,
        int                          error)
{
  const struct fuse_out_header out = { .len = sizeof out, .error = -error, .unique = in->unique };

  /* The process may be dead, and its request withdrawn. */
  if (write (fuse_session_fd (session), &out, sizeof out) < 0 && errno != ENOENT)
    g_warning ("%s", g_strerror (errno));
}

static void
serve (struct fuse_session *session)
{
  struct fuse_buf buffer = { 0 };

  while (!fuse_session_exited (session))
    {
      int result = fuse_session_receive_buf (session, &buffer);
      int error;

      if (result == -EINTR)
        continue;
      if (result <= 0)
        break;

      error = get_fault (buffer.mem);
      if (error != 0)
        refuse (session, buffer.mem, error);
      else
        fuse_session_process_buf (session, &buffer);
    }

  free (buffer.mem);
}

/* --- Nodes --- */

static Node *
get_node (fuse_ino_t id)
{
  return id == FUSE_ROOT_ID ? root : g_hash_table_lookup (nodes, &id);
}

static int
get_fd (fuse_ino_t id)
{
  return get_node (id)->fd;
}

/* The path of an open file, which reaches it by no name. */
static const char *
get_path (fuse_ino_t id)
{
  static char path[64];

  snprintf (path, sizeof path, "/proc/self/fd/%d", get_fd (id));
  return path;
}

static void
node_free (gpointer data)
{
  Node *self = data;

  close (self->fd);
  g_free (self->hidden_name);
  g_free (self->key);
  g_free (self);
}

/* The node has the inode number of the file behind it, so that what is known by it is always the same. */
static Node *
add_node (int                fd,
          const struct stat *st)
{
  Node *self = g_new0 (Node, 1);

  self->id = settings.has_new_inodes || settings.has_inodes_of_names ? ++last_id : st->st_ino + 16;
  self->fd = fd;
  self->device = st->st_dev;
  self->inode = st->st_ino;
  self->hidden_dir = -1;
  g_hash_table_replace (nodes, &self->id, self);
  g_hash_table_replace (nodes_by_inode, &self->inode, self);
  return self;
}

static char *
get_key (fuse_ino_t  parent,
         const char *name)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT "/%s", (guint64) parent, name);
}

/* Lets the node have this name, or none. */
static void
set_key (Node *self,
         char *key)
{
  if (self->key != NULL)
    g_hash_table_remove (nodes_by_name, self->key);
  g_free (self->key);
  self->key = key;
  if (key != NULL)
    g_hash_table_replace (nodes_by_name, self->key, self);
}

/* A name that is taken from a node is not its any longer, though it may be open. */
static void
move_key (fuse_ino_t  parent,
          const char *name,
          fuse_ino_t  new_parent,
          const char *new_name,
          gboolean    exchanges)
{
  g_autofree char *key = get_key (parent, name);
  g_autofree char *new_key = get_key (new_parent, new_name);
  Node *node = g_hash_table_lookup (nodes_by_name, key);
  Node *other = g_hash_table_lookup (nodes_by_name, new_key);

  if (node == other)
    return;
  if (other != NULL)
    set_key (other, NULL);
  if (node != NULL)
    set_key (node, g_steal_pointer (&new_key));
  if (other != NULL && exchanges)
    set_key (other, g_steal_pointer (&key));
}

static void
forget_inode (Node *self)
{
  if (g_hash_table_lookup (nodes_by_inode, &self->inode) == self)
    g_hash_table_remove (nodes_by_inode, &self->inode);
}

/* Called when something else has got the name behind the file system. */
static void
set_file (Node  *self,
          int    fd,
          ino_t  inode)
{
  forget_inode (self);
  close (self->fd);
  self->fd = fd;
  self->inode = inode;
  g_hash_table_replace (nodes_by_inode, &self->inode, self);
}

static void
forget (Node    *self,
        guint64  n)
{
  self->n_lookups -= n;
  if (self->n_lookups > 0 || self == root)
    return;

  set_key (self, NULL);
  forget_inode (self);
  g_hash_table_remove (nodes, &self->id);
}

static void
distort_time (struct timespec *time)
{
  time->tv_sec += settings.clock;
  if (settings.clock_grain > 0)
    {
      time->tv_sec -= time->tv_sec % settings.clock_grain;
      time->tv_nsec = 0;
    }
}

static void
distort (const Node  *node,
         struct stat *st)
{
  static ino_t n_looks;

  if (settings.owner >= 0)
    st->st_uid = settings.owner;
  if (settings.hidden_size >= 0)
    st->st_ino = node->inode;
  if (settings.has_new_inodes || (settings.has_inodes_of_names && !settings.uses_inodes))
    st->st_ino = node->id;
  if (settings.has_changing_inodes)
    st->st_ino += ++n_looks << 32;
  if (settings.has_one_link && !S_ISDIR (st->st_mode))
    st->st_nlink = 1;
  distort_time (&st->st_atim);
  distort_time (&st->st_mtim);
  distort_time (&st->st_ctim);
}

/* Tells a file from a later one with the same inode number. */
static guint64
get_birth (int fd)
{
  struct statx stx;

  if (statx (fd, "", AT_EMPTY_PATH, STATX_BTIME, &stx) != 0)
    return 0;

  return stx.stx_btime.tv_sec * G_GUINT64_CONSTANT (1000000000) + stx.stx_btime.tv_nsec;
}

/* Returns the node by which a file is known that has this name, or NULL. */
static Node *
find_node (fuse_ino_t         parent,
           const char        *name,
           const struct stat *st)
{
  g_autofree char *key = settings.has_inodes_of_names ? get_key (parent, name) : NULL;
  Node *node = key != NULL ? g_hash_table_lookup (nodes_by_name, key) : g_hash_table_lookup (nodes_by_inode, &st->st_ino);

  if (node != NULL && settings.has_new_inodes && node->n_open == 0)
    return NULL;
  return node;
}

/* Fills @entry for what has this name. Returns the errno. */
static int
find (fuse_ino_t               parent,
      const char              *name,
      struct fuse_entry_param *entry)
{
  Node *node;
  int fd = openat (get_fd (parent), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

  *entry = (struct fuse_entry_param) { 0 };
  if (fd < 0)
    return errno;

  if (fstat (fd, &entry->attr) != 0)
    {
      close (fd);
      return ESTALE;
    }

  node = find_node (parent, name, &entry->attr);
  if (node == NULL)
    node = add_node (fd, &entry->attr);
  else if (node->inode == entry->attr.st_ino)
    close (fd);
  else
    set_file (node, fd, entry->attr.st_ino);
  if (settings.has_inodes_of_names && node->key == NULL)
    set_key (node, get_key (parent, name));

  node->n_lookups++;
  entry->ino = node->id;
  entry->generation = settings.has_inodes_of_names ? 0 : get_birth (node->fd);
  entry->attr_timeout = entry->entry_timeout = settings.remembers ? 1 : 0;
  distort (node, &entry->attr);
  return 0;
}

static void
reply_entry (fuse_req_t  req,
             fuse_ino_t  parent,
             const char *name)
{
  struct fuse_entry_param entry;
  int error = false_error != 0 ? false_error : find (parent, name, &entry);

  if (error != 0)
    fuse_reply_err (req, error);
  else
    fuse_reply_entry (req, &entry);
}

static void
reply (fuse_req_t req,
       gboolean   success)
{
  fuse_reply_err (req, success ? false_error : errno);
}

static void
reply_bytes (fuse_req_t  req,
             const char *bytes,
             gssize      size,
             gsize       room)
{
  if (size < 0)
    fuse_reply_err (req, errno);
  else if (room == 0)
    fuse_reply_xattr (req, size);
  else
    fuse_reply_buf (req, bytes, size);
}

/* Returns the name as it is in the directory. */
static char *
get_real_name (fuse_ino_t  parent,
               const char *name)
{
  g_autofree char *path = g_strdup (get_path (parent));
  g_autofree char *folded = g_utf8_casefold (name, -1);
  g_autoptr(GDir) dir = settings.ignores_case ? g_dir_open (path, 0, NULL) : NULL;
  const char *other;

  while (dir != NULL && (other = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *other_folded = g_utf8_casefold (other, -1);

      if (g_str_equal (other_folded, folded))
        return g_strdup (other);
    }

  return g_strdup (name);
}

/* --- Names --- */

static void
hostile_lookup (fuse_req_t  req,
                fuse_ino_t  parent,
                const char *name)
{
  g_autofree char *real_name = get_real_name (parent, name);

  reply_entry (req, parent, real_name);
}

static void
hostile_forget (fuse_req_t req,
                fuse_ino_t id,
                uint64_t   n)
{
  forget (get_node (id), n);
  fuse_reply_none (req);
}

/* What is created is to be of the user who asks for it. */
static void
become (fuse_req_t req)
{
  const struct fuse_ctx *context = fuse_req_ctx (req);

  setfsgid (settings.squashes ? NOBODY : context->gid);
  setfsuid (settings.squashes ? NOBODY : context->uid);
}

static void
become_root (void)
{
  int error = errno;

  setfsuid (0);
  setfsgid (0);
  errno = error;
}

static void
reply_created (fuse_req_t  req,
               fuse_ino_t  parent,
               const char *name,
               gboolean    success)
{
  become_root ();
  if (success)
    reply_entry (req, parent, name);
  else
    fuse_reply_err (req, errno);
}

static void
hostile_mknod (fuse_req_t  req,
               fuse_ino_t  parent,
               const char *name,
               mode_t      mode,
               dev_t       device)
{
  become (req);
  reply_created (req, parent, name, mknodat (get_fd (parent), name, mode, device) == 0);
}

static void
hostile_mkdir (fuse_req_t  req,
               fuse_ino_t  parent,
               const char *name,
               mode_t      mode)
{
  become (req);
  reply_created (req, parent, name, mkdirat (get_fd (parent), name, mode) == 0);
}

static void
hostile_symlink (fuse_req_t  req,
                 const char *target,
                 fuse_ino_t  parent,
                 const char *name)
{
  become (req);
  reply_created (req, parent, name, symlinkat (target, get_fd (parent), name) == 0);
}

static void
hostile_link (fuse_req_t  req,
              fuse_ino_t  id,
              fuse_ino_t  parent,
              const char *name)
{
  if (linkat (AT_FDCWD, get_path (id), get_fd (parent), name, AT_SYMLINK_FOLLOW) == 0)
    reply_entry (req, parent, name);
  else
    fuse_reply_err (req, errno);
}

/* From now on, the node is another machine's file by that name. What is open stays what it was. */
static void
take_hidden_name (Node *node)
{
  int fd = openat (node->hidden_dir, "another", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  if (fd < 0 || ftruncate (fd, settings.hidden_size) != 0 ||
      renameat (node->hidden_dir, "another", node->hidden_dir, node->hidden_name) != 0)
    g_error ("%s", g_strerror (errno));

  close (fd);
  close (node->fd);
  node->fd = openat (node->hidden_dir, node->hidden_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static Node *
get_named (fuse_ino_t  parent,
           const char *name)
{
  struct stat st;

  return fstatat (get_fd (parent), name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? find_node (parent, name, &st) : NULL;
}

/* As libfuse does: the name goes when the last descriptor does. */
static gboolean
hide (fuse_ino_t  parent,
      const char *name)
{
  Node *node = settings.hides ? get_named (parent, name) : NULL;

  if (node == NULL || node->n_open == 0 || node->hidden_name != NULL)
    return FALSE;

  node->hidden_name = g_strdup_printf (".fuse_hidden%016" G_GUINT64_FORMAT, (guint64) node->id);
  node->hidden_dir = openat (get_fd (parent), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (renameat (node->hidden_dir, name, node->hidden_dir, node->hidden_name) != 0)
    return FALSE;

  move_key (parent, name, parent, node->hidden_name, FALSE);
  if (settings.hidden_size >= 0)
    take_hidden_name (node);
  return TRUE;
}

static void
remove_hidden (Node *node)
{
  if (node->hidden_name == NULL)
    return;

  unlinkat (node->hidden_dir, node->hidden_name, 0);
  close (node->hidden_dir);
  g_clear_pointer (&node->hidden_name, g_free);
}

static void
hostile_unlink (fuse_req_t  req,
                fuse_ino_t  parent,
                const char *name)
{
  g_autofree char *real_name = get_real_name (parent, name);
  g_autofree char *key = get_key (parent, real_name);
  Node *node = g_hash_table_lookup (nodes_by_name, key);
  gboolean success = hide (parent, real_name) || unlinkat (get_fd (parent), real_name, 0) == 0;

  if (success && node != NULL)
    set_key (node, NULL);
  reply (req, success);
}

static void
hostile_rmdir (fuse_req_t  req,
               fuse_ino_t  parent,
               const char *name)
{
  g_autofree char *real_name = get_real_name (parent, name);

  reply (req, unlinkat (get_fd (parent), real_name, AT_REMOVEDIR) == 0);
}

static void
swap_inodes (Node *a,
             Node *b)
{
  ino_t inode = a->inode;

  forget_inode (a);
  forget_inode (b);
  a->inode = b->inode;
  b->inode = inode;
  g_hash_table_replace (nodes_by_inode, &a->inode, a);
  g_hash_table_replace (nodes_by_inode, &b->inode, b);
}

/* The nodes keep their names. Unless the nodes are those of names, what has the inode of one is taken for the other one. */
static void
exchange_nodes (Node *source,
                Node *target)
{
  int fd = source->fd;

  if (target == NULL)
    {
      source->is_gone = TRUE;
      return;
    }

  source->fd = target->fd;
  target->fd = fd;
  if (settings.has_inodes_of_names)
    swap_inodes (source, target);
}

static void
take_name (fuse_ino_t  parent,
           const char *name)
{
  Node *node = get_named (parent, name);

  if (renameat (get_fd (parent), "theirs", get_fd (parent), name) != 0)
    g_error ("%s", g_strerror (errno));
  if (node != NULL)
    set_key (node, NULL);
}

static void
forget_names (void)
{
  GHashTableIter iter;
  gpointer node;

  g_hash_table_iter_init (&iter, nodes);
  while (g_hash_table_iter_next (&iter, NULL, &node))
    if (((Node *) node)->key != NULL && !g_str_has_suffix (((Node *) node)->key, "/document"))
      set_key (node, NULL);
}

static void
hostile_rename (fuse_req_t    req,
                fuse_ino_t    parent,
                const char   *name,
                fuse_ino_t    new_parent,
                const char   *new_name,
                unsigned int  flags)
{
  g_autofree char *real_name = get_real_name (parent, name);
  g_autofree char *new_real_name = get_real_name (new_parent, new_name);
  Node *source;
  Node *target;
  gboolean success;

  if (n_changes == settings.taken_at + 1 && (flags & RENAME_EXCHANGE))
    take_name (new_parent, new_real_name);
  if (n_changes == settings.forgets_at + 1)
    forget_names ();
  source = get_named (parent, real_name);
  target = get_named (new_parent, new_real_name);
  if (flags == 0 && hide (new_parent, new_real_name))
    settings.is_losing = settings.n_lost > 0;
  if (flags == 0 && settings.is_losing && settings.n_lost > 0)
    {
      settings.n_lost--;
      fuse_reply_err (req, settings.lost_error);
      return;
    }

  success = renameat2 (get_fd (parent), real_name, get_fd (new_parent), new_real_name, flags) == 0;
  if (success && (settings.remembers || settings.goes_by_names) && false_error != 0 && source != NULL)
    {
      exchange_nodes (source, target);
      source->is_gone = (flags & RENAME_EXCHANGE) == 0;
    }
  else if (success)
    move_key (parent, real_name, new_parent, new_real_name, (flags & RENAME_EXCHANGE) != 0);
  reply (req, success);
}

static void
hostile_readlink (fuse_req_t req,
                  fuse_ino_t id)
{
  char target[PATH_MAX + 1];
  gssize size = readlinkat (get_fd (id), "", target, PATH_MAX);

  if (size < 0)
    {
      fuse_reply_err (req, errno);
      return;
    }

  target[size] = '\0';
  fuse_reply_readlink (req, target);
}

/* --- Attributes --- */

static void
hostile_getattr (fuse_req_t             req,
                 fuse_ino_t             id,
                 struct fuse_file_info *info)
{
  struct stat st;

  if (fstat (info != NULL && settings.hidden_size >= 0 ? (int) info->fh : get_fd (id), &st) != 0)
    fuse_reply_err (req, errno);
  else if (settings.unlinked != 0 && (st.st_nlink == 0 || get_node (id)->hidden_name != NULL))
    fuse_reply_err (req, settings.unlinked);
  else
    {
      distort (get_node (id), &st);
      fuse_reply_attr (req, &st, settings.remembers || (settings.hidden_size >= 0 && get_node (id)->hidden_name != NULL) ? 1 : 0);
    }
}

static gboolean
set_owner (fuse_ino_t         id,
           const struct stat *st,
           int                which)
{
  uid_t uid = which & FUSE_SET_ATTR_UID ? st->st_uid : (uid_t) -1;
  gid_t gid = which & FUSE_SET_ATTR_GID ? st->st_gid : (gid_t) -1;

  return (uid == (uid_t) -1 && gid == (gid_t) -1) || fchownat (get_fd (id), "", uid, gid, AT_EMPTY_PATH) == 0;
}

static struct timespec
get_time (const struct timespec *time,
          gboolean               is_set,
          gboolean               is_now)
{
  struct timespec result = *time;

  if (!is_set)
    result.tv_nsec = UTIME_OMIT;
  else if (is_now)
    result.tv_nsec = UTIME_NOW;
  return result;
}

static gboolean
set_times (fuse_ino_t         id,
           const struct stat *st,
           int                which)
{
  const struct timespec times[] = {
    get_time (&st->st_atim, which & FUSE_SET_ATTR_ATIME, which & FUSE_SET_ATTR_ATIME_NOW),
    get_time (&st->st_mtim, which & FUSE_SET_ATTR_MTIME, which & FUSE_SET_ATTR_MTIME_NOW),
  };

  return !(which & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME)) || utimensat (AT_FDCWD, get_path (id), times, 0) == 0;
}

static gboolean
set_mode (fuse_ino_t id,
          mode_t     mode,
          int        which)
{
  return !(which & FUSE_SET_ATTR_MODE) || settings.ignores_modes || chmod (get_path (id), mode & ALLPERMS) == 0;
}

static gboolean
set_size (fuse_ino_t             id,
          goffset                size,
          int                    which,
          struct fuse_file_info *info)
{
  if (!(which & FUSE_SET_ATTR_SIZE))
    return TRUE;

  if ((guint64) size > settings.quota)
    {
      errno = EDQUOT;
      return FALSE;
    }

  return info != NULL ? ftruncate (info->fh, size) == 0 : truncate (get_path (id), size) == 0;
}

static void
hostile_setattr (fuse_req_t             req,
                 fuse_ino_t             id,
                 struct stat           *st,
                 int                    which,
                 struct fuse_file_info *info)
{
  if (set_owner (id, st, which) && set_mode (id, st->st_mode, which) && set_size (id, st->st_size, which, info) &&
      set_times (id, st, which))
    hostile_getattr (req, id, info);
  else
    fuse_reply_err (req, errno);
}

static void
hostile_getxattr (fuse_req_t  req,
                  fuse_ino_t  id,
                  const char *name,
                  size_t      size)
{
  g_autofree char *value = g_malloc (size + 1);
  gssize length;

  if (id == FUSE_ROOT_ID && strcmp (name, HOSTILE_ATTRIBUTE) == 0)
    length = g_snprintf (value, size, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, n_requests, n_changes);
  else
    length = getxattr (get_path (id), name, value, size);
  reply_bytes (req, value, length, size);
}

static void
hostile_setxattr (fuse_req_t  req,
                  fuse_ino_t  id,
                  const char *name,
                  const char *value,
                  size_t      size,
                  int         flags)
{
  if (id == FUSE_ROOT_ID && strcmp (name, HOSTILE_ATTRIBUTE) == 0)
    {
      g_autofree char *text = g_strndup (value, size);

      set_settings (text);
      fuse_reply_err (req, 0);
    }
  else
    reply (req, setxattr (get_path (id), name, value, size, flags) == 0);
}

/* Takes the ACLs out. Returns the new size. */
static gssize
hide_acls (char   *names,
           gssize  size)
{
  gssize kept = 0;

  for (gssize i = 0, length; i < size; i += length)
    {
      length = strlen (names + i) + 1;
      if (!g_str_has_prefix (names + i, "system."))
        {
          memmove (names + kept, names + i, length);
          kept += length;
        }
    }

  return kept;
}

static void
hostile_listxattr (fuse_req_t req,
                   fuse_ino_t id,
                   size_t     size)
{
  g_autofree char *names = g_malloc (XATTR_LIST_MAX);
  gssize length = listxattr (get_path (id), names, XATTR_LIST_MAX);

  if (length > 0 && settings.hides_acls)
    length = hide_acls (names, length);
  if (size > 0 && length > (gssize) size)
    {
      length = -1;
      errno = ERANGE;
    }
  reply_bytes (req, names, length, size);
}

static void
hostile_removexattr (fuse_req_t  req,
                     fuse_ino_t  id,
                     const char *name)
{
  reply (req, removexattr (get_path (id), name) == 0);
}

static void
hostile_statfs (fuse_req_t req,
                fuse_ino_t id)
{
  struct statvfs st;

  if (fstatvfs (get_fd (id), &st) == 0)
    fuse_reply_statfs (req, &st);
  else
    fuse_reply_err (req, errno);
}

/* --- Bytes --- */

static gboolean
may_read (fuse_ino_t id)
{
  struct stat st;

  return !settings.obeys_modes || (fstat (get_fd (id), &st) == 0 && (st.st_mode & S_IRUSR));
}

static void
hostile_open (fuse_req_t             req,
              fuse_ino_t             id,
              struct fuse_file_info *info)
{
  int fd;

  if ((info->flags & O_ACCMODE) != O_WRONLY && !may_read (id))
    {
      fuse_reply_err (req, EACCES);
      return;
    }

  fd = open (get_path (id), (info->flags & ~(O_NOFOLLOW | O_APPEND)) | O_CLOEXEC);

  if (fd < 0 || get_node (id)->is_gone)
    {
      if (fd >= 0)
        close (fd);
      fuse_reply_err (req, fd < 0 ? errno : ENOENT);
      return;
    }

  info->fh = fd;
  get_node (id)->n_open++;
  fuse_reply_open (req, info);
}

static void
hostile_create (fuse_req_t             req,
                fuse_ino_t             parent,
                const char            *name,
                mode_t                 mode,
                struct fuse_file_info *info)
{
  struct fuse_entry_param entry;
  int error;
  int fd;

  become (req);
  fd = openat (get_fd (parent), name, (info->flags & ~O_APPEND) | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
  become_root ();
  error = fd < 0 ? errno : false_error;
  if (error == 0)
    error = find (parent, name, &entry);
  if (error != 0)
    {
      if (fd >= 0)
        close (fd);
      fuse_reply_err (req, error);
      return;
    }

  info->fh = fd;
  get_node (entry.ino)->n_open++;
  fuse_reply_create (req, &entry, info);
}

static void
hostile_read (fuse_req_t             req,
              fuse_ino_t             id,
              size_t                 size,
              off_t                  offset,
              struct fuse_file_info *info)
{
  g_autofree char *bytes = g_malloc (size);
  gssize length = pread (info->fh, bytes, size, offset);

  if (length < 0)
    fuse_reply_err (req, errno);
  else
    fuse_reply_buf (req, bytes, length);
}

static void
hostile_write (fuse_req_t             req,
               fuse_ino_t             id,
               const char            *bytes,
               size_t                 size,
               off_t                  offset,
               struct fuse_file_info *info)
{
  gboolean is_too_much = offset + size > settings.quota;
  gssize length;

  if (is_too_much && settings.is_quota_late)
    {
      get_node (id)->lost = EDQUOT;
      fuse_reply_write (req, size);
      return;
    }

  length = is_too_much ? -1 : pwrite (info->fh, bytes, size, offset);
  if (length < 0)
    fuse_reply_err (req, is_too_much ? EDQUOT : errno);
  else
    fuse_reply_write (req, length);
}

static void
tell_lost (fuse_req_t req,
           Node      *node)
{
  int lost = node->lost;

  if (settings.tells_once)
    node->lost = 0;
  fuse_reply_err (req, lost);
}

static void
hostile_flush (fuse_req_t             req,
               fuse_ino_t             id,
               struct fuse_file_info *info)
{
  tell_lost (req, get_node (id));
}

static void
hostile_fsync (fuse_req_t             req,
               fuse_ino_t             id,
               int                    only_data,
               struct fuse_file_info *info)
{
  tell_lost (req, get_node (id));
}

static void
hostile_fallocate (fuse_req_t             req,
                   fuse_ino_t             id,
                   int                    mode,
                   off_t                  offset,
                   off_t                  length,
                   struct fuse_file_info *info)
{
  if (offset + length > (off_t) MIN (settings.quota, G_MAXINT64))
    fuse_reply_err (req, EDQUOT);
  else
    reply (req, fallocate (info->fh, mode, offset, length) == 0);
}

/* A lock is never waited for: all others would have to wait as well. */
static void
hostile_flock (fuse_req_t             req,
               fuse_ino_t             id,
               struct fuse_file_info *info,
               int                    operation)
{
  reply (req, flock (info->fh, operation | LOCK_NB) == 0);
}

static void
hostile_release (fuse_req_t             req,
                 fuse_ino_t             id,
                 struct fuse_file_info *info)
{
  Node *node = get_node (id);

  close (info->fh);
  if (--node->n_open == 0)
    remove_hidden (node);
  fuse_reply_err (req, 0);
}

/* --- Directories --- */

static void
hostile_opendir (fuse_req_t             req,
                 fuse_ino_t             id,
                 struct fuse_file_info *info)
{
  DIR *dir = opendir (get_path (id));

  if (dir == NULL)
    {
      fuse_reply_err (req, errno);
      return;
    }

  info->fh = (uintptr_t) dir;
  get_node (id)->n_open++;
  fuse_reply_open (req, info);
}

static void
hostile_readdir (fuse_req_t             req,
                 fuse_ino_t             id,
                 size_t                 size,
                 off_t                  offset,
                 struct fuse_file_info *info)
{
  DIR *dir = (DIR *) (uintptr_t) info->fh;
  g_autofree char *entries = g_malloc (size);
  gsize used = 0;
  struct dirent *entry;

  seekdir (dir, offset);
  while ((entry = readdir (dir)) != NULL)
    {
      struct stat st = { .st_ino = entry->d_ino, .st_mode = DTTOIF (entry->d_type) };
      gsize length = fuse_add_direntry (req, entries + used, size - used, entry->d_name, &st, entry->d_off);

      if (length > size - used)
        break;
      used += length;
    }

  fuse_reply_buf (req, entries, used);
}

static void
hostile_releasedir (fuse_req_t             req,
                    fuse_ino_t             id,
                    struct fuse_file_info *info)
{
  closedir ((DIR *) (uintptr_t) info->fh);
  get_node (id)->n_open--;
  fuse_reply_err (req, 0);
}

static void
hostile_fsyncdir (fuse_req_t             req,
                  fuse_ino_t             id,
                  int                    only_data,
                  struct fuse_file_info *info)
{
  fuse_reply_err (req, 0);
}

/* --- The whole --- */

static void
hostile_init (void                  *data,
              struct fuse_conn_info *connection)
{
  if (settings.has_local_flock)
    connection->want &= ~FUSE_CAP_FLOCK_LOCKS;
  connection->want &= ~(FUSE_CAP_READDIRPLUS | FUSE_CAP_AUTO_INVAL_DATA);
}

static const struct fuse_lowlevel_ops operations = {
  .init = hostile_init,
  .lookup = hostile_lookup,
  .forget = hostile_forget,
  .getattr = hostile_getattr,
  .setattr = hostile_setattr,
  .readlink = hostile_readlink,
  .mknod = hostile_mknod,
  .mkdir = hostile_mkdir,
  .unlink = hostile_unlink,
  .rmdir = hostile_rmdir,
  .symlink = hostile_symlink,
  .rename = hostile_rename,
  .link = hostile_link,
  .open = hostile_open,
  .read = hostile_read,
  .write = hostile_write,
  .flush = hostile_flush,
  .release = hostile_release,
  .fsync = hostile_fsync,
  .opendir = hostile_opendir,
  .readdir = hostile_readdir,
  .releasedir = hostile_releasedir,
  .fsyncdir = hostile_fsyncdir,
  .statfs = hostile_statfs,
  .setxattr = hostile_setxattr,
  .getxattr = hostile_getxattr,
  .listxattr = hostile_listxattr,
  .removexattr = hostile_removexattr,
  .create = hostile_create,
  .flock = hostile_flock,
  .fallocate = hostile_fallocate,
};

static void
open_root (const char *folder)
{
  int fd = open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  struct stat st;

  if (fd < 0 || fstat (fd, &st) != 0)
    g_error ("%s: %s", folder, g_strerror (errno));

  nodes = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, node_free);
  nodes_by_inode = g_hash_table_new (g_int64_hash, g_int64_equal);
  nodes_by_name = g_hash_table_new (g_str_hash, g_str_equal);
  root = add_node (fd, &st);
}

int
main (int    argc,
      char **argv)
{
  char *options[] = { argv[0], (char *) "-oallow_other,default_permissions", NULL };
  struct fuse_args args = FUSE_ARGS_INIT (2, options);
  struct fuse_session *session;

  if (argc != 4)
    return EXIT_FAILURE;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  test = getppid ();
  umask (0);
  failing = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  set_settings (argv[3]);
  open_root (argv[1]);
  session = fuse_session_new (&args, &operations, sizeof operations, NULL);
  if (session == NULL || fuse_session_mount (session, argv[2]) != 0)
    return EXIT_FAILURE;

  puts ("mounted");
  fflush (stdout);
  serve (session);
  fuse_session_unmount (session);
  fuse_session_destroy (session);
  return EXIT_SUCCESS;
}
