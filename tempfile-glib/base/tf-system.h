/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

G_BEGIN_DECLS

/* Every system call that POSIX.1-2008 does not have, and what takes its place.
 *
 * There are two implementations, and the option “system” of the build chooses one. tf-system-linux.c asks the
 * kernel, and is the only file that sees the extensions of the GNU C library. tf-system-portable.c does with
 * POSIX what can be done with it, and is where a port to another system begins. The rest of the library calls
 * POSIX itself, or a function of this file.
 *
 * The functions are shaped as system calls are: they return -1, FALSE or NULL with errno. Those that a signal
 * can interrupt are made again, unless the comment says otherwise.
 *
 * ENOTSUP means that it cannot be done: by this implementation, by the running kernel, by the file system, or
 * in this sandbox. A kernel says ENOSYS about a call that is newer than it, and a container's filter EPERM about
 * a call that is newer than the filter; both are ENOTSUP here. The caller then does it another way; where there
 * is none, the user gets G_IO_ERROR_NOT_SUPPORTED. */

/* --- What a file is ------------------------------------------------------------------------- */

typedef struct
{
  guint64 device;
  guint64 inode;
  gint64  birth_seconds;     /* with birth_nanoseconds, 0 where it is not recorded */
  guint32 birth_nanoseconds;
  guint32 mode;
  guint32 uid;
  guint32 n_links;
  guint64 mount_id;          /* 0 where the system does not tell */
} TfSystemStat;

/* Of @name in @dir_fd, without following a symlink; of @dir_fd itself when @name is empty. */
gboolean tf_system_stat (TfSystemStat *self,
                         int           dir_fd,
                         const char   *name);

/* The same, as far as POSIX goes: no birth time and no mount. */
static inline gboolean
tf_system_stat_basic (TfSystemStat *self,
                      int           dir_fd,
                      const char   *name)
{
  struct stat st;

  if ((*name == '\0' ? fstat (dir_fd, &st) : fstatat (dir_fd, name, &st, AT_SYMLINK_NOFOLLOW)) != 0)
    return FALSE;

  *self = (TfSystemStat) {
    .device = st.st_dev,
    .inode = st.st_ino,
    .mode = st.st_mode,
    .uid = st.st_uid,
    .n_links = st.st_nlink,
  };
  return TRUE;
}

/* Whether what is created in @dir takes memory instead of disk; FALSE where the system does not tell. */
gboolean tf_system_is_in_memory (const char *dir);

/* --- Descriptors ---------------------------------------------------------------------------- */

/* A file without a name in the directory @dir, relative to @dir_fd. It can be given a name later. */
int tf_system_open_unnamed (int         dir_fd,
                            const char *dir,
                            guint       mode);

/* A directory to name things in, which need not be readable if the system knows such descriptors. */
int tf_system_open_dir (const char *path);

/* The directory @name in @parent_fd for reading; not through a symlink, and not a mount point: EXDEV. */
int tf_system_open_beneath (int         parent_fd,
                            const char *name);

/* The file behind @fd once more, for reading, with an offset of its own. */
int tf_system_open_again (int fd);

/* A descriptor that is readable when the process has ended. */
int tf_system_open_pid (pid_t pid);

/* A file in memory, to be sealed. */
int tf_system_open_memory (void);

/* Makes sure that nobody can change the content of a file that tf_system_open_memory() returned. */
int tf_system_seal (int fd);

/* Lets @target be what @fd is, close-on-exec, in one step where the system can. */
int tf_system_dup_to (int fd,
                      int target);

/* A path by which other processes can open the file behind @fd; to be freed. */
char *tf_system_make_fd_path (int fd);

/* The lock of flock(2), which forked children share. EWOULDBLOCK when another one has it. */
int tf_system_lock (int      fd,
                    gboolean exclusive);

/* --- Names ---------------------------------------------------------------------------------- */

/* Gives the file behind @fd a name. */
int tf_system_link_fd (int         fd,
                       int         dir_fd,
                       const char *name);

typedef enum
{
  TF_SYSTEM_RENAME_NOREPLACE,
  TF_SYSTEM_RENAME_EXCHANGE,
} TfSystemRename;

int tf_system_rename (int             dir_fd,
                      const char     *from,
                      const char     *to,
                      TfSystemRename  how);

