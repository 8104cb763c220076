#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks that what packages the library says the same as the library: versions, options, and where it comes from.

Usage: check-packaging.py SOURCE_ROOT VERSION
"""

import json
import pathlib
import re
import sys
from xml.etree import ElementTree

DOAP = '{http://usefulinc.com/ns/doap#}'
FOAF = '{http://xmlns.com/foaf/0.1/}'
RESOURCE = '{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource'

# What GNOME reads, with what it has to look like
DESCRIPTION = {
    'name': r'tempfile-glib',
    'shortdesc': r'[^.]+',
    'description': r'.+\.',
    'homepage': r'https://\S+',
    'download-page': r'https://\S+',
    'bug-database': r'https://\S+',
    'repository/GitRepository/location': r'https://\S+\.git',
    'repository/GitRepository/browse': r'https://\S+',
    'category': r'http://api\.gnome\.org/doap-extensions#'
                r'(apps|bindings|core|desktop|development|infrastructure|platform|productivity)',
    'license': r'http://usefulinc\.com/doap/licenses/lgpl',
    'programming-language': r'\w+',
    'maintainer/foaf:Person/foaf:name': r'.+',
    'maintainer/foaf:Person/foaf:mbox': r'mailto:\S+@\S+',
}


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


def read_description(root):
    """Returns the values of each element of the .doap file that GNOME reads."""
    project = ElementTree.parse(root / 'tempfile-glib.doap').getroot()
    assert project.tag == f'{DOAP}Project', project.tag
    values = {}
    for path, pattern in DESCRIPTION.items():
        names = [FOAF + name[5:] if name.startswith('foaf:') else DOAP + name for name in path.split('/')]
        values[path] = [element.get(RESOURCE) or element.text or '' for element in project.findall('/'.join(names))]
        assert values[path], f'The .doap file has no {path}'
        wrong = [value for value in values[path] if not re.fullmatch(pattern, value)]
        assert not wrong, f'The .doap file has {wrong} as {path}'
    return values


def check_origin(root):
    """All that names the repository or the maintainer names the same."""
    description = read_description(root)
    manual = (root / 'doc' / 'packaging.md').read_text(encoding='utf-8')
    control = (root / 'packaging/debian/control').read_text(encoding='utf-8')
    location, = description['repository/GitRepository/location']
    found = re.findall(r'^url = (.*)$|"url": "(.*)"', manual, re.MULTILINE)
    assert [wrap or module for wrap, module in found] == [location, location], f'{found}, not {location}'
    name, = description['maintainer/foaf:Person/foaf:name']
    address, = description['maintainer/foaf:Person/foaf:mbox']
    assert f'Maintainer: {name} <{address.removeprefix("mailto:")}>\n' in control, 'debian/control has another maintainer'


def check_single_module(root):
    pages = [path.name for path in (root / 'doc').glob('*.md') if '"buildsystem"' in path.read_text(encoding='utf-8')]
    assert pages == ['packaging.md'], f'There are modules for Flatpak in {pages}'


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
    check_origin(root)
    check_single_module(root)


main()
