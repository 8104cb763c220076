/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "proof.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tf-test.h"

/* Processes are killed while they make, persist, keep, move and remove files and directories, and while they sweep:
 * at each system call, at random instructions, and by timers while several of them and sweeps run at once. After one
 * sweep by another process, nothing that they made is left but what they let go of, and all of that is there.
 *
 * Each process notes in shared memory what may and what must be there when it is dead, before and after the call that
 * decides on it. */

#define OLD "old"
#define NEW "the new document"
#define MAX_NOTES 20000

typedef enum
{
  MAY_BE_THERE,
  STAYS_IF_THERE,
  MUST_BE_THERE,
} Fate;

typedef struct
{
  char name[56]; /* relative to the directory of the test */
  int fate;
  int was_there; /* before the sweep */
} Note;

typedef struct
{
  int n_notes;
  int n_unnamed; /* how many may be there of which the process was not told the name */
  int is_replaced;
  int has_journals; /* the sweep has to leave some */
  int next_name;
  int has_begun;
  int has_ended;
  Note notes[MAX_NOTES];
} Notes;

static Notes *notes;

static Note *
note (const char *name,
      Fate        fate)
{
  int i = __atomic_fetch_add (&notes->n_notes, 1, __ATOMIC_SEQ_CST);
  Note *self = &notes->notes[i];

  g_assert_cmpint (i, <, MAX_NOTES);
  g_assert_cmpuint (g_strlcpy (self->name, name, sizeof self->name), <, sizeof self->name);
  __atomic_store_n (&self->fate, fate, __ATOMIC_SEQ_CST);
  return self;
}

static Note *
note_path (const char *path,
           Fate        fate)
{
  g_assert_true (g_str_has_prefix (path, proof_get_work_dir ()));
  return note (path + strlen (proof_get_work_dir ()) + 1, fate);
}

static void
set_fate (Note *self,
          Fate  fate)
{
  __atomic_store_n (&self->fate, fate, __ATOMIC_SEQ_CST);
}

/* A name in the directory for what is to last */
static char *
new_destination (void)
{
  int number = __atomic_fetch_add (&notes->next_name, 1, __ATOMIC_SEQ_CST);

  return g_strdup_printf ("%s/%d", proof_get_dest_dir (), number);
}

static char *
get_document (void)
{
  return g_build_filename (proof_get_dest_dir (), "document", NULL);
}

/* --- What a process does --- */

/* A signal to this process has its files removed at any moment: what fails then waits for the end. */
static gboolean may_fail;

static void
must (gboolean   success,
      GError   **error)
{
  if (!success && may_fail)
    for (;;)
      pause ();

  if (error != NULL)
    g_assert_no_error (*error);
  g_assert_true (success);
}

static TfNamedFile *
make_file (const char     *dir,
           TfDeletePolicy  policy)
{
  g_autoptr(GError) error = NULL;
  TfNamedFile *file = tf_named_file_new_full (NULL, NULL, dir, 0600, policy, NULL, &error);

  must (file != NULL, &error);
  must (tf_temp_file_write (TF_TEMP_FILE (file), NEW, strlen (NEW), NULL, &error), &error);
  return file;
}

