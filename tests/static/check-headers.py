#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks that the umbrella header can be included, and that no other can.

Usage: check-headers.py COMPILER_FLAGS HEADER... -- COMPILER...
COMPILER_FLAGS are separated by semicolons. COMPILER compiles C, or C++ when its name has "++" in it.
"""

import os
import subprocess
import sys


def compiles(compiler, flags, language, source):
    return subprocess.run([*compiler, *flags, '-x', language, '-fsyntax-only', '-Wall', '-Wextra', '-Werror', '-'],
                          input=source, capture_output=True, text=True)


def main():
    split = sys.argv.index('--')
    flags = sys.argv[1].split(';')
    headers = [os.path.basename(header) for header in sys.argv[2:split]]
    compiler = sys.argv[split + 1:]
    language = 'c++' if any('++' in word for word in compiler) else 'c'

    assert 'tempfile-glib.h' in headers
    # What is wrong with one of them, the compiler says with its name.
    source = ''.join(f'#include "{header}"\n' for header in ['tempfile-glib.h', *headers])
    result = compiles(compiler, flags, language, source)
    assert result.returncode == 0, result.stderr

    for header in headers:
        if header == 'tempfile-glib.h':
            continue
        result = compiles(compiler, [*flags, '-Wfatal-errors'], language, f'#include "{header}"\n')
        assert result.returncode != 0, f'{header} does not refuse to be included'
        assert 'can be included directly' in result.stderr, f'{header} is refused for another reason: {result.stderr}'


main()
