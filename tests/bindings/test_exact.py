# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What users of tempfile rely on besides its documentation, and what ends well when nobody ends it."""

import asyncio
import concurrent.futures
import contextlib
import errno
import gc
import importlib
import io
import json
import multiprocessing
import os
import pathlib
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import tracemalloc
import unittest
import unittest.mock
import warnings
import weakref

from gi.repository import Gio, GLib

from sandbox import TestCase, Tf

overrides = importlib.import_module('gi.overrides.Tf')
has_module = sys.modules['gi.overrides._gi_tf'] is not None

CLASSES = Tf.TemporaryFile, Tf.NamedTemporaryFile, Tf.SpooledTemporaryFile
TEXT = 'ä\none\ntwo\n'


class ClassTest(TestCase):
    def test_instances(self):
        for klass in CLASSES:
            with klass() as file:
                self.assertIsInstance(file, klass)
                self.assertIs(type(file), klass)
        for klass in Tf.NamedTemporaryFile, Tf.SpooledTemporaryFile:
            with klass(mode='w+') as file:
                self.assertIs(type(file), klass)
        with Tf.SpooledTemporaryFile() as file:
            self.assertIsInstance(file, Tf.SpooledFile)
            self.assertEqual(file.get_max_size(), -1)
        for klass in *CLASSES, Tf.TemporaryDirectory, Tf.TextStream:
            self.assertEqual(klass[bytes].__args__, (bytes,))
            self.assertIn(type(None), (klass[str] | None).__args__)

    def test_order(self):
        for klass in *CLASSES, Tf.TemporaryDirectory:
            first, second = klass(), klass()
            with first, second:
                self.assertRaises(TypeError, sorted, [first, second])
                self.assertTrue(first == first != second)
                self.assertEqual(len({first, first, second}), 2)

    def test_max_size(self):
        for max_size in 0, None, -5:
            with Tf.SpooledTemporaryFile(max_size) as file:
                self.assertEqual((file._max_size, file._rolled), (0, False))
                file.write(b'x')
                self.assertEqual(file._rolled, max_size == -5)
        with Tf.SpooledFile(1.5) as file:
            self.assertEqual(file._max_size, 1)
        with Tf.SpooledTemporaryFile(max_size=3) as file:
            file.write(b'1234')
            self.assertEqual((file._max_size, file._rolled), (3, True))
        with Tf.TempFile() as file:
            self.assertFalse(hasattr(file, '_rolled'))
        with self.assertRaises(TypeError):
            Tf.SpooledFile('x')

    def test_subclasses(self):
        for klass in CLASSES:
            class Counting(klass):
                def __init__(self, title, *args, **kwargs):
                    self.written = []
                    super().__init__(*args, **kwargs)
                    self.title = title

                def write(self, data):
                    self.written.append(data)
                    return super().write(data)

            for mode, data in ('w+b', b'x'), ('w+', 'ä'):
                with self.subTest(klass, mode=mode), Counting('title', mode=mode) as file:
                    self.assertIsInstance(file, Counting)
                    self.assertEqual(file.write(data), 1)
                    self.assertEqual((file.title, file.written), ('title', [data]))
                    file.seek(0)
                    self.assertEqual(file.read(), data)

    @unittest.skipUnless(has_module, 'Python constructs all')
    def test_derived_from_memory(self):
        """What has no names of its own is constructed by the module, with the sizes of its base."""
        sizes = {(Tf.SpooledFile, ()): 1 << 20, (Tf.SpooledFile, (0,)): 0, (Tf.SpooledTemporaryFile, ()): -1,
                 (Tf.SpooledTemporaryFile, (5,)): 5}
        with unittest.mock.patch.object(Tf.TempFile, '_init', side_effect=AssertionError):
            for (base, arguments), size in sizes.items():
                with type('Derived', (base,), {})(*arguments) as file:
                    self.assertEqual((file.get_max_size(), file.mode), (size, 'w+b'))
            with type('Derived', (Tf.SpooledTemporaryFile,), {})(mode='w+') as file:
                self.assertEqual((file.write('text'), file.mode), (4, 'w+'))
        with type('Derived', (Tf.SpooledFile,), {})(3, prefix='prefix') as file:
            file.write(b'bytes')
            self.assertEqual((file.props.prefix, file.is_rolled_over()), ('prefix', True))

    def test_no_more_than_c_has(self):
        self.assertFalse(hasattr(Tf.TextStream, 'init_finish'))
        self.assertTrue(hasattr(Tf.TextStream, 'init'))

    def test_closed_by_subclass(self):
        class Closing(Tf.NamedFile):
            def close(self):
                self.was_closed = True
                super().close()

        with Closing() as file:
            pass
        self.assertTrue(file.was_closed and file.closed)

    def test_methods_call_no_others(self):
        """A subclass sees the calls of its user alone."""
        names = 'read', 'readline', 'seek', 'tell', 'write', 'seekable', 'flush', 'readinto'
        for klass in CLASSES:
            calls = []

            def counted(name):
                def call(self, *args):
                    calls.append(name)
                    return getattr(klass, name).__get__(self)(*args)
                return call

            counting = type('Counting', (klass,), {name: counted(name) for name in names if name != 'readinto'})
            with counting() as file:
                file.writelines([b'one\n', b'two\n'])
                klass.seek(file, 0)
                self.assertEqual(next(file), b'one\n')
                self.assertEqual((file.readlines(), file.peek(), file.read1(1)), ([b'two\n'], b'', b''))
                klass.seek(file, 0)
                self.assertEqual((file.readinto(bytearray(4)), list(file)), (4, [b'two\n']))
                self.assertTrue(file.readable() and file.writable())
                self.assertEqual(calls, [])

    def test_signature_and_docs(self):
        import inspect

        for klass, first, default in ((Tf.SpooledTemporaryFile, 'max_size', 0), (Tf.SpooledFile, 'max_size', 1 << 20),
                                      (Tf.TemporaryFile, 'mode', 'w+b'), (Tf.NamedTemporaryFile, 'mode', 'w+b'),
                                      (Tf.TemporaryDirectory, 'suffix', None)):
            parameters = inspect.signature(klass).parameters
            self.assertEqual((list(parameters)[0], parameters[first].default), (first, default))

        class Own(Tf.TempFile):
            def __init__(self, title):
                super().__init__()

        self.assertEqual(list(inspect.signature(Own).parameters), ['title'])
        self.assertEqual(list(inspect.signature(Tf.TempFile.persist).parameters)[1:3], ['destination', 'flags'])
        self.assertEqual(list(inspect.signature(Tf.TempFile.flush_async).parameters)[-2:], ['callback', 'user_data'])
        with Tf.TempFile() as file:
            for call in lambda: file.persist(), lambda: file.load_bytes(None, 1), lambda: file.persist('x', fl=0), \
                    lambda: file.persist('x', destination='y'):
                self.assertRaises(TypeError, call)
        for klass in *CLASSES, Tf.TempDir, Tf.TextStream:
            for name, value in inspect.getmembers(klass):
                if not name.startswith('_') and not hasattr(Gio.Application, name) and (inspect.isroutine(value) or isinstance(value, property)):
                    self.assertTrue(value.__doc__, f'{klass.__name__}.{name}')

    def test_not_initialized(self):
        file = Tf.TempFile.__new__(Tf.TempFile)
        if has_module:
            for name in 'read', 'tell', 'readline':
                self.assertRaises(ValueError, getattr(file, name))


