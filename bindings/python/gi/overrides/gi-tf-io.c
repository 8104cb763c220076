/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "gi-tf.h"

/* The methods that the types File and Buffer share. Both begin like a PyGObject. Who calls them keeps the object.
 *
 * What is in memory is read and written at once. For the rest, other threads of Python run meanwhile. */

#define AT_ONCE (256 * 1024)
#define GATHERED 8192

static PyObject *unsupported; /* (owned): io.UnsupportedOperation */
static PyObject *seek_type;   /* (owned): GLib.SeekType */

static const char *const size_keywords[] = { "size", "cancellable", NULL };
static const char *const write_keywords[] = { "data", "cancellable", NULL };
static const char *const seek_keywords[] = { "offset", "whence", "cancellable", NULL };
static const char *const cancellable_keywords[] = { "cancellable", NULL };

gboolean
gi_tf_io_set_up (PyObject *new_seek_type)
{
  PyObject *io = PyImport_ImportModule ("io");

  Py_INCREF (new_seek_type);
  Py_XSETREF (seek_type, new_seek_type);
  if (io != NULL)
    Py_XSETREF (unsupported, PyObject_GetAttrString (io, "UnsupportedOperation"));
  Py_XDECREF (io);
  return unsupported != NULL;
}

PyObject *
gi_tf_raise_closed (void)
{
  PyErr_SetString (PyExc_ValueError, "I/O operation on closed file.");
  return NULL;
}

static gboolean
is_closed (TfTempFile *file)
{
  return file == NULL || g_io_stream_is_closed ((GIOStream *) file);
}

gboolean
gi_tf_is_in_memory (TfTempFile *file)
{
  return TF_IS_SPOOLED_FILE (file) && !tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file));
}

/* Whether the mode allows "r" or "w". As in tempfile, it does not matter while a file is in memory. */
static gboolean
is_allowed (PyObject   *self,
            const char *access)
{
  PyObject *allowed = gi_tf_get_state (self, GI_TF_KEY_ACCESS);

  return allowed == NULL || PyUnicode_CompareWithASCIIString (allowed, access) == 0 ||
         gi_tf_is_in_memory (gi_tf_file_of (self));
}

/* Whether the file may be a text, or have a mode. Python code that looks for an attribute gives it a dictionary, which stays
 * empty. */
static inline gboolean
has_state (PyObject *self)
{
  PyObject *dict = ((PyGObject *) self)->inst_dict;

  return G_UNLIKELY (dict != NULL) && PyDict_GET_SIZE (dict) > 0;
}

/* The part of divert() for what has state. */
static gboolean
divert_slowly (PyObject         *self,
               const char       *name,
               const char       *access,
               PyObject   *const*args,
               Py_ssize_t        n_args,
               PyObject         *names,
               PyObject        **result)
{
  PyObject *text = gi_tf_get_state (self, GI_TF_KEY_TEXT);

  if (text != NULL)
    {
      PyObject *method = PyObject_GetAttrString (text, name);

      *result = method != NULL ? PyObject_Vectorcall (method, args, n_args, names) : NULL;
      Py_XDECREF (method);
      return TRUE;
    }

  if (access == NULL || is_closed (gi_tf_file_of (self)) || is_allowed (self, access))
    return FALSE;

  PyErr_SetString (unsupported, *access == 'r' ? "read" : "write");
  *result = NULL;
  return TRUE;
}

/* A file without an object was not initialized, and bytes without one belonged to a file that was dropped. */
static PyObject *
raise_without_object (PyObject *self)
{
  if (!PyObject_TypeCheck (self, gi_tf_object_type))
    return gi_tf_raise_closed ();

  PyErr_SetString (PyExc_ValueError, "I/O operation on uninitialized object");
  return NULL;
}

/* Whether a text file is to do it, or the mode forbids it. Sets @result to what is to be returned then. */
static inline gboolean
divert (PyObject         *self,
        const char       *name,
        const char       *access,
        PyObject   *const*args,
        Py_ssize_t        n_args,
        PyObject         *names,
        PyObject        **result)
{
  if (G_UNLIKELY (pygobject_get (self) == NULL))
    {
      *result = raise_without_object (self);
      return TRUE;
    }

  return has_state (self) && divert_slowly (self, name, access, args, n_args, names, result);
}

/* --- Writing --- */

/* Writes what only has to be copied, unless somebody uses the file. */
static gboolean
write_at_once (TfTempFile *file,
               const void *data,
               Py_ssize_t  size)
{
  return G_LIKELY (size > 0 && size <= AT_ONCE && !gi_tf_is_busy (file)) && tf_temp_file_try_write (file, data, size);
}

/* Sets @n_written to what the position tells, which an operation that is in the way may move. */
static gboolean
write_counting (TfTempFile    *file,
                const void    *data,
                Py_ssize_t     size,
                gint64        *n_written,
                GCancellable  *cancellable,
                GError       **error)
{
  goffset start = g_seekable_tell ((GSeekable *) file);

  if (tf_temp_file_write (file, data, size, cancellable, error))
    return TRUE;

  *n_written = g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_PENDING) ? start : g_seekable_tell ((GSeekable *) file);
  *n_written = MAX (*n_written - start, 0);
  return FALSE;
}

/* Makes the exception say how much was written, as an io.BlockingIOError does. */
static void
add_written (gint64 n_written)
{
  PyObject *type, *value, *traceback, *number;

  PyErr_Fetch (&type, &value, &traceback);
  PyErr_NormalizeException (&type, &value, &traceback);
  number = PyLong_FromLongLong (n_written);
  if (number == NULL || PyObject_SetAttrString (value, "characters_written", number) < 0)
    PyErr_Clear ();
  Py_XDECREF (number);
  PyErr_Restore (type, value, traceback);
}

