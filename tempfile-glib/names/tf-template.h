/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Where a temporary thing goes and how it is called: @dir/@prefix, eight random characters, @suffix. */
typedef struct
{
  char  *dir;    /* (nullable): the temp dir */
  char  *prefix; /* (nullable): "tmp" */
  char  *suffix; /* (nullable): none */
  guint  mode;   /* permission bits, before the umask */
  gboolean is_probe; /* nobody is told of it */
} TfTemplate;

#define TF_NAME_PREFIX "tmp"
#define TF_NAME_RANDOM_LENGTH 8

void      tf_template_clear (TfTemplate *self);

gboolean  tf_name_check (const TfTemplate  *template,
                         GError           **error);
gboolean  tf_name_matches (const TfTemplate *template,
                          const char       *name);
char     *tf_name_new   (const TfTemplate  *template,
                         GError           **error);
char     *tf_name_new_in (const TfTemplate  *template,
                          const char        *dir,
                          GError           **error);

/* The source of randomness, replaced by tests only. Returns FALSE with errno set. */
extern gboolean (*tf_name_fill_random) (guint8 *bytes,
                                        gsize   n_bytes);

G_END_DECLS
