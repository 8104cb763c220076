/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Every test program works in a sandbox directory of its own, which is also its $TMPDIR and its current
 * directory. At the end the sandbox must be empty, and no descriptor may be open that was not at the start. */

void tf_test_init (int    *argc,
                   char ***argv);
int  tf_test_run  (void);

/* For programs in which threads of GLib's own open and close descriptors at any time. */
void tf_test_ignore_fds (void);

/* Lets GLib open the descriptors that it keeps for the first worker thread. Not for programs that fork and go
 * on in the child: there the thread is missing, but not missed. */
void tf_test_start_worker (void);

/* For programs that fork while threads of theirs run: valgrind does not look for leaks in the children. */
void tf_test_fork_beside_threads (void);

const char *tf_test_get_sandbox (void);
char       *tf_test_path        (const char *name);

/* A new directory where thousands of inodes cost little: on a tmpfs, or in the sandbox where there is none. */
char *tf_test_make_cheap_dir (void);

guint tf_test_count_fds     (void);
guint tf_test_count_entries (const char *dir);

/* Runs @func in a child process, as the user nobody when this is root; it has passed when it returns. */
void tf_test_in_child        (void (*func) (void));
void tf_test_as_unprivileged (void (*func) (void));

/* The same, but the child may fail, and end by _exit() with a status of its own. */
int tf_test_get_child_status        (void (*func) (void));
int tf_test_get_unprivileged_status (void (*func) (void));

/* Whether the thread waits for something, at this moment. */
gboolean tf_test_is_asleep (pid_t thread);

/* Runs @func in a child that is then killed, so that it removes nothing. */
void tf_test_run_and_kill (void (*func) (void));

/* Called in a child that ends by exit() with what it should leave to the library. */
void tf_test_ignore_leaks (void);

/* Whether the library does with POSIX alone; and skips the test then, because that does not have @what. */
gboolean tf_test_is_portable      (void);
gboolean tf_test_skip_if_portable (const char *what);

/* Skips the test where the library does not know whether a file is in use: with POSIX alone, and if the sandbox is on a
 * file system on which a lease does not tell. */
gboolean tf_test_skip_without_leases (void);

/* Bad luck to order. What was limited or taken has to be given back before the test ends. */
void tf_test_limit_file_size           (guint64 n_bytes);
void tf_test_unlimit_file_size         (void);
void tf_test_take_fds                  (void);
void tf_test_give_fds                  (guint   n);
void tf_test_give_all_fds              (void);
void tf_test_remove_what_valgrind_made (void);

G_END_DECLS
