/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "programs.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"
#include "tf-test.h"

#define PATIENCE 60 /* seconds */

typedef struct
{
  guint32 seed;
  char message[PROGRAMS_MESSAGE_SIZE];
} Shared;

static char *work_dir;
static char *dest_dir;
static Shared *shared;

void
programs_init (const char *dir)
{
  work_dir = g_strdup (dir);
  dest_dir = g_build_filename (dir, "dest", NULL);
  g_assert_cmpint (g_mkdir_with_parents (dest_dir, 0700), ==, 0);
  tf_set_temp_dir (work_dir);
  shared = mmap (NULL, sizeof (Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert_true (shared != MAP_FAILED);
}

void
programs_empty (void)
{
  g_autoptr(GDir) entries = g_dir_open (dest_dir, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (entries)) != NULL)
    {
      g_autofree char *path = g_build_filename (dest_dir, name, NULL);

      unlink (path);
    }
}

void
programs_end (void)
{
  programs_empty ();
  tf_set_temp_dir (NULL);
  g_assert_cmpint (rmdir (dest_dir), ==, 0);
  g_assert_cmpint (rmdir (work_dir), ==, 0);
  munmap (shared, sizeof (Shared));
  g_clear_pointer (&work_dir, g_free);
  g_clear_pointer (&dest_dir, g_free);
}

/* Only what was persisted has a name of its own choice. */
static guint
count_strangers (void)
{
  g_autoptr(GDir) entries = g_dir_open (dest_dir, 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (entries)) != NULL)
    if (!g_str_has_prefix (name, "doc-"))
      n++;

  return n;
}

/* What the library has for its journals stays, where it could not be in the usual place. */
const char *
programs_find_name (void)
{
  static char found[NAME_MAX + 1];
  g_autoptr(GDir) entries = g_dir_open (work_dir, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (entries)) != NULL)
    if (!g_str_equal (name, "dest") && !g_str_has_prefix (name, "tempfile-glib-"))
      return strcpy (found, name);

  return count_strangers () > 0 ? "beside what was persisted" : NULL;
}

gboolean
programs_have_name (void)
{
  return programs_find_name () != NULL;
}

/* Faster than to read a folder of /proc. What is left open has one of the low numbers. */
static guint
count_low_fds (void)
{
  guint n = 0;

  for (int fd = 0; fd < 64; fd++)
    n += fcntl (fd, F_GETFD) >= 0;
  return n;
}

/* A worker can still be letting go of its task, and with it of the file. */
static gboolean
are_closed (guint n_fds)
{
  for (int i = 0; i < 2000 && tf_test_count_fds () > n_fds; i++)
    g_usleep (1000);

  return tf_test_count_fds () <= n_fds;
}


/* Descriptors are counted after the first program, when GLib has opened what it keeps */
const char *
programs_find_litter (void)
{
  static guint n_fds;
  static guint n_low_fds;
  const char *litter = NULL;

  while (g_main_context_iteration (NULL, FALSE))
    ;
  if (programs_have_name ())
    litter = "a name is left";
  else if (n_fds > 0 && count_low_fds () > n_low_fds && !are_closed (n_fds))
    litter = "a descriptor is left open";

  if (n_fds == 0)
    {
      n_fds = tf_test_count_fds ();
      n_low_fds = count_low_fds ();
    }
  return litter;
}

const char *
programs_get_dest (void)
{
  return dest_dir;
}

gboolean
programs_run (const Program *program,
              char          *message)
{
  gboolean success = model_run (program, dest_dir, message);
  const char *litter = success ? programs_find_litter () : NULL;

  if (litter != NULL)
    g_strlcpy (message, litter, PROGRAMS_MESSAGE_SIZE);
  programs_empty ();
  return success && litter == NULL;
}

void
programs_be_quiet (void)
{
  int fd = open ("/dev/null", O_WRONLY | O_CLOEXEC);

  dup2 (fd, STDERR_FILENO);
  dup2 (fd, STDOUT_FILENO);
}

