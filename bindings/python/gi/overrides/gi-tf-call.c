/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <pthread.h>

#include "gi-tf.h"

/* Who uses objects while other threads of Python run.
 *
 * An object is used by one thread at a time. A use begins while its thread has Python's lock, so that what never gives
 * that lock up needs none: it only has to see first that the object is not in use. A use ends without Python's lock,
 * because a thread that wants it back while the interpreter ends never gets it: such a thread leaves no use behind.
 *
 * The lock here is never held while waiting for Python's. */
typedef struct
{
  gpointer object; /* (unowned) */
  GThread *thread; /* (unowned) */
  guint depth;
} Use;

static GMutex lock;
static GCond changed;
static GArray *uses;    /* (owned) (nullable) (element-type Use): few */
static guint n_waiting; /* threads that wait for the end of a use */

int gi_tf_n_uses; /* (atomic) */

static PyObject *raise_error; /* (owned) (nullable): takes message, domain, code and errno */
static PyObject *refuse;      /* (owned) (nullable): takes the path and the exception of an audit hook */
static PyObject *keys[GI_TF_N_KEYS];

static void
prepare_fork (void)
{
  g_mutex_lock (&lock);
}

static void
finish_fork (void)
{
  g_mutex_unlock (&lock);
}

static void
remove_use (guint index)
{
  g_array_remove_index_fast (uses, index);
  g_atomic_int_set (&gi_tf_n_uses, uses->len);
}

/* The other threads are not in the child. */
static void
finish_fork_in_child (void)
{
  for (guint i = uses->len; i-- > 0;)
    if (g_array_index (uses, Use, i).thread != g_thread_self ())
      remove_use (i);
  n_waiting = 0;
  g_mutex_unlock (&lock);
}

void
gi_tf_call_set_up (void)
{
  if (uses != NULL)
    return;

  uses = g_array_new (FALSE, FALSE, sizeof (Use));
  pthread_atfork (prepare_fork, finish_fork, finish_fork_in_child);
}

/* Whether threads may have ended in the middle of a use. */
gboolean
gi_tf_is_finalizing (void)
{
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsFinalizing ();
#else
  return _Py_IsFinalizing ();
#endif
}

/* Returns: (transfer none) (nullable) */
static Use *
find_use (gpointer object)
{
  for (guint i = 0; i < uses->len; i++)
    if (g_array_index (uses, Use, i).object == object)
      return &g_array_index (uses, Use, i);

  return NULL;
}

static Use *
find_other_use (gpointer object)
{
  Use *use = find_use (object);

  return use != NULL && use->thread != g_thread_self () ? use : NULL;
}

static void
add_use (gpointer object)
{
  Use *use = find_use (object);

  if (use != NULL)
    {
      use->thread = g_thread_self ();
      use->depth++;
      return;
    }

  g_array_append_vals (uses, &(Use) { object, g_thread_self (), 1 }, 1);
  g_atomic_int_set (&gi_tf_n_uses, uses->len);
}

/* Fails while another thread uses the object. Called with Python's lock. */
gboolean
gi_tf_try_begin_use (GObject *object)
{
  gboolean is_free;

  g_mutex_lock (&lock);
  is_free = find_other_use (object) == NULL || gi_tf_is_finalizing ();
  if (is_free)
    add_use (object);
  g_mutex_unlock (&lock);

  return is_free;
}

static void
wait_for_end (gpointer object)
{
  g_mutex_lock (&lock);
  n_waiting++;
  while (find_other_use (object) != NULL)
    g_cond_wait (&changed, &lock);
  n_waiting--;
  g_mutex_unlock (&lock);
}

/* Called with Python's lock, which it gives up while it waits. */
void
gi_tf_begin_use (GObject *object)
{
  while (!gi_tf_try_begin_use (object))
    {
      PyThreadState *thread = PyEval_SaveThread ();

      wait_for_end (object);
      PyEval_RestoreThread (thread);
    }
}

void
gi_tf_end_use (GObject *object)
{
  Use *use;

  g_mutex_lock (&lock);
  use = find_use (object);
  if (use != NULL && --use->depth == 0)
    {
      remove_use (use - &g_array_index (uses, Use, 0));
      /* Nobody waits mostly, and to tell them is a system call. */
      if (n_waiting > 0)
        g_cond_broadcast (&changed);
    }
  g_mutex_unlock (&lock);
}

void
gi_tf_call_begin (GiTfCall *self,
                  gpointer  object)
{
  self->object = object;
  if (object != NULL)
    gi_tf_begin_use (object);
  self->thread = PyEval_SaveThread ();
}

void
gi_tf_call_end (GiTfCall *self)
{
  if (self->object != NULL)
    gi_tf_end_use (self->object);
  PyEval_RestoreThread (self->thread);
}

gboolean
gi_tf_is_used (gpointer object)
{
  gboolean is_used;

  g_mutex_lock (&lock);
  is_used = find_use (object) != NULL;
  g_mutex_unlock (&lock);
  return is_used;
}

gboolean
gi_tf_errors_set_up (PyObject *new_raise_error,
                     PyObject *new_refuse)
{
  Py_INCREF (new_raise_error);
  Py_XSETREF (raise_error, new_raise_error);
  Py_INCREF (new_refuse);
  Py_XSETREF (refuse, new_refuse);
  return TRUE;
}

/* Raises what Python has for @error, which is taken; without one, the object is not there any more. Always returns NULL.
 * Called directly after the call that failed. */
PyObject *
gi_tf_raise (GError *error)
{
  g_autoptr(GError) taken = error;
  PyObject *result;

  if (taken == NULL)
    return gi_tf_raise_closed ();

  result = PyObject_CallFunction (raise_error, "ssii", taken->message, g_quark_to_string (taken->domain),
                                  taken->code, tf_get_last_errno ());
  Py_XDECREF (result);
  return NULL;
}

