#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs a program of examples in directories of its own, in which it has to leave nothing.

Usage: run-examples.py COMMAND...
The program reports by TAP. What the examples print becomes comments.
"""

import os
import re
import subprocess
import sys
import tempfile

TAP = re.compile(r'(ok|not ok) [0-9]|1[.][.]|#|Bail out!')


def main():
    with tempfile.TemporaryDirectory() as folder:
        names = ['tmp', 'run', 'home', 'work']
        paths = {name: os.path.join(folder, name) for name in names}
        for path in paths.values():
            os.mkdir(path, 0o700)
        env = dict(os.environ, TMPDIR=paths['tmp'], XDG_RUNTIME_DIR=paths['run'], HOME=paths['home'])
        for name in 'XDG_CONFIG_HOME', 'XDG_DATA_HOME':
            env.pop(name, None)
        command = [os.path.abspath(part) if os.path.exists(part) else part for part in sys.argv[1:]]
        result = subprocess.run(command, env=env, cwd=paths['work'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                text=True, errors='replace')
        left = os.listdir(paths['tmp']) + os.listdir(paths['work'])
    for line in result.stdout.splitlines():
        print(line if TAP.match(line) else f'# {line}')
    if left:
        print(f'Bail out! left behind: {left}')
    sys.exit(result.returncode or (1 if left else 0))


main()
