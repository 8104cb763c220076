/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Who may be where an entry was, how it is created in a directory of somebody else's or fails to be, and what it costs.
 * The linker puts functions in place of some system calls, see meson.build. */

#include "names/tf-entry.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <glib/gstdio.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tf-system.h"
#include "tempfile-glib.h"
#include "tf-test.h"
#include "tree.h"

/* The name of the directory that takes the place of the next one that is made. */
static const char *intruder;

/* Somebody is always faster, and has put something in what was made. */
static gboolean is_always_filled;

/* Somebody removes as many directories as soon as they are made. */
static guint n_removed_at_once;

/* Whose a file is according to the file system, and what has this suffix; 0: the true ones. */
static guint shown_uid;
static const char *only_of; /* (nullable) */

/* Permissions that the file system adds to what has the suffix ".new" */
static guint added_mode;

/* Which call fails the next few times, for what has @failing_part in its name */
static const char *failing_call; /* (nullable) */
static const char *failing_part;
static int failing_errno;
static guint n_failures;

static void
let_fail (const char *call,
          const char *part,
          guint       n,
          int         with_errno)
{
  failing_call = call;
  failing_part = part;
  failing_errno = with_errno;
  n_failures = n;
}

static char *
get_target (int         fd,
            const char *path)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  char *target = *path == '\0' ? g_file_read_link (link, NULL) : g_strdup (path);

  return target != NULL ? target : g_strdup ("closed");
}

static gboolean
fails (const char *call,
       int         fd,
       const char *path)
{
  g_autofree char *target = NULL;

  if (n_failures == 0 || !g_str_equal (call, failing_call))
    return FALSE;

  target = get_target (fd, path);
  if (strstr (target, failing_part) == NULL)
    return FALSE;

  n_failures--;
  errno = failing_errno;
  return TRUE;
}

/* Which file system is said to be everywhere; 0: the true one */
static guint shown_fs;

static gboolean is_fuse;

int __real_fstatfs64 (int fd, struct statfs *fs);
int __wrap_fstatfs64 (int fd, struct statfs *fs);

int
__wrap_fstatfs64 (int            fd,
                  struct statfs *fs)
{
  int result = fails ("fstatfs64", fd, "") ? -1 : __real_fstatfs64 (fd, fs);

  if (shown_uid != 0 || is_fuse)
    fs->f_type = FUSE_SUPER_MAGIC;
  if (shown_fs != 0)
    fs->f_type = shown_fs;
  return result;
}

#define WRAP(name, parameters, arguments, fd, path) \
  int __real_ ## name parameters; \
  int __wrap_ ## name parameters; \
  int \
  __wrap_ ## name parameters \
  { \
    return fails (#name, fd, path) ? -1 : __real_ ## name arguments; \
  }

WRAP (chmod, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path)
WRAP (fchmod, (int fd, mode_t mode), (fd, mode), fd, "")
WRAP (fstatat64, (int fd, const char *path, struct stat *st, int flags), (fd, path, st, flags), fd, path)
WRAP (getentropy, (void *bytes, size_t size), (bytes, size), AT_FDCWD, "random")
WRAP (mknodat, (int fd, const char *path, mode_t mode, dev_t device), (fd, path, mode, device), fd, path)

/* Nothing that has the suffix ".new" can be removed, and how often that was tried. */
static gboolean fails_to_remove;
static gint n_refused; /* (atomic) */

int __real_unlinkat (int fd, const char *path, int flags);
int __wrap_unlinkat (int fd, const char *path, int flags);

/* Somebody gives what is removed the name "victim", and makes its path one in a directory of another user. */
static gboolean is_trapped;

int
__wrap_unlinkat (int         fd,
                 const char *path,
                 int         flags)
{
  if (fails_to_remove && g_str_has_suffix (path, ".new"))
    {
      g_atomic_int_inc (&n_refused);
      errno = EIO;
      return -1;
    }

  if (is_trapped && g_str_equal (path, "victim"))
    {
      g_assert_cmpint (rename ("second", "third"), ==, 0);
      g_assert_cmpint (symlink ("precious", "second"), ==, 0);
    }

  return fails ("unlinkat", fd, path) ? -1 : __real_unlinkat (fd, path, flags);
}

/* Whether the directory "own" is exchanged for a new one as soon as a file is created in it, and is "second" then; and
 * whether somebody removes the file before. */
static gboolean is_exchanged;
static gboolean is_removed_too;
static gboolean is_copied_too; /* another file has its name in the new directory */
static gboolean is_always_exchanged;
static guint n_exchanges;

static void
exchange_own_dir (const char *path)
{
  g_autofree char *former = is_always_exchanged ? g_strdup_printf ("former-%u", n_exchanges++) : g_strdup ("second");

  is_exchanged = is_always_exchanged;
  g_assert_true (!is_removed_too || unlink (path) == 0);
  is_removed_too = FALSE;
  g_assert_cmpint (rename ("own", former), ==, 0);
  g_assert_cmpint (g_mkdir ("own", 0700), ==, 0);
  if (is_copied_too)
    tree_make_file (path);
  is_copied_too = FALSE;
  if (is_trapped)
    {
      g_autofree char *moved = g_build_filename ("second", strrchr (path, '/') + 1, NULL);

      g_assert_cmpint (rename (moved, "second/victim"), ==, 0);
    }
}

/* Whether what is in "second" is moved there when that is opened, and another file gets its name. */
static gboolean is_moved_again;

static void
move_again (void)
{
  g_autoptr(GDir) names = g_dir_open ("second", 0, NULL);
  g_autofree char *path = g_build_filename ("second", g_dir_read_name (names), NULL);

  is_moved_again = FALSE;
  g_assert_cmpint (rename (path, "second/again"), ==, 0);
  tree_make_file (path);
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

  if (is_moved_again && g_str_has_suffix (path, "/second"))
    move_again ();

  return fails ("open64", AT_FDCWD, path) ? -1 : __real_open64 (path, flags, mode);
}

int __real_mkdirat (int dir_fd, const char *path, mode_t mode);
int __wrap_mkdirat (int dir_fd, const char *path, mode_t mode);
int __real_statx (int fd, const char *path, int flags, unsigned int mask, struct statx *stx);
int __wrap_statx (int fd, const char *path, int flags, unsigned int mask, struct statx *stx);

/* The owner of the parent directory moves another directory there. */
int
__wrap_mkdirat (int         dir_fd,
                const char *path,
                mode_t      mode)
{
  int result = __real_mkdirat (dir_fd, path, mode);

  if (intruder != NULL && dir_fd == AT_FDCWD)
    {
      g_assert_cmpint (rmdir (path), ==, 0);
      g_assert_cmpint (rename (intruder, path), ==, 0);
      intruder = NULL;
    }

  if (n_removed_at_once > 0 && dir_fd == AT_FDCWD)
    {
      g_assert_cmpint (rmdir (path), ==, 0);
      n_removed_at_once--;
    }

  if (is_always_filled && dir_fd == AT_FDCWD)
    {
      g_autofree char *file = g_build_filename (path, "file", NULL);

      tree_make_file (file);
    }

  return result;
}

static gboolean
is_of_other (int         fd,
             const char *path)
{
  g_autofree char *target = get_target (fd, path);

  return shown_uid != 0 && (only_of == NULL || g_str_has_suffix (target, only_of));
}

int
__wrap_statx (int           fd,
              const char   *path,
              int           flags,
              unsigned int  mask,
              struct statx *stx)
{
  g_autofree char *target = get_target (fd, path);
  int result = fails ("statx", fd, path) ? -1 : __real_statx (fd, path, flags, mask, stx);

  if (is_of_other (fd, path))
    stx->stx_uid = shown_uid;
  if (g_str_has_suffix (target, ".new"))
    stx->stx_mode |= added_mode;
  return result;
}

/* With which directories cannot be read, or 0 */
static int listing_errno;

ssize_t __real_getdents64 (int fd, void *buffer, size_t size);
ssize_t __wrap_getdents64 (int fd, void *buffer, size_t size);

ssize_t
__wrap_getdents64 (int     fd,
                   void   *buffer,
                   size_t  size)
{
  ssize_t n = listing_errno == 0 ? __real_getdents64 (fd, buffer, size) : -1;

  if (listing_errno != 0)
    errno = listing_errno;
  return n;
}

/* As if another thread had the lock, and the kernel had nothing to wait for any more. */
static gboolean clobbers_errno;

void __real_g_mutex_lock (GMutex *mutex);
void __wrap_g_mutex_lock (GMutex *mutex);

void
__wrap_g_mutex_lock (GMutex *mutex)
{
  __real_g_mutex_lock (mutex);
  if (clobbers_errno)
    errno = EAGAIN;
}

/* With which files cannot be created, or 0 */
static int create_errno;

/* With which new directories cannot be opened, or 0 */
static int open_dir_errno;

int __real_openat64 (int dir_fd, const char *path, int flags, ...);
int __wrap_openat64 (int dir_fd, const char *path, int flags, ...);

int
__wrap_openat64 (int         dir_fd,
                 const char *path,
                 int         flags,
                 ...)
{
  va_list arguments;
  mode_t mode;
  int fd;

  va_start (arguments, flags);
  mode = va_arg (arguments, guintptr);
  va_end (arguments);

  if (open_dir_errno != 0 && (flags & O_DIRECTORY) != 0)
    {
      errno = open_dir_errno;
      return -1;
    }

  if (create_errno != 0 && ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE))
    {
      errno = create_errno;
      return -1;
    }

  if ((flags & O_CREAT) && is_always_exchanged)
    exchange_own_dir (path);

  fd = __real_openat64 (dir_fd, path, flags, mode);
  if (fd >= 0 && (flags & O_CREAT) && is_exchanged)
    exchange_own_dir (path);
  return fd;
}