class AttributeTest(TestCase):
    def test_named(self):
        with Tf.NamedTemporaryFile() as file:
            self.assertIs(file.file, file)
            self.assertIsInstance(file.get_file(), Gio.File)
            path = file.name
            file.name = 'song.mp3'
            self.assertEqual((file.name, file.get_path()), ('song.mp3', path))
            file.file = 7
            self.assertEqual(file.file, 7)
            self.assertIs(file.delete, True)
            file.delete = False
            self.assertIs(file.delete, False)
            file.delete = True
        self.assertFalse(os.path.exists(path))
        with Tf.NamedTemporaryFile('w+') as file:
            self.assertIsInstance(file.file, io.TextIOWrapper)

        file = Tf.NamedTemporaryFile()
        file.delete = False
        file.close()
        os.remove(file.name)

    def test_names(self):
        with Tf.TemporaryFile() as file:
            number = file.name
            self.assertEqual(number, file.fileno())
        self.assertEqual(file.name, number)
        file.name = 'other'
        self.assertEqual(file.name, 'other')
        file = Tf.TemporaryFile()
        file.close()
        self.assertEqual(file.name, -1)
        with Tf.SpooledTemporaryFile() as file:
            self.assertIsNone(file.name)
            file.name = 'other'
            self.assertEqual(file.name, 'other')
        directory = Tf.TemporaryDirectory()
        directory.cleanup()
        directory.name = 'other'
        self.assertEqual(os.fspath(directory), 'other')

    def test_repr(self):
        with Tf.NamedTemporaryFile() as file, Tf.TemporaryFile() as unnamed:
            self.assertIn(repr(file.name), repr(file))
            self.assertIn('TemporaryFile', repr(unnamed))
        self.assertIn('closed', repr(file) and repr(unnamed))
        directory = Tf.TemporaryDirectory()
        self.assertEqual(repr(directory), f'<TemporaryDirectory {directory.name!r}>')
        directory.cleanup()

    def test_text(self):
        for klass in CLASSES:
            with self.subTest(klass), klass(mode='w+', encoding='utf-8', newline='\n') as file:
                file.writelines([TEXT])
                self.assertEqual((file.seek(0), list(file)), (0, TEXT.splitlines(True)))
                file.seek(0)
                self.assertEqual((next(file), file.readlines()), ('ä\n', ['one\n', 'two\n']))
                self.assertEqual(file.mode, 'w+')
                file.truncate(file.seek(3))
                file.reconfigure(line_buffering=True)
                self.assertEqual((file.line_buffering, file.write_through, file.newlines), (True, False, None))
                self.assertEqual(os.fstat(file.fileno()).st_size, 3)
                self.assertTrue(file.readable() and file.writable() and file.seekable())
                self.assertFalse(file.isatty() or file.buffer.isatty())
                self.assertEqual(file.buffer.mode, 'rb+')
                self.assertIsNotNone(file.buffer.fileno())
                self.assertEqual(file.tell(), 3)
                for name in 'readinto', 'raw':
                    self.assertFalse(hasattr(file, name))
            self.assertRaises(ValueError, iter, file)

    def test_text_of_one_direction(self):
        for klass in CLASSES:
            with klass(mode='w') as file:
                file.write('x')
                if klass is not Tf.SpooledTemporaryFile:
                    self.assertRaises(io.UnsupportedOperation, file.read)
                    self.assertRaises(io.UnsupportedOperation, file.buffer.read)
                    self.assertFalse(file.buffer.readable())
            with klass(mode='r') as file:
                if klass is not Tf.SpooledTemporaryFile:
                    for write in lambda: file.write('x'), lambda: file.buffer.write(b'x'), lambda: file.truncate(0):
                        self.assertRaises(io.UnsupportedOperation, write)
                    self.assertFalse(file.buffer.writable())
            for errors, base in ('nosuch', LookupError), (5, TypeError):
                with self.assertRaises(base):
                    with klass(mode='w', encoding='ascii', errors=errors) as file:
                        file.write('ä')
                        file.flush()

    def test_iterator_keeps_the_file(self):
        def lines():
            file = Tf.NamedTemporaryFile('w+', newline='\n')
            file.write('one\ntwo\n')
            file.seek(0)
            return iter(file)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            self.assertEqual(list(lines()), ['one\n', 'two\n'])

    def test_bytes_of_a_text(self):
        for klass in CLASSES:
            file = klass(mode='w+')
            file.write('one')
            file.flush()
            buffer = file.detach()
            self.assertFalse(buffer.closed)
            buffer.seek(0)
            self.assertEqual((buffer.read(1), buffer.read1(1), buffer.readline(), buffer.truncate(0)),
                             (b'o', b'n', b'e', 0))
            buffer.seek(0)
            self.assertEqual(buffer.write(bytearray(b'x')), 1)
            self.assertEqual((buffer.tell(), buffer.truncate()), (1, 1))
            buffer.close()
            for call in buffer.read, buffer.flush, buffer.tell, lambda: buffer.write(b'x'):
                self.assertRaises(ValueError, call)


