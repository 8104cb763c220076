/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "names/tf-parent.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "tf-remove-tree.h"
#include "tf-test.h"

/* The limit of descriptors that the process is told; 0: the true one */
static rlim_t shown_limit;

int __real_getrlimit64 (int resource, struct rlimit *limit);
int __wrap_getrlimit64 (int resource, struct rlimit *limit);

int
__wrap_getrlimit64 (int            resource,
                    struct rlimit *limit)
{
  int result = __real_getrlimit64 (resource, limit);

  if (shown_limit != 0 && resource == RLIMIT_NOFILE)
    limit->rlim_cur = shown_limit;
  return result;
}

/* The descriptor for which a server is not to be asked, or -1, and how often it was. */
static int hung_fd = -1;
static guint n_asked;

/* Directories have other birth times, as in an overlay from their first change on. */
static gboolean is_copied_up;

/* What is looked at by a path is on another mount than what is open. */
static gboolean is_elsewhere;

/* What is used by another thread while the system is asked what file system a directory is on. */
static TfParent *used_meanwhile; /* (nullable) */

/* What another thread gets while this one looks at it again. */
static const char *got_meanwhile; /* (nullable): the path */
static gboolean is_guarded_meanwhile;

static gpointer
get (gpointer data)
{
  TfParent *parent = tf_parent_get (data, FALSE);

  is_guarded_meanwhile = tf_parent_is_guarded (parent);
  tf_parent_unref (parent);
  return NULL;
}

int __real_fstatfs64 (int fd, struct statfs *fs);
int __wrap_fstatfs64 (int fd, struct statfs *fs);

static gpointer
use (gpointer data)
{
  tf_parent_unref (tf_parent_ref (data));
  return NULL;
}

int
__wrap_fstatfs64 (int            fd,
                  struct statfs *fs)
{
  if (used_meanwhile != NULL)
    g_thread_join (g_thread_new ("other", use, g_steal_pointer (&used_meanwhile)));

  return __real_fstatfs64 (fd, fs);
}

int __real_statx (int dir_fd, const char *path, int flags, unsigned int mask, struct statx *stx);
int __wrap_statx (int dir_fd, const char *path, int flags, unsigned int mask, struct statx *stx);

int
__wrap_statx (int           dir_fd,
              const char   *path,
              int           flags,
              unsigned int  mask,
              struct statx *stx)
{
  if (dir_fd == hung_fd && !(flags & AT_STATX_DONT_SYNC))
    n_asked++;
  if (got_meanwhile != NULL)
    g_thread_join (g_thread_new ("other", get, (gpointer) g_steal_pointer (&got_meanwhile)));

  if (__real_statx (dir_fd, path, flags, mask, stx) != 0)
    return -1;

  stx->stx_btime.tv_sec += is_copied_up;
  stx->stx_mnt_id += is_elsewhere && *path != '\0';
  return 0;
}

