/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What becomes of files and directories that were handed over. The clock is set forward, and a second takes no time. */


#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "names/tf-entry.h"
#include "names/tf-journal.h"
#include "names/tf-registry.h"
#include "tempfile-glib.h"
#include "tf-test-async.h"
#include "tf-test-files.h"
#include "tf-test.h"
#include "tree.h"

#define GRACE 1000

/* Real time passes as well, in seconds: less than this. */
#define MARGIN 600

/* Whether a thread attaches slowly, has begun to, and does so at the moment. */
static gint is_slow;
static gint has_begun;
static gint is_attaching;

/* The linker puts this in the place of the function, see meson.build. */
guint __real_g_source_attach (GSource      *source,
                              GMainContext *context);
guint __wrap_g_source_attach (GSource      *source,
                              GMainContext *context);

guint
__wrap_g_source_attach (GSource      *source,
                        GMainContext *context)
{
  guint id = __real_g_source_attach (source, context);

  if (!g_atomic_int_compare_and_exchange (&is_slow, TRUE, FALSE))
    return id;

  g_atomic_int_set (&is_attaching, TRUE);
  g_atomic_int_set (&has_begun, TRUE);
  for (int i = 0; i < 10000; i++)
    g_thread_yield ();
  g_atomic_int_set (&is_attaching, FALSE);
  return id;
}