static gboolean
write_all (TfTempFile   *file,
           const void   *data,
           Py_ssize_t    size,
           GCancellable *cancellable)
{
  GError *error = NULL;
  gint64 n_written;
  gboolean success;

  if (cancellable == NULL && write_at_once (file, data, size))
    return TRUE;

  GI_TF_RELEASED (file, success = write_counting (file, data, size, &n_written, cancellable, &error));
  if (success)
    return TRUE;

  gi_tf_raise (error);
  add_written (n_written);
  return FALSE;
}

/* Returns whether the data was written without waiting for anybody. */
gboolean
gi_tf_io_try_write (PyObject *self,
                    PyObject *data)
{
  TfTempFile *file = gi_tf_file_of (self);

  return file != NULL && PyBytes_CheckExact (data) && is_allowed (self, "w") &&
         write_at_once (file, PyBytes_AS_STRING (data), PyBytes_GET_SIZE (data));
}

/* Writes the bytes of what is not contiguous, in the order of C. */
static Py_ssize_t
write_scattered (TfTempFile   *file,
                 Py_buffer    *view,
                 GCancellable *cancellable)
{
  PyObject *copy = PyBytes_FromStringAndSize (NULL, view->len);
  Py_ssize_t size = -1;

  if (copy != NULL && PyBuffer_ToContiguous (PyBytes_AS_STRING (copy), view, view->len, 'C') == 0 &&
      write_all (file, PyBytes_AS_STRING (copy), view->len, cancellable))
    size = view->len;

  Py_XDECREF (copy);
  return size;
}

static Py_ssize_t
write_buffer (TfTempFile   *file,
              PyObject     *data,
              GCancellable *cancellable)
{
  Py_buffer view;
  Py_ssize_t size;

  if (PyObject_GetBuffer (data, &view, PyBUF_FULL_RO) < 0)
    return -1;

  if (PyBuffer_IsContiguous (&view, 'C'))
    size = write_all (file, view.buf, view.len, cancellable) ? view.len : -1;
  else
    size = write_scattered (file, &view, cancellable);

  PyBuffer_Release (&view);
  return size;
}

static inline Py_ssize_t
write_object (TfTempFile   *file,
              PyObject     *data,
              GCancellable *cancellable)
{
  if (G_UNLIKELY (!PyBytes_CheckExact (data)))
    return write_buffer (file, data, cancellable);

  return write_all (file, PyBytes_AS_STRING (data), PyBytes_GET_SIZE (data), cancellable) ? PyBytes_GET_SIZE (data) : -1;
}

PyObject *
gi_tf_io_write (PyObject         *self,
          PyObject   *const*args,
          Py_ssize_t        n_args,
          PyObject         *names)
{
  PyObject *values[2] = { NULL };
  GCancellable *cancellable = NULL;
  PyObject *result;
  Py_ssize_t size;

  if (divert (self, "write", "w", args, n_args, names, &result))
    return result;

  if (G_LIKELY (n_args == 1 && names == NULL))
    values[0] = args[0];
  else if (!gi_tf_get_arguments (write_keywords, args, n_args, names, values) ||
           !gi_tf_get_cancellable (values[1], &cancellable))
    return NULL;

  if (values[0] == NULL)
    {
      PyErr_SetString (PyExc_TypeError, "write() takes the bytes to write");
      return NULL;
    }

  size = write_object (gi_tf_file_of (self), values[0], cancellable);
  return size >= 0 ? PyLong_FromSsize_t (size) : NULL;
}

/* Small lines that are written together. */
typedef struct
{
  TfTempFile *file; /* (unowned) */
  gsize used;       /* in bytes */
  char data[GATHERED];
} Gathered;

static gboolean
gathered_write (Gathered *self)
{
  gsize size = self->used;

  self->used = 0;
  return size == 0 || write_all (self->file, self->data, size, NULL);
}

static gboolean
gathered_add (Gathered *self,
              PyObject *line)
{
  Py_ssize_t size = PyBytes_CheckExact (line) ? PyBytes_GET_SIZE (line) : GATHERED + 1;

  if (G_UNLIKELY (size > GATHERED - (Py_ssize_t) self->used) && !gathered_write (self))
    return FALSE;
  if (G_UNLIKELY (size > GATHERED))
    return write_object (self->file, line, NULL) >= 0;

  /* For memcpy(), of which it knows the largest size, GCC takes an instruction that is slower than the C library. */
  memmove (self->data + self->used, PyBytes_AS_STRING (line), size);
  self->used += size;
  return TRUE;
}

/* No code of the user's runs between two lines of a list that are bytes, so that nobody sees that they are written later;
 * what comes before other lines is written before these. */
static gboolean
write_sequence (TfTempFile *file,
                PyObject   *lines)
{
  Gathered gathered;
  gboolean success = TRUE;

  gathered.file = file;
  gathered.used = 0;
  for (Py_ssize_t i = 0; success && i < PySequence_Fast_GET_SIZE (lines); i++)
    {
      PyObject *line = PySequence_Fast_GET_ITEM (lines, i);

      Py_INCREF (line);
      success = gathered_add (&gathered, line);
      Py_DECREF (line);
    }

  return success && gathered_write (&gathered);
}

static gboolean
write_each (TfTempFile *file,
            PyObject   *lines)
{
  PyObject *iterator = PyObject_GetIter (lines);
  PyObject *line;

  while (iterator != NULL && (line = PyIter_Next (iterator)) != NULL)
    {
      Py_ssize_t size = write_object (file, line, NULL);

      Py_DECREF (line);
      if (size < 0)
        break;
    }

  Py_XDECREF (iterator);
  return !PyErr_Occurred ();
}

