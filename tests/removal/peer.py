# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A candidate of compare.py at work."""

import os
import select
import signal
import socket
import time
from pathlib import Path

import stop

SAFE, LOSES, TOUCHES = 'safe', 'loses data', 'touches outside'
FAILS, NOT_OFFERED, NOT_RUN = 'fails', 'not offered', 'not run'

SECONDS_PER_ANSWER = 60


class Verdict(Exception):
    """Ends a case."""

    def __init__(self, word, reason=''):
        super().__init__(word, reason)
        self.word, self.reason = word, reason


class Candidate:
    def __init__(self, name, command, has_objects=True):
        self.name, self.command = name, [str(word) for word in command]
        self.has_objects = has_objects  # that stand for a directory, and remove it
        self.version = None


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
        pid, self.pid = self.pid, None
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def kill(self):
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def resident(self):
        """Bytes of memory."""
        return int(Path(f'/proc/{self.pid}/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def describe_status(status):
    if status < 0:
        return f'dies of {signal.Signals(-status).name}'
    return f'ends with status {status}'
