#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks that what packages the library says the same as the library: versions and options.

Usage: check-packaging.py SOURCE_ROOT VERSION
"""

import json
import pathlib
import re
import sys
from xml.etree import ElementTree

DOAP = '{http://usefulinc.com/ns/doap#}'


def check_versions(root, version):
    def first(pattern, *path):
        return re.search(pattern, root.joinpath(*path).read_text(encoding='utf-8'), re.MULTILINE)[1]

    revisions = [element.text for element in ElementTree.parse(root / 'tempfile-glib.doap').iter(f'{DOAP}revision')]
    found = {
        'NEWS': first(r'^Version (\S+)', 'NEWS'),
        'debian/changelog': first(r'\(([^-)]+)-', 'packaging', 'debian', 'changelog'),
        'the .doap file': revisions[0],
        'the .wrap file': first(r'^revision = (\S+)', 'doc', 'packaging.md'),
        'the Flatpak module': first(r'"tag": "([^"]+)"', 'doc', 'packaging.md'),
    }
    other = {name: other for name, other in found.items() if other != version}
    assert not other, f'The version is {version}, but: {other}'


def check_options(root):
    """Options that documents name exist, and the manual names all of them."""
    options = set(re.findall(r"^option\('(\w+)'", (root / 'meson_options.txt').read_text(encoding='utf-8'), re.MULTILINE))
    manual = (root / 'doc' / 'packaging.md').read_text(encoding='utf-8')
    module, = re.findall(r'^```json\n(.*?)^```', manual, re.MULTILINE | re.DOTALL)
    named = {
        'the manual': re.findall(r'-D(\w+)=', manual),
        'the Flatpak module': [option[2:].split('=')[0] for option in json.loads(module)['config-opts']],
        'debian/rules': re.findall(r'-D(\w+)=', (root / 'packaging/debian/rules').read_text(encoding='utf-8')),
    }
    for name, found in named.items():
        unknown = set(found) - options - {'default_library'}
        assert found and not unknown, f'{name} has options that do not exist: {unknown}'
    # What is only for who works on the library
    assert options - set(named['the manual']) == {'gio_tests'}, options - set(named['the manual'])


def main():
    root = pathlib.Path(sys.argv[1])
    check_versions(root, sys.argv[2])
    check_options(root)


main()