static void
remove_only_file (const char *dir)
{
  g_autoptr(GDir) names = g_dir_open (dir, 0, NULL);
  g_autofree char *path = g_build_filename (dir, g_dir_read_name (names), NULL);

  g_assert_cmpint (unlink (path), ==, 0);
}

/* A directory that nobody else may write, unlike the sandbox. */
static void
make_own_dir (void)
{
  g_assert_cmpint (g_mkdir ("own", 0700), ==, 0);
}

static void
remove_own_dir (void)
{
  g_assert_cmpint (rmdir ("own"), ==, 0);
}

static TfNamedFile *
make_file (const char *dir)
{
  g_autoptr(GError) error = NULL;
  TfNamedFile *file = tf_named_file_new (NULL, NULL, dir, NULL, &error);

  g_assert_no_error (error);
  return file;
}

static TfTempDir *
make_dir (const char *dir)
{
  g_autoptr(GError) error = NULL;
  TfTempDir *result = tf_temp_dir_new (NULL, NULL, dir, NULL, &error);

  g_assert_no_error (error);
  return result;
}

static void
close_file (TfNamedFile *file)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
}

static void
close_file_but_stay (TfNamedFile *file)
{
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
  close_file (file);
}

static void
clean_up (TfTempDir *dir)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);
}

static void
assert_cleanup_fails (TfTempDir *dir,
                      int        code)
{
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_error (error, G_IO_ERROR, code);
}

static void
write_by_glib (GFile *file)
{
  g_assert_true (g_file_set_contents (g_file_peek_path (file), "new", 3, NULL));
}

static void
replace_by_gio (GFile *file)
{
  g_assert_true (g_file_replace_contents (file, "new", 3, NULL, FALSE, G_FILE_CREATE_NONE, NULL, NULL, NULL));
}

static void
copy_over (GFile *file)
{
  g_autoptr(GFile) source = g_file_new_for_path ("source");

  tree_make_file ("source");
  g_assert_true (g_file_copy (source, file, G_FILE_COPY_OVERWRITE, NULL, NULL, NULL, NULL));
  g_assert_cmpint (unlink ("source"), ==, 0);
}

static void
rename_over (GFile *file)
{
  tree_make_file ("own/sed");
  g_assert_cmpint (rename ("own/sed", g_file_peek_path (file)), ==, 0);
}

/* What editors and tools do that save a file. */
static void
test_replaced_file (void)
{
  void (* const replace[]) (GFile *) = { write_by_glib, replace_by_gio, copy_over, rename_over };

  make_own_dir ();
  for (gsize i = 0; i < G_N_ELEMENTS (replace); i++)
    {
      g_autoptr(TfNamedFile) file = make_file ("own");
      g_autoptr(GFile) path = tf_named_file_get_file (file);

      replace[i] (path);
      close_file (file);
      g_assert_cmpuint (tf_test_count_entries ("own"), ==, 0);
    }
  remove_own_dir ();
}

static void
test_replaced_dir (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  const char *path;

  make_own_dir ();
  dir = make_dir ("own");
  path = tf_temp_dir_get_path (dir);
  g_assert_cmpint (rmdir (path), ==, 0);
  tree_make_dir (path);
  tree_make_wide (path, 2, 2);
  clean_up (dir);
  remove_own_dir ();
}

/* In a sticky directory, others may move a directory that they can write to a name that is free. */
static void
test_replaced_dir_in_sticky_dir (void)
{
  const guint modes[] = { 0700, 0770, 0707 };

  if (tf_test_skip_if_portable ("birth times, which tell a directory from another one with its inode"))
    return;

  make_own_dir ();
  g_assert_cmpint (chmod ("own", 01777), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autoptr(TfTempDir) dir = make_dir ("own");
      const char *path = tf_temp_dir_get_path (dir);

      g_assert_cmpint (rmdir (path), ==, 0);
      tree_make_dir (path);
      tree_make_wide (path, 1, 1);
      g_assert_cmpint (chmod (path, modes[i]), ==, 0);
      if (modes[i] == 0700)
        clean_up (dir);
      else
        {
          g_autoptr(GFile) left = tf_temp_dir_get_file (dir);

          assert_cleanup_fails (dir, G_IO_ERROR_EXISTS);
          g_assert_true (tf_remove_tree (left, NULL, NULL));
        }
    }
  remove_own_dir ();
}

/* Where others may write, they may have put it there. */
static void
test_replaced_where_others_write (void)
{
  g_autoptr(TfNamedFile) file = make_file (NULL);
  g_autoptr(GError) error = NULL;
  const char *path = tf_named_file_get_path (file);

  g_assert_true (g_file_set_contents (path, "new", 3, NULL));
  g_assert_false (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpint (unlink (path), ==, 0);
}

static void
test_replaced_by_other_user (void)
{
  g_autoptr(TfNamedFile) file = NULL;
  g_autoptr(GError) error = NULL;
  const char *path;

  if (geteuid () != 0)
    {
      g_test_skip ("only root has another user at hand");
      return;
    }

  make_own_dir ();
  file = make_file ("own");
  path = tf_named_file_get_path (file);
  g_assert_true (g_file_set_contents (path, "new", 3, NULL));
  g_assert_cmpint (chown (path, 65534, 65534), ==, 0);
  g_assert_false (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpint (unlink (path), ==, 0);
  remove_own_dir ();
}

static void
create_in_new_dir_and_die (void)
{
  TfNamedFile *former, *file;
  TfTempDir *dir;

  make_own_dir ();
  former = make_file ("own");
  g_assert_cmpint (rename ("own", "moved"), ==, 0);
  make_own_dir ();
  file = make_file ("own");
  dir = make_dir ("own");
  g_assert_true (g_file_test (tf_named_file_get_path (file), G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (tf_named_file_get_path (former), G_FILE_TEST_EXISTS));
  raise (SIGKILL);
}

/* Another directory is at the path of the one that is known: a sweep finds what was created in it. */
static void
test_swept_where_created (void)
{
  g_autoptr(GFile) moved = g_file_new_for_path ("moved");
  g_autoptr(GError) error = NULL;
  guint n_removed;
  int status;
  pid_t pid;

  if (tf_test_skip_if_portable ("journals"))
    return;

  pid = fork ();
  if (pid == 0)
    create_in_new_dir_and_die ();
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);

  g_assert_true (tf_sweep (NULL, "own", 0, &n_removed, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_removed, ==, 2);
  remove_own_dir ();
  g_assert_true (tf_remove_tree (moved, NULL, NULL));
}

/* What it is persisted to by another path is not taken for a replacement. */
static void
test_persisted_to_itself (void)
{
  g_autoptr(TfNamedFile) file = NULL;
  g_autoptr(GFile) destination = NULL;
  g_autofree char *name = NULL;
  g_autofree char *path = NULL;
  g_autofree char *content = NULL;
  g_autoptr(GError) error = NULL;

  make_own_dir ();
  tree_make_link ("own", "alias");
  file = make_file ("own");
  name = g_path_get_basename (tf_named_file_get_path (file));
  path = g_build_filename (tf_test_get_sandbox (), "alias", name, NULL);
  destination = g_file_new_for_path (path);
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "kept", 4, NULL, NULL));
  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), destination, TF_PERSIST_REPLACE,
                                       NULL, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_true (g_file_get_contents (path, &content, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (content, ==, "kept");
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (unlink ("alias"), ==, 0);
  remove_own_dir ();
}

static gboolean
has_content (const char *path,
             const char *expected)
{
  g_autofree char *content = NULL;

  return g_file_get_contents (path, &content, NULL, NULL) && g_str_equal (content, expected);
}

/* So that the next one needs new random numbers */
static void
use_up_random_names (void)
{
  const TfTemplate template = { .prefix = (char *) "" };
  char *name;

  let_fail ("getentropy", "", 1, EIO);
  while ((name = tf_template_make_name (&template, NULL)) != NULL)
    g_free (name);
}

static void
assert_persisted_elsewhere (TfNamedFile *new_file,
                            gboolean     former_stays)
{
  g_autoptr(TfNamedFile) file = new_file;
  g_autofree char *former = g_strdup (tf_named_file_get_path (file));
  g_autofree char *path = g_build_filename (tf_test_get_sandbox (), "other", strrchr (former, '/') + 1, NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "kept", 4, NULL, NULL));
  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), destination, TF_PERSIST_NONE,
                                       NULL, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_true (has_content (path, "kept"));
  g_assert_cmpint (g_file_test (former, G_FILE_TEST_EXISTS), ==, former_stays);
  g_assert_cmpint (unlink (path), ==, 0);
  if (former_stays)
    g_assert_cmpint (unlink (former), ==, 0);
}

