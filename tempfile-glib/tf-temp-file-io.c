/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-temp-file-private.h"

#include <unistd.h>

#include "tf-location-private.h"
#include "names/tf-open.h"

static goffset
tf_temp_file_tell (GSeekable *seekable)
{
  return tf_store_tell (tf_temp_file_get_store (TF_TEMP_FILE (seekable)));
}

static gboolean
can_always (GSeekable *seekable)
{
  return TRUE;
}

static gboolean
tf_temp_file_seek (GSeekable     *seekable,
                   goffset        offset,
                   GSeekType      type,
                   GCancellable  *cancellable,
                   GError       **error)
{
  return tf_store_seek (tf_temp_file_get_store (TF_TEMP_FILE (seekable)), offset, type, cancellable, error);
}

static gboolean
tf_temp_file_truncate (GSeekable     *seekable,
                       goffset        size,
                       GCancellable  *cancellable,
                       GError       **error)
{
  return tf_store_truncate (tf_temp_file_get_store (TF_TEMP_FILE (seekable)), size, cancellable, error);
}

void
tf_temp_file_seekable_init (GSeekableIface *iface)
{
  iface->tell = tf_temp_file_tell;
  iface->can_seek = can_always;
  iface->seek = tf_temp_file_seek;
  iface->can_truncate = can_always;
  iface->truncate_fn = tf_temp_file_truncate;
}

/* Where the file goes, with a directory in any case; what it points to belongs to @self. */
gboolean
tf_temp_file_get_template (TfTempFile  *self,
                           TfTemplate  *template,
                           GError     **error)
{
  *template = *tf_temp_file_peek_template (self);
  return tf_location_complete (template, error);
}

