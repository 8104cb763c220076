/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* In which order files were written, synced and named, so that it shows what a loss of power would have left. */

#include <errno.h>

#include "faults.h"

typedef enum
{
  WRITE,
  SYNC,
  NAME,
} Deed;

typedef struct
{
  Deed deed;
  dev_t device;
  ino_t inode;
} Entry;

#define MAX_ENTRIES 512

static GMutex lock;
static Entry entries[MAX_ENTRIES];
static guint n_entries;

void
ledger_begin (void)
{
  n_entries = 0;
}

static void
note (Deed  deed,
      dev_t device,
      ino_t inode)
{
  g_mutex_lock (&lock);
  if (n_entries < MAX_ENTRIES)
    entries[n_entries++] = (Entry) { deed, device, inode };
  g_mutex_unlock (&lock);
}

int __real_fstat64 (int fd, struct stat *st);

static void
note_fd (Deed deed,
         int  fd)
{
  int saved_errno = errno;
  struct stat st;

  if (__real_fstat64 (fd, &st) == 0)
    note (deed, st.st_dev, st.st_ino);
  errno = saved_errno;
}

void
ledger_note_write (int fd)
{
  note_fd (WRITE, fd);
}

void
ledger_note_sync (int fd)
{
  note_fd (SYNC, fd);
}

void
ledger_note_name (void)
{
  note (NAME, 0, 0);
}

/* Returns the place of the last entry, or -1. */
static int
find_last (Deed        deed,
           const char *path)
{
  struct stat st = { 0 };
  int last = -1;

  if (path != NULL && stat (path, &st) != 0)
    return -1;

  for (guint i = 0; i < n_entries; i++)
    if (entries[i].deed == deed && entries[i].device == st.st_dev && entries[i].inode == st.st_ino)
      last = i;

  return last;
}

static char *
describe (const char *path,
          const char *dir)
{
  const char *const deeds[] = { "write", "sync", "name" };
  GString *text = g_string_new (NULL);
  struct stat st = { 0 };
  struct stat dir_st = { 0 };

  stat (path, &st);
  stat (dir, &dir_st);
  for (guint i = 0; i < n_entries; i++)
    g_string_append_printf (text, " %s%s", deeds[entries[i].deed],
                            entries[i].inode == 0 ? "" : entries[i].inode == st.st_ino ? " it" :
                            entries[i].inode == dir_st.st_ino ? " the folder" : " another");

  return g_string_free (text, FALSE);
}

char *
ledger_find_gap (const char *path,
                 const char *dir)
{
  int write = find_last (WRITE, path);
  int sync = find_last (SYNC, path);
  int name = find_last (NAME, NULL);
  int sync_of_dir = find_last (SYNC, dir);

  if (n_entries == MAX_ENTRIES || (write < sync && sync >= 0 && sync < name && name < sync_of_dir))
    return NULL;

  return describe (path, dir);
}