static TfTempDir *
make_dir (void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *child = NULL;
  g_autofree char *grandchild = NULL;
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, proof_get_work_dir (), NULL, &error);

  must (dir != NULL, &error);
  child = g_build_filename (tf_temp_dir_get_path (dir), "child", NULL);
  grandchild = g_build_filename (child, "grandchild", NULL);
  must (mkdir (child, 0700) == 0, NULL);
  close (open (grandchild, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  return dir;
}

static void
close_file (TfNamedFile *file)
{
  g_autoptr(GError) error = NULL;

  must (g_io_stream_close (G_IO_STREAM (file), NULL, &error), &error);
}

static void
close_and_delete (void)
{
  g_autoptr(TfNamedFile) file = make_file (proof_get_work_dir (), TF_DELETE_ON_CLOSE);

  close_file (file);
}

static void
delete_on_dispose (void)
{
  g_autoptr(TfNamedFile) file = make_file (proof_get_work_dir (), TF_DELETE_ON_DISPOSE);

  close_file (file);
}

static void
unlink_file (void)
{
  g_autoptr(TfNamedFile) file = make_file (proof_get_work_dir (), TF_DELETE_ON_CLOSE);
  g_autoptr(GError) error = NULL;

  must (tf_named_file_unlink (file, NULL, &error), &error);
}

static void
clean_up (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autoptr(GError) error = NULL;

  must (tf_temp_dir_cleanup (dir, NULL, &error), &error);
}

static void
drop_dir (void)
{
  g_object_unref (make_dir ());
}

static void
hold_until_exit (void)
{
  g_autoptr(TfNamedFile) file = make_file (proof_get_work_dir (), TF_DELETE_ON_CLOSE);
  g_autoptr(TfTempDir) dir = make_dir ();

  tf_named_file_hold_until_exit (file);
  tf_temp_dir_hold_until_exit (dir);
}

/* The time is over at once. */
static void
hand_over (void)
{
  g_autoptr(TfNamedFile) file = make_file (proof_get_work_dir (), TF_DELETE_ON_CLOSE);
  g_autoptr(TfTempDir) dir = make_dir ();

  /* It would stay for ever. */
  if (proof_is_on_overlay ())
    return;

  tf_named_file_hand_over (file, 0);
  tf_temp_dir_hand_over (dir, 0);
  close_file (file);
}

/* The time is not over before the end of the test. */
static void
hand_over_for_long (void)
{
  g_autoptr(TfNamedFile) file = make_file (proof_get_work_dir (), TF_DELETE_ON_CLOSE);
  g_autoptr(TfTempDir) dir = make_dir ();
  Note *file_note = note_path (tf_named_file_get_path (file), MAY_BE_THERE);
  Note *dir_note = note_path (tf_temp_dir_get_path (dir), MAY_BE_THERE);

  notes->has_journals = TRUE;
  tf_named_file_hand_over (file, 1000000);
  set_fate (file_note, MUST_BE_THERE);
  tf_temp_dir_hand_over (dir, 1000000);
  set_fate (dir_note, MUST_BE_THERE);
}

static void
hand_over_and_keep (void)
{
  g_autoptr(TfNamedFile) file = make_file (proof_get_work_dir (), TF_DELETE_ON_CLOSE);
  Note *kept = note_path (tf_named_file_get_path (file), MAY_BE_THERE);
  g_autofree char *path = NULL;

  tf_named_file_hand_over (file, 0);
  path = tf_named_file_keep (file);
  set_fate (kept, MUST_BE_THERE);
}

static void
keep_file (void)
{
  g_autoptr(TfNamedFile) file = make_file (proof_get_work_dir (), TF_DELETE_ON_CLOSE);
  Note *kept = note_path (tf_named_file_get_path (file), MAY_BE_THERE);
  g_autofree char *path = tf_named_file_keep (file);

  set_fate (kept, MUST_BE_THERE);
  g_assert_cmpstr (path, ==, tf_named_file_get_path (file));
}

static void
keep_dir (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  Note *kept = note_path (tf_temp_dir_get_path (dir), MAY_BE_THERE);
  g_autofree char *path = tf_temp_dir_keep (dir);

  set_fate (kept, MUST_BE_THERE);
  g_assert_cmpstr (path, ==, tf_temp_dir_get_path (dir));
}

static void
never_delete_file (void)
{
  g_autoptr(TfNamedFile) file = NULL;

  __atomic_fetch_add (&notes->n_unnamed, 1, __ATOMIC_SEQ_CST);
  file = make_file (proof_get_work_dir (), TF_DELETE_NEVER);
  note_path (tf_named_file_get_path (file), MUST_BE_THERE);
  __atomic_fetch_sub (&notes->n_unnamed, 1, __ATOMIC_SEQ_CST);
}

static void
never_clean_up (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempDir) dir = NULL;

  __atomic_fetch_add (&notes->n_unnamed, 1, __ATOMIC_SEQ_CST);
  dir = g_initable_new (TF_TYPE_TEMP_DIR, NULL, &error, "dir", proof_get_work_dir (), "auto-cleanup", FALSE, NULL);
  must (dir != NULL, &error);
  note_path (tf_temp_dir_get_path (dir), MUST_BE_THERE);
  __atomic_fetch_sub (&notes->n_unnamed, 1, __ATOMIC_SEQ_CST);
}

