/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* What the C programs share. A program is called with a verb and its arguments, does the work once, and
 * prints one number: nanoseconds for each operation, or bytes. Preparations are not in the number. */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct
{
  const char *name;
  int         n_args;
  void      (*run) (char **args);
} Verb;

static inline _Noreturn void
die (const char *what)
{
  fprintf (stderr, "%s: %s\n", what, strerror (errno));
  exit (1);
}

static inline size_t
number (const char *arg)
{
  return strtoull (arg, NULL, 10);
}

static inline int64_t
now (void)
{
  struct timespec ts;

  clock_gettime (CLOCK_MONOTONIC, &ts);
  return ts.tv_sec * INT64_C (1000000000) + ts.tv_nsec;
}

static inline void
print_each (int64_t nanoseconds,
            size_t  n_operations)
{
  printf ("%.3f\n", (double) nanoseconds / n_operations);
}

/* In kB: VmHWM is the peak of the resident size, VmRSS what it is now. */
static inline size_t
read_status (const char *field)
{
  FILE *status = fopen ("/proc/self/status", "r");
  size_t length = strlen (field);
  size_t value = 0;
  char line[256];

  if (status == NULL)
    die ("/proc/self/status");
  while (fgets (line, sizeof line, status) != NULL)
    if (strncmp (line, field, length) == 0 && line[length] == ':')
      value = number (line + length + 1);
  fclose (status);
  return value;
}

static inline void
run_command (char **argv)
{
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    {
      execvp (argv[0], argv);
      _exit (127);
    }
  if (pid < 0 || waitpid (pid, &status, 0) != pid || status != 0)
    die (argv[0]);
}

/* $MAKE_TREE is the program of libc.c. */
static inline void
make_tree (const char *dir,
           const char *shape,
           const char *n)
{
  char *argv[] = { getenv ("MAKE_TREE"), "make-tree", (char *) dir, (char *) shape, (char *) n, NULL };

  run_command (argv);
}

static inline int
run_verb (const Verb *verbs,
          int         argc,
          char      **argv)
{
  for (const Verb *verb = verbs; verb->name != NULL; verb++)
    if (argc == verb->n_args + 2 && strcmp (verb->name, argv[1]) == 0)
      {
        verb->run (argv + 2);
        return 0;
      }

  fprintf (stderr, "%s: no such verb, or not its arguments\n", argv[0]);
  return 2;
}
