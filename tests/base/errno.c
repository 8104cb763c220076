/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "base/tf-errno.h"

#include <errno.h>

#include "tf-test.h"

static void
test_codes (void)
{
  const struct
  {
    int saved_errno;
    GIOErrorEnum code;
  } cases[] = {
    { EACCES, G_IO_ERROR_PERMISSION_DENIED },
    { EDQUOT, G_IO_ERROR_NO_SPACE },
    { EEXIST, G_IO_ERROR_EXISTS },
    { EFBIG, G_IO_ERROR_NO_SPACE },
    { EINVAL, G_IO_ERROR_INVALID_ARGUMENT },
    { EIO, G_IO_ERROR_FAILED },
    { EMFILE, G_IO_ERROR_TOO_MANY_OPEN_FILES },
    { ENAMETOOLONG, G_IO_ERROR_FILENAME_TOO_LONG },
    { ENFILE, G_IO_ERROR_TOO_MANY_OPEN_FILES },
    { ENOENT, G_IO_ERROR_NOT_FOUND },
    { ENOSPC, G_IO_ERROR_NO_SPACE },
    { ENOTDIR, G_IO_ERROR_NOT_DIRECTORY },
    { ENOTEMPTY, G_IO_ERROR_NOT_EMPTY },
    { EPERM, G_IO_ERROR_PERMISSION_DENIED },
    { EROFS, G_IO_ERROR_READ_ONLY },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_false (tf_errno_set (&error, cases[i].saved_errno, "call", "/path"));
      g_assert_error (error, G_IO_ERROR, (gint) cases[i].code);
    }
}

static void
test_ensure (void)
{
  g_autoptr(GError) error = NULL;

  tf_errno_ensure (&error, "Doing it");
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpstr (error->message, ==, "Doing it: No reason was given");
  tf_errno_ensure (NULL, "Doing it");

  g_clear_error (&error);
  tf_errno_set (&error, ENOENT, "open", NULL);
  tf_errno_ensure (&error, "Doing it");
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void
test_message (void)
{
  g_autoptr(GError) with_path = NULL;
  g_autoptr(GError) without_path = NULL;
  g_autofree char *expected = g_strdup_printf ("open “/a/b”: %s", g_strerror (ENOENT));
  g_autofree char *expected_without = g_strdup_printf ("write: %s", g_strerror (ENOSPC));

  tf_errno_set (&with_path, ENOENT, "open", "/a/b");
  g_assert_cmpstr (with_path->message, ==, expected);

  tf_errno_set (&without_path, ENOSPC, "write", NULL);
  g_assert_cmpstr (without_path->message, ==, expected_without);
}

static void
test_display_form (void)
{
  const char path[] = "/tmp/\xff\xfe-name";
  g_autoptr(GError) error = NULL;
  g_autofree char *display = g_filename_display_name (path);

  tf_errno_set (&error, ENOENT, "open", path);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_nonnull (strstr (error->message, display));
}

static void
test_nobody_asks (void)
{
  g_assert_false (tf_errno_set (NULL, ENOENT, "open", "/a/b"));
}

static void
test_log_lost_error (void)
{
  g_autoptr(GError) error = NULL;

  tf_errno_set (&error, EIO, "close", NULL);
  g_test_expect_message ("Tf", G_LOG_LEVEL_MESSAGE, "Closing a file: close: *");
  tf_errno_log_lost ("Closing a file", error);
  g_test_assert_expected_messages ();
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/errno/codes", test_codes);
  g_test_add_func ("/errno/ensure", test_ensure);
  g_test_add_func ("/errno/message", test_message);
  g_test_add_func ("/errno/display-form", test_display_form);
  g_test_add_func ("/errno/nobody-asks", test_nobody_asks);
  g_test_add_func ("/errno/log-lost-error", test_log_lost_error);

  return tf_test_run ();
}
