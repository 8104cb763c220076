/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Persisting where the file system refuses a kind of call for ever, or reports an error late. The linker puts the
 * functions below in place of the C library's, see the list of them in meson.build. */

#include <tempfile-glib.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tf-test-files.h"
#include "tf-test.h"

#define ACL "system.posix_acl_access"
#define DEFAULT_ACL "system.posix_acl_default"
#define MARK "user.mark"

/* What fails, and with which errno; 0: nothing. */
static int close_errno;
/* Whether that is told by the next change of the mode as well, and then not again: what was held back is written before. */
static gboolean is_told_by_chmod;
static int list_errno;
static int get_acl_errno;
static int get_mark_errno;
static int set_acl_errno;
static int set_mark_errno;
static int remove_errno;
static int chmod_errno;
static int link_errno;
static int mknod_errno;
static int tmpfile_errno;
static int rename2_errno;

/* Which of the calls of that kind are the first to fail, counted from 1; 0: none. */
static int fail_dup_at;
static int fail_sync_at;
static int fail_unlink_at;
static int fail_rename_at;

/* What cannot be removed is not "doc". */
static gboolean removes_doc;

/* As on sshfs: whatever has the same name has the same inode number. */
static gboolean inodes_are_of_names;

/* The inode number of a file is another one each time. */
static gboolean inodes_change;

/* An exclusive creation fails with EPERM when somebody else was faster. */
static gboolean hides_loss;

/* As libfuse: what is open is moved out of the way before another file is renamed over it, and what is closed counts as open
 * for some time more. Meanwhile, somebody else takes the name. */
static gboolean vacates_names;
static gboolean replaces_first; /* before a renaming fails, somebody else replaces "doc" */
static gboolean was_doc_opened;

/* Attributes are not named by the file system, but can be asked for. */
static gboolean lists_nothing;

/* What may be done with a file that has an ACL stays as it is. */
static gboolean keeps_acls;

static void
grant_all (void)
{
  close_errno = list_errno = get_acl_errno = get_mark_errno = 0;
  set_acl_errno = set_mark_errno = remove_errno = chmod_errno = link_errno = mknod_errno = tmpfile_errno = 0;
  rename2_errno = 0;
  fail_dup_at = fail_sync_at = fail_unlink_at = fail_rename_at = 0;
  removes_doc = keeps_acls = lists_nothing = hides_loss = inodes_are_of_names = inodes_change = vacates_names = replaces_first = was_doc_opened = FALSE;
}

static gboolean
is_refused (int with)
{
  errno = with;
  return with != 0;
}

/* Counts down to the first call that fails. */
static int
fail_from (int *at)
{
  if (*at > 1)
    (*at)--;
  else if (*at == 1)
    return EIO;

  return 0;
}

static int
choose (const char *attribute,
        int         for_acl,
        int         for_mark)
{
  return g_str_equal (attribute, ACL) ? for_acl : for_mark;
}

static int choose_for_acl (int fd,
                           int otherwise);

#define WRAP(type, name, parameters, arguments, with) \
  type __real_ ## name parameters; \
  type __wrap_ ## name parameters; \
  type \
  __wrap_ ## name parameters \
  { \
    return is_refused (with) ? -1 : __real_ ## name arguments; \
  }

WRAP (int, dup2, (int from, int to), (from, to), fail_from (&fail_dup_at))
WRAP (int, dup3, (int from, int to, int flags), (from, to, flags), fail_from (&fail_dup_at))
static int
tell_by_chmod (int fd)
{
  int told = is_told_by_chmod ? close_errno : 0;

  if (told != 0)
    close_errno = 0;
  return told != 0 ? told : choose_for_acl (fd, chmod_errno);
}

WRAP (int, fchmod, (int fd, mode_t mode), (fd, mode), tell_by_chmod (fd))
WRAP (int, fremovexattr, (int fd, const char *name), (fd, name), choose_for_acl (fd, remove_errno))
WRAP (int, fsetxattr, (int fd, const char *name, const void *value, size_t size, int flags), (fd, name, value, size, flags),
      choose (name, set_acl_errno, set_mark_errno))
WRAP (int, linkat, (int from_fd, const char *from, int to_fd, const char *to, int flags), (from_fd, from, to_fd, to, flags),
      link_errno)
WRAP (int, renameat2, (int from_fd, const char *from, int to_fd, const char *to, unsigned int flags),
      (from_fd, from, to_fd, to, flags), rename2_errno)
WRAP (int, unlinkat, (int fd, const char *name, int flags), (fd, name, flags),
      removes_doc && g_str_equal (name, "doc") ? 0 : fail_from (&fail_unlink_at))
WRAP (ssize_t, fgetxattr, (int fd, const char *name, void *value, size_t size), (fd, name, value, size),
      choose (name, get_acl_errno, get_mark_errno))
WRAP (ssize_t, getxattr, (const char *path, const char *name, void *value, size_t size), (path, name, value, size),
      choose (name, get_acl_errno, get_mark_errno))