static void
keep_by_policy (void)
{
  g_autoptr(TfNamedFile) file = make_file (proof_get_work_dir (), TF_DELETE_ON_CLOSE);
  Note *kept = note_path (tf_named_file_get_path (file), MAY_BE_THERE);

  tf_named_file_set_delete_policy (file, TF_DELETE_NEVER);
  set_fate (kept, MUST_BE_THERE);
}

static void
persist_new (TfTempFile     *file,
             TfPersistFlags  flags)
{
  g_autofree char *path = new_destination ();
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GError) error = NULL;
  Note *persisted = note_path (path, STAYS_IF_THERE);

  must (tf_temp_file_persist (file, destination, flags, NULL, NULL, NULL, NULL, &error), &error);
  set_fate (persisted, MUST_BE_THERE);
}

static void
persist_over (TfTempFile     *file,
              TfPersistFlags  flags)
{
  g_autofree char *path = get_document ();
  g_autoptr(GFile) destination = g_file_new_for_path (path);
  g_autoptr(GError) error = NULL;

  must (tf_temp_file_persist (file, destination, flags | TF_PERSIST_REPLACE, NULL, NULL, NULL, NULL, &error), &error);
  notes->is_replaced = TRUE;
}

static TfTempFile *
make_unnamed (void)
{
  g_autoptr(GError) error = NULL;
  TfTempFile *file = tf_temp_file_new (proof_get_work_dir (), NULL, &error);

  must (file != NULL, &error);
  must (tf_temp_file_write (file, NEW, strlen (NEW), NULL, &error), &error);
  return file;
}

static TfTempFile *
make_spooled (void)
{
  TfTempFile *file = TF_TEMP_FILE (tf_spooled_file_new (1 << 20));

  must (tf_temp_file_write (file, NEW, strlen (NEW), NULL, NULL), NULL);
  return file;
}

static void
persist_named_new (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (make_file (proof_get_work_dir (), TF_DELETE_ON_CLOSE));

  persist_new (file, TF_PERSIST_NONE);
}

static void
persist_named_over (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (make_file (proof_get_work_dir (), TF_DELETE_ON_CLOSE));

  persist_over (file, TF_PERSIST_NONE);
}

static void
persist_named_durably (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (make_file (proof_get_work_dir (), TF_DELETE_ON_CLOSE));

  persist_over (file, TF_PERSIST_DURABLE);
}

static void
persist_unnamed_new (void)
{
  g_autoptr(TfTempFile) file = make_unnamed ();

  persist_new (file, TF_PERSIST_NONE);
}

static void
persist_unnamed_over (void)
{
  g_autoptr(TfTempFile) file = make_unnamed ();

  persist_over (file, TF_PERSIST_NONE);
}

static void
persist_spooled_new (void)
{
  g_autoptr(TfTempFile) file = make_spooled ();

  persist_new (file, TF_PERSIST_NONE);
}

static void
persist_spooled_over (void)
{
  g_autoptr(TfTempFile) file = make_spooled ();

  persist_over (file, TF_PERSIST_NONE);
}

static void
persist_across_new (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (make_file (proof_get_other_dir (), TF_DELETE_ON_CLOSE));

  persist_new (file, TF_PERSIST_NONE);
}

static void
persist_across_over (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (make_file (proof_get_other_dir (), TF_DELETE_ON_CLOSE));

  persist_over (file, TF_PERSIST_NONE);
}

static void
move_file (void)
{
  g_autoptr(TfNamedFile) file = make_file (proof_get_work_dir (), TF_DELETE_ON_CLOSE);
  g_autofree char *path = new_destination ();
  Note *moved = note_path (path, STAYS_IF_THERE);

  must (rename (tf_named_file_get_path (file), path) == 0, NULL);
  set_fate (moved, MUST_BE_THERE);
  close_file (file);
}

