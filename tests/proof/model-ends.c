/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Operations on a file as a whole. */

#include "model.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OLD "old content"

/* --- Persisting ----------------------------------------------------------------------------- */

static TfPersistFlags
choose_flags (const Step *step)
{
  TfPersistFlags flags = TF_PERSIST_NONE;

  if (step->c & 1)
    flags |= TF_PERSIST_REPLACE | (step->c & 2 ? TF_PERSIST_BACKUP : 0);
  else if (step->c & 2)
    flags |= TF_PERSIST_UNIQUE;
  if (step->c & 4)
    flags |= TF_PERSIST_DURABLE;
  if (step->c & 8)
    flags |= TF_PERSIST_PRIVATE;

  return flags;
}

/* A new name, one of another file, or the one that the file has. */
GFile *
model_choose_destination (Model          *self,
                          const Step     *step,
                          TfPersistFlags *flags)
{
  g_autofree char *name = g_strdup_printf ("doc-%u", self->n_names++);
  g_autofree char *path = g_build_filename (self->dir, name, NULL);

  *flags = choose_flags (step);
  if (step->b % 4 == 1 && !g_file_set_contents (path, OLD, -1, NULL))
    return NULL;

  if (step->b % 4 == 2 && self->lasting != NULL)
    {
      *flags &= ~TF_PERSIST_BACKUP;
      return g_file_new_for_path (self->lasting);
    }

  return g_file_new_for_path (path);
}

static gboolean
has_content (const char    *path,
             gconstpointer  data,
             gsize          size)
{
  g_autofree char *content = NULL;
  gsize length;

  return g_file_get_contents (path, &content, &length, NULL) && length == size &&
         (size == 0 || memcmp (content, data, size) == 0);
}

static gboolean
check_backup (Model          *self,
              const char     *path,
              TfPersistFlags  flags,
              gboolean        existed)
{
  g_autofree char *backup = g_strconcat (path, "~", NULL);

  if (existed && flags & TF_PERSIST_BACKUP)
    return has_content (backup, OLD, strlen (OLD)) || model_fail (self, "there is no backup");

  return !g_file_test (backup, G_FILE_TEST_EXISTS) || model_fail (self, "there is a backup of nothing");
}

static gboolean
check_not_persisted (Model          *self,
                     const char     *path,
                     TfPersistFlags  flags,
                     gboolean        existed,
                     const GError   *error,
                     gboolean        cancelled)
{
  if (g_strcmp0 (path, self->lasting) != 0)
    {
      MODEL_CHECK (self, g_file_test (path, G_FILE_TEST_EXISTS) == existed);
      MODEL_CHECK (self, !existed || has_content (path, OLD, strlen (OLD)));
    }

  if (existed && !(flags & (TF_PERSIST_REPLACE | TF_PERSIST_UNIQUE)) &&
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_EXISTS))
    return TRUE;

  return model_is_excused (self, error, cancelled);
}

static void
take_lasting (Model      *self,
              const char *path)
{
  if (self->lasting != NULL && !g_str_equal (self->lasting, path))
    {
      g_ptr_array_add (self->kept, g_strdup (self->lasting));
      g_ptr_array_add (self->kept, g_bytes_new (self->bytes->data, self->bytes->len));
    }

  g_free (self->lasting);
  self->lasting = g_strdup (path);
}

static gboolean
check_durable (Model      *self,
               const char *path)
{
  g_autofree char *gap = self->find_gap != NULL ? self->find_gap (path, self->dir) : NULL;

  return gap == NULL || model_fail (self, "it would not survive a loss of power:%s", gap);
}

