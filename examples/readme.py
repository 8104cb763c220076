# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: CC0-1.0

"""The Python example of README.md, made a program."""

import gi

gi.require_version('Tf', '1')

from gi.repository import GLib, Tf  # noqa: E402

file = Tf.SpooledFile.new(1024 * 1024)
file.write(b'Hello, world')
file.seek(0, GLib.SeekType.SET)
start = file.read_bytes(5).get_data().decode()
print(f'{start}, of {file.get_size()} bytes')
file.close()
