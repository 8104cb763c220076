/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <errno.h>

#include "tf-system.h"

G_BEGIN_DECLS

/* The identity of a file, which does not depend on its name. The birth time tells a file from a later one with the
 * same inode number; it is 0 if the file system does not record it. Then the type tells at least a later one of
 * another kind. */
typedef struct
{
  guint64 device;
  guint64 inode;
  gint64  birth_seconds;
  guint32 birth_nanoseconds;
  guint32 type;  /* the bits of %S_IFMT */
} TfIdentity;

/* A directory and the path at which it was found. */
typedef struct
{
  const char *path;   /* absolute */
  guint64     device;
  guint64     inode;
  guint32     birth;  /* made of its birth time; 0 if that is not recorded */
} TfPlace;

static inline void
tf_place_set (TfPlace            *self,
              const TfSystemStat *st)
{
  self->device = st->device;
  self->inode = st->inode;
  self->birth = (guint32) st->birth_seconds ^ st->birth_nanoseconds;
}

static inline gboolean
tf_identity_equal (const TfIdentity *a,
                   const TfIdentity *b)
{
  return a->device == b->device &&
         a->inode == b->inode &&
         a->type == b->type &&
         a->birth_seconds == b->birth_seconds &&
         a->birth_nanoseconds == b->birth_nanoseconds;
}

static inline gboolean
tf_identity_has_birth (const TfIdentity *self)
{
  return self->birth_seconds != 0 || self->birth_nanoseconds != 0;
}

/* Returns whether a file looks as it did when it was created. The times differ a little if an ACL or a label was
 * inherited. */
static inline gboolean
tf_identity_is_untouched (const TfSystemStat *st)
{
  const gint64 tolerance = G_GINT64_CONSTANT (100000000);
  gint64 first = MIN (st->modified, st->changed);
  gint64 last = MAX (st->modified, st->changed);

  if (st->birth_seconds != 0)
    {
      gint64 birth = st->birth_seconds * G_GINT64_CONSTANT (1000000000) + st->birth_nanoseconds;

      first = MIN (first, birth);
      last = MAX (last, birth);
    }

  return last - first <= tolerance;
}

/* Returns whether this is an empty file, or a directory, that looks as it did when it was created. */
static inline gboolean
tf_identity_is_new (const TfSystemStat *st,
                    gboolean            is_dir)
{
  return tf_identity_is_untouched (st) &&
         (is_dir ? S_ISDIR (st->mode) : S_ISREG (st->mode) && st->size == 0 && st->n_links == 1);
}

static inline void
tf_identity_set (TfIdentity         *self,
                 const TfSystemStat *st)
{
  self->device = st->device;
  self->inode = st->inode;
  self->type = st->mode & S_IFMT;
  self->birth_seconds = st->birth_seconds;
  self->birth_nanoseconds = st->birth_nanoseconds;
}

/* Like tf_identity_read(), but also fills @st. */
static inline gboolean
tf_identity_stat (TfIdentity   *self,
                  int           dir_fd,
                  const char   *name,
                  TfSystemStat *st)
{
  if (!tf_system_stat (st, dir_fd, name))
    return FALSE;

  tf_identity_set (self, st);
  return TRUE;
}

/* Like tf_identity_stat(), but looks a second time if that fails, or if there is a birth time and @has_birth says that there is
 * none, or the other way round: what is called where statx() is refused does not tell it, and a file looks like another one
 * then. If that is so again, fails with EIO. */
static inline gboolean
tf_identity_stat_wholly (TfIdentity   *self,
                         gboolean      has_birth,
                         int           dir_fd,
                         const char   *name,
                         TfSystemStat *st)
{
  for (int i = 0; i < 2; i++)
    {
      if (!tf_identity_stat (self, dir_fd, name, st))
        continue;
      if (tf_identity_has_birth (self) == has_birth)
        return TRUE;
      errno = EIO;
    }

  return FALSE;
}

/* Reads the identity of @name in @dir_fd without following a symlink, or of @dir_fd itself if @name is empty.
 * Returns FALSE with errno set on failure. */
static inline gboolean
tf_identity_read (TfIdentity *self,
                  int         dir_fd,
                  const char *name)
{
  TfSystemStat st;

  return tf_identity_stat (self, dir_fd, name, &st);
}

G_END_DECLS
