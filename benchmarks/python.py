# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Python's tempfile."""

import os
import subprocess
import sys
import tempfile
from time import perf_counter_ns as now


def fill(file, size, total):
    data = b'x' * size
    write = file.write
    for _ in range(total // size):
        write(data)


def drain(file, size, total):
    read = file.read
    for _ in range(total // size):
        read(size)


def fill_memory(size, file_size, n):
    start = now()
    for _ in range(n):
        with tempfile.SpooledTemporaryFile() as file:
            fill(file, size, file_size)
    return (now() - start) / (n * (file_size // size))


def grow_memory(size, total):
    file = tempfile.SpooledTemporaryFile()
    start = now()
    fill(file, size, total)
    return (now() - start) / (total // size)


def drain_memory(size, total):
    file = tempfile.SpooledTemporaryFile()
    fill(file, size, total)
    file.seek(0)
    start = now()
    drain(file, size, total)
    return (now() - start) / (total // size)


def resident_bytes():
    with open('/proc/self/statm', encoding='ascii') as statm:
        return int(statm.read().split()[1]) * os.sysconf('SC_PAGESIZE')


def resident(size, n):
    files = [None] * n
    before = resident_bytes()
    for i in range(n):
        files[i] = tempfile.SpooledTemporaryFile()
        fill(files[i], 4096, size)
        files[i].write(b'x' * (size % 4096))
    return (resident_bytes() - before) / n


def rolled_over(where):
    file = tempfile.SpooledTemporaryFile(dir=where)
    file.rollover()
    return file


def fill_disk(size, total, where):
    file = rolled_over(where)
    start = now()
    fill(file, size, total)
    file.flush()
    return (now() - start) / (total // size)


def drain_disk(size, total, where):
    file = rolled_over(where)
    fill(file, size, total)
    file.seek(0)
    start = now()
    drain(file, size, total)
    return (now() - start) / (total // size)


def rollover(size, n, where):
    spent = 0
    for _ in range(n):
        with tempfile.SpooledTemporaryFile(dir=where) as file:
            fill(file, min(size, 1 << 20), size)
            start = now()
            file.rollover()
            spent += now() - start
    return spent / n


def unnamed(n, where):
    start = now()
    for _ in range(n):
        tempfile.TemporaryFile(dir=where).close()
    return (now() - start) / n


def named(n, where):
    start = now()
    for _ in range(n):
        tempfile.NamedTemporaryFile(dir=where).close()
    return (now() - start) / n


def directory(n, where):
    start = now()
    for _ in range(n):
        tempfile.TemporaryDirectory(dir=where).cleanup()
    return (now() - start) / n


def tree(where, shape, n):
    holder = tempfile.TemporaryDirectory(dir=where)
    subprocess.run([os.environ['MAKE_TREE'], 'make-tree', holder.name, shape, str(n)], check=True)
    start = now()
    holder.cleanup()
    return now() - start


VERBS = {
    'fill-memory': fill_memory,
    'grow-memory': grow_memory,
    'drain-memory': drain_memory,
    'fill-disk': fill_disk,
    'drain-disk': drain_disk,
    'rollover': rollover,
    'unnamed': unnamed,
    'named': named,
    'dir': directory,
    'tree': tree,
    'resident': resident,
}

arguments = [int(argument) if argument.isdigit() else argument for argument in sys.argv[2:]]
print(f'{VERBS[sys.argv[1]](*arguments):.3f}')
