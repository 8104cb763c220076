#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Installs into a folder, and runs some of the installed tests with gnome-desktop-testing-runner.

Usage: check-installed-tests.py BUILD_ROOT PREFIX LIBDIR DATADIR OVERRIDES NAME RUNNER -- MESON...

All of them ran as tests of the build. Here it matters that each of the kinds finds what it needs.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

SOME = 'mkstemp', 'temp-dir', 'sweep', 'python-names', 'gjs', 'tool'

build, prefix, libdir, datadir, overrides, name, runner, _, *meson = sys.argv[1:]


def lead_to(tests, folder, python_path):
    """The tests were installed for another folder, and Python looks for modules there."""
    for test in tests:
        text = test.read_text(encoding='utf-8')
        assert prefix in text, text
        test.write_text('\n'.join(line.replace(f'{prefix}/', f'{folder}{prefix}/').replace(f'{folder}/usr/bin/env', '/usr/bin/env')
                                  .replace(' PYTHONPATH=', f' PYTHONPATH={python_path}:')
                                  for line in text.split('\n')), encoding='utf-8')


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*meson, 'install', '-C', build, '--no-rebuild', '--quiet'], check=True,
                       env=dict(os.environ, DESTDIR=folder))
        installed = pathlib.Path(folder + prefix)
        data = installed / datadir / 'installed-tests' / name
        tests = sorted(data.glob('*.test'))
        python_path = os.path.dirname(os.path.dirname(folder + os.path.join(prefix, overrides)))
        lead_to(tests, folder, python_path)

        env = dict(
            os.environ,
            LD_LIBRARY_PATH=str(installed / libdir),
            GI_TYPELIB_PATH=str(installed / libdir / 'girepository-1.0'),
            GJS_PATH='',
            XDG_DATA_DIRS=f'{installed / datadir}:' + os.environ.get('XDG_DATA_DIRS', '/usr/local/share:/usr/share'),
        )
        chosen = [f'{name}/{test.name}' for test in tests if test.stem in SOME]
        result = subprocess.run([runner, '--list'], env=env, capture_output=True, text=True, check=True)
        listed = [line for line in result.stdout.splitlines() if line.startswith(f'{name}/')]
        assert len(listed) == len(tests), result.stdout
        subprocess.run([runner, *chosen], env=env, check=True)


main()
