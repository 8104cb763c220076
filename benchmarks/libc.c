/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The limits: memcpy() and bare system calls. And glibc as a peer. */

#include "bench.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define BUFFER_SIZE (1024 * 1024)

/* On a page: how fast memory is copied depends on it. */
static _Alignas (4096) char buffer[BUFFER_SIZE];

static char *
map_faulted (size_t size)
{
  char *data = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (data == MAP_FAILED)
    die ("mmap");
  madvise (data, size, MADV_HUGEPAGE);
  memset (data, 1, size);
  return data;
}

static int
open_unnamed (const char *dir)
{
  int fd = open (dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

  if (fd < 0)
    die (dir);
  return fd;
}

static void
write_fully (int         fd,
             const char *data,
             size_t      size)
{
  while (size > 0)
    {
      ssize_t n = write (fd, data, size);

      if (n < 0)
        die ("write");
      data += n;
      size -= n;
    }
}

static void
memcpy_in (char **args)
{
  size_t size = number (args[0]), total = number (args[1]);
  char *data = map_faulted (total);
  int64_t start = now ();

  for (size_t i = 0; i < total; i += size)
    memcpy (data + i, buffer, size);
  print_each (now () - start, total / size);
}

/* Over one piece of memory again and again. */
static void
memcpy_again (char **args)
{
  size_t size = number (args[0]), file_size = number (args[1]), n = number (args[2]);
  char *data = map_faulted (file_size);
  int64_t start = now ();

  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j + size <= file_size; j += size)
      {
        memcpy (data + j, buffer, size);
        __asm__ volatile ("" ::: "memory");
      }
  print_each (now () - start, n * (file_size / size));
}

static void
memcpy_out (char **args)
{
  size_t size = number (args[0]), total = number (args[1]);
  char *data = map_faulted (total);
  int64_t start = now ();

  for (size_t i = 0; i < total; i += size)
    {
      memcpy (buffer, data + i, size);
      __asm__ volatile ("" ::: "memory");
    }
  print_each (now () - start, total / size);
}

static void
memstream (char **args)
{
  size_t size = number (args[0]), file_size = number (args[1]), n = number (args[2]);
  int64_t start = now ();

  for (size_t i = 0; i < n; i++)
    {
      char *data;
      size_t data_size;
      FILE *file = open_memstream (&data, &data_size);

      for (size_t j = 0; j + size <= file_size; j += size)
        if (fwrite (buffer, size, 1, file) != 1)
          die ("fwrite");
      fclose (file);
      free (data);
    }
  print_each (now () - start, n * (file_size / size));
}

static void
write_calls (char **args)
{
  size_t size = number (args[0]), total = number (args[1]);
  int fd = open_unnamed (args[2]);
  int64_t start = now ();

  for (size_t i = 0; i < total; i += size)
    if (write (fd, buffer, size) != (ssize_t) size)
      die ("write");
  print_each (now () - start, total / size);
}

static void
read_calls (char **args)
{
  size_t size = number (args[0]), total = number (args[1]);
  int fd = open_unnamed (args[2]);
  int64_t start;

  for (size_t i = 0; i < total; i += BUFFER_SIZE)
    write_fully (fd, buffer, total - i < BUFFER_SIZE ? total - i : BUFFER_SIZE);
  lseek (fd, 0, SEEK_SET);
  start = now ();
  for (size_t i = 0; i < total; i += size)
    if (read (fd, buffer, size) != (ssize_t) size)
      die ("read");
  print_each (now () - start, total / size);
}

static void
stdio_write (char **args)
{
  size_t size = number (args[0]), total = number (args[1]);
  FILE *file = fdopen (open_unnamed (args[2]), "w+");
  int64_t start = now ();

  for (size_t i = 0; i < total; i += size)
    if (fwrite (buffer, size, 1, file) != 1)
      die ("fwrite");
  fflush (file);
  print_each (now () - start, total / size);
}

static void
stdio_read (char **args)
{
  size_t size = number (args[0]), total = number (args[1]);
  FILE *file = fdopen (open_unnamed (args[2]), "w+");
  int64_t start;

  for (size_t i = 0; i < total; i += size)
    if (fwrite (buffer, size, 1, file) != 1)
      die ("fwrite");
  rewind (file);
  start = now ();
  for (size_t i = 0; i < total; i += size)
    if (fread (buffer, size, 1, file) != 1)
      die ("fread");
  print_each (now () - start, total / size);
}

/* What a rollover comes down to: a file, and one write of all bytes. */
static void
open_write (char **args)
{
  size_t size = number (args[0]), n = number (args[1]);
  int64_t spent = 0;

  for (size_t i = 0; i < n; i++)
    {
      char *data = map_faulted (size);
      int64_t start = now ();
      int fd = open_unnamed (args[2]);

      write_fully (fd, data, size);
      munmap (data, size);
      spent += now () - start;
      close (fd);
    }
  print_each (spent, n);
}

static void
unnamed (char **args)
{
  size_t n = number (args[0]);
  int64_t start = now ();

  for (size_t i = 0; i < n; i++)
    close (open_unnamed (args[1]));
  print_each (now () - start, n);
}

