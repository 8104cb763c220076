# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The cases of compare.py. Each returns if the candidate was safe, and raises a verdict if not."""

import os
import re
import signal
import stat
import subprocess
from pathlib import Path

from peer import FAILS, LOSES, NOT_OFFERED, TOUCHES, Peer, Verdict, describe_status
from stop import Unavailable
from trees import MS_BIND, empty, enter_mount_namespace, make_bush, make_chain, mount

TEMPORARY_NAME = r'(/[^\s"\'“]*)?\btmp/[^/\s"\'”:]+'


class Scene:
    """What a case has to play with: a directory for temporary ones, and one outside of it."""

    def __init__(self, candidate, sandbox):
        self.candidate = candidate
        self.peers = []
        self.temp_dir = sandbox / 'tmp'
        self.outside = sandbox / 'outside'
        self.precious = self.outside / 'precious'
        self.temp_dir.mkdir()
        self.outside.mkdir()
        self.precious.write_text('dear')

    def start(self, **kwargs):
        self.peers.append(Peer(self.candidate, str(self.temp_dir), **kwargs))
        return self.peers[-1]

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
    """What the candidate said, without the accidents of this run."""
    text = answer.removeprefix('error ').replace('`', "'")
    text = re.sub(r'(/[^/\s]+)\1{3,}', r'\1\1/…', text)
    return f'`{re.sub(TEMPORARY_NAME, "DIR", text)}`'


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
            raise Verdict(FAILS, reason(answer) + ', and cannot be asked again') from None
    check_removed(path, answer)


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
    peer, path = scene.create(max_fds=1024)
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
    try:
        os.setxattr(scene.outside, 'user.test', b'')
    except OSError as error:
        raise Unavailable(f'the file system has no extended attributes: {error.strerror}') from None
    peer, path = scene.create()
    alive, path_alive = scene.create()
    for parent in path, path_alive:
        (parent / 'file').touch()
    peer.kill()
    answer = scene.start().ask('sweep')
    if not (path_alive / 'file').exists():
        raise Verdict(LOSES, 'the directory of a living process is swept away')
    check_removed(path, answer)


def stranger(scene):
    for content in ['precious'], []:
        peer, path = scene.create()
        path.rename(path.parent / f'moved-{len(content)}')
        path.mkdir()
        for name in content:
            (path / name).write_text('dear')
        os.chown(path, 65534, 65534)
        answer = peer.ask('remove')
        if not path.exists() or os.listdir(path) != content:
            raise Verdict(LOSES, 'the directory of someone else is erased')
        if answer == 'ok':
            raise Verdict(FAILS, 'reports success')


def vanishing(scene):
    peer, path = scene.create(stop_at='remove')
    make_bush(path, 10, 10)
    vanished = []

    def on_call(call):
        if not vanished and not (call.is_rmdir and call.name == os.fsencode(path.name)):
            vanished.append(call)
            empty(path)

    peer.on_call = on_call
    check_removed(path, peer.ask('remove'))


def two_removers(scene):
    peer, path = scene.create(stop_at='remove')
    make_bush(path, 50, 60)
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
    for i in range(10):
        # In steps, each with its time limit, because disks differ.
        peer.ask('churn 10000')
        if i == 1:
            before = peer.resident()
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
    (very_deep, '100 000 levels deep', '`RLIMIT_NOFILE` is 1024, as usual. Safe: all goes.'),
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
    (stranger, "someone else's directory at the path",
     'The directory is moved away, and one of another user made in its place; then the same with an empty one. Safe: '
     'it stays as it is, and there is an error.'),
    (vanishing, 'entries that vanish',
     'In the first system call that removes an entry, someone else empties the tree. Safe: success.'),
    (two_removers, 'two removers at once',
     '10 000 files; `rm -rf` starts on them when the candidate does. Safe: success.'),
    (filling, 'directory that someone keeps filling',
     'Whenever the directory itself is about to be removed, there is a new file in it. Safe: an error '
     'within 20 seconds.'),
    (cancelled, 'cancelled in the middle, then called again',
     'Cancelled in the 50th system call that removes something, of more than 100. Safe: it stops there, and '
     'removes the rest when called again.'),
    (churn, '100 000 directories made and dropped',
     'Safe: none is left, and the last 80 000 need no more than 1 MiB more of memory than the first 20 000.'),
]
