# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Tests of the tool for shells.

Usage: test_tool.py TOOL LEAVE COMPLETION MAN_PAGE|none [UNITTEST_ARGUMENT...]
"""

import ctypes
import fcntl
import os
import pathlib
import pty
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import termios
import time
import unittest

TOOL, LEAVE, COMPLETION = map(os.path.abspath, sys.argv[1:4])
MAN_PAGE = sys.argv[4]
WORDS = 'run', 'sweep', 'list'
FAILED, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127

# Who runs the tests may ignore some, as shells do in the background, and then the tool does not pass them on.
for ignored in signal.SIGHUP, signal.SIGINT, signal.SIGQUIT:
    if signal.getsignal(ignored) == signal.SIG_IGN:
        signal.signal(ignored, signal.SIG_DFL)

# Says that it is ready, and prints the name of each signal that it gets until it is told to end.
LISTENER = r'''
import os, signal, sys
caught = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGTSTP}
def say(text):
    os.write(1, text.encode() + b'\n')
signal.pthread_sigmask(signal.SIG_BLOCK, caught)
say(f'ready {os.getpid()} {os.environ["TMPDIR"]}')
while True:
    number = signal.sigwait(caught)
    say(str(int(number)))
    if number == signal.SIGTERM:
        sys.exit(7)
'''


def adopt_orphans():
    """Makes this process the one that orphans below it become children of, so that their end can be waited for."""
    set_child_subreaper = 36
    return ctypes.CDLL(None, use_errno=True).prctl(set_child_subreaper, 1, 0, 0, 0) == 0


def children_of(pid):
    return [int(child) for child in pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]


def state_of(pid):
    return pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        os.sched_yield()


class ToolTest(unittest.TestCase):
    def setUp(self):
        sandbox = tempfile.TemporaryDirectory(prefix='tool-')
        self.addCleanup(sandbox.cleanup)
        self.sandbox = pathlib.Path(sandbox.name).resolve()
        self.tmp = self.sandbox / 'tmp'
        self.runtime = self.sandbox / 'runtime'
        self.tmp.mkdir()
        self.runtime.mkdir(0o700)
        self.env = dict(os.environ, TMPDIR=str(self.tmp), XDG_RUNTIME_DIR=str(self.runtime), LC_ALL='C.UTF-8')

    def run_tool(self, *args, **kwargs):
        return subprocess.run([TOOL, *args], env=self.env, capture_output=True, timeout=120, **kwargs)

    def output_of(self, *args, **kwargs):
        result = self.run_tool(*args, **kwargs)
        self.assertEqual(result.stderr, b'')
        self.assertEqual(result.returncode, 0)
        output = result.stdout.decode()
        return self.own_part(output) if args[0] in ('sweep', 'list') and '--help' not in args else output

    def own_part(self, output):
        """The user may have temporary files of other programs."""
        end = '\0' if '\0' in output else '\n'
        return ''.join(line + end for line in output.split(end) if str(self.sandbox) in line)

    def assert_failure(self, result, status, message):
        self.assertEqual(result.returncode, status)
        self.assertIn(message, result.stderr.decode())
        self.assertTrue(result.stderr.startswith(b'tempfile-glib: '), result.stderr)

    def assert_empty(self):
        self.assertEqual(os.listdir(self.tmp), [])
        self.assertEqual(os.listdir(self.runtime), [])

    def left(self):
        return [str(self.tmp / name) for name in os.listdir(self.tmp)]

    def listen(self, *options, **kwargs):
        """Returns the tool with LISTENER running in it, the process ID of that, and its directory."""
        process = subprocess.Popen([TOOL, 'run', *options, '--', sys.executable, '-c', LISTENER], env=self.env,
                                   stdout=subprocess.PIPE, **kwargs)
        self.addCleanup(process.stdout.close)
        ready, pid, folder = process.stdout.readline().decode().split()
        self.assertEqual(ready, 'ready')
        return process, int(pid), folder

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.stdout.readline(), b'15\n')
        self.assertEqual(process.wait(60), 7)

    def leave(self, kind, *folder):
        """Returns a process that has created something, and the path of that."""
        process = subprocess.Popen([LEAVE, kind, *folder], env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        path = b''
        while not path.endswith(b'\0'):
            path += process.stdout.read(1) or b'\0'
        self.addCleanup(process.stdout.close)
        return process, os.fsdecode(path[:-1])

    def kill(self, process):
        process.communicate(b'', timeout=60)
        self.assertEqual(process.returncode, -signal.SIGKILL)

    def need_journals(self):
        result = self.run_tool('list')
        if b'Nothing can be swept' in result.stderr:
            self.assertEqual(result.returncode, FAILED)
            self.skipTest('the library has no journals')


class RunTest(ToolTest):
    def test_directory(self):
        output = self.output_of('run', 'sh', '-c', 'stat -c %a "$TMPDIR"; cd "$TMPDIR"; pwd; mkdir -p a/b; : >a/b/c; '
                                'ln -s "$0" link; chmod 0 a/b', str(self.sandbox))
        mode, path = output.split()
        self.assertEqual(mode, '700')
        self.assertEqual(os.path.dirname(path), str(self.tmp))
        self.assertRegex(os.path.basename(path), '^run-[a-z0-9_]{8}$')
        self.assert_empty()

    def test_dir(self):
        other = self.sandbox / 'other place'
        other.mkdir()
        for options in ['--dir', str(other)], [f'--dir={other}'], ['-d', str(other)]:
            output = self.output_of('run', *options, '--', 'sh', '-c', 'echo "$TMPDIR"')
            self.assertEqual(os.path.dirname(output.rstrip()), str(other))
            self.assertEqual(os.listdir(other), [])
        result = self.run_tool('run', '--dir', str(self.sandbox / 'missing'), 'true')
        self.assert_failure(result, FAILED, 'missing')

    def test_arguments(self):
        odd = b'-\xff\n--dir'
        for dashes in [], ['--']:
            result = self.run_tool('run', *dashes, 'printf', '%s|', '--dir', '--', odd)
            self.assertEqual(result.stdout, b'--dir|--|' + odd + b'|')
        result = self.run_tool('run', '--', 'sh', '-c', 'printf "%s|" "$@"', 'sh', '--', '-x')
        self.assertEqual(result.stdout, b'--|-x|')

    def test_streams(self):
        self.assertEqual(self.run_tool('run', 'cat', input=b'a\0b').stdout, b'a\0b')
        self.assertEqual(self.run_tool('run', 'sh', '-c', 'echo e >&2; exec <&-; exec >&-').stderr, b'e\n')

    def test_descriptors(self):
        """The command has what the tool was started with, and no more."""
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, write)
        command = [sys.executable, '-c', 'import os; print(sorted(map(int, os.listdir("/proc/self/fd"))))']
        alone = subprocess.run(command, env=self.env, pass_fds=[write], capture_output=True, check=True).stdout
        self.assertEqual(self.run_tool('run', *command, pass_fds=[write]).stdout, alone)

    def test_status(self):
        for status in 0, 1, 7, 125, 255:
            self.assertEqual(self.run_tool('run', 'sh', '-c', f'exit {status}').returncode, status)
        for number in signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGHUP, signal.SIGPIPE:
            result = self.run_tool('run', 'sh', '-c', f'touch "$TMPDIR/file"; kill -{int(number)} $$')
            self.assertEqual(result.returncode, -number)
            self.assertEqual(result.stderr, b'')
        self.assert_empty()

    def test_no_command(self):
        self.assert_failure(self.run_tool('run', 'no-such-command'), NOT_FOUND, 'no-such-command')
        self.assert_failure(self.run_tool('run', str(self.sandbox)), NOT_EXECUTABLE, str(self.sandbox))
        self.assert_failure(self.run_tool('run'), FAILED, '--help')
        self.assert_failure(self.run_tool('run', '--'), FAILED, '--help')
        self.assert_failure(self.run_tool('run', '--no-such-option', 'true'), FAILED, 'no-such-option')
        self.assert_empty()

    def test_not_removable(self):
        """What cannot be removed is said, and is a failure of the tool only if the command had none."""
        if os.geteuid() != 0 or shutil.which('mount') is None:
            self.skipTest('mounting needs root')
        mount = 'mkdir "$TMPDIR/m" && mount -t tmpfs tmpfs "$TMPDIR/m"'
        if subprocess.run(['unshare', '-m', 'true'], check=False).returncode != 0:
            self.skipTest('no namespaces of mounts')
        for status, expected in (0, FAILED), (7, 7):
            result = subprocess.run(['unshare', '-m', TOOL, 'run', 'sh', '-c', f'{mount}; exit {status}'],
                                    env=self.env, capture_output=True, check=False)
            self.assert_failure(result, expected, '/m')

    def test_signals(self):
        process, _, _ = self.listen()
        numbers = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'ALRM', 'WINCH', 'CONT', 'URG', 'RTMIN']
        for number in [getattr(signal, 'SIG' + name) for name in numbers]:
            process.send_signal(number)
            self.assertEqual(process.stdout.readline(), b'%d\n' % number)
        self.end(process)
        self.assert_empty()

    def test_ignored_signals(self):
        process, pid, _ = self.listen(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        ignored = int(re.search(r'SigIgn:\s*(\w+)', pathlib.Path(f'/proc/{pid}/status').read_text())[1], 16)
        self.assertTrue(ignored >> (signal.SIGHUP - 1) & 1)
        process.send_signal(signal.SIGHUP)
        self.end(process)

    def test_mask_is_inherited(self):
        script = 'import signal; print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))'
        output = self.output_of('run', sys.executable, '-c', script)
        self.assertEqual(output, '[]\n')

    def test_stop_and_continue(self):
        # The system stops no process group that nobody in its session can continue.
        process, pid, _ = self.listen(preexec_fn=os.setpgrp)
        os.kill(process.pid, signal.SIGTSTP)
        self.assertEqual(os.waitpid(process.pid, os.WUNTRACED)[1], signal.SIGTSTP << 8 | 0x7f)
        wait_until(lambda: state_of(pid) == 'T')
        os.kill(process.pid, signal.SIGCONT)
        self.assertEqual(process.stdout.readline(), b'%d\n' % signal.SIGCONT)
        self.end(process)

    def test_terminal(self):
        """What the terminal sends to both, the command gets once."""
        try:
            controller, terminal = pty.openpty()
        except OSError as error:
            self.skipTest(str(error))
        self.addCleanup(os.close, controller)

        def take_terminal():
            os.setsid()
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

        process, _, _ = self.listen(stdin=terminal, preexec_fn=take_terminal)
        os.close(terminal)
        os.write(controller, b'\x03')
        self.assertEqual(process.stdout.readline(), b'%d\n' % signal.SIGINT)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.stdout.readline(), b'%d\n' % signal.SIGUSR1)
        self.end(process)
        self.assert_empty()

    def test_killed_command(self):
        process, pid, _ = self.listen()
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(process.wait(60), -signal.SIGKILL)
        self.assert_empty()


class KilledTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.need_journals()
        if not adopt_orphans():
            self.skipTest('orphans cannot be adopted')

    def test_killed_tool(self):
        """The command keeps its directory, and when it has ended, nothing is left."""
        process, pid, folder = self.listen()
        process.kill()
        process.wait(60)
        self.assertEqual(self.output_of('sweep'), '')
        self.assertIn(folder, self.output_of('list'))
        self.assertEqual(self.left(), [folder])
        os.kill(pid, signal.SIGTERM)
        while True:
            try:
                os.wait()
            except ChildProcessError:
                break
        self.assert_empty()

    def guard_of(self, process, pid):
        guards = [child for child in children_of(process.pid) if child != pid]
        self.assertEqual(len(guards), 1)
        return guards[0]

    def test_killed_guard(self):
        process, pid, _ = self.listen()
        os.kill(self.guard_of(process, pid), signal.SIGKILL)
        self.end(process)
        self.assert_empty()

    def test_all_killed(self):
        """The sweep removes it."""
        process, pid, folder = self.listen()
        guard = self.guard_of(process, pid)
        for victim in guard, process.pid, pid:
            os.kill(victim, signal.SIGKILL)
        process.wait(60)
        while True:
            try:
                os.wait()
            except ChildProcessError:
                break
        self.assertEqual(self.left(), [folder])
        self.assertEqual(self.output_of('list'), '')
        self.assertEqual(self.output_of('sweep', '--dry-run'), folder + '\n')
        self.assertEqual(self.output_of('sweep'), folder + '\n')
        self.assert_empty()

    def test_guard_holds_nothing(self):
        process, pid, _ = self.listen(cwd=self.sandbox)
        guard = self.guard_of(process, pid)
        folder = pathlib.Path(f'/proc/{guard}')
        wait_until(lambda: os.readlink(folder / 'cwd') == '/')
        for descriptor in 0, 1, 2:
            self.assertEqual(os.readlink(folder / 'fd' / str(descriptor)), '/dev/null')
        self.assertEqual(os.getsid(guard), guard)
        self.end(process)

    def test_guard_has_no_descriptors_of_others(self):
        read, write = os.pipe()
        process, pid, _ = self.listen(pass_fds=[write])
        os.close(write)
        guard = self.guard_of(process, pid)
        folder = pathlib.Path(f'/proc/{guard}')
        wait_until(lambda: os.readlink(folder / 'cwd') == '/')
        self.assertNotIn(str(write), os.listdir(folder / 'fd'))
        self.end(process)
        self.assertEqual(os.read(read, 1), b'')
        os.close(read)


class SweepTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.need_journals()

    def journals(self):
        folder = self.runtime / 'tempfile-glib'
        return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}

    def test_sweep(self):
        for kind in 'file', 'dir':
            process, path = self.leave(kind)
            self.assertEqual(self.output_of('sweep'), '')
            self.kill(process)
            before = self.journals()
            self.assertEqual(self.output_of('sweep', '--dry-run'), path + '\n')
            self.assertEqual(self.output_of('sweep', '-n'), path + '\n')
            self.assertEqual(self.journals(), before)
            self.assertTrue(os.path.exists(path))
            self.assertEqual(self.output_of('sweep'), path + '\n')
            self.assertFalse(os.path.exists(path))
            self.assertEqual(self.output_of('sweep'), '')
            self.assert_empty()

    def test_replaced(self):
        process, path = self.leave('file')
        self.kill(process)
        os.rename(path, path + '~')
        pathlib.Path(path).touch()
        self.assertEqual(self.output_of('sweep', '--dry-run'), '')
        self.assertEqual(self.output_of('sweep'), '')
        self.assertEqual(len(self.left()), 2)

    def test_kept(self):
        process, path = self.leave('kept')
        self.assertEqual(self.output_of('list'), '')
        self.kill(process)
        self.assertEqual(self.output_of('sweep', '--dry-run'), '')
        self.assertEqual(self.left(), [path])

    def test_filters(self):
        other = self.sandbox / 'other'
        other.mkdir()
        link = self.sandbox / 'link'
        link.symlink_to(other)
        paths = []
        for folder in self.tmp, other:
            process, path = self.leave('dir', str(folder))
            self.kill(process)
            paths.append(path)
        self.assertEqual(sorted(self.output_of('sweep', '-n').split()), sorted(paths))
        self.assertEqual(self.output_of('sweep', '-n', '--dir', str(link)), paths[1] + '\n')
        self.assertEqual(self.output_of('sweep', '-n', '--min-age=3600'), '')
        self.assertEqual(self.output_of('sweep', '--prefix', 'run-'), '')
        self.assertEqual(self.output_of('sweep', '--dir', str(other), '--prefix', 'left-'), paths[1] + '\n')
        self.assertEqual(self.output_of('sweep', '--prefix', 'left-'), paths[0] + '\n')

    def test_keep(self):
        process, path = self.leave('dir')
        self.kill(process)
        self.env['TF_DEBUG'] = 'keep'
        self.assertEqual(self.run_tool('sweep').stdout, b'')
        self.assertEqual(self.left(), [path])

    def test_odd_names(self):
        odd = self.sandbox / 'a\n\x1b[31m\\b'
        odd.mkdir()
        process, path = self.leave('dir', str(odd))
        shown = path.replace('\\', '\\134').replace('\n', '\\012').replace('\x1b', '\\033')
        self.assertTrue(self.output_of('list').endswith(f' {shown}\n'))
        self.kill(process)
        self.assertEqual(self.output_of('sweep', '-n'), shown + '\n')
        self.assertEqual(self.output_of('sweep', '-n', '--null'), path + '\0')
        self.assertEqual(self.output_of('sweep', '-0'), path + '\0')

    def test_what_terminals_obey(self):
        """Controls of 8 bits, what ends a line or turns its direction, and what is no UTF-8; all else is shown as it is."""
        hidden = [character.encode() for character in '\x7f\x85\x9b\u2028\u2029\u202a\u202e\u2066\u2069']
        hidden += [b'\xff', b'\x9b', b'\xe2\x80', b'\xed\xa0\x80']
        odd = os.fsencode(self.sandbox) + '/é€日😀'.encode() + b'-'.join(hidden)
        os.mkdir(odd)
        process, path = self.leave('dir', os.fsdecode(odd))
        shown = path.encode(errors='surrogateescape')
        for character in hidden:
            shown = shown.replace(character, ''.join(f'\\{byte:03o}' for byte in character).encode())
        self.assertTrue(self.output_of('list').endswith(f' {shown.decode()}\n'))
        self.kill(process)
        self.assertEqual(self.output_of('sweep'), shown.decode() + '\n')

    def test_mistakes(self):
        for word in 'sweep', 'list':
            self.assert_failure(self.run_tool(word, 'extra'), FAILED, 'extra')
            self.assert_failure(self.run_tool(word, '--frob'), FAILED, 'frob')
            self.assert_failure(self.run_tool(word, '--dir', str(self.sandbox / 'missing')), FAILED, 'missing')
        self.assert_failure(self.run_tool('sweep', '--prefix', 'a/b'), FAILED, 'a/b')
        self.assert_failure(self.run_tool('sweep', '--min-age=-1'), FAILED, '-1')
        with open('/dev/full', 'wb') as full:
            process, _ = self.leave('dir')
            result = subprocess.run([TOOL, 'list'], env=self.env, stdout=full, stderr=subprocess.PIPE, check=False)
            self.kill(process)
        self.assert_failure(result, FAILED, 'standard output')
        self.output_of('sweep')

    def test_list(self):
        process, path = self.leave('file')
        self.assertRegex(self.output_of('list'), rf'^ *{process.pid} +\d+s leave +{re.escape(path)}\n$')
        self.assertEqual(self.output_of('list', '--dir', str(self.sandbox)), '')
        self.assertEqual(len(self.output_of('list', '--dir', str(self.tmp)).splitlines()), 1)
        self.kill(process)
        self.assertEqual(self.output_of('list'), '')
        self.output_of('sweep')
        self.assert_empty()

    def test_list_own(self):
        output = self.output_of('run', 'sh', '-c', 'echo "$TMPDIR"; "$0" list', TOOL)
        folder, line = self.own_part(output).splitlines()
        self.assertEqual(line.split()[2:], ['tempfile-glib', folder])

    def test_handed_over(self):
        process, path = self.leave('handed-over')
        self.assertEqual(self.output_of('list').split()[2:], ['(handed-over)', path])
        self.kill(process)
        self.assertEqual(self.output_of('list').split()[0], '-')
        self.assertEqual(self.output_of('list').split()[2:], ['(handed-over)', path])
        self.assertEqual(self.output_of('sweep', '--dry-run'), '')
        self.assertEqual(self.output_of('sweep'), '')
        self.assertEqual(self.left(), [path])

    def test_in_use(self):
        """What was handed over and is in use stays, which the dry run knows. Where leases do not tell, all of it stays."""
        for kind in 'over', 'dir-over':
            process, path = self.leave(kind)
            self.kill(process)
            with open(os.path.join(path, 'document') if os.path.isdir(path) else path, 'w'):
                self.assertEqual(self.output_of('sweep', '--dry-run'), '')
                self.assertEqual(self.output_of('list').split()[2:], ['(handed-over)', path])
                self.assertEqual(self.output_of('sweep'), '')
            expected = self.output_of('sweep', '--dry-run')
            self.assertIn(expected, ['', path + '\n'])
            self.assertEqual(self.output_of('sweep'), expected)

    def test_made_elsewhere_below_run(self):
        """Without a runtime directory, the journal of what runs below the tool does not go with its directory."""
        self.env['XDG_RUNTIME_DIR'] = ''
        other = self.sandbox / 'other'
        other.mkdir()
        path = self.run_tool('run', LEAVE, 'file', str(other), stdin=subprocess.DEVNULL).stdout.decode()[:-1]
        self.assertEqual(self.output_of('sweep'), path + '\n')
        self.assertEqual((self.left(), os.listdir(other)), ([], []))

    def test_one_place_twice(self):
        """What is in $TMPDIR and in /dev/shm, because these are one directory, is listed once."""
        script = ('mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /dev/shm && chmod 1777 /dev/shm && '
                  'TMPDIR=/dev/shm "$0" run "$0" list')
        self.env['XDG_RUNTIME_DIR'] = ''
        result = subprocess.run(['unshare', '-m', 'sh', '-c', script, TOOL], env=self.env, capture_output=True, check=False)
        if b'unshare: ' in result.stderr or b'mount: ' in result.stderr:
            self.skipTest('mounting needs root')
        self.assertEqual((result.returncode, result.stderr), (0, b''))
        self.assertEqual(result.stdout.count(b'/dev/shm/run-'), 1)


def find_options(text):
    return set(re.findall(r'--[a-z][a-z-]*', text))


class TextTest(ToolTest):
    def entries_of(self, *words):
        """The short and the long names of the options that the words take."""
        output = ''.join(self.output_of(word, '--help') for word in words)
        return {entry for entry in re.findall(r'^ +(?:(-\w), )?(--[a-z-]+)', output, re.MULTILINE)
                if entry[1] != '--help'}

    def options_of(self, word):
        return {name for _short, name in self.entries_of(word)}

    def test_version(self):
        self.assertRegex(self.output_of('--version'), r'^tempfile-glib \d+\.\d+\.\d+\n$')

    def test_usage(self):
        usage = self.output_of('--help')
        self.assertEqual(self.output_of('-h'), usage)
        result = self.run_tool()
        self.assertEqual((result.returncode, result.stderr.decode()), (FAILED, usage))
        self.assert_failure(self.run_tool('frob'), FAILED, 'frob')
        synopses = re.findall(r'^  tempfile-glib (\w+) (.*(?:\n {3,}\S.*)*)', usage, re.MULTILINE)
        self.assertEqual(sorted(word for word, _synopsis in synopses), sorted(WORDS))
        for word, synopsis in synopses:
            self.assertIn(f'\n  {word} ', usage)
            self.assertEqual(find_options(synopsis), self.options_of(word))

    def test_man_page(self):
        if MAN_PAGE == 'none':
            self.skipTest('no man page given')
        text = pathlib.Path(MAN_PAGE).read_text(encoding='utf-8').replace('\\-', '-')
        self.assertIn(self.output_of('--version').rstrip(), text)
        synopses = re.findall(r'^\.SY tempfile-glib\\~(\w+)\n(.*?)^\.YS', text, re.MULTILINE | re.DOTALL)
        self.assertEqual(sorted(word for word, _synopsis in synopses), sorted(WORDS))
        for word, synopsis in synopses:
            self.assertEqual(find_options(synopsis), self.options_of(word))
        described = re.findall(r'^\.TP\n\.BR? (?:(-\w) ", " )?(--[a-z-]+)', text, re.MULTILINE)
        self.assertEqual(sorted(described), sorted({*self.entries_of(*WORDS), ('', '--help'), ('', '--version')}))
        if shutil.which('groff') is None:
            self.skipTest('no groff')
        result = subprocess.run(['groff', '-man', '-Tutf8', '-ww', '-z', MAN_PAGE], capture_output=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, b''))

    def complete(self, *words):
        script = ('. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt () { :; }; _tempfile_glib; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        command = ['bash', '-c', script, COMPLETION, 'tempfile-glib', *words]
        result = subprocess.run(command, env=self.env, cwd=self.sandbox, capture_output=True, text=True, check=True)
        self.assertEqual(result.stderr, '')
        return sorted(result.stdout.split('\n')[:-1])

    def test_completion(self):
        if shutil.which('bash') is None:
            self.skipTest('no bash')
        self.assertEqual(self.complete(''), ['--help', '--version', 'list', 'run', 'sweep'])
        self.assertEqual(self.complete('s'), ['sweep'])
        for word in WORDS:
            self.assertEqual(set(self.complete(word, '-')) - {'--help'}, self.options_of(word))
        self.assertEqual(self.complete('sweep', '--dir', 'r'), ['runtime'])
        self.assertEqual(self.complete('list', '--dir', '=', 'tm'), ['tmp'])
        self.assertEqual(self.complete('list', '--dir', '='), ['runtime', 'tmp'])
        self.assertEqual(self.complete('run', '--dir', 'tm'), ['tmp'])
        self.assertEqual(self.complete('sweep', '--min-age', ''), [''])
        self.assertIn('true', self.complete('run', 'tru'))
        self.assertIn('true', self.complete('run', '--dir', 'tmp', '--', 'tru'))
        self.assertIn('true', self.complete('run', '--dir', '=', 'tmp', 'tru'))
        self.assertEqual(self.complete('run', 'cp', '--di'), [''])
        self.assertEqual(self.complete('frob', ''), [''])


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1] + sys.argv[5:])
