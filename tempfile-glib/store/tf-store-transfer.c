/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-store-transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tf-copy.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "persist/tf-publish.h"
#include "tf-store-internal.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* Writes all bytes of a stage into an empty file. */
static gboolean
fill (gpointer       user_data,
      int            to,
      const char    *where,
      GCancellable  *cancellable,
      GError       **error)
{
  const TfStage *from = user_data;
  TfStage file = { .fd = to, .where = (char *) where };
  gsize n_written;

  if (!tf_stage_is_in_memory (from))
    return tf_copy_fd (from->fd, to, where, cancellable, error);

  return tf_stage_write (&file, 0, from->buffer.data, from->buffer.size, &n_written, cancellable, error);
}

/* Goes on with the file behind @fd, which has the same bytes. A descriptor that was handed out keeps its
 * number, and is that file's from now on. */
static void
adopt (TfStore    *self,
       int         fd,
       const char *where)
{
  TfStage *stage = &self->stage;
  gboolean shared = stage->shared && lseek (fd, self->position, SEEK_SET) >= 0;

  self->must_tell = tf_stage_is_in_memory (stage);
  self->rolled_over |= self->must_tell;

  if (shared && TEMP_FAILURE_RETRY (dup3 (fd, stage->fd, O_CLOEXEC)) >= 0)
    {
      int handed_out = tf_steal_fd (&stage->fd);

      tf_clear_fd (&fd);
      fd = handed_out;
    }

  tf_store_leave_memory (self);
  tf_stage_clear (stage);
  *stage = (TfStage) { .fd = fd, .where = g_strdup (where), .shared = shared };
}

gboolean
tf_store_persist (TfStore         *self,
                  const char      *path,
                  TfPersistFlags   flags,
                  char           **final_path,
                  GCancellable    *cancellable,
                  GError         **error)
{
  TfLinkSource source = { .fill = fill };
  gboolean success;
  int copy_fd;

  if (!tf_store_enter (self, cancellable, error))
    return FALSE;

  /* A file that has its lasting name is not to get another: two names, and writing to one changes both. */
  source.fd = self->lasting ? -1 : self->stage.fd;
  source.user_data = &self->stage;
  success = tf_link_persist (&source, path, flags, &copy_fd, final_path, cancellable, error);
  if (success)
    {
      /* Others can see and change it now. Nothing is held back: the store was entered. */
      tf_stage_unbuffer (&self->stage, NULL);
      if (copy_fd >= 0)
        adopt (self, copy_fd, *final_path);
      self->lasting = TRUE;
    }

  tf_store_leave (self);
  return success;
}

static int
create_memfd (GError **error)
{
  const guint flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create ("tempfile", flags | MFD_NOEXEC_SEAL);

  /* Before Linux 6.3. */
  if (fd < 0 && errno == EINVAL)
    fd = memfd_create ("tempfile", flags);
  if (fd < 0)
    tf_set_errno (error, errno, "memfd_create", NULL);

  return fd;
}

/* Returns a memfd with the bytes that nobody can change any more. */
int
tf_store_seal (TfStore       *self,
               GCancellable  *cancellable,
               GError       **error)
{
  tf_autofd int fd = -1;
  gboolean success;

  if (!tf_store_enter (self, cancellable, error))
    return -1;

  fd = create_memfd (error);
  success = fd >= 0 && fill (&self->stage, fd, NULL, cancellable, error);
  tf_store_leave (self);
  if (!success)
    return -1;

  if (fcntl (fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
    {
      tf_set_errno (error, errno, "fcntl F_ADD_SEALS", NULL);
      return -1;
    }

  return tf_steal_fd (&fd);
}

/* Asked first, since fallocate() takes all there is before it finds that this is not enough, and others
 * have nothing meanwhile. A file system without a size of its own has no blocks. */
static gboolean
has_free_space (TfStage *stage,
                goffset  size)
{
  struct statvfs fs;
  struct stat st;

  if (fstatvfs (stage->fd, &fs) != 0 || fs.f_blocks == 0 || fstat (stage->fd, &st) != 0)
    return TRUE;

  return size / 512 <= st.st_blocks || (guint64) (size / 512 - st.st_blocks) / (MAX (fs.f_frsize, 512) / 512) <= fs.f_bavail;
}

static gboolean
set_aside_on_disk (TfStage       *stage,
                   goffset        size,
                   GCancellable  *cancellable,
                   GError       **error)
{
  int saved_errno;

  if (!has_free_space (stage, size))
    return tf_set_errno (error, ENOSPC, "fallocate", stage->where);

  /* A signal can interrupt it each time anew, fallocate(2): not for longer than the caller wants. */
  while (fallocate (stage->fd, FALLOC_FL_KEEP_SIZE, 0, size) != 0)
    {
      saved_errno = errno;
      if (saved_errno == EINTR && !g_cancellable_set_error_if_cancelled (cancellable, error))
        continue;

      /* Gives back what it got before it failed. */
      (void) !ftruncate (stage->fd, tf_stage_get_size (stage));
      return saved_errno != EINTR && tf_set_errno (error, saved_errno, "fallocate", stage->where);
    }

  return TRUE;
}

/* Makes sure that there is room for a file of @size bytes, and changes nothing else. */
gboolean
tf_store_set_aside (TfStore       *self,
                    goffset        size,
                    GCancellable  *cancellable,
                    GError       **error)
{
  gboolean success;

  if (!tf_store_enter (self, cancellable, error))
    return FALSE;

  success = tf_store_reserve (self, size, cancellable, error) &&
            (size == 0 ||
             tf_stage_is_in_memory (&self->stage) ||
             set_aside_on_disk (&self->stage, size, cancellable, error));
  tf_store_leave (self);
  return success;
}
