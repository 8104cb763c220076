# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Two of the candidates of compare.py, which says what the commands mean.

Usage: python.py             tempfile.TemporaryDirectory
       python.py rm OPTION   a directory of mkdtemp(), and "rm -rf OPTION"
"""

import os
import platform
import subprocess
import sys
import tempfile


class Removed:
    """A directory that rm removes."""

    def __init__(self):
        self.name = tempfile.mkdtemp()

    def cleanup(self):
        result = subprocess.run([*rm, self.name], stderr=subprocess.PIPE, text=True, errors='replace')
        lines = result.stderr.splitlines()
        if result.returncode:
            raise OSError(lines[0] if lines else f'exit status {result.returncode}')


def version():
    if rm:
        reply(subprocess.run(['rm', '--version'], stdout=subprocess.PIPE, text=True).stdout.splitlines()[0])
    else:
        reply(f'Python {platform.python_version()}')


def reply(line):
    print(line.replace('\n', ' '), flush=True)


def create():
    global directory
    directory = Removed() if rm else tempfile.TemporaryDirectory()
    reply(directory.name)


def remove():
    try:
        directory.cleanup()
        reply('ok')
    except Exception as error:
        reply(f'error {error}' if rm else f'error {type(error).__name__}: {error}')


def fork(func):
    pid = os.fork()
    if pid == 0:
        func()
    os.waitpid(pid, 0)
    reply('done')


def fork_remove():
    remove()
    os._exit(0)


def churn(n):
    for _ in range(n):
        tempfile.TemporaryDirectory().cleanup()
    reply('ok')


rm = ['rm', '-rf', *sys.argv[2:]] if len(sys.argv) > 1 else []
lifetime = {'fork-exit': lambda: fork(sys.exit), 'fork-remove': lambda: fork(fork_remove),
            'handle-signals': lambda: reply('not offered'), 'sweep': lambda: reply('not offered'),
            'churn': churn}
commands = {'version': version, 'create': create, 'remove': remove, **({} if rm else lifetime)}

for line in sys.stdin:
    command, *args = line.split()
    commands.get(command, lambda *_: reply('not offered'))(*map(int, args))