#define EXT4 0xef53
#define NETWORK 1

/* Two directories that do not look the same can be one on a network file system, and then the former name is the lasting
 * one. Nothing is removed unless it is known that they are not. */
static void
test_persisted_elsewhere (void)
{
  const struct
  {
    guint fs;
    const char *call;
    const char *part;
    int error;
    gboolean is_reached;
    gboolean former_stays;
  } cases[] = {
    { EXT4, "mknodat", "", EIO, FALSE, FALSE },
    { EXT4, "fstatfs64", "/other", EIO, TRUE, FALSE },
    { NETWORK, "getentropy", "", EIO, TRUE, TRUE },
    { NETWORK, "mknodat", "", EIO, TRUE, TRUE },
    { NETWORK, "mknodat", "", EINTR, TRUE, FALSE },
    { NETWORK, "fstatat64", ".tmp-", EIO, TRUE, TRUE },
    { NETWORK, "unlinkat", ".tmp-", EINTR, TRUE, FALSE },
    { NETWORK, "open64", "/own/.", EMFILE, TRUE, TRUE },
    { NETWORK, "open64", "/other/.", EMFILE, TRUE, TRUE },
  };

  if (tf_test_skip_if_portable ("statfs()"))
    return;

  make_own_dir ();
  tree_make_dir ("other");
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TfNamedFile *file = make_file ("own");

      g_test_message ("%s fails with %s", cases[i].call, g_strerror (cases[i].error));
      shown_fs = cases[i].fs;
      use_up_random_names ();
      let_fail (cases[i].call, cases[i].part, 1, cases[i].error);
      assert_persisted_elsewhere (file, cases[i].former_stays);
      g_assert_cmpuint (n_failures, ==, !cases[i].is_reached);
      g_assert_cmpuint (tf_test_count_entries ("own"), ==, 0);
      g_assert_cmpuint (tf_test_count_entries ("other"), ==, 0);
    }

  n_failures = 0;
  shown_fs = 0;
  g_assert_cmpint (rmdir ("other"), ==, 0);
  remove_own_dir ();
}

static void
persist_and_fail_to_clean_up (void)
{
  TfNamedFile *file = make_file ("own");

  /* The journal, which is open now, is on another file system. */
  shown_fs = NETWORK;
  let_fail ("unlinkat", ".tmp-", 1, EIO);
  assert_persisted_elsewhere (file, FALSE);
  g_assert_cmpuint (n_failures, ==, 0);
}

/* What was made to find that out is left to a sweep if it cannot be removed. */
static void
test_persisted_elsewhere_with_litter (void)
{
  g_autoptr(GError) error = NULL;
  guint n_removed;

  if (tf_test_skip_if_portable ("journals"))
    return;

  make_own_dir ();
  tree_make_dir ("other");
  tf_test_in_child (persist_and_fail_to_clean_up);
  g_assert_cmpuint (tf_test_count_entries ("other"), ==, 1);
  g_assert_true (tf_sweep (NULL, NULL, 0, &n_removed, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_removed, ==, 1);
  g_assert_cmpint (rmdir ("other"), ==, 0);
  remove_own_dir ();
}

/* What somebody else has put at its former name is not in the way. */
static void
test_persisted_after_replacement (void)
{
  g_autoptr(TfNamedFile) file = make_file (NULL);
  g_autoptr(GFile) destination = g_file_new_for_path ("lasting");
  g_autofree char *former = g_strdup (tf_named_file_get_path (file));
  g_autofree char *content = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_true (g_file_set_contents (former, "theirs", 6, NULL));
  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), destination, TF_PERSIST_NONE,
                                       NULL, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  close_file (file);
  g_assert_true (g_file_get_contents (former, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "theirs");
  g_assert_cmpint (unlink (former), ==, 0);
  g_assert_cmpint (unlink ("lasting"), ==, 0);
}

static TfNamedFile *shared;

static void
persist_shared (void)
{
  g_autoptr(GFile) destination = g_file_new_for_path ("lasting");
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_named_file_is_inherited (shared));
  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (shared), destination, TF_PERSIST_NONE,
                                       NULL, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_object_unref (shared);
}

/* What a child persists has two names until its parent, whose file it is, removes its own. */
static void
test_persisted_by_child (void)
{
  shared = make_file (NULL);
  g_assert_false (tf_named_file_is_inherited (shared));
  tf_test_in_child (persist_shared);
  g_assert_true (g_file_test ("lasting", G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (tf_named_file_get_path (shared), G_FILE_TEST_EXISTS));
  g_assert_cmpint (unlink ("lasting"), ==, 0);
  g_assert_finalize_object (g_steal_pointer (&shared));
}

/* An entry is found in its directory, wherever that was moved. */
static void
test_moved_parent (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(TfNamedFile) file = NULL;

  make_own_dir ();
  dir = make_dir ("own");
  file = make_file ("own");
  g_assert_cmpint (rename ("own", "moved"), ==, 0);
  clean_up (dir);
  close_file (file);
  g_assert_cmpint (rmdir ("moved"), ==, 0);
}

/* The parents of the others take the room of those that are kept open. */
static void
crowd_out (GPtrArray *others)
{
  for (guint i = 0; i < 20; i++)
    {
      g_autoptr(TfTempDir) outer = make_dir (NULL);

      g_ptr_array_add (others, make_dir (tf_temp_dir_get_path (outer)));
      g_ptr_array_add (others, g_steal_pointer (&outer));
    }
}

/* If there are too many of these directories, it is an error. */
static void
test_lost_parent (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func (g_object_unref);

  make_own_dir ();
  dir = make_dir ("own");
  crowd_out (others);
  g_assert_cmpint (rename ("own", "moved"), ==, 0);
  assert_cleanup_fails (dir, G_IO_ERROR_NOT_FOUND);
  g_assert_cmpint (rename ("moved", "own"), ==, 0);
  clean_up (dir);
  remove_own_dir ();
}

/* A directory that is put in the place of another one is noticed when something is created in it. */
static void
test_exchanged_parent (void)
{
  g_autoptr(TfTempDir) first = NULL;
  g_autoptr(TfNamedFile) second = NULL;
  g_autoptr(TfTempDir) third = NULL;

  make_own_dir ();
  first = make_dir ("own");
  g_assert_cmpint (rename ("own", "moved"), ==, 0);
  make_own_dir ();
  second = make_file ("own");
  third = make_dir ("own");
  g_assert_cmpuint (tf_test_count_entries ("own"), ==, 2);
  g_assert_cmpuint (tf_test_count_entries ("moved"), ==, 1);
  close_file (second);
  clean_up (third);
  clean_up (first);
  g_assert_cmpint (rmdir ("moved"), ==, 0);
  remove_own_dir ();
}

/* Makes a directory known that is not at its path any more. */
static TfTempDir *
exchange_known_dir (void)
{
  TfTempDir *first;

  make_own_dir ();
  first = make_dir ("own");
  g_assert_cmpint (rename ("own", "moved"), ==, 0);
  make_own_dir ();
  return first;
}

/* Ends what exchange_known_dir() has begun. */
static void
forget_known_dir (TfTempDir *first)
{
  clean_up (first);
  g_assert_cmpint (rmdir ("moved"), ==, 0);
  remove_own_dir ();
}

static void
create_while_exchanged (guint n_entries)
{
  g_autoptr(TfTempDir) first = exchange_known_dir ();
  g_autoptr(TfNamedFile) file = NULL;

  is_exchanged = TRUE;
  file = make_file ("own");
  g_assert_false (is_exchanged);
  g_assert_cmpuint (tf_test_count_entries ("second"), ==, 0);
  g_assert_cmpuint (tf_test_count_entries ("own"), ==, n_entries);
  close_file (file);
  if (n_entries > 1)
    remove_only_file ("own");
  g_assert_cmpuint (tf_test_count_entries ("own"), ==, 0);
  g_assert_cmpint (rmdir ("second"), ==, 0);
  forget_known_dir (first);
}

/* A directory that is exchanged twice while a file is created in it does not keep the file. */
static void
test_exchanged_twice (void)
{
  if (tf_test_skip_if_portable ("the path of a descriptor"))
    return;

  create_while_exchanged (1);
  is_removed_too = TRUE;
  create_while_exchanged (0);
  is_copied_too = TRUE;
  create_while_exchanged (2);
}

/* So does one that is moved while it is looked for; but not one in a directory that cannot be opened. */
static void
test_exchanged_and_moved (void)
{
  g_autoptr(TfTempDir) first = NULL;
  g_autoptr(TfNamedFile) file = NULL;
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("the path of a descriptor"))
    return;

  first = exchange_known_dir ();
  is_exchanged = is_moved_again = TRUE;
  file = make_file ("own");
  g_assert_false (is_moved_again);
  g_assert_false (g_file_test ("second/again", G_FILE_TEST_EXISTS));
  remove_only_file ("second");
  g_assert_cmpint (rmdir ("second"), ==, 0);
  close_file (file);
  forget_known_dir (first);
  g_object_unref (first);

  first = exchange_known_dir ();
  is_exchanged = TRUE;
  let_fail ("open64", "second", 1, EACCES);
  g_assert_null (tf_named_file_new (NULL, NULL, "own", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  remove_only_file ("second");
  g_assert_cmpint (rmdir ("second"), ==, 0);
  forget_known_dir (first);
}

static void
wait_until_refused (TfTempDir  *dir,
                    const char *path)
{
  tf_entry_second = 0;
  n_refused = 0;
  tf_temp_dir_hand_over (dir, 0);
  while (g_atomic_int_get (&n_refused) == 0 || !g_file_test (path, G_FILE_TEST_EXISTS))
    g_main_context_iteration (NULL, FALSE);
}

static void
wait_until_gone (const char *path)
{
  while (g_file_test (path, G_FILE_TEST_EXISTS))
    g_main_context_iteration (NULL, FALSE);
  tf_entry_second = 1000;
}

/* What a removal that fails has removed is known to be gone. */
static void
test_partly_removed (gconstpointer handed_over)
{
  g_autoptr(TfTempDir) outer = make_dir (NULL);
  g_autofree char *gone = g_build_filename (tf_temp_dir_get_path (outer), "gone", NULL);
  g_autofree char *stays = g_build_filename (tf_temp_dir_get_path (outer), "stays.new", NULL);
  g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr(TfNamedFile) file = NULL;

  if (handed_over != NULL && tf_test_skip_without_leases ())
    return;

  tree_make_dir (gone);
  tree_make_file (stays);
  file = make_file (gone);
  close_file_but_stay (file); /* what is open keeps what was handed over */
  for (int i = 0; i < 20; i++)
    {
      TfTempDir *other = make_dir (NULL);

      g_ptr_array_add (others, make_file (tf_temp_dir_get_path (other)));
      g_ptr_array_add (others, other);
    }

  fails_to_remove = TRUE;
  if (handed_over != NULL)
    wait_until_refused (outer, stays);
  else
    assert_cleanup_fails (outer, G_IO_ERROR_FAILED);
  g_assert_false (g_file_test (gone, G_FILE_TEST_EXISTS));

  fails_to_remove = FALSE;
  if (handed_over != NULL)
    wait_until_gone (tf_temp_dir_get_path (outer));
  else
    clean_up (outer);
  g_assert_true (tf_named_file_unlink (file, NULL, NULL));
}

/* Who can exchange the directory cannot have something of others removed. */
static void
test_trapped (void)
{
  g_autoptr(TfTempDir) first = NULL;
  g_autoptr(TfNamedFile) file = NULL;

  if (tf_test_skip_if_portable ("the path of a descriptor"))
    return;

  first = exchange_known_dir ();
  tree_make_dir ("precious");
  tree_make_file ("precious/victim");
  is_exchanged = is_trapped = TRUE;
  file = make_file ("own");
  is_trapped = FALSE;
  g_assert_cmpint (unlink ("precious/victim"), ==, 0);
  g_assert_cmpint (unlink ("second") + rmdir ("third") + rmdir ("precious"), ==, 0);
  close_file (file);
  forget_known_dir (first);
}

/* It is created again, but not for ever. */
static void
test_always_exchanged (void)
{
  g_autoptr(TfTempDir) first = NULL;
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("the path of a descriptor"))
    return;

  first = exchange_known_dir ();
  is_exchanged = is_always_exchanged = TRUE;
  g_assert_null (tf_named_file_new (NULL, NULL, "own", NULL, &error));
  is_exchanged = is_always_exchanged = FALSE;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_assert_cmpuint (n_exchanges, >, 10);
  while (n_exchanges > 0)
    {
      g_autofree char *former = g_strdup_printf ("former-%u", --n_exchanges);

      g_assert_cmpint (rmdir (former), ==, 0);
    }
  forget_known_dir (first);
}

/* Where the system does not tell where the file is, it is an error, and another file that has
 * its name stays. */
static void
test_exchanged_and_unknown (void)
{
  g_autoptr(TfTempDir) first = NULL;
  g_autoptr(TfNamedFile) file = NULL;
  g_autoptr(GFile) second = g_file_new_for_path ("second");
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("parts that can be missing"))
    return;

  first = exchange_known_dir ();
  is_exchanged = is_copied_too = TRUE;
  tf_system_missing = TF_SYSTEM_PROC;
  file = tf_named_file_new (NULL, NULL, "own", NULL, &error);
  tf_system_missing = 0;
  g_assert_null (file);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_cmpuint (tf_test_count_entries ("own"), ==, 1);
  remove_only_file ("own");
  g_assert_true (tf_remove_tree (second, NULL, &error));
  g_assert_no_error (error);
  forget_known_dir (first);
}

