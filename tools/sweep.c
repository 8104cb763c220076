/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "names/tf-journal-reader.h"

/* The words “sweep” and “list”. They say more than tf_sweep() does, and read the journals themselves. */

typedef struct
{
  char     *dir;     /* (nullable) */
  char     *prefix;  /* (nullable) */
  int       min_age; /* in seconds */
  gboolean  is_dry;
  gboolean  is_nul_terminated;
} Request;

static void
request_clear (Request *self)
{
  g_free (self->dir);
  g_free (self->prefix);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

/* --- Output --------------------------------------------------------------------------------- */

/* What is no character is not printable either. */
static gboolean
is_shown (gunichar character,
          gboolean is_field)
{
  GUnicodeType type = g_unichar_type (character);

  return g_unichar_isprint (character) &&
         type != G_UNICODE_LINE_SEPARATOR && type != G_UNICODE_PARAGRAPH_SEPARATOR &&
         character != '\\' && !(is_field && character == ' ');
}

/* Returns the text without characters that a terminal obeys, that cannot be seen, or that end a line; without spaces if
 * it is a field. The result can be turned back. */
static char *
escape (const char *text,
        gboolean    is_field)
{
  GString *escaped = g_string_new (NULL);

  while (*text != '\0')
    {
      gunichar character = g_utf8_get_char_validated (text, -1);
      const char *end = g_unichar_validate (character) ? g_utf8_next_char (text) : text + 1;

      for (const char *c = text; c < end; c++)
        if (is_shown (character, is_field))
          g_string_append_c (escaped, *c);
        else
          g_string_append_printf (escaped, "\\%03o", (guint8) *c);
      text = end;
    }

  return g_string_free (escaped, FALSE);
}

static void
print_path (const Request *self,
            const char    *path)
{
  g_autofree char *escaped = escape (path, FALSE);

  if (self->is_nul_terminated)
    fwrite (path, 1, strlen (path) + 1, stdout);
  else
    puts (escaped);
}

/* Returns a span of time in its two largest units. */
static char *
describe_age (gint64 seconds)
{
  if (seconds < 60)
    return g_strdup_printf ("%ds", (int) MAX (seconds, 0));
  if (seconds < 60 * 60)
    return g_strdup_printf ("%dm%02ds", (int) (seconds / 60), (int) (seconds % 60));
  if (seconds < 24 * 60 * 60)
    return g_strdup_printf ("%dh%02dm", (int) (seconds / 3600), (int) (seconds / 60 % 60));

  return g_strdup_printf ("%" G_GINT64_FORMAT "d%02dh", seconds / 86400, (int) (seconds / 3600 % 24));
}

/* Returns the name of the program that the process runs. */
static char *
read_command (guint pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%u/comm", pid);
  g_autofree char *name = NULL;

  if (pid == 0 || !g_file_get_contents (path, &name, NULL, NULL))
    return g_strdup ("-");

  return escape (g_strchomp (name), TRUE);
}

static void
show_removed (const TfJournalFound *found,
              gpointer              user_data)
{
  print_path (user_data, found->path);
}

static void
show_left (const TfJournalFound *found,
           gpointer              user_data)
{
  if (found->is_left)
    print_path (user_data, found->path);
}

static void
show_living (const TfJournalFound *found,
             gpointer              user_data)
{
  g_autofree char *pid = found->pid != 0 ? g_strdup_printf ("%u", found->pid) : g_strdup ("-");
  g_autofree char *age = describe_age (g_get_real_time () / G_USEC_PER_SEC - found->created);
  g_autofree char *command = found->deadline != 0 ? g_strdup ("(handed-over)") : read_command (found->pid);

  if (found->is_left)
    return;

  printf ("%7s %8s %-15s ", pid, age, command);
  print_path (user_data, found->path);
}

/* --- Reading -------------------------------------------------------------------------------- */

static gboolean
read_dir (const Request    *self,
          TfJournalReader  *reader,
          TfSystemStat     *st,
          GError          **error)
{
  tf_autofd int fd = self->dir != NULL ? tf_system_open_dir (self->dir) : -1;

  if (self->dir == NULL)
    return TRUE;

  if (fd < 0 || !tf_system_stat (st, fd, ""))
    return tf_errno_set (error, errno, "open", self->dir);

  reader->dir = st;
  return TRUE;
}

static gboolean
read_journals (Request        *self,
               gboolean      (*read) (TfJournalReader  *reader,
                                      GCancellable     *cancellable,
                                      GError          **error),
               TfJournalFunc   func,
               GError        **error)
{
  g_auto(TfFailures) failures;
  const TfTemplate template = { .prefix = self->prefix };
  TfJournalReader reader = {
    .template = self->prefix != NULL ? &template : NULL,
    .min_age_seconds = self->min_age,
    .func = func,
    .user_data = self,
    .failures = &failures,
  };
  TfSystemStat dir;

  tf_failures_init (&failures);
  return (self->prefix == NULL || tf_template_check (&template, error)) &&
         read_dir (self, &reader, &dir, error) &&
         read (&reader, NULL, error) &&
         tf_failures_report (&failures, error);
}

static int
finish (gboolean  success,
        GError   *error)
{
  if (!success)
    return tool_fail ("%s", error->message);

  return fflush (stdout) == 0 ? 0 : tool_fail ("cannot write to the standard output");
}

static gboolean
parse (const char          *word,
       const char          *summary,
       const GOptionEntry  *entries,
       int                 *argc,
       char              ***argv,
       GError             **error)
{
  g_autoptr(GOptionContext) context = g_option_context_new (NULL);
  g_autofree char *name = g_strconcat ("tempfile-glib ", word, NULL);

  g_set_prgname (name);
  g_option_context_set_summary (context, summary);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;

  if (*argc > 1)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "“%s” is one word too many", (*argv)[1]);

  return *argc == 1;
}