static void
keep_refusal (PyObject *path)
{
  PyObject *type, *value, *traceback, *result;

  PyErr_Fetch (&type, &value, &traceback);
  PyErr_NormalizeException (&type, &value, &traceback);
  if (traceback != NULL)
    PyException_SetTraceback (value, traceback);
  result = PyObject_CallFunctionObjArgs (refuse, path, value, NULL);
  if (result == NULL)
    PyErr_WriteUnraisable (refuse);

  Py_XDECREF (result);
  Py_XDECREF (type);
  Py_XDECREF (value);
  Py_XDECREF (traceback);
}

/* Called in any thread, without Python's lock. */
gboolean
gi_tf_audit (const char *event,
             const char *path,
             gpointer    user_data)
{
  PyGILState_STATE state = PyGILState_Ensure ();
  PyObject *name = PyUnicode_DecodeFSDefault (path);
  gboolean allowed = name != NULL && PySys_Audit (event, "O", name) == 0;

  if (!allowed)
    keep_refusal (name != NULL ? name : Py_None);

  Py_XDECREF (name);
  PyGILState_Release (state);
  return allowed;
}

gboolean
gi_tf_state_set_up (void)
{
  static const char *const names[GI_TF_N_KEYS] = {
    "_text", "_access", "_name_type", "_buffer", "flush", "read", "readline", "write"
  };

  for (guint i = 0; i < GI_TF_N_KEYS; i++)
    if (keys[i] == NULL && (keys[i] = PyUnicode_InternFromString (names[i])) == NULL)
      return FALSE;

  return TRUE;
}

/* Returns: (transfer none) (nullable): NULL without an exception if there is none */
PyObject *
gi_tf_get_state (PyObject *self,
                 GiTfKey   key)
{
  PyObject *dict = ((PyGObject *) self)->inst_dict;

  return dict != NULL ? PyDict_GetItem (dict, keys[key]) : NULL;
}

static void
forget (PyObject *dict,
        GiTfKey   key)
{
  if (PyDict_GetItem (dict, keys[key]) != NULL && PyDict_DelItem (dict, keys[key]) < 0)
    PyErr_Clear ();
}

/* What is left is a file of bytes. */
void
gi_tf_forget_text (PyObject *self)
{
  static const GiTfKey text_keys[] = {
    GI_TF_KEY_FLUSH, GI_TF_KEY_READ, GI_TF_KEY_READLINE, GI_TF_KEY_WRITE, GI_TF_KEY_TEXT, GI_TF_KEY_BUFFER
  };

  for (guint i = 0; i < G_N_ELEMENTS (text_keys); i++)
    forget (((PyGObject *) self)->inst_dict, text_keys[i]);
}

/* Returns the path as str, or as bytes if that is what the user gave. */
PyObject *
gi_tf_path (PyObject   *self,
            const char *path)
{
  if (path == NULL)
    Py_RETURN_NONE;

  if (G_UNLIKELY (gi_tf_get_state (self, GI_TF_KEY_NAME_TYPE) != NULL))
    return PyBytes_FromString (path);

  return PyUnicode_DecodeFSDefault (path);
}

static Py_ssize_t
find_keyword (const char *const *keywords,
              PyObject          *name)
{
  for (Py_ssize_t i = 0; keywords[i] != NULL; i++)
    if (PyUnicode_CompareWithASCIIString (name, keywords[i]) == 0)
      return i;

  PyErr_Format (PyExc_TypeError, "'%U' is an invalid keyword argument for this function", name);
  return -1;
}

/* Puts the arguments into @values, which holds NULL for each of @keywords. */
gboolean
gi_tf_get_arguments (const char *const  *keywords,
                     PyObject *const    *args,
                     Py_ssize_t          n_args,
                     PyObject           *names,
                     PyObject          **values)
{
  Py_ssize_t n_keywords = g_strv_length ((char **) keywords);

  if (n_args > n_keywords)
    {
      PyErr_Format (PyExc_TypeError, "expected at most %zd arguments, got %zd", n_keywords, n_args);
      return FALSE;
    }

  for (Py_ssize_t i = 0; i < n_args; i++)
    values[i] = args[i];

  for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE (names); i++)
    {
      Py_ssize_t place = find_keyword (keywords, PyTuple_GET_ITEM (names, i));

      if (place < 0)
        return FALSE;
      if (values[place] != NULL)
        {
          PyErr_Format (PyExc_TypeError, "multiple values for argument '%s'", keywords[place]);
          return FALSE;
        }
      values[place] = args[n_args + i];
    }

  return TRUE;
}

gboolean
gi_tf_get_cancellable (PyObject      *argument,
                       GCancellable **cancellable)
{
  *cancellable = NULL;
  if (argument == NULL || argument == Py_None)
    return TRUE;

  if (PyObject_TypeCheck (argument, gi_tf_object_type) && G_IS_CANCELLABLE (pygobject_get (argument)))
    {
      *cancellable = G_CANCELLABLE (pygobject_get (argument));
      return TRUE;
    }

  PyErr_Format (PyExc_TypeError, "expected a Gio.Cancellable or None, not %s", Py_TYPE (argument)->tp_name);
  return FALSE;
}

/* Takes what has an __index__, as Python's files do. */
gboolean
gi_tf_get_integer (PyObject *argument,
                   gint64   *value)
{
  PyObject *number = PyNumber_Index (argument);

  if (number == NULL)
    return FALSE;

  *value = PyLong_AsLongLong (number);
  Py_DECREF (number);
  return *value != -1 || !PyErr_Occurred ();
}
