/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <unistd.h>

#include "gi-tf.h"

/* The type Dir, first among the bases of TempDir. */

static PyObject *dir_class; /* (owned) (nullable): the class without subclasses */

/* A directory that was removed by cleanup() of this type */
static G_DEFINE_QUARK (gi-tf-cleaned-up, cleaned_up)

static TfTempDir *
dir_of (PyObject *self)
{
  return (TfTempDir *) pygobject_get (self);
}

static PyObject *
clean_up (PyObject     *self,
          GCancellable *cancellable)
{
  TfTempDir *dir = dir_of (self);
  GError *error = NULL;
  gboolean success;

  if (dir == NULL)
    {
      PyErr_SetString (PyExc_ValueError, "operation on uninitialized object");
      return NULL;
    }

  GI_TF_RELEASED (dir, success = tf_temp_dir_cleanup (dir, cancellable, &error));
  if (!success)
    return gi_tf_raise (error);

  g_object_set_qdata (G_OBJECT (dir), cleaned_up_quark (), dir);
  Py_RETURN_NONE;
}

static PyObject *
dir_cleanup (PyObject         *self,
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

  return clean_up (self, cancellable);
}

static PyObject *
dir_enter (PyObject *self,
           PyObject *unused)
{
  return PyObject_GetAttrString (self, "name");
}

/* Whether this process removes it without being asked to */
static gboolean
is_automatic (TfTempDir *dir)
{
  return tf_temp_dir_get_auto_cleanup (dir) && !tf_temp_dir_is_handed_over (dir) && !tf_temp_dir_is_inherited (dir);
}

static PyObject *
dir_exit (PyObject         *self,
          PyObject   *const*args,
          Py_ssize_t        n_args)
{
  if (dir_of (self) != NULL && !is_automatic (dir_of (self)))
    Py_RETURN_NONE;

  return PyObject_CallMethod (self, "cleanup", NULL);
}

/* Whether somebody has to be told that it is removed only because it was dropped */
static gboolean
is_left (TfTempDir *dir)
{
  const char *path = tf_temp_dir_get_path (dir);
  char byte;

  /* Unlike lstat(), readlink() does not ask the server of what is mounted there: EINVAL is something else than a link. */
  return path != NULL && is_automatic (dir) && g_object_get_qdata (G_OBJECT (dir), cleaned_up_quark ()) == NULL &&
         (readlink (path, &byte, 1) >= 0 || errno == EINVAL);
}

static void
dir_finalize (PyObject *self)
{
  TfTempDir *dir = dir_of (self);
  PyObject *type, *value, *traceback, *result;

  if (dir == NULL || G_OBJECT (dir)->ref_count != 1 || !is_left (dir))
    return;

  PyErr_Fetch (&type, &value, &traceback);
  result = clean_up (self, NULL);
  if (result == NULL)
    {
      PyErr_WriteUnraisable (self);
      /* It is tried again, also at the end, and said only once. */
      tf_temp_dir_set_ignore_cleanup_errors (dir, TRUE);
    }
  Py_XDECREF (result);
  if (PyErr_ResourceWarning (self, 1, "Implicitly cleaning up %R", self) < 0)
    PyErr_WriteUnraisable (self);
  PyErr_Restore (type, value, traceback);
}

static int
dir_init (PyObject *self,
          PyObject *args,
          PyObject *keywords)
{
  GiTfNames names = { NULL };
  GError *error = NULL;
  gpointer object;

  if (dir_class != (PyObject *) Py_TYPE (self) || pygobject_get (self) != NULL ||
      !gi_tf_names_get (&names, FALSE, args, keywords))
    return PyErr_Occurred () ? -1 : gi_tf_init_slowly (self, args, keywords);

  GI_TF_RELEASED (NULL, object = tf_temp_dir_new (names.prefix, names.suffix, names.dir, NULL, &error));
  return gi_tf_take_object (self, object, error);
}

gboolean
gi_tf_dir_set_up (PyObject *klass)
{
  Py_INCREF (klass);
  Py_XSETREF (dir_class, klass);
  return TRUE;
}

#define FUNCTION(function) ((PyCFunction) (void (*) (void)) (function))

static PyMethodDef dir_methods[] = {
  { "cleanup", FUNCTION (dir_cleanup), METH_FASTCALL | METH_KEYWORDS,
    PyDoc_STR ("cleanup($self, cancellable=None)\n--\n\nRemove the directory with all it holds; again does nothing.") },
  { "__enter__", dir_enter, METH_NOARGS, NULL },
  { "__exit__", FUNCTION (dir_exit), METH_FASTCALL, NULL },
  { NULL },
};

static PyType_Slot dir_slots[] = {
  { Py_tp_methods, dir_methods },
  { Py_tp_init, dir_init },
  { Py_tp_finalize, dir_finalize },
  { 0, NULL },
};

static PyType_Spec dir_spec = {
  "gi.overrides._gi_tf.Dir", 0, 0,
  Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, dir_slots
};

PyObject *
gi_tf_dir_create_type (void)
{
  return PyType_FromSpec (&dir_spec);
}
