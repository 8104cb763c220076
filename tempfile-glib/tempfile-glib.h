/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#define TEMPFILE_GLIB_INSIDE

#include "tf-audit.h"
#include "tf-enums.h"
#include "tf-error.h"
#include "tf-location.h"
#include "tf-memory.h"
#include "tf-mkstemp.h"
#include "tf-named-file.h"
#include "tf-remove-tree.h"
#include "tf-signals.h"
#include "tf-spooled-file.h"
#include "tf-sweep.h"
#include "tf-temp-dir.h"
#include "tf-temp-file.h"
#include "tf-text-stream.h"
#include "tf-version.h"

#undef TEMPFILE_GLIB_INSIDE
