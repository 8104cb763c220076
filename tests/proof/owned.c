/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "proof.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test.h"

/* What users, other programs and the system do with a process, its files, and what is noted of them: nothing of that
 * has a sweep remove what lives or what was let go of. */

#define NOBODY 65534

static TfTempDir *dir;
static TfNamedFile *file;
static TfNamedFile *closed_file;

static void
make_all (gpointer data)
{
  g_autoptr(GError) error = NULL;

  dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  file = tf_named_file_new (NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  closed_file = tf_named_file_new_full (NULL, NULL, NULL, 0600, TF_DELETE_ON_DISPOSE, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_io_stream_close (G_IO_STREAM (closed_file), NULL, &error));
  g_assert_no_error (error);
}

/* What the tests make, not a directory for notes */
static guint
count_entries (void)
{
  g_autoptr(GDir) names = g_dir_open (proof_get_work_dir (), 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (names)) != NULL)
    if (g_str_has_prefix (name, "tmp"))
      n++;

  return n;
}

static void
check_all (gpointer data)
{
  g_assert_true (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_IS_DIR));
  g_assert_true (g_file_test (tf_named_file_get_path (file), G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (tf_named_file_get_path (closed_file), G_FILE_TEST_EXISTS));
}

static void
assert_swept_to (guint n)
{
  proof_sweep ();
  if (count_entries () != n)
    g_test_fail_printf ("%u are there after a sweep instead of %u", count_entries (), n);
}

/* All that @func makes is there after a sweep. Then its process ends, and nothing is left. */
static void
assert_lives (ProofFunc func)
{
  ProofLiving living;

  if (!proof_living_start (&living, func, check_all, NULL))
    return;

  g_assert_cmpuint (count_entries (), ==, 3);
  assert_swept_to (3);
  kill (living.pid, SIGKILL);
  proof_wait (living.pid);
  close (living.fd);
  assert_swept_to (0);
}

/* --- What a living process does, and what others do to its files --- */

static void
lock_and_unlock (gpointer data)
{
  int fd;

  make_all (NULL);
  fd = open (tf_named_file_get_path (file), O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (flock (fd, LOCK_EX | LOCK_NB), ==, 0);
  g_assert_cmpint (flock (fd, LOCK_UN), ==, 0);
  close (fd);
}

/* The only descriptor that is left is that by which the process is told to end. */
static void
close_all_but_one (gpointer data)
{
  make_all (NULL);
  for (int fd = 3; fd < 1024; fd++)
    {
      struct stat st;

      if (fstat (fd, &st) == 0 && !S_ISSOCK (st.st_mode))
        close (fd);
    }
}

static void
set_times (gpointer data)
{
  const struct timespec long_ago[] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

  make_all (NULL);
  utimensat (AT_FDCWD, tf_temp_dir_get_path (dir), long_ago, 0);
  utimensat (AT_FDCWD, tf_named_file_get_path (file), long_ago, 0);
  utimensat (AT_FDCWD, tf_named_file_get_path (closed_file), long_ago, 0);
}

static gpointer
make_in_thread (gpointer data)
{
  make_all (NULL);
  return NULL;
}

static void
end_thread (gpointer data)
{
  g_thread_join (g_thread_new (NULL, make_in_thread, NULL));
}

/* The child of it lives on: it has what it has. */
static void
live_on_in_child (gpointer data)
{
  pid_t pid;

  make_all (NULL);
  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      g_object_unref (file);
      g_object_unref (closed_file);
      g_object_unref (dir);
      exit (EXIT_SUCCESS);
    }

  g_assert_cmpint (proof_wait (pid), ==, 0);
  check_all (NULL);
}

static void
copy_notes (gpointer data)
{
  g_autofree char *command = NULL;

  make_all (NULL);
  command = g_strdup_printf ("cd '%s' && for dir in *; do [ ! -d \"$dir\" ] || for name in $(ls -A \"$dir\"); do "
                             "cp -a \"$dir/$name\" \"$dir/copy-$name\"; done; done", proof_get_run_dir ());
  g_assert_cmpint (system (command), ==, 0);
}

