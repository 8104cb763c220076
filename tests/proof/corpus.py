#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Copies the programs of corpus.txt to files for libFuzzer, and back.

Usage: corpus.py unpack|pack CORPUS FOLDER
"""

import pathlib
import sys


def read(corpus):
    lines = corpus.read_text().splitlines()
    return [line for line in lines if line.startswith('#')], [line for line in lines if line and line[0] != '#']


def unpack(corpus, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for number, program in enumerate(read(corpus)[1]):
        (folder / f'{number:03}').write_bytes(bytes.fromhex(program))


def pack(corpus, folder):
    comments, programs = read(corpus)
    found = {path.read_bytes().hex() for path in folder.iterdir()}
    programs += sorted(found.difference(programs), key=lambda program: (len(program), program))
    corpus.write_text('\n'.join([*comments, *programs]) + '\n')


def main():
    action, corpus, folder = sys.argv[1:]
    {'unpack': unpack, 'pack': pack}[action](pathlib.Path(corpus), pathlib.Path(folder))


if __name__ == '__main__':
    main()
