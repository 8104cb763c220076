/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "gi-tf.h"

#include <structmember.h>

/* The type Buffer: the bytes of a file that is text. It begins like a PyGObject, whose object is there during calls
 * alone, so that what such a call runs cannot take it away. Before the object is disposed, the file that has it is
 * dropped, and is left to the Buffer. Thus nobody reads the weak pointer while it is cleared.
 *
 * A text takes what was written to it, and then calls write(). Until that has written it or put it behind what is kept,
 * no other thread of Python runs, so that nothing overtakes it. What is kept stays there until it is written. Who writes
 * it uses the file meanwhile.
 *
 * Where io.TextIOWrapper.write() makes room for what it was given, it forgets what others write to it meanwhile (gh-119506
 * of CPython). Less than MOST_AT_ONCE is written there. So nothing else runs in write() for that: what has to wait is
 * kept, and is due when the text has returned. */

#define MOST_AT_ONCE 65536

typedef struct
{
  PyGObject parent;
  GObject *object; /* (nullable): a weak pointer */
  PyObject *file; /* (owned) (nullable): the file, if it was dropped and left to this */
  PyObject *kept; /* (owned) (nullable): a bytearray of what is not written yet */
  PyObject *asking; /* (owned) (nullable): a set of the threads that wait for nobody */
  gint64 start; /* the position of the first byte that is kept while it is written, or else -1 */
  Py_ssize_t n_being_written; /* of what is kept, in bytes */
  PyObject *due; /* (owned) (nullable): what was kept last of what is to be written when the text returns */
  guint n_writing; /* calls of the text's write() */
  guint n_calls;
} Buffer;

static PyTypeObject *buffer_type; /* (owned) (nullable) */

static void
begin_call (Buffer *self)
{
  if (self->n_calls++ == 0 && self->object != NULL)
    self->parent.obj = g_object_ref (self->object);
}

static PyObject *
end_call (Buffer   *self,
          PyObject *result)
{
  GObject *object;

  if (--self->n_calls > 0)
    return result;

  object = g_steal_pointer (&self->parent.obj);
  if (object != NULL)
    g_object_unref (object);
  return result;
}

#define DURING_CALL(call) (begin_call ((Buffer *) self), end_call ((Buffer *) self, call))

/* What needs what is kept to be in the file */
#define AFTER_KEPT(call) (write_kept_in_turn (self) ? DURING_CALL (call) : NULL)

static gboolean write_kept_in_turn (PyObject *self);

#define DEFINE_WITH_KEYWORDS(name, function, MANNER) \
  static PyObject *name (PyObject *self, PyObject *const*args, Py_ssize_t n_args, PyObject *names) \
  { \
    return MANNER (function (self, args, n_args, names)); \
  }

#define DEFINE_WITH_ARGUMENTS(name, function) \
  static PyObject *name (PyObject *self, PyObject *const*args, Py_ssize_t n_args) \
  { \
    return AFTER_KEPT (function (self, args, n_args)); \
  }

#define DEFINE_WITH_OBJECT(name, function, MANNER) \
  static PyObject *name (PyObject *self, PyObject *argument) \
  { \
    return MANNER (function (self, argument)); \
  }

DEFINE_WITH_KEYWORDS (close_during_call, gi_tf_file_close_cancellable, DURING_CALL)
DEFINE_WITH_KEYWORDS (flush_after_kept, gi_tf_io_flush, AFTER_KEPT)
DEFINE_WITH_KEYWORDS (buffer_read, gi_tf_io_read, AFTER_KEPT)
DEFINE_WITH_KEYWORDS (buffer_read1, gi_tf_io_read1, AFTER_KEPT)
DEFINE_WITH_KEYWORDS (buffer_seek, gi_tf_io_seek, AFTER_KEPT)
DEFINE_WITH_KEYWORDS (buffer_truncate, gi_tf_io_truncate, AFTER_KEPT)
DEFINE_WITH_KEYWORDS (buffer_write_now, gi_tf_io_write, DURING_CALL)
DEFINE_WITH_ARGUMENTS (buffer_peek, gi_tf_io_peek)
DEFINE_WITH_ARGUMENTS (buffer_readline, gi_tf_io_readline)
DEFINE_WITH_ARGUMENTS (buffer_readlines, gi_tf_io_readlines)
DEFINE_WITH_OBJECT (buffer_enter, gi_tf_file_enter, DURING_CALL)
DEFINE_WITH_OBJECT (buffer_fileno, gi_tf_io_fileno, AFTER_KEPT)
DEFINE_WITH_OBJECT (buffer_isatty, gi_tf_io_isatty, DURING_CALL)
DEFINE_WITH_OBJECT (buffer_readable, gi_tf_io_readable, DURING_CALL)
DEFINE_WITH_OBJECT (buffer_readinto, gi_tf_io_readinto, AFTER_KEPT)
DEFINE_WITH_OBJECT (buffer_seekable, gi_tf_io_seekable, DURING_CALL)
DEFINE_WITH_OBJECT (buffer_writable, gi_tf_io_writable, DURING_CALL)
DEFINE_WITH_OBJECT (buffer_writelines, gi_tf_io_writelines, AFTER_KEPT)

