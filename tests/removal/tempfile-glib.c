/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One of the candidates of compare.py, which says what the commands mean. */

#include <tempfile-glib.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Alive at exit, as what a program forgot. */
static TfTempDir *dir;

static void G_GNUC_PRINTF (1, 2)
reply (const char *format,
       ...)
{
  va_list args;

  va_start (args, format);
  vprintf (format, args);
  va_end (args);
  putchar ('\n');
  fflush (stdout);
}

static void
reply_result (gboolean      success,
              const GError *error)
{
  if (success)
    reply ("ok");
  else
    reply ("error %s", error->message);
}

static void
create (void)
{
  g_autoptr(GError) error = NULL;

  dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, &error);
  if (dir != NULL)
    reply ("%s", tf_temp_dir_get_path (dir));
  else
    reply_result (FALSE, error);
}

static void
remove_dir (GCancellable *cancellable)
{
  g_autoptr(GError) error = NULL;
  gboolean success = tf_temp_dir_cleanup (dir, cancellable, &error);

  reply_result (success, error);
}

static gpointer
cancel_when_told (gpointer cancellable)
{
  char line[16];

  if (fgets (line, sizeof line, stdin) != NULL)
    {
      g_cancellable_cancel (cancellable);
      reply ("cancelled");
    }

  return NULL;
}

static void
remove_dir_cancellable (void)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = g_thread_new ("cancel", cancel_when_told, cancellable);

  remove_dir (cancellable);
  g_thread_join (thread);
}

static void
wait_for_child (pid_t pid)
{
  waitpid (pid, NULL, 0);
  reply ("done");
}

static void
fork_exit (void)
{
  pid_t pid = fork ();

  if (pid == 0)
    exit (EXIT_SUCCESS);

  wait_for_child (pid);
}

static void
fork_remove (void)
{
  pid_t pid = fork ();

  if (pid == 0)
    {
      remove_dir (NULL);
      _exit (EXIT_SUCCESS);
    }

  wait_for_child (pid);
}

static void
handle_signals (void)
{
  g_autoptr(GError) error = NULL;
  gboolean success = tf_cleanup_on_signals (&error);

  reply_result (success, error);
}

static void
sweep (void)
{
  g_autoptr(GError) error = NULL;
  gboolean success = tf_sweep (NULL, NULL, 0, NULL, NULL, &error);

  reply_result (success, error);
}

static void
churn (int n)
{
  g_autoptr(GError) error = NULL;

  for (int i = 0; i < n; i++)
    {
      TfTempDir *dropped = tf_temp_dir_new (NULL, NULL, NULL, NULL, &error);

      if (dropped == NULL)
        {
          reply_result (FALSE, error);
          return;
        }
      g_object_unref (dropped);
    }

  reply ("ok");
}

int
main (void)
{
  char line[64];

  while (fgets (line, sizeof line, stdin) != NULL)
    {
      g_strchomp (line);

      if (strcmp (line, "version") == 0)
        reply ("tempfile-glib %d.%d.%d", TEMPFILE_GLIB_MAJOR_VERSION,
               TEMPFILE_GLIB_MINOR_VERSION, TEMPFILE_GLIB_MICRO_VERSION);
      else if (strcmp (line, "create") == 0)
        create ();
      else if (strcmp (line, "remove") == 0)
        remove_dir (NULL);
      else if (strcmp (line, "remove-cancellable") == 0)
        remove_dir_cancellable ();
      else if (strcmp (line, "fork-exit") == 0)
        fork_exit ();
      else if (strcmp (line, "fork-remove") == 0)
        fork_remove ();
      else if (strcmp (line, "handle-signals") == 0)
        handle_signals ();
      else if (strcmp (line, "sweep") == 0)
        sweep ();
      else if (g_str_has_prefix (line, "churn "))
        churn (atoi (line + strlen ("churn ")));
      else
        reply ("not offered");
    }

  return EXIT_SUCCESS;
}
