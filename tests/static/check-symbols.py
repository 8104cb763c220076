#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks that a library exports what a list says, no more and no less.

Usage: check-symbols.py LIST NM LIBRARY
"""

import subprocess
import sys


def main():
    listed, nm, library = sys.argv[1:]
    with open(listed, encoding='utf-8') as lines:
        expected = [line.strip() for line in lines if not line.startswith('#')]
    output = subprocess.run([nm, '-D', '--defined-only', library],
                            check=True, capture_output=True, text=True).stdout
    exported = {line.split()[-1].split('@')[0] for line in output.splitlines()}

    assert expected == sorted(set(expected)), f'{listed} is not sorted, or has a symbol twice'
    missing = sorted(set(expected) - exported)
    extra = sorted(exported - set(expected))
    assert not missing, f'listed, but not exported: {missing}'
    assert not extra, f'exported, but not listed: {extra}'
    print(f'{len(expected)} symbols')


main()
