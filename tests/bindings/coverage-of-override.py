# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs Python tests with the extension module and without it, and checks that they reach every line of the override, and
nearly every one of the module.

Usage: coverage-of-override.py FOLDER MODULE|"" GCOV|"" TEST...
MODULE is the extension module as GCC makes it with --coverage.
"""

import collections
import glob
import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import coverage
except ImportError:
    print('skipped: python3-coverage is not installed')
    sys.exit(77)

# In percent. The rest is what is done when memory is short, and when the interpreter cannot do what it always can.
LEAST_OF_MODULE = 91


def take_module(path):
    """Makes the override use this build of the extension module; without a path, none."""
    name = 'gi.overrides._gi_tf'
    if not path:
        sys.modules[name] = None
        return
    spec = importlib.util.spec_from_loader(name, importlib.machinery.ExtensionFileLoader(name, path))
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


def measure(data, folder, tests):
    """Runs the tests; called in a process of its own."""
    measured = coverage.Coverage(data_file=data, include=[os.path.join(folder, '*.py')])
    measured.start()
    result = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromNames(tests))
    measured.stop()
    measured.save()
    sys.exit(not result.wasSuccessful())


def ranges_of(numbers):
    return ', '.join(map(str, sorted(numbers))) or 'none'


def check_override(work, folder, files):
    measured = coverage.Coverage(data_file=os.path.join(work, 'all'))
    measured.combine(files)
    succeeded = True
    for path in sorted(glob.glob(os.path.join(folder, '*.py'))):
        _, lines, _, missing, text = measured.analysis2(path)
        print(f'{os.path.basename(path)}: {len(lines) - len(missing)} of {len(lines)} lines, missing: {text or "none"}')
        succeeded = succeeded and not missing
    return succeeded


def check_module(work, objects, gcov):
    """OBJECTS is where the module was compiled; below WORK is what it has counted."""
    counted = work + objects
    counts = collections.defaultdict(dict)
    for name in os.listdir(objects):
        if not name.endswith('.gcno'):
            continue
        shutil.copy(os.path.join(objects, name), counted)
        data = os.path.join(counted, name[:-len('gcno')] + 'gcda')
        output = subprocess.run([gcov, '--json-format', '--stdout', data], cwd=counted, check=True, stdout=subprocess.PIPE)
        for source in json.loads(output.stdout)['files']:
            for line in source['lines']:
                lines = counts[os.path.basename(source['file'])]
                lines[line['line_number']] = lines.get(line['line_number'], 0) + line['count']

    counts = {name: lines for name, lines in counts.items() if name.startswith('gi-tf')}
    n_lines = n_reached = 0
    for name, lines in sorted(counts.items()):
        missing = [number for number, count in lines.items() if count == 0]
        print(f'{name}: {len(lines) - len(missing)} of {len(lines)} lines, missing: {ranges_of(missing)}')
        n_lines += len(lines)
        n_reached += len(lines) - len(missing)
    print(f'The module: {n_reached} of {n_lines} lines')
    return n_lines > 0 and n_reached * 100 >= n_lines * LEAST_OF_MODULE


def main(folder, module, gcov, *tests):
    succeeded = True
    with tempfile.TemporaryDirectory() as work:
        environment = {**os.environ, 'GCOV_PREFIX': work}
        files = []
        for mode in '--with', '--without':
            files.append(os.path.join(work, mode))
            run = subprocess.run([sys.executable, __file__, mode, module, files[-1], folder, *tests], env=environment)
            succeeded = succeeded and run.returncode == 0

        succeeded = check_override(work, folder, files) and succeeded
        if module and gcov:
            objects = os.path.abspath(module) + '.p'
            succeeded = check_module(work, objects, gcov) and succeeded
    sys.exit(not succeeded)


if sys.argv[1] in ('--with', '--without'):
    if sys.argv[1] == '--without' or sys.argv[2]:
        take_module(sys.argv[2] if sys.argv[1] == '--with' else '')
    sys.path.insert(0, os.getcwd())
    measure(sys.argv[3], sys.argv[4], sys.argv[5:])
main(*sys.argv[1:])
