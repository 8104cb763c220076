/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "gi-tf.h"

/* The type File, first among the bases of TempFile, NamedFile and SpooledFile; the type Buffer, the bytes of a file that
 * is text; and the type Lines, which a text file is iterated with.
 *
 * The io.TextIOWrapper of a text file is over a Buffer instead of the file, which has no reference then: a file that is
 * dropped goes at once. */

#define SMALL (256 * 1024)

typedef enum
{
  KIND_UNNAMED,
  KIND_NAMED,
  KIND_SPOOLED,
  KIND_DROP_IN_SPOOLED, /* a max_size of 0 means none */
  KIND_DROP_IN_UNNAMED,
  N_KINDS,
} Kind;

static PyObject *kinds[N_KINDS]; /* (owned) (nullable): the classes without subclasses */
static PyTypeObject *lines_type; /* (owned) (nullable) */

static Kind
kind_of (PyObject *self)
{
  Kind kind = 0;

  while (kind < N_KINDS && kinds[kind] != (PyObject *) Py_TYPE (self))
    kind++;

  return kind;
}

/* --- Closing --- */

/* Closing little in memory takes no time. */
static gboolean
closes_at_once (TfTempFile *file)
{
  return gi_tf_is_in_memory (file) && tf_temp_file_get_size (file) <= SMALL && !gi_tf_is_busy (file);
}

static PyObject *
close_object (PyObject     *self,
              GCancellable *cancellable)
{
  TfTempFile *object = gi_tf_file_of (self);
  GError *error = NULL;
  gboolean success;

  if (object == NULL || g_io_stream_is_closed (G_IO_STREAM (object)))
    Py_RETURN_NONE;

  g_object_ref (object);
  if (closes_at_once (object))
    success = g_io_stream_close (G_IO_STREAM (object), cancellable, &error);
  else
    GI_TF_RELEASED (object, success = g_io_stream_close (G_IO_STREAM (object), cancellable, &error));
  if (!success)
    gi_tf_raise (error);
  g_object_unref (object);

  if (!success)
    return NULL;
  Py_RETURN_NONE;
}

/* Closes the text, too, which writes what is left of it. */
PyObject *
gi_tf_file_close (PyObject *self)
{
  PyObject *text = gi_tf_get_state (self, GI_TF_KEY_TEXT);

  return text != NULL ? PyObject_CallMethod (text, "close", NULL) : close_object (self, NULL);
}

static PyObject *
file_close (PyObject         *self,
            PyObject   *const*args,
            Py_ssize_t        n_args,
            PyObject         *names)
{
  static const char *const keywords[] = { "cancellable", NULL };
  PyObject *values[1] = { NULL };
  GCancellable *cancellable;

  if (!gi_tf_get_arguments (keywords, args, n_args, names, values) ||
      !gi_tf_get_cancellable (values[0], &cancellable))
    return NULL;

  return cancellable != NULL && gi_tf_get_state (self, GI_TF_KEY_TEXT) == NULL ? close_object (self, cancellable)
                                                                                : gi_tf_file_close (self);
}

static PyObject *
file_enter (PyObject *self,
            PyObject *unused)
{
  TfTempFile *file = gi_tf_file_of (self);

  if (file == NULL || g_io_stream_is_closed (G_IO_STREAM (file)))
    return gi_tf_raise_closed ();

  Py_INCREF (self);
  return self;
}

static gboolean
unlink_at_exit (GObject *object)
{
  GError *error = NULL;
  gboolean success;

  if (!TF_IS_NAMED_FILE (object) || tf_named_file_get_delete_policy (TF_NAMED_FILE (object)) != TF_DELETE_ON_DISPOSE ||
      tf_named_file_is_handed_over (TF_NAMED_FILE (object)))
    return TRUE;

  GI_TF_RELEASED (object, success = tf_named_file_unlink (TF_NAMED_FILE (object), NULL, &error));
  if (!success)
    gi_tf_raise (error);
  return success;
}

static PyObject *
file_exit (PyObject         *self,
           PyObject   *const*args,
           Py_ssize_t        n_args)
{
  PyObject *result = kind_of (self) < N_KINDS ? gi_tf_file_close (self) : PyObject_CallMethod (self, "close", NULL);

  if (result != NULL && !unlink_at_exit (pygobject_get (self)))
    Py_CLEAR (result);
  return result;
}