class VariableTest(TestCase):
    def test_mock(self):
        before = Tf.gettempdir()
        with unittest.mock.patch.object(Tf, 'tempdir', '/'):
            self.assertEqual((Tf.gettempdir(), Tf.tempdir), ('/', '/'))
        self.assertEqual((Tf.gettempdir(), Tf.tempdir), (before, before))
        del Tf.tempdir
        self.assertIsNone(Tf.tempdir)
        Tf.tempdir = self.sandbox

    def test_of_this_module_alone(self):
        self.assertFalse(hasattr(Gio, 'tempdir'))
        Tf.other = None
        del Tf.other
        self.assertFalse(hasattr(Tf, 'other'))

    def test_template(self):
        self.assertEqual((Tf.TMP_MAX, Tf.template), (10000, 'tmp'))
        with unittest.mock.patch.object(Tf, 'template', 'mine'):
            self.assertEqual((Tf.gettempprefix(), Tf.gettempprefixb()), ('mine', b'mine'))
            with Tf.NamedTemporaryFile() as file, Tf.TemporaryDirectory() as path:
                for name in file.name, path:
                    self.assertTrue(os.path.basename(name).startswith('mine'))
        self.assertEqual(Tf.gettempprefix(), 'tmp')
        with self.assertRaises(TypeError):
            Tf.template = 7


