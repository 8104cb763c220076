/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/tf-system.h"
#include "names/tf-journal.h"
#include "tf-test-disk.h"
#include "tf-test.h"

#define RACE_SIZE 20000

/* What this program has to do without. */
static guint missing;
static gboolean has_modes; /* that can be changed */

typedef TfTempFile *(*MakeFunc) (void);

static TfTempFile *
make_unnamed (void)
{
  g_autoptr(GError) error = NULL;
  TfTempFile *file = tf_temp_file_new (NULL, NULL, &error);

  g_assert_no_error (error);
  return file;
}

static TfTempFile *
make_named (void)
{
  g_autoptr(GError) error = NULL;
  TfNamedFile *file = tf_named_file_new (NULL, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  return TF_TEMP_FILE (file);
}

static TfTempFile *
make_in_memory (void)
{
  return TF_TEMP_FILE (tf_spooled_file_new (-1));
}

/* On another file system, if there is one. */
static TfTempFile *
make_elsewhere (void)
{
  return tf_temp_file_new ("/dev/shm", NULL, NULL);
}

static TfTempFile *
make_without_link (void)
{
  TfTempFile *file;

  tf_system_missing = missing | TF_SYSTEM_TMPFILE;
  file = make_unnamed ();
  tf_system_missing = missing;
  return file;
}

static const MakeFunc kinds[] = { make_unnamed, make_named, make_in_memory, make_elsewhere, make_without_link };

static void
write_text (TfTempFile *file,
            const char *text)
{
  g_autoptr(GError) error = NULL;

  tf_temp_file_write (file, text, strlen (text), NULL, &error);
  g_assert_no_error (error);
}

static guint
get_mode (const char *path)
{
  struct stat st;

  g_assert_cmpint (lstat (path, &st), ==, 0);
  return st.st_mode & 07777;
}

/* Where modes cannot be changed, nobody else may do more with it. */
static void
assert_mode (const char *path,
             guint       expected)
{
  guint mode = get_mode (path);

  if (has_modes)
    g_assert_cmphex (mode, ==, expected);
  else
    g_assert_cmphex (mode & ~(expected | S_IRWXU), ==, 0);
}

static void
put (const char *path,
     const char *text,
     guint       mode)
{
  mode_t mask = umask (0);
  int fd;

  /* Not every file system lets the mode be changed afterwards. */
  unlink (path);
  fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  umask (mask);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, strlen (text)), ==, strlen (text));
  g_assert_cmpint (close (fd), ==, 0);
  if (get_mode (path) != mode)
    g_assert_cmpint (chmod (path, mode), ==, 0);
}

static void
assert_content (const char *path,
                const char *expected)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *content = NULL;

  g_file_get_contents (path, &content, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (content, ==, expected);
}

static gboolean
persist (TfTempFile      *file,
         const char      *path,
         TfPersistFlags   flags,
         GError         **error)
{
  g_autoptr(GFile) destination = g_file_new_for_path (path);

  return tf_temp_file_persist (file, destination, flags, NULL, NULL, NULL, NULL, error);
}

static void
persist_ok (TfTempFile     *file,
            const char     *path,
            TfPersistFlags  flags)
{
  g_autoptr(GError) error = NULL;

  persist (file, path, flags, &error);
  g_assert_no_error (error);
}

/* Makes the file, persists it at "doc", runs the checks, removes "doc". */
static void
for_each_kind (void (*check) (TfTempFile *file, const char *path))
{
  g_autofree char *path = tf_test_path ("doc");

  for (guint i = 0; i < 2 * G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr(TfTempFile) file = kinds[i / 2] ();

      if (file == NULL)
        continue;

      tf_system_missing = missing | (i % 2 == 1 ? TF_SYSTEM_TMPFILE : 0);
      write_text (file, "Hello");
      check (file, path);
      tf_system_missing = missing;

      g_assert_finalize_object (g_steal_pointer (&file));
      g_assert_cmpint (unlink (path), ==, 0);
      g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
    }
}

static void
check_new (TfTempFile *file,
           const char *path)
{
  g_autoptr(GBytes) bytes = NULL;

  persist_ok (file, path, TF_PERSIST_NONE);
  assert_content (path, "Hello");
  assert_mode (path, 0644);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 1);

  /* The object goes on, with the file that is there now. */
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 5);
  write_text (file, ", world");
  assert_content (path, "Hello, world");
  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  bytes = tf_temp_file_read_bytes (file, G_MAXSIZE, NULL, NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "Hello, world", 12);
}

static void
test_new (void)
{
  for_each_kind (check_new);
}

static void
check_exists (TfTempFile *file,
              const char *path)
{
  g_autoptr(GError) error = NULL;

  put (path, "old", 0600);
  g_assert_false (persist (file, path, TF_PERSIST_DURABLE, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_nonnull (strstr (error->message, path));
  assert_content (path, "old");
  write_text (file, "!");

  g_assert_cmpint (unlink (path), ==, 0);
  persist_ok (file, path, TF_PERSIST_NONE);
  assert_content (path, "Hello!");
}

static void
test_exists (void)
{
  for_each_kind (check_exists);
}

static void
check_replace (TfTempFile *file,
               const char *path)
{
  char value[8] = "";

  put (path, "old", 0640);
  if (setxattr (path, "user.mark", "blue", 4, 0) != 0)
    g_test_message ("No user attributes here: %s", g_strerror (errno));
  persist_ok (file, path, TF_PERSIST_REPLACE);
  assert_content (path, "Hello");
  assert_mode (path, 0640);
  if (getxattr (path, "user.mark", value, sizeof value) >= 0)
    g_assert_cmpstr (value, ==, "blue");
  else
    g_assert_true (errno == EOPNOTSUPP || tf_test_is_portable ());
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 1);
}

static void
test_replace (void)
{
  for_each_kind (check_replace);
}

static void
check_replace_durable (TfTempFile *file,
                       const char *path)
{
  put (path, "old", 0400);
  persist_ok (file, path, TF_PERSIST_REPLACE | TF_PERSIST_DURABLE);
  assert_content (path, "Hello");
  assert_mode (path, 0400);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 1);
}

static void
check_replace_nothing (TfTempFile *file,
                       const char *path)
{
  persist_ok (file, path, TF_PERSIST_REPLACE | TF_PERSIST_DURABLE);
  assert_content (path, "Hello");
  assert_mode (path, 0644);
}

static void
test_durable (void)
{
  for_each_kind (check_replace_durable);
  for_each_kind (check_replace_nothing);
}

static void
check_private (TfTempFile *file,
               const char *path)
{
  put (path, "old", 0666);
  g_assert_cmpint (setxattr (path, "user.mark", "blue", 4, 0) == 0 || errno == EOPNOTSUPP, ==, TRUE);
  persist_ok (file, path, TF_PERSIST_REPLACE | TF_PERSIST_PRIVATE);
  assert_content (path, "Hello");
  assert_mode (path, 0600);
  g_assert_cmpint (getxattr (path, "user.mark", NULL, 0), <, 0);
}

static void
check_private_with_umask (TfTempFile *file,
                          const char *path)
{
  mode_t mask = umask (0777);

  persist_ok (file, path, TF_PERSIST_PRIVATE);
  umask (mask);
  assert_mode (path, 0600);
}

static void
test_private (void)
{
  for_each_kind (check_private);
  if (tf_test_disk_has_modes ())
    for_each_kind (check_private_with_umask);
}

/* As acl(5) has it on disk: the owner rw, the user 65534 and the mask r, the others nothing. */
static const guint8 acl[] = {
  0x02, 0, 0, 0,
  0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,
  0x02, 0, 4, 0, 0xfe, 0xff, 0x00, 0x00,
  0x04, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
  0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
  0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
};

/* The same, but the others r, and the group nothing. */
static const guint8 acl_without_group[] = {
  0x02, 0, 0, 0,
  0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,
  0x02, 0, 4, 0, 0xfe, 0xff, 0x00, 0x00,
  0x04, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
  0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
  0x20, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
};

