/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Takes parts of the system away from a test program before it starts: those in $TF_TEST_WITHOUT, which fail with the
 * errno $TF_TEST_WITH. */

#include <stdlib.h>

#include "base/tf-system.h"

static const GDebugKey parts[] = {
  { "statx", TF_SYSTEM_STATX },
  { "openat2", TF_SYSTEM_OPENAT2 },
  { "tmpfile", TF_SYSTEM_TMPFILE },
  { "renameat2", TF_SYSTEM_RENAMEAT2 },
  { "empty-path", TF_SYSTEM_EMPTY_PATH },
  { "link-fd", TF_SYSTEM_LINK_FD },
  { "copy-file-range", TF_SYSTEM_COPY_FILE_RANGE },
  { "clone", TF_SYSTEM_CLONE },
  { "seek-data", TF_SYSTEM_SEEK_DATA },
  { "sync-file-range", TF_SYSTEM_SYNC_FILE_RANGE },
  { "fallocate", TF_SYSTEM_FALLOCATE },
  { "getrandom", TF_SYSTEM_GETRANDOM },
  { "memfd", TF_SYSTEM_MEMFD },
  { "pidfd", TF_SYSTEM_PIDFD },
  { "flock", TF_SYSTEM_FLOCK },
  { "lease", TF_SYSTEM_LEASE },
  { "handle", TF_SYSTEM_HANDLE },
  { "xattr", TF_SYSTEM_XATTR },
  { "proc", TF_SYSTEM_PROC },
  { "fchmodat2", TF_SYSTEM_FCHMODAT2 },
};

__attribute__ ((constructor)) static void
take_away (void)
{
  const char *with = getenv ("TF_TEST_WITH");

  tf_system_missing = g_parse_debug_string (getenv ("TF_TEST_WITHOUT"), parts, G_N_ELEMENTS (parts));
  if (with != NULL)
    tf_system_missing_errno = atoi (with);
}
