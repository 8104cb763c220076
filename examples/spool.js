// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: CC0-1.0

// Streams a file through a Tf.SpooledFile, reads it back, copies it into a Tf.TempDir.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';
import Tf from 'gi://Tf?version=1';

const MAX_SIZE = 1024 * 1024;
const PIECE_SIZE = 64 * 1024;

function spoolFile(source) {
    let rolledOverAt = 'never';

    const spool = Tf.SpooledFile.new(MAX_SIZE);
    spool.connect('rolled-over', () => {
        rolledOverAt = spool.get_size();
    });

    // In: from the file to the spool, which goes to disk once it outgrows MAX_SIZE.
    const from = source.read(null);
    const output = spool.get_output_stream();
    let bytes;
    while ((bytes = from.read_bytes(PIECE_SIZE, null)).get_size() > 0)
        output.write_all(bytes.toArray(), null);
    from.close(null);

    // Out: from the spool to a copy in a temporary directory.
    const dir = Tf.TempDir.new('spool-', null, null, null);
    const to = dir.get_child('copy').create(Gio.FileCreateFlags.PRIVATE, null);
    const input = spool.get_input_stream();
    const checksum = new GLib.Checksum(GLib.ChecksumType.SHA256);
    let size = 0;
    spool.seek(0, GLib.SeekType.SET, null);
    while ((bytes = input.read_bytes(PIECE_SIZE, null)).get_size() > 0) {
        checksum.update(bytes.toArray());
        size += bytes.get_size();
        to.write_all(bytes.toArray(), null);
    }
    to.close(null);
    spool.close(null);

    // Not left to the garbage collector, which comes when it likes.
    dir.cleanup(null);
    if (dir.get_file().query_exists(null))
        throw new Error(`${dir.get_path()} is still there`);

    print(`JS ${size} bytes, rolled over at ${rolledOverAt}, ` +
        `sha256 ${checksum.get_string()}, cleaned up`);
}

if (ARGV.length !== 1) {
    printerr('Usage: gjs -m spool.js FILE');
    System.exit(1);
}

try {
    spoolFile(Gio.File.new_for_commandline_arg(ARGV[0]));
} catch (error) {
    printerr(`spool.js: ${error.message}`);
    System.exit(1);
}