static void
check_acl (TfTempFile *file,
           const char *path)
{
  guint8 found[2 * sizeof acl];

  put (path, "old", 0600);
  if (setxattr (path, "system.posix_acl_access", acl, sizeof acl, 0) != 0)
    {
      g_assert_cmpint (errno, ==, EOPNOTSUPP);
      put (path, "Hello", 0600);
      return;
    }

  persist_ok (file, path, TF_PERSIST_REPLACE);
  assert_content (path, "Hello");
  g_assert_cmpint (getxattr (path, "system.posix_acl_access", found, sizeof found), ==, sizeof acl);
  g_assert_cmpmem (found, sizeof acl, acl, sizeof acl);
}

static void
check_acl_private (TfTempFile *file,
                   const char *path)
{
  put (path, "old", 0600);
  if (setxattr (path, "system.posix_acl_access", acl, sizeof acl, 0) == 0)
    persist_ok (file, path, TF_PERSIST_REPLACE | TF_PERSIST_PRIVATE);

  assert_mode (path, 0600);
  g_assert_cmpint (getxattr (path, "system.posix_acl_access", NULL, 0), <, 0);
}

static void
test_acl (void)
{
  if (tf_test_skip_if_portable ("access control lists"))
    return;

  for_each_kind (check_acl);
  for_each_kind (check_acl_private);
}

/* As the other one: the owner rwx, the user 65534 rw, the group r-x, the mask rwx, the others
 * nothing. */
static const guint8 default_acl[] = {
  0x02, 0, 0, 0,
  0x01, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
  0x02, 0, 6, 0, 0xfe, 0xff, 0x00, 0x00,
  0x04, 0, 5, 0, 0xff, 0xff, 0xff, 0xff,
  0x10, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
  0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
};

/* Owner, group, mode and ACL are those of a file that open(2) creates beside it. */
static void
assert_as_created (const char *path,
                   guint       mode)
{
  g_autofree char *model = g_strconcat (path, "-model", NULL);
  int fd = open (model, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  struct stat expected;
  struct stat st;
  guint8 expected_acl[128];
  guint8 found_acl[128];
  gssize size;

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (close (fd), ==, 0);
  g_assert_cmpint (stat (model, &expected), ==, 0);
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpuint (st.st_uid, ==, expected.st_uid);
  g_assert_cmpuint (st.st_gid, ==, expected.st_gid);
  assert_mode (path, expected.st_mode & 07777);

  size = getxattr (model, "system.posix_acl_access", expected_acl, sizeof expected_acl);
  g_assert_cmpint (getxattr (path, "system.posix_acl_access", found_acl, sizeof found_acl), ==, size);
  if (size > 0)
    g_assert_cmpmem (found_acl, size, expected_acl, size);

  g_assert_cmpint (unlink (model), ==, 0);
}

/* Persists into "shared", once for all and once in private, and leaves the latter file at @path. */
static void
check_shared (TfTempFile *file,
              const char *path)
{
  g_autofree char *shared = tf_test_path ("shared");
  g_autofree char *doc = g_build_filename (shared, "doc", NULL);

  persist_ok (file, doc, TF_PERSIST_NONE);
  assert_content (doc, "Hello");
  assert_as_created (doc, 0666);

  persist_ok (file, doc, TF_PERSIST_REPLACE | TF_PERSIST_PRIVATE);
  assert_content (doc, "Hello");
  assert_as_created (doc, 0600);
  g_assert_cmpuint (tf_test_count_entries (shared), ==, 1);

  g_assert_cmpint (rename (doc, path), ==, 0);
  g_assert_cmpint (rmdir (shared), ==, 0);
}

/* With a group of this process that is not the one it creates files with. */
static void
check_set_group_id (TfTempFile *file,
                    const char *path)
{
  g_autofree char *shared = tf_test_path ("shared");
  gid_t groups[256];
  int n_groups = getgroups (G_N_ELEMENTS (groups), groups);
  gid_t group = geteuid () == 0 ? 65533 : getegid ();
  struct stat st;

  for (int i = 0; i < n_groups && group == getegid (); i++)
    group = groups[i];

  g_assert_cmpint (mkdir (shared, 0700), ==, 0);
  g_assert_cmpint (chown (shared, -1, group), ==, 0);
  g_assert_cmpint (chmod (shared, 02775), ==, 0);
  check_shared (file, path);
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpuint (st.st_gid, ==, group);
}

static void
test_set_group_id (void)
{
  if (has_modes && tf_test_disk_has_owners ())
    for_each_kind (check_set_group_id);
  else
    g_test_skip ("a directory does not give its group to what is created in it");
}

static gboolean
has_default_acls (void)
{
  g_autofree char *dir = tf_test_path ("acl");
  g_autofree char *path = g_build_filename (dir, "doc", NULL);
  gboolean result;

  g_assert_cmpint (mkdir (dir, 0700), ==, 0);
  result = setxattr (dir, "system.posix_acl_default", default_acl, sizeof default_acl, 0) == 0;
  g_assert_true (result || errno == EOPNOTSUPP);
  /* Some file systems keep it, and the umask counts nevertheless. */
  g_assert_cmpint (close (open (path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666)), ==, 0);
  result = result && get_mode (path) == 0660;
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (rmdir (dir), ==, 0);
  return result;
}

/* The default ACL takes the place of the umask. */
static void
check_default_acl (TfTempFile *file,
                   const char *path)
{
  g_autofree char *shared = tf_test_path ("shared");
  g_autofree char *doc = g_build_filename (shared, "first", NULL);

  g_assert_cmpint (mkdir (shared, 0700), ==, 0);
  g_assert_cmpint (setxattr (shared, "system.posix_acl_default", default_acl, sizeof default_acl, 0), ==, 0);
  persist_ok (file, doc, TF_PERSIST_NONE);
  assert_mode (doc, 0660);
  g_assert_cmpint (getxattr (doc, "system.posix_acl_access", NULL, 0), ==, sizeof default_acl);
  g_assert_cmpint (unlink (doc), ==, 0);
  check_shared (file, path);
}

static void
test_default_acl (void)
{
  if (tf_test_skip_if_portable ("access control lists"))
    return;

  if (has_default_acls ())
    for_each_kind (check_default_acl);
  else
    g_test_skip ("This file system has no ACLs");
}

static void
check_owner (TfTempFile *file,
             const char *path)
{
  struct stat st;

  put (path, "old", 0640);
  g_assert_cmpint (chown (path, 65534, 65533), ==, 0);
  persist_ok (file, path, TF_PERSIST_REPLACE);
  assert_content (path, "Hello");
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpuint (st.st_uid, ==, 65534);
  g_assert_cmpuint (st.st_gid, ==, 65533);
  assert_mode (path, 0640);
}

static void
test_owner (void)
{
  if (geteuid () != 0)
    g_test_skip ("only root can give files away");
  else if (!tf_test_disk_gives_away ())
    g_test_skip ("no file can be given away");
  else
    for_each_kind (check_owner);
}

static void
replace_planted (TfTempFile  *file,
                 const char  *path,
                 struct stat *st)
{
  put (path, "old", 0666);
  setxattr (path, "user.mark", "red", 3, 0);
  g_assert_cmpint (chown (path, 65534, 65534), ==, 0);
  persist_ok (file, path, TF_PERSIST_REPLACE);
  assert_content (path, "Hello");
  g_assert_cmpint (stat (path, st), ==, 0);
}

static void
check_planted (TfTempFile *file,
               const char *path)
{
  struct stat st;

  replace_planted (file, path, &st);
  g_assert_cmpuint (st.st_uid, ==, geteuid ());
  g_assert_cmpuint (st.st_gid, ==, getegid ());
  g_assert_cmpuint (st.st_mode & 07777, ==, 0644);
  g_assert_cmpint (getxattr (path, "user.mark", NULL, 0), ==, -1);
}

static void
check_of_dir_owner (TfTempFile *file,
                    const char *path)
{
  struct stat st;

  replace_planted (file, path, &st);
  g_assert_cmpuint (st.st_uid, ==, 65534);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0666);
}

