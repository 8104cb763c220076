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
  KEYWORD_ENCODING,
  KEYWORD_ERRORS,
  KEYWORD_MAX_SIZE,
  KEYWORD_MODE,
  KEYWORD_NEWLINE,
  KEYWORD_PREFIX,
  KEYWORD_SUFFIX,
  N_KEYWORDS,
} Keyword;

static PyObject *keywords[N_KEYWORDS];
static gboolean names_are_bytes;

gboolean
gi_tf_names_set_up (void)
{
  static const char *const names[N_KEYWORDS] = {
    "dir", "encoding", "errors", "max_size", "mode", "newline", "prefix", "suffix"
  };

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

/* Returns: (nullable): the one of @modes that it is */
static const char *
find_mode (PyObject          *mode,
           const char *const *modes)
{
  while (*modes != NULL && PyUnicode_CompareWithASCIIString (mode, *modes) != 0)
    modes++;

  return *modes;
}

/* Takes the usual ones that allow reading and writing, and those of texts. */
static gboolean
get_mode (PyObject  *argument,
          GiTfNames *self)
{
  static const char *const binary_modes[] = { "r+b", "rb+", "wb+", NULL };
  static const char *const text_modes[] = { "w", "w+", "r+", "r", "wt", "w+t", "wt+", "r+t", "rt+", "rt", NULL };

  if (!PyUnicode_CheckExact (argument))
    return FALSE;
  if (PyUnicode_CompareWithASCIIString (argument, "w+b") == 0)
    return TRUE;

  self->mode = find_mode (argument, binary_modes);
  self->text_mode = self->mode == NULL ? argument : NULL;
  return self->mode != NULL || find_mode (argument, text_modes) != NULL;
}

static gboolean
get_text_keyword (GiTfNames *self,
                  PyObject  *keyword,
                  PyObject  *value)
{
  PyObject **place = keyword == keywords[KEYWORD_ENCODING] ? &self->encoding
                     : keyword == keywords[KEYWORD_ERRORS] ? &self->errors
                     : keyword == keywords[KEYWORD_NEWLINE] ? &self->newline
                     : NULL;

  if (place != NULL && value != Py_None)
    *place = value;
  return place != NULL;
}

static gboolean
get_keyword (GiTfNames *self,
             gboolean   is_spooled,
             PyObject  *keyword,
             PyObject  *value)
{
  if (keyword == keywords[KEYWORD_MODE])
    return get_mode (value, self);
  if (keyword == keywords[KEYWORD_MAX_SIZE])
    return is_spooled && get_max_size (value, &self->max_size);
  if (keyword == keywords[KEYWORD_PREFIX])
    return get_name (value, &self->prefix);
  if (keyword == keywords[KEYWORD_SUFFIX])
    return get_name (value, &self->suffix);
  if (keyword == keywords[KEYWORD_DIR])
    return get_name (value, &self->dir);

  return get_text_keyword (self, keyword, value);
}

/* Takes those that come before the buffering. What is given by its name as well is refused. */
static gboolean
get_places (GiTfNames *self,
            gboolean   is_spooled,
            PyObject  *args,
            PyObject  *given)
{
  static const Keyword places[] = { KEYWORD_MAX_SIZE, KEYWORD_MODE };
  Py_ssize_t n_args = PyTuple_GET_SIZE (args);
  Py_ssize_t first = is_spooled ? 0 : 1;

  if (first + n_args > (Py_ssize_t) G_N_ELEMENTS (places))
    return FALSE;

  for (Py_ssize_t i = 0; i < n_args; i++)
    {
      PyObject *keyword = keywords[places[first + i]];

      if ((given != NULL && PyDict_GetItem (given, keyword) != NULL) ||
          !get_keyword (self, is_spooled, keyword, PyTuple_GET_ITEM (args, i)))
        return FALSE;
    }

  return TRUE;
}

/* Returns FALSE for arguments that it does not understand. */
gboolean
gi_tf_names_get (GiTfNames *self,
                 gboolean   is_spooled,
                 PyObject  *args,
                 PyObject  *given)
{
  Py_ssize_t place = 0;
  PyObject *keyword, *value;

  if (names_are_bytes || !get_places (self, is_spooled, args, given))
    return FALSE;

  while (given != NULL && PyDict_Next (given, &place, &keyword, &value))
    if (!get_keyword (self, is_spooled, keyword, value))
      return FALSE;

  /* Bytes have no encoding. */
  return self->max_size >= -1 &&
         (self->text_mode != NULL || (self->encoding == NULL && self->errors == NULL && self->newline == NULL));
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