static void
move_dir (void)
{
  g_autoptr(TfTempDir) dir = make_dir ();
  g_autofree char *path = new_destination ();
  Note *moved = note_path (path, STAYS_IF_THERE);

  must (rename (tf_temp_dir_get_path (dir), path) == 0, NULL);
  set_fate (moved, MUST_BE_THERE);
}

static void
link_file (void)
{
  g_autoptr(TfNamedFile) file = make_file (proof_get_work_dir (), TF_DELETE_ON_CLOSE);
  g_autofree char *path = new_destination ();
  Note *linked = note_path (path, STAYS_IF_THERE);

  must (link (tf_named_file_get_path (file), path) == 0, NULL);
  set_fate (linked, MUST_BE_THERE);
  close_file (file);
}

static void
sweep (void)
{
  g_autoptr(GError) error = NULL;

  must (tf_sweep (NULL, NULL, 0, NULL, NULL, &error), &error);
}

typedef struct
{
  const char *name;
  void (*func) (void);
  gboolean is_whole; /* with the start and the end of the process */
} Act;

static const Act acts[] = {
  { "close", close_and_delete, TRUE },
  { "dispose", delete_on_dispose },
  { "unlink", unlink_file },
  { "cleanup", clean_up },
  { "drop", drop_dir },
  { "hold-until-exit", hold_until_exit, TRUE },
  { "hand-over", hand_over, TRUE },
  { "hand-over-and-keep", hand_over_and_keep },
  { "keep-file", keep_file },
  { "keep-dir", keep_dir },
  { "never-delete", never_delete_file },
  { "never-clean-up", never_clean_up },
  { "keep-by-policy", keep_by_policy },
  { "persist-named-new", persist_named_new },
  { "persist-named-over", persist_named_over },
  { "persist-named-durably", persist_named_durably },
  { "persist-unnamed-new", persist_unnamed_new },
  { "persist-unnamed-over", persist_unnamed_over },
  { "persist-spooled-new", persist_spooled_new },
  { "persist-spooled-over", persist_spooled_over },
  { "persist-across-new", persist_across_new },
  { "persist-across-over", persist_across_over },
  { "move-file", move_file },
  { "move-dir", move_dir },
  { "link-file", link_file },
  { "sweep", sweep, TRUE },
};

/* Its journals stay. */
static const Act long_act = { "hand-over-for-long", hand_over_for_long };

static void
do_act (gpointer data)
{
  const Act *act = data;

  if (!act->is_whole)
    close_and_delete ();
  __atomic_store_n (&notes->has_begun, TRUE, __ATOMIC_SEQ_CST);
  act->func ();
  __atomic_store_n (&notes->has_ended, !act->is_whole, __ATOMIC_SEQ_CST);
}

static gboolean
has_begun (void)
{
  return __atomic_load_n (&notes->has_begun, __ATOMIC_SEQ_CST);
}

/* What comes then is the same for all. */
static gboolean
has_ended (void)
{
  return __atomic_load_n (&notes->has_ended, __ATOMIC_SEQ_CST);
}

/* Before the first system call, the process has not said that it begins. */
static pid_t
trace_act (const Act *act,
           ProofFunc  func,
           guint      n_stops,
           int       *status)
{
  return proof_trace (func, (gpointer) act, act->is_whole ? NULL : has_begun, n_stops, status);
}

/* --- What is there afterwards --- */

static void
begin_notes (void)
{
  g_autofree char *document = get_document ();

  /* Who is killed while it takes a note leaves what was there. */
  memset (notes->notes, 0, sizeof notes->notes);
  notes->n_notes = 0;
  notes->n_unnamed = 0;
  notes->is_replaced = FALSE;
  notes->has_journals = FALSE;
  notes->has_begun = FALSE;
  notes->has_ended = FALSE;
  g_assert_true (g_file_set_contents (document, OLD, -1, NULL));
}

