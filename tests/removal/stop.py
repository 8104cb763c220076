# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Stops a process at chosen system calls, with the user notification of seccomp(2), and what else a
process can be restricted by between fork() and exec().

What happens between two steps of a process can so be arranged, instead of being raced for.
"""

import ctypes
import fcntl
import os
import platform
import resource
import socket
import struct

libc = ctypes.CDLL(None, use_errno=True)

# The numbers, and which argument is the path, or None; for rmdir, which argument is unlinkat's flags.
SYSTEM_CALLS = {
    'x86_64': {'audit': 0xC000003E, 'seccomp': 317,
               'open': {2: 0, 257: 1, 437: 1},
               'chmod': {90: 0, 91: None, 268: 1, 452: 1},
               'remove': {84: 0, 87: 0, 263: 1}, 'rmdir': 84, 'unlinkat': 263},
    'aarch64': {'audit': 0xC00000B7, 'seccomp': 277,
                'open': {56: 1, 437: 1},
                'chmod': {52: None, 53: 1, 452: 1},
                'remove': {35: 1}, 'rmdir': None, 'unlinkat': 35},
}
machine = SYSTEM_CALLS.get(platform.machine())

PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_NEW_LISTENER = 8
SECCOMP_RET_USER_NOTIF = 0x7FC00000
SECCOMP_RET_ALLOW = 0x7FFF0000
SECCOMP_IOCTL_NOTIF_RECV = 0xC0502100
SECCOMP_IOCTL_NOTIF_SEND = 0xC0182101
SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1
AT_REMOVEDIR = 0x200

BPF_LOAD, BPF_EQUAL, BPF_RETURN = 0x20, 0x15, 0x06


class Unavailable(Exception):
    """What is needed cannot be had on this machine."""


def check(result, call):
    if result < 0:
        raise Unavailable(f'{call}: {os.strerror(ctypes.get_errno())}')
    return result


def drop_capabilities():
    """After the next exec() root has no more rights than the owner of a file."""
    with open('/proc/sys/kernel/cap_last_cap') as last:
        for capability in range(int(last.read()) + 1):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def limit_descriptors(n):
    resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))


def build_filter(numbers):
    def instruction(code, jump_true, jump_false, value):
        return struct.pack('HBBI', code, jump_true, jump_false, value)

    program = [instruction(BPF_LOAD, 0, 0, 4),
               instruction(BPF_EQUAL, 1, 0, machine['audit']),
               instruction(BPF_RETURN, 0, 0, SECCOMP_RET_ALLOW),
               instruction(BPF_LOAD, 0, 0, 0)]
    for i, number in enumerate(numbers):
        program.append(instruction(BPF_EQUAL, len(numbers) - i, 0, number))
    program.append(instruction(BPF_RETURN, 0, 0, SECCOMP_RET_ALLOW))
    program.append(instruction(BPF_RETURN, 0, 0, SECCOMP_RET_USER_NOTIF))
    return b''.join(program), len(program)


def install_filter(kind, connection):
    """Lets this process stop at the system calls of @kind, and sends the listener over @connection."""
    if machine is None:
        raise Unavailable(f'the system calls of {platform.machine()} are not known')
    program, length = build_filter(sorted(machine[kind]))
    buffer = ctypes.create_string_buffer(program, len(program))
    fprog = ctypes.create_string_buffer(struct.pack('HP', length, ctypes.addressof(buffer)))
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 'prctl')
    listener = check(libc.syscall(machine['seccomp'], SECCOMP_SET_MODE_FILTER,
                                  SECCOMP_FILTER_FLAG_NEW_LISTENER, fprog), 'seccomp')
    socket.send_fds(connection, [b'l'], [listener])


def receive_listener(connection):
    message, fds, _, _ = socket.recv_fds(connection, 256, 1)
    if not fds:
        raise Unavailable(message.decode() or 'the process ended at once')
    return fds[0]


class Call:
    """A system call at which a process was stopped."""

    def __init__(self, kind, pid, number, args):
        self.is_rmdir = number == machine['rmdir'] or (
            number == machine['unlinkat'] and bool(args[2] & AT_REMOVEDIR))
        self.path = None
        position = machine[kind].get(number)
        if position is not None:
            self.path = read_string(pid, args[position])

    @property
    def name(self):
        return None if self.path is None else os.path.basename(self.path.rstrip(b'/'))


def read_string(pid, address):
    try:
        with open(f'/proc/{pid}/mem', 'rb', buffering=0) as memory:
            # Not beyond a page that may be the last one.
            content = b''
            while b'\0' not in content and len(content) < 65536:
                piece = os.pread(memory.fileno(), 4096 - (address + len(content)) % 4096, address + len(content))
                if not piece:
                    break
                content += piece
            return content.split(b'\0')[0]
    except OSError:
        return b''


def serve(listener, kind, on_call):
    """Takes one call from @listener, tells @on_call of it, and lets it go on."""
    notification = bytearray(80)
    try:
        fcntl.ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, notification)
    except OSError:
        return  # The process was killed meanwhile.
    identifier, pid, _, number, _, _, *args = struct.unpack('QIIiIQ6Q', notification)
    on_call(Call(kind, pid, number, args))
    response = bytearray(struct.pack('QqiI', identifier, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE))
    try:
        fcntl.ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, response)
    except OSError:
        pass