static TfNamedFile *
make_file (void)
{
  g_autoptr(GError) error = NULL;
  TfNamedFile *file = tf_named_file_new ("file-", NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  return file;
}

static TfTempDir *
make_dir (void)
{
  g_autoptr(GError) error = NULL;
  TfTempDir *dir = tf_temp_dir_new ("dir-", NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  tree_make_wide (tf_temp_dir_get_path (dir), 2, 2);
  return dir;
}

static void
close_file (TfNamedFile *file)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
}

static gboolean
exists (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static guint
count (void)
{
  return tf_test_count_entries (".");
}

/* Returns the path of the only entry. */
static char *
find_only (void)
{
  g_autoptr(GDir) names = g_dir_open (".", 0, NULL);
  char *path = tf_test_path (g_dir_read_name (names));

  g_assert_null (g_dir_read_name (names));
  return path;
}

static void
pass_time (guint seconds)
{
  tf_journal_clock_offset += seconds;
}

/* Iterates the main context until nothing is there any more. */
static void
wait_until_gone (const char *path)
{
  while (exists (path))
    g_main_context_iteration (NULL, TRUE);
}

/* Runs @data, and waits until nothing is pending any more. */
static void
run (gconstpointer data)
{
  void (*func) (void) = data;

  func ();
  while (tf_entry_count_heirs () > 0)
    g_main_context_iteration (NULL, TRUE);
}

/* Iterates the main context as often as is enough for a look at everything. */
static void
assert_stays (const char *path)
{
  for (int i = 0; i < 30; i++)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (exists (path));
}

/* Runs @func in a fork that ends normally, or is killed. */
static void
run_in_process (void (*func) (void),
                gboolean killed)
{
  int status;
  pid_t pid;

  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      tf_test_ignore_leaks ();
      func ();
      if (killed)
        raise (SIGKILL);
      tf_registry_remove_all ();
      _exit (EXIT_SUCCESS);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (killed ? WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL : status == 0);
}

static gboolean
has_no_leases (void)
{
  return tf_test_skip_without_leases ();
}

static void
test_file (void)
{
  g_autoptr(TfNamedFile) file = NULL;
  const char *path;

  if (has_no_leases ())
    return;

  file = make_file ();
  path = tf_named_file_get_path (file);
  g_assert_false (tf_named_file_is_handed_over (file));
  tf_named_file_hand_over (file, GRACE);
  g_assert_true (tf_named_file_is_handed_over (file));
  g_assert_cmpint (tf_named_file_get_delete_policy (file), ==, TF_DELETE_ON_CLOSE);
  close_file (file);
  assert_stays (path);
  pass_time (GRACE - MARGIN);
  assert_stays (path);
  pass_time (MARGIN);
  while (tf_named_file_is_handed_over (file))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (count (), ==, 0);
}

static void
test_dir (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autofree char *path = NULL;

  if (has_no_leases ())
    return;

  dir = make_dir ();
  path = g_strdup (tf_temp_dir_get_path (dir));
  g_assert_false (tf_temp_dir_is_handed_over (dir));
  tf_temp_dir_hand_over (dir, GRACE);
  g_assert_true (tf_temp_dir_is_handed_over (dir));
  g_assert_finalize_object (g_steal_pointer (&dir));
  assert_stays (path);
  pass_time (GRACE);
  wait_until_gone (path);
}

/* The object need not be closed. */
static void
test_dropped (void)
{
  TfNamedFile *file;
  g_autofree char *path = NULL;

  if (has_no_leases ())
    return;

  file = make_file ();
  path = g_strdup (tf_named_file_get_path (file));
  tf_named_file_hand_over (file, 0);
  assert_stays (path);
  g_assert_finalize_object (file);
  wait_until_gone (path);
}

static void
test_in_use (void)
{
  g_autoptr(TfNamedFile) file = NULL;
  g_autofree char *path = NULL;
  gpointer mapped;
  int ends[2];
  char byte;
  pid_t pid;
  int fd;

  if (has_no_leases ())
    return;

  file = make_file ();
  path = g_strdup (tf_named_file_get_path (file));
  g_assert_true (tf_temp_file_write (TF_TEMP_FILE (file), "x", 1, NULL, NULL));
  tf_named_file_hand_over (file, 0);
  close_file (file);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (pipe (ends), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      close (ends[1]);
      _exit (read (ends[0], &byte, 1));
    }
  g_assert_cmpint (close (ends[0]), ==, 0);
  mapped = mmap (NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
  g_assert_cmpint (close (fd), ==, 0);
  assert_stays (path);

  g_assert_cmpint (close (ends[1]), ==, 0);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  assert_stays (path);

  g_assert_cmpint (munmap (mapped, 1), ==, 0);
  wait_until_gone (path);
}

static void
test_file_in_dir_in_use (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autofree char *path = NULL;
  g_autofree char *name = NULL;
  int fd;

  if (has_no_leases ())
    return;

  dir = make_dir ();
  path = g_strdup (tf_temp_dir_get_path (dir));
  name = g_build_filename (path, "deep", NULL);
  tree_make_dir (name);
  g_free (name);
  name = g_build_filename (path, "deep", "document", NULL);
  tree_make_file (name);
  fd = open (name, O_RDONLY | O_CLOEXEC);
  tf_temp_dir_hand_over (dir, 0);
  g_clear_object (&dir);
  assert_stays (name);
  g_assert_cmpint (close (fd), ==, 0);
  wait_until_gone (path);
}

/* --- What the process does after that --- */

static void
test_keep (void)
{
  g_autoptr(TfNamedFile) file = make_file ();
  g_autoptr(TfNamedFile) never = make_file ();
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(GFile) tree = tf_temp_dir_get_file (dir);
  g_autofree char *file_path = NULL;
  g_autofree char *dir_path = NULL;
  g_autofree char *never_path = g_strdup (tf_named_file_get_path (never));

  tf_named_file_hand_over (file, 0);
  tf_named_file_hand_over (never, 0);
  tf_temp_dir_hand_over (dir, 0);
  file_path = tf_named_file_keep (file);
  dir_path = tf_temp_dir_keep (dir);
  tf_named_file_set_delete_policy (never, TF_DELETE_NEVER);
  g_assert_false (tf_named_file_is_handed_over (file));
  g_assert_false (tf_named_file_is_handed_over (never));
  g_assert_false (tf_temp_dir_is_handed_over (dir));

  tf_named_file_hand_over (file, 0);
  tf_named_file_hand_over (never, 0);
  tf_temp_dir_hand_over (dir, 0);
  g_assert_false (tf_named_file_is_handed_over (file));
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_finalize_object (g_steal_pointer (&never));
  g_assert_finalize_object (g_steal_pointer (&dir));
  g_assert_cmpint (unlink (file_path), ==, 0);
  g_assert_cmpint (unlink (never_path), ==, 0);
  g_assert_true (tf_remove_tree (tree, NULL, NULL));
}

/* After it was not to be removed, it is an ordinary file again. */
static void
test_policy_afterwards (void)
{
  g_autoptr(TfNamedFile) file = make_file ();
  g_autofree char *path = g_strdup (tf_named_file_get_path (file));

  tf_named_file_hand_over (file, GRACE);
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
  g_assert_true (tf_named_file_is_handed_over (file));
  tf_named_file_set_delete_policy (file, TF_DELETE_NEVER);
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_CLOSE);
  g_assert_false (tf_named_file_is_handed_over (file));
  close_file (file);
  g_assert_false (exists (path));
}

static void
test_remove_afterwards (void)
{
  g_autoptr(TfNamedFile) file = make_file ();
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(GError) error = NULL;

  tf_named_file_hand_over (file, GRACE);
  tf_temp_dir_hand_over (dir, GRACE);
  g_assert_true (tf_named_file_unlink (file, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count (), ==, 0);
  g_assert_false (tf_named_file_is_handed_over (file));
  g_assert_true (tf_named_file_unlink (file, NULL, &error));
  g_assert_no_error (error);
}

static void
test_persist_afterwards (void)
{
  g_autoptr(TfNamedFile) file = make_file ();
  g_autoptr(GFile) destination = g_file_new_for_path ("lasting");
  g_autoptr(GError) error = NULL;

  tf_named_file_hand_over (file, 0);
  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (file), destination, TF_PERSIST_NONE,
                                       NULL, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (tf_named_file_is_handed_over (file));
  g_assert_true (g_str_has_suffix (tf_named_file_get_path (file), "/lasting"));
  g_assert_cmpuint (count (), ==, 1);
  g_clear_object (&file);
  g_assert_cmpint (unlink ("lasting"), ==, 0);
}

static void
hand_over_for_nothing (void)
{
  g_autoptr(TfNamedFile) kept = make_file ();
  g_autoptr(TfNamedFile) lasting = make_file ();
  g_autoptr(TfNamedFile) never = make_file ();
  g_autoptr(TfNamedFile) removed = make_file ();
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(GFile) destination = g_file_new_for_path ("lasting");
  g_autofree char *path = NULL;

  tf_named_file_hand_over (kept, GRACE);
  tf_named_file_hand_over (lasting, GRACE);
  tf_named_file_hand_over (never, GRACE);
  tf_named_file_hand_over (removed, GRACE);
  tf_temp_dir_hand_over (dir, GRACE);
  g_assert_cmpuint (tf_entry_count_heirs (), ==, 5);

  path = tf_named_file_keep (kept);
  g_assert_true (tf_temp_file_persist (TF_TEMP_FILE (lasting), destination, TF_PERSIST_NONE,
                                       NULL, NULL, NULL, NULL, NULL));
  tf_named_file_set_delete_policy (never, TF_DELETE_NEVER);
  g_assert_true (tf_named_file_unlink (removed, NULL, NULL));
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, NULL));

  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (unlink ("lasting"), ==, 0);
  g_assert_cmpint (unlink (tf_named_file_get_path (never)), ==, 0);
}

/* What is not handed over any more takes no memory for the rest of the time. */
static void
test_nothing_pending (void)
{
  tf_entry_second = 1000;
  hand_over_for_nothing ();
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (tf_entry_count_heirs (), ==, 0);
  tf_entry_second = 0;
}

/* The latest time counts. */
static void
test_again (void)
{
  g_autoptr(TfNamedFile) file = NULL;
  const char *path;

  if (has_no_leases ())
    return;

  file = make_file ();
  path = tf_named_file_get_path (file);
  tf_named_file_hand_over (file, GRACE);
  tf_named_file_hand_over (file, 2 * GRACE);
  tf_named_file_hand_over (file, 0);
  close_file (file);
  pass_time (GRACE);
  assert_stays (path);
  pass_time (GRACE);
  wait_until_gone (path);
}

/* When it was kept in between, the time is a new one, which the former timer would be too late for. */
static void
test_shortened (void)
{
  g_autoptr(TfNamedFile) file = NULL;
  const char *path;

  if (has_no_leases ())
    return;

  tf_entry_second = MARGIN * 1000;
  file = make_file ();
  path = tf_named_file_get_path (file);
  tf_named_file_hand_over (file, GRACE);
  tf_named_file_set_delete_policy (file, TF_DELETE_NEVER);
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
  close_file (file);
  tf_entry_second = 0;
  tf_named_file_hand_over (file, 0);
  wait_until_gone (path);
}

/* The context in which it was handed over first is not iterated any more. */
static void
test_other_context (void)
{
  g_autoptr(GMainContext) context = NULL;
  g_autoptr(TfNamedFile) file = NULL;
  const char *path;

  if (has_no_leases ())
    return;

  context = g_main_context_new ();
  file = make_file ();
  path = tf_named_file_get_path (file);
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_DISPOSE);
  close_file (file);
  g_main_context_push_thread_default (context);
  tf_named_file_hand_over (file, 0);
  g_main_context_pop_thread_default (context);
  tf_named_file_hand_over (file, 0);
  wait_until_gone (path);
}