static gboolean
is_there (const char *name)
{
  g_autofree char *path = g_build_filename (proof_get_work_dir (), name, NULL);
  struct stat st;

  return lstat (path, &st) == 0;
}

static void
look_before_sweep (void)
{
  for (int i = 0; i < notes->n_notes; i++)
    notes->notes[i].was_there = is_there (notes->notes[i].name);
}

static void
add_problem (GString    *problems,
             const char *what,
             const char *name)
{
  g_string_append_printf (problems, " %s %s;", what, name);
}

static gboolean
is_noted (const char *name)
{
  for (int i = 0; i < notes->n_notes; i++)
    if (strcmp (notes->notes[i].name, name) == 0)
      return TRUE;

  return FALSE;
}

/* Each name that is there must have been noted. */
static int
find_left (const char *dir,
           const char *prefix,
           GString    *problems)
{
  g_autoptr(GDir) names = g_dir_open (dir, 0, NULL);
  const char *name;
  int n = 0;

  while ((name = g_dir_read_name (names)) != NULL)
    {
      g_autofree char *relative = g_strconcat (prefix, name, NULL);

      if (strcmp (relative, "dest") == 0 || strcmp (relative, "dest/document") == 0 || is_noted (relative))
        continue;

      n++;
      add_problem (problems, "left", relative);
    }

  return n;
}

static void
find_lost (GString *problems)
{
  for (int i = 0; i < notes->n_notes; i++)
    {
      const Note *self = &notes->notes[i];

      if ((self->fate == MUST_BE_THERE || (self->fate == STAYS_IF_THERE && self->was_there)) && !is_there (self->name))
        add_problem (problems, "lost", self->name);
    }
}

static void
check_document (GString *problems)
{
  g_autofree char *path = get_document ();
  g_autofree char *content = NULL;

  if (!g_file_get_contents (path, &content, NULL, NULL))
    add_problem (problems, "lost", "document");
  else if (strcmp (content, NEW) != 0 && (notes->is_replaced || strcmp (content, OLD) != 0))
    add_problem (problems, "a document that says", content);
}

/* Returns the problems, or NULL. */
static char *
check_after_sweep (void)
{
  GString *problems = g_string_new (NULL);
  g_autoptr(GString) left = g_string_new (NULL);
  int n_left = find_left (proof_get_work_dir (), "", left) +
               find_left (proof_get_dest_dir (), "dest/", left) +
               find_left (proof_get_other_dir (), "other/", left);

  if (n_left > notes->n_unnamed)
    g_string_append (problems, left->str);
  find_lost (problems);
  check_document (problems);
  if (!notes->has_journals && proof_count_files (proof_get_run_dir ()) > 0)
    g_string_append_printf (problems, " %u journals of the dead", proof_count_files (proof_get_run_dir ()));

  return g_string_free (problems, problems->len == 0);
}

static void
begin_again (void)
{
  if (notes->has_journals)
    proof_empty (proof_get_run_dir ());
  proof_empty (proof_get_other_dir ());
  proof_empty (proof_get_work_dir ());
  g_assert_cmpint (mkdir (proof_get_dest_dir (), 0700), ==, 0);
  begin_notes ();
}

typedef struct
{
  guint n_kills;
  guint n_problems;
} Result;

/* Sweeps in another process, and says what is not as it must be. */
static void
judge (Result     *result,
       const char *what,
       guint       where)
{
  g_autofree char *problems = NULL;

  look_before_sweep ();
  proof_sweep ();
  problems = check_after_sweep ();
  result->n_kills++;
  if (problems == NULL)
    return;

  result->n_problems++;
  if (result->n_problems <= 3)
    g_test_message ("%s, killed at %u:%s", what, where, problems);
}

static void
conclude (const Result *result,
          const char   *what)
{
  if (result->n_problems > 0)
    g_test_fail_printf ("%s: %u of %u kills", what, result->n_problems, result->n_kills);
  else
    g_test_message ("%s: %u kills", what, result->n_kills);
}

/* --- At each system call --- */

static void
make_several (gpointer data)
{
  for (int i = 0; i < 3; i++)
    {
      make_file (proof_get_work_dir (), TF_DELETE_ON_DISPOSE);
      make_dir ();
    }
}

