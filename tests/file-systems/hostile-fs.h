/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* The attribute of its root by which the file system of hostile-fs.c is told how to misbehave. */
#define HOSTILE_ATTRIBUTE "user.hostile"