static void
test_guards (void)
{
  const struct
  {
    gboolean is_of_other;
    guint mode;
    gboolean guards;
  } cases[] = {
    { FALSE, 0700, TRUE },
    { FALSE, 0755, TRUE },
    { FALSE, 0720, FALSE },
    { FALSE, 0702, FALSE },
    { FALSE, 01777, TRUE },
    { FALSE, 01720, TRUE },
    { TRUE, 0700, FALSE },
    { TRUE, 01777, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const guint uid = geteuid ();
      const TfSystemStat st = { .uid = cases[i].is_of_other ? uid + 1 : uid, .mode = S_IFDIR | cases[i].mode };
      const TfSystemStat of_root = { .uid = 0, .mode = st.mode };

      g_assert_cmpint (tf_parent_guards (&st), ==, cases[i].guards);
      if (!cases[i].is_of_other)
        g_assert_cmpint (tf_parent_guards (&of_root), ==, cases[i].guards);
    }
}

static guint64
get_inode (const char *path)
{
  struct stat st;

  g_assert_cmpint (stat (path, &st), ==, 0);
  return st.st_ino;
}

/* Leaves the directory without references, and puts another one at its path. */
static guint64
exchange_idle (const char *path,
               gboolean    is_lasting)
{
  TfParent *parent;
  guint64 inode;

  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  parent = tf_parent_get (path, is_lasting);
  g_assert_nonnull (parent);
  inode = tf_parent_get_place (parent)->inode;
  g_assert_cmpuint (inode, ==, get_inode (path));
  tf_parent_unref (parent);

  g_assert_cmpint (rename (path, "moved"), ==, 0);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  return inode;
}

/* The last one is kept: where temporary files usually are, it is not looked at again. */
static void
test_idle (gconstpointer data)
{
  gboolean is_lasting = data != NULL;
  g_autofree char *path = tf_test_path ("dir");
  guint64 former = exchange_idle (path, is_lasting);
  TfParent *parent = tf_parent_get (path, is_lasting);

  g_assert_nonnull (parent);
  g_assert_cmpuint (tf_parent_get_place (parent)->inode, ==, is_lasting ? former : get_inode (path));
  tf_parent_unref (parent);

  /* For the test of open descriptors */
  parent = tf_parent_get (path, FALSE);
  tf_parent_unref (parent);
  g_assert_cmpint (rmdir (path), ==, 0);
  g_assert_null (tf_parent_get (path, FALSE));
  g_assert_cmpint (errno, ==, ENOENT);
  g_assert_cmpint (rmdir ("moved"), ==, 0);
}

static void
remove_dir (const char *path,
            TfParent   *inside)
{
  g_autoptr(GFile) file = g_file_new_for_path (path);
  g_autoptr(GPtrArray) known = NULL;
  TfSystemStat st;

  g_assert_true (tf_system_stat (&st, AT_FDCWD, path));
  known = tf_parent_begin_removal (path, AT_FDCWD, path, &st);
  g_assert_true (tf_remove_tree (file, NULL, NULL));
  tf_parent_end_removal (known, inside, &st);
}

/* Also the one that is kept is not kept any more. */
static void
test_removed (void)
{
  g_autofree char *path = tf_test_path ("dir");
  TfParent *outer = tf_parent_get (tf_test_get_sandbox (), FALSE);
  guint n_fds = tf_test_count_fds ();
  TfParent *former;
  TfParent *parent;

  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  tf_parent_unref (tf_parent_get (path, TRUE));
  remove_dir (path, NULL);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
  g_assert_null (tf_parent_get (path, TRUE));

  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  former = tf_parent_get (path, TRUE);
  g_assert_false (tf_parent_is_removed (former));
  remove_dir (path, NULL);
  g_assert_true (tf_parent_is_removed (former));
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  parent = tf_parent_get (path, TRUE);
  g_assert_false (tf_parent_is_removed (parent));
  remove_dir (path, former);
  g_assert_true (tf_parent_is_removed (parent));
  tf_parent_unref (parent);
  tf_parent_unref (former);
  tf_parent_unref (outer);
}

static TfParent *
make_below (const char *above,
            const char *name)
{
  g_autofree char *path = g_build_filename (above, name, NULL);

  g_assert_cmpint (g_mkdir_with_parents (path, 0700), ==, 0);
  return tf_parent_get (path, FALSE);
}

/* What is below is removed as well, but not what was moved away, has a similar path, or one that leads out again. */
static void
test_removed_below (void)
{
  const struct
  {
    const char *name;
    gboolean    is_removed;
  } cases[] = {
    { "dir", TRUE }, { "dir/a", TRUE }, { "dir/a/b/c", TRUE }, { "dir/b/c", TRUE }, { "dir/c", TRUE },
    { "dir/moved", FALSE }, { "dir/moved/a", FALSE }, { "dir.old/a", FALSE }, { "dir0", FALSE }, { "di", FALSE },
    { "dir/link/x", FALSE }, { "dir/a/../../beside/x", FALSE }, { "dir/..", FALSE },
  };
  const char *sandbox = tf_test_get_sandbox ();
  g_autofree char *path = tf_test_path ("dir");
  TfParent *parents[G_N_ELEMENTS (cases)];
  guint n_fds = tf_test_count_fds ();

  g_assert_cmpint (g_mkdir ("dir", 0700) + g_mkdir ("beside", 0700) + symlink ("../beside", "dir/link"), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    parents[i] = make_below (sandbox, cases[i].name);

  g_assert_cmpint (rename ("dir/moved", "moved"), ==, 0);
  remove_dir (path, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_cmpint (tf_parent_is_removed (parents[i]), ==, cases[i].is_removed);
      tf_parent_unref (parents[i]);
    }

  g_assert_cmpint (rmdir ("moved/a") + rmdir ("moved") + rmdir ("dir.old/a") + rmdir ("dir.old"), ==, 0);
  g_assert_cmpint (rmdir ("dir0") + rmdir ("di") + rmdir ("beside/x") + rmdir ("beside"), ==, 0);
  tf_parent_unref (tf_parent_get (sandbox, FALSE));
  g_assert_cmpuint (tf_test_count_fds (), <=, n_fds + 1);
}

/* If something cannot be removed, what could be is known not to be there any more. */
static void
test_partly_removed (void)
{
  g_autofree char *path = tf_test_path ("dir");
  g_autoptr(TfParent) outer = make_below (path, ".");
  g_autoptr(TfParent) gone = make_below (path, "gone/a");
  g_autoptr(TfParent) stays = make_below (path, "stays/a");
  g_autoptr(GPtrArray) known = NULL;
  TfSystemStat st;

  g_assert_true (tf_system_stat (&st, AT_FDCWD, path));
  known = tf_parent_begin_removal (path, AT_FDCWD, path, &st);
  g_assert_cmpint (rmdir ("dir/gone/a") + rmdir ("dir/gone"), ==, 0);

  /* Not if it was moved: then nothing is beneath it. */
  g_assert_cmpint (rename ("dir", "moved"), ==, 0);
  tf_parent_end_failed_removal (known, path, AT_FDCWD, path, &st);
  g_assert_cmpint (g_mkdir ("dir", 0700), ==, 0);
  tf_parent_end_failed_removal (known, path, AT_FDCWD, path, &st);
  g_assert_false (tf_parent_is_removed (gone));
  g_assert_cmpint (rmdir ("dir") + rename ("moved", "dir"), ==, 0);
  tf_parent_end_failed_removal (known, path, AT_FDCWD, path, &st);
  g_assert_true (tf_parent_is_removed (gone));
  g_assert_false (tf_parent_is_removed (stays));
  g_assert_false (tf_parent_is_removed (outer));
  remove_dir (path, NULL);
  g_assert_true (tf_parent_is_removed (stays));
}

/* However few descriptors the process may have, those that are not used are closed. */
static void
test_few_descriptors (void)
{
  const char *sandbox = tf_test_get_sandbox ();
  guint n_fds = tf_test_count_fds ();
  TfParent *parents[6];

  shown_limit = 7;
  for (gsize i = 0; i < G_N_ELEMENTS (parents); i++)
    parents[i] = make_below (sandbox, (const char[]) { 'a' + i, '\0' });
  g_assert_cmpuint (tf_test_count_fds (), <=, n_fds + 2);
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (parents); i++)
    {
      int fd;

      g_assert_true (tf_parent_enter (parents[i % G_N_ELEMENTS (parents)], &fd));
      tf_parent_leave (parents[i % G_N_ELEMENTS (parents)]);
      g_assert_cmpuint (tf_test_count_fds (), <=, n_fds + 2);
    }
  shown_limit = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (parents); i++)
    {
      g_assert_cmpint (rmdir (tf_parent_get_place (parents[i])->path), ==, 0);
      tf_parent_unref (parents[i]);
    }
}

