#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Removes the same difficult directories with tempfile-glib and with others, and says how each fares.

Usage: tests/compare-removal.py [--markdown FILE] [--only CANDIDATE] [--tempfile-glib PROGRAM] [CASE...]

Without --tempfile-glib it takes the program that was built last in a folder in _build/. Rust is there
if cargo and Debian's librust-tempfile-dev are, Go if go is. Everything happens in a directory of its own in
$TMPDIR, mounts in a mount namespace of their own; nothing is left behind.

The exit status is 1 if tempfile-glib is not safe in a case, and 77 if it is in all that could be run.

A candidate is a program that obeys commands, a line each, and answers each with a line:
  version             its name and version
  create              makes a temporary directory, and answers with the path
  remove              removes it: "ok", or "error" and the reason
  remove-cancellable  the same; cancels it at the next line of input, and answers that with "cancelled"
  fork-exit           forks a child that ends as programs in that language do: "done"
  fork-remove         forks a child that does what "remove" does, answer included: then "done"
  handle-signals      asks to be cleaned up after on signals: "ok"
  sweep               removes what killed processes left: "ok"
  churn N             makes and drops N directories: "ok"
What it does not have it answers with "not offered".
"""

import argparse
import ctypes
import datetime
import json
import os
import platform
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
TOP = Path(__file__).resolve().parent.parent
PEERS = TOP / 'tests' / 'removal'
sys.path.insert(0, str(PEERS))

import stop  # noqa: E402
from stop import Unavailable, check, libc  # noqa: E402

SAFE, LOSES, TOUCHES = 'safe', 'loses data', 'touches outside'
FAILS, NOT_OFFERED, NOT_RUN = 'fails', 'not offered', 'not run'

SECONDS_PER_ANSWER = 60
SECONDS_PER_CASE = 240
REGISTRY = Path('/usr/share/cargo/registry')

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18


class Verdict(Exception):
    """Ends a case."""

    def __init__(self, word, reason=''):
        super().__init__(word, reason)
        self.word, self.reason = word, reason


# --- A candidate at work -------------------------------------------------------------------------

class Peer:
    def __init__(self, candidate, temp_dir, *, ordinary=False, max_fds=None, stop_at=None):
        self.kind = stop_at
        self.on_call = None     # what to do when it is stopped; None: let it go on
        self.listener = None
        self.buffer = b''
        ours, theirs = socket.socketpair()
        input_read, self.input = os.pipe()
        self.output, output_write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.dup2(input_read, 0)
                os.dup2(output_write, 1)
                if max_fds:
                    stop.limit_descriptors(max_fds)
                if ordinary:
                    stop.drop_capabilities()
                if stop_at:
                    stop.install_filter(stop_at, theirs)
                env = {name: value for name, value in os.environ.items()
                       if name not in ('TEMP', 'TMP', 'TF_DEBUG')}
                env.update(TMPDIR=temp_dir, PYTHONDONTWRITEBYTECODE='1', LC_ALL='C.UTF-8')
                os.execvpe(candidate.command[0], candidate.command, env)
            except Exception as error:
                theirs.send(str(error).encode())
            finally:
                os._exit(127)
        for fd in input_read, output_write:
            os.close(fd)
        theirs.close()
        if stop_at:
            self.listener = stop.receive_listener(ours)

    def send(self, line):
        os.write(self.input, line.encode() + b'\n')

    def read_line(self, seconds=SECONDS_PER_ANSWER):
        """The next line of its answer; meanwhile it goes on after each stop."""
        deadline = time.monotonic() + seconds
        while b'\n' not in self.buffer:
            fds = [self.output] + ([self.listener] if self.listener is not None else [])
            ready, _, _ = select.select(fds, [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise Verdict(FAILS, f'does not end within {seconds} seconds')
            if self.output in ready:
                piece = os.read(self.output, 65536)
                if not piece:
                    raise Verdict(FAILS, describe_status(self.wait()))
                self.buffer += piece
            elif self.listener in ready:
                stop.serve(self.listener, self.kind, lambda call: self.on_call and self.on_call(call))
        line, self.buffer = self.buffer.split(b'\n', 1)
        return line.decode(errors='replace')

    def ask(self, command, **kwargs):
        self.send(command)
        answer = self.read_line(**kwargs)
        if answer == 'not offered':
            raise Verdict(NOT_OFFERED)
        return answer

    def wait(self):
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def resident(self):
        """Bytes of memory."""
        return int(Path(f'/proc/{self.pid}/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def describe_status(status):
    if status < 0:
        return f'dies of {signal.Signals(-status).name}'
    return f'ends with status {status}'


class Candidate:
    def __init__(self, name, command, has_objects=True):
        self.name, self.command = name, [str(word) for word in command]
        self.has_objects = has_objects  # that stand for a directory, and remove it
        self.version = None


class Scene:
    """What a case has to play with: a directory for temporary ones, and one outside of it."""

    def __init__(self, candidate, sandbox):
        self.candidate = candidate
        self.temp_dir = sandbox / 'tmp'
        self.outside = sandbox / 'outside'
        self.precious = self.outside / 'precious'
        self.temp_dir.mkdir()
        self.outside.mkdir()
        self.precious.write_text('dear')

    def start(self, **kwargs):
        return Peer(self.candidate, str(self.temp_dir), **kwargs)

    def create(self, **kwargs):
        peer = self.start(**kwargs)
        return peer, Path(peer.ask('create'))

    def needs_objects(self):
        if not self.candidate.has_objects:
            raise Verdict(NOT_OFFERED)

    def check_outside(self, mode=None):
        if mode is not None and stat.S_IMODE(self.outside.stat().st_mode) != mode:
            found = stat.S_IMODE(self.outside.stat().st_mode)
            raise Verdict(TOUCHES, f'mode {mode:04o} of the directory outside became {found:04o}')
        if not self.precious.exists():
            raise Verdict(LOSES, 'the file outside is gone')


def reason(answer):
    return answer.removeprefix('error ')


def check_removed(path, answer):
    if not os.path.lexists(path) and answer == 'ok':
        return
    if answer == 'ok':
        raise Verdict(FAILS, 'reports success, but the directory is still there')
    raise Verdict(FAILS, reason(answer) + ('' if os.path.lexists(path) else ' (but all is gone)'))


def check_removed_sooner_or_later(peer, path, answer):
    """An error is fine for a directory under attack, if it can be removed afterwards."""
    if answer != 'ok':
        try:
            answer = peer.ask('remove')
        except Verdict:
            pass
    check_removed(path, answer)


# --- Trees ---------------------------------------------------------------------------------------

def make_chain(path, depth, name):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=fd)
        child = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
        os.close(fd)
        fd = child
    os.close(os.open('file', os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)


def make_bush(path, n_dirs, n_files):
    for i in range(n_dirs):
        subdir = path / f'dir-{i}'
        subdir.mkdir()
        for j in range(n_files):
            (subdir / f'file-{j}').touch()


def empty(path):
    """Removes what is in @path: directories are moved up until they are not in another one."""
    top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    serial = 0
    while names := os.listdir(top):
        for name in names:
            if unlink(name, top):
                continue
            os.chmod(name, 0o700, dir_fd=top)
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
            for inner in os.listdir(fd):
                if not unlink(inner, fd):
                    os.chmod(inner, 0o700, dir_fd=fd)
                    os.rename(inner, f'.moved-{serial}', src_dir_fd=fd, dst_dir_fd=top)
                    serial += 1
            os.close(fd)
            os.rmdir(name, dir_fd=top)
    os.close(top)


def unlink(name, dir_fd):
    try:
        os.unlink(name, dir_fd=dir_fd)
        return True
    except IsADirectoryError:
        return False


def mount(source, target, kind, flags):
    check(libc.mount(os.fsencode(source), os.fsencode(target), kind, flags, None), 'mount')


def enter_mount_namespace():
    uid, gid = os.getuid(), os.getgid()
    libc.unshare.argtypes = [ctypes.c_int]
    libc.mount.argtypes = [ctypes.c_char_p] * 3 + [ctypes.c_ulong, ctypes.c_char_p]
    check(libc.unshare(CLONE_NEWNS | (CLONE_NEWUSER if uid else 0)), 'unshare')
    if uid:
        Path('/proc/self/setgroups').write_text('deny')
        Path('/proc/self/uid_map').write_text(f'{uid} {uid} 1')
        Path('/proc/self/gid_map').write_text(f'{gid} {gid} 1')
    mount('none', '/', None, MS_REC | MS_PRIVATE)


# --- The cases: each returns when the candidate was safe --------------------------------------------

def remove_around_mount(scene, path, peer, precious):
    """@precious is behind the mount point @path/sub/mount; there is more in the tree."""
    (path / 'sub' / 'sister').mkdir()
    (path / 'sub' / 'file').touch()
    (path / 'last').touch()
    answer = peer.ask('remove')
    if not precious.exists():
        raise Verdict(LOSES, 'what is mounted is erased')
    if os.listdir(path) != ['sub'] or os.listdir(path / 'sub') != ['mount']:
        raise Verdict(FAILS, 'leaves what is not mounted: ' + reason(answer))
    if str(path / 'sub' / 'mount') not in answer:
        raise Verdict(FAILS, 'the error does not name the mount point: ' + reason(answer))


def bind_mount(scene):
    enter_mount_namespace()
    peer, path = scene.create()
    (path / 'sub' / 'mount').mkdir(parents=True)
    mount(scene.outside, path / 'sub' / 'mount', None, MS_BIND)
    remove_around_mount(scene, path, peer, scene.precious)


def tmpfs_mount(scene):
    enter_mount_namespace()
    peer, path = scene.create()
    (path / 'sub' / 'mount').mkdir(parents=True)
    mount('none', path / 'sub' / 'mount', b'tmpfs', 0)
    precious = path / 'sub' / 'mount' / 'precious'
    precious.write_text('dear')
    remove_around_mount(scene, path, peer, precious)


def deep_few_fds(scene):
    peer, path = scene.create(max_fds=256)
    make_chain(path, 3000, 'd')
    check_removed(path, peer.ask('remove'))


def very_deep(scene):
    peer, path = scene.create()
    make_chain(path, 100_000, 'd')
    check_removed(path, peer.ask('remove'))


def long_path(scene):
    peer, path = scene.create()
    make_chain(path, 40, 'n' * 200)
    check_removed(path, peer.ask('remove'))


def no_permissions(scene):
    peer, path = scene.create(ordinary=True)
    for mode in 0o000, 0o100, 0o200, 0o300, 0o400, 0o500, 0o600:
        outer = path / f'{mode:o}'
        inner = outer / 'inner'
        inner.mkdir(parents=True)
        (outer / 'file').touch()
        (inner / 'file').touch()
        inner.chmod(mode)
        outer.chmod(mode)
    check_removed(path, peer.ask('remove'))


def symlink_outside(scene):
    peer, path = scene.create(ordinary=True)
    scene.outside.chmod(0o550)
    (path / 'link').symlink_to(scene.outside)
    (path / 'locked').mkdir()
    (path / 'locked' / 'link').symlink_to(scene.outside)
    (path / 'locked').chmod(0o500)
    answer = peer.ask('remove')
    scene.check_outside(mode=0o550)
    check_removed(path, answer)


def swap(victim, scene):
    victim.rename(victim.parent / 'moved')
    victim.symlink_to(scene.outside)


def swapped_before_open(scene):
    peer, path = scene.create(stop_at='open')
    victim = path / 'victim'
    victim.mkdir()
    (victim / 'precious').touch()

    def on_call(call):
        if call.name == b'victim' and not victim.is_symlink():
            swap(victim, scene)

    peer.on_call = on_call
    answer = peer.ask('remove')
    scene.check_outside()
    check_removed_sooner_or_later(peer, path, answer)


def swapped_before_chmod(scene):
    peer, path = scene.create(stop_at='chmod', ordinary=True)
    victim = path / 'victim'
    victim.mkdir()
    (victim / 'file').touch()
    victim.chmod(0)
    scene.outside.chmod(0o500)
    swapped = []

    def on_call(call):
        if not swapped:
            swap(victim, scene)
            swapped.append(call)

    peer.on_call = on_call
    answer = peer.ask('remove')
    scene.check_outside(mode=0o500)
    if not swapped:
        raise Verdict(NOT_OFFERED, 'does not change permissions: ' + reason(answer))
    check_removed_sooner_or_later(peer, path, answer)


def fork_exit(scene):
    scene.needs_objects()
    peer, path = scene.create()
    (path / 'file').touch()
    peer.ask('fork-exit')
    if not (path / 'file').exists():
        raise Verdict(LOSES, "the end of the child removes its parent's directory")
    check_removed(path, peer.ask('remove'))


def fork_remove(scene):
    scene.needs_objects()
    peer, path = scene.create()
    (path / 'file').touch()
    answer = peer.ask('fork-remove')
    if peer.read_line() != 'done' or not (path / 'file').exists():
        raise Verdict(LOSES, "the child removes its parent's directory")
    if not answer.startswith('error '):
        raise Verdict(FAILS, 'reports success in the child')
    check_removed(path, peer.ask('remove'))


def terminated(scene):
    scene.needs_objects()
    peer, path = scene.create()
    (path / 'file').touch()
    try:
        peer.ask('handle-signals')
    except Verdict:
        pass
    os.kill(peer.pid, signal.SIGTERM)
    status = peer.wait()
    if path.exists():
        raise Verdict(FAILS, 'leaves the directory behind')
    if status != -signal.SIGTERM:
        raise Verdict(FAILS, f'does not die of the signal: {describe_status(status)}')


def killed(scene):
    scene.needs_objects()
    peer, path = scene.create()
    alive, path_alive = scene.create()
    for parent in path, path_alive:
        (parent / 'file').touch()
    os.kill(peer.pid, signal.SIGKILL)
    peer.wait()
    answer = scene.start().ask('sweep')
    if not (path_alive / 'file').exists():
        raise Verdict(LOSES, 'the directory of a living process is swept away')
    check_removed(path, answer)


def stranger(scene):
    peer, path = scene.create()
    path.rename(path.parent / 'moved')
    path.mkdir()
    (path / 'precious').write_text('dear')
    answer = peer.ask('remove')
    if not (path / 'precious').exists():
        raise Verdict(LOSES, 'the directory of someone else is erased')
    if answer == 'ok':
        raise Verdict(FAILS, 'reports success')


def vanishing(scene):
    peer, path = scene.create(stop_at='remove')
    make_bush(path, 10, 10)
    vanished = []

    # Between directories, so that the one that is being read is among those that go.
    def on_call(call):
        if not vanished and not (call.is_rmdir and call.name == os.fsencode(path.name)):
            vanished.append(call)
            empty(path)

    peer.on_call = on_call
    check_removed(path, peer.ask('remove'))


def two_removers(scene):
    peer, path = scene.create(stop_at='remove')
    make_bush(path, 100, 100)
    others = []

    def on_call(call):
        if not others:
            others.append(subprocess.Popen(['rm', '-rf', str(path)], stderr=subprocess.DEVNULL))

    peer.on_call = on_call
    answer = peer.ask('remove')
    for other in others:
        other.wait()
    check_removed(path, answer)


def filling(scene):
    peer, path = scene.create(stop_at='remove')
    names = []

    def on_call(call):
        if call.is_rmdir and call.name == os.fsencode(path.name):
            names.append(f'new-{len(names)}')
            (path / names[-1]).touch()

    peer.on_call = on_call
    answer = peer.ask('remove', seconds=20)
    if answer == 'ok':
        raise Verdict(FAILS, 'reports success, but the directory is still there')


def cancelled(scene):
    peer, path = scene.create(stop_at='remove')
    make_bush(path, 10, 10)
    calls = []

    def on_call(call):
        calls.append(call)
        if len(calls) == 50:
            peer.send('cancel')
            if peer.read_line() != 'cancelled':
                raise Verdict(FAILS, 'cannot be cancelled')

    peer.on_call = on_call
    answer = peer.ask('remove-cancellable')
    peer.on_call = None
    if answer == 'ok' or not any(path.iterdir()):
        raise Verdict(FAILS, 'goes on when it is cancelled')
    check_removed(path, peer.ask('remove'))


def churn(scene):
    scene.needs_objects()
    peer = scene.start()
    peer.ask('churn 20000')
    before = peer.resident()
    peer.ask('churn 80000')
    growth = peer.resident() - before
    if os.listdir(scene.temp_dir):
        raise Verdict(FAILS, 'leaves directories behind')
    if growth > 1 << 20:
        raise Verdict(FAILS, f'grows by {growth // 1024} KiB')


CASES = [
    (bind_mount, 'bind mount of the same file system in the tree',
     'A directory from outside is mounted in the tree with `MS_BIND`. Safe: it keeps its content, the mount '
     'stays, all around it goes, and the error names it.'),
    (tmpfs_mount, 'tmpfs mounted in the tree', 'The same with a tmpfs.'),
    (deep_few_fds, '3000 levels deep, 256 descriptors', '`RLIMIT_NOFILE` is 256. Safe: all goes.'),
    (very_deep, '100 000 levels deep', 'Safe: all goes.'),
    (long_path, 'paths longer than `PATH_MAX`', '40 levels with names of 200 bytes. Safe: all goes.'),
    (no_permissions, 'directories without permissions',
     'Modes from 0000 to 0600, each in itself, removed by their owner without any capability. Safe: all goes.'),
    (symlink_outside, 'symbolic links to a directory outside',
     'One in the tree, one in a directory of it with mode 0500; without any capability. Safe: all goes, and the '
     'directory outside keeps its content and its mode, 0550.'),
    (swapped_before_open, 'symbolic link swapped in before a directory is opened',
     'The candidate is stopped in the system call that opens a directory of the tree; the directory is moved '
     'away, and its name becomes a symbolic link to one outside; the candidate goes on. Safe: nothing outside '
     'changes, and the tree goes, at the latest when asked again.'),
    (swapped_before_chmod, 'symbolic link swapped in before permissions are changed',
     'The same in the first system call that changes permissions, which is how CVE-2023-6597 can be used.'),
    (fork_exit, 'forked child ends',
     'A child is forked while there is a directory, and ends as programs in that language normally do. Safe: '
     'the directory is still there.'),
    (fork_remove, 'forked child removes',
     'The child calls for the removal by hand. Safe: refused with an error, and the parent still can.'),
    (terminated, 'SIGTERM',
     'With all that is offered for it switched on. Safe: the directory goes, and the process dies of the signal.'),
    (killed, 'SIGKILL, then a sweep',
     'One process is killed, another one lives. Safe: the directory of the dead one goes, that of the other stays.'),
    (stranger, 'someone else’s directory at the path',
     'The directory is moved away, and another one made in its place. Safe: it keeps its content, and there is '
     'an error.'),
    (vanishing, 'entries that vanish',
     'In the first system call that removes an entry, someone else empties the tree. Safe: success.'),
    (two_removers, 'two removers at once',
     '10 000 files; `rm -rf` starts on them when the candidate does. Safe: success.'),
    (filling, 'directory that someone keeps filling',
     'Whenever the directory itself is about to be removed, there is a new file in it. Safe: an error '
     'within 20 seconds.'),
    (cancelled, 'cancelled in the middle, then called again',
     'Cancelled in the 50th system call that removes something, of 110. Safe: it stops there, and '
     'removes the rest when called again.'),
    (churn, '100 000 directories made and dropped',
     'Safe: none is left, and the last 80 000 need no more than 1 MiB more of memory than the first 20 000.'),
]


# --- Running them ---------------------------------------------------------------------------------

def play(case, candidate, sandbox):
    """Runs one case in a process of its own. Returns its verdict."""
    sandbox.mkdir()
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        verdict = run_case(case, candidate, sandbox)
        os.write(write_fd, json.dumps([verdict.word, verdict.reason.replace(str(sandbox) + '/', '')]).encode())
        os._exit(0)
    os.close(write_fd)
    try:
        ready, _, _ = select.select([read_fd], [], [], SECONDS_PER_CASE)
        result = os.read(read_fd, 65536) if ready else b''
    finally:
        os.close(read_fd)
        end_group(pid)
        empty(sandbox)
        sandbox.rmdir()
    return Verdict(*json.loads(result)) if result else Verdict(FAILS, 'does not end')


def run_case(case, candidate, sandbox):
    try:
        case(Scene(candidate, sandbox))
        return Verdict(SAFE)
    except Verdict as verdict:
        return verdict
    except Unavailable as unavailable:
        return Verdict(NOT_RUN, str(unavailable))
    except Exception as error:
        return Verdict(FAILS, f'{type(error).__name__}: {error}')


def end_group(pid):
    """Ends the process and what it started, and waits until they are gone, for they may be in the tree."""
    try:
        os.setpgid(pid, pid)
    except OSError:
        pass
    try:
        while True:
            os.killpg(pid, signal.SIGKILL)
            if os.waitpid(-pid, 0)[0] == 0:
                break
    except (ProcessLookupError, ChildProcessError):
        pass


def build_rust(folder):
    """A program with the crate that Debian has, without the network."""
    crates = sorted(REGISTRY.glob('tempfile-[0-9]*'))
    if not shutil.which('cargo') or not crates:
        return None
    version = crates[-1].name.removeprefix('tempfile-')
    source = (PEERS / 'rust.rs').read_text().replace('CRATE_VERSION', version)
    (folder / 'src').mkdir(parents=True)
    (folder / 'src' / 'main.rs').write_text(source)
    (folder / 'Cargo.toml').write_text(
        '[package]\nname = "peer"\nversion = "0.0.0"\nedition = "2021"\n'
        f'[dependencies]\ntempfile = "={version}"\n')
    (folder / '.cargo').mkdir()
    (folder / '.cargo' / 'config.toml').write_text(
        '[source.crates-io]\nreplace-with = "debian"\n'
        f'[source.debian]\ndirectory = "{REGISTRY}"\n')
    run_quietly(['cargo', 'build', '--quiet', '--offline', '--release'], folder, CARGO_HOME=folder / 'home',
                CARGO_TARGET_DIR=folder / 'target')
    return folder / 'target' / 'release' / 'peer'


def build_go(folder):
    if not shutil.which('go'):
        return None
    folder.mkdir()
    run_quietly(['go', 'build', '-o', folder / 'peer', PEERS / 'go.go'], folder, GOCACHE=folder / 'cache',
                GOPATH=folder / 'path', GOTOOLCHAIN='local', GO111MODULE='off', GOTELEMETRY='off')
    return folder / 'peer'


def run_quietly(command, folder, **env):
    result = subprocess.run(command, cwd=folder, env={**os.environ, **{k: str(v) for k, v in env.items()}},
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        raise Unavailable(f'{command[0]}: {result.stdout.strip()}')


def find_tempfile_glib():
    programs = sorted(TOP.glob('_build/*/tests/removal/removal-tempfile-glib'), key=lambda path: path.stat().st_mtime)
    if not programs:
        sys.exit('compare-removal.py: build tempfile-glib first (./run test), or say --tempfile-glib PROGRAM')
    return programs[-1]


def find_candidates(options, folder):
    python = [sys.executable, PEERS / 'python.py']

    def compiled(build):
        try:
            program = build(folder / build.__name__)
        except Unavailable as error:
            print(error, file=sys.stderr)
            program = None
        return [program] if program else None

    makers = {
        'tempfile-glib': lambda: [options.tempfile_glib or find_tempfile_glib()],
        'Python': lambda: python,
        'rm -rf': lambda: [*python, 'rm'],
        'rm -rf --one-file-system': lambda: [*python, 'rm', '--one-file-system'],
        'Rust': lambda: compiled(build_rust),
        'Go': lambda: compiled(build_go),
    }
    for name, make in makers.items():
        if options.only in (None, name):
            command = make()
            if command:
                candidate = Candidate(name, command, has_objects=not name.startswith(('rm', 'Go')))
                candidate.version = Peer(candidate, str(folder)).ask('version')
                yield candidate
            else:
                print(f'{name}: not installed')


# --- Telling --------------------------------------------------------------------------------------

def file_system_of(path):
    result = subprocess.run(['stat', '-f', '-c', '%T', str(path)], stdout=subprocess.PIPE, text=True)
    return {'ext2/ext3': 'ext4'}.get(result.stdout.strip(), result.stdout.strip())


TEXT = """Title: Removal compared
Slug: removal