static void
hand_over_to_persisting_child (void)
{
  shared = make_file (NULL);
  tf_named_file_hand_over (shared, 3600);
  tf_test_in_child (persist_shared);
  g_assert_true (tf_named_file_is_handed_over (shared));
  g_assert_true (g_file_test (tf_named_file_get_path (shared), G_FILE_TEST_EXISTS));
  g_assert_true (tf_named_file_unlink (shared, NULL, NULL));
  g_assert_finalize_object (g_steal_pointer (&shared));
}

/* A child persists what its parent has handed over: it stays handed over for the parent, whose timer it is. */
static void
test_handed_over_then_persisted_by_child (void)
{
  tf_test_in_child (hand_over_to_persisting_child);
  g_assert_cmpint (unlink ("lasting"), ==, 0);
}

static void
assert_left_alone (TfNamedFile *file)
{
  g_autofree char *path = g_strdup (tf_named_file_get_path (file));
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_named_file_unlink (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpint (unlink (path), ==, 0);
}

/* Moves a file into a new directory that has the path of the one in which it was created. */
static TfNamedFile *
make_moved_file (void)
{
  TfNamedFile *file;
  g_autofree char *moved = NULL;
  const char *path;

  make_own_dir ();
  file = make_file ("own");
  path = tf_named_file_get_path (file);
  moved = g_build_filename ("moved", strrchr (path, '/') + 1, NULL);
  g_assert_cmpint (rename ("own", "moved"), ==, 0);
  make_own_dir ();
  g_assert_cmpint (rename (moved, path), ==, 0);
  g_assert_cmpint (rmdir ("moved"), ==, 0);
  return file;
}

/* What is moved stays, whatever has the path of its directory by then. Others can put a directory there, or a link. */
static void
test_moved_to_new_parent (void)
{
  g_autoptr(TfNamedFile) file = make_moved_file ();

  assert_left_alone (file);
  close_file (file);
  remove_own_dir ();
}

static gboolean keeps_identities = TRUE;

gboolean __real_tf_system_keeps_identities (int fd);
gboolean __wrap_tf_system_keeps_identities (int fd);

gboolean
__wrap_tf_system_keeps_identities (int fd)
{
  return keeps_identities && __real_tf_system_keeps_identities (fd);
}

/* Where a directory may look like another one, its name leads to the file. */
static void
test_parent_looks_different (void)
{
  g_autoptr(TfNamedFile) file = make_moved_file ();

  keeps_identities = FALSE;
  close_file (file);
  g_assert_cmpuint (tf_test_count_entries ("own"), ==, 0);
  keeps_identities = TRUE;
  remove_own_dir ();
}

static void
move_file (TfNamedFile *file,
           const char  *dir)
{
  const char *path = tf_named_file_get_path (file);
  g_autofree char *moved = g_build_filename (dir, strrchr (path, '/') + 1, NULL);

  g_assert_cmpint (rename (path, moved), ==, 0);
}

/* A link leads to another directory even there. */
static void
test_parent_linked (void)
{
  g_autoptr(TfNamedFile) file = NULL;

  for (int i = 0; i < 2; i++)
    {
      g_clear_object (&file);
      make_own_dir ();
      file = make_file ("own");
      tree_make_dir ("home");
      keeps_identities = i > 0;
      move_file (file, "home");
      g_assert_cmpint (rmdir ("own"), ==, 0);
      g_assert_cmpint (symlink ("home", "own"), ==, 0);
      assert_left_alone (file);
      g_assert_cmpint (unlink ("own"), ==, 0);
      g_assert_cmpint (rmdir ("home"), ==, 0);
    }
  keeps_identities = TRUE;
}

static void
leave_linked (void)
{
  TfNamedFile *file = make_file ("own");
  g_autofree char *path = g_strdup (tf_named_file_get_path (file));
  g_autofree char *moved = g_build_filename ("home", strrchr (path, '/') + 1, NULL);

  let_fail ("unlinkat", "", G_MAXUINT, EIO);
  g_object_unref (file);
  n_failures = 0;
  g_assert_cmpint (rename (path, moved), ==, 0);
  g_assert_cmpint (rmdir ("own"), ==, 0);
  g_assert_cmpint (symlink ("home", "own"), ==, 0);
  exit (EXIT_SUCCESS);
}

/* The exit tries again to remove what could not be removed, and does not follow a link either. */
static void
test_parent_linked_at_exit (void)
{
  int status;
  pid_t pid;

  make_own_dir ();
  tree_make_dir ("home");
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    leave_linked ();

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpuint (tf_test_count_entries ("home"), ==, 1);
  g_assert_cmpint (unlink ("own"), ==, 0);
  remove_only_file ("home");
  g_assert_cmpint (rmdir ("home"), ==, 0);
}

/* Another one that has the path of its directory and its name is somebody else's. */
static void
test_other_in_new_parent (void)
{
  g_autoptr(TfNamedFile) file = NULL;

  make_own_dir ();
  file = make_file ("own");
  g_assert_cmpint (g_rename ("own", "moved"), ==, 0);
  make_own_dir ();
  tree_make_file (tf_named_file_get_path (file));
  close_file (file);
  g_assert_cmpuint (tf_test_count_entries ("own"), ==, 1);
  g_assert_cmpint (unlink (tf_named_file_get_path (file)), ==, 0);
  g_assert_cmpuint (tf_test_count_entries ("moved"), ==, 0);
  g_assert_cmpint (rmdir ("moved"), ==, 0);
  remove_own_dir ();
}

/* What is at its path while it is nowhere is somebody else's. */
static void
test_other_at_path (void)
{
  g_autoptr(TfNamedFile) file = NULL;
  g_autofree char *path = NULL;
  g_autofree char *moved = NULL;

  make_own_dir ();
  file = make_file ("own");
  path = g_strdup (tf_named_file_get_path (file));
  moved = g_build_filename ("moved", strrchr (path, '/') + 1, NULL);
  g_assert_cmpint (rename ("own", "moved"), ==, 0);
  g_assert_cmpint (unlink (moved), ==, 0);
  make_own_dir ();
  tree_make_file (path);
  close_file (file);
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (rmdir ("moved"), ==, 0);
  remove_own_dir ();
}

/* A file is no replacement for a directory. */
static void
test_dir_replaced_by_file (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autofree char *path = NULL;

  make_own_dir ();
  dir = make_dir ("own");
  path = g_strdup (tf_temp_dir_get_path (dir));
  g_assert_cmpint (rmdir (path), ==, 0);
  tree_make_file (path);
  assert_cleanup_fails (dir, G_IO_ERROR_EXISTS);
  g_assert_cmpint (unlink (path), ==, 0);
  remove_own_dir ();
}

/* Unless it is known that nobody else can have put it there, what replaces a file stays. */
static void
test_replaced_in_unknown_dir (void)
{
  g_autoptr(TfNamedFile) file = NULL;

  if (tf_test_skip_if_portable ("statx()"))
    return;

  make_own_dir ();
  file = make_file ("own");
  g_assert_true (g_file_set_contents (tf_named_file_get_path (file), "theirs", 6, NULL));
  let_fail ("statx", "/own", 1, EIO);
  assert_left_alone (file);
  g_assert_cmpuint (n_failures, ==, 0);
  remove_own_dir ();
}

static void
unlink_replaced_without_fds (void)
{
  g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr(TfNamedFile) file = NULL;

  make_own_dir ();
  file = make_file ("own");
  g_assert_true (g_file_set_contents (tf_named_file_get_path (file), "theirs", 6, NULL));
  crowd_out (others);
  g_assert_cmpint (chdir ("own"), ==, 0);
  tf_test_take_fds ();
  assert_left_alone (file);
  tf_test_give_all_fds ();
  g_assert_cmpint (chdir (".."), ==, 0);
  remove_own_dir ();
}

static void
test_replaced_without_fds (void)
{
  tf_test_in_child (unlink_replaced_without_fds);
}

/* If the system has no more descriptors, a file is removed by its path. */
static void
test_parent_that_cannot_be_opened (void)
{
  g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr(TfNamedFile) file = NULL;
  g_autoptr(TfNamedFile) second = NULL;
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("directories that are opened without being read"))
    return;

  make_own_dir ();
  file = make_file ("own");
  second = make_file ("own");
  crowd_out (others);
  let_fail ("open64", "/own", G_MAXUINT, EIO);
  g_assert_false (tf_named_file_unlink (second, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, tf_named_file_get_path (second)));
  g_assert_cmpuint (tf_test_count_entries ("own"), ==, 2);
  let_fail ("open64", "/own", G_MAXUINT, ENFILE);
  close_file (file);
  close_file (second);
  n_failures = 0;
  remove_own_dir ();
}

