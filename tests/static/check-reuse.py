#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks with reuse that every file says its licence, in a copy without what is built: only where there is a repository of
git does reuse leave that out.

Usage: check-reuse.py SOURCE_ROOT REUSE
"""

import os
import shutil
import subprocess
import sys
import tempfile

import kept


def main():
    source, reuse = sys.argv[1:]
    with tempfile.TemporaryDirectory() as copy:
        for path in kept.walk(source):
            target = os.path.join(copy, os.path.relpath(path, source))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(path, target, follow_symlinks=False)
        # A repository around the copy would leave all of it out.
        env = dict(os.environ, GIT_CEILING_DIRECTORIES=os.path.dirname(copy))
        sys.exit(subprocess.run([reuse, '--root', copy, 'lint'], env=env).returncode)


main()