static void
prepare (const Act *act)
{
  begin_again ();
  if (act->func == sweep)
    proof_and_kill (make_several, NULL);
}

static void
kill_at_each_call (const Act *act,
                   Result    *result)
{
  /* An odd number: every second stop is the return of a system call. */
  guint stride = proof_get_number ("TF_PROOF_STRIDE", 13);
  int status;

  prepare (act);
  for (guint n = 0; !has_ended (); n += stride)
    {
      pid_t pid;

      prepare (act);
      pid = trace_act (act, do_act, n, &status);
      if (pid == 0)
        break;

      proof_kill (pid);
      judge (result, act->name, n);
    }

  prepare (act);
  proof_in_process (do_act, (gpointer) act);
  judge (result, act->name, G_MAXUINT);
}

static void
test_each_call (void)
{
  if (!proof_can_trace ())
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (acts); i++)
    {
      Result result = { 0 };

      kill_at_each_call (&acts[i], &result);
      conclude (&result, acts[i].name);
    }
}

static void
test_each_call_in_grace (void)
{
  Result result = { 0 };

  if (!proof_can_trace ())
    return;

  kill_at_each_call (&long_act, &result);
  conclude (&result, long_act.name);
  proof_empty (proof_get_run_dir ());
}

/* --- By a signal that can be handled --- */

static void
do_act_with_handlers (gpointer data)
{
  g_autoptr(GError) error = NULL;

  may_fail = TRUE;
  g_assert_true (tf_cleanup_on_signals (&error));
  g_assert_no_error (error);
  do_act (data);
}

static gboolean
is_left (void)
{
  g_autoptr(GString) left = g_string_new (NULL);

  return find_left (proof_get_work_dir (), "", left) + find_left (proof_get_dest_dir (), "dest/", left) >
         notes->n_unnamed;
}

/* Returns FALSE if @act had ended before its stop number @n. */
static gboolean
signal_at (const Act *act,
           guint      n,
           Result    *result,
           guint     *n_before_sweep)
{
  gboolean ended;
  int status;
  pid_t pid;

  prepare (act);
  pid = trace_act (act, do_act_with_handlers, n, &status);
  if (pid == 0)
    return FALSE;

  ended = has_ended ();
  status = proof_let_go (pid, SIGTERM);
  g_assert_true (WIFSIGNALED (status) ? WTERMSIG (status) == SIGTERM : WEXITSTATUS (status) == 0);
  if (act->func != sweep && is_left ())
    (*n_before_sweep)++;
  judge (result, act->name, n);
  return !ended;
}

static void
signal_at_each_call (const Act *act,
                     Result    *result,
                     guint     *n_before_sweep)
{
  guint stride = proof_get_number ("TF_PROOF_STRIDE", 29);

  for (guint n = 0; signal_at (act, n, result, n_before_sweep);)
    n += stride;
}

static void
test_each_call_by_signal (void)
{
  if (!proof_can_trace ())
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (acts); i++)
    {
      Result result = { 0 };
      guint n_before_sweep = 0;

      signal_at_each_call (&acts[i], &result, &n_before_sweep);
      conclude (&result, acts[i].name);
      if (n_before_sweep > 0)
        g_test_message ("%s: in %u cases it was the sweep that removed", acts[i].name, n_before_sweep);
    }
}

/* --- At random instructions --- */

static guint
count_stops (const Act *act)
{
  guint n = 0;
  int status;

  prepare (act);
  while (!has_ended ())
    {
      pid_t pid;

      prepare (act);
      pid = trace_act (act, do_act, n, &status);
      if (pid == 0)
        break;

      proof_kill (pid);
      proof_sweep ();
      n += 8;
    }

  return n;
}

static void
kill_at_instruction (const Act *act,
                     guint      n_stops,
                     Result    *result)
{
  guint stop = g_test_rand_int_range (0, MAX (n_stops, 1));
  guint n_instructions = g_test_rand_int_range (0, 600);
  int status;
  pid_t pid;

  prepare (act);
  pid = trace_act (act, do_act, stop, &status);
  if (pid != 0 && proof_step (pid, n_instructions))
    proof_kill (pid);
  judge (result, act->name, stop * 10000 + n_instructions);
}

