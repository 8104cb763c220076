/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What runs around a fork, in children that end without exit(), and in processes that end by a signal of their own is
 * counted as well. In place of the functions of the C library, and of the compiler's __gcov_fork(), which forgets in the
 * child what handlers of pthread_atfork() have done. */

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void  __gcov_dump  (void);
void  __gcov_reset (void);
pid_t __gcov_fork  (void);
pid_t __fork       (void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* A test may have limited the size of files, and going beyond the limit raises a signal. */
static void
dump (void)
{
  struct rlimit limit;
  int is_limited = getrlimit (RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != limit.rlim_max;
  struct rlimit most = { limit.rlim_max, limit.rlim_max };

  if (is_limited)
    setrlimit (RLIMIT_FSIZE, &most);
  __gcov_dump ();
  if (is_limited)
    setrlimit (RLIMIT_FSIZE, &limit);
}

static void
write_counts (void)
{
  pthread_mutex_lock (&lock);
  dump ();
  __gcov_reset ();
  pthread_mutex_unlock (&lock);
}

/* Runs before the compiler's destructors, which write nothing again. */
__attribute__ ((destructor (200))) static void
write_at_exit (void)
{
  dump ();
}

/* The C library's other name of fork(), which the compiler leaves alone. No thread writes meanwhile, which would leave the
 * child with a lock that nobody gives back. */
pid_t
__gcov_fork (void)
{
  pid_t pid;

  pthread_mutex_lock (&lock);
  dump ();
  __gcov_reset ();
  pid = __fork ();
  pthread_mutex_unlock (&lock);

  return pid;
}

void
_exit (int status)
{
  pthread_mutex_lock (&lock);
  dump ();
  syscall (SYS_exit_group, status);
  __builtin_unreachable ();
}

/* In the handler of the signal, what it has interrupted may hold the locks of the C library that writing needs. */
static int
is_handling (int sig)
{
  sigset_t blocked;

  return pthread_sigmask (SIG_BLOCK, NULL, &blocked) == 0 && sigismember (&blocked, sig);
}

int
raise (int sig)
{
  if (!is_handling (sig))
    write_counts ();
  return pthread_kill (pthread_self (), sig) == 0 ? 0 : -1;
}

int
kill (pid_t pid,
      int   sig)
{
  if (pid == getpid ())
    write_counts ();
  return syscall (SYS_kill, pid, sig);
}
