#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs a test on each of the file systems of matrix.py, with so little room that the test can fill them up.

Usage: nearly-full.py TEST
"""

import sys

import matrix

# GlusterFS keeps some for itself.
matrix.STORE_OPTIONS = ['-o', 'size=12m']


def main():
    why_not = matrix.enter_namespaces(*matrix.ALL_NAMESPACES)
    if why_not:
        print('1..0 # SKIP', why_not)
        return 0

    matrix.check_all(lambda file_system: sys.argv[1:])
    return 0


if __name__ == '__main__':
    sys.exit(main())
