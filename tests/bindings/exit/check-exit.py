# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs programs that end in various ways with a TfNamedFile and a TfTempDir alive, and sees that neither is
left behind.

Usage: check-exit.py COMMAND... -- CASE=STATUS...
The program is told the case. It prints the paths of what it made, and ends with that exit status, or
by that signal if it is negative.
"""

import os
import re
import subprocess
import sys
import tempfile


def run(command, case, sandbox, runtime_dir):
    env = {name: value for name, value in os.environ.items() if name not in ('TEMP', 'TMP', 'TF_DEBUG')}
    env['TMPDIR'] = sandbox
    env['XDG_RUNTIME_DIR'] = runtime_dir
    return subprocess.run([*command, case], env=env, cwd=sandbox, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)


def check(command, case, expected):
    """Returns what is wrong, or None."""
    with tempfile.TemporaryDirectory(prefix='exit-') as sandbox, tempfile.TemporaryDirectory(prefix='run-') as runtime_dir:
        result = run(command, case, sandbox, runtime_dir)
        paths = result.stdout.split()
        left = sorted(os.listdir(sandbox))

    if result.returncode != expected:
        return f'ended with {result.returncode}, not {expected}: {result.stderr}'
    if len(paths) != 2 or any(os.path.dirname(path) != sandbox for path in paths):
        return f'did not make a file and a directory in {sandbox}: printed {paths}, and {result.stderr}'
    if left:
        return f'left behind {left}: {result.stderr}'
    # Errors that were not lost, but should not have been.
    if re.search('(Tf|GLib[A-Za-z-]*)-(CRITICAL|WARNING|Message)', result.stderr):
        return result.stderr
    return None


def main():
    separator = sys.argv.index('--')
    command, cases = sys.argv[1:separator], sys.argv[separator + 1:]
    command[0] = os.path.abspath(command[0])

    print(f'1..{len(cases)}')
    for number, case in enumerate(cases, 1):
        name, expected = case.rsplit('=', 1)
        wrong = check(command, name, int(expected))
        for line in (wrong or '').splitlines():
            print(f'# {line}')
        print(f'{"not ok" if wrong else "ok"} {number} - {name}', flush=True)


main()
