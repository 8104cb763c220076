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
 * Several errno values have one code of %G_IO_ERROR. A binding that raises the errors of its language from errno asks
 * here, right after a call that failed; after an asynchronous call, right after the function that finishes it. The
 * value says nothing after %G_IO_ERROR_CANCELLED, and nothing after a call that succeeded.
 *
 * May be called from any thread, and tells each of its own errors.
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