static void
test_removed_parent (void)
{
  g_autoptr(TfTempDir) outer = make_dir (NULL);
  g_autoptr(TfTempDir) inner = make_dir (tf_temp_dir_get_path (outer));
  g_autoptr(TfNamedFile) file = make_file (tf_temp_dir_get_path (outer));

  clean_up (outer);
  clean_up (inner);
  close_file (file);
}

static guint
get_mode (const char *path)
{
  struct stat st;

  g_assert_cmpint (stat (path, &st), ==, 0);
  return st.st_mode & 07777;
}

/* The sandbox may be written by all, so its owner might be anybody. */
static void
test_intruder (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  struct stat before;
  struct stat after;
  g_autoptr(GDir) names = NULL;
  const char *name;

  tree_make_dir ("project");
  tree_make_file ("project/precious");
  g_assert_cmpint (chmod ("project", 0750), ==, 0);
  g_assert_cmpint (stat ("project", &before), ==, 0);
  intruder = "project";
  dir = make_dir (NULL);
  g_assert_null (intruder);
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (dir)), ==, 0);
  clean_up (dir);

  g_assert_cmpuint (tf_test_count_entries ("."), ==, 1);
  names = g_dir_open (".", 0, NULL);
  name = g_dir_read_name (names);
  g_assert_cmpint (rename (name, "project"), ==, 0);
  g_assert_cmpint (stat ("project", &after), ==, 0);
  g_assert_cmpuint (before.st_ino, ==, after.st_ino);
  g_assert_cmphex (before.st_mode, ==, after.st_mode);
  g_assert_cmpint (unlink ("project/precious"), ==, 0);
  g_assert_cmpint (rmdir ("project"), ==, 0);
}

/* They are left behind, as they may be somebody's. */
static void
test_intruder_each_time (void)
{
  g_autoptr(GFile) own = g_file_new_for_path ("own");
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(GError) error = NULL;

  make_own_dir ();
  g_assert_cmpint (chmod ("own", 0777), ==, 0);
  is_always_filled = TRUE;
  dir = tf_temp_dir_new (NULL, NULL, "own", NULL, &error);
  is_always_filled = FALSE;
  g_assert_null (dir);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_assert_cmpuint (tf_test_count_entries ("own"), ==, 100);
  g_assert_true (tf_remove_tree (own, NULL, NULL));
}

/* A network file system can show another user for all that is created on it. */
static void
test_mapped_user (void)
{
  g_autoptr(TfTempDir) dir = NULL;

  if (tf_test_skip_if_portable ("statx()"))
    return;

  make_own_dir ();
  shown_uid = geteuid () + 1;
  dir = make_dir ("own");
  g_assert_true (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_IS_DIR));
  clean_up (dir);
  shown_uid = 0;
  remove_own_dir ();
}

static void
check_refused (int      code,
               GError **error)
{
  g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, "own", NULL, error);

  g_assert_null (dir);
  g_assert_error (*error, G_IO_ERROR, code);
  g_assert_nonnull (strstr ((*error)->message, "own"));
  g_clear_error (error);
}

/* What is needed to tell whose a new directory is has to be there before it is made, since it could not be removed. */
static void
test_mapped_user_in_need (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("statx()"))
    return;

  make_own_dir ();
  shown_uid = geteuid () + 1;
  create_errno = ENOSPC;
  check_refused (G_IO_ERROR_NO_SPACE, &error);
  create_errno = 0;

  for (guint n = 0; dir == NULL; n++)
    {
      tf_test_take_fds ();
      tf_test_give_fds (n);
      dir = tf_temp_dir_new (NULL, NULL, "own", NULL, &error);
      tf_test_give_all_fds ();
      if (dir == NULL)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
      g_clear_error (&error);
    }

  g_assert_cmpuint (tf_test_count_entries ("own"), ==, 1);
  clean_up (dir);
  shown_uid = 0;
  remove_own_dir ();
}

/* A sandbox can refuse files, and let directories be made. */
static void
test_no_files (void)
{
  g_autoptr(TfTempDir) dir = NULL;

  if (tf_test_skip_if_portable ("statx()"))
    return;

  make_own_dir ();
  g_assert_cmpint (chmod ("own", 0777), ==, 0);
  is_fuse = TRUE;
  create_errno = EACCES;
  dir = make_dir ("own");
  create_errno = 0;
  is_fuse = FALSE;
  clean_up (dir);
  remove_own_dir ();
}

/* Some servers are another user for the file system alone, in one thread. */
static void
test_file_system_user (void)
{
  g_autoptr(TfTempDir) dir = NULL;

  if (tf_test_skip_if_portable ("setfsuid()"))
    return;

  if (geteuid () != 0)
    {
      g_test_skip ("only root can be another user");
      return;
    }

  make_own_dir ();
  g_assert_cmpint (chmod ("own", 0777), ==, 0);
  setfsuid (1000);
  dir = tf_temp_dir_new (NULL, NULL, "own", NULL, NULL);
  setfsuid (0);
  g_assert_nonnull (dir);
  clean_up (dir);
  remove_own_dir ();
}

