/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "gi-tf.h"

/* Construction without PyGObject, for the usual arguments. The rest goes through the method _init() of the class. */

typedef enum
{
  KEYWORD_DIR,
  KEYWORD_MAX_SIZE,
  KEYWORD_MODE,
  KEYWORD_PREFIX,
  KEYWORD_SUFFIX,
  N_KEYWORDS,
} Keyword;

static PyObject *keywords[N_KEYWORDS];
static gboolean names_are_bytes;

gboolean
gi_tf_names_set_up (void)
{
  static const char *const names[N_KEYWORDS] = { "dir", "max_size", "mode", "prefix", "suffix" };

  for (guint i = 0; i < N_KEYWORDS; i++)
    if (keywords[i] == NULL && (keywords[i] = PyUnicode_InternFromString (names[i])) == NULL)
      return FALSE;

  return TRUE;
}

/* Called when tempdir is set, which decides about the type of names. */
void
gi_tf_names_be_bytes (gboolean are_bytes)
{
  names_are_bytes = are_bytes;
}

/* Takes UTF-8 without a NUL alone. */
static gboolean
get_name (PyObject    *argument,
          const char **name)
{
  Py_ssize_t size;

  if (argument == Py_None)
    return TRUE;
  if (!PyUnicode_CheckExact (argument))
    return FALSE;

  *name = PyUnicode_AsUTF8AndSize (argument, &size);
  if (*name == NULL)
    PyErr_Clear ();
  return *name != NULL && strlen (*name) == (gsize) size;
}

static gboolean
get_max_size (PyObject *argument,
              gint64   *max_size)
{
  if (!PyLong_CheckExact (argument))
    return FALSE;

  *max_size = PyLong_AsLongLong (argument);
  if (*max_size != -1 || !PyErr_Occurred ())
    return TRUE;

  PyErr_Clear ();
  return FALSE;
}

static gboolean
get_keyword (GiTfNames *self,
             gboolean   is_spooled,
             PyObject  *keyword,
             PyObject  *value)
{
  if (keyword == keywords[KEYWORD_MODE])
    return PyUnicode_CheckExact (value) && PyUnicode_CompareWithASCIIString (value, "w+b") == 0;
  if (keyword == keywords[KEYWORD_MAX_SIZE])
    return is_spooled && get_max_size (value, &self->max_size);
  if (keyword == keywords[KEYWORD_PREFIX])
    return get_name (value, &self->prefix);
  if (keyword == keywords[KEYWORD_SUFFIX])
    return get_name (value, &self->suffix);

  return keyword == keywords[KEYWORD_DIR] && get_name (value, &self->dir);
}

/* Returns FALSE for arguments that it does not understand. */
gboolean
gi_tf_names_get (GiTfNames *self,
                 gboolean   is_spooled,
                 PyObject  *args,
                 PyObject  *given)
{
  Py_ssize_t n_args = PyTuple_GET_SIZE (args);
  Py_ssize_t place = 0;
  PyObject *keyword, *value;

  if (names_are_bytes || n_args > is_spooled ||
      (n_args > 0 && !get_max_size (PyTuple_GET_ITEM (args, 0), &self->max_size)))
    return FALSE;

  while (given != NULL && PyDict_Next (given, &place, &keyword, &value))
    if (!get_keyword (self, is_spooled, keyword, value))
      return FALSE;

  return !(self->max_size < -1);
}

int
gi_tf_init_slowly (PyObject *self,
                   PyObject *args,
                   PyObject *given)
{
  PyObject *init = PyObject_GetAttrString (self, "_init");
  PyObject *result = init != NULL ? PyObject_Call (init, args, given) : NULL;

  Py_XDECREF (init);
  Py_XDECREF (result);
  return result != NULL ? 0 : -1;
}

/* Makes @self the wrapper of @object, which it takes; if it is NULL, raises @error. */
int
gi_tf_take_object (PyObject *self,
                   gpointer  object,
                   GError   *error)
{
  if (object == NULL)
    {
      gi_tf_raise (error);
      return -1;
    }

  ((PyGObject *) self)->obj = object;
  pygobject_register_wrapper (self);
  return 0;
}