static void
test_instructions (void)
{
  guint n_stops[G_N_ELEMENTS (acts)];
  guint n_kills = proof_get_number ("TF_PROOF_KILLS", 60);
  Result result = { 0 };

  if (!proof_can_trace ())
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (acts); i++)
    n_stops[i] = count_stops (&acts[i]);

  for (guint i = 0; i < n_kills; i++)
    {
      gsize act = g_test_rand_int_range (0, G_N_ELEMENTS (acts));

      kill_at_instruction (&acts[act], n_stops[act], &result);
    }

  conclude (&result, "random instructions");
}

/* --- By timers, several at once --- */

/* The kernel kills this process, wherever it is then. */
static void
die_in (guint microseconds)
{
  struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
  const struct itimerspec when = { .it_value.tv_nsec = microseconds * 1000 };
  timer_t timer;

  g_assert_cmpint (timer_create (CLOCK_MONOTONIC, &event, &timer), ==, 0);
  g_assert_cmpint (timer_settime (timer, 0, &when, NULL), ==, 0);
}

static void
act_until_killed (gpointer data)
{
  guint first = GPOINTER_TO_UINT (data) / 10000;

  die_in (500 + GPOINTER_TO_UINT (data) % 10000);
  /* One thing that stays with a process, and more than one segment of whatever notes are taken. */
  make_dir ();
  for (guint i = first;; i++)
    {
      if (i % 40 == 39)
        for (guint k = 0; k < 80; k++)
          make_file (proof_get_work_dir (), TF_DELETE_ON_DISPOSE);
      acts[i % G_N_ELEMENTS (acts)].func ();
    }
}

static gpointer
act_in_thread (gpointer data)
{
  for (guint i = GPOINTER_TO_UINT (data);; i++)
    acts[i % G_N_ELEMENTS (acts)].func ();

  return NULL;
}

static void
act_in_threads (gpointer data)
{
  die_in (500 + GPOINTER_TO_UINT (data) % 10000);
  for (guint i = 0; i < 4; i++)
    g_thread_unref (g_thread_new (NULL, act_in_thread, GUINT_TO_POINTER (GPOINTER_TO_UINT (data) / 10000 + i * 7)));
  for (;;)
    pause ();
}

static void
sweep_until_killed (gpointer data)
{
  die_in (500 + GPOINTER_TO_UINT (data) % 10000);
  for (;;)
    sweep ();
}

static gpointer
draw (void)
{
  return GINT_TO_POINTER (g_test_rand_int_range (0, G_N_ELEMENTS (acts) * 10000));
}

