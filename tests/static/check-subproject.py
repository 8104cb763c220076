#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Configures, builds and runs the project in tests/static/subproject with the library as its subproject.

Usage: check-subproject.py SOURCE_ROOT FOLDER MESON...
"""

import pathlib
import shutil
import sys

from kept import build, run


def copy_project(root, source):
    shutil.copytree(root / 'tests' / 'static' / 'subproject', source, dirs_exist_ok=True)
    (source / 'subprojects').mkdir(exist_ok=True)
    library = source / 'subprojects' / 'tempfile-glib-1'
    library.unlink(missing_ok=True)
    library.symlink_to(root)


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    folder = pathlib.Path(sys.argv[2])
    meson = sys.argv[3:]
    copy_project(root, folder / 'source')
    build(meson, folder / 'build', folder / 'source', '--wrap-mode=forcefallback', '--optimization=0')
    log = (folder / 'build' / 'meson-logs' / 'meson-log.txt').read_text(encoding='utf-8')
    assert 'Subproject tempfile-glib-1 finished' in log, log
    # The program is the only test: those of a subproject are its own business.
    output = run(*meson, 'test', '-C', str(folder / 'build'))
    assert '1/1' in output, output


main()
