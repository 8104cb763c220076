/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#ifndef GI_TF_IMPORT_PYGOBJECT
# define NO_IMPORT_PYGOBJECT
#endif
#include <pygobject.h>
#include <tempfile-glib.h>

G_BEGIN_DECLS

/* The module _gi_tf: what stands first among the bases of the classes of the override and does what Python programs do
 * most without PyGObject. The override gives it what it needs in set_up(). */

/* The keys of what a file keeps in its dictionary. A file that is not text, not restricted by its mode and has no
 * attributes of the user's has no dictionary. */
typedef enum
{
  GI_TF_KEY_TEXT,      /* an io.TextIOWrapper, if the file is text */
  GI_TF_KEY_ACCESS,    /* "r" or "w" if the mode does not allow both */
  GI_TF_KEY_NAME_TYPE, /* bytes, if the name is to be bytes */
  GI_TF_KEY_BUFFER,    /* what the text is over */
  GI_TF_KEY_FLUSH,     /* methods of the text */
  GI_TF_KEY_READ,
  GI_TF_KEY_READLINE,
  GI_TF_KEY_WRITE,
  GI_TF_N_KEYS,
} GiTfKey;

/* A call during which other threads of Python run. If it has an object, those that want to use it wait until it ends. */
typedef struct
{
  GObject *object; /* (unowned) (nullable) */
  PyThreadState *thread;
} GiTfCall;

void     gi_tf_call_set_up   (void);
void     gi_tf_call_begin    (GiTfCall *self,
                              gpointer  object);
void     gi_tf_call_end      (GiTfCall *self);
void     gi_tf_begin_use     (GObject  *object);
gboolean gi_tf_try_begin_use (GObject  *object);
void     gi_tf_end_use       (GObject  *object);
gboolean gi_tf_is_used       (gpointer  object);

gboolean gi_tf_is_finalizing (void);

extern int gi_tf_n_uses; /* (atomic) */

/* Whether a thread is using the object: another one, or this one, for which an audit hook runs, for example. */
static inline gboolean
gi_tf_is_busy (gpointer object)
{
  return G_UNLIKELY (g_atomic_int_get (&gi_tf_n_uses) > 0) && gi_tf_is_used (object);
}

/* Lets other threads of Python run during @statement, which may block. */
#define GI_TF_RELEASED(object, statement) \
  G_STMT_START { \
    GiTfCall call_; \
    gi_tf_call_begin (&call_, (GObject *) (object)); \
    statement; \
    gi_tf_call_end (&call_); \
  } G_STMT_END

gboolean  gi_tf_errors_set_up (PyObject   *raise_error,
                               PyObject   *refuse);
PyObject *gi_tf_raise         (GError     *error);
gboolean  gi_tf_audit         (const char *event,
                               const char *path,
                               gpointer    user_data);

gboolean  gi_tf_state_set_up    (void);
PyObject *gi_tf_get_state       (PyObject           *self,
                                 GiTfKey             key);
void      gi_tf_forget_text     (PyObject           *self);
PyObject *gi_tf_path            (PyObject           *self,
                                 const char         *path);
gboolean  gi_tf_get_arguments   (const char   *const*keywords,
                                 PyObject     *const*args,
                                 Py_ssize_t          n_args,
                                 PyObject           *names,
                                 PyObject          **values);
gboolean  gi_tf_get_cancellable (PyObject           *argument,
                                 GCancellable      **cancellable);
gboolean  gi_tf_get_integer     (PyObject           *argument,
                                 gint64             *value);

/* What construction without PyGObject understands. */
typedef struct
{
  const char *prefix; /* (nullable) */
  const char *suffix; /* (nullable) */
  const char *dir;    /* (nullable) */
  gint64 max_size;
  PyObject *text_mode; /* (unowned) (nullable): that of a text */
  const char *mode;    /* (nullable): that of bytes; NULL for "w+b" */
  PyObject *encoding; /* (unowned) (nullable): of the text, as errors and newline */
  PyObject *errors;   /* (unowned) (nullable) */
  PyObject *newline;  /* (unowned) (nullable) */
} GiTfNames;

