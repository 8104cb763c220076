# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Ends as it is told with a file and a directory alive; see check-exit.py."""

import os
import signal
import sys

import gi

gi.require_version('Tf', '1')
from gi.repository import Gio, Tf  # noqa: E402

named_file = Tf.NamedFile.new(None, None, None, None)
temp_dir = Tf.TempDir.new(None, None, None, None)
paths = [named_file.get_path(), temp_dir.get_path()]


class Cycle:
    """What only the garbage collector could drop."""

    def __init__(self):
        self.self = self
        self.held = [named_file, temp_dir]


def uncaught():
    raise RuntimeError('nobody catches this')


def hold_until_exit():
    named_file.hold_until_exit()
    temp_dir.hold_until_exit()


def hold_for_a_subprocess():
    global named_file, temp_dir
    cat = Gio.Subprocess.new(['cat'], Gio.SubprocessFlags.STDIN_PIPE)
    named_file.hold_for_subprocess(cat)
    temp_dir.hold_for_subprocess(cat)
    del named_file, temp_dir


def in_child(func):
    """Forks, and has the child end by @func; what is the parent's has to be there afterwards."""
    pid = os.fork()
    if pid == 0:
        func()
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 7, f'the child ended with {status}'
    assert all(os.path.exists(path) for path in paths), "the child removed what is its parent's"


def drop_and_exit():
    global named_file, temp_dir
    del named_file, temp_dir
    sys.exit(7)


def remove_and_exit():
    """All that a child may call by hand is refused, or does nothing to what is its parent's."""
    refused = 0
    for func in named_file.unlink, temp_dir.cleanup, lambda: named_file.close(None):
        try:
            func()
        except gi.repository.GLib.Error as error:
            assert 'fork' in error.message, error.message
            refused += 1
    assert refused >= 2, f'{refused} calls were refused'
    os._exit(7)


def own_and_exit():
    """What a child makes itself goes with it."""
    mine = Tf.TempDir.new('child-', None, None, None)
    assert os.path.isdir(mine.get_path())
    sys.exit(7)


def execute():
    os.execv(sys.executable, [sys.executable, '-c', 'import sys; sys.exit(7)'])


def die_of(number):
    Tf.cleanup_on_signals()
    signal.raise_signal(number)
    while True:
        signal.pause()


def die_in_a_loop():
    """In a main loop, as programs of GNOME are."""
    Tf.cleanup_on_signals()
    gi.repository.GLib.idle_add(lambda: os.kill(os.getpid(), signal.SIGTERM))
    gi.repository.GLib.MainLoop().run()


cases = {
    'end': lambda: None,
    'cycle': lambda: globals().update(cycle=Cycle()),
    'sys-exit': lambda: sys.exit(3),
    'exception': uncaught,
    'keyboard-interrupt': lambda: signal.raise_signal(signal.SIGINT),
    'keyboard-interrupt-kept': lambda: (hold_until_exit(), signal.raise_signal(signal.SIGINT)),
    'keyboard-interrupt-held-for': lambda: (hold_for_a_subprocess(), signal.raise_signal(signal.SIGINT)),
    'keyboard-interrupt-in-a-cycle': lambda: (globals().update(cycle=Cycle()), signal.raise_signal(signal.SIGINT)),
    'hold-until-exit': hold_until_exit,
    'fork-exit-kept': lambda: (hold_until_exit(), in_child(lambda: sys.exit(7))),
    'fork-exit': lambda: in_child(lambda: sys.exit(7)),
    'fork-_exit': lambda: in_child(lambda: os._exit(7)),
    'fork-exec': lambda: in_child(execute),
    'fork-drop': lambda: in_child(drop_and_exit),
    'fork-remove': lambda: in_child(remove_and_exit),
    'fork-own': lambda: in_child(own_and_exit),
    'sigint': lambda: die_of(signal.SIGINT),
    'sigint-kept': lambda: (hold_until_exit(), die_of(signal.SIGINT)),
    'sigterm': lambda: die_of(signal.SIGTERM),
    'sighup': lambda: die_of(signal.SIGHUP),
    'sigterm-in-a-loop': die_in_a_loop,
}

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup(1) ignores it.
with open(os.path.join(paths[1], 'content'), 'w') as content:
    content.write('to be removed')
assert all(os.path.exists(path) for path in paths)
print(*paths, flush=True)
cases[sys.argv[1]]()
