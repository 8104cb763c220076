# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The price of a call from Python: tempfile-glib and GIO through PyGObject."""

import sys
from time import perf_counter_ns as now

import gi

gi.require_version('Tf', '1')
from gi.repository import Gio, GLib, Tf


def each(function, n):
    start = now()
    for _ in range(n):
        function()
    return (now() - start) / n


def write(size, n):
    file = Tf.SpooledFile.new(-1)
    data = b'x' * size
    method = file.write
    return each(lambda: method(data, None), n)


def read(size, n):
    file = Tf.SpooledFile.new(-1)
    file.write(b'x' * (size * n), None)
    file.seek(0, GLib.SeekType.SET, None)
    method = file.read_bytes
    return each(lambda: method(size, None), n)


def new(n):
    return each(lambda: Tf.SpooledFile.new(-1), n)


def gio_write(size, n):
    stream = Gio.MemoryOutputStream.new_resizable()
    data = b'x' * size
    return each(lambda: stream.write(data, None), n)


def gio_read(size, n):
    stream = Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(b'x' * (size * n)))
    return each(lambda: stream.read_bytes(size, None), n)


def gio_new(n):
    return each(Gio.MemoryOutputStream.new_resizable, n)


VERBS = {
    'write': write,
    'read': read,
    'new': new,
    'gio-write': gio_write,
    'gio-read': gio_read,
    'gio-new': gio_new,
}

print(f'{VERBS[sys.argv[1]](*map(int, sys.argv[2:])):.3f}')