static PyObject *
get_thread (void)
{
  return PyLong_FromUnsignedLong (PyThread_get_thread_ident ());
}

/* Returns 1 if this thread only asks, 0 if not, and -1 with an exception. */
static int
is_asking (Buffer *self)
{
  PyObject *thread;
  int result;

  if (PySet_GET_SIZE (self->asking) == 0)
    return 0;

  thread = get_thread ();
  result = thread != NULL ? PySet_Contains (self->asking, thread) : -1;
  Py_XDECREF (thread);
  return result;
}

static PyObject *
buffer_is_asking (PyObject *self,
                  PyObject *unused)
{
  int result = is_asking ((Buffer *) self);

  return result >= 0 ? PyBool_FromLong (result) : NULL;
}

/* Calls what brings text here. Meanwhile this thread waits neither for the disk nor for who uses the file. */
static PyObject *
buffer_ask (PyObject         *self,
            PyObject   *const*args,
            Py_ssize_t        n_args)
{
  PyObject *asking = ((Buffer *) self)->asking;
  int was_asking = is_asking ((Buffer *) self);
  PyObject *thread = was_asking >= 0 ? get_thread () : NULL;
  PyObject *result = NULL;

  if (n_args == 0)
    PyErr_SetString (PyExc_TypeError, "ask() takes what to call");
  else if (thread != NULL && PySet_Add (asking, thread) == 0)
    {
      result = PyObject_Vectorcall (args[0], args + 1, n_args - 1, NULL);
      if (!was_asking)
        PySet_Discard (asking, thread);
    }

  Py_XDECREF (thread);
  return result;
}

static Py_ssize_t
count_kept (PyObject *self)
{
  return PyByteArray_GET_SIZE (((Buffer *) self)->kept);
}

static gboolean
keep (PyObject *self,
      PyObject *data)
{
  PyObject *kept = PySequence_InPlaceConcat (((Buffer *) self)->kept, data);

  Py_XDECREF (kept);
  return kept != NULL;
}

static PyObject *
tell (PyObject *self)
{
  PyObject *position, *kept, *sum;

  if (((Buffer *) self)->start >= 0)
    return PyLong_FromLongLong (((Buffer *) self)->start + count_kept (self));

  position = gi_tf_io_tell (self, NULL);
  if (position == NULL || count_kept (self) == 0)
    return position;

  kept = PyLong_FromSsize_t (count_kept (self));
  sum = kept != NULL ? PyNumber_Add (position, kept) : NULL;
  Py_XDECREF (kept);
  Py_DECREF (position);
  return sum;
}

/* Counts what is kept. */
static PyObject *
buffer_tell (PyObject *self,
             PyObject *unused)
{
  return DURING_CALL (tell (self));
}

/* Returns how many bytes were written before the exception that is set. */
static Py_ssize_t
count_written (void)
{
  PyObject *type, *value, *traceback, *number;
  Py_ssize_t n_written;

  PyErr_Fetch (&type, &value, &traceback);
  PyErr_NormalizeException (&type, &value, &traceback);
  number = PyObject_GetAttrString (value, "characters_written");
  n_written = number != NULL ? PyLong_AsSsize_t (number) : 0;
  Py_XDECREF (number);
  PyErr_Restore (type, value, traceback);
  return MAX (n_written, 0);
}

static void
drop_written (Buffer     *self,
              Py_ssize_t  size)
{
  PyObject *type, *value, *traceback;

  PyErr_Fetch (&type, &value, &traceback);
  if (PySequence_DelSlice (self->kept, 0, MIN (size, self->n_being_written)) < 0)
    PyErr_WriteUnraisable (self->kept);
  self->n_being_written = 0;
  self->start = -1;
  PyErr_Restore (type, value, traceback);
}

