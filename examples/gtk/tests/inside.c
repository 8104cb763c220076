/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Loaded into an application by LD_PRELOAD.
 *
 * With SCRATCH_LOCALEDIR, translations are looked for there.
 *
 * With SCRATCH_FRAMES, it measures how long the main loop is away from poll(2), and where. On SIGUSR1 it writes a line to
 * the file that SCRATCH_FRAMES names, and starts anew:
 *
 *   LIBRARY_US BUSY_US N_FRAMES PAINT_US INTERVAL_US
 *
 * LIBRARY_US is the longest time that a frame can have waited for the library: what the thread spent in it between one poll
 * and the next. Every millisecond, a signal looks where the thread is; the time since the last look belongs to the
 * library if its code is nearer on the stack than the application's. What the library calls counts, also in GIO and
 * libsoup; what its callbacks do in the application does not. BUSY_US is the longest time between two polls without
 * painting, whatever it was; PAINT_US the longest of painting, INTERVAL_US the longest between the beginnings of two
 * frames. A call that the thread waits for counts. Time in which the thread could run, and other processes had the
 * processors, does not count in the first two.
 *
 * On SIGUSR2, a callback keeps the library for 30 ms, which the measurement has to find. */

#include <glib-unix.h>
#include <glib-object.h>

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIBRARY "libtempfile-glib-1.so"
#define MAX_DEPTH 100

typedef struct
{
  gint64 now;
  gint64 waited; /* the time in which the thread was ready to run and did not */
} Moment;

typedef struct
{
  guintptr start;
  guintptr end;
} Range;

static int schedstat_fd = -1;
static timer_t timer;
static Range library;
static Range application;

static gboolean is_away;
static Moment away_since;
static Moment looked_at;
static gint64 painting_since;
static gint64 painted;
static gint64 in_library;
static gint64 last_frame = -1;

static gint64 longest_library;
static gint64 longest_busy;
static gint64 longest_paint;
static gint64 longest_interval;
static guint n_frames;

static Moment
get_moment (void)
{
  Moment moment = { g_get_monotonic_time (), 0 };
  char text[96] = "";
  const char *waited;

  if (schedstat_fd >= 0 && pread (schedstat_fd, text, sizeof text - 1, 0) > 0 && (waited = strchr (text, ' ')) != NULL)
    moment.waited = g_ascii_strtoll (waited, NULL, 10) / 1000;

  return moment;
}

static gint64
get_elapsed (const Moment *from,
             const Moment *to)
{
  return MAX (0, to->now - from->now - (to->waited - from->waited));
}

static gboolean
contains (const Range *range,
          void        *address)
{
  return (guintptr) address >= range->start && (guintptr) address < range->end;
}

static gboolean
is_in_library (void)
{
  void *frames[MAX_DEPTH];
  int depth = backtrace (frames, MAX_DEPTH);

  for (int i = 0; i < depth; i++)
    {
      if (contains (&library, frames[i]))
        return TRUE;
      if (contains (&application, frames[i]))
        return FALSE;
    }

  return FALSE;
}

static void
on_look (int signum)
{
  Moment moment;

  if (!is_away)
    return;

  moment = get_moment ();
  if (is_in_library ())
    in_library += get_elapsed (&looked_at, &moment);
  looked_at = moment;
}

static void
look_each_ms (gboolean enable)
{
  long ns = enable ? 1000 * 1000 : 0;
  struct itimerspec spec = { { 0, ns }, { 0, ns } };

  timer_settime (timer, 0, &spec, NULL);
}

static gint
timed_poll (GPollFD *fds,
            guint    n_fds,
            gint     timeout)
{
  Moment moment;
  gint result;

  if (is_away)
    {
      is_away = FALSE;
      look_each_ms (FALSE);
      moment = get_moment ();
      longest_busy = MAX (longest_busy, get_elapsed (&away_since, &moment) - painted);
      longest_library = MAX (longest_library, in_library);
    }

  result = g_poll (fds, n_fds, timeout);
  painted = in_library = 0;
  away_since = looked_at = get_moment ();
  is_away = TRUE;
  look_each_ms (TRUE);
  return result;
}