/* What has passed of the current second does not count. */
static void
test_whole_seconds (void)
{
  TfEntry entry;
  TfTemplate template = { .dir = (char *) tf_test_get_sandbox (), .mode = 0600 };
  gint64 before;
  int fd;

  tf_entry_init (&entry);
  fd = tf_entry_create_file (&entry, &template, NULL, NULL);
  g_assert_cmpint (close (fd), ==, 0);
  before = tf_journal_get_uptime ();
  tf_entry_hand_over (&entry, GRACE);
  g_assert_cmpint (entry.heir->deadline, >, before + GRACE);
  g_assert_true (tf_entry_remove (&entry, 0, NULL, NULL));
  tf_entry_clear (&entry);
}

/* The other program has saved it, as an editor does. */
static void
test_replaced (void)
{
  g_autoptr(TfNamedFile) file = NULL;
  g_autofree char *path = NULL;

  if (has_no_leases ())
    return;

  g_assert_cmpint (g_mkdir ("own", 0700), ==, 0);
  file = tf_named_file_new (NULL, NULL, "own", NULL, NULL);
  path = g_strdup (tf_named_file_get_path (file));
  tf_named_file_hand_over (file, 0);
  close_file (file);
  tree_make_file ("own/new");
  g_assert_cmpint (rename ("own/new", path), ==, 0);
  while (tf_named_file_is_handed_over (file))
    g_main_context_iteration (NULL, TRUE);
  g_clear_object (&file);
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (rmdir ("own"), ==, 0);
}

