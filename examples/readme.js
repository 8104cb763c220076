// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: CC0-1.0

// The JavaScript example of README.md, made a program.

import Tf from 'gi://Tf?version=1';

const file = new Tf.SpooledFile({max_size: 1024 * 1024});
file.write('Hello, world');
file.seek(0);
const start = new TextDecoder().decode(file.read(5));
print(`${start}, of ${file.get_size()} bytes`);
file.close();
