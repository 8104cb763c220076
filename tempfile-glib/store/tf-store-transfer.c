/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-store-transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-disk.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-system.h"
#include "persist/tf-publish.h"

static gboolean
copy_file (TfBacking     *from,
           int            to,
           const char    *where,
           goffset       *size,
           TfProgress    *progress,
           GCancellable  *cancellable,
           GError       **error)
{
  *size = tf_backing_get_known_size (from);
  if (*size < 0 && tf_backing_may_be_hidden (from))
    *size = TF_DISK_UNTOLD_SIZE;

  return tf_disk_copy_file (from->fd, from->where, size, to, where, progress, cancellable, error) &&
         tf_backing_confirm_size (from, *size, error);
}

/* Writes all bytes of the backing, @size in number, into an empty file. */
static gboolean
fill (TfBacking     *from,
      int            to,
      const char    *where,
      goffset       *size,
      TfProgress    *progress,
      GCancellable  *cancellable,
      GError       **error)
{
  TfBacking file = { .fd = to, .where = (char *) where, .disk_size = -1 };

  if (!tf_backing_is_in_memory (from))
    return copy_file (from, to, where, size, progress, cancellable, error);

  *size = from->memory.size;
  return tf_backing_write_memory (&file, &from->memory, progress, cancellable, error);
}

/* The content that is persisted. */
typedef struct
{
  TfBacking *backing;
  goffset    position;
  TfProgress *progress;
  int        original; /* (owned): the file of the descriptor that was handed out, while that is one of a copy; or -1 */
  int        lost_errno;
} Content;