static gboolean
on_before_paint (GSignalInvocationHint *hint,
                 guint                  n_values,
                 const GValue          *values,
                 gpointer               user_data)
{
  painting_since = g_get_monotonic_time ();
  if (last_frame >= 0)
    longest_interval = MAX (longest_interval, painting_since - last_frame);
  last_frame = painting_since;
  n_frames++;
  return TRUE;
}

static gboolean
on_after_paint (GSignalInvocationHint *hint,
                guint                  n_values,
                const GValue          *values,
                gpointer               user_data)
{
  gint64 took = g_get_monotonic_time () - painting_since;

  painted += took;
  longest_paint = MAX (longest_paint, took);
  return TRUE;
}

static gboolean
watch_frame_clock (gpointer user_data)
{
  GType type = g_type_from_name ("GdkFrameClock");

  if (type == 0 || g_signal_lookup ("before-paint", type) == 0)
    return G_SOURCE_CONTINUE;

  g_signal_add_emission_hook (g_signal_lookup ("before-paint", type), 0, on_before_paint, NULL, NULL);
  g_signal_add_emission_hook (g_signal_lookup ("after-paint", type), 0, on_after_paint, NULL, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
on_report (gpointer user_data)
{
  FILE *file = fopen (g_getenv ("SCRATCH_FRAMES"), "a");

  fprintf (file, "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n",
           longest_library, longest_busy, n_frames, longest_paint, longest_interval);
  fclose (file);

  longest_library = longest_busy = longest_paint = longest_interval = n_frames = 0;
  last_frame = -1;
  is_away = FALSE;
  return G_SOURCE_CONTINUE;
}

static gint64
get_cpu_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/* Takes its time, and refuses what is about to be created. */
static gboolean
audit (const char *event,
       const char *path,
       gpointer    user_data)
{
  gint64 end = get_cpu_time () + 30 * 1000;

  while (get_cpu_time () < end)
    ;
  return FALSE;
}

static gboolean
on_block (gpointer user_data)
{
  void (*set_audit_func) (gpointer, gpointer, GDestroyNotify) = dlsym (RTLD_DEFAULT, "tf_set_audit_func");
  char *(*make_dir) (gpointer, gpointer, gpointer, gpointer, gpointer) = dlsym (RTLD_DEFAULT, "tf_mkdtemp");
  g_autofree char *path = NULL;

  set_audit_func (audit, NULL, NULL);
  path = make_dir (NULL, NULL, NULL, NULL, NULL);
  set_audit_func (NULL, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

/* Finds the code of the library and that of the application, which is the first object. */
static int
find_ranges (struct dl_phdr_info *info,
             size_t               size,
             void                *data)
{
  gboolean *is_first = data;
  Range *range = *is_first ? &application : strstr (info->dlpi_name, LIBRARY) != NULL ? &library : NULL;

  *is_first = FALSE;
  for (int i = 0; range != NULL && i < info->dlpi_phnum; i++)
    {
      if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X) != 0)
        {
          range->start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
          range->end = range->start + info->dlpi_phdr[i].p_memsz;
        }
    }

  return 0;
}

static void
start_looking (void)
{
  struct sigaction action = { .sa_handler = on_look, .sa_flags = SA_RESTART };
  struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF };
  gboolean is_first = TRUE;

  /* The first backtrace loads what it needs. */
  is_in_library ();
  dl_iterate_phdr (find_ranges, &is_first);
  event._sigev_un._tid = getpid ();
  sigaction (SIGPROF, &action, NULL);
  timer_create (CLOCK_MONOTONIC, &event, &timer);
}

char *bindtextdomain (const char *domain,
                      const char *dir);

char *
bindtextdomain (const char *domain,
                const char *dir)
{
  char *(*next) (const char *, const char *) = dlsym (RTLD_NEXT, "bindtextdomain");
  const char *other = g_getenv ("SCRATCH_LOCALEDIR");

  return next (domain, other != NULL && g_str_has_suffix (domain, "scratch") ? other : dir);
}

__attribute__ ((constructor)) static void
start (void)
{
  if (g_getenv ("SCRATCH_FRAMES") == NULL)
    return;

  schedstat_fd = open ("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
  start_looking ();
  g_main_context_set_poll_func (NULL, timed_poll);
  g_timeout_add (10, watch_frame_clock, NULL);
  g_unix_signal_add (SIGUSR1, on_report, NULL);
  g_unix_signal_add (SIGUSR2, on_block, NULL);
}
