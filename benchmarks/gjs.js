// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// The price of a call from JavaScript: tempfile-glib and GIO.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';
import Tf from 'gi://Tf?version=1';

const LINE = `${'x'.repeat(63)}\n`;

function makeFile(n) {
    const file = Tf.SpooledFile.new(-1);
    file.writeLines(Array(n).fill(LINE));
    file.seek(0, GLib.SeekType.SET, null);
    return file;
}

function rewind(file) {
    file.seek(0, GLib.SeekType.SET, null);
    return file;
}

function makeStream(n) {
    return Gio.MemoryInputStream.new_from_bytes(new GLib.Bytes(new TextEncoder().encode(LINE.repeat(n))));
}

// In nanoseconds, of this thread: others use the processors as well.
function getTime() {
    const [, statistics] = GLib.file_get_contents('/proc/thread-self/schedstat');
    return Number(new TextDecoder().decode(statistics).split(' ')[0]);
}

// The time of one of n items in the last of several loops: until then, the engine compiles.
function count(makeItems, n) {
    let start;
    for (let i = 0; i < 6; i++) {
        const items = makeItems();
        let size = 0;
        start = getTime();
        for (const item of items)
            size += item.length;
        if (size !== n * LINE.length)
            throw new Error(`${size} bytes of ${n} records`);
    }
    return (getTime() - start) / n;
}

function* readStream(read) {
    for (let item; (item = read()) !== null;)
        yield item;
}

function each(func, n) {
    const start = getTime();
    for (let i = 0; i < n; i++)
        func();
    return (getTime() - start) / n;
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
        return each(() => file.read(size), n);
    },

    lines(n) {
        const file = makeFile(n);
        return count(() => rewind(file).lines(), n);
    },

    chunks(n) {
        const file = makeFile(n);
        return count(() => rewind(file).chunks(LINE.length), n);
    },

    'write-lines'(n) {
        const file = Tf.SpooledFile.new(-1);
        const lines = Array(n).fill(LINE);
        return each(() => file.writeLines(lines), 1) / n;
    },

    new(n) {
        return each(() => Tf.SpooledFile.new(-1), n);
    },

    // What no call that returns an array can beat.
    array(size, n) {
        const text = GLib.base64_encode(new Uint8Array(size));
        return each(() => GLib.base64_decode(text), n);
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

    'gio-lines'(n) {
        return count(() => {
            const stream = Gio.DataInputStream.new(makeStream(n));
            // Without their newlines
            return readStream(() => {
                const [line] = stream.read_line_utf8(null);
                return line === null ? null : {length: line.length + 1};
            });
        }, n);
    },

    'gio-chunks'(n) {
        return count(() => {
            const stream = makeStream(n);
            return readStream(() => {
                const chunk = stream.read_bytes(LINE.length, null).toArray();
                return chunk.length > 0 ? chunk : null;
            });
        }, n);
    },

    'gio-write-lines'(n) {
        const stream = Gio.MemoryOutputStream.new_resizable();
        return each(() => stream.write_all(LINE, null), n);
    },

    'gio-new'(n) {
        return each(() => Gio.MemoryOutputStream.new_resizable(), n);
    },
};

const [verb, ...numbers] = System.programArgs;
print(verbs[verb](...numbers.map(Number)).toFixed(3));
