/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <tempfile-glib.h>

#include "program.h"

G_BEGIN_DECLS

/* A temporary file, and beside it a plain array of bytes on which a program does the same.
 *
 * What differs is a failure: the functions return FALSE then, and the message says what it is. */

#define MODEL_MAX_SIZE (400 * 1024)
#define MODEL_N_READERS 3

typedef struct
{
  GInputStream *stream; /* (owned) (nullable) */
  GByteArray *bytes;    /* (owned): those of the file that it reads */
  goffset position;
} ModelReader;

typedef struct
{
  const Program *program;
  char *message;      /* in memory that forked children share */
  const char *dir;    /* where files are persisted to */

  TfTempFile *file;   /* (owned) */
  GByteArray *bytes;  /* (owned) */
  goffset position;
  int fd;             /* borrowed from the file, or -1 */
  guint n_rolled_over;

  ModelReader readers[MODEL_N_READERS];
  char *lasting;      /* (owned) (nullable): what the file was persisted as */
  GPtrArray *stolen;  /* (element-type GBytes): pairs of what was returned and what it has to stay */
  GPtrArray *kept;    /* (element-type char GBytes): paths, and what is there */
  guint n_names;
  guint n_writes;     /* so that no two write the same */

  /* For a program that makes calls fail */
  void (*settle) (void);                         /* (nullable): called after the call of an operation */
  gboolean (*excuses) (const GError  *error,     /* (nullable): whether it may fail so */
                       const char   **reason);
  char *(*find_gap) (const char *path,           /* (nullable): why it would not survive a loss of power, or NULL */
                     const char *dir);
  guint n_excused;
} Model;

/* Runs it in this process. @message has 1024 bytes. */
gboolean model_run (const Program *program,
                    const char    *dir,
                    char          *message);

guint8      model_choose_op     (double         chance);
const char *model_get_op_name   (const Step    *step);
void        model_describe_file (const Program *program,
                                 GString       *text);

/* --- In steps --- */

/* Returns the number of an operation. */
guint    model_find_op   (const char    *name);
void     model_init      (Model         *self,
                          const Program *program,
                          const char    *dir,
                          char          *message);
gboolean model_open      (Model         *self);
gboolean model_step      (Model         *self,
                          const Step    *step);
gboolean model_check     (Model         *self);
gboolean model_check_end (Model         *self);
void     model_forget    (Model         *self);

/* --- For operations --- */

typedef gboolean (*ModelFunc) (Model      *self,
                               const Step *step);

gboolean    model_fail         (Model         *self,
                                const char    *format,
                                ...) G_GNUC_PRINTF (2, 3);

#define MODEL_CHECK(self, condition) \
  G_STMT_START \
    if (!(condition)) \
      return model_fail (self, "%s:%d: %s", __FILE_NAME__, __LINE__, #condition); \
  G_STMT_END

#ifndef __FILE_NAME__
#define __FILE_NAME__ __FILE__
#endif

/* Whether a call may fail with this error: on a full disk, or because it was cancelled. */
void     model_settle     (Model         *self);
gboolean model_is_excused (Model         *self,
                           const GError  *error,
                           gboolean       cancelled);
gboolean model_is_on_disk (Model         *self);
gsize    model_get_rest   (Model         *self,
                           gsize          count);
gboolean model_is_at      (Model         *self,
                           gconstpointer  data,
                           gsize          length);
GBytes  *model_make_bytes (Model         *self,
                           gsize          length);
void     model_put        (Model         *self,
                           gconstpointer  data,
                           gsize          length);
void     model_resize     (Model         *self,
                           goffset        size);
/* After a failure, the position says how much was done. */
gboolean model_put_some  (Model  *self,
                          GBytes *bytes);
gboolean model_skip_some (Model  *self,
                          gsize   count);
/* After it was closed, with what it was persisted as. */
gboolean model_reopen (Model    *self,
                       gboolean  complete);
/* How many bytes fit on the disk, or G_MAXUINT64. */
void     small_disk_set      (guint64 n_bytes);
gboolean small_disk_is_small (void);

#define MODEL_OP(name) gboolean name (Model *self, const Step *step)

MODEL_OP (model_write);
MODEL_OP (model_try_write);
MODEL_OP (model_stream_write);
MODEL_OP (model_read);
MODEL_OP (model_stream_read);
MODEL_OP (model_skip);
MODEL_OP (model_read_line);
MODEL_OP (model_read_upto);
MODEL_OP (model_peek);
MODEL_OP (model_fill);
MODEL_OP (model_consume);
MODEL_OP (model_load);
MODEL_OP (model_seek);
MODEL_OP (model_truncate);
MODEL_OP (model_flush);
MODEL_OP (model_reserve);
MODEL_OP (model_rollover);
MODEL_OP (model_get_fd);
MODEL_OP (model_dup_fd);
MODEL_OP (model_outside);
MODEL_OP (model_by_name);
MODEL_OP (model_cancelled);
MODEL_OP (model_small_disk);
MODEL_OP (model_budget);
MODEL_OP (model_open_reader);
MODEL_OP (model_use_reader);
MODEL_OP (model_seek_reader);
MODEL_OP (model_close_reader);
MODEL_OP (model_splice_from);
MODEL_OP (model_splice_to);
MODEL_OP (model_seal);
MODEL_OP (model_steal);
MODEL_OP (model_persist);
MODEL_OP (model_close);
MODEL_OP (model_fork);
MODEL_OP (model_write_async);
MODEL_OP (model_read_async);
MODEL_OP (model_line_async);
MODEL_OP (model_stream_write_async);
MODEL_OP (model_stream_read_async);
MODEL_OP (model_both_async);
MODEL_OP (model_fill_async);
MODEL_OP (model_load_async);
MODEL_OP (model_flush_async);
MODEL_OP (model_get_fd_async);
MODEL_OP (model_seal_async);
MODEL_OP (model_steal_async);
MODEL_OP (model_persist_async);
MODEL_OP (model_rollover_async);
MODEL_OP (model_splice_async);
MODEL_OP (model_close_async);
MODEL_OP (model_drop_async);

/* Shared by the calls that wait and those that do not */
GFile   *model_choose_destination (Model          *self,
                                   const Step     *step,
                                   TfPersistFlags *flags);
gboolean model_check_persisted    (Model          *self,
                                   gboolean        success,
                                   GFile          *destination,
                                   TfPersistFlags  flags,
                                   gboolean        existed,
                                   GFile          *final,
                                   const GError   *error,
                                   gboolean        cancelled);
gboolean model_check_sealed       (Model          *self,
                                   int             fd,
                                   const GError   *error,
                                   gboolean        cancelled);
gboolean model_check_stolen       (Model          *self,
                                   GBytes         *bytes,
                                   const GError   *error,
                                   gboolean        cancelled);
gboolean model_check_line         (Model          *self,
                                   const char     *line,
                                   gsize           length,
                                   const char     *stop,
                                   const GError   *error,
                                   gboolean        cancelled);
gboolean model_check_read         (Model          *self,
                                   gconstpointer   data,
                                   gssize          n_read,
                                   gsize           count,
                                   const GError   *error,
                                   gboolean        cancelled);
gboolean model_check_written      (Model          *self,
                                   gboolean        success,
                                   GBytes         *bytes,
                                   const GError   *error,
                                   gboolean        cancelled);

G_END_DECLS