/* Makes the descriptor that was handed out one of the copy. */
static gboolean
redirect (Content  *self,
          int       copy,
          GError  **error)
{
  tf_autofd int before = fcntl (self->backing->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

  if (before < 0)
    return tf_errno_set (error, errno, "dup", self->backing->where);

  if (!tf_backing_redirect (self->backing, copy, self->position, error))
    return FALSE;

  /* A copy that cannot be linked is followed by another one. */
  if (self->original < 0)
    self->original = tf_fd_steal (&before);

  return TRUE;
}

/* Undoes redirect(). */
static void
restore (Content *self)
{
  g_autoptr(GError) error = NULL;

  if (self->original < 0 || tf_system_dup_to (self->original, self->backing->fd) >= 0)
    return;

  /* The descriptor stays one of the copy, which has the same bytes. */
  tf_errno_set (&error, errno, "dup", self->backing->where);
  tf_errno_log_lost ("Persisting a file", error);
}

/* Writes the copy. It has no name yet when the descriptor is redirected, because that can fail. */
static gboolean
fill_copy (gpointer       user_data,
           int            to,
           const char    *where,
           goffset       *size,
           GCancellable  *cancellable,
           GError       **error)
{
  Content *self = user_data;

  return fill (self->backing, to, where, size, self->progress, cancellable, error) &&
         (!self->backing->shared || redirect (self, to, error));
}

/* On failure, the file has the name nevertheless if @final_path is set. */
gboolean
tf_store_persist (TfStore         *self,
                  const char      *path,
                  TfPersistFlags   flags,
                  TfProgress      *progress,
                  char           **final_path,
                  GCancellable    *cancellable,
                  GError         **error)
{
  Content content = { .backing = &self->backing, .progress = progress, .original = -1 };
  TfPublishSource source = { .lost_errno = &content.lost_errno, .fill = fill_copy, .user_data = &content };
  TfBacking copy = TF_BACKING_INIT_IN_MEMORY;
  gboolean success;
  gboolean placed;

  *final_path = NULL;
  if (!tf_store_lock_settled (self, cancellable, error))
    return FALSE;

  /* A file that has a lasting name is copied, because with a second name, writing to one would change both. */
  source.fd = self->lasting || tf_backing_may_be_hidden (&self->backing) ? -1 : self->backing.fd;
  content.position = self->position;
  if (progress->func != NULL && !tf_backing_get_size (&self->backing, &progress->total, NULL))
    progress->total = 0;
  tf_store_begin_copy (self);
  success = tf_backing_confirm (&self->backing, error) &&
            tf_publish (&source, path, flags, &copy.fd, final_path, cancellable, error);
  placed = *final_path != NULL;
  if (content.lost_errno != 0)
    self->backing.lost_errno = content.lost_errno;
  if (!placed)
    restore (&content);
  if (tf_store_end_copy (self, NULL) && placed)
    {
      /* Others can open the file now. Nothing is held back, because the store is settled. */
      tf_backing_hold_back_no_more (&self->backing, NULL);
      self->backing.unnamed = FALSE;
      copy.where = g_strdup (*final_path);
      if (copy.fd >= 0)
        {
          /* If a fork has shared the descriptor meanwhile, and nobody else, the child has the former file. */
          if (content.original < 0)
            self->backing.shared = FALSE;
          tf_store_exchange_backing (self, &copy);
        }
      self->lasting = TRUE;
    }

  tf_store_unlock (self);
  tf_fd_clear (&content.original);
  tf_backing_clear (&copy);
  if (placed && self->funcs != NULL && self->funcs->persisted != NULL)
    self->funcs->persisted (self->owner, *final_path);

  return success;
}

/* Returns the descriptor of a sealed file in memory with the bytes. */
int
tf_store_seal (TfStore       *self,
               GCancellable  *cancellable,
               GError       **error)
{
  tf_autofd int fd = -1;
  gboolean success;
  goffset size;

  if (!tf_store_lock_settled (self, cancellable, error))
    return -1;

  tf_store_begin_copy (self);
  fd = tf_system_open_memory ();
  success = (fd >= 0 || tf_errno_set (error, errno, "create a file to seal", NULL)) &&
            tf_backing_confirm (&self->backing, error) &&
            fill (&self->backing, fd, NULL, &size, NULL, cancellable, error);
  tf_store_end_copy (self, NULL);
  tf_store_unlock (self);
  if (!success)
    return -1;

  if (tf_system_seal (fd) != 0)
    {
      tf_errno_set (error, errno, "seal", NULL);
      return -1;
    }

  return tf_fd_steal (&fd);
}

typedef struct
{
  gpointer data;
  gsize    size;
} Mapping;

static void
unmap (gpointer user_data)
{
  Mapping *mapping = user_data;

  munmap (mapping->data, mapping->size);
  g_free (mapping);
}

/* The number of bytes copied between two checks of the cancellable. */
#define PIECE ((gsize) 1024 * 1024)

static GBytes *
read_all (TfBacking     *backing,
          gsize          size,
          GCancellable  *cancellable,
          GError       **error)
{
  g_autofree guint8 *data = g_try_malloc (size);
  gboolean success = TRUE;
  gsize total = 0;
  gsize n = 1;

  if (data == NULL && size > 0)
    {
      tf_errno_set (error, ENOMEM, "read", backing->where);
      return NULL;
    }

  while (success && total < size && n > 0)
    {
      success = !g_cancellable_set_error_if_cancelled (cancellable, error) &&
                tf_backing_read_aside (backing, total, data + total, MIN (size - total, PIECE), &n,
                                       cancellable, error);
      total += n;
    }

  /* What is not returned is freed with the variable. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
  return success ? g_bytes_new_take (g_steal_pointer (&data), total) : NULL;
}

static GBytes *
copy_all (TfStore       *self,
          gsize          size,
          GCancellable  *cancellable,
          GError       **error)
{
  GBytes *bytes;

  tf_store_begin_copy (self);
  bytes = read_all (&self->backing, size, cancellable, error);
  tf_store_end_copy (self, NULL);
  return bytes;
}

/* Returns a copy of the whole content. */
GBytes *
tf_store_load_bytes (TfStore       *self,
                     GCancellable  *cancellable,
                     GError       **error)
{
  GBytes *bytes = NULL;
  goffset size;

  if (!tf_store_lock_settled (self, cancellable, error))
    return NULL;

  if (!tf_backing_get_size (&self->backing, &size, error) || !tf_store_may_copy (size, error))
    bytes = NULL;
  else if ((guint64) size > G_MAXSSIZE)
    tf_errno_set (error, EFBIG, "read", self->backing.where);
  else
    bytes = copy_all (self, size, cancellable, error);

  tf_store_unlock (self);
  return bytes;
}

/* Returns whether the file has as many blocks as it has without a hole, the last one as a whole. Others may also have
 * made room behind the end. */
static gboolean
has_all_blocks (const TfBacking *backing,
                goffset          size)
{
  struct stat st;

  return tf_backing_get_known_size (backing) >= 0 &&
         fstat (backing->fd, &st) == 0 &&
         st.st_blocks >= (size + st.st_blksize - 1) / st.st_blksize * (st.st_blksize / 512);
}

/* Makes room for the holes if reading them through a mapping takes room: if there is none, it raises SIGBUS. On
 * failure, sets errno, to ENOTSUP if the file cannot be mapped safely. */
static gboolean
fill_holes (const TfBacking *backing,
            goffset          size)
{
  return !tf_system_hole_takes_room (backing->fd) ||
         has_all_blocks (backing, size) ||
         TF_RETRY_EINTR (tf_system_allocate (backing->fd, size)) == 0;
}

/* Returns NULL with errno set on failure. */
static gpointer
map (const TfBacking *backing,
     gsize            size)
{
  gpointer data = fill_holes (backing, size) ? mmap (NULL, size, PROT_READ, MAP_PRIVATE, backing->fd, 0) : NULL;

  return data != MAP_FAILED ? data : NULL;
}

static GBytes *
map_disk (TfBacking     *backing,
          GCancellable  *cancellable,
          GError       **error)
{
  Mapping *mapping;
  gpointer data;
  goffset size;

  if (!tf_backing_get_size (backing, &size, error))
    return NULL;

  if (size == 0)
    return g_bytes_new (NULL, 0);

  if ((guint64) size > G_MAXSSIZE)
    {
      tf_errno_set (error, EFBIG, "mmap", backing->where);
      return NULL;
    }

  /* Who looks at mapped bytes that a server does not give ends. */
  if (tf_system_may_lose (backing->fd))
    return read_all (backing, size, cancellable, error);

  data = map (backing, size);
  if (data == NULL && (errno == ENODEV || errno == ENOTSUP))
    return read_all (backing, size, cancellable, error);

  if (data == NULL)
    {
      tf_errno_set (error, errno, "mmap", backing->where);
      return NULL;
    }

  mapping = g_new (Mapping, 1);
  *mapping = (Mapping) { .data = data, .size = size };
  return g_bytes_new_with_free_func (data, size, unmap, mapping);
}

/* The memory is that of the store: the bytes have a pin. */
static GBytes *
pin_memory (TfStore *self)
{
  if (!tf_store_pin (self, NULL))
    return NULL;

  return g_bytes_new_with_free_func (self->backing.memory.data, self->backing.memory.size,
                                     (GDestroyNotify) tf_store_unpin, self);
}

/* Closes the store and returns the content without copying it. On failure, the store stays open. Since the bytes are
 * there, an error of closing is only logged. */
GBytes *
tf_store_steal (TfStore       *self,
                GCancellable  *cancellable,
                GError       **error)
{
  g_autoptr(GError) close_error = NULL;
  GBytes *bytes;

  if (!tf_store_lock_settled (self, cancellable, error))
    return NULL;

  bytes = tf_backing_is_in_memory (&self->backing) ? pin_memory (self) : map_disk (&self->backing, cancellable, error);
  if (bytes != NULL && !tf_store_close_locked (self, &close_error))
    tf_errno_log_lost ("Closing a temporary file", close_error);

  tf_store_unlock (self);
  return bytes;
}
