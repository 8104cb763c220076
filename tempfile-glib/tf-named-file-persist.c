/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-named-file-private.h"

#include <fcntl.h>

#include "base/tf-context.h"
#include "base/tf-errno.h"

typedef struct
{
  TfNamedFile *self;
  char        *path;
  TfIdentity   identity;
} Move;

static gboolean
move_apply (gpointer data)
{
  Move *move = data;
  TfNamedFile *self = move->self;

  tf_entry_move (&self->entry, move->path, &move->identity);
  self->persisted = TRUE;

  tf_named_file_notify_path (self);
  tf_named_file_set_delete_policy (self, TF_DELETE_NEVER);
  return G_SOURCE_REMOVE;
}

static void
move_free (gpointer data)
{
  Move *move = data;

  g_object_unref (move->self);
  g_free (move->path);
  g_free (move);
}

/* The former name goes, unless it is a lasting one or was the destination itself. */
void
tf_named_file_persisted (TfTempFile *file,
                         const char *path)
{
  TfNamedFile *self = TF_NAMED_FILE (file);
  Move *move = g_new0 (Move, 1);
  g_autoptr(GError) error = NULL;

  if (!self->persisted && !g_str_equal (path, self->entry.path) && !tf_entry_remove (&self->entry, NULL, &error))
    tf_log_lost_error ("Removing the former name of a persisted file", error);

  move->self = g_object_ref (self);
  move->path = g_strdup (path);
  tf_identity_read (&move->identity, AT_FDCWD, path);
  tf_context_invoke (move_apply, move, move_free);
}