static int
choose_for_acl (int fd,
                int otherwise)
{
  return keeps_acls && __real_fgetxattr (fd, ACL, NULL, 0) >= 0 ? EPERM : otherwise;
}

#define WRAP_LIST(name, parameters, arguments) \
  ssize_t __real_ ## name parameters; \
  ssize_t __wrap_ ## name parameters; \
  ssize_t \
  __wrap_ ## name parameters \
  { \
    if (is_refused (list_errno)) \
      return -1; \
    return lists_nothing ? 0 : __real_ ## name arguments; \
  }

WRAP_LIST (flistxattr, (int fd, char *list, size_t size), (fd, list, size))
WRAP_LIST (listxattr, (const char *path, char *list, size_t size), (path, list, size))

static guint
get_inode_of_name (int         fd,
                   const char *name)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *path = *name == '\0' ? g_file_read_link (link, NULL) : g_strdup (name);
  g_autofree char *base = g_path_get_basename (path);

  return g_str_hash (base);
}

int __real_statx (int fd, const char *name, int flags, unsigned int mask, struct statx *stx);
int __wrap_statx (int fd, const char *name, int flags, unsigned int mask, struct statx *stx);
int __real_fstat64 (int fd, struct stat *st);
int __wrap_fstat64 (int fd, struct stat *st);
int __real_fstatat64 (int fd, const char *name, struct stat *st, int flags);
int __wrap_fstatat64 (int fd, const char *name, struct stat *st, int flags);

int
__wrap_statx (int           fd,
              const char   *name,
              int           flags,
              unsigned int  mask,
              struct statx *stx)
{
  static guint n_looks;
  int result = __real_statx (fd, name, flags, mask, stx);

  if (result != 0 || !(inodes_are_of_names || inodes_change) || !S_ISREG (stx->stx_mode))
    return result;

  stx->stx_ino = inodes_change ? ++n_looks : get_inode_of_name (fd, name);
  stx->stx_btime.tv_sec = stx->stx_btime.tv_nsec = 0;
  return 0;
}

int
__wrap_fstat64 (int          fd,
                struct stat *st)
{
  int result = __real_fstat64 (fd, st);

  if (result == 0 && inodes_are_of_names && S_ISREG (st->st_mode))
    st->st_ino = get_inode_of_name (fd, "");

  return result;
}

int
__wrap_fstatat64 (int          fd,
                  const char  *name,
                  struct stat *st,
                  int          flags)
{
  int result = __real_fstatat64 (fd, name, st, flags);

  if (result == 0 && inodes_are_of_names && S_ISREG (st->st_mode))
    st->st_ino = get_inode_of_name (fd, name);

  return result;
}

int __wrap_fsync (int fd);

/* Only directories have errors. */
int
__wrap_fsync (int fd)
{
  struct stat st;

  return fstat (fd, &st) == 0 && S_ISDIR (st.st_mode) && is_refused (fail_from (&fail_sync_at)) ? -1 : 0;
}

static void put_theirs (void);