/* As in /tmp: everybody can put a file there, so that of its metadata nothing is taken over. The owner of the directory
 * could do anything with it. */
static void
test_planted (void)
{
  const char *dir = tf_test_get_sandbox ();
  guint mode = get_mode (dir);

  if (geteuid () != 0)
    {
      g_test_skip ("only root can replace files of others there");
      return;
    }
  if (!has_modes || !tf_test_disk_gives_away () || !tf_test_disk_has_owners ())
    {
      g_test_skip ("there are no directories like that, or no files of others");
      return;
    }

  g_assert_cmpint (chmod (dir, 01777), ==, 0);
  for_each_kind (check_planted);
  g_assert_cmpint (chown (dir, 65534, 65534), ==, 0);
  for_each_kind (check_of_dir_owner);
  g_assert_cmpint (chown (dir, 0, 0), ==, 0);
  g_assert_cmpint (chmod (dir, mode), ==, 0);
}

/* Links of one's own are followed there, those of others are not. */
static void
check_planted_symlink (TfTempFile *file,
                       const char *path)
{
  const TfPersistFlags flags = TF_PERSIST_REPLACE | TF_PERSIST_FOLLOW_SYMLINK;
  g_autofree char *link = tf_test_path ("link");
  g_autoptr(GError) error = NULL;
  struct stat st;

  put (path, "old", 0644);
  g_assert_cmpint (symlink ("doc", link), ==, 0);
  g_assert_cmpint (lchown (link, 65534, 65534), ==, 0);
  g_assert_cmpint (lstat (link, &st), ==, 0);
  /* Some file systems change the target instead. */
  if (st.st_uid == 65534)
    {
      g_assert_false (persist (file, link, flags, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
      g_assert_nonnull (strstr (error->message, "link"));
      assert_content (path, "old");
    }

  g_assert_cmpint (lchown (link, geteuid (), getegid ()), ==, 0);
  persist_ok (file, link, flags);
  assert_content (path, "Hello");
  g_assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  g_assert_cmpint (unlink (link), ==, 0);
}

static void
test_planted_symlink (void)
{
  const char *dir = tf_test_get_sandbox ();
  guint mode = get_mode (dir);

  if (geteuid () != 0)
    {
      g_test_skip ("only root can give links away");
      return;
    }
  if (!has_modes || !tf_test_disk_has_owners ())
    {
      g_test_skip ("there are no directories like that, or no links of others");
      return;
    }

  g_assert_cmpint (chmod (dir, 01777), ==, 0);
  for_each_kind (check_planted_symlink);
  g_assert_cmpint (chmod (dir, mode), ==, 0);
}

static void
check_umask (TfTempFile *file,
             const char *path)
{
  persist_ok (file, path, TF_PERSIST_NONE);
  assert_mode (path, 0640);
}

static void
test_umask_in_child (void)
{
  umask (0027);
  for_each_kind (check_umask);
  g_assert_cmpuint (umask (0), ==, 0027);
}

static void
test_umask (void)
{
  tf_test_in_child (test_umask_in_child);
}

static void
check_again (TfTempFile *file,
             const char *path)
{
  g_autofree char *other = tf_test_path ("other");

  persist_ok (file, path, TF_PERSIST_NONE);
  persist_ok (file, other, TF_PERSIST_NONE);
  write_text (file, " other");
  assert_content (path, "Hello");
  assert_content (other, "Hello other");

  /* Onto itself. */
  persist_ok (file, other, TF_PERSIST_REPLACE | TF_PERSIST_DURABLE);
  write_text (file, "!");
  assert_content (other, "Hello other!");
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 2);
  g_assert_cmpint (unlink (other), ==, 0);
}

static void
test_again (void)
{
  for_each_kind (check_again);
}

static void
check_descriptor (TfTempFile *file,
                  const char *path)
{
  int fd = tf_temp_file_get_fd (file, NULL, NULL);
  struct stat ours;
  struct stat theirs;

  g_assert_cmpint (fd, >=, 0);
  persist_ok (file, path, TF_PERSIST_NONE);
  g_assert_cmpint (tf_temp_file_get_fd (file, NULL, NULL), ==, fd);
  g_assert_cmpint (fstat (fd, &ours), ==, 0);
  g_assert_cmpint (stat (path, &theirs), ==, 0);
  if (tf_test_disk_keeps_inode ())
    g_assert_cmpint (ours.st_ino, ==, theirs.st_ino);
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (write (fd, "!", 1), ==, 1);
  assert_content (path, "Hello!");
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, 6);
}

static void
test_descriptor (void)
{
  for_each_kind (check_descriptor);
}

static void
check_symlink (TfTempFile *file,
               const char *path)
{
  g_autofree char *real = tf_test_path ("real");

  put (real, "old", 0640);
  g_assert_cmpint (symlink ("real", path), ==, 0);
  persist_ok (file, path, TF_PERSIST_REPLACE | TF_PERSIST_FOLLOW_SYMLINK);
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_SYMLINK));
  assert_content (real, "Hello");
  assert_mode (real, 0640);
  g_assert_cmpint (unlink (real), ==, 0);
}

static void
check_symlink_absolute (TfTempFile *file,
                        const char *path)
{
  g_autofree char *real = tf_test_path ("real");

  g_assert_true (g_path_is_absolute (real));
  g_assert_cmpint (symlink (real, path), ==, 0);
  persist_ok (file, path, TF_PERSIST_FOLLOW_SYMLINK);
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_SYMLINK));
  assert_content (real, "Hello");
  g_assert_cmpint (unlink (real), ==, 0);
}

static void
check_symlink_dangling (TfTempFile *file,
                        const char *path)
{
  g_autofree char *real = tf_test_path ("real");

  g_assert_cmpint (symlink ("real", path), ==, 0);
  persist_ok (file, path, TF_PERSIST_FOLLOW_SYMLINK);
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_SYMLINK));
  assert_content (real, "Hello");
  g_assert_cmpint (unlink (real), ==, 0);
}

