#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Control groups with little memory. Needs root, and the memory controller of either version.

Usage: groups.py BYTES COMMAND ARGUMENT..., which runs the command in one
"""

import os
import subprocess
import sys
from pathlib import Path


class Missing(Exception):
    """What a test needs and the system does not have."""


def find_mounts():
    """Where the hierarchy of version 2 is mounted, and where that of the memory controller of version 1."""
    second = first = None
    for line in Path('/proc/self/mountinfo').read_text().splitlines():
        fields, _, rest = line.partition(' - ')
        kind, _, options = rest.split(' ', 2)
        path = Path(fields.split(' ')[4])
        if kind == 'cgroup2':
            second = second or path
        elif kind == 'cgroup' and 'memory' in options.split(','):
            first = first or path
    return second, first


def has_memory_controller(second):
    return second is not None and 'memory' in (second / 'cgroup.controllers').read_text().split()


class Groups:
    """A control group with LIMIT bytes of memory, of version 2 or 1, and one of version 2 for the pressure."""

    def __init__(self, limit):
        second, first = find_mounts()
        self.paths = []
        name = f'tempfile-glib-test-{os.getpid()}'
        try:
            if second is not None:
                self.make(second / name)
            if has_memory_controller(second):
                (second / 'cgroup.subtree_control').write_text('+memory')
                (second / name / 'memory.max').write_text(str(limit))
                (second / name / 'memory.swap.max').write_text('0')
            elif first is not None:
                self.make(first / name)
                (first / name / 'memory.limit_in_bytes').write_text(str(limit))
            else:
                raise Missing('no memory controller')
        except OSError as error:
            self.remove()
            raise Missing(f'no control group can be made: {error}') from error
        except Missing:
            self.remove()
            raise
        self.pressure = second / name / 'memory.pressure' if second is not None else None

    def make(self, path):
        path.mkdir()
        self.paths.append(path)

    def enter(self):
        for path in self.paths:
            (path / 'cgroup.procs').write_text(str(os.getpid()))

    def remove(self):
        for path in self.paths:
            path.rmdir()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


def main():
    limit, *command = sys.argv[1:]
    try:
        with Groups(int(limit)) as groups:
            sys.exit(subprocess.run(command, preexec_fn=groups.enter, check=False).returncode)
    except Missing as reason:
        sys.exit(str(reason))


if __name__ == '__main__':
    main()
