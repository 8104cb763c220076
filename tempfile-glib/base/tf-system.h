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

/* Functions for the system calls that POSIX.1-2008 does not have.
 *
 * There are two implementations, and the build option “system” chooses one. tf-system-linux.c asks the kernel, and
 * is the only file that sees the extensions of the GNU C library. tf-system-portable.c does what can be done with
 * POSIX, and is where a port to another system begins. The rest of the library calls POSIX functions and the
 * functions below.
 *
 * The functions behave like system calls: on failure they return -1, FALSE or NULL and set errno. Calls that a
 * signal interrupts are repeated unless the comment says otherwise.
 *
 * ENOTSUP means that the operation is not available: in this implementation, in the running kernel, in the file
 * system, or in this sandbox. A kernel reports ENOSYS for a call that is newer than the kernel, the filter of a container
 * EPERM for a call that is newer than the filter, and others EACCES. All are ENOTSUP here. The caller then does
 * the same another way; where there is none, the user gets G_IO_ERROR_NOT_SUPPORTED. */

/* What may be missing on Linux, so that the functions below work another way or fail with ENOTSUP. Each is decided anew by
 * each call, because it can be different for each directory. */
typedef enum
{
  TF_SYSTEM_STATX           = 1 << 0,
  TF_SYSTEM_OPENAT2         = 1 << 1,
  TF_SYSTEM_TMPFILE         = 1 << 2,  /* O_TMPFILE of open(2) */
  TF_SYSTEM_RENAMEAT2       = 1 << 3,
  TF_SYSTEM_EMPTY_PATH      = 1 << 4,  /* AT_EMPTY_PATH of linkat(2) */
  TF_SYSTEM_LINK_FD         = 1 << 5,  /* linkat(2) of a descriptor, in any way */
  TF_SYSTEM_COPY_FILE_RANGE = 1 << 6,
  TF_SYSTEM_CLONE           = 1 << 7,  /* FICLONE of ioctl(2) */
  TF_SYSTEM_SEEK_DATA       = 1 << 8,  /* SEEK_DATA of lseek(2) */
  TF_SYSTEM_SYNC_FILE_RANGE = 1 << 9,
  TF_SYSTEM_FALLOCATE       = 1 << 10,
  TF_SYSTEM_GETRANDOM       = 1 << 11,
  TF_SYSTEM_MEMFD           = 1 << 12,
  TF_SYSTEM_PIDFD           = 1 << 13,
  TF_SYSTEM_FLOCK           = 1 << 14,
  TF_SYSTEM_LEASE           = 1 << 15, /* F_SETLEASE of fcntl(2) */
  TF_SYSTEM_HANDLE          = 1 << 16, /* name_to_handle_at(2) */
  TF_SYSTEM_XATTR           = 1 << 17,
  TF_SYSTEM_PROC            = 1 << 18, /* proc(5) */
  TF_SYSTEM_FCHMODAT2       = 1 << 19,
} TfSystemPart;

/* Set by tests only: these parts fail with this errno. */
extern guint tf_system_missing;
extern int   tf_system_missing_errno;

/* --- What a file is ------------------------------------------------------------------------- */

typedef struct
{
  guint64 device;
  guint64 inode;
  gint64  birth_seconds;     /* like birth_nanoseconds, 0 if it is not recorded */
  guint32 birth_nanoseconds;
  guint32 mode;
  guint32 uid;
  guint32 n_links;
  guint64 size;
  gint64  modified;          /* like @changed, in nanoseconds since 1970 */
  gint64  changed;
  guint64 mount_id;          /* 0 if it is not known */
  gboolean is_mounted;       /* a file system is, under this name; FALSE if that is not known */
} TfSystemStat;

/* Describes @name in @dir_fd without following a symlink, or @dir_fd itself when @name is empty. */
gboolean tf_system_stat (TfSystemStat *self,
                         int           dir_fd,
                         const char   *name);

/* The same, as the system knows it: the server of a network file system, which may not answer, is not asked where that can be
 * helped. */
gboolean tf_system_stat_known (TfSystemStat *self,
                               int           dir_fd,
                               const char   *name);

/* Describes an entry of a directory. Asks the server of the directory, unless @is_local says that there is none, but never that
 * of a file system that is mounted on the entry. */
static inline gboolean
tf_system_stat_in (TfSystemStat *self,
                   int           dir_fd,
                   const char   *name,
                   gboolean      is_local)
{
  return tf_system_stat_known (self, dir_fd, name) &&
         (is_local || self->is_mounted || tf_system_stat (self, dir_fd, name));
}

/* Returns whether the file system that is mounted at the path is one of a network or in user space. Asks nobody but the
 * kernel. */
