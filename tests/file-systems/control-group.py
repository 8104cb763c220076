#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs programs in control groups with little memory: with a budget, they are never killed, and low memory is noticed
without a desktop. Needs root, and the memory controller of either version.

Usage: control-group.py PROGRAM, which is the program of in-control-group.c
"""

import os
import signal
import subprocess
import sys
import tempfile

from groups import Groups, Missing

KIB = 1 << 10
MIB = 1 << 20

# With TF_TEST_LARGE in the environment, more than a small machine has to spare
LIMIT, BUDGET = (256 * MIB, 192 * MIB) if 'TF_TEST_LARGE' in os.environ else (96 * MIB, 64 * MIB)
SIZES = (100 * KIB, 300 * KIB, MIB, 2202010, 20 * MIB)
TIMEOUT = 200

# With a fast disk, one that reads waits too little for memory, 3 % of the time.
N_READERS = 8


def start(program, groups, directory, *arguments):
    # With MALLOC_PERTURB_, which Meson sets, malloc() writes to all memory that it gives, also what nobody uses yet.
    environment = {**os.environ, 'TMPDIR': directory, 'MALLOC_PERTURB_': '0'}
    return subprocess.Popen([program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment, preexec_fn=groups.enter)


def check(process):
    output, complaint = process.communicate(timeout=TIMEOUT)
    for line in output.splitlines():
        print('#', line)
    if process.returncode == -9:
        raise RuntimeError('killed')
    if process.returncode != 0:
        raise RuntimeError(complaint or f'exit status {process.returncode}')


def test_budget(program, directory, size):
    with Groups(LIMIT) as groups:
        check(start(program, groups, directory, 'budget', size, BUDGET, 2 * BUDGET))


def read_again(path, groups):
    """Starts a process of the group that reads more than there is room for, again and again."""
    pid = os.fork()
    if pid == 0:
        try:
            groups.enter()
            while True:
                with open(path, 'rb') as file:
                    while file.read(MIB):
                        pass
        finally:
            os._exit(1)
    return pid


def test_pressure(program, directory):
    with tempfile.NamedTemporaryFile(dir=directory) as large, Groups(64 * MIB) as groups:
        if groups.pressure is None or not groups.pressure.exists():
            raise Missing('no memory.pressure')
        for _ in range(96):
            large.write(os.urandom(MIB))
        large.flush()
        os.fsync(large.fileno())
        os.posix_fadvise(large.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

        process = start(program, groups, directory, 'pressure', 4 * MIB, 9)
        if process.stdout.readline() != 'waiting\n':
            check(process)
        readers = [read_again(large.name, groups) for _ in range(N_READERS)]
        try:
            check(process)
        finally:
            for reader in readers:
                os.kill(reader, signal.SIGKILL)
                os.waitpid(reader, 0)
            process.kill()


def main():
    program, = sys.argv[1:]
    if os.geteuid() != 0:
        print('1..0 # SKIP needs root')
        return

    tests = {f'budget with files of {size} bytes': (test_budget, size) for size in SIZES}
    tests['pressure'] = (test_pressure,)
    print(f'1..{len(tests)}')
    with tempfile.TemporaryDirectory(prefix='tf-control-group-', dir='/var/tmp') as directory:
        for number, (name, (function, *arguments)) in enumerate(tests.items(), 1):
            try:
                function(program, directory, *arguments)
                print(f'ok {number} {name}', flush=True)
            except Missing as reason:
                print(f'ok {number} {name} # SKIP {reason}', flush=True)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                print(f'not ok {number} {name}')
                for line in str(error).splitlines():
                    print('#', line, flush=True)


if __name__ == '__main__':
    main()