/* With @existed, something had the name before. */
gboolean
model_check_persisted (Model          *self,
                       gboolean        success,
                       GFile          *destination,
                       TfPersistFlags  flags,
                       gboolean        existed,
                       GFile          *final,
                       const GError   *error,
                       gboolean        cancelled)
{
  const char *path = g_file_peek_path (destination);
  gboolean is_new_name;

  model_settle (self);
  if (!success && final == NULL)
    return check_not_persisted (self, path, flags, existed, error, cancelled);

  /* With an error as well, if only the last step of a durable one has failed. */
  MODEL_CHECK (self, final != NULL);
  if (!success && (!(flags & TF_PERSIST_DURABLE) || !model_is_excused (self, error, cancelled)))
    return model_fail (self, "it has a name although it failed");
  MODEL_CHECK (self, !existed || (flags & (TF_PERSIST_REPLACE | TF_PERSIST_UNIQUE)));
  if (!(flags & TF_PERSIST_UNIQUE))
    MODEL_CHECK (self, g_file_equal (final, destination));
  if (!has_content (g_file_peek_path (final), self->bytes->data, self->bytes->len))
    return model_fail (self, "what was persisted is not what was written");

  if (g_strcmp0 (g_file_peek_path (final), self->lasting) == 0)
    return TRUE;

  if (success && flags & TF_PERSIST_DURABLE && !check_durable (self, g_file_peek_path (final)))
    return FALSE;

  is_new_name = g_strcmp0 (path, self->lasting) != 0;
  take_lasting (self, g_file_peek_path (final));
  return !is_new_name || check_backup (self, path, flags, existed);
}

typedef struct
{
  goffset n_copied;
  goffset n_all;
} Progress;

static void
on_progress (goffset  n_copied,
             goffset  n_all,
             gpointer user_data)
{
  *(Progress *) user_data = (Progress) { n_copied, n_all };
}

MODEL_OP (model_persist)
{
  TfPersistFlags flags;
  g_autoptr(GFile) destination = model_choose_destination (self, step, &flags);
  g_autoptr(GFile) final = NULL;
  g_autoptr(GError) error = NULL;
  Progress progress = { 0, 0 };
  gboolean existed = g_file_query_exists (destination, NULL);
  gboolean success = tf_temp_file_persist (self->file, destination, flags, NULL, on_progress, &progress, &final, &error);

  MODEL_CHECK (self, !success || progress.n_copied == progress.n_all);
  return model_check_persisted (self, success, destination, flags, existed, final, error, FALSE);
}

/* --- Sealing, stealing, closing ------------------------------------------------------------- */

static gboolean
check_seals (Model *self,
             int    fd)
{
  g_autofree guint8 *data = g_malloc (self->bytes->len + 1);
  gssize n = pread (fd, data, self->bytes->len + 1, 0);

  MODEL_CHECK (self, n == (gssize) self->bytes->len);
  MODEL_CHECK (self, n == 0 || memcmp (data, self->bytes->data, n) == 0);
  MODEL_CHECK (self, lseek (fd, 0, SEEK_CUR) == 0);
  MODEL_CHECK (self, (fcntl (fd, F_GET_SEALS) & 15) == (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
  return TRUE;
}

gboolean
model_check_sealed (Model        *self,
                    int           fd,
                    const GError *error,
                    gboolean      cancelled)
{
  gboolean good;

  model_settle (self);
  if (fd < 0)
    return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED) || model_is_excused (self, error, cancelled);

  good = check_seals (self, fd);
  close (fd);
  return good;
}

MODEL_OP (model_seal)
{
  g_autoptr(GError) error = NULL;
  int fd = tf_temp_file_seal (self->file, NULL, &error);

  return model_check_sealed (self, fd, error, FALSE);
}

gboolean
model_check_stolen (Model        *self,
                    GBytes       *bytes,
                    const GError *error,
                    gboolean      cancelled)
{
  g_autoptr(GBytes) expected = g_bytes_new (self->bytes->data, self->bytes->len);

  model_settle (self);
  if (bytes == NULL)
    {
      MODEL_CHECK (self, !g_io_stream_is_closed (G_IO_STREAM (self->file)));
      return model_is_excused (self, error, cancelled);
    }

  MODEL_CHECK (self, g_bytes_equal (bytes, expected));
  g_ptr_array_add (self->stolen, g_bytes_ref (bytes));
  g_ptr_array_add (self->stolen, g_steal_pointer (&expected));
  return model_reopen (self, TRUE);
}

MODEL_OP (model_steal)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = tf_temp_file_steal_bytes (self->file, NULL, &error);

  return model_check_stolen (self, bytes, error, FALSE);
}