def limited(function):
    """Runs with files limited to 10 bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        function()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


class ErrorTest(TestCase):
    def check(self, call, base, number):
        with self.assertRaises(base) as caught:
            call()
        error = caught.exception
        self.assertIsInstance(error, GLib.Error)
        self.assertEqual((error.errno, error.args[0]), (number, number))
        self.assertEqual(error.args[1], error.strerror)
        self.assertIn(error.strerror, str(error))
        again = pickle.loads(pickle.dumps(error))
        self.assertIs(type(again), type(error))
        for name in 'args', 'errno', 'strerror', 'filename', 'message', 'domain', 'code':
            self.assertEqual(getattr(again, name), getattr(error, name))
        self.assertEqual((str(again), repr(again)), (str(error), repr(error)))
        return error

    def test_creating(self):
        missing = os.path.join(self.sandbox, 'missing')
        os.symlink('loop', os.path.join(self.sandbox, 'loop'))
        for create in Tf.mkstemp, Tf.mkdtemp, Tf.NamedTemporaryFile, Tf.TemporaryDirectory, Tf.TemporaryFile:
            error = self.check(lambda: create(dir=missing), FileNotFoundError, errno.ENOENT)
            self.assertTrue(error.filename.startswith(missing))
            self.assertIsNone(self.check(lambda: create(dir=missing + '\udcff'), FileNotFoundError, errno.ENOENT).filename)
            self.check(lambda: create(dir=os.path.join(self.sandbox, 'loop')), OSError, errno.ELOOP)
            if create is not Tf.TemporaryFile:
                self.check(lambda: create(prefix='x' * 300), OSError, errno.ENAMETOOLONG)
        for create in Tf.NamedFile.new, Tf.TempDir.new, Tf.TempFile.new_full:
            self.check(lambda: create(dir=missing), FileNotFoundError, errno.ENOENT)
        self.check(lambda: Tf.sweep(dir=missing), FileNotFoundError, errno.ENOENT)
        os.remove(os.path.join(self.sandbox, 'loop'))

    def test_methods_of_c(self):
        with Tf.TempFile() as file, Tf.NamedFile() as named:
            self.check(lambda: file.persist(named.name), FileExistsError, errno.EEXIST)
            self.check(lambda: file.persist(os.path.join(self.sandbox, 'a', 'b')), FileNotFoundError, errno.ENOENT)
        for call in file.open_reader, file.seal, file.dup_fd, file.load_bytes, file.get_fd_path, file.steal_bytes, \
                lambda: file.reserve(1), lambda: file.write_bytes(GLib.Bytes(b'x')), file.rollover \
                if hasattr(file, 'rollover') else file.read_line:
            with self.assertRaises(ValueError) as caught:
                call()
            self.assertIsInstance(caught.exception, GLib.Error)
            again = pickle.loads(pickle.dumps(caught.exception))
            self.assertEqual((type(again), str(again)), (type(caught.exception), str(caught.exception)))

    def test_bad_descriptor(self):
        """A failure is not the end of the file."""
        for klass in Tf.TemporaryFile, Tf.NamedTemporaryFile:
            file = klass()
            file.write(b'one\n' * 100)
            file.seek(0)
            os.close(file.fileno())
            for read in file.read, lambda: file.read(70000), file.readline, file.readlines, lambda: next(file), file.peek:
                self.check(read, OSError, errno.EBADF)
            with self.assertRaises(OSError):
                file.close()

    def test_too_big(self):
        file = Tf.NamedTemporaryFile(buffering=0)
        limited(lambda: self.check(lambda: file.write(b'x' * 100), OSError, errno.EFBIG))
        file.close()

    def test_cancelled_and_pending(self):
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        with Tf.TempFile() as file:
            self.check(lambda: file.read(1, cancellable), OSError, errno.ECANCELED)
            self.check(lambda: file.flush(cancellable), OSError, errno.ECANCELED)

            async def main():
                flushed = file.flush_async()
                self.check(lambda: file.read(1), OSError, errno.EBUSY)
                self.check(file.load_bytes, OSError, errno.EBUSY)
                while not flushed.done():
                    GLib.MainContext.default().iteration(False)
                await flushed

            asyncio.run(main())
            with self.assertRaises(TypeError):
                file.read(1, 'cancellable')

    def test_other_domains(self):
        error = overrides.python_error(GLib.Error('message', 'domain', 3))
        self.assertEqual((type(error).__name__, error.domain, error.code), ('OSError', 'domain', 3))

    def test_in_place(self):
        """An error of persist() after which the file is there says so, and has its path."""
        message = (f'The file is at “/a “b”/doc”, but may not survive a loss of power: fsync the directory of “/a “b”/doc”: '
                   f'{os.strerror(errno.EIO)}')
        error = overrides.python_error(GLib.Error(message, 'g-io-error-quark', int(Gio.IOErrorEnum.FAILED)), errno.EIO)
        self.assertEqual((error.errno, error.strerror, error.filename), (errno.EIO, message, '/a “b”/doc'))
        message = message.replace(os.strerror(errno.EIO), os.strerror(errno.ENOMEM))
        error = overrides.python_error(GLib.Error(message, 'g-io-error-quark', int(Gio.IOErrorEnum.NO_SPACE)), errno.ENOMEM)
        self.assertEqual((error.errno, error.strerror), (errno.ENOMEM, message))

    def test_lost_document(self):
        """An error of persist() after which the bytes have a temporary name has this one as its path."""
        for what, path in ('The bytes are', '/a/doc'), ('The new backup or the former one is', '/a/doc~'):
            message = (f'{what} at “/a/.tmp-x”, because the file system may have lost “{path}”: rename to “{path}”: '
                       f'{os.strerror(errno.ENOMEM)}')
            error = overrides.python_error(GLib.Error(message, 'g-io-error-quark', int(Gio.IOErrorEnum.NO_SPACE)), errno.ENOMEM)
            self.assertEqual((error.errno, error.strerror, error.filename), (errno.ENOMEM, message, '/a/.tmp-x'))

    def test_out_of_memory(self):
        message = f'malloc: {os.strerror(errno.ENOMEM)}'
        error = overrides.python_error(GLib.Error(message, 'g-io-error-quark', int(Gio.IOErrorEnum.NO_SPACE)), errno.ENOMEM)
        self.assertIsInstance(error, MemoryError)
        self.assertIsInstance(error, GLib.Error)

    def test_process_pool(self):
        context = multiprocessing.get_context('fork')
        with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
            with self.assertRaises(FileNotFoundError) as caught:
                pool.submit(Tf.mkstemp, dir='/nonexistent').result()
        self.assertTrue(caught.exception.filename.startswith('/nonexistent'))


class Refusing:
    current = None

    def __call__(self, event, arguments):
        if event in ('tempfile.mkstemp', 'tempfile.mkdtemp') and self.current:
            raise self.current


refusing = Refusing()
sys.addaudithook(refusing)


class AuditTest(TestCase):
    def setUp(self):
        super().setUp()
        refusing.current = ZeroDivisionError('refused')
        self.addCleanup(setattr, refusing, 'current', None)

    def test_constructors_of_c(self):
        for create in Tf.NamedFile.new, Tf.TempDir.new, Tf.TempFile.new, Tf.TempFile, \
                lambda: Tf.NamedFile.new_from_bytes(b''), lambda: Tf.SpooledFile(max_size=0).write(b'x'):
            with self.assertRaisesRegex(ZeroDivisionError, 'refused'):
                create()

    def test_text_that_may_not_roll_over(self):
        with Tf.SpooledTemporaryFile(max_size=4, mode='w+') as file:
            file.write('abc')
            file.flush()
            file.write('hello')
            self.assertRaisesRegex(ZeroDivisionError, 'refused', file.flush)
            file.write('W2')
            self.assertRaisesRegex(ZeroDivisionError, 'refused', file.flush)
            refusing.current = None
            file.seek(0)
            self.assertEqual(file.read(), 'abchelloW2')

    def test_asynchronous(self):
        async def main():
            for create in Tf.NamedFile.create_async, Tf.TempDir.create_async, Tf.mkstemp_async, Tf.mkdtemp_async:
                created = create()
                while not created.done():
                    GLib.MainContext.default().iteration(False)
                with self.assertRaisesRegex(ZeroDivisionError, 'refused'):
                    await created

        asyncio.run(main())


class WarningTest(TestCase):
    def warnings_of(self, function):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter('always')
            function()
            gc.collect()
        return [warning for warning in seen if issubclass(warning.category, ResourceWarning)]

    def test_dropped(self):
        for create in (Tf.TemporaryFile, Tf.SpooledTemporaryFile, Tf.NamedTemporaryFile, Tf.TemporaryDirectory,
                       lambda: Tf.NamedTemporaryFile('w+'), Tf.TempFile.new):
            seen = self.warnings_of(lambda: create())
            self.assertEqual(len(seen), 1, create)
            self.assertIn('File' if create is not Tf.TemporaryDirectory else 'TemporaryDirectory', str(seen[0].message))
        self.assertEqual(self.entries(), [])

    def test_removed(self):
        """Only what is removed is said to be."""
        for create, expected in ((Tf.NamedTemporaryFile, 'Implicitly cleaning up'),
                                 (lambda: Tf.NamedTemporaryFile(delete=False), 'unclosed file'),
                                 (lambda: Tf.NamedTemporaryFile('w+', delete=False), 'unclosed file'),
                                 (lambda: Tf.NamedTemporaryFile(delete_on_close=False), 'Implicitly cleaning up')):
            seen = self.warnings_of(lambda: create())
            self.assertRegex(str(seen[0].message), f'^{expected} <')
            seen[0].source = None
        self.assertEqual(len(self.entries()), 2)
        for name in self.entries():
            os.remove(os.path.join(self.sandbox, name))

    def test_cleaned_up(self):
        def use():
            for directory in Tf.TemporaryDirectory(), Tf.TempDir():
                self.assertIsNone(directory.cleanup())
                os.mkdir(directory.name)
                self.assertIsNone(directory.cleanup())

        self.assertEqual(self.warnings_of(use), [])
        self.assertEqual(len(self.entries()), 2)
        for name in self.entries():
            os.rmdir(os.path.join(self.sandbox, name))

    def test_raising_in_a_directory(self):
        for create in CLASSES + (Tf.TemporaryDirectory,):
            with self.assertRaises(ZeroDivisionError):
                with create():
                    1 / 0

    def test_not_dropped(self):
        def use():
            for create in *CLASSES, Tf.TemporaryDirectory:
                with create():
                    pass
            directory = Tf.TemporaryDirectory()
            os.rmdir(directory.name)
            Tf.TemporaryDirectory(delete=False).keep()
            with contextlib.suppress(OSError):
                Tf.TemporaryFile(dir='/nonexistent', permissions=0o600)
        self.assertEqual(self.warnings_of(use), [])
        for name in self.entries():
            os.rmdir(os.path.join(self.sandbox, name))

    def test_allocation(self):
        tracemalloc.start(10)
        try:
            for create in Tf.TemporaryFile, Tf.TemporaryDirectory:
                seen = self.warnings_of(lambda: create())
                traceback = tracemalloc.get_object_traceback(seen[0].source)
                self.assertIn(__file__, [frame.filename for frame in traceback])
                seen[0].source = None
        finally:
            tracemalloc.stop()

    def test_held_by_c(self):
        store = Gio.ListStore()

        def use():
            store.append(Tf.TemporaryFile())
        self.assertEqual(self.warnings_of(use), [])
        store[0].write(b'x')
        store[0].close()

    def test_failing(self):
        with unittest.mock.patch('sys.unraisablehook') as hook, warnings.catch_warnings():
            warnings.simplefilter('ignore')
            directory = Tf.TemporaryDirectory()
            path = directory.name
            os.rename(path, path + '.moved')
            pathlib.Path(path).write_text('a stranger')
            del directory
            gc.collect()
            self.assertIsInstance(hook.call_args[0][0].exc_value, FileExistsError)
        os.remove(path)
        os.rmdir(path + '.moved')


ENDS = {
    'cycle': """
