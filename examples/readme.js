// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: CC0-1.0

// The JavaScript example of README.md, made a program.

import GLib from 'gi://GLib';
import Tf from 'gi://Tf?version=1';

const file = Tf.SpooledFile.new(1024 * 1024);
file.write(new TextEncoder().encode('Hello, world'), null);
file.seek(0, GLib.SeekType.SET, null);
const start = new TextDecoder().decode(file.read_bytes(5, null).toArray());
print(`${start}, of ${file.get_size()} bytes`);
file.close(null);
