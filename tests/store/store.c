/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "store/tf-store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-task.h"
#include "names/tf-open.h"
#include "tf-test.h"

#define OWNER_KEY "tf-test-owner"

typedef enum
{
  DISK_REFUSES_TO_OPEN,
  DISK_IS_FULL,
  DISK_HAS_A_BIT_OF_ROOM,
  DISK_WORKS,
} Disk;

#define ROOM 7

/* What a store in memory belongs to, with a disk of which the test says what it does. */
typedef struct
{
  GObject *object;
  TfStore *store;
  Disk disk;
  guint n_opened;
  guint n_told;
  goffset told_at; /* position in the callback */
} Owner;

static gpointer
prepare_disk (gpointer object)
{
  return object;
}

static int
open_disk (gpointer       object,
           char         **where,
           GCancellable  *cancellable,
           GError       **error)
{
  const TfTemplate here = { .dir = (char *) ".", .mode = 0600 };
  Owner *owner = g_object_get_data (object, OWNER_KEY);
  int fd = -1;

  owner->n_opened++;
  /* Would wait for ever if the lock were held. */
  g_assert_cmpint (tf_store_get_size (owner->store), >=, 0);
  *where = g_strdup ("/where");
  switch (owner->disk)
    {
    case DISK_REFUSES_TO_OPEN:
      tf_errno_set (error, EMFILE, "open", *where);
      return -1;

    case DISK_IS_FULL:
      fd = open ("/dev/full", O_RDWR | O_CLOEXEC);
      break;

    case DISK_HAS_A_BIT_OF_ROOM:
      tf_test_limit_file_size (ROOM);
      fd = tf_open_unnamed (&here, cancellable, error);
      break;

    case DISK_WORKS:
      fd = tf_open_unnamed (&here, cancellable, error);
      break;
    }

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static void
rolled_over (gpointer object)
{
  Owner *owner = g_object_get_data (object, OWNER_KEY);

  owner->n_told++;
  /* Would wait for ever if the lock were held. */
  owner->told_at = tf_store_tell (owner->store);
}

static const TfStoreFuncs funcs = {
  .prepare = prepare_disk,
  .open = open_disk,
  .rolled_over = rolled_over,
};

static void
owner_init (Owner  *owner,
            gint64  max_size)
{
  *owner = (Owner) {
    .object = g_object_new (G_TYPE_OBJECT, NULL),
    .store = tf_store_new (),
    .disk = DISK_WORKS,
  };
  g_object_set_data (owner->object, OWNER_KEY, owner);
  tf_store_open_in_memory (owner->store, max_size, &funcs, owner->object);
}

static void
owner_clear (Owner *owner)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_store_close (owner->store, &error));
  g_assert_no_error (error);
  tf_store_unref (owner->store);
  g_assert_finalize_object (owner->object);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Owner, owner_clear)

static void
write_text (TfStore    *store,
            const char *text)
{
  g_autoptr(GError) error = NULL;
  gsize n_written;

  g_assert_true (tf_store_write_locking (store, text, strlen (text), &n_written, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_written, ==, strlen (text));
}

static void
seek (TfStore   *store,
      goffset    offset,
      GSeekType  type)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_store_seek (store, offset, type, NULL, &error));
  g_assert_no_error (error);
}

static void
assert_store (TfStore    *store,
              goffset     position,
              const char *content,
              gsize       size)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;

  g_assert_cmpint (tf_store_tell (store), ==, position);
  g_assert_cmpint (tf_store_get_size (store), ==, size);
  seek (store, 0, G_SEEK_SET);
  bytes = tf_store_read_bytes (store, G_MAXSIZE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), content, size);
  seek (store, position, G_SEEK_SET);
}

/* The calls that make a file with ten bytes, at position 4, with max-size 10, roll over. */

static gboolean
trigger_write (TfStore  *store,
               GError  **error)
{
  gsize n_written = 99;
  gboolean success = tf_store_write_locking (store, "abcdefghij", 10, &n_written, NULL, error);

  g_assert_cmpuint (n_written, ==, success ? 10 : 0);
  return success;
}

static gboolean
trigger_write_at_end (TfStore  *store,
                      GError  **error)
{
  gsize n_written = 99;
  gboolean success;

  seek (store, 0, G_SEEK_END);
  success = tf_store_write_locking (store, "!", 1, &n_written, NULL, error);
  if (!success)
    {
      g_assert_cmpuint (n_written, ==, 0);
      g_assert_cmpint (tf_store_tell (store), ==, 10);
      seek (store, 4, G_SEEK_SET);
    }
  return success;
}

