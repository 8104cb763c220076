#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Configures, builds, runs and installs the project in tests/static/subproject with the library as its subproject.

Usage: check-subproject.py SOURCE_ROOT FOLDER MESON...

The .wrap file is the one of the documentation. Nothing of the library is installed, also where all features are asked
for, as distributions do.
"""

import pathlib
import re
import shutil
import sys
import tempfile

from kept import build, run


def read_wrap(root):
    """The block of code in the documentation that is a .wrap file."""
    text = (root / 'doc' / 'packaging.md').read_text(encoding='utf-8')
    wrap, = re.findall(r'^```ini\n(\[wrap-git\].*?)^```', text, re.MULTILINE | re.DOTALL)
    return wrap


def copy_project(root, source):
    shutil.copytree(root / 'tests' / 'static' / 'subproject', source, dirs_exist_ok=True)
    (source / 'subprojects').mkdir(exist_ok=True)
    (source / 'subprojects' / 'tempfile-glib.wrap').write_text(read_wrap(root), encoding='utf-8')
    library = source / 'subprojects' / 'tempfile-glib'
    library.unlink(missing_ok=True)
    library.symlink_to(root)


def check_installed(meson, folder):
    with tempfile.TemporaryDirectory() as destination:
        run(*meson, 'install', '-C', str(folder), '--quiet', DESTDIR=destination)
        installed = {path.name for path in pathlib.Path(destination).rglob('*') if not path.is_dir()}
        program, = pathlib.Path(destination).rglob('tempfile-glib-subproject-test')
        # It needs no library that is not there.
        run(str(program), TMPDIR=destination)
    assert installed == {program.name}, f'installed: {installed}'


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    folder = pathlib.Path(sys.argv[2])
    meson = sys.argv[3:]
    copy_project(root, folder / 'source')
    build(meson, folder / 'build', folder / 'source', '--wrap-mode=forcefallback', '--optimization=0',
          '--auto-features=enabled')
    log = (folder / 'build' / 'meson-logs' / 'meson-log.txt').read_text(encoding='utf-8')
    assert 'Subproject tempfile-glib finished' in log, log
    # The program is the only test: those of a subproject are its own business.
    output = run(*meson, 'test', '-C', str(folder / 'build'))
    assert '1/1' in output, output
    check_installed(meson, folder / 'build')


main()