static void
check_symlink_replaced (TfTempFile *file,
                        const char *path)
{
  g_autofree char *real = tf_test_path ("real");
  g_autoptr(GError) error = NULL;

  put (real, "old", 0600);
  g_assert_cmpint (symlink ("real", path), ==, 0);
  g_assert_false (persist (file, path, TF_PERSIST_NONE, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  persist_ok (file, path, TF_PERSIST_REPLACE);
  g_assert_false (g_file_test (path, G_FILE_TEST_IS_SYMLINK));
  assert_mode (path, 0644);
  assert_content (real, "old");
  assert_content (path, "Hello");
  g_assert_cmpint (unlink (real), ==, 0);
}

static void
check_symlink_circle (TfTempFile *file,
                      const char *path)
{
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (symlink ("doc", path), ==, 0);
  g_assert_false (persist (file, path, TF_PERSIST_FOLLOW_SYMLINK, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_LINKS);
}

/* Only a directory can have such a path, whether there is one or not. */
static void
check_symlink_to_dir (TfTempFile *file,
                      const char *path)
{
  const char *targets[] = { "dir/", "dir/.", "dir//", "nowhere/", "nowhere/.", "dir/sub/.." };
  const TfPersistFlags flags[] = { TF_PERSIST_FOLLOW_SYMLINK, TF_PERSIST_FOLLOW_SYMLINK | TF_PERSIST_REPLACE };
  g_autofree char *dir = tf_test_path ("dir");
  g_autofree char *sub = tf_test_path ("dir/sub");
  char byte;

  g_assert_cmpint (mkdir (dir, 0700), ==, 0);
  g_assert_cmpint (mkdir (sub, 0700), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (targets); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (flags); j++)
      {
        g_autoptr(GError) error = NULL;

        g_assert_cmpint (symlink (targets[i], path), ==, 0);
        g_assert_false (persist (file, path, flags[j], &error));
        /* sshfs does not tell where a symlink leads that has ".." in it. */
        if (g_str_equal (targets[i], "dir/sub/..") && readlink (path, &byte, 1) < 0)
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
        else
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY);
        g_assert_cmpint (unlink (path), ==, 0);
      }

  /* Nothing was put in there. */
  g_assert_cmpint (rmdir (sub), ==, 0);
  g_assert_cmpint (rmdir (dir), ==, 0);
  persist_ok (file, path, TF_PERSIST_FOLLOW_SYMLINK);
}

static void
test_symlink (void)
{
  for_each_kind (check_symlink_to_dir);
  for_each_kind (check_symlink);
  if (tf_test_disk_has_links ())
    for_each_kind (check_symlink_absolute);
  for_each_kind (check_symlink_dangling);
  for_each_kind (check_symlink_replaced);
  for_each_kind (check_symlink_circle);
}

static void
check_hard_link (TfTempFile *file,
                 const char *path)
{
  g_autofree char *other = tf_test_path ("other");

  put (path, "old", 0600);
  g_assert_cmpint (link (path, other), ==, 0);
  persist_ok (file, path, TF_PERSIST_REPLACE);
  assert_content (path, "Hello");
  assert_content (other, "old");
  g_assert_cmpint (unlink (other), ==, 0);
}

static gboolean
has_hard_links (void)
{
  g_autofree char *path = tf_test_path ("doc");
  g_autofree char *other = tf_test_path ("other");
  gboolean has;

  put (path, "", 0600);
  has = link (path, other) == 0;
  unlink (path);
  unlink (other);
  return has;
}

static void
check_backup (TfTempFile *file,
              const char *path)
{
  const TfPersistFlags flags = TF_PERSIST_REPLACE | TF_PERSIST_BACKUP;
  g_autofree char *backup = g_strconcat (path, "~", NULL);
  const char *dir = tf_test_get_sandbox ();

  /* Nothing is replaced. */
  persist_ok (file, path, flags);
  g_assert_false (g_file_test (backup, G_FILE_TEST_EXISTS));

  put (path, "first", 0640);
  persist_ok (file, path, flags);
  assert_content (path, "Hello");
  assert_content (backup, "first");
  assert_mode (backup, 0640);
  g_assert_cmpuint (tf_test_count_entries (dir), ==, 2);

  /* The former backup goes. */
  put (path, "second", 0604);
  persist_ok (file, path, flags | TF_PERSIST_DURABLE);
  assert_content (path, "Hello");
  assert_content (backup, "second");
  assert_mode (backup, 0604);
  g_assert_cmpuint (tf_test_count_entries (dir), ==, 2);

  /* The file is its own backup already. */
  g_assert_cmpint (unlink (backup), ==, 0);
  if (link (path, backup) != 0)
    return;

  persist_ok (file, path, flags);
  assert_content (backup, "Hello");
  g_assert_cmpuint (tf_test_count_entries (dir), ==, 2);
  g_assert_cmpint (unlink (backup), ==, 0);
}

static void
test_backup (void)
{
  const guint without[] = {
    0,
    TF_SYSTEM_LINK_FD | TF_SYSTEM_CLONE,
    TF_SYSTEM_RENAMEAT2,
    TF_SYSTEM_LINK_FD | TF_SYSTEM_RENAMEAT2,
  };
  guint forced = missing;

  for (gsize i = 0; i < G_N_ELEMENTS (without); i++)
    {
      missing = forced | without[i];
      for_each_kind (check_backup);
    }
  missing = tf_system_missing = forced;
}

static GFile *
persist_unique (TfTempFile *file,
                const char *path)
{
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GError) error = NULL;
  GFile *final = NULL;

  tf_temp_file_persist (file, destination, TF_PERSIST_UNIQUE, NULL, NULL, NULL, &final, &error);
  g_assert_no_error (error);
  return final;
}

static void
check_unique (TfTempFile *file,
              const char *path)
{
  g_autofree char *second_path = g_strconcat (path, " (1)", NULL);
  g_autofree char *third_path = g_strconcat (path, " (2)", NULL);
  g_autoptr(GFile) first = persist_unique (file, path);
  g_autoptr(GFile) second = NULL;
  g_autoptr(GFile) third = NULL;

  g_assert_cmpstr (g_file_peek_path (first), ==, path);

  g_assert_cmpint (mkdir (second_path, 0700), ==, 0);
  third = persist_unique (file, path);
  g_assert_cmpstr (g_file_peek_path (third), ==, third_path);
  assert_content (third_path, "Hello");

  g_assert_cmpint (rmdir (second_path), ==, 0);
  second = persist_unique (file, path);
  g_assert_cmpstr (g_file_peek_path (second), ==, second_path);
  if (TF_IS_NAMED_FILE (file))
    g_assert_cmpstr (tf_named_file_get_path (TF_NAMED_FILE (file)), ==, second_path);

  g_assert_cmpint (unlink (second_path), ==, 0);
  g_assert_cmpint (unlink (third_path), ==, 0);
}

static void
test_unique (void)
{
  for_each_kind (check_unique);
}

static void
test_unique_names (void)
{
  g_autofree char *long_name = g_strnfill (255, 'x');
  g_autofree char *cut_name = g_strnfill (251, 'x');
  g_autofree char *cut_result = g_strconcat (cut_name, " (1)", NULL);
  g_autofree char *begin = g_strnfill (246, 'x');
  g_autofree char *wide_name = g_strconcat (begin, "\xe2\x82\xac" "y.txt", NULL);
  g_autofree char *wide_result = g_strconcat (begin, " (1).txt", NULL);
  g_autofree char *long_extension = g_strconcat ("a.", cut_name, NULL);
  g_autofree char *cut_extension = g_strdup_printf ("%.251s (1)", long_extension);
  const struct { const char *name; const char *expected; } cases[] = {
    { "report.pdf", "report (1).pdf" },
    { "archive.tar.gz", "archive (1).tar.gz" },
    { ".hidden", ".hidden (1)" },
    { ".tar.gz", ".tar (1).gz" },
    { "no extension", "no extension (1)" },
    { "Mr. Smith", "Mr. Smith (1)" },
    { "two (1).txt", "two (1) (1).txt" },
    { "not utf-8 \xff.txt", "not utf-8 \xff (1).txt" },
    { long_name, cut_result },
    { wide_name, wide_result },
    { long_extension, cut_extension },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(TfTempFile) file = make_in_memory ();
      g_autofree char *path = tf_test_path (cases[i].name);
      g_autofree char *expected = tf_test_path (cases[i].expected);
      g_autoptr(GFile) first = persist_unique (file, path);
      g_autoptr(GFile) second = persist_unique (file, path);

      g_assert_cmpstr (g_file_peek_path (first), ==, path);
      g_assert_cmpstr (g_file_peek_path (second), ==, expected);
      g_assert_cmpint (unlink (path), ==, 0);
      g_assert_cmpint (unlink (expected), ==, 0);
    }
}

static void
test_unique_refused (void)
{
  g_autoptr(TfTempFile) file = make_in_memory ();
  g_autofree char *path = tf_test_path ("doc");
  g_autoptr(GError) error = NULL;

  g_assert_false (persist (file, path, TF_PERSIST_UNIQUE | TF_PERSIST_REPLACE, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

#define BIG (33 * 1024 * 1024)

/* What a progress callback was told. */
typedef struct
{
  TfTempFile   *file;
  GCancellable *cancellable; /* (nullable): to be cancelled at the first call, or later */
  goffset       cancel_from; /* how many bytes have to be copied before */
  GThread      *thread;
  goffset       last;
  goffset       total;
  guint         n_calls;
  guint         n_destroyed;
} Told;

static void
on_progress (goffset  n_copied,
             goffset  total,
             gpointer data)
{
  Told *told = data;

  g_assert_cmpuint (told->n_destroyed, ==, 0);
  g_assert_true (told->n_calls == 0 || n_copied > told->last);
  g_assert_cmpint (n_copied, <=, total);
  told->last = n_copied;
  told->total = total;
  told->thread = g_thread_self ();
  told->n_calls++;
  /* No lock is held. */
  g_assert_cmpint (tf_temp_file_get_size (told->file), ==, total);
  if (told->cancellable != NULL && n_copied >= told->cancel_from)
    g_cancellable_cancel (told->cancellable);
}

static void
on_told (gpointer data)
{
  Told *told = data;

  told->n_destroyed++;
  g_assert_true (g_thread_self () == told->thread || told->n_calls == 0);
}

/* 33 MiB that no file system stores as a hole. */
static void
write_big (TfTempFile *file)
{
  g_autofree char *data = g_malloc (BIG);

  memset (data, 'x', BIG);
  g_assert_true (tf_temp_file_write (file, data, BIG, NULL, NULL));
}

static gboolean
skip_without_room_for (guint64 size)
{
  struct statvfs fs;

  g_assert_cmpint (statvfs (".", &fs), ==, 0);
  if ((guint64) fs.f_bavail * fs.f_frsize > size)
    return FALSE;

  g_test_skip ("the file system is too small");
  return TRUE;
}

static gboolean
skip_without_room (void)
{
  return skip_without_room_for (2 * (guint64) BIG);
}

static gboolean
persist_told (TfTempFile *file,
              const char *path,
              Told       *told)
{
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GError) error = NULL;
  gboolean success = tf_temp_file_persist (file, destination, TF_PERSIST_NONE,
                                           told->cancellable, on_progress, told, NULL, &error);

  if (!success)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return success;
}

/* Where bytes are copied, this is told on the way; in any case it is told at the end. */
static void
test_progress (void)
{
  g_autofree char *path = tf_test_path ("doc");

  if (skip_without_room ())
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr(TfTempFile) file = kinds[i] ();
      Told told = { .file = file };

      if (file == NULL)
        continue;

      write_big (file);
      g_assert_true (persist_told (file, path, &told));
      g_assert_cmpint (told.last, ==, BIG);
      g_assert_cmpint (told.total, ==, BIG);
      if (kinds[i] == make_in_memory)
        g_assert_cmpuint (told.n_calls, >=, 3);
      g_assert_cmpint (unlink (path), ==, 0);

      /* Empty ones */
      told = (Told) { .file = file };
      g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 0, NULL, NULL));
      g_assert_true (persist_told (file, path, &told));
      g_assert_cmpuint (told.n_calls, ==, 1);
      g_assert_cmpint (told.total, ==, 0);
      g_assert_cmpint (unlink (path), ==, 0);
    }
}