static gboolean
trigger_write_behind_gap (TfStore  *store,
                          GError  **error)
{
  gsize n_written;
  gboolean success;

  seek (store, 12, G_SEEK_SET);
  success = tf_store_write_locking (store, "!", 1, &n_written, NULL, error);
  if (!success)
    {
      g_assert_cmpint (tf_store_tell (store), ==, 12);
      seek (store, 4, G_SEEK_SET);
    }
  return success;
}

static gboolean
trigger_truncate (TfStore  *store,
                  GError  **error)
{
  return tf_store_truncate (store, 11, NULL, error);
}

static gboolean
trigger_roll_over (TfStore  *store,
                   GError  **error)
{
  return tf_store_roll_over (store, NULL, error);
}

static gboolean
trigger_get_fd (TfStore  *store,
                GError  **error)
{
  return tf_store_get_fd (store, NULL, error) >= 0;
}

typedef struct
{
  const char *name;
  gboolean (*trigger) (TfStore  *store,
                       GError  **error);
  goffset position;
  const char *content;
  gsize size;
} Trigger;

static const Trigger triggers[] = {
  { "write", trigger_write, 14, "0123abcdefghij", 14 },
  { "write-at-end", trigger_write_at_end, 11, "0123456789!", 11 },
  { "write-behind-gap", trigger_write_behind_gap, 13, "0123456789\0\0!", 13 },
  { "truncate", trigger_truncate, 4, "0123456789\0", 11 },
  { "roll-over", trigger_roll_over, 4, "0123456789", 10 },
  { "get-fd", trigger_get_fd, 4, "0123456789", 10 },
};

static void
refuse (Owner         *owner,
        const Trigger *trigger,
        Disk           disk,
        GIOErrorEnum   code)
{
  g_autoptr(GError) error = NULL;
  guint n_fds = tf_test_count_fds ();
  guint n_opened = owner->n_opened;
  gboolean success;

  owner->disk = disk;
  success = trigger->trigger (owner->store, &error);
  if (disk == DISK_HAS_A_BIT_OF_ROOM)
    tf_test_unlimit_file_size ();

  g_assert_false (success);
  g_assert_error (error, G_IO_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, "“/where”"));
  g_assert_cmpuint (owner->n_opened, ==, n_opened + 1);
  g_assert_cmpuint (owner->n_told, ==, 0);
  g_assert_false (tf_store_has_rolled_over (owner->store));
  g_assert_cmpuint (tf_test_count_fds (), ==, n_fds);
  assert_store (owner->store, 4, "0123456789", 10);
}

/* However often the disk refuses, every byte, the size and the position stay; then the same call succeeds. */
static void
test_refused_rollover (gconstpointer data)
{
  const Trigger *trigger = data;
  g_auto(Owner) owner = { NULL, };
  g_autoptr(GError) error = NULL;

  owner_init (&owner, 10);
  write_text (owner.store, "0123456789");
  seek (owner.store, 4, G_SEEK_SET);
  g_assert_cmpuint (owner.n_opened, ==, 0);

  for (int i = 0; i < 3; i++)
    {
      refuse (&owner, trigger, DISK_REFUSES_TO_OPEN, G_IO_ERROR_TOO_MANY_OPEN_FILES);
      refuse (&owner, trigger, DISK_IS_FULL, G_IO_ERROR_NO_SPACE);
      refuse (&owner, trigger, DISK_HAS_A_BIT_OF_ROOM, G_IO_ERROR_NO_SPACE);
    }

  owner.disk = DISK_WORKS;
  g_assert_true (trigger->trigger (owner.store, &error));
  g_assert_no_error (error);
  g_assert_true (tf_store_has_rolled_over (owner.store));
  g_assert_cmpuint (owner.n_told, ==, 1);
  g_assert_cmpint (owner.told_at, ==, trigger->position);
  assert_store (owner.store, trigger->position, trigger->content, trigger->size);
  g_assert_cmpuint (tf_test_count_entries ("."), ==, 0);

  /* Once is enough. */
  g_assert_true (tf_store_roll_over (owner.store, NULL, &error));
  g_assert_true (trigger_truncate (owner.store, &error));
  g_assert_cmpuint (owner.n_told, ==, 1);
  g_assert_cmpuint (owner.n_opened, ==, 10);
}

