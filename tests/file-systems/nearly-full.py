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


def choose(file_system):
    if file_system is matrix.glusterfs_write_behind:
        raise matrix.Missing('its client crashes now and then when it writes to a full disk')
    return sys.argv[1:]


def main():
    why_not = matrix.enter_namespaces(*matrix.ALL_NAMESPACES)
    if why_not:
        print('1..0 # SKIP', why_not)
        return 0

    matrix.check_all(choose)
    return 0


if __name__ == '__main__':
    sys.exit(main())
