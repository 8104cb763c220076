#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""One asynchronous flow with asyncio: create, write, roll over, read, close, clean up."""

import asyncio
import os

import gi

gi.require_version('Tf', '1')

from gi.repository import Gio, GLib, Tf  # noqa: E402


async def call(start, *args, finish, cancellable=None):
    """Awaits a call of GIO: its callback comes while this loop iterates GLib's main context."""
    future = asyncio.get_running_loop().create_future()

    def on_ready(source, result):
        try:
            future.set_result(finish(result))
        except GLib.Error as error:
            future.set_exception(error)

    start(*args, GLib.PRIORITY_DEFAULT, cancellable, on_ready)
    while not future.done():
        GLib.MainContext.default().iteration(False)
        await asyncio.sleep(0)
    return future.result()


async def flow():
    directory = await call(Tf.TempDir.create_async, 'flow-', None, None, finish=Tf.TempDir.create_finish)
    path = directory.get_path()
    assert os.path.isdir(path)

    named = await call(Tf.NamedFile.create_async, None, '.txt', path, finish=Tf.NamedFile.create_finish)
    assert await call(named.write_bytes_async, GLib.Bytes(b'Hello world!'), finish=named.write_bytes_finish)
    with open(named.get_path(), 'rb') as file:
        assert file.read() == b'Hello world!'

    spool = Tf.SpooledFile.new(4)
    events = []
    spool.connect('rolled-over', lambda file: events.append(file.get_size()))
    output = spool.get_output_stream()
    await call(output.splice_async, reader_of(named), Gio.OutputStreamSpliceFlags.NONE,
               finish=output.splice_finish)
    assert events == [12], events
    spool.seek(6, GLib.SeekType.SET, None)
    content = await call(spool.read_bytes_async, 100, finish=spool.read_bytes_finish)
    assert content.get_data() == b'world!'

    await call(named.close_async, finish=named.close_finish)
    assert os.listdir(path) == []
    await call(directory.cleanup_async, finish=directory.cleanup_finish)
    assert not os.path.exists(path)


def reader_of(file):
    file.seek(0, GLib.SeekType.SET, None)
    return file.get_input_stream()


async def cancelled():
    cancellable = Gio.Cancellable()
    cancellable.cancel()
    try:
        await call(Tf.TempFile.create_async, None, finish=Tf.TempFile.create_finish, cancellable=cancellable)
    except GLib.Error as error:
        assert error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED)
    else:
        raise AssertionError('not cancelled')


asyncio.run(flow())
asyncio.run(cancelled())
