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


# A thread that pauses where functions of Python begin that have a name among these.
PAUSE = """
import os, threading, warnings
# From Python 3.12 on
warnings.filterwarnings('ignore', 'This process .* is multi-threaded')
class Pausing(threading.Thread):
    def __init__(self, function, pauses, seconds=0.1):
        super().__init__(daemon=True)
        self.function, self.pauses, self.seconds = function, pauses, seconds
        self.paused, self.goes_on = threading.Event(), threading.Event()
        self.start()
        self.paused.wait()
    def pause(self, frame, event, argument):
        name = frame.f_code.co_name if event == 'call' else argument.__name__ if event == 'c_call' else None
        if name in self.pauses and 'overrides' in frame.f_code.co_filename:
            sys.setprofile(None)
            self.paused.set()
            # Others may have to wait for this thread.
            self.goes_on.wait(self.seconds)
    def run(self):
        sys.setprofile(self.pause)
        self.function()
        sys.setprofile(None)
        self.paused.set()
    def go_on(self):
        self.goes_on.set()
        self.join()
def through():
    file = Tf.TempFile(mode='w+')
    file.fileno()
    return file
creators = through, lambda: Tf.NamedFile(mode='w+', buffered=False), lambda: Tf.TempFile(mode='w+')
def check(file, expected):
    file.flush()
    file.seek(0)
    text = file.read()
    if text != expected:
        sys.exit(f'{text!r} instead of {expected!r}')
    file.close()
"""


