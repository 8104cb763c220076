/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What runs around a fork, in children that end without exit(), and in processes that end by a signal of their own is
 * counted as well. In place of the functions of the C library, and of the compiler's __gcov_fork(), which forgets in the
 * child what handlers of pthread_atfork() have done. */

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

void  __gcov_dump  (void);
void  __gcov_reset (void);
pid_t __gcov_fork  (void);
pid_t __fork       (void);

static void
write_counts (void)
{
  __gcov_dump ();
  __gcov_reset ();
}

/* The C library's other name of fork(), which the compiler leaves alone. */
pid_t
__gcov_fork (void)
{
  write_counts ();
  return __fork ();
}

void
_exit (int status)
{
  __gcov_dump ();
  syscall (SYS_exit_group, status);
  __builtin_unreachable ();
}

int
raise (int sig)
{
  write_counts ();
  return pthread_kill (pthread_self (), sig) == 0 ? 0 : -1;
}
