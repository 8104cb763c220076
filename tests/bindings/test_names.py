# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

import contextlib
import gc
import importlib
import io
import os
import pathlib
import subprocess
import unittest
import warnings

from gi.repository import Gio, GLib

from sandbox import TestCase, Tf

overrides = importlib.import_module('gi.overrides.Tf')


class HeldTest(TestCase):
    """What an uncaught KeyboardInterrupt leaves to the override; the process is ended in exit/."""

    def hold(self):
        file, dir = Tf.NamedFile(), Tf.TempDir()
        file.hold_until_exit()
        dir.hold_until_exit()
        file.close()
        return file, dir

    def test_exit(self):
        paths = [held.name for held in self.hold()]
        gc.collect()
        self.assertEqual([os.path.lexists(path) for path in paths], [True, True])
        overrides.remove_held()
        self.assertEqual(self.entries(), [])

    def test_kept_after_all(self):
        paths = [held.keep() for held in self.hold()]
        overrides.remove_held()
        os.remove(paths[0])
        os.rmdir(paths[1])

    def test_failure(self):
        file, dir = self.hold()
        os.rename(file.name, file.name + '.moved')
        os.symlink('.', file.name)
        with contextlib.redirect_stderr(io.StringIO()) as stderr:
            overrides.remove_held()
        self.assertIn(file.name, stderr.getvalue())
        self.assertFalse(os.path.lexists(dir.name))
        os.remove(file.name)
        os.remove(file.name + '.moved')

    def test_subprocess(self):
        # A file is removed before the object is gone, which may be in another thread.
        while overrides.held:
            GLib.MainContext.default().iteration(False)
        cat = Gio.Subprocess.new(['cat'], Gio.SubprocessFlags.STDIN_PIPE)
        for held in Tf.NamedFile(), Tf.TempDir():
            held.hold_for_subprocess(cat)
        del held
        self.assertEqual(len(overrides.held), 2)
        cat.get_stdin_pipe().close()
        while overrides.held:
            GLib.MainContext.default().iteration(False)
        while self.entries():
            GLib.MainContext.default().iteration(False)

    def test_popen(self):
        cat = subprocess.Popen(['cat'], stdin=subprocess.PIPE)
        for held in Tf.NamedFile(), Tf.TempDir():
            held.hold_for_subprocess(cat)
        del held
        self.assertEqual(len(self.entries()), 2)
        cat.communicate()
        while self.entries():
            GLib.MainContext.default().iteration(False)


class FunctionTest(TestCase):
    def test_mkstemp(self):
        fd, path = Tf.mkstemp('.txt', 'report-')
        os.write(fd, b'x')
        os.close(fd)
        self.assertEqual(os.path.dirname(path), self.sandbox)
        self.assertRegex(os.path.basename(path), r'^report-[a-z0-9_]{8}\.txt$')
        os.remove(path)

        fd, path = Tf.mkstemp(suffix=b'', text=True)
        os.close(fd)
        self.assertIs(type(path), bytes)
        os.remove(path)

    def test_mkdtemp(self):
        for dir, expected in ((None, str), (self.sandbox.encode(), bytes), (pathlib.Path(self.sandbox), str)):
            path = Tf.mkdtemp(dir=dir)
            self.assertIs(type(path), expected)
            os.rmdir(path)

    def test_cancelled(self):
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        for call in Tf.mkstemp, Tf.mkdtemp:
            with self.assertRaises(GLib.Error) as caught:
                call(cancellable=cancellable)
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))

    def test_mktemp(self):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', DeprecationWarning)
            path = Tf.mktemp('b', 'a')
        self.assertRegex(os.path.basename(path), '^a.{8}b$')
        self.assertFalse(os.path.lexists(path))

    def test_remove_tree(self):
        path = os.path.join(self.sandbox, 'tree\udcff')
        for each in path, os.fsencode(path), pathlib.Path(path), Gio.File.new_for_path(os.fsencode(path)):
            os.makedirs(os.path.join(path, 'a', 'b'))
            self.assertIsNone(Tf.remove_tree(each))
            self.assertFalse(os.path.lexists(path))
        with self.assertRaises(FileNotFoundError):
            Tf.remove_tree(path)

    def test_sweep(self):
        # What other programs of this user have left is not this test's.
        self.assertIsInstance(Tf.sweep(), int)
        self.assertEqual(Tf.sweep(dir=self.sandbox), 0)
        self.assertEqual(Tf.sweep('p', pathlib.Path(self.sandbox), 7), 0)
        with self.assertRaises(GLib.Error):
            Tf.sweep(dir=os.path.join(self.sandbox, 'missing'))

    def test_tempdir(self):
        self.assertEqual(Tf.gettempdir(), self.sandbox)
        self.assertEqual(Tf.gettempdirb(), self.sandbox.encode())
        self.assertEqual((Tf.gettempprefix(), Tf.gettempprefixb()), ('tmp', b'tmp'))
        Tf.tempdir = None
        self.assertIsNone(Tf.tempdir)
        found = Tf.gettempdir()
        self.assertEqual(Tf.tempdir, found)
        Tf.tempdir = self.sandbox.encode()
        self.assertEqual(Tf.gettempdir(), self.sandbox)
        path = Tf.mkdtemp()
        self.assertIs(type(path), bytes)
        os.rmdir(path)
        with self.assertRaises(TypeError):
            Tf.tempdir = 7
        Tf.tempdir = pathlib.Path(self.sandbox)
        self.assertEqual((Tf.tempdir, Tf.gettempdir()), (pathlib.Path(self.sandbox), self.sandbox))
        with Tf.NamedFile() as file:
            self.assertEqual(os.path.dirname(file.name), self.sandbox)

    def test_errors(self):
        for call in Tf.mkstemp, Tf.mkdtemp, Tf.mktemp:
            with self.assertRaises(TypeError):
                call(suffix='x', prefix=b'y')
            with self.assertRaises(OSError):
                call(prefix='a/b')
        for call in Tf.mkstemp, Tf.mkdtemp:
            with self.assertRaises(FileNotFoundError):
                call(dir=os.path.join(self.sandbox, 'missing'))
            with self.assertRaises(GLib.Error):
                call(dir=os.path.join(self.sandbox, 'missing'))