static void
test_not_initialized (void)
{
  g_autoptr(TfNamedFile) file = g_object_new (TF_TYPE_NAMED_FILE, NULL);
  g_autoptr(TfTempDir) dir = g_object_new (TF_TYPE_TEMP_DIR, NULL);

  tf_named_file_hand_over (file, 0);
  tf_temp_dir_hand_over (dir, 0);
  g_assert_false (tf_named_file_is_handed_over (file));
  g_assert_false (tf_temp_dir_is_handed_over (dir));
}

/* What was created in it is gone with it. */
static void
test_inside_dir (void)
{
  g_autoptr(TfTempDir) dir = NULL;
  g_autoptr(TfNamedFile) file = NULL;
  g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func (g_object_unref);

  if (tf_test_skip_without_leases ())
    return;

  dir = make_dir ();
  file = tf_temp_dir_create_file (dir, NULL, NULL, NULL, NULL);
  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, NULL));
  tf_temp_dir_hand_over (dir, 0);
  for (guint i = 0; i < 20; i++)
    {
      TfTempDir *other = make_dir ();

      g_ptr_array_add (others, other);
      g_object_unref (tf_temp_dir_create_file (other, NULL, NULL, NULL, NULL));
    }
  g_clear_object (&dir);
  while (tf_entry_count_heirs () > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (tf_named_file_unlink (file, NULL, NULL));
}

/* What belongs to a directory is kept as far as it is concerned. */
static void
test_inside (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(TfNamedFile) file = tf_temp_dir_create_file (dir, NULL, NULL, NULL, NULL);

  tf_named_file_hand_over (file, 0);
  g_assert_false (tf_named_file_is_handed_over (file));
  tf_named_file_set_delete_policy (file, TF_DELETE_ON_CLOSE);
  tf_named_file_hand_over (file, 0);
  g_assert_true (tf_named_file_is_handed_over (file));
  g_assert_true (tf_temp_dir_cleanup (dir, NULL, NULL));
  close_file (file);
}

static void
test_no_fds (void)
{
  g_autoptr(TfNamedFile) file = make_file ();

  tf_test_take_fds ();
  tf_named_file_hand_over (file, 0);
  tf_test_give_all_fds ();
  g_assert_true (tf_named_file_is_handed_over (file));
  g_assert_true (tf_named_file_unlink (file, NULL, NULL));
}