gboolean gi_tf_names_set_up   (void);
void     gi_tf_names_be_bytes (gboolean   are_bytes);
gboolean gi_tf_names_get      (GiTfNames *self,
                               gboolean   is_spooled,
                               PyObject  *args,
                               PyObject  *keywords);
int      gi_tf_init_slowly    (PyObject  *self,
                               PyObject  *args,
                               PyObject  *keywords);
int      gi_tf_take_object    (PyObject  *self,
                               gpointer   object,
                               GError    *error);

extern PyTypeObject *gi_tf_object_type; /* (owned) (nullable): GObject.Object */
extern PyMethodDef gi_tf_io_methods[];
extern PyGetSetDef gi_tf_io_getset[];

typedef PyObject *(GiTfKeywordsFunc)  (PyObject         *self,
                                       PyObject   *const*args,
                                       Py_ssize_t        n_args,
                                       PyObject         *names);
typedef PyObject *(GiTfArgumentsFunc) (PyObject         *self,
                                       PyObject   *const*args,
                                       Py_ssize_t        n_args);
typedef PyObject *(GiTfObjectFunc)    (PyObject         *self,
                                       PyObject         *argument);

GiTfKeywordsFunc gi_tf_file_close_cancellable;
GiTfKeywordsFunc gi_tf_io_flush;
GiTfKeywordsFunc gi_tf_io_read;
GiTfKeywordsFunc gi_tf_io_read1;
GiTfKeywordsFunc gi_tf_io_seek;
GiTfKeywordsFunc gi_tf_io_truncate;
GiTfKeywordsFunc gi_tf_io_write;
GiTfArgumentsFunc gi_tf_io_peek;
GiTfArgumentsFunc gi_tf_io_readline;
GiTfArgumentsFunc gi_tf_io_readlines;
GiTfObjectFunc gi_tf_file_enter;
GiTfObjectFunc gi_tf_file_get_mode;
GiTfObjectFunc gi_tf_io_fileno;
GiTfObjectFunc gi_tf_io_isatty;
GiTfObjectFunc gi_tf_io_readable;
GiTfObjectFunc gi_tf_io_readinto;
GiTfObjectFunc gi_tf_io_seekable;
GiTfObjectFunc gi_tf_io_tell;
GiTfObjectFunc gi_tf_io_writable;
GiTfObjectFunc gi_tf_io_writelines;

PyObject *gi_tf_file_close       (PyObject     *self);
PyObject *gi_tf_file_iternext    (PyObject     *self);
void      gi_tf_file_warn        (PyObject     *self);
PyObject *gi_tf_close_object     (PyObject     *self,
                                  GCancellable *cancellable);
void      gi_tf_buffer_take_file (PyObject     *self,
                                  PyObject     *file);
GiTfObjectFunc gi_tf_buffer_get_text_write;
PyObject *gi_tf_raise_closed     (void);
gboolean  gi_tf_is_in_memory     (TfTempFile   *file);
gboolean  gi_tf_io_try_write     (PyObject     *self,
                                  PyObject     *data);

PyObject *gi_tf_file_create_type   (void);
PyObject *gi_tf_file_create_base   (void);
PyObject *gi_tf_buffer_create_type (void);
PyObject *gi_tf_dir_create_type    (void);
gboolean  gi_tf_file_set_up        (PyObject *classes);
gboolean  gi_tf_dir_set_up         (PyObject *klass);
gboolean  gi_tf_io_set_up          (PyObject *seek_type);

static inline TfTempFile *
gi_tf_file_of (PyObject *self)
{
  return (TfTempFile *) pygobject_get (self);
}

G_END_DECLS
