/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* An open directory. */
typedef struct
{
  guint64 device;
  guint64 inode;
  guint64 mount_id; /* 0 if it is not known */
  guint   mode;
} TfDir;

/* Ways to detect that a subdirectory is a mount point, best first. */
typedef enum
{
  TF_CONFINE_BY_OPENAT2,
  TF_CONFINE_BY_MOUNT_ID,
  TF_CONFINE_BY_DEVICE,
} TfConfinement;

gboolean tf_dir_read  (TfDir       *self,
                       int          fd);
gboolean tf_dir_equal (const TfDir *a,
                       const TfDir *b);
int      tf_dir_open  (TfDir       *self,
                       int          parent_fd,
                       const TfDir *parent,
                       const char  *name);

/* The way to try first. Set by tests only. */
extern TfConfinement tf_dir_confinement;

G_END_DECLS
