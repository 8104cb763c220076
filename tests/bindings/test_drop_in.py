# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the documentation of Python's tempfile says, of tempfile and of Tf: only the import changes."""

import abc
import dataclasses
import gc
import inspect
import io
import os
import pathlib
import stat
import sys
import tempfile
import unittest
import unittest.mock
import warnings

from sandbox import TestCase, Tf


class Cases:
    def setUp(self):
        super().setUp()
        tempfile.tempdir = self.sandbox
        self.addCleanup(setattr, tempfile, 'tempdir', None)

    # TemporaryFile

    def test_examples(self):
        fp = self.tempfile.TemporaryFile()
        self.assertEqual(fp.write(b'Hello world!'), 12)
        self.assertEqual(fp.seek(0), 0)
        self.assertEqual(fp.read(), b'Hello world!')
        fp.close()

        with self.tempfile.TemporaryFile() as fp:
            fp.write(b'Hello world!')
            fp.seek(0)
            self.assertEqual(fp.read(), b'Hello world!')
        self.assertTrue(fp.closed)

        with self.tempfile.TemporaryDirectory() as tmpdirname:
            self.assertTrue(os.path.isdir(tmpdirname))
        self.assertFalse(os.path.exists(tmpdirname))

        f = self.tempfile.NamedTemporaryFile(delete=False)
        self.assertEqual(f.write(b'Hello World!\n'), 13)
        f.close()
        os.unlink(f.name)
        self.assertFalse(os.path.exists(f.name))

    def test_positional_arguments(self):
        cases = [
            (self.tempfile.TemporaryFile, ('w+', -1, 'utf-8', '', '.s', 'p', self.sandbox)),
            (self.tempfile.NamedTemporaryFile, ('w+', -1, 'utf-8', '', '.s', 'p', self.sandbox, True)),
            (self.tempfile.SpooledTemporaryFile, (100, 'w+', -1, 'utf-8', '', '.s', 'p', self.sandbox)),
        ]
        for create, arguments in cases:
            with self.subTest(create), create(*arguments, errors='replace') as file:
                self.assertEqual(file.write('ä\r\n'), 3)
                file.seek(0)
                self.assertEqual(file.read(), 'ä\r\n')
                self.assertEqual((file.encoding, file.errors), ('utf-8', 'replace'))

    def test_usual_modes(self):
        for mode in 'rb+', 'r+b', 'wb+', 'w', 'w+', 'r', 'r+', 'wt', 'w+t', 'wt+', 'rt', 'r+t', 'rt+':
            data = b'x' if 'b' in mode else 'x'
            for file in self.tempfile.SpooledTemporaryFile(mode=mode), self.tempfile.SpooledTemporaryFile(0, mode):
                with self.subTest(mode), file:
                    self.assertEqual((file.mode, file.write(data), file.seek(0), file.read()), (mode, 1, 0, data))
            with self.subTest(mode), self.tempfile.NamedTemporaryFile(mode) as file:
                self.assertEqual((file.readable(), file.writable()), ('w' not in mode or '+' in mode,
                                                                      'r' not in mode or '+' in mode))

    def test_every_kind(self):
        for name in 'TemporaryFile', 'NamedTemporaryFile', 'SpooledTemporaryFile':
            create = getattr(self.tempfile, name)
            for arguments in {}, {'buffering': 0}, {'mode': 'w+b'}, {'suffix': '.s', 'prefix': 'p'}, {'dir': '.'}:
                with self.subTest(name, **arguments), create(**arguments) as file:
                    file.writelines([b'one\n', b'two\n'])
                    file.seek(-4, os.SEEK_END)
                    self.assertEqual(file.tell(), 4)
                    self.assertEqual(list(file), [b'two\n'])
                    file.truncate(3)
                    file.seek(0)
                    self.assertEqual(file.readlines(), [b'one'])
                    file.flush()
                    self.assertEqual(os.fstat(file.fileno()).st_size, 3)
                    self.assertEqual(stat.S_IMODE(os.fstat(file.fileno()).st_mode), 0o600)
                    self.assertFalse(os.get_inheritable(file.fileno()))
                with self.assertRaises(ValueError):
                    file.write(b'x')

    def test_text(self):
        for name in 'TemporaryFile', 'NamedTemporaryFile', 'SpooledTemporaryFile':
            with self.subTest(name):
                with getattr(self.tempfile, name)(mode='w+', encoding='ascii', errors='xmlcharrefreplace',
                                                  newline='\r\n', buffering=1) as file:
                    file.write('ä\n')
                    file.seek(0)
                    self.assertEqual(file.read(), '&#228;\r\n')
                with self.assertRaises(ValueError):
                    with getattr(self.tempfile, name)(mode='w+b', encoding='ascii') as file:
                        file.fileno()

    def test_unnamed(self):
        with self.tempfile.TemporaryFile() as file:
            self.assertEqual(self.entries(), [])
            self.assertEqual(os.fstat(file.fileno()).st_nlink, 0)
            self.assertIsInstance(file, io.BufferedIOBase)

    def test_raw(self):
        """Asking for what is below moves nothing."""
        for mode in 'a+b', 'w+b':
            with self.tempfile.TemporaryFile(mode) as file:
                file.write(b'hello')
                file.seek(1)
                self.assertEqual((file.raw.mode[0], file.tell(), file.read()), (mode[0].replace('w', 'r'), 1, b'ello'))
        with self.tempfile.NamedTemporaryFile('a+') as file:
            file.write('hello')
            file.seek(0)
            self.assertIsNotNone(file.buffer.raw)
            self.assertEqual((file.tell(), file.read()), (0, 'hello'))

    def test_failed_text(self):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter('always')
            for name in 'TemporaryFile', 'NamedTemporaryFile':
                with self.assertRaises(LookupError):
                    getattr(self.tempfile, name)('w', encoding='no-such')
                with self.assertRaises(ValueError):
                    getattr(self.tempfile, name)('w', newline='x')
            gc.collect()
        self.assertEqual([warning for warning in seen if issubclass(warning.category, ResourceWarning)], [])

    def test_members(self):
        kinds = 'TemporaryFile', 'NamedTemporaryFile', 'SpooledTemporaryFile', 'TemporaryDirectory'
        for create in [getattr(self.tempfile, name) for name in kinds]:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                object = create()
                members = dict(inspect.getmembers(object))
                self.assertIn('name', members)
                unittest.mock.Mock(spec=object)
                unittest.mock.create_autospec(object)
                del members
                getattr(object, 'close', getattr(object, 'cleanup', None))()

    def test_derived(self):
        """As any class of Python."""
        @dataclasses.dataclass(eq=False)
        class Upload(self.tempfile.SpooledTemporaryFile):
            filename: str = ''

            def __post_init__(self):
                super().__init__(max_size=5)

        with Upload('a') as upload:
            self.assertEqual((upload.filename, upload.write(b'x')), ('a', 1))
        self.assertIn('Upload', Upload.__doc__)

        class Tagged(self.tempfile.TemporaryDirectory, abc.ABC):
            def __init_subclass__(cls, tag=None, **kwargs):
                super().__init_subclass__(**kwargs)
                cls.tag = tag

            @abc.abstractmethod
            def describe(self):
                """To be defined."""

        class Described(Tagged, tag=7):
            """Has a description."""
            describe = len

        self.assertEqual((Described.tag, Described.__doc__), (7, 'Has a description.'))
        with Described() as path:
            self.assertTrue(os.path.isdir(path))
        self.assertEqual(Tagged.__abstractmethods__, {'describe'})

    def test_errors(self):
        for name in 'TemporaryFile', 'NamedTemporaryFile', 'TemporaryDirectory', 'mkstemp', 'mkdtemp':
            with self.subTest(name):
                with self.assertRaises(FileNotFoundError):
                    getattr(self.tempfile, name)(dir=os.path.join(self.sandbox, 'missing'))
                with self.assertRaises(TypeError):
                    getattr(self.tempfile, name)(prefix='x', suffix=b'y')
                if name != 'TemporaryFile':
                    with self.assertRaises(OSError):
                        getattr(self.tempfile, name)(prefix='x/y')
        file = os.path.join(self.sandbox, 'file')
        pathlib.Path(file).touch()
        for name in 'TemporaryFile', 'NamedTemporaryFile', 'TemporaryDirectory', 'mkstemp', 'mkdtemp':
            with self.subTest(name), self.assertRaises(NotADirectoryError):
                getattr(self.tempfile, name)(dir=file)
        os.remove(file)

    # NamedTemporaryFile

    def test_name(self):
        with self.tempfile.NamedTemporaryFile(suffix='.txt', prefix='report-') as file:
            self.assertRegex(file.name, self.sandbox + r'/report-[a-z0-9_]{8}\.txt$')
            file.write(b'x')
            file.flush()
            with open(file.name, 'rb') as again:
                self.assertEqual(again.read(), b'x')
        self.assertFalse(os.path.exists(file.name))
        with self.tempfile.NamedTemporaryFile(prefix=b'x') as file:
            self.assertIs(type(file.name), bytes)

    def test_delete(self):
        with self.tempfile.NamedTemporaryFile(delete=False) as file:
            pass
        os.remove(file.name)
        file = self.tempfile.NamedTemporaryFile()
        name = file.name
        del file
        self.assertFalse(os.path.exists(name))

    def test_method_of_dropped_text(self):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', ResourceWarning)
            file = self.tempfile.NamedTemporaryFile('w')
            write = file.file.write
            self.assertEqual(write('x'), 1)
            del file
            gc.collect()
        with self.assertRaises(ValueError):
            write('y')

    def test_detached(self):
        file = self.tempfile.NamedTemporaryFile()
        file.write(b'abc')
        raw = file.detach()
        self.assertEqual(pathlib.Path(file.name).read_bytes(), b'abc')
        # What tempfile has says that it has no bytes, and then removes the path.
        try:
            file.close()
        except ValueError:
            pass
        self.assertFalse(os.path.exists(file.name))
        raw.close()

    def test_delete_on_close(self):
        if self.tempfile is tempfile and sys.version_info < (3, 12):
            self.skipTest('new in Python 3.12')
        with self.tempfile.NamedTemporaryFile(delete_on_close=False) as file:
            file.write(b'Hello world!')
            file.close()
            with open(file.name, 'rb') as again:
                self.assertEqual(again.read(), b'Hello world!')
        self.assertFalse(os.path.exists(file.name))
        with self.tempfile.NamedTemporaryFile(delete=False, delete_on_close=True) as file:
            pass
        os.remove(file.name)

    # SpooledTemporaryFile

    def test_spooled(self):
        with self.tempfile.SpooledTemporaryFile(max_size=10) as file:
            file.write(b'0123456789')
            self.assertIsNone(file.name)
            file.write(b'!')
            self.assertIs(type(file.name), int)
            file.seek(0)
            self.assertEqual(file.read(), b'0123456789!')
        with self.tempfile.SpooledTemporaryFile() as file:
            file.write(bytes(3 << 20))
            self.assertIsNone(file.name)
            file.rollover()
            file.rollover()
            self.assertIs(type(file.name), int)
        with self.tempfile.SpooledTemporaryFile(max_size=10) as file:
            file.write(b'x')
            self.assertEqual(os.fstat(file.fileno()).st_size, 1)
            self.assertIs(type(file.name), int)
        with self.tempfile.SpooledTemporaryFile(max_size=10, mode='w+', encoding='utf-8') as file:
            file.write('ä' * 20)
            file.rollover()
            file.seek(0)
            self.assertEqual(file.read(), 'ä' * 20)

    def test_rolled_text(self):
        for ask in (lambda file: (file._rolled, type(file.name))), (lambda file: (type(file.name), file._rolled)[::-1]):
            with self.tempfile.SpooledTemporaryFile(max_size=4, mode='w+') as file:
                file.write('xxxx')
                self.assertEqual(ask(file), (False, type(None)))
                file.write('x')
                self.assertEqual(ask(file), (True, int))

    def test_text_is_cut(self):
        with self.tempfile.SpooledTemporaryFile(mode='w+') as file:
            file.write('abcdef')
            file.truncate(size=3)
            file.seek(0)
            self.assertEqual(file.read(), 'abc')

    def test_max_size(self):
        for max_size, size, is_rolled in ((1e6, 1000000, False), (1e6, 1000001, True), (2.5, 2, False), (2.5, 3, True),
                                          (float('inf'), 1 << 21, False), (float('nan'), 1 << 21, False), (0.5, 1, True),
                                          (0.0, 1 << 21, False), (1 << 70, 1 << 21, False), (-1, 1, True), (-2.5, 1, True),
                                          (-2 << 70, 1, True), (float('-inf'), 1, True), (True, 1, False),
                                          (True, 2, True)):
            for mode, data in ('w+b', b'x'), ('w+', 'x'):
                with self.subTest(max_size=max_size, mode=mode), \
                        self.tempfile.SpooledTemporaryFile(max_size, mode) as file:
                    file.write(data * size)
                    self.assertEqual(file._rolled, is_rolled)

    def test_file_of_spooled(self):
        with self.tempfile.SpooledTemporaryFile() as file, self.tempfile.SpooledTemporaryFile(mode='w+') as text:
            for _ in range(2):
                file._file.write(b'x')
                text._file.write('x')
                self.assertIsInstance(text._file, io.TextIOWrapper)
                file.rollover()
                text.rollover()
            file.seek(0)
            text.seek(0)
            self.assertEqual((file.read(), text.read()), (b'xx', 'xx'))

    def test_default_of_max_size(self):
        signature = inspect.signature(self.tempfile.SpooledTemporaryFile)
        self.assertEqual(signature.parameters['max_size'].default, 0)

    # TemporaryDirectory

    def test_directory(self):
        directory = self.tempfile.TemporaryDirectory('.s', 'p', self.sandbox, True)
        self.assertRegex(directory.name, self.sandbox + r'/p.{8}\.s$')
        self.assertEqual(stat.S_IMODE(os.stat(directory.name).st_mode), 0o700)
        pathlib.Path(directory.name, 'x').touch()
        directory.cleanup()
        self.assertFalse(os.path.exists(directory.name))
        directory.cleanup()
        with self.tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as path:
            self.assertIs(type(path), str)
            os.rmdir(path)

    def test_directory_without_delete(self):
        if self.tempfile is tempfile and sys.version_info < (3, 12):
            self.skipTest('new in Python 3.12')
        with self.tempfile.TemporaryDirectory(delete=False) as path:
            pass
        os.rmdir(path)

    # Functions and tempdir

    def test_mkstemp(self):
        for arguments in (), ('.s', 'p'), ('.s', 'p', self.sandbox), (None, None, None, True):
            fd, path = self.tempfile.mkstemp(*arguments)
            self.assertTrue(os.path.isabs(path))
            self.assertEqual(os.write(fd, b'x'), 1)
            self.assertEqual(stat.S_IMODE(os.fstat(fd).st_mode), 0o600)
            self.assertFalse(os.get_inheritable(fd))
            os.close(fd)
            os.remove(path)
        for arguments in {'suffix': b''}, {'prefix': b'p'}, {'dir': os.fsencode(self.sandbox)}:
            fd, path = self.tempfile.mkstemp(**arguments)
            os.close(fd)
            self.assertIs(type(path), bytes)
            os.remove(path)

    def test_mkdtemp(self):
        for arguments in (), ('.s', 'p'), ('.s', 'p', pathlib.Path(self.sandbox)), (b'', None, None):
            path = self.tempfile.mkdtemp(*arguments)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o700)
            self.assertIs(type(path), bytes if arguments[:1] == (b'',) else str)
            os.rmdir(path)

    def test_mktemp(self):
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            path = self.tempfile.mktemp('.s', 'p', self.sandbox)
        self.assertRegex(path, self.sandbox + r'/p.{8}\.s$')
        self.assertFalse(os.path.exists(path))

    def test_where(self):
        self.assertEqual(self.tempfile.gettempdir(), self.sandbox)
        self.assertEqual(self.tempfile.gettempdirb(), os.fsencode(self.sandbox))
        self.assertEqual(self.tempfile.gettempprefix(), 'tmp')
        self.assertEqual(self.tempfile.gettempprefixb(), b'tmp')
        self.assertEqual(self.tempfile.tempdir, self.sandbox)
        self.tempfile.tempdir = os.fsencode(self.sandbox)
        path = self.tempfile.mkdtemp()
        self.assertIs(type(path), bytes)
        os.rmdir(path)
        self.tempfile.tempdir = None
        for variable in 'TMPDIR', 'TEMP', 'TMP':
            with self.subTest(variable):
                old = {name: os.environ.pop(name, None) for name in ('TMPDIR', 'TEMP', 'TMP')}
                os.environ[variable] = self.sandbox
                try:
                    self.tempfile.tempdir = None
                    self.assertEqual(self.tempfile.gettempdir(), self.sandbox)
                finally:
                    del os.environ[variable]
                    os.environ.update({name: value for name, value in old.items() if value is not None})

    def test_where_with_a_slash(self):
        self.tempfile.tempdir = None
        with unittest.mock.patch.dict(os.environ, TMPDIR=self.sandbox + '/'):
            self.assertEqual(self.tempfile.gettempdir(), self.sandbox)
            self.assertEqual(self.tempfile.gettempdir(), self.sandbox)
            with self.tempfile.NamedTemporaryFile() as file:
                self.assertEqual(os.path.dirname(file.name), self.sandbox)

    def test_audit_events(self):
        heard = []
        Listener.heard = heard
        try:
            with self.tempfile.NamedTemporaryFile() as file, self.tempfile.TemporaryDirectory() as path:
                pass
        finally:
            Listener.heard = None
        self.assertEqual(heard, [('tempfile.mkstemp', file.name), ('tempfile.mkdtemp', path)])


class Listener:
    heard = None


def audit_hook(event, arguments):
    if event in ('tempfile.mkstemp', 'tempfile.mkdtemp') and Listener.heard is not None:
        Listener.heard.append((event, *arguments))


sys.addaudithook(audit_hook)


class PythonTest(Cases, TestCase):
    tempfile = tempfile


class TfTest(Cases, TestCase):
    tempfile = Tf


if __name__ == '__main__':
    unittest.main()