static gboolean
check_closed (Model *self)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) read_error = NULL;
  char byte = 'x';

  MODEL_CHECK (self, !tf_temp_file_write (self->file, &byte, 1, NULL, &error));
  MODEL_CHECK (self, g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED));
  MODEL_CHECK (self, tf_temp_file_read (self->file, &byte, 1, NULL, &read_error) < 0);
  MODEL_CHECK (self, g_error_matches (read_error, G_IO_ERROR, G_IO_ERROR_CLOSED));
  return TRUE;
}

/* Closed, or just let go. */
MODEL_OP (model_close)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = TF_IS_NAMED_FILE (self->file) ? g_strdup (tf_named_file_get_path (TF_NAMED_FILE (self->file)))
                                                        : NULL;
  gboolean error_is_reported = step->c % 4 != 0 || small_disk_is_small ();
  gboolean complete = TRUE;

  if (!error_is_reported)
    g_object_run_dispose (G_OBJECT (self->file));
  else
    complete = g_io_stream_close (G_IO_STREAM (self->file), NULL, &error);

  if (!complete && !model_is_excused (self, error, FALSE))
    return FALSE;
  if (complete && path != NULL && self->lasting == NULL && (error_is_reported || self->excuses == NULL))
    MODEL_CHECK (self, !g_file_test (path, G_FILE_TEST_EXISTS));

  return check_closed (self) && model_reopen (self, complete);
}

/* --- Forking -------------------------------------------------------------------------------- */

/* What a child does, on the file or only on the bytes beside it. */
static gboolean
act (Model      *self,
     const Step *step,
     gboolean    on_file)
{
  g_autoptr(GBytes) bytes = model_make_bytes (self, step_get_length (step));
  goffset target = step_get_offset (step, self->position, self->bytes->len);
  gsize length = g_bytes_get_size (bytes);
  gboolean success = TRUE;

  if (step->c & 1 && target >= 0 && target <= MODEL_MAX_SIZE)
    {
      success &= !on_file || g_seekable_seek (G_SEEKABLE (self->file), target, G_SEEK_SET, NULL, NULL);
      self->position = target;
    }
  if (step->c & 2 && target >= 0 && target <= MODEL_MAX_SIZE)
    {
      success &= !on_file || g_seekable_truncate (G_SEEKABLE (self->file), target, NULL, NULL);
      model_resize (self, target);
    }
  if (step->c & 4 && self->position + length <= MODEL_MAX_SIZE)
    {
      success &= !on_file || tf_temp_file_write (self->file, g_bytes_get_data (bytes, NULL), length, NULL, NULL);
      model_put (self, g_bytes_get_data (bytes, NULL), length);
    }
  if (step->c & 8)
    {
      g_autofree guint8 *data = g_malloc (length + 1);

      success &= !on_file || model_check_read (self, data, tf_temp_file_read (self->file, data, length, NULL, NULL),
                                               length, NULL, FALSE);
      if (!on_file)
        self->position += model_get_rest (self, length);
    }

  return success && (!on_file || tf_temp_file_flush (self->file, NULL, NULL));
}

static void
run_child (Model      *self,
           const Step *step)
{
  gboolean success = act (self, step, TRUE) && model_check (self);

  if (!success && *self->message == '\0')
    model_fail (self, "a call failed");
  _exit (success ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* What is on disk is one file for both, with one position. What is in memory is each one's own. */
MODEL_OP (model_fork)
{
  gboolean was_on_disk = model_is_on_disk (self);
  int status;
  pid_t pid;

  if (small_disk_is_small ())
    return TRUE;

  pid = fork ();
  if (pid == 0)
    run_child (self, step);

  MODEL_CHECK (self, pid > 0);
  MODEL_CHECK (self, waitpid (pid, &status, 0) == pid);
  if (status != 0)
    {
      g_autofree char *message = g_strdup (self->message);

      return model_fail (self, "a child ended with status %x: %s", status, message);
    }

  return !was_on_disk || act (self, step, FALSE);
}