int __real_renameat (int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat (int from_fd, const char *from, int to_fd, const char *to);

int
__wrap_renameat (int         from_fd,
                 const char *from,
                 int         to_fd,
                 const char *to)
{
  if (replaces_first)
    put_theirs ();
  if (is_refused (fail_from (&fail_rename_at)))
    return -1;

  if (vacates_names && was_doc_opened && g_str_equal (to, "doc"))
    put_theirs ();
  return __real_renameat (from_fd, from, to_fd, to);
}

int __real_mknodat (int fd, const char *path, mode_t mode, dev_t device);
int __wrap_mknodat (int fd, const char *path, mode_t mode, dev_t device);

int
__wrap_mknodat (int         fd,
                const char *path,
                mode_t      mode,
                dev_t       device)
{
  if (hides_loss)
    put_theirs ();

  return is_refused (hides_loss ? EPERM : mknod_errno) ? -1 : __real_mknodat (fd, path, mode, device);
}

int __real_openat64 (int fd, const char *path, int flags, ...);
int __wrap_openat64 (int fd, const char *path, int flags, ...);

int
__wrap_openat64 (int         fd,
                 const char *path,
                 int         flags,
                 ...)
{
  va_list arguments;
  mode_t mode;

  va_start (arguments, flags);
  mode = va_arg (arguments, guintptr);
  va_end (arguments);

  if ((flags & O_TMPFILE) == O_TMPFILE && is_refused (tmpfile_errno))
    return -1;

  was_doc_opened |= (flags & O_CREAT) != 0 && g_str_equal (path, "doc");
  if (!hides_loss || !(flags & O_EXCL) || !g_str_equal (path, "doc"))
    return __real_openat64 (fd, path, flags, mode);

  put_theirs ();
  errno = EPERM;
  return -1;
}

static gboolean
is_written (int fd)
{
  struct stat st;

  return (fcntl (fd, F_GETFL) & O_ACCMODE) == O_RDWR &&
         fstat (fd, &st) == 0 && S_ISREG (st.st_mode) && st.st_size > 0;
}

int __real_close (int fd);
int __wrap_close (int fd);

/* As where bytes are sent to a server when a descriptor is closed. */
int
__wrap_close (int fd)
{
  gboolean fails = close_errno != 0 && is_written (fd);
  int result = __real_close (fd);

  if (!fails)
    return result;

  errno = close_errno;
  return -1;
}

/* As acl(5) has it on disk: the owner rw, the user 65534 and the mask r, the group and the others nothing. */
static const guint8 acl[] = {
  0x02, 0, 0, 0,
  0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,
  0x02, 0, 4, 0, 0xfe, 0xff, 0x00, 0x00,
  0x04, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
  0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
  0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
};

static GFile *
put_old (void)
{
  GFile *doc = g_file_new_for_path ("doc");

  g_assert_true (g_file_set_contents ("doc", "old", 3, NULL));
  g_assert_cmpint (chmod ("doc", 0640), ==, 0);
  return doc;
}

/* The group may read it if the mode is looked at alone. Returns FALSE, and skips the test, if there are no ACLs here. */
static gboolean
put_old_with_attributes (void)
{
  G_GNUC_UNUSED g_autoptr(GFile) doc = put_old ();

  if (!tf_test_skip_if_portable ("extended attributes"))
    {
      if (setxattr ("doc", ACL, acl, sizeof acl, 0) == 0 && setxattr ("doc", MARK, "blue", 4, 0) == 0)
        return TRUE;
      g_test_skip ("the file system has no ACLs or no attributes");
    }

  g_assert_cmpint (unlink ("doc"), ==, 0);
  return FALSE;
}

static guint
get_mode (void)
{
  struct stat st;

  g_assert_cmpint (stat ("doc", &st), ==, 0);
  return st.st_mode & 07777;
}

static gboolean
doc_has (const char *attribute)
{
  return getxattr ("doc", attribute, NULL, 0) > 0;
}

static void
assert_doc (const char *expected)
{
  g_autofree char *content = NULL;

  g_assert_true (g_file_get_contents ("doc", &content, NULL, NULL));
  g_assert_cmpstr (content, ==, expected);
}

static void
put_theirs (void)
{
  g_assert_true (g_file_set_contents ("doc", "theirs", 6, NULL));
}

static void
remove_all (void)
{
  g_autoptr(GDir) entries = g_dir_open (".", 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (entries)) != NULL)
    g_assert_cmpint (unlink (name), ==, 0);
}

/* Nothing is left beside the document. */
static void
remove_doc (void)
{
  g_assert_cmpint (unlink ("doc"), ==, 0);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
write_again (TfTempFile *file)
{
  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 0, NULL, NULL));
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  tf_test_write (file, "newer");
}

/* A quota that is reported when a descriptor is closed. */
static void
test_late_error (gconstpointer data)
{
  const TfPersistFlags flags[] = { TF_PERSIST_REPLACE, TF_PERSIST_REPLACE | TF_PERSIST_DURABLE };

  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      g_autoptr(TfTempFile) file = tf_test_kind_make (data);
      g_autoptr(GFile) doc = put_old ();
      g_autoptr(GError) error = NULL;
      gboolean is_in_memory;

      tf_test_write (file, "new");
      is_in_memory = TF_IS_SPOOLED_FILE (file) && !tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file));
      close_errno = EDQUOT;
      g_assert_false (tf_temp_file_persist (file, doc, flags[i], NULL, NULL, NULL, NULL, &error));
      close_errno = 0;
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
      assert_doc ("old");

      /* It is told once, and what was written to disk is lost. A file in memory is written anew. */
      g_assert_true (tf_temp_file_persist (file, doc, flags[i], NULL, NULL, NULL, NULL, NULL) == is_in_memory);
      assert_doc (is_in_memory ? "new" : "old");
      write_again (file);
      g_assert_true (tf_temp_file_persist (file, doc, flags[i], NULL, NULL, NULL, NULL, NULL));
      assert_doc ("newer");
      g_clear_object (&file);
      remove_doc ();
    }
}

/* It is asked for before something else is told it. */
static void
test_late_error_of_copy (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GFile) doc = put_old ();
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (chmod ("doc", 0604), ==, 0); /* which no new file has */
  tf_test_write (file, "new");
  close_errno = EDQUOT;
  is_told_by_chmod = TRUE;
  g_assert_false (tf_temp_file_persist (file, doc, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, &error));
  is_told_by_chmod = FALSE;
  close_errno = 0;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  assert_doc ("old");
  remove_doc ();
}

/* The same where a file in memory goes to disk: it stays in memory. */
static void
test_late_error_of_rollover (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));
  g_autoptr(GError) error = NULL;

  tf_test_write (file, "new");
  close_errno = EDQUOT;
  g_assert_false (tf_spooled_file_rollover (TF_SPOOLED_FILE (file), NULL, &error));
  close_errno = 0;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_false (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));
  tf_test_assert_file (file, 3, "new", 3);
}

