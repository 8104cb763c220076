# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the cases of compare.py do to directories."""

import ctypes
import os
from pathlib import Path

from stop import check, libc

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18


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
