# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

import array
import contextlib
import csv
import errno
import functools
import gc
import gzip
import importlib
import io
import itertools
import multiprocessing
import os
import pathlib
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import tracemalloc
import types
import unittest
import unittest.mock
import zipfile

from gi.repository import Gio, GLib

from sandbox import TestCase, Tf

LINES = [b'one\n', b'\n', b'x' * 1000 + b'\n', b'last']
ALL = {
    'TempFile': lambda **kwargs: Tf.TempFile(**kwargs),
    'NamedFile': lambda **kwargs: Tf.NamedFile(**kwargs),
    'SpooledFile in memory': lambda **kwargs: Tf.SpooledFile(max_size=-1, **kwargs),
    'SpooledFile on disk': lambda **kwargs: Tf.SpooledFile(max_size=0, **kwargs),
    'SpooledFile across': lambda **kwargs: Tf.SpooledFile(max_size=10, **kwargs),
}


def for_all_files(function):
    def test(self):
        for name, create in ALL.items():
            with self.subTest(name):
                function(self, create)
    return test


class BinaryTest(TestCase):
    @for_all_files
    def test_is_a_binary_file(self, create):
        with create() as file:
            self.assertIsInstance(file, io.IOBase)
            self.assertTrue(file.readable() and file.writable() and file.seekable())
            self.assertFalse(file.closed or file.isatty())
            self.assertIn(file.mode, ('rb+', 'w+b'))
            self.assertNotIsInstance(file, os.PathLike)
            for name in 'encoding', 'errors', 'newlines', 'buffer', 'line_buffering', 'reconfigure':
                self.assertFalse(hasattr(file, name))
        self.assertTrue(file.closed)

    def test_drop_in_is_what_open_returns(self):
        with Tf.TemporaryFile() as file:
            self.assertIsInstance(file, io.BufferedIOBase)
            self.assertNotIsInstance(file, io.TextIOBase)
        with Tf.TemporaryFile('w+') as file:
            self.assertIsInstance(file, io.TextIOBase)
            self.assertNotIsInstance(file, io.BufferedIOBase)

    @for_all_files
    def test_modes(self, create):
        for mode, readable, writable, shown in (
                ('rb', True, False, 'rb'), ('wb', False, True, 'wb'), ('ab', False, True, 'ab'), ('xb', False, True, 'xb'),
                ('r+b', True, True, 'rb+'), ('a+b', True, True, 'ab+'), ('x+b', True, True, 'xb+')):
            with self.subTest(mode), create(mode=mode) as file:
                if isinstance(file, Tf.SpooledFile):
                    self.assertEqual(file.mode, mode)
                    self.assertTrue(file.readable() and file.writable())
                    file.rollover()
                self.assertEqual((file.readable(), file.writable(), file.mode), (readable, writable, shown))
                calls = [lambda: file.write(b'x'), lambda: file.writelines([b'x']), lambda: file.truncate(0)]
                if not writable:
                    for call in calls:
                        self.assertRaises(io.UnsupportedOperation, call)
                calls = [file.read, file.readline, file.readlines, file.peek, lambda: next(file),
                         lambda: file.readinto(bytearray(1))]
                if not readable:
                    for call in calls:
                        self.assertRaises(io.UnsupportedOperation, call)

    @for_all_files
    def test_raw(self, create):
        with create() as file:
            file.write(b'Hello world!')
            if isinstance(file, Tf.SpooledFile) and not file.is_rolled_over():
                self.assertFalse(hasattr(file, 'raw'))
                self.assertRaises(io.UnsupportedOperation, file.detach)
                return
            self.assertEqual(file.raw.tell(), 12)
            file.raw.seek(6)
            self.assertEqual(file.read(), b'world!')
            with file.detach() as raw:
                self.assertTrue(file.closed)
                raw.seek(0)
                self.assertEqual(raw.read(), b'Hello world!')

    @for_all_files
    def test_peek(self, create):
        with create() as file:
            file.write(b'0123456789abcdef')
            file.seek(4)
            self.assertEqual(file.peek(), b'456789abcdef')
            self.assertTrue(file.peek(3).startswith(b'456'))
            self.assertEqual(file.tell(), 4)
            file.seek(0, os.SEEK_END)
            self.assertEqual(file.peek(1), b'')

    def test_peek_where_nothing_is_read_ahead(self):
        with Tf.NamedFile(buffering=0) as file:
            file.write(b'0123456789')
            file.seek(4)
            self.assertEqual(file.peek(), b'456789')
            self.assertEqual(file.readline(3), b'456')
            file.write(b'\nnext\n')
            file.seek(0)
            self.assertEqual(list(file), [b'0123456\n', b'next\n'])

    @for_all_files
    def test_types_of_arguments(self, create):
        class Three:
            def __index__(self):
                return 3

        with create() as file:
            file.write(b'01234')
            for call in (lambda: file.seek(1.5), lambda: file.read(1.5), lambda: file.truncate(1.0),
                         lambda: file.readline('x'), lambda: file.readlines(1.5), lambda: file.seek('0'),
                         lambda: file.seek(0, 'x'), lambda: file.write('text'), lambda: file.read(1, 2),
                         lambda: file.read(1, None, None), lambda: file.seek(), lambda: file.write(),
                         lambda: file.read(sizes=1), lambda: file.readinto(b'x'), lambda: file.writelines(7)):
                self.assertRaises(TypeError, call)
            self.assertEqual(file.seek(Three()), 3)
            self.assertEqual(file.truncate(Three()), 3)
            self.assertRaises(TypeError, file.peek, 1, 2)
            file.seek(0)
            self.assertEqual(file.read(Three()), b'012')
            self.assertEqual(file.read(size=None), b'')
            self.assertEqual(file.seek(offset=1, whence=os.SEEK_SET), 1)

    def test_holes(self):
        with Tf.TempFile() as file:
            file.seek(1 << 20)
            file.write(b'x')
            self.assertIn(file.seek(0, os.SEEK_DATA), (0, 1 << 20))
            self.assertIn(file.seek(0, os.SEEK_HOLE), (0, (1 << 20) + 1))
            file.seek(1 << 20)
            self.assertEqual(file.read(), b'x')
        with Tf.SpooledFile() as file, self.assertRaises(ValueError):
            file.seek(0, os.SEEK_DATA)
        with Tf.NamedFile() as file, self.assertRaises(OSError) as caught:
            file.seek(1, os.SEEK_DATA)
        self.assertEqual(caught.exception.filename, file.name)

    def test_buffering(self):
        with self.assertWarns(RuntimeWarning) as caught:
            Tf.TempFile(buffering=1).close()
        self.assertEqual(caught.filename, __file__)
        for create in Tf.TempFile, Tf.NamedFile, Tf.SpooledFile:
            with self.assertRaises(TypeError):
                create(buffering='x')

    @for_all_files
    def test_same_calls_as_bytes_io(self, create):
        calls = [
            ('write', b'Hello world!\n'), ('write', bytearray(b'second\n')), ('tell',), ('seek', 0), ('read', 3),
            ('readline',), ('readline', 2), ('read',), ('read',), ('read', 0), ('seek', -4, os.SEEK_END),
            ('seek', 1, os.SEEK_CUR), ('read1', 2), ('read1',), ('truncate', 7), ('tell',), ('seek', 0),
            ('read', None), ('seek', 5), ('truncate',), ('write', memoryview(b'abcdef')[::2]), ('seek', 0),
            ('readlines',), ('seek', 30), ('write', b'after a gap'), ('seek', 0), ('readlines', 1), ('read',),
            ('writelines', [b'a\n', b'b']), ('seek', 0), ('readlines', None), ('readline',), ('flush',),
        ]
        model = io.BytesIO()
        with create() as file:
            for name, *arguments in calls:
                if name == 'write' and isinstance(arguments[0], memoryview):
                    expected = model.write(arguments[0].tobytes())
                else:
                    expected = getattr(model, name)(*arguments)
                self.assertEqual(getattr(file, name)(*arguments), expected, (name, arguments))
            self.assertEqual(file.get_size(), len(model.getvalue()))

    @for_all_files
    def test_lines(self, create):
        with create() as file:
            file.writelines(LINES)
            file.seek(0)
            self.assertEqual(next(file), LINES[0])
            self.assertEqual(file.tell(), len(LINES[0]))
            self.assertEqual(list(file), LINES[1:])
            file.seek(0)
            self.assertEqual(file.readlines(), LINES)

    @for_all_files
    def test_parts_of_lines(self, create):
        with create() as file:
            file.writelines(LINES)
            for sizes in (4, 3, 1000), (1000, 1, 999):
                file.seek(0)
                model = io.BytesIO(b''.join(LINES))
                for size in sizes * 3:
                    self.assertEqual(file.readline(size), model.readline(size))
                    self.assertEqual(file.tell(), model.tell())
            file.seek(0)
            self.assertEqual(file.readlines(1), LINES[:1])
            self.assertEqual(file.readline(None), LINES[1])
            self.assertEqual(file.load_bytes().get_data(), b''.join(LINES))
            file.seek(0)
            stop = LINES[0][-2:-1]
            self.assertEqual(file.read_upto(stop), LINES[0][:-2])
            self.assertEqual(file.read_upto(stop), b'')
            file.seek(0, os.SEEK_END)
            self.assertIsNone(file.read_upto(stop))
            with self.assertRaises(ValueError):
                file.read_upto(b'')
            for content in b'x', bytearray(b'x'), array.array('B', b'x'), GLib.Bytes(b'x'):
                self.assertTrue(file.write_bytes(content))
            self.assertIsNone(file.read_line())
            self.assertEqual(file.readline(), b'')
        for call in file.readline, file.readlines, lambda: next(file):
            with self.assertRaises(ValueError):
                call()

    def test_persist(self):
        with Tf.TempDir() as path:
            for destination in os.path.join(path, 'str'), os.fsencode(os.path.join(path, 'bytes')), \
                    pathlib.Path(path, 'path'), Gio.File.new_for_path(os.path.join(path, 'file')):
                with Tf.TempFile() as file:
                    file.write(b'x')
                    self.assertEqual(file.persist(destination).get_parent().get_path(), path)
            self.assertEqual(sorted(os.listdir(path)), ['bytes', 'file', 'path', 'str'])
            with Tf.NamedFile() as file:
                self.assertTrue(file.persist(destination=os.path.join(path, 'str'), flags=Tf.PersistFlags.REPLACE))
                with self.assertRaises(GLib.Error):
                    file.persist(os.path.join(path, 'str'), Tf.PersistFlags.NONE, None)
                told = []
                final = file.persist(os.path.join(path, 'str'), Tf.PersistFlags.UNIQUE,
                                     progress_callback=lambda *args: told.append(args))
                self.assertEqual(told, [(0, 0)])
                self.assertEqual(final.get_path(), os.path.join(path, 'str (1)'))
            for wrong in (), (7,), (None,):
                with self.assertRaises(TypeError):
                    Tf.TempFile().persist(*wrong)

    @for_all_files
    def test_any_buffer(self, create):
        numbers = array.array('I', [1, 2, 3])
        with create() as file:
            self.assertEqual(file.write(numbers), 12)
            file.seek(0)
            into = array.array('I', [0] * 4)
            self.assertEqual(file.readinto(into), 12)
            self.assertEqual(into, array.array('I', [1, 2, 3, 0]))
            file.seek(0)
            self.assertEqual(file.readinto1(bytearray(5)), 5)
            for wrong in 'text', 7, None, ['x']:
                with self.assertRaises(TypeError):
                    file.write(wrong)

    def test_numpy(self):
        try:
            import numpy
        except ImportError:
            self.skipTest('numpy is not installed')
        with Tf.TempFile() as file:
            numpy.save(file, numpy.arange(1000.0))
            file.seek(0)
            self.assertEqual(numpy.load(file).sum(), 499500.0)

    @for_all_files
    def test_spelling_of_gio(self, create):
        with create() as file:
            cancellable = Gio.Cancellable()
            self.assertEqual(file.write(b'0123456789abcdef', cancellable), 16)
            self.assertIs(file.seek(-2, GLib.SeekType.END, cancellable), True)
            self.assertEqual(file.read(1, cancellable), b'e')
            self.assertIs(file.seek(0, GLib.SeekType.SET), True)
            self.assertIs(file.seek(1, GLib.SeekType.CUR, None), True)
            self.assertEqual(file.tell(), 1)
            self.assertEqual(file.seek(0, os.SEEK_END), 16)
            file.truncate(4, cancellable)
            self.assertEqual(file.get_size(), 4)
            file.close(cancellable)
        self.assertTrue(file.is_closed())

    @for_all_files
    def test_streams_of_gio(self, create):
        with create() as file:
            file.get_output_stream().write_all(b'Hello world!', None)
            self.assertEqual(file.tell(), 12)
            file.seek(6)
            self.assertEqual(file.get_input_stream().read_bytes(5, None).get_data(), b'world')
            self.assertEqual(file.read(), b'!')

    @for_all_files
    def test_cancelled(self, create):
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        with create() as file:
            for call in (lambda: file.write(b'x', cancellable), lambda: file.read(1, cancellable),
                         lambda: file.seek(0, 0, cancellable), lambda: file.truncate(0, cancellable)):
                with self.assertRaises(GLib.Error) as caught:
                    call()
                self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))

    @for_all_files
    def test_wrong_seeks(self, create):
        with create() as file:
            file.write(b'01234')
            if isinstance(file, Tf.SpooledFile) and not file.is_rolled_over():
                for call in file.seek, file.truncate:
                    self.assertRaisesRegex(ValueError, 'negative', call, -1)
                self.assertEqual(file.seek(-9, os.SEEK_CUR), 0)
                self.assertEqual(file.seek(-9, os.SEEK_END), 0)
                self.assertRaises(OverflowError, file.seek, 1 << 63)
            else:
                self.assertRaises(ValueError, file.seek, 1 << 63)
                for call in (lambda: file.seek(-1), lambda: file.truncate(-1), lambda: file.seek(-9, os.SEEK_CUR),
                             lambda: file.seek(-9, os.SEEK_END)):
                    with self.assertRaises(OSError) as caught:
                        call()
                    self.assertEqual(caught.exception.errno, errno.EINVAL)
            for whence in 7, -1:
                with self.assertRaises(ValueError):
                    file.seek(0, whence)

    def test_text_truncated_to_negative_size(self):
        for create, error in (Tf.SpooledFile, ValueError), (Tf.TempFile, OSError):
            with create(mode='w+') as file:
                file.write('01234')
                self.assertRaises(error, file.truncate, -5)
                self.assertEqual(file.truncate(2), 2)

    @for_all_files
    def test_closed(self, create):
        file = create()
        file.close()
        file.close()
        calls = ('read', 'readline', 'readlines', 'tell', 'flush', 'fileno', 'readable', 'isatty', 'truncate',
                 '__enter__', '__iter__', '__next__')
        for name in calls:
            with self.subTest(name), self.assertRaises(ValueError):
                getattr(file, name)()
        for name, argument in (('write', b'x'), ('writelines', []), ('seek', 0), ('readinto', bytearray(1))):
            with self.subTest(name), self.assertRaises(ValueError):
                getattr(file, name)(argument)
        with self.assertRaises(GLib.Error) as caught:
            file.write(b'x')
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CLOSED))

    @for_all_files
    def test_closed_after_an_exception(self, create):
        with self.assertRaises(ZeroDivisionError):
            with create() as file:
                1 / 0
        self.assertTrue(file.closed)