PyObject *
gi_tf_io_writelines (PyObject *self,
               PyObject *lines)
{
  TfTempFile *file;
  PyObject *result;

  if (divert (self, "writelines", "w", &lines, 1, NULL, &result))
    return result;

  file = gi_tf_file_of (self);
  if (is_closed (file))
    return gi_tf_raise_closed ();

  if (PyList_CheckExact (lines) || PyTuple_CheckExact (lines) ? write_sequence (file, lines) : write_each (file, lines))
    Py_RETURN_NONE;
  return NULL;
}

/* --- Reading --- */

/* Sets @size to -1 for what stands for all. */
static gboolean
get_size (PyObject *argument,
          gint64   *size)
{
  *size = -1;
  return argument == NULL || argument == Py_None || gi_tf_get_integer (argument, size);
}

/* Reads what only has to be copied, unless somebody uses the file. */
static inline gboolean
read_at_once (TfTempFile *file,
              void       *data,
              gsize       size,
              gsize      *n_read)
{
  return G_LIKELY (size > 0 && size <= AT_ONCE && !gi_tf_is_busy (file)) &&
         tf_temp_file_try_read (file, data, size, n_read);
}

static gboolean
read_some (TfTempFile   *file,
           void         *buffer,
           gsize         count,
           GCancellable *cancellable,
           gssize       *n_read)
{
  GError *error = NULL;
  gsize n_there;

  if (cancellable == NULL && read_at_once (file, buffer, count, &n_there))
    {
      *n_read = n_there;
      return TRUE;
    }

  GI_TF_RELEASED (file, *n_read = tf_temp_file_read (file, buffer, count, cancellable, &error));
  if (*n_read < 0)
    gi_tf_raise (error);
  return *n_read >= 0;
}

/* The number of bytes that read() makes room for: one more than there seem to be, so that the system tells the end. */
static gsize
guess_size (TfTempFile *file,
            gsize       most)
{
  goffset left = tf_temp_file_get_size (file) - g_seekable_tell (G_SEEKABLE (file));

  return MIN (most, (guint64) MAX (left, 0) + 1);
}

/* Adds bytes to those that are there, as many as there is room for. Sets @used to how many there are. */
static gboolean
read_into_bytes (TfTempFile   *file,
                 PyObject     *bytes,
                 gsize        *used,
                 GCancellable *cancellable)
{
  gssize n_read;

  if (!read_some (file, PyBytes_AS_STRING (bytes) + *used, PyBytes_GET_SIZE (bytes) - *used, cancellable, &n_read))
    return FALSE;

  *used += n_read;
  return TRUE;
}

/* Returns what is read ahead, or NULL. A thread that has the file may be waiting for Python's lock, to audit. */
static const char *
peek (TfTempFile *file,
      gsize      *available)
{
  const char *data;

  GI_TF_RELEASED (file, data = tf_temp_file_peek (file, available));
  return data;
}

/* Moves the position behind what was taken of what peek() returned. That fails if another process has moved it. */
static gboolean
consume (TfTempFile *file,
         gsize       size)
{
  GError *error = NULL;
  gboolean success;

  GI_TF_RELEASED (file, success = tf_temp_file_consume (file, size, &error));
  if (!success)
    gi_tf_raise (error);
  return success;
}

/* Reads up to the end, but @most bytes. */
static PyObject *
read_up_to (TfTempFile   *file,
            gsize         most,
            GCancellable *cancellable)
{
  PyObject *bytes = PyBytes_FromStringAndSize (NULL, guess_size (file, most));
  gsize used = 0;

  while (bytes != NULL)
    {
      gsize room = PyBytes_GET_SIZE (bytes);

      if (!read_into_bytes (file, bytes, &used, cancellable))
        Py_CLEAR (bytes);
      else if (used == most || used < room)
        {
          _PyBytes_Resize (&bytes, used);
          break;
        }
      else
        _PyBytes_Resize (&bytes, used + guess_size (file, most - used));
    }

  return bytes;
}

static PyObject *
read_bytes (TfTempFile   *file,
            gint64        size,
            GCancellable *cancellable)
{
  PyObject *bytes;
  gsize used = 0;

  if (size < 0 || size > 65536)
    return read_up_to (file, size < 0 ? G_MAXSSIZE : size, cancellable);

  bytes = PyBytes_FromStringAndSize (NULL, size);
  if (bytes == NULL)
    return NULL;

  if (!read_into_bytes (file, bytes, &used, cancellable))
    Py_CLEAR (bytes);
  else if (used < (gsize) size)
    _PyBytes_Resize (&bytes, used);
  return bytes;
}

static PyObject *
read_named (PyObject         *self,
            const char       *name,
            PyObject   *const*args,
            Py_ssize_t        n_args,
            PyObject         *names)
{
  PyObject *values[2] = { NULL };
  GCancellable *cancellable = NULL;
  PyObject *result;
  gint64 size;

  if (divert (self, name, "r", args, n_args, names, &result))
    return result;

  if (G_LIKELY (n_args == 1 && names == NULL))
    values[0] = args[0];
  else if (!gi_tf_get_arguments (size_keywords, args, n_args, names, values) ||
           !gi_tf_get_cancellable (values[1], &cancellable))
    return NULL;

  if (!get_size (values[0], &size))
    return NULL;
  return read_bytes (gi_tf_file_of (self), size, cancellable);
}

PyObject *
gi_tf_io_read (PyObject         *self,
         PyObject   *const*args,
         Py_ssize_t        n_args,
         PyObject         *names)
{
  return read_named (self, "read", args, n_args, names);
}

