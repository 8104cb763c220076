#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs tests with each part of the system taken away that the library can do without.

Usage: second-ways.py TEST...

With TF_TEST_ALL_WAYS=1, all tests run with each part, and with each errno that means that it is missing.
"""

import ctypes
import errno
import os
import platform
import struct
import subprocess
import sys

# A test takes seconds: this is to say which one hangs, before the whole is ended
TEST_TIMEOUT = 150

# What the tests are of that a part matters to most
PARTS = {
    'statx': ['named-file', 'temp-dir'],
    'openat2': ['remove-tree', 'temp-dir'],
    'statx,openat2': ['remove-tree', 'every-file'],
    'tmpfile': ['temp-file', 'spooled-file'],
    'renameat2': ['persist'],
    'empty-path': ['persist'],
    'empty-path,proc': ['persist'],
    'link-fd': ['persist'],
    'link-fd,renameat2,tmpfile': ['persist'],
    'clone,copy-file-range,seek-data': ['persist', 'every-file'],
    'sync-file-range': ['persist'],
    'fallocate': ['named-file', 'temp-file'],
    'getrandom': ['mkstemp', 'temp-dir'],
    'memfd': ['temp-file'],
    'pidfd': ['named-file'],
    'flock': ['named-file', 'temp-dir'],
    'lease': ['named-file'],
    'handle,statx': ['named-file'],
    'xattr': ['persist'],
    'proc': ['temp-dir', 'named-file'],
    'fchmodat2,proc': ['remove-tree'],
}

# Where the kernel refuses a call, libc may do something in its place.
SANDBOXES = {'statx': {'x86_64': 332, 'aarch64': 291, 'riscv64': 291, 's390x': 379}}

ERRNOS = [errno.EPERM, errno.ENOSYS, errno.EACCES, errno.EOPNOTSUPP]
# An ACL that may not be read narrows the mode.
ERRNOS_OF = {'xattr': [errno.EOPNOTSUPP]}

# What cannot be done without them, by the beginning of the test's path
IMPOSSIBLE = {
    'memfd': ['/temp-file/seal'],
    'fallocate': ['/temp-file/reserve'],
    'xattr': ['/persist/replace', '/persist/acl', '/persist/default-acl'],
    'seek-data': ['/persist/sparse'],
    'proc': ['/persist/sparse'],
    'fchmodat2': ['/remove-tree/permissions', '/temp-dir/odd-modes'],
    'flock': ['/temp-dir/cleanup', '/temp-dir/keep', '/temp-dir/descriptor-is-not-inherited'],
}

# What takes long and has nothing to do with them
SLOW = ['/persist/race']


def skipped(parts):
    return [path for part in parts.split(',') for path in IMPOSSIBLE.get(part, [])]


class SockFprog(ctypes.Structure):
    _fields_ = [('length', ctypes.c_ushort), ('filter', ctypes.c_char_p)]


def make_sandbox(number, with_errno):
    """Returns what lets the kernel refuse the system call of that number in this process and its children; see seccomp(2)."""
    load, jump_if_equal, answer = 0x20, 0x15, 0x06
    code = b''.join(struct.pack('=HBBI', *instruction) for instruction in (
        (load, 0, 0, 0), (jump_if_equal, 0, 1, number), (answer, 0, 0, 0x00050000 | with_errno), (answer, 0, 0, 0x7fff0000)))
    program = SockFprog(len(code) // 8, code)
    libc = ctypes.CDLL(None)

    def enter():
        no_new_privileges, seccomp, filter = 38, 22, 2
        if libc.prctl(no_new_privileges, 1, 0, 0, 0) != 0 or libc.prctl(seccomp, filter, ctypes.byref(program)) != 0:
            os._exit(1)

    return enter


def passes(test, parts, with_errno, more, sandbox=None):
    env = dict(os.environ, TF_TEST_WITHOUT='' if sandbox else parts, TF_TEST_WITH=str(with_errno))
    # Large files are persisted on each file system, which takes long enough.
    env.pop('TF_TEST_LARGE', None)
    command = [test]
    for path in [*skipped(parts), *more]:
        command += ['-x', path]
    try:
        result = subprocess.run(command, env=env, timeout=TEST_TIMEOUT, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=sandbox)
        output, passed = result.stdout, result.returncode == 0
    except subprocess.TimeoutExpired as error:
        output, passed = (error.stdout or b'') + b'\nhangs', False
    if not passed:
        # Meson shows this with its summary.
        text = output.decode(errors='replace')
        print(f'{test} without {parts} ({errno.errorcode[with_errno]}):\n{text}', file=sys.stderr)
    return passed


def name_of(test):
    return os.path.basename(test).partition('-')[2]


def test_sandboxes(tests):
    for number, (call, numbers) in enumerate(SANDBOXES.items(), len(PARTS) + 1):
        sandbox_number = numbers.get(platform.machine())
        if sandbox_number is None:
            print('ok', number, f'in a sandbox without {call} # SKIP its number is not known here')
            continue
        good = [passes(test, call, with_errno, SLOW, make_sandbox(sandbox_number, with_errno))
                for test in tests if name_of(test) in PARTS[call] for with_errno in (errno.EPERM, errno.ENOSYS)]
        print('ok' if all(good) and good else 'not ok', number, 'in a sandbox without ' + call)


def main():
    tests = sys.argv[1:]
    everything = os.environ.get('TF_TEST_ALL_WAYS') == '1'
    print(f'1..{len(PARTS) + len(SANDBOXES)}')
    for number, (parts, names) in enumerate(PARTS.items(), 1):
        errnos = ERRNOS_OF.get(parts, ERRNOS)
        if not everything:
            errnos = [errnos[number % len(errnos)]]
        chosen = [test for test in tests if everything or name_of(test) in names]
        more = [] if everything else SLOW
        good = [passes(test, parts, with_errno, more) for test in chosen for with_errno in errnos]
        print('ok' if all(good) and good else 'not ok', number, 'without ' + parts)
        sys.stdout.flush()
    test_sandboxes(tests)
    return 0


if __name__ == '__main__':
    sys.exit(main())