static void
assert_killed (pid_t pid)
{
  int status = proof_wait (pid);

  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

/* Makes @n_processes, the last of which sweep. Each process that acts is killed once. */
static void
let_act (guint n)
{
  g_autofree pid_t *pids = g_new (pid_t, n);

  for (guint i = 0; i < n; i++)
    pids[i] = proof_fork (i % 3 == 0 ? act_until_killed : i % 3 == 1 ? act_in_threads : sweep_until_killed, draw ());
  for (guint i = 0; i < n; i++)
    assert_killed (pids[i]);
}

/* The process that is number 1 of a namespace cannot be killed by its own timer: it waits for those that can. */
static void
act_in_namespace (gpointer data)
{
  let_act (2);
}

static void
enter_namespace (gpointer data)
{
  int status;

  g_assert_true (proof_enter_namespace (CLONE_NEWPID));
  status = proof_wait (proof_fork (act_in_namespace, data));
  g_assert_cmpint (status, ==, 0);
}

static void
test_timers (void)
{
  guint n_kills = proof_get_number ("TF_PROOF_KILLS", 60);
  Result result = { 0 };

  for (guint i = 0; i < n_kills; i += 3)
    {
      begin_again ();
      notes->n_unnamed = 0;
      let_act (3);
      judge (&result, "timers", i);
    }

  conclude (&result, "timers");
}

static gboolean
skip_on_overlay (void)
{
  if (proof_is_on_overlay ())
    g_test_skip ("on an overlay, a sweep leaves what is of another PID namespace");

  return proof_is_on_overlay ();
}

static void
test_namespaces (void)
{
  guint n_kills = proof_get_number ("TF_PROOF_KILLS", 60);
  Result result = { 0 };

  if (!proof_needs_namespace (CLONE_NEWPID) || skip_on_overlay ())
    return;

  for (guint i = 0; i < n_kills; i += 4)
    {
      pid_t pids[2];

      begin_again ();
      for (guint k = 0; k < G_N_ELEMENTS (pids); k++)
        pids[k] = proof_fork (enter_namespace, draw ());
      for (guint k = 0; k < G_N_ELEMENTS (pids); k++)
        g_assert_cmpint (proof_wait (pids[k]), ==, 0);
      judge (&result, "namespaces", i);
    }

  conclude (&result, "namespaces");
}

/* --- Those who live --- */

static TfNamedFile *living_file;
static TfNamedFile *living_closed_file;
static TfTempDir *living_dir;
static char *living_place;

static void
begin_to_live (gpointer data)
{
  g_autofree char *child = NULL;

  living_file = tf_named_file_new (NULL, NULL, living_place, NULL, NULL);
  living_closed_file = make_file (living_place, TF_DELETE_ON_DISPOSE);
  close_file (living_closed_file);
  living_dir = tf_temp_dir_new (NULL, NULL, living_place, NULL, NULL);
  child = g_build_filename (tf_temp_dir_get_path (living_dir), "child", NULL);
  g_assert_true (g_file_set_contents (child, "x", 1, NULL));
}

static void
check_living (gpointer data)
{
  g_autofree char *child = g_build_filename (tf_temp_dir_get_path (living_dir), "child", NULL);

  g_assert_true (g_file_test (tf_named_file_get_path (living_file), G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (tf_named_file_get_path (living_closed_file), G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (child, G_FILE_TEST_EXISTS));
}

static void
begin_to_live_in_namespace (gpointer data)
{
  pid_t pid;

  g_assert_true (proof_enter_namespace (CLONE_NEWPID));
  fflush (NULL);
  pid = fork ();
  if (pid != 0)
    _exit (proof_wait (pid) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);

  begin_to_live (data);
}

static void
sweep_beside_living (ProofFunc begin)
{
  ProofLiving living;

  living_place = tf_test_path ("living");
  g_assert_cmpint (mkdir (living_place, 0700), ==, 0);
  g_assert_true (proof_living_start (&living, begin, check_living, NULL));
  begin_again ();
  for (guint i = 0; i < 10; i++)
    {
      let_act (3);
      proof_sweep ();
    }

  proof_living_end (&living);
  g_assert_cmpuint (proof_count_files (living_place), ==, 0);
  proof_empty (living_place);
  g_assert_cmpint (rmdir (living_place), ==, 0);
  g_clear_pointer (&living_place, g_free);
}

static void
test_living (void)
{
  sweep_beside_living (begin_to_live);
}

static void
test_living_in_namespace (void)
{
  if (proof_needs_namespace (CLONE_NEWPID) && !skip_on_overlay ())
    sweep_beside_living (begin_to_live_in_namespace);
}

int
main (int    argc,
      char **argv)
{
  proof_init (&argc, &argv);
  notes = proof_share (sizeof *notes);

  proof_add ("/killed/at-each-call", test_each_call);
  proof_add ("/killed/at-each-call-in-grace", test_each_call_in_grace);
  proof_add ("/killed/at-each-call-by-signal", test_each_call_by_signal);
  proof_add ("/killed/at-instructions", test_instructions);
  proof_add ("/killed/by-timers", test_timers);
  proof_add ("/killed/in-namespaces", test_namespaces);
  proof_add ("/killed/beside-living", test_living);
  proof_add ("/killed/beside-living-in-namespace", test_living_in_namespace);

  return tf_test_run ();
}