static PyObject *
write_bytes (PyObject *self,
             PyObject *data)
{
  PyObject *result;

  ((Buffer *) self)->start = g_seekable_tell (G_SEEKABLE (gi_tf_file_of (self)));
  ((Buffer *) self)->n_being_written = PyBytes_GET_SIZE (data);
  result = gi_tf_io_write (self, &data, 1, NULL);
  drop_written ((Buffer *) self, result != NULL ? PyBytes_GET_SIZE (data) : count_written ());
  return result;
}

/* Forgets what was being written by a thread that is not there any more. */
static void
forget_writing (Buffer *self)
{
  if (self->start >= 0)
    drop_written (self, self->n_being_written);
}

static gboolean
is_busy (GIOStream *file)
{
  return g_io_stream_has_pending (file) ||
         g_input_stream_has_pending (g_io_stream_get_input_stream (file)) ||
         g_output_stream_has_pending (g_io_stream_get_output_stream (file));
}

/* Writes all that is kept; but only its beginning, so that the rest is not copied, if that is refused anyway. */
static gboolean
write_some_kept (PyObject *self)
{
  PyObject *kept = ((Buffer *) self)->kept;
  gboolean is_refused = is_busy (G_IO_STREAM (gi_tf_file_of (self)));
  Py_ssize_t size = is_refused ? MIN (count_kept (self), 4096) : count_kept (self);
  PyObject *data = PyBytes_FromStringAndSize (PyByteArray_AS_STRING (kept), size);
  PyObject *result = data != NULL ? write_bytes (self, data) : NULL;

  Py_XDECREF (data);
  Py_XDECREF (result);
  return result != NULL;
}

/* What is refused stays. What a function writes that this calls is kept behind it. */
static PyObject *
write_kept (PyObject *self)
{
  if (gi_tf_is_finalizing ())
    forget_writing ((Buffer *) self);

  while (((Buffer *) self)->start < 0 && count_kept (self) > 0)
    {
      if (gi_tf_file_of (self) == NULL)
        return gi_tf_raise_closed ();
      if (!write_some_kept (self))
        return NULL;
    }

  if (count_kept (self) == 0)
    Py_CLEAR (((Buffer *) self)->due);
  Py_RETURN_NONE;
}

static PyObject *
end_turn (PyObject *self,
          PyObject *result)
{
  GObject *object = pygobject_get (self);

  if (object != NULL)
    gi_tf_end_use (object);
  return end_call ((Buffer *) self, result);
}

/* Waits until nobody else uses the file. */
static void
begin_turn (PyObject *self)
{
  begin_call ((Buffer *) self);
  if (pygobject_get (self) != NULL)
    gi_tf_begin_use (pygobject_get (self));
}

static gboolean
try_begin_turn (PyObject *self)
{
  begin_call ((Buffer *) self);
  if (pygobject_get (self) == NULL || gi_tf_try_begin_use (pygobject_get (self)))
    return TRUE;

  end_call ((Buffer *) self, NULL);
  return FALSE;
}

/* Writes what is kept, before anything else is done with the file, and before this goes. */
static PyObject *
buffer_write_kept (PyObject *self,
                   PyObject *unused)
{
  if (count_kept (self) == 0)
    Py_RETURN_NONE;

  begin_turn (self);
  return end_turn (self, write_kept (self));
}

static gboolean
write_kept_in_turn (PyObject *self)
{
  PyObject *result = G_LIKELY (count_kept (self) == 0) ? Py_None : PyObject_CallMethod (self, "write_kept", NULL);

  if (result != Py_None)
    Py_XDECREF (result);
  return result != NULL;
}

/* Writes what is kept, unless another thread uses the file. */
static PyObject *
buffer_try_write_kept (PyObject *self,
                       PyObject *unused)
{
  if (count_kept (self) == 0 || !try_begin_turn (self))
    Py_RETURN_NONE;

  return end_turn (self, write_kept (self));
}