class FlushTest(TestCase):
    """What is flushed is in the kernel, or there is an error: on a disk that takes no more bytes, it is one."""

    def setUp(self):
        super().setUp()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGXFSZ, handler)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, limits)

    def assert_refuses(self, write, flush):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        write()
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
        with self.assertRaises((OSError, GLib.Error)):
            flush()
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        flush()

    def each(self):
        for create in Tf.TempFile, Tf.NamedFile, lambda: Tf.SpooledFile(max_size=0):
            file = create()
            with self.subTest(type(file)), file:
                yield file

    def test_file(self):
        for file in self.each():
            self.assert_refuses(lambda: file.write(b'x' * 100), file.flush)

    def test_output_stream(self):
        for file in self.each():
            stream = file.get_output_stream()
            self.assert_refuses(lambda: stream.write(b'x' * 100), stream.flush)

    def test_text_stream(self):
        for file in self.each():
            stream = Tf.TextStream(file)
            self.assert_refuses(lambda: stream.write('x' * 100), stream.flush)

    def test_text_file(self):
        file = Tf.TempFile('w+')
        self.assert_refuses(lambda: file.write('x' * 100), file.flush)

    def test_asking_of_text(self):
        """It brings the text to the bytes, and does not write them."""
        for create in Tf.TempFile, Tf.NamedFile, functools.partial(Tf.SpooledFile, 0):
            file = create(mode='w+')
            if isinstance(file, Tf.SpooledFile):
                file.rollover()
            file.write('x' * 100)
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
            self.assertEqual(file.get_size(), 100)
            self.assertEqual(file.open_reader().read_bytes(200, None).get_data(), b'x' * 100)
            with self.assertRaises(OSError):
                file.flush()
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            file.flush()
            self.assertEqual(os.fstat(file.fileno()).st_size, 100)
            file.close()

    def each_text(self):
        """Text files that write through, or whose descriptor is known."""
        for create in (functools.partial(Tf.NamedFile, buffered=False), functools.partial(Tf.NamedTemporaryFile, buffered=False),
                       Tf.NamedFile, Tf.TempFile, Tf.TemporaryFile, Tf.SpooledFile):
            file = create(mode='w+')
            if not isinstance(file, Tf.NamedFile) or file.props.buffered:
                file.fileno()
            with self.subTest(create), file:
                yield file

    def assert_text(self, file, text):
        """Also in the kernel."""
        file.flush()
        with open(f'/proc/self/fd/{file.fileno()}') as other:
            self.assertEqual(other.read(), text)
        file.seek(0)
        self.assertEqual(file.read(), text)

    def test_text_on_a_full_disk(self):
        """A text forgets what its bytes refuse, so they keep it."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        for file in self.each_text():
            text = ''.join(chr(32 + i % 90) for i in range(200))
            file.write(text[:100])
            for full in 0, 70:
                resource.setrlimit(resource.RLIMIT_FSIZE, (full, limits[1]))
                for refused in file.open_reader, file.load_bytes, file.flush, lambda: file.read(1), file.buffer.read1, \
                        lambda: file.seek(0), lambda: file.truncate(1), file.fileno, lambda: next(file.buffer):
                    self.assertEqual((file.get_size(), file.tell()), (100, 100))
                    with self.assertRaises(OSError):
                        refused()
            file.write(text[100:])
            self.assertEqual((file.get_size(), file.tell()), (200, 200))
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            self.assertEqual(file.open_reader().read_bytes(300, None).get_data().decode(), text)
            self.assert_text(file, text)

    def test_much_text_on_a_full_disk(self):
        """As much is kept as a file holds back, and all that a write() has taken, whatever it is that fails."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        for size, most in itertools.product((100, 4000, 200_000), (20, 34, 1000)):
            for file in self.each_text():
                resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
                written = []
                with self.assertRaises(OSError) as raised:
                    while len(written) < most:
                        text = f'{len(written):0{size - 1}}\n'
                        file.write(text)
                        written.append(text)
                    file.flush()
                self.assertEqual(raised.exception.errno, errno.EFBIG)
                self.assertLess(len(written) * size, 65536 + 2 * 8192 + 2 * size)
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
                self.assert_text(file, ''.join(written))

    def test_fork_on_a_full_disk(self):
        """What the disk refused is the parent's to write."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        for do in lambda file: file.flush(), lambda file: file.close(), lambda file: file.read(), lambda file: file.tell():
            for file in self.each_text():
                resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
                file.write('x' * 1000)
                with self.assertRaises(OSError):
                    file.flush()
                child = os.fork()
                if child == 0:
                    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
                    try:
                        do(file)
                    finally:
                        os._exit(os.fstat(file.fileno()).st_size > 10 if not file.closed else 0)
                self.assertEqual(os.waitpid(child, 0)[1], 0)
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
                self.assert_text(file, 'x' * 1000)

    def test_fork_in_memory(self):
        """The child has a copy of the file, and of what was refused."""
        with Tf.SpooledFile(10, 'w+', dir='/nowhere') as file:
            file.write('x' * 1000)
            self.assertRaises(OSError, file.flush)
            child = os.fork()
            if child == 0:
                os._exit(file.get_size() != 1000)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            self.assertEqual(file.get_size(), 1000)
            file.buffer.ends = True
            self.assertRaises(OSError, file.close)

    def test_bytes_of_a_text_on_a_full_disk(self):
        """Who writes to the bytes of a text hears of it before they take all memory."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        for file in self.each_text():
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
            n_written = 0
            with self.assertRaises(OSError) as raised:
                while n_written < 100 << 20:
                    n_written += file.buffer.write(b'x' * 100_000)
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            self.assertEqual(raised.exception.errno, errno.EFBIG)
            self.assert_text(file, 'x' * n_written)

    def test_much_text_while_the_file_is_busy(self):
        for ask in (lambda file: None), (lambda file: file.get_size()), (lambda file: file.tell()):
            for file in self.each_text():
                done, text = [], ''
                file.flush_async(GLib.PRIORITY_DEFAULT, None, lambda file, result: done.append(file.flush_finish(result)))
                for i in range(2000):
                    text += f'{i:099}\n'
                    self.assertEqual(file.write(f'{i:099}\n'), 100)
                    ask(file)
                while not done:
                    GLib.MainContext.default().iteration(True)
                self.assert_text(file, text)

    def assert_refuses_while_closing(self, write):
        """The bytes may be closed before the file is."""
        with self.assertRaises((OSError, ValueError)) as raised:
            write()
        self.assertIn(getattr(raised.exception, 'errno', None), (errno.EBUSY, None))

    def test_text_that_is_refused_while_the_file_is_closed(self):
        """What nobody could write any more is not kept."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        for file in self.each_text():
            sys.modules['gi.overrides.Tf'].refuse_text(file)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
            with self.assertRaises(OSError) as raised:
                file.write('refused')
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            self.assertEqual((raised.exception.errno, file.get_size()), (errno.EFBIG, 0))
            file.write('taken')
            self.assert_text(file, 'taken')

    def test_text_while_the_file_is_closed(self):
        for file in self.each_text():
            file.write('first')
            done = []
            file.close_async(GLib.PRIORITY_DEFAULT, None, lambda file, result: done.append(file.close_finish(result)))
            self.assert_refuses_while_closing(lambda: file.write('second'))
            while not done:
                GLib.MainContext.default().iteration(True)
            self.assertRaises(ValueError, file.write, 'third')

    def test_ways_to_write_while_the_file_is_closed(self):
        class Named(Tf.NamedFile):
            def write(self, text):
                return super().write(text)

        def write_row(file):
            return csv.writer(file).writerow(['abc'])

        ways = (lambda file: file.writelines(['abc', 'def']), lambda file: file.file.write('abc'), write_row,
                lambda file: file.buffer.write(b'abc'), lambda file: print('abc', file=file))
        for create, way, name in itertools.product((Tf.NamedFile, Named), ways, ('close', 'steal_bytes')):
            if name == 'steal_bytes' and create is Named:
                continue
            file = create(mode='w+')
            bound = file.write
            file.write('first')
            done = []
            getattr(file, f'{name}_async')(GLib.PRIORITY_DEFAULT, None, lambda file, result: done.append(result))
            for write in way, lambda file: bound('abc'):
                with self.subTest(create=create, way=ways.index(way), name=name):
                    self.assert_refuses_while_closing(lambda: write(file))
            while not done:
                GLib.MainContext.default().iteration(True)
            getattr(file, f'{name}_finish')(done[0])
            self.assertTrue(file.closed)

    def assert_names_are_done(self, create):
        for way, is_there in (
                (Tf.NamedFile.unlink, False),
                (lambda file: file.keep(), True),
                (lambda file: file.hand_over(0), True),
                (lambda file: file.set_delete_policy(Tf.DeletePolicy.NEVER), True),
                (lambda file: setattr(file, 'delete', False), True)):
            file = create()
            path = file.name
            way(file)
            self.assertEqual(os.path.exists(path), is_there)
            yield file
            file.close()
            pathlib.Path(path).unlink(missing_ok=True)

    def test_names_on_a_full_disk(self):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)

        def create():
            file = Tf.NamedFile('w+', buffered=False)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
            file.write('refused')
            with self.assertRaises(OSError):
                file.flush()
            return file

        for file in self.assert_names_are_done(create):
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            self.assert_text(file, 'refused')

    def test_names_while_the_file_is_busy(self):
        done = []

        def create():
            file = Tf.NamedFile('w+')
            file.flush_async(GLib.PRIORITY_DEFAULT, None, lambda file, result: done.append(file.flush_finish(result)))
            file.write('later')
            return file

        for file in self.assert_names_are_done(create):
            while not done:
                GLib.MainContext.default().iteration(True)
            done.clear()
            self.assert_text(file, 'later')

    def test_reading_after_a_line(self):
        """What line reading has read ahead is not what reading returns, where others can change the file."""
        for read in (lambda file: file.read(4)), (lambda file: file.readinto(bytearray(4))):
            with Tf.NamedFile(buffering=0) as file:
                file.write(b'a\nbbbb\n')
                file.seek(0)
                self.assertEqual(file.readline(), b'a\n')
                with open(file.name, 'r+b') as other:
                    other.truncate(4)
                self.assertIn(read(file), (b'bb', 2))

    def test_time_of_what_waits(self):
        """What is kept while the file is busy is not looked at with each write."""
        with Tf.TempFile('w+') as file:
            done = []
            file.flush_async(GLib.PRIORITY_DEFAULT, None, lambda file, result: done.append(file.flush_finish(result)))
            with unittest.mock.patch.object(type(file.buffer), 'write_kept', side_effect=AssertionError) as write_kept:
                for _ in range(2000):
                    file.write('x' * 100)
            write_kept.assert_not_called()
            while not done:
                GLib.MainContext.default().iteration(True)
            self.assert_text(file, 'x' * 200_000)

    def test_time_of_lines_that_wait(self):
        """With each of them, no more is copied than the first ones."""
        with Tf.TempFile('w+', buffering=1) as file:
            done = []
            file.flush_async(GLib.PRIORITY_DEFAULT, None, lambda file, result: done.append(file.flush_finish(result)))
            file.write('x' * 1_000_000 + '\n')
            tracemalloc.start()
            self.addCleanup(tracemalloc.stop)
            for _ in range(20):
                file.write('x\n')
            self.assertLess(tracemalloc.get_traced_memory()[1], 1_900_000)
            while not done:
                GLib.MainContext.default().iteration(True)
            self.assert_text(file, 'x' * 1_000_000 + '\n' + 'x\n' * 20)

    def test_lines_while_the_file_is_busy(self):
        for buffering in 1, -1:
            with Tf.TempFile('w+', buffering=buffering) as file:
                file.reconfigure(line_buffering=True)
                done = []
                file.flush_async(GLib.PRIORITY_DEFAULT, None, lambda file, result: done.append(file.flush_finish(result)))
                self.assertEqual(file.write('first\n'), 6)
                print('second', file=file)
                for flush in file.flush, lambda: print('', end='', file=file, flush=True):
                    with self.assertRaises(OSError):
                        flush()
                while not done:
                    GLib.MainContext.default().iteration(True)
                file.write('third\n')
                self.assertEqual(os.fstat(file.fileno()).st_size, 19)
                self.assert_text(file, 'first\nsecond\nthird\n')

    def test_bytes_of_a_detached_text_while_the_file_is_closed(self):
        file = Tf.TempFile('w+')
        file.write('first')
        buffer = file.detach()
        done = []
        file.close_async(GLib.PRIORITY_DEFAULT, None, lambda file, result: done.append(file.close_finish(result)))
        self.assert_refuses_while_closing(lambda: buffer.write(b'second'))
        while not done:
            GLib.MainContext.default().iteration(True)

    def test_text_after_stealing_was_cancelled(self):
        with Tf.SpooledFile(mode='w+') as file:
            file.write('first')
            done, cancellable = [], Gio.Cancellable()
            cancellable.cancel()
            file.steal_bytes_async(GLib.PRIORITY_DEFAULT, cancellable, lambda file, result: done.append(result))
            while not done:
                GLib.MainContext.default().iteration(True)
            self.assertRaises(OSError, file.steal_bytes_finish, done[0])
            self.assertFalse(file.write_through)
            file.write('second')
            file.seek(0)
            self.assertEqual(file.read(), 'firstsecond')

    def test_text_that_is_closed_on_a_full_disk(self):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        for file in self.each_text():
            file.write('x' * 100)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
            with self.assertRaises(OSError):
                file.get_input_stream()
            with self.assertRaises(OSError):
                file.close()
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            self.assertTrue(file.closed)

    def test_bytes_of_text_that_are_dropped(self):
        """What they keep is written, as by an io.BufferedWriter."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        file = Tf.NamedFile('w+', buffered=False)
        file.write('x' * 100)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
        with self.assertRaises(OSError):
            file.detach()
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        buffer = file.detach()
        self.assertEqual(os.path.getsize(file.name), 100)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
        self.assertEqual(buffer.write(b'y' * 100), 100)
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        del buffer
        file.__dict__.clear()
        gc.collect()
        self.assertEqual(pathlib.Path(file.name).read_bytes(), b'x' * 100 + b'y' * 100)
        Gio.IOStream.close(file, None)

    def test_unreadable_text_on_a_full_disk(self):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        with Tf.NamedFile('w', buffered=False) as file:
            file.write('x' * 100)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
            with self.assertRaises(OSError):
                file.open_reader()
            self.assertEqual((file.get_size(), file.tell()), (100, 100))
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            file.open_reader()
            self.assertEqual(os.path.getsize(file.name), 100)

    def test_position_while_iterating(self):
        """As for files of io, next() disables tell(), and what is asked in between does not enable it."""
        for create in Tf.TempFile, Tf.NamedFile, functools.partial(open, os.path.join(self.sandbox, 'file')):
            with create(mode='w+') as file:
                file.write('line\n' * 10)
                file.seek(0)
                for i, line in enumerate(file):
                    self.assertEqual(line, 'line\n')
                    if hasattr(file, 'get_size'):
                        self.assertEqual(file.get_size(), 50)
                        file.open_reader()
                        file.load_bytes()
                        file.is_closed()
                    with self.assertRaises(OSError):
                        file.tell()
                self.assertEqual((i, file.tell()), (9, 50))
        os.remove(file.name)

    def test_position_of_a_text_that_is_gone(self):
        file = Tf.TempFile('w+')
        tell = file._text.tell
        file.close()
        self.assertRaises(ValueError, tell)
        del file
        gc.collect()
        self.assertRaises(ValueError, tell)

    def test_asking_in_a_callback(self):
        told = []
        with Tf.TempFile(mode='w+') as file, Tf.TempDir() as path:
            file.write('before')

            def tell(*args):
                file.write('later')
                told.append((file.get_size(), file.tell()))
            file.persist(os.path.join(path, 'text'), progress_callback=tell)
            file.seek(0)
            self.assertEqual(told[0], (11, 11))
            self.assertEqual(file.read(), 'before' + 'later' * len(told))

    def test_writing_in_a_handler(self):
        """It comes after what the handler is called for."""
        with Tf.SpooledFile(max_size=10, mode='w+') as file:
            def write(spooled):
                file.write('later')
                # The streams that are used without the extension module refuse it here.
                with contextlib.suppress(OSError):
                    file.flush()
                told.append((file.get_size(), file.tell()))
            told = []
            file.connect('rolled-over', write)
            file.write('x' * 50)
            self.assertEqual(file.get_size(), 50)
            file.flush()
            self.assertEqual(told, [(55, 55)])
            file.seek(0)
            self.assertEqual(file.read(), 'x' * 50 + 'later')

    def test_threads_that_are_gone(self):
        """In a child, or while the interpreter ends, nobody waits for them."""
        forget = sys.modules['gi.overrides.Tf'].leave_to_parent
        begun, ended = threading.Event(), threading.Event()

        def wait(*args):
            begun.set()
            ended.wait()
        with Tf.SpooledFile(max_size=10, mode='w+') as file:
            file.write('x' * 50)
            self.assertEqual(file.get_size(), 50)
            file.connect('rolled-over', wait)
            writes = threading.Thread(target=file.flush)
            writes.start()
            begun.wait()
            begun.clear()
            asks = threading.Thread(target=file.buffer.ask, args=(wait,))
            asks.start()
            begun.wait()
            forget()
            with unittest.mock.patch('sys.is_finalizing', lambda: True):
                file.get_size(), file.tell()
            file.buffer.ask(forget)
            self.assertEqual(file.buffer.ask(file.get_size), file.get_size())
            ended.set()
            writes.join()
            asks.join()
            self.assertRaises(TypeError, file.buffer.ask)
            file.seek(0)
            self.assertEqual(file.read(), 'x' * 50)

    def test_end_of_with(self):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        with self.assertRaises(OSError):
            with Tf.TempFile() as file:
                file.write(b'x' * 100)
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))

    def test_others_see_it(self):
        with Tf.NamedFile() as file, Tf.NamedFile(buffering=0) as unbuffered:
            self.assertTrue(file.props.buffered)
            file.write(b'later')
            self.assertEqual(pathlib.Path(file.name).read_bytes(), b'')
            file.flush()
            self.assertEqual(pathlib.Path(file.name).read_bytes(), b'later')
            unbuffered.write(b'now')
            self.assertEqual(pathlib.Path(unbuffered.name).read_bytes(), b'now')

    def test_children(self):
        context = multiprocessing.get_context('fork')
        for file in self.each():
            file.write(b'P1')
            process = context.Process(target=lambda: print('C1', end='', file=io.TextIOWrapper(file), flush=True))
            process.start()
            process.join()
            file.write(b'P2')
            file.seek(0)
            self.assertEqual(file.read(), b'P1C1P2')

    def test_all_that_children_do(self):
        """What comes out of parent and child, compared with a file of the standard library."""
        for start in start_by_fork, start_by_multiprocessing, start_program:
            for flushes, child_writes, parent_writes in itertools.product((False, True), repeat=3):
                def run(file):
                    file.write(b'AAAA')
                    # Otherwise both processes would write what the standard library holds back.
                    if flushes or not isinstance(file, Tf.TempFile):
                        file.flush()
                    start(file, child_writes)
                    if parent_writes:
                        file.write(b'PPP')
                    file.seek(0)
                    return file.read()

                with tempfile.TemporaryFile(dir=self.sandbox) as file:
                    expected = run(file)
                for file in self.each():
                    with self.subTest(start=start.__name__, flushes=flushes, child_writes=child_writes,
                                      parent_writes=parent_writes):
                        self.assertEqual(run(file), expected)


