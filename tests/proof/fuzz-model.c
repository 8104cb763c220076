/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The programs of model-programs.c, made up by libFuzzer. */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "programs.h"
#include "tf-test.h"

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static char *runtime_dir; /* for the journals */

/* Called when the library has removed its journals, and in children that do not matter. */
static void
end (void)
{
  static pid_t pid;

  if (pid == 0)
    pid = getpid ();
  else if (pid == getpid ())
    {
      g_autofree char *journals = g_build_filename (runtime_dir, "tempfile-glib", NULL);

      programs_end ();
      rmdir (journals);
      rmdir (runtime_dir);
      g_free (runtime_dir);
    }
}

int
LLVMFuzzerInitialize (int    *argc,
                      char ***argv)
{
  g_autofree char *dir = NULL;

  runtime_dir = tf_test_make_cheap_dir ();
  g_setenv ("XDG_RUNTIME_DIR", runtime_dir, TRUE);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
  g_main_context_default ();
  dir = tf_test_make_cheap_dir ();
  programs_init (dir);
  end ();
  atexit (end);
  return 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        size_t        size)
{
  char message[PROGRAMS_MESSAGE_SIZE];
  Program program;

  program_from_bytes (&program, data, size);
  if (!programs_run (&program, message))
    {
      g_autofree char *text = program_print (&program);

      fprintf (stderr, "TF_PROOF_PROGRAM=%s\n%s\n", text, message);
      abort ();
    }

  return 0;
}
