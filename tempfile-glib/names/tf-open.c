/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tf-debug.h"
#include "base/tf-errno.h"
#include "base/tf-fd.h"
#include "base/tf-fork.h"
#include "base/tf-system.h"

static TfOpenGuard guard; /* (atomic) (nullable) */

/* What is created at a new name. */
typedef struct
{
  /* Creates it at a path that does not exist, relative to @dir_fd. Returns a non-negative number, or -1 with errno set. */
  int (*create) (int         dir_fd,
                 const char *path,
                 guint       mode);
  const char *call;    /* for messages */
  const char *event;   /* (nullable): for the guard */
  TfJournalKind kind;  /* 0: nothing is created */
} Creation;

/* Where something is created. */
typedef struct
{
  int         dir_fd;
  const char *path;
} Place;

/* Sets the function that is asked before each creation. */
void
tf_open_set_guard (TfOpenGuard func)
{
  g_atomic_pointer_set (&guard, func);
}

/* What is under way belongs to the process that began it. If the guard has forked, the child does not go on with it. */
static gboolean
refuse_in_child (const char  *path,
                 GError     **error)
{
  g_autofree char *display = g_filename_display_name (path);

  return tf_errno_set_code (error, G_IO_ERROR_PERMISSION_DENIED,
                            "“%s” is created by the process of which this is a fork", display);
}

/* Asks the guard, except about a probe. The thread may end in it: nothing is under way that others wait for. */
static gboolean
may_create (const TfTemplate  *template,
            const char        *event,
            const char        *path,
            GError           **error)
{
  TfOpenGuard func = g_atomic_pointer_get (&guard);
  guint generation = tf_fork_get_generation ();

  if (func == NULL || event == NULL || template->is_probe)
    return TRUE;

  return func (event, path, error) &&
         (generation == tf_fork_get_generation () || refuse_in_child (path, error));
}

/* Writes down that @path is about to be created, unless it is left in place for debugging. */
static void
begin_record (TfOpenName    *name,
              const char    *path,
              TfJournalKind  kind)
{
  const char *base = strrchr (path, '/') + 1;

  if (name->parent == NULL || name->dir_fd > 0 || tf_debug_has (TF_DEBUG_KEEP))
    return;

  name->record = tf_journal_begin (tf_parent_get_place (name->parent), base, kind);
  if (name->record == NULL)
    tf_debug_trace ("could not be written down, so that no sweep finds it:", path);
}

static void
begin (TfOpenName    *name,
       const char    *path,
       TfJournalKind  kind)
{
  if (name == NULL)
    return;

  tf_registry_begin (name->node);
  begin_record (name, path, kind);
}

/* Called after a failure. @is_undone says whether nothing can be there. */
static void
cancel (TfOpenName *name,
        gboolean    is_undone)
{
  int saved_errno = errno;

  if (name == NULL)
    return;

  if (is_undone)
    tf_journal_clear (g_steal_pointer (&name->record));
  else
    tf_journal_leave (g_steal_pointer (&name->record));
  tf_registry_end (name->node, FALSE);
  errno = saved_errno;
}

static Place
get_place (const TfOpenName *name,
           const char       *path)
{
  if (name != NULL && name->dir_fd > 0)
    return (Place) { name->dir_fd, strrchr (path, '/') + 1 };

  return (Place) { AT_FDCWD, path };
}

/* Returns whether the errno means that no file has the name of a file in this directory. */
static gboolean
means_nothing (int saved_errno)
{
  return saved_errno == ENOENT || saved_errno == ENOTDIR || saved_errno == EACCES || saved_errno == ENAMETOOLONG;
}

/* Called after a failure of creating something with a name that nobody else knows: a file system can create it and report
 * an error all the same. Removes what looks new there. Returns FALSE if something may be left. Does not change errno. */
