# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""How much memory large reads and writes take, and what happens where there is too little."""

import subprocess
import sys
import unittest

from sandbox import TestCase, Tf  # noqa: F401

has_module = sys.modules['gi.overrides._gi_tf'] is not None

PREAMBLE = f"""
import sys
if not {has_module}:
    sys.modules['gi.overrides._gi_tf'] = None
import gi
gi.require_version('Tf', '1')
from gi.repository import GLib, Tf
import resource

MIB = 1 << 20

def status(key):
    with open('/proc/self/status') as lines:
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(key))

def fill(file, size):
    for _ in range(size):
        file.write(bytes(MIB))
    file.seek(0)
"""

CREATE = {
    'memory': 'Tf.SpooledTemporaryFile()',
    'rolled over': 'Tf.SpooledFile(max_size=0)',
    'unnamed': 'Tf.TemporaryFile()',
    'named': 'Tf.NamedTemporaryFile()',
}

SIZE = 32  # in MiB
ROOM = 12

# What is done before the call, the call, and how many sizes of it stay in memory when it has returned.
CALLS = {
    'read': ('fill(file, SIZE)', 'data = file.read()', 1),
    'read so many': ('fill(file, SIZE)', 'data = file.read(SIZE * MIB)', 1),
    'readinto': ('fill(file, SIZE); data = bytearray(SIZE * MIB)', 'file.readinto(data)', 0),
    'write': ('data = bytearray(SIZE * MIB)', 'file.write(data)', 0),
    'writelines': ('data = bytearray(SIZE * MIB)', 'file.writelines([data])', 0),
}

# Each is done with SIZE MiB at 0 and no room for as much.
SHORT = {
    'read': ('Tf.TemporaryFile()', 'file.read()'),
    'read so many': ('Tf.NamedTemporaryFile()', 'file.read(SIZE * MIB)'),
    'read in memory': ('Tf.SpooledTemporaryFile()', 'file.read()'),
    'readline': ('Tf.TemporaryFile()', 'file.readline()'),
    'readlines': ('Tf.TemporaryFile()', 'file.readlines()'),
    'iterate': ('Tf.TemporaryFile()', 'next(file)'),
    'read_bytes': ('Tf.TemporaryFile()', 'file.read_bytes(SIZE * MIB)'),
}


class MemoryTest(TestCase):
    def run_program(self, program):
        run = subprocess.run([sys.executable, '-c', PREAMBLE + f'SIZE = {SIZE}\n' + program], capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        return run.stdout.split()

    @unittest.skipUnless(has_module, 'PyGObject copies what it passes')
    def test_peaks(self):
        for kind, create in CREATE.items():
            for name, (prepare, call, kept) in CALLS.items():
                if kind == 'memory' and name.startswith('write'):
                    kept = 1
                with self.subTest(kind, call=name):
                    grown, size = map(int, self.run_program(f"""
file = {create}
{prepare}
before = status('VmHWM')
{call}
print(status('VmHWM') - before, len(data))
file.close()
"""))
                    self.assertEqual(size, SIZE << 20)
                    self.assertLess(abs(grown - kept * SIZE), ROOM)

    def test_too_little(self):
        for name, (create, call) in SHORT.items():
            with self.subTest(name):
                self.assertEqual(self.run_program(f"""
file = {create}
file.write(b'x')
file.truncate(SIZE * MIB) if 'Spooled' not in {create!r} else fill(file, SIZE)
file.seek(0)
limit = (status('VmSize') + SIZE // 2) * MIB
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    {call}
except MemoryError as error:
    print(isinstance(error, OSError), file.tell())
"""), ['False', '0'])

    @unittest.skipUnless(has_module, 'PyGObject copies what it passes')
    def test_room_on_disk(self):
        """What does not fit in memory goes to disk."""
        self.assertEqual(self.run_program("""
file = Tf.SpooledTemporaryFile()
data = bytearray(SIZE * MIB)
limit = (status('VmSize') + SIZE // 2) * MIB
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
print(file.write(data) == len(data), file._rolled, file.get_size() == len(data))
file.close()
"""), ['True'] * 3)


if __name__ == '__main__':
    unittest.main()
