# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What is measured: the items, who takes part in each, and the bounds that we set ourselves."""

from dataclasses import dataclass, field

KIB = 1 << 10
MIB = 1 << 20

OURS, LIMIT, PEER = 'ours', 'limit', 'peer'


@dataclass
class Entry:
    """One contestant: a program of peers.py and its arguments. {dir} is a fresh directory, {source} a file."""
    label: str
    program: str
    arguments: tuple
    role: str = PEER


@dataclass
class Bound:
    """OURS may be at most FACTOR × the best of OTHERS; without others, at most FACTOR."""
    ours: str
    factor: float
    others: tuple = ()


@dataclass
class Case:
    title: str
    entries: list
    bounds: list = field(default_factory=list)
    place: str = None  # 'disk' or 'tmpfs': where {dir} is
    source: int = 0    # the size of {source}


@dataclass
class Growth:
    """One entry at three sizes {n}. Its result is the time of the whole, or of each PER of n."""
    label: str
    program: str
    arguments: tuple
    sizes: tuple
    per: int = 0
    place: str = 'disk'


@dataclass
class Table:
    """Entries at many sizes {n}, {count} at a time, together TOTAL bytes at most. Their results are bytes, of which OURS
    may have at most FACTOR × n + ROOM."""
    title: str
    entries: list
    sizes: tuple
    factor: float
    room: int
    ours: str
    total: int = 64 * MIB
    most: int = 20_000

    def count(self, n):
        return max(min(self.total // max(n, 1), self.most), 4)


@dataclass
class Item:
    name: str
    title: str
    unit: str
    cases: list
    rounds: int = 5
    growth: list = field(default_factory=list)
    tables: list = field(default_factory=list)


DIRECT = 'tempfile-glib'
STREAM = 'tempfile-glib, GOutputStream'
STREAM_IN = 'tempfile-glib, GInputStream'
MEMCPY = 'memcpy, memory already faulted in'
GIO_OUT = 'GMemoryOutputStream'
GIO_IN = 'GMemoryInputStream'
PYTHON = 'Python tempfile'
RUST = 'Rust tempfile'
GUAVA = 'Guava FileBackedOutputStream'
PLACES = ('disk', 'tmpfs')

# No more in one run: ext4 without a journal steps over the inodes that the same run has freed before.
CREATIONS = {'disk': 1000, 'tmpfs': 5000}  # where ext4 has no journal, creating many takes ever longer


def ours(label, *arguments):
    return Entry(label, 'ours', arguments, OURS)


def limit(label, *arguments):
    return Entry(label, 'libc', arguments, LIMIT)


def peer(label, program, *arguments):
    return Entry(label, program, arguments)


def in_each_place(make):
    return [make(place) for place in PLACES]


def grow(size, total, bounds):
    return Case(f'{total // MIB} MiB, once', [
        limit(MEMCPY, 'memcpy-in', size, total),
        ours(DIRECT, 'grow-memory', 'direct', size, total),
        ours(STREAM, 'grow-memory', 'stream', size, total),
        peer(GIO_OUT, 'gio', 'grow-memory', size, total),
        peer('glibc open_memstream', 'libc', 'memstream', size, total, 1),
        peer(RUST, 'rust', 'grow-memory', size, total),
        peer(PYTHON, 'python', 'grow-memory', size, total),
        peer(GUAVA, 'guava', 'grow-memory', size, total),
    ], bounds)


def refill(title, size, file_size, n):
    return Case(title, [
        limit(MEMCPY, 'memcpy-again', size, file_size, n),
        ours(DIRECT, 'fill-memory', 'direct', size, file_size, n),
        ours(STREAM, 'fill-memory', 'stream', size, file_size, n),
        peer(GIO_OUT, 'gio', 'fill-memory', size, file_size, n),
        peer('glibc open_memstream', 'libc', 'memstream', size, file_size, n),
        peer(RUST, 'rust', 'fill-memory', size, file_size, n),
        peer(PYTHON, 'python', 'fill-memory', size, file_size, n),
        peer(GUAVA, 'guava', 'fill-memory', size, file_size, n),
    ], [Bound(DIRECT, 1.2, (RUST,)), Bound(STREAM, 1.1, (GIO_OUT,))])


def drain(size, total, bounds):
    return Case(f'{size} bytes a read, {total // MIB} MiB', [
        limit(MEMCPY, 'memcpy-out', size, total),
        ours(DIRECT, 'drain-memory', 'direct', size, total),
        ours(STREAM_IN, 'drain-memory', 'stream', size, total),
        peer(GIO_IN, 'gio', 'drain-memory', size, total),
        peer(RUST, 'rust', 'drain-memory', size, total),
        peer(PYTHON, 'python', 'drain-memory', size, total),
    ], bounds)


def disk(kind, stream):
    arguments = (64, 64 * MIB, '{dir}')
    verb = 'fill-disk' if kind == 'write' else 'drain-disk'
    call = f'a system call each: {kind}'
    return Case(f'64 bytes a {kind}', [
        limit(call, f'{kind}-calls', *arguments),
        ours(DIRECT, verb, 'direct', *arguments),
        ours(stream, verb, 'stream', *arguments),
        peer('glibc stdio', 'libc', f'stdio-{kind}', *arguments),
        peer(PYTHON, 'python', verb, *arguments),
    ], [
        Bound(DIRECT, 1.2, (PYTHON,)), Bound(stream, 1.2, (PYTHON,)),
        Bound(DIRECT, 0.2, (call,)), Bound(stream, 0.2, (call,)),
    ], 'disk')


def rollover(size, n, place):
    arguments = (size, n, '{dir}')
    once = 'open(O_TMPFILE) and one write'
    return Case(f'{size // MIB} MiB, {place}', [
        limit(once, 'open-write', *arguments),
        ours(DIRECT, 'rollover', *arguments),
        peer(PYTHON, 'python', 'rollover', *arguments),
    ], [Bound(DIRECT, 1.1, (once,))], place)


def unnamed(place):
    arguments = (CREATIONS[place], '{dir}')
    once = 'open(O_TMPFILE), close'
    case = Case(place, [
        limit(once, 'unnamed', *arguments),
        ours('TfTempFile', 'unnamed', *arguments),
        peer(PYTHON, 'python', 'unnamed', *arguments),
        peer('g_file_new_tmp, unlink', 'gio', 'unnamed', *arguments),
        peer(RUST, 'rust', 'unnamed', *arguments),
        peer('Qt QTemporaryFile', 'qt', 'unnamed', *arguments),
        peer('Go os.CreateTemp, Remove', 'go', 'named', *arguments),
    ], [
        Bound('TfTempFile', 1.15, (once,)),
        Bound('TfTempFile', 1, (PYTHON, 'Qt QTemporaryFile', 'g_file_new_tmp, unlink', 'Go os.CreateTemp, Remove')),
    ], place)
    if place == 'disk':
        case.entries.append(peer('glibc tmpfile, in /tmp', 'libc', 'tmpfile', CREATIONS[place]))
    return case


def named(place):
    arguments = (CREATIONS[place], '{dir}')
    once = 'mkstemp, close, unlink'
    return Case(place, [
        limit(once, 'named', *arguments),
        ours('TfNamedFile', 'named', *arguments),
        peer(PYTHON, 'python', 'named', *arguments),
        peer('g_file_new_tmp, unlink', 'gio', 'unnamed', *arguments),
        peer(RUST, 'rust', 'named', *arguments),
        peer('Qt QTemporaryFile', 'qt', 'named', *arguments),
        peer('Go os.CreateTemp, Remove', 'go', 'named', *arguments),
    ], [Bound('TfNamedFile', 1, (once,))], place)


def directory(place):
    arguments = (CREATIONS[place], '{dir}')
    once = 'mkdtemp, rmdir'
    return Case(place, [
        limit(once, 'dir', *arguments),
        ours('TfTempDir', 'dir', *arguments),
        peer(PYTHON, 'python', 'dir', *arguments),
        peer('g_dir_make_tmp, g_rmdir', 'gio', 'dir', *arguments),
        peer(RUST, 'rust', 'dir', *arguments),
        peer('Qt QTemporaryDir', 'qt', 'dir', *arguments),
        peer('Go os.MkdirTemp, RemoveAll', 'go', 'dir', *arguments),
    ], [Bound('TfTempDir', 1.5, (once,)), Bound('TfTempDir', 0.7, (PYTHON,))], place)


def tree(title, shape, n, place, factor, peers):
    arguments = ('{dir}', shape, n)
    everyone = {
        PYTHON: 'python', RUST: 'rust', 'GIO, GFile by GFile': 'gio', 'Go os.RemoveAll': 'go',
    }
    return Case(f'{title}, {place}', [
        ours('TfTempDir', 'tree', *arguments),
        peer('rm -rf', 'libc', 'rm', *arguments),
        *(peer(label, everyone[label], 'tree', *arguments) for label in peers),
    ], [Bound('TfTempDir', factor, ('rm -rf',))], place)


def splice_file(size):
    arguments = ('{source}', '{dir}')
    best = ('copy_file_range', 'read and write, 256 KiB')
    return Case(f'{size // MIB} MiB file to file, disk', [
        limit(best[0], 'copy-by-range', *arguments),
        limit(best[1], 'copy-by-loop', *arguments),
        ours(DIRECT, 'splice-disk', *arguments),
        peer('g_file_copy', 'gio', 'copy', *arguments),
    ], [Bound(DIRECT, 1.1, best)], 'disk', size)


def splice_memory(size):
    return Case(f'{size // MIB} MiB file into memory', [
        limit('read into memory', 'read-into-memory', '{source}'),
        ours(DIRECT, 'splice-memory', '{source}'),
        peer(GIO_OUT, 'gio', 'splice-memory', '{source}'),
    ], [Bound(DIRECT, 0.25, (GIO_OUT,))], 'disk', size)


def binding_case(program, title, verb, *arguments, factor=0):
    own, gio = 'tempfile-glib', 'GIO in memory'
    return Case(title, [
        Entry(own, program, (verb, *arguments), OURS),
        peer(gio, program, f'gio-{verb}', *arguments),
    ], [Bound(own, factor, (gio,))] if factor else [])


def in_group(size):
    """Twice the budget, in a control group with little memory. A program that is killed there is an error."""
    return Case(f'files of {size / MIB:.1f} MiB', [
        Entry(DIRECT, 'ours-in-group', ('budget', size, BUDGET, 2 * BUDGET), OURS),
    ], [Bound(DIRECT, 1.1 * BUDGET + 16 * MIB)], 'disk')


def descriptors(title, *arguments):
    return Case(title, [ours(DIRECT, *arguments)], [Bound(DIRECT, 1)], 'disk')


def longest(size):
    return Case(f'{size // MIB} MiB', [ours(DIRECT, 'longest-write', size, '{dir}')], [], 'disk')


def binding(program, n):
    return [
        binding_case(program, 'write, 64 bytes', 'write', 64, n),
        binding_case(program, 'read_bytes, 64 bytes', 'read', 64, n),
        binding_case(program, 'a new object', 'new', n),
    ]


def javascript(n):
    def case(*arguments, nanoseconds=0, **options):
        made = binding_case('gjs', *arguments, **options)
        if nanoseconds:
            made.bounds.append(Bound('tempfile-glib', nanoseconds))
        return made

    read = case('read, 64 bytes', 'read', 64, n)
    array = Entry('any call that returns an array', 'gjs', ('array', 64, n), LIMIT)
    read.entries.append(array)
    read.bounds.append(Bound('tempfile-glib', 1.25, (array.label,)))
    return [
        case('write, 64 bytes', 'write', 64, n, factor=1),
        read,
        case('lines of 64 bytes, each', 'lines', 2 * n, nanoseconds=150),
        case('chunks of 64 bytes, each', 'chunks', 2 * n, nanoseconds=150),
        case('writing lines of 64 bytes, each', 'write-lines', n, factor=1),
        case('a new object', 'new', n),
    ]


def growth(label, sizes, per, *arguments, place='disk'):
    return Growth(label, 'ours', arguments, sizes, per, place)


BYTES = (4 * MIB, 16 * MIB, 64 * MIB)
FILES = (125, 500, 2000)
MANY = 10_000_000
BUDGET = 192 * MIB
SIZES = (
    0, 1, 100, 1000, 4 * KIB, 5000, 10 * KIB, 17_000, 33_000, 64 * KIB, 70_000, 100_000, 140_000, 200_000, 256 * KIB + 1,
    400_000, 530_000, 768 * KIB, MIB, MIB + 1, 1_500_000, 2 * MIB, 2 * MIB + 4 * KIB, 2_202_010, 3_000_000, 4 * MIB + 1,
    6_000_000, 10_000_000, 13_000_000, 15_000_000, 33_000_000, 64 * MIB,
)
WIDE = ('1000 directories of 100 files', 'wide', 1000)
FLAT = ('100 000 files in one directory', 'flat', 100_000)
DEEP = ('a chain of 2000 directories', 'deep', 2000)

ITEMS = [
    Item('write-64', '64-byte writes into memory, 10 million', 'ns', [
        grow(64, 64 * MANY, [
            Bound(DIRECT, 4, (MEMCPY,)), Bound(DIRECT, 0.5, (RUST,)),
            Bound(STREAM, 0.6, (GIO_OUT,)), Bound(STREAM, 0.25, (PYTHON,)),
        ]),
    ], rounds=3),
    Item('write-64-again', '64-byte writes into memory, file after file', 'ns', [
        refill('files of 1 MiB', 64, MIB, 150),
        refill('files of 10 KiB', 64, 10 * KIB, 10_000),
    ], rounds=5),
    Item('write-large', 'Large writes into memory, 256 MiB', 'ns', [
        Case(f'{size // KIB} KiB a write', case.entries, case.bounds) for size, case in (
            (size, grow(size, 256 * MIB, [
                Bound(DIRECT, 2, (MEMCPY,)), Bound(DIRECT, 0.2, (GIO_OUT,)),
                Bound(DIRECT, 0.2, (PYTHON,)), Bound(DIRECT, 0.2, (RUST,)),
            ])) for size in (64 * KIB, MIB))
    ]),
    Item('read', 'Reads from memory', 'ns', [
        drain(64, 128 * MIB, [Bound(DIRECT, 3, (MEMCPY,)), Bound(STREAM_IN, 1, (GIO_IN,))]),
        drain(64 * KIB, 256 * MIB, [Bound(DIRECT, 1.1, (MEMCPY,)), Bound(STREAM_IN, 1.1, (MEMCPY,))]),
    ], rounds=11),
    Item('disk', 'Small writes and reads on disk', 'ns', [disk('write', STREAM), disk('read', STREAM_IN)]),
    Item('rollover', 'Rolling over', 'ns', [
        rollover(size, n, place) for size, n in ((MIB, 50), (64 * MIB, 2)) for place in PLACES
    ]),
    Item('unnamed', 'An unnamed file: create, close', 'ns', in_each_place(unnamed), rounds=21),
    Item('named', 'A named file: create, close, delete', 'ns', in_each_place(named), rounds=21),
    Item('dir', 'An empty directory: create, remove', 'ns', in_each_place(directory), rounds=21),
    Item('tree', 'Removing a tree', 'ns', [
        tree(*WIDE, 'disk', 0.65, (PYTHON, 'GIO, GFile by GFile')),
        tree(*WIDE, 'tmpfs', 0.65, (PYTHON, RUST, 'GIO, GFile by GFile', 'Go os.RemoveAll')),
        *(tree(*FLAT, place, 0.8, (PYTHON,)) for place in PLACES),
        *(tree(*DEEP, place, 1, ()) for place in PLACES),
    ], rounds=3),
    Item('splice', 'Splicing a file', 'ns', [
        splice_memory(512 * MIB), splice_file(64 * MIB), splice_file(512 * MIB),
    ], rounds=3),
    Item('object', 'A file of 1 KiB in memory: new, write, read, unref', 'ns', [
        Case('one after the other', [
            ours('TfSpooledFile', 'object', KIB, 200_000),
            peer('GMemoryOutputStream, steal', 'gio', 'object', KIB, 200_000),
        ], [Bound('TfSpooledFile', 2, ('GMemoryOutputStream, steal',))]),
    ]),
    Item('empty', 'A file in memory: new, unref', 'ns', [
        Case('one after the other', [
            Entry('a GObject', 'ours', ('bare', 500_000), LIMIT),
            ours('TfSpooledFile', 'empty', 500_000),
        ], [Bound('TfSpooledFile', 1.45, ('a GObject',))]),
    ]),
    Item('memory', 'Resident memory', 'bytes', [
        Case('each of 100 000 live files of 1 KiB', [
            ours('TfSpooledFile', 'live', KIB, 100_000),
            peer(GIO_OUT, 'gio', 'live', KIB, 100_000),
        ], [Bound('TfSpooledFile', 2.5 * KIB)]),
        Case('each of 1 000 000 live files without content', [
            ours('TfSpooledFile', 'resident', 0, 1_000_000),
        ], [Bound('TfSpooledFile', 450)]),
        Case('peak while 256 MiB are written, 64 KiB at a time', [
            ours('TfSpooledFile', 'peak', 64 * KIB, 256 * MIB),
        ], [Bound('TfSpooledFile', 1.1 * 256 * MIB + 4 * MIB)]),
        Case('peak while 1 MiB is written, 64 bytes at a time', [
            ours('TfSpooledFile', 'peak', 64, MIB),
        ], [Bound('TfSpooledFile', 1.1 * MIB + 4 * MIB)]),
        *(in_group(size) for size in (100 * KIB, 300 * KIB, MIB, 2_202_010, 20 * MIB)),
    ], rounds=3, tables=[
        Table('each live file', [
            ours('TfSpooledFile', 'resident', '{n}', '{count}'),
            peer('GByteArray', 'gio', 'resident-array', '{n}', '{count}'),
            peer(GIO_OUT, 'gio', 'resident', '{n}', '{count}'),
            peer(PYTHON, 'python', 'resident', '{n}', '{count}'),
            peer(RUST, 'rust', 'resident', '{n}', '{count}'),
        ], SIZES, 1.15, 4 * KIB, 'TfSpooledFile'),
    ]),
    Item('descriptors', 'Descriptors taken when memory is short', 'descriptors', [
        descriptors('1000 small files and a large one, beyond the budget', 'edge', 1000),
        descriptors('3000 small files and a large one, low memory', 'low-memory', 3000),
    ], rounds=1),
    Item('longest-write', 'The longest write of a file that rolls over at', 'ns', [
        longest(size * MIB) for size in (1, 64, 256, 1024)
    ], rounds=3),
    Item('python', 'A call from Python', 'ns', binding('python-gi', 100_000), rounds=3),
    Item('gjs', 'A call from JavaScript', 'ns', javascript(200_000), rounds=3),
    Item('growth', 'How the time grows', 'ns', [], rounds=5, growth=[
        growth('bytes written into memory, 64 at a time', BYTES, 64, 'grow-memory', 'direct', 64, '{n}'),
        growth('bytes written into memory, through the stream', BYTES, 64, 'grow-memory', 'stream', 64, '{n}'),
        growth('bytes read from memory, 64 at a time', BYTES, 64, 'drain-memory', 'direct', 64, '{n}'),
        growth('bytes written to disk, 64 at a time', BYTES, 64, 'fill-disk', 'direct', 64, '{n}', '{dir}'),
        growth('bytes read from disk, 64 at a time', BYTES, 64, 'drain-disk', 'direct', 64, '{n}', '{dir}'),
        growth('bytes rolled over', BYTES, 0, 'rollover', '{n}', 4, '{dir}'),
        growth('unnamed files', FILES, 1, 'unnamed', '{n}', '{dir}', place='tmpfs'),
        growth('named files', FILES, 1, 'named', '{n}', '{dir}', place='tmpfs'),
        growth('empty directories', FILES, 1, 'dir', '{n}', '{dir}', place='tmpfs'),
        growth('files of 1 KiB in memory', (4000, 20_000, 100_000), 1, 'object', KIB, '{n}'),
        growth('removed directories of 100 files', (20, 100, 500), 0, 'tree', '{dir}', 'wide', '{n}', place='tmpfs'),
        growth('removed files of one directory', (2000, 10_000, 50_000), 0, 'tree', '{dir}', 'flat', '{n}', place='tmpfs'),
        growth('removed chain of directories', (200, 800, 3200), 0, 'tree', '{dir}', 'deep', '{n}', place='tmpfs'),
    ]),
]
