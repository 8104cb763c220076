/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-audit.h"

#include "base/tf-errno.h"
#include "base/tf-fork.h"
#include "names/tf-open.h"

typedef struct
{
  TfAuditFunc func;
  gpointer user_data;
  GDestroyNotify destroy;
} Auditor;

static GMutex auditor_lock;
static TfForkHandler fork_handler = { .level = TF_FORK_LEAVES, .lock = &auditor_lock };
static Auditor *auditor; /* (owned) (nullable): an atomic box, so that it can be replaced while it is called */

static void
auditor_clear (gpointer data)
{
  Auditor *self = data;

  if (self->destroy != NULL)
    self->destroy (self->user_data);
}

static void
auditor_release (Auditor *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, auditor_clear);
}

static Auditor *
dup_auditor (void)
{
  Auditor *acquired;

  tf_fork_lock (&fork_handler);
  acquired = auditor != NULL ? g_atomic_rc_box_acquire (auditor) : NULL;
  g_mutex_unlock (&auditor_lock);
  return acquired;
}

/* Asks whether @path may be created. */
static gboolean
ask_auditor (const char  *event,
             const char  *path,
             GError     **error)
{
  Auditor *acquired = dup_auditor ();
  gboolean allowed = acquired == NULL || acquired->func (event, path, acquired->user_data);

  if (!allowed)
    {
      g_autofree char *display = g_filename_display_name (path);

      tf_errno_set_code (error, G_IO_ERROR_PERMISSION_DENIED,
                         "%s “%s”: refused by the audit function", event, display);
    }

  auditor_release (acquired);
  return allowed;
}

/**
 * tf_set_audit_func:
 * @func: (nullable) (scope notified) (closure user_data) (destroy destroy): the function to call, or %NULL for none
 * @user_data: data to pass to @func
 * @destroy: called when @func will not be called any more
 *
 * Sets the function that is asked before a temporary file or directory is created, for the whole process.
 *
 * It corresponds to the auditing events `tempfile.mkstemp` and `tempfile.mkdtemp` of Python's `tempfile`.
 * [func@Tf.mkstemp], [func@Tf.mkdtemp] and the constructors of all classes ask, and so does the rollover of a spooled
 * file. If a name turns out to be taken, the function is asked about the next one. If it refuses, the call fails with
 * %G_IO_ERROR_PERMISSION_DENIED. It is not asked about the file with which [func@Tf.get_temp_dir] tests a directory,
 * about files that [method@TempFile.persist] creates, or about the memory file of [method@TempFile.seal].
 *
 * No lock is held while the function runs. When a spooled file rolls over, it may ask that file for its size, open a
 * reader of it or close it; a call that would change the file or move its position fails with %G_IO_ERROR_PENDING.
 * If it forks, the file or directory is created by the parent; in the child, the call fails with
 * %G_IO_ERROR_PERMISSION_DENIED.
 * If the thread ends in it, as one of an interpreter that ends does, nothing is created, and the process ends without
 * waiting for that.
 *
 * It is called in the thread that creates the file or directory: a worker thread in the case of an asynchronous call.
 * GJS has functions called only in the thread of the main loop. There, an asynchronous call that creates something is
 * refused while a function is set.
 *
 * In JavaScript, Vala and Python, the path that the function gets is a string. tf_set_audit_func() may be called
 * from any thread. It replaces the function that was set before.
 *
 * Since: 1.0
 */
void
tf_set_audit_func (TfAuditFunc    func,
                   gpointer       user_data,
                   GDestroyNotify destroy)
{
  Auditor *created = NULL;
  Auditor *previous;

  if (func != NULL)
    {
      created = g_atomic_rc_box_new (Auditor);
      *created = (Auditor) { func, user_data, destroy };
    }

  tf_fork_lock (&fork_handler);
  previous = auditor;
  auditor = created;
  tf_open_set_guard (func != NULL ? ask_auditor : NULL);
  g_mutex_unlock (&auditor_lock);

  auditor_release (previous);
}
