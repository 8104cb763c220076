/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "proof.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tf-test.h"

/* Another user takes away, swaps, links and plants names while a victim creates, persists, removes and sweeps: in a
 * sticky directory of root's, and as the owner of the directory and of the one above it.
 *
 * What the attacker wants is that the victim opens, changes or removes something of its own: files and directories
 * outside, and directories as prey that lie where the attacker can move them. Files that lie there are no prey: whoever
 * owns a directory can remove them without the victim.
 *
 * The victim is stopped at a system call, the attacker strikes, and the victim goes on. In a second kind of test both
 * run at once. */

#define ATTACKER 65534
#define VICTIM 1
#define CONTENT "precious"

typedef struct
{
  const char *name;
  uid_t victim;
  gboolean sticky; /* and root's, not the attacker's */
  gboolean is_for_thorough;
} Ground;

static const Ground grounds[] = {
  { "hostile-parent", 0, FALSE },
  { "hostile-parent-unprivileged", VICTIM, FALSE, TRUE },
  { "sticky", 0, TRUE, TRUE },
  { "sticky-unprivileged", VICTIM, TRUE },
};

/* What may not be changed: wherever it is moved, the descriptor leads there. */
typedef struct
{
  const char *path; /* relative to the work directory */
  gboolean is_dir;  /* with a child */
  mode_t mode;
  gboolean is_prey;
  int fd;
  struct stat st;
} Treasure;

static Treasure treasures[] = {
  { "outside/file", FALSE, 0666 },
  { "outside/dir", TRUE, 0700 },
  { "outside/open-dir", TRUE, 0777 },
  { "ground/parent/prey-dir", TRUE, 0700, TRUE },
  { "ground/parent/prey-open-dir", TRUE, 0777, TRUE },
  { "ground/trap/trapped-open-dir", TRUE, 0777, TRUE },
};

static const Ground *ground;
static char *parent;
static int ground_fd;
static int parent_fd;
static int watch_fd;

/* --- The ground --- */

static void
make_dir (const char *name,
          mode_t      mode,
          uid_t       owner)
{
  g_autofree char *path = g_build_filename (proof_get_work_dir (), name, NULL);

  g_assert_cmpint (mkdir (path, 0700), ==, 0);
  g_assert_cmpint (chown (path, owner, owner), ==, 0);
  g_assert_cmpint (chmod (path, mode), ==, 0);
}