def act_in_child(file, writes):
    if writes:
        file.write(b'CC')
    file.flush()


def start_by_fork(file, writes):
    pid = os.fork()
    if pid == 0:
        try:
            act_in_child(file, writes)
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


def start_by_multiprocessing(file, writes):
    process = multiprocessing.get_context('fork').Process(target=act_in_child, args=(file, writes))
    process.start()
    process.join()
    assert process.exitcode == 0


def start_program(file, writes):
    file.flush()
    subprocess.run(['printf', 'CC'] if writes else ['true'], stdout=file, check=True)


class LibraryTest(TestCase):
    """The standard library works on the files."""

    @for_all_files
    def test_zipfile(self, create):
        with create() as file:
            with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
                archive.writestr('name', b'content' * 1000)
            with zipfile.ZipFile(file) as archive:
                self.assertEqual(archive.read('name'), b'content' * 1000)
                self.assertIsNone(archive.testzip())

    @for_all_files
    def test_tarfile(self, create):
        with create() as file:
            with tarfile.open(fileobj=file, mode='w:gz') as archive:
                info = tarfile.TarInfo('name')
                info.size = 7000
                archive.addfile(info, io.BytesIO(b'content' * 1000))
            file.seek(0)
            with tarfile.open(fileobj=file) as archive:
                self.assertEqual(archive.extractfile('name').read(), b'content' * 1000)

    @for_all_files
    def test_gzip(self, create):
        with create() as file:
            with gzip.open(file, 'wb') as packed:
                packed.write(b'content' * 1000)
            file.seek(0)
            with gzip.open(file) as packed:
                self.assertEqual(packed.read(), b'content' * 1000)

    @for_all_files
    def test_pickle(self, create):
        value = {'numbers': list(range(1000)), 'bytes': bytes(100000)}
        with create() as file:
            pickle.dump(value, file)
            file.seek(0)
            self.assertEqual(pickle.load(file), value)

    @for_all_files
    def test_csv(self, create):
        rows = [['a', 'b, c'], ['"', 'line\nbreak'], ['ä', '']]
        with create(mode='w+', newline='', encoding='utf-8') as file:
            csv.writer(file).writerows(rows)
            file.seek(0)
            self.assertEqual(list(csv.reader(file)), rows)

    @for_all_files
    def test_copyfileobj(self, create):
        with create() as file, create() as copy:
            file.write(b'content' * 100000)
            file.seek(0)
            shutil.copyfileobj(file, copy)
            copy.seek(0)
            self.assertEqual(copy.read(), b'content' * 100000)

    @for_all_files
    def test_wrappers_of_io(self, create):
        with create() as file:
            file.write(b''.join(LINES))
            file.seek(0)
            reader = io.BufferedReader(file)
            self.assertEqual(list(reader), LINES)
            reader.detach()
            file.truncate(file.seek(0))
            text = io.TextIOWrapper(file, encoding='utf-16')
            text.write('Grüße\n')
            text.seek(0)
            self.assertEqual(text.readline(), 'Grüße\n')
            text.detach()

    @for_all_files
    def test_subprocess(self, create):
        with create() as source, create() as target:
            source.write(b'skipped, given')
            source.seek(9)
            subprocess.run(['cat'], stdin=source, stdout=target, check=True)
            target.write(b'!')
            target.seek(0)
            self.assertEqual(target.read(), b'given!')


