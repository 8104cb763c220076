/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "base/tf-identity.h"
#include "tf-open.h"
#include "tf-registry.h"
#include "tf-template.h"

G_BEGIN_DECLS

typedef struct _TfHeir TfHeir;

/* A file or directory with a name that this process has created.
 *
 * Only this process removes it: a forked child does nothing with its copy of the entry. While the entry is in the
 * registry, the process removes it at exit; while it has a record in the journal, a sweep removes it after the
 * process was killed.
 *
 * What is created inside of a TfTempDir belongs to that directory. It has neither until somebody wants it to be removed
 * on its own.
 *
 * What was handed over to another program is removed when its time is over and nobody uses it: by this process, at its
 * exit, or by a sweep. Its place is then taken by an heir, which no object has. The record says until when it stays. */
struct _TfEntry
{
  TfRegistryNode node;

  char          *path;     /* (owned) (nullable): NULL before the creation */
  TfOpenName     name;     /* its directory and its record */
  TfIdentity     identity;
  TfParent      *inside;   /* (owned) (nullable): the directory itself, once something was created in it */
  TfHeir        *heir;     /* (owned) (atomic) (nullable): stands for this entry, since it was handed over */
  gint           n_kept;   /* (atomic): how often it was kept, or got a lasting name */
  int            lock_fd;  /* shows systemd-tmpfiles that a directory is in use; -1 for most */
  guint          is_dir : 1;
  guint          is_gone : 1;  /* was removed, does not exist any more, or was given up */
  guint          is_kept : 1;  /* not to be removed */
  guint          is_final : 1; /* kept for good */
  guint          is_corrected : 1; /* the umask takes permissions from the owner */
  guint          is_heir : 1;  /* this is a TfHeir */
  guint          is_gone_at_exit : 1; /* the end of the process has removed it */
};

/* An entry that was handed over to another program. It outlives the object. */
struct _TfHeir
{
  TfEntry  entry;
  guint32  deadline; /* (atomic): in seconds since the boot; 0 if it is not handed over any more */
  gint     n_refs;   /* (atomic) */
  gpointer timer;    /* (unowned) (nullable): a Timer */
  TfHeir  *next;     /* (unowned) (nullable): of those that the end of the process has dealt with */
};

void     tf_entry_init          (TfEntry           *self);
int      tf_entry_create_file   (TfEntry           *self,
                                 const TfTemplate  *template,
                                 GCancellable      *cancellable,
                                 GError           **error);
gboolean tf_entry_create_dir    (TfEntry           *self,
                                 const TfTemplate  *template,
                                 GCancellable      *cancellable,
                                 GError           **error);
gboolean tf_entry_remove        (TfEntry           *self,
                                 guint              n_kept,
                                 GCancellable      *cancellable,
                                 GError           **error);
guint    tf_entry_count_kept    (const TfEntry     *self);
gboolean tf_entry_remove_former (TfEntry           *self,
                                 const char        *path,
                                 GError           **error);
gboolean tf_entry_drop          (TfEntry           *self,
                                 gboolean           kept_too,
                                 GCancellable      *cancellable,
                                 GError           **error);
void     tf_entry_set_kept      (TfEntry           *self,
                                 gboolean           kept);
void     tf_entry_keep          (TfEntry           *self);
char    *tf_entry_move          (TfEntry           *self,
                                 const char        *path,
                                 const TfIdentity  *identity);
void     tf_entry_clear         (TfEntry           *self);

void     tf_entry_hand_over      (TfEntry       *self,
                                  guint          grace_seconds);
gboolean tf_entry_is_handed_over (const TfEntry *self);
gboolean tf_entry_is_inherited   (TfEntry       *self);

/* For tests */
guint tf_entry_count_heirs (void);

/* Set by tests only: how long a second is, in milliseconds. */
extern guint tf_entry_second;

G_END_DECLS
