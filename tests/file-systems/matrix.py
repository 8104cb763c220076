#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs tests on one file system after the other, mounted in a mount namespace of its own. Needs root.

Usage: matrix.py TEST...
"""

import os
import shutil
import subprocess
import sys
import tempfile

SFTP_SERVER = '/usr/lib/openssh/sftp-server'

# A test takes seconds, or minutes with large files: this is to say which one hangs, before the whole is ended
TEST_TIMEOUT = 900 if 'TF_TEST_LARGE' in os.environ else 150


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


def ext4(folder):
    mount_image(folder, 'mkfs.ext4', 64 << 20, '-q')


def xfs(folder):
    mount_image(folder, 'mkfs.xfs', 320 << 20, '-q')


def btrfs(folder):
    mount_image(folder, 'mkfs.btrfs', 160 << 20, '-q')


def tmpfs(folder):
    run(need('mount'), '-t', 'tmpfs', 'tmpfs', make(folder, 'mnt'))


def overlay(folder):
    make(folder, 'layers')
    run(need('mount'), '-t', 'tmpfs', 'tmpfs', os.path.join(folder, 'layers'))
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
    run(program, 'nowhere:' + make(folder, 'remote'), make(folder, 'mnt'),
        '-o', f'ssh_command={command},allow_other,default_permissions,direct_io,dir_cache=no' + options)


def sshfs_without_links(folder):
    """Has neither O_TMPFILE nor hard links nor flags of renameat2()."""
    sshfs(folder, ',disable_hardlink')


def bindfs(folder, *options):
    remote = make(folder, 'remote')
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


def passes(test, mount_point):
    try:
        result = subprocess.run([test], env=dict(os.environ, TMPDIR=mount_point), timeout=TEST_TIMEOUT,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, passed = result.stdout, result.returncode == 0
    except subprocess.TimeoutExpired as error:
        output, passed = (error.stdout or b'') + b'\nhangs', False
    text = output.decode(errors='replace')
    for line in text.splitlines():
        print('#', line)
    if not passed:
        # Meson shows this with its summary.
        print(f'{test} in {mount_point}:\n{text}', file=sys.stderr)
    return passed


def check(make_file_system, tests):
    with tempfile.TemporaryDirectory(prefix='matrix-') as folder:
        mount_point = os.path.join(folder, 'mnt')
        os.chmod(folder, 0o755)
        try:
            make_file_system(folder)
            if make_file_system is not bindfs_deny:
                os.chmod(mount_point, 0o777)
            return all(passes(test, mount_point) for test in tests)
        finally:
            for name in ('mnt', 'layers'):
                subprocess.run(['umount', '-l', os.path.join(folder, name)],
                               stderr=subprocess.DEVNULL, check=False)


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


def main():
    why_not = enter_namespaces()
    if why_not:
        print('1..0 # SKIP', why_not)
        return 0

    # The test of persisting asks for holes, default ACLs and modes, and looks at once under the new name. two-mounts.py
    # and hostile.c persist where these are not.
    without_persist = [sshfs, bindfs, bindfs_force_user, bindfs_root_squash, bindfs_without_attributes, bindfs_deny]
    file_systems = [ext4, xfs, btrfs, tmpfs, overlay, sshfs_without_links] + without_persist
    print(f'1..{len(file_systems)}')
    for number, file_system in enumerate(file_systems, 1):
        name = f'{number} {file_system.__name__}'
        tests = [test for test in sys.argv[1:] if file_system not in without_persist or not test.endswith('persist')]
        try:
            print('ok' if check(file_system, tests) else 'not ok', name)
        except Missing as error:
            print('ok', name, '# SKIP', error)
        sys.stdout.flush()
    return 0


if __name__ == '__main__':
    sys.exit(main())