class TextTest(TestCase):
    @for_all_files
    def test_as_open(self, create):
        with create(mode='w+', encoding='shift_jis', newline='\r\n', errors='replace', buffering=1) as text:
            self.assertIs(type(text.buffer.closed), bool)
            self.assertEqual((text.encoding, text.errors, text.mode, text.line_buffering),
                             ('shift_jis', 'replace', 'w+', True))
            self.assertEqual(text.write('日本\nä'), 4)
            self.assertEqual(text.get_size(), 7)
            text.seek(0)
            self.assertEqual(text.buffer.read(), '日本\r\n?'.encode('shift_jis'))
            self.assertEqual(text.buffer.tell(), 7)
            self.assertFalse(hasattr(text, 'readinto') or hasattr(text, 'raw'))
        self.assertTrue(text.closed and text.buffer.closed)

    @for_all_files
    def test_methods_of_the_file_see_the_text(self, create):
        with create(mode='w+', encoding='utf-8') as text:
            text.write('not flushed')
            self.assertEqual(text.get_size(), 11)
            with self.assertRaises(AttributeError):
                text.no_such_thing
            with self.assertRaises(AttributeError):
                text.__no_such_thing__
        self.assertEqual(text.get_size(), 0)

    def test_failing_construction(self):
        """Nobody knows the name of the file."""
        class Subclass(Tf.NamedFile):
            pass
        for create in Tf.NamedFile, Tf.NamedTemporaryFile, Subclass:
            for arguments in {'encoding': 'no-such-encoding'}, {'newline': 'x'}, {'errors': 5}:
                for delete in True, False:
                    with self.subTest(create, delete=delete, **arguments):
                        with self.assertRaises((LookupError, TypeError, ValueError)):
                            create('w', delete=delete, dir=self.sandbox, **arguments)
                        self.assertEqual(self.entries(), [])

    def test_default_encoding(self):
        """The warning is for who has not given one."""
        program = '''
import gi
gi.require_version('Tf', '1')
from gi.repository import Tf
for create in Tf.TempFile, Tf.NamedFile, Tf.SpooledFile, Tf.TemporaryFile:
    create(mode='w+').close()
    create(buffering=1, mode='w').close()
    create(mode='w+', encoding='utf-8').close()
'''
        run = subprocess.run([sys.executable, '-X', 'warn_default_encoding', '-W', 'always', '-c', program],
                             capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual([line for line in run.stderr.splitlines() if 'EncodingWarning' in line and 'gi/' not in line],
                         [f'<string>:{line}: EncodingWarning: \'encoding\' argument not specified' for line in (6, 7)] * 4)
        self.assertNotIn('overrides/Tf.py', run.stderr)
        with unittest.mock.patch.object(sys, 'flags', types.SimpleNamespace(warn_default_encoding=1)):
            with Tf.TempFile('w') as file:
                self.assertEqual(file.encoding, io.TextIOWrapper(io.BytesIO(), 'locale').encoding)

    def test_what_is_given_twice(self):
        cases = [
            (Tf.TemporaryFile, ('w+b',), {'mode': 'w+b'}),
            (Tf.NamedTemporaryFile, ('w+',), {'mode': 'w+'}),
            (Tf.SpooledTemporaryFile, (100,), {'max_size': 100}),
            (Tf.SpooledTemporaryFile, (100, 'w+b'), {'mode': 'w+b'}),
        ]
        for create, arguments, named in cases:
            with self.subTest(create, **named), self.assertRaises(TypeError):
                create(*arguments, **named)

    @for_all_files
    def test_wrong_modes(self, create):
        wrong = [
            {'mode': 'w+b', 'encoding': 'utf-8'}, {'mode': 'w+b', 'errors': 'strict'}, {'mode': 'wb', 'newline': ''},
            {'mode': 'w+', 'buffering': 0}, {'mode': 'bt'}, {'mode': 'w+bt'}, {'mode': 'rw'}, {'mode': 'ww'},
            {'mode': 'z'}, {'mode': ''}, {'mode': 'w+', 'newline': 'x'},
        ]
        for arguments in wrong:
            with self.subTest(arguments), self.assertRaises(ValueError):
                create(**arguments)
        with self.assertRaises(LookupError):
            create(mode='w+', encoding='no-such-encoding')

    def test_named(self):
        with Tf.NamedFile(mode='w+', delete_on_close=False) as text:
            text.write('x')
            path = text.name
            text.close()
            self.assertTrue(os.path.exists(path))
        self.assertFalse(os.path.exists(path))

    def test_spooled(self):
        with Tf.SpooledFile(10, 'w+', encoding='utf-8') as text:
            text.write('ä' * 6)
            text.rollover()
            self.assertTrue(text.is_rolled_over())
            text.seek(0)
            self.assertEqual(text.read(), 'ä' * 6)


class NamedFileTest(TestCase):
    def test_path(self):
        with Tf.NamedFile(prefix='report-', suffix='.txt') as file:
            self.assertEqual(self.entries(), [os.path.basename(file.name)])
            self.assertEqual(file.name, file.get_path())
            self.assertTrue(file.delete)
            file.write(b'Hello world!')
            file.flush()
            self.assertEqual(pathlib.Path(file.name).read_bytes(), b'Hello world!')
        self.assertEqual(self.entries(), [])

    def test_types_of_names(self):
        with Tf.TempDir() as path:
            for dir, expected in ((path, str), (os.fsencode(path), bytes), (pathlib.Path(path), str)):
                with Tf.NamedFile(dir=dir) as file:
                    self.assertIs(type(file.name), expected)
                    self.assertEqual(os.path.dirname(file.name), os.fsencode(path) if expected is bytes else path)
            for name in b'\xff', '\udcff', 'ä':
                with Tf.NamedFile(prefix=name, suffix=name) as file:
                    self.assertTrue(os.path.exists(file.name))
                    self.assertTrue(os.path.basename(file.name).startswith(name))
                    self.assertTrue(file.name.endswith(name))
            with self.assertRaises(TypeError):
                Tf.NamedFile(prefix=b'x', suffix='y')
            with self.assertRaises(TypeError):
                Tf.NamedFile(prefix=7)

    def test_delete(self):
        with Tf.NamedFile(delete=False) as file:
            pass
        self.assertFalse(file.delete)
        self.assertTrue(os.path.exists(file.name))
        os.remove(file.name)

        with Tf.NamedFile(delete_on_close=False) as file:
            file.close()
            self.assertTrue(os.path.exists(file.name))
        self.assertFalse(os.path.exists(file.name))

        file = Tf.NamedFile(delete_on_close=False)
        file.close()
        path = file.name
        self.assertTrue(os.path.exists(path))
        del file
        gc.collect()
        self.assertFalse(os.path.exists(path))

        with Tf.NamedFile(delete_policy=Tf.DeletePolicy.NEVER) as file:
            pass
        os.remove(file.name)

    def test_stranger_at_the_path(self):
        file = Tf.NamedFile()
        os.rename(file.name, file.name + '.moved')
        os.mkdir(file.name)
        with self.assertRaises(FileExistsError) as caught:
            file.close()
        self.assertEqual(caught.exception.errno, errno.EEXIST)
        os.rmdir(file.name)
        os.remove(file.name + '.moved')

    def test_replaced(self):
        """As editors do that save a file."""
        file = Tf.NamedFile()
        pathlib.Path(file.name + '.new').write_text('saved')
        os.replace(file.name + '.new', file.name)
        file.close()
        self.assertFalse(os.path.exists(file.name))


class SpooledFileTest(TestCase):
    def test_cancellable(self):
        with Tf.SpooledFile(cancellable=Gio.Cancellable()) as file:
            file.write(b'x')
            self.assertFalse(file.is_rolled_over())

    def test_rollover(self):
        seen = []
        with Tf.SpooledFile(max_size=10) as file:
            file.connect('rolled-over', lambda file: seen.append(file.get_size()))
            file.write(b'0123456789')
            self.assertFalse(file.is_rolled_over())
            self.assertIsNone(file.name)
            file.write(b'!')
            self.assertTrue(file.is_rolled_over())
            self.assertEqual(seen, [11])
            self.assertIs(type(file.name), int)
            self.assertIsNone(file.rollover())
        with Tf.SpooledFile() as file:
            self.assertEqual(file.get_max_size(), 1 << 20)
            file.rollover(None)
            self.assertTrue(file.is_rolled_over())

    def test_nothing_is_lost_when_the_directory_is_missing(self):
        file = Tf.SpooledFile(5, dir=os.path.join(self.sandbox, 'missing\udcff'))
        file.write(b'12345')
        with self.assertRaises(FileNotFoundError):
            file.write(b'6')
        with self.assertRaises(FileNotFoundError):
            file.fileno()
        file.seek(0)
        self.assertEqual(file.read(), b'12345')

    def test_no_space(self):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with Tf.SpooledFile(5) as file:
            file.write(b'12345')
            resource.setrlimit(resource.RLIMIT_FSIZE, (3, limits[1]))
            try:
                with self.assertRaises(OSError) as caught:
                    file.write(b'6')
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
                signal.signal(signal.SIGXFSZ, handler)
            self.assertEqual(caught.exception.errno, errno.EFBIG)
            self.assertIsInstance(caught.exception, GLib.Error)
            file.write(b'6')
            file.seek(0)
            self.assertEqual(file.read(), b'123456')


class ConstructionTest(TestCase):
    def test_permissions_and_properties(self):
        with Tf.TempFile(permissions=0o640) as file:
            self.assertEqual(file.props.mode, 0o640)
        with Tf.NamedFile(permissions=0o644, prefix='x') as file:
            self.assertEqual(file.props.prefix, 'x')
        for wrong in {'no_such_property': 1}, {'mode': 0o600}, {'permissions': 'x'}:
            with self.assertRaises(TypeError):
                Tf.TempFile(**wrong)

    def test_name_of_an_unnamed_file(self):
        with Tf.TempFile() as file:
            self.assertEqual(file.name, file.fileno())
            self.assertNotIsInstance(file, os.PathLike)

    def test_missing_dir(self):
        for create in Tf.TempFile, Tf.NamedFile, Tf.TempDir:
            with self.assertRaises(FileNotFoundError) as caught:
                create(dir=os.path.join(self.sandbox, 'missing'))
            self.assertEqual(caught.exception.errno, errno.ENOENT)
            self.assertIn('missing', str(caught.exception))
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND))

    def test_cancelled(self):
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        for create in Tf.TempFile, Tf.NamedFile, Tf.TempDir:
            with self.assertRaises(GLib.Error):
                create(cancellable=cancellable)
        self.assertEqual(self.entries(), [])

    def test_constructors_of_c(self):
        with Tf.TempFile.new(None, None) as file:
            self.assertEqual(file.write(b'x'), 1)
        with Tf.NamedFile.new('p', 's', self.sandbox.encode(), None) as file:
            self.assertEqual(os.path.dirname(file.name), self.sandbox)
        with Tf.SpooledFile.new(3) as file:
            self.assertEqual(file.get_max_size(), 3)
        with Tf.TempDir.new('p', 's', None, None) as path:
            self.assertTrue(os.path.isdir(path))

    def test_constructors_of_c_without_arguments(self):
        for klass, mode in (Tf.TempFile, 0o600), (Tf.NamedFile, 0o600), (Tf.TempDir, 0o700):
            for new in klass.new, klass.new_full:
                opened = new()
                with opened:
                    self.assertEqual(os.stat(opened.name).st_mode & 0o777, mode)
        self.assertEqual(Tf.NamedFile.new_full().get_delete_policy(), Tf.DeletePolicy.ON_CLOSE)
        self.assertEqual(Tf.TextStream.new(Tf.TempFile()).read_all(), '')
        with self.assertRaises(TypeError):
            Tf.SpooledFile.new()

    def test_constructors_of_c_with_path(self):
        folder = pathlib.Path(self.sandbox)
        for klass in Tf.TempFile, Tf.NamedFile, Tf.TempDir:
            for new in klass.new, klass.new_full:
                self.assertIs(type(new(dir=folder)), klass)
        with Tf.SpooledFile.new_full(-1, None, None, folder) as file:
            self.assertEqual(file.get_max_size(), -1)
        with Tf.NamedFile.new_full('\udcff', b'\xfe', folder, 0o640, Tf.DeletePolicy.ON_DISPOSE) as file:
            self.assertRegex(os.fsencode(file.name), rb'/\xff.{8}\xfe$')
            self.assertEqual(os.stat(file.name).st_mode & 0o777, 0o640)
        with self.assertRaises(GLib.Error):
            Tf.TempDir.new(dir=folder / 'missing')

    def test_subclass(self):
        class Log(Tf.TempFile):
            def __init__(self, title):
                super().__init__(prefix=title)
                self.write(title.encode())

        with Log('title') as file:
            self.assertEqual(file.get_size(), 5)

        class Text(Tf.TempFile):
            pass

        with Text() as file:
            self.assertIsInstance(file, Text)
        with Text('w+') as file:
            self.assertIsInstance(file, Text)
            self.assertEqual(file.write('x'), 1)


