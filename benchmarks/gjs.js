// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// The price of a call from JavaScript: tempfile-glib and GIO.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';
import Tf from 'gi://Tf?version=1';

function each(func, n) {
    const start = GLib.get_monotonic_time();
    for (let i = 0; i < n; i++)
        func();
    return (GLib.get_monotonic_time() - start) * 1000 / n;
}

const verbs = {
    write(size, n) {
        const file = Tf.SpooledFile.new(-1);
        const data = new Uint8Array(size);
        return each(() => file.write(data, null), n);
    },

    read(size, n) {
        const file = Tf.SpooledFile.new(-1);
        file.write(new Uint8Array(size * n), null);
        file.seek(0, GLib.SeekType.SET, null);
        return each(() => file.read_bytes(size, null), n);
    },

    new(n) {
        return each(() => Tf.SpooledFile.new(-1), n);
    },

    'gio-write'(size, n) {
        const stream = Gio.MemoryOutputStream.new_resizable();
        const data = new Uint8Array(size);
        return each(() => stream.write(data, null), n);
    },

    'gio-read'(size, n) {
        const stream = Gio.MemoryInputStream.new_from_bytes(new GLib.Bytes(new Uint8Array(size * n)));
        return each(() => stream.read_bytes(size, null), n);
    },

    'gio-new'(n) {
        return each(() => Gio.MemoryOutputStream.new_resizable(), n);
    },
};

const [verb, ...numbers] = System.programArgs;
print(verbs[verb](...numbers.map(Number)).toFixed(3));
