/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "base/tf-failures.h"

#include <errno.h>
#include <string.h>

#include "tf-test.h"

static void
test_report (void)
{
  g_auto(TfFailures) failures;
  g_autoptr(GError) one = NULL;
  g_autoptr(GError) many = NULL;

  tf_failures_init (&failures);
  g_assert_true (tf_failures_report (&failures, &one));
  g_assert_no_error (one);

  tf_failures_add (&failures, EACCES, "unlink", "/first");
  g_assert_false (tf_failures_report (&failures, &one));
  g_assert_error (one, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (one->message, "/first"));
  g_assert_null (strstr (one->message, "errors"));

  /* The first one was taken. */
  failures.count = 0;
  tf_failures_add (&failures, EIO, "unlink", "/second");
  tf_failures_add (&failures, EACCES, "unlink", "/third");
  g_assert_false (tf_failures_report (&failures, &many));
  g_assert_error (many, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (many->message, "/second"));
  g_assert_nonnull (strstr (many->message, "the first of 2 errors"));
}

static void
test_mount_point (void)
{
  g_auto(TfFailures) failures;
  g_autoptr(GError) error = NULL;

  tf_failures_init (&failures);
  tf_failures_add (&failures, EXDEV, "open", "/mounted");
  g_assert_false (tf_failures_report (&failures, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, "mount point"));
}

static void
test_remember (void)
{
  g_auto(TfFailures) failures;

  tf_failures_init (&failures);
  g_assert_false (tf_failures_contain (&failures, 1, 2, "name"));
  tf_failures_remember (&failures, 1, 2, "name");
  g_assert_true (tf_failures_contain (&failures, 1, 2, "name"));
  g_assert_false (tf_failures_contain (&failures, 2, 2, "name"));
  g_assert_false (tf_failures_contain (&failures, 1, 1, "name"));
  g_assert_false (tf_failures_contain (&failures, 1, 2, "other"));
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/failures/report", test_report);
  g_test_add_func ("/failures/mount-point", test_mount_point);
  g_test_add_func ("/failures/remember", test_remember);

  return tf_test_run ();
}