/* Replaces a document that has attributes. Returns FALSE if there can be none here. */
static gboolean
replace (const TfTestKind *kind,
         void (*refuse) (void))
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (kind);
  g_autoptr(GFile) doc = g_file_new_for_path ("doc");
  g_autoptr(GError) error = NULL;

  if (!put_old_with_attributes ())
    return FALSE;

  tf_test_write (file, "new");
  refuse ();
  tf_temp_file_persist (file, doc, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, &error);
  grant_all ();
  g_assert_no_error (error);
  assert_doc ("new");
  return TRUE;
}

typedef struct
{
  const char *name;
  void (*refuse) (void);
  guint    mode;
  gboolean keeps_acl;
  gboolean keeps_mark;
} Refusal;

static void
refuse_to_list (void)
{
  list_errno = ESTALE;
}

static void
hide_names (void)
{
  lists_nothing = TRUE;
}

static void
refuse_acl (void)
{
  get_acl_errno = EIO;
}

static void
refuse_mark (void)
{
  get_mark_errno = EIO;
}

static void
list_ever_more (void)
{
  list_errno = ERANGE;
}

static void
interrupt_acl (void)
{
  get_acl_errno = EINTR;
}

static void
make_mark_grow (void)
{
  get_mark_errno = ERANGE;
}

static void
refuse_to_set_acl (void)
{
  set_acl_errno = EOPNOTSUPP;
}

static void
refuse_to_set_mark (void)
{
  set_mark_errno = ENOSPC;
}

static void
refuse_attributes (void)
{
  list_errno = get_acl_errno = get_mark_errno = set_acl_errno = set_mark_errno = remove_errno = EPERM;
}

/* An attribute that cannot be copied is left out. Where the ACL is not known, or cannot be set, the mode grants nothing to
 * anybody but the owner. */
static const Refusal refusals[] = {
  { "list", refuse_to_list, 0640, TRUE, FALSE },
  { "names", hide_names, 0640, TRUE, FALSE },
  { "growing-list", list_ever_more, 0640, TRUE, FALSE },
  { "interrupted-acl", interrupt_acl, 0600, FALSE, TRUE },
  { "growing-mark", make_mark_grow, 0640, TRUE, FALSE },
  { "get-acl", refuse_acl, 0600, FALSE, TRUE },
  { "get-mark", refuse_mark, 0640, TRUE, FALSE },
  { "set-acl", refuse_to_set_acl, 0600, FALSE, TRUE },
  { "set-mark", refuse_to_set_mark, 0640, TRUE, FALSE },
  { "all", refuse_attributes, 0600, FALSE, FALSE },
};

static void
test_attributes (gconstpointer data)
{
  const Refusal *refusal = data;

  for (const TfTestKind *kind = tf_test_kinds; kind->name != NULL; kind++)
    {
      if (!replace (kind, refusal->refuse))
        return;

      g_test_message ("%s", kind->name);
      g_assert_cmphex (get_mode (), ==, refusal->mode);
      g_assert_cmpint (doc_has (ACL), ==, refusal->keeps_acl);
      g_assert_cmpint (doc_has (MARK), ==, refusal->keeps_mark);
      remove_doc ();
    }
}

/* A new file has the permissions of any new file, whether its attributes can be read or not. */
static void
test_attributes_of_new (gconstpointer data)
{
  const Refusal *refusal = data;
  guint mask = umask (0027);

  for (const TfTestKind *kind = tf_test_kinds; kind->name != NULL; kind++)
    {
      g_autoptr(TfTempFile) file = tf_test_kind_make (kind);
      g_autoptr(GFile) doc = g_file_new_for_path ("doc");
      g_autoptr(GError) error = NULL;

      tf_test_write (file, "new");
      refusal->refuse ();
      tf_temp_file_persist (file, doc, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error);
      grant_all ();
      g_assert_no_error (error);
      assert_doc ("new");
      g_assert_cmphex (get_mode (), ==, 0640);
      g_clear_object (&file);
      remove_doc ();
    }

  umask (mask);
}

static void
replace_without_chmod (const TfTestKind *kind,
                       int               saved_errno,
                       guint             mode)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (kind);
  g_autoptr(GFile) doc = put_old ();
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (chmod ("doc", mode), ==, 0);
  tf_test_write (file, "new");
  chmod_errno = saved_errno;
  tf_temp_file_persist (file, doc, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, &error);
  grant_all ();
  g_assert_no_error (error);
  assert_doc ("new");
  g_assert_cmphex (get_mode () & ~(mode | S_IRWXU), ==, 0);
  g_clear_object (&file);
  remove_doc ();
}

/* A mode that grants others no more than that of the replaced file is accepted where it cannot be changed. */
static void
test_chmod (gconstpointer data)
{
  const int errnos[] = { EPERM, EIO, EOPNOTSUPP };

  for (gsize i = 0; i < G_N_ELEMENTS (errnos); i++)
    {
      replace_without_chmod (data, errnos[i], 0640);
      replace_without_chmod (data, errnos[i], 0400);
    }
}