/* --- Dropping --- */

/* As in tempfile, the warning about a named file does not hold it. */
static void
warn (PyObject *self)
{
  int result = TF_IS_NAMED_FILE (pygobject_get (self))
    ? PyErr_WarnFormat (PyExc_ResourceWarning, 1, "Implicitly cleaning up %R", self)
    : PyErr_ResourceWarning (self, 1, "unclosed file %R", self);

  if (result < 0)
    PyErr_WriteUnraisable (self);
}

/* Called when the last reference of Python's goes. If C has none either, the file is closed. */
static void
file_finalize (PyObject *self)
{
  TfTempFile *file = gi_tf_file_of (self);
  PyObject *type, *value, *traceback, *result;

  if (file == NULL || G_OBJECT (file)->ref_count != 1 || g_io_stream_is_closed (G_IO_STREAM (file)))
    return;

  PyErr_Fetch (&type, &value, &traceback);
  warn (self);
  result = gi_tf_file_close (self);
  if (result == NULL)
    PyErr_WriteUnraisable (self);
  Py_XDECREF (result);
  PyErr_Restore (type, value, traceback);
}

/* --- Iterating --- */

typedef struct
{
  PyObject_HEAD
  PyObject *file; /* (owned) (nullable): so that it stays open */
  PyObject *text; /* (owned) (nullable) */
} Lines;

static int
lines_traverse (PyObject  *self,
                visitproc  visit,
                void      *arg)
{
  Py_VISIT (Py_TYPE (self));
  Py_VISIT (((Lines *) self)->file);
  Py_VISIT (((Lines *) self)->text);
  return 0;
}

static int
lines_clear (PyObject *self)
{
  Py_CLEAR (((Lines *) self)->text);
  Py_CLEAR (((Lines *) self)->file);
  return 0;
}

static void
lines_dealloc (PyObject *self)
{
  PyTypeObject *type = Py_TYPE (self);

  PyObject_GC_UnTrack (self);
  lines_clear (self);
  PyObject_GC_Del (self);
  Py_DECREF (type);
}

static PyObject *
lines_next (PyObject *self)
{
  PyObject *text = ((Lines *) self)->text;

  return text != NULL ? Py_TYPE (text)->tp_iternext (text) : NULL;
}

static PyType_Slot lines_slots[] = {
  { Py_tp_traverse, lines_traverse },
  { Py_tp_clear, lines_clear },
  { Py_tp_dealloc, lines_dealloc },
  { Py_tp_iter, PyObject_SelfIter },
  { Py_tp_iternext, lines_next },
  { 0, NULL },
};

static PyType_Spec lines_spec = {
  "gi.overrides._gi_tf.Lines", sizeof (Lines), 0,
  Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, lines_slots
};

static PyObject *
lines_new (PyObject *file,
           PyObject *text)
{
  Lines *self = PyObject_GC_New (Lines, lines_type);

  if (self == NULL)
    return NULL;

  Py_INCREF (file);
  self->file = file;
  Py_INCREF (text);
  self->text = text;
  PyObject_GC_Track (self);
  return (PyObject *) self;
}

static PyObject *
file_iter (PyObject *self)
{
  PyObject *text = gi_tf_get_state (self, GI_TF_KEY_TEXT);

  if (pygobject_get (self) == NULL || g_io_stream_is_closed (G_IO_STREAM (gi_tf_file_of (self))))
    return gi_tf_raise_closed ();
  if (text != NULL && Py_TYPE (text)->tp_iternext != NULL)
    return lines_new (self, text);

  Py_INCREF (self);
  return self;
}

/* --- Construction --- */