/* Returns whether the exception that is set does not matter to who flushes, and clears it then. */
static gboolean
forgives (PyObject *self)
{
  PyObject *type, *value, *traceback, *answer;
  gboolean is_forgiven;

  if (!PyErr_ExceptionMatches (PyExc_OSError))
    return FALSE;

  PyErr_Fetch (&type, &value, &traceback);
  PyErr_NormalizeException (&type, &value, &traceback);
  answer = PyObject_CallMethod (self, "forgives", "O", value);
  is_forgiven = answer == Py_True;
  if (answer != NULL && !is_forgiven)
    PyErr_Restore (type, value, traceback);
  else
    {
      Py_XDECREF (type);
      Py_XDECREF (value);
      Py_XDECREF (traceback);
    }

  Py_XDECREF (answer);
  return is_forgiven;
}

/* Writes what is held back, too, unless this thread only asks. */
static PyObject *
buffer_flush (PyObject         *self,
              PyObject   *const*args,
              Py_ssize_t        n_args,
              PyObject         *names)
{
  int asks = is_asking ((Buffer *) self);
  PyObject *result = asks == 0 ? flush_after_kept (self, args, n_args, names) : NULL;

  if (result == NULL && (asks > 0 || (asks == 0 && forgives (self))))
    Py_RETURN_NONE;
  return result;
}

static gboolean
try_write (PyObject *self,
           PyObject *data)
{
  gboolean success;

  begin_call ((Buffer *) self);
  success = gi_tf_io_try_write (self, data);
  end_call ((Buffer *) self, NULL);
  return success;
}

static PyObject *
write_last_kept (PyObject *self,
                 PyObject *data)
{
  begin_turn (self);
  return end_turn (self, PyObject_CallMethod (self, "write_in_turn", "OO", data, Py_True));
}

/* Refuses more while much is kept. */
static gboolean
make_room (PyObject *self)
{
  PyObject *result;

  if (G_LIKELY (count_kept (self) <= MOST_AT_ONCE))
    return TRUE;

  begin_turn (self);
  result = end_turn (self, PyObject_CallMethod (self, "make_room", NULL));
  Py_XDECREF (result);
  return result != NULL;
}

/* Keeps what another call writes: that of the text which this is in, if @is_due, and else one that follows. */
static PyObject *
keep_for_later (PyObject *self,
                PyObject *data,
                gboolean  is_due)
{
  if (!keep (self, data))
    return NULL;

  if (is_due)
    {
      Py_INCREF (data);
      Py_XSETREF (((Buffer *) self)->due, data);
    }
  return PyLong_FromSsize_t (PyObject_Size (data));
}

static PyObject *
buffer_write (PyObject *self,
              PyObject *data)
{
  int asks = is_asking ((Buffer *) self);

  if (asks < 0)
    return NULL;
  if (count_kept (self) == 0 && try_write (self, data))
    return PyLong_FromSsize_t (PyBytes_GET_SIZE (data));
  if (asks || (((Buffer *) self)->n_writing > 0 && PyBytes_CheckExact (data) && PyBytes_GET_SIZE (data) <= MOST_AT_ONCE))
    return keep_for_later (self, data, !asks);
  if (count_kept (self) == 0 && try_begin_turn (self))
    return end_turn (self, PyObject_CallMethod (self, "write_in_turn", "OO", data, Py_False));

  return keep (self, data) ? write_last_kept (self, data) : NULL;
}

static gboolean
write_due (PyObject *self)
{
  PyObject *due = g_steal_pointer (&((Buffer *) self)->due);
  PyObject *result;

  if (G_LIKELY (due == NULL))
    return TRUE;

  begin_turn (self);
  result = end_turn (self, PyObject_CallMethod (self, "write_due", "O", due));
  Py_DECREF (due);
  Py_XDECREF (result);
  return result != NULL;
}

static PyObject *
call_text (PyObject *tuple,
           PyObject *string)
{
  PyObject *method = PyTuple_GET_ITEM (tuple, 1);
  PyObject *args[2] = { NULL, string };
  PyObject *result;

  if (PyTuple_GET_SIZE (tuple) == 2)
    return PyObject_CallOneArg (method, string);

  args[0] = PyObject_CallNoArgs (PyTuple_GET_ITEM (tuple, 2));
  if (args[0] == Py_None)
    result = gi_tf_raise_closed ();
  else
    result = args[0] != NULL ? PyObject_Vectorcall (method, args, 2, NULL) : NULL;

  Py_XDECREF (args[0]);
  return result;
}