f = Tf.NamedTemporaryFile(MODE, delete=False)
f.write(HELLO)
f.me = f
print(f.name)
""",
    'generator': """
def generate():
    with Tf.NamedTemporaryFile(MODE, delete=False) as f:
        print(f.name)
        try:
            yield f.write(HELLO[:2])
        finally:
            f.write(HELLO[2:])
generator = generate()
next(generator)
""",
    'finalizer': """
class Last:
    def __init__(self):
        self.file = Tf.NamedTemporaryFile(MODE, delete=False)
        print(self.file.name)
    def __del__(self):
        self.file.write(HELLO)
last = Last()
""",
    'held for good': """
import builtins
builtins.file = Tf.NamedTemporaryFile(MODE, delete=False)
builtins.file.write(HELLO)
print(builtins.file.name)
""",
    'created at the end': """
class Last:
    def __del__(self, Tf=Tf):
        with Tf.TemporaryFile() as f, Tf.TemporaryDirectory() as d, Tf.NamedTemporaryFile('w', dir=d) as g:
            f.write(b'x')
            g.write('x')
        with Tf.NamedTemporaryFile(MODE, delete=False) as f:
            f.write(HELLO)
        print(f.name)
last = Last()
last.me = last
""",
    'rolled over at the end': """
class Last:
    def __init__(self):
        self.file = Tf.SpooledTemporaryFile(2, MODE + '+')
        self.kept = Tf.NamedTemporaryFile(MODE, delete=False)
    def __del__(self):
        self.file.write(HELLO)
        self.file.rollover()
        self.file.seek(0)
        self.kept.write(self.file.read())
        self.file.close()
        self.kept.close()
        print(self.kept.name)