static gpointer
create (Kind              kind,
        const GiTfNames  *names,
        GError          **error)
{
  switch (kind)
    {
    case KIND_UNNAMED:
    case KIND_DROP_IN_UNNAMED:
      return g_initable_new (TF_TYPE_TEMP_FILE, NULL, error,
                             "prefix", names->prefix, "suffix", names->suffix, "dir", names->dir, NULL);

    case KIND_NAMED:
      return g_initable_new (TF_TYPE_NAMED_FILE, NULL, error,
                             "prefix", names->prefix, "suffix", names->suffix, "dir", names->dir,
                             "buffered", TRUE, NULL);

    case KIND_SPOOLED:
    case KIND_DROP_IN_SPOOLED:
    default:
      return tf_spooled_file_new_full (names->max_size, names->prefix, names->suffix, names->dir);
    }
}

static int
file_init (PyObject *self,
           PyObject *args,
           PyObject *keywords)
{
  Kind kind = kind_of (self);
  gboolean is_spooled = kind == KIND_SPOOLED || kind == KIND_DROP_IN_SPOOLED;
  GiTfNames names = { .max_size = kind == KIND_SPOOLED ? 1 << 20 : -1 };
  GError *error = NULL;
  gpointer object;

  if (kind == N_KINDS || pygobject_get (self) != NULL ||
      !gi_tf_names_get (&names, is_spooled, args, keywords))
    return PyErr_Occurred () ? -1 : gi_tf_init_slowly (self, args, keywords);

  if (kind == KIND_DROP_IN_SPOOLED && names.max_size <= 0)
    names.max_size = -1;

  if (is_spooled)
    object = create (kind, &names, NULL);
  else
    GI_TF_RELEASED (NULL, object = create (kind, &names, &error));
  return gi_tf_take_object (self, object, error);
}

/* Takes a tuple of the classes that construct objects of C's classes, in the order of Kind. */
gboolean
gi_tf_file_set_up (PyObject *classes)
{
  for (Kind kind = 0; kind < N_KINDS; kind++)
    {
      PyObject *klass = PyTuple_GetItem (classes, kind);

      if (klass == NULL)
        return FALSE;
      Py_INCREF (klass);
      Py_XSETREF (kinds[kind], klass);
    }

  return TRUE;
}

#define FUNCTION(function) ((PyCFunction) (void (*) (void)) (function))

static PyMethodDef close_methods[] = {
  { "close", FUNCTION (file_close), METH_FASTCALL | METH_KEYWORDS,
    PyDoc_STR ("close($self, cancellable=None)\n--\n\nClose the file; again does nothing.") },
  { "__enter__", file_enter, METH_NOARGS, NULL },
  { "__exit__", FUNCTION (file_exit), METH_FASTCALL, NULL },
  { NULL },
};

static gboolean
check_spooled (PyObject   *self,
               const char *name)
{
  if (TF_IS_SPOOLED_FILE (pygobject_get (self)))
    return TRUE;

  PyErr_Format (PyExc_AttributeError, "'%s' object has no attribute '%s'", Py_TYPE (self)->tp_name, name);
  return FALSE;
}

static PyObject *
get_rolled (PyObject *self,
            void     *unused)
{
  return check_spooled (self, "_rolled")
    ? PyBool_FromLong (tf_spooled_file_is_rolled_over ((TfSpooledFile *) pygobject_get (self))) : NULL;
}

static PyObject *
get_max_size (PyObject *self,
              void     *unused)
{
  return check_spooled (self, "_max_size")
    ? PyLong_FromLongLong (MAX (tf_spooled_file_get_max_size ((TfSpooledFile *) pygobject_get (self)), 0)) : NULL;
}

/* What web frameworks ask a spooled file of tempfile for. */
static PyGetSetDef spooled_getset[] = {
  { "_rolled", get_rolled, NULL, NULL, NULL },
  { "_max_size", get_max_size, NULL, NULL, NULL },
  { NULL },
};

static PyObject *
add_getset (PyObject    *type,
            PyGetSetDef *getset)
{
  for (; type != NULL && getset->name != NULL; getset++)
    {
      PyObject *descriptor = PyDescr_NewGetSet ((PyTypeObject *) type, getset);

      if (descriptor == NULL || PyObject_SetAttrString (type, getset->name, descriptor) < 0)
        Py_CLEAR (type);
      Py_XDECREF (descriptor);
    }

  return type;
}