static void
give_up_root (gpointer data)
{
  make_all (NULL);
  if (geteuid () == 0)
    {
      g_assert_cmpint (chmod (proof_get_work_dir (), 0777), ==, 0);
      g_assert_cmpint (setgroups (0, NULL), ==, 0);
      g_assert_cmpint (setresgid (NOBODY, NOBODY, NOBODY), ==, 0);
      g_assert_cmpint (setresuid (NOBODY, NOBODY, NOBODY), ==, 0);
    }
}

static void
limit_file_size (gpointer data)
{
  const struct rlimit none = { 0, RLIM_INFINITY };

  /* It writes to a file of its own, to see whether it can. */
  tf_get_temp_dir (NULL);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &none), ==, 0);
  make_all (NULL);
}

static void
test_lives (gconstpointer func)
{
  assert_lives ((ProofFunc) func);
}

/* A copy of what a living process has noted is not that of a dead one. */
static void
test_notes_copied (void)
{
  assert_lives (copy_notes);
  proof_empty (proof_get_run_dir ());
}

static void
test_file_size_limited (void)
{
  proof_in_process (limit_file_size, NULL);
  assert_swept_to (0);
}

/* No run-time directory, and one that is not this user's alone */
static void
test_place (gconstpointer data)
{
  const char *place = data;
  g_autofree char *path = g_build_filename (proof_get_work_dir (), "dest", place, NULL);

  if (strcmp (place, "open") == 0)
    {
      g_assert_cmpint (mkdir (path, 0700), ==, 0);
      g_assert_cmpint (chmod (path, 0777), ==, 0);
    }
  else if (strcmp (place, "file") == 0)
    g_assert_true (g_file_set_contents (path, "", 0, NULL));

  g_assert_true (g_setenv ("XDG_RUNTIME_DIR", path, TRUE));
  proof_and_kill (make_all, NULL);
  proof_sweep ();
  g_assert_true (g_setenv ("XDG_RUNTIME_DIR", proof_get_run_dir (), TRUE));
  if (proof_count_files (proof_get_work_dir ()) != (strcmp (place, "file") == 0 ? 1 : 0))
    g_test_fail_printf ("%u files are left", proof_count_files (proof_get_work_dir ()));
}

/* A process of which the first thread has ended looks dead in /proc. */
static gpointer
live_in_thread (gpointer data)
{
  char byte;
  int *fds = data;

  make_all (NULL);
  g_assert_cmpint (write (fds[1], "", 1), ==, 1);
  while (read (fds[2], &byte, 1) < 0)
    ;
  check_all (NULL);
  exit (EXIT_SUCCESS);
}

static void
end_first_thread (gpointer data)
{
  g_thread_unref (g_thread_new (NULL, live_in_thread, data));
  pthread_exit (NULL);
}

static void
test_first_thread (void)
{
  int fds[4];
  char byte;
  pid_t pid;

  g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
  g_assert_cmpint (pipe2 (fds + 2, O_CLOEXEC), ==, 0);
  pid = proof_fork (end_first_thread, fds);
  g_assert_cmpint (read (fds[0], &byte, 1), ==, 1);
  assert_swept_to (3);
  g_assert_cmpint (write (fds[3], "", 1), ==, 1);
  proof_wait (pid);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
}

/* The parent dies, its child does not: as with a daemon. */
static int daemon_fds[2];

static void
become_daemon (gpointer data)
{
  char byte;

  make_all (NULL);
  fflush (NULL);
  if (fork () != 0)
    raise (SIGKILL);

  close (daemon_fds[1]);
  g_assert_cmpint (read (daemon_fds[0], &byte, 1), ==, 0);
  _exit (EXIT_SUCCESS);
}

static void
test_daemon (void)
{
  int status;

  g_assert_cmpint (prctl (PR_SET_CHILD_SUBREAPER, 1), ==, 0);
  g_assert_cmpint (pipe2 (daemon_fds, O_CLOEXEC), ==, 0);
  g_assert_cmpint (proof_wait (proof_fork (become_daemon, NULL)), ==, SIGKILL);
  assert_swept_to (3);

  close (daemon_fds[0]);
  close (daemon_fds[1]);
  /* The sweeper has a copy of the write end if it was forked with it. */
  proof_end_sweeper ();
  g_assert_cmpint (wait (&status), >, 0);
  assert_swept_to (0);
  g_assert_cmpint (prctl (PR_SET_CHILD_SUBREAPER, 0), ==, 0);
}