/* Calls the write() of a text, and then writes what is due. */
static PyObject *
text_write (PyObject *tuple,
            PyObject *string)
{
  PyObject *buffer = PyTuple_GET_ITEM (tuple, 0);
  Buffer *self = (Buffer *) buffer;
  PyObject *result;

  if (!make_room (buffer))
    return NULL;

  self->n_writing++;
  result = call_text (tuple, string);
  if (self->n_writing > 0)
    self->n_writing--;

  if (result != NULL && !write_due (buffer))
    Py_CLEAR (result);
  return result;
}

static PyMethodDef text_write_method = {
  "write", text_write, METH_O,
  PyDoc_STR ("write($self, text, /)\n--\n\nWrite a string to the file and return its length.")
};

/* Returns a write() for a text file. Takes its bytes, and the method of the text, or of its class and a weak reference. */
PyObject *
gi_tf_buffer_get_text_write (PyObject *module,
                             PyObject *args)
{
  PyObject *buffer, *method, *reference = NULL;

  if (!PyArg_ParseTuple (args, "O!O|O", buffer_type, &buffer, &method, &reference))
    return NULL;

  return PyCFunction_New (&text_write_method, args);
}

/* What is kept is the parent's to write, unless the child has a copy of the file. */
static gboolean
leave_kept_to_parent (Buffer *self)
{
  if (self->object == NULL || gi_tf_is_in_memory ((TfTempFile *) self->object))
    return TRUE;

  Py_CLEAR (self->due);
  return PySequence_DelSlice (self->kept, 0, PyByteArray_GET_SIZE (self->kept)) == 0;
}

/* In a child, which has none of the other threads of its parent. What one of them writes is not kept there. */
static PyObject *
buffer_leave_to_parent (PyObject *self,
                        PyObject *unused)
{
  Buffer *buffer = (Buffer *) self;
  int asks = is_asking (buffer);
  PyObject *thread = asks >= 0 ? get_thread () : NULL;
  gboolean success = thread != NULL && PySet_Clear (buffer->asking) == 0;

  if (success && asks)
    success = PySet_Add (buffer->asking, thread) == 0;
  if (!gi_tf_is_used (buffer->object))
    {
      forget_writing (buffer);
      success = success && leave_kept_to_parent (buffer);
    }
  buffer->n_writing = 0;

  Py_XDECREF (thread);
  if (!success)
    return NULL;
  Py_RETURN_NONE;
}

static PyObject *
buffer_get_closed (PyObject *self,
                   void     *unused)
{
  GObject *object = ((Buffer *) self)->object;

  return PyBool_FromLong (object == NULL || g_io_stream_is_closed ((GIOStream *) object));
}

static gboolean
is_name_of_closed (PyObject *name)
{
  return PyUnicode_Check (name) && PyUnicode_IS_COMPACT_ASCII (name) && PyUnicode_GET_LENGTH (name) == 6 &&
         memcmp (PyUnicode_1BYTE_DATA (name), "closed", 6) == 0;
}

/* A text asks with each line whether the file is closed, and the search of a class takes longer than the answer. */
static PyObject *
buffer_getattro (PyObject *self,
                 PyObject *name)
{
  return is_name_of_closed (name) ? buffer_get_closed (self, NULL) : PyObject_GenericGetAttr (self, name);
}

/* Whether an asynchronous call refuses what is written now. */
static PyObject *
buffer_is_busy (PyObject *self,
                PyObject *unused)
{
  TfTempFile *file = gi_tf_file_of (self);

  return PyBool_FromLong (file != NULL && is_busy (G_IO_STREAM (file)));
}

static PyObject *
buffer_is_in_memory (PyObject *self,
                     PyObject *unused)
{
  return DURING_CALL (PyBool_FromLong (gi_tf_is_in_memory (gi_tf_file_of (self))));
}

static PyObject *
buffer_iternext (PyObject *self)
{
  return AFTER_KEPT (gi_tf_file_iternext (self));
}

static PyObject *
buffer_close (PyObject         *self,
              PyObject   *const*args,
              Py_ssize_t        n_args,
              PyObject         *names)
{
  PyObject *result = close_during_call (self, args, n_args, names);

  if (result != NULL)
    Py_CLEAR (((Buffer *) self)->file);
  return result;
}

static PyObject *
buffer_exit (PyObject *self,
             PyObject *unused)
{
  return PyObject_CallMethod (self, "close", NULL);
}