static void
test_progress_cancels (void)
{
  const MakeFunc copied[] = { make_in_memory, make_elsewhere };
  g_autofree char *path = tf_test_path ("doc");

  if (skip_without_room ())
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (copied); i++)
    {
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(TfTempFile) file = copied[i] ();
      Told told = { .file = file, .cancellable = cancellable };

      if (file == NULL)
        continue;

      write_big (file);
      g_assert_false (persist_told (file, path, &told));
      g_assert_cmpuint (told.n_calls, ==, 1);
      g_assert_cmpint (told.last, <, BIG);
      g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);

      told = (Told) { .file = file };
      g_assert_true (persist_told (file, path, &told));
      g_assert_cmpint (unlink (path), ==, 0);
    }
}

/* With TF_TEST_LARGE in the environment. Cancelled in the middle, nothing is left, and the next call persists all. */
static void
test_progress_large (void)
{
  g_autofree char *path = tf_test_path ("doc");
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(TfTempFile) file = make_in_memory ();
  guint n_pieces = 2 * (G_GUINT64_CONSTANT (1) << 30) / BIG + 1;
  goffset size = (goffset) n_pieces * BIG;
  Told told = { .file = file, .cancellable = cancellable, .cancel_from = size / 2 };
  struct stat st;

  if (g_getenv ("TF_TEST_LARGE") == NULL)
    {
      g_test_skip ("TF_TEST_LARGE is not set");
      return;
    }
  if (skip_without_room_for (size + size / 2))
    return;

  for (guint i = 0; i < n_pieces; i++)
    write_big (file);
  g_assert_false (persist_told (file, path, &told));
  g_assert_cmpint (told.last, >=, size / 2);
  g_assert_cmpint (told.last, <, size);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);

  told = (Told) { .file = file };
  g_assert_true (persist_told (file, path, &told));
  g_assert_cmpint (told.last, ==, size);
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_size, ==, size);
  g_assert_cmpint (unlink (path), ==, 0);
}

static void
on_finished (GObject      *source,
             GAsyncResult *result,
             gpointer      user_data);

/* In the thread of the caller, before the callback; what was passed is freed once, whatever happens. */
static void
test_progress_async (void)
{
  g_autofree char *path = tf_test_path ("doc");
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(TfTempFile) file = make_in_memory ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) refused = NULL;
  Told told = { .file = file };
  Told not_told = { .file = file };

  if (skip_without_room ())
    return;

  write_big (file);
  tf_temp_file_persist_async (file, destination, TF_PERSIST_NONE,
                              0, NULL, on_progress, &told, on_told, on_finished, &result);
  tf_temp_file_persist_async (file, destination, TF_PERSIST_NONE,
                              0, NULL, on_progress, &not_told, on_told, on_finished, &refused);
  while (result == NULL || refused == NULL)
    g_main_context_iteration (NULL, TRUE);

  g_assert_true (tf_temp_file_persist_finish (file, result, NULL, NULL));
  g_assert_cmpuint (told.n_calls, >=, 3);
  g_assert_cmpint (told.last, ==, BIG);
  g_assert_true (told.thread == g_thread_self ());
  g_assert_false (tf_temp_file_persist_finish (file, refused, NULL, NULL));
  g_assert_cmpuint (not_told.n_calls, ==, 0);

  g_clear_object (&result);
  g_clear_object (&refused);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (told.n_destroyed, ==, 1);
  g_assert_cmpuint (not_told.n_destroyed, ==, 1);
  g_assert_cmpint (unlink (path), ==, 0);
}

#define N_UNIQUE 20

static gpointer
persist_many_unique (gpointer path)
{
  for (int i = 0; i < N_UNIQUE; i++)
    {
      g_autoptr(TfTempFile) file = i % 2 == 0 ? make_in_memory () : make_unnamed ();
      g_autoptr(GFile) final = NULL;

      write_text (file, "Hello");
      final = persist_unique (file, path);
      assert_content (g_file_peek_path (final), "Hello");
    }

  return NULL;
}

/* Each gets a name of its own. */
static void
test_unique_race (void)
{
  g_autofree char *path = tf_test_path ("doc.txt");
  GThread *threads[4];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("unique", persist_many_unique, path);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);

  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, N_UNIQUE * G_N_ELEMENTS (threads));
  g_assert_cmpint (unlink (path), ==, 0);
  for (gsize i = 1; i < N_UNIQUE * G_N_ELEMENTS (threads); i++)
    {
      g_autofree char *name = g_strdup_printf ("doc (%" G_GSIZE_FORMAT ").txt", i);

      g_assert_cmpint (unlink (name), ==, 0);
    }
}

/* What led through a symlink is told as well. */
static void
test_final_destination (void)
{
  g_autoptr(TfTempFile) file = make_in_memory ();
  g_autofree char *path = tf_test_path ("doc");
  g_autoptr(GFile) link = g_file_new_for_path ("link");
  g_autoptr(GFile) final = NULL;

  g_assert_cmpint (symlink ("doc", "link"), ==, 0);
  g_assert_true (tf_temp_file_persist (file, link, TF_PERSIST_FOLLOW_SYMLINK, NULL, NULL, NULL, &final, NULL));
  g_assert_cmpstr (g_file_peek_path (final), ==, path);

  g_clear_object (&final);
  final = (gpointer) link;
  g_assert_false (tf_temp_file_persist (file, link, TF_PERSIST_NONE, NULL, NULL, NULL, &final, NULL));
  g_assert_null (final);
  g_assert_cmpint (unlink ("link"), ==, 0);
  g_assert_cmpint (unlink (path), ==, 0);
}