PyObject *
gi_tf_io_read1 (PyObject         *self,
          PyObject   *const*args,
          Py_ssize_t        n_args,
          PyObject         *names)
{
  return read_named (self, "read1", args, n_args, names);
}

static gssize
read_into_view (TfTempFile *file,
                Py_buffer  *view)
{
  gssize n_read;

  return read_some (file, view->buf, view->len, NULL, &n_read) ? n_read : -1;
}

PyObject *
gi_tf_io_readinto (PyObject *self,
             PyObject *buffer)
{
  Py_buffer view;
  PyObject *result;
  gssize n_read;

  if (divert (self, "readinto", "r", &buffer, 1, NULL, &result))
    return result;

  if (PyObject_GetBuffer (buffer, &view, PyBUF_WRITABLE) < 0)
    return PyErr_Format (PyExc_TypeError, "readinto() takes a read-write bytes-like object, not %s",
                         Py_TYPE (buffer)->tp_name);

  n_read = read_into_view (gi_tf_file_of (self), &view);
  PyBuffer_Release (&view);
  return n_read >= 0 ? PyLong_FromSsize_t (n_read) : NULL;
}

/* Looks at what is read ahead, and reads ahead if that is nothing. Sets @data to NULL at the end, and where nothing is
 * read ahead. Called by who uses the file. */
static gboolean
fill (TfTempFile  *file,
      const char **data,
      gsize       *available)
{
  GError *error = NULL;
  gssize n;

  *data = peek (file, available);
  if (*data != NULL)
    return TRUE;

  GI_TF_RELEASED (file, n = tf_temp_file_fill (file, 4096, NULL, &error));
  if (n < 0)
    {
      gi_tf_raise (error);
      return FALSE;
    }

  *data = peek (file, available);
  return TRUE;
}

/* Moves back behind bytes that were read but are not used. */
static gboolean
step_back (TfTempFile *file,
           goffset     count)
{
  GError *error = NULL;
  gboolean success;

  GI_TF_RELEASED (file, success = g_seekable_seek (G_SEEKABLE (file), -count, G_SEEK_CUR, NULL, &error));
  if (!success)
    gi_tf_raise (error);
  return success;
}

static const char *
find_end (const char *data,
          gsize       size)
{
  const char *newline = memchr (data, '\n', size);

  return newline != NULL ? newline + 1 : NULL;
}

/* A line that is not in memory as a whole */
typedef struct
{
  char *data; /* (owned) (nullable) */
  gsize size; /* in bytes */
  gsize room; /* in bytes */
  gboolean is_over;
} Line;

/* Makes room behind what is there. */
static gboolean
line_grow (Line  *self,
           gsize  count)
{
  gsize room = MAX (self->size + count, self->room * 2);
  char *data;

  if (count <= self->room - self->size)
    return TRUE;

  data = count <= G_MAXSSIZE - self->size && room <= G_MAXSSIZE ? PyMem_Realloc (self->data, room) : NULL;
  if (data == NULL)
    {
      PyErr_NoMemory ();
      return FALSE;
    }

  self->data = data;
  self->room = room;
  return TRUE;
}

/* Adds what is read ahead, up to the end of the line. */
static gboolean
line_add_ahead (Line       *self,
                TfTempFile *file,
                const char *data,
                gsize       count)
{
  const char *end = find_end (data, count);
  gsize size = end != NULL ? (gsize) (end - data) : count;

  if (!line_grow (self, size))
    return FALSE;

  memcpy (self->data + self->size, data, size);
  self->size += size;
  self->is_over = end != NULL;
  return consume (file, size);
}

/* Adds what has to be read, and moves back to behind the end of the line. */
static gboolean
line_add_unbuffered (Line       *self,
                     TfTempFile *file,
                     gsize       count)
{
  const char *start, *end;
  gssize n_read;

  if (!line_grow (self, count) || !read_some (file, self->data + self->size, count, NULL, &n_read))
    return FALSE;

  start = self->data + self->size;
  end = find_end (start, n_read);
  self->is_over = end != NULL || (gsize) n_read < count;
  if (end != NULL)
    {
      if (!step_back (file, n_read - (end - start)))
        return FALSE;
      n_read = end - start;
    }

  self->size += n_read;
  return TRUE;
}

/* Called for a line that goes on beyond what is in memory. */
static gboolean
line_collect (Line       *self,
              TfTempFile *file,
              gint64      limit)
{
  while (!self->is_over && (limit < 0 || self->size < (guint64) limit))
    {
      gsize wanted = limit < 0 ? G_MAXSSIZE : limit - self->size;
      const char *data;
      gsize available;
      gboolean success;

      if (!fill (file, &data, &available))
        return FALSE;

      if (data != NULL)
        success = line_add_ahead (self, file, data, MIN (available, wanted));
      else
        success = line_add_unbuffered (self, file, MIN (CLAMP (self->size, 512, AT_ONCE), wanted));
      if (!success)
        return FALSE;
    }

  return TRUE;
}

/* Moves back to where a line began for which memory is short. */
static void
give_back (TfTempFile *file,
           gsize       size)
{
  PyObject *type, *value, *traceback;

  PyErr_Fetch (&type, &value, &traceback);
  if (!step_back (file, size))
    PyErr_Clear ();
  PyErr_Restore (type, value, traceback);
}

static PyObject *
read_line_slowly (TfTempFile *file,
                  gint64      limit)
{
  Line line = { NULL };
  PyObject *bytes = NULL;

  /* The line stays whole while several threads read. */
  gi_tf_begin_use ((GObject *) file);
  if (line_collect (&line, file, limit))
    bytes = PyBytes_FromStringAndSize (line.data, line.size);
  PyMem_Free (line.data);

  if (bytes == NULL && PyErr_ExceptionMatches (PyExc_MemoryError))
    give_back (file, line.size);
  gi_tf_end_use ((GObject *) file);
  return bytes;
}