class FromBytesTest(TestCase):
    def test_content(self):
        for content in b'Hello', bytearray(b'Hello'), GLib.Bytes(b'Hello'):
            with Tf.NamedFile.new_from_bytes(content, suffix='.txt', dir=pathlib.Path(self.sandbox)) as file:
                self.assertEqual(pathlib.Path(file.name).read_bytes(), b'Hello')
                self.assertEqual(file.read(), b'Hello')
        with self.assertRaises(FileNotFoundError):
            Tf.NamedFile.new_from_bytes(b'', dir=os.path.join(self.sandbox, 'missing'))


class AuditTest(TestCase):
    current = None

    def setUp(self):
        super().setUp()
        self.heard = []
        self.refuse = False
        AuditTest.current = self
        self.addCleanup(setattr, AuditTest, 'current', None)

    def hear(self, event, path):
        self.heard.append((event, path))
        if self.refuse:
            raise InterruptedError('refused')

    def test_events(self):
        with Tf.TempFile(), Tf.NamedFile(prefix='\udcff') as file, Tf.TempDir() as path:
            pass
        self.assertEqual(self.heard[1:], [('tempfile.mkstemp', file.name), ('tempfile.mkdtemp', path)])
        self.assertEqual(self.heard[0][0], 'tempfile.mkstemp')

    def test_refused(self):
        self.refuse = True
        for create in Tf.TempFile, Tf.NamedFile, Tf.TempDir, Tf.mkstemp, Tf.mkdtemp:
            with self.assertRaisesRegex(InterruptedError, 'refused'):
                create()
        self.assertEqual(self.entries(), [])

    def test_own_function(self):
        heard = []
        self.addCleanup(Tf.set_audit_func, importlib.import_module('gi.overrides.Tf').audit)
        Tf.set_audit_func(lambda *arguments: heard.append(arguments) or len(heard) == 1, 'data')
        with Tf.NamedFile(prefix='\udcff') as file:
            self.assertEqual(heard, [('tempfile.mkstemp', file.name, 'data')])
        with self.assertRaises(PermissionError):
            Tf.NamedFile()
        for nobody in (None,), ():
            Tf.set_audit_func(*nobody)
            Tf.NamedFile().close()
        self.assertEqual((len(heard), self.heard), (2, []))


def audit_hook(event, arguments):
    if event in ('tempfile.mkstemp', 'tempfile.mkdtemp') and AuditTest.current:
        AuditTest.current.hear(event, *arguments)


sys.addaudithook(audit_hook)

if __name__ == '__main__':
    unittest.main()