static void
assert_no_backup (TfTempFile *file,
                  const char *path,
                  int         code)
{
  g_autoptr(GError) error = NULL;

  g_assert_false (persist (file, path, TF_PERSIST_REPLACE | TF_PERSIST_BACKUP, &error));
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_nonnull (strstr (error->message, "doc~"));
  assert_content (path, "old");
}

/* Where a directory, or a FIFO, has the name of the backup, nothing changes. */
static void
check_no_backup (TfTempFile *file,
                 const char *path)
{
  g_autofree char *backup = g_strconcat (path, "~", NULL);

  put (path, "old", 0644);
  g_assert_cmpint (mkdir (backup, 0700), ==, 0);
  assert_no_backup (file, path, G_IO_ERROR_IS_DIRECTORY);
  g_assert_cmpint (rmdir (backup), ==, 0);
  if (!tf_test_disk_has_fifos ())
    return;

  g_assert_cmpint (mkfifo (backup, 0600), ==, 0);
  assert_no_backup (file, path, G_IO_ERROR_EXISTS);
  g_assert_cmpint (unlink (backup), ==, 0);
}

static void
test_no_backup (void)
{
  for_each_kind (check_no_backup);
}

static void
test_hard_link (void)
{
  if (!has_hard_links ())
    {
      g_test_skip ("This file system has no hard links");
      return;
    }

  for_each_kind (check_hard_link);
}

