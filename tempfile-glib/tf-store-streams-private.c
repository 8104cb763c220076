/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-store-streams-private.h"

struct _TfStoreInputStream
{
  GInputStream parent_instance;

  TfStore *store; /* (owned) */
};

struct _TfStoreOutputStream
{
  GOutputStream parent_instance;

  TfStore *store; /* (owned) */
};

static void tf_store_input_stream_seekable_init  (GSeekableIface *iface);
static void tf_store_output_stream_seekable_init (GSeekableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TfStoreInputStream, tf_store_input_stream, G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_SEEKABLE, tf_store_input_stream_seekable_init))
G_DEFINE_FINAL_TYPE_WITH_CODE (TfStoreOutputStream, tf_store_output_stream, G_TYPE_OUTPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_SEEKABLE, tf_store_output_stream_seekable_init))

/* A stream reports the bytes that moved before an error; the error comes again with the next call. */
static gssize
bytes_or_error (gboolean   success,
                gsize      n_bytes,
                GError   **error)
{
  if (!success && n_bytes == 0)
    return -1;

  if (!success)
    g_clear_error (error);

  return n_bytes;
}

/* GIO asks this before it reads and writes, but not before it seeks and truncates. */
static gboolean
check_open (gboolean   is_closed,
            GError   **error)
{
  if (is_closed)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The stream is closed");

  return !is_closed;
}

static gssize
tf_store_input_stream_read (GInputStream  *stream,
                            void          *buffer,
                            gsize          count,
                            GCancellable  *cancellable,
                            GError       **error)
{
  gsize n_read;
  gboolean success = tf_store_read (TF_STORE_INPUT_STREAM (stream)->store, buffer, count,
                                    &n_read, cancellable, error);

  return bytes_or_error (success, n_read, error);
}

static void
tf_store_input_stream_finalize (GObject *object)
{
  tf_store_unref (TF_STORE_INPUT_STREAM (object)->store);

  G_OBJECT_CLASS (tf_store_input_stream_parent_class)->finalize (object);
}

static void
tf_store_input_stream_class_init (TfStoreInputStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tf_store_input_stream_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = tf_store_input_stream_read;
}

static void
tf_store_input_stream_init (TfStoreInputStream *self)
{
}

static goffset
tf_store_input_stream_tell (GSeekable *seekable)
{
  return tf_store_tell (TF_STORE_INPUT_STREAM (seekable)->store);
}

static gboolean
can_always (GSeekable *seekable)
{
  return TRUE;
}

static gboolean
can_never (GSeekable *seekable)
{
  return FALSE;
}

static gboolean
tf_store_input_stream_seek (GSeekable     *seekable,
                            goffset        offset,
                            GSeekType      type,
                            GCancellable  *cancellable,
                            GError       **error)
{
  return check_open (g_input_stream_is_closed (G_INPUT_STREAM (seekable)), error) &&
         tf_store_seek (TF_STORE_INPUT_STREAM (seekable)->store, offset, type, cancellable, error);
}

static gboolean
tf_store_input_stream_truncate (GSeekable     *seekable,
                                goffset        size,
                                GCancellable  *cancellable,
                                GError       **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "Cannot truncate an input stream");
  return FALSE;
}

static void
tf_store_input_stream_seekable_init (GSeekableIface *iface)
{
  iface->tell = tf_store_input_stream_tell;
  iface->can_seek = can_always;
  iface->seek = tf_store_input_stream_seek;
  iface->can_truncate = can_never;
  iface->truncate_fn = tf_store_input_stream_truncate;
}

GInputStream *
tf_store_input_stream_new (TfStore *store)
{
  TfStoreInputStream *self = g_object_new (TF_TYPE_STORE_INPUT_STREAM, NULL);

  self->store = tf_store_ref (store);
  return G_INPUT_STREAM (self);
}

static gssize
tf_store_output_stream_write (GOutputStream  *stream,
                              const void     *buffer,
                              gsize           count,
                              GCancellable   *cancellable,
                              GError        **error)
{
  gsize n_written;
  gboolean success = tf_store_write (TF_STORE_OUTPUT_STREAM (stream)->store, buffer, count,
                                     &n_written, cancellable, error);

  return bytes_or_error (success, n_written, error);
}

static void
tf_store_output_stream_finalize (GObject *object)
{
  tf_store_unref (TF_STORE_OUTPUT_STREAM (object)->store);

  G_OBJECT_CLASS (tf_store_output_stream_parent_class)->finalize (object);
}

static void
tf_store_output_stream_class_init (TfStoreOutputStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tf_store_output_stream_finalize;
  G_OUTPUT_STREAM_CLASS (klass)->write_fn = tf_store_output_stream_write;
}

static void
tf_store_output_stream_init (TfStoreOutputStream *self)
{
}

static goffset
tf_store_output_stream_tell (GSeekable *seekable)
{
  return tf_store_tell (TF_STORE_OUTPUT_STREAM (seekable)->store);
}

static gboolean
tf_store_output_stream_seek (GSeekable     *seekable,
                             goffset        offset,
                             GSeekType      type,
                             GCancellable  *cancellable,
                             GError       **error)
{
  return check_open (g_output_stream_is_closed (G_OUTPUT_STREAM (seekable)), error) &&
         tf_store_seek (TF_STORE_OUTPUT_STREAM (seekable)->store, offset, type, cancellable, error);
}

static gboolean
tf_store_output_stream_truncate (GSeekable     *seekable,
                                 goffset        size,
                                 GCancellable  *cancellable,
                                 GError       **error)
{
  return check_open (g_output_stream_is_closed (G_OUTPUT_STREAM (seekable)), error) &&
         tf_store_truncate (TF_STORE_OUTPUT_STREAM (seekable)->store, size, cancellable, error);
}

static void
tf_store_output_stream_seekable_init (GSeekableIface *iface)
{
  iface->tell = tf_store_output_stream_tell;
  iface->can_seek = can_always;
  iface->seek = tf_store_output_stream_seek;
  iface->can_truncate = can_always;
  iface->truncate_fn = tf_store_output_stream_truncate;
}

GOutputStream *
tf_store_output_stream_new (TfStore *store)
{
  TfStoreOutputStream *self = g_object_new (TF_TYPE_STORE_OUTPUT_STREAM, NULL);

  self->store = tf_store_ref (store);
  return G_OUTPUT_STREAM (self);
}
