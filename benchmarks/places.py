# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Where the benchmark creates and deletes: fresh directories on disk and in tmpfs, and nothing left of them."""

import fcntl
import os
import shutil
import struct
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

FS_IOC_GETFLAGS = 0x80086601
FS_IOC_SETFLAGS = 0x40086602
FS_TOPDIR_FL = 0x00020000
SHM = '/dev/shm'
CANDIDATES = 12
PROBES = 20


def spread_subdirectories(path):
    """As "chattr +T": ext4 then puts each directory in PATH into one of the block groups with the fewest."""
    fd = os.open(path, os.O_RDONLY)
    try:
        flags, = struct.unpack('l', fcntl.ioctl(fd, FS_IOC_GETFLAGS, struct.pack('l', 0)))
        fcntl.ioctl(fd, FS_IOC_SETFLAGS, struct.pack('l', flags | FS_TOPDIR_FL))
    except OSError:
        pass  # not ext4
    finally:
        os.close(fd)


def file_system(path):
    """The type of the file system that PATH is on."""
    best = ('', '?')
    with open('/proc/self/mountinfo', encoding='utf-8', errors='surrogateescape') as mounts:
        for line in mounts:
            left, right = line.split(' - ')
            point = left.split()[4].encode().decode('unicode_escape')
            inside = os.path.commonpath([point, os.path.realpath(path)]) == point
            if inside and len(point) >= len(best[0]):
                best = (point, right.split()[0])
    return best[1]


def remove(path):
    """All of PATH, although a program that was stopped may still be busy there for a moment."""
    for _ in range(100):
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            return
        time.sleep(0.1)
    raise RuntimeError(f'{path} cannot be removed')


def time_to_create(directory):
    """How long a few files in DIRECTORY take; they are removed again."""
    paths = [directory / str(n) for n in range(PROBES)]
    start = time.monotonic()
    for path in paths:
        path.touch()
    spent = time.monotonic() - start
    for path in paths:
        path.unlink()
    return spent


class Places:
    """Use as a context: at its end all is removed."""

    def __init__(self, disk):
        self.parents = {'disk': Path(tempfile.mkdtemp(prefix='work-', dir=disk))}
        spread_subdirectories(self.parents['disk'])
        if os.access(SHM, os.W_OK) and file_system(SHM) == 'tmpfs':
            self.parents['tmpfs'] = Path(tempfile.mkdtemp(prefix='tempfile-glib-bench-', dir=SHM))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for parent in self.parents.values():
            remove(parent)

    def describe(self):
        return {name: file_system(parent) for name, parent in self.parents.items()}

    def make(self, place):
        """A directory of PLACE. For minutes after a file was deleted, ext4 without a journal does not use its inode
        again, but looks at it for each new one: where the run before has deleted, creating takes ten times as long."""
        if file_system(self.parents[place]) != 'ext4':
            return Path(tempfile.mkdtemp(dir=self.parents[place]))
        candidates = [Path(tempfile.mkdtemp(dir=self.parents[place])) for _ in range(CANDIDATES)]
        candidates.sort(key=time_to_create)
        for other in candidates[1:]:
            other.rmdir()
        return candidates[0]

    @contextmanager
    def fresh(self, place):
        """An empty directory of PLACE."""
        directory = self.make(place)
        try:
            yield directory
        finally:
            remove(directory)

    @contextmanager
    def source(self, size):
        """A file of SIZE bytes on disk, cached and written back; none when SIZE is 0."""
        path = self.parents['disk'] / 'source'
        if size:
            with open(path, 'wb') as file:
                piece = os.urandom(1 << 20)
                for _ in range(size >> 20):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)