/* The length up to which a line takes one call of the library, in bytes */
#define SHORT_LINE 4096

/* Whether a short line was read from memory, or from what is read ahead. Sets @line to it, or to NULL with an exception. */
static inline gboolean
read_line_at_once (TfTempFile *file,
                   gint64      limit,
                   PyObject  **line)
{
  char buffer[SHORT_LINE];
  gsize size = limit < 0 ? sizeof buffer : MIN (sizeof buffer, (guint64) limit);
  gsize length;

  if (G_UNLIKELY (gi_tf_is_busy (file) || !tf_temp_file_try_read_line (file, buffer, size, &length)))
    return FALSE;

  *line = PyBytes_FromStringAndSize (buffer, length);
  if (*line == NULL)
    give_back (file, length);
  return TRUE;
}

static inline PyObject *
read_line (TfTempFile *file,
           gint64      limit)
{
  PyObject *line;

  return read_line_at_once (file, limit, &line) ? line : read_line_slowly (file, limit);
}

PyObject *
gi_tf_io_readline (PyObject         *self,
             PyObject   *const*args,
             Py_ssize_t        n_args)
{
  PyObject *result;
  gint64 limit;

  if (divert (self, "readline", "r", args, n_args, NULL, &result))
    return result;

  if (n_args > 1)
    {
      PyErr_Format (PyExc_TypeError, "readline() takes at most 1 argument (%zd given)", n_args);
      return NULL;
    }

  if (!get_size (n_args == 1 ? args[0] : NULL, &limit))
    return NULL;
  if (is_closed (gi_tf_file_of (self)))
    return gi_tf_raise_closed ();

  return read_line (gi_tf_file_of (self), limit);
}

/* As in tempfile, a text in memory still tells its position after next(). */
static const char *
name_of_next (PyObject *self)
{
  return has_state (self) && TF_IS_SPOOLED_FILE (pygobject_get (self)) ? "readline" : "__next__";
}

/* For what is not a binary file with its next line in memory or read ahead */
G_GNUC_NO_INLINE static PyObject *
iternext_slowly (PyObject *self)
{
  PyObject *line;

  if (!divert (self, name_of_next (self), "r", NULL, 0, NULL, &line))
    line = read_line (gi_tf_file_of (self), -1);

  if (line != NULL && PyObject_Size (line) == 0)
    Py_CLEAR (line);
  return line;
}

PyObject *
gi_tf_file_iternext (PyObject *self)
{
  TfTempFile *file = gi_tf_file_of (self);
  PyObject *line;

  if (G_UNLIKELY (file == NULL) || has_state (self))
    return iternext_slowly (self);

  return read_line_at_once (file, -1, &line) ? line : iternext_slowly (self);
}

/* Appends to a list, which takes the line. */
static gboolean
append (PyObject *list,
        PyObject *line)
{
  gboolean success = line != NULL && PyList_Append (list, line) == 0;

  Py_XDECREF (line);
  return success;
}

/* Appends the lines that are in memory, until they are @wanted bytes. Nothing here runs code of the user's, so that the
 * bytes stay where they are. Sets @size to what was appended, in bytes. Called by who uses the file. */
static gboolean
append_ahead (TfTempFile *file,
              PyObject   *list,
              gint64      wanted,
              gint64     *size)
{
  gsize available;
  const char *start = peek (file, &available);
  const char *line = start;
  const char *end;
  gboolean success = TRUE;

  while (success && line - start < wanted &&
         (end = find_end (line, available - (line - start))) != NULL)
    {
      success = append (list, PyBytes_FromStringAndSize (line, end - line));
      line = end;
    }

  *size = line - start;
  return (*size == 0 || consume (file, *size)) && success;
}

static gboolean
append_lines (TfTempFile *file,
              PyObject   *list,
              gint64      hint)
{
  gint64 left = hint > 0 ? hint : G_MAXINT64;
  gint64 size;

  /* As in Python, a file on disk goes on while the lines are no more than the hint, and one in memory while they are
   * fewer. */
  if (left < G_MAXINT64 && !gi_tf_is_in_memory (file))
    left++;

  while (left > 0)
    {
      gboolean success;
      PyObject *line;

      gi_tf_begin_use ((GObject *) file);
      success = append_ahead (file, list, left, &size);
      gi_tf_end_use ((GObject *) file);
      if (!success)
        return FALSE;
      left -= size;
      if (left <= 0)
        return TRUE;

      line = read_line_slowly (file, -1);
      if (line == NULL)
        return FALSE;
      size = PyBytes_GET_SIZE (line);
      left -= size;
      if (size == 0)
        {
          Py_DECREF (line);
          return TRUE;
        }
      if (!append (list, line))
        return FALSE;
    }

  return TRUE;
}

PyObject *
gi_tf_io_readlines (PyObject         *self,
              PyObject   *const*args,
              Py_ssize_t        n_args)
{
  PyObject *result;
  gint64 hint;

  if (divert (self, "readlines", "r", args, n_args, NULL, &result))
    return result;

  if (n_args > 1)
    {
      PyErr_Format (PyExc_TypeError, "readlines() takes at most 1 argument (%zd given)", n_args);
      return NULL;
    }

  if (!get_size (n_args == 1 ? args[0] : NULL, &hint))
    return NULL;

  result = PyList_New (0);
  if (result != NULL && !append_lines (gi_tf_file_of (self), result, hint))
    Py_CLEAR (result);
  return result;
}