static TfNamedFile *shared;

static void
hand_over_shared (void)
{
  tf_named_file_hand_over (shared, 0);
  g_assert_true (exists (tf_named_file_get_path (shared)));
}

static void
drop_shared (void)
{
  g_assert_true (tf_named_file_is_handed_over (shared));
  close_file (shared);
  g_object_unref (shared);
  pass_time (GRACE);
  g_main_context_iteration (NULL, TRUE);
}

/* A forked child hands nothing of its parent over, and removes nothing that its parent has handed over. */
static void
test_fork (void)
{
  shared = make_file ();
  run_in_process (hand_over_shared, FALSE);
  g_assert_false (tf_named_file_is_handed_over (shared));
  tf_named_file_hand_over (shared, GRACE);
  run_in_process (drop_shared, FALSE);
  g_assert_true (exists (tf_named_file_get_path (shared)));
  g_assert_true (tf_named_file_unlink (shared, NULL, NULL));
  g_clear_object (&shared);
}

static pid_t other_process;

static void
start_other_process (void)
{
  other_process = fork ();
  g_assert_cmpint (other_process, >=, 0);
  if (other_process == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      for (;;)
        pause ();
    }
}

static void
end_other_process (void)
{
  g_assert_cmpint (kill (other_process, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (other_process, NULL, 0), ==, other_process);
}

static gpointer
attach_by_hand_over (gpointer file)
{
  tf_named_file_hand_over (file, GRACE);
  return NULL;
}

static gpointer
attach_by_hold (gpointer file)
{
  tf_named_file_hold_for_pid (file, other_process);
  return NULL;
}

static void
exit_if_not_attaching (void)
{
  if (g_atomic_int_get (&is_attaching))
    _exit (EXIT_FAILURE);
}

/* No child finds the main context in the hands of a thread that it does not have. */
static void
fork_while_attaching (GThreadFunc attach)
{
  TfNamedFile *file = make_file ();
  GThread *thread;

  start_other_process ();
  g_object_add_weak_pointer (G_OBJECT (file), (gpointer *) &file);
  g_atomic_int_set (&has_begun, FALSE);
  g_atomic_int_set (&is_slow, TRUE);
  thread = g_thread_new ("attaching", attach, file);
  while (!g_atomic_int_get (&has_begun))
    g_thread_yield ();
  run_in_process (exit_if_not_attaching, FALSE);
  g_thread_join (thread);

  end_other_process ();
  g_assert_true (tf_named_file_unlink (file, NULL, NULL));
  g_object_unref (file);
  while (file != NULL)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_fork_while_handing_over (void)
{
  fork_while_attaching (attach_by_hand_over);
}

static void
test_fork_while_holding (void)
{
  fork_while_attaching (attach_by_hold);
}

/* --- After the end of the process --- */

static void
hand_over_both (void)
{
  tf_named_file_hand_over (make_file (), GRACE);
  tf_temp_dir_hand_over (make_dir (), GRACE);
}

static void
test_left (gconstpointer killed)
{
  if (has_no_leases ())
    return;

  run_in_process (hand_over_both, killed != NULL);
  g_assert_cmpuint (count (), ==, 2);
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  pass_time (GRACE - MARGIN);
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  pass_time (MARGIN + 1);
  g_assert_cmpuint (tf_test_sweep (0), ==, 2);
  g_assert_cmpuint (count (), ==, 0);
}

static void
hand_over_closed_file (void)
{
  TfNamedFile *file;

  tf_test_ignore_leaks ();
  file = make_file ();
  tf_named_file_hand_over (file, GRACE);
  close_file (file);
  pass_time (GRACE + 1);
}

/* Its time is over when the process exits. */
static void
test_over_at_exit (void)
{
  if (has_no_leases ())
    return;

  run_in_process (hand_over_closed_file, FALSE);
  g_assert_cmpuint (count (), ==, 0);
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
}

static void
hand_over_file (void)
{
  tf_named_file_hand_over (make_file (), 0);
}

static void
hand_over_dir (void)
{
  tf_temp_dir_hand_over (make_dir (), 0);
}

/* No sweep takes what is in use, and the next one does when it is not any more. */
static void
test_swept_in_use (gconstpointer is_dir)
{
  g_autofree char *path = NULL;
  g_autofree char *name = NULL;
  int fd;

  if (has_no_leases ())
    return;

  run_in_process (is_dir != NULL ? hand_over_dir : hand_over_file, TRUE);
  path = find_only ();
  name = is_dir != NULL ? g_build_filename (path, "document", NULL) : g_strdup (path);
  fd = open (name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  g_assert_true (exists (name));
  g_assert_cmpint (close (fd), ==, 0);
  g_assert_cmpuint (tf_test_sweep (0), ==, 1);
  g_assert_false (exists (path));
}

static void
keep_handed_over (void)
{
  TfNamedFile *file = make_file ();

  tf_named_file_hand_over (file, 0);
  g_free (tf_named_file_keep (file));
}

static void
test_kept_and_killed (void)
{
  g_autofree char *path = NULL;

  if (has_no_leases ())
    return;

  run_in_process (keep_handed_over, TRUE);
  g_assert_cmpuint (tf_test_sweep (0), ==, 0);
  path = find_only ();
  g_assert_cmpint (unlink (path), ==, 0);
}

static void
hand_over_in_lost_context (void)
{
  g_autoptr(GMainContext) context = g_main_context_new ();
  TfNamedFile *file = make_file ();

  g_main_context_push_thread_default (context);
  tf_named_file_hand_over (file, 0);
  g_main_context_pop_thread_default (context);
  g_object_unref (file);
}

static void
test_lost_context (void)
{
  if (has_no_leases ())
    return;

  run_in_process (hand_over_in_lost_context, FALSE);
  g_assert_cmpuint (count (), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);
  tf_entry_second = 0;
  g_test_add_data_func ("/hand-over/file", test_file, run);
  g_test_add_data_func ("/hand-over/dir", test_dir, run);
  g_test_add_data_func ("/hand-over/dropped", test_dropped, run);
  g_test_add_data_func ("/hand-over/in-use", test_in_use, run);
  g_test_add_func ("/hand-over/inside-dir", test_inside_dir);
  g_test_add_data_func ("/hand-over/file-in-dir-in-use", test_file_in_dir_in_use, run);
  g_test_add_data_func ("/hand-over/keep", test_keep, run);
  g_test_add_data_func ("/hand-over/policy-afterwards", test_policy_afterwards, run);
  g_test_add_data_func ("/hand-over/remove-afterwards", test_remove_afterwards, run);
  g_test_add_data_func ("/hand-over/persist-afterwards", test_persist_afterwards, run);
  g_test_add_func ("/hand-over/nothing-pending", test_nothing_pending);
  g_test_add_data_func ("/hand-over/again", test_again, run);
  g_test_add_data_func ("/hand-over/shortened", test_shortened, run);
  g_test_add_data_func ("/hand-over/other-context", test_other_context, run);
  g_test_add_data_func ("/hand-over/whole-seconds", test_whole_seconds, run);
  g_test_add_data_func ("/hand-over/replaced", test_replaced, run);
  g_test_add_data_func ("/hand-over/not-initialized", test_not_initialized, run);
  g_test_add_data_func ("/hand-over/inside", test_inside, run);
  g_test_add_data_func ("/hand-over/no-fds", test_no_fds, run);
  g_test_add_data_func ("/hand-over/fork", test_fork, run);
  g_test_add_data_func ("/hand-over/fork-while/handing-over", test_fork_while_handing_over, run);
  g_test_add_data_func ("/hand-over/fork-while/holding", test_fork_while_holding, run);
  g_test_add_data_func ("/hand-over/left/exit", NULL, test_left);
  g_test_add_data_func ("/hand-over/left/kill", "killed", test_left);
  g_test_add_data_func ("/hand-over/over-at-exit", test_over_at_exit, run);
  g_test_add_data_func ("/hand-over/swept-in-use/file", NULL, test_swept_in_use);
  g_test_add_data_func ("/hand-over/swept-in-use/dir", "dir", test_swept_in_use);
  g_test_add_data_func ("/hand-over/kept-and-killed", test_kept_and_killed, run);
  g_test_add_data_func ("/hand-over/lost-context", test_lost_context, run);
  return tf_test_run ();
}
