/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A copy of a file whose file system interrupts calls, tells a wrong size, or loses bytes. The linker puts functions in
 * place of the calls, see meson.build. */

#include "base/tf-disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "tf-test.h"

#define CONTENT "0123456789"
#define SIZE 10

/* The next call of that name fails with that. */
static const char *failing_call; /* (nullable) */
static int failing_errno;

/* Where a file ends for who asks for its size, and for who reads it; -1: where it does */
static goffset told_size = -1;
static goffset lost_from = -1;

static gboolean
fails (const char *call)
{
  if (g_strcmp0 (call, failing_call) != 0)
    return FALSE;

  failing_call = NULL;
  errno = failing_errno;
  return TRUE;
}

int __real_close (int fd);
int __wrap_close (int fd);
int __real_fstat64 (int fd, struct stat *st);
int __wrap_fstat64 (int fd, struct stat *st);
int __real_ftruncate64 (int fd, off_t size);
int __wrap_ftruncate64 (int fd, off_t size);
off_t __real_lseek64 (int fd, off_t offset, int whence);
off_t __wrap_lseek64 (int fd, off_t offset, int whence);
ssize_t __real_pread64 (int fd, void *data, size_t count, off_t offset);
ssize_t __wrap_pread64 (int fd, void *data, size_t count, off_t offset);
ssize_t __real_pwrite64 (int fd, const void *data, size_t count, off_t offset);
ssize_t __wrap_pwrite64 (int fd, const void *data, size_t count, off_t offset);

/* The descriptor is closed in any case. */
int
__wrap_close (int fd)
{
  int result = __real_close (fd);

  return fails ("close") ? -1 : result;
}

int
__wrap_fstat64 (int          fd,
                struct stat *st)
{
  int result = fails ("fstat") ? -1 : __real_fstat64 (fd, st);

  if (told_size >= 0)
    st->st_size = told_size;
  return result;
}

int
__wrap_ftruncate64 (int   fd,
                    off_t size)
{
  return fails ("ftruncate") ? -1 : __real_ftruncate64 (fd, size);
}

off_t
__wrap_lseek64 (int   fd,
                off_t offset,
                int   whence)
{
  off_t result = __real_lseek64 (fd, offset, whence);

  return whence == SEEK_END && told_size >= 0 ? told_size : result;
}

ssize_t
__wrap_pread64 (int     fd,
                void   *data,
                size_t  count,
                off_t   offset)
{
  if (fails ("pread"))
    return -1;

  if (lost_from >= 0)
    count = MIN (count, (size_t) MAX (lost_from - offset, 0));
  return __real_pread64 (fd, data, count, offset);
}

static gboolean may_lose;

gboolean __wrap_tf_system_may_lose (int fd);
int __wrap_sync_file_range (int fd, off_t start, off_t length, unsigned int flags);

gboolean
__wrap_tf_system_may_lose (int fd)
{
  return may_lose;
}

int
__wrap_sync_file_range (int          fd,
                        off_t        start,
                        off_t        length,
                        unsigned int flags)
{
  return fails ("sync_file_range") ? -1 : 0;
}

/* Only what does not begin the copy fails. */
ssize_t
__wrap_pwrite64 (int         fd,
                 const void *data,
                 size_t      count,
                 off_t       offset)
{
  return offset > 0 && fails ("pwrite") ? -1 : __real_pwrite64 (fd, data, count, offset);
}

typedef struct
{
  goffset     size;         /* as tf_disk_copy_file() gets it */
  goffset     told_size;
  goffset     lost_from;
  const char *failing_call; /* (nullable) */
  int         failing_errno;
  const char *expected;     /* (nullable): the beginning of the message */
} Case;

