/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Random programs, run on a file and on an array of bytes, which have to be the same after each step. One that fails is
 * shortened and printed; TF_PROOF_PROGRAM=... runs it again. TF_PROOF_PROGRAMS=N runs so many, TF_PROOF_SEED=N begins
 * with another one. */

#include "programs.h"
#include "proof.h"
#include "tf-test-async.h"
#include "tf-test.h"

#define N_PROGRAMS 1500
#define BATCH 250

static void
report (Program    *program,
        const char *message)
{
  g_autofree char *last = NULL;
  g_autofree char *text = NULL;
  g_autofree char *description = NULL;

  programs_shrink (program);
  last = programs_try (program, FALSE);
  text = program_print (program);
  description = program_describe (program);
  g_test_message ("%s\nIn the shortest program: %s\nTF_PROOF_PROGRAM=%s\n%s", message,
                  last != NULL ? last : "it does not fail again", text, description);
  g_test_fail_printf ("TF_PROOF_PROGRAM=%s: %s", text, last != NULL ? last : message);
}

static void
test_random (void)
{
  guint n = proof_get_number ("TF_PROOF_PROGRAMS", N_PROGRAMS);
  guint32 seed = proof_get_number ("TF_PROOF_SEED", 1);

  for (guint i = 0; i < n && !g_test_failed (); i += BATCH)
    {
      guint32 failed;
      g_autofree char *message = programs_try_seeds (seed + i, MIN (BATCH, n - i), &failed);
      Program program;

      if (message == NULL)
        continue;

      g_test_message ("seed %u", failed);
      program_randomize (&program, failed);
      report (&program, message);
    }

  g_test_message ("%u programs, from seed %u on", n, seed);
}

static void
try_text (const char *text)
{
  g_autofree char *message = NULL;
  Program program;

  g_assert_true (program_parse (&program, text));
  message = programs_try (&program, FALSE);
  if (message != NULL)
    report (&program, message);
}

/* Programs that have failed once, and those with which a fuzzer begins */
static void
test_corpus (void)
{
  g_autofree char *content = NULL;
  g_autoptr(GError) error = NULL;
  g_auto(GStrv) lines = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents (CORPUS, &content, NULL, &error));
  g_assert_no_error (error);
  lines = g_strsplit (content, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (**line != '\0' && **line != '#')
      {
        try_text (*line);
        n++;
      }

  g_assert_cmpuint (n, >, 0);
}

static void
test_one (void)
{
  const char *text = g_getenv ("TF_PROOF_PROGRAM");

  if (text == NULL)
    g_test_skip ("no TF_PROOF_PROGRAM");
  else
    try_text (text);
}

static void
run_in_dir (gconstpointer func)
{
  g_autofree char *dir = tf_test_make_cheap_dir ();

  programs_init (dir);
  ((void (*) (void)) func) ();
  programs_end ();
}

int
main (int    argc,
      char **argv)
{
  tf_test_init_async (&argc, &argv);

  g_test_add_data_func ("/model/corpus", test_corpus, run_in_dir);
  g_test_add_data_func ("/model/one", test_one, run_in_dir);
  g_test_add_data_func ("/model/random", test_random, run_in_dir);

  return tf_test_run ();
}