/* Reads without moving the position, where nothing is read ahead. */
static PyObject *
peek_unbuffered (TfTempFile *file,
                 gint64      size)
{
  PyObject *bytes = read_bytes (file, size, NULL);

  if (bytes != NULL && !step_back (file, PyBytes_GET_SIZE (bytes)))
    Py_CLEAR (bytes);
  return bytes;
}

static PyObject *
read_ahead (TfTempFile *file,
            gint64      size)
{
  PyObject *bytes = NULL;
  const char *data;
  gsize available;

  gi_tf_begin_use ((GObject *) file);
  if (fill (file, &data, &available))
    bytes = data != NULL ? PyBytes_FromStringAndSize (data, MIN ((gint64) available, size)) : peek_unbuffered (file, size);
  /* They were copied, so that the file may roll over for the sake of others. */
  if (bytes != NULL && data != NULL && !consume (file, 0))
    Py_CLEAR (bytes);
  gi_tf_end_use ((GObject *) file);
  return bytes;
}

PyObject *
gi_tf_io_peek (PyObject         *self,
         PyObject   *const*args,
         Py_ssize_t        n_args)
{
  gint64 size = 0;
  PyObject *result;

  if (divert (self, "peek", "r", args, n_args, NULL, &result))
    return result;

  if (n_args > 1)
    return PyErr_Format (PyExc_TypeError, "peek() takes at most 1 argument (%zd given)", n_args);
  if (n_args > 0 && !gi_tf_get_integer (args[0], &size))
    return NULL;

  size = CLAMP (size, 8192, 65536);
  return read_ahead (gi_tf_file_of (self), size);
}

/* --- The position and the size --- */

PyObject *
gi_tf_io_tell (PyObject *self,
         PyObject *unused)
{
  PyObject *result;

  if (divert (self, "tell", NULL, NULL, 0, NULL, &result))
    return result;
  if (is_closed (gi_tf_file_of (self)))
    return gi_tf_raise_closed ();

  return PyLong_FromLongLong (g_seekable_tell ((GSeekable *) gi_tf_file_of (self)));
}

/* SEEK_DATA and SEEK_HOLE, which only a file on disk has. From get_fd() on, the offset of the descriptor is the position. */
static PyObject *
seek_in_holes (TfTempFile *file,
               gint64      offset,
               int         whence)
{
  GError *error = NULL;
  off_t position;
  int fd;

  GI_TF_RELEASED (file, fd = tf_temp_file_get_fd (file, NULL, &error));
  if (fd < 0)
    return gi_tf_raise (error);

  GI_TF_RELEASED (file, position = lseek (fd, offset, whence));
  if (position >= 0)
    return PyLong_FromLongLong (position);

  return TF_IS_NAMED_FILE (file)
         ? PyErr_SetFromErrnoWithFilename (PyExc_OSError, tf_named_file_get_path (TF_NAMED_FILE (file)))
         : PyErr_SetFromErrno (PyExc_OSError);
}

/* Returns the position, or -1. */
static goffset
seek_and_tell (TfTempFile    *file,
               gint64         offset,
               GSeekType      type,
               GCancellable  *cancellable,
               GError       **error)
{
  return g_seekable_seek ((GSeekable *) file, offset, type, cancellable, error) ? g_seekable_tell ((GSeekable *) file) : -1;
}

static PyObject *
seek_to (TfTempFile   *file,
         gint64        offset,
         GSeekType     type,
         GCancellable *cancellable)
{
  GError *error = NULL;
  goffset position;

  if (cancellable == NULL && !gi_tf_is_busy (file) && tf_temp_file_try_seek (file, offset, type))
    position = g_seekable_tell ((GSeekable *) file);
  else
    GI_TF_RELEASED (file, position = seek_and_tell (file, offset, type, cancellable, &error));

  return position >= 0 ? PyLong_FromLongLong (position) : gi_tf_raise (error);
}

/* What BytesIO does: it refuses to move before the start, or stays there. */
static gboolean
seek_before_start (TfTempFile *file,
                   gint64     *offset,
                   long       *whence)
{
  gint64 base = *whence == SEEK_SET ? 0 : *whence == SEEK_CUR ? g_seekable_tell (G_SEEKABLE (file)) :
                tf_temp_file_get_size (file);

  if (*offset >= 0 || *offset >= -base || !gi_tf_is_in_memory (file) || is_closed (file))
    return TRUE;

  if (*whence == SEEK_SET)
    {
      PyErr_Format (PyExc_ValueError, "negative seek value %lld", (long long) *offset);
      return FALSE;
    }

  *offset = 0;
  *whence = SEEK_SET;
  return TRUE;
}

static PyObject *
seek_as_in_python (TfTempFile   *file,
                   gint64        offset,
                   PyObject     *argument,
                   GCancellable *cancellable)
{
  static const GSeekType types[] = { [SEEK_SET] = G_SEEK_SET, [SEEK_CUR] = G_SEEK_CUR, [SEEK_END] = G_SEEK_END };
  gint64 value = SEEK_SET;
  long whence;

  if (argument != NULL && !gi_tf_get_integer (argument, &value))
    return NULL;
  if (is_closed (file))
    return gi_tf_raise_closed ();

  if ((value == SEEK_DATA || value == SEEK_HOLE) && !gi_tf_is_in_memory (file))
    return seek_in_holes (file, offset, value);
  if (value < SEEK_SET || value > SEEK_END)
    return PyErr_Format (PyExc_ValueError, "invalid whence (%lld, should be 0, 1 or 2)", (long long) value);

  whence = value;
  if (G_UNLIKELY (offset < 0) && !seek_before_start (file, &offset, &whence))
    return NULL;
  return seek_to (file, offset, types[whence], cancellable);
}

