# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs the test of the GJS override, and checks that it reaches every line.

Usage: coverage-of-gjs-override.py SOURCE_ROOT FOLDER GJS
GJS counts by itself, too, but with --coverage-prefix GJS 1.74 does not go on after an await, so the
override is run as a copy that counts.
"""

import os
import pathlib
import sys

import tools

root, folder = (pathlib.Path(arg) for arg in sys.argv[1:3])
gjs = sys.argv[3]
modules, node = tools.install(root / 'bindings/typescript', folder)

here = root / 'tests/bindings/typescript'
counts = folder / 'counts.json'
counts.unlink(missing_ok=True)
(folder / 'counting/overrides').mkdir(parents=True, exist_ok=True)
tools.run(node, here / 'instrument.js', 'instrument', modules, root / 'bindings/gjs/overrides/Tf.js',
          folder / 'counting/overrides/Tf.js')
tools.run(gjs, here / 'counted.js', root / 'tests/bindings', 'test-gjs', counts,
          env=dict(os.environ, GJS_PATH=str(folder / 'counting')))
print(tools.run(node, here / 'instrument.js', 'report', modules, counts), end='')
