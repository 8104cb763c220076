/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tool.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>

#include "tempfile-glib.h"

static const char usage[] =
  "Usage:\n"
  "  tempfile-glib run [--dir=DIR] [--] COMMAND [ARGUMENT...]\n"
  "  tempfile-glib sweep [--dry-run] [--dir=DIR] [--prefix=PREFIX]\n"
  "                      [--min-age=SECONDS] [--null]\n"
  "  tempfile-glib list [--dir=DIR]\n"
  "  tempfile-glib --help | --version\n"
  "\n"
  "  run    run a command with TMPDIR in a directory of its own, and remove that\n"
  "  sweep  remove the temporary files and directories that dead processes have left\n"
  "  list   show the temporary files and directories that are in use\n"
  "\n"
  "“tempfile-glib WORD --help” shows the options of a word.\n";

static const struct
{
  const char *word;
  int       (*run) (int    argc,
                    char **argv);
} words[] = {
  { "run", tool_run },
  { "sweep", tool_sweep },
  { "list", tool_list },
};

int
tool_fail (const char *format,
           ...)
{
  va_list args;
  g_autofree char *message = NULL;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);

  g_printerr ("tempfile-glib: %s\n", message);
  return TOOL_FAILED;
}

int
main (int    argc,
      char **argv)
{
  setlocale (LC_ALL, "");

  if (argc < 2)
    {
      g_printerr ("%s", usage);
      return TOOL_FAILED;
    }

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (argv[1], words[i].word))
      return words[i].run (argc - 1, argv + 1);

  if (g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h"))
    g_print ("%s", usage);
  else if (g_str_equal (argv[1], "--version"))
    g_print ("tempfile-glib %d.%d.%d\n",
             TEMPFILE_GLIB_MAJOR_VERSION, TEMPFILE_GLIB_MINOR_VERSION, TEMPFILE_GLIB_MICRO_VERSION);
  else
    return tool_fail ("“%s” is no word of this tool; see “tempfile-glib --help”", argv[1]);

  return 0;
}
