#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks who includes whom, and how long the files are.

Usage: check-layers.py SOURCE_DIR
"""

import pathlib
import re
import sys

MAX_LINES = 400

# From the bottom to the top. A file may include those of its own level and of the levels below.
LEVELS = [
    'version-macros version enums',
    'fd errno name identity debug audit disk utf8 context budget',
    'open subdir listing levels share failures walk remove copy metadata target candidate link mark newline codec'
    ' text-buffer',
    'buffer window stage stage-transfer registry entry store store-internal store-io store-splice'
    ' store-handover store-hold store-live store-persist',
    'task splice store-streams store-reader store-input-stream store-output-stream creation',
    'location location-special create create-async memory temp-file temp-file-async temp-file-io named-file'
    ' named-file-delete named-file-persist persist handover reserve spooled-file'
    ' temp-dir temp-dir-async temp-dir-cleanup text-stream text-stream-io text-stream-position hold lifetime sweep',
    'tempfile-glib',
]
LEVEL_OF = {unit: number for number, units in enumerate(LEVELS) for unit in units.split()}
CLASSES = LEVELS.index(next(level for level in LEVELS if level.startswith('location')))


def unit_of(name):
    return re.sub(r'^tf-|-private$', '', re.sub(r'\.[ch](\.in)?$', '', name))


def is_public_header(name):
    return re.search(r'\.h(\.in)?$', name) and not re.search(r'-(private|internal)\.h$', name)


def problems_of(path):
    text = path.read_text(encoding='utf-8')
    if len(text.splitlines()) > MAX_LINES:
        yield f'{len(text.splitlines())} lines, {MAX_LINES} are allowed'

    level = LEVEL_OF.get(unit_of(path.name))
    if level is None:
        yield 'no level: give it one in check-layers.py'
        return

    for quote, included in re.findall(r'^# *include ([<"])([^>"]+)', text, re.MULTILINE):
        if quote == '<':
            if is_public_header(path.name) and not re.match(r'g(lib|io)(-object)?(/|\.h)', included):
                yield f'a public header includes <{included}>'
            continue
        included_level = LEVEL_OF.get(unit_of(included))
        if included_level is None:
            yield f'includes {included}, which has no level'
        elif included_level > level:
            yield f'includes {included}, which is of a higher level'
        if is_public_header(path.name) and not is_public_header(included):
            yield f'a public header includes {included}'

    if level < CLASSES and re.search(r'\b(Tf(Temp|Named|Spooled)File|TfTempDir|TfTextStream)\b', text):
        yield 'a private unit knows a class'


def main():
    found = 0
    paths = [path for path in pathlib.Path(sys.argv[1]).iterdir()
             if re.search(r'\.[ch](\.in)?$', path.name)]
    assert paths, 'no files'
    for path in sorted(paths):
        for problem in problems_of(path):
            print(f'{path.name}: {problem}')
            found += 1
    sys.exit(1 if found else 0)


main()