/* The errno is that of the system call, whatever locks are taken afterwards. */
static void
test_waited_for_lock (void)
{
  g_autoptr(TfNamedFile) file = make_file (NULL);
  g_autoptr(TfTempDir) dir = make_dir (NULL);

  g_assert_cmpint (unlink (tf_named_file_get_path (file)), ==, 0);
  g_assert_cmpint (rmdir (tf_temp_dir_get_path (dir)), ==, 0);
  clobbers_errno = TRUE;
  close_file (file);
  clean_up (dir);
  clobbers_errno = FALSE;
}

/* That is not taken for an exchange, so that it is not tried again and again. */
static void
test_unreadable_dir (void)
{
  g_autoptr(GFile) own = g_file_new_for_path ("own");
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("getdents64()"))
    return;

  make_own_dir ();
  g_assert_cmpint (chmod ("own", 0777), ==, 0);
  listing_errno = EROFS;
  check_refused (G_IO_ERROR_READ_ONLY, &error);
  listing_errno = 0;
  g_assert_cmpuint (tf_test_count_entries ("own"), ==, 1);
  g_assert_true (tf_remove_tree (own, NULL, NULL));
}

/* But not for the directory alone. */
static void
test_other_user_each_time (void)
{
  g_autoptr(GFile) own = g_file_new_for_path ("own");
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(GError) error = NULL;

  if (tf_test_skip_if_portable ("statx()"))
    return;

  make_own_dir ();
  g_assert_cmpint (chmod ("own", 0777), ==, 0);
  shown_uid = geteuid () + 1;
  only_of = ".theirs";
  dir = tf_temp_dir_new (NULL, ".theirs", "own", NULL, &error);
  shown_uid = 0;
  only_of = NULL;
  g_assert_null (dir);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_assert_true (tf_remove_tree (own, NULL, NULL));
}

/* What is no directory is no new one either. */
static void
test_intruder_file (void)
{
  g_autoptr(TfTempDir) dir = NULL;

  tree_make_file ("precious");
  intruder = "precious";
  dir = make_dir (NULL);
  g_assert_null (intruder);
  g_assert_true (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_IS_DIR));
  clean_up (dir);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 1);
  remove_only_file (".");
}

/* It is made again, but not for ever. */
static void
test_removed_at_once (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(GError) error = NULL;

  make_own_dir ();
  n_removed_at_once = 1;
  dir = make_dir ("own");
  g_assert_cmpuint (n_removed_at_once, ==, 0);
  g_assert_true (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_IS_DIR));
  clean_up (dir);

  n_removed_at_once = G_MAXUINT;
  g_assert_null (tf_temp_dir_new (NULL, NULL, "own", NULL, &error));
  n_removed_at_once = 0;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  remove_own_dir ();
}

static void
assert_not_set_up (GError     *error,
                   int         code,
                   const char *dir)
{
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_true (g_str_has_prefix (error->message, "set up “"));
  g_assert_nonnull (strstr (error->message, ".new"));
  g_assert_cmpuint (tf_test_count_entries (dir), ==, 0);
}

/* A new directory is looked at twice. What cannot be looked at is removed again. */
static void
test_failing_look (void)
{
  g_autoptr(TfTempDir) outer = make_dir (NULL);
  const char *path = tf_temp_dir_get_path (outer);
  g_autoptr(TfTempDir) inner = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) inner_error = NULL;

  if (tf_test_skip_if_portable ("statx()"))
    return;

  make_own_dir ();
  let_fail ("statx", ".new", 2, EIO);
  g_assert_null (tf_temp_dir_new (NULL, ".new", "own", NULL, &error));
  assert_not_set_up (error, G_IO_ERROR_FAILED, "own");

  /* Where others may look, what is made in a directory of ours is looked at as well. */
  g_assert_cmpint (chmod (path, 0755), ==, 0);
  let_fail ("statx", ".new", 2, EIO);
  g_assert_null (tf_temp_dir_create_dir (outer, NULL, ".new", NULL, &inner_error));
  assert_not_set_up (inner_error, G_IO_ERROR_FAILED, path);
  let_fail ("statx", ".new", 1, EIO);
  inner = tf_temp_dir_create_dir (outer, NULL, ".new", NULL, NULL);
  g_assert_cmpuint (n_failures, ==, 0);
  g_assert_true (g_file_test (tf_temp_dir_get_path (inner), G_FILE_TEST_IS_DIR));
  clean_up (outer);
  remove_own_dir ();
}

/* As with a default ACL that gives a group something. */
static void
test_added_permissions (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(TfNamedFile) file = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) file_error = NULL;

  if (tf_test_skip_if_portable ("statx()"))
    return;

  make_own_dir ();
  added_mode = 0070;
  dir = tf_temp_dir_new (NULL, ".new", "own", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmphex (get_mode (tf_temp_dir_get_path (dir)), ==, 0700);
  clean_up (dir);
  file = tf_named_file_new (NULL, ".new", "own", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmphex (get_mode (tf_named_file_get_path (file)), ==, 0600);
  close_file (file);

  /* What they cannot be taken from is not handed out. */
  tf_system_missing = TF_SYSTEM_FCHMODAT2;
  let_fail ("chmod", "", 1, EPERM);
  g_assert_null (tf_temp_dir_new (NULL, ".new", "own", NULL, &error));
  assert_not_set_up (error, G_IO_ERROR_PERMISSION_DENIED, "own");
  let_fail ("fchmod", ".new", 1, EPERM);
  g_assert_null (tf_named_file_new (NULL, ".new", "own", NULL, &file_error));
  assert_not_set_up (file_error, G_IO_ERROR_PERMISSION_DENIED, "own");
  tf_system_missing = 0;
  added_mode = 0;
  remove_own_dir ();
}

/* The owner has less than wanted, which harms nobody. */
static void
test_missing_permissions (void)
{
  g_autoptr(TfTempDir) before = make_dir (NULL);
  g_autoptr(TfTempDir) dir = NULL;
  mode_t mask;

  if (tf_test_skip_if_portable ("descriptors of directories that are not opened for reading"))
    return;

  make_own_dir ();
  mask = umask (0200);
  tf_system_missing = TF_SYSTEM_FCHMODAT2;
  let_fail ("chmod", "", 1, EPERM);
  dir = make_dir ("own");
  g_assert_cmpuint (n_failures, ==, 0);
  tf_system_missing = 0;
  umask (mask);
  g_assert_cmphex (get_mode (tf_temp_dir_get_path (dir)), ==, 0500);
  clean_up (dir);
  clean_up (before);
  remove_own_dir ();
}

static void
fail_to_remove_new (void)
{
  g_autoptr(GError) error = NULL;

  added_mode = 0070;
  let_fail ("fchmod", ".new", 1, EPERM);
  fails_to_remove = TRUE;
  g_assert_null (tf_named_file_new (NULL, ".new", "own", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
}

/* A sweep takes what could neither be set up nor be removed. */
static void
test_left_to_a_sweep (void)
{
  g_autoptr(GError) error = NULL;
  guint n_removed;

  if (tf_test_skip_if_portable ("journals"))
    return;

  make_own_dir ();
  tf_test_in_child (fail_to_remove_new);
  g_assert_cmpuint (tf_test_count_entries ("own"), ==, 1);
  g_assert_true (tf_sweep (NULL, "own", 0, &n_removed, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_removed, ==, 1);
  remove_own_dir ();
}

/* As with mkdtemp(), the owner can use the directory all the same. */
static void
create_under_umask (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(TfNamedFile) file = NULL;

  umask (0777);
  dir = make_dir (NULL);
  file = make_file (NULL);
  g_assert_cmphex (get_mode (tf_temp_dir_get_path (dir)), ==, 0700);
  g_assert_cmphex (get_mode (tf_named_file_get_path (file)), ==, 0);
  clean_up (dir);
  close_file (file);
}

static void
test_umask (void)
{
  tf_test_as_unprivileged (create_under_umask);
}

static void
test_set_group_id (void)
{
  g_autoptr(TfTempDir) dir = NULL;

  make_own_dir ();
  g_assert_cmpint (chmod ("own", 02700), ==, 0);
  dir = make_dir ("own");
  g_assert_cmphex (get_mode (tf_temp_dir_get_path (dir)), ==, 02700);
  clean_up (dir);
  remove_own_dir ();
}

static void
assert_can_be_locked (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (flock (fd, LOCK_EX | LOCK_NB), ==, 0);
  g_assert_cmpint (close (fd), ==, 0);
}

/* No lock of the library's is on a file of the user's. */
static void
test_others_may_lock (void)
{
  g_autoptr(TfNamedFile) file = make_file (NULL);
  g_autoptr(GFile) destination = g_file_new_for_path ("lasting");
  g_autofree char *path = g_strdup (tf_named_file_get_path (file));

  assert_can_be_locked (path);
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), destination, TF_PERSIST_NONE,
                                       NULL, NULL, NULL, NULL, NULL));
  assert_can_be_locked ("lasting");
  close_file (file);
  assert_can_be_locked ("lasting");
  g_assert_cmpint (unlink ("lasting"), ==, 0);
}

/* The program needs descriptors for itself. */
static void
create_many (void)
{
  struct rlimit limit;
  g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func (g_object_unref);
  guint n_fds = tf_test_count_fds ();

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  limit.rlim_cur = 64;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  for (guint i = 0; i < 500; i++)
    {
      TfNamedFile *file = make_file (NULL);

      tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
      close_file (file);
      g_ptr_array_add (entries, file);
      g_ptr_array_add (entries, make_dir (NULL));
    }

  g_assert_cmpuint (tf_test_count_fds (), <=, n_fds + 8);
  for (guint i = 0; i < entries->len; i += 2)
    {
      g_autofree char *child = g_build_filename (tf_temp_dir_get_path (entries->pdata[i + 1]), "file", NULL);

      tree_make_file (child);
    }
  g_ptr_array_set_size (entries, 0);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);
}

