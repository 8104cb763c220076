# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs CPython's own tests of io.BytesIO and io.BufferedRandom with files of Tf in their place, of all kinds and in both
stages.

Debian has them in libpython3.N-testsuite. The cases that do not apply are listed here, each with its reason.

Usage: cpython_io.py [--without-module], as where the extension module was not built
"""

import sys
import unittest

try:
    from test import test_io, test_memoryio
except ImportError:
    print('skipped: the test suite of Python is not installed')
    sys.exit(77)

if '--without-module' in sys.argv:
    sys.modules['gi.overrides._gi_tf'] = None

from sandbox import Tf  # noqa: E402


class Filled:
    """Gives a file the constructor and getvalue() of io.BytesIO, which the tests look at the content with."""

    ARGUMENTS = {}

    def __init__(self, initial_bytes=b''):
        super().__init__(**self.ARGUMENTS)
        self.truncate(0)
        self.write(b'' if initial_bytes is None else initial_bytes)
        self.seek(0)

    def getvalue(self):
        if self.closed:
            raise ValueError
        return self.load_bytes().get_data() or b''


class InMemory(Filled, Tf.SpooledTemporaryFile):
    ARGUMENTS = {'max_size': 0}


class RolledOver(Filled, Tf.SpooledFile):
    ARGUMENTS = {'max_size': 0}


class Unnamed(Filled, Tf.TemporaryFile):
    pass


class Named(Filled, Tf.NamedTemporaryFile):
    pass


ON_DISK = RolledOver, Unnamed, Named
KINDS = InMemory, *ON_DISK
WITH_MODULE = () if '--without-module' in sys.argv else KINDS

# Of BytesIO, with the kinds of files to which they do not apply
NOT_OF_BYTES = {
    'test_getbuffer': (KINDS, 'no method of a file'),
    'test_getbuffer_empty': (KINDS, 'no method of a file'),
    'test_getbuffer_gc_collect': (KINDS, 'no method of a file'),
    'test_write_concurrent_export': (KINDS, 'no method of a file'),
    'test_writelines_concurrent_export': (KINDS, 'no method of a file'),
    'test_memory_error': (WITH_MODULE, 'no memory of Python is needed'),
    'test_pickling': (KINDS, 'files cannot be pickled'),
    'test_detach': ((Unnamed, Named), 'there is a raw file, as in what tempfile returns'),
    'test_relative_seek': (ON_DISK, 'a negative position is an OSError on disk, as in what tempfile returns'),
    'test_seek': (ON_DISK, 'a negative position is an OSError on disk'),
    'test_truncate': (ON_DISK, 'a negative size is an OSError on disk'),
}

# Of BufferedRandom, those whose raw file is an io.BytesIO that nobody else writes
OF_BUFFERED = [
    'test_flush_and_write', 'test_interleaved_read_write', 'test_interleaved_readline_write', 'test_seek_and_tell',
    'test_truncate_after_read_or_write', 'test_write_after_readahead', 'test_write_rewind_write',
]

# Those in which somebody else writes, who needs a name for that
OF_SHARED = ['test_flush_and_peek', 'test_flush_and_read', 'test_flush_and_readinto']


class Raw:
    """What is below a file, for those who look at it there."""

    def __init__(self, content=b''):
        self.content = content
        self.file = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def fill(self, kind):
        self.file = kind(self.content)
        self.file.flush()
        self.below = open(self.file.name, 'r+b', buffering=0) if kind is Named else None
        return self.file

    def getvalue(self):
        if self.below is None:
            return self.file.getvalue()
        self.below.seek(0)
        return self.below.read()

    def seek(self, offset, whence=0):
        return self.below.seek(offset, whence)

    def write(self, data):
        return self.below.write(data)


class Operations:
    """The helpers of CPython's tests of files that take one."""

    def test_write(self):
        with self.kind() as file:
            self.write_ops(file)

    def test_read(self):
        with self.kind(b'hello world\n') as file:
            self.read_ops(file, True)

    def test_large_file(self):
        with self.kind() as file:
            self.large_file_ops(file)


def load(kind, what, bases, names, **members):
    case = type(f'{kind.__name__}_{what}', bases, {'kind': kind, **members})
    return [case(name) for name in names]


def of_bytes(kind):
    names = unittest.defaultTestLoader.getTestCaseNames(test_memoryio.PyBytesIOTest)
    return load(kind, 'bytes', (test_memoryio.PyBytesIOTest,),
                [name for name in names if kind not in NOT_OF_BYTES.get(name, ((), ''))[0]], ioclass=kind)


def of_buffered(kind):
    names = OF_BUFFERED + (OF_SHARED if kind is Named else [])
    return load(kind, 'buffered', (test_io.BufferedRandomTest,), names,
                tp=staticmethod(lambda raw, buffer_size=None: raw.fill(kind)), BytesIO=Raw)


def of_operations(kind):
    names = ['test_write', 'test_read', *([] if kind is InMemory else ['test_large_file'])]
    return load(kind, 'operations', (Operations, test_io.IOTest), names)


def main():
    tests = [test for kind in KINDS for load_some in (of_bytes, of_buffered, of_operations) for test in load_some(kind)]
    result = unittest.TextTestRunner(verbosity=1).run(unittest.TestSuite(tests))
    names = unittest.defaultTestLoader.getTestCaseNames(test_memoryio.PyBytesIOTest)
    unknown = sorted(set(NOT_OF_BYTES) - set(names)) if sys.version_info[:2] == (3, 14) else []
    if unknown:
        print(f'No such case: {unknown}')
    sys.exit(not result.wasSuccessful() or bool(unknown))


main()