static void
enter_once (TfParent *parent)
{
  int fd;

  g_assert_true (tf_parent_enter (parent, &fd));
  tf_parent_leave (parent);
}

/* A directory is found by its path, and by the one that was given, whichever of them leads there after it was moved. */
static void
test_spelling (void)
{
  g_autofree char *link = tf_test_path ("link");
  g_autofree char *found = NULL;
  g_autoptr(TfParent) parent = NULL;
  g_autoptr(TfParent) other = NULL;
  TfSystemStat st;

  g_assert_cmpint (g_mkdir ("real", 0700) + symlink ("real", "link"), ==, 0);
  shown_limit = 7;
  parent = tf_parent_get (link, FALSE);
  g_assert_true (g_str_has_suffix (tf_parent_get_place (parent)->path, "/real"));
  g_assert_true (tf_system_stat (&st, AT_FDCWD, "real"));
  found = tf_parent_find_path (link, -1, &st);
  g_assert_cmpstr (found, ==, tf_parent_get_place (parent)->path);
  if (st.mount_id != 0)
    {
      g_free (found);
      is_elsewhere = TRUE;
      found = tf_parent_find_path (link, -1, &st);
      is_elsewhere = FALSE;
      g_assert_cmpstr (found, ==, link);
    }
  other = make_below (tf_test_get_sandbox (), "other");
  enter_once (parent);
  enter_once (other);

  g_assert_cmpint (unlink ("link"), ==, 0);
  enter_once (parent);
  enter_once (other);
  g_assert_cmpint (rename ("real", "moved") + symlink ("moved", "link"), ==, 0);
  enter_once (parent);
  shown_limit = 0;

  g_assert_cmpint (unlink ("link") + rmdir ("moved") + rmdir ("other"), ==, 0);
}

