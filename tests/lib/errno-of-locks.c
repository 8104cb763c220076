/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Locks of GLib change errno when they have to wait, which is seldom in a test. Here they always do, so that each test
 * shows whether an errno is read after a lock. Linked in front of GLib. */

#include <dlfcn.h>
#include <errno.h>
#include <glib.h>

#define REAL(func) ((__typeof__ (&func)) dlsym (RTLD_NEXT, #func))

void
g_mutex_lock (GMutex *mutex)
{
  static __typeof__ (&g_mutex_lock) real;

  if (real == NULL)
    real = REAL (g_mutex_lock);
  real (mutex);
  errno = EAGAIN;
}

void
g_mutex_unlock (GMutex *mutex)
{
  static __typeof__ (&g_mutex_unlock) real;

  if (real == NULL)
    real = REAL (g_mutex_unlock);
  real (mutex);
  errno = EAGAIN;
}

void
g_cond_wait (GCond  *cond,
             GMutex *mutex)
{
  static __typeof__ (&g_cond_wait) real;

  if (real == NULL)
    real = REAL (g_cond_wait);
  real (cond, mutex);
  errno = EAGAIN;
}
