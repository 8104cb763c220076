# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Threads that use the same file, or end in the middle of a call."""

import os
import subprocess
import sys
import unittest

from sandbox import TestCase

has_module = sys.modules['gi.overrides._gi_tf'] is not None

PREAMBLE = """
import sys
if not %r:
    sys.modules['gi.overrides._gi_tf'] = None
import gi
gi.require_version('Tf', '1')
from gi.repository import Tf
"""


class ThreadsTest(TestCase):
    def run_program(self, program):
        run = subprocess.run([sys.executable, '-c', PREAMBLE % has_module + program],
                             env={**os.environ, 'TMPDIR': self.sandbox}, capture_output=True, text=True, timeout=60)
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        return run.stdout

    def test_threads_that_die_at_the_end(self):
        """A thread ends in the middle of a call, with its stack; then files are closed."""
        self.run_program("""
import gc, os, threading, time
class Last:
    def __init__(self, read, sleep, files):
        self.read, self.sleep, self.files = read, sleep, files
    def __del__(self):
        self.read()
        self.sleep(1)
        for file in self.files:
            file.close()
def read(read=os.read):
    left = 1 << 20
    while left > 0:
        left -= len(read(r, left))
r, w = os.pipe()
file = Tf.NamedTemporaryFile(buffering=0, delete_policy=Tf.DeletePolicy.NEVER)
os.remove(file.name)
os.dup2(w, file.fileno())
gc.disable()
cycle = [Last(read, time.sleep, [Tf.SpooledFile() for _ in range(20)])]
cycle.append(cycle)
threading.stack_size(64 << 20)
threading.Thread(target=file.write, args=(bytes(1 << 20),), daemon=True).start()
# The stack of a thread goes when another one ends.
for _ in range(3):
    threading.Thread(target=time.sleep, args=(0.6,), daemon=True).start()
time.sleep(0.3)
del cycle
""")

    def test_threads_and_long_lines(self):
        self.run_program("""
import threading, time
def work(file, calls, stop):
    while time.monotonic() < stop:
        for call in calls:
            call()
with Tf.TemporaryFile() as file:
    file.truncate(8 << 20)
    read_lines = lambda: file.seek(0), file.readline
    read_little = lambda: file.seek(4096), lambda: file.read(7)
    threads = [threading.Thread(target=work, args=(file, calls, time.monotonic() + 0.7))
               for calls in (read_lines, read_lines, read_little, read_little)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
""")

    def test_threads_that_share(self):
        """What comes of it is undefined, but it ends."""
        self.run_program("""
import random, sys, threading, time
line = b'0123456789\\n' * 100
def work(file, seed, stop):
    choose = random.Random(seed).choice
    calls = (lambda: file.write(line), lambda: file.write(line * 500), lambda: file.read(100), file.readline,
             file.readlines, lambda: next(file), lambda: file.peek(5), lambda: file.seek(0), lambda: file.seek(0, 2),
             lambda: file.truncate(500), file.flush, lambda: file.writelines([line, line]), file.tell, file.load_bytes,
             lambda: file.readinto(bytearray(700)), file.get_size, lambda: file.open_reader().read_bytes(10))
    while time.monotonic() < stop:
        try:
            choose(calls)()
        except (OSError, ValueError, StopIteration):
            pass
for create, seconds in (Tf.NamedTemporaryFile, 1), (Tf.TemporaryFile, 0.5), (lambda: Tf.SpooledTemporaryFile(1 << 20), 0.5):
    with create() as file:
        threads = [threading.Thread(target=work, args=(file, seed, time.monotonic() + seconds)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
""")

    def test_asking_while_used(self):
        """What only asks is answered while another thread, or a function that a call waits for, has the object."""
        self.run_program("""
import os, threading
asking = 'get_size', 'tell', 'is_closed', 'open_reader', 'get_input_stream', 'get_output_stream'
more = {Tf.NamedFile: ('get_path', 'get_file', 'get_delete_policy', 'is_handed_over'),
        Tf.SpooledFile: ('is_rolled_over', 'get_max_size'), Tf.TempFile: ()}
for kind, mode in [(kind, mode) for kind in more for mode in ('w+b', 'w+')]:
    file, begun, ended = kind(mode=mode), threading.Event(), threading.Event()
    file.write('x' if mode == 'w+' else b'x')
    def wait(*args):
        begun.set()
        ended.wait()
    thread = threading.Thread(target=file.persist, args=(os.path.join(os.environ['TMPDIR'], kind.__name__),),
                              kwargs={'progress_callback': wait})
    thread.start()
    begun.wait()
    if mode == 'w+':
        for i in range(1000):
            file.write('y' * 10)
            if file.tell() != 11 + 10 * i:
                sys.exit('wrong position')
        if file.get_size() != 10001:
            sys.exit('wrong size')
    for name in asking + more[kind]:
        asks = threading.Thread(target=getattr(file, name), daemon=True)
        asks.start()
        asks.join(20)
        if asks.is_alive():
            print(name, 'waits', file=sys.stderr, flush=True)
    ended.set()
    thread.join()
    if mode == 'w+':
        file.seek(0)
        if file.read() != 'x' + 'y' * 10000:
            sys.exit('wrong text')
    file.close()
    os.remove(os.path.join(os.environ['TMPDIR'], kind.__name__))
""")

    def test_rolling_over_while_others_are_dropped(self):
        """Nobody waits for Python's lock with a lock of GLib, and the other way round."""
        self.run_program("""
import threading, time
sys.setswitchinterval(1e-5)
def work(write, stop):
    while time.monotonic() < stop:
        file = Tf.SpooledTemporaryFile(1000)
        file.has = 'an attribute'
        write(file, bytes(900))
        write(file, bytes(900))
        file.close()
for write in Tf.SpooledTemporaryFile.write, lambda file, data: file.get_output_stream().write_all(data, None):
    threads = [threading.Thread(target=work, args=(write, time.monotonic() + 2)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
""")

    def test_forked_while_used(self):
        """A thread of the parent is not in the child, which does not wait for it."""
        self.run_program("""
import os, threading, warnings
# From Python 3.12 on
warnings.filterwarnings('ignore', 'This process .* is multi-threaded')
fast = sys.modules['gi.overrides._gi_tf'] or sys.modules['gi.overrides._tf_python']
file = Tf.TemporaryFile()
begun, ended = threading.Event(), threading.Event()
def use():
    fast.begin_use(file)
    begun.set()
    ended.wait()
    fast.end_use(file)
thread = threading.Thread(target=use)
thread.start()
begun.wait()
child = os.fork()
if child == 0:
    file.write(bytes(1 << 20))
    os._exit(0)
if os.waitpid(child, 0)[1] != 0:
    sys.exit('the child failed')
ended.set()
thread.join()
file.close()
""")


if __name__ == '__main__':
    unittest.main()