/* The program may have closed all descriptors and opened others, which can have the inode number of what was removed. */
static void
test_other_descriptor (void)
{
  TfIdentity identity;
  int dir = open (".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int file = open ("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  g_assert_cmpint (unlink ("file"), ==, 0);
  g_assert_true (tf_identity_read (&identity, file, ""));
  identity.type = S_IFDIR;
  tf_parent_close_fd (file, &identity);
  g_assert_cmpint (close (file), ==, 0);

  g_assert_true (tf_identity_read (&identity, dir, ""));
  identity.inode++;
  tf_parent_close_fd (dir, &identity);
  identity.inode--;
  if (tf_identity_has_birth (&identity))
    {
      identity.birth_seconds++;
      tf_parent_close_fd (dir, &identity);
      identity.birth_seconds--;
    }
  g_assert_cmpint (fcntl (dir, F_GETFD), >=, 0);
  tf_parent_close_fd (dir, &identity);
  g_assert_cmpint (fcntl (dir, F_GETFD), <, 0);
}

/* A directory whose server hangs does not keep those waiting who use others. It is closed, though it may have been copied. */
static void
test_hung_server (void)
{
  const char *sandbox = tf_test_get_sandbox ();
  TfParent *other = make_below (sandbox, "other");
  TfParent *parent = make_below (sandbox, "dir");
  guint n_fds;

  g_assert_true (tf_parent_enter (parent, &hung_fd));
  tf_parent_leave (parent);
  n_fds = tf_test_count_fds ();
  is_copied_up = TRUE;
  tf_parent_unref (parent);
  tf_parent_unref (other);
  is_copied_up = FALSE;
  hung_fd = -1;

  g_assert_cmpuint (tf_test_count_fds (), <, n_fds);
  g_assert_cmpuint (n_asked, ==, 0);
  g_assert_cmpint (rmdir ("dir") + rmdir ("other"), ==, 0);
}

/* A server that does not say what file system it is keeps nobody else waiting. */
static void
test_slow_file_system (void)
{
  TfParent *other = tf_parent_get (tf_test_get_sandbox (), FALSE);
  TfParent *parent;

  used_meanwhile = other;
  parent = make_below (tf_test_get_sandbox (), "dir");
  g_assert_null (used_meanwhile);
  tf_parent_unref (parent);
  tf_parent_unref (other);
  g_assert_cmpint (rmdir ("dir"), ==, 0);
}

/* Nobody takes a directory that was idle as it was before. */
static void
test_looked_at_meanwhile (void)
{
  g_autofree char *path = tf_test_path ("dir");
  TfParent *parent;

  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  tf_parent_unref (tf_parent_get (path, TRUE));
  g_assert_cmpint (chmod (path, 0777), ==, 0);
  is_guarded_meanwhile = TRUE;
  got_meanwhile = path;
  parent = tf_parent_get (path, FALSE);
  g_assert_null (got_meanwhile);
  g_assert_false (is_guarded_meanwhile);
  g_assert_false (tf_parent_is_guarded (parent));
  tf_parent_unref (parent);
  tf_parent_unref (tf_parent_get (tf_test_get_sandbox (), TRUE));
  g_assert_cmpint (rmdir (path), ==, 0);
}

/* Something else that was removed is not the directory. */
static void
test_other_removed (void)
{
  g_autofree char *path = tf_test_path ("dir");
  TfParent *outer = tf_parent_get (tf_test_get_sandbox (), FALSE);
  guint n_fds = tf_test_count_fds ();
  TfParent *parent;

  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  parent = tf_parent_get (path, FALSE);
  g_assert_cmpint (rename (path, "moved"), ==, 0);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  remove_dir (path, parent);
  g_assert_false (tf_parent_is_removed (parent));
  tf_parent_unref (parent);
  g_assert_cmpint (rename ("moved", path), ==, 0);
  remove_dir (path, NULL);
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
  tf_parent_unref (outer);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/parent/guards", test_guards);
  g_test_add_data_func ("/parent/idle/lasting", "lasting", test_idle);
  g_test_add_data_func ("/parent/idle/other", NULL, test_idle);
  g_test_add_func ("/parent/removed", test_removed);
  g_test_add_func ("/parent/removed-below", test_removed_below);
  g_test_add_func ("/parent/partly-removed", test_partly_removed);
  g_test_add_func ("/parent/other-removed", test_other_removed);
  g_test_add_func ("/parent/few-descriptors", test_few_descriptors);
  g_test_add_func ("/parent/spelling", test_spelling);
  g_test_add_func ("/parent/other-descriptor", test_other_descriptor);
  g_test_add_func ("/parent/hung-server", test_hung_server);
  g_test_add_func ("/parent/slow-file-system", test_slow_file_system);
  g_test_add_func ("/parent/looked-at-meanwhile", test_looked_at_meanwhile);

  return tf_test_run ();
}