/* As g_initable_new() with these properties, which for one file would look each of them up by its name. */
gpointer
tf_temp_file_create (GType          type,
                     const char    *prefix,
                     const char    *suffix,
                     const char    *dir,
                     GCancellable  *cancellable,
                     GError       **error)
{
  g_autoptr(TfTempFile) self = g_object_new (type, NULL);

  tf_template_set (tf_temp_file_peek_template (self), prefix, suffix, dir);
  return g_initable_init (G_INITABLE (self), cancellable, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * tf_temp_file_set_template:
 * @self: a temporary file that was not created yet
 * @prefix: (type filename) (nullable): what the name begins with, or %NULL for [func@Tf.get_temp_prefix]
 * @suffix: (type filename) (nullable): what the name ends with, or %NULL for nothing; no dot is put before it
 * @dir: (type filename) (nullable): where to create the file, or %NULL for [func@Tf.get_temp_dir]
 *
 * Sets the properties of these names, for languages whose properties hold only UTF-8.
 *
 * To be called before [method@Gio.Initable.init]; on a [class@SpooledFile], before it rolls over. Later
 * it has no effect. The change is not notified.
 *
 * Since: 1.0
 */
void
tf_temp_file_set_template (TfTempFile *self,
                           const char *prefix,
                           const char *suffix,
                           const char *dir)
{
  g_return_if_fail (TF_IS_TEMP_FILE (self));

  tf_template_set (tf_temp_file_peek_template (self), prefix, suffix, dir);
}

static gpointer last_class;

__attribute__ ((cold, noinline)) static gboolean
look_up_class (gpointer object)
{
  if (!TF_IS_TEMP_FILE (object))
    return FALSE;

  g_atomic_pointer_set (&last_class, ((GTypeInstance *) object)->g_class);
  return TRUE;
}

/* TF_IS_TEMP_FILE() looks a subclass up each time; in a program they are few. */
static inline gboolean
is_temp_file (gpointer object)
{
  gpointer klass = object != NULL ? ((GTypeInstance *) object)->g_class : NULL;

  return G_LIKELY (klass != NULL && klass == g_atomic_pointer_get (&last_class)) || look_up_class (object);
}

/**
 * tf_temp_file_read:
 * @self: a temporary file
 * @buffer: (out caller-allocates) (array length=count) (element-type guint8): where to put the bytes
 * @count: how many bytes to read, at most %G_MAXSSIZE
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads @count bytes from the position on; fewer only at the end of the file.
 *
 * The position moves behind what was read, also when an error comes after some bytes. Does what
 * [method@Gio.InputStream.read_all] does on the input stream, at a lower price per call.
 *
 * Blocks on the disk when the bytes are there. Errors are of %G_IO_ERROR: %G_IO_ERROR_CLOSED,
 * %G_IO_ERROR_NOT_INITIALIZED, %G_IO_ERROR_CANCELLED, else what read(2) reported.
 *
 * Returns: the number of bytes read, 0 at the end of the file, or -1 with @error set
 *
 * Since: 1.0
 */
gssize
tf_temp_file_read (TfTempFile    *self,
                   void          *buffer,
                   gsize          count,
                   GCancellable  *cancellable,
                   GError       **error)
{
  gsize n_read;

  g_return_val_if_fail (is_temp_file (self), -1);
  g_return_val_if_fail (buffer != NULL || count == 0, -1);
  g_return_val_if_fail (count <= G_MAXSSIZE, -1);

  return tf_store_read (tf_temp_file_get_store (self), buffer, count, &n_read, cancellable, error) ? (gssize) n_read : -1;
}

/**
 * tf_temp_file_read_bytes:
 * @self: a temporary file
 * @count: how many bytes to read; %G_MAXSIZE for all that are left
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads @count bytes from the position on, as [method@TempFile.read], into a new [struct@GLib.Bytes].
 *
 * No more memory is taken than there are bytes to read. Besides the errors of [method@TempFile.read]:
 * %G_IO_ERROR_FAILED when there is no memory for so many bytes.
 *
 * Returns: (transfer full): the bytes, none at the end of the file
 *
 * Since: 1.0
 */
GBytes *
tf_temp_file_read_bytes (TfTempFile    *self,
                         gsize          count,
                         GCancellable  *cancellable,
                         GError       **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return tf_store_read_bytes (tf_temp_file_get_store (self), count, cancellable, error);
}

/**
 * tf_temp_file_write:
 * @self: a temporary file
 * @data: (array length=size) (element-type guint8): the bytes
 * @size: how many bytes @data has
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes all of @data at the position.
 *
 * The position moves behind what was written. When an error comes after some bytes were taken, the
 * position says how many. Does what [method@Gio.OutputStream.write_all] does on the output stream, at
 * a lower price per call.
 *
 * Nobody else can see a file without a name, so small pieces are collected up to 64 KiB before they are
 * written, and as many are read ahead, as with Python's `buffering`. When the disk refuses what was collected,
 * the call that was to write it fails: [method@Gio.OutputStream.flush], a later read or write, or closing.
 * Nothing is lost by that, and the call can be made again. [method@TempFile.get_fd] writes all, and ends it;
 * so does [method@TempFile.persist]. A forked child has a copy of what was collected: when both processes are
 * to go on with the file, flush before fork(2), as for a `FILE` of C.
 * In a [class@NamedFile], which others see by its name, all calls go to the disk at once.
 *
 * Blocks on the disk when the bytes go there. Errors are of %G_IO_ERROR: %G_IO_ERROR_NO_SPACE when disk,
 * quota or a limit has no room; %G_IO_ERROR_CLOSED, %G_IO_ERROR_NOT_INITIALIZED, %G_IO_ERROR_CANCELLED;
 * else what write(2) reported. A [class@SpooledFile] that has to roll over and cannot, keeps what it had
 * and takes nothing.
 *
 * Returns: %TRUE if all of @data was written
 *
 * Since: 1.0
 */
gboolean
tf_temp_file_write (TfTempFile    *self,
                    const void    *data,
                    gsize          size,
                    GCancellable  *cancellable,
                    GError       **error)
{
  g_return_val_if_fail (is_temp_file (self), FALSE);
  g_return_val_if_fail (data != NULL || size == 0, FALSE);

  return tf_store_write (tf_temp_file_get_store (self), data, size, NULL, cancellable, error);
}

/**
 * tf_temp_file_get_size: (get-property size)
 * @self: a temporary file
 *
 * Returns how many bytes the file has.
 *
 * Returns: a number of bytes; 0 when the file is closed or was not initialized
 *
 * Since: 1.0
 */
goffset
tf_temp_file_get_size (TfTempFile *self)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), 0);

  return tf_store_get_size (tf_temp_file_get_store (self));
}

/**
 * tf_temp_file_get_fd:
 * @self: a temporary file
 * @error: return location for an error
 *
 * Returns the descriptor of the file, which stays the object's: do not close it.
 *
 * All bytes are behind it, it stands at the position, and from now on whatever moves the one moves the
 * other, so it can be given to a child process as its standard input or output. A [class@SpooledFile]
 * rolls over first, as on `fileno()` of Python's `SpooledTemporaryFile`, and fails with the errors of
 * [method@SpooledFile.rollover]; else those of [method@TempFile.write].
 *
 * Returns: a file descriptor, or -1 with @error set
 *
 * Since: 1.0
 */
int
tf_temp_file_get_fd (TfTempFile  *self,
                     GError     **error)
{
  g_return_val_if_fail (TF_IS_TEMP_FILE (self), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return tf_store_get_fd (tf_temp_file_get_store (self), error);
}

/**
 * tf_temp_file_get_fd_path:
 * @self: a temporary file
 * @error: return location for an error
 *
 * Returns a path by which another process of the same user can open the file although it has no name.
 *
 * It is `/proc/PID/fd/FD`, see proc(5), and works as long as the file is open here. Opening it gives a
 * position of its own. What [method@TempFile.get_fd] does and fails with, this does as well.
 *
 * Returns: (type filename) (transfer full): an absolute path
 *
 * Since: 1.0
 */
char *
tf_temp_file_get_fd_path (TfTempFile  *self,
                          GError     **error)
{
  int fd = tf_temp_file_get_fd (self, error);

  return fd >= 0 ? g_strdup_printf ("/proc/%d/fd/%d", (int) getpid (), fd) : NULL;
}
