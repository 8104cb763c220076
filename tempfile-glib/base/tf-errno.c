/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-errno.h"

#include <errno.h>

#define NO_REASON "No reason was given"

/* The errno of the last error of this thread; 0 if it did not come from a system call. */
static _Thread_local int last;

int
tf_errno_get_last (void)
{
  return last;
}

void
tf_errno_set_last (int saved_errno)
{
  last = saved_errno;
}

static GIOErrorEnum
code_from_errno (int saved_errno)
{
  switch (saved_errno)
    {
    /* A quota or a limit on the file size is a kind of full disk. */
    case EDQUOT:
    case EFBIG:
      return G_IO_ERROR_NO_SPACE;

    default:
      return g_io_error_from_errno (saved_errno);
    }
}

/* Sets @error from an errno, with the message "CALL “PATH”: REASON", or without the path if @path is NULL. Always
 * returns FALSE. No other code maps an errno to a GError. */
gboolean
tf_errno_set (GError     **error,
              int          saved_errno,
              const char  *call,
              const char  *path)
{
  last = saved_errno;
  if (error == NULL)
    return FALSE;

  if (path != NULL)
    {
      g_autofree char *display = g_filename_display_name (path);

      g_set_error (error, G_IO_ERROR, code_from_errno (saved_errno),
                   "%s “%s”: %s", call, display, g_strerror (saved_errno));
    }
  else
    {
      g_set_error (error, G_IO_ERROR, code_from_errno (saved_errno),
                   "%s: %s", call, g_strerror (saved_errno));
    }

  return FALSE;
}

/* Sets an error that does not come from a system call. Always returns FALSE. */
gboolean
tf_errno_set_code (GError       **error,
                   GIOErrorEnum   code,
                   const char    *format,
                   ...)
{
  g_autofree char *message = NULL;
  va_list args;

  last = 0;
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);

  g_set_error_literal (error, G_IO_ERROR, code, message);
  return FALSE;
}

/* Something is mounted at @path. */
gboolean
tf_errno_set_mounted (GError     **error,
                      const char  *path)
{
  g_autofree char *display = g_filename_display_name (path);

  return tf_errno_set_code (error, G_IO_ERROR_BUSY, "“%s” is a mount point; it is left alone", display);
}

/* Sets the error of calls on an object whose init() was not called or failed. Always returns FALSE. */
gboolean
tf_errno_set_not_initialized (GError     **error,
                              const char  *what)
{
  return tf_errno_set_code (error, G_IO_ERROR_NOT_INITIALIZED,
                            "The %s was not initialized: call g_initable_init() first", what);
}

/* Sets the error of code of others that has failed and not said why, such as a method of a binding that threw an
 * exception. Does nothing if there is an error already. */
void
tf_errno_ensure (GError     **error,
                 const char  *doing)
{
  if (error != NULL && *error == NULL)
    tf_errno_set_code (error, G_IO_ERROR_FAILED, "%s: " NO_REASON, doing);
}

/* Logs an error that no caller can receive. It is a message, because warnings can be made fatal. */
void
tf_errno_log_lost (const char   *doing,
                   const GError *error)
{
  g_message ("%s: %s", doing, error != NULL ? error->message : NO_REASON);
}