class TempDirTest(TestCase):
    def test_with(self):
        with Tf.TempDir(prefix='unpack-', suffix='.d') as path:
            self.assertRegex(os.path.basename(path), r'^unpack-.{8}\.d$')
            os.makedirs(os.path.join(path, 'a', 'b'))
            pathlib.Path(path, 'a', 'file').write_text('x')
        self.assertFalse(os.path.exists(path))

    def test_path(self):
        directory = Tf.TempDir()
        self.assertEqual(os.fspath(directory), directory.name)
        self.assertEqual(directory.name, directory.get_path())
        pathlib.Path(directory, 'file').write_text('x')
        directory.cleanup()
        directory.cleanup(None)
        self.assertEqual(self.entries(), [])

    def test_subclass(self):
        class Workshop(Tf.TempDir):
            def __init__(self, title):
                super().__init__(prefix=title)

        with Workshop('shop-') as path:
            self.assertIn('shop-', path)
        with Workshop(b'\xff') as path:
            self.assertTrue(os.path.basename(path).startswith(b'\xff'))
        with Workshop('\udcff') as path:
            self.assertTrue(os.path.basename(path).startswith('\udcff'))
        with self.assertRaises(ValueError):
            Workshop('a\0b')

    def test_build_filename(self):
        directory = Tf.TempDir(suffix='\udcff')
        self.assertEqual(directory.build_filename('a', pathlib.Path('b', 'c')), os.path.join(directory, 'a/b/c'))
        self.assertEqual(Tf.TempDir(suffix=b'').build_filename(b'\xff')[-2:], b'/\xff')
        for elements in (), ('',), ('/etc',), ('a', '/etc'), ('a', '..'):
            with self.assertRaises(GLib.Error) as caught:
                directory.build_filename(*elements)
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.INVALID_FILENAME))
        directory.cleanup()

    def test_bytes(self):
        with Tf.TempDir(prefix=b'\xff') as path:
            self.assertIs(type(path), bytes)
            self.assertTrue(os.path.basename(path).startswith(b'\xff'))

    def test_delete(self):
        with Tf.TempDir(delete=False) as path:
            pass
        self.assertTrue(os.path.isdir(path))
        os.rmdir(path)
        with Tf.TempDir(auto_cleanup=False) as path:
            pass
        os.rmdir(path)

    def stranger_in_place(self, **arguments):
        directory = Tf.TempDir(**arguments)
        self.addCleanup(directory.keep)
        os.rename(directory, directory.name + '.moved')
        os.rmdir(directory.name + '.moved')
        pathlib.Path(directory).write_text('a stranger')
        self.addCleanup(os.remove, directory.name)
        return directory

    def test_errors(self):
        with self.assertRaises(FileExistsError):
            self.stranger_in_place().cleanup()
        self.stranger_in_place(ignore_cleanup_errors=True).cleanup()
        self.doCleanups()

    def test_inside(self):
        with Tf.TempDir() as path, Tf.TempDir() as other:
            self.assertNotEqual(path, other)
        directory = Tf.TempDir()
        file = directory.create_file()
        self.assertIsInstance(file, Tf.NamedFile)
        self.assertEqual(os.path.dirname(file.name), directory.name)
        file.write(b'x')
        file.close()
        self.assertTrue(os.path.exists(file.name))
        with directory.create_dir('sub-', '.d') as inner:
            self.assertRegex(os.path.basename(inner), r'^sub-.{8}\.d$')
        self.assertTrue(os.path.isdir(inner))
        self.assertTrue(os.path.basename(directory.create_file(suffix=b'\xff').name).endswith('\udcff'))
        directory.cleanup()
        for create in directory.create_file, directory.create_dir:
            with self.assertRaises(FileNotFoundError):
                create()
            with self.assertRaises(ValueError):
                create('a\0b')

    def test_handed_over(self):
        with Tf.TempDir() as path:
            pass
        with Tf.NamedFile() as file, Tf.NamedFile(delete_on_close=False) as other:
            directory = Tf.TempDir()
            with directory as path:
                for handed in file, other, directory:
                    handed.hold_until_exit()
                    handed.hand_over(1000)
        overrides.remove_held()
        paths = [file.name, other.name, path]
        self.assertEqual([os.path.lexists(path) for path in paths], [True, True, True])
        self.assertTrue(file.is_handed_over())
        file.unlink()
        other.unlink()
        directory.cleanup()
        self.assertFalse(directory.is_handed_over())

    def test_collected(self):
        path = Tf.TempDir().name
        self.assertFalse(os.path.exists(path))


if __name__ == '__main__':
    unittest.main()
