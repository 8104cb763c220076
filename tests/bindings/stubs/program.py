# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Uses every class and the drop-in names; checked by mypy against the stubs, and run."""

from __future__ import annotations

import asyncio
import os
import pathlib
from typing import Any

import gi

gi.require_version('Tf', '1')
from gi.repository import Gio, GLib, Tf  # noqa: E402


def binary() -> bytes:
    with Tf.TemporaryFile() as file:
        count: int = file.write(b'Hello world!\n')
        file.writelines([b'a\n', bytearray(b'b\n')])
        position: int = file.seek(0)
        lines: list[bytes] = file.readlines()
        file.truncate(count + position)
        file.seek(0)
        assert file.seek(0, GLib.SeekType.SET) is True
        into = bytearray(5)
        file.readinto(into)
        return b''.join(line for line in lines) + file.read() + file.peek()


def text() -> str:
    with Tf.NamedTemporaryFile('w+', encoding='utf-8', suffix='.txt') as file:
        file.write('ä\n')
        file.seek(0)
        words: list[str] = [line for line in file]
        name: str = file.name
        assert os.path.exists(name) and file.delete
    with Tf.SpooledTemporaryFile(mode='w+') as spooled:
        spooled.write('x')
        spooled.rollover()
    with Tf.SpooledTemporaryFile(10, 'w+') as spooled:
        spooled.write('x')
    return words[0]


def bytes_in_memory() -> bytes:
    with Tf.SpooledFile(max_size=100) as file:
        file.write(b'x')
        assert not file.is_rolled_over() and file.get_max_size() == 100
        return file.read_line() or file.load_bytes().get_data() or b''


def directories() -> str:
    with Tf.TemporaryDirectory() as path:
        pathlib.Path(path, 'file').touch()
    directory = Tf.TempDir(prefix='x')
    file = Tf.NamedFile.new(dir=directory)
    name: str = file.get_path()
    final: Gio.File = file.persist(directory.build_filename('kept'), Tf.PersistFlags.REPLACE)
    print(final.get_path())
    file.close()
    directory.cleanup()
    return name


def stream() -> str:
    with Tf.TempFile() as file:
        text = Tf.TextStream(file, 'UTF-8', Tf.Newline.LF, Tf.TextErrors.STRICT)
        text.write('ä\n')
        text.seek(0)
        return text.read_line() or ''


def functions() -> None:
    fd, path = Tf.mkstemp('.txt', 'report-')
    os.close(fd)
    os.remove(path)
    fd_b, path_b = Tf.mkstemp(b'.txt')
    os.close(fd_b)
    os.remove(path_b)
    os.rmdir(Tf.mkdtemp(dir=pathlib.Path(Tf.gettempdir())))
    removed: int = Tf.sweep(prefix='no-such-prefix')
    assert Tf.TMP_MAX + removed > 0 and isinstance(Tf.gettempdirb(), bytes)


async def asynchronous() -> None:
    created: Any = Tf.TempDir.create_async()
    while not created.done():
        GLib.MainContext.default().iteration(False)
    directory: Tf.TempDir[str] = await created
    directory.cleanup()


binary()
text()
bytes_in_memory()
directories()
stream()
functions()
asyncio.run(asynchronous())
