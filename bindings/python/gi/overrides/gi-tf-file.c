/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "gi-tf.h"

/* The type File, first among the bases of TempFile, NamedFile and SpooledFile.
 *
 * The io.TextIOWrapper of a text file is over a Buffer, which has no reference to the file: a file that is dropped goes
 * at once. Then it is left to the Buffer. If somebody still has that, or the text, or a method of these, the file stays
 * open for them; otherwise it is closed. */

typedef enum
{
  KIND_UNNAMED,
  KIND_NAMED,
  KIND_SPOOLED,
  KIND_DROP_IN_SPOOLED, /* a max_size of 0 means none, and a negative one 0 */
  KIND_DROP_IN_UNNAMED,
  KIND_DROP_IN_TEXT,
  N_KINDS,
} Kind;

static PyObject *kinds[N_KINDS]; /* (owned) (nullable): the classes without subclasses */
static GQuark wrapper_quark;     /* of the object's data that is its PyGObject */
static GQuark handlers_quark;    /* of that where PyGObject notes its handlers of signals */

static Kind
kind_of (PyObject *self)
{
  Kind kind = 0;

  while (kind < N_KINDS && kinds[kind] != (PyObject *) Py_TYPE (self))
    kind++;

  return kind;
}

/* Returns the kind of which a class in memory is derived. */
static Kind
spooled_kind_of (PyObject *self)
{
  for (Kind kind = KIND_DROP_IN_SPOOLED; kind >= KIND_SPOOLED; kind--)
    if (kinds[kind] != NULL && PyType_IsSubtype (Py_TYPE (self), (PyTypeObject *) kinds[kind]))
      return kind;

  return N_KINDS;
}

/* --- Closing --- */

/* Closes the bytes. */
PyObject *
gi_tf_close_object (PyObject     *self,
                    GCancellable *cancellable)
{
  TfTempFile *object = gi_tf_file_of (self);
  GError *error = NULL;
  gboolean success;

  if (object == NULL || g_io_stream_is_closed (G_IO_STREAM (object)))
    Py_RETURN_NONE;

  if (cancellable == NULL && !gi_tf_is_busy (object) && tf_temp_file_try_close (object))
    Py_RETURN_NONE;

  g_object_ref (object);
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

  return text != NULL ? PyObject_CallMethod (text, "close", NULL) : gi_tf_close_object (self, NULL);
}

PyObject *
gi_tf_file_close_cancellable (PyObject         *self,
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

  return cancellable != NULL && gi_tf_get_state (self, GI_TF_KEY_TEXT) == NULL ? gi_tf_close_object (self, cancellable)
                                                                                : gi_tf_file_close (self);
}

PyObject *
gi_tf_file_enter (PyObject *self,
                  PyObject *unused)
{
  TfTempFile *file = gi_tf_file_of (self);

  if (file == NULL || g_io_stream_is_closed (G_IO_STREAM (file)))
    return gi_tf_raise_closed ();

  Py_INCREF (self);
  return self;
}

/* Whether it is removed by this process without being asked to */
static gboolean
is_automatic (GObject *object)
{
  return TF_IS_NAMED_FILE (object) && tf_named_file_get_delete_policy (TF_NAMED_FILE (object)) != TF_DELETE_NEVER &&
         !tf_named_file_is_handed_over (TF_NAMED_FILE (object)) && !tf_named_file_is_inherited (TF_NAMED_FILE (object));
}