static void
make_file (const char *name,
           mode_t      mode,
           uid_t       owner)
{
  g_autofree char *path = g_build_filename (proof_get_work_dir (), name, NULL);

  g_assert_true (g_file_set_contents_full (path, CONTENT, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  g_assert_cmpint (chown (path, owner, owner), ==, 0);
  g_assert_cmpint (chmod (path, mode), ==, 0);
}

static int
open_path (const char *name)
{
  g_autofree char *path = g_build_filename (proof_get_work_dir (), name, NULL);
  int fd = open (path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static void
make_treasure (Treasure *self)
{
  if (self->is_dir)
    {
      g_autofree char *child = g_build_filename (self->path, "child", NULL);

      make_dir (self->path, self->mode, ground->victim);
      make_file (child, 0600, ground->victim);
    }
  else
    make_file (self->path, self->mode, ground->victim);

  self->fd = open_path (self->path);
  g_assert_cmpint (fstat (self->fd, &self->st), ==, 0);
}

/* Tells of what is opened or changed outside. What is created there, the victim itself creates by a path. */
static void
watch_outside (void)
{
  const guint32 mask = IN_OPEN | IN_MODIFY | IN_ATTRIB | IN_DELETE | IN_MOVE;

  watch_fd = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
  g_assert_cmpint (watch_fd, >=, 0);
  for (guint i = 0; i < G_N_ELEMENTS (treasures); i++)
    {
      g_autofree char *path = g_build_filename (proof_get_work_dir (), treasures[i].path, NULL);

      if (!treasures[i].is_prey && treasures[i].is_dir)
        g_assert_cmpint (inotify_add_watch (watch_fd, path, mask), >=, 0);
    }
}

static void
prepare_ground (void)
{
  proof_empty (proof_get_work_dir ());
  g_assert_cmpint (chmod (proof_get_work_dir (), 0755), ==, 0);
  g_assert_cmpint (chown (proof_get_run_dir (), ground->victim, ground->victim), ==, 0);

  make_dir ("outside", 0755, 0);
  make_dir ("ground", 0777, ATTACKER);
  make_dir ("ground/parent", ground->sticky ? 01777 : 0777, ground->sticky ? 0 : ATTACKER);
  make_dir ("ground/trap", 0777, ATTACKER);
  if (ground->sticky)
    {
      g_autofree char *path = g_build_filename (proof_get_work_dir (), "ground", NULL);

      g_assert_cmpint (chown (path, 0, 0), ==, 0);
      g_assert_cmpint (chmod (path, 0755), ==, 0);
    }

  for (guint i = 0; i < G_N_ELEMENTS (treasures); i++)
    make_treasure (&treasures[i]);
  make_file ("ground/parent/old", 0600, ground->victim);
  ground_fd = open_path ("ground");
  parent_fd = open_path ("ground/parent");
  watch_outside ();
}

static gboolean
is_intact (const Treasure *self)
{
  struct stat st;

  return fstat (self->fd, &st) == 0 && st.st_nlink > 0 && st.st_mode == self->st.st_mode &&
         st.st_uid == self->st.st_uid && (self->is_dir || st.st_size == self->st.st_size) &&
         (!self->is_dir || fstatat (self->fd, "child", &st, AT_SYMLINK_NOFOLLOW) == 0);
}

/* Looks at all that may not have been changed, and clears the ground. Returns what was, or NULL. */
static char *
leave_ground (void)
{
  GString *problems = g_string_new (NULL);
  char events[4096] __attribute__ ((aligned (8)));
  gssize n = read (watch_fd, events, sizeof events);

  if (n > 0)
    {
      const struct inotify_event *event = (const struct inotify_event *) events;

      g_string_append_printf (problems, " outside was touched (%x);", event->mask);
    }

  for (guint i = 0; i < G_N_ELEMENTS (treasures); i++)
    {
      if (!is_intact (&treasures[i]))
        g_string_append_printf (problems, " %s;", treasures[i].path);
      close (treasures[i].fd);
    }

  close (watch_fd);
  close (parent_fd);
  close (ground_fd);
  /* What was noted of a directory that is gone stays, in case that it comes back. */
  proof_empty (proof_get_run_dir ());
  return g_string_free (problems, problems->len == 0);
}

/* --- The attacker --- */

/* The name of the victim's that is there, or was there last */
static char victims_name[256];

static gboolean
is_of_victim (const char *name)
{
  return g_str_has_prefix (name, "tmp") || g_str_has_prefix (name, ".tmp");
}

static void
find_name (void)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", parent_fd);
  g_autoptr(GDir) names = g_dir_open (path, 0, NULL);
  const char *name;

  while (names != NULL && (name = g_dir_read_name (names)) != NULL)
    if (is_of_victim (name))
      g_strlcpy (victims_name, name, sizeof victims_name);
}

static gboolean
has_name (void)
{
  find_name ();
  return victims_name[0] != '\0';
}

static char *
outside (const char *name)
{
  return g_build_filename (proof_get_work_dir (), "outside", name, NULL);
}

static void
take_away (void)
{
  renameat (parent_fd, victims_name, parent_fd, "away");
}

static void
link_to_file (void)
{
  g_autofree char *target = outside ("file");

  take_away ();
  symlinkat (target, parent_fd, victims_name);
}

static void
link_to_dir (void)
{
  g_autofree char *target = outside ("dir");

  take_away ();
  symlinkat (target, parent_fd, victims_name);
}

static void
hard_link (void)
{
  g_autofree char *target = outside ("file");

  take_away ();
  linkat (AT_FDCWD, target, parent_fd, victims_name, 0);
}

static void
swap_dir (void)
{
  take_away ();
  renameat (parent_fd, "prey-dir", parent_fd, victims_name);
}

static void
exchange_dir (void)
{
  renameat2 (parent_fd, "prey-dir", parent_fd, victims_name, RENAME_EXCHANGE);
}

static void
plant_open_dir (void)
{
  take_away ();
  renameat (ground_fd, "trap/trapped-open-dir", parent_fd, victims_name);
}

static void
plant_own_dir (void)
{
  g_autofree char *target = outside ("open-dir");
  g_autofree char *child = g_build_filename (victims_name, "child", NULL);

  take_away ();
  mkdirat (parent_fd, victims_name, 0777);
  symlinkat (target, parent_fd, child);
}

static void
plant_fifo (void)
{
  take_away ();
  mkfifoat (parent_fd, victims_name, 0666);
}

/* Where the parent was, there is a link to the outside. */
static void
link_parent (void)
{
  g_autofree char *target = outside ("");

  renameat (ground_fd, "parent", ground_fd, "former-parent");
  symlinkat (target, ground_fd, "parent");
}

/* Where the parent was, there is another, and in it something of the victim's has the name. */
static void
swap_parent (void)
{
  g_autofree char *path = g_build_filename ("parent", victims_name, NULL);

  renameat (ground_fd, "parent", ground_fd, "former-parent");
  mkdirat (ground_fd, "parent", 0777);
  renameat (ground_fd, "trap/trapped-open-dir", ground_fd, path);
}

typedef struct
{
  const char *name;
  void (*func) (void);
} Attack;

static const Attack attacks[] = {
  { "link-to-file", link_to_file },
  { "link-to-dir", link_to_dir },
  { "hard-link", hard_link },
  { "swap-dir", swap_dir },
  { "exchange-dir", exchange_dir },
  { "plant-open-dir", plant_open_dir },
  { "plant-own-dir", plant_own_dir },
  { "plant-fifo", plant_fifo },
  { "link-parent", link_parent },
  { "swap-parent", swap_parent },
};

static void
attack (const Attack *self)
{
  if (!has_name ())
    return;

  g_assert_cmpint (setegid (ATTACKER), ==, 0);
  g_assert_cmpint (seteuid (ATTACKER), ==, 0);
  self->func ();
  g_assert_cmpint (seteuid (0), ==, 0);
  g_assert_cmpint (setegid (0), ==, 0);
}

/* --- The victim --- */

/* What fails is not reported: the attacker can have everything fail. */

static void
say_nothing (const char     *domain,
             GLogLevelFlags  level,
             const char     *message,
             gpointer        data)
{
}

static void
become_victim (void)
{
  g_log_set_default_handler (say_nothing, NULL);
  g_assert_cmpint (setgroups (0, NULL), ==, 0);
  g_assert_cmpint (setresgid (ground->victim, ground->victim, ground->victim), ==, 0);
  g_assert_cmpint (setresuid (ground->victim, ground->victim, ground->victim), ==, 0);
  /* Also after the change of user, /proc/self is its own. */
  g_assert_cmpint (prctl (PR_SET_DUMPABLE, 1), ==, 0);
}

static TfNamedFile *
create_file (void)
{
  TfNamedFile *file = tf_named_file_new (NULL, NULL, parent, NULL, NULL);

  if (file != NULL)
    tf_temp_file_write (TF_TEMP_FILE (file), "x", 1, NULL, NULL);

  return file;
}

static TfTempDir *
create_dir (void)
{
  TfTempDir *dir = tf_temp_dir_new (NULL, NULL, parent, NULL, NULL);
  g_autofree char *child = NULL;

  if (dir == NULL)
    return NULL;

  child = g_build_filename (tf_temp_dir_get_path (dir), "own", NULL);
  mknod (child, S_IFREG | 0600, 0);
  return dir;
}

static void
close_file (void)
{
  g_autoptr(TfNamedFile) file = create_file ();

  if (file != NULL)
    g_io_stream_close (G_IO_STREAM (file), NULL, NULL);
}

static void
clean_up (void)
{
  g_autoptr(TfTempDir) dir = create_dir ();

  if (dir != NULL)
    tf_temp_dir_cleanup (dir, NULL, NULL);
}

static void
remove_and_clean_up (void)
{
  g_autoptr(TfTempDir) dir = tf_temp_dir_new (NULL, NULL, parent, NULL, NULL);

  if (dir != NULL)
    {
      rmdir (tf_temp_dir_get_path (dir));
      tf_temp_dir_cleanup (dir, NULL, NULL);
    }
}

static void
leave_until_exit (void)
{
  g_autoptr(TfNamedFile) file = create_file ();
  g_autoptr(TfTempDir) dir = create_dir ();

  if (file != NULL)
    tf_named_file_hold_until_exit (file);
  if (dir != NULL)
    tf_temp_dir_hold_until_exit (dir);
}

static void
persist (TfTempFile     *file,
         TfPersistFlags  flags)
{
  g_autofree char *path = g_build_filename (parent, flags & TF_PERSIST_REPLACE ? "old" : "new", NULL);
  g_autoptr(GFile) destination = g_file_new_for_path (path);

  if (file != NULL)
    tf_temp_file_persist (file, destination, flags, NULL, NULL, NULL, NULL, NULL);
}

static void
persist_new (void)
{
  g_autoptr(TfTempFile) file = (TfTempFile *) create_file ();

  persist (file, TF_PERSIST_NONE);
}

static void
persist_over (void)
{
  g_autoptr(TfTempFile) file = tf_temp_file_new (parent, NULL, NULL);

  persist (file, TF_PERSIST_REPLACE);
}

static void
sweep (void)
{
  tf_sweep (NULL, NULL, 0, NULL, NULL, NULL);
  tf_sweep (NULL, parent, 0, NULL, NULL, NULL);
}

typedef struct
{
  const char *name;
  void (*func) (void);
} Act;

static const Act acts[] = {
  { "close", close_file },
  { "cleanup", clean_up },
  { "remove-and-cleanup", remove_and_clean_up },
  { "exit", leave_until_exit },
  { "persist-new", persist_new },
  { "persist-over", persist_over },
  { "sweep", sweep },
};

static void
do_act (gpointer data)
{
  become_victim ();
  ((const Act *) data)->func ();
}

static void
leave_both (gpointer data)
{
  become_victim ();
  g_assert_nonnull (create_file ());
  g_assert_nonnull (create_dir ());
}

/* --- Stopped, attacked, and let go --- */

typedef struct
{
  guint n;
  guint n_problems;
} Result;

static void
judge (Result       *result,
       const Act    *act,
       const Attack *with,
       guint         where)
{
  g_autofree char *problems = leave_ground ();

  result->n++;
  if (problems == NULL)
    return;

  result->n_problems++;
  if (result->n_problems <= 20)
    g_test_message ("%s: %s by %s at %u:%s", ground->name, act->name, with->name, where, problems);
}

static void
prepare_act (const Act *act)
{
  prepare_ground ();
  victims_name[0] = '\0';
  if (act->func == sweep)
    proof_and_kill (leave_both, NULL);
}

static gboolean
attack_at (const Act    *act,
           const Attack *with,
           guint         stop,
           Result       *result)
{
  int status;
  pid_t pid;

  prepare_act (act);
  pid = proof_trace (do_act, (gpointer) act, has_name, stop, &status);
  if (pid != 0)
    {
      attack (with);
      status = proof_let_go (pid, 0);
    }

  g_assert_cmpint (status, ==, 0);
  judge (result, act, with, stop);
  return pid != 0;
}

static void
attack_each_call (const Ground *where)
{
  guint stride = proof_get_number ("TF_PROOF_STRIDE", 293);
  Result result = { 0 };

  ground = where;
  for (guint i = 0; i < G_N_ELEMENTS (acts); i++)
    for (guint k = 0; k < G_N_ELEMENTS (attacks); k++)
      /* The first is right after the creation. */
      for (guint stop = 0; attack_at (&acts[i], &attacks[k], stop, &result);)
        stop += stop == 0 ? (i * G_N_ELEMENTS (attacks) + k) % stride + 1 : stride;

  if (result.n_problems > 0)
    g_test_fail_printf ("%s: %u of %u attacks", where->name, result.n_problems, result.n);
  else
    g_test_message ("%s: %u attacks", where->name, result.n);
}

static void
test_each_call (gconstpointer where)
{
  const Ground *self = where;

  if (self->is_for_thorough && g_getenv ("TF_PROOF_STRIDE") == NULL)
    g_test_skip ("TF_PROOF_STRIDE is not set");
  else if (proof_needs_root () && proof_can_trace ())
    attack_each_call (self);
}

/* --- Both at once --- */

/* Puts the prey where it can be used again, whatever its name is now. */
static void
gather_prey (void)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", parent_fd);
  g_autoptr(GDir) names = g_dir_open (path, 0, NULL);
  const char *name;

  renameat (ground_fd, "former-parent", ground_fd, "parent");
  while (names != NULL && (name = g_dir_read_name (names)) != NULL)
    {
      struct stat st;

      if (!is_of_victim (name) || fstatat (parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        continue;

      for (guint i = 0; i < G_N_ELEMENTS (treasures); i++)
        if (treasures[i].is_prey && st.st_ino == treasures[i].st.st_ino)
          renameat (parent_fd, name, parent_fd, strrchr (treasures[i].path, '/') + 1);
      if (S_ISLNK (st.st_mode) || S_ISFIFO (st.st_mode))
        unlinkat (parent_fd, name, 0);
    }
}

static void
attack_until_killed (gpointer data)
{
  /* The same each time, whatever the victim draws */
  g_autoptr(GRand) rand = g_rand_new_with_seed (GPOINTER_TO_UINT (data));

  g_assert_cmpint (setegid (ATTACKER), ==, 0);
  g_assert_cmpint (setresuid (ATTACKER, ATTACKER, ATTACKER), ==, 0);
  g_assert_cmpint (prctl (PR_SET_DUMPABLE, 1), ==, 0);
  for (;;)
    {
      gather_prey ();
      if (has_name ())
        attacks[g_rand_int_range (rand, 0, G_N_ELEMENTS (attacks))].func ();
    }
}

static void
act_often (gpointer data)
{
  become_victim ();
  for (guint i = 0; i < GPOINTER_TO_UINT (data); i++)
    acts[i % G_N_ELEMENTS (acts)].func ();
}

static void
test_at_once (gconstpointer where)
{
  guint n_rounds = proof_get_number ("TF_PROOF_ROUNDS", 400);
  g_autofree char *problems = NULL;
  pid_t attacker;

  if (!proof_needs_root ())
    return;

  ground = where;
  prepare_ground ();
  attacker = proof_fork (attack_until_killed, GUINT_TO_POINTER (g_test_rand_int ()));
  proof_in_process (act_often, GUINT_TO_POINTER (n_rounds));
  proof_kill (attacker);
  problems = leave_ground ();
  if (problems != NULL)
    g_test_fail_printf ("%s:%s", ground->name, problems);
}

int
main (int    argc,
      char **argv)
{
  int result;

  proof_init (&argc, &argv);
  parent = tf_test_path ("work/ground/parent");

  for (guint i = 0; i < G_N_ELEMENTS (grounds); i++)
    {
      g_autofree char *each_call = g_strconcat ("/attacked/at-each-call/", grounds[i].name, NULL);
      g_autofree char *at_once = g_strconcat ("/attacked/at-once/", grounds[i].name, NULL);

      proof_add_data (each_call, &grounds[i], test_each_call);
      proof_add_data (at_once, &grounds[i], test_at_once);
    }

  result = tf_test_run ();
  g_free (parent);
  return result;
}
