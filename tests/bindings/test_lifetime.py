# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Files that go while they, or parts of them, are used."""

import csv
import gc
import io
import os
import sys
import unittest
import warnings
import weakref

from gi.repository import GObject

from sandbox import TestCase, Tf

CLASSES = Tf.TemporaryFile, Tf.NamedTemporaryFile, Tf.SpooledTemporaryFile


def count_dictionaries(object):
    return sum(type(referent) is dict for referent in gc.get_referents(object))


class Dropping:
    """A number that drops what is in a list when it is asked for."""

    def __init__(self, box, number, then=lambda file: None):
        self.box, self.number, self.then = box, number, then

    def __index__(self):
        for file in self.box:
            self.then(file)
        self.box.clear()
        gc.collect()
        return self.number


class LifetimeTest(TestCase):
    def setUp(self):
        super().setUp()
        caught = warnings.catch_warnings()
        caught.__enter__()
        self.addCleanup(caught.__exit__, None, None, None)
        warnings.simplefilter('ignore', ResourceWarning)

    def test_dropped_while_lines_are_written(self):
        for klass in CLASSES:
            file = klass(mode='w+')
            buffer, box = file.buffer, [file]
            del file

            def lines():
                yield b'one\n'
                box.clear()
                gc.collect()
                others = [Tf.SpooledFile() for _ in range(50)]
                yield b'two\n' * 100000
                for other in others:
                    self.assertEqual(other.get_size(), 0)
                    other.close()

            try:
                buffer.writelines(lines())
            except ValueError:
                pass
            del lines
            self.assertRaises(ValueError, buffer.read)
            self.assertTrue(buffer.closed)

    def test_gone_when_the_arguments_are_known(self):
        for klass in CLASSES:
            for end in lambda file: None, lambda file: file.close():
                for name in 'read', 'read1', 'readline', 'readlines', 'peek', 'seek', 'truncate':
                    with self.subTest(klass, name=name):
                        file = klass(mode='w+')
                        file.write('hello\n' * 100)
                        file.seek(0)
                        buffer = file.buffer
                        number = Dropping([file], 5000, end)
                        del file
                        try:
                            getattr(buffer, name)(number)
                        except ValueError:
                            pass
                        del number
                        self.assertTrue(buffer.closed)

                        file = klass()
                        try:
                            getattr(file, name)(Dropping([file], 5000, end))
                        except ValueError:
                            pass
                        file.close()

    def test_a_method_keeps_the_file(self):
        def of_new_file(klass, get):
            file = klass(mode='w+', newline='\n')
            file.write('one\ntwo\n')
            file.seek(0)
            return get(file)

        for klass in CLASSES:
            with self.subTest(klass):
                self.assertEqual(of_new_file(klass, lambda file: file.read)(), 'one\ntwo\n')
                self.assertEqual(list(iter(of_new_file(klass, lambda file: file.readline), '')), ['one\n', 'two\n'])
                self.assertEqual(list(of_new_file(klass, iter)), ['one\n', 'two\n'])
                of_new_file(klass, lambda file: file.writelines)(['three\n'])
        self.assertEqual(self.entries(), [])

        def writer():
            file = Tf.NamedTemporaryFile('w', delete=False, newline='')
            return csv.writer(file), file.name
        table, path = writer()
        table.writerow([1, 2])
        del table
        with open(path) as file:
            self.assertEqual(file.read(), '1,2\n')
        os.remove(path)

    def test_dropped_text(self):
        """It goes at once, if nobody has a part of it, and what was written is written."""
        for klass in CLASSES:
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter('always')
                file = klass(mode='w+')
                reference, buffer = weakref.ref(file), file.buffer
                del file
            self.assertEqual([warning.category for warning in seen], [ResourceWarning])
            seen.clear()
            self.assertIsNone(reference())
            self.assertTrue(buffer.closed)

        file = Tf.NamedTemporaryFile('w', delete=False)
        path = file.name
        file.write('hello')
        del file
        with open(path) as file:
            self.assertEqual(file.read(), 'hello')
        os.remove(path)

    def test_detached(self):
        for klass in CLASSES:
            with self.subTest(klass):
                file = klass(mode='w+')
                file.write('one')
                buffer = file.detach()
                for call in lambda: file.write('x'), file.read, file.readline, file.flush, file.close, file.tell, \
                        lambda: file.seek(0), lambda: next(file), file.detach:
                    self.assertRaisesRegex(ValueError, 'detached', call)
                self.assertEqual(file.get_size(), 3)
                del file
                gc.collect()
                again = io.TextIOWrapper(buffer, 'latin-1')
                del buffer
                again.write('ä')
                again.seek(0)
                self.assertEqual(again.read(), 'oneä')
                again.close()

                with warnings.catch_warnings(record=True) as seen:
                    warnings.simplefilter('always')
                    buffer = klass(mode='w+').detach()
                    self.assertFalse(buffer.closed)
                    del buffer
                    gc.collect()
                self.assertEqual([warning.category for warning in seen], [ResourceWarning])

    @unittest.skipUnless(sys.modules.get('gi.overrides._gi_tf'), 'of the module')
    def test_without_dictionary(self):
        """PyGObject may go on without Python's lock, at the end, when it drops an object that has one.

        Newer versions give one to each object.
        """
        for make in (Tf.TemporaryFile, Tf.NamedTemporaryFile, Tf.SpooledTemporaryFile, Tf.TemporaryDirectory):
            with self.subTest(make=make), make() as object:
                if make is Tf.TemporaryDirectory:
                    object = Tf.TemporaryDirectory()
                    self.addCleanup(object.cleanup)
                repr(object)
                for name in ('mode', 'closed', 'file', 'encoding'):
                    getattr(object, name, None)
                self.assertEqual(count_dictionaries(object), count_dictionaries(GObject.Object()))


if __name__ == '__main__':
    unittest.main()