/* With GLib.SeekType instead of os.SEEK_*, returns True as PyGObject does. */
static PyObject *
seek_as_in_gio (TfTempFile   *file,
                gint64        offset,
                PyObject     *argument,
                GCancellable *cancellable)
{
  PyObject *position;
  gint64 type;

  if (!gi_tf_get_integer (argument, &type))
    return NULL;

  position = seek_to (file, offset, type, cancellable);
  if (position == NULL)
    return NULL;

  Py_DECREF (position);
  Py_RETURN_TRUE;
}

/* Like lseek(2) in CPython, the disk refuses what is no offset in another way than memory. */
static gboolean
get_offset (TfTempFile *file,
            PyObject   *value,
            gint64     *offset)
{
  if (gi_tf_get_integer (value, offset))
    return TRUE;

  if (PyErr_ExceptionMatches (PyExc_OverflowError) && !gi_tf_is_in_memory (file))
    PyErr_SetString (PyExc_ValueError, "cannot fit 'int' into an offset-sized integer");
  return FALSE;
}

PyObject *
gi_tf_io_seek (PyObject         *self,
         PyObject   *const*args,
         Py_ssize_t        n_args,
         PyObject         *names)
{
  PyObject *values[3] = { NULL };
  GCancellable *cancellable = NULL;
  PyObject *result;
  gint64 offset;

  if (divert (self, "seek", NULL, args, n_args, names, &result))
    return result;

  if (G_LIKELY (n_args == 1 && names == NULL))
    values[0] = args[0];
  else if (!gi_tf_get_arguments (seek_keywords, args, n_args, names, values) ||
           !gi_tf_get_cancellable (values[2], &cancellable))
    return NULL;

  if (values[0] == NULL)
    {
      PyErr_SetString (PyExc_TypeError, "seek() takes an offset");
      return NULL;
    }
  if (!get_offset (gi_tf_file_of (self), values[0], &offset))
    return NULL;

  if (values[1] != NULL && !PyLong_CheckExact (values[1]) && PyObject_IsInstance (values[1], seek_type) == 1)
    return seek_as_in_gio (gi_tf_file_of (self), offset, values[1], cancellable);
  return seek_as_in_python (gi_tf_file_of (self), offset, values[1], cancellable);
}

static PyObject *
truncate_to (TfTempFile   *file,
             gint64        size,
             GCancellable *cancellable)
{
  GError *error = NULL;
  gboolean success;

  if (size < 0 && gi_tf_is_in_memory (file))
    return PyErr_Format (PyExc_ValueError, "negative size value %lld", (long long) size);

  GI_TF_RELEASED (file, success = g_seekable_truncate (G_SEEKABLE (file), size, cancellable, &error));
  return success ? PyLong_FromLongLong (size) : gi_tf_raise (error);
}

PyObject *
gi_tf_io_truncate (PyObject         *self,
             PyObject   *const*args,
             Py_ssize_t        n_args,
             PyObject         *names)
{
  PyObject *values[2] = { NULL };
  GCancellable *cancellable;
  PyObject *result;
  gint64 size;

  if (!gi_tf_get_arguments (size_keywords, args, n_args, names, values) ||
      !gi_tf_get_cancellable (values[1], &cancellable))
    return NULL;

  /* That of a text has no keywords. */
  if (divert (self, "truncate", "w", values, values[0] != NULL, NULL, &result))
    return result;

  if (is_closed (gi_tf_file_of (self)))
    return gi_tf_raise_closed ();
  if (values[0] == NULL || values[0] == Py_None)
    size = g_seekable_tell (G_SEEKABLE (gi_tf_file_of (self)));
  else if (!gi_tf_get_integer (values[0], &size))
    return NULL;

  return truncate_to (gi_tf_file_of (self), size, cancellable);
}

/* --- What the file is --- */

PyObject *
gi_tf_io_flush (PyObject         *self,
          PyObject   *const*args,
          Py_ssize_t        n_args,
          PyObject         *names)
{
  TfTempFile *file;
  PyObject *values[1] = { NULL };
  GCancellable *cancellable;
  PyObject *result;
  GError *error = NULL;
  gboolean success;

  if (divert (self, "flush", NULL, args, n_args, names, &result))
    return result;

  if (!gi_tf_get_arguments (cancellable_keywords, args, n_args, names, values) ||
      !gi_tf_get_cancellable (values[0], &cancellable))
    return NULL;

  file = gi_tf_file_of (self);
  if (is_closed (file))
    return gi_tf_raise_closed ();

  GI_TF_RELEASED (file, success = tf_temp_file_flush (file, cancellable, &error));
  if (!success)
    return gi_tf_raise (error);
  Py_RETURN_NONE;
}

static gboolean
flush_text (PyObject *self)
{
  PyObject *text = gi_tf_get_state (self, GI_TF_KEY_TEXT);
  PyObject *result = text != NULL ? PyObject_CallMethod (text, "flush", NULL) : Py_None;

  if (text != NULL)
    Py_XDECREF (result);
  return result != NULL;
}

PyObject *
gi_tf_io_fileno (PyObject *self,
           PyObject *unused)
{
  TfTempFile *file = gi_tf_file_of (self);
  GError *error = NULL;
  int fd;

  if (is_closed (file))
    return gi_tf_raise_closed ();
  if (!flush_text (self))
    return NULL;

  GI_TF_RELEASED (file, fd = tf_temp_file_get_fd (file, NULL, &error));
  return fd >= 0 ? PyLong_FromLong (fd) : gi_tf_raise (error);
}

static PyObject *
answer (PyObject *self,
        gboolean  value)
{
  return is_closed (gi_tf_file_of (self)) ? gi_tf_raise_closed () : PyBool_FromLong (value);
}