gboolean tf_system_has_server (const char *mount_path);

/* Returns whether a file system is mounted there, as far as that is known, without asking its server. */
static inline gboolean
tf_system_is_mount_point (int         dir_fd,
                          const char *name)
{
  TfSystemStat st;

  return tf_system_stat_known (&st, dir_fd, name) && st.is_mounted;
}

/* Does the same as tf_system_stat() with POSIX alone, without the birth time and the mount. */
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
    .size = st.st_size,
    .modified = st.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + st.st_mtim.tv_nsec,
    .changed = st.st_ctim.tv_sec * G_GINT64_CONSTANT (1000000000) + st.st_ctim.tv_nsec,
  };
  return TRUE;
}

/* Finds the mount on which @name in @dir_fd is, or @dir_fd itself when @name is empty, as TfSystemStat has it, where
 * tf_system_stat() does not know. This takes longer. Returns 0 if it is not known. Does not change errno. */
guint64 tf_system_get_mount (int         dir_fd,
                             const char *name);

/* Computes a number from the handle of @name in @dir_fd, see name_to_handle_at(2), or of @dir_fd itself when @name is
 * empty. The handle tells a file from a later one with the same inode number. */
gboolean tf_system_hash_handle (int         dir_fd,
                                const char *name,
                                guint64    *hash);

/* Returns whether files in @dir are kept in memory; FALSE where the system does not tell. */
gboolean tf_system_is_in_memory (const char *dir);

/* What a file system can do for a lock of tf_system_lock() and a file that is mapped. */
typedef enum
{
  TF_SYSTEM_FS_OTHER,
  TF_SYSTEM_FS_LOCAL,   /* a mapping keeps the lock after the descriptor is closed */
  TF_SYSTEM_FS_COW,     /* the same, but room for a file is no promise unless tf_system_forbid_cow() was called */
  TF_SYSTEM_FS_OVERLAY, /* only a descriptor keeps the lock */
} TfSystemFs;

TfSystemFs tf_system_get_fs (int fd);

/* Makes the empty file overwrite its blocks in place instead of copying them. */
int tf_system_forbid_cow (int fd);

/* --- Descriptors ---------------------------------------------------------------------------- */

/* Opens a new file without a name in the directory @dir, relative to @dir_fd. It can be given a name later. */
int tf_system_open_unnamed (int         dir_fd,
                            const char *dir,
                            guint       mode);

/* Opens a directory in order to name files in it. On Linux it need not be readable. */
int tf_system_open_dir (const char *path);

/* Opens the directory @name in @parent_fd for reading. Fails for a symlink, and with EXDEV for a mount point. */
int tf_system_open_beneath (int         parent_fd,
                            const char *name);

/* Opens what has the name @name in @dir_fd, a symlink for instance, for fstat(2) and for reading its extended
 * attributes. It need not be readable. Fails with ENOTSUP where a file has to be opened for more than that. */
int tf_system_open_to_describe (int         dir_fd,
                                const char *name);

/* Lets fstat(2) tell what the file system has now, and not what the kernel remembers. Only as far as the file system itself
 * does not remember. */
void tf_system_refresh (int fd);

/* The same, and lets read(2) read that: another machine may have replaced or changed the file. Writing needs pieces of whole
 * blocks then. */
void tf_system_refresh_content (int fd);

/* Returns whether a file that has no name of its own may have one: some file systems of FUSE rename what is removed while
 * it is open. Two machines may give such a name to a file each, so that what is asked or done by it, also by fstat(2), may
 * be about the other one. */
gboolean tf_system_may_hide (int fd);

/* Returns whether the file system of @fd may accept what it cannot write, and say so once, to whoever closes the file first.
 * FALSE where the system has no such call. */
gboolean tf_system_may_lose (int fd);

/* Opens the file behind @fd once more, for reading, with an offset of its own. */
int tf_system_open_again (int fd);

/* Opens a descriptor that becomes readable when the process ends. */
int tf_system_open_pid (pid_t pid);

/* Opens a new file in memory that can be sealed. */
int tf_system_open_memory (void);

/* Makes the content of a file from tf_system_open_memory() unchangeable for everybody. */
int tf_system_seal (int fd);

/* Replaces @target by a duplicate of @fd that is closed on exec; in one step on Linux. */
int tf_system_dup_to (int fd,
                      int target);

/* Returns a path by which other processes can open the file behind @fd, to be freed with g_free(). */
char *tf_system_make_fd_path (int fd);

/* Returns the path at which the file behind @fd was found last, or NULL. */
char *tf_system_find_path (int fd);

/* Takes the lock of flock(2), which forked children share. Fails with EWOULDBLOCK instead of waiting. */
int tf_system_lock (int      fd,
                    gboolean exclusive);