last = Last()
last.me = last
""",
    'persisted at the end': """
import os
class Last:
    def __init__(self):
        self.file = Tf.NamedTemporaryFile(MODE)
        self.path = os.path.join(os.environ['TMPDIR'], 'persisted')
        self.flags = Tf.PersistFlags.REPLACE
    def __del__(self):
        self.file.write(HELLO)
        self.file.persist(self.path, self.flags)
        self.file.close()
        print(self.path)
last = Last()
last.me = last
""",
    'thread': """
import threading, time
f = Tf.NamedTemporaryFile(MODE, delete=False)
f.write(HELLO)
print(f.name)
threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
""",
}

PREAMBLE = """
import sys
if not %r:
    sys.modules['gi.overrides._gi_tf'] = None
import gi
gi.require_version('Tf', '1')
from gi.repository import Tf
MODE, HELLO = %r, %r
"""


FORKED = {
    'the end of with': """
with tempfile.TemporaryDirectory() as path, tempfile.NamedTemporaryFile() as file, \\
        tempfile.NamedTemporaryFile(delete_on_close=False) as other, tempfile.NamedTemporaryFile('w+') as text:
    child = os.fork()
    if child:
        check(child, path, file.name, other.name, text.name)
""",
    'an exception': """
with contextlib.suppress(ZeroDivisionError), tempfile.TemporaryDirectory() as path, \\
        tempfile.NamedTemporaryFile(delete_on_close=False) as file:
    child = os.fork()
    if child == 0:
        1 / 0
    check(child, path, file.name)
""",
    'what is dropped': """
objects = [create(*arguments) for create in (tempfile.NamedTemporaryFile, tempfile.TemporaryDirectory)
           for arguments in ((), ('w+',))]
names = [object.name for object in objects]
child = os.fork()
if child == 0:
    objects.clear()
    gc.collect()
else:
    check(child, *names)
    close(objects)
""",
    'the end of a child': """
objects = [tempfile.NamedTemporaryFile(), tempfile.NamedTemporaryFile(delete_on_close=False),
           tempfile.TemporaryDirectory()]
objects.append(objects)
child = os.fork()
if child:
    check(child, *[object.name for object in objects[:3]])
    close(objects[:3])
""",
    'multiprocessing': """
import multiprocessing
objects = [tempfile.NamedTemporaryFile(), tempfile.TemporaryDirectory()]
def work():
    for object in objects:
        with object:
            pass
process = multiprocessing.get_context('fork').Process(target=work)
process.start()
process.join()
if process.exitcode != 0 or not all(os.path.exists(object.name) for object in objects):
    sys.exit('removed')
close(objects)
""",
    'what is removed on purpose': """
objects = [tempfile.NamedFile(), tempfile.TempDir()]
child = os.fork()
if child == 0:
    for remove in objects[0].unlink, objects[1].cleanup:
        try:
            remove()
        except PermissionError:
            continue
        sys.exit('no error')
else:
    check(child, objects[0].name, objects[1].name)
    close(objects)
""",
}

FORKED_PREAMBLE = """
import contextlib, gc, os, warnings
tempfile = Tf
warnings.simplefilter('always', ResourceWarning)
def close(objects):
    for object in objects:
        getattr(object, 'close', getattr(object, 'cleanup', None))()
        if isinstance(object, Tf.NamedFile) and os.path.exists(object.name):
            object.unlink()
def check(child, *paths):
    status = os.waitpid(child, 0)[1]
    if status != 0 or not all(map(os.path.exists, paths)):
        sys.exit(f'{status} {[os.path.exists(path) for path in paths]}')
