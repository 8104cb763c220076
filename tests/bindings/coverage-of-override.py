# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs Python tests and checks that they reach every line of the override.

Usage: coverage-of-override.py OVERRIDE TEST...
"""

import sys
import unittest

try:
    import coverage
except ImportError:
    print('skipped: python3-coverage is not installed')
    sys.exit(77)

override, *tests = sys.argv[1:]
measured = coverage.Coverage(data_file=None, include=[override])
measured.start()
result = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromNames(tests))
measured.stop()

_, lines, _, missing, text = measured.analysis2(override)
print(f'{len(lines) - len(missing)} of {len(lines)} lines, missing: {text or "none"}')
sys.exit(0 if result.wasSuccessful() and not missing else 1)