/* Gives it back, although forked children may have the file open. */
void tf_system_unlock (int fd);

/* Takes another lock, which is that of the open file as well. Fails with EAGAIN instead of waiting. */
int tf_system_claim (int fd);

void tf_system_unclaim (int fd);

/* Returns the user to whom files belong that the calling thread creates. */
guint tf_system_get_file_uid (void);

/* Returns whether all who open a file of the file system of @fd come by one inode, which stays the same when the file is
 * renamed. */
gboolean tf_system_keeps_identities (int fd);

/* Makes sure that the regular file behind @fd, which was opened for reading, is open nowhere else, neither in this
 * process nor in another one, mapped and executed files included, but not O_PATH descriptors. Until @fd is closed, nobody
 * can open it. Fails with EAGAIN if it is open, and with another error where this cannot be known. */
int tf_system_lease (int fd);

/* Gives it back, although forked children may have the file open. */
void tf_system_unlease (int fd);

/* --- Names ---------------------------------------------------------------------------------- */

/* Gives the file behind @fd the name @name in @dir_fd. */
int tf_system_link_fd (int         fd,
                       int         dir_fd,
                       const char *name);

typedef enum
{
  TF_SYSTEM_RENAME_NOREPLACE,
  TF_SYSTEM_RENAME_EXCHANGE, /* not repeated: the second time would undo the first one */
} TfSystemRename;

int tf_system_rename (int             dir_fd,
                      const char     *from,
                      const char     *to,
                      TfSystemRename  how);

/* Changes the mode of the directory @name in @parent_fd, which need not be readable. Fails with ESTALE if it is
 * another directory than @expected, and with ENOTSUP if it could be exchanged for another file meanwhile. */
int tf_system_chmod_dir (int                 parent_fd,
                         const char         *name,
                         const TfSystemStat *expected,
                         guint               mode);

/* The types of entries that matter here, with the values of DT_UNKNOWN and DT_DIR. */
#define TF_SYSTEM_ENTRY_UNKNOWN 0
#define TF_SYSTEM_ENTRY_DIR 4

/* An entry of a directory, in the layout of getdents64(2), so that the kernel's need not be copied. */
typedef struct
{
  guint64 inode;
  gint64  reserved;
  guint16 size;   /* from this entry to the next one, in bytes */
  guint8  type;
  char    name[]; /* ends with a NUL */
} TfSystemEntry;

/* The smallest size of the buffer, in bytes. */
#define TF_SYSTEM_DIR_BUFFER (64 * 1024)

/* Reads the next entries of the directory @fd, "." and ".." included, into *@buffer, which has *@capacity bytes.
 * Allocates the buffer when it is NULL. Linux reads as many entries as fit; the portable version reads all that are
 * left, and enlarges the buffer. Returns how many bytes the entries take; 0 at the end. */
gssize tf_system_read_dir (int     fd,
                           char  **buffer,
                           gsize  *capacity);

/* --- Extended attributes -------------------------------------------------------------------- */

/* The errno for an attribute that does not exist. */
#ifdef ENOATTR
#define TF_SYSTEM_ENOATTR ENOATTR
#else
#define TF_SYSTEM_ENOATTR ENODATA
#endif

/* These return a length in bytes; with a @size of 0 they store nothing. They are not repeated. They fail with ENOENT
 * for a descriptor of tf_system_open_to_describe() if the attributes are there but cannot be got at. */
gssize tf_system_list_xattrs (int         fd,
                              char       *names,
                              gsize       size);
gssize tf_system_get_xattr   (int         fd,
                              const char *name,
                              gpointer    value,
                              gsize       size);

/* Not repeated. */
int tf_system_set_xattr    (int            fd,
                            const char    *name,
                            gconstpointer  value,
                            gsize          size);
int tf_system_remove_xattr (int            fd,
                            const char    *name);

/* --- Bytes ---------------------------------------------------------------------------------- */

/* Writes from several places as pwrite(2) does from one; may write fewer bytes than there are. Not repeated. */
gssize tf_system_pwritev (int                 fd,
                          const struct iovec *iov,
                          int                 n_iov,
                          goffset             offset);

/* Makes the empty file @to share all blocks of @from with it. */
int tf_system_clone (int from,
                     int to);

/* Lets the file system copy up to @count bytes where that is faster than reading and writing: because it shares
 * the blocks, or is on another machine. A @to_offset of -1 stands for the offset of the descriptor. Returns how many
 * bytes were copied, often 0. It does not fail: file systems that cannot copy report that with half a dozen errors,
 * and what is really wrong shows when the bytes are read and written. */
gsize tf_system_copy_range (int     from,
                            goffset from_offset,
                            int     to,
                            goffset to_offset,
                            gsize   count);