"""


class ForkTest(TestCase):
    def test_child(self):
        """A child does nothing to what its parent has, and says nothing, unless it is asked to."""
        for name, program in FORKED.items():
            with self.subTest(name):
                run = subprocess.run([sys.executable, '-c', PREAMBLE % (has_module, 'w', '') + FORKED_PREAMBLE + program],
                                     env={**os.environ, 'TMPDIR': self.sandbox}, capture_output=True, text=True)
                self.assertEqual((run.returncode, run.stdout, run.stderr), (0, '', ''))
                self.assertEqual(self.entries(), [])


class EndTest(TestCase):
    """What was written is there when the interpreter has ended, and nothing is printed."""

    def test_ends(self):
        for name, program in ENDS.items():
            for mode, hello in ('w', 'hello'), ('wb', b'hello'):
                with self.subTest(name, mode=mode):
                    run = subprocess.run([sys.executable, '-c', PREAMBLE % (has_module, mode, hello) + program],
                                         env={**os.environ, 'TMPDIR': self.sandbox}, capture_output=True, text=True)
                    path = run.stdout.strip()
                    self.assertEqual((run.returncode, run.stderr), (0, ''))
                    self.assertEqual(pathlib.Path(path).read_text(), 'hello')
                    os.remove(path)

    def test_interrupted(self):
        # Where the journal of the process stays, which is killed.
        journals = tempfile.TemporaryDirectory()
        self.addCleanup(journals.cleanup)
        run = subprocess.run([sys.executable, '-c', PREAMBLE % (has_module, 'w', '') + """
import threading
made = threading.Event()
def work():
    directory, file = Tf.TemporaryDirectory(), Tf.NamedTemporaryFile()
    made.set()
    threading.Event().wait()
threading.Thread(target=work, daemon=True).start()
made.wait()
raise KeyboardInterrupt
"""], env={**os.environ, 'TMPDIR': self.sandbox, 'XDG_RUNTIME_DIR': journals.name}, capture_output=True, text=True)
        self.assertEqual(run.returncode, -signal.SIGINT)
        self.assertEqual(self.entries(), [])

    def test_first_calls_without_descriptors(self):
        run = subprocess.run([sys.executable, '-c', PREAMBLE % (has_module, 'w', '') + """
import os, resource
directory, file, other = Tf.TempDir(), Tf.NamedFile(), Tf.NamedFile()
resource.setrlimit(resource.RLIMIT_NOFILE, (0, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
kept = directory.keep(), file.keep()
other.unlink()
resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE)[1:] * 2)
os.rmdir(kept[0])
os.remove(kept[1])
"""], env={**os.environ, 'TMPDIR': self.sandbox}, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        self.assertEqual(self.entries(), [])

    def test_not_removable_when_dropped(self):
        """What could not be removed then is removed at the end, or by a sweep."""
        journals = tempfile.TemporaryDirectory()
        self.addCleanup(journals.cleanup)
        env = {**os.environ, 'TMPDIR': self.sandbox, 'XDG_RUNTIME_DIR': journals.name}
        for end in '', 'os.kill(os.getpid(), signal.SIGKILL)':
            with self.subTest(end):
                run = subprocess.run([sys.executable, '-W', 'ignore', '-c', PREAMBLE % (has_module, 'w', '') + """
import os, resource, signal, sys
seen = []
sys.unraisablehook = lambda unraisable: seen.append(isinstance(unraisable.exc_value, OSError))
directory = Tf.TempDir()
path = directory.name
os.mkdir(path + '/inner')
limits = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
del directory
resource.setrlimit(resource.RLIMIT_NOFILE, limits)
print(seen, os.path.exists(path), flush=True)
""" + end], env=env, capture_output=True, text=True)
                self.assertEqual((run.stdout, run.stderr), ('[True] True\n', ''))
                self.assertEqual(len(self.entries()), 1 if end else 0)
                subprocess.run([sys.executable, '-c', PREAMBLE % (has_module, 'w', '') + 'Tf.sweep(None, None, 0)'],
                               env=env, check=True)
                self.assertEqual(self.entries(), [])

    def test_ends_without_descriptors(self):
        run = subprocess.run([sys.executable, '-c', PREAMBLE % (has_module, 'w', '') + """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
files = []
try:
    while True:
        files.append(Tf.TempFile(mode='w+'))
except OSError as error:
    print(error.strerror)
