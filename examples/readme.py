# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: CC0-1.0

"""The Python example of README.md, made a program."""

import gi

gi.require_version('Tf', '1')

from gi.repository import Tf  # noqa: E402

with Tf.SpooledFile(max_size=1024 * 1024) as file:
    file.write(b'Hello, world')
    file.seek(0)
    start = file.read(5).decode()
    print(f'{start}, of {file.get_size()} bytes')