/* Finds the first range at or behind *@start, in a file of @size bytes, that is not a hole; an empty range at the
 * end of the file. Moves the offset of @fd. When the file system does not tell, or @fd is -1, all is data. */
void tf_system_find_data (int      fd,
                          goffset  size,
                          goffset *start,
                          goffset *end);

/* Returns whether a hole takes room when it is read through a mapping, so that reading fails if there is none. */
gboolean tf_system_hole_takes_room (int fd);

/* Allocates blocks for the first @size bytes, and changes nothing else. After an error some blocks may have been
 * allocated. Not repeated: a signal can interrupt each attempt. */
int tf_system_allocate (int     fd,
                        goffset size);

/* Makes the empty file @size bytes long, and allocates blocks for them. */
int tf_system_extend (int   fd,
                      gsize size);

/* Writes @length bytes of a file to the disk and waits for them, not for the file's metadata as fsync(2) does; lets the
 * disk begin with twice as many behind them. The file system may report an error here instead of at fsync(). */
int tf_system_sync_range (int     fd,
                          goffset start,
                          goffset length);

/* Tells an error of writing the file, which the kernel may keep for this call although it has told it to who closed the file
 * or changed it in another way. Waits only for what is being written. Succeeds where the system does not tell. */
int tf_system_check_written (int fd);

/* --- Memory --------------------------------------------------------------------------------- */

/* Returns the number of descriptors that the process has, or 0 if that takes long to find out. */
guint tf_system_count_descriptors (void);

/* Returns a descriptor on which poll(2) reports POLLPRI when processes of the own control group have waited for memory
 * for a tenth of the time, or -1 if the system does not tell that to the user. */
int tf_system_open_memory_pressure (void);

/* The size and the alignment of a huge page, in bytes. Where they are different, a mapping works, only slower. */
#define TF_SYSTEM_HUGE_PAGE ((gsize) 2 * 1024 * 1024)

/* Resizes the mapping @data to @new_size bytes, a multiple of the page size, and returns its new address. Bytes that
 * are added are zero. When @data is NULL the mapping is new. On failure nothing has changed. */
guint8 *tf_system_remap (guint8 *data,
                         gsize   old_size,
                         gsize   new_size);

/* A forked child does not get the mapping. */
gboolean tf_system_hide_from_children (gpointer data,
                                       gsize    size);

/* Lets nothing else be mapped where nothing is mapped. */
void tf_system_occupy (gpointer data,
                       gsize    size);

/* Says whether pages of a mapping that are touched for the first time become huge ones. */
void tf_system_use_huge_pages (guint8   *data,
                               gsize     size,
                               gboolean  huge);

/* Frees the whole pages in a range of memory, which read as zeros afterwards. Returns FALSE if they stay as they are. */
gboolean tf_system_free_pages (guint8 *data,
                               gsize   size);

/* Counts how many bytes of the whole pages in a range of memory have memory behind them. Returns FALSE if that is not
 * known. */
gboolean tf_system_count_resident (guint8 *data,
                                   gsize   size,
                                   gsize  *resident);

/* Gives free memory of the heap back to the system. */
void tf_system_trim_heap (void);

/* Returns a page of zeros that is zeroed again in every forked child, whatever call has forked it. */
guint8 *tf_system_map_wiped_on_fork (void);

/* --- The process ---------------------------------------------------------------------------- */

#define TF_SYSTEM_BOOT_ID_SIZE 16

/* Reads a number that is different after each boot of the system. */
gboolean tf_system_read_boot_id (guint8 id[TF_SYSTEM_BOOT_ID_SIZE]);

/* Returns the time since the boot in seconds, including that in which the system was suspended. */
gint64 tf_system_get_uptime (void);

/* Returns a number for the namespace of process IDs, or 0 if it is not known. */
guint64 tf_system_get_pid_namespace (void);

/* Returns a number for the namespace in which the times of this process are counted, or 0 if it is not known. */
guint64 tf_system_get_time_namespace (void);

/* Returns when the process was started, in a unit of the system's, or 0 if it is not running or this is not known. */
guint64 tf_system_get_start_time (pid_t pid);

/* Returns FALSE if the process is certainly not running: that which was started then, or any one if @start_time is 0. */
gboolean tf_system_may_run (pid_t   pid,
                            guint64 start_time);

/* Fills @bytes, 256 at most, with random bytes that cannot be predicted. */
gboolean tf_system_fill_random (guint8 *bytes,
                                gsize   n_bytes);

/* Does what getenv(3) does, but returns NULL in a set-user-ID program, whose environment cannot be trusted. */
const char *tf_system_getenv (const char *name);

G_END_DECLS