/* What lies between holes cannot be written either. */
static void
test_refused_rollover_with_holes (void)
{
  g_auto(Owner) owner = { NULL, };
  g_autoptr(GError) error = NULL;
  const goffset end = 16 * 1024 * 1024;
  char last[4];
  gsize n_read;

  owner_init (&owner, -1);
  write_text (owner.store, "first");
  seek (owner.store, end, G_SEEK_SET);
  write_text (owner.store, "last");
  for (int i = 0; i < 2; i++)
    {
      owner.disk = i == 0 ? DISK_IS_FULL : DISK_WORKS;
      g_assert_cmpint (tf_store_roll_over (owner.store, NULL, &error), ==, i == 1);
      if (i == 0)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
      g_clear_error (&error);
      g_assert_cmpint (tf_store_has_rolled_over (owner.store), ==, i == 1);
      g_assert_cmpint (tf_store_get_size (owner.store), ==, end + 4);
      seek (owner.store, end, G_SEEK_SET);
      g_assert_true (tf_store_read_locking (owner.store, last, 4, &n_read, NULL, NULL));
      g_assert_cmpmem (last, n_read, "last", 4);
    }
}

static void
test_cancelled_rollover (void)
{
  g_auto(Owner) owner = { NULL, };
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;

  owner_init (&owner, 10);
  write_text (owner.store, "0123456789");
  g_cancellable_cancel (cancellable);
  g_assert_false (tf_store_roll_over (owner.store, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (tf_store_has_rolled_over (owner.store));
  g_assert_cmpuint (owner.n_opened, ==, 0);
  assert_store (owner.store, 10, "0123456789", 10);
}

/* Rollover was a success, what came after it was not: it is held back, and neither lost nor written twice. */
static void
test_write_after_rollover_fails (void)
{
  g_auto(Owner) owner = { NULL, };
  g_autoptr(GError) error = NULL;
  gsize n_written;

  owner_init (&owner, 5);
  owner.disk = DISK_HAS_A_BIT_OF_ROOM;
  write_text (owner.store, "01234");
  g_assert_true (tf_store_write_locking (owner.store, "56789", 5, &n_written, NULL, &error));
  g_assert_cmpuint (n_written, ==, 5);
  g_assert_false (tf_store_flush (owner.store, NULL, &error));
  tf_test_unlimit_file_size ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_true (tf_store_has_rolled_over (owner.store));
  g_assert_cmpuint (owner.n_told, ==, 1);
  g_assert_cmpint (tf_store_get_size (owner.store), ==, 10);
  g_clear_error (&error);
  g_assert_true (tf_store_flush (owner.store, NULL, &error));
  assert_store (owner.store, 10, "0123456789", 10);
}

static void
test_sparse_seek (void)
{
  g_auto(Owner) owner = { NULL, };
  char byte;
  gsize n_read;

  owner_init (&owner, 10);
  seek (owner.store, G_MAXINT64, G_SEEK_SET);
  g_assert_cmpint (tf_store_get_size (owner.store), ==, 0);
  g_assert_null (owner.store->backing.memory.data);
  g_assert_cmpuint (owner.n_opened, ==, 0);
  g_assert_true (tf_store_read_locking (owner.store, &byte, 1, &n_read, NULL, NULL));
  g_assert_cmpuint (n_read, ==, 0);

  seek (owner.store, 3, G_SEEK_SET);
  write_text (owner.store, "x");
  assert_store (owner.store, 4, "\0\0\0x", 4);
  g_assert_cmpuint (owner.n_opened, ==, 0);
}

/* No computer has memory for this: to disk. What the disk says to it depends on the file system. */
static void
test_no_memory (gconstpointer data)
{
  const goffset far = (goffset) 1 << GPOINTER_TO_INT (data);
  g_auto(Owner) owner = { NULL, };
  g_autoptr(GError) error = NULL;
  gsize n_written;
  gboolean success;

  owner_init (&owner, -1);
  write_text (owner.store, "start");
  seek (owner.store, far, G_SEEK_SET);
  owner.disk = DISK_REFUSES_TO_OPEN;
  g_assert_false (tf_store_write_locking (owner.store, "end", 3, &n_written, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_clear_error (&error);
  g_assert_false (tf_store_truncate (owner.store, far, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_clear_error (&error);
  assert_store (owner.store, far, "start", 5);

  owner.disk = DISK_WORKS;
  success = tf_store_write_locking (owner.store, "end", 3, &n_written, NULL, &error);
  g_assert_true (tf_store_has_rolled_over (owner.store));
  g_assert_cmpuint (owner.n_told, ==, 1);
  if (success)
    {
      g_autoptr(GBytes) end = NULL;

      g_assert_cmpint (tf_store_get_size (owner.store), ==, far + 3);
      seek (owner.store, -4, G_SEEK_END);
      end = tf_store_read_bytes (owner.store, G_MAXSIZE, NULL, &error);
      g_assert_cmpmem (g_bytes_get_data (end, NULL), g_bytes_get_size (end), "\0end", 4);
    }
  else
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
      g_assert_cmpuint (n_written, ==, 0);
      assert_store (owner.store, far, "start", 5);
    }
}

static void
assert_too_large_to_read (goffset far)
{
  g_auto(Owner) owner = { NULL, };
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;

  owner_init (&owner, 0);
  if (!tf_store_truncate (owner.store, far, NULL, NULL))
    {
      g_test_skip ("the file system has no files of that size");
      return;
    }

  bytes = tf_store_read_bytes (owner.store, G_MAXSIZE, NULL, &error);
  g_assert_null (bytes);
  g_assert_error (error, G_IO_ERROR, (gint) g_io_error_from_errno (ENOMEM));
  g_assert_cmpint (tf_store_tell (owner.store), ==, 0);
}

/* With 32 bits that begins where a size, or a difference of pointers, ends. */
static void
test_too_large_to_read (void)
{
  assert_too_large_to_read ((goffset) 1 << 43);

#if GLIB_SIZEOF_SIZE_T == 4
  assert_too_large_to_read ((goffset) G_MAXSSIZE + 1);
  assert_too_large_to_read (G_MAXSIZE);
  assert_too_large_to_read ((goffset) G_MAXSIZE + 6);
#endif
}

static void
test_largest_offset (gconstpointer data)
{
  g_auto(Owner) owner = { NULL, };
  g_autoptr(GError) error = NULL;
  gsize n_written;

  owner_init (&owner, GPOINTER_TO_INT (data));
  write_text (owner.store, "start");
  seek (owner.store, G_MAXINT64 - 1, G_SEEK_SET);
  g_assert_false (tf_store_write_locking (owner.store, "end", 3, &n_written, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpuint (n_written, ==, 0);
  assert_store (owner.store, G_MAXINT64 - 1, "start", 5);
}

static void
test_max_size (void)
{
  const struct
  {
    gint64 max_size;
    gsize size;
    gboolean in_memory;
  } cases[] = {
    { 0, 0, TRUE }, { 0, 1, FALSE },
    { 1, 1, TRUE }, { 1, 2, FALSE },
    { 10, 10, TRUE }, { 10, 11, FALSE },
    { -1, 5000000, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(Owner) owner = { NULL, };
      g_auto(Owner) truncated = { NULL, };
      g_autofree char *text = g_strnfill (cases[i].size, 'x');

      owner_init (&owner, cases[i].max_size);
      write_text (owner.store, text);
      g_assert_true (tf_store_has_rolled_over (owner.store) == !cases[i].in_memory);

      owner_init (&truncated, cases[i].max_size);
      g_assert_true (tf_store_truncate (truncated.store, cases[i].size, NULL, NULL));
      g_assert_true (tf_store_has_rolled_over (truncated.store) == !cases[i].in_memory);
      if (cases[i].in_memory && cases[i].max_size >= 0)
        g_assert_cmpuint (truncated.store->backing.memory.capacity, <=, cases[i].max_size);
    }
}

static void
test_shared_position (void)
{
  g_auto(Owner) owner = { NULL, };
  g_autoptr(GError) error = NULL;
  char bytes[4];
  int fd;

  owner_init (&owner, 10);
  write_text (owner.store, "0123456789");
  seek (owner.store, 4, G_SEEK_SET);
  fd = tf_store_get_fd (owner.store, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 4);

  /* Whoever moves the one moves the other. */
  g_assert_cmpint (read (fd, bytes, 2), ==, 2);
  g_assert_cmpmem (bytes, 2, "45", 2);
  g_assert_cmpint (tf_store_tell (owner.store), ==, 6);
  write_text (owner.store, "ab");
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 8);
  seek (owner.store, -1, G_SEEK_CUR);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 7);
  g_assert_cmpint (write (fd, "cdef", 4), ==, 4);
  assert_store (owner.store, 11, "012345acdef", 11);

  /* Truncation moves neither. */
  g_assert_true (tf_store_truncate (owner.store, 3, NULL, &error));
  g_assert_cmpint (tf_store_tell (owner.store), ==, 11);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 11);

  g_assert_cmpint (tf_store_get_fd (owner.store, NULL, &error), ==, fd);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 11);
}

static void
assert_all_calls_fail (TfStore      *store,
                       GIOErrorEnum  code)
{
  GError *errors[7] = { NULL, };
  char byte = 0;
  gsize n = 9;

  g_assert_false (tf_store_read_locking (store, &byte, 1, &n, NULL, &errors[0]));
  g_assert_cmpuint (n, ==, 0);
  n = 9;
  g_assert_false (tf_store_write_locking (store, &byte, 1, &n, NULL, &errors[1]));
  g_assert_cmpuint (n, ==, 0);
  g_assert_null (tf_store_read_bytes (store, 1, NULL, &errors[2]));
  g_assert_false (tf_store_seek (store, 0, G_SEEK_SET, NULL, &errors[3]));
  g_assert_false (tf_store_truncate (store, 0, NULL, &errors[4]));
  g_assert_false (tf_store_roll_over (store, NULL, &errors[5]));
  g_assert_cmpint (tf_store_get_fd (store, NULL, &errors[6]), ==, -1);
  g_assert_cmpint (tf_store_get_size (store), ==, 0);
  g_assert_cmpint (tf_store_tell (store), ==, 0);

  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_assert_error (errors[i], G_IO_ERROR, (gint) code);
      g_clear_error (&errors[i]);
    }
}

static void
test_states (void)
{
  g_autoptr(TfStore) store = tf_store_new ();
  const TfTemplate here = { .dir = (char *) ".", .mode = 0600 };
  g_autoptr(GError) error = NULL;

  g_assert_true (tf_store_is_blank (store));
  assert_all_calls_fail (store, G_IO_ERROR_NOT_INITIALIZED);

  tf_store_open_on_disk (store, TF_STORE_VISIBLE, tf_open_unnamed (&here, NULL, NULL), "/where", NULL, NULL);
  g_assert_false (tf_store_is_blank (store));
  g_assert_false (tf_store_has_rolled_over (store));
  write_text (store, "Hello");
  assert_store (store, 5, "Hello", 5);

  g_assert_true (tf_store_close (store, &error));
  g_assert_true (tf_store_close (store, &error));
  g_assert_no_error (error);
  g_assert_false (tf_store_is_blank (store));
  assert_all_calls_fail (store, G_IO_ERROR_CLOSED);
}

static void
test_seek_bounds (void)
{
  const struct
  {
    goffset offset;
    GSeekType type;
    goffset position; /* -1: refused */
  } cases[] = {
    { -1, G_SEEK_SET, -1 },
    { G_MININT64, G_SEEK_SET, -1 },
    { G_MININT64, G_SEEK_CUR, -1 },
    { G_MININT64, G_SEEK_END, -1 },
    { -4, G_SEEK_CUR, -1 },
    { -3, G_SEEK_CUR, 0 },
    { -6, G_SEEK_END, -1 },
    { -5, G_SEEK_END, 0 },
    { G_MAXINT64, G_SEEK_CUR, -1 },
    { G_MAXINT64 - 3, G_SEEK_CUR, G_MAXINT64 },
    { G_MAXINT64 - 4, G_SEEK_END, -1 },
    { G_MAXINT64 - 5, G_SEEK_END, G_MAXINT64 },
    { G_MAXINT64, G_SEEK_SET, G_MAXINT64 },
  };
  g_auto(Owner) owner = { NULL, };

  owner_init (&owner, 10);
  write_text (owner.store, "Hello");
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(GError) error = NULL;

      seek (owner.store, 3, G_SEEK_SET);
      if (tf_store_seek (owner.store, cases[i].offset, cases[i].type, NULL, &error))
        {
          g_assert_no_error (error);
          g_assert_cmpint (tf_store_tell (owner.store), ==, cases[i].position);
          continue;
        }

      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
      g_assert_cmpint (cases[i].position, ==, -1);
      g_assert_cmpint (tf_store_tell (owner.store), ==, 3);
    }
}

#define THREAD_WRITES 2000

static gpointer
write_in_thread (gpointer data)
{
  for (int i = 0; i < THREAD_WRITES; i++)
    write_text (data, "abcdefgh");

  return NULL;
}

/* Each call is one piece: nothing is torn, nothing lost, while the file rolls over under two writers. */
static void
test_threads (void)
{
  g_auto(Owner) owner = { NULL, };
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;
  GThread *thread;
  gsize size;
  const char *content;

  owner_init (&owner, 8 * THREAD_WRITES);
  thread = g_thread_new ("writer", write_in_thread, owner.store);
  write_in_thread (owner.store);
  g_thread_join (thread);

  seek (owner.store, 0, G_SEEK_SET);
  bytes = tf_store_read_bytes (owner.store, G_MAXSIZE, NULL, &error);
  g_assert_no_error (error);
  content = g_bytes_get_data (bytes, &size);
  g_assert_cmpuint (size, ==, 2 * 8 * THREAD_WRITES);
  for (gsize i = 0; i < size; i += 8)
    g_assert_cmpmem (content + i, 8, "abcdefgh", 8);
  g_assert_cmpuint (owner.n_told, ==, 1);
}

/* While another thread has the lock, as a reader does, what is asked is what this thread did before. */
static void
assert_seen (TfStore *store,
             goffset  position,
             goffset  size)
{
  g_mutex_lock (&store->lock);
  g_assert_cmpint (tf_store_tell (store), ==, position);
  g_assert_cmpint (tf_store_get_size (store), ==, size);
  g_mutex_unlock (&store->lock);
}

static void
test_asked_while_locked (gconstpointer data)
{
  g_auto(Owner) owner = { NULL, };
  g_autoptr(GError) error = NULL;
  const guint8 *bytes;
  char buffer[8];
  gsize count;

  owner_init (&owner, GPOINTER_TO_INT (data));
  if (GPOINTER_TO_INT (data) == 0)
    g_assert_true (tf_store_roll_over (owner.store, NULL, &error));
  assert_seen (owner.store, 0, 0);
  write_text (owner.store, "0123456789");
  assert_seen (owner.store, 10, 10);
  write_text (owner.store, "a");
  assert_seen (owner.store, 11, 11);
  g_assert_true (tf_store_seek (owner.store, 2, G_SEEK_SET, NULL, &error));
  assert_seen (owner.store, 2, 11);
  g_assert_true (tf_store_read_locking (owner.store, buffer, 3, &count, NULL, &error));
  assert_seen (owner.store, 5, 11);
  bytes = tf_store_fill (owner.store, 1, &count, NULL, &error) ? tf_store_peek (owner.store, &count) : NULL;
  g_assert_nonnull (bytes);
  g_assert_true (tf_store_consume (owner.store, 1, &error));
  assert_seen (owner.store, 6, 11);
  g_assert_true (tf_store_skip (owner.store, 1, &count, NULL, &error));
  assert_seen (owner.store, 7, 11);
  g_assert_true (tf_store_truncate (owner.store, 9, NULL, &error));
  assert_seen (owner.store, 7, 9);
  g_assert_true (tf_store_roll_over (owner.store, NULL, &error));
  assert_seen (owner.store, 7, 9);
}

/* An asynchronous operation begins while another thread, as a reader, has the lock. */
static void
test_gate_closed_while_locked (gconstpointer data)
{
  g_auto(Owner) owner = { NULL, };
  g_autoptr(GError) error = NULL;
  char line[8];
  gsize length;

  owner_init (&owner, GPOINTER_TO_INT (data));
  if (GPOINTER_TO_INT (data) == 0)
    g_assert_true (tf_store_roll_over (owner.store, NULL, &error));
  write_text (owner.store, "0123");
  g_assert_true (tf_store_write_at_rest (owner.store, "4", 1));

  g_mutex_lock (&owner.store->lock);
  g_assert_false (tf_store_write_at_rest (owner.store, "x", 1));
  g_assert_false (tf_store_read_line_at_rest (owner.store, line, sizeof line, &length));
  tf_store_close_gate (owner.store);
  g_mutex_unlock (&owner.store->lock);
  g_assert_false (tf_store_write_at_rest (owner.store, "x", 1));
  assert_store (owner.store, 5, "01234", 5);

  tf_store_open_gate (owner.store);
  g_assert_true (tf_store_write_at_rest (owner.store, "5", 1));
}

/* After an asynchronous operation, the fast paths are open again. */
static void
test_gate_opened (gconstpointer data)
{
  g_auto(Owner) owner = { NULL, };

  owner_init (&owner, GPOINTER_TO_INT (data));
  write_text (owner.store, "0123");
  tf_store_close_gate (owner.store);
  g_assert_false (owner.store->at_rest);
  tf_store_open_gate (owner.store);
  g_assert_true (owner.store->at_rest);
}

/* An owner that goes is neither asked nor told any more, and gets back no reference. */
static void
test_owner_goes (void)
{
  g_auto(Owner) owner = { NULL, };
  g_autoptr(GError) error = NULL;

  owner_init (&owner, -1);
  write_text (owner.store, "0123");
  tf_store_close_gate (owner.store);
  for (int i = 0; i < 2; i++)
    tf_store_part_with_owner (owner.store);
  g_assert_true (tf_store_check_stream_idle (owner.store, &error));
  g_assert_no_error (error);
  g_assert_true (tf_store_roll_over (owner.store, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (owner.n_opened, ==, 1);
  g_assert_cmpuint (owner.n_told, ==, 0);
  assert_store (owner.store, 4, "0123", 4);
}

#define LARGE (2 * 1024 * 1024)

typedef gboolean (*StoreCall) (TfStore       *store,
                               GCancellable  *cancellable,
                               GError       **error);

static gboolean
write_large (TfStore       *store,
             GCancellable  *cancellable,
             GError       **error)
{
  g_autofree char *data = g_strnfill (LARGE, 'x');

  return tf_store_write_locking (store, data, LARGE, NULL, cancellable, error);
}

static gboolean
write_large_vector (TfStore       *store,
                    GCancellable  *cancellable,
                    GError       **error)
{
  g_autofree char *data = g_strnfill (LARGE, 'x');
  const GOutputVector vector = { data, LARGE };
  gsize n_written;

  return tf_store_writev (store, &vector, 1, &n_written, cancellable, error);
}

static gboolean
read_large (TfStore       *store,
            GCancellable  *cancellable,
            GError       **error)
{
  g_autofree char *data = g_malloc (LARGE);
  gsize n_read;

  return tf_store_read_locking (store, data, LARGE, &n_read, cancellable, error) && n_read == LARGE;
}

/* More than there is */
static gboolean
read_in_pieces (TfStore       *store,
                GCancellable  *cancellable,
                GError       **error)
{
  g_autofree char *data = g_malloc (2 * LARGE);
  gsize n_read;

  return tf_store_read_in_pieces (store, data, 2 * LARGE, &n_read, cancellable, error) && n_read == LARGE;
}

static gboolean
read_long_line (TfStore       *store,
                GCancellable  *cancellable,
                GError       **error)
{
  gsize length = 0;
  g_autofree char *line = tf_store_read_upto (store, "\n", 1, TRUE, &length, cancellable, error);

  return line != NULL && length == LARGE;
}

static gboolean
read_pinned (TfStore       *store,
             GCancellable  *cancellable,
             GError       **error)
{
  char byte;
  gsize n_read;

  return tf_store_pinned_read (store, 0, &byte, 1, &n_read, cancellable, error) && n_read == 1 && byte == 'x';
}

static gboolean
check_blocking (TfStore       *store,
                GCancellable  *cancellable,
                GError       **error)
{
  return tf_store_check_blocking (store, error);
}

/* What is called where nobody may wait, and then in a worker */
typedef struct
{
  TfStore *store;
  StoreCall call;
  guint n_calls;
  gboolean is_done;
} Step;

static gssize
step_func (gpointer       object,
           gpointer       data,
           GCancellable  *cancellable,
           GError       **error)
{
  Step *self = data;

  self->n_calls++;
  if (self->call (self->store, cancellable, error))
    return 0;

  g_assert_cmpint (tf_store_tell (self->store), ==, 0);
  return -1;
}

static void
step_done (GTask  *task,
           gssize  result,
           GError *error)
{
  Step *self = g_task_get_task_data (task);

  g_assert_no_error (error);
  g_assert_cmpint (result, ==, 0);
  self->is_done = TRUE;
}

static void
assert_left_to_worker (TfStore   *store,
                       StoreCall  call,
                       gboolean   is_locked)
{
  g_autoptr(GTask) task = g_task_new (NULL, NULL, NULL, NULL);
  Step step = { store, call, };

  g_task_set_task_data (task, &step, NULL);
  if (is_locked)
    g_mutex_lock (&store->lock);
  tf_task_run_step (task, step_func, step_done);
  if (is_locked)
    g_mutex_unlock (&store->lock);
  while (!step.is_done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (step.n_calls, ==, 2);
}

/* A main loop copies no large file, and waits for no other thread: a worker does. Nothing is done before that. */
static void
test_left_to_worker (void)
{
  const StoreCall large_calls[] = { write_large, write_large_vector, read_large, read_in_pieces, read_long_line };
  const StoreCall locked_calls[] = { read_pinned, check_blocking, tf_store_flush };

  for (gsize i = 0; i < G_N_ELEMENTS (large_calls); i++)
    {
      g_auto(Owner) owner = { NULL, };

      owner_init (&owner, -1);
      if (i >= 2)
        {
          g_assert_true (write_large (owner.store, NULL, NULL));
          seek (owner.store, 0, G_SEEK_SET);
        }
      assert_left_to_worker (owner.store, large_calls[i], FALSE);
      g_assert_cmpint (tf_store_get_size (owner.store), ==, LARGE);
      g_assert_cmpint (tf_store_tell (owner.store), ==, LARGE);
    }

  for (gsize i = 0; i < G_N_ELEMENTS (locked_calls); i++)
    {
      g_auto(Owner) owner = { NULL, };

      owner_init (&owner, -1);
      write_text (owner.store, "x");
      seek (owner.store, 0, G_SEEK_SET);
      assert_left_to_worker (owner.store, locked_calls[i], TRUE);
    }
}

/* It fills what malloc() takes 288 bytes for, so that an empty file takes 450. */
static void
test_size (void)
{
  if (GLIB_SIZEOF_VOID_P == 8)
    g_assert_cmpuint (sizeof (TfStore), <=, 280);
}

int
main (int    argc,
      char **argv)
{
  /* They keep descriptors. */
  g_main_context_default ();
  g_type_ensure (G_TYPE_TASK);
  tf_test_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (triggers); i++)
    {
      g_autofree char *path = g_strdup_printf ("/store/refused-rollover/%s", triggers[i].name);

      g_test_add_data_func (path, &triggers[i], test_refused_rollover);
    }
  g_test_add_func ("/store/refused-rollover/with-holes", test_refused_rollover_with_holes);
  g_test_add_func ("/store/cancelled-rollover", test_cancelled_rollover);
  g_test_add_func ("/store/write-after-rollover-fails", test_write_after_rollover_fails);
  g_test_add_func ("/store/sparse-seek", test_sparse_seek);
  g_test_add_data_func ("/store/no-memory/8-tib", GINT_TO_POINTER (43), test_no_memory);
  g_test_add_data_func ("/store/no-memory/1-eib", GINT_TO_POINTER (60), test_no_memory);
  g_test_add_func ("/store/too-large-to-read", test_too_large_to_read);
  g_test_add_data_func ("/store/largest-offset/memory", GINT_TO_POINTER (-1), test_largest_offset);
  g_test_add_data_func ("/store/largest-offset/disk", GINT_TO_POINTER (0), test_largest_offset);
  g_test_add_func ("/store/max-size", test_max_size);
  g_test_add_func ("/store/shared-position", test_shared_position);
  g_test_add_data_func ("/store/asked-while-locked/memory", GINT_TO_POINTER (-1), test_asked_while_locked);
  g_test_add_data_func ("/store/asked-while-locked/disk", GINT_TO_POINTER (0), test_asked_while_locked);
  g_test_add_data_func ("/store/gate-closed-while-locked/memory", GINT_TO_POINTER (-1), test_gate_closed_while_locked);
  g_test_add_data_func ("/store/gate-closed-while-locked/disk", GINT_TO_POINTER (0), test_gate_closed_while_locked);
  g_test_add_data_func ("/store/gate-opened/memory", GINT_TO_POINTER (-1), test_gate_opened);
  g_test_add_data_func ("/store/gate-opened/disk", GINT_TO_POINTER (0), test_gate_opened);
  g_test_add_func ("/store/owner-goes", test_owner_goes);
  g_test_add_func ("/store/states", test_states);
  g_test_add_func ("/store/seek-bounds", test_seek_bounds);
  g_test_add_func ("/store/threads", test_threads);
  g_test_add_func ("/store/left-to-worker", test_left_to_worker);
  g_test_add_func ("/store/size", test_size);

  return tf_test_run ();
}