static void
test_many (void)
{
  tf_test_in_child (create_many);
}

/* More directories than the library keeps open. */
#define N_DIRS 20

static void
unlink_moved_without_fds (void)
{
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr(GError) error = NULL;
  g_autofree char *copy = NULL;
  g_autofree char *copy_moved = NULL;

  for (guint i = 0; i < N_DIRS; i++)
    {
      g_autofree char *dir = g_strdup_printf ("dir%u", i);

      tree_make_dir (dir);
      g_ptr_array_add (files, make_file (dir));
      close_file_but_stay (files->pdata[i]);
    }

  copy = g_strdup (tf_named_file_get_path (files->pdata[0]));
  g_assert_cmpint (rename ("dir0", "moved"), ==, 0);
  tf_test_take_fds ();
  g_assert_false (tf_named_file_unlink (files->pdata[0], NULL, &error));
  tf_test_give_all_fds ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_clear_error (&error);

  tree_make_dir ("dir0");
  tree_make_file (copy);
  tf_test_take_fds ();
  g_assert_false (tf_named_file_unlink (files->pdata[0], NULL, &error));
  tf_test_give_all_fds ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_assert_cmpint (unlink (copy), ==, 0);
  g_assert_cmpint (rmdir ("dir0"), ==, 0);
  g_assert_cmpint (rename ("moved", "dir0"), ==, 0);

  /* The file has moved into the other directory as well, where it stays. */
  g_clear_error (&error);
  copy_moved = g_strconcat ("moved/", strrchr (copy, '/') + 1, NULL);
  g_assert_cmpint (rename ("dir0", "moved"), ==, 0);
  tree_make_dir ("dir0");
  g_assert_cmpint (rename (copy_moved, copy), ==, 0);
  tf_test_take_fds ();
  g_assert_false (tf_named_file_unlink (files->pdata[0], NULL, &error));
  tf_test_give_all_fds ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_clear_error (&error);
  g_assert_false (tf_named_file_unlink (files->pdata[0], NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_cmpint (rename (copy, copy_moved), ==, 0);
  g_assert_cmpint (rmdir ("dir0"), ==, 0);
  g_assert_cmpint (rename ("moved", "dir0"), ==, 0);

  for (guint i = 0; i < N_DIRS; i++)
    {
      g_autofree char *dir = g_strdup_printf ("dir%u", i);

      g_assert_true (tf_named_file_unlink (files->pdata[i], NULL, NULL));
      g_assert_cmpint (rmdir (dir), ==, 0);
    }
}

/* What the library has not looked at since it created it is not what is at its path now. */
static void
unlink_unknown_without_fds (void)
{
  TfTempDir *dir = make_dir (NULL);
  TfNamedFile *file = tf_temp_dir_create_file (dir, NULL, NULL, NULL, NULL);
  g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr(GError) error = NULL;

  for (guint i = 0; i < N_DIRS; i++)
    {
      TfTempDir *other = make_dir (NULL);

      g_ptr_array_add (others, other);
      g_object_unref (tf_temp_dir_create_file (other, NULL, NULL, NULL, NULL));
    }

  g_assert_cmpint (rename (tf_temp_dir_get_path (dir), "moved"), ==, 0);
  tree_make_dir (tf_temp_dir_get_path (dir));
  tree_make_file (tf_named_file_get_path (file));
  tf_test_take_fds ();
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
  g_assert_false (tf_named_file_unlink (file, NULL, &error));
  tf_test_give_all_fds ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_assert_cmpint (unlink (tf_named_file_get_path (file)), ==, 0);
  g_assert_cmpint (rmdir (tf_temp_dir_get_path (dir)), ==, 0);
  g_assert_cmpint (rename ("moved", tf_temp_dir_get_path (dir)), ==, 0);

  g_assert_true (tf_named_file_unlink (file, NULL, NULL));
  g_assert_false (g_file_test (tf_named_file_get_path (file), G_FILE_TEST_EXISTS));
  g_object_unref (file);
  clean_up (dir);
  g_object_unref (dir);
}

static void
test_moved_without_fds (void)
{
  tf_test_in_child (unlink_moved_without_fds);
  tf_test_in_child (unlink_unknown_without_fds);
}

static void
create_without_fds (void)
{
  g_autoptr(TfTempDir) dir = NULL;

  make_own_dir ();
  tf_test_take_fds ();
  dir = make_dir ("own");
  tf_test_give_all_fds ();
  clean_up (dir);
  remove_own_dir ();
}

static void
test_no_fds (void)
{
  if (tf_test_skip_if_portable ("directories that are opened without being read"))
    return;

  tf_test_in_child (create_without_fds);
}

/* There is no main context yet, and it cannot be created. */
static void
hand_over_without_fds (void)
{
  g_autoptr(TfNamedFile) file = make_file (NULL);

  tf_test_take_fds ();
  tf_named_file_hand_over (file, 0);
  tf_test_give_all_fds ();
  g_assert_true (tf_named_file_is_handed_over (file));
  g_assert_true (tf_named_file_unlink (file, NULL, NULL));
}

static void
test_hand_over_without_fds (void)
{
  tf_test_in_child (hand_over_without_fds);
}

/* There is one already. */
static void
hand_over_without_fds_again (void)
{
  g_autoptr(TfNamedFile) first = make_file (NULL);
  g_autoptr(TfNamedFile) second = make_file (NULL);

  close_file_but_stay (first);
  close_file_but_stay (second);
  tf_named_file_hand_over (first, 0);
  tf_test_take_fds ();
  tf_named_file_hand_over (second, 0);
  tf_test_give_all_fds ();
  while (tf_named_file_is_handed_over (first) || tf_named_file_is_handed_over (second))
    g_main_context_iteration (NULL, TRUE);
}

static void
test_hand_over_without_fds_again (void)
{
  if (!tf_test_skip_without_leases ())
    tf_test_in_child (hand_over_without_fds_again);
}

static void
settle_without_parent (void)
{
  g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr(TfNamedFile) file = NULL;

  tf_entry_second = 0;
  make_own_dir ();
  file = make_file ("own");
  close_file_but_stay (file);
  crowd_out (others);
  let_fail ("open64", "/own", 1, EMFILE);
  tf_named_file_hand_over (file, 0);
  while (tf_named_file_is_handed_over (file))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (n_failures, ==, 0);
  remove_own_dir ();
}

/* By its path alone, what was handed over is not known to be the same one until it is moved aside: it is tried again. */
static void
test_handed_over_in_unknown_dir (void)
{
  if (!tf_test_skip_without_leases ())
    tf_test_in_child (settle_without_parent);
}

static TfNamedFile *of_parent;

static void
keep_without_fds (void)
{
  g_autofree char *path = NULL;

  tf_test_take_fds ();
  g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Keeping what belongs to the parent of this process: *");
  path = tf_named_file_keep (of_parent);
  g_test_assert_expected_messages ();
  tf_test_give_all_fds ();
}

/* A sweep could take it after the death of both. */
static void
test_kept_by_child_without_fds (void)
{
  if (tf_test_skip_if_portable ("journals"))
    return;

  of_parent = make_file (NULL);
  tf_test_in_child (keep_without_fds);
  g_assert_finalize_object (g_steal_pointer (&of_parent));
}

/* By its path alone, it is not known to be the same one until it is removed. */
static void
remove_without_fds_where_others_write (void)
{
  g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr(TfTempDir) dir = NULL;
  const char *path;

  make_own_dir ();
  g_assert_cmpint (chmod ("own", 0777), ==, 0);
  dir = make_dir ("own");
  path = tf_temp_dir_get_path (dir);
  crowd_out (others);
  tf_test_take_fds ();
  assert_cleanup_fails (dir, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_DIR));
  tf_test_give_all_fds ();
  clean_up (dir);
  remove_own_dir ();
}

static void
test_no_fds_where_others_write (void)
{
  tf_test_in_child (remove_without_fds_where_others_write);
}

/* As on a network file system that shows another owner: the error is the one of the file system. */
static void
test_closed_to_its_creator (void)
{
  const int errnos[] = { EACCES, EMFILE, EIO };
  const int codes[] = { G_IO_ERROR_PERMISSION_DENIED, G_IO_ERROR_TOO_MANY_OPEN_FILES, G_IO_ERROR_FAILED };
  g_autoptr(GFile) own = NULL;

  make_own_dir ();
  g_assert_cmpint (chmod ("own", 0777), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (errnos); i++)
    {
      g_autoptr(GError) error = NULL;

      open_dir_errno = errnos[i];
      g_assert_null (tf_temp_dir_new (NULL, NULL, "own", NULL, &error));
      open_dir_errno = 0;
      g_assert_error (error, G_IO_ERROR, codes[i]);
    }

  /* What cannot be known again is left. */
  own = g_file_new_for_path ("own");
  g_assert_true (tf_remove_tree (own, NULL, NULL));
}

/* A descriptor that the program has closed, and opened as something else, is not used. */
static void
close_all (const char *other)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autofree char *file = NULL;
  int fds[32];

  make_own_dir ();
  dir = make_dir ("own");
  file = g_build_filename (tf_temp_dir_get_path (dir), "file", NULL);
  tree_make_file (file);
  for (int fd = 3; fd < 1024; fd++)
    close (fd);
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = other != NULL ? open (other, O_RDONLY | O_CLOEXEC) : -1;

  clean_up (dir);
  g_assert_cmpuint (tf_test_count_entries ("own"), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    g_assert_true (other == NULL || close (fds[i]) == 0);
  remove_own_dir ();
}

static void
close_all_for_good (void)
{
  close_all (NULL);
}

static void
close_all_for_file (void)
{
  tree_make_file ("other");
  close_all ("other");
  g_assert_cmpint (unlink ("other"), ==, 0);
}

static void
close_all_for_dir (void)
{
  tree_make_dir ("other");
  close_all ("other");
  g_assert_cmpint (rmdir ("other"), ==, 0);
}

/* What its descriptor has become in the meantime gets nothing. */
static void
create_after_close (void)
{
  g_autoptr(TfTempDir) dir = make_dir (NULL);
  g_autoptr(TfTempDir) other = make_dir (NULL);
  g_autoptr(TfNamedFile) first = tf_temp_dir_create_file (dir, NULL, NULL, NULL, NULL);
  g_autoptr(TfNamedFile) second = NULL;
  g_autoptr(TfTempDir) third = NULL;

  close_file (first);
  for (int fd = 3; fd < 1024; fd++)
    close (fd);
  for (int i = 0; i < 32; i++)
    g_assert_cmpint (open (tf_temp_dir_get_path (other), O_RDONLY | O_DIRECTORY | O_CLOEXEC), >=, 0);

  second = tf_temp_dir_create_file (dir, NULL, NULL, NULL, NULL);
  third = tf_temp_dir_create_dir (dir, NULL, NULL, NULL, NULL);
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (dir)), ==, 3);
  g_assert_cmpuint (tf_test_count_entries (tf_temp_dir_get_path (other)), ==, 0);
  g_clear_object (&second);
  clean_up (dir);
  clean_up (other);
}

