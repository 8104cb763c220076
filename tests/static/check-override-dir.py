#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Configures the project as distributions do, and looks where the overrides would be installed.

Usage: check-override-dir.py SOURCE_ROOT MESON...

Where Python has its packages is told to Python by a sitecustomize module, so that one machine shows what all do.
"""

import json
import os
import pathlib
import sys
import tempfile

from kept import run

VERSION = '%d.%d' % sys.version_info[:2]

# The layout of Python's packages, what Meson is told, and where the override is then, without and with the module
DISTRIBUTIONS = {
    'Fedora': {
        'purelib': f'lib/python{VERSION}/site-packages',
        'platlib': f'lib64/python{VERSION}/site-packages',
        'options': ['--prefix=/usr', '--libdir=/usr/lib64', '--libexecdir=/usr/libexec'],
        'modules': ['disabled', 'enabled'],
        'without': f'/usr/lib/python{VERSION}/site-packages/gi/overrides',
        'with': f'/usr/lib64/python{VERSION}/site-packages/gi/overrides',
    },
    'Arch': {
        'purelib': f'lib/python{VERSION}/site-packages',
        'platlib': f'lib/python{VERSION}/site-packages',
        'options': ['--prefix=/usr', '--libexecdir=lib'],
        'modules': ['enabled'],
        'with': f'/usr/lib/python{VERSION}/site-packages/gi/overrides',
    },
}

SITECUSTOMIZE = """
import sysconfig
for scheme in sysconfig._INSTALL_SCHEMES.values():
    scheme.update(purelib='{{base}}/{purelib}', platlib='{{platbase}}/{platlib}')
sysconfig.get_default_scheme = lambda: 'posix_prefix'
"""


def installed_by(meson, root, layout, module, folder):
    """Returns the names of what would be installed, each with its folder."""
    site = folder / 'site'
    site.mkdir()
    (site / 'sitecustomize.py').write_text(SITECUSTOMIZE.format(**layout), encoding='utf-8')
    run(*meson, 'setup', *layout['options'], '-Dtests=false', '-Ddocumentation=disabled', '-Dvapi=disabled',
        '-Dintrospection=enabled', f'-Dpython_module={module}', str(folder / 'build'), str(root), PYTHONPATH=str(site))
    paths = json.loads(run(*meson, 'introspect', '--installed', str(folder / 'build'))).values()
    return {os.path.basename(path): os.path.dirname(path) for path in paths}


def main():
    root, *meson = sys.argv[1:]
    has_module = 'pygobject-3.0' in run('pkg-config', '--list-package-names').split()
    for name, layout in DISTRIBUTIONS.items():
        for module in layout['modules']:
            if module == 'enabled' and not has_module:
                continue
            with tempfile.TemporaryDirectory() as folder:
                installed = installed_by(meson, root, layout, module, pathlib.Path(folder))
            expected = layout['with' if module == 'enabled' else 'without']
            assert installed['Tf.py'] == expected, f'{name}: {installed["Tf.py"]}, not {expected}'
            modules = {path for file, path in installed.items() if file.startswith('_gi_tf.')}
            assert modules == ({expected} if module == 'enabled' else set()), f'{name}: {modules}'
            prefix = layout['options'][0].split('=')[1]
            assert installed['Tf.js'] == f'{prefix}/share/gjs-1.0/overrides', installed['Tf.js']


main()