static gboolean
check_age (const Request  *self,
           GError        **error)
{
  if (self->min_age < 0)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "An age cannot be negative: %d", self->min_age);

  return self->min_age >= 0;
}

int
tool_sweep (int    argc,
            char **argv)
{
  g_auto(Request) request = { 0 };
  const GOptionEntry entries[] = {
    { "dry-run", 'n', 0, G_OPTION_ARG_NONE, &request.is_dry, "Remove nothing, only show it", NULL },
    { "dir", 'd', 0, G_OPTION_ARG_FILENAME, &request.dir, "Only what lies directly in DIR", "DIR" },
    { "prefix", 'p', 0, G_OPTION_ARG_FILENAME, &request.prefix, "Only names that begin with PREFIX", "PREFIX" },
    { "min-age", 'a', 0, G_OPTION_ARG_INT, &request.min_age, "Only what was not changed for so long", "SECONDS" },
    { "null", '0', 0, G_OPTION_ARG_NONE, &request.is_nul_terminated, "End each path with a NUL, not a newline", NULL },
    { NULL }
  };
  g_autoptr(GError) error = NULL;
  gboolean success;

  success = parse ("sweep", "Removes what dead processes have left, and prints the paths.", entries, &argc, &argv, &error) &&
            check_age (&request, &error) &&
            (request.is_dry ? read_journals (&request, tf_journal_reader_list, show_left, &error)
                            : read_journals (&request, tf_journal_reader_sweep, show_removed, &error));

  return finish (success, error);
}

int
tool_list (int    argc,
           char **argv)
{
  g_auto(Request) request = { 0 };
  const GOptionEntry entries[] = {
    { "dir", 'd', 0, G_OPTION_ARG_FILENAME, &request.dir, "Only what lies directly in DIR", "DIR" },
    { NULL }
  };
  g_autoptr(GError) error = NULL;
  gboolean success;

  success = parse ("list", "Shows the process ID, age, program and path of what is in use.", entries, &argc, &argv, &error) &&
            read_journals (&request, tf_journal_reader_list, show_living, &error);

  return finish (success, error);
}