static void
make_and_die (gpointer data)
{
  make_all (NULL);
  raise (SIGKILL);
}

/* Dead, but its parent does not know yet */
static void
test_zombie (void)
{
  pid_t pid = proof_fork (make_and_die, NULL);
  siginfo_t info;

  g_assert_cmpint (waitid (P_PID, pid, &info, WEXITED | WNOWAIT), ==, 0);
  assert_swept_to (0);
  proof_wait (pid);
}

/* --- What a dead process has left, and what others have made of it --- */

static char *left_paths; /* shared: one for the directory, one for the file */

#define PATH_SIZE 1024

static void
leave_both (gpointer data)
{
  make_all (NULL);
  g_strlcpy (left_paths, tf_temp_dir_get_path (dir), PATH_SIZE);
  g_strlcpy (left_paths + PATH_SIZE, tf_named_file_get_path (file), PATH_SIZE);
}

/* The user's own under the same names, maybe with the same inodes */
static void
test_made_again (void)
{
  for (guint i = 0; i < 50; i++)
    {
      proof_and_kill (leave_both, NULL);
      g_assert_cmpint (rmdir (left_paths), ==, 0);
      g_assert_cmpint (unlink (left_paths + PATH_SIZE), ==, 0);
      g_assert_cmpint (mkdir (left_paths, 0700), ==, 0);
      g_assert_cmpint (close (open (left_paths + PATH_SIZE, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), ==, 0);
      proof_sweep ();
      if (count_entries () != 2)
        {
          g_test_fail_printf ("%u entries instead of 2", count_entries ());
          return;
        }

      g_assert_cmpint (rmdir (left_paths), ==, 0);
      g_assert_cmpint (unlink (left_paths + PATH_SIZE), ==, 0);
    }
}

static void
test_rescued (void)
{
  g_autofree char *rescued_dir = g_build_filename (proof_get_dest_dir (), "dir", NULL);
  g_autofree char *rescued_file = g_build_filename (proof_get_work_dir (), "tmp_rescued", NULL);

  proof_and_kill (leave_both, NULL);
  g_assert_cmpint (rename (left_paths, rescued_dir), ==, 0);
  g_assert_cmpint (rename (left_paths + PATH_SIZE, rescued_file), ==, 0);
  assert_swept_to (1);
  if (!g_file_test (rescued_dir, G_FILE_TEST_IS_DIR) || !g_file_test (rescued_file, G_FILE_TEST_EXISTS))
    g_test_fail_printf ("what was moved is not there");
}

/* --- What was let go of --- */

static void
let_go_and_hold (gpointer data)
{
  g_autofree char *path = g_build_filename (proof_get_dest_dir (), "document", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autofree char *kept_dir = NULL;
  g_autofree char *kept_file = NULL;

  make_all (NULL);
  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), destination, TF_PERSIST_NONE,
                                       NULL, NULL, NULL, NULL, NULL));
  kept_file = tf_named_file_keep (closed_file);
  kept_dir = tf_temp_dir_keep (dir);

  tf_named_file_hold_until_exit (file);
  tf_named_file_hold_until_exit (closed_file);
  tf_temp_dir_hold_until_exit (dir);
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_CLOSE);
  tf_named_file_set_delete_policy (closed_file, TF_DELETE_ON_CLOSE);
  tf_temp_dir_set_auto_cleanup (dir, FALSE);
  tf_temp_dir_set_auto_cleanup (dir, TRUE);
  g_clear_object (&file);
  g_clear_object (&closed_file);
  g_clear_object (&dir);
}

static void
assert_let_go (void)
{
  g_autofree char *path = g_build_filename (proof_get_dest_dir (), "document", NULL);

  proof_sweep ();
  if (!g_file_test (path, G_FILE_TEST_EXISTS) || count_entries () != 2)
    g_test_fail_printf ("%u of 2 are there, and the document is %s", count_entries (),
                        g_file_test (path, G_FILE_TEST_EXISTS) ? "there" : "not");
}

