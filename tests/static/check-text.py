#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks the text of all files in git: encoding, ends of lines, leftovers.

Usage: check-text.py SOURCE_ROOT
"""

import pathlib
import re
import shutil
import subprocess
import sys

# Letters that the messages and the documentation use besides ASCII.
ALLOWED = set('“”’…·×µ–—→≤≥')
# Letters that stand for all others where text is read and written.
SAMPLES = set('äéüßÿ€日本ｱ😀')
LEFTOVER = re.compile(r'\b(TO' 'DO|FIX' 'ME|XX' 'X|HA' 'CK)\\b')


def problems_of(name, data):
    try:
        text = data.decode('utf-8')
    except UnicodeDecodeError as error:
        yield f'not UTF-8: {error}'
        return

    if text and not text.endswith('\n'):
        yield 'no newline at the end'
    for number, line in enumerate(text.splitlines(), 1):
        if line != line.rstrip():
            yield f'{number}: space at the end of the line'
        # vapigen's metadata, Go and make are indented by tabulators.
        if '\t' in line and not name.endswith(('.metadata', '.go', 'debian/rules')):
            yield f'{number}: a tabulator'
        if LEFTOVER.search(line):
            yield f'{number}: {LEFTOVER.search(line).group()}'
        odd = {char for char in line if ord(char) > 126} - ALLOWED - SAMPLES
        if odd:
            yield f'{number}: {sorted(odd)}'


def main():
    root = pathlib.Path(sys.argv[1])
    git = shutil.which('git')
    result = git and subprocess.run([git, '-C', root, 'ls-files', '-z'], capture_output=True)
    if not git or result.returncode != 0:
        print('not a git checkout: skipped')
        sys.exit(77)

    found = 0
    for name in filter(None, result.stdout.decode().split('\0')):
        path = root / name
        if name == 'COPYING' or name.startswith('LICENSES/') or not path.is_file():
            continue
        for problem in problems_of(name, path.read_bytes()):
            print(f'{name}: {problem}')
            found += 1
    sys.exit(1 if found else 0)


main()
