// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

module bench

go 1.19
