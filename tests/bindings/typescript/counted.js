// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// For GJS. counted.js FOLDER TEST COUNTS: runs the test FOLDER/TEST.js, and writes what was counted meanwhile.

const {GLib} = imports.gi;
const [folder, test, counts] = ARGV;

imports.searchPath.unshift(folder);
imports[test];
GLib.file_set_contents(counts, JSON.stringify(globalThis.__coverage__));