"""], env={**os.environ, 'TMPDIR': self.sandbox, 'LC_ALL': 'C'}, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        self.assertEqual(run.stdout, 'Too many open files\n')

    def test_alive_at_exit(self):
        directory, file = Tf.TemporaryDirectory(), Tf.NamedTemporaryFile()
        overrides.remove_alive()
        self.assertEqual(len(self.entries()), 2)
        with unittest.mock.patch.object(sys, 'last_type', KeyboardInterrupt, create=True):
            overrides.remove_alive()
        self.assertEqual(self.entries(), [])
        file.close()
        directory.cleanup()

    def test_texts_at_exit(self):
        with Tf.TempFile('w+') as file:
            file.write('x')
            overrides.flush_texts()
            self.assertEqual(file.buffer.tell(), 1)
            full = unittest.mock.Mock(closed=False, flush=unittest.mock.Mock(side_effect=OSError('full')))
            with unittest.mock.patch.object(overrides, 'texts', [lambda: full]), \
                    contextlib.redirect_stderr(io.StringIO()) as stderr:
                overrides.flush_texts()
        self.assertIn('full', stderr.getvalue())
        overrides.warm_up()

    def test_threads_that_wait(self):
        """One thread writes to disk while another uses the file: nobody waits for ever."""
        with Tf.TempFile() as file:
            thread = threading.Thread(target=lambda: [file.write(bytes(1 << 20)) for _ in range(50)])
            thread.start()
            while thread.is_alive():
                file.tell()
                file.get_size()
            thread.join()
            self.assertEqual(file.get_size(), 50 << 20)


    def test_while_the_interpreter_ends(self):
        with Tf.NamedFile() as file, unittest.mock.patch('sys.is_finalizing', return_value=True):
            call = overrides.Call(overrides.Tf.NamedFile, 'get_path', Tf.NamedFile)
            self.assertEqual(call(file), file.name)


class BufferTest(TestCase):
    def test_views(self):
        import array
        import mmap

        table = memoryview(bytes(range(12))).cast('B', (3, 4))
        with mmap.mmap(-1, 4096) as mapping:
            mapping[:5] = b'hello'
            for data, expected in ((table, bytes(range(12))), (memoryview(b'abcdef')[::-2], b'fdb'),
                                   (array.array('H', [1, 2]), array.array('H', [1, 2]).tobytes()),
                                   (mapping, mapping[:]), (bytearray(b'x'), b'x'), (memoryview(b''), b'')):
                for klass in CLASSES:
                    with klass() as file:
                        self.assertEqual(file.write(data), len(expected))
                        file.writelines([data, b'', data])
                        file.seek(0)
                        self.assertEqual(file.read(), expected * 3)

    def test_lines_of_any_size(self):
        lines = [b'x' * size + b'\n' for size in (0, 1, 8191, 8192, 20000, 300000, 5)]
        for klass in CLASSES:
            with klass() as file:
                file.writelines(lines)
                file.writelines(iter(lines))
                file.writelines(tuple(lines))
                file.seek(0)
                self.assertEqual(file.readlines(), lines * 3)
                file.seek(0)
                hint = 8195 if klass is Tf.SpooledTemporaryFile else 8194
                self.assertEqual(file.readlines(hint), lines[:3])
                self.assertEqual(file.readline(), lines[3])
                self.assertEqual(list(file), lines[4:] + lines * 2)
                for hint in 1, 3, 8194, 8195, 8196, 8197, 1 << 62:
                    expected = tempfile.SpooledTemporaryFile() if klass is Tf.SpooledTemporaryFile else tempfile.TemporaryFile()
                    with expected:
                        expected.writelines(lines)
                        expected.seek(0)
                        file.seek(0)
                        file.truncate(sum(map(len, lines)))
                        self.assertEqual(file.readlines(hint), expected.readlines(hint), hint)

    def test_closed_whatever_is_asked_for(self):
        for klass in CLASSES:
            for mode in 'w+b', 'w+':
                file = klass(mode=mode)
                file.close()
                for size in 0, 1, -1:
                    for name in 'read', 'readline', 'readlines':
                        self.assertRaises(ValueError, getattr(file, name), size)

    def test_position_after_next(self):
        with Tf.SpooledTemporaryFile(mode='w+', newline='') as file:
            file.write('a\nb\n')
            file.seek(0)
            self.assertEqual((next(file), file.tell(), next(file), next(file, None)), ('a\n', 2, 'b\n', None))

    def test_bytes_of_a_text_are_a_binary_file(self):
        for klass in CLASSES:
            with klass(mode='w+', newline='') as file:
                buffer = file.buffer
                self.assertIsInstance(buffer, io.BufferedIOBase)
                self.assertIs(weakref.ref(buffer)(), buffer)
                file.write('a\nb\n')
                file.flush()
                buffer.seek(0)
                self.assertEqual((buffer.peek()[:1], list(buffer)), (b'a', [b'a\n', b'b\n']))
                with self.assertRaises(AttributeError):
                    buffer.encoding
                if klass is Tf.SpooledTemporaryFile:
                    self.assertIsNone(buffer.name)
                    self.assertFalse(hasattr(buffer, 'raw'))
                    self.assertRaises(io.UnsupportedOperation, buffer.detach)
                    continue
                self.assertEqual((buffer.name, buffer.mode), (file.name, 'rb+'))
                self.assertIsInstance(buffer.raw, io.FileIO)
                with buffer.detach() as raw:
                    self.assertTrue(buffer.closed)
                    raw.seek(0)
                    self.assertEqual(raw.read(), b'a\nb\n')
            for call in buffer.__enter__, buffer.fileno:
                self.assertRaises(ValueError, call)
        with Tf.TemporaryFile('w+') as file, file.buffer as buffer:
            buffer.name = 'other'
            self.assertEqual(buffer.name, 'other')
        self.assertTrue(file.closed)

    def test_json(self):
        for klass in CLASSES:
            with klass(mode='w+') as file:
                json.dump([1, 2], file)
                file.seek(0)
                self.assertEqual(json.load(file), [1, 2])

    def test_numpy_does_not_open_the_path(self):
        try:
            import numpy
        except ImportError:
            self.skipTest('numpy is not installed')
        with Tf.NamedTemporaryFile() as file:
            file.write(b'HEAD')
            numpy.arange(2, dtype='u1').tofile(file)
            file.write(b'TAIL')
            file.seek(0)
            self.assertEqual(file.read(), b'HEAD\0\1TAIL')


if __name__ == '__main__':
    unittest.main()