static void
persist_without_links (const TfTestKind *kind,
                       TfPersistFlags    flags)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (kind);
  g_autoptr(GFile) doc = flags & TF_PERSIST_REPLACE ? put_old () : g_file_new_for_path ("doc");
  g_autoptr(GError) error = NULL;

  tf_test_write (file, "new");
  tf_temp_file_persist (file, doc, flags, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  assert_doc ("new");

  g_assert_true (tf_temp_file_write (file, "!", 1, NULL, NULL));
  g_assert_true (tf_temp_file_flush (file, NULL, NULL));
  assert_doc ("new!");
}

/* No hard links, and no flags of renameat2(). */
static void
test_link (gconstpointer data)
{
  const int errnos[] = { EPERM, EIO, ENOSYS, EOPNOTSUPP, EMLINK };
  const TfPersistFlags flags[] = {
    TF_PERSIST_NONE,
    TF_PERSIST_REPLACE,
    TF_PERSIST_DURABLE,
    TF_PERSIST_REPLACE | TF_PERSIST_DURABLE,
  };

  for (gsize i = 0; i < G_N_ELEMENTS (errnos) * G_N_ELEMENTS (flags); i++)
    {
      link_errno = errnos[i % G_N_ELEMENTS (errnos)];
      rename2_errno = i % 2 == 0 ? EPERM : EINVAL;
      mknod_errno = i % 3 == 0 ? EPERM : 0;
      persist_without_links (data, flags[i / G_N_ELEMENTS (errnos)]);
      grant_all ();
      remove_doc ();
    }
}

/* The file system says EPERM to the one who loses. */
static void
test_hidden_loss (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GFile) doc = g_file_new_for_path ("doc");
  g_autoptr(GError) error = NULL;

  tf_test_write (file, "new");
  link_errno = EPERM;
  rename2_errno = EINVAL;
  hides_loss = TRUE;
  g_assert_false (tf_temp_file_persist (file, doc, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error));
  grant_all ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  assert_doc ("theirs");
  g_clear_object (&file);
  remove_doc ();
}

/* The name is not free for anybody between the empty file that takes it and the one that gets it. */
static void
test_vacated_name (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GFile) doc = g_file_new_for_path ("doc");
  g_autoptr(GError) error = NULL;

  tf_test_write (file, "new");
  link_errno = EPERM;
  rename2_errno = EINVAL;
  vacates_names = TRUE;
  tf_temp_file_persist (file, doc, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error);
  g_assert_false (was_doc_opened);
  grant_all ();
  g_assert_no_error (error);
  assert_doc ("new");
  g_clear_object (&file);
  remove_doc ();
}

/* The file that took the name cannot be replaced. Whatever has the name by then, it is removed only if it is that one. */
static void
test_taken_name (gconstpointer data)
{
  const TfTestKind *kind = data;

  for (int i = 0; i < 2; i++)
    {
      g_autoptr(TfTempFile) file = tf_test_kind_make (kind);
      g_autoptr(GFile) doc = g_file_new_for_path ("doc");
      g_autoptr(GError) error = NULL;

      tf_test_write (file, "new");
      link_errno = EPERM;
      rename2_errno = EINVAL;
      inodes_are_of_names = TRUE;
      fail_rename_at = 1;
      replaces_first = i == 1;
      g_assert_false (tf_temp_file_persist (file, doc, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error));
      grant_all ();
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
      if (i == 1)
        assert_doc ("theirs");
      else
        g_assert_false (g_file_test ("doc", G_FILE_TEST_EXISTS));
      g_clear_object (&file);
      g_assert_cmpuint (tf_test_count_entries ("."), ==, i);
      remove_all ();
    }
}

/* A file has its name by a link, where a link has another inode number, and the temporary name cannot be removed. */
static void
test_link_of_other_inode (gconstpointer data)
{
  g_autoptr(TfTempFile) file = NULL;
  g_autoptr(GFile) doc = g_file_new_for_path ("doc");
  g_autoptr(GError) error = NULL;
  gboolean success;

  tmpfile_errno = EOPNOTSUPP;
  file = tf_test_kind_make (data);
  tf_test_write (file, "new");
  rename2_errno = EINVAL;
  inodes_are_of_names = TRUE;
  fail_unlink_at = 1;
  success = tf_temp_file_persist (file, doc, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error);
  grant_all ();
  g_assert_cmpint (success, ==, g_file_test ("doc", G_FILE_TEST_EXISTS));
  g_clear_object (&file);
  remove_all ();
}

/* A file has its name by a link, and the temporary name cannot be removed: the link is taken back, and the file is renamed.
 * If the link cannot be removed either, the file has both names. */
static void
test_two_names (void)
{
  for (int i = 0; i < 2; i++)
    {
      g_autoptr(TfTempFile) file = NULL;
      g_autoptr(GFile) doc = g_file_new_for_path ("doc");
      g_autoptr(GError) error = NULL;

      tmpfile_errno = EOPNOTSUPP;
      file = tf_temp_file_new (NULL, NULL, NULL);
      tf_test_write (file, "new");
      rename2_errno = EINVAL;
      fail_unlink_at = 1;
      removes_doc = i == 0;
      tf_temp_file_persist (file, doc, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error);
      grant_all ();
      g_assert_no_error (error);
      assert_doc ("new");
      g_assert_cmpuint (tf_test_count_entries ("."), ==, i == 0 ? 1 : 2);
      g_clear_object (&file);
      remove_all ();
    }
}