<!--
SPDX-FileCopyrightText: 2026 The tempfile-glib authors
SPDX-License-Identifier: LGPL-2.1-or-later
-->

# Removal compared

What becomes of difficult directories, in tempfile-glib and elsewhere.

{table}

**safe**: what the case asks for, see below. **loses data**: something was erased that was not the remover’s
to erase. **touches outside**: something outside of the directory was changed. **fails**: neither, but the
directory is not gone, or the candidate broke. **not offered**: there is no such thing to test.

## Who was tested

{versions}

All as they come, in their default settings, apart from what a case says. What `rm` removes was made by
`mkdtemp()`; Python’s is `tempfile.TemporaryDirectory`, Rust’s the crate `tempfile` as Debian has it, Go’s
`os.MkdirTemp` and `os.RemoveAll`. `rm` and Go have no object that stands for a directory, so that
there is nothing that could react to the end of a process.

## What was asked, and what was seen

{cases}

## How the table was made

By `tests/compare-removal.py` on {date}, on Linux {kernel}, {file_system}, as {user}. It runs each candidate in each
case in a directory of its own, looks at what is there afterwards, and writes this page with
`--markdown`; nothing in it is written by hand. Races are not raced: the candidate is stopped by
seccomp(2) at the system call in question, what an attacker might do is done, and it goes on. Mounts are made in a
mount namespace of their own. What cannot be had on a machine is left out, and said to be. The column of
tempfile-glib is also a test, in the suite `root`.
"""


def write_markdown(path, candidates, verdicts, folder):
    def cell(verdict):
        return verdict.word if verdict.word in (SAFE, NOT_OFFERED, NOT_RUN) else f'**{verdict.word}**'

    names = [candidate.name for candidate in candidates]
    rows = ['| | ' + ' | '.join(f'`{name}`' if name.startswith('rm') else name for name in names) + ' |',
            '|---' * (len(names) + 1) + '|']
    cases = []
    for case, title, text in CASES:
        row = verdicts.get(case)
        if row is None:
            continue
        rows.append('| ' + ' | '.join([title, *(cell(verdict) for verdict in row)]) + ' |')
        seen = [f'- {name}: {verdict.word}: {verdict.reason}' for name, verdict in zip(names, row) if verdict.reason]
        cases.append('\n'.join([f'### {title[0].upper()}{title[1:]}', '', text, *([''] if seen else []), *seen]))
    Path(path).write_text(TEXT.format(
        table='\n'.join(rows),
        versions='\n'.join(f'- {candidate.version}' for candidate in unique_versions(candidates)),
        cases='\n\n'.join(cases),
        date=datetime.date.today().isoformat(),
        kernel='.'.join(platform.release().split('.')[:2]),
        file_system=file_system_of(folder),
        user='root' if os.geteuid() == 0 else 'an ordinary user'))


def unique_versions(candidates):
    return {candidate.version: candidate for candidate in candidates}.values()


def compare(options, folder):
    candidates = list(find_candidates(options, folder))
    verdicts = {}
    for case, title, _ in CASES:
        if options.cases and case.__name__ not in options.cases:
            continue
        verdicts[case] = []
        print(f'{title} ({case.__name__}):')
        for candidate in candidates:
            verdict = play(case, candidate, folder / 'scene')
            verdicts[case].append(verdict)
            print(f'  {candidate.name}: {verdict.word}' + (f' ({verdict.reason})' if verdict.reason else ''), flush=True)
    if options.markdown:
        write_markdown(options.markdown, candidates, verdicts, folder)
    return [row[0].word for row in verdicts.values() if candidates[0].name == 'tempfile-glib']


def parse_options():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--markdown', metavar='FILE')
    parser.add_argument('--only', metavar='CANDIDATE')
    parser.add_argument('--tempfile-glib', metavar='PROGRAM', type=os.path.abspath)
    parser.add_argument('--need-root', action='store_true')
    parser.add_argument('cases', nargs='*', metavar='CASE')
    return parser.parse_args()


def main():
    options = parse_options()
    if options.need_root and os.geteuid() != 0:
        print('skipped: mounts need root')
        sys.exit(77)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix='compare-removal-')).resolve()
    try:
        words = compare(options, folder)
    finally:
        empty(folder)
        folder.rmdir()
    if any(word not in (SAFE, NOT_RUN) for word in words):
        sys.exit(1)
    if NOT_RUN in words:
        sys.exit(77)


main()