static PyObject *
warn (PyObject *self)
{
  PyObject *file = ((Buffer *) self)->file;

  if (file != NULL)
    Py_INCREF (file);
  else
    file = pygobject_new (pygobject_get (self));
  if (file == NULL)
    return NULL;

  gi_tf_file_warn (file);
  Py_DECREF (file);
  Py_RETURN_NONE;
}

/* What an io.TextIOWrapper calls before it closes the bytes because it was dropped. */
static PyObject *
buffer_dealloc_warn (PyObject *self,
                     PyObject *source)
{
  return DURING_CALL (warn (self));
}

static PyObject *
close_dropped (PyObject *self)
{
  TfTempFile *file = gi_tf_file_of (self);

  if (file != NULL && !g_io_stream_is_closed (G_IO_STREAM (file)))
    Py_XDECREF (warn (self));
  return gi_tf_close_object (self, NULL);
}

static void
report (PyObject *self,
        PyObject *result)
{
  if (result == NULL)
    PyErr_WriteUnraisable (self);
  Py_XDECREF (result);
}

/* A text that was there has closed the file. */
static void
buffer_finalize (PyObject *self)
{
  GObject *object = ((Buffer *) self)->object;
  PyObject *type, *value, *traceback;

  PyErr_Fetch (&type, &value, &traceback);
  if (object != NULL && !g_io_stream_is_closed ((GIOStream *) object))
    report (self, PyObject_CallMethod (self, "write_kept", NULL));
  if (((Buffer *) self)->file != NULL)
    report (self, DURING_CALL (close_dropped (self)));
  PyErr_Restore (type, value, traceback);
}

/* The file is dropped; from now on this keeps it. */
void
gi_tf_buffer_take_file (PyObject *self,
                        PyObject *file)
{
  Py_INCREF (file);
  Py_XSETREF (((Buffer *) self)->file, file);
}

static PyObject *
buffer_new (PyTypeObject *type,
            PyObject     *args,
            PyObject     *keywords)
{
  Buffer *self = (Buffer *) type->tp_alloc (type, 0);

  if (self == NULL)
    return NULL;

  self->start = -1;
  self->kept = PyByteArray_FromStringAndSize (NULL, 0);
  self->asking = PySet_New (NULL);
  if (self->kept != NULL && self->asking != NULL)
    return (PyObject *) self;

  Py_DECREF (self);
  return NULL;
}

static int
buffer_init (PyObject *self,
             PyObject *args,
             PyObject *keywords)
{
  PyGObject *parent = (PyGObject *) self;
  PyObject *file, *state = NULL;

  if (!PyArg_ParseTuple (args, "O!|O!", gi_tf_object_type, &file, &PyDict_Type, &state))
    return -1;
  if (!TF_IS_TEMP_FILE (pygobject_get (file)))
    {
      PyErr_SetString (PyExc_TypeError, "expected a file");
      return -1;
    }

  Py_XINCREF (state);
  Py_XSETREF (parent->inst_dict, state);
  g_set_weak_pointer (&((Buffer *) self)->object, pygobject_get (file));
  return 0;
}

static int
buffer_traverse (PyObject  *self,
                 visitproc  visit,
                 void      *arg)
{
  Py_VISIT (Py_TYPE (self));
  Py_VISIT (((PyGObject *) self)->inst_dict);
  Py_VISIT (((Buffer *) self)->file);
  return 0;
}

static int
buffer_clear (PyObject *self)
{
  Py_CLEAR (((PyGObject *) self)->inst_dict);
  Py_CLEAR (((Buffer *) self)->file);
  return 0;
}

static void
buffer_dealloc (PyObject *self)
{
  PyTypeObject *type = Py_TYPE (self);

  if (PyObject_CallFinalizerFromDealloc (self) < 0)
    return;

  PyObject_GC_UnTrack (self);
  g_clear_weak_pointer (&((Buffer *) self)->object);
  buffer_clear (self);
  Py_CLEAR (((Buffer *) self)->kept);
  Py_CLEAR (((Buffer *) self)->due);
  Py_CLEAR (((Buffer *) self)->asking);
  type->tp_free (self);
  Py_DECREF (type);
}

#define FUNCTION(function) ((PyCFunction) (void (*) (void)) (function))
#define WITH_KEYWORDS (METH_FASTCALL | METH_KEYWORDS)

