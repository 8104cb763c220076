/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tf-system.h"
#include "names/tf-registry.h"
#include "tf-test.h"

/* Alive when a process ends; reachable, so that leak checkers know them. */
static TfTempDir *dir;
static TfNamedFile *file;

static void
create_both (void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *child = NULL;

  dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  file = tf_named_file_new (NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);

  child = g_build_filename (tf_temp_dir_get_path (dir), "child", NULL);
  g_assert_true (g_file_set_contents (child, "x", 1, &error));
  g_assert_no_error (error);
}

static void
release_both (void)
{
  g_assert_finalize_object (g_steal_pointer (&file));
  g_assert_finalize_object (g_steal_pointer (&dir));
}

static void
assert_both_exist (gboolean exist)
{
  g_assert_true (g_file_test (tf_temp_dir_get_path (dir), G_FILE_TEST_EXISTS) == exist);
  g_assert_true (g_file_test (tf_named_file_get_path (file), G_FILE_TEST_EXISTS) == exist);
}

static void
assert_sandbox_empty (void)
{
  g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 0);
}

/* Runs @func, which ends the process, in a fork. Returns its wait status. */
static int
run (void (*func) (void))
{
  pid_t pid;
  int status;

  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      func ();
      g_assert_not_reached ();
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  return status;
}

static void
assert_exits (void (*func) (void))
{
  int status = run (func);

  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static void
create_and_exit (void)
{
  create_both ();
  exit (0);
}

static void
create_in_atexit (void)
{
  create_both ();
}

static void
create_late_and_exit (void)
{
  atexit (create_in_atexit);
  exit (0);
}

static gpointer
create_for_ever (gpointer data)
{
  for (;;)
    {
      TfNamedFile *one = tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
      TfTempDir *two = tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);

      g_clear_object (&one);
      g_clear_object (&two);
    }

  return NULL;
}

static void
exit_while_threads_create (void)
{
  for (int i = 0; i < 3; i++)
    g_thread_unref (g_thread_new ("creator", create_for_ever, NULL));

  create_both ();
  exit (0);
}

static gpointer
open_for_ever (gpointer data)
{
  for (;;)
    g_object_unref (tf_temp_file_new (NULL, NULL, NULL));

  return NULL;
}

/* Such a file has a name for a moment. */
static void
exit_while_threads_open_unnamed (void)
{
  tf_system_missing = TF_SYSTEM_TMPFILE;
  for (int i = 0; i < 3; i++)
    g_thread_unref (g_thread_new ("opener", open_for_ever, NULL));

  create_both ();
  exit (0);
}

static void
test_exit (void)
{
  assert_exits (create_and_exit);
  assert_sandbox_empty ();
  assert_exits (create_late_and_exit);
  assert_sandbox_empty ();
}

static void
test_exit_with_threads (void)
{
  for (int i = 0; i < 20; i++)
    {
      assert_exits (exit_while_threads_create);
      assert_sandbox_empty ();
      assert_exits (exit_while_threads_open_unnamed);
      assert_sandbox_empty ();
    }
}

static void
let_go_and_exit (void)
{
  g_autofree char *dir_path = NULL;
  g_autofree char *file_path = NULL;

  create_both ();
  dir_path = tf_temp_dir_keep (dir);
  file_path = tf_named_file_keep (file);
  tf_temp_dir_set_auto_cleanup (dir, TRUE);
  g_assert_cmpint (symlink (dir_path, "kept-dir"), ==, 0);
  g_assert_cmpint (symlink (file_path, "kept-file"), ==, 0);
  exit (0);
}

static void
test_exit_keeps (void)
{
  g_autofree char *dir_path = NULL;
  g_autofree char *file_path = NULL;

  assert_exits (let_go_and_exit);
  g_assert_cmpint (unlink ("kept-dir/child"), ==, 0);
  dir_path = g_file_read_link ("kept-dir", NULL);
  file_path = g_file_read_link ("kept-file", NULL);
  g_assert_cmpint (rmdir (dir_path), ==, 0);
  g_assert_cmpint (unlink (file_path), ==, 0);
  g_assert_cmpint (unlink ("kept-dir"), ==, 0);
  g_assert_cmpint (unlink ("kept-file"), ==, 0);
}

static void
just_exit (void)
{
  exit (0);
}

static void
just_exec (void)
{
  execl ("/bin/true", "true", NULL);
}

static void
finalize_and_exit (void)
{
  release_both ();
  exit (0);
}

