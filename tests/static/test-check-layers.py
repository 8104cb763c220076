#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Tests that check-layers.py finds each fault in made-up trees, and none in a sound one."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().parent / 'check-layers.py'

SOUND = {
    'tf-file.h': '#include <gio/gio.h>\n#include "tf-enums.h"\n',
    'tf-enums.h': '#include <glib-object.h>\n',
    'tf-file.c': '#include "tf-file.h"\n#include <fcntl.h>\n#include "store/tf-store.h"\n\n'
                 'void\ntf_file_new (void)\n{\n}\n',
    'store/tf-store.h': '#include "tf-buffer.h"\n#include "tf-enums.h"\n',
    'store/tf-store.c': '#include "tf-store.h"\n#include "base/tf-errno.h"\n\n'
                        'static void\nanything (void)\n{\n}\n\n'
                        'void\ntf_store_new (void)\n{\n}\n',
    'store/tf-store-rest.c': '#include "tf-store.h"\n\nvoid\ntf_store_rest (void)\n{\n}\n',
    'store/tf-buffer.h': '',
    'base/tf-errno.h': '#include <errno.h>\n',
    'base/tf-errno.c': '#include "tf-errno.h"\n\nvoid\ntf_errno_set (void)\n{\n}\n',
}


def function_of(n_lines, comment=''):
    return f'{comment}static void\nlong_one (void)\n{{\n' + '  step ();\n' * n_lines + '}\n'


class CheckLayersTest(unittest.TestCase):

    def check(self, changes):
        """Returns the exit status and the lines of a check of the sound tree with these changes."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**SOUND, **changes}.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding='utf-8')
            result = subprocess.run([sys.executable, CHECK, folder], capture_output=True, text=True)
        self.assertEqual(result.stderr, '')
        return result.returncode, result.stdout.splitlines()

    def assert_sound(self, changes, n_lines=1):
        status, lines = self.check(changes)
        self.assertEqual(status, 0, lines)
        self.assertEqual(len(lines), n_lines, lines)

    def assert_fault(self, changes, *expected):
        """These are the faults, and the last line is the count."""
        status, lines = self.check(changes)
        self.assertEqual(status, 1, lines)
        self.assertEqual(lines[:-1], list(expected))

    def add(self, name, text):
        return {name: SOUND[name] + text}

    def test_sound(self):
        self.assert_sound({})

    def test_include_upwards(self):
        self.assert_fault(self.add('base/tf-errno.c', '#include "store/tf-buffer.h"\n'),
                          'base/tf-errno.c: includes store/tf-buffer.h, which is above it')
        self.assert_fault(self.add('base/tf-errno.h', '#include "store/tf-buffer.h"\n'),
                          'base/tf-errno.h: includes store/tf-buffer.h, which is above it')

    def test_include_of_a_class(self):
        self.assert_fault(self.add('store/tf-buffer.h', '#include "tf-file.h"\n'),
                          'store/tf-buffer.h: includes tf-file.h, which is above it',
                          'a circle: store/tf-buffer store/tf-store tf-file')

    def test_include_sidewards(self):
        self.assert_fault({'text/tf-codec.h': '#include "tree/tf-walk.h"\n', 'tree/tf-walk.h': ''},
                          'text/tf-codec.h: includes tree/tf-walk.h, which is above it')

    def test_public_header(self):
        self.assert_fault(self.add('tf-file.h', '#include "store/tf-buffer.h"\n'),
                          './tf-file.h: a public header includes store/tf-buffer.h')
        self.assert_fault(self.add('tf-file.h', '#include <fcntl.h>\n'),
                          './tf-file.h: a public header includes <fcntl.h>')

    def test_circle_of_two(self):
        self.assert_fault(self.add('store/tf-buffer.h', '#include "tf-store.h"\n'),
                          'a circle: store/tf-buffer store/tf-store')

    def test_circle_of_three(self):
        self.assert_fault({**self.add('store/tf-buffer.h', '#include "tf-pool.h"\n'),
                           'store/tf-pool.c': '#include "tf-store.h"\n', 'store/tf-pool.h': ''},
                          'a circle: store/tf-buffer store/tf-pool store/tf-store')

    def test_long_function(self):
        self.assert_sound(self.add('base/tf-errno.c', function_of(60)))
        self.assert_fault(self.add('base/tf-errno.c', function_of(61)),
                          'tf-errno.c: long_one() has 61 lines: no reason given')
        self.assert_fault(self.add('base/tf-errno.c', function_of(61, '/* Long. */\n')),
                          'tf-errno.c: long_one() has 61 lines: no reason given')
        self.assert_sound(self.add('base/tf-errno.c', function_of(61, '/* Long because it is a table. */\n')), 2)

    def test_symbol(self):
        self.assert_fault(self.add('store/tf-store.c', '\nvoid\ntf_other_new (void)\n{\n}\n'),
                          'store/tf-store.c: tf_other_new() does not begin with tf_store_')
        self.assert_fault(self.add('store/tf-store-rest.c', '\nvoid\ntf_rest (void)\n{\n}\n'),
                          'store/tf-store-rest.c: tf_rest() does not begin with tf_store_')

    def test_beyond_posix(self):
        self.assert_fault(self.add('base/tf-errno.c', '#include <linux/fs.h>\nint flags = O_TMPFILE | O_CLOEXEC;\n'),
                          'base/tf-errno.c: uses #include <linux/fs.h>, which belongs into base/tf-system',
                          'base/tf-errno.c: uses O_TMPFILE, which belongs into base/tf-system')
        self.assert_fault(self.add('base/tf-errno.c', 'const char *path = "/proc/self/fd/1";\n'),
                          'base/tf-errno.c: uses "/proc/self/fd/1", which belongs into base/tf-system')
        self.assert_fault(self.add('base/tf-errno.c', 'struct statx stx = { dup3 (1, 2, 0) };\n'),
                          'base/tf-errno.c: uses struct statx, which belongs into base/tf-system',
                          'base/tf-errno.c: uses dup3, which belongs into base/tf-system')
        self.assert_sound(self.add('base/tf-errno.c', '/* O_TMPFILE, see open(2) and statx (2) */\n'))
        self.assert_sound({'base/tf-system-linux.c': '#include <linux/fs.h>\nint flags = O_TMPFILE;\n'})

    def test_assertion(self):
        self.assert_sound(self.add('base/tf-errno.c', '\nG_STATIC_ASSERT (1);\nG_STATIC_ASSERT (1);\n\n'
                                   'void\ntf_errno_get (void)\n{\n}\n'))

    def test_private_in_the_name(self):
        self.assert_fault({'base/tf-fd-private.h': ''},
                          'base/tf-fd-private.h: is private by its folder, not by its name')

    def test_unknown_folder(self):
        self.assert_fault({'attic/tf-old.h': ''},
                          'attic/tf-old.h: is in a folder that this check does not know')


unittest.main()