static void
stdio_tmpfile (char **args)
{
  size_t n = number (args[0]);
  int64_t start;

  /* glibc looks at no variable: it always takes /tmp. */
  start = now ();
  for (size_t i = 0; i < n; i++)
    {
      FILE *file = tmpfile ();

      if (file == NULL)
        die ("tmpfile");
      fclose (file);
    }
  print_each (now () - start, n);
}

static void
named (char **args)
{
  size_t n = number (args[0]);
  int64_t start = now ();

  for (size_t i = 0; i < n; i++)
    {
      char path[4096];
      int fd;

      snprintf (path, sizeof path, "%s/tmpXXXXXX", args[1]);
      fd = mkostemp (path, O_CLOEXEC);
      if (fd < 0)
        die ("mkostemp");
      close (fd);
      unlink (path);
    }
  print_each (now () - start, n);
}

static void
dir (char **args)
{
  size_t n = number (args[0]);
  int64_t start = now ();

  for (size_t i = 0; i < n; i++)
    {
      char path[4096];

      snprintf (path, sizeof path, "%s/tmpXXXXXX", args[1]);
      if (mkdtemp (path) == NULL || rmdir (path) != 0)
        die ("mkdtemp");
    }
  print_each (now () - start, n);
}

static void
make_files (size_t n)
{
  for (size_t i = 0; i < n; i++)
    {
      char name[32];
      int fd;

      snprintf (name, sizeof name, "file-%zu", i);
      fd = open (name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
      if (fd < 0)
        die (name);
      close (fd);
    }
}

static void
make_and_enter (const char *name)
{
  if (mkdir (name, 0700) != 0 || chdir (name) != 0)
    die (name);
}

/* "wide": N directories of 100 files; "flat": N files; "deep": a chain of N directories. */
static void
make_tree_here (char **args)
{
  const char *shape = args[1];
  size_t n = number (args[2]);

  if (chdir (args[0]) != 0)
    die (args[0]);

  if (strcmp (shape, "flat") == 0)
    make_files (n);
  else
    for (size_t i = 0; i < n; i++)
      {
        char name[32];

        snprintf (name, sizeof name, "directory-%zu", i);
        make_and_enter (name);
        if (strcmp (shape, "wide") == 0)
          {
            make_files (100);
            if (chdir ("..") != 0)
              die ("..");
          }
      }
}

static void
rm (char **args)
{
  char path[4096];
  char *argv[] = { "rm", "-rf", path, NULL };
  int64_t start;

  snprintf (path, sizeof path, "%s/tree", args[0]);
  if (mkdir (path, 0700) != 0)
    die (path);
  make_tree (path, args[1], args[2]);
  start = now ();
  run_command (argv);
  print_each (now () - start, 1);
}

static void
read_into_memory (char **args)
{
  int fd = open (args[0], O_RDONLY | O_CLOEXEC);
  struct stat st;
  char *data;
  int64_t start;

  if (fd < 0 || fstat (fd, &st) != 0)
    die (args[0]);
  start = now ();
  data = mmap (NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise (data, st.st_size, MADV_HUGEPAGE);
  for (off_t i = 0; i < st.st_size;)
    {
      ssize_t n = read (fd, data + i, st.st_size - i);

      if (n <= 0)
        die ("read");
      i += n;
    }
  print_each (now () - start, 1);
}

static void
copy_by_range (char **args)
{
  int in = open (args[0], O_RDONLY | O_CLOEXEC);
  int64_t start = now ();
  int out = open_unnamed (args[1]);
  ssize_t n;

  while ((n = copy_file_range (in, NULL, out, NULL, SIZE_MAX / 4, 0)) > 0)
    ;
  if (n < 0)
    die ("copy_file_range");
  print_each (now () - start, 1);
}

static void
copy_by_loop (char **args)
{
  int in = open (args[0], O_RDONLY | O_CLOEXEC);
  int64_t start = now ();
  int out = open_unnamed (args[1]);
  ssize_t n;

  while ((n = read (in, buffer, 256 * 1024)) > 0)
    write_fully (out, buffer, n);
  print_each (now () - start, 1);
}

int
main (int    argc,
      char **argv)
{
  const Verb verbs[] = {
    { "memcpy-in", 2, memcpy_in },
    { "memcpy-again", 3, memcpy_again },
    { "memcpy-out", 2, memcpy_out },
    { "memstream", 3, memstream },
    { "write-calls", 3, write_calls },
    { "read-calls", 3, read_calls },
    { "stdio-write", 3, stdio_write },
    { "stdio-read", 3, stdio_read },
    { "open-write", 3, open_write },
    { "unnamed", 2, unnamed },
    { "tmpfile", 1, stdio_tmpfile },
    { "named", 2, named },
    { "dir", 2, dir },
    { "make-tree", 3, make_tree_here },
    { "rm", 3, rm },
    { "read-into-memory", 1, read_into_memory },
    { "copy-by-range", 2, copy_by_range },
    { "copy-by-loop", 2, copy_by_loop },
    { NULL },
  };

  memset (buffer, 'x', sizeof buffer);
  return run_verb (verbs, argc, argv);
}