static gboolean
unlink_at_exit (GObject *object)
{
  GError *error = NULL;
  gboolean success;

  if (!is_automatic (object) || tf_named_file_get_delete_policy (TF_NAMED_FILE (object)) != TF_DELETE_ON_DISPOSE)
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

/* As in tempfile, the warning about a file that is removed does not hold it. What a parent has is not this process's to
 * close. */
void
gi_tf_file_warn (PyObject *self)
{
  GObject *object = pygobject_get (self);
  int result = 0;

  if (is_automatic (object))
    result = PyErr_WarnFormat (PyExc_ResourceWarning, 1, "Implicitly cleaning up %R", self);
  else if (!TF_IS_NAMED_FILE (object) || !tf_named_file_is_inherited (TF_NAMED_FILE (object)))
    result = PyErr_ResourceWarning (self, 1, "unclosed file %R", self);

  if (result < 0)
    PyErr_WriteUnraisable (self);
}

static void
report (PyObject *self,
        PyObject *result)
{
  if (result == NULL)
    PyErr_WriteUnraisable (self);
  Py_XDECREF (result);
}

/* A text that was detached has nothing to write. */
static void
flush_text (PyObject *self,
            PyObject *text)
{
  PyObject *result = PyObject_CallMethod (text, "flush", NULL);

  if (result == NULL && PyErr_ExceptionMatches (PyExc_ValueError))
    PyErr_Clear ();
  else
    report (self, result);
}

static gboolean
leave_to_buffer (PyObject *self)
{
  PyObject *text = gi_tf_get_state (self, GI_TF_KEY_TEXT);
  PyObject *buffer = gi_tf_get_state (self, GI_TF_KEY_BUFFER);

  if (text == NULL || buffer == NULL)
    return FALSE;

  Py_INCREF (text);
  Py_INCREF (buffer);
  flush_text (self, text);
  gi_tf_buffer_take_file (buffer, self);
  gi_tf_forget_text (self);
  Py_DECREF (text);
  Py_DECREF (buffer);
  return TRUE;
}

static void
close_dropped (PyObject *self)
{
  PyObject *type, *value, *traceback;

  PyErr_Fetch (&type, &value, &traceback);
  if (!leave_to_buffer (self))
    {
      gi_tf_file_warn (self);
      report (self, gi_tf_close_object (self, NULL));
    }
  PyErr_Restore (type, value, traceback);
}

/* Called when the last reference of Python's goes. If C has none either, the file is closed. */
static void
file_finalize (PyObject *self)
{
  TfTempFile *file = gi_tf_file_of (self);

  if (file != NULL && G_OBJECT (file)->ref_count == 1 && !g_io_stream_is_closed (G_IO_STREAM (file)))
    close_dropped (self);
}

/* Gives up the reference to the object, if that goes with it at once: it is closed and has no name. PyGObject would give
 * Python's lock up for this three times, and each time wake a thread that waits for the lock. */
static void
drop_object (PyGObject *self)
{
  GObject *object = self->obj;

  if (object == NULL || object->ref_count > 1 || (self->private_flags.flags & PYGOBJECT_USING_TOGGLE_REF) ||
      TF_IS_NAMED_FILE (object) || !G_IS_IO_STREAM (object) || !g_io_stream_is_closed (G_IO_STREAM (object)) ||
      g_object_get_qdata (object, wrapper_quark) != self)
    return;

  g_object_set_qdata (object, wrapper_quark, NULL);
  self->obj = NULL;
  g_object_unref (object);
}

static void
file_dealloc (PyObject *self)
{
  PyTypeObject *type = Py_TYPE (self);

  PyObject_GC_UnTrack (self);
  if (((PyGObject *) self)->weakreflist != NULL)
    PyObject_ClearWeakRefs (self);
  drop_object ((PyGObject *) self);
  PyGObject_Type.tp_dealloc (self);
  Py_DECREF (type);
}

static int
file_clear (PyObject *self)
{
  drop_object ((PyGObject *) self);
  return PyGObject_Type.tp_clear (self);
}

/* PyGObject would begin to note handlers of signals, which takes time when the object is dropped. */
static int
file_traverse (PyObject  *self,
               visitproc  visit,
               void      *arg)
{
  GObject *object = ((PyGObject *) self)->obj;

  Py_VISIT (Py_TYPE (self));
  if (object != NULL && g_object_get_qdata (object, handlers_quark) != NULL)
    return PyGObject_Type.tp_traverse (self, visit, arg);

  Py_VISIT (((PyGObject *) self)->inst_dict);
  return 0;
}

/* --- Iterating --- */

static PyObject *
file_iter (PyObject *self)
{
  PyObject *text = gi_tf_get_state (self, GI_TF_KEY_TEXT);

  if (pygobject_get (self) == NULL || g_io_stream_is_closed (G_IO_STREAM (gi_tf_file_of (self))))
    return gi_tf_raise_closed ();
  if (text == NULL)
    text = self;

  Py_INCREF (text);
  return text;
}

/* --- Construction --- */

static gpointer
construct (Kind             kind,
           const GiTfNames *names)
{
  switch (kind)
    {
    case KIND_UNNAMED:
    case KIND_DROP_IN_UNNAMED:
    case KIND_DROP_IN_TEXT:
      return g_object_new (TF_TYPE_TEMP_FILE, "prefix", names->prefix, "suffix", names->suffix, "dir", names->dir, NULL);

    case KIND_NAMED:
      return g_object_new (TF_TYPE_NAMED_FILE,
                           "prefix", names->prefix, "suffix", names->suffix, "dir", names->dir, "buffered", TRUE, NULL);

    case KIND_SPOOLED:
    case KIND_DROP_IN_SPOOLED:
    default:
      return tf_spooled_file_new_full (names->max_size, names->prefix, names->suffix, names->dir);
    }
}

/* Only the disk is waited for without Python's lock. With it, no other thread of Python forks while this one has a lock of
 * GObject, which the child would wait for. */
static gpointer
create (Kind              kind,
        const GiTfNames  *names,
        gboolean          is_spooled,
        GError          **error)
{
  gpointer object = construct (kind, names);
  gboolean success = TRUE;

  if (!is_spooled)
    GI_TF_RELEASED (NULL, success = g_initable_init (object, NULL, error));
  if (!success)
    g_clear_object (&object);

  return object;
}

static int
become_text (PyObject        *self,
             const GiTfNames *names)
{
  PyObject *result = PyObject_CallMethod (self, "_set_mode", "OiOOO", names->text_mode, -1,
                                          names->encoding != NULL ? names->encoding : Py_None,
                                          names->newline != NULL ? names->newline : Py_None,
                                          names->errors != NULL ? names->errors : Py_None);
  PyObject *type, *value, *traceback;

  Py_XDECREF (result);
  if (result != NULL)
    return 0;

  PyErr_Fetch (&type, &value, &traceback);
  report (self, gi_tf_close_object (self, NULL));
  PyErr_Restore (type, value, traceback);
  return -1;
}

/* What tempfile says of the mode of bytes in memory is how it was given. This is not for the dictionary: without one, a
 * file takes less time. */
static G_DEFINE_QUARK (gi-tf-mode, mode)

static int
set_mode (PyObject        *self,
          const GiTfNames *names,
          gboolean         is_spooled)
{
  if (names->text_mode != NULL)
    return become_text (self, names);

  if (names->mode != NULL && is_spooled)
    g_object_set_qdata (pygobject_get (self), mode_quark (), (gpointer) names->mode);
  return 0;
}

/* Returns what set_mode() has set, or None. */
PyObject *
gi_tf_file_get_mode (PyObject *module,
                     PyObject *self)
{
  GObject *object = PyObject_TypeCheck (self, gi_tf_object_type) ? pygobject_get (self) : NULL;
  const char *mode = object != NULL ? g_object_get_qdata (object, mode_quark ()) : NULL;

  if (mode == NULL)
    Py_RETURN_NONE;
  return PyUnicode_FromString (mode);
}

/* Only PyGObject can construct objects of the types that it has made for derived classes. */
static int
construct_derived (PyObject        *self,
                   const GiTfNames *names)
{
  PyObject *args = PyTuple_New (0);
  PyObject *properties = Py_BuildValue ("{sL}", "max_size", (long long) names->max_size);
  int result = args != NULL && properties != NULL ? PyGObject_Type.tp_init (self, args, properties) : -1;

  Py_XDECREF (args);
  Py_XDECREF (properties);
  return result;
}

static int
file_init (PyObject *self,
           PyObject *args,
           PyObject *keywords)
{
  gboolean is_derived = kind_of (self) == N_KINDS;
  Kind kind = is_derived ? spooled_kind_of (self) : kind_of (self);
  gboolean is_spooled = kind == KIND_SPOOLED || kind == KIND_DROP_IN_SPOOLED;
  GiTfNames names = { .max_size = kind == KIND_SPOOLED ? 1 << 20 : kind == KIND_DROP_IN_SPOOLED ? 0 : -1 };
  GError *error = NULL;
  gpointer object;

  if (kind == N_KINDS || pygobject_get (self) != NULL ||
      !gi_tf_names_get (&names, is_spooled, args, keywords) ||
      (is_derived && (names.prefix != NULL || names.suffix != NULL || names.dir != NULL)))
    return PyErr_Occurred () ? -1 : gi_tf_init_slowly (self, args, keywords);

  if (kind == KIND_DROP_IN_SPOOLED && names.max_size <= 0)
    names.max_size = names.max_size < 0 ? 0 : -1;

  if (is_derived)
    return construct_derived (self, &names) == 0 ? set_mode (self, &names, is_spooled) : -1;

  object = create (kind, &names, is_spooled, &error);
  return gi_tf_take_object (self, object, error) == 0 ? set_mode (self, &names, is_spooled) : -1;
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
  { "close", FUNCTION (gi_tf_file_close_cancellable), METH_FASTCALL | METH_KEYWORDS,
    PyDoc_STR ("close($self, cancellable=None)\n--\n\nClose the file; again does nothing.") },
  { "__enter__", gi_tf_file_enter, METH_NOARGS, NULL },
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

/* Brings text that was written to the bytes. */
static gboolean
offer_text (PyObject *self)
{
  PyObject *result;

  if (gi_tf_get_state (self, GI_TF_KEY_TEXT) == NULL)
    return TRUE;

  result = PyObject_CallMethod (self, "_offer_text", NULL);
  Py_XDECREF (result);
  return result != NULL;
}

static PyObject *
get_rolled (PyObject *self,
            void     *unused)
{
  return check_spooled (self, "_rolled") && offer_text (self)
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
  return add_getset (create_type (&file_spec), spooled_getset);
}

/* How objects of the classes are torn down. PyType_FromSpec() does not make types that have a metaclass. */
PyObject *
gi_tf_file_create_base (void)
{
  PyObject *base = PyObject_CallMethod ((PyObject *) &PyType_Type, "__new__", "Os(O){s:()}",
                                        Py_TYPE (&PyGObject_Type), "FileBase", &PyGObject_Type, "__slots__");
  PyTypeObject *type = (PyTypeObject *) base;

  if (type == NULL)
    return NULL;

  wrapper_quark = g_quark_from_static_string ("PyGObject::wrapper");
  handlers_quark = g_quark_from_static_string ("PyGObject::instance-data");
  type->tp_dealloc = file_dealloc;
  type->tp_clear = file_clear;
  type->tp_traverse = file_traverse;
  return base;
}