PyObject *
gi_tf_io_readable (PyObject *self,
             PyObject *unused)
{
  return answer (self, is_allowed (self, "r"));
}

PyObject *
gi_tf_io_writable (PyObject *self,
             PyObject *unused)
{
  return answer (self, is_allowed (self, "w"));
}

PyObject *
gi_tf_io_seekable (PyObject *self,
             PyObject *unused)
{
  return answer (self, TRUE);
}

PyObject *
gi_tf_io_isatty (PyObject *self,
           PyObject *unused)
{
  return answer (self, FALSE);
}

static PyObject *
get_closed (PyObject *self,
            void     *unused)
{
  return PyBool_FromLong (is_closed (gi_tf_file_of (self)));
}

static PyMethodDef readinto_methods[] = {
  { "readinto", gi_tf_io_readinto, METH_O,
    PyDoc_STR ("readinto($self, buffer, /)\n--\n\nRead bytes into buffer and return how many; 0 at the end.") },
  { "readinto1", gi_tf_io_readinto, METH_O,
    PyDoc_STR ("readinto1($self, buffer, /)\n--\n\nRead bytes into buffer and return how many; 0 at the end.") },
};

/* A text file has no such method. */
static PyObject *
get_readinto (PyObject *self,
              void     *method)
{
  if (gi_tf_get_state (self, GI_TF_KEY_TEXT) == NULL)
    return PyCFunction_New (method, self);

  return PyErr_Format (PyExc_AttributeError, "'%s' object has no attribute '%s'", Py_TYPE (self)->tp_name,
                       ((PyMethodDef *) method)->ml_name);
}

#define FUNCTION(function) ((PyCFunction) (void (*) (void)) (function))
#define WITH_KEYWORDS (METH_FASTCALL | METH_KEYWORDS)

PyMethodDef gi_tf_io_methods[] = {
  { "write", FUNCTION (gi_tf_io_write), WITH_KEYWORDS,
    PyDoc_STR ("write($self, data, cancellable=None)\n--\n\nWrite all of a bytes-like object and return its size in bytes.") },
  { "writelines", gi_tf_io_writelines, METH_O,
    PyDoc_STR ("writelines($self, lines, /)\n--\n\nWrite each of lines; no newline is added.") },
  { "read", FUNCTION (gi_tf_io_read), WITH_KEYWORDS,
    PyDoc_STR ("read($self, size=-1, cancellable=None)\n--\n\n"
               "Read size bytes, or fewer at the end of the file; all that are left if size is negative or None.") },
  { "read1", FUNCTION (gi_tf_io_read1), WITH_KEYWORDS,
    PyDoc_STR ("read1($self, size=-1, cancellable=None)\n--\n\nRead size bytes as read() does.") },
  { "readline", FUNCTION (gi_tf_io_readline), METH_FASTCALL,
    PyDoc_STR ("readline($self, size=-1, /)\n--\n\nRead a line with its newline, but size bytes at most; b'' at the end.") },
  { "readlines", FUNCTION (gi_tf_io_readlines), METH_FASTCALL,
    PyDoc_STR ("readlines($self, hint=-1, /)\n--\n\nRead a list of lines, until they are more than hint bytes; in memory, hint bytes or more.") },
  { "peek", FUNCTION (gi_tf_io_peek), METH_FASTCALL,
    PyDoc_STR ("peek($self, size=0, /)\n--\n\nReturn bytes at the position, at least one unless at the end, and stay there.") },
  { "seek", FUNCTION (gi_tf_io_seek), WITH_KEYWORDS,
    PyDoc_STR ("seek($self, offset, whence=os.SEEK_SET, cancellable=None)\n--\n\n"
               "Move the position and return it. With a GLib.SeekType as whence, return True.") },
  { "tell", gi_tf_io_tell, METH_NOARGS,
    PyDoc_STR ("tell($self, /)\n--\n\nReturn the position.") },
  { "truncate", FUNCTION (gi_tf_io_truncate), WITH_KEYWORDS,
    PyDoc_STR ("truncate($self, size=None, cancellable=None)\n--\n\n"
               "Set the size, by default to the position, and return it. The position stays.") },
  { "flush", FUNCTION (gi_tf_io_flush), WITH_KEYWORDS,
    PyDoc_STR ("flush($self, cancellable=None)\n--\n\nWrite what is held back in this process to the file.") },
  { "fileno", gi_tf_io_fileno, METH_NOARGS,
    PyDoc_STR ("fileno($self, /)\n--\n\nReturn the descriptor. A file in memory rolls over.") },
  { "readable", gi_tf_io_readable, METH_NOARGS,
    PyDoc_STR ("readable($self, /)\n--\n\nTell whether the mode allows reading.") },
  { "writable", gi_tf_io_writable, METH_NOARGS,
    PyDoc_STR ("writable($self, /)\n--\n\nTell whether the mode allows writing.") },
  { "seekable", gi_tf_io_seekable, METH_NOARGS,
    PyDoc_STR ("seekable($self, /)\n--\n\nReturn True.") },
  { "isatty", gi_tf_io_isatty, METH_NOARGS,
    PyDoc_STR ("isatty($self, /)\n--\n\nReturn False.") },
  { NULL },
};

PyGetSetDef gi_tf_io_getset[] = {
  { "closed", get_closed, NULL, PyDoc_STR ("Whether the file is closed."), NULL },
  { "readinto", get_readinto, NULL, PyDoc_STR ("readinto(buffer): read bytes into buffer and return how many."),
    &readinto_methods[0] },
  { "readinto1", get_readinto, NULL, PyDoc_STR ("readinto1(buffer): read bytes into buffer and return how many."),
    &readinto_methods[1] },
  { NULL },
};