/* The document is its own backup already. That cannot be seen where a link has another inode number, and renaming a link
 * over another one does nothing. */
static void
test_own_backup (gconstpointer data)
{
  const TfPersistFlags flags = TF_PERSIST_REPLACE | TF_PERSIST_BACKUP;
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GFile) doc = put_old ();
  g_autoptr(GError) error = NULL;
  g_autofree char *content = NULL;

  g_assert_cmpint (link ("doc", "doc~"), ==, 0);
  tf_test_write (file, "new");
  rename2_errno = EINVAL;
  inodes_are_of_names = TRUE;
  tf_temp_file_persist (file, doc, flags, NULL, NULL, NULL, NULL, &error);
  grant_all ();
  g_assert_no_error (error);
  assert_doc ("new");
  g_assert_true (g_file_get_contents ("doc~", &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "old");
  /* The former name of a named file is not known either. */
  g_assert_cmpuint (tf_test_count_entries ("."), ==, TF_IS_NAMED_FILE (file) ? 3 : 2);
  g_clear_object (&file);
  remove_all ();
}

typedef struct
{
  const char    *name;
  TfPersistFlags flags;
  int            fail_unlink_at;
  const char    *content; /* (nullable) */
  guint          n_entries;
} LastingError;

/* From some moment on, everything fails. The error says whether the file is there, and the object agrees. */
static const LastingError lasting_errors[] = {
  { "new", TF_PERSIST_DURABLE, 0, "new", 1 },
  { "new-with-former-name", TF_PERSIST_DURABLE, 1, "new", 1 },
  { "over", TF_PERSIST_DURABLE | TF_PERSIST_REPLACE, 0, "new", 1 },
};

static void
assert_truth (TfTempFile   *file,
              const GError *error,
              const char   *content)
{
  gboolean is_there = g_strcmp0 (content, "new") == 0;

  g_test_message ("%s", error->message);
  g_assert_cmpint (strstr (error->message, "but may not survive") != NULL, ==, is_there);
  if (content == NULL)
    g_assert_false (g_file_test ("doc", G_FILE_TEST_EXISTS));
  else
    assert_doc (content);

  tf_test_write (file, "!");
  g_assert_true (tf_temp_file_flush (file, NULL, NULL));
  if (content != NULL)
    assert_doc (is_there ? "new!" : "old");
  if (!is_there)
    tf_test_assert_file (file, 4, "new!", 4);
}

static void
test_lasting_error (gconstpointer data)
{
  const LastingError *lasting = data;
  g_autoptr(GFile) doc = g_file_new_for_path ("doc");

  /* There, the copy has a name of its own, which stays as well. */
  if (lasting->fail_unlink_at > 0 && tf_test_skip_if_portable ("files without a name"))
    return;

  for (const TfTestKind *kind = tf_test_kinds; kind->name != NULL; kind++)
    {
      g_autoptr(TfTempFile) file = tf_test_kind_make (kind);
      g_autoptr(GError) error = NULL;
      guint n_extra;

      if (lasting->flags & TF_PERSIST_REPLACE)
        g_object_unref (put_old ());
      tf_test_write (file, "new");

      fail_sync_at = 1;
      fail_unlink_at = lasting->fail_unlink_at;
      g_assert_false (tf_temp_file_persist (file, doc, lasting->flags, NULL, NULL, NULL, NULL, &error));
      grant_all ();

      assert_truth (file, error, lasting->content);
      /* The former name may be left as well. */
      n_extra = TF_IS_NAMED_FILE (file) && lasting->fail_unlink_at > 0 ? 1 : 0;
      g_clear_object (&file);
      g_assert_cmpuint (tf_test_count_entries ("."), ==, lasting->n_entries + n_extra);
      remove_all ();
    }
}

/* Nobody can know whether the file that has the name is another one. */
static void
test_changing_inodes (gconstpointer data)
{
  const TfPersistFlags flags[] = { TF_PERSIST_DURABLE, TF_PERSIST_DURABLE | TF_PERSIST_REPLACE };

  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      g_autoptr(TfTempFile) file = tf_test_kind_make (data);
      g_autoptr(GFile) doc = flags[i] & TF_PERSIST_REPLACE ? put_old () : g_file_new_for_path ("doc");
      g_autofree char *content = NULL;
      g_autoptr(GError) error = NULL;

      tf_test_write (file, "new");
      fail_sync_at = 1;
      inodes_change = TRUE;
      g_assert_false (tf_temp_file_persist (file, doc, flags[i], NULL, NULL, NULL, NULL, &error));
      grant_all ();
      g_file_get_contents ("doc", &content, NULL, NULL);
      g_assert_cmpint (strstr (error->message, "The file is at") != NULL, ==, g_strcmp0 (content, "new") == 0);
      g_clear_object (&file);
      remove_all ();
    }
}