/* Changes the mode of the directory @name in @parent_fd, which need not be readable, if it is @expected;
 * otherwise fails with ESTALE. */
int tf_system_chmod_dir (int                 parent_fd,
                         const char         *name,
                         const TfSystemStat *expected,
                         guint               mode);

/* The types of entries that matter: DT_UNKNOWN and DT_DIR where readdir(3) tells them. */
#define TF_SYSTEM_ENTRY_UNKNOWN 0
#define TF_SYSTEM_ENTRY_DIR 4

/* As getdents64(2) lays it out, so that it need not be copied. */
typedef struct
{
  guint64 inode;
  gint64  reserved;
  guint16 size;   /* from this entry to the next one, in bytes */
  guint8  type;
  char    name[]; /* up to its NUL */
} TfSystemEntry;

/* The smallest buffer there is, in bytes. */
#define TF_SYSTEM_DIR_BUFFER (64 * 1024)

/* Reads on in the directory @fd: as many entries as there is room for, or all, with "." and "..". They are in
 * *@buffer, of *@capacity bytes, which is made and replaced as needed. Returns how many bytes they take; 0 at
 * the end. */
gssize tf_system_read_dir (int     fd,
                           char  **buffer,
                           gsize  *capacity);

/* --- Extended attributes -------------------------------------------------------------------- */

/* There is no such attribute. */
#ifdef ENOATTR
#define TF_SYSTEM_ENOATTR ENOATTR
#else
#define TF_SYSTEM_ENOATTR ENODATA
#endif

/* Of the file behind @fd; when that is -1, of what is at @path, symlinks not followed. They return the length,
 * and with a @size of 0 nothing else. */
gssize tf_system_list_xattrs (int         fd,
                              const char *path,
                              char       *names,
                              gsize       size);
gssize tf_system_get_xattr   (int         fd,
                              const char *path,
                              const char *name,
                              gpointer    value,
                              gsize       size);

int tf_system_set_xattr    (int            fd,
                            const char    *name,
                            gconstpointer  value,
                            gsize          size);
int tf_system_remove_xattr (int            fd,
                            const char    *name);

/* --- Bytes ---------------------------------------------------------------------------------- */

/* As pwrite(2) from several places; it may take fewer bytes than there are. Not made again. */
gssize tf_system_pwritev (int                 fd,
                          const struct iovec *iov,
                          int                 n_iov,
                          goffset             offset);

/* Makes the empty file @to share all blocks of @from. */
int tf_system_clone (int from,
                     int to);

/* Lets the file system copy up to @count bytes where that beats reading and writing: because it shares the
 * blocks, or is on another machine. A @to_offset of -1 is that of the descriptor. Returns how many bytes it took,
 * often 0. File systems that cannot, or not with each other, say so by half a dozen errors: what is really wrong
 * shows when the bytes are read and written. */
gsize tf_system_copy_range (int     from,
                            goffset from_offset,
                            int     to,
                            goffset to_offset,
                            gsize   count);

/* Looks from *@start on, in a file of @size bytes, for the next range that is no hole; an empty one at the
 * end. Moves the offset of @fd. What a file system does not tell, and a bad descriptor, is no hole. */
void tf_system_find_data (int      fd,
                          goffset  size,
                          goffset *start,
                          goffset *end);

/* Takes blocks for the first @size bytes, and changes nothing else. Not made again: a signal can interrupt it each
 * time anew. After an error some blocks may have been taken. */
int tf_system_allocate (int     fd,
                        goffset size);

/* --- Memory --------------------------------------------------------------------------------- */

/* The size, and the alignment, of a huge page: where it is another one, a mapping works as well, only slower. */
#define TF_SYSTEM_HUGE_PAGE ((gsize) 2 * 1024 * 1024)

/* A mapping of @new_size bytes, a multiple of the page size, with the content of @data, which it replaces; the rest
 * of it is zeros. With NULL it is a new one. On failure nothing has changed. */
guint8 *tf_system_remap (guint8 *data,
                         gsize   old_size,
                         gsize   new_size);

/* --- The process ---------------------------------------------------------------------------- */

/* Bytes that nobody can guess; 256 at most. */
gboolean tf_system_fill_random (guint8 *bytes,
                                gsize   n_bytes);

/* As getenv(3), but NULL in a set-user-ID program, whose environment is not to be trusted. */
const char *tf_system_getenv (const char *name);

G_END_DECLS