static void
assert_removal_refused (void)
{
  g_autoptr(GError) error = NULL;

  g_assert_false (tf_temp_dir_cleanup (dir, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (error->message, "fork"));
  g_clear_error (&error);

  g_assert_false (tf_named_file_unlink (file, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_clear_error (&error);

  g_assert_true (g_io_stream_close (G_IO_STREAM (file), NULL, &error));
  g_assert_no_error (error);
}

static void
remove_by_hand_and_exit (void)
{
  assert_removal_refused ();
  exit (0);
}

static void
let_go_in_child_and_exit (void)
{
  g_free (tf_temp_dir_keep (dir));
  g_free (tf_named_file_keep (file));
  exit (0);
}

static void
create_own_and_exit (void)
{
  TfTempDir *inherited_dir = g_steal_pointer (&dir);
  TfNamedFile *inherited_file = g_steal_pointer (&file);

  create_both ();
  g_object_unref (inherited_dir);
  g_object_unref (inherited_file);
  exit (0);
}

static void
test_fork (void)
{
  void (*const ends[]) (void) = {
    just_exit, just_exec, finalize_and_exit, remove_by_hand_and_exit, let_go_in_child_and_exit, create_own_and_exit,
  };

  create_both ();
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      assert_exits (ends[i]);
      assert_both_exist (TRUE);
      g_assert_cmpuint (tf_test_count_entries (tf_test_get_sandbox ()), ==, 2);
    }

  release_both ();
  assert_sandbox_empty ();
}

/* fork() without pthread_atfork(). Machines differ in the order of the arguments. */
static void
test_raw_fork (void)
{
  pid_t pid;
  int status;

  create_both ();
  fflush (NULL);
#ifdef __s390__
  pid = syscall (SYS_clone, NULL, SIGCHLD, NULL, NULL, 0);
#else
  pid = syscall (SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
#endif
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    remove_by_hand_and_exit ();

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  assert_both_exist (TRUE);
  release_both ();
}

static void
exit_as_first_process (void)
{
  pid_t pid;
  int status;

  /* In both namespaces, the process that creates and its child are number 1. */
  if (unshare (CLONE_NEWPID) != 0)
    _exit (77);

  pid = fork ();
  if (pid == 0)
    {
      create_both ();
      if (unshare (CLONE_NEWPID) != 0)
        _exit (77);
      pid = fork ();
      if (pid == 0)
        {
          g_assert_cmpint (getpid (), ==, 1);
          assert_removal_refused ();
          _exit (0);
        }

      g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
      g_assert_cmpint (status, ==, 0);
      assert_both_exist (TRUE);
      release_both ();
      _exit (0);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  _exit (WEXITSTATUS (status));
}

static void
test_fork_with_same_pid (void)
{
  int status = run (exit_as_first_process);

  g_assert_true (WIFEXITED (status));
  if (WEXITSTATUS (status) == 77)
    g_test_skip ("no process namespace may be made here");
  else
    g_assert_cmpint (WEXITSTATUS (status), ==, 0);

  assert_sandbox_empty ();
}

static char *
read_name_from_child (void)
{
  int ends[2];
  pid_t pid;
  char name[256] = "";
  int status;

  g_assert_cmpint (pipe (ends), ==, 0);
  fflush (NULL);
  pid = fork ();
  if (pid == 0)
    {
      create_both ();
      g_assert_cmpint (write (ends[1], tf_named_file_get_path (file), strlen (tf_named_file_get_path (file))), >, 0);
      exit (0);
    }

  close (ends[1]);
  g_assert_cmpint (read (ends[0], name, sizeof name - 1), >, 0);
  close (ends[0]);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  return g_strdup (name);
}

static void
test_names_after_fork (void)
{
  g_autofree char *one = read_name_from_child ();
  g_autofree char *two = read_name_from_child ();

  g_assert_cmpstr (one, !=, two);
}

static TfRegistryNode claimed;

static void
disown_nothing (TfRegistryNode *node)
{
}

static void
claim_and_exit (void)
{
  alarm (60);
  tf_registry_claim (&claimed);
  tf_registry_release (&claimed);
  tf_registry_forget (&claimed);
  exit (0);
}

/* What a thread of the parent has claimed is not claimed in the child, whether it is to be removed at exit or not. */
static void
test_fork_while_claimed (gconstpointer is_listed)
{
  const TfRegistryFuncs funcs = { .disown_in_child = disown_nothing };

  claimed = (TfRegistryNode) { .funcs = &funcs };
  tf_registry_begin (&claimed);
  tf_registry_end (&claimed, is_listed != NULL);
  tf_registry_claim (&claimed);
  assert_exits (claim_and_exit);

  tf_registry_remove (&claimed);
  assert_exits (claim_and_exit);
  tf_registry_release (&claimed);
}

/* Nobody is there for whom the end of the process could wait. */
static gboolean is_alone;

gboolean __real_g_cond_wait_until (GCond  *cond,
                                   GMutex *mutex,
                                   gint64  end_time);
gboolean __wrap_g_cond_wait_until (GCond  *cond,
                                   GMutex *mutex,
                                   gint64  end_time);

gboolean
__wrap_g_cond_wait_until (GCond  *cond,
                          GMutex *mutex,
                          gint64  end_time)
{
  if (is_alone)
    abort ();

  return __real_g_cond_wait_until (cond, mutex, end_time);
}

static gboolean
end_thread (const char *event,
            const char *path,
            gpointer    user_data)
{
  pthread_exit (NULL);
}

static gpointer
make_file (gpointer no_data)
{
  return tf_named_file_new (NULL, NULL, NULL, NULL, NULL);
}

static gpointer
make_unnamed_file (gpointer no_data)
{
  return tf_temp_file_new (NULL, NULL, NULL);
}

static gpointer
make_dir (gpointer no_data)
{
  return tf_temp_dir_new (NULL, NULL, NULL, NULL, NULL);
}

static gpointer
make_file_inside (gpointer no_data)
{
  return tf_temp_dir_create_file (dir, NULL, NULL, NULL, NULL);
}

static gpointer
make_dir_inside (gpointer no_data)
{
  return tf_temp_dir_create_dir (dir, NULL, NULL, NULL, NULL);
}

static gpointer
roll_over (gpointer spooled_file)
{
  tf_spooled_file_rollover (spooled_file, NULL, NULL);
  return NULL;
}

static void
end_in (GThreadFunc func,
        gpointer    data)
{
  g_assert_null (g_thread_join (g_thread_new ("ended", func, data)));
}

static void
end_threads_and_exit (void)
{
  TfSpooledFile *spooled_file = tf_spooled_file_new (-1);

  alarm (60);
  tf_test_ignore_leaks ();
  create_both ();
  tf_set_audit_func (end_thread, NULL, NULL);
  end_in (make_file, NULL);
  end_in (make_unnamed_file, NULL);
  end_in (make_dir, NULL);
  end_in (make_file_inside, NULL);
  end_in (make_dir_inside, NULL);
  end_in (roll_over, spooled_file);
  tf_set_audit_func (NULL, NULL, NULL);

  release_both ();
  g_assert_finalize_object (spooled_file);
  create_both ();
  is_alone = TRUE;
  exit (0);
}

/* An interpreter that ends does so with its threads when they call it. */
static void
test_thread_ended_by_audit_func (void)
{
  assert_exits (end_threads_and_exit);
  assert_sandbox_empty ();
}

static void
create_and_drop (const char *parent,
                 guint       n_objects)
{
  for (guint i = 0; i < n_objects; i++)
    {
      g_autoptr(TfTempDir) one = tf_temp_dir_new (NULL, NULL, parent, NULL, NULL);

      g_assert_nonnull (one);
    }
}

/* What is dropped leaves nothing in the registry: not the smallest piece of memory for every thousandth object. */
static void
test_no_growth (void)
{
  g_autofree char *cheap = tf_test_make_cheap_dir ();
  gsize before;

  create_and_drop (NULL, 1000);
  create_and_drop (cheap, 1000);
  before = mallinfo2 ().uordblks;
  create_and_drop (NULL, 1000);
  create_and_drop (cheap, 20000);
  g_assert_cmpuint (mallinfo2 ().uordblks, <=, before + 640);
  g_assert_cmpint (rmdir (cheap), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/registry/exit", test_exit);
  g_test_add_func ("/registry/exit-with-threads", test_exit_with_threads);
  g_test_add_func ("/registry/exit-keeps", test_exit_keeps);
  g_test_add_func ("/registry/fork", test_fork);
  g_test_add_func ("/registry/raw-fork", test_raw_fork);
  g_test_add_func ("/registry/fork-with-same-pid", test_fork_with_same_pid);
  g_test_add_data_func ("/registry/fork-while-claimed/listed", "listed", test_fork_while_claimed);
  g_test_add_data_func ("/registry/fork-while-claimed/unlisted", NULL, test_fork_while_claimed);
  g_test_add_func ("/registry/thread-ended-by-audit-func", test_thread_ended_by_audit_func);
  g_test_add_func ("/registry/names-after-fork", test_names_after_fork);
  g_test_add_func ("/registry/no-growth", test_no_growth);

  return tf_test_run ();
}
