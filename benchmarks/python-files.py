# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Files of Tf in Python beside those of tempfile: CPU time of a call, and the ratio of the two. See README.md.

Usage: python-files.py [WORD...]: only the items with a WORD in their names
"""

import heapq
import itertools
import os
import random
import sys
import tempfile
from time import process_time_ns as now

import gi

gi.require_version('Tf', '1')
from gi.repository import Tf  # noqa: E402

import python_servers  # noqa: E402

CALLS = 2000
ROUNDS = 15
RECORD = b'x' * 64
LINE = b'a' * 59 + b'\n'
TEXT_LINE = LINE.decode()
CALL_RANGE = range(CALLS)


def fill(file, line=LINE):
    file.seek(0)
    file.write(line * CALLS)
    file.seek(0)


def rewind(file):
    file.seek(0)


def write(file):
    call = file.write
    for _ in CALL_RANGE:
        call(RECORD)


def read(file):
    call = file.read
    for _ in CALL_RANGE:
        call(64)


def readinto(file):
    call, buffer = file.readinto, bytearray(64)
    for _ in CALL_RANGE:
        call(buffer)


def readline(file):
    call = file.readline
    for _ in CALL_RANGE:
        call()


def iterate(file):
    for _ in file:
        pass


def readlines(file):
    file.readlines()


def writelines(file, lines=[LINE] * CALLS):
    file.writelines(lines)


def seek(file):
    call = file.seek
    for i in CALL_RANGE:
        call(i)


def tell(file):
    call = file.tell
    for _ in CALL_RANGE:
        call()


def write_text(file):
    call = file.write
    for _ in CALL_RANGE:
        call(TEXT_LINE)


def fill_text(file):
    fill(file, TEXT_LINE)


BINARY = [
    ('write', rewind, write), ('read', fill, read), ('readinto', fill, readinto), ('readline', fill, readline),
    ('seek', fill, seek), ('tell', fill, tell), ('iterate', fill, iterate), ('readlines', fill, readlines),
    ('writelines', rewind, writelines),
]
TEXT = [('text write', rewind, write_text), ('text readline', fill_text, readline), ('text iterate', fill_text, iterate)]


def rolled(module, mode):
    file = module.SpooledTemporaryFile(mode=mode)
    file.rollover()
    return file


KINDS = {
    'memory': lambda module, mode: module.SpooledTemporaryFile(mode=mode),
    'rolled over': rolled,
    'unnamed': lambda module, mode: module.TemporaryFile(mode),
    'named': lambda module, mode: module.NamedTemporaryFile(mode),
}
WITH_LINES = {'iterate', 'readlines', 'writelines'}


def bound_of(kind, name):
    """The ratio that is allowed."""
    if name.startswith('text'):
        return 1.5 if name == 'text iterate' else 1.2
    if kind != 'memory':
        return 1.0
    return 1.5 if name in WITH_LINES else 1.2 if name == 'tell' else 1.0


def use_a_little(create):
    def use():
        for _ in CALL_RANGE:
            with create() as file:
                file.write(RECORD)
                file.seek(0)
                file.read(64)
    return use


def use_directory(create):
    def use():
        for _ in CALL_RANGE:
            with create():
                pass
    return use


def use_large(create, piece=bytes(1 << 20)):
    """64 MiB in pieces of 1 MiB, written and read again."""
    def use():
        with create() as file:
            for _ in range(64):
                file.write(piece)
            file.seek(0)
            while file.read(1 << 20):
                pass
    return use


SORTED_LINES = 200_000
LINES_OF_RUN = 20_000
SHUFFLED = [f'{number:08} {"x" * (number % 60)}\n' for number in range(SORTED_LINES)]
random.Random(1).shuffle(SHUFFLED)


def sort(create, mode):
    """An external merge sort by lines."""
    lines = SHUFFLED if mode == 'w+' else [line.encode() for line in SHUFFLED]

    def run():
        with create(mode) as source, create(mode) as target:
            source.writelines(lines)
            source.seek(0)
            runs = []
            while piece := sorted(itertools.islice(source, LINES_OF_RUN)):
                runs.append(create(mode))
                runs[-1].writelines(piece)
                runs[-1].seek(0)
            target.writelines(heapq.merge(*runs))
            for file in runs:
                file.close()
    return run


def sort_bytes(create):
    return sort(create, 'w+b')


def sort_text(create):
    return sort(create, 'w+')


CREATION = [
    ('create memory', 'SpooledTemporaryFile', use_a_little, 1.5),
    ('create rolled over', 'SpooledTemporaryFile', lambda create: use_a_little(lambda: create(max_size=1)), 1.1),
    ('create unnamed', 'TemporaryFile', use_a_little, 1.0),
    ('create named', 'NamedTemporaryFile', use_a_little, 1.1),
    ('create directory', 'TemporaryDirectory', use_directory, 1.1),
    ('64 MiB memory', 'SpooledTemporaryFile', use_large, 1.1),
    ('64 MiB unnamed', 'TemporaryFile', use_large, 1.1),
    ('64 MiB named', 'NamedTemporaryFile', use_large, 1.1),
    ('sort unnamed', 'TemporaryFile', sort_bytes, 1.1),
    ('sort named', 'NamedTemporaryFile', sort_bytes, 1.1),
    ('sort text', 'TemporaryFile', sort_text, 1.1),
]


def best_of_both(ours, theirs, rounds):
    """Interleaved; the least time of each, in ns."""
    times = ([], [])
    for _ in range(rounds):
        for prepare, run, seen in (*ours, times[0]), (*theirs, times[1]):
            prepare()
            start = now()
            run()
            seen.append(now() - start)
    return [min(seen) for seen in times]


def show(name, times, calls, bound):
    ratio = times[0] / times[1]
    verdict = '' if ratio <= bound else '  missed'
    print(f'{name:24} {times[0] / calls:11.1f} {times[1] / calls:11.1f}  {ratio:5.2f}  (≤ {bound}){verdict}', flush=True)
    return ratio <= bound


IMPORT_GIO = 'from gi.repository import Gio'
IMPORT_TF = f'import gi; gi.require_version("Tf", "1"); {IMPORT_GIO}, Tf'
EXIT = '; import os; os._exit(0)'
MOST_OF_IMPORT = 5_000_000  # in ns


def time_of_program(program, compiled):
    """In ns of CPU time."""
    environment = {**os.environ, 'PYTHONDONTWRITEBYTECODE': '', 'PYTHONPYCACHEPREFIX': compiled}
    _, _, usage = os.wait4(os.posix_spawn(sys.executable, [sys.executable, '-c', program], environment), 0)
    return round((usage.ru_utime + usage.ru_stime) * 1e9)


def measure_import(end):
    """What Tf takes beyond Gio, and what it may; with the end of the interpreter, or without it."""
    with tempfile.TemporaryDirectory() as compiled:
        times = [(time_of_program(IMPORT_TF + end, compiled), time_of_program(IMPORT_GIO + end, compiled))
                 for _ in range(ROUNDS)]
    ours, gio = map(min, zip(*times))
    return ours - gio, MOST_OF_IMPORT


def items():
    """The names of all measurements, and functions that make them and tell whether the bound was met."""
    for kind, create in KINDS.items():
        for mode, operations in ('w+b', BINARY), ('w+', TEXT):
            for name, prepare, run in operations:
                def measure(create=create, mode=mode, prepare=prepare, run=run):
                    with create(Tf, mode) as ours, create(tempfile, mode) as theirs:
                        return best_of_both((lambda: prepare(ours), lambda: run(ours)),
                                            (lambda: prepare(theirs), lambda: run(theirs)), ROUNDS)
                yield f'{kind} {name}', measure, CALLS, bound_of(kind, name)
    for name, callable, use, bound in CREATION:
        def measure(callable=callable, use=use):
            runs = [(lambda: None, use(getattr(module, callable))) for module in (Tf, tempfile)]
            return best_of_both(*runs, 7)
        yield name, measure, 1 if name.startswith(('64', 'sort')) else CALLS, bound
    yield 'import Tf, after Gio; ≤ 5 ms', lambda: measure_import(EXIT), 1, 1.0
    yield 'import and end; ≤ 7.5 ms', lambda: measure_import(''), 1, 1.5
    yield from python_servers.items()


def main():
    print(f'{"":24} {"Tf":>11} {"tempfile":>11}  ratio  (bound)   ns of CPU time, the least of several; of servers, on average')
    met = [show(name, measure(), calls, bound) for name, measure, calls, bound in items()
           if not sys.argv[1:] or any(word in name for word in sys.argv[1:])]
    print(f'{sum(met)} bounds met, {len(met) - sum(met)} missed; in {os.path.abspath(Tf.gettempdir())}')


main()
