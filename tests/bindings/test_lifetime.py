# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Files that go while they, or parts of them, are used."""

import csv
import ctypes
import gc
import io
import os
import sys
import unittest
import warnings
import weakref

from sandbox import TestCase, Tf

CLASSES = Tf.TemporaryFile, Tf.NamedTemporaryFile, Tf.SpooledTemporaryFile

has_module = sys.modules['gi.overrides._gi_tf'] is not None


glib = ctypes.CDLL('libglib-2.0.so.0')
gobject = ctypes.CDLL('libgobject-2.0.so.0')
for function in glib.g_main_context_new, glib.g_idle_source_new, gobject.g_object_get_qdata:
    function.restype = ctypes.c_void_p


class Dropped:
    """Tells with which lock the object of C goes: a source in a context of its own calls PyGILState_Check() then."""

    def __init__(self, wrapper):
        self.context = ctypes.c_void_p(glib.g_main_context_new())
        self.source = ctypes.c_void_p(glib.g_idle_source_new())
        glib.g_source_set_callback(self.source, ctypes.pythonapi.PyGILState_Check, None, None)
        glib.g_source_attach(self.source, self.context)
        gobject.g_object_weak_ref(ctypes.c_void_p(hash(wrapper)), glib.g_main_context_iteration, self.context)

    def was_with_lock(self):
        """A source whose function returns 0 is removed."""
        is_kept = not glib.g_source_is_destroyed(self.source)
        glib.g_source_destroy(self.source)
        glib.g_source_unref(self.source)
        glib.g_main_context_unref(self.context)
        return is_kept


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

    @unittest.skipUnless(has_module, 'PyGObject drops what has attributes with the lock')
    def test_dropped_without_lock(self):
        """While the interpreter ends, a thread that drops with the lock goes on without it."""
        texts = lambda: Tf.TemporaryFile('w+'), lambda: Tf.NamedTemporaryFile('w+')
        for create in *CLASSES, Tf.TemporaryDirectory, *texts:
            for is_closed in False, True:
                file = create()
                file.attribute = 1
                dropped = Dropped(file)
                if is_closed:
                    file.__exit__(None, None, None)
                del file
                self.assertFalse(dropped.was_with_lock())

        for part in 'write', 'buffer':
            file = Tf.TemporaryFile('w+')
            kept = getattr(file, part)
            dropped = Dropped(file)
            del file
            del kept
            self.assertFalse(dropped.was_with_lock())

    def test_dropped_without_wrapper(self):
        """What uses the object of C while that goes gets another wrapper."""
        wrappers = []
        quark = glib.g_quark_from_string(b'PyGObject::wrapper')

        @ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
        def look(data, address):
            wrappers.append(gobject.g_object_get_qdata(ctypes.c_void_p(address), quark))

        for klass in *CLASSES, Tf.TemporaryDirectory:
            file = klass()
            gobject.g_object_weak_ref(ctypes.c_void_p(hash(file)), look, None)
            del file
        self.assertEqual(wrappers, [None] * 4)

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


if __name__ == '__main__':
    unittest.main()
