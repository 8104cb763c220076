/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The properties that a class has because of its template. Those of its own come after them. */
enum
{
  TF_TEMPLATE_PROP_DIR = 1,
  TF_TEMPLATE_PROP_PREFIX,
  TF_TEMPLATE_PROP_SUFFIX,
  TF_TEMPLATE_PROP_MODE,
  TF_TEMPLATE_PROP_VARIANT
};

typedef struct _TfEntry TfEntry;

/* Directory, name and mode of a temporary file or directory. Its path is @dir/@prefix, eight random characters, and
 * @suffix. */
typedef struct
{
  char  *dir;    /* (nullable): the temp dir */
  char  *prefix; /* (nullable): "tmp" */
  char  *suffix; /* (nullable): none */
  guint  mode;   /* permission bits, before the umask */
  guint is_probe : 1; /* the guard is not asked */
  guint is_default : 1; /* @dir is the temp dir */
  TfEntry *inside; /* (nullable): the directory at @dir, which is the owner of what is created in it */
} TfTemplate;

#define TF_TEMPLATE_PREFIX "tmp"
#define TF_TEMPLATE_RANDOM_LENGTH 8

/* How many names may be taken in a row before a creation fails */
#define TF_TEMPLATE_TRIES 10000

/* Prefix, suffix and directory as bytes. Each may be missing. */
#define TF_TEMPLATE_VARIANT_TYPE "(maymaymay)"

void tf_template_set           (TfTemplate *self,
                                const char *prefix,
                                const char *suffix,
                                const char *dir);
void tf_template_make_absolute (TfTemplate *self);
void tf_template_clear         (TfTemplate *self);

void tf_template_get_property (const TfTemplate *self,
                               guint             prop_id,
                               GValue           *value);
void tf_template_set_property (TfTemplate       *self,
                               GObject          *object,
                               guint             prop_id,
                               const GValue     *value,
                               GParamSpec       *pspec);

char    *tf_template_resolve  (const char  *path,
                               GError     **error);
gboolean tf_template_complete (TfTemplate  *self,
                               const char *(*get_dir) (GError **error),
                               GError     **error);

gboolean tf_template_check     (const TfTemplate  *template,
                                GError           **error);
gboolean tf_template_matches   (const TfTemplate  *template,
                                const char        *name);
char    *tf_template_make_name (const TfTemplate  *template,
                                GError           **error);
char    *tf_template_make_path (const TfTemplate  *template,
                                const char        *dir,
                                GError           **error);

/* The source of random bytes. Replaced by tests only. Returns FALSE with errno set on failure. */
extern gboolean (*tf_template_fill_random) (guint8 *bytes,
                                        gsize   n_bytes);

G_END_DECLS
