# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Installs into a folder, and runs the tests of the bindings with what is there.

Usage: check-installed.py BUILD_ROOT PREFIX LIBDIR DATADIR OVERRIDES TESTS GJS|"" -- MESON...
"""

import os
import pathlib
import subprocess
import sys
import tempfile

COMPILE = pathlib.Path(__file__).resolve().parents[2] / 'bindings/python/compile.py'

build, prefix, libdir, datadir, overrides, tests, gjs, _, *meson = sys.argv[1:]

with tempfile.TemporaryDirectory() as folder:
    subprocess.run([*meson, 'install', '-C', build, '--no-rebuild', '--quiet'], check=True,
                   env=dict(os.environ, DESTDIR=folder))

    def installed(*parts):
        return folder + os.path.join(prefix, *parts)

    # PyGObject and GJS know only their own prefix, so they are led to this one, as the manual says.
    env = dict(
        os.environ,
        LD_LIBRARY_PATH=installed(libdir),
        GI_TYPELIB_PATH=installed(libdir, 'girepository-1.0'),
        GJS_PATH='',
        XDG_DATA_DIRS=installed(datadir) + ':' + os.environ.get('XDG_DATA_DIRS', '/usr/local/share:/usr/share'),
        PYTHONPATH=os.path.dirname(os.path.dirname(installed(overrides))),
    )
    # Meson does so where there is no DESTDIR.
    folder_of_override = pathlib.Path(installed(overrides))
    sources = sorted(folder_of_override.glob('*.py'))
    subprocess.run([sys.executable, COMPILE, folder_of_override, *sources], check=True)
    compiled = sorted(path.name.split('.')[0] for path in folder_of_override.glob('__pycache__/*.pyc'))
    assert compiled == [source.stem for source in sources] != [], compiled

    subprocess.run([sys.executable, '-m', 'unittest', 'test_async', 'test_drop_in', 'test_files', 'test_lifetime',
                    'test_names'], cwd=tests, env=env, check=True)
    if gjs:
        subprocess.run([gjs, os.path.join(tests, 'test-gjs.js')], env=env, check=True)
