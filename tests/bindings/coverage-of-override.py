# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs Python tests with the extension module and without it, and checks that they reach every line of the override.

Usage: coverage-of-override.py FOLDER TEST...
"""

import glob
import os
import subprocess
import sys
import tempfile
import unittest

try:
    import coverage
except ImportError:
    print('skipped: python3-coverage is not installed')
    sys.exit(77)


def measure(data, folder, tests):
    """Runs the tests; called in a process of its own."""
    measured = coverage.Coverage(data_file=data, include=[os.path.join(folder, '*.py')])
    measured.start()
    result = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromNames(tests))
    measured.stop()
    measured.save()
    sys.exit(not result.wasSuccessful())


def main(folder, *tests):
    succeeded = True
    with tempfile.TemporaryDirectory() as work:
        files = []
        for mode in '--with', '--without':
            files.append(os.path.join(work, mode))
            run = subprocess.run([sys.executable, __file__, mode, files[-1], folder, *tests])
            succeeded = succeeded and run.returncode == 0

        measured = coverage.Coverage(data_file=os.path.join(work, 'all'))
        measured.combine(files)
        for path in sorted(glob.glob(os.path.join(folder, '*.py'))):
            _, lines, _, missing, text = measured.analysis2(path)
            print(f'{os.path.basename(path)}: {len(lines) - len(missing)} of {len(lines)} lines, missing: {text or "none"}')
            succeeded = succeeded and not missing
    sys.exit(not succeeded)


if sys.argv[1] in ('--with', '--without'):
    if sys.argv[1] == '--without':
        sys.modules['gi.overrides._gi_tf'] = None
    sys.path.insert(0, os.getcwd())
    measure(sys.argv[2], sys.argv[3], sys.argv[4:])
main(*sys.argv[1:])