/* The descriptor that was handed out has become one of the copy when that cannot get the name, and stays one: it has the
 * same bytes, and the object uses the same file. */
static void
test_not_directed_back (gconstpointer data)
{
  g_autoptr(TfTempFile) file = tf_test_kind_make (data);
  g_autoptr(GFile) first = g_file_new_for_path ("first");
  g_autoptr(GFile) doc = put_old ();
  g_autoptr(GError) error = NULL;
  char content[8];
  int fd;

  tf_test_write (file, "new");
  g_assert_true (tf_temp_file_persist (file, first, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, NULL));
  fd = tf_temp_file_get_fd (file, NULL, NULL);
  fail_rename_at = 1;
  fail_dup_at = 2;
  g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Persisting a file: dup *");
  g_assert_false (tf_temp_file_persist (file, doc, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, &error));
  g_test_assert_expected_messages ();
  grant_all ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "rename"));
  assert_doc ("old");

  tf_test_write (file, "!");
  tf_test_assert_file (file, 4, "new!", 4);
  g_assert_cmpint (tf_temp_file_get_fd (file, NULL, NULL), ==, fd);
  g_assert_cmpmem (content, pread (fd, content, sizeof content, 0), "new!", 4);
  g_clear_object (&file);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 2);
  remove_all ();
}

/* What could not be replaced has no other backup than before. */
static void
test_backup (gconstpointer data)
{
  const TfPersistFlags flags = TF_PERSIST_REPLACE | TF_PERSIST_BACKUP;

  for (int i = 0; i < 8; i++)
    {
      g_autoptr(TfTempFile) file = tf_test_kind_make (data);
      g_autoptr(GFile) doc = put_old ();
      g_autoptr(GError) error = NULL;
      g_autofree char *content = NULL;
      gboolean has_backup = i & 1;
      gboolean is_durable = i & 2;

      tf_test_write (file, "new");
      if (has_backup)
        g_assert_true (g_file_set_contents ("doc~", "older", 5, NULL));

      link_errno = i & 4 ? EPERM : 0;
      /* With POSIX alone, the backup gets its name in the same way. */
      fail_rename_at = is_durable ? 0 : has_backup || !tf_test_is_portable () ? 1 : 2;
      fail_sync_at = is_durable ? 1 : 0;
      g_assert_false (tf_temp_file_persist (file, doc, flags | (is_durable ? TF_PERSIST_DURABLE : 0),
                                            NULL, NULL, NULL, NULL, &error));
      grant_all ();

      /* A durable one fails after the file has got the name. */
      assert_doc (is_durable ? "new" : "old");
      g_assert_cmpint (g_file_get_contents ("doc~", &content, NULL, NULL), ==, has_backup || is_durable);
      g_assert_cmpstr (content, ==, is_durable ? "old" : has_backup ? "older" : NULL);
      g_clear_object (&file);
      g_assert_cmpuint (tf_test_count_entries ("."), ==, has_backup || is_durable ? 2 : 1);
      remove_all ();
    }
}

/* Where no more files can be created, the file itself is to have the name. If it cannot, the error is that of doing so. */
static void
test_no_more_files (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(GFile) doc = put_old ();
  g_autoptr(GError) error = NULL;

  tf_test_write (file, "new");
  tmpfile_errno = ENOSPC;
  fail_rename_at = 1;
  g_assert_false (tf_temp_file_persist (file, doc, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, &error));
  grant_all ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "rename to"));
  assert_doc ("old");
  tf_test_assert_file (file, 3, "new", 3);
  remove_doc ();
}

/* A backup is a copy where there are no hard links. It is not made if more could be done with it than with the file. */
static void
test_open_backup (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (NULL, NULL, NULL);
  g_autoptr(GFile) doc = put_old ();
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (chmod ("doc", 0644), ==, 0);
  tf_test_write (file, "new");
  if (tf_test_is_portable () || setxattr (".", DEFAULT_ACL, acl, sizeof acl, 0) != 0)
    {
      g_test_skip ("there are no ACLs here");
      remove_doc ();
      return;
    }

  keeps_acls = TRUE;
  link_errno = EPERM;
  g_assert_false (tf_temp_file_persist (file, doc, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP,
                                        NULL, NULL, NULL, NULL, &error));
  grant_all ();
  g_assert_cmpint (removexattr (".", DEFAULT_ACL), ==, 0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (error->message, "fchmod"));
  g_assert_nonnull (strstr (error->message, "doc~"));
  assert_doc ("old");
  remove_doc ();
}

/* A document without an ACL is not opened to those whom that of the directory names, whatever the system says when it is to
 * be removed. */