class ThreadsTest(TestCase):
    def run_program(self, program, first=''):
        run = subprocess.run([sys.executable, '-c', first + PREAMBLE % has_module + program],
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

    def test_threads_that_die_in_a_text(self):
        """A thread ends in the middle of writing text; then more is written."""
        self.run_program("""
import errno, gc
class Last:
    def __init__(self):
        self.read, self.file, self.busy = os.read, file, errno.EBUSY
    def is_refused(self):
        try:
            self.file.flush()
        except OSError as error:
            if error.errno != self.busy:
                raise
            return True
    def __del__(self):
        left = 1 << 20
        while left > 0:
            left -= len(self.read(r, left))
        self.file.write('later')
        self.file.get_size()
        # What the other thread was in goes on, until C returns to Python.
        while self.is_refused():
            pass
        if self.read(r, 100) != b'later':
            print('lost', file=sys.stderr)
        self.file.close()
def work():
    goes.wait()
    file.write('x' * (1 << 20))
r, w = os.pipe()
file = Tf.NamedFile(mode='w+', buffered=False, delete_policy=Tf.DeletePolicy.NEVER)
os.remove(file.name)
os.dup2(w, file.fileno())
gc.disable()
cycle = [Last()]
cycle.append(cycle)
threading.Thread(target=work, daemon=True).start()
del cycle
""", """
import atexit, os, threading, time
goes = threading.Event()
# After the text was written that there is at the end.
@atexit.register
def go():
    goes.set()
    time.sleep(0.3)
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

    @unittest.skipUnless(has_module, 'without the module, each call of C is one for itself')
    def test_threads_that_read_lines(self):
        """Each line, which takes several calls of C, is read once and whole; peek() moves nothing."""
        self.run_program("""
import itertools, threading
sys.setswitchinterval(1e-6)
lines = [b'%02d' % i * 50000 + b'\\n' for i in range(40)]
readers = (lambda file: iter(file.readline, b''), iter,
           lambda file: itertools.chain.from_iterable(iter(lambda: file.readlines(1), [])),
           lambda file: iter(lambda: file.peek() and file.readline(), b''),
           lambda file: iter(lambda: file.read(len(lines[0])), b''))
for create in Tf.TemporaryFile, lambda: Tf.NamedFile(buffering=0), lambda: Tf.SpooledFile(5000), lambda: Tf.SpooledFile(-1):
    for read in readers:
        with create() as file:
            file.writelines(lines)
            file.seek(0)
            found = []
            threads = [threading.Thread(target=lambda: found.extend(read(file))) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if sorted(found) != lines:
                sys.exit(f'{len(set(found) & set(lines))} of {len(lines)} lines are whole')
""")

    @unittest.skipUnless(has_module, 'without the module, each call of C is one for itself')
    def test_threads_that_seek(self):
        """seek() returns where it has moved to."""
        self.run_program("""
import threading
sys.setswitchinterval(1e-6)
wrong = []
def move(file, offset, whence, expected):
    for _ in range(3000):
        position = file.seek(offset, whence)
        if position != expected:
            wrong.append(position)
with Tf.NamedFile(buffering=0) as file:
    file.write(b'12345')
    threads = [threading.Thread(target=move, args=(file, *args)) for args in ((0, 2, 5), (1, 0, 1), (-1, 2, 4))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
if wrong:
    sys.exit(f'{len(wrong)} positions are wrong')
""")

    def test_threads_that_write_text(self):
        """Each line is whole, and those of each thread are in order."""
        self.run_program("""
import threading
sys.setswitchinterval(1e-5)
def write(file, line):
    file.write(line)
def write_lines(file, line):
    file.writelines([line])
def write_below(file, line):
    file._text.write(line)
def work(file, i):
    for j in range(1500):
        way = (write, write_lines, write_below)[i % 3]
        way(file, f'{i} {j} ' + 'x' * (j % 500) * (1 + j % 99 // 98 * 200) + '.\\n')
kinds = (lambda: Tf.SpooledTemporaryFile(mode='w+', encoding='latin-1'), lambda: Tf.SpooledFile(50000, mode='w+'),
         lambda: Tf.TemporaryFile(mode='w+'), lambda: Tf.NamedFile(mode='w+', buffered=False))
for create in kinds:
    with create() as file:
        threads = [threading.Thread(target=work, args=(file, i)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        file.seek(0)
        lines = file.read().split('\\n')[:-1]
        found = [tuple(map(int, line.split()[:2])) for line in lines if line.endswith('.')]
        if sorted(found) != [(i, j) for i in range(6) for j in range(1500)] or \\
                any([j for k, j in found if k == i] != list(range(1500)) for i in range(6)):
            sys.exit(f'{len(set(found))} of 9000 lines are whole')
""")

    @unittest.skipUnless(has_module, 'what Python calls runs amid what it does')
    def test_writing_text_while_text_makes_room(self):
        """What a function writes that a write of text calls is not lost."""
        self.run_program("""
for size in 3000, 5000, 9000:
    with Tf.SpooledFile(10000, mode='w+') as file:
        file.connect('rolled-over', lambda file: file.write('moved'))
        for _ in range(20):
            file.write('x' * size)
        file.seek(0)
        text = file.read()
        if text.replace('moved', '') != 'x' * size * 20 or text.count('moved') != 1:
            sys.exit(f'{len(text)} characters, {text.count("moved")} from the function')
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
for create, seconds in (Tf.NamedTemporaryFile, 0.5), (Tf.TemporaryFile, 0.3), (lambda: Tf.SpooledTemporaryFile(1 << 20), 0.3):
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
    threads = [threading.Thread(target=work, args=(write, time.monotonic() + 0.7)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
""")

    def test_hung_server(self):
        """A directory is dropped although what is mounted on it does not answer: nobody serves this mount."""
        self.assertIn(self.run_program("""
import ctypes, os, warnings
libc = ctypes.CDLL(None)
NEW_NAMESPACES = 0x10000000 | 0x00020000
warnings.simplefilter('ignore', ResourceWarning)
maps = ('setgroups', 'deny'), ('uid_map', f'0 {os.getuid()} 1'), ('gid_map', f'0 {os.getgid()} 1')
if not os.path.exists('/dev/fuse') or libc.unshare(NEW_NAMESPACES) != 0:
    print('no namespaces')
    sys.exit()
for name, content in maps:
    with open(f'/proc/self/{name}', 'w') as file:
        file.write(content)
def hang(path):
    fd = os.open('/dev/fuse', os.O_RDWR)
    return libc.mount(b'hung', path.encode(), b'fuse', 6, f'fd={fd},rootmode=40000,user_id=0,group_id=0'.encode())
dirs = [Tf.TemporaryDirectory() for _ in range(2)]
names = [dir.name for dir in dirs]
if hang(names[0]) != 0 or hang(names[1]) != 0:
    print('no mounts')
    sys.exit()
try:
    dirs[0].cleanup()
    sys.exit('cleaned up')
except OSError:
    pass
# Dropping tells why it could not be cleaned up.
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
dirs.clear()
print('hung')
for name in names:
    libc.umount2(name.encode(), 2)
"""), ('hung\n', 'no namespaces\n', 'no mounts\n'))

    @unittest.skipUnless(has_module, 'Without the module, PyGObject drops the objects.')
    def test_closing_and_dropping_keep_the_lock(self):
        """What is in memory is closed, and what is closed dropped, without giving Python's lock up: nothing may block."""
        self.run_program("""
import gc, threading
class Holder:
    def __init__(self, file):
        self.file, self.me = file, self
def create():
    files = [Tf.SpooledTemporaryFile() for _ in range(300)]
    for file in files:
        file.write(b'a little')
    return files
def close(files):
    for file in files:
        file.close()
def drop(files):
    files.clear()
def collect(files):
    files.clear()
    # From Python 3.14 on, it gives the lock up itself.
    if sys.version_info < (3, 14):
        gc.collect()
sys.setswitchinterval(100)
gc.disable()
def run(gate, ran):
    with gate:
        ran.append(True)
files = create()
unnamed = [Tf.TemporaryFile() for _ in range(300)]
close(unnamed)
uses = [(close, files), (drop, files), (drop, unnamed), (collect, list(map(Holder, create()))), (drop, create())]
# From 3.51 on, PyGObject has data for each object, and gives the lock up to free them.
for use, used in uses[:1] if gi.version_info >= (3, 51) else uses:
    files, unnamed, uses, gate, ran = None, None, None, threading.Lock(), []
    with gate:
        thread = threading.Thread(target=run, args=(gate, ran))
        thread.start()
    use(used)
    if ran:
        sys.exit(f'another thread ran during {use}')
    thread.join()
""")

    def test_auditing_while_used(self):
        """A thread that rolls a file over waits for Python's lock, to audit; who has that does not wait for the file."""
        self.run_program("""
import threading
from gi.repository import GLib
# What does not give the lock up itself keeps it.
sys.setswitchinterval(100)
auditing, about = threading.Event(), threading.Event()
hears = []
def hear(event, arguments):
    if event == 'tempfile.mkstemp' and hears:
        hears.clear()
        auditing.set()
        about.wait()
sys.addaudithook(hear)
def roll_over(file):
    file.get_output_stream().write_bytes(GLib.Bytes(bytes(2000)), None)
def call(other, file):
    try:
        other(file)
    except (GLib.Error, ValueError):
        if not file.closed:
            raise
def run(other, use, file, used):
    auditing.clear()
    about.clear()
    hears.append(True)
    thread = threading.Thread(target=call, args=(other, file))
    thread.start()
    auditing.wait()
    about.set()
    use(used)
    thread.join()
    file.close()
    used.close()
uses = (lambda file: file.seek(0), lambda file: file.readline(), lambda file: file.peek(), lambda file: file.readlines(),
        lambda file: next(file, None), lambda file: file.read(1), lambda file: file.write(b'x'), lambda file: file.tell(),
        lambda file: file.close())
for use in uses:
    for other in roll_over, Tf.SpooledFile.rollover:
        file = Tf.SpooledFile(max_size=1000)
        file.write(b'abc\\n' * 10)
        file.seek(0)
        run(other, use, file, file)
Tf.set_memory_budget(300000)
for use in uses:
    used, file = Tf.SpooledFile(), Tf.SpooledFile()
    used.write(bytes(200000))
    used.seek(0)
    run(lambda file: file.write(bytes(100000)), use, file, used)
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

    def test_text_that_another_thread_asks_for(self):
        """What one thread writes stays in order while another one has taken it, and has not put it anywhere."""
        self.run_program(PAUSE + """
for create in creators:
    for name in 'get_size', 'tell', 'open_reader', 'get_output_stream', 'get_input_stream':
        file = create()
        file.write('first ')
        asks = Pausing(getattr(file, name), ('write', 'try_write'))
        file.write('second ')
        file.flush()
        file.write('third ')
        asks.go_on()
        check(file, 'first second third ')
""")

    def test_kept_text_that_another_thread_writes(self):
        """What follows is not written before it, and what asks meanwhile counts all."""
        self.run_program(PAUSE + """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
for create in creators[:2]:
    for name in 'open_reader', 'flush', 'load_bytes':
        for pauses in ('write', 'write_now'), ('write_kept', 'try_write_kept', 'flush'), ('write_in_turn',):
            file = create()
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
            file.write('first ')
            try:
                file.flush()
            except OSError:
                pass
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            other = Pausing(getattr(file, name), pauses)
            counts = []
            asks = threading.Thread(target=lambda: counts.extend([file.get_size(), file.tell()]))
            asks.start()
            asks.join(20)
            if counts != [6, 6]:
                sys.exit(f'{counts} instead of 6')
            file.write('second ')
            file.flush()
            file.write('third ')
            other.go_on()
            check(file, 'first second third ')
""")

    def test_text_that_waits(self):
        """Threads that bring text to a file that is used write it in the order in which they came."""
        self.run_program(PAUSE + """
import time
fast = sys.modules['gi.overrides._gi_tf'] or sys.modules['gi.overrides._tf_python']
def use(file, begun, ended):
    fast.begin_use(file)
    begun.set()
    ended.wait()
    fast.end_use(file)
for create in creators[:2] * 5:
    file, begun, ended, expected = create(), threading.Event(), threading.Event(), ''
    threads = [threading.Thread(target=use, args=(file, begun, ended))]
    threads[0].start()
    begun.wait()
    for word in 'one ', 'two ', 'three ', 'four ':
        file.write(word)
        expected += word
        threads.append(threading.Thread(target=file.flush))
        threads[-1].start()
        end = time.monotonic() + 0.2
        while file.buffer.tell() < len(expected) and time.monotonic() < end:
            time.sleep(0)
    ended.set()
    for thread in threads:
        thread.join()
    check(file, expected)
""")

    def test_text_in_order(self):
        """Threads that only ask, and one that writes, and changes of thread wherever they can be."""
        self.run_program(PAUSE + """
import time
sys.setswitchinterval(1e-6)
end = time.monotonic() + 2
rounds = 0
while rounds < 100 and (rounds == 0 or time.monotonic() < end):
    file = creators[rounds % 3]()
    asks = getattr(file, ('get_size', 'tell', 'open_reader')[rounds // 3 % 3])
    stop = []
    def ask():
        while not stop:
            asks()
    thread = threading.Thread(target=ask)
    thread.start()
    text = ''
    for i in range(100):
        file.write(f'{i}\\n')
        text += f'{i}\\n'
        if i % 3 == 0:
            file.flush()
    stop.append(True)
    thread.join()
    check(file, text)
    rounds += 1
""")

    def test_text_flushed_while_it_is_written(self):
        """A flush waits for a write that the kernel has, and a write for the flush."""
        self.run_program(PAUSE + """
for create in creators:
    file, ended, errors = create(), threading.Event(), []
    def flush():
        while not ended.is_set():
            try:
                file.buffer.flush()
            except Exception as error:
                errors.append(error)
                break
    thread = threading.Thread(target=flush)
    thread.start()
    text = 'x' * (4 << 20)
    for i in range(8):
        file.write(text)
    ended.set()
    thread.join()
    if errors:
        sys.exit(repr(errors))
    check(file, text * 8)
""")

    def test_text_flushed_by_several_threads(self):
        """What one thread writes stays in order."""
        self.run_program(PAUSE + """
sys.setswitchinterval(1e-6)
def write(number):
    for i in range(600):
        file.write(f'{number} {i}\\n')
        if i % 20 == 0:
            file.flush()
for create in creators:
    file = create()
    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file.flush()
    file.seek(0)
    lines = [tuple(map(int, line.split())) for line in file]
    for number in range(4):
        of_thread = [i for n, i in lines if n == number]
        if of_thread != list(range(600)):
            sys.exit(f'thread {number}: {of_thread[:200]}')
""")

    def test_forked_while_text_is_written(self):
        """A child does not wait for the thread of its parent that writes or asks."""
        self.run_program(PAUSE + """
import signal
def in_child(file):
    signal.alarm(30)
    file.get_size(), file.tell(), file.open_reader()
    fd = file.fileno()
    def write():
        end = file.seek(0, 2)
        file.write('child ')
        file.flush()
        if os.fstat(fd).st_size != end + 6:
            os._exit(1)
    # This thread may have the number of the one that the parent has.
    threads = [threading.Thread(target=write) for i in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    file.seek(0)
    if not file.read().endswith('child child child '):
        os._exit(2)
    os._exit(0)
for create in creators:
    for function, pauses in [
        (lambda: file.write('x' * 400000), ('write', 'write_in_turn', 'write_now')),
        (lambda: file.get_size(), ('bring', 'write')),
        (lambda: file.open_reader(), ('try_write_kept', 'write_kept_in_turn', 'bring')),
    ]:
        file = create()
        file.write('parent ')
        file.flush()
        thread = Pausing(function, pauses, seconds=None)
        child = os.fork()
        if child == 0:
            in_child(file)
        status = os.waitpid(child, 0)[1]
        thread.go_on()
        if status != 0:
            sys.exit(f'the child ended with {status}')
        file.close()
""")


if __name__ == '__main__':
    unittest.main()