static void
test_create_after_close (void)
{
  tf_test_in_child (create_after_close);
}

static void
test_close_all (void)
{
  tf_test_in_child (close_all_for_good);
  tf_test_in_child (close_all_for_file);
  tf_test_in_child (close_all_for_dir);
}

/* What is kept is out of reach for all that comes later. */
static void
test_final (void)
{
  g_autoptr(TfNamedFile) file = make_file (NULL);
  g_autoptr(TfTempDir) dir = make_dir (NULL);
  g_autofree char *file_path = tf_named_file_keep (file);
  g_autofree char *dir_path = tf_temp_dir_keep (dir);

  tf_named_file_hold_until_exit (file);
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_CLOSE);
  g_assert_cmpint (tf_named_file_get_delete_policy (file), ==, TF_DELETE_NEVER);
  tf_temp_dir_set_auto_cleanup (dir, TRUE);
  close_file (file);
  clean_up (dir);
  g_assert_true (g_file_test (file_path, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (dir_path, G_FILE_TEST_EXISTS));
  g_assert_cmpint (unlink (file_path), ==, 0);
  g_assert_cmpint (rmdir (dir_path), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  /* They keep descriptors. */
  g_main_context_default ();
  g_type_ensure (G_TYPE_TASK);
  tf_test_init (&argc, &argv);
  /* What other programs of this user have left, where there is no directory of the session, is not counted. */
  tf_sweep (NULL, NULL, 0, NULL, NULL, NULL);

  g_test_add_func ("/entry/replaced-file", test_replaced_file);
  g_test_add_func ("/entry/replaced-dir", test_replaced_dir);
  g_test_add_func ("/entry/replaced-dir/in-sticky-dir", test_replaced_dir_in_sticky_dir);
  g_test_add_func ("/entry/replaced/where-others-write", test_replaced_where_others_write);
  g_test_add_func ("/entry/replaced/by-other-user", test_replaced_by_other_user);
  g_test_add_func ("/entry/swept-where-created", test_swept_where_created);
  g_test_add_func ("/entry/persisted-to-itself", test_persisted_to_itself);
  g_test_add_func ("/entry/persisted-elsewhere", test_persisted_elsewhere);
  g_test_add_func ("/entry/persisted-elsewhere/with-litter", test_persisted_elsewhere_with_litter);
  g_test_add_func ("/entry/persisted-after-replacement", test_persisted_after_replacement);
  g_test_add_func ("/entry/persisted-by-child", test_persisted_by_child);
  g_test_add_func ("/entry/handed-over-then-persisted-by-child", test_handed_over_then_persisted_by_child);
  g_test_add_func ("/entry/moved-parent", test_moved_parent);
  g_test_add_func ("/entry/lost-parent", test_lost_parent);
  g_test_add_func ("/entry/exchanged-parent", test_exchanged_parent);
  g_test_add_func ("/entry/exchanged-twice", test_exchanged_twice);
  g_test_add_func ("/entry/exchanged-and-moved", test_exchanged_and_moved);
  g_test_add_func ("/entry/trapped", test_trapped);
  g_test_add_data_func ("/entry/partly-removed/cleanup", NULL, test_partly_removed);
  g_test_add_data_func ("/entry/partly-removed/handed-over", "handed over", test_partly_removed);
  g_test_add_func ("/entry/always-exchanged", test_always_exchanged);
  g_test_add_func ("/entry/exchanged-and-unknown", test_exchanged_and_unknown);
  g_test_add_func ("/entry/moved-to-new-parent", test_moved_to_new_parent);
  g_test_add_func ("/entry/parent-looks-different", test_parent_looks_different);
  g_test_add_func ("/entry/parent-linked", test_parent_linked);
  g_test_add_func ("/entry/parent-linked-at-exit", test_parent_linked_at_exit);
  g_test_add_func ("/entry/other-in-new-parent", test_other_in_new_parent);
  g_test_add_func ("/entry/other-at-path", test_other_at_path);
  g_test_add_func ("/entry/replaced-dir/by-file", test_dir_replaced_by_file);
  g_test_add_func ("/entry/replaced/in-unknown-dir", test_replaced_in_unknown_dir);
  g_test_add_func ("/entry/replaced/without-fds", test_replaced_without_fds);
  g_test_add_func ("/entry/parent-that-cannot-be-opened", test_parent_that_cannot_be_opened);
  g_test_add_func ("/entry/removed-parent", test_removed_parent);
  g_test_add_func ("/entry/intruder", test_intruder);
  g_test_add_func ("/entry/intruder/each-time", test_intruder_each_time);
  g_test_add_func ("/entry/intruder/file", test_intruder_file);
  g_test_add_func ("/entry/removed-at-once", test_removed_at_once);
  g_test_add_func ("/entry/failing-look", test_failing_look);
  g_test_add_func ("/entry/added-permissions", test_added_permissions);
  g_test_add_func ("/entry/missing-permissions", test_missing_permissions);
  g_test_add_func ("/entry/left-to-a-sweep", test_left_to_a_sweep);
  g_test_add_func ("/entry/mapped-user", test_mapped_user);
  g_test_add_func ("/entry/mapped-user/in-need", test_mapped_user_in_need);
  g_test_add_func ("/entry/file-system-user", test_file_system_user);
  g_test_add_func ("/entry/waited-for-lock", test_waited_for_lock);
  g_test_add_func ("/entry/no-files", test_no_files);
  g_test_add_func ("/entry/unreadable-dir", test_unreadable_dir);
  g_test_add_func ("/entry/other-user/each-time", test_other_user_each_time);
  g_test_add_func ("/entry/umask", test_umask);
  g_test_add_func ("/entry/set-group-id", test_set_group_id);
  g_test_add_func ("/entry/others-may-lock", test_others_may_lock);
  g_test_add_func ("/entry/many", test_many);
  g_test_add_func ("/entry/moved-without-fds", test_moved_without_fds);
  g_test_add_func ("/entry/create-after-close", test_create_after_close);
  g_test_add_func ("/entry/no-fds", test_no_fds);
  g_test_add_func ("/entry/hand-over-without-fds", test_hand_over_without_fds);
  g_test_add_func ("/entry/hand-over-without-fds/again", test_hand_over_without_fds_again);
  g_test_add_func ("/entry/handed-over-in-unknown-dir", test_handed_over_in_unknown_dir);
  g_test_add_func ("/entry/kept-by-child-without-fds", test_kept_by_child_without_fds);
  g_test_add_func ("/entry/no-fds-where-others-write", test_no_fds_where_others_write);
  g_test_add_func ("/entry/closed-to-its-creator", test_closed_to_its_creator);
  g_test_add_func ("/entry/close-all", test_close_all);
  g_test_add_func ("/entry/final", test_final);

  return tf_test_run ();
}
