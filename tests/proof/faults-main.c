/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Every call fails at every point, and what has to be true is. A violation is printed as TF_PROOF_FAULT=..., which does it
 * again. In the environment, TF_PROOF_FAULT_STRIDE=1 tries them all, and not a share that is the same each time. */

#include <unistd.h>

#include "fault-files.h"
#include "fault-runs.h"
#include "programs.h"
#include "proof.h"
#include "tf-test-async.h"
#include "tf-test.h"

#define STRIDE 8
/* There are many scenes with files, and the others are worth more. */
#define SCENE_STRIDE 7

static char *kept; /* a file that a dead process has left on purpose */
static ProofLiving living;
static char living_path[2][256];

static void
keep_file (gpointer data)
{
  g_autoptr(TfNamedFile) file = tf_named_file_new ("kept-", NULL, proof_get_work_dir (), NULL, NULL);
  g_autofree char *path = tf_named_file_keep (file);

  g_strlcpy (data, path, sizeof living_path[0]);
}

static void
live (gpointer data)
{
  char (*paths)[256] = data;

  g_strlcpy (paths[0], tf_named_file_get_path (tf_named_file_new (NULL, NULL, proof_get_work_dir (), NULL, NULL)),
             sizeof paths[0]);
  g_strlcpy (paths[1], tf_temp_dir_get_path (tf_temp_dir_new (NULL, NULL, proof_get_work_dir (), NULL, NULL)),
             sizeof paths[1]);
}

static void
start_others (void)
{
  char (*paths)[256] = proof_share (3 * sizeof *paths);

  proof_in_process (keep_file, paths[2]);
  kept = g_strdup (paths[2]);
  g_assert_true (proof_living_start (&living, live, NULL, paths));
  g_strlcpy (living_path[0], paths[0], sizeof living_path[0]);
  g_strlcpy (living_path[1], paths[1], sizeof living_path[1]);
}

static gboolean
are_others_there (void)
{
  return g_file_test (kept, G_FILE_TEST_EXISTS) && g_file_test (living_path[0], G_FILE_TEST_EXISTS) &&
         g_file_test (living_path[1], G_FILE_TEST_EXISTS);
}

static void
end_others (void)
{
  proof_living_end (&living);
  g_assert_cmpint (unlink (kept), ==, 0);
  g_clear_pointer (&kept, g_free);
}

static gboolean
is_clean (void)
{
  return !programs_have_name ();
}

static void
try_in_dir (void (*func) (void),
            guint stride)
{
  g_autofree char *dir = g_build_filename (proof_get_other_dir (), "files", NULL);

  start_others ();
  programs_init (dir);
  fault_runs_set_check (is_clean, are_others_there);
  fault_runs_begin (stride);
  func ();
  fault_runs_end ();
  end_others ();
  /* While the folders are there that records are about */
  proof_sweep ();
  programs_end ();
}

static guint
get_stride (void)
{
  return proof_get_number ("TF_PROOF_FAULT_STRIDE", STRIDE);
}

static void
try_files (void)
{
  fault_files_try (get_stride () > 1 ? SCENE_STRIDE : 1);
}

static void
test_files (void)
{
  try_in_dir (try_files, get_stride ());
}

static void
test_deeds (void)
{
  try_in_dir (fault_deeds_try, get_stride () > 1 ? get_stride () * SCENE_STRIDE : 1);
}

int
main (int    argc,
      char **argv)
{
  g_main_context_default ();
  g_type_ensure (G_TYPE_TASK);
  proof_init (&argc, &argv);

  proof_add ("/faults/files", test_files);
  proof_add ("/faults/deeds", test_deeds);

  return tf_test_run ();
}