static void
assert_copied (const Case *self)
{
  tf_autofd int from = open ("from", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  tf_autofd int to = open ("to", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  g_autoptr(GError) error = NULL;
  char found[2 * SIZE] = "";
  goffset size = self->size;
  gboolean success;

  g_assert_cmpint (write (from, CONTENT, SIZE), ==, SIZE);
  told_size = self->told_size;
  lost_from = self->lost_from;
  failing_call = self->failing_call;
  failing_errno = self->failing_errno;
  success = tf_disk_copy_file (from, "/from", &size, to, "/to", NULL, NULL, &error);
  told_size = lost_from = -1;
  g_assert_null (failing_call);

  if (self->expected != NULL)
    {
      g_assert_false (success);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
      g_assert_true (g_str_has_prefix (error->message, self->expected));
    }
  else
    {
      g_assert_no_error (error);
      g_assert_true (success);
      g_assert_cmpint (size, ==, SIZE);
      g_assert_cmpint (pread (to, found, sizeof found, 0), ==, size);
      g_assert_cmpstr (found, ==, CONTENT);
    }

  g_assert_cmpint (unlink ("from"), ==, 0);
  g_assert_cmpint (unlink ("to"), ==, 0);
}

/* A file that nobody else changes has the size that is known. */
static void
test_own (void)
{
  const Case cases[] = {
    { SIZE, -1, -1, NULL, 0, NULL },
    { SIZE, -1, -1, "pread", EINTR, NULL },
    { SIZE, -1, 4, NULL, 0, "read “/from”" },
    { SIZE, 4, -1, NULL, 0, NULL },
    { SIZE, 4, -1, "ftruncate", EINTR, NULL },
    { SIZE, 4, -1, "ftruncate", EIO, "ftruncate “/from”" },
    { SIZE, 4, 4, NULL, 0, "read “/from”" },
    { SIZE + 5, -1, -1, NULL, 0, "read “/from”" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_copied (&cases[i]);
}

/* One that others change ends where reading it ends. */
static void
test_shared (void)
{
  const Case cases[] = {
    { -1, -1, -1, NULL, 0, NULL },
    { -1, 4, -1, NULL, 0, NULL },
    { -1, 4, -1, "pwrite", EIO, "write “/to”" },
    { TF_DISK_UNTOLD_SIZE, -1, -1, NULL, 0, NULL },
    { TF_DISK_UNTOLD_SIZE, -1, -1, "pread", EINTR, NULL },
    { TF_DISK_UNTOLD_SIZE, -1, -1, "pread", EIO, "read “/from”" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_copied (&cases[i]);
}

/* What a file system tells when a descriptor is closed is kept for later. */
static void
test_settle (void)
{
  tf_autofd int fd = open (".", O_RDONLY | O_CLOEXEC);
  g_autoptr(GError) error = NULL;
  int lost_errno = 0;

  failing_call = "close";
  failing_errno = EINTR;
  g_assert_true (tf_disk_settle (fd, "/from", &lost_errno, &error));
  g_assert_cmpint (lost_errno, ==, 0);

  failing_call = "close";
  failing_errno = EDQUOT;
  g_assert_false (tf_disk_settle (fd, "/from", &lost_errno, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_true (g_str_has_prefix (error->message, "close “/from”"));
  g_assert_cmpint (lost_errno, ==, EDQUOT);
  g_clear_error (&error);

  /* The kernel may keep it for somebody else. */
  if (tf_test_is_portable ())
    return;

  may_lose = TRUE;
  lost_errno = 0;
  failing_call = "sync_file_range";
  failing_errno = EINVAL;
  g_assert_true (tf_disk_settle (fd, "/from", &lost_errno, &error));
  failing_call = "sync_file_range";
  failing_errno = EIO;
  g_assert_false (tf_disk_settle (fd, "/from", &lost_errno, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpint (lost_errno, ==, EIO);
  may_lose = FALSE;
}

static gboolean
settle_copy (goffset      size,
             const char  *call,
             int          with_errno,
             GError     **error)
{
  tf_autofd int fd = open ("from", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  gboolean success;

  g_assert_cmpint (write (fd, CONTENT, SIZE), ==, SIZE);
  failing_call = call;
  failing_errno = with_errno;
  success = tf_disk_settle_copy (fd, "/from", size, error);
  g_assert_null (failing_call);
  g_assert_cmpint (unlink ("from"), ==, 0);
  return success;
}

/* What cannot be looked at is not taken for whole. */
static void
test_settle_copy (void)
{
  const struct { goffset size; const char *call; int with_errno; const char *expected; } cases[] = {
    { SIZE, NULL, 0, NULL },
    { SIZE, "fstat", EIO, "fstat “/from”" },
    { SIZE, "fstat", ESTALE, NULL },
    { SIZE + 5, NULL, 0, "read “/from”" },
    { SIZE + 5, "pread", EIO, "read “/from”" },
    { SIZE + 5, "pread", EINTR, "read “/from”" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(GError) error = NULL;
      gboolean success = settle_copy (cases[i].size, cases[i].call, cases[i].with_errno, &error);

      g_assert_true (success == (cases[i].expected == NULL));
      if (!success)
        g_assert_true (g_str_has_prefix (error->message, cases[i].expected));
    }
}

static void
test_cancelled (void)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  tf_autofd int from = open (".", O_RDONLY | O_CLOEXEC);
  goffset size = 1;
  g_autoptr(GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_false (tf_disk_copy_file (from, "/from", &size, -1, "/to", NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);
  /* What the kernel copies by itself cannot be interfered with. */
  tf_system_missing = TF_SYSTEM_CLONE | TF_SYSTEM_COPY_FILE_RANGE;

  g_test_add_func ("/disk/copy/own", test_own);
  g_test_add_func ("/disk/copy/shared", test_shared);
  g_test_add_func ("/disk/copy/cancelled", test_cancelled);
  g_test_add_func ("/disk/settle", test_settle);
  g_test_add_func ("/disk/settle-copy", test_settle_copy);

  return tf_test_run ();
}
