/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-error.h"

#include "base/tf-errno.h"

/**
 * tf_get_last_errno: (skip)
 *
 * Returns the errno behind the last error that this library reported to the calling thread.
 *
 * Several errno values are mapped to the same code of %G_IO_ERROR. A binding whose language raises errors by errno
 * calls this function directly after a call that failed; in the asynchronous case, directly after the finish
 * function. The value is undefined after %G_IO_ERROR_CANCELLED and after a call that succeeded.
 *
 * It may be called from any thread. Each thread has a value of its own.
 *
 * Returns: an errno, or 0 if the error did not come from a system call
 *
 * Since: 1.0
 */
int
tf_get_last_errno (void)
{
  return tf_errno_get_last ();
}
