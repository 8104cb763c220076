/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (TEMPFILE_GLIB_INSIDE) && !defined (TEMPFILE_GLIB_COMPILATION)
# error "Only <tempfile-glib.h> can be included directly."
#endif

#ifndef TEMPFILE_GLIB_EXTERN
# if defined (__GNUC__)
#  define TEMPFILE_GLIB_EXTERN __attribute__ ((visibility ("default"))) extern
# else
#  define TEMPFILE_GLIB_EXTERN extern
# endif
#endif

#define TF_AVAILABLE_IN_1_0 TEMPFILE_GLIB_EXTERN
