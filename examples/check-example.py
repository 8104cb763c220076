#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs one of the spool examples on files of several sizes and compares what it prints.

Usage: check-example.py LANGUAGE INPUT COMMAND...
INPUT is a large file, or "" for none.
"""

import hashlib
import os
import subprocess
import sys
import tempfile

MAX_SIZE = 1 << 20
PIECE_SIZE = 1 << 16


def expected_line(language, path):
    with open(path, 'rb') as source:
        content = source.read()
    if len(content) > MAX_SIZE:
        # The signal comes at the end of the first write that went beyond MAX_SIZE.
        rolled_over_at = min(len(content), (MAX_SIZE // PIECE_SIZE + 1) * PIECE_SIZE)
    else:
        rolled_over_at = 'never'
    digest = hashlib.sha256(content).hexdigest()
    return (f'{language} {len(content)} bytes, rolled over at {rolled_over_at}, '
            f'sha256 {digest}, cleaned up\n')


def run(command, path, temp_dir):
    env = dict(os.environ, TMPDIR=temp_dir)
    return subprocess.run([*command, path], env=env, text=True, errors='replace',
                          stdin=subprocess.DEVNULL, capture_output=True)


def check(language, path, command, temp_dir):
    result = run(command, path, temp_dir)
    expected = expected_line(language, path)
    assert result.returncode == 0, f'exit status {result.returncode}: {result.stderr}'
    assert result.stdout == expected, f'printed {result.stdout!r}, expected {expected!r}'
    assert result.stderr == '', f'wrote to stderr: {result.stderr}'


def check_missing(path, command, temp_dir):
    result = run(command, path, temp_dir)
    assert result.returncode == 1, f'exit status {result.returncode} without an input file'
    assert result.stdout == '', f'printed {result.stdout!r} without an input file'
    assert result.stderr != '', 'no message without an input file'


def main():
    language, path, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        temp_dir = os.path.join(folder, 'tmp')
        os.mkdir(temp_dir)

        if path:
            check(language, path, command, temp_dir)
        for size in [0, 1, PIECE_SIZE, MAX_SIZE, MAX_SIZE + 1, 3 * MAX_SIZE + 12345]:
            path = os.path.join(folder, 'input')
            with open(path, 'wb') as source:
                source.write((b'tempfile-glib ' * (size // 14 + 1))[:size])
            check(language, path, command, temp_dir)
        check_missing(os.path.join(folder, 'missing'), command, temp_dir)

        left = os.listdir(temp_dir)
        assert not left, f'left behind: {left}'


main()
