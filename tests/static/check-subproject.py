#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Configures, builds and runs the project in tests/static/subproject with the library as its subproject.

Usage: check-subproject.py SOURCE_ROOT MESON...
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile


def run(*command):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, errors='replace')
    assert result.returncode == 0, f'{command}:\n{result.stdout}'
    return result.stdout


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    meson = sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, 'source')
        build = pathlib.Path(folder, 'build')
        shutil.copytree(root / 'tests' / 'static' / 'subproject', source)
        (source / 'subprojects').mkdir()
        (source / 'subprojects' / 'tempfile-glib-1').symlink_to(root)

        output = run(*meson, 'setup', '--wrap-mode=forcefallback', '--optimization=0', build, source)
        assert 'Subproject tempfile-glib-1 finished' in output, output
        output = run(*meson, 'compile', '-C', build)
        assert 'warning' not in output, output
        # The program is the only test: those of a subproject are its own business.
        output = run(*meson, 'test', '-C', build)
        assert '1/1' in output, output


main()