static void
test_inherited_acl (void)
{
  const int errnos[] = { EPERM, ENOTSUP, ENOSYS };

  for (gsize i = 0; i < G_N_ELEMENTS (errnos); i++)
    {
      g_autoptr(GFile) doc = put_old ();
      g_autoptr(TfTempFile) file = NULL;
      g_autoptr(GError) error = NULL;
      struct stat st;

      g_assert_cmpint (chmod ("doc", 0660), ==, 0);
      if (tf_test_is_portable () || setxattr (".", DEFAULT_ACL, acl, sizeof acl, 0) != 0)
        {
          g_test_skip ("there are no ACLs here");
          remove_doc ();
          return;
        }

      file = tf_temp_file_new (NULL, NULL, NULL);
      g_assert_cmpint (removexattr (".", DEFAULT_ACL), ==, 0);
      remove_errno = errnos[i];
      g_assert_true (tf_temp_file_persist (file, doc, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, &error));
      grant_all ();
      g_assert_no_error (error);
      g_assert_cmpint (stat ("doc", &st), ==, 0);
      g_assert_cmpuint (st.st_mode & 077, ==, 0);
      remove_doc ();
    }
}

/* The destination is the file's own name, by another path. */
static void
test_own_name (gconstpointer data)
{
  g_autoptr(TfNamedFile) file = NULL;
  g_autofree char *name = NULL;
  g_autofree char *path = NULL;
  g_autoptr(GFile) destination = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *content = NULL;

  g_assert_cmpint (symlink (".", "way"), ==, 0);
  inodes_are_of_names = data != NULL;
  file = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
  name = g_path_get_basename (tf_named_file_get_path (file));
  path = g_build_filename ("way", name, NULL);
  destination = g_file_new_for_path (path);

  tf_test_write (TF_TEMP_FILE (file), "new");
  tf_temp_file_persist (TF_TEMP_FILE (file), destination, TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, &error);
  grant_all ();
  g_assert_no_error (error);

  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "new");
  remove_all ();
}

static void
persist_and_exit (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_named_file_new (NULL, NULL, NULL, NULL, NULL));
  g_autoptr(GFile) doc = g_file_new_for_path ("doc");

  tf_test_write (file, "new");
  fail_unlink_at = 1;
  g_assert_true (tf_temp_file_persist (file, doc, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, NULL));
  grant_all ();
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 2);
  g_clear_object (&file);
  exit (0);
}

/* A former name that cannot be removed at once goes at the end of the process. */
static void
test_former_name (void)
{
  /* The call that fails would be another one. */
  if (tf_test_skip_if_portable ("files without a name"))
    return;

  tf_test_in_child (persist_and_exit);
  assert_doc ("new");
  remove_doc ();
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  tf_test_add_for_kinds ("refusals", "late-error", test_late_error);
  g_test_add_func ("/refusals/late-error-of-copy", test_late_error_of_copy);
  g_test_add_func ("/refusals/late-error-of-rollover", test_late_error_of_rollover);

  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autofree char *replaced = g_strconcat ("/refusals/attributes/replaced/", refusals[i].name, NULL);
      g_autofree char *new = g_strconcat ("/refusals/attributes/new/", refusals[i].name, NULL);

      g_test_add_data_func (replaced, &refusals[i], test_attributes);
      g_test_add_data_func (new, &refusals[i], test_attributes_of_new);
    }
  tf_test_add_for_kinds ("refusals", "chmod", test_chmod);

  tf_test_add_for_kinds ("refusals", "link", test_link);
  tf_test_add_for_kinds ("refusals", "hidden-loss", test_hidden_loss);
  tf_test_add_for_kinds ("refusals", "vacated-name", test_vacated_name);
  tf_test_add_for_kinds ("refusals", "taken-name", test_taken_name);
  tf_test_add_for_kinds ("refusals", "link-of-other-inode", test_link_of_other_inode);
  g_test_add_func ("/refusals/two-names", test_two_names);
  tf_test_add_for_kinds ("refusals", "own-backup", test_own_backup);
  tf_test_add_for_kinds ("refusals", "changing-inodes", test_changing_inodes);

  for (gsize i = 0; i < G_N_ELEMENTS (lasting_errors); i++)
    {
      g_autofree char *path = g_strconcat ("/refusals/lasting-error/", lasting_errors[i].name, NULL);

      g_test_add_data_func (path, &lasting_errors[i], test_lasting_error);
    }

  tf_test_add_for_kinds ("refusals", "not-directed-back", test_not_directed_back);
  if (!tf_test_is_portable ())
    tf_test_add_for_kinds ("refusals", "backup", test_backup);
  if (!tf_test_is_portable ())
    g_test_add_func ("/refusals/no-more-files", test_no_more_files);
  g_test_add_func ("/refusals/open-backup", test_open_backup);
  g_test_add_func ("/refusals/inherited-acl", test_inherited_acl);

  if (!tf_test_is_portable ())
    g_test_add_data_func ("/refusals/own-name/changing-inodes", GINT_TO_POINTER (TRUE), test_own_name);
  g_test_add_data_func ("/refusals/own-name", NULL, test_own_name);
  g_test_add_func ("/refusals/former-name", test_former_name);

  return tf_test_run ();
}