gboolean
tf_open_undo (int         dir_fd,
              const char *path,
              gboolean    is_dir)
{
  int saved_errno = errno;
  TfSystemStat st;
  gboolean success;

  /* The name belongs to somebody else. */
  if (errno == EEXIST)
    return TRUE;

  if (!tf_system_stat (&st, dir_fd, path))
    success = means_nothing (errno);
  else
    success = !tf_identity_is_new (&st, is_dir) ||
              unlinkat (dir_fd, path, is_dir ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT;

  errno = saved_errno;
  return success;
}

static int
create_at (const Creation *creation,
           TfOpenName     *name,
           const char     *path,
           guint           mode)
{
  const Place place = get_place (name, path);
  int result = creation->create (place.dir_fd, place.path, mode);

  if (result < 0)
    cancel (name, creation->kind == 0 || tf_open_undo (place.dir_fd, place.path, creation->kind == TF_JOURNAL_DIR));

  return result;
}

/* Tries fresh names in the directory of the template until one is free. The guard is asked about each. If @name is not
 * NULL, each is written down in the journal before it is created. When a signal has interrupted the creation, the next
 * name is tried: that one may have been created. */
static int
create_at_new_name (const Creation    *creation,
                    const TfTemplate  *template,
                    const char        *dir,
                    TfOpenName        *name,
                    char             **path,
                    GCancellable      *cancellable,
                    GError           **error)
{
  for (int i = 0; i < TF_TEMPLATE_TRIES; i++)
    {
      g_autofree char *candidate = NULL;
      int result;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return -1;

      candidate = tf_template_make_path (template, dir, error);
      if (candidate == NULL || !may_create (template, creation->event, candidate, error))
        return -1;

      begin (name, candidate, creation->kind);
      result = create_at (creation, name, candidate, template->mode);
      if (result >= 0)
        {
          *path = g_steal_pointer (&candidate);
          return result;
        }

      if (errno != EEXIST && errno != EINTR)
        {
          tf_errno_set (error, errno, creation->call, candidate);
          return -1;
        }
    }

  tf_errno_set (error, EEXIST, creation->call, dir);
  return -1;
}

/* Looks at the directory, unless that was done. If it cannot be looked at, neither can what would be created in it: the
 * creation fails before there is anything. */
static gboolean
have_parent (TfOpenName        *self,
             const Creation    *creation,
             const TfTemplate  *template,
             const char        *dir,
             GError           **error)
{
  g_autofree char *candidate = NULL;
  int saved_errno;

  if (self->parent == NULL)
    self->parent = tf_parent_get (dir, template->is_default);
  if (self->parent != NULL)
    return TRUE;

  saved_errno = errno;
  candidate = tf_template_make_path (template, dir, error);
  return candidate != NULL && tf_errno_set (error, saved_errno, creation->call, candidate);
}

/* Creates something in the directory of the template. @name may be NULL, if the caller will remove it. */
static int
create_in_dir (const Creation    *creation,
               const TfTemplate  *template,
               TfOpenName        *name,
               char             **path,
               GCancellable      *cancellable,
               GError           **error)
{
  g_autofree char *resolved = NULL;
  const char *dir = template->dir;
  int result;

  if (!g_path_is_absolute (dir))
    dir = resolved = tf_template_resolve (dir, error);
  if (dir == NULL)
    return -1;

  if (name != NULL && !have_parent (name, creation, template, dir, error))
    return -1;

  result = create_at_new_name (creation, template, dir, name, path, cancellable, error);
  if (result < 0 && name != NULL && name->dir_fd == 0)
    g_clear_pointer (&name->parent, tf_parent_unref);

  return result;
}

static int
create_file (int         dir_fd,
             const char *path,
             guint       mode)
{
  int fd = openat (dir_fd, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  int lifted = tf_fd_lift (fd);
  int saved_errno = errno;

  if (fd >= 0 && lifted < 0)
    unlinkat (dir_fd, path, 0);

  errno = saved_errno;
  return lifted;
}

static int
create_dir (int         dir_fd,
            const char *path,
            guint       mode)
{
  return mkdirat (dir_fd, path, mode);
}

static int
create_nothing (int         dir_fd,
                const char *path,
                guint       mode)
{
  struct stat st;

  if (fstatat (dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
    {
      errno = EEXIST;
      return -1;
    }

  return errno == ENOENT ? 0 : -1;
}

/* Creates a file with a name in the directory of @template. Returns its descriptor and its absolute path. If @name is
 * not NULL, it is recorded in the journal, see TfOpenName. */
int
tf_open_named (const TfTemplate  *template,
               TfOpenName        *name,
               char             **path,
               GCancellable      *cancellable,
               GError           **error)
{
  const Creation file = { create_file, "open", "tempfile.mkstemp", TF_JOURNAL_FILE };

  return create_in_dir (&file, template, name, path, cancellable, error);
}

/* Returns an absolute path in the directory of @template at which nothing exists. */
char *
tf_open_free_name (const TfTemplate  *template,
                   GError           **error)
{
  const Creation nothing = { create_nothing, "lstat", NULL, 0 };
  char *path = NULL;

  create_in_dir (&nothing, template, NULL, &path, NULL, error);
  return path;
}

/* The end of the process waits until the name is gone. */
static int
create_and_unlink (const TfTemplate  *template,
                   GCancellable      *cancellable,
                   GError           **error)
{
  const Creation file = { create_file, "open", NULL, TF_JOURNAL_FILE };
  TfRegistryNode node = { NULL, };
  TfOpenName name = { .node = &node };
  g_autofree char *path = NULL;
  tf_autofd int fd = create_in_dir (&file, template, &name, &path, cancellable, error);
  gboolean is_gone;

  if (fd < 0)
    return -1;

  is_gone = unlink (path) == 0 || errno == ENOENT || tf_errno_set (error, errno, "unlink", path);
  if (!is_gone)
    tf_journal_leave (g_steal_pointer (&name.record));
  tf_open_name_clear (&name);
  tf_registry_end (&node, FALSE);
  return is_gone ? tf_fd_steal (&fd) : -1;
}

/* Opens a file without a name in the directory of @template. If the file system cannot do that, the file is created
 * and unlinked. The result is not remembered, because another file system may be mounted on the directory later. */
int
tf_open_unnamed (const TfTemplate  *template,
                 GCancellable      *cancellable,
                 GError           **error)
{
  int fd;

  if (!tf_template_check (template, error) ||
      g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !may_create (template, "tempfile.mkstemp", template->dir, error))
    return -1;

  fd = tf_system_open_unnamed (AT_FDCWD, template->dir, template->mode);
  if (fd >= 0)
    return fd;

  if (errno != ENOTSUP)
    {
      tf_errno_set (error, errno, "open", template->dir);
      return -1;
    }

  return create_and_unlink (template, cancellable, error);
}

/* Creates a directory. Returns its absolute path. If @name is not NULL, it is recorded in the journal. */
char *
tf_open_make_dir (const TfTemplate  *template,
                  TfOpenName        *name,
                  GCancellable      *cancellable,
                  GError           **error)
{
  const Creation dir = { create_dir, "mkdir", "tempfile.mkdtemp", TF_JOURNAL_DIR };
  char *path = NULL;

  create_in_dir (&dir, template, name, &path, cancellable, error);
  return path;
}

/* Forgets the name, which was removed or is kept. */
void
tf_open_name_clear (TfOpenName *self)
{
  tf_journal_clear (g_steal_pointer (&self->record));
  g_clear_pointer (&self->parent, tf_parent_unref);
}
