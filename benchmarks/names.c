/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include <fcntl.h>
#include <linux/magic.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

/* Compares the CPU time of creating and removing files and directories that have names with that of the same calls of
 * libc: names [DIR...]
 *
 * The system calls that the library makes are timed with an object that does nothing, too, which no implementation of
 * the same promises can beat: what is created is looked at, so that what another program puts in its place is not taken
 * for it, and so is what is removed; the first directories are locked.
 *
 * The two take turns, and of each the fastest turn counts, so that what else the machine does disturbs both alike. */

#define N_TURNS 40
#define N_CALLS 50

/* So many directories may be locked, against removal by age. The rest are not. */
#define N_LOCKED 64

typedef struct
{
  const char *name;
  void (*ours) (const char *dir);
  void (*libc) (const char *dir);
  void (*calls) (void); /* in calls_dir_fd */
  gboolean is_beside_many;
  double bound_on_tmpfs;
  double bound_on_disk;
} Item;

typedef enum
{
  OURS,
  LIBC,
  CALLS,
  N_WAYS
} Way;

static void
exit_on_error (GError *error)
{
  if (error == NULL)
    return;

  fprintf (stderr, "%s\n", error->message);
  exit (EXIT_FAILURE);
}

static void
exit_if_failed (gboolean    failed,
                const char *call)
{
  if (!failed)
    return;

  perror (call);
  exit (EXIT_FAILURE);
}

static void
make_file (const char *dir)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfNamedFile) file = tf_named_file_new (NULL, NULL, NULL, NULL, &error);

  exit_on_error (error);
  g_io_stream_close (G_IO_STREAM (file), NULL, &error);
  exit_on_error (error);
}

static void
make_file_by_libc (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "tmpXXXXXX", NULL);
  int fd = mkstemp (path);

  exit_if_failed (fd < 0, "mkstemp");
  close (fd);
  exit_if_failed (unlink (path) != 0, "unlink");
}

static void
make_dir (const char *dir)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfTempDir) made = tf_temp_dir_new (NULL, NULL, NULL, NULL, &error);

  exit_on_error (error);
  tf_temp_dir_cleanup (made, NULL, &error);
  exit_on_error (error);
}

static void
make_dir_by_libc (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "tmpXXXXXX", NULL);

  exit_if_failed (mkdtemp (path) == NULL, "mkdtemp");
  exit_if_failed (rmdir (path) != 0, "rmdir");
}

/* An object that does nothing */
typedef GIOStream Bare;
typedef GIOStreamClass BareClass;

GType bare_get_type (void);

G_DEFINE_TYPE (Bare, bare, G_TYPE_IO_STREAM)

static gboolean
bare_close (GIOStream     *stream,
            GCancellable  *cancellable,
            GError       **error)
{
  return TRUE;
}

static void
bare_class_init (BareClass *klass)
{
  klass->close_fn = bare_close;
}

static void
bare_init (Bare *self)
{
}

/* In this directory, things are created and stay; it is emptied after each turn, which is not measured. */
static TfTempDir *owner;
/* Its descriptor, for the system calls */
static int calls_dir_fd;

#define CALLS_NAME "tmpabcdefgh"

static void
look (int         fd,
      const char *name)
{
  struct statx st;

  exit_if_failed (statx (fd, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st) != 0,
                  "statx");
}

