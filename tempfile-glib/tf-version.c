/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-version.h"

/**
 * tf_check_version:
 * @major: required major version
 * @minor: required minor version
 * @micro: required micro version
 *
 * Checks whether the library that the program runs with has at least the given version.
 *
 * The macro `TEMPFILE_GLIB_CHECK_VERSION()` checks the version that the program was compiled with. This function may
 * be called from any thread.
 *
 * Returns: %TRUE if the version is at least the given one
 *
 * Since: 1.0
 */
gboolean
tf_check_version (guint major,
                  guint minor,
                  guint micro)
{
  const guint have[] = { TEMPFILE_GLIB_MAJOR_VERSION, TEMPFILE_GLIB_MINOR_VERSION, TEMPFILE_GLIB_MICRO_VERSION };
  const guint need[] = { major, minor, micro };

  for (gsize i = 0; i < G_N_ELEMENTS (have); i++)
    if (have[i] != need[i])
      return have[i] > need[i];

  return TRUE;
}