static pid_t
start_child (gboolean quiet)
{
  pid_t pid;

  fflush (NULL);
  *shared = (Shared) { 0 };
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      tf_test_ignore_leaks ();
      if (quiet)
        programs_be_quiet ();
    }

  return pid;
}

void
programs_clean_up (void)
{
  g_autoptr(GDir) entries = g_dir_open (work_dir, 0, NULL);
  const char *name;

  programs_empty ();
  while ((name = g_dir_read_name (entries)) != NULL)
    {
      g_autofree char *path = g_build_filename (work_dir, name, NULL);

      if (!g_str_equal (name, "dest"))
        remove (path);
    }
}

static char *
wait_for_child (pid_t pid)
{
  int status;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  if (status == 0)
    return NULL;

  /* What a child that is killed leaves is not what is looked for here. */
  programs_clean_up ();
  if (WIFSIGNALED (status))
    return g_strdup_printf ("%s (%s)", WTERMSIG (status) == SIGALRM ? "it hangs" : strsignal (WTERMSIG (status)),
                            shared->message);

  return g_strdup (*shared->message != '\0' ? shared->message : "it ends the process");
}

char *
programs_try (const Program *program,
              gboolean       quiet)
{
  pid_t pid = start_child (quiet);

  if (pid > 0)
    return wait_for_child (pid);

  alarm (PATIENCE);
  /* A second time, to see what the first one has left open. */
  _exit (programs_run (program, shared->message) && programs_run (program, shared->message) ? 0 : 1);
}

char *
programs_try_seeds (guint32  seed,
                    guint    n,
                    guint32 *failed)
{
  pid_t pid = start_child (FALSE);
  char *message;

  if (pid == 0)
    {
      for (guint i = 0; i < n; i++)
        {
          Program program;

          alarm (PATIENCE);
          shared->seed = seed + i;
          program_randomize (&program, seed + i);
          if (!programs_run (&program, shared->message))
            _exit (1);
        }
      _exit (0);
    }

  message = wait_for_child (pid);
  *failed = shared->seed;
  return message;
}

/* --- Shrinking ------------------------------------------------------------------------------ */

static gboolean
fails (const Program *program)
{
  g_autofree char *message = programs_try (program, TRUE);

  return message != NULL;
}

/* Without runs of steps, from half of them to single ones. */
static gboolean
shrink_steps (Program *program)
{
  gboolean changed = FALSE;

  for (guint n = MAX (program->n_steps / 2, 1); n > 0; n /= 2)
    for (guint first = 0; first < program->n_steps;)
      {
        Program shorter = *program;

        program_remove (&shorter, first, n);
        if (fails (&shorter))
          {
            *program = shorter;
            changed = TRUE;
          }
        else
          {
            first += n;
          }
      }

  return changed;
}

static gboolean
shrink_number (Program *program,
               guint8  *number)
{
  const guint8 smaller[] = { 0, 1, *number / 2, *number - 1 };
  guint8 old = *number;

  for (guint i = 0; i < G_N_ELEMENTS (smaller) && old > 0; i++)
    {
      *number = smaller[i];
      if (smaller[i] < old && fails (program))
        return TRUE;
    }

  *number = old;
  return FALSE;
}

static gboolean
shrink_numbers (Program *program)
{
  gboolean changed = shrink_number (program, &program->room) | shrink_number (program, &program->watch);

  changed |= shrink_number (program, &program->kind) | shrink_number (program, &program->max_size);
  for (guint i = 0; i < program->n_steps; i++)
    {
      Step *step = &program->steps[i];

      changed |= shrink_number (program, &step->a) | shrink_number (program, &step->b) |
                 shrink_number (program, &step->c);
    }

  return changed;
}

void
programs_shrink (Program *program)
{
  for (int i = 0; i < 10; i++)
    if (!(shrink_steps (program) | shrink_numbers (program)))
      return;
}
