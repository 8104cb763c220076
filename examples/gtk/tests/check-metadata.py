#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks what desktops read of the application: its desktop file, its AppStream metadata, its icons, its strings.

Usage: check-metadata.py DESKTOP_FILE METAINFO SOURCE_FOLDER
"""

import configparser
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

ID = 'org.tempfile_glib.Scratch'
PICTURES = ('dark-image', 'dark-text', 'light-image', 'light-text')


def check(is_right, message):
    if not is_right:
        print(message)
        sys.exit(1)


def run_validator(*command):
    """Returns whether there is one."""
    if not shutil.which(command[0]):
        print(f'{command[0]} is not installed')
        return False
    subprocess.run(command, check=True)
    return True


def check_desktop_file(path):
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read(path, 'utf-8')
    entry = parser['Desktop Entry']
    check(path.stem == ID and entry['Icon'] == ID, 'the desktop file has another name than its icon')
    check(entry['Exec'].split() == ['scratch', '%U'], 'the application does not take files and URLs')
    # All other types are of this one.
    check(entry.get('MimeType') == 'application/octet-stream;', 'file managers do not offer it for all files')


def check_metainfo(path):
    root = ElementTree.parse(path).getroot()
    check(root.findtext('id') == ID, 'the metadata is about something else')
    check(root.findtext('launchable') == f'{ID}.desktop', 'the metadata launches something else')
    kinds = {url.get('type') for url in root.findall('url')}
    check(kinds == {'homepage', 'bugtracker', 'vcs-browser'}, f'the metadata has the URLs {kinds}')
    check(root.findall('screenshots/screenshot/image'), 'the metadata has no pictures')
    for image in root.findall('screenshots/screenshot/image'):
        check(image.text.rsplit('/', 1)[1].removesuffix('.png') in PICTURES, f'test_looks.py does not take {image.text}')


def check_icons(folder):
    for name, size in ((f'{ID}.svg', 128), (f'{ID}-symbolic.svg', 16)):
        root = ElementTree.parse(folder / 'data' / name).getroot()
        check(root.get('width') == root.get('height') == str(size), f'{name} does not have {size} pixels')


def check_files_to_translate(folder):
    listed = {line for line in (folder / 'po/POTFILES').read_text().splitlines() if not line.startswith('#')}
    found = {str(path.relative_to(folder.parents[1])) for path in folder.rglob('*')
             if path.suffix in ('.vala', '.ui', '.in') and
             re.search(r'\b_\("|translatable|\[Desktop Entry\]|<component', path.read_text())}
    check(found == listed, f'POTFILES is not what has strings: {sorted(found ^ listed)}')


desktop_file, metainfo, folder = map(pathlib.Path, sys.argv[1:])
check_desktop_file(desktop_file)
check_metainfo(metainfo)
check_icons(folder)
check_files_to_translate(folder.resolve())
validated = [run_validator('desktop-file-validate', desktop_file),
             run_validator('appstreamcli', 'validate', '--no-net', metainfo)]
sys.exit(0 if all(validated) else 77)
