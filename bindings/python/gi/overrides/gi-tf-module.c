/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define GI_TF_IMPORT_PYGOBJECT
#include "gi-tf.h"

PyTypeObject *gi_tf_object_type;

static PyObject *
set_up (PyObject *module,
        PyObject *args)
{
  PyObject *raise_error, *refuse, *seek_type;

  if (!PyArg_ParseTuple (args, "O!OOO", &PyType_Type, &gi_tf_object_type, &raise_error, &refuse, &seek_type) ||
      !gi_tf_errors_set_up (raise_error, refuse) || !gi_tf_io_set_up (seek_type))
    return NULL;

  Py_INCREF (gi_tf_object_type);
  Py_RETURN_NONE;
}

static PyObject *
set_classes (PyObject *module,
             PyObject *args)
{
  PyObject *files, *dir;

  if (!PyArg_ParseTuple (args, "O!O", &PyTuple_Type, &files, &dir) ||
      !gi_tf_file_set_up (files) || !gi_tf_dir_set_up (dir))
    return NULL;

  Py_RETURN_NONE;
}

static PyObject *
set_names_are_bytes (PyObject *module,
                     PyObject *value)
{
  gi_tf_names_be_bytes (PyObject_IsTrue (value));
  Py_RETURN_NONE;
}

static PyObject *
get_last_errno (PyObject *module,
                PyObject *unused)
{
  return PyLong_FromLong (tf_get_last_errno ());
}

/* An object that is not of GObject is nobody's to use. */
static GObject *
object_of (PyObject *object)
{
  return PyObject_TypeCheck (object, gi_tf_object_type) ? pygobject_get (object) : NULL;
}

static PyObject *
get_path (PyObject *module,
          PyObject *object)
{
  GObject *of = object_of (object);

  if (TF_IS_NAMED_FILE (of))
    return gi_tf_path (object, tf_named_file_get_path (TF_NAMED_FILE (of)));
  if (TF_IS_TEMP_DIR (of))
    return gi_tf_path (object, tf_temp_dir_get_path (TF_TEMP_DIR (of)));
  Py_RETURN_NONE;
}

static PyObject *
set_auditing (PyObject *module,
              PyObject *value)
{
  tf_set_audit_func (PyObject_IsTrue (value) ? gi_tf_audit : NULL, NULL, NULL);
  Py_RETURN_NONE;
}

static PyObject *
begin_use (PyObject *module,
           PyObject *object)
{
  if (object_of (object) != NULL)
    gi_tf_begin_use (object_of (object));
  Py_RETURN_NONE;
}

static PyObject *
end_use (PyObject *module,
         PyObject *object)
{
  if (object_of (object) != NULL)
    gi_tf_end_use (object_of (object));
  Py_RETURN_NONE;
}

static PyObject *
is_used (PyObject *module,
         PyObject *object)
{
  return PyBool_FromLong (gi_tf_is_used (object_of (object)));
}

/* The attributes of a file or directory. Its dictionary is made when Python asks for it. Without one, each call is faster,
 * and PyGObject drops the object without Python's lock: with one, it gives the lock up in the middle, and goes on without
 * it if the interpreter begins to end. */
static PyObject *
state_of (PyObject *module,
          PyObject *object)
{
  PyObject *dict;

  if (!PyObject_TypeCheck (object, gi_tf_object_type))
    return PyErr_Format (PyExc_TypeError, "not an object of GObject: %R", object);

  dict = ((PyGObject *) object)->inst_dict;
  return dict != NULL ? Py_NewRef (dict) : PyDict_New ();
}

static PyMethodDef functions[] = {
  { "set_up", set_up, METH_VARARGS, NULL },
  { "set_classes", set_classes, METH_VARARGS, NULL },
  { "set_names_are_bytes", set_names_are_bytes, METH_O, NULL },
  { "get_last_errno", get_last_errno, METH_NOARGS, NULL },
  { "get_path", get_path, METH_O, NULL },
  { "get_mode", gi_tf_file_get_mode, METH_O, NULL },
  { "set_auditing", set_auditing, METH_O, NULL },
  { "begin_use", begin_use, METH_O, NULL },
  { "end_use", end_use, METH_O, NULL },
  { "is_used", is_used, METH_O, NULL },
  { "state_of", state_of, METH_O, NULL },
  { "get_text_write", gi_tf_buffer_get_text_write, METH_VARARGS, NULL },
  { NULL },
};

static struct PyModuleDef definition = {
  PyModuleDef_HEAD_INIT, "_gi_tf", PyDoc_STR ("What the override Tf does in C."), -1, functions
};

static gboolean
add_value (PyObject   *module,
           const char *name,
           PyObject   *value)
{
  if (value != NULL && PyModule_AddObjectRef (module, name, value) == 0)
    {
      Py_DECREF (value);
      return TRUE;
    }

  Py_XDECREF (value);
  return FALSE;
}

PyMODINIT_FUNC PyInit__gi_tf (void);

PyMODINIT_FUNC
PyInit__gi_tf (void)
{
  PyObject *module;

  gi_tf_call_set_up ();
  if (pygobject_init (3, 42, 0) == NULL || !gi_tf_state_set_up () || !gi_tf_names_set_up ())
    return NULL;

  module = PyModule_Create (&definition);
  if (module != NULL && add_value (module, "File", gi_tf_file_create_type ()) &&
      add_value (module, "FILE_BASES", Py_BuildValue ("(N)", gi_tf_file_create_base ())) &&
      add_value (module, "Buffer", gi_tf_buffer_create_type ()) && add_value (module, "Dir", gi_tf_dir_create_type ()) &&
      add_value (module, "CLASSES_OF_GIO", PyTuple_New (0)))
    return module;

  Py_XDECREF (module);
  return NULL;
}
