/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-failures.h"

#include <errno.h>

#include "tf-errno.h"

void
tf_failures_init (TfFailures *self)
{
  *self = (TfFailures) { .first = NULL };
  g_mutex_init (&self->lock);
}

void
tf_failures_clear (TfFailures *self)
{
  g_mutex_clear (&self->lock);
  g_clear_error (&self->first);
  g_clear_pointer (&self->names, g_hash_table_unref);
}

/* Counts an error, and keeps it if it is the first. */
void
tf_failures_take (TfFailures *self,
                  GError     *error)
{
  g_mutex_lock (&self->lock);
  if (self->count++ == 0)
    self->first = g_steal_pointer (&error);
  g_mutex_unlock (&self->lock);

  g_clear_error (&error);
}

/* Counts an errno as an error. EXDEV stands for a mount point. */
void
tf_failures_add (TfFailures *self,
                 int         saved_errno,
                 const char *call,
                 const char *path)
{
  GError *error = NULL;

  if (saved_errno == EXDEV)
    tf_errno_set_mounted (&error, path);
  else
    tf_errno_set (&error, saved_errno, call, path);

  tf_failures_take (self, error);
}

static char *
make_key (guint64     device,
          guint64     inode,
          const char *name)
{
  return g_strdup_printf ("%" G_GINT64_MODIFIER "x/%" G_GINT64_MODIFIER "x/%s", device, inode, name);
}

void
tf_failures_remember (TfFailures *self,
                      guint64     device,
                      guint64     inode,
                      const char *name)
{
  g_mutex_lock (&self->lock);
  if (self->names == NULL)
    g_atomic_pointer_set (&self->names, g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL));
  g_hash_table_add (self->names, make_key (device, inode, name));
  g_mutex_unlock (&self->lock);
}

gboolean
tf_failures_contain (TfFailures *self,
                     guint64     device,
                     guint64     inode,
                     const char *name)
{
  g_autofree char *key = NULL;
  gboolean contained;

  /* Nearly always, nothing was remembered. */
  if (g_atomic_pointer_get (&self->names) == NULL)
    return FALSE;

  key = make_key (device, inode, name);
  g_mutex_lock (&self->lock);
  contained = g_hash_table_contains (self->names, key);
  g_mutex_unlock (&self->lock);
  return contained;
}

/* Returns TRUE if there were no errors. No other thread may add errors at the same time. */
gboolean
tf_failures_report (TfFailures  *self,
                    GError     **error)
{
  if (self->count == 0)
    return TRUE;

  if (self->count == 1)
    g_propagate_error (error, g_steal_pointer (&self->first));
  else
    g_set_error (error, self->first->domain, self->first->code,
                 "%s (the first of %u errors)", self->first->message, self->count);

  return FALSE;
}