static void
make_file_by_calls (void)
{
  g_autoptr(GIOStream) stream = g_object_new (bare_get_type (), NULL);
  int fd = openat (calls_dir_fd, CALLS_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

  exit_if_failed (fd < 0, "openat");
  look (calls_dir_fd, CALLS_NAME);
  look (calls_dir_fd, CALLS_NAME);
  exit_if_failed (unlinkat (calls_dir_fd, CALLS_NAME, 0) != 0, "unlinkat");
  close (fd);
  g_io_stream_close (stream, NULL, NULL);
}

static void
make_dir_by_calls (void)
{
  G_GNUC_UNUSED g_autoptr(GObject) object = g_object_new (G_TYPE_OBJECT, NULL);

  exit_if_failed (mkdirat (calls_dir_fd, CALLS_NAME, 0700) != 0, "mkdirat");
  look (calls_dir_fd, CALLS_NAME);
  look (calls_dir_fd, CALLS_NAME);
  exit_if_failed (unlinkat (calls_dir_fd, CALLS_NAME, AT_REMOVEDIR) != 0, "unlinkat");
}

static void
make_locked_dir_by_calls (void)
{
  G_GNUC_UNUSED g_autoptr(GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
  int fd;

  exit_if_failed (mkdirat (calls_dir_fd, CALLS_NAME, 0700) != 0, "mkdirat");
  fd = openat (calls_dir_fd, CALLS_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  exit_if_failed (fd < 0, "openat");
  look (fd, "");
  exit_if_failed (flock (fd, LOCK_SH | LOCK_NB) != 0, "flock");
  look (calls_dir_fd, CALLS_NAME);
  exit_if_failed (unlinkat (calls_dir_fd, CALLS_NAME, AT_REMOVEDIR) != 0, "unlinkat");
  look (fd, "");
  close (fd);
}

static void
make_file_inside (const char *dir)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TfNamedFile) file = tf_temp_dir_create_file (owner, NULL, NULL, NULL, &error);

  exit_on_error (error);
  g_io_stream_close (G_IO_STREAM (file), NULL, &error);
  exit_on_error (error);
}

static void
make_file_inside_by_libc (const char *dir)
{
  g_autofree char *path = g_build_filename (tf_temp_dir_get_path (owner), "tmpXXXXXX", NULL);
  int fd = mkstemp (path);

  exit_if_failed (fd < 0, "mkstemp");
  close (fd);
}

static void
make_dir_inside (const char *dir)
{
  g_autoptr(GError) error = NULL;
  G_GNUC_UNUSED g_autoptr(TfTempDir) made = tf_temp_dir_create_dir (owner, NULL, NULL, NULL, &error);

  exit_on_error (error);
}

static void
make_dir_inside_by_libc (const char *dir)
{
  g_autofree char *path = g_build_filename (tf_temp_dir_get_path (owner), "tmpXXXXXX", NULL);

  exit_if_failed (mkdtemp (path) == NULL, "mkdtemp");
}

/* What is created inside stays until the end of the turn, so each gets another name. */
static const char *
get_next_name (void)
{
  static char name[] = CALLS_NAME;
  static guint n;

  g_snprintf (name, sizeof name, "tmp%08x", n++);
  return name;
}

static void
make_file_inside_by_calls (void)
{
  g_autoptr(GIOStream) stream = g_object_new (bare_get_type (), NULL);
  int fd;

  look (calls_dir_fd, "");
  fd = openat (calls_dir_fd, get_next_name (), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  exit_if_failed (fd < 0, "openat");
  look (fd, "");
  close (fd);
  g_io_stream_close (stream, NULL, NULL);
}

static void
make_dir_inside_by_calls (void)
{
  G_GNUC_UNUSED g_autoptr(GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
  const char *name = get_next_name ();

  look (calls_dir_fd, "");
  exit_if_failed (mkdirat (calls_dir_fd, name, 0700) != 0, "mkdirat");
  look (calls_dir_fd, name);
}

static const Item items[] = {
  { "named file", make_file, make_file_by_libc, make_file_by_calls, FALSE, 1.35, 1.2 },
  { "directory", make_dir, make_dir_by_libc, make_locked_dir_by_calls, FALSE, 1.8, 1.25 },
  { "directory beside many", make_dir, make_dir_by_libc, make_dir_by_calls, TRUE, 1.4, 1.2 },
  { "file in a directory", make_file_inside, make_file_inside_by_libc, make_file_inside_by_calls, FALSE, 1.25, 1.15 },
  { "directory in another", make_dir_inside, make_dir_inside_by_libc, make_dir_inside_by_calls, FALSE, 1.25, 1.15 },
};

static void
empty_owner (void)
{
  g_autoptr(GDir) names = g_dir_open (tf_temp_dir_get_path (owner), 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (names)) != NULL)
    {
      g_autofree char *path = g_build_filename (tf_temp_dir_get_path (owner), name, NULL);

      exit_if_failed (remove (path) != 0, "remove");
    }
}

static void
run (const Item *item,
     Way         way,
     const char *dir)
{
  for (int i = 0; i < N_CALLS; i++)
    switch (way)
      {
      case OURS:
        item->ours (dir);
        break;

      case LIBC:
        item->libc (dir);
        break;

      case CALLS:
      default:
        item->calls ();
      }
}

/* Returns the microseconds of one call. */
static double
measure (const Item *item,
         Way         way,
         const char *dir)
{
  struct timespec start, end;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &start);
  run (item, way, dir);
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &end);
  empty_owner ();
  return ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / N_CALLS / 1e3;
}

static void
compare (const Item *item,
         const char *dir,
         gboolean    is_tmpfs)
{
  g_autoptr(GPtrArray) many = g_ptr_array_new_with_free_func (g_object_unref);
  double times[N_WAYS] = { G_MAXDOUBLE, G_MAXDOUBLE, G_MAXDOUBLE };

  owner = tf_temp_dir_new (NULL, NULL, dir, NULL, NULL);
  calls_dir_fd = open (tf_temp_dir_get_path (owner), O_PATH | O_DIRECTORY | O_CLOEXEC);
  exit_if_failed (calls_dir_fd < 0, "open");
  for (int i = 0; item->is_beside_many && i < N_LOCKED; i++)
    g_ptr_array_add (many, tf_temp_dir_new (NULL, NULL, dir, NULL, NULL));

  for (int i = 0; i < N_TURNS; i++)
    for (Way way = OURS; way < N_WAYS; way++)
      times[way] = MIN (times[way], measure (item, way, dir));

  close (calls_dir_fd);
  g_clear_object (&owner);
  printf ("%-24s %6.2f µs, libc %6.2f µs: %.2f (at most %.2f); its system calls and a bare object %.2f\n", item->name,
          times[OURS], times[LIBC], times[OURS] / times[LIBC], is_tmpfs ? item->bound_on_tmpfs : item->bound_on_disk,
          times[CALLS] / times[LIBC]);
}

/* In a directory of its own, which is small, and which no others use. */
static void
compare_in (const char *dir)
{
  g_autofree char *place = g_build_filename (dir, "tf-names-XXXXXX", NULL);
  struct statfs st;

  if (g_mkdtemp (place) == NULL)
    {
      printf ("%s: no directory can be created here\n", dir);
      return;
    }

  exit_if_failed (statfs (place, &st) != 0, "statfs");
  tf_set_temp_dir (place);
  printf ("%s (file system %lx)\n", dir, (gulong) st.f_type);
  for (gsize i = 0; i < G_N_ELEMENTS (items); i++)
    compare (&items[i], place, st.f_type == TMPFS_MAGIC);
  tf_set_temp_dir (NULL);
  exit_if_failed (rmdir (place) != 0, "rmdir");
}

int
main (int    argc,
      char **argv)
{
  const char *const usual_dirs[] = { "/dev/shm", "/var/tmp", NULL };
  const char *const *dirs = argc > 1 ? (const char *const *) argv + 1 : usual_dirs;

  setlocale (LC_ALL, "");
  for (gsize i = 0; dirs[i] != NULL; i++)
    compare_in (dirs[i]);

  return EXIT_SUCCESS;
}