static void
test_refused (void)
{
  g_autoptr(TfTempFile) file = make_unnamed ();
  g_autoptr(GFile) remote = g_file_new_for_uri ("sftp://example.org/doc");
  g_autoptr(GFile) local = g_file_new_for_path ("doc");
  g_autoptr(GCancellable) cancelled = g_cancellable_new ();
  g_autofree char *dir = tf_test_path ("dir");
  g_autofree char *plain = tf_test_path ("plain");
  g_autofree char *nowhere = tf_test_path ("nowhere/doc");
  g_autofree char *below_file = tf_test_path ("plain/doc");
  const struct { const char *path; GIOErrorEnum code; } refusals[] = {
    { dir, G_IO_ERROR_IS_DIRECTORY },
    { "/dev/null", G_IO_ERROR_NOT_REGULAR_FILE },
    { nowhere, G_IO_ERROR_NOT_FOUND },
    { below_file, G_IO_ERROR_NOT_DIRECTORY },
    { "/", G_IO_ERROR_IS_DIRECTORY },
  };

  g_assert_cmpint (mkdir (dir, 0700), ==, 0);
  put (plain, "", 0600);
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_false (persist (file, refusals[i].path, TF_PERSIST_REPLACE | TF_PERSIST_FOLLOW_SYMLINK, &error));
      g_assert_error (error, G_IO_ERROR, (int) refusals[i].code);
    }
  g_assert_cmpint (rmdir (dir), ==, 0);
  g_assert_cmpint (unlink (plain), ==, 0);

  {
    g_autoptr(GError) error = NULL;

    g_assert_false (tf_temp_file_persist (file, remote, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  }
  {
    g_autoptr(GError) error = NULL;

    g_cancellable_cancel (cancelled);
    g_assert_false (tf_temp_file_persist (file, local, TF_PERSIST_NONE, cancelled, NULL, NULL, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  }
  {
    g_autoptr(TfTempFile) blank = g_object_new (TF_TYPE_TEMP_FILE, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false (tf_temp_file_persist (blank, local, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  }
  {
    g_autoptr(GError) error = NULL;

    g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
    g_assert_false (tf_temp_file_persist (file, local, TF_PERSIST_NONE, NULL, NULL, NULL, NULL, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  }
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
}

static void
refused_without_permission (void)
{
  g_autoptr(TfTempFile) file = make_unnamed ();
  g_autofree char *dir = tf_test_path ("closed");
  g_autofree char *path = tf_test_path ("closed/doc");
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (mkdir (dir, 0500), ==, 0);
  g_assert_false (persist (file, path, TF_PERSIST_NONE, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_cmpint (rmdir (dir), ==, 0);
}

/* The group of a replaced file that its new owner is not in. */
static void
group_not_kept (void)
{
  const struct { int before; int after; } modes[] = { { 0664, 0644 }, { 0604, 0600 }, { 0640, 0600 } };
  g_autofree char *path = tf_test_path ("doc");

  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autoptr(TfTempFile) file = make_unnamed ();
      g_autofree char *doc = g_strdup_printf ("%s-%o", path, modes[i].before);

      assert_mode (doc, modes[i].before);
      persist_ok (file, doc, TF_PERSIST_REPLACE);
      assert_mode (doc, modes[i].after);
    }
}

/* Those who are not in the group any more are not to get what the ACL gives to others, nor another group what it gives to
 * the former one. */
static void
group_of_acl_not_kept (void)
{
  g_autofree char *path = tf_test_path ("doc");
  g_autoptr(TfTempFile) file = make_unnamed ();

  persist_ok (file, path, TF_PERSIST_REPLACE);
  assert_mode (path, 0600);
}

static void
test_unprivileged (void)
{
  tf_test_as_unprivileged (refused_without_permission);

  if (geteuid () != 0 || getegid () != 0 || !tf_test_disk_has_owners ())
    return;

  put ("doc-664", "old", 0664);
  put ("doc-604", "old", 0604);
  put ("doc-640", "old", 0640);
  tf_test_as_unprivileged (group_not_kept);
  g_assert_cmpint (unlink ("doc-664"), ==, 0);
  g_assert_cmpint (unlink ("doc-604"), ==, 0);
  g_assert_cmpint (unlink ("doc-640"), ==, 0);
}

static void
test_acl_of_group (void)
{
  if (tf_test_skip_if_portable ("access control lists") ||
      geteuid () != 0 || getegid () != 0 || !tf_test_disk_has_owners ())
    return;

  put ("doc", "old", 0600);
  if (setxattr ("doc", "system.posix_acl_access", acl_without_group, sizeof acl_without_group, 0) == 0)
    tf_test_as_unprivileged (group_of_acl_not_kept);
  g_assert_cmpint (unlink ("doc"), ==, 0);
}

static void
count_notify (GObject    *object,
              GParamSpec *pspec,
              guint      *n_notified)
{
  (*n_notified)++;
}

/* The directory is opened before the file, and gets the other number. */
static void
close_two_streams (void)
{
  g_assert_cmpint (close (STDIN_FILENO), ==, 0);
  g_assert_cmpint (close (STDOUT_FILENO), ==, 0);
}

static void
persist_without_streams (void)
{
  g_autoptr(TfTempFile) file = make_in_memory ();
  g_autofree char *path = tf_test_path ("doc");

  close_two_streams ();
  tf_system_missing = missing | TF_SYSTEM_TMPFILE;
  persist_ok (file, path, TF_PERSIST_NONE);
  g_assert_cmpint (tf_temp_file_get_fd (file, NULL, NULL), >, STDERR_FILENO);
  g_assert_cmpint (unlink (path), ==, 0);
}

/* The only descriptors that are left have the numbers of standard streams. */
static void
fail_without_streams (void)
{
  g_autoptr(TfTempFile) file = make_in_memory ();
  g_autofree char *path = tf_test_path ("doc");
  g_autoptr(GError) error = NULL;

  tf_test_take_fds ();
  close_two_streams ();
  tf_system_missing = missing | TF_SYSTEM_TMPFILE;
  g_assert_false (persist (file, path, TF_PERSIST_NONE, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  tf_test_give_all_fds ();
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
}

static void
test_standard_streams (void)
{
  tf_test_in_child (persist_without_streams);
  tf_test_in_child (fail_without_streams);
}

static void
test_named (void)
{
  g_autoptr(TfTempFile) file = make_named ();
  TfNamedFile *named = TF_NAMED_FILE (file);
  const char *former = tf_named_file_get_path (named);
  g_autofree char *before = g_strdup (former);
  g_autofree char *path = tf_test_path ("doc");
  guint n_notified = 0;

  g_signal_connect (file, "notify::path", G_CALLBACK (count_notify), &n_notified);
  g_signal_connect (file, "notify::delete-policy", G_CALLBACK (count_notify), &n_notified);
  persist_ok (file, path, TF_PERSIST_NONE);
  g_assert_cmpuint (n_notified, ==, 2);
  g_assert_cmpstr (tf_named_file_get_path (named), ==, path);
  /* Another thread may still be looking at it. */
  g_assert_cmpstr (former, ==, before);
  g_assert_cmpint (tf_named_file_get_delete_policy (named), ==, TF_DELETE_NEVER);
  g_assert_false (g_file_test (before, G_FILE_TEST_EXISTS));
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpint (unlink (path), ==, 0);
}

/* To the path that it has: it is kept. */
static void
test_named_in_place (void)
{
  g_autoptr(TfTempFile) file = make_named ();
  g_autofree char *path = g_strdup (tf_named_file_get_path (TF_NAMED_FILE (file)));

  write_text (file, "Hello");
  persist_ok (file, path, TF_PERSIST_REPLACE);
  write_text (file, "!");
  g_assert_finalize_object (g_steal_pointer (&file));
  assert_content (path, "Hello!");
  g_assert_cmpint (unlink (path), ==, 0);
}

/* A persisted file is removed only when that is asked for. */
static void
test_named_unlink (void)
{
  g_autoptr(TfTempFile) file = make_named ();
  g_autofree char *path = tf_test_path ("doc");
  g_autoptr(GError) error = NULL;

  persist_ok (file, path, TF_PERSIST_NONE);
  g_assert_true (tf_named_file_unlink (TF_NAMED_FILE (file), NULL, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_rolls_over (void)
{
  g_autoptr(TfTempFile) file = make_in_memory ();
  g_autofree char *path = tf_test_path ("doc");
  guint n_emitted = 0;

  g_signal_connect_swapped (file, "rolled-over", G_CALLBACK (g_atomic_int_inc), &n_emitted);
  write_text (file, "Hello");
  persist_ok (file, path, TF_PERSIST_NONE);
  g_assert_cmpuint (n_emitted, ==, 1);
  g_assert_true (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)));
  g_assert_cmpint (unlink (path), ==, 0);
}

static void
test_sparse (void)
{
  g_autoptr(TfTempFile) file = make_without_link ();
  g_autofree char *path = tf_test_path ("doc");
  struct stat st;

  if (tf_test_skip_if_portable ("a way to find holes"))
    return;

  g_assert_true (g_seekable_truncate (G_SEEKABLE (file), 1 << 30, NULL, NULL));
  g_assert_cmpint (fstat (tf_temp_file_get_fd (file, NULL, NULL), &st), ==, 0);
  if (st.st_blocks > 0 || lseek (tf_temp_file_get_fd (file, NULL, NULL), 0, SEEK_HOLE) != 0)
    {
      g_test_skip ("This file system has no holes, or does not tell");
      return;
    }

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 1 << 30, G_SEEK_SET, NULL, NULL));
  write_text (file, "end");
  persist_ok (file, path, TF_PERSIST_NONE);
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_size, ==, (1 << 30) + 3);
  g_assert_cmpint (st.st_blocks, <, 1024);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (file)), ==, (1 << 30) + 3);
  g_assert_cmpint (unlink (path), ==, 0);
}

static void
on_finished (GObject      *source,
             GAsyncResult *result,
             gpointer      user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static void
note_thread (TfSpooledFile  *file,
             GThread       **thread)
{
  g_assert_null (*thread);
  *thread = g_thread_self ();
}

static void
test_async (void)
{
  g_autoptr(TfTempFile) file = make_in_memory ();
  g_autofree char *path = tf_test_path ("doc");
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) again = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(GFile) final = NULL;
  GThread *emitted_in = NULL;

  write_text (file, "Hello");
  g_signal_connect (file, "rolled-over", G_CALLBACK (note_thread), &emitted_in);
  tf_temp_file_persist_async (file, destination, TF_PERSIST_NONE,
                              G_PRIORITY_LOW, NULL, NULL, NULL, NULL, on_finished, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (tf_temp_file_persist_finish (file, result, &final, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_equal (final, destination));
  g_assert_true (emitted_in == g_thread_self ());
  assert_content (path, "Hello");

  tf_temp_file_persist_async (file, destination, TF_PERSIST_NONE, 0, NULL, NULL, NULL, NULL, on_finished, &again);
  while (again == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (tf_temp_file_persist_finish (file, again, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpint (unlink (path), ==, 0);
}

static void
test_async_named (void)
{
  g_autoptr(TfTempFile) file = make_named ();
  g_autofree char *path = tf_test_path ("doc");
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GAsyncResult) result = NULL;

  tf_temp_file_persist_async (file, destination, TF_PERSIST_DURABLE, 0, NULL, NULL, NULL, NULL, on_finished, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (tf_temp_file_persist_finish (file, result, NULL, NULL));
  g_assert_cmpstr (tf_named_file_get_path (TF_NAMED_FILE (file)), ==, path);
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 1);
  g_assert_cmpint (unlink (path), ==, 0);
}

typedef struct
{
  const char *path;
  MakeFunc make;
  guint n_rounds;
  int starts[2]; /* to read from, in turns */
  int ends[2];   /* where the parent writes */
  char byte;
} Racer;

/* Persists a file of nothing but the racer's byte. Returns 0 if it got the name, 1 if the other one has it. */
static char
race_once (const Racer *racer,
           guint        round)
{
  g_autoptr(TfTempFile) file = racer->make ();
  g_autofree char *content = g_strnfill (RACE_SIZE, racer->byte);
  g_autoptr(GError) error = NULL;
  struct pollfd start = { racer->starts[round % 2], POLLIN, 0 };
  char token;

  if (!tf_temp_file_write (file, content, RACE_SIZE, NULL, NULL))
    return 2;
  /* poll() ends in both at the same time, read() in one after the other. */
  if (poll (&start, 1, -1) != 1 || read (start.fd, &token, 1) != 1)
    return 3;
  if (persist (file, racer->path, TF_PERSIST_NONE, &error))
    return 0;
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_EXISTS) ? 1 : 4;
}

/* Races in a process of its own. Returns the descriptor that its results are read from. */
static int
start_racer (const Racer *racer)
{
  int results[2];
  pid_t pid;

  g_assert_cmpint (pipe (results), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      /* What is left here would keep the race waiting if the parent ended. */
      close (racer->ends[0]);
      close (racer->ends[1]);
      for (guint round = 0; round < racer->n_rounds; round++)
        {
          char result = race_once (racer, round);

          if (write (results[1], &result, 1) != 1)
            _exit (1);
        }
      _exit (0);
    }

  close (results[1]);
  return results[0];
}

static void
test_race (gconstpointer data)
{
  const MakeFunc *make = data;
  g_autofree char *path = tf_test_path ("doc");
  /* Without hard links, it is the file system of a server, which each call is a message to. */
  guint n_rounds = has_hard_links () ? 1000 : 100;
  int starts[2][2];
  int results[2];

  /* One byte for each process is the signal to start. In turns, so that none takes that of the other. */
  g_assert_cmpint (pipe (starts[0]), ==, 0);
  g_assert_cmpint (pipe (starts[1]), ==, 0);
  for (int i = 0; i < 2; i++)
    results[i] = start_racer (&(Racer) { path, *make, n_rounds, { starts[0][0], starts[1][0] }, { starts[0][1], starts[1][1] }, "ab"[i] });

  for (guint round = 0; round < n_rounds; round++)
    {
      g_autofree char *content = NULL;
      gsize length;
      int n_won = 0;

      g_assert_cmpint (write (starts[round % 2][1], "!!", 2), ==, 2);
      for (int i = 0; i < 2; i++)
        {
          char result;

          g_assert_cmpint (read (results[i], &result, 1), ==, 1);
          g_assert_cmpint (result, <=, 1);
          n_won += result == 0;
        }
      g_assert_cmpint (n_won, ==, 1);

      g_assert_true (g_file_get_contents (path, &content, &length, NULL));
      g_assert_cmpuint (length, ==, RACE_SIZE);
      for (gsize i = 1; i < length; i++)
        if (content[i] != content[0])
          g_error ("torn at byte %" G_GSIZE_FORMAT, i);
      g_assert_cmpint (unlink (path), ==, 0);
    }

  for (int i = 0; i < 2; i++)
    {
      int status;

      g_assert_cmpint (wait (&status), >, 0);
      g_assert_cmpint (status, ==, 0);
      close (results[i]);
      close (starts[i][0]);
      close (starts[i][1]);
    }
}

static void
exit_meanwhile (goffset  n_copied,
                goffset  n_total,
                gpointer no_data)
{
  exit (EXIT_SUCCESS);
}

static void
fork_meanwhile (goffset  n_copied,
                goffset  n_total,
                gpointer n_forks)
{
  int status;
  pid_t pid = fork ();

  if (pid == 0)
    _exit (EXIT_SUCCESS);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  (*(guint *) n_forks)++;
}

static TfTempFile *
make_to_be_copied (void)
{
  g_autofree char *content = g_malloc0 (RACE_SIZE);
  TfTempFile *file = make_unnamed ();

  g_assert_true (tf_temp_file_write (file, content, RACE_SIZE, NULL, NULL));
  tf_system_missing = missing | TF_SYSTEM_LINK_FD | TF_SYSTEM_CLONE;
  return file;
}

static void
persist_and_exit (void)
{
  g_autoptr(TfTempFile) file = make_to_be_copied ();
  g_autoptr(GFile) destination = g_file_new_for_path ("lasting");

  tf_temp_file_persist (file, destination, TF_PERSIST_NONE, NULL, exit_meanwhile, NULL, NULL, NULL);
  g_assert_not_reached ();
}

/* The name that it has meanwhile goes with the process, and not with a fork. */
static void
test_ended_meanwhile (void)
{
  g_autoptr(TfTempFile) file = NULL;
  g_autoptr(GFile) destination = g_file_new_for_path ("lasting");
  g_autoptr(GError) error = NULL;
  guint n_forks = 0;

  tf_test_in_child (persist_and_exit);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);

  file = make_to_be_copied ();
  g_assert_true (tf_temp_file_persist (file, destination, TF_PERSIST_NONE, NULL, fork_meanwhile, &n_forks, NULL, &error));
  tf_system_missing = missing;
  g_assert_no_error (error);
  g_assert_cmpuint (n_forks, >, 0);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 1);
  g_assert_cmpint (unlink ("lasting"), ==, 0);
}

/* Whatever way the file takes, nothing is recorded any more afterwards. */
static void
test_no_record_left (void)
{
  const guint ways[] = { 0, TF_SYSTEM_LINK_FD, TF_SYSTEM_LINK_FD | TF_SYSTEM_RENAMEAT2 };
  const TfPersistFlags flags[] = { TF_PERSIST_NONE, TF_PERSIST_REPLACE };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds) * G_N_ELEMENTS (ways) * G_N_ELEMENTS (flags); i++)
    {
      g_autoptr(TfTempFile) file = kinds[i % G_N_ELEMENTS (kinds)] ();
      g_autoptr(GFile) destination = g_file_new_for_path ("lasting");
      TfPersistFlags how = flags[i / G_N_ELEMENTS (kinds) % G_N_ELEMENTS (flags)];
      g_autoptr(GError) error = NULL;

      if (how == TF_PERSIST_REPLACE)
        put ("lasting", "former", 0600);
      write_text (file, "new");
      tf_system_missing = missing | ways[i / G_N_ELEMENTS (kinds) / G_N_ELEMENTS (flags)];
      g_assert_true (tf_temp_file_persist (file, destination, how, NULL, NULL, NULL, NULL, &error));
      tf_system_missing = missing;
      g_assert_no_error (error);
      assert_content ("lasting", "new");
      tf_journal_trim ();
      g_assert_cmpuint (tf_journal_count_segments (), ==, 0);
      g_assert_cmpint (unlink ("lasting"), ==, 0);
    }
}

int
main (int    argc,
      char **argv)
{
  static const MakeFunc unnamed = make_unnamed;
  static const MakeFunc in_memory = make_in_memory;

  umask (0022);
  missing = tf_system_missing;
  tf_test_init (&argc, &argv);
  tf_test_start_worker ();
  has_modes = tf_test_disk_has_modes ();

  g_test_add_func ("/persist/ended-meanwhile", test_ended_meanwhile);
  g_test_add_func ("/persist/no-record-left", test_no_record_left);
  g_test_add_func ("/persist/new", test_new);
  g_test_add_func ("/persist/exists", test_exists);
  g_test_add_func ("/persist/replace", test_replace);
  g_test_add_func ("/persist/durable", test_durable);
  g_test_add_func ("/persist/private", test_private);
  g_test_add_func ("/persist/acl", test_acl);
  g_test_add_func ("/persist/acl/group", test_acl_of_group);
  g_test_add_func ("/persist/default-acl", test_default_acl);
  g_test_add_func ("/persist/set-group-id", test_set_group_id);
  g_test_add_func ("/persist/owner", test_owner);
  g_test_add_func ("/persist/planted", test_planted);
  g_test_add_func ("/persist/planted/symlink", test_planted_symlink);
  g_test_add_func ("/persist/umask", test_umask);
  g_test_add_func ("/persist/again", test_again);
  g_test_add_func ("/persist/descriptor", test_descriptor);
  g_test_add_func ("/persist/symlink", test_symlink);
  g_test_add_func ("/persist/backup", test_backup);
  g_test_add_func ("/persist/backup/impossible", test_no_backup);
  g_test_add_func ("/persist/unique", test_unique);
  g_test_add_func ("/persist/unique/names", test_unique_names);
  g_test_add_func ("/persist/unique/refused", test_unique_refused);
  g_test_add_func ("/persist/unique/race", test_unique_race);
  g_test_add_func ("/persist/progress", test_progress);
  g_test_add_func ("/persist/progress/cancels", test_progress_cancels);
  g_test_add_func ("/persist/progress/async", test_progress_async);
  g_test_add_func ("/persist/progress/large", test_progress_large);
  g_test_add_func ("/persist/final-destination", test_final_destination);
  g_test_add_func ("/persist/hard-link", test_hard_link);
  g_test_add_func ("/persist/refused", test_refused);
  g_test_add_func ("/persist/unprivileged", test_unprivileged);
  g_test_add_func ("/persist/standard-streams", test_standard_streams);
  g_test_add_func ("/persist/named", test_named);
  g_test_add_func ("/persist/named/in-place", test_named_in_place);
  g_test_add_func ("/persist/named/unlink", test_named_unlink);
  g_test_add_func ("/persist/rolls-over", test_rolls_over);
  g_test_add_func ("/persist/sparse", test_sparse);
  g_test_add_func ("/persist/async", test_async);
  g_test_add_func ("/persist/async/named", test_async_named);
  g_test_add_data_func ("/persist/race/unnamed", &unnamed, test_race);
  g_test_add_data_func ("/persist/race/in-memory", &in_memory, test_race);

  return tf_test_run ();
}
