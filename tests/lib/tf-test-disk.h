/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What not every file system has. Each of these tries it in the sandbox. If it is not there, that is said in the
 * log, and the test does without what needs it. */

gboolean tf_test_disk_has_fifos       (void);
gboolean tf_test_disk_has_birth_times (void);

/* Modes that can be changed, hard links, and symbolic links that lead out of their directory */
gboolean tf_test_disk_has_modes      (void);
gboolean tf_test_disk_has_hard_links (void);
gboolean tf_test_disk_has_links      (void);

/* Whether what this user creates belongs to it; and whether what another user creates in the sandbox belongs to that. */
gboolean tf_test_disk_has_owners (void);
gboolean tf_test_disk_has_users  (void);

/* Whether an open file that was unlinked can be opened again; and whether it has no other name until it is closed. */
gboolean tf_test_disk_reopens (void);
gboolean tf_test_disk_unlinks (void);

/* Whether nothing is found in an open directory that was removed, instead of an error of the directory. */
gboolean tf_test_disk_knows_removed (void);

/* Whether an open file that gets another name keeps its inode number. */
gboolean tf_test_disk_keeps_inode (void);

/* Whether room that is set aside is seen at once; and whether free room is told of a file that was unlinked. */
gboolean tf_test_disk_tells_room      (void);
gboolean tf_test_disk_tells_free_room (void);

/* Whether what this user creates can be given to any user and group, as root can. */
gboolean tf_test_disk_gives_away (void);

G_END_DECLS
