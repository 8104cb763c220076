#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs tests on one file system after the other, mounted in a mount namespace of its own. Needs root.

A test finds out what a file system does not have by trying it (tf-test-disk.h), and says so in the log.

Usage: matrix.py TEST... [-- TEST...]

The second part of the tests runs with TF_TEST_LARGE in the environment only.
"""

import fcntl
import itertools
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

SFTP_SERVER = '/usr/lib/openssh/sftp-server'

IS_LONG = 'TF_TEST_LARGE' in os.environ

# A test takes seconds, or minutes with large files: this is to say which one hangs, before the whole is ended
TEST_TIMEOUT = 900 if IS_LONG else 150

# What runs in the PID namespace ends with it.
ALL_NAMESPACES = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc']

# Of what is behind a mount, for nearly-full.py: options of a tmpfs. What has a size of its own keeps that.
STORE_OPTIONS = []

# No port is used twice.
GLUSTER_PORTS = itertools.count(24990)
GLUSTER_ID = '00000000-0000-0000-0000-000000000008'

GLUSTER_SERVER = '''
volume posix
  type storage/posix
  option directory {backing}
  option volume-id {id}
  option reserve 0
end-volume
volume locks
  type features/locks
  subvolumes posix
end-volume
volume brick
  type performance/io-threads
  subvolumes locks
end-volume
volume server
  type protocol/server
  option transport-type tcp
  option transport.socket.bind-address 127.0.0.1
  option transport.socket.listen-port {port}
  option auth.addr.brick.allow 127.0.0.1
  subvolumes brick
end-volume
'''

GLUSTER_CLIENT = '''
volume client
  type protocol/client
  option transport-type tcp
  option remote-host 127.0.0.1
  option remote-port {port}
  option remote-subvolume brick
end-volume
'''

GLUSTER_WRITE_BEHIND = '''
volume write-behind
  type performance/write-behind
  subvolumes client
end-volume
'''


class Missing(Exception):
    pass


def need(program):
    path = shutil.which(program, path=os.environ['PATH'] + ':/usr/sbin:/sbin')
    if path is None:
        raise Missing(f'there is no {program}')
    return path


def run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            stdin=subprocess.DEVNULL, text=True, errors='replace')
    if result.returncode != 0:
        raise Missing(f'{os.path.basename(command[0])} failed: {" ".join(result.stdout.split())}')


def mount_image(folder, mkfs, size, *arguments):
    program = need(mkfs)
    image = os.path.join(folder, 'image')
    with open(image, 'wb') as file:
        file.truncate(size)
    run(program, *arguments, image)
    run(need('mount'), '-o', 'loop', image, make(folder, 'mnt'))


def make(folder, name):
    path = os.path.join(folder, name)
    os.mkdir(path)
    return path


def mount_tmpfs(path, *options):
    run(need('mount'), '-t', 'tmpfs', *options, 'tmpfs', path)


def make_store(folder, name='remote'):
    """What is behind a mount."""
    path = make(folder, name)
    if STORE_OPTIONS:
        mount_tmpfs(path, *STORE_OPTIONS)
    return path


def write(folder, name, text, mode=0o600):
    path = os.path.join(folder, name)
    with open(path, 'w') as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def ext4(folder):
    mount_image(folder, 'mkfs.ext4', 64 << 20, '-q')


def xfs(folder):
    mount_image(folder, 'mkfs.xfs', 320 << 20, '-q')


def btrfs(folder):
    mount_image(folder, 'mkfs.btrfs', 160 << 20, '-q')


def tmpfs(folder):
    mount_tmpfs(make(folder, 'mnt'), *STORE_OPTIONS)


def overlay(folder):
    mount_tmpfs(make(folder, 'layers'), *STORE_OPTIONS)
    lower, upper, work = (make(folder, 'layers/' + name) for name in ('lower', 'upper', 'work'))
    run(need('mount'), '-t', 'overlay', 'overlay',
        '-o', f'lowerdir={lower},upperdir={upper},workdir={work}', make(folder, 'mnt'))


def sshfs(folder, options=''):
    """Nothing is cached: what is written is seen under another name at once."""
    program = need('sshfs')
    if not os.path.exists(SFTP_SERVER):
        raise Missing(f'there is no {SFTP_SERVER}')
    command = os.path.join(folder, 'server')
    with open(command, 'w') as file:
        file.write(f'#!/bin/sh\nexec {SFTP_SERVER}\n')
    os.chmod(command, 0o755)
    run(program, 'nowhere:' + make_store(folder), make(folder, 'mnt'),
        '-o', f'ssh_command={command},allow_other,default_permissions,direct_io,dir_cache=no,attr_timeout=0' + options)


def sshfs_without_links(folder):
    """Has neither O_TMPFILE nor hard links nor flags of renameat2()."""
    sshfs(folder, ',disable_hardlink')


def bindfs(folder, *options):
    remote = make_store(folder)
    os.chmod(remote, 0o777)
    run(need('bindfs'), '-o', 'attr_timeout=0,entry_timeout=0', *options, remote, make(folder, 'mnt'))


def bindfs_force_user(folder):
    bindfs(folder, '--force-user=1234')


def bindfs_root_squash(folder):
    bindfs(folder, '--create-for-user=nobody', '--create-for-group=nogroup')


def bindfs_without_attributes(folder):
    bindfs(folder, '--xattr-none')


def bindfs_deny(folder):
    bindfs(folder, '--xattr-none', '--chmod-deny')


def set_loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        siocsifflags, iff_up = 0x8914, 1
        fcntl.ioctl(any_socket, siocsifflags, struct.pack('16sh14x', b'lo', iff_up))


def wait_for_port(port):
    """Nothing tells when the server listens."""
    for _ in range(200):
        with socket.socket() as one_socket:
            if one_socket.connect_ex(('127.0.0.1', port)) == 0:
                return
        time.sleep(0.05)
    raise Missing('the server of GlusterFS does not listen')


def glusterfs(folder, backing, *mounts, layers=GLUSTER_WRITE_BEHIND):
    """Without the daemon that manages volumes: a server, and a client for each mount. With a reserve, a disk that was
    full would remain so for five seconds.
    """
    server, client, setfattr = need('glusterfsd'), need('glusterfs'), need('setfattr')
    set_loopback_up()
    port = next(GLUSTER_PORTS)
    path = os.path.join(folder, backing)
    values = {'backing': path, 'id': GLUSTER_ID, 'port': port}
    run(setfattr, '-n', 'trusted.glusterfs.volume-id', '-v', '0x' + GLUSTER_ID.replace('-', ''), path)
    server_volume = write(folder, 'server.vol', GLUSTER_SERVER.format(**values))
    run(server, '-f', server_volume, '-p', os.path.join(folder, 'server.pid'), '-l', os.path.join(folder, 'server.log'))
    wait_for_port(port)
    client_volume = write(folder, 'client.vol', GLUSTER_CLIENT.format(**values) + layers)
    for name in mounts:
        run(client, '-f', client_volume, '-l', os.path.join(folder, name + '.log'), make(folder, name))
        os.stat(os.path.join(folder, name))


def end_server(folder):
    """It writes to the folder behind it for some time more. In this PID namespace, it is a child by now."""
    try:
        with open(os.path.join(folder, 'server.pid')) as file:
            pid = int(file.read())
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (OSError, ValueError):
        pass


def glusterfs_write_behind(folder):
    make_store(folder)
    glusterfs(folder, 'remote', 'mnt')


def glusterfs_write_through(folder):
    make_store(folder)
    glusterfs(folder, 'remote', 'mnt', layers='')


FILE_SYSTEMS = [
    ext4,
    xfs,
    btrfs,
    tmpfs,
    overlay,
    sshfs_without_links,
    bindfs_deny,
    bindfs,
    bindfs_force_user,
    bindfs_root_squash,
    bindfs_without_attributes,
    sshfs,
    glusterfs_write_behind,
    glusterfs_write_through,
]

# What takes long and is nearly the same on each of them. Machines that race are those of two-mounts.py.
SLOW = [] if IS_LONG else ['/persist/race', '/persist/progress']

# To persist there takes long, and two-mounts.py and hostile.c do so, too.
LONG_ONLY = [bindfs_deny, bindfs, bindfs_force_user, bindfs_root_squash, bindfs_without_attributes, sshfs,
             glusterfs_write_behind, glusterfs_write_through]


def is_fuse(path):
    kind = subprocess.run(['stat', '--file-system', '--format=%T', path], stdout=subprocess.PIPE, text=True, check=True)
    return kind.stdout.startswith('fuse')


def make_environment(mount_point):
    """FUSE can have no journals, which then are beside it and not in the real /tmp. A test knows them by the suffix."""
    environment = dict(os.environ, TMPDIR=mount_point)
    if is_fuse(mount_point):
        run_folder = tempfile.mkdtemp(suffix='-tf-test-run', dir=os.path.join(os.path.dirname(mount_point), 'run'))
        environment['XDG_RUNTIME_DIR'] = run_folder
    return environment


def passes(test, mount_point):
    command = [test]
    started = time.monotonic()
    for path in SLOW:
        command += ['-x', path]
    try:
        result = subprocess.run(command, env=make_environment(mount_point), timeout=TEST_TIMEOUT,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, passed = result.stdout, result.returncode == 0
    except subprocess.TimeoutExpired as error:
        output, passed = (error.stdout or b'') + b'\nhangs', False
    text = output.decode(errors='replace')
    for line in text.splitlines():
        print('#', line)
    print(f'# {os.path.basename(test)} took {time.monotonic() - started:.0f} s')
    if not passed:
        # Meson shows this with its summary.
        print(f'{test} in {mount_point}:\n{text}', file=sys.stderr)
    return passed


def check(make_file_system, tests):
    with tempfile.TemporaryDirectory(prefix='matrix-') as folder:
        mount_point = os.path.join(folder, 'mnt')
        os.chmod(folder, 0o755)
        os.chmod(make(folder, 'run'), 0o755)
        try:
            mount_tmpfs(os.path.join(folder, 'run'))
            make_file_system(folder)
            if make_file_system is not bindfs_deny:
                os.chmod(mount_point, 0o777)
            return all([passes(test, mount_point) for test in tests])
        finally:
            for name in ('mnt', 'layers', 'remote', 'run'):
                subprocess.run(['umount', '-l', os.path.join(folder, name)],
                               stderr=subprocess.DEVNULL, check=False)
            end_server(folder)


def enter_namespaces(*more):
    """Runs the program again, where its mounts are its own. Returns why that cannot be, or nothing when it is done."""
    if os.environ.get('TF_NAMESPACES') == 'own':
        return None
    if os.geteuid() != 0:
        return 'mounting needs root'
    unshare = ['unshare', '--mount', '--propagation', 'private', *more]
    if subprocess.run([*unshare, 'true'], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return 'no mount namespace may be made here'
    os.environ['TF_NAMESPACES'] = 'own'
    os.execvp('unshare', [*unshare, sys.executable, *sys.argv])


def is_chosen(test, file_system):
    return IS_LONG or file_system not in LONG_ONLY or not test.endswith('persist')


def check_all(choose_tests):
    print(f'1..{len(FILE_SYSTEMS)}')
    for number, file_system in enumerate(FILE_SYSTEMS, 1):
        name = f'{number} {file_system.__name__}'
        try:
            print('ok' if check(file_system, choose_tests(file_system)) else 'not ok', name)
        except Missing as error:
            print('ok', name, '# SKIP', error)
        sys.stdout.flush()


def main():
    why_not = enter_namespaces(*ALL_NAMESPACES)
    if why_not:
        print('1..0 # SKIP', why_not)
        return 0

    end = sys.argv.index('--') if '--' in sys.argv else len(sys.argv)
    tests = sys.argv[1:end] + (sys.argv[end + 1:] if IS_LONG else [])
    check_all(lambda file_system: [test for test in tests if is_chosen(test, file_system)])
    return 0


if __name__ == '__main__':
    sys.exit(main())