static PyObject *
create_type (PyType_Spec *spec)
{
  PyObject *type = PyType_FromSpec (spec);

  for (PyMethodDef *method = close_methods; type != NULL && method->ml_name != NULL; method++)
    {
      PyObject *descriptor = PyDescr_NewMethod ((PyTypeObject *) type, method);

      if (descriptor == NULL || PyObject_SetAttrString (type, method->ml_name, descriptor) < 0)
        Py_CLEAR (type);
      Py_XDECREF (descriptor);
    }

  return type;
}

static PyType_Slot file_slots[] = {
  { Py_tp_methods, gi_tf_io_methods },
  { Py_tp_getset, gi_tf_io_getset },
  { Py_tp_init, file_init },
  { Py_tp_iter, file_iter },
  { Py_tp_iternext, gi_tf_file_iternext },
  { Py_tp_finalize, file_finalize },
  { 0, NULL },
};

static PyType_Spec file_spec = {
  "gi.overrides._gi_tf.File", 0, 0,
  Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, file_slots
};

PyObject *
gi_tf_file_create_type (void)
{
  lines_type = (PyTypeObject *) PyType_FromSpec (&lines_spec);
  return lines_type != NULL ? add_getset (create_type (&file_spec), spooled_getset) : NULL;
}

/* --- Buffer: a PyGObject that only borrows its object --- */

static int
buffer_init (PyObject *self,
             PyObject *args,
             PyObject *keywords)
{
  PyGObject *buffer = (PyGObject *) self;
  PyObject *file, *state = NULL;

  if (!PyArg_ParseTuple (args, "O!|O!", gi_tf_object_type, &file, &PyDict_Type, &state))
    return -1;
  if (!TF_IS_TEMP_FILE (pygobject_get (file)) || buffer->obj != NULL)
    {
      PyErr_SetString (PyExc_TypeError, "expected a file");
      return -1;
    }

  Py_XINCREF (state);
  buffer->inst_dict = state;
  buffer->obj = pygobject_get (file);
  g_object_add_weak_pointer (buffer->obj, (gpointer *) &buffer->obj);
  return 0;
}

static void
buffer_dealloc (PyObject *self)
{
  PyTypeObject *type = Py_TYPE (self);

  g_clear_weak_pointer (&((PyGObject *) self)->obj);
  Py_CLEAR (((PyGObject *) self)->inst_dict);
  type->tp_free (self);
  Py_DECREF (type);
}

static PyObject *
buffer_get_mode (PyObject *self,
                 void     *unused)
{
  return PyUnicode_FromString ("rb+");
}

static PyObject *
buffer_get_name (PyObject *self,
                 void     *unused)
{
  TfTempFile *file = gi_tf_file_of (self);

  if (file != NULL && TF_IS_NAMED_FILE (file))
    return PyUnicode_DecodeFSDefault (tf_named_file_get_path (TF_NAMED_FILE (file)));
  if (file != NULL && gi_tf_is_in_memory (file))
    Py_RETURN_NONE;
  return PyObject_CallMethod (self, "fileno", NULL);
}

static PyGetSetDef buffer_getset[] = {
  { "mode", buffer_get_mode, NULL, PyDoc_STR ("The mode of the bytes."), NULL },
  { "name", buffer_get_name, NULL, PyDoc_STR ("The path, or the descriptor."), NULL },
  { NULL },
};

static PyType_Slot buffer_slots[] = {
  { Py_tp_doc, (void *) PyDoc_STR ("The bytes of a text file.") },
  { Py_tp_methods, gi_tf_io_methods },
  { Py_tp_getset, gi_tf_io_getset },
  { Py_tp_new, PyType_GenericNew },
  { Py_tp_init, buffer_init },
  { Py_tp_dealloc, buffer_dealloc },
  { Py_tp_iter, PyObject_SelfIter },
  { Py_tp_iternext, gi_tf_file_iternext },
  { 0, NULL },
};

static PyType_Spec buffer_spec = {
  "gi.overrides._gi_tf.Buffer", sizeof (PyGObject), 0, Py_TPFLAGS_DEFAULT, buffer_slots
};

PyObject *
gi_tf_buffer_create_type (void)
{
  return add_getset (create_type (&buffer_spec), buffer_getset);
}