static void
test_let_go (void)
{
  proof_in_process (let_go_and_hold, NULL);
  assert_let_go ();
}

static void
test_let_go_and_killed (void)
{
  proof_and_kill (let_go_and_hold, NULL);
  assert_let_go ();
}

static void
keep_without_descriptors (gpointer data)
{
  g_autofree char *kept_dir = NULL;
  g_autofree char *kept_file = NULL;
  g_autofree char *kept_closed_file = NULL;

  make_all (NULL);
  tf_test_take_fds ();
  kept_dir = tf_temp_dir_keep (dir);
  kept_file = tf_named_file_keep (file);
  kept_closed_file = tf_named_file_keep (closed_file);
}

static void
test_kept_without_descriptors (void)
{
  proof_and_kill (keep_without_descriptors, NULL);
  assert_swept_to (3);
}

/* No lock of the library's is on what is the user's. */
static void
lock_all (gpointer data)
{
  g_autofree char *kept = NULL;
  TfNamedFile *never;

  make_all (NULL);
  never = tf_named_file_new_full (NULL, NULL, NULL, 0600, TF_DELETE_NEVER, NULL, NULL);
  kept = tf_named_file_keep (closed_file);
  g_assert_cmpint (system ("for path in \"$TMPDIR\"/tmp*; do [ -d \"$path\" ] || flock -n -x \"$path\" true || exit 1; done"),
                   ==, 0);
  g_object_unref (never);
}

static void
test_locks (void)
{
  proof_in_process (lock_all, NULL);
}

/* --- Mounts and other users: for root --- */

static void
mount_on (const char *source,
          const char *target)
{
  g_assert_cmpint (mount (source, target, NULL, MS_BIND, NULL), ==, 0);
}

/* A disk that is not there now comes again later. Until then there is another in its place. */
static void
sweep_without_disk (gpointer data)
{
  g_autofree char *disk = g_build_filename (proof_get_dest_dir (), "disk", NULL);
  g_autofree char *other = g_build_filename (proof_get_dest_dir (), "other", NULL);
  g_autofree char *point = g_build_filename (proof_get_dest_dir (), "point", NULL);

  g_assert_true (proof_enter_namespace (CLONE_NEWNS));
  g_assert_cmpint (mkdir (disk, 0700) | mkdir (other, 0700) | mkdir (point, 0700), ==, 0);
  mount_on (disk, point);
  g_assert_true (g_setenv ("TMPDIR", point, TRUE));
  proof_and_kill (leave_both, NULL);
  g_assert_cmpuint (tf_test_count_entries (disk), ==, 3);
  g_assert_cmpint (umount (point), ==, 0);
  g_assert_true (g_setenv ("TMPDIR", proof_get_work_dir (), TRUE));

  proof_in_process (data, NULL);
  g_assert_cmpuint (tf_test_count_entries (disk), ==, 3);

  mount_on (other, point);
  g_assert_cmpint (mkdir (left_paths, 0700), ==, 0);
  proof_in_process (data, NULL);
  g_assert_cmpuint (tf_test_count_entries (disk), ==, 3);
  g_assert_cmpuint (tf_test_count_entries (other), ==, 1);
  g_assert_cmpint (umount (point), ==, 0);

  mount_on (disk, point);
  proof_in_process (data, NULL);
  g_assert_cmpuint (tf_test_count_entries (disk), ==, 0);
  g_assert_cmpint (umount (point), ==, 0);
}

static void
sweep_here (gpointer data)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_sweep (NULL, NULL, 0, NULL, NULL, &error));
  g_assert_no_error (error);
}

static void
test_disk (void)
{
  if (proof_needs_namespace (CLONE_NEWNS))
    proof_in_process (sweep_without_disk, sweep_here);
}

/* Where notes could be, there is no room. */
static void
live_on_full_disk (gpointer data)
{
  g_assert_true (proof_enter_namespace (CLONE_NEWNS));
  g_assert_cmpint (mount ("tmpfs", proof_get_run_dir (), "tmpfs", 0, "size=4k,mode=700"), ==, 0);
  g_assert_cmpint (mount ("tmpfs", "/dev/shm", "tmpfs", 0, "nr_inodes=1"), ==, 0);
  for (guint i = 0; i < 300; i++)
    make_all (NULL);
  check_all (NULL);
}