static PyMethodDef buffer_methods[] = {
  { "close", FUNCTION (buffer_close), WITH_KEYWORDS, NULL },
  { "flush", FUNCTION (buffer_flush), WITH_KEYWORDS, NULL },
  { "read", FUNCTION (buffer_read), WITH_KEYWORDS, NULL },
  { "read1", FUNCTION (buffer_read1), WITH_KEYWORDS, NULL },
  { "seek", FUNCTION (buffer_seek), WITH_KEYWORDS, NULL },
  { "truncate", FUNCTION (buffer_truncate), WITH_KEYWORDS, NULL },
  { "write_now", FUNCTION (buffer_write_now), WITH_KEYWORDS, NULL },
  { "ask", FUNCTION (buffer_ask), METH_FASTCALL, NULL },
  { "peek", FUNCTION (buffer_peek), METH_FASTCALL, NULL },
  { "readline", FUNCTION (buffer_readline), METH_FASTCALL, NULL },
  { "readlines", FUNCTION (buffer_readlines), METH_FASTCALL, NULL },
  { "fileno", buffer_fileno, METH_NOARGS, NULL },
  { "leave_to_parent", buffer_leave_to_parent, METH_NOARGS, NULL },
  { "is_asking", buffer_is_asking, METH_NOARGS, NULL },
  { "is_busy", buffer_is_busy, METH_NOARGS, NULL },
  { "is_in_memory", buffer_is_in_memory, METH_NOARGS, NULL },
  { "isatty", buffer_isatty, METH_NOARGS, NULL },
  { "readable", buffer_readable, METH_NOARGS, NULL },
  { "readinto", buffer_readinto, METH_O, NULL },
  { "readinto1", buffer_readinto, METH_O, NULL },
  { "seekable", buffer_seekable, METH_NOARGS, NULL },
  { "tell", buffer_tell, METH_NOARGS, NULL },
  { "try_write_kept", buffer_try_write_kept, METH_NOARGS, NULL },
  { "write", buffer_write, METH_O, NULL },
  { "write_kept", buffer_write_kept, METH_NOARGS, NULL },
  { "writable", buffer_writable, METH_NOARGS, NULL },
  { "writelines", buffer_writelines, METH_O, NULL },
  { "__enter__", buffer_enter, METH_NOARGS, NULL },
  { "__exit__", buffer_exit, METH_VARARGS, NULL },
  { "_dealloc_warn", buffer_dealloc_warn, METH_O, NULL },
  { NULL },
};

static PyMemberDef buffer_members[] = {
  { "kept", T_OBJECT_EX, offsetof (Buffer, kept), READONLY, PyDoc_STR ("What is not written yet.") },
  { NULL },
};

static PyGetSetDef buffer_getset[] = {
  { "closed", buffer_get_closed, NULL, PyDoc_STR ("Whether the file is closed."), NULL },
  { NULL },
};

static PyType_Slot buffer_slots[] = {
  { Py_tp_doc, (void *) PyDoc_STR ("The bytes of a text file.") },
  { Py_tp_methods, buffer_methods },
  { Py_tp_members, buffer_members },
  { Py_tp_getset, buffer_getset },
  { Py_tp_getattro, buffer_getattro },
  { Py_tp_new, buffer_new },
  { Py_tp_init, buffer_init },
  { Py_tp_traverse, buffer_traverse },
  { Py_tp_clear, buffer_clear },
  { Py_tp_finalize, buffer_finalize },
  { Py_tp_dealloc, buffer_dealloc },
  { Py_tp_iter, PyObject_SelfIter },
  { Py_tp_iternext, buffer_iternext },
  { 0, NULL },
};

static PyType_Spec buffer_spec = {
  "gi.overrides._gi_tf.Buffer", sizeof (Buffer), 0,
  Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, buffer_slots
};

/* The documentation is that of File. */
static void
copy_docs (void)
{
  for (PyMethodDef *method = buffer_methods; method->ml_name != NULL; method++)
    for (PyMethodDef *other = gi_tf_io_methods; other->ml_name != NULL; other++)
      if (strcmp (method->ml_name, other->ml_name) == 0)
        method->ml_doc = other->ml_doc;
}

PyObject *
gi_tf_buffer_create_type (void)
{
  copy_docs ();
  Py_XSETREF (buffer_type, (PyTypeObject *) PyType_FromSpec (&buffer_spec));
  Py_XINCREF (buffer_type);
  return (PyObject *) buffer_type;
}