static void
test_full_disk (void)
{
  if (!proof_needs_namespace (CLONE_NEWNS))
    return;

  proof_in_process (live_on_full_disk, NULL);
  assert_swept_to (0);
}

/* Where notes could be, another user has made something. */
static void
plant (const char *path,
       const char *kind)
{
  g_autofree char *outside = g_build_filename (proof_get_dest_dir (), "outside", NULL);

  g_assert_cmpint (mkdir (outside, 0700), ==, 0);
  g_assert_cmpint (chown (outside, NOBODY, NOBODY), ==, 0);
  g_assert_cmpint (chmod (proof_get_work_dir (), 01777), ==, 0);
  if (strcmp (kind, "dir") == 0)
    g_assert_cmpint (mkdir (path, 0700), ==, 0);
  else if (strcmp (kind, "link") == 0)
    g_assert_cmpint (symlink (outside, path), ==, 0);
  else
    g_assert_cmpint (mkfifo (path, 0666), ==, 0);
  g_assert_cmpint (lchown (path, NOBODY, NOBODY), ==, 0);
}

static void
test_planted (gconstpointer kind)
{
  g_autofree char *path = g_strdup_printf ("%s/tempfile-glib-%u", proof_get_work_dir (), (guint) geteuid ());
  g_autofree char *outside = g_build_filename (proof_get_dest_dir (), "outside", NULL);

  if (!proof_needs_root ())
    return;

  plant (path, kind);
  g_unsetenv ("XDG_RUNTIME_DIR");
  proof_and_kill (leave_both, NULL);
  proof_sweep ();
  g_assert_true (g_setenv ("XDG_RUNTIME_DIR", proof_get_run_dir (), TRUE));
  if (tf_test_count_entries (outside) != 0 || (strcmp (kind, "dir") == 0 && tf_test_count_entries (path) != 0))
    g_test_fail_printf ("notes are where another user has a say");
  if (count_entries () != 0)
    g_test_fail_printf ("%u are left", count_entries ());
}

static void
add_lives (const char *path,
           ProofFunc   func)
{
  proof_add_data (path, func, test_lives);
}

int
main (int    argc,
      char **argv)
{
  proof_init (&argc, &argv);
  left_paths = proof_share (2 * PATH_SIZE);

  add_lives ("/owned/lives/plain", make_all);
  add_lives ("/owned/lives/locked-and-unlocked", lock_and_unlock);
  add_lives ("/owned/lives/without-descriptors", close_all_but_one);
  add_lives ("/owned/lives/old", set_times);
  add_lives ("/owned/lives/thread-ended", end_thread);
  add_lives ("/owned/lives/child-ended", live_on_in_child);
  add_lives ("/owned/lives/as-another-user", give_up_root);
  proof_add ("/owned/lives/notes-copied", test_notes_copied);
  proof_add ("/owned/lives/file-size-limited", test_file_size_limited);
  proof_add ("/owned/lives/first-thread-ended", test_first_thread);
  proof_add ("/owned/lives/daemon", test_daemon);
  proof_add ("/owned/dead/zombie", test_zombie);
  proof_add ("/owned/dead/made-again", test_made_again);
  proof_add ("/owned/dead/rescued", test_rescued);
  proof_add ("/owned/let-go/held-afterwards", test_let_go);
  proof_add ("/owned/let-go/held-afterwards-and-killed", test_let_go_and_killed);
  proof_add ("/owned/let-go/without-descriptors", test_kept_without_descriptors);
  proof_add ("/owned/locks", test_locks);
  proof_add_data ("/owned/place/missing", "missing", test_place);
  proof_add_data ("/owned/place/open", "open", test_place);
  proof_add_data ("/owned/place/file", "file", test_place);
  proof_add_data ("/owned/place/planted-dir", "dir", test_planted);
  proof_add_data ("/owned/place/planted-link", "link", test_planted);
  proof_add_data ("/owned/place/planted-fifo", "fifo", test_planted);
  proof_add ("/owned/place/full-disk", test_full_disk);
  proof_add ("/owned/disk-away", test_disk);

  return tf_test_run ();
}
